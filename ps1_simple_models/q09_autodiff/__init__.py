"""Question 9: automatic differentiation, and a check that can be trusted."""

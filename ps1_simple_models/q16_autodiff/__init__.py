"""Question 16: automatic differentiation, and a check that can be trusted."""

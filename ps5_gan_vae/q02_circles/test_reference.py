"""Question 2."""

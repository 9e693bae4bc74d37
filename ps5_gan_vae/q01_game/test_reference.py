"""Question 1."""

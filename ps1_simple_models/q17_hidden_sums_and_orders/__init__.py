"""Question 17."""

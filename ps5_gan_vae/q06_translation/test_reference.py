"""Question 6."""

"""Question 19: colour."""

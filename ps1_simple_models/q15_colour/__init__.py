"""Question 15: colour."""

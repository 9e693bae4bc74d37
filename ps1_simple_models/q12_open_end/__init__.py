"""Question 12: an open end."""

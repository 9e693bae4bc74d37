"""Question 6 of problem set 3."""

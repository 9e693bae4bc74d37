"""Question 9 of problem set 3."""

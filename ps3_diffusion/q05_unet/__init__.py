"""Question 5 of problem set 3."""

"""Question 4: positions."""

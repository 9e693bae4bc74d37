"""Question 9: a transformer whose weights are written by hand, and an open end."""

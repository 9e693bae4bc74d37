"""Question 9: scores of samples, sets that fool them, and an open end."""

"""Question 8: honest evaluation, and the whole set in one table."""

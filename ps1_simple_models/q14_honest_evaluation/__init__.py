"""Question 14: honest evaluation, and the whole set in one table."""

"""Question 7: discretised logistics."""

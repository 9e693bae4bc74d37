"""Question 5: convolutions, and what bounds their slope."""

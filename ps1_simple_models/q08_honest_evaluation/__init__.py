"""Question 8: honest evaluation."""

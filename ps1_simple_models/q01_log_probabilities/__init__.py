"""Question 1: stable log-probabilities."""

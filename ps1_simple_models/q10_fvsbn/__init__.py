"""Question 10: fully visible autoregressive models."""

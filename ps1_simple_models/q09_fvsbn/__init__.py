"""Question 9: fully visible autoregressive models."""

"""Question 2: why it turns in circles."""

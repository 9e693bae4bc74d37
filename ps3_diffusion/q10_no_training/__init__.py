"""Question 10: a generative model without training, and an open end."""

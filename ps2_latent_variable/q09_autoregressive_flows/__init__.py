"""Question 9: masked and inverse autoregressive flows."""

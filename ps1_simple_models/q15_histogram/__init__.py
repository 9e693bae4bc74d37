"""Question 15: a histogram by gradient descent."""

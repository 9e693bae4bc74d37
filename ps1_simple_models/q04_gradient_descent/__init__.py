"""Question 4: the same mixture by gradient descent."""

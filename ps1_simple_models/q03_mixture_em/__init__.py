"""Question 3: A mixture of Gaussians and EM."""

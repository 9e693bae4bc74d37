"""Question 2: the full-covariance Gaussian and its maximum likelihood."""

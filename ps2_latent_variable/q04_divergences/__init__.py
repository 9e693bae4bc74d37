"""Question 4: divergences between Gaussians, decoder likelihoods, and the variance that hides in a loss."""

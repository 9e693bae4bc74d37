"""Question 1: autoencoders, PCA and probabilistic PCA."""

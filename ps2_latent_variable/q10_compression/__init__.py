"""Question 5: a variational autoencoder."""

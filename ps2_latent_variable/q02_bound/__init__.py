"""Question 2: the evidence lower bound on a finite latent, and mean field."""

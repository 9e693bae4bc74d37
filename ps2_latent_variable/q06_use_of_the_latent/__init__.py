"""Question 6: is the latent used?"""

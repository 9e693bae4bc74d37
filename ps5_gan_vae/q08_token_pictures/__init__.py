"""Question 8: priors for tokens, row by row and masked, and what their samplers really draw."""

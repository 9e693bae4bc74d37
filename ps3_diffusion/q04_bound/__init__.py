"""Question 4: the noise loss as a bound, and which noise levels to train on."""

"""Question 1: steps along a velocity and with noise."""

"""Question 7: codes, gradients through them, and moving codebooks."""

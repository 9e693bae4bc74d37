"""Question 3: gradients of an average over draws: score function, baselines, reparameterisation, path derivative."""

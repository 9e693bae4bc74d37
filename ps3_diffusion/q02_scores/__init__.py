"""Question 2: scores of mixtures, Tweedie, denoising score matching, annealed Langevin dynamics."""

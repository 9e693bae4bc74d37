"""Question 7: models and likelihoods for the probes."""

import torch
from torch import nn


class Bent(nn.Module):
    """A small smooth model with `encode` and `decode`, of any sizes; codes may have any axes before."""

    def __init__(self, rng, data_dim, latent_dim, shift=0.0, spread=1.0, gain=1.0):
        super().__init__()
        self.latent_dim, self.shift, self.spread, self.gain = latent_dim, shift, spread, gain
        self.to_mean = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logvar = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logits = nn.Parameter(rng.normal(latent_dim, data_dim))

    def encode(self, x):
        size = x.shape[1] ** 0.5
        return x @ self.to_mean / size, self.shift + self.spread * (x @ self.to_logvar) / size

    def decode(self, z):
        return self.gain * (torch.sin(z) + 0.5 * z) @ self.to_logits


class Only:
    """`encode` and `decode` of a model, and nothing else: no mode, no parameters."""

    def __init__(self, model):
        self.encode, self.decode = model.encode, model.decode


class Moody(Bent):
    """Its decoder gives twice as much in training mode."""

    def decode(self, z):
        return (2 if self.training else 1) * super().decode(z)


def counts(outputs, x):
    """Log-probability of Poisson counts with log-rates ``outputs``, up to a constant in x. Strict about shapes."""
    if outputs.dim() != 2 or outputs.shape != x.shape:
        raise ValueError(
            f"`log_likelihood` was called with shapes {tuple(outputs.shape)} and {tuple(x.shape)}; both are to be (B, D), for any B"
        )
    return (x * outputs - outputs.exp()).sum(1)

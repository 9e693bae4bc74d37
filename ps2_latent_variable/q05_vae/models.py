"""Question 5: models and losses for the probes."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Notes(list):
    """A list that a copy of the model shares: working with a copy is seen, too."""

    def __deepcopy__(self, memo):
        return self


def fill(module, rng, scale=1.0):
    """Seeded weights, in order of their names: matrices of size scale / sqrt(inputs), and small biases."""
    named = dict(module.named_parameters())
    with torch.no_grad():
        for name in sorted(named):
            p = named[name]
            std = scale / np.sqrt(p.shape[1]) if p.dim() == 2 else 0.3 * scale
            p.copy_(rng.normal(*p.shape, std=float(std)))
    return module.to(rng.device)


class Curved(nn.Module):
    """A small model with `encode` and `decode`: smooth, of any sizes, and quieter in evaluation mode."""

    def __init__(self, rng, data_dim, latent_dim, spread=1.0, shift=0.0, gain=1.0):
        super().__init__()
        self.latent_dim = latent_dim
        self.to_mean = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logvar = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logits = nn.Parameter(rng.normal(latent_dim, data_dim))
        self.spread, self.shift, self.gain = spread, shift, gain

    def encode(self, x):
        size = x.shape[1] ** 0.5 * (1 if self.training else 2)
        return x @ self.to_mean / size, self.shift + self.spread * (x @ self.to_logvar / size)

    def decode(self, z):
        return self.gain * (1 if self.training else 0.5) * (torch.sin(z) + 0.5 * z) @ self.to_logits


# --- train ----------------------------------------------------------------------------------------------------


class Watched(nn.Module):
    """Squared distance of examples to a learned centre, and of a learned number to their mean. Its part looks away from
    the first feature in evaluation mode.

    It notes the mode of itself and of its part at each call. One parameter is frozen, one is not used, the gradient of
    one is always 0 (so that any weight decay moves it by whole steps), and that of one is tiny, and 0 after the first call
    (so that Adam's epsilon, and any factor before the loss, can be seen).
    """

    def __init__(self, rng, dims):
        super().__init__()
        self.centre = nn.Parameter(rng.normal(dims))
        self.frozen = nn.Parameter(rng.normal(dims), requires_grad=False)
        self.unused = nn.Parameter(rng.normal(2))
        self.level = nn.Parameter(rng.normal(2))
        self.still, self.spark = nn.Parameter(rng.normal(2)), nn.Parameter(rng.normal(2))
        self.part = nn.Dropout(0.0)
        self.modes = Notes()

    def forward(self, x):
        error = (x - self.centre + 0.1 * self.frozen).square()
        if not self.part.training:
            error = torch.cat([0 * error[:, :1], 3 * error[:, 1:]], 1)
        self.modes.append([float(self.training), float(self.part.training)])
        little = 0 * self.still.sum() + 1e-6 * float(len(self.modes) == 1) * self.spark.sum()
        return little + error.sum(1) + (self.level - x.mean(1, keepdim=True)).square().sum(1)


class Planted:
    """A loss for `train` that notes what it is given: first features of the batches, and whether the generator came along.
    To the loss itself it adds `offset`, and `rise` once more at each call.
    """

    def __init__(self, generator, offset=0.0, rise=0.0):
        self.generator, self.offset, self.rise, self.seen = generator, offset, rise, []

    def __call__(self, model, batch, generator):
        if generator is not self.generator:
            raise ValueError("the third argument of `loss` must be the generator that `train` was given")
        if not isinstance(batch, torch.Tensor) or batch.dim() != 2:
            raise ValueError("the second argument of `loss` must be a batch of examples, a tensor (batch, features)")
        self.seen.append(batch[:, 0].detach().clone())
        return model(batch).mean() + self.offset + self.rise * len(self.seen)


class Bound:
    """-ELBO of a `Curved` model, with noise from the generator, for examples of one shape."""

    def __init__(self, generator, shape):
        self.generator, self.shape = generator, shape

    def __call__(self, model, batch, generator):
        if generator is not self.generator:
            raise ValueError("the third argument of `loss` must be the generator that `train` was given")
        if tuple(batch.shape[1:]) != self.shape:
            raise ValueError(f"the loss is given examples of shape {tuple(batch.shape[1:])}; those of x have {self.shape}")
        x = batch.flatten(1)
        mean, logvar = model.encode(x)
        eps = torch.randn(mean.shape, generator=generator, device=generator.device).to(x)
        logits = model.decode(mean + (logvar / 2).exp() * eps)
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
        return (kl - (x * logits - F.softplus(logits)).sum(1)).mean()

"""Question 5: models, losses and data for the probes, and the judge of a training run."""

import numpy as np
import torch
from torch import nn


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
    """A small model with `encode` and `decode` for `elbo_terms`: smooth, and of any sizes."""

    def __init__(self, rng, data_dim, latent_dim, spread=1.0, shift=0.0, gain=1.0):
        super().__init__()
        self.latent_dim = latent_dim
        self.to_mean = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logvar = nn.Parameter(rng.normal(data_dim, latent_dim))
        self.to_logits = nn.Parameter(rng.normal(latent_dim, data_dim))
        self.spread, self.shift, self.gain = spread, shift, gain

    def encode(self, x):
        size = x.shape[1] ** 0.5
        return x @ self.to_mean / size, self.shift + self.spread * (x @ self.to_logvar / size)

    def decode(self, z):
        return self.gain * (torch.sin(z) + 0.5 * z) @ self.to_logits


# --- train ----------------------------------------------------------------------------------------------------


class Watched(nn.Module):
    """Squared distance of examples to a learned centre, and of a learned number to their mean. Its part looks away from
    the first feature in evaluation mode.

    It notes the mode of itself and of its part at each call. One parameter is frozen, and one is not used.
    """

    def __init__(self, rng, dims):
        super().__init__()
        self.centre = nn.Parameter(rng.normal(dims))
        self.frozen = nn.Parameter(rng.normal(dims), requires_grad=False)
        self.unused = nn.Parameter(rng.normal(2))
        self.level = nn.Parameter(rng.normal(2))
        self.part = nn.Dropout(0.0)
        self.modes = Notes()

    def forward(self, x):
        error = (x - self.centre + 0.1 * self.frozen).square()
        if not self.part.training:
            error = torch.cat([0 * error[:, :1], 3 * error[:, 1:]], 1)
        self.modes.append([float(self.training), float(self.part.training)])
        return error.sum(1) + (self.level - x.mean(1, keepdim=True)).square().sum(1)


class Planted:
    """A loss for `train` that notes what it is given: first features of the batches, and whether the generator came along."""

    def __init__(self, generator, offset=0.0):
        self.generator, self.offset, self.seen = generator, offset, []

    def __call__(self, model, batch, generator):
        if generator is not self.generator:
            raise ValueError("the third argument of `loss` must be the generator that `train` was given")
        if not isinstance(batch, torch.Tensor) or batch.dim() != 2:
            raise ValueError("the second argument of `loss` must be a batch of examples, a tensor (batch, features)")
        self.seen.append(batch[:, 0].detach().clone())
        return model(batch).mean() + self.offset


# --- the trained VAE --------------------------------------------------------------------------------------------

PIXELS, LATENTS, HIDDEN, STEPS = 20, 2, 24, 80


def blobs(rng, n):
    """Binary strips of 20 pixels: a white bar of varying place and width, with a few flipped pixels."""
    centre, width = rng.uniform(n, 1, low=3, high=17), rng.uniform(n, 1, low=2, high=5)
    place = torch.arange(PIXELS, device=rng.device)
    bar = ((place - centre).abs() < width).float()
    return (bar - rng.bernoulli(n, PIXELS, p=0.02)).abs()


def strips(rng):
    """Training strips, held-out ones, and noise for the judge."""
    x = blobs(rng, 700)
    return x[:300], x[300:], rng.normal(20, 400, LATENTS)


def honest(reference, weights, x, eps):
    """-ELBO of these weights on x, in nats, by the reference's terms; weights by name."""
    model = reference.VAE(PIXELS, LATENTS, HIDDEN).double()
    model.load_state_dict({name: torch.as_tensor(value).double() for name, value in weights.items()})
    with torch.no_grad():
        return float(-torch.stack([reference.elbo_terms(model, x, noise)[0].mean() for noise in eps]).mean())


def learned(evidence, expected, context):
    """on held-out images the grader's own −ELBO of the trained weights is hardly above that of the reference's"""
    got, want = evidence["weights"], expected["weights"]
    if isinstance(got, str):
        return got
    if set(got) != set(want) or any(np.shape(got[name]) != np.shape(want[name]) for name in want):
        return "the weights do not have the names and shapes of the given `__init__`."
    if not all(np.isfinite(value).all() for value in got.values()):
        return "some weights are not finite: the training diverged."
    rng = context.rng()
    rng.device = "cpu"
    _, x, eps = (t.double() for t in strips(rng))
    found, reference = (honest(context.reference, weights, x, eps) for weights in (got, want))
    coins = PIXELS * float(np.log(2))
    if found <= reference + 0.15 + 0.1 * (coins - reference):
        return True
    return (
        f"held-out strips of {PIXELS} pixels cost {found:.2f} nats with the trained weights, measured by the grader; a right "
        f"program comes to about {reference:.2f} with this budget, and coin tosses to {coins:.2f}."
    )

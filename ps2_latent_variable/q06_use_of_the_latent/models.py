"""Question 6: latents with known spread, posteriors and data for the probes, and the judge of a training run."""

import math

import numpy as np
import torch


def planted(rng, n, spreads, dtype=torch.float32):
    """Means (n, k), latent by latent with exactly these variances, around places far from zero; and log-variances."""
    k = len(spreads)
    noise = rng.normal(n, k, dtype=torch.float64)
    noise = noise - noise.mean(0)
    noise = noise / noise.square().mean(0).sqrt()
    size = torch.tensor(spreads, dtype=torch.float64, device=rng.device).sqrt()
    signs = 2 * rng.bernoulli(k, dtype=torch.float64) - 1
    mean = noise * size + signs * rng.uniform(k, low=0.7, high=1.5).double()
    return mean.to(dtype), (rng.normal(n, k) - 1).to(dtype)


class Hills:
    """log p(x, z) of N images for codes (M, N, k): a Gaussian for each image, and with `bend` one that is curved."""

    def __init__(self, rng, n, k, bend=0.0, low=0.5, high=4.0, dtype=torch.float32):
        self.top = rng.normal(n, k).to(dtype)
        self.precision = torch.stack([rng.spd(k, low, high) for _ in range(n)]).to(dtype)
        self.height = (10 * rng.normal(n) - 40).to(dtype)
        self.bend = bend

    def __call__(self, z):
        off = z - self.top
        square = torch.einsum("mni,nij,mnj->mn", off, self.precision, off)
        return self.height - 0.5 * square + self.bend * torch.cos(2 * z).sum(-1)


# --- the trained VAE --------------------------------------------------------------------------------------------

HIDDEN, STEPS = 16, 100


def turned_pairs(rng):
    """Training points, held-out ones, and noise for the judge: variances 25 and 1, turned by 45 degrees."""
    turn = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], device=rng.device) / math.sqrt(2)
    points = (rng.normal(3000, 2) * torch.tensor([5.0, 1.0], device=rng.device)) @ turn
    return points[:1000], points[1000:], rng.normal(8, 2000, 2)


def honest(reference, weights, x, eps):
    """-ELBO of these weights on x, in nats, by the reference's terms; weights by name."""
    model = reference.GaussianVAE(2, 2, HIDDEN, 1.0).double()
    model.load_state_dict({name: torch.as_tensor(value).double() for name, value in weights.items()})
    with torch.no_grad():
        terms = [reference.latent_terms(model, x, noise) for noise in eps]
    return float(torch.stack([kl.sum(1).mean() - log_likelihood.mean() for log_likelihood, kl in terms]).mean())


def learned(evidence, expected, context):
    """on held-out points the grader's own −ELBO (the sum alone) of the trained weights is hardly above that of the reference's"""
    got, want = evidence["weights"], expected["weights"]
    if isinstance(got, str):
        return got
    if set(got) != set(want) or any(np.shape(got[name]) != np.shape(want[name]) for name in want):
        return "the weights do not have the names and shapes of the given `GaussianVAE`."
    if not all(np.isfinite(value).all() for value in got.values()):
        return "some weights are not finite: the training diverged."
    rng = context.rng()
    rng.device = "cpu"
    _, x, eps = (t.double() for t in turned_pairs(rng))
    found, reference = (honest(context.reference, weights, x, eps) for weights in (got, want))
    if found <= reference + 0.1:
        return True
    return (
        f"held-out points of the turned cloud cost {found:.2f} nats with weights trained on your loss, measured by the grader; "
        f"a right loss comes to about {reference:.2f} with this budget, and a decoder without a latent to 5.40."
    )

"""Question 7 against quadrature, exact linear-Gaussian models, torch.distributions, and the numbers of its text."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Sine:
    """Bernoulli pixels; mean and log-variance do not depend on the image unless asked."""

    def __init__(self, k, d, logvar=-0.5):
        self.W, self.k, self.logvar = normal(k, d, seed=5), k, logvar

    def encode(self, x):
        return 0.3 * x[:, : self.k], self.logvar + 0.2 * x[:, 1 : self.k + 1]

    def decode(self, z):
        return (torch.sin(z) + z) @ self.W


class Linear:
    """Probabilistic PCA with diagonal posterior, whose variances are multiplied by ratio as q."""

    def __init__(self, reference, x, k, ratio=1.0):
        self.m, W, self.noise = reference.ppca_fit(x, k)
        U, S, _ = torch.linalg.svd(W, full_matrices=False)
        self.W, self.ratio, self.posterior = U * S, ratio, reference.ppca_posterior

    def encode(self, x):
        mean, cov = self.posterior(x, self.m, self.W, self.noise)
        return mean, (self.ratio * cov.diagonal()).log().expand_as(mean)

    def decode(self, z):
        return self.m + z @ self.W.T


def linear(reference, ratio, draws=1000, k=3):
    x = normal(40, 6) @ normal(6, 6, seed=1)
    model = Linear(reference, x, k, ratio)
    w = reference.log_weights(
        model, x, normal(draws, 40, k, seed=4), lambda out, x: reference.gaussian_decoder_log_prob(x, out, model.noise.log())
    )
    return w, reference.ppca_log_prob(x, model.m, model.W, model.noise)


def bits(n, d, seed=3):
    return (normal(n, d, seed=seed) > 0).double()


@pytest.mark.parametrize("k", [1, 3])
def test_weights_against_distributions(reference, k):
    model, x, eps = Sine(k, 7), bits(5, 7), normal(6, 5, k)
    mean, logvar = model.encode(x)
    q, prior = Independent(Normal(mean, (logvar / 2).exp()), 1), Independent(Normal(torch.zeros(k).double(), torch.ones(k).double()), 1)
    z = q.mean + q.stddev * eps
    want = Independent(Bernoulli(logits=model.decode(z)), 1).log_prob(x) + prior.log_prob(z) - q.log_prob(z)
    torch.testing.assert_close(reference.log_weights(model, x, eps), want)


def test_mean_weight_is_p_x_and_mean_log_weight_the_elbo_by_quadrature(reference):
    """One latent: the average over eps on a grid, against log p(x) on a grid of z, and E[elbo_terms]."""
    model, x = Sine(1, 7, logvar=0.5), bits(4, 7)
    grid = torch.linspace(-9, 9, 2001, dtype=torch.float64)
    density = Normal(0.0, 1.0).log_prob(grid) + math.log(float(grid[1] - grid[0]))
    w = reference.log_weights(model, x, grid[:, None, None].expand(-1, 4, 1))
    log_joint = torch.stack([reference.bernoulli_log_prob(model.decode(grid[:, None]), one.expand(2001, 7)) for one in x], 1)
    log_p = (log_joint + density[:, None]).logsumexp(0)
    torch.testing.assert_close((w + density[:, None]).logsumexp(0), log_p, rtol=1e-6, atol=1e-6)
    elbo = (density.exp()[:, None] * w).sum(0)
    each = torch.stack([reference.elbo_terms(model, x, e.expand(4, 1))[0] for e in grid])
    torch.testing.assert_close(elbo, (density.exp()[:, None] * each).sum(0), rtol=1e-6, atol=1e-6)
    assert (elbo < log_p).all()


def test_two_draws_lie_between_by_quadrature(reference):
    model, x = Sine(1, 7, logvar=0.5), bits(4, 7)
    grid = torch.linspace(-6, 6, 161, dtype=torch.float64)
    density = Normal(0.0, 1.0).log_prob(grid).exp() * float(grid[1] - grid[0])
    w = reference.log_weights(model, x, grid[:, None, None].expand(-1, 4, 1))
    pairs = torch.stack([w[:, None].expand(-1, 161, -1), w[None].expand(161, -1, -1)]).reshape(2, -1)
    two = (torch.outer(density, density).reshape(-1, 1) * reference.iwae_bound(pairs).reshape(-1, 4)).sum(0)
    log_p = (w + density.log()[:, None]).logsumexp(0)
    assert ((density[:, None] * w).sum(0) < two).all() and (two < log_p).all()


def test_exact_posterior_gives_constant_weights(reference):
    w, log_p = linear(reference, 1.0, draws=20)
    torch.testing.assert_close(w, log_p.expand_as(w), rtol=1e-9, atol=1e-9)
    effective, largest = reference.effective_draws(w)
    torch.testing.assert_close(effective, torch.full((40,), 20.0).double())
    torch.testing.assert_close(largest, torch.full((40,), 0.05).double())


@pytest.mark.parametrize("ratio", [0.8, 1.3, 2.0])
def test_linear_gaussian_log_p_within_a_hundredth(reference, ratio):
    w, log_p = linear(reference, ratio)
    assert abs(float((reference.iwae_bound(w) - log_p).mean())) < 1e-2
    assert float((reference.iwae_bound(w, 1) - log_p).mean()) < -0.03


def test_nested_blocks_never_fall_for_any_numbers(reference):
    w = 5 * normal(64, 30).pow(3)
    bounds = torch.stack([reference.iwae_bound(w, size) for size in (1, 2, 4, 8, 16, 32, 64)])
    assert (bounds.diff(dim=0) > -1e-9).all()
    torch.testing.assert_close(bounds[0], w.mean(0))
    torch.testing.assert_close(bounds[-1], reference.iwae_bound(w))


def test_worked_numbers(reference):
    w = torch.tensor([[1.0], [3.0]]).log()
    assert float(reference.iwae_bound(w)) == pytest.approx(math.log(2))
    assert float(reference.iwae_bound(w, 1)) == pytest.approx(0.5493, abs=1e-4)
    assert [float(v) for v in reference.effective_draws(w)] == pytest.approx([1.6, 0.75])
    assert float(reference.expected_share(torch.tensor([2.0]))) == pytest.approx(0.866, abs=1e-3)
    assert float(reference.expected_share(torch.tensor([16.0, 16.0]))) == pytest.approx(0.12, abs=2e-3)


@pytest.mark.parametrize("r", [0.55, 0.6, 1.0, 2.0, 16.0])
def test_expected_share_by_quadrature(reference, r):
    z = torch.linspace(-60, 60, 400001, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(z), Normal(0.0, math.sqrt(r)).log_prob(z)
    second = float((2 * log_p - log_q).exp().sum() * (z[1] - z[0]))
    assert float(reference.expected_share(torch.tensor([r]).double())) == pytest.approx(1 / second, rel=1e-5)
    assert float(reference.expected_share(torch.tensor([r, 0.5]).double())) == 0


def test_expected_share_is_what_draws_show(reference):
    w, _ = linear(reference, 2.0, draws=4000)
    share = float(reference.effective_draws(w)[0].mean()) / 4000
    assert share == pytest.approx(float(reference.expected_share(torch.full((3,), 2.0))), rel=0.02)


def test_gradient_of_the_bound_weighs_the_draws(reference):
    w = normal(6, 3).requires_grad_()
    (slope,) = torch.autograd.grad(reference.iwae_bound(w).sum(), w)
    torch.testing.assert_close(slope, w.detach().softmax(0))
    assert torch.autograd.gradcheck(lambda w: reference.iwae_bound(w, 2), w)


def test_portions_and_wider_models(reference):
    model, x = Sine(2, 7), bits(3, 7)
    model.latent_dim = 2
    w = reference.drawn_log_weights(reference.Widened(model, 1.5), x, 120, torch.Generator().manual_seed(0))
    assert w.shape == (120, 3) and not w.requires_grad
    _, logvar = reference.Widened(model, 1.5).encode(x)
    torch.testing.assert_close(logvar - math.log(1.5), model.encode(x)[1])

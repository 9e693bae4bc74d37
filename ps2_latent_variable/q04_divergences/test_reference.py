"""Question 4 of problem set 2 against torch.distributions, SciPy, Gauss-Hermite quadrature and a fit."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize_scalar

WIDE = torch.float64
Normal = torch.distributions.Normal


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=WIDE)


def test_kl_against_the_library_and_finite_differences(reference):
    mean, logvar = draw(5, 3), draw(5, 3, seed=1)
    expected = torch.distributions.kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(reference.kl_standard_normal(mean, logvar), expected)
    torch.testing.assert_close(reference.kl_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))
    assert torch.autograd.gradcheck(reference.kl_standard_normal, (mean.requires_grad_(), logvar.requires_grad_()))


def test_kl_of_two_against_the_library(reference):
    q, p = (draw(5, 1, 3), draw(5, 1, 3, seed=1)), (draw(4, 3, seed=2), draw(4, 3, seed=3))
    expected = torch.distributions.kl_divergence(Normal(q[0], (q[1] / 2).exp()), Normal(p[0], (p[1] / 2).exp())).sum(-1)
    torch.testing.assert_close(reference.kl_gaussians(*q, *p), expected)
    torch.testing.assert_close(reference.kl_gaussians(*q, *q), torch.zeros(5, 1, dtype=WIDE))
    zeros = torch.zeros(3, dtype=WIDE)
    torch.testing.assert_close(reference.kl_gaussians(*q, zeros, zeros), reference.kl_standard_normal(*q))


def test_residual_normal_form(reference):
    """q = N(m + s·d, s²·e²) and p = N(m, s²): the KL depends on d and e only."""
    prior, residual = (draw(6, 3), draw(6, 3, seed=1)), (draw(6, 3, seed=2), draw(6, 3, seed=3))
    q = (prior[0] + (prior[1] / 2).exp() * residual[0], prior[1] + residual[1])
    expected = 0.5 * (residual[0].square() + residual[1].exp() - residual[1] - 1).sum(-1)
    torch.testing.assert_close(reference.kl_gaussians(*q, *prior), expected)


def test_numbers_of_the_text(reference):
    def one(*values):
        return [torch.tensor([value], dtype=WIDE) for value in values]

    assert reference.kl_standard_normal(*one(1.0, 0.0)).item() == pytest.approx(0.5)
    assert reference.kl_standard_normal(*one(0.0, math.log(4))).item() == pytest.approx(0.807, abs=5e-4)
    assert reference.kl_gaussians(*one(1.0, 0.0, 3.0, math.log(4))).item() == pytest.approx(0.818, abs=5e-4)
    assert reference.loss_in_nats(torch.zeros(1), 1e-3, 784)[0] == pytest.approx(0.392)


def test_monte_carlo_kl_equals_the_closed_form_by_quadrature(reference):
    mean, logvar = draw(4, 2), draw(4, 2, seed=1)
    points, weights = np.polynomial.hermite_e.hermegauss(12)
    points, weights = torch.tensor(points), torch.tensor(weights / math.sqrt(2 * math.pi))
    grid = torch.cartesian_prod(points, points)[:, None].expand(144, 4, 2)
    estimates = reference.kl_monte_carlo(mean, logvar, grid)
    found = torch.cartesian_prod(weights, weights).prod(1) @ estimates
    torch.testing.assert_close(found, reference.kl_standard_normal(mean, logvar), rtol=1e-10, atol=1e-10)
    pair = reference.kl_monte_carlo(mean, logvar, torch.stack([torch.ones_like(mean), -torch.ones_like(mean)])).mean(0)
    torch.testing.assert_close(pair, reference.kl_standard_normal(mean, logvar), rtol=1e-12, atol=1e-12)
    assert (estimates < 0).any()


@pytest.mark.parametrize("shape", [(), (3, 4), (2, 1, 1), (5, 1, 1, 1), (5, 2, 3, 4)])
def test_decoder_against_scipy(reference, shape):
    x, mean, logvar = draw(5, 2, 3, 4), draw(5, 2, 3, 4, seed=1), draw(*shape, seed=2)
    std = (logvar / 2).exp().expand_as(x)
    expected = stats.norm.logpdf(x.numpy(), mean.numpy(), std.numpy()).reshape(5, -1).sum(1)
    np.testing.assert_allclose(reference.gaussian_decoder_log_prob(x, mean, logvar).numpy(), expected, rtol=1e-12)


def test_best_single_variance_is_the_mean_squared_error(reference):
    x, mean = draw(4, 20), draw(4, 20, seed=1)
    found = minimize_scalar(lambda logvar: -float(reference.gaussian_decoder_log_prob(x, mean, torch.tensor(logvar, dtype=WIDE)).sum()))
    assert math.exp(found.x) == pytest.approx(float((x - mean).square().mean()), rel=1e-5)


@pytest.mark.parametrize(("beta", "pixels"), [(1e-3, 784), (1.0, 64), (0.2, 1)])
def test_hidden_variance_gives_the_same_negative_elbo(reference, beta, pixels):
    x, mean = draw(3, pixels), draw(3, pixels, seed=1)
    kl = reference.kl_standard_normal(draw(3, 2), draw(3, 2, seed=1))
    loss = (x - mean).square().mean(1) + beta * kl
    variance, nats = reference.loss_in_nats(loss, beta, pixels)
    direct = kl - reference.gaussian_decoder_log_prob(x, mean, torch.tensor(math.log(variance), dtype=WIDE))
    torch.testing.assert_close(nats, direct, rtol=1e-10, atol=1e-10)


def test_given_bernoulli_log_prob_sums_to_one(reference):
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=WIDE)] * 4)
    logits = 2 * draw(1, 4).expand_as(images)
    assert reference.bernoulli_log_prob(logits, images).exp().sum().item() == pytest.approx(1)
    assert reference.bernoulli_log_prob(torch.tensor([[1000.0]]), torch.zeros(1, 1)).item() == -1000

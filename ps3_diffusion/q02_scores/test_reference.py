"""Question 2 against autograd, torch.distributions, Bayes on a grid, quadrature, a quadratic that is solved, and the numbers of its text."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

WIDE = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=WIDE)


def hills(k=4, d=2):
    return torch.softmax(normal(k, seed=1), 0), 1.5 * normal(k, d, seed=2), 0.6


def mixture(weights, means, variance):
    return MixtureSameFamily(Categorical(weights), Independent(Normal(means, math.sqrt(variance)), 1))


def test_worked_numbers(reference):
    two, equal = torch.tensor([[-1.0], [1.0]], dtype=WIDE), torch.full((2,), 0.5, dtype=WIDE)
    x = torch.tensor([[0.5]], dtype=WIDE)
    assert float(reference.mixture_score(x, equal, two, 1.0)) == pytest.approx(-0.5 + math.tanh(0.5))
    assert 1 / (1 + math.exp(-2 * 0.5)) == pytest.approx(0.73, abs=2e-3)
    mean, cov = reference.tweedie(x, -x / 2, torch.full((1, 1, 1), -0.5, dtype=WIDE), 1.0)
    assert float(mean) == 0.25 and float(cov) == 0.5


@pytest.mark.parametrize("d", [1, 2, 5])
def test_log_prob_and_score_against_distributions(reference, d):
    weights, means, variance = hills(4, d)
    x = normal(9, d, seed=3).requires_grad_()
    log_p = mixture(weights, means, variance).log_prob(x)
    torch.testing.assert_close(reference.mixture_log_prob(x, weights, means, variance), log_p)
    (want,) = torch.autograd.grad(log_p.sum(), x)
    torch.testing.assert_close(reference.mixture_score(x, weights, means, variance), want)


def test_score_where_all_densities_are_zero(reference):
    weights, means = torch.tensor([0.3, 0.7]), torch.tensor([[0.0], [2.0]])
    x = torch.tensor([[500.0], [-500.0]])
    assert (reference.mixture_log_prob(x, weights, means, 1.0).exp() == 0).all()
    torch.testing.assert_close(reference.mixture_score(x, weights, means, 1.0), torch.tensor([[2.0 - 500], [500.0]]))


def test_given_jacobian_is_the_hessian_of_the_log_density(reference):
    weights, means, variance = hills()
    x = normal(5, 2, seed=4)
    found = reference.slopes_of(lambda x: reference.mixture_score(x, weights, means, variance), x)
    for point, jacobian in zip(x, found, strict=True):
        hessian = torch.autograd.functional.hessian(lambda p: reference.mixture_log_prob(p[None], weights, means, variance)[0], point)
        torch.testing.assert_close(jacobian, hessian)


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2.0])
def test_tweedie_against_bayes_on_a_grid(reference, sigma):
    weights, means, variance = hills(3, 2)
    side = torch.linspace(-9, 9, 401, dtype=WIDE)
    grid = torch.cartesian_prod(side, side)
    prior = mixture(weights, means, variance).log_prob(grid)
    x = normal(4, 2, seed=5)

    def score(x):
        return reference.mixture_score(x, weights, means, variance + sigma**2)

    mean, cov = reference.tweedie(x, score(x), reference.slopes_of(score, x), sigma)
    for n, point in enumerate(x):
        share = torch.softmax(prior - (grid - point).square().sum(1) / (2 * sigma**2), 0)
        there = share @ grid
        torch.testing.assert_close(mean[n], there, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(cov[n], (grid - there).T @ (share[:, None] * (grid - there)), rtol=1e-8, atol=1e-9)


def test_denoising_loss_of_the_exact_score_is_the_posterior_variance_by_quadrature(reference):
    """One dimension, data and noise on grids: (2.3) by sums, against Tweedie's variance by sums."""
    weights, means, variance = torch.tensor([0.4, 0.6], dtype=WIDE), torch.tensor([[-2.0], [1.5]], dtype=WIDE), 0.3
    x0, eps = torch.linspace(-6, 6, 241, dtype=WIDE), torch.linspace(-6, 6, 201, dtype=WIDE)
    mass0 = mixture(weights, means, variance).log_prob(x0[:, None]).softmax(0)
    mass = mass0[:, None] * Normal(0.0, 1.0).log_prob(eps).softmax(0)
    for sigma in (0.4, 1.0, 3.0):
        def score(x, s=None, sigma=sigma):
            return reference.mixture_score(x, weights, means, variance + sigma**2)

        pairs = torch.cartesian_prod(x0, eps)
        each = [
            reference.denoising_score_loss(score, pairs[:, :1], torch.full((len(pairs),), sigma, dtype=WIDE), pairs[:, 1:]),
            (sigma * score(pairs[:, :1] + sigma * pairs[:, 1:]) + pairs[:, 1:]).square().sum(1),
        ]
        assert float(each[0]) == pytest.approx(float(each[1].mean()))
        loss = float((mass.flatten() * each[1]).sum())
        x = pairs[:, :1] + sigma * pairs[:, 1:]
        cov = reference.tweedie(x, score(x), reference.slopes_of(score, x), sigma)[1].flatten()
        assert loss == pytest.approx(float((mass.flatten() * cov).sum()) / sigma**2, rel=1e-4)


def test_the_minimiser_for_gaussian_data_is_the_gaussian_score(reference):
    """A linear model's loss is quadratic in its parameters: its exact minimum is -(Σ + σ²I)^-1 (x - m)."""
    d, n, sigma = 3, 400_000, 0.8
    A, m = normal(d, d, seed=6), normal(d, seed=7)
    x0 = normal(n, d, seed=8) @ A.T + m
    eps = normal(n, d, seed=9)
    x = x0 + sigma * eps
    inputs = torch.cat([x, torch.ones(n, 1, dtype=WIDE)], 1)
    solution = torch.linalg.lstsq(sigma * inputs, -eps).solution
    precision = torch.linalg.inv(A @ A.T + sigma**2 * torch.eye(d, dtype=WIDE))
    torch.testing.assert_close(solution[:d], -precision, rtol=0, atol=1e-2)
    torch.testing.assert_close(solution[d], precision @ m, rtol=0, atol=1e-2)

    sigmas = torch.full((n,), sigma, dtype=WIDE)
    weights = solution.clone().requires_grad_()
    loss = reference.denoising_score_loss(lambda x, s: torch.cat([x, torch.ones(n, 1, dtype=WIDE)], 1) @ weights, x0, sigmas, eps)
    assert float(torch.autograd.grad(loss, weights)[0].abs().max()) < 1e-8
    exact = reference.denoising_score_loss(lambda x, s: (m - x) @ precision, x0, sigmas, eps)
    assert loss.item() == pytest.approx(float(exact), rel=1e-4)


def test_loss_lies_between_zero_and_the_dimension(reference):
    weights, means, variance = hills()
    g = torch.Generator().manual_seed(0)
    x0 = means[torch.multinomial(weights, 20_000, replacement=True, generator=g)] + math.sqrt(variance) * normal(20_000, 2, seed=1)
    eps = normal(20_000, 2, seed=2)
    for sigma in (1e-3, 0.1, 1.0, 10.0, 1e3):
        loss = float(reference.denoising_score_loss(lambda x, s: reference.mixture_score(x, weights, means, variance + float(s[0]) ** 2), x0, torch.full((20_000,), sigma, dtype=WIDE), eps))
        assert 0 <= loss < 2.05
    assert loss < 1e-4


def test_floor_at_one_half_as_in_the_text(reference):
    weights, variance = torch.tensor([0.15, 0.25, 0.6], dtype=WIDE), 0.25
    means = 4 * torch.tensor([[-1.0, -0.5], [1.0, -0.5], [0.0, 1.125]], dtype=WIDE)
    g = torch.Generator().manual_seed(0)
    x0 = means[torch.multinomial(weights, 100_000, replacement=True, generator=g)] + 0.5 * normal(100_000, 2)
    loss = reference.denoising_score_loss(
        lambda x, s: reference.mixture_score(x, weights, means, variance + 0.25), x0, torch.full((100_000,), 0.5, dtype=WIDE), normal(100_000, 2, seed=1)
    )
    assert float(loss) == pytest.approx(1, abs=0.02)  # hills far apart: 2 v σ² / (v + σ²) / σ²


def test_annealed_langevin_is_langevin_level_by_level(reference):
    x, noise, sigmas = normal(5, 2), normal(3, 4, 5, 2, seed=1), torch.tensor([2.0, 0.9, 0.3], dtype=WIDE)

    def score(x, sigma):
        return -x / (1 + sigma**2)

    path = reference.annealed_langevin(score, x, sigmas, 0.3, noise)
    here = x
    for level in range(3):
        for kick in noise[level]:
            eta = 0.3 * sigmas[level] ** 2
            here = here + eta / 2 * score(here, sigmas[level]) + eta.sqrt() * kick
        torch.testing.assert_close(path[level + 1], here)
    torch.testing.assert_close(path[0], x)


def test_the_ladder_finds_the_weights_and_plain_langevin_does_not(reference):
    weights, means = torch.tensor([0.15, 0.25, 0.6]), 4 * torch.tensor([[-1.0, -0.5], [1.0, -0.5], [0.0, 1.125]])

    def score(x, sigma):
        return reference.mixture_score(x, weights, means, 0.25 + float(sigma) ** 2)

    g = torch.Generator().manual_seed(0)
    start, noise = 8 * torch.randn(1000, 2, generator=g), torch.randn(12, 40, 1000, 2, generator=g)
    plain = reference.langevin(lambda x: score(x, 0.1), start, 0.05, noise.flatten(0, 1))[-1]
    ladder = reference.annealed_langevin(score, start, torch.logspace(math.log10(8), -1, 12), 0.2, noise)[-1]
    top = [float((torch.cdist(x, means).argmin(1) == 2).double().mean()) for x in (plain, ladder)]
    assert top[0] == pytest.approx(0.33, abs=0.05) and top[1] == pytest.approx(0.57, abs=0.05)

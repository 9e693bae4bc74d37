"""Question 2 of problem set 1 against torch.distributions, SciPy, NumPy, scikit-learn and autograd."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.covariance import EmpiricalCovariance
from torch.distributions import MultivariateNormal, kl_divergence


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def spd(dim: int, seed: int) -> torch.Tensor:
    a = randn(dim, dim, seed=seed)
    return a @ a.T + 0.3 * torch.eye(dim, dtype=torch.float64)


@pytest.mark.parametrize("dim", [1, 2, 5, 40])
def test_density(reference, dim):
    mean, cov, x = randn(dim, seed=0), spd(dim, 1), randn(6, dim, seed=2)
    torch.testing.assert_close(reference.mvn_log_prob(x, mean, cov), MultivariateNormal(mean, cov).log_prob(x))
    expected = np.atleast_1d(stats.multivariate_normal(mean.numpy(), cov.numpy()).logpdf(x.numpy()))
    np.testing.assert_allclose(reference.mvn_log_prob(x, mean, cov).numpy(), expected, rtol=1e-8)


def test_density_shapes_and_gradients(reference):
    mean, cov, x = randn(3, seed=0), spd(3, 1), randn(2, 4, 3, seed=2)
    assert reference.mvn_log_prob(x, mean, cov).shape == (2, 4)
    assert reference.mvn_log_prob(x[0, 0], mean, cov).shape == ()
    factor = torch.linalg.cholesky(cov)
    arguments = [t.clone().requires_grad_(True) for t in (x, mean, factor)]
    assert torch.autograd.gradcheck(lambda x, m, f: reference.mvn_log_prob(x, m, f @ f.T), arguments)


def test_density_of_an_affine_map(reference):
    """p(Ax + b) = p(x) / |det A|."""
    mean, cov, x, a, b = randn(4, seed=0), spd(4, 1), randn(5, 4, seed=2), randn(4, 4, seed=3), randn(4, seed=4)
    moved = reference.mvn_log_prob(x @ a.T + b, a @ mean + b, a @ cov @ a.T)
    torch.testing.assert_close(moved, reference.mvn_log_prob(x, mean, cov) - torch.linalg.slogdet(a).logabsdet)


def test_density_is_finite_where_the_determinant_is_not(reference):
    for scale in (1e-3, 1e3):
        cov = scale * torch.eye(64)
        value = reference.mvn_log_prob(torch.zeros(64), torch.zeros(64), cov).item()
        assert value == pytest.approx(-32 * math.log(2 * math.pi * scale), rel=1e-5)


def test_density_integrates_to_one(reference):
    axis = torch.linspace(-9, 9, 361, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    cov = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)
    total = reference.mvn_log_prob(grid, torch.tensor([0.3, -0.5], dtype=torch.float64), cov).exp().sum() * 0.05**2
    assert total.item() == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("dim", [1, 3])
def test_fit(reference, dim):
    x = randn(20, dim, seed=0) @ spd(dim, 1)
    mean, cov = reference.fit_gaussian(x)
    assert cov.shape == (dim, dim)
    other = EmpiricalCovariance().fit(x.numpy())
    np.testing.assert_allclose(mean.numpy(), other.location_)
    np.testing.assert_allclose(cov.numpy(), other.covariance_)
    weights = torch.rand(20, generator=generator(5), dtype=torch.float64)
    mean, cov = reference.fit_gaussian(x, weights)
    np.testing.assert_allclose(mean.numpy(), np.average(x.numpy(), axis=0, weights=weights.numpy()))
    np.testing.assert_allclose(cov.numpy(), np.cov(x.numpy().T, ddof=0, aweights=weights.numpy()).reshape(dim, dim))


def test_fit_with_integer_weights_repeats_and_padding_vanishes(reference):
    x = randn(6, 2, seed=0)
    counts = torch.tensor([1, 2, 0, 3, 1, 0])
    expected = reference.fit_gaussian(x.repeat_interleave(counts, 0))
    for got, want in zip(reference.fit_gaussian(x, counts.double()), expected, strict=True):
        torch.testing.assert_close(got, want)


def test_gradient_of_the_likelihood_is_zero_at_the_fit(reference):
    x = randn(30, 3, seed=0)
    mean, cov = (t.clone().requires_grad_(True) for t in reference.fit_gaussian(x))
    grads = torch.autograd.grad(reference.mvn_log_prob(x, mean, cov).mean(), (mean, cov))
    for grad in grads:
        assert grad.abs().max() < 1e-12
    best = reference.mvn_log_prob(x, mean, cov).mean().item()
    for seed in range(20):  # and no neighbour is better
        factor = torch.linalg.cholesky(cov.detach()) + 0.05 * torch.tril(randn(3, 3, seed=seed))
        other_mean = mean.detach() + 0.05 * randn(3, seed=seed + 100)
        assert reference.mvn_log_prob(x, other_mean, factor @ factor.T).mean().item() < best


def test_fit_far_from_zero_in_float32(reference):
    x = randn(50, 3, seed=0) + 1000
    torch.testing.assert_close(reference.fit_gaussian(x.float())[1].double(), reference.fit_gaussian(x)[1], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("dim", [1, 4])
def test_entropy_and_kl(reference, dim):
    mean_p, cov_p, mean_q, cov_q = randn(dim, seed=0), spd(dim, 1), randn(dim, seed=2), spd(dim, 3)
    p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
    torch.testing.assert_close(reference.gaussian_entropy(cov_p), p.entropy())
    torch.testing.assert_close(reference.gaussian_kl(mean_p, cov_p, mean_q, cov_q), kl_divergence(p, q))
    assert abs(reference.gaussian_kl(mean_p, cov_p, mean_p, cov_p).item()) < 1e-12


def test_kl_of_shifted_gaussians(reference):
    d, variance = randn(3, seed=0), 1e-2
    cov = variance * torch.eye(3, dtype=torch.float64)
    expected = (d @ d).item() / (2 * variance)
    assert reference.gaussian_kl(torch.zeros(3, dtype=torch.float64), cov, d, cov).item() == pytest.approx(expected)


def test_cross_entropy_identity(reference):
    """Average NLL of any Gaussian = entropy of the fitted one + KL(fitted || it): equation (10)."""
    x = randn(25, 3, seed=0)
    mean, cov = reference.fit_gaussian(x)
    other = randn(3, seed=1), spd(3, 2)
    nll = -reference.mvn_log_prob(x, *other).mean()
    torch.testing.assert_close(nll, reference.gaussian_entropy(cov) + reference.gaussian_kl(mean, cov, *other))


def test_monte_carlo_is_unbiased_within_five_standard_errors(reference):
    for seed in range(5):
        p, q = (randn(3, seed=seed), spd(3, seed + 10)), (randn(3, seed=seed + 20), spd(3, seed + 30))
        estimate, error = reference.kl_monte_carlo(*p, *q, randn(20_000, 3, seed=seed + 40))
        assert abs(estimate - reference.gaussian_kl(*p, *q)) < 5 * error
        assert error < 0.1 * reference.gaussian_kl(*p, *q)


def test_standard_error_is_the_spread_of_the_estimate(reference):
    p, q = (randn(2, seed=0), spd(2, 1)), (randn(2, seed=2), spd(2, 3))
    runs = [reference.kl_monte_carlo(*p, *q, randn(200, 2, seed=seed)) for seed in range(400)]
    spread = torch.stack([estimate for estimate, _ in runs]).std()
    typical = torch.stack([error for _, error in runs]).square().mean().sqrt()
    assert 0.85 < (spread / typical).item() < 1.15

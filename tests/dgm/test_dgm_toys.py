"""Two-dimensional densities, levels, minibatches."""

import math

import numpy as np
import pytest
import torch

import dgm
from dgm.data import densities
from dgm.data.levels import LEVELS


def grid(m=700, limit=7.0):
    axis = (torch.arange(m, dtype=torch.float64) + 0.5) / m * 2 * limit - limit
    return torch.cartesian_prod(axis, axis), (2 * limit / m) ** 2


ENTROPIES = (2.427, 2.327, 2.508, 2.829, 2.162, 2.742, 2.321, 3.466)


@pytest.mark.parametrize("name, documented", list(zip(dgm.data.TOY2D, ENTROPIES)))
def test_density_integrates_to_one_and_has_the_moments_and_entropy_of_its_samples(name, documented):
    points, area = grid(280)
    log_p = dgm.data.toy2d_log_prob(name, points)
    p = log_p.exp() * area
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)
    n = 20000
    x = dgm.data.toy2d(name, n, seed=1).double()
    assert x.shape == (n, 2) and (x.abs() <= dgm.data.TOY2D_LIMIT).all(1).float().mean() > 0.99
    mean = (p[:, None] * points).sum(0)
    second = (points.T * p) @ points
    assert (x.mean(0) - mean).abs().max() < 5 * float(x.std()) / math.sqrt(n)
    assert (x.T @ x / n - second).abs().max() < 5 * float((x**2).std()) / math.sqrt(n) + 1e-3
    entropy = -float((p * torch.where(p > 0, log_p, 0.0)).sum())
    assert entropy == pytest.approx(documented, abs=6e-4) and f"{documented:.3f}" in dgm.data.toy2d.__doc__
    surprise = -dgm.data.toy2d_log_prob(name, x)
    spread = float(surprise.std()) / math.sqrt(n)
    assert float(surprise.mean()) == pytest.approx(entropy, abs=5 * spread + 1e-5)


@pytest.mark.parametrize("name", ["moons", "spiral", "pinwheel", "rings"])
def test_samples_fill_the_density_cell_by_cell(name):
    """Chi-square over cells of 0.5, which a wrong density with right moments would fail."""
    points, area = grid(256, limit=8.0)
    n = 20000
    mass = (dgm.data.toy2d_log_prob(name, points).exp() * area).reshape(32, 8, 32, 8).sum((1, 3)).flatten()
    x = dgm.data.toy2d(name, n, seed=2)
    cell = ((x + 8) / 0.5).long().clamp(0, 31)
    counts = (cell[:, 0] * 32 + cell[:, 1]).bincount(minlength=1024)
    used = mass * n >= 5
    chi2 = float(((counts - n * mass).square() / (n * mass))[used].sum())
    k = int(used.sum())
    assert chi2 < k + 5 * math.sqrt(2 * k)  # five standard deviations


@pytest.mark.parametrize("name", ["moons", "spiral"])
def test_the_quadrature_is_fine_enough(name):
    x = dgm.data.toy2d(name, 500).double()
    fine = getattr(densities, f"_{name}")(nodes=500).log_prob(x)
    assert (dgm.data.toy2d_log_prob(name, x) - fine).abs().max() < 1e-4


@pytest.mark.parametrize("name", dgm.data.TOY2D)
def test_determinism_dtype_and_shapes(name):
    x = dgm.data.toy2d(name, 50, seed=4)
    assert x.dtype == torch.float32 and torch.equal(x, dgm.data.toy2d(name, 50, generator=dgm.generator(4)))
    assert not torch.equal(x, dgm.data.toy2d(name, 50, seed=5))
    assert dgm.data.toy2d(name, 0).shape == (0, 2)
    log_p = dgm.data.toy2d_log_prob(name, x)
    assert log_p.dtype == torch.float32 and log_p.shape == (50,) and log_p.isfinite().all()
    assert torch.allclose(dgm.data.toy2d_log_prob(name, x.reshape(5, 10, 2)), log_p.reshape(5, 10))
    assert dgm.data.toy2d_log_prob(name, torch.zeros(0, 3, 2)).shape == (0, 3)
    assert not dgm.data.toy2d_log_prob(name, torch.zeros(1, 2)).isnan().any()


@pytest.mark.parametrize("name", [n for n in dgm.data.TOY2D if n != "checkerboard"])
def test_log_density_is_differentiable(name):
    x = dgm.data.toy2d(name, 6).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: dgm.data.toy2d_log_prob(name, v), (x,))


def test_more_points_than_a_chunk():
    x = dgm.data.toy2d("moons", 9000)
    assert torch.equal(dgm.data.toy2d_log_prob("moons", x)[5000:], dgm.data.toy2d_log_prob("moons", x[5000:]))


def test_rotated_gaussian_against_torch():
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    rotation = torch.tensor([[c, -s], [s, c]])
    covariance = rotation @ torch.diag(torch.tensor([1.5, 0.4]) ** 2) @ rotation.T
    x = dgm.data.toy2d("rotated_gaussian", 100)
    expected = torch.distributions.MultivariateNormal(torch.zeros(2), covariance).log_prob(x)
    assert torch.allclose(dgm.data.toy2d_log_prob("rotated_gaussian", x), expected, atol=1e-5)


def test_checkerboard_is_minus_infinity_outside():
    x = torch.tensor([[-3.0, -3.0], [-1.0, -3.0], [9.0, 9.0]])
    assert dgm.data.toy2d_log_prob("checkerboard", x).tolist() == pytest.approx([-math.log(32), -math.inf, -math.inf])


def test_toy_errors():
    with pytest.raises(ValueError, match=r"'moon'.*moons"):
        dgm.data.toy2d("moon", 3)
    with pytest.raises(ValueError, match=r"\(\.\.\., 2\)"):
        dgm.data.toy2d_log_prob("moons", torch.zeros(3))


# --- levels --------------------------------------------------------------------------------------------------


def histogram_nll(smoothing):
    train, test = (dgm.data.truncated_gaussian_levels(s) for s in ("train", "test"))
    counts = torch.bincount(train, minlength=LEVELS).double() + smoothing
    return -float((counts / counts.sum()).log()[test].mean())


def test_levels_reproduce_the_documented_numbers():
    train, test = (dgm.data.truncated_gaussian_levels(s) for s in ("train", "test"))
    assert train.shape == (800,) and test.shape == (200,) and train.dtype == test.dtype == torch.int64
    assert train.min() == 0 and train.max() < LEVELS
    p = dgm.data.truncated_gaussian_probs()
    assert p.shape == (LEVELS,) and float(p.sum()) == pytest.approx(1)
    numbers = [histogram_nll(0), histogram_nll(0.5), histogram_nll(1), -p.log()[test].mean(), -(p * p.log()).sum()]
    assert [round(float(v), 4) for v in numbers] == [2.5432, 2.5422, 2.5425, 2.5397, 2.4897]


def test_levels_of_many_seeds_follow_the_true_probabilities():
    draws = torch.cat([dgm.data.truncated_gaussian_levels(s, seed=k) for k in range(100) for s in ("train", "test")])
    expected = dgm.data.truncated_gaussian_probs() * len(draws)
    counts = torch.bincount(draws, minlength=LEVELS)
    used = expected > 5
    chi2 = float(((counts - expected).square() / expected)[used].sum())
    assert draws.max() <= 19 and chi2 < 60  # 17 degrees of freedom or so: a chance below 1e-5
    with pytest.raises(ValueError, match="unknown split"):
        dgm.data.truncated_gaussian_levels("val")


# --- minibatches ---------------------------------------------------------------------------------------------


def test_one_pass_holds_every_item_once():
    x = torch.arange(10)
    parts = list(dgm.data.batches(x, 4, dgm.generator(0)))
    assert [len(p) for p in parts] == [4, 4, 2]
    assert sorted(torch.cat(parts).tolist()) == list(range(10)) and torch.cat(parts).tolist() != list(range(10))
    assert [len(p) for p in dgm.data.batches(x, 4, dgm.generator(0), drop_last=True)] == [4, 4]
    assert torch.equal(torch.cat(list(dgm.data.batches(x, 3, None))), x)


def test_tensors_are_shuffled_together_and_reproducibly():
    x, y = torch.arange(9), torch.arange(9) * 10
    first = list(dgm.data.batches((x, y), 2, dgm.generator(1)))
    assert all(torch.equal(a * 10, b) for a, b in first)
    again = list(dgm.data.batches((x, y), 2, dgm.generator(1)))
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(first, again))


def test_steps_runs_over_as_many_passes_as_needed():
    x = torch.arange(10)
    parts = list(dgm.data.batches(x, 4, dgm.generator(0), drop_last=True, steps=7))
    assert [len(p) for p in parts] == [4] * 7
    once = list(dgm.data.batches(x, 5, dgm.generator(0), steps=4))
    assert sorted(torch.cat(once[:2]).tolist()) == sorted(torch.cat(once[2:]).tolist()) == list(range(10))
    assert not torch.equal(torch.cat(once[:2]), torch.cat(once[2:]))  # a new order each pass
    assert list(dgm.data.batches(x, 5, None, steps=0)) == []


def test_no_pass_is_begun_that_is_not_needed():
    """A loop of one's own that draws an order for each pass leaves its generator in the same state."""
    generator, own = dgm.generator(0), dgm.generator(0)
    list(dgm.data.batches(torch.arange(10), 5, generator, steps=4))
    for _ in range(2):
        torch.randperm(10, generator=own)
    assert torch.equal(generator.get_state(), own.get_state())


def test_batch_errors_come_at_once():
    with pytest.raises(ValueError, match="different lengths"):
        dgm.data.batches((torch.zeros(3), torch.zeros(4)), 2, None)
    with pytest.raises(ValueError, match="batch_size"):
        dgm.data.batches(torch.zeros(3), 0, None)
    with pytest.raises(ValueError, match="no batch"):
        dgm.data.batches(torch.zeros(3), 4, None, drop_last=True)
    assert np.isclose(float(next(iter(dgm.data.batches(torch.ones(3), 8, None))).sum()), 3)

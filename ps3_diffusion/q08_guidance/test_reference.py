"""Question 8 against autograd, quadrature, Langevin's target and closed forms; the numbers of its text."""

import itertools
import math

import pytest
import torch
from scipy import integrate


@pytest.fixture
def world(reference):
    return reference.TwoClasses(reference.cosine_alpha_bar(1000))


def walked(reference, model, x, times, levels):
    """DDIM in small steps."""
    for t, s in itertools.pairwise(times):
        x = reference.ddim_step(x, model(x, torch.full((len(x),), int(t))), int(t), int(s), levels, 0.0, 0 * x)
    return x


def test_share_of_dropped_labels(reference):
    y, u = torch.randint(10, (40_000,)), torch.rand(40_000)
    dropped = reference.drop_labels(y, u, 0.1, 10)
    assert (dropped == 10).double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(dropped[dropped != 10], y[u >= 0.1])


def test_examples_of_the_text(reference):
    assert reference.guide(torch.tensor([0.5]), torch.tensor([0.2]), 3.0).item() == pytest.approx(1.1)
    found = reference.guided_spreads(torch.tensor(0.5), 2.0)
    torch.testing.assert_close(torch.stack(found), torch.tensor([0.378, 0.25]), atol=5e-4, rtol=0)


def test_two_conventions(reference):
    cond, uncond = torch.randn(2, 3, 4, dtype=torch.float64)
    for g in (0.0, 0.5, 4.0):
        torch.testing.assert_close(reference.guide(cond, uncond, 1 + g), (1 + g) * cond - g * uncond)
    torch.testing.assert_close(reference.guide(cond, uncond, 0), uncond)
    torch.testing.assert_close(reference.guide(cond, uncond, 1), cond)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_perfect_network_is_the_score(world, label):
    """eps = -sqrt(1 - level) times the gradient of the log-density, by autograd."""
    x, t = torch.randn(6, 1).requires_grad_(), torch.tensor([1, 100, 300, 500, 800, 990])
    level = world.alpha_bar[t][:, None]
    each = torch.distributions.Normal(level.sqrt() * world.means, (level / 4 + 1 - level).sqrt()).log_prob(x)
    log_prob = each.logsumexp(1) if label == 2 else each[:, label]
    score = torch.autograd.grad(log_prob.sum(), x)[0]
    torch.testing.assert_close(world(x, t, torch.full((6,), label)), -(1 - level).sqrt() * score, rtol=1e-4, atol=1e-5)


def test_both_forms_of_guidance_agree(reference, world):
    x, t, y = torch.randn(50, 1), torch.randint(1, 1001, (50,)), torch.randint(2, (50,))
    free = reference.guided(world, y, 3.0, 2)(x, t)
    none = world(x, t, torch.full_like(y, 2))
    torch.testing.assert_close(reference.classifier_guidance(none, world.logits, x, t, y, 3.0, world.alpha_bar), free, rtol=1e-4, atol=1e-5)


def test_interval_is_plain_outside(reference, world):
    x, t, y = torch.randn(4, 1), torch.tensor([199, 200, 300, 301]), torch.tensor([0, 1, 1, 0])
    found, inside = reference.guided(world, y, 3.0, 2, (200, 300))(x, t), torch.tensor([[False], [True], [True], [False]])
    expected = torch.where(inside, reference.guided(world, y, 3.0, 2)(x, t), world(x, t, y))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("w", [0.5, 2.0, 3.0])
@pytest.mark.parametrize("s", [0.3, 0.7])
def test_spreads_by_quadrature_and_by_solver(reference, s, w):
    def density(x, m=0.4):
        return math.exp((1 - w) * -(x**2) / 2 + w * -((x - m) ** 2) / (2 * s**2))

    total, first, second = (integrate.quad(lambda x, k=k: x**k * density(x), -12, 12, points=[0.4])[0] for k in range(3))
    tilted, samples = (float(each) for each in reference.guided_spreads(torch.tensor(s, dtype=torch.float64), w))
    assert tilted == pytest.approx(math.sqrt(second / total - (first / total) ** 2), rel=1e-5)

    def slope(log_sigma, z, m=0.4):
        square = math.exp(2 * log_sigma)
        return square * (w * (z - m) / (s**2 + square) + (1 - w) * z / (1 + square))

    far, ends = 1e4, []
    for start in (-1.0, 1.0):
        found = integrate.solve_ivp(slope, (math.log(far), math.log(1e-5)), [start * far], rtol=1e-10, atol=1e-12)
        ends.append(found.y[0, -1])
    assert samples == pytest.approx((ends[1] - ends[0]) / 2, rel=1e-4)


def test_two_gaussian_classes(reference, world):
    """The plan's numbers: guided 1.52 and 0.32, tilted 1.05 and 0.46; evenly spaced quantiles take the place of draws."""
    def tilted(x):
        left, right = (math.exp(-2 * (x - m) ** 2) for m in (-1, 1))
        return (left + right) * (right / (left + right)) ** 3

    total, first, second = (integrate.quad(lambda x, k=k: x**k * tilted(x), -5, 7)[0] for k in range(3))
    assert first / total == pytest.approx(1.051, abs=1e-3)
    assert math.sqrt(second / total - (first / total) ** 2) == pytest.approx(0.457, abs=1e-3)
    x = math.sqrt(2) * torch.erfinv(2 * (torch.arange(801) + 0.5) / 801 - 1)[:, None]
    y, times = torch.ones(801, dtype=torch.long), range(1000, -1, -1)
    for interval, mean, std in (((0, 1000), 1.525, 0.315), ((0, 300), 1.051, 0.428), ((701, 1000), 1.394, 0.408)):
        found = walked(reference, reference.guided(world, y, 3.0, 2, interval), x, times, world.alpha_bar)
        assert found.mean().item() == pytest.approx(mean, abs=6e-3)
        assert found.std().item() == pytest.approx(std, abs=6e-3)


def test_first_guess_is_three(reference, world):
    x, t, y = torch.randn(5, 1), torch.full((5,), 990), torch.ones(5, dtype=torch.long)
    eps = reference.guided(world, y, 3.0, 2)(x, t)
    level = world.alpha_bar[990]
    torch.testing.assert_close(((x - (1 - level).sqrt() * eps) / level.sqrt()).mean(), torch.tensor(3.0), atol=0.15, rtol=0)

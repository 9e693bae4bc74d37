"""Question 10 against Bayes' rule, autograd, sampling, unfolded patches and enumeration."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn import functional as F

DOUBLE = torch.float64


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def number(value):
    return torch.tensor(value, dtype=DOUBLE)


@pytest.mark.parametrize("a", [0.05, 0.5, 0.95])
def test_the_best_denoiser_follows_from_the_score_of_the_mixture(reference, a):
    """Tweedie: x_0 = (x_t + (1 - a) score)/sqrt(a), with the score by autograd through torch.distributions."""
    x, images, a = random(5, 6), random(4, 6, seed=1), number(a)
    mixture = MixtureSameFamily(Categorical(torch.ones(4, dtype=DOUBLE)), Independent(Normal(a.sqrt() * images, (1 - a).sqrt()), 1))
    leaf = x.clone().requires_grad_()
    (score,) = torch.autograd.grad(mixture.log_prob(leaf).sum(), leaf)
    pictures, weights = reference.optimal_denoiser(x, a, images)
    torch.testing.assert_close(pictures, (x + (1 - a) * score) / a.sqrt())
    torch.testing.assert_close(weights.sum(1), torch.ones(5, dtype=DOUBLE))


def test_the_worked_numbers(reference):
    pictures, weights = reference.optimal_denoiser(torch.tensor([[0.5]]), torch.tensor(0.5), torch.tensor([[1.0], [-1.0]]))
    assert weights[0].tolist() == pytest.approx([0.80, 0.20], abs=0.005)
    assert float(pictures) == pytest.approx(0.61, abs=0.005)
    assert float(reference.decision_level(torch.tensor(100.0), 600)) == pytest.approx(0.113, abs=0.0005)


def test_no_other_weights_have_a_smaller_squared_error(reference):
    """Pairs (picture, x_t) are drawn; the error of the best denoiser is below that at other noise levels and scales."""
    images, a = random(6, 4), number(0.4)
    pick = torch.randint(6, (20000,), generator=torch.Generator().manual_seed(2))
    x_t = a.sqrt() * images[pick] + (1 - a).sqrt() * random(20000, 4, seed=3)

    def error(pictures):
        return float((pictures - images[pick]).square().sum(1).mean())

    best = error(reference.optimal_denoiser(x_t, a, images)[0])
    for other in (0.2, 0.3, 0.5, 0.6):
        assert best < error(reference.optimal_denoiser(x_t, number(other), images)[0])
    assert best < error(0.95 * reference.optimal_denoiser(x_t, a, images)[0])


@pytest.mark.parametrize("odds", [2.0, 30.0, 600.0])
def test_the_mean_log_odds_at_the_level_are_the_log_of_the_odds(reference, odds):
    a, b = random(2, 7)
    level = reference.decision_level((a - b).square().sum(), odds)
    x_t = level.sqrt() * a + (1 - level).sqrt() * random(200_000, 7, seed=1)
    weights = reference.optimal_denoiser(x_t, level, torch.stack([a, b]))[1]
    log_odds = (weights[:, 0] / weights[:, 1]).log()
    error = float(log_odds.std()) / math.sqrt(len(log_odds))
    assert abs(float(log_odds.mean()) - math.log(odds)) < 5 * error


@pytest.mark.parametrize("size", [1, 3, 5])
def test_windows_are_unfolded_patches(reference, size):
    x, images, a = random(3, 1, 6, 5), random(8, 1, 6, 5, seed=1), number(0.4)
    mine, theirs = F.unfold(x, size, padding=size // 2), F.unfold(images, size, padding=size // 2)
    square = (mine[:, None] - a.sqrt() * theirs).square().sum(2)
    weights = torch.softmax(-square / (2 * (1 - a)), 1)
    expected = torch.einsum("nml,ml->nl", weights, images.flatten(1)).reshape(x.shape)
    torch.testing.assert_close(reference.local_denoiser(x, a, images, size), expected)


def test_a_window_that_sees_everything_is_the_best_denoiser(reference):
    x, images, a = random(3, 2, 4, 5), random(6, 2, 4, 5, seed=1), number(0.3)
    torch.testing.assert_close(reference.local_denoiser(x, a, images, 9), reference.optimal_denoiser(x, a, images)[0])


def test_a_pixel_does_not_depend_on_what_is_outside_its_window(reference):
    x, images, a = random(1, 1, 7, 7), random(6, 1, 7, 7, seed=1), number(0.5)
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(reference.local_denoiser(leaf, a, images, 3)[0, 0, 3, 2], leaf)
    seen = torch.zeros(7, 7, dtype=torch.bool)
    seen[2:5, 1:4] = True
    assert bool((slope[0, 0][~seen] == 0).all())
    assert bool((slope[0, 0][seen] != 0).all())


def test_ddim_with_the_best_denoiser_copies_and_with_windows_does_not(reference):
    images = torch.where(random(30, 1, 6, 6) > 0, 1.0, -1.0).to(torch.float32)
    alpha_bar = reference.cosine_alpha_bar(100)
    torch.manual_seed(0)
    found = {}
    for size in (11, 3):
        x = torch.randn(12, 1, 6, 6)
        denoise = reference.WindowDenoiser(images, (size,), alpha_bar)
        for t in range(100, 0, -4):
            s = t - 4
            eps = denoise(x, torch.full((12,), t))
            clean = (x - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
            x = alpha_bar[s].sqrt() * clean + (1 - alpha_bar[s]).sqrt() * eps
        found[size] = reference.nearest(x, images)
    assert bool(found[11][1].all())
    assert float(found[11][0].max()) < 0.05
    assert float(found[3][0].mean()) > 2
    assert int(found[3][1].sum()) <= 2


def test_nearest_by_enumeration(reference):
    images, samples = random(9, 1, 3, 3), random(6, 1, 3, 3, seed=1)
    samples[:3] = images[[2, 5, 7]] + 0.1 * samples[:3]
    distance, copied = reference.nearest(samples, images, 0.4)
    for n, sample in enumerate(samples):
        ordered = sorted(math.sqrt(float((sample - image).square().sum())) for image in images)
        assert float(distance[n]) == pytest.approx(ordered[0])
        assert bool(copied[n]) == (ordered[0] < 0.4 * ordered[1])

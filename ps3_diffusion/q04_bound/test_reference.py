"""Question 4 against KL divergences of torch.distributions, closed forms, quadrature and enumeration."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

WIDE = torch.float64


def test_the_rows_are_the_kl_divergences_of_the_bound(reference):
    """With Question 3's posterior, and the guess of x0 in place of x0."""
    generator = torch.Generator().manual_seed(0)
    alpha_bar = reference.cosine_alpha_bar(6).double()
    x0, eps = torch.randn(4, 3, generator=generator, dtype=WIDE), torch.randn(7, 4, 3, generator=generator, dtype=WIDE)

    def model(x_t, t):
        return torch.tanh(x_t) + 0.1 * t[:, None]

    rows = reference.bound_terms(model, x0, alpha_bar, eps)
    last = Normal(alpha_bar[-1].sqrt() * x0, (1 - alpha_bar[-1]).sqrt())
    torch.testing.assert_close(rows[0], kl_divergence(last, Normal(torch.zeros_like(x0), 1.0)).sum(1), rtol=1e-6, atol=1e-9)
    for t in range(1, 7):
        when = torch.full((4,), t)
        x_t = reference.q_sample(x0, when, eps[t], alpha_bar)
        guess = reference.convert(model(x_t, when), "eps", x_t, alpha_bar[t])["x0"]
        if t == 1:
            expected = -Normal(guess, (1 - alpha_bar[1]).sqrt()).log_prob(x0).sum(1)
        else:
            right, variance = reference.posterior(x_t, x0, when, alpha_bar)
            wrong, _ = reference.posterior(x_t, guess, when, alpha_bar)
            expected = kl_divergence(Normal(right, variance.sqrt()), Normal(wrong, variance.sqrt())).sum(1)
        torch.testing.assert_close(rows[t], expected)


def gap(reference, alpha_bar):
    """Of a standard normal number and the best denoiser, whose mean squared error of eps is alpha_bar; in closed form."""
    weights = reference.bound_weights(alpha_bar)
    bound = (weights[1:] * alpha_bar[1:]).sum() + 0.5 * torch.log(2 * math.pi * (1 - alpha_bar[1])) - 0.5 * torch.log1p(-alpha_bar[-1])
    return float(bound) - 0.5 * math.log(2 * math.pi) - 0.5


@pytest.mark.parametrize(("schedule", "T", "expected"), [
    ("linear", 100, 1.35), ("linear", 1000, 0.46), ("cosine", 100, 0.78), ("cosine", 1000, 0.41), ("even", 100, 0.46), ("even", 1000, 0.04),
])
def test_the_gaps_of_the_text(reference, schedule, T, expected):
    """Float32 schedules of many steps lose digits, so these are compared with two."""
    assert gap(reference, getattr(reference, f"{schedule}_alpha_bar")(T).double()) == pytest.approx(expected, abs=0.012)


def test_the_gap_of_the_linear_schedule_does_not_vanish(reference):
    for T, expected in ((10_000, 0.317), (100_000, 0.2925)):
        beta = torch.linspace(1e-4, 0.02, T, dtype=WIDE) * 1000 / T
        alpha_bar = torch.cat([torch.ones(1, dtype=WIDE), (1 - beta).cumprod(0)])
        assert gap(reference, alpha_bar) == pytest.approx(expected, abs=0.004)
    t = torch.arange(2, 100_001, dtype=WIDE)
    r = t / (t - 1)
    assert float((r - 1 - r.log()).sum()) / 2 == pytest.approx(0.2886, abs=1e-3)


def test_the_bound_of_a_gaussian_is_above_the_likelihood_and_the_exact_model_is_exact(reference):
    generator = torch.Generator().manual_seed(1)
    alpha_bar = reference.even_alpha_bar(60).double()
    model = reference.exact_noise(torch.zeros(1, dtype=WIDE), torch.eye(1, dtype=WIDE), alpha_bar)
    x0 = torch.randn(3000, 1, generator=generator, dtype=WIDE)
    t = torch.full((3000,), 30)
    eps = torch.randn(3000, 1, generator=generator, dtype=WIDE)
    found = reference.eps_loss(model, x0, t, eps, alpha_bar)
    assert float(found.mean()) == pytest.approx(float(alpha_bar[30]), rel=0.15)
    rows = reference.bound_terms(model, x0, alpha_bar, torch.randn(61, 3000, 1, generator=generator, dtype=WIDE))
    assert float(rows.sum(0).mean()) > 0.5 * math.log(2 * math.pi) + 0.5


def test_eps_loss_of_simple_models(reference):
    generator = torch.Generator().manual_seed(2)
    alpha_bar = reference.cosine_alpha_bar(20)
    x0, eps = torch.randn(2, 500, 1, 4, 4, generator=generator)
    t = torch.randint(1, 21, (500,), generator=generator)
    level = alpha_bar[t].reshape(-1, 1, 1, 1)
    zero = reference.eps_loss(lambda x_t, t: torch.zeros_like(x_t), x0, t, eps, alpha_bar)
    assert float(zero.mean()) == pytest.approx(1, abs=0.05)
    oracle = reference.eps_loss(lambda x_t, t: (x_t - level.sqrt() * x0) / (1 - level).sqrt(), x0, t, eps, alpha_bar)
    assert float(oracle.abs().max()) < 1e-6


def test_importance_weights_leave_the_mean_unchanged(reference):
    """By enumeration on a grid of u."""
    generator = torch.Generator().manual_seed(3)
    probs = torch.cat([torch.zeros(1, dtype=WIDE), torch.rand(7, generator=generator, dtype=WIDE) + 0.1])
    probs = probs / probs.sum()
    loss = torch.randn(8, generator=generator, dtype=WIDE)
    u = (torch.arange(200_000, dtype=WIDE) + 0.5) / 200_000
    t, weight = reference.training_times(u, probs)
    assert float((weight * loss[t]).mean()) == pytest.approx(float(loss[1:].mean()), abs=1e-4)
    torch.testing.assert_close(torch.bincount(t, minlength=8).double() / 200_000, probs, atol=1e-4, rtol=0)


def test_logit_normal_sums_to_one_and_has_its_median(reference):
    for mean, std in ((0.0, 1.0), (-3.0, 2.0)):
        probs = reference.logit_normal(1000, mean, std)
        assert float(probs.sum()) == pytest.approx(1, abs=1e-4)
        median = 1000 * torch.sigmoid(torch.tensor(mean))
        assert float(probs[: round(float(median)) + 1].sum()) == pytest.approx(0.5, abs=0.01)


def test_shift_divides_the_ratio_and_composes(reference):
    alpha_bar = reference.cosine_alpha_bar(50).double()
    twice = reference.shift(reference.shift(alpha_bar, 2), 3)
    torch.testing.assert_close(twice, reference.shift(alpha_bar, 6))
    ratio = ((alpha_bar / (1 - alpha_bar)) * (1 - twice) / twice).sqrt()[1:]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 6))
    torch.testing.assert_close(reference.shift(alpha_bar, 6)[1:], torch.sigmoid(torch.logit(alpha_bar) - 2 * math.log(6))[1:])


def test_shift_by_s_is_what_averaging_blocks_does_to_the_noise(reference):
    alpha_bar = reference.cosine_alpha_bar(10).double()
    shifted = reference.shift(alpha_bar, 4)
    signal, noise = shifted.sqrt(), (1 - shifted).sqrt() / 4   # of a constant picture, after averages of 4 x 4
    after = signal**2 / (signal**2 + noise**2)
    torch.testing.assert_close(reference.shift(alpha_bar, 1), alpha_bar)
    torch.testing.assert_close(reference.shift(shifted, 0.25), after)
    torch.testing.assert_close(after, alpha_bar)

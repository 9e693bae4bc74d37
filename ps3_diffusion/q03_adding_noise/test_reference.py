"""Question 3 against composed steps, Bayes on a grid, rotations, and the published formulas."""

import math

import pytest
import torch


def test_the_cosine_schedule_is_the_published_formula_where_no_beta_is_cut_off(reference):
    alpha_bar = reference.cosine_alpha_bar(1000).double()
    t = torch.arange(1001).double() / 1000
    formula = torch.cos((t + 0.008) / 1.008 * math.pi / 2).square()
    torch.testing.assert_close(alpha_bar[:-1], (formula / formula[0])[:-1], rtol=1e-6, atol=1e-7)
    assert float(alpha_bar[-1] / alpha_bar[-2]) == pytest.approx(0.001, rel=1e-6)
    assert bool((alpha_bar.diff() < 0).all()) and float(alpha_bar[0]) == 1


def test_the_linear_schedule_ends_at_4e_5(reference):
    alpha_bar = reference.linear_alpha_bar()
    assert float(alpha_bar[-1] / (1 - alpha_bar[-1])) == pytest.approx(4.0e-5, rel=0.02)
    assert float(1 - alpha_bar[1]) == pytest.approx(1e-4, rel=1e-3) and len(alpha_bar) == 1001


def test_zero_terminal_snr_is_the_published_algorithm(reference):
    """Lin et al. 2024, algorithm 1; applied to a schedule whose first entry is below 1, that one is kept."""
    alpha_bar = reference.linear_alpha_bar(200).double()
    root = alpha_bar.sqrt()
    first, last = root[0].clone(), root[-1].clone()
    published = ((root - last) * first / (first - last)).square()
    torch.testing.assert_close(reference.zero_terminal_snr(alpha_bar), published)
    torch.testing.assert_close(reference.zero_terminal_snr(torch.tensor([1, 0.64, 0.16])), torch.tensor([1, 4 / 9, 0]))


def test_q_sample_is_single_steps_composed(reference):
    """Means by a noiseless walk, variances by their recursion."""
    alpha_bar = reference.cosine_alpha_bar(12).double()
    mean, variance = torch.tensor(1.7, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    one, none = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for t in range(1, 13):
        alpha = alpha_bar[t] / alpha_bar[t - 1]
        mean, variance = alpha.sqrt() * mean, alpha * variance + 1 - alpha
        when = torch.tensor([t])
        torch.testing.assert_close(reference.q_sample(1.7 * one, when, none, alpha_bar)[0], mean)
        torch.testing.assert_close(reference.q_sample(none, when, one, alpha_bar)[0].square(), variance)


@pytest.mark.parametrize("t", [2, 5, 9])
def test_the_posterior_is_bayes_on_a_grid(reference, t):
    alpha_bar = reference.cosine_alpha_bar(10).double()
    grid = torch.linspace(-8, 8, 16001, dtype=torch.float64)
    x0, x_t = 0.8, -1.1
    alpha = alpha_bar[t] / alpha_bar[t - 1]
    log_p = -0.5 * (grid - alpha_bar[t - 1].sqrt() * x0) ** 2 / (1 - alpha_bar[t - 1]) - 0.5 * (x_t - alpha.sqrt() * grid) ** 2 / (1 - alpha)
    p = log_p.softmax(0)
    mean, variance = reference.posterior(torch.tensor([x_t]).double(), torch.tensor([x0]).double(), torch.tensor([t]), alpha_bar)
    assert float(mean) == pytest.approx(float(p @ grid), abs=1e-6)
    assert float(variance) == pytest.approx(float(p @ grid**2 - (p @ grid) ** 2), abs=1e-6)


def test_the_posterior_step_gives_the_law_of_the_step_before(reference):
    """If x_t has the law (3.2), so has x_{t-1}; exactly, at both ends, too."""
    alpha_bar = reference.zero_terminal_snr(reference.cosine_alpha_bar(9)).double()
    for t in range(1, 10):
        x0 = torch.ones(1, dtype=torch.float64)
        when = torch.tensor([t])
        at_mean, variance = reference.posterior(alpha_bar[t].sqrt() * x0, x0, when, alpha_bar)
        slope = reference.posterior(x0, 0 * x0, when, alpha_bar)[0]
        assert float(at_mean) == pytest.approx(float(alpha_bar[t - 1].sqrt()), abs=1e-7)
        assert float(slope**2 * (1 - alpha_bar[t]) + variance) == pytest.approx(float(1 - alpha_bar[t - 1]), abs=1e-7)


def test_conversions_are_round_trips_and_v_is_a_rotation(reference):
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, 6, 3, generator=generator, dtype=torch.float64)
    level = torch.linspace(0.01, 0.99, 6, dtype=torch.float64)[:, None]
    x_t = level.sqrt() * x0 + (1 - level).sqrt() * eps
    truth = {"eps": eps, "x0": x0, "v": level.sqrt() * eps - (1 - level).sqrt() * x0, "score": -eps / (1 - level).sqrt()}
    for kind, output in truth.items():
        for key, value in reference.convert(output, kind, x_t, level).items():
            torch.testing.assert_close(value, truth[key])
    torch.testing.assert_close(x_t**2 + truth["v"] ** 2, x0**2 + eps**2)


def test_the_score_is_the_gradient_of_the_log_density(reference):
    """For one known picture, of which x_t is Gaussian."""
    x_t = torch.tensor([[0.3, -1.2]], dtype=torch.float64, requires_grad=True)
    x0, level = torch.tensor([[1.0, 0.5]], dtype=torch.float64), torch.tensor([[0.3]], dtype=torch.float64)
    law = torch.distributions.Normal(level.sqrt() * x0, (1 - level).sqrt())
    slope = torch.autograd.grad(law.log_prob(x_t).sum(), x_t)[0]
    torch.testing.assert_close(reference.convert(x0, "x0", x_t.detach(), level)["score"], slope)

"""Question 3 of problem set 2 against enumeration, Gauss-Hermite quadrature, torch.distributions and a search."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

WIDE = torch.float64


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=WIDE)


def quadrature(nodes=40):
    """Points and weights of an average over a standard normal number."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return torch.tensor(points), torch.tensor(weights / math.sqrt(2 * math.pi))


def test_draw_and_its_derivatives(reference):
    mean, logvar, eps = draw(5, 3).requires_grad_(), draw(5, 3, seed=1).requires_grad_(), draw(5, 3, seed=2)
    z = reference.reparameterise(mean, logvar, eps)
    torch.testing.assert_close(z, torch.distributions.Normal(mean, (logvar / 2).exp()).icdf(torch.distributions.Normal(0, 1).cdf(eps)))
    by_mean, by_logvar = torch.autograd.grad(z.sum(), (mean, logvar))
    torch.testing.assert_close(by_mean, torch.ones_like(mean))
    torch.testing.assert_close(by_logvar, 0.5 * (logvar / 2).exp() * eps)
    worked = torch.tensor([[math.log(4.0)]], requires_grad=True)
    z = reference.reparameterise(torch.ones(1, 1), worked, torch.full((1, 1), -0.5))
    assert z.item() == pytest.approx(0, abs=1e-6)
    assert torch.autograd.grad(z, worked)[0].item() == pytest.approx(-0.5)


def every_estimate(reference, logits, reward, m, baseline):
    """Chance and gradient estimate of every possible tuple of m draws; baseline is a function of the rewards."""
    leaf = logits.clone().requires_grad_()
    chances, found = [], []
    for states in torch.cartesian_prod(*[torch.arange(len(logits))] * m).reshape(-1, m):
        log_prob = leaf.log_softmax(0)[states][:, None]
        rewards = reward[states][:, None]
        loss = reference.score_function_loss(log_prob, rewards, baseline(rewards))
        chances.append(log_prob.detach().sum().exp())
        found.append(-torch.autograd.grad(loss, leaf)[0])
    return torch.stack(chances), torch.stack(found)


def exact_gradient(logits, reward):
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad((leaf.softmax(0) * reward).sum(), leaf)[0]


@pytest.mark.parametrize("baseline", [lambda r: 0.0, lambda r: 7.5, lambda r: None])
def test_score_function_is_unbiased_for_three_states(reference, baseline):
    logits, reward = draw(3), 4 * draw(3, seed=1) - 3
    for m in (2, 3):
        chances, found = every_estimate(reference, logits, reward, m, baseline)
        torch.testing.assert_close(chances @ found, exact_gradient(logits, reward), rtol=1e-10, atol=1e-12)


def test_a_baseline_that_contains_the_draw_shrinks_the_gradient(reference):
    logits, reward = draw(3), 4 * draw(3, seed=1)
    for m in (2, 3):
        chances, found = every_estimate(reference, logits, reward, m, lambda r: r.mean(0))
        torch.testing.assert_close(chances @ found, (m - 1) / m * exact_gradient(logits, reward), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_best_baseline_minimises_the_variance(reference, k):
    logits, reward = draw(k, seed=k), 5 * draw(k, seed=k + 1) - 20

    def variance(b):
        chances, found = every_estimate(reference, logits, reward, 1, lambda r: float(b))
        return float(chances @ (found - chances @ found).square().sum(1))

    best = minimize_scalar(variance, bracket=(-30, 0), options={"xtol": 1e-10})
    assert reference.best_baseline(logits, reward).item() == pytest.approx(best.x, abs=1e-5)
    if k == 2:
        q = logits.softmax(0)
        assert reference.best_baseline(logits, reward).item() == pytest.approx(float(q[1] * reward[0] + q[0] * reward[1]))
        assert variance(reference.best_baseline(logits, reward)) == pytest.approx(0, abs=1e-18)


def test_the_numbers_of_the_text(reference):
    logits, reward = torch.tensor([0.5, 0.3, 0.2], dtype=WIDE).log(), torch.tensor([-101.0, -100, -98], dtype=WIDE)
    found = {}
    for name, b in (("none", 0.0), ("best", float(reference.best_baseline(logits, reward)))):
        chances, estimates = every_estimate(reference, logits, reward, 2, lambda r, b=b: b)
        found[name] = float(chances @ (estimates - chances @ estimates).square().sum(1))
    assert found["none"] == pytest.approx(3080, abs=1)
    assert found["best"] == pytest.approx(0.2642, abs=1e-4)


def toy_log_joint(z):
    """z ~ N(0, 1), x = 2 is z plus noise of variance 1; the posterior is N(1, 1/2)."""
    return (-0.5 * z.square() - 0.5 * (2 - z).square() - math.log(2 * math.pi)).sum(-1)


def gradients(estimate, mean, logvar, eps):
    """Gradient of each single draw in mean and logvar, (draws, 2)."""
    leaves = [torch.full_like(eps, value).requires_grad_() for value in (mean, logvar)]
    return torch.cat(torch.autograd.grad(estimate(*leaves, eps).sum(), leaves), 1)


def test_path_derivative_has_the_mean_of_the_usual_gradient_by_quadrature(reference):
    points, weights = quadrature()
    for mean, logvar in ((1.5, -0.2), (-2.0, 0.7)):
        def usual(m, v, eps):
            z = reference.reparameterise(m, v, eps)
            return toy_log_joint(z) - reference.diagonal_log_prob(z, m, v)

        by_path = weights @ gradients(lambda m, v, e: reference.path_derivative_elbo(toy_log_joint, m, v, e), mean, logvar, points[:, None])
        torch.testing.assert_close(by_path, weights @ gradients(usual, mean, logvar, points[:, None]), rtol=1e-10, atol=1e-10)
        exact = torch.tensor([-(mean - 1) / 0.5, 0.5 * (1 - math.exp(logvar) / 0.5)], dtype=WIDE)
        torch.testing.assert_close(by_path, exact, rtol=1e-10, atol=1e-10)


def test_path_derivative_is_silent_at_the_posterior(reference):
    eps = draw(200, 1)
    found = gradients(lambda m, v, e: reference.path_derivative_elbo(toy_log_joint, m, v, e), 1.0, math.log(0.5), eps)
    assert found.abs().max() < 1e-13
    values = reference.path_derivative_elbo(toy_log_joint, torch.ones(200, 1).double(), torch.full((200, 1), math.log(0.5)).double(), eps)
    log_evidence = torch.distributions.Normal(0.0, math.sqrt(2)).log_prob(torch.tensor(2.0)).double()
    torch.testing.assert_close(values, log_evidence.expand(200), rtol=1e-6, atol=1e-6)
    assert log_evidence.item() == pytest.approx(-2.27, abs=0.005)

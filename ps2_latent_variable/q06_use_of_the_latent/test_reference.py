"""Question 6 against torch.distributions, numerical minimisation, an exact linear model, and the numbers of the notebook."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from dgm.checks.rng import Rng

from .models import Hills, planted


def numbers(seed):
    return torch.Generator().manual_seed(seed)


def test_usage_against_distributions(reference):
    mean, logvar = planted(Rng(0), 50, [1e-3, 0.05, 2.0], torch.float64)
    active, kl = reference.latent_usage(mean, logvar)
    assert active.tolist() == [False, True, True]
    torch.testing.assert_close(kl, kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).mean(0))


def test_a_costly_latent_may_be_idle(reference):
    active, kl = reference.latent_usage(torch.ones(3, 1), torch.zeros(3, 1))
    assert not active.item() and float(kl) == pytest.approx(0.5)
    active, _ = reference.latent_usage(torch.tensor([[0.0], [1.0], [2.0]]), torch.zeros(3, 1), 0.66)
    assert active.item()


def test_loss_of_the_text_and_its_gradient_in_beta(reference):
    log_likelihood, kl = torch.zeros(1), torch.tensor([[0.1, 2.0]])
    assert float(reference.priced_loss(log_likelihood, kl, floor=0.5)) == pytest.approx(2.5)
    assert float(reference.priced_loss(log_likelihood, torch.tensor([[0.0], [1.0]]), floor=0.5)) == pytest.approx(0.5)
    leaf = torch.rand(5, 3, generator=numbers(0)).requires_grad_()
    one, three = (torch.autograd.grad(reference.priced_loss(torch.zeros(5), leaf, beta), leaf)[0] for beta in (1.0, 3.0))
    torch.testing.assert_close(three, 3 * one)
    path = [float(reference.priced_loss(log_likelihood, kl, 2.0, step=step, warm_up=4)) for step in range(7)]
    assert path == pytest.approx([0, 1.05, 2.1, 3.15, 4.2, 4.2, 4.2])


def test_gap_against_numerical_minimisation(reference):
    for seed in range(3):
        precision = Rng(seed).spd(4, 0.2, 8.0, dtype=torch.float64)
        posterior = MultivariateNormal(torch.zeros(4).double(), precision_matrix=precision)
        logs = torch.zeros(4).double().requires_grad_()
        optimiser = torch.optim.LBFGS([logs], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe")

        def distance():
            optimiser.zero_grad()
            value = kl_divergence(MultivariateNormal(torch.zeros(4).double(), torch.diag(logs.exp())), posterior)
            value.backward()
            return value

        optimiser.step(distance)
        logvar, gap = reference.gap_of_diagonal(precision)
        torch.testing.assert_close(logvar, logs.detach(), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(gap, distance().detach(), atol=1e-8, rtol=1e-8)
        covariance = torch.linalg.inv(precision).diagonal()
        matched = kl_divergence(MultivariateNormal(torch.zeros(4).double(), torch.diag(covariance)), posterior)
        assert matched > gap > 0


def test_gap_of_the_text_and_of_many_latents(reference):
    assert float(reference.gap_of_diagonal(torch.tensor([[2.0, 1.0], [1.0, 2.0]]))[1]) == pytest.approx(0.1438, abs=1e-4)
    wide = Rng(5).spd(60, 2e3, 2e4, dtype=torch.float64)
    torch.testing.assert_close(reference.gap_of_diagonal(wide.float())[1].double(), reference.gap_of_diagonal(wide)[1], atol=1e-3, rtol=1e-4)


def elbo(reference, hills, mean, logvar, eps):
    z = reference.reparameterise(mean, logvar, eps)
    return (hills(z) - reference.diagonal_log_prob(z, mean, logvar)).mean(0)


def test_refining_a_gaussian_reaches_the_best_diagonal_q_and_its_gap(reference):
    """Draws at ±sqrt(k) along each axis make the ELBO of a Gaussian exact."""
    rng, k = Rng(1), 3
    hills = Hills(rng, 4, k, dtype=torch.float64)
    eps = torch.cat([torch.eye(k), -torch.eye(k)]).double()[:, None].expand(2 * k, 4, k) * math.sqrt(k)
    start = rng.normal(4, k, dtype=torch.float64), rng.normal(4, k, dtype=torch.float64) - 1
    mean, logvar = reference.refine(hills, *start, eps, 1500, 0.02)
    best, gap = reference.gap_of_diagonal(hills.precision)
    torch.testing.assert_close(mean, hills.top, atol=1e-3, rtol=0)
    torch.testing.assert_close(logvar, best, atol=1e-3, rtol=0)
    evidence = hills.height + 0.5 * (k * math.log(2 * math.pi) - torch.logdet(hills.precision))
    per_example = evidence - elbo(reference, hills, mean, logvar, eps)
    torch.testing.assert_close(per_example, gap, atol=1e-5, rtol=0)
    assert (evidence - elbo(reference, hills, *start, eps) >= per_example).all() and (per_example >= 0).all()


@pytest.mark.parametrize("lr", [0.01, 0.3, 3.0])
def test_refining_never_lowers_the_elbo(reference, lr):
    rng = Rng(2)
    hills, start, eps = Hills(rng, 30, 2, bend=2.0), (rng.normal(30, 2), rng.normal(30, 2)), rng.normal(5, 30, 2)
    after = reference.refine(hills, *start, eps, 7, lr)
    assert (elbo(reference, hills, *after, eps) >= elbo(reference, hills, *start, eps) - 1e-4).all()
    assert not any(each.requires_grad for each in after)


def test_numbers_of_the_two_clouds(reference):
    entropy = math.log(2 * math.pi * math.e) + 0.5 * math.log(25)
    assert entropy == pytest.approx(4.4473, abs=1e-4)
    assert math.log(2 * math.pi * math.e * 13) == pytest.approx(5.40, abs=0.01)
    # the exact model of the text: the mean of 12 and the noise of 1 for each dimension, and its exact posterior
    z = torch.randn(200_000, 1, generator=numbers(3)).double()
    x = math.sqrt(12) * z + torch.randn(200_000, 2, generator=numbers(4)).double()
    torch.testing.assert_close(torch.cov(x.T), torch.tensor([[13.0, 12], [12, 13]]).double(), atol=0.2, rtol=0)
    mean, logvar = math.sqrt(12) * x.sum(1, keepdim=True) / 25, torch.full((len(x), 1), -math.log(25.0)).double()
    kl = reference.kl_standard_normal(mean, logvar).mean()
    code = reference.reparameterise(mean, logvar, torch.randn(len(x), 1, generator=numbers(5)).double())
    rebuild = -reference.gaussian_decoder_log_prob(x, math.sqrt(12) * code.expand(-1, 2), torch.zeros(()).double()).mean()
    assert float(kl) == pytest.approx(math.log(5), abs=0.01)
    assert float(kl + rebuild) == pytest.approx(entropy, abs=0.02)


def test_a_short_training_on_the_turned_cloud(reference):
    turn = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2)
    torch.manual_seed(0)
    x, new = ((torch.randn(8000, 2, generator=numbers(seed)) * torch.tensor([5.0, 1.0])) @ turn for seed in (6, 7))
    model = reference.GaussianVAE(2, 2, 32, 1.0)
    for steps, lr in ((300, 1e-2), (100, 1e-3)):
        reference.train(model, reference.Priced(), x, steps, 200, lr, numbers(8))
    with torch.no_grad():
        log_likelihood, kl = reference.latent_terms(model, new, torch.randn(8000, 2, generator=numbers(9)))
    cost, rebuild = float(kl.sum(1).mean()), -float(log_likelihood.mean())
    assert cost + rebuild == pytest.approx(4.4473, abs=0.08)
    assert cost > 1.4

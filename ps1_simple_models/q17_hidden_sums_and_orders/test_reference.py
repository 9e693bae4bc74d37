"""Question 17 against SciPy, torch.distributions, quadrature and enumeration."""

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import torch
from scipy import special
from torch.distributions import Categorical, MixtureSameFamily, Normal


def model(d, seed, scale=1.5):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(d, d, generator=generator), torch.randn(d, generator=generator)


def strings(d):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=d)))


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("scale", [1, 1000])
def test_log_mean_exp_agrees_with_scipy(reference, dim, scale):
    x = scale * torch.randn(4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(scale))
    x[0, 0, 0] = x[1] = -math.inf
    want = special.logsumexp(x.numpy(), axis=dim) - math.log(x.shape[dim])
    torch.testing.assert_close(reference.log_mean_exp(x, dim).numpy(), want)


def test_log_mean_exp_has_the_right_gradient(reference):
    x = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda t: reference.log_mean_exp(t, 1), x)
    assert reference.log_mean_exp(torch.full((4, 7), -2000.0), 1).tolist() == pytest.approx([-2000.0] * 4)


def test_monte_carlo_is_the_exact_mixture_if_every_component_is_drawn_once(reference):
    means = torch.tensor([-2.0, 0.5, 3.0])
    mixture = MixtureSameFamily(Categorical(logits=torch.zeros(3)), Normal(means, 0.7))
    x = torch.linspace(-3, 4, 5)[:, None]
    got = reference.log_marginal_mc(lambda x, z: Normal(z, 0.7).log_prob(x).sum(-1), x, means[None, :, None].expand(5, 3, 1))
    torch.testing.assert_close(got, mixture.log_prob(x[:, 0]))


def test_monte_carlo_is_unbiased_and_its_log_is_biased_down(reference):
    prior, means = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([-2.0, 0.5, 3.0])
    draws = torch.cartesian_prod(*[torch.arange(3)] * 4)
    chance = prior[draws].prod(1)
    x = torch.full((len(draws), 1), 0.8)
    got = reference.log_marginal_mc(lambda x, z: Normal(z, 0.7).log_prob(x).sum(-1), x, means[draws][..., None])
    exact = (prior * Normal(means, 0.7).log_prob(torch.tensor(0.8)).exp()).sum()
    assert float((chance * got.exp()).sum()) == pytest.approx(float(exact), rel=1e-5)
    assert float((chance * got).sum()) < float(exact.log()) - 0.05


def test_the_reversed_conditional_is_not_gaussian(reference):
    def joint(x1, x2=2.0):
        at = torch.tensor([x1], dtype=torch.float64)
        mean, std = float(reference.second_mean(at)), float(reference.second_std(at))
        return np.exp(-0.5 * x1**2 - 0.5 * ((x2 - mean) / std) ** 2) / std

    moments = [scipy.integrate.quad(lambda t, k=k: t**k * joint(t), -6, 6, limit=200)[0] for k in (0, 2, 4)]
    kurtosis = moments[2] * moments[0] / moments[1] ** 2 - 3
    assert kurtosis < -1


def reversed_excess(reference, d, seed):
    """KL in nats of the best FVSBN that reads the bits backwards from an FVSBN, by enumeration."""
    probs = reference.fvsbn_log_prob(strings(d), *model(d, seed, scale=2.0)).double().exp().numpy()
    x, total = strings(d).flip(1).double().numpy(), 0.0
    for i in range(d):
        inputs = np.c_[np.ones(len(x)), x[:, :i]]
        theta = np.zeros(i + 1)
        for _ in range(300):  # damped Newton on the exact expected log-likelihood
            p = 1 / (1 + np.exp(-inputs @ theta))
            hessian = inputs.T @ (inputs * (probs * p * (1 - p))[:, None])
            step = np.linalg.solve(hessian + 1e-12 * np.eye(i + 1), inputs.T @ (probs * (x[:, i] - p)))
            theta = theta + step / max(1.0, np.abs(step).max())
        total += float(probs @ np.logaddexp(0, -(2 * x[:, i] - 1) * (inputs @ theta)))
    return total + float(probs @ np.log(probs))


def test_the_order_of_an_fvsbn_matters_from_four_bits_on(reference):
    """What the text and the rubric of the written part say."""
    assert all(abs(reversed_excess(reference, 3, seed)) < 1e-6 for seed in range(3))
    assert max(reversed_excess(reference, 4, seed) for seed in range(3)) > 1e-4


def test_the_number_of_the_text(reference):
    """Two equally likely values of z with p(x | z) = 0.1 and 0.3."""
    values = np.array([0.1, 0.3])
    assert np.log(values).mean() == pytest.approx(-1.753, abs=5e-4)
    assert math.log(0.2) - values.var() / 0.2**2 / 2 == pytest.approx(-1.734, abs=5e-4)

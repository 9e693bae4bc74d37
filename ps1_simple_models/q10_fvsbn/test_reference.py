"""Question 10 against torch.distributions, scikit-learn, SciPy's quadrature, finite differences and enumeration."""

import itertools

import numpy as np
import pytest
import scipy.integrate
import torch
from sklearn.linear_model import LogisticRegression
from torch.distributions import Bernoulli, Categorical, MixtureSameFamily, Normal

from dgm import data


def model(d, seed, scale=1.5):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(d, d, generator=generator), torch.randn(d, generator=generator)


def strings(d):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=d)))


@pytest.mark.parametrize("d", [1, 2, 5, 10])
def test_log_prob_is_a_product_of_bernoullis_and_sums_to_one(reference, d):
    weights, biases = model(d, d)
    got = reference.fvsbn_log_prob(strings(d), weights, biases)
    assert float(got.double().exp().sum()) == pytest.approx(1, abs=1e-5)
    for x, value in list(zip(strings(d), got))[:: max(1, 2**d // 16)]:
        want = 0.0
        for i in range(d):
            logit = biases[i] + sum(weights[i, j] * x[j] for j in range(i))
            want += float(Bernoulli(logits=logit).log_prob(x[i]))
        assert float(value) == pytest.approx(want, rel=1e-5, abs=1e-5)


def test_log_prob_has_the_right_gradients(reference):
    weights, biases = (value.double().requires_grad_() for value in model(4, 0))
    assert torch.autograd.gradcheck(lambda w, b: reference.fvsbn_log_prob(strings(4).double(), w, b), (weights, biases))
    (gradient,) = torch.autograd.grad(reference.fvsbn_log_prob(strings(4).double(), weights, biases)[5], weights)
    assert not gradient.triu().any()


def test_extreme_logits_are_finite(reference):
    got = reference.fvsbn_log_prob(torch.tensor([[0.0, 1.0]]), torch.zeros(2, 2), torch.tensor([500.0, -800.0]))
    assert float(got) == pytest.approx(-1300)


def test_samples_have_the_enumerated_probabilities(reference):
    weights, biases = model(3, 4)
    uniforms = torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0))
    samples = reference.sample_fvsbn(weights, biases, uniforms)
    counts = torch.bincount((samples @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8).double()
    probs = reference.fvsbn_log_prob(strings(3), weights, biases).double().exp()
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 40  # chi-squared with 7 degrees, p = 1e-6


def test_planted_uniforms_force_bits(reference):
    weights, biases = model(6, 1)
    known = (torch.rand(20, 6, generator=torch.Generator().manual_seed(1)) < 0.5).float()
    torch.testing.assert_close(reference.sample_fvsbn(weights, biases, 1 - known), known)


def test_fit_agrees_with_scikit_learn(reference):
    weights, biases = model(4, 7, scale=1.0)
    x = reference.sample_fvsbn(weights, biases, torch.rand(600, 4, generator=torch.Generator().manual_seed(2)))
    fitted_weights, fitted_biases = reference.fit_fvsbn(x, 3000, 1.0)
    assert not fitted_weights.triu().any()
    for i in range(1, 4):
        want = LogisticRegression(C=1e6, tol=1e-8).fit(x[:, :i].numpy(), x[:, i].numpy())
        np.testing.assert_allclose(fitted_weights[i, :i], want.coef_[0], atol=2e-2)
        np.testing.assert_allclose(fitted_biases[i], want.intercept_[0], atol=2e-2)


def test_numbers_of_the_notebook(reference):
    train, _ = data.digits("train", binary="threshold")
    test, _ = data.digits("test", binary="threshold")
    train, test = train.flatten(1), test.flatten(1)
    parameters = reference.fit_fvsbn(train, 1000, 0.5)
    assert -float(reference.fvsbn_log_prob(train, *parameters).mean()) == pytest.approx(17.46, abs=0.01)
    assert -float(reference.fvsbn_log_prob(test, *parameters).mean()) == pytest.approx(18.32, abs=0.01)
    frequency = (train.sum(0) + 1) / (len(train) + 2)
    assert -float(Bernoulli(frequency).log_prob(test).sum(1).mean()) == pytest.approx(25.15, abs=0.01)


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

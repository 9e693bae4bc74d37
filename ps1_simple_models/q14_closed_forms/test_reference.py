"""Question 14 of problem set 1 against scikit-learn, autograd and enumeration."""

import itertools
import math

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import BernoulliNB


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n", "d"), [(12, 3), (3, 7), (1, 4), (8, 1)])
def test_ridge_agrees_with_scikit_learn_and_has_zero_gradient(reference, n, d):
    x, y = draw(n, d) + 2, draw(n, seed=3) + 5
    noise, prior = 0.6, 0.3
    w, b = reference.ridge_map(x, y, noise, prior)
    sklearn_fit = Ridge(alpha=noise / prior).fit(x.numpy(), y.numpy())
    assert w.tolist() == pytest.approx(sklearn_fit.coef_.tolist())
    assert b.item() == pytest.approx(sklearn_fit.intercept_)
    w, b = w.clone().requires_grad_(True), b.clone().requires_grad_(True)
    for objective in (
        (y - x @ w - b).square().sum() / (2 * noise) + w.square().sum() / (2 * prior),
        (y - x @ w - b).square().mean() + reference.l2_coefficient(noise, prior, n) * w.square().sum(),
    ):
        for gradient in torch.autograd.grad(objective, (w, b)):
            assert gradient.abs().max().item() < 1e-9


def test_the_best_penalty_for_weights_of_the_prior_is_the_l2_coefficient(reference):
    """Over many draws from the prior and the model, no other coefficient has a smaller error."""
    noise, prior, n = 1.0, 0.05, 30
    best = reference.l2_coefficient(noise, prior, n)
    errors = dict.fromkeys((0.3, 1.0, 3.0), 0.0)
    for seed in range(200):
        w, x = prior**0.5 * draw(6, seed=seed), draw(n, 6, seed=1000 + seed)
        y = x @ w + noise**0.5 * draw(n, seed=2000 + seed)
        for factor in errors:
            fitted, _ = reference.ridge_map(x, y, noise, noise / (factor * best * n))
            errors[factor] += (fitted - w).square().sum().item()
    assert min(errors, key=errors.get) == 1.0


def test_naive_bayes_agrees_with_scikit_learn(reference):
    x, y = (draw(80, 12) > 0).double(), torch.arange(80) % 4
    fitted = BernoulliNB(alpha=1.0).fit(x.numpy(), y.numpy())
    theta, prior = torch.tensor(fitted.feature_log_prob_).exp(), torch.tensor(fitted.class_log_prior_)
    expected = torch.tensor(fitted.predict_log_proba(x.numpy()))
    torch.testing.assert_close(reference.naive_bayes_log_posterior(x, prior, theta), expected)
    many = reference.naive_bayes_log_posterior((draw(2, 5000) > 0).float(), prior[:2].float(), torch.full((2, 5000), 0.3))
    assert many.isfinite().all()


def test_the_worked_numbers(reference):
    posterior = reference.naive_bayes_log_posterior(torch.zeros(1, 1), torch.full((2,), -math.log(2)), torch.tensor([[0.9], [0.5]]))
    assert posterior.exp()[0].tolist() == pytest.approx([1 / 6, 5 / 6])
    w, b = reference.ridge_map(torch.tensor([[3.0]]), torch.tensor([5.0]), 0.5, 2.0)
    assert (w.item(), b.item()) == (0, 5)
    assert [reference.num_parameters([2, 3, 4], m) for m in (0, 1, 2)] == [6, 14, 23]


@pytest.mark.parametrize("memory", [0, 1, 2, 3, 9])
def test_parameters_by_enumeration(reference, memory):
    sizes = [2, 3, 1, 4]
    free = 0
    for i, k in enumerate(sizes):
        for _ in itertools.product(*(range(s) for s in sizes[max(0, i - memory) : i])):
            free += k - 1
    assert reference.num_parameters(sizes, memory) == free
    if memory >= 3:
        assert free == math.prod(sizes) - 1
    assert reference.num_parameters([2] * 100, 99) == 2**100 - 1


@pytest.mark.parametrize("memory", [0, 1, 2, 5])
def test_a_chain_read_backwards_has_as_many_parameters(reference, memory):
    sizes = [5, 2, 3, 7, 4]
    assert reference.num_parameters(sizes, memory) == reference.num_parameters(sizes[::-1], memory)

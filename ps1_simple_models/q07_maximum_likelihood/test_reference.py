"""Question 7 of problem set 1 against torch.distributions, scikit-learn, SciPy, autograd and enumeration."""

import itertools
import math

import pytest
import torch
from scipy import stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import BernoulliNB
from torch.nn import functional as F


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_divergences_agree_with_torch_and_scipy(reference):
    p, q = draw(5, 4).softmax(-1), draw(5, 4, seed=1).softmax(-1)
    categorical = torch.distributions.Categorical
    expected = torch.distributions.kl_divergence(categorical(p), categorical(q))
    torch.testing.assert_close(reference.kl_divergence(p, q), expected)
    torch.testing.assert_close(reference.cross_entropy(p, q), categorical(p).entropy() + reference.kl_divergence(p, q))
    assert reference.kl_divergence(p[0], q[0]).item() == pytest.approx(stats.entropy(p[0].numpy(), q[0].numpy()))


def test_nll_is_cross_entropy_of_the_empirical_distribution(reference):
    values = torch.randint(0, 4, (200,), generator=torch.Generator().manual_seed(0))
    q = draw(4).softmax(-1)
    empirical = torch.bincount(values, minlength=4).double() / 200
    assert reference.cross_entropy(empirical, q).item() == pytest.approx(-q.log()[values].mean().item())


def test_zeros(reference):
    p, q = torch.tensor([0.0, 0.5, 0.5]), torch.tensor([0.5, 0.5, 0.0])
    assert reference.kl_divergence(p, q).item() == math.inf
    assert reference.cross_entropy(p, q).item() == math.inf
    assert reference.kl_divergence(p, p).item() == 0
    assert reference.cross_entropy(p, p).item() == pytest.approx(math.log(2))


def test_bernoulli_nll(reference):
    logits, targets = 3 * draw(6, 5), torch.rand(6, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1).mean()
    torch.testing.assert_close(reference.bernoulli_nll(logits, targets), expected)
    logits.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a: reference.bernoulli_nll(a, targets), logits)
    far = torch.tensor([[1000.0, -1000.0]])
    assert reference.bernoulli_nll(far, torch.tensor([[0.0, 1.0]])).item() == 2000
    assert reference.bernoulli_nll(far, torch.tensor([[1.0, 0.0]])).item() == 0


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


def test_softmax_classifier_is_the_posterior(reference):
    k, d = 4, 3
    root = draw(d, d)
    cov = root @ root.T + 0.5 * torch.eye(d, dtype=torch.float64)
    means, log_prior = draw(k, d, seed=5), draw(k, seed=6).log_softmax(0)
    W, b = reference.gaussians_to_softmax(log_prior, means, cov)
    x = 2 * draw(20, d, seed=7)
    log_joint = log_prior + torch.distributions.MultivariateNormal(means, cov).log_prob(x[:, None])
    torch.testing.assert_close((x @ W.T + b).log_softmax(1), log_joint.log_softmax(1))


def test_softmax_classifier_agrees_with_scikit_learn(reference):
    x, y = draw(300, 2), torch.arange(300) % 3
    x = x + torch.stack([y, -y], 1)
    means = torch.stack([x[y == k].mean(0) for k in range(3)])
    prior = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    cov = sum(prior[k] * torch.cov(x[y == k].T, correction=0) for k in range(3))  # how scikit-learn pools
    lda = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.2, 0.3, 0.5]).fit(x.numpy(), y.numpy())
    W, b = reference.gaussians_to_softmax(prior.log(), means, cov)
    expected = torch.tensor(lda.predict_proba(x.numpy()))
    torch.testing.assert_close((x @ W.T + b).softmax(1), expected, rtol=1e-6, atol=1e-8)


def test_naive_bayes_agrees_with_scikit_learn(reference):
    x, y = (draw(80, 12) > 0).double(), torch.arange(80) % 4
    fitted = BernoulliNB(alpha=1.0).fit(x.numpy(), y.numpy())
    theta, prior = torch.tensor(fitted.feature_log_prob_).exp(), torch.tensor(fitted.class_log_prior_)
    expected = torch.tensor(fitted.predict_log_proba(x.numpy()))
    torch.testing.assert_close(reference.naive_bayes_log_posterior(x, prior, theta), expected)
    many = reference.naive_bayes_log_posterior((draw(2, 5000) > 0).float(), prior[:2].float(), torch.full((2, 5000), 0.3))
    assert many.isfinite().all()


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

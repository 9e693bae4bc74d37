"""Question 6 of problem set 1 against torch.distributions, scikit-learn, SciPy, autograd and enumeration."""

import math

import pytest
import torch
from scipy import stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
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


def test_zeros_and_the_worked_number(reference):
    p, q = torch.tensor([0.0, 0.5, 0.5]), torch.tensor([0.5, 0.5, 0.0])
    assert reference.kl_divergence(p, q).item() == math.inf
    assert reference.cross_entropy(p, q).item() == math.inf
    assert reference.kl_divergence(p, p).item() == 0
    assert reference.cross_entropy(p, p).item() == pytest.approx(math.log(2))
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.25, 0.5])
    assert reference.kl_divergence(p, q).item() == pytest.approx(math.log(2))
    assert reference.kl_divergence(q, p).item() == math.inf


def test_forgetting_a_far_bump_costs_minus_log_of_the_kept_share(reference):
    line = torch.linspace(-10, 10, 401, dtype=torch.float64)
    bumps = [F.softmax(-0.5 * ((line - mean) / 0.7) ** 2, 0) for mean in (-2.5, 2.5)]
    for share in (0.5, 0.9):
        p = share * bumps[0] + (1 - share) * bumps[1]
        assert reference.kl_divergence(bumps[0], p).item() == pytest.approx(-math.log(share), abs=1e-3)
        assert reference.kl_divergence(p, bumps[0]).item() > 2


@pytest.mark.parametrize("shape", [(6, 5), (4, 1), (3, 1, 2, 4), (1, 7)])
def test_bernoulli_log_prob_against_the_library_and_finite_differences(reference, shape):
    logits = 3 * draw(*shape)
    x = torch.rand(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
    torch.testing.assert_close(reference.bernoulli_log_prob(logits, x), expected)
    logits.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a: reference.bernoulli_log_prob(a, x), logits)


def test_bernoulli_log_prob_sums_to_one_over_all_images(reference):
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 6).reshape(-1, 1, 2, 3)
    logits = 2 * draw(1, 1, 2, 3).expand_as(images)
    assert reference.bernoulli_log_prob(logits, images).exp().sum().item() == pytest.approx(1)


def test_bernoulli_log_prob_far_from_zero(reference):
    far = torch.tensor([[1000.0, -1000.0]])
    assert reference.bernoulli_log_prob(far, torch.tensor([[0.0, 1.0]])).item() == -2000
    assert reference.bernoulli_log_prob(far, torch.tensor([[1.0, 0.0]])).item() == 0
    zero = torch.zeros(1, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(reference.bernoulli_log_prob(zero, torch.tensor([[1.0, 0.25]])).sum(), zero)
    assert slope.tolist() == [[0.5, -0.25]]


def test_softmax_classifier_is_the_posterior(reference):
    k, d = 4, 3
    root = draw(d, d)
    cov = root @ root.T + 0.5 * torch.eye(d, dtype=torch.float64)
    means, log_prior = draw(k, d, seed=5), draw(k, seed=6).log_softmax(0)
    W, b = reference.gaussians_to_softmax(log_prior, means, cov)
    x = 2 * draw(20, d, seed=7)
    log_joint = log_prior + torch.distributions.MultivariateNormal(means, cov).log_prob(x[:, None])
    torch.testing.assert_close((x @ W.T + b).log_softmax(1), log_joint.log_softmax(1))


def test_two_classes_on_a_line(reference):
    W, b = reference.gaussians_to_softmax(torch.full((2,), -math.log(2)), torch.tensor([[1.0], [-1.0]]), torch.ones(1, 1))
    assert (W[0] - W[1]).item() == pytest.approx(2)
    assert (b[0] - b[1]).item() == 0


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

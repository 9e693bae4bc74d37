"""Question 1 of problem set 2 against scikit-learn, torch.distributions, quadrature, conditioning and autograd."""

import math

import pytest
import torch
from sklearn.decomposition import PCA, FactorAnalysis
from torch import nn


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cloud(n=50, d=6, seed=0):
    return draw(n, d, seed=seed) * 0.7 ** torch.arange(d) @ torch.linalg.qr(draw(d, d, seed=seed + 1))[0] + 5


@pytest.mark.parametrize("k", [1, 3, 5])
def test_pca_and_fit_agree_with_scikit_learn(reference, k):
    x = cloud()
    pca = PCA(k).fit(x.numpy())
    axes = torch.from_numpy(pca.components_)
    torch.testing.assert_close(reference.pca_projector(x, k), axes.T @ axes)
    scaled = x * math.sqrt(49 / 50)  # scikit-learn divides by N - 1
    other = PCA(k).fit(scaled.numpy())
    mean, W, sigma2 = reference.ppca_fit(x, k)
    unbiased = 50 / 49
    assert other.noise_variance_ == pytest.approx(float(sigma2), rel=1e-9)
    model = torch.from_numpy(pca.get_covariance()) / unbiased
    torch.testing.assert_close(W @ W.T + sigma2 * torch.eye(6), model)
    torch.testing.assert_close(mean, x.mean(0))


def test_log_prob_agrees_with_scikit_learn(reference):
    x, new = cloud(), cloud(seed=7)
    pca = PCA(2).fit(x.numpy())
    mean, W, sigma2 = reference.ppca_fit(x, 2)
    factor = 50 / 49  # scikit-learn's variances
    found = reference.ppca_log_prob(new, mean, math.sqrt(factor) * W, factor * sigma2)
    torch.testing.assert_close(found, torch.from_numpy(pca.score_samples(new.numpy())))


def test_log_prob_is_that_of_a_factor_analysis_whose_noise_is_equal(reference):
    x, mean, W, sigma2 = draw(30, 5), draw(5, seed=1), draw(5, 2, seed=2), torch.tensor(0.3, dtype=torch.float64)
    other = FactorAnalysis(2)
    other.mean_, other.components_, other.noise_variance_ = mean.numpy(), W.T.numpy(), sigma2.expand(5).numpy()
    torch.testing.assert_close(reference.ppca_log_prob(x, mean, W, sigma2), torch.from_numpy(other.score_samples(x.numpy())))
    codes = reference.ppca_posterior(x, mean, W, sigma2)[0]
    torch.testing.assert_close(codes, torch.from_numpy(other.transform(x.numpy())))


def test_the_projector_loses_the_dropped_eigenvalues_and_no_other_loses_less(reference):
    x = cloud()
    centred = x - x.mean(0)
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))
    for k in (1, 2, 4):
        P = reference.pca_projector(x, k)
        loss = (centred - centred @ P).square().sum(1).mean()
        torch.testing.assert_close(loss, values[:-k].sum())
        for seed in range(20):
            V = torch.linalg.qr(draw(6, k, seed=seed))[0]
            assert (centred - centred @ V @ V.T).square().sum(1).mean() > loss


def test_worked_numbers(reference):
    x = math.sqrt(3) * torch.cat([torch.diag(sign * torch.tensor([2.0, 1.0, 0.5])) for sign in (1, -1)])
    mean, W, sigma2 = reference.ppca_fit(x, 1)
    assert sigma2.item() == pytest.approx(0.625)
    assert W.abs().flatten().tolist() == pytest.approx([math.sqrt(3.375), 0, 0], abs=1e-6)
    assert (x - x @ reference.pca_projector(x, 1)).square().sum(1).mean().item() == pytest.approx(1.25)
    means, cov = reference.ppca_posterior(torch.tensor([[5.0]]), torch.zeros(1), torch.tensor([[2.0]]), torch.tensor(1.0))
    assert (means.item(), cov.item()) == pytest.approx((2.0, 0.2))
    value = reference.ppca_log_prob(torch.tensor([[5.0]]), torch.zeros(1), torch.tensor([[2.0]]), torch.tensor(1.0))
    assert value.item() == pytest.approx(-4.224, abs=1e-3)


def test_log_likelihood_three_ways(reference):
    """By the D×D covariance, by the eigenvalues, and by Bayes' rule at any z: equal to 1e-8."""
    x, k = cloud(), 2
    given = mean, W, sigma2 = reference.ppca_fit(x, k)
    by_density = reference.ppca_log_prob(x, *given)
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))
    logs = values[-k:].log().sum() + (6 - k) * values[:-k].mean().log()
    assert by_density.mean().item() == pytest.approx(-0.5 * (6 * math.log(2 * math.pi) + logs + 6).item(), abs=1e-10)
    at, cov = reference.ppca_posterior(x, *given)
    normal = torch.distributions.MultivariateNormal
    for z in (torch.zeros(50, k).double(), at, 3 * draw(50, k, seed=4)):
        likelihood = normal(mean + z @ W.T, sigma2 * torch.eye(6).double()).log_prob(x)
        prior = normal(torch.zeros(k).double(), torch.eye(k).double()).log_prob(z)
        torch.testing.assert_close(likelihood + prior - normal(at, cov).log_prob(z), by_density, rtol=0, atol=1e-8)


def test_closed_form_of_the_elbo_with_the_exact_posterior_is_log_p(reference):
    x = cloud()
    mean, W, sigma2 = reference.ppca_fit(x, 3)
    at, cov = reference.ppca_posterior(x, mean, W, sigma2)
    error = (x - mean - at @ W.T).square().sum(1) + torch.trace(W @ cov @ W.T)
    likelihood = -0.5 * (6 * (2 * math.pi * sigma2).log() + error / sigma2)
    kl = 0.5 * (torch.trace(cov) + at.square().sum(1) - 3 - torch.logdet(cov))
    torch.testing.assert_close(likelihood - kl, reference.ppca_log_prob(x, mean, W, sigma2), rtol=0, atol=1e-8)


def test_density_and_posterior_by_quadrature(reference):
    mean, W, sigma2 = draw(3), draw(3, 1, seed=1), torch.tensor(0.4, dtype=torch.float64)
    x = draw(4, 3, seed=2)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    normal = torch.distributions.Normal
    joint = normal(mean + z[:, None] * W[:, 0], sigma2.sqrt()).log_prob(x[:, None]).sum(2) + normal(0, 1).log_prob(z)
    evidence = torch.trapezoid(joint.exp(), z)
    torch.testing.assert_close(reference.ppca_log_prob(x, mean, W, sigma2), evidence.log())
    first = torch.trapezoid(joint.exp() * z, z) / evidence
    second = torch.trapezoid(joint.exp() * z**2, z) / evidence
    means, cov = reference.ppca_posterior(x, mean, W, sigma2)
    torch.testing.assert_close(means[:, 0], first)
    torch.testing.assert_close(cov.expand(4, 1)[:, 0], second - first**2)


def test_posterior_by_conditioning_the_joint_gaussian(reference):
    mean, W, sigma2 = draw(5), draw(5, 3, seed=1), torch.tensor(0.3, dtype=torch.float64)
    x = draw(4, 5, seed=2)
    gain = W.T @ torch.linalg.inv(W @ W.T + sigma2 * torch.eye(5))
    means, cov = reference.ppca_posterior(x, mean, W, sigma2)
    torch.testing.assert_close(means, (x - mean) @ gain.T)
    torch.testing.assert_close(cov, torch.eye(3).double() - gain @ W)


def test_the_fit_is_a_maximum_and_turning_W_changes_nothing(reference):
    x = cloud()
    mean, W, sigma2 = (value.requires_grad_() for value in reference.ppca_fit(x, 2))
    best = reference.ppca_log_prob(x, mean, W, sigma2).mean()
    for slope in torch.autograd.grad(best, (mean, W, sigma2)):
        assert slope.abs().max() < 1e-9
    turn = torch.linalg.qr(draw(2, 2))[0]
    torch.testing.assert_close(reference.ppca_log_prob(x, mean, W @ turn, sigma2).mean(), best)


def test_log_prob_gradients_by_finite_differences(reference):
    leaves = [draw(3, 4), draw(4, seed=1), draw(4, 2, seed=2), torch.tensor(0.5, dtype=torch.float64)]
    assert torch.autograd.gradcheck(reference.ppca_log_prob, [leaf.requires_grad_() for leaf in leaves])


def test_autoencoder_against_matrices_by_hand(reference):
    torch.manual_seed(0)
    model = reference.Autoencoder((2, 3, 4), 7, 3).double()
    assert isinstance(model, nn.Module)
    w1, b1, w2, b2, w3, b3, w4, b4 = model.parameters()
    x = torch.rand(5, 2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    codes = (x.reshape(5, 24) @ w1.T + b1).clamp(min=0) @ w2.T + b2
    drawn = 1 / (1 + torch.exp(-((codes @ w3.T + b3).clamp(min=0) @ w4.T + b4)))
    torch.testing.assert_close(model.encode(x), codes)
    torch.testing.assert_close(model.decode(codes), drawn.reshape(5, 2, 3, 4))
    torch.testing.assert_close(model.squared_error(x), (drawn - x.reshape(5, 24)).square().sum(1))


def test_a_trained_autoencoder_beats_the_mean_image(reference):
    torch.manual_seed(0)
    x = torch.rand(64, 1, 4, 4, generator=torch.Generator().manual_seed(1)).round()
    x[1::2] = x[0]  # half of the images are the same one
    model = reference.Autoencoder((1, 4, 4), 32, 4)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        model.squared_error(x).mean().backward()
        optimizer.step()
    assert model.squared_error(x).mean() < 0.8 * (x - x.mean(0)).square().flatten(1).sum(1).mean()

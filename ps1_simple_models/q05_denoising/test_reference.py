"""Question 5 against scikit-learn, torch.distributions, numerical integration and Tweedie's formula."""

import math

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.image import extract_patches_2d, reconstruct_from_patches_2d
from sklearn.mixture import GaussianMixture

from dgm import data


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_mixture(K, D, seed=0, dtype=torch.float64):
    generator = seeded(seed)
    factors = torch.randn(K, D, D + 1, generator=generator, dtype=dtype)
    means = torch.randn(K, D, generator=generator, dtype=dtype)
    log_weights = torch.log_softmax(torch.randn(K, generator=generator, dtype=dtype), 0)
    return log_weights, means, factors @ factors.mT / D


def test_psnr(reference):
    x = torch.rand(2, 1, 5, 7, generator=seeded())
    y = x + 0.1 * torch.randn(x.shape, generator=seeded(1))
    want = 10 * math.log10(1 / np.mean((x.numpy().astype(float) - y.numpy()) ** 2))
    assert float(reference.psnr(x, y)) == pytest.approx(want, abs=1e-4)
    assert float(reference.psnr(x, x)) == math.inf


@pytest.mark.parametrize("size", [1, 2, 4])
def test_patches_are_those_of_scikit_learn(reference, size):
    image = torch.rand(1, 1, 6, 9, generator=seeded())
    want = extract_patches_2d(image[0, 0].numpy(), (size, size)).reshape(-1, size * size)
    np.testing.assert_array_equal(reference.extract_patches(image, size), want)


@pytest.mark.parametrize("size", [1, 3, 6])
def test_averages_are_those_of_scikit_learn(reference, size):
    patches = torch.randn((6 - size + 1) * (9 - size + 1), size * size, generator=seeded())
    want = reconstruct_from_patches_2d(patches.numpy().reshape(-1, size, size), (6, 9))
    np.testing.assert_allclose(reference.average_patches(patches, 6, 9)[0, 0], want, atol=1e-6)


def test_patches_of_an_image_average_to_the_image(reference):
    image = torch.rand(1, 1, 8, 11, generator=seeded())
    torch.testing.assert_close(reference.average_patches(reference.extract_patches(image, 3), 8, 11), image)


def test_posterior_mean_by_integration(reference):
    log_weights, means, covs = random_mixture(3, 1)
    x = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    components = torch.distributions.Normal(means[:, 0], covs[:, 0, 0].sqrt())
    prior = (log_weights + components.log_prob(x[:, None])).exp().sum(1)
    y = torch.linspace(-4, 4, 9, dtype=torch.float64)
    posterior = prior * torch.exp(-0.5 * ((y[:, None] - x) / 0.6) ** 2)
    want = (posterior * x).sum(1) / posterior.sum(1)
    got = reference.posterior_mean(y[:, None], 0.6, log_weights, means, covs)
    torch.testing.assert_close(got[:, 0], want, rtol=1e-6, atol=1e-6)


def test_posterior_mean_by_scikit_learn(reference):
    sigma, (log_weights, means, covs) = 0.5, random_mixture(4, 3)
    noisy = (covs + sigma**2 * torch.eye(3)).numpy()
    mixture = GaussianMixture(4, weights_init=log_weights.exp(), means_init=means)
    mixture.weights_, mixture.means_, mixture.covariances_ = log_weights.exp().numpy(), means.numpy(), noisy
    mixture.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(noisy))
    y = torch.randn(20, 3, generator=seeded(5), dtype=torch.float64)
    weights = mixture.predict_proba(y.numpy())
    want = np.zeros((20, 3))
    for n in range(20):
        for k in range(4):
            filtered = covs[k].numpy() @ np.linalg.inv(noisy[k]) @ (y[n] - means[k]).numpy()
            want[n] += weights[n, k] * (means[k].numpy() + filtered)
    np.testing.assert_allclose(reference.posterior_mean(y, sigma, log_weights, means, covs), want, atol=1e-8)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_posterior_mean_is_tweedies_formula(reference, dtype, tolerance):
    sigma, mixture = 0.7, random_mixture(3, 4, dtype=dtype)
    y = torch.randn(15, 4, generator=seeded(2), dtype=dtype, requires_grad=True)
    noisy = torch.distributions.MultivariateNormal(mixture[1], mixture[2] + sigma**2 * torch.eye(4, dtype=dtype))
    labels = torch.distributions.Categorical(logits=mixture[0])
    log_prob = torch.distributions.MixtureSameFamily(labels, noisy).log_prob(y)
    (score,) = torch.autograd.grad(log_prob.sum(), y)
    got = reference.posterior_mean(y.detach(), sigma, *mixture)
    assert got.dtype == dtype
    torch.testing.assert_close(got, (y + sigma**2 * score).detach(), rtol=tolerance, atol=tolerance)


def test_posterior_mean_has_the_smallest_error(reference):
    """On samples of the mixture it beats the linear filter, and versions of itself that shrink more or less."""
    log_weights = torch.tensor([0.7, 0.3]).log()
    means, covs = torch.tensor([[0.0, 0.0], [2.0, 1.0]]), torch.stack([0.05 * torch.eye(2), torch.eye(2)])
    labels = torch.multinomial(log_weights.exp(), 20_000, replacement=True, generator=seeded(1))
    noise = torch.randn(2, 20_000, 2, generator=seeded(2))
    x = means[labels] + (torch.linalg.cholesky(covs)[labels] @ noise[0, :, :, None])[:, :, 0]
    y = x + 0.6 * noise[1]

    def error(estimate):
        return float((estimate - x).square().mean())

    best = reference.posterior_mean(y, 0.6, log_weights, means, covs)
    linear = reference.posterior_mean(y, 0.6, torch.zeros(1), x.mean(0, keepdim=True), torch.cov(x.T)[None])
    others = linear, y, 0.97 * best, 1.03 * best, best + 0.05 * (y - best)
    assert error(best) < min(error(other) for other in others)


def test_limits_of_the_noise(reference):
    mixture = random_mixture(3, 2, dtype=torch.float32)
    y = torch.randn(7, 2, generator=seeded(3))
    torch.testing.assert_close(reference.posterior_mean(y, 1e-3, *mixture), y, atol=1e-3, rtol=1e-3)
    prior_mean = mixture[0].exp() @ mixture[1]
    torch.testing.assert_close(reference.posterior_mean(y, 1e4, *mixture), prior_mean.expand(7, 2), atol=1e-3, rtol=1e-3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_denoise_keeps_brightness_and_gains_decibels(reference):
    """With a mixture by scikit-learn, fitted to one photograph, the other gains what the notebook promises, roughly."""
    x = data.patches(data.photo("china"), 4, n=1500, seed=0).flatten(1)
    x = (x - x.mean(1, keepdim=True)).double().numpy()
    fitted = GaussianMixture(3, max_iter=6, reg_covar=1e-5, random_state=0).fit(x)
    parts = np.log(fitted.weights_), fitted.means_, fitted.covariances_
    mixture = [torch.tensor(part, dtype=torch.float32) for part in parts]
    clean = data.photo("flower")[..., 120:216, 260:356]
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=seeded())
    got = reference.denoise(noisy, 0.1, *mixture)
    assert got.shape == clean.shape
    assert float(reference.psnr(got, clean)) > float(reference.psnr(noisy, clean)) + 5
    shifted = reference.denoise(noisy + 3.0, 0.1, *mixture)  # the prior knows nothing about brightness
    torch.testing.assert_close(shifted - 3.0, got, atol=1e-4, rtol=0)


def test_the_numbers_of_the_text(reference):
    """The gain that the derivation is tested with, and the two posterior means of the one-dimensional mixture."""
    cov = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    gain = reference.posterior_mean(torch.eye(2), 1.0, torch.zeros(1), torch.zeros(1, 2), cov[None])
    torch.testing.assert_close(gain, torch.tensor([[5.0, 1.0], [1.0, 5.0]]) / 8)
    mixture = torch.tensor([0.8, 0.2]).log(), torch.zeros(2, 1), torch.tensor([0.04, 4.0]).view(2, 1, 1)
    got = reference.posterior_mean(torch.tensor([[0.5], [3.0]]), 0.5, *mixture)
    assert got[:, 0].tolist() == pytest.approx([0.10, 2.82], abs=0.005)
    trust = reference.responsibilities(torch.tensor([[0.5], [3.0]]), *mixture[:2], mixture[2] + 0.25)
    assert float(trust[0, 0]) == pytest.approx(0.91, abs=0.005)
    assert float(trust[1, 1]) > 0.99999

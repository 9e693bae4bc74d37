"""Other right versions of the answers to question 5."""

import math

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- denoise -------------------------------------------------------------------------------------------------------

alternatives.at(
    "return average_patches(estimates, image.shape[2], image.shape[3])",
    edit(
        "keeps_mean_in_posterior",
        "adds the patch mean in place of a broadcast, and folds the brightness separately",
        "return average_patches(estimates - brightness, *image.shape[2:]) + "
        "average_patches(brightness.expand_as(patches), *image.shape[2:])",
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over pixels, patches and components, in float64, with eigenvectors instead of a solve")
def loops(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        sums, counts = patches.new_zeros(height, width), patches.new_zeros(height, width)
        for n, patch in enumerate(patches):
            i, j = divmod(n, width - size + 1)
            sums[i : i + size, j : j + size] += patch.view(size, size)
            counts[i : i + size, j : j + size] += 1
        return (sums / counts)[None, None]

    def posterior_mean(y, sigma, log_weights, means, covs):
        y, log_weights, means, covs = (t.double() for t in (y, log_weights, means, covs))
        logs, estimates = [], []
        for log_weight, mean, cov in zip(log_weights, means, covs, strict=True):
            values, vectors = torch.linalg.eigh(cov)
            values = values.clamp(min=0)
            coefficients = (y - mean) @ vectors
            logs.append(log_weight - 0.5 * (coefficients**2 / (values + sigma**2) + (values + sigma**2).log()).sum(1))
            estimates.append(mean + (coefficients * values / (values + sigma**2)) @ vectors.T)
        weights = torch.stack(logs, 1).softmax(1)
        return (weights[:, :, None] * torch.stack(estimates, 1)).sum(1)

    def denoise(image, sigma, log_weights, means, covs):
        size = round(means.shape[1] ** 0.5)
        rows = []
        for patch in ref.extract_patches(image, size):
            centred = patch - patch.mean()
            rows.append(posterior_mean(centred[None], sigma, log_weights, means, covs)[0].to(image.dtype) + patch.mean())
        return average_patches(torch.stack(rows), *image.shape[-2:])

    return {
        "average_patches": average_patches,
        "posterior_mean": posterior_mean,
        "denoise": denoise,
    }


@alternatives.rewrite("Tweedie's formula with autograd in float64; patches by Tensor.unfold")
def tweedie(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        places = torch.arange(height * width, device=patches.device).view(height, width)
        index = places.unfold(0, size, 1).unfold(1, size, 1).flatten()
        sums = torch.zeros(height * width, dtype=patches.dtype, device=patches.device).index_add(
            0, index, patches.flatten()
        )
        return (sums / torch.bincount(index)).view(1, 1, height, width)

    def posterior_mean(y, sigma, log_weights, means, covs):
        dtype = y.dtype
        y, log_weights, means, covs = (t.double() for t in (y, log_weights, means, covs))
        y = y.detach().requires_grad_()
        noisy = covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        parts = torch.distributions.MultivariateNormal(means, noisy).log_prob(y[:, None])
        (score,) = torch.autograd.grad((log_weights + parts).logsumexp(1).sum(), y)
        return (y + sigma**2 * score).detach().to(dtype)

    return {"average_patches": average_patches, "posterior_mean": posterior_mean}


@alternatives.rewrite("torch.distributions for the responsibilities, one batched solve, einsum")
def batched(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        noisy = covs + torch.diag_embed(torch.full_like(means, sigma**2))
        log_joint = torch.distributions.MultivariateNormal(means, noisy).log_prob(y[:, None]) + log_weights
        weights = (log_joint - log_joint.logsumexp(1, keepdim=True)).exp()
        gains = covs @ torch.linalg.inv(noisy)
        estimates = means + torch.einsum("kij,nkj->nki", gains, y[:, None] - means)
        return torch.einsum("nk,nki->ni", weights, estimates)

    return {"posterior_mean": posterior_mean}


@alternatives.rewrite("the precision form: y minus the noise that (Σ + σ²I)⁻¹ σ² explains; a running sum of images")
def subtracts_the_noise(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        noisy = covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        weights = ref.responsibilities(y, log_weights, means, noisy)
        columns = (y[None] - means[:, None]).mT.double()  # K, D, N
        noise = sigma**2 * torch.linalg.solve(noisy.double(), columns)
        return (y - torch.einsum("nk,kdn->nd", weights.double(), noise)).to(y.dtype)

    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        down, across = height - size + 1, width - size + 1
        stack = patches.reshape(down, across, size, size)
        total, count = patches.new_zeros(1, 1, height, width), patches.new_zeros(1, 1, height, width)
        for i in range(size):
            for j in range(size):
                total[0, 0, i : i + down, j : j + across] += stack[:, :, i, j]
                count[0, 0, i : i + down, j : j + across] += 1
        return total / count

    return {"posterior_mean": posterior_mean, "average_patches": average_patches}

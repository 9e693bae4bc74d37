"""Hidden tests of question 5: denoising by the posterior mean under a mixture of Gaussians."""

import math

import torch

from autograder.probes import Close, Question

question = Question(
    title="A mixture that denoises a photograph",
    uses=["mvn_log_prob", "gmm_log_joint", "gmm_log_prob", "responsibilities"],
    skills=["1.03", "1.14", "1.15"],
    aim=(
        "A density at work: posterior means under Gaussian noise (Wiener filter, then a mixture of them), overlapping "
        "patches, PSNR; prepares the score and Tweedie's formula of diffusion models."
    ),
    hints={"psnr": [
        "Start with K = 1, equation (5.1), and compare with a loop over single vectors. `F.unfold` returns (1, D, "
        "N). For `average_patches`: what does `F.fold` give for patches that are all ones?",
        "The noisy vectors follow the same mixture with other covariances: Σ_k + σ²I. With these your "
        "`responsibilities` of Question 3 already are equation (5.2). The gain Σ (Σ + σ²I)⁻¹ is a symmetric matrix, "
        "so many rows y − μ at once are multiplied by it from the right.",
        "`gain = torch.linalg.solve(covs[k] + sigma**2 * I, covs[k])`, then `means[k] + (y - means[k]) @ gain`, "
        "weighted by column k of the responsibilities. `denoise`: extract, subtract each patch's mean, posterior "
        "mean, add the mean again, average.",
    ]},
    ambiguities=[
        "`psnr` may return a Python float.",
        "Clamping in `denoise` is excluded by the text; the probe's image leaves [0, 1].",
    ],
)


def random_mixture(rng, K, D, spread=1.0, low=0.1, high=2.0):
    """Log-weights, means and covariances of a mixture."""
    covs = torch.stack([rng.spd(D, low, high) for _ in range(K)])
    return torch.log(rng.simplex(K) * 0.8 + 0.2 / K), spread * rng.normal(K, D), covs


@question.probe(points=0.5, title="PSNR", public=True)
def peak_signal_to_noise(student, rng):
    shape = (rng.integer(2, 5), 1, rng.integer(4, 8), rng.integer(4, 8))
    x, noise = rng.uniform(*shape), rng.normal(*shape)
    stronger = noise * torch.linspace(0.05, 0.4, shape[0], device=rng.device)[:, None, None, None]
    return {
        "one image": student.psnr(x[:1], x[:1] + rng.number(0.02, 0.3) * noise[:1]),
        "a batch": student.psnr(x, x + stronger),
        "far apart": student.psnr(x, x + 1.5 * noise),
        "nearly equal": student.psnr(x.double(), x.double() + 1e-5 * noise.double()),
        "without batch and channel": student.psnr(x[0, 0], x[0, 0] + 0.1 * noise[0, 0]),
        "equal images": student.psnr(x, x.clone()),
    }


@question.probe(points=0.5, title="all overlapping patches in raster order", public=True)
def patches_of_an_image(student, rng):
    height, width = rng.integer(6, 9), rng.integer(9, 13)
    image = rng.normal(1, 1, height, width)
    return {
        "patches": student.extract_patches(image, rng.integer(2, 5)),
        "patches of one pixel": student.extract_patches(image, 1),
        "one patch": student.extract_patches(image[:, :, :4, :4], 4),
    }


@question.probe(points=1, title="mean over overlapping patches", public=True)
def averages_of_patches(student, rng):
    size, height, width = rng.integer(3, 5), rng.integer(6, 9), rng.integer(9, 13)
    patches = rng.normal((height - size + 1) * (width - size + 1), size * size)
    patches[1::4] = 0.0  # a black pixel counts like any other
    return {
        "patches that disagree": student.average_patches(patches, height, width),
        "one patch": student.average_patches(patches[:1], size, size),
        "patches of another size": student.average_patches(rng.normal((height - 1) * (width - 1), 4), height, width),
    }


@question.probe(points=1, title="posterior mean for one Gaussian", public=True)
def one_gaussian(student, rng):
    result = {}
    for name, D in (("several dimensions", rng.integer(3, 7)), ("one dimension", 1)):
        mixture = (torch.zeros(1, device=rng.device), 2 * rng.normal(1, D), rng.spd(D, 0.1, 3.0)[None])
        result[name] = student.posterior_mean(2 * rng.normal(rng.integer(7, 11), D), rng.number(0.3, 1.8), *mixture)
    return result


@question.probe(points=1.5, title="posterior mean for a mixture", judge=Close(rtol=1e-3, atol=1e-4))
def mixture_of_gaussians(student, rng):
    result = {}
    for name, D in (("several dimensions", rng.integer(2, 6)), ("one dimension", 1)):
        mixture, sigma = random_mixture(rng, rng.integer(3, 6), D), rng.number(0.4, 0.7)
        result[name] = student.posterior_mean(1.5 * rng.normal(rng.integer(12, 20), D), sigma, *mixture)
    D = rng.integer(4, 7)
    y = rng.normal(1, D)
    result["one vector"] = student.posterior_mean(y, rng.number(1.5, 3.0), *random_mixture(rng, 2, D))
    result["vector made to require gradients"] = int(y.requires_grad)
    return result


@question.probe(points=0.5, title="posterior mean at extremes", judge=Close(rtol=1e-3, atol=5e-4))
def extremes(student, rng):
    D, K = rng.integer(3, 6), 3
    result = {}
    # far away: components of very different width, so that one of them owns each vector beyond doubt
    log_weights, means, covs = random_mixture(rng, K, D)
    covs = covs * torch.tensor([0.1, 1.0, 10.0], device=rng.device)[rng.permutation(K)][:, None, None]
    y = rng.normal(6, D)
    y = rng.number(150, 250) * y / y.norm(dim=1, keepdim=True)
    result["far away"] = student.posterior_mean(y, rng.number(0.3, 0.6), log_weights, means, covs)
    # singular covariances, as vectors with zero mean have them
    centre = torch.eye(D, device=rng.device) - 1 / D
    singular = centre @ random_mixture(rng, K, D)[2] @ centre
    y = rng.normal(6, D)
    result["singular covariances"] = student.posterior_mean(y, rng.number(0.4, 0.8), log_weights, means, singular)
    log_weights, means, covs = random_mixture(rng, K, D)
    result["hardly any noise"] = student.posterior_mean(y, 1e-3, log_weights, means, covs)
    result["nothing but noise"] = student.posterior_mean(y, 1e3, log_weights, means, covs)
    tiny = (
        1e-3 * rng.normal(12, D) * torch.linspace(0.5, 4.0, 12, device=rng.device)[:, None]
    )  # everything a thousand times smaller, the noise too
    log_weights, means, covs = random_mixture(rng, K, D)
    result["tiny numbers, times 1000"] = 1e3 * student.posterior_mean(
        tiny, 1e-3, log_weights, 1e-3 * means, 1e-6 * covs
    )
    far = y[:2] * 1e5 / y[:2].norm(dim=1, keepdim=True)
    live = torch.tensor([0.0, -math.inf], device=rng.device)
    result["a dead component that fits best"] = student.posterior_mean(
        far, 0.5, live, torch.cat([means[:1], far[:1]]), covs[:2]
    )
    dead = torch.cat([log_weights, torch.full((1,), -math.inf, device=rng.device)])
    result["a dead component"] = student.posterior_mean(
        y, 0.5, dead, torch.cat([means, y[:1]]), torch.cat([covs, 1e-6 * torch.eye(D, device=rng.device)[None]])
    )
    return result


@question.probe(points=1, title="denoising an image", judge=Close(rtol=1e-3, atol=1e-4))
def denoised_image(student, rng):
    height, width = rng.integer(7, 10), rng.integer(10, 14)
    image = rng.uniform(1, 1, height, width, low=-0.2, high=1.2)
    image = image + torch.linspace(-1.5, 1.5, width, device=rng.device)  # far out of [0, 1] on both sides
    result = {}
    for size in (2, rng.integer(3, 5)):
        mixture = random_mixture(rng, rng.integer(2, 4), size * size, 0.3, 0.01, 0.1)
        result[f"patches of {size} by {size}"] = student.denoise(image, rng.number(0.15, 0.3), *mixture)
    return result

"""Hidden tests of question 5: denoising by the posterior mean under a mixture of Gaussians."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry

question = Question(
    title="A mixture that denoises a photograph",
    uses=["mvn_log_prob", "responsibilities"],
    skills=["1.03", "1.14", "1.15"],
    lecture="the multivariate Gaussian and its conditionals; mixtures of Gaussians",
    run_seconds=16,
    aim=(
        "A density at work: the student derives the gain of the posterior mean under Gaussian noise (Wiener filter), "
        "combines the filters of a mixture, and repairs a photograph; prepares score and Tweedie's formula."
    ),
    hints={
        "posterior_mean": (
            "The noisy y come from a mixture, too. Which of its weights, means and covariances differ from those of x?",
            "One dimension, variances 0.04 and 4, weights 0.8 and 0.2, σ = 0.5, means 0: y = 0.5 must give 0.10, and "
            "y = 3 must give 2.82.",
            "Give the covariances of the noisy y to a function of Question 3. For the gain, solve a linear system with "
            "the matrix that always has an inverse, and multiply all rows y − μ at once.",
        ),
        "average_patches": (
            "In how many patches of 2 by 2 lies a corner pixel, one of the border, one inside?",
            "`F.fold` adds patches up. Which image does it give for patches that are all ones?",
            "`F.fold` wants (1, D, N), so transpose; fold twice, and divide.",
        ),
        "denoise": (
            "What does the mixture know about a patch's brightness, and who must keep it meanwhile?",
            "Denoise an image, and the same image plus 3: the results must differ by 3, up to rounding.",
            "D gives the patch's side. Four stages: cut, take one mean per row away, posterior mean, add and average.",
        ),
    },
    ambiguities=[
        "Clamping in `denoise` is excluded by the docstring; the probe's image leaves [0, 1].",
        "`posterior_mean` may compute in float64; its answer may be float64 for float32 inputs.",
    ],
)

LOOSE = Close(rtol=1e-3, atol=1e-4)  # the log-densities of Question 3 in float32
EXTREME = Close(rtol=1e-3, atol=5e-4)
TIGHT = Close(rtol=1e-8, atol=1e-8)  # for float64


def random_mixture(rng, K, D, spread=1.0, low=0.1, high=2.0):
    """Log-weights, means and covariances of a mixture."""
    covs = torch.stack([rng.spd(D, low, high) for _ in range(K)])
    return torch.log(rng.simplex(K) * 0.8 + 0.2 / K), spread * rng.normal(K, D), covs


def double(mixture):
    """The same in float64, with weights that sum to one there."""
    log_weights, means, covs = (part.double() for part in mixture)
    return log_weights.log_softmax(0), means, covs


def ramp(rng, height, width):
    """An image that leaves [0, 1] on both sides."""
    slope = torch.linspace(-1.5, 1.5, width, device=rng.device)
    return rng.uniform(1, 1, height, width, low=-0.2, high=1.2) + slope


@question.probe(points=1, title="posterior mean: one Gaussian, and a mixture", judge=Fields({}, default=LOOSE), public=True)
def posterior_means(student, rng):
    D = rng.integer(3, 6)
    single = (torch.zeros(1, device=rng.device), 2 * rng.normal(1, D), rng.spd(D, 0.1, 3.0)[None])
    y, sigma = 2 * rng.normal(rng.integer(7, 11), D), rng.number(0.4, 0.8)
    mixture = random_mixture(rng, rng.integer(3, 5), D)
    line, flat = random_mixture(rng, 3, 1), 1.5 * rng.normal(9, 1)
    return {
        "one Gaussian": entry("`posterior_mean`", lambda: student.posterior_mean(y, sigma, *single)),
        "mixture": entry("`posterior_mean`", lambda: student.posterior_mean(y, sigma, *mixture)),
        "mixture in one dimension": entry("`posterior_mean`", lambda: student.posterior_mean(flat, sigma, *line)),
    }


@question.probe(
    points=2, title="posterior mean at the edges",
    judge=Fields({"strong noise, K = 2": LOOSE, "many vectors, K = 5": LOOSE, "in float64": TIGHT}, default=EXTREME),
)
def posterior_edges(student, rng):
    D, K = rng.integer(3, 6), 3
    mixtures = [random_mixture(rng, K, D) for _ in range(6)]
    y, device = rng.normal(6, D), rng.device
    log_weights, means, covs = mixtures[0]
    # far away: components of very different width, so that one of them owns each vector beyond doubt
    widths = torch.tensor([0.1, 1.0, 10.0], device=device)[rng.permutation(K)][:, None, None]
    direction = rng.normal(6, D)
    far = rng.number(150, 250) * direction / direction.norm(dim=1, keepdim=True)
    very_far = 1e5 * y[:2] / y[:2].norm(dim=1, keepdim=True)
    centre = torch.eye(D, device=device) - 1 / D  # vectors that sum to 0
    singular = centre @ mixtures[2][2] @ centre
    singular[0] = mixtures[2][2][0]
    singular[0, -1] = singular[0, :, -1] = 0  # a variance of exactly 0, where the other two are singular up to rounding
    tiny = 1e-3 * rng.normal(12, D) * torch.linspace(0.5, 4.0, 12, device=device)[:, None]
    dead_last = torch.cat([log_weights, torch.full((1,), -math.inf, device=device)])
    narrow = torch.cat([covs, 1e-6 * torch.eye(D, device=device)[None]])
    alone = torch.tensor([0.0, -math.inf], device=device)
    exact, strong, many = double(mixtures[3]), random_mixture(rng, 2, D), random_mixture(rng, 5, D)
    loud, quiet = rng.number(1.5, 3.0), rng.number(0.4, 0.7)
    some = 1.5 * rng.normal(15, D)

    def call(*arguments):
        return entry("`posterior_mean`", lambda: student.posterior_mean(*arguments))

    small = call(tiny, 1e-3, mixtures[1][0], 1e-3 * mixtures[1][1], 1e-6 * mixtures[1][2])
    return {
        "strong noise, K = 2": call(y, loud, *strong),
        "many vectors, K = 5": call(some, quiet, *many),
        "far from every component": call(far, quiet, log_weights, means, covs * widths),
        "singular covariances": call(y, quiet, log_weights, means, singular),
        "hardly any noise": call(y, 1e-3, *mixtures[4]),
        "nothing but noise": call(y, 1e3, *mixtures[5]),
        "variances of 1e-6, result times 1000": 1e3 * small if isinstance(small, torch.Tensor) else small,
        "a component of weight 0": call(y, 0.5, dead_last, torch.cat([means, y[:1]]), narrow),
        "a component of weight 0 that fits best": call(
            very_far, 0.5, alone, torch.cat([means[:1], very_far[:1]]), covs[:2]
        ),
        "in float64": call(some.double(), quiet, *exact),
    }


@question.probe(points=0.5, title="mean over overlapping patches", judge=Fields({}, default=Close()), public=True)
def averages(student, rng):
    size, height, width = rng.integer(3, 5), rng.integer(7, 9), rng.integer(9, 13)
    patches = rng.normal((height - size + 1) * (width - size + 1), size * size)
    pairs = rng.normal((height - 1) * (width - 1), 4)
    return {
        "larger patches": entry("`average_patches`", lambda: student.average_patches(patches, height, width)),
        "patches of 2 by 2": entry("`average_patches`", lambda: student.average_patches(pairs, height, width)),
    }


@question.probe(
    points=0.5, title="mean over overlapping patches at the edges",
    judge=Fields({"in float64": Close(rtol=2e-8, atol=1e-9)}, default=Close()),
)
def average_edges(student, rng):
    height, width = rng.integer(4, 6), rng.integer(5, 8)
    black = rng.normal((height + 2) * (width + 2), 9)
    black[1::4] = 0.0  # a black pixel counts like any other
    crowded = rng.normal((height - 2) * (width + 3 - 2), 9)  # both borders are near

    def call(patches, *shape):
        return entry("`average_patches`", lambda: student.average_patches(patches, *shape))

    return {
        "black pixels": call(black, height + 4, width + 4),
        "a small image": call(crowded, height, width + 3),
        "a tall image": call(rng.normal((width + 4) * (height - 1), 4), width + 5, height),
        "a single patch": call(rng.normal(1, 16), 4, 4),
        "patches of one pixel": call(rng.normal(height * width, 1), height, width),
        "in float64": call(rng.normal((height - 1) * (width - 1), 4, dtype=torch.float64), height, width),
    }


@question.probe(points=0.5, title="denoising an image", judge=Fields({}, default=LOOSE), public=True)
def denoised(student, rng):
    image = rng.uniform(1, 1, rng.integer(7, 10), rng.integer(10, 13))
    mixture, sigma = random_mixture(rng, 3, 9, 0.3, 0.01, 0.1), rng.number(0.15, 0.3)
    return {"patches of 3 by 3": entry("`denoise`", lambda: student.denoise(image, sigma, *mixture))}


@question.probe(
    points=1.5, title="denoising: other sizes, outside [0, 1], float64",
    judge=Fields({"in float64": TIGHT, "far outside [0, 1]": Close(rtol=1e-3, atol=1e-3)}, default=LOOSE),
)
def denoised_edges(student, rng):
    image, sigma = ramp(rng, rng.integer(7, 10), rng.integer(10, 14)), rng.number(0.15, 0.3)
    small, large = random_mixture(rng, 2, 4, 0.3, 0.01, 0.1), random_mixture(rng, 3, 16, 0.3, 0.01, 0.1)
    single, exact = random_mixture(rng, 1, 9, 0.3, 0.01, 0.1), double(random_mixture(rng, 2, 4, 0.3, 0.01, 0.1))

    def call(*arguments):
        return entry("`denoise`", lambda: student.denoise(*arguments))

    return {
        "patches of 2 by 2": call(image, sigma, *small),
        "patches of 4 by 4": call(image, sigma, *large),
        "one Gaussian, a tall image": call(image.mT.contiguous(), sigma, *single),
        "a single patch": call(image[..., :4, :4], sigma, *large),
        "far outside [0, 1]": call(4 * image - 8, sigma, *small),
        "in float64": call(image.double(), sigma, *exact),
    }

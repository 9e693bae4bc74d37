"""Question 2: the full-covariance Gaussian, its maximum likelihood, entropy and KL."""

import math

import torch

from autograder.probes import Close, Fields, Question

from ..shared.answers import gradient

question = Question(
    title="The full-covariance Gaussian and its maximum likelihood",
    skills=["1.03", "1.04", "1.09"],
    aim=(
        "Evaluate, fit and compare full-covariance Gaussians through the Cholesky factor, and check a closed form by "
        "Monte Carlo."
    ),
    hints={
        "mvn_log_prob": (
            "What are L and z for D = 1, cov = [[4]], and a point 2 away from the mean?",
            "Two points in three dimensions: which shape must the right-hand side of `solve_triangular` have, so that each "
            "point is a column?",
            "Bring x - mean into a matrix with one column for each point (`reshape(-1, D).T`), sum the squares over the "
            "columns' entries, and give the result the shape `x.shape[:-1]`.",
        ),
        "fit_gaussian": (
            "Which number do the weights have to be divided by, if they are 0, 3 and 1?",
            "The points 0 and 4 with weights 3 and 1: the mean is 1, the variance is (3·1 + 1·9)/4 = 3.",
            "Normalise the weights once, give them the shape (N, 1), centre the data with the weighted mean, and weight "
            "only one of the two factors of the product.",
        ),
        "gaussian_entropy": (
            "Which part of (2.1) is left when the average over p is taken, and what is the average of the quadratic form?",
            "D = 1, variance 1: ½(1 + log 2π) = 1.419. By how much does it grow for variance 4?",
            "½ log|Σ| is the sum of the logarithms of L's diagonal.",
        ),
        "gaussian_kl": (
            "What must the result be for p = q, and which of your four terms is D then?",
            "D = 1, equal means, variances 1 and 4: 0.318; the other way round 0.807.",
            "Two triangular solves with L_q: one for L_p (sum of squares: the trace), one for the difference of the means.",
        ),
        "kl_monte_carlo": (
            "From which of the two Gaussians do the samples come?",
            "If `L @ eps[s]` is one sample, which product of the matrices gives all of them, one a row?",
            "Two calls of your density at the same samples, subtracted; then the mean, and the standard deviation over √S.",
        ),
    },
    lecture="the multivariate Gaussian; KL divergence",
    run_seconds=6,
    ambiguities=[
        "An explicit inverse with slogdet is accepted: it is as accurate as Cholesky to the tolerance on everything "
        "tested. log(det(...)) is not, and neither is an eigendecomposition in float32 where the units differ.",
        "The standard error of kl_monte_carlo may use 1/S or 1/(S-1).",
    ],
)


def units(rng, dim, dtype=torch.float32):
    """Standard deviations from 0.001 to 1000, in random order."""
    return (10.0 ** torch.linspace(-3, 3, dim, dtype=dtype, device=rng.device))[rng.permutation(dim)]


def rescaled(cov, scale):
    cov = scale[:, None] * cov * scale
    return (cov + cov.T) / 2


def many_dimensions(rng):
    """A covariance of so many dimensions that its determinant at a standard deviation of 0.001 is 0 in float64, too."""
    dim = 116
    factor = 0.2 * rng.normal(dim, 8)
    cov = torch.diag(0.5 + rng.uniform(dim)) + factor @ factor.T
    return (cov + cov.T) / 2


def nearly_singular(rng, dim):
    """A covariance in float64 that rounds to a matrix of ones in float32: all dimensions nearly the same."""
    return torch.ones(dim, dim, dtype=torch.float64, device=rng.device) + 1e-8 * rng.spd(
        dim, low=1.0, high=2.0, dtype=torch.float64
    )


def nearly_equal(rng, n, dim):
    """Points that fit to it, and lie at 1000."""
    return 1e3 + rng.normal(n, 1, dtype=torch.float64) + 1e-4 * rng.normal(n, dim, dtype=torch.float64)


@question.probe(points=0.5, title="log-density at a batch of points", public=True)
def density(student, rng):
    d = rng.integer(2, 6)
    mean, cov = rng.normal(d), rng.spd(d)
    x = 2 * rng.normal(rng.integer(3, 7), d)
    return {
        "batch": student.mvn_log_prob(x, mean, cov),
        "batch of D points": student.mvn_log_prob(2 * rng.normal(d, d), mean, cov),
        "D = 1": student.mvn_log_prob(rng.normal(4, 1), rng.normal(1), rng.spd(1)),
    }


@question.probe(
    points=1.5,
    title="log-density: many dimensions, different units, nearly singular",
    judge=Fields(
        {
            **dict.fromkeys(
                ["determinant underflows", "determinant overflows", "different units", "nearly singular"],
                Close(rtol=1e-3, atol=2e-3),
            ),
            **dict.fromkeys(
                ["narrow and far from zero, float64", "nearly singular, float64"], Close(rtol=1e-6, atol=2e-5)
            ),
        }
    ),
)
def density_hard(student, rng):
    d = rng.integer(3, 6)
    small, large = many_dimensions(rng) * 1e-6, many_dimensions(rng) * 1e6
    zero = torch.zeros(len(small), device=rng.device)
    graded = []
    for _ in range(4):  # several orders of the units: some suit an eigendecomposition by luck
        scale = units(rng, 5)
        x = scale * rng.normal(3, 5)
        graded.append(student.mvn_log_prob(x, torch.zeros(5, device=rng.device), rescaled(rng.spd(5), scale)))
    place, narrow = rng.normal(d, mean=1e3, dtype=torch.float64), 2e-6 * rng.normal(3, d, dtype=torch.float64)
    flat = rng.spd(d, low=1.0, high=2.0) / 1000 + torch.ones(d, d, device=rng.device)  # all dimensions nearly the same
    return {
        "determinant underflows": student.mvn_log_prob(1e-3 * rng.normal(3, len(zero)), zero, small),
        "determinant overflows": student.mvn_log_prob(1e3 * rng.normal(3, len(zero)), zero, large),
        "different units": graded,
        "nearly singular": student.mvn_log_prob(
            rng.normal(3, 1) + 0.03 * rng.normal(3, d), torch.zeros(d, device=rng.device), flat
        ),
        "narrow and far from zero, float64": student.mvn_log_prob(
            place + narrow, place, 4e-12 * rng.spd(d, dtype=torch.float64)
        ),
        "nearly singular, float64": student.mvn_log_prob(
            nearly_equal(rng, 4, d), nearly_equal(rng, 1, d)[0], nearly_singular(rng, d)
        ),
    }


@question.probe(
    points=1, title="log-density: one point, more axes in front, gradients", judge=Close(rtol=1e-3, atol=1e-4)
)
def density_shapes(student, rng):
    d = rng.integer(2, 6)
    mean, cov = rng.normal(d), rng.spd(d)
    x, mean_p, cov_p = (
        rng.normal(4, d).requires_grad_(True),
        rng.normal(d).requires_grad_(True),
        rng.spd(d).requires_grad_(True),
    )
    grad_x, grad_mean, grad_cov = gradient(
        "the result", student.mvn_log_prob(x, mean_p, cov_p), x=x, mean=mean_p, cov=cov_p
    )
    return {
        "one point, float64": student.mvn_log_prob(rng.normal(d).double(), mean.double(), cov.double()),
        "two axes in front": student.mvn_log_prob(rng.normal(3, 2, d).transpose(0, 1), mean, cov),
        "three axes in front": student.mvn_log_prob(rng.normal(2, 1, 3, d), mean, cov),
        "batch of one": student.mvn_log_prob(rng.normal(1, d), mean, cov),
        "gradients": [grad_x, grad_mean, grad_cov + grad_cov.T],
    }


@question.probe(points=0.5, title="maximum-likelihood mean and covariance", public=True)
def fit(student, rng):
    d = rng.integer(2, 5)
    x = rng.normal(rng.integer(4, 9), d) @ rng.spd(d) + 2 * rng.normal(d)
    return {
        "few points": student.fit_gaussian(x),
        "D = 1, float64": student.fit_gaussian(rng.normal(5, 1, dtype=torch.float64) + 1),
        "two points": student.fit_gaussian(x[:2]),
        "with weights": student.fit_gaussian(x, 0.2 + 3 * rng.uniform(len(x))),
    }


@question.probe(points=1, title="weighted fit, and rows of padding")
def fit_weighted(student, rng):
    n, d = rng.integer(6, 10), rng.integer(2, 5)
    x = rng.normal(n, d) @ rng.spd(d) + 2 * rng.normal(d)
    padded = torch.cat([x, 5 * rng.normal(1, d).expand(rng.integer(2, 5), d), 1e12 * rng.normal(1, d)])
    mask = torch.cat([torch.ones(n, device=rng.device), torch.zeros(len(padded) - n, device=rng.device)])
    order = torch.cat(
        [torch.tensor([len(padded) - 1], device=rng.device), rng.permutation(len(padded) - 1)]
    )  # the largest first
    return {
        "weights": student.fit_gaussian(x, 0.2 + 3 * rng.uniform(n)),
        "small weights": student.fit_gaussian(x, 1e-12 * (1 + rng.uniform(n))),
        "large weights": student.fit_gaussian(x, 1e12 * (1 + rng.uniform(n))),
        "padding": student.fit_gaussian(padded[order], mask[order]),
    }


@question.probe(
    points=1,
    title="fit of data far from zero, and of narrow data",
    judge=Fields(
        {
            "float32": Close(rtol=1e-3, atol=2e-3),
            "covariance in float64": Close(rtol=1e-3, atol=2e-3),
            "mean in float64, minus the first example": Close(rtol=1e-6, atol=1e-6),
            "covariance of narrow data, over its scale": Close(rtol=1e-3, atol=1e-3),
            "variance of a small difference in float64": Close(rtol=1e-3, atol=1e-3),
        }
    ),
)
def fit_far(student, rng):
    n, d = rng.integer(33, 60), rng.integer(2, 5)
    x = rng.normal(n, d) + 1000 * (1 + rng.uniform(d))
    wide = 1e6 * (1 + rng.uniform(d, dtype=torch.float64)) + rng.normal(n, d, dtype=torch.float64)
    far = [student.fit_gaussian(wide), student.fit_gaussian(wide, 0.5 + rng.uniform(n, dtype=torch.float64))]
    scale = units(rng, d)
    _, narrow = student.fit_gaussian(scale * rng.normal(n, d))
    narrower = rng.normal(d, dtype=torch.float64) + 2e-6 * rng.normal(n, d, dtype=torch.float64)
    _, narrower = student.fit_gaussian(narrower, 0.5 + rng.uniform(n, dtype=torch.float64))
    _, alike = student.fit_gaussian(nearly_equal(rng, n, d) - 1e3)
    return {
        "float32": [student.fit_gaussian(x), student.fit_gaussian(x, 0.5 + rng.uniform(n))],
        "covariance in float64": [cov for _, cov in far],
        "mean in float64, minus the first example": [mean - wide[0] for mean, _ in far],
        "covariance of narrow data, over its scale": [narrow / scale / scale[:, None], narrower / 4e-12],
        "variance of a small difference in float64": (alike[0, 0] + alike[1, 1] - 2 * alike[0, 1]) * 1e8,
    }


@question.probe(points=0.25, title="entropy of ordinary covariances", public=True)
def entropy_ordinary(student, rng):
    d = rng.integer(2, 6)
    covs = [rng.spd(d) for _ in range(3)]
    return {
        "several dimensions": [student.gaussian_entropy(cov) for cov in covs],
        "twice as wide": [student.gaussian_entropy(4 * cov) for cov in covs],
        "D = 1": [student.gaussian_entropy(rng.spd(1)) for _ in range(3)],
    }


@question.probe(
    points=0.5,
    title="entropy",
    judge=Fields(
        {
            "float32": Close(rtol=1e-4, atol=1e-4),
            "different units": Close(rtol=1e-4, atol=1e-4),
            "many dimensions": Close(rtol=1e-4, atol=1e-4),
            "float64": Close(rtol=1e-6, atol=2e-5),
        }
    ),
)
def entropy(student, rng):
    d = rng.integer(2, 6)
    return {
        "float32": [student.gaussian_entropy(rng.spd(d)), student.gaussian_entropy(rng.spd(1))],
        "different units": [student.gaussian_entropy(rescaled(rng.spd(5), units(rng, 5))) for _ in range(4)],
        "many dimensions": [student.gaussian_entropy(scale * many_dimensions(rng)) for scale in (1e-6, 1e6)],
        "float64": [
            student.gaussian_entropy(1e-12 * rng.spd(d, dtype=torch.float64)),
            student.gaussian_entropy(nearly_singular(rng, d)),
        ],
    }


@question.probe(points=0.5, title="KL of two Gaussians in closed form", judge=Close(rtol=1e-4, atol=1e-4), public=True)
def kl(student, rng):
    d = rng.integer(2, 6)
    mean_p, cov_p, mean_q, cov_q = rng.normal(d), rng.spd(d), rng.normal(d), rng.spd(d)
    return {
        "p and q": student.gaussian_kl(mean_p, cov_p, mean_q, cov_q),
        "q and p": student.gaussian_kl(mean_q, cov_q, mean_p, cov_p),
        "same covariance": student.gaussian_kl(mean_p, cov_p, mean_q, cov_p),
        "same mean": student.gaussian_kl(mean_p, cov_p, mean_p, cov_q),
        "same Gaussian": student.gaussian_kl(mean_p, cov_p, mean_p, cov_p),
        "D = 1": student.gaussian_kl(rng.normal(1), rng.spd(1), rng.normal(1), rng.spd(1)),
    }


@question.probe(
    points=1,
    title="KL: many dimensions, different units, float64",
    judge=Fields(
        {
            "many dimensions": Close(rtol=1e-3, atol=1e-3),
            "different units": Close(rtol=1e-3, atol=1e-3),
            "float64": Close(rtol=1e-5, atol=1e-4),
        }
    ),
)
def kl_hard(student, rng):
    d = rng.integer(3, 6)
    p, q = 1e-6 * many_dimensions(rng), 1e-6 * many_dimensions(rng)
    zero = torch.zeros_like(p[0])
    scale = units(rng, d)
    narrow = [4e-12 * rng.spd(d, dtype=torch.float64) for _ in range(2)]
    place, step = rng.normal(d, mean=1e3, dtype=torch.float64), 2e-6 * rng.normal(d, dtype=torch.float64)
    return {
        "many dimensions": [
            student.gaussian_kl(zero, p, 1e-3 * rng.normal(len(p)), q),
            student.gaussian_kl(zero, 1e12 * p, 1e3 * rng.normal(len(p)), 1e12 * q),
        ],
        "different units": student.gaussian_kl(
            scale * rng.normal(d), rescaled(rng.spd(d), scale), scale * rng.normal(d), rescaled(rng.spd(d), scale)
        ),
        "float64": [
            student.gaussian_kl(place + step, narrow[0], place, narrow[1]),
            student.gaussian_kl(
                nearly_equal(rng, 1, d)[0], nearly_singular(rng, d), nearly_equal(rng, 1, d)[0], nearly_singular(rng, d)
            ),
        ],
    }


def estimates_and_errors(evidence, expected, context):
    """The estimates agree; so do the standard errors, whose standard deviation may be with 1/S or 1/(S-1)."""
    verdict = Close(rtol=1e-3, atol=1e-3)(evidence["estimate"], expected["estimate"], context)
    if not verdict.passed:
        return f"estimate: {verdict.message}"
    for got, want, samples in zip(
        evidence["standard error"], expected["standard error"], expected["samples"], strict=True
    ):
        verdict = Close(rtol=1e-3, atol=1e-6)(got, want, context)
        if not (verdict.passed or Close(rtol=1e-3, atol=1e-6)(got, want * math.sqrt(1 - 1 / samples), context).passed):
            return f"standard error: {verdict.message}"
    return True


@question.probe(
    points=0.25, title="Monte Carlo estimate of the KL, ordinary Gaussians", judge=estimates_and_errors, public=True
)
def monte_carlo_ordinary(student, rng):
    cases = [
        (rng.normal(d), rng.spd(d), rng.normal(d), rng.spd(d), rng.normal(rng.integer(60, 100), d)) for d in (2, 3, 4)
    ]
    results = [student.kl_monte_carlo(*case) for case in cases]
    return {
        "estimate": [mean for mean, _ in results],
        "standard error": [error for _, error in results],
        "samples": [len(case[-1]) for case in cases],
    }


@question.probe(points=1, title="Monte Carlo estimate of the KL, with its standard error", judge=estimates_and_errors)
def monte_carlo(student, rng):
    cases = []
    for d in (1, rng.integer(2, 5), rng.integer(5, 7)):
        cases.append((rng.normal(d), rng.spd(d), rng.normal(d), rng.spd(d), rng.normal(rng.integer(60, 100), d)))
    # an estimate may be negative, here once for eps and once for -eps
    mean, cov, eps = rng.normal(1), rng.spd(1), 1 + rng.normal(60, 1)
    cases += [(mean, cov, mean + 0.1, cov, eps), (mean, cov, mean + 0.1, cov, -eps)]
    p, q = 1e-6 * many_dimensions(rng), 1e-6 * many_dimensions(rng)
    cases.append((1e-3 * rng.normal(len(p)), p, 1e-3 * rng.normal(len(p)), q, rng.normal(60, len(p))))
    place, step = rng.normal(3, mean=1e3, dtype=torch.float64), 2e-6 * rng.normal(3, dtype=torch.float64)
    narrow = [4e-12 * rng.spd(3, dtype=torch.float64) for _ in range(2)]
    cases.append((place + step, narrow[0], place, narrow[1], rng.normal(60, 3, dtype=torch.float64)))
    results = [student.kl_monte_carlo(*case) for case in cases]
    return {
        "estimate": [mean for mean, _ in results],
        "standard error": [error for _, error in results],
        "samples": [len(case[-1]) for case in cases],
    }

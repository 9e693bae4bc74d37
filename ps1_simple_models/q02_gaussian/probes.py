"""Question 2: the full-covariance Gaussian, its maximum likelihood, entropy and KL."""

import math

import torch

from autograder.probes import Close, Custom, Fields, Question
from dgm.checks.asking import slopes, tried

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
            "What must the result be for p = q, and which of your terms is D then?",
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


def rescaled(cov, scale):
    """The covariance of dimensions of these standard deviations; exactly symmetric."""
    cov = scale[:, None] * cov * scale
    return (cov + cov.T) / 2


def units(rng, dim):
    """Standard deviations from 0.001 to 1000, in random order."""
    return (10.0 ** torch.linspace(-3, 3, dim, device=rng.device))[rng.permutation(dim)]


def of_many_dimensions(rng, std):
    """Four points and three covariances of so many dimensions that |Σ| and |L| are 0 or infinite in float64, too."""
    dim, covs = 70, []
    for _ in range(3):
        factor = 0.2 * rng.normal(dim, 8)
        covs.append(rescaled(torch.diag(0.5 + rng.uniform(dim)) + factor @ factor.T, torch.full((dim,), std, device=rng.device)))
    return std * rng.normal(4, dim), *covs


def of_different_units(rng, dim=5):
    """The same, of dimensions whose units differ."""
    scale = units(rng, dim)
    return scale * rng.normal(4, dim), *(rescaled(rng.spd(dim), scale) for _ in range(3))


def narrow(rng, dim):
    """The same, in float64, far from zero."""
    place = rng.normal(dim, mean=1e3, dtype=torch.float64)
    points = place + 2e-6 * rng.normal(4, dim, dtype=torch.float64)
    return points, *(4e-12 * rng.spd(dim, dtype=torch.float64) for _ in range(3))


def nearly_singular(rng, dim):
    """The same, of dimensions so alike that every covariance rounds to a matrix of ones in float32."""
    ones = torch.ones(dim, dim, dtype=torch.float64, device=rng.device)
    return nearly_equal(rng, 4, dim), *(ones + 1e-8 * rng.spd(dim, low=1.0, high=2.0, dtype=torch.float64) for _ in range(3))


def nearly_equal(rng, n, dim):
    """Points of such dimensions, at 1000."""
    return 1e3 + rng.normal(n, 1, dtype=torch.float64) + 1e-4 * rng.normal(n, dim, dtype=torch.float64)


def hard_cases(rng):
    """Situations in which careless code loses its digits: points and covariances of each."""
    dim = rng.integer(3, 6)
    return {
        "many narrow dimensions": [of_many_dimensions(rng, 1e-5)],
        "many wide dimensions": [of_many_dimensions(rng, 1e5)],
        "different units": [of_different_units(rng) for _ in range(2)],  # some orders suit an eigendecomposition by luck
        "narrow and far from zero, float64": [narrow(rng, dim)],
        "nearly singular, float64": [nearly_singular(rng, dim)],
    }


TIGHT = dict.fromkeys(["narrow and far from zero, float64", "nearly singular, float64"], Close(rtol=1e-5, atol=5e-5))
HARD = Fields(TIGHT, default=Close(rtol=1e-3, atol=2e-3))


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


@question.probe(points=1.5, title="log-density: many dimensions, different units, nearly singular", judge=HARD)
def density_hard(student, rng):
    def densities(cases):
        return tried(lambda: [student.mvn_log_prob(points[1:], points[0], cov) for points, *covs in cases for cov in covs[:2]])

    d = rng.integer(3, 6)
    flat = rng.spd(d, low=1.0, high=2.0) / 1000 + torch.ones(d, d, device=rng.device)  # all dimensions nearly the same
    alike = rng.normal(4, 1) + 0.03 * rng.normal(4, d)
    return {
        **{title: densities(cases) for title, cases in hard_cases(rng).items()},
        "nearly singular": densities([(alike, flat)]),
    }


@question.probe(
    points=1, title="log-density: one point, more axes in front, gradients", judge=Fields({}, default=Close(rtol=1e-3, atol=1e-4))
)
def density_shapes(student, rng):
    d = rng.integer(2, 6)
    mean, cov = rng.normal(d), rng.spd(d)
    x, place, spread = (part.requires_grad_(True) for part in (rng.normal(4, d), rng.normal(d), rng.spd(d)))

    def symmetric(grads):  # the gradient by a symmetric matrix is known up to an antisymmetric part
        return grads if isinstance(grads, str) else grads[0] + grads[0].T

    def slope(**by):
        return tried(lambda: slopes(student.mvn_log_prob(x, place, spread), (4,), 1 + rng.uniform(4), **by))

    return {
        "one point, float64": tried(lambda: [student.mvn_log_prob(rng.normal(d).double(), mean.double(), cov.double()) for _ in range(3)]),
        "two axes in front": tried(lambda: student.mvn_log_prob(rng.normal(3, 2, d).transpose(0, 1), mean, cov)),
        "three axes in front": tried(lambda: student.mvn_log_prob(rng.normal(2, 1, 3, d), mean, cov)),
        "batch of one": tried(lambda: [student.mvn_log_prob(rng.normal(1, d), mean, cov) for _ in range(3)]),
        "gradient by x": slope(x=x),
        "gradient by mean": slope(mean=place),
        "gradient by cov": symmetric(slope(cov=spread)),
    }


@question.probe(points=0.5, title="maximum-likelihood mean and covariance", public=True)
def fit(student, rng):
    d = rng.integer(2, 5)
    x = rng.normal(rng.integer(4, 9), d) @ rng.spd(d) + 2 * rng.normal(d)
    return {
        "few points": student.fit_gaussian(x),
        "D = 1, float64": student.fit_gaussian(rng.normal(5, 1, dtype=torch.float64) + 1),
        "two points": student.fit_gaussian(x[:2]),
        "with weights": student.fit_gaussian(x, 1.5 + 3 * rng.uniform(len(x))),
    }


@question.probe(points=1, title="weighted fit, and rows of padding")
def fit_weighted(student, rng):
    n, d = rng.integer(6, 10), rng.integer(2, 5)
    x = rng.normal(n, d) @ rng.spd(d) + 2 * rng.normal(d)
    padded = torch.cat([1e12 * rng.normal(1, d), x, 5 * rng.normal(1, d).expand(rng.integer(2, 5), d)])
    mask = torch.zeros(len(padded), device=rng.device)
    mask[1 : n + 1] = 1.0
    order = torch.cat([torch.zeros(1, dtype=torch.int64, device=rng.device), 1 + rng.permutation(len(padded) - 1)])  # the largest first
    return {
        "weights": student.fit_gaussian(x, 0.2 + 3 * rng.uniform(n)),
        "weights of a small sum": student.fit_gaussian(x, 0.02 + 0.02 * rng.uniform(n)),
        "tiny weights": student.fit_gaussian(x, 1e-12 * (1 + rng.uniform(n))),
        "large weights": student.fit_gaussian(x, 1e12 * (1 + rng.uniform(n))),
        "padding": student.fit_gaussian(padded[order], mask[order]),
    }


def far_fit(student, *given):
    """A fit of float32 data far from zero; in words if its digits are lost, as what is left is noise that names nothing."""
    mean, cov = student.fit_gaussian(*given)
    _, wide = student.fit_gaussian(*(part.double() for part in given))
    matrices = all(isinstance(each, torch.Tensor) and each.ndim == 2 and each.isfinite().all() for each in (cov, wide))
    if matrices and cov.shape == wide.shape and not torch.allclose(cov.double(), wide.double(), 1e-3, 2e-3):
        kind = "" if torch.allclose(cov, cov.mT, 1e-3, 2e-3) else "is not symmetric, and "
        return f"the covariance {kind}differs from what your own function gives for the same data in float64: digits are lost."
    return mean, cov


def in_eighths(rng):
    """Multiples of 1/8 in float32, near 4096 in two dimensions: E[x xᵀ] and the squared mean then lose the same digits in every order."""
    return rng.integers(-5, 6, 32, 4) / 8 + torch.tensor([4096.0, 4096.0, 0.0, 0.0], device=rng.device)


@question.probe(
    points=1,
    title="fit of data far from zero, and of narrow data",
    judge=Fields({"mean in float64, minus the first example": Close(rtol=1e-6, atol=1e-6)}, default=Close(rtol=1e-3, atol=2e-3)),
)
def fit_far(student, rng):
    def weights(dtype=torch.float32):
        return 0.5 + rng.uniform(n, dtype=dtype)

    n, d = rng.integer(33, 60), rng.integer(2, 5)
    x = rng.normal(n, d) + 1000 * (1 + rng.uniform(d))
    wide = 1e6 * (1 + rng.uniform(d, dtype=torch.float64)) + rng.normal(n, d, dtype=torch.float64)
    far = [student.fit_gaussian(wide), student.fit_gaussian(wide, weights(torch.float64))]
    scale = units(rng, d)
    _, graded = student.fit_gaussian(scale * rng.normal(n, d))
    _, small = student.fit_gaussian(rng.normal(d, dtype=torch.float64) + 2e-6 * rng.normal(n, d, dtype=torch.float64), weights(torch.float64))
    _, alike = student.fit_gaussian(nearly_equal(rng, n, 3) - 1e3)
    variances = alike.diagonal()
    return {
        "float32": far_fit(student, x),
        "float32, with weights": far_fit(student, x, weights()),
        "float32, multiples of 1/8, two dimensions near 4096": student.fit_gaussian(in_eighths(rng)),
        "covariance in float64": [cov for _, cov in far],
        "mean in float64, minus the first example": [mean - wide[0] for mean, _ in far],
        "covariance in different units, over these": graded / scale / scale[:, None],
        "covariance of narrow data in float64, over its scale": small / 4e-12,
        "variances of small differences in float64, over their scale": (variances + variances.roll(1) - 2 * alike[[0, 1, 2], [2, 0, 1]]) * 1e8,
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


@question.probe(points=0.5, title="entropy: many dimensions, different units, float64", judge=HARD)
def entropy(student, rng):
    return {
        title: tried(lambda: [student.gaussian_entropy(cov) for _, *covs in cases for cov in covs])
        for title, cases in hard_cases(rng).items()
    }


@question.probe(points=0.5, title="KL of two Gaussians in closed form", judge=Close(rtol=1e-4, atol=1e-4), public=True)
def kl(student, rng):
    def three(dim, same_mean=0, same_cov=0):  # of three Gaussians each from the one before it, or with its mean or covariance
        means, covs = rng.normal(3, dim), [rng.spd(dim) for _ in range(3)]
        return [student.gaussian_kl(means[i], covs[i], means[i - 1 + same_mean], covs[i - 1 + same_cov]) for i in range(3)]

    d = rng.integer(2, 6)
    return {
        "p and q": three(d),
        "same covariance": three(d, same_cov=1),
        "same mean": three(d, same_mean=1),
        "same Gaussian": three(d, same_mean=1, same_cov=1),
        "D = 1": three(1),
    }


@question.probe(points=1, title="KL: far apart, many dimensions, different units, float64", judge=HARD)
def kl_hard(student, rng):
    def values(cases):
        return tried(lambda: [
            student.gaussian_kl(points[i], covs[i], points[i - 1], covs[i - 1]) for points, *covs in cases for i in range(3)
        ])

    d = rng.integer(3, 6)
    return {
        "far apart": values([(30 * rng.normal(3, d), *(rng.spd(d) for _ in range(3)))]),
        **{title: values(cases) for title, cases in hard_cases(rng).items()},
    }


def standard_errors(evidence, expected, context):
    """The standard errors agree, whose standard deviation may be with 1/S or 1/(S-1)."""
    (got, _), (want, sizes) = evidence, expected
    other = [error * math.sqrt(1 - 1 / size) for error, size in zip(want, sizes, strict=True)]
    verdict = Close(rtol=1e-3, atol=1e-6)(got, want, context)
    return verdict.passed or Close(rtol=1e-3, atol=1e-6)(got, other, context).passed or verdict.message or False


ESTIMATES = Fields({"standard errors": Custom(standard_errors)}, default=Close(rtol=1e-3, atol=1e-3))


def sampled(student, rng, dims):
    """Estimates and standard errors for ordinary Gaussians, with the numbers of samples."""
    cases = [(rng.normal(d), rng.spd(d), rng.normal(d), rng.spd(d), rng.normal(rng.integer(6, 13), d)) for d in dims]
    results = [student.kl_monte_carlo(*case) for case in cases]
    return {
        "estimates": [mean for mean, _ in results],
        "standard errors": [[error for _, error in results], [len(case[-1]) for case in cases]],
    }


@question.probe(points=0.25, title="Monte Carlo estimate of the KL, ordinary Gaussians", judge=ESTIMATES, public=True)
def monte_carlo_ordinary(student, rng):
    return sampled(student, rng, (2, 3, 4))


@question.probe(points=1, title="Monte Carlo estimate of the KL, with its standard error", judge=ESTIMATES)
def monte_carlo(student, rng):
    def estimates(*cases):
        return tried(lambda: [mean for mean, _ in (student.kl_monte_carlo(*case) for case in cases)])

    def hard(points, p, q, *_, dtype=torch.float32):
        return [(points[i], p, points[0], q, rng.normal(60, len(p), dtype=dtype)) for i in (1, 2, 3)]

    mean, cov, eps = rng.normal(1), rng.spd(1), 1 + rng.normal(60, 1)
    return {
        **sampled(student, rng, (1, rng.integer(2, 5), rng.integer(5, 7))),
        # for opposite noise, so that one of each pair is negative
        "estimates may be negative": estimates(*((mean, cov, mean + step, cov, sign * eps) for step in (0.1, 0.2) for sign in (1, -1))),
        "many narrow dimensions": estimates(*hard(*of_many_dimensions(rng, 1e-5))),
        "narrow and far from zero, float64": estimates(*hard(*narrow(rng, 3), dtype=torch.float64)),
    }

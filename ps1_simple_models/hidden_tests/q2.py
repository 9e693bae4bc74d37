"""Question 2: the full-covariance Gaussian, its maximum likelihood, entropy and KL."""

import math

import torch

from autograder.probes import Close, Fields, alternative, edit_alternative, edit_mistake, probe, question

question(
    "q2",
    title="The full-covariance Gaussian and its maximum likelihood",
    skills=["1.03", "1.04", "1.09"],
    minutes=45,
    aim="Evaluate, fit and compare full-covariance Gaussians through the Cholesky factor, and check a closed form by Monte Carlo.",
    hints=[
        "Check by hand at D = 1: cov = [[4]] is a variance, its Cholesky factor [[2]] a standard deviation. What must the density, the "
        "entropy and a sample be?",
        "`solve_triangular` wants a matrix whose columns are the right-hand sides: `(x - mean).reshape(-1, D).T`; at the end, reshape "
        "to `x.shape[:-1]`. In `fit_gaussian`, divide by the sum of the weights, subtract the mean before "
        "you multiply, and weight each example once. For rows `eps[s]`, `L @ eps[s]` is row s of `eps @ L.T`.",
        "log-density: -½‖z‖² - Σ log L_dd - D/2 log 2π with L z = x - mean. Covariance: `(w * centred).T @ centred` with w of shape (N, 1) "
        "that sums to one. KL: the trace is the sum of squares of `solve_triangular(L_q, L_p, upper=False)`, the quadratic form that of "
        "`solve_triangular(L_q, (mean_q - mean_p)[:, None], upper=False)`. Monte Carlo: draw from p, subtract two calls of `mvn_log_prob`.",
    ],
    ambiguities=[
        "An explicit inverse with slogdet is accepted: it is as accurate as Cholesky to the tolerance on everything tested. "
        "log(det(...)) is not, and neither is an eigendecomposition in float32 where the units differ.",
        "The standard error of kl_monte_carlo may use 1/S or 1/(S-1).",
    ],
)


def gradient(output, **inputs):
    """Gradients of the sum of the output, or an error that a student understands."""
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        raise ValueError("the result carries no gradient: compute with torch operations, without .item(), .detach() or NumPy")
    grads = torch.autograd.grad(output.sum(), list(inputs.values()), allow_unused=True)
    for key, grad in zip(inputs, grads, strict=True):
        if grad is None:
            raise ValueError(f"the result does not depend on {key} through torch operations, so it has no gradient there")
    return list(grads)


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
    return torch.ones(dim, dim, dtype=torch.float64, device=rng.device) + 1e-8 * rng.spd(dim, low=1.0, high=2.0, dtype=torch.float64)


def nearly_equal(rng, n, dim):
    """Points that fit to it, and lie at 1000."""
    return 1e3 + rng.normal(n, 1, dtype=torch.float64) + 1e-4 * rng.normal(n, dim, dtype=torch.float64)


@probe(points=1, title="log-density at a batch of points", public=True)
def density(student, rng):
    d = rng.integer(2, 6)
    mean, cov = rng.normal(d), rng.spd(d)
    x = 2 * rng.normal(rng.integer(3, 7), d)
    return {
        "batch": student.mvn_log_prob(x, mean, cov),
        "batch of D points": student.mvn_log_prob(2 * rng.normal(d, d), mean, cov),
        "D = 1": student.mvn_log_prob(rng.normal(4, 1), rng.normal(1), rng.spd(1)),
    }


@probe(
    points=1,
    title="log-density: many dimensions, different units, nearly singular",
    judge=Fields({
        **dict.fromkeys(["determinant underflows", "determinant overflows", "different units", "nearly singular"], Close(rtol=1e-3, atol=2e-3)),
        **dict.fromkeys(["narrow and far from zero, float64", "nearly singular, float64"], Close(rtol=1e-6, atol=2e-5)),
    }),
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
        "nearly singular": student.mvn_log_prob(rng.normal(3, 1) + 0.03 * rng.normal(3, d), torch.zeros(d, device=rng.device), flat),
        "narrow and far from zero, float64": student.mvn_log_prob(place + narrow, place, 4e-12 * rng.spd(d, dtype=torch.float64)),
        "nearly singular, float64": student.mvn_log_prob(nearly_equal(rng, 4, d), nearly_equal(rng, 1, d)[0], nearly_singular(rng, d)),
    }


@probe(points=0.5, title="log-density: one point, more axes in front, gradients", judge=Close(rtol=1e-3, atol=1e-4))
def density_shapes(student, rng):
    d = rng.integer(2, 6)
    mean, cov = rng.normal(d), rng.spd(d)
    x, mean_p, cov_p = rng.normal(4, d).requires_grad_(True), rng.normal(d).requires_grad_(True), rng.spd(d).requires_grad_(True)
    grad_x, grad_mean, grad_cov = gradient(student.mvn_log_prob(x, mean_p, cov_p), x=x, mean=mean_p, cov=cov_p)
    return {
        "one point, float64": student.mvn_log_prob(rng.normal(d).double(), mean.double(), cov.double()),
        "two axes in front": student.mvn_log_prob(rng.normal(3, 2, d).transpose(0, 1), mean, cov),
        "three axes in front": student.mvn_log_prob(rng.normal(2, 1, 3, d), mean, cov),
        "batch of one": student.mvn_log_prob(rng.normal(1, d), mean, cov),
        "gradients": [grad_x, grad_mean, grad_cov + grad_cov.T],
    }


@probe(points=1, title="maximum-likelihood mean and covariance", public=True)
def fit(student, rng):
    d = rng.integer(2, 5)
    x = rng.normal(rng.integer(4, 9), d) @ rng.spd(d) + 2 * rng.normal(d)
    return {
        "few points": student.fit_gaussian(x),
        "D = 1, float64": student.fit_gaussian(rng.normal(5, 1, dtype=torch.float64) + 1),
        "one example": student.fit_gaussian(x[:1]),
    }


@probe(points=1, title="weighted fit, and rows of padding")
def fit_weighted(student, rng):
    n, d = rng.integer(6, 10), rng.integer(2, 5)
    x = rng.normal(n, d) @ rng.spd(d) + 2 * rng.normal(d)
    padded = torch.cat([x, 5 * rng.normal(1, d).expand(rng.integer(2, 5), d), 1e12 * rng.normal(1, d)])
    mask = torch.cat([torch.ones(n, device=rng.device), torch.zeros(len(padded) - n, device=rng.device)])
    order = torch.cat([torch.tensor([len(padded) - 1], device=rng.device), rng.permutation(len(padded) - 1)])  # the largest first
    return {
        "weights": student.fit_gaussian(x, 0.2 + 3 * rng.uniform(n)),
        "small weights": student.fit_gaussian(x, 1e-12 * (1 + rng.uniform(n))),
        "large weights": student.fit_gaussian(x, 1e12 * (1 + rng.uniform(n))),
        "padding": student.fit_gaussian(padded[order], mask[order]),
    }


@probe(
    points=0.5,
    title="fit of data far from zero, and of narrow data",
    judge=Fields({
        "float32": Close(rtol=1e-3, atol=2e-3), "covariance in float64": Close(rtol=1e-3, atol=2e-3),
        "mean in float64, minus the first example": Close(rtol=1e-6, atol=1e-6),
        "covariance of narrow data, over its scale": Close(rtol=1e-3, atol=1e-3),
        "variance of a small difference in float64": Close(rtol=1e-3, atol=1e-3),
    }),
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


@probe(
    points=0.5,
    title="entropy",
    judge=Fields({
        "float32": Close(rtol=1e-4, atol=1e-4), "different units": Close(rtol=1e-4, atol=1e-4),
        "many dimensions": Close(rtol=1e-4, atol=1e-4), "float64": Close(rtol=1e-6, atol=2e-5),
    }),
)
def entropy(student, rng):
    d = rng.integer(2, 6)
    return {
        "float32": [student.gaussian_entropy(rng.spd(d)), student.gaussian_entropy(rng.spd(1))],
        "different units": [student.gaussian_entropy(rescaled(rng.spd(5), units(rng, 5))) for _ in range(4)],
        "many dimensions": [student.gaussian_entropy(scale * many_dimensions(rng)) for scale in (1e-6, 1e6)],
        "float64": [student.gaussian_entropy(1e-12 * rng.spd(d, dtype=torch.float64)), student.gaussian_entropy(nearly_singular(rng, d))],
    }


@probe(points=1, title="KL of two Gaussians in closed form", judge=Close(rtol=1e-4, atol=1e-4), public=True)
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


@probe(
    points=0.5,
    title="KL: many dimensions, different units, float64",
    judge=Fields({
        "many dimensions": Close(rtol=1e-3, atol=1e-3), "different units": Close(rtol=1e-3, atol=1e-3),
        "float64": Close(rtol=1e-5, atol=1e-4),
    }),
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
    for got, want, samples in zip(evidence["standard error"], expected["standard error"], expected["samples"], strict=True):
        verdict = Close(rtol=1e-3, atol=1e-6)(got, want, context)
        if not (verdict.passed or Close(rtol=1e-3, atol=1e-6)(got, want * math.sqrt(1 - 1 / samples), context).passed):
            return f"standard error: {verdict.message}"
    return True


@probe(points=1, title="Monte Carlo estimate of the KL, with its standard error", judge=estimates_and_errors)
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
        "estimate": [mean for mean, _ in results], "standard error": [error for _, error in results],
        "samples": [len(case[-1]) for case in cases],
    }


# --- density: mistakes -------------------------------------------------------------------------------------------

SOLVE = "z = torch.linalg.solve_triangular(L, columns, upper=False)"
SUM = "square = z.square().sum(0).reshape(x.shape[:-1])"
COLUMNS = "columns = (x - mean).reshape(-1, len(mean)).T"
DENSITY = "-0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)"
CHOLESKY = "L = torch.linalg.cholesky(cov)\n    columns"

edit_mistake(
    "log_of_det", "`mvn_log_prob` computes the determinant and then its logarithm; in many dimensions the determinant is 0 or infinite, in some hundred in float64, too",
    ("half_logdet = L.diagonal().log().sum()", "half_logdet = 0.5 * torch.log(torch.linalg.det(cov))"),
)
edit_mistake(
    "density_view", "`mvn_log_prob` uses `view`, which fails for points whose axes were swapped before; use `reshape`",
    (COLUMNS, COLUMNS.replace("reshape", "view")),
)
edit_mistake(
    "covariance_rounded", "`mvn_log_prob` rounds the covariance to float32; in float64 dimensions may be so alike that it is singular then",
    (CHOLESKY, CHOLESKY.replace("(cov)", "(cov.float()).to(cov)")),
)
edit_mistake(
    "logdet_without_two", "the log-determinant in `mvn_log_prob` lacks a factor 2: log|Σ| = 2 Σ log L_dd",
    (DENSITY, DENSITY.replace("half_logdet", "0.5 * half_logdet")),
)
edit_mistake(
    "logdet_twice", "the log-determinant in `mvn_log_prob` lacks its factor 1/2: -½ log|Σ| is minus the sum of log L_dd",
    (DENSITY, DENSITY.replace("half_logdet", "2 * half_logdet")),
)
edit_mistake(
    "logdet_sign", "the log-determinant in `mvn_log_prob` has the wrong sign; a wider Gaussian has a lower density",
    (DENSITY, DENSITY.replace("- half_logdet", "+ half_logdet")),
)
edit_mistake(
    "no_logdet", "`mvn_log_prob` lacks the log-determinant, so the density does not integrate to one",
    (DENSITY, DENSITY.replace("- half_logdet ", "")),
)
edit_mistake(
    "solves_with_transpose", "`mvn_log_prob` solves with Lᵀ where L is needed, so the residuals are not whitened",
    (SOLVE, "z = torch.linalg.solve_triangular(L.T, columns, upper=True)"),
)
edit_mistake(
    "multiplies_by_factor", "`mvn_log_prob` multiplies the residuals by L where it should solve L z = x - mean",
    (SOLVE, "z = L @ columns"),
)
edit_mistake(
    "upper_ignored", "the triangular solve is told that L is upper triangular, so it reads only the diagonal",
    (SOLVE, "z = torch.linalg.solve_triangular(L, columns, upper=True)"),
)
edit_mistake(
    "covariance_as_factor", "`mvn_log_prob` solves with the covariance and squares the result; use its Cholesky factor (variance, not standard deviation, otherwise)",
    (SOLVE, "z = torch.linalg.solve(cov, columns)"),
)
edit_mistake(
    "diagonal_only", "`mvn_log_prob` uses only the diagonal of the covariance",
    (SOLVE, "L = cov.diagonal().sqrt().diag()\n    z = columns / L.diagonal()[:, None]"),
)
edit_mistake(
    "jitter", "a small number is added to the diagonal of the covariance; small variances are then wrong",
    (CHOLESKY, CHOLESKY.replace("(cov)", "(cov + 1e-6 * torch.eye(len(cov)))")),
)
edit_mistake(
    "density_epsilon", "a small number is added inside the logarithm of the diagonal of L; small standard deviations are then wrong",
    ("half_logdet = L.diagonal().log().sum()", "half_logdet = (L.diagonal() + 1e-6).log().sum()"),
)
edit_mistake(
    "density_only_float32", "`mvn_log_prob` works in float32 whatever it is given; x - mean of float64 input then loses its digits",
    (COLUMNS, COLUMNS.replace("(x - mean)", "(x.float() - mean.float()).to(cov)")),
)
edit_mistake(
    "density_no_two_pi", "`mvn_log_prob` lacks -D/2 log 2π", (DENSITY, "-0.5 * square - half_logdet"),
)
edit_mistake(
    "density_two_pi_once", "log 2π counts once in `mvn_log_prob`; it belongs to every dimension", (DENSITY, DENSITY.replace("len(mean) * ", "")),
)
edit_mistake(
    "density_counts_points", "`mvn_log_prob` takes the number of points for the number of dimensions in the term with log 2π",
    (DENSITY, DENSITY.replace("len(mean)", "len(x)")),
)
edit_mistake(
    "density_no_half", "the quadratic form in `mvn_log_prob` lacks its factor 1/2", (DENSITY, DENSITY.replace("-0.5 * square", "-square")),
)
edit_mistake(
    "density_norm", "`mvn_log_prob` uses the norm of z, not its square", (SUM, SUM.replace("square().sum(0)", "norm(dim=0)")),
)
edit_mistake(
    "density_mean", "`mvn_log_prob` averages over the dimensions; the squares of z are summed", (SUM, SUM.replace("sum(0)", "mean(0)")),
)
edit_mistake(
    "density_summed", "`mvn_log_prob` sums over the batch; it gives one value per point", ("return " + DENSITY, "return (" + DENSITY + ").sum()"),
)
edit_mistake(
    "density_only_matrix", "`mvn_log_prob` takes only a batch (N, D), not one point or more axes",
    (COLUMNS, "columns = (x - mean).T"),
)


# --- fit: mistakes -----------------------------------------------------------------------------------------------

WEIGHTS = "w = torch.ones_like(x[:, 0]) if weights is None else weights"
MEAN = "mean = (w * x).sum(0)"
COV = "return mean, (w * centred).T @ centred"

edit_mistake(
    "unbiased", "the covariance is divided by N - 1; the maximum of the likelihood has 1/N",
    (COV, "n = len(x) if weights is None else weights.sum()\n    return mean, (w * centred).T @ centred * n / (n - 1)"),
)
edit_mistake(
    "unbiased_library", "the covariance is the unbiased one, as `torch.cov` computes it unless told otherwise; the maximum of the likelihood divides by the sum of the weights",
    (COV, "return mean, torch.cov(x.T, aweights=w[:, 0] if weights is not None else None).reshape(len(mean), len(mean))"),
)
edit_mistake(
    "sum_not_mean", "the covariance is a sum over the examples; divide by the sum of the weights",
    (COV, "return mean, (w * centred).T @ centred * (len(x) if weights is None else weights.sum())"),
)
edit_mistake(
    "weights_ignored", "`fit_gaussian` ignores the weights, so padding is fitted too", (WEIGHTS, "w = torch.ones_like(x[:, 0])"),
)
edit_mistake(
    "weights_as_mask", "`fit_gaussian` only asks whether a weight is zero; a weight says how often the example counts",
    (WEIGHTS, "w = torch.ones_like(x[:, 0]) if weights is None else (weights > 0).to(x)"),
)
edit_mistake(
    "small_weights_clamped", "`fit_gaussian` divides by a sum of weights that it does not let fall below 1; weights need not be as large as that",
    ("w = (w / w.sum())[:, None]", "w = (w / w.sum().clamp_min(1))[:, None]"),
)
edit_mistake(
    "weights_epsilon", "a small number is added to the sum of the weights in `fit_gaussian`; the weights are not all 0, but may be small",
    ("w = (w / w.sum())[:, None]", "w = (w / (w.sum() + 1e-8))[:, None]"),
)
edit_mistake(
    "ones_in_float32", "the weights of 1 in `fit_gaussian` are made in float32 and divided by N there; in float64 data far from zero then has a wrong mean",
    (WEIGHTS, WEIGHTS.replace("torch.ones_like(x[:, 0])", "torch.ones(len(x))")),
)
edit_mistake(
    "divides_by_rows", "the weighted sums are divided by the number of rows; divide by the sum of the weights, which padding does not enter",
    ("w = (w / w.sum())[:, None]", "w = (w / len(x))[:, None]"),
)
edit_mistake(
    "weighted_mean_only", "the covariance in `fit_gaussian` is not weighted", (COV, "return mean, centred.T @ centred / len(x)"),
)
edit_mistake(
    "unweighted_mean", "the mean in `fit_gaussian` is not weighted, so the covariance is around the wrong mean", (MEAN, "mean = x.mean(0)"),
)
edit_mistake(
    "around_unweighted_mean", "the weighted covariance is taken around the unweighted mean", ("centred = x - mean", "centred = x - x.mean(0)"),
)
edit_mistake(
    "weights_squared", "the weights enter the covariance twice (both factors are weighted), so it is too small",
    (COV, "return mean, (w * centred).T @ (w * centred) * (len(x) if weights is None else weights.sum())"),
)
edit_mistake(
    "not_centred", "the covariance is taken around zero; subtract the mean first", ("centred = x - mean", "centred = x"),
)
edit_mistake(
    "scalar_mean", "the covariance is taken around one number, the mean of all entries; every dimension has its own mean",
    ("centred = x - mean", "centred = x - mean.mean()"),
)
edit_mistake(
    "one_pass", "the covariance is the difference of E[x xᵀ] and the squared mean, which loses all digits when the data is far from zero",
    (COV, "return mean, (w * x).T @ x - torch.outer(mean, mean)"),
)
edit_mistake(
    "one_pass_float64", "the covariance is the difference of E[x xᵀ] and the squared mean, in float64 inside, but with a mean that was rounded to float32",
    (COV, "return mean, ((w * x).T.double() @ x.double() - torch.outer(mean.double(), mean.double())).to(x)"),
)
edit_mistake(
    "fit_only_float32", "`fit_gaussian` works in float32 whatever it is given; float64 data far from zero then loses its digits",
    (MEAN, "x, w = x.float(), w.float()\n    mean = (w * x).sum(0)"),
)
edit_mistake(
    "only_variances", "`fit_gaussian` keeps only the variances; the covariances off the diagonal are missing",
    (COV, "return mean, torch.diag((w * centred**2).sum(0))"),
)
edit_mistake(
    "fit_jitter", "a small number is added to the diagonal of the fitted covariance; that is not the maximum of the likelihood",
    (COV, "return mean, (w * centred).T @ centred + 1e-3 * torch.eye(len(mean))"),
)
edit_mistake("swapped_return", "`fit_gaussian` returns (cov, mean); the order is (mean, cov)", (COV, "return (w * centred).T @ centred, mean"))

# --- entropy and KL: mistakes ------------------------------------------------------------------------------------

ENTROPY = "return half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"
KL = "return 0.5 * (trace + square - len(mean_p) + logdets)"
TRACE = "trace = torch.linalg.solve_triangular(L_q, L_p, upper=False).square().sum()"
SQUARE = "square = torch.linalg.solve_triangular(L_q, (mean_q - mean_p)[:, None], upper=False).square().sum()"

edit_mistake("entropy_no_one", "the entropy lacks D/2: the expected quadratic form is D", (ENTROPY, ENTROPY.replace("(1 + math.log(2 * math.pi))", "math.log(2 * math.pi)")))
edit_mistake("entropy_sign", "the entropy has the wrong sign", (ENTROPY, "return -half_logdet - 0.5 * len(cov) * (1 + math.log(2 * math.pi))"))
edit_mistake("entropy_once", "the constant in the entropy belongs to every dimension", (ENTROPY, ENTROPY.replace("len(cov) * ", "")))
edit_mistake("entropy_logdet", "the log-determinant in the entropy has the wrong factor: ½ log|Σ| = Σ log L_dd", (ENTROPY, ENTROPY.replace("half_logdet", "2 * half_logdet")))
edit_mistake("entropy_half_logdet", "the log-determinant in the entropy has the wrong factor: log|Σ| = 2 Σ log L_dd", (ENTROPY, ENTROPY.replace("half_logdet", "0.5 * half_logdet")))
edit_mistake("entropy_det", "the entropy takes the logarithm of a determinant that has underflowed", (ENTROPY, ENTROPY.replace("half_logdet", "0.5 * torch.log(torch.linalg.det(cov))")))
edit_mistake("entropy_only_float32", "`gaussian_entropy` works in float32 whatever it is given; a covariance of float64 may be singular then", ("torch.linalg.cholesky(cov).diagonal()", "torch.linalg.cholesky(cov.float()).diagonal()"))
edit_mistake("entropy_epsilon", "a small number is added inside the logarithm in `gaussian_entropy`; small standard deviations are then wrong", ("torch.linalg.cholesky(cov).diagonal()", "(torch.linalg.cholesky(cov).diagonal() + 1e-6)"))
edit_mistake("entropy_bits", "the entropy is in bits; the unit here is nats", (ENTROPY, ENTROPY.replace("return half_logdet", "return (half_logdet") + ") / math.log(2)"))

edit_mistake(
    "kl_swapped", "`gaussian_kl` computes KL(q || p); the expectation belongs to the first argument",
    ("L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)", "L_q, L_p = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)"),
)
edit_mistake(
    "kl_only_float32", "`gaussian_kl` works in float32 whatever it is given; a covariance of float64 may be singular then, and means far from zero lose their digits",
    ("L_p, L_q = torch.linalg.cholesky(cov_p)", "mean_p, cov_p, mean_q, cov_q = (part.float() for part in (mean_p, cov_p, mean_q, cov_q))\n    L_p, L_q = torch.linalg.cholesky(cov_p)"),
)
edit_mistake("kl_logdet_sign", "the log-determinants in `gaussian_kl` have the wrong sign: log|Σ_q| - log|Σ_p|", (KL, KL.replace("+ logdets", "- logdets")))
edit_mistake("kl_logdet_half", "the log-determinants in `gaussian_kl` lack a factor 2: log|Σ| = 2 Σ log L_dd", (KL, KL.replace("logdets", "0.5 * logdets")))
edit_mistake("kl_no_dims", "`gaussian_kl` lacks -D, so KL(p || p) is not zero", (KL, KL.replace(" - len(mean_p)", "")))
edit_mistake("kl_no_half", "`gaussian_kl` lacks the factor 1/2", (KL, KL.replace("0.5 * ", "")))
edit_mistake("kl_no_means", "`gaussian_kl` lacks the term in the means", (KL, KL.replace("+ square ", "")))
edit_mistake("kl_trace_swapped", "the trace in `gaussian_kl` has Σ_p⁻¹ Σ_q; it is Σ_q⁻¹ Σ_p", (TRACE, TRACE.replace("L_q, L_p", "L_p, L_q")))
edit_mistake("kl_mean_under_p", "the term in the means in `gaussian_kl` has Σ_p⁻¹; it is Σ_q⁻¹", (SQUARE, SQUARE.replace("L_q", "L_p")))
edit_mistake("kl_trace_of_ratio", "the trace in `gaussian_kl` is that of L_q⁻¹ L_p, standard deviations; variances belong there: the sum of all squared entries", (TRACE, TRACE.replace(".square().sum()", ".trace()")))
edit_mistake("kl_trace_elementwise", "the trace in `gaussian_kl` divides only the diagonals; off the diagonal the covariances count too", (TRACE, "trace = (cov_p.diagonal() / cov_q.diagonal()).sum()"))
edit_mistake("kl_trace_of_product", "the trace in `gaussian_kl` is that of an elementwise product (`*`); it is that of a matrix product (`@`)", (TRACE, "trace = torch.trace(torch.linalg.inv(cov_q) * cov_p)"))
edit_mistake("kl_negative", "`gaussian_kl` has the wrong sign; a KL divergence is never negative", (KL, KL.replace("0.5", "-0.5")))
edit_mistake("kl_mean_not_squared", "the term in the means in `gaussian_kl` is not squared", (SQUARE, SQUARE.replace(".square().sum()", ".sum()")))
edit_mistake(
    "kl_det", "`gaussian_kl` takes the logarithm of a ratio of determinants, which under- or overflow in many dimensions",
    ("logdets = 2 * (L_q.diagonal().log() - L_p.diagonal().log()).sum()", "logdets = torch.log(torch.linalg.det(cov_q) / torch.linalg.det(cov_p))"),
)
edit_mistake(
    "kl_clamped", "`gaussian_kl` adds a small number to the diagonals; small variances are then wrong",
    ("L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)", "L_p, L_q = (torch.linalg.cholesky(c + 1e-5 * torch.eye(len(c))) for c in (cov_p, cov_q))"),
)

# --- Monte Carlo: mistakes ---------------------------------------------------------------------------------------

DRAW = "x = mean_p + eps @ torch.linalg.cholesky(cov_p).T"
RATIO = "log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)"
RETURN = "return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps))"

edit_mistake("mc_from_q", "`kl_monte_carlo` draws its samples from q; the expectation in KL(p || q) is under p", (DRAW, "x = mean_q + eps @ torch.linalg.cholesky(cov_q).T"))
edit_mistake("mc_no_transpose", "the samples are `eps @ L`; for rows of noise it is `eps @ L.T`, else their covariance is LᵀL", (DRAW, DRAW.replace(".T", "")))
edit_mistake("mc_covariance", "the noise is multiplied by the covariance; multiply it by the Cholesky factor (variance, not standard deviation, otherwise)", (DRAW, "x = mean_p + eps @ cov_p"))
edit_mistake("mc_no_mean", "the samples lack the mean of p", (DRAW, DRAW.replace("mean_p + ", "")))
edit_mistake("mc_unscaled", "the samples are mean + eps: the covariance of p is missing", (DRAW, "x = mean_p + eps"))
edit_mistake("mc_other_root", "the samples use another square root of the covariance; a right one, but with the given noise the question asks for the Cholesky factor", (DRAW, "variances, basis = torch.linalg.eigh(cov_p)\n    x = mean_p + eps @ (basis * variances.sqrt()).T"))
edit_mistake("mc_std_diagonal", "the samples use only the standard deviations; their correlations are missing", (DRAW, "x = mean_p + eps * cov_p.diagonal().sqrt()"))
edit_mistake("mc_sign", "`kl_monte_carlo` averages log q - log p; KL is the average of log p - log q", (RATIO, RATIO.replace("cov_p) - mvn", "cov_p) * -1 + mvn")))
edit_mistake("mc_own_noise", "`kl_monte_carlo` draws its own noise; use the noise `eps` that it is given", (DRAW, "eps = torch.randn_like(eps)\n    " + DRAW))
edit_mistake("mc_std_only", "the standard error lacks the division by √S: that is the spread of one sample, not of the mean", (RETURN, "return log_ratio.mean(), log_ratio.std()"))
edit_mistake("mc_variance", "the standard error is the variance divided by S; its square root is missing", (RETURN, "return log_ratio.mean(), log_ratio.var() / len(eps)"))
edit_mistake("mc_divided_by_s", "the standard error is divided by S, not by √S", (RETURN, "return log_ratio.mean(), log_ratio.std() / len(eps)"))
edit_mistake("mc_minus_one_twice", "the standard error has S - 1 twice: in the standard deviation, where it may be, and under the square root, where S belongs", (RETURN, RETURN.replace("len(eps)", "len(eps) - 1")))
edit_mistake("mc_clamped", "`kl_monte_carlo` cuts the estimate off at 0; a KL is never negative but an estimate may be, and without these the average is too large", (RETURN, RETURN.replace("log_ratio.mean()", "log_ratio.mean().clamp_min(0)")))
edit_mistake("mc_only_float32", "`kl_monte_carlo` works in float32 whatever it is given; narrow Gaussians far from zero lose all digits", (DRAW, "mean_p, cov_p, mean_q, cov_q, eps = (part.float() for part in (mean_p, cov_p, mean_q, cov_q, eps))\n    " + DRAW))
edit_mistake("mc_sum", "`kl_monte_carlo` sums over the samples; the estimate is their mean", (RETURN, RETURN.replace("log_ratio.mean()", "log_ratio.sum()")))
edit_mistake("mc_closed_form", "`kl_monte_carlo` returns the closed form; the estimate is the average over the given noise", (RETURN, RETURN.replace("log_ratio.mean()", "gaussian_kl(mean_p, cov_p, mean_q, cov_q)")))
edit_mistake("mc_ratio_of_densities", "`kl_monte_carlo` averages the ratio of the densities, not of their logarithms", (RATIO, RATIO + "\n    log_ratio = log_ratio.exp()"))


# --- alternatives ------------------------------------------------------------------------------------------------


@alternative("torch.distributions and torch.cov")
def library(ref):
    def normal(mean, cov):
        return torch.distributions.MultivariateNormal(mean, cov)

    def fit_gaussian(x, weights=None):
        d = x.shape[1]
        total = x.new_ones(len(x)) if weights is None else weights
        return (total @ x) / total.sum(), torch.cov(x.T, correction=0, aweights=weights).reshape(d, d)

    def kl_monte_carlo(mean_p, cov_p, mean_q, cov_q, eps):
        p, q = normal(mean_p, cov_p), normal(mean_q, cov_q)
        x = mean_p + eps @ p.scale_tril.T
        ratio = p.log_prob(x) - q.log_prob(x)
        return float(ratio.mean()), float(ratio.std(unbiased=False) / len(eps) ** 0.5)

    return {
        "mvn_log_prob": lambda x, mean, cov: normal(mean, cov).log_prob(x),
        "fit_gaussian": fit_gaussian,
        "gaussian_entropy": lambda cov: normal(cov.new_zeros(len(cov)), cov).entropy(),
        "gaussian_kl": lambda mp, cp, mq, cq: torch.distributions.kl_divergence(normal(mp, cp), normal(mq, cq)),
        "kl_monte_carlo": kl_monte_carlo,
    }


@alternative("explicit inverse and slogdet")
def inverse_and_slogdet(ref):
    def mvn_log_prob(x, mean, cov):
        r = x - mean
        quadratic = ((r @ torch.linalg.inv(cov)) * r).sum(-1)
        return -0.5 * (quadratic + torch.linalg.slogdet(cov).logabsdet + len(mean) * math.log(2 * math.pi))

    def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
        precision, r = torch.linalg.inv(cov_q), mean_p - mean_q
        return 0.5 * (torch.trace(precision @ cov_p) + r @ precision @ r - len(r) + torch.logdet(cov_q) - torch.logdet(cov_p))

    return {
        "mvn_log_prob": mvn_log_prob,
        "gaussian_kl": gaussian_kl,
        "gaussian_entropy": lambda cov: 0.5 * (len(cov) * math.log(2 * math.pi * math.e) + torch.logdet(cov)),
    }


@alternative("float64 inside")
def double(ref):
    def wide(function):
        return lambda *args: function(*(a.double() if isinstance(a, torch.Tensor) else a for a in args))

    names = ("mvn_log_prob", "fit_gaussian", "gaussian_entropy", "gaussian_kl", "kl_monte_carlo")
    return {name: wide(getattr(ref, name)) for name in names}


@alternative("cholesky_solve, loops over examples")
def loops(ref):
    def mvn_log_prob(x, mean, cov):
        L = torch.linalg.cholesky(cov)
        r = (x - mean).reshape(-1, len(mean)).T
        square = (r * torch.cholesky_solve(r, L)).sum(0).reshape(x.shape[:-1])
        return -0.5 * square - torch.log(torch.diag(L)).sum() - len(mean) / 2 * math.log(2 * math.pi)

    def fit_gaussian(x, weights=None):
        weights = x.new_ones(len(x)) if weights is None else weights
        mean = sum(w * row for w, row in zip(weights, x)) / weights.sum()
        return mean, sum(w * torch.outer(row - mean, row - mean) for w, row in zip(weights, x)) / weights.sum()

    return {"mvn_log_prob": mvn_log_prob, "fit_gaussian": fit_gaussian}


edit_alternative("standard_error_1_over_s", "the standard error with 1/S", (RETURN, RETURN.replace("std()", "std(unbiased=False)")))

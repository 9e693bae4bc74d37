"""Question 17: averages of hidden likelihoods, and what the order of a factorisation restricts."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import slopes, tensor_of, tried

question = Question(
    title="Hidden sums, and the order of the variables",
    skills=["1.01", "1.13", "1.31"],
    uses=["logsumexp", "bernoulli_log_prob", "train", "fvsbn_logits", "fvsbn_log_prob", "ancestral_sample"],
    after="q09_fvsbn",
    lecture="latent variables, Monte Carlo estimates, Jensen's inequality",
    run_seconds=15,
    manual_points=2,
    rubric=[
        "1 point: the chain rule is an identity that holds for every order (each factor is a ratio of marginals of "
        "the same p), so with unrestricted conditionals each order describes every distribution.",
        "1 point: a family restricts the conditionals, and a reversed conditional may leave it; a correct example "
        "that says what cannot be represented (Gaussian conditionals with a nonlinear mean; an FVSBN of 4 or more "
        "bits). No point for XOR in an FVSBN, nor for 3 or fewer bits, nor for linear Gaussians.",
    ],
    aim=(
        "Estimate a marginal likelihood without spoiling it; find a distribution that a family represents in one "
        "order of its variables and not in the other."
    ),
    hints={
        "log_mean_exp": (
            "What must the result be for a row of four equal numbers?",
            "For the row [0, 0, 0, 0] the log of the sum is log 4, and the mean of the exponentials is 1.",
            "You have a stable logarithm of the sum already. How many terms does the mean divide by, for any `dim`?",
        ),
        "log_marginal_mc": (
            "Which comes first in A(x), the logarithm or the average?",
            "For N = 2 and S = 3: which shape must `x` have so that `log_likelihood(x, z)` is (2, 3)?",
            "Give x an axis of length 1 for the draws. One call gives all log-likelihoods; what is averaged then is "
            "their exponentials, along the axis of the draws.",
        ),
        "second_mean": (
            "Which powers of x_1 are in the exponent of (17.5) if the mean is linear and the deviation constant?",
            "Sketch the points (x_1, x_2) of a parabola with noise, and cut them at one height x_2: how many humps "
            "does the cut have?",
            "A straight line leaves the exponent quadratic. Any clear bend does not.",
        ),
        "second_std": (
            "Must sigma_2 depend on x_1, if the mean bends already?",
            "With a mean of zero, compare sigma_2 = 1 and sigma_2 = exp(x_1 / 2) in (17.5).",
            "Return one positive number for each entry; a constant tensor of the shape of x1 is enough if the mean "
            "bends.",
        ),
    },
    ambiguities=[
        "Library calls (torch.logsumexp) are accepted. The gradient at a row of -inf only is not tested.",
        "`log_marginal_mc` need not be differentiable.",
        "Any pair is accepted whose reversed conditional, by quadrature, is clearly non-Gaussian for a plausible x2.",
    ],
)


# --- log-mean-exp -------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="log_mean_exp along every axis", judge=Fields(default=Close()), public=True)
def mean_of_exponentials(student, rng):
    n = rng.integer(3, 6)
    x, row = 2 * rng.normal(n, n, n), rng.normal(rng.integer(4, 7))
    return {
        "every axis": tried(lambda: [student.log_mean_exp(x, dim) for dim in (0, 1, 2, -1, -2)]),
        "other lengths": tried(lambda: [student.log_mean_exp(x[:2, : n - 1], dim) for dim in (0, 1, 2)]),
        "one row": tried(lambda: student.log_mean_exp(row, 0)),
    }


@question.probe(points=0.5, title="log_mean_exp: far from zero, -inf, gradients, float64", judge=Fields(default=Close()))
def mean_edges(student, rng):
    rows, n = rng.integer(4, 6), rng.integer(4, 7)
    sizes = torch.tensor([-2000.0, -400.0, 400.0, 2000.0, -900.0], device=rng.device)  # 400 is too large for float32 alone
    far = sizes[rng.permutation(rows), None] + rng.normal(rows, n)
    impossible = 3 * rng.normal(5, n)
    impossible[0, 0] = impossible[1, 1:] = impossible[2] = -math.inf
    impossible = impossible[rng.permutation(5)]
    leaf = far.clone()
    leaf[0, :2] = -math.inf
    leaf[1, :2] = leaf[1].max() + 1  # the largest entry occurs twice
    leaf.requires_grad_()
    wide, offset = rng.normal(4, 3, dtype=torch.float64), 1e7 * rng.normal(4, 1, dtype=torch.float64)
    deep = rng.normal(3, 1, 2, 4).transpose(1, 2)

    def change():
        one, other = (student.log_mean_exp(wide + step, 1) for step in (0, 1e-9))
        return 1e9 * (other - one)

    def repeated():
        """A row written several times has the same mean; so only digits that are lost change it."""
        return [1e9 * (student.log_mean_exp(wide.repeat(1, k), 1) - student.log_mean_exp(wide, 1)) for k in (2, 3, 5, 7)]

    return {
        "every row of its own size": tried(lambda: [student.log_mean_exp(far, 1), student.log_mean_exp(far.T, 0)]),
        "entries of -inf": tried(lambda: [student.log_mean_exp(impossible, 1), student.log_mean_exp(impossible.T, -2)]),
        "axes of length 1": tried(lambda: [student.log_mean_exp(deep, dim) for dim in (0, 1, 2, 3)]),
        "gradient": tried(lambda: slopes(student.log_mean_exp(leaf, 1), (rows,), 1 + rng.uniform(rows), x=leaf)),
        "float64, far from zero": tried(lambda: student.log_mean_exp(wide + offset, 1) - offset[:, 0]),
        "float64, entries raised by 1e-9, the change times 1e9": tried(change),
        "float64, rows written 2, 3, 5 and 7 times, the change times 1e9": tried(repeated),
    }


# --- Monte Carlo --------------------------------------------------------------------------------------------------


def decoder(rng, d, latent, scale=1.0, dtype=torch.float32):
    """log p(x | z) of independent bits whose logits are linear in z."""
    matrix, offset = rng.normal(d, latent, std=scale, dtype=dtype), rng.normal(d, dtype=dtype)

    def log_likelihood(x, z):
        return F.logsigmoid((2 * x - 1) * (z @ matrix.T + offset)).sum(-1)

    return log_likelihood


@question.probe(points=0.5, title="log_marginal_mc: a batch with draws", judge=Fields(default=Close()), public=True)
def monte_carlo(student, rng):
    n, s, d, latent = rng.integer(3, 6), rng.integer(11, 16), rng.integer(4, 7), rng.integer(2, 4)
    square = rng.integer(3, 6)
    model, other = decoder(rng, d, latent), decoder(rng, d, latent)
    return {
        "fewer examples than draws": tried(
            lambda: student.log_marginal_mc(model, rng.bernoulli(n, d), rng.normal(n, 2 * s, latent)[:, :s])
        ),
        "as many examples as draws": tried(
            lambda: student.log_marginal_mc(other, rng.bernoulli(square, d), rng.normal(square, square, latent))
        ),
    }


def enumeration(rng):
    """A prior over 3 values of z, all pairs of draws, and the log-likelihood of one x."""
    prior, values, d = rng.simplex(3), rng.normal(3, 2, std=1.5), rng.integer(3, 6)
    log_likelihood, x = decoder(rng, d, 2), rng.bernoulli(1, d)
    pairs = torch.cartesian_prod(torch.arange(3), torch.arange(3)).to(rng.device)
    return prior, values, log_likelihood, x, pairs


def unbiased_judge(evidence, expected, context):
    """the expectation of the estimate over all draws is the exact probability, and estimates are close to the reference's"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    prior, values, log_likelihood, x, pairs = enumeration(context.rng())
    got = np.asarray(evidence["all draws of two"])
    if got.dtype.kind == "f" and got.shape == (9,) and np.isfinite(got).all():
        exact = float((prior * log_likelihood(x, values).exp()).sum())
        mean = float((prior[pairs].prod(1).cpu().double().numpy() * np.exp(np.minimum(got, 50))).sum())
        if abs(mean / exact - 1) > 1e-3:
            return f"the expectation of A(x) over all draws of z is {mean / exact:.4g} p(x), not p(x): it is biased."
    return Fields(default=Close())(evidence, expected, context)


@question.probe(points=0.5, title="log_marginal_mc is unbiased, and survives tiny likelihoods", judge=unbiased_judge)
def monte_carlo_edges(student, rng):
    _, values, log_likelihood, x, pairs = enumeration(rng)
    d, n = 40, rng.integer(3, 6)
    tiny, small = decoder(rng, d, 3, scale=4e4), decoder(rng, 4, 2)
    wide, bits = decoder(rng, 4, 2, dtype=torch.float64), rng.bernoulli(7, 4).double()
    draws = rng.normal(7, 5, 2, dtype=torch.float64)

    def change():
        one, other = (
            student.log_marginal_mc(lambda x, z: wide(x, z) + step * z[..., 0], bits, draws) for step in (0, 1e-5)
        )
        return 1e5 * (other - one)

    return {
        "all draws of two": tried(
            lambda: student.log_marginal_mc(log_likelihood, x.expand(9, -1).contiguous(), values[pairs])
        ),
        "tiny likelihoods": tried(lambda: student.log_marginal_mc(tiny, rng.bernoulli(n, d), rng.normal(n, 6, 3))),
        "one example": tried(
            lambda: [student.log_marginal_mc(small, rng.bernoulli(1, 4), rng.normal(1, 3, 2)) for _ in range(3)]
        ),
        "few values of z, drawn over and over": tried(
            lambda: student.log_marginal_mc(small, rng.bernoulli(n, 4), rng.normal(2, 2)[(rng.uniform(n, 7) < 0.3).long()])
        ),
        "one draw": tried(lambda: student.log_marginal_mc(small, rng.bernoulli(n, 4), rng.normal(n, 1, 2))),
        "float64": tried(lambda: student.log_marginal_mc(wide, bits, draws)),
        "float64, log-likelihoods changed by 1e-5 z, the change times 1e5": tried(change),
    }


# --- the order ----------------------------------------------------------------------------------------------------


def shape_of_density(x, log_weights):
    """Skewness and excess kurtosis of each row of unnormalised log-densities on the grid x."""
    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    centred = x - (weights * x).sum(1, keepdims=True)
    square = centred * centred  # ten times as fast as powers
    variance, third, fourth = ((weights * power).sum(1) for power in (square, square * centred, square * square))
    std = np.sqrt(np.maximum(variance, 1e-60))  # a density on a single grid point is refused by its width
    return std, third / std**3, fourth / std**4 - 3


def plausible_values(x, mean, std):
    """Values of x2 within 1.5 standard deviations of the mean at some x1 in [-2, 2], in batches: 27 of them, then all that tell."""
    noise = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
    few = np.abs(x - np.linspace(-2.0, 2.0, 9)[:, None]).argmin(1)
    yield (mean[few][:, None] + std[few][:, None] * noise[::2]).reshape(-1)
    many = np.flatnonzero(np.abs(x) <= 2)[::4]
    values, steps = (mean[many][:, None] + std[many][:, None] * noise).reshape(-1), np.repeat(std[many] / 4, len(noise))
    order = np.argsort(values)
    kept = [order[0]]
    for k in order[1:]:  # a quarter of a standard deviation makes no difference
        if values[k] - values[kept[-1]] >= min(steps[k], steps[kept[-1]]):
            kept.append(k)
    for start in range(0, len(kept), 64):
        yield values[kept[start : start + 64]]


def order_judge(evidence, expected, context):
    """for some plausible x2 the skewness or excess kurtosis of p(x1 | x2), by quadrature, exceeds 0.1"""
    x = 0.003 * np.arange(-2000, 2001)
    names = ("mean", "std", "mean, other order", "std, other order")
    if not isinstance(evidence, dict) or set(evidence) != set(names):
        return "the answer has an unexpected form."
    for name in names:
        if not isinstance(evidence[name], np.ndarray):
            return evidence[name] if isinstance(evidence[name], str) else "the answer has an unexpected form."
    values = [np.asarray(evidence[name], dtype=float) for name in names]
    part = x[1000:2500][::-1]
    for value, points, name in zip(values, (x, x, part, part), ("second_mean", "second_std") * 2):
        if value.shape != points.shape:
            return (
                f"`{name}` returns shape {value.shape} for {len(points)} values of x1; one value for each is expected."
            )
        if not np.isfinite(value).all():
            return f"`{name}` is not finite at x1 = {points[~np.isfinite(value)][0]:.3g}."
    mean, std, mean_again, std_again = values
    if not np.allclose(mean[1000:2500], mean_again[::-1], 1e-4, 1e-5) or not np.allclose(
        std[1000:2500], std_again[::-1], 1e-4, 1e-5
    ):
        return (
            "the value at one x1 depends on the other entries of x1; the functions work element by element, without "
            "randomness."
        )
    if (std < 1e-12).any():
        return f"`second_std` must be positive; at x1 = {x[std < 1e-12][0]:.3g} it is {std[std < 1e-12][0]:.3g}."
    most = 0.0
    for x2 in plausible_values(x, mean, std):
        log_density = -0.5 * x**2 - np.log(std) - 0.5 * ((x2[:, None] - mean) / std) ** 2
        width, skewness, kurtosis = shape_of_density(x, log_density)
        _, skewness_coarse, kurtosis_coarse = shape_of_density(x[::2], log_density[:, ::2])
        sure = (
            (width > 0.01) & (np.abs(skewness - skewness_coarse) < 0.02) & (np.abs(kurtosis - kurtosis_coarse) < 0.02)
        )
        if sure.any():
            most = max(most, np.abs(skewness[sure]).max(), np.abs(kurtosis[sure]).max(), 1e-9)
        if most > 0.1:
            return True
    if not most:
        return (
            "p(x1 | x2) is so narrow that the grid cannot resolve it; take a larger standard deviation or a flatter "
            "mean."
        )
    return (
        "p(x1 | x2) is Gaussian, or nearly: over many x2 its skewness and excess kurtosis stay below "
        f"{max(most, 0.001):.2g} in absolute value. Look at the exponent of equation (17.5)."
    )


@question.probe(points=1, title="a pair whose reversed conditional is not Gaussian", judge=order_judge, public=True)
def reversed_conditional(student, rng):
    grid = (0.003 * torch.arange(-2000, 2001, dtype=torch.float64, device=rng.device)).float()
    part = grid[1000:2500].flip(0)  # another size and another mean

    def mean(points):
        return tried(lambda: tensor_of(student.second_mean(points), "the result of `second_mean`"))

    def std(points):
        return tried(lambda: tensor_of(student.second_std(points), "the result of `second_std`"))

    return {"mean": mean(grid), "std": std(grid), "mean, other order": mean(part), "std, other order": std(part)}

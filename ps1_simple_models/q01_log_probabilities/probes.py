"""Question 1: log-sum-exp and relatives, the diagonal Gaussian, units."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import gradient, slopes

question = Question(
    title="Stable log-probabilities",
    skills=["1.01", "1.02", "1.08"],
    lecture="probability densities",
    run_seconds=2,
    aim=(
        "Compute with log-probabilities without overflow, underflow or NaN, and convert between nats, bits per "
        "dimension and perplexity."
    ),
    hints={
        "logsumexp": (
            "What should a row [1000, 1000] give, and what does yours give for it?",
            "Take the two rows [0, 0] and [1000, 1000] in one tensor. Which shape must the maxima have so that each "
            "row loses its own, and which shape must the result have?",
            "`amax(dim, keepdim=True)` keeps the axis for the subtraction; `squeeze(dim)` takes it away at the end. "
            "For a row of only -inf, exchange the maximum for a finite number before you subtract.",
        ),
        "log_softmax": (
            "Which numbers are subtracted from each other in your code, and how large are they for scores near "
            "10,000?",
            "Two scores 10000 and 10001 must give the same as 0 and 1. Print both.",
            "Form the scores minus the maximum once, and use it twice: under the exponential and in front.",
        ),
        "gaussian_log_prob": (
            "How many terms does (1.3) add for one point in D dimensions?",
            "In one dimension with x = mean: the result is -0.919 for logvar = 0. By how much does it change for "
            "logvar = 2?",
            "Let all three terms broadcast together before you sum over the last axis: a shared log-variance counts "
            "once for each dimension.",
        ),
        "nats_to_bits_per_dim": (
            "What does a uniform density on [0, 1) cost, for 256 levels?",
            "An image of 2 pixels with 4 levels and NLL 0: each pixel takes 2 bits.",
            "Everything per dimension first, all of it in nats; the change of unit comes last.",
        ),
        "perplexity": (
            "What is the perplexity of a uniform guess among 50 words, for a text of any length?",
            "Two tokens with probabilities 1/2 and 1/8: the geometric mean of 2 and 8 is 4.",
            "The mean is taken over all tokens, and before the exponential.",
        ),
    },
    ambiguities=[
        "Library calls (torch.logsumexp, F.log_softmax, torch.distributions) are accepted.",
        "The gradient at a row of -inf only is not tested (torch.logsumexp itself gives NaN).",
        "log_softmax as x - logsumexp(x) is right on paper and loses digits far from zero: most points, not all.",
        "nats_to_bits_per_dim has no default number of levels: the convention must be said at each call.",
    ],
)

EXACT = Close(rtol=1e-10, atol=1e-10)  # for differences that float64 must still show


def cube(rng):
    """A cube, so that a missing keepdim is silent, of moderate numbers."""
    n = rng.integer(3, 6)
    return 2 * rng.normal(n, n, n)


def deep(rng):
    """Four axes, one of length 1, not contiguous; always the same shape."""
    return rng.normal(3, 1, 2, 4).transpose(1, 2)


def ties(rng):
    """A row in which every entry occurs twice, also the largest."""
    return rng.normal(rng.integer(2, 5)).repeat(2)


def all_digits(rng):
    """Moderate numbers in float64."""
    return rng.normal(rng.integer(3, 6), rng.integer(2, 6), dtype=torch.float64)


@question.probe(points=0.5, title="logsumexp of ordinary numbers, along every axis", public=True)
def lse_ordinary(student, rng):
    x, row, thin = cube(rng), rng.normal(rng.integer(2, 7)), rng.normal(1, rng.integer(2, 5), 1)
    return {
        "every axis": [student.logsumexp(x, dim) for dim in (0, 1, 2, -1, -2, -3)],
        "one row": student.logsumexp(row, 0),
        "axes of length 1": [student.logsumexp(thin, dim) for dim in (0, 1, 2)],
        "a row near 0 and one near 1000": student.logsumexp(1000.0 * torch.arange(2, device=x.device)[:, None] + x[0, :2], 1),
        "four axes": [student.logsumexp(deep(rng), dim) for dim in (0, 1, 2, 3, 3, -1, -4)],
        "equal entries": student.logsumexp(ties(rng), 0),
    }


@question.probe(
    points=1,
    title="logsumexp far from zero, every row with its own size",
    judge=Fields({"all digits of float64": EXACT}, default=Close()),
)
def lse_far(student, rng):
    rows, n = rng.integer(3, 7), rng.integer(2, 6)
    size = torch.linspace(-2000, 2000, rows, device=rng.device)[rng.permutation(rows)]
    x = size[:, None] + rng.normal(rows, n)
    wide = 3e3 * rng.normal(rows, n, dtype=torch.float64)
    wide[:2] += torch.tensor([[-1e35], [1e35]], dtype=torch.float64, device=rng.device)
    digits = 1e7 * rng.normal(rows, 1, dtype=torch.float64) + rng.normal(rows, n, dtype=torch.float64)
    spread = torch.cat([rng.uniform(3, 1) - 150, 100 * rng.uniform(3, 3), rng.uniform(3, 1) + 120], 1)
    return {
        "every row with its own size": [student.logsumexp(x, 1), student.logsumexp(x.T.contiguous(), 0)],
        "numbers near -60": student.logsumexp(rng.normal(rows, n) - 60, 1),
        "from -150 to 120 in each row": student.logsumexp(spread[:, rng.permutation(5)], 1),
        "huge numbers in float64": student.logsumexp(wide, -1),
        "digits of float64, minus the row's first entry": student.logsumexp(digits, 1) - digits[:, 0],
        "all digits of float64": [student.logsumexp(all_digits(rng), 1), student.logsumexp(all_digits(rng)[:, :1], 1)],
    }


def with_zeros(rng, rows, n):
    """Log-values with -inf: one entry in a row, all but one, and all."""
    x = 3 * rng.normal(rows, n)
    x[0, rng.integer(0, n)] = -math.inf
    keep = rng.integer(0, n)
    x[1, [i for i in range(n) if i != keep]] = -math.inf
    x[2] = -math.inf
    return x[rng.permutation(rows)]


@question.probe(points=0.5, title="logsumexp with entries -inf")
def minus_infinity(student, rng):
    rows = rng.integer(5, 8)
    x = with_zeros(rng, rows, rows + 2)
    return {
        "along rows": student.logsumexp(x, 1),
        "along columns, float64": student.logsumexp(x.T.double().contiguous(), 0),
        "nothing but -inf": student.logsumexp(torch.full((2, 3), -math.inf, device=rng.device), 1),
    }


def far_rows(rng):
    """Rows of very different size, with ties and entries -inf."""
    rows, n = rng.integer(3, 6), rng.integer(4, 6)
    size = torch.linspace(-1500, 1500, rows, device=rng.device)[rng.permutation(rows)]
    x = size[:, None] + rng.normal(rows, n)
    x[0, :2] = -math.inf
    x[1, rng.integer(0, n)] = -math.inf
    x[2, :2] = x[2].max() + 1
    return x


@question.probe(
    points=0.5,
    title="gradient of logsumexp, also far from zero and with -inf",
    judge=Fields({"far from zero, with -inf": Close(rtol=1e-3, atol=1e-4)}, default=Close()),
)
def lse_gradient(student, rng):
    ordinary, far = rng.normal(rng.integer(3, 6), rng.integer(3, 6)).requires_grad_(True), far_rows(rng).requires_grad_(True)
    low, name = (rng.normal(3, 4) - 60).requires_grad_(True), "the result of logsumexp"
    return {
        "ordinary numbers": gradient(name, (1 + rng.uniform(len(ordinary))) * student.logsumexp(ordinary, 1), x=ordinary),
        "along the first axis": gradient(name, (1 + rng.uniform(ordinary.shape[1])) * student.logsumexp(ordinary, 0), x=ordinary),
        "numbers near -60": gradient(name, (1 + rng.uniform(3)) * student.logsumexp(low, 1), x=low),
        "far from zero, with -inf": gradient(name, (1 + rng.uniform(len(far))) * student.logsumexp(far, 1), x=far),
    }


@question.probe(points=0.5, title="log_softmax of ordinary scores, along every axis", public=True)
def lsm_ordinary(student, rng):
    x, thin = cube(rng), rng.normal(1, rng.integer(2, 5), 1)
    return {
        "every axis": [student.log_softmax(x, dim) for dim in (0, 1, 2, -1, -2)],
        "one row": student.log_softmax(ties(rng), 0),
        "axes of length 1": [student.log_softmax(thin, dim) for dim in (0, 1, 2)],
        "four axes": [student.log_softmax(deep(rng), dim) for dim in (0, 1, 2, 3, -1, -4)],
    }


@question.probe(
    points=1,
    title="log_softmax far from zero, with -inf, in float64",
    judge=Fields(
        {"all digits of float64": EXACT, "one score alone, float64, times 1e8": Close(atol=0.05)},
        default=Close(rtol=1e-4, atol=5e-5),
    ),
)
def lsm_far(student, rng):
    far = 1e3 * rng.normal(rng.integer(2, 5), rng.integer(3, 6))
    size = torch.tensor([[1e4], [-1e4], [1e6], [-1e6]] * 2, device=rng.device)
    near = rng.normal(8, rng.integer(3, 6)) + size
    masked = rng.normal(4, 4, dtype=torch.float64)
    masked[0, rng.integer(0, 4)] = -math.inf
    masked[3, 1:] = -math.inf  # one possible entry is left
    masked[0] -= 1e6
    digits = 1e7 * rng.normal(4, 1, dtype=torch.float64) + rng.normal(4, 3, dtype=torch.float64)
    return {
        "scores of size 1000": [student.log_softmax(far, 1), student.log_softmax(far, 0)],
        "scores near 10,000 or a million that lie close together": student.log_softmax(near, 1),
        "with -inf": student.log_softmax(masked, 1),
        "digits of float64": student.log_softmax(digits, 1),
        "all digits of float64": student.log_softmax(all_digits(rng), 1),
        "one score alone, float64, times 1e8": 1e8 * student.log_softmax(all_digits(rng)[:, :1], 1),
    }


@question.probe(
    points=0.5,
    title="gradient of log_softmax, also far from zero and with -inf",
    judge=Fields({"far from zero, with -inf": Close(rtol=1e-3, atol=1e-4)}, default=Close()),
)
def lsm_gradient(student, rng):
    ordinary, far = rng.normal(rng.integer(3, 6), rng.integer(3, 6)).requires_grad_(True), far_rows(rng)
    possible, name = far.isfinite(), "the result of log_softmax"
    weights, far_weights = 1 + rng.uniform(*ordinary.shape), 1 + rng.uniform(*far.shape)
    far.requires_grad_(True)
    return {
        "ordinary scores": gradient(name, weights * student.log_softmax(ordinary, 1), x=ordinary),
        "along the first axis": gradient(name, weights * student.log_softmax(ordinary, 0), x=ordinary),
        "far from zero, with -inf": gradient(name, (far_weights * student.log_softmax(far, 1))[possible], x=far),
    }


@question.probe(points=0.5, title="diagonal Gaussian: values for a batch of points", public=True)
def gaussian(student, rng):
    n, d = rng.integer(3, 7), rng.integer(2, 6)
    x, mean, logvar = 2 * rng.normal(n, d), rng.normal(d), rng.normal(d)
    one = rng.normal(n, 1)
    return {
        "one Gaussian": student.gaussian_log_prob(x, mean, logvar),
        "one for each point": student.gaussian_log_prob(x, rng.normal(n, d), rng.normal(n, d)),
        "D = 1": student.gaussian_log_prob(one, rng.normal(1), rng.normal(1)),
        "a single point": student.gaussian_log_prob(x[0], mean, logvar),
    }


def extremes(rng, n, d, dtype=torch.float32):
    """Log-variances near -38, 0 and 38: between them the size of an epsilon would show, and its name would hang on it."""
    middle = 38.0 * rng.integers(-1, 2, n, d).to(dtype)
    middle[:, 0], middle[:, 1] = -38.0, 38.0
    return middle + rng.uniform(n, d, low=-2.0, high=2.0, dtype=dtype)


@question.probe(
    points=1,
    title="diagonal Gaussian: broadcasting, tiny and huge variances, gradients",
    judge=Fields({"all digits of float64, differences of rows": EXACT}, default=Close()),
)
def gaussian_general(student, rng):
    def slope(**by):
        return slopes(student.gaussian_log_prob(point, mean, logvar), (n + 1,), 1.0, **by)

    n, k, d = rng.integer(2, 5), rng.integer(6, 9), rng.integer(3, 6)
    x, means, logvars = rng.normal(n, 1, d), rng.normal(k, d), rng.normal(k, d)
    shared = rng.normal(1)
    extreme, zeros = extremes(rng, 3, d), torch.zeros(d, device=rng.device)
    at_scale = (1 + rng.uniform(3, d)) * torch.exp(extreme / 2)
    many = rng.uniform(4, 48, low=36.0, high=40.0) * torch.tensor([[-1.0], [1.0], [-1.0], [1.0]], device=rng.device)
    mean, logvar = rng.normal(d).requires_grad_(True), rng.normal(d).requires_grad_(True)
    point = torch.cat([rng.normal(n, d), mean.detach()[None]]).requires_grad_(True)  # one point is the mean itself
    far, step = 1e7 * (1 + rng.uniform(d, dtype=torch.float64)), rng.normal(n, d, dtype=torch.float64)
    wide = extremes(rng, n, d, dtype=torch.float64)
    return {
        "N points, K Gaussians": student.gaussian_log_prob(x, means, logvars),
        "three axes in front": student.gaussian_log_prob(rng.normal(2, 1, 1, d), rng.normal(n, 1, d), logvars),
        "logvar with an axis of length 1": student.gaussian_log_prob(x[:, 0], means[0], shared),
        "mean with an axis of length 1": student.gaussian_log_prob(x[:, 0], shared, logvars[0]),
        "x with an axis of length 1": student.gaussian_log_prob(x[:, 0, :1], means[0], logvars[0]),
        "mean and logvar with axes of length 1": student.gaussian_log_prob(x[:, 0], shared, rng.normal(1)),
        "x and mean with axes of length 1": student.gaussian_log_prob(x[:, 0, :1], shared, logvars[0]),
        "x and logvar with axes of length 1": student.gaussian_log_prob(x[:, 0, :1], means[0], shared),
        "one mean, many log-variances": student.gaussian_log_prob(x[0, 0], shared, logvars),
        "tiny and huge variances": student.gaussian_log_prob(at_scale, zeros, extreme),
        "many dimensions": student.gaussian_log_prob((1 + rng.uniform(4, 48)) * torch.exp(many / 2), many.new_zeros(48), many),
        "far from the mean": student.gaussian_log_prob(rng.uniform(3, d, low=40.0, high=60.0), zeros, zeros),
        "gradient by x": slope(x=point),
        "gradient by mean": slope(mean=mean),
        "gradient by logvar": slope(logvar=logvar),
        "gradient by logvar, tiny and huge variances": slopes(
            student.gaussian_log_prob(at_scale, zeros, extreme.requires_grad_(True)), (3,), 1.0, logvar=extreme
        ),
        "digits of float64": student.gaussian_log_prob(
            far + step, far, torch.zeros(d, dtype=torch.float64, device=rng.device)
        ),
        "all digits of float64, differences of rows": student.gaussian_log_prob(
            step * torch.exp(wide / 2), 0 * far, wide
        ).diff(),
    }


@question.probe(points=0.5, title="bits per dimension", public=True)
def bits(student, rng):
    d = rng.integer(5, 800)
    nll = d * rng.normal(rng.integer(3, 6))
    return {
        "256 levels": student.nats_to_bits_per_dim(nll, d, 256),
        "another number of levels": student.nats_to_bits_per_dim(nll, d, 2 * rng.integer(1, 50) + 1),
        "data that was not rescaled": student.nats_to_bits_per_dim(torch.cat([nll, -nll]), d, 1),
        "one number": student.nats_to_bits_per_dim(nll.mean(), d, 16),
        "two levels": student.nats_to_bits_per_dim(rng.normal(2, 3), d, 2),
        "one dimension": student.nats_to_bits_per_dim(rng.normal(4), 1, 8),
    }


@question.probe(points=0.25, title="perplexity of ordinary texts", public=True)
def perplexity_ordinary(student, rng):
    texts, words = rng.integer(2, 5), rng.integer(20, 2000)
    batch = 3 * rng.uniform(texts, rng.integer(5, 8)) + torch.arange(texts, device=rng.device)[:, None]
    return {
        "texts of three lengths": [student.perplexity(4 * rng.uniform(n)) for n in (1, 4, rng.integer(5, 9))],
        "batch of texts": student.perplexity(batch),
        "uniform guesses": [
            student.perplexity(torch.full((3,), math.log(n), device=rng.device)) for n in (2, words, 3 * words)
        ],
    }


@question.probe(points=0.25, title="perplexity of long, certain and surprising texts")
def perplexities(student, rng):
    long = 4 * rng.uniform(rng.integer(1000, 1500))
    long[rng.integer(0, 900)] = 150.0
    certain = 4 * rng.uniform(6) * torch.tensor([0.0, 1, 1, 0, 1, 1], device=rng.device)
    return {
        "three axes": [student.perplexity(3 * rng.uniform(2, 3, n)) for n in (1, 4, 5)],
        "long text with a surprise": [student.perplexity(long[:n]) for n in (900, 950, 1000)],
        "some words are certain": [student.perplexity(certain[:n]) for n in (2, 4, 6)],
        "hardly possible": [student.perplexity(30 + rng.uniform(n)) for n in (3, 4, 5)],
        "float64": [student.perplexity(4 * rng.uniform(n, dtype=torch.float64)) for n in (4, 6, 8)],
    }

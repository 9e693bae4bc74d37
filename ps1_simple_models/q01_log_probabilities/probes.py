"""Question 1: log-sum-exp and relatives, the diagonal Gaussian, units."""

import math

import torch

from autograder.probes import Close, Fields, Question

from ..shared.answers import gradient

question = Question(
    title="Stable log-probabilities",
    skills=["1.01", "1.02", "1.08"],
    aim=(
        "Compute with log-probabilities without overflow, underflow or NaN, and convert between nats, bits per "
        "dimension and perplexity."
    ),
    hints={"logsumexp": [
        "Test each function on a 2-by-2 tensor by hand: one row [0, 0], the other [1000, 1000]. The sum of two equal "
        "terms is the term plus ln 2.",
        "`x.amax(dim, keepdim=True)` keeps the axis, so that it broadcasts against `x`; the final result must lose "
        "it again (`squeeze(dim)`, with the `dim`). For a row of -inf, the number that you subtract must be finite: "
        "replace it where it is not. In the Gaussian, sum over the last axis last, when all terms have been "
        "broadcast together.",
        "logsumexp: `m = x.amax(dim, keepdim=True)`, replace -inf in `m` by 0 with `torch.where`, then the logarithm "
        "of the sum of `exp(x - m)` plus `m`. The other two are one line each with it: `unsqueeze(dim)` before "
        "subtracting from `x`. Gaussian: add log 2π, logvar and the squared error divided by the variance, sum over "
        "the last axis, times -1/2. Bits: divide the nats by D first, add ln V, then divide everything by ln 2.",
    ]},
    ambiguities=[
        "Library calls (torch.logsumexp, F.log_softmax, torch.distributions) are accepted.",
        "The gradient at a row of -inf only is not tested (torch.logsumexp itself gives NaN).",
        "nats_to_bits_per_dim has no default number of levels: the convention must be said at each call.",
    ],
)


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


@question.probe(points=1, title="logsumexp of ordinary numbers, along every axis", public=True)
def lse_ordinary(student, rng):
    x, row, thin = cube(rng), rng.normal(rng.integer(2, 7)), rng.normal(1, rng.integer(2, 5), 1)
    return {
        "every axis": [student.logsumexp(x, dim) for dim in (0, 1, 2, -1, -2, -3)],
        "one row": student.logsumexp(row, 0),
        "axes of length 1": [student.logsumexp(thin, dim) for dim in (0, 1, 2)],
        "four axes": [student.logsumexp(deep(rng), dim) for dim in (0, 1, 2, 3, 3, -1, -4)],
        "equal entries": student.logsumexp(ties(rng), 0),
    }


@question.probe(
    points=1,
    title="logsumexp far from zero, every row with its own size",
    judge=Fields(
        {
            "every row with its own size": Close(),
            "float64": Close(),
            "digits of float64, minus the row's first entry": Close(),
            "all digits of float64": Close(rtol=1e-10, atol=1e-10),
        }
    ),
    public=True,
)
def lse_far(student, rng):
    rows, n = rng.integer(3, 7), rng.integer(2, 6)
    size = torch.linspace(-2000, 2000, rows, device=rng.device)[rng.permutation(rows)]
    x = size[:, None] + rng.normal(rows, n)
    wide = 1e3 * rng.normal(rows, n, dtype=torch.float64)
    wide[:2] += torch.tensor([[-1e35], [1e35]], dtype=torch.float64, device=rng.device)
    digits = 1e7 * rng.normal(rows, 1, dtype=torch.float64) + rng.normal(rows, n, dtype=torch.float64)
    return {
        "every row with its own size": [student.logsumexp(x, 1), student.logsumexp(x.T.contiguous(), 0)],
        "float64": student.logsumexp(wide, -1),
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


@question.probe(points=0.5, title="logsumexp and log_mean_exp with entries -inf")
def minus_infinity(student, rng):
    rows = rng.integer(4, 7)
    x = with_zeros(rng, rows, rows + 2)
    return {
        "logsumexp": [student.logsumexp(x, 1), student.logsumexp(x.T.double().contiguous(), 0)],
        "log_mean_exp": student.log_mean_exp(x, -1),
    }


@question.probe(
    points=0.5,
    title="gradients: of logsumexp the softmax, of the other two, all also far from zero and with -inf",
    judge=Fields(
        {
            "logsumexp": Close(rtol=1e-3, atol=1e-4),
            "log_mean_exp": Close(),
            "log_softmax": Close(),
            "log_mean_exp, far and with -inf": Close(rtol=1e-3, atol=1e-4),
            "log_softmax, far and with -inf": Close(rtol=1e-3, atol=5e-3),  # here float32 has only four digits
        }
    ),
)
def lse_gradient(student, rng):
    rows, n = rng.integer(3, 6), rng.integer(4, 6)
    size = torch.linspace(-1500, 1500, rows, device=rng.device)[rng.permutation(rows)]
    x = size[:, None] + rng.normal(rows, n)
    x[0, :2] = -math.inf
    x[1, rng.integer(0, n)] = -math.inf
    x[2, :2] = x[2].max() + 1
    possible = x.isfinite()
    x.requires_grad_(True)
    weights = 1 + rng.uniform(rows)
    ordinary = rng.normal(rows, n).requires_grad_(True)
    return {
        "logsumexp": gradient("the result of logsumexp", weights * student.logsumexp(x, 1), x=x),
        "log_mean_exp": gradient(
            "the result of log_mean_exp", (1 + rng.uniform(n)) * student.log_mean_exp(ordinary, 0), x=ordinary
        ),
        "log_softmax": gradient(
            "the result of log_softmax", (1 + rng.uniform(rows, n)) * student.log_softmax(ordinary, 1), x=ordinary
        ),
        "log_mean_exp, far and with -inf": gradient(
            "the result of log_mean_exp", weights * student.log_mean_exp(x, 1), x=x
        ),
        "log_softmax, far and with -inf": gradient(
            "the result of log_softmax", (1 + rng.uniform(rows, n))[possible] * student.log_softmax(x, 1)[possible], x=x
        ),
    }


@question.probe(
    points=0.5,
    title="log_mean_exp",
    judge=Fields(
        {
            "every axis": Close(rtol=1e-4, atol=2e-5),
            "one row": Close(),
            "axes of length 1": Close(),
            "four axes": Close(),
            "far": Close(rtol=1e-4, atol=2e-5),
            "all the same": Close(rtol=1e-4, atol=2e-5),
            "digits of float64, minus the row's first entry": Close(),
            "all digits of float64, differences of rows": Close(rtol=1e-10, atol=1e-10),
        }
    ),
)
def lme(student, rng):
    x = 2 * rng.normal(2, rng.integer(3, 5), rng.integer(5, 8))
    far = torch.tensor([[-1200.0], [900.0], [-1e30]], device=rng.device) + rng.normal(3, rng.integer(2, 6))
    constant = rng.normal(1, 1).expand(3, rng.integer(4, 9)).clone()
    thin = rng.normal(1, rng.integer(2, 5), 1)
    digits = 1e7 * rng.normal(4, 1, dtype=torch.float64) + rng.normal(4, 3, dtype=torch.float64)
    return {
        "every axis": [student.log_mean_exp(x, dim) for dim in (0, 1, 2, -2)],
        "one row": student.log_mean_exp(ties(rng), 0),
        "axes of length 1": [student.log_mean_exp(thin, dim) for dim in (0, 1, 2)],
        "four axes": [student.log_mean_exp(deep(rng), dim) for dim in (0, 1, 2, 3, -1, -4)],
        "far": student.log_mean_exp(far, 1),
        "all the same": student.log_mean_exp(constant, -1),
        "digits of float64, minus the row's first entry": student.log_mean_exp(digits, 1) - digits[:, 0],
        "all digits of float64, differences of rows": student.log_mean_exp(all_digits(rng), 1).diff(),
    }


@question.probe(
    points=1,
    title="log_softmax: along every axis, far from zero, with -inf",
    judge=Fields(
        {
            "every axis": Close(),
            "one row": Close(),
            "axes of length 1": Close(),
            "four axes": Close(),
            "far": Close(rtol=1e-4, atol=1e-3),
            "with -inf": Close(),
            "digits of float64": Close(),
            "all digits of float64": Close(rtol=1e-10, atol=1e-10),
            "a single entry, float64, times 1e8": Close(atol=0.05),
        }
    ),
)
def lsm(student, rng):
    x = cube(rng)
    far = 1e3 * rng.normal(rng.integer(2, 5), rng.integer(3, 6))
    masked = rng.normal(4, 4, dtype=torch.float64)
    masked[0, rng.integer(0, 4)] = -math.inf
    masked[3, 1:] = -math.inf  # one possible entry is left
    masked[0] -= 1e6
    thin = rng.normal(1, rng.integer(2, 5), 1)
    return {
        "every axis": [student.log_softmax(x, dim) for dim in (0, 1, 2, -1, -2)],
        "one row": student.log_softmax(ties(rng), 0),
        "axes of length 1": [student.log_softmax(thin, dim) for dim in (0, 1, 2)],
        "four axes": [student.log_softmax(deep(rng), dim) for dim in (0, 1, 2, 3, -1, -4)],
        "far": [student.log_softmax(far, 1), student.log_softmax(far, 0)],
        "with -inf": student.log_softmax(masked, 1),
        "digits of float64": student.log_softmax(
            1e7 * rng.normal(4, 1, dtype=torch.float64) + rng.normal(4, 3, dtype=torch.float64), 1
        ),
        "all digits of float64": student.log_softmax(all_digits(rng), 1),
        "a single entry, float64, times 1e8": 1e8 * student.log_softmax(all_digits(rng)[:, :1], 1),
    }


@question.probe(points=1, title="diagonal Gaussian: values for a batch of points", public=True)
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


@question.probe(
    points=0.5,
    title="diagonal Gaussian: broadcasting, tiny and huge variances, gradients",
    judge=Fields(
        {
            "N points, K Gaussians": Close(),
            "three axes in front": Close(),
            "axes of length 1": Close(),
            "tiny and huge variances": Close(),
            "gradients in x, mean and logvar": Close(),
            "gradients in logvar of tiny and huge variances": Close(),
            "digits of float64": Close(),
            "all digits of float64, differences of rows": Close(rtol=1e-10, atol=1e-10),
        }
    ),
)
def gaussian_general(student, rng):
    n, k, d = rng.integer(2, 5), rng.integer(6, 9), rng.integer(3, 6)
    x, means, logvars = rng.normal(n, 1, d), rng.normal(k, d), rng.normal(k, d)
    shared = rng.normal(1)
    extreme = rng.uniform(n, d, low=-40.0, high=40.0)
    extreme[:, 0] = torch.linspace(-40.0, -38.0, n, device=rng.device)
    at_scale = (1 + rng.uniform(n, d)) * torch.exp(extreme / 2)
    mean, logvar = rng.normal(d).requires_grad_(True), rng.normal(d).requires_grad_(True)
    point = torch.cat([rng.normal(n, d), mean.detach()[None]]).requires_grad_(True)  # one point is the mean itself
    far, step = 1e7 * (1 + rng.uniform(d, dtype=torch.float64)), rng.normal(n, d, dtype=torch.float64)
    wide = rng.uniform(n, d, low=-40.0, high=40.0, dtype=torch.float64)
    wide[:, 0] = -40 + rng.uniform(n, dtype=torch.float64)
    return {
        "N points, K Gaussians": student.gaussian_log_prob(x, means, logvars),
        "three axes in front": student.gaussian_log_prob(rng.normal(2, 1, 1, d), rng.normal(n, 1, d), logvars),
        "axes of length 1": {
            "logvar": student.gaussian_log_prob(x[:, 0], means[0], shared),
            "mean": student.gaussian_log_prob(x[:, 0], shared, logvars[0]),
            "x": student.gaussian_log_prob(x[:, 0, :1], means[0], logvars[0]),
            "mean and logvar": student.gaussian_log_prob(x[:, 0], shared, rng.normal(1)),
            "x and mean": student.gaussian_log_prob(x[:, 0, :1], shared, logvars[0]),
            "x and logvar": student.gaussian_log_prob(x[:, 0, :1], means[0], shared),
            "mean, with many log-variances": student.gaussian_log_prob(x[0, 0], shared, logvars),
        },
        "tiny and huge variances": student.gaussian_log_prob(at_scale, torch.zeros(d, device=rng.device), extreme),
        "gradients in x, mean and logvar": gradient(
            "the result of gaussian_log_prob",
            student.gaussian_log_prob(point, mean, logvar),
            x=point,
            mean=mean,
            logvar=logvar,
        ),
        "gradients in logvar of tiny and huge variances": gradient(
            "the result of gaussian_log_prob",
            student.gaussian_log_prob(at_scale, torch.zeros(d, device=rng.device), extreme.requires_grad_(True)),
            logvar=extreme,
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
        "unscaled data": student.nats_to_bits_per_dim(nll, d, 1),
        "one number": student.nats_to_bits_per_dim(nll.mean(), d, 16),
        "two levels": student.nats_to_bits_per_dim(rng.normal(2, 3), d, 2),
        "one dimension": student.nats_to_bits_per_dim(rng.normal(4), 1, 8),
    }


@question.probe(points=0.5, title="perplexity")
def perplexities(student, rng):
    words, texts = rng.integer(20, 2000), rng.integer(2, 5)
    long = 4 * rng.uniform(rng.integer(1000, 1500))
    long[rng.integer(0, 1000)] = 150.0
    certain = 4 * rng.uniform(6) * torch.tensor([0.0, 1, 1, 0, 1, 1], device=rng.device)
    return {
        "text": student.perplexity(4 * rng.uniform(rng.integer(4, 9))),
        "batch of texts": student.perplexity(
            3 * rng.uniform(texts, rng.integer(3, 7)) + torch.arange(texts, device=rng.device)[:, None]
        ),
        "three axes": student.perplexity(3 * rng.uniform(2, 3, 4)),
        "long text with a surprise": student.perplexity(long),
        "some words are certain": student.perplexity(certain),
        "hardly possible": student.perplexity(30 + rng.uniform(5)),
        "uniform guess": student.perplexity(torch.full((rng.integer(3, 6),), math.log(words), device=rng.device)),
    }

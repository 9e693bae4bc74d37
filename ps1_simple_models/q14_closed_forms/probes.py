"""Question 14: ridge regression as MAP, naive Bayes, and parameter counts."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import attempt, tried, two_of

question = Question(
    title="Fitted without a loop",
    skills=["1.10", "1.11", "1.12"],
    after="q06_cross_entropy",
    lecture="maximum a posteriori estimation and naive Bayes",
    run_seconds=12,
    aim=(
        "Derive ridge regression as a MAP estimate and what its penalty is in a mean loss; fit a classifier by counting; "
        "count what an independence assumption saves."
    ),
    hints={
        "ridge_map": (
            "Where does b go once the data are centred?",
            "With a huge prior variance this is least squares; with a tiny one w is 0 and b is the mean of y.",
            "A D×D system for w: the precision of the data plus the precision of the prior. Then b from the means.",
        ),
        "l2_coefficient": (
            "By which number must (14.1) be multiplied so that its first term is that of (14.2)?",
            "σ² = 1, τ² = 1, N = 2: multiply (14.1) by 1. What stands before ‖w‖²?",
            "Only the ratio of the two terms matters for the minimiser.",
        ),
        "naive_bayes_log_posterior": (
            "Which shape has log p(x, k) for all examples and classes, and which two matrix products make it?",
            "One pixel, θ = (0.9, 0.5), equal priors, x = 0: the posterior is (1/6, 5/6).",
            "Stay with logarithms to the end; then normalise each row as a log-softmax does.",
        ),
        "num_parameters": (
            "How many rows has the table of x_i, and how many free numbers has a row?",
            "Sizes 2, 3, 4 and m = 1: 1 + 2·2 + 3·3 = 14. With m = 2: 1 + 2·2 + 6·3 = 23 = 2·3·4 - 1.",
            "`math.prod` of a slice of the list; where does the slice begin for the first variables?",
        ),
    },
    ambiguities=[
        "Library calls (torch.linalg.lstsq, sklearn's Ridge, torch.distributions) are accepted.",
        "num_parameters must be a Python int, because exact numbers beyond 2**63 are tested.",
    ],
)


def weights_and_bias(key, student, *arguments):
    """The two parts of an answer, each an entry."""
    found = tried(lambda: two_of(student.ridge_map(*arguments), "w", "b"))
    w, b = (found, found) if isinstance(found, str) else found
    return {f"{key}: w": w, f"{key}: b": b}


@question.probe(points=0.5, title="ridge regression", judge=Fields(default=Close(rtol=1e-3, atol=1e-4)), public=True)
def ridge(student, rng):
    n, d = rng.integer(9, 14), rng.integer(3, 5)
    size = torch.logspace(-0.7, 1.3, d, dtype=torch.float64, device=rng.device)
    x = size * (rng.normal(n, d, dtype=torch.float64) + rng.normal(d, dtype=torch.float64))
    noise = rng.normal(n, dtype=torch.float64)
    y = (x / size) @ rng.normal(d, dtype=torch.float64) + 3 + rng.number(0, 2) + 0.5 * noise
    return {
        **weights_and_bias("a weak prior", student, x, y, rng.number(0.3, 0.8), rng.number(0.1, 0.25)),
        **weights_and_bias("a strong prior", student, x.float(), y.float(), rng.number(2, 4), 0.01),
    }


@question.probe(
    points=1,
    title="ridge regression: more weights than examples, one example, one weight, far from zero",
    judge=Fields(default=Close(rtol=1e-3, atol=1e-4)),
)
def ridge_edges(student, rng):
    n, d = rng.integer(3, 5), rng.integer(6, 9)
    wide = rng.normal(n, d, dtype=torch.float64)
    single = rng.normal(1, d, dtype=torch.float64)
    far = 1e3 * (1 + rng.uniform(1, dtype=torch.float64)) + rng.normal(8, 1, dtype=torch.float64)
    tiny = 1e-3 * rng.normal(5, 4, dtype=torch.float64)
    x, w = rng.normal(14, 6), (2 * rng.bernoulli(6) - 1) * rng.uniform(6, low=0.5, high=1.5)
    y = x @ w + rng.normal(14)
    return {
        **weights_and_bias("more weights than examples", student, wide, 1 + rng.normal(n, dtype=torch.float64), 0.5, 2.0),
        **weights_and_bias("one example", student, single, 2 + rng.normal(1, dtype=torch.float64), 0.5, 2.0),
        **weights_and_bias("one weight", student, far, 500 + rng.normal(8, dtype=torch.float64), 0.7, 0.6),
        "float32, far from zero: w": weights_and_bias("", student, x + rng.uniform(6, low=130, high=170), y, 0.7, 0.6)[": w"],
        # the data and the penalty are as small as what one adds to a matrix "for stability"
        **weights_and_bias("inputs of size 0.001", student, tiny, 2e-3 + 1e-3 * rng.normal(5, dtype=torch.float64), 2e-7, 0.4),
    }


@question.probe(points=0.5, title="the L2 coefficient of a mean loss", judge=Close(rtol=1e-4, atol=1e-9), public=True)
def coefficient(student, rng):
    noise, prior, n = rng.number(0.3, 0.9), rng.number(1.5, 4), rng.integer(3, 9)
    return {
        "several N": [student.l2_coefficient(noise, prior, each) for each in (n, n + 2, 3 * n)],
        "several noise variances": [student.l2_coefficient(each * noise, prior, n) for each in (1, 2, 5)],
        "several prior variances": [student.l2_coefficient(noise, each * prior, n) for each in (1, 2, 0.1)],
    }


@question.probe(points=0.5, title="the L2 coefficient of one example and of many", judge=Close(rtol=1e-4, atol=1e-9))
def coefficient_edges(student, rng):
    noise, prior = rng.number(2, 9), rng.number(0.05, 0.3)
    return {
        "one example": [student.l2_coefficient(each * noise, prior, 1) for each in (1, 2, 3)],
        "many examples": [student.l2_coefficient(noise, prior, rng.integer(500, 3000)) for _ in range(3)],
        "whole numbers": [student.l2_coefficient(each, 2, rng.integer(3, 9)) for each in (1, 3, 5)],
    }


def binary_case(rng, n, k, d, dtype=torch.float64):
    """x, the prior and theta; each example is typical of one class."""
    theta = rng.uniform(k, d, low=0.05, high=0.95, dtype=torch.float64)
    x = (rng.uniform(n, d, dtype=torch.float64) < theta[rng.integers(0, k, n)]).double()
    return x.to(dtype), rng.simplex(k, dtype=dtype).log(), theta.to(dtype)


@question.probe(points=0.5, title="naive Bayes", judge=Fields(default=Close(rtol=1e-3, atol=1e-3)), public=True)
def naive_bayes(student, rng):
    n, k, d = rng.integer(4, 7), rng.integer(3, 6), rng.integer(3, 6)
    return {
        "a batch": attempt(student.naive_bayes_log_posterior, *binary_case(rng, n, k, d, torch.float32)),
        "two classes": attempt(student.naive_bayes_log_posterior, *binary_case(rng, n, 2, d, torch.float32)),
    }


@question.probe(
    points=1, title="naive Bayes with thousands of pixels and with very rare ones", judge=Fields(default=Close(rtol=1e-3, atol=1e-3))
)
def naive_bayes_edges(student, rng):
    n, k, d = rng.integer(4, 7), rng.integer(3, 6), rng.integer(4, 6)
    many, prior, theta = binary_case(rng, n, k, 2500)
    theta[:, :200] = 0.001
    many[:, :200] = 0
    many[0, :200] = 1  # unlikely under all classes: far below the other examples
    x, rare_prior, rare = binary_case(rng, n, k, d)
    rare[:, 0] = 1e-14 * (1 + rng.permutation(k))
    rare[:, 1] = 1 - 2.0**-21 * (1 + rng.permutation(k))
    x[0, 0], x[1, 1] = 1, 0
    return {
        "2500 pixels": attempt(student.naive_bayes_log_posterior, many, prior, theta),
        "2500 pixels, float32": attempt(student.naive_bayes_log_posterior, many.float(), prior.float(), theta.float()),
        "pixels that are nearly always 0 or 1": attempt(student.naive_bayes_log_posterior, x, rare_prior, rare),
        "as many examples as classes": attempt(student.naive_bayes_log_posterior, *binary_case(rng, k, k, d)),
        "one example": attempt(student.naive_bayes_log_posterior, *binary_case(rng, 1, k, d)),
        "one class": attempt(student.naive_bayes_log_posterior, *binary_case(rng, 2, 1, d)),
        "one pixel": attempt(student.naive_bayes_log_posterior, *binary_case(rng, n, k, 1)),
    }


def some_sizes(rng):
    """Three lists of numbers of values, each of them uneven."""
    lists = [[rng.integer(2, 6) for _ in range(rng.integer(4, 7))] for _ in range(3)]
    for sizes in lists:
        sizes[1] = sizes[0] + 2
    return lists


@question.probe(points=0.5, title="parameter counts", judge=Fields(default=Exact()), public=True)
def counting(student, rng):
    lists = some_sizes(rng)
    counts = {f"memory {m}": tried(lambda m=m: [student.num_parameters(sizes, m) for sizes in lists]) for m in (0, 1, 2)}
    counts["memory D - 1"] = tried(lambda: [student.num_parameters(sizes, len(sizes) - 1) for sizes in lists])
    return counts


@question.probe(points=0.5, title="parameter counts: long memory, one variable, very many", judge=Fields(default=Exact()))
def counting_edges(student, rng):
    lists = some_sizes(rng)
    many = [[rng.choice([3, 5, 7]) for _ in range(rng.integer(70, 90))] for _ in range(3)]
    return {
        "memory longer than the chain": tried(lambda: [student.num_parameters(sizes, len(sizes) + 3) for sizes in lists]),
        "memory 3": tried(lambda: [student.num_parameters(sizes, 3) for sizes in lists]),
        "one variable": tried(lambda: [student.num_parameters([size], m) for size, m in ((7, 0), (5, 2), (1, 1))]),
        "a variable with one value": tried(lambda: [student.num_parameters([size, 1, 4], m) for size, m in ((3, 1), (5, 2), (6, 0))]),
        "beyond 64 bits": tried(
            lambda: [str(student.num_parameters(sizes, m)) for sizes, m in zip(many, (40, 50, 99), strict=True)]
        ),
    }

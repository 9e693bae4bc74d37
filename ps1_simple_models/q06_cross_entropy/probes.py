"""Question 6: cross-entropy, KL, the Bernoulli likelihood, and the classifier of Gaussian classes."""

import torch
from torch.nn import functional as F

from autograder.probes import Close, Question
from dgm.checks.asking import gradient

question = Question(
    title="What maximum likelihood minimises",
    skills=["1.07", "1.11"],
    lecture="maximum likelihood, KL divergence and Bayes' rule",
    run_seconds=5,
    manual_points=3,
    rubric=[
        "1 point: (a) says over which distribution each direction averages, and concludes: KL(p || q) charges every place "
        "where p > 0 and q is small, but nothing where p = 0, so q covers; KL(q || p) charges mass of q where p is small, "
        "and a forgotten bump costs at most -log of the share that is kept. Half a point for one direction.",
        "1 point: (b) samples: maximum likelihood draws things between or around the modes that do not occur, but all "
        "kinds of data are among them; the other direction draws convincing samples and misses whole kinds.",
        "1 point: (c) if the family contains p, both are zero exactly at q = p; the direction matters only for a model "
        "that cannot represent the data.",
    ],
    aim=(
        "See that maximum likelihood is KL(data || model) and therefore covers; write the one Bernoulli likelihood of "
        "the set; derive the linear classifier in a family of Gaussians."
    ),
    hints={
        "cross_entropy": (
            "Which of the two distributions weighs, and which stands in the logarithm?",
            "p = (1, 0) and q = (½, ½) give log 2; p = (1, 0) and q = (1, 0) give 0. What does `0 * torch.log(0)` give?",
            "`torch.xlogy(a, b)` is a·log b, with 0 for a = 0. A mask on p works, too.",
        ),
        "kl_divergence": (
            "What is KL(p || p)? And what if p has zeros?",
            "p = (½, ½, 0) and q = (¼, ¼, ½) give log 2, exchanged they give +inf.",
            "Write it as a difference of two sums, neither of which contains a ratio.",
        ),
        "bernoulli_log_prob": (
            "Where does float32 lose the digits: in the sigmoid or in the logarithm?",
            "log σ(1000) = 0 and log σ(-1000) = -1000, to all digits. Both can be had without computing σ.",
            "`F.logsigmoid` and `F.softplus` are stable. Then sum over all axes but the first, however many there are.",
        ),
        "gaussians_to_softmax": (
            "Which terms of the expanded square depend on k?",
            "One dimension, Σ = s²: the exponent is -(x - μ)²/(2s²). What multiplies x, and what is left?",
            "One solve with Σ gives the K rows of W; each b_k needs the row k of W once more.",
        ),
    },
    ambiguities=[
        "Library calls (F.binary_cross_entropy_with_logits, F.logsigmoid, torch.distributions) are accepted.",
        "W and b of gaussians_to_softmax are judged up to what softmax does not see: a shift common to all classes.",
        "Gradients of cross_entropy and kl_divergence are not tested.",
    ],
)


def ordinary_pairs(rng):
    """Distributions without zeros, by situation."""
    n, k = rng.integer(4, 7), rng.integer(3, 8)
    p, q, one = rng.simplex(n, k), rng.simplex(n, k), rng.simplex(k)
    return {"a batch": (p, q), "one q for all p": (p, one), "one p for all q": (one, q)}


def pairs_with_zeros(rng):
    """Distributions in float64 with exact zeros, very small numbers or axes that broadcast, by situation."""
    n, k = rng.integer(4, 7), rng.integer(6, 9)

    def some():
        return rng.simplex(n, k, dtype=torch.float64)

    def without(x, place):
        x = x.clone()
        x[..., place] = 0
        return x / x.sum(-1, keepdim=True)

    empty, other, *rest = rng.permutation(k).tolist()
    small = some() * 10 ** -rng.uniform(n, k, low=8, high=16).double()
    for place, size in zip((other, *rest), (1e-12, 1e-20, 1e-8, 1e-10)):  # with an epsilon of that size
        small[:, place] = size * rng.uniform(n, low=0.5, high=2).double()
    small[:, empty] = 1 - (small.sum(-1) - small[:, empty])
    impossible, impossible_tiny = some(), some()
    impossible[0] = without(impossible[0], empty)
    impossible_tiny[0] = without(impossible_tiny[0], other)
    return {
        "p is 0 somewhere": (without(some(), empty), some()),
        "p and q are 0 at the same place": (without(some(), empty), without(some(), empty)),
        "q is 0 where the first p is not": (some(), impossible),
        "p is 0 at one place, the first q at another": (without(some(), other), impossible),
        "p is one-hot": (F.one_hot(rng.integers(0, k, n), k).double(), some()),
        "q is tiny, not 0": (some(), small),
        "p is tiny where q is not": (small, some()),
        "p is tiny where the first q is 0": (small, impossible_tiny),
        "all pairs, by broadcasting": (some()[:, None], some()[:3]),
        "more axes": (rng.simplex(2, 1, 3, k), rng.simplex(4, 1, k)),
    }


@question.probe(points=0.5, title="cross-entropy", public=True)
def crossed(student, rng):
    pairs = ordinary_pairs(rng)
    p, q = pairs["a batch"]
    return {key: student.cross_entropy(*pair) for key, pair in pairs.items()} | {
        "single pairs": [student.cross_entropy(p[i], q[i]) for i in range(3)]
    }


@question.probe(points=1, title="cross-entropy with zeros, tiny numbers and broadcasting")
def crossed_edges(student, rng):
    return {key: student.cross_entropy(*pair) for key, pair in pairs_with_zeros(rng).items()}


@question.probe(points=0.5, title="KL divergence", public=True)
def divergence(student, rng):
    pairs = ordinary_pairs(rng)
    p, q = pairs["a batch"]
    return {key: student.kl_divergence(*pair) for key, pair in pairs.items()} | {
        "single pairs": [student.kl_divergence(p[i], q[i]) for i in range(3)]
    }


@question.probe(points=1, title="KL divergence with zeros, tiny numbers and broadcasting")
def divergence_edges(student, rng):
    return {key: student.kl_divergence(*pair) for key, pair in pairs_with_zeros(rng).items()}


@question.probe(points=0.5, title="Bernoulli log-probability and its gradient", public=True)
def binary(student, rng):
    n, d = rng.integer(4, 7), rng.integer(5, 9)
    logits = (2 * rng.normal(n, d)).requires_grad_()
    grey = rng.uniform(n, d)
    images = rng.normal(n, 3, 3, 7)
    return {
        "zeros and ones": student.bernoulli_log_prob(logits, rng.bernoulli(n, d)),
        "grey values": student.bernoulli_log_prob(logits, grey),
        "images": student.bernoulli_log_prob(images, rng.bernoulli(n, 3, 3, 7)),
        "gradient": gradient("bernoulli_log_prob", student.bernoulli_log_prob(logits, grey), logits=logits),
    }


@question.probe(points=1.5, title="Bernoulli log-probability far from zero and at zero, other shapes")
def binary_edges(student, rng):
    n, d = rng.integer(4, 7), 8
    size = torch.tensor([-1010.0, -700, -400, -60, 60, 400, 700, 1010], device=rng.device)[rng.permutation(d)]
    far = (size + rng.normal(n, d)).requires_grad_()
    near = torch.linspace(-12, 12, d, device=rng.device) + rng.normal(n, d)
    near[:, rng.integer(0, d)] = 0
    near.requires_grad_()
    hard, grey = rng.bernoulli(n, d), rng.uniform(n, d)
    hard[0, 0], hard[0, 1] = 0, 1
    wide = rng.normal(n, 5, dtype=torch.float64)
    return {
        "logits to 1000": student.bernoulli_log_prob(far, hard),
        "logits to 1000, grey values": student.bernoulli_log_prob(far, grey),
        "logits to 1000: gradient": gradient("bernoulli_log_prob", student.bernoulli_log_prob(far, hard), logits=far),
        "some logits are 0: gradient": gradient(
            "bernoulli_log_prob", student.bernoulli_log_prob(near, grey), logits=near
        ),
        "one example": [student.bernoulli_log_prob(wide[i : i + 1], rng.uniform(1, 5).double()) for i in range(3)],
        "one value each": student.bernoulli_log_prob(wide[:, :1], rng.uniform(n, 1).double()),
        "three axes": student.bernoulli_log_prob(rng.normal(n, 2, 3), rng.bernoulli(n, 2, 3)),
    }


def up_to_a_shift(value, shape):
    """W or b minus its mean over the classes, which softmax does not see; what has another shape stays as it is."""
    if isinstance(value, torch.Tensor) and value.shape == shape and value.is_floating_point():
        return value - value.mean(0)
    return value


def classifiers(student, cases):
    """W and b of each case, up to a shift."""
    found = {}
    for key, (log_prior, means, cov) in cases.items():
        pair = student.gaussians_to_softmax(log_prior, means, cov)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError("gaussians_to_softmax must return a pair, (W, b)")
        found[f"{key}W, up to a common row"] = up_to_a_shift(pair[0], means.shape)
        found[f"{key}b, up to a common number"] = up_to_a_shift(pair[1], log_prior.shape)
    return found


@question.probe(points=0.5, title="the classifier of Gaussian classes", judge=Close(rtol=1e-3, atol=1e-4), public=True)
def generative(student, rng):
    k, d = rng.integer(4, 6), 3
    return classifiers(student, {"": (rng.simplex(k).log(), 1.5 * rng.normal(k, d) + 1, rng.spd(d, 0.3, 2.5))})


@question.probe(points=1.5, title="the classifier: one dimension, many, small units, rare classes", judge=Close(rtol=1e-3, atol=1e-4))
def generative_edges(student, rng):
    k = rng.integer(4, 7)

    def case(d, unit, dtype=torch.float64, log_prior=None):
        log_prior = rng.simplex(k, dtype=torch.float64).log() if log_prior is None else log_prior
        means = unit * (1.5 * rng.normal(k, d, dtype=torch.float64) + 1)
        return log_prior.to(dtype), means.to(dtype), (unit**2 * rng.spd(d, 0.3, 2.5, dtype=torch.float64)).to(dtype)

    rare = torch.full((k,), -30.0, dtype=torch.float64, device=rng.device) - rng.uniform(k, high=20).double()
    rare[0] = 0
    return classifiers(student, {
        "one dimension: ": case(1, 1.0, torch.float32),
        "more dimensions than classes: ": case(9, 1.0),
        "values of size 0.001, as many dimensions as classes: ": case(k, 1e-3),
        "very rare classes: ": case(k, 1.0, log_prior=rare),
    })

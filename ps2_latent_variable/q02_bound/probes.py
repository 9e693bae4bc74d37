"""Question 2: the ELBO and its gap on a finite latent, the split of the mean KL, and mean field on a Gaussian."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import slopes, tensor_of, tried, two_of

question = Question(
    title="The bound, where everything can be summed",
    skills=["2.03", "2.04", "2.34"],
    lecture="KL divergence; latent variables and the evidence lower bound",
    run_seconds=4,
    manual_points=3,
    rubric=[
        "1 point: (a) KL(q || p) averages over q: mass of q where p is nearly 0 costs much, places that q leaves out cost "
        "nothing but through normalisation; so a factorised q shrinks to about the ridge's width. Half a point for naming the direction only.",
        "1 point: (b) ELBO = log p - gap, and the gaps of two models differ, so an ELBO that is one nat higher can belong to the lower "
        "likelihood (or: only if the gaps are known or smaller than the difference can one conclude).",
        "1 point: (c) W was turned until the posterior's covariance was diagonal, which does not change p(x); the model must have "
        "parameters that change the posterior but not p(x).",
    ],
    aim=(
        "See on a latent with 250 values that the bound's gap is exactly a KL divergence, what the KL to the prior pays for, and "
        "why a factorised posterior is too narrow."
    ),
    hints={
        "exact_posterior": (
            "Which one operation gives log(a + b) from log a and log b, without leaving the logarithm?",
            "log_joint = log (0.3, 0.1): log p(x) = log 0.4, and the posterior is log (¾, ¼).",
            "The logarithm of a quotient is a difference. Mind the axes: one number for each row.",
        ),
        "elbo": (
            "Over which distribution is the average taken, and what stands in the brackets?",
            "joint (0.3, 0.1) and q = (½, ½): -1.060. With q = (1, 0) it is log 0.3. What does your code give for 0 times -inf?",
            "Compute all terms, and put 0 where q is 0 before you sum (`torch.where` or `torch.xlogy`).",
        ),
        "split_mean_kl": (
            "Which of the two parts is zero if all images have the same q? Which one if q̄ is the prior?",
            "q = (1, 0, 0) and (0, 1, 0), a uniform prior: q̄ = (½, ½, 0). The parts are log 2 and log 3/2.",
            "I is the entropy of the mean minus the mean of the entropies. q̄ is a mean of probabilities, not of their logarithms.",
        ),
        "cavi": (
            "Which terms of the quadratic form contain z_i, and what are they on average over the others?",
            "Λ = ((2, 1), (1, 2)), μ = (1, 0), start (0, 0): first m_1 = 1, and then m_2 = 0. Which m_2 would the old m_1 give?",
            "m_i = μ_i minus a sum over j ≠ i of Λ_ij (m_j - μ_j), divided by Λ_ii; m_j is the newest one.",
        ),
    },
    ambiguities=[
        "The parts of split_mean_kl may be plain numbers.",
        "Any way around 0·(-inf) is accepted: masks, torch.xlogy, torch.special.entr, loops.",
        "The gradient of elbo is asked for only with finite arguments.",
    ],
)

WIDE = torch.float64
ROUGHLY = Fields(default=Close(rtol=1e-3, atol=1e-4))
CLOSELY = Fields(default=Close(rtol=1e-6, atol=1e-7))  # a constant may be in float32
TIGHTLY = Fields(default=Close(rtol=1e-9, atol=1e-9))


def called(what, function, *arguments):
    """What a function returns, once it is known to be a tensor; or a sentence."""
    return tried(lambda: tensor_of(function(*arguments), what))


def pairs(function, cases, first, second, numbers=False):
    """The two things that a function returns in each case, as entries of their own; ``numbers`` need be no tensors."""
    found = {}
    for key, arguments in cases.items():

        def parts(arguments=arguments):
            pair = two_of(function(*arguments), first, second)
            if not numbers:
                pair = [tensor_of(part, f"the {which} thing") for part, which in zip(pair, ("first", "second"))]
            return {first: pair[0], second: pair[1]}

        answer = tried(parts)
        for part in (first, second):
            found[f"{key}: {part}"] = answer if isinstance(answer, str) else answer[part]
    return found


def joint(rng, n, k, low=-3.0, high=0.0, dtype=WIDE):
    """Log-probabilities of n examples and k causes; the examples are not equally likely."""
    return torch.log_softmax(1.5 * rng.normal(n, k, dtype=WIDE), 1).add(rng.uniform(n, 1, low=low, high=high, dtype=WIDE)).to(dtype)


def log_qs(rng, n, k, dtype=WIDE):
    """Stand-ins, as logarithms."""
    return torch.log_softmax(1.5 * rng.normal(n, k, dtype=WIDE), 1).to(dtype)


def without(log_values, places):
    """-inf at one place of each row, and the rest normalised to what it was."""
    total = log_values.logsumexp(1, keepdim=True)
    rest = log_values.scatter(1, places[:, None], -math.inf)
    return rest - rest.logsumexp(1, keepdim=True) + total


def hard(rng, n, k, dtype=WIDE):
    """Stand-ins that are sure of one cause."""
    places = rng.integers(0, k, n, 1)
    return torch.full((n, k), -math.inf, dtype=dtype, device=rng.device).scatter(1, places, 0.0)


# --- the posterior ---------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="log p(x) and the posterior", public=True, judge=ROUGHLY)
def posterior(student, rng):
    n, k = rng.integer(4, 7), rng.integer(7, 10)
    return pairs(student.exact_posterior, {"a few examples": (joint(rng, n, k, dtype=torch.float32),)}, "log p(x)", "log p(z | x)")


@question.probe(points=0.5, title="the posterior: unlikely examples, impossible causes, shapes", judge=TIGHTLY)
def posterior_edges(student, rng):
    n, k = rng.integer(4, 7), rng.integer(7, 10)
    values, places = joint(rng, n, k), rng.integers(0, k, n)
    places[0], places[1] = 0, k - 1
    return pairs(student.exact_posterior, {
        "values near -1000": (values - 1000 + 50 * rng.normal(n, 1, dtype=WIDE),),
        "values near 1000, densities": (values + 1000,),
        "one example far less likely than another": (values - 1000 * torch.arange(n, device=rng.device)[:, None],),
        "small values, near -20": (values - 20,),
        "impossible causes": (without(values, places),),
        "one example": (joint(rng, 1, k),),
        "as many examples as causes": (joint(rng, k, k),),
        "one cause": (joint(rng, n, 1),),
        "very different causes": (900 * rng.normal(n, k, dtype=WIDE),),
    }, "log p(x)", "log p(z | x)")


# --- the ELBO --------------------------------------------------------------------------------------------------------


def logits_slopes(student, log_joint, logits):
    """Gradients of a weighted sum of ELBOs in the joint and in the logits of q."""
    leaves = {"log_joint": log_joint.clone().requires_grad_(), "the logits of q": logits.clone().requires_grad_()}
    factor = torch.arange(1.0, len(logits) + 1, dtype=logits.dtype, device=logits.device)
    return tried(lambda: slopes(student.elbo(leaves["log_joint"], leaves["the logits of q"].log_softmax(1)), (len(logits),), factor, **leaves))


@question.probe(points=0.5, title="the ELBO", public=True, judge=ROUGHLY)
def bound(student, rng):
    n, k = rng.integer(4, 7), rng.integer(7, 10)
    values = joint(rng, n, k, dtype=torch.float32)
    return {
        "some q": called("the ELBO", student.elbo, values, log_qs(rng, n, k, torch.float32)),
        "q is the posterior": called("the ELBO", student.elbo, values, values.log_softmax(1)),
        "gradients": logits_slopes(student, values, rng.normal(n, k)),
    }


@question.probe(points=1.5, title="the ELBO: hard guesses, impossible causes, tiny q, unlikely examples", judge=TIGHTLY)
def bound_edges(student, rng):
    n, k = rng.integer(4, 7), rng.integer(7, 10)
    values, q = joint(rng, n, k), log_qs(rng, n, k)
    places = rng.integers(0, k, n)
    tiny = torch.log_softmax(torch.where(rng.bernoulli(n, k, p=0.5) > 0, -rng.uniform(n, k, low=15, high=40).double(), q), 1)
    half = without(q, places)
    impossible = values.clone()
    impossible[0, int(places[0])] = -math.inf
    far = rng.uniform(n, k, low=-3e5, high=-2e5).double()  # so that a tiny q counts, though exp of these is 0

    def asked(*arguments):
        return called("the ELBO", student.elbo, *arguments)

    return {
        "hard guesses": asked(values, hard(rng, n, k)),
        "q is 0 somewhere": asked(values, half),
        "q is 0 where the cause is impossible": asked(without(values, places), half),
        "q is not 0 at an impossible cause of the first example": asked(impossible, q),
        "q is the posterior, with impossible causes": asked(without(values, places), without(values, places).log_softmax(1)),
        "q is tiny, not 0": asked(values + torch.where(tiny < -14, far, torch.zeros_like(far)), tiny),
        "values near -1000": asked(values - 1000, q),
        "values near 1000, densities": asked(values + 1000, q),
        "one cause": asked(joint(rng, n, 1), torch.zeros(n, 1, dtype=WIDE, device=rng.device)),
        "one example": asked(joint(rng, 1, k), log_qs(rng, 1, k)),
        "as many examples as causes": asked(joint(rng, k, k), log_qs(rng, k, k)),
        "values near -1000: gradients": logits_slopes(student, values - 1000, 2 * rng.normal(n, k, dtype=WIDE)),
    }


# --- the split of the mean KL ----------------------------------------------------------------------------------------

PARTS = ("I", "KL of the aggregate posterior")


@question.probe(points=0.5, title="information and marginal KL", public=True, judge=ROUGHLY)
def split(student, rng):
    k = rng.integer(5, 8)
    return pairs(student.split_mean_kl, {
        "a uniform prior": (log_qs(rng, 6, k, torch.float32),),
        "another prior": (log_qs(rng, 4, k, torch.float32), rng.simplex(k).log()),
        "fewer causes than examples": (log_qs(rng, 9, 3, torch.float32), rng.simplex(3).log()),
    }, *PARTS, numbers=True)


@question.probe(points=1, title="information and marginal KL: hard codes, equal codes, one image, tiny probabilities", judge=CLOSELY)
def split_edges(student, rng):
    n, k = rng.integer(4, 7), rng.integer(8, 11)
    prior = rng.simplex(k, dtype=WIDE).log()
    same = log_qs(rng, 1, k).expand(n, k).clone()
    codes = hard(rng, n, k)
    own = torch.full((n, k), -math.inf, dtype=WIDE, device=rng.device).scatter(1, rng.permutation(k)[:n, None], 0.0)
    tiny = torch.log_softmax(12 * rng.normal(n, k, dtype=WIDE), 1)
    soft = log_qs(rng, 2 * n, k)
    return pairs(student.split_mean_kl, {
        "hard codes": (codes, prior),
        "hard codes, all different, a uniform prior": (own,),
        "equal codes": (same, prior),
        "one image": (log_qs(rng, 1, k), prior),
        "many images": (log_qs(rng, 60, k), prior),
        "nearly hard codes": (tiny, prior),
        "codes that are 0 somewhere": (without(soft[:n], rng.integers(0, k, n)), prior),
        "the prior is the aggregate posterior": (soft, soft.logsumexp(0) - math.log(len(soft))),
        "a prior with tiny values": (soft, torch.log_softmax(40 * rng.normal(k, dtype=WIDE), 0)),
        "as many images as causes": (log_qs(rng, k, k), prior),
    }, *PARTS, numbers=True)


# --- mean field ------------------------------------------------------------------------------------------------------


def coupled(rng, d, dtype=WIDE):
    """A precision whose diagonal varies, with strong couplings of both signs, and a mean."""
    precision = rng.spd(d, 0.3, 4.0, dtype=WIDE)
    scale = rng.uniform(d, low=0.6, high=1.8, dtype=WIDE)
    precision = scale[:, None] * precision * scale
    return ((precision + precision.T) / 2).to(dtype), (rng.normal(d, dtype=WIDE) + 1.5).to(dtype)


@question.probe(points=0.5, title="mean field: means and variances", public=True, judge=ROUGHLY)
def field(student, rng):
    return pairs(student.cavi, {
        "two dimensions": (*coupled(rng, 2, torch.float32), 4),
        "three dimensions": (*coupled(rng, 3, torch.float32), 5),
    }, "path", "variances")


@question.probe(points=2, title="mean field: one sweep, none, many, strong correlation, units, one dimension", judge=Fields(default=Close(rtol=1e-4, atol=1e-6)))
def field_edges(student, rng):
    d = rng.integer(4, 6)
    turned = torch.tensor([[1.0, 0.98], [0.98, 1.0]], dtype=WIDE, device=rng.device)
    correlated = torch.linalg.inv(turned)
    correlated = (correlated + correlated.T) / 2
    units = torch.tensor([1e-3, 1.0, 1e3], dtype=WIDE, device=rng.device)
    small, centre = coupled(rng, 3)
    diagonal = torch.diag(rng.uniform(d, low=0.3, high=3, dtype=WIDE))
    return pairs(student.cavi, {
        "one sweep": (*coupled(rng, d), 1),
        "no sweep": (*coupled(rng, d), 0),
        "many sweeps": (*coupled(rng, d), 12),
        "strong correlation, 20 sweeps": (correlated, rng.normal(2, dtype=WIDE) + 3, 20),
        "independent": (diagonal, rng.normal(d, dtype=WIDE), 4),
        "one dimension": (rng.uniform(1, 1, low=0.3, high=3, dtype=WIDE), rng.normal(1, dtype=WIDE) + 2, 4),
        "the posterior's mean is 0": (small, 0 * centre, 3),
        "different units": (small / units / units[:, None], centre * units, 3),
    }, "path", "variances")

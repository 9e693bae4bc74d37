"""Hidden tests of question 3: the mixture's log-density, E-step, M-step, bound, and EM."""

import math

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, slopes

question = Question(
    title="A mixture of Gaussians and EM",
    uses=["mvn_log_prob", "fit_gaussian"],
    skills=["1.14", "1.15", "1.16"],
    lecture="latent-variable models: mixtures, the evidence lower bound, EM",
    run_seconds=9,
    manual_points=3,
    rubric=[
        "1 point: the E-step leaves the parameters and log p alone and closes the gap, so the bound equals log p there.",
        "1 point: the M-step does not lower the bound, and log p lies above the bound by a KL, which is at least 0: so "
        "new log p ≥ new bound ≥ old bound = old log p.",
        "1 point: the floor breaks the M-step (an enlarged covariance does not maximise the bound, which may fall); rounding "
        "breaks the E-step (the gap stays open, so the bound starts below log p, and raising it promises nothing).",
    ],
    aim="Derive and write EM for a full-covariance mixture in log-space, and see it as coordinate ascent on the ELBO.",
    hints={
        "gmm_log_prob": (
            "`gmm_log_joint` gives a matrix (N, K). Which of its axes does the sum in (3.1) run over?",
            "Two log-joints of −200 and −201: both exponentials are 0 in float32. Take the larger one out of the sum "
            "first: what is left to add?",
            "PyTorch, and Question 1, have one function that does the sum of exponentials and the logarithm together.",
        ),
        "responsibilities": (
            "Each row must sum to one. Which axis is normalised, examples or components?",
            "At log-joints −200 and −201 the answer is (0.73, 0.27), though both exponentials are 0 in float32. Only the "
            "difference matters.",
            "Equation (3.2) subtracts log p(x) before the exponential. A well-known function does both at once.",
        ),
        "m_step": (
            "Which terms of the bound contain μ₂ and Σ₂? Write them as a sum over n, and compare with the weighted "
            "likelihood behind (2.5).",
            "Let one component own everything: resp is a column of ones, and the answer must be that of Question 2 for "
            "unweighted data, plus the floor. Then try the three numbers of the text.",
            "Go through the columns of resp: each is a vector of weights for the fit of Question 2. A column of zeros has "
            "no fit; decide about it before you divide. The weights π divide by N, the other two by N_k.",
        ),
        "elbo": (
            "(3.3) is a sum over k of two parts, an average of log-joints and an entropy. Which q goes into it: a "
            "posterior, or what the caller passes?",
            "q = (1, 0): the entropy must be 0, but 0 · log 0 is NaN in floating point. And 0 · (−∞) is NaN as well.",
            "`torch.special.entr` and `torch.xlogy` know what 0 · log 0 is. `torch.where` chooses the product where q > 0 "
            "and 0 elsewhere.",
        ),
        "fit_gmm_em": (
            "For steps = 0, what are the parameters, and how long is the history?",
            "Write down the order for steps = 2: value, E, M, value, E, M, value.",
            "Keep the present parameters in one variable. In each turn make responsibilities *from it*, give them and the "
            "floor to `m_step`, put the result back into the variable, then record the mean.",
        ),
    },
    ambiguities=[
        "History as a tensor, a list of floats or a list of 0-d tensors: all accepted.",
        "The log-weights may be normalised by N or by the sum of the responsibilities: the same, as rows sum to one.",
        "The parameters may come back as a tuple or a list.",
    ],
)

TIGHT = Close(rtol=1e-8, atol=1e-8)  # for float64


def mixture(rng, k, d):
    """Random log-weights, means, covariances."""
    log_weights = (0.8 * rng.simplex(k) + 0.2 / k).log()
    return log_weights, rng.normal(k, d, std=2.0), torch.stack([rng.spd(d) for _ in range(k)])


def exact(some_mixture):
    """A mixture in float64, with weights that sum to one in float64."""
    log_weights, means, covs = (part.double() for part in some_mixture)
    return log_weights.log_softmax(0), means, covs


def exact_mixture(rng, k, d):
    """The same in float64."""
    return exact(mixture(rng, k, d))


def without_first(log_weights):
    """The same mixture with a weight of 0 for the first component."""
    empty = log_weights.clone()
    empty[0] = -math.inf
    return empty - empty.logsumexp(0)


def far_points(rng, n, d):
    """Points 40 to 60 away from the origin: every density there is below float32's smallest number."""
    direction = rng.normal(n, d)
    return direction / direction.norm(dim=1, keepdim=True) * rng.uniform(n, 1, low=40.0, high=60.0)


def precision(*results):
    """The dtypes of results; a Python float is float64."""
    names = [str(getattr(result, "dtype", type(result).__name__)).replace("torch.", "") for result in results]
    return ["float64" if name == "float" else name for name in names]


def numbers(value, owner):
    """A result as a tensor, so that the probe can go on computing with it."""
    if not isinstance(value, (torch.Tensor, np.ndarray)):
        raise ValueError(f"{owner} is of type {type(value).__name__}, not a tensor")
    return torch.as_tensor(value)


def parameters(result, owner):
    """The three parameters by name; ``owner`` is what returned them."""
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        count = f"{len(result)} things" if isinstance(result, (tuple, list)) else f"of type {type(result).__name__}"
        raise ValueError(f"{owner} is {count}, not the three parts (log_weights, means, covs)")
    return dict(zip(("log_weights", "means", "covs"), result, strict=True))


def recorded(history):
    """The values of a history as they are, whether it is a tensor, an array or a list."""
    if isinstance(history, (torch.Tensor, np.ndarray)) and history.ndim == 0:
        raise ValueError("the history is one number; it must hold steps + 1 values")
    if not isinstance(history, (torch.Tensor, np.ndarray, list, tuple)):
        raise ValueError(f"the history is of type {type(history).__name__}; it must be a tensor of steps + 1 values")
    return list(history)


def run_em(student, *arguments, **options):
    """Parameters by name, and the history's values."""
    result = student.fit_gmm_em(*arguments, **options)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        count = f"{len(result)} things" if isinstance(result, (tuple, list)) else type(result).__name__
        raise ValueError(f"`fit_gmm_em` returns {count}, not the pair ((log_weights, means, covs), history)")
    return parameters(result[0], "the first part of what `fit_gmm_em` returns"), recorded(result[1])


# --- gmm_log_prob --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="gmm_log_prob near the data", public=True)
def density(student, rng):
    k, d = rng.integer(2, 5), rng.integer(2, 5)
    return {
        "several components": student.gmm_log_prob(rng.normal(rng.integer(6, 9), d, std=2.0), *mixture(rng, k, d)),
        "three components in 1-D": student.gmm_log_prob(rng.normal(5, 1, std=2.0), *mixture(rng, 3, 1)),
    }


@question.probe(
    points=1, title="gmm_log_prob far from every component, with a weight of 0, in float64",
    judge=Fields({"in float64": Close(rtol=1e-10, atol=1e-10), "dtype for float64": Close()}, default=Close(rtol=1e-4, atol=5e-3)),
)
def density_edges(student, rng):
    k, d = rng.integer(3, 6), rng.integer(2, 4)
    log_weights, means, covs = mixture(rng, k, d)
    x, empty = far_points(rng, 7, d), without_first(log_weights)
    remote = torch.cat([means[:1] + 60.0, means[1:]])  # only the first component is near, and its weight is 0
    wide = student.gmm_log_prob(rng.normal(9, d, std=5.0).double(), *exact_mixture(rng, 5, d))
    return {
        "far from every component": student.gmm_log_prob(x, log_weights, means, covs),
        "very far from every component": student.gmm_log_prob(100 * x, log_weights, means, covs),
        "far and near examples together": student.gmm_log_prob(torch.cat([means, x]), log_weights, means, covs),
        "a component has weight 0": student.gmm_log_prob(torch.cat([x, means]), empty, means, covs),
        "only a component of weight 0 is near": student.gmm_log_prob(remote[:1] + rng.normal(3, d), empty, remote, covs),
        "one component": student.gmm_log_prob(rng.normal(4, d), *mixture(rng, 1, d)),
        "one example": [student.gmm_log_prob(rng.normal(1, d), log_weights, means, covs) for _ in range(3)],
        "in float64": wide,
        "dtype for float64": precision(wide),
    }


@question.probe(points=0.5, title="gradients of gmm_log_prob", judge=Fields(default=Close(rtol=1e-3, atol=1e-4)))
def density_gradients(student, rng):
    k, d = rng.integer(2, 5), rng.integer(1, 4)
    log_weights, means, covs = mixture(rng, k, d)
    means = 0.4 * means  # near each other, so that every component has a say
    near, far = rng.normal(8, d, std=1.5), far_points(rng, 2, d)
    x = torch.cat([near, far]).requires_grad_()
    parts = {"log_weights": log_weights, "means": means, "covs": covs}
    for part in parts.values():
        part.requires_grad_()
    found = entry("`gmm_log_prob`", lambda: slopes(student.gmm_log_prob(near, *parts.values()), (8,), 1.0, **parts))
    by_weights, by_means, by_covs = (found,) * 3 if isinstance(found, str) else found
    if not isinstance(found, str):
        # along weights that sum to one, as normalising them first is right, too
        by_weights, by_covs = by_weights - by_weights.sum() * log_weights.exp(), by_covs + by_covs.mT
    fixed = [part.detach() for part in parts.values()]
    return {
        "gradient by log_weights": by_weights,
        "gradient by means": by_means,
        "gradient by covs": by_covs,
        "gradient by x, near and far": entry("`gmm_log_prob`", lambda: slopes(student.gmm_log_prob(x, *fixed), (10,), 1.0, x=x)),
    }


# --- responsibilities ----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="responsibilities near the data", public=True)
def posterior(student, rng):
    k, d = rng.integer(2, 5), rng.integer(2, 5)
    return {
        "several components": student.responsibilities(rng.normal(rng.integer(6, 9), d, std=2.0), *mixture(rng, k, d)),
        "three components in 1-D": student.responsibilities(rng.normal(5, 1, std=2.0), *mixture(rng, 3, 1)),
    }


@question.probe(
    points=1, title="responsibilities far from every component, with a weight of 0, in float64",
    judge=Fields(
        {"logarithms of tiny ones, in float64": TIGHT, "dtype for float64": Close()}, default=Close(rtol=1e-4, atol=5e-3)
    ),
)
def posterior_edges(student, rng):
    k, d = rng.integer(3, 6), rng.integer(2, 4)
    log_weights, means, covs = mixture(rng, k, d)
    x, empty = far_points(rng, 7, d), without_first(log_weights)
    remote = torch.cat([means[:1] + 60.0, means[1:]])
    weights, *others = exact_mixture(rng, 5, d)
    tiny = student.responsibilities(rng.normal(9, d, std=4.0).double(), without_first(weights), *others)
    return {
        "far from every component": student.responsibilities(x, log_weights, means, covs),
        "far and near examples together": student.responsibilities(torch.cat([means, x]), log_weights, means, covs),
        "a component has weight 0": student.responsibilities(torch.cat([x, means]), empty, means, covs),
        "only a component of weight 0 is near": student.responsibilities(remote[:1] + rng.normal(3, d), empty, remote, covs),
        "one component": student.responsibilities(rng.normal(4, d), *mixture(rng, 1, d)),
        "one example": [student.responsibilities(rng.normal(1, d), log_weights, means, covs) for _ in range(3)],
        "logarithms of tiny ones, in float64": numbers(tiny, "the result of `responsibilities`").log(),
        "dtype for float64": precision(tiny),
    }


# --- m_step --------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="m_step on random responsibilities, and on the three numbers of the text", public=True)
def weighted_fits(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(12, 20)
    x = rng.normal(n, d, mean=1.0, std=1.5)
    values = student.m_step(x, rng.simplex(n, k), floor=rng.number(0.05, 0.5))
    numbers = torch.tensor([[0.0], [1.0], [4.0]], device=rng.device)
    shares = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], device=rng.device)
    by_hand = student.m_step(numbers, shares, floor=0.0)
    return {**parameters(values, "the result of `m_step`"), "0, 1, 4": parameters(by_hand, "the result of `m_step`")}


@question.probe(
    points=1.5, title="m_step at its limits: far from the origin, components that own nothing or little, the floor, float64",
    judge=Fields(
        {
            "equal examples, floor 0, variances times a million": Close(rtol=1e-3, atol=1e-2),
            "equal examples, floor not given, variances times a million": Close(rtol=1e-3, atol=1e-2),
            "float64, around 100,000": Close(rtol=1e-8, atol=1e-7),
            "dtype for float64": Close(),
        },
        default=Close(rtol=1e-4, atol=5e-3),
    ),
)
def weighted_fits_edges(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(1, 4), rng.integer(12, 20)

    def fitted(x, resp, **floor):
        # never with one example: then `torch.cov` with weights overwrites its input, a fault of PyTorch and not of the student
        return parameters(student.m_step(x, resp, **floor), "the result of `m_step`")

    def in_millionths(x, resp, **floor):
        return 1e6 * numbers(fitted(x, resp, **floor)["covs"], "the third result of `m_step`")

    some_empty = torch.cat([rng.simplex(n, k), torch.zeros_like(rng.uniform(n, 1))], dim=1)
    # two clusters far apart: the first one is shared by two components, the last one belongs to the third
    clusters = torch.cat([rng.normal(8, d) - 4000, rng.normal(n, d) + 4000])
    owners = torch.zeros(8 + n, 3, device=rng.device)
    owners[:8, :2], owners[8:, 2] = rng.simplex(8, 2), 1.0
    scarce = rng.simplex(n, k + 1)
    scarce[:, 0] *= 1e-25
    scarce = scarce / scarce.sum(1, keepdim=True)
    equal = rng.normal(1, 2).repeat(3, 1)
    wide = fitted(rng.normal(n, d).double() + 1e5, rng.simplex(n, k).double(), floor=0.1)
    return {
        "far from the origin": fitted(4000.0 + rng.normal(n, d), rng.simplex(n, k), floor=0.01),
        "clusters far from each other": fitted(clusters, owners, floor=0.01),
        "last component owns nothing": fitted(rng.normal(n, d, mean=3.0), some_empty, floor=0.25),
        "first component owns hardly anything": fitted(rng.normal(n, d, mean=3.0), scarce, floor=0.01),
        "one component in 1-D": fitted(rng.normal(n, 1), torch.ones_like(owners[:n, :1]), floor=0.1),
        "equal examples, floor 0, variances times a million": in_millionths(equal, rng.simplex(3, 2), floor=0.0),
        "equal examples, floor not given, variances times a million": in_millionths(equal, rng.simplex(3, 2)),
        "float64, around 100,000": wide,
        "dtype for float64": precision(*wide.values()),
    }


# --- elbo ----------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="elbo for any q", public=True)
def bound(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(6, 9)
    return {
        "several components": student.elbo(rng.normal(n, d, std=2.0), rng.simplex(n, k), *mixture(rng, k, d)),
        "three components in 1-D": student.elbo(rng.normal(5, 1), rng.simplex(5, 3), *mixture(rng, 3, 1)),
    }


@question.probe(
    points=1, title="elbo with zeros in q and in the weights, far away, in float64",
    judge=Fields(
        {
            "in float64": Close(rtol=1e-10, atol=1e-10),
            "small q, in float64": Close(rtol=1e-10, atol=1e-10),
            "small q on a label far away, in float64": Close(rtol=1e-8, atol=1e-8),
            "dtype for float64": Close(),
        },
        default=Close(),
    ),
)
def bound_edges(student, rng):
    k, d, n = rng.integer(3, 6), rng.integer(1, 4), 8
    log_weights, means, covs = mixture(rng, k, d)
    x, impossible = rng.normal(n, d, std=2.0), without_first(log_weights)
    q = rng.simplex(n, k)
    q[: n // 2, 1] = 0
    q[:, 0] = 0
    q = q / q.sum(1, keepdim=True)
    wrong_guess = rng.simplex(n, k)
    wrong_guess[: n // 2, 0] = 0
    wrong_guess = wrong_guess / wrong_guess.sum(1, keepdim=True)
    sure = torch.eye(k, device=rng.device)[rng.integers(0, k, n)]
    weights, centres, spreads = exact_mixture(rng, k, d)
    wide = student.elbo(x.double(), rng.simplex(n, k, dtype=torch.float64), weights, centres, spreads)
    small = rng.simplex(n, k, dtype=torch.float64)
    small[:, 0] = 10.0 ** torch.linspace(-11, -4, n, dtype=torch.float64, device=rng.device)  # small, but not nothing
    small = small / small.sum(1, keepdim=True)
    distant = torch.cat([centres[:1] + 1e6, centres[1:]])
    return {
        "zeros in q": student.elbo(x, q, log_weights, means, covs),
        "q sure of one label": student.elbo(x, sure, log_weights, means, covs),
        "zeros in q and in the weights": student.elbo(x, q, impossible, means, covs),
        "q > 0 where the weight is 0": student.elbo(x, wrong_guess, impossible, means, covs),
        "far from every component": student.elbo(far_points(rng, n, d), rng.simplex(n, k), log_weights, means, covs),
        "one component": student.elbo(x, torch.ones_like(x[:, :1]), *mixture(rng, 1, d)),
        "one example": [student.elbo(x[i : i + 1], wrong_guess[i : i + 1], log_weights, means, covs) for i in range(3)],
        "in float64": wide,
        "small q, in float64": student.elbo(x.double(), small, weights, centres, spreads),
        "small q on a label far away, in float64": student.elbo(x.double(), small, weights, distant, spreads),
        "dtype for float64": precision(wide),
    }


# --- fit_gmm_em ----------------------------------------------------------------------------------------------------


def clusters_and_start(rng):
    """Two clusters, and a start near their middle from which EM makes several large steps and loses no component."""
    d, n = rng.integer(2, 4), rng.integer(40, 60)
    centres = rng.normal(2, d, std=0.5)
    centres[1, 0] += 6.0
    x = centres[rng.integers(0, 2, n)] + rng.normal(n, d)
    covs = 6.0 * torch.stack([rng.spd(d, 0.7, 1.5) for _ in range(2)])
    return x, ((0.8 * rng.simplex(2) + 0.2 / 2).log(), centres.mean(0) + rng.normal(2, d), covs)


@question.probe(points=0.5, title="fit_gmm_em: parameters and history after a few steps", public=True, judge=Close(rtol=2e-4, atol=1e-4))
def em(student, rng):
    x, start = clusters_and_start(rng)
    params, history = run_em(student, x, *start, steps=rng.integer(2, 5), floor=rng.number(0.05, 0.2))
    return {**params, "history": history}


@question.probe(
    points=1.5, title="fit_gmm_em for 0, 1 and more steps, at an optimum, from a far start, with the default floor, in float64",
    judge=Fields({"dtype for float64": Close(), "gradients are on afterwards": Close()}, default=TIGHT),
)
def em_edges(student, rng):
    x, start = clusters_and_start(rng)
    x, start = x.double(), exact(start)
    params, history = run_em(student, x, *start, steps=rng.integer(2, 5), floor=rng.number(0.05, 0.2))
    params_0, history_0 = run_em(student, x, *start, steps=0, floor=0.1)
    params_1, history_1 = run_em(student, x, *start, steps=1, floor=0.1)
    # two clusters in 1-D, where each step changes less than the one before, and every step changes something
    half = torch.special.ndtri((torch.arange(15, device=rng.device) + 0.5) / 15)
    pair = (torch.cat([half, half + 5.0]) + 0.1 * rng.normal(30))[:, None].double()
    halves = (x.new_full((2,), -math.log(2)), x.new_tensor([[1.5], [3.5]]), torch.ones_like(x[:2, :1, None]))
    settled, settled_history = run_em(student, pair, *halves, steps=9, floor=0.1)
    # from near the optimum without a floor, so that a large floor makes the first step fall; the next ones are others
    optimum = (halves[0], x.new_tensor([[0.0], [5.0]]), halves[2])
    fallen, fallen_history = run_em(student, pair, *optimum, steps=3, floor=4.0)
    # all densities at the start underflow in float32, and the first component has a weight of 0
    d = x.shape[1]
    dead = (without_first(mixture(rng, 3, d)[0]), 60.0 + rng.normal(3, d, std=0.1), rng.spd(d, 0.3, 1.0).repeat(3, 1, 1))
    far, far_history = run_em(student, x, *exact(dead), steps=2, floor=0.1)
    equal = rng.normal(1, d).double().repeat(4, 1)
    collapsed, collapsed_history = run_em(student, equal, *start, steps=3)
    return {
        "history": history,
        "parameters": params,
        "history of 0 steps": history_0,
        "parameters of 0 steps": params_0,
        "history of 1 step": history_1,
        "parameters of 1 step": params_1,
        "history from an optimum, with a large floor": fallen_history,
        "parameters from an optimum, with a large floor": fallen,
        "history of a run that settles": settled_history,
        "parameters of a run that settles": settled,
        "history of a far start with a weight of 0": far_history,
        "parameters of a far start with a weight of 0": far,
        "history with the floor not given": collapsed_history,
        "parameters with the floor not given": collapsed,
        "dtype for float64": precision(*params.values(), *history),
        "gradients are on afterwards": int(torch.is_grad_enabled()),
    }

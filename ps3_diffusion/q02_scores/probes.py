"""Question 2: the score of a mixture, Tweedie's formulas, denoising score matching, annealed Langevin dynamics."""

import math

import torch
from torch import Tensor

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import entry, gradient, tensor_of, two_of, with_right

question = Question(
    title="Scores, and Tweedie",
    uses=["langevin"],
    skills=["3.08", "3.09", "3.10", "3.49"],
    lecture="Gaussian mixtures and Bayes' rule",
    run_seconds=6,
    manual_points=3,
    rubric=[
        "1 point: the least squares answer is the conditional mean of the target given x.",
        "1 point: that mean is (E[x_0 | x] - x) / σ², by Tweedie the score of p_σ.",
        "1 point: what remains is the conditional variance of the target, Cov(x_0 | x) over σ², the same for every model.",
    ],
    aim=(
        "Get mean and covariance of clean data from a score and its slope, see why a denoiser's loss ends above 0, and why "
        "noise is needed to find the weights of far hills."
    ),
    hints={
        "mixture_score": (
            "Which numbers of (2.1) belong to one pair of point and hill, and which shape do all pairs have?",
            "Hills at ±1, v = 1, x = 0.5: shares 0.73 and 0.27. What becomes of them at x = 100, where both densities are 0 in float32?",
            "The logarithms of the numerators of r_k are easy, and some function of torch makes shares of them. Then each hill's pull by its share.",
        ),
        "tweedie": (
            "What is the gradient of N(x; x_0, σ²I) by x, as a multiple of itself?",
            "∇p_σ / p_σ = E[x_0 - x | x] / σ². For p = N(0, 1), σ = 1, x = 2 the mean is 1.",
            "The Jacobian of s is that of (E[x_0 | x] - x) / σ². The Jacobian of E[x_0 | x] by x is Cov / σ²; solve for Cov.",
        ),
        "denoising_score_loss": (
            "At which points is the model asked, and what would a perfect answer there be?",
            "One dimension, x_0 = 0, σ = 2, ε = 1, a model that answers 0: the loss is 1. Does σ multiply the right things?",
            "σ has shape (N,), x_0 (N, D): which axis is missing? First the sum over dimensions, then the mean.",
        ),
        "annealed_langevin": (
            "What does one level need from the one before?",
            "Two levels of three steps: how many states does `langevin` return in each, and how many do you return?",
            "`langevin` wants a score of x alone: fix sigma in a small function. Its step is c·σ² of this level.",
        ),
    },
    ambiguities=[
        "The Jacobian is that of a gradient, so it is symmetric; a transposed one is the same.",
        "annealed_langevin may write its own loop; it is called with the right `langevin`. Gradients through the walk are not tested.",
        "The loss is differentiable in the model's parameters; whether it also is in x0 or sigma is not tested.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)


# --- mixture_score ------------------------------------------------------------------------------------------------


def hills(rng, k, d, dtype=torch.float32):
    """Weights, means."""
    weights = rng.uniform(k, low=0.2, high=1, dtype=dtype)
    return weights / weights.sum(), 1.5 * rng.normal(k, d, dtype=dtype)


def pulled(student, x, weights, means, variance):
    """A score, or what is wrong in words."""
    return entry("`mixture_score`", lambda: tensor_of(student.mixture_score(x, weights, means, variance), "the score"))


@question.probe(points=0.5, title="mixture_score: points between the hills", public=True, judge=Fields(default=Close()))
def score(student, rng):
    weights, means = hills(rng, 4, 2)
    return {"ordinary": pulled(student, rng.normal(6, 2), weights, means, rng.number(0.5, 2))}


@question.probe(
    points=1.5, title="mixture_score: narrow and wide hills, far away, shapes, float64, gradients",
    judge=Fields({"in float64": WIDE, "far away in float64": WIDE}, default=Close(rtol=3e-4, atol=1e-5)),
)
def score_edges(student, rng):
    k, d = rng.integer(3, 5), rng.integer(2, 4)
    weights, means = hills(rng, k, d)
    x, v = rng.normal(5, d), rng.number(1.3, 2)
    line = (0.6 + rng.uniform(4)).cumsum(0)[:, None]
    uneven = torch.tensor([0.02, 0.08, 0.2, 0.7], device=rng.device)
    wide64, means64 = hills(rng, 3, d, torch.float64)

    def slope():
        leaf, factor = x.clone().requires_grad_(), rng.normal(5, d)
        found = tensor_of(student.mixture_score(leaf, weights, means, v), "the score", (5, d))
        return gradient("the score", factor * found, x=leaf)[0]

    def untouched():
        points = rng.normal(4, d)
        found = tensor_of(student.mixture_score(points, weights, means, v), "the score").detach()
        if points.requires_grad:
            raise AnswerError("x requires gradients after the call; ask for them on a copy, since x belongs to the caller")
        return found

    return {
        "narrow hills": pulled(student, means[:3] + 0.3 * rng.normal(3, d), weights, means, 0.09),
        "wide hills": pulled(student, x, weights, means, 25.0),
        "the whole number 1 as variance": pulled(student, x, weights, means, 1),
        "very uneven weights": pulled(student, rng.normal(6, 1) + 1.5, uneven, line, 1.5),
        "one hill": pulled(student, x, torch.ones(1, device=rng.device), means[:1], v),
        "one point": pulled(student, x[:1], weights, means, v),
        "one dimension": pulled(student, rng.normal(5, 1), *hills(rng, 3, 1), v),
        "as many points as hills and dimensions": pulled(student, rng.normal(3, 3), *hills(rng, 3, 3), v),
        "far from all hills": pulled(student, rng.number(30, 50) + rng.normal(4, 1), uneven, line, 0.7),
        "very far from all hills": pulled(student, 3000 * torch.tensor([[-1.0], [1.0], [2.0]], device=rng.device), uneven, line, 0.7),
        "very narrow hills": pulled(student, line + 0.1, uneven, line, 1e-4),
        "in float64": pulled(student, rng.normal(4, d, dtype=torch.float64), wide64, means64, v),
        "far away in float64": pulled(student, 80 + rng.normal(4, d, dtype=torch.float64), wide64, means64, v),
        "x afterwards": entry("`mixture_score`", untouched),
        "gradient": entry("`mixture_score`", slope),
    }


# --- tweedie ------------------------------------------------------------------------------------------------------


def told(student, x, score, jacobian, sigma):
    """Mean and covariance by name."""

    def both():
        names = ("the mean", "the covariance")
        parts = two_of(student.tweedie(x, score, jacobian, sigma), *names)
        return {name: tensor_of(part, name) for name, part in zip(names, parts, strict=True)}

    return entry("`tweedie`", both)


def slopes(rng, n, d, dtype=torch.float32):
    """Symmetric matrices, as Jacobians of scores are."""
    A = rng.normal(n, d, d, dtype=dtype)
    return (A + A.transpose(1, 2)) / 2


@question.probe(points=0.5, title="tweedie: some points", public=True, judge=Fields(default=Close()))
def means(student, rng):
    n, d = 5, rng.integer(2, 4)
    return {"ordinary": told(student, rng.normal(n, d), rng.normal(n, d), slopes(rng, n, d), rng.number(0.5, 0.9))}


@question.probe(
    points=1, title="tweedie: little and much noise, a Gaussian, shapes, float64",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def means_edges(student, rng):
    n, d = 4, rng.integer(3, 5)
    x, score, jacobian = rng.normal(n, d), rng.normal(n, d), slopes(rng, n, d)
    v, sigma = rng.number(0.5, 3), rng.number(0.6, 2.5)
    total = v + sigma**2
    identity = torch.eye(d, device=rng.device)
    wide = torch.float64
    return {
        "little noise": told(student, x, score, jacobian, 0.1),
        "much noise": told(student, x, score, jacobian, 3.0),
        "the whole number 2 as sigma": told(student, x, score, jacobian, 2),
        "Gaussian data": told(student, x, -x / total, (-identity / total).expand(n, d, d), sigma),
        "score 0": told(student, x, 0 * score, jacobian, 1.3),
        "Jacobian 0": told(student, x, score, 0 * jacobian, 1.3),
        "one point": told(student, x[:1], score[:1], jacobian[:1], 1.3),
        "one dimension": told(student, x[:, :1], score[:, :1], jacobian[:, :1, :1], 0.7),
        "as many points as dimensions": told(student, rng.normal(3, 3), rng.normal(3, 3), slopes(rng, 3, 3), 0.7),
        "in float64": told(student, rng.normal(n, d, dtype=wide), rng.normal(n, d, dtype=wide), slopes(rng, n, d, wide), sigma),
    }


# --- denoising_score_loss -----------------------------------------------------------------------------------------


class Model:
    """A score with parameters, which depends on x and sigma, mixes dimensions, and says when it is called wrongly."""

    def __init__(self, rng, d, dtype=torch.float32):
        self.A, self.b = rng.normal(d, d, dtype=dtype).requires_grad_(), rng.normal(d, dtype=dtype).requires_grad_()

    def __call__(self, x, sigma):
        for what, value, dims in (("x", x, 2), ("sigma", sigma, 1)):
            if not isinstance(value, Tensor):
                raise AnswerError(f"`model` is called with {what} of type {type(value).__name__}; it takes a tensor")
            if value.dim() != dims:
                raise AnswerError(f"`model` is called with {what} of shape {tuple(value.shape)}; it takes x of shape (N, D), then sigma of shape (N,)")
        return torch.tanh(x @ self.A) / (0.5 + sigma[:, None]) + self.b * torch.cos(sigma)[:, None]


def losses(student, ask):
    """Three calls, so that a mistake can be told by them."""
    return entry("`denoising_score_loss`", lambda: [tensor_of(student.denoising_score_loss(*ask()), "the loss").detach() for _ in range(3)])


def batch(rng, n, d, low=0.3, high=2.0, dtype=torch.float32):
    """x0, sigma, eps."""
    return rng.normal(n, d, dtype=dtype), rng.uniform(n, low=low, high=high, dtype=dtype), rng.normal(n, d, dtype=dtype)


@question.probe(points=0.5, title="denoising_score_loss: three batches", public=True, judge=Fields(default=Close()))
def loss(student, rng):
    d = rng.integer(2, 4)
    return {"ordinary": losses(student, lambda: (Model(rng, d), *batch(rng, 6, d)))}


@question.probe(
    points=1.5, title="denoising_score_loss: noise levels, shapes, float64, gradients",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def loss_edges(student, rng):
    d = rng.integer(3, 5)
    model = Model(rng, d)

    def slope():
        x0, sigma, eps = batch(rng, 7, d)
        found = tensor_of(student.denoising_score_loss(model, x0, sigma, eps), "the loss", ())
        return gradient("the loss", found, **{"the model's first parameter": model.A, "the model's second parameter": model.b})

    def called():
        """What the model was asked."""
        asked = []

        def model(x, sigma):
            asked.append((x, sigma))
            return -x

        student.denoising_score_loss(model, *batch(rng, 5, d))
        if len(asked) != 1:
            raise AnswerError(f"`model` is called {len(asked)} times; once is enough for all examples")
        return [tensor_of(part, name).detach() for part, name in zip(asked[0], ("the noisy x", "sigma"), strict=True)]

    zero = torch.zeros(6, d, device=rng.device)
    return {
        "little noise": losses(student, lambda: (Model(rng, d), *batch(rng, 6, d, 0.002, 0.05))),
        "much noise": losses(student, lambda: (Model(rng, d), *batch(rng, 6, d, 5, 30))),
        "one noise level for all": losses(student, lambda: (Model(rng, d), rng.normal(6, d), torch.full((6,), rng.number(0.3, 2), device=rng.device), rng.normal(6, d))),
        "a model that answers 0": losses(student, lambda: (lambda x, sigma: 0 * x, *batch(rng, 6, d))),
        "no noise drawn (eps 0)": losses(student, lambda: (Model(rng, d), *batch(rng, 6, d)[:2], zero)),
        "one example": losses(student, lambda: (Model(rng, d), *batch(rng, 1, d))),
        "one dimension": losses(student, lambda: (Model(rng, 1), *batch(rng, 6, 1))),
        "as many examples as dimensions": losses(student, lambda: (Model(rng, d), *batch(rng, d, d))),
        "in float64": losses(student, lambda: (Model(rng, d, torch.float64), *batch(rng, 6, d, dtype=torch.float64))),
        "a model that returns x itself": losses(student, lambda: (lambda x, sigma: x, *batch(rng, 6, d))),
        "what the model is asked": entry("`denoising_score_loss`", called),
        "gradient": entry("`denoising_score_loss`", slope),
    }


# --- annealed_langevin --------------------------------------------------------------------------------------------


def langevin_of(score, x, step, noise):
    """(1.4)."""
    path = [x]
    for kick in noise:
        path.append(path[-1] + step / 2 * score(path[-1]) + math.sqrt(step) * kick)
    return torch.stack(path)


def annealed(function, field, x, sigmas, step, noise):
    """The walk with a field that says when it is called wrongly."""

    def score(x, sigma):
        if not isinstance(x, Tensor) or x.dim() != 2:
            raise AnswerError("`score` is called with something else than a state (N, D) first, then a noise level")
        if not isinstance(sigma, Tensor):
            raise AnswerError(f"`score` is called with a sigma of type {type(sigma).__name__}; it takes an entry of sigmas, a tensor")
        if sigma.dim():
            raise AnswerError(f"`score` is called with a sigma of shape {tuple(sigma.shape)}; it takes an entry of sigmas, without axes")
        return field(x, sigma)

    return entry("`annealed_langevin`", lambda: tensor_of(function(score, x, sigmas, step, noise), "the path"))


def field_of(rng, d, dtype=torch.float32):
    """A score of no simple density, which depends on the noise level."""
    A, c = rng.normal(d, d, dtype=dtype), rng.normal(d, dtype=dtype)
    return lambda x, sigma: (c - x + torch.sin(x @ A + sigma)) / (0.3 + sigma**2)


def ladder(rng, levels, dtype=torch.float32):
    """Noise levels that fall unevenly."""
    return rng.uniform(levels, low=0.2, high=0.5, dtype=dtype).cumsum(0).flip(0)


@question.probe(points=0.5, title="annealed_langevin: three levels", public=True, judge=Fields(default=Close()))
def anneal(student, rng):
    d = rng.integer(2, 4)
    return {"ordinary": annealed(student.annealed_langevin, field_of(rng, d), rng.normal(5, d), ladder(rng, 3), rng.number(0.2, 0.4), rng.normal(3, 2, 5, d))}


@question.probe(
    points=1, title="annealed_langevin: levels, steps, order, shapes, float64",
    judge=Fields({"in float64": WIDE}, default=Close(rtol=2e-4, atol=2e-5)),
)
def anneal_edges(student, rng):
    d = rng.integer(3, 5)
    field, x, sigmas, step = field_of(rng, d), rng.normal(4, d), ladder(rng, 4), rng.number(0.2, 0.5)
    noise, wide, function = rng.normal(4, 3, 4, d), torch.float64, with_right(student.annealed_langevin, langevin=langevin_of)
    return {
        "four levels of three steps": annealed(function, field, x, sigmas, step, noise),
        "levels of one step": annealed(function, field, x, sigmas, step, noise[:, :1]),
        "one level": annealed(function, field, x, sigmas[:1], step, noise[:1]),
        "one level of one step": annealed(function, field, x, sigmas[1:2], step, noise[:1, :1]),
        "levels that rise": annealed(function, field, x, sigmas.flip(0), step, noise),
        "the whole number 1 as step": annealed(function, field, x, sigmas, 1, noise),
        "no noise": annealed(function, field, x, sigmas, step, 0 * noise),
        "score 0": annealed(function, lambda x, sigma: 0 * x, x, sigmas, step, noise),
        "one point": annealed(function, field, x[:1], sigmas, step, noise[:, :, :1]),
        "one dimension": annealed(function, field_of(rng, 1), rng.normal(4, 1), sigmas, step, rng.normal(4, 3, 4, 1)),
        "as many levels as steps, points and dimensions": annealed(function, field_of(rng, 3), rng.normal(3, 3), sigmas[:3], step, rng.normal(3, 3, 3, 3)),
        "in float64": annealed(
            function, field_of(rng, 3, wide), rng.normal(4, 3, dtype=wide), ladder(rng, 3, wide), step, rng.normal(3, 2, 4, 3, dtype=wide)
        ),
    }

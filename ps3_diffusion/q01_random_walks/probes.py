"""Question 1: Euler, Heun and Euler-Maruyama steps, the moments of an Ornstein-Uhlenbeck process, Langevin dynamics."""

from itertools import pairwise

import torch
from torch import Tensor

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import entry, tensor_of, two_of, with_right

question = Question(
    title="Walking at random: ODE and SDE steps",
    skills=["3.04", "3.05", "3.06", "3.07"],
    lecture="Gaussians and derivatives",
    run_seconds=4,
    aim=(
        "Take steps along a velocity and with noise, measure what a step costs and gets wrong, and see that neither the right "
        "mean and variance nor a walk that has settled proves that the law is right."
    ),
    hints={
        "euler": (
            "With three times, how many steps are there, and how many states?",
            "x = 1, v = -x, times 0, ½, 1: the states are 1, ½, ¼. Do you return all three?",
            "Collect the states in a list that begins with x; each step uses the last one, its own time and its own h. `torch.stack` joins them.",
        ),
        "heun": (
            "At which two places, and at which two times, is the velocity asked for?",
            "x = 1, v = -x, one step of ½: the trial state is 0.5, the result 0.625. Which one begins the next step?",
            "The step with the mean velocity starts where the trial step started.",
        ),
        "euler_maruyama": (
            "A hundred steps of 0.01: how large must one kick be for the variances to add up to 1?",
            "x = 0, no drift, g = 2, times 1 and 0.99, epsilon 1: the next state is 0.2. What does a root make of a negative h?",
            "Drift times h, which may be negative. Then the coefficient times the root of |h| times this step's noise, and nothing else random.",
        ),
        "ou_moments": (
            "One step multiplies x by 1 - θh. By what does it multiply the variance, and what is added?",
            "dm/dt = -θm and dv/dt = -2θv + σ². At which v does the second stand still?",
            "v minus that value decays like e^(-2θt). For θ = 0 the equation for v is simpler still.",
        ),
        "langevin": (
            "With noise 0, what does the walk do?",
            "Standard normal, x = 1, step ¼, epsilon 1: the next state is 1 - ⅛ + ½. Which root is the ½?",
            "It is (1.3) with equal steps and no time; half the step for the score, its root for the noise.",
        ),
    },
    ambiguities=[
        "Gradients through a path are not tested; `torch.no_grad()` is allowed.",
        "A path may be a new tensor filled in place. The velocity's answer must not be changed, as it may be x itself.",
        "Times are tensors of the dtype of x.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)


def checked(f, called):
    """The field as the student's function gets it, which says when it is called with something else than promised."""

    def field(x, t):
        if not isinstance(x, Tensor):
            raise AnswerError(f"`{called}` is called with x of type {type(x).__name__}; it takes a state first, then a time")
        if not isinstance(t, Tensor):
            raise AnswerError(f"`{called}` is called with t of type {type(t).__name__}; it takes a tensor without axes, an entry of times")
        if t.dim():
            raise AnswerError(f"`{called}` is called with t of shape {tuple(t.shape)}; it takes a tensor without axes, an entry of times")
        return f(x, t)

    return field


def winding(rng, d, called="velocity", dtype=torch.float32):
    """A velocity that depends on the state and on the time, and mixes dimensions."""
    A, c = rng.normal(d, d, dtype=dtype), rng.normal(d, dtype=dtype)
    return checked(lambda x, t: torch.tanh(x @ A) * (1 + t) + c * torch.cos(3 * t), called)


def times_of(rng, steps, dtype=torch.float32):
    """Steps of different sizes, not from 0."""
    return rng.number(-0.5, 0.5) + rng.uniform(steps + 1, low=0.05, high=0.35, dtype=dtype).cumsum(0)


def euler_of(velocity, x, times):
    """(1.1)."""
    path = [x]
    for t, s in pairwise(times):
        path.append(path[-1] + (s - t) * velocity(path[-1], t))
    return torch.stack(path)


def maruyama_of(drift, diffusion, x, times, noise):
    """(1.3)."""
    path = [x]
    for i, (t, s) in enumerate(pairwise(times)):
        path.append(path[-1] + (s - t) * drift(path[-1], t) + diffusion(path[-1], t) * (s - t).abs().sqrt() * noise[i])
    return torch.stack(path)


def followed(method, velocity, x, times):
    """A path, or the error in words."""
    return entry("it", lambda: tensor_of(method(velocity, x, times), "the path"))


def evaluations(method, rng):
    """How often the velocity is called for 2, 3 and 5 steps."""
    counts = []
    for steps in (2, 3, 5):
        called, velocity = [], winding(rng, 2)
        answer = followed(method, lambda x, t, seen=called, v=velocity: seen.append(1) or v(x, t), rng.normal(3, 2), times_of(rng, steps))
        if isinstance(answer, str):
            return answer
        counts.append(len(called))
    return counts


def edges_of(method, rng):
    """What `euler` and `heun` are asked alike."""
    d = rng.integer(3, 5)
    velocity, x, times = winding(rng, d), rng.normal(4, d), times_of(rng, 5)

    def ask(velocity, x, times):
        return followed(method, velocity, x, times)

    return {
        "steps of different sizes": ask(velocity, x, times),
        "times that fall": ask(velocity, x, times.flip(0)),
        "times that fall evenly from 1 to 0": ask(velocity, x, torch.linspace(1, 0, 5, device=rng.device)),
        "one step": ask(velocity, x, times[:2]),
        "one point": ask(velocity, x[:1], times),
        "one dimension": ask(winding(rng, 1), rng.normal(4, 1), times),
        "as many steps as points and dimensions": ask(winding(rng, 3), rng.normal(3, 3), times[:4]),
        "images of shape (2, 1, 3, 4)": ask(winding(rng, 4), rng.normal(2, 1, 3, 4), times),
        "a velocity that returns x itself": ask(checked(lambda x, t: x, "velocity"), x, times),
        "a velocity that depends on the time alone": ask(checked(lambda x, t: torch.sin(4 * t) + 0 * x, "velocity"), x, times),
        "in float64": ask(winding(rng, 3, dtype=torch.float64), rng.normal(4, 3, dtype=torch.float64), times_of(rng, 4, torch.float64)),
        "evaluations for 2, 3 and 5 steps": evaluations(method, rng),
    }


# --- euler, heun --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="euler: a few steps", public=True, judge=Fields(default=Close()))
def euler_path(student, rng):
    d = rng.integer(2, 4)
    return {"ordinary": followed(student.euler, winding(rng, d), rng.normal(5, d), torch.linspace(0, 1, 5, device=rng.device))}


@question.probe(
    points=1.5, title="euler: uneven and falling times, shapes, float64, evaluations",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def euler_edges(student, rng):
    return edges_of(student.euler, rng)


@question.probe(points=0, title="heun: a few steps, with your `euler` if you call it", public=True, judge=Fields(default=Close()))
def heun_path(student, rng):
    d = rng.integer(2, 4)
    return {"ordinary": followed(student.heun, winding(rng, d), rng.normal(5, d), torch.linspace(0, 1, 5, device=rng.device))}


@question.probe(
    points=2, title="heun: uneven and falling times, shapes, float64, evaluations",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def heun_edges(student, rng):
    return edges_of(with_right(student.heun, euler=euler_of), rng)


# --- euler_maruyama -----------------------------------------------------------------------------------------------


def kicked(function, drift, diffusion, x, times, noise):
    """A path with noise."""
    return entry("`euler_maruyama`", lambda: tensor_of(function(drift, diffusion, x, times, noise), "the path"))


def growing(rng, d, dtype=torch.float32):
    """A diffusion coefficient for each entry, which depends on state and time."""
    A = rng.normal(d, d, dtype=dtype)
    return checked(lambda x, t: 0.3 + torch.sigmoid(x @ A + 3 * t), "diffusion")


@question.probe(points=0, title="euler_maruyama: a few steps, with your `euler` if you call it", public=True, judge=Fields(default=Close()))
def maruyama_path(student, rng):
    d = rng.integer(2, 4)
    x, noise, times = rng.normal(5, d), rng.normal(4, 5, d), torch.linspace(0, 1, 5, device=rng.device)
    return {"ordinary": kicked(student.euler_maruyama, winding(rng, d, "drift"), checked(lambda x, t: 0.7 + t, "diffusion"), x, times, noise)}


@question.probe(
    points=2.5, title="euler_maruyama: uneven and falling times, coefficients of all shapes, float64",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def maruyama_edges(student, rng):
    d = rng.integer(3, 5)
    drift, x, times, noise = winding(rng, d, "drift"), rng.normal(4, d), times_of(rng, 5), rng.normal(5, 4, d)
    function = with_right(student.euler_maruyama, euler=euler_of)
    each, still, some = growing(rng, d), checked(lambda x, t: 0 * x, "drift"), rng.number(0.4, 2)

    def ask(drift, diffusion, x=x, times=times, noise=noise):
        return kicked(function, drift, checked(diffusion, "diffusion"), x, times, noise)

    return {
        "a coefficient for each entry": ask(drift, each),
        "a number as coefficient": ask(drift, lambda x, t: some),
        "the whole number 2 as coefficient": ask(drift, lambda x, t: 2),
        "a coefficient of shape ()": ask(drift, lambda x, t: 0.5 + t.square()),
        "a coefficient of shape (N, 1)": ask(drift, lambda x, t: 0.2 + x[:, :1].square()),
        "no noise (coefficient 0)": ask(drift, lambda x, t: 0.0),
        "no drift": ask(still, each),
        "times that fall": ask(drift, each, times=times.flip(0)),
        "times that fall, no drift": ask(still, lambda x, t: some, times=times.flip(0)),
        "one step": ask(drift, each, times=times[:2], noise=noise[:1]),
        "one point": ask(drift, each, x=x[:1], noise=noise[:, :1]),
        "one dimension": ask(winding(rng, 1, "drift"), growing(rng, 1), rng.normal(4, 1), times, rng.normal(5, 4, 1)),
        "as many steps as points and dimensions": ask(winding(rng, 4, "drift"), growing(rng, 4), rng.normal(4, 4), times[:5], rng.normal(4, 4, 4)),
        "images of shape (2, 1, 3, 4)": ask(winding(rng, 4, "drift"), growing(rng, 4), rng.normal(2, 1, 3, 4), times, rng.normal(5, 2, 1, 3, 4)),
        "drift and coefficient that return x itself": ask(checked(lambda x, t: x, "drift"), lambda x, t: x, x=x.abs() + 0.3, noise=noise.abs()),
        "in float64": ask(
            winding(rng, 3, "drift", torch.float64), growing(rng, 3, torch.float64), rng.normal(4, 3, dtype=torch.float64),
            times_of(rng, 4, torch.float64), rng.normal(4, 4, 3, dtype=torch.float64),
        ),
    }


# --- ou_moments ---------------------------------------------------------------------------------------------------


def moments(student, theta, sigma, t, mean, variance):
    """Both results by name."""

    def both():
        names = ("the mean", "the variance")
        parts = two_of(student.ou_moments(theta, sigma, t, mean, variance), *names)
        return {name: tensor_of(part, name) for name, part in zip(names, parts, strict=True)}

    return entry("`ou_moments`", both)


@question.probe(points=0.5, title="ou_moments: some times", public=True, judge=Fields(default=Close()))
def ou(student, rng):
    theta, sigma = rng.number(0.5, 1.5), rng.number(0.5, 2)
    return {"ordinary": moments(student, theta, sigma, rng.uniform(6, low=0.1, high=2), rng.normal(6), rng.uniform(6, low=0.2, high=2))}


@question.probe(
    points=1.5, title="ou_moments: Brownian motion, time 0, long times, no variance at first, shapes, float64",
    judge=Fields({"in float64": WIDE, "Brownian motion in float64": WIDE}, default=Close()),
)
def ou_edges(student, rng):
    theta, sigma = rng.number(0.6, 1.6), rng.number(1.3, 2.5)
    t, mean, variance = rng.uniform(5, low=0.3, high=1.8), rng.normal(5, std=3), rng.uniform(5, low=0.4, high=3)

    def ask(theta, sigma, t=t, mean=mean, variance=variance):
        return moments(student, theta, sigma, t, mean, variance)

    def wide(*shape):
        return rng.uniform(*shape, low=0.3, high=2, dtype=torch.float64)

    return {
        "wide at first": ask(theta, 0.5, variance=4 + variance),
        "no variance at first": ask(theta, sigma, variance=0 * variance),
        "no kicks (sigma 0)": ask(theta, 0.0),
        "Brownian motion (theta 0)": ask(0.0, sigma),
        "theta 0 as a whole number": ask(0, 2),
        "a weak pull (theta 0.02)": ask(0.02, sigma, t=5 * t),
        "a strong pull (theta 8)": ask(8.0, 3.0, t=0.1 * t),
        "time 0": ask(theta, sigma, t=0 * t),
        "time 40": ask(theta, sigma, t=40 + t),
        "one number each": ask(theta, sigma, t[0], mean[0], variance[0]),
        "two axes": ask(theta, sigma, rng.uniform(2, 3, low=0.2), rng.normal(2, 3), rng.uniform(2, 3)),
        "in float64": ask(theta, sigma, wide(5), wide(5), wide(5)),
        "Brownian motion in float64": ask(0.0, sigma, wide(5), wide(5), wide(5)),
    }


# --- langevin -----------------------------------------------------------------------------------------------------


def climbed(function, score, x, step, noise):
    """A path uphill, with noise."""

    def field(x):
        if not isinstance(x, Tensor):
            raise AnswerError(f"`score` is called with x of type {type(x).__name__}; it takes a state")
        return score(x)

    return entry("`langevin`", lambda: tensor_of(function(field, x, step, noise), "the path"))


def hills(rng, d, dtype=torch.float32):
    """The score of no simple density: it bends, and mixes dimensions."""
    A, c = rng.normal(d, d, dtype=dtype), rng.normal(d, dtype=dtype)
    return lambda x: c - x + 2 * torch.sin(x @ A)


@question.probe(points=0, title="langevin: a few steps, with your `euler_maruyama` if you call it", public=True, judge=Fields(default=Close()))
def climb(student, rng):
    d = rng.integer(2, 4)
    return {"ordinary": climbed(student.langevin, hills(rng, d), rng.normal(5, d), rng.number(0.2, 0.5), rng.normal(4, 5, d))}


@question.probe(
    points=1.5, title="langevin: small and large steps, no noise, shapes, float64",
    # the steps may come from differences of float32 times
    judge=Fields({"in float64, 100000 from 0, which is subtracted here": Close(rtol=0, atol=1e-4)}, default=Close(rtol=2e-4, atol=2e-5)),
)
def climb_edges(student, rng):
    d = rng.integer(3, 5)
    score, x, noise, step = hills(rng, d), rng.normal(4, d), rng.normal(5, 4, d), rng.number(0.2, 0.6)
    far, function = hills(rng, 3, torch.float64), with_right(student.langevin, euler=euler_of, euler_maruyama=maruyama_of)

    def ask(score, x=x, step=step, noise=noise):
        return climbed(function, score, x, step, noise)

    path = ask(lambda x: far(x - 1e5), rng.normal(4, 3, mean=1e5, dtype=torch.float64), noise=rng.normal(5, 4, 3, dtype=torch.float64))
    return {
        "five steps": ask(score),
        "a small step": ask(score, step=0.01),
        "a large step": ask(score, step=2.5, noise=noise[:2]),
        "the whole number 1 as step": ask(score, step=1),
        "no noise": ask(score, noise=0 * noise),
        "score 0": ask(lambda x: 0 * x),
        "one step": ask(score, noise=noise[:1]),
        "one point": ask(score, x=x[:1], noise=noise[:, :1]),
        "one dimension": ask(hills(rng, 1), rng.normal(4, 1), step, rng.normal(5, 4, 1)),
        "as many steps as points and dimensions": ask(hills(rng, 4), rng.normal(4, 4), step, rng.normal(4, 4, 4)),
        "images of shape (2, 1, 3, 4)": ask(hills(rng, 4), rng.normal(2, 1, 3, 4), step, rng.normal(5, 2, 1, 3, 4)),
        "a score that returns x itself": ask(lambda x: x),
        "in float64, 100000 from 0, which is subtracted here": path - 1e5 if isinstance(path, Tensor) else path,
    }

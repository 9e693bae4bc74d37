"""Question 6: from noise to digits: DDPM, DDIM, and a solver of second order, with any noise predictor."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import entry, gradient, in_words, tensor_of

from .models import Bent, levels, odd_step

question = Question(
    title="From noise to digits: DDPM, DDIM, a second-order solver",
    uses=["cosine_alpha_bar"],
    figures_of=["q05_unet"],
    skills=["3.19", "3.20", "3.21", "3.22", "3.52"],
    lecture="diffusion models",
    run_seconds=25,
    aim=(
        "Turn one trained network into three samplers, measure their errors where the truth is known, and see that the cheapest "
        "improvement is to look back at the last guess, and the most hidden fault a walk that does not start at T."
    ),
    hints={
        "sampling_times": (
            "Which two times must always be there, however few steps are taken?",
            "3 steps, T = 10: 10, 7, 3, 0. Four numbers.",
            "`torch.linspace` gives evenly spaced numbers between two ends; they have to be rounded, not cut.",
        ),
        "ddim_step": (
            "Which picture and which noise make x at time t? What are they mixed with at time s?",
            "The numbers of the text: x = 1, eps = 0.5, levels 0.36 and 0.64. You need x̂₀ = 1 first, then 0.8 · 1 + 0.6 · 0.5.",
            "If x̂₀ was cut off, solve x = √ᾱ x̂₀ + √(1-ᾱ) ε for ε again. The root of a variance that rounding made negative is NaN.",
        ),
        "sample": (
            "How many evaluations are there for five times?",
            "times = (10, 4, 0): the model is asked at 10 and 4, the steps go 10 → 4 and 4 → 0, with noise[0] and noise[1].",
            "The model wants a tensor with one time for each example: `t.expand(len(x))`. The time is the one of the list, not its place in it.",
        ),
        "dpm_solver_2m": (
            "You know a line at two places, h' apart. How far beyond the second is the middle of the new step?",
            "With h = h' the middle is half a step on: new + ½ (new - old). What if h is twice h'?",
            "x̂₀ + h/(2h') (x̂₀ - old). At t = 0 λ is infinite, and exp(-h) is 0: the step still works if the guess is held constant.",
        ),
    },
    ambiguities=[
        "sampling_times: numbers halfway between two whole ones may be rounded either way; no test depends on it.",
        "ddim_step with eta = 0 is given finite noise, which must not matter.",
        "dpm_solver_2m may be written with λ or with ratios; the tested schedules are above 1e-5.",
    ],
)

NEAR = Close(rtol=5e-4, atol=5e-5)
FINE = Close(rtol=1e-8, atol=1e-9)


# --- sampling_times ---------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="sampling_times: from T to 0", public=True, judge=Fields(default=Exact()))
def times(student, rng):
    return {
        "evenly": entry("`sampling_times`", lambda: student.sampling_times(5, 5 * rng.integer(20, 200))),
        "rounded": entry("`sampling_times`", lambda: student.sampling_times(7, 1000)),
    }


@question.probe(points=1, title="sampling_times: all steps, one step, many", judge=Fields(default=Exact()))
def times_edges(student, rng):
    def ask(steps, T):
        return entry("`sampling_times`", lambda: student.sampling_times(steps, T))

    return {
        "every time": ask(40, 40),
        "one step": ask(1, 1000),
        "hardly more times than steps": ask(9, 10),
        "many, rounded": ask(301, 1000),
        "a large T": ask(11, 100000),
        "type": in_words(ask(11, 1000)),
    }


# --- ddim_step --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="ddim_step: DDIM, DDPM, and between", public=True, judge=Fields(default=NEAR))
def step(student, rng):
    T = rng.integer(8, 12)
    alpha_bar = levels(rng, T)
    x, eps, z = rng.normal(4, 3), rng.normal(4, 3), rng.normal(4, 3)
    return {
        key: entry("`ddim_step`", lambda eta=eta: student.ddim_step(x.clone(), eps.clone(), T - 2, 3, alpha_bar, eta, z.clone()))
        for key, eta in (("DDIM, eta 0", 0.0), ("DDPM, eta 1", 1.0), ("eta between", 0.6))
    }


@question.probe(
    points=2.5, title="ddim_step: clipped guesses, both ends of time, neighbours, shapes, float64, gradients",
    judge=Fields({"in float64": FINE, "in float64, clipped": FINE, "the first step": Close(rtol=5e-3, atol=5e-3)}, default=NEAR),
)
def step_edges(student, rng):
    T = rng.integer(9, 13)
    alpha_bar = levels(rng, T)
    low = levels(rng, T, last=1e-5)
    x, eps, z = rng.normal(5, 3), rng.normal(5, 3), rng.normal(5, 3)
    images = [rng.normal(2, 1, 2, 2) for _ in range(3)]
    t, s = torch.tensor(T - 1, device=rng.device), torch.tensor(2, device=rng.device)

    def ask(x, eps, t, s, alpha_bar, eta, z, **settings):
        return entry("`ddim_step`", lambda: student.ddim_step(x.clone(), eps.clone(), t, s, alpha_bar, eta, z.clone(), **settings))

    def slopes(clip):
        place, noise = x.clone().requires_grad_(), eps.clone().requires_grad_()
        result = tensor_of(student.ddim_step(place, noise, T - 1, 2, alpha_bar, 0.5, z, clip), "the result", (5, 3))
        return gradient("the result", rng.normal(5, 3) * result, x=place, eps=noise)

    double = [part.double() for part in (x, eps)]
    return {
        "to t = 0": ask(x, eps, 4, 0, alpha_bar, 1.0, z),
        "from t = 1 to 0": ask(x, eps, 1, 0, alpha_bar, 0.5, z),
        "the first step": ask(x, x + 0.003 * eps, T, T - 3, low, 1.0, z),
        "neighbours in time": ask(x, eps, 6, 5, alpha_bar, 1.0, z),
        "clipped, eta 0": ask(2 * x, eps, T - 2, 4, alpha_bar, 0.0, z, clip=0.7),
        "clipped, eta 1": ask(2 * x, eps, T - 2, 4, alpha_bar, 1.0, z, clip=0.5),
        "clipped, but within the range": ask(x, eps, 3, 1, alpha_bar, 0.5, z, clip=50.0),
        "clipped, to t = 0": ask(3 * x, eps, 4, 0, alpha_bar, 0.0, z, clip=0.4),
        "times as tensors": ask(x, eps, t, s, alpha_bar, 0.7, z),
        "images": ask(images[0], images[1], T - 1, 2, alpha_bar, 0.7, images[2]),
        "one example": ask(x[:1], eps[:1], T - 1, 2, alpha_bar, 1.0, z[:1]),
        "numbers, not rows": ask(x[:, 0], eps[:, 0], T - 1, 2, alpha_bar, 0.6, z[:, 0]),
        "in float64": ask(*double, T - 1, 2, alpha_bar.double(), 0.8, z.double()),
        "in float64, clipped": ask(*double, T - 1, 2, alpha_bar.double(), 0.8, z.double(), clip=0.5),
        "gradient": entry("`ddim_step`", lambda: slopes(None)),
        "gradient, clipped": entry("`ddim_step`", lambda: slopes(0.8)),
    }


# --- sample -----------------------------------------------------------------------------------------------------


def chosen(rng, T, count):
    """Some times from T to 0, unevenly."""
    inner = (1 + rng.permutation(T - 1)[: count - 1]).sort(descending=True).values
    ends = torch.tensor([T, 0], device=rng.device)
    return torch.cat([ends[:1], inner, ends[1:]])


def switches(call):
    """Whether gradients are on after a call, and after one for which they were off."""
    found = []
    for on in (True, False):
        with torch.set_grad_enabled(on):
            call()
            found.append(f"gradients were {'on' if on else 'off'} before and are {'on' if torch.is_grad_enabled() else 'off'} afterwards")
    return found


@question.probe(points=0.5, title="sample: a walk with noise", public=True, judge=Fields(default=NEAR))
def walk(student, rng):
    alpha_bar, times, model = levels(rng, 12), chosen(rng, 12, 4), Bent(rng)
    x, noise = rng.normal(3, 2), rng.normal(4, 3, 2)
    return {
        "ordinary": entry("`sample`", lambda: student.sample(odd_step, model, x, times, alpha_bar, noise)),
        "times that the model is asked at": model.times,
    }


@question.probe(points=1.5, title="sample: one step, all steps, images, part of the way, no graph, float64", judge=Fields({"in float64": FINE}, default=NEAR))
def walk_edges(student, rng):
    alpha_bar, x = levels(rng, 12), rng.normal(4, 2)

    def ask(x, times, noise, levels=alpha_bar):
        return entry("`sample`", lambda: student.sample(odd_step, Bent(rng), x.clone(), times, levels, noise))

    def graph():
        model, place = Bent(rng, 0.5), x.clone().requires_grad_()
        found = tensor_of(student.sample(odd_step, model, place, chosen(rng, 12, 3), alpha_bar, rng.normal(3, 4, 2)), "what `sample` returns")
        return [in_words(found), "with a graph" if any(model.graphs) else "without a graph", *switches(lambda: student.sample(odd_step, model, x, every[[0, -1]], alpha_bar, rng.normal(1, 4, 2)))]

    every = torch.arange(12, -1, -1, device=rng.device)
    return {
        "one step": ask(x, every[[0, -1]], rng.normal(1, 4, 2)),
        "every time": ask(x, every, 0.3 * rng.normal(12, 4, 2)),
        "images": ask(rng.normal(2, 1, 2, 3), chosen(rng, 12, 3), rng.normal(3, 2, 1, 2, 3)),
        "one example": ask(x[:1], chosen(rng, 12, 3), rng.normal(3, 1, 2)),
        "numbers, not rows": ask(x[:, 0], chosen(rng, 12, 3), rng.normal(3, 4)),
        "part of the way": ask(x, every[3:9], rng.normal(5, 4, 2)),
        "as many examples as steps": ask(x, chosen(rng, 12, 4), rng.normal(4, 4, 2)),
        "one noise for all examples": ask(x, chosen(rng, 12, 3), rng.normal(3, 1)),
        "in float64": ask(x.double(), chosen(rng, 12, 4), rng.normal(4, 4, 2).double(), alpha_bar.double()),
        "graph": entry("`sample`", graph),
    }


# --- dpm_solver_2m ----------------------------------------------------------------------------------------------


@question.probe(points=0.75, title="dpm_solver_2m: several steps", public=True, judge=Fields(default=NEAR))
def solver(student, rng):
    alpha_bar, model = levels(rng, 12), Bent(rng)
    every = torch.arange(12, -1, -1, device=rng.device)
    return {
        "to t = 3": entry("`dpm_solver_2m`", lambda: student.dpm_solver_2m(model, rng.normal(3, 2), every[[0, 3, 4, 7, 9]], alpha_bar)),
        "to t = 0": entry("`dpm_solver_2m`", lambda: student.dpm_solver_2m(Bent(rng), rng.normal(3, 2), every[[0, 2, 6, 9, 12]], alpha_bar)),
    }


@question.probe(
    points=2.75, title="dpm_solver_2m: one and two steps, clipped guesses, images, no graph, float64, a second call",
    judge=Fields({"in float64": FINE, "in float64, to t = 0": Close(rtol=3e-5, atol=3e-5), "in float64, clipped": FINE}, default=NEAR),
)
def solver_edges(student, rng):
    alpha_bar, x = levels(rng, 12), rng.normal(4, 2)
    every = torch.arange(12, -1, -1, device=rng.device)
    double = levels(rng, 12, torch.float64)
    loud = (2 + rng.uniform(4, 2)) * (2 * rng.bernoulli(4, 2, p=0.5) - 1)   # of pictures that lie between -0.9 and 0.9
    loud_x = alpha_bar[6].sqrt() * rng.uniform(4, 2, low=-0.9, high=0.9) + (1 - alpha_bar[6]).sqrt() * loud

    def ask(x, times, levels=alpha_bar, model=None, **settings):
        model = model or Bent(rng)
        return entry("`dpm_solver_2m`", lambda: student.dpm_solver_2m(model, x.clone(), times, levels, **settings))

    def graph():
        model, place = Bent(rng, 0.5), x.clone().requires_grad_()
        found = tensor_of(student.dpm_solver_2m(model, place, every[[0, 4, 8, 12]], alpha_bar), "what `dpm_solver_2m` returns")
        return [in_words(found), "with a graph" if any(model.graphs) else "without a graph", *switches(lambda: student.dpm_solver_2m(model, x, every[[0, 12]], alpha_bar))]

    def asked():
        model = Bent(rng)
        student.dpm_solver_2m(model, x, chosen(rng, 12, 5), alpha_bar)
        return model.times

    return {
        "one step": ask(x, every[[0, 5]]),
        "one step to t = 0": ask(x, every[[0, 12]]),
        "two steps, the second longer": ask(x, every[[1, 3, 9]]),
        "two steps, the second shorter": ask(x, every[[1, 7, 9]]),
        "two steps to t = 0": ask(x, every[[0, 6, 12]]),
        "every time": ask(x, every),
        "clipped": ask(0.8 * rng.normal(60, 2), every[[4, 5, 9, 10]], clip=1.5),
        "clipped closely, to t = 0": ask(2 * x, every[[0, 3, 8, 12]], clip=0.6),
        "clipped, with noise beyond the range": ask(loud_x, every[[6, 9, 12]], model=lambda x, t: loud + 0.05 * torch.sin(x), clip=1.3),
        "clipped, but within the range": ask(x, every[[0, 3, 5, 9]], clip=1000.0),
        "images": ask(rng.normal(2, 1, 2, 3), every[[0, 4, 7, 10]]),
        "one example": ask(x[:1], every[[0, 4, 7, 10]]),
        "numbers, not rows": ask(x[:, 0], every[[0, 4, 7, 10]]),
        "in float64": ask(x.double(), every[[1, 4, 5, 9]], double),
        "in float64, to t = 0": ask(x.double(), every[[0, 4, 5, 12]], double),
        "in float64, clipped": ask(x.double(), every[[0, 4, 5, 9]], double, clip=0.5),
        "times that the model is asked at": entry("`dpm_solver_2m`", asked),
        "graph": entry("`dpm_solver_2m`", graph),
    }

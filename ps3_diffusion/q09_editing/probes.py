"""Question 9: repairs by putting in what is known, resampling, a spy in place of the network, and SDEdit."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import entry, gradient, in_words, named, tensor_of, two_of, with_right

from .models import (
    Bent,
    Program,
    brighter,
    chosen,
    levels,
    odd_step,
    plain_step,
    right_q_sample,
    right_renoise,
    right_sample,
    twice_each,
    written_into,
)

question = Question(
    title="Edit and repair: inpainting, SDEdit",
    uses=["cosine_alpha_bar", "q_sample", "convert", "sampling_times", "ddim_step", "sample"],
    figures_of=["q05_unet"],
    skills=["3.29"],
    lecture="diffusion models",
    run_seconds=40,
    aim=(
        "Repair and edit pictures with a network that was never trained for it; catch a wrong noise level that tests of the result miss, "
        "and measure exactly what a right program still gets wrong, and how resampling mends it."
    ),
    hints={
        "renoise": (
            "Jump 0 → s, then s → t. Which factor of x₀ must there be at the end, and which one is there already?",
            "Levels 0.64 and 0.16: the factor of x₀ must go from 0.8 to 0.4. The variance of the noise must go from 0.36 to 0.84, and halving x leaves 0.09 of it.",
            "Both a² and b² can be written with the one ratio of the two levels. Times choose entries of `alpha_bar`.",
        ),
        "spy_levels": (
            "Which functions could stand in place of `model`? What must it do with what it is given, so that you have it afterwards?",
            "Times (10, 4, 0), one round: two calls, at 10 and 4. A right program shows 0 first (x_T), then ᾱ₄.",
            "A function inside a function can append to a list outside. All pictures may have the shape (1, 1), `mask` is True, and the noise has the shape (S, rounds, 3, 1, 1).",
        ),
        "inpaint": (
            "At which time is x after the step, and at which time before the next round of the same step?",
            "Two rounds from 10 to 4: step, put in at 4, back up to 10, step, put in at 4. The model is asked twice, both times at 10.",
            "The known picture jumps from time 0 to s; the whole x jumps from s to t. `torch.where` chooses by the mask.",
        ),
        "sdedit": (
            "Which times remain, if the walk begins at t0?",
            "Times (10, 7, 4, 0), t0 = 5: the walk is 5, 4, 0. t0 = 7: it is 7, 4, 0. t0 = 0: it is 0 alone.",
            "`times[times < t0]` are those below. Put t0 before them, and let `sample` walk; noise[0] is used up by then.",
        ),
    },
    ambiguities=[
        "inpaint: the last round's third noise is not used; `known` may hold anything finite where it is not known.",
        "spy_levels: the pixel may stand in a picture of any shape, if all of it is known and 1.",
        "sdedit with t0 = 0 may return x0 itself.",
    ],
)

NEAR = Close(rtol=5e-4, atol=5e-5)
FINE = Close(rtol=1e-8, atol=1e-9)
SAME = Close(rtol=0, atol=0)


# --- renoise ------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="renoise: the example, and other times", public=True, judge=Fields(default=Close()))
def up(student, rng):
    example, schedule = torch.tensor([1.0, 0.64, 0.16], device=rng.device), levels(rng, 8)
    x, z = rng.normal(4, 3, mean=0.3), rng.normal(4, 3)
    return {
        "levels 0.64 and 0.16": entry("`renoise`", lambda: student.renoise(x, 1, 2, example, z)),
        "another schedule": entry("`renoise`", lambda: student.renoise(x, rng.integer(2, 4), 6, schedule, z)),
    }


@question.probe(
    points=1, title="renoise: from data, s = t, nothing left, neighbours, shapes, float64, gradients",
    judge=Fields({"in float64": FINE, "s = t": SAME, "s = t = 0": SAME}, default=Close()),
)
def up_edges(student, rng):
    schedule, ending = levels(rng, 9), levels(rng, 6, last=0.0)
    x, z, images = rng.normal(5, 3, mean=0.3), rng.normal(5, 3), [rng.normal(2, 1, 2, 3) for _ in range(2)]

    def ask(*arguments):
        return entry("`renoise`", lambda: student.renoise(*arguments))

    def slopes():
        leaves = [part.clone().requires_grad_() for part in (x, z)]
        found = tensor_of(student.renoise(leaves[0], 2, 6, schedule, leaves[1]), "the result", (5, 3))
        return gradient("the result", rng.normal(5, 3) * found, x=leaves[0], noise=leaves[1])

    t, s = (torch.tensor(k, device=rng.device) for k in (7, 4))
    return {
        "from data, s = 0": ask(x, 0, 5, schedule, z),
        "s = t": ask(x, 4, 4, schedule, z),
        "s = t = 0": ask(x, 0, 0, schedule, z),
        "to T, where nothing is left": ask(x, 3, 6, ending, z),
        "neighbours in time": ask(x, 5, 6, schedule, z),
        "from 1 to T": ask(x, 1, 9, schedule, z),
        "times as tensors": ask(x, s, t, schedule, z),
        "far from 0": ask(50 * x, 3, 7, schedule, z),
        "images": ask(images[0], 2, 8, schedule, images[1]),
        "one example": ask(x[:1], 2, 8, schedule, z[:1]),
        "one number for each example": ask(x[:, 0], 2, 8, schedule, z[:, 0]),
        "in float64": ask(x.double(), 2, 7, levels(rng, 9, torch.float64), z.double()),
        "gradient": entry("`renoise`", slopes),
    }


# --- spy_levels ---------------------------------------------------------------------------------------------------


def spied(student, program, times, schedule, step=plain_step, **settings):
    """What was told and shown."""
    return entry("`spy_levels`", lambda: named(two_of(student.spy_levels(program, step, times, schedule, **settings), "told", "shown"), "told", "shown"))


@question.probe(points=0.5, title="spy_levels: two planted programs", public=True, judge=Fields(default=Close()))
def spying(student, rng):
    schedule, times = levels(rng, 14), chosen(rng, 14, 5)
    return {
        "a program whose pixel gets brighter": spied(student, brighter, times, schedule),
        "a program that asks twice": spied(student, twice_each, times, schedule),
    }


@question.probe(
    points=2, title="spy_levels: a right program and faulty ones, rounds, what the program is given, float64",
    judge=Fields({"in float64": FINE, "what the program is given": Exact()}, default=Close()),
)
def spying_edges(student, rng):
    schedule, times = levels(rng, 14), chosen(rng, 14, 4)

    def ask(program, times=times, **settings):
        return spied(student, program, times, schedule, **settings)

    def given():
        program = Program()
        student.spy_levels(program, plain_step, times, schedule, 4)
        parts = {key: tensor_of(part, f"`{key}`") for key, part in program.given.items()}
        every = torch.ones_like(parts["known"], dtype=torch.bool)
        return {
            "known": sorted(set(parts["known"].flatten().tolist())),
            "mask": sorted(set((parts["mask"] & every).flatten().tolist())),
            "type of mask": str(parts["mask"].dtype),
            "x_T": [abs(value) for value in sorted(set(parts["x_T"].flatten().tolist()))],
            "noise": [abs(value) for value in sorted(set(parts["noise"].flatten().tolist()))],
            "steps, rounds and kinds of noise": list(parts["noise"].shape[:3]),
            "noise beyond these is shaped like x_T": "yes" if parts["noise"].shape[3:] == parts["x_T"].shape else "no",
            "times": parts["times"].tolist(),
        }

    def asked():
        heard = []

        def program(step, model, known, mask, x_T, times, alpha_bar, noise):
            for k in (3, 9, 5, 1):
                eps = model(0.1 * k * known, torch.full((len(known),), k, device=known.device))
                heard.append(tensor_of(eps, "what the spy returns", known.shape).flatten()[0])
            return known

        found = student.spy_levels(program, plain_step, times, schedule)
        return {**named(two_of(found, "told", "shown"), "told", "shown"), "the spy's answers": torch.stack(heard)}

    return {
        "a right program": ask(Program()),
        "a program that is a step behind": ask(Program(lambda t, s: t)),
        "three rounds": ask(Program(), rounds=3),
        "two rounds, a step behind": ask(Program(lambda t, s: t), rounds=2),
        "clean pixels are put in": ask(Program(lambda t, s: 0)),
        "pixels are put in too dark": ask(Program(kept=-0.7)),
        "known pixels are in x_T, too": ask(Program(first=True)),
        "nothing is put in until the end": ask(Program(lambda t, s: None, offset=0.7)),
        "nothing is put in, nothing is there": ask(Program(lambda t, s: None)),
        "another step": ask(Program(lambda t, s: None, offset=-0.9), step=odd_step),
        "part of the way, one step": [ask(Program(first=True), times[1:4]), ask(Program(first=True), times[2:4])],
        "a program that writes into its x": ask(written_into),
        "calls in any order": entry("`spy_levels`", asked),
        "in float64": spied(student, Program(), times, levels(rng, 14, torch.float64)),
        "what the program is given": entry("`spy_levels`", given),
    }


# --- inpaint ------------------------------------------------------------------------------------------------------


def repaired(program, rng, shape, times, schedule, rounds, mask=None, dtype=torch.float32, scale=1.0, model=None):
    """A repair of random pictures with random noise."""
    known, x_T = scale * rng.normal(*shape, mean=0.5, dtype=dtype), rng.normal(*shape, dtype=dtype)
    mask = rng.bernoulli(*shape, p=0.5).bool() if mask is None else mask
    noise = rng.normal(len(times) - 1, rounds, 3, *shape, dtype=dtype)
    return entry("`inpaint`", lambda: program(odd_step, model or Bent(rng), known, mask, x_T, times, schedule, noise))


def repairs(program, rng, model):
    """The ordinary case."""
    schedule, times = levels(rng, 12), chosen(rng, 12, 4)
    mask = torch.tensor([True, False, True, False], device=rng.device)
    return {
        "one round": repaired(program, rng, (3, 4), times, schedule, 1, mask),
        "three rounds": repaired(program, rng, (3, 4), times, schedule, 3, mask, model=model),
    }


@question.probe(points=0, title="inpaint: one round, and three, with your `renoise` if you call it", public=True, judge=Fields(default=NEAR))
def repair_shown(student, rng):
    return repairs(student.inpaint, rng, Bent(rng))


@question.probe(points=1, title="inpaint: one round, and three, with a right `renoise`", judge=Fields(default=NEAR))
def repair_probe(student, rng):
    model = Bent(rng)
    found = repairs(with_right(student.inpaint, renoise=right_renoise, q_sample=right_q_sample), rng, model)
    return {**found, "times that the model is asked at": model.times}


@question.probe(
    points=2.5, title="inpaint: masks, known pixels at the end, part of the way, shapes, no graph, float64",
    judge=Fields({"in float64": FINE, "known pixels at the end": SAME}, default=NEAR),
)
def repair_edges(student, rng):
    schedule, ending = levels(rng, 12), levels(rng, 12, last=0.0)
    times, every = chosen(rng, 12, 3), torch.arange(12, -1, -1, device=rng.device)
    some = torch.tensor([True, False, False, True], device=rng.device)
    program = with_right(student.inpaint, renoise=right_renoise, q_sample=right_q_sample)

    def ask(shape, times, rounds, mask=None, levels=schedule, **settings):
        return repaired(program, rng, shape, times, levels, rounds, mask, **settings)

    def known_part():
        found = tensor_of(ask((5, 4), times, 2, some, scale=100.0), "what `inpaint` returns", (5, 4))
        return found[:, some]

    def graph():
        model, place = Bent(rng, 0.5), rng.normal(4, 2).requires_grad_()
        known, mask, noise = rng.normal(4, 2), some[:2], rng.normal(3, 2, 3, 4, 2)
        found = tensor_of(program(odd_step, model, known, mask, place, times, schedule, noise), "what `inpaint` returns")
        return [in_words(found), "with a graph" if any(model.graphs) else "without a graph", f"gradients are {'on' if torch.is_grad_enabled() else 'off'} afterwards"]

    return {
        "a mask for each picture": ask((4, 3), times, 2),
        "everything is known": ask((4, 3), times, 2, some.new_ones(3)),
        "nothing is known": ask((4, 3), times, 2, some.new_zeros(3)),
        "known pixels at the end": entry("`inpaint`", known_part),
        "one step": ask((3, 4), every[[0, 12]], 2, some),
        "part of the way": ask((3, 4), every[3:7], 2, some),
        "part of the way, one round": ask((3, 4), every[3:7], 1, some),
        "every time": ask((3, 4), every[6:], 1, some),
        "five rounds": ask((2, 4), every[[0, 5, 9]], 5, some),
        "images": ask((2, 1, 2, 4), times, 2, some.expand(1, 1, 2, 4)),
        "one picture": ask((1, 4), times, 2, some),
        "as many pictures as steps and rounds": ask((3, 4), times, 3, some),
        "nothing left at T": ask((3, 4), times, 2, some, ending),
        "large known pixels": ask((3, 4), every[2:6], 2, some, scale=30.0),
        "in float64": ask((3, 4), times, 2, some, levels(rng, 12, torch.float64), dtype=torch.float64),
        "graph": entry("`inpaint`", graph),
    }


# --- sdedit -------------------------------------------------------------------------------------------------------


def edited(program, rng, shape, t0, times, schedule, dtype=torch.float32, model=None):
    """Random pictures, edited with random noise."""
    x0, noise = rng.normal(*shape, mean=0.5, dtype=dtype), rng.normal(len(times), *shape, dtype=dtype)
    return entry("`sdedit`", lambda: program(odd_step, model or Bent(rng), x0, t0, times, schedule, noise))


def right_helpers(student):
    return with_right(student.sdedit, renoise=right_renoise, q_sample=right_q_sample, sample=right_sample, inpaint=Program())


def edits(program, rng, model):
    """The ordinary case."""
    schedule = levels(rng, 20)
    times = torch.tensor([20, 17, 13, 8, 5, 2, 0], device=rng.device)
    return {
        "t0 is one of the times": edited(program, rng, (3, 4), 13, times, schedule),
        "t0 is between two of them": edited(program, rng, (3, 4), 10, times, schedule, model=model),
    }


@question.probe(points=0, title="sdedit: t0 at one of the times, and between, with the functions of yours that you call", public=True, judge=Fields(default=NEAR))
def edit_shown(student, rng):
    return edits(student.sdedit, rng, Bent(rng))


@question.probe(points=0.5, title="sdedit: t0 at one of the times, and between, with right functions to call", judge=Fields(default=NEAR))
def edit_probe(student, rng):
    model = Bent(rng)
    found = edits(right_helpers(student), rng, model)
    return {**found, "times that the model is asked at": model.times}


@question.probe(
    points=2, title="sdedit: t0 = 0 and T, every t0, all times, shapes, float64", judge=Fields({"in float64": FINE, "t0 = 0": SAME}, default=NEAR)
)
def edit_edges(student, rng):
    schedule, times = levels(rng, 20), torch.tensor([20, 16, 11, 7, 3, 0], device=rng.device)
    every = torch.arange(20, -1, -1, device=rng.device)

    def ask(shape, t0, times=times, levels=schedule, **settings):
        return edited(right_helpers(student), rng, shape, t0, times, levels, **settings)

    def asked():
        found = []
        for t0 in (11, 12, 20, 2):
            model = Bent(rng)
            ask((2, 3), t0, model=model)
            found += model.times
        return found

    return {
        "t0 = 0": ask((3, 4), 0),
        "t0 = T": ask((3, 4), 20),
        "t0 = T, nothing left there": ask((3, 4), 20, levels=levels(rng, 20, last=0.0)),
        "t0 below all of the times but 0": ask((3, 4), 2),
        "t0 = 1": ask((3, 4), 1),
        "t0 just above one of the times": ask((3, 4), 12),
        "t0 just below one of the times": ask((3, 4), 10),
        "one step": ask((3, 4), 9, every[[0, 20]]),
        "every time": ask((3, 4), 6, every),
        "images": ask((2, 1, 2, 3), 11),
        "one picture": ask((1, 4), 14),
        "as many pictures as steps": ask((5, 4), 16),
        "in float64": ask((3, 4), 13, levels=levels(rng, 20, torch.float64), dtype=torch.float64),
        "times that the model is asked at": entry("`sdedit`", asked),
    }

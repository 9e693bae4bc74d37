"""Question 3: noise schedules, q_sample, the posterior of one step, and the four kinds of output."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import AnswerError, attempt, entry, gradient, named, tensor_of, two_of

question = Question(
    title="Adding noise",
    skills=["3.13", "3.14", "3.15", "3.18", "3.51"],
    uses=[],
    lecture="diffusion models, the forward process",
    run_seconds=5,
    aim=(
        "Jump to any noise level, walk one exact step back, and turn what a network outputs into what a sampler needs; see what a "
        "schedule leaks at its end and which output is safe at both ends."
    ),
    hints={
        "cosine_alpha_bar": (
            "How many entries does the result have, and how many betas are there?",
            "T = 1: f(1) is 0, so 1 - f(1)/f(0) is 1, and beta is cut off at 0.999. The result is 1, 0.001.",
            "Neighbours are `f[1:]` and `f[:-1]`. After `clamp`, which cumulative product makes (3.2), and what comes before it?",
        ),
        "zero_terminal_snr": (
            "Two conditions, two unknowns: what do 1 and the last root become?",
            "The roots 1, 0.8, 0.4 become 1, 2/3, 0. Which subtraction makes the last one 0, and which division then mends the first?",
            "Root, subtract, divide, square. By which number must the roots be divided so that the first is 1 again?",
        ),
        "q_sample": (
            "Which entry of alpha_bar belongs to example n, and how is it used on every pixel of that example?",
            "Four pictures of shape (4, 1, 28, 28) and four levels of shape (4,): what shape must the levels have to broadcast?",
            "`alpha_bar[t]` picks the levels; `reshape(-1, 1, …)` with one axis for each of x0's. Then (3.2), with square roots.",
        ),
        "posterior": (
            "What is 1 - β_t in terms of alpha_bar, when you know the levels at t and at t - 1?",
            "A prior of variance p and a measurement √α z + noise of variance β: the precisions 1/p and α/β add up. Which variance is that, as one fraction?",
            "β + α(1 - ᾱ_{t-1}) is 1 - ᾱ_t. Write mean and variance with this one denominator, so that t = 1 divides by nothing that is 0.",
        ),
        "convert": (
            "If you had x0 and the noise, could you write down the other two?",
            "With the roots 0.8 and 0.6, x_t = 1.4 and v = 0.2: x0 = 0.8·1.4 - 0.6·0.2 = 1. Which sum of x_t and v gives the noise?",
            "First find x0 from each kind; the others follow from x0 and x_t. For v multiply (3.2) and (3.4) by the two roots and add, so that nothing is divided.",
        ),
    },
    ambiguities=[
        "alpha_bar, x0 and eps have the same float type in all tests; results of wider type are accepted, but the public probe wants float32 of cosine_alpha_bar once.",
        "Gradients by alpha_bar are not tested. convert is not tested at alpha_bar_t = 1, nor at 0 for eps and score.",
        "The variance of posterior must have the shape (N, 1, …, 1), so that a sampler can use it for any x.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TINY = Close(rtol=2e-3, atol=1e-9)   # levels near 0, which float32 rounds


def levels(rng, T, dtype=torch.float32, last=None):
    """A schedule 1 = level 0 > … > level T, with steps of all sizes; the last one may be given."""
    shares = rng.uniform(T, low=0.45, high=0.93, dtype=dtype)
    found = torch.cat([torch.ones_like(shares[:1]), shares.cumprod(0)])
    if last is not None:
        found[-1] = last
    return found


def pictures(rng, *shape, dtype=torch.float32):
    """Data and noise."""
    return 0.4 + 1.5 * rng.normal(*shape, dtype=dtype), rng.normal(*shape, dtype=dtype)


# --- cosine_alpha_bar ---------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="cosine_alpha_bar: a few steps", public=True, judge=Fields(default=Close()))
def cosine(student, rng):
    def typed():
        found = tensor_of(student.cosine_alpha_bar(5), "the result")
        if found.dtype != torch.float32:
            raise AnswerError(f"the result is {str(found.dtype).removeprefix('torch.')}; float32 is asked for, since networks cannot work with both")
        return found

    return {f"T = {T}": attempt(student.cosine_alpha_bar, T) for T in (4, rng.integer(6, 12))} | {"T = 5, in float32": entry("`cosine_alpha_bar`", typed)}


@question.probe(
    points=1, title="cosine_alpha_bar: its ends, one and many steps",
    judge=Fields(dict.fromkeys(("the last steps", "one, two and three steps"), TINY), default=Close()),
)
def cosine_edges(student, rng):
    def ask(T, part):
        return tensor_of(student.cosine_alpha_bar(T), "the result")[part]

    many = rng.integer(190, 230)
    return {
        "one, two and three steps": entry("`cosine_alpha_bar`", lambda: [student.cosine_alpha_bar(T) for T in (1, 2, 3)]),
        "many steps": attempt(student.cosine_alpha_bar, many),
        "the last steps": entry("`cosine_alpha_bar`", lambda: ask(many // 8, slice(-4, None))),
        "the first steps of 1,000": entry("`cosine_alpha_bar`", lambda: ask(1000, slice(0, 40))),
    }


# --- zero_terminal_snr --------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="zero_terminal_snr: the example, and another schedule", public=True, judge=Fields(default=Close()))
def terminal(student, rng):
    return {
        "1, 0.64, 0.16": attempt(student.zero_terminal_snr, torch.tensor([1.0, 0.64, 0.16], device=rng.device)),
        "another schedule": attempt(student.zero_terminal_snr, levels(rng, rng.integer(5, 8))),
    }


@question.probe(
    points=1, title="zero_terminal_snr: exact ends, little and much left at the end, float64",
    judge=Fields({"in float64": WIDE, "the first level": Close(rtol=1e-6, atol=0), "the last level": Close(rtol=1e-6, atol=0)}, default=Close()),
)
def terminal_edges(student, rng):
    many = [levels(rng, 9) for _ in range(12)]
    least = (1 - torch.linspace(0.001, 0.02, 400, device=rng.device)).cumprod(0)[::40]
    return {
        "little left at the end": attempt(student.zero_terminal_snr, torch.cat([torch.ones_like(least[:1]), least])),
        "much left at the end": attempt(student.zero_terminal_snr, 0.6 + 0.4 * levels(rng, 6)),
        "nothing left at the end": attempt(student.zero_terminal_snr, levels(rng, 6, last=0.0)),
        "short schedules": entry("`zero_terminal_snr`", lambda: [student.zero_terminal_snr(levels(rng, T)) for T in (1, 2, 3)]),
        "the first level": entry("`zero_terminal_snr`", lambda: [tensor_of(student.zero_terminal_snr(each), "the result")[0] for each in many]),
        "the last level": entry("`zero_terminal_snr`", lambda: [tensor_of(student.zero_terminal_snr(each), "the result")[-1] for each in many]),
        "in float64": attempt(student.zero_terminal_snr, levels(rng, 7, torch.float64)),
    }


# --- q_sample -----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="q_sample: pictures and vectors at times of their own", public=True, judge=Fields(default=Close()))
def noisy(student, rng):
    schedule = levels(rng, 7)
    images, vectors = pictures(rng, 4, 1, 3, 2), pictures(rng, 6, 2)
    t = 1 + rng.permutation(7)
    return {
        "pictures": attempt(student.q_sample, images[0], t[:4], images[1], schedule),
        "vectors": attempt(student.q_sample, vectors[0], t[:6], vectors[1], schedule),
    }


@question.probe(
    points=1.5, title="q_sample: shapes, both ends, float64, gradients",
    judge=Fields({"in float64": WIDE, "t = 0": Close(rtol=0, atol=0)}, default=Close()),
)
def noisy_edges(student, rng):
    schedule, ending = levels(rng, 6), levels(rng, 6, last=0.0)
    square, single, line, deep = pictures(rng, 5, 5), pictures(rng, 3, 4), pictures(rng, 6), pictures(rng, 3, 2, 2, 2, 2)
    t = torch.cat([torch.zeros_like(rng.permutation(1)), 1 + rng.permutation(6)])   # 0 comes first, or last in t.flip(0)
    leaves = [each.clone().requires_grad_() for each in pictures(rng, 4, 3)]
    weight, wide = rng.normal(4, 3), pictures(rng, 4, 3, dtype=torch.float64)

    def slopes():
        found = tensor_of(student.q_sample(leaves[0], t[:4], leaves[1], schedule), "the result", (4, 3))
        return gradient("the result", weight * found, **dict(zip(("x0", "eps"), leaves)))

    return {
        "as many examples as columns": attempt(student.q_sample, square[0], t[:5], square[1], schedule),
        "one number for each example": attempt(student.q_sample, line[0], t.flip(0)[1:], line[1], schedule),
        "five axes": attempt(student.q_sample, deep[0], t.flip(0)[4:], deep[1], schedule),
        "a batch of one": entry("`q_sample`", lambda: [student.q_sample(single[0][:1], t[k : k + 1], single[1][:1], schedule) for k in range(3)]),
        "equal times": attempt(student.q_sample, single[0], torch.full_like(t[:3], 4), single[1], schedule),
        "far from 0": attempt(student.q_sample, 60 * square[0], t[:5], 4 * square[1], schedule),
        "t = 0": attempt(student.q_sample, single[0], 0 * t[:3], single[1], schedule),
        "t = T, where nothing is left": attempt(student.q_sample, single[0], torch.full_like(t[:3], 6), single[1], ending),
        "in float64": attempt(student.q_sample, wide[0], t[:4], wide[1], levels(rng, 6, torch.float64)),
        "gradient": entry("`q_sample`", slopes),
    }


# --- posterior ----------------------------------------------------------------------------------------------------


def stepped(student, x_t, x0, t, schedule):
    """Mean and variance by name."""
    return entry("`posterior`", lambda: named(two_of(student.posterior(x_t, x0, t, schedule), "the mean", "the variance"), "mean", "variance"))


@question.probe(points=0.5, title="posterior: the example, and pictures", public=True, judge=Fields(default=Close()))
def step_back(student, rng):
    example = torch.tensor([1.0, 0.64, 0.16], device=rng.device)
    two = torch.eye(2, device=rng.device)
    images, schedule = pictures(rng, 4, 1, 2, 3), levels(rng, 6)
    return {
        "x0 = 1, 0 and x_2 = 0, 1": stepped(student, two[0], two[1], torch.full((2,), 2, device=rng.device), example),
        "pictures": stepped(student, images[1], images[0], 2 + rng.permutation(5)[:4], schedule),
    }


@question.probe(
    points=2, title="posterior: shapes, the first and last step, float64, gradients",
    judge=Fields({"in float64": WIDE, "t = 1": Close(rtol=0, atol=1e-6)}, default=Close()),
)
def step_back_edges(student, rng):
    schedule, ending = levels(rng, 6), levels(rng, 6, last=0.0)
    square, single, line, deep = pictures(rng, 5, 5), pictures(rng, 3, 4), pictures(rng, 6), pictures(rng, 3, 2, 2, 2, 2)
    t = torch.cat([torch.ones_like(rng.permutation(1)), 2 + rng.permutation(5)])   # 1 comes first, or last in t.flip(0)
    leaves = [each.clone().requires_grad_() for each in pictures(rng, 4, 3)]
    weight, wide = rng.normal(4, 3), pictures(rng, 4, 3, dtype=torch.float64)

    def slopes():
        mean = two_of(student.posterior(leaves[0], leaves[1], t[:4], schedule), "the mean", "the variance")[0]
        found = tensor_of(mean, "the mean", (4, 3))
        return gradient("the mean", weight * found, **dict(zip(("x_t", "x0"), leaves)))

    def ones():
        """One example after the other."""
        parts = [two_of(student.posterior(single[0][:1], single[1][:1], t[k : k + 1], schedule), "the mean", "the variance") for k in range(4)]
        return {name: [part[i] for part in parts] for i, name in enumerate(("mean", "variance"))}

    return {
        "as many examples as columns": stepped(student, *square, t[:5], schedule),
        "one number for each example": stepped(student, *line, t.flip(0), schedule),
        "five axes": stepped(student, *deep, t.flip(0)[3:], schedule),
        "a batch of one": entry("`posterior`", ones),
        "equal times": stepped(student, *single, torch.full_like(t[:3], 4), schedule),
        "far from 0": stepped(student, 60 * square[0], 30 * square[1], t[:5], schedule),
        "t = 1": stepped(student, *single, torch.full_like(t[:3], 1), schedule),
        "t = T, where nothing is left": stepped(student, *single, torch.full_like(t[:3], 6), ending),
        "one tiny step": stepped(student, *single, torch.full_like(t[:3], 5), torch.cat([schedule[:5], 0.97 * schedule[4:5], 0.5 * schedule[4:5]])),
        "in float64": stepped(student, *wide, t[:4], levels(rng, 6, torch.float64)),
        "gradient": entry("`posterior`", slopes),
    }


# --- convert ------------------------------------------------------------------------------------------------------

KINDS = ("eps", "x0", "v", "score")


def converted(student, output, kind, x_t, level):
    """The four, in a fixed order; whatever is missing is told."""

    def ask():
        found = student.convert(output, kind, x_t, level)
        if not isinstance(found, dict):
            return f"`convert` returns {type(found).__name__} where a dict is expected."
        missing = [key for key in KINDS if key not in found]
        if missing:
            return f"the dict has no key {missing[0]!r}; its keys are {sorted(map(str, found))}."
        return {key: found[key] for key in KINDS}

    return entry("`convert`", ask)


@question.probe(points=0.5, title="convert: all four kinds", public=True, judge=Fields(default=Close()))
def conversions(student, rng):
    level = rng.uniform(4, 1, low=0.15, high=0.85)
    return {f"from {kind}": converted(student, rng.normal(4, 3), kind, rng.normal(4, 3, mean=0.3), level) for kind in KINDS}


@question.probe(
    points=2, title="convert: high and low noise, shapes, float64, gradients",
    judge=Fields(
        {"v in float64": WIDE, "score in float64": WIDE, "eps with much noise": Close(1e-3, 1e-3), "score with much noise": Close(1e-3, 1e-3)}
        | {f"{kind} with little noise": Close(1e-3, 5e-3) for kind in KINDS},   # a score divides the rounding of x_t by s² = 4e-4
        default=Close(),
    ),
)
def conversions_edges(student, rng):
    def ask(kind, level, *shape, dtype=torch.float32):
        return converted(student, rng.normal(*shape, dtype=dtype), kind, rng.normal(*shape, dtype=dtype), level)

    def grades(kind):
        """Gradients of all four, each weighted, by output and x_t."""
        leaves = [rng.normal(3, 2).requires_grad_() for _ in range(2)]
        weight, level = rng.normal(4, 3, 2), rng.uniform(3, 1, low=0.2, high=0.8)
        found = student.convert(leaves[0], kind, leaves[1], level)
        total = sum(w * tensor_of(found[key], f'"{key}"', (3, 2)) for w, key in zip(weight, KINDS))
        names = dict(zip(("the output", "x_t"), leaves))
        return gradient(f"the four (from {kind})", total, **names)

    none = torch.zeros(3, 1, device=rng.device)
    some = torch.cat([none[:1], rng.uniform(2, 1, low=0.2, high=0.8)])
    high, low = rng.uniform(3, 1, low=4e-4, high=2e-3), 1 - rng.uniform(3, 1, low=4e-4, high=2e-3)
    found = {f"{kind} with nothing left": ask(kind, none, 3, 2) for kind in ("x0", "v")}
    found |= {f"{kind} with nothing left in the first": ask(kind, some, 3, 2) for kind in ("x0", "v")}
    for kind in KINDS:
        found[f"{kind} with much noise"] = ask(kind, high, 3, 2)
        found[f"{kind} with little noise"] = ask(kind, low, 3, 2)
    found |= {
        "one level for all": ask("v", torch.tensor(rng.number(0.2, 0.8), device=rng.device), 4, 3),
        "one level for all, from eps": ask("eps", torch.tensor(rng.number(0.2, 0.8), device=rng.device), 4, 3),
        "pictures": ask("x0", rng.uniform(3, 1, 1, 1, low=0.2, high=0.8), 3, 1, 2, 2),
        "a level for each number": ask("score", rng.uniform(5, low=0.2, high=0.8), 5),
        "v in float64": ask("v", rng.uniform(3, 1, low=0.2, high=0.8, dtype=torch.float64), 3, 2, dtype=torch.float64),
        "score in float64": ask("score", rng.uniform(3, 1, low=0.2, high=0.8, dtype=torch.float64), 3, 2, dtype=torch.float64),
    }
    return found | {f"gradient from {kind}": entry("`convert`", lambda kind=kind: grades(kind)) for kind in KINDS}

"""Hidden tests of question 13: AdamW, warm-up with cosine decay, and clipping by the global norm."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import in_words, tensor_of, tried, two_of

question = Question(
    title="AdamW, a schedule and clipping",
    skills=["1.19", "1.20", "1.21"],
    after="q04_gradient_descent",
    lecture="stochastic gradient descent with momentum; moving averages",
    run_seconds=4,
    aim=(
        "Write a usual training recipe exactly: AdamW as in torch.optim, warm-up and cosine decay, clipping by the "
        "global norm; see what one broken batch does to Adam's memory."
    ),
    hints={
        "adamw_step": (
            "How large is the first step if the gradient is 5, and how large if it is 5,000?",
            "Do the example below (13.2) by hand, and then a second step with g = 5: m is 0.95, v is 0.049975, and both "
            "corrected averages are 5 and 25 again.",
            "Loop over the parameters with their gradient and state, and collect two lists. Count the step before the "
            "corrections use its number; a gradient None appends what came in.",
        ),
        "learning_rate": (
            "Which update is made at `step` 0, and which at `step` T - 1?",
            "With W = 2, T = 4 and rates from 1 to 0: 0.5, 1, 0.5, 0, and 0 from then on.",
            "Begin with n = step + 1 and treat the three cases in an order in which W = 0 and W = T never divide by zero.",
        ),
        "clip_grad_norm": (
            "If one tensor is far too long and another short, what must happen to the short one?",
            "Three tensors of norms 2, 3 and 6 have norm 7 together, not 11.",
            "Add the squares of all tensors that are there, and take one root. One comparison decides whether the factor "
            "differs from 1.",
        ),
    },
    ambiguities=[
        "Tuples may come back as lists, t as an int or a 0-d tensor, the norm as a number.",
        "PyTorch's clip_grad_norm_ adds 1e-6 to the norm; that passes (norms that are clipped are not tiny in the tests).",
        "Gradients of NaN or infinite norm are not tested. Results may share memory with arguments that do not change.",
    ],
)

CLOSE = Close(rtol=5e-4, atol=2e-6)


# --- adamw_step ------------------------------------------------------------------------------------------------------


def parts(answer, count):
    """The new parameters, and t, m and v of each; raises a sentence if the answer has another form."""
    params, state = two_of(answer, "the new parameters", "the new state")
    for what, group in (("new_params", params), ("new_state", state)):
        if not isinstance(group, (tuple, list)) or len(group) != count:
            found = f"{len(group)} entries" if isinstance(group, (tuple, list)) else f"type {type(group).__name__}"
            raise AnswerError(f"{what} must be a tuple with an entry for each of the {count} parameters; it has {found}")
    params = [tensor_of(p, "a new parameter") for p in params]
    for each in state:
        if not isinstance(each, (tuple, list)) or len(each) != 3:
            found = f"has {len(each)} parts" if isinstance(each, (tuple, list)) else f"is of type {type(each).__name__}"
            raise AnswerError(f"an entry of new_state {found}; its form is (t, m, v)")
    return {
        "params": params,
        "t": [float(each[0]) for each in state],
        "m": [tensor_of(each[1], "m") for each in state],
        "v": [tensor_of(each[2], "v") for each in state],
    }


def fresh(*params):
    """The state before the first step."""
    return tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)


def used(rng, *params, low=3, high=9):
    """A state in the middle of a run; each parameter has another number of steps."""
    first = rng.integer(low, high)
    return tuple(
        (first + (0, 3, -2, 7)[i], rng.normal(*p.shape).to(p), rng.uniform(*p.shape, low=0.5, high=2.0).to(p))
        for i, p in enumerate(params)
    )


class Run:
    """Steps on a quadratic whose minimum is not at zero."""

    def __init__(self, rng, *shapes, lr=0.1):
        self.params, self.lr = tuple(rng.normal(*shape) for shape in shapes), lr
        self.curvature = [rng.uniform(*shape, low=0.2, high=5.0) for shape in shapes]
        self.state, self.parts = fresh(*self.params), None

    def step(self, student, *settings):
        grads = tuple(c * p - 1.0 for c, p in zip(self.curvature, self.params))
        answer = student.adamw_step(self.params, grads, self.state, self.lr, *settings)
        self.parts = parts(answer, len(grads))
        self.params, self.state = tuple(answer[0]), tuple(map(tuple, answer[1]))
        return self.parts


@question.probe(points=0.75, title="`adamw_step`: eight steps", public=True, judge=Fields(default=CLOSE))
def adamw_ordinary(student, rng):
    betas, decay = (rng.number(0.6, 0.9), rng.number(0.9, 0.99)), rng.number(0.2, 0.5)
    plain, decayed = (Run(rng, (rng.integer(2, 5),), (rng.integer(2, 4), 2)) for _ in range(2))

    def steps(run, count, weight_decay):
        for _ in range(count):
            run.step(student, betas, 1e-8, weight_decay)
        return run.parts

    return {
        "first step": tried(lambda: steps(plain, 1, 0.0)),
        "second step": tried(lambda: steps(plain, 1, 0.0)),
        "after 8 steps": tried(lambda: steps(plain, 6, 0.0)),
        "first step, with weight decay": tried(lambda: steps(decayed, 1, decay)),
        "after 8 steps, with weight decay": tried(lambda: steps(decayed, 7, decay)),
    }


@question.probe(
    points=2.25,
    title="`adamw_step`: gradients of any size, skipped parameters, dtypes, nothing left behind",
    judge=Fields({"steps / lr, parameters around 100,000 in float64": Close(rtol=1e-4, atol=1e-5)}, default=CLOSE),
)
def adamw_edges(student, rng):
    lr, some = rng.number(0.05, 0.1), (rng.number(0.6, 0.85), rng.number(0.9, 0.96))
    zero, small = torch.zeros(4, device=rng.device), rng.normal(4, std=0.1)

    def lengths(*grads, start=zero, **settings):
        """Steps / lr with these gradients, one after the other."""
        params, state, found = (start,), fresh(start), []
        for g in grads:
            answer = student.adamw_step(params, (g,), state, lr, **settings)
            new = parts(answer, 1)["params"][0]
            found.append((tensor_of(new, "the new parameter", start.shape) - params[0]) / lr)
            params, state = tuple(answer[0]), tuple(map(tuple, answer[1]))
        return found

    def sized(scale):
        return tried(lambda: lengths(*(scale * rng.normal(4) for _ in range(3))))

    def one(state, *grads, params=None, settings=(some, 1e-8, 0.5)):
        params = tuple(rng.normal(*m.shape).to(m) for _, m, _ in state) if params is None else params
        return tried(lambda: parts(student.adamw_step(params, grads, state, lr, *settings), len(params)))

    def rates_that_change():
        run = Run(rng, (3,), (2, 2))
        for run.lr in (0.3, 0.1, 0.03, 0.01):
            run.step(student, some, 1e-8, 0.4)
        return run.parts

    def in_turns():
        """Two optimisers of the same shapes: nothing may be remembered outside of their states."""
        runs = [Run(rng, (3,), (2, 2)) for _ in range(2)]
        for _ in range(3):
            for run in runs:
                run.step(student, some)
        return runs[1].parts

    def types(**settings):
        """Of the results, then of what came in."""
        params = tuple(rng.normal(*shape, **settings).requires_grad_() for shape in ((3,), (2, 2), ()))
        state, grads = used(rng, *(p.detach() for p in params)), [rng.normal(*p.shape, **settings) for p in params]
        new = parts(student.adamw_step(params, (grads[0], None, grads[2]), state, lr, some, 1e-8, 0.5), 3)
        kinds = {f"new {key}": [in_words(part) for part in new[key]] for key in ("params", "m", "v")}
        return {**kinds, "params that came in": [in_words(p) for p in params]}

    shapes = torch.zeros(3), torch.zeros(2, 2), torch.zeros(()), torch.zeros(2, 1, 3)
    several = used(rng, *(part.to(rng.device) for part in shapes))
    grads = [rng.normal(*m.shape) for _, m, _ in several]
    wide = 1e5 + rng.normal(4, dtype=torch.float64)  # float32 has steps of 0.008 there
    return {
        "steps / lr, gradients of size 1e-12": sized(1e-12),
        "steps / lr, gradients of size 1e-8": sized(1e-8),
        "steps / lr, gradients of size 1e-4": sized(1e-4),
        "steps / lr, gradients of size 1": sized(1.0),
        "steps / lr, gradients of size 1e6": sized(1e6),
        "steps / lr, one gradient large, then small ones": tried(lambda: lengths(30 * small, *(small * c for c in (1, -2, 1)))),
        "steps / lr, eps = 0.1": tried(lambda: lengths(small, -2 * small, eps=0.1)),
        "steps / lr, eps = 1e-3 and small gradients": tried(lambda: lengths(0.01 * small, 0.02 * small, eps=1e-3)),
        "steps / lr, entries of very different gradients": tried(
            lambda: lengths(*(rng.normal(4) * 10.0 ** torch.arange(-4, 4, 2, device=rng.device) for _ in range(2)))
        ),
        "steps / lr, parameters around 100,000 in float64": tried(
            lambda: lengths(small.double(), 2 * small.double(), start=wide)
        ),
        "first gradient zero": one(fresh(zero), zero),
        "gradient zero after other steps": one(used(rng, zero), zero),
        "a step after hundreds": one(used(rng, zero, low=200, high=900), small, settings=((0.9, 0.999), 1e-8, 0.1)),
        "a step after thousands": one(used(rng, zero, low=1500, high=2000), small, settings=((0.9, 0.999), 1e-8, 0.1)),
        "only lr given": one(used(rng, zero), small, settings=()),
        "weight decay without momentum": one(used(rng, zero), small, settings=((0.0, some[1]), 1e-8, 0.3)),
        "a large weight decay": one(used(rng, zero), small, settings=(some, 1e-8, 3.0)),
        "four parameters": one(several, *grads),
        "second of four gradients None": one(several, grads[0], None, *grads[2:]),
        "first and last of four gradients None": one(several, None, *grads[1:3], None),
        "all gradients None": one(several, None, None, None, None),
        "None at the very first step": one(fresh(zero, small), None, small),
        "a rate that changes": tried(rates_that_change),
        "two optimisers in turns": tried(in_turns),
        "types in float32, some gradient None": tried(types),
        "types in float64, some gradient None": tried(lambda: types(dtype=torch.float64)),
    }


# --- learning_rate ---------------------------------------------------------------------------------------------------

RATES = Close(rtol=1e-5, atol=1e-12)


def rates(student, steps, *settings):
    """As they are returned: a Python float and a 0-d tensor are the same numbers, and have their own entry."""
    return tried(lambda: [student.learning_rate(step, *settings) for step in steps])


@question.probe(points=0.5, title="`learning_rate`: two runs, update by update", public=True, judge=Fields(default=RATES))
def schedule_ordinary(student, rng):
    def run(warmup, total):
        top = rng.number(1e-3, 1e-1)
        return rates(student, range(total), warmup, total, top, top * rng.number(0.05, 0.3))

    return {
        "a short warm-up": run(rng.integer(3, 6), rng.integer(14, 25)),
        "a long warm-up": run(rng.integer(9, 12), rng.integer(14, 25)),
    }


@question.probe(points=1, title="`learning_rate`: joints and borders", judge=Fields(default=RATES))
def schedule_edges(student, rng):
    total, top = rng.integer(9, 20), rng.number(1e-3, 1e-1)
    low, warmup = top * rng.number(0.1, 0.3), rng.integer(3, 6)
    long = 1000 * total

    def kinds():
        found = [student.learning_rate(step, 2, total, top, low) for step in (0, 1, 4, total)]
        return ["float" if isinstance(value, float) else in_words(value) for value in found]

    return {
        "types": tried(kinds),
        "no warm-up": rates(student, range(total), 0, total, top, low),
        "nothing but warm-up": rates(student, range(total), total, total, top, low),
        "nothing but warm-up, after the end": rates(student, [total, total + 1, 3 * total], total, total, top, low),
        "all but one are warm-up": rates(student, range(total + 2), total - 1, total, top, low),
        "the last updates and after the end": rates(
            student, [total - 2, total - 1, total, total + 1, 2 * total - 4, 2 * total, 7 * total], warmup, total, top, low
        ),
        "min_lr = 0": rates(student, [0, 3, total - 2, total - 1, total], warmup, total, top, 0.0),
        "min_lr above the first warm-up rates": rates(student, range(total), 5, total, top, 0.5 * top),
        "min_lr = max_lr": rates(student, range(total), warmup, total, top, top),
        "around update W of a long run": rates(
            student, [0, *range(long // 10 - 2, long // 10 + 3)], long // 10, long, top, low
        ),
        "T = 1": [rates(student, [0, 1, 2], w, 1, top, low) for w in (0, 1)],
    }


# --- clip_grad_norm --------------------------------------------------------------------------------------------------


def clipped(student, max_norm, *grads):
    """Clipped gradients and the norm, or in words what went wrong."""

    def compute():
        answer = student.clip_grad_norm(grads, max_norm)
        new, norm = two_of(answer, "the clipped gradients", "the norm")
        if not isinstance(new, (tuple, list)) or len(new) != len(grads):
            found = f"{len(new)} entries" if isinstance(new, (tuple, list)) else f"type {type(new).__name__}"
            raise AnswerError(f"the clipped gradients must be a tuple with an entry for each of the {len(grads)}; it has {found}")
        return {"gradients": list(new), "norm": norm if isinstance(norm, torch.Tensor) else float(norm)}

    return tried(compute)


@question.probe(
    points=0.5, title="`clip_grad_norm`: long and short gradients", public=True, judge=Fields(default=Close(1e-4, 1e-6))
)
def clip_ordinary(student, rng):
    grads = rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6), std=3.0), rng.normal(2, 1, 2, std=0.2)
    return {
        "three long tensors": clipped(student, rng.number(0.5, 1.0), *grads),
        "one long tensor": clipped(student, rng.number(0.5, 1.0), grads[1]),
        "three short tensors": clipped(student, rng.number(40.0, 50.0), *grads),
    }


@question.probe(
    points=1, title="`clip_grad_norm`: at the limit, None, zeros, sizes and dtypes", judge=Fields(default=Close(1e-4, 1e-7))
)
def clip_edges(student, rng):
    grads = rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6))
    zero = torch.zeros(3, device=rng.device)
    length = torch.cat([g.flatten() for g in grads]).norm().item()
    wide = 1.0 + rng.uniform(3).double(), rng.normal(2, 2, dtype=torch.float64)

    def digits():
        """In float64: a gradient and its norm, beyond the digits of float32."""
        one, other = (clipped(student, 0.5, wide[0] + step, wide[1]) for step in (0, 1e-7))
        if isinstance(one, str) or isinstance(other, str):
            return one
        pairs = zip([*one["gradients"], one["norm"]], [*other["gradients"], other["norm"]])
        return [1e7 * (new - old) for old, new in pairs]

    def types(*some):
        found = {"clipped": student.clip_grad_norm((*some, None), 0.1), "not clipped": student.clip_grad_norm((*some, None), 100.0)}
        return {key: [in_words(g) if g is not None else "None" for g in new] for key, (new, _) in found.items()}

    return {
        "0.2 % too long": clipped(student, length / 1.002, *grads),
        "0.2 % below the limit": clipped(student, length * 1.002, *grads),
        "small, but too long": clipped(student, 0.01, 0.05 * grads[0] / grads[0].norm()),
        "very short": clipped(student, 1.0, 1e-3 * grads[0]),
        "norm below 1, limit above it": clipped(student, 0.9, 0.5 * grads[0] / grads[0].norm()),
        "huge": clipped(student, 1.0, 1e6 * grads[0], grads[1]),
        "huge, and the limit large": clipped(student, 2e3, 1e5 * grads[0], 1e3 * grads[1]),
        "nine tensors": clipped(student, 1.0, *(rng.normal(2, std=1 + i) for i in range(9))),
        "one tensor far longer than the other": clipped(student, 1.0, 100 * grads[0], 0.1 * grads[1]),
        "max_norm infinite": clipped(student, math.inf, *grads),
        "with None": clipped(student, 0.7, None, 2.0 * grads[0], None, grads[1]),
        "with None, short": clipped(student, 50.0, grads[0], None),
        "all zero": clipped(student, 1.0, zero, 0.0 * grads[0]),
        "some zero": clipped(student, 0.5, zero, grads[1], 2 * grads[0]),
        "single numbers": clipped(student, 2.0, -5.0 - rng.uniform(), 3.0 + rng.uniform()),
        "float64, gradients changed by 1e-7, the change times 1e7": tried(digits),
        "types in float32": tried(lambda: types(*grads)),
        "types in float64": tried(lambda: types(*wide)),
    }

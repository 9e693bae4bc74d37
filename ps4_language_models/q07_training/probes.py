"""Question 7: a training step, a run that can be stopped, AdamW and Muon."""

import io
import math

import torch
from torch.utils.flop_counter import FlopCounterMode

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import attempt, in_words, named, tensor_of, tried, with_planted, with_right

from .models import (
    Layered,
    Noted,
    Reader,
    advance,
    bent,
    chain,
    mean_cost,
    right_adamw,
    right_newton_schulz,
    weights,
    what_remains,
)

question = Question(
    title="Train it; AdamW and Muon",
    skills=["4.26", "4.27", "4.63"],
    uses=["cross_entropy", "init_linear", "GPT", "token_nats", "copy_lines"],
    figures_of=["q02_counting"],
    lecture="optimisation of transformers",
    run_seconds=120,
    manual_points=3,
    rubric=[
        "1 point: (a) it pays ln 32 for each of three words, at their first letters; these are drawn independently, so nothing before tells them; all the rest is certain.",
        "1 point: (b) below the entropy is impossible on average for an honest model, and one mistake that does it (sees its targets: leaking mask, targets not shifted; costs not averaged over all tokens; lines that were trained on), with a test.",
        "1 point: a second mistake of another kind, with a test that would show it.",
    ],
    aim="Write one training loop that can stop anywhere, two optimisers, and judge a run by lines that are known: a gate's floor, n-grams, an entropy.",
    hints={
        "train_step": (
            "The mean of all tokens, as a sum over parts: by which factor does each part's mean count?",
            "Three rows, two parts: 3 and 6 become 4. When is the gradient complete, so that it may be clipped?",
            "`ids.chunk(accumulate)`; each part's cost times its share of the rows, `backward()`; after the loop `nn.utils.clip_grad_norm_`, then the step.",
        ),
        "Run": (
            "Which four things does `train` change, or read, that differ at another time?",
            "Keep a state, train two more steps, look into the state again. Did it change? And after a second run has loaded it and trained?",
            "Models and optimisers have `state_dict` and `load_state_dict`, generators `get_state` and `set_state`. `copy.deepcopy` copies a dict with all that is in it.",
        ),
        "adamw_step": (
            "Which of the three things is needed for which? In what order must they be computed?",
            "First step, g = 0.5, all else 0: m = 0.05, with its hat 0.5. v = 0.0125, with its hat 0.25. The quotient is 1.",
            "The hats are used in the step alone; what is returned has none. ε is added to the root.",
        ),
        "newton_schulz": (
            "What are the largest singular values after the division, at most? Why is that needed?",
            "A 1 × 1 matrix is its own singular value: whatever its size, it begins with 1. After one step it is a + b + c = 0.701.",
            "For a tall matrix work on `matrix.T`. A number as small as 1e-7 beside the norm keeps zeros from becoming 0/0.",
        ),
        "Muon": (
            "choose: where in a `GPT` are the matrices that vectors go through? update: what is the sum of squares of a matrix's entries, in terms of its singular values?",
            "A 64 × 256 matrix: the sum is 64, there are 64 · 256 entries, so the root mean square is 1/16. Which factor makes it 0.2?",
            "`model.blocks.parameters()` has matrices and vectors; `p.dim()` tells them apart. In `update` the new M is used twice: it is returned, and it is mixed with the gradient.",
        ),
    },
    ambiguities=[
        "train_step: any split into parts that are not too large; gradients reset before the parts (also after the step). The result is a tensor.",
        "Run: the keys of the state are free.",
        "newton_schulz: the small number beside the norm may be any up to 1e-6.",
        "train_step, Muon.update and the whole optimiser are asked with right versions of the other functions.",
    ],
)

TOLD = Fields({}, default=Close())
LOOSE = Close(rtol=1e-3, atol=1e-4)
FINE = Close(rtol=1e-9, atol=1e-10)


# --- train_step -----------------------------------------------------------------------------------------------------


def stepped(ask, model, ids, *settings, lr=0.5, steps=1, **more):
    """Some steps, and what they left."""
    optimiser = Noted(model.parameters(), lr)
    losses = [tensor_of(ask(model, optimiser, ids, *settings, **more), "what `train_step` returns", ()) for _ in range(steps)]
    return {"loss": [loss.detach() for loss in losses], "weights afterwards": weights(model), "steps of the optimiser": optimiser.calls}


@question.probe(points=0, title="train_step: whole batches and parts", public=True, judge=TOLD)
def steps_ordinary(student, rng):
    return {
        "one part": attempt(stepped, student.train_step, Reader(rng), rng.integers(0, 5, 4, 6)),
        "two equal parts": attempt(stepped, student.train_step, Reader(rng), rng.integers(0, 5, 4, 6), 2),
        "three rows in two parts": attempt(stepped, student.train_step, Reader(rng), rng.integers(0, 5, 3, 5), 2),
    }


@question.probe(points=1.5, title="train_step: parts of any size, clipping, old gradients, several steps, modes", judge=Fields({"in float64": FINE}, default=Close()))
def steps_edges(student, rng):
    ask = with_right(student.train_step, cross_entropy=mean_cost)
    free = 1e6   # a length that no gradient has

    def run(n, *settings, gain=1.0, dtype=torch.float32, **more):
        return attempt(stepped, ask, Reader(rng, gain=gain, dtype=dtype), rng.integers(0, 5, n, 6), *settings, **more)

    def precise():
        """Weights in float64."""
        model = Reader(rng, dtype=torch.float64)
        return stepped(ask, model, rng.integers(0, 5, 5, 6), 2, free)["weights afterwards"]

    def left_over():
        """What `.grad` held before."""
        model = Reader(rng)
        for p in (model.embedding, model.matrix, model.head):
            p.grad = rng.normal(*p.shape)
        return stepped(ask, model, rng.integers(0, 5, 4, 6), 2, free)

    def parts():
        """Rows in the largest part; smaller parts are allowed."""
        found = []
        for n, accumulate in ((6, 2), (7, 3), (5, 5), (9, 4), (8, 1)):
            model = Reader(rng)
            ask(model, Noted(model.parameters(), 0.1), rng.integers(0, 5, n, 4), accumulate)
            found.append(max(math.ceil(n / accumulate), *(len(ids) for ids in model.asked), 0))
        return found

    def modes():
        """Modes at the calls and afterwards: 1 is training."""
        resting, model = Reader(rng).eval(), Reader(rng)
        for each in (resting, model):
            ask(each, Noted(each.parameters(), 0.1), rng.integers(0, 5, 2, 4), 2)
        return [[*each.modes[:1], float(each.training)] for each in (resting, model)]

    def followed():
        """Whether autograd still follows the result."""
        model = Reader(rng)
        answer = tensor_of(ask(model, Noted(model.parameters(), 0.1), rng.integers(0, 5, 3, 4)), "what `train_step` returns")
        return in_words(answer).replace("float64", "float32")

    return {
        "one part, not clipped": run(4, 1, free),
        "three equal parts, not clipped": run(6, 3, free),
        "parts of different sizes, not clipped": run(7, 3, free),
        "each row alone, not clipped": run(4, 4, free),
        "clipped to 0.3": run(4, 1, 0.3, gain=3.0),
        "clipped to 0.3, in parts": run(5, 2, 0.3, gain=3.0),
        "max_norm left out, a long gradient": run(4, gain=4.0),
        "shorter than max_norm": run(4, 1, 50.0),
        "gradients left from before": tried(left_over),
        "three steps": run(4, 2, steps=3),
        "one row of two tokens": attempt(stepped, ask, Reader(rng), rng.integers(0, 5, 1, 2)),
        "rows in the largest part": tried(parts),
        "modes": tried(modes),
        "type of the result": tried(followed),
        "in float64": tried(precise),
    }


def learned(evidence, expected, context):
    """Cost of new rows at most 3 % above that of a right run with the same budget; the weights are loaded in the grader."""
    costs, rng = [], context.rng()
    rows = chain(rng, 300, 12)
    for found in (evidence, expected):
        if isinstance(found["weights"], str):
            return found["weights"]
        model = Layered(rng)
        if not isinstance(found["weights"], list) or len(found["weights"]) != len(list(model.parameters())):
            return "the weights of the trained model are not there."
        for p, values in zip(model.parameters(), found["weights"], strict=True):
            values = torch.as_tensor(values, dtype=torch.float32)
            if values.shape != p.shape:
                return f"got weights of shape {tuple(values.shape)} where {tuple(p.shape)} is expected."
            if not values.isfinite().all():
                return "some of the trained weights are not finite."
            p.data.copy_(values)
        with torch.no_grad():
            costs.append(float(mean_cost(model(rows[:, :-1]), rows[:, 1:])))
    if costs[0] > 1.03 * costs[1] + 0.003:
        return f"on new rows the trained model costs {costs[0]:.3f} nats a token, where a right run reaches {costs[1]:.3f}."
    return True


def taught(step, model, rows):
    """Weights after one step for each batch of six rows."""
    for batch in rows.split(6):
        step(model, batch)
    return [p.detach().clone() for p in model.parameters()]


@question.probe(points=0.5, title="train_step: a small model, judged on new rows", judge=learned)
def teaches(student, rng):
    model, rows = Layered(rng), chain(rng, 90, 12)
    optimiser, ask = torch.optim.AdamW(model.parameters(), 0.06), with_right(student.train_step, cross_entropy=mean_cost)
    return {"weights": tried(lambda: taught(lambda model, batch: ask(model, optimiser, batch, 2), model, rows))}


# --- Run ------------------------------------------------------------------------------------------------------------


def run_of(student, rng, momentum=False):
    """A run of a small model that has done nothing yet."""
    model = Reader(rng)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9) if momentum else torch.optim.AdamW(model.parameters(), 0.1, (0.5, 0.7), weight_decay=0.2)
    generator = rng.generator()
    return student.raw.Run(model, optimiser, chain(rng, 20, 6), generator, 0.1, 20)


def from_file(state):
    """The state, once it was written and read."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file)


def continued(student, rng, before, between=0, after=1, other=True, used=0, file=False, **settings):
    """A run that is kept after some steps, may go on, and is continued from its state in another run, or in itself."""
    first = run_of(student, rng, **settings)
    advance(first, before)
    state = first.state_dict()
    if file:
        state = from_file(state)
    advance(first, between)
    second = run_of(student, rng, **settings) if other else first
    advance(second, used)
    second.load_state_dict(state)
    advance(second, after)
    return what_remains(second)


def apart(student, rng):
    """What the continued run has more than the one that was never stopped, in each weight, to the last bit."""
    first, second = run_of(student, rng), run_of(student, rng)
    advance(first, 2)
    second.load_state_dict(first.state_dict())
    advance(first, 2)
    advance(second, 2)
    return weights(second.model) - weights(first.model)


@question.probe(points=0.5, title="Run: continued by another run", public=True, judge=Fields({"difference from the run that was never stopped": Exact()}, default=Close()))
def runs_ordinary(student, rng):
    return {
        "continued by another run": attempt(continued, student, rng, 2),
        "difference from the run that was never stopped": attempt(apart, student, rng),
    }


@question.probe(points=1.5, title="Run: states that are old, used twice, written to a file, loaded back", judge=Fields({"difference from the run that was never stopped": Exact()}, default=Close()))
def runs_edges(student, rng):
    def twice():
        """A state that two runs continue, one after the other."""
        first, second, third = (run_of(student, rng) for _ in range(3))
        advance(first, 2)
        state = first.state_dict()
        second.load_state_dict(state)
        advance(second, 1)
        third.load_state_dict(state)
        advance(third, 1)
        return what_remains(third)

    def undisturbed():
        """A run whose state is taken goes on as if it were not."""
        run = run_of(student, rng)
        advance(run, 2)
        run.state_dict()
        advance(run, 1)
        return what_remains(run)

    def kept_twice():
        """An early and a late state of one run; the early one is continued."""
        first, second = run_of(student, rng), run_of(student, rng)
        states = []
        for _ in range(2):
            advance(first, 2)
            states.append(first.state_dict())
        second.load_state_dict(states[0])
        advance(second, 1)
        return what_remains(second)

    return {
        "continued at once": attempt(continued, student, rng, 2, after=0),
        "a state that is older than its run": attempt(continued, student, rng, 2, between=2),
        "two states of one run": tried(kept_twice),
        "back in the same run": attempt(continued, student, rng, 2, between=2, other=False),
        "a state that two runs continue": tried(twice),
        "a state from before the first step": attempt(continued, student, rng, 0, between=1, used=1),
        "a run that has done something else": attempt(continued, student, rng, 2, used=1),
        "a state that was written to a file": attempt(continued, student, rng, 2, between=1, file=True),
        "descent with momentum": attempt(continued, student, rng, 2, between=1, momentum=True),
        "a run whose state was taken": tried(undisturbed),
        "difference from the run that was never stopped": attempt(apart, student, rng),
    }


# --- adamw_step -------------------------------------------------------------------------------------------------------


def adamw(student, rng, shape, step, *settings, size=1.0, dtype=torch.float32, **more):
    """One step from averages as they are in the middle of a run; before the first they are 0."""
    weight, grad, m = (rng.normal(*shape, std=std, dtype=dtype) for std in (2.0, size, 0.5 * size))
    v = size**2 * rng.uniform(*shape, low=0.2, high=1.5, dtype=dtype)
    began = float(step > 1)
    return named(student.adamw_step(weight, grad, began * m, began * v, step, *settings, **more), "weight", "m", "v")


@question.probe(points=0.5, title="adamw_step: an early and a later step", public=True, judge=TOLD)
def adamw_ordinary(student, rng):
    return {
        "first step": attempt(adamw, student, rng, (4,), 1, 0.1),
        "third step": attempt(adamw, student, rng, (2, 3), 3, 0.1),
    }


@question.probe(points=1, title="adamw_step: early and late, other betas, ε and decays, tiny gradients, float64", judge=Fields({"in float64": FINE}, default=Close()))
def adamw_edges(student, rng):
    def row():
        """Five steps, from the first."""
        weight = rng.normal(3)
        m = v = torch.zeros_like(weight)
        for step in range(1, 6):
            weight, m, v = student.adamw_step(weight, rng.normal(3), m, v, step, 0.05)
        return named((weight, m, v), "weight", "m", "v")

    return {
        "first step": attempt(adamw, student, rng, (5,), 1, 0.1),
        "second step": attempt(adamw, student, rng, (5,), 2, 0.1),
        "a late step": attempt(adamw, student, rng, (5,), 5000, 0.1),
        "five steps": tried(row),
        "other betas": attempt(adamw, student, rng, (5,), 3, 0.1, (0.6, 0.8)),
        "a large eps": attempt(adamw, student, rng, (5,), 3, 0.1, eps=0.5),
        "tiny gradients": attempt(adamw, student, rng, (5,), 4, 0.1, size=1e-7),
        "large gradients": attempt(adamw, student, rng, (5,), 4, 0.1, size=1e4),
        "no decay": attempt(adamw, student, rng, (5,), 3, 0.1, decay=0.0),
        "strong decay, a large rate": attempt(adamw, student, rng, (5,), 3, 0.5, decay=0.8),
        "no gradient": attempt(lambda w: named(student.adamw_step(w, 0 * w, 0 * w, 0 * w, 1, 0.1), "weight", "m", "v"), rng.normal(4)),
        "a matrix": attempt(adamw, student, rng, (3, 4), 7, 0.1),
        "in float64": attempt(adamw, student, rng, (5,), 3, 0.1, dtype=torch.float64),
    }


# --- newton_schulz ------------------------------------------------------------------------------------------------------


def matrix_of(rng, n, m, values, dtype=torch.float32):
    """A matrix with these singular values."""
    left, _ = torch.linalg.qr(rng.normal(n, n, dtype=torch.float64))
    right, _ = torch.linalg.qr(rng.normal(m, m, dtype=torch.float64))
    k = min(n, m)
    return (left[:, :k] @ torch.diag(torch.tensor(values[:k], device=rng.device, dtype=torch.float64)) @ right[:, :k].T).to(dtype)


@question.probe(points=0.5, title="newton_schulz: matrices of three shapes", public=True, judge=TOLD)
def schulz_ordinary(student, rng):
    return {key: attempt(student.newton_schulz, rng.normal(*shape)) for key, shape in (("wide", (2, 4)), ("square", (3, 3)), ("tall", (4, 2)))}


def work(student, rng):
    """Operations in products, in multiples of the way with the small S; 1 for anything not clearly above it."""
    found = []
    for shape in ((3, 60), (60, 3), (80, 2)):
        with FlopCounterMode(display=False) as counter:
            student.newton_schulz(rng.normal(*shape))
        small, large = min(shape), max(shape)
        found.append(max(1, round(counter.get_total_flops() / (5 * 2 * (3 * small**2 * large + small**3)))))
    return found


@question.probe(points=1, title="newton_schulz: shapes, scales, numbers of steps, zeros, work, float64", judge=Fields({"in float64": FINE}, default=LOOSE))
def schulz_edges(student, rng):
    ask, wide = student.newton_schulz, torch.float64
    return {
        "wide": attempt(ask, rng.normal(3, 7)),
        "tall": attempt(ask, rng.normal(7, 3)),
        "square": attempt(ask, rng.normal(4, 4)),
        "one row": attempt(ask, rng.normal(1, 5)),
        "one column": attempt(ask, rng.normal(4, 1)),
        "one step": attempt(ask, rng.normal(3, 4), 1),
        "two steps, tall": attempt(ask, rng.normal(4, 3), 2),
        "no steps": attempt(ask, 5 * rng.normal(3, 4), 0),
        "twelve steps": attempt(ask, rng.normal(3, 5), steps=12),
        "a hundred times as large": attempt(ask, 100 * rng.normal(3, 4)),
        "a hundredth as large": attempt(ask, 0.01 * rng.normal(3, 4)),
        "singular values far apart": attempt(ask, matrix_of(rng, 4, 5, [5.0, 0.5, 0.05, 0.02])),
        "equal singular values": attempt(ask, matrix_of(rng, 4, 4, [2.0] * 4)),
        "zeros": attempt(ask, torch.zeros(3, 4, device=rng.device)),
        "work for long matrices": attempt(work, student, rng),
        "in float64": attempt(ask, 1e5 * rng.normal(4, 3, dtype=wide)),
    }


# --- Muon -----------------------------------------------------------------------------------------------------------------


def chosen(student, *shape, **settings):
    """Shapes of the parameters that get Muon, and of all others; each of the model's parameters is looked for among the chosen ones."""
    model = student.raw.GPT(*shape, **settings)
    answer = student.raw.Muon.choose(model)
    if isinstance(answer, (str, torch.Tensor)) or not hasattr(answer, "__iter__"):
        raise AnswerError(f"`choose` returns {type(answer).__name__} where a list of parameters is expected")
    found = [tensor_of(p, "an entry of the list") for p in answer]
    own = list(model.parameters())
    if any(all(p is not each for each in own) for p in found):
        raise AnswerError("the list holds tensors that are no parameters of the model")
    return {"for Muon": sorted([*p.shape] for p in found), "for AdamW": sorted([*p.shape] for p in own if all(p is not each for each in found))}


def updated(update, rng, n, m, lr, *settings, size=1.0, first=False, dtype=torch.float32, **more):
    """A step in the middle of a run."""
    weight, grad, momentum = (rng.normal(n, m, std=std, dtype=dtype) for std in (2.0, size, 0.5 * size))
    return named(update(weight, grad, 0 * momentum if first else momentum, lr, *settings, **more), "weight", "momentum")


@question.probe(points=0.5, title="Muon: who gets it, and one step, with something else in the place of `newton_schulz`", public=True, judge=TOLD)
def muon_ordinary(student, rng):
    update = with_planted(student.raw.Muon.update, newton_schulz=bent)
    return {
        "choose, a head of its own": attempt(chosen, student, 7, 4, 2, 2, 1, hidden=6, tied=False),
        "update, wide": attempt(updated, update, rng, 2, 5, 0.1),
        "update, tall": attempt(updated, update, rng, 4, 3, 0.1),
    }


@question.probe(points=1, title="Muon: tied heads, shapes, first steps, other settings, arguments, float64", judge=Fields({"in float64": FINE}, default=Close()))
def muon_edges(student, rng):
    update = with_right(student.raw.Muon.update, newton_schulz=right_newton_schulz)

    def afterwards():
        """The arguments once they were used."""
        given = [rng.normal(2, 3) for _ in range(3)]
        update(*given, 0.1)
        return given

    return {
        "choose, a tied head": attempt(chosen, student, 9, 4, 1, 2, 2, hidden=6),
        "choose, as many tokens as entries": attempt(chosen, student, 6, 6, 2, 1, 1, hidden=6),
        "choose, no blocks": attempt(chosen, student, 5, 4, 0, 2, 1, hidden=6, tied=False),
        "choose, three blocks": attempt(chosen, student, 11, 8, 3, 2, 1, hidden=5, tied=False),
        "update, wide": attempt(updated, update, rng, 2, 6, 0.1),
        "update, tall": attempt(updated, update, rng, 6, 2, 0.1),
        "update, square": attempt(updated, update, rng, 3, 3, 0.1),
        "a first step": attempt(updated, update, rng, 3, 4, 0.1, first=True),
        "small gradients": attempt(updated, update, rng, 3, 4, 0.1, size=0.01),
        "another beta": attempt(updated, update, rng, 3, 4, 0.1, 0.6),
        "no decay": attempt(updated, update, rng, 3, 4, 0.1, decay=0.0),
        "strong decay, a large rate": attempt(updated, update, rng, 3, 4, 0.5, decay=0.8),
        "arguments afterwards": tried(afterwards),
        "in float64": attempt(updated, update, rng, 3, 4, 0.1, size=1e4, dtype=torch.float64),
    }


@question.probe(points=0.5, title="Muon: a small model, judged on new rows", judge=learned)
def muon_teaches(student, rng):
    model, rows = Layered(rng), chain(rng, 90, 12)

    class Chosen(student.raw.Muon):
        """With the right choice of matrices."""

        @staticmethod
        def choose(model):
            return [p for p in model.blocks.parameters() if p.dim() == 2]

    optimiser = Chosen(model, 0.1)
    ask = with_right(optimiser.step, newton_schulz=right_newton_schulz, adamw_step=right_adamw)

    def step(model, batch):
        optimiser.zero_grad()
        mean_cost(model(batch[:, :-1]), batch[:, 1:]).backward()
        ask()

    return {"weights": tried(lambda: taught(step, model, rows))}

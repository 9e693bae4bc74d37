"""Question 8: bits of a grid, row by row; draws; the schedule; the masked loss; and filling in masks by steps."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import attempt, entry, gradient, in_words, tensor_of

from .models import Fixed, Planted

question = Question(
    title="Draw pictures from tokens",
    uses=[],
    figures_of=["q07_codes"],
    skills=["5.28", "5.36"],
    lecture="autoregressive models, masked prediction",
    run_seconds=80,
    aim=(
        "Give tokens a prior, row by row and masked, and draw with both; measure on a known law that drawing several tokens at once loses their "
        "dependence, and that keeping the surest ones changes the law even one at a time."
    ),
    hints={
        "raster_bits": (
            "Which token may the model not see, when it predicts the first one of a grid?",
            "A grid with rows (4, 7) and (2, 5), start 9: the model sees 9, 4, 7, 2 and is judged on 4, 7, 2, 5.",
            "Flatten the rows, put start in front, leave the last token out, ask once. Then cross-entropies, summed over places, divided by ln 2.",
        ),
        "raster_sample": (
            "After the first t tokens are drawn, which row of the logits is about the next one?",
            "start 9, drawn so far 4 and 7: the model sees 9, 4, 7, and its last logits are about the first token of the second row of a 2 × 2 grid.",
            "Begin with a column of starts. In a loop over places, add the noise of that place to the last logits, take the largest, append. Drop start, restore the shape.",
        ),
        "masked_loss": (
            "How many places of a grid of 10 are hidden for r = 0, and for r = 0.5? Which ones?",
            "u = 0.7, 0.1, 0.4 and two masks: the second and the third place are hidden. Their ranks by size are 0 and 1.",
            "Ranks come from two `argsort`. Replace hidden tokens by the mask, ask the model, and pick logits and tokens with the same mask before the mean.",
        ),
        "masks_left": (
            "Three tokens in three steps: what must the list be, whatever the cosine says?",
            "49 tokens, 49 steps: the cosine alone leaves 48, 48, 48, … masks. A step that reveals nothing is wasted.",
            "A loop over i from 1 to S that remembers the last number; first the smaller of two, then the larger of two.",
        ),
        "unmask": (
            "Which three kinds of places are there after a step: those that were known, those that are new, and which else?",
            "log p of the drawn tokens -0.1, -2, -0.7 at three masked places, one mask to be left, τ = 0: the middle place stays masked, its token is forgotten.",
            "Known places get an infinite c, so that they never are among the n least sure ones. Ranks again (two `argsort`), then one `torch.where`.",
        ),
    },
    ambiguities=[
        "raster_sample: the model may be asked for the tokens so far alone, or for all places filled up with anything.",
        "masked_loss: T cos(πr/2) is in no test closer to a whole number than 0.02, except for r = 0. masks_left: nor is T cos(πi/2S), except for i = S.",
        "unmask: which of equally sure tokens are kept is not tested, only how many. An empty list of steps is not tested.",
        "Results of the samplers are int64 as ids are. Models are deterministic functions.",
    ],
)

SHARP = Close(rtol=1e-9, atol=1e-9)


def gumbels(rng, *shape, dtype=torch.float32):
    return -(-rng.uniform(*shape, low=0.001, high=0.999, dtype=dtype).log()).log()


# --- raster_bits --------------------------------------------------------------------------------------------------


def priced(student, rng, n, height, width, kinds, start=None, dtype=torch.float32, size=1.0):
    """Bits of random grids under a causal model of their own."""
    start = kinds if start is None else start
    model = Planted(rng, height * width, kinds, start, True, dtype, size)
    return attempt(student.raster_bits, model, rng.integers(0, kinds, n, height, width), start)


@question.probe(points=1, title="raster_bits: grids of two rows", public=True, judge=Fields(default=Close()))
def pricing(student, rng):
    return {"ordinary": priced(student, rng, 4, 2, 3, 5)}


@question.probe(
    points=1, title="raster_bits: other shapes and start tokens, a model that knows nothing, tiny probabilities, float64, gradients",
    judge=Fields({"in float64": SHARP}, default=Close()),
)
def pricing_edges(student, rng):
    def slopes():
        logits, ids = rng.normal(6, 4).requires_grad_(), rng.integers(0, 4, 3, 2, 3)
        bits = tensor_of(student.raster_bits(Fixed(logits, 4), ids, 4), "the result", (3,))
        return gradient("the result", rng.normal(3) * bits, logits=logits)

    def nothing_known():
        shapes = ((2, 3, 8), (3, 1, 5), (2, 2, 64))
        return [student.raster_bits(Fixed(torch.zeros(h * w, k, device=rng.device), k), rng.integers(0, k, 2, h, w), k) for h, w, k in shapes]

    def at_places():
        """Each place has its own logits: whose are read?"""
        return student.raster_bits(Fixed(rng.normal(12, 5), 5), rng.integers(0, 5, 3, 3, 4), 5)

    def in_turn():
        """Two models, asked one after another."""
        ids = rng.integers(0, 3, 2, 2, 2)
        models = [Planted(rng, 4, 3, 3, True) for _ in range(2)]
        return [student.raster_bits(model, ids, 3) for model in models] + [student.raster_bits(models[0], 2 - ids, 3)]

    return {
        "more rows than columns": priced(student, rng, 3, 4, 2, 6),
        "one row": priced(student, rng, 5, 1, 4, 3),
        "one column": priced(student, rng, 5, 4, 1, 3),
        "a square": priced(student, rng, 3, 3, 3, 4),
        "one place": priced(student, rng, 5, 1, 1, 6),
        "one grid": priced(student, rng, 1, 3, 2, 4),
        "start is a large number": priced(student, rng, 3, 2, 3, 4, start=9),
        "start is a token that also occurs": priced(student, rng, 4, 2, 3, 4, start=1),
        "as many kinds as places": priced(student, rng, 4, 2, 2, 4),
        "two kinds": priced(student, rng, 4, 2, 3, 2),
        "all tokens equal": attempt(student.raster_bits, Planted(rng, 6, 4, 4, True), torch.full((2, 2, 3), 2, device=rng.device), 4),
        "tiny probabilities": priced(student, rng, 3, 2, 3, 4, size=300.0),
        "a model that knows nothing": entry("`raster_bits`", nothing_known),
        "logits of each place": entry("`raster_bits`", at_places),
        "two models in turn": entry("`raster_bits`", in_turn),
        "in float64": priced(student, rng, 3, 2, 3, 4, dtype=torch.float64),
        "gradient": entry("`raster_bits`", slopes),
    }


# --- raster_sample ------------------------------------------------------------------------------------------------


def drawn(student, rng, n, height, width, kinds, start=None, dtype=torch.float32, noise=None, size=1.0):
    """Grids drawn from a causal model of their own."""
    start = kinds if start is None else start
    model = Planted(rng, height * width, kinds, start, True, dtype, size)
    return attempt(student.raster_sample, model, gumbels(rng, n, height, width, kinds, dtype=dtype) if noise is None else noise, start)


@question.probe(points=1, title="raster_sample: grids of two rows", public=True, judge=Fields(default=Exact()))
def drawing(student, rng):
    return {"ordinary": drawn(student, rng, 12, 2, 3, 9)}


@question.probe(points=1, title="raster_sample: other shapes and start tokens, no noise, float64, two models", judge=Fields(default=Exact()))
def drawing_edges(student, rng):
    def in_turn():
        noise, models = gumbels(rng, 8, 2, 2, 7), [Planted(rng, 4, 7, 7, True) for _ in range(2)]
        return [student.raster_sample(models[k], noise, 7) for k in (0, 1, 0)]

    return {
        "more rows than columns": drawn(student, rng, 9, 4, 2, 8),
        "one row": drawn(student, rng, 9, 1, 4, 8),
        "one column": drawn(student, rng, 9, 4, 1, 8),
        "a square": drawn(student, rng, 9, 3, 3, 8),
        "one place": drawn(student, rng, 12, 1, 1, 8),
        "one grid": drawn(student, rng, 1, 5, 3, 11),
        "as many grids as rows and columns": drawn(student, rng, 3, 3, 3, 7),
        "start is a large number": drawn(student, rng, 8, 2, 3, 7, start=20),
        "start is a token that also occurs": drawn(student, rng, 8, 2, 3, 7, start=1),
        "noise 0": drawn(student, rng, 9, 2, 3, 8, noise=torch.zeros(9, 2, 3, 8, device=rng.device)),
        "noise that decides alone": drawn(student, rng, 9, 2, 3, 8, noise=100 * gumbels(rng, 9, 2, 3, 8)),
        "logits of hundreds": drawn(student, rng, 9, 2, 3, 8, size=300.0, noise=200 * gumbels(rng, 9, 2, 3, 8)),
        "in float64": drawn(student, rng, 9, 2, 3, 8, dtype=torch.float64),
        "two models in turn": entry("`raster_sample`", in_turn),
        "type": entry("`raster_sample`", lambda: in_words(student.raster_sample(Planted(rng, 4, 3, 3, True), gumbels(rng, 2, 2, 2, 3), 3))),
    }


# --- masked_loss --------------------------------------------------------------------------------------------------


def shares(rng, n, places):
    """n numbers r, for which places · cos(πr/2) is not close to a whole number."""
    masks = rng.integers(1, places + 1, n).double() - 0.1 - 0.8 * rng.uniform(n, dtype=torch.float64)
    return (2 / torch.pi * torch.acos(masks / places)).float()


def hidden_cost(student, rng, n, places, kinds, mask=None, r=None, dtype=torch.float32, size=1.0):
    """The loss of random rows under a model of their own."""
    mask = kinds if mask is None else mask
    model = Planted(rng, places, kinds, mask, False, dtype, size)
    r = shares(rng, n, places) if r is None else torch.tensor(r, device=rng.device)
    u = torch.stack([(rng.permutation(places) + 0.5) / places for _ in range(n)])
    return attempt(student.masked_loss, model, rng.integers(0, kinds, n, places), r, u, mask)


def three(ask):
    """A mistake is told by three numbers."""
    return [ask() for _ in range(3)]


@question.probe(points=1, title="masked_loss: rows of nine tokens", public=True, judge=Fields(default=Close()))
def hiding(student, rng):
    return {"ordinary": three(lambda: hidden_cost(student, rng, 4, 9, 5))}


@question.probe(
    points=1, title="masked_loss: all masked, one masked, other shapes and mask tokens, tiny probabilities, float64, gradients",
    judge=Fields({"in float64": SHARP}, default=Close()),
)
def hiding_edges(student, rng):
    def slopes():
        logits, ids = rng.normal(7, 4).requires_grad_(), rng.integers(0, 4, 3, 7)
        u = torch.stack([(rng.permutation(7) + 0.5) / 7 for _ in range(3)])
        loss = tensor_of(student.masked_loss(Fixed(logits, 4), ids, shares(rng, 3, 7), u, 4), "the result", ())
        return gradient("the result", loss, logits=logits)

    def uneven():
        """u crowds at one end: places go by the order of u, not by its size."""
        answers = []
        for power in (6.0, 0.05, 3.0):
            u = torch.stack([((rng.permutation(6) + 0.5) / 6) ** power for _ in range(3)])
            answers.append(student.masked_loss(Planted(rng, 6, 4, 4, False), rng.integers(0, 4, 3, 6), shares(rng, 3, 6), u, 4))
        return answers

    def doubled():
        """u and r in float64, the model in float32."""
        u = rng.uniform(3, 8, dtype=torch.float64)
        return student.masked_loss(Planted(rng, 8, 4, 4, False), rng.integers(0, 4, 3, 8), shares(rng, 3, 8).double(), u, 4)

    def ask(*arguments, **settings):
        return three(lambda: hidden_cost(student, rng, *arguments, **settings))

    return {
        "r = 0, all masked": ask(3, 6, 4, r=[0.0, 0.0, 0.0]),
        "r almost 1, one masked": ask(3, 6, 4, r=[0.97, 0.99, 0.999]),
        "some rows all masked, others hardly": ask(4, 8, 4, r=[0.0, 0.93, 0.0, 0.99]),
        "one row": ask(1, 7, 4),
        "one place": ask(3, 1, 5, r=[0.2, 0.6, 0.9]),
        "as many rows as places and kinds": ask(5, 5, 5),
        "more rows than places": ask(9, 4, 3),
        "two kinds": ask(4, 7, 2),
        "many places": ask(2, 40, 3),
        "mask is a large number": ask(3, 7, 4, mask=11),
        "mask is a token that also occurs": ask(3, 9, 4, mask=2),
        "tiny probabilities": ask(3, 6, 4, size=300.0),
        "u in crowds": entry("`masked_loss`", uneven),
        "r and u in float64": entry("`masked_loss`", lambda: three(doubled)),
        "in float64": ask(3, 6, 4, dtype=torch.float64),
        "gradient": entry("`masked_loss`", slopes),
    }


# --- masks_left ---------------------------------------------------------------------------------------------------


def plans(student, *pairs):
    """Several lists one after another, each with its length in front."""

    def ask():
        found = []
        for tokens, steps in pairs:
            plan = [int(n) for n in student.masks_left(tokens, steps)]
            found += [len(plan), *plan]
        return found

    return entry("`masks_left`", ask)


@question.probe(points=0.5, title="masks_left: 64 tokens, and others", public=True, judge=Fields(default=Exact()))
def planning(student, rng):
    return {"64 tokens, 8 steps": plans(student, (64, 8)), "another number": plans(student, (rng.choice([47, 53, 59, 61]), rng.choice([5, 7, 10])))}


@question.probe(points=1.5, title="masks_left: one step, as many steps as tokens, few tokens, many", judge=Fields(default=Exact()))
def planning_edges(student, rng):
    tokens = rng.integer(30, 60)
    return {
        "one step": plans(student, (tokens, 1), (1, 1), (7, 1)),
        "two steps": plans(student, (7, 2), (64, 2), (tokens, 2)),
        "as many steps as tokens": plans(student, (tokens, tokens), (5, 5), (2, 2)),
        "almost as many steps as tokens": plans(student, (49, 44), (11, 10), (25, 22)),
        "half as many steps as tokens": plans(student, (49, 25), (22, 11), (64, 32)),
        "few tokens": plans(student, (5, 3), (7, 4), (7, 5), (9, 7)),
        "many tokens": plans(student, (1000, 16), (4097, 11)),
        "others": plans(student, *[(n, rng.choice([4, 5, 7, 8, 10])) for n in (23, 31, 37, 41, 49)]),
    }


# --- unmask -------------------------------------------------------------------------------------------------------


def begun(rng, n, places, kinds, masked, mask):
    """Rows with so many masks, each at its own places."""
    order = torch.stack([rng.permutation(places) for _ in range(n)])
    return torch.where(order < masked, mask, rng.integers(0, kinds, n, places))


def filled(student, rng, n, places, kinds, left, temperature, masked=None, mask=None, dtype=torch.float32, size=1.0, calm=1.0, loud=1.0):
    """Rows filled in by a model of their own; calm and loud scale the two kinds of noise."""
    mask, masked = kinds if mask is None else mask, places if masked is None else masked
    model, ids = Planted(rng, places, kinds, mask, False, dtype, size), begun(rng, n, places, kinds, masked, mask)
    draws = calm * gumbels(rng, len(left), n, places, kinds, dtype=dtype)
    order = loud * gumbels(rng, len(left), n, places, dtype=dtype)
    return attempt(student.unmask, model, ids, left, temperature, draws, order, mask)


@question.probe(points=1, title="unmask: one step, and a whole grid", public=True, judge=Fields(default=Exact()))
def filling(student, rng):
    return {
        "one step, τ = 0": filled(student, rng, 5, 8, 6, [5], 0.0, masked=7),
        "four steps, τ = 2": filled(student, rng, 5, 9, 6, [7, 5, 2, 0], 2.0),
    }


@question.probe(
    points=2, title="unmask: tokens that are known, temperatures, other lists, shapes and masks, equally sure tokens, float64",
    judge=Fields(default=Exact()),
)
def filling_edges(student, rng):
    def ask(*arguments, **settings):
        return filled(student, rng, *arguments, **settings)

    def counts():
        """Masks left in each row, where many tokens are equally sure."""
        left, logits = [6, 3, 1], torch.zeros(8, 4, device=rng.device)
        found = []
        for steps in range(1, 4):
            ids = torch.full((3, 8), 4, device=rng.device)
            got = student.unmask(Fixed(logits, 4), ids, left[:steps], 0.0, gumbels(rng, steps, 3, 8, 4), gumbels(rng, steps, 3, 8), 4)
            found.append((tensor_of(got, "the result", (3, 8)) == 4).sum(1))
        return found

    def calls():
        """How often the model is asked."""
        found = []
        for left in ([0], [4, 2, 0], [5, 3, 2, 1, 0]):
            model = Planted(rng, 6, 4, 4, False)
            student.unmask(model, begun(rng, 2, 6, 4, 6, 4), left, 0.0, gumbels(rng, len(left), 2, 6, 4), gumbels(rng, len(left), 2, 6), 4)
            found.append(model.calls)
        return found

    def in_turn():
        ids, draws, order = begun(rng, 4, 7, 5, 6, 5), gumbels(rng, 3, 4, 7, 5), gumbels(rng, 3, 4, 7)
        models = [Planted(rng, 7, 5, 5, False) for _ in range(2)]
        return [student.unmask(models[k], ids, [4, 1, 0], 1.0, draws, order, 5) for k in (0, 1, 0)]

    def levels_apart():
        """Logits of each place are shifted by a constant of its own, which changes no probability."""
        logits = rng.normal(8, 5) + 20 * rng.normal(8, 1)
        return student.unmask(Fixed(logits, 5), begun(rng, 6, 8, 5, 8, 5), [4], 0.0, gumbels(rng, 1, 6, 8, 5), gumbels(rng, 1, 6, 8), 5)

    return {
        "some tokens known": ask(5, 8, 6, [3, 1, 0], 0.0, masked=5),
        "most tokens known": ask(6, 9, 6, [1, 0], 1.0, masked=3),
        "known tokens are unlikely": ask(6, 8, 6, [2, 0], 0.0, masked=4, size=6.0),
        "one step to the end": ask(5, 7, 6, [0], 1.5),
        "one step, τ = 3: the last step has no noise of order": ask(5, 9, 6, [4], 3.0),
        "two of three steps shown": ask(5, 9, 6, [6, 3], 2.0),
        "one at a time": ask(3, 6, 5, [5, 4, 3, 2, 1, 0], 1.0),
        "random order": ask(5, 9, 6, [6, 4, 2], 1e6),
        "τ = 0, much noise of order": ask(5, 9, 6, [6, 3, 1], 0.0, loud=100.0),
        "noise of order that decides": ask(5, 9, 6, [7, 5, 3], 1.0, loud=20.0),
        "no noise of draws": ask(5, 9, 6, [6, 3, 1], 0.5, calm=0.0),
        "draws that are unlikely": ask(5, 9, 6, [6, 3, 1], 0.0, calm=20.0),
        "logits of hundreds": ask(5, 9, 6, [6, 3, 1], 50.0, size=200.0, calm=100.0),
        "logits shifted at each place": entry("`unmask`", levels_apart),
        "mask is a large number": ask(4, 8, 5, [5, 2], 1.0, mask=30),
        "one row": ask(1, 20, 9, [14, 6], 1.0, masked=18),
        "as many rows as places, kinds and steps": ask(4, 4, 4, [3, 2, 1, 0], 1.0),
        "two kinds": ask(6, 9, 2, [6, 3, 0], 1.0),
        "in float64": ask(5, 8, 6, [5, 2], 1.0, dtype=torch.float64),
        "equally sure: masks left in each row": entry("`unmask`", counts),
        "how often the model is asked": entry("`unmask`", calls),
        "two models in turn": entry("`unmask`", in_turn),
        "type": entry("`unmask`", lambda: in_words(student.unmask(Planted(rng, 4, 3, 3, False), begun(rng, 2, 4, 3, 3, 3), [1, 0], 0.0, gumbels(rng, 2, 2, 4, 3), gumbels(rng, 2, 2, 4), 3))),
    }

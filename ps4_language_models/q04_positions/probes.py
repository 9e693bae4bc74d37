"""Question 4: codes of positions, rotary embedding, a longer context, and what attention cannot see."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, tensor_of, tried, with_right

question = Question(
    title="Positions",
    skills=["4.15", "4.16", "4.67"],
    lecture="transformers",
    run_seconds=3,
    aim="See what order means to attention, and give positions by turning queries and keys.",
    hints={
        "sinusoidal": (
            "How many different speeds are there for dim = 6, and which exponents do they have?",
            "dim = 4, position 1: the angles are 1 and 0.01. The code is sin 1, cos 1, sin 0.01, cos 0.01, in this order.",
            "A table of all angles, (T, dim/2), by broadcasting. Then `torch.stack` on a new last axis, and `flatten`: what does "
            "that do with the order of sines and cosines?",
        ),
        "rope": (
            "Which entries of x belong to hand 0? And to hand 1?",
            "(1, 0, 1, 0) at position 1 becomes (cos 1, sin 1, cos 0.01, sin 0.01), and (0, 1, 0, 0) becomes (-sin 1, cos 1, 0, 0).",
            "The sines and cosines are those of `sinusoidal`. Take x apart with steps of two, and put the two results together "
            "as you put sines and cosines together.",
        ),
        "stretched_base": (
            "What is the exponent i of the slowest hand, if there are dim/2 of them and the first is 0?",
            "dim = 4: the speeds are 1 and base^(-1/2). To halve the second, the base must be 4 times as large.",
            "Set the new base to the power (dim - 2)/dim equal to factor times the old one to the same power.",
        ),
        "look_alike": (
            "The answer is a weighted mean over the past. What may change in the past without changing a mean?",
            "1, 2, 3 and 2, 1, 3 do. And what would you do with 1, 1, 2, 3, or with 1, 2, 1, 3?",
            "Is there one way to move tokens that changes every row of tokens that are not all equal? A shift in a circle is worth a try.",
        ),
    },
    ambiguities=[
        "Pairs are neighbours (2i, 2i+1), as in the set's conventions; the layout with two halves is another one.",
        "`rope` is asked with a right `sinusoidal`: an error there does not cost its points.",
        "`look_alike` may return any order of the earlier tokens that differs from the given one, also a random one.",
    ],
)

WIDE = Close(rtol=1e-8, atol=1e-8)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


def right_sinusoidal(positions, dim, base=10000.0):
    """The codes (4.1)."""
    positions = positions if positions.is_floating_point() else positions.float()
    angles = positions[:, None] * base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


# --- sinusoidal ---------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="sinusoidal: the first positions", public=True, judge=TOLD)
def codes(student, rng):
    first = torch.arange(5, device=rng.device)
    return {
        "dim 4": attempt(student.sinusoidal, first, 4),
        "dim 6, later positions": attempt(student.sinusoidal, first + rng.integer(5, 20), 6),
    }


@question.probe(points=1.5, title="sinusoidal: other bases and positions, float64", judge=Fields({"in float64, far away": WIDE}, default=Close()))
def codes_edges(student, rng):
    some = rng.integers(0, 60, 5)
    return {
        "in any order": attempt(student.sinusoidal, some, 8),
        "base 100": attempt(student.sinusoidal, some, 6, 100.0),
        "base 500 by name": tried(lambda: student.sinusoidal(some, 6, base=500.0)),
        "one hand": attempt(student.sinusoidal, some, 2),
        "as many positions as dimensions": attempt(student.sinusoidal, rng.integers(1, 60, 6), 6),
        "one position": attempt(student.sinusoidal, 17 + some[:1], 10),
        "negative positions": attempt(student.sinusoidal, -1 - some, 6),
        "fractions": attempt(student.sinusoidal, 20 * rng.uniform(5), 6),
        "in float64, far away": attempt(student.sinusoidal, 1e5 + some.double(), 8),
        "dim 32": attempt(student.sinusoidal, some, 32),
    }


# --- rope ---------------------------------------------------------------------------------------------------------


@question.probe(points=0, title="rope: the first positions, with your `sinusoidal` if you call it", public=True, judge=TOLD)
def turns(student, rng):
    return {
        "one sequence, positions 0 to 4": attempt(student.rope, rng.normal(5, 4), torch.arange(5, device=rng.device)),
        "three sequences, later positions": attempt(student.rope, rng.normal(3, 4, 6), torch.arange(4, device=rng.device) + rng.integer(5, 20)),
    }


def slopes_of(turn, x, positions, weight):
    """Gradients of a weighted sum of the turned entries by x."""
    leaf = x.clone().requires_grad_()
    return gradient("the result", weight * tensor_of(turn(leaf, positions), "the result", x.shape), x=leaf)[0]


@question.probe(
    points=4, title="rope: any positions, bases and axes, gradients, float64",
    judge=Fields({"in float64": WIDE, "in float64, far away": WIDE}, default=Close()),
)
def turns_edges(student, rng):
    turn = with_right(student.rope, sinusoidal=right_sinusoidal)
    some = rng.integers(1, 60, 5)
    return {
        "positions in any order": attempt(turn, rng.normal(2, 5, 6), some),
        "one token, from a cache": attempt(turn, rng.normal(3, 1, 6), 17 + some[:1]),
        "position 0": attempt(turn, rng.normal(3, 6), 0 * some[:3]),
        "negative positions": attempt(turn, rng.normal(5, 6), -some),
        "fractions": attempt(turn, rng.normal(5, 6), 20 * rng.uniform(5)),
        "base 100": attempt(turn, rng.normal(5, 8), some, 100.0),
        "base 500 by name": tried(lambda: turn(rng.normal(5, 6), some, base=500.0)),
        "one hand": attempt(turn, rng.normal(5, 2), some),
        "as many tokens as dimensions": attempt(turn, rng.normal(6, 6), rng.integers(1, 60, 6)),
        "as many sequences as tokens": attempt(turn, rng.normal(5, 5, 4), some),
        "four axes": attempt(turn, rng.normal(2, 3, 5, 4), some),
        "axes exchanged before": attempt(turn, rng.normal(2, 5, 3, 4).transpose(1, 2), some),
        "32 dimensions": attempt(turn, rng.normal(5, 32), some),
        "gradient": tried(lambda: slopes_of(turn, rng.normal(2, 5, 6), some, rng.normal(2, 5, 6))),
        "in float64": attempt(turn, rng.normal(5, 6, dtype=torch.float64), some),
        "in float64, far away": attempt(turn, rng.normal(5, 6, dtype=torch.float64), 100000 + some),
    }


# --- stretched_base -----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="stretched_base: two and four times longer", public=True, judge=TOLD)
def stretch(student, rng):
    return {"some bases": tried(lambda: [student.stretched_base(base, 8, factor) for base, factor in ((10000.0, 2.0), (10000.0, 4.0), (500.0, 4.0))])}


@question.probe(points=1.5, title="stretched_base: other dimensions and factors", judge=TOLD)
def stretch_edges(student, rng):
    factor, base = rng.number(1.5, 3), rng.number(50, 500)
    return {
        "few dimensions": tried(lambda: [student.stretched_base(base, dim, factor) for dim in (4, 6, 10)]),
        "many dimensions": tried(lambda: [student.stretched_base(base, dim, factor) for dim in (64, 128, 256)]),
        "large factors": tried(lambda: [student.stretched_base(base, 6, many * factor) for many in (10, 20, 40)]),
        "factors below 1": tried(lambda: [student.stretched_base(base, 12, 0.1 * few * factor) for few in (1, 2, 3)]),
        "large bases": tried(lambda: [student.stretched_base(many * base, 12, factor) for many in (1e3, 1e4, 1e5)]),
    }


# --- look_alike ---------------------------------------------------------------------------------------------------


def judge_orders(evidence, expected, context):
    """Each answer: another order of the tokens before the last. The given ids come first in the expected evidence."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the entries are not those that were asked for."
    for key, want in expected.items():
        answers, ids = evidence[key], [int(value) for value in want[0]]
        if isinstance(answers, str):
            return f"In *{key}*: {answers}"
        if not isinstance(answers, list) or len(answers) != len(want):
            return f"In *{key}*: expected {len(want) - 1} answers."
        for got in answers[1:]:
            if getattr(got, "shape", None) != (len(ids),):
                return f"In *{key}*: expected a tensor of shape ({len(ids)},), got {getattr(got, 'shape', type(got).__name__)}."
            if got.dtype.kind not in "iu":
                return f"In *{key}*: tokens are whole numbers, but the result has dtype {got.dtype}."
            got = [int(value) for value in got]
            if got == ids:
                return f"In *{key}*: the result is {ids}, the given order itself."
            if got[-1] != ids[-1]:
                return f"In *{key}*: of {ids} you make {got}. The last token is another one, so it asks with another query."
            if sorted(got) != sorted(ids):
                return f"In *{key}*: of {ids} you make {got}. These are not the same tokens, so the mean is another one for some weights."
    return True


def asked(student, ids, times=1):
    """The given tokens and the answers."""
    return tried(lambda: [ids.clone(), *(tensor_of(student.look_alike(ids), "the result") for _ in range(times))])


@question.probe(points=0.5, title="look_alike: different tokens", public=True, judge=judge_orders)
def orders(student, rng):
    return {"five different tokens": asked(student, rng.permutation(20)[:5]), "eight different tokens": asked(student, rng.permutation(20)[:8])}


@question.probe(points=1.5, title="look_alike: tokens that repeat", judge=judge_orders)
def orders_edges(student, rng):
    a, b, c, d = (int(token) for token in rng.permutation(20)[:4])
    orders = {
        "three tokens, twelve times": [a, b, c],
        "the first two are equal": [a, a, b, c, d],
        "the last two of the past are equal": [c, a, b, b, d],
        "first and last of the past are equal": [a, b, c, a, d],
        "the same forwards and backwards": [a, b, b, a, c],
        "three rising tokens": [*sorted([a, b, c]), d],
        "three falling tokens": [*sorted([a, b, c])[::-1], d],
        "rising": sorted([a, b, c, d]) + [a],
        "falling": sorted([a, b, c, d])[::-1] + [b],
        "one token differs, at the end": [a, a, a, b, d],
        "one token differs, at the beginning": [b, a, a, a, d],
        "two in turn": [a, b, a, b, c],
        "the last token was there before": [a, b, c, b],
    }
    return {key: asked(student, torch.tensor(tokens, device=rng.device), 12 if key == "three tokens, twelve times" else 1) for key, tokens in orders.items()}

"""Question 9: heads written by hand, asked for what they look at and what they write."""

import math

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import entry, named, tensor_of, two_of
from dgm.checks.judges import Verdict

question = Question(
    title="A transformer written by hand, and an open end",
    skills=["4.85"],
    lecture="transformers",
    run_seconds=6,
    own_minutes=20,
    manual_points=6,
    rubric=[
        "1 point: the rule is said, with the inputs for which it is to hold, and heads of (9.1) carry it out: the weights are shown.",
        "1 point: the place where it breaks is predicted as a number with a reason, typed before.",
        "2 points: it is measured on random inputs on both sides of that place, with a spread, in one labelled table or figure.",
        "2 points: the explanation fits the numbers, and says what they do not show. A wrong prediction loses nothing.",
    ],
    aim=(
        "Know what attention can do by writing weights that do it: look back, match, sort; see what finite sharpness costs; then an "
        "algorithm of one's own, with the place where it breaks."
    ),
    hints={
        "needed_sharpness": (
            "Softmax weights are ratios. What is the ratio of all right ones to all wrong ones, if each right one has score β?",
            "1 right, 1 wrong, weight 3/4: 3 to 1, so β = log 3. With 2 right ones it is less: log(3/2).",
            "right · e^β / (right · e^β + wrong) = weight. Solve for e^β, then take the logarithm.",
        ),
        "lookback_head": (
            "Which part of the stream tells where a token is? In `look`, rows belong to the token that asks and columns to the one that is found.",
            "Context 4, steps 1: position 2 asks for position 1. Which entry of the 4 × 4 block is that? How many such entries are there?",
            "`look[rows, columns] = …` with slices from `parts` fills a block. `torch.diag(values, -1)` puts values below the diagonal.",
        ),
        "induction_head": (
            "What does x_i L x_j^T become if L is an identity block, with rows in `mine` and columns in `its`?",
            "Match (\"token\", \"before\"): I am an A, and look for whoever has an A noted as the one before. What do I copy: its note, or its token?",
            "One identity block for each pair, times the sharpness. They lie in different places of the same `look`.",
        ),
        "sorting_head": (
            "If token a asks and token b is found: for which b is the score good, and what is the order among these?",
            "Tokens 0 to 3, sharpness 1: row 1 of the block is about (−large, −large, −1, −2). How large must \"large\" be if 299 steps are possible?",
            "`number - number[:, None]` holds all steps from query to key; `torch.where` chooses. Infinite entries will not do: what is 0 · ∞?",
        ),
    },
    ambiguities=[
        "Only what a head does is graded, never its entries: which weights it gives, what it writes, at tokens for which the docstring says something.",
        "A constant added to all scores of a token changes nothing, so it passes.",
        "induction_head and sorting_head are asked on streams that the grader fills, so a wrong lookback_head costs once.",
    ],
)

TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


# --- needed_sharpness ---------------------------------------------------------------------------------------------


def leads(student, *cases):
    """`needed_sharpness` for each of the cases."""

    def one(case):
        answer = student.needed_sharpness(*case)
        if isinstance(answer, torch.Tensor) and answer.numel() == 1:
            return answer.item()
        if isinstance(answer, (bool, str)) or not isinstance(answer, (int, float, np.generic)):
            raise AnswerError(f"the answer is of type {type(answer).__name__} where a number is expected")
        return float(answer)

    return entry("`needed_sharpness`", lambda: [one(case) for case in cases])


@question.probe(points=0.25, title="needed_sharpness: one right key, and several", public=True, judge=TOLD)
def lead(student, rng):
    return {
        "one right key": leads(student, (1, 19, 0.99), (1, rng.integer(5, 50), rng.number(0.6, 0.9)), (1, rng.integer(100, 300), rng.number(0.6, 0.9))),
        "several right keys": leads(student, *((right, rng.integer(20, 60), rng.number(0.6, 0.9)) for right in (2, 3, 5))),
    }


def lead_cases(rng):
    """Numbers of right and wrong keys, and weights."""
    return {
        "several right keys": [(rng.integer(2, 9), rng.integer(20, 60), rng.number(0.6, 0.95)) for _ in range(4)],
        "several right keys, small weights": [(rng.integer(2, 4), rng.integer(20, 60), rng.number(0.05, 0.2)) for _ in range(4)],
        "small weights": [(1, rng.integer(20, 60), rng.number(0.1, 0.4)) for _ in range(4)],
        "weights near 1": [(rng.integer(1, 5), rng.integer(20, 60), 1 - 10.0**-k) for k in (4, 6, 9)],
        "more right keys than wrong ones": [(rng.integer(20, 60), rng.integer(2, 5), rng.number(0.2, 0.8)) for _ in range(4)],
        "as large as a long text": [(rng.integer(1, 4), rng.integer(10**5, 10**6), rng.number(0.5, 0.99)) for _ in range(3)],
    }


def leads_judge(evidence, expected, context):
    """Closeness; an answer that is a sum of logarithms is told as one."""
    verdict = TOLD(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict):
        return verdict
    try:
        cases = lead_cases(context.rng())
        got = np.concatenate([np.asarray(evidence[key], dtype=float) for key in expected])
        logs = np.array([[math.log(each) for each in (right, wrong, w, 1 - w)] for key in expected for right, wrong, w in cases[key]])
        times = np.round(2 * np.linalg.lstsq(logs, got, rcond=None)[0]) / 2
        told = np.isfinite(got).all() and np.allclose(logs @ times, got, 1e-6, 1e-6)
    except (KeyError, TypeError, ValueError, np.linalg.LinAlgError):
        return verdict
    if not told or not times.any():
        return verdict
    names = ("log right", "log wrong", "log w", "log(1 - w)")
    terms = "".join(f" {'+' if n > 0 else '-'} {'' if abs(n) == 1 else f'{abs(n):g} · '}{name}" for n, name in zip(times, names, strict=True) if n)
    return Verdict(False, f"What you return is {terms.removeprefix(' + ').strip()}: at least one of the four, log right, log wrong, log w and log(1 - w), has a wrong sign or factor, or is missing.")


@question.probe(points=0.5, title="needed_sharpness: several right keys, small weights, weights near 1", judge=leads_judge)
def lead_edges(student, rng):
    return {key: leads(student, *cases) for key, cases in lead_cases(rng).items()}


# --- streams ------------------------------------------------------------------------------------------------------


def stream(rng, vocab, context, notes=(), order=None):
    """Parts of a stream by name; `order` shuffles them."""
    sizes = {"token": vocab, "position": context} | dict.fromkeys((*notes, "answer"), vocab)
    names = list(sizes) if order is None else order
    parts, end = {}, 0
    for name in names:
        parts[name] = slice(end, end + sizes[name])
        end += sizes[name]
    return {name: parts[name] for name in sizes}


def width(parts):
    return max(part.stop for part in parts.values())


def filled(rng, parts, ids):
    """A stream that holds tokens and positions."""
    x = torch.zeros(len(ids), width(parts), device=rng.device)
    rows = torch.arange(len(ids), device=rng.device)
    x[rows, parts["token"].start + ids] = 1
    x[rows, parts["position"].start + rows] = 1
    return x


def does(head, name, parts, x, target, rows=None, rivals=None):
    """What the head does with the stream x: its weights, and what it writes where; 0 in rows that are not asked for.

    With rivals, a table of the pairs that must have less than 1e-6 of the weight together: how much is over, in millionths.
    """

    def compute():
        size = (width(parts), width(parts))
        look, copy = two_of(head(), "look", "copy")
        look, copy = (tensor_of(matrix, what, size).detach().to(x) for matrix, what in ((look, "look"), (copy, "copy")))
        scores = (x @ look @ x.T).masked_fill(torch.ones(len(x), len(x), device=x.device).triu(1).bool(), -math.inf)
        weights = scores.softmax(-1)
        written = weights @ x @ copy
        asked = torch.zeros(len(x), 1, dtype=torch.bool, device=x.device)
        asked[slice(None) if rows is None else rows] = True
        weights, written = (torch.where(asked, values, 0.0) for values in (weights, written))
        elsewhere = written.clone()
        elsewhere[:, parts[target]] = 0
        found = named((weights, written[:, parts[target]], elsewhere), "weights", f"written into {target!r}", "written into other parts")
        if rivals is not None:
            together = (weights.double() * rivals).sum(1)
            found["millionths of weight on tokens that are not larger (less than one counts as 0)"] = torch.where(together < 1e-6, 0.0, 1e6 * together)
        return found

    return entry(f"`{name}`", compute)


def heads_judge(evidence, expected, context):
    """Closeness; where a head looks is told in words."""
    import numpy as np

    from dgm.checks.judges import Close, Fields, Verdict

    verdict = Fields({}, default=Close())(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict) or any(isinstance(got, str) for got in evidence.values()):
        return verdict
    for key, want in expected.items():
        got, right = np.asarray(evidence[key]["weights"]), np.asarray(want["weights"])
        if got.shape != right.shape:
            return verdict
        if not np.isfinite(got).all():
            return Verdict(False, f"In *{key}*: some weights are not numbers. Is an entry infinite? 0 · ∞ is not a number.")
        far = np.abs(got - right).max(1)
        rivals = max((float(np.max(values)) for name, values in evidence[key].items() if name.startswith("millionths")), default=0.0)
        if far.max() < 2e-4 and rivals > 0:
            return Verdict(False, f"In *{key}*: tokens that are not larger have {rivals:.3g} millionths of the weight together, where less than one is allowed.")
        if far.max() < 2e-4:
            continue
        i = int(far.argmax())
        j, k = int(got[i].argmax()), int(right[i].argmax())
        if got[i, k] > got[i, j] - 1e-4:
            digits = 3 if f"{got[i, k]:.3g}" != f"{right[i, k]:.3g}" else 6
            told = f"the token at position {i} looks most at position {k}, which is right, but with weight {got[i, k]:.{digits}g} where {right[i, k]:.{digits}g} is expected."
        else:
            told = f"the token at position {i} looks most at position {j} (weight {got[i, j]:.3g}); position {k} should have {right[i, k]:.3g}, and has {got[i, k]:.3g}."
        return Verdict(False, f"In *{key}*: {told}")
    return verdict


# --- lookback_head ------------------------------------------------------------------------------------------------


def looks_back(student, parts, x, steps, target, sharpness, rows=None):
    return does(lambda: student.lookback_head(parts, steps, target, sharpness), "lookback_head", parts, x, target, slice(steps, None) if rows is None else rows)


@question.probe(points=0.5, title="lookback_head: one step back", public=True, judge=heads_judge)
def back(student, rng):
    parts = stream(rng, 5, 7, ["before"])
    x = filled(rng, parts, rng.integers(0, 5, 7))
    return {
        "one step, sharp": looks_back(student, parts, x, 1, "before", 12.0),
        "one step, not so sharp": looks_back(student, parts, x, 1, "before", rng.number(1.0, 3.0)),
    }


@question.probe(points=1, title="lookback_head: steps, targets, long and short texts, other streams", judge=heads_judge)
def back_edges(student, rng):
    soft = rng.number(1.5, 4.0)
    parts = stream(rng, 6, 9, ["before", "2 back", "3 back"])
    ids = rng.integers(0, 6, 9)
    x = filled(rng, parts, ids)
    full = x.clone()
    for name in ("before", "2 back", "3 back", "answer"):
        full[:, parts[name]] = rng.normal(9, 6)
    shuffled = stream(rng, 4, 8, ["before", "two"], ["answer", "two", "position", "before", "token"])
    y = filled(rng, shuffled, rng.integers(0, 4, 8))
    long = stream(rng, 3, 70, ["before"])
    large = stream(rng, 40, 6, ["before"])
    kinds = torch.cat([20 + rng.permutation(20)[:3], rng.permutation(20)[:3]])[rng.permutation(6)]   # of both halves
    return {
        "two steps": looks_back(student, parts, x, 2, "2 back", soft),
        "three steps": looks_back(student, parts, x, 3, "3 back", soft + 1),
        "to the first token only": looks_back(student, parts, x, 8, "before", soft),
        "another target": looks_back(student, parts, x, 1, "3 back", soft),
        "straight to the answer": looks_back(student, parts, x, 1, "answer", soft),
        "hardly sharp": looks_back(student, parts, x, 1, "before", rng.number(0.2, 0.6)),
        "very sharp": looks_back(student, parts, x, 2, "before", 60.0),
        "equal tokens": looks_back(student, parts, filled(rng, parts, torch.full_like(ids, 2)), 1, "before", soft),
        "a text shorter than the context": looks_back(student, parts, x[:5], 2, "before", soft),
        "other parts filled before": looks_back(student, parts, full, 1, "before", soft),
        "parts in another order": looks_back(student, shuffled, y, 1, "two", soft),
        "a long text": looks_back(student, long, filled(rng, long, rng.integers(0, 3, 70)), 1, "before", 6.0, [10, 20, 40, 66, 68, 69]),
        "many kinds of tokens": looks_back(student, large, filled(rng, large, kinds), 1, "before", soft),
    }


# --- induction_head -----------------------------------------------------------------------------------------------


def noted(rng, parts, ids, *steps):
    """The stream after exact look-back heads; the first tokens have empty notes."""
    x = filled(rng, parts, ids)
    for name, step in steps:
        x[torch.arange(step, len(ids), device=rng.device), parts[name].start + ids[: len(ids) - step]] = 1
    return x


def inducts(student, parts, x, matches, sharpness, rows=None):
    def head():
        pairs = list(matches)
        found = student.induction_head(parts, pairs, sharpness)
        if pairs != matches:
            raise AnswerError("it changes the list `matches` that it is given; the caller may need it again")
        return found

    return does(head, "induction_head", parts, x, "answer", rows)


ONE = [("token", "before")]


@question.probe(points=0.5, title="induction_head: an order, twice", public=True, judge=heads_judge)
def inducted(student, rng):
    parts = stream(rng, 6, 12, ["before"])
    x = noted(rng, parts, rng.permutation(6).repeat(2), ("before", 1))
    return {
        "a random order, twice": inducts(student, parts, x, ONE, 15.0, slice(6, None)),
        "the same, not so sharp": inducts(student, parts, x, ONE, rng.number(1.0, 3.0), slice(6, None)),
    }


@question.probe(points=1.5, title="induction_head: repeats, several matches, soft notes, long texts, other streams", judge=heads_judge)
def inducted_edges(student, rng):
    soft = rng.number(1.5, 4.0)
    parts = stream(rng, 4, 12, ["before", "2 back", "3 back"])
    ids = rng.integers(0, 4, 12)
    x = noted(rng, parts, ids, ("before", 1), ("2 back", 2), ("3 back", 3))
    mixed = filled(rng, parts, ids)
    for name in ("before", "2 back", "3 back"):
        mixed[:, parts[name]] = rng.simplex(12, 4)
    shuffled = stream(rng, 5, 10, ["note", "before"], ["answer", "note", "position", "before", "token"])
    y = noted(rng, shuffled, rng.permutation(5).repeat(2), ("note", 1), ("before", 2))
    long = stream(rng, 30, 60, ["before"])
    runs = torch.tensor([1, 1, 1, 2, 2, 0, 1, 1], device=rng.device)
    answered = x.clone()
    answered[:, parts["answer"]] = rng.normal(12, 4)
    return {
        "tokens that come several times": inducts(student, parts, x, ONE, 15.0),
        "the same, not so sharp": inducts(student, parts, x, ONE, soft),
        "a token that follows itself": inducts(student, parts, noted(rng, parts, runs, ("before", 1)), ONE, soft),
        "nothing matches": inducts(student, parts, filled(rng, parts, ids), ONE, soft, slice(0, 6)),
        "two matches": inducts(student, parts, x, [("token", "before"), ("before", "2 back")], soft),
        "three matches": inducts(student, parts, x, [("token", "before"), ("before", "2 back"), ("2 back", "3 back")], soft),
        "a match of the tokens themselves": inducts(student, parts, x, [("token", "token")], soft),
        "a match that skips one": inducts(student, parts, x, [("token", "2 back")], soft),
        "what followed two before": inducts(student, parts, x, [("before", "token")], soft),
        "soft notes": inducts(student, parts, mixed, ONE, soft + 2),
        "soft notes, two matches": inducts(student, parts, mixed, [("token", "before"), ("before", "3 back")], soft),
        "hardly sharp": inducts(student, parts, x, ONE, rng.number(0.2, 0.6)),
        "an answer there before": inducts(student, parts, answered, ONE, soft),
        "parts in another order": inducts(student, shuffled, y, [("token", "note")], soft),
        "another order, two matches": inducts(student, shuffled, y, [("token", "note"), ("note", "before")], soft),
        "a long text": inducts(student, long, noted(rng, long, rng.permutation(30).repeat(2), ("before", 1)), ONE, 7.0, slice(40, None)),
    }


# --- sorting_head -------------------------------------------------------------------------------------------------


def sorts(student, rng, parts, ids, sharpness, last=None, answer=0.0):
    """The head at the tokens that can see a larger one."""
    rows = [i for i in range(len(ids)) if ids[: i + 1].max() > ids[i]]
    x = filled(rng, parts, ids)
    x[:, parts["answer"]] = answer
    return does(lambda: student.sorting_head(parts, sharpness), "sorting_head", parts, x, "answer", rows[-last:] if last else rows, ids <= ids[:, None])


def list_of(rng, numbers, vocab, asks):
    """Start, the numbers, "sort", and then some of the sorted numbers."""
    ends = (torch.tensor([vocab - 1], device=rng.device), torch.zeros(1, dtype=torch.int64, device=rng.device))
    return torch.cat([ends[0], numbers, ends[1], numbers.sort().values[:asks]])


@question.probe(points=0.5, title="sorting_head: some numbers", public=True, judge=heads_judge)
def sorted_list(student, rng):
    parts = stream(rng, 9, 12)
    ids = list_of(rng, 1 + rng.permutation(7)[:5], 9, 4)
    return {
        "five numbers, sharp": sorts(student, rng, parts, ids, 12.0),
        "five numbers, not so sharp": sorts(student, rng, parts, ids, rng.number(1.0, 3.0)),
    }


@question.probe(points=1.25, title="sorting_head: repeats, gaps, many rivals, dull and sharp heads, other streams", judge=heads_judge)
def sorted_edges(student, rng):
    soft = rng.number(1.5, 3.0)
    parts = stream(rng, 12, 16)
    some = 1 + rng.integers(0, 10, 6)
    ids = list_of(rng, some, 12, 4)
    many = stream(rng, 300, 8)
    wide = list_of(rng, 1 + rng.permutation(20)[:3], 300, 2)
    far = torch.cat([torch.tensor([299], device=rng.device), rng.integers(100, 110, 3), torch.tensor([rng.integer(120, 150)], device=rng.device)])
    crowd = stream(rng, 12, 60)
    smaller = torch.cat([torch.full((1,), 11, device=rng.device), rng.integers(0, 8, 50), torch.full((1,), 8, device=rng.device)])
    seven = torch.tensor([11, *[7] * 8, 6, 9, 3, 0, 3, 5], device=rng.device)
    shuffled = stream(rng, 10, 12, ["note"], ["answer", "position", "note", "token"])
    full = stream(rng, 8, 9, ["note"])
    return {
        "numbers that come several times": sorts(student, rng, parts, ids, soft),
        "sharp": sorts(student, rng, parts, ids, 19.0),
        "dull": sorts(student, rng, parts, ids, rng.number(0.1, 0.4)),
        "eight sevens and a six": sorts(student, rng, parts, seven, soft),
        "neighbours": sorts(student, rng, parts, list_of(rng, 4 + rng.permutation(4), 12, 3), soft),
        "only the end is larger": sorts(student, rng, many, wide, soft, 3),
        "a long way to the end": sorts(student, rng, many, far, soft),
        "far, and dull": sorts(student, rng, many, far, 0.1),
        "far, and sharp": sorts(student, rng, many, far, 20.0),
        "many smaller ones": sorts(student, rng, crowd, smaller, 0.1, 1),
        "many equal ones, the end far away": sorts(student, rng, crowd, (smaller == 11) * 11, 0.1, 20),
        "a very long way": sorts(student, rng, many, torch.tensor([299, rng.integer(2, 9), 1, rng.integer(20, 40)], device=rng.device), 20.0, 1),
        "an answer there before": sorts(student, rng, parts, ids, soft, answer=rng.normal(len(ids), 12)),
        "parts in another order": sorts(student, rng, shuffled, list_of(rng, 1 + rng.permutation(8)[:5], 10, 4), soft),
        "a stream with notes": sorts(student, rng, full, list_of(rng, 1 + rng.permutation(6)[:4], 8, 3), soft),
    }

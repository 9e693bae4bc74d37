"""Question 2: n-grams by counting, interpolation, Kneser-Ney, bits per byte, and the copy language."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import AnswerError, attempt, named, tensor_of

question = Question(
    title="Counting: n-grams to Kneser-Ney",
    skills=["4.07", "4.08"],
    lecture="language models and n-grams",
    run_seconds=10,
    aim=(
        "Estimate a language by counting, find out what smoothing must get right (how much to move, and to whom), compare models "
        "of different tokens, and leave the lines that a transformer has to cross on a language of known entropy."
    ),
    hints={
        "count_ngrams": (
            "How many windows of n tokens has a text of T? Which tokens of a window are the context?",
            "0 1 0 1 1 with n = 2: after 0 came 1 twice, after 1 came 0 once and 1 once. The table has two rows.",
            "`ids.unfold(0, n, 1)` makes the windows, and `torch.unique(…, return_inverse=True)` also says for each of them which row is its own. "
            "A pair (row, token) is one number again, and numbers can be counted.",
        ),
        "interpolate": (
            "What stands in the place of 1/V for order 1, and what for order 2?",
            "In (2.1), write λ with the denominator C + kV. Which numerator is left for 1 - λ?",
            "Keep one `p` that starts as 1/V everywhere, and improve it in a loop over the orders. Counts that are all 0 then need no case of their own.",
        ),
        "continuation_counts": (
            "A row of the table of order n says what follows (a, b, c). Which row of the new table does it belong to?",
            "After (a, b) came x 5 times, and after (c, b) once. Two different tokens stood before (b, x): its continuation count is 2.",
            "Dropping the first digit of a number is a remainder. Several old rows share a new one: `torch.unique` with its inverse, then a sum of zeros and ones.",
        ),
        "kneser_ney": (
            "What is taken from counts (3, 1, 0, 0), if no count may become negative?",
            "It is handed out in the proportions of the order below. What must the new probabilities sum to?",
            "Compute what is kept first; what is spare is the rest of C. Where C = 0, `torch.where` keeps the `p` you have.",
        ),
        "bits_per_byte": (
            "Twice as many tokens, each at half the cost: what must stay the same?",
            "One token that costs log 2, for the text 'é': 1 bit, and two bytes.",
            "`text.encode()` gives the bytes.",
        ),
    },
    ambiguities=[
        "Probabilities may be float32 or float64.",
        "Continuation counts at the start of the text: the first n - 1 tokens have no token before them and are not counted there, since the table of order n does not hold them.",
    ],
)

TOLD = Fields(default=Close())
COUNTS = Fields(default=Exact())


def text(rng, length, size):
    """Tokens of which some are frequent: the smaller of three draws."""
    return torch.stack([rng.integers(0, size, length) for _ in range(3)]).amin(0)


# --- count_ngrams -------------------------------------------------------------------------------------------------


def long_ones(parts):
    """The two tensors of a table by name, once it is known that whole numbers in them are int64."""
    if not isinstance(parts, (tuple, list)):
        raise AnswerError(f"one {type(parts).__name__} is returned where two tensors are expected, contexts and counts")
    found = named(parts, "contexts", "counts")
    for what, value in found.items():
        dtype = getattr(value, "dtype", torch.int64)
        if dtype in (torch.uint8, torch.int8, torch.int16, torch.int32):
            raise AnswerError(f"the {what} are {str(dtype)[6:]} where int64 is expected")
    return found


def table(student, ids, n, size):
    return long_ones(student.count_ngrams(ids, n, size))


@question.probe(points=0.5, title="count_ngrams: pairs and triples", public=True, judge=COUNTS)
def counting(student, rng):
    ids = text(rng, 60, 5)
    return {"pairs": attempt(table, student, ids, 2, 5), "triples": attempt(table, student, ids, 3, 5)}


@question.probe(points=1.5, title="count_ngrams: orders, large vocabularies, short texts", judge=COUNTS)
def counting_edges(student, rng):
    ids, rare = text(rng, 80, 6), text(rng, 30, 4)
    many = torch.cat([rng.integers(0, 3, 20), rng.integers(900, 1000, 20)])
    long = rng.integers(0, 70, 40)
    return {
        "single tokens": attempt(table, student, ids, 1, 6),
        "single tokens, not all of the vocabulary": attempt(table, student, rare, 1, 9),
        "pairs, not all of the vocabulary": attempt(table, student, rare + 2, 2, 9),
        "four tokens": attempt(table, student, ids, 4, 6),
        "one window": attempt(table, student, ids[:4], 4, 6),
        "two windows": attempt(table, student, ids[:4], 3, 6),
        "the same token always": attempt(table, student, torch.full_like(ids[:20], 3), 3, 6),
        "a vocabulary of 1000": attempt(table, student, many, 4, 1000),
        "ten tokens, a vocabulary of 70": attempt(table, student, long, 10, 70),
        "every second token of a text": attempt(table, student, ids[::2], 2, 6),
    }


# --- interpolate, kneser_ney --------------------------------------------------------------------------------------


def rows_of(rng, orders, contexts, size, share=0.6):
    """Counts of several orders after the same contexts; higher orders have seen less."""
    rows = []
    for order in range(orders):
        some = rng.bernoulli(contexts, size, p=share / (1 + 0.6 * order)).long()
        rows.append(some * rng.integers(1, 9, contexts, size))
    rows[0][:, 0] += 1  # order 1 has seen something
    return rows


def unseen(rng, rows, above):
    """The same rows, where in some contexts the orders from `above` on have seen nothing."""
    gone = [row.clone() for row in rows]
    for row in gone[above:]:
        row[::2] = 0
    return gone


def many_shapes(rng, ask, student, rows, amount):
    """Entries that both ways of smoothing share; amount is k, or the discount."""
    square, cube = rows_of(rng, 3, 4, 4), [row.reshape(2, 3, 5) for row in rows]
    return {
        "four orders": attempt(ask, student, rows, amount),
        "highest order unseen": attempt(ask, student, unseen(rng, rows, 3), amount),
        "only order 1 seen": attempt(ask, student, unseen(rng, rows, 1), amount),
        "nothing seen": attempt(ask, student, unseen(rng, rows, 0), amount),
        "large counts": attempt(ask, student, [1000 * row for row in rows], amount),
        "as many contexts as tokens": attempt(ask, student, square, amount),
        "one context, without an axis": attempt(ask, student, [row[1] for row in rows], amount),
        "two axes of contexts": attempt(ask, student, cube, amount),
        "two tokens": attempt(ask, student, [row[:, :2] for row in rows], amount),
    }


def mix(student, rows, k):
    return tensor_of(student.interpolate(rows, k), "the result")


@question.probe(points=0.5, title="interpolate: add-k, and two orders", public=True, judge=TOLD)
def interpolation(student, rng):
    rows = rows_of(rng, 2, 3, 5)
    return {"one order (add-k)": attempt(mix, student, rows[:1], 0.7), "two orders": attempt(mix, student, rows, 0.3)}


@question.probe(points=2, title="interpolate: unseen contexts, k, shapes", judge=TOLD)
def interpolation_edges(student, rng):
    rows, k = rows_of(rng, 4, 6, 5), rng.number(0.2, 0.8)
    found = many_shapes(rng, mix, student, rows, k) | {
        "add-one": attempt(mix, student, rows[2:3], 1),
        "k = 0.001": attempt(mix, student, rows, 0.001),
        "k = 30": attempt(mix, student, rows, 30.0),
    }
    return found | {"rows afterwards": [row.double().sum() + len(rows) for row in rows]}


def smooth(student, rows, discount):
    return tensor_of(student.kneser_ney(rows, discount), "the result")


@question.probe(points=0.5, title="kneser_ney: one order, and two", public=True, judge=TOLD)
def smoothing(student, rng):
    rows = rows_of(rng, 2, 3, 5)
    return {"one order": attempt(smooth, student, rows[:1], 0.75), "two orders": attempt(smooth, student, rows, 0.6)}


@question.probe(points=2.5, title="kneser_ney: unseen contexts, discounts, shapes", judge=TOLD)
def smoothing_edges(student, rng):
    rows, d = rows_of(rng, 4, 6, 5), rng.number(0.3, 0.7)
    found = many_shapes(rng, smooth, student, rows, d) | {
        "everything seen once": attempt(smooth, student, [row.clamp(max=1) for row in rows], d),
        "discount 1": attempt(smooth, student, rows, 1),
        "discount 0": attempt(smooth, student, rows, 0.0),
    }
    return found | {"rows afterwards": [row.double().sum() + len(rows) for row in rows]}


# --- continuation_counts ------------------------------------------------------------------------------------------


def counted(ids, n, size):
    """The table of order n: ascending codes, counts."""
    places = size ** torch.arange(n - 1, -1, -1, device=ids.device)
    codes, times = torch.unique((ids.unfold(0, n, 1) * places).sum(1), return_counts=True)
    contexts, row = torch.unique(codes // size, return_inverse=True)
    counts = torch.zeros(len(contexts), size, dtype=torch.int64, device=ids.device)
    counts[row, codes % size] = times
    return contexts, counts


def shorten(student, ids, n, size):
    return long_ones(student.continuation_counts(*counted(ids, n, size), n))


@question.probe(points=0.5, title="continuation_counts: from order 3 to 2", public=True, judge=COUNTS)
def continuation(student, rng):
    return {"triples to pairs": attempt(shorten, student, text(rng, 60, 4), 3, 4)}


@question.probe(points=1.5, title="continuation_counts: other orders, large vocabularies, short texts", judge=COUNTS)
def continuation_edges(student, rng):
    ids, rare = text(rng, 120, 5), text(rng, 40, 4)
    many = torch.cat([rng.integers(0, 3, 25), rng.integers(900, 1000, 15)])
    long = rng.integers(0, 70, 40)
    return {
        "pairs to single tokens": attempt(shorten, student, ids, 2, 5),
        "four tokens to three": attempt(shorten, student, ids, 4, 5),
        "six tokens to five": attempt(shorten, student, text(rng, 90, 3), 6, 3),
        "not all of the vocabulary": attempt(shorten, student, rare + 2, 3, 9),
        "one window": attempt(shorten, student, ids[:3], 3, 5),
        "the same token always": attempt(shorten, student, torch.full_like(ids[:20], 3), 3, 5),
        "as many contexts as tokens": attempt(shorten, student, torch.cat([text(rng, 60, 4), torch.arange(4, device=ids.device)]), 2, 4),
        "a vocabulary of 1000": attempt(shorten, student, many, 4, 1000),
        "ten tokens to nine, a vocabulary of 70": attempt(shorten, student, long, 10, 70),
    }


# --- bits_per_byte ------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="bits_per_byte: characters, pairs", public=True, judge=TOLD)
def bits(student, rng):
    nats = rng.uniform(12, low=0.2, high=4)
    return {
        "a token for each character": [student.bits_per_byte(nats[:n], "counting words"[:n]) for n in (5, 8, 12)],
        "a token for two characters": [student.bits_per_byte(nats[:n], "counting words"[: 2 * n]) for n in (3, 5, 7)],
    }


@question.probe(points=1, title="bits_per_byte: accents and signs, sequences, float64", judge=Fields({"in float64": Close(rtol=1e-10, atol=1e-10)}, default=Close()))
def bits_edges(student, rng):
    nats, long = rng.uniform(3, 6, low=0.2, high=4), rng.uniform(400, low=2, high=5)
    return {
        "letters with accents": attempt(lambda: [student.bits_per_byte(nats[0, :n], "é à ü ñ"[:n]) for n in (3, 4, 5)]),
        "signs of three and four bytes": attempt(lambda: [student.bits_per_byte(nats[1, :n], "→€😀語"[:n]) for n in (1, 2, 4)]),
        "several sequences": attempt(lambda: [student.bits_per_byte(nats[:n], "what they spell" * n) for n in (1, 2, 3)]),
        "the total": attempt(lambda: [student.bits_per_byte(total, "what it spells") for total in nats.sum(1)]),
        "in float64": attempt(lambda: [student.bits_per_byte(row.double() / 3, "wide") for row in nats]),
        "a long text": attempt(lambda: [student.bits_per_byte(long[:n], "ab" * n) for n in (100, 200, 400)]),
    }

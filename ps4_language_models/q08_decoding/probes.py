"""Question 8: filtered distributions, log-likelihood of sequences, beam search, and a watermark with an exact false-positive rate."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, entry, gradient, named, tensor_of, two_of

question = Question(
    title="Decode, score and mark",
    figures_of=["q02_counting"],
    skills=["4.28", "4.29", "4.32", "4.62", "4.74"],
    lecture="decoding",
    run_seconds=15,
    manual_points=3,
    aim="See that a decoder is a law of its own: state it exactly, search it, score with it, and mark what was written with a false-positive rate that is exact.",
    hints={
        "filter_logits": (
            "Which of the three filters have to know the probabilities in order, and which only the largest?",
            "With (0.5, 0.3, 0.15, 0.05), which probability do the tokens *before* each one have together? For which of them is that still below 0.7?",
            "`sort(descending=True)` also gives the order. `gather` with the `argsort` of the order puts things back.",
        ),
        "sequence_log_prob": (
            "`logits[:, t]` are about which token? So which logits are about the first token after the prompt?",
            "With P = 2 and T = 5 three numbers add up. Their logits stand at 1, 2 and 3, their tokens at 2, 3 and 4.",
            "A running count of eos says what comes after one. Does the first eos itself count?",
        ),
        "beam_search": (
            "Two beginnings and five tokens: how many candidates are there, and which of them share a beginning?",
            "Flatten the (B, V) sums and take the best. From the place 7 in a flat (2, 5), how do you get beginning 1 and token 2?",
            "A finished beginning has one candidate, eos, which adds 0 to its sum. What must its other candidates have so that they never win?",
        ),
        "watermark_z": (
            "Each pair is a coin throw that is 1 with probability γ. What are its mean and its variance?",
            "The text 3 1 3 1 3 has four pairs. How many different ones?",
            "`torch.unique(dim=…)`, or a Python `set` of pairs. `binomial_tail` does the rest, when it gets n, G and γ.",
        ),
    },
    rubric=[
        "1 point: (a) typical texts are many, each improbable; the likeliest is one, or: the model's probability lies elsewhere than its maximum.",
        "1 point: (b) a negative logit divided by more than 1 rises; adding a constant to all logits changes no probability, but changes what the penalty does.",
        "1 point: (c) repeated pairs have the same colour, so their count varies more than independent throws; different pairs are independent.",
    ],
    ambiguities=[
        "filter_logits is never asked with equal finite logits, nor with a sum that equals top_p up to rounding.",
        "beam_search is never asked where two candidates at the border of the beam have equal sums. It may call the model with any number of rows, and give float32 for a float64 model.",
        "Both results of watermark_z may be floats or tensors of one number, float32 or float64.",
    ],
)

WIDE = torch.float64
FINE = Close(rtol=1e-10, atol=1e-12)


# --- models ---------------------------------------------------------------------------------------------------------


class Chain:
    """A language model of which every token depends on the last two, and on its place, so that no two texts are equally likely; logits of any height."""

    def __init__(self, rng, size, spread=1.5, dtype=torch.float32):
        self.size = size
        self.table = (spread * rng.normal(size + 1, size, size)).to(dtype)
        self.height = 3 * rng.normal(size + 1, size, 1).to(dtype)  # logits are not log-probabilities
        self.drift = 0.5 * rng.normal(16, size).to(dtype)

    def __call__(self, ids):
        if not isinstance(ids, torch.Tensor) or ids.dim() != 2 or ids.shape[1] < 1:
            raise ValueError(f"the model takes tokens of shape (N, T), not {tuple(getattr(ids, 'shape', ()))}")
        before = torch.cat([torch.full_like(ids[:, :1], self.size), ids[:, :-1]], 1)
        return (self.table + self.height)[before, ids] + self.drift[torch.arange(ids.shape[1]) % 16]


class Barred(Chain):
    """Some tokens cannot follow."""

    def __init__(self, rng, size, spread=1.5, dtype=torch.float32):
        super().__init__(rng, size, spread, dtype)
        self.table[:, torch.arange(size), rng.permutation(size)] = -math.inf
        self.table[:, torch.arange(size), torch.arange(size)] = -math.inf


class Trap(Chain):
    """Good beginnings that end badly: what follows the likeliest token is spread out."""

    def __init__(self, rng, size):
        super().__init__(rng, size, 0.7)
        self.table[size, :, 0] += 2.0
        self.table[:size, :, 0] *= 0.05
        self.table[:, 0] *= 0.1
        self.table[:size, 1:] *= 4


class Crowded(Chain):
    """With two beams the text 2 and a beginning 1 stay first; then 1 0 wins over 1 3, whose next token is nearly sure. Whoever gives the place of 2 away finds 1 3 4."""

    def __init__(self, rng, size):
        super().__init__(rng, size, 0.1)
        self.drift *= 0.1
        self.table[size, :, 2] += 4
        self.table[size, :, 1] += 3
        self.table[:size, 1, 0] += 4
        self.table[:size, 1, 3] += 3
        self.table[:size, 3, 4] += 6


def apart(rng, *shape, gap=0.05):
    """Logits that differ by more than rounding."""
    size = shape[-1]
    return (rng.normal(*shape).sort(-1).values + gap * torch.arange(size, device=rng.device)).gather(
        -1, torch.stack([rng.permutation(size) for _ in range(max(1, math.prod(shape[:-1])))]).reshape(shape)
    )


# --- filter_logits --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="filter_logits: each filter alone", public=True, judge=Fields(default=Close()))
def filters(student, rng):
    # no sum of probabilities is near a top_p, so that rounding does not decide
    chances = torch.tensor([0.34, 0.2, 0.15, 0.11, 0.08, 0.06, 0.04, 0.02], device=rng.device)
    logits = torch.stack([chances.log()[rng.permutation(8)] for _ in range(3)]) + rng.normal(3, 1) + rng.uniform(3, 8, low=-0.02, high=0.02)
    return {
        "temperature": [attempt(student.filter_logits, logits, temperature=t) for t in (0.6, 1.7)],
        "top-k": attempt(student.filter_logits, logits, top_k=3),
        "top-p": [attempt(student.filter_logits, logits, top_p=p) for p in (0.83, 0.3)],
        "min-p": attempt(student.filter_logits, logits, min_p=0.15),
    }


def undecided(logits, temperature=1.0, **settings):
    """The settings, with top_p and min_p moved a little where rounding would decide who is left."""
    scaled = logits.double() / temperature
    if "top_k" in settings:
        scaled = scaled.masked_fill(scaled < scaled.topk(min(settings["top_k"], scaled.shape[-1])).values[..., -1:], -math.inf)
    chances = scaled.softmax(-1).sort(-1, descending=True).values
    for name, borders in (("top_p", chances.cumsum(-1)), ("min_p", chances / chances[..., :1])):
        while 0 < settings.get(name, 0) < 1 and bool(((borders - settings[name]).abs() < 1e-5).any()):
            settings[name] -= 1e-4
    return settings | {"temperature": temperature}


@question.probe(
    points=1.5, title="filter_logits: filters together, borders, shapes, logits of any size, float64",
    judge=Fields({"in float64": FINE}, default=Close()),
)
def filter_edges(student, rng):
    logits = 1.5 * apart(rng, 6, 9)
    far = torch.tensor([0.0, -1.0, -2.5, -40.0, -90.0, -200.0], device=rng.device)[rng.permutation(6)] + torch.tensor([[-900.0], [-300], [400], [800]], device=rng.device)
    barred = logits - 8
    barred[:, rng.permutation(9)[:4]] = -math.inf
    flat = 0.3 * apart(rng, 4, 30)

    chances = torch.tensor([0.4, 0.25, 0.15, 0.1, 0.06, 0.04], device=rng.device)
    known = torch.stack([chances.log()[rng.permutation(6)] for _ in range(4)]) + rng.uniform(4, 6, low=-0.02, high=0.02)

    def ask(logits, **settings):
        return attempt(student.filter_logits, logits, **undecided(logits, **settings))

    return {
        "top-p counts all, then min-p": ask(known, top_p=0.74, min_p=0.3),
        "nothing filtered": ask(logits),
        "a high temperature, then top-p": ask(logits, temperature=2.5, top_p=0.83),
        "a low temperature, then top-p": ask(logits, temperature=0.4, top_p=0.97),
        "a high temperature, then min-p": ask(logits, temperature=2.5, min_p=0.33),
        "a low temperature, then min-p": ask(logits, temperature=0.4, min_p=0.02),
        "a high temperature, then top-k": ask(logits, temperature=3.0, top_k=4),
        "top-k, then top-p": ask(flat, top_k=5, top_p=0.63),
        "top-k, then min-p": ask(logits, top_k=6, min_p=0.2),
        "top-p, then min-p": ask(flat, top_p=0.57, min_p=0.8),
        "all together": ask(logits, temperature=1.5, top_k=7, top_p=0.93, min_p=0.07),
        "top-k 1": ask(logits, top_k=1),
        "top-k above V": ask(logits, top_k=20, min_p=0.1),
        "a small top-p keeps one": ask(logits, top_p=0.02),
        "min-p 1": ask(logits, min_p=1.0),
        "many tokens with little each": ask(flat, top_p=0.37),
        "many tokens, min-p": ask(flat, min_p=0.5),
        "some logits -inf": ask(barred, temperature=1.3, top_k=7, top_p=0.96, min_p=0.01),
        "some logits -inf, nothing filtered": ask(barred),
        "logits of hundreds": ask(far),
        "logits of hundreds, filtered": ask(far, top_p=0.9, min_p=0.05),
        "logits of hundreds, top-k": ask(far, top_k=3),
        "a very low temperature": ask(2e-3 * logits, temperature=1e-3),
        "a single vector": [ask(row, top_k=4, top_p=0.9) for row in logits[:3]],
        "three axes": ask(logits.reshape(2, 3, 9), top_p=0.8, min_p=0.03),
        "as many rows as tokens": ask(torch.tensor([4.0, 0.5, 1.5, 1.5, 1.5], device=rng.device)[:, None] * apart(rng, 5, 5), top_p=0.8, min_p=0.05),
        "in float64": ask(logits.to(WIDE) / 3, temperature=0.7, top_k=8, top_p=0.91, min_p=0.03),
    }


# --- sequence_log_prob ----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="sequence_log_prob: without and with eos", public=True, judge=Fields(default=Close()))
def scores(student, rng):
    model = Chain(rng, 6)
    ids = rng.integers(1, 6, 4, 8)
    ids[0, 4:], ids[1, 6:] = 0, 0
    return {
        "ordinary": attempt(student.sequence_log_prob, model, ids, 3),
        "filled up with eos": attempt(student.sequence_log_prob, model, ids, 3, eos=0),
    }


@question.probe(
    points=1, title="sequence_log_prob: prompts, ends, barred tokens, float64, gradients", judge=Fields({"in float64": FINE}, default=Close())
)
def score_edges(student, rng):
    model, barred, wide = Chain(rng, 7), Barred(rng, 7), Chain(rng, 7, dtype=WIDE)
    stuck = Chain(rng, 7)
    stuck.table[:, 0, 0] = -math.inf
    ids = rng.integers(0, 7, 6, 9)
    ended = rng.integers(1, 7, 6, 9)
    for row, place in enumerate((3, 4, 5, 7, 8)):
        ended[row, place] = 0
    first = ended.clone()
    first[:, 3] = 0
    in_prompt = ended.clone()
    in_prompt[1:3, 1] = 0
    in_prompt[3, 2] = 0
    shorter = torch.where(ended.eq(0).cumsum(1) > 0, torch.zeros_like(ended), ended)
    legal = [rng.integers(0, 7, 5)]
    for _ in range(5):
        legal.append(barred(legal[-1][:, None])[:, -1].argmax(-1))
    last = barred(legal[-1][:, None])[:, -1].argmax(-1)
    last[3:] = legal[-1][3:]  # no token can follow itself
    legal = torch.stack(legal, 1)

    def ask(*arguments, **keywords):
        return attempt(student.sequence_log_prob, *arguments, **keywords)

    def slopes():
        """By the table of the model, weighted, so that sequences are told apart."""
        leaf = Chain(rng, 7)
        leaf.table = leaf.table.requires_grad_()
        found = tensor_of(student.sequence_log_prob(leaf, shorter, 3, eos=0), "the result", (6,))
        return gradient("the result", found * rng.uniform(6, low=0.5, high=1.5), logits=leaf.table)[0]

    return {
        "a prompt of one token": ask(model, ids, 1),
        "all but the last token is prompt": ask(model, ids, 8),
        "one text": [ask(model, row[None], 4) for row in ids[:3]],
        "as many texts as tokens": ask(model, ids[:, :6], 2),
        "a long text": ask(model, rng.integers(0, 7, 3, 120), 2),
        "other tokens behind eos": ask(model, ended, 3, eos=0),
        "another eos": ask(model, ids, 2, eos=4),
        "eos in the prompt": ask(model, in_prompt, 3, eos=0),
        "eos is the first token after the prompt": ask(model, first, 3, eos=0),
        "eos occurs, but is not given": ask(model, ended, 3),
        "several eos in a text": ask(model, shorter, 2, eos=0),
        "tokens that cannot follow": ask(barred, torch.cat([legal, ids[:5, :3]], 1), 2),
        "a last token that cannot follow": ask(barred, torch.cat([legal, last[:, None]], 1), 2),
        "filling that cannot follow": ask(stuck, shorter, 3, eos=0),
        "in float64": ask(wide, shorter, 3, eos=0),
        "gradient": entry("`sequence_log_prob`", slopes),
    }


# --- beam_search ----------------------------------------------------------------------------------------------------


def searched(student, *arguments, **keywords):
    return entry("`beam_search`", lambda: named(two_of(student.beam_search(*arguments, **keywords), "the texts", "their log-probabilities"), "texts", "log-probabilities"))


@question.probe(points=0.5, title="beam_search: without and with eos", public=True, judge=Fields(default=Close()))
def beams(student, rng):
    model = Chain(rng, 5)
    return {
        "ordinary": searched(student, model, rng.integers(1, 5, 2), 3, 4),
        "with eos": searched(student, model, rng.integers(1, 5, 2), 4, 4, eos=0),
        "the likeliest beginning is a trap": searched(student, Trap(rng, 5), rng.integers(1, 5, 1), 3, 3),
    }


@question.probe(
    points=1.5, title="beam_search: greedy, all texts, finished texts, prompts, barred tokens, a float64 model",
    judge=Fields(default=Close()),
)
def beam_edges(student, rng):
    model, barred, trap, wide = Chain(rng, 5), Barred(rng, 5), Trap(rng, 5), Chain(rng, 5, dtype=WIDE)
    crowded, eager, sure = Crowded(rng, 5), Chain(rng, 5), Chain(rng, 5)
    eager.table[:, :, 2] += 2.5
    hasty = Chain(rng, 5)
    hasty.table[:, :, 2] += 9
    passed = Chain(rng, 5, 0.1)  # after 1 all is open, so that the ended text 2 is first after two steps
    passed.drift *= 0.1
    passed.table[5, :, 1] += 4
    passed.table[5, :, 2] += 3
    passed.table[:5, 1, 2] -= 3
    sure.table = 12 * sure.table
    rare = Chain(rng, 5)
    rare.table[:, :, 3] -= 50
    prompt = rng.integers(1, 5, 3)

    def ask(model, prompt, *arguments, **keywords):
        return searched(student, model, prompt, *arguments, **keywords)

    return {
        "width 1": ask(model, prompt, 1, 6),
        "width 1, with eos": ask(eager, prompt, 1, 5, eos=2),
        "the likeliest beginning is a trap": ask(trap, prompt[:1], 3, 3),
        "width 2": ask(trap, prompt[:1], 2, 5),
        "one step": ask(model, prompt, 4, 1),
        "wider than V": ask(model, prompt, 11, 3),
        "all texts": ask(model, prompt, 200, 3),
        "all texts, with an unlikely token": ask(rare, prompt, 200, 3),
        "all texts, with eos": ask(model, prompt, 200, 3, eos=0),
        "many finished texts": ask(eager, prompt, 6, 6, eos=2),
        "a finished text keeps its place": [ask(crowded, first[None], 2, 3, eos=2) for first in rng.permutation(5)[:3]],
        "a finished text moves ahead": [ask(passed, first[None], 2, 3, eos=2) for first in rng.permutation(5)[:3]],
        "all texts of the beam finish early": ask(hasty, prompt, 3, 5, eos=2),
        "finished texts are overtaken by none": ask(eager, prompt, 3, 8, eos=2),
        "eos at the end of the prompt": ask(model, torch.cat([prompt, prompt.new_zeros(1)]), 4, 4, eos=0),
        "eos inside the prompt": ask(model, torch.cat([prompt[:1], prompt.new_zeros(1), prompt[1:]]), 4, 4, eos=0),
        "eos occurs, but is not given": ask(eager, prompt, 4, 4),
        "a prompt of one token": ask(model, prompt[:1], 3, 4),
        "tokens that cannot follow": ask(barred, prompt, 4, 4),
        "all texts, tokens that cannot follow": ask(barred, prompt, 300, 3, eos=0),
        "sums far apart": ask(sure, prompt, 5, 5),
        "a float64 model": ask(wide, prompt, 4, 4, eos=0),
    }


# --- watermark_z ----------------------------------------------------------------------------------------------------


def marked(student, ids, green, gamma):
    """z of each text, and the rates."""

    def ask():
        z, rates = zip(*[two_of(student.watermark_z(text, green, gamma), "z", "the false-positive rate") for text in ids], strict=True)
        return {"z": list(z), "false-positive rates": list(rates)}

    return entry("`watermark_z`", ask)


RATES = {"z": Close(rtol=1e-4, atol=1e-4), "false-positive rates": Close(rtol=5e-3, atol=1e-36)}


def towards(rng, green, n, length, share=0.9):
    """Texts that mostly take green continuations."""
    ids = [rng.integers(0, len(green), n)]
    for _ in range(length - 1):
        weight = torch.where(green[ids[-1]], share, 1 - share) * rng.uniform(n, len(green), low=0.2, high=1)
        ids.append(weight.argmax(-1))
    return torch.stack(ids, 1)


@question.probe(points=0.5, title="watermark_z: innocent texts, and marked ones", public=True, judge=Fields(default=Close(rtol=5e-3, atol=1e-6)))
def marks(student, rng):
    green = rng.bernoulli(40, 40, p=0.5).bool()
    return {
        "innocent": marked(student, rng.integers(0, 40, 4, 30), green, 0.5),
        "marked": marked(student, towards(rng, green, 4, 30), green, 0.5),
    }


@question.probe(
    points=1, title="watermark_z: repeated pairs, other γ, short texts, certain marks",
    judge=Fields(default=Fields(RATES)),
)
def mark_edges(student, rng):
    green = rng.bernoulli(40, 40, p=0.5).bool()
    rare, common, small = rng.bernoulli(40, 40, p=0.2).bool(), rng.bernoulli(40, 40, p=0.8).bool(), rng.bernoulli(5, 5, p=0.5).bool()
    none, every = torch.zeros_like(green), torch.ones_like(green)
    some = rng.integers(0, 40, 4, 9)
    twice = torch.cat([some, some, some], 1)
    return {
        "pairs that occur again": marked(student, twice, green, 0.5),
        "few tokens, many repetitions": marked(student, rng.integers(0, 5, 4, 60), small, 0.4),
        "a token twice in a row": marked(student, some.repeat_interleave(3, 1), green, 0.5),
        "pairs and their reverses": marked(student, torch.cat([some, some.flip(1)], 1), green, 0.5),
        "few greens": marked(student, rng.integers(0, 40, 4, 40), rare, 0.2),
        "many greens": marked(student, rng.integers(0, 40, 4, 40), common, 0.8),
        "few greens, marked": marked(student, towards(rng, rare, 4, 30, 0.52), rare, 0.2),
        "one pair": marked(student, rng.integers(0, 40, 8, 2), green, 0.3),
        "no pair is green": marked(student, rng.integers(0, 40, 3, 20), none, 0.25),
        "all pairs are green": marked(student, rng.integers(0, 40, 3, 20), every, 0.8),
        "very sure": marked(student, towards(rng, green, 1, 110, 0.99), green, 0.5),
        "a long text": marked(student, rng.integers(0, 40, 1, 400), green, 0.5),
    }

"""Question 6: blocks, the language model, and its parameters and operations by formula."""

import itertools
import math
from numbers import Real
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import attempt, gradient, tensor_of, tried, two_of, with_right
from dgm.checks.judges import Verdict

question = Question(
    title="The model, counted",
    skills=["4.22", "4.23", "4.25", "4.66"],
    uses=["RMSNorm", "swiglu", "CausalSelfAttention"],
    lecture="transformers",
    run_seconds=3,
    manual_points=3,
    rubric=[
        "1 point: an entry of a matrix is used in one multiplication and one addition for each token, two operations; almost all parameters are such entries, all but a looked-up embedding.",
        "1 point: without groups each kept number is used in one multiplication and one addition for each new token, too: a key in a score, a value in a mean.",
        "1 point: with groups each kept number serves several query heads: T₂ grows by their number, and T₁, which counts the queries' work, does not change with it.",
    ],
    aim="Stack the parts so that depth does no harm, and know size and work of a model before it runs.",
    hints={
        "Block": (
            "Which two paths lead from x to y? On which of them is a norm, before or after the layer, or behind the sum?",
            "All weights zero: pre-norm gives x back. What does post-norm give?",
            "Two steps, x to h and h to y. The second layer sees h, not x, and each has a norm of its own.",
        ),
        "GPT": (
            "Which shape does each part make of (N, T)?",
            "One token, no blocks: a row e of the embedding becomes norm(e), and its logits are the dot products of that with all V rows.",
            "Embed, go through `self.blocks` in order, norm, head. What is a product with all rows of the embedding, as a matrix product?",
        ),
        "count_parameters": (
            "Which sizes do the four matrices of attention have, if there are fewer heads of keys and values?",
            "dim 4, two heads, one of keys: keys have 2 entries, so W_k is 4 × 2. How many entries does a norm have, and how many norms are there in a model of two blocks?",
            "Build a tiny `GPT` and list `named_parameters()` with their shapes: your formula must agree with the sum.",
        ),
        "count_flops": (
            "Which parameters are in matrices that every token is multiplied with? Is a tied head among these?",
            "T = 2, one head of d = 4: 4 scores of 4 multiplications and additions each, and 4 weights times values of 4 entries. How many operations are that?",
            "Two terms: one grows like T, one like T². All heads together have `dim` entries, whatever the groups are.",
        ),
        "balance_lengths": (
            "Operations of a pass are aT + bT². At which T are both terms equal?",
            "In the worked example a = 368 and b = 16. In the second question: keys and values, per token, in each layer, for each head that has keys.",
            "`count_flops` of a text of one token holds a + b, and you know b.",
        ),
    },
    ambiguities=[
        "`Block` and `GPT` are made with the given `__init__`; the hidden test exchanges their norms, attention and blocks for simple right ones, so that an error in Questions 3 and 5 does not cost points here.",
        "Counts may be whole floats. `count_flops` and `balance_lengths` are asked with right versions of what they may call.",
        "All T² pairs count, in scores and means: 4 T² · dim operations in each layer.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is
COUNTS = Fields({}, default=Close(rtol=1e-9, atol=0))


# --- parts --------------------------------------------------------------------------------------------------------


class RightNorm(nn.Module):
    """Root mean square norm."""

    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * self.weight


class Mixing(nn.Module):
    """Something causal in the place of attention or of a block: the mean of the tokens so far, through a matrix, bent."""

    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(dim))

    def forward(self, x):
        counts = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype)
        return torch.tanh((x.cumsum(1) / counts[:, None] + 0.3 * x) @ self.weight + 0.2)


def right_swiglu(x, w1, w2, w3, gate="silu"):
    """The gated layer."""
    return (F.silu(x @ w1.T) * (x @ w3.T)) @ w2.T


def filled(module, rng, dtype):
    """The module with weights of the grader's."""
    module = module.to(rng.device).to(dtype)
    with torch.no_grad():
        for _, weight in sorted(module.named_parameters()):
            flat = weight.dim() == 1
            weight.copy_(rng.normal(*weight.shape, mean=float(flat), std=0.4 if flat else 1.2 / math.sqrt(weight.shape[1]), dtype=dtype))
    return module


def block_of(student, rng, post_norm=False, dim=6, hidden=5, dtype=torch.float32):
    """A block whose parts are right."""
    block = student.raw.Block(dim, 1, 1, hidden, post_norm=post_norm)
    block.norm1, block.norm2, block.attention = RightNorm(dim), RightNorm(dim), Mixing(dim)
    return filled(block, rng, dtype)


def block_output(block, x):
    """What a block answers, with a right `swiglu`."""
    return tensor_of(with_right(block.forward, swiglu=right_swiglu)(x), "the output")


def slopes_of(ask, module, x, weight):
    """Gradients of a weighted sum of the answers by x, if it is one of floats, and all parameters."""
    inputs = {name.replace(".", "_"): p for name, p in sorted(module.named_parameters())}
    if x.is_floating_point():
        x = x.clone().requires_grad_()
        inputs["x"] = x
    return gradient("the output", weight * tensor_of(ask(module, x), "the output", weight.shape), **inputs)


# --- Block --------------------------------------------------------------------------------------------------------


@question.probe(points=0, title="Block: with your other functions", public=True, judge=TOLD)
def blocks(student, rng):
    pre, post = (filled(student.raw.Block(8, 2, 1, 12, post_norm=after), rng, torch.float32) for after in (False, True))
    return {
        "pre-norm": attempt(lambda x: tensor_of(pre(x), "the output"), rng.normal(1, 5, 8)),
        "post-norm": attempt(lambda x: tensor_of(post(x), "the output"), rng.normal(2, 4, 8)),
    }


class Silent(nn.Module):
    """A layer that answers zero."""

    def forward(self, x):
        return torch.zeros_like(x)


def silent_block(student, rng, post_norm, attention=True, gated=True):
    """A block of which both layers answer zero, or one."""
    block = block_of(student, rng, post_norm)
    if attention:
        block.attention = Silent()
    if gated:
        with torch.no_grad():
            block.w2.weight.zero_()
    return block


def after_call(ask, module, x):
    """x once the module has had it."""
    kept = x.clone()
    with torch.no_grad():
        ask(module, kept)
    return kept


def is_right(evidence, expected, key):
    """Whether an entry of numbers in the right shape is right; None if it is no such entry."""
    got, want = evidence.get(key), expected[key]
    if isinstance(got, str) or np.shape(got) != np.shape(want):
        return None
    return bool(np.allclose(np.asarray(got, float), want, 1e-4, 1e-5))


def blocks_judge(evidence, expected, context):
    """Closeness; where a layer alone tells which line of (6.1) it is, that is said."""
    verdict = Fields({"in float64, pre-norm": WIDE, "in float64, post-norm": WIDE}, default=Close())(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict):
        return verdict
    for order in ("pre-norm", "post-norm"):
        together, silent, first, second = (is_right(evidence, expected, key) for key in (order, f"{order}, silent layers", f"{order}, attention alone", f"{order}, SwiGLU alone"))
        if together is not False or None in (silent, first, second):
            continue
        if not silent:
            return Verdict(False, f"With {order}, the values are wrong even where both layers answer 0: look at the sums and norms.")
        if first and second:
            return Verdict(False, f"With {order}, the values are right where one of the layers answers 0, whichever it is, and wrong with both: what does the second layer see, and what is it added to?")
        if first != second:
            good, bad = ("SwiGLU", "attention") if first else ("attention", "SwiGLU")
            return Verdict(False, f"With {order}, the values are right where {good} answers 0, and wrong where {bad} does: look at the line of (6.1) with {good}.")
    return verdict


@question.probe(points=2, title="Block: both orders, silent layers, gradients, float64", judge=blocks_judge)
def blocks_edges(student, rng):
    pre, post = block_of(student, rng), block_of(student, rng, True)
    wide = torch.float64
    return {
        "pre-norm": attempt(block_output, pre, rng.normal(2, 4, 6)),
        "post-norm": attempt(block_output, post, rng.normal(2, 4, 6)),
        "pre-norm, large inputs": attempt(block_output, pre, 20 * rng.normal(2, 3, 6)),
        "post-norm, large inputs": attempt(block_output, post, 20 * rng.normal(2, 3, 6)),
        "pre-norm, silent layers": attempt(block_output, silent_block(student, rng, False), rng.normal(2, 3, 6)),
        "post-norm, silent layers": attempt(block_output, silent_block(student, rng, True), rng.normal(2, 3, 6)),
        "pre-norm, attention alone": attempt(block_output, silent_block(student, rng, False, attention=False), rng.normal(2, 3, 6)),
        "post-norm, attention alone": attempt(block_output, silent_block(student, rng, True, attention=False), rng.normal(2, 3, 6)),
        "pre-norm, SwiGLU alone": attempt(block_output, silent_block(student, rng, False, gated=False), rng.normal(2, 3, 6)),
        "post-norm, SwiGLU alone": attempt(block_output, silent_block(student, rng, True, gated=False), rng.normal(2, 3, 6)),
        "one token, pre-norm": attempt(block_output, pre, rng.normal(1, 1, 6)),
        "gradient, pre-norm": attempt(slopes_of, block_output, pre, rng.normal(2, 3, 6), rng.normal(2, 3, 6)),
        "gradient, post-norm": attempt(slopes_of, block_output, post, rng.normal(2, 3, 6), rng.normal(2, 3, 6)),
        "in float64, pre-norm": attempt(block_output, block_of(student, rng, dtype=wide), rng.normal(2, 3, 6, dtype=wide)),
        "in float64, post-norm": attempt(block_output, block_of(student, rng, True, dtype=wide), rng.normal(2, 3, 6, dtype=wide)),
        "x afterwards, pre-norm": attempt(after_call, block_output, pre, rng.normal(2, 3, 6)),
        "x afterwards, post-norm": attempt(after_call, block_output, post, rng.normal(2, 3, 6)),
    }


# --- GPT ----------------------------------------------------------------------------------------------------------


def model_of(student, rng, n_layers=2, tied=True, context=8, dtype=torch.float32):
    """A model whose parts are right."""
    model = student.raw.GPT(7, 4, n_layers, 1, 1, context, 5, tied)
    model.norm, model.blocks = RightNorm(4), nn.ModuleList(Mixing(4) for _ in range(n_layers))
    return filled(model, rng, dtype)


def model_output(model, ids):
    """Its logits."""
    logits = tensor_of(model(ids), "the output")
    if not logits.numel():
        raise AnswerError(f"the output has shape {tuple(logits.shape)}, so there are no logits at all")
    return logits


@question.probe(points=0, title="GPT: with your other functions", public=True, judge=TOLD)
def models(student, rng):
    tied, own = (filled(student.raw.GPT(9, 8, 2, 2, 1, 8, 12, together), rng, torch.float32) for together in (True, False))
    return {
        "a tied head": attempt(model_output, tied, rng.integers(0, 9, 2, 4)),
        "a head of its own": attempt(model_output, own, rng.integers(0, 9, 1, 5)),
    }


def models_judge(evidence, expected, context):
    """Closeness; where the number of blocks tells which part it is, that is said."""
    verdict = Fields({"in float64": WIDE}, default=Close())(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict):
        return verdict
    none, one, several, own = (is_right(evidence, expected, key) for key in ("no layers", "one layer", "a tied head", "a head of its own"))
    if several is not False or None in (none, one, own):
        return verdict
    if not none:
        where = "" if not own else " With a head of its own they are right, so it is what a tied head does."
        return Verdict(False, f"The logits are wrong even in a model without blocks: look at the embedding, the last norm and the head.{where}")
    if one:
        return Verdict(False, "The logits are right with one block and without any, and wrong with two: what does each block get from the one before?")
    return Verdict(False, "The logits are right without blocks, and wrong with one: look at what goes into a block, and at what becomes of its answer.")


@question.probe(points=2.5, title="GPT: layers, heads, lengths, gradients, float64", judge=models_judge)
def models_edges(student, rng):
    tied, own = model_of(student, rng), model_of(student, rng, tied=False)
    text = rng.integers(0, 7, 2, 6)
    return {
        "a tied head": attempt(model_output, tied, rng.integers(0, 7, 3, 5)),
        "a head of its own": attempt(model_output, own, rng.integers(0, 7, 3, 5)),
        "three layers": attempt(model_output, model_of(student, rng, 3), rng.integers(0, 7, 2, 4)),
        "one layer": attempt(model_output, model_of(student, rng, 1), rng.integers(0, 7, 2, 4)),
        "no layers": attempt(model_output, model_of(student, rng, 0), rng.integers(0, 7, 2, 4)),
        "a text and its beginning": tried(lambda: [model_output(tied, text), model_output(tied, text[:, :3])]),
        "a text longer than context": attempt(model_output, model_of(student, rng, context=3), text),
        "one token": attempt(model_output, tied, rng.integers(0, 7, 1, 1)),
        "gradient, tied": attempt(slopes_of, model_output, tied, text, rng.normal(2, 6, 7)),
        "gradient, a head of its own": attempt(slopes_of, model_output, own, text, rng.normal(2, 6, 7)),
        "in float64": attempt(model_output, model_of(student, rng, dtype=torch.float64), text),
        "ids afterwards": attempt(after_call, model_output, tied, text),
    }


# --- counts -------------------------------------------------------------------------------------------------------


def some_config(student, rng, groups=2, tied=True, n_layers=None):
    """A small shape; groups: how many query heads share a head of keys."""
    n_kv_heads, head_dim = rng.integer(2, 5), 2 * rng.integer(1, 6)
    dim = n_kv_heads * groups * head_dim
    return student.raw.Config(rng.integer(20, 90), dim, n_layers or rng.integer(2, 6), n_kv_heads * groups, n_kv_heads, rng.integer(5, 300), rng.integer(3, 70), tied)


def example(student, tied=True):
    """The small model of the text."""
    return student.raw.Config(vocab=10, dim=4, n_layers=1, n_heads=2, n_kv_heads=1, context=8, hidden=8, tied=tied)


def known(student):
    """A shape of 2019 and one of 2024."""
    return (
        student.raw.Config(50257, 1600, 48, 25, 25, 1024, 6400, tied=False),
        student.raw.Config(128256, 4096, 32, 32, 8, 8192, 14336, tied=False),
    )


def right_parameters(config):
    """All numbers that a model learns."""
    keys = config.dim // config.n_heads * config.n_kv_heads
    matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden
    return config.n_layers * (matrices + 2 * config.dim) + config.dim + (2 - config.tied) * config.vocab * config.dim


def right_flops(config, length):
    """Operations of a forward pass."""
    used = right_parameters(config) - (2 * config.n_layers + 1) * config.dim - (not config.tied) * config.vocab * config.dim
    return 2 * length * used + 4 * config.n_layers * length**2 * config.dim


def number(answer, what="the result"):
    """A plain number as a float; it may be of any type that Python calls a number."""
    if isinstance(answer, bool) or not isinstance(answer, Real):
        raise AnswerError(f"{what} is of type {type(answer).__name__} where a number is expected")
    return float(answer)


def parameters(student, *configs):
    """The counts of some shapes."""
    return tried(lambda: [number(student.count_parameters(config)) for config in configs])


def added(count, configs, **more):
    """By how much a count grows when numbers of a shape do."""
    return [count(config._replace(**{name: getattr(config, name) + by for name, by in more.items()})) - count(config) for config in configs]


def block_without_swiglu(count, configs):
    """What one more block adds, less what is proportional to the width of SwiGLU."""
    blocks = added(count, configs, n_layers=1)
    wider = added(count, [config._replace(n_layers=config.n_layers + 1) for config in configs], hidden=1)
    before = added(count, configs, hidden=1)
    return [block - config.hidden * (more - less) for config, block, more, less in zip(configs, blocks, wider, before, strict=True)]


@question.probe(points=0.5, title="count_parameters: the small model of the text, two known models", public=True, judge=COUNTS)
def parameters_known(student, rng):
    return {"the small model of the text": parameters(student, example(student), example(student, False)), "two known models": parameters(student, *known(student))}


def many_configs(student, rng):
    """Shapes of all kinds."""
    return [some_config(student, rng, groups, tied) for groups in (1, 2, 3) for tied in (True, False) for _ in range(3)]


IN_LAYERS = {   # what a layer may have: in words, from a shape and the entries of its keys
    "dim · dim": lambda c, keys: c.dim**2, "dim · keys": lambda c, keys: c.dim * keys, "dim · hidden": lambda c, keys: c.dim * c.hidden,
    "dim · dim / n_heads": lambda c, keys: c.dim**2 / c.n_heads, "hidden · hidden": lambda c, keys: c.hidden**2, "dim": lambda c, keys: c.dim, "keys": lambda c, keys: keys, "hidden": lambda c, keys: c.hidden,
    "vocab · dim": lambda c, keys: c.vocab * c.dim, "n_heads": lambda c, keys: c.n_heads, "one number": lambda c, keys: 1,
}
ONCE = {
    "vocab · dim": lambda c: c.vocab * c.dim, "vocab · dim where the head is tied": lambda c: c.tied * c.vocab * c.dim, "dim": lambda c: c.dim,
    "vocab · dim where the head is not tied": lambda c: (not c.tied) * c.vocab * c.dim, "context · dim": lambda c: c.context * c.dim, "vocab": lambda c: c.vocab,
}


def terms_of(config):
    """What a count may hold too much or too little of, by words."""
    keys = config.dim // config.n_heads * config.n_kv_heads
    return {
        **{f"{words} (in each layer)": config.n_layers * term(config, keys) for words, term in IN_LAYERS.items()},
        **{f"{words} (in one layer)": term(config, keys) for words, term in itertools.islice(IN_LAYERS.items(), 3)},
        **{f"{words} (once)": term(config) for words, term in ONCE.items()},
    }


def told_by_terms(got, right, terms, shared=1.0):
    """Which one, two or three terms make the difference, in a sentence; nothing if none do. `shared` belongs to each of them."""
    try:
        off = (np.asarray(got, dtype=float) - np.asarray(right, dtype=float)) / shared
    except (TypeError, ValueError):
        return None
    if off.shape != np.shape(right) or not np.isfinite(off).all() or not off.any():
        return None
    names = list(terms[0])
    table = np.array([[each[name] for name in names] for each in terms], dtype=float)
    for size in (1, 2, 3):
        chosen = np.array(list(itertools.combinations(range(len(names)), size)))
        matrices = table[:, chosen].transpose(1, 0, 2)   # for each choice: shapes, terms
        scale = np.abs(matrices).max(1, keepdims=True) + 1e-300
        times = (np.linalg.pinv(matrices / scale) @ off)[..., None] / scale.transpose(0, 2, 1)
        whole = np.round(2 * times) / 2
        fits = (np.abs(matrices @ whole - off[:, None])[..., 0] <= 1e-6 + 1e-9 * np.abs(off)).all(1) & (whole != 0).all((1, 2)) & (np.abs(whole) <= 24).all((1, 2))
        if fits.any():
            best = int(np.flatnonzero(fits)[0])
            return " and ".join(f"{abs(n):g} × {names[k]} too {'many' if n > 0 else 'few'}" for n, k in zip(whole[best, :, 0], chosen[best], strict=True))
    return None


def parameters_judge(evidence, expected, context):
    """Closeness; the terms that make the difference are told."""
    verdict = COUNTS(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict):
        return verdict
    configs = many_configs(SimpleNamespace(raw=context.reference), context.rng())
    told = told_by_terms(evidence.get("many shapes"), expected["many shapes"], [terms_of(config) for config in configs])
    return Verdict(False, f"`count_parameters` has {told}.") if told else verdict


@question.probe(points=0.5, title="count_parameters: other shapes, and what larger ones add", judge=parameters_judge)
def parameters_edges(student, rng):
    def count(config):
        return number(student.count_parameters(config))

    many = many_configs(student, rng)
    alone, alone_own = ([some_config(student, rng, 1, tied) for _ in range(3)] for tied in (True, False))
    grouped, grouped_own = ([some_config(student, rng, groups, tied) for groups in (2, 3, 4)] for tied in (True, False))
    return {
        "many shapes": parameters(student, *many),
        "no groups, tied": parameters(student, *alone),
        "groups, a head of its own": parameters(student, *grouped_own),
        "one layer, groups, tied": parameters(student, *(config._replace(n_layers=1) for config in grouped)),
        "a wider SwiGLU": tried(lambda: added(count, alone + grouped_own, hidden=3)),
        "a larger vocabulary, tied": tried(lambda: added(count, alone + grouped, vocab=3)),
        "a larger vocabulary, a head of its own": tried(lambda: added(count, alone_own + grouped_own, vocab=3)),
        "another block but its SwiGLU, no groups": tried(lambda: block_without_swiglu(count, alone)),
        "another block but its SwiGLU, groups": tried(lambda: block_without_swiglu(count, grouped)),
    }


def operations(ask, *asked):
    """Counts of some shapes and lengths."""
    return tried(lambda: [number(ask(config, length)) for config, length in asked])


def like_squares(count, *asked):
    """The part of the counts that grows like T²."""
    return tried(lambda: [(count(config, 2 * length) - 2 * count(config, length)) / 2 for config, length in asked])


def like_lengths(count, *asked):
    """The part of the counts that grows like T."""
    return tried(lambda: [(4 * count(config, length) - count(config, 2 * length)) / 2 for config, length in asked])


@question.probe(points=0, title="count_flops: the small model of the text, two known models", public=True, judge=COUNTS)
def flops_known(student, rng):
    return {
        "the small model of the text": operations(student.count_flops, *((example(student), length) for length in (1, 3, 100))),
        "two known models": operations(student.count_flops, *((config, length) for config in known(student) for length in (1024, 16384))),
    }


def pairs_of(config):
    """What the part of the operations that grows like T² may hold too much or too little of."""
    keys = config.dim // config.n_heads * config.n_kv_heads
    return {
        "dim (in each layer)": config.n_layers * config.dim, "keys (in each layer)": config.n_layers * keys, "n_heads (in each layer)": config.n_layers * config.n_heads,
        "dim / n_heads (in each layer)": config.n_layers * config.dim // config.n_heads, "dim (in one layer)": config.dim, "one number (in each layer)": config.n_layers, "hidden (in each layer)": config.n_layers * config.hidden,
        "dim · n_heads (in each layer)": config.n_layers * config.dim * config.n_heads,
        "dim · n_kv_heads (in each layer)": config.n_layers * config.dim * config.n_kv_heads, "n_kv_heads (in each layer)": config.n_layers * config.n_kv_heads, "vocab · dim (once)": config.vocab * config.dim,
    }


def flops_judge(evidence, expected, context):
    """Closeness; the terms that make the difference are told, of each part."""
    verdict = COUNTS(evidence, expected, context)
    if verdict.passed or context.brief or not isinstance(evidence, dict):
        return verdict
    configs = many_configs(SimpleNamespace(raw=context.reference), context.rng())
    told = []
    for key, terms, power in (("many shapes, what grows like T", terms_of, 1), ("many shapes, what grows like T²", pairs_of, 2)):
        if is_right(evidence, expected, key) is False:
            part = told_by_terms(evidence[key], expected[key], [terms(config) for config in configs], 7.0**power)
            if part is None:
                return verdict
            told.append(f"T{'²' if power == 2 else ''} times {part}")
    return Verdict(False, f"`count_flops` has {', and '.join(told)}.") if told else verdict


@question.probe(points=1.5, title="count_flops: other shapes, short and long texts, each part", judge=flops_judge)
def flops_edges(student, rng):
    ask = with_right(student.count_flops, count_parameters=right_parameters)

    def count(config, length=7):
        return number(ask(config, length))

    many = [(config, 7) for config in many_configs(student, rng)]

    def some(groups, tied, *lengths):
        return [(some_config(student, rng, groups, tied), length) for length in lengths]

    alone, alone_own, grouped, grouped_own = some(1, True, 5, 17, 40), some(1, False, 5, 17, 40), some(2, True, 5) + some(3, True, 9, 40), some(2, False, 5) + some(3, False, 9, 40)
    shapes, own_shapes = ([config for config, _ in asked] for asked in (alone + grouped, alone_own + grouped_own))
    return {
        "many shapes, what grows like T": like_lengths(count, *many),
        "many shapes, what grows like T²": like_squares(count, *many),
        "no groups, tied": operations(ask, *alone),
        "groups, a head of its own": operations(ask, *grouped_own),
        "one token": operations(ask, *some(1, True, 1), *some(2, True, 1), *some(3, False, 1)),
        "long texts": operations(ask, *some(1, True, 10_000), *some(2, True, 20_000), *some(3, False, 30_000)),
        "what grows like T², no groups": like_squares(count, *alone),
        "what grows like T², groups": like_squares(count, *grouped),
        "what grows like T, tied": like_lengths(count, *alone, *grouped),
        "what grows like T, a head of its own": like_lengths(count, *alone_own, *grouped_own),
        "a wider SwiGLU": tried(lambda: added(count, shapes + own_shapes, hidden=3)),
        "a larger vocabulary, tied": tried(lambda: added(count, shapes, vocab=3)),
        "a larger vocabulary, a head of its own": tried(lambda: added(count, own_shapes, vocab=3)),
    }


def lengths(ask, configs):
    """Both lengths of some shapes."""
    return [[number(each, "a length") for each in two_of(ask(config), "the first length", "the second one")] for config in configs]


def first(ask, *configs):
    """The first lengths."""
    return tried(lambda: [one for one, _ in lengths(ask, configs)])


def second(ask, *configs):
    """The second lengths."""
    return tried(lambda: [two for _, two in lengths(ask, configs)])


@question.probe(points=0, title="balance_lengths: the small model of the text, two known models", public=True, judge=TOLD)
def lengths_known(student, rng):
    configs = example(student), example(student, False), *known(student)
    return {
        "first length, the small model of the text and two known models": first(student.balance_lengths, *configs),
        "second length, the small model of the text and two known models": second(student.balance_lengths, *configs),
    }


@question.probe(points=1, title="balance_lengths: other shapes", judge=Fields({}, default=Close(rtol=1e-6, atol=0)))
def lengths_edges(student, rng):
    ask = with_right(student.balance_lengths, count_parameters=right_parameters, count_flops=right_flops)
    alone, alone_own = ([some_config(student, rng, 1, tied) for _ in range(3)] for tied in (True, False))
    grouped, grouped_own = ([some_config(student, rng, groups, tied) for groups in (2, 3, 4)] for tied in (True, False))
    single = [some_config(student, rng, groups, n_layers=1) for groups in (1, 2, 3)]
    return {
        "first length, no groups, tied": first(ask, *alone),
        "first length, groups, tied": first(ask, *grouped),
        "first length, a head of its own": first(ask, *alone_own, *grouped_own),
        "first length, one layer": first(ask, *single),
        "second length, no groups, tied": second(ask, *alone),
        "second length, groups, tied": second(ask, *grouped),
        "second length, a head of its own": second(ask, *alone_own, *grouped_own),
        "second length, one layer": second(ask, *single),
    }

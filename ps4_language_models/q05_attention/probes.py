"""Question 5: attention with masks, heads, shared keys and values, and windows."""

import math

import torch
from torch.overrides import TorchFunctionMode

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, tensor_of, tried, with_right

question = Question(
    title="Attention: causal, grouped, sliding",
    skills=["4.17", "4.18", "4.19", "4.20", "4.21"],
    uses=["rope"],
    lecture="transformers",
    run_seconds=4,
    aim="Write attention once, and test it by what it must not see.",
    hints={
        "attend": (
            "Over which axis do the weights sum to 1: that of the queries or that of the keys?",
            "d = 4, q·k = 0 and 2 log 3: the scores are 0 and log 3, the weights 1/4 and 3/4. What if the second key is masked? And both?",
            "A score of minus infinity has weight 0. In a row that has only these, softmax divides 0 by 0: put zeros there afterwards.",
        ),
        "causal_mask": (
            "How far back does row 5 look at column 3? Which distances are allowed?",
            "length 4, window 2: row 0 is True at 0; row 1 at 0, 1; row 2 at 1, 2; row 3 at 2, 3.",
            "A table of distances by broadcasting `torch.arange`, and two conditions joined by `&`.",
        ),
        "symmetric_keys": (
            "When is X M Xᵀ its own transpose for every X? What does that say of M = W_q W_kᵀ?",
            "With W_q the identity, W_kᵀ may be any symmetric matrix. Name one that is no multiple of the identity.",
            "Try W_k = W_q A. Then M = W_q Aᵀ W_qᵀ. What must A be?",
        ),
        "CausalSelfAttention": (
            "(N, T, H·d) becomes (N, H, T, d). Which two steps keep the entries of a head together?",
            "4 query heads and 2 key heads a, b: the four must meet a, a, b, b. What do `repeat` and `repeat_interleave` make of a, b?",
            "Project, cut into heads, exchange two axes; `rope` on queries and keys; repeat keys and values; `attend`; exchange back, put heads side by side, `out`.",
        ),
        "sliding_window_attention": (
            "Which keys does token t need, and how many are they?",
            "window 3: token 0 meets only key 0, token 1 keys 0 and 1, token 2 keys 0, 1 and 2, token 3 keys 1, 2 and 3.",
            "Give each token a list of its own `window` keys: pad in front, then `Tensor.unfold` along the tokens. `attend` with one query per list, and a mask for what is padding.",
        ),
    },
    ambiguities=[
        "`CausalSelfAttention` is made with the given `__init__`; helpers and further buffers are free.",
        "`CausalSelfAttention` and `sliding_window_attention` are asked with right versions of `rope`, `attend` and `causal_mask`: an error there does not cost their points.",
        "The work of `sliding_window_attention` is the count of numbers in all tensors that it makes (views are free), for three lengths: chunks and loops over tokens pass.",
        "`symmetric_keys` may return anything that fits; d = 1 is left out, where only multiples do.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


def right_attend(q, k, v, mask):
    """(5.1), with zeros where nothing may be looked at."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(-1).masked_fill(~mask, 0.0) @ v


def right_mask(length, window=None, device=None):
    """True for the last `window` places up to each one."""
    places = torch.arange(length, device=device)
    back = places[:, None] - places
    return (back >= 0) & (back < (length if window is None else window))


def right_rope(x, positions, base=10000.0):
    """Neighbouring entries turned by positions."""
    angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])
    even, odd, sin, cos = x[..., 0::2], x[..., 1::2], angles.sin(), angles.cos()
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


# --- attend -------------------------------------------------------------------------------------------------------


def some_mask(rng, t, s):
    """A random mask with at least one True in each row."""
    mask = rng.bernoulli(t, s, p=0.6) > 0
    mask[torch.arange(t, device=rng.device), rng.integers(0, s, t)] = True
    return mask


def triple(rng, *batch, t=4, s=6, d=3, e=2, dtype=torch.float32):
    """Queries, keys and values."""
    return rng.normal(*batch, t, d, dtype=dtype), rng.normal(*batch, s, d, dtype=dtype), rng.normal(*batch, s, e, dtype=dtype)


@question.probe(points=0.5, title="attend: some masks", public=True, judge=TOLD)
def attention(student, rng):
    everything = torch.ones(4, 6, dtype=torch.bool, device=rng.device)
    return {
        "everything may be looked at": attempt(student.attend, *triple(rng, d=4), everything),
        "a mask": attempt(student.attend, *triple(rng), some_mask(rng, 4, 6)),
        "two sequences": attempt(student.attend, *triple(rng, 2, s=5), some_mask(rng, 4, 5)),
    }


def slopes_of(ask, inputs, last, weight):
    """Gradients of a weighted sum of the answers by queries, keys and values; the last argument is a mask or a window."""
    leaves = [part.clone().requires_grad_() for part in inputs]
    found = tensor_of(ask(*leaves, last), "the result", weight.shape)
    return gradient("the result", weight * found, q=leaves[0], k=leaves[1], v=leaves[2])


@question.probe(
    points=2, title="attend: empty rows, huge scores, axes, gradients, float64",
    judge=Fields({"in float64": WIDE} | dict.fromkeys(("scores of hundreds", "scores of minus hundreds", "a masked score is huge"), Close(rtol=1e-3, atol=1e-4)) | {"scores below minus a hundred thousand": Close(rtol=0.1, atol=0.1)}, default=Close()),
)
def attention_edges(student, rng):
    mask = some_mask(rng, 4, 6)
    holes = mask.clone()
    holes[1] = False
    q, k, v = triple(rng)
    lifted = torch.cat([torch.ones(4, 1, device=rng.device), q], 1)   # what stands first in a key is in all its scores, halved

    def keys(first):
        return torch.cat([first.expand(6, 1), k], 1)

    third = (torch.arange(6, device=rng.device) == 2)[:, None].float()
    deaf = mask.clone()
    deaf[:, 2], deaf[:, 3] = False, True
    single = torch.zeros(4, 6, dtype=torch.bool, device=rng.device)
    single[torch.arange(4, device=rng.device), rng.permutation(6)[:4]] = True
    heads = torch.stack([some_mask(rng, 4, 6) for _ in range(3)])
    return {
        "a row without True": attempt(student.attend, *triple(rng), holes),
        "no row with a True": attempt(student.attend, *triple(rng), torch.zeros_like(mask)),
        "one True in each row": attempt(student.attend, *triple(rng), single),
        "as many keys as queries": attempt(student.attend, *triple(rng, t=5, s=5, e=3), some_mask(rng, 5, 5)),
        "all sizes equal": attempt(student.attend, *triple(rng, 4, t=4, s=4, d=4, e=4), some_mask(rng, 4, 4)),
        "one query": attempt(student.attend, *triple(rng, t=1), mask[:1]),
        "one key": attempt(student.attend, *triple(rng, s=1), torch.ones(4, 1, dtype=torch.bool, device=rng.device)),
        "long keys, short values": attempt(student.attend, *triple(rng, d=32, e=1), mask),
        "four axes, a mask for each head": attempt(student.attend, *triple(rng, 2, 3), heads),
        "keys shared by all sequences": attempt(student.attend, rng.normal(3, 4, 3), k, v, mask),
        "one mask row for all queries": attempt(student.attend, *triple(rng), mask[:1]),
        "scores of hundreds": attempt(student.attend, 300 * q, k, v, mask | True),
        "scores near 8, 30, 70 and 200": attempt(student.attend, torch.cat([torch.tensor([[16.0], [60], [140], [400]], device=rng.device), q], 1), keys(1 + 0 * third), v, mask),
        "scores of minus hundreds": attempt(student.attend, lifted, keys(-600 + 0 * third), v, mask),
        "scores below minus a hundred thousand": attempt(student.attend, lifted, keys(-(2.0**18) + 0 * third), v, mask),
        "a masked score is larger by ten or so": attempt(student.attend, lifted, keys(20 * third), v, deaf),
        "a masked score is huge": attempt(student.attend, lifted, keys(3000 * third), v, deaf),
        "a masked score is more than a billion": attempt(student.attend, lifted, keys(1e12 * third), v, deaf),
        "gradient": tried(lambda: slopes_of(student.attend, triple(rng, 2), mask, rng.normal(2, 4, 2))),
        "gradient with a row without True": tried(lambda: slopes_of(student.attend, triple(rng), holes, rng.normal(4, 2))),
        "in float64": attempt(student.attend, *triple(rng, dtype=torch.float64), holes),
    }


# --- causal_mask --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="causal_mask: without and with a window", public=True, judge=TOLD)
def masks(student, rng):
    device = rng.device
    return {
        "length 5": tried(lambda: student.causal_mask(5, device=device)),
        "length 6, window 3": tried(lambda: student.causal_mask(6, 3, device)),
    }


class Told(TorchFunctionMode):
    """Notes whether a call of torch is told the device "cpu", which is where everything is without a word."""

    seen = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen |= any(str(part) == "cpu" for part in (*args, *(kwargs or {}).values()) if isinstance(part, (str, torch.device)))
        return func(*args, **(kwargs or {}))


def device_used(student):
    """A mask, made with a word about the device."""
    device = torch.device("cpu")
    with Told() as told:
        found = student.raw.causal_mask(5, 3, device)
    return found if told.seen else "the mask is made without device, so on a GPU it stays on the CPU."


@question.probe(points=0.5, title="causal_mask: small and large windows", judge=TOLD)
def masks_edges(student, rng):
    device, length = rng.device, rng.integer(6, 9)
    return {
        "window 1": tried(lambda: student.causal_mask(length, 1, device)),
        "window 2": tried(lambda: student.causal_mask(length, 2, device)),
        "window by name": tried(lambda: student.causal_mask(length + 3, window=4, device=device)),
        "a window as long as the text": tried(lambda: student.causal_mask(length, length, device)),
        "a window longer than the text": tried(lambda: student.causal_mask(length, 3 * length, device)),
        "one place": tried(lambda: [student.causal_mask(1, device=device), student.causal_mask(1, 1, device), student.causal_mask(1, 3, device)]),
        "with a device": attempt(device_used, student),
    }


# --- symmetric_keys -----------------------------------------------------------------------------------------------


def judge_symmetric(evidence, expected, context):
    """Each answer: W_q W_k^T is symmetric, and W_k no multiple of W_q. The given W_q come first in the expected evidence."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the entries are not those that were asked for."
    for key, (w_q, _) in expected.items():
        answer = evidence[key]
        if isinstance(answer, str):
            return f"In *{key}*: {answer}"
        w_k = answer[1] if isinstance(answer, list) and len(answer) == 2 else None
        if getattr(w_k, "shape", None) != w_q.shape:
            return f"In *{key}*: expected shape {w_q.shape}, got {getattr(w_k, 'shape', type(w_k).__name__)}."
        if w_k.dtype.kind != "f":
            return f"In *{key}*: expected floats, got {w_k.dtype}."
        w_q, w_k = w_q.astype("float64"), w_k.astype("float64")
        size = float((w_k**2).sum()) ** 0.5
        if not 0 < size < 1e30:
            return f"In *{key}*: w_k must be finite and not zero."
        if float(((w_k - w_q * float((w_q * w_k).sum() / (w_q**2).sum())) ** 2).sum()) ** 0.5 < 1e-3 * size:
            return f"In *{key}*: w_k is a multiple of w_q; another answer is asked for."
        product = w_q @ w_k.T
        gap = float(abs(product - product.T).max() / abs(product).max())
        if not gap < 1e-4:
            return f"In *{key}*: w_q @ w_k.T is not symmetric: it differs from its transpose by {100 * gap:.0f} % of its largest entry."
    return True


def keys_for(student, w_q):
    """The given w_q and the answer."""
    return tried(lambda: [w_q.clone(), tensor_of(student.symmetric_keys(w_q), "the result").detach()])


@question.probe(points=0.5, title="symmetric_keys: two sizes", public=True, judge=judge_symmetric)
def symmetric(student, rng):
    return {"D = 5, d = 3": keys_for(student, rng.normal(5, 3)), "D = 8, d = 4": keys_for(student, rng.normal(8, 4))}


@question.probe(points=1, title="symmetric_keys: other sizes", judge=judge_symmetric)
def symmetric_edges(student, rng):
    small = rng.normal(6, 3)
    same = small / small.norm(dim=0)
    return {
        "d = 2": keys_for(student, rng.normal(4, 2)),
        "D = d = 3": keys_for(student, rng.normal(3, 3)),
        "d larger than D": keys_for(student, rng.normal(3, 5)),
        "columns of equal length": keys_for(student, same),
        "small entries": keys_for(student, 0.01 * rng.normal(7, 4)),
        "d = 16": keys_for(student, rng.normal(20, 16)),
        "in float64": keys_for(student, rng.normal(5, 3, dtype=torch.float64)),
    }


# --- CausalSelfAttention ------------------------------------------------------------------------------------------


def layer_of(student, rng, *sizes, dtype=torch.float32, **more):
    """A layer with weights of the grader's."""
    layer = student.raw.CausalSelfAttention(*sizes, **more).to(rng.device).to(dtype)
    with torch.no_grad():
        for name in ("to_q", "to_k", "to_v", "out"):
            weight = getattr(layer, name).weight
            weight.copy_(rng.normal(*weight.shape, std=1.5 / math.sqrt(weight.shape[1]), dtype=dtype))
    return layer


def output(layer, x):
    """What a layer answers, with right functions where it may use them."""
    answer = with_right(layer.forward, rope=right_rope, attend=right_attend, causal_mask=right_mask)(x)
    return tensor_of(answer, "the output")


def layer_slopes(layer, x, weight):
    """Gradients of a weighted sum of the outputs by x and all weights."""
    leaf = x.clone().requires_grad_()
    found = weight * tensor_of(output(layer, leaf), "the output", x.shape)
    return gradient("the output", found, x=leaf, **{name.replace(".", "_"): p for name, p in layer.named_parameters()})


def noticed(layer, x):
    """By how much the earlier outputs move when the last two tokens are others, and the outputs of these."""
    other = x.clone()
    other[:, -2:] = 3 - other[:, -2:]
    before, after = (tensor_of(output(layer, each), "the output", x.shape) for each in (x, other))
    return {"earlier outputs": 1e6 * (after - before)[:, :-2], "later outputs": after[:, -2:]}


@question.probe(points=0, title="CausalSelfAttention: with your other functions", public=True, judge=TOLD)
def layers(student, rng):
    plain, grouped = layer_of(student, rng, 8, 2), layer_of(student, rng, 8, 4, 2)
    return {
        "two heads": attempt(lambda x: tensor_of(plain(x), "the output"), rng.normal(1, 5, 8)),
        "four heads, two of keys and values": attempt(lambda x: tensor_of(grouped(x), "the output"), rng.normal(2, 4, 8)),
    }


def after_call(layer, x):
    """x once the layer has had it."""
    kept = x.clone()
    output(layer, kept)
    return kept


@question.probe(points=3.5, title="CausalSelfAttention: heads, groups, time, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def layers_edges(student, rng):
    two, grouped, single = layer_of(student, rng, 12, 2), layer_of(student, rng, 16, 4, 2), layer_of(student, rng, 12, 3, 1)
    return {
        "two heads": attempt(output, two, rng.normal(2, 5, 12)),
        "one head": attempt(output, layer_of(student, rng, 6, 1), rng.normal(2, 5, 6)),
        "four heads, two of keys and values": attempt(output, grouped, rng.normal(2, 5, 16)),
        "six heads, two of keys and values": attempt(output, layer_of(student, rng, 12, 6, 2), rng.normal(2, 4, 12)),
        "six heads, three of keys and values": attempt(output, layer_of(student, rng, 12, 6, 3), rng.normal(2, 4, 12)),
        "one head of keys and values": attempt(output, single, rng.normal(2, 5, 12)),
        "another base": attempt(output, layer_of(student, rng, 16, 2, base=100.0), rng.normal(2, 9, 16)),
        "one token": attempt(output, grouped, rng.normal(3, 1, 16)),
        "as many tokens as heads": attempt(output, grouped, rng.normal(2, 4, 16)),
        "as many tokens as entries of a head": attempt(output, two, rng.normal(1, 6, 12)),
        "twenty tokens": attempt(output, two, rng.normal(1, 20, 12)),
        "later tokens changed": attempt(noticed, grouped, rng.normal(2, 6, 16)),
        "gradient": attempt(layer_slopes, grouped, rng.normal(2, 4, 16), rng.normal(2, 4, 16)),
        "in float64": attempt(output, layer_of(student, rng, 8, 2, 1, dtype=torch.float64), rng.normal(2, 5, 8, dtype=torch.float64)),
        "x afterwards": attempt(after_call, single, rng.normal(2, 4, 12)),
    }


# --- sliding_window_attention -------------------------------------------------------------------------------------


def slide(student):
    """The student's function, with a right `attend` and `causal_mask`."""
    return with_right(student.sliding_window_attention, attend=right_attend, causal_mask=right_mask)


@question.probe(points=0, title="sliding_window_attention: with your other functions", public=True, judge=TOLD)
def windows(student, rng):
    return {
        "window 3": attempt(student.sliding_window_attention, *triple(rng, t=7, s=7), 3),
        "two sequences, window 2": attempt(student.sliding_window_attention, *triple(rng, 2, t=5, s=5), 2),
    }


@question.probe(points=1.5, title="sliding_window_attention: all windows, axes, gradients, float64", judge=Fields({"in float64": WIDE, "scores of hundreds": Close(rtol=1e-3, atol=1e-4)}, default=Close()))
def windows_edges(student, rng):
    ask = slide(student)
    q, k, v = triple(rng, t=9, s=9)
    far = k.clone()
    far[0] = 100 * q.mean(0)
    return {
        "window 3": attempt(ask, q, k, v, 3),
        "window 4, where it does not divide the length": attempt(ask, *triple(rng, t=10, s=10), 4),
        "window 1": attempt(ask, *triple(rng, t=6, s=6), 1),
        "a window as long as the text": attempt(ask, *triple(rng, t=6, s=6), 6),
        "a window longer than the text": attempt(ask, *triple(rng, t=6, s=6), 11),
        "one token": attempt(ask, *triple(rng, 3, t=1, s=1), 2),
        "four axes": attempt(ask, *triple(rng, 2, 3, t=7, s=7), 3),
        "axes exchanged before": tried(lambda: ask(*(part.transpose(0, 1) for part in (rng.normal(7, 2, 3), rng.normal(7, 2, 3), rng.normal(7, 2, 4))), 3)),
        "all sizes equal": attempt(ask, *triple(rng, 4, t=4, s=4, d=4, e=4), 2),
        "small keys, so that all weights are alike": attempt(ask, 0.01 * q, k, v + 5, 4),
        "a loud first key": attempt(ask, q, far, v, 4),
        "scores of hundreds": attempt(ask, 300 * q, k, v, 4),
        "gradient": tried(lambda: slopes_of(ask, triple(rng, 2, t=7, s=7), 3, rng.normal(2, 7, 2))),
        "in float64": attempt(ask, *triple(rng, t=7, s=7, dtype=torch.float64), 3),
    }


class Made(TorchFunctionMode):
    """Counts the numbers in all tensors that calls of torch make; views and writes into what is there are free."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        flat = [part for part in (*args, *(kwargs or {}).values()) if isinstance(part, torch.Tensor)]
        for part in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(part, torch.Tensor) and not any(same_place(part, each) for each in flat):
                self.count += part.numel()
        return result


def same_place(one, other):
    """Whether two tensors share their numbers; within `torch.vmap` that cannot be told."""
    try:
        return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    except NotImplementedError:
        return False


def work(student, inputs, window):
    """How many numbers the answer makes on its way."""
    with Made() as made, torch.no_grad():
        tensor_of(slide(student)(*inputs, window), "the result", (*inputs[0].shape[:-1], inputs[2].shape[-1]))
    return float(made.count)


def judge_work(evidence, expected, context):
    """From length to length the growth of the work at most doubles, with some margin."""
    counts = evidence.get("numbers made") if isinstance(evidence, dict) else None
    if isinstance(counts, str):
        return counts
    if not isinstance(counts, list) or len(counts) != 3 or not all(isinstance(count, (int, float)) and 0 < count < 1e9 for count in counts):
        return "expected three counts."
    one, two, three = counts
    if not two > one:
        return "the work does not grow with the length of the text."
    ratio = (three - two) / (two - one)
    if ratio > 2.6:
        return f"with window 4, texts of 48, 96 and 192 tokens make it compute {one:.0f}, {two:.0f} and {three:.0f} numbers. That grows faster than the text; only T · window scores matter."
    return True


@question.probe(points=1, title="sliding_window_attention: the work grows as the text does", judge=judge_work)
def windows_work(student, rng):
    return {"numbers made": tried(lambda: [work(student, triple(rng, t=t, s=t), 4) for t in (48, 96, 192)])}

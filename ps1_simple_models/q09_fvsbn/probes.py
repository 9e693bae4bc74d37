"""Question 9: a fully visible sigmoid belief network, and the sampler of every autoregressive model of the set."""

import math

import numpy as np
import torch

from autograder.probes import Close, Custom, Fields, Question, Verdict
from dgm.checks.asking import slopes, tried

from ..shared.bits import not_bits, strings

question = Question(
    title="An autoregressive model",
    skills=["1.24", "1.29"],
    uses=["bernoulli_log_prob", "train"],
    lecture="autoregressive models: the chain rule, ancestral sampling, teacher forcing",
    run_seconds=10,
    manual_points=3,
    rubric=[
        "1 point: a factor must be a distribution over x_i for fixed earlier values. If the logit contains x_i (or "
        "later pixels), the values at x_i = 0 and x_i = 1 need not add up to one, nor do the probabilities of all "
        "images; so the reported number is the log-likelihood of no distribution.",
        "1 point: teacher forcing feeds the very pixel that is predicted, for test images as for training images, so "
        "copying pays on both and there is no gap between them.",
        "1 point: when drawing, the pixel is not there yet; the model copies the 0 that stands in its place, so the "
        "images are black but for stray dots.",
    ],
    aim="Evaluate, fit and sample an autoregressive model; see why a unit that sees itself only looks good.",
    hints={
        "fvsbn_logits": (
            "For D = 2, which entry of `weights` appears in a_2, and which pixel does it multiply?",
            "Take weights of zeros with a single 1 in row 3, column 1. Which logit must change when x_1 changes, and "
            "by how much?",
            "Set what is on and above the diagonal to zero without changing the argument. In the product with all "
            "examples, each *row* of the matrix gives one logit.",
        ),
        "fvsbn_log_prob": (
            "What does `bernoulli_log_prob` expect as its first argument: probabilities or logits?",
            "With all weights and biases zero every image of D pixels has log p = -D log 2.",
            "You have the logits of every pixel and the values of every pixel; (9.3) summed over pixels is a function "
            "that you wrote in Question 6.",
        ),
        "ancestral_sample": (
            "When entry 5 is drawn, which entries must `logits_of` already see, and which of its logits do you need?",
            "Draw two pixels by hand: call `logits_of` on zeros, take the first logit, write the first bit; call it "
            "again on what you have, take the second logit. What changes if the first pixel is known?",
            "Work on a flattened copy in which the unknown entries are 0, and give it its shape back for each call of "
            "`logits_of`. `torch.where` chooses between the value that is there and the new bit.",
        ),
    },
    ambiguities=[
        "Samples are judged entry by entry, given the earlier entries of the same example.",
        "Unknown entries of x are finite in all tests, so a sampler that leaves them in place until they are drawn is "
        "accepted with every autoregressive model.",
        "Ties: at u = σ(a) exactly (planted at logit 0 and u = 0.5) the entry is 0.",
        "With diagonal = 0 the samples depend on what stands in a pixel's place before it is drawn: zeros here.",
    ],
)


def parameters(rng, d, scale=1.5, dtype=torch.float32):
    """Weights with numbers everywhere, also where they must not matter, and biases."""
    return rng.normal(d, d, std=scale, dtype=dtype), rng.normal(d, dtype=dtype)


# --- logits -------------------------------------------------------------------------------------------------------


def pixel_inputs(rng):
    """Weights and biases, and images of no white pixel and of one white pixel each: their logits spell the weights out."""
    d = rng.integer(6, 9)
    weights, biases = parameters(rng, d)
    return weights, biases, torch.cat([torch.zeros(1, d), torch.eye(d)]).to(rng.device)


def pixel_by_pixel(evidence, expected, context):
    """without white pixels the logits are the biases; one white pixel j adds its weights to later logits; then as in each situation"""
    weights, biases, _ = (value.cpu().double().numpy() for value in pixel_inputs(context.rng()))
    got = np.asarray(evidence["no white pixel, then each one alone"])
    if got.dtype.kind == "f" and got.shape == (len(biases) + 1, len(biases)) and np.isfinite(got).all():
        if not np.allclose(got[0], biases, 1e-4, 1e-5):
            return "where all pixels are 0 the logits are not the biases."
        change, right = (got[1:] - got[0]).T, np.tril(weights, -1)
        wrong = np.argwhere(~np.isclose(change, right, 1e-4, 1e-4))
        if len(wrong):
            i, j = (int(k) for k in wrong[0])
            if j >= i:
                who = "itself" if i == j else f"the later pixel {j}"
                return f"the logit of pixel {i} (counted from 0) depends on {who}."
            return f"pixel {j} adds {change[i, j]:.4g} to the logit of pixel {i} (counted from 0); weights[{i}, {j}] is {right[i, j]:.4g}."
    return Fields(default=Close())(evidence, expected, context)


@question.probe(points=0.5, title="fvsbn_logits: a batch and a single example", judge=pixel_by_pixel, public=True)
def logits(student, rng):
    weights, biases, alone = pixel_inputs(rng)
    n, d = rng.integer(3, 6), len(biases)
    return {
        "no white pixel, then each one alone": tried(lambda: student.fvsbn_logits(alone, weights, biases)),
        "a batch": tried(lambda: student.fvsbn_logits(rng.bernoulli(n, d), weights, biases)),
        "as many examples as pixels": tried(lambda: student.fvsbn_logits(rng.bernoulli(d, d), weights, biases)),
        "one example": tried(lambda: student.fvsbn_logits(rng.bernoulli(1, d, p=0.7), weights, biases)),
    }


TOLD = 3.5  # more telling than what is said of other situations


def uncut(evidence, expected, context):
    """close to the reference (rtol 1e-4, atol 1e-5)"""
    verdict = Close()(evidence, expected, context)
    got, want = np.asarray(evidence), np.asarray(expected)
    if verdict.passed or got.dtype.kind != "f" or got.shape != want.shape or not np.isfinite(got).all():
        return verdict
    most = float(np.abs(got).max())
    if 1 < most < np.abs(want).max() and np.allclose(got, want.clip(-most, most), 1e-3):
        return Verdict(False, f"the logits are cut off at {most:.4g}; logits of any size are meant.", TOLD)
    return verdict


UNCUT_LOGITS = Fields({"weights of several hundred": Custom(uncut)}, default=Close())


@question.probe(points=1, title="fvsbn_logits: huge numbers that must not matter, gradients, float64", judge=UNCUT_LOGITS)
def logits_edges(student, rng):
    n, d = rng.integer(3, 6), rng.integer(5, 8)
    x, factor = rng.bernoulli(n, d), 1 + rng.uniform(n, d)
    walls = 1e30 * torch.sign(rng.normal(d, d)).triu()
    weights, biases = parameters(rng, d)
    leaves = {"weights": weights.clone().requires_grad_(), "biases": biases.clone().requires_grad_()}
    wide, wide_biases = parameters(rng, d, dtype=torch.float64)
    lone = parameters(rng, 1)
    ones = torch.ones(2, d, device=rng.device)
    ones[1, :-1] = 0

    def change():
        one, other = (student.fvsbn_logits(x.double(), wide, wide_biases + step) for step in (0, 1e-9))
        return 1e9 * (other - one)

    return {
        "1e30 on and above the diagonal": tried(lambda: student.fvsbn_logits(x, weights.tril(-1) + walls, biases)),
        "all pixels 1, and only the last one": tried(lambda: student.fvsbn_logits(ones, weights, biases)),
        "weights of several hundred": tried(lambda: student.fvsbn_logits(ones, 300 * weights, 300 * biases)),
        "D = 1": tried(lambda: student.fvsbn_logits(rng.bernoulli(4, 1), *lone)),
        "gradients in weights and biases": tried(
            lambda: slopes(student.fvsbn_logits(x, *leaves.values()), (n, d), factor, **leaves)
        ),
        "float64": tried(lambda: student.fvsbn_logits(x.double(), wide, wide_biases)),
        "float64, biases changed by 1e-9, the change times 1e9": tried(change),
    }


# --- log-probabilities --------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="fvsbn_log_prob: a batch and a single example", judge=Fields(default=Close()), public=True)
def log_probs(student, rng):
    n, d = rng.integer(4, 7), rng.integer(3, 7)
    weights, biases = parameters(rng, d)
    return {
        "a batch": tried(lambda: student.fvsbn_log_prob(rng.bernoulli(n, d), weights, biases)),
        "mostly ones": tried(lambda: student.fvsbn_log_prob(rng.bernoulli(n, d, p=0.8), weights, biases)),
        "one example": tried(lambda: student.fvsbn_log_prob(rng.bernoulli(1, d), weights, biases)),
    }


def adds_up(evidence, expected, context):
    """close to the reference (rtol 1e-4, atol 1e-5), so that all 2^D probabilities sum to one"""
    verdict = Close()(evidence, expected, context)
    got, want = np.asarray(evidence), np.asarray(expected)
    if verdict.passed or got.dtype.kind != "f" or got.shape != want.shape or not np.isfinite(got).all():
        return verdict
    total = float(np.exp(np.clip(got.astype(float), -700, 50)).sum())
    return verdict if abs(total - 1) < 1e-3 else Verdict(False, f"their probabilities sum to {total:.4g}, not to 1.", TOLD)


def unbounded(evidence, expected, context):
    """close to the reference (rtol 1e-4, atol 1e-5)"""
    verdict = Close()(evidence, expected, context)
    got, want = np.asarray(evidence), np.asarray(expected)
    if verdict.passed or got.dtype.kind != "f" or got.shape != want.shape or not np.isfinite(got).all():
        return verdict
    unlikely = np.ceil(-want / 1125 - 1e-3)  # pixels, of log-probability -1000 to -1125 each
    each = -got[unlikely > 0] / unlikely[unlikely > 0]
    if each.min() > 5 and np.ptp(each) < 0.02 * each.min() and np.abs(got[unlikely == 0]).sum() < 0.1:
        said = f"every unlikely pixel counts about {-each.mean():.3g}, whatever its logit"
        return Verdict(False, f"{said}: something is cut off (by a clamp, or by a small constant inside a logarithm).", TOLD)
    return verdict


LOG_PROBS = Fields(
    {
        "all vectors of 2 bits": Custom(adds_up),
        "all vectors of several bits": Custom(adds_up),
        "logits of size 1000": Custom(unbounded),
    },
    default=Close(),
)


@question.probe(points=1, title="fvsbn_log_prob: sums to one, large logits, gradients, float64", judge=LOG_PROBS)
def log_prob_edges(student, rng):
    n, d = rng.integer(3, 6), rng.integer(5, 8)
    x, factor = rng.bernoulli(n, d), 1 + rng.uniform(n)
    both = torch.cat([x, 1 - x])  # each bit is once what its bias wants, and once the opposite
    zeros, signs = torch.zeros(d, d, device=rng.device), torch.sign(rng.normal(d))
    signs[0] = 1  # where a sigmoid is rounded to 1
    wide, wide_biases = parameters(rng, d, dtype=torch.float64)

    def grads(scale, offset):
        weights, biases = parameters(rng, d, scale)
        leaves = {"weights": weights.requires_grad_(), "biases": (offset * biases).requires_grad_()}
        return tried(lambda: slopes(student.fvsbn_log_prob(x, *leaves.values()), (n,), factor, **leaves))

    def change():
        one, other = (student.fvsbn_log_prob(x.double(), wide, wide_biases + step) for step in (0, 1e-9))
        return 1e9 * (other - one)

    def every(bits):
        given = parameters(rng, bits)
        return tried(lambda: student.fvsbn_log_prob(strings(bits, rng.device), *given))

    def biased(bias):
        return tried(lambda: student.fvsbn_log_prob(both, zeros, bias * signs))

    return {
        "all vectors of 2 bits": every(2),
        "all vectors of several bits": every(rng.integer(5, 8)),
        "D = 1": every(1),
        "logits of size 40": biased(40 * (1 + rng.uniform(d) / 8)),
        "logits of size 1000": biased(1000 * (1 + rng.uniform(d) / 8)),
        "many pixels": tried(lambda: student.fvsbn_log_prob(rng.bernoulli(3, 250), *parameters(rng, 250, scale=0.05))),
        "gradients in weights and biases": grads(1.5, 1.0),
        "gradients for large logits": grads(300.0, 1000.0),
        "float64": tried(lambda: student.fvsbn_log_prob(x.double(), wide, wide_biases)),
        "float64, biases changed by 1e-9, the change times 1e9": tried(change),
    }


# --- the sampler --------------------------------------------------------------------------------------------------


class Chain:
    """A small autoregressive model: whole-numbered logits, linear in the earlier entries, plus an example's own.

    Each entry depends clearly on the one before it and on two far back, so that a wrong order shows.
    It notes whether autograd is on when it is called, and refuses other shapes than it is made for.
    """

    def __init__(self, rng, n, *shape):
        size = math.prod(shape)
        self.shape, self.grad = (n, *shape), False
        self.weight = rng.integers(-3, 4, size, size) * rng.bernoulli(size, size, p=min(1.0, 2 / size))
        clear = torch.tensor([-3.0, -2.0, 2.0, 3.0], device=rng.device)[rng.integers(0, 4, 3, size).long()]
        for back, numbers in zip((1, size // 2 - 1, size // 2), clear):
            if 0 < back < size:
                self.weight.diagonal(-back).copy_(numbers[back:])
        self.weight = self.weight.tril(-1)
        self.bias = rng.integers(-1, 2, size).float()
        self.own = torch.zeros(n, 1, device=rng.device)

    def __call__(self, x):
        if tuple(x.shape) != self.shape:
            raise ValueError(f"logits_of was called with shape {tuple(x.shape)}, but x has shape {self.shape}")
        self.grad = self.grad or torch.is_grad_enabled()
        logits = x.flatten(1) @ self.weight.T.to(x.dtype) + self.bias.to(x.dtype) + self.own.to(x.dtype)
        return logits.reshape(x.shape)


def between(rng, *shape):
    """Uniform numbers half-way between neighbouring probabilities of a Chain: rounding cannot change a draw."""
    levels = torch.sigmoid(torch.arange(-60, 61, dtype=torch.float64, device=rng.device))
    u = rng.uniform(*shape, low=0.005, high=0.995, dtype=torch.float64)
    above = torch.searchsorted(levels, u)
    return ((levels[above - 1] + levels[above]) / 2).float()


def case(rng, n, *shape, known=0.0, start=0.0, own=False):
    """(logits_of, x, known, uniforms): known entries are random bits, the others have the value ``start``."""
    chain, mask, uniforms = Chain(rng, n, *shape), rng.bernoulli(n, *shape, p=known) > 0, between(rng, n, *shape)
    x = torch.where(mask, rng.bernoulli(n, *shape), start * torch.ones(n, *shape, device=rng.device))
    if own:
        chain.own = rng.integers(-2, 3, n, 1).float()
    return chain, x, mask, uniforms


def ordinary_cases(rng):
    """Vectors and pictures, drawn from nothing and completed."""
    picture = case(rng, 6, 1, 3, 4)
    chain, _, _, uniforms = case(rng, 6, 1, 4, 2)
    upper = (torch.arange(8, device=rng.device) < 4).reshape(1, 1, 4, 2).expand(6, 1, 4, 2).clone()
    return {
        "vectors from nothing": case(rng, rng.integer(8, 12), rng.integer(5, 8)),
        "vectors with known entries": case(rng, rng.integer(8, 12), rng.integer(5, 8), known=0.4),
        "pictures from nothing": picture,
        "pictures, lower halves completed": (chain, rng.bernoulli(6, 1, 4, 2) * upper, upper, uniforms),
    }


def close_call(rng):
    """float64: uniform numbers 1e-9 below and above their probability."""
    wide = torch.float64
    near = rng.uniform(6, low=0.2, high=0.8, dtype=wide)
    near[:2] = rng.uniform(2, low=0.53, high=0.6, dtype=wide)  # logits between 0 and u
    chain = Chain(rng, 2, 6)
    chain.weight, chain.bias = torch.zeros_like(chain.weight, dtype=wide), torch.logit(near)
    zeros = torch.zeros(2, 6, dtype=wide, device=rng.device)
    return chain, zeros, zeros > 0, torch.stack([near - 1e-9, near + 1e-9])


def tied_case(rng):
    """Many logits are exactly 0 and many uniform numbers exactly 0.5."""
    chain, x, mask, uniforms = case(rng, 8, 7, known=0.2)
    chain.bias *= rng.bernoulli(7, p=0.3)
    chain.bias[:2] = 0
    uniforms = torch.where(rng.bernoulli(8, 7, p=0.6) > 0, 0.5 * torch.ones_like(uniforms), uniforms)
    uniforms[:2, :2], mask[:2, :2] = 0.5, False
    return chain, x * mask, mask, uniforms


def edge_cases(rng):
    """Where samplers go wrong."""
    return {
        "known entries anywhere, unknown ones hold 1": case(rng, 12, 1, 3, 3, known=0.5, start=1.0),
        "everything is known": case(rng, 3, 4, known=1.0),
        "only the last entry of each example is unknown": last_unknown(rng),
        "unknown entries hold 7 at the start, the last ones are known": last_known(rng),
        "u equals the probability": tied_case(rng),
        "two channels": case(rng, 16, 2, 2, 2, known=0.2),
        "each example with logits of its own": leafy(rng),
        "one example": case(rng, 1, 8),
        "one entry": case(rng, 12, 1, own=True),
        "float64, u within 1e-9 of the probability": close_call(rng),
        "unlikely bits": unlikely(rng),
    }


def last_unknown(rng):
    """Everything is known but the last entry, whose logit depends on all others."""
    chain, x, mask, uniforms = case(rng, 12, 2, 3)
    mask[:] = True
    mask.view(12, -1)[:, -1] = False
    chain.weight[-1, :-1] = rng.integers(-2, 3, 5).float()
    return chain, rng.bernoulli(12, 2, 3) * mask, mask, uniforms


def last_known(rng):
    """The last two entries are known in all examples; where something is unknown, x holds 7."""
    chain, x, mask, uniforms = case(rng, 10, 2, 3, known=0.3, start=7.0)
    mask.view(10, -1)[:, -2:] = True
    x.view(10, -1)[:, -2:] = rng.bernoulli(10, 2)
    return chain, x, mask, uniforms


def leafy(rng):
    """A model that is being trained: its weights require gradients. Each example has logits of its own."""
    chain, *rest = case(rng, 9, 5, known=0.2, own=True)
    chain.weight.requires_grad_(), chain.bias.requires_grad_()
    return chain, *rest


def unlikely(rng):
    """Probabilities near 0 and 1, and uniform numbers near them."""
    chain, x, mask, _ = case(rng, 8, 5)
    chain.weight[:] = 0
    chain.bias[:] = torch.tensor([10.0, -10.0, 16.0, -16.0, 9.0], device=rng.device)[rng.permutation(5)]
    edges = torch.tensor([1e-8, 5e-7, 2e-5, 7e-5, 1 - 7e-5, 1 - 2e-5, 1 - 5e-7, 0.5], device=rng.device)
    return chain, x, mask, torch.stack([edges[rng.permutation(8)] for _ in range(5)], 1)


def again(student, rng):
    """The same vectors drawn twice."""
    chain, *rest = case(rng, 12, 3)
    return [tried(lambda: student.ancestral_sample(chain, *rest)) for _ in range(2)]


def drawn(student, cases):
    """For each case the samples, the places of each example's ones added up, and what is left behind."""
    found = {}
    for key, (chain, *rest) in cases.items():
        x = rest[0]
        answer = tried(lambda: student.ancestral_sample(chain, *rest))
        if not isinstance(answer, (torch.Tensor, str)):
            answer = f"got {type(answer).__name__} where a tensor is expected."
        if isinstance(answer, torch.Tensor) and answer.shape == x.shape:
            places = torch.arange(1.0, 1 + x[0].numel(), device=answer.device, dtype=torch.float64)
            answer = {
                "samples": answer,
                "places of ones, added up": answer.detach().double().flatten(1) @ places,
                "the arguments afterwards, added up": torch.stack([value.double().sum() for value in rest]),
                "the memory of x": float(answer.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()),
                "gradients while drawing": float(chain.grad),
                "gradients on afterwards": float(torch.is_grad_enabled()),
            }
        found[key] = answer
        torch.set_grad_enabled(True)
    return found


def walked(evidence, expected, cases):
    """The first situation that is wrong, and in it the first entry, in words; True if there is none."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, (chain, x, known, uniforms) in cases.items():
        got = evidence[key]
        if not isinstance(got, dict):
            return f"{key}: {got if isinstance(got, str) else f'got shape {np.shape(got)} where {tuple(x.shape)} is expected.'}"
        samples = np.asarray(got["samples"])
        if samples.dtype.kind != "f" or (x.dtype == torch.float64 and samples.dtype != np.float64):
            return f"{key}: the samples have type {samples.dtype}; they are expected in the type of x, {x.dtype}."
        problem = not_bits(samples, tuple(x.shape)) or misdrawn(samples, chain, x, known, uniforms)
        if problem:
            return f"{key}: {problem}"
        if got["the memory of x"]:
            return f"{key}: the samples share the memory of `x`; a new tensor is asked for."
        if got["gradients while drawing"]:
            return f"{key}: `logits_of` is called with autograd on, which keeps a graph of every call."
        if not got["gradients on afterwards"]:
            return f"{key}: autograd stays switched off for everything that follows."
    return True


def misdrawn(samples, chain, x, known, uniforms):
    """What is wrong with the first wrong entry, in the order in which they are drawn; None if all are right."""
    got = torch.from_numpy(samples).to(x)
    with torch.no_grad():
        p_one = torch.sigmoid(chain(got).double()).flatten(1)
    got, x, known, uniforms = (value.flatten(1) for value in (got, x, known, uniforms))
    changed, wrong = known & (got != x), ~known & (got != (uniforms.double() < p_one))
    if changed.any():
        return "a known entry has been changed."
    if not wrong.any():
        return None
    t = int(wrong.any(0).nonzero()[0])
    n = int(wrong[:, t].nonzero()[0])
    u, p, bit = float(uniforms[n, t]), float(p_one[n, t]), int(got[n, t])
    if u == p:
        return f"u and σ(a) are both {u:.4g}, so u < σ(a) is false and the entry is 0, but it is {bit}."
    if abs(u - p) < 2e-9:
        return "in float64 a bit is wrong whose u is 1e-9 from its probability: something is rounded, to float32 perhaps."
    place = f"entry {t} of example {n} (counted from 0, in the order of drawing)"
    return f"{place} has u = {u:.5g} and σ(a) = {p:.5g} given the entries before it, so it is {1 - bit}, but it is {bit} here."


def ordinary_draws(evidence, expected, context):
    """each unknown entry is 1 exactly if its u is below its probability, given the entries before it"""
    cases = ordinary_cases(context.rng())
    one, other = evidence["the same call twice"]
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and not np.array_equal(one, other):
        return "two calls with the same arguments give different samples: random numbers are drawn that are not in `uniforms`."
    evidence, expected = ({k: v for k, v in each.items() if k in cases} for each in (evidence, expected))
    return walked(evidence, expected, cases)


def edge_draws(evidence, expected, context):
    """as in the public probe; known entries stay, no graph is kept, autograd stays on"""
    return walked(evidence, expected, edge_cases(context.rng()))


@question.probe(points=1, title="ancestral_sample: draws and completes", judge=ordinary_draws, public=True)
def samples(student, rng):
    return drawn(student, ordinary_cases(rng)) | {"the same call twice": again(student, rng)}


@question.probe(points=2, title="ancestral_sample: known entries, ties, shapes, float64, gradients", judge=edge_draws)
def sample_edges(student, rng):
    return drawn(student, edge_cases(rng))

"""Question 3: initial weights, RMSNorm and its gradient, gated units, cross-entropy."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, named, tensor_of, tried

question = Question(
    title="Layers from scratch",
    skills=["4.12", "4.13", "4.14", "4.24"],
    lecture="the layers of a transformer",
    run_seconds=8,
    aim=(
        "Make the parts of a transformer that are not attention, each checked against its definition, and see what a norm does to "
        "gradients and what a gate can compute."
    ),
    hints={
        "init_linear": (
            "Which of the two numbers is the number of inputs that are added up? Which axis has it?",
            "100 inputs: σ = 0.1, and no weight is beyond 0.3. What happens to a draw of 0.34?",
            "`nn.init.trunc_normal_` knows where to cut and takes a generator; its limits a and b are numbers, not multiples of σ.",
        ),
        "RMSNorm": (
            "Over which axis is the mean? What shape must r have, so that every token is divided by its own?",
            "D = 2, x = (3, 4), G = (1, 0): only y₁ matters, y₁ = x₁/r. What are its derivatives by x₁ and x₂?",
            "Both gradients are short in terms of n = x/r and h = G·g. What does dL/dr look like, as a mean of products?",
        ),
        "swiglu": (
            "Weights are stored as (outputs, inputs). What must be turned before x can be multiplied with them?",
            "All numbers 1, no sums (D = H = O = 1): SiLU(1)·1·1 = 0.731. Which of the three matrices is inside SiLU?",
            "Only the branch of `w1` is bent. `F.gelu` has an argument for the formula with tanh.",
        ),
        "product_weights": (
            "Add σ(z) and σ(-z). What follows for SiLU(z) - SiLU(-z)?",
            "If the first unit computes SiLU(a)·b, what must the second one compute, so that the sum is a·b?",
            "Row i of `w1` says what unit i puts into SiLU, row i of `w3` what it is multiplied with, column i of `w2` how it counts in the result.",
        ),
        "cross_entropy": (
            "What is exp(1000) in float32? Which function of torch gives log Σ exp without it?",
            "Three tokens, the middle one ignored: how many costs are in the mean?",
            "Pick out the kept tokens first: `logits[kept]` has one row for each. Then `gather`, and take care of the mean of nothing.",
        ),
    },
    ambiguities=[
        "init_linear is judged by its range, mean, spread and tails; the draws may be made in any way from the generator. The spread after cutting (0.987 σ) may or may not be corrected.",
        "In half precision RMSNorm may round before or after the multiplication with the weight.",
        "product_weights may have any width and be on the CPU.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
LOOSE = Close(rtol=1e-3, atol=1e-3)   # through the sine of numbers of many sizes
TOLD = Fields(default=Close())


# --- init_linear --------------------------------------------------------------------------------------------------


def drawn(student, outs, ins, generator):
    return tensor_of(student.init_linear(outs, ins, generator), "the result", (outs, ins)).detach()


OUTERMOST = "the outermost three of 1000 outputs, 400 inputs"


def outermost(student, generator):
    """In standard deviations: a slip that leaves one weight in 100,000 needs many of them."""
    return drawn(student, 1000, 400, generator).abs().amax(1).topk(3).values * 400**0.5


def weights_judge(evidence, expected, context):
    """Range, spread, tails and mean of weights, at most 1e-6 false alarms; equal seeds agree, other draws differ."""
    import numpy as np

    for key, want in expected.items():
        got, want = evidence[key], np.asarray(want)
        if isinstance(got, str):
            return f"In *{key}*: {got}"
        got = np.asarray(got)
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"In *{key}*: shape {got.shape} and dtype {got.dtype} where {want.shape} and {want.dtype} are expected."
        if not np.isfinite(got).all():
            return f"In *{key}*: some weights are not finite."
        if key == OUTERMOST:
            if np.abs(got).max() > 3.001:
                return f"Of 400,000 weights the largest is {np.abs(got).max():.3g} standard deviations from 0; those beyond 3 are drawn again, until none is left."
            continue
        if want.ndim == 1:
            if got[0] != want[0]:
                return "The draws come from torch's own random numbers (or set their seed); they are to come from the generator."
            continue
        z = got.astype(float) * want.shape[1] ** 0.5   # in units of the standard deviation of (3.1)
        spread, size = z.std(), z.size
        if not 0.987 - 3.6 / size**0.5 < spread < 1 + 3.6 / size**0.5:
            return f"In *{key}*: the standard deviation is {spread:.3g} times 1/sqrt({want.shape[1]})."
        kinds, times = np.unique(got, return_counts=True)
        if len(kinds) < 0.9 * size:
            return f"In *{key}*: the same numbers come again and again."
        if abs(z.mean()) > 5.3 / size**0.5:
            return f"In *{key}*: the mean is {z.mean():.3g} standard deviations, not 0."
        if np.abs(z).max() > 3.001:
            return f"In *{key}*: the largest weight is {np.abs(z).max():.3g} standard deviations from 0; those beyond 3 are drawn again."
        if times.max() > 8:
            value = kinds[times.argmax()] * want.shape[1] ** 0.5
            return f"In *{key}*: {times.max()} weights are exactly {value:.3g} standard deviations. Those beyond 3 are to be drawn again, not set to something."
        if (np.abs(z) > 2.999).sum() > 8:
            return f"In *{key}*: {(np.abs(z) > 2.999).sum()} weights are about 3 standard deviations from 0; of a normal distribution cut there it would be none."
        tail = 0.00975 * size
        if abs((np.abs(z) > 2.5).sum() - tail) > 5.5 * tail**0.5:
            return f"In *{key}*: {(np.abs(z) > 2.5).sum()} weights lie beyond 2.5 standard deviations; of a normal distribution cut at 3 it would be about {tail:.0f}."
    if "the next draw" in expected:
        first, after, again, other = (np.asarray(evidence[key]) for key in ("400 outputs, 30 inputs", "the next draw", "the same seed again", "another seed"))
        if np.array_equal(first, after):
            return "Two draws with the same generator, one after the other, are equal: its state does not move on."
        if not np.array_equal(first, again):
            return "Two generators with the same seed give different weights: not all draws come from the generator."
        if np.array_equal(first, other):
            return "Generators with different seeds give the same weights: the draws do not come from the generator."
    return True


@question.probe(points=0.5, title="init_linear: shape, range and spread", public=True, judge=weights_judge)
def initial(student, rng):
    return {"12 outputs, 50 inputs": attempt(drawn, student, 12, 50, rng.generator())}


@question.probe(points=1, title="init_linear: other shapes, tails, the generator", judge=weights_judge)
def initial_edges(student, rng):
    first, again, other = rng.integer(0, 2**40), rng.integer(0, 2**40), torch.random.get_rng_state()
    generators = {key: torch.Generator(device=rng.device).manual_seed(seed) for key, seed in (("a", first), ("b", first), ("c", again))}
    found = {
        "400 outputs, 30 inputs": attempt(drawn, student, 400, 30, generators["a"]),
        "the next draw": attempt(drawn, student, 400, 30, generators["a"]),
        "the same seed again": attempt(drawn, student, 400, 30, generators["b"]),
        "another seed": attempt(drawn, student, 400, 30, generators["c"]),
        "11 outputs, 1000 inputs": attempt(drawn, student, 11, 1000, generators["b"]),
        "9000 outputs, one input": attempt(drawn, student, 9000, 1, generators["b"]),
        OUTERMOST: attempt(outermost, student, generators["c"]),
    }
    return found | {"torch's own random numbers afterwards": [float(torch.equal(other, torch.random.get_rng_state()))]}


# --- RMSNorm ------------------------------------------------------------------------------------------------------


def norm_of(student, weight, eps=1e-5):
    """A norm of the student's with given weights."""
    norm = student.raw.RMSNorm(len(weight), eps)
    if weight.dtype != torch.float32:
        norm = norm.to(weight.dtype)
    norm = norm.to(weight.device)
    with torch.no_grad():
        norm.weight.copy_(weight)
    return norm


def forward(norm, x):
    """The answer, and x afterwards."""
    before = x.detach().clone()
    found = tensor_of(norm(x), "the result")
    return found if torch.equal(before, x.detach()) else "`RMSNorm` changes x in place."


def half(norm, x):
    """The answer, if its dtype is that of x."""
    found = tensor_of(norm(x), "the result", x.shape)
    return (found if x.dtype == torch.float64 else found.float()) if found.dtype == x.dtype else f"the result has dtype {found.dtype}; it is to be that of x, {x.dtype}."


def backward(norm, x, grad):
    """Both gradients by name, asked as autograd asks: without a graph."""
    before = x.clone(), grad.clone()
    with torch.no_grad():
        found = norm.backward(x, grad)
    if isinstance(found, torch.Tensor):
        return "`RMSNorm.backward` returns one tensor; two are asked for, the gradients by x and by the weight."
    by_x, by_weight = named(found, "by x", "by the weight").values()
    if not (torch.equal(before[0], x) and torch.equal(before[1], grad)):
        return "`RMSNorm.backward` changes x or grad in place."
    return {"by x": tensor_of(by_x, "the gradient by x"), "by the weight": tensor_of(by_weight, "the gradient by the weight")}


def slope(norm, x, factor):
    """Gradients by autograd, through `forward`."""
    leaf = x.clone().requires_grad_()
    return gradient("the result", factor * tensor_of(norm(leaf), "the result", x.shape), x=leaf, the_weight=norm.weight)


def mean_sizes(norm, x):
    """Of each token: what rounding does to single numbers cancels (not where r is nearly 1, as x is rounded, too), a rounded r stays."""
    found = half(norm, x)
    return found if isinstance(found, str) else found.abs().mean(-1)


@question.probe(points=0.5, title="RMSNorm: forward", public=True, judge=TOLD)
def norming(student, rng):
    norm = norm_of(student, rng.uniform(5, low=0.5, high=1.5))
    return {"three tokens": attempt(forward, norm, rng.normal(3, 5)), "two sequences": attempt(forward, norm, 3 * rng.normal(2, 4, 5) + 1)}


@question.probe(points=1.5, title="RMSNorm: sizes, half precision, float64, gradients", judge=Fields(
    {"in float64": WIDE, "mean sizes in bfloat16, exact with float32 in between": Close(rtol=1e-3, atol=0), **dict.fromkeys(("in float16", "large numbers in float16", "in bfloat16", "a norm of float16"), Close(rtol=1.6e-2, atol=2e-3))}, default=Close()))
def norming_edges(student, rng):
    weight = rng.normal(6)
    norm, square, soft = norm_of(student, weight), norm_of(student, rng.normal(4)), norm_of(student, weight, 0.3)
    x, wide = rng.normal(5, 6, mean=0.7), norm_of(student, weight.double(), 1e-8)
    sizes = torch.tensor([[1.0], [20], [500], [1000], [2000]], device=rng.device)
    return {
        "one token, without an axis": attempt(forward, norm, x[0]),
        "as many tokens as numbers": attempt(forward, square, rng.normal(4, 4, mean=0.5)),
        "tokens of different sizes": attempt(forward, norm, x * torch.tensor([[1e-2], [1.0], [1e2], [1e4], [1e6]], device=rng.device)),
        "small numbers": attempt(forward, norm, 3e-3 * x),
        "a large eps": attempt(forward, soft, x),
        "zeros": attempt(forward, soft, torch.zeros_like(x)),
        "negative numbers": attempt(forward, norm, -x.abs() - 1),
        "in float64": attempt(half, wide, 1e-3 * x.double()),
        "in float16": attempt(half, norm, x.half()),
        "large numbers in float16": attempt(half, norm, (sizes * x).half()),
        "in bfloat16": attempt(half, norm, x.bfloat16()),
        "a norm of float16": attempt(half, norm_of(student, weight.half()), (sizes * x).half()),
        "mean sizes in bfloat16, exact with float32 in between": attempt(mean_sizes, norm_of(student, rng.uniform(512, low=0.5, high=1.5)), rng.normal(16, 512, std=1.21).bfloat16()),
        "gradient": attempt(slope, norm, x, rng.normal(5, 6)),
        "gradient, small numbers": attempt(slope, soft, 0.3 * x, rng.normal(5, 6)),
    }


@question.probe(points=0.5, title="RMSNorm.backward: several tokens", public=True, judge=TOLD)
def norm_gradient(student, rng):
    norm = norm_of(student, rng.uniform(5, low=0.5, high=1.5))
    return {"three tokens": attempt(backward, norm, rng.normal(3, 5), rng.normal(3, 5))}


@question.probe(points=1.5, title="RMSNorm.backward: sizes, eps, shapes, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def norm_gradient_edges(student, rng):
    weight = rng.normal(6)
    norm, square, soft, x, grad = norm_of(student, weight), norm_of(student, rng.normal(4)), norm_of(student, weight, 0.3), rng.normal(5, 6, mean=0.7), rng.normal(5, 6)
    found = {
        "one token": attempt(backward, norm, x[:1], grad[:1]),
        "one token, without an axis": attempt(backward, norm, x[0], grad[0]),
        "two sequences": attempt(backward, norm, rng.normal(2, 3, 6), rng.normal(2, 3, 6)),
        "as many tokens as numbers": attempt(backward, square, rng.normal(4, 4, mean=0.5), rng.normal(4, 4)),
        "long x": attempt(backward, norm, 30 * x, 30 * grad),
        "small numbers": attempt(backward, norm, 3e-3 * x, 1e-2 * grad),
        "a large eps": attempt(backward, soft, x, grad),
        "grad along y": attempt(backward, norm, x, 3 * x),
        "zeros": attempt(backward, soft, torch.zeros_like(x), grad),
        "in float64": attempt(backward, norm_of(student, weight.double(), 1e-8), 1e-3 * x.double(), grad.double()),
    }
    norm.weight.grad = None
    attempt(backward, norm, x, grad)
    return found | {"the weight afterwards": [norm.weight.detach().clone(), torch.zeros_like(weight) if norm.weight.grad is None else norm.weight.grad]}


# --- swiglu -------------------------------------------------------------------------------------------------------


def gated(student, *arguments):
    return tensor_of(student.swiglu(*arguments), "the result")


def gated_slopes(student, x, w1, w2, w3, gate="silu"):
    leaves = {"x": x, "w1": w1, "w2": w2, "w3": w3}
    leaves = {key: value.clone().requires_grad_() for key, value in leaves.items()}
    return gradient("the result", tensor_of(student.swiglu(*leaves.values(), gate), "the result").sin(), **leaves)


def matrices(rng, d, h, o, dtype=torch.float32):
    return rng.normal(h, d, dtype=dtype), rng.normal(o, h, dtype=dtype), rng.normal(h, d, dtype=dtype)


@question.probe(points=0.5, title="swiglu: both gates", public=True, judge=TOLD)
def gating(student, rng):
    x, weights = rng.normal(4, 3), matrices(rng, 3, 5, 2)
    return {"SwiGLU": attempt(gated, student, x, *weights), "GEGLU": attempt(gated, student, x, *weights, "gelu")}


@question.probe(points=1, title="swiglu: shapes, sizes, float64, gradients", judge=Fields({"in float64": WIDE, "GEGLU in float64": WIDE, "gradient": LOOSE, "gradient of GEGLU": LOOSE}, default=Close()))
def gating_edges(student, rng):
    x, weights = rng.normal(4, 3), matrices(rng, 3, 5, 2)
    square, wide = matrices(rng, 4, 4, 4), matrices(rng, 3, 5, 3, torch.float64)
    return {
        "all sizes equal": attempt(gated, student, rng.normal(4, 4), *square),
        "GEGLU, all sizes equal": attempt(gated, student, rng.normal(4, 4), *square, "gelu"),
        "two sequences": attempt(gated, student, rng.normal(2, 3, 3), *weights),
        "one token, without an axis": attempt(gated, student, x[0], *weights),
        "large numbers": attempt(gated, student, 300 * x, *weights),
        "GEGLU, large numbers": attempt(gated, student, 300 * x, *weights, "gelu"),
        "small numbers": attempt(gated, student, x, 0.1 * weights[0], *weights[1:]),
        "GEGLU, one by one": tried(lambda: gated(student, rng.uniform(12, 1, low=-3, high=3), *[torch.ones(1, 1, device=rng.device)] * 3, "gelu")),
        "in float64": attempt(gated, student, x.double(), *wide),
        "GEGLU in float64": attempt(gated, student, x.double(), *wide, "gelu"),
        "gradient": attempt(gated_slopes, student, x, *weights),
        "gradient of GEGLU": attempt(gated_slopes, student, x, *weights, "gelu"),
    }


# --- product_weights ----------------------------------------------------------------------------------------------


def layer(x, w1, w2, w3):
    z = x @ w1.T
    return (z * torch.sigmoid(z) * (x @ w3.T)) @ w2.T


def products(student, x):
    """What a right layer makes of the weights."""
    weights = [tensor_of(w, f"w{i}").detach().to(x.device) for i, w in named(student.product_weights(), "1", "2", "3").items()]
    width = len(weights[0]) if weights[0].ndim else 0
    for i, (w, shape) in enumerate(zip(weights, ((width, 2), (1, width), (width, 2))), 1):
        if type(w) is not torch.Tensor or tuple(w.shape) != shape or not 0 < width < 10_000:
            return f"w{i} has shape {tuple(w.shape)}; the shapes are to be (H, 2), (1, H) and (H, 2) for one H."
        if w.dtype != torch.float32:
            return f"w{i} has dtype {w.dtype}; float32 is asked for."
    return layer(x, *weights)[:, 0]


@question.probe(points=0.5, title="product_weights: a few products", public=True, judge=TOLD)
def product(student, rng):
    x = rng.uniform(6, 2, low=-3, high=3)
    return {"products": attempt(products, student, x)}


@question.probe(points=0.5, title="product_weights: large, small, zero", judge=Fields({"large factors": Close(rtol=1e-3, atol=1e-3), "small factors": Close(rtol=1e-3, atol=1e-7)}, default=Close()))
def product_edges(student, rng):
    x = rng.normal(6, 2)
    zero = torch.cat([x[:3] * torch.tensor([1.0, 0.0], device=rng.device), x[:3] * torch.tensor([0.0, 1.0], device=rng.device), x[:2]])
    return {
        "large factors": attempt(products, student, 30 * x),
        "small factors": attempt(products, student, 0.02 * x),
        "equal factors": attempt(products, student, x[:, :1].expand(-1, 2)),
        "opposite factors": attempt(products, student, torch.cat([x[:, :1], -x[:, :1]], 1)),
        "a factor of zero": attempt(products, student, zero),
    }


# --- cross_entropy ------------------------------------------------------------------------------------------------


def cost(student, *arguments):
    return tensor_of(student.cross_entropy(*arguments), "the result")


def costs(student, *calls):
    """Several calls: one number alone cannot tell what is wrong."""
    return torch.stack([tensor_of(student.cross_entropy(*call), "the result", ()) for call in calls])


def cost_slopes(student, logits, targets, *ignore):
    leaf = logits.clone().requires_grad_()
    return gradient("the result", tensor_of(student.cross_entropy(leaf, targets, *ignore), "the result", ()), logits=leaf)


def batch(rng, n, t, v, dtype=torch.float32, kept=0.6):
    """Logits and targets, some of them ignored, at least one kept in each."""
    targets = rng.integers(0, v, n, t)
    gone = rng.bernoulli(n, t, p=1 - kept).bool()
    gone[0, 0], gone[0, 1] = False, True
    return 2 * rng.normal(n, t, v, dtype=dtype), targets.masked_fill(gone, -100)


@question.probe(points=0.5, title="cross_entropy: with and without ignored tokens", public=True, judge=TOLD)
def loss(student, rng):
    full = [(2 * rng.normal(2, 3, 5), rng.integers(0, 5, 2, 3)) for _ in range(3)]
    return {
        "all tokens kept": attempt(costs, student, *full),
        "some ignored": attempt(costs, student, *[batch(rng, 2, 4, 5) for _ in range(3)]),
    }


@question.probe(points=1.5, title="cross_entropy: large logits, other marks, nothing kept, float64, gradients", judge=Fields({"in float64": WIDE}, default=Close()))
def loss_edges(student, rng):
    logits, targets = batch(rng, 3, 4, 6)
    possible = torch.where(targets == 5, 4, targets)
    inner = rng.integers(0, 6, 3, 4)
    inner[0, :2] = torch.tensor([0, 5], device=rng.device)
    inner[1, :2] = torch.tensor([2, 2], device=rng.device)
    none = torch.full_like(targets, -100)
    moved = torch.where(targets == -100, -1, targets)

    def three(change, marks, *ignore):
        """Of one, two and three sequences."""
        return attempt(costs, student, *[(change(logits[:n]), marks[:n], *ignore) for n in (1, 2, 3)])

    def only(marks):
        return [(logits, torch.where(mark, inner, -100)) for mark in marks]

    place = torch.arange(12, device=rng.device).reshape(3, 4)
    ends = torch.tensor([[1, 4, 2], [4, 1, 1], [0, 3, 1]], device=rng.device)
    last = torch.arange(6, device=rng.device) == 5
    inside, most = torch.where(targets == -100, -100, targets.clamp(1, 4)), torch.arange(6, device=rng.device) % 5 == 0
    return {
        "large logits": three(lambda part: 500 * part, targets),
        "logits near 1000": three(lambda part: part + 1000, targets),
        "logits near -1000": three(lambda part: part - 1000, targets),
        "impossible tokens": three(lambda part: part.masked_fill(last, float("-inf")), possible),
        "impossible tokens, the first among them": three(lambda part: part.masked_fill(most, float("-inf")), inside),
        "ignore = -1": three(lambda part: part, moved, -1),
        "ignore = 0": three(lambda part: part, inner, 0),
        "ignore = 5, the last token": three(lambda part: part, inner, 5),
        "ignore = 2, many of them": three(lambda part: part, torch.where(inner == 3, 2, inner), 2),
        "one token in a sequence of ignored ones": attempt(costs, student, *only(place == i for i in range(3))),
        "sequences of different lengths": attempt(costs, student, *only(place % 4 < end[:, None] for end in ends)),
        "no axis, one axis, three axes": attempt(costs, student, (logits[0, 0], inner[0, 0]), (logits[0], targets[0]), (logits.reshape(3, 2, 2, 6), targets.reshape(3, 2, 2))),
        "as many tokens as kinds": attempt(costs, student, *[(rng.normal(4, 4), rng.integers(0, 4, 4)) for _ in range(3)]),
        "nothing kept": attempt(costs, student, (logits, none), (logits[:1], none[:1]), (logits[0], none[0])),
        "in float64": attempt(costs, student, *[batch(rng, 2, 3, 5, torch.float64) for _ in range(3)]),
        "gradient": attempt(cost_slopes, student, logits, targets),
        "gradient with large logits": attempt(cost_slopes, student, logits + 1000, targets),
        "gradient with impossible tokens": attempt(cost_slopes, student, logits.masked_fill(most, float("-inf")), inside),
        "gradient with ignore = 2": attempt(cost_slopes, student, logits, inner, 2),
    }

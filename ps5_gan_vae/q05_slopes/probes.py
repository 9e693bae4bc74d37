"""Question 5: space to depth, spectral normalisation, the exact slope of a convolution, and a stage of a GAN."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, tensor_of, tried, two_of, with_right

question = Question(
    title="Convolutions and a bounded slope",
    skills=["5.08", "5.15", "5.18"],
    lecture="convolutional GANs, Wasserstein critics",
    run_seconds=25,
    aim="Bound the slope of a convolution, measure what spectral normalisation bounds, and build the stages of a GAN.",
    hints={
        "space_to_depth": (
            "A pixel has a row and a column. Which of its four numbers (block row, row in the block, block column, column in the block) become channels?",
            "One channel, [[1, 2], [3, 4]], r = 2: four channels of one pixel, 1, 2, 3, 4. With two channels, the four of the first come first.",
            "Split H into (H/r, r) and W into (W/r, r) by `reshape`, bring the two axes of length r behind C by `permute`, and merge.",
        ),
        "SpectralConv2d": (
            "What must be saved with the weights, must move with `.to(...)`, and is not trained? And which part of (5.1) depends on the weight as the loss does?",
            "W = [[3, 0], [0, 1]], u = (1, 1)/√2: v = (3, 1)/√10, Wv = (9, 1)/√10. In training mode u becomes (9, 1)/√82 and σ = 2.86; in eval mode u stays and σ = 10/√20 = 2.24.",
            "`register_buffer`; `flatten(1)` makes the matrix; v and u within `torch.no_grad()`; a new tensor in `self.u`, since a graph may still need the old one.",
        ),
        "conv_norms": (
            "k = 4, s = 2, along one axis: which patches contain pixel 7? And k = 3, s = 2, pixel 6?",
            "One axis, kernel (1, 1), s = 1: at frequency f the 1×1 matrix is 1 + exp(-2πi f/size), which is 2 at f = 0.",
            "Pad the kernel to size×size, cut it by your `space_to_depth`, `torch.fft.fft2`; one (out, in·s²) matrix for each frequency, for `torch.linalg.matrix_norm(…, 2)`.",
        ),
        "GanBlock": (
            "Of each convolution: what comes directly after it, and does that take a bias away again?",
            "A picture [[1, 2]], repeated: [[1, 1, 2, 2], [1, 1, 2, 2]]; and the means of its 2×2 blocks are the first pixels again.",
            "Write down the layers of both cases first. `nn.init.normal_` takes a generator; `F.interpolate` and `F.avg_pool2d` change sizes.",
        ),
    },
    ambiguities=[
        "`SpectralConv2d` may keep further buffers (such as v), if u and the results are those of (5.1); `forward` is given.",
        "`GanBlock`: the order in which rng is used is free; biases, BatchNorm's numbers and `u` start as PyTorch or `SpectralConv2d` makes them. Without rng the global generator is used.",
        "`GanBlock` is asked with a right `SpectralConv2d`, `conv_norms` with a right `space_to_depth`. The 1×1 convolution and the change of size may come in either order.",
        "`conv_norms` returns two tensors without axes, however they are computed; gradients are asked where the largest singular value is single.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


def right_space_to_depth(x, r):
    """Blocks of pixels as channels."""
    return F.pixel_unshuffle(x, r)


class RightSpectralConv2d(nn.Conv2d):
    """A right layer, for the stages of a GAN."""

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.register_buffer("u", F.normalize(torch.randn(self.out_channels), dim=0))

    def sigma(self):
        """(5.1) once."""
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(matrix.T @ self.u, dim=0)
            if self.training:
                self.u = F.normalize(matrix @ v, dim=0)
        return self.u @ matrix @ v

    def forward(self, x):
        return self._conv_forward(x, self.weight / self.sigma(), self.bias)


# --- space_to_depth -----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="space_to_depth: blocks of four", public=True, judge=TOLD)
def blocks(student, rng):
    return {
        "one channel": attempt(student.space_to_depth, rng.normal(1, 1, 4, 6), 2),
        "three channels": attempt(student.space_to_depth, rng.normal(2, 3, 4, 8), 2),
    }


@question.probe(points=1, title="space_to_depth: other blocks, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def blocks_edges(student, rng):
    ask, leaf = student.space_to_depth, rng.normal(2, 3, 4, 6).requires_grad_()
    return {
        "blocks of nine": attempt(ask, rng.normal(2, 2, 6, 9), 3),
        "blocks of one pixel": attempt(ask, rng.normal(2, 3, 2, 4), 1),
        "one block": attempt(ask, rng.normal(2, 3, 4, 4), 4),
        "one row of blocks": attempt(ask, rng.normal(3, 2, 2, 10), 2),
        "one column of blocks": attempt(ask, rng.normal(3, 2, 10, 2), 2),
        "one picture of one channel": attempt(ask, rng.normal(1, 1, 6, 6), 3),
        "all sizes equal": attempt(ask, rng.normal(4, 4, 4, 4), 2),
        "axes exchanged before": tried(lambda: ask(rng.normal(4, 6, 3, 2).permute(3, 2, 1, 0), 2)),
        "whole numbers": attempt(ask, rng.integers(-50, 50, 2, 3, 6, 4), 2),
        "twice": tried(lambda: ask(ask(rng.normal(1, 2, 8, 4), 2), 2)),
        "gradient": tried(lambda: gradient("the result", rng.normal(2, 12, 2, 3) * tensor_of(ask(leaf, 2), "the result", (2, 12, 2, 3)), x=leaf)),
        "in float64": attempt(ask, rng.normal(2, 2, 4, 6, dtype=torch.float64), 2),
    }


# --- SpectralConv2d -----------------------------------------------------------------------------------------------


def spectral(student, rng, *sizes, dtype=torch.float32, scale=1.0, **more):
    """A layer with weights and u of the grader's."""
    layer = student.raw.SpectralConv2d(*sizes, **more).to(rng.device).to(dtype)
    with torch.no_grad():
        layer.weight.copy_(scale * rng.normal(*layer.weight.shape, dtype=dtype))
        if layer.bias is not None:
            layer.bias.copy_(rng.normal(len(layer.bias), dtype=dtype))
        tensor_of(layer.u, "`u`", (layer.out_channels,)).copy_(F.normalize(rng.normal(layer.out_channels, dtype=dtype), dim=0))
    return layer


def estimates(layer, times):
    """What `sigma` gives, several times, and u afterwards."""
    found = [tensor_of(layer.sigma(), "σ", ()).detach().clone() for _ in range(times)]
    return [torch.stack(found), layer.u.detach().clone()]


def estimates_eval(layer, times):
    """The same in eval mode."""
    return estimates(layer.eval(), times)


@question.probe(points=0.5, title="SpectralConv2d: σ and u, some steps", public=True, judge=TOLD)
def spectra(student, rng):
    return {
        "one step": tried(lambda: estimates(spectral(student, rng, 3, 4, 3), 1)),
        "three steps": tried(lambda: estimates(spectral(student, rng, 2, 5, 4), 3)),
        "an output": tried(lambda: tensor_of(spectral(student, rng, 3, 4, 3, padding=1)(rng.normal(2, 3, 5, 6)), "the output").detach()),
    }


def saved(student, rng):
    """u in what is saved, and in a layer that reads it."""
    layer, other = (spectral(student, rng, 2, 4, 3) for _ in range(2))
    layer.sigma()
    state = layer.state_dict()
    if "u" not in state:
        return "`u` is not saved with the weights: it is no buffer."
    if "u" in dict(layer.named_parameters()):
        return "`u` is a parameter, so an optimiser would change it."
    other.load_state_dict(state)
    return estimates(other, 2)


def first_u(student, rng):
    """u of new layers: lengths, whether it differs from entry to entry and from layer to layer, and dtype."""
    found = [student.raw.SpectralConv2d(2, size, 3).u.detach().double() for size in (6, 6, 9)]
    return [tensor_of(found[2], "`u`", (9,)).norm(), found[0].norm(), float(found[0].std() > 1e-3), float((found[0] - found[1]).abs().max() > 1e-3), float(found[0].min() < 0) + float(found[1].min() < 0) + float(found[2].min() < 0) > 0]


def first_u_of(student, rng):
    """The same with torch's own generator in a known state, which is put back."""
    state = torch.random.get_rng_state()
    try:
        torch.manual_seed(rng.integer(0, 10**6))
        return first_u(student, rng)
    finally:
        torch.random.set_rng_state(state)


def weight_slopes(layer, rng, calls, backwards=1):
    """Gradients by the weight of a weighted sum of outputs, of several calls before each backward pass."""
    total = []
    for _ in range(backwards):
        shape = tensor_of(layer(rng.normal(2, layer.in_channels, 5, 5, dtype=layer.weight.dtype)), "the output").shape
        found = sum((rng.normal(*shape, dtype=layer.weight.dtype) * layer(rng.normal(2, layer.in_channels, 5, 5, dtype=layer.weight.dtype))).sum() for _ in range(calls))
        total += gradient("the output", found, weight=layer.weight)
    return total


def sigma_slopes(layer):
    """The gradient of σ itself by the weight."""
    return gradient("σ", tensor_of(layer.sigma(), "σ", ()), weight=layer.weight)


def in_turn(layer):
    """σ in training mode, in eval mode twice, and in training mode again."""
    found = [layer.sigma(), layer.eval().sigma(), layer.sigma(), layer.train().sigma(), layer.eval().sigma()]
    return [torch.stack([tensor_of(each, "σ", ()) for each in found]).detach(), layer.u.detach().clone()]


def with_other_weights(layer, rng):
    """σ after the weights have changed in place, as an optimiser changes them."""
    found = [layer.sigma().detach().clone()]
    for _ in range(3):
        with torch.no_grad():
            layer.weight.add_(rng.normal(*layer.weight.shape))
        found.append(layer.sigma().detach().clone())
    return [torch.stack(found), layer.u.detach().clone()]


def without_gradients(layer, times):
    """σ inside `torch.no_grad()`."""
    with torch.no_grad():
        return estimates(layer, times)


@question.probe(points=3, title="SpectralConv2d: eval mode, what is kept, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def spectra_edges(student, rng):
    def make(*sizes, **more):
        return spectral(student, rng, *sizes, **more)

    return {
        "one step": tried(lambda: estimates(make(3, 4, 3), 1)),
        "one step, more outputs than inputs": tried(lambda: estimates(make(1, 12, 2), 1)),
        "one step, one output": tried(lambda: estimates(make(3, 1, 3), 2)),
        "as many outputs as numbers of a patch": tried(lambda: estimates(make(2, 8, 2), 2)),
        "one pixel": tried(lambda: estimates(make(5, 5, 1), 2)),
        "in eval mode": tried(lambda: estimates_eval(make(3, 4, 3), 2)),
        "training, eval, training": tried(lambda: in_turn(make(2, 5, 3))),
        "many steps": tried(lambda: estimates(make(2, 3, 3), 25)),
        "small weights": tried(lambda: [1e4 * estimates(make(2, 3, 3, scale=1e-4), 2)[0]]),
        "large weights": tried(lambda: [1e-4 * estimates(make(2, 3, 3, scale=1e4), 2)[0]]),
        "weights changed between steps": tried(lambda: with_other_weights(make(3, 4, 2), rng)),
        "inside no_grad": tried(lambda: without_gradients(make(3, 4, 3), 2)),
        "gradient of σ": tried(lambda: sigma_slopes(make(3, 4, 2))),
        "gradient of σ in eval mode": tried(lambda: sigma_slopes(make(3, 4, 2).eval())),
        "gradient of outputs": tried(lambda: weight_slopes(make(2, 3, 3), rng, 1)),
        "gradient of outputs, several calls before it": tried(lambda: weight_slopes(make(2, 3, 3), rng, 3)),
        "gradient of outputs, several backward passes": tried(lambda: weight_slopes(make(2, 3, 3), rng, 1, 3)),
        "saved and read again": tried(lambda: saved(student, rng)),
        "u at first": tried(lambda: first_u_of(student, rng)),
        "an output with stride and padding": tried(lambda: tensor_of(make(2, 3, 4, stride=2, padding=1)(rng.normal(2, 2, 6, 8)), "the output").detach()),
        "in float64": tried(lambda: estimates(make(3, 4, 3, dtype=torch.float64), 3)),
    }


# --- conv_norms ---------------------------------------------------------------------------------------------------


def norms(student):
    """The student's function, with a right `space_to_depth`; two numbers come back."""

    def ask(weight, size, stride=1):
        answer = with_right(student.conv_norms, space_to_depth=right_space_to_depth)(weight, size, stride)
        return two_of(answer, "the exact slope", "the bound")

    return ask


def both(found):
    """Exact slope and bound, by name."""
    return {"exact": tensor_of(found[0], "the exact slope", ()), "bound": tensor_of(found[1], "the bound", ())}


def several(ask, rng, sizes, size, stride, dtype=torch.float32):
    """Three weights of one shape."""
    found = [both(ask(rng.normal(*sizes, dtype=dtype), size, stride)) for _ in range(3)]
    return {key: torch.stack([each[key] for each in found]).detach() for key in ("exact", "bound")}


@question.probe(points=0.5, title="conv_norms: with your space_to_depth", public=True, judge=TOLD)
def slopes_of_kernels(student, rng):
    def ask(weight, size, stride):
        return two_of(student.conv_norms(weight, size, stride), "the exact slope", "the bound")

    return {
        "k = 3, stride 1": tried(lambda: several(ask, rng, (2, 3, 3, 3), 6, 1)),
        "k = 4, stride 2": tried(lambda: several(ask, rng, (3, 2, 4, 4), 8, 2)),
    }


def norm_slopes(ask, weight, size, stride, which):
    """The gradient of one of the two by the weight."""
    leaf = weight.clone().requires_grad_()
    return gradient(("the exact slope", "the bound")[which], ask(leaf, size, stride)[which], weight=leaf)


@question.probe(points=2, title="conv_norms: all kinds of kernels, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def slopes_of_kernels_edges(student, rng):
    ask = norms(student)
    ones = torch.ones(1, 1, 3, 3, device=rng.device)
    return {
        "k = 3, stride 2": tried(lambda: several(ask, rng, (2, 3, 3, 3), 8, 2)),
        "k = 5, stride 3": tried(lambda: several(ask, rng, (3, 2, 5, 5), 9, 3)),
        "k = 5, stride 2": tried(lambda: several(ask, rng, (2, 2, 5, 5), 6, 2)),
        "k = 6, stride 2": tried(lambda: several(ask, rng, (2, 1, 6, 6), 8, 2)),
        "k = 4, stride 1": tried(lambda: several(ask, rng, (1, 2, 4, 4), 7, 1)),
        "k = stride": tried(lambda: several(ask, rng, (3, 2, 2, 2), 6, 2)),
        "k = 1": tried(lambda: several(ask, rng, (4, 3, 1, 1), 5, 1)),
        "k smaller than the stride": tried(lambda: several(ask, rng, (3, 2, 2, 2), 6, 3)),
        "a kernel as large as the picture": tried(lambda: several(ask, rng, (2, 3, 4, 4), 4, 2)),
        "a large picture": tried(lambda: several(ask, rng, (2, 2, 3, 3), 24, 1)),
        "more outputs than inputs": tried(lambda: several(ask, rng, (9, 1, 3, 3), 6, 1)),
        "more inputs than outputs": tried(lambda: several(ask, rng, (1, 7, 3, 3), 6, 2)),
        "kernels of one sign": tried(lambda: [both(ask(ones * number, size, 1)) for number, size in ((1.0, 5), (-2.0, 6), (0.3, 3))]),
        "stride left out": tried(lambda: [both(ask(rng.normal(2, 3, 2, 2), size)) for size in (4, 5, 6)]),
        "small weights": tried(lambda: [1e5 * part for part in ask(1e-5 * rng.normal(2, 3, 3, 3), 6, 1)]),
        "gradient of the exact slope": tried(lambda: norm_slopes(ask, rng.normal(1, 1, 3, 3) + 2, 5, 1, 0)),
        "gradient of the bound": tried(lambda: norm_slopes(ask, rng.normal(3, 2, 4, 4), 6, 2, 1)),
        "in float64": tried(lambda: several(ask, rng, (2, 3, 4, 4), 6, 2, torch.float64)),
    }


# --- GanBlock -----------------------------------------------------------------------------------------------------


def built(student, *sizes, rng=None):
    """A stage, made with a right `SpectralConv2d`."""
    kind = student.raw.GanBlock
    stage = kind.__new__(kind)
    with_right(kind.__init__, SpectralConv2d=RightSpectralConv2d)(stage, *sizes, rng)
    return stage


def with_numbers(stage, rng, *sizes, dtype=torch.float32):
    """A stage with numbers of the grader's in all its layers."""
    stage, up = stage.to(rng.device).to(dtype), sizes[-1]
    for name in ("conv", "skip", "norm")[: 3 if up else 2]:
        layer = getattr(stage, name)
        with torch.no_grad():
            layer.weight.copy_(rng.normal(*layer.weight.shape, std=0.6, dtype=dtype) + (1.0 if name == "norm" else 0.0))
            bias = rng.normal(sizes[1], dtype=dtype)
            if layer.bias is not None and layer.bias is not False:
                layer.bias.copy_(bias)
            if name == "norm":
                layer.running_mean.copy_(rng.normal(sizes[1], dtype=dtype))
                layer.running_var.copy_(0.5 + rng.normal(sizes[1], dtype=dtype).square())
            elif not up:
                layer.u.copy_(F.normalize(rng.normal(sizes[1], dtype=dtype), dim=0))
    return stage


def output(stage, x):
    """What a stage answers, as numbers."""
    return tensor_of(stage(x), "the output").detach()


@question.probe(points=0, title="GanBlock: up and down, with your SpectralConv2d", public=True, judge=TOLD)
def stages(student, rng):
    return {
        "up": tried(lambda: output(with_numbers(student.raw.GanBlock(3, 2, True), rng, 3, 2, True), rng.normal(4, 3, 3, 5))),
        "down": tried(lambda: output(with_numbers(student.raw.GanBlock(2, 3, False), rng, 2, 3, False), rng.normal(4, 2, 4, 6))),
    }


def parts_of(student, up):
    """Types, sizes and number of parameters of a stage's layers."""
    stage = built(student, 3, 5, up)
    facts = {name: [type(getattr(stage, name)).__name__.removeprefix("Right"), list(getattr(stage, name).weight.shape), "a bias" if getattr(stage, name).bias is not None else "no bias"] for name in ("conv", "skip")}
    facts["numbers to train"] = sum(part.numel() for part in stage.parameters())
    facts["kinds of normalisation"] = sorted({type(part).__name__ for part in stage.modules() if "Norm" in type(part).__name__})
    return facts


def twice_and_eval(stage, rng, channels):
    """Two outputs in training mode, what is kept then, and one output in eval mode."""
    found = [output(stage, rng.normal(3, channels, 4, 6)) for _ in range(2)]
    kept = [value.detach().clone().double() for name, value in sorted(stage.state_dict().items()) if name in ("norm.running_mean", "norm.running_var", "norm.num_batches_tracked", "conv.u", "skip.u")]
    return {"training": found, "kept": kept, "eval": output(stage.eval(), rng.normal(2, channels, 2, 4))}


def stage_slopes(stage, x, weight):
    """Gradients of a weighted sum of outputs by x and all weights."""
    leaf = x.clone().requires_grad_()
    names = ("conv", "skip", "norm") if hasattr(stage, "norm") and stage.up else ("conv", "skip")
    weights = {f"{name}'s {kind}": getattr(getattr(stage, name), kind) for name in names for kind in ("weight", "bias")}
    given = {key: value for key, value in weights.items() if value is not None}
    return gradient("the output", weight * tensor_of(stage(leaf), "the output", weight.shape), x=leaf, **given)


def alone(stage, x):
    """Outputs of pictures one by one, and of all at once, without a change of u."""
    stage.eval()
    one_by_one = torch.cat([output(stage, each[None]) for each in x])
    return [one_by_one, output(stage.train(), x)]


def after_call(stage, x):
    """x once the stage has had it."""
    kept = x.clone()
    output(stage, kept)
    return kept


@question.probe(points=2, title="GanBlock: layers, modes, other sizes, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def stages_edges(student, rng):
    def make(*sizes, **more):
        return with_numbers(built(student, *sizes), rng, *sizes, **more)

    return {
        "layers, up": tried(lambda: parts_of(student, True)),
        "layers, down": tried(lambda: parts_of(student, False)),
        "up": tried(lambda: output(make(3, 2, True), rng.normal(4, 3, 3, 5))),
        "down": tried(lambda: output(make(2, 3, False), rng.normal(4, 2, 4, 6))),
        "up in eval mode, one picture": tried(lambda: output(make(2, 4, True).eval(), rng.normal(1, 2, 1, 3))),
        "down in eval mode, one picture": tried(lambda: output(make(3, 2, False).eval(), rng.normal(1, 3, 2, 8))),
        "up, training and then eval": tried(lambda: twice_and_eval(make(3, 2, True), rng, 3)),
        "down, training and then eval": tried(lambda: twice_and_eval(make(2, 4, False), rng, 2)),
        "down, picture by picture": tried(lambda: alone(make(2, 3, False), rng.normal(3, 2, 4, 4))),
        "as many channels out as in, up": tried(lambda: output(make(3, 3, True), rng.normal(3, 3, 2, 2))),
        "as many channels out as in, down": tried(lambda: output(make(3, 3, False), rng.normal(3, 3, 4, 4))),
        "gradient, up": tried(lambda: stage_slopes(make(2, 3, True), rng.normal(3, 2, 2, 3), rng.normal(3, 3, 4, 6))),
        "gradient, down": tried(lambda: stage_slopes(make(2, 3, False), rng.normal(3, 2, 4, 6), rng.normal(3, 3, 2, 3))),
        "in float64": tried(lambda: [output(make(3, 2, up, dtype=torch.float64), rng.normal(3, 3, 4, 6, dtype=torch.float64)) for up in (True, False)]),
        "x afterwards": tried(lambda: [after_call(make(2, 2, up), rng.normal(2, 2, 4, 4)) for up in (True, False)]),
    }


def drawn(student, rng, up):
    """Weights of a stage from rng, twice from one seed and once from another, while torch's own generator stands elsewhere."""
    state, found = torch.random.get_rng_state(), []
    try:
        start = rng.integer(0, 10**6)
        for seed, place in ((start, 1), (start, 2), (start + 1, 3)):
            torch.manual_seed(start + place)
            stage = built(student, 40, 32, up, rng=torch.Generator().manual_seed(seed))
            found.append([stage.conv.weight.detach().flatten(), stage.skip.weight.detach().flatten()])
        without = built(student, 8, 8, up)
    finally:
        torch.random.set_rng_state(state)
    facts = {}
    for i, name in enumerate(("conv", "skip")):
        one, same, other = (each[i].double() for each in found)
        spread = one.std()
        facts[name] = {
            "mean": one.mean(), "standard deviation": spread, "fourth power of the standardised weights, mean": ((one - one.mean()) / spread).pow(4).mean(),
            "change with the same seed": (one - same).abs().max(), "change with another seed": (one - other).std(), "without rng": getattr(without, name).weight.detach().double().std(),
        }
    return facts


def judge_drawn(evidence, expected, context):
    """Mean 0, standard deviation 0.02 and the fourth power of a normal law within 6 standard errors (20,480 and 1,280 weights; false alarm below 1e-7); one seed, one result."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the entries are not those that were asked for."
    for key in expected:
        if isinstance(evidence[key], str):
            return f"In *{key}*: {evidence[key]}"
        for name, count in (("conv", 20480), ("skip", 1280)):
            facts = {fact: float(value) for fact, value in evidence[key][name].items()}
            if not all(math.isfinite(value) for value in facts.values()):
                return f"In *{key}*: weights of {name} are not finite."
            if facts["change with the same seed"] > 1e-7:
                return f"In *{key}*: the weights of {name} differ although rng has the same seed; they are drawn from something else."
            if facts["change with another seed"] < 1e-3:
                return f"In *{key}*: the weights of {name} are the same with another seed of rng."
            if abs(facts["standard deviation"] / 0.02 - 1) > 6 / math.sqrt(2 * count):
                return f"In *{key}*: the weights of {name} have standard deviation {facts['standard deviation']:.4f}."
            if abs(facts["mean"]) > 6 * 0.02 / math.sqrt(count):
                return f"In *{key}*: the weights of {name} have mean {facts['mean']:.4f}."
            if abs(facts["fourth power of the standardised weights, mean"] - 3) > (0.3 if name == "conv" else 1.2):
                return f"In *{key}*: the weights of {name} are not normal."
            if abs(facts["without rng"] / 0.02 - 1) > 0.6:
                return f"In *{key}*: without rng the weights of {name} have standard deviation {facts['without rng']:.4f}."
    return True


@question.probe(points=0.5, title="GanBlock: first weights", judge=judge_drawn)
def stages_drawn(student, rng):
    return {"up": tried(lambda: drawn(student, rng, True)), "down": tried(lambda: drawn(student, rng, False))}

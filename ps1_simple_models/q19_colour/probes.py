"""Question 19: masks and normalisation for colour images, and the matrix that detects a leak."""

import copy

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, slopes, tensor_of, tried

from ..shared.networks import fill

question = Question(
    title="Colour",
    after="q11_pixelcnn",
    uses=["bernoulli_log_prob", "evaluate", "train_and_log", "ancestral_sample", "MaskedConv2d"],
    skills=["1.27"],
    lecture="autoregressive models of images; normalisation layers",
    run_seconds=25,
    aim=(
        "Extend raster order to colours within a pixel, normalise without a leak, and prove it with the full "
        "dependence matrix."
    ),
    hints={
        "colour_mask": (
            "Which colour has each channel, for 3 channels and for 6, as a vector of 0, 1, 2?",
            "Kind A, 3 to 6 channels: the centre is a 6×3 matrix with rows 000, 000, 100, 100, 110, 110.",
            "The centre is one comparison of a column (colours of the output channels) with a row (of the input "
            "channels). All other positions are those of Question 10, for all pairs of channels.",
        ),
        "ColourNorm": (
            "Over which of the axes (batch, channel, row, column) may the mean run, and over how much of it?",
            "With 6 channels, one pixel holds (r1, r2, g1, g2, b1, b2): three means, of two numbers each.",
            "Split the channel axis in two, of lengths 3 and C/3, normalise along the second of them, and merge them "
            "again before gain and offset.",
        ),
        "dependence_matrix": (
            "How many outputs are there, and what does one backward pass tell about each?",
            "For two pixels in a row the six numbers are R, G, B of the left pixel, then R, G, B of the right one. In "
            "memory, (3, 1, 2) holds both reds first.",
            "Number outputs and derivatives in the same way: move the colour axis to the end, then flatten. For the "
            "traces: work on a copy, and differentiate by an image of your own.",
        ),
    },
    ambiguities=[
        "ColourNorm with one channel per colour gives the offset exactly; any eps convention gives the same there.",
        "dependence_matrix may work on the model itself, as long as everything is put back.",
    ],
)


def jacobian(function, x):
    """Signed d out / d in with all values numbered pixel by pixel, R, G, B within a pixel."""

    def output(image):
        return tensor_of(function(image[None]), "the network's output", (1, *image.shape))[0].permute(1, 2, 0)

    full = torch.autograd.functional.jacobian(output, x)
    return full.permute(0, 1, 2, 4, 5, 3).flatten(0, 2).flatten(1)


def name_of(value, width):
    pixel, colour = divmod(int(value), 3)
    return f"{('red', 'green', 'blue')[colour]} of pixel ({pixel // width}, {pixel % width})"


def triangular(evidence, expected, context):
    """strictly lower triangular, non-zero where it may be, and with the derivatives of the reference with the same weights"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    width = int(expected["width"])
    for name, want in expected.items():
        got = evidence[name]
        if name == "width":
            continue
        if isinstance(got, str):
            return f"{name}: {got}"
        if not isinstance(got, np.ndarray) or got.shape != want.shape or got.dtype.kind != "f":
            return f"{name}: an output or a mask has a wrong shape."
        if not np.isfinite(got).all():
            return f"{name}: some derivatives are not finite."
        reads, may_read = (
            np.abs(matrix) > 1e-12 * np.abs(matrix).max() for matrix in (got, want)
        )  # what is fainter is rounding
        for wrong, word in ((reads & ~may_read, "reads"), (may_read & ~reads, "does not read")):
            if wrong.any():
                n, m = np.argwhere(wrong)[0]
                rule = "which it must not" if word == "reads" else "which it could"
                return f"{name}: {name_of(n, width)} {word} {name_of(m, width)}, {rule}."
        if not np.allclose(got, want, rtol=1e-3, atol=1e-3 * np.abs(want).max()):
            return f"{name}: every value depends on the right ones, but some derivatives are wrong."
    return True


# --- colour_mask ----------------------------------------------------------------------------------------------------


def numbered(mask):
    """A mask whose ones carry their place, counted from 1, so that a mistake can be told by its numbers."""
    if tensor_of(mask, "the mask").dtype != torch.float32:
        return mask
    return mask * torch.arange(1, mask.numel() + 1, device=mask.device, dtype=mask.dtype).reshape(mask.shape)


def mask_of(student, kind, n_in, n_out, size):
    """A mask, numbered."""
    return tried(lambda: numbered(student.colour_mask(kind, n_in, n_out, size)))


def open_where_it_must(evidence, expected, context):
    """every entry of every mask as (19.2) says"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    colours = ("red", "green", "blue")
    for key, want in expected.items():
        if isinstance(evidence[key], str):
            return f"{key}: {evidence[key]}"
        got, want = np.asarray(evidence[key]), np.asarray(want)
        if got.shape != want.shape:
            return f"{key}: got shape {got.shape} where {want.shape} is expected."
        if got.dtype != np.float32:
            return f"{key}: got type {got.dtype} where float32 is expected."
        if ((got != 0) & (got != 1 + np.arange(got.size).reshape(got.shape))).any():
            return f"{key}: the mask holds other values than 0 and 1."
        wrong = (got != 0) != (want != 0)
        if wrong.any():
            o, i, u, v = (int(k) for k in np.argwhere(wrong)[0])
            rule = "closed, but it may be open" if want[o, i, u, v] else "open, but it must be closed"
            names = [f"{colours[3 * channel // n]} channel {channel}" for channel, n in ((i, want.shape[1]), (o, want.shape[0]))]
            return f"{key}: from the {names[0]} to the {names[1]}, position ({u}, {v}) of the window (counted from 0) is {rule}."
    return True


@question.probe(points=0.5, title="colour_mask: the first layer and a later one", judge=open_where_it_must, public=True)
def masks(student, rng):
    n = 3 * rng.integer(2, 4)
    return {
        "kind A, 3 to 3 channels, size 3": mask_of(student, "A", 3, 3, 3),
        f"kind A, 3 to {n} channels, size 5": mask_of(student, "A", 3, n, 5),
        f"kind B, {n} to {n} channels, size 3": mask_of(student, "B", n, n, 3),
    }


@question.probe(points=0.5, title="colour_mask: both kinds, other numbers of channels, sizes 1 and 7", judge=open_where_it_must)
def mask_edges(student, rng):
    found = {}
    for kind in "AB":
        for n_in, n_out, size in ((6, 9, 3), (9, 3, 1), (12, 6, 5), (3, 3, 7), (3, 3 * rng.integer(5, 8), 1)):
            found[f"kind {kind}, {n_in} to {n_out} channels, size {size}"] = mask_of(student, kind, n_in, n_out, size)
    return found


# --- ColourNorm -----------------------------------------------------------------------------------------------------

# The gradient for the input is a small difference of numbers of size 1/std: float32 leaves about 1e-3 of it.
ORDINARY = Close(rtol=2e-3, atol=2e-4)
NORM = Fields(
    {
        "gradient for the input": Close(rtol=1e-3, atol=5e-3),
        "gradient for equal channels": Close(rtol=0.05, atol=1.0),  # of size 300: their variance is lost in float32
        "output in float64": Close(rtol=1e-8, atol=1e-8),
        "nearly equal channels": Close(rtol=0, atol=0.2),  # in float32 their variance is lost
    },
    default=ORDINARY,
)


def spread_out(rng, batch, group):
    """Features of which no colour has, at any pixel, nearly equal channels: there float32 makes the formulas for a variance differ."""
    while True:
        scale = rng.uniform(batch, 1, 3, 4, low=0.3, high=3.0)
        a = rng.normal(batch, 3 * group, 3, 4) * scale + rng.normal(batch, 3 * group, 1, 1)
        grouped = a.reshape(batch, 3, group, 3, 4)
        if (grouped.var(2) > 5e-3 * grouped.square().mean(2)).all():
            return a


def filled_norm(student, rng, channels):
    """A ColourNorm with random gain and offset."""
    return fill(student.raw.ColourNorm(channels), rng)


@question.probe(points=0.5, title="ColourNorm: its output", judge=Fields(default=ORDINARY), public=True)
def norm_output(student, rng):
    group = rng.integer(3, 6)  # with two channels per colour, all measures of spread are one
    fresh = student.raw.ColourNorm(3 * group).to(rng.device)
    return {
        "as made": attempt(fresh, spread_out(rng, 2, group)),
        "with gain and offset": attempt(filled_norm(student, rng, 3 * group), spread_out(rng, 3, group)),
    }


@question.probe(points=1, title="ColourNorm: gradients, tiny, equal and single channels, both modes, float64", judge=NORM)
def norm_edges(student, rng):
    group = rng.integer(3, 5)
    layer, a = filled_norm(student, rng, 3 * group), spread_out(rng, 2, group)
    tiny = 0.003 * rng.normal(2, 3 * group, 2, 3)
    flat = (rng.integers(1, 20, 1, 1, 2, 2) / 16).expand(1, 3 * group, 2, 2).contiguous()  # with an exact mean
    alike = 30 + rng.uniform(1, 1, 4, 6) + 1e-4 * rng.normal(1, 3 * group, 4, 6)
    single, one = filled_norm(student, rng, 3), rng.normal(2, 3, 2, 3)
    twins, factor = filled_norm(student, rng, 6), rng.normal(*a.shape)
    leaf, flat_leaf = (part.clone().requires_grad_() for part in (a, flat))
    parameters = {"gain": layer.gain, "offset": layer.offset}
    return {
        "gradient for the input": tried(lambda: slopes(layer(leaf), a.shape, factor, a=leaf)),
        "gradient for equal channels": tried(lambda: slopes(layer(flat_leaf), flat.shape, factor[:1, :, :2, :2], a=flat_leaf)),
        "gradients for gain and offset": tried(lambda: slopes(layer(a), a.shape, factor, **parameters)),
        "tiny values": attempt(layer, tiny),
        "large values": attempt(layer, 1000 * a),
        "equal channels": attempt(layer, flat),
        "nearly equal channels": attempt(layer, alike),
        "one channel per colour": attempt(single, one),
        "two channels per colour": attempt(twins, 0.3 * rng.normal(2, 6, 2, 3)),
        "one image of one pixel": attempt(layer, a[:1, :, :1, :1]),
        "in evaluation mode": attempt(lambda: layer.eval()(a)),
        "output in float64": attempt(lambda: copy.deepcopy(layer).double()(a.double())),
        "the values afterwards": [a, tiny],
    }


# --- dependence_matrix ----------------------------------------------------------------------------------------------


MATRIX = Fields(default=Close(rtol=2e-3, atol=1e-5))


def matrix_of(student, network, image):
    """The matrix, once it is known to be a tensor."""
    found = tried(lambda: tensor_of(student.dependence_matrix(network, image), "the matrix"))
    if not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        return "autograd stays switched off for everything that follows."
    return found


def small_network(rng):
    """Two convolutions that see neighbours above and below, and to the left and right, in different ways."""
    network = nn.Sequential(nn.Conv2d(3, 4, (3, 1), padding=(1, 0)), nn.Tanh(), nn.Conv2d(4, 3, (1, 3), padding=(0, 1)))
    return fill(network, rng)


@question.probe(points=0.5, title="dependence_matrix of a given network", judge=MATRIX, public=True)
def matrix(student, rng):
    height, width = rng.choice([(2, 3), (3, 2)])  # never square: rows and columns could be mixed up
    return {
        "wider or higher": matrix_of(student, small_network(rng), rng.normal(3, height, width)),
        "a row of pixels": matrix_of(student, small_network(rng), rng.normal(3, 1, 4)),
    }


TRACES = {
    "stored statistics": "the running statistics of BatchNorm (or their counter) have changed, or do not change any more.",
    "modes of the parts": "the model, or a part of it, is not in the mode that it was in before.",
    "gradients in the parameters": "the `.grad` of a parameter has changed.",
    "bytes of each number": "the parameters have another type than before.",
    "numbers in the parameters": "the parameters have changed.",
    "requires_grad of the parameters": "the `requires_grad` of a parameter has changed.",
    "requires_grad of the matrix": "the matrix requires gradients; it is detached.",
    "requires_grad of the image": "the image requires gradients now, or has got a `.grad`.",
}


def untouched(evidence, expected, context):
    """matrices close to the reference's (rtol 2e-3, atol 1e-5), and nothing left behind"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    traces = {key: text for key in expected for start, text in TRACES.items() if key.startswith(start)}
    matrices = [{key: v for key, v in each.items() if key not in traces} for each in (evidence, expected)]
    verdict = Fields(default=Close(rtol=2e-3, atol=1e-5))(*matrices, context)
    if not verdict.passed:
        return verdict
    for key, text in traces.items():
        if not Close(rtol=1e-4)(evidence[key], expected[key], context).passed:
            return f"in *{key}*: {text}"
    return True


@question.probe(points=1, title="dependence_matrix: BatchNorm, right mode, no trace, one pixel, float64", judge=untouched)
def matrix_edges(student, rng):
    size = rng.choice([(1, 3), (3, 1)])
    network = fill(nn.Sequential(nn.Conv2d(3, 6, 1), nn.BatchNorm2d(6), nn.Tanh(), nn.Conv2d(6, 3, 1)), rng)
    norm, image = network[1], rng.normal(3, *size)
    with torch.no_grad():
        norm.running_mean.copy_(rng.normal(6))
        norm.running_var.copy_(rng.uniform(6, low=0.5, high=2.0))
    network[0].weight.grad = 0.1 * torch.arange(18.0, device=rng.device).reshape(network[0].weight.shape)
    network[3].bias.requires_grad_(False)  # one is frozen, and stays so
    found = {}
    for mode in ("training", "mixed", "evaluation"):  # mixed: the model trains, and its BatchNorm is frozen in evaluation mode
        network.train(mode != "evaluation")
        norm.train(mode == "training")
        found[f"matrix in {mode} mode"] = matrix_of(student, network, image)
        found[f"stored statistics after a test in {mode} mode"] = [
            norm.running_mean.clone(), norm.running_var.clone(), float(norm.num_batches_tracked)
        ]
        found[f"modes of the parts after a test in {mode} mode"] = [float(part.training) for part in network.modules()]
    grads = [p.grad for p in network.parameters()]
    found["gradients in the parameters, added up"] = [-1.0 if g is None else float(g.abs().sum()) for g in grads]
    found["bytes of each number in the parameters"] = [float(p.element_size()) for p in network.parameters()]
    found["numbers in the parameters, added up"] = [float(p.detach().abs().sum()) for p in network.parameters()]
    found["requires_grad of the parameters"] = [float(p.requires_grad) for p in network.parameters()]
    found["requires_grad of the matrix"] = float(getattr(found["matrix in evaluation mode"], "requires_grad", False))
    found["requires_grad of the image, and a gradient in it"] = [float(image.requires_grad), float(image.grad is not None)]
    tried(lambda: network.train()(image[None]))
    found["stored statistics after a training step"] = [norm.running_mean, norm.running_var, float(norm.num_batches_tracked)]
    network = small_network(rng)
    found["one pixel"] = matrix_of(student, network, rng.normal(3, 1, 1))
    found["in float64"] = matrix_of(student, copy.deepcopy(network).double(), rng.normal(3, 1, 2, dtype=torch.float64))
    found["a faint dependence, times a million"] = faint(student, rng)
    return found


class Faint(nn.Module):
    """Each value, plus a millionth of their sum."""

    def forward(self, x):
        return x.sin() + 1e-6 * x.sum((1, 2, 3), keepdim=True)


def faint(student, rng):
    """The entries off the diagonal of a model in which all values depend faintly on all."""
    found = matrix_of(student, Faint(), rng.normal(3, 1, 2))
    return 1e6 * (found - torch.diag(found.diagonal())) if isinstance(found, torch.Tensor) and found.dim() == 2 else found


# --- all together ---------------------------------------------------------------------------------------------------


@question.probe(points=1, title="a colour network of your parts: its matrix is strictly triangular", judge=triangular)
def network_is_causal(student, rng):
    height, width, channels, size = 2, 2, 3 * rng.integer(3, 5), rng.choice([3, 5])
    shapes = (("A", 3, channels, size), ("B", channels, channels, size), ("B", channels, 3, 1))

    def network(norm):
        parts = []
        for kind, n_in, n_out, k in shapes:
            mask = tensor_of(student.colour_mask(kind, n_in, n_out, k), "the mask")
            parts += [student.raw.MaskedConv2d(mask.float().to(rng.device), n_in, n_out), nn.Tanh()]
        model = nn.Sequential(*parts[:1], *norm, *parts[1:-1])
        return jacobian(fill(model, rng).double(), rng.normal(3, height, width, dtype=torch.float64))

    return {
        "width": width,
        "masked convolutions": tried(lambda: network([])),
        "masked convolutions and ColourNorm": tried(lambda: network([student.raw.ColourNorm(channels)])),
    }

"""Question 19 (bonus): masks and normalisation for colour images, and the matrix that detects a leak."""

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, Question

from ..shared.networks import fill

question = Question(
    title="Colour",
    after="q11_pixelcnn",
    uses=["MaskedConv2d"],
    skills=["1.27"],
    run_seconds=13,
    aim=(
        "Extend raster order to colours within a pixel, normalise without a leak, and prove it with the full "
        "dependence matrix."
    ),
    hints={"colour_mask": [
        "Write down the colour of each channel, for 3 and for 6 channels, as a vector of 0, 1, 2. The centre of the "
        "mask is then one comparison of a column with a row of such vectors.",
        "ColourNorm: reshape (B, C, H, W) to (B, 3, C/3, H, W) and normalise over one axis. Dependence: the order of "
        "(3, H, W) flattened is colour first; equation (19.1) wants the colour last.",
        "`centre = colour_in[None, :] < colour_out[:, None]` (kind A). For the matrix: `copy.deepcopy(model)`, then "
        "for each value of `model(x)[0].permute(1, 2, 0).flatten()` one `torch.autograd.grad`, permuted in the same "
        "way.",
    ]},
    ambiguities=[
        "ColourNorm with one channel per colour gives the offset exactly; any eps convention gives the same there."
    ],
)


def jacobian(function, x):
    """Signed d out / d in with all values numbered pixel by pixel, R, G, B within a pixel."""
    full = torch.autograd.functional.jacobian(lambda image: function(image[None])[0].permute(1, 2, 0), x)
    return full.permute(0, 1, 2, 4, 5, 3).flatten(0, 2).flatten(1)


def name_of(value, width):
    pixel, colour = divmod(int(value), 3)
    return f"{('red', 'green', 'blue')[colour]} of pixel ({pixel // width}, {pixel % width})"


def triangular(evidence, expected, context):
    """strictly lower triangular, non-zero where it may be, and with the derivatives of the reference with the same weights"""
    width = int(expected["width"])
    for name, want in expected.items():
        got = evidence[name]
        if name == "width":
            continue
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


# --- probes ---------------------------------------------------------------------------------------------------


@question.probe(points=1, title="channel-aware masks", public=True)
def masks(student, rng):
    found = {}
    for kind in ("A", "B"):
        for n_in, n_out, size in ((3, 3, 3), (3, 3 * rng.integer(2, 4), 5), (6, 9, 3), (9, 3, 1)):
            mask = torch.as_tensor(student.colour_mask(kind, n_in, n_out, size)).float()
            found[f"{kind}, {n_in} to {n_out} channels, size {size}"] = mask
    return found


# The gradient for the input is a small difference of numbers of size 1/std: float32 leaves about 1e-3 of it.

NORM_OUTPUT = Fields(
    {
        "with gain and offset": Close(rtol=1e-3, atol=1e-4),
        "as made, in evaluation mode": Close(rtol=1e-3, atol=1e-4),
        "gradient for the input": Close(rtol=1e-3, atol=5e-3),
        "gradients for gain and offset": Close(rtol=1e-3, atol=1e-3),
    }
)


def gradients(output, factors, *inputs):
    """Gradients of a weighted sum of the output, zero where it does not depend on an input."""
    if not output.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    found = torch.autograd.grad((output * factors).sum(), inputs, allow_unused=True)
    return [torch.zeros_like(x) if gradient is None else gradient for x, gradient in zip(inputs, found)]


def spread_out(rng, batch, group):
    """Features of which no colour has, at any pixel, nearly equal channels: there float32 makes the formulas for a variance differ."""
    while True:
        scale = rng.uniform(batch, 1, 3, 4, low=0.3, high=3.0)
        a = rng.normal(batch, 3 * group, 3, 4) * scale + rng.normal(batch, 3 * group, 1, 1)
        grouped = a.reshape(batch, 3, group, 3, 4)
        if (grouped.var(2) > 5e-3 * grouped.square().mean(2)).all():
            return a


@question.probe(points=1, title="ColourNorm's output and gradients", judge=NORM_OUTPUT, public=True)
def norm_output(student, rng):
    group, batch = rng.integer(3, 6), rng.integer(2, 4)  # with two channels per colour, all measures of spread are one
    layer = fill(student.raw.ColourNorm(3 * group), rng)
    a = spread_out(rng, batch, group).requires_grad_()
    output = layer(a)
    for_input, *for_parameters = gradients(output, rng.normal(*output.shape), a, layer.gain, layer.offset)
    fresh = student.raw.ColourNorm(3 * group).to(rng.device).eval()
    return {
        "with gain and offset": output,
        "as made, in evaluation mode": fresh(a[:1]),
        "gradient for the input": for_input,
        "gradients for gain and offset": for_parameters,
    }


@question.probe(points=0.5, title="ColourNorm for tiny, equal and single channels", judge=Close(rtol=2e-3, atol=1e-4))
def norm_extremes(student, rng):
    group = rng.integer(2, 5)
    layer = fill(student.raw.ColourNorm(3 * group), rng)
    tiny, flat = 0.003 * rng.normal(2, 3 * group, 2, 3), torch.full((1, 3 * group, 2, 2), 0.5, device=rng.device)
    single = fill(student.raw.ColourNorm(3), rng)
    x = rng.normal(2, 3, 2, 3)
    x.requires_grad_()
    output = single(x)
    return {
        "tiny values": layer(tiny),
        "equal values": layer(flat),
        "one channel per colour": output,
        "its gradient": gradients(output, rng.normal(*output.shape), x),
        "the tiny values afterwards": tiny,
    }


@question.probe(points=1, title="dependence matrix of a given network", judge=Close(rtol=1e-3, atol=1e-6), public=True)
def matrix(student, rng):
    height, width = rng.choice([(2, 3), (3, 2), (2, 4)])  # never square: rows and columns could be mixed up
    network = nn.Sequential(nn.Conv2d(3, 4, (3, 1), padding=(1, 0)), nn.Tanh(), nn.Conv2d(4, 3, (1, 3), padding=(0, 1)))
    fill(network, rng)
    return student.dependence_matrix(network, rng.normal(3, height, width))


@question.probe(
    points=0.5, title="dependence matrix with BatchNorm: right mode, no trace", judge=Close(rtol=5e-3, atol=1e-5)
)
def matrix_modes(student, rng):
    height, width = 2, rng.choice([1, 3])
    network = fill(nn.Sequential(nn.Conv2d(3, 6, 1), nn.BatchNorm2d(6), nn.Tanh(), nn.Conv2d(6, 3, 1)), rng)
    norm = network[1]
    with torch.no_grad():
        norm.running_mean.copy_(rng.normal(6))
        norm.running_var.copy_(rng.uniform(6, low=0.5, high=2.0))
    network[0].weight.grad = torch.ones_like(network[0].weight)
    image = rng.normal(3, height, width)
    found = {}
    for mode in ("training", "evaluation"):
        network.train(mode == "training")
        found[f"matrix in {mode} mode"] = student.dependence_matrix(network, image)
        found[f"stored statistics after {mode} mode"] = [
            norm.running_mean.clone(),
            norm.running_var.clone(),
            int(norm.num_batches_tracked),
        ]
        found[f"training mode after {mode} mode"] = [float(network.training), float(norm.training)]
    found["gradients in the parameters"] = [
        float(network[0].weight.grad.sum() / network[0].weight.numel()) if network[0].weight.grad is not None else -1.0,
        sum(float(p.grad.abs().sum()) for p in network[3].parameters() if p.grad is not None),
    ]
    found["requires_grad of the matrix, of the image; a gradient in the image"] = [
        float(found["matrix in evaluation mode"].requires_grad),
        float(image.requires_grad),
        float(image.grad is not None),
    ]
    network.train()(image[None])
    found["stored statistics after a training step"] = [
        norm.running_mean,
        norm.running_var,
        int(norm.num_batches_tracked),
    ]
    found["gradients can still be taken"] = [float(p.requires_grad) for p in network.parameters()] + [
        float(torch.is_grad_enabled())
    ]
    return found


@question.probe(points=1, title="the dependence matrix of a colour network, strictly triangular", judge=triangular)
def network_is_causal(student, rng):
    height, width, group, size = 2, rng.integer(2, 4), rng.integer(3, 5), rng.choice([3, 5])
    channels = 3 * group
    shapes = (("A", 3, channels, size), ("B", channels, channels, size), ("B", channels, 3, 1))
    masks = [torch.as_tensor(student.colour_mask(*shape)).float().to(rng.device) for shape in shapes]
    first, middle, last = (
        student.raw.MaskedConv2d(mask, n_in, n_out) for mask, (_, n_in, n_out, _) in zip(masks, shapes)
    )
    norm = student.raw.ColourNorm(channels)
    plain = nn.Sequential(first, nn.Tanh(), middle, nn.Tanh(), last)
    fill(plain, rng).double()
    fill(norm, rng).double()
    image = rng.normal(3, height, width, dtype=torch.float64)
    normalised = nn.Sequential(first, norm, nn.Tanh(), middle, nn.Tanh(), last)
    found = {"width": width}
    for name, network in (("masked convolutions", plain), ("masked convolutions and ColourNorm", normalised)):
        found[name] = jacobian(network, image)
    return found

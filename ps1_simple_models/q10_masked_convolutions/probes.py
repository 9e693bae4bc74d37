"""Question 10: masked convolutions, receptive fields, and the two stacks without a blind spot."""

import copy

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, tensor_of, two_of

from ..shared.networks import (
    copy_with,
    device_after_a_move,
    fill,
    in_bfloat16,
    loaded_output,
    some_mask,
    trained_output,
    weight_gradient,
)

question = Question(
    title="Masked convolutions and what they can see",
    skills=["1.26", "1.28"],
    lecture="autoregressive models of images; convolutions",
    run_seconds=20,
    aim="Build convolutions that respect raster order, prove with gradients that they do, and remove the blind spot.",
    hints={
        "MaskedConv2d": (
            "Three things happen to `weight` after the layer is made: steps of an optimiser, loading, moving. When "
            "must the mask act, so that none of them can undo it?",
            "Think of weights 5, 5, 5 and a mask 1, 0, 0. The layer must compute with 5, 0, 0, and next week, with "
            "weights 7, 7, 7, it must compute with 7, 0, 0.",
            "Look up `register_buffer` in the documentation of `nn.Module`. Then compare `F.conv2d` with "
            "`nn.Conv2d`: it takes the kernel as an argument.",
        ),
        "receptive_field": (
            "Of which number do you need the derivative, and by which tensor? Which tensors should get none?",
            "Two input channels with derivatives +3 and −3 at a pixel: the map says 6 there, not 0.",
            "Make an image of your own that requires gradients, run the model on it as a batch of one, and look "
            "for a function in `torch.autograd` that returns a gradient instead of storing it.",
        ),
        "stack_masks": (
            "Take v(i, j) in the first block. Which pixels may it know? And in the second block: v of which rows "
            "knows nothing but these pixels?",
            "Draw the 3×3 window of v and the 1×3 window of h for both kinds. The four drawings have 3, 6, 1 and 2 "
            "ones.",
            "Both windows grow by one step from kind A to kind B: v gains a whole row, h gains one position.",
        ),
        "GatedBlock": (
            "Which three things does a = V v go into? At which of them has β been added already?",
            "In the first block v and h are the image. Write down what h'(i, j) would know if h were added to it.",
            "Compute a first, then the sum that goes into the second gate, then add β where it is given. The bracket "
            "is decided by `self.kind`.",
        ),
    },
    ambiguities=[
        "Where the mask is applied (to the weight in each forward, to weight.data in each forward, by a "
        "parametrisation) is free, as long as the masked entries never act and the parameters can be told apart by "
        "their number of axes. The buffer may have any name.",
        "receptive_field may use the model in either mode, as long as the model is in its own mode afterwards.",
    ],
)


CLOSE = Fields(default=Close(rtol=1e-3, atol=1e-4))


def dependence_judge(evidence, expected, context):
    """exactly the right pixels have a non-zero gradient"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for name, want in expected.items():
        if name == "at":
            continue
        if isinstance(evidence[name], str):
            return f"{name}: {evidence[name]}"
        got, want = np.asarray(evidence[name]), np.asarray(want)
        if got.shape != want.shape:
            return f"{name}: the output has another height or width than the input, {got.shape} for {want.shape}."
        for wrong, rule in (
            ((got > 0) & (want == 0), "reads pixel ({}, {}), which it must not."),
            ((got == 0) & (want > 0), "does not read pixel ({}, {}), which it could."),
        ):
            if wrong.any():
                row, col = (int(n) for n in np.asarray(expected["at"]))
                return f"{name}: the output at pixel ({row}, {col}) " + rule.format(*np.argwhere(wrong)[0])
    return True


def windows_of(student, sizes):
    """Both windows of both kinds."""
    found = {}
    for size in sizes:
        for kind in "AB":
            pair = attempt(lambda k, s: two_of(student.stack_masks(k, s), "vertical", "horizontal"), kind, size)
            for place, name in enumerate(("vertical", "horizontal")):
                found[f"{name} window of kind {kind}, kernel size {size}"] = (
                    pair if isinstance(pair, str) else attempt(tensor_of, pair[place], "the window")
                )
    return found


# --- stack_masks ------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="windows of both stacks, kernel sizes 3 and 5", judge=CLOSE, public=True)
def windows(student, rng):
    return windows_of(student, (3, 5))


@question.probe(points=0.5, title="windows of both stacks, kernel sizes 1, 7 and 11", judge=CLOSE)
def small_and_large_windows(student, rng):
    return windows_of(student, (1, 7, 11))


# --- MaskedConv2d -----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="output of a masked convolution", judge=CLOSE, public=True)
def masked_output(student, rng):
    found, make = {}, student.raw.MaskedConv2d
    for name, height, width in (("3 by 5", 3, 5), ("1 by 5", 1, 5), ("5 by 1", 5, 1), ("3 by 3", 3, 3)):
        n_in, n_out = rng.integer(2, 4), rng.integer(4, 6)
        layer = fill(make(some_mask(rng, height, width).to(rng.device), n_in, n_out), rng)
        x = rng.normal(rng.integer(2, 4), n_in, rng.integer(5, 8), rng.integer(8, 11))
        found[f"output with a mask of {name}"] = attempt(layer, x)
    return found


@question.probe(points=1.5, title="the mask holds after optimiser steps, loading and copying", judge=CLOSE)
def mask_survives(student, rng):
    found, make = {}, student.raw.MaskedConv2d
    n_in, n_out, size = rng.integer(2, 4), rng.integer(2, 4), rng.choice([3, 5])
    x, target, test = rng.normal(4, n_in, 6, 7), rng.normal(4, n_out, 6, 7), rng.normal(2, n_in, 7, 6)
    for name, shape in (("one mask", (size, size)), ("a mask for each pair of channels", (n_out, n_in, size, size))):
        mask = some_mask(rng, *shape).to(rng.device)
        layer = make(mask.clone(), n_in, n_out).to(rng.device)
        other = fill(make(mask.clone(), n_in, n_out), rng)
        found[f"{name}: output after 3 steps of SGD"] = attempt(trained_output, layer, x, target, test)
        found[f"{name}: output after load_state_dict"] = attempt(loaded_output, layer, other, test)
        found[f"{name}: gradient of the weights"] = attempt(weight_gradient, layer, mask, test)
        inputs = test.clone().requires_grad_()
        found[f"{name}: gradient of the input"] = attempt(
            lambda on, by: torch.autograd.grad(on(by).square().mean(), by)[0], layer, inputs
        )
        weights = rng.normal(n_out, n_in, size, size)
        found[f"{name}: a deep copy with other weights"] = attempt(copy_with, layer, weights, test)
    return found


@question.probe(points=1, title="the layer moves to another dtype or device as a whole", judge=CLOSE)
def mask_moves(student, rng):
    make, n_in, n_out = student.raw.MaskedConv2d, 2, rng.integer(3, 5)
    mask = some_mask(rng, *rng.choice([(3, 3), (5, 3), (3, 5)]))
    x = rng.normal(2, n_in, 6, 7, dtype=torch.float64)
    layers = [fill(make(mask.clone().to(rng.device), n_in, n_out), rng, keep={"": mask}) for _ in range(2)]
    whole = make(mask.clone(), n_in, n_out)
    with torch.no_grad():
        for p in sorted(whole.parameters(), key=lambda p: p.dim()):
            if p.requires_grad:
                p.copy_(rng.integers(-2, 3, *p.shape))
    found = {
        "output in float64": attempt(layers[0].to(torch.float64), x),
        "output in bfloat16": attempt(in_bfloat16, whole.to(rng.device), rng.integers(-2, 3, 2, n_in, 6, 7)),
        "place of the output after a move to the device meta": attempt(device_after_a_move, layers[1].double(), x),
        "numbers in the parameters": sorted(p.numel() for p in layers[0].parameters()),
    }
    return found


# --- receptive_field --------------------------------------------------------------------------------------------------


class FaintLeak(nn.Module):
    """A network, plus all pixels times 1e-20: less than any threshold that an answer might have."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + 1e-20 * x.sum((1, 2, 3), keepdim=True)


def small_network(rng, channels):
    """Two convolutions with tanh after each, without a unit that can be off."""
    network = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 5, (3, 1), padding=(1, 0)), nn.Tanh()
    )
    return fill(network, rng, 0.4)


def map_of(receptive_field, network, image, row, col):
    """The map, once it is known to be a tensor."""
    return tensor_of(receptive_field(network, image, row, col), "the map")


@question.probe(points=0.5, title="receptive field of a given network", judge=CLOSE, public=True)
def gradient_map(student, rng):
    found = {}
    for channels, name in ((1, "one channel"), (3, "three channels")):
        height, width = rng.integer(5, 7), rng.integer(8, 10)
        image, network = rng.normal(channels, height, width), small_network(rng, channels)
        row, col = rng.integer(1, 3), rng.integer(5, 7)
        found[f"map of a network with {name}"] = attempt(map_of, student.receptive_field, network, image, row, col)
    return found


def exact_zeros(receptive_field, network, image, row, col):
    """The numbers (from 1) of the pixels whose entry is exactly 0, and 0 for the others."""
    seen = tensor_of(receptive_field(network, image, row, col), "the map", image.shape[1:])
    number = torch.arange(1.0, seen.numel() + 1, device=seen.device).reshape(seen.shape)
    return torch.where(seen == 0, number, torch.zeros_like(number))


@question.probe(points=1.5, title="receptive field: borders, faint leaks, and no trace", judge=CLOSE)
def gradient_map_edges(student, rng):
    channels, height, width = rng.integer(2, 4), rng.integer(5, 7), rng.integer(7, 10)
    network, image = small_network(rng, channels), rng.normal(channels, height, width)
    row, col = rng.integer(0, 5), rng.integer(5, 7)
    network[0].bias.requires_grad_(False)  # one is frozen, and stays so
    find, parameters = student.receptive_field, list(network.parameters())
    first = attempt(map_of, find, network, image, row, col)
    found = {
        "map of a network with a frozen parameter": first,
        "the map requires gradients": float(getattr(first, "requires_grad", False)),
        "parameters that have a .grad afterwards and had none": [float(p.grad is not None) for p in parameters],
        "requires_grad of the parameters afterwards": [float(p.requires_grad) for p in parameters],
        "requires_grad of the image afterwards": float(image.requires_grad),
        "the image has a .grad afterwards and had none": float(image.grad is not None),
    }
    image = image.detach().clone()  # without the traces of the first call, which the others would show again
    modes = [network.training]
    for number, p in enumerate(parameters):  # as after somebody else's backward()
        p.grad = torch.full_like(p, 0.25 * (number + 1))
    network.eval()
    found["map at the upper right corner, in evaluation mode"] = attempt(map_of, find, network, image.clone(), 0, width - 1)
    found["the model is in training mode afterwards"] = [float(mode) for mode in [*modes, network.training]]
    found[".grad that the parameters had before"] = [
        0.0 if p.grad is None else float(p.grad.double().mean()) for p in parameters
    ]
    grey = small_network(rng, 1)
    wide = copy.deepcopy(grey).double()
    found["map of a network in float64"] = attempt(map_of, find, wide, image[:1].double(), row, col)
    found["types of the parameters afterwards, float32 and float64"] = [str(p.dtype) for p in (parameters[-1], *wide.parameters())]
    found["pixels with exactly 0"] = attempt(exact_zeros, find, grey, image[:1].clone(), row, col)
    faint = attempt(map_of, find, FaintLeak(grey), image[:1].clone(), row, col)
    found["log10 of the map of a network with a faint leak"] = faint.log10() if torch.is_tensor(faint) else faint
    return found


# --- GatedBlock -------------------------------------------------------------------------------------------------------


def pattern(gradient):
    """1.0 where a float64 gradient is not zero (up to rounding), else 0.0."""
    gradient = torch.nan_to_num(gradient.abs(), nan=1.0)
    return (gradient > 1e-14 * gradient.max()).double()


def dependence(output, inputs, row, col):
    """For each input the (height, width) pattern of pixels that output[0, :, row, col] depends on."""
    score = output[0, :, row, col]
    score = (score * torch.linspace(1.0, 1.7, len(score), dtype=score.dtype, device=score.device)).sum()
    gradients = torch.autograd.grad(score, inputs, retain_graph=True, allow_unused=True)
    return [
        torch.zeros(x.shape[-2:], dtype=torch.float64) if g is None else pattern(g[0].abs().sum(0))
        for x, g in zip(inputs, gradients)
    ]


def block_sees(block, v, h, row, col):
    """Patterns of v' and h' through v and h, four in all."""
    outputs = two_of(block(v, h), "v'", "h'")
    return [seen for output in outputs for seen in dependence(tensor_of(output, "an output"), (v, h), row, col)]


def stack_sees(blocks, x, row, col):
    """Patterns of v and h after all blocks through the image."""
    v = h = x
    for block in blocks:
        v, h = two_of(block(v, h), "v'", "h'")
    return dependence(v, (x,), row, col) + dependence(h, (x,), row, col)


@question.probe(points=0.5, title="what one block and a whole stack can see", judge=dependence_judge, public=True)
def sight(student, rng):
    make, size, kernel = student.raw.GatedBlock, 7, rng.choice([3, 5])
    row, col = rng.integer(2, 5), rng.integer(2, 5)
    found = {"at": [row, col]}
    for kind, n_in in (("A", 1), ("B", 2)):
        block = fill(make(kind, n_in, 2, kernel), rng, 0.4).double()
        v, h = (rng.normal(1, n_in, size, size, dtype=torch.float64).requires_grad_() for _ in range(2))
        seen = attempt(block_sees, block, v, h, row, col)
        for place, name in enumerate(("v', through v", "v', through h", "h', through v", "h', through h")):
            found[f"{name}, in a block of kind {kind}"] = seen if isinstance(seen, str) else seen[place]
    blocks = [fill(make("A" if n == 0 else "B", 1 if n == 0 else 2, 2, 3), rng, 0.4).double() for n in range(4)]
    x = rng.normal(1, 1, size, size, dtype=torch.float64).requires_grad_()
    seen = attempt(stack_sees, blocks, x, row, col)
    for place, name in enumerate(("v", "h")):
        found[f"{name} after 4 blocks"] = seen if isinstance(seen, str) else seen[place]
    return found


def filled_block(student, rng, kind, n_in, channels):
    """A block with random weights; those of the windows are 0 except where any window of this kind reads."""
    keep = {"vertical.": torch.zeros(3, 3), "horizontal.": torch.zeros(1, 3)}
    keep["vertical."][0], keep["horizontal."][0, 0] = 1.0, 1.0
    return fill(student.raw.GatedBlock(kind, n_in, channels, 3), rng, keep=keep)


def both_outputs(block, *inputs, **keywords):
    """v' and h', as a list."""
    return two_of(block(*inputs, **keywords), "v'", "h'")


@question.probe(points=0.5, title="outputs of a gated block without a bias", judge=CLOSE, public=True)
def block_output(student, rng):
    found, channels = {}, rng.integer(2, 4)
    for kind, n_in in (("A", 1), ("B", channels)):
        block = filled_block(student, rng, kind, n_in, channels)
        height = rng.integer(4, 6)
        v, h = rng.normal(2, n_in, height, 6), rng.normal(2, n_in, height, 6)
        outputs = attempt(both_outputs, block, v, h)
        for place, name in enumerate(("v'", "h'")):
            found[f"{name} of a block of kind {kind}"] = outputs if isinstance(outputs, str) else outputs[place]
    return found


def block_gradients(block, v, h, bias):
    """Gradients of a number made of both outputs: by v, h and the bias, and by the weights of link and out."""
    v, h, bias = (part.clone().requires_grad_() for part in (v, h, bias))
    new_v, new_h = both_outputs(block, v, h, bias)
    by = [v, h, bias, block.link.weight, block.link.bias, block.out.weight]
    found = torch.autograd.grad((new_v * new_h.cos()).sum(), by, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(by, found)]


@question.probe(points=2, title="gated block: bias, residual, gradients, inputs unchanged", judge=CLOSE)
def block_edges(student, rng):
    found = {}
    batch, channels, height, width = rng.integer(2, 4), rng.integer(2, 4), rng.integer(4, 7), rng.integer(5, 8)
    for kind, n_in, name in (
        ("A", 1, "kind A, one channel in"), ("A", channels, "kind A, as many channels in as out"), ("B", channels, "kind B")
    ):
        block = filled_block(student, rng, kind, n_in, channels).train(n_in > 1)
        v, h = rng.normal(batch, n_in, height, width), rng.normal(batch, n_in, height, width)
        bias = rng.normal(batch, 2 * channels, 1, 1)
        given = [v.clone(), h.clone(), bias.clone()]
        for case, outputs in (
            ("without a bias", attempt(both_outputs, block, v, h)),
            ("with a bias", attempt(both_outputs, block, v, h, bias=bias)),
        ):
            for place, part in enumerate(("v'", "h'")):
                found[f"{part}, {name}, {case}"] = outputs if isinstance(outputs, str) else outputs[place]
        found[f"v, h and bias after the calls, {name}"] = [v.clone(), h.clone(), bias.clone()]
        gradients = attempt(block_gradients, block, *given)
        for place, part in enumerate(("v", "h", "bias", "link.weight", "link.bias", "out.weight")):
            found[f"gradient by {part}, {name}"] = gradients if isinstance(gradients, str) else gradients[place]
    alone = attempt(both_outputs, block, *(part[:1] for part in given))
    for place, part in enumerate(("v'", "h'")):
        found[f"{part} of one image, with a bias"] = alone if isinstance(alone, str) else alone[place]
    block, wide = block.double(), [part.double() for part in given]
    outputs = attempt(both_outputs, block.eval(), *wide)
    for place, part in enumerate(("v'", "h'")):
        found[f"{part} in float64 and evaluation mode"] = outputs if isinstance(outputs, str) else outputs[place]
    return found

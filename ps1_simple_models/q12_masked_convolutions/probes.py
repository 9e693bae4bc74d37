"""Question 12: masked convolutions, receptive fields, and the two stacks without a blind spot."""

import copy

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Question

from ..shared.networks import device_after_a_move, fill, some_mask

question = Question(
    title="Masked convolutions and what they can see",
    skills=["1.26", "1.28"],
    aim="Build convolutions that respect raster order, prove with gradients that they do, and remove the blind spot.",
    hints={"causal_mask": [
        "Draw the 3×3 and the 5×5 window and number its positions in reading order; the mask is 1 before the "
        "centre's number. For the layer: where must the mask be used so that nothing that happens to `weight` later "
        "can undo it?",
        '`self.register_buffer("mask", ...)` in the constructor, and the product of weight and mask in every `forward`. For the '
        "receptive field: make a copy of the image that requires gradients, pick one output pixel, and ask `torch.autograd.grad`.",
        "Block: `above = self.vertical(v)`; `left = self.horizontal(h) + self.link(above)`; add the bias to both; "
        "gate both; send the gated `left` through `self.out`, and add `h` only for kind B. `above` must be linked "
        "before it gets the bias.",
    ]},
    ambiguities=[
        "Where the mask is applied (to the weight in each forward, to weight.data in each forward, by a "
        "parametrisation) is free, as long as the masked entries never act and the parameters can be told apart by "
        "their number of axes. The buffer may have another name.",
        "receptive_field may use the model in either mode, as long as the model is in its own mode afterwards.",
        "The gradient of gated_activation is not tested where an exp written by hand would overflow; its value is.",
    ],
)


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


def dependence_judge(evidence, expected, context):
    """exactly the right pixels have a non-zero gradient"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for name, want in expected.items():
        got = np.asarray(evidence[name])
        if name == "at":
            continue
        if got.shape != want.shape:
            return (
                f"{name}: the output has another height or width than the input ({got.shape} instead of {want.shape})."
            )
        for wrong, word in (((got > 0) & (want == 0), "reads"), ((got == 0) & (want > 0), "does not read")):
            if wrong.any():
                i, j = (int(n) for n in np.argwhere(wrong)[0])
                row, col = (int(n) for n in np.asarray(expected["at"]))
                rule = "which it must not" if word == "reads" else "which it could"
                return f"{name}: the output at pixel ({row}, {col}) {word} pixel ({i}, {j}), {rule}."
    return True


# --- probes ---------------------------------------------------------------------------------------------------


@question.probe(points=1, title="masks A and B for kernel sizes from 1 to 11", public=True)
def raster_masks(student, rng):
    return {
        f"{kind}{size}": torch.as_tensor(student.causal_mask(kind, size)).float()
        for size in (3, 5, 1, 7, 11)
        for kind in ("A", "B")
    }


@question.probe(points=0.5, title="masks of the vertical and horizontal stacks; the gate", public=True)
def two_stack_masks(student, rng):
    found = {}
    for size in (3, 1, 5, 7, 11):
        for kind in ("A", "B"):
            vertical, horizontal = student.stack_masks(kind, size)
            found[f"vertical {kind}{size}"] = torch.as_tensor(vertical).float()
            found[f"horizontal {kind}{size}"] = torch.as_tensor(horizontal).float()
    found["gate"] = student.gated_activation(rng.normal(1, 4, 2, 3))
    return found


@question.probe(points=1, title="output of a masked convolution", public=True)
def masked_output(student, rng):
    outputs = []
    for height, width in ((3, 5), (1, 2 * rng.integer(1, 4) + 1), (5, 1)):
        n_in, n_out = rng.integer(1, 4), rng.integer(2, 5)
        layer = fill(student.raw.MaskedConv2d(some_mask(rng, height, width).to(rng.device), n_in, n_out), rng)
        outputs.append(layer(rng.normal(rng.integer(1, 4), n_in, rng.integer(5, 8), rng.integer(8, 11))))
    return outputs


@question.probe(
    points=1, title="the mask holds after optimiser steps and after loading weights", judge=Close(rtol=1e-3, atol=1e-4)
)
def mask_survives(student, rng):
    n_in, n_out, size = rng.integer(2, 4), rng.integer(2, 4), rng.choice([3, 5])
    masks = [some_mask(rng, size, size).to(rng.device), some_mask(rng, n_out, n_in, size, size).to(rng.device)]
    x, target, test = rng.normal(4, n_in, 6, 7), rng.normal(4, n_out, 6, 7), rng.normal(2, n_in, 7, 6)
    found = []
    for mask in masks:
        layer = student.raw.MaskedConv2d(mask.clone(), n_in, n_out).to(rng.device)
        for p in layer.parameters():
            if p.dim() == 1:  # the start must not depend on the layer's own initial values
                nn.init.constant_(p, 0.25)
            elif p.requires_grad:
                with torch.no_grad():
                    p.mul_(0)
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.2, momentum=0.5)
        for _ in range(3):
            optimiser.zero_grad()
            ((layer(x) - target) ** 2).mean().backward()
            optimiser.step()
        trained = layer(test).detach().clone()
        other = fill(student.raw.MaskedConv2d(mask.clone(), n_in, n_out), rng)
        layer.load_state_dict(other.state_dict())
        with torch.no_grad():
            loaded = layer.eval()(test)
        layer.zero_grad()
        layer(test).square().mean().backward()
        by_weights = sum(mask * p.grad for p in layer.parameters() if p.dim() == 4 and p.grad is not None)
        twin = fill(copy.deepcopy(layer), rng)
        found.append(
            {
                "after 3 steps of SGD": trained,
                "after load_state_dict": loaded,
                "gradient after a pass without gradients": by_weights,
                "a deep copy with other weights": twin(test),
            }
        )
    return found


@question.probe(points=0.5, title="the layer moves to another device and to float64 as a whole")
def mask_moves(student, rng):
    size = rng.choice([3, 5])
    mask = some_mask(rng, size, size)
    layer = fill(student.raw.MaskedConv2d(mask.to(rng.device), 2, 3), rng, keep={"": mask})
    x = rng.normal(1, 2, 6, 7, dtype=torch.float64)
    numbers = sum(p.numel() for p in layer.parameters())
    wide = layer.to(torch.float64)(x)
    return {"output in float64": wide, "device": device_after_a_move(layer, x), "numbers in parameters()": numbers}


class FaintLeak(nn.Module):
    """A network, plus a millionth of all pixels."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + 1e-6 * x.sum((1, 2, 3), keepdim=True)


@question.probe(points=1, title="receptive field of a given network", judge=Close(rtol=1e-3, atol=1e-6), public=True)
def gradient_map(student, rng):
    channels, height, width = rng.integer(2, 4), rng.integer(5, 7), rng.integer(7, 10)
    network = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 6, (3, 1), padding=(1, 0)), nn.Tanh()
    )
    fill(network, rng)
    network[0].bias.requires_grad_(False)  # one is frozen, and stays so
    image = rng.normal(channels, height, width)
    row, col = rng.integer(0, 5), rng.integer(5, 7)
    first = student.receptive_field(network, image, row, col)
    left_behind = sum(p.grad is not None for p in network.parameters())
    modes = ["train" if network.training else "eval"]
    for p in network.parameters():  # as after somebody else's backward()
        p.grad = torch.full_like(p, 0.5)
    network.eval()
    again = student.receptive_field(network, image, 0, width - 1)
    modes.append("train" if network.training else "eval")
    kept = [0.0 if p.grad is None else float(p.grad.sum()) for p in network.parameters()]
    flags, types = [p.requires_grad for p in network.parameters()], sorted({str(p.dtype) for p in network.parameters()})
    wide = student.receptive_field(copy.deepcopy(network).double(), image.double(), row, col)
    grey = fill(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Tanh()), rng)
    return {
        "map": first,
        "map at the upper right corner": again,
        "parameters that have a .grad afterwards and had none": left_behind,
        "gradients that were in the parameters before": kept,
        "requires_grad of the parameters, of which one was frozen": flags,
        "modes afterwards": modes,
        "types of the parameters afterwards": types,
        "map of a float64 network": wide,
        "map of a network with one channel": student.receptive_field(grey, image[:1], row, col),
        "map of a network with a faint leak, times 1e6": 1e6
        * student.receptive_field(FaintLeak(grey), image[:1], row, col),
        "requires_grad of the map": float(first.requires_grad),
        "requires_grad of the image afterwards": float(image.requires_grad),
    }


@question.probe(points=1, title="output of a gated block", judge=Close(rtol=1e-3, atol=1e-5))
def block_output(student, rng):
    found = {"gate": [student.gated_activation(rng.normal(2, 6, 3, 4, std=std)) for std in (1.0, 500.0)]}
    batch, channels, height, width = rng.integer(2, 4), rng.integer(2, 4), rng.integer(4, 7), rng.integer(5, 8)
    keep = {"vertical.": torch.zeros(3, 3), "horizontal.": torch.zeros(1, 3)}
    keep["vertical."][0], keep["horizontal."][0, 0] = 1.0, 1.0
    for kind, n_in in (("A", 1), ("A", channels), ("B", channels)):
        block = fill(student.raw.GatedBlock(kind, n_in, channels, 3), rng, keep=keep)
        v, h = rng.normal(batch, n_in, height, width), rng.normal(batch, n_in, height, width)
        bias = rng.normal(batch, 2 * channels, 1, 1)
        block.train(n_in > 1)
        found[f"block {kind} of {n_in} channels"] = [*block(v, h, bias), *block(v, h)]
    v, h, bias = (part.requires_grad_() for part in (v, h, bias))
    new_v, new_h = block(v, h, bias)
    by_v, by_h, by_bias = torch.autograd.grad((new_v * new_h.cos()).sum(), (v, h, bias))
    found["gradients of the last block"] = {"by v": by_v, "by h": by_h, "by bias": by_bias}
    return found


@question.probe(points=1, title="what one block and a whole stack can see", judge=dependence_judge)
def no_blind_spot(student, rng):
    size, kernel = 7, rng.choice([3, 5])
    row, col = rng.integer(2, 5), rng.integer(2, 5)
    found = {"at": [row, col]}
    for kind, n_in in (("A", 1), ("B", 2)):
        block = fill(student.raw.GatedBlock(kind, n_in, 2, kernel), rng).double()
        v, h = (rng.normal(1, n_in, size, size, dtype=torch.float64).requires_grad_() for _ in range(2))
        for name, output in zip(("v'", "h'"), block(v, h)):
            for source, seen in zip(("v", "h"), dependence(output, (v, h), row, col)):
                found[f"{name} of a block of kind {kind}, through {source}"] = seen
    x = rng.normal(1, 1, size, size, dtype=torch.float64).requires_grad_()
    v = h = x
    for n in range(5):
        v, h = fill(student.raw.GatedBlock("A" if n == 0 else "B", 1 if n == 0 else 2, 2, 3), rng).double()(v, h)
    found["v after 5 blocks"] = dependence(v, (x,), row, col)[0]
    found["h after 5 blocks"] = dependence(h, (x,), row, col)[0]
    return found

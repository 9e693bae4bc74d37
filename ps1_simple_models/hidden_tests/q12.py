"""Question 12: masked convolutions, receptive fields, and the two stacks without a blind spot."""

import copy

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, probe, question

question(
    "q12",
    title="Masked convolutions and what they can see",
    skills=["1.26", "1.28"],
    minutes=60,
    aim="Build convolutions that respect raster order, prove with gradients that they do, and remove the blind spot.",
    hints=[
        "Draw the 3×3 and the 5×5 window and number its positions in reading order; the mask is 1 before the centre's number. For "
        "the layer: where must the mask be used so that nothing that happens to `weight` later can undo it?",
        "`self.register_buffer(\"mask\", ...)` in the constructor, and the product of weight and mask in every `forward`. For the "
        "receptive field: make a copy of the image that requires gradients, pick one output pixel, and ask `torch.autograd.grad`.",
        "Block: `above = self.vertical(v)`; `left = self.horizontal(h) + self.link(above)`; add the bias to both; gate both; send the "
        "gated `left` through `self.out`, and add `h` only for kind B. `above` must be linked before it gets the bias.",
    ],
    ambiguities=[
        "Where the mask is applied (to the weight in each forward, to weight.data in each forward, by a parametrisation) is free, "
        "as long as the masked entries never act and the parameters can be told apart by their number of axes. The buffer may have another name.",
        "receptive_field may use the model in either mode, as long as the model is in its own mode afterwards.",
        "The gradient of gated_activation is not tested where an exp written by hand would overflow; its value is.",
    ],
)


def fill(module, rng, scale=0.6, keep=None):
    """Set all parameters to seeded numbers, whatever their order or the prefix that a parametrisation adds.

    keep: prefix -> mask of kernel positions of its 4-d weight that get a number; the others get 0, so that the student's mask has no
        say there.
    """
    named = {name.replace("parametrizations.", "").replace(".original", ""): p for name, p in module.named_parameters()}
    with torch.no_grad():
        for name in sorted(named):
            if named[name].requires_grad:
                named[name].copy_(rng.normal(*named[name].shape, std=scale))
                for prefix, positions in (keep or {}).items():
                    if name.startswith(prefix) and named[name].dim() == 4:
                        named[name].mul_(positions.to(named[name].device))
    return module.to(rng.device)


def some_mask(rng, *shape):
    """A random mask that has zeros and ones."""
    mask = rng.bernoulli(*shape).reshape(-1)
    mask[0], mask[-1] = 1.0, 0.0
    return mask.reshape(shape)


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
            return f"{name}: the output has another height or width than the input ({got.shape} instead of {want.shape})."
        for wrong, word in (((got > 0) & (want == 0), "reads"), ((got == 0) & (want > 0), "does not read")):
            if wrong.any():
                i, j = (int(n) for n in np.argwhere(wrong)[0])
                row, col = (int(n) for n in np.asarray(expected["at"]))
                rule = "which it must not" if word == "reads" else "which it could"
                return f"{name}: the output at pixel ({row}, {col}) {word} pixel ({i}, {j}), {rule}."
    return True


# --- probes ---------------------------------------------------------------------------------------------------


@probe(points=1, title="masks A and B for kernel sizes from 1 to 11", public=True)
def raster_masks(student, rng):
    return {
        f"{kind}{size}": torch.as_tensor(student.causal_mask(kind, size)).float() for size in (3, 5, 1, 7, 11) for kind in ("A", "B")
    }


@probe(points=0.5, title="masks of the vertical and horizontal stacks; the gate", public=True)
def two_stack_masks(student, rng):
    found = {}
    for size in (3, 1, 5, 7, 11):
        for kind in ("A", "B"):
            vertical, horizontal = student.stack_masks(kind, size)
            found[f"vertical {kind}{size}"] = torch.as_tensor(vertical).float()
            found[f"horizontal {kind}{size}"] = torch.as_tensor(horizontal).float()
    found["gate"] = student.gated_activation(rng.normal(1, 4, 2, 3))
    return found


@probe(points=1, title="output of a masked convolution", public=True)
def masked_output(student, rng):
    outputs = []
    for height, width in ((3, 5), (1, 2 * rng.integer(1, 4) + 1), (5, 1)):
        n_in, n_out = rng.integer(1, 4), rng.integer(2, 5)
        layer = fill(student.raw.MaskedConv2d(some_mask(rng, height, width).to(rng.device), n_in, n_out), rng)
        outputs.append(layer(rng.normal(rng.integer(1, 4), n_in, rng.integer(5, 8), rng.integer(8, 11))))
    return outputs


@probe(points=1, title="the mask holds after optimiser steps and after loading weights", judge=Close(rtol=1e-3, atol=1e-4))
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
        found.append({
            "after 3 steps of SGD": trained, "after load_state_dict": loaded, "gradient after a pass without gradients": by_weights,
            "a deep copy with other weights": twin(test),
        })
    return found


def device_after_a_move(layer, x):
    """Where the output lies when the layer and its input have moved. The device "meta" holds no numbers: if the layer needs to
    look at them, the places of its tensors are the answer."""
    layer.to("meta")
    try:
        return layer(x.to("meta")).device.type
    except (NotImplementedError, RuntimeError):
        kept = [value for module in layer.modules() for value in vars(module).values()]
        for value in kept:
            if isinstance(value, (list, tuple, dict)):
                kept += value.values() if isinstance(value, dict) else value
        return next((value.device.type for value in kept if torch.is_tensor(value) and not value.is_meta), "meta")


@probe(points=0.5, title="the layer moves to another device and to float64 as a whole")
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


@probe(points=1, title="receptive field of a given network", judge=Close(rtol=1e-3, atol=1e-6), public=True)
def gradient_map(student, rng):
    channels, height, width = rng.integer(2, 4), rng.integer(5, 7), rng.integer(7, 10)
    network = nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 6, (3, 1), padding=(1, 0)), nn.Tanh())
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
        "map of a network with a faint leak, times 1e6": 1e6 * student.receptive_field(FaintLeak(grey), image[:1], row, col),
        "requires_grad of the map": float(first.requires_grad),
        "requires_grad of the image afterwards": float(image.requires_grad),
    }


@probe(points=1, title="output of a gated block", judge=Close(rtol=1e-3, atol=1e-5))
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


@probe(points=1, title="what one block and a whole stack can see", judge=dependence_judge)
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


# --- mistakes -------------------------------------------------------------------------------------------------

edit_mistake(
    "kinds_swapped",
    "kind A lets the centre through and kind B does not: with A in the first layer every pixel sees itself",
    ('float(kind == "B")', 'float(kind == "A")'),
    ("own = int(kind == \"B\")", "own = int(kind == \"A\")"),
)
edit_mistake(
    "centre_always",
    "the mask of kind A contains the centre: the first layer shows each pixel the value that it has to predict",
    ('mask[radius, radius] = float(kind == "B")', "mask[radius, radius] = 1"),
)
edit_mistake(
    "centre_never",
    "the mask of kind B lacks the centre: later layers may read their own position, only the first may not",
    ('mask[radius, radius] = float(kind == "B")', "mask[radius, radius] = 0"),
)
edit_mistake(
    "whole_row",
    "the mask lets the whole row of the centre through, also what lies to the right, which is the future",
    ("mask[radius, :radius] = 1", 'mask[radius, :] = 1'),
)
edit_mistake(
    "left_below",
    "the mask lets the left half of the rows below through; they come later in raster order",
    ("mask[:radius] = 1", "mask[:radius] = 1\n    mask[radius:, :radius] = 1"),
)
edit_mistake(
    "upper_left_only",
    "the mask keeps only what is above and to the left; the rows above are allowed in full width",
    ("mask[:radius] = 1", "mask[:radius, : radius + 1] = 1"),
)
edit_mistake(
    "mask_transposed",
    "rows and columns are exchanged in the mask: raster order goes through a row from left to right, then to the next row",
    ("mask[radius, radius] = float(kind == \"B\")\n    return mask", "mask[radius, radius] = float(kind == \"B\")\n    return mask.T"),
)
edit_mistake(
    "vertical_sees_row",
    "the vertical window of kind A contains the centre's own row: the vertical features then know the current pixel and "
    "what is to its right, and hand it to the horizontal stack",
    ("vertical[: radius + own] = 1", "vertical[: radius + 1] = 1"),
)
edit_mistake(
    "vertical_lags",
    "the vertical window of kind B lacks the centre's own row: every layer then drops the nearest row that it could use",
    ("vertical[: radius + own] = 1", "vertical[:radius] = 1"),
)
edit_mistake(
    "vertical_is_causal",
    "the vertical window of kind B stops at the centre column; features of that row know only rows above, so the full row is allowed",
    (
        "vertical[: radius + own] = 1",
        "vertical[:radius] = 1\n    vertical[radius, : radius + 1] = own",
    ),
)
edit_mistake(
    "horizontal_sees_itself",
    "the horizontal window of kind A contains the centre: in the first layer that is the pixel to be predicted",
    ("horizontal[:, : radius + own] = 1", "horizontal[:, : radius + 1] = 1"),
)
edit_mistake(
    "masked_once",
    "the mask does not act on the weights that the layer holds now: it is never used, or only once in the constructor, where the first "
    "optimiser step or loading weights undoes it",
    ('self.register_buffer("mask", mask.clone())', 'self.register_buffer("mask", mask.clone())\n        self.weight.data *= mask'),
    ("self.weight * self.mask, self.bias", "self.weight, self.bias"),
)
edit_mistake(
    "masked_gradient",
    "the mask is put on the gradient of the weights, not on the weights: values that are there from the start, or loaded, still act",
    ('self.register_buffer("mask", mask.clone())', 'self.register_buffer("mask", mask.clone())\n        self.weight.register_hook(lambda g: g * mask)'),
    ("self.weight * self.mask, self.bias", "self.weight, self.bias"),
)
edit_mistake(
    "masked_in_training_only",
    "the weights are masked in training mode only; in eval mode after loading weights the mask does not act",
    (
        "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)",
        "if self.training:\n            self.weight.data *= self.mask\n        return F.conv2d(x, self.weight, self.bias, padding=self.padding)",
    ),
)
edit_mistake(
    "masked_with_gradients_only",
    "the weights are masked only while gradients are computed; under `torch.no_grad()` the mask does not act",
    (
        "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)",
        "if torch.is_grad_enabled():\n            self.weight.data *= self.mask\n        return F.conv2d(x, self.weight, self.bias, padding=self.padding)",
    ),
)
edit_mistake(
    "mask_not_buffer",
    "the mask is a plain attribute: `.to(device)` leaves it behind, so the layer fails on a GPU; make it a buffer",
    ('self.register_buffer("mask", mask.clone())', "self.mask = mask.clone()"),
)
edit_mistake(
    "mask_is_parameter",
    "the mask is a parameter, so the optimiser changes it; a buffer is saved and moved like one, but not trained",
    ('self.register_buffer("mask", mask.clone())', "self.mask = nn.Parameter(mask.clone())"),
)
edit_mistake(
    "mask_is_frozen_parameter",
    "the mask is among the layer's parameters, though it does not require gradients; weight and bias are the only ones, a buffer is the place for it",
    ('self.register_buffer("mask", mask.clone())', "self.mask = nn.Parameter(mask.clone(), requires_grad=False)"),
)
edit_mistake(
    "bias_dropped",
    "the bias of the masked convolution is missing from its output",
    ("self.weight * self.mask, self.bias, padding", "self.weight * self.mask, None, padding"),
)
edit_mistake(
    "no_padding",
    "the masked convolution does not pad, so the output is smaller than the input",
    ("self.bias, padding=self.padding)", "self.bias)"),
)
edit_mistake(
    "one_padding",
    "the padding is taken from one side of the kernel only; a kernel of 1×k needs none above and k//2 at the sides",
    ("self.bias, padding=self.padding)", "self.bias, padding=self.padding[0])"),
)
edit_mistake(
    "map_signed",
    "the map is the gradient itself and not its absolute value: contributions of several channels can cancel",
    ("return gradient[0].abs().sum(0)", "return gradient[0].sum(0)"),
)
edit_mistake(
    "map_abs_late",
    "the absolute value is taken after the sum over input channels, so channels of opposite sign cancel; take it before",
    ("return gradient[0].abs().sum(0)", "return gradient[0].sum(0).abs()"),
)
edit_mistake(
    "map_first_channel",
    "only the first channel of the output is looked at; a leak in the others stays unseen",
    ("model(x)[0, :, row, col].sum()", "model(x)[0, 0, row, col]"),
)
edit_mistake(
    "map_all_outputs",
    "the gradient is that of the sum over all output pixels, not of the one at (row, col)",
    ("model(x)[0, :, row, col].sum()", "model(x).sum()"),
)
edit_mistake(
    "map_swapped",
    "row and column are exchanged in the output",
    ("model(x)[0, :, row, col].sum()", "model(x)[0, :, col, row].sum()"),
)
edit_mistake(
    "map_at_zero",
    "the gradient is taken at a black image instead of at the given one",
    ("x = image.detach().clone().unsqueeze(0).requires_grad_()", "x = torch.zeros_like(image).unsqueeze(0).requires_grad_()"),
)
edit_mistake(
    "map_leaves_gradients",
    "`backward()` leaves gradients in the model's parameters, where the next optimiser step finds them; ask only for the image's",
    (
        "(gradient,) = torch.autograd.grad(score, x)",
        "score.backward()\n    gradient = x.grad",
    ),
)
edit_mistake(
    "map_clears_gradients",
    "the gradients that the model's parameters had before are cleared; they must stay as they were, ask only for the image's gradient",
    (
        "(gradient,) = torch.autograd.grad(score, x)",
        "score.backward()\n    gradient = x.grad\n    model.zero_grad()",
    ),
)
edit_mistake(
    "model_frozen",
    "the model's parameters no longer require gradients afterwards, so that it cannot be trained any more",
    (
        "score = model(x)[0, :, row, col].sum()",
        "for p in model.parameters():\n        p.requires_grad_(False)\n    score = model(x)[0, :, row, col].sum()",
    ),
)
edit_mistake(
    "model_thawed",
    "all of the model's parameters require gradients afterwards, also those that were frozen before; put back what each had",
    (
        "score = model(x)[0, :, row, col].sum()",
        "for p in model.parameters():\n        p.requires_grad_(False)\n    score = model(x)[0, :, row, col].sum()\n"
        "    for p in model.parameters():\n        p.requires_grad_(True)",
    ),
)
edit_mistake(
    "mode_changed",
    "the model is put into training mode, although it was in evaluation mode before",
    ("score = model(x)[0, :, row, col].sum()", "model.eval()\n    score = model(x)[0, :, row, col].sum()\n    model.train()"),
)
edit_mistake(
    "map_squeezed",
    "`squeeze()` also removes the axis of the channels if there is only one, and the sum then runs over the rows",
    ("return gradient[0].abs().sum(0)", "return gradient.squeeze().abs().sum(0)"),
)
edit_mistake(
    "map_rounded",
    "small entries of the map are lost (set to 0, or rounded away by differences of outputs); a weak leak is a leak, too",
    ("return gradient[0].abs().sum(0)", "gradient = torch.where(gradient.abs() < 1e-5, 0.0, gradient)\n    return gradient[0].abs().sum(0)"),
)
edit_mistake(
    "image_marked",
    "the given image itself is made to require gradients; work on a copy, so that the caller's tensor stays as it was",
    ("x = image.detach().clone().unsqueeze(0).requires_grad_()", "x = image.requires_grad_().unsqueeze(0)"),
)
edit_mistake(
    "halves_swapped",
    "the halves of the gate are exchanged: tanh belongs to the first half of the channels, the sigmoid to the second",
    ("value, gate = a.chunk(2, dim=1)", "gate, value = a.chunk(2, dim=1)"),
)
edit_mistake(
    "interleaved",
    "the gate takes every other channel; the halves are the first C channels and the last C",
    ("value, gate = a.chunk(2, dim=1)", "value, gate = a[:, 0::2], a[:, 1::2]"),
)
edit_mistake(
    "relu_gate",
    "the value of the gated unit goes through a tanh, not a ReLU",
    ("torch.tanh(value)", "torch.relu(value)"),
)
edit_mistake(
    "residual_in_A",
    "the residual connection is also used in the block of kind A: it adds the image itself to h', so every pixel sees its own value",
    ('update if self.kind == "A" else h + update', "h + update"),
)
edit_mistake(
    "no_residual",
    "the residual connection of kind B is missing: h' = h + update",
    ('update if self.kind == "A" else h + update', "update"),
)
edit_mistake(
    "no_link",
    "the vertical features never reach the horizontal stack: h then knows its own row only",
    ("self.horizontal(h) + self.link(above)", "self.horizontal(h)"),
)
edit_mistake(
    "link_detached",
    "the link is cut off from the gradient, so the horizontal stack cannot train the vertical one",
    ("self.link(above)", "self.link(above.detach())"),
)
edit_mistake(
    "link_after_gate",
    "the link gets the vertical features after the gate; it takes a = V v, with its 2C channels, from before",
    ("left = self.horizontal(h) + self.link(above)", "left = self.horizontal(h) + self.link(gated_activation(above))"),
)
edit_mistake(
    "h_feeds_v",
    "the horizontal features flow into the vertical stack: through it, pixels to the left get to see what is on their right",
    ("return gated_activation(above), update", "return gated_activation(above + left), update"),
)
edit_mistake(
    "sigmoid_by_hand",
    "the sigmoid is computed as exp(a) / (1 + exp(a)), which is NaN for large a; use torch.sigmoid",
    ("torch.sigmoid(gate)", "torch.exp(gate) / (1 + torch.exp(gate))"),
)
edit_mistake(
    "bias_only_h",
    "beta is added in the horizontal gate only; equation (12.5) has it in both",
    ("above, left = above + bias, left + bias", "left = left + bias"),
)
edit_mistake(
    "bias_in_training_only",
    "beta is used in training mode only",
    ("if bias is not None:", "if bias is not None and self.training:"),
)
edit_mistake(
    "bias_before_link",
    "beta is added to a = V v before the link, so the horizontal gate gets it twice",
    (
        "left = self.horizontal(h) + self.link(above)\n        if bias is not None:\n            above, left = above + bias, left + bias",
        "above = above if bias is None else above + bias\n        left = self.horizontal(h) + self.link(above)\n        left = left if bias is None else left + bias",
    ),
)
edit_mistake(
    "no_out",
    "the 1×1 convolution `out` after the horizontal gate is left out",
    ("update = self.out(gated_activation(left))", "update = gated_activation(left)"),
)


# --- alternatives ---------------------------------------------------------------------------------------------


@alternative("masks by comparing raster numbers; a mask recomputed in every forward; Jacobian by torch.autograd.functional")
def raster_numbers(ref):
    def causal_mask(kind, kernel_size):
        number = torch.arange(kernel_size**2).reshape(kernel_size, kernel_size)
        centre = kernel_size**2 // 2
        return ((number < centre) | ((number == centre) & (kind == "B"))).double()

    def stack_masks(kind, kernel_size):
        offset = torch.arange(kernel_size) - kernel_size // 2
        keep = (offset <= 0) if kind == "B" else (offset < 0)
        return keep[:, None].expand(kernel_size, kernel_size).float(), keep[None].float()

    def receptive_field(model, image, row, col):
        def score(x):
            return model(x[None])[0, :, row, col].sum()

        return torch.autograd.functional.jacobian(score, image).abs().sum(0)

    return {"causal_mask": causal_mask, "stack_masks": stack_masks, "receptive_field": receptive_field}


edit_alternative(
    "zeroed_in_every_forward",
    "multiplies weight.data by the mask at the start of every forward",
    ("return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)", "self.weight.data.mul_(self.mask)\n        return super().forward(x)"),
)


@alternative("a parametrisation keeps the weight masked")
def parametrised(ref):
    class Times(nn.Module):
        def __init__(self, mask):
            super().__init__()
            self.register_buffer("mask", mask.clone())

        def forward(self, weight):
            return weight * self.mask

    class MaskedConv2d(nn.Conv2d):
        def __init__(self, mask, in_channels, out_channels):
            height, width = mask.shape[-2:]
            super().__init__(in_channels, out_channels, (height, width), padding=(height // 2, width // 2))
            nn.utils.parametrize.register_parametrization(self, "weight", Times(mask))

    return {"MaskedConv2d": MaskedConv2d}


@alternative("own module: sums shifted copies of the padded input, window position by window position")
def shifted_sums(ref):
    class MaskedConv2d(nn.Module):
        def __init__(self, mask, in_channels, out_channels):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *mask.shape[-2:]) * 0.1)
            self.bias = nn.Parameter(torch.zeros(out_channels))
            self.register_buffer("mask", mask.bool(), persistent=False)

        def forward(self, x):
            kh, kw = self.weight.shape[-2:]
            height, width = x.shape[-2:]
            padded = nn.functional.pad(x, (kw // 2, kw // 2, kh // 2, kh // 2))
            weight = torch.where(self.mask, self.weight, torch.zeros_like(self.weight))
            out = self.bias[:, None, None]
            for u in range(kh):
                for v in range(kw):
                    out = out + torch.einsum("oc,bchw->bohw", weight[:, :, u, v], padded[:, :, u : u + height, v : v + width])
            return out

    def gated_activation(a):
        half = a.shape[1] // 2
        return torch.tanh(a[:, :half]) / (1 + torch.exp(-a[:, half:]))

    def receptive_field(model, image, row, col):
        state = [p.requires_grad for p in model.parameters()]
        for p in model.parameters():
            p.requires_grad_(False)
        x = image.clone()[None].requires_grad_(True)
        model(x)[0, :, row, col].sum().backward()
        for p, flag in zip(model.parameters(), state):
            p.requires_grad_(flag)
        return x.grad.squeeze(0).abs().sum(dim=0)

    return {"MaskedConv2d": MaskedConv2d, "gated_activation": gated_activation, "receptive_field": receptive_field}


edit_alternative(
    "other_order_in_the_block",
    "the block computes the horizontal stack first and uses F.glu-like splitting",
    (
        "above = self.vertical(v)\n        left = self.horizontal(h) + self.link(above)\n        if bias is not None:\n            above, left = above + bias, left + bias",
        "beta = 0 if bias is None else bias\n        left = self.link(self.vertical(v)) + beta + self.horizontal(h)\n        above = beta + self.vertical(v)",
    ),
)

"""Question 15 (bonus): masks and normalisation for colour images, and the matrix that detects a leak."""

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, alternative, edit_alternative, edit_mistake, probe, question

question(
    "q15",
    title="Colour",
    uses=["MaskedConv2d"],
    skills=["1.27"],
    bonus=True,
    minutes=40,
    aim="Extend raster order to colours within a pixel, normalise without a leak, and prove it with the full dependence matrix.",
    hints=[
        "Write down the colour of each channel, for 3 and for 6 channels, as a vector of 0, 1, 2. The centre of the mask is then one comparison "
        "of a column with a row of such vectors.",
        "ColourNorm: reshape (B, C, H, W) to (B, 3, C/3, H, W) and normalise over one axis. Dependence: the order of (3, H, W) flattened is "
        "colour first; equation (15.1) wants the colour last.",
        "`centre = colour_in[None, :] < colour_out[:, None]` (kind A). For the matrix: `copy.deepcopy(model)`, then for each value of "
        "`model(x)[0].permute(1, 2, 0).flatten()` one `torch.autograd.grad`, permuted in the same way.",
    ],
    ambiguities=["ColourNorm with one channel per colour gives the offset exactly; any eps convention gives the same there."],
)


def fill(module, rng, scale=0.6):
    """Set all parameters to seeded numbers, whatever their order or the prefix that a parametrisation adds."""
    named = {name.replace("parametrizations.", "").replace(".original", ""): p for name, p in module.named_parameters()}
    with torch.no_grad():
        for name in sorted(named):
            if named[name].requires_grad:
                named[name].copy_(rng.normal(*named[name].shape, std=scale))
    return module.to(rng.device)


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
        reads, may_read = (np.abs(matrix) > 1e-12 * np.abs(matrix).max() for matrix in (got, want))  # what is fainter is rounding
        for wrong, word in ((reads & ~may_read, "reads"), (may_read & ~reads, "does not read")):
            if wrong.any():
                n, m = np.argwhere(wrong)[0]
                rule = "which it must not" if word == "reads" else "which it could"
                return f"{name}: {name_of(n, width)} {word} {name_of(m, width)}, {rule}."
        if not np.allclose(got, want, rtol=1e-3, atol=1e-3 * np.abs(want).max()):
            return f"{name}: every value depends on the right ones, but some derivatives are wrong."
    return True


# --- probes ---------------------------------------------------------------------------------------------------


@probe(points=1, title="channel-aware masks", public=True)
def masks(student, rng):
    found = {}
    for kind in ("A", "B"):
        for n_in, n_out, size in ((3, 3, 3), (3, 3 * rng.integer(2, 4), 5), (6, 9, 3), (9, 3, 1)):
            mask = torch.as_tensor(student.colour_mask(kind, n_in, n_out, size)).float()
            found[f"{kind}, {n_in} to {n_out} channels, size {size}"] = mask
    return found


# The gradient for the input is a small difference of numbers of size 1/std: float32 leaves about 1e-3 of it.
NORM_OUTPUT = Fields({
    "with gain and offset": Close(rtol=1e-3, atol=1e-4), "as made, in evaluation mode": Close(rtol=1e-3, atol=1e-4),
    "gradient for the input": Close(rtol=1e-3, atol=5e-3), "gradients for gain and offset": Close(rtol=1e-3, atol=1e-3),
})


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


@probe(points=1, title="ColourNorm's output and gradients", judge=NORM_OUTPUT, public=True)
def norm_output(student, rng):
    group, batch = rng.integer(3, 6), rng.integer(2, 4)  # with two channels per colour, all measures of spread are one
    layer = fill(student.raw.ColourNorm(3 * group), rng)
    a = spread_out(rng, batch, group).requires_grad_()
    output = layer(a)
    for_input, *for_parameters = gradients(output, rng.normal(*output.shape), a, layer.gain, layer.offset)
    fresh = student.raw.ColourNorm(3 * group).to(rng.device).eval()
    return {
        "with gain and offset": output, "as made, in evaluation mode": fresh(a[:1]), "gradient for the input": for_input,
        "gradients for gain and offset": for_parameters,
    }


@probe(points=0.5, title="ColourNorm for tiny, equal and single channels", judge=Close(rtol=2e-3, atol=1e-4))
def norm_extremes(student, rng):
    group = rng.integer(2, 5)
    layer = fill(student.raw.ColourNorm(3 * group), rng)
    tiny, flat = 0.003 * rng.normal(2, 3 * group, 2, 3), torch.full((1, 3 * group, 2, 2), 0.5, device=rng.device)
    single = fill(student.raw.ColourNorm(3), rng)
    x = rng.normal(2, 3, 2, 3)
    x.requires_grad_()
    output = single(x)
    return {
        "tiny values": layer(tiny), "equal values": layer(flat), "one channel per colour": output,
        "its gradient": gradients(output, rng.normal(*output.shape), x), "the tiny values afterwards": tiny,
    }


@probe(points=1, title="dependence matrix of a given network", judge=Close(rtol=1e-3, atol=1e-6), public=True)
def matrix(student, rng):
    height, width = rng.choice([(2, 3), (3, 2), (2, 4)])  # never square: rows and columns could be mixed up
    network = nn.Sequential(nn.Conv2d(3, 4, (3, 1), padding=(1, 0)), nn.Tanh(), nn.Conv2d(4, 3, (1, 3), padding=(0, 1)))
    fill(network, rng)
    return student.dependence_matrix(network, rng.normal(3, height, width))


@probe(points=0.5, title="dependence matrix with BatchNorm: right mode, no trace", judge=Close(rtol=5e-3, atol=1e-5))
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
        found[f"stored statistics after {mode} mode"] = [norm.running_mean.clone(), norm.running_var.clone(), int(norm.num_batches_tracked)]
        found[f"training mode after {mode} mode"] = [float(network.training), float(norm.training)]
    found["gradients in the parameters"] = [
        float(network[0].weight.grad.sum() / network[0].weight.numel()) if network[0].weight.grad is not None else -1.0,
        sum(float(p.grad.abs().sum()) for p in network[3].parameters() if p.grad is not None),
    ]
    found["requires_grad of the matrix, of the image; a gradient in the image"] = [
        float(found["matrix in evaluation mode"].requires_grad), float(image.requires_grad), float(image.grad is not None)
    ]
    network.train()(image[None])
    found["stored statistics after a training step"] = [norm.running_mean, norm.running_var, int(norm.num_batches_tracked)]
    found["gradients can still be taken"] = [float(p.requires_grad) for p in network.parameters()] + [float(torch.is_grad_enabled())]
    return found


@probe(points=1, title="the dependence matrix of a colour network, strictly triangular", judge=triangular)
def network_is_causal(student, rng):
    height, width, group, size = 2, rng.integer(2, 4), rng.integer(3, 5), rng.choice([3, 5])
    channels = 3 * group
    shapes = (("A", 3, channels, size), ("B", channels, channels, size), ("B", channels, 3, 1))
    masks = [torch.as_tensor(student.colour_mask(*shape)).float().to(rng.device) for shape in shapes]
    first, middle, last = (student.raw.MaskedConv2d(mask, n_in, n_out) for mask, (_, n_in, n_out, _) in zip(masks, shapes))
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


# --- mistakes -------------------------------------------------------------------------------------------------

edit_mistake(
    "colour_reads_itself",
    "in kind A a colour reads its own value at its own pixel; it may read only the colours before it",
    ("centre = colour_in[None, :] < colour_out[:, None]\n", "centre = colour_in[None, :] <= colour_out[:, None]\n"),
)
edit_mistake(
    "colour_blind",
    "in kind A no colour reads another one at its own pixel, as if the colours were independent",
    ("centre = colour_in[None, :] < colour_out[:, None]\n", "centre = torch.zeros(out_channels, in_channels)\n"),
)
edit_mistake(
    "strict_in_B",
    "in kind B a colour does not read its own features at its own pixel; after the first layer it may",
    ("centre = colour_in[None, :] <= colour_out[:, None]", "centre = colour_in[None, :] < colour_out[:, None]"),
)
edit_mistake(
    "open_in_B",
    "in kind B all colours read each other at their own pixel; red features then get to know blue",
    ("centre = colour_in[None, :] <= colour_out[:, None]", "centre = torch.ones(out_channels, in_channels)"),
)
edit_mistake(
    "order_reversed",
    "the order of the colours is reversed: blue comes first and red sees it; the order is R, G, B",
    ("centre = colour_in[None, :] < colour_out[:, None]\n", "centre = colour_in[None, :] > colour_out[:, None]\n"),
    ("centre = colour_in[None, :] <= colour_out[:, None]", "centre = colour_in[None, :] >= colour_out[:, None]"),
)
edit_mistake(
    "in_out_swapped",
    "output and input channels are exchanged in the mask; a weight has the shape (out, in, k, k)",
    ("    return mask\n", "    return mask.transpose(0, 1)\n"),
)
edit_mistake(
    "interleaved_colours",
    "the colours alternate from channel to channel (R G B R G B …); the first third of the channels is red, the second green, the last blue",
    ("colour_in = torch.arange(in_channels) * 3 // in_channels", "colour_in = torch.arange(in_channels) % 3"),
    ("colour_out = torch.arange(out_channels) * 3 // out_channels", "colour_out = torch.arange(out_channels) % 3"),
)
edit_mistake(
    "channels_compared",
    "channel numbers are compared instead of their colours; with more than three channels, a colour then reads only a part of itself",
    ("colour_in = torch.arange(in_channels) * 3 // in_channels", "colour_in = torch.arange(in_channels)"),
    ("colour_out = torch.arange(out_channels) * 3 // out_channels", "colour_out = torch.arange(out_channels)"),
)
edit_mistake(
    "colour_order_everywhere",
    "the colour order is applied at the neighbouring pixels too; earlier pixels are open to all colours",
    ("    return mask\n", "    return mask * centre.float()[:, :, None, None]\n"),
)
edit_mistake(
    "norm_over_pixel",
    "the statistics run over all channels of a pixel, so the red features are divided by something that has seen the red value",
    ("a.reshape(batch, 3, channels // 3, height, width)", "a.reshape(batch, 1, channels, height, width)"),
)
edit_mistake(
    "norm_over_space",
    "the statistics of a colour run over the whole image, so every pixel sees all later ones",
    ("grouped.mean(2, keepdim=True)", "grouped.mean((2, 3, 4), keepdim=True)"),
    ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((2, 3, 4), keepdim=True)"),
)
edit_mistake(
    "norm_over_batch",
    "the statistics run over batch and space, as in BatchNorm: pixels see later ones, and other images",
    ("grouped.mean(2, keepdim=True)", "grouped.mean((0, 3, 4), keepdim=True)"),
    ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((0, 3, 4), keepdim=True)"),
)
edit_mistake(
    "norm_across_colours",
    "the statistics run across the three colours instead of within each of them",
    ("a.reshape(batch, 3, channels // 3, height, width)", "a.reshape(batch, channels // 3, 3, height, width).transpose(1, 2)"),
    ("(centred / torch.sqrt(variance + 1e-5)).reshape(a.shape)", "(centred / torch.sqrt(variance + 1e-5)).transpose(1, 2).reshape(a.shape)"),
)
edit_mistake(
    "norm_unbiased",
    "the variance divides by m - 1; equation (15.3) divides by m (and m = 1 would give NaN)",
    ("variance = (centred**2).mean(2, keepdim=True)", "variance = grouped.var(2, keepdim=True)"),
)
edit_mistake(
    "norm_eps_outside",
    "1e-5 is added to the standard deviation; it stands inside the square root, which matters for tiny values",
    ("torch.sqrt(variance + 1e-5)", "(torch.sqrt(variance) + 1e-5)"),
)
edit_mistake(
    "norm_no_eps",
    "1e-5 is not added inside the root; it matters for small values, and equal channels would give 0/0",
    ("torch.sqrt(variance + 1e-5)", "torch.sqrt(variance)"),
)
edit_mistake(
    "norm_not_centred",
    "the mean is not subtracted",
    ("centred = grouped - grouped.mean(2, keepdim=True)", "centred = grouped"),
)
edit_mistake(
    "norm_divides_by_variance",
    "the values are divided by the variance instead of by its square root",
    ("torch.sqrt(variance + 1e-5)", "(variance + 1e-5)"),
)
edit_mistake(
    "norm_detached",
    "the statistics are detached (or computed without gradients), so the gradient through them is missing",
    ("variance = (centred**2).mean(2, keepdim=True)", "variance = (centred**2).mean(2, keepdim=True).detach()"),
)
edit_mistake(
    "gain_untrained",
    "gain and offset are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so they are never trained",
    ("normal * self.gain[:, None, None] + self.offset[:, None, None]", "normal * self.gain.data[:, None, None] + self.offset.data[:, None, None]"),
)
edit_mistake(
    "norm_ignores_gain",
    "gain and offset are not used",
    ("normal * self.gain[:, None, None] + self.offset[:, None, None]", "normal"),
)
edit_mistake(
    "colour_first",
    "the matrix is numbered colour by colour, as (3, H, W) lies in memory; equation (15.1) numbers pixel by pixel, R, G, B within a pixel",
    ("output = model(x)[0].permute(1, 2, 0).flatten()", "output = model(x)[0].flatten()"),
    ("[0][0].permute(1, 2, 0).flatten() for value", "[0][0].flatten() for value"),
)
edit_mistake(
    "columns_colour_first",
    "the rows of the matrix are numbered as in equation (15.1) but its columns are not",
    ("[0][0].permute(1, 2, 0).flatten() for value", "[0][0].flatten() for value"),
)
edit_mistake(
    "rows_colour_first",
    "the columns of the matrix are numbered as in equation (15.1) but its rows are not",
    ("output = model(x)[0].permute(1, 2, 0).flatten()", "output = model(x)[0].flatten()"),
)
edit_mistake(
    "column_major",
    "pixels are numbered column by column; raster order goes row by row",
    ("output = model(x)[0].permute(1, 2, 0).flatten()", "output = model(x)[0].permute(2, 1, 0).flatten()"),
    ("[0][0].permute(1, 2, 0).flatten() for value", "[0][0].permute(2, 1, 0).flatten() for value"),
)
edit_mistake(
    "matrix_transposed",
    "the matrix is transposed: rows are outputs, columns are inputs",
    ("return torch.stack(rows).abs()", "return torch.stack(rows, 1).abs()"),
)
edit_mistake(
    "matrix_signed",
    "the derivatives keep their sign; their absolute values are asked for",
    ("return torch.stack(rows).abs()", "return torch.stack(rows)"),
)
edit_mistake(
    "matrix_binary",
    "the matrix says only whether there is a dependence; its size is asked for",
    ("return torch.stack(rows).abs()", "return (torch.stack(rows) != 0).float()"),
)
edit_mistake(
    "tested_in_eval",
    "the model is switched to evaluation mode for the test, where BatchNorm looks innocent; test it in the mode that it is in",
    ("model = copy.deepcopy(model)", "model = copy.deepcopy(model).eval()"),
)
edit_mistake(
    "leaves_trace",
    "the test leaves a trace: passes in training mode change the running statistics of the model's BatchNorm; test a copy",
    ("    model = copy.deepcopy(model)\n", ""),
)
edit_mistake(
    "leaves_gradients",
    "`backward()` adds to the gradients of the model's parameters",
    (
        "    model = copy.deepcopy(model)\n",
        "    buffers = {name: b.clone() for name, b in model.named_buffers()}\n",
    ),
    (
        "    rows = [torch.autograd.grad(value, x, retain_graph=True)[0][0].permute(1, 2, 0).flatten() for value in output]\n",
        "    rows = []\n    for value in output:\n        x.grad = None\n        value.backward(retain_graph=True)\n"
        "        rows.append(x.grad[0].permute(1, 2, 0).flatten())\n"
        "    for name, b in model.named_buffers():\n        b.copy_(buffers[name])\n",
    ),
)
edit_mistake(
    "freezes_parameters",
    "the test leaves a trace: the parameters of the model no longer require gradients",
    ("    model = copy.deepcopy(model)\n", "    model.requires_grad_(False)\n    model = copy.deepcopy(model)\n"),
)
edit_mistake(
    "at_zero",
    "the derivatives are taken at a black image instead of at the given one",
    ("x = image.detach().clone().unsqueeze(0).requires_grad_()", "x = torch.zeros_like(image).unsqueeze(0).requires_grad_()"),
)


# --- alternatives ---------------------------------------------------------------------------------------------


@alternative("loops over channels; LayerNorm of each colour; Jacobian from torch, buffers put back")
def other_ways(ref):
    def colour_mask(kind, in_channels, out_channels, kernel_size):
        mask = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        c = kernel_size // 2
        for o in range(out_channels):
            for i in range(in_channels):
                mask[o, i, :c], mask[o, i, c, :c] = 1, 1
                colour_o, colour_i = o // (out_channels // 3), i // (in_channels // 3)
                mask[o, i, c, c] = colour_i < colour_o or (kind == "B" and colour_i == colour_o)
        return torch.from_numpy(mask).float()

    class ColourNorm(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(channels))
            self.offset = nn.Parameter(torch.zeros(channels))

        def forward(self, a):
            last = a.permute(0, 2, 3, 1)
            parts = [nn.functional.layer_norm(part, part.shape[-1:], eps=1e-5) for part in last.chunk(3, dim=-1)]
            return (torch.cat(parts, dim=-1) * self.gain + self.offset).permute(0, 3, 1, 2)

    def dependence_matrix(model, image):
        buffers = {name: b.clone() for name, b in model.named_buffers()}
        full = torch.autograd.functional.jacobian(lambda x: model(x[None])[0], image)
        with torch.no_grad():
            for name, b in model.named_buffers():
                b.copy_(buffers[name])
        size = image.numel()
        return full.abs().permute(1, 2, 0, 4, 5, 3).reshape(size, size)

    return {"colour_mask": colour_mask, "ColourNorm": ColourNorm, "dependence_matrix": dependence_matrix}


@alternative("backward on a copy, row by row; GroupNorm with three groups on pixels moved into the batch")
def backward_rows(ref):
    import copy

    def dependence_matrix(model, image):
        twin = copy.deepcopy(model)
        _, height, width = image.shape
        rows = []
        for i in range(height):
            for j in range(width):
                for c in range(3):
                    x = image.detach().clone()[None].requires_grad_()
                    twin(x)[0, c, i, j].backward()
                    rows.append(x.grad[0].abs().permute(1, 2, 0).reshape(-1))
        return torch.stack(rows)

    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            b, c, h, w = a.shape
            pixels = a.permute(0, 2, 3, 1).reshape(-1, c)
            pixels = nn.functional.group_norm(pixels[:, :, None], 3, self.gain, self.offset, 1e-5)[:, :, 0] if c > 3 else self.offset + 0 * pixels
            return pixels.reshape(b, h, w, c).permute(0, 3, 1, 2)

    return {"dependence_matrix": dependence_matrix, "ColourNorm": ColourNorm}


edit_alternative(
    "mean_of_squares",
    "variance as the mean of the squares minus the square of the mean",
    ("variance = (centred**2).mean(2, keepdim=True)", "variance = (grouped**2).mean(2, keepdim=True) - grouped.mean(2, keepdim=True) ** 2"),
)
edit_alternative(
    "var_with_correction",
    "variance by torch.var with correction 0, rsqrt",
    ("variance = (centred**2).mean(2, keepdim=True)", "variance = torch.var(grouped, dim=2, correction=0, keepdim=True)"),
    ("centred / torch.sqrt(variance + 1e-5)", "centred * torch.rsqrt(variance + 1e-5)"),
)


@alternative("a Kronecker product for the mask, LayerNorm in float64, one batched pass backward on the model itself with its buffers put back")
def batched(ref):
    def colour_mask(kind, in_channels, out_channels, kernel_size):
        before = (torch.arange(kernel_size**2) < kernel_size**2 // 2).float().reshape(1, 1, kernel_size, kernel_size)
        mask = before.repeat(out_channels, in_channels, 1, 1)
        colours = torch.ones(3, 3).tril(0 if kind == "B" else -1)
        mask[:, :, kernel_size // 2, kernel_size // 2] = torch.kron(colours, torch.ones(out_channels // 3, in_channels // 3))
        return mask

    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            grouped = a.double().unflatten(1, (3, -1)).movedim(2, -1)
            normal = nn.functional.layer_norm(grouped, grouped.shape[-1:], eps=1e-5).movedim(-1, 2).flatten(1, 2)
            return (normal.movedim(1, -1) * self.gain + self.offset).movedim(-1, 1).to(a.dtype)

    def dependence_matrix(model, image):
        saved = [buffer.clone() for buffer in model.buffers()]
        x = image.clone()[None].requires_grad_()
        output = model(x)[0].movedim(0, -1).flatten()
        (rows,) = torch.autograd.grad(output, x, torch.eye(len(output), device=x.device, dtype=x.dtype), is_grads_batched=True)
        with torch.no_grad():
            for buffer, value in zip(model.buffers(), saved):
                buffer.copy_(value)
        return rows[:, 0].movedim(1, -1).flatten(1).abs()

    return {"colour_mask": colour_mask, "ColourNorm": ColourNorm, "dependence_matrix": dependence_matrix}

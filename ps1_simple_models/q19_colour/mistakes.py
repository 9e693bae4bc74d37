"""Named wrong versions of the answers to question 19."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- colour_mask ---------------------------------------------------------------------------------------------------

mistakes.at(
    "colour_in = torch.arange(in_channels) * 3 // in_channels",
    edit("interleaved_colours",
         "the colours alternate from channel to channel (R G B R G B …); the first third of the channels is red, "
         "the second green, the last blue",
         "colour_in = torch.arange(in_channels) % 3",
         ("colour_out = torch.arange(out_channels) * 3 // out_channels", "colour_out = torch.arange(out_channels) % 3")),
    edit("input_interleaved",
         "the colours of the input channels alternate (R G B R G B …), those of the outputs do not; both come in thirds",
         "colour_in = torch.arange(in_channels) % 3"),
    edit("channels_compared",
         "channel numbers are compared instead of their colours; with more than three channels, a colour then "
         "reads only a part of itself",
         "colour_in = torch.arange(in_channels)",
         ("colour_out = torch.arange(out_channels) * 3 // out_channels", "colour_out = torch.arange(out_channels)")),
)

mistakes.at(
    """
    centre = colour_in[None, :] < colour_out[:, None]
    """,
    edit("colour_reads_itself",
         "in kind A a colour reads its own value at its own pixel; it may read only the colours before it",
         "centre = colour_in[None, :] <= colour_out[:, None]"),
    edit("previous_colour_only", "in kind A a colour reads only the one right before it; blue may read red as well",
         "centre = colour_in[None, :] == colour_out[:, None] - 1"),
    edit("colour_blind", "in kind A no colour reads another one at its own pixel, as if the colours were independent",
         "centre = torch.zeros(out_channels, in_channels)"),
    edit("order_reversed",
         "the order of the colours is reversed: blue comes first and red sees it; the order is R, G, B",
         "centre = colour_in[None, :] > colour_out[:, None]",
         ("centre = colour_in[None, :] <= colour_out[:, None]", "centre = colour_in[None, :] >= colour_out[:, None]")),
)

mistakes.at(
    "centre = colour_in[None, :] <= colour_out[:, None]",
    edit("reversed_in_B", "in kind B the order of the colours is reversed: red features read blue ones; the order is R, G, B",
         "centre = colour_in[None, :] >= colour_out[:, None]"),
    edit("own_channel_in_B", "in kind B a channel reads no other channel of its own colour at its own pixel, but itself; it may read them all",
         "centre = (colour_in[None, :] < colour_out[:, None]) | torch.eye(max(in_channels, out_channels)).bool()[:out_channels, :in_channels]"),
    edit("own_colour_in_B", "in kind B a colour reads itself only; it may read the colours before it as well",
         "centre = colour_in[None, :] == colour_out[:, None]"),
    edit("strict_in_B",
         "in kind B a colour does not read its own features at its own pixel; after the first layer it may",
         "centre = colour_in[None, :] < colour_out[:, None]"),
    edit("open_in_B", "in kind B all colours read each other at their own pixel; red features then get to know blue",
         "centre = torch.ones(out_channels, in_channels)"),
)

mistakes.at(
    'if kind == "B":',
    edit("kinds_exchanged", "the two kinds are exchanged: in A, the first layer, no colour may read itself; in B it may",
         'if kind == "A":'),
)

mistakes.at(
    """
    mask[:, :, :radius] = 1
    """,
    edit("row_only", "the rows above the centre are closed; all positions before the centre are open", ""),
    edit("columns_before", "the columns left of the centre are open in all rows, instead of the rows above it",
         "mask[:, :, :, :radius] = 1"),
    edit("rows_below", "the rows below the centre are open, too: pixels that come later",
         "mask[:, :, :radius] = mask[:, :, radius + 1 :] = 1"),
)

mistakes.at(
    """
    mask[:, :, radius, :radius] = 1
    """,
    edit("left_closed", "the positions left of the centre are closed; all positions before the centre are open", ""),
    edit("right_open", "the positions right of the centre are open: pixels that come later", "mask[:, :, radius] = 1"),
)

mistakes.at(
    """
    mask[:, :, radius, radius] = centre.float()
    """,
    edit("centre_closed", "the centre is closed for all pairs of channels, in both kinds; (19.2) opens a part of it", ""),
)

mistakes.at(
    "mask = torch.zeros(out_channels, in_channels, kernel_size, kernel_size)",
    edit("mask_in_out", "the mask has the shape (in, out, k, k); a weight has the shape (out, in, k, k)",
         "mask = torch.zeros(in_channels, out_channels, kernel_size, kernel_size); centre = centre.T"),
)

mistakes.at(
    """
    return mask
    """,
    edit("mask_boolean", "the mask is boolean; it is float32", "return mask.bool()"),
    edit("mask_integers", "the mask holds whole numbers of an integer type; it is float32", "return mask.long()"),
    edit("mask_double", "the mask is float64; it is float32", "return mask.double()"),
    edit("window_transposed", "the window is transposed: it opens the columns left of the centre instead of the rows above it",
         "return mask.transpose(2, 3)"),
    edit("two_axes", "one mask is returned for all pairs of channels; (19.2) depends on the pair", "return mask.amax((0, 1))"),
    edit("mask_upside_down", "the window is turned round: what comes after the centre is open and what comes before it is closed",
         "return mask.flip(2, 3)"),
    edit("colour_order_everywhere",
         "the colour order is applied at the neighbouring pixels too; earlier pixels are open to all colours",
         "return mask * centre.float()[:, :, None, None]"),
)

# --- ColourNorm ----------------------------------------------------------------------------------------------------

mistakes.at(
    "grouped = a.unflatten(1, (3, -1))",
    edit("norm_over_pixel",
         "the statistics run over all channels of a pixel, so the red features are divided by something that has "
         "seen the red value",
         "grouped = a.unsqueeze(1)"),
    edit("norm_across_colours", "the statistics run across the three colours instead of within each of them",
         "grouped = a.unflatten(1, (3, -1)).transpose(1, 2)",
         ("(centred / torch.sqrt(variance + 1e-5)).flatten(1, 2)", "(centred / torch.sqrt(variance + 1e-5)).transpose(1, 2).flatten(1, 2)")),
    edit("norm_interleaved",
         "the channels of a colour are taken to alternate (R G B R G B …); they lie next to each other, in thirds",
         "grouped = a.unflatten(1, (-1, 3)).transpose(1, 2)",
         ("(centred / torch.sqrt(variance + 1e-5)).flatten(1, 2)", "(centred / torch.sqrt(variance + 1e-5)).transpose(1, 2).flatten(1, 2)")),
    edit("norm_in_threes", "groups of three channels are normalised; there are three groups, of m channels each",
         "grouped = a.unflatten(1, (-1, 3))"),
    edit("norm_of_gained", "the gain multiplies before the normalisation, which takes its effect away; it multiplies afterwards",
         "grouped = (a * self.gain[:, None, None]).unflatten(1, (3, -1))",
         ("return normal * self.gain[:, None, None] + self.offset[:, None, None]", "return normal + self.offset[:, None, None]")),
    edit("norm_not_regrouped",
         "the channels are regrouped (R G B R G B …) for the normalisation and do not come back to their places",
         "grouped = a.unflatten(1, (-1, 3)).transpose(1, 2)"),
    edit("norm_rounds", "ColourNorm computes in float32 where its input is in float64",
         "grouped = a.float().unflatten(1, (3, -1))"),
)

mistakes.at(
    "centred = grouped - grouped.mean(2, keepdim=True)",
    edit("norm_not_centred", "the mean is not subtracted; the values are divided by their root mean square",
         "centred = grouped"),
    edit("norm_median", "the median is subtracted instead of the mean", "centred = grouped - grouped.median(2, keepdim=True).values"),
)

mistakes.at(
    "grouped.mean(2, keepdim=True)",
    edit("norm_over_space", "the statistics of a colour run over the whole image, so every pixel sees all later ones",
         "grouped.mean((2, 3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((2, 3, 4), keepdim=True)")),
    edit("norm_each_channel_over_space",
         "each channel is normalised over the image, as in an instance normalisation, so every pixel sees all later ones",
         "grouped.mean((3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((3, 4), keepdim=True)")),
    edit("norm_over_batch",
         "the statistics run over batch and space, as in BatchNorm: pixels see later ones, and other images",
         "grouped.mean((0, 3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((0, 3, 4), keepdim=True)")),
    edit("norm_with_other_images", "the statistics of a colour at a pixel run over the batch, too: other images enter",
         "grouped.mean((0, 2), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((0, 2), keepdim=True)")),
    edit("norm_over_everything",
         "the statistics of a colour run over batch and image: pixels see later ones, and other images",
         "grouped.mean((0, 2, 3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((0, 2, 3, 4), keepdim=True)")),
    edit("norm_mean_with_other_images", "the mean runs over the batch, too: other images enter",
         "grouped.mean((0, 2), keepdim=True)"),
    edit("norm_mean_detached", "the mean is detached (or computed without gradients), so the gradient through it is missing",
         "grouped.mean(2, keepdim=True).detach()"),
)

mistakes.at(
    "variance = (centred**2).mean(2, keepdim=True)",
    edit("norm_unbiased", "the variance divides by m - 1; equation (19.3) divides by m (and m = 1 would give NaN)",
         "variance = grouped.var(2, keepdim=True)"),
    edit("norm_sum", "the squares are added up; the variance is their mean", "variance = (centred**2).sum(2, keepdim=True)"),
    edit("norm_cancels",
         "the variance is a difference of large squares, which rounding can make negative: its root is then NaN",
         "variance = (grouped**2).mean(2, keepdim=True) - grouped.mean(2, keepdim=True) ** 2"),
    edit("norm_centred_for_variance_only", "the mean is subtracted for the variance, but not from the values themselves",
         "variance = (centred**2).mean(2, keepdim=True); centred = grouped"),
    edit("norm_uncentred_squares", "the variance is the mean of the squares, without subtracting the mean first",
         "variance = (grouped**2).mean(2, keepdim=True)"),
    edit("norm_absolute", "the spread is the mean absolute difference; equation (19.3) takes the root of the mean square",
         "variance = centred.abs().mean(2, keepdim=True) ** 2"),
    edit("norm_statistics_detached", "mean and variance are detached (or computed without gradients), so the gradient through them is missing",
         "variance = (centred**2).mean(2, keepdim=True).detach(); centred = grouped - grouped.mean(2, keepdim=True).detach()"),
    edit("norm_variance_of_pixel", "the variance runs over all colours of a pixel, so the red features are divided by something that has seen the red value",
         "variance = (centred**2).mean((1, 2), keepdim=True)"),
    edit("norm_detached",
         "the variance is detached (or computed without gradients), so the gradient through it is missing",
         "variance = (centred**2).mean(2, keepdim=True).detach()"),
    edit("norm_clamped", "the variance is kept above 1e-5; 1e-5 is *added* to it",
         "variance = (centred**2).mean(2, keepdim=True).clamp(min=1e-5) - 1e-5"),
    edit("norm_variance_over_space", "the variance of a colour runs over the whole image, so every pixel sees all later ones",
         "variance = (centred**2).mean((2, 3, 4), keepdim=True)"),
)

mistakes.at(
    "torch.sqrt(variance + 1e-5)",
    edit("norm_root_of_variance",
         "the root of the variance itself is taken, which has no gradient at 0: equal channels get NaN there; (19.3) adds 1e-5 first",
         "torch.sqrt(torch.sqrt(variance) ** 2 + 1e-5)"),
    edit("norm_eps_outside",
         "1e-5 is added to the standard deviation; it stands inside the square root, which matters for tiny values",
         "(torch.sqrt(variance) + 1e-5)"),
    edit("norm_no_eps",
         "1e-5 is not added inside the root; it matters for small values, and equal channels would give 0/0",
         "torch.sqrt(variance)"),
    edit("norm_eps_small", "another constant than 1e-5 is added to the variance, a smaller one, which matters for tiny values",
         "torch.sqrt(variance + 1e-6)"),
    edit("norm_eps_tiny", "a much smaller constant than 1e-5 is added to the variance, which matters for tiny values",
         "torch.sqrt(variance + 1e-8)"),
    edit("norm_eps_large", "another constant than 1e-5 is added to the variance, a larger one, which matters for tiny values",
         "torch.sqrt(variance + 1e-3)"),
    edit("norm_divides_by_variance", "the values are divided by the variance instead of by its square root",
         "(variance + 1e-5)"),
    edit("norm_by_largest", "the values are divided by the largest absolute value instead of by the standard deviation",
         "(centred.abs().amax(2, keepdim=True) + 1e-5)"),
    edit("norm_only_centred", "the values are not divided by the standard deviation", "1"),
)

mistakes.at(
    "normal * self.gain[:, None, None] + self.offset[:, None, None]",
    edit("gain_untrained",
         "gain and offset are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so they are never trained",
         "normal * self.gain.data[:, None, None] + self.offset.data[:, None, None]"),
    edit("only_gain_untrained", "the gain is cut off from the gradient (`.data` or `.detach()`), so it is never trained",
         "normal * self.gain.detach()[:, None, None] + self.offset[:, None, None]"),
    edit("norm_squeezed", "ColourNorm loses the axis of the images when there is only one",
         "(normal * self.gain[:, None, None] + self.offset[:, None, None]).squeeze(0)"),
    edit("norm_ignores_gain", "gain and offset are not used", "normal"),
    edit("offset_missing", "the offset is not added", "normal * self.gain[:, None, None]"),
    edit("gain_missing", "the values are not multiplied by the gain", "normal + self.offset[:, None, None]"),
    edit("offset_first", "the offset is added before the gain multiplies; (19.3) multiplies first",
         "(normal + self.offset[:, None, None]) * self.gain[:, None, None]"),
    edit("gain_positive", "the values are multiplied by the absolute value of the gain; a gain may be negative",
         "normal * self.gain.abs()[:, None, None] + self.offset[:, None, None]"),
    edit("one_plus_gain", "the values are multiplied by 1 + gain; (19.3) multiplies by the gain",
         "normal * (1 + self.gain[:, None, None]) + self.offset[:, None, None]"),
    edit("gain_of_first", "gain and offset are the same for all colours; each channel has its own",
         "normal * self.gain[: a.shape[1] // 3].repeat(3)[:, None, None] + self.offset[: a.shape[1] // 3].repeat(3)[:, None, None]"),
    edit("same_in_evaluation", "in evaluation mode the values are not normalised; ColourNorm is the same in both modes",
         "(normal if self.training else a) * self.gain[:, None, None] + self.offset[:, None, None]"),
)


@mistakes.rewrite("ColourNorm changes its input in place", catches="in-place change")
def norm_in_place(ref):
    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            kept = a.clone()
            with torch.no_grad():
                grouped = a.unflatten(1, (3, -1))
                grouped -= grouped.mean(2, keepdim=True)
            return super().forward(kept)

    return {"ColourNorm": ColourNorm}


@mistakes.rewrite("for m = 1 the values pass unnormalised; (19.3) gives the offset")
def single_channel_passes(ref):
    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            if a.shape[1] > 3:
                return super().forward(a)
            return a * self.gain[:, None, None] + self.offset[:, None, None]

    return {"ColourNorm": ColourNorm}


@mistakes.rewrite("for m = 1 the values are returned as they are; (19.3) gives the offset")
def single_channel_returned(ref):
    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            return super().forward(a) if a.shape[1] > 3 else a

    return {"ColourNorm": ColourNorm}


# --- dependence_matrix ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    model = copy.deepcopy(model)
    """,
    edit("leaves_trace",
         "the test leaves a trace: passes in training mode change the running statistics of the model's "
         "BatchNorm; test a copy",
         ""),
    edit("leaves_gradients", "`backward()` adds to the gradients of the model's parameters",
         "buffers = {name: b.clone() for name, b in model.named_buffers()}",
         ("""
         rows = [torch.autograd.grad(value, x, retain_graph=True)[0][0].permute(1, 2, 0).flatten() for value in output]
         """, """
         rows = []
         for value in output:
             x.grad = None
             value.backward(retain_graph=True)
             rows.append(x.grad[0].permute(1, 2, 0).flatten())
         for name, b in model.named_buffers():
             b.copy_(buffers[name])
         """)),
    edit("rows_add_up", "the derivatives of an output are added to those of the outputs before it; clear `x.grad` for each row",
         "model = copy.deepcopy(model)",
         ("""
         rows = [torch.autograd.grad(value, x, retain_graph=True)[0][0].permute(1, 2, 0).flatten() for value in output]
         """, """
         rows = []
         for value in output:
             value.backward(retain_graph=True)
             rows.append(x.grad[0].permute(1, 2, 0).flatten().clone())
         """)),
    edit("part_modes",
         "the mode of the whole model is given to all its parts; one of them may be in another mode, such as a frozen BatchNorm",
         "original = model; model = copy.deepcopy(model); original.train(original.training)"),
    edit("evaluation_and_back",
         "the model is put in evaluation mode for the test, where BatchNorm looks innocent, and back afterwards; test it in the mode "
         "that it is in",
         """
         before = model.training
         model.eval()
         """,
         ("return torch.stack(rows).abs()", "model.train(before); return torch.stack(rows).abs()")),
    edit("freezes_parameters", "the test leaves a trace: the parameters of the model no longer require gradients",
         """
         model.requires_grad_(False)
         model = copy.deepcopy(model)
         """),
)

mistakes.at(
    "model = copy.deepcopy(model)",
    edit("tested_in_train", "the model is switched to training mode for the test; test it in the mode that it is in",
         "model = copy.deepcopy(model).train()"),
    edit("stays_in_eval",
         "the model is switched to evaluation mode and left there; test it in the mode that it is in, and leave no trace",
         "model.eval()"),
    edit("left_in_double", "the test leaves a trace: the model is in float64 afterwards",
         "original = model; model = copy.deepcopy(model); original.double()"),
    edit("left_in_train", "the model is left in training mode; afterwards it is in the mode that it was in before",
         "original = model; model = copy.deepcopy(model); original.train()"),
    edit("left_in_eval", "the model is left in evaluation mode; afterwards it is in the mode that it was in before",
         "original = model; model = copy.deepcopy(model); original.eval()"),
    edit("unfreezes", "the test leaves a trace: afterwards all parameters require gradients, also those that were frozen",
         "model.requires_grad_(True); model = copy.deepcopy(model)"),
    edit("autograd_off", "autograd stays switched off for everything that follows",
         "model = copy.deepcopy(model)", ("return torch.stack(rows).abs()", "torch.set_grad_enabled(False); return torch.stack(rows).abs()")),
    edit("counter_goes_on",
         "the test leaves a trace: the running statistics are put back, but the counter of batches of BatchNorm is not",
         "[m.num_batches_tracked.add_(1) for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) and m.training]; model = copy.deepcopy(model)"),
    edit("gradients_cleared", "the test leaves a trace: it clears the gradients of the model's parameters",
         "model.zero_grad(); model = copy.deepcopy(model)"),
    edit("statistics_reset", "the test leaves a trace: the model's running statistics are reset",
         "[m.reset_running_stats() for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) and m.training]; model = copy.deepcopy(model)"),
    edit("tested_in_eval",
         "the model is switched to evaluation mode for the test, where BatchNorm looks innocent; test it in the "
         "mode that it is in",
         "model = copy.deepcopy(model).eval()"),
)

mistakes.at(
    "x = image.detach().clone().unsqueeze(0).requires_grad_()",
    edit("image_tracked", "the image itself is made to require gradients and stays so; differentiate by a copy",
         "x = image.requires_grad_().unsqueeze(0)"),
    edit("at_zero", "the derivatives are taken at a black image instead of at the given one",
         "x = torch.zeros_like(image).unsqueeze(0).requires_grad_()"),
)

mistakes.at(
    "output = model(x)[0].permute(1, 2, 0).flatten()",
    edit("colour_first",
         "the matrix is numbered colour by colour, as (3, H, W) lies in memory; equation (19.1) numbers pixel by "
         "pixel, R, G, B within a pixel",
         "output = model(x)[0].flatten()",
         ("[0][0].permute(1, 2, 0).flatten() for value", "[0][0].flatten() for value")),
    edit("probabilities", "the derivatives are those of probabilities, σ(output); those of the output itself are asked for",
         "output = torch.sigmoid(model(x))[0].permute(1, 2, 0).flatten()"),
    edit("rows_colour_first", "the columns of the matrix are numbered as in equation (19.1) but its rows are not",
         "output = model(x)[0].flatten()"),
    edit("column_major", "pixels are numbered column by column; raster order goes row by row",
         "output = model(x)[0].permute(2, 1, 0).flatten()",
         ("[0][0].permute(1, 2, 0).flatten() for value", "[0][0].permute(2, 1, 0).flatten() for value")),
)

mistakes.at(
    "[0][0].permute(1, 2, 0).flatten() for value",
    edit("columns_colour_first", "the rows of the matrix are numbered as in equation (19.1) but its columns are not",
         "[0][0].flatten() for value"),
)

mistakes.at(
    "return torch.stack(rows).abs()",
    edit("lower_triangle", "only the entries below the diagonal are returned; leaks stand on and above it",
         "return torch.stack(rows).abs().tril(-1)"),
    edit("matrix_keeps_graph", "the matrix requires gradients; it is detached",
         "return torch.stack(rows).abs() * torch.ones((), requires_grad=True)"),
    edit("matrix_squared", "the derivatives are squared; their absolute values are asked for", "return torch.stack(rows) ** 2"),
    edit("faint_dropped", "small derivatives are set to zero (or rounded); a faint leak is a leak",
         "return torch.stack(rows).abs() * (torch.stack(rows).abs() > 1e-4)"),
    edit("rows_scaled", "each row of the matrix is divided by its sum; the derivatives themselves are asked for",
         "rows = torch.stack(rows).abs(); return rows / rows.sum(1, keepdim=True).clamp(min=1e-12)"),
    edit("scaled", "the matrix is divided by its largest entry; the derivatives themselves are asked for",
         "return torch.stack(rows).abs() / torch.stack(rows).abs().max()"),
    edit("shaped", "the matrix has the shape (3HW, H, W, 3); each row is to be flattened",
         "return torch.stack(rows).abs().unflatten(1, (*image.shape[1:], 3))"),
    edit("matrix_transposed", "the matrix is transposed: rows are outputs, columns are inputs",
         "return torch.stack(rows, 1).abs()"),
    edit("matrix_signed", "the derivatives keep their sign; their absolute values are asked for",
         "return torch.stack(rows)"),
    edit("matrix_binary", "the matrix says only whether there is a dependence; its size is asked for",
         "return (torch.stack(rows) != 0).float()"),
)


@mistakes.rewrite("the derivatives are differences of outputs (finite differences), which float32 makes inexact; use autograd")
def finite_differences(ref):
    def dependence_matrix(model, image):
        import copy

        twin = copy.deepcopy(model)

        def outputs(x):
            with torch.no_grad():
                return twin(x[None])[0].permute(1, 2, 0).flatten()

        columns = []
        for place in range(image.numel()):
            moved = image.permute(1, 2, 0).flatten().clone()
            moved[place] += 1e-3
            moved = moved.reshape(*image.shape[1:], 3).permute(2, 0, 1)
            columns.append((outputs(moved) - outputs(image)) / 1e-3)
        return torch.stack(columns, 1).abs()

    return {"dependence_matrix": dependence_matrix}


@mistakes.rewrite("the derivatives are differences of outputs on both sides (finite differences), which are inexact; use autograd")
def central_differences(ref):
    def dependence_matrix(model, image):
        import copy

        twin, start = copy.deepcopy(model), image.detach().permute(1, 2, 0).flatten()

        def outputs(values):
            with torch.no_grad():
                return twin(values.reshape(*image.shape[1:], 3).permute(2, 0, 1)[None])[0].permute(1, 2, 0).flatten()

        steps = 1e-3 * torch.eye(len(start), dtype=start.dtype, device=start.device)
        return torch.stack([(outputs(start + step) - outputs(start - step)) / 2e-3 for step in steps], 1).abs()

    return {"dependence_matrix": dependence_matrix}


@mistakes.rewrite(
    "all outputs are differentiated in one batch of copies of the image; the model is to see one image, and BatchNorm pools over the batch"
)
def batch_of_copies(ref):
    def dependence_matrix(model, image):
        import copy

        n = image.numel()
        x = image.detach().expand(n, *image.shape).clone().requires_grad_()
        chosen = copy.deepcopy(model)(x).permute(0, 2, 3, 1).reshape(n, n).diagonal().sum()
        return torch.autograd.grad(chosen, x)[0].permute(0, 2, 3, 1).reshape(n, n).abs()

    return {"dependence_matrix": dependence_matrix}


@mistakes.rewrite(
    "all rows are the same, the derivatives of the sum of all outputs (computed at once, or added up in one `.grad`); each output "
    "has a row of its own"
)
def summed_outputs(ref):
    def dependence_matrix(model, image):
        import copy

        x = image.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(copy.deepcopy(model)(x[None]).sum(), x)
        row = slope.permute(1, 2, 0).flatten().abs()
        return row.expand(len(row), -1).clone()

    return {"dependence_matrix": dependence_matrix}


@mistakes.rewrite("only the derivatives of each value by itself are computed; the matrix has an entry for each pair")
def diagonal_only(ref):
    def dependence_matrix(model, image):
        return torch.diag(ref.dependence_matrix(model, image).diagonal())

    return {"dependence_matrix": dependence_matrix}

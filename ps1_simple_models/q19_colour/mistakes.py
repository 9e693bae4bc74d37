"""Named wrong versions of the answers to question 15."""

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
    edit("colour_blind", "in kind A no colour reads another one at its own pixel, as if the colours were independent",
         "centre = torch.zeros(out_channels, in_channels)"),
    edit("order_reversed",
         "the order of the colours is reversed: blue comes first and red sees it; the order is R, G, B",
         "centre = colour_in[None, :] > colour_out[:, None]",
         ("centre = colour_in[None, :] <= colour_out[:, None]", "centre = colour_in[None, :] >= colour_out[:, None]")),
)

mistakes.at(
    "centre = colour_in[None, :] <= colour_out[:, None]",
    edit("strict_in_B",
         "in kind B a colour does not read its own features at its own pixel; after the first layer it may",
         "centre = colour_in[None, :] < colour_out[:, None]"),
    edit("open_in_B", "in kind B all colours read each other at their own pixel; red features then get to know blue",
         "centre = torch.ones(out_channels, in_channels)"),
)

mistakes.at(
    """
    return mask
    """,
    edit("in_out_swapped",
         "output and input channels are exchanged in the mask; a weight has the shape (out, in, k, k)",
         "return mask.transpose(0, 1)"),
    edit("colour_order_everywhere",
         "the colour order is applied at the neighbouring pixels too; earlier pixels are open to all colours",
         "return mask * centre.float()[:, :, None, None]"),
)

# --- ColourNorm ----------------------------------------------------------------------------------------------------

mistakes.at(
    "a.reshape(batch, 3, channels // 3, height, width)",
    edit("norm_over_pixel",
         "the statistics run over all channels of a pixel, so the red features are divided by something that has "
         "seen the red value",
         "a.reshape(batch, 1, channels, height, width)"),
    edit("norm_across_colours", "the statistics run across the three colours instead of within each of them",
         "a.reshape(batch, channels // 3, 3, height, width).transpose(1, 2)",
         ("(centred / torch.sqrt(variance + 1e-5)).reshape(a.shape)", "(centred / torch.sqrt(variance + 1e-5)).transpose(1, 2).reshape(a.shape)")),
)

mistakes.at(
    "centred = grouped - grouped.mean(2, keepdim=True)",
    edit("norm_not_centred", "the mean is not subtracted", "centred = grouped"),
)

mistakes.at(
    "grouped.mean(2, keepdim=True)",
    edit("norm_over_space", "the statistics of a colour run over the whole image, so every pixel sees all later ones",
         "grouped.mean((2, 3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((2, 3, 4), keepdim=True)")),
    edit("norm_over_batch",
         "the statistics run over batch and space, as in BatchNorm: pixels see later ones, and other images",
         "grouped.mean((0, 3, 4), keepdim=True)",
         ("(centred**2).mean(2, keepdim=True)", "(centred**2).mean((0, 3, 4), keepdim=True)")),
)

mistakes.at(
    "variance = (centred**2).mean(2, keepdim=True)",
    edit("norm_unbiased", "the variance divides by m - 1; equation (19.3) divides by m (and m = 1 would give NaN)",
         "variance = grouped.var(2, keepdim=True)"),
    edit("norm_detached",
         "the statistics are detached (or computed without gradients), so the gradient through them is missing",
         "variance = (centred**2).mean(2, keepdim=True).detach()"),
)

mistakes.at(
    "torch.sqrt(variance + 1e-5)",
    edit("norm_eps_outside",
         "1e-5 is added to the standard deviation; it stands inside the square root, which matters for tiny values",
         "(torch.sqrt(variance) + 1e-5)"),
    edit("norm_no_eps",
         "1e-5 is not added inside the root; it matters for small values, and equal channels would give 0/0",
         "torch.sqrt(variance)"),
    edit("norm_divides_by_variance", "the values are divided by the variance instead of by its square root",
         "(variance + 1e-5)"),
)

mistakes.at(
    "normal * self.gain[:, None, None] + self.offset[:, None, None]",
    edit("gain_untrained",
         "gain and offset are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so they are never trained",
         "normal * self.gain.data[:, None, None] + self.offset.data[:, None, None]"),
    edit("norm_ignores_gain", "gain and offset are not used", "normal"),
)

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
    edit("freezes_parameters", "the test leaves a trace: the parameters of the model no longer require gradients",
         """
         model.requires_grad_(False)
         model = copy.deepcopy(model)
         """),
)

mistakes.at(
    "model = copy.deepcopy(model)",
    edit("tested_in_eval",
         "the model is switched to evaluation mode for the test, where BatchNorm looks innocent; test it in the "
         "mode that it is in",
         "model = copy.deepcopy(model).eval()"),
)

mistakes.at(
    "x = image.detach().clone().unsqueeze(0).requires_grad_()",
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
    edit("matrix_transposed", "the matrix is transposed: rows are outputs, columns are inputs",
         "return torch.stack(rows, 1).abs()"),
    edit("matrix_signed", "the derivatives keep their sign; their absolute values are asked for",
         "return torch.stack(rows)"),
    edit("matrix_binary", "the matrix says only whether there is a dependence; its size is asked for",
         "return (torch.stack(rows) != 0).float()"),
)

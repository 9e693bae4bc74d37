"""Named wrong versions of the answers to question 10."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- MaskedConv2d --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    self.register_buffer("mask", mask.clone())
    """,
    edit("masked_once",
         "the mask is never used, or only once in the constructor: it does not act on the weights that the layer holds "
         "after an optimiser step or after loading",
         """
         self.register_buffer("mask", mask.clone())
         self.weight.data *= mask
         """,
         ("self.weight * self.mask, self.bias", "self.weight, self.bias")),
    edit("weights_of_the_constructor",
         "the masked weights are computed once, in the constructor: what the optimiser or `load_state_dict` does to `weight` later "
         "has no effect",
         """
         self.register_buffer("mask", mask.clone())
         self.masked = (self.weight * mask).detach()
         """,
         ("self.weight * self.mask, self.bias", "self.masked, self.bias")),
    edit("masked_gradient",
         "the mask is put on the gradient of the weights, not on the weights: what stands in masked places by other ways, such "
         "as loading, still acts",
         """
         self.register_buffer("mask", mask.clone())
         self.weight.register_hook(lambda g: g * mask)
         """,
         ("self.weight * self.mask, self.bias", "self.weight, self.bias")),
)

mistakes.at(
    'self.register_buffer("mask", mask.clone())',
    edit("mask_not_buffer",
         "the mask is no buffer, so a move of the layer leaves it behind: it keeps its old device and dtype",
         "self.mask = mask.clone()"),
    edit("mask_left_on_device",
         "the mask is no buffer: its dtype is adapted at every use, but a move of the layer leaves it on its old device",
         "self.mask = mask.clone()", ("self.weight * self.mask, self.bias", "self.weight * self.mask.to(self.weight.dtype), self.bias")),
    edit("mask_is_parameter",
         "the mask is a parameter, so the optimiser changes it; a buffer is saved and moved like one, but not trained",
         "self.mask = nn.Parameter(mask.clone())"),
    edit("mask_is_frozen_parameter",
         "the mask is among the layer's parameters, though it does not require gradients; weight and bias are the only "
         "ones, a buffer is the place for it",
         "self.mask = nn.Parameter(mask.clone(), requires_grad=False)"),
    edit("mask_of_one_row",
         "the mask is cut down to one kernel for all channels: a mask for each pair of channels needs all four axes",
         'self.register_buffer("mask", mask.reshape(-1, *mask.shape[-2:])[0].clone())'),
    edit("mask_transposed", "the rows and columns of a square mask are exchanged on its way to the weights",
         'self.register_buffer("mask", (mask.mT if mask.shape[-1] == mask.shape[-2] else mask).clone())'),
    edit("mask_expanded",
         "the buffer is an expanded view, whose entries share one place in memory, so `load_state_dict` cannot write into it; "
         "a mask that broadcasts needs no expanding, and a clone has its own memory",
         'self.register_buffer("mask", mask.expand(out_channels, in_channels, height, width))'),
    edit("mask_is_inverted", "the mask is used the wrong way round: the layer reads where the mask is 0",
         'self.register_buffer("mask", 1 - mask)'),
)

mistakes.at(
    """
    return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
    """,
    edit("masked_in_training_only",
         "the weights are masked in training mode only; in evaluation mode after loading weights the mask does not act",
         """
         if self.training:
             self.weight.data *= self.mask
         return F.conv2d(x, self.weight, self.bias, padding=self.padding)
         """),
    edit("masked_with_gradients_only",
         "the weights are masked only while gradients are computed; under `torch.no_grad()` the mask does not act",
         """
         if torch.is_grad_enabled():
             self.weight.data *= self.mask
         return F.conv2d(x, self.weight, self.bias, padding=self.padding)
         """),
    edit("masked_afterwards",
         "the weights are masked after they have been used: each pass still reads with what came before it, such as "
         "freshly loaded weights",
         """
         out = F.conv2d(x, self.weight, self.bias, padding=self.padding)
         self.weight.data *= self.mask
         return out
         """),
    edit("output_detached", "the output is cut off from the gradient, so that neither this layer nor those before it learn",
         """
         with torch.no_grad():
             return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
         """),
    edit("masked_at_first_use",
         "the weights are masked at the first use of the layer only; what comes into the masked places later acts",
         """
         if not getattr(self, "masked", False):
             self.weight.data *= self.mask
             self.masked = True
         return F.conv2d(x, self.weight, self.bias, padding=self.padding)
         """),
    edit("border_repeated", "the border of the image is repeated outside of it, where (10.2) has zeros",
         """
         sides = [side for size in reversed(self.padding) for side in (size, size)]
         return F.conv2d(F.pad(x, sides, mode="replicate"), self.weight * self.mask, self.bias)
         """),
    edit("border_reflected", "the image is reflected at its border, where (10.2) has zeros",
         """
         sides = [side for size in reversed(self.padding) for side in (size, size)]
         return F.conv2d(F.pad(x, sides, mode="reflect"), self.weight * self.mask, self.bias)
         """),
    edit("border_wrapped", "the image is continued periodically: pixels at one border read those at the opposite one",
         """
         sides = [side for size in reversed(self.padding) for side in (size, size)]
         return F.conv2d(F.pad(x, sides, mode="circular"), self.weight * self.mask, self.bias)
         """),
    edit("convolved_in_float32", "input, weights and bias are turned into float32, so the output is, too, whatever the layer's dtype",
         """
         return F.conv2d(x.float(), (self.weight * self.mask).float(), self.bias.float(), padding=self.padding)
         """),
    edit("bias_added_twice", "the bias is added twice",
         """
         return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding) + self.bias[:, None, None]
         """),
    edit("output_masked", "the output is multiplied by the mask's mean, and the kernel reads everywhere; mask the kernel",
         """
         return F.conv2d(x, self.weight, self.bias, padding=self.padding) * self.mask.mean()
         """),
    edit("weight_replaced",
         "forward replaces the parameter `weight` by a new one: an optimiser that was made before goes on with the old one, "
         "which nobody uses",
         """
         self.weight = nn.Parameter(self.weight * self.mask)
         return F.conv2d(x, self.weight, self.bias, padding=self.padding)
         """),
)

mistakes.at(
    "self.weight * self.mask, self.bias",
    edit("weight_through_data",
         "the weights are used through `.data` or detached, so no gradient reaches them and they are never trained",
         "self.weight.data * self.mask, self.bias"),
    edit("bias_through_data", "the bias is used through `.data` or detached, so it is never trained",
         "self.weight * self.mask, self.bias.data"),
    edit("mask_in_float32",
         "the mask is turned into float32 at every use: a layer in half precision then multiplies and convolves different "
         "types",
         "self.weight * self.mask.float(), self.bias"),
    edit("fixed_mask_scaled", "the weights are divided by the share of ones in the mask; a mask only removes weights",
         "self.weight * self.mask / self.mask.mean(), self.bias"),
)

mistakes.at(
    "self.weight * self.mask, self.bias, padding",
    edit("bias_dropped", "the bias of the masked convolution is missing from its output",
         "self.weight * self.mask, None, padding"),
)

mistakes.at(
    "F.conv2d(x, self.weight * self.mask",
    edit("kernel_flipped", "the kernel is flipped: the window position (u, v) reads at i + u − r, not at i − u + r",
         "F.conv2d(x, (self.weight * self.mask).flip(-1, -2)"),
)

mistakes.at(
    "self.bias, padding=self.padding)",
    edit("no_padding", "the masked convolution does not pad, so the output is smaller than the input", "self.bias)"),
    edit("padding_swapped", "the paddings of height and width are exchanged; a kernel of 1×k needs none above and k//2 at the sides",
         "self.bias, padding=self.padding[::-1])"),
    edit("one_padding",
         "the padding is taken from one side of the kernel only; a kernel of 1×k needs none above and k//2 at the sides",
         "self.bias, padding=self.padding[0])"),
)

# --- receptive_field -----------------------------------------------------------------------------------------------

mistakes.at(
    "x = image.detach().clone().unsqueeze(0).requires_grad_()",
    edit("map_at_zero", "the gradient is taken at a black image instead of at the given one",
         "x = torch.zeros_like(image).unsqueeze(0).requires_grad_()"),
    edit("map_at_random", "the gradient is taken at a random image instead of at the given one",
         "x = torch.rand_like(image).unsqueeze(0).requires_grad_()"),
    edit("map_at_standardised", "the image is standardised first; the gradient is to be taken at the image as it is",
         "x = ((image - image.mean()) / image.std()).detach().unsqueeze(0).requires_grad_()"),
    edit("map_at_clamped", "the image is clamped to [0, 1] first; the gradient is to be taken at the image as it is",
         "x = image.clamp(0, 1).detach().clone().unsqueeze(0).requires_grad_()"),
    edit("image_marked",
         "the given image itself is made to require gradients; work on a copy, so that the caller's tensor stays as it was",
         "x = image.requires_grad_().unsqueeze(0)"),
    edit("image_differentiated",
         "the given image itself is made to require gradients, and `backward()` leaves a `.grad` in it and in the model's parameters; "
         "work on a copy, and ask only for its gradient",
         "x = image.requires_grad_().unsqueeze(0)",
         ("(gradient,) = torch.autograd.grad(score, x)", "score.backward()"),
         ("return gradient[0].abs().sum(0)", "return image.grad.abs().sum(0)")),
    edit("image_keeps_gradient",
         "the given image is differentiated and keeps its `.grad`, though its `requires_grad` is put back; work on a copy",
         "x = image.requires_grad_().unsqueeze(0)",
         ("(gradient,) = torch.autograd.grad(score, x)", "score.backward(inputs=[image])"),
         ("return gradient[0].abs().sum(0)", "return image.requires_grad_(False).grad.abs().sum(0)")),
    edit("image_in_float32", "the image is turned into float32, which a model in float64 does not accept",
         "x = image.detach().clone().float().unsqueeze(0).requires_grad_()"),
    edit("no_batch", "the model gets the image without the axis of the batch; it maps (1, C, H, W) to (1, C', H, W)",
         "x = image.detach().clone().requires_grad_()",
         ("model(x)[0, :, row, col].sum()", "model(x)[:, row, col].sum()"),
         ("return gradient[0].abs().sum(0)", "return gradient.abs().sum(0)")),
)

mistakes.at(
    """
    score = model(x)[0, :, row, col].sum()
    """,
    edit("model_frozen",
         "the model's parameters no longer require gradients afterwards, so that it cannot be trained any more",
         """
         for p in model.parameters():
             p.requires_grad_(False)
         score = model(x)[0, :, row, col].sum()
         """),
    edit("model_thawed",
         "all of the model's parameters require gradients afterwards, also those that were frozen before; put back what "
         "each had",
         """
         for p in model.parameters():
             p.requires_grad_(False)
         score = model(x)[0, :, row, col].sum()
         for p in model.parameters():
             p.requires_grad_(True)
         """),
    edit("mode_changed", "the model is left in training mode, although it was in evaluation mode before",
         """
         model.eval()
         score = model(x)[0, :, row, col].sum()
         model.train()
         """),
    edit("left_in_evaluation", "the model is left in evaluation mode, although it was in training mode before",
         """
         model.eval()
         score = model(x)[0, :, row, col].sum()
         """),
    edit("model_in_float32", "the model itself is converted to float32 and stays so; leave it in the dtype that it has",
         """
         model.float()
         x = x.detach().float().requires_grad_()
         score = model(x)[0, :, row, col].sum()
         """),
    edit("model_in_float64", "the model itself is converted to float64 and stays so; work on a copy if you need one",
         """
         model.double()
         x = x.detach().double().requires_grad_()
         score = model(x)[0, :, row, col].sum()
         """),
)

mistakes.at(
    "model(x)[0, :, row, col].sum()",
    edit("map_first_channel", "only the first channel of the output is looked at; a leak in the others stays unseen",
         "model(x)[0, 0, row, col]"),
    edit("map_mean_channel", "the output's channels are averaged; the map is defined with their sum",
         "model(x)[0, :, row, col].mean()"),
    edit("map_squared_score", "the output's channels are squared before they are summed; the map is about the sum itself",
         "(model(x)[0, :, row, col] ** 2).sum()"),
    edit("map_all_outputs", "the gradient is that of the sum over all output pixels, not of the one at (row, col)",
         "model(x).sum()"),
    edit("map_swapped", "row and column are exchanged in the output", "model(x)[0, :, col, row].sum()"),
    edit("map_last_channel", "only the last channel of the output is looked at; a leak in the others stays unseen",
         "model(x)[0, -1, row, col]"),
    edit("map_largest_output", "only the largest of the output's channels counts; the map is about their sum",
         "model(x)[0, :, row, col].max()"),
    edit("map_abs_score", "the absolute values of the output's channels are added; the map is about their plain sum",
         "model(x)[0, :, row, col].abs().sum()"),
    edit("map_norm_score", "the length of the output's channels is differentiated; the map is about their plain sum",
         "model(x)[0, :, row, col].norm()"),
    edit("map_of_probability", "the output goes through a sigmoid first; the map is about the output as it is",
         "model(x)[0, :, row, col].sigmoid().sum()"),
    edit("map_whole_row", "the gradient is that of a whole row of outputs, not of the one pixel at (row, col)",
         "model(x)[0, :, row].sum()"),
)

mistakes.at(
    """
    (gradient,) = torch.autograd.grad(score, x)
    """,
    edit("map_leaves_gradients",
         "`backward()` leaves gradients in the model's parameters, where the next optimiser step finds them; ask only for "
         "the image's",
         """
         score.backward()
         gradient = x.grad
         """),
    edit("map_clears_gradients",
         "the gradients that the model's parameters had before are cleared; they must stay as they were, ask only for the "
         "image's gradient",
         """
         score.backward()
         gradient = x.grad
         model.zero_grad()
         """),
    edit("gradients_set_to_zero",
         "the parameters' `.grad` are overwritten with zeros; they must stay as they were, and be None where they were None",
         """
         score.backward()
         gradient = x.grad
         for p in model.parameters():
             p.grad = torch.zeros_like(p)
         """),
    edit("gradients_not_copied",
         "the parameters' `.grad` are put back, but `backward()` has added to these very tensors: no copy was made, or it "
         "was none",
         """
         saved = [p.grad for p in model.parameters()]
         score.backward()
         gradient = x.grad
         for p, before in zip(model.parameters(), saved):
             p.grad = before
         """),
    edit("gradients_cleared_before",
         "the gradients that the model's parameters had are cleared before, and new ones are left behind; ask only for the "
         "image's gradient",
         """
         model.zero_grad()
         score.backward()
         gradient = x.grad
         """),
)

mistakes.at(
    "torch.autograd.grad(score, x)",
    edit("map_abs_per_output",
         "the output's channels are differentiated one by one and their absolute values added; the map is about the derivative of "
         "their sum",
         "[sum(torch.autograd.grad(one, x, retain_graph=True)[0].abs() for one in model(x)[0, :, row, col])]"),
    edit("map_with_graph", "the map is not detached: it carries the graph of its own computation",
         "torch.autograd.grad(score, x, create_graph=True)"),
)

mistakes.at(
    """
    return gradient[0].abs().sum(0)
    """,
    edit("map_rounded",
         "small entries of the map are lost (set to 0, or rounded away by differences of outputs); a weak leak is a leak, too",
         """
         gradient = torch.where(gradient.abs() < 1e-5, 0.0, gradient)
         return gradient[0].abs().sum(0)
         """),
)

mistakes.at(
    "return gradient[0].abs().sum(0)",
    edit("map_signed",
         "the map is the gradient itself and not its absolute value: contributions of several channels can cancel",
         "return gradient[0].sum(0)"),
    edit("map_abs_late",
         "the absolute value is taken after the sum over input channels, so channels of opposite sign cancel; take it before",
         "return gradient[0].sum(0).abs()"),
    edit("map_squeezed",
         "`squeeze()` also removes the axis of the channels if there is only one, and the sum then runs over the rows",
         "return gradient.squeeze().abs().sum(0)"),
    edit("map_mean_of_channels", "the map averages over the input's channels; it is defined as their sum",
         "return gradient[0].abs().mean(0)"),
    edit("map_largest_channel", "the map keeps the largest of the input's channels; it is defined as their sum",
         "return gradient[0].abs().amax(0)"),
    edit("map_length", "the map is the length (root of the sum of squares) over the input's channels, not the sum of |·|",
         "return gradient[0].norm(dim=0)"),
    edit("map_squares", "the derivatives are squared; the map sums their absolute values",
         "return (gradient[0] ** 2).sum(0)"),
    edit("map_first_input_channel", "only the first channel of the image is looked at; the map sums over all of them",
         "return gradient[0, 0].abs()"),
    edit("map_per_channel", "the map has an entry for each input channel; sum over them",
         "return gradient[0].abs()"),
    edit("map_keeps_axis", "the map keeps an axis of length 1 for the channels; its shape is (H, W)",
         "return gradient[0].abs().sum(0, keepdim=True)"),
    edit("map_logarithm", "the logarithm of the map is returned, which is −∞ at every exact zero; return the sum itself",
         "return gradient[0].abs().sum(0).log10()"),
    edit("map_normalised", "the map is divided by its largest value; it should be the derivative itself",
         "return gradient[0].abs().sum(0) / gradient[0].abs().sum(0).max()"),
    edit("map_binary", "the map says only whether a pixel is read (0 or 1), not how strongly",
         "return (gradient[0] != 0).any(0).float()"),
    edit("map_epsilon",
         "a small number is added to the map, so that nothing is exactly 0 any more, and no forbidden pixel can be told "
         "from a faint leak",
         "return gradient[0].abs().sum(0) + 1e-6"),
    edit("map_tiny_epsilon",
         "a tiny number is added to the map: exact zeros are the evidence that nothing leaks, and they are gone",
         "return gradient[0].abs().sum(0) + 1e-12"),
    edit("map_times_image", "the derivatives are multiplied by the image; where it is black nothing would be seen",
         "return (gradient[0] * image).abs().sum(0)"),
    edit("map_as_lists", "the map is returned as lists of numbers or as an array; a tensor is expected",
         "return gradient[0].abs().sum(0).tolist()"),
)

# --- stack_masks ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    vertical[: radius + own] = 1
    """,
    edit("vertical_is_causal",
         "the vertical window of kind B stops at the centre column; features of that row know only rows above, so the full "
         "row is allowed",
         """
         vertical[:radius] = 1
         vertical[radius, : radius + 1] = own
         """),
    edit("vertical_right_of_centre",
         "the vertical window of kind B stops before the centre; features of that row know only rows above, so the full row "
         "is allowed",
         """
         vertical[:radius] = 1
         vertical[radius, :radius] = own
         """),
    edit("vertical_in_raster_order",
         "the vertical windows are the masks of one stack in raster order: with kind A they show v the pixels to the left "
         "in its own row, and with kind B they lack the right half of that row",
         """
         vertical[:radius] = 1
         vertical[radius, : radius + own] = 1
         """),
    edit("vertical_centre_only",
         "in its own row the vertical window of kind B holds the centre alone; features of that row know only rows above, so "
         "the full row is allowed",
         """
         vertical[:radius] = 1
         vertical[radius, radius] = own
         """),
    edit("vertical_nearest_row",
         "the vertical window holds one row above only; all rows above the centre are allowed",
         """
         vertical[max(radius - 1, 0) : radius + own] = 1
         """),
    edit("vertical_upper_left", "the vertical window ends at the centre column; the rows above are allowed in full width",
         """
         vertical[: radius + own, : radius + 1] = 1
         """),
)

mistakes.at(
    "vertical[: radius + own] = 1",
    edit("vertical_sees_row",
         "the vertical window of kind A contains the centre's own row: the vertical features then know the current pixel "
         "and what is to its right, and hand it to the horizontal stack",
         "vertical[: radius + 1] = 1"),
    edit("vertical_kinds_swapped",
         "the kinds of the vertical window are exchanged: kind A contains the centre's own row, with the current pixel, and "
         "kind B does not",
         "vertical[: radius + 1 - own] = 1"),
    edit("vertical_lags",
         "the vertical window of kind B lacks the centre's own row, whose features know only rows above: every layer then "
         "drops the nearest row that it could use",
         "vertical[:radius] = 1"),
    edit("vertical_below", "the vertical window reads the rows below instead of those above: that is the future",
         "vertical[radius + 1 - own :] = 1"),
    edit("vertical_everything", "the vertical window of kind B reads everything, also the rows below",
         "vertical[: radius if own == 0 else kernel_size] = 1"),
    edit("vertical_columns", "rows and columns are exchanged in the vertical window: it reads the columns to the left",
         "vertical[:, : radius + own] = 1"),
)

mistakes.at(
    "horizontal[:, : radius + own] = 1",
    edit("horizontal_sees_itself",
         "the horizontal window of kind A contains the centre: in the first layer that is the pixel to be predicted",
         "horizontal[:, : radius + 1] = 1"),
    edit("horizontal_kinds_swapped",
         "the kinds of the horizontal window are exchanged: kind A contains the centre, which is the pixel to be predicted, and "
         "kind B does not",
         "horizontal[:, : radius + 1 - own] = 1"),
    edit("horizontal_never_itself",
         "the horizontal window of kind B lacks the centre, whose features know only earlier pixels: that is a waste",
         "horizontal[:, :radius] = 1"),
    edit("horizontal_everything", "the horizontal window of kind B reads the whole row, also to the right of the centre",
         "horizontal[:, : radius if own == 0 else kernel_size] = 1"),
    edit("horizontal_right", "the horizontal window reads to the right of the centre instead of to the left",
         "horizontal[:, radius + 1 - own :] = 1"),
    edit("horizontal_nearest",
         "the horizontal window holds the nearest position to the left only; all positions to the left are allowed",
         "horizontal[:, max(radius - 1, 0) : radius + own] = 1"),
)

mistakes.at(
    "horizontal = torch.zeros(1, kernel_size)",
    edit("horizontal_flat", "the horizontal window lacks its first axis: its shape is (1, k)",
         "horizontal = torch.zeros(kernel_size)",
         ("horizontal[:, : radius + own] = 1", "horizontal[: radius + own] = 1")),
    edit("horizontal_upright", "the horizontal window is a column of shape (k, 1), where a row of shape (1, k) is expected",
         "horizontal = torch.zeros(kernel_size, 1)",
         ("horizontal[:, : radius + own] = 1", "horizontal[: radius + own] = 1")),
    edit("horizontal_square",
         "the horizontal window is a square of k×k; h reads one row only, so its shape is (1, k)",
         "horizontal = torch.zeros(kernel_size, kernel_size)",
         ("horizontal[:, : radius + own] = 1", "horizontal[radius, : radius + own] = 1")),
)

mistakes.at(
    "return vertical, horizontal",
    edit("windows_exchanged", "the two windows are returned in the wrong order: the vertical one comes first",
         "return horizontal, vertical"),
    edit("windows_cropped",
         "the windows hold only the rows or positions that are read; their shapes are (k, k) and (1, k), with zeros for the rest",
         "return vertical[: radius + own], horizontal[:, : radius + own]"),
    edit("windows_of_bools", "the windows hold True and False, where float32 zeros and ones are expected",
         "return vertical.bool(), horizontal.bool()"),
    edit("windows_in_float64",
         "the windows are float64, where float32 is expected: a float32 layer turns into float64 when it is masked with them, "
         "and no longer fits its input",
         "return vertical.double(), horizontal.double()"),
    edit("windows_of_integers", "the windows hold integers, where float32 zeros and ones are expected",
         "return vertical.long(), horizontal.long()"),
)

mistakes.at(
    'own = int(kind == "B")',
    edit("kinds_swapped", "the two kinds are exchanged: with A in the first layer every pixel sees itself",
         'own = int(kind == "A")'),
    edit("always_kind_a", "kind B is treated like kind A: later layers may also read the position or row of the centre",
         "own = 0"),
    edit("always_kind_b", "kind A is treated like kind B: the first layer then shows each pixel the value to be predicted",
         "own = 1"),
)

mistakes.at(
    "radius = kernel_size // 2",
    edit("radius_of_three", "the windows are right for kernel size 3 only: the centre is at k // 2", "radius = 1"),
    edit("radius_at_least_one", "the windows are wrong for kernel size 1, where the centre is the only position",
         "radius = max(1, kernel_size // 2)"),
    edit("radius_rounded_up", "the centre of the windows is one too far: with k positions, counted from 0, it is k // 2",
         "radius = (kernel_size + 1) // 2"),
)

# --- GatedBlock ----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    left = self.horizontal(h) + self.link(above)
    if bias is not None:
        above, left = above + bias, left + bias
    """,
    edit("bias_before_link", "beta is added to a = V v before the link, so the horizontal gate gets it twice",
         """
         above = above if bias is None else above + bias
         left = self.horizontal(h) + self.link(above)
         left = left if bias is None else left + bias
         """),
    edit("bias_only_through_link",
         "beta is added to a = V v before the link, and not to the horizontal sum: h' gets L β where it should get β",
         """
         above = above if bias is None else above + bias
         left = self.horizontal(h) + self.link(above)
         """),
)

mistakes.at(
    "left = self.horizontal(h) + self.link(above)",
    edit("link_of_the_features",
         "the link gets the vertical features after the gate; it takes a = V v, with its 2C channels, from before",
         "left = self.horizontal(h) + self.link(gated_activation(above).repeat(1, 2, 1, 1))"),
    edit("link_of_v", "the link gets v itself; it takes a = V v, which has 2C channels",
         "left = self.horizontal(h) + self.link(v)"),
    edit("link_after_gate",
         "the link gets the new v, which has passed the gate and has C channels; it takes a = V v, which has 2C",
         "left = self.horizontal(h) + self.link(gated_activation(above))"),
)

mistakes.at(
    "self.horizontal(h) + self.link(above)",
    edit("no_link", "the vertical features never reach the horizontal stack: h then knows its own row only",
         "self.horizontal(h)"),
    edit("no_link_layer", "a = V v is added to the horizontal sum as it is; the 1×1 convolution `link` is left out",
         "self.horizontal(h) + above"),
    edit("horizontal_of_v", "the horizontal convolution is applied to v, not to h", "self.horizontal(v) + self.link(above)"),
    edit("no_horizontal", "the horizontal convolution is left out: h' knows the rows above only, and nothing of its own row",
         "self.link(above)"),
    edit("linked_by_product", "the horizontal sum is multiplied by the link; (10.4) adds it",
         "self.horizontal(h) * self.link(above)"),
    edit("link_of_the_sum", "the link is applied to the sum of both convolutions; it belongs to a = V v only",
         "self.link(self.horizontal(h) + above)"),
    edit("h_detached", "h is cut off from the gradient on its way through the horizontal convolution",
         "self.horizontal(h.detach()) + self.link(above)"),
)

mistakes.at(
    "above = self.vertical(v)",
    edit("vertical_of_h", "the vertical convolution is applied to h, not to v: what h knows of its own row flows into v",
         "above = self.vertical(h)"),
    edit("h_into_v",
         "the horizontal features flow into the vertical stack: through it, pixels to the left get to see what is on their "
         "right",
         "above = self.vertical(v + h)"),
)

mistakes.at(
    "self.link(above)",
    edit("link_detached",
         "the link is cut off from the gradient, so the horizontal stack cannot train the vertical one",
         "self.link(above.detach())"),
)

mistakes.at(
    "if bias is not None:",
    edit("bias_in_training_only", "beta is used in training mode only", "if bias is not None and self.training:"),
    edit("bias_in_kind_b_only", "beta is used in blocks of kind B only", 'if bias is not None and self.kind == "B":'),
    edit("bias_in_kind_a_only", "beta is used in blocks of kind A only", 'if bias is not None and self.kind == "A":'),
    edit("bias_in_batches_only", "beta is not used when the batch is a single image",
         "if bias is not None and len(v) > 1:"),
    edit("bias_as_a_bool", "the bias is asked whether it is true; a tensor of several numbers has no answer to that",
         "if bias:"),
)

mistakes.at(
    "above, left = above + bias, left + bias",
    edit("bias_only_h", "beta is added in the horizontal gate only; equation (10.4) has it in both", "left = left + bias"),
    edit("bias_only_v", "beta is added in the vertical gate only; equation (10.4) has it in both", "above = above + bias"),
    edit("bias_ignored", "beta is never used", "pass"),
    edit("bias_detached", "beta is cut off from the gradient, so that what it is made of is never trained",
         "above, left = above + bias.detach(), left + bias.detach()"),
    edit("bias_subtracted", "beta is subtracted; it is added", "above, left = above - bias, left - bias"),
    edit("bias_twice", "beta is added twice in each gate", "above, left = above + 2 * bias, left + 2 * bias"),
    edit("bias_of_the_first", "the whole batch gets the beta of its first image",
         "above, left = above + bias[:1], left + bias[:1]"),
    edit("bias_averaged", "the whole batch gets the mean of its betas",
         "above, left = above + bias.mean(0, keepdim=True), left + bias.mean(0, keepdim=True)"),
    edit("bias_in_place",
         "beta is added in place (`+=`) to a = V v, which the link needs as it was for its gradient: backward() fails",
         "above += bias; left += bias"),
    edit("bias_after_gate", "beta is added behind the gates; in (10.4) it goes into them",
         "behind = bias.chunk(2, 1)[0]",
         ("update = self.out(gated_activation(left))",
          "behind = 0 if bias is None else behind; update = self.out(gated_activation(left) + behind)"),
         ("return gated_activation(above), update", "return gated_activation(above) + behind, update")),
    edit("bias_in_tanh_only", "beta reaches the first half of the channels only, those of the tanh",
         "half = bias * (torch.arange(bias.shape[1], device=bias.device) < bias.shape[1] // 2)[:, None, None]; "
         "above, left = above + half, left + half"),
)

mistakes.at(
    "update = self.out(gated_activation(left))",
    edit("no_out", "the 1×1 convolution `out` after the horizontal gate is left out", "update = gated_activation(left)"),
    edit("residual_before_out", "h is added before the 1×1 convolution `out`; (10.4) adds it afterwards",
         'update = self.out(gated_activation(left) + (h if self.kind == "B" else 0))',
         ('update if self.kind == "A" else h + update', "update")),
    edit("gate_of_both", "a is added once more in the horizontal gate, beside the link",
         "update = self.out(gated_activation(left + above))"),
    edit("out_of_half", "the horizontal gate is left out: `out` gets the first half of the sum as it is",
         "update = self.out(left.chunk(2, dim=1)[0])"),
    edit("tanh_gate", "the horizontal gate is a tanh of the first half, without the sigmoid of the second",
         "update = self.out(torch.tanh(left.chunk(2, dim=1)[0]))"),
    edit("gate_swapped_halves", "the halves of the horizontal gate are exchanged: tanh belongs to the first half",
         "update = self.out(gated_activation(left.roll(left.shape[1] // 2, 1)))"),
    edit("update_through_tanh", "the result of `out` goes through one more tanh", "update = torch.tanh(self.out(gated_activation(left)))"),
)

mistakes.at(
    "return gated_activation(above), update",
    edit("h_feeds_v",
         "the horizontal sum flows into the new v: through it, pixels to the left get to see what is on their right",
         "return gated_activation(above + left), update"),
    edit("both_gates_swapped", "in both gates the halves are exchanged: tanh belongs to the first half of the channels",
         "return gated_activation(above.roll(above.shape[1] // 2, 1)), update",
         ("update = self.out(gated_activation(left))", "update = self.out(gated_activation(left.roll(left.shape[1] // 2, 1)))")),
    edit("gates_interleaved", "the gates take every second channel; tanh belongs to the first half and the sigmoid to the second",
         "return torch.tanh(above[:, ::2]) * torch.sigmoid(above[:, 1::2]), update",
         ("update = self.out(gated_activation(left))",
          "update = self.out(torch.tanh(left[:, ::2]) * torch.sigmoid(left[:, 1::2]))")),
    edit("gates_without_tanh", "the first half of both gates does not go through tanh",
         "return F.glu(above, 1), update", ("self.out(gated_activation(left))", "self.out(F.glu(left, 1))")),
    edit("v_not_gated", "the new v is the first half of a, without the gate", "return above.chunk(2, dim=1)[0], update"),
    edit("v_tanh_only", "the new v is a tanh of the first half, without the sigmoid of the second",
         "return torch.tanh(above.chunk(2, dim=1)[0]), update"),
    edit("v_through_out", "the 1×1 convolution `out` is also applied to the new v; it belongs to h' only",
         "return self.out(gated_activation(above)), update"),
    edit("v_detached", "the new v is cut off from the gradient", "return gated_activation(above).detach(), update"),
)

mistakes.at(
    'return gated_activation(above), update if self.kind == "A" else h + update',
    edit("outputs_exchanged", "the two outputs are returned in the wrong order: v' comes first",
         'return update if self.kind == "A" else h + update, gated_activation(above)'),
    edit("residual_on_v_too", "the new v has a residual connection; equation (10.4) has one at h' only",
         'v = gated_activation(above) if self.kind == "A" else v + gated_activation(above); '
         'return v, update if self.kind == "A" else h + update'),
    edit("h_changed_in_place", "the given h is changed in place: `+=` writes into the caller's tensor",
         'h = update if self.kind == "A" else h.add_(update); return gated_activation(above), h'),
)

mistakes.at(
    'update if self.kind == "A" else h + update',
    edit("residual_in_A",
         "the residual connection is also used in the block of kind A: it adds the image itself to h', so every pixel sees "
         "its own value",
         "h + update"),
    edit("residual_by_shape",
         "the residual connection is used wherever the channels fit, so also in a block of kind A with as many channels in as "
         "out, where h is the image",
         "h + update if h.shape == update.shape else update"),
    edit("residual_kinds_swapped",
         "the residual connection is used in kind A, where it shows each pixel to itself, and not in kind B",
         'h + update if self.kind == "A" else update'),
    edit("no_residual", "the residual connection of kind B is missing: h' = h + update", "update"),
    edit("residual_subtracted", "h is subtracted; the residual connection adds it",
         'update if self.kind == "A" else update - h'),
    edit("residual_in_training_only", "the residual connection is used in training mode only",
         'h + update if self.kind == "B" and self.training else update'),
    edit("residual_of_v", "the residual connection adds v; equation (10.4) adds h",
         'update if self.kind == "A" else v + update'),
    edit("residual_detached", "the residual connection is cut off from the gradient",
         'update if self.kind == "A" else h.detach() + update'),
    edit("residual_halved", "the residual connection averages h and the update; it adds them",
         'update if self.kind == "A" else (h + update) / 2'),
)

# --- rewrites ------------------------------------------------------------------------------------------------------


@mistakes.rewrite("the derivatives are differences of outputs, which rounding makes inexact, above all for a faint leak")
def map_by_differences(ref):
    def receptive_field(model, image, row, col):
        with torch.no_grad():
            def score(x):
                return model(x[None])[0, :, row, col].sum()

            found, start = torch.zeros_like(image), score(image)
            for place in range(image.numel()):
                moved = image.clone()
                moved.view(-1)[place] += 1e-3
                found.view(-1)[place] = (score(moved) - start) / 1e-3
        return found.abs().sum(0)

    return {"receptive_field": receptive_field}


@mistakes.rewrite(
    "the input is padded at the top and at the left only: the window ends at the output's pixel and is not centred there"
)
def padded_on_one_side(ref):
    class MaskedConv2d(ref.MaskedConv2d):
        def forward(self, x):
            kh, kw = self.weight.shape[-2:]
            padded = F.pad(x, (kw - 1, 0, kh - 1, 0))
            return F.conv2d(padded, self.weight * self.mask, self.bias)

    return {"MaskedConv2d": MaskedConv2d}

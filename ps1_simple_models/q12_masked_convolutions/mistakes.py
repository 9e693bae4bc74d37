"""Named wrong versions of the answers to question 12."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- causal_mask ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    mask[:radius] = 1
    """,
    edit("left_below", "the mask lets the left half of the rows below through; they come later in raster order",
         """
         mask[:radius] = 1
         mask[radius:, :radius] = 1
         """),
)

mistakes.at(
    "mask[:radius] = 1",
    edit("upper_left_only",
         "the mask keeps only what is above and to the left; the rows above are allowed in full width",
         "mask[:radius, : radius + 1] = 1"),
)

mistakes.at(
    "mask[radius, :radius] = 1",
    edit("whole_row",
         "the mask lets the whole row of the centre through, also what lies to the right, which is the future",
         "mask[radius, :] = 1"),
)

mistakes.at(
    """
    mask[radius, radius] = float(kind == "B")
    return mask
    """,
    edit("mask_transposed",
         "rows and columns are exchanged in the mask: raster order goes through a row from left to right, then to "
         "the next row",
         """
         mask[radius, radius] = float(kind == "B")
         return mask.T
         """),
)

mistakes.at(
    'mask[radius, radius] = float(kind == "B")',
    edit("centre_always",
         "the mask of kind A contains the centre: the first layer shows each pixel the value that it has to predict",
         "mask[radius, radius] = 1"),
    edit("centre_never",
         "the mask of kind B lacks the centre: later layers may read their own position, only the first may not",
         "mask[radius, radius] = 0"),
)

mistakes.at(
    'float(kind == "B")',
    edit("kinds_swapped",
         "kind A lets the centre through and kind B does not: with A in the first layer every pixel sees itself",
         'float(kind == "A")', ('own = int(kind == "B")', 'own = int(kind == "A")')),
)

# --- stack_masks ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    vertical[: radius + own] = 1
    """,
    edit("vertical_is_causal",
         "the vertical window of kind B stops at the centre column; features of that row know only rows above, so "
         "the full row is allowed",
         """
         vertical[:radius] = 1
         vertical[radius, : radius + 1] = own
         """),
)

mistakes.at(
    "vertical[: radius + own] = 1",
    edit("vertical_sees_row",
         "the vertical window of kind A contains the centre's own row: the vertical features then know the "
         "current pixel and what is to its right, and hand it to the horizontal stack",
         "vertical[: radius + 1] = 1"),
    edit("vertical_lags",
         "the vertical window of kind B lacks the centre's own row: every layer then drops the nearest row that "
         "it could use",
         "vertical[:radius] = 1"),
)

mistakes.at(
    "horizontal[:, : radius + own] = 1",
    edit("horizontal_sees_itself",
         "the horizontal window of kind A contains the centre: in the first layer that is the pixel to be predicted",
         "horizontal[:, : radius + 1] = 1"),
)

# --- MaskedConv2d --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    self.register_buffer("mask", mask.clone())
    """,
    edit("masked_once",
         "the mask does not act on the weights that the layer holds now: it is never used, or only once in the "
         "constructor, where the first optimiser step or loading weights undoes it",
         """
         self.register_buffer("mask", mask.clone())
         self.weight.data *= mask
         """,
         ("self.weight * self.mask, self.bias", "self.weight, self.bias")),
    edit("masked_gradient",
         "the mask is put on the gradient of the weights, not on the weights: values that are there from the "
         "start, or loaded, still act",
         """
         self.register_buffer("mask", mask.clone())
         self.weight.register_hook(lambda g: g * mask)
         """,
         ("self.weight * self.mask, self.bias", "self.weight, self.bias")),
)

mistakes.at(
    'self.register_buffer("mask", mask.clone())',
    edit("mask_not_buffer",
         "the mask is a plain attribute: `.to(device)` leaves it behind, so the layer fails on a GPU; make it a buffer",
         "self.mask = mask.clone()"),
    edit("mask_is_parameter",
         "the mask is a parameter, so the optimiser changes it; a buffer is saved and moved like one, but not trained",
         "self.mask = nn.Parameter(mask.clone())"),
    edit("mask_is_frozen_parameter",
         "the mask is among the layer's parameters, though it does not require gradients; weight and bias are the "
         "only ones, a buffer is the place for it",
         "self.mask = nn.Parameter(mask.clone(), requires_grad=False)"),
)

mistakes.at(
    """
    return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
    """,
    edit("masked_in_training_only",
         "the weights are masked in training mode only; in eval mode after loading weights the mask does not act",
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
)

mistakes.at(
    "self.weight * self.mask, self.bias, padding",
    edit("bias_dropped", "the bias of the masked convolution is missing from its output",
         "self.weight * self.mask, None, padding"),
)

mistakes.at(
    "self.bias, padding=self.padding)",
    edit("no_padding", "the masked convolution does not pad, so the output is smaller than the input", "self.bias)"),
    edit("one_padding",
         "the padding is taken from one side of the kernel only; a kernel of 1×k needs none above and k//2 at the "
         "sides",
         "self.bias, padding=self.padding[0])"),
)

# --- receptive_field -----------------------------------------------------------------------------------------------

mistakes.at(
    "x = image.detach().clone().unsqueeze(0).requires_grad_()",
    edit("map_at_zero", "the gradient is taken at a black image instead of at the given one",
         "x = torch.zeros_like(image).unsqueeze(0).requires_grad_()"),
    edit("image_marked",
         "the given image itself is made to require gradients; work on a copy, so that the caller's tensor stays "
         "as it was",
         "x = image.requires_grad_().unsqueeze(0)"),
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
         "all of the model's parameters require gradients afterwards, also those that were frozen before; put "
         "back what each had",
         """
         for p in model.parameters():
             p.requires_grad_(False)
         score = model(x)[0, :, row, col].sum()
         for p in model.parameters():
             p.requires_grad_(True)
         """),
    edit("mode_changed", "the model is put into training mode, although it was in evaluation mode before",
         """
         model.eval()
         score = model(x)[0, :, row, col].sum()
         model.train()
         """),
)

mistakes.at(
    "model(x)[0, :, row, col].sum()",
    edit("map_first_channel", "only the first channel of the output is looked at; a leak in the others stays unseen",
         "model(x)[0, 0, row, col]"),
    edit("map_all_outputs", "the gradient is that of the sum over all output pixels, not of the one at (row, col)",
         "model(x).sum()"),
    edit("map_swapped", "row and column are exchanged in the output", "model(x)[0, :, col, row].sum()"),
)

mistakes.at(
    """
    (gradient,) = torch.autograd.grad(score, x)
    """,
    edit("map_leaves_gradients",
         "`backward()` leaves gradients in the model's parameters, where the next optimiser step finds them; ask "
         "only for the image's",
         """
         score.backward()
         gradient = x.grad
         """),
    edit("map_clears_gradients",
         "the gradients that the model's parameters had before are cleared; they must stay as they were, ask only "
         "for the image's gradient",
         """
         score.backward()
         gradient = x.grad
         model.zero_grad()
         """),
)

mistakes.at(
    """
    return gradient[0].abs().sum(0)
    """,
    edit("map_rounded",
         "small entries of the map are lost (set to 0, or rounded away by differences of outputs); a weak leak is "
         "a leak, too",
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
         "the absolute value is taken after the sum over input channels, so channels of opposite sign cancel; "
         "take it before",
         "return gradient[0].sum(0).abs()"),
    edit("map_squeezed",
         "`squeeze()` also removes the axis of the channels if there is only one, and the sum then runs over the rows",
         "return gradient.squeeze().abs().sum(0)"),
)

# --- gated_activation ----------------------------------------------------------------------------------------------

mistakes.at(
    "value, gate = a.chunk(2, dim=1)",
    edit("halves_swapped",
         "the halves of the gate are exchanged: tanh belongs to the first half of the channels, the sigmoid to "
         "the second",
         "gate, value = a.chunk(2, dim=1)"),
    edit("interleaved", "the gate takes every other channel; the halves are the first C channels and the last C",
         "value, gate = a[:, 0::2], a[:, 1::2]"),
)

mistakes.at(
    "torch.tanh(value)",
    edit("relu_gate", "the value of the gated unit goes through a tanh, not a ReLU", "torch.relu(value)"),
)

mistakes.at(
    "torch.sigmoid(gate)",
    edit("sigmoid_by_hand",
         "the sigmoid is computed as exp(a) / (1 + exp(a)), which is NaN for large a; use torch.sigmoid",
         "torch.exp(gate) / (1 + torch.exp(gate))"),
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
)

mistakes.at(
    "left = self.horizontal(h) + self.link(above)",
    edit("link_after_gate",
         "the link gets the vertical features after the gate; it takes a = V v, with its 2C channels, from before",
         "left = self.horizontal(h) + self.link(gated_activation(above))"),
)

mistakes.at(
    "self.horizontal(h) + self.link(above)",
    edit("no_link", "the vertical features never reach the horizontal stack: h then knows its own row only",
         "self.horizontal(h)"),
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
)

mistakes.at(
    "above, left = above + bias, left + bias",
    edit("bias_only_h", "beta is added in the horizontal gate only; equation (12.5) has it in both",
         "left = left + bias"),
)

mistakes.at(
    "update = self.out(gated_activation(left))",
    edit("no_out", "the 1×1 convolution `out` after the horizontal gate is left out",
         "update = gated_activation(left)"),
)

mistakes.at(
    "return gated_activation(above), update",
    edit("h_feeds_v",
         "the horizontal features flow into the vertical stack: through it, pixels to the left get to see what is "
         "on their right",
         "return gated_activation(above + left), update"),
)

mistakes.at(
    'update if self.kind == "A" else h + update',
    edit("residual_in_A",
         "the residual connection is also used in the block of kind A: it adds the image itself to h', so every "
         "pixel sees its own value",
         "h + update"),
    edit("no_residual", "the residual connection of kind B is missing: h' = h + update", "update"),
)

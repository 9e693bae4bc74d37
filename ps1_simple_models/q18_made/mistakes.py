"""Named wrong versions of the answers to question 18."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- made_masks ----------------------------------------------------------------------------------------------------

mistakes.at(
    "degrees[order] = torch.arange(1, len(order) + 1, device=order.device)",
    edit("order_is_not_degree",
         "`made_masks` takes `order[t]` for the degree of dimension t; `order[t]` is the dimension at step t, so the inverse "
         "permutation is needed",
         "degrees = order + 1"),
    edit("order_ignored", "`made_masks` ignores the order and always uses 0, 1, …, D-1",
         "degrees = torch.arange(1, len(order) + 1, device=order.device)"),
    edit("degrees_from_zero",
         "in `made_masks` the degrees of inputs and outputs are one too low beside those of the hidden units: they start at 1, "
         "and hidden degrees stay as they are given",
         "degrees[order] = torch.arange(0, len(order), device=order.device)"),
    edit("order_reversed", "`made_masks` counts the order from its end: `order[0]` comes first and has degree 1",
         "degrees[order] = torch.arange(len(order), 0, -1, device=order.device)"),
)

mistakes.at(
    """
    masks, below = [], degrees
    """,
    edit("inputs_unordered",
         "`made_masks` uses the order for the outputs but not for the inputs; both have the same degrees",
         "masks, below = [], torch.arange(1, len(order) + 1, device=order.device)"),
    edit("sorted_hidden", "`made_masks` orders the units of the hidden layers by their degrees; they come in the given sequence",
         """
         hidden_degrees = [d.sort().values for d in hidden_degrees]
         masks, below = [], degrees
         """),
    edit("own_hidden",
         "`made_masks` makes up hidden degrees 1, 2, …, D-1, 1, 2, … instead of using those that are given",
         """
         hidden_degrees = [1 + torch.arange(len(h), device=order.device) % max(len(order) - 1, 1) for h in hidden_degrees]
         masks, below = [], degrees
         """),
    edit("hidden_raised",
         "`made_masks` raises hidden degrees to the smallest one below; a unit of a lower degree keeps no connection",
         """
         lowest, raised = degrees, []
         for h in hidden_degrees:
             raised.append(h.clamp(min=int(lowest.min())))
             lowest = raised[-1]
         hidden_degrees = raised
         masks, below = [], degrees
         """),
    edit("repeats_first_hidden", "`made_masks` uses the degrees of the first hidden layer for all hidden layers",
         """
         hidden_degrees = [hidden_degrees[0][torch.arange(len(h)) % len(hidden_degrees[0])] for h in hidden_degrees]
         masks, below = [], degrees
         """),
)

mistakes.at(
    """
    for above in hidden_degrees:
    """,
    edit("one_hidden_layer_only", "`made_masks` uses the first hidden layer only", "for above in hidden_degrees[:1]:"),
    edit("last_hidden_layer_left_out", "`made_masks` leaves out the last hidden layer", "for above in hidden_degrees[:-1]:"),
    edit("hidden_backwards", "`made_masks` goes through the hidden layers from the last to the first",
         "for above in hidden_degrees[::-1]:"),
)

mistakes.at(
    "masks.append((above[:, None] >= below).float())",
    edit("strict_everywhere",
         "`made_masks` uses > for connections into hidden units too; nothing leaks, but connections that may stay are cut",
         "masks.append((above[:, None] > below).float())"),
    edit("first_strict",
         "`made_masks` uses > in the first mask and ≥ between hidden layers; a hidden unit may see an input of its own degree",
         "masks.append(((above[:, None] > below) if below is degrees else (above[:, None] >= below)).float())"),
    edit("later_strict",
         "`made_masks` uses > between hidden layers; a hidden unit may see hidden units of its own degree",
         "masks.append(((above[:, None] >= below) if below is degrees else (above[:, None] > below)).float())"),
    edit("signs_swapped",
         "`made_masks` uses > in the hidden layers and ≥ at the output; it is the other way round (with several hidden "
         "layers information is lost)",
         "masks.append((above[:, None] > below).float())",
         ("masks.append((degrees[:, None] > below).float())", "masks.append((degrees[:, None] >= below).float())")),
    edit("comparison_reversed",
         "`made_masks` keeps the connections into hidden units that must be cut; a unit may see units of *lower or equal* degree",
         "masks.append((above[:, None] <= below).float())"),
    edit("exactly_equal", "`made_masks` connects hidden units only with units of the same degree; lower degrees are allowed, too",
         "masks.append((above[:, None] == below).float())"),
    edit("hidden_open", "`made_masks` keeps all connections between hidden layers; only the first and the last mask are cut",
         "masks.append((above[:, None] >= below).float() if below is degrees else torch.ones(len(above), len(below)))"),
)

mistakes.at(
    """
    below = above
    """,
    edit("always_inputs_below",
         "`made_masks` compares every hidden layer with the degrees of the inputs; the layer below is what counts",
         "below = above if above is hidden_degrees[-1] else degrees"),
)

mistakes.at(
    "masks.append((degrees[:, None] > below).float())",
    edit("leak_at_output",
         "the output mask of `made_masks` uses ≥: an output then depends on its own input",
         "masks.append((degrees[:, None] >= below).float())"),
    edit("leak_without_hidden",
         "with no hidden layer `made_masks` uses ≥ for the only mask; it leads into outputs, which may not see themselves",
         "masks.append((degrees[:, None] > below).float() if hidden_degrees else (degrees[:, None] >= below).float())"),
    edit("output_reversed",
         "the output mask of `made_masks` keeps what must be cut; an output may see units of *lower* degree",
         "masks.append((degrees[:, None] < below).float())"),
    edit("outputs_unordered",
         "`made_masks` uses the order for the inputs but not for the outputs; both have the same degrees",
         "masks.append((torch.arange(1, len(order) + 1, device=order.device)[:, None] > below).float())"),
    edit("outputs_by_order",
         "`made_masks` takes `order[t]` for the degree of output t; the outputs have the degrees of the inputs",
         "masks.append((order[:, None] + 1 > below).float())"),
    edit("output_sees_first_layer",
         "the output mask of `made_masks` compares with the degrees of the first hidden layer instead of the last",
         "masks.append((degrees[:, None] > (hidden_degrees[0] if hidden_degrees else degrees)).float())"),
    edit("needs_a_hidden_layer",
         "`made_masks` fails without a hidden layer: an empty `hidden_degrees` leaves a single mask, from inputs to outputs",
         "masks.append((degrees[:, None] > hidden_degrees[-1]).float())"),
    edit("output_connects_inputs",
         "the last mask of `made_masks` connects the outputs with the inputs; below them is the last hidden layer",
         "masks.append((degrees[:, None] > degrees).float())"),
    edit("no_output_mask", "`made_masks` makes no mask for the outputs", ""),
)

mistakes.at(
    """
    return masks
    """,
    edit("masks_transposed",
         "the masks of `made_masks` are transposed: an `nn.Linear` weight has the shape (units of this layer, units of the "
         "layer below)",
         "return [mask.T.contiguous() for mask in masks]"),
    edit("boolean", "`made_masks` returns boolean masks; they are float32", "return [mask.bool() for mask in masks]"),
    edit("whole_numbers", "`made_masks` returns whole numbers; the masks are float32", "return [mask.long() for mask in masks]"),
    edit("double_precision", "`made_masks` returns float64 masks; they are float32", "return [mask.double() for mask in masks]"),
    edit("list_extended", "`made_masks` appends to the list `hidden_degrees`, which belongs to the caller",
         """
         hidden_degrees.append(degrees)
         return masks
         """),
    edit("masks_backwards", "`made_masks` returns the masks from the outputs to the inputs", "return masks[::-1]"),
)

# --- MaskedLinear --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    self.register_buffer("mask", mask.clone())
    """,
    edit("stale_weights",
         "`MaskedLinear` keeps the masked weights of an earlier call in evaluation mode; weights that are loaded "
         "afterwards are not used",
         """
         self.register_buffer("mask", mask.clone())
         self.effective = None
         """,
         ("""
         return F.linear(x, self.weight * self.mask, self.bias)
         """, """
         if self.training or self.effective is None:
             self.effective = self.weight.detach() * self.mask
         return F.linear(x, self.weight * self.mask if self.training else self.effective, self.bias)
         """)),
    edit("kept_in_evaluation",
         "`MaskedLinear` keeps the masked weights of its first use in evaluation mode; weights that are loaded afterwards "
         "are not used",
         """
         self.register_buffer("mask", mask.clone())
         self.effective = None
         """,
         ("""
         return F.linear(x, self.weight * self.mask, self.bias)
         """, """
         if self.training:
             self.effective = None
             return F.linear(x, self.weight * self.mask, self.bias)
         if self.effective is None:
             self.effective = self.weight.detach() * self.mask
         return F.linear(x, self.effective, self.bias)
         """)),
    edit("gradient_hook",
         "`MaskedLinear` masks its weight once and then only its gradient; loaded or copied weights are not masked",
         """
         self.register_buffer("mask", mask.clone())
         self.weight.data *= mask
         self.weight.register_hook(lambda grad: grad * self.mask)
         """,
         ("return F.linear(x, self.weight * self.mask, self.bias)", "return F.linear(x, self.weight, self.bias)")),
)

mistakes.at(
    'self.register_buffer("mask", mask.clone())',
    edit("plain_attribute",
         "the mask of `MaskedLinear` is a plain attribute: it stays behind when the layer moves to another dtype or device",
         "self.mask = mask.clone()"),
    edit("mask_left_on_device",
         "the mask of `MaskedLinear` is a plain attribute: it stays behind when the layer moves to another device",
         "self.mask = mask.clone()",
         ("self.weight * self.mask, self.bias", "self.weight * self.mask.to(self.weight.dtype), self.bias")),
    edit("trained_mask", "the mask of `MaskedLinear` is a parameter, so the optimiser changes it",
         "self.mask = nn.Parameter(mask.clone())"),
    edit("extra_parameter", "`MaskedLinear` has a further parameter; weight and bias are the only ones",
         "self.register_buffer('mask', mask.clone()); self.scale = nn.Parameter(torch.ones(1))"),
    edit("frozen_mask",
         "the mask of `MaskedLinear` is among the layer's parameters, though it does not require gradients; a buffer is the "
         "place for it",
         "self.mask = nn.Parameter(mask.clone(), requires_grad=False)"),
    edit("masked_once",
         "`MaskedLinear` masks its weight once, when it is made; the first optimiser step or loaded weights undo this",
         "self.weight.data *= mask",
         ("return F.linear(x, self.weight * self.mask, self.bias)", "return F.linear(x, self.weight, self.bias)")),
)

mistakes.at(
    """
    return F.linear(x, self.weight * self.mask, self.bias)
    """,
    edit("masked_in_training_only",
         "`MaskedLinear` masks its weights in training mode only; loaded weights act unmasked in evaluation mode",
         """
         if self.training:
             self.weight.data *= self.mask
         return F.linear(x, self.weight, self.bias)
         """),
    edit("masked_with_gradients_only",
         "`MaskedLinear` masks its weights only while autograd is on; under `no_grad` loaded weights act unmasked",
         """
         if torch.is_grad_enabled():
             self.weight.data *= self.mask
         return F.linear(x, self.weight, self.bias)
         """),
    edit("detached_in_evaluation", "`MaskedLinear` cuts the gradient in evaluation mode; only `no_grad` should do so",
         """
         output = F.linear(x, self.weight * self.mask, self.bias)
         return output if self.training else output.detach()
         """),
    edit("masked_on_first_call",
         "`MaskedLinear` masks its weights at its first call only; optimiser steps or loaded weights undo this",
         """
         if not hasattr(self, "done"):
             self.done = True
             self.weight.data *= self.mask
         return F.linear(x, self.weight, self.bias)
         """),
)

mistakes.at(
    "return F.linear(x, self.weight * self.mask, self.bias)",
    edit("mask_forgotten", "`MaskedLinear` leaves connections open where its mask is 0",
         "return F.linear(x, self.weight, self.bias)"),
    edit("mask_inverted", "`MaskedLinear` keeps the connections where its mask is 0 and cuts the others",
         "return F.linear(x, self.weight * (1 - self.mask), self.bias)"),
    edit("layer_no_bias", "`MaskedLinear.forward` lacks the bias", "return F.linear(x, self.weight * self.mask)"),
    edit("bias_masked",
         "in `MaskedLinear.forward` the bias of units without connections is cut too; the bias is not masked",
         "return F.linear(x, self.weight * self.mask, self.bias * self.mask.amax(1))"),
    edit("weight_detached",
         "`MaskedLinear` multiplies `weight.data` or detached weights, so the weights get no gradient and are never trained",
         "return F.linear(x, self.weight.data * self.mask, self.bias)"),
    edit("input_detached", "`MaskedLinear` detaches its input, so that no gradient reaches what lies below",
         "return F.linear(x.detach(), self.weight * self.mask, self.bias)"),
    edit("result_squeezed", "`MaskedLinear` squeezes its result: with one example an axis is lost",
         "return F.linear(x, self.weight * self.mask, self.bias).squeeze()"),
    edit("large_negative_weights",
         "`MaskedLinear` puts a large negative number where the mask is 0; a connection is cut by a weight of 0",
         "return F.linear(x, self.weight.masked_fill(self.mask == 0, -1e9), self.bias)"),
    edit("layer_rounds", "`MaskedLinear` computes in float32, or keeps its mask there, when the layer has moved to float64",
         "return F.linear(x.float(), self.weight.float() * self.mask.float(), self.bias.float())"),
    edit("mask_added", "`MaskedLinear` adds the mask to the weight; it multiplies it",
         "return F.linear(x, self.weight + self.mask, self.bias)"),
    edit("divided_by_connections", "`MaskedLinear` divides by the number of connections; (18.2) adds them up",
         "return F.linear(x, self.weight * self.mask / self.mask.sum(1, keepdim=True).clamp(min=1), self.bias)"),
    edit("bias_twice", "`MaskedLinear` adds the bias twice", "return F.linear(x, self.weight * self.mask, self.bias) + self.bias"),
    edit("layer_relu", "`MaskedLinear` applies the relu itself; it is a linear layer, and the logits get none",
         "return F.relu(F.linear(x, self.weight * self.mask, self.bias))"),
    edit("output_masked",
         "`MaskedLinear` masks whole units; a mask has an entry for each connection",
         "return F.linear(x, self.weight, self.bias) * self.mask.amax(1)"),
)

# --- MADE ----------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for layer in self.layers[:-1]:
        x = F.relu(layer(x))
    return self.layers[-1](x)
    """,
    edit("residual_connection",
         "`MADE.forward` adds a layer's input to its output where the shapes allow it, past the masks",
         """
         for layer in self.layers[:-1]:
             h = F.relu(layer(x))
             x = h + x if h.shape == x.shape else h
         return self.layers[-1](x)
         """),
    edit("relu_at_the_end",
         "`MADE.forward` applies the relu to the logits as well, so that no probability is below one half",
         """
         for layer in self.layers:
             x = F.relu(layer(x))
         return x
         """),
    edit("no_relu", "`MADE.forward` has no relu between its layers, so the whole network is linear",
         """
         for layer in self.layers:
             x = layer(x)
         return x
         """),
    edit("returns_probabilities", "`MADE.forward` returns probabilities; it returns logits in (18.2)",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return torch.sigmoid(self.layers[-1](x))
         """),
    edit("returns_log_probabilities", "`MADE.forward` returns log-probabilities of a 1; it returns logits in (18.2)",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return F.logsigmoid(self.layers[-1](x))
         """),
    edit("relu_before_layers", "`MADE.forward` applies the relu to the inputs, too; (18.2) has it after the hidden layers only",
         """
         for layer in self.layers:
             x = layer(F.relu(x))
         return x
         """),
    edit("relu_at_the_input_only", "`MADE.forward` applies the relu before the hidden layers instead of after them",
         """
         for layer in self.layers[:-1]:
             x = layer(F.relu(x))
         return self.layers[-1](x)
         """),
    edit("one_relu", "`MADE.forward` applies the relu after the first hidden layer only",
         """
         for n, layer in enumerate(self.layers[:-1]):
             x = F.relu(layer(x)) if n == 0 else layer(x)
         return self.layers[-1](x)
         """),
    edit("last_relu_missing", "`MADE.forward` has no relu after the last hidden layer",
         """
         for layer in self.layers[:-2]:
             x = F.relu(layer(x))
         for layer in self.layers[-2:]:
             x = layer(x)
         return x
         """),
    edit("two_layers_only", "`MADE.forward` uses the first and the last layer only; all layers are needed",
         """
         if len(self.layers) > 1:
             x = F.relu(self.layers[0](x))
         if len(self.layers) > 3:
             x = F.relu(self.layers[2](x))
         return self.layers[-1](x)
         """),
    edit("middle_layers_skipped",
         "`MADE.forward` fails with other numbers of hidden layers than one: it goes through all layers, however many there are",
         """
         x = F.relu(self.layers[0](x))
         return self.layers[1](x)
         """),
    edit("forward_detached",
         "`MADE.forward` cuts the gradient (`no_grad`, `.detach()` or `.data`), so the layers below are never trained",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x)).detach()
         return self.layers[-1](x) + 0 * x.sum()
         """),
    edit("squeezed", "`MADE.forward` loses the axis of the examples when there is only one",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x).squeeze()
         """),
    edit("relu_in_place", "`MADE.forward` changes its input in place",
         """
         x.relu_() if not self.layers[0].weight.isnan().any() else x
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """, catches="in-place change"),
    edit("to_float32", "`MADE.forward` rounds its logits to float32; they have the dtype of x", """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x).float()
         """),
    edit("input_added", "`MADE.forward` adds the input to the logits, past the masks: each output sees itself",
         """
         given = x
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x) + given
         """),
    edit("logits_clamped", "`MADE.forward` clamps its logits; (18.2) gives any number",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x).clamp(-10, 10)
         """),
    edit("reordered_logits", "`MADE.forward` puts the logits in the order of drawing; column d belongs to dimension d",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)[:, self.order]
         """),
    edit("logits_by_inverse", "`MADE.forward` reorders the logits by the inverse of the order; column d belongs to dimension d",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)[:, torch.argsort(self.order)]
         """),
    edit("inputs_centred", "`MADE.forward` turns its inputs into -1 and 1; (18.2) takes them as they are",
         """
         x = 2 * x - 1
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """),
    edit("reordered_both", "`MADE.forward` reorders its input and puts the logits back; column d belongs to dimension d throughout",
         """
         x = x[:, self.order]
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)[:, torch.argsort(self.order)]
         """),
    edit("masks_passed_by",
         "`MADE.forward` computes with the weights of its layers instead of calling them, so their masks do not act",
         """
         for layer in self.layers[:-1]:
             x = F.relu(F.linear(x, layer.weight, layer.bias))
         return F.linear(x, self.layers[-1].weight, self.layers[-1].bias)
         """),
    edit("only_layer_twice", "`MADE.forward` uses the only layer twice when there is no hidden layer",
         """
         x = F.relu(self.layers[0](x))
         for layer in self.layers[1:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """),
    edit("reordered_input", "`MADE.forward` reorders its input; column d belongs to dimension d, and the masks know the order",
         """
         x = x[:, self.order]
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """),
)

mistakes.at(
    "x = F.relu(layer(x))",
    edit("tanh", "`MADE.forward` uses tanh where (18.2) has the relu", "x = torch.tanh(layer(x))"),
    edit("sigmoid", "`MADE.forward` uses the sigmoid where (18.2) has the relu", "x = torch.sigmoid(layer(x))"),
    edit("leaky_relu", "`MADE.forward` uses another activation than the relu of (18.2), a leaky one", "x = F.leaky_relu(layer(x))"),
    edit("elu", "`MADE.forward` uses another activation than the relu of (18.2), the ELU", "x = F.elu(layer(x))"),
    edit("relu6", "`MADE.forward` caps the activations (ReLU6); the relu of (18.2) has no upper limit", "x = F.relu6(layer(x))"),
    edit("no_grad", "`MADE.forward` runs without gradients, so nothing can be trained",
         "x = F.relu(layer(x)).detach()", ("return self.layers[-1](x)", "return self.layers[-1](x).detach()")),
    edit("gelu", "`MADE.forward` uses another activation than the relu of (18.2), the GELU", "x = F.gelu(layer(x))"),
    edit("silu", "`MADE.forward` uses another activation than the relu of (18.2), the SiLU", "x = F.silu(layer(x))"),
    edit("softplus", "`MADE.forward` uses another activation than the relu of (18.2), the softplus", "x = F.softplus(layer(x))"),
)

# --- made_sample ---------------------------------------------------------------------------------------------------

mistakes.at(
    "order, place = model.order, torch.argsort(model.order)",
    edit("inverse_order",
         "`made_sample` exchanges the order and its inverse: `order[t]` is the dimension to draw at step t",
         "place, order = model.order, torch.argsort(model.order)"),
    edit("order_for_its_inverse",
         "`made_sample` applies the order a second time where its inverse is needed to put the columns back",
         "order = place = model.order"),
)

mistakes.at(
    "return model(steps[:, place])[:, order]",
    edit("input_not_put_back",
         "inside `made_sample` the model sees vectors in the order of drawing; put the columns back before you call it",
         "return model(steps)[:, order]"),
    edit("logits_not_reordered",
         "inside `made_sample` the logits are left in the order of the dimensions; entry t needs the logit of dimension order[t]",
         "return model(steps[:, place])"),
    edit("input_reordered_again",
         "inside `made_sample` the model's input is indexed by the order; what is in the order of drawing is put back by its inverse",
         "return model(steps[:, order])[:, order]"),
    edit("logits_put_back",
         "inside `made_sample` the logits are indexed by the inverse; they are put in the order of drawing by the order itself",
         "return model(steps[:, place])[:, place]"),
    edit("directions_exchanged", "inside `made_sample` both permutations of the model's input and logits go the wrong way",
         "return model(steps[:, order])[:, place]"),
    edit("nothing_reordered_inside",
         "inside `made_sample` the model gets reordered vectors and its logits are taken as they come; it knows dimensions, not steps",
         "return model(steps)"),
)

mistakes.at(
    "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]",
    edit("order_ignored_in_drawing",
         "`made_sample` draws the dimensions 0, 1, 2, … and ignores the model's order, so the model sees bits before they are drawn",
         "return ancestral_sample(model, x, known, uniforms)"),
    edit("not_put_back", "`made_sample` returns the columns in the order of drawing; column d is dimension d",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])"),
    edit("put_back_by_order", "`made_sample` puts the columns back with the order itself; it takes the inverse permutation",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, order]"),
    edit("uniforms_by_step", "`made_sample` uses column t of `uniforms` at step t; column d belongs to dimension d",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms)[:, place]"),
    edit("known_by_step", "`made_sample` does not reorder `known`, so other entries are kept than those that are known",
         "return ancestral_sample(reordered, x[:, order], known, uniforms[:, order])[:, place]"),
    edit("x_by_step", "`made_sample` does not reorder `x`, so known entries get the values of other dimensions",
         "return ancestral_sample(reordered, x, known[:, order], uniforms[:, order])[:, place]"),
    edit("only_model_reordered",
         "`made_sample` reorders what the model sees but none of `x`, `known` and `uniforms`",
         "return ancestral_sample(reordered, x, known, uniforms)[:, place]"),
    edit("arguments_by_inverse",
         "`made_sample` reorders `x`, `known` and `uniforms` by the inverse of the order",
         "return ancestral_sample(reordered, x[:, place], known[:, place], uniforms[:, place])[:, place]"),
    edit("known_ignored", "`made_sample` draws everything and ignores what is known",
         "return ancestral_sample(reordered, x[:, order], torch.zeros_like(known), uniforms[:, order])[:, place]"),
    edit("planted_afterwards",
         "`made_sample` draws everything first and puts the known entries in afterwards, so the others have not seen them",
         "return torch.where(known, x, ancestral_sample(reordered, x[:, order], torch.zeros_like(known), uniforms[:, order])[:, place])"),
    edit("known_inverted", "`made_sample` keeps what is unknown and draws what is known",
         "return ancestral_sample(reordered, x[:, order], ~known[:, order], uniforms[:, order])[:, place]"),
    edit("rounded", "`made_sample` works in float32 where x is in float64",
         "return ancestral_sample(lambda s: reordered(s).float(), x[:, order], known[:, order], uniforms[:, order].float())[:, place]"),
    edit("rounded_at_the_end", "`made_sample` returns float32 where x is in float64; the result has the dtype of x",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place].float()"),
    edit("left_in_evaluation", "`made_sample` leaves the model in evaluation mode; it is not changed",
         "model.eval(); return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]"),
    edit("left_in_training", "`made_sample` leaves the model in training mode; it is not changed",
         "model.train(); return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]"),
    edit("as_integers", "`made_sample` returns whole numbers; the result has the dtype of x",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place].long()"),
    edit("one_minus_u", "`made_sample` takes 1 - u for u",
         "return ancestral_sample(reordered, x[:, order], known[:, order], 1 - uniforms[:, order])[:, place]"),
    edit("as_bools", "`made_sample` returns truth values; the result has the dtype of x",
         "return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place].bool()"),
    edit("known_of_first", "`made_sample` takes what is known of the first example for all examples",
         "return ancestral_sample(reordered, x[:, order], known[:1, order].expand_as(known), uniforms[:, order])[:, place]"),
    edit("sampling_freezes",
         "`made_sample` leaves the model's parameters without gradients, so that it cannot be trained any more",
         "model.requires_grad_(False); return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]"),
    edit("autograd_off", "`made_sample` leaves autograd switched off for everything that follows",
         "torch.set_grad_enabled(False); return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]"),
)


def walk(bits, feed=lambda drawn, p: drawn, order=lambda model: model.order.tolist()):
    """A sampler of one's own, with rules of its own."""

    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        drawn = torch.where(known, x, 0.0)
        for d in order(model):
            p = torch.sigmoid(model(feed(drawn, None))[:, d])
            drawn[:, d] = torch.where(known[:, d], x[:, d], bits(uniforms[:, d], p).to(x.dtype))
        return drawn

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` sets a bit to 1 if u is above the probability; this happens with probability 1 - p")
def uniform_above(ref):
    return walk(lambda u, p: u > p)


@mistakes.rewrite("`made_sample` sets a bit to 1 also where u equals the probability; the rule is u < σ(a)")
def at_most(ref):
    return walk(lambda u, p: u <= p)


@mistakes.rewrite("`made_sample` takes the likelier value of each bit and ignores the uniform numbers")
def most_likely(ref):
    return walk(lambda u, p: p > 0.5)


@mistakes.rewrite("`made_sample` draws random numbers of its own instead of using `uniforms`")
def own_numbers(ref):
    return walk(lambda u, p: torch.rand(u.shape, generator=torch.Generator().manual_seed(0)) < p)


@mistakes.rewrite("`made_sample` compares u with the logit; it is compared with the probability σ(a)")
def no_sigmoid(ref):
    return walk(lambda u, p: u < torch.logit(p))


@mistakes.rewrite("`made_sample` keeps probabilities away from 0 and 1 or rounds them, so that some bits change")
def clamped(ref):
    return walk(lambda u, p: u < p.clamp(0.05, 0.95))


@mistakes.rewrite("`made_sample` skips a dimension for all examples where it is known for one of them")
def any_known_skips(ref):
    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        drawn = torch.where(known, x, 0.0)
        for d in model.order.tolist():
            if not known[:, d].any():
                drawn[:, d] = (uniforms[:, d] < torch.sigmoid(model(drawn)[:, d])).to(x.dtype)
        return drawn

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` uses the first example's logits for all examples")
def logits_of_first(ref):
    return walk(lambda u, p: u < p[0])


@mistakes.rewrite("`made_sample` uses the first column of `uniforms` at every step; column d belongs to dimension d")
def one_column_of_uniforms(ref):
    def made_sample(model, x, known, uniforms):
        return ref.made_sample(model, x, known, uniforms[:, :1].expand_as(uniforms))

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` stops one step early: the last dimension of the order is never drawn")
def one_step_short(ref):
    return walk(lambda u, p: u < p, order=lambda model: model.order.tolist()[:-1])


@mistakes.rewrite(
    "`made_sample` draws each bit without those before it (all from one pass, or from the end of the order); each step needs a "
    "new pass with the bits drawn so far"
)
def all_at_once(ref):
    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        drawn = torch.where(known, x, 0.0)
        return torch.where(known, x, (uniforms < torch.sigmoid(model(drawn))).to(x.dtype))

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` writes into `x`, which belongs to the caller", catches="in-place change")
def writes_into_x(ref):
    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        for d in model.order.tolist():
            x[:, d] = torch.where(known[:, d], x[:, d], (uniforms[:, d] < torch.sigmoid(model(x)[:, d])).to(x.dtype))
        return x

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` draws only the first example; all rows are filled with it")
def first_example_only(ref):
    def made_sample(model, x, known, uniforms):
        return ref.made_sample(model, x[:1], known[:1], uniforms[:1]).expand_as(x).clone()

    return {"made_sample": made_sample}


@mistakes.rewrite("`made_sample` feeds probabilities to the later steps instead of the bits that were drawn")
def fed_with_probabilities(ref):
    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        chances = torch.where(known, x, 0.0)
        for d in model.order.tolist():
            chances[:, d] = torch.where(known[:, d], x[:, d], torch.sigmoid(model(chances)[:, d]))
        return torch.where(known, x, (uniforms < chances).to(x.dtype))

    return {"made_sample": made_sample}

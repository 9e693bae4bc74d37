"""Named wrong versions of the answers to question 11."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- made_masks ----------------------------------------------------------------------------------------------------

mistakes.at(
    "degrees[order] = torch.arange(1, len(order) + 1, device=order.device)",
    edit("order_is_not_degree",
         "`made_masks` takes `order` itself for the degrees; `order[t]` is the dimension at step t, so its "
         "inverse is needed",
         "degrees = order + 1"),
    edit("order_ignored", "`made_masks` ignores the order and always uses 0, 1, …, D-1",
         "degrees = torch.arange(1, len(order) + 1, device=order.device)"),
    edit("degrees_from_zero",
         "in `made_masks` the degrees of inputs and outputs start at 0 instead of 1, so they do not fit those of "
         "the hidden units",
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
)

mistakes.at(
    """
    for above in hidden_degrees:
    """,
    edit("one_hidden_layer_only", "`made_masks` uses the first hidden layer only", "for above in hidden_degrees[:1]:"),
)

mistakes.at(
    "masks.append((above[:, None] >= below).float())",
    edit("strict_everywhere",
         "`made_masks` uses > for connections into hidden units; nothing leaks, but information is lost, and the "
         "last dimensions miss their neighbours",
         "masks.append((above[:, None] > below).float())"),
    edit("signs_swapped",
         "`made_masks` uses > in the hidden layers and ≥ at the output; with several layers it loses information, "
         "and rule (1) is the other way round",
         "masks.append((above[:, None] > below).float())",
         ("masks.append((degrees[:, None] > below).float())", "masks.append((degrees[:, None] >= below).float())")),
    edit("comparison_reversed",
         "`made_masks` keeps the connections that must be cut in the hidden layers: a unit may see units of "
         "*lower or equal* degree",
         "masks.append((above[:, None] <= below).float())"),
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
         "the output mask of `made_masks` uses ≥: an output then depends on its own input; it must be a strict >",
         "masks.append((degrees[:, None] >= below).float())"),
    edit("outputs_unordered",
         "`made_masks` uses the order for the inputs but not for the outputs; both have the same degrees",
         "masks.append((torch.arange(1, len(order) + 1, device=order.device)[:, None] > below).float())"),
    edit("output_sees_first_layer",
         "the output mask of `made_masks` compares with the degrees of the first hidden layer instead of the last",
         "masks.append((degrees[:, None] > (hidden_degrees[0] if hidden_degrees else degrees)).float())"),
    edit("needs_a_hidden_layer",
         "`made_masks` fails without a hidden layer: an empty `hidden_degrees` leaves a single mask, from inputs "
         "to outputs",
         "masks.append((degrees[:, None] > hidden_degrees[-1]).float())"),
)

mistakes.at(
    """
    return masks
    """,
    edit("masks_transposed",
         "the masks of `made_masks` are transposed: an `nn.Linear` weight has the shape (units of this layer, "
         "units of the layer below)",
         "return [mask.T.contiguous() for mask in masks]"),
    edit("list_extended", "`made_masks` appends to the list `hidden_degrees`, which belongs to the caller",
         """
         hidden_degrees.append(degrees)
         return masks
         """),
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
)

mistakes.at(
    'self.register_buffer("mask", mask.clone())',
    edit("plain_attribute",
         "the mask of `MaskedLinear` is a plain attribute: it stays behind when the layer moves to another device",
         "self.mask = mask.clone()"),
    edit("trained_mask", "the mask of `MaskedLinear` is a parameter, so the optimiser changes it",
         "self.mask = nn.Parameter(mask.clone())"),
    edit("frozen_mask",
         "the mask of `MaskedLinear` is among the layer's parameters, though it does not require gradients; "
         "weight and bias are the only ones, a buffer is the place for it",
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
         "`MaskedLinear` masks its weights in training mode only (or only while gradients are computed); in "
         "evaluation mode after loading weights the mask does not act",
         """
         if self.training:
             self.weight.data *= self.mask
         return F.linear(x, self.weight, self.bias)
         """),
)

mistakes.at(
    "return F.linear(x, self.weight * self.mask, self.bias)",
    edit("mask_forgotten", "`MaskedLinear` leaves connections open where its mask is 0",
         "return F.linear(x, self.weight, self.bias)"),
    edit("layer_no_bias", "`MaskedLinear.forward` lacks the bias", "return F.linear(x, self.weight * self.mask)"),
    edit("bias_masked",
         "in `MaskedLinear.forward` the bias of units without connections is cut too; an output that depends on "
         "nothing still has its bias",
         "return F.linear(x, self.weight * self.mask, self.bias * self.mask.amax(1))"),
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
         "`MADE.forward` applies ReLU to the logits as well, so that no probability is below one half",
         """
         for layer in self.layers:
             x = F.relu(layer(x))
         return x
         """),
    edit("no_relu", "`MADE.forward` has no ReLU between its layers, so the whole network is linear",
         """
         for layer in self.layers:
             x = layer(x)
         return x
         """),
    edit("returns_probabilities", "`MADE.forward` returns probabilities; it should return logits",
         """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return torch.sigmoid(self.layers[-1](x))
         """),
    edit("relu_at_the_input_only", "`MADE.forward` applies ReLU before the layers instead of after them",
         """
         for layer in self.layers[:-1]:
             x = layer(F.relu(x))
         return self.layers[-1](x)
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
)

# --- made_log_prob -------------------------------------------------------------------------------------------------

mistakes.at(
    """
    return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)
    """,
    edit("log_prob_nan_gradient",
         "the gradient of `made_log_prob` is NaN at large logits: `torch.where` also differentiates the branch "
         "that it does not take, where an exp overflows",
         """
         a = (2 * x - 1) * model(x)
         return torch.where(a > 0, -torch.log1p(torch.exp(-a)), a - torch.log1p(torch.exp(a))).sum(1)
         """),
)

mistakes.at(
    'return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)',
    edit("log_prob_sign", "`made_log_prob` returns the loss, the negative log-probability",
         'return F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)'),
    edit("log_prob_mean", "`made_log_prob` averages over the dimensions; the log-probability is their sum",
         'return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").mean(1)'),
    edit("log_prob_batch", "`made_log_prob` returns one number for the batch; it should be one per example",
         'return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum()'),
    edit("log_prob_of_one",
         "`made_log_prob` sums log P(x_d = 1) whatever x_d is; a zero contributes log(1 - P(x_d = 1))",
         "return F.logsigmoid(model(x)).sum(1)"),
    edit("log_prob_sigmoid_twice",
         "`made_log_prob` applies the sigmoid twice: a function that expects logits gets probabilities",
         'return -F.binary_cross_entropy_with_logits(torch.sigmoid(model(x)), x, reduction="none").sum(1)'),
    edit("log_prob_clamped",
         "`made_log_prob` cuts the logarithms at -100, as binary cross-entropy on probabilities does; work with "
         "the logits as they are",
         'return -F.binary_cross_entropy(torch.sigmoid(model(x)), x, reduction="none").sum(1)'),
    edit("log_prob_reordered",
         "`made_log_prob` puts x in the model's order before the comparison; column d of the logits belongs to "
         "dimension d already",
         'return -F.binary_cross_entropy_with_logits(model(x), x[:, model.order], reduction="none").sum(1)'),
)

# --- made_sample ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    x = torch.zeros_like(uniforms)
    """,
    edit("sampling_freezes",
         "after `made_sample` the parameters of the network no longer require gradients, so that it cannot be "
         "trained any more",
         """
         model.requires_grad_(False)
         x = torch.zeros_like(uniforms)
         """),
)

mistakes.at(
    "for d in model.order.tolist():",
    edit("sampling_in_index_order",
         "`made_sample` goes through the dimensions 0, 1, …, D-1 and ignores the model's order, so it uses bits "
         "before they are drawn",
         "for d in range(uniforms.shape[1]):"),
    edit("sampling_by_inverse",
         "`made_sample` goes through the inverse of the order: `order[t]` is the dimension to draw at step t",
         "for d in torch.argsort(model.order).tolist():"),
    edit("uniforms_by_step", "`made_sample` uses column t of `uniforms` at step t; column d belongs to dimension d",
         "for t, d in enumerate(model.order.tolist()):",
         ("x[:, d] = (uniforms[:, d] < p_one).to(x.dtype)", "x[:, d] = (uniforms[:, t] < p_one).to(x.dtype)")),
)

mistakes.at(
    "p_one = torch.sigmoid(model(x)[:, d])",
    edit("sampling_at_once",
         "`made_sample` draws each bit as if the earlier ones were 0 (all from one pass, or from the end of the "
         "order); each step needs a new pass with the bits drawn so far",
         "p_one = torch.sigmoid(model(torch.zeros_like(x))[:, d])"),
    edit("sampling_clamped",
         "`made_sample` keeps its probabilities away from 0 and 1, so that events occur which are much rarer",
         "p_one = torch.sigmoid(model(x)[:, d]).clamp(1e-6, 1 - 1e-6)"),
    edit("no_sigmoid", "`made_sample` compares the uniform numbers with logits; they have to be probabilities",
         "p_one = model(x)[:, d]"),
    edit("fed_with_uniforms",
         "`made_sample` feeds the uniform numbers to the network instead of the bits that were drawn",
         "p_one = torch.sigmoid(model(uniforms)[:, d])"),
)

mistakes.at(
    "x[:, d] = (uniforms[:, d] < p_one).to(x.dtype)",
    edit("uniform_above",
         "`made_sample` sets a bit to 1 if the uniform number is above p; this happens with probability 1 - p",
         "x[:, d] = (uniforms[:, d] > p_one).to(x.dtype)"),
    edit("at_most",
         "`made_sample` sets a bit to 1 also where the uniform number equals p; a uniform number of 1 must give a "
         "0 even if p is rounded to 1",
         "x[:, d] = (uniforms[:, d] <= p_one).to(x.dtype)"),
    edit("most_likely", "`made_sample` takes the more likely value of each bit and ignores the uniform numbers",
         "x[:, d] = (p_one > 0.5).to(x.dtype)"),
    edit("fed_with_probabilities", "`made_sample` feeds probabilities forward instead of the bits that were drawn",
         "x[:, d] = p_one",
         ("""
         return x
         """, "return (uniforms < x).to(x.dtype)")),
)

# --- train_made ----------------------------------------------------------------------------------------------------

mistakes.at(
    "torch.optim.Adam(",
    edit("sgd", "`train_made` uses plain SGD; Adam is asked for", "torch.optim.SGD("),
    edit("adamw", "`train_made` uses AdamW, which also shrinks the parameters; Adam is asked for",
         "torch.optim.AdamW("),
)

mistakes.at(
    "lr=learning_rate",
    edit("rate_ignored", "`train_made` ignores `learning_rate`", "lr=1e-3"),
)

mistakes.at(
    "lr=learning_rate)",
    edit("weight_decay", "`train_made` adds a weight decay; Adam with PyTorch's defaults has none",
         "lr=learning_rate, weight_decay=1e-4)"),
)

mistakes.at(
    "in data.batches(x, batch_size, generator, steps=steps):",
    edit("last_batch_dropped", "`train_made` leaves out the smaller last batch of every pass",
         "in data.batches(x, batch_size, generator, drop_last=True, steps=steps):"),
    edit("one_pass", "`train_made` makes one pass over the data and stops, whatever `steps` says",
         "in data.batches(x, batch_size, generator):"),
)

mistakes.at(
    """
    loss = -made_log_prob(model, batch).mean()
    """,
    edit("first_batch_only", "`train_made` uses the first batch in every step",
         """
         batch = first = batch if not history else first
         loss = -made_log_prob(model, batch).mean()
         """),
    edit("new_optimiser_each_step",
         "`train_made` makes a new optimiser in every step, which forgets Adam's running averages",
         """
         optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
         loss = -made_log_prob(model, batch).mean()
         """),
)

mistakes.at(
    "loss = -made_log_prob(model, batch).mean()",
    edit("ascends", "`train_made` maximises the NLL: the loss is minus the mean log-probability",
         "loss = made_log_prob(model, batch).mean()"),
    edit("divided_by_batch_size",
         "`train_made` divides the sum over a batch by `batch_size`; the last batch of a pass is smaller",
         "loss = -made_log_prob(model, batch).sum() / batch_size"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    """,
    edit("no_zero_grad", "`train_made` never clears the gradients, so they add up over the steps", ""),
)

mistakes.at(
    """
    optimiser.step()
    """,
    edit("no_step",
         "`train_made` never changes the parameters: no step is taken, or the gradients are cleared between "
         "`backward` and the step",
         ""),
    edit("clipped", "`train_made` clips the gradients; that is not asked for",
         """
         nn.utils.clip_grad_norm_(model.parameters(), 1.0)
         optimiser.step()
         """),
)

mistakes.at(
    "history.append(loss.item())",
    edit("history_per_dimension",
         "the history of `train_made` is an average over dimensions; it should be nats per example",
         "history.append(loss.item() / x.shape[1])"),
    edit("history_after_the_step",
         "the history of `train_made` holds the loss after the step; it should be measured before the parameters "
         "change",
         "history.append(-made_log_prob(model, batch).mean().item())"),
    edit("history_sum", "the history of `train_made` sums over the batch; it should be the mean over examples",
         "history.append(loss.item() * len(batch))"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("`made_masks` orders the units of the hidden layers by their degrees; they come in the given sequence")
def sorts_degrees(ref):
    return {"made_masks": lambda order, hidden: ref.made_masks(order, [degrees.sort().values for degrees in hidden])}


@mistakes.rewrite("`made_masks` makes up its own hidden degrees 1, 2, …, D-1, 1, 2, … instead of using those that are given")
def own_degrees(ref):
    def made_masks(order, hidden):
        return ref.made_masks(order, [1 + torch.arange(len(h), device=order.device) % max(len(order) - 1, 1) for h in hidden])

    return {"made_masks": made_masks}


@mistakes.rewrite("`made_log_prob` runs without gradients, so nothing can be trained")
def log_prob_detached(ref):
    return {"made_log_prob": lambda model, x: ref.made_log_prob(model, x).detach()}


@mistakes.rewrite("`made_sample` writes its samples into `uniforms`", catches="in-place change")
def writes_into_uniforms(ref):
    @torch.no_grad()
    def made_sample(model, uniforms):
        for d in model.order.tolist():
            uniforms[:, d] = (uniforms[:, d] < torch.sigmoid(model(uniforms)[:, d])).float()
        return uniforms

    return {"made_sample": made_sample}

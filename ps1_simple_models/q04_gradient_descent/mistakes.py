"""Named wrong versions of the answers to question 4."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- constrain -----------------------------------------------------------------------------------------------------

mistakes.at(
    "scales = raw.diagonal(dim1=-2, dim2=-1).exp()",
    edit("scale_without_exp",
         "The diagonal of `raw` is used as it is; it holds log-scales, and a scale must be positive",
         "scales = raw.diagonal(dim1=-2, dim2=-1)"),
    edit("softplus", "The diagonal goes through softplus; it holds log-scales, so exp is the map",
         "scales = F.softplus(raw.diagonal(dim1=-2, dim2=-1))"),
    edit("scale_read_as_logvar",
         "The diagonal is read as a log-variance (half of it is exponentiated); it holds log-scales",
         "scales = raw.diagonal(dim1=-2, dim2=-1).mul(0.5).exp()"),
    edit("jitter", "A jitter is added to the scales; it changes the density of narrow components",
         "scales = raw.diagonal(dim1=-2, dim2=-1).exp() + 1e-4"),
    edit("clamped_scales", "The log-scales are clamped: below the limit their gradient is 0 and the density is wrong",
         "scales = raw.diagonal(dim1=-2, dim2=-1).clamp(-7, 7).exp()"),
)

mistakes.at(
    "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)",
    edit("weights_not_logged", "`constrain` returns the weights; their logarithms are asked for",
         "return torch.softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("weights_unnormalised",
         "The logits are used as log-weights without normalisation; the weights do not sum to one, and the "
         "density does not integrate to one",
         "return logits, means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("softmax_twice", "The softmax is applied to probabilities, that is twice; the weights come out nearly equal",
         "return torch.log_softmax(logits.softmax(-1), dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("log_of_softmax",
         "The log-weights are log(softmax): a weight that underflows to 0 gives −∞, and its gradient NaN; use a "
         "stable log-softmax",
         "return torch.softmax(logits, dim=-1).log(), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("softmax_overflows",
         "exp(logits) overflows when the logits are large; only their differences matter, so use a stable log-softmax",
         "return logits - logits.exp().sum().log(), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("exp_of_everything",
         "All entries of `raw` go through exp; only the diagonal does, what is below may have any sign",
         "return torch.log_softmax(logits, dim=-1), means, raw.exp().tril(-1) + torch.diag_embed(scales)"),
    edit("exp_then_multiplied_by_mask",
         "exp is taken of all entries of `raw` and the others are multiplied by 0 afterwards: an entry of a few "
         "hundred overflows, and ∞ · 0 is NaN",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + raw.exp() * torch.eye(raw.shape[-1]).to(raw)"),
    edit("exp_then_where",
         "exp is taken of all entries of `raw` and the diagonal chosen afterwards: an entry of a few hundred "
         "overflows, and although it is not chosen its gradient is 0 · ∞ = NaN",
         "return torch.log_softmax(logits, dim=-1), means, torch.where(torch.eye(raw.shape[-1]).to(raw).bool(), raw.exp(), raw.tril())"),
    edit("upper_triangle_kept",
         "What is above the diagonal of `raw` is not set to zero, so the factor is not triangular",
         "return torch.log_softmax(logits, dim=-1), means, raw - torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1)) + torch.diag_embed(scales)"),
    edit("upper_for_lower", "The factors are upper triangular; below the diagonal is what counts",
         "return torch.log_softmax(logits, dim=-1), means, raw.triu(1) + torch.diag_embed(scales)"),
    edit("diagonal_only", "What is below the diagonal is dropped: the components cannot be correlated",
         "return torch.log_softmax(logits, dim=-1), means, 0 * raw + torch.diag_embed(scales)"),
    edit("diagonal_counted_twice", "The raw diagonal is left in the factor and its exp is added to it",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril() + torch.diag_embed(scales)"),
    edit("covariance_returned", "`constrain` returns covariances; the Cholesky factors are asked for",
         "L = raw.tril(-1) + torch.diag_embed(scales); return torch.log_softmax(logits, dim=-1), means, L @ L.mT"),
)

# --- gmm_nll -------------------------------------------------------------------------------------------------------

mistakes.at(
    "y = torch.linalg.solve_triangular(factors, centred, upper=False)",
    edit("solve_with_transpose",
         "The triangular solve uses Lᵀ; the squared length of L⁻ᵀ(x − μ) is not the Mahalanobis distance",
         "y = torch.linalg.solve_triangular(factors.mT, centred, upper=True)"),
    edit("multiplied_by_factor", "x − μ is multiplied by L instead of solved with it", "y = factors @ centred"),
    edit("factored_again",
         "L Lᵀ is formed and factored again: that squares the condition number, and thin components become "
         "singular or inexact in float32",
         "y = torch.linalg.solve_triangular(torch.linalg.cholesky_ex(factors @ factors.mT)[0], centred, upper=False)"),
    edit("covariance_inverted",
         "L Lᵀ is formed and inverted: that squares the condition number, and thin components become singular or "
         "inexact in float32",
         "y = (centred * (torch.linalg.inv_ex(factors @ factors.mT)[0] @ centred)).clamp_min(-1e30)",
         ("-0.5 * y.square().sum(1).T", "-0.5 * y.sum(1).T")),
)

mistakes.at(
    " - log_scales.sum(-1)",
    edit("log_det_missing", "The log-determinant is missing: a scale costs nothing, so the best scale is infinite", ""),
    edit("log_det_sign", "The log-determinant has the wrong sign; a narrow Gaussian is a high one",
         " + log_scales.sum(-1)"),
    edit("log_det_halved", "The sum of the log-scales is halved; it is already half of log det Σ",
         " - 0.5 * log_scales.sum(-1)"),
    edit("log_det_doubled", "The sum of the log-scales is doubled; half of log det Σ is needed",
         " - 2 * log_scales.sum(-1)"),
)

mistakes.at(
    " - 0.5 * x.shape[1] * math.log(2 * math.pi)",
    edit("no_log_2pi", "The density lacks its constant, (D/2) log 2π", ""),
    edit("log_2pi_once", "The constant ½ log 2π is counted once instead of once per dimension",
         " - 0.5 * math.log(2 * math.pi)"),
)

mistakes.at(
    """
    return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()
    """,
    edit("where_after_log",
         "Where the sum of the densities underflows another formula is chosen by `where`: the loss is right, but "
         "the branch that is not chosen makes the gradient NaN",
         """
         log_joint = log_weights + log_prob
         total = log_joint.exp().sum(-1)
         return -torch.where(total > 1e-30, total.log(), log_joint.logsumexp(-1)).mean()
         """),
)

mistakes.at(
    "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()",
    edit("sum_for_mean",
         "The loss is the sum over the examples; with the mean, loss and learning rate do not depend on the batch size",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).sum()"),
    edit("loss_sign", "The loss is the log-likelihood; minimising it makes the data less likely",
         "return torch.logsumexp(log_weights + log_prob, dim=-1).mean()"),
    edit("loss_per_dimension", "The loss is also divided by the number of dimensions; nats per example are asked for",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean() / x.shape[1]"),
    edit("one_value_an_example", "The loss is not averaged: it is one value per example",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1)"),
    edit("log_of_underflowed_sum",
         "The densities are added and then the logarithm is taken: far from all components they underflow and the "
         "loss is infinite",
         "return -(log_weights + log_prob).exp().sum(-1).log().mean()"),
    edit("epsilon_in_log",
         "A small constant inside the logarithm hides the underflow: far from all components the loss is flat and "
         "has no gradient",
         "return -((log_weights + log_prob).exp().sum(-1) + 1e-30).log().mean()"),
)

# --- sgd_step ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    with torch.no_grad():
        grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
    """,
    edit("graph_kept",
         "The step is recorded by autograd: the new parameters require gradients and drag the graph of all steps along",
         """
         if True:
             grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
         """),
)

mistakes.at(
    "grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]",
    edit("decay_ignored", "The weight decay is not used", "grads = list(grads)"),
    edit("decay_sign", "The weight decay has the wrong sign: parameters grow",
         "grads = [g - weight_decay * p for p, g in zip(params, grads, strict=True)]"),
    edit("decay_doubled", "The weight decay is doubled: λθ is the gradient of (λ/2)θ²",
         "grads = [g + 2 * weight_decay * p for p, g in zip(params, grads, strict=True)]"),
    edit("decay_decoupled",
         "The weight decay acts on the parameters directly, as in AdamW; in SGD it is part of the gradient and "
         "enters the velocity",
         "grads = list(grads)",
         ("new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))", "new_params = tuple(p - lr * v - lr * weight_decay * p for p, v in zip(params, new_velocity, strict=True))")),
    edit("velocity_is_gradient",
         "Without momentum and decay the new velocity is the gradient itself, not a new tensor: who changes one "
         "later changes the other",
         "grads = [g + weight_decay * p if weight_decay else g for p, g in zip(params, grads, strict=True)]",
         ("new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True))", "new_velocity = tuple(momentum * v + g if momentum else g for v, g in zip(velocity, grads, strict=True))")),
)

mistakes.at(
    "new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True))",
    edit("momentum_ignored", "The velocity is just the gradient: momentum is not used",
         "new_velocity = tuple(0 * v + g for v, g in zip(velocity, grads, strict=True))"),
    edit("dampened", "The velocity is a moving average, βv + (1 − β)g; torch.optim.SGD adds the whole gradient",
         "new_velocity = tuple(momentum * v + (1 - momentum) * g for v, g in zip(velocity, grads, strict=True))"),
    edit("lr_in_velocity",
         "The learning rate is inside the velocity; it multiplies the velocity in the update, which differs as "
         "soon as it changes",
         "new_velocity = tuple(momentum * v + lr * g for v, g in zip(velocity, grads, strict=True))",
         ("new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))", "new_params = tuple(p - v for p, v in zip(params, new_velocity, strict=True))")),
)

mistakes.at(
    "new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))",
    edit("nesterov", "The update looks ahead (Nesterov); plain momentum is asked for",
         "new_params = tuple(p - lr * (g + momentum * v) for p, g, v in zip(params, grads, new_velocity, strict=True))"),
    edit("old_velocity", "The update uses the velocity of the step before; update the velocity first",
         "new_params = tuple(p - lr * v for p, v in zip(params, velocity, strict=True))"),
    edit("gradient_ascent", "The step goes up the gradient; the loss is to fall",
         "new_params = tuple(p + lr * v for p, v in zip(params, new_velocity, strict=True))"),
    edit("in_place", "The step changes its arguments in place; it must return new tensors",
         "new_params = tuple(p.sub_(lr * v) for p, v in zip(params, new_velocity, strict=True))"),
)

# --- train_gmm_sgd -------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for batch in data.batches(x, batch_size, generator, steps=steps):
    """,
    edit("same_order_each_pass", "Every pass uses the same permutation; each draws a new one",
         """
         order = torch.randperm(len(x), generator=generator, device=generator.device)
         for batch in data.batches(x[order], batch_size, None, steps=steps):
         """),
    edit("new_order_each_step",
         "Every step draws a permutation and takes its first slice; a permutation serves for a whole pass, so "
         "that every example is used",
         """
         for _ in range(steps):
             batch = x[torch.randperm(len(x), generator=generator, device=generator.device)[:batch_size]]
         """),
    edit("with_replacement", "The minibatches are drawn with replacement; they are slices of a permutation",
         """
         for _ in range(steps):
             batch = x[torch.randint(len(x), (batch_size,), generator=generator, device=generator.device)]
         """),
)

mistakes.at(
    "for batch in data.batches(x, batch_size, generator, steps=steps):",
    edit("all_data", "Every step uses all data; one minibatch is asked for", "for batch in [x] * steps:"),
    edit("not_shuffled",
         "The minibatches are slices in the given order; each pass needs a permutation from the generator",
         "for batch in data.batches(x, batch_size, None, steps=steps):"),
    edit("last_batch_dropped", "The last, smaller minibatch of each pass is dropped; it is to be used",
         "for batch in data.batches(x, batch_size, generator, steps=steps, drop_last=True):"),
    edit("steps_as_passes", "`steps` is taken as the number of passes over the data; it is the number of updates",
         "for batch in data.batches(x, batch_size, generator, steps=steps * -(-len(x) // batch_size)):"),
    edit("one_pass_only", "Training ends after one pass over the data, whatever `steps` is",
         "for batch in data.batches(x, batch_size, generator, steps=min(steps, -(-len(x) // batch_size))):"),
)

mistakes.at(
    "leaves = tuple(p.detach().requires_grad_() for p in params)",
    edit("start_marked",
         "The training loop makes the parameters that come in require gradients; it must not change them, so "
         "detach first",
         "leaves = tuple(p.requires_grad_() for p in params)"),
)

mistakes.at(
    "grads = torch.autograd.grad(loss, leaves)",
    edit("trains_on_the_sum", "The gradient is that of the summed loss, so the step grows with the batch",
         "grads = torch.autograd.grad(loss * len(batch), leaves)"),
)

mistakes.at(
    "params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)",
    edit("velocity_forgotten",
         "No momentum builds up in the training loop: it starts every step from velocity zero, or does not pass "
         "`momentum` on",
         "params, _ = sgd_step(leaves, grads, velocity, lr, momentum)"),
    edit("never_updates",
         "The parameters that come back are those that went in: the result of `sgd_step` is not used",
         "_, velocity = sgd_step(leaves, grads, velocity, lr, momentum)"),
)

mistakes.at(
    "history.append(loss.detach())",
    edit("history_after_update", "The history holds the loss after each update; the loss before it is asked for",
         "history.append(gmm_nll(params, batch))"),
    edit("history_on_all_data",
         "The history holds the loss on all data; the loss of the step's minibatch is asked for",
         "history.append(gmm_nll(leaves, x).detach())"),
)

mistakes.at(
    "return params, torch.stack(history)",
    edit("constrained_returned",
         "The training loop returns constrained parameters; the unconstrained ones are asked for",
         "return constrain(params), torch.stack(history)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("The velocity is kept in a global variable, so two optimisers share it; everything a step needs comes in as an argument")
def shared_state(ref):
    memory = {}

    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            old = memory.get((i, p.shape), torch.zeros_like(g))
            memory[i, p.shape] = momentum * old + g + weight_decay * p.detach()
            new.append(p.detach() - lr * memory[i, p.shape])
        return tuple(new), tuple(memory[i, p.shape].clone() for i, p in enumerate(params))

    return {"sgd_step": sgd_step}

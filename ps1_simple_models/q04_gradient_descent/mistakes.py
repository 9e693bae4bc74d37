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
    edit("tiny_jitter", "A tiny constant (1e-6) is added to the scales; components that are narrower than it get another density",
         "scales = raw.diagonal(dim1=-2, dim2=-1).exp() + 1e-6"),
    edit("scale_read_as_half", "The scales are squared: the diagonal is exponentiated twice over (exp(2s)); it holds log-scales, not half of a log-scale",
         "scales = raw.diagonal(dim1=-2, dim2=-1).mul(2).exp()"),
    edit("absolute_scales", "The diagonal goes through abs; it holds log-scales, so exp is the map",
         "scales = raw.diagonal(dim1=-2, dim2=-1).abs()"),
    edit("floored_scales", "The scales are kept above a smallest value: below it their gradient is 0 and the density is wrong",
         "scales = raw.diagonal(dim1=-2, dim2=-1).exp().clamp_min(1e-3)"),
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
    edit("logits_clamped", "The logits are clamped; far apart or far from 0 the weights are wrong, and have no gradient",
         "return torch.log_softmax(logits.clamp(-50, 50), dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)"),
    *(
        edit(f"weights_kept_positive_{power}", f"A small constant (1e-{power}) is added to the weights before the logarithm: tiny weights are wrong, and have no gradient",
             f"return (torch.softmax(logits, dim=-1) + 1e-{power}).log(), means, raw.tril(-1) + torch.diag_embed(scales)")
        for power in (8, 10)
    ),
    edit("rows_scaled", "The scales multiply whole rows of the factor (L = S·B with ones on B's diagonal); in (4.1) what is below the diagonal stays as it is",
         "return torch.log_softmax(logits, dim=-1), means, scales[..., None] * raw.tril(-1) + torch.diag_embed(scales)"),
    edit("logits_only_shifted",
         "The largest logit is subtracted, but the weights are not normalised: log-softmax subtracts the log of the sum of exponentials",
         "return logits - logits.max(), means, raw.tril(-1) + torch.diag_embed(scales)"),
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
    edit("factor_transposed", "The factors are transposed, upper triangular; L is lower triangular",
         "return torch.log_softmax(logits, dim=-1), means, (raw.tril(-1) + torch.diag_embed(scales)).mT"),
    edit("one_entry_below",
         "Only entry (2, 1) is taken from below the diagonal; from three dimensions on there are more",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) * (torch.arange(raw.shape[-1])[:, None] < 2).to(raw) + torch.diag_embed(scales)"),
    edit("upper_for_lower", "The factors are upper triangular; below the diagonal is what counts",
         "return torch.log_softmax(logits, dim=-1), means, raw.triu(1) + torch.diag_embed(scales)"),
    edit("diagonal_only", "What is below the diagonal is dropped: the components cannot be correlated",
         "return torch.log_softmax(logits, dim=-1), means, 0 * raw + torch.diag_embed(scales)"),
    edit("diagonal_counted_twice", "The raw diagonal is left in the factor and its exp is added to it",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril() + torch.diag_embed(scales)"),
    edit("logits_detached",
         "`constrain` cuts the logits off from autograd (`.detach()`, `.data`, `.item()` or `no_grad`), so the weights are never trained",
         "return torch.log_softmax(logits.detach(), dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("means_detached",
         "`constrain` cuts the means off from autograd (`.detach()`, `.data`, or a new tensor of their values), so they are never trained",
         "return torch.log_softmax(logits, dim=-1), means.detach(), raw.tril(-1) + torch.diag_embed(scales)"),
    edit("raw_detached",
         "`constrain` cuts `raw` off from autograd (`.detach()`, `.data`, or filling in a new tensor under `no_grad`), so the covariances are never trained",
         "raw = raw.detach(); return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1).exp())"),
    edit("log_scales_detached",
         "The diagonal is filled in under `no_grad` (or through `.data`): the log-scales have no gradient, so the scales are never trained",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales.detach())"),
    edit("squeezed", "Axes of length 1 are dropped (`squeeze`): one component, or one dimension, loses an axis",
         "return torch.log_softmax(logits, dim=-1), means.squeeze(), (raw.tril(-1) + torch.diag_embed(scales)).squeeze()"),
    edit("everything_detached",
         "`constrain` cuts all parameters off from autograd (`.detach()`, `.data` or `no_grad`): there is nothing left to train",
         "return torch.log_softmax(logits.detach(), dim=-1), means.detach(), (raw.tril(-1) + torch.diag_embed(scales)).detach()"),
    edit("means_centred", "The means are changed (centred); they are free already and come back as they are",
         "return torch.log_softmax(logits, dim=-1), means - means.mean(0), raw.tril(-1) + torch.diag_embed(scales)"),
    edit("float32_parameters", "`constrain` returns float32 whatever comes in; float64 parameters lose their digits",
         "return torch.log_softmax(logits, dim=-1).float(), means.float(), (raw.tril(-1) + torch.diag_embed(scales)).float()"),
    edit("diagonal_of_ones", "The diagonal of the factor is 1: the log-scales are not used",
         "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(torch.ones_like(scales))"),
    edit("logs_in_bits", "The log-weights are in bits (log2); natural logs are asked for",
         "return torch.log_softmax(logits, dim=-1) / math.log(2), means, raw.tril(-1) + torch.diag_embed(scales)"),
    edit("covariance_returned", "`constrain` returns covariances; the Cholesky factors are asked for",
         "L = raw.tril(-1) + torch.diag_embed(scales); return torch.log_softmax(logits, dim=-1), means, L @ L.mT"),
)

# --- gmm_nll -------------------------------------------------------------------------------------------------------

mistakes.at(
    "y = torch.linalg.solve_triangular(factors, centred, upper=False)",
    edit("solve_with_transpose",
         "The triangular solve uses Lᵀ; the squared length of L⁻ᵀ(x − μ) is not the Mahalanobis distance",
         "y = torch.linalg.solve_triangular(factors.mT, centred, upper=True)"),
    edit("diagonal_in_the_solve", "x − μ is divided by the scales alone; what is below the diagonal of L counts, too",
         "y = centred / factors.diagonal(dim1=-2, dim2=-1)[..., None]"),
    edit("multiplied_by_factor", "x − μ is multiplied by L instead of solved with it", "y = factors @ centred"),
    *(
        edit(name,
             "L Lᵀ is formed, and factored again or inverted: that squares the condition number, and thin components become "
             "singular or inexact in float32",
             new, *more)
        for name, new, *more in (
            ("factored_again", "y = torch.linalg.solve_triangular(torch.linalg.cholesky_ex(factors @ factors.mT)[0], centred, upper=False)"),
            ("covariance_factored", "factors = torch.linalg.cholesky(factors @ factors.mT); y = torch.linalg.solve_triangular(factors, centred, upper=False); log_scales = factors.diagonal(dim1=-2, dim2=-1).log()"),
            ("covariance_inverted", "y = (torch.linalg.inv(factors @ factors.mT) @ centred * centred).clamp_min(0).sqrt()"),
            ("covariance_to_question_3", "return -gmm_log_prob(x, log_weights, means, factors @ factors.mT).mean()"),
            ("covariance_to_a_library", "y = centred; parts = torch.distributions.MultivariateNormal(means, factors @ factors.mT)",
             ("log_prob = -0.5 * y.square().sum(1).T - log_scales.sum(-1) - 0.5 * x.shape[1] * math.log(2 * math.pi)", "log_prob = parts.log_prob(x[:, None])")),
        )
    ),
    *(
        edit(f"covariance_with_jitter_{power}",
             f"A small constant (1e-{power}) is added to the diagonal of L Lᵀ; components that are narrower than its root get another density",
             f"factors = torch.linalg.cholesky(factors @ factors.mT + 1e-{power} * torch.eye(x.shape[1]).to(x)); y = torch.linalg.solve_triangular(factors, centred, upper=False); log_scales = factors.diagonal(dim1=-2, dim2=-1).log()")
        for power in (6, 8)
    ),
)

mistakes.at(
    "-0.5 * y.square().sum(1).T",
    edit("half_missing", "The squared distance lacks its factor ½", "-y.square().sum(1).T"),
    edit("distance_not_squared", "The distance ‖y‖ is not squared", "-0.5 * y.square().sum(1).sqrt().T"),
    edit("distance_sign", "The squared distance has the wrong sign: the density grows away from the mean", "0.5 * y.square().sum(1).T"),
    edit("distance_averaged", "The squares are averaged over the dimensions; the squared distance is their sum",
         "-0.5 * y.square().mean(1).T"),
)

mistakes.at(
    " - log_scales.sum(-1)",
    edit("log_det_missing", "The log-determinant is missing: a scale costs nothing, so the best scale is infinite", ""),
    edit("log_det_sign", "The log-determinant has the wrong sign; a narrow Gaussian is a high one",
         " + log_scales.sum(-1)"),
    edit("log_det_halved", "The sum of the log-scales is halved; it is already half of log det Σ",
         " - 0.5 * log_scales.sum(-1)"),
    edit("scales_for_log_scales", "The scales are added up instead of their logarithms; log det is a sum of logs",
         " - log_scales.exp().sum(-1)"),
    edit("log_det_averaged", "The log-scales are averaged over the dimensions; the log-determinant is their sum",
         " - log_scales.mean(-1)"),
    edit("one_log_det_for_all", "The log-scales of all components are added up; each component has its own log-determinant",
         " - log_scales.sum()"),
    edit("log_det_of_variances", "The log-determinant is that of the diagonal of L Lᵀ alone, as if there were no correlations; L's own diagonal gives it",
         " - 0.5 * (factors @ factors.mT).diagonal(dim1=-2, dim2=-1).log().sum(-1)"),
    edit("determinant_underflows",
         "The scales are multiplied (a determinant) before the logarithm: the product of several tiny scales underflows, that of huge ones "
         "overflows; add their logarithms",
         " - factors.diagonal(dim1=-2, dim2=-1).prod(-1).log()"),
    edit("log_det_doubled", "The sum of the log-scales is doubled; half of log det Σ is needed",
         " - 2 * log_scales.sum(-1)"),
)

mistakes.at(
    " - 0.5 * x.shape[1] * math.log(2 * math.pi)",
    edit("no_log_2pi", "The density lacks its constant, (D/2) log 2π", ""),
    edit("log_2pi_doubled", "The constant is D log 2π; the density has half of it", " - x.shape[1] * math.log(2 * math.pi)"),
    edit("log_2pi_sign", "The constant (D/2) log 2π has the wrong sign", " + 0.5 * x.shape[1] * math.log(2 * math.pi)"),
    edit("components_for_dimensions", "The constant ½ log 2π is counted once per component (K); it counts once per dimension (D)",
         " - 0.5 * len(means) * math.log(2 * math.pi)"),
    edit("log_pi", "The constant has log π; the density has log 2π", " - 0.5 * x.shape[1] * math.log(math.pi)"),
    edit("log_2pi_for_two_dimensions", "The constant is log 2π, which is (D/2) log 2π for two dimensions only", " - math.log(2 * math.pi)"),
    edit("examples_for_dimensions", "The constant ½ log 2π is counted once per example; it counts once per dimension (D)",
         " - 0.5 * len(x) * math.log(2 * math.pi)"),
    edit("log_2pi_once", "The constant ½ log 2π is counted once instead of once per dimension",
         " - 0.5 * math.log(2 * math.pi)"),
)

mistakes.at(
    "log_scales = params[2].diagonal(dim1=-2, dim2=-1)",
    edit("weights_detached_in_loss", "`gmm_nll` cuts the log-weights off from autograd, so the weights are never trained",
         "log_weights, log_scales = log_weights.detach(), params[2].diagonal(dim1=-2, dim2=-1)"),
    edit("means_detached_in_loss", "`gmm_nll` cuts the means off from autograd, so they are never trained",
         "means, log_scales = means.detach(), params[2].diagonal(dim1=-2, dim2=-1)"),
    edit("log_scales_detached_in_loss", "`gmm_nll` cuts the log-determinant off from autograd: the value is right, the gradient by the log-scales is not",
         "log_scales = params[2].diagonal(dim1=-2, dim2=-1).detach()"),
    edit("factors_detached_in_loss", "`gmm_nll` cuts the factors in the solve off from autograd: the value is right, the gradient by `raw` is not",
         "factors, log_scales = factors.detach(), params[2].diagonal(dim1=-2, dim2=-1)"),
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
    edit("weights_forgotten", "The log-weights are not used: every component counts fully, and the density does not integrate to one",
         "return -torch.logsumexp(log_prob, dim=-1).mean()"),
    edit("weights_equal", "The components are averaged with equal weights; the logits are not used",
         "return -(torch.logsumexp(log_prob, dim=-1) - math.log(len(means))).mean()"),
    edit("weights_in_logspace", "The log-densities are multiplied by the weights; weights multiply densities, so their logs are added",
         "return -torch.logsumexp(log_weights.exp() * log_prob, dim=-1).mean()"),
    edit("components_averaged", "The density is also divided by the number of components; the weights sum to one already",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean() + math.log(len(means))"),
    edit("sum_over_examples", "The log-sum-exp runs over the examples; it runs over the components, for each example",
         "return -torch.logsumexp(log_weights + log_prob, dim=0).mean()"),
    edit("average_under_posterior", "The log-joints are averaged under the responsibilities, which is EM's bound without its entropy; the log-density is their log-sum-exp",
         "log_joint = log_weights + log_prob; return -(log_joint.softmax(-1) * log_joint).sum(-1).mean()"),
    edit("log_joint_clamped", "The log-densities of the components are clamped from below: far from all of them the loss is flat and has no gradient",
         "return -torch.logsumexp(log_weights + log_prob.clamp_min(-1e4), dim=-1).mean()"),
    edit("best_component", "Only the best component counts (max); the densities of all are added",
         "return -(log_weights + log_prob).amax(dim=-1).mean()"),
    edit("sum_of_logs", "The log-densities are averaged with the weights; the log is taken of the average density, not before",
         "return -(log_weights.exp() * log_prob).sum(-1).mean()"),
    edit("logits_for_log_weights", "The loss adds the logits instead of the normalised log-weights: a shift of all logits changes it",
         "return -torch.logsumexp(params[0] + log_prob, dim=-1).mean()"),
    edit("sum_over_the_batch_too", "The log-sum-exp runs over the examples, too; each example has a log-density of its own, and these are averaged",
         "return -torch.logsumexp((log_weights + log_prob).flatten(), dim=0) + math.log(len(x))"),
    edit("underflow_replaced", "Where the densities underflow, the infinite log is replaced by a fixed number: the loss is wrong there and has no gradient",
         "return -(log_weights + log_prob).exp().sum(-1).log().nan_to_num(neginf=-100.0).mean()"),
    edit("one_example_less", "The sum over the examples is divided by their number minus 1; the mean divides by all",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).sum() / max(1, len(x) - 1)"),
    edit("penalised", "A penalty on the parameters is added to the loss; it is the mean negative log-likelihood alone",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean() + 1e-3 * sum(p.square().sum() for p in params)"),
    edit("loss_in_bits", "The loss is in bits; nats are asked for",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean() / math.log(2)"),
    edit("loss_not_differentiable", "The loss is cut off from autograd (`.item()`, `.detach()`, `.data` or `no_grad`): it has no gradient",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean().detach()"),
    edit("loss_in_float32", "The loss is computed in float32 whatever comes in; far from 0 float32 has too few digits",
         "return gmm_nll([p.float() for p in params], x.float()).to(x.dtype) if x.dtype != torch.float32 else -torch.logsumexp(log_weights + log_prob, dim=-1).mean()"),
    edit("median_for_mean", "The loss is the median over the examples; the mean is asked for",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).median()"),
    edit("loss_clamped", "The log-density is clamped from below: far from all components the loss is flat and has no gradient",
         "return -torch.logsumexp(log_weights + log_prob, dim=-1).clamp_min(-1e3).mean()"),
    edit("maximum_lost", "The maximum is subtracted before exp and never added back",
         "log_joint = log_weights + log_prob; return -(log_joint - log_joint.amax(-1, keepdim=True)).exp().sum(-1).log().mean()"),
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
    edit("decay_on_matrices_only", "The weight decay leaves out parameters with one axis; (4.3) has it for every parameter",
         "grads = [g + weight_decay * p if p.dim() > 1 else g + 0 * p for p, g in zip(params, grads, strict=True)]"),
    edit("decay_times_lr", "The weight decay is multiplied by the learning rate before it enters the gradient: η appears twice",
         "grads = [g + lr * weight_decay * p for p, g in zip(params, grads, strict=True)]"),
    edit("decay_of_the_sign", "The weight decay adds λ times the sign of θ (L1); (4.3) adds λθ",
         "grads = [g + weight_decay * p.sign() for p, g in zip(params, grads, strict=True)]"),
    edit("decay_shrinks_the_gradient", "The weight decay multiplies the gradient; it adds λθ to it",
         "grads = [(1 - weight_decay) * g for g in grads]"),
    *(
        edit(f"gradient_clipped_{limit}", "The gradient is clipped or normalised, which (4.3) does not do: large gradients make shorter steps",
             f"grads = [g + weight_decay * p for p, g in zip(params, (g.clamp(-{limit}, {limit}) for g in grads), strict=True)]")
        for limit in (1, 5, 10)
    ),
    edit("gradient_norm_clipped", "The norm of the gradients is limited, which (4.3) does not do: large gradients make shorter steps",
         "norm = torch.stack([g.norm() for g in grads]).norm().clamp_min(1); grads = [g / norm.to(g) + weight_decay * p for p, g in zip(params, grads, strict=True)]"),
    edit("three_at_most", "The step is written for three parameters; it must work for any number of them",
         "grads = [grads[i] + weight_decay * params[i] for i in range(3)]; params, velocity = params[:3], velocity[:3]"),
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
    "return new_params, new_velocity",
    edit("results_exchanged", "The velocity comes back first; (new_params, new_velocity) is asked for", "return new_velocity, new_params"),
    edit("zero_gradient_skipped", "A parameter whose gradient is 0 is left out; its velocity, and the weight decay, move it all the same",
         "stays = [not g.any() for g in given]; return tuple(p.clone() if s else n for s, p, n in zip(stays, params, new_params)), tuple(v.clone() if s else n for s, v, n in zip(stays, velocity, new_velocity))",
         ("""
          with torch.no_grad():
              grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
          """, """
          given = grads
          with torch.no_grad():
              grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
          """)),
)

mistakes.at(
    "new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True))",
    edit("velocity_sign", "The velocity has the opposite sign, βv − g; then the update adds it, but (4.3) adds the gradient and subtracts the velocity",
         "new_velocity = tuple(momentum * v - g for v, g in zip(velocity, grads, strict=True))",
         ("new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))", "new_params = tuple(p + lr * v for p, v in zip(params, new_velocity, strict=True))")),
    edit("keras_velocity", "The velocity is βv − ηg, with the learning rate and the minus sign inside; in (4.3) both belong to the update",
         "new_velocity = tuple(momentum * v - lr * g for v, g in zip(velocity, grads, strict=True))",
         ("new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))", "new_params = tuple(p + v for p, v in zip(params, new_velocity, strict=True))")),
    edit("first_step_dampened", "A velocity of zero is taken for a first step only if momentum is 0; otherwise the gradient is weighted by 1 − β, which (4.3) does not do",
         "new_velocity = tuple(momentum * v + (g if bool((v == 0).all()) else (1 - momentum) * g) for v, g in zip(velocity, grads, strict=True))"),
    edit("momentum_on_gradient", "β multiplies the sum of velocity and gradient; only the old velocity fades",
         "new_velocity = tuple(momentum * (v + g) if momentum else g for v, g in zip(velocity, grads, strict=True))"),
    edit("velocity_only_with_momentum", "Without momentum the velocity that comes back is the old one; (4.3) makes it the gradient",
         "new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True)) if momentum else tuple(v.clone() for v in velocity)",
         ("new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))", "new_params = tuple(p - lr * v for p, v in zip(params, new_velocity if momentum else grads, strict=True))")),
    edit("velocity_in_place", "The velocities that come in are changed in place; the step must return new tensors",
         "new_velocity = tuple(v.mul_(momentum).add_(g) for v, g in zip(velocity, grads, strict=True))"),
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
    edit("old_velocity_returned", "The velocity that comes back is the one that went in, so no momentum builds up over the steps",
         "new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True)); new_velocity = tuple(v.clone() for v in velocity)"),
    edit("decay_after_the_step", "The parameters are multiplied by 1 − λ after the step; λθ belongs to the gradient",
         "new_params = tuple((p - lr * v) * (1 - weight_decay) for p, v in zip(params, new_velocity, strict=True))",
         ("grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]", "grads = list(grads)")),
    edit("first_parameter_only", "Only the first parameter is updated, as when `return` stands inside the loop or only params[0] is used",
         "new_params = (params[0] - lr * new_velocity[0], *(p.clone() for p in params[1:]))"),
    edit("marked_again", "The new parameters are made to require gradients; the results of a step must not",
         "new_params = tuple((p - lr * v).requires_grad_() for p, v in zip(params, new_velocity, strict=True))"),
    edit("lr_scaled", "The step is also divided by 1/(1 − β), that is multiplied by 1 − β; (4.3) lets momentum amplify",
         "new_params = tuple(p - lr * (1 - momentum) * v for p, v in zip(params, new_velocity, strict=True))"),
    edit("gradient_for_velocity", "The update uses the gradient; momentum acts only if it uses the velocity",
         "new_params = tuple(p - lr * g for p, g in zip(params, grads, strict=True))"),
    edit("lr_ignored", "The learning rate is not used",
         "new_params = tuple(p - v for p, v in zip(params, new_velocity, strict=True))"),
    edit("float32_step", "The results are float32 whatever comes in; float64 parameters lose their digits",
         "new_params = tuple((p - lr * v).float() for p, v in zip(params, new_velocity, strict=True)); new_velocity = tuple(v.float() for v in new_velocity)"),
    edit("nesterov", "The update looks ahead (Nesterov); plain momentum is asked for",
         "new_params = tuple(p - lr * (g + momentum * v) for p, g, v in zip(params, grads, new_velocity, strict=True))"),
    edit("old_velocity", "The update uses the velocity of the step before; update the velocity first",
         "new_params = tuple(p - lr * v for p, v in zip(params, velocity, strict=True))"),
    edit("gradient_ascent", "The step goes up the gradient; the loss is to fall",
         "new_params = tuple(p + lr * v for p, v in zip(params, new_velocity, strict=True))"),
    edit("in_place", "The step changes its arguments in place; it must return new tensors",
         "new_params = tuple(p.sub_(lr * v) for p, v in zip(params, new_velocity, strict=True))"),
)


# --- train ---------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for batch in data.batches(x, batch_size, generator, steps=steps):
    """,
    edit("same_order_each_pass", "Every pass uses the same permutation; each draws a new one",
         """
         order = torch.randperm(len(x), generator=generator, device=generator.device)
         for batch in data.batches(x[order], batch_size, None, steps=steps):
         """),
    edit("shuffled_once", "Only the first pass is shuffled, the others come in the given order; each draws a new permutation",
         """
         def batches():
             yield from x[torch.randperm(len(x), generator=generator, device=generator.device)].split(batch_size)
             while True:
                 yield from x.split(batch_size)
         for _, batch in zip(range(steps), batches()):
         """),
    edit("order_applied_again",
         "Each pass shuffles what the pass before has shuffled already; its permutation applies to x as it came",
         """
         def batches(x):
             while True:
                 x = x[torch.randperm(len(x), generator=generator, device=generator.device)]
                 yield from x.split(batch_size)
         for _, batch in zip(range(steps), batches(x)):
         """),
    edit("generator_reset_each_pass",
         "The generator is set back to its seed before every pass, so all passes have the same order",
         """
         def batches():
             while True:
                 generator.manual_seed(generator.initial_seed())
                 yield from x[torch.randperm(len(x), generator=generator, device=generator.device)].split(batch_size)
         for _, batch in zip(range(steps), batches()):
         """),
    edit("generator_reset",
         "The generator is set back to its seed at the start, so two runs in a row see the same batches",
         """
         generator.manual_seed(generator.initial_seed())
         for batch in data.batches(x, batch_size, generator, steps=steps):
         """),
    edit("generator_of_its_own",
         "The order comes from a generator that is seeded inside the function, not from the one that is passed in",
         """
         generator = torch.Generator(generator.device).manual_seed(0)
         for batch in data.batches(x, batch_size, generator, steps=steps):
         """),
    edit("batches_across_passes",
         "A batch that the end of a pass cuts short is filled up from the next pass; the last batch of a pass is to be smaller",
         """
         def batches():
             queue = x[:0]
             while True:
                 while len(queue) < min(batch_size, len(x)):
                     queue = torch.cat([queue, x[torch.randperm(len(x), generator=generator, device=generator.device)]])
                 yield queue[: min(batch_size, len(x))]
                 queue = queue[min(batch_size, len(x)):]
         for _, batch in zip(range(steps), batches()):
         """),
    edit("last_batch_overlaps",
         "The last batch of a pass is filled up with examples that the pass has used already; it is to be smaller",
         """
         def batches():
             while True:
                 order = torch.randperm(len(x), generator=generator, device=generator.device)
                 for i in range(0, len(x), batch_size):
                     yield x[order[max(0, min(i, len(x) - batch_size)):][:batch_size]]
         for _, batch in zip(range(steps), batches()):
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
    edit("first_batch_only", "Every step takes the same minibatch; each takes the next slice",
         """
         batch = x[torch.randperm(len(x), generator=generator, device=generator.device)[:batch_size]]
         for _ in range(steps):
         """),
)

mistakes.at(
    "for batch in data.batches(x, batch_size, generator, steps=steps):",
    edit("all_data", "Every step uses the loss on all data; that of one minibatch is asked for", "for batch in [x] * steps:"),
    edit("not_shuffled",
         "The minibatches are slices in the given order; each pass needs a permutation from the generator",
         "for batch in data.batches(x, batch_size, None, steps=steps):"),
    edit("last_batch_dropped", "The last, smaller minibatch of each pass is dropped; it is to be used",
         "for batch in data.batches(x, min(batch_size, len(x)), generator, steps=steps, drop_last=True):"),
    edit("last_batch_dropped_always",
         "A pass keeps only full minibatches; the last, smaller one is to be used, also where it is the only one",
         "for batch in data.batches(x, batch_size, generator, steps=steps, drop_last=True):"),
    edit("steps_as_passes", "`steps` is taken as the number of passes over the data; it is the number of updates",
         "for batch in data.batches(x, batch_size, generator, steps=steps * -(-len(x) // batch_size)):"),
    edit("generator_ignored", "The order comes from torch's global generator, not from the one that is passed in",
         "for batch in data.batches(x, batch_size, torch.default_generator, steps=steps):"),
    edit("extra_draw", "Something else is drawn from the generator before the first permutation, so the batches are others",
         "torch.rand(1, generator=generator, device=generator.device)\n    for batch in data.batches(x, batch_size, generator, steps=steps):"),
    edit("one_pass_only", "Training ends after one pass over the data, whatever `steps` is",
         "for batch in data.batches(x, batch_size, generator, steps=min(steps, -(-len(x) // batch_size))):"),
    edit("one_step_too_few", "Training makes one update too few", "for batch in data.batches(x, batch_size, generator, steps=max(1, steps - 1)):"),
    edit("one_step_too_many", "Training makes one update too many", "for batch in data.batches(x, batch_size, generator, steps=steps + 1):"),
    edit("whole_passes_only", "Training goes on to the end of the last pass; it is to stop after `steps` updates, also within a pass",
         "for batch in data.batches(x, batch_size, generator, steps=-(-steps // -(-len(x) // batch_size)) * -(-len(x) // batch_size)):"),
)

mistakes.at(
    "leaves = tuple(p.detach().requires_grad_() for p in params)",
    edit("start_marked",
         "The training loop makes the parameters that come in require gradients; it must leave them as they are, so "
         "detach first",
         "leaves = tuple(p.requires_grad_() for p in params)"),
    edit("three_parameters",
         "The loop is written for three parameters; it must work for any number of them",
         "logits, means, raw = params; leaves = tuple(p.detach().requires_grad_() for p in (logits, means, raw))"),
    edit("first_three_parameters",
         "The loop trains only the first three parameters; it must work for any number of them",
         "leaves = tuple(p.detach().requires_grad_() for p in params[:3])"),
    edit("two_parameters",
         "The loop is written for two parameters; it must work for any number of them",
         "first, second = params; leaves = tuple(p.detach().requires_grad_() for p in (first, second))"),
    edit("one_vector",
         "The parameters are put into one flat vector, and the loss gets the pieces without their shapes",
         "leaves = tuple(p.detach().flatten().requires_grad_() for p in params)",
         ("velocity, history = tuple(torch.zeros_like(p) for p in params), []", "velocity, history = tuple(torch.zeros_like(p).flatten() for p in params), []")),
)

mistakes.at(
    "value = loss(leaves, batch)",
    edit("always_the_mixture", "The loop always calls `gmm_nll`; it must minimise the `loss` that is passed in",
         "value = gmm_nll(leaves, batch)"),
    edit("loss_unpacked", "The loss is called with the parameters one by one; it is called as `loss(params, batch)`",
         "value = loss(*leaves, batch)"),
    edit("loss_of_floats", "The batch is turned into float32 before the loss sees it; the loss gets the examples as they are",
         "value = loss(leaves, batch.float())"),
    edit("small_batches_weighted", "The loss of the smaller last batch is scaled down by its size; each batch's mean counts as it is",
         "value = loss(leaves, batch) * len(batch) / batch_size"),
    edit("decay_in_the_loss", "The squares of the parameters are added to the loss; `train` minimises the loss that is passed in, without weight decay",
         "value = loss(leaves, batch) + 0.005 * sum(p.square().sum() for p in leaves)"),
)

mistakes.at(
    "grads = torch.autograd.grad(value, leaves)",
    edit("trains_on_the_sum", "The gradient is multiplied by the size of the batch (that of a summed loss), so the step grows with the batch",
         "grads = torch.autograd.grad(value * len(batch), leaves)"),
    edit("divided_by_batch", "The gradient is divided by the size of the batch; the loss is a mean already",
         "grads = torch.autograd.grad(value / len(batch), leaves)"),
    edit("clipped", "The gradients are clipped; plain steps are asked for",
         "grads = torch.nn.utils.get_total_norm(torch.autograd.grad(value, leaves)).clamp_min(1), torch.autograd.grad(loss(leaves, batch), leaves); grads = [g / grads[0] for g in grads[1]]"),
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
    edit("lr_and_momentum_exchanged", "Learning rate and momentum are exchanged in the call of `sgd_step`",
         "params, velocity = sgd_step(leaves, grads, velocity, momentum, lr)"),
    *(
        edit(name, "`train` uses weight decay; it is to have none",
             f"params, velocity = sgd_step(leaves, grads, velocity, lr, momentum, {decay})")
        for name, decay in (("with_weight_decay", "0.01"), ("with_small_weight_decay", "1e-4"), ("with_common_weight_decay", "5e-4"))
    ),
    edit("momentum_fixed", "The momentum is 0.9 whatever is passed in", "params, velocity = sgd_step(leaves, grads, velocity, lr, 0.9)"),
    edit("two_steps_per_batch", "Two updates are made for each minibatch",
         "params, velocity = sgd_step(leaves, grads, velocity, lr, momentum); params, velocity = sgd_step(params, grads, velocity, lr, momentum)"),
    edit("lr_decays", "The learning rate falls during the run; it is to stay as it is passed in",
         "params, velocity = sgd_step(leaves, grads, velocity, lr * (1 - len(history) / steps), momentum)"),
    edit("bad_steps_skipped", "An update is left out when the loss has risen; every batch makes its update",
         "if not history or value < history[-1]: params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)"),
    *(
        edit(f"stops_when_it_rises_{times}", "Training stops when the loss of a minibatch has risen; exactly `steps` updates are asked for",
             f"risen = sum(b > a for a, b in zip(history, [*history[1:], value])); params, velocity = (params, velocity) if risen >= {times} else sgd_step(leaves, grads, velocity, lr, momentum)")
        for times in (1, 2)
    ),
    edit("velocity_starts_with_gradient", "The first velocity is the first gradient, and then the step adds that gradient once more; (4.3) begins with v = 0",
         "velocity = velocity if history else grads; params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)"),
    edit("velocity_reset_each_pass", "The velocity is set back to 0 at the start of every pass; it goes on",
         "velocity = [v * (len(history) % -(-len(x) // batch_size) > 0) for v in velocity]; params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)"),
)

mistakes.at(
    "history.append(value.detach())",
    edit("history_after_update", "The history holds the loss after each update; the loss before it is asked for",
         "history.append(loss(params, batch))"),
    edit("history_on_all_data",
         "The history holds the loss on all data; the loss of the step's minibatch is asked for",
         "history.append(loss(leaves, x).detach())"),
    edit("history_with_graph", "The history keeps the graph of every step (no `.detach()`), so memory grows with the run",
         "history.append(value)"),
    edit("history_in_float32", "The history is float32 whatever the loss is; in float64 digits are lost (a tensor of Python numbers is float32 unless told)",
         "history.append(value.detach().float())"),
    edit("history_loses_digits", "The history passes through float32 on its way: its dtype is right, but digits are lost",
         "history.append(value.detach().float().to(value.dtype))"),
    edit("history_in_the_dtype_of_x", "The history has the dtype of x; with whole numbers for examples the losses are cut off",
         "history.append(value.detach().to(x.dtype))"),
    edit("history_summed", "The history holds sums over the batch; the loss as it is, is asked for",
         "history.append(value.detach() * len(batch))"),
    edit("history_is_a_running_mean", "The history holds the mean of the losses so far; each batch's own loss is asked for",
         "history.append((value.detach() + len(history) * history[-1]) / (len(history) + 1) if history else value.detach())"),
)

mistakes.at(
    "return params, torch.stack(history)",
    edit("constrained_returned",
         "The training loop returns constrained parameters; the unconstrained ones are asked for",
         "return (constrain(params) if len(params) == 3 else params), torch.stack(history)"),
    edit("iterates_averaged", "The parameters that come back are an average over the run; those after the last update are asked for",
         "return tuple(torch.stack(each).mean(0) for each in zip(*iterates)), torch.stack(history)",
         ("velocity, history = tuple(torch.zeros_like(p) for p in params), []", "velocity, history, iterates = tuple(torch.zeros_like(p) for p in params), [], []"),
         ("history.append(value.detach())", "history.append(value.detach()); iterates.append(params)")),
    edit("float32_inside", "Parameters and gradients pass through float32; float64 must keep its digits",
         "return params, torch.stack(history)",
         ("params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)", "params, velocity = sgd_step(leaves, grads, velocity, lr, momentum); params = tuple(p.float().to(leaf.dtype) for p, leaf in zip(params, leaves))")),
    edit("parameters_in_float32", "The parameters come back in float32; float64 must keep its digits",
         "return tuple(p.float() for p in params), torch.stack(history)"),
    edit("history_as_list", "The history is a list; one tensor of shape (steps,) is asked for", "return params, [float(value) for value in history]"),
    edit("history_as_column", "The history has a second axis; its shape is (steps,)", "return params, torch.stack(history)[:, None]"),
    edit("history_shifted", "The history begins with the second loss and repeats the last one: it is shifted by one step",
         "return params, torch.stack([*history[1:], history[-1]])"),
    edit("history_starts_twice", "The history has one value too many: the loss at the start is in it twice", "return params, torch.stack([history[0], *history])"),
    edit("history_one_short", "The last loss is missing from the history", "return params, torch.stack(history[:-1] or history)"),
    edit("history_of_passes", "The history holds a mean for each pass; one value for each update is asked for",
         "return params, torch.stack([torch.stack(history[i : i + -(-len(x) // batch_size)]).mean() for i in range(0, len(history), -(-len(x) // batch_size))])"),
    edit("last_loss_only", "Only the last loss comes back; all `steps` of them are asked for", "return params, history[-1]"),
    edit("one_step_behind", "The parameters before the last update come back; those after it are asked for",
         "return tuple(leaf.detach() for leaf in leaves), torch.stack(history)"),
    edit("leaves_returned", "The parameters that come back require gradients; what `sgd_step` gave is asked for",
         "return tuple(p.requires_grad_() for p in params), torch.stack(history)"),
    edit("velocity_returned", "The velocity comes back instead of the parameters", "return velocity, torch.stack(history)"),
    edit("swapped", "History and parameters come back in the wrong order: (params, history) is asked for", "return torch.stack(history), params"),
    edit("history_only", "Only the history comes back; (params, history) is asked for", "return torch.stack(history)"),
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


@mistakes.rewrite("The last velocity is kept in a global variable, so two optimisers share it; everything a step needs comes in as an argument")
def last_velocity_kept(ref):
    memory = []

    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        if [(v.shape, v.dtype) for v in memory] == [(v.shape, v.dtype) for v in velocity]:
            velocity = memory
        new_params, memory[:] = ref.sgd_step(params, grads, velocity, lr, momentum, weight_decay)
        return new_params, tuple(v.clone() for v in memory)

    return {"sgd_step": sgd_step}


def loop(ref, step):
    """A training loop around ``step(leaves, loss, batch, velocity, lr, momentum)``, which changes the leaves in place."""

    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        velocity, history = [torch.zeros_like(p) for p in params], []
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            history.append(step(leaves, loss, batch, velocity, lr, momentum))
        return [leaf.detach() for leaf in leaves], torch.stack(history)

    return {"train": train}


@mistakes.rewrite("Another optimiser (Adam) makes the steps; SGD with momentum is asked for")
def adam(ref):
    owner, optimiser = None, None

    def step(leaves, loss, batch, velocity, lr, momentum):
        nonlocal owner, optimiser
        if owner is not leaves:
            owner, optimiser = leaves, torch.optim.Adam(leaves, lr=lr)
        optimiser.zero_grad()
        value = loss(leaves, batch)
        value.backward()
        optimiser.step()
        return value.detach()

    return loop(ref, step)


@mistakes.rewrite("The gradients of all steps add up: they are not set back to zero before `backward`")
def gradients_add_up(ref):
    def step(leaves, loss, batch, velocity, lr, momentum):
        value = loss(leaves, batch)
        value.backward()
        new, velocity[:] = ref.sgd_step(leaves, [leaf.grad.clone() for leaf in leaves], velocity, lr, momentum)
        for leaf, p in zip(leaves, new):
            leaf.data = p
        return value.detach()

    return loop(ref, step)


@mistakes.rewrite("Each parameter is updated before the gradient of the next one is taken; all gradients belong to the same parameters")
def one_after_the_other(ref):
    def step(leaves, loss, batch, velocity, lr, momentum):
        first = None
        for number, leaf in enumerate(leaves):
            value = loss(leaves, batch)
            first = value.detach() if first is None else first
            (grad,) = torch.autograd.grad(value, [leaf])
            (new,), (velocity[number],) = ref.sgd_step([leaf], [grad], [velocity[number]], lr, momentum)
            leaf.data = new
        return first

    return loop(ref, step)


@mistakes.rewrite("The parameters that come in are trained in place; they must be left as they are")
def start_trained_in_place(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        new, history = ref.train(loss, params, x, steps, batch_size, lr, momentum, generator)
        with torch.no_grad():
            for p, n in zip(params, new):
                p.copy_(n)
        return [p.detach() for p in params], history

    return {"train": train}


@mistakes.rewrite("The optimiser of `train` is given the parameters that come in and changes them; they must be left as they are, so train copies")
def start_given_to_an_optimiser(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        leaves = [p.requires_grad_() for p in params]
        new, history = ref.train(loss, params, x, steps, batch_size, lr, momentum, generator)
        with torch.no_grad():
            for leaf, p in zip(leaves, new):
                leaf.copy_(p)
        return leaves, history

    return {"train": train}


@mistakes.rewrite("The parameters after the step with the lowest minibatch loss come back; those after the last update are asked for")
def best_kept_after_step(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        seen = []

        def watched(params, batch):
            seen.append(tuple(p.detach().clone() for p in params))
            return loss(params, batch)

        last, history = ref.train(watched, params, x, steps, batch_size, lr, momentum, generator)
        return [*seen[1:], last][int(history.argmin())], history

    return {"train": train}


@mistakes.rewrite("The parameters with the lowest minibatch loss come back; those after the last update are asked for")
def best_kept(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        best, lowest = params, float("inf")

        def watched(params, batch):
            nonlocal best, lowest
            value = loss(params, batch)
            if float(value) < lowest:
                best, lowest = tuple(p.detach().clone() for p in params), float(value)
            return value

        _, history = ref.train(watched, params, x, steps, batch_size, lr, momentum, generator)
        return best, history

    return {"train": train}


@mistakes.rewrite("`backward` leaves its gradients in `.grad` of the parameters that come in; they must be left as they are, so detach first")
def grads_left_in_the_start(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        result = ref.train(loss, params, x, steps, batch_size, lr, momentum, generator)
        for p in params:
            if p.requires_grad:
                p.grad = torch.zeros_like(p)
        return result

    return {"train": train}


@mistakes.rewrite("Autograd is switched off for good; use `with torch.no_grad():`, which ends with its block")
def autograd_switched_off(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        torch.set_grad_enabled(True)
        result = ref.train(loss, params, x, steps, batch_size, lr, momentum, generator)
        torch.set_grad_enabled(False)
        return result

    return {"train": train}

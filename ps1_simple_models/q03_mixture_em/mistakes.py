"""Named wrong versions of the answers to question 3."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- gmm_log_prob --------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
    edit("log_of_underflowed_sum",
         "`gmm_log_prob` takes exp of the log-joints before summing; far away all of them underflow to 0, and log 0 is −∞",
         "return gmm_log_joint(x, log_weights, means, covs).exp().sum(-1).log()"),
    *(
        edit(f"log_with_epsilon_{power}",
             "A small constant stands inside the logarithm of `gmm_log_prob`, added or as a lower limit; far from every component "
             "the result is its logarithm, whatever x is",
             f"return (gmm_log_joint(x, log_weights, means, covs).exp().sum(-1) + 1e-{power}).log()")
        for power in (6, 8, 10, 12, 16, 20, 30)
    ),
    *(
        edit(f"log_joint_clamped_{limit}",
             "`gmm_log_prob` limits the log-joints from below; far away every example gets the same density",
             f"return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs).clamp(min=-{limit}), dim=-1)")
        for limit in (50, 100, 200, 1000)
    ),
    *(
        edit(f"log_weights_clamped_{limit}",
             "`gmm_log_prob` limits the log-weights from below; a component of weight 0 then counts where the others are far away",
             f"return torch.logsumexp(gmm_log_joint(x, log_weights.clamp(min=-{limit}), means, covs), dim=-1)")
        for limit in (30, 100)
    ),
    edit("weights_taken_as_equal", "`gmm_log_prob` gives every component the weight 1/K; the log-weights are not used",
         "return torch.logsumexp(gmm_log_joint(x, torch.zeros_like(log_weights), means, covs), dim=-1) - math.log(len(means))"),
    edit("maximum_without_weights",
         "`gmm_log_prob` subtracts the largest log-density of a component, not the largest log-joint; where that "
         "component has hardly any weight the others underflow",
         "log_density = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs); top = log_density.amax(-1, keepdim=True); return (log_weights.exp() * (log_density - top).exp()).sum(-1).log() + top.squeeze(-1)"),
    edit("one_maximum_for_all",
         "`gmm_log_prob` subtracts one maximum for all examples; those far away still underflow when a near one is in the batch",
         "joint = gmm_log_joint(x, log_weights, means, covs); return (joint - joint.max()).exp().sum(-1).log() + joint.max()"),
    edit("first_component_subtracted",
         "`gmm_log_prob` does not take the largest log-joint out of the sum, but the first, or their mean; where another is much "
         "larger, exp overflows",
         "joint = gmm_log_joint(x, log_weights, means, covs); return (joint - joint[:, :1]).exp().sum(-1).log() + joint[:, 0]"),
    edit("log_prob_starts_at_zero",
         "`gmm_log_prob` counts one term e^0 = 1 too many: a loop of `logaddexp` that starts at 0 starts at the log of 1; the log of an empty sum is −∞",
         "joint = gmm_log_joint(x, log_weights, means, covs); return torch.logaddexp(joint.logsumexp(-1), torch.zeros_like(joint[:, 0]))"),
    edit("mean_of_logs", "`gmm_log_prob` is the mean of the log-joints; the sum of their exponentials comes before the logarithm",
         "return gmm_log_joint(x, log_weights, means, covs).mean(-1)"),
    edit("sum_of_logs",
         "`gmm_log_prob` sums the logs of the components; that is the log of a product of densities, not of their sum",
         "return gmm_log_joint(x, log_weights, means, covs).sum(-1)"),
    edit("average_of_logs",
         "`gmm_log_prob` is the weighted average of the components' log-densities; by Jensen that is only a lower bound",
         "return ((gmm_log_joint(x, log_weights, means, covs) - log_weights) * log_weights.exp()).sum(-1)"),
    edit("max_for_sum", "`gmm_log_prob` is that of the best component alone; all components add up",
         "return gmm_log_joint(x, log_weights, means, covs).max(-1).values"),
    edit("components_averaged",
         "`gmm_log_prob` divides by the number of components; the weights already make the sum an average",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1) - math.log(len(means))"),
    edit("weights_ignored", "`gmm_log_prob` leaves the mixture weights out, so every component counts fully",
         "return torch.logsumexp(gmm_log_joint(x, torch.zeros_like(log_weights), means, covs), dim=-1)"),
    edit("weights_twice", "`gmm_log_prob` adds the log-weights once more; `gmm_log_joint` already contains them",
         "return torch.logsumexp(log_weights + gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
    edit("weights_normalised_twice",
         "`gmm_log_prob` takes the softmax of the log-weights where their log-softmax, or they themselves, are needed",
         "return torch.logsumexp(gmm_log_joint(x, log_weights.softmax(0), means, covs), dim=-1)"),
    edit("density_not_log", "`gmm_log_prob` returns the density itself; its logarithm is asked for",
         "return gmm_log_joint(x, log_weights, means, covs).exp().sum(-1)"),
    edit("negative_log_prob", "`gmm_log_prob` has the wrong sign: the log-density is asked for, not the loss",
         "return -torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
    edit("log_prob_in_bits", "`gmm_log_prob` is in bits; nats are asked for",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1) / math.log(2)"),
    edit("log_prob_averaged", "`gmm_log_prob` is averaged over the examples; one value per example is asked for",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1).mean()"),
    edit("log_prob_over_examples",
         "`gmm_log_prob` sums over the examples (the first axis); the sum in (3.1) runs over the components",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=0)"),
    edit("log_prob_keeps_axis", "`gmm_log_prob` keeps an axis of length one; one plain value per example is asked for",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1, keepdim=True)"),
    edit("log_prob_in_float32",
         "`gmm_log_prob` comes back in float32 for float64 examples (`.float()`, or a tensor made without `dtype`)",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1).float()"),
    edit("detached",
         "`gmm_log_prob` is cut off from the graph (detach, no_grad, .data, .item() or NumPy), so nothing can be trained through it",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1).detach()"),
    edit("maximum_of_detached_sum",
         "`gmm_log_prob` takes one of its two parts out of the graph: the values are right, the gradients are not",
         "joint = gmm_log_joint(x, log_weights, means, covs); top = joint.detach().amax(-1); return joint.amax(-1) + (joint.detach() - top[:, None]).exp().sum(-1).log()"),
    edit("weights_detached", "`gmm_log_prob` has no gradient by the log-weights, which are cut off from its graph",
         "return torch.logsumexp(gmm_log_joint(x, log_weights.detach(), means, covs), dim=-1)"),
    edit("impossible_component_nan",
         "A log-weight of −∞ gives NaN in `gmm_log_prob`; such a component contributes exactly nothing",
         "joint = gmm_log_joint(x, log_weights, means, covs); share = joint.softmax(-1); return (share * (joint - share.log())).sum(-1)"),
)

# --- responsibilities ----------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
    edit("responsibilities_over_examples",
         "The responsibilities are normalised over the examples; each example's row must sum to one",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=0)"),
    edit("responsibilities_without_prior",
         "The responsibilities ignore the mixture weights; Bayes' rule multiplies the likelihood by the prior",
         "return torch.softmax(gmm_log_joint(x, torch.zeros_like(log_weights), means, covs), dim=-1)"),
    edit("responsibilities_prior_twice",
         "The responsibilities count the mixture weights twice; `gmm_log_joint` already contains them",
         "return torch.softmax(log_weights + gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
    edit("responsibilities_of_densities",
         "The responsibilities are a softmax of the densities; the softmax has an exponential of its own, so it takes log-joints",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs).exp(), dim=-1)"),
    edit("responsibilities_unnormalised",
         "The responsibilities are joint densities exp(ℓ), not yet divided by p(x)",
         "return gmm_log_joint(x, log_weights, means, covs).exp()"),
    edit("responsibilities_log_ratio",
         "The responsibilities divide log-joints by their sum; it is the densities that are divided",
         "joint = gmm_log_joint(x, log_weights, means, covs); return joint / joint.sum(-1, keepdim=True)"),
    edit("responsibilities_underflow",
         "The responsibilities divide underflowed densities; far from every component that is 0/0",
         "p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / p.sum(-1, keepdim=True)"),
    *(
        edit(f"responsibilities_with_epsilon_{power}",
             "0/0 is hidden, by a small constant in the denominator or by `nan_to_num`: far from every component the rows no "
             "longer sum to one; work in log-space",
             f"p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / (p.sum(-1, keepdim=True) + 1e-{power})")
        for power in (8, 10, 12, 30)
    ),
    edit("responsibilities_uniform_when_lost",
         "Where all densities underflow, or all log-joints meet a lower limit, the responsibilities are equal shares; the nearest "
         "component has nearly all of it",
         "p = gmm_log_joint(x, log_weights, means, covs).exp(); return torch.where(p.sum(-1, keepdim=True) > 0, p / p.sum(-1, keepdim=True), 1 / p.shape[1])"),
    edit("responsibilities_clamped",
         "The log-joints are limited from below before the softmax: far from every component all of them meet the limit, and the "
         "shares come out equal",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs).clamp(min=-100), dim=-1)"),
    edit("responsibilities_one_maximum",
         "One maximum for all examples is subtracted before the exponential; those far away still underflow, and 0/0 is NaN",
         "joint = gmm_log_joint(x, log_weights, means, covs); p = (joint - joint.max()).exp(); return p / p.sum(-1, keepdim=True)"),
    edit("responsibilities_kept_positive",
         "A lower limit, or a small constant, keeps every responsibility positive; a component of weight 0 owns exactly nothing",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1).clamp(min=1e-6)"),
    edit("log_responsibilities", "The responsibilities are returned as logs; probabilities are asked for",
         "return torch.log_softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
    edit("hard_assignment", "The responsibilities are one-hot: that is k-means, not EM",
         "return F.one_hot(gmm_log_joint(x, log_weights, means, covs).argmax(-1), len(means)).to(x.dtype)"),
    edit("responsibilities_by_distance",
         "The responsibilities use plain distances to the means; every component has a covariance of its own",
         "return torch.softmax(log_weights - 0.5 * (x[:, None] - means).square().sum(-1), dim=-1)"),
    edit("responsibilities_without_logdet",
         "The log-determinants of the covariances are missing from the responsibilities, so wide components own too much",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs) + 0.5 * torch.logdet(covs), dim=-1)"),
    edit("responsibilities_transposed", "The responsibilities are (K, N); examples are rows and components columns",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1).T"),
    edit("responsibilities_from_float32",
         "The responsibilities come back in float32 for float64 examples (`.float()`, or a tensor made without `dtype`)",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs).float(), dim=-1)"),
    edit("responsibilities_in_float32",
         "The responsibilities come back in float32 for float64 examples (`.float()`, or a tensor made without `dtype`)",
         "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1).float()"),
)

# --- m_step --------------------------------------------------------------------------------------------------------

FITS = """
for k in range(K):
    if resp[:, k].any():
        means[k], covs[k] = fit_gaussian(x, resp[:, k])
"""

AT_ONCE = """
counts = resp.sum(0)
owned = counts.clamp_min(torch.finfo(x.dtype).tiny)
means = resp.T @ x / owned[:, None]
centred = x[:, None] - means
covs = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / owned[:, None, None]
"""


def at_once(old, new, *more):
    """The M-step without a loop, with something changed."""
    text = AT_ONCE
    for before, after in ((old, new), *zip(more[::2], more[1::2], strict=True)):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


mistakes.at(
    FITS,
    edit("means_divided_by_n",
         "The weighted sums of the means are divided by N; the total weight of component k is N_k",
         at_once("means = resp.T @ x / owned[:, None]", "means = resp.T @ x / len(x)")),
    edit("covs_divided_by_n", "The weighted scatter is divided by N; the total weight of component k is N_k",
         at_once("centred, centred) / owned[:, None, None]", "centred, centred) / len(x)")),
    edit("all_divided_by_n", "Means and covariances are divided by N; the total weight of component k is N_k",
         at_once("means = resp.T @ x / owned[:, None]", "means = resp.T @ x / len(x)",
                 "centred, centred) / owned[:, None, None]", "centred, centred) / len(x)")),
    edit("nothing_divided", "Means and covariances are weighted sums, not divided by the total weight N_k",
         at_once("x / owned[:, None]\n", "x\n", "centred, centred) / owned[:, None, None]", "centred, centred)")),
    edit("unbiased_covariance", "The scatter is divided by N_k − 1; maximum likelihood divides by N_k",
         at_once("centred, centred) / owned[:, None, None]", "centred, centred) / (owned - 1)[:, None, None]")),
    edit("bias_corrected",
         "The covariances are corrected for bias, as `torch.cov` does by itself; maximum likelihood divides by N_k",
         at_once("centred, centred) / owned[:, None, None]", "centred, centred) / (owned - resp.square().sum(0) / owned)[:, None, None]")),
    edit("counts_limited",
         "A component that owns very little is treated as if it owned nothing (by a lower limit or constant in N_k, or by a "
         "condition); it follows the formulas like any other",
         at_once("torch.finfo(x.dtype).tiny", "1e-10")),
    *(
        edit(f"epsilon_in_all_counts_{power}",
             "A small constant is added to every N_k: a component that owns nothing comes back to life, and one that owns "
             "little gets a wrong mean",
             at_once("counts.clamp_min(torch.finfo(x.dtype).tiny)", f"counts + 1e-{power}"),
             ("return resp.mean(0).log(), means, covs", f"return ((counts + 1e-{power}) / len(x)).log(), means, covs"))
        for power in (6, 8, 10, 12)
    ),
    edit("epsilon_in_counts",
         "A constant is added to every N_k before dividing; that pulls all means towards 0 and shrinks the covariances",
         at_once("counts.clamp_min(torch.finfo(x.dtype).tiny)", "counts + 1e-2")),
    edit("empty_component",
         "A component that owns nothing gives 0/0 = NaN, which spreads to everything in the next step",
         at_once("counts.clamp_min(torch.finfo(x.dtype).tiny)", "counts")),
    edit("global_mean",
         "The covariances are taken around the mean of all data; component k's covariance is around its own new mean",
         at_once("x[:, None] - means", "(x - x.mean(0))[:, None].expand(-1, K, -1)")),
    edit("second_moment", "The covariances are second moments E[xxᵀ]; the mean is not subtracted",
         at_once("x[:, None] - means", "x[:, None].expand(-1, K, -1)")),
    edit("weight_squared", "The responsibilities enter the covariances twice; each example counts with r, not r²",
         at_once('"nk,nki,nkj->kij", resp, centred', '"nk,nki,nkj->kij", resp**2, centred')),
    edit("covariances_unweighted", "The responsibilities are missing from the covariances: every example counts fully",
         at_once('torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / owned[:, None, None]',
                 'torch.einsum("nki,nkj->kij", centred, centred) / len(x)')),
    edit("distances_not_outer",
         "The covariances hold squared distances on the diagonal, the same for all dimensions; each needs the outer product",
         at_once("covs = torch", "covs = torch.eye(D).to(x) * torch", '"nk,nki,nkj->kij", resp, centred, centred', '"nk,nki,nki->k", resp, centred, centred', ") / owned[:, None, None]", ")[:, None, None] / owned[:, None, None]")),
    edit("averaged_distance",
         "The covariances are round: one variance for all dimensions and no correlations; they are full matrices",
         at_once("covs = torch", "covs = torch.eye(D).to(x) / D * torch", '"nk,nki,nkj->kij", resp, centred, centred', '"nk,nki,nki->k", resp, centred, centred', ") / owned[:, None, None]", ")[:, None, None] / owned[:, None, None]")),
    edit("uncentred",
         "The covariances are computed as E[xxᵀ] − μμᵀ; far from the origin the two large terms cancel and leave "
         "rounding errors",
         at_once('resp, centred, centred) / owned[:, None, None]', 'resp, x[:, None].expand(-1, K, -1), x[:, None].expand(-1, K, -1)) / owned[:, None, None] - means[:, :, None] * means[:, None, :]')),
    edit("global_shift",
         "The covariances are computed as E[yyᵀ] − E[y]E[y]ᵀ with y = x − mean of all data; for clusters far from "
         "each other that cancels as well: subtract each component's own mean",
         AT_ONCE.rstrip() + '\ny = x - x.mean(0)\nm = resp.T @ y / owned[:, None]\ncovs = torch.einsum("nk,ni,nj->kij", resp, y, y) / owned[:, None, None] - m[:, :, None] * m[:, None, :]\n'),
    edit("one_covariance",
         "All components share one covariance, the average of theirs; each has its own",
         AT_ONCE.rstrip() + "\ncovs = (resp.mean(0)[:, None, None] * covs).sum(0).repeat(K, 1, 1)\n"),
    edit("unweighted_fits", "The responsibilities are not used: every component gets the fit of all data",
         """
         for k in range(K):
             if resp[:, k].any():
                 means[k], covs[k] = fit_gaussian(x)
         """),
    edit("hard_shares", "Each example counts only for the component with the largest share (k-means), in the weights, too; all shares count",
         """
         resp = F.one_hot(resp.argmax(1), K).to(x)
         for k in range(K):
             if resp[:, k].any():
                 means[k], covs[k] = fit_gaussian(x, resp[:, k])
         """),
    edit("hard_fits", "Each example counts only for the component with the largest share (k-means); all shares count",
         """
         hard = F.one_hot(resp.argmax(1), K).to(x)
         for k in range(K):
             if hard[:, k].any():
                 means[k], covs[k] = fit_gaussian(x, hard[:, k])
         """),
)

mistakes.at(
    "covs = covs + floor * torch.eye(D, dtype=x.dtype, device=x.device)",
    edit("floor_at_least", "The floor is never less than 10⁻⁶; it may be smaller, also 0",
         "covs = covs + max(floor, 1e-6) * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("floor_squared", "The square of the floor is added; the floor is a variance already",
         "covs = covs + floor**2 * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("floor_relative", "The floor is multiplied by the component's mean variance; it is added as it is",
         "covs = covs + floor * covs.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("floor_root", "The square root of the floor is added; the floor is a variance already",
         "covs = covs + floor**0.5 * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("no_floor",
         "The argument `floor` is not added to the covariances: a component that owns one example gets a singular one",
         ""),
    edit("floor_fixed", "`m_step` adds 10⁻⁶ whatever `floor` is",
         "covs = covs + 1e-6 * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("floor_everywhere", "The floor is added to every entry of the covariance; it belongs on the diagonal only",
         "covs = covs + floor"),
    edit("floor_clamped", "The floor acts only where a variance is small, as a lower limit or by a condition; it is added to every diagonal",
         "covs.diagonal(dim1=1, dim2=2).clamp_(min=floor)"),
    edit("floor_in_scatter",
         "The floor is divided by N_k: it is added to the sum over examples; it belongs to the finished covariance",
         "covs = covs + floor / resp.sum(0).clamp_min(1e-30)[:, None, None] * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("diagonal_covariance", "Only variances are estimated and correlations are set to 0; the covariances are full matrices",
         "covs = torch.diag_embed(covs.diagonal(dim1=1, dim2=2)) + floor * torch.eye(D, dtype=x.dtype, device=x.device)"),
    edit("empty_component_at_mean",
         "A component that owns nothing gets the mean of the data; mean 0 and covariance ε I are asked for",
         "covs = covs + floor * torch.eye(D, dtype=x.dtype, device=x.device); means = torch.where(resp.any(0)[:, None], means, x.mean(0))"),
    edit("empty_component_with_identity",
         "A component that owns nothing gets the identity as its covariance; ε I is asked for",
         "covs = torch.where(resp.any(0)[:, None, None], covs + floor * torch.eye(D).to(x), torch.eye(D).to(x))"),
    edit("factors_returned", "The Cholesky factors of the covariances are returned; the covariances are asked for",
         "covs = torch.linalg.cholesky_ex(covs + floor * torch.eye(D, dtype=x.dtype, device=x.device))[0]"),
    edit("empty_component_without_floor",
         "The floor is missing from a component that owns nothing: its covariance is 0, and the next step fails",
         "covs = covs + floor * torch.eye(D, dtype=x.dtype, device=x.device) * resp.any(0)[:, None, None]"),
)

mistakes.at(
    "return resp.mean(0).log(), means, covs",
    edit("weights_by_votes",
         "The new weights count for how many examples a component has the largest share; the shares themselves are averaged",
         "return (torch.bincount(resp.argmax(1), minlength=K) / len(x)).to(x).log(), means, covs"),
    edit("means_transposed", "The means are (D, K); each component's mean is a row", "return resp.mean(0).log(), means.T, covs"),
    edit("m_step_returns_nothing", "`m_step` returns nothing: a `return` is missing", "resp.mean(0).log(), means, covs"),
    edit("weights_unnormalised", "The new weights are the counts N_k; divided by N they sum to one",
         "return resp.sum(0).log(), means, covs"),
    edit("weights_returned_plain", "The new weights are returned as probabilities; their logarithms are asked for",
         "return resp.mean(0), means, covs"),
    edit("weights_over_components", "The new weights are N_k divided by K; N_k is a sum over N examples, so N divides it",
         "return (resp.sum(0) / K).log(), means, covs"),
    edit("weights_equal", "The new weights are all 1/K; the best ones are N_k/N",
         "return torch.full_like(resp[0], -math.log(K)), means, covs"),
    edit("weights_mean_of_logs", "The new log-weights are means of log-responsibilities; the mean comes before the logarithm",
         "return resp.log().mean(0), means, covs"),
    edit("weights_softmax", "The new weights are a softmax of the shares N_k/N; these sum to one already",
         "return resp.mean(0).log_softmax(0), means, covs"),
    *(
        edit(f"weights_kept_positive_{power}",
             "A small constant keeps the log-weight of an empty component finite; it is −∞",
             f"return (resp.mean(0) + 1e-{power}).log(), means, covs")
        for power in (6, 8, 10, 12)
    ),
    edit("buffers_in_float32",
         "The means and covariances of `m_step` come back in float32 for float64 examples; a tensor that you fill "
         "(`torch.zeros`, `torch.empty`) needs the dtype of `x`",
         "return resp.mean(0).log(), means.float(), covs.float()"),
    edit("m_step_in_float32",
         "The results of `m_step` come back in float32 for float64 examples; a tensor that you fill "
         "(`torch.zeros`, `torch.empty`) needs the dtype of `x`",
         "return resp.mean(0).log().float(), means.float(), covs.float()"),
    edit("another_order", "The three results of `m_step` come in another order: log-weights, means, covariances are asked for",
         "return means, covs, resp.mean(0).log()"),
)

# --- elbo ----------------------------------------------------------------------------------------------------------

ENERGY = "energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)"
RESULT = "return energy + torch.special.entr(resp).sum(-1)"

mistakes.at(
    ENERGY,
    edit("prior_missing_in_bound",
         "The bound averages log p(x | z) instead of the log-joint log p(x, z): the log-weights are missing",
         "log_joint = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs); " + ENERGY),
    edit("q_ignored",
         "The bound replaces the given q by the posterior, so it is always the log-likelihood; use the q that is "
         "passed in (q may be stale)",
         "resp = torch.softmax(log_joint, -1); " + ENERGY),
    edit("prior_twice_in_bound", "The log-weights are counted twice in the bound; `gmm_log_joint` already contains them",
         "log_joint = log_joint + log_weights; " + ENERGY),
    edit("only_expected_likelihood",
         "The bound is the average of log p(x | z) alone: log-weights and entropy are missing",
         "return torch.where(resp > 0, resp * gmm_log_joint(x, torch.zeros_like(log_weights), means, covs), torch.zeros_like(resp)).sum(-1)",
         (RESULT, "")),
    *(
        edit(f"q_kept_positive_{power}",
             "A lower limit or a small constant keeps q positive; where q = 0 meets a log-joint of −∞ the bound then is −∞",
             f"resp = resp.clamp(min=1e-{power}); " + ENERGY)
        for power in (6, 8, 10, 12)
    ),
    edit("energy_unweighted", "The log-joints are summed without q; (3.3) is an average under q",
         "energy = torch.where(resp > 0, log_joint, torch.zeros_like(resp)).sum(-1)"),
    edit("log_likelihood_in_bound",
         "The bound averages log p(x) under q instead of the log-joint; that adds the entropy to the log-likelihood, and bounds nothing",
         "energy = gmm_log_prob(x, log_weights, means, covs)"),
    edit("zero_times_infinity", "A label with q = 0 gives 0 · (−∞) = NaN; it must contribute exactly 0",
         "energy = (resp * log_joint).sum(-1)"),
    edit("impossible_label_finite",
         "The bound is finite where q > 0 bets on an impossible label (ℓ = −∞); it is −∞ there (`nan_to_num` "
         "replaces infinities, too)",
         "energy = torch.nan_to_num(resp * log_joint, neginf=torch.finfo(x.dtype).min).sum(-1)"),
    edit("impossible_label_skipped",
         "A label with ℓ = −∞ is left out of the bound although q > 0; only q = 0 makes a label count for "
         "nothing, here the bound is −∞",
         "energy = torch.where(log_joint > -math.inf, resp * log_joint, torch.zeros_like(resp)).sum(-1)"),
    edit("impossible_label_left_out",
         "A label with ℓ = −∞ is left out of the bound, average and entropy, although q > 0; only q = 0 makes a label count for "
         "nothing, here the bound is −∞",
         "resp = torch.where(log_joint > -math.inf, resp, torch.zeros_like(resp)); " + ENERGY),
    edit("log_joint_limited",
         "The log-joints are limited from below; far from a component, and where a weight is 0, the bound is too high",
         "energy = (resp * log_joint.clamp(min=-100)).sum(-1)"),
    edit("small_q_dropped", "A label with a small q is left out of the average; only q = 0 contributes nothing",
         ENERGY.replace("resp > 0", "resp > 1e-3")),
    *(
        edit(f"small_q_left_out_{power}", "A label with a small q is left out; only q = 0 contributes nothing",
             f"resp = torch.where(resp > 1e-{power}, resp, torch.zeros_like(resp)); " + ENERGY)
        for power in (3, 6, 8, 10)
    ),
)

mistakes.at(
    RESULT,
    edit("zero_log_zero", "q log q is NaN at q = 0; its limit, and the right value, is 0",
         "return energy - (resp * resp.log()).sum(-1)"),
    *(
        edit(f"entropy_with_epsilon_{power}", "A small constant is added to q in the logarithm; small q, which count, are then wrong",
             f"return energy - (resp * (resp + 1e-{power}).log()).sum(-1)")
        for power in (4, 6, 8)
    ),
    edit("entropy_missing", "The bound lacks the entropy of q, −Σ q log q", "return energy"),
    edit("entropy_sign", "The entropy of q is subtracted; −log q is added inside the average",
         "return energy - torch.special.entr(resp).sum(-1)"),
    edit("entropy_without_q", "The logarithms of q are not averaged under q: −Σ log q instead of −Σ q log q",
         "return energy - torch.where(resp > 0, resp.log(), torch.zeros_like(resp)).sum(-1)"),
    edit("entropy_in_bits", "The entropy is in bits, the rest in nats",
         "return energy + torch.special.entr(resp).sum(-1) / math.log(2)"),
    edit("entropy_of_posterior", "The entropy is that of the posterior; it is the entropy of the q that is passed in",
         "return energy + torch.special.entr(torch.softmax(log_joint, -1)).sum(-1)"),
    edit("entropy_of_weights", "The entropy is that of the mixture weights; it is the entropy of q",
         "return energy + torch.special.entr(log_weights.exp()).sum()"),
    edit("entropy_of_batch", "The entropy is summed over all examples; each example has that of its own row",
         "return energy + torch.special.entr(resp).sum()"),
    edit("bound_by_posterior",
         "The bound takes the logarithm of responsibilities, which underflow to 0 far from a component; take "
         "log-responsibilities, or the log-joint",
         "posterior = torch.softmax(log_joint, -1); kl = torch.where(resp > 0, resp * (resp.log() - posterior.log()), torch.zeros_like(resp)).sum(-1); return torch.logsumexp(log_joint, -1) - kl"),
    edit("gap_returned", "The gap, KL(q‖posterior), is returned; the bound is the log-likelihood minus it",
         "return torch.logsumexp(log_joint, -1) - (energy + torch.special.entr(resp).sum(-1))"),
    edit("kl_reversed", "The divergence in the bound is KL(posterior‖q); it is KL(q‖posterior)",
         "log_prob = torch.logsumexp(log_joint, -1); post = torch.softmax(log_joint, -1); return log_prob - torch.where(post > 0, post * (log_joint - log_prob[:, None] - resp.log()), torch.zeros_like(post)).sum(-1)"),
    edit("bound_summed_over_examples", "The bound is summed over the examples; one value per example is asked for",
         "return (energy + torch.special.entr(resp).sum(-1)).sum()"),
    edit("bound_averaged", "The bound is averaged over the examples; one value per example is asked for",
         "return (energy + torch.special.entr(resp).sum(-1)).mean()"),
    edit("bound_over_examples", "The bound is summed over the examples, for each label; it is summed over the labels, for each example",
         "return (torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)) + torch.special.entr(resp)).sum(0)"),
    edit("bound_not_summed", "The bound has one value per label; they are to be summed over the labels",
         "return torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)) + torch.special.entr(resp)"),
    edit("bound_sign", "The negative bound is returned (a loss); the bound itself is asked for",
         "return -(energy + torch.special.entr(resp).sum(-1))"),
    edit("bound_in_float32", "The bound comes back in float32 for float64 examples (`.float()`, or a tensor made without `dtype`)",
         "return (energy + torch.special.entr(resp).sum(-1)).float()"),
)

# --- fit_gmm_em ----------------------------------------------------------------------------------------------------

START = "history = [gmm_log_prob(x, *params).mean()]"
STEP = "params = m_step(x, responsibilities(x, *params), floor)"
RECORD = "history.append(gmm_log_prob(x, *params).mean())"
LOOP = f"""
for _ in range(steps):
    {STEP}
    {RECORD}
"""

mistakes.at(
    START,
    edit("history_summed", "The history holds sums over the examples; the mean per example is asked for",
         START.replace("mean", "sum"), (RECORD, RECORD.replace("mean", "sum"))),
    edit("history_negated", "The history holds the negative log-likelihood; the log-likelihood is asked for",
         START.replace("gmm_log_prob", "-gmm_log_prob"), (RECORD, RECORD.replace("gmm_log_prob", "-gmm_log_prob"))),
    edit("history_per_dimension", "The history is divided by the number of dimensions; nats per example are asked for",
         START.replace("mean()", "mean() / x.shape[1]"), (RECORD, RECORD.replace("mean()", "mean() / x.shape[1]"))),
    edit("history_in_bits", "The history is in bits; nats are asked for",
         START.replace("mean()", "mean() / math.log(2)"), (RECORD, RECORD.replace("mean()", "mean() / math.log(2)"))),
    edit("history_per_example", "The history holds the log-likelihoods of all examples; their mean is asked for",
         START.replace(".mean()", ""), (RECORD, RECORD.replace(".mean()", ""))),
)

mistakes.at(
    LOOP,
    edit("stale_responsibilities",
         "The responsibilities are computed once, before the loop; every step needs new ones, from the current "
         "parameters",
         f"""
         for _ in range(steps):
             params = m_step(x, responsibilities(x, log_weights, means, covs), floor)
             {RECORD}
         """),
    edit("responsibilities_one_step_late",
         "Each step uses the responsibilities of the step before; an M-step needs those of the present parameters",
         f"""
         resp = responsibilities(x, *params)
         for _ in range(steps):
             params, resp = m_step(x, resp, floor), responsibilities(x, *params)
             {RECORD}
         """),
    edit("one_step_missing", "One step too few is made", LOOP.replace("range(steps)", "range(1, steps)")),
    edit("one_step_more", "One step too many is made", LOOP.replace("range(steps)", "range(steps + 1)")),
    edit("always_one_step", "At least one step is made, also for steps = 0", LOOP.replace("range(steps)", "range(max(steps, 1))")),
    edit("history_late",
         "The history is recorded before each step and not after the last one, so the start appears twice and the "
         "end is missing",
         f"""
         for _ in range(steps):
             {RECORD}
             {STEP}
         """),
    edit("history_of_the_bound",
         "The history holds the bound with the responsibilities from before the M-step; the log-likelihood lies above it",
         """
         for _ in range(steps):
             resp = responsibilities(x, *params)
             params = m_step(x, resp, floor)
             history.append(elbo(x, resp, *params).mean())
         """),
    *(
        edit(f"stops_early_{power}", "EM stops as soon as the log-likelihood hardly changes; exactly `steps` steps are asked for",
             LOOP.rstrip() + f"\n    if abs(history[-1] - history[-2]) < 1e-{power}:\n        break\n")
        for power in (3, 6)
    ),
    *(
        edit(f"stops_without_gain_{power}", "EM stops as soon as the log-likelihood hardly rises, or falls; exactly `steps` steps are asked for",
             LOOP.rstrip() + f"\n    if history[-1] - history[-2] < 1e-{power}:\n        break\n")
        for power in (3, 6)
    ),
    *(
        edit(f"stops_early_and_pads_{power}",
             "EM stops as soon as the log-likelihood hardly changes, and repeats its last value; exactly `steps` steps are asked for",
             LOOP.rstrip() + f"\n    if abs(history[-1] - history[-2]) < 1e-{power}:\n        history += history[-1:] * (steps + 1 - len(history))\n        break\n")
        for power in (3, 6)
    ),
    *(
        edit(f"stops_without_gain_and_pads_{power}",
             "EM stops as soon as the log-likelihood hardly rises, or falls, and repeats its last value; exactly `steps` steps are asked for",
             LOOP.rstrip() + f"\n    if history[-1] - history[-2] < 1e-{power}:\n        history += history[-1:] * (steps + 1 - len(history))\n        break\n")
        for power in (3, 6)
    ),
    edit("stops_when_it_falls",
         "EM stops when the log-likelihood falls; the floor can make it fall, and exactly `steps` steps are asked for",
         LOOP.rstrip() + "\n    if history[-1] < history[-2]:\n        break\n"),
    edit("best_parameters_kept",
         "The parameters with the best log-likelihood are returned; those after the last step are asked for",
         f"""
         best = params
         for _ in range(steps):
             {STEP}
             {RECORD}
             best = params if history[-1] >= max(history) else best
         params = best
         """),
    edit("history_never_falls",
         "The history holds the best value so far; history[t] belongs to the parameters after t steps, also when it falls",
         LOOP.rstrip() + "\nhistory = list(torch.stack(history).cummax(0).values)\n"),
    edit("falling_steps_refused",
         "A step that lowers the log-likelihood is not taken; the floor can make it fall, and every step is asked for",
         f"""
         for _ in range(steps):
             before = params
             {STEP}
             {RECORD}
             if history[-1] < history[-2]:
                 params = before
         """),
    edit("history_running_mean", "The history holds the mean of the values so far; the value after each step is asked for",
         LOOP.rstrip() + "\nhistory = [sum(history[: t + 1]) / (t + 1) for t in range(len(history))]\n"),
    edit("history_with_old_weights", "The history is computed with new means and covariances but the old weights",
         f"""
         for _ in range(steps):
             old = params[0]
             {STEP}
             history.append(gmm_log_prob(x, old, *params[1:]).mean())
         """),
    edit("em_in_float32", "EM runs in float32 whatever the examples are; float64 must keep its digits",
         "\nx, params = x.float(), tuple(part.float() for part in params)\nhistory = [gmm_log_prob(x, *params).mean()]" + LOOP),
    edit("history_change", "The history holds changes of the log-likelihood after the first value; the values are asked for",
         LOOP.rstrip() + "\nhistory = history[:1] + [now - then for then, now in zip(history, history[1:])]\n"),
    edit("history_shifted",
         "The history begins after the first step and repeats its last value; history[0] belongs to the start",
         LOOP.rstrip() + "\nhistory = history[1:] + history[-1:]\n"),
    edit("history_starts_at_zero", "history[0] is 0, its place was never filled; it belongs to the start",
         LOOP.rstrip() + "\nhistory = [0 * history[0]] + history[1:]\n"),
    edit("weights_of_the_start_in_e_step", "The E-step uses the weights of the start in every step; it uses the present ones",
         LOOP.replace("responsibilities(x, *params)", "responsibilities(x, log_weights, *params[1:])")),
    edit("means_of_the_start_in_e_step", "The E-step uses the means of the start in every step; it uses the present ones",
         LOOP.replace("responsibilities(x, *params)", "responsibilities(x, params[0], means, params[2])")),
    edit("covariances_of_the_start_in_e_step",
         "The E-step uses the covariances of the start in every step; it uses the present ones",
         LOOP.replace("responsibilities(x, *params)", "responsibilities(x, *params[:2], covs)")),
    edit("history_median", "The history holds medians over the examples; the mean is asked for",
         "\n" + START.replace("mean", "median") + LOOP.replace(".mean()", ".median()")),
    edit("history_last_repeated",
         "The last value of the history is the one before it once more; it belongs to the parameters after the last step",
         LOOP.rstrip() + "\nhistory = history[:-1] + [history[max(len(history) - 2, 0)]]\n"),
    edit("history_constant", "All values of the history are that of the final parameters: they were recorded after the loop",
         f"""
         for _ in range(steps):
             {STEP}
         history = [gmm_log_prob(x, *params).mean()] * (steps + 1)
         """),
    edit("parameters_of_the_start", "The start is returned; the parameters after the last step are asked for",
         LOOP.rstrip() + "\nparams = (log_weights, means, covs)\n"),
    edit("parameters_one_step_back", "The parameters before the last step are returned; those after it are asked for",
         f"""
         before = params
         for _ in range(steps):
             before = params
             {STEP}
             {RECORD}
         params = before
         """),
    edit("weights_never_updated", "The weights stay those of the start; the M-step gives new ones",
         LOOP.replace("floor)\n", "floor); params = (log_weights, *params[1:])\n")),
    edit("means_never_updated", "The means stay those of the start; the M-step gives new ones",
         LOOP.replace("floor)\n", "floor); params = (params[0], means, params[2])\n")),
    edit("covariances_never_updated", "The covariances stay those of the start; the M-step gives new ones",
         LOOP.replace("floor)\n", "floor); params = (*params[:2], covs)\n")),
    edit("responsibilities_renewed_within",
         "The responsibilities are computed again between the new means and the covariances; one M-step uses one set",
         f"""
         for _ in range(steps):
             new = m_step(x, responsibilities(x, *params), floor)
             again = m_step(x, responsibilities(x, *new[:2], params[2]), floor)
             params = (*new[:2], again[2])
             {RECORD}
         """),
    edit("hard_em", "Each step assigns every example wholly to one component (k-means); EM shares it by the responsibilities",
         LOOP.replace("responsibilities(x, *params)", "F.one_hot(responsibilities(x, *params).argmax(1), len(means)).to(x)")),
    edit("floor_not_passed", "`fit_gmm_em` does not pass its floor on to `m_step`", LOOP.replace(", floor)", ")")),
    edit("floor_twice", "The floor is added again after `m_step`, which has added it already",
         LOOP.replace("floor)\n", "floor); params = (*params[:2], params[2] + floor * torch.eye(x.shape[1]).to(x))\n")),
    edit("floor_on_the_start", "The floor is added to the covariances of the start; they are taken as they are",
         "\nparams = (log_weights, means, covs + floor * torch.eye(x.shape[1]).to(x))\nhistory = [gmm_log_prob(x, *params).mean()]" + LOOP),
    edit("grad_switched_off", "`fit_gmm_em` switches gradients off for good (`torch.set_grad_enabled(False)`); all later training fails",
         LOOP.rstrip() + "\ntorch.set_grad_enabled(False)\n"),
)

mistakes.at(
    "return params, torch.stack(history)",
    edit("history_without_start", "The history lacks the value before the first step; steps + 1 values are asked for",
         "return params, torch.stack(history)[1:]"),
    edit("history_without_end", "The history lacks the value after the last step; steps + 1 values are asked for",
         "return params, torch.stack(history)[:-1]"),
    edit("history_only_last", "Only the last log-likelihood is returned; the history has steps + 1 values",
         "return params, history[-1]"),
    edit("history_reversed", "The history runs backwards; history[0] belongs to the start",
         "return params, torch.stack(history).flip(0)"),
    edit("history_in_float32",
         "The history is in float32 for float64 examples: it is made without the dtype of `x`, or converted",
         "return params, torch.stack(history).float()"),
    edit("parameters_in_float32", "The parameters come back in float32 for float64 examples",
         "return tuple(part.float() for part in params), torch.stack(history)"),
    edit("only_parameters", "`fit_gmm_em` returns the parameters alone; the history is missing", "return params"),
    edit("pair_not_nested", "`fit_gmm_em` returns four things; the three parameters belong into one tuple",
         "return *params, torch.stack(history)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@mistakes.rewrite("The covariances are taken around the old means; the M-step uses the new ones")
def old_means(ref):
    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        params = (log_weights, means, covs)
        history = [ref.gmm_log_prob(x, *params).mean()]
        for _ in range(steps):
            resp = ref.responsibilities(x, *params)
            old = params[1]
            log_weights, means, _ = ref.m_step(x, resp, floor)
            centred = x[:, None, :] - old
            owned = resp.sum(0).clamp_min(torch.finfo(x.dtype).tiny)
            covs = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / owned[:, None, None]
            params = (log_weights, means, covs + floor * torch.eye(x.shape[1]).to(x))
            history.append(ref.gmm_log_prob(x, *params).mean())
        return params, torch.stack(history)

    return {"fit_gmm_em": fit_gmm_em}


@mistakes.rewrite("`fit_gmm_em` changes the tensors of the start in place; work on new ones")
def start_overwritten(ref):
    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        history = [ref.gmm_log_prob(x, log_weights, means, covs).mean()]
        for _ in range(steps):
            new = ref.m_step(x, ref.responsibilities(x, log_weights, means, covs), floor)
            for part, value in zip((log_weights, means, covs), new, strict=True):
                part.copy_(value)
            history.append(ref.gmm_log_prob(x, log_weights, means, covs).mean())
        return (log_weights, means, covs), torch.stack(history)

    return {"fit_gmm_em": fit_gmm_em}

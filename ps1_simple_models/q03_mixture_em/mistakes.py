"""Named wrong versions of the answers to question 3."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- gmm_log_joint -------------------------------------------------------------------------------------------------

mistakes.at(
    "log_probs = [mvn_log_prob(x, mean, cov) for mean, cov in zip(means, covs, strict=True)]",
    edit("jitter",
         "A small number is added to the diagonal of the covariances; a component that is as narrow as this "
         "number then gets a wrong density",
         "log_probs = [mvn_log_prob(x, mean, cov + 1e-6 * torch.eye(len(cov)).to(cov)) for mean, cov in zip(means, covs, strict=True)]"),
)

mistakes.at(
    "return log_weights + torch.stack(log_probs, dim=-1)",
    edit("weights_missing",
         "The log-weights are left out of the log-joint; without them every component counts the same",
         "return torch.stack(log_probs, dim=-1)"),
    edit("weights_not_logged",
         "The weights themselves are added to a log-density; `log_weights` is already a logarithm, so no exp is needed",
         "return log_weights.exp() + torch.stack(log_probs, dim=-1)"),
    edit("weights_logged_twice",
         "A logarithm is taken of `log_weights`, which are logarithms already (and negative, so the result is NaN)",
         "return log_weights.log() + torch.stack(log_probs, dim=-1)"),
    edit("joint_in_float32",
         "The log-joint of float64 examples comes back in float32; a tensor that you fill (`torch.zeros`, "
         "`torch.empty`) needs the dtype of `x`",
         "return (log_weights + torch.stack(log_probs, dim=-1)).float()"),
)

# --- gmm_log_prob --------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
    edit("log_of_underflowed_sum",
         "The log-density takes exp of the log-joints before summing; far away all of them underflow to 0, and "
         "log 0 is −∞",
         "return gmm_log_joint(x, log_weights, means, covs).exp().sum(-1).log()"),
    edit("maximum_without_weights",
         "The log-density subtracts the largest log-density of a component, not the largest log-joint; where that "
         "component has hardly any weight the others underflow",
         "log_density = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs); top = log_density.amax(-1, keepdim=True); return (log_weights.exp() * (log_density - top).exp()).sum(-1).log() + top.squeeze(-1)"),
    edit("sum_of_logs",
         "The log-density sums the logs of the components; that is the log of a product of densities, not of their sum",
         "return gmm_log_joint(x, log_weights, means, covs).sum(-1)"),
    edit("average_of_logs",
         "The log-density is the weighted average of the components' log-densities; by Jensen that is only a "
         "lower bound",
         "return ((gmm_log_joint(x, log_weights, means, covs) - log_weights) * log_weights.exp()).sum(-1)"),
    edit("max_for_sum", "The log-density is that of the best component alone; all components add up",
         "return gmm_log_joint(x, log_weights, means, covs).max(-1).values"),
    edit("detached",
         "The log-density is cut off from the parameters' graph (detach, no_grad, .data or NumPy), so nothing can "
         "be trained through it",
         "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1).detach()"),
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
    edit("responsibilities_underflow",
         "The responsibilities divide underflowed densities; far from every component that is 0/0",
         "p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / p.sum(-1, keepdim=True)"),
    edit("responsibilities_with_epsilon",
         "A small constant in the denominator hides 0/0: far from every component the rows no longer sum to one; "
         "work in log-space",
         "p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / (p.sum(-1, keepdim=True) + 1e-10)"),
    edit("log_responsibilities", "The responsibilities are returned as logs; probabilities are asked for",
         "return torch.log_softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
    edit("hard_assignment", "The responsibilities are one-hot: that is k-means, not EM",
         "return F.one_hot(gmm_log_joint(x, log_weights, means, covs).argmax(-1), len(means)).to(x.dtype)"),
)

# --- m_step --------------------------------------------------------------------------------------------------------

mistakes.at(
    "counts = resp.sum(0)",
    edit("epsilon_in_counts",
         "A constant is added to the counts before dividing and taking logs; the weights no longer sum to one, "
         "and an empty component comes back to life",
         "counts = resp.sum(0) + 1e-3"),
)

mistakes.at(
    "owned = counts.clamp_min(torch.finfo(x.dtype).tiny)",
    edit("counts_limited",
         "The counts N_k get a lower limit, or a small constant, in the denominator; a component that owns less "
         "than that then gets a wrong mean and covariance",
         "owned = counts.clamp_min(1e-10)"),
    edit("empty_component",
         "A component that owns nothing gives 0/0 = NaN, which spreads to everything in the next step",
         "owned = counts"),
)

mistakes.at(
    "means = resp.T @ x / owned[:, None]",
    edit("means_divided_by_n",
         "The weighted sums of the means are divided by N; the total weight of component k is N_k",
         "means = resp.T @ x / len(x)"),
    edit("all_divided_by_n", "Means and covariances are divided by N; the total weight of component k is N_k",
         "means = resp.T @ x / len(x)", ("covs = scatter / owned[:, None, None]", "covs = scatter / len(x)")),
)

mistakes.at(
    "centred = x[:, None, :] - means",
    edit("global_mean",
         "The covariances are taken around the mean of all data; component k's covariance is around its own new mean",
         "centred = (x - x.mean(0))[:, None, :].expand(-1, resp.shape[1], -1)"),
    edit("second_moment", "The covariances are second moments E[xxᵀ]; the mean is not subtracted",
         "centred = x[:, None, :] - 0 * means"),
)

mistakes.at(
    "covs = scatter / owned[:, None, None]",
    edit("covs_divided_by_n", "The weighted scatter is divided by N; the total weight of component k is N_k",
         "covs = scatter / len(x)"),
    edit("unbiased_covariance", "The scatter is divided by N_k − 1; maximum likelihood divides by N_k",
         "covs = scatter / (owned - 1)[:, None, None]"),
    edit("uncentred",
         "The covariances are computed as E[xxᵀ] − μμᵀ; far from the origin the two large terms cancel and leave "
         "rounding errors",
         "covs = torch.einsum('nk,ni,nj->kij', resp, x, x) / owned[:, None, None] - means[:, :, None] * means[:, None, :]"),
    edit("global_shift",
         "The covariances are computed as E[yyᵀ] − E[y]E[y]ᵀ with y = x − mean of all data; for clusters far from "
         "each other that cancels as well: subtract each component's own mean",
         "y = x - x.mean(0); m = resp.T @ y / owned[:, None]; covs = torch.einsum('nk,ni,nj->kij', resp, y, y) / owned[:, None, None] - m[:, :, None] * m[:, None, :]"),
)

mistakes.at(
    " + floor * torch.eye",
    edit("floor_at_least", "The floor is never less than 10⁻⁶; it may be smaller, also 0",
         " + max(floor, 1e-6) * torch.eye"),
    edit("floor_squared", "The square of the floor is added; the floor is a variance already",
         " + floor**2 * torch.eye"),
)

mistakes.at(
    " + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)",
    edit("no_floor",
         "The argument `floor` is not added to the covariances: a component that owns one example gets a singular one",
         ""),
    edit("floor_everywhere", "The floor is added to every entry of the covariance; it belongs on the diagonal only",
         " + floor"),
    edit("floor_clamped", "The floor is used as a lower limit of the entries; it is to be added to the diagonal", "",
         ("return counts.log() - math.log(len(x)), means, covs", "covs.diagonal(dim1=1, dim2=2).clamp_(min=floor); return counts.log() - math.log(len(x)), means, covs")),
)

mistakes.at(
    "return counts.log() - math.log(len(x)), means, covs",
    edit("weights_unnormalised", "The new weights are the counts N_k; divided by N they sum to one",
         "return counts.log(), means, covs"),
    edit("weights_returned_plain", "The new weights are returned as probabilities; their logarithms are asked for",
         "return counts / len(x), means, covs"),
    edit("weights_over_components",
         "The new weights are the average responsibility over the wrong number: divided by K, not by N",
         "return counts.log() - math.log(resp.shape[1]), means, covs"),
    edit("m_step_in_float32",
         "The results of `m_step` come back in float32 for float64 examples; a tensor that you fill "
         "(`torch.zeros`, `torch.empty`) needs the dtype of `x`",
         "return (counts.log() - math.log(len(x))).float(), means.float(), covs.float()"),
    edit("diagonal_covariance",
         "Only variances are estimated and correlations are set to 0; the covariances are full matrices",
         "covs = torch.diag_embed(covs.diagonal(dim1=1, dim2=2)); return counts.log() - math.log(len(x)), means, covs"),
)

# --- elbo ----------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    log_joint = gmm_log_joint(x, log_weights, means, covs)
    energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)
    """,
    edit("prior_missing_in_bound",
         "The bound averages log p(x | z) instead of the log-joint log p(x, z): the log-weights are missing",
         """
         log_joint = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs)
         energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)
         """),
    edit("q_ignored",
         "The bound replaces the given q by the posterior, so it is always the log-likelihood; use the q that is "
         "passed in (q may be stale)",
         """
         log_joint = gmm_log_joint(x, log_weights, means, covs)
         resp = torch.softmax(log_joint, -1)
         energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)
         """),
)

mistakes.at(
    "energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)",
    edit("zero_times_infinity", "A label with q = 0 gives 0 · log 0 or 0 · (−∞) = NaN; it must contribute exactly 0",
         "energy = (resp * log_joint).sum(-1)"),
    edit("impossible_label_finite",
         "The bound is finite where q > 0 bets on an impossible label (ℓ = −∞); it is −∞ there (`nan_to_num` "
         "replaces infinities, too)",
         "energy = torch.nan_to_num(resp * log_joint, neginf=torch.finfo(x.dtype).min).sum(-1)"),
)

mistakes.at(
    "torch.where(resp > 0, resp",
    edit("impossible_label_skipped",
         "A label with ℓ = −∞ is left out of the bound although q > 0; only q = 0 makes a label count for "
         "nothing, here the bound is −∞",
         "torch.where(log_joint > -math.inf, resp"),
)

mistakes.at(
    "entropy = torch.special.entr(resp).sum(-1)",
    edit("zero_log_zero", "q log q is NaN at q = 0; its limit, and the right value, is 0",
         "entropy = -(resp * resp.log()).sum(-1)"),
)

mistakes.at(
    "return energy + entropy",
    edit("entropy_missing", "The bound lacks the entropy of q, −Σ q log q", "return energy"),
    edit("entropy_sign", "The entropy of q is subtracted; −log q is added inside the average",
         "return energy - entropy"),
    edit("bound_by_posterior",
         "The bound takes the logarithm of responsibilities, which underflow to 0 far from a component; take "
         "log-responsibilities, or the log-joint",
         "posterior = torch.softmax(log_joint, -1); kl = torch.where(resp > 0, resp * (resp.log() - posterior.log()), torch.zeros_like(resp)).sum(-1); return torch.logsumexp(log_joint, -1) - kl"),
    edit("bound_averaged", "The bound is averaged over the examples; one value per example is asked for",
         "return (energy + entropy).mean()"),
    edit("bound_sign", "The negative bound is returned (a loss); the bound itself is asked for",
         "return -(energy + entropy)"),
)

# --- fit_gmm_em ----------------------------------------------------------------------------------------------------

mistakes.at(
    "history = [gmm_log_prob(x, *params).mean()]",
    edit("history_summed", "The history holds sums over the examples; the mean per example is asked for",
         "history = [gmm_log_prob(x, *params).sum()]",
         ("history.append(gmm_log_prob(x, *params).mean())", "history.append(gmm_log_prob(x, *params).sum())")),
    edit("history_negated", "The history holds the negative log-likelihood; the log-likelihood is asked for",
         "history = [-gmm_log_prob(x, *params).mean()]",
         ("history.append(gmm_log_prob(x, *params).mean())", "history.append(-gmm_log_prob(x, *params).mean())")),
)

mistakes.at(
    """
    for _ in range(steps):
        params = m_step(x, responsibilities(x, *params), floor)
    """,
    edit("stale_responsibilities",
         "The responsibilities are computed once, before the loop; every step needs new ones, from the current "
         "parameters",
         """
         for _ in range(steps):
             params = m_step(x, responsibilities(x, log_weights, means, covs), floor)
         """),
)

mistakes.at(
    "for _ in range(steps):",
    edit("one_step_missing", "One step too few is made", "for _ in range(1, steps):"),
)

mistakes.at(
    """
    params = m_step(x, responsibilities(x, *params), floor)
    history.append(gmm_log_prob(x, *params).mean())
    """,
    edit("history_late",
         "The history is recorded before each step and not after the last one, so the start appears twice and the "
         "end is missing",
         """
         history.append(gmm_log_prob(x, *params).mean())
         params = m_step(x, responsibilities(x, *params), floor)
         """),
)

mistakes.at(
    "params = m_step(x, responsibilities(x, *params), floor)",
    edit("floor_not_passed", "`fit_gmm_em` does not pass its floor on to `m_step`",
         "params = m_step(x, responsibilities(x, *params))"),
)

mistakes.at(
    """
    history.append(gmm_log_prob(x, *params).mean())
    """,
    edit("stops_early", "EM stops as soon as the log-likelihood hardly changes; exactly `steps` steps are asked for",
         """
         history.append(gmm_log_prob(x, *params).mean())
         if abs(history[-1] - history[-2]) < 1e-5:
             break
         """),
)

mistakes.at(
    "return params, torch.stack(history)",
    edit("history_without_start", "The history lacks the value before the first step; steps + 1 values are asked for",
         "return params, torch.stack(history)[1:] if steps else torch.zeros(0)"),
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
            covs = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / resp.sum(0)[:, None, None]
            params = (log_weights, means, covs + floor * torch.eye(x.shape[1]))
            history.append(ref.gmm_log_prob(x, *params).mean())
        return params, torch.stack(history)

    return {"fit_gmm_em": fit_gmm_em}

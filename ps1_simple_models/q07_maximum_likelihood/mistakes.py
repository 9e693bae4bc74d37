"""Named wrong versions of the answers to question 7."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- cross_entropy -------------------------------------------------------------------------------------------------

mistakes.at(
    "return -torch.xlogy(p, q).sum(-1)",
    edit("ce_reversed", "`cross_entropy` averages log p under q; the expectation is under the first argument",
         "return -torch.xlogy(q, p).sum(-1)"),
)

# --- kl_divergence -------------------------------------------------------------------------------------------------

mistakes.at(
    "return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)",
    edit("kl_reversed", "`kl_divergence` computes KL(q || p): the direction is reversed",
         "return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)"),
    edit("kl_nan", "`kl_divergence` gives NaN where p is zero (0 times the log of 0)",
         "return (p * (p.log() - q.log())).sum(-1)"),
    edit("kl_epsilon",
         "`kl_divergence` adds an epsilon inside its logarithms, so an impossible value costs a finite amount "
         "instead of +inf",
         "return (p * ((p + 1e-12).log() - (q + 1e-12).log())).sum(-1)"),
)

# --- bernoulli_nll -------------------------------------------------------------------------------------------------

mistakes.at(
    """
    losses = (1 - targets) * F.softplus(logits) + targets * F.softplus(-logits)
    """,
    edit("bce_naive", "`bernoulli_nll` takes the logarithm of a rounded sigmoid, which is 0 or 1 for large logits",
         """
         q = torch.sigmoid(logits)
         losses = -targets * q.log() - (1 - targets) * (1 - q).log()
         """),
)

mistakes.at(
    "losses = (1 - targets) * F.softplus(logits) + targets * F.softplus(-logits)",
    edit("bce_ones_only",
         "`bernoulli_nll` uses P(x = 1) for every pixel, also where x = 0: the term with 1 - t is missing",
         "losses = targets * F.softplus(-logits)"),
    edit("bce_kink",
         "`bernoulli_nll` has a wrong gradient at a logit of exactly 0, where every model that starts at zero "
         "begins: max(a, 0) and |a| have a kink there, their sum has none, but autograd differentiates each alone",
         "losses = logits.clamp(min=0) - logits * targets + torch.log1p(torch.exp(-logits.abs()))"),
)

mistakes.at(
    "return losses.sum(1).mean()",
    edit("bce_mean_all",
         "`bernoulli_nll` averages over dimensions too; sum over them, then average over the examples",
         "return losses.mean()"),
)

# --- ridge_map -----------------------------------------------------------------------------------------------------

mistakes.at(
    "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance",
    edit("ridge_factor",
         "`ridge_map`: the factors 1/2 of the two terms of (7.4) are treated differently, so the prior counts twice",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * 2 / prior_variance"),
    edit("ridge_times_n",
         "`ridge_map` counts the prior N times: the squared errors are averaged, but the penalty is not divided by N",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * len(x) / prior_variance"),
)

# --- l2_coefficient ------------------------------------------------------------------------------------------------

mistakes.at(
    "return noise_variance / (prior_variance * num_examples)",
    edit("l2_no_n",
         "`l2_coefficient` lacks 1/N: in a mean loss the prior, which counts once, is divided by N as well",
         "return noise_variance / prior_variance"),
    edit("l2_half", "`l2_coefficient` is half of the right one: both terms of (7.4) have a factor 1/2",
         "return noise_variance / (2 * prior_variance * num_examples)"),
    edit("l2_double", "`l2_coefficient` is twice the right one: both terms of (7.4) have a factor 1/2",
         "return 2 * noise_variance / (prior_variance * num_examples)"),
)

# --- gaussians_to_softmax ------------------------------------------------------------------------------------------

mistakes.at(
    "return weights, log_prior - 0.5 * (weights * means).sum(1)",
    edit("gda_no_square",
         "`gaussians_to_softmax`: b lacks the term quadratic in the mean, which differs between classes",
         "return weights, log_prior"),
    edit("gda_no_prior", "`gaussians_to_softmax`: b lacks the log-prior",
         "return weights, -0.5 * (weights * means).sum(1)"),
)

# --- naive_bayes_log_posterior -------------------------------------------------------------------------------------

mistakes.at(
    """
    log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
    """,
    edit("nb_clamped",
         "`naive_bayes_log_posterior` clamps or shifts theta before the logarithm; theta is never 0 or 1, and a "
         "pixel that is rare for one class and rarer for another is evidence",
         """
         theta = theta.clamp(1e-6, 1 - 1e-6)
         log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         """),
)

mistakes.at(
    "log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T",
    edit("nb_ones_only",
         "`naive_bayes_log_posterior` counts only the pixels that are 1: P(x_d = 1) is used where p(x_d) is "
         "meant, and a dark pixel is evidence too",
         "log_joint = log_prior + x @ theta.log().T"),
    edit("nb_underflow",
         "`naive_bayes_log_posterior` multiplies probabilities, which underflow to 0 with many pixels",
         "log_joint = (log_prior.exp() * torch.where(x[:, None] > 0.5, theta, 1 - theta).prod(-1)).log()"),
)

mistakes.at(
    """
    return torch.log_softmax(log_joint, dim=1)
    """,
    edit("nb_global_max",
         "`naive_bayes_log_posterior` subtracts one maximum from all examples: a row that lies far below it underflows",
         """
         log_joint = log_joint - log_joint.max()
         return log_joint - log_joint.exp().sum(1, keepdim=True).log()
         """),
)

mistakes.at(
    "return torch.log_softmax(log_joint, dim=1)",
    edit("nb_log_of_softmax",
         "`naive_bayes_log_posterior` takes the logarithm of a softmax, which is rounded to 0 for unlikely classes",
         "return torch.softmax(log_joint, dim=1).log()"),
)

# --- num_parameters ------------------------------------------------------------------------------------------------

mistakes.at(
    "rows = math.prod(cardinalities[max(0, i - memory) : i])",
    edit("count_float",
         "`num_parameters` multiplies in floating point, where whole numbers are exact only up to 2**53",
         "rows = int(math.prod(map(float, cardinalities[max(0, i - memory) : i])))"),
    edit("count_wraps",
         "`num_parameters`: for the first variables the slice begins at a negative index, which Python counts "
         "from the end",
         "rows = math.prod(cardinalities[i - memory : i])"),
)

mistakes.at(
    "total += rows * (k - 1)",
    edit("count_not_minus_one", "`num_parameters` counts k numbers per row; they sum to one, so k - 1 are free",
         "total += rows * k"),
    edit("count_first_skipped",
         "`num_parameters` forgets the first variables, which have fewer than m parents but still a table",
         "total += rows * (k - 1) if i >= min(memory, len(cardinalities) - 1) else 0"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("`ridge_map` penalises the bias too; there is no prior on it")
def ridge_bias_penalised(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        ones = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        eye = torch.eye(ones.shape[1], dtype=x.dtype, device=x.device)
        solution = torch.linalg.solve(ones.T @ ones + noise_variance / prior_variance * eye, ones.T @ y)
        return solution[:-1], solution[-1]

    return {"ridge_map": ridge_map}


@mistakes.rewrite("`ridge_map` loses its digits for data far from zero, as in float32 the sums of squares are almost all mean; subtract the means first")
def ridge_not_centred(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        ones = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        penalty = torch.full_like(ones[0], noise_variance / prior_variance)
        penalty[-1] = 0
        solution = torch.linalg.solve(ones.T @ ones + torch.diag(penalty), ones.T @ y)
        return solution[:-1], solution[-1]

    return {"ridge_map": ridge_map}

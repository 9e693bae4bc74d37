"""Named wrong versions of the answers to question 2."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- exact_posterior -------------------------------------------------------------------------------------------------

mistakes.at(
    "log_evidence = log_joint.logsumexp(1)",
    edit("posterior_underflow", "`exact_posterior` leaves the logarithm before it sums; exp of -1000 is rounded to 0, and exp of 1000 overflows",
         "log_evidence = log_joint.exp().sum(1).log()"),
    edit("posterior_epsilon", "`exact_posterior` adds an epsilon of 1e-10 to the sum before the logarithm; for an unlikely image the sum is far smaller",
         "log_evidence = (log_joint.exp().sum(1) + 1e-10).log()"),
    edit("posterior_epsilon_eight", "`exact_posterior` adds an epsilon of 1e-8 to the sum before the logarithm; for an unlikely image the sum is far smaller",
         "log_evidence = (log_joint.exp().sum(1) + 1e-8).log()"),
    edit("posterior_epsilon_twelve", "`exact_posterior` adds an epsilon of 1e-12 to the sum before the logarithm; for an unlikely image the sum is far smaller",
         "log_evidence = (log_joint.exp().sum(1) + 1e-12).log()"),
    edit("posterior_clamped", "`exact_posterior` clamps the sum before the logarithm; for an unlikely image the sum is far smaller",
         "log_evidence = log_joint.exp().sum(1).clamp(min=1e-12).log()"),
    edit("posterior_sum_of_logs", "`exact_posterior` adds up logarithms, which is the logarithm of a product; p(x) is a sum over causes",
         "log_evidence = log_joint.sum(1)"),
    edit("posterior_mean_of_logs", "`exact_posterior` averages logarithms; p(x) is a sum over causes", "log_evidence = log_joint.mean(1)"),
    edit("posterior_mean", "`exact_posterior` averages over the causes, log p(x) comes out log K too small; the prior is in the joint already",
         "log_evidence = log_joint.logsumexp(1) - math.log(log_joint.shape[1])"),
    edit("posterior_largest", "`exact_posterior` takes the best cause alone for log p(x); all causes add up", "log_evidence = log_joint.amax(1)"),
    edit("posterior_normalised_twice", "`exact_posterior` normalises the joint first, so log p(x) is 0 for every image", "log_evidence = log_joint.log_softmax(1).logsumexp(1)"),
    edit("posterior_common_maximum", "`exact_posterior` subtracts the largest value of *all* examples before exp; an example far below it still underflows",
         "top = log_joint.max(); log_evidence = top + (log_joint - top).exp().sum(1).log()"),
    edit("posterior_maximum_lost", "`exact_posterior` subtracts the maximum before exp, and does not add it again",
         "log_evidence = (log_joint - log_joint.amax(1, keepdim=True)).exp().sum(1).log()"),
    edit("posterior_over_examples", "`exact_posterior` adds up over the examples; p(x) of one example is the sum over its causes",
         "log_evidence = log_joint.logsumexp(0)", ("return log_evidence, log_joint - log_evidence[:, None]", "return log_evidence, log_joint - log_evidence")),
    edit("posterior_bits", "`exact_posterior` takes logarithms to base 2 of the sum; nats are asked for", "log_evidence = log_joint.logsumexp(1) / math.log(2)"),
    edit("posterior_evidence_sign", "`exact_posterior` has log p(x) with the wrong sign", "log_evidence = -log_joint.logsumexp(1)"),
)

mistakes.at(
    "return log_evidence, log_joint - log_evidence[:, None]",
    edit("posterior_probabilities", "`exact_posterior` returns probabilities; log p(z | x) is asked for", "return log_evidence, (log_joint - log_evidence[:, None]).exp()"),
    edit("posterior_of_examples", "`exact_posterior` normalises over the examples; the causes of one example sum to one", "return log_evidence, log_joint.log_softmax(0)"),
    edit("posterior_top", "`exact_posterior` divides by the largest p(x, z) of the example; divided by p(x), the posterior sums to one", "return log_evidence, log_joint - log_joint.amax(1, keepdim=True)"),
    edit("posterior_joint", "`exact_posterior` returns the joint for the posterior; it is to be divided by p(x)", "return log_evidence, log_joint"),
    edit("posterior_added", "`exact_posterior` adds log p(x); a quotient subtracts it", "return log_evidence, log_joint + log_evidence[:, None]"),
    edit("posterior_divided", "`exact_posterior` divides by log p(x); the logarithm of a quotient is a difference", "return log_evidence, log_joint / log_evidence[:, None]"),
    edit("posterior_total", "`exact_posterior` subtracts the logarithm of the whole table's sum; each example is divided by its own p(x)",
         "return log_evidence, log_joint - log_joint.flatten().logsumexp(0)"),
    edit("posterior_evidence_itself", "`exact_posterior` returns p(x); its logarithm is asked for", "return log_evidence.exp(), log_joint - log_evidence[:, None]"),
    edit("posterior_swapped", "`exact_posterior` returns the posterior first; log p(x) comes first", "return log_joint - log_evidence[:, None], log_evidence"),
    edit("posterior_one_evidence", "`exact_posterior` adds up log p(x) over the examples; one number for each is asked for", "return log_evidence.sum(), log_joint - log_evidence[:, None]"),
    edit("posterior_mean_evidence", "`exact_posterior` averages log p(x) over the examples; one number for each is asked for", "return log_evidence.mean(), log_joint - log_evidence[:, None]"),
    edit("posterior_column", "`exact_posterior` returns log p(x) as a column (N, 1); shape (N,) is asked for", "return log_evidence[:, None], log_joint - log_evidence[:, None]"),
    edit("posterior_of_the_probabilities", "`exact_posterior` takes the softmax of the posterior once more", "return log_evidence, log_joint.softmax(1).log_softmax(1)"),
    edit("posterior_log_of_softmax", "`exact_posterior` takes the logarithm of a softmax, which is rounded to 0 for causes that explain the image badly",
         "return log_evidence, log_joint.softmax(1).log()"),
    edit("posterior_floor", "`exact_posterior` puts 1e-12 below every probability, so an impossible cause becomes possible",
         "return log_evidence, log_joint.softmax(1).clamp(min=1e-12).log()"),
    edit("posterior_finite", "`exact_posterior` replaces -inf by a finite number, so an impossible cause becomes possible", "return log_evidence, (log_joint - log_evidence[:, None]).nan_to_num(neginf=-100.0)"),
)

# --- elbo ------------------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1)",
    edit("elbo_nan", "`elbo` is NaN where q is 0, as 0·(-inf) is; such a term is 0", "return (q * (log_joint - log_q)).sum(1)"),
    edit("elbo_nan_to_num", "`elbo` replaces NaN and infinities of the logarithms by finite numbers, so a q on an impossible cause costs a finite amount",
         "return (q * (log_joint.nan_to_num() - log_q.nan_to_num())).sum(1)"),
    edit("elbo_clamped", "`elbo` clamps log p(x, z) at -100; an unlikely image has smaller values", "return torch.where(q > 0, q * (log_joint.clamp(min=-100) - log_q), 0).sum(1)"),
    edit("elbo_nan_impossible", "`elbo` is NaN where q is 0 and the cause is impossible, as 0·(-inf) is; such a term is 0",
         "return (q * log_joint).sum(1) - torch.xlogy(q, q).sum(1)"),
    edit("elbo_tiny_q", "`elbo` is -inf at an impossible cause with q = 0, as if q were tiny there; such a term is 0",
         "return (log_q.clamp(min=-100).exp() * (log_joint - log_q.clamp(min=-100))).sum(1)"),
    edit("elbo_finite_terms", "`elbo` replaces an infinite term by a finite one; where q believes in an impossible cause, the bound is -inf",
         "return (q * (log_joint - log_q)).nan_to_num().sum(1)"),
    edit("elbo_impossible_zero", "`elbo` takes 0 for log p(x, z) of an impossible cause; if q believes in one, the bound is -inf",
         "return torch.where(q > 0, q * (log_joint.nan_to_num(neginf=0.0) - log_q), 0).sum(1)"),
    edit("elbo_impossible_finite", "`elbo` takes -1e9 for log p(x, z) of an impossible cause; if q believes in one, the bound is -inf",
         "return torch.where(q > 0, q * (log_joint.clamp(min=-1e9) - log_q), 0).sum(1)"),
    edit("elbo_skips_impossible", "`elbo` leaves out the impossible causes; if q believes in one, the bound is -inf",
         "return torch.where((q > 0) & (log_joint > -math.inf), q * (log_joint - log_q), 0).sum(1)"),
    edit("elbo_entropy_sign", "`elbo` subtracts the entropy of q; it is added, as -log q is", "return torch.where(q > 0, q * (log_joint + log_q), 0).sum(1)"),
    edit("elbo_no_entropy", "`elbo` lacks the entropy of q: only the mean of log p(x, z) is there", "return torch.where(q > 0, q * log_joint, 0).sum(1)"),
    edit("elbo_only_entropy", "`elbo` is the entropy of q alone; the mean of log p(x, z) is missing", "return torch.where(q > 0, -q * log_q, 0).sum(1) + 0 * torch.where(q > 0, log_joint, 0).sum(1)"),
    edit("elbo_negative", "`elbo` has the wrong sign: it is the loss, minus the ELBO", "return torch.where(q > 0, q * (log_q - log_joint), 0).sum(1)"),
    edit("elbo_mean", "`elbo` averages over the K causes; q is the weight already, so the terms are summed", "return torch.where(q > 0, q * (log_joint - log_q), 0).mean(1)"),
    edit("elbo_batch_mean", "`elbo` averages over the examples; one number for each is asked for", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1).mean()"),
    edit("elbo_batch_sum", "`elbo` adds up the examples; one number for each is asked for", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum()"),
    edit("elbo_other_axis", "`elbo` sums over the examples; the causes lie along the last axis", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(0)"),
    edit("elbo_unweighted", "`elbo` adds up log p(x, z) - log q(z) without the weights q", "return torch.where(q > 0, log_joint - log_q, 0).sum(1)"),
    edit("elbo_even_mean", "`elbo` averages log p(x, z) - log q(z) over the causes evenly; the weights are q",
         "return (log_joint - log_q).mean(1) + 0 * q.sum(1)"),
    edit("elbo_joint_itself", "`elbo` uses p(x, z) where its logarithm is asked for", "return torch.where(q > 0, q * (log_joint.exp() - log_q), 0).sum(1)"),
    edit("elbo_weights_logs", "`elbo` weighs with log q; the weights are the probabilities q", "return torch.where(q > 0, log_q * (log_joint - log_q), 0).sum(1)"),
    edit("elbo_posterior_inside", "`elbo` puts the posterior in the place of the joint, which gives minus the gap; log p(x) is missing",
         "return torch.where(q > 0, q * (log_joint.log_softmax(1) - log_q), 0).sum(1)"),
    edit("elbo_gap", "`elbo` is the gap, KL(q || posterior); the ELBO is log p(x) minus it", "return torch.where(q > 0, q * (log_q - log_joint.log_softmax(1)), 0).sum(1)"),
    edit("elbo_posterior_weights", "`elbo` averages over the posterior; the expectation is under q", "p = log_joint.softmax(1); return torch.where(p > 0, p * (log_joint - log_q), 0).sum(1)"),
    edit("elbo_log_mean", "`elbo` takes the logarithm of the mean of p(x, z)/q(z), which is log p(x) for any q; the mean of the logarithm is asked for",
         "return torch.where(q > 0, log_joint, -math.inf).logsumexp(1) + 0 * q.sum(1)"),
    edit("elbo_of_posterior", "`elbo` does not look at q: it is log p(x)", "return log_joint.logsumexp(1) + 0 * q.sum(1)"),
    edit("elbo_bits", "`elbo` is in bits; nats are asked for", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1) / math.log(2)"),
    edit("elbo_detached", "`elbo` detaches q in the weights; its gradient in q needs them", "return torch.where(q > 0, q.detach() * (log_joint - log_q), 0).sum(1)"),
    edit("elbo_no_gradient", "`elbo` carries no gradient", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1).detach()"),
    edit("elbo_joint_detached", "`elbo` detaches the joint, so the model cannot be trained by it", "return torch.where(q > 0, q * (log_joint.detach() - log_q), 0).sum(1)"),
    edit("elbo_hard", "`elbo` looks at q's best cause alone", "best = log_q.argmax(1, keepdim=True); return (log_joint - log_q).gather(1, best)[:, 0]"),
    edit("elbo_entropy_bits", "`elbo` has the entropy of q in bits, and the rest in nats", "return torch.where(q > 0, q * (log_joint - log_q / math.log(2)), 0).sum(1)"),
    edit("elbo_from_the_joint", "`elbo` leaves the logarithm of the joint, and exp of it is rounded to 0, so a possible cause becomes impossible",
         "return torch.where(q > 0, q * (log_joint.exp().log() - log_q), 0).sum(1)"),
    edit("elbo_from_the_posterior", "`elbo` takes probabilities of the posterior, which are rounded to 0, so a possible cause becomes impossible",
         "return log_joint.logsumexp(1) + torch.where(q > 0, q * (log_joint.softmax(1).log() - log_q), 0).sum(1)"),
    edit("elbo_entropy_half", "`elbo` halves the entropy of q", "return torch.where(q > 0, q * (log_joint - 0.5 * log_q), 0).sum(1)"),
    edit("elbo_entropy_twice", "`elbo` counts the entropy of q twice", "return torch.where(q > 0, q * (log_joint - 2 * log_q), 0).sum(1)"),
    edit("elbo_uniform_prior", "`elbo` subtracts log K; the prior is in the joint already", "return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1) - math.log(log_q.shape[1])"),
    edit("elbo_threshold", "`elbo` leaves out causes with q below 1e-6; tiny is not 0", "return torch.where(q > 1e-6, q * (log_joint - log_q), 0).sum(1)"),
    edit("elbo_epsilon", "`elbo` adds an epsilon of 1e-6 to q inside the logarithm", "return torch.where(q > 0, q * (log_joint - (q + 1e-6).log()), 0).sum(1)"),
    edit("elbo_epsilon_eight", "`elbo` adds an epsilon of 1e-8 to q inside the logarithm", "return torch.where(q > 0, q * (log_joint - (q + 1e-8).log()), 0).sum(1)"),
    edit("elbo_float32", "`elbo` computes in float32 whatever its arguments are", "return torch.where(q > 0, q * (log_joint - log_q), 0).float().sum(1).double()"),
)

mistakes.at(
    "q = log_q.exp()\n",
    edit("elbo_q_is_log", "`elbo` takes log_q for q", "q = log_q.abs()\n"),
)


@mistakes.rewrite("`elbo` has its arguments exchanged: it averages under the joint")
def elbo_exchanged(ref):
    return {"elbo": lambda log_joint, log_q: ref.elbo(log_q, log_joint)}


# --- split_mean_kl ---------------------------------------------------------------------------------------------------

mistakes.at(
    "log_prior = log_q.new_full(log_q.shape[1:], -math.log(log_q.shape[1]))",
    edit("split_zero_prior", "`split_mean_kl` takes log p(z) = 0 where no prior is given; a uniform prior has -log K",
         "log_prior = log_q.new_zeros(log_q.shape[1:])"),
    edit("split_prior_of_examples", "`split_mean_kl` takes 1/N for the uniform prior; it is 1/K",
         "log_prior = log_q.new_full(log_q.shape[1:], -math.log(log_q.shape[0]))"),
    edit("split_prior_not_log", "`split_mean_kl` takes 1/K for log p(z) where no prior is given; its logarithm is needed",
         "log_prior = log_q.new_full(log_q.shape[1:], 1 / log_q.shape[1])"),
    edit("split_own_prior", "`split_mean_kl` has 0 for the second part where no prior is given, as if q̄ were the prior; all K causes are equally likely then",
         "log_prior = log_q.exp().mean(0).clamp(min=1e-300).log()"),
)

mistakes.at(
    "if log_prior is None:",
    edit("split_always_uniform", "`split_mean_kl` takes a uniform prior even if another is given", "if True:"),
)

mistakes.at(
    "q, mean_q = log_q.exp(), log_q.exp().mean(0)",
    edit("split_geometric", "`split_mean_kl` averages the logarithms for the aggregate posterior; probabilities are averaged",
         "q, mean_q = log_q.exp(), log_q.mean(0).softmax(0)"),
    edit("split_geometric_raw", "`split_mean_kl` takes exp of the mean logarithm for the aggregate posterior; probabilities are averaged, and then sum to one",
         "q, mean_q = log_q.exp(), log_q.mean(0).exp()"),
    edit("split_sum", "`split_mean_kl` adds up the q for the aggregate posterior; their mean is asked for", "q, mean_q = log_q.exp(), log_q.exp().sum(0)"),
    edit("split_first", "`split_mean_kl` takes the first image's q for the aggregate posterior", "q, mean_q = log_q.exp(), log_q.exp()[0]"),
    edit("split_half_of_the_images", "`split_mean_kl` makes the aggregate posterior from the first half of the images",
         "q, mean_q = log_q.exp(), log_q.exp()[: (len(log_q) + 1) // 2].mean(0)"),
    edit("split_over_causes", "`split_mean_kl` averages q over the causes, which gives 1/K; the aggregate posterior is a mean over the images alone",
         "q, mean_q = log_q.exp(), log_q.exp().mean(1, keepdim=True).expand_as(log_q).mean(0)"),
    edit("split_smoothed", "`split_mean_kl` adds an epsilon to the aggregate posterior", "q, mean_q = log_q.exp(), log_q.exp().mean(0) + 1e-6"),
    edit("split_most_probable", "`split_mean_kl` counts only the most probable cause of each image for the aggregate posterior",
         "q, mean_q = log_q.exp(), (log_q == log_q.amax(1, keepdim=True)).to(log_q).mean(0)"),
)

mistakes.at(
    "minus_entropy = torch.xlogy(mean_q, mean_q).sum()",
    edit("split_entropy_mean", "`split_mean_kl` averages the terms of the aggregate posterior over the causes; they are summed", "minus_entropy = torch.xlogy(mean_q, mean_q).mean()"),
    edit("split_nan_aggregate", "`split_mean_kl` is NaN if some cause has no mass in any image, as 0·(-inf) is; such a term is 0",
         "minus_entropy = (mean_q * mean_q.log()).sum()"),
    edit("split_unweighted_aggregate", "`split_mean_kl` adds up log q̄ without the weights q̄", "minus_entropy = torch.where(mean_q > 0, mean_q.log(), 0).sum()"),
)

mistakes.at(
    "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()",
    edit("split_nan", "`split_mean_kl` is NaN where q is 0, as 0·(-inf) is; such a term is 0",
         "return (q * log_q).sum(1).mean() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_nan_marginal", "`split_mean_kl` has NaN for the second part if some cause has no mass in any image, as 0·(-inf) is; such a term is 0",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, (mean_q * (mean_q.log() - log_prior)).sum()"),
    edit("split_nan_both", "`split_mean_kl` is NaN where a q, or the mean of all, is 0, as 0·(-inf) is; such a term is 0",
         "return (q * (log_q - mean_q.log())).sum(1).mean(), (mean_q * (mean_q.log() - log_prior)).sum()"),
    edit("split_limit", "`split_mean_kl` takes log N for I, which is only its limit", "whole = torch.xlogy(q, q).sum(1).mean() - (mean_q * log_prior).sum(); return whole * 0 + math.log(len(q)), whole - math.log(len(q))"),
    edit("split_batchmean", "`split_mean_kl` divides KL(q̄ || p) by K, as `kl_div` with batchmean does for a single distribution, and takes what is left of the mean KL for I",
         "rest = minus_entropy - (mean_q * log_prior).sum(); return torch.xlogy(q, q).sum(1).mean() - minus_entropy + rest * (1 - 1 / len(mean_q)), rest / len(mean_q)"),
    edit("split_kl_div_mean", "`split_mean_kl` divides both by K, as `kl_div` with reduction mean does; the terms are summed over the causes",
         "return (torch.xlogy(q, q).sum(1).mean() - minus_entropy) / len(mean_q), (minus_entropy - (mean_q * log_prior).sum()) / len(mean_q)"),
    edit("split_summed_information", "`split_mean_kl` adds up the information of the images; their mean is asked for",
         "return torch.xlogy(q, q).sum() - len(q) * minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_sign", "`split_mean_kl` has I with the wrong sign: the entropy of the mean exceeds the mean of the entropies",
         "return minus_entropy - torch.xlogy(q, q).sum(1).mean(), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_plus", "`split_mean_kl` adds the two entropies for I; their difference is asked for",
         "return -torch.xlogy(q, q).sum(1).mean() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_mean_kl_for_I", "`split_mean_kl` returns the whole mean KL for I; KL(q̄ || p) is to be taken off",
         "return torch.xlogy(q, q).sum(1).mean() - (mean_q * log_prior).sum(), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_entropy_for_I", "`split_mean_kl` returns the entropy of the aggregate posterior for I; the mean entropy of the codes is to be taken off",
         "return -minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_codes_entropy_for_I", "`split_mean_kl` returns the mean entropy of the codes for I",
         "return -torch.xlogy(q, q).sum(1).mean(), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_sum_over_images", "`split_mean_kl` adds up the entropies of the images; their mean is asked for",
         "return torch.xlogy(q, q).sum() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_mean_over_all", "`split_mean_kl` averages q log q over images and causes; it is summed over causes",
         "return torch.xlogy(q, q).mean() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_reversed", "`split_mean_kl` has the marginal KL the other way round, KL(p || q̄)",
         "p = log_prior.exp(); return torch.xlogy(q, q).sum(1).mean() - minus_entropy, (p * log_prior).sum() - torch.xlogy(p, mean_q).sum()"),
    edit("split_cross_entropy", "`split_mean_kl` returns the cross-entropy of q̄ and the prior; the entropy of q̄ is to be taken off",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, -(mean_q * log_prior).sum()"),
    edit("split_whole_for_rest", "`split_mean_kl` returns the whole mean KL for the second part",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, torch.xlogy(q, q).sum(1).mean() - (mean_q * log_prior).sum()"),
    edit("split_kl_of_first", "`split_mean_kl` returns the KL of the first image for the second part",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, (torch.xlogy(q[0], q[0]) - q[0] * log_prior).sum()"),
    edit("split_exchanged", "`split_mean_kl` returns its two parts in the wrong order: I comes first",
         "return minus_entropy - (mean_q * log_prior).sum(), torch.xlogy(q, q).sum(1).mean() - minus_entropy"),
    edit("split_bits", "`split_mean_kl` is in bits; nats are asked for",
         "return (torch.xlogy(q, q).sum(1).mean() - minus_entropy) / math.log(2), (minus_entropy - (mean_q * log_prior).sum()) / math.log(2)"),
    edit("split_per_image", "`split_mean_kl` returns one I for each image; their mean is asked for",
         "return torch.xlogy(q, q).sum(1) - torch.xlogy(q, mean_q).sum(1), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_prior_sign", "`split_mean_kl` adds the mean of log p(z); it is subtracted",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, minus_entropy + (mean_q * log_prior).sum()"),
    edit("split_prior_probabilities", "`split_mean_kl` takes log_prior for probabilities and exp of it for the logarithm",
         "return torch.xlogy(q, q).sum(1).mean() - minus_entropy, minus_entropy - (mean_q * log_prior.exp()).sum()"),
    edit("split_reversed_information", "`split_mean_kl` averages KL(q̄ || q) for I; each image's q comes first",
         "return (torch.xlogy(mean_q, mean_q) - mean_q * log_q.clamp(min=-1e4)).sum(1).mean(), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_normalised", "`split_mean_kl` divides I by log N; I itself is asked for",
         "return (torch.xlogy(q, q).sum(1).mean() - minus_entropy) / max(math.log(len(q)), 1e-9), minus_entropy - (mean_q * log_prior).sum()"),
    edit("split_epsilon", "`split_mean_kl` adds an epsilon of 1e-6 inside the logarithms",
         "return (q * (q + 1e-6).log()).sum(1).mean() - (mean_q * (mean_q + 1e-6).log()).sum(), (mean_q * (mean_q + 1e-6).log()).sum() - (mean_q * log_prior).sum()"),
)


def by_definition(log_aggregate):
    """The two KLs as they stand in (2.2), with a logarithm of the aggregate posterior of one's own."""

    def split_mean_kl(log_q, log_prior=None):
        if log_prior is None:
            log_prior = torch.full_like(log_q[0], 1 / log_q.shape[1]).log()
        q, log_mean = log_q.exp(), log_aggregate(log_q)
        information = torch.where(q > 0, q * (log_q - log_mean), 0).sum(1).mean()
        return information, torch.where(log_mean > -math.inf, log_mean.exp() * (log_mean - log_prior), 0).sum()

    return {"split_mean_kl": split_mean_kl}


@mistakes.rewrite("`split_mean_kl` takes the mean logarithm for that of the aggregate posterior; probabilities are averaged")
def split_mean_of_logs(ref):
    return by_definition(lambda log_q: log_q.mean(0))


@mistakes.rewrite("`split_mean_kl` adds up the q for the aggregate posterior, and does not divide by N")
def split_not_divided(ref):
    return by_definition(lambda log_q: log_q.logsumexp(0))


@mistakes.rewrite("`split_mean_kl` divides the sum of the q by K for the aggregate posterior; it is a mean over the N images")
def split_divided_by_causes(ref):
    return by_definition(lambda log_q: log_q.logsumexp(0) - math.log(log_q.shape[1]))


# --- cavi ------------------------------------------------------------------------------------------------------------

mistakes.at(
    "path = mean.new_zeros(steps + 1, len(mean))",
    edit("cavi_starts_right", "`cavi` starts at μ, where nothing is left to do; it is to start at 0", "path = mean.expand(steps + 1, -1).clone()"),
    edit("cavi_starts_at_one", "`cavi` starts at 1; it is to start at 0", "path = mean.new_ones(steps + 1, len(mean))"),
)

mistakes.at(
    "m = path[step].clone()",
    edit("cavi_restarts", "`cavi` does not get beyond its first sweep: the later ones start at 0 again, or are not made", "m = 0 * path[step]"),
)

mistakes.at(
    "for i in range(len(mean)):",
    edit("cavi_backwards", "`cavi` updates the last coordinate first", "for i in reversed(range(len(mean))):"),
    edit("cavi_one_coordinate", "`cavi` updates one coordinate in each step; a sweep updates all of them", "for i in [step % len(mean)]:"),
    edit("cavi_skips_last", "`cavi` never updates the last coordinate", "for i in range(max(1, len(mean) - 1)):"),
    edit("cavi_skips_first", "`cavi` never updates the first coordinate", "for i in range(min(1, len(mean) - 1), len(mean)):"),
    edit("cavi_twice", "`cavi` does two sweeps for one", "for i in 2 * list(range(len(mean))):"),
    edit("cavi_there_and_back", "`cavi` updates the coordinates forwards and then backwards in one sweep", "for i in [*range(len(mean)), *reversed(range(len(mean)))]:"),
)

mistakes.at(
    "others = precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i])",
    edit("cavi_stale", "`cavi` uses the others' means from before the sweep; each update is to use the newest",
         "others = precision[i] @ (path[step] - mean) - precision[i, i] * (path[step][i] - mean[i])"),
    edit("cavi_own_part", "`cavi` does not leave out i itself from the sum over the others", "others = precision[i] @ (m - mean)"),
    edit("cavi_not_centred", "`cavi` uses the others' means m_j; what counts is their distance from μ_j",
         "others = precision[i] @ m - precision[i, i] * m[i]"),
    edit("cavi_only_next", "`cavi` looks at one other coordinate alone; the sum runs over all others",
         "j = (i + 1) % len(mean); others = precision[i, j] * (m[j] - mean[j]) * (j != i)"),
    edit("cavi_only_later", "`cavi` sums over the later coordinates alone; the earlier ones count, too", "others = precision[i, i + 1:] @ (m - mean)[i + 1:]"),
    edit("cavi_covariance", "`cavi` uses the covariance where the precision is needed, for the means",
         "S = torch.linalg.inv(precision); others = (S[i] @ (m - mean) - S[i, i] * (m[i] - mean[i])) * precision[i, i] / S[i, i]"),
    edit("cavi_half_coupling", "`cavi` counts each coupling half; in the quadratic form it stands twice, as Λ_ij and Λ_ji",
         "others = 0.5 * (precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i]))"),
    edit("cavi_double_coupling", "`cavi` counts each coupling twice", "others = 2 * (precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i]))"),
    edit("cavi_independent", "`cavi` arrives at μ in the first sweep, as if nothing that comes later in the sweep were coupled to a coordinate; the sum runs over *all* others", "others = 0"),
    edit("cavi_absolute", "`cavi` takes absolute values of the couplings; their sign counts",
         "others = precision[i].abs() @ (m - mean) - precision[i, i] * (m[i] - mean[i])"),
)

mistakes.at(
    "m[i] = mean[i] - others / precision[i, i]",
    edit("cavi_plus", "`cavi` has the sign of the couplings wrong: a positive Λ_ij pushes m_i away from m_j", "m[i] = mean[i] + others / precision[i, i]"),
    edit("cavi_undivided", "`cavi` does not divide the sum over the others by Λ_ii", "m[i] = mean[i] - others"),
    edit("cavi_multiplied", "`cavi` multiplies the sum over the others by Λ_ii; it is divided", "m[i] = mean[i] - others * precision[i, i]"),
    edit("cavi_linear_term", "`cavi` takes μ for the linear term of the exponent, which is Λμ", "m[i] = (mean[i] - precision[i] @ m + precision[i, i] * m[i]) / precision[i, i]"),
    edit("cavi_no_mean", "`cavi` leaves out μ_i: the factor is centred at the correction alone", "m[i] = -others / precision[i, i]"),
    edit("cavi_added_up", "`cavi` adds the correction to the old m_i; the update does not depend on m_i", "m[i] = m[i] - others / precision[i, i]"),
    edit("cavi_other_diagonal", "`cavi` divides by another coordinate's Λ_jj", "m[i] = mean[i] - others / precision[i - 1, i - 1]"),
    edit("cavi_root", "`cavi` divides by the root of Λ_ii", "m[i] = mean[i] - others / precision[i, i].sqrt()"),
    edit("cavi_row_sum", "`cavi` divides by the sum of the row of Λ", "m[i] = mean[i] - others / precision[i].sum()"),
    edit("cavi_damped", "`cavi` goes half of the way only", "m[i] = 0.5 * m[i] + 0.5 * (mean[i] - others / precision[i, i])"),
    edit("cavi_gradient_step", "`cavi` takes a gradient step of size 0.1; each update jumps to the best value",
         "m[i] = m[i] - 0.1 * (others + precision[i, i] * (m[i] - mean[i]))"),
    edit("cavi_changes_mean", "`cavi` overwrites its argument `mean`", "m[i] = mean[i] - others / precision[i, i]; mean[i] = m[i]"),
)

mistakes.at(
    "path[step + 1] = m",
    edit("cavi_last_only", "`cavi` fills only the last row of the path; the means after each sweep are asked for",
         "path[-1] = m; path[step + 1] = m; path[1:step + 1] = 0"),
    edit("cavi_same_row", "`cavi` stores the same tensor for each sweep, so all rows of the path end up alike", "path[:] = m; path[0] = 0 if step == 0 else path[0]"),
    edit("cavi_one_short", "`cavi` makes one sweep too few, so the last row of the path stays 0", "path[step + 1] = m * (step + 1 < steps)"),
    edit("cavi_stops", "`cavi` stops after three sweeps", "path[step + 1] = m if step < 3 else path[step]"),
    edit("cavi_stops_early", "`cavi` stops when the means change by less than 0.01, and keeps the rows from there on",
         "path[step + 1] = m if (m - path[step]).abs().max() >= 0.01 else path[step]"),
)

mistakes.at(
    "return path, 1 / precision.diagonal()",
    edit("cavi_true_variances", "`cavi` returns the posterior's own variances, the diagonal of the covariance; a factor has 1/Λ_ii",
         "return path, torch.linalg.inv(precision).diagonal()"),
    edit("cavi_precisions", "`cavi` returns the factors' precisions Λ_ii; their variances are asked for", "return path, precision.diagonal()"),
    edit("cavi_std", "`cavi` returns standard deviations; variances are asked for", "return path, precision.diagonal().rsqrt()"),
    edit("cavi_covariance_matrix", "`cavi` returns the whole covariance; the factors have D variances", "return path, torch.linalg.inv(precision)"),
    edit("cavi_matrix", "`cavi` returns the variances as a diagonal matrix; shape (D,) is asked for", "return path, torch.diag(1 / precision.diagonal())"),
    edit("cavi_entrywise", "`cavi` returns 1/Λ, entry by entry; the factors have D variances", "return path, 1 / precision"),
    edit("cavi_no_start", "`cavi` leaves out the start: the path has steps + 1 rows", "return path[1:], 1 / precision.diagonal()"),
    edit("cavi_end", "`cavi` returns the last means only; the whole path is asked for", "return path[-1], 1 / precision.diagonal()"),
    edit("cavi_columns", "`cavi` returns the path with one column for each sweep; it has one row for each", "return path.T, 1 / precision.diagonal()"),
    edit("cavi_swapped", "`cavi` returns the variances first; the path comes first", "return 1 / precision.diagonal(), path"),
    edit("cavi_mean_variance", "`cavi` returns one variance for all factors, from the mean of the Λ_ii", "return path, torch.full_like(mean, 1) / precision.diagonal().mean()"),
    edit("cavi_row_variance", "`cavi` takes the sum of a row of Λ for the factor's precision; it is Λ_ii alone", "return path, 1 / precision.sum(1)"),
    edit("cavi_half_variance", "`cavi` returns half of the variances: the ½ of the exponent is already in the definition of a precision", "return path, 0.5 / precision.diagonal()"),
    edit("cavi_double_variance", "`cavi` returns twice the variances: the exponent is -z²/(2·variance)", "return path, 2 / precision.diagonal()"),
    edit("cavi_log_variance", "`cavi` returns log-variances; variances are asked for", "return path, -precision.diagonal().log()"),
    edit("cavi_centred_path", "`cavi` returns the means' distance from μ", "return path - mean, 1 / precision.diagonal()"),
)


@mistakes.rewrite("`cavi` stores the means after each coordinate; a row is asked for after each sweep")
def cavi_every_update(ref):
    def cavi(precision, mean, steps):
        m, rows = torch.zeros_like(mean), [torch.zeros_like(mean)]
        for _ in range(steps):
            for i in range(len(mean)):
                others = precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i])
                m = m.clone()
                m[i] = mean[i] - others / precision[i, i]
                rows.append(m)
        return torch.stack(rows), 1 / precision.diagonal()

    return {"cavi": cavi}


@mistakes.rewrite("`cavi` overwrites the start: the first row of the path is that of the last sweep")
def cavi_start_lost(ref):
    def cavi(precision, mean, steps):
        path, variances = ref.cavi(precision, mean, steps)
        return torch.cat([path[-1:], path[1:]]), variances

    return {"cavi": cavi}


@mistakes.rewrite("`cavi` makes one sweep too many: the path has steps + 1 rows with the start")
def cavi_one_more(ref):
    return {"cavi": lambda precision, mean, steps: ref.cavi(precision, mean, steps + 1)}


@mistakes.rewrite("`cavi` ends the path when the means no longer change; a row is asked for after each of the sweeps")
def cavi_breaks(ref):
    def cavi(precision, mean, steps):
        path, variances = ref.cavi(precision, mean, steps)
        still = [i for i in range(1, len(path)) if (path[i] - path[i - 1]).abs().max() < 1e-6]
        return path[: still[0] + 1] if still else path, variances

    return {"cavi": cavi}


@mistakes.rewrite("`cavi` takes the precision for a covariance, and inverts it first")
def cavi_inverts(ref):
    return {"cavi": lambda precision, mean, steps: ref.cavi(torch.linalg.inv(precision), mean, steps)}

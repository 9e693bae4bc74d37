"""Named wrong versions of the answers to question 4."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- kl_standard_normal -----------------------------------------------------------------------------------------------

mistakes.at(
    "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)",
    edit("kl_no_half", "`kl_standard_normal` forgets the factor ½", "return (mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_sign", "`kl_standard_normal` has the wrong sign: a KL is never negative", "return -0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_sign_inside", "`kl_standard_normal` adds logvar; it is to be subtracted", "return 0.5 * (mean.square() + logvar.exp() - 1 + logvar).sum(-1)"),
    edit("kl_no_one", "`kl_standard_normal` forgets the -1, so it is not 0 for a standard normal q", "return 0.5 * (mean.square() + logvar.exp() - logvar).sum(-1)"),
    edit("kl_one_once", "`kl_standard_normal` subtracts the 1 once for all latents; each latent has its own",
         "return 0.5 * ((mean.square() + logvar.exp() - logvar).sum(-1) - 1)"),
    edit("kl_one_of_examples", "`kl_standard_normal` subtracts the number of examples; there are k ones, one for each latent",
         "return 0.5 * ((mean.square() + logvar.exp() - logvar).sum(-1) - len(mean))"),
    edit("kl_norm", "`kl_standard_normal` takes the length of the mean; its square is needed",
         "return 0.5 * (mean.square().sum(-1).sqrt() + (logvar.exp() - 1 - logvar).sum(-1))"),
    edit("kl_half_of_mean", "`kl_standard_normal` applies the ½ to the squared mean only", "return (0.5 * mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_log_std", "`kl_standard_normal` takes logvar for the logarithm of a standard deviation, so the variance is squared",
         "return 0.5 * (mean.square() + (2 * logvar).exp() - 1 - 2 * logvar).sum(-1)"),
    edit("kl_std_as_variance", "`kl_standard_normal` puts the standard deviation, exp(logvar/2), where the variance belongs",
         "return 0.5 * (mean.square() + (0.5 * logvar).exp() - 1 - logvar).sum(-1)"),
    edit("kl_variance_squared", "`kl_standard_normal` squares the variance", "return 0.5 * (mean.square() + logvar.exp().square() - 1 - logvar).sum(-1)"),
    edit("kl_log_of_logvar", "`kl_standard_normal` takes half of logvar for log σ²; logvar is log σ² already",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - 0.5 * logvar).sum(-1)"),
    edit("kl_double_log", "`kl_standard_normal` counts log σ² twice", "return 0.5 * (mean.square() + logvar.exp() - 1 - 2 * logvar).sum(-1)"),
    edit("kl_raw_variance", "`kl_standard_normal` takes the argument logvar for the variance itself", "return 0.5 * (mean.square() + logvar - 1 - logvar.abs().log()).sum(-1)"),
    edit("kl_mean_not_squared", "`kl_standard_normal` does not square the mean", "return 0.5 * (mean + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_mean_absolute", "`kl_standard_normal` takes the absolute value of the mean; its square is needed", "return 0.5 * (mean.abs() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_without_mean", "`kl_standard_normal` leaves out the mean", "return 0.5 * (0 * mean + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_without_variance", "`kl_standard_normal` leaves out the variance: only the mean counts", "return 0.5 * (mean.square() + 0 * logvar).sum(-1)"),
    edit("kl_mean_over_latents", "`kl_standard_normal` averages over the latents; their sum is the KL", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean(-1)"),
    edit("kl_total", "`kl_standard_normal` adds up the whole batch; one number for each example is asked for", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum()"),
    edit("kl_batch_mean", "`kl_standard_normal` averages over the examples; one number for each is asked for", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1).mean()"),
    edit("kl_first_axis", "`kl_standard_normal` sums along the first axis, over the examples; the latents lie along the last",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(0)"),
    edit("kl_axis_one", "`kl_standard_normal` sums along axis 1; the latents lie along the last axis, however many there are",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)"),
    edit("kl_all_but_first", "`kl_standard_normal` sums over all axes but the first; only the last one, the latents, is summed",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).reshape(len(mean), -1).sum(1)"),
    edit("kl_mean_sign", "`kl_standard_normal` has the wrong sign before the squared mean", "return 0.5 * (-mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_batch_divided", "`kl_standard_normal` divides by the number of examples; one KL for each example is asked for",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1) / len(mean)"),
    edit("kl_keeps_axis", "`kl_standard_normal` keeps an axis of length 1 for the latents", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1, keepdim=True)"),
    edit("kl_brackets", "`kl_standard_normal` applies the -½ to the 1 only: brackets are missing", "return (-0.5 * 1 + logvar - mean.square() - logvar.exp()).sum(-1)"),
    edit("kl_logvar_is_std", "`kl_standard_normal` takes logvar for the standard deviation itself", "return 0.5 * (mean.square() + logvar.square() - 1 - logvar.square().log()).sum(-1)"),
    edit("kl_variance_clamped", "`kl_standard_normal` keeps the variance at 1e-4 or more, which shows for small variances",
         "variance = logvar.exp().clamp(min=1e-4); return 0.5 * (mean.square() + variance - 1 - variance.log()).sum(-1)"),
    edit("kl_not_summed", "`kl_standard_normal` does not sum over the latents", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar)"),
    edit("kl_reversed", "`kl_standard_normal` computes the other direction, from the standard normal to q",
         "return 0.5 * ((mean.square() + 1) * (-logvar).exp() - 1 + logvar).sum(-1)"),
    edit("kl_bits", "`kl_standard_normal` is in bits; nats are asked for", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1) / math.log(2)"),
    edit("kl_clamped", "`kl_standard_normal` clamps logvar to [-10, 10], beyond which it is too small and has no gradient",
         "logvar = logvar.clamp(-10, 10); return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_clamped_six", "`kl_standard_normal` clamps logvar to [-6, 2], beyond which it is too small and has no gradient",
         "logvar = logvar.clamp(-6, 2); return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)"),
    edit("kl_epsilon", "`kl_standard_normal` adds an epsilon of 1e-4 inside the logarithm of the variance, which shows for small variances",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - (logvar.exp() + 1e-4).log()).sum(-1)"),
    edit("kl_epsilon_six", "`kl_standard_normal` adds an epsilon of 1e-6 inside the logarithm of the variance, which shows for small variances",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - (logvar.exp() + 1e-6).log()).sum(-1)"),
    edit("kl_no_graph", "`kl_standard_normal` returns numbers without a graph", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1).detach()"),
    edit("kl_float32", "`kl_standard_normal` computes in float32; float64 is to stay float64", "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1).float()"),
    edit("kl_free_bits", "`kl_standard_normal` lifts each example to a least value (free bits); the KL itself is asked for",
         "return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1).clamp(min=0.5)"),
    edit("kl_entropy_only", "`kl_standard_normal` returns the cross-entropy -E[log p]; the entropy of q is to be subtracted",
         "return 0.5 * (mean.square() + logvar.exp() + math.log(2 * math.pi)).sum(-1)"),
)

# --- kl_gaussians -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
    """,
    edit("pair_swapped", "`kl_gaussians` computes KL(p || q): the direction is reversed",
         """
         return kl_standard_normal((mean_p - mean_q) * (-0.5 * logvar_q).exp(), logvar_p - logvar_q)
         """),
    edit("pair_ratio_inverted", "`kl_gaussians` inverts the ratio of the variances: σ_q²/σ_p² is needed",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_p - logvar_q)
         """),
    edit("pair_variance_of_q", "`kl_gaussians` divides the difference of the means by the standard deviation of q; it is p that becomes standard normal",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_q).exp(), logvar_q - logvar_p)
         """),
    edit("pair_by_variance", "`kl_gaussians` divides the difference of the means by the variance of p; the standard deviation is needed",
         """
         return kl_standard_normal((mean_q - mean_p) * (-logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_square_by_std", "`kl_gaussians` divides the *squared* difference of the means by the standard deviation of p; its variance is needed",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.25 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_means_unscaled", "`kl_gaussians` does not divide the difference of the means by the standard deviation of p",
         """
         return kl_standard_normal(mean_q - mean_p, logvar_q - logvar_p)
         """),
    edit("pair_multiplied", "`kl_gaussians` multiplies the difference of the means by the standard deviation of p instead of dividing",
         """
         return kl_standard_normal((mean_q - mean_p) * (0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_not_shifted", "`kl_gaussians` divides the mean of q, but does not subtract that of p",
         """
         return kl_standard_normal(mean_q * (-0.5 * logvar_p).exp() + 0 * mean_p, logvar_q - logvar_p)
         """),
    edit("pair_shift_unscaled", "`kl_gaussians` divides the mean of q, and then subtracts the mean of p, which is to be divided, too",
         """
         return kl_standard_normal(mean_q * (-0.5 * logvar_p).exp() - mean_p, logvar_q - logvar_p)
         """),
    edit("pair_sum_of_means", "`kl_gaussians` adds the means; their difference is needed",
         """
         return kl_standard_normal((mean_q + mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_logvar_kept", "`kl_gaussians` keeps logvar of q; dividing by σ_p makes the variance σ_q²/σ_p²",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q + 0 * logvar_p)
         """),
    edit("pair_logvar_half", "`kl_gaussians` subtracts half of logvar_p; the variance is divided by σ_p²",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - 0.5 * logvar_p)
         """),
    edit("pair_logvar_ratio", "`kl_gaussians` divides logvar_q by logvar_p; a ratio of variances is a *difference* of their logarithms",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q / logvar_p)
         """),
    edit("pair_logvar_sum", "`kl_gaussians` adds the log-variances; a ratio of variances is their difference",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q + logvar_p)
         """),
    edit("pair_ignores_p", "`kl_gaussians` ignores p and takes the standard normal",
         """
         return kl_standard_normal(mean_q + 0 * mean_p, logvar_q + 0 * logvar_p)
         """),
    edit("pair_difference", "`kl_gaussians` is the difference of two KLs to the standard normal",
         """
         return kl_standard_normal(mean_q, logvar_q) - kl_standard_normal(mean_p, logvar_p)
         """),
    edit("pair_symmetric", "`kl_gaussians` averages both directions; only KL(q || p) is asked for",
         """
         mean = mean_q - mean_p
         return 0.5 * (kl_standard_normal(mean * (-0.5 * logvar_p).exp(), logvar_q - logvar_p) + kl_standard_normal(mean * (-0.5 * logvar_q).exp(), logvar_p - logvar_q))
         """),
    edit("pair_order", "`kl_gaussians` reads its arguments as mean_q, mean_p, logvar_q, logvar_p; the order is mean_q, logvar_q, mean_p, logvar_p",
         """
         return kl_standard_normal((mean_q - logvar_q) * (-0.5 * logvar_p).exp(), mean_p - logvar_p)
         """),
    edit("pair_log_std", "`kl_gaussians` takes both log-variances for logarithms of standard deviations",
         """
         return kl_standard_normal((mean_q - mean_p) * (-logvar_p).exp(), 2 * (logvar_q - logvar_p))
         """),
    edit("pair_no_half", "`kl_gaussians` forgets the factor ½",
         """
         return 2 * kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_mean_over_latents", "`kl_gaussians` averages over the latents; their sum is the KL",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p) / mean_q.shape[-1]
         """),
    edit("pair_total", "`kl_gaussians` adds up all pairs; one number for each pair is asked for",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).sum()
         """),
    edit("pair_expands", "`kl_gaussians` expands everything to the shape of mean_q; the other arguments may have more leading axes",
         """
         mean_p, logvar_p, logvar_q = (each.expand_as(mean_q) for each in (mean_p, logvar_p, logvar_q))
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_axis_one", "`kl_gaussians` sums along axis 1; the latents lie along the last axis, however many there are",
         """
         mean, logvar = torch.broadcast_tensors((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
         """),
    edit("pair_p_detached", "`kl_gaussians` detaches p; a prior that is learned needs its gradients",
         """
         mean_p, logvar_p = mean_p.detach() + 0 * mean_p, logvar_p.detach() + 0 * logvar_p
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_separate_sums", "`kl_gaussians` forgets the term with the ratio of the variances",
         """
         mean = (mean_q - mean_p) * (-0.5 * logvar_p).exp()
         return 0.5 * (mean.square() - (logvar_q - logvar_p)).sum(-1)
         """),
    edit("pair_no_log", "`kl_gaussians` forgets the logarithm of the ratio of the variances",
         """
         mean = (mean_q - mean_p) * (-0.5 * logvar_p).exp()
         return 0.5 * (mean.square() + (logvar_q - logvar_p).exp() - 1).sum(-1)
         """),
    edit("pair_no_one", "`kl_gaussians` forgets the -1, so it is not 0 for equal Gaussians",
         """
         mean = (mean_q - mean_p) * (-0.5 * logvar_p).exp()
         return 0.5 * (mean.square() + (logvar_q - logvar_p).exp() - logvar_q + logvar_p).sum(-1)
         """),
    edit("pair_log_sign", "`kl_gaussians` has the wrong sign before the logarithm of the ratio of the variances",
         """
         return 0.5 * (logvar_q - logvar_p - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_one_once", "`kl_gaussians` subtracts the 1 once for all latents; each latent has its own",
         """
         return 0.5 * ((logvar_p - logvar_q + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp()).sum(-1) - 1)
         """),
    edit("pair_ratio_of_stds", "`kl_gaussians` has the ratio of the standard deviations where that of the variances belongs",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + (mean_q - mean_p).square() / logvar_p.exp() + (0.5 * (logvar_q - logvar_p)).exp()).sum(-1)
         """),
    edit("pair_q_std", "`kl_gaussians` has the standard deviation of q where its variance belongs",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + (0.5 * logvar_q).exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_only_p_scaled", "`kl_gaussians` divides the mean of p by its standard deviation, but not that of q",
         """
         return kl_standard_normal(mean_q - mean_p * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_variance_undivided", "`kl_gaussians` does not divide the variance of q by that of p",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + (mean_q - mean_p).square() / logvar_p.exp() + logvar_q.exp()).sum(-1)
         """),
    edit("pair_means_only", "`kl_gaussians` leaves out the variance of q: only the means count",
         """
         return 0.5 * ((mean_q - mean_p).square() / logvar_p.exp() + 0 * logvar_q).sum(-1)
         """),
    edit("pair_log_twice", "`kl_gaussians` counts the logarithm of the ratio of the variances twice",
         """
         return 0.5 * (2 * (logvar_p - logvar_q) - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_divided_by_std", "`kl_gaussians` divides by the standard deviation of p where its variance belongs",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / (0.5 * logvar_p).exp()).sum(-1)
         """),
    edit("pair_fraction_unhalved", "`kl_gaussians` forgets the ½ of the fraction",
         """
         return (0.5 * (logvar_p - logvar_q) - 0.5 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_mean_sign", "`kl_gaussians` has the wrong sign before the squared difference of the means",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + (logvar_q.exp() - (mean_q - mean_p).square()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_ratio_of_sums", "`kl_gaussians` divides the sum of the variances of q by the sum of those of p; the ratio is taken latent by latent",
         """
         return 0.5 * ((logvar_p - logvar_q - 1 + (mean_q - mean_p).square() / logvar_p.exp()).sum(-1) + logvar_q.exp().sum(-1) / logvar_p.exp().sum(-1))
         """),
    edit("pair_batch_divided", "`kl_gaussians` divides by the number of pairs along the first axis; one KL for each pair is asked for",
         """
         mean, logvar = torch.broadcast_tensors((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         return kl_standard_normal(mean, logvar) / len(mean)
         """),
    edit("pair_batch_mean", "`kl_gaussians` averages over the pairs; one number for each is asked for",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).mean()
         """),
    edit("pair_first_mean", "`kl_gaussians` averages over the first axis; one number for each pair is asked for",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).mean(0)
         """),
    edit("pair_sign", "`kl_gaussians` has the wrong sign: a KL is never negative",
         """
         return -kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_half_of_means", "`kl_gaussians` applies the ½ to the means only",
         """
         return (0.5 * (mean_q - mean_p).square() / logvar_p.exp() + (logvar_q - logvar_p).exp() - 1 - logvar_q + logvar_p).sum(-1)
         """),
    edit("pair_log_of_stds", "`kl_gaussians` has the logarithm of the ratio of the standard deviations, multiplied by ½ once more",
         """
         return 0.5 * (0.5 * (logvar_p - logvar_q) - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_epsilon", "`kl_gaussians` adds an epsilon of 1e-3 to the variance of p",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / (logvar_p.exp() + 1e-3)).sum(-1)
         """),
    edit("pair_epsilon_six", "`kl_gaussians` adds an epsilon of 1e-6 to the variance of p",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / (logvar_p.exp() + 1e-6)).sum(-1)
         """),
    edit("pair_epsilon_eight", "`kl_gaussians` adds an epsilon of 1e-8 to the variance of p",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / (logvar_p.exp() + 1e-8)).sum(-1)
         """),
    edit("pair_keeps_axis", "`kl_gaussians` keeps an axis of length 1 for the latents",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)[..., None]
         """),
    edit("pair_not_summed", "`kl_gaussians` does not sum over the latents",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp())
         """),
    edit("pair_means_not_squared", "`kl_gaussians` does not square the difference of the means",
         """
         return 0.5 * (logvar_p - logvar_q - 1 + (mean_q - mean_p + logvar_q.exp()) / logvar_p.exp()).sum(-1)
         """),
    edit("pair_all_but_first", "`kl_gaussians` sums over all axes but the first; only the last one, the latents, is summed",
         """
         return (0.5 * (logvar_p - logvar_q - 1 + ((mean_q - mean_p).square() + logvar_q.exp()) / logvar_p.exp())).reshape(max(len(mean_q), len(logvar_q)), -1).sum(1) if mean_q.dim() > 1 else kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
         """),
    edit("pair_bits", "`kl_gaussians` is in bits; nats are asked for",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p) / math.log(2)
         """),
    edit("pair_no_graph", "`kl_gaussians` returns numbers without a graph",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).detach()
         """),
    edit("pair_clamped", "`kl_gaussians` clamps its result to at most 10",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).clamp(max=10)
         """),
    edit("pair_float32", "`kl_gaussians` computes in float32; float64 is to stay float64",
         """
         return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p).float()
         """),
)

# --- kl_monte_carlo ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    z = reparameterise(mean, logvar, eps)
    return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
    """,
    edit("draws_fresh", "`kl_monte_carlo` evaluates log p at a second draw; both logarithms belong to the same z",
         """
         z, other = reparameterise(mean, logvar, eps), reparameterise(mean, logvar, torch.randn_like(eps))
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(other, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_fresh_q", "`kl_monte_carlo` evaluates log q at a second draw; both logarithms belong to the same z",
         """
         z, other = reparameterise(mean, logvar, eps), reparameterise(mean, logvar, torch.randn_like(eps))
         return diagonal_log_prob(other, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_own_noise", "`kl_monte_carlo` draws noise of its own; the noise is the argument eps",
         """
         z = reparameterise(mean, logvar, torch.randn_like(eps))
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_sign", "`kl_monte_carlo` has the wrong sign: log q(z) - log p(z) is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)) - diagonal_log_prob(z, mean, logvar)
         """),
    edit("draws_from_p", "`kl_monte_carlo` takes eps itself for the draw: z = mean + std·eps is from q",
         """
         z = eps
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_variance", "`kl_monte_carlo` scales the noise with exp(logvar), the variance; the noise needs the standard deviation",
         """
         z = mean + logvar.exp() * eps
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_at_mean", "`kl_monte_carlo` evaluates at the mean, without the noise",
         """
         z = (mean + 0 * eps)
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_averaged", "`kl_monte_carlo` averages over the draws; each draw's estimate is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).mean(0)
         """),
    edit("draws_averaged_all", "`kl_monte_carlo` averages over everything; an estimate for each draw and example is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).mean()
         """),
    edit("draws_not_summed", "`kl_monte_carlo` does not sum over the latents",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square() - logvar)
         """),
    edit("draws_mean_over_latents", "`kl_monte_carlo` averages over the latents; their sum is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square() - logvar).mean(-1)
         """),
    edit("draws_closed_form", "`kl_monte_carlo` repeats the closed form for each draw; the estimate depends on eps",
         """
         return kl_standard_normal(mean, logvar).expand(eps.shape[:2])
         """),
    edit("draws_only_q", "`kl_monte_carlo` returns log q(z); log p(z) is to be subtracted",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar)
         """),
    edit("draws_only_p", "`kl_monte_carlo` returns -log p(z); log q(z) is to be added",
         """
         z = reparameterise(mean, logvar, eps)
         return -diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_entropy", "`kl_monte_carlo` puts the average of log q, the negative entropy, in the place of log q at the draw",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - 1 - logvar).sum(-1)
         """),
    edit("draws_plus", "`kl_monte_carlo` adds the two logarithms",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar) + diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_width_of_p", "`kl_monte_carlo` gives p the variance of q; p is standard normal",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), logvar)
         """),
    edit("draws_p_ones", "`kl_monte_carlo` gives p the logvar 1, a variance of e; standard normal means logvar 0",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.ones_like(z))
         """),
    edit("draws_q_variance", "`kl_monte_carlo` hands the variance to log q, which expects its logarithm",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar.exp()) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_q_std", "`kl_monte_carlo` hands the standard deviation to log q, which expects the logarithm of the variance",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, (0.5 * logvar).exp()) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_one_constant", "`kl_monte_carlo` has log 2π in one of the two logarithms only",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square() - logvar + math.log(2 * math.pi)).sum(-1)
         """),
    edit("draws_both_signs", "`kl_monte_carlo` averages over eps and -eps; the estimate of eps alone is asked for",
         """
         pair = [reparameterise(mean, logvar, each) for each in (eps, -eps)]
         return sum(diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)) for z in pair) / 2
         """),
    edit("draws_p_detached", "`kl_monte_carlo` detaches z in log p, which passes no gradient then",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z.detach(), torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_mean_of_p", "`kl_monte_carlo` gives p the mean of q; p is standard normal",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, mean, torch.zeros_like(z))
         """),
    edit("draws_unit_q", "`kl_monte_carlo` gives q the variance 1 in log q(z), whatever logvar is",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean, torch.zeros_like(logvar)) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_no_width", "`kl_monte_carlo` leaves logvar/2 out of log q, the logarithm of the width",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square()).sum(-1)
         """),
    edit("draws_positive", "`kl_monte_carlo` takes the absolute value; a single estimate may be negative",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).abs()
         """),
    edit("draws_clamped", "`kl_monte_carlo` lifts negative estimates to 0; a single estimate may be negative, and the average needs it",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).clamp(min=0)
         """),
    edit("draws_always_positive", "`kl_monte_carlo` returns p/q - 1 + log q - log p, which has the same average; log q(z) - log p(z) is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         log_ratio = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return (-log_ratio).exp() - 1 + log_ratio
         """),
    edit("draws_averaged_repeated", "`kl_monte_carlo` gives all draws their average; each draw's own estimate is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return estimate.mean(0).expand(estimate.shape)
         """),
    edit("draws_log_twice", "`kl_monte_carlo` counts logvar twice: the logarithm of the width is logvar/2",
         """
         z = reparameterise(mean, logvar, eps)
         return (0.5 * z.square() - 0.5 * eps.square() - logvar).sum(-1)
         """),
    edit("draws_no_half", "`kl_monte_carlo` forgets the factor ½ of both log-densities",
         """
         z = reparameterise(mean, logvar, eps)
         return (z.square() - eps.square() - logvar).sum(-1)
         """),
    edit("draws_q_at_eps", "`kl_monte_carlo` evaluates log q at eps; both logarithms belong to the same z",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(eps, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_q_at_mean", "`kl_monte_carlo` evaluates log q at its mean; both logarithms belong to the same z",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(mean.expand_as(z), mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_running_mean", "`kl_monte_carlo` averages the draws up to each one; each draw's own estimate is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return estimate.cumsum(0) / torch.arange(1, len(z) + 1, device=z.device)[:, None]
         """),
    edit("draws_half_square", "`kl_monte_carlo` returns half of the squared log-ratio, whose average is not the KL",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return 0.5 * estimate.square()
         """),
    edit("draws_logvar_of_all", "`kl_monte_carlo` adds up logvar over all examples; each example has its own",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square()).sum(-1) - 0.5 * logvar.sum()
         """),
    edit("draws_centred", "`kl_monte_carlo` subtracts from the noise its mean over the draws; eps is used as it is",
         """
         z = reparameterise(mean, logvar, eps - eps.mean(0))
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_weighted", "`kl_monte_carlo` multiplies the log-ratio with q(z); the draws are from q already",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return diagonal_log_prob(z, mean, logvar).exp() * estimate
         """),
    edit("draws_averaged_examples", "`kl_monte_carlo` averages over the examples; an estimate for each draw and example is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return estimate.mean(1)
         """),
    edit("draws_divided", "`kl_monte_carlo` divides by the number of draws, before anything is averaged",
         """
         z = reparameterise(mean, logvar, eps)
         estimate = diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         return estimate / len(eps)
         """),
    edit("draws_transposed", "`kl_monte_carlo` returns the examples along the first axis; the draws lie there",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).T
         """),
    edit("draws_wrong_axis", "`kl_monte_carlo` sums over the first axis, the draws; the latents lie along the last",
         """
         z = reparameterise(mean, logvar, eps)
         return 0.5 * (z.square() - eps.square() - logvar).sum(0)
         """),
    edit("draws_first_only", "`kl_monte_carlo` uses the first draw for all",
         """
         z = reparameterise(mean, logvar, eps[:1].expand_as(eps))
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_detached", "`kl_monte_carlo` computes z without a graph (detached, or under `no_grad`): only the formula of log q gets a gradient",
         """
         z = reparameterise(mean, logvar, eps).detach()
         return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_path", "`kl_monte_carlo` detaches mean and logvar in log q, as for the path derivative; the plain derivative of (4.2) is asked for",
         """
         z = reparameterise(mean, logvar, eps)
         return diagonal_log_prob(z, mean.detach(), logvar.detach()) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
         """),
    edit("draws_no_graph", "`kl_monte_carlo` returns numbers without a graph",
         """
         z = reparameterise(mean, logvar, eps)
         return (diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).detach()
         """),
)

# --- gaussian_decoder_log_prob ----------------------------------------------------------------------------------------

mistakes.at(
    """
    terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
    return -0.5 * terms.reshape(len(x), -1).sum(1)
    """,
    edit("decoder_no_constant", "`gaussian_decoder_log_prob` leaves out log 2π of each pixel: what remains is no log-density in nats",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_square_only", "`gaussian_decoder_log_prob` leaves out log σ² and log 2π: what remains is no log-density in nats",
         """
         terms = (x - mean).square() * (-logvar).exp()
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_constant_once", "`gaussian_decoder_log_prob` counts log 2π once for each example; each pixel has one",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar
         return -0.5 * (terms.reshape(len(x), -1).sum(1) + math.log(2 * math.pi))
         """),
    edit("decoder_logvar_once", "`gaussian_decoder_log_prob` sums logvar before it broadcasts: one variance for all pixels counts once for each pixel",
         """
         square = (x - mean).square() * (-logvar).exp() + math.log(2 * math.pi)
         logs = logvar.reshape(len(x), -1).sum(1) if logvar.dim() == x.dim() and len(logvar) == len(x) else logvar.sum()
         return -0.5 * (square.reshape(len(x), -1).sum(1) + logs)
         """),
    edit("decoder_logs_once", "`gaussian_decoder_log_prob` counts log σ² and log 2π once for each example where the variance is one number; each pixel has them",
         """
         square = ((x - mean).square() * (-logvar).exp()).reshape(len(x), -1).sum(1)
         logs = logvar + math.log(2 * math.pi)
         return -0.5 * (square + (logs if logvar.dim() == 0 else logs.expand_as(x).reshape(len(x), -1).sum(1)))
         """),
    edit("decoder_log_sigma", "`gaussian_decoder_log_prob` counts log σ instead of log σ²: half of logvar is missing",
         """
         terms = (x - mean).square() * (-logvar).exp() + 0.5 * logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_double_log", "`gaussian_decoder_log_prob` counts logvar twice",
         """
         terms = (x - mean).square() * (-logvar).exp() + 2 * logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_no_logvar", "`gaussian_decoder_log_prob` leaves out log σ²: a larger variance then always fits better",
         """
         terms = (x - mean).square() * (-logvar).exp() + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_logvar_sign", "`gaussian_decoder_log_prob` has the wrong sign before log σ²",
         """
         terms = (x - mean).square() * (-logvar).exp() - logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_std", "`gaussian_decoder_log_prob` divides the squared error by the standard deviation; its variance is needed",
         """
         terms = (x - mean).square() * (-0.5 * logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_variance_squared", "`gaussian_decoder_log_prob` divides by the squared variance: logvar is taken for the logarithm of a standard deviation",
         """
         terms = (x - mean).square() * (-2 * logvar).exp() + 2 * logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_multiplied", "`gaussian_decoder_log_prob` multiplies the squared error by the variance; it is to be divided",
         """
         terms = (x - mean).square() * logvar.exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_unit", "`gaussian_decoder_log_prob` does not divide the squared error by the variance",
         """
         terms = (x - mean).square() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_no_half", "`gaussian_decoder_log_prob` forgets the factor ½",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_square_no_half", "`gaussian_decoder_log_prob` forgets the factor ½ before the squared error",
         """
         terms = 2 * (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_sign", "`gaussian_decoder_log_prob` returns the negative log-density; the log-density is asked for",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return 0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_mean_pixels", "`gaussian_decoder_log_prob` averages over the pixels; their sum is the log-density",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).mean(1)
         """),
    edit("decoder_batch_mean", "`gaussian_decoder_log_prob` averages over the examples; one number for each is asked for",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1).mean()
         """),
    edit("decoder_total", "`gaussian_decoder_log_prob` adds up the whole batch; one number for each example is asked for",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.sum()
         """),
    edit("decoder_each_pixel", "`gaussian_decoder_log_prob` does not sum over the pixels",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms
         """),
    edit("decoder_last_axis", "`gaussian_decoder_log_prob` sums along the last axis only; images have several axes to sum over",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.sum(-1)
         """),
    edit("decoder_first_axis", "`gaussian_decoder_log_prob` sums over the examples",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.sum(0)
         """),
    edit("decoder_base_ten", "`gaussian_decoder_log_prob` takes log10(2π); the logarithms are natural",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log10(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_two_pi", "`gaussian_decoder_log_prob` has 2π or π where log 2π belongs",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_sigmoid", "`gaussian_decoder_log_prob` applies a sigmoid to the mean, which is the image already",
         """
         terms = (x - mean.sigmoid()).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_absolute", "`gaussian_decoder_log_prob` takes the absolute error; a Gaussian has the squared one",
         """
         terms = (x - mean).abs() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_one_variance", "`gaussian_decoder_log_prob` averages the log-variances to a single one; each pixel keeps its own",
         """
         logvar = logvar.mean()
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_clamped", "`gaussian_decoder_log_prob` clamps logvar at -6, so small variances are too large and get no gradient",
         """
         logvar = logvar.clamp(min=-6)
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_epsilon", "`gaussian_decoder_log_prob` adds an epsilon of 1e-6 to the variance, which shows for small ones",
         """
         terms = (x - mean).square() / (logvar.exp() + 1e-6) + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_clamped_two", "`gaussian_decoder_log_prob` clamps logvar to [-6, 2], so small variances are too large, large ones too small, and both get no gradient",
         """
         logvar = logvar.clamp(-6, 2)
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_clamped_ten", "`gaussian_decoder_log_prob` clamps logvar at -10, so small variances are too large and get no gradient",
         """
         logvar = logvar.clamp(min=-10)
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_epsilon_both", "`gaussian_decoder_log_prob` adds an epsilon of 1e-6 to the variance, also in its logarithm, which shows for small ones",
         """
         terms = (x - mean).square() / (logvar.exp() + 1e-6) + (logvar.exp() + 1e-6).log() + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_epsilon_eight", "`gaussian_decoder_log_prob` adds an epsilon of 1e-8 to the variance, which shows for small ones",
         """
         terms = (x - mean).square() / (logvar.exp() + 1e-8) + (logvar.exp() + 1e-8).log() + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_floor", "`gaussian_decoder_log_prob` keeps the variance at 1e-6 or more, as `F.gaussian_nll_loss` does without its argument eps; a smaller one is then "
         "too large, and gets no gradient",
         """
         terms = 2 * F.gaussian_nll_loss(mean, x, logvar.exp().expand_as(x), full=True, reduction="none")
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_library", "`gaussian_decoder_log_prob` calls `F.gaussian_nll_loss` as it is: it leaves out log 2π unless `full=True`, and clamps variances at 1e-6",
         """
         terms = 2 * F.gaussian_nll_loss(mean, x, logvar.exp().expand_as(x), reduction="none")
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_detached_logvar", "`gaussian_decoder_log_prob` detaches logvar: a learned variance gets no gradient",
         """
         logvar = logvar.detach() + 0 * logvar
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_per_example", "`gaussian_decoder_log_prob` takes one axis of log-variances for one of each example; they broadcast as x does, one for each pixel",
         """
         logvar = logvar[:, None] if logvar.dim() == 1 else logvar
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_mean_axis_one", "`gaussian_decoder_log_prob` averages over the first axis of the pixels, such as the colours; all are summed",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * (terms.flatten(2).sum(2).mean(1) if terms.dim() > 2 else terms.sum(1))
         """),
    edit("decoder_batch_square", "`gaussian_decoder_log_prob` takes the mean squared error of the whole batch, the same for all examples",
         """
         d = x[0].numel()
         terms = d * ((x - mean).square().mean() / logvar.exp().mean() + logvar.mean() + math.log(2 * math.pi))
         return -0.5 * terms.expand(len(x))
         """),
    edit("decoder_constant_axis", "`gaussian_decoder_log_prob` counts log 2π as often as axis 1 is long; each pixel has one",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar
         return -0.5 * (terms.reshape(len(x), -1).sum(1) + x.shape[1] * math.log(2 * math.pi))
         """),
    edit("decoder_constant_last", "`gaussian_decoder_log_prob` counts log 2π as often as the last axis is long; each pixel has one",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar
         return -0.5 * (terms.reshape(len(x), -1).sum(1) + x.shape[-1] * math.log(2 * math.pi))
         """),
    edit("decoder_mean_clamped", "`gaussian_decoder_log_prob` clamps the mean to [0.01, 0.99], beyond which it gets no gradient",
         """
         mean = mean.clamp(0.01, 0.99)
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_mean_variance", "`gaussian_decoder_log_prob` averages the variances to a single one; each pixel keeps its own",
         """
         d = x[0].numel()
         return -0.5 * (x - mean).reshape(len(x), -1).square().sum(1) / logvar.exp().mean() - 0.5 * d * (logvar.mean() + math.log(2 * math.pi))
         """),
    edit("decoder_logs_no_half", "`gaussian_decoder_log_prob` forgets the factor ½ before log 2πσ²",
         """
         terms = (x - mean).square() * (-logvar).exp() + 2 * logvar + 2 * math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_no_graph", "`gaussian_decoder_log_prob` returns numbers without a graph",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1).detach()
         """),
    edit("decoder_mean_detached", "`gaussian_decoder_log_prob` detaches the mean: the decoder gets no gradient",
         """
         mean = mean.detach() + 0 * mean
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1)
         """),
    edit("decoder_density", "`gaussian_decoder_log_prob` returns the density; its logarithm is asked for",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return (-0.5 * terms.reshape(len(x), -1).sum(1)).exp()
         """),
    edit("decoder_bits", "`gaussian_decoder_log_prob` is in bits; nats are asked for",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1) / math.log(2)
         """),
    edit("decoder_float32", "`gaussian_decoder_log_prob` computes in float32; float64 is to stay float64",
         """
         terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
         return -0.5 * terms.reshape(len(x), -1).sum(1).float()
         """),
    edit("decoder_bernoulli", "`gaussian_decoder_log_prob` is the likelihood of black-and-white pixels, with the mean as logits; a Gaussian is asked for",
         """
         return bernoulli_log_prob(mean, x) + 0 * logvar.sum()
         """),
)

# --- loss_in_nats -----------------------------------------------------------------------------------------------------

mistakes.at(
    "sigma2 = beta * pixels / 2",
    edit("nats_no_half", "`loss_in_nats`: σ² lacks the ½ of the Gaussian's exponent; βD is twice as large as it should be", "sigma2 = beta * pixels"),
    edit("nats_no_pixels", "`loss_in_nats`: σ² lacks the number of pixels; the loss is a mean over them", "sigma2 = beta / 2"),
    edit("nats_per_pixel", "`loss_in_nats` divides by the number of pixels; the mean over the pixels makes the variance larger, not smaller", "sigma2 = beta / (2 * pixels)"),
    edit("nats_double", "`loss_in_nats`: σ² is 2βD, with the 2 on the wrong side", "sigma2 = 2 * beta * pixels"),
    edit("nats_inverse", "`loss_in_nats` returns the reciprocal of the variance", "sigma2 = 2 / (beta * pixels)"),
    edit("nats_over_beta", "`loss_in_nats` divides by β where it is to multiply: a larger β means a larger variance", "sigma2 = pixels / (2 * beta)"),
    edit("nats_whole_half", "`loss_in_nats` divides the number of pixels by 2 with `//`, which loses the half of an odd one", "sigma2 = beta * max(1, pixels // 2)"),
    edit("nats_only_beta", "`loss_in_nats` takes β itself for σ²", "sigma2 = beta"),
    edit("nats_std", "`loss_in_nats` takes the standard deviation for the variance, also in the constant", "sigma2 = math.sqrt(beta * pixels / 2)"),
    edit("nats_half_sigma", "`loss_in_nats` is the variance of a decoder with half of the squared error in its loss; this loss has no ½", "sigma2 = beta * pixels / 4"),
    edit("nats_fixed_pixels", "`loss_in_nats` takes 784 for the number of pixels, whatever it is", "pixels = 784; sigma2 = beta * pixels / 2"),
    edit("nats_unit", "`loss_in_nats` takes the variance ½, for which the squared error is *summed*; here it is a mean, and β counts", "sigma2 = 0.5"),
)

mistakes.at(
    "return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)",
    edit("nats_no_constant", "`loss_in_nats` leaves out the constant; without it the number is no -ELBO in nats", "return sigma2, loss / beta"),
    edit("nats_raw", "`loss_in_nats` returns the loss itself; it is β times -ELBO, up to a constant", "return sigma2, loss"),
    edit("nats_not_divided", "`loss_in_nats` adds the constant to the loss, without dividing by β first",
         "return sigma2, loss + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_constant_divided", "`loss_in_nats` adds the constant before it divides by β",
         "return sigma2, (loss + 0.5 * pixels * math.log(2 * math.pi * sigma2)) / beta"),
    edit("nats_multiplied", "`loss_in_nats` multiplies the loss by β; it is to be divided",
         "return sigma2, loss * beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_no_two_pi", "`loss_in_nats`: the constant lacks log 2π", "return sigma2, loss / beta + 0.5 * pixels * math.log(sigma2)"),
    edit("nats_no_log_sigma", "`loss_in_nats`: the constant lacks log σ²", "return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi)"),
    edit("nats_one_pixel", "`loss_in_nats` adds the constant of a single pixel; there are D of them", "return sigma2, loss / beta + 0.5 * math.log(2 * math.pi * sigma2)"),
    edit("nats_constant_twice", "`loss_in_nats`: the constant lacks the factor ½", "return sigma2, loss / beta + pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_two_pi_once", "`loss_in_nats` counts log 2π of a single pixel; there are D of them",
         "return sigma2, loss / beta + 0.5 * pixels * math.log(sigma2) + 0.5 * math.log(2 * math.pi)"),
    edit("nats_sigma_no_half", "`loss_in_nats`: in the constant, log σ² lacks the factor ½",
         "return sigma2, loss / beta + pixels * math.log(sigma2) + 0.5 * pixels * math.log(2 * math.pi)"),
    edit("nats_constant_sign", "`loss_in_nats` subtracts the constant; in -log p it is added", "return sigma2, loss / beta - 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_log_sigma", "`loss_in_nats`: the constant has log σ where log σ² belongs", "return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * math.sqrt(sigma2))"),
    edit("nats_plus_one", "`loss_in_nats` counts D/2 nats too many: the squared error is in the loss already",
         "return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * math.e * sigma2)"),
    edit("nats_beta_constant", "`loss_in_nats` has β in the constant where σ² belongs", "return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * beta)"),
    edit("nats_two_pi_raw", "`loss_in_nats`: the constant has 2π where log 2π belongs", "return sigma2, loss / beta + 0.5 * pixels * (math.log(sigma2) + 2 * math.pi)"),
    edit("nats_of_the_loss", "`loss_in_nats` takes the mean loss for the variance; σ² follows from β and the number of pixels alone",
         "sigma2 = float(loss.mean()); return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_as_dict", "`loss_in_nats` returns one thing; the variance and -ELBO are asked for, as two", "return loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_elbo", "`loss_in_nats` returns the ELBO; -ELBO is asked for", "return sigma2, -(loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2))"),
    edit("nats_scaled_kl", "`loss_in_nats` divides the whole loss by 2σ², which is right only for the part with the error, without the mean over the pixels",
         "return sigma2, loss / (2 * sigma2) + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_times_pixels", "`loss_in_nats` multiplies the loss by the number of pixels: then β counts the KL D times",
         "return sigma2, loss * pixels + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_pixels_over_beta", "`loss_in_nats` multiplies the loss by the number of pixels and divides by β; the factor 1/β is enough, and D is in σ² already",
         "return sigma2, loss * pixels / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_average_pixel", "`loss_in_nats` is per pixel; nats per image are asked for",
         "return sigma2, (loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)) / pixels"),
    edit("nats_bits", "`loss_in_nats` is in bits; nats are asked for", "return sigma2, (loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)) / math.log(2)"),
    edit("nats_mean", "`loss_in_nats` averages over the examples; one number for each is asked for",
         "return sigma2, (loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)).mean()"),
    edit("nats_swapped", "`loss_in_nats` returns -ELBO before the variance", "return loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2), sigma2"),
    edit("nats_logvar", "`loss_in_nats` returns the logarithm of the variance; the variance itself is asked for",
         "return math.log(sigma2), loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_root", "`loss_in_nats` returns the standard deviation; the variance is asked for",
         "return math.sqrt(sigma2), loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)"),
    edit("nats_base_two", "`loss_in_nats` takes a logarithm to base 2 or 10 in the constant; the others are natural",
         "return sigma2, loss / beta + 0.5 * pixels * math.log2(2 * math.pi * sigma2)"),
)

"""Named wrong versions of the answers to question 3."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- reparameterise ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return mean + (0.5 * logvar).exp() * eps",
    edit("draw_variance", "`reparameterise` scales the noise with exp(logvar), the variance; the noise needs the standard deviation",
         "return mean + logvar.exp() * eps"),
    edit("draw_unscaled_log", "`reparameterise` scales the noise with logvar itself, without the exponential", "return mean + logvar * eps"),
    edit("draw_half_log", "`reparameterise` scales the noise with logvar/2, without the exponential", "return mean + 0.5 * logvar * eps"),
    edit("draw_root_of_log", "`reparameterise` takes the square root of logvar, which may be negative; the root belongs to the variance exp(logvar)",
         "return mean + logvar.sqrt() * eps"),
    edit("draw_inverse", "`reparameterise` divides the noise by the standard deviation", "return mean + (-0.5 * logvar).exp() * eps"),
    edit("draw_doubled", "`reparameterise` scales the noise with exp(2·logvar); the standard deviation is exp(logvar/2)",
         "return mean + (2 * logvar).exp() * eps"),
    edit("draw_half_variance", "`reparameterise` halves the variance; the standard deviation is its square root, exp(logvar/2)",
         "return mean + 0.5 * logvar.exp() * eps"),
    edit("draw_root_of_clamped", "`reparameterise` keeps the variance at 1e-6 or more; smaller ones are then too large, and get no gradient",
         "return mean + logvar.exp().clamp(min=1e-6).sqrt() * eps"),
    edit("draw_root_of_clamped_ten", "`reparameterise` keeps the variance at 1e-10 or more; smaller ones are then too large, and get no gradient",
         "return mean + logvar.exp().clamp(min=1e-10).sqrt() * eps"),
    edit("draw_root_of_clamped_eight", "`reparameterise` keeps the variance at 1e-8 or more; smaller ones are then too large, and get no gradient",
         "return mean + logvar.exp().clamp(min=1e-8).sqrt() * eps"),
    edit("draw_root_of_clamped_twelve", "`reparameterise` keeps the variance at 1e-12 or more; smaller ones are then too large, and get no gradient",
         "return mean + logvar.exp().clamp(min=1e-12).sqrt() * eps"),
    edit("draw_same_shape", "`reparameterise` brings eps to the shape of the mean; with M draws eps has more numbers",
         "return mean + (0.5 * logvar).exp() * eps.reshape(mean.shape)"),
    edit("draw_centred", "`reparameterise` subtracts its mean from the noise; eps is used as it is", "return mean + (0.5 * logvar).exp() * (eps - eps.mean())"),
    edit("draw_quarter", "`reparameterise` takes the square root once too often: exp(logvar/4) scales the noise", "return mean + (0.25 * logvar).exp() * eps"),
    edit("draw_softplus", "`reparameterise` scales the noise with softplus(logvar); logvar is the logarithm of a variance",
         "return mean + F.softplus(logvar) * eps"),
    edit("draw_unit", "`reparameterise` ignores logvar: the noise keeps the standard deviation 1", "return mean + 0 * logvar + eps"),
    edit("draw_mean", "`reparameterise` returns the mean, without the noise", "return mean + 0 * logvar * eps"),
    edit("draw_no_mean", "`reparameterise` forgets the mean", "return 0 * mean + (0.5 * logvar).exp() * eps"),
    edit("draw_minus", "`reparameterise` subtracts the noise; eps belongs to mean + std·eps", "return mean - (0.5 * logvar).exp() * eps"),
    edit("draw_mean_scaled", "`reparameterise` scales the mean, too: only the noise is multiplied by the standard deviation",
         "return (mean + eps) * (0.5 * logvar).exp()"),
    edit("draw_own_noise", "`reparameterise` draws noise of its own; the noise is the argument eps",
         "return mean + (0.5 * logvar).exp() * torch.randn_like(eps)"),
    edit("draw_own_seed", "`reparameterise` draws noise of its own with a fixed seed, the same in every call; the noise is the argument eps",
         "own = torch.randn(eps.shape, generator=torch.Generator(eps.device).manual_seed(0), device=eps.device); return mean + (0.5 * logvar).exp() * own"),
    edit("draw_one_noise", "`reparameterise` uses the noise of the first example for all; each example has its own",
         "return mean + (0.5 * logvar).exp() * eps[..., :1, :]"),
    edit("draw_one_number", "`reparameterise` uses the noise of the first latent for all; each latent has its own",
         "return mean + (0.5 * logvar).exp() * eps[..., :1]"),
    edit("draw_positive", "`reparameterise` takes the absolute value of the noise", "return mean + (0.5 * logvar).exp() * eps.abs()"),
    edit("draw_epsilon", "`reparameterise` adds an epsilon of 1e-8 to the standard deviation, which is larger than the right one for small logvar",
         "return mean + ((0.5 * logvar).exp() + 1e-8) * eps"),
    edit("draw_epsilon_six", "`reparameterise` adds an epsilon of 1e-6 to the standard deviation, which is larger than the right one for small logvar",
         "return mean + ((0.5 * logvar).exp() + 1e-6) * eps"),
    edit("draw_epsilon_variance", "`reparameterise` adds an epsilon of 1e-8 to the variance, which is larger than the right one for small logvar",
         "return mean + (logvar.exp() + 1e-8).sqrt() * eps"),
    edit("draw_epsilon_variance_six", "`reparameterise` adds an epsilon of 1e-6 to the variance, which is larger than the right one for small logvar",
         "return mean + (logvar.exp() + 1e-6).sqrt() * eps"),
    edit("draw_clamped_both", "`reparameterise` clamps logvar to [-30, 30]; it may be anything from -60 to 60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(-30, 30)).exp() * eps"),
    edit("draw_clamped", "`reparameterise` clamps logvar to [-20, 20]; it may be anything from -60 to 60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(-20, 20)).exp() * eps"),
    edit("draw_clamped_ten", "`reparameterise` clamps logvar to [-10, 10]; it may be anything from -60 to 60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(-10, 10)).exp() * eps"),
    edit("draw_clamped_thirty", "`reparameterise` clamps logvar to [-30, 20]; it may be anything from -60 to 60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(-30, 20)).exp() * eps"),
    edit("draw_clamped_above", "`reparameterise` clamps logvar at 20 from above; it may be anything up to 60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(max=20)).exp() * eps"),
    edit("draw_clamped_below", "`reparameterise` clamps logvar at -20 from below; it may be anything from -60, and beyond a clamp there is no gradient",
         "return mean + (0.5 * logvar.clamp(min=-20)).exp() * eps"),
    edit("draw_detached_mean", "`reparameterise` detaches the mean, so no gradient reaches it", "return mean.detach() + (0.5 * logvar).exp() * eps"),
    edit("draw_detached_logvar", "`reparameterise` detaches logvar, so no gradient reaches it", "return mean + (0.5 * logvar.detach()).exp() * eps"),
    edit("draw_detached", "`reparameterise` returns a draw without a graph, as `.sample()`, `.detach()` or `no_grad` give it: no gradient passes",
         "return (mean + (0.5 * logvar).exp() * eps).detach()"),
    edit("draw_new_leaf", "`reparameterise` cuts the draw from the graph and makes it a leaf of its own: no gradient reaches mean and logvar",
         "return (mean + (0.5 * logvar).exp() * eps).detach().requires_grad_()"),
    edit("draw_float32", "`reparameterise` rounds to float32; float64 is to stay float64", "return (mean + (0.5 * logvar).exp() * eps).float()"),
    edit("draw_averaged", "`reparameterise` averages over the M draws", "z = mean + (0.5 * logvar).exp() * eps; return z.mean(0) if z.dim() > 2 else z"),
    edit("draw_in_place", "`reparameterise` changes eps in place", "return eps.mul_((0.5 * logvar).exp().detach()).add(mean) + 0 * logvar"),
)

# --- score_function_loss ----------------------------------------------------------------------------------------------

mistakes.at(
    "return -((reward - baseline).detach() * log_prob).mean()",
    edit("loss_sign", "`score_function_loss` has the wrong sign (or subtracts the reward from the baseline): descending its gradient makes good draws less probable",
         "return ((reward - baseline).detach() * log_prob).mean()"),
    edit("loss_sum", "`score_function_loss` adds up the draws; their average is asked for", "return -((reward - baseline).detach() * log_prob).sum()"),
    edit("loss_sum_of_draws", "`score_function_loss` adds up the draws and averages over the examples only; the average over all M·N is asked for",
         "return -((reward - baseline).detach() * log_prob).sum(0).mean()"),
    edit("loss_sum_of_examples", "`score_function_loss` adds up the examples and averages over the draws only; the average over all M·N is asked for",
         "return -((reward - baseline).detach() * log_prob).sum(1).mean()"),
    edit("loss_each", "`score_function_loss` returns one number for each draw; one number in all, their average, is asked for",
         "return -((reward - baseline).detach() * log_prob)"),
    edit("loss_each_example", "`score_function_loss` returns one number for each example; one number in all, their average, is asked for",
         "return -((reward - baseline).detach() * log_prob).mean(0)"),
    edit("loss_attached", "`score_function_loss` lets gradients pass through the reward and the baseline; in (3.1) f only weighs",
         "return -((reward - baseline) * log_prob).mean()"),
    edit("loss_reward_attached", "`score_function_loss` detaches the baseline, but lets gradients pass through the reward; in (3.1) f only weighs",
         "return -((reward - torch.as_tensor(baseline).detach()) * log_prob).mean()"),
    edit("loss_baseline_attached", "`score_function_loss` detaches the reward, but lets gradients pass through the baseline",
         "return -((reward.detach() - baseline) * log_prob).mean()"),
    edit("loss_all_detached", "`score_function_loss` detaches log q: it is the one factor that is to be differentiated",
         "return -((reward - baseline) * log_prob.detach()).mean()"),
    edit("loss_no_graph", "`score_function_loss` returns a number without a graph", "return -((reward - baseline) * log_prob).mean().detach()"),
    edit("loss_probability", "`score_function_loss` weighs q instead of log q: the draws are from q already, so its gradient counts q twice",
         "return -((reward - baseline).detach() * log_prob.exp()).mean()"),
    edit("loss_baseline_added", "`score_function_loss` adds the baseline; it is to be subtracted", "return -((reward + baseline).detach() * log_prob).mean()"),
    edit("loss_no_baseline", "`score_function_loss` ignores the baseline, or lets it act where it has no effect: it belongs to the reward", "return -(reward.detach() * log_prob).mean()"),
    edit("loss_normalised", "`score_function_loss` divides reward minus baseline by its standard deviation, which changes the length of the gradient",
         "weight = (reward - baseline).detach(); return -(weight / (weight.std(correction=0) + 1e-8) * log_prob).mean()"),
    edit("loss_normalised_torch", "`score_function_loss` divides reward minus baseline by its standard deviation (torch's, with one less in the denominator), which "
         "changes the length of the gradient",
         "weight = (reward - baseline).detach(); return -(weight / (weight.std() + 1e-8) * log_prob).mean()"),
    edit("loss_normalised_by_example", "`score_function_loss` divides the weights of each example by their standard deviation, which changes the length of the gradient",
         "weight = (reward - baseline).detach(); return -(weight / (weight.std(0, correction=0) + 1e-8) * log_prob).mean()"),
    edit("loss_normalised_sample", "`score_function_loss` divides the weights of each example by their standard deviation (with M - 1), which changes the length of the gradient",
         "weight = (reward - baseline).detach(); return -(weight / (weight.std(0) + 1e-8 if len(weight) > 1 else 1) * log_prob).mean()"),
    edit("loss_softmax", "`score_function_loss` weighs with a softmax of the rewards; the weight is reward minus baseline",
         "return -(torch.softmax((reward - baseline).detach(), 0) * log_prob).mean()"),
    edit("loss_softmax_sum", "`score_function_loss` weighs with a softmax of the rewards and adds up the draws; the weight is reward minus baseline",
         "return -(torch.softmax((reward - baseline).detach(), 0) * log_prob).sum(0).mean()"),
    edit("loss_clipped", "`score_function_loss` clips reward minus baseline to [-1, 1], which changes the mean of the gradient",
         "return -((reward - baseline).detach().clamp(-1, 1) * log_prob).mean()"),
    edit("loss_clipped_five", "`score_function_loss` clips reward minus baseline to [-5, 5], which changes the mean of the gradient",
         "return -((reward - baseline).detach().clamp(-5, 5) * log_prob).mean()"),
    edit("loss_sign_only", "`score_function_loss` keeps only the sign of reward minus baseline; its size is the weight",
         "return -(torch.sign(reward - baseline).detach() * log_prob).mean()"),
    edit("loss_entropy", "`score_function_loss` adds 0.01 times log q (an entropy bonus), which changes the gradient",
         "return -((reward - baseline).detach() * log_prob).mean() + 0.01 * log_prob.mean()"),
    edit("loss_one_number", "`score_function_loss` takes the mean of a baseline that is a tensor; each draw is to get its own entry",
         "baseline = baseline.mean() if torch.is_tensor(baseline) and baseline.shape != reward.shape else baseline; return -((reward - baseline).detach() * log_prob).mean()"),
    edit("loss_one_number_always", "`score_function_loss` takes the mean of every baseline that is a tensor; each draw is to get its own entry",
         "baseline = baseline.mean() if torch.is_tensor(baseline) else baseline; return -((reward - baseline).detach() * log_prob).mean()"),
    edit("loss_recentred", "`score_function_loss` subtracts the mean of all weights once more; this contains the draw's own reward",
         "weight = (reward - baseline).detach(); return -((weight - weight.mean()) * log_prob).mean()"),
    edit("loss_absolute", "`score_function_loss` takes the absolute value of reward minus baseline; draws below the baseline are to become less probable",
         "return -((reward - baseline).detach().abs() * log_prob).mean()"),
    edit("loss_positive", "`score_function_loss` drops draws below the baseline; these are to become less probable",
         "return -((reward - baseline).detach().clamp(min=0) * log_prob).mean()"),
    edit("loss_squared", "`score_function_loss` squares reward minus baseline", "return -((reward - baseline).detach().square() * log_prob).mean()"),
    edit("loss_separate_means", "`score_function_loss` multiplies the mean weight with the mean of log q; each draw has its own weight",
         "return -(reward - baseline).detach().mean() * log_prob.mean()"),
    edit("loss_separate_means_by_example", "`score_function_loss` multiplies the mean weight of each example with its mean of log q; each draw has its own weight",
         "return -((reward - baseline).detach().mean(0) * log_prob.mean(0)).mean()"),
    edit("loss_by_fewer", "`score_function_loss` divides the sum over all draws by (M - 1)·N; the average over M·N is asked for",
         "return -((reward - baseline).detach() * log_prob).sum() / (max(1, len(reward) - 1) * reward.shape[1])"),
    edit("loss_first_draw", "`score_function_loss` uses the first draw only", "return -((reward - baseline).detach() * log_prob)[0].mean()"),
    edit("loss_log_q_as_reward", "`score_function_loss` subtracts log q from the reward; the reward is complete as it is given",
         "return -((reward - log_prob - baseline).detach() * log_prob).mean()"),
    edit("loss_adds_reward", "`score_function_loss` also adds the mean reward itself, with its graph; no gradient passes through the reward",
         "return -((reward - baseline).detach() * log_prob + reward - reward.detach()).mean()"),
)

mistakes.at(
    """
    if baseline is None:
        baseline = (reward.sum(0) - reward) / (len(reward) - 1)
    """,
    edit("others_own", "`score_function_loss` counts the draw's own reward in its baseline, which shrinks the gradient by (M - 1)/M",
         """
         if baseline is None:
             baseline = reward.mean(0)
         """),
    edit("others_all", "`score_function_loss` takes the mean of all M·N rewards as baseline; the other draws for the same example are asked for",
         """
         if baseline is None:
             baseline = reward.mean()
         """),
    edit("others_all_but_one", "`score_function_loss` takes the mean of all rewards but the draw's own; only draws for the same example count",
         """
         if baseline is None:
             baseline = (reward.sum() - reward) / max(1, reward.numel() - 1)
         """),
    edit("others_by_m", "`score_function_loss` divides the sum of the other rewards by M; there are M - 1 of them",
         """
         if baseline is None:
             baseline = (reward.sum(0) - reward) / len(reward)
         """),
    edit("others_own_by_less", "`score_function_loss` divides the sum of all M rewards by M - 1: the draw's own reward is to be left out",
         """
         if baseline is None:
             baseline = reward.sum(0) / (len(reward) - 1)
         """),
    edit("others_sum", "`score_function_loss` takes the sum of the other rewards as baseline; their mean is asked for",
         """
         if baseline is None:
             baseline = reward.sum(0) - reward
         """),
    edit("others_wrong_axis", "`score_function_loss` averages the other rewards along the examples; draws for the same example lie along the first axis",
         """
         if baseline is None:
             baseline = (reward.sum(1, keepdim=True) - reward) / max(1, reward.shape[1] - 1)
         """),
    edit("others_none", "`score_function_loss` subtracts nothing if no baseline is given; the mean of the other draws is asked for",
         """
         if baseline is None:
             baseline = 0.0
         """),
    edit("others_next", "`score_function_loss` takes the reward of one other draw as baseline; the mean of all others is asked for",
         """
         if baseline is None:
             baseline = reward.roll(1, 0)
         """),
    edit("others_shrunk_twice", "`score_function_loss` multiplies reward minus mean reward with (M - 1)/M; that it contains the own reward has shrunk it already",
         """
         if baseline is None:
             baseline = reward - (reward - reward.mean(0)) * (len(reward) - 1) / len(reward)
         """),
    edit("others_wrong_one", "`score_function_loss` leaves the reward of a neighbour out of the mean, and keeps the draw's own",
         """
         if baseline is None:
             baseline = (reward.sum(0) - reward.roll(1, 0)) / (len(reward) - 1)
         """),
    edit("others_median", "`score_function_loss` takes the median of the rewards as baseline, which contains the draw's own",
         """
         if baseline is None:
             baseline = reward.median(0).values
         """),
    edit("others_best", "`score_function_loss` takes the largest reward as baseline, which may be the draw's own",
         """
         if baseline is None:
             baseline = reward.amax(0)
         """),
    edit("others_before", "`score_function_loss` averages the draws up to each one, itself included; the mean of all others is asked for",
         """
         if baseline is None:
             baseline = reward.cumsum(0) / torch.arange(1, len(reward) + 1, device=reward.device)[:, None]
         """),
    edit("others_by_examples", "`score_function_loss` divides the sum of the other rewards by N - 1; there are M - 1 of them",
         """
         if baseline is None:
             baseline = (reward.sum(0) - reward) / max(1, reward.shape[1] - 1)
         """),
    edit("others_always", "`score_function_loss` takes the mean of the other draws even where a baseline is given",
         """
         baseline = (reward.sum(0) - reward) / max(1, len(reward) - 1)
         """),
    edit("others_for_zero", "`score_function_loss` takes the number 0 for \"no baseline given\": `not baseline` is true for both",
         """
         if not torch.is_tensor(baseline) and not baseline:
             baseline = (reward.sum(0) - reward) / (len(reward) - 1)
         """),
    edit("others_on_top", "`score_function_loss` subtracts the mean of the other draws in addition to the baseline that is given",
         """
         baseline = (0.0 if baseline is None else baseline) + (reward.sum(0) - reward) / max(1, len(reward) - 1)
         """),
    edit("others_reward_graph", "`score_function_loss` keeps the baseline of the other draws out of the graph, but not the reward itself, with or without a baseline",
         """
         if baseline is None:
             baseline = (reward.sum(0) - reward).detach() / (len(reward) - 1)
         return -((reward - baseline) * log_prob).mean()
         """),
    edit("others_given_graph", "`score_function_loss` detaches the weights only if no baseline is given; with one, gradients pass through reward and baseline",
         """
         if baseline is not None:
             return -((reward - baseline) * log_prob).mean()
         baseline = (reward.sum(0) - reward) / (len(reward) - 1)
         """),
    edit("others_whitened", "`score_function_loss` standardises the rewards first, which changes the length of the gradient, and the baseline's part in it",
         """
         reward = (reward - reward.mean()) / (reward.std() + 1e-8)
         if baseline is None:
             baseline = (reward.sum(0) - reward) / (len(reward) - 1)
         """),
    edit("others_one_graph", "`score_function_loss` detaches the reward in the weight, but not in the baseline of the other draws",
         """
         if baseline is None:
             baseline = (reward.sum(0) - reward) / (len(reward) - 1)
             return -((reward.detach() - baseline) * log_prob).mean()
         """),
)

# --- best_baseline ----------------------------------------------------------------------------------------------------

mistakes.at(
    "return (weight * reward).sum() / weight.sum()",
    edit("best_mean", "`best_baseline` is the mean reward; it is near the best, but weighs each reward without the length of its score",
         "return (q * reward).sum()"),
    edit("best_plain_mean", "`best_baseline` averages the rewards without any weights", "return reward.mean()"),
    edit("best_not_normalised", "`best_baseline` does not divide by the sum of the weights", "return (weight * reward).sum()"),
    edit("best_over_states", "`best_baseline` divides by the number of states instead of the sum of the weights", "return (weight * reward).sum() / len(q)"),
    edit("best_length_only", "`best_baseline` weighs with the squared length of the score alone; a rare state counts rarely",
         "weight = score.square().sum(1); return (weight * reward).sum() / weight.sum()"),
    edit("best_length", "`best_baseline` weighs with the length of the score; the variance is about its square",
         "weight = q * score.norm(dim=1); return (weight * reward).sum() / weight.sum()"),
    edit("best_fourth", "`best_baseline` squares the squared length once more", "weight = q * score.square().sum(1).square(); return (weight * reward).sum() / weight.sum()"),
    edit("best_own_logit", "`best_baseline` measures the score in the state's own logit only; the gradient has K components",
         "weight = q * (1 - q).square(); return (weight * reward).sum() / weight.sum()"),
    edit("best_complement", "`best_baseline` weighs each reward with 1 - q(z), which is right for two states only",
         "weight = 1 - q; return (weight * reward).sum() / weight.sum()"),
    edit("best_two_states", "`best_baseline` is the formula of two states, q₂f₁ + q₁f₂, also where there are more",
         "return q[1] * reward[0] + q[0] * reward[1]"),
    edit("best_one_minus_twice", "`best_baseline` leaves the sum of all q² out of the squared length 1 - 2q(z) + Σq²",
         "weight = q * (1 - 2 * q); return (weight * reward).sum() / weight.sum()"),
    edit("best_two_terms", "`best_baseline` takes (1 - q)² + q² for the squared length; the other logits have their own q²",
         "weight = q * ((1 - q).square() + q.square()); return (weight * reward).sum() / weight.sum()"),
    edit("best_unsquared_others", "`best_baseline` adds the q of the other logits to (1 - q)², without squaring them",
         "weight = q * ((1 - q).square() + 1 - q); return (weight * reward).sum() / weight.sum()"),
    edit("best_centred", "`best_baseline` subtracts the mean reward and does not add it again: what is returned is the distance from the mean",
         "return (weight * (reward - (q * reward).sum())).sum() / weight.sum()"),
    edit("best_epsilon", "`best_baseline` adds an epsilon of 1e-4 to the sum of the weights, which is never 0 here",
         "return (weight * reward).sum() / (weight.sum() + 1e-4)"),
    edit("best_epsilon_six", "`best_baseline` adds an epsilon of 1e-6 to the sum of the weights, which is never 0 here",
         "return (weight * reward).sum() / (weight.sum() + 1e-6)"),
    edit("best_epsilon_eight", "`best_baseline` adds an epsilon of 1e-8 to the sum of the weights, which is never 0 here",
         "return (weight * reward).sum() / (weight.sum() + 1e-8)"),
    edit("best_variance_weight", "`best_baseline` weighs with q(1 - q); the squared length of the score has K terms",
         "weight = q * (1 - q); return (weight * reward).sum() / weight.sum()"),
    edit("best_q_squared", "`best_baseline` weighs with the square of q", "weight = q.square(); return (weight * reward).sum() / weight.sum()"),
    edit("best_sign", "`best_baseline` has the wrong sign", "return -(weight * reward).sum() / weight.sum()"),
    edit("best_each_logit", "`best_baseline` gives a baseline for each logit; one number is asked for, best for the sum over the logits",
         "each = q[:, None] * score.square(); return (each * reward[:, None]).sum(0) / each.sum(0)"),
    edit("best_weighted_mean_of_each", "`best_baseline` averages the best baselines of the single logits by q; the sum of the variances is to be smallest",
         "each = q[:, None] * score.square(); return (q * (each * reward[:, None]).sum(0) / each.sum(0)).sum()"),
    edit("best_mean_of_each", "`best_baseline` averages the best baselines of the single logits; the sum of the variances is to be smallest",
         "each = q[:, None] * score.square(); return ((each * reward[:, None]).sum(0) / each.sum(0)).mean()"),
    edit("best_largest", "`best_baseline` is the largest reward", "return reward.max()"),
    edit("best_midrange", "`best_baseline` is the middle between the smallest and the largest reward", "return (reward.max() + reward.min()) / 2"),
    edit("best_median", "`best_baseline` is the median reward", "return reward.median()"),
    edit("best_reward_squared", "`best_baseline` squares the rewards", "return (weight * reward.square()).sum() / weight.sum()"),
    edit("best_factor_two", "`best_baseline` is twice as large as it should be: the 2 of the parabola's derivative cancels",
         "return 2 * (weight * reward).sum() / weight.sum()"),
    edit("best_half", "`best_baseline` is half as large as it should be: the 2 of the parabola's derivative cancels",
         "return (weight * reward).sum() / (2 * weight.sum())"),
    edit("best_of_reward", "`best_baseline` weighs with the size of the estimate, reward and score together; b minimises that and is not weighed by it",
         "weight = weight * reward.abs(); return (weight * reward).sum() / weight.sum()"),
    edit("best_as_list", "`best_baseline` returns a tensor of shape (1,); a single number is asked for",
         "return (weight * reward).sum(0, keepdim=True) / weight.sum()"),
    edit("best_float32", "`best_baseline` computes in float32; float64 is to stay float64", "return ((weight * reward).sum() / weight.sum()).float()"),
    edit("best_signed_score", "`best_baseline` weighs with the sum of the score's entries, which is zero, instead of the sum of their squares",
         "weight = q * score.sum(1); return (weight * reward).sum() / weight.sum()"),
)

mistakes.at(
    "q = logits.softmax(0)",
    edit("best_logits_as_q", "`best_baseline` takes the logits for probabilities, without a softmax", "q = logits"),
    edit("best_negated_logits", "`best_baseline` takes the softmax of the negative logits", "q = (-logits).softmax(0)"),
    edit("best_unnormalised", "`best_baseline` takes exp(logits) for probabilities; they must sum to one", "q = logits.exp()"),
    edit("best_sigmoid", "`best_baseline` takes the sigmoid of each logit; the states exclude each other, which is a softmax", "q = logits.sigmoid()"),
    edit("best_log_q", "`best_baseline` takes log-probabilities for probabilities", "q = logits.log_softmax(0)"),
)

mistakes.at(
    "score = torch.eye(len(q), dtype=q.dtype, device=q.device) - q   # row z: the gradient of log q(z) in the logits",
    edit("best_in_q", "`best_baseline` takes the score in the probabilities, 1/q(z); asked for is the one in the logits",
         "score = torch.diag(1 / q)"),
    edit("best_of_q", "`best_baseline` takes the gradient of q(z) for that of log q(z)", "score = q[:, None] * (torch.eye(len(q), dtype=q.dtype, device=q.device) - q)"),
    edit("best_columns", "`best_baseline` gives the score of z the entry -q(z) in the other logits, too; there it is minus the q of that logit",
         "score = torch.eye(len(q), dtype=q.dtype, device=q.device) - q[:, None]"),
    edit("best_plus", "`best_baseline` adds q in the score; it is one-hot *minus* q", "score = torch.eye(len(q), dtype=q.dtype, device=q.device) + q"),
)

# --- path_derivative_elbo ---------------------------------------------------------------------------------------------

mistakes.at(
    "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach())",
    edit("path_plain", "`path_derivative_elbo` differentiates log q in its parameters, too: this is the ordinary estimate, with the score left in",
         "return log_joint(z) - diagonal_log_prob(z, mean, logvar)"),
    edit("path_detached_z", "`path_derivative_elbo` detaches z in log q and keeps its parameters; the other way round is asked for",
         "return log_joint(z) - diagonal_log_prob(z.detach(), mean, logvar)"),
    edit("path_both_detached", "`path_derivative_elbo` gives log q no gradient at all; only its parameters are to be detached, and z keeps its graph",
         "return log_joint(z) - diagonal_log_prob(z, mean, logvar).detach()"),
    edit("path_all_z_detached", "`path_derivative_elbo` computes z without a graph (detached, or under `no_grad`), so no gradient passes through the draw",
         "z = z.detach(); return log_joint(z) - diagonal_log_prob(z, mean, logvar)"),
    edit("path_no_graph", "`path_derivative_elbo` returns values without a graph", "return (log_joint(z) - diagonal_log_prob(z, mean, logvar)).detach()"),
    edit("path_joint_detached", "`path_derivative_elbo` detaches z in log p(x, z); it is to pass gradients there",
         "return log_joint(z.detach()) - diagonal_log_prob(z, mean.detach(), logvar.detach())"),
    edit("path_model_detached", "`path_derivative_elbo` gives log p(x, z) no graph, so neither the draw nor the model's parameters get its gradient",
         "return log_joint(z).detach() - diagonal_log_prob(z, mean.detach(), logvar.detach())"),
    edit("path_only_mean", "`path_derivative_elbo` detaches the mean in log q, but not logvar; both are to be detached",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar)"),
    edit("path_only_logvar", "`path_derivative_elbo` detaches logvar in log q, but not the mean; both are to be detached",
         "return log_joint(z) - diagonal_log_prob(z, mean, logvar.detach())"),
    edit("path_sign", "`path_derivative_elbo` has the wrong sign; it is the ELBO, not the loss",
         "return diagonal_log_prob(z, mean.detach(), logvar.detach()) - log_joint(z)"),
    edit("path_plus", "`path_derivative_elbo` adds log q(z); it is to be subtracted", "return log_joint(z) + diagonal_log_prob(z, mean.detach(), logvar.detach())"),
    edit("path_no_q", "`path_derivative_elbo` leaves out log q(z)", "return log_joint(z)"),
    edit("path_mean", "`path_derivative_elbo` returns one number for all examples together, their mean or sum; one number for each is asked for",
         "return (log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach())).mean()"),
    edit("path_prior", "`path_derivative_elbo` evaluates the standard normal density instead of q",
         "return log_joint(z) - diagonal_log_prob(z, 0 * mean.detach(), 0 * logvar.detach())"),
    edit("path_joint_summed", "`path_derivative_elbo` gives each example the sum of log p(x, z) over all; each has its own",
         "return log_joint(z).sum() - diagonal_log_prob(z, mean.detach(), logvar.detach())"),
    edit("path_width_attached", "`path_derivative_elbo` detaches the mean and the variance in the square of log q, but not the logvar/2 that stands alone",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) + 0.5 * (logvar - logvar.detach()).sum(1)"),
    edit("path_kl", "`path_derivative_elbo` subtracts the KL to a standard normal; log q(z) belongs to log p(x, z)",
         "return log_joint(z) - 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)"),
    edit("path_std", "`path_derivative_elbo` hands the standard deviation to log q, which expects the logarithm of the variance",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), (0.5 * logvar.detach()).exp())"),
    edit("path_q_at_mean", "`path_derivative_elbo` evaluates log q at its mean; both logarithms belong to the same z",
         "return log_joint(z) - diagonal_log_prob(mean, mean.detach(), logvar.detach())"),
    edit("path_mean_over_latents", "`path_derivative_elbo` averages log q over the latents; it is the sum over them",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) / z.shape[1]"),
    edit("path_double_logvar", "`path_derivative_elbo` hands 2·logvar to log q; it is the logarithm of the variance already",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), 2 * logvar.detach())"),
    edit("path_half_logvar", "`path_derivative_elbo` hands logvar/2 to log q, which expects the logarithm of the variance",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), 0.5 * logvar.detach())"),
    edit("path_variance", "`path_derivative_elbo` hands the variance to log q, which expects its logarithm",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach().exp())"),
    edit("path_constant", "`path_derivative_elbo` leaves out the constant log(2π)/2 of each latent: the value is no ELBO in nats",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) - 0.5 * math.log(2 * math.pi) * z.shape[1]"),
    edit("path_no_width", "`path_derivative_elbo` leaves logvar/2 out of log q, the logarithm of the width",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) - 0.5 * logvar.detach().sum(1)"),
    edit("path_both_signs", "`path_derivative_elbo` averages over eps and -eps; the draw is the one of eps",
         "other = reparameterise(mean, logvar, -eps); return 0.5 * (log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) "
         "+ log_joint(other) - diagonal_log_prob(other, mean.detach(), logvar.detach()))"),
    edit("path_log_twice", "`path_derivative_elbo` counts logvar twice in log q: the logarithm of the width is logvar/2",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) + 0.5 * logvar.detach().sum(1)"),
    edit("path_constant_once", "`path_derivative_elbo` counts log(2π)/2 once for each example; each latent has one",
         "return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()) - 0.5 * math.log(2 * math.pi) * (z.shape[1] - 1)"),
    edit("path_analytic", "`path_derivative_elbo` takes the average of log q, the negative entropy, in the place of log q at the draw",
         "return log_joint(z) + 0.5 * (logvar + math.log(2 * math.pi) + 1).sum(1)"),
    edit("path_flipped_eps", "`path_derivative_elbo` evaluates log p and log q at two different draws",
         "other = reparameterise(mean, logvar, -eps); return log_joint(z) - diagonal_log_prob(other, mean.detach(), logvar.detach())"),
    edit("path_twice", "`path_derivative_elbo` subtracts the score once more instead of taking it away",
         "score = diagonal_log_prob(z.detach(), mean, logvar); return log_joint(z) - diagonal_log_prob(z, mean, logvar) - (score - score.detach())"),
    edit("path_model_cut", "`path_derivative_elbo` passes gradients to mean and logvar, but none to the parameters of log_joint",
         "value = log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach()); "
         "slope = torch.autograd.grad(value.sum(), z)[0]; return value.detach() + ((z - z.detach()) * slope).sum(1)"),
    edit("path_swapped", "`path_derivative_elbo` exchanges the places of z and the mean: detached is then the draw",
         "return log_joint(z) - diagonal_log_prob(mean, z.detach(), logvar.detach())"),
)

mistakes.at(
    "z = reparameterise(mean, logvar, eps)\n    return log_joint(z) - diagonal",
    edit("path_at_mean", "`path_derivative_elbo` evaluates at the mean, without the noise", "z = mean + 0 * logvar\n    return log_joint(z) - diagonal"),
    edit("path_at_eps", "`path_derivative_elbo` evaluates at eps; z is mean + std·eps", "z = eps + 0 * mean + 0 * logvar\n    return log_joint(z) - diagonal"),
    edit("path_fresh", "`path_derivative_elbo` draws noise of its own; the noise is the argument eps",
         "z = reparameterise(mean, logvar, torch.randn_like(eps))\n    return log_joint(z) - diagonal"),
    edit("path_variance_scale", "`path_derivative_elbo` scales the noise with exp(logvar), the variance", "z = mean + logvar.exp() * eps\n    return log_joint(z) - diagonal"),
    edit("path_detached_mean", "`path_derivative_elbo` detaches the mean in z: no gradient reaches it",
         "z = reparameterise(mean.detach(), logvar, eps) + 0 * mean\n    return log_joint(z) - diagonal"),
    edit("path_detached_logvar", "`path_derivative_elbo` detaches logvar in z: no gradient reaches it",
         "z = reparameterise(mean, logvar.detach(), eps) + 0 * logvar\n    return log_joint(z) - diagonal"),
)


@mistakes.rewrite("`path_derivative_elbo` switches autograd off for mean and logvar themselves, so nothing behind them gets a gradient")
def path_switched_off(ref):
    def path_derivative_elbo(log_joint, mean, logvar, eps):
        z = ref.reparameterise(mean.detach(), logvar.detach(), eps)
        return log_joint(z) - ref.diagonal_log_prob(z, mean.detach(), logvar.detach())

    return {"path_derivative_elbo": path_derivative_elbo}

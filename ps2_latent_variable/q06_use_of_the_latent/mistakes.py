"""Named wrong versions of the answers to question 6."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- latent_usage ---------------------------------------------------------------------------------------------------

mistakes.at(
    "kl = kl_standard_normal(mean[..., None], logvar[..., None])",
    edit("variance_passed", "`latent_usage` passes variances or standard deviations to the KL, which takes log-variances",
         "kl = kl_standard_normal(mean[..., None], logvar.exp()[..., None])"),
    edit("log_std_passed", "`latent_usage` halves the log-variance before the KL, as if it were asked for log σ",
         "kl = kl_standard_normal(mean[..., None], 0.5 * logvar[..., None])"),
    edit("kl_no_half", "`latent_usage`: the KL lacks the factor ½", "kl = mean.square() + logvar.exp() - 1 - logvar"),
    edit("kl_no_mean", "`latent_usage`: the KL lacks the square of the mean", "kl = 0.5 * (logvar.exp() - 1 - logvar)"),
    edit("kl_no_variance", "`latent_usage`: the KL lacks σ²", "kl = 0.5 * (mean.square() - 1 - logvar)"),
    edit("kl_no_minus_one", "`latent_usage`: the KL lacks the -1, so that it is not 0 at the prior", "kl = 0.5 * (mean.square() + logvar.exp() - logvar)"),
    edit("kl_sign", "`latent_usage`: the KL has the opposite sign", "kl = -kl_standard_normal(mean[..., None], logvar[..., None])"),
    edit("kl_bits", "`latent_usage` gives the KL in bits; nats are asked for", "kl = kl_standard_normal(mean[..., None], logvar[..., None]) / math.log(2)"),
    edit("kl_reversed", "`latent_usage` computes KL(p || q); the price is KL(q || p)",
         "kl = 0.5 * ((mean.square() + 1) * (-logvar).exp() - 1 + logvar)"),
    edit("kl_of_average_q", "`latent_usage` averages mean and log-variance over the images before the KL; average the KLs",
         "kl = kl_standard_normal(mean.mean(0)[:, None], logvar.mean(0)[:, None])[None]"),
    edit("kl_of_centred_means", "`latent_usage` subtracts the average mean before the KL; the prior is centred at 0",
         "kl = kl_standard_normal((mean - mean.mean(0))[..., None], logvar[..., None])"),
    edit("kl_log_std", "`latent_usage` takes logvar for log σ in the KL, so that σ² is squared", "kl = kl_standard_normal(mean[..., None], 2 * logvar[..., None])"),
    edit("kl_std_for_variance", "`latent_usage` takes σ for σ² in the KL", "kl = 0.5 * (mean.square() + (0.5 * logvar).exp() - 1 - logvar)"),
    edit("kl_shared", "`latent_usage` divides the KL of all latents equally among them; each has its own", "kl = kl_standard_normal(mean, logvar)[:, None].expand_as(mean) / mean.shape[1]"),
    edit("kl_float32", "`latent_usage` computes the KL in float32; float64 stays float64", "kl = kl_standard_normal(mean.float()[..., None], logvar.float()[..., None])"),
    edit("kl_cut_off", "`latent_usage` cuts the log-variance off before the KL; it may have any size",
         "kl = kl_standard_normal(mean[..., None], logvar.clamp(-3, 2)[..., None])"),
)

mistakes.at(
    "return mean.var(0, correction=0) > threshold, kl.mean(0)",
    edit("by_std", "`latent_usage` compares the standard deviation of the means with the threshold (or squares the threshold); it is one for their variance", "return mean.std(0, correction=0) > threshold, kl.mean(0)"),
    edit("at_least", "`latent_usage` also takes a variance that equals the threshold; it has to exceed it, and with threshold 0 a mean that never moves is not active", "return mean.var(0, correction=0) >= threshold, kl.mean(0)"),
    edit("by_square", "`latent_usage` takes the mean square of the means; a mean that is the same for all images has variance 0", "return mean.square().mean(0) > threshold, kl.mean(0)"),
    edit("by_size", "`latent_usage` asks whether the average mean is large; the question is whether it moves", "return mean.mean(0).abs() > threshold, kl.mean(0)"),
    edit("by_absolute", "`latent_usage` asks whether the means are large in absolute value; the question is whether they move", "return mean.abs().mean(0) > threshold, kl.mean(0)"),
    edit("by_kl", "`latent_usage` calls a latent active if its KL exceeds the threshold; a q that never changes can be costly, too", "return kl.mean(0) > threshold, kl.mean(0)"),
    edit("both_needed", "`latent_usage` asks also whether the KL exceeds the threshold; the variance of the means alone decides", "return (mean.var(0, correction=0) > threshold) & (kl.mean(0) > threshold), kl.mean(0)"),
    edit("either", "`latent_usage` calls a latent active if its KL *or* the variance of its means exceeds the threshold; the variance alone decides", "return (mean.var(0, correction=0) > threshold) | (kl.mean(0) > threshold), kl.mean(0)"),
    edit("relative_to_noise", "`latent_usage` divides the variance of the means by σ²; the variance itself is compared", "return mean.var(0, correction=0) / logvar.exp().mean(0) > threshold, kl.mean(0)"),
    edit("by_range", "`latent_usage` compares how far apart the means are (such as their range) with the threshold; it is their variance", "return mean.amax(0) - mean.amin(0) > threshold, kl.mean(0)"),
    edit("averaged_first", "`latent_usage` averages the means over the images before it takes the variance: nothing is left that could vary, or only the spread over the latents",
         "return mean.mean(0, keepdim=True).var(0, correction=0) > threshold, kl.mean(0)"),
    edit("over_latents_of_average", "`latent_usage` averages the means over the images, and takes the variance over the latents",
         "return mean.mean(0).var(correction=0).expand(mean.shape[1]) > threshold, kl.mean(0)"),
    edit("total_variance", "`latent_usage` takes the variance of z, with σ² in it; the variance of the means is asked for", "return mean.var(0, correction=0) + logvar.exp().mean(0) > threshold, kl.mean(0)"),
    edit("of_logvar", "`latent_usage` takes the variance of the log-variances; the means are asked for", "return logvar.var(0, correction=0) > threshold, kl.mean(0)"),
    edit("of_noise", "`latent_usage` compares σ² with the threshold; the variance of the means over the images is asked for", "return logvar.exp().mean(0) > threshold, kl.mean(0)"),
    edit("all_latents_together", "`latent_usage` takes one variance of all means together; each latent has its own", "return (mean.var(correction=0) > threshold).expand(mean.shape[1]), kl.mean(0)"),
    edit("over_latents", "`latent_usage` takes the variance over the latents; it is over the images", "return mean.var(1, correction=0) > threshold, kl.mean(0)"),
    edit("kl_over_latents", "`latent_usage` averages the KL over the latents; it is averaged over the images, for each latent", "return mean.var(0, correction=0) > threshold, kl.mean(1)"),
    edit("kl_summed", "`latent_usage` sums the KL over the images; their mean is asked for", "return mean.var(0, correction=0) > threshold, kl.sum(0)"),
    edit("kl_of_images", "`latent_usage` gives the KL of each image, summed over latents; the mean of each latent is asked for", "return mean.var(0, correction=0) > threshold, kl.sum(1)"),
    edit("kl_total", "`latent_usage` adds the KLs of all latents up; one number for each latent is asked for", "return mean.var(0, correction=0) > threshold, kl.sum(1).mean()"),
    edit("kl_median", "`latent_usage` takes the median of the KL over the images; their mean is asked for", "return mean.var(0, correction=0) > threshold, kl.median(0).values"),
    edit("of_differences", "`latent_usage` takes the variance of differences between images; the variance of the means is asked for", "return mean.diff(dim=0).var(0, correction=0) > threshold, kl.mean(0)"),
    edit("kl_not_averaged", "`latent_usage` gives the KL of each image and latent; average over the images", "return mean.var(0, correction=0) > threshold, kl"),
    edit("idle", "`active` is the opposite: True where the variance is below the threshold", "return mean.var(0, correction=0) < threshold, kl.mean(0)"),
    edit("fixed_threshold", "`latent_usage` ignores its threshold", "return mean.var(0, correction=0) > 0.01, kl.mean(0)"),
    edit("variance_summed", "`latent_usage` sums the squared deviations over the images, without dividing by N", "return mean.var(0, correction=0) * len(mean) > threshold, kl.mean(0)"),
    edit("as_integers", "`active` holds numbers; True and False are asked for", "return (mean.var(0, correction=0) > threshold).to(mean.dtype), kl.mean(0)"),
    edit("places", "`active` is a list of the active latents' places; True or False for each latent is asked for", "return (mean.var(0, correction=0) > threshold).nonzero().flatten(), kl.mean(0)"),
    edit("only_their_number", "`active` is the number of active latents; True or False for each latent is asked for", "return (mean.var(0, correction=0) > threshold).sum(), kl.mean(0)"),
    edit("the_variances", "`active` is the variance itself; True or False is asked for", "return mean.var(0, correction=0), kl.mean(0)"),
    edit("silent_cost_nothing", "`latent_usage` sets the KL of latents that are not active to 0; they may cost, too",
         "return mean.var(0, correction=0) > threshold, kl.mean(0) * (mean.var(0, correction=0) > threshold)"),
    edit("usage_swapped", "`latent_usage` returns (kl, active); active comes first", "return kl.mean(0), mean.var(0, correction=0) > threshold"),
    edit("squeezed", "`latent_usage` drops axes of length 1 (`squeeze`): with one latent the shapes are wrong",
         "return (mean.var(0, correction=0) > threshold).squeeze(), kl.mean(0).squeeze()"),
)

# --- priced_loss ----------------------------------------------------------------------------------------------------

mistakes.at(
    "price = beta * min(1.0, step / warm_up) if warm_up else beta",
    edit("no_warm_up", "`priced_loss` has no warm-up: the price is β from the start", "price = beta"),
    edit("no_beta", "`priced_loss` ignores β", "price = min(1.0, step / warm_up) if warm_up else 1.0"),
    edit("beta_lost_in_warm_up", "`priced_loss` forgets β when there is a warm-up", "price = min(1.0, step / warm_up) if warm_up else beta"),
    edit("ends_at_one", "`priced_loss` lets the price grow to min(1, β), or stops it there; it grows to β", "price = min(beta, 1.0, beta * step / warm_up) if warm_up else beta"),
    edit("slope_one", "`priced_loss`: the price grows by 1 in `warm_up` steps and stops at β; it is β at step `warm_up`, whatever β", "price = min(beta, step / warm_up) if warm_up else beta"),
    edit("never_stops", "`priced_loss`: the price grows beyond β; it stays at β after the warm-up", "price = beta * step / warm_up if warm_up else beta"),
    edit("counts_from_one", "`priced_loss`: the price is not 0 at step 0, and too high by one step during the warm-up", "price = beta * min(1.0, (step + 1) / warm_up) if warm_up else beta"),
    edit("one_step_late", "`priced_loss`: the price reaches β one step after step `warm_up`", "price = beta * min(1.0, step / (warm_up + 1)) if warm_up else beta"),
    edit("one_step_early", "`priced_loss`: the price reaches β one step before step `warm_up`", "price = beta * (min(1.0, step / (warm_up - 1)) if warm_up > 1 else float(step > 0)) if warm_up else beta"),
    edit("starts_at_one", "`priced_loss`: the price goes from 1 to β; it grows from 0", "price = 1 + (beta - 1) * min(1.0, step / warm_up) if warm_up else beta"),
    edit("one_after_warm_up", "`priced_loss`: after the warm-up the price is 1; it stays at β", "price = (beta * step / warm_up if step < warm_up else 1.0) if warm_up else beta"),
    edit("warm_up_again", "`priced_loss`: the warm-up starts anew every `warm_up` steps; the price stays at β", "price = beta * (step % warm_up) / warm_up if warm_up else beta"),
    edit("falls", "`priced_loss`: the price falls from β to 0; it grows from 0 to β", "price = beta * max(0.0, 1 - step / warm_up) if warm_up else beta"),
    edit("whole_division", "`priced_loss`: the price jumps from 0 to β at the end of the warm-up (as with `//`); it grows linearly", "price = beta * min(1, step // warm_up) if warm_up else beta"),
    edit("curved_growth", "`priced_loss`: the price does not grow linearly", "price = beta * min(1.0, step / warm_up) ** 2 if warm_up else beta"),
    edit("smooth_growth", "`priced_loss`: the price grows along a curve (cosine or sigmoid); it is linear", "price = beta * 0.5 * (1 - math.cos(math.pi * min(1.0, step / warm_up))) if warm_up else beta"),
    edit("free_without_warm_up", "`priced_loss`: without a warm-up the price is 0; it is β from the start", "price = beta * min(1.0, step / warm_up) if warm_up else 0.0"),
    edit("zero_division", "`priced_loss` divides by `warm_up` also where it is 0", "price = beta * min(1.0, step / warm_up)"),
    edit("small_number_added", "`priced_loss`: without a warm-up the price is 0 at step 0 (as if a number were added to `warm_up`, or it were at least 1); it is always β",
         "price = beta * min(1.0, step / max(warm_up, 1))"),
    edit("exchanged", "`priced_loss` divides `warm_up` by step; it is the other way around", "price = beta * min(1.0, warm_up / max(step, 1)) if warm_up else beta"),
)

mistakes.at(
    "return price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()",
    edit("price_on_likelihood", "`priced_loss` puts the price on the log-likelihood; it belongs to the KL", "return kl.mean(0).clamp(min=floor).sum() - price * log_likelihood.mean()"),
    edit("price_on_both", "`priced_loss` multiplies both terms by the price", "return price * (kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean())"),
    edit("price_mixes", "`priced_loss` weighs the log-likelihood by 1 - price; only the KL has a weight", "return price * kl.mean(0).clamp(min=floor).sum() - (1 - price) * log_likelihood.mean()"),
    edit("price_divides", "`priced_loss` divides by the price", "return kl.mean(0).clamp(min=floor).sum() / price - log_likelihood.mean()"),
    edit("no_floor", "`priced_loss` ignores the floor", "return price * kl.mean(0).sum() - log_likelihood.mean()"),
    edit("floor_shared", "`priced_loss` divides the floor among the latents; each has the whole floor", "return price * kl.mean(0).clamp(min=floor / kl.shape[1]).sum() - log_likelihood.mean()"),
    edit("floor_warms_up", "`priced_loss` lets the floor grow with the warm-up; only the price grows",
         "part = min(1.0, step / warm_up) if warm_up else 1.0; return price * kl.mean(0).clamp(min=floor * part).sum() - log_likelihood.mean()"),
    edit("floor_of_each_image", "`priced_loss` clamps the KL of each image; (6.1) averages over the minibatch first", "return price * kl.clamp(min=floor).mean(0).sum() - log_likelihood.mean()"),
    edit("floor_of_the_sum", "`priced_loss` clamps the sum over the latents; each latent has the floor", "return price * kl.mean(0).sum().clamp(min=floor) - log_likelihood.mean()"),
    edit("floor_of_image_sums", "`priced_loss` clamps the total KL of each image; (6.1) clamps each latent's mean over the images", "return price * kl.sum(1).clamp(min=floor).mean() - log_likelihood.mean()"),
    edit("total_floor", "`priced_loss` compares the sum over the latents with k floors; each latent is clamped by itself", "return price * kl.mean(0).sum().clamp(min=kl.shape[1] * floor) - log_likelihood.mean()"),
    edit("floor_of_image_mean", "`priced_loss` averages over the latents before it clamps; each latent has the floor", "return price * kl.mean(1).clamp(min=floor).mean() * kl.shape[1] - log_likelihood.mean()"),
    edit("floor_after_warm_up", "`priced_loss` leaves the floor out during the warm-up; only the price depends on the step",
         "return price * (kl.mean(0) if step < warm_up else kl.mean(0).clamp(min=floor)).sum() - log_likelihood.mean()"),
    edit("floor_or_warm_up", "`priced_loss` leaves the floor out wherever there is a warm-up; only the price depends on it",
         "return price * (kl.mean(0) if warm_up else kl.mean(0).clamp(min=floor)).sum() - log_likelihood.mean()"),
    edit("ceiling", "`priced_loss` takes the minimum of KL and floor; it is the maximum", "return price * kl.mean(0).clamp(max=floor).sum() - log_likelihood.mean()"),
    edit("hinge", "`priced_loss` subtracts the floor: max(0, KL - λ) has the gradient of (6.1), but not its value", "return price * (kl.mean(0) - floor).clamp(min=0).sum() - log_likelihood.mean()"),
    edit("floor_added", "`priced_loss` adds the floor to each KL", "return price * (kl.mean(0) + floor).sum() - log_likelihood.mean()"),
    edit("distance_to_floor", "`priced_loss` takes the distance of the KL to the floor; that is a capacity, not a floor", "return price * (kl.mean(0) - floor).abs().sum() - log_likelihood.mean()"),
    edit("dropped_below", "`priced_loss` sets a KL below the floor to 0; it costs the floor", "return price * torch.where(kl.mean(0) > floor, kl.mean(0), 0.0).sum() - log_likelihood.mean()"),
    edit("floor_on_priced", "`priced_loss` clamps the KL after it was multiplied by the price; in (6.1) the price comes last", "return (price * kl.mean(0)).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("floor_for_beta_one", "`priced_loss` does not multiply the free bits by the price", "return torch.where(kl.mean(0) > floor, price * kl.mean(0), floor).sum() - log_likelihood.mean()"),
    edit("mean_over_latents", "`priced_loss` averages over the latents; (6.1) has their sum", "return price * kl.mean(0).clamp(min=floor).mean() - log_likelihood.mean()"),
    edit("sum_over_images", "`priced_loss` sums the KL over the images; (6.1) has a mean", "return price * kl.sum(0).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("axes_exchanged", "`priced_loss` averages over the latents and sums over the images; it is the other way around", "return price * kl.mean(1).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("likelihood_summed", "`priced_loss` sums the log-likelihood over the images; (6.1) has a mean", "return price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.sum()"),
    edit("both_summed", "`priced_loss` sums over the images; (6.1) has means", "return price * (kl.mean(0).clamp(min=floor) * len(kl)).sum() - log_likelihood.sum()"),
    edit("largest_only", "`priced_loss` takes the largest KL; (6.1) has the sum over the latents", "return price * kl.mean(0).clamp(min=floor).max() - log_likelihood.mean()"),
    edit("gain", "`priced_loss` has the opposite sign: a loss is minimised", "return log_likelihood.mean() - price * kl.mean(0).clamp(min=floor).sum()"),
    edit("both_added", "`priced_loss` adds the log-likelihood; the loss contains it with a minus", "return log_likelihood.mean() + price * kl.mean(0).clamp(min=floor).sum()"),
    edit("kl_subtracted", "`priced_loss` subtracts the KL; it is a cost", "return -log_likelihood.mean() - price * kl.mean(0).clamp(min=floor).sum()"),
    edit("each_image", "`priced_loss` returns a number for each image; one for the minibatch is asked for", "return price * kl.mean(0).clamp(min=floor).sum() - log_likelihood"),
    edit("kl_detached", "`priced_loss` cuts the KL off from autograd (`.detach()`, `.data` or `.item()`), so that it trains nothing", "return price * kl.detach().mean(0).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("likelihood_detached", "`priced_loss` cuts the log-likelihood off from autograd (`.detach()`, `.data` or `.item()`)", "return price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.detach().mean()"),
    edit("a_number", "`priced_loss` returns a number without a graph (`float` or `.item()`)", "return (price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()).item()"),
    edit("loss_detached", "`priced_loss` returns a tensor without a graph: it was detached, or made anew from numbers", "return (price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()).detach()"),
    edit("loss_float32", "`priced_loss` computes in float32; float64 stays float64", "return price * kl.float().mean(0).clamp(min=floor).sum() - log_likelihood.float().mean()"),
    edit("gradient_below_floor", "`priced_loss` has a gradient below the floor; a latent that pays λ anyway has none there",
         "priced = kl.mean(0); clamped = priced + (priced.clamp(min=floor) - priced).detach(); return price * clamped.sum() - log_likelihood.mean()"),
    edit("elbo_first", "`priced_loss` adds its terms to -ELBO: the KL is counted once more, without its price", "return price * kl.mean(0).clamp(min=floor).sum() + kl.sum(1).mean() - log_likelihood.mean()"),
    edit("excess_priced", "`priced_loss` puts the price on what exceeds a price of 1: β - 1 in the place of β", "return (price - 1) * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("price_squared", "`priced_loss` applies the price twice", "return price * price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("in_bits", "`priced_loss` converts the KL to bits (free *bits* are counted in nats here)", "return price * (kl.mean(0) / math.log(2)).clamp(min=floor).sum() - log_likelihood.mean()"),
    edit("floor_in_bits", "`priced_loss` converts the floor from bits; it is in nats, as the KL is", "return price * kl.mean(0).clamp(min=floor * math.log(2)).sum() - log_likelihood.mean()"),
    edit("soft_floor", "`priced_loss` smooths the maximum; (6.1) has a hard one", "return price * (floor + F.softplus(kl.mean(0) - floor)).sum() - log_likelihood.mean()"),
)

# --- gap_of_diagonal ------------------------------------------------------------------------------------------------

mistakes.at(
    "logvar = -precision.diagonal(dim1=-2, dim2=-1).log()",
    edit("marginal_variances", "`gap_of_diagonal` takes the posterior's own variances, the diagonal of Λ⁻¹; the best q is narrower",
         "logvar = torch.linalg.inv(precision).diagonal(dim1=-2, dim2=-1).log()"),
    edit("log_precisions", "`gap_of_diagonal` returns log-precisions; the variance is 1 over the precision",
         "logvar = precision.diagonal(dim1=-2, dim2=-1).log()", ("return logvar, -0.5 * (logvar.sum(-1)", "return logvar, -0.5 * (-logvar.sum(-1)")),
    edit("first_of_batch", "`gap_of_diagonal` takes the diagonal of the first two axes; Λ has the last two", "logvar = -precision.diagonal().log()"),
    edit("eigenvalues", "`gap_of_diagonal` takes eigenvalues of Λ; q cannot be turned, so they are the diagonal's", "logvar = -torch.linalg.eigvalsh(precision).log()"),
    edit("diagonal_epsilon", "`gap_of_diagonal` adds a small number inside the logarithm", "logvar = -(precision.diagonal(dim1=-2, dim2=-1) + 1e-3).log()"),
    edit("diagonal_tiny_epsilon", "`gap_of_diagonal` adds a number such as 1e-8 inside the logarithm: without it, float64 would have more right digits", "logvar = -(precision.diagonal(dim1=-2, dim2=-1) + 1e-8).log()"),
    edit("diagonal_small_epsilon", "`gap_of_diagonal` adds a number such as 1e-6 inside the logarithm; small precisions are then wrong", "logvar = -(precision.diagonal(dim1=-2, dim2=-1) + 1e-6).log()"),
    edit("no_batch", "`gap_of_diagonal` takes the diagonal by `diag`, which knows no leading axes", "logvar = -torch.diag(precision).log()"),
    edit("row_sums", "`gap_of_diagonal` takes sums of the rows of Λ; the derivation needs its diagonal alone", "logvar = -precision.abs().sum(-1).log()"),
    edit("of_factor", "`gap_of_diagonal` takes the diagonal of the Cholesky factor of Λ; the derivation needs that of Λ", "logvar = -2 * torch.linalg.cholesky(precision).diagonal(dim1=-2, dim2=-1).log()"),
)

mistakes.at(
    "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision))",
    edit("gap_no_half", "`gap_of_diagonal`: the gap lacks the factor ½", "return logvar, -(logvar.sum(-1) + torch.logdet(precision))"),
    edit("gap_sign", "`gap_of_diagonal`: the gap has the opposite sign; a KL is never negative", "return logvar, 0.5 * (logvar.sum(-1) + torch.logdet(precision))"),
    edit("gap_adds_det", "`gap_of_diagonal` adds log det Λ where it is to be subtracted, or takes that of Λ⁻¹", "return logvar, -0.5 * (logvar.sum(-1) - torch.logdet(precision))"),
    edit("gap_variances_sign", "`gap_of_diagonal`: the sum of log s has the wrong sign in the gap", "return logvar, 0.5 * (logvar.sum(-1) - torch.logdet(precision))"),
    edit("gap_only_det", "`gap_of_diagonal`: the gap lacks the sum of the logarithms of s", "return logvar, -0.5 * torch.logdet(precision)"),
    edit("gap_only_sum", "`gap_of_diagonal`: the gap lacks log det Λ", "return logvar, -0.5 * logvar.sum(-1)"),
    edit("gap_mean", "`gap_of_diagonal` averages log s over the latents; the KL is a sum", "return logvar, -0.5 * (logvar.mean(-1) + torch.logdet(precision))"),
    edit("gap_trace_kept", "`gap_of_diagonal`: at the best s the trace is k and cancels the -k; one of them is left in the gap", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) + 0.5 * logvar.shape[-1]"),
    edit("gap_minus_k", "`gap_of_diagonal` subtracts k/2 from the gap; at the best s it is cancelled by the trace", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) - 0.5 * logvar.shape[-1]"),
    edit("gap_per_latent", "`gap_of_diagonal` divides the gap by the number of latents; it is a sum", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) / logvar.shape[-1]"),
    edit("gap_bits", "`gap_of_diagonal` gives the gap in bits; nats are asked for", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) / math.log(2)"),
    edit("det_first", "`gap_of_diagonal` computes a determinant (of Λ or Λ⁻¹, or a product) before its logarithm: with many latents it is 0 or infinite in float32",
         "return logvar, -0.5 * (logvar.sum(-1) + torch.linalg.det(precision).log())"),
    edit("diagonal_product", "`gap_of_diagonal` multiplies the diagonal before the logarithm: with many latents the product is 0 or infinite in float32",
         "return logvar, 0.5 * ((-logvar).exp().prod(-1).log() - torch.logdet(precision))"),
    edit("factor_not_doubled", "`gap_of_diagonal`: log det Λ is twice the sum of the logarithms of the Cholesky factor's diagonal; the 2 is missing",
         "return logvar, -0.5 * (logvar.sum(-1) + torch.linalg.cholesky(precision).diagonal(dim1=-2, dim2=-1).log().sum(-1))"),
    edit("logdet_absolute", "`gap_of_diagonal` takes the absolute value of log det Λ, which may be negative", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision).abs())"),
    edit("sign_of_slogdet", "`gap_of_diagonal` takes the sign that `slogdet` returns first; the logarithm is the second", "return logvar, -0.5 * (logvar.sum(-1) + torch.linalg.slogdet(precision)[0])"),
    edit("gap_squeezed", "`gap_of_diagonal` drops axes of length 1 (`squeeze`): with one latent the shapes are wrong", "return logvar.squeeze(), -0.5 * (logvar.sum(-1) + torch.logdet(precision)).squeeze()"),
    edit("gap_batch_mean", "`gap_of_diagonal` averages the gaps of all posteriors; each has its own", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)).mean()"),
    edit("batch_flattened", "`gap_of_diagonal` returns one batch axis whatever the leading axes are; they are kept", "return logvar.reshape(-1, logvar.shape[-1]), -0.5 * (logvar.sum(-1) + torch.logdet(precision)).reshape(-1)"),
    edit("product_first", "`gap_of_diagonal` multiplies the diagonal, and takes the logarithm of a ratio to the determinant: with many latents both are 0 or infinite in float32",
         "return logvar, 0.5 * ((-logvar).exp().prod(-1) / torch.linalg.det(precision)).log()"),
    edit("jitter", "`gap_of_diagonal` adds a small multiple of the identity to Λ for the determinant", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision + 1e-3 * torch.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)))"),
    edit("det_epsilon", "`gap_of_diagonal` adds a small number to the determinant before the logarithm", "return logvar, -0.5 * (logvar.sum(-1) + (torch.linalg.det(precision) + 1e-8).log())"),
    edit("two_pi", "`gap_of_diagonal`: constants with 2π (or an entropy) are left in the gap; they cancel", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) + 0.5 * logvar.shape[-1] * math.log(2 * math.pi)"),
    edit("entropy_left", "`gap_of_diagonal`: constants with 2πe (an entropy) are left in the gap; they cancel", "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision)) + 0.5 * logvar.shape[-1] * math.log(2 * math.pi * math.e)"),
    edit("returns_variances", "`gap_of_diagonal` returns the variances s; their logarithms are asked for", "return logvar.exp(), -0.5 * (logvar.sum(-1) + torch.logdet(precision))"),
    edit("returns_log_std", "`gap_of_diagonal` returns logarithms of standard deviations; log-variances are asked for", "return 0.5 * logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision))"),
    edit("gap_of_batch", "`gap_of_diagonal` adds the gaps of all posteriors up; each has its own", "return logvar, -0.5 * (logvar.sum() + torch.logdet(precision).sum())"),
    edit("logvar_of_batch", "`gap_of_diagonal` sums log s over all posteriors; each gap has its own", "return logvar, -0.5 * (logvar.sum() + torch.logdet(precision))"),
    edit("gap_swapped", "`gap_of_diagonal` returns (gap, logvar); logvar comes first", "return -0.5 * (logvar.sum(-1) + torch.logdet(precision)), logvar"),
    edit("gap_float", "`gap_of_diagonal` computes in float32; float64 stays float64", "return logvar.float(), -0.5 * (logvar.sum(-1) + torch.logdet(precision)).float()"),
    edit("gap_alone", "`gap_of_diagonal` returns the gap alone; (logvar, gap) is asked for", "return -0.5 * (logvar.sum(-1) + torch.logdet(precision))"),
    edit("half_of_sum_only", "`gap_of_diagonal`: log det Λ lacks the factor ½", "return logvar, -0.5 * logvar.sum(-1) - torch.logdet(precision)"),
    edit("half_of_det_only", "`gap_of_diagonal`: the sum of log s lacks the factor ½", "return logvar, -logvar.sum(-1) - 0.5 * torch.logdet(precision)"),
    edit("to_the_prior", "`gap_of_diagonal` gives the KL of q to the standard normal; the gap is the KL to the posterior", "return logvar, 0.5 * (logvar.exp() - 1 - logvar).sum(-1)"),
)


@mistakes.rewrite("`gap_of_diagonal` takes the posterior's own variances, the diagonal of Λ⁻¹, and their KL; another s has a smaller one")
def moment_matched(ref):
    def gap_of_diagonal(precision):
        variance = torch.linalg.inv(precision).diagonal(dim1=-2, dim2=-1)
        trace = (precision.diagonal(dim1=-2, dim2=-1) * variance).sum(-1)
        return variance.log(), 0.5 * (trace - precision.shape[-1] - variance.log().sum(-1) - torch.logdet(precision))

    return {"gap_of_diagonal": gap_of_diagonal}


@mistakes.rewrite("`gap_of_diagonal` takes the KL the other way around, from the posterior to q; its best s are the diagonal of Λ⁻¹")
def forward_kl(ref):
    def gap_of_diagonal(precision):
        logvar = torch.linalg.inv(precision).diagonal(dim1=-2, dim2=-1).log()
        return logvar, 0.5 * (logvar.sum(-1) + torch.logdet(precision))

    return {"gap_of_diagonal": gap_of_diagonal}


@mistakes.rewrite("`gap_of_diagonal` gives KL(posterior || q) for the right q; the gap is KL(q || posterior)")
def right_q_wrong_direction(ref):
    def gap_of_diagonal(precision):
        diagonal = precision.diagonal(dim1=-2, dim2=-1)
        trace = (torch.linalg.inv(precision).diagonal(dim1=-2, dim2=-1) * diagonal).sum(-1)
        return -diagonal.log(), 0.5 * (trace - precision.shape[-1] - diagonal.log().sum(-1) + torch.logdet(precision))

    return {"gap_of_diagonal": gap_of_diagonal}


@mistakes.rewrite("`gap_of_diagonal` uses two latents only: 1 - ρ² is right for two, and there may be any number")
def first_two_latents(ref):
    def gap_of_diagonal(precision):
        diagonal = precision.diagonal(dim1=-2, dim2=-1)
        return -diagonal.log(), -0.5 * (1 - precision[..., 0, 1] ** 2 / (diagonal[..., 0] * diagonal[..., 1])).log()

    return {"gap_of_diagonal": gap_of_diagonal}


@mistakes.rewrite("`gap_of_diagonal` adds a small multiple of the identity to Λ, for s and the determinant")
def jitter_on_both(ref):
    return {"gap_of_diagonal": lambda precision: ref.gap_of_diagonal(precision + 1e-6 * torch.eye(precision.shape[-1]).to(precision))}


@mistakes.rewrite("`gap_of_diagonal` treats its argument as a covariance; it is the precision")
def as_covariance(ref):
    return {"gap_of_diagonal": lambda precision: ref.gap_of_diagonal(torch.linalg.inv(precision))}


# --- refine ---------------------------------------------------------------------------------------------------------

ELBO = "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)   # up to a constant"

mistakes.at(
    ELBO,
    edit("no_entropy", "`refine` leaves -log q(z) out: nothing keeps the variance from shrinking", "return log_joint(reparameterise(mean, logvar, eps)).mean(0)"),
    edit("entropy_no_half", "`refine` counts the log-variance fully in -log q(z); log σ is half of it", "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + logvar.sum(1)"),
    edit("entropy_sign", "`refine` adds log q(z); the ELBO subtracts it", "return log_joint(reparameterise(mean, logvar, eps)).mean(0) - 0.5 * logvar.sum(1)"),
    edit("kl_to_prior", "`refine` subtracts the KL to the prior; log p(x, z) contains the prior already, and log q(z) is missing", "return log_joint(reparameterise(mean, logvar, eps)).mean(0) - kl_standard_normal(mean, logvar)"),
    edit("kl_and_entropy", "`refine` subtracts the KL to the prior beside log q(z); log p(x, z) contains the prior already",
         "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1) - kl_standard_normal(mean, logvar)"),
    edit("prior_for_q", "`refine` subtracts log p(z), which leaves the likelihood; the ELBO has log p(x, z) - log q(z)",
         "z = reparameterise(mean, logvar, eps); return (log_joint(z) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))).mean(0)"),
    edit("logvar_clamped", "`refine` cuts the log-variance off; it may have any size", "logvar = logvar.clamp(-6, 1); return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)"),
    edit("at_the_mean", "`refine` takes log p(x, z) at the mean of q; the ELBO needs the draws", "return log_joint(mean.expand_as(eps)).mean(0) + 0.5 * logvar.sum(1)"),
    edit("new_noise", "`refine` draws noise of its own; the draws are `eps`, the same in every step", "return log_joint(reparameterise(mean, logvar, torch.randn_like(eps))).mean(0) + 0.5 * logvar.sum(1)"),
    edit("noise_of_first_image", "`refine` uses the noise of the first image for all; each image has its own", "return log_joint(reparameterise(mean, logvar, eps[:, :1].expand_as(eps))).mean(0) + 0.5 * logvar.sum(1)"),
    edit("log_std_taken", "`refine` takes logvar for log σ throughout: in the draws and in log q(z)", "return log_joint(mean + logvar.exp() * eps).mean(0) + logvar.sum(1)"),
    edit("draws_detached", "`refine` cuts the draws off from autograd, so log p(x, z) gives no gradient: the gradient passes through the draws",
         "z = reparameterise(mean, logvar, eps).detach(); return (log_joint(z) - diagonal_log_prob(z, mean, logvar)).mean(0)"),
    edit("variance_as_std", "`refine` multiplies the noise by the variance; the standard deviation is its root", "return log_joint(mean + logvar.exp() * eps).mean(0) + 0.5 * logvar.sum(1)"),
    edit("noise_unscaled", "`refine` adds the noise without the factor σ", "return log_joint(mean + eps).mean(0) + 0.5 * logvar.sum(1)"),
    edit("first_draw_only", "`refine` uses the first draw only; the ELBO is the mean over all", "return log_joint(reparameterise(mean, logvar, eps[:1])).mean(0) + 0.5 * logvar.sum(1)"),
    edit("draws_summed", "`refine` sums log p(x, z) over the draws, but counts log q(z) once; take means", "return log_joint(reparameterise(mean, logvar, eps)).sum(0) + 0.5 * logvar.sum(1)"),
    edit("draws_log_averaged", "`refine` takes the logarithm of the average weight (the bound of Question 7); the ELBO averages the logarithms",
         "z = reparameterise(mean, logvar, eps); return (log_joint(z) - diagonal_log_prob(z, mean, logvar)).logsumexp(0)"),
    edit("best_draw", "`refine` takes the best draw; the ELBO is the mean over all draws", "return log_joint(reparameterise(mean, logvar, eps)).amax(0) + 0.5 * logvar.sum(1)"),
    edit("path_only", "`refine` takes the path derivative: log q(z) is cut off from autograd in mean and logvar, and on fixed draws that is not the gradient of their ELBO",
         "z = reparameterise(mean, logvar, eps); return (log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach())).mean(0)"),
    edit("q_detached", "`refine` cuts log q(z) off from autograd: nothing keeps the variance from shrinking",
         "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.detach().sum(1)"),
    edit("entropy_averaged", "`refine` averages log q over the latents; it is a sum", "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.mean(1)"),
    edit("climbs_down", "`refine` lowers the ELBO: Adam minimises, so the sign is to be changed", "return -log_joint(reparameterise(mean, logvar, eps)).mean(0) - 0.5 * logvar.sum(1)"),
)

mistakes.at(
    "q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]",
    edit("start_changed", "`refine` works on the tensors that it was given and changes them (`.detach()` does not copy)", "q = [start.detach().requires_grad_() for start in (mean, logvar)]"),
    edit("copy_in_graph", "`refine` copies the start without `.detach()`: if the start has a graph, the copy is no leaf", "q = [start.clone() for start in (mean, logvar)]; [each.requires_grad_() for each in q]"),
    edit("from_the_prior", "`refine` starts at the prior; it starts at the q that it is given", "q = [torch.zeros_like(start).requires_grad_() for start in (mean, logvar)]"),
    edit("own_variance_start", "`refine` starts with variance 1; it starts at the q that it is given", "q = [mean.detach().clone().requires_grad_(), torch.zeros_like(logvar).requires_grad_()]"),
)

mistakes.at(
    "optimiser = torch.optim.Adam(q, lr=lr)",
    edit("only_the_mean", "`refine` changes the mean only; the log-variance is refined, too", "optimiser = torch.optim.Adam(q[:1], lr=lr)"),
    edit("only_the_logvar", "`refine` changes the log-variance only; the mean is refined, too", "optimiser = torch.optim.Adam(q[1:], lr=lr)"),
    edit("plain_descent", "`refine` takes plain gradient steps; Adam is asked for", "optimiser = torch.optim.SGD(q, lr=lr)"),
    edit("other_lr", "`refine` ignores `lr`", "optimiser = torch.optim.Adam(q)"),
    edit("rmsprop", "`refine` uses RMSprop; Adam is asked for", "optimiser = torch.optim.RMSprop(q, lr=lr)"),
    edit("adamw", "`refine` uses AdamW, whose weight decay pulls mean and log-variance to 0", "optimiser = torch.optim.AdamW(q, lr=lr)"),
)

mistakes.at(
    "for _ in range(steps):",
    edit("one_step_more", "`refine` takes one step too many", "for _ in range(steps + 1):"),
    edit("one_step_less", "`refine` takes one step too few", "for _ in range(steps - 1):"),
    edit("adam_anew", "`refine` makes a new Adam for each step; one for all steps keeps its averages",
         "for _ in range(steps):\n        optimiser = torch.optim.Adam(q, lr=lr)"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    (-elbo(*q).sum()).backward()
    """,
    edit("gradients_pile_up", "`refine` does not reset the gradients: each step adds to those before", "\n(-elbo(*q).sum()).backward()\n"),
    edit("one_draw_per_step", "`refine` takes another draw in each step; each step uses all draws",
         "\noptimiser.zero_grad()\n(-(log_joint(reparameterise(*q, eps[_ % len(eps)][None])).mean(0) + 0.5 * q[1].sum(1)).sum()).backward()\n"),
    edit("gradient_clipped", "`refine` clips the gradients; Adam gets them as they are", "\noptimiser.zero_grad()\n(-elbo(*q).sum()).backward()\nnn.utils.clip_grad_norm_(q, 1.0)\n"),
    edit("best_image_only", "`refine` climbs for one image; the loss is the sum over all images", "\noptimiser.zero_grad()\n(-elbo(*q)[0]).backward()\n"),
)

mistakes.at(
    "optimiser.step()",
    edit("clamped_after_steps", "`refine` keeps the log-variance within bounds; it may have any size", "optimiser.step()\n        q[1].data.clamp_(-10, 10)"),
)

mistakes.at(
    "worse = elbo(*q) < elbo(mean, logvar)",
    edit("no_guard", "`refine` returns the last q also for images whose ELBO fell; these keep their start", "worse = elbo(*q) < -math.inf"),
    edit("guard_reversed", "`refine` keeps the worse of start and end", "worse = elbo(*q) > elbo(mean, logvar)"),
    edit("guard_of_the_sum", "`refine` compares the sum or mean over the images; each image keeps its start or not by itself", "worse = (elbo(*q).sum() < elbo(mean, logvar).sum()).expand(len(mean))"),
    edit("guard_if_any", "`refine` gives all images their start back if one of them got worse; each decides for itself", "worse = (elbo(*q) < elbo(mean, logvar)).any().expand(len(mean))"),
    edit("guard_without_draws", "`refine` compares log p(x, z) at start and end, without -log q(z); the ELBO decides",
         "worse = log_joint(q[0][None]).mean(0) < log_joint(mean[None]).mean(0)"),
    edit("guard_without_entropy", "`refine` compares the mean of log p(x, z) at start and end, without -log q(z); the ELBO decides",
         "worse = log_joint(reparameterise(*q, eps)).mean(0) < log_joint(reparameterise(mean, logvar, eps)).mean(0)"),
    edit("guard_of_first_draw", "`refine` compares start and end at a part of the draws; the ELBO is the mean over all",
         "worse = log_joint(reparameterise(*q, eps[:1])).mean(0) + 0.5 * q[1].sum(1) < log_joint(reparameterise(mean, logvar, eps[:1])).mean(0) + 0.5 * logvar.sum(1)"),
    edit("guard_of_new_draws", "`refine` compares start and end with draws of its own; they are `eps`",
         "new = torch.randn_like(eps); worse = log_joint(reparameterise(*q, new)).mean(0) + 0.5 * q[1].sum(1) < log_joint(reparameterise(mean, logvar, new)).mean(0) + 0.5 * logvar.sum(1)"),
    edit("start_always", "`refine` always returns the start (as with a loss of the wrong sign, which lowers every ELBO)", "worse = elbo(*q) < math.inf"),
)

mistakes.at(
    "return tuple(torch.where(worse[:, None], *pair).detach() for pair in zip((mean, logvar), q))",
    edit("in_float32", "`refine` computes in float32; float64 stays float64", "return tuple(torch.where(worse[:, None], *pair).detach().float() for pair in zip((mean, logvar), q))"),
    edit("with_graph", "`refine` returns tensors that still require gradients; they are asked for without a graph", "return tuple(torch.where(worse[:, None], *pair) for pair in zip((mean, logvar), q))"),
    edit("refined_swapped", "`refine` returns (logvar, mean); the mean comes first", "return tuple(torch.where(worse[:, None], *pair).detach() for pair in zip((logvar, mean), q[::-1]))"),
    edit("mean_guarded_only", "`refine` gives an image that got worse its mean back, but not its log-variance", "return torch.where(worse[:, None], mean, q[0]).detach(), q[1].detach()"),
    edit("returns_elbo", "`refine` returns more than the mean and the log-variance", "return *(torch.where(worse[:, None], *pair).detach() for pair in zip((mean, logvar), q)), elbo(*q).detach()"),
    edit("variance_returned", "`refine` returns variances; log-variances are asked for",
         "return torch.where(worse[:, None], mean, q[0]).detach(), torch.where(worse[:, None], logvar, q[1]).detach().exp()"),
)


@mistakes.rewrite("`refine` keeps the best q met on the way; the last step's is asked for, or the start's")
def best_on_the_way(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)
        best, kept = elbo(*q).detach(), [each.detach().clone() for each in q]
        for _ in range(steps):
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
            value = elbo(*q).detach()
            kept = [torch.where((value > best)[:, None], new.detach(), old) for new, old in zip(q, kept, strict=True)]
            best = torch.maximum(best, value)
        return tuple(kept)

    return {"refine": refine}


@mistakes.rewrite("`refine` takes back each step that lowers an image's ELBO; all steps are taken, and the end is compared with the start")
def each_step_guarded(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)
        last = elbo(*q).detach()
        for _ in range(steps):
            old = [each.detach().clone() for each in q]
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
            with torch.no_grad():
                fell = elbo(*q) < last
                for each, before in zip(q, old, strict=True):
                    each[fell] = before[fell]
                last = elbo(*q)
        return tuple(each.detach() for each in q)

    return {"refine": refine}


@mistakes.rewrite("`refine` takes a step of the mean, then one of the log-variance; one step changes both, from the same gradient")
def one_after_the_other(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimisers = [torch.optim.Adam([each], lr=lr) for each in q]
        for _ in range(steps):
            for optimiser in optimisers:
                optimiser.zero_grad()
                (-elbo(*q).sum()).backward()
                optimiser.step()
        worse = elbo(*q) < elbo(mean, logvar)
        return tuple(torch.where(worse[:, None], *pair).detach() for pair in zip((mean, logvar), q, strict=True))

    return {"refine": refine}


@mistakes.rewrite("`refine` decides for mean and log-variance apart; an image keeps both or none")
def parts_guarded_apart(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)
        for _ in range(steps):
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
        first, second = elbo(*q) < elbo(mean, q[1]), elbo(*q) < elbo(q[0], logvar)
        return torch.where(first[:, None], mean, q[0]).detach(), torch.where(second[:, None], logvar, q[1]).detach()

    return {"refine": refine}


@mistakes.rewrite("`refine` compares the start with the ELBO before the last step (the last loss); the last step may lower it, too")
def guard_before_last_step(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)
        value = before = elbo(mean, logvar).detach()
        for _ in range(steps):
            optimiser.zero_grad()
            value = elbo(*q)
            (-value.sum()).backward()
            optimiser.step()
        return tuple(torch.where((value < before)[:, None], *pair).detach() for pair in zip((mean, logvar), q, strict=True))

    return {"refine": refine}


@mistakes.rewrite("`refine` optimises log σ; with Adam its steps are twice as long for the log-variance")
def by_log_std(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, log_std):
            return log_joint(mean + log_std.exp() * eps).mean(0) + log_std.sum(1)

        start = mean.detach(), logvar.detach() / 2
        q = [each.clone().requires_grad_() for each in start]
        optimiser = torch.optim.Adam(q, lr=lr)
        for _ in range(steps):
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
        worse = elbo(*q) < elbo(*start)
        mean, log_std = (torch.where(worse[:, None], *pair).detach() for pair in zip(start, q, strict=True))
        return mean, 2 * log_std

    return {"refine": refine}


@mistakes.rewrite("`refine` optimises standard deviations; Adam's steps are to be taken in the log-variance")
def by_std_leaf(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, std):
            return log_joint(mean + std * eps).mean(0) + std.abs().log().sum(1)

        start = mean.detach(), (logvar.detach() / 2).exp()
        q = [each.clone().requires_grad_() for each in start]
        optimiser = torch.optim.Adam(q, lr=lr)
        for _ in range(steps):
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
        worse = elbo(*q) < elbo(*start)
        mean, std = (torch.where(worse[:, None], *pair).detach() for pair in zip(start, q, strict=True))
        return mean, std.square().log()

    return {"refine": refine}


@mistakes.rewrite("`refine` takes its steps for one image after the other with one Adam, whose averages wander from image to image")
def one_adam_for_all(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)

        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        for _ in range(steps):
            for n in range(len(mean)):
                optimiser.zero_grad()
                (-elbo(*q)[n]).backward()
                optimiser.step()
        worse = elbo(*q) < elbo(mean, logvar)
        return tuple(torch.where(worse[:, None], *pair).detach() for pair in zip((mean, logvar), q, strict=True))

    return {"refine": refine}


@mistakes.rewrite("`refine` stops when the ELBO falls; all steps are to be taken, and the end compared with the start")
def early_stop(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        def elbo(mean, logvar):
            return log_joint(ref.reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)

        q = [start.detach().clone().requires_grad_() for start in (mean, logvar)]
        optimiser = torch.optim.Adam(q, lr=lr)
        last = elbo(*q).sum().detach()
        for _ in range(steps):
            optimiser.zero_grad()
            (-elbo(*q).sum()).backward()
            optimiser.step()
            now = elbo(*q).sum().detach()
            if now < last:
                break
            last = now
        worse = elbo(*q) < elbo(mean, logvar)
        return tuple(torch.where(worse[:, None], *pair).detach() for pair in zip((mean, logvar), q, strict=True))

    return {"refine": refine}

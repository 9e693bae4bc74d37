"""Named wrong versions of the answers to question 7."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- log_weights ---------------------------------------------------------------------------------------------------

mistakes.at(
    "mean, logvar = model.encode(x)",
    edit("log_std", "`log_weights` takes the encoder's second output for a log standard deviation; it is the log-variance",
         "mean, logvar = model.encode(x); logvar = 2 * logvar"),
    edit("std_for_logvar", "`log_weights` takes half of the log-variance everywhere, so the variance of q is σ instead of σ²",
         "mean, logvar = model.encode(x); logvar = 0.5 * logvar"),
    edit("encoder_swapped", "`log_weights` exchanges what `encode` returns: the mean comes first, then the log-variance",
         "logvar, mean = model.encode(x)"),
    edit("own_noise", "`log_weights` draws noise of its own; the noise is `eps`",
         "mean, logvar = model.encode(x); eps = torch.randn_like(eps)"),
    edit("no_noise", "`log_weights` leaves the noise away: all draws are the mean",
         "mean, logvar = model.encode(x); eps = 0 * eps"),
    edit("one_noise_for_all_draws", "`log_weights` uses the noise of the first draw for all draws",
         "mean, logvar = model.encode(x); eps = eps[:1].expand_as(eps)"),
    edit("one_noise_for_all_images", "`log_weights` uses the noise of the first image for all images",
         "mean, logvar = model.encode(x); eps = eps[:, :1].expand_as(eps)"),
    edit("encoder_cut_off", "`log_weights` cuts the encoder off from autograd (`no_grad`, `.detach()` or `.data`), so it cannot be trained",
         "mean, logvar = (part.detach() for part in model.encode(x))"),
    edit("weights_in_float32", "`log_weights` computes in float32 whatever comes in; float64 loses its digits",
         "mean, logvar = (part.float().to(x.dtype) for part in model.encode(x))"),
    edit("variance_floored", "`log_weights` cuts the log-variance off; it may have any size",
         "mean, logvar = model.encode(x); logvar = logvar.clamp(-4, 4)"),
)

mistakes.at(
    "outputs = model.decode(reparameterise(mean, logvar, eps)).flatten(0, 1)",
    edit("variance_times_noise", "z is the mean plus the *variance* times eps; the standard deviation belongs there",
         "outputs = model.decode(mean + logvar.exp() * eps).flatten(0, 1)"),
    edit("decodes_the_mean", "`log_weights` decodes the mean; each draw has a code of its own",
         "outputs = model.decode(mean.expand_as(eps)).flatten(0, 1)"),
    edit("decodes_the_noise", "`log_weights` decodes eps itself, a code from the prior; the draws come from q",
         "outputs = model.decode(eps).flatten(0, 1)"),
    edit("sigmoid_first", "`log_weights` applies a sigmoid to the outputs; `log_likelihood` takes them as they are",
         "outputs = torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))).flatten(0, 1)"),
    edit("code_detached", "`log_weights` cuts the code off from autograd before it is decoded, so the encoder never hears of the pixels",
         "outputs = model.decode(reparameterise(mean, logvar, eps).detach()).flatten(0, 1)"),
    edit("decoder_cut_off", "`log_weights` cuts the outputs of the decoder off from autograd, so nothing learns from the pixels",
         "outputs = model.decode(reparameterise(mean, logvar, eps)).detach().flatten(0, 1)"),
    edit("outputs_by_image", "the outputs are flattened image by image, but the copies of x are in the order of the draws",
         "outputs = model.decode(reparameterise(mean, logvar, eps)).transpose(0, 1).flatten(0, 1)"),
)

mistakes.at(
    "log_likelihoods = log_likelihood(outputs, x.repeat(len(eps), 1)).reshape(len(eps), len(x))",
    edit("interleaved", "the images are repeated in the wrong order (`repeat_interleave`): codes are compared with other images",
         "log_likelihoods = log_likelihood(outputs, x.repeat_interleave(len(eps), 0)).reshape(len(eps), len(x))"),
    edit("reshaped_wrongly", "the flat result is taken apart as (N, M), but it runs draw by draw: values land at other images",
         "log_likelihoods = log_likelihood(outputs, x.repeat(len(eps), 1)).reshape(len(x), len(eps)).T"),
    edit("always_bernoulli", "`log_weights` ignores `log_likelihood` and takes a Bernoulli decoder always",
         "log_likelihoods = bernoulli_log_prob(outputs, x.repeat(len(eps), 1)).reshape(len(eps), len(x))"),
    edit("likelihood_swapped", "the arguments of `log_likelihood` are exchanged: the outputs come first",
         "log_likelihoods = log_likelihood(x.repeat(len(eps), 1), outputs).reshape(len(eps), len(x))"),
    edit("first_image_only", "all codes are compared with the first image",
         "log_likelihoods = log_likelihood(outputs, x[:1].repeat(len(outputs), 1)).reshape(len(eps), len(x))"),
    edit("per_pixel", "the log-likelihood is divided by the number of pixels; it is their sum",
         "log_likelihoods = log_likelihood(outputs, x.repeat(len(eps), 1)).reshape(len(eps), len(x)) / x.shape[1]"),
    edit("draws_summed", "`log_likelihood` is called with three axes, so it sums over the images, too",
         "log_likelihoods = log_likelihood(outputs.reshape(*eps.shape[:2], -1), x.expand(len(eps), -1, -1))[:, None].expand(-1, len(x))"),
    edit("likelihood_averaged", "the log-likelihood is averaged over the draws before the rest is subtracted; each draw has its own",
         "log_likelihoods = log_likelihood(outputs, x.repeat(len(eps), 1)).reshape(len(eps), len(x)).mean(0, keepdim=True)"),
)

mistakes.at(
    "return log_likelihoods - kl_monte_carlo(mean, logvar, eps)",
    edit("likelihood_only", "prior and proposal are missing: the weight is more than p(x | z)", "return log_likelihoods"),
    edit("no_proposal", "the density of the proposal, q(z | x), is missing",
         "z = reparameterise(mean, logvar, eps); return log_likelihoods + diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))"),
    edit("no_prior", "the prior p(z) is missing", "return log_likelihoods - diagonal_log_prob(reparameterise(mean, logvar, eps), mean, logvar)"),
    edit("sign_of_ratio", "log q(z | x) - log p(z) is added; it is to be subtracted", "return log_likelihoods + kl_monte_carlo(mean, logvar, eps)"),
    edit("closed_kl", "the KL in closed form is subtracted, its average over q; a weight needs the densities at its own draw",
         "return log_likelihoods - kl_standard_normal(mean, logvar)"),
    edit("averaged_kl", "log q - log p is averaged over the draws; a weight needs the densities at its own draw",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps).mean(0)"),
    edit("no_log_std", "log q is that of eps, without the logarithm of the standard deviation: the densities of z and eps differ",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) - 0.5 * logvar.sum(-1)"),
    edit("log_std_not_halved", "log q contains the whole log-variance; the density has half of it",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) + 0.5 * logvar.sum(-1)"),
    edit("two_pi_once", "log 2π is in one of the two Gaussian densities only",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) - 0.5 * math.log(2 * math.pi) * mean.shape[1]"),
    edit("two_pi_once_other", "log 2π is missing in log p(z), but not in log q(z | x)",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) + 0.5 * math.log(2 * math.pi) * mean.shape[1]"),
    edit("prior_at_eps", "the prior is evaluated at eps; it belongs to z",
         "return log_likelihoods - 0.5 * eps.square().sum(-1) - 0.5 * math.log(2 * math.pi) * mean.shape[1] - diagonal_log_prob(reparameterise(mean, logvar, eps), mean, logvar)"),
    edit("prior_at_mean", "the prior is evaluated at the mean of q; it belongs to the draw",
         "return log_likelihoods + diagonal_log_prob(mean, torch.zeros_like(mean), torch.zeros_like(mean)) - diagonal_log_prob(reparameterise(mean, logvar, eps), mean, logvar)"),
    edit("latents_averaged", "log q - log p is averaged over the latents; it is their sum", "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) / mean.shape[1]"),
    edit("images_first", "the axes are (N, M); draws come first", "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).T"),
    edit("averaged_already", "`log_weights` returns the mean over the draws; the weights of all draws are asked for",
         "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).mean(0)"),
    edit("bound_already", "`log_weights` returns the bound; the weights of all draws are asked for",
         "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).logsumexp(0) - math.log(len(eps))"),
    edit("exponentiated", "`log_weights` returns the weights; their logarithms are asked for", "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).exp()"),
    edit("relative_to_largest", "the largest weight of each image is divided out (for stability); then the mean is not p(x)",
         "w = log_likelihoods - kl_monte_carlo(mean, logvar, eps); return w - w.amax(0)"),
    edit("normalised", "the weights of each image are divided by their sum; then the mean is not p(x)",
         "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).log_softmax(0)"),
    edit("divided_by_draws", "log M is subtracted from each weight; that is the task of the bound",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps) - math.log(len(eps))"),
    edit("in_bits", "the result is in bits; nats are asked for", "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)) / math.log(2)"),
    edit("negative", "`log_weights` has the wrong sign: it is log q - log p(x, z)", "return kl_monte_carlo(mean, logvar, eps) - log_likelihoods"),
    edit("clamped", "the logarithms are cut off; unlikely codes have weights of any size", "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).clamp(-100, 100)"),
    edit("nothing_differentiable", "`log_weights` returns numbers without graph (`no_grad`, `.detach()` or `.item()`); nothing can be trained with them",
         "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).detach()"),
    edit("ratio_detached", "log p(z) - log q(z | x) is cut off from autograd, so nothing holds q near the prior",
         "return log_likelihoods - kl_monte_carlo(mean, logvar, eps).detach()"),
    edit("path_only", "mean and log-variance are cut off from autograd inside log q (the path derivative of Question 3); the whole gradient is asked for",
         "z = reparameterise(mean, logvar, eps); zero = torch.zeros_like(z); return log_likelihoods + diagonal_log_prob(z, zero, zero) - diagonal_log_prob(z, mean.detach(), logvar.detach())"),
    edit("squeezed", "axes of length 1 are dropped (`squeeze`): with one draw or one image the shape is wrong",
         "return (log_likelihoods - kl_monte_carlo(mean, logvar, eps)).squeeze()"),
)

# --- iwae_bound ----------------------------------------------------------------------------------------------------

mistakes.at(
    "size = len(log_weights) if size is None else size",
    edit("size_ignored", "`iwae_bound` ignores `size`: all draws are in one block", "size = len(log_weights)"),
    edit("number_of_blocks", "`size` is taken for the number of blocks; it is the number of draws in each",
         "size = len(log_weights) if size is None else len(log_weights) // size"),
    edit("none_is_one", "without `size` each draw is a block of its own; it means one block of all", "size = 1 if size is None else size"),
    edit("examples_counted", "without `size` the number of examples is taken; it is the number of draws", "size = log_weights.shape[1] if size is None else size"),
)

mistakes.at(
    "blocks = log_weights.reshape(-1, size, log_weights.shape[1])",
    edit("strided_blocks", "the blocks are not consecutive draws: every (M / size)-th draw is in the same block",
         "blocks = log_weights.reshape(size, -1, log_weights.shape[1]).transpose(0, 1)"),
    edit("first_block_only", "only the first block counts; the bounds of all blocks are averaged",
         "blocks = log_weights[:size].reshape(-1, size, log_weights.shape[1])"),
    edit("scrambled_examples", "the blocks mix examples: rows of the transposed weights are cut",
         "blocks = log_weights.T.reshape(-1, size, log_weights.shape[1])"),
    edit("last_block_dropped", "the last block is left away",
         "blocks = log_weights.reshape(-1, size, log_weights.shape[1]); blocks = blocks[:-1] if len(blocks) > 1 else blocks"),
    edit("bound_in_float32", "`iwae_bound` computes in float32 whatever comes in", "blocks = log_weights.float().reshape(-1, size, log_weights.shape[1])"),
    edit("bound_clamped", "the logarithms are cut off; they may have any size", "blocks = log_weights.clamp(-500, 500).reshape(-1, size, log_weights.shape[1])"),
)

mistakes.at(
    "return (blocks.logsumexp(1) - math.log(size)).mean(0)",
    edit("mean_of_logs", "the logarithms are averaged, which is the ELBO for any M; average the weights, then take the logarithm", "return blocks.mean(1).mean(0)"),
    edit("sum_of_weights", "log M is missing: the weights are summed, not averaged", "return blocks.logsumexp(1).mean(0)"),
    edit("divided_by_m", "the logarithm of the sum is divided by the number of draws; dividing the sum subtracts a logarithm", "return (blocks.logsumexp(1) / size).mean(0)"),
    edit("all_draws_in_log", "log M of all draws is subtracted in every block; a block has `size`", "return (blocks.logsumexp(1) - math.log(len(log_weights))).mean(0)"),
    edit("blocks_in_log", "the logarithm of the number of blocks is subtracted, not that of their size", "return (blocks.logsumexp(1) - math.log(len(blocks))).mean(0)"),
    edit("plus_log", "log M is added; it is to be subtracted", "return (blocks.logsumexp(1) + math.log(size)).mean(0)"),
    edit("log_n", "the logarithm of the number of examples is subtracted, not that of the draws", "return (blocks.logsumexp(1) - math.log(blocks.shape[2])).mean(0)"),
    edit("bits_of_m", "log2 M is subtracted from nats", "return (blocks.logsumexp(1) - math.log2(size)).mean(0)"),
    edit("over_examples", "the sum runs over the examples; it runs over the draws", "return (blocks.logsumexp(2) - math.log(size)).mean(0)"),
    edit("over_blocks", "the sum of weights runs over the blocks, the mean of logarithms within them; it is the reverse", "return (blocks.logsumexp(0) - math.log(len(blocks))).mean(0)"),
    edit("blocks_summed", "the bounds of the blocks are summed; their mean is asked for", "return (blocks.logsumexp(1) - math.log(size)).sum(0)"),
    edit("best_block", "the best block counts alone, which is no bound on average", "return (blocks.logsumexp(1) - math.log(size)).amax(0)"),
    edit("median_block", "the median of the blocks is returned; their mean is asked for", "return (blocks.logsumexp(1) - math.log(size)).median(0).values"),
    edit("all_blocks", "the bound of every block is returned; their mean is asked for", "return blocks.logsumexp(1) - math.log(size)"),
    edit("mean_of_means", "the blocks' mean weights are averaged before the logarithm: that is one block again",
         "each = blocks.logsumexp(1) - math.log(size); return each.logsumexp(0) - math.log(len(each))"),
    edit("typed_naively", "the weights are computed by exp: values near -1000 become 0, those near 1000 infinite", "return blocks.exp().mean(1).log().mean(0)"),
    edit("log_with_epsilon", "a small constant is added inside the logarithm; it swallows small weights", "return (blocks.exp().mean(1) + 1e-8).log().mean(0)"),
    edit("one_maximum_for_all", "one maximum for all draws and examples is divided out, so that other weights vanish; each block of each example needs its own",
         "top = blocks.max(); return ((blocks - top).exp().mean(1).log() + top).mean(0)"),
    edit("maximum_per_example", "one maximum for each example is divided out, so that all weights of a poor block can vanish; each block needs its own",
         "top = blocks.amax((0, 1)); return ((blocks - top).exp().mean(1).log() + top).mean(0)"),
    edit("mean_divided_out", "the average of the logarithms is taken out before exp, not the maximum: weights hundreds of nats apart overflow",
         "middle = blocks.mean(1, keepdim=True); return ((blocks - middle).exp().mean(1).log() + middle[:, 0]).mean(0)"),
    edit("largest_only", "the largest weight stands for the mean of all", "return blocks.amax(1).mean(0)"),
    edit("largest_minus_log", "only the largest weight is counted, divided by M", "return (blocks.amax(1) - math.log(size)).mean(0)"),
    edit("self_weighted", "the logarithms are averaged with the weights themselves; this is no bound", "return (blocks.softmax(1) * blocks).sum(1).mean(0)"),
    edit("bound_of_negative", "the bound has the wrong sign", "return -(blocks.logsumexp(1) - math.log(size)).mean(0)"),
    edit("loss_of_bound", "weights are turned over: the logarithms get a minus inside and outside, which bounds from above", "return -((-blocks).logsumexp(1) - math.log(size)).mean(0)"),
    edit("bound_in_bits", "the bound is in bits; nats are asked for", "return (blocks.logsumexp(1) - math.log(size)).mean(0) / math.log(2)"),
    edit("mean_weight_returned", "the mean weight is returned; its logarithm is asked for", "return (blocks.logsumexp(1) - math.log(size)).exp().mean(0)"),
    edit("averaged_over_examples", "the bound is averaged over the examples; each has its own", "return (blocks.logsumexp(1) - math.log(size)).mean()"),
    edit("bound_detached", "the bound comes without graph (`no_grad`, `.detach()` or `.item()`); it is to be differentiable", "return (blocks.logsumexp(1) - math.log(size)).mean(0).detach()"),
    edit("maximum_detached_wrongly", "the weights inside the logarithm are cut off from autograd; the gradient is that of the largest alone",
         "top = blocks.amax(1, keepdim=True); return ((blocks - top).detach().exp().mean(1).log() + top[:, 0]).mean(0)"),
    edit("bound_squeezed", "axes of length 1 are dropped (`squeeze`): with one example the shape is wrong", "return (blocks.logsumexp(1) - math.log(size)).mean(0).squeeze()"),
)


@mistakes.rewrite("`iwae_bound` subtracts the maximum from its argument in place, so the caller's weights are changed")
def changed_in_place(ref):
    def iwae_bound(log_weights, size=None):
        with torch.no_grad():
            top = log_weights.amax(0)
            log_weights -= top
        return ref.iwae_bound(log_weights, size) + top

    return {"iwae_bound": iwae_bound}


# --- effective_draws -----------------------------------------------------------------------------------------------

mistakes.at(
    "share = log_weights.softmax(0)",
    edit("shares_of_examples", "the shares sum to one over the examples; they belong to the draws of one example", "share = log_weights.softmax(1)"),
    edit("shares_of_all", "the weights of all examples are normalised together; each example has its own sum",
         "share = log_weights.flatten().softmax(0).reshape(log_weights.shape)"),
    edit("logs_for_weights", "(7.3) is applied to the logarithms of the weights", "share = log_weights / log_weights.sum(0)"),
    edit("absolute_logs", "(7.3) is applied to the absolute logarithms of the weights", "share = log_weights.abs() / log_weights.abs().sum(0)"),
    edit("shares_typed_naively", "the weights are computed by exp: values near -1000 become 0, those near 1000 infinite",
         "share = log_weights.exp() / log_weights.exp().sum(0)"),
    edit("one_top", "one maximum for all examples is divided out: the weights of other examples vanish",
         "weight = (log_weights - log_weights.max()).exp(); share = weight / weight.sum(0)"),
    edit("shares_epsilon", "a small constant is added to the sum of the weights; where all weights are small it takes over",
         "share = log_weights.exp() / (log_weights.exp().sum(0) + 1e-8)"),
    edit("squared_weights", "the weights are squared before they are normalised, so (7.3) sees their squares", "share = (2 * log_weights).softmax(0)"),
    edit("roots_of_weights", "the roots of the weights are normalised", "share = (0.5 * log_weights).softmax(0)"),
    edit("inverse_weights", "the inverse weights are normalised (a sign)", "share = (-log_weights).softmax(0)"),
    edit("shares_in_float32", "`effective_draws` computes in float32 whatever comes in", "share = log_weights.float().softmax(0)"),
    edit("shares_centred", "the mean is subtracted from the weights before they are squared: that is a variance",
         "share = log_weights.softmax(0); share = share - share.mean(0)"),
)

mistakes.at(
    "return 1 / share.square().sum(0), share.amax(0)",
    edit("not_turned_over", "the sum of squared shares is returned; its inverse counts draws", "return share.square().sum(0), share.amax(0)"),
    edit("share_of_draws", "the effective draws are divided by M; their number is asked for", "return 1 / share.square().sum(0) / len(share), share.amax(0)"),
    edit("mean_of_squares", "the squared shares are averaged; they are summed", "return 1 / share.square().mean(0), share.amax(0)"),
    edit("square_of_sum", "the shares are summed before they are squared, which gives 1", "return 1 / share.sum(0).square(), share.amax(0)"),
    edit("perplexity", "exp of the entropy of the shares is another count; (7.3) is asked for", "return (-torch.xlogy(share, share).sum(0)).exp(), share.amax(0)"),
    edit("turned_over_largest", "1 / largest share is another count; (7.3) is asked for", "return 1 / share.amax(0), share.amax(0)"),
    edit("root_of_squares", "the root of the sum of squares is taken; (7.3) has none", "return 1 / share.square().sum(0).sqrt(), share.amax(0)"),
    edit("sample_variance", "the variance of the weights is divided by M - 1; (7.3) has no such correction",
         "return len(share) / (1 + (len(share) * share).var(0)), share.amax(0)"),
    edit("rounded_draws", "the effective draws are rounded; they are no whole number", "return (1 / share.square().sum(0)).round(), share.amax(0)"),
    edit("draws_above_average", "the weights above average are counted; (7.3) is asked for", "return (share > 1 / len(share)).sum(0).to(share.dtype), share.amax(0)"),
    edit("all_draws_together", "the examples are pooled: each has its own number of effective draws", "return (1 / share.square().sum(0)).mean(), share.amax()"),
    edit("largest_first", "the largest share is returned first; the effective draws come first", "return share.amax(0), 1 / share.square().sum(0)"),
    edit("largest_weight", "the largest weight is not divided by the sum of all; its share is asked for", "return 1 / share.square().sum(0), log_weights.exp().amax(0)"),
    edit("largest_log_weight", "the largest log-weight is returned; its share of the sum of weights is asked for", "return 1 / share.square().sum(0), log_weights.amax(0)"),
    edit("largest_log_share", "the logarithm of the largest share is returned; the share is asked for", "return 1 / share.square().sum(0), log_weights.log_softmax(0).amax(0)"),
    edit("place_of_largest", "the place of the largest weight is returned (`argmax`); its share is asked for", "return 1 / share.square().sum(0), share.argmax(0)"),
    edit("values_and_places", "the largest share is returned with its place (`max` along an axis gives both)", "return 1 / share.square().sum(0), share.max(0)"),
    edit("smallest_share", "the smallest share is returned; the largest is asked for", "return 1 / share.square().sum(0), share.amin(0)"),
    edit("largest_square", "the largest squared share is returned", "return 1 / share.square().sum(0), share.square().amax(0)"),
    edit("largest_of_squares", "the largest square is divided by the sum of squares; the largest weight by the sum of weights is asked for",
         "return 1 / share.square().sum(0), (2 * log_weights).softmax(0).amax(0)"),
    edit("largest_against_average", "the largest weight is divided by the mean weight; by the sum of all is asked for", "return 1 / share.square().sum(0), share.amax(0) * len(share)"),
    edit("largest_over_examples", "the largest share is taken over the examples; it belongs to the draws of one example", "return 1 / share.square().sum(0), share.amax(1)"),
    edit("first_share", "the share of the first draw is returned; the largest is asked for", "return 1 / share.square().sum(0), share[0]"),
    edit("in_percent", "the largest share is in percent", "return 1 / share.square().sum(0), 100 * share.amax(0)"),
    edit("draws_alone", "the effective draws come alone; the largest share is asked for, too", "return 1 / share.square().sum(0)"),
    edit("draws_squeezed", "axes of length 1 are dropped (`squeeze`): with one example the shape is wrong", "return (1 / share.square().sum(0)).squeeze(), share.amax(0).squeeze()"),
)

# --- expected_share ------------------------------------------------------------------------------------------------

mistakes.at(
    "root = (2 * ratio - 1).clamp(min=0).sqrt()",
    edit("no_limit", "below r = 1/2 the integral is infinite and the share 0, but a root of a negative number is taken", "root = (2 * ratio - 1).sqrt()"),
    edit("absolute_inside", "below r = 1/2 the absolute value is taken; the integral is infinite there and the share 0", "root = (2 * ratio - 1).abs().sqrt()"),
    edit("floor_of_epsilon", "a small constant keeps the share above 0; below r = 1/2 it is exactly 0", "root = (2 * ratio - 1).clamp(min=1e-4).sqrt()"),
    edit("no_root", "the root is missing: the integral is that of a Gaussian, whose width is a root", "root = (2 * ratio - 1).clamp(min=0)"),
    edit("inverse_ratio", "r is turned over, as the posterior's variance divided by that of q", "ratio = 1 / ratio; root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("ratio_of_std", "r is taken for the ratio of standard deviations; it is that of variances", "ratio = ratio.square(); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("ratio_rooted", "the root of r is taken first; r is the ratio of variances already", "ratio = ratio.sqrt(); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("narrow_is_zero", "a q narrower than the posterior gets the share 0; the integral is finite down to r = 1/2",
         "root = torch.where(ratio < 1, 0.0, (2 * ratio - 1).clamp(min=0).sqrt())"),
    edit("limit_at_a_quarter", "the share becomes 0 below r = 1/4; this is the limit for another power", "root = (2 * ratio - 1).abs().sqrt() * (ratio > 0.25)"),
    edit("wide_is_free", "a q that is too wide counts fully; it wastes draws, too", "ratio = ratio.clamp(max=1); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("narrow_is_free", "a q that is too narrow counts fully; the weights vary there most", "ratio = ratio.clamp(min=1); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("average_ratio", "the ratios are averaged over the latents first; independent latents multiply their shares",
         "ratio = ratio.mean(-1, keepdim=True); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("product_of_ratios", "the ratios are multiplied first; the shares of the latents are to be multiplied",
         "ratio = ratio.prod(-1, keepdim=True); root = (2 * ratio - 1).clamp(min=0).sqrt()"),
    edit("reverse_integral", "the integral is that of q²/p; it is p²/q", "ratio = 1 / ratio; root = (2 - 1 / ratio).clamp(min=0).sqrt() * ratio.sqrt() * ratio"),
    edit("share_in_float32", "`expected_share` computes in float32 whatever comes in", "root = (2 * ratio.float() - 1).clamp(min=0).sqrt()"),
)

mistakes.at(
    "return (root / ratio).prod(-1)",
    edit("no_denominator", "the factor 1 / r is missing: at r = 1 it does not show", "return root.prod(-1)"),
    edit("root_in_denominator", "the root of r is in the denominator; r itself belongs there", "return (root / ratio.sqrt()).prod(-1)"),
    edit("second_moment", "E[w²] / (E w)² is returned; its inverse is asked for", "return (ratio / root).prod(-1)"),
    edit("variance_of_weights", "the relative variance of the weights, E[w²] / (E w)² - 1, is returned; the share of draws is asked for", "return (ratio / root).prod(-1) - 1"),
    edit("summed_shares", "the shares of the latents are summed; independent latents multiply", "return (root / ratio).sum(-1)"),
    edit("averaged_shares", "the shares of the latents are averaged; independent latents multiply", "return (root / ratio).mean(-1)"),
    edit("geometric_mean", "the geometric mean over the latents is returned; the product is asked for", "return (root / ratio).prod(-1) ** (1 / ratio.shape[-1])"),
    edit("worst_latent", "the worst latent alone counts; independent latents multiply", "return (root / ratio).amin(-1)"),
    edit("first_latent", "the first latent alone counts; independent latents multiply", "return (root / ratio)[..., 0]"),
    edit("over_rows", "the product runs over the rows; it runs over the latents, the last axis", "return (root / ratio).prod(0)"),
    edit("axis_one", "the product runs over axis 1; the latents are the last axis", "return (root / ratio).prod(min(1, ratio.dim() - 1))"),
    edit("everything_multiplied", "the rows are multiplied, too; each has its own share", "return (root / ratio).prod()"),
    edit("each_latent", "the share of each latent is returned; their product is asked for", "return root / ratio"),
    edit("share_squared", "the share is squared", "return (root / ratio).prod(-1).square()"),
    edit("kept_axis", "the axis of the latents is kept with length 1; it is gone in the result", "return (root / ratio).prod(-1, keepdim=True)"),
    edit("zero_latents_left_out", "latents that are too narrow are left out of the product; one of them makes it 0",
         "each = root / ratio; return torch.where(each > 0, each, 1.0).prod(-1)"),
    edit("share_of_kl", "exp(-KL) is returned; the share takes the second moment of the weights",
         "return (-0.5 * (ratio - 1 - ratio.log()).sum(-1)).exp()"),
    edit("overlap", "the overlap ∫√(pq) is returned (or its square); the share takes ∫p²/q", "return (2 * ratio.sqrt() / (1 + ratio)).prod(-1)"),
    edit("log_share", "the logarithm of the share is returned", "return (root / ratio).prod(-1).log()"),
)

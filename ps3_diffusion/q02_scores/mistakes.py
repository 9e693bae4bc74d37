"""Named wrong versions of the answers to question 2."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- mixture_score ------------------------------------------------------------------------------------------------

mistakes.at(
    "away = means - x[:, None]",
    edit("score_sign", "`mixture_score` points away from the means; the log-density rises towards them", "away = x[:, None] - means"),
    edit("score_x_detached", "`mixture_score` is cut off from x (`.detach()`, or autograd without `create_graph`), so that the score itself has no slope", "away = means - x.detach()[:, None]"),
    edit("score_float32", "`mixture_score` computes in float32 whatever comes in", "away = (means - x[:, None]).float().to(x.dtype)"),
)

mistakes.at(
    "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)",
    edit("score_no_weights", "`mixture_score` leaves the weights out of the shares", "share = torch.softmax(-away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_weights_not_logs", "`mixture_score` adds the weights to logarithms; their logarithms belong there",
         "share = torch.softmax(weights - away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_only_weights", "`mixture_score` takes the weights for the shares, as if all hills were one around their common mean; a hill's share depends on x",
         "share = weights.expand(len(x), -1)"),
    edit("score_weights_twice", "`mixture_score` multiplies by the weights once more after the shares have been normalised",
         "share = weights * torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_weights_after", "`mixture_score` multiplies by the weights only after the shares have been normalised; then they no longer sum to 1",
         "share = weights * torch.softmax(-away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_weights_squared", "`mixture_score` multiplies the weights into the shares twice",
         "share = torch.softmax(2 * weights.log() - away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_uniform", "`mixture_score` gives all hills the same share", "share = torch.full_like(away[..., 0], 1 / len(means))"),
    edit("score_nearest", "`mixture_score` lets the nearest hill pull alone; all hills pull by their shares",
         "share = F.one_hot(away.square().sum(-1).argmin(1), len(means)).to(x.dtype)"),
    edit("score_likeliest", "`mixture_score` lets the hill with the largest share pull alone; all hills pull by their shares",
         "share = F.one_hot((weights.log() - away.square().sum(-1) / (2 * variance)).argmax(1), len(means)).to(x.dtype)"),
    edit("score_std_in_shares", "`mixture_score` takes `variance` for a standard deviation in the shares and squares it",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance**2), 1)"),
    edit("score_std_everywhere", "`mixture_score` takes `variance` for a standard deviation and squares it",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance**2), 1)",
         ("return (share[..., None] * away).sum(1) / variance", "return (share[..., None] * away).sum(1) / variance**2")),
    edit("score_root_everywhere", "`mixture_score` divides by the standard deviation where the variance belongs, in shares and pulls",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance**0.5), 1)",
         ("return (share[..., None] * away).sum(1) / variance", "return (share[..., None] * away).sum(1) / variance**0.5")),
    edit("score_no_half", "`mixture_score` lacks the ½ in the exponent of the hills' densities",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / variance, 1)"),
    edit("score_no_variance_in_shares", "`mixture_score` leaves the variance out of the shares",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / 2, 1)"),
    edit("score_distance_not_squared", "`mixture_score` takes the distance in the exponent; its square belongs there",
         "share = torch.softmax(weights.log() - away.norm(dim=-1) / (2 * variance), 1)"),
    edit("score_absolute", "`mixture_score` adds absolute differences in the exponent; their squares belong there",
         "share = torch.softmax(weights.log() - away.abs().sum(-1) / (2 * variance), 1)"),
    edit("score_mean_square", "`mixture_score` averages the squares over the dimensions in the exponent; they are to be summed",
         "share = torch.softmax(weights.log() - away.square().mean(-1) / (2 * variance), 1)"),
    edit("score_sign_in_exponent", "`mixture_score` has the wrong sign in the exponent, so far hills count most",
         "share = torch.softmax(weights.log() + away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_softmax_over_points", "`mixture_score` normalises the shares over the points; those of one point sum to 1 over the hills",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 0)"),
    edit("score_softmax_over_everything", "`mixture_score` normalises the shares over points and hills together; those of one point sum to 1",
         "logs = weights.log() - away.square().sum(-1) / (2 * variance); share = torch.softmax(logs.flatten(), 0).reshape(logs.shape)"),
    edit("score_not_normalised", "`mixture_score` does not divide by the density: this is the gradient of p, not of log p",
         "share = weights * torch.exp(-away.square().sum(-1) / (2 * variance)) / (2 * math.pi * variance) ** (x.shape[1] / 2)"),
    edit("score_not_normalised_plain", "`mixture_score` does not normalise the shares to sum 1",
         "share = weights * torch.exp(-away.square().sum(-1) / (2 * variance))"),
    edit("score_logs_as_shares", "`mixture_score` uses logarithms as shares; the exponential is missing",
         "share = torch.log_softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)"),
    edit("score_underflow", "`mixture_score` divides densities that are 0 far from all hills, which gives NaN; shares can be computed from logarithms",
         "dens = weights * torch.exp(-away.square().sum(-1) / (2 * variance)); share = dens / dens.sum(1, keepdim=True)"),
    edit("score_one_maximum", "the largest exponent of all points is subtracted before `exp`; each point needs its own, or the others' densities are 0 and give NaN",
         "logs = weights.log() - away.square().sum(-1) / (2 * variance); dens = (logs - logs.max()).exp(); share = dens / dens.sum(1, keepdim=True)"),
    edit("score_inverse_distance", "`mixture_score` takes weights over squared distances for the shares; a hill's density falls exponentially",
         "share = weights / away.square().sum(-1); share = share / share.sum(1, keepdim=True)"),
    edit("score_underflow_epsilon", "a small number is added to the density against the division by 0, or is its least value: far from all hills the score fades, though hills pull the harder there",
         "dens = weights * torch.exp(-away.square().sum(-1) / (2 * variance)); share = dens / (dens.sum(1, keepdim=True) + 1e-10)"),
    edit("score_underflow_tiny", "where all densities are 0 in float32 the score is 0 (a tiny number in the denominator, or `nan_to_num`), though hills pull hardest far away",
         "dens = weights * torch.exp(-away.square().sum(-1) / (2 * variance)); share = dens / (dens.sum(1, keepdim=True) + 1e-30)"),
    edit("score_exponent_clamped", "the exponent is cut off, so far from all hills the shares are the weights",
         "share = torch.softmax(weights.log() - (away.square().sum(-1) / (2 * variance)).clamp(max=80), 1)"),
    edit("score_shares_detached", "`mixture_score` cuts the shares off from autograd; its slope lacks how they change with x",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1).detach()"),
    edit("score_weights_over_variance", "`mixture_score` divides the logarithms of the weights by the variance, too; only the squared distance is",
         "share = torch.softmax((weights.log() - away.square().sum(-1) / 2) / variance, 1)"),
    edit("score_weights_root", "`mixture_score` halves the logarithms of the weights, too; only the squared distance is halved",
         "share = torch.softmax((weights.log() - away.square().sum(-1) / variance) / 2, 1)"),
    edit("score_shares_per_dimension", "`mixture_score` makes shares of its own for each dimension; a hill has one share at a point, from the whole distance",
         "share = torch.softmax(weights.log()[:, None] - away.square() / (2 * variance), 1)",
         ("return (share[..., None] * away).sum(1) / variance", "return (share * away).sum(1) / variance")),
    edit("score_first_point", "`mixture_score` uses the shares of the first point for all points",
         "share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)[:1]"),
    edit("score_log_two", "`mixture_score` takes logarithms to the base 2 of the weights; the exponent is a natural logarithm",
         "share = torch.softmax(weights.log2() - away.square().sum(-1) / (2 * variance), 1)"),
)

mistakes.at(
    "return (share[..., None] * away).sum(1) / variance",
    edit("score_no_variance", "`mixture_score` does not divide the pull by the variance", "return (share[..., None] * away).sum(1)"),
    edit("score_root", "`mixture_score` divides the pull by the standard deviation; it is the variance", "return (share[..., None] * away).sum(1) / variance**0.5"),
    edit("score_variance_squared", "`mixture_score` divides the pull by the squared variance", "return (share[..., None] * away).sum(1) / variance**2"),
    edit("score_times_variance", "`mixture_score` multiplies the pull by the variance; a wide hill pulls less", "return (share[..., None] * away).sum(1) * variance"),
    edit("score_half", "`mixture_score` divides the pull by 2v; the ½ of the exponent goes when it is differentiated", "return (share[..., None] * away).sum(1) / (2 * variance)"),
    edit("score_averaged", "`mixture_score` averages the pulls over the hills; the shares sum to 1 already", "return (share[..., None] * away).mean(1) / variance"),
    edit("score_mean_only", "`mixture_score` lacks the -x: it is the mean of the pulling hills over the variance", "return share @ means / variance"),
    edit("score_posterior_mean", "`mixture_score` returns the mean of the hills by their shares; the score is the way there, over the variance", "return share @ means"),
    edit("score_direction", "`mixture_score` returns the direction alone, of length 1", "return F.normalize((share[..., None] * away).sum(1) / variance, dim=1)"),
    edit("score_summed_over_dims", "`mixture_score` sums over the dimensions; the score has one number for each",
         "return (share[..., None] * away).sum((1, 2)) / variance"),
    edit("score_per_hill", "`mixture_score` returns the pull of each hill; they are to be summed", "return share[..., None] * away / variance"),
    edit("score_clipped", "`mixture_score` cuts the score off; it may have any size", "return ((share[..., None] * away).sum(1) / variance).clamp(-10, 10)"),
    edit("score_log_prob", "`mixture_score` returns the log-density; the score is its gradient by x", "return mixture_log_prob(x, weights, means, variance)"),
)

mistakes.at(
    """
    away = means - x[:, None]
    share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)
    return (share[..., None] * away).sum(1) / variance
    """,
    edit("score_x_left_requiring", "`mixture_score` makes x itself require gradients and leaves it so; x belongs to the caller",
         """
         x = x.requires_grad_()
         return torch.autograd.grad(mixture_log_prob(x, weights, means, variance).sum(), x, create_graph=True)[0]
         """),
    edit("score_first_log_prob", "`mixture_score` differentiates the first point's log-density alone, so the others' scores are 0",
         "return torch.func.grad(lambda x: mixture_log_prob(x, weights, means, variance)[0])(x)"),
    edit("score_central_differences", "`mixture_score` takes differences of the log-density, which are exact to few digits",
         "steps = 1e-3 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device); return torch.stack([(mixture_log_prob(x + h, weights, means, variance) - mixture_log_prob(x - h, weights, means, variance)) / 2e-3 for h in steps], 1)"),
    edit("score_forward_differences", "`mixture_score` takes one-sided differences of the log-density, which are exact to few digits",
         "steps = 1e-3 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device); return torch.stack([(mixture_log_prob(x + h, weights, means, variance) - mixture_log_prob(x, weights, means, variance)) / 1e-3 for h in steps], 1)"),
    edit("score_autograd_mean", "`mixture_score` differentiates the mean of the log-densities, so every score is divided by the number of points",
         "return torch.func.grad(lambda x: mixture_log_prob(x, weights, means, variance).mean())(x)"),
)

# --- tweedie ------------------------------------------------------------------------------------------------------

mistakes.at(
    "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian",
    edit("tweedie_sigma", "`tweedie` has σ for σ² in the mean", "return x + sigma * score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_sigma_everywhere", "`tweedie` has σ for σ² everywhere", "return x + sigma * score, sigma * identity + sigma**2 * jacobian"),
    edit("tweedie_variance_squared", "`tweedie` has σ⁴ for σ² in the mean", "return x + sigma**4 * score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_minus", "`tweedie` subtracts σ² times the score; the score points to the data", "return x - sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_no_x", "`tweedie` returns the way to the mean; x is missing", "return sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_no_sigma", "`tweedie` adds the score without σ²", "return x + score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_half", "`tweedie` adds half of σ² times the score; that is Langevin's step", "return x + 0.5 * sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_divided", "`tweedie` divides the score by σ²", "return x + score / sigma**2, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_mean_is_x", "`tweedie` returns x as the mean", "return x, sigma**2 * identity + sigma**4 * jacobian"),
    edit("tweedie_cov_sigma_squared", "the Jacobian is multiplied by σ² in the covariance; it is σ⁴", "return x + sigma**2 * score, sigma**2 * identity + sigma**2 * jacobian"),
    edit("tweedie_cov_sigma_cubed", "the Jacobian is multiplied by σ³ in the covariance; it is σ⁴", "return x + sigma**2 * score, sigma**2 * identity + sigma**3 * jacobian"),
    edit("tweedie_slope_of_mean", "the Jacobian of the mean by x is returned, I + σ²J; the covariance is σ² times that", "return x + sigma**2 * score, identity + sigma**2 * jacobian"),
    edit("tweedie_cov_minus", "the Jacobian is subtracted in the covariance; it is negative on a hill, so knowing x makes the variance smaller than σ²",
         "return x + sigma**2 * score, sigma**2 * identity - sigma**4 * jacobian"),
    edit("tweedie_no_identity", "σ²I is missing in the covariance", "return x + sigma**2 * score, sigma**4 * jacobian"),
    edit("tweedie_identity_alone", "the covariance is σ²I; it depends on the slope of the score", "return x + sigma**2 * score, sigma**2 * identity + 0 * jacobian"),
    edit("tweedie_identity_not_scaled", "the identity is not multiplied by σ² in the covariance", "return x + sigma**2 * score, identity + sigma**4 * jacobian"),
    edit("tweedie_identity_fourth", "both terms of the covariance have σ⁴; the identity has σ²", "return x + sigma**2 * score, sigma**4 * (identity + jacobian)"),
    edit("tweedie_sigma_identity", "the identity is multiplied by σ in the covariance; it is σ²", "return x + sigma**2 * score, sigma * identity + sigma**4 * jacobian"),
    edit("tweedie_ones", "σ² is added to all entries of the covariance; it belongs on the diagonal", "return x + sigma**2 * score, sigma**2 + sigma**4 * jacobian"),
    edit("tweedie_score_squared", "σ⁴ s sᵀ is added to the covariance: that is the second derivative of p over p, the mean of (x_0 - x)(x_0 - x)ᵀ, not a covariance",
         "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * (jacobian + score[:, :, None] * score[:, None])"),
    edit("tweedie_score_subtracted", "σ⁴ s sᵀ is subtracted from the covariance; the Jacobian of the score has that subtracted already",
         "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * (jacobian - score[:, :, None] * score[:, None])"),
    edit("tweedie_outer_alone", "the covariance has the score times itself where the Jacobian belongs",
         "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * score[:, :, None] * score[:, None]"),
    edit("tweedie_square_of_way", "the way from x to the mean times itself is returned as the covariance, σ⁴ s sᵀ; that says nothing of how the clean data spread",
         "return x + sigma**2 * score, sigma**4 * score[:, :, None] * score[:, None] + 0 * identity"),
    edit("tweedie_outer_minus", "the covariance has minus the score times itself where the Jacobian belongs",
         "return x + sigma**2 * score, sigma**2 * identity - sigma**4 * score[:, :, None] * score[:, None]"),
    edit("tweedie_cov_over_fourth", "the covariance is divided by σ⁴: I/σ² + J is that of (x_0 - x)/σ²", "return x + sigma**2 * score, identity / sigma**2 + jacobian"),
    edit("tweedie_cov_of_score", "the identity is divided by σ² and the Jacobian multiplied by σ⁴", "return x + sigma**2 * score, identity / sigma**2 + sigma**4 * jacobian"),
    edit("tweedie_cov_roots", "the root of each entry of the covariance is returned; the covariance itself is wanted", "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).sqrt()"),
    edit("tweedie_first_cov", "the covariance of the first point is returned for all; each has its own", "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian[0]"),
    edit("tweedie_cov_unscaled", "the Jacobian is not multiplied by σ⁴ in the covariance", "return x + sigma**2 * score, sigma**2 * identity + jacobian"),
    edit("tweedie_jacobian_is_cov", "the Jacobian is returned as the covariance", "return x + sigma**2 * score, jacobian + 0 * identity"),
    edit("tweedie_fourth_minus_identity", "the sign of σ²I is turned in the covariance", "return x + sigma**2 * score, sigma**4 * jacobian - sigma**2 * identity"),
    edit("tweedie_variances", "the variances are returned without the covariances", "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).diagonal(dim1=1, dim2=2)"),
    edit("tweedie_trace", "the trace is returned, one number for each point; the whole covariance is wanted",
         "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).diagonal(dim1=1, dim2=2).sum(1)"),
    edit("tweedie_diagonal_only", "the covariances off the diagonal are set to 0", "return x + sigma**2 * score, torch.diag_embed((sigma**2 * identity + sigma**4 * jacobian).diagonal(dim1=1, dim2=2))"),
    edit("tweedie_precision", "the inverse of the covariance is returned", "return x + sigma**2 * score, torch.linalg.pinv(sigma**2 * identity + sigma**4 * jacobian)"),
    edit("tweedie_second_moment", "the second moment is returned, the covariance plus the mean times itself",
         "mean = x + sigma**2 * score; return mean, sigma**2 * identity + sigma**4 * jacobian + mean[:, :, None] * mean[:, None]"),
    edit("tweedie_swapped", "the covariance is returned first; the mean comes first", "return sigma**2 * identity + sigma**4 * jacobian, x + sigma**2 * score"),
    edit("tweedie_mean_only", "`tweedie` returns the mean alone; the covariance is wanted, too", "return x + sigma**2 * score"),
    edit("tweedie_absolute", "the absolute value of the covariance is returned; covariances may be negative", "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).abs()"),
    edit("tweedie_clamped", "negative entries of the covariance are set to 0; covariances may be negative", "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).clamp(min=0)"),
    edit("tweedie_cov_averaged", "one covariance is returned for all points, their mean; each point has its own",
         "return x + sigma**2 * score, (sigma**2 * identity + sigma**4 * jacobian).mean(0, keepdim=True).expand_as(jacobian)"),
    edit("tweedie_sum_of_jacobian", "the rows of the Jacobian are summed and put on the diagonal; the matrix itself is needed",
         "return x + sigma**2 * score, sigma**2 * identity + sigma**4 * torch.diag_embed(jacobian.sum(-1))"),
    edit("tweedie_float32", "`tweedie` computes in float32 whatever comes in", "return (x + sigma**2 * score).float(), (sigma**2 * identity + sigma**4 * jacobian).float()"),
)

mistakes.at(
    "identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)",
    edit("tweedie_identity_of_points", "the identity has as many rows as there are points; it has as many as dimensions", "identity = torch.eye(x.shape[0], dtype=x.dtype, device=x.device)"),
)

# --- denoising_score_loss -----------------------------------------------------------------------------------------

mistakes.at(
    "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()",
    edit("loss_sign", "the target has the wrong sign: the score points back, against the noise", "return (spread * model(x0 + spread * eps, sigma) - eps).square().sum(1).mean()"),
    edit("loss_unweighted", "the squared error of the score is not weighted by σ², so levels with little noise count far too much",
         "return (model(x0 + spread * eps, sigma) + eps / spread).square().sum(1).mean()"),
    edit("loss_weighted_by_sigma", "the squared error of the score is weighted by σ; it is σ²",
         "return (sigma * (model(x0 + spread * eps, sigma) + eps / spread).square().sum(1)).mean()"),
    edit("loss_weighted_twice", "the squared error is weighted by σ² once more; the σ inside the square does that already",
         "return (spread * (spread * model(x0 + spread * eps, sigma) + eps)).square().sum(1).mean()"),
    edit("loss_weight_divided", "the squared error is divided by σ²; it is multiplied",
         "return ((model(x0 + spread * eps, sigma) + eps / spread) / spread).square().sum(1).mean()"),
    edit("loss_noise_predictor", "the model is taken for a noise predictor: its answer is compared with ε without the factor σ",
         "return (model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_noise_predictor_minus", "the model is taken for a noise predictor: its answer is compared with +ε; it answers with a score",
         "return (model(x0 + spread * eps, sigma) - eps).square().sum(1).mean()"),
    edit("loss_denoiser", "the model is taken for a denoiser: its answer is compared with x0; it answers with a score",
         "return (model(x0 + spread * eps, sigma) - x0).square().sum(1).mean()"),
    edit("loss_target_squared", "the target is -ε/σ²; it is -ε/σ", "return (spread * model(x0 + spread * eps, sigma) + eps / spread).square().sum(1).mean()"),
    edit("loss_variance_weight_inside", "σ² stands inside the square where σ belongs", "return (spread**2 * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_target_noise_scaled", "the answer is compared with -σε; the target of the score is -ε/σ", "return (model(x0 + spread * eps, sigma) + spread * eps).square().sum(1).mean()"),
    edit("loss_all_scaled", "the noise is multiplied by σ in the error as well; there is one factor σ, on the model's answer",
         "return (spread * model(x0 + spread * eps, sigma) + spread * eps).square().sum(1).mean()"),
    edit("loss_clean_input", "the model is shown the clean x0; it has to see x0 + σε", "return (spread * model(x0, sigma) + eps).square().sum(1).mean()"),
    edit("loss_noise_unscaled_input", "the model is shown x0 + ε; the noise is to be multiplied by σ", "return (spread * model(x0 + eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_variance_input", "the model is shown x0 + σ²ε; the standard deviation is σ", "return (spread * model(x0 + spread**2 * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_noise_only_input", "the model is shown the noise without x0", "return (spread * model(spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_noise_subtracted", "the noise is subtracted from x0; x is x0 + σε", "return (spread * model(x0 - spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_root_input", "the model is shown x0 + √σ ε; the standard deviation is σ", "return (spread * model(x0 + spread.sqrt() * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_mean_over_dims", "the loss is averaged over the dimensions; they are summed, and examples are averaged",
         "return (spread * model(x0 + spread * eps, sigma) + eps).square().mean()"),
    edit("loss_sum", "the loss is summed over the examples; their mean is wanted", "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum()"),
    edit("loss_per_example", "one loss is returned for each example; their mean is wanted", "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1)"),
    edit("loss_half", "the loss is halved", "return 0.5 * (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_norm", "the length of the error is averaged; its square belongs there", "return (spread * model(x0 + spread * eps, sigma) + eps).norm(dim=1).mean()"),
    edit("loss_absolute", "absolute errors are summed; their squares belong there", "return (spread * model(x0 + spread * eps, sigma) + eps).abs().sum(1).mean()"),
    edit("loss_root", "the root of the mean square is returned", "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean().sqrt()"),
    edit("loss_squared_sum", "the errors are summed before they are squared", "return (spread * model(x0 + spread * eps, sigma) + eps).sum(1).square().mean()"),
    edit("loss_detached", "the model's answer is cut off from autograd, so nothing is trained", "return (spread * model(x0 + spread * eps, sigma).detach() + eps).square().sum(1).mean()"),
    edit("loss_item", "a Python number is returned, so nothing is trained", "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean().item()"),
    edit("loss_own_noise", "the loss draws noise of its own; the noise is given", "eps = torch.randn_like(eps); return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_own_noise_in_target", "the noise in the target is not the one in the input", "return (spread * model(x0 + spread * eps, sigma) + torch.randn_like(eps)).square().sum(1).mean()"),
    edit("loss_wide_sigma", "the model is given σ with shape (N, 1); it takes (N,)", "return (spread * model(x0 + spread * eps, spread) + eps).square().sum(1).mean()"),
    edit("loss_first_sigma", "the first example's σ is used for all; each has its own",
         "sigma = sigma[:1].expand_as(sigma); spread = sigma[:, None]; return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_first_sigma_outside", "the first example's σ multiplies all noise and all answers, though the model gets each example's own",
         "spread = sigma[:1, None]; return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_mean_sigma_outside", "the mean of the noise levels multiplies the model's answers; each is multiplied by its own",
         "return (spread.mean() * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_half_detached", "one of the two factors of the square is cut off from autograd, so gradients are half as large",
         "error = spread * model(x0 + spread * eps, sigma) + eps; return (error * error.detach()).sum(1).mean()"),
    edit("loss_mean_sigma", "the mean of the noise levels is used for all examples; each has its own",
         "sigma = sigma.mean().expand_as(sigma); spread = sigma[:, None]; return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_model_gets_variance", "the model is given σ²; it takes σ", "return (spread * model(x0 + spread * eps, sigma**2) + eps).square().sum(1).mean()"),
    edit("loss_model_gets_log", "the model is given log σ; it takes σ", "return (spread * model(x0 + spread * eps, sigma.log()) + eps).square().sum(1).mean()"),
    edit("loss_swapped", "the model is called with σ first; it takes x, then σ", "return (spread * model(sigma, x0 + spread * eps) + eps).square().sum(1).mean()"),
    edit("loss_explicit", "the squared norm of the score is added; that term belongs to explicit score matching",
         "s = model(x0 + spread * eps, sigma); return ((spread * s + eps).square().sum(1) + s.square().sum(1)).mean()"),
    edit("loss_rescaled", "the loss is divided by the sum of the weights σ²; (2.3) is a plain mean",
         "return (spread * model(x0 + spread * eps, sigma) + eps).square().sum() / sigma.square().sum()"),
    edit("loss_weights_averaged", "the weights σ² are averaged by themselves; each belongs to the error of its example",
         "return sigma.square().mean() * (model(x0 + spread * eps, sigma) + eps / spread).square().sum(1).mean()"),
    edit("loss_negative", "the loss is negative: smaller is to be better", "return -(spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_constant_removed", "the squared length of the noise is subtracted from the loss", "return ((spread * model(x0 + spread * eps, sigma) + eps).square() - eps.square()).sum(1).mean()"),
    edit("loss_two_calls", "the model is called twice for one loss", "_ = model(x0, sigma); return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()"),
    edit("loss_float32", "the loss is computed in float32 whatever comes in", "return (spread * model(x0 + spread * eps, sigma) + eps).float().square().sum(1).mean()"),
    edit("loss_noise_ignored_in_error", "the noise is missing in the error: the model is trained to answer 0", "return (spread * model(x0 + spread * eps, sigma)).square().sum(1).mean()"),
)

mistakes.at(
    "spread = sigma[:, None]",
    edit("loss_sigma_by_dimension", "σ runs along the dimensions; it has one entry for each example", "spread = sigma[None]"),
)

# --- annealed_langevin --------------------------------------------------------------------------------------------

mistakes.at(
    "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks)",
    edit("anneal_step_sigma", "a level's step is c·σ; it is c·σ², as steps are variances", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma), kicks)"),
    edit("anneal_step_constant", "all levels take the step c; it is c·σ² of each level", "walk = langevin(lambda x: score(x, sigma), ends[-1], step, kicks)"),
    edit("anneal_step_no_c", "a level's step is σ²; the factor c is missing", "walk = langevin(lambda x: score(x, sigma), ends[-1], float(sigma) ** 2, kicks)"),
    edit("anneal_step_fourth", "a level's step is c·σ⁴; `langevin` wants c·σ² and takes the root itself", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 4, kicks)"),
    edit("anneal_step_squared", "the factor c is squared together with σ", "walk = langevin(lambda x: score(x, sigma), ends[-1], (step * float(sigma)) ** 2, kicks)"),
    edit("anneal_step_relative", "a level's step is c·σ²/σ_L², relative to the last level; here it is c·σ²",
         "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma / sigmas[-1]) ** 2, kicks)"),
    edit("anneal_step_relative_first", "a level's step is c·σ²/σ_1², relative to the first level; here it is c·σ²",
         "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma / sigmas[0]) ** 2, kicks)"),
    edit("anneal_step_doubled", "a level's step is 2c·σ²; it is c·σ²", "walk = langevin(lambda x: score(x, sigma), ends[-1], 2 * step * float(sigma) ** 2, kicks)"),
    edit("anneal_step_halved", "a level's step is halved; `langevin` halves the score's part itself", "walk = langevin(lambda x: score(x, sigma), ends[-1], 0.5 * step * float(sigma) ** 2, kicks)"),
    edit("anneal_step_divided", "a level's step is divided by σ²; much noise allows long steps", "walk = langevin(lambda x: score(x, sigma), ends[-1], step / float(sigma) ** 2, kicks)"),
    edit("anneal_step_first_sigma", "the first level's step is used for all levels", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigmas[0]) ** 2, kicks)"),
    edit("anneal_step_last_sigma", "the last level's step is used for all levels", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigmas[-1]) ** 2, kicks)"),
    edit("anneal_step_per_steps", "a level's step is divided by the number of its steps", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2 / len(kicks), kicks)"),
    edit("anneal_from_x", "each level begins at x; it begins where the level before ended", "walk = langevin(lambda x: score(x, sigma), x, step * float(sigma) ** 2, kicks)"),
    edit("anneal_first_score", "all levels walk on the density of the first noise level", "walk = langevin(lambda x: score(x, sigmas[0]), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_last_score", "all levels walk on the density of the last noise level", "walk = langevin(lambda x: score(x, sigmas[-1]), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_next_score", "each level walks on the density of the next noise level",
         "after = sigmas[min(len(ends), len(sigmas) - 1)]; walk = langevin(lambda x: score(x, after), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_next_step", "each level takes the step of the next one", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigmas[min(len(ends), len(sigmas) - 1)]) ** 2, kicks)"),
    edit("anneal_score_gets_variance", "the score is given σ²; it takes σ", "walk = langevin(lambda x: score(x, sigma**2), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_score_gets_step", "the score is given the step; it takes σ", "walk = langevin(lambda x: score(x, step * sigma**2), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_score_scaled", "the score is multiplied by σ, as if the model answered with σ times the score", "walk = langevin(lambda x: sigma * score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_score_divided", "the score is divided by σ, as if the model answered with noise", "walk = langevin(lambda x: score(x, sigma) / sigma, ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_downhill", "the walk goes downhill: the score has the wrong sign", "walk = langevin(lambda x: -score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_swapped", "the score is called with σ first; it takes x, then σ", "walk = langevin(lambda x: score(sigma, x), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_no_sigma", "the score is called without the noise level", "walk = langevin(score, ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_float_sigma", "the score is given a Python number as σ; it takes an entry of sigmas", "walk = langevin(lambda x: score(x, float(sigma)), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_sigma_per_point", "the score is given one σ for each point; it takes an entry of sigmas, without axes",
         "walk = langevin(lambda x: score(x, sigma.expand(len(x))), ends[-1], step * float(sigma) ** 2, kicks)"),
    edit("anneal_first_noise", "all levels use the first level's noise", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, noise[0])"),
    edit("anneal_one_kick", "each level uses its first kick again and again", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks[:1].expand_as(kicks))"),
    edit("anneal_own_noise", "the walk draws noise of its own; the noise is given", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, torch.randn_like(kicks))"),
    edit("anneal_no_noise", "the walk leaves the noise out", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, 0 * kicks)"),
    edit("anneal_noise_scaled", "the noise is multiplied by σ once more; the step holds σ² already", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, sigma * kicks)"),
    edit("anneal_one_step", "each level takes a single step", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks[:1])"),
    edit("anneal_one_step_short", "each level takes a step too few, or its state before the last step is kept", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks[:-1])"),
    edit("anneal_float32", "the walk is computed in float32 whatever comes in", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks).float().to(x.dtype)"),
    edit("anneal_last_without_noise", "the last step of each level has no noise; all steps have", "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, torch.cat([kicks[:-1], 0 * kicks[-1:]]))"),
    edit("anneal_very_last_without_noise", "the very last step has no noise; all steps have",
         "walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, torch.cat([kicks[:-1], 0 * kicks[-1:]]) if len(ends) == len(sigmas) else kicks)"),
)

mistakes.at(
    """
    for sigma, kicks in zip(sigmas, noise):
    """,
    edit("anneal_ladder_up", "the levels are walked from the last to the first; their order is that of `sigmas`", "for sigma, kicks in zip(sigmas.flip(0), noise):"),
    edit("anneal_sorted", "the levels are sorted; their order is that of `sigmas`", "for sigma, kicks in zip(sigmas.sort(descending=True).values, noise):"),
    edit("anneal_ladder_rises", "the levels are sorted from little to much noise; their order is that of `sigmas`", "for sigma, kicks in zip(sigmas.sort().values, noise):"),
    edit("anneal_level_short", "the last level is left out", "for sigma, kicks in zip(sigmas[:-1], noise):"),
    edit("anneal_first_level_missing", "the first level is left out", "for sigma, kicks in zip(sigmas[1:], noise[1:]):"),
    edit("anneal_noise_backwards", "the levels use the noise from its end", "for sigma, kicks in zip(sigmas, noise.flip(0)):"),
    edit("anneal_axes", "levels and steps of the noise are exchanged", "for sigma, kicks in zip(sigmas, noise.transpose(0, 1)):"),
)

mistakes.at(
    "ends.append(walk[-1])",
    edit("anneal_level_mean", "a level's mean state is taken; its end is wanted", "ends.append(walk.mean(0))"),
    edit("anneal_whole_paths", "all states of a level are put into the path; only its end is wanted", "ends.extend(walk[1:])"),
    edit("anneal_whole_walks", "all states of a level are put into the path, its start twice; only its end is wanted", "ends.extend(walk)"),
)

mistakes.at(
    "return torch.stack(ends)",
    edit("anneal_end_only", "the last state alone is returned; the states at the end of each level are wanted, x first", "return ends[-1]"),
    edit("anneal_no_start", "the path lacks x, its first state", "return torch.stack(ends[1:])"),
    edit("anneal_list", "a list of states is returned; they are to be stacked into one tensor", "return ends"),
    edit("anneal_points_first", "the points are on the first axis; the levels come first", "return torch.stack(ends, 1)"),
    edit("anneal_start_noisy", "the start is multiplied by the first σ; x is where the walk begins", "return torch.stack([ends[0] * sigmas[0], *ends[1:]])"),
)


@mistakes.rewrite("the walk's start is multiplied by the first σ; x is where it begins")
def anneal_scaled_start(ref):
    return {"annealed_langevin": lambda score, x, sigmas, step, noise: ref.annealed_langevin(score, x * sigmas[0], sigmas, step, noise)}


@mistakes.rewrite("each level does not walk, but jumps: the score's part and the noise of a level are added once, for all its steps together")
def anneal_jumps(ref):
    def annealed_langevin(score, x, sigmas, step, noise):
        ends = [x]
        for sigma, kicks in zip(sigmas, noise, strict=True):
            eta = step * float(sigma) ** 2
            here = ends[-1]
            ends.append(here + len(kicks) * eta / 2 * score(here, sigma) + math.sqrt(eta) * kicks.sum(0))
        return torch.stack(ends)

    return {"annealed_langevin": annealed_langevin}


def walk_with(etas):
    """`annealed_langevin` with step sizes of its own: ``etas(step, sigmas)``."""

    def annealed_langevin(score, x, sigmas, step, noise):
        ends = [x]
        for sigma, eta, kicks in zip(sigmas, etas(step, sigmas), noise, strict=True):
            here = ends[-1]
            for z in kicks:
                here = here + eta / 2 * score(here, sigma) + eta.sqrt() * z
            ends.append(here)
        return torch.stack(ends)

    return annealed_langevin


def walked(move):
    """`annealed_langevin` with moves of its own: ``move(x, s, eta, z)`` with the score s."""
    def factory(ref):
        def annealed_langevin(score, x, sigmas, step, noise):
            ends = [x]
            for sigma, kicks in zip(sigmas, noise, strict=True):
                here = ends[-1]
                for z in kicks:
                    here = move(here, score(here, sigma), step * float(sigma) ** 2, z, sigma)
                ends.append(here)
            return torch.stack(ends)

        return {"annealed_langevin": annealed_langevin}

    return factory


MOVES = {
    "anneal_noise_eta": ("the noise is multiplied by η instead of its root", lambda x, s, eta, z, sigma: x + eta / 2 * s + eta * z),
    "anneal_noise_root_two": ("the noise is multiplied by √(2η) with half a step along the score", lambda x, s, eta, z, sigma: x + eta / 2 * s + math.sqrt(2 * eta) * z),
    "anneal_noise_sigma": ("the noise is multiplied by σ; it is the root of η", lambda x, s, eta, z, sigma: x + eta / 2 * s + sigma * z),
    "anneal_noise_root_c": ("the noise is multiplied by √c; it is the root of c·σ²", lambda x, s, eta, z, sigma: x + eta / 2 * s + math.sqrt(eta) / sigma * z),
    "anneal_noise_plain": ("the noise is added without the root of η", lambda x, s, eta, z, sigma: x + eta / 2 * s + z),
    "anneal_quarter": ("the step along the score is halved twice", lambda x, s, eta, z, sigma: x + eta / 4 * s + math.sqrt(eta) * z),
    "anneal_full_noise_half": ("the noise is halved as well", lambda x, s, eta, z, sigma: x + (eta * s + math.sqrt(eta) * z) / 2),
}

for key, (sentence, move) in MOVES.items():
    factory = walked(move)
    factory.__name__ = key
    mistakes.rewrite(sentence)(factory)


@mistakes.rewrite("each level's step is that of the level before times σ², as `step` is overwritten; it is c·σ² of its own")
def anneal_step_overwritten(ref):
    return {"annealed_langevin": walk_with(lambda step, sigmas: step * sigmas.square().cumprod(0))}


@mistakes.rewrite("the levels are put on a geometric ladder between the first and the last; they are those of `sigmas`")
def anneal_own_ladder(ref):
    def annealed_langevin(score, x, sigmas, step, noise):
        share = torch.linspace(0, 1, len(sigmas), dtype=sigmas.dtype, device=sigmas.device)
        return ref.annealed_langevin(score, x, sigmas[0] * (sigmas[-1] / sigmas[0]) ** share, step, noise)

    return {"annealed_langevin": annealed_langevin}


@mistakes.rewrite("the last state is denoised by Tweedie's mean; the walk ends where its last step ends")
def anneal_denoised(ref):
    def annealed_langevin(score, x, sigmas, step, noise):
        path = ref.annealed_langevin(score, x, sigmas, step, noise)
        return torch.cat([path[:-1], (path[-1] + sigmas[-1] ** 2 * score(path[-1], sigmas[-1]))[None]])

    return {"annealed_langevin": annealed_langevin}


@mistakes.rewrite("a level moves with the whole step along the score, η instead of η/2")
def anneal_whole_step(ref):
    return {"annealed_langevin": lambda score, *rest: ref.annealed_langevin(lambda x, sigma: 2 * score(x, sigma), *rest)}

"""Named wrong versions of the answers to question 14."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- ridge_map -----------------------------------------------------------------------------------------------------

mistakes.at(
    "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance",
    edit("ridge_factor", "`ridge_map`: the factors ½ of the two terms of (14.1) are treated differently, so the prior counts twice",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * 2 / prior_variance"),
    edit("ridge_half", "`ridge_map`: the factors ½ of the two terms of (14.1) are treated differently, so the prior counts half",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / (2 * prior_variance)"),
    edit("ridge_times_n", "`ridge_map` counts the prior N times: the squared errors are averaged, but the penalty is not divided by N",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * len(x) / prior_variance"),
    edit("ridge_divided_by_n", "`ridge_map` divides the prior by N: in (14.1) the squared errors are a sum, so the prior counts once",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / (prior_variance * len(x))"),
    edit("ridge_inverted", "`ridge_map` has the two variances exchanged: a wide prior (large τ²) is a weak penalty",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * prior_variance / noise_variance**2"),
    edit("ridge_times_prior", "`ridge_map` has the penalty σ²τ²: it multiplies by the prior variance where (14.1) divides by it",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * prior_variance"),
    edit("ridge_squared", "`ridge_map` squares the variances, as if they were standard deviations",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * noise_variance / prior_variance**2"),
    edit("ridge_roots", "`ridge_map` takes roots of the variances; (14.1) has σ² and τ², which are the arguments",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / (noise_variance * prior_variance)**0.5"),
    edit("ridge_no_noise", "`ridge_map` forgets the noise variance: the penalty is σ²/τ², not 1/τ²",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / (prior_variance * noise_variance)"),
    edit("ridge_noise_only", "`ridge_map` has the penalty σ²: the prior variance is not used",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device)"),
    edit("ridge_no_prior", "`ridge_map` is least squares: the prior is missing (or so small that it does nothing)",
         "precision = x_centred.T @ x_centred / noise_variance + 1e-9 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)"),
    edit("ridge_right_side", "`ridge_map` divides only one side of the linear system by the noise variance",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance; y_centred = y_centred * noise_variance"),
    edit("ridge_jitter", "`ridge_map` adds a small number to the matrix besides the prior; where the data are small it is a penalty of its own",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * (noise_variance / prior_variance + 1e-6) / noise_variance"),
    edit("ridge_jitter_eight", "`ridge_map` adds a small number (1e-8) to the matrix besides the prior; where the data are small it is a penalty of its own",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * (noise_variance / prior_variance + 1e-8) / noise_variance"),
    edit("ridge_jitter_three", "`ridge_map` adds 1e-3 to the matrix besides the prior; where the data are small it is a penalty of its own",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * (noise_variance / prior_variance + 1e-3) / noise_variance"),
    edit("ridge_mean_and_sum", "`ridge_map` averages x'x over the examples but not x'y (or the reverse); both are sums",
         "precision = x_centred.T @ x_centred / noise_variance / len(x) + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance"),
    edit("ridge_diagonal", "`ridge_map` divides by the diagonal of the matrix only, as if the inputs were uncorrelated; it is a linear system",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance; precision = torch.diag(precision.diagonal())"),
    edit("ridge_right_divided", "`ridge_map` divides x'y by the noise variance, but not x'x",
         "precision = x_centred.T @ x_centred + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * noise_variance / prior_variance"),
    edit("ridge_rounded_variances", "`ridge_map` rounds the penalty down to a whole number (`//` or `int`)",
         "precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) * (noise_variance // prior_variance) / noise_variance"),
)

mistakes.at(
    "x_centred, y_centred = x - x_mean, y - y_mean",
    edit("ridge_nothing_centred", "`ridge_map` finds w from data that are not centred, as if b were 0", "x_centred, y_centred = x, y"),
    edit("ridge_x_not_centred", "`ridge_map` centres y but not x", "x_centred, y_centred = x, y - y_mean"),
    edit("ridge_one_mean", "`ridge_map` subtracts one mean of all entries of x; each input has its own mean",
         "x_centred, y_centred = x - x.mean(), y - y_mean"),
    edit("ridge_standardised_back", "`ridge_map` divides the inputs by their standard deviations and w afterwards, too; the prior then is on other weights than w",
         "x_std = x.std(0); x_centred, y_centred = (x - x_mean) / x_std, y - y_mean",
         ("return w, y_mean - x_mean @ w", "w = w / x_std; return w, y_mean - x_mean @ w")),
    edit("ridge_standardised_back_n", "`ridge_map` divides the inputs by their standard deviations (with N) and w afterwards, too; the prior then is on other weights than w",
         "x_std = x.std(0, correction=0); x_centred, y_centred = (x - x_mean) / x_std, y - y_mean",
         ("return w, y_mean - x_mean @ w", "w = w / x_std; return w, y_mean - x_mean @ w")),
    edit("ridge_one_mean_everywhere", "`ridge_map` takes one mean of all entries of x, also for b; each input has its own mean",
         "x_mean = x.mean().expand(x.shape[1]); x_centred, y_centred = x - x_mean, y - y_mean"),
    edit("ridge_standardised_n", "`ridge_map` divides the inputs by their standard deviations (with N); the prior is on the weights of the inputs as they are",
         "x_centred, y_centred = (x - x_mean) / x.std(0, correction=0), y - y_mean"),
    edit("ridge_standardised", "`ridge_map` divides the inputs by their standard deviations; the prior is on the weights of the inputs as they are",
         "x_centred, y_centred = (x - x_mean) / x.std(0), y - y_mean"),
)

mistakes.at(
    "return w, y_mean - x_mean @ w",
    edit("ridge_b_mean", "`ridge_map` returns the mean of y as b; that is b for centred inputs only, and x̄·w is missing", "return w, y_mean"),
    edit("ridge_b_plus", "`ridge_map` adds x̄·w to the mean of y in b; it is to be subtracted", "return w, y_mean + x_mean @ w"),
    edit("ridge_b_sign", "`ridge_map` returns -b: b is the mean of y minus x̄·w", "return w, x_mean @ w - y_mean"),
    edit("ridge_b_zero", "`ridge_map` returns 0 as b; b is free, not 0", "return w, 0 * y_mean"),
    edit("ridge_b_first", "`ridge_map` takes b from the first example; it is the mean of y - x·w", "return w, y[0] - x[0] @ w"),
    edit("ridge_b_median", "`ridge_map` returns a median as b; it is the mean of y - x·w", "return w, (y - x @ w).median()"),
    edit("ridge_b_sum", "`ridge_map` returns the sum of y - x·w as b; it is the mean", "return w, (y - x @ w).sum()"),
    edit("ridge_b_each", "`ridge_map` returns one b for each example; b is their mean, one number", "return w, y - x @ w"),
    edit("ridge_b_shape", "`ridge_map` returns b with an axis of length 1; one number, without axes, is asked for", "return w, (y_mean - x_mean @ w)[None]"),
    edit("ridge_w_shape", "`ridge_map` returns w as a column; its shape is (D,)", "return w[:, None], y_mean - x_mean @ w"),
    edit("ridge_order", "`ridge_map` returns b before w", "return y_mean - x_mean @ w, w"),
)

mistakes.at(
    """
    x_centred, y_centred = x - x_mean, y - y_mean
    """,
    edit("ridge_in_place", "`ridge_map` centres its arguments in place, so the caller's data change",
         """
         x -= x_mean
         y -= y_mean
         x_centred, y_centred = x, y
         """),
)


@mistakes.rewrite("`ridge_map` penalises the bias too; there is no prior on it")
def ridge_bias_penalised(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        ones = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        eye = torch.eye(ones.shape[1], dtype=x.dtype, device=x.device)
        solution = torch.linalg.solve(ones.T @ ones + noise_variance / prior_variance * eye, ones.T @ y)
        return solution[:-1], solution[-1]

    return {"ridge_map": ridge_map}


@mistakes.rewrite("`ridge_map` has no bias: it is fitted without b, and returns 0 for it")
def ridge_without_bias(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        w = torch.linalg.solve(x.T @ x + noise_variance / prior_variance * eye, x.T @ y)
        return w, torch.zeros((), dtype=x.dtype, device=x.device)

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


# --- l2_coefficient ------------------------------------------------------------------------------------------------

mistakes.at(
    "return noise_variance / (prior_variance * num_examples)",
    edit("l2_no_n", "`l2_coefficient` lacks 1/N: in a mean loss the prior, which counts once, is divided by N as well",
         "return noise_variance / prior_variance"),
    edit("l2_times_n", "`l2_coefficient` grows with N (are brackets missing around τ² N?); with more data the prior matters less", "return noise_variance * num_examples / prior_variance"),
    edit("l2_half", "`l2_coefficient` is half of the right one: both terms of (14.1) have a factor ½",
         "return noise_variance / (2 * prior_variance * num_examples)"),
    edit("l2_double", "`l2_coefficient` is twice the right one: both terms of (14.1) have a factor ½",
         "return 2 * noise_variance / (prior_variance * num_examples)"),
    edit("l2_inverted", "`l2_coefficient` has the variances exchanged: a wide prior (large τ²) is a weak penalty",
         "return prior_variance / (noise_variance * num_examples)"),
    edit("l2_no_noise", "`l2_coefficient` forgets the noise variance: (14.2) is (14.1) times 2σ²/N",
         "return 1 / (prior_variance * num_examples)"),
    edit("l2_prior_only", "`l2_coefficient` is the factor of ‖w‖² in (14.1); the first term must become that of (14.2), too",
         "return 1 / (2 * prior_variance)"),
    edit("l2_no_noise_half", "`l2_coefficient` divides (14.1) by N; its first term still has 1/(2σ²)",
         "return 1 / (2 * prior_variance * num_examples)"),
    edit("l2_roots", "`l2_coefficient` takes the root of the ratio of variances; (14.1) has σ² and τ², which are the arguments",
         "return (noise_variance / prior_variance) ** 0.5 / num_examples"),
    edit("l2_squared", "`l2_coefficient` squares the variances, as if they were standard deviations",
         "return (noise_variance / prior_variance) ** 2 / num_examples"),
    edit("l2_product", "`l2_coefficient` multiplies the two variances; their ratio is needed", "return noise_variance * prior_variance / num_examples"),
    edit("l2_n_squared", "`l2_coefficient` divides by N twice", "return noise_variance / (prior_variance * num_examples**2)"),
    edit("l2_n_minus_one", "`l2_coefficient` divides by N - 1; the mean in (14.2) divides by N",
         "return noise_variance / (prior_variance * max(num_examples - 1, 1))"),
    edit("l2_noise_squared", "`l2_coefficient` squares σ², which is a variance already", "return noise_variance**2 / (prior_variance * num_examples)"),
    edit("l2_noise_root", "`l2_coefficient` has σ where σ² belongs", "return noise_variance**0.5 / (prior_variance * num_examples)"),
    edit("l2_root_n", "`l2_coefficient` divides by √N; the mean in (14.2) divides by N", "return noise_variance / (prior_variance * num_examples**0.5)"),
    edit("l2_mean_half", "`l2_coefficient` divides by σ²; (14.2) is (14.1) times 2σ²/N, so σ² multiplies",
         "return 1 / (prior_variance * noise_variance * num_examples)"),
    edit("l2_one_ratio", "`l2_coefficient` is σ²/(2τ²): ½ and N are still those of (14.1)", "return noise_variance / (2 * prior_variance)"),
    edit("l2_whole", "`l2_coefficient` divides whole numbers (`//`), which rounds down", "return noise_variance // (prior_variance * num_examples)"),
)

# --- naive_bayes_log_posterior -------------------------------------------------------------------------------------

mistakes.at(
    """
    log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
    """,
    edit("nb_clamped",
         "`naive_bayes_log_posterior` clamps theta before the logarithm; theta is never 0 or 1, and a pixel that is rare for one class "
         "and rarer for another is evidence",
         """
         theta = theta.clamp(1e-6, 1 - 1e-6)
         log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         """),
)

mistakes.at(
    """
    log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
    return torch.log_softmax(log_joint, dim=1)
    """,
    edit("nb_prior_after", "`naive_bayes_log_posterior` adds the log-prior after normalising; it belongs to the joint, before",
         """
         log_joint = x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         return torch.log_softmax(log_joint, dim=1) + log_prior
         """),
    edit("nb_theta_over_classes", "`naive_bayes_log_posterior` divides theta by its sum over the classes; it holds p(x_d = 1 | k) already",
         """
         theta = theta / theta.sum(0, keepdim=True)
         log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         return torch.log_softmax(log_joint, dim=1)
         """),
    edit("nb_theta_over_pixels", "`naive_bayes_log_posterior` divides theta by its sum over the pixels, as if they shared one distribution; each has its own",
         """
         theta = theta / theta.sum(1, keepdim=True)
         log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         return torch.log_softmax(log_joint, dim=1)
         """),
    edit("nb_log2_ones", "`naive_bayes_log_posterior` mixes log2 and the natural logarithm",
         """
         log_joint = log_prior + x @ theta.log2().T + (1 - x) @ (1 - theta).log2().T
         return torch.log_softmax(log_joint, dim=1)
         """),
    edit("nb_clamped_three",
         "`naive_bayes_log_posterior` clamps theta before the logarithm at a number like 1e-3; theta is never 0 or 1, and a pixel that is rare for one class and rarer for another is evidence",
         """
         theta = theta.clamp(1e-3, 1 - 1e-3)
         log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
         return torch.log_softmax(log_joint, dim=1)
         """),
)

mistakes.at(
    "log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T",
    edit("nb_clamped_twelve",
         "`naive_bayes_log_posterior` clamps theta before the logarithm at a very small number; theta is never 0 or 1, and a pixel that is rare for "
         "one class and rarer for another is evidence",
         "theta = theta.clamp(1e-12, 1 - 1e-12); log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_epsilon", "`naive_bayes_log_posterior` adds an epsilon inside its logarithms; theta is never 0 or 1, and a pixel that is rare for "
         "one class and rarer for another is evidence",
         "log_joint = log_prior + x @ (theta + 1e-8).log().T + (1 - x) @ (1 - theta + 1e-8).log().T"),
    edit("nb_epsilon_small", "`naive_bayes_log_posterior` adds a very small epsilon inside its logarithms; theta is never 0 or 1, and a pixel "
         "that is rare for one class and rarer for another is evidence",
         "log_joint = log_prior + x @ (theta + 1e-12).log().T + (1 - x) @ (1 - theta + 1e-12).log().T"),
    edit("nb_ones_only",
         "`naive_bayes_log_posterior` counts only the pixels that are 1: P(x_d = 1) is used where p(x_d) is meant, and a dark pixel is evidence too",
         "log_joint = log_prior + x @ theta.log().T"),
    edit("nb_all_ones", "`naive_bayes_log_posterior` adds log θ for all pixels, dark ones too; x is not used",
         "log_joint = log_prior + torch.ones_like(x) @ theta.log().T"),
    edit("nb_zeros_ones", "`naive_bayes_log_posterior` has ones and zeros exchanged",
         "log_joint = log_prior + (1 - x) @ theta.log().T + x @ torch.log1p(-theta).T"),
    edit("nb_one_minus_log", "`naive_bayes_log_posterior` uses 1 - log θ for dark pixels; the logarithm of 1 - θ is needed",
         "log_joint = log_prior + x @ theta.log().T + (1 - x) @ (1 - theta.log()).T"),
    edit("nb_minus", "`naive_bayes_log_posterior` subtracts the dark pixels' logarithms instead of adding them",
         "log_joint = log_prior + x @ theta.log().T - (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_linear", "`naive_bayes_log_posterior` adds probabilities where logarithms are to be added",
         "log_joint = log_prior + x @ theta.T + (1 - x) @ (1 - theta).T"),
    edit("nb_no_prior", "`naive_bayes_log_posterior` ignores the prior of the classes",
         "log_joint = 0 * log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_prior_each_pixel", "`naive_bayes_log_posterior` counts the prior once for each pixel; it counts once for an image",
         "log_joint = x.shape[1] * log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_prior_not_log", "`naive_bayes_log_posterior` adds the prior itself, not its logarithm",
         "log_joint = log_prior.exp() + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_prior_log_log", "`naive_bayes_log_posterior` takes the logarithm of the log-prior, which is one already",
         "log_joint = log_prior.log() + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T"),
    edit("nb_mean", "`naive_bayes_log_posterior` averages over the pixels; the logarithm of a product is a sum",
         "log_joint = log_prior + (x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T) / x.shape[1]"),
    edit("nb_logits", "`naive_bayes_log_posterior` takes theta as logits and applies a sigmoid; theta holds probabilities",
         "log_joint = log_prior + x @ torch.sigmoid(theta).log().T + (1 - x) @ torch.sigmoid(-theta).log().T"),
    edit("nb_underflow", "`naive_bayes_log_posterior` leaves the logarithms (by products or `exp`): p(x, k) underflows to 0 with many pixels",
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
    edit("nb_log_of_softmax", "`naive_bayes_log_posterior` takes the logarithm of a softmax, which is rounded to 0 for unlikely classes",
         "return torch.softmax(log_joint, dim=1).log()"),
    edit("nb_no_max", "`naive_bayes_log_posterior` sums exponentials that underflow to 0 with many pixels; subtract each row's maximum first",
         "return log_joint - log_joint.exp().sum(1, keepdim=True).log()"),
    edit("nb_log_of_softmax_eps", "`naive_bayes_log_posterior` adds a small number to a softmax before the log, so unlikely classes all get the same log-probability",
         "return (torch.softmax(log_joint, dim=1) + 1e-10).log()"),
    edit("nb_log_of_softmax_eps_eight", "`naive_bayes_log_posterior` adds a small number (1e-8) to a softmax before the log, so unlikely classes all get the same log-probability",
         "return (torch.softmax(log_joint, dim=1) + 1e-8).log()"),
    edit("nb_log_of_softmax_eps_twelve", "`naive_bayes_log_posterior` adds a small number (1e-12) to a softmax before the log, so unlikely classes all get the same log-probability",
         "return (torch.softmax(log_joint, dim=1) + 1e-12).log()"),
    edit("nb_only_max", "`naive_bayes_log_posterior` subtracts each row's maximum and stops; the exponentials of a row are to sum to one",
         "return log_joint - log_joint.max(1, keepdim=True).values"),
    edit("nb_minus_sum", "`naive_bayes_log_posterior` subtracts the sum of the log-joints; a log-sum-exp normalises", "return log_joint - log_joint.sum(1, keepdim=True)"),
    edit("nb_squeezed", "`naive_bayes_log_posterior` squeezes its result: one example or one class loses its axis", "return torch.log_softmax(log_joint, dim=1).squeeze()"),
    edit("nb_cut_off", "`naive_bayes_log_posterior` cuts log-probabilities off at -100; unlikely classes may be far below", "return torch.log_softmax(log_joint, dim=1).clamp(min=-100)"),
    edit("nb_joint", "`naive_bayes_log_posterior` returns log p(x, k): it is not normalised over the classes", "return log_joint"),
    edit("nb_wrong_axis", "`naive_bayes_log_posterior` normalises over the examples instead of the classes",
         "return torch.log_softmax(log_joint, dim=0)"),
    edit("nb_normalised_by_all", "`naive_bayes_log_posterior` normalises over examples and classes together; each row sums to one",
         "return log_joint - torch.logsumexp(log_joint, (0, 1))"),
    edit("nb_probabilities", "`naive_bayes_log_posterior` returns probabilities; their logarithms are asked for",
         "return torch.softmax(log_joint, dim=1)"),
    edit("nb_bits", "`naive_bayes_log_posterior` is in bits (log2); nats are asked for, the natural logarithm",
         "return torch.log_softmax(log_joint, dim=1) / math.log(2)"),
    edit("nb_likelihood", "`naive_bayes_log_posterior` returns log p(x | k), without the prior and not normalised over the classes",
         "return log_joint - log_prior"),
    edit("nb_transposed", "`naive_bayes_log_posterior` is transposed; examples are the rows, classes the columns",
         "return torch.log_softmax(log_joint, dim=1).T"),
    edit("nb_argmax", "`naive_bayes_log_posterior` returns the most probable class; the log-probabilities of all classes are asked for",
         "return log_joint.argmax(1)"),
    edit("nb_negative", "`naive_bayes_log_posterior` returns minus the log-probabilities", "return -torch.log_softmax(log_joint, dim=1)"),
)

# --- num_parameters ------------------------------------------------------------------------------------------------

mistakes.at(
    "rows = math.prod(cardinalities[max(0, i - memory) : i])",
    edit("count_float", "`num_parameters` multiplies in floating point, where whole numbers are exact only up to 2**53",
         "rows = int(math.prod(map(float, cardinalities[max(0, i - memory) : i])))"),
    edit("count_overflow", "`num_parameters` multiplies 64-bit integers (of NumPy or PyTorch), which overflow without a word",
         "rows = int(torch.tensor(cardinalities[max(0, i - memory) : i], dtype=torch.int64).prod())"),
    edit("count_first_independent", "`num_parameters` takes the first variables as independent; with fewer than m before them, they depend on all of these",
         "rows = math.prod(cardinalities[i - memory : i]) if i >= memory else 1"),
    edit("count_wraps", "`num_parameters`: for the first variables the slice begins at a negative index, which Python counts from the end",
         "rows = math.prod(cardinalities[i - memory : i])"),
    edit("count_memory_more", "`num_parameters` looks back one variable too far: m + 1 instead of m",
         "rows = math.prod(cardinalities[max(0, i - memory - 1) : i])"),
    edit("count_memory_less", "`num_parameters` looks back one variable too little: m - 1 instead of m",
         "rows = math.prod(cardinalities[max(0, i - max(memory - 1, 0)) : i])"),
    edit("count_itself", "`num_parameters` counts the variable itself among those that it depends on",
         "rows = math.prod(cardinalities[max(0, i - memory) : i + 1])"),
    edit("count_window", "`num_parameters`: the window of m variables ends at the variable itself instead of before it",
         "rows = math.prod(cardinalities[max(0, i - memory + 1) : i + 1]) if memory else 1"),
    edit("count_index_wraps", "`num_parameters`: for the first variables an index i - j is negative, which Python counts from the end (or it leaves the list)",
         "rows = math.prod(cardinalities[j] for j in range(i - memory, i))"),
    edit("count_window_short", "`num_parameters` leaves out the first of the m variables before, also where there are fewer",
         "rows = math.prod(cardinalities[max(0, i - memory) + 1 : i])"),
    edit("count_first_parents", "`num_parameters` takes the first m variables of all as parents; they are the m just before",
         "rows = math.prod(cardinalities[: min(memory, i)])"),
    edit("count_binary_parents", "`num_parameters` takes all parents to have two values", "rows = 2 ** min(i, memory)"),
    edit("count_sum", "`num_parameters` adds the numbers of values; combinations of values multiply",
         "rows = sum(cardinalities[max(0, i - memory) : i]) or 1"),
    edit("count_sum_zero", "`num_parameters` adds the numbers of values; combinations of values multiply (and no parents are one combination)",
         "rows = sum(cardinalities[max(0, i - memory) : i])"),
    edit("count_no_memory", "`num_parameters` ignores the memory: all variables are independent", "rows = 1"),
    edit("count_all", "`num_parameters` ignores the memory: each variable depends on all before it", "rows = math.prod(cardinalities[:i])"),
    edit("count_power", "`num_parameters` takes a power of the variable's own number of values; the parents have numbers of their own",
         "rows = k ** min(i, memory)"),
    edit("count_first_size", "`num_parameters` takes all parents to have as many values as the first variable",
         "rows = cardinalities[0] ** min(i, memory)"),
    edit("count_full_memory", "`num_parameters` counts m parents for the first variables, too, which have fewer",
         "rows = math.prod(cardinalities[max(0, i - memory) : i]) * k ** max(0, memory - i)"),
    edit("count_parents_free", "`num_parameters` multiplies the parents' k - 1; a row stands for each combination of all their values",
         "rows = math.prod(each - 1 for each in cardinalities[max(0, i - memory) : i])"),
    edit("count_nearest_only", "`num_parameters` uses only the variable m places before, not the ones between",
         "rows = cardinalities[i - memory] if memory and i >= memory else 1"),
    edit("count_last_parent", "`num_parameters` uses only the variable just before, however long the memory is",
         "rows = cardinalities[i - 1] if memory and i else 1"),
)

mistakes.at(
    "total += rows * (k - 1)",
    edit("count_not_minus_one", "`num_parameters` counts k numbers per row; they sum to one, so k - 1 are free", "total += rows * k"),
    edit("count_minus_one_last", "`num_parameters` subtracts 1 for each table; each row sums to one, so each row has k - 1 free numbers",
         "total += rows * k - 1"),
    edit("count_very_first_skipped", "`num_parameters` forgets the first variable's table", "total += rows * (k - 1) if i else 0"),
    edit("count_very_last_skipped", "`num_parameters` forgets the last variable's table", "total += rows * (k - 1) if i < len(cardinalities) - 1 else 0"),
    edit("count_one_value", "`num_parameters` counts a variable with one value as one free number; it has none", "total += rows * max(k - 1, 1)"),
    edit("count_overwritten", "`num_parameters` subtracts 1 at the end; each row of each table sums to one", "total += rows * k",
         ("return total", "return total - 1")),
    edit("count_rows", "`num_parameters` counts the rows of the tables, not the free numbers in them", "total += rows"),
    edit("count_first_skipped", "`num_parameters` forgets the first variables, which have fewer than m parents but still a table",
         "total += rows * (k - 1) if i >= min(memory, len(cardinalities) - 1) else 0"),
    edit("count_last_only", "`num_parameters` counts only the last variable's table", "total = rows * (k - 1)"),
)

mistakes.at(
    "return total",
    edit("count_text", "`num_parameters` returns text; an exact int is asked for", "return str(total)"),
    edit("count_float_result", "`num_parameters` returns a float; an exact int is asked for", "return float(total)"),
)


@mistakes.rewrite("`num_parameters` changes the list that is passed")
def count_list_changed(ref):
    def num_parameters(cardinalities, memory):
        total = 0
        while cardinalities:
            k = cardinalities.pop()
            total += ref.math.prod(cardinalities[max(0, len(cardinalities) - memory) :]) * (k - 1)
        return total

    return {"num_parameters": num_parameters}


@mistakes.rewrite("`num_parameters` takes all variables to have as many values as the first")
def count_all_alike(ref):
    return {"num_parameters": lambda cardinalities, memory: ref.num_parameters([cardinalities[0]] * len(cardinalities), memory)}


@mistakes.rewrite("`num_parameters` sorts the variables; the order decides which are just before")
def count_sorted(ref):
    return {"num_parameters": lambda cardinalities, memory: ref.num_parameters(sorted(cardinalities), memory)}

"""Named wrong versions of the answers to question 1."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- logsumexp -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    m = x.amax(dim, keepdim=True)
    m = torch.where(m == -math.inf, torch.zeros_like(m), m)
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    """,
    edit("naive", "`logsumexp` takes `exp` of the raw values, so it overflows above 88 and underflows below -103",
         "return x.exp().sum(dim).log()"),
    edit("no_keepdim",
         "the row maxima in `logsumexp` have lost their axis before the subtraction, so they are broadcast "
         "against the wrong axis (silently, when the tensor is square)",
         """
         m = x.amax(dim)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         return (x - m).exp().sum(dim).log() + m
         """),
    edit("gradient_of_two_infinities",
         "the gradient of `logsumexp` is NaN in a row that has two entries -inf beside finite ones; "
         "`torch.logaddexp` and `torch.logcumsumexp` do that",
         """
         result = x.select(dim, 0)
         for i in range(1, x.shape[dim]):
             result = torch.logaddexp(result, x.select(dim, i))
         return result
         """),
    edit("axis_kept_by_maxima",
         "the row maxima still have their axis when `logsumexp` adds them to the sums, which have lost it, so the two are broadcast",
         """
         m = x.amax(dim, keepdim=True)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         return (x - m).exp().sum(dim).log() + m
         """),
    edit("term_too_many",
         "`logsumexp` counts one term e^0 = 1 too many: a loop of `logaddexp` that starts at 0 starts at the log of 1; the log of an empty sum is -inf",
         "return torch.logaddexp(torch.logsumexp(x, dim), torch.zeros_like(x.select(dim, 0)))"),
    edit("only_maximum", "`logsumexp` returns the maximum; the logarithm of the sum of exponentials is missing",
         "return x.amax(dim)"),
    edit("equal_maxima", "`logsumexp` counts the largest entry once, but several entries can be equal to it",
         """
         m = x.amax(dim, keepdim=True)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         e = torch.where(x == m, torch.zeros_like(x), (x - m).exp()).sum(dim)
         return torch.where(x.amax(dim) == -math.inf, -math.inf, e.log1p()) + m.squeeze(dim)
         """),
)

mistakes.at(
    """
    m = x.amax(dim, keepdim=True)
    """,
    edit("global_max",
         "`logsumexp` subtracts the maximum of the whole tensor; a row far below it underflows, so each row needs "
         "its own maximum",
         "m = x.amax().expand(x.amax(dim, keepdim=True).shape)"),
    edit("absolute_max",
         "`logsumexp` subtracts the largest absolute value; a row of large negative numbers then underflows even "
         "further",
         "m = x.masked_fill(x == -math.inf, 0.0).abs().amax(dim, keepdim=True)"),
    edit("maximum_not_negative",
         "`logsumexp` subtracts a maximum that it does not let fall below 0; a row of large negative numbers then underflows",
         "m = x.amax(dim, keepdim=True).clamp_min(0)"),
    edit("mean_subtracted",
         "`logsumexp` subtracts a row's mean, or another number below its maximum; an entry far above that number then "
         "overflows",
         "m = x.masked_fill(x == -math.inf, 0.0).mean(dim, keepdim=True)"),
    edit("mean_of_finite_subtracted",
         "`logsumexp` subtracts a row's mean, or another number below its maximum; an entry far above that number then "
         "overflows",
         """
         finite = x.isfinite()
         m = x.masked_fill(~finite, 0.0).sum(dim, keepdim=True) / finite.sum(dim, keepdim=True).clamp_min(1)
         """),
    edit("only_float32",
         "`logsumexp` works in float32 whatever it is given; the result for float64 input needs its 16 digits",
         """
         x = x.float()
         m = x.amax(dim, keepdim=True)
         """),
    edit("clamped",
         "-inf is replaced by a large negative number in `logsumexp`; an impossible event then gets a finite "
         "log-probability",
         """
         x = x.clamp_min(-1e9)
         m = x.amax(dim, keepdim=True)
         """),
    edit("clamped_at_1e4",
         "-inf is replaced by a negative number in `logsumexp`; an impossible event then gets a finite log-probability",
         """
         x = x.clamp_min(-1e4)
         m = x.amax(dim, keepdim=True)
         """),
    edit("clamped_at_lowest",
         "-inf is replaced by the lowest finite number in `logsumexp`; an impossible event then gets a finite "
         "log-probability",
         """
         x = x.clamp_min(torch.finfo(x.dtype).min)
         m = x.amax(dim, keepdim=True)
         """),
    edit("last_axis", "`logsumexp` ignores `dim` and always works along the last axis",
         """
         dim = -1
         m = x.amax(dim, keepdim=True)
         """),
)

mistakes.at(
    """
    m = torch.where(m == -math.inf, torch.zeros_like(m), m)
    """,
    edit("nan_rows", "rows of only -inf come out as NaN: their maximum is -inf, and -inf - (-inf) is NaN", ""),
    edit("maximum_clamped",
         "`logsumexp` replaces the maximum of a row of -inf with a large negative number, and with it the maximum "
         "of any row that lies below this number",
         "m = m.clamp(min=-1e9)"),
)

mistakes.at(
    "return (x - m).exp().sum(dim).log() + m.squeeze(dim)",
    edit("zero_rows",
         "rows of only -inf come out as 0, which is the log-probability of a certain event; they are impossible, -inf",
         "return torch.where(x.amax(dim) == -math.inf, 0.0, (x - m).exp().sum(dim).log() + m.squeeze(dim))"),
    edit("rows_given_up",
         "`logsumexp` gives -inf for every row that has an entry -inf; such an entry adds 0, and the others still count",
         "return ((x - m).exp().sum(dim).log() + m.squeeze(dim)).masked_fill((x == -math.inf).any(dim), -math.inf)"),
    edit("squeezes_result", "`squeeze` without a `dim` also removes the other axes of length 1 from the result of `logsumexp`",
         "return ((x - m).exp().sum(dim, keepdim=True).log() + m).squeeze()"),
    edit("gradient_of_maximum",
         "the gradient of `logsumexp` goes through the maximum alone; every entry has its part in the sum",
         "return (x - m).exp().sum(dim).log().detach() + m.squeeze(dim)"),
)

mistakes.at(
    ".exp().sum(dim).log()",
    edit("epsilon_in_log",
         "a small constant is added inside the logarithm of `logsumexp`; rows of -inf then come out finite, and "
         "nothing else needs it",
         ".exp().sum(dim).add(1e-12).log()"),
    edit("larger_epsilon_in_log",
         "a small constant is added inside the logarithm of `logsumexp`; rows of -inf then come out finite, and "
         "nothing else needs it",
         ".exp().sum(dim).add(1e-8).log()"),
    edit("smaller_epsilon_in_log",
         "a small constant is added inside the logarithm of `logsumexp`; rows of -inf then come out finite, and "
         "nothing else needs it",
         ".exp().sum(dim).add(1e-10).log()"),
)

mistakes.at(
    ".sum(dim).log() + m.squeeze(dim)",
    edit("lse_keeps_axis", "`logsumexp` keeps the axis that it sums over, with length 1; the result loses it",
         ".sum(dim, keepdim=True).log() + m"),
    edit("lse_log_before_sum", "`logsumexp` takes the logarithms before the sum, so it adds the numbers themselves",
         ".log().sum(dim) + m.squeeze(dim)"),
    edit("max_subtracted_again", "`logsumexp` subtracts the maximum once more at the end, where it has to be added back",
         ".sum(dim).log() - m.squeeze(dim)"),
    edit("max_not_added", "`logsumexp` subtracts the maximum but does not add it back", ".sum(dim).log()"),
)

mistakes.at(
    "m.squeeze(dim)",
    edit("lse_mean", "`logsumexp` is the logarithm of the mean: it has - log n too many", "m.squeeze(dim) - math.log(x.shape[dim])"),
    edit("lse_bits", "`logsumexp` takes the logarithm to base 2; everything here is in nats",
         "m.squeeze(dim) + (1 / math.log(2) - 1) * (x - m).exp().sum(dim).log()"),
    edit("squeeze_all", "`squeeze` without a `dim` also removes the other axes of length 1", "m.squeeze()"),
)

# --- log_softmax ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()
    """,
    edit("two_large_numbers",
         "`log_softmax` subtracts `logsumexp(x)` from `x`: two large rounded numbers, so scores near 10,000 lose four of "
         "their seven digits; subtract the row's maximum first, and only then the logarithm of the sum",
         "return x - logsumexp(x, dim).unsqueeze(dim)"),
    edit("log_of_softmax", "`log_softmax` takes the logarithm of a softmax that has underflowed to 0, and gives -inf",
         "return torch.softmax(x, dim).log()"),
    edit("softmax_without_log", "`log_softmax` returns probabilities, not their logarithms",
         "return torch.softmax(x, dim)"),
    edit("softmax_naive", "`log_softmax` takes `exp` of numbers that may be above 88, where it overflows; with a row's maximum subtracted none is",
         "return x - x.exp().sum(dim, keepdim=True).log()"),
    edit("softmax_clamped_log",
         "a probability that has underflowed is clamped, or gets a small constant added, before the logarithm of "
         "`log_softmax`, so unlikely entries all get the same log-probability",
         "return torch.softmax(x, dim).clamp_min(1e-12).log()"),
    edit("softmax_clamped_log_larger",
         "a probability that has underflowed is clamped, or gets a small constant added, before the logarithm of "
         "`log_softmax`, so unlikely entries all get the same log-probability",
         "return torch.softmax(x, dim).clamp_min(1e-8).log()"),
    edit("softmax_mean_subtracted",
         "`log_softmax` subtracts a row's mean, not its maximum; a score far above the mean then overflows",
         "return x - x.mean(dim, keepdim=True) - (x - x.mean(dim, keepdim=True)).exp().sum(dim, keepdim=True).log()"),
    edit("softmax_bits", "`log_softmax` takes logarithms to base 2; everything here is in nats",
         "return torch.log_softmax(x, dim) / math.log(2)"),
    edit("softmax_of_minus_x", "`log_softmax` has the sign of the scores wrong: a large score is a large probability",
         "return torch.log_softmax(-x, dim)"),
    edit("softmax_normaliser_only", "`log_softmax` returns the normaliser, log-sum-exp, not the log-probabilities",
         "return logsumexp(x, dim).unsqueeze(dim).expand_as(x)"),
    edit("softmax_other_axis", "`log_softmax` ignores `dim` and always works along the last axis",
         "return torch.log_softmax(x, -1)"),
    edit("softmax_mean_normaliser", "`log_softmax` divides by the mean of the exponentials, not by their sum",
         "return torch.log_softmax(x, dim) + math.log(x.shape[dim])"),
)

mistakes.at(
    "shifted = x - x.amax(dim, keepdim=True)",
    edit("softmax_only_float32",
         "`log_softmax` works in float32 whatever it is given; float64 input then loses its digits",
         "shifted = x.float() - x.float().amax(dim, keepdim=True)"),
    edit("softmax_global_max",
         "`log_softmax` subtracts the maximum of the whole tensor; a row far below it underflows, so each row needs its own",
         "shifted = x - x.amax()"),
)

mistakes.at(
    "return shifted - shifted.exp().sum(dim, keepdim=True).log()",
    edit("softmax_no_keepdim",
         "the normaliser in `log_softmax` has lost its axis, so it is broadcast against the wrong one",
         "return shifted - shifted.exp().sum(dim).log()"),
    edit("softmax_last_axis", "the sum in `log_softmax` ignores `dim` and always runs along the last axis",
         "return shifted - shifted.exp().sum(-1, keepdim=True).log()"),
    edit("normaliser_detached", "the normaliser in `log_softmax` is detached, so its part of the gradient is missing",
         "return shifted - shifted.exp().sum(dim, keepdim=True).log().detach()"),
    edit("softmax_epsilon",
         "a small constant is added inside the logarithm of `log_softmax`; the sum is at least 1 there, so "
         "nothing needs it",
         "return shifted - (shifted.exp().sum(dim, keepdim=True) + 1e-8).log()"),
    edit("shifted_from_x",
         "`log_softmax` subtracts the maximum under the exponential only; it has to be taken off in front as well",
         "return x - shifted.exp().sum(dim, keepdim=True).log()"),
    edit("softmax_inf_replaced", "`log_softmax` replaces -inf by a finite number; an impossible entry has log-probability -inf",
         "return (shifted - shifted.exp().sum(dim, keepdim=True).log()).clamp_min(-1e9)"),
    edit("softmax_inf_lowest",
         "`log_softmax` replaces -inf by the lowest finite number; an impossible entry has log-probability -inf",
         "return (shifted - shifted.exp().sum(dim, keepdim=True).log()).nan_to_num()"),
    edit("softmax_inf_1e4", "`log_softmax` replaces -inf by a finite number; an impossible entry has log-probability -inf",
         "return (shifted - shifted.exp().sum(dim, keepdim=True).log()).clamp_min(-1e4)"),
)

# --- gaussian_log_prob ---------------------------------------------------------------------------------------------

mistakes.at(
    "math.log(2 * math.pi) + logvar + (x - mean) ** 2 * torch.exp(-logvar)",
    edit("log_std",
         "`gaussian_log_prob` reads `logvar` as the logarithm of the standard deviation; it is the logarithm of "
         "the variance",
         "math.log(2 * math.pi) + 2 * logvar + (x - mean) ** 2 * torch.exp(-2 * logvar)"),
    edit("no_two_pi", "`gaussian_log_prob` lacks log 2π, so the density does not integrate to one",
         "logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("no_logvar", "the log-variance is missing in `gaussian_log_prob`, so the density does not integrate to one",
         "math.log(2 * math.pi) + 0 * logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("logvar_sign", "the log-variance has the wrong sign in `gaussian_log_prob`; a wider Gaussian has a lower density at its mean",
         "math.log(2 * math.pi) - logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("quarter_logvar",
         "the log-variance counts with 1/4 in `gaussian_log_prob`, not with 1/2; under the root of the density's constant "
         "stands the variance, not the standard deviation",
         "math.log(2 * math.pi) + 0.5 * logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("half_square_only",
         "only the squared error in `gaussian_log_prob` has the factor 1/2; log 2π and the log-variance have it, too",
         "2 * math.log(2 * math.pi) + 2 * logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("not_squared", "the error x - mean in `gaussian_log_prob` is not squared",
         "math.log(2 * math.pi) + logvar + (x - mean) * torch.exp(-logvar)"),
    edit("absolute_error", "`gaussian_log_prob` takes the absolute value of x - mean where its square belongs",
         "math.log(2 * math.pi) + logvar + (x - mean).abs() * torch.exp(-logvar)"),
    edit("divides_by_logvar", "`gaussian_log_prob` divides the squared error by `logvar`; the variance is exp(logvar)",
         "math.log(2 * math.pi) + logvar + (x - mean) ** 2 / logvar"),
    edit("no_half_logvar",
         "the log-variance counts with 1 in `gaussian_log_prob`, not with 1/2 (log σ is half of log σ²)",
         "math.log(2 * math.pi) + 2 * logvar + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("no_half_square", "the squared error in `gaussian_log_prob` lacks its factor 1/2",
         "math.log(2 * math.pi) + logvar + 2 * (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("logvar_is_variance",
         "`gaussian_log_prob` takes `logvar` for the variance itself; it is the logarithm of the variance",
         "math.log(2 * math.pi) + torch.log(logvar) + (x - mean) ** 2 / logvar"),
    edit("epsilon",
         "an epsilon is added to the variance in `gaussian_log_prob`; a small variance is then wrong, and "
         "exp(logvar) is positive without it",
         "math.log(2 * math.pi) + logvar + (x - mean) ** 2 / (torch.exp(logvar) + 1e-6)"),
    edit("logvar_clamped", "`logvar` is clamped in `gaussian_log_prob`; small and large variances are legal",
         "math.log(2 * math.pi) + logvar.clamp(-10, 10) + (x - mean) ** 2 * torch.exp(-logvar.clamp(-10, 10))"),
    edit("logvar_clamped_at_20", "`logvar` is clamped in `gaussian_log_prob`; small and large variances are legal",
         "math.log(2 * math.pi) + logvar.clamp(-20, 20) + (x - mean) ** 2 * torch.exp(-logvar.clamp(-20, 20))"),
    edit("logvar_clamped_at_30", "`logvar` is clamped in `gaussian_log_prob`; small and large variances are legal",
         "math.log(2 * math.pi) + logvar.clamp(-30, 20) + (x - mean) ** 2 * torch.exp(-logvar.clamp(-30, 20))"),
    edit("std_epsilon",
         "an epsilon is added to the standard deviation in `gaussian_log_prob`; a small one is then wrong, and it is "
         "positive without",
         "math.log(2 * math.pi) + 2 * (torch.exp(0.5 * logvar) + 1e-6).log() + ((x - mean) / (torch.exp(0.5 * logvar) + 1e-6)) ** 2"),
    *(
        edit(f"variance_floor_{power}",
             "a small number is added to the variance in `gaussian_log_prob`, or the variance is kept above one (as "
             "`gaussian_nll_loss` does); smaller variances are legal",
             f"math.log(2 * math.pi) + logvar.exp().clamp_min(1e-{power}).log() + (x - mean) ** 2 / logvar.exp().clamp_min(1e-{power})")
        for power in (6, 8, 10, 12)
    ),
    edit("logvar_half_detached",
         "`logvar` is detached where it divides the squared error in `gaussian_log_prob`, so that part of its gradient is missing",
         "math.log(2 * math.pi) + logvar + (x - mean) ** 2 * torch.exp(-logvar.detach())"),
    edit("x_detached", "`x` is detached in `gaussian_log_prob`, so there is no gradient in it",
         "math.log(2 * math.pi) + logvar + (x.detach() - mean) ** 2 * torch.exp(-logvar)"),
    edit("gaussian_only_float32",
         "`gaussian_log_prob` works in float32 whatever it is given; x - mean of float64 input then loses its digits",
         "math.log(2 * math.pi) + logvar + (x.float() - mean.float()) ** 2 * torch.exp(-logvar)"),
    edit("gaussian_all_float32",
         "`gaussian_log_prob` works in float32 whatever it is given; x - mean of float64 input then loses its digits",
         "math.log(2 * math.pi) + logvar.float() + (x.float() - mean.float()) ** 2 * torch.exp(-logvar.float())"),
    edit("logvar_like_difference",
         "`logvar` is expanded to the shape of `x - mean`; it may be the one with the most axes or dimensions",
         "math.log(2 * math.pi) + logvar.expand_as(x - mean) + (x - mean) ** 2 * torch.exp(-logvar)"),
    edit("square_expanded",
         "the squared error in `gaussian_log_prob` is x² - 2 x mean + mean², which loses all digits when the mean "
         "is far from zero",
         "math.log(2 * math.pi) + logvar + (x**2 - 2 * x * mean + mean**2) * torch.exp(-logvar)"),
)

mistakes.at(
    "torch.exp(-logvar)",
    edit("times_variance", "`gaussian_log_prob` multiplies the squared error by the variance instead of dividing",
         "torch.exp(logvar)"),
    edit("divides_by_square", "`gaussian_log_prob` divides the squared error by the square of the variance",
         "torch.exp(-2 * logvar)"),
    edit("divides_by_std",
         "`gaussian_log_prob` divides the squared error by the standard deviation, not by the variance",
         "torch.exp(-0.5 * logvar)"),
)

mistakes.at(
    "return -0.5 * terms.sum(-1)",
    edit("two_pi_once", "log 2π counts once in `gaussian_log_prob`; it belongs to every dimension",
         "return -0.5 * (terms.sum(-1) - (terms.shape[-1] - 1) * math.log(2 * math.pi))"),
    edit("dims_of_x",
         "log 2π is counted once for each entry of the last axis of `x`; after broadcasting there may be more "
         "dimensions",
         "return -0.5 * ((terms - math.log(2 * math.pi)).sum(-1) + x.shape[-1] * math.log(2 * math.pi))"),
    edit("dims_of_mean",
         "log 2π is counted once for each entry of the last axis of `mean`; after broadcasting there may be more "
         "dimensions",
         "return -0.5 * ((terms - math.log(2 * math.pi)).sum(-1) + mean.shape[-1] * math.log(2 * math.pi))"),
    edit("dims_of_logvar",
         "log 2π is counted once for each entry of the last axis of `logvar`; after broadcasting there may be more "
         "dimensions",
         "return -0.5 * ((terms - math.log(2 * math.pi)).sum(-1) + logvar.shape[-1] * math.log(2 * math.pi))"),
    edit("log_of_density",
         "`gaussian_log_prob` computes the density of each dimension and then its logarithm; far from the mean the "
         "density is 0",
         "return torch.exp(-0.5 * terms).log().sum(-1)"),
    edit("product_of_densities",
         "`gaussian_log_prob` multiplies the densities of the dimensions and takes the logarithm at the end; the product "
         "under- or overflows",
         "return torch.exp(-0.5 * terms).prod(-1).log()"),
    edit("product_of_variances",
         "`gaussian_log_prob` multiplies the variances and takes the logarithm at the end; in many dimensions the product "
         "is 0 or infinite",
         "return -0.5 * ((terms - logvar).sum(-1) + (logvar + 0 * terms).exp().prod(-1).log())"),
)

mistakes.at(
    "-0.5 * terms.sum(-1)",
    edit("mean_over_dims",
         "`gaussian_log_prob` averages over the dimensions; a log-density of independent dimensions is their sum",
         "-0.5 * terms.mean(-1)"),
    edit("no_half", "`gaussian_log_prob` lacks the factor 1/2", "-terms.sum(-1)"),
    edit("negative_log_prob", "`gaussian_log_prob` returns the negative log-density", "0.5 * terms.sum(-1)"),
    edit("sums_everything", "`gaussian_log_prob` sums over the batch as well; only the last axis is summed",
         "-0.5 * terms.sum()"),
    edit("first_axis", "`gaussian_log_prob` sums over the first axis, not over the last", "-0.5 * terms.sum(0)"),
    edit("per_dimension",
         "`gaussian_log_prob` returns one value per dimension; they have to be summed over the last axis",
         "-0.5 * terms"),
)

# --- nats_to_bits_per_dim ------------------------------------------------------------------------------------------

mistakes.at(
    "(nll / num_dims + math.log(num_levels)) / math.log(2)",
    edit("bits_no_dims", "bits per dimension: not divided by the number of dimensions",
         "(nll + math.log(num_levels)) / math.log(2)"),
    edit("bits_still_nats", "bits per dimension: still in nats, the division by ln 2 is missing",
         "nll / num_dims + math.log(num_levels)"),
    edit("bits_no_offset",
         "bits per dimension: the offset ln V of the rescaling to [0, 1) is missing (log2 256 = 8 bits for bytes)",
         "nll / num_dims / math.log(2)"),
    edit("bits_offset_sign",
         "bits per dimension: the offset ln V is subtracted; rescaling to [0, 1) made the density larger, so the "
         "NLL of the levels is higher",
         "(nll / num_dims - math.log(num_levels)) / math.log(2)"),
    edit("bits_offset_once",
         "bits per dimension: the offset ln V is counted once per image; every dimension was rescaled",
         "(nll + math.log(num_levels)) / num_dims / math.log(2)"),
    edit("bits_times", "bits per dimension: nats are multiplied by ln 2 where they should be divided",
         "(nll / num_dims + math.log(num_levels)) * math.log(2)"),
    edit("bits_nll_sign", "bits per dimension: the sign of the NLL is wrong; it is minus a log-density already",
         "(-nll / num_dims + math.log(num_levels)) / math.log(2)"),
    edit("bits_offset_times_dims",
         "bits per dimension: the offset counts D times; per dimension it is ln V",
         "(nll / num_dims + num_dims * math.log(num_levels)) / math.log(2)"),
    edit("bits_nll_in_nats", "bits per dimension: the NLL stays in nats while the offset is in bits",
         "nll / num_dims + math.log2(num_levels)"),
    edit("bits_not_negative",
         "bits per dimension: negative values are cut off; of data that was not rescaled a density may be above 1, "
         "and its NLL negative",
         "((nll / num_dims + math.log(num_levels)) / math.log(2)).clamp_min(0)"),
    edit("bits_mixed_units", "bits per dimension: the offset is in nats while the rest is in bits",
         "nll / num_dims / math.log(2) + math.log(num_levels)"),
)

mistakes.at(
    "math.log(num_levels)",
    edit("bits_always_256", "bits per dimension: `num_levels` is ignored, 256 levels are assumed", "math.log(256)"),
    edit("bits_offset_log2_twice", "bits per dimension: the offset is in bits already and is divided by ln 2 once more",
         "math.log2(num_levels)"),
    edit("bits_levels_minus_one", "bits per dimension: the data is divided by V, not by V - 1",
         "math.log(max(num_levels - 1, 1))"),
)

# --- perplexity ----------------------------------------------------------------------------------------------------

mistakes.at(
    "token_nll.mean().exp()",
    edit("perplexity_base_two", "perplexity: nats are exponentiated with base 2; the base must fit the unit",
         "2 ** token_nll.mean()"),
    edit("perplexity_mean_of_exp",
         "perplexity: the exponential is taken before the mean; the mean over tokens comes first",
         "token_nll.exp().mean()"),
    edit("perplexity_sum", "perplexity: the sum over tokens is used, not the mean, so longer texts look worse",
         "token_nll.sum().exp()"),
    edit("perplexity_sign", "perplexity: the sign is wrong; a perplexity is at least 1", "(-token_nll.mean()).exp()"),
    edit("perplexity_product",
         "perplexity: the probabilities of all words are multiplied, and the product of a long text underflows; "
         "add their logarithms",
         "(-token_nll).exp().prod() ** (-1 / token_nll.numel())"),
    edit("perplexity_product_of_inverses",
         "perplexity: the exponentials of all words are multiplied, and the product of a long text overflows; take the mean first",
         "token_nll.exp().prod() ** (1 / token_nll.numel())"),
    edit("perplexity_nats", "perplexity: the mean NLL itself is returned; its exponential is missing", "token_nll.mean()"),
    edit("perplexity_median", "perplexity: the median of the tokens is taken, not their mean", "token_nll.median().exp()"),
    edit("perplexity_clamped", "perplexity: the NLL is clamped, so a text with a surprise looks better than it is",
         "token_nll.clamp_max(20).mean().exp()"),
    edit("perplexity_first_axis", "perplexity: divided by the length of the first axis; the mean is over all tokens",
         "(token_nll.sum() / token_nll.shape[0]).exp()"),
    edit("perplexity_last_axis", "perplexity: divided by the length of the last axis; the mean is over all tokens",
         "(token_nll.sum() / token_nll.shape[-1]).exp()"),
    edit("perplexity_bits", "perplexity: nats are converted to bits, but the base of the exponential is still e",
         "(token_nll.mean() / math.log(2)).exp()"),
    edit("perplexity_ignores_certain",
         "perplexity: tokens of NLL 0 are left out of the mean; a certain word counts as much as any other",
         "(token_nll.sum() / (token_nll > 0).sum()).exp()"),
    edit("perplexity_rows", "perplexity: one value a text instead of one for all tokens", "token_nll.mean(-1).exp()"),
    edit("perplexity_mean_of_texts",
         "perplexity: averaged over texts; the mean over all tokens is taken before the exponential",
         "token_nll.mean(-1).exp().mean()"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("`logsumexp` is computed outside autograd (detach, .item() or NumPy), so nothing can be trained through it")
def detached(ref):
    return {"logsumexp": lambda x, dim: ref.logsumexp(x.detach(), dim)}


@mistakes.rewrite("`log_softmax` is computed outside autograd (detach, .item() or NumPy), so nothing can be trained through it")
def softmax_detached(ref):
    return {"log_softmax": lambda x, dim: ref.log_softmax(x.detach(), dim)}


@mistakes.rewrite("`logsumexp` changes its input in place", catches="in-place change")
def in_place(ref):
    def logsumexp(x, dim):
        m = x.amax(dim, keepdim=True)
        m = torch.where(m == -math.inf, torch.zeros_like(m), m)
        with torch.no_grad():
            x -= m
        return x.exp().sum(dim).log() + m.squeeze(dim)

    return {"logsumexp": logsumexp}


@mistakes.rewrite("the log-variances are summed before they are broadcast, so a log-variance shared by all dimensions counts only once")
def sums_before_broadcasting(ref):
    def gaussian_log_prob(x, mean, logvar):
        square = (x - mean) ** 2 * torch.exp(-logvar)
        return -0.5 * (square.shape[-1] * math.log(2 * math.pi) + logvar.sum(-1) + square.sum(-1))

    return {"gaussian_log_prob": gaussian_log_prob}


@mistakes.rewrite("`gaussian_log_prob` sums log 2π, the log-variances and the squared errors apart, and counts the dimensions of `x` and "
                  "`logvar`; after broadcasting there may be more")
def sums_apart(ref):
    def gaussian_log_prob(x, mean, logvar):
        square = (x - mean) ** 2 * torch.exp(-logvar)
        return -0.5 * (x.shape[-1] * math.log(2 * math.pi) + logvar.sum(-1) + square.sum(-1))

    return {"gaussian_log_prob": gaussian_log_prob}

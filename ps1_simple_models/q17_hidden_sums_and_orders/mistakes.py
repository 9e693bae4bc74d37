"""Named wrong versions of the answers to question 17."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- log_mean_exp --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    return logsumexp(x, dim) - math.log(x.shape[dim])
    """,
    edit("global_max",
         "`log_mean_exp` subtracts the maximum of the whole tensor; a row far below it underflows, so each row needs its "
         "own maximum",
         """
         m = x.max()
         return (x - m).exp().mean(dim).log() + m
         """),
    edit("own_max_without_minus_infinity",
         "`log_mean_exp` subtracts a maximum that is -inf in a row of only -inf: -inf + inf is NaN",
         """
         m = x.amax(dim, keepdim=True)
         return ((x - m).exp().mean(dim, keepdim=True).log() + m).squeeze(dim)
         """),
    edit("squeezes_all", "`squeeze` without a `dim` in `log_mean_exp` also removes the other axes of length 1",
         """
         m = x.amax(dim, keepdim=True)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         return ((x - m).exp().mean(dim, keepdim=True).log() + m).squeeze()
         """),
    edit("epsilon",
         "`log_mean_exp` adds a small constant inside the logarithm; an impossible event then gets a finite "
         "log-probability",
         """
         m = x.amax(dim, keepdim=True)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         return ((x - m).exp().mean(dim) + 1e-8).log() + m.squeeze(dim)
         """),
    edit("finite_floor",
         "`log_mean_exp` replaces -inf by a large negative number; an impossible event then gets a finite log-probability",
         """
         x = x.clamp_min(-1e9)
         return logsumexp(x, dim) - math.log(x.shape[dim])
         """),
    edit("naive_in_float64", "`log_mean_exp` takes `exp` of the values as they are; float64 postpones the overflow to 709 and the underflow to -745",
         """
         return x.double().exp().mean(dim).log().to(x.dtype)
         """),
    edit("maximum_not_below_zero",
         "`log_mean_exp` subtracts more than the row's maximum where that is negative (0, or an absolute value): the row underflows",
         """
         m = x.amax(dim, keepdim=True).clamp_min(0)
         return ((x - m).exp().mean(dim, keepdim=True).log() + m).squeeze(dim)
         """),
    edit("weights_detached", "`log_mean_exp` detaches the exponentials: all of the gradient goes to the largest entry",
         """
         m = x.amax(dim, keepdim=True)
         m = torch.where(m == -math.inf, torch.zeros_like(m), m)
         return ((x - m).detach().exp().mean(dim, keepdim=True).log() + m).squeeze(dim)
         """),
    edit("mean_subtracted", "`log_mean_exp` subtracts the mean of the row, not its maximum: one entry of -inf makes all NaN, and others overflow",
         """
         m = x.mean(dim, keepdim=True)
         return ((x - m).exp().mean(dim, keepdim=True).log() + m).squeeze(dim)
         """),
    edit("mean_in_float32", "`log_mean_exp` works in float32 or rounds its result to it; float64 keeps its digits",
         """
         x = x.float()
         return logsumexp(x, dim) - math.log(x.shape[dim])
         """),
    edit("last_axis", "`log_mean_exp` ignores `dim` and always works along the last axis",
         """
         dim = -1
         return logsumexp(x, dim) - math.log(x.shape[dim])
         """),
)

mistakes.at(
    "return logsumexp(x, dim) - math.log(x.shape[dim])",
    edit("forgets_n", "`log_mean_exp` is the logarithm of the sum: it lacks - log n", "return logsumexp(x, dim)"),
    edit("divides_the_log", "`log_mean_exp` divides the logarithm by n; dividing the sum subtracts log n",
         "return logsumexp(x, dim) / x.shape[dim]"),
    edit("subtracts_n", "`log_mean_exp` subtracts n where log n is meant", "return logsumexp(x, dim) - x.shape[dim]"),
    edit("wrong_sign", "`log_mean_exp` adds log n where it should subtract it",
         "return logsumexp(x, dim) + math.log(x.shape[dim])"),
    edit("all_in_bits", "`log_mean_exp` returns bits; the result is in nats",
         "return (logsumexp(x, dim) - math.log(x.shape[dim])) / math.log(2)"),
    edit("in_bits", "`log_mean_exp` subtracts log2 n from natural logarithms",
         "return logsumexp(x, dim) - math.log2(x.shape[dim])"),
    edit("naive", "`log_mean_exp` takes `exp` of the values as they are, so it overflows above 88 and underflows below -103",
         "return x.exp().mean(dim).log()"),
    edit("mean_of_logs", "`log_mean_exp` averages the logarithms; the logarithm of a mean is larger (Jensen)",
         "return x.mean(dim)"),
    edit("largest", "`log_mean_exp` takes the largest entry for the whole sum", "return x.amax(dim) - math.log(x.shape[dim])"),
    edit("mean_without_log", "`log_mean_exp` returns the mean itself, not its logarithm",
         "return logsumexp(x, dim).exp() / x.shape[dim]"),
    edit("keeps_axis", "`log_mean_exp` keeps the axis that it averages over",
         "return (logsumexp(x, dim) - math.log(x.shape[dim])).unsqueeze(dim)"),
    edit("minus_infinity_replaced",
         "`log_mean_exp` replaces -inf in its result by a finite number; a row of only -inf gives -inf",
         "return torch.nan_to_num(logsumexp(x, dim) - math.log(x.shape[dim]))"),
    edit("mean_detached", "`log_mean_exp` is computed outside autograd (no_grad, .detach() or NumPy), so nothing can be trained through it",
         "return logsumexp(x.detach(), dim) - math.log(x.shape[dim])"),
)

mistakes.at(
    "math.log(x.shape[dim])",
    edit("counts_finite", "`log_mean_exp` counts only the finite entries; a probability of 0 belongs to the mean as well",
         "x.isfinite().sum(dim).clamp_min(1).log()"),
    edit("log_n_in_float32", "log n is computed in float32 (as `torch.tensor(n).log()` is) in `log_mean_exp`; that leaves seven digits of a float64 result",
         "torch.tensor(float(x.shape[dim])).log()"),
    edit("divides_by_last", "`log_mean_exp` divides by the length of the last axis, not of `dim`", "math.log(x.shape[-1])"),
    edit("divides_by_first", "`log_mean_exp` divides by the length of the first axis, not of `dim`", "math.log(x.shape[0])"),
    edit("divides_by_all", "`log_mean_exp` divides by the number of all entries, not by the length of the axis",
         "math.log(x.numel())"),
    edit("one_less", "`log_mean_exp` divides by n - 1; a mean divides by n", "math.log(max(x.shape[dim] - 1, 1))"),
)

# --- log_marginal_mc -----------------------------------------------------------------------------------------------

mistakes.at(
    "return log_mean_exp(log_likelihood(x[:, None], z), dim=1)",
    edit("average_of_logs",
         "`log_marginal_mc` averages the logarithms; the likelihoods are averaged and the logarithm comes last",
         "return log_likelihood(x[:, None], z).mean(1)"),
    edit("same_draws_for_all", "`log_marginal_mc` uses the same draws of z for every x; each has its own in z[n]",
         "return log_mean_exp(log_likelihood(x[:, None], z[:1].expand_as(z)), dim=1)"),
    edit("all_draws_for_all",
         "`log_marginal_mc` averages over the draws of all examples; z[n] belongs to x[n] alone",
         "return log_mean_exp(log_likelihood(x[:, None], z.flatten(0, 1)[None]), dim=1)"),
    edit("sum_over_draws", "`log_marginal_mc` sums over the draws; the estimate is their average, so - log S is missing",
         "return torch.logsumexp(log_likelihood(x[:, None], z), dim=1)"),
    edit("divides_by_examples", "`log_marginal_mc` divides by the number of examples, not of draws",
         "return torch.logsumexp(log_likelihood(x[:, None], z), dim=1) - math.log(len(x))"),
    edit("average_latent",
         "`log_marginal_mc` averages z and evaluates the likelihood there; the average of a function is not the function "
         "of the average",
         "return log_likelihood(x, z.mean(1))"),
    edit("first_draw", "`log_marginal_mc` uses the first draw only", "return log_likelihood(x, z[:, 0])"),
    edit("last_draw_left_out", "`log_marginal_mc` leaves out the last draw of each example",
         "return log_mean_exp(log_likelihood(x[:, None], z[:, : max(z.shape[1] - 1, 1)]), dim=1)"),
    edit("first_draw_left_out", "`log_marginal_mc` leaves out the first draw of each example",
         "return log_mean_exp(log_likelihood(x[:, None], z[:, min(z.shape[1] - 1, 1) :]), dim=1)"),
    edit("examples_and_draws_crossed",
         "`log_marginal_mc` repeats the examples in another order than the draws are in, so draws meet the wrong x",
         "n, s, _ = z.shape; return log_mean_exp(log_likelihood(x.repeat(s, 1), z.flatten(0, 1)).reshape(n, s), dim=1)"),
    edit("all_examples_together", "`log_marginal_mc` averages over all examples and draws together; each x has an average of its own",
         "return log_mean_exp(log_likelihood(x[:, None], z).flatten(), dim=0).expand(len(x))"),
    edit("bias_taken_back", "`log_marginal_mc` adds the bias of (17.2) to the logarithm; log A(x) itself is asked for",
         "v = log_likelihood(x[:, None], z); w = torch.softmax(v, 1) * v.shape[1]; return log_mean_exp(v, dim=1) + (w - 1).square().mean(1) / (2 * v.shape[1])"),
    edit("best_draw", "`log_marginal_mc` takes the best draw instead of the average",
         "return log_likelihood(x[:, None], z).amax(1)"),
    edit("underflow",
         "`log_marginal_mc` exponentiates log-likelihoods, which underflow to 0 below about -100; use a log-mean-exp",
         "return log_likelihood(x[:, None], z).exp().mean(1).log()"),
    edit("floored", "`log_marginal_mc` adds a small constant to the likelihoods, which swallows tiny ones",
         "return (log_likelihood(x[:, None], z).exp().mean(1) + 1e-10).log()"),
    edit("without_logarithm", "`log_marginal_mc` returns the estimate of p(x), not its logarithm",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).exp()"),
    edit("negative", "`log_marginal_mc` returns the negative log-likelihood",
         "return -log_mean_exp(log_likelihood(x[:, None], z), dim=1)"),
    edit("averages_examples", "`log_marginal_mc` averages over the examples as well; there is one number for each",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).mean()"),
    edit("over_examples", "`log_marginal_mc` averages over the axis of the examples, not of the draws",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=0)"),
    edit("mc_in_float32", "`log_marginal_mc` rounds float64 log-likelihoods to float32",
         "return log_mean_exp(log_likelihood(x[:, None], z).float(), dim=1)"),
    edit("mc_rounded", "`log_marginal_mc` rounds its result to float32, as `torch.tensor` does with a list of numbers",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).float()"),
    edit("mc_common_maximum",
         "`log_marginal_mc` subtracts one maximum for all examples; those far below it underflow, so each needs its own",
         "v = log_likelihood(x[:, None], z); return (v - v.max()).exp().mean(1).log() + v.max()"),
    edit("median_of_draws", "`log_marginal_mc` takes the median of the draws; A(x) is their average",
         "return log_likelihood(x[:, None], z).median(1).values"),
    edit("mc_in_bits", "`log_marginal_mc` returns bits; the result is in nats",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1) / math.log(2)"),
    edit("mc_per_dimension", "`log_marginal_mc` divides by the number of dimensions; log A(x) is that of the whole x",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1) / x.shape[-1]"),
    edit("mc_squeezes", "`log_marginal_mc` squeezes all axes of length 1: of one example, a 0-d number comes back; (1,) is asked for",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).squeeze()"),
    edit("mc_keeps_axis", "`log_marginal_mc` returns shape (N, 1); one number for each example has shape (N,)",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1)[:, None]"),
    edit("draws_of_neighbour", "`log_marginal_mc` gives each x the draws of another example",
         "return log_mean_exp(log_likelihood(x[:, None], z.roll(1, 0)), dim=1)"),
    edit("weighted_twice",
         "`log_marginal_mc` weights the draws by their likelihood before it averages; drawing from p(z) has weighted them "
         "already",
         "v = log_likelihood(x[:, None], z); return (torch.softmax(v, 1) * v).sum(1)"),
)

# --- second_mean ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return x1**2",
    edit("linear_mean",
         "with a linear mean and a constant standard deviation the pair is jointly Gaussian, and so is the reversed "
         "conditional",
         "return 2 * x1 + 1", ("return torch.full_like(x1, 0.5)", "return torch.ones_like(x1)")),
    edit("independent_pair", "constant functions make x1 and x2 independent, so p(x1 | x2) is the Gaussian p(x1)",
         "return torch.zeros_like(x1)", ("return torch.full_like(x1, 0.5)", "return torch.ones_like(x1)")),
    edit("std_reaches_zero", "the standard deviation is 0 at x1 = 0, where the Gaussian has no density",
         "return torch.zeros_like(x1)", ("return torch.full_like(x1, 0.5)", "return x1.abs()")),
    edit("negative_std", "the standard deviation is negative for x1 < 0", "return torch.zeros_like(x1)",
         ("return torch.full_like(x1, 0.5)", "return x1")),
    edit("variance_for_std", "the standard deviation is 0 at x1 = 0; x1² cannot be one there", "return torch.zeros_like(x1)",
         ("return torch.full_like(x1, 0.5)", "return x1**2")),
    edit("one_number_for_all", "`second_mean` returns one number for all x1; it works element by element",
         "return (x1**2).mean()"),
    edit("centred", "`second_mean` subtracts the mean of its argument, so the value at one x1 depends on the others",
         "return (x1 - x1.mean()) ** 2"),
    edit("log_of_negative", "`second_mean` is NaN for negative x1, where a logarithm or a root is not defined",
         "return torch.sqrt(x1)"),
    edit("hardly_bent", "the mean bends too little: p(x1 | x2) is nearly Gaussian",
         "return x1 + 0.001 * x1**2", ("return torch.full_like(x1, 0.5)", "return torch.ones_like(x1)")),
)

# --- second_std ----------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.full_like(x1, 0.5)",
    edit("zero_std", "the standard deviation is 0, so x2 is no longer random and its Gaussian has no density",
         "return torch.zeros_like(x1)"),
    edit("log_std", "`second_std` returns a negative number, such as a logarithm; it is the standard deviation itself",
         "return torch.full_like(x1, -0.7)"),
    edit("python_number", "`second_std` returns a single number; one for each entry of x1 is expected", "return torch.tensor(0.5)"),
    edit("random_std", "`second_std` draws random numbers; it must be a function of x1", "return 0.2 + torch.rand_like(x1)"),
)


@mistakes.rewrite("`log_mean_exp` changes its argument in place", catches="in-place change")
def in_place(ref):
    def log_mean_exp(x, dim):
        m = x.amax(dim, keepdim=True)
        m = torch.where(m == -math.inf, torch.zeros_like(m), m).detach()
        with torch.no_grad():
            x -= m
        return x.exp().mean(dim).log() + m.squeeze(dim)

    return {"log_mean_exp": log_mean_exp}


@mistakes.rewrite("`log_mean_exp` adds the terms one after the other; a partial sum of only -inf makes the gradient NaN")
def one_after_the_other(ref):
    def log_mean_exp(x, dim):
        parts = x.unbind(dim)
        total = parts[0]
        for part in parts[1:]:
            total = torch.logsumexp(torch.stack([total, part]), 0)
        return total - math.log(len(parts))

    return {"log_mean_exp": log_mean_exp}


@mistakes.rewrite("`log_marginal_mc` counts equal draws once; a z that is drawn twice counts twice")
def distinct_draws(ref):
    def log_marginal_mc(log_likelihood, x, z):
        return torch.stack([ref.log_mean_exp(log_likelihood(x[n], torch.unique(z[n], dim=0)), 0) for n in range(len(x))])

    return {"log_marginal_mc": log_marginal_mc}

"""Named wrong versions of the answers to question 4."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- wasserstein_1d -----------------------------------------------------------------------------------------------

mistakes.at(
    "size = math.lcm(x.shape[-1], y.shape[-1])",
    edit("shorter", "`wasserstein_1d` leaves out what one pile has more samples than the other; both have total mass 1", "size = min(x.shape[-1], y.shape[-1])",
         ("(part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))", "(part.sort(-1).values[..., :size] for part in (x, y))")),
    edit("padded_zero", "`wasserstein_1d` fills the shorter pile with zeros, which adds mass at 0", "size = max(x.shape[-1], y.shape[-1])",
         ("(part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))", "(F.pad(part, (0, size - part.shape[-1])).sort(-1).values for part in (x, y))")),
    edit("padded_last", "`wasserstein_1d` fills the shorter pile by repeating its largest sample, which gives that one too much mass", "size = max(x.shape[-1], y.shape[-1])",
         ("(part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))",
          "(torch.cat([part, part.amax(-1, keepdim=True).expand(*part.shape[:-1], size - part.shape[-1])], -1).sort(-1).values for part in (x, y))")),
    edit("product_wrong_way", "`wasserstein_1d` repeats each sample as often as its own pile has samples, so that masses are those of the other pile", "size = x.shape[-1] * y.shape[-1]",
         ("repeat_interleave(size // part.shape[-1], -1)", "repeat_interleave(part.shape[-1], -1)[..., :size][..., :min(x.shape[-1], y.shape[-1]) ** 2]")),
    edit("nearest_index", "`wasserstein_1d` stretches the shorter pile by rounding indices; unequal sizes need parts that fit both", "size = max(x.shape[-1], y.shape[-1])",
         ("repeat_interleave(size // part.shape[-1], -1)", "index_select(-1, (torch.arange(size, device=x.device) * part.shape[-1]) // size)")),
    edit("interpolated", "`wasserstein_1d` interpolates between samples of unequal piles; the quantile function of samples is a staircase", "size = max(x.shape[-1], y.shape[-1])",
         ("x, y = (part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))",
          "levels = torch.linspace(0, 1, size, dtype=x.dtype, device=x.device); x, y = (torch.quantile(part, levels, dim=-1).movedim(0, -1) for part in (x, y))")),
    edit("equal_only", "`wasserstein_1d` works for equal sizes only", "size = x.shape[-1]", ("repeat_interleave(size // part.shape[-1], -1)", "clone()")),
    edit("coarse_grid", "`wasserstein_1d` compares quantiles on a fixed grid of levels, which is not exact", "size = 1000",
         ("repeat_interleave(size // part.shape[-1], -1)", "index_select(-1, ((torch.arange(size, device=x.device) + 0.5) / size * part.shape[-1]).long())")),
)

mistakes.at(
    "x, y = (part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))",
    edit("unsorted", "`wasserstein_1d` does not sort: samples are paired as they come", "x, y = (part.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))"),
    edit("one_sorted", "`wasserstein_1d` sorts one of the two piles only", "x, y = x.sort(-1).values.repeat_interleave(size // x.shape[-1], -1), y.repeat_interleave(size // y.shape[-1], -1)"),
    edit("opposite", "`wasserstein_1d` sorts the piles in opposite directions: the largest goes to the smallest",
         "x, y = x.sort(-1).values.repeat_interleave(size // x.shape[-1], -1), y.sort(-1, descending=True).values.repeat_interleave(size // y.shape[-1], -1)"),
    edit("cycled", "`wasserstein_1d` repeats the sorted pile as a whole; each sample has to be repeated in its place", "x, y = (part.sort(-1).values.repeat(*[1] * (part.ndim - 1), size // part.shape[-1]) for part in (x, y))"),
    edit("sort_first_axis", "`wasserstein_1d` sorts along the first axis; samples are along the last", "x, y = (part.sort(0).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))"),
    edit("sort_all", "`wasserstein_1d` sorts all pairs of piles together, as if they were one", "x, y = (part.flatten().sort().values.reshape(part.shape).repeat_interleave(size // part.shape[-1], -1) for part in (x, y))"),
    edit("sort_detached", "`wasserstein_1d` cuts y off from the gradients", "x, y = (part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y.detach()))"),
    edit("x_detached", "`wasserstein_1d` cuts x off from the gradients", "x, y = (part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x.detach(), y))"),
    edit("centred", "`wasserstein_1d` takes the means away first; moving a pile costs, too", "x, y = ((part - part.mean(-1, keepdim=True)).sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))"),
    edit("unique", "`wasserstein_1d` counts equal samples once; each has its mass", "x, y = (torch.where(torch.cat([torch.ones_like(s[..., :1]).bool(), s[..., 1:] != s[..., :-1]], -1), s, torch.zeros_like(s)).repeat_interleave(size // s.shape[-1], -1) for s in (x.sort(-1).values, y.sort(-1).values))"),
    edit("single", "`wasserstein_1d` computes in float32 whatever it is given; float64 keeps its digits", "x, y = (part.float().sort(-1).values.repeat_interleave(size // part.shape[-1], -1).to(part) for part in (x, y))"),
)

mistakes.at(
    "return (x - y).abs().pow(p).mean(-1).pow(1 / p)",
    edit("no_root", "`wasserstein_1d` does not take the p-th root", "return (x - y).abs().pow(p).mean(-1)"),
    edit("root_inside", "`wasserstein_1d` gives the distance of p = 1 whatever p is: p is ignored, or the root is taken before the mean", "return (x - y).abs().pow(p).pow(1 / p).mean(-1)"),
    edit("summed", "`wasserstein_1d` sums over the parts; the mass of a pile is 1, so (4.2) is a mean", "return (x - y).abs().pow(p).sum(-1).pow(1 / p)"),
    edit("sum_rooted", "`wasserstein_1d` divides by the number of parts after the root; the mean belongs inside", "return (x - y).abs().pow(p).sum(-1).pow(1 / p) / x.shape[-1]"),
    edit("no_abs", "`wasserstein_1d` lets distances of opposite signs cancel: the absolute value is missing", "return (x - y).pow(p).mean(-1).pow(1 / p)"),
    edit("abs_outside", "`wasserstein_1d` takes the absolute value after the mean, so moves to the left and to the right cancel", "return (x - y).pow(p).mean(-1).abs().pow(1 / p)"),
    edit("means_only", "`wasserstein_1d` compares the means of the piles; piles of equal mean can be far from each other", "return (x.mean(-1) - y.mean(-1)).abs() + 0 * p"),
    edit("p_two", "`wasserstein_1d` uses p = 2 whatever p is", "return (x - y).square().mean(-1).sqrt()"),
    edit("square_root", "`wasserstein_1d` takes a square root whatever p is", "return (x - y).abs().pow(p).mean(-1).sqrt()"),
    edit("p_one_root", "`wasserstein_1d` ignores p inside the mean", "return (x - y).abs().mean(-1).pow(1 / p)"),
    edit("root_p", "`wasserstein_1d` takes the power p where the root belongs", "return (x - y).abs().pow(p).mean(-1).pow(p)"),
    edit("mean_all", "`wasserstein_1d` averages over all pairs of piles; each has a distance of its own", "return (x - y).abs().pow(p).mean().pow(1 / p)"),
    edit("mean_first", "`wasserstein_1d` averages along the first axis; samples are along the last", "return (x - y).abs().pow(p).mean(0).pow(1 / p)"),
    edit("maximum", "`wasserstein_1d` returns the longest way; (4.2) is a mean", "return (x - y).abs().amax(-1) + 0 * p"),
    edit("median", "`wasserstein_1d` returns the median way; (4.2) is a mean", "return (x - y).abs().pow(p).median(-1).values.pow(1 / p)"),
    edit("eps_added", "`wasserstein_1d` adds a small number under the root, so that equal piles are apart", "return ((x - y).abs().pow(p).mean(-1) + 1e-6).pow(1 / p)"),
    edit("eps_inside", "`wasserstein_1d` adds a small number to each distance", "return ((x - y).abs() + 1e-4).pow(p).mean(-1).pow(1 / p)"),
    edit("clamped_far", "`wasserstein_1d` clamps distances at 100", "return (x - y).abs().clamp(max=100).pow(p).mean(-1).pow(1 / p)"),
    edit("result_detached", "`wasserstein_1d` returns a number without graph", "return (x - y).abs().pow(p).mean(-1).pow(1 / p).detach()"),
)


@mistakes.rewrite("`wasserstein_1d` lets each sample go to the nearest one of the other pile, which then gets too much or nothing")
def nearest(ref):
    def wasserstein_1d(x, y, p=1.0):
        return (x[..., :, None] - y[..., None, :]).abs().amin(-1).pow(p).mean(-1).pow(1 / p)

    return {"wasserstein_1d": wasserstein_1d}


@mistakes.rewrite("`wasserstein_1d` averages the distances of all pairs, as if everybody went everywhere; the best plan keeps the order")
def everywhere(ref):
    def wasserstein_1d(x, y, p=1.0):
        return (x[..., :, None] - y[..., None, :]).abs().pow(p).mean((-1, -2)).pow(1 / p)

    return {"wasserstein_1d": wasserstein_1d}


@mistakes.rewrite("`wasserstein_1d` integrates |F - G|^p over x, which is (4.2) for p = 1 only")
def by_cdf(ref):
    def wasserstein_1d(x, y, p=1.0):
        grid = torch.cat([x, y], -1).sort(-1).values
        share = [(part[..., None, :] <= grid[..., :-1, None]).to(x).mean(-1) for part in (x, y)]
        return ((share[0] - share[1]).abs().pow(p) * grid.diff(dim=-1)).sum(-1).pow(1 / p)

    return {"wasserstein_1d": wasserstein_1d}


@mistakes.rewrite("`wasserstein_1d` handles one pair of piles only; there may be further axes")
def one_pair(ref):
    def wasserstein_1d(x, y, p=1.0):
        return ref.wasserstein_1d(x.flatten(), y.flatten(), p)

    return {"wasserstein_1d": wasserstein_1d}


# --- certificate --------------------------------------------------------------------------------------------------

mistakes.at(
    "g = (cost - f[:, None]).amin(0)",
    edit("g_max", "the g of `certificate` satisfies one inequality of each column; all of them have to hold", "g = (cost - f[:, None]).amax(0)"),
    edit("g_mean", "the g of `certificate` is a mean over i, so some inequalities fail", "g = (cost - f[:, None]).mean(0)"),
    edit("g_plus", "`certificate` has the wrong sign of f in g: f_i + g_j <= c_ij", "g = (cost + f[:, None]).amin(0)"),
    edit("g_minus", "`certificate` returns -g: f_i + g_j <= c_ij says that g is at most the cost minus f", "g = (f[:, None] - cost).amin(0)"),
    edit("g_minus_max", "the g of `certificate` has the wrong sign", "g = (f[:, None] - cost).amax(0)"),
    edit("g_no_f", "the g of `certificate` does not depend on f", "g = cost.amin(0) + 0 * f.sum()"),
    edit("g_rows", "`certificate` takes the smallest over j; g has an entry for each j, over all i", "g = (cost - f[:, None]).amin(1)"),
    edit("g_separately", "`certificate` subtracts the largest f from the smallest cost; both belong to the same i", "g = cost.amin(0) - f.max()"),
    edit("g_separately_low", "`certificate` subtracts the smallest f from the smallest cost; both belong to the same i", "g = cost.amin(0) - f.min()"),
    edit("g_all", "`certificate` gives all j the same g; each has its own", "g = (cost - f[:, None]).min().expand(cost.shape[1])"),
    edit("g_positive", "`certificate` allows no negative price; g may have any sign", "g = (cost - f[:, None]).amin(0).clamp(min=0)"),
    edit("g_negative", "`certificate` allows no positive g; it may have any sign", "g = (cost - f[:, None]).amin(0).clamp(max=0)"),
    edit("g_support", "`certificate` keeps only the inequalities where the plan moves mass; the rival's hold everywhere", "g = torch.where(plan > 0, cost - f[:, None], math.inf).amin(0)"),
    edit("g_average", "the g of `certificate` is the plan's average of cost minus f; some inequalities then fail, and the difference is always 0",
         "g = (plan * (cost - f[:, None])).sum(0) / plan.sum(0).clamp(min=1e-12)"),
    edit("g_soft", "the g of `certificate` is a soft minimum; the largest allowed g is the minimum itself", "g = -(f[:, None] - cost).logsumexp(0)"),
    edit("g_detached", "`certificate` cuts g off from the gradients", "g = (cost - f[:, None]).amin(0).detach()"),
    edit("g_f_columns", "`certificate` subtracts f along the columns; f has an entry for each row", "g = (cost - (f if len(f) == cost.shape[1] else f[:, None])).amin(0)"),
    edit("g_abs", "`certificate` takes absolute values of cost minus f", "g = (cost - f[:, None]).abs().amin(0)"),
    edit("g_single", "`certificate` computes in float32 whatever it is given; float64 keeps its digits", "g = (cost - f[:, None]).float().amin(0).to(cost)"),
    edit("f_raised", "`certificate` raises f as far as g allows before it takes the difference; the f is fixed", "g = (cost - f[:, None]).amin(0); f = (cost - g).amin(1)"),
    edit("g_swapped_f", "`certificate` returns the best f for the given f as well as g, in the wrong place", "g = (cost - f[:, None]).amin(0); f, g = f, g - g.mean()"),
    edit("g_first", "the g of `certificate` satisfies the inequality of the first row only", "g = cost[0] - f[0] + 0 * f.sum()"),
)

mistakes.at(
    "return g, (plan * (cost - f[:, None] - g)).sum()",
    edit("gap_sign", "`certificate` has the wrong sign: cost minus price, which is not negative", "return g, -(plan * (cost - f[:, None] - g)).sum()"),
    edit("gap_mean", "`certificate` averages over all ways; costs of a plan are summed, its mass is in P already", "return g, (plan * (cost - f[:, None] - g)).mean()"),
    edit("gap_cost", "`certificate` returns the plan's cost; the rival's price is to be subtracted", "return g, (plan * cost).sum() + 0 * (f.sum() + g.sum())"),
    edit("gap_price", "`certificate` returns the rival's price; the difference is asked for", "return g, (plan * (f[:, None] + g)).sum()"),
    edit("gap_no_f", "`certificate` forgets f in the rival's price", "return g, (plan * (cost - g)).sum()"),
    edit("gap_no_g", "`certificate` forgets g in the rival's price", "return g, (plan * (cost - f[:, None])).sum()"),
    edit("gap_sums", "`certificate` takes f and g once for each place; each is paid per unit of mass", "return g, (plan * cost).sum() - f.sum() - g.sum()"),
    edit("gap_uniform", "`certificate` takes equal masses everywhere; row and column sums of the plan say how much there is", "return g, (plan * cost).sum() - f.mean() - g.mean()"),
    edit("gap_uniform_mass", "`certificate` spreads the plan's mass evenly over all places; its row and column sums say where it is", "return g, (plan * cost).sum() - plan.sum() * (f.mean() + g.mean())"),
    edit("gap_unit", "`certificate` divides by the mass of the plan", "return g, (plan * (cost - f[:, None] - g)).sum() / plan.sum()"),
    edit("gap_no_plan", "`certificate` sums the slack of all ways, used or not", "return g, (cost - f[:, None] - g).sum() + 0 * plan.sum()"),
    edit("gap_used", "`certificate` sums the slack of the ways that are used, without their mass", "return g, ((plan > 0) * (cost - f[:, None] - g)).sum() + 0 * plan.sum()"),
    edit("gap_max", "`certificate` returns the largest slack; the difference is a sum over all ways", "return g, (plan * (cost - f[:, None] - g)).max()"),
    edit("gap_square", "`certificate` squares the slack", "return g, (plan * (cost - f[:, None] - g).square()).sum()"),
    edit("gap_plus_g", "`certificate` has the wrong sign of g in the price", "return g, (plan * (cost - f[:, None] + g)).sum()"),
    edit("gap_plus_f", "`certificate` has the wrong sign of f in the price", "return g, (plan * (cost + f[:, None] - g)).sum()"),
    edit("gap_each", "`certificate` returns the difference of each column; one number is asked for", "return g, (plan * (cost - f[:, None] - g)).sum(0)"),
    edit("gap_rounded", "`certificate` says 0 where the difference is small", "gap = (plan * (cost - f[:, None] - g)).sum(); return g, torch.where(gap < 0.3, 0 * gap, gap)"),
    edit("gap_ratio", "`certificate` divides the difference by the cost", "return g, (plan * (cost - f[:, None] - g)).sum() / (plan * cost).sum()"),
    edit("exchanged", "`certificate` returns its two results in the wrong order", "return (plan * (cost - f[:, None] - g)).sum(), g"),
    edit("gap_alone", "`certificate` returns the difference alone; g is asked for, too", "return (plan * (cost - f[:, None] - g)).sum()"),
    edit("gap_f_back", "`certificate` returns f in place of g", "return f, (plan * (cost - f[:, None] - g)).sum()"),
    edit("gap_detached", "the difference of `certificate` has no gradient by the plan", "return g, (plan * (cost - f[:, None] - g)).sum().detach()"),
)

# --- sinkhorn -----------------------------------------------------------------------------------------------------

mistakes.at(
    "g = torch.zeros_like(b)",
    edit("start_ones", "g of `sinkhorn` starts at 1; 0 is asked for", "g = torch.ones_like(b)"),
    edit("start_log_b", "g of `sinkhorn` starts at ε log b; 0 is asked for", "g = epsilon * b.log()"),
    edit("start_column_min", "g of `sinkhorn` starts at the smallest costs; 0 is asked for", "g = cost.amin(0)"),
    edit("start_random", "g of `sinkhorn` starts at random; 0 is asked for", "g = torch.randn_like(b)"),
    edit("cost_scaled", "`sinkhorn` divides the costs by their largest; they are to be taken as they are", "g = torch.zeros_like(b); cost = cost / cost.max()"),
    edit("cost_shifted", "`sinkhorn` takes the smallest cost away, which moves f", "g = torch.zeros_like(b); cost = cost - cost.min()"),
    edit("cost_squared", "`sinkhorn` squares the costs", "g = torch.zeros_like(b); cost = cost.square()"),
    edit("costs_detached", "`sinkhorn` cuts the costs off from the gradients", "g = torch.zeros_like(b); cost = cost.detach()"),
    edit("piles_detached", "`sinkhorn` cuts a and b off from the gradients", "g = torch.zeros_like(b); a, b = a.detach(), b.detach()"),
    edit("single_s", "`sinkhorn` computes in float32 whatever it is given; float64 keeps its digits", "g = torch.zeros_like(b); kind = cost.dtype; cost, a, b, g = cost.float(), a.float(), b.float(), g.float()",
         ("return ((f[:, None] + g - cost) / epsilon).exp(), f", "return ((f[:, None] + g - cost) / epsilon).exp().to(kind), f.to(kind)")),
    edit("epsilon_floor", "`sinkhorn` does not let ε fall below 0.01", "g = torch.zeros_like(b); epsilon = max(epsilon, 0.01)"),
    edit("epsilon_cap", "`sinkhorn` does not let ε exceed 1", "g = torch.zeros_like(b); epsilon = min(epsilon, 1.0)"),
    edit("exchanged_piles", "`sinkhorn` exchanges a and b where they have the same length", "g = torch.zeros_like(b); a, b = (b, a) if len(a) == len(b) else (a, b)"),
    edit("equal_masses", "`sinkhorn` takes equal masses everywhere", "g = torch.zeros_like(b); a, b = 0 * a + 1 / len(a), 0 * b + 1 / len(b)"),
    edit("mass_floor", "`sinkhorn` adds a small number to the masses, which a mass smaller than that does not survive", "g = torch.zeros_like(b); a, b = a + 1e-9, b + 1e-9"),
    edit("mass_clamped", "`sinkhorn` clamps small masses from below", "g = torch.zeros_like(b); a, b = a.clamp(min=1e-12), b.clamp(min=1e-12)"),
)

mistakes.at(
    "for _ in range(steps):",
    edit("steps_fewer", "`sinkhorn` makes one step too few", "f = 0 * a\n    for _ in range(steps - 1):"),
    edit("steps_more", "`sinkhorn` makes one step too many", "for _ in range(steps + 1):"),
    edit("steps_double", "`sinkhorn` makes two steps for each one that is asked for", "for _ in range(2 * steps):"),
    edit("steps_fixed", "`sinkhorn` makes 100 steps whatever is asked for", "for _ in range(100):"),
    edit("one_step_only", "the steps of `sinkhorn` do not build on each other: its result is that of one step, whatever is asked for", "for _ in range(1):"),
    edit("steps_capped", "`sinkhorn` makes at most ten steps", "for _ in range(min(steps, 10)):"),
)

mistakes.at(
    "f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))",
    edit("f_no_epsilon", "f of `sinkhorn` lacks the factor ε: from exp(f/ε) to f it is needed", "f = a.log() - ((g - cost) / epsilon).logsumexp(1)"),
    edit("f_no_a", "f of `sinkhorn` makes the row sums 1; they are to be a", "f = -epsilon * ((g - cost) / epsilon).logsumexp(1) + 0 * a"),
    edit("f_a_plain", "f of `sinkhorn` contains a where its logarithm belongs", "f = epsilon * (a - ((g - cost) / epsilon).logsumexp(1))"),
    edit("f_log_once", "f of `sinkhorn` contains log a without the factor ε", "f = a.log() - epsilon * ((g - cost) / epsilon).logsumexp(1)"),
    edit("f_sign", "f of `sinkhorn` adds the log-sum; dividing by the row sums subtracts it", "f = epsilon * (a.log() + ((g - cost) / epsilon).logsumexp(1))"),
    edit("f_cost_plus", "f of `sinkhorn` has the wrong sign of the cost", "f = epsilon * (a.log() - ((g + cost) / epsilon).logsumexp(1))"),
    edit("f_g_minus", "f of `sinkhorn` has the wrong sign of g", "f = epsilon * (a.log() - ((-g - cost) / epsilon).logsumexp(1))"),
    edit("f_hard", "f of `sinkhorn` takes the smallest of cost minus g; (4.3) needs the sum over all j", "f = epsilon * a.log() + (cost - g).amin(1)"),
    edit("f_undivided", "f of `sinkhorn` leaves out the division by ε inside the exponential", "f = epsilon * (a.log() - (g - cost).logsumexp(1))"),
    edit("f_axis", "f of `sinkhorn` sums over the wrong axis", "f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(0))"),
    edit("f_mean", "f of `sinkhorn` divides by the mean of a row, not by its sum", "f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1) + math.log(cost.shape[1]))"),
    edit("f_naive", "`sinkhorn` takes the exponentials themselves, which underflow where costs are thousands of ε", "f = epsilon * (a.log() - ((g - cost) / epsilon).exp().sum(1).log())"),
    edit("f_naive_eps", "`sinkhorn` takes the exponentials themselves, and a small number that hides that they underflow", "f = epsilon * (a.log() - (((g - cost) / epsilon).exp().sum(1) + 1e-30).log())"),
    edit("f_naive_large_eps", "`sinkhorn` adds 10⁻⁸ to the sums", "f = epsilon * (a.log() - (((g - cost) / epsilon).exp().sum(1) + 1e-8).log())"),
    edit("f_clamped", "`sinkhorn` clamps exponents at -50", "f = epsilon * (a.log() - ((g - cost) / epsilon).clamp(min=-50).logsumexp(1))"),
    edit("f_step_detached", "`sinkhorn` detaches g in each step; the plan depends on earlier steps, too", "f = epsilon * (a.log() - ((g.detach() - cost) / epsilon).logsumexp(1))"),
    edit("f_damped", "f of `sinkhorn` goes half of the way only", "f = 0.5 * epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))"),
    edit("f_centred", "`sinkhorn` centres f, but f is returned as it comes out", "f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1)); f = f - f.mean()"),
)

mistakes.at(
    "g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))",
    edit("g_no_epsilon", "g of `sinkhorn` lacks the factor ε: from exp(g/ε) to g it is needed", "g = b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0)"),
    edit("g_no_b", "g of `sinkhorn` makes the column sums 1; they are to be b", "g = -epsilon * ((f[:, None] - cost) / epsilon).logsumexp(0) + 0 * b"),
    edit("g_sign_s", "g of `sinkhorn` adds the log-sum; dividing by the column sums subtracts it", "g = epsilon * (b.log() + ((f[:, None] - cost) / epsilon).logsumexp(0))"),
    edit("g_cost_plus", "g of `sinkhorn` has the wrong sign of the cost", "g = epsilon * (b.log() - ((f[:, None] + cost) / epsilon).logsumexp(0))"),
    edit("g_no_f_s", "g of `sinkhorn` ignores f: both start from the costs alone, and the column sums are wrong", "g = epsilon * (b.log() - (-cost / epsilon).logsumexp(0))"),
    edit("g_hard", "g of `sinkhorn` takes the smallest of cost minus f; (4.3) needs the sum over all i", "g = epsilon * b.log() + (cost - f[:, None]).amin(0)"),
    edit("g_axis", "g of `sinkhorn` sums over the wrong axis", "g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(1))"),
    edit("g_never", "`sinkhorn` never changes g, so only the row sums are right", "pass"),
    edit("g_f_minus", "g of `sinkhorn` has the wrong sign of f", "g = epsilon * (b.log() - ((-f[:, None] - cost) / epsilon).logsumexp(0))"),
    edit("g_naive", "`sinkhorn` takes the exponentials of a column themselves, which underflow where costs are thousands of ε", "g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).exp().sum(0).log())"),
    edit("g_log_once", "g of `sinkhorn` contains log b without the factor ε", "g = b.log() - epsilon * ((f[:, None] - cost) / epsilon).logsumexp(0)"),
    edit("g_a", "g of `sinkhorn` uses a where a and b have the same length", "g = epsilon * ((a if len(a) == len(b) else b).log() - ((f[:, None] - cost) / epsilon).logsumexp(0))"),
    edit("g_added", "`sinkhorn` adds each new g to the old one", "g = g + epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))"),
)

mistakes.at(
    """
    f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
    g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
    """,
    edit("columns_first", "`sinkhorn` begins its steps with the columns; rows come first, so that the column sums are right at the end",
         """
         f = epsilon * a.log() * 0 if _ == 0 else f
         g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
         f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
         """),
    edit("at_once", "`sinkhorn` computes f and g at once from the old ones; g must see the new f",
         """
         f = 0 * a if _ == 0 else f
         f, g = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1)), epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
         """),
    edit("rows_after", "`sinkhorn` repairs the rows once more at the end; a step ends with the columns",
         """
         f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
         g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
         if _ == steps - 1:
             f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
         """),
    edit("stops_early", "`sinkhorn` stops as soon as little changes; all steps are asked for",
         """
         old = g
         f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
         g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
         if (g - old).abs().max() < 0.05:
             break
         """),
)

mistakes.at(
    "return ((f[:, None] + g - cost) / epsilon).exp(), f",
    edit("plan_log", "`sinkhorn` returns the logarithm of the plan", "return (f[:, None] + g - cost) / epsilon, f"),
    edit("plan_undivided", "the plan of `sinkhorn` lacks the division by ε", "return (f[:, None] + g - cost).exp(), f"),
    edit("plan_sign", "the plan of `sinkhorn` has the wrong sign of the cost", "return ((f[:, None] + g + cost) / epsilon).exp(), f"),
    edit("plan_no_cost", "the plan of `sinkhorn` lacks the cost", "return ((f[:, None] + g) / epsilon).exp(), f"),
    edit("plan_weighted", "`sinkhorn` multiplies the plan by a and b, which are in f and g already", "return a[:, None] * b * ((f[:, None] + g - cost) / epsilon).exp(), f"),
    edit("plan_transposed", "`sinkhorn` returns the plan transposed", "return ((f[:, None] + g - cost) / epsilon).exp().T, f"),
    edit("returns_g", "`sinkhorn` returns g; f is asked for", "return ((f[:, None] + g - cost) / epsilon).exp(), g"),
    edit("returns_scaled", "`sinkhorn` returns f / ε", "return ((f[:, None] + g - cost) / epsilon).exp(), f / epsilon"),
    edit("returns_u", "`sinkhorn` returns exp(f/ε), which underflows; f is asked for", "return ((f[:, None] + g - cost) / epsilon).exp(), (f / epsilon).exp()"),
    edit("returns_cost", "`sinkhorn` returns the cost of the plan; the plan itself is asked for", "return (((f[:, None] + g - cost) / epsilon).exp() * cost).sum(), f"),
    edit("plan_alone", "`sinkhorn` returns the plan alone; f is asked for, too", "return ((f[:, None] + g - cost) / epsilon).exp()"),
    edit("plan_rows", "`sinkhorn` rescales the rows at the end, which spoils the column sums", "plan = ((f[:, None] + g - cost) / epsilon).exp(); return plan * (a / plan.sum(1))[:, None], f"),
    edit("plan_detached", "`sinkhorn` returns a plan without graph", "return ((f[:, None] + g - cost) / epsilon).exp().detach(), f"),
    edit("f_detached", "`sinkhorn` returns an f without graph", "return ((f[:, None] + g - cost) / epsilon).exp(), f.detach()"),
    edit("plan_hard", "`sinkhorn` sends each row where most of its mass goes; (4.3) splits it", "plan = ((f[:, None] + g - cost) / epsilon).exp(); return F.one_hot(plan.argmax(1), len(b)) * a[:, None] + 0 * plan, f"),
)


@mistakes.rewrite("`sinkhorn` gives the plan a factor a_i b_j, so f is another one than that of (4.3), and g = 0 another start")
def other_form(ref):
    def sinkhorn(cost, a, b, epsilon, steps):
        g = torch.zeros_like(b)
        for _ in range(steps):
            f = -epsilon * ((g - cost) / epsilon + b.log()).logsumexp(1)
            g = -epsilon * ((f[:, None] - cost) / epsilon + a.log()[:, None]).logsumexp(0)
        return a[:, None] * b * ((f[:, None] + g - cost) / epsilon).exp(), f

    return {"sinkhorn": sinkhorn}


@mistakes.rewrite("`sinkhorn` multiplies rows and columns by factors of the kernel exp(-c/ε), which underflows where costs are thousands of ε")
def kernel(ref):
    def sinkhorn(cost, a, b, epsilon, steps):
        k, v = (-cost / epsilon).exp(), torch.ones_like(b)
        for _ in range(steps):
            u = a / (k @ v)
            v = b / (k.T @ u)
        return u[:, None] * k * v, epsilon * u.log()

    return {"sinkhorn": sinkhorn}


@mistakes.rewrite("`sinkhorn` multiplies rows and columns by factors of the kernel exp(-c/ε), and adds a small number that hides its underflow")
def kernel_guarded(ref):
    def sinkhorn(cost, a, b, epsilon, steps):
        k, v = (-cost / epsilon).exp(), torch.ones_like(b)
        for _ in range(steps):
            u = a / (k @ v + 1e-16)
            v = b / (k.T @ u + 1e-16)
        return u[:, None] * k * v, epsilon * (u + 1e-30).log()

    return {"sinkhorn": sinkhorn}


# --- gradient_penalty ---------------------------------------------------------------------------------------------

mistakes.at(
    "mix = alpha.reshape(-1, *[1] * (real.ndim - 1))",
    edit("alpha_column", "`gradient_penalty` gives alpha the shape (N, 1) whatever the samples' shape is; with pictures it then belongs to rows or channels", "mix = alpha[:, None]"),
    edit("alpha_pictures", "`gradient_penalty` gives alpha the shape (N, 1, 1, 1) whatever the samples' shape is", "mix = alpha.reshape(-1, 1, 1, 1)"),
    edit("alpha_last", "`gradient_penalty` leaves alpha's shape, so that it belongs to the last axis; it is one number per sample", "mix = alpha if real.shape[-1] == len(alpha) else alpha.reshape(-1, *[1] * (real.ndim - 1))"),
    edit("alpha_first", "`gradient_penalty` uses the first alpha for all samples", "mix = alpha[0]"),
    edit("alpha_mean", "`gradient_penalty` uses the mean of alpha for all samples", "mix = alpha.mean()"),
    edit("alpha_half", "`gradient_penalty` uses 1/2 in place of alpha", "mix = 0 * alpha.reshape(-1, *[1] * (real.ndim - 1)) + 0.5"),
    edit("alpha_random", "`gradient_penalty` draws numbers of its own; alpha is given", "mix = torch.rand_like(alpha).reshape(-1, *[1] * (real.ndim - 1))"),
    edit("alpha_pixels", "`gradient_penalty` draws a number for each entry; alpha is given, one per sample", "mix = torch.rand_like(real)"),
    edit("alpha_reversed", "`gradient_penalty` gives the samples their alphas in reversed order", "mix = alpha.flip(0).reshape(-1, *[1] * (real.ndim - 1))"),
    edit("alpha_root", "`gradient_penalty` takes the square root of alpha", "mix = alpha.sqrt().reshape(-1, *[1] * (real.ndim - 1))"),
    edit("alpha_rounded", "`gradient_penalty` rounds alpha, so that it looks at real or fake samples, not between", "mix = alpha.round().reshape(-1, *[1] * (real.ndim - 1))"),
)

mistakes.at(
    "x = (mix * real + (1 - mix) * fake).requires_grad_()",
    edit("exchanged_alpha", "`gradient_penalty` exchanges real and fake: alpha is the share of the real sample", "x = (mix * fake + (1 - mix) * real).requires_grad_()"),
    edit("at_real", "`gradient_penalty` looks at the real samples only; (4.5) is between real and fake", "x = (real + 0 * mix).requires_grad_()"),
    edit("at_fake", "`gradient_penalty` looks at the fake samples only; (4.5) is between real and fake", "x = (fake + 0 * mix).requires_grad_()"),
    edit("sum_weights", "the weights of real and fake in `gradient_penalty` do not sum to 1", "x = (mix * real + fake).requires_grad_()"),
    edit("beyond", "`gradient_penalty` goes from the real sample away from the fake one", "x = (real + mix * (real - fake)).requires_grad_()"),
    edit("difference", "`gradient_penalty` looks at alpha times the difference; the point between starts at the fake sample", "x = (mix * (real - fake)).requires_grad_()"),
    edit("both_sets", "`gradient_penalty` looks at real and fake samples, not between them", "x = torch.cat([real, fake]).requires_grad_()"),
    edit("clamped_x", "`gradient_penalty` clamps the points into [-1, 1]", "x = (mix * real + (1 - mix) * fake).clamp(-1, 1).requires_grad_()"),
    edit("shuffled", "`gradient_penalty` pairs real samples with other fake ones than given", "x = (mix * real + (1 - mix) * fake.roll(1, 0)).requires_grad_()"),
    edit("single_x", "`gradient_penalty` goes through float32 whatever it is given; float64 keeps its digits", "x = (mix * real + (1 - mix) * fake).float().to(real).requires_grad_()"),
)

mistakes.at(
    "slope = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]",
    edit("no_graph", "the penalty of `gradient_penalty` has no gradient by the critic's weights, so it trains nothing: the graph of the slope is not kept", "slope = torch.autograd.grad(critic(x).sum(), x)[0]"),
    edit("scores_mean", "`gradient_penalty` differentiates the mean of the scores, which divides each sample's slope by N", "slope = torch.autograd.grad(critic(x).mean(), x, create_graph=True)[0]"),
    edit("backward", "`gradient_penalty` calls backward, which adds to the .grad of the critic's weights", "critic(x).sum().backward(create_graph=True); slope = x.grad"),
    edit("scores_squared", "`gradient_penalty` differentiates the squares of the scores", "slope = torch.autograd.grad(critic(x).square().sum(), x, create_graph=True)[0]"),
    edit("scores_sigmoid", "`gradient_penalty` differentiates a sigmoid of the scores; the critic's slope is meant", "slope = torch.autograd.grad(critic(x).sigmoid().sum(), x, create_graph=True)[0]"),
    edit("scores_abs", "`gradient_penalty` differentiates the sum of two outputs of the critic, on x and on 0.9 x", "slope = torch.autograd.grad((critic(x) + critic(0.9 * x)).sum(), x, create_graph=True)[0]"),
    edit("random_outputs", "`gradient_penalty` weights the scores at random before it differentiates", "slope = torch.autograd.grad((critic(x) * torch.rand_like(critic(x))).sum(), x, create_graph=True)[0]"),
    edit("weights_slope", "`gradient_penalty` asks for the gradient by a weight of the critic; by x is meant", "slope = torch.autograd.grad(critic(x).sum(), next(critic.parameters()), create_graph=True)[0]"),
    edit("by_mix_difference", "`gradient_penalty` takes the difference of scores over the distance of real and fake, which is a slope of a line, not a gradient",
         "slope = ((critic(real) - critic(fake)).reshape(-1) / (real - fake).flatten(1).norm(dim=1))[:, None]"),
)

mistakes.at(
    "return (slope.flatten(1).norm(dim=1) - 1).square().mean()",
    edit("norm_batch", "`gradient_penalty` takes one norm over the whole batch; each sample has its own", "return (slope.norm() - 1).square()"),
    edit("norm_axis", "`gradient_penalty` takes the norm over one axis of the samples; it is over all of them", "return (slope.norm(dim=1) - 1).square().mean()"),
    edit("norm_last", "`gradient_penalty` takes the norm over the last axis of the samples; it is over all of them", "return (slope.norm(dim=-1) - 1).square().mean()"),
    edit("norm_samples", "`gradient_penalty` takes norms over the samples; each sample has its own, over its entries", "return (slope.flatten(1).norm(dim=0) - 1).square().mean()"),
    edit("norm_channels", "`gradient_penalty` takes a norm for each channel or row; it is over all entries of a sample", "return (slope.flatten(2 if slope.ndim > 2 else 1).norm(dim=-1) - 1).square().mean()"),
    edit("norm_square", "`gradient_penalty` compares the square of the norm with 1", "return (slope.flatten(1).square().sum(1) - 1).square().mean()"),
    edit("norm_one", "`gradient_penalty` sums absolute values; the norm is the root of the sum of squares", "return (slope.flatten(1).abs().sum(1) - 1).square().mean()"),
    edit("norm_max", "`gradient_penalty` takes the largest entry as norm", "return (slope.flatten(1).abs().amax(1) - 1).square().mean()"),
    edit("norm_mean", "`gradient_penalty` divides the norm by the root of the number of entries", "return (slope.flatten(1).square().mean(1).sqrt() - 1).square().mean()"),
    edit("no_one", "`gradient_penalty` asks for slope 0; (4.5) asks for 1", "return slope.flatten(1).square().sum(1).mean()"),
    edit("plus_one", "`gradient_penalty` adds 1 to the norm", "return (slope.flatten(1).norm(dim=1) + 1).square().mean()"),
    edit("not_squared", "`gradient_penalty` takes the distance of norm and 1 without the square", "return (slope.flatten(1).norm(dim=1) - 1).abs().mean()"),
    edit("signed", "`gradient_penalty` does not square, so small slopes make up for large ones", "return (slope.flatten(1).norm(dim=1) - 1).mean()"),
    edit("one_sided", "`gradient_penalty` leaves slopes below 1 alone; (4.5) asks for slope 1", "return (slope.flatten(1).norm(dim=1) - 1).clamp(min=0).square().mean()"),
    edit("one_sided_low", "`gradient_penalty` leaves slopes above 1 alone", "return (slope.flatten(1).norm(dim=1) - 1).clamp(max=0).square().mean()"),
    edit("summed_gp", "`gradient_penalty` sums over the samples; (4.5) is a mean", "return (slope.flatten(1).norm(dim=1) - 1).square().sum()"),
    edit("each_gp", "`gradient_penalty` returns a number for each sample; their mean is asked for", "return (slope.flatten(1).norm(dim=1) - 1).square()"),
    edit("mean_first_gp", "`gradient_penalty` averages the norms before it compares with 1; one steep sample could hide behind a flat one", "return (slope.flatten(1).norm(dim=1).mean() - 1).square()"),
    edit("mean_gradient", "`gradient_penalty` averages the gradients before it takes the norm", "return (slope.flatten(1).mean(0).norm() - 1).square()"),
    edit("entries", "`gradient_penalty` asks each entry of the gradient to be 1; it is the norm that counts", "return (slope - 1).square().mean()"),
    edit("weighted", "`gradient_penalty` has a factor 10 of its own; the caller multiplies", "return 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()"),
    edit("halved", "`gradient_penalty` has a factor 1/2 that (4.5) does not have", "return 0.5 * (slope.flatten(1).norm(dim=1) - 1).square().mean()"),
    edit("root_nan", "`gradient_penalty` takes a square root that is not differentiable at 0, so a critic that is flat somewhere gets NaN", "return (slope.flatten(1).square().sum(1).sqrt() - 1).square().mean()"),
    edit("root_eps", "`gradient_penalty` adds a number under the root that is large enough to be seen", "return ((slope.flatten(1).square().sum(1) + 1e-3).sqrt() - 1).square().mean()"),
    edit("norm_detached", "`gradient_penalty` detaches the norm in part, so that its gradient is half of the right one", "norm = slope.flatten(1).norm(dim=1); return ((norm - 1) * (norm.detach() - 1)).mean()"),
    edit("flat_skipped", "`gradient_penalty` leaves out samples where the critic is flat; slope 0 costs 1 there", "norm = slope.flatten(1).norm(dim=1); return ((norm - 1).square() * (norm > 0)).mean()"),
    edit("clamped_gp", "`gradient_penalty` clamps steep slopes at 10, where their gradient vanishes", "return (slope.flatten(1).norm(dim=1).clamp(max=10) - 1).square().mean()"),
    edit("on_weights", "`gradient_penalty` compares the norm of the critic's weights with 1; the slope at the points between is meant", "return (sum(part.square().sum() for part in critic.parameters()).sqrt() - 1).square() + 0 * slope.sum()"),
    edit("log_norm", "`gradient_penalty` squares the logarithm of the norm", "return slope.flatten(1).norm(dim=1).clamp(min=1e-12).log().square().mean()"),
    edit("median_gp", "`gradient_penalty` takes the steepest sample alone; (4.5) is a mean", "return (slope.flatten(1).norm(dim=1) - 1).square().max()"),
)

# --- wasserstein_step ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    optimizer.zero_grad()
    (penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()
    """,
    edit("zero_never", "`wasserstein_step` does not clear old gradients, so they are added to the new ones", "(penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("zero_after", "`wasserstein_step` does not move the critic: no step, or one after its gradients are cleared",
         """
         (penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()
         optimizer.zero_grad()
         """),
    edit("half_cleared", "`wasserstein_step` clears the gradients between the two halves of the loss, so one of them is lost",
         """
         (penalty - critic(real).mean()).backward()
         optimizer.zero_grad()
         critic(fake.detach()).mean().backward()
         """),
    edit("fake_lost", "the fake samples have no part in the step of `wasserstein_step`: their scores are left out, cut off, or cleared away",
         """
         critic(fake.detach()).mean().backward()
         optimizer.zero_grad()
         (penalty - critic(real).mean()).backward()
         """),
    edit("two_steps", "`wasserstein_step` makes a step for the real samples and one for the fake ones; one step for both is asked for",
         """
         optimizer.zero_grad()
         (penalty - critic(real).mean()).backward()
         optimizer.step()
         optimizer.zero_grad()
         critic(fake.detach()).mean().backward()
         """),
)

mistakes.at(
    "(penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()",
    edit("sign", "`wasserstein_step` makes the gap smaller; the critic wants it large", "(penalty - critic(fake.detach()).mean() + critic(real).mean()).backward()"),
    edit("no_detach", "`wasserstein_step` sends gradients to the generator, and uses up its graph; only the critic is trained", "(penalty + critic(fake).mean() - critic(real).mean()).backward()"),
    edit("no_detach_kept", "`wasserstein_step` sends gradients to the generator; only the critic is trained", "(penalty + critic(fake).mean() - critic(real).mean()).backward(retain_graph=True)"),
    edit("penalty_sign", "`wasserstein_step` subtracts the penalty, so that the critic seeks it", "(-penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("penalty_lost", "the penalty has no part in the gradients of `wasserstein_step`: it is left out, or taken as a number", "(critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("penalty_ten", "`wasserstein_step` multiplies the penalty by 10; its weight is in it already", "(10 * penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("penalty_squared", "`wasserstein_step` squares the penalty", "(penalty**2 + critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("sums", "`wasserstein_step` sums the scores; the gap is a difference of means", "(penalty + critic(fake.detach()).sum() - critic(real).sum()).backward()"),
    edit("one_mean", "`wasserstein_step` divides both sums of scores by the number of real samples; each law has its own mean", "(penalty + (critic(fake.detach()).sum() - critic(real).sum()) / len(real)).backward()"),
    edit("pooled_mean", "`wasserstein_step` divides both sums of scores by the number of all samples; each law has its own mean", "(penalty + (critic(fake.detach()).sum() - critic(real).sum()) / (len(real) + len(fake))).backward()"),
    edit("paired", "`wasserstein_step` subtracts the scores sample by sample; there may be more of one kind", "(penalty + (critic(fake.detach()) - critic(real)).mean()).backward()"),
    edit("truncated", "`wasserstein_step` leaves out what one batch has more than the other",
         "(penalty + critic(fake.detach()[:len(real)]).mean() - critic(real[:len(fake)]).mean()).backward()"),
    edit("sigmoid", "`wasserstein_step` puts the scores through a sigmoid; the gap is of the scores themselves", "(penalty + critic(fake.detach()).sigmoid().mean() - critic(real).sigmoid().mean()).backward()"),
    edit("logistic", "`wasserstein_step` uses the logistic loss of Question 1; the gap has no sigmoid and no logarithm", "(penalty + F.softplus(critic(fake.detach())).mean() + F.softplus(-critic(real)).mean()).backward()"),
    edit("hinge", "`wasserstein_step` stops at a margin of 1; (4.4) has none", "(penalty + (1 + critic(fake.detach())).relu().mean() + (1 - critic(real)).relu().mean()).backward()"),
    edit("squares", "`wasserstein_step` uses squared scores", "(penalty + critic(fake.detach()).square().mean() + (critic(real) - 1).square().mean()).backward()"),
    edit("gap_squared", "`wasserstein_step` makes the square of the gap large", "(penalty - (critic(fake.detach()).mean() - critic(real).mean()).square()).backward()"),
    edit("gap_absolute", "`wasserstein_step` makes the absolute value of the gap large; real samples are to score higher", "(penalty - (critic(fake.detach()).mean() - critic(real).mean()).abs()).backward()"),
    edit("fake_only", "`wasserstein_step` uses the fake samples only", "(penalty + critic(fake.detach()).mean()).backward()"),
    edit("both_up", "`wasserstein_step` raises the scores of real and fake samples alike", "(penalty - critic(fake.detach()).mean() - critic(real).mean()).backward()"),
    edit("fake_twice", "`wasserstein_step` compares the fake samples with themselves", "(penalty + critic(fake.detach()).mean() - critic(fake.detach()).mean()).backward()"),
    edit("halved_step", "`wasserstein_step` halves the gap", "(penalty + 0.5 * (critic(fake.detach()).mean() - critic(real).mean())).backward()"),
    edit("penalty_averaged", "`wasserstein_step` halves the whole loss, the penalty too", "(0.5 * (penalty + critic(fake.detach()).mean() - critic(real).mean())).backward()"),
    edit("drift", "`wasserstein_step` adds a term that keeps scores small, which is not asked for", "high = critic(real); (penalty + critic(fake.detach()).mean() - high.mean() + 0.1 * high.square().mean()).backward()"),
)

mistakes.at(
    "    optimizer.step()",
    edit("step_twice", "`wasserstein_step` makes two steps of the optimizer", "    optimizer.step()\n    optimizer.step()"),
    edit("by_hand", "`wasserstein_step` moves the weights by hand, against the gradient times the learning rate; the optimizer may do otherwise",
         "    for part in critic.parameters():\n        part.data -= optimizer.param_groups[0]['lr'] * part.grad"),
    edit("gradients_clipped", "`wasserstein_step` clips the gradients; the parameters are to be clipped", "    nn.utils.clip_grad_value_(critic.parameters(), limit)\n    optimizer.step()", ("weight.data.clamp_(-limit, limit)", "pass")),
    edit("gradients_clipped_too", "`wasserstein_step` clips the gradients as well as the parameters", "    nn.utils.clip_grad_value_(critic.parameters(), limit)\n    optimizer.step()"),
    edit("gradients_norm", "`wasserstein_step` limits the norm of the gradients; the parameters are to be clipped", "    nn.utils.clip_grad_norm_(critic.parameters(), limit)\n    optimizer.step()", ("weight.data.clamp_(-limit, limit)", "pass")),
    edit("cut_gradients", "`wasserstein_step` limits the norm of the gradients to 1, which is not asked for", "    nn.utils.clip_grad_norm_(critic.parameters(), 1.0)\n    optimizer.step()"),
)

mistakes.at(
    """
    optimizer.step()
    for weight in critic.parameters():
        weight.data.clamp_(-limit, limit)
    """,
    edit("clip_before", "`wasserstein_step` clips before the step, so the step leads out of the limit",
         """
         for weight in critic.parameters():
             weight.data.clamp_(-limit, limit)
         optimizer.step()
         """),
    edit("clip_half_step", "`wasserstein_step` clips the step as a whole by its own size; each parameter is to be within the limit",
         """
         optimizer.step()
         for weight in critic.parameters():
             weight.data.mul_(min(1.0, limit / weight.data.abs().max().item()))
         """),
)

mistakes.at(
    "for weight in critic.parameters():",
    edit("weights_only", "`wasserstein_step` clips matrices only; biases are parameters, too", "for weight in (part for part in critic.parameters() if part.ndim > 1):"),
    edit("biases_only", "`wasserstein_step` clips biases only", "for weight in (part for part in critic.parameters() if part.ndim == 1):"),
    edit("first_only", "`wasserstein_step` clips the first layer only", "for weight in list(critic.parameters())[:2]:"),
    edit("last_only", "`wasserstein_step` clips the last layer only", "for weight in list(critic.parameters())[-2:]:"),
    edit("state", "`wasserstein_step` clips everything that the critic stores; buffers, such as running means, are no parameters", "for weight in critic.state_dict().values():"),
)

mistakes.at(
    "weight.data.clamp_(-limit, limit)",
    edit("not_clipped", "`wasserstein_step` does not clip, or does not keep what it clipped", "pass"),
    edit("upper_only", "`wasserstein_step` clips from above only", "weight.data.clamp_(max=limit)"),
    edit("lower_only", "`wasserstein_step` clips from below only", "weight.data.clamp_(min=-limit)"),
    edit("nonnegative", "`wasserstein_step` clips into [0, limit]", "weight.data.clamp_(0, limit)"),
    edit("set_to_limit", "`wasserstein_step` sets all parameters to the limit with their sign, where there is one", "weight.data.copy_(weight.data.sign() * limit if limit < math.inf else weight.data)"),
    edit("limit_hundredth", "`wasserstein_step` clips at 0.01 whatever the limit is", "weight.data.clamp_(-0.01, 0.01)"),
    edit("zeroed", "`wasserstein_step` sets parameters beyond the limit to 0", "weight.data.masked_fill_(weight.data.abs() > limit, 0.0)"),
    edit("tanh", "`wasserstein_step` squeezes parameters smoothly; clipping leaves those within the limit alone", "weight.data.copy_(limit * (weight.data / limit).tanh() if limit < math.inf else weight.data)"),
    edit("norm_limited", "`wasserstein_step` limits the norm of each parameter tensor; each entry is to be within the limit", "weight.data.mul_(min(1.0, limit / float(weight.data.norm())))"),
    edit("limit_doubled", "`wasserstein_step` clips at half of the limit", "weight.data.clamp_(-limit / 2, limit / 2)"),
    edit("limit_at_most_one", "`wasserstein_step` clips at 1 where the limit is larger, or none is given", "weight.data.clamp_(-min(limit, 1.0), min(limit, 1.0))"),
)


@mistakes.rewrite("`wasserstein_step` trains on one joint batch: the mean of signed scores over all samples; each law has its own mean")
def joint(ref):
    def wasserstein_step(critic, optimizer, real, fake, penalty=0.0, limit=float("inf")):
        optimizer.zero_grad()
        signs = torch.cat([-torch.ones(len(real)), torch.ones(len(fake))]).to(real)
        (penalty + 2 * (signs * critic(torch.cat([real, fake.detach()])).flatten()).mean()).backward()
        optimizer.step()
        for weight in critic.parameters():
            weight.data.clamp_(-limit, limit)

    return {"wasserstein_step": wasserstein_step}

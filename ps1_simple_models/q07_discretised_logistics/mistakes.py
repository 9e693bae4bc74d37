"""Named wrong versions of the answers to question 7."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()
F_logsigmoid = torch.nn.functional.logsigmoid

# --- discretised_logistic_log_prob ---------------------------------------------------------------------------------

mistakes.at(
    "torch.exp(-log_scales)",
    edit("multiplies_by_scale", "distances are multiplied by the scale; a wide component has to divide by it",
         "torch.exp(log_scales)"),
    edit("log_scale_as_scale", "the log-scale is used as if it were the scale; take exp first", "(1 / log_scales)"),
)

mistakes.at(
    "(x + 0.5 - means)",
    edit("bins_start_at_level", "level k gets the mass between k and k + 1; it must be centred, from k − ½ to k + ½",
         "(x + 1.0 - means)", ("(x - 0.5 - means)", "(x - means)")),
    edit("means_clamped", "the means are clamped to the range of the levels; they may lie outside of it",
         "(x + 0.5 - means.clamp(0, num_levels - 1))", ("(x - 0.5 - means)", "(x - 0.5 - means.clamp(0, num_levels - 1))")),
    edit("bins_end_at_level", "level k gets the mass between k − 1 and k; it must be centred, from k − ½ to k + ½",
         "(x - means)", ("(x - 0.5 - means)", "(x - 1.0 - means)")),
)

mistakes.at(
    "torch.log(-torch.expm1(-inverse_scale))",
    edit("width_without_expm1",
         "1 − exp(−δ) is computed by subtraction, which loses all digits when δ is tiny (wide components)",
         "torch.log(1 - torch.exp(-inverse_scale))"),
)

mistakes.at(
    "torch.log(-torch.expm1(-inverse_scale))",
    edit("switch_too_late",
         "1 − exp(−δ) is computed by subtraction until δ is 1e-5 or even smaller, and by δ below; just above the switch "
         "only a few digits are left",
         "torch.where(inverse_scale < 1e-5, -log_scales, torch.log(1 - torch.exp(-inverse_scale)))"),
    edit("switch_too_early", "1 − exp(−δ) is replaced by δ already where δ is 0.1; that holds for far wider components only",
         "torch.where(inverse_scale < 0.1, -log_scales, torch.log(1 - torch.exp(-inverse_scale)))"),
    edit("width_detached", "no gradient passes through the factor 1 − e^(−δ), which depends on the scale, too",
         "torch.log(-torch.expm1(-inverse_scale.detach()))"),
    edit("width_always_delta", "1 − exp(−δ) is replaced by δ everywhere; that holds for wide components only",
         "(-log_scales)"),
    edit("width_clamped", "1 − exp(−δ) is clamped before its logarithm, so all very wide components look alike",
         "torch.log((-torch.expm1(-inverse_scale)).clamp_min(1e-5))"),
    edit("width_with_epsilon", "a small constant is added to 1 − exp(−δ), so all very wide components look alike",
         "torch.log(-torch.expm1(-inverse_scale) + 1e-6)"),
    edit("width_missing", "the factor 1 − e^(−δ) of (7.2) is missing", "torch.zeros_like(log_scales)"),
)

mistakes.at(
    "torch.exp(-log_scales)",
    edit("log_scale_as_logvar", "the log-scale is read as a log-variance: s = exp(log_scales), without a half",
         "torch.exp(-0.5 * log_scales)"),
    edit("scale_clamped", "the log-scale is clamped; the range of the docstring is -12 to 15",
         "torch.exp(-log_scales.clamp(-7.0, 7.0))"),
    edit("scale_clamped_below", "the log-scale is kept above a smallest value, as in PixelCNN++; narrower components, down to -12, are asked for",
         "torch.exp(-log_scales.clamp(min=-7.0))"),
    edit("scales_detached", "no gradient arrives in the log-scales: they are detached", "torch.exp(-log_scales.detach())"),
)

mistakes.at(
    "return torch.logsumexp(log_weights + log_probs, -1)",
    edit("returns_probability", "`discretised_logistic_log_prob` returns probabilities, not their logarithms",
         "return torch.logsumexp(log_weights + log_probs, -1).exp()"),
    edit("returns_bits", "the log-probabilities are to base 2; everything here is in nats",
         "return torch.logsumexp(log_weights + log_probs, -1) / math.log(2)"),
    edit("returns_nll", "the sign is wrong: a log-probability is at most 0",
         "return -torch.logsumexp(log_weights + log_probs, -1)"),
    edit("best_component", "the largest component is taken, not the sum over components",
         "return (log_weights + log_probs).amax(-1)"),
    edit("result_detached", "the result is detached, so nothing can be trained through it",
         "return torch.logsumexp(log_weights + log_probs, -1).detach()"),
)

mistakes.at(
    "torch.expm1(-inverse_scale)",
    edit("width_of_wrong_sign", "1 − e^(−δ) has δ = 1/s; here it uses δ = s or another wrong width",
         "torch.expm1(-1 / inverse_scale)"),
)

mistakes.at(
    """
    log_upper = F.logsigmoid((x + 0.5 - means) * inverse_scale)
    log_lower = F.logsigmoid(-(x - 0.5 - means) * inverse_scale)
    log_width = torch.log(-torch.expm1(-inverse_scale)).expand_as(log_upper)
    """,
    edit("width_by_subtraction",
         "δ is computed as b − a, not as 1/s: for wide components two huge terms cancel in the gradient of b, and the digits of the third are lost",
         """
         b, a = (x + 0.5 - means) * inverse_scale, (x - 0.5 - means) * inverse_scale
         log_upper, log_lower, log_width = F.logsigmoid(b), F.logsigmoid(-a), torch.log(-torch.expm1(a - b))
         """),
    edit("half_after_scaling", "the half level to each side is added after the division by the scale; it belongs to the distance that is divided",
         """
         b, a = (x - means) * inverse_scale + 0.5, (x - means) * inverse_scale - 0.5
         log_upper, log_lower = F.logsigmoid(b), F.logsigmoid(-a)
         log_width = torch.log(-torch.expm1(-inverse_scale)).expand_as(b)
         """),
)

mistakes.at(
    "F.logsigmoid((x + 0.5 - means) * inverse_scale)",
    edit("log_of_sigmoid", "σ(b) is computed before its logarithm: far below the mean it underflows, and the log is −∞",
         "torch.log(torch.sigmoid((x + 0.5 - means) * inverse_scale))"),
    edit("log_of_both_sigmoids", "σ(b) and σ(−a) are computed before their logarithms: far away they underflow, and the log is −∞",
         "torch.log(torch.sigmoid((x + 0.5 - means) * inverse_scale))",
         ("F.logsigmoid(-(x - 0.5 - means) * inverse_scale)", "torch.log(torch.sigmoid(-(x - 0.5 - means) * inverse_scale))")),
    edit("sigmoids_with_epsilon", "σ(b) and σ(−a) are computed before their logarithms, with a small constant added: far away the result is a plateau without gradient",
         "torch.log(torch.sigmoid((x + 0.5 - means) * inverse_scale) + 1e-8)",
         ("F.logsigmoid(-(x - 0.5 - means) * inverse_scale)", "torch.log(torch.sigmoid(-(x - 0.5 - means) * inverse_scale) + 1e-8)")),
)

mistakes.at(
    "F.logsigmoid(-(x - 0.5 - means) * inverse_scale)",
    edit("log_of_one_minus", "the logarithm of 1 − σ(a) is taken, which is rounded to 0 above the mean; σ(−a) is the same number with all digits",
         "torch.log(1 - torch.sigmoid((x - 0.5 - means) * inverse_scale))"),
    edit("lower_not_mirrored", "the second factor is σ(a); (7.2) has σ(−a)", "F.logsigmoid((x - 0.5 - means) * inverse_scale)"),
)

mistakes.at(
    "first, last = x == 0, x == num_levels - 1",
    edit("levels_from_one", "levels are counted from 1 to d; they are 0 to d − 1", "first, last = x == 1, x == num_levels"),
)

mistakes.at(
    """
    log_upper.masked_fill(last, 0.0)
    + log_lower.masked_fill(first, 0.0)
    + log_width.masked_fill(first | last, 0.0)
    """,
    edit("density_at_the_centre",
         "this is the logistic density at the centre of the level, not the mass of the level",
         "F.logsigmoid((x - means) * inverse_scale) + F.logsigmoid(-(x - means) * inverse_scale) - log_scales"),
)

mistakes.at(
    "log_upper.masked_fill(last, 0.0)",
    edit("closed_edges",
         "level 0 and level d − 1 do not receive the mass beyond the edges, so that the probabilities do not sum to 1",
         "log_upper", ("log_lower.masked_fill(first, 0.0)", "log_lower"),
         ("log_width.masked_fill(first | last, 0.0)", "log_width")),
    edit("only_lower_edge_open",
         "the last level, which is d − 1 (not d), does not reach up to +∞, so that the mass above it is lost",
         "log_upper", ("log_width.masked_fill(first | last, 0.0)", "log_width.masked_fill(first, 0.0)")),
    edit("single_level", "with d = 1 the only level is both outermost ones, and its log-probability is 0; here it has one open edge alone",
         "log_upper.masked_fill(last & ~first, 0.0)"),
    edit("edges_of_x", "the open edges are those of the smallest and largest value in `x`; they belong to the levels 0 and d − 1",
         "log_upper.masked_fill(x == x.max(), 0.0)", ("log_lower.masked_fill(first, 0.0)", "log_lower.masked_fill(x == x.min(), 0.0)"),
         ("log_width.masked_fill(first | last, 0.0)", "log_width.masked_fill((x == x.min()) | (x == x.max()), 0.0)")),
    edit("last_level_of_x", "the last level is taken to be the largest value in `x`; it is d − 1, whether `x` holds it or not",
         "log_upper.masked_fill(x == x.max(), 0.0)",
         ("log_width.masked_fill(first | last, 0.0)", "log_width.masked_fill(first | (x == x.max()), 0.0)")),
    edit("edges_swapped", "the open edges are exchanged: level 0 must reach down to −∞, level d − 1 up to +∞",
         "log_upper.masked_fill(first, 0.0)",
         ("log_lower.masked_fill(first, 0.0)", "log_lower.masked_fill(last, 0.0)")),
)

mistakes.at(
    "log_lower.masked_fill(first, 0.0)",
    edit("only_upper_edge_open", "level 0 does not reach down to −∞, so that the mass below it is lost", "log_lower",
         ("log_width.masked_fill(first | last, 0.0)", "log_width.masked_fill(last, 0.0)")),
)

mistakes.at(
    "log_width.masked_fill(first | last, 0.0)",
    edit("width_left_at_edges",
         "the outermost levels lose one sigmoid but keep the factor 1 − e^(−δ), which must go with it", "log_width"),
)

mistakes.at(
    "torch.logsumexp(log_weights + log_probs, -1)",
    edit("weights_ignored", "the components are averaged with equal weight; `log_weights` has no effect",
         "torch.logsumexp(log_probs, -1) - math.log(len(means))"),
    edit("sum_of_exp", "the components are added as probabilities, exp before log: far away all of them underflow, and the log is −∞",
         "torch.log(torch.exp(log_weights + log_probs).sum(-1))"),
    edit("mean_of_logs",
         "log-probabilities of the components are averaged; a mixture averages probabilities (log of a sum, not "
         "sum of logs)",
         "(log_weights.exp() * log_probs).sum(-1)"),
    edit("normalised_over_x",
         "the log-probabilities are normalised over the values in `x`; they sum to 1 over all levels, whatever "
         "values `x` holds",
         "torch.logsumexp(log_weights + log_probs, -1).flatten().log_softmax(0).reshape(x.shape[:-1])"),
)

mistakes.at(
    "log_weights + log_probs",
    edit("weights_as_probabilities",
         "`log_weights` are logarithms already: add them to the log-probabilities, without another log",
         "torch.log(log_weights.abs()) + log_probs"),
    edit("softmax_of_weights",
         "the weights are exponentiated and then added to log-probabilities; add `log_weights` as they are",
         "log_weights.exp() + log_probs"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

def difference_of_sigmoids(to_log):
    """A mixture by equation (7.1) as it stands; ``to_log`` takes probabilities of a component to logs."""

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x = x.unsqueeze(-1)
        upper = torch.sigmoid((x + 0.5 - means) / log_scales.exp()).masked_fill(x == num_levels - 1, 1.0)
        lower = torch.sigmoid((x - 0.5 - means) / log_scales.exp()).masked_fill(x == 0, 0.0)
        return torch.logsumexp(log_weights + to_log(upper - lower), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("the log of a difference of sigmoids: −∞ far from the mean and, in float32, few digits for wide components; use equation (7.2)")
def log_of_difference(ref):
    return difference_of_sigmoids(torch.log)


@mistakes.rewrite("a small constant is added inside the log: levels far from the mean get a plateau without gradient, whatever the parameters are")
def log_of_difference_plus_constant(ref):
    return difference_of_sigmoids(lambda p: torch.log(p + 1e-8))


@mistakes.rewrite("the difference is clamped before the log: levels far from the mean get a constant without gradient, whatever the parameters are")
def log_of_clamped_difference(ref):
    return difference_of_sigmoids(lambda p: torch.log(p.clamp(min=1e-12)))


@mistakes.rewrite("the difference of the two log-sigmoids vanishes above the mean, where both are 0 in floating point: −∞ or a wrong value there")
def log_difference_one_sided(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x = x.unsqueeze(-1)
        first, last = x == 0, x == num_levels - 1
        log_b = F_logsigmoid((x + 0.5 - means) / log_scales.exp())
        log_a = F_logsigmoid((x - 0.5 - means) / log_scales.exp())
        inside = log_b + torch.log(-torch.expm1(log_a - log_b))
        upper_tail = F_logsigmoid(-(x - 0.5 - means) / log_scales.exp())
        log_probs = torch.where(first, log_b, torch.where(last, upper_tail, inside))
        return torch.logsumexp(log_weights + log_probs.masked_fill(first & last, 0.0), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("PixelCNN++'s shortcut, the density at the centre times the width where the difference is small: it is far off for narrow components")
def centre_density_in_the_tails(ref):
    softplus = torch.nn.functional.softplus

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x = x.unsqueeze(-1)
        inverse_scale = torch.exp(-log_scales)
        b, a, centre = (x + 0.5 - means) * inverse_scale, (x - 0.5 - means) * inverse_scale, (x - means) * inverse_scale
        difference = torch.sigmoid(b) - torch.sigmoid(a)
        at_centre = centre - log_scales - 2 * softplus(centre)
        log_probs = torch.where(difference > 1e-5, torch.log(difference.clamp(min=1e-12)), at_centre)
        log_probs = torch.where(x == 0, b - softplus(b), torch.where(x == num_levels - 1, -softplus(a), log_probs))
        return torch.logsumexp(log_weights + log_probs.masked_fill((x == 0) & (x == num_levels - 1), 0.0), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("infinite borders at the open edges: the values are right, but the gradients are NaN; replace the terms instead")
def infinite_borders(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        level = x.unsqueeze(-1).to(means)
        first, last, delta = level == 0, level == num_levels - 1, torch.exp(-log_scales)
        b, a = ((level + 0.5).masked_fill(last, torch.inf) - means) * delta, ((level - 0.5).masked_fill(first, -torch.inf) - means) * delta
        width = torch.log(-torch.expm1(-delta)).expand_as(a).masked_fill(first | last, 0.0)
        return torch.logsumexp(log_weights + F_logsigmoid(b) + F_logsigmoid(-a) + width, -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("infinite borders at the open edges, with δ = b − a: the values are right, but the gradients are NaN; replace the terms instead")
def infinite_borders_subtracted(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        level, scales = x.unsqueeze(-1).to(means), torch.exp(log_scales)
        b = ((level + 0.5).masked_fill(level == num_levels - 1, torch.inf) - means) / scales
        a = ((level - 0.5).masked_fill(level == 0, -torch.inf) - means) / scales
        log_probs = F_logsigmoid(b) + F_logsigmoid(-a) + torch.log(-torch.expm1(a - b))
        return torch.logsumexp(log_weights + log_probs, -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("a Gaussian's distribution function is used; the sigmoid is that of the logistic")
def gaussian_levels(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x = x.unsqueeze(-1)
        upper = torch.special.ndtr((x + 0.5 - means) / log_scales.exp()).masked_fill(x == num_levels - 1, 1.0)
        lower = torch.special.ndtr((x - 0.5 - means) / log_scales.exp()).masked_fill(x == 0, 0.0)
        return torch.logsumexp(log_weights + torch.log(upper - lower), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("all levels are normalised by a softmax instead of opening the outermost: the mass beyond the edges belongs to these alone")
def normalised_over_levels(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        level = torch.arange(num_levels, device=x.device).unsqueeze(-1)
        b, a = (level + 0.5 - means) / log_scales.exp(), (level - 0.5 - means) / log_scales.exp()
        table = F_logsigmoid(b) + F_logsigmoid(-a) + torch.log(-torch.expm1(-torch.exp(-log_scales)))
        return torch.logsumexp(log_weights + table.log_softmax(0), -1)[x]

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


def with_inside(inside):
    """A mixture whose inner levels are ``inside(b, a, δ)``; its edges are right."""

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x, delta = x.unsqueeze(-1), torch.exp(-log_scales)
        first, last = x == 0, x == num_levels - 1
        b, a = (x + 0.5 - means) * delta, (x - 0.5 - means) * delta
        edge = F_logsigmoid(b).masked_fill(last, 0.0) + F_logsigmoid(-a).masked_fill(first, 0.0)
        return torch.logsumexp(log_weights + torch.where(first | last, edge, inside(b, a, delta)), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistakes.rewrite("the difference of sigmoids is taken left of the mean by symmetry, but still taken: it underflows far from a narrow component, and its digits cancel for wide ones")
def mirrored_difference(ref):
    def inside(b, a, delta):
        right = a + b > 0
        upper, lower = torch.where(right, -a, b), torch.where(right, -b, a)
        return torch.log(torch.sigmoid(upper) - torch.sigmoid(lower))

    return with_inside(inside)


@mistakes.rewrite("the difference of the inner levels is clamped before the log: far from the mean they get a constant without gradient, whatever the parameters are")
def inner_difference_clamped(ref):
    return with_inside(lambda b, a, delta: torch.log((torch.sigmoid(b) - torch.sigmoid(a)).clamp(min=1e-12)))


@mistakes.rewrite("the difference of sigmoids is replaced only after its log was taken: the values are right, but the gradient of the branch that is not chosen is NaN")
def replaced_too_late(ref):
    def inside(b, a, delta):
        difference = torch.sigmoid(b) - torch.sigmoid(a)
        stable = F_logsigmoid(b) + F_logsigmoid(-a) + torch.log(-torch.expm1(-delta))
        return torch.where(difference > 0.01, torch.log(difference), stable)

    return with_inside(inside)

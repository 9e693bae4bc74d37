"""Other right versions of the answers to question 7."""

import torch

from autograder.probes import Alternatives, edit

from .mistakes import F_logsigmoid

alternatives = Alternatives()

# --- discretised_logistic_log_prob ---------------------------------------------------------------------------------

alternatives.at(
    "torch.logsumexp(log_weights + log_probs, -1)",
    edit(
        "renormalised_weights",
        "normalises the log-weights once more",
        "torch.logsumexp(torch.log_softmax(log_weights, 0) + log_probs, -1)",
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite(
    "in float64, by mirrored log-sigmoids"
)
def other_routes(ref):
    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        log_weights, means, scales = log_weights.double(), means.double(), log_scales.double().exp()
        x = x[..., None].double()
        b, a = (x + 0.5 - means) / scales, (x - 0.5 - means) / scales
        mirrored = b > -a  # right of the mean: use the other tail, where log-sigmoids keep their digits
        high, low = torch.where(mirrored, -a, b), torch.where(mirrored, -b, a)
        log_high, log_low = F_logsigmoid(high), F_logsigmoid(low)
        inside = log_high + torch.log(-torch.expm1(log_low - log_high))
        log_probs = torch.where(x == num_levels - 1, F_logsigmoid(-a), torch.where(x == 0, F_logsigmoid(b), inside))
        if num_levels == 1:
            log_probs = log_probs * 0
        return (log_weights + log_probs).logsumexp(-1)

    return {
        "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }


@alternatives.rewrite("a loop over components, softplus")
def loops_and_formulas(ref):
    softplus = torch.nn.functional.softplus

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        result = []
        for j in range(len(means)):
            upper, lower = (x + 0.5 - means[j]) * (-log_scales[j]).exp(), (x - 0.5 - means[j]) * (-log_scales[j]).exp()
            inside = -softplus(-upper) - softplus(lower) + torch.log(-torch.expm1(-(-log_scales[j]).exp()))
            log_prob = torch.where(
                x == 0, -softplus(-upper), torch.where(x == num_levels - 1, -softplus(lower), inside)
            )
            result.append(log_weights[j] + (torch.zeros_like(log_prob) if num_levels == 1 else log_prob))
        return torch.stack(result).logsumexp(0)

    return {
        "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }


@alternatives.rewrite("the middle as a product, edges by survival functions, one vectorised torch.where; log1p for the width")
def survival(ref):
    logsigmoid = torch.nn.functional.logsigmoid

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        level = x[..., None].to(means)
        delta = (-log_scales).exp()
        below, above = logsigmoid((level + 0.5 - means) * delta), logsigmoid((means - level + 0.5) * delta)
        # 1 - exp(-delta) = exp(-delta / 2) * 2 sinh(delta / 2)
        small = torch.log(delta) + torch.log1p(-delta / 2)
        width = torch.where(delta < 1e-3, small, torch.log1p(-torch.exp(-delta.clamp_min(1e-3))))
        zero = torch.zeros_like(below)
        result = torch.where(level == num_levels - 1, zero, below) + torch.where(level == 0, zero, above)
        result = result + torch.where((level == 0) | (level == num_levels - 1), zero, width.expand_as(zero))
        return torch.logsumexp(result + log_weights, dim=-1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}

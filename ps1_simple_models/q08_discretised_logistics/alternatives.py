"""Other right versions of the answers to question 8."""

import torch

from autograder.probes import Alternatives, edit

from .mistakes import F_logsigmoid

alternatives = Alternatives()

# --- train_histogram -----------------------------------------------------------------------------------------------

alternatives.at(
    """
        history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
    return logits.detach(), torch.stack(history)
    """,
    edit(
        "history_as_list",
        "returns the history as a list of tensors that still require gradients",
        """
             history.append(-torch.log_softmax(logits.clone(), 0)[x].mean())
         return logits.data, history
         """,
    ),
)

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
    "one-hot means, concatenated log-probabilities, torch.optim.SGD, logistics in float64 by mirrored log-sigmoids"
)
def other_routes(ref):
    one_hot = torch.nn.functional.one_hot

    def histogram_mle(x, num_levels, pseudocount=0.0):
        return ((one_hot(x, num_levels).double().sum(0) + pseudocount) / (len(x) + pseudocount * num_levels)).log()

    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        parts = [log_prob_fn(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return float(-torch.cat(parts).double().mean())

    def train_histogram(x, num_levels, steps, lr, batch_size, generator):
        logits = torch.nn.Parameter(torch.zeros(num_levels, device=x.device))
        optimiser = torch.optim.SGD([logits], lr=lr)

        def nll(values):
            return torch.nn.functional.cross_entropy(logits.expand(len(values), -1), values)

        history = [nll(x).item()]
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            optimiser.zero_grad()
            nll(batch).backward()
            optimiser.step()
            history.append(nll(x).item())
        return logits.data, history

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
        "histogram_mle": histogram_mle,
        "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram,
        "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }


@alternatives.rewrite("loops; the gradient in closed form; minibatches drawn with replacement; softplus")
def loops_and_formulas(ref):
    softplus = torch.nn.functional.softplus

    def histogram_mle(x, num_levels, pseudocount=0.0):
        counts = torch.tensor([float((x == k).sum()) + pseudocount for k in range(num_levels)], device=x.device)
        return counts.log() - counts.sum().log()

    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        total, seen = torch.zeros((), device=x.device), 0
        for batch in ref.data.batches(x, batch_size, None):
            total, seen = total + len(batch) * -log_prob_fn(batch).mean(), seen + len(batch)
        return total / seen

    def train_histogram(x, num_levels, steps, lr, batch_size, generator):
        logits = torch.zeros(num_levels, device=x.device)
        shares = torch.bincount(x, minlength=num_levels) / len(x)
        history = torch.zeros(steps + 1)
        for step in range(steps + 1):
            history[step] = -(shares * logits.log_softmax(0)).sum()
            if step == steps:
                return logits, history
            index = torch.randint(len(x), (batch_size,), generator=generator, device=x.device)
            batch = x[index] if batch_size < len(x) else x
            logits = logits - lr * (logits.softmax(0) - torch.bincount(batch, minlength=num_levels) / len(batch))

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
        "histogram_mle": histogram_mle,
        "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram,
        "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }

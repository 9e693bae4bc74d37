"""Other right versions of the answers to question 15."""

import torch

from autograder.probes import Alternatives, edit

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

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite(
    "one-hot means, concatenated log-probabilities, torch.optim.SGD"
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

    return {
        "histogram_mle": histogram_mle,
        "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram,
    }


@alternatives.rewrite("loops; the gradient in closed form; minibatches drawn with replacement")
def loops_and_formulas(ref):
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

    return {
        "histogram_mle": histogram_mle,
        "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram,
    }

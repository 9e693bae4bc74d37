"""Named wrong versions of the answers to question 15."""

import math

import numpy as np
import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- histogram_mle -------------------------------------------------------------------------------------------------

mistakes.at(
    """
    counts = torch.bincount(x, minlength=num_levels) + pseudocount
    return torch.log(counts / counts.sum())
    """,
    edit("last_level_not_counted",
         "the loop over levels ends one too early: the highest level, `num_levels` - 1, is not counted",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount
         counts[-1] = pseudocount
         return torch.log(counts / counts.sum())
         """),
    edit("silent_smoothing",
         "the histogram is smoothed although no pseudocount is asked for: an unseen level has log-probability −∞, "
         "and every other value is biased a little",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount + 1e-6
         return torch.log(counts / counts.sum())
         """),
    edit("add_one_always",
         "one is added to every count although no pseudocount is asked for; smoothing must be explicit",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount + 1.0
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_not_in_total",
         "the pseudocount is in the counts but not in the total: with it the probabilities sum to more than 1",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount
         return torch.log(counts / len(x))
         """),
    edit("pseudocount_once", "the total grows by the pseudocount once, but each of the d levels receives one",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount
         return torch.log(counts / (len(x) + pseudocount))
         """),
    edit("pseudocount_only_unseen",
         "only levels that never occur receive the pseudocount; equation (7.1) adds it to every level",
         """
         counts = torch.bincount(x, minlength=num_levels).float()
         counts = torch.where(counts == 0, pseudocount, counts)
         return torch.log(counts / counts.sum())
         """),
)

mistakes.at(
    "torch.bincount(x, minlength=num_levels)",
    edit("no_minlength",
         "levels above the largest value in `x` get no entry: the table must have `num_levels` entries",
         "torch.bincount(x)"),
)

mistakes.at(
    "torch.log(counts / counts.sum())",
    edit("log_of_clamped",
         "probabilities are clamped before the log, so that unseen levels get a finite log-probability and the "
         "table no longer sums to 1",
         "torch.log((counts / counts.sum()).clamp(min=1e-8))"),
    edit("probabilities", "`histogram_mle` returns probabilities; log-probabilities are asked for",
         "counts / counts.sum()"),
)

# --- mean_nll_over_batches -----------------------------------------------------------------------------------------

mistakes.at(
    """
    for batch in x.split(batch_size):
        total = total - log_prob_fn(batch).sum()
    return total / len(x)
    """,
    edit("log_likelihood_sign", "the mean log-likelihood is returned, not the negative: an NLL is to be minimised",
         """
         for batch in x.split(batch_size):
             total = total + log_prob_fn(batch).sum()
         return total / len(x)
         """),
    edit("weights_by_numel",
         "batch means are weighted by the number of entries, or the sum is divided by it; when one example has "
         "several entries, N is the number of examples",
         """
         for batch in x.split(batch_size):
             total = total - log_prob_fn(batch).sum()
         return total / x.numel()
         """),
    edit("sum_not_mean", "the NLL is summed over the examples, not averaged",
         """
         for batch in x.split(batch_size):
             total = total - log_prob_fn(batch).sum()
         return total
         """),
    edit("one_big_batch",
         "all examples go through the model at once, whatever `batch_size` says; that is what batches are to avoid",
         "return -log_prob_fn(x).mean()"),
)

# --- train_histogram -----------------------------------------------------------------------------------------------

mistakes.at(
    "torch.zeros(num_levels, device=x.device, requires_grad=True)",
    edit("random_start", "the logits do not start at zero, so that the first loss is not log d",
         "torch.randn(num_levels, device=x.device).requires_grad_()"),
)

mistakes.at(
    "history = [-torch.log_softmax(logits.detach(), 0)[x].mean()]",
    edit("no_evaluation_at_start",
         "`history` has no entry before the first update, so the check of the initial loss, log d, is lost",
         "history = []"),
)

mistakes.at(
    "data.batches(x, batch_size, generator, steps=steps)",
    edit("batch_of_one", "every update uses a single value; a minibatch has `batch_size` of them",
         "data.batches(x, 1 if batch_size < len(x) else batch_size, generator, steps=steps)"),
    edit("global_randomness", "the minibatches come from the global random state; use the generator that was passed",
         "(x[torch.randint(len(x), (batch_size,))] if batch_size < len(x) else x for _ in range(steps))"),
    edit("same_batch_every_time", "every update uses the same minibatch, so that the histogram learns only that one",
         "[next(data.batches(x, batch_size, generator))] * steps"),
)

mistakes.at(
    "loss = -torch.log_softmax(logits, 0)[batch].mean()",
    edit("sum_loss",
         "the gradient is that of the summed loss, so that the step grows with the batch size; the loss is the "
         "mean over the batch",
         "loss = -torch.log_softmax(logits, 0)[batch].sum()"),
    edit("loss_over_full_size",
         "the sum over the batch is divided by `batch_size` or N instead of by the number of values in the batch",
         "loss = -torch.log_softmax(logits, 0)[batch].sum() / batch_size"),
)

mistakes.at(
    "(logits, 0)[batch].mean()",
    edit("always_all_data", "every update uses all of `x`; draw minibatches", "(logits, 0)[x].mean()"),
)

mistakes.at(
    """
    (gradient,) = torch.autograd.grad(loss, logits)
    """,
    edit("history_before_update",
         "`history` is recorded before each update, so that it lags behind by one and misses the last one",
         """
         history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
         (gradient,) = torch.autograd.grad(loss, logits)
         """,
         ("""
             logits -= lr * gradient
         history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
         """, """
             logits -= lr * gradient
         """)),
    edit("gradients_accumulate", "gradients of earlier updates are added up; zero them before each backward pass",
         """
         loss.backward()
         gradient = logits.grad
         """),
)

mistakes.at(
    "logits -= lr",
    edit("ascends", "the update goes up the gradient of the NLL; minus is needed to go down", "logits += lr"),
)

mistakes.at(
    """
    history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
    """,
    edit("history_once_a_pass",
         "`history` is computed once a pass and repeated in between; it has an entry of its own for every update",
         """
         history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
         if len(history) % max(len(x) // batch_size, 1):
             history[-1] = history[-2] if len(history) <= steps else history[-1]
         """),
)

mistakes.at(
    "history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())",
    edit("history_of_the_batch",
         "`history` holds the loss of the minibatch, which is noisy and not comparable; it must be computed on "
         "all of x",
         "history.append(-torch.log_softmax(logits.detach(), 0)[batch].mean())"),
    edit("history_of_batch_before_update",
         "`history` holds the loss of each minibatch before its update; it must be computed on all of x, after "
         "the update",
         "history.append(loss.detach())"),
)

mistakes.at(
    "return logits.detach(), torch.stack(history)",
    edit("logits_not_detached", "the logits that `train_histogram` returns still require gradients; detach them",
         "return logits, torch.stack(history)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("the result is the mean of the batch means: the examples of a small last batch count more than the others")
def mean_of_batch_means(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        return -torch.stack([log_prob_fn(batch).mean() for batch in x.split(batch_size)]).mean()

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistakes.rewrite("the incomplete last batch is left out; every example must count")
def drops_last_batch(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        size = min(batch_size, len(x))
        batches = [x[i : i + size] for i in range(0, len(x) - size + 1, size)]
        return -sum(log_prob_fn(batch).sum() for batch in batches) / sum(len(batch) for batch in batches)

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistakes.rewrite("the number of full batches times `batch_size` is used as the number of examples; divide by N")
def divides_by_padded_count(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        batches = x.split(batch_size)
        return -sum(log_prob_fn(batch).sum() for batch in batches) / (len(batches) * batch_size)

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistakes.rewrite("`steps` passes over the data are made; `steps` counts updates, of one minibatch each")
def steps_are_epochs(ref):
    def train_histogram(x, num_levels, steps, lr, batch_size, generator):
        logits, one_hot = np.zeros(num_levels), np.eye(num_levels)[x.cpu().numpy()]  # thousands of updates: NumPy is quicker
        share, starts = one_hot.mean(0), np.arange(0, len(x), batch_size)
        sizes = np.diff(np.append(starts, len(x)))[:, None]
        history = [math.log(num_levels)]
        for _ in range(steps):
            order = torch.randperm(len(x), generator=generator, device=generator.device).cpu().numpy()
            for batch in np.add.reduceat(one_hot[order], starts) / sizes:
                weights = np.exp(logits)
                logits -= lr * (weights / weights.sum() - batch)
            history.append(np.log(np.exp(logits).sum()) - share @ logits)
        return torch.tensor(logits, dtype=torch.float32, device=x.device), torch.tensor(history)

    return {"train_histogram": train_histogram}


@mistakes.rewrite("this is Adam, not plain gradient descent: the first step has length `lr` in every coordinate")
def adam_not_sgd(ref):
    def train_histogram(x, num_levels, steps, lr, batch_size, generator):
        logits = torch.zeros(num_levels, device=x.device, requires_grad=True)
        optimiser, history = torch.optim.Adam([logits], lr=lr), [math.log(num_levels)]
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            optimiser.zero_grad()
            (-torch.log_softmax(logits, 0)[batch].mean()).backward()
            optimiser.step()
            history.append(float(-torch.log_softmax(logits.detach(), 0)[x].mean()))
        return logits.detach(), torch.tensor(history)

    return {"train_histogram": train_histogram}

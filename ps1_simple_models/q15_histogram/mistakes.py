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
    edit("pseudocount_ignored", "the pseudocount is not used",
         """
         counts = torch.bincount(x, minlength=num_levels)
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_rounded", "the pseudocount is turned into a whole number",
         """
         counts = torch.bincount(x, minlength=num_levels) + int(pseudocount)
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_zero_is_one", "a pseudocount of 0 is replaced by 1 (`pseudocount or 1`); smoothing must be explicit",
         """
         counts = torch.bincount(x, minlength=num_levels) + (pseudocount or 1.0)
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_divided", "the pseudocount is spread over the levels; every level receives a whole one",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount / num_levels
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_on_shares", "the pseudocount is added to the shares c/N; (15.1) adds it to the counts",
         """
         counts = torch.bincount(x, minlength=num_levels) / len(x) + pseudocount
         return torch.log(counts / counts.sum())
         """),
    edit("total_of_seen_levels", "the total grows by one pseudocount for each level that occurs; each of the d levels receives one",
         """
         counts = torch.bincount(x, minlength=num_levels) + pseudocount
         return torch.log(counts / (len(x) + pseudocount * len(x.unique())))
         """),
    edit("pseudocount_only_seen", "only levels that occur receive the pseudocount; (15.1) adds it to every level",
         """
         counts = torch.bincount(x, minlength=num_levels)
         counts = torch.where(counts > 0, counts + pseudocount, 0.0)
         return torch.log(counts / counts.sum())
         """),
    edit("no_minlength_total_right",
         "levels above the largest value in `x` get no entry, though the total counts them: the table must have `num_levels` entries",
         """
         counts = torch.bincount(x) + pseudocount
         return torch.log(counts / (len(x) + pseudocount * num_levels))
         """),
    edit("bins_between_extremes", "the bins run from the smallest to the largest value in `x`, as `histc` does by itself, so levels fall into the wrong ones",
         """
         counts = torch.histc(x.float(), bins=num_levels) + pseudocount
         return torch.log(counts / counts.sum())
         """),
    edit("pseudocount_only_unseen",
         "only levels that never occur receive the pseudocount; equation (15.1) adds it to every level",
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
         "probabilities are kept away from 0 before the log (by a clamp or an epsilon), so that unseen levels get a finite log-probability",
         "torch.log((counts / counts.sum()).clamp(min=1e-8))"),
    edit("log_of_clamped_twelve",
         "probabilities are kept away from 0 before the log (by 1e-12), so that unseen levels get a finite log-probability",
         "torch.log((counts / counts.sum()).clamp(min=1e-12))"),
    edit("log_of_clamped_ten",
         "probabilities are kept away from 0 before the log (by 1e-10), so that unseen levels get a finite log-probability",
         "torch.log((counts / counts.sum()).clamp(min=1e-10))"),
    edit("softmax_of_counts", "the counts go through a softmax; (15.1) divides them by their sum", "torch.log_softmax(counts.float(), 0)"),
    edit("table_in_bits", "`histogram_mle` is in bits (log2); nats are asked for, the natural logarithm", "torch.log2(counts / counts.sum())"),
    edit("log_counts", "`histogram_mle` returns logarithms of counts, which are not divided by their sum", "torch.log(counts)"),
    edit("large_negative", "an unseen level gets a large negative number; without a pseudocount it is -inf",
         "torch.log(counts / counts.sum()).clamp(min=-1e9)"),
    edit("unseen_zero", "unseen levels keep log-probability 0, which is probability 1; it is -inf",
         "torch.where(counts > 0, torch.log(counts / counts.sum()), 0.0)"),
    edit("negative_table", "`histogram_mle` returns minus the log-probabilities", "-torch.log(counts / counts.sum())"),
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
    edit("nll_in_bits", "the NLL is in bits; nats are asked for",
         """
         for batch in x.split(batch_size):
             total = total - log_prob_fn(batch).sum()
         return total / len(x) / math.log(2)
         """),
    edit("last_batch_as_full", "the mean of each batch is multiplied by `batch_size`, also that of a smaller last batch",
         """
         for batch in x.split(batch_size):
             total = total - log_prob_fn(batch).mean() * batch_size
         return total / len(x)
         """),
    edit("return_in_loop", "the result is that of the first batch, as when `return` stands inside the loop",
         """
         return -log_prob_fn(x[:batch_size]).mean()
         """),
    edit("likelihoods_averaged", "the likelihoods are averaged before the logarithm; the NLL averages logarithms",
         """
         for batch in x.split(batch_size):
             total = total + log_prob_fn(batch).exp().sum()
         return -torch.log(total / len(x))
         """),
    edit("last_batch_missing", "the incomplete last batch is left out, but the sum is divided by N",
         """
         for start in range(0, len(x) - len(x) % batch_size, batch_size):
             total = total - log_prob_fn(x[start : start + batch_size]).sum()
         return torch.as_tensor(total / len(x))
         """),
    edit("last_example_missing", "the loop ends before a last batch of one example; `range(0, N - 1, …)` is one too short",
         """
         for start in range(0, len(x) - 1, batch_size):
             total = total - log_prob_fn(x[start : start + batch_size]).sum()
         return total / len(x)
         """),
    edit("batches_overlap", "batches have `batch_size` + 1 examples and overlap; a slice ends before its end",
         """
         for start in range(0, len(x), batch_size):
             total = total - log_prob_fn(x[start : start + batch_size + 1]).sum()
         return total / len(x)
         """),
    edit("number_of_batches", "`batch_size` is taken as the number of batches (`chunk`)",
         """
         for batch in x.chunk(batch_size):
             total = total - log_prob_fn(batch).sum()
         return total / len(x)
         """),
    edit("batches_flattened", "the examples are flattened; each keeps its shape, and N is the length of the first axis",
         """
         x = x.flatten()
         for batch in x.split(batch_size):
             total = total - log_prob_fn(batch).sum()
         return total / len(x)
         """),
    edit("no_batch_axis", "`log_prob_fn` gets single examples without the batch axis; it takes (B, …)",
         """
         for example in x:
             total = total - log_prob_fn(example).sum()
         return total / len(x)
         """),
    edit("infinity_hidden", "a log-probability of -inf is replaced by a finite number or left out, so an impossible example does not show",
         """
         for batch in x.split(batch_size):
             total = total - torch.nan_to_num(log_prob_fn(batch), neginf=-100.0).sum()
         return total / len(x)
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
    edit("start_at_one", "all logits are larger by 1, as if they started at 1; that is uniform too, but they are to start at zero",
         "torch.ones(num_levels, device=x.device, requires_grad=True)"),
    edit("start_at_log_share", "all logits are smaller by log d, as if they started there; that is uniform too, but they are to start at zero",
         "torch.full((num_levels,), -math.log(num_levels), device=x.device, requires_grad=True)"),
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
    edit("one_short", "one update too few is made: after `steps` updates the history has `steps` + 1 entries",
         "data.batches(x, batch_size, generator, steps=steps - 1)"),
    edit("one_too_many", "one update too many is made: after `steps` updates the history has `steps` + 1 entries",
         "data.batches(x, batch_size, generator, steps=steps + 1)"),
    edit("one_pass", "training ends after one pass over x; `steps` says how many updates are made",
         "data.batches(x, batch_size, generator)"),
    edit("not_shuffled", "the minibatches are not drawn: they come in the order of x, whatever the generator",
         "data.batches(x, batch_size, None, steps=steps)"),
    edit("own_generator", "the minibatches come from a generator of its own with a fixed seed; use the one that was passed",
         "data.batches(x, batch_size, torch.Generator().manual_seed(0), steps=steps)"),
    edit("drawn_with_replacement", "values are drawn with replacement; `data.batches` shuffles, so that a batch of N holds each value once",
         "(x[torch.randint(len(x), (batch_size,), generator=generator)] for _ in range(steps))"),
    edit("incomplete_left_out", "a pass's last, smaller batch is left out (`drop_last`); with fewer values than `batch_size` nothing is left",
         "data.batches(x, batch_size, generator, drop_last=True, steps=steps)"),
    edit("same_batch_every_time", "every update uses the same minibatch, so that the histogram learns only that one",
         "[next(data.batches(x, batch_size, generator))] * steps"),
)

mistakes.at(
    "loss = -torch.log_softmax(logits, 0)[batch].mean()",
    edit("sum_loss",
         "the gradient is that of the summed loss, so that the step grows with the batch size; the loss is the "
         "mean over the batch",
         "loss = -torch.log_softmax(logits, 0)[batch].sum()"),
    edit("loss_plus_decay", "a penalty on the logits is added to the loss; (15.2) has none",
         "loss = -torch.log_softmax(logits, 0)[batch].mean() + 0.01 * logits.square().sum()"),
    edit("loss_of_probabilities", "the loss is minus the mean probability; (15.2) has log-probabilities",
         "loss = -torch.softmax(logits, 0)[batch].mean()"),
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
    "logits -= lr * gradient",
    edit("momentum", "the updates have momentum (0.9): gradients of earlier updates go on; it is to be plain gradient descent",
         "velocity = gradient if len(history) == 1 else 0.9 * velocity + gradient; logits -= lr * velocity"),
    edit("rate_falls", "the learning rate falls like 1/√t; it is `lr` at every update", "logits -= lr / math.sqrt(len(history)) * gradient"),
    edit("rate_falls_faster", "the learning rate falls like 1/t; it is `lr` at every update", "logits -= lr / len(history) * gradient"),
    edit("gradient_normalised", "the gradient is divided by its norm, so that only its direction counts", "logits -= lr * gradient / gradient.norm().clamp_min(1e-12)"),
    edit("gradient_clipped", "the gradient is clipped; it is to be plain gradient descent",
         "logits -= lr * gradient * min(1.0, 0.1 / float(gradient.norm()))"),
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
    edit("history_twice", "`history` gets two entries at each update; one after each is asked for",
         "history += [history[-1], -torch.log_softmax(logits.detach(), 0)[x].mean()]"),
    edit("history_of_batch_before_update",
         "`history` holds the loss of each minibatch before its update; it must be computed on all of x, after "
         "the update",
         "history.append(loss.detach())"),
)

mistakes.at(
    "return logits.detach(), torch.stack(history)",
    edit("logits_normalised", "log-probabilities come back; the logits are asked for as they are after the last update",
         "return torch.log_softmax(logits.detach(), 0), torch.stack(history)"),
    edit("logits_before_last", "the logits come back as they were before the last update", "return logits.detach() + lr * gradient, torch.stack(history)"),
    edit("probabilities_returned", "probabilities come back; the logits are asked for",
         "return torch.softmax(logits.detach(), 0), torch.stack(history)"),
    edit("history_in_bits", "`history` is in bits; nats are asked for", "return logits.detach(), torch.stack(history) / math.log(2)"),
    edit("history_in_front", "the history comes back before the logits", "return torch.stack(history), logits.detach()"),
    edit("logits_only", "only the logits come back; (logits, history) is asked for", "return logits.detach()"),
    edit("history_lacks_last", "`history` lacks the last entry, after the last update", "return logits.detach(), torch.stack(history[:-1])"),
    edit("history_best_so_far", "`history` holds the smallest loss so far; an update may make it larger",
         "return logits.detach(), torch.stack(history).cummin(0).values"),
    edit("history_negative", "`history` holds log-likelihoods; the NLL has a minus", "return logits.detach(), -torch.stack(history)"),
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


@mistakes.rewrite("the incomplete last batch is left out (nothing is left if `batch_size` exceeds N); every example must count")
def drops_incomplete(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        end = len(x) - len(x) % batch_size
        return -sum((log_prob_fn(x[i : i + batch_size]).sum() for i in range(0, end, batch_size)), torch.zeros(())) / max(end, 1)

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistakes.rewrite("the number of batches times `batch_size` is taken for the number of examples, but the last batch may be smaller; divide by N")
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

"""Hidden tests of question 8: histograms and discretised logistics."""

import math

import numpy as np
import torch

from autograder.probes import (
    Close,
    alternative,
    edit_alternative,
    edit_mistake,
    mistake,
    probe,
    question,
)

question(
    "q8",
    title="Histograms and discretised logistics",
    skills=["1.05", "1.06", "1.32"],
    minutes=45,
    aim="The two output layers of autoregressive image models, alone: closed form versus SGD, honest batching of an "
        "evaluation, and a discretised density that normalises and stays accurate at extreme scales.",
    hints=[
        "Histogram: `torch.bincount` has a `minlength`. Batches: add up sums, divide once at the end. Logistics: write the "
        "log-probability of one component as a sum of three terms first; the mixture comes last, with a logsumexp.",
        "Record the loss once before the loop. For the logistics take logs in equation (8.4): two `F.logsigmoid` and the log of "
        "1 − e^(−δ), where δ = exp(−log_scales). Which of the three terms does level 0 keep? And level d − 1?",
        "Give `x` a last axis of length 1 so that it broadcasts against the K components. Replace by 0 the terms that an open "
        "edge removes (`torch.where` or `masked_fill`); 1 − e^(−δ) without cancellation is `-torch.expm1(-delta)`.",
    ],
    ambiguities=[
        "Order and replacement of minibatches: any use of the generator is accepted; the exact comparison uses full batches.",
        "`history` may be a tensor or a list of numbers; `mean_nll_over_batches` may return a float.",
        "Renormalising `log_weights` inside is accepted: gradients are taken with respect to logits before log_softmax.",
    ],
)


def values_with_gaps(rng, levels, n):
    """n levels, of which the highest and one other never occur."""
    kept = rng.permutation(levels - 1)[1:]
    return kept[rng.integers(0, len(kept), n)]


def random_mixture(rng, components, low, high, log_scale_low, log_scale_high):
    """Log-weights, means and log-scales of a mixture of logistics."""
    weights = rng.simplex(components) * 0.9 + 0.1 / components
    means = rng.uniform(components, low=low, high=high)
    return torch.log(weights), means, rng.uniform(components, low=log_scale_low, high=log_scale_high)


# --- the histogram -------------------------------------------------------------------------------------------


@probe(points=1, title="histogram in closed form, with unseen levels", judge=Close(rtol=1e-4, atol=1e-5), public=True)
def closed_form_histogram(student, rng):
    levels = rng.integer(5, 12)
    x = values_with_gaps(rng, levels, rng.integer(30, 90))
    pseudocount = rng.number(0.2, 3.0)
    return {
        "with a pseudocount": student.histogram_mle(x, levels, pseudocount),
        "the lowest and the highest": student.histogram_mle((levels - 1) * rng.permutation(2), levels, pseudocount=0.5),
        "no pseudocount": student.histogram_mle(x, levels),
    }


def judge_batches(evidence, expected, context):
    """No call of ``log_prob_fn`` gets more than ``batch_size`` examples, and the mean is that of the reference."""
    got, allowed = np.asarray(evidence["largest batch"]), expected["largest batch"]
    if got.shape != allowed.shape:
        return "the answer has an unexpected form."
    if (got > allowed).any():
        worst = np.argmax(got - allowed)
        return f"`log_prob_fn` was called with {int(got[worst])} examples at once where at most {int(allowed[worst])} were allowed."
    return Close(rtol=1e-4, atol=1e-5)(evidence["mean NLL"], expected["mean NLL"], context)


@probe(points=1, title="mean NLL over batches, the last one ragged", judge=judge_batches)
def mean_over_ragged_batches(student, rng):
    levels, n = rng.integer(4, 9), rng.integer(50, 80)
    table = torch.log(rng.simplex(levels)).clamp(min=-30)
    one, several = rng.integers(0, levels, n), rng.integers(0, levels, n, 2, rng.integer(1, 4))
    sizes = [n - 1, rng.integer(7, 17), 1, n, n + rng.integer(3, 40)]
    calls = []

    def one_number(batch):
        calls.append(len(batch))
        return table[batch]

    def several_numbers(batch):
        calls.append(len(batch))
        return table[batch].sum((1, 2))

    values, largest = [], []
    for data, log_prob in ((one, one_number), (several, several_numbers)):
        for size in sizes:
            calls.clear()
            values.append(torch.as_tensor(student.mean_nll_over_batches(log_prob, data, size)).detach().cpu().double())
            largest.append(max(calls))
    return {"mean NLL": torch.stack(values), "largest batch": torch.tensor(largest)}


@probe(points=1, title="gradient descent on all data: logits and history", judge=Close(rtol=1e-4, atol=2e-5))
def full_batch_descent(student, rng):
    levels, n = rng.integer(4, 10), rng.integer(30, 70)
    x = values_with_gaps(rng, levels, n)
    steps, lr = rng.integer(3, 7), rng.number(0.3, 1.5)
    logits, history = student.train_histogram(x, levels, steps, lr, n + rng.integer(4, 12), rng.generator())
    history = torch.as_tensor(history)
    far_logits, far_history = student.train_histogram(x, levels, 2, rng.number(30, 45), n, rng.generator())
    return {
        "history": history.detach(),
        "log-probabilities": torch.log_softmax(torch.as_tensor(logits).detach().float(), -1),
        "large steps, history": torch.as_tensor(far_history).detach(),
        "large steps, log-probabilities": torch.log_softmax(torch.as_tensor(far_logits).detach().float(), -1),
        "logits require gradients": int(torch.as_tensor(logits).requires_grad),
    }


def skewed_values(rng):
    """The number of levels, and 200-odd values, one more than a multiple of 4, of which low ones are the most frequent."""
    levels = rng.integer(6, 9)
    x = (levels * rng.uniform(4 * rng.integer(51, 54) + 1 - levels) ** 3).long()
    return levels, torch.cat([x, torch.arange(levels, device=x.device)])


def judge_minibatches(evidence, expected, context):
    """NLL of the logits near the closed form; one update is that of a batch; repeatable, driven by the generator; history from log d to that NLL."""
    levels, x = skewed_values(context.rng())
    x = x.cpu().numpy()
    share = np.bincount(x, minlength=levels) / len(x)
    floor = -(share * np.log(share)).sum()
    runs = []
    for key in ("long", "short", "short again", "other seed"):
        logits = np.asarray(evidence[key], dtype=np.float64)
        if logits.shape != (levels,) or not np.isfinite(logits).all():
            return f"the logits must be {levels} finite numbers, one per level; got shape {logits.shape}."
        logits = logits - logits.max()
        runs.append(logits - np.log(np.exp(logits).sum()))
    nll = -(share * runs[0]).sum()
    if nll > floor + 0.13:  # drawn with replacement, 1 seed in 10 million is further away
        return (
            f"after 100 updates the NLL of your logits is {nll:.3f} on the training values, the closed form reaches {floor:.3f}: "
            "too far away. Does every update use a new minibatch, its mean loss, and the right sign?"
        )
    for logits in evidence["one update"]:
        logits = np.asarray(logits, dtype=np.float64)
        # from zero, one update gives lr (c_k / B - 1 / d): solve for the counts c_k of the batch
        counts = 53 * ((logits - logits.mean()) / 0.7 + 1 / levels) if logits.shape == (levels,) else np.array([np.nan])
        if not np.abs(counts - counts.round()).max() < 0.01 or counts.min() < -0.01 or counts.max() > 52.5:
            return (
                "the logits after one update (lr 0.7, batch_size 53) are not those of equation (8.2) for a minibatch of 53 values: "
                "is the batch of size `batch_size`, is its loss a mean, and does `steps` count updates, not passes over x?"
            )
    if np.abs(runs[1] - runs[2]).max() > 1e-4:
        return "two runs with generators of the same seed differ: some randomness does not come from the generator."
    if np.abs(runs[1] - runs[3]).max() < 1e-5:
        return "generators with different seeds give the same logits: the updates do not use minibatches drawn with the generator."
    history = np.asarray(evidence["history"], dtype=np.float64)
    if history.shape != (101,):
        return f"history has shape {history.shape} after 100 updates; it needs one entry before the first and one after each."
    if (history[1:] == history[:-1]).sum() > 10:
        return "many entries of history are the same as the one before; compute each of them with the logits after that update."
    if abs(history[0] - math.log(levels)) > 1e-3:
        return f"history starts at {history[0]:.4f}; before training the loss of {levels} levels is log {levels} = {math.log(levels):.4f}."
    for last, log_probs in zip(np.asarray(evidence["last of history"], dtype=np.float64), runs):
        nll = -(share * log_probs).sum()
        if not abs(last - nll) <= 1e-3:
            return (
                f"history ends at {last:.4f}, but the returned logits have NLL {nll:.4f} on all of x: compute history on all "
                "of x (not on the batch), after the update."
            )
    return True


@probe(points=1, title="gradient descent on minibatches", judge=judge_minibatches, seconds=20)
def minibatch_descent(student, rng):
    levels, x = skewed_values(rng)
    seed = rng.integer(1, 10**6)
    result = {}
    for key, number, steps in (("long", seed, 100), ("short", seed, 8), ("short again", seed, 8), ("other seed", seed + 1, 8)):
        generator = torch.Generator(device=rng.device).manual_seed(number)
        logits, history = student.train_histogram(x, levels, steps, 0.3, 4, generator)
        result[key] = torch.as_tensor(logits)
        result.setdefault("history", torch.as_tensor(history))
        result.setdefault("last of history", []).append(history[-1])
    result["one update"] = [
        torch.as_tensor(student.train_histogram(x, levels, 1, 0.7, 53, rng.generator())[0]) for _ in range(3)
    ]
    return result


# --- discretised logistics -----------------------------------------------------------------------------------


@probe(points=1, title="log-probabilities of a mixture of logistics, near its means and far away", judge=Close(rtol=1e-4, atol=2e-5), public=True)
def mixture_of_logistics(student, rng):
    levels, components = rng.integer(6, 14), rng.integer(2, 5)
    mixture = random_mixture(rng, components, 0.5, levels - 1.5, -0.3, 1.0)
    return {
        "every level": student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels),
        "a grid of values": student.discretised_logistic_log_prob(rng.integers(0, levels, 2, 3), *mixture, levels),
        "values, some several times": student.discretised_logistic_log_prob(rng.integers(0, levels, levels + 3), *mixture, levels),
        "means far below": student.discretised_logistic_log_prob(
            torch.arange(levels, device=rng.device), mixture[0][:1] - mixture[0][:1], torch.full_like(mixture[1][:1], -40.0),
            torch.zeros_like(mixture[2][:1]), levels,
        ),
    }


def judge_tables(evidence, expected, context):
    """The probabilities of all levels sum to 1 within 1e-4, and the log-probabilities are those of the reference."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, want in expected.items():
        got = np.asarray(evidence[key], dtype=np.float64)
        if got.shape != want.shape:
            return f"{key}: got shape {got.shape} where {want.shape} is expected."
        with np.errstate(over="ignore"):
            total = np.exp(got).sum(-1)
        if key != "one value" and not (np.abs(total - 1) < 1e-4).all():
            return f"{key}: the probabilities of all levels sum to {np.ravel(total)[0]:.4f}, not to 1."
        if not np.allclose(got, want, rtol=1e-3, atol=1e-4):
            return f"{key}: the probabilities sum to 1, but they are not on the right levels."
    return True


@probe(points=0.5, title="open edges: all probabilities sum to 1", judge=judge_tables)
def open_edges(student, rng):
    def table(levels, *mixture):
        return student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels)

    levels, one = rng.integer(5, 10), torch.zeros(1, device=rng.device)
    return {
        "mass beyond both edges": table(levels, *random_mixture(rng, 3, -4.0, levels + 3.0, 0.0, 2.5)),
        "one component": table(levels, one, rng.uniform(1, low=-2.0, high=levels + 1.0), rng.uniform(1, low=-1.0, high=1.5)),
        "two levels": table(2, *random_mixture(rng, 2, -1.0, 2.0, -1.0, 1.0)),
        "a single level": table(1, *random_mixture(rng, 2, -1.0, 1.0, -1.0, 1.0)),
        "one value": student.discretised_logistic_log_prob(
            rng.integers(1, levels - 1), *random_mixture(rng, 2, 0.0, levels - 1.0, 0.0, 1.0), levels
        ),
    }


def extreme_mixture(rng, levels, log_scale, spread=0.4):
    """Two components of about the given log-scale, with means at least 0.1 away from every border between levels."""
    centres = rng.permutation(levels)[:2]
    means = centres + rng.uniform(2, low=0.1, high=0.4) * (2 * rng.bernoulli(2) - 1)
    return torch.log(rng.simplex(2) * 0.8 + 0.1), means, log_scale + rng.uniform(2, low=-spread, high=spread)


@probe(points=1, title="accuracy for narrow, wide and far components", judge=Close(rtol=1e-3, atol=1e-3))
def extreme_scales(student, rng):
    levels = rng.integer(12, 30)
    x = torch.arange(levels, device=rng.device)
    result = {}
    for name, log_scale, spread in (("narrow", -2.0, 0.4), ("very narrow", -11.85, 0.12), ("wide", 9.0, 0.4), ("very wide", 14.5, 0.4)):
        mixture = extreme_mixture(rng, levels, log_scale, spread)
        result[name] = student.discretised_logistic_log_prob(x, *mixture, levels)
    far = torch.tensor([-300.0, -150.0], device=rng.device)
    scales = rng.uniform(2, low=-0.3, high=0.3)
    weights = torch.log(rng.simplex(2) * 0.8 + 0.1)
    result["means far below"] = student.discretised_logistic_log_prob(x, weights, far, scales, levels)
    result["means far above"] = student.discretised_logistic_log_prob(x, weights, levels - far, scales, levels)
    return result


@probe(points=0.5, title="gradients, also at extreme scales", judge=Close(rtol=2e-3, atol=1e-3))
def gradients(student, rng):
    levels = rng.integer(8, 20)
    x = torch.arange(levels, device=rng.device)
    result = {}
    for name, log_scale in (("moderate", 0.7), ("narrow", -4.0), ("very narrow", -11.5), ("very wide", 14.5)):
        log_weights, means, log_scales = extreme_mixture(rng, levels, log_scale)
        leaves = [t.clone().requires_grad_() for t in (log_weights, means, log_scales)]
        log_probs = student.raw.discretised_logistic_log_prob(
            x, torch.log_softmax(leaves[0], 0), leaves[1], leaves[2], levels
        )
        loss = (rng.uniform(levels, low=0.5, high=1.5) * log_probs).sum()
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        grads = [torch.zeros_like(leaf) if grad is None else grad for leaf, grad in zip(leaves, grads, strict=True)]
        grads[1] = grads[1] * log_scales.exp()  # with the mean in units of the scale
        result[name] = dict(zip(("weights", "means", "log-scales"), grads, strict=True))
    return result


# --- mistakes: the histogram ---------------------------------------------------------------------------------

COUNTS = "counts = torch.bincount(x, minlength=num_levels) + pseudocount\n    return torch.log(counts / counts.sum())"

edit_mistake(
    "no_minlength", "levels above the largest value in `x` get no entry: the table must have `num_levels` entries",
    ("torch.bincount(x, minlength=num_levels)", "torch.bincount(x)"),
)
edit_mistake(
    "last_level_not_counted", "the loop over levels ends one too early: the highest level, `num_levels` - 1, is not counted",
    (COUNTS, COUNTS.replace("\n", "\n    counts[-1] = pseudocount\n")),
)
edit_mistake(
    "silent_smoothing", "the histogram is smoothed although no pseudocount is asked for: an unseen level has log-probability "
    "−∞, and every other value is biased a little", (COUNTS, COUNTS.replace("+ pseudocount", "+ pseudocount + 1e-6")),
)
edit_mistake(
    "add_one_always", "one is added to every count although no pseudocount is asked for; smoothing must be explicit",
    (COUNTS, COUNTS.replace("+ pseudocount", "+ pseudocount + 1.0")),
)
edit_mistake(
    "log_of_clamped", "probabilities are clamped before the log, so that unseen levels get a finite log-probability and the "
    "table no longer sums to 1", ("torch.log(counts / counts.sum())", "torch.log((counts / counts.sum()).clamp(min=1e-8))"),
)
edit_mistake(
    "pseudocount_not_in_total", "the pseudocount is in the counts but not in the total: with it the probabilities sum to more than 1",
    (COUNTS, COUNTS.replace("counts.sum()", "len(x)")),
)
edit_mistake(
    "pseudocount_once", "the total grows by the pseudocount once, but each of the d levels receives one",
    (COUNTS, COUNTS.replace("counts.sum()", "(len(x) + pseudocount)")),
)
edit_mistake(
    "pseudocount_only_unseen", "only levels that never occur receive the pseudocount; equation (8.1) adds it to every level",
    (COUNTS, "counts = torch.bincount(x, minlength=num_levels).float()\n    counts = torch.where(counts == 0, pseudocount, counts)"
     "\n    return torch.log(counts / counts.sum())"),
)
edit_mistake(
    "probabilities", "`histogram_mle` returns probabilities; log-probabilities are asked for",
    ("torch.log(counts / counts.sum())", "counts / counts.sum()"),
)

# --- mistakes: evaluation ------------------------------------------------------------------------------------

EVALUATION = "for batch in x.split(batch_size):\n        total = total - log_prob_fn(batch).sum()\n    return total / len(x)"


@mistake("the result is the mean of the batch means: the examples of a small last batch count more than the others")
def mean_of_batch_means(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        return -torch.stack([log_prob_fn(batch).mean() for batch in x.split(batch_size)]).mean()

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistake("the incomplete last batch is left out; every example must count")
def drops_last_batch(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        size = min(batch_size, len(x))
        batches = [x[i : i + size] for i in range(0, len(x) - size + 1, size)]
        return -sum(log_prob_fn(batch).sum() for batch in batches) / sum(len(batch) for batch in batches)

    return {"mean_nll_over_batches": mean_nll_over_batches}


@mistake("the number of full batches times `batch_size` is used as the number of examples; divide by N")
def divides_by_padded_count(ref):
    def mean_nll_over_batches(log_prob_fn, x, batch_size):
        batches = x.split(batch_size)
        return -sum(log_prob_fn(batch).sum() for batch in batches) / (len(batches) * batch_size)

    return {"mean_nll_over_batches": mean_nll_over_batches}


edit_mistake("log_likelihood_sign", "the mean log-likelihood is returned, not the negative: an NLL is to be minimised",
             (EVALUATION, EVALUATION.replace("total - log", "total + log")))
edit_mistake("weights_by_numel", "batch means are weighted by the number of entries, or the sum is divided by it; when one example "
             "has several entries, N is the number of examples", (EVALUATION, EVALUATION.replace("len(x)", "x.numel()")))
edit_mistake("sum_not_mean", "the NLL is summed over the examples, not averaged", (EVALUATION, EVALUATION.replace(" / len(x)", "")))
edit_mistake("one_big_batch", "all examples go through the model at once, whatever `batch_size` says; that is what batches are to avoid",
             (EVALUATION, "return -log_prob_fn(x).mean()"))

# --- mistakes: gradient descent ------------------------------------------------------------------------------

HISTORY = "history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())"

edit_mistake("no_evaluation_at_start", "`history` has no entry before the first update, so the check of the initial loss, log d, is lost",
             ("history = [-torch.log_softmax(logits.detach(), 0)[x].mean()]", "history = []"))
edit_mistake("history_before_update", "`history` is recorded before each update, so that it lags behind by one and misses the last one",
             ("(gradient,) = torch", f"{HISTORY}\n        (gradient,) = torch"),
             (f"logits -= lr * gradient\n        {HISTORY}", "logits -= lr * gradient"))
edit_mistake("history_of_the_batch", "`history` holds the loss of the minibatch, which is noisy and not comparable; it must be computed on all of x",
             (HISTORY, "history.append(-torch.log_softmax(logits.detach(), 0)[batch].mean())"))
edit_mistake("history_of_batch_before_update", "`history` holds the loss of each minibatch before its update; it must be computed on all of x, after the update",
             (HISTORY, "history.append(loss.detach())"))
edit_mistake("ascends", "the update goes up the gradient of the NLL; minus is needed to go down", ("logits -= lr", "logits += lr"))
edit_mistake("sum_loss", "the gradient is that of the summed loss, so that the step grows with the batch size; the loss is the mean over the batch",
             ("loss = -torch.log_softmax(logits, 0)[batch].mean()", "loss = -torch.log_softmax(logits, 0)[batch].sum()"))
edit_mistake("loss_over_full_size", "the sum over the batch is divided by `batch_size` or N instead of by the number of values in the batch",
             ("loss = -torch.log_softmax(logits, 0)[batch].mean()", "loss = -torch.log_softmax(logits, 0)[batch].sum() / batch_size"))
edit_mistake("gradients_accumulate", "gradients of earlier updates are added up; zero them before each backward pass",
             ("(gradient,) = torch.autograd.grad(loss, logits)", "loss.backward()\n        gradient = logits.grad"))
edit_mistake("always_all_data", "every update uses all of `x`; draw minibatches", ("(logits, 0)[batch].mean()", "(logits, 0)[x].mean()"))
edit_mistake("batch_of_one", "every update uses a single value; a minibatch has `batch_size` of them",
             ("data.batches(x, batch_size, generator, steps=steps)", "data.batches(x, 1 if batch_size < len(x) else batch_size, generator, steps=steps)"))


edit_mistake("logits_not_detached", "the logits that `train_histogram` returns still require gradients; detach them",
             ("return logits.detach(), torch.stack(history)", "return logits, torch.stack(history)"))
edit_mistake("history_once_a_pass", "`history` is computed once a pass and repeated in between; it has an entry of its own for every update",
             (HISTORY, f"{HISTORY}\n        if len(history) % max(len(x) // batch_size, 1):\n            history[-1] = history[-2] if len(history) <= steps else history[-1]"))


@mistake("`steps` passes over the data are made; `steps` counts updates, of one minibatch each")
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


edit_mistake("global_randomness", "the minibatches come from the global random state; use the generator that was passed",
             ("data.batches(x, batch_size, generator, steps=steps)",
              "(x[torch.randint(len(x), (batch_size,))] if batch_size < len(x) else x for _ in range(steps))"))
edit_mistake("same_batch_every_time", "every update uses the same minibatch, so that the histogram learns only that one",
             ("data.batches(x, batch_size, generator, steps=steps)",
              "[next(data.batches(x, batch_size, generator))] * steps"))
edit_mistake("random_start", "the logits do not start at zero, so that the first loss is not log d",
             ("torch.zeros(num_levels, device=x.device, requires_grad=True)",
              "torch.randn(num_levels, device=x.device).requires_grad_()"))


@mistake("this is Adam, not plain gradient descent: the first step has length `lr` in every coordinate")
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


# --- mistakes: discretised logistics -------------------------------------------------------------------------

LAST, FIRST, WIDTH = ("log_upper.masked_fill(last, 0.0)", "log_lower.masked_fill(first, 0.0)",
                      "log_width.masked_fill(first | last, 0.0)")

edit_mistake("closed_edges", "level 0 and level d − 1 do not receive the mass beyond the edges, so that the probabilities do not sum to 1",
             (LAST, "log_upper"), (FIRST, "log_lower"), (WIDTH, "log_width"))
edit_mistake("only_lower_edge_open", "the last level, which is d − 1 (not d), does not reach up to +∞, so that the mass above it is lost",
             (LAST, "log_upper"), (WIDTH, "log_width.masked_fill(first, 0.0)"))
edit_mistake("only_upper_edge_open", "level 0 does not reach down to −∞, so that the mass below it is lost",
             (FIRST, "log_lower"), (WIDTH, "log_width.masked_fill(last, 0.0)"))
edit_mistake("width_left_at_edges", "the outermost levels lose one sigmoid but keep the factor 1 − e^(−δ), which must go with it",
             (WIDTH, "log_width"))
edit_mistake("edges_swapped", "the open edges are exchanged: level 0 must reach down to −∞, level d − 1 up to +∞",
             (LAST, "log_upper.masked_fill(first, 0.0)"), (FIRST, "log_lower.masked_fill(last, 0.0)"))
edit_mistake("bins_start_at_level", "level k gets the mass between k and k + 1; it must be centred, from k − ½ to k + ½",
             ("(x + 0.5 - means)", "(x + 1.0 - means)"), ("(x - 0.5 - means)", "(x - means)"))
edit_mistake("bins_end_at_level", "level k gets the mass between k − 1 and k; it must be centred, from k − ½ to k + ½",
             ("(x + 0.5 - means)", "(x - means)"), ("(x - 0.5 - means)", "(x - 1.0 - means)"))
edit_mistake("multiplies_by_scale", "distances are multiplied by the scale; a wide component has to divide by it",
             ("torch.exp(-log_scales)", "torch.exp(log_scales)"))
edit_mistake("log_scale_as_scale", "the log-scale is used as if it were the scale; take exp first",
             ("torch.exp(-log_scales)", "(1 / log_scales)"))
edit_mistake("width_without_expm1", "1 − exp(−δ) is computed by subtraction, which loses all digits when δ is tiny (wide components)",
             ("torch.log(-torch.expm1(-inverse_scale))", "torch.log(1 - torch.exp(-inverse_scale))"))
edit_mistake("width_of_wrong_sign", "1 − e^(−δ) has δ = 1/s; here it uses δ = s or another wrong width",
             ("torch.expm1(-inverse_scale)", "torch.expm1(-1 / inverse_scale)"))
edit_mistake("weights_ignored", "the components are averaged with equal weight; `log_weights` has no effect",
             ("torch.logsumexp(log_weights + log_probs, -1)", "torch.logsumexp(log_probs, -1) - math.log(len(means))"))
edit_mistake("weights_as_probabilities", "`log_weights` are logarithms already: add them to the log-probabilities, without another log",
             ("log_weights + log_probs", "torch.log(log_weights.abs()) + log_probs"))
edit_mistake("softmax_of_weights", "the weights are exponentiated and then added to log-probabilities; add `log_weights` as they are",
             ("log_weights + log_probs", "log_weights.exp() + log_probs"))
edit_mistake("mean_of_logs", "log-probabilities of the components are averaged; a mixture averages probabilities (log of a sum, not sum of logs)",
             ("torch.logsumexp(log_weights + log_probs, -1)", "(log_weights.exp() * log_probs).sum(-1)"))
edit_mistake("normalised_over_x", "the log-probabilities are normalised over the values in `x`; they sum to 1 over all levels, whatever values `x` holds",
             ("torch.logsumexp(log_weights + log_probs, -1)", "torch.logsumexp(log_weights + log_probs, -1).flatten().log_softmax(0).reshape(x.shape[:-1])"))
edit_mistake("density_at_the_centre", "this is the logistic density at the centre of the level, not the mass of the level",
             (f"{LAST}\n        + {FIRST}\n        + {WIDTH}",
              "F.logsigmoid((x - means) * inverse_scale) + F.logsigmoid(-(x - means) * inverse_scale) - log_scales"))


def difference_of_sigmoids(to_log):
    """A mixture by equation (8.3) as it stands; ``to_log`` takes probabilities of a component to logs."""

    def discretised_logistic_log_prob(x, log_weights, means, log_scales, num_levels):
        x = x.unsqueeze(-1)
        upper = torch.sigmoid((x + 0.5 - means) / log_scales.exp()).masked_fill(x == num_levels - 1, 1.0)
        lower = torch.sigmoid((x - 0.5 - means) / log_scales.exp()).masked_fill(x == 0, 0.0)
        return torch.logsumexp(log_weights + to_log(upper - lower), -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


@mistake("the log of a difference of sigmoids: −∞ far from the mean and few digits for wide components; use equation (8.4)")
def log_of_difference(ref):
    return difference_of_sigmoids(torch.log)


@mistake("a small constant is added inside the log: levels far from the mean get a plateau without gradient, whatever the parameters are")
def log_of_difference_plus_constant(ref):
    return difference_of_sigmoids(lambda p: torch.log(p + 1e-8))


@mistake("the difference is clamped before the log: levels far from the mean get a constant without gradient, whatever the parameters are")
def log_of_clamped_difference(ref):
    return difference_of_sigmoids(lambda p: torch.log(p.clamp(min=1e-12)))


@mistake("the difference of the two log-sigmoids vanishes above the mean, where both are 0 in floating point: −∞ or a wrong value there")
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


@mistake("PixelCNN++'s shortcut, the density at the centre times the width where the difference is small: it is far off for narrow components")
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
        return torch.logsumexp(log_weights + log_probs, -1)

    return {"discretised_logistic_log_prob": discretised_logistic_log_prob}


F_logsigmoid = torch.nn.functional.logsigmoid

# --- alternatives --------------------------------------------------------------------------------------------


@alternative("one-hot means, concatenated log-probabilities, torch.optim.SGD, logistics in float64 by mirrored log-sigmoids")
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
        "histogram_mle": histogram_mle, "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram, "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }


@alternative("loops; the gradient in closed form; minibatches drawn with replacement; softplus")
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
            log_prob = torch.where(x == 0, -softplus(-upper), torch.where(x == num_levels - 1, -softplus(lower), inside))
            result.append(log_weights[j] + (torch.zeros_like(log_prob) if num_levels == 1 else log_prob))
        return torch.stack(result).logsumexp(0)

    return {
        "histogram_mle": histogram_mle, "mean_nll_over_batches": mean_nll_over_batches,
        "train_histogram": train_histogram, "discretised_logistic_log_prob": discretised_logistic_log_prob,
    }


edit_alternative("renormalised_weights", "normalises the log-weights once more",
                 ("torch.logsumexp(log_weights + log_probs, -1)", "torch.logsumexp(torch.log_softmax(log_weights, 0) + log_probs, -1)"))
edit_alternative("history_as_list", "returns the history as a list of tensors that still require gradients",
                 (f"{HISTORY}\n    return logits.detach(), torch.stack(history)",
                  f"{HISTORY.replace('logits.detach()', 'logits.clone()')}\n    return logits.data, history"))

"""Hidden tests of question 8: histograms and discretised logistics."""

import math

import numpy as np
import torch

from autograder.probes import Close, Question

question = Question(
    title="Histograms and discretised logistics",
    skills=["1.05", "1.06", "1.32"],
    aim="The two output layers of autoregressive image models, alone: closed form versus SGD, honest batching of an "
    "evaluation, and a discretised density that normalises and stays accurate at extreme scales.",
    hints={"histogram_mle": [
        "Histogram: `torch.bincount` has a `minlength`. Batches: add up sums, divide once at the end. Logistics: "
        "write the log-probability of one component as a sum of three terms first; the mixture comes last, with a "
        "logsumexp.",
        "Record the loss once before the loop. For the logistics take logs in equation (8.4): two `F.logsigmoid` and "
        "the log of 1 − e^(−δ), where δ = exp(−log_scales). Which of the three terms does level 0 keep? And level d "
        "− 1?",
        "Give `x` a last axis of length 1 so that it broadcasts against the K components. Replace by 0 the terms "
        "that an open edge removes (`torch.where` or `masked_fill`); 1 − e^(−δ) without cancellation is "
        "`-torch.expm1(-delta)`.",
    ]},
    ambiguities=[
        "Order and replacement of minibatches: any use of the generator is accepted; the exact comparison uses full "
        "batches.",
        "`history` may be a tensor or a list of numbers; `mean_nll_over_batches` may return a float.",
        "Renormalising `log_weights` inside is accepted: gradients are taken with respect to logits before "
        "log_softmax.",
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


@question.probe(
    points=1, title="histogram in closed form, with unseen levels", judge=Close(rtol=1e-4, atol=1e-5), public=True
)
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
        return (
            f"`log_prob_fn` was called with {int(got[worst])} examples at once where at most {int(allowed[worst])} "
            "were allowed."
        )
    return Close(rtol=1e-4, atol=1e-5)(evidence["mean NLL"], expected["mean NLL"], context)


@question.probe(points=1, title="mean NLL over batches, the last one ragged", judge=judge_batches)
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


@question.probe(points=1, title="gradient descent on all data: logits and history", judge=Close(rtol=1e-4, atol=2e-5))
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
            f"after 100 updates the NLL of your logits is {nll:.3f} on the training values, the closed form reaches "
            f"{floor:.3f}: too far away. Does every update use a new minibatch, its mean loss, and the right sign?"
        )
    for logits in evidence["one update"]:
        logits = np.asarray(logits, dtype=np.float64)
        # from zero, one update gives lr (c_k / B - 1 / d): solve for the counts c_k of the batch
        counts = 53 * ((logits - logits.mean()) / 0.7 + 1 / levels) if logits.shape == (levels,) else np.array([np.nan])
        if not np.abs(counts - counts.round()).max() < 0.01 or counts.min() < -0.01 or counts.max() > 52.5:
            return (
                "the logits after one update (lr 0.7, batch_size 53) are not those of equation (8.2) for a minibatch "
                "of 53 values: is the batch of size `batch_size`, is its loss a mean, and does `steps` count updates, "
                "not passes over x?"
            )
    if np.abs(runs[1] - runs[2]).max() > 1e-4:
        return "two runs with generators of the same seed differ: some randomness does not come from the generator."
    if np.abs(runs[1] - runs[3]).max() < 1e-5:
        return (
            "generators with different seeds give the same logits: the updates do not use minibatches drawn with the "
            "generator."
        )
    history = np.asarray(evidence["history"], dtype=np.float64)
    if history.shape != (101,):
        return (
            f"history has shape {history.shape} after 100 updates; it needs one entry before the first and one after "
            "each."
        )
    if (history[1:] == history[:-1]).sum() > 10:
        return (
            "many entries of history are the same as the one before; compute each of them with the logits after that "
            "update."
        )
    if abs(history[0] - math.log(levels)) > 1e-3:
        return (
            f"history starts at {history[0]:.4f}; before training the loss of {levels} levels is log {levels} = "
            f"{math.log(levels):.4f}."
        )
    for last, log_probs in zip(np.asarray(evidence["last of history"], dtype=np.float64), runs):
        nll = -(share * log_probs).sum()
        if not abs(last - nll) <= 1e-3:
            return (
                f"history ends at {last:.4f}, but the returned logits have NLL {nll:.4f} on all of x: compute history "
                "on all of x (not on the batch), after the update."
            )
    return True


@question.probe(points=1, title="gradient descent on minibatches", judge=judge_minibatches, seconds=20)
def minibatch_descent(student, rng):
    levels, x = skewed_values(rng)
    seed = rng.integer(1, 10**6)
    result = {}
    for key, number, steps in (
        ("long", seed, 100),
        ("short", seed, 8),
        ("short again", seed, 8),
        ("other seed", seed + 1, 8),
    ):
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


@question.probe(
    points=1,
    title="log-probabilities of a mixture of logistics, near its means and far away",
    judge=Close(rtol=1e-4, atol=2e-5),
    public=True,
)
def mixture_of_logistics(student, rng):
    levels, components = rng.integer(6, 14), rng.integer(2, 5)
    mixture = random_mixture(rng, components, 0.5, levels - 1.5, -0.3, 1.0)
    return {
        "every level": student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels),
        "a grid of values": student.discretised_logistic_log_prob(rng.integers(0, levels, 2, 3), *mixture, levels),
        "values, some several times": student.discretised_logistic_log_prob(
            rng.integers(0, levels, levels + 3), *mixture, levels
        ),
        "means far below": student.discretised_logistic_log_prob(
            torch.arange(levels, device=rng.device),
            mixture[0][:1] - mixture[0][:1],
            torch.full_like(mixture[1][:1], -40.0),
            torch.zeros_like(mixture[2][:1]),
            levels,
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


@question.probe(points=0.5, title="open edges: all probabilities sum to 1", judge=judge_tables)
def open_edges(student, rng):
    def table(levels, *mixture):
        return student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels)

    levels, one = rng.integer(5, 10), torch.zeros(1, device=rng.device)
    return {
        "mass beyond both edges": table(levels, *random_mixture(rng, 3, -4.0, levels + 3.0, 0.0, 2.5)),
        "one component": table(
            levels, one, rng.uniform(1, low=-2.0, high=levels + 1.0), rng.uniform(1, low=-1.0, high=1.5)
        ),
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


@question.probe(points=1, title="accuracy for narrow, wide and far components", judge=Close(rtol=1e-3, atol=1e-3))
def extreme_scales(student, rng):
    levels = rng.integer(12, 30)
    x = torch.arange(levels, device=rng.device)
    result = {}
    for name, log_scale, spread in (
        ("narrow", -2.0, 0.4),
        ("very narrow", -11.85, 0.12),
        ("wide", 9.0, 0.4),
        ("very wide", 14.5, 0.4),
    ):
        mixture = extreme_mixture(rng, levels, log_scale, spread)
        result[name] = student.discretised_logistic_log_prob(x, *mixture, levels)
    far = torch.tensor([-300.0, -150.0], device=rng.device)
    scales = rng.uniform(2, low=-0.3, high=0.3)
    weights = torch.log(rng.simplex(2) * 0.8 + 0.1)
    result["means far below"] = student.discretised_logistic_log_prob(x, weights, far, scales, levels)
    result["means far above"] = student.discretised_logistic_log_prob(x, weights, levels - far, scales, levels)
    return result


@question.probe(points=0.5, title="gradients, also at extreme scales", judge=Close(rtol=2e-3, atol=1e-3))
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

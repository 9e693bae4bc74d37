"""Question 15 (optional): a histogram in closed form and by minibatch gradient descent."""

import math

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import attempt, tensor_of, tried, two_of

question = Question(
    title="A histogram by gradient descent",
    skills=["1.05", "1.32"],
    lecture="stochastic gradient descent",
    after="q07_discretised_logistics",
    run_seconds=4,
    aim="A closed form as the floor of a training loss, the loss at the start, and honest batching of an evaluation.",
    hints={
        "histogram_mle": (
            "How many entries must the table have if the highest level does not occur?",
            "Values 0, 0, 2 of four levels with pseudocount 1: shares 3/7, 1/7, 2/7, 1/7.",
            "`torch.bincount` has a `minlength`. Add the pseudocount to every count before you divide by their sum.",
        ),
        "mean_nll_over_batches": (
            "Ten examples in batches of four: which weight must the last batch have?",
            "Two values with NLL 1 and 1, and a last batch with one value of NLL 4: the mean is 2, not 2.5.",
            "Add up sums over the batches and divide once, by the number of examples.",
        ),
        "train_histogram": (
            "How many entries has the history after one step, and what is the first?",
            "d = 2, a batch of two zeros, lr = 1: one step from (0, 0) gives (½, −½).",
            "Record before the loop and after every update, on all of x. The loss of a batch is its mean.",
        ),
    },
    ambiguities=[
        "Order and replacement of minibatches: any use of the generator is accepted; the exact comparison uses full "
        "batches.",
        "`history` may be a tensor or a list of numbers; `mean_nll_over_batches` may return a float.",
    ],
)


def values_with_gaps(rng, levels, n):
    """n levels, of which the highest and one other never occur."""
    kept = rng.permutation(levels - 1)[1:]
    return kept[rng.integers(0, len(kept), n)]


@question.probe(
    points=1, title="histogram in closed form, with unseen levels", judge=Fields(default=Close(rtol=1e-4, atol=1e-5)), public=True
)
def closed_form_histogram(student, rng):
    levels = rng.integer(5, 12)
    x = values_with_gaps(rng, levels, rng.integer(30, 90))
    pseudocount = rng.number(1.3, 1.8)
    return {
        "with a pseudocount": attempt(student.histogram_mle, x, levels, pseudocount),
        "the lowest and the highest": attempt(student.histogram_mle, (levels - 1) * rng.permutation(2), levels, pseudocount=0.5),
        "no pseudocount": attempt(student.histogram_mle, x, levels),
    }


def judge_batches(evidence, expected, context):
    """No call of ``log_prob_fn`` gets more than ``batch_size`` examples, and the mean is that of the reference."""
    evidence, expected = dict(evidence), dict(expected)
    got, allowed = np.asarray(evidence.pop("largest batch")), expected.pop("largest batch")
    if got.shape != allowed.shape:
        return "the answer has an unexpected form."
    if (got > allowed).any():
        worst = np.argmax(got - allowed)
        return (
            f"`log_prob_fn` was called with {int(got[worst])} examples at once where at most {int(allowed[worst])} "
            "were allowed."
        )
    return Fields(default=Close(rtol=1e-4, atol=1e-5))(evidence, expected, context)


@question.probe(points=1, title="mean NLL over batches, the last one ragged", judge=judge_batches, public=True)
def mean_over_ragged_batches(student, rng):
    levels, n = rng.integer(4, 9), rng.integer(50, 80)
    table = torch.log(rng.simplex(levels)).clamp(min=-30)
    one, several = rng.integers(0, levels, n), rng.integers(0, levels, n, 2, rng.integer(1, 4))
    never = table.clone()
    never[one[n // 3]] = -math.inf
    some = rng.integer(7, 17)
    largest = []

    def means(x, table, *sizes):
        """The answer for each size; notes the largest batch."""
        calls = []

        def log_prob(batch):
            shape = tuple(getattr(batch, "shape", ()))
            if not shape or shape[1:] != x.shape[1:]:
                expected = ", ".join(["B", *map(str, x.shape[1:])])
                raise AnswerError(f"`log_prob_fn` got a batch of shape {shape}, where ({expected}{'' if x.ndim > 1 else ','}) is expected")
            calls.append(len(batch))
            return table[batch].flatten(1).sum(1) if x.ndim > 1 else table[batch]

        def ask(size):
            calls.clear()
            value = student.mean_nll_over_batches(log_prob, x, size)
            largest[-1] = max(calls, default=0)
            value = torch.as_tensor(value).detach().cpu().double()
            return tensor_of(value, "the mean", ())

        found = []
        for size in sizes:
            largest.append(0)
            found.append(tried(lambda size=size: ask(size)))
        sentences = [each for each in found if isinstance(each, str)]
        return sentences[0] if sentences else torch.stack(found)

    return {
        "numbers, the last batch smaller": means(one, table, n - 1, some, n // 2 + 1),
        "numbers, batches of 1, of N, larger than N": means(one, table, 1, n, n + rng.integer(3, 40)),
        "examples of several numbers": means(several, table, some, 1, n),
        "a log-probability of -inf": means(one, never, some, 1, n),
        "largest batch": torch.tensor(largest),
    }


@question.probe(points=1, title="gradient descent on all data: logits and history", judge=Close(rtol=1e-4, atol=2e-5), public=True)
def full_batch_descent(student, rng):
    levels, n = rng.integer(4, 10), rng.integer(30, 70)
    x = values_with_gaps(rng, levels, n)

    def run(values, steps, lr, batch_size):
        logits, history = two_of(
            student.train_histogram(values, levels, steps, lr, batch_size, rng.generator()), "the logits", "the history"
        )
        logits = torch.as_tensor(logits)
        return {
            "history": torch.as_tensor(history).detach(), "logits": logits.detach(), "logits require gradients": int(logits.requires_grad),
        }

    return {
        "a few steps": tried(lambda: run(x, rng.integer(3, 7), rng.number(0.3, 1.5), n + rng.integer(4, 12))),
        "large steps": tried(lambda: run(x, 2, rng.number(30, 45), n)),
        # whatever is drawn, the shares of a batch are known
        "all values equal, 2 of 5 per update": tried(lambda: run(x[:1].repeat(5), 7, rng.number(0.5, 1.5), 2)),
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
        if logits.shape != (levels,):
            return f"the logits must be {levels} numbers, one per level; got shape {logits.shape}."
        if not np.isfinite(logits).all():
            return "some of the logits are infinite or not a number after the updates."
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
                "the logits after one update (lr 0.7, batch_size 53) are not those of equation (15.2) for a minibatch "
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

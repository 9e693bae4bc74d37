"""Question 8: evaluation over batches, honest logging, paired comparison, and a program that is wrong."""

import math

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, tried

from ..shared.networks import Notes

question = Question(
    title="Honest evaluation",
    skills=["1.32"],
    lecture="test error and its standard error; training, validation and test data; dropout",
    run_seconds=10,
    aim=(
        "Measure a mean NLL without the usual accidents, compare two models by the error of their differences, and "
        "know what choosing on the test set does."
    ),
    manual_points=3,
    rubric=[
        "1 point: says which printed numbers may be compared (the Gaussians with each other; train and test of the "
        "network in the same mode) and gives a reason why others may not (density of grey pixels against probability "
        "of binary ones, another mode, other images). Half a point without a reason.",
        "1 point: the luck of easy and hard images is common to both models and cancels in the differences (the "
        "covariance in (8.2)), and: the paired error does not cover another training run or training set. Half a "
        "point for one of the two.",
        "1 point: the minimum picks luck together with quality, so its score is too low on the images that chose it; "
        "and on shared images only the differences can be exploited, so alike models leave less. Half a point for "
        "one of the two.",
    ],
    hints={
        "counterexample": (
            "With 5 examples in batches of 4, how much does the last example count in `quick_mean`, and how much "
            "should it?",
            "Draw the differences a - b as a row of boxes: one value in all full batches, another one in the last "
            "batch. A is better if all boxes together weigh less than 0; the program weighs batches instead.",
            "Let a - b be -1 in the q full batches and v in the r examples of the last one. Write down both means, "
            "find the v for which one is negative and the other positive, then scale to reach 1 nat.",
        ),
        "evaluate": (
            "Which quantity can be added over batches of any sizes: the mean or the sum of their NLLs?",
            "A model that comes in training mode and one that comes in evaluation mode: in which mode must each be "
            "afterwards?",
            "`model.training` tells the mode; `model.train(flag)` sets it for all parts. What is needed around the "
            "forward passes so that no graph is built?",
        ),
        "train_and_log": (
            "Where in the loop is a loss that belongs to the weights before the update? And how many test losses "
            "are there before the first epoch?",
            "7 examples, batches of 3, 2 epochs: 3 + 3 train losses, 1 + 2 test losses.",
            "Two loops, epochs outside and batches inside. The optimiser is made once, and `data.batches` is called "
            "anew in every epoch: what would happen to the order otherwise?",
        ),
        "paired_difference": (
            "How many numbers are averaged, and how much do they vary?",
            "Differences 1, 2 and 3: their standard deviation is 1, and the error of their mean is 0.58.",
            "Form the differences first; nothing else of the two lists is needed. Does `Tensor.std` divide by N or by N - 1?",
        ),
    },
    ambiguities=[
        "The mode in which train_and_log leaves the model is free.",
        "0-d tensors are accepted for floats, as long as they hold no graph.",
        "counterexample: any NLLs that do it, as float tensors; `quick_mean` fails on integers and lists.",
        "evaluate: the models of all tests have all parts in one mode.",
        "train_and_log: the model arrives without gradients, so resetting them after each step is right, too.",
    ],
)


class Scorer(nn.Module):
    """Squared distance to a learned centre, less a constant: some NLLs are negative. In training mode the second half of the features is dropped
    (without chance), and one of the two terms is normalised by the batch, with running statistics for evaluation. Examples have the given
    shape. Notes how it is called."""

    def __init__(self, rng, *shape):
        super().__init__()
        dims, self.shape = math.prod(shape), shape
        self.centre = nn.Parameter(rng.normal(dims))
        self.part = nn.BatchNorm1d(dims, affine=False).to(rng.device)
        self.inner = nn.Dropout(0.0)
        self.calls = Notes()

    def forward(self, x):
        if x.shape[1:] != self.shape:
            raise ValueError(
                f"this model takes a batch of examples of shape {self.shape}, not an input of shape {tuple(x.shape)}"
            )
        x = x.flatten(1)
        h = self.part(x) + 0.3 * x
        if self.inner.training:
            h = torch.cat([h[:, : h.shape[1] // 2], torch.zeros_like(h[:, h.shape[1] // 2 :])], 1)
        nll = (h - self.centre).square().sum(1) - 2 * len(self.centre)
        self.calls.append((len(x), nll.requires_grad, self.training, self.inner.training))
        return nll

    def modes(self):
        return [float(module.training) for module in (self, self.part, self.inner)]


def ragged(rng):
    """A batch size, and a number of examples that it does not divide."""
    batch_size = rng.integer(4, 7)
    return batch_size, 2 * batch_size + rng.integer(2, batch_size - 1)


MEAN = Fields(default=Close(rtol=2e-5, atol=1e-4))


@question.probe(points=0.5, title="evaluate: a short last batch, a model in evaluation mode", public=True, judge=MEAN)
def weighted(student, rng):
    batch_size, n = ragged(rng)
    n += batch_size
    model = Scorer(rng, rng.integer(3, 6)).eval()
    x = rng.normal(n, len(model.centre)) + torch.linspace(0, 3, n, device=rng.device)[:, None]
    return {
        "short last batch": tried(lambda: [student.evaluate(model, x * scale, batch_size) for scale in (1.0, 0.5, 2.0)]),
        "equal batches": tried(lambda: [student.evaluate(model, x[: 2 * size] + 1, size) for size in (2, 3, 4)]),
        "one batch": tried(lambda: [student.evaluate(model, x[k:], n + 5) for k in range(3)]),
        "one by one": tried(lambda: [student.evaluate(model, x[:k] - 1, 1) for k in (1, 2, 12)]),
    }


@question.probe(
    points=1.5, title="evaluate: a model in training mode, any order, nothing changes", judge=MEAN
)
def untouched(student, rng):
    batch_size, n = ragged(rng)
    coming, other = Scorer(rng, 2, 2).train(), Scorer(rng, 4).eval()
    coming.centre.grad, other.centre.grad = rng.normal(4), rng.normal(4)
    x, flat = rng.normal(n, 2, 2, std=2) + 1, rng.normal(n, 4) - 1
    x[-1] += 3
    orders = [rng.permutation(n) for _ in range(3)]
    coming.calls.clear()
    values = {
        "in training mode, three orders": tried(lambda: [student.evaluate(coming, x[order], batch_size) for order in orders]),
        "in training mode, four batch sizes": tried(lambda: [student.evaluate(coming, x, k) for k in (n - 3, n - 2, n, n + 3)]),
        "in evaluation mode": tried(lambda: [student.evaluate(other, flat * scale, batch_size) for scale in (1.0, 2.0, 3.0)]),
    }
    return {
        **values,
        "mode of each part afterwards": coming.modes() + other.modes(),
        "batch-norm statistics afterwards": [coming.part.running_mean, coming.part.running_var],
        ".grad afterwards": [torch.zeros_like(m.centre) if m.centre.grad is None else m.centre.grad for m in (coming, other)],
        "gradients can be taken afterwards": [float(coming.centre.requires_grad), float(torch.is_grad_enabled())],
        "calls that built a graph": sum(call[1] for call in coming.calls + other.calls),
        "calls in training mode: of the model, of its parts": [
            sum(call[k] for call in coming.calls + other.calls) for k in (2, 3)
        ],
        "examples at once above the batch size": max(0, max((call[0] for call in other.calls), default=0) - batch_size),
        "parameters afterwards": [coming.centre, other.centre],
    }


LOGGED_RUN = Fields(
    {"weights afterwards": Close(rtol=2e-5, atol=1e-5)},
    default=Close(rtol=2e-4, atol=1e-4),
)


def two_lists(result):
    """The two lists, or what is wrong with them in words."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError("`train_and_log` is to return two lists, train_losses and test_losses")
    for losses in result:
        if isinstance(losses, (list, tuple)) and any(torch.is_tensor(loss) and loss.requires_grad for loss in losses):
            raise ValueError("a logged loss still holds its graph, so all graphs stay in memory; log plain numbers")
    return result


def logged(student, rng, model, batch_size, epochs, train_x, test_x):
    with torch.no_grad():
        # Training moves the centre to about 0, away from the test data near -3, so the test loss rises: the last weights
        # are never those with the best test loss.
        model.centre.copy_(-0.5 - model.centre.abs().clamp(max=1.5))
        model.part.running_mean.fill_(2.0)
        model.part.running_var.fill_(64.0)
    generator = rng.generator()
    torch.rand(1, generator=generator, device=rng.device)  # its seed alone does not tell where it stands
    train_losses, test_losses = two_lists(student.train_and_log(
        model,
        8 * train_x + 2,  # so far apart that the gradients of the batches differ in sign
        3 * test_x - 6,
        epochs,
        batch_size,
        rng.number(0.1, 0.2),
        generator,
    ))
    return {
        "train losses": train_losses,
        "test losses": test_losses,
        "weights afterwards": model.centre,
        "batch-norm mean afterwards": model.part.running_mean,
        "examples at once above the batch size": max(0, max((call[0] for call in model.calls), default=0) - batch_size),
    }


@question.probe(points=0.5, title="train_and_log: batches that divide the data", public=True, judge=LOGGED_RUN)
def equal_batches(student, rng):
    size = rng.integer(3, 6)
    model = Scorer(rng, 4).train()
    return logged(student, rng, model, size, 3, rng.normal(2 * size, 4), rng.normal(3 * size, 4))


@question.probe(
    points=2,
    title="train_and_log: a short last batch, a model that arrives in evaluation mode",
    judge=LOGGED_RUN,
)
def short_batches(student, rng):
    batch_size = rng.integer(5, 8)
    model = Scorer(rng, 2, 2).eval()
    x, test_x = rng.normal(2 * batch_size + 2, 2, 2), rng.normal(2 * batch_size + 3, 2, 2)
    return logged(student, rng, model, batch_size, rng.integer(3, 5), x, test_x)


def correlated(rng, n, shift, **kind):
    """NLLs of two models on n examples: what is hard for one is hard for the other."""
    hard, difference = rng.normal(n, mean=20, std=4, **kind), rng.normal(n, mean=shift, std=0.7, **kind)
    difference[0], difference[1] = 2.0, -1.5  # of both signs, and the two models order the examples differently
    hard[1] = hard[0] + 0.1
    return hard + difference, hard


def apart(nll_a, nll_b, nats):
    """The same differences to 1/256, and ``nats`` more: sums of whole multiples of it are exact in float32."""
    return (256 * nll_a).round() / 256 + nats, (256 * nll_b).round() / 256


def compared(student, nll_a, nll_b):
    """The two numbers; a tensor that holds both can be unpacked like a tuple."""
    result = student.paired_difference(nll_a, nll_b)
    return list(result) if torch.is_tensor(result) and result.shape == (2,) else result


@question.probe(points=0.5, title="paired_difference: hard for one, hard for the other", public=True)
def pairs(student, rng):
    return {
        "ordinary": [compared(student, *correlated(rng, rng.integer(5, 12), 0.3)) for _ in range(2)],
    }


@question.probe(points=0.5, title="paired_difference: two examples, b worse, opposite errors, float64")
def odd_pairs(student, rng):
    few = rng.normal(2, 2)
    hard = rng.normal(9, std=3)
    return {
        "two examples": [compared(student, few[0], few[1]), compared(student, few[1] - 1, few[0])],
        "b worse": [compared(student, *correlated(rng, 8, -3.0)) for _ in range(2)],
        "a worse by hundreds of nats": [compared(student, *apart(*correlated(rng, 8, 0.3), k)) for k in (256, 512)],
        "hard for a is easy for b": [compared(student, 30 + hard, 30 + k - hard) for k in (0.5, 1.0)],
        "many, in float64": [
            compared(student, *correlated(rng, 300, 0.5, dtype=torch.float64)) for _ in range(2)
        ],
    }


SMALL = ((5, 4), (10, 4), (7, 2))


def prefers_the_worse(evidence, expected, context):
    """The true mean is lower for a by 1 nat, the mean of the batch means for b."""
    for name, found in evidence.items():
        if name not in expected:
            return "the answer has an unexpected form."
        n, size = (int(word) for word in name.replace(" examples in batches of ", " ").split())
        if isinstance(found, str):
            return f"{name}: {found}."
        a, b = (np.asarray(nll, dtype=float) for nll in found)
        for nll, letter in ((a, "a"), (b, "b")):
            if nll.shape != (n,):
                return f"{name}: nll_{letter} has shape {tuple(nll.shape)} where ({n},) is expected."
            if not np.isfinite(nll).all():
                return f"{name}: nll_{letter} has values that are not finite."
        true = a.mean() - b.mean()
        program = np.mean([(a - b)[i : i + size].mean() for i in range(0, n, size)])
        said = f"{name}: the true mean of a minus that of b is {true:.4g} nats, quick_mean makes it {program:.4g}"
        if true >= 1 and program <= -1:
            return said + ". The program is fooled, but a is to be the better model (lower mean): exchange the two."
        if abs(true - program) <= 1e-5 * (abs(true) + abs(program)) + 1e-9:
            return said + ". Both agree, so nothing is exposed: does the last batch differ from the others?"
        if true < 0 < program and (true > -0.999 or program < 0.999):
            return said + ". The signs are right, but each must be at least 1 in size."
        if true > -0.999:
            return said + ". Model a is to be better in truth, at most -1."
        if program < 0.999:
            return said + ". The program must prefer b, at least +1; it does not."
    return True


def two_losses(answer):
    """Two float tensors as they are, or in words what they are instead."""
    if not isinstance(answer, (tuple, list)):
        return f"got one value of type {type(answer).__name__} where a tuple of two tensors is expected, (nll_a, nll_b)"
    if len(answer) != 2:
        return f"got {len(answer)} values where a tuple of two tensors is expected, (nll_a, nll_b)"
    for nll, letter in zip(answer, "ab"):
        if not torch.is_tensor(nll):
            return f"nll_{letter} is of type {type(nll).__name__} where a tensor is expected"
        if not nll.is_floating_point():
            return f"nll_{letter} holds {nll.dtype} where floats are expected; `quick_mean` cannot average it"
    return list(answer)


def called(student, cases):
    found = {f"{n} examples in batches of {size}": attempt(student.counterexample, n, size) for n, size in cases}
    return {key: answer if isinstance(answer, str) else two_losses(answer) for key, answer in found.items()}


@question.probe(points=0.5, title="counterexample: three small splits", public=True, judge=prefers_the_worse)
def small_splits(student, rng):
    return called(student, SMALL)


@question.probe(points=1, title="counterexample: other splits", judge=prefers_the_worse)
def other_splits(student, rng):
    cases = [(2 * (size := rng.integer(5, 9)) - 1, size), (size + 1, size), (5 * size + 2, size), (4 * size - 1, size)]
    cases += [(rng.choice((3, 5, 9, 21)), 2), (3 * 20 + rng.integer(5, 15), 20)]
    return called(student, [*cases, (21 * (many := rng.integer(45, 55)) - 1, many)])  # where the two means are hard to part

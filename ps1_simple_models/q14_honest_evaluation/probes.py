"""Question 14: evaluation over batches, honest logging, paired comparison, selection on validation."""

import math

import torch
from torch import nn

from autograder.probes import Close, Fields, Question

from ..shared.networks import Notes

question = Question(
    title="Honest evaluation, and the whole set in one table",
    skills=["1.32"],
    aim=(
        "Measure test likelihoods without the usual accidents, compare models on the same examples, and say which "
        "numbers may be compared."
    ),
    manual_points=2,
    rubric=[
        "1 point: gives at least two groups of comparable rows and says why binary and dequantised numbers are "
        "different quantities (other data; a probability against a density bound), so that 0.4 bits are not 'better' "
        "than 2.9 bits.",
        "0.5 points: says that the model that is told the label answers another question (p(x|y), not p(x)), and "
        "what may be compared instead.",
        "0.5 points: names a valid caution about train/test or selection: numbers on different splits, or a "
        "checkpoint, seed or hyperparameter chosen on the test set, are biased down; or that the standard error does "
        "not cover training noise.",
    ],
    hints={"evaluate": [
        "Which quantity can be added over batches, whatever their sizes: the mean or the sum of the NLLs? And which "
        "two things does a model do differently in training mode?",
        "`model.training` tells the mode, `model.train(True or False)` sets it. `evaluate` leaves it as it found it, "
        "so `train_and_log` must put the model in training mode itself before each epoch. `Tensor.std()` divides by "
        "N - 1. What does `argmin` do with NaN?",
        "evaluate: remember `model.training`, call `model.eval()`, add `model(batch).sum().item()` over the batches "
        "under `torch.no_grad()`, put the mode back, divide by len(x). Logging: evaluate once before the loop over "
        "epochs and once at the end of each. Selection: replace means that are not finite by +inf before `argmin`.",
    ]},
    ambiguities=[
        "The mode in which train_and_log leaves the model is free.",
        "Floats or 0-d tensors are accepted for all numbers; the index may be a 0-d integer tensor.",
    ],
)


class Scorer(nn.Module):
    """Squared distance to a learned centre. In training mode the second half of the features is dropped (without chance), and one of the two
    terms is normalised by the batch, with running statistics for evaluation. Examples have the given shape. Notes how it is called."""

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
        nll = 1 + (h - self.centre).square().sum(1)
        self.calls.append((len(x), nll.requires_grad))
        return nll

    def traces(self, batch_size):
        """Numbers that tell what a call of evaluate left behind."""
        modes = [float(module.training) for module in (self, self.part, self.inner)]
        return {
            "mode of each part": modes,
            "running mean": self.part.running_mean,
            "batches seen in training mode": int(self.part.num_batches_tracked),
            "calls that built a graph": sum(graph for _, graph in self.calls),
            "examples above the batch size": max(0, max(size for size, _ in self.calls) - batch_size),
            "gradient that was there before": torch.zeros_like(self.centre)
            if self.centre.grad is None
            else self.centre.grad,
            "gradients can be taken": [float(self.centre.requires_grad), float(torch.is_grad_enabled())],
        }


def ragged(rng, batches=3):
    """A batch size, and a number of examples that it does not divide."""
    batch_size = rng.integer(4, 7)
    return batch_size, batches * batch_size + rng.integer(2, batch_size - 1)


MEAN = Close(rtol=2e-5, atol=1e-5)


@question.probe(points=0.5, title="evaluate: every example counts once", public=True, judge=MEAN)
def weighted(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, rng.integer(3, 6)).eval()
    x = rng.normal(n, len(model.centre)) + torch.linspace(0, 3, n, device=rng.device)[:, None]
    return {
        "short last batch": student.evaluate(model, x, batch_size),
        "batches of one": student.evaluate(model, x, 1),
        "one batch": student.evaluate(model, x, n + 5),
    }


@question.probe(points=0.5, title="evaluate: evaluation mode, and back to the mode before", judge=MEAN)
def modes(student, rng):
    batch_size, n = ragged(rng)
    parts = {}
    for training in (True, False):
        model = Scorer(rng, 4).train(training)
        model.centre.grad = rng.normal(4)
        value = student.evaluate(model, rng.normal(n, 4) + 1, batch_size)
        name = "training mode" if training else "evaluation mode"
        parts[name] = value
        parts[f"{name}, traces"] = model.traces(batch_size)
    return parts


@question.probe(points=0.5, title="evaluate: any order, the same value; no gradients touched", judge=MEAN)
def order_free(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, 2, 2).train()
    x = rng.normal(n, 2, 2, std=2)
    values = [student.evaluate(model, x[rng.permutation(n)], batch_size) for _ in range(3)]
    return {
        "three orders": values,
        "twice": [student.evaluate(model, x, batch_size) for _ in range(2)],
        "traces": model.traces(batch_size),
    }


LOGGED_RUN = Fields(
    {
        "train losses": Close(rtol=2e-4, atol=1e-4),
        "test losses": Close(rtol=2e-4, atol=1e-4),
        "running mean": Close(rtol=2e-4, atol=1e-4),
        "weights": Close(rtol=2e-5, atol=1e-5),  # a weight decay of 1e-4 moves them by a few times as much
    }
)


def logged(student, rng, model, batch_size, epochs, train_x, test_x):
    with torch.no_grad():
        model.centre.copy_(-4 - model.centre.abs())  # far away: large gradients, that nobody may clip
    generator = rng.generator()
    torch.rand(1, generator=generator, device=rng.device)  # its seed alone does not tell where it stands
    train_losses, test_losses = student.train_and_log(
        model,
        train_x + 1,
        test_x - 9,
        epochs,
        batch_size,
        rng.number(0.05, 0.1),
        generator,  # training moves away from the test data
    )
    numbers = {"train losses": [float(v) for v in train_losses], "test losses": [float(v) for v in test_losses]}
    return {**numbers, "weights": model.centre, "running mean": model.part.running_mean}


@question.probe(points=0.5, title="train_and_log: full batches", public=True, judge=LOGGED_RUN)
def full_batches(student, rng):
    n = rng.integer(6, 10)
    model = Scorer(rng, 4)
    return logged(student, rng, model, n, rng.integer(2, 5), rng.normal(n, 4), rng.normal(n, 4))


@question.probe(
    points=1,
    title="train_and_log: minibatches with a short last one, a model that arrives in evaluation mode",
    judge=LOGGED_RUN,
)
def minibatches(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, 2, 2).eval()
    return logged(
        student, rng, model, batch_size, rng.integer(2, 4), rng.normal(n, 2, 2), rng.normal(2 * batch_size + 1, 2, 2)
    )


@question.probe(points=0.5, title="paired difference and its standard error", public=True)
def pairs(student, rng):
    n = rng.integer(5, 12)
    hard, difference = 20 + 4 * rng.normal(n), 0.3 + 0.7 * rng.normal(n)
    difference[0], difference[1] = 2.0, -1.5  # of both signs, and the two models order the examples differently
    hard[1] = hard[0] + 0.1
    few = rng.normal(2, 2)
    return {
        "correlated": list(student.paired_difference(hard + difference, hard)),
        "two examples": list(student.paired_difference(few[0].double(), few[1].double())),
    }


def scores(rng, order, level, diverged=0):
    """Validation and test NLLs of models whose rank on validation is given; the second worst there is the best on the test set.

    Only the mean tells the rank: of the models after the first ``diverged`` ones, another one than the best has the lowest
    first number, the lowest median, and so on.
    """
    m, best = len(order), int(order[diverged])
    rank = torch.empty(m, device=rng.device)
    rank[order] = torch.arange(float(m), device=rng.device)
    on_test = torch.where(rank >= m - 2, 2 * m - 3 - rank, rank)  # the last two change places
    test = level + 2 - 0.5 * on_test[:, None] + 0.1 * rng.normal(m, rng.integer(9, 13))
    n = rng.integer(5, 8)
    while True:
        scatter = 2 * rng.normal(m, n)
        steady, mostly_low, mostly_high = order[diverged + 1 : diverged + 4][rng.permutation(3)]
        scatter[steady] *= 0.02  # its largest number is low
        scatter[mostly_low, rng.integer(0, n)] += 30  # its median is low
        scatter[mostly_high, rng.integer(0, n)] -= 30
        validation = level + 0.5 * rank[:, None] + scatter - scatter.mean(1, keepdim=True)
        v = torch.where(rank[:, None] >= diverged, validation, level + 100)
        others = [
            v[:, 0],
            v[:, -1],
            v[:, :2].mean(1),
            v.amin(1),
            v.amax(1),
            v.median(1).values,
            v.quantile(0.5, 1),
            v.mean(1) + v.std(1),
            v.mean(0),
        ]
        wins = torch.bincount(v.argmin(0), minlength=m)
        if best not in [int(other.argmin()) for other in others] and wins[best] < wins.max():
            return validation, test


@question.probe(points=0.5, title="selection on validation")
def selection(student, rng):
    m = rng.integer(7, 10)
    validation, test = scores(rng, rng.permutation(m), 10)
    chosen, score = student.select_on_validation(validation, test)
    # the three best have diverged: the first row and the last one have a NaN, and a row before the best finite one an infinity
    order = 1 + rng.permutation(m - 2)
    order[:2] = order[:2].sort().values
    order = torch.cat([torch.zeros_like(order[:1]), torch.full_like(order[:1], m - 1), order])
    broken, test = scores(rng, order, 2000, diverged=3)
    for model, value in zip(order[:3], (math.nan, math.nan, math.inf)):
        broken[model, broken[model].argmax()] = value  # without this number its mean is even lower
    other, other_score = student.select_on_validation(broken, test)
    return {
        "index": int(chosen),
        "test NLL": score,
        "with diverged models, index": int(other),
        "with diverged models, test NLL": other_score,
    }

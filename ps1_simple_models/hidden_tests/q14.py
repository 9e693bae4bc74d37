"""Question 14: evaluation over batches, honest logging, paired comparison, selection on validation."""

import copy
import math

import torch
from torch import nn

from autograder.probes import Close, Fields, alternative, edit_alternative, edit_mistake, probe, question
from dgm import data

question(
    "q14",
    title="Honest evaluation, and the whole set in one table",
    skills=["1.32"],
    minutes=40,
    aim="Measure test likelihoods without the usual accidents, compare models on the same examples, and say which numbers may be compared.",
    manual_points=2,
    rubric=[
        "1 point: gives at least two groups of comparable rows and says why binary and dequantised numbers are different quantities (other data; a "
        "probability against a density bound), so that 0.4 bits are not 'better' than 2.9 bits.",
        "0.5 points: says that the model that is told the label answers another question (p(x|y), not p(x)), and what may be compared instead.",
        "0.5 points: names a valid caution about train/test or selection: numbers on different splits, or a checkpoint, seed or hyperparameter chosen on the "
        "test set, are biased down; or that the standard error does not cover training noise.",
    ],
    hints=[
        "Which quantity can be added over batches, whatever their sizes: the mean or the sum of the NLLs? And which two things does a model do differently "
        "in training mode?",
        "`model.training` tells the mode, `model.train(True or False)` sets it. `evaluate` leaves it as it found it, so `train_and_log` must put the model in "
        "training mode itself before each epoch. `Tensor.std()` divides by N - 1. What does `argmin` do with NaN?",
        "evaluate: remember `model.training`, call `model.eval()`, add `model(batch).sum().item()` over the batches under `torch.no_grad()`, "
        "put the mode back, divide by len(x). Logging: evaluate once before the loop over epochs and once at the end of each. Selection: replace means that are not "
        "finite by +inf before `argmin`.",
    ],
    ambiguities=[
        "The mode in which train_and_log leaves the model is free.",
        "Floats or 0-d tensors are accepted for all numbers; the index may be a 0-d integer tensor.",
    ],
)


class Notes(list):
    """A list that a copy of the model shares: evaluating a copy is right, too."""

    def __deepcopy__(self, memo):
        return self


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
            raise ValueError(f"this model takes a batch of examples of shape {self.shape}, not an input of shape {tuple(x.shape)}")
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
            "gradient that was there before": torch.zeros_like(self.centre) if self.centre.grad is None else self.centre.grad,
            "gradients can be taken": [float(self.centre.requires_grad), float(torch.is_grad_enabled())],
        }


def ragged(rng, batches=3):
    """A batch size, and a number of examples that it does not divide."""
    batch_size = rng.integer(4, 7)
    return batch_size, batches * batch_size + rng.integer(2, batch_size - 1)


MEAN = Close(rtol=2e-5, atol=1e-5)


@probe(points=0.5, title="evaluate: every example counts once", public=True, judge=MEAN)
def weighted(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, rng.integer(3, 6)).eval()
    x = rng.normal(n, len(model.centre)) + torch.linspace(0, 3, n, device=rng.device)[:, None]
    return {
        "short last batch": student.evaluate(model, x, batch_size),
        "batches of one": student.evaluate(model, x, 1),
        "one batch": student.evaluate(model, x, n + 5),
    }


@probe(points=0.5, title="evaluate: evaluation mode, and back to the mode before", judge=MEAN)
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


@probe(points=0.5, title="evaluate: any order, the same value; no gradients touched", judge=MEAN)
def order_free(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, 2, 2).train()
    x = rng.normal(n, 2, 2, std=2)
    values = [student.evaluate(model, x[rng.permutation(n)], batch_size) for _ in range(3)]
    return {"three orders": values, "twice": [student.evaluate(model, x, batch_size) for _ in range(2)], "traces": model.traces(batch_size)}


LOGGED_RUN = Fields({
    "train losses": Close(rtol=2e-4, atol=1e-4), "test losses": Close(rtol=2e-4, atol=1e-4), "running mean": Close(rtol=2e-4, atol=1e-4),
    "weights": Close(rtol=2e-5, atol=1e-5),  # a weight decay of 1e-4 moves them by a few times as much
})


def logged(student, rng, model, batch_size, epochs, train_x, test_x):
    with torch.no_grad():
        model.centre.copy_(-4 - model.centre.abs())  # far away: large gradients, that nobody may clip
    generator = rng.generator()
    torch.rand(1, generator=generator, device=rng.device)  # its seed alone does not tell where it stands
    train_losses, test_losses = student.train_and_log(
        model, train_x + 1, test_x - 9, epochs, batch_size, rng.number(0.05, 0.1), generator  # training moves away from the test data
    )
    numbers = {"train losses": [float(v) for v in train_losses], "test losses": [float(v) for v in test_losses]}
    return {**numbers, "weights": model.centre, "running mean": model.part.running_mean}


@probe(points=0.5, title="train_and_log: full batches", public=True, judge=LOGGED_RUN)
def full_batches(student, rng):
    n = rng.integer(6, 10)
    model = Scorer(rng, 4)
    return logged(student, rng, model, n, rng.integer(2, 5), rng.normal(n, 4), rng.normal(n, 4))


@probe(points=1, title="train_and_log: minibatches with a short last one, a model that arrives in evaluation mode", judge=LOGGED_RUN)
def minibatches(student, rng):
    batch_size, n = ragged(rng)
    model = Scorer(rng, 2, 2).eval()
    return logged(student, rng, model, batch_size, rng.integer(2, 4), rng.normal(n, 2, 2), rng.normal(2 * batch_size + 1, 2, 2))


@probe(points=0.5, title="paired difference and its standard error", public=True)
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
        others = [v[:, 0], v[:, -1], v[:, :2].mean(1), v.amin(1), v.amax(1), v.median(1).values, v.quantile(0.5, 1), v.mean(1) + v.std(1), v.mean(0)]
        wins = torch.bincount(v.argmin(0), minlength=m)
        if best not in [int(other.argmin()) for other in others] and wins[best] < wins.max():
            return validation, test


@probe(points=0.5, title="selection on validation")
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
    return {"index": int(chosen), "test NLL": score, "with diverged models, index": int(other), "with diverged models, test NLL": other_score}


# --- mistakes ----------------------------------------------------------------------------------------------------

SUM = "total += model(batch).sum().item()"
MODE = "    was_training = model.training\n    model.eval()\n"
BACK = "    model.train(was_training)\n    return total / len(x)"

edit_mistake(
    "mean_of_means", "`evaluate` averages the batch means with equal weights, so examples in a short last batch count more",
    (SUM, "total += model(batch).mean().item()"), (BACK, BACK.replace("len(x)", "math.ceil(len(x) / batch_size)")),
)
edit_mistake("drops_last", "`evaluate` leaves out the short last batch", (BACK, BACK.replace("len(x)", "max(batch_size, len(x) - len(x) % batch_size)")), (SUM, "if len(batch) == min(batch_size, len(x)):\n                " + SUM))
edit_mistake("sum_not_mean", "`evaluate` returns the sum over the examples, not their mean", (BACK, BACK.replace("total / len(x)", "total")))
edit_mistake("train_mode", "`evaluate` runs in training mode: dropout is on, and batch normalisation uses (and updates) statistics of the test batches", (MODE, "    was_training = model.training\n"))
edit_mistake("stays_in_eval", "`evaluate` leaves the model in evaluation mode; the training that goes on is then without dropout", (BACK, "    return total / len(x)"))
edit_mistake("always_train", "`evaluate` ends with `train()`, also when the model came in evaluation mode", (BACK, BACK.replace("was_training", "True")))
edit_mistake("builds_graph", "`evaluate` builds a graph for gradients that nobody needs; it costs memory", ("with torch.no_grad():\n        for batch in data.batches(x, batch_size, None):", "with torch.enable_grad():\n        for batch in data.batches(x, batch_size, None):"))
edit_mistake("all_at_once", "`evaluate` sends all examples through the model at once, more than `batch_size`", ("data.batches(x, batch_size, None)", "[x]"))
edit_mistake("clears_gradients", "`evaluate` clears the gradients of the parameters, which belong to the training around it", (MODE, MODE + "    model.zero_grad()\n"))
edit_mistake("full_batch_weights", "`evaluate` weights the mean of every batch with `batch_size`; the last batch is smaller", (SUM, "total += model(batch).mean().item() * min(batch_size, len(x))"))
edit_mistake("random_part", "`evaluate` scores a random part of the data, so the value changes from call to call", ("for batch in data.batches(x, batch_size, None):", "x = x[torch.randint(len(x), (len(x),), device=x.device)]\n        for batch in data.batches(x, batch_size, None):"))

FIRST = "train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]"
LAST = "        test_losses.append(evaluate(model, test_x, batch_size))"
LOGGED = "train_losses.append(loss.item())"
edit_mistake("no_first_test", "`train_and_log` lacks the test loss before training: epochs + 1 entries are asked for", (FIRST, "train_losses, test_losses = [], []"))
edit_mistake("test_each_step", "`train_and_log` evaluates the test set after every step, not after every epoch", (LAST, "    " + LAST))
edit_mistake("train_each_epoch", "`train_and_log` logs one train loss per epoch; one per step is asked for", (LOGGED, "pass\n        " + LOGGED))
edit_mistake("loss_after_step", "`train_and_log` logs the batch's loss after the step; it is to be measured before", (LOGGED, "train_losses.append(model(batch).mean().item())"))
edit_mistake("trains_in_eval", "`train_and_log` does not switch the model to training mode, so a model that arrives in evaluation mode trains without dropout", ("        model.train()\n", ""))
edit_mistake("test_on_train", "`train_and_log` evaluates the training set where the test set is asked for", (LAST, LAST.replace("test_x", "train_x")), (FIRST, FIRST.replace("test_x", "train_x")))
edit_mistake("no_zero_grad", "`train_and_log` never resets the gradients, so each step uses the sum of all of them", ("            optimiser.zero_grad()\n", ""))
edit_mistake("momentum", "`train_and_log` uses SGD with momentum; plain SGD is asked for", ("optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)", "optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)"))
edit_mistake("drops_last_batch", "`train_and_log` leaves out the short last batch of every epoch", ("in data.batches(train_x, batch_size, generator):", "in data.batches(train_x, batch_size, generator, drop_last=True):"))
edit_mistake("no_shuffle", "`train_and_log` does not shuffle the training data with the generator", ("in data.batches(train_x, batch_size, generator):", "in data.batches(train_x, batch_size, None):"))

ERROR = "difference.std().item() / math.sqrt(len(difference))"
edit_mistake("std_not_error", "`paired_difference` returns the standard deviation of the differences; the error of their mean is smaller by the square root of N", (ERROR, "difference.std().item()"))
edit_mistake("population_error", "`paired_difference` divides the squares by N; equation (14.2) divides them by N - 1", (ERROR, "difference.std(unbiased=False).item() / math.sqrt(len(difference))"))
edit_mistake("unpaired", "`paired_difference` adds the variances of the two models as if they were scored on different examples", (ERROR, "math.sqrt((nll_a.var().item() + nll_b.var().item()) / len(difference))"))

CHOSEN = "chosen = int(means.argmin())"
edit_mistake("selects_on_test", "`select_on_validation` chooses the model by its test NLL, so the reported value is biased down", (CHOSEN, "chosen = int(test_nll.mean(1).argmin())"))
edit_mistake(
    "lowest_number", "`select_on_validation` looks for the lowest single number; the lowest mean of a model is asked for",
    (CHOSEN, "chosen = int(torch.where(means.isfinite()[:, None], validation_nll, math.inf).argmin()) // validation_nll.shape[1]"),
)
edit_mistake("nan_wins", "`select_on_validation` lets a diverged model win: a NaN must neither count as the smallest nor be left out of the mean", ("    means = torch.where(means.isfinite(), means, math.inf)\n", ""))


# --- alternatives ------------------------------------------------------------------------------------------------


@alternative("weighted means, inference mode, chunks by slicing, one generator of steps")
def other_loops(ref):
    def evaluate(model, x, batch_size):
        mode = model.training
        try:
            model.eval()
            total = torch.zeros((), dtype=torch.float64)
            with torch.inference_mode():
                for start in range(0, len(x), batch_size):
                    batch = x[start : start + batch_size]
                    total += model(batch).double().mean().cpu() * len(batch) / len(x)
        finally:
            model.train(mode)
        return float(total)

    def train_and_log(model, train_x, test_x, epochs, batch_size, learning_rate, generator):
        per_epoch = math.ceil(len(train_x) / batch_size)
        train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]
        for step, batch in enumerate(data.batches(train_x, batch_size, generator, steps=epochs * per_epoch)):
            model.train()
            model.zero_grad()
            loss = model(batch).mean()
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= learning_rate * p.grad
            train_losses.append(float(loss))
            if (step + 1) % per_epoch == 0:
                test_losses.append(evaluate(model, test_x, batch_size))
        return train_losses, test_losses

    return {"evaluate": evaluate, "train_and_log": train_and_log}


@alternative("NumPy statistics, concatenated scores, torch.split")
def statistics(ref):
    @torch.no_grad()
    def evaluate(model, x, batch_size):
        mode = model.training
        model.eval()
        scores = torch.cat([model(part) for part in x.split(batch_size)])
        model.train(mode)
        return scores.mean()

    def paired_difference(nll_a, nll_b):
        d = (nll_a.double() - nll_b.double()).cpu().numpy()
        return d.mean(), d.std(ddof=1) / len(d) ** 0.5

    def select_on_validation(validation_nll, test_nll):
        good = [i for i in range(len(validation_nll)) if bool(validation_nll[i].isfinite().all())]
        best = min(good, key=lambda i: float(validation_nll[i].mean()))
        return torch.tensor(best), test_nll[best].double().mean()

    return {"evaluate": evaluate, "paired_difference": paired_difference, "select_on_validation": select_on_validation}


edit_alternative(
    "frozen", "the parameters are frozen while the model is evaluated",
    ("    with torch.no_grad():\n", "    needed = [p.requires_grad for p in model.parameters()]\n    model.requires_grad_(False)\n    if True:\n"),
    (BACK, "    for p, flag in zip(model.parameters(), needed):\n        p.requires_grad_(flag)\n" + BACK),
)
edit_alternative("nan_to_num", "diverged models by nan_to_num", ("means = torch.where(means.isfinite(), means, math.inf)", "means = means.nan_to_num(nan=math.inf, posinf=math.inf)"))


@alternative("the best index among the finite models; a copy of the model is evaluated; covariances")
def on_a_copy(ref):
    @torch.no_grad()
    def evaluate(model, x, batch_size):
        twin = copy.deepcopy(model).eval()
        return float(sum(twin(part).sum() for part in x.split(min(batch_size, len(x)))) / len(x))

    def paired_difference(nll_a, nll_b):
        both = torch.stack([nll_a, nll_b]).double()
        table = torch.cov(both)
        return both.mean(1).diff().neg().item(), ((table[0, 0] + table[1, 1] - 2 * table[0, 1]) / len(nll_a)).sqrt().item()

    def select_on_validation(validation_nll, test_nll):
        finite = torch.nonzero(validation_nll.isfinite().all(1)).flatten()
        best = finite[validation_nll[finite].mean(1).argmin()]
        return best, test_nll[best].mean()

    return {"evaluate": evaluate, "paired_difference": paired_difference, "select_on_validation": select_on_validation}

"""Hidden tests of question 4: unconstrained parameters, the loss, SGD with momentum, and the training loop."""

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, in_words, named, slopes

question = Question(
    title="The same mixture by gradient descent",
    skills=["1.17", "1.18"],
    lecture="Mixtures of Gaussians and EM; stochastic gradient descent; automatic differentiation",
    run_seconds=17,
    aim=(
        "Reparametrise a constrained model, write SGD with momentum as in torch.optim and one training loop for any "
        "loss, and see what the batch size changes: the noise of the gradient, not its mean."
    ),
    hints={
        "constrain": (
            "Which entries of `raw` must become positive, which may keep any sign, and which count for nothing?",
            "K = 1, D = 2: raw [[0, 7], [3, 0.69]] must give [[1, 0], [3, 2]]. Try yours on it.",
            "`diagonal(dim1=-2, dim2=-1)` takes K diagonals out, `torch.diag_embed` puts K back, `tril(-1)` keeps what "
            "is below. Take exp of the diagonal only, after it has been taken out.",
        ),
        "gmm_nll": (
            "Which two terms of (4.2) need L, and where is the log-determinant already written down?",
            "Make one array (K, D, B) of x − μ, one column for each example. With the L of the text and (1, 5) the "
            "solve gives (1, 1).",
            "`torch.linalg.solve_triangular(L, columns, upper=False)` solves for all K at once. Sum the squares over D, "
            "add the log-weights, then one log-sum-exp over K, and a mean over the batch.",
        ),
        "sgd_step": (
            "Which of the two lines on v and θ comes first, and does the learning rate belong into v?",
            "β = 0.9, η = 0.1, g = 1 twice, from θ = 0: v is 1, then 1.9; θ is −0.1, then −0.29.",
            "Inside `with torch.no_grad():` build lists of new tensors, one parameter after the other.",
        ),
        "train": (
            "What has to survive from one step to the next, and what must be made anew in each?",
            "Ten examples, batches of four: sizes 4, 4, 2, then a new permutation and 4, 4, 2 again.",
            "`p.detach().requires_grad_()` makes a fresh leaf of a parameter; `torch.autograd.grad(value, leaves)` gives "
            "the gradients by these leaves. What enters the history must not keep the graph alive.",
        ),
    },
    ambiguities=[
        "Parameters, gradients and velocities may come back as tuples or lists; the history is a tensor.",
        "Another order of minibatches than the stated one fails the probes of exact runs, but not that of quality.",
    ],
)


def random_params(rng, k, d):
    """Logits, means, raw factors; also above the diagonal of raw there are numbers, which count for nothing."""
    return rng.normal(k), rng.normal(k, d, std=2.0), rng.normal(k, d, d, std=0.5)


def double(params):
    return tuple(part.double() for part in params)


def off_diagonal(rng, raw):
    """``raw`` with an entry of several hundred on either side of the diagonal; exp of it overflows, even in float64."""
    changed = raw.clone()
    changed[:, 1, 0], changed[:, 0, 1] = rng.uniform(2, len(raw), low=750.0, high=950.0).to(raw)
    return changed


# --- constrain -----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="`constrain`: valid parameters from unconstrained ones", public=True)
def constrain_values(student, rng):
    params = random_params(rng, rng.integer(2, 5), rng.integer(2, 5))
    parts = named(student.constrain(params), "log_weights", "means", "factors")
    single = named(student.constrain(random_params(rng, 1, 1)), "log_weights", "means", "factors")
    return {**parts, "one component in 1-D": single}


@question.probe(points=1, title="`constrain`: large entries, gradients, float64", judge=Fields(default=Close()))
def constrain_edges(student, rng):
    k, d = rng.integer(2, 5), rng.integer(3, 5)
    logits, means, raw = random_params(rng, k, d)
    steep, apart, thin = off_diagonal(rng, raw), logits.clone(), raw.clone()
    apart[0] -= rng.number(760.0, 950.0)
    for i in range(d):
        thin[:, i, i] = rng.uniform(k, low=10.0, high=16.0) * (2 * rng.bernoulli(k) - 1)
    weights = rng.normal(k), rng.normal(k, d), rng.normal(k, d, d)

    def parts(*params):
        return named(student.constrain(params), "log_weights", "means", "factors")

    def grad(name, index, *params):
        leaves = [p.detach().requires_grad_() for p in params]
        return slopes(parts(*leaves)[name], params[index].shape, weights[index], x=leaves[index])

    what = "`constrain`"
    return {
        "gradient by the logits": entry(what, lambda: grad("log_weights", 0, logits, means, raw)),
        "gradient by the means": entry(what, lambda: grad("means", 1, logits, means, raw)),
        "gradient by raw": entry(what, lambda: grad("factors", 2, logits, means, raw)),
        "large entries off the diagonal": entry(what, lambda: parts(logits, means, steep)["factors"]),
        "gradient by raw, large entries off the diagonal": entry(
            what, lambda: grad("factors", 2, logits, means, steep)
        ),
        "logits hundreds apart": entry(what, lambda: parts(apart, means, raw)["log_weights"]),
        "gradient by the logits, hundreds apart": entry(what, lambda: grad("log_weights", 0, apart, means, raw)),
        "logits far from 0": entry(what, lambda: parts(logits + 500.0, means, raw)["log_weights"]),
        "logs of tiny and huge scales": entry(
            what, lambda: parts(logits, means, thin)["factors"].diagonal(dim1=-2, dim2=-1).log()
        ),
        "in float64": entry(what, lambda: [in_words(part) for part in student.constrain(double((logits, means, raw)))]),
    }


# --- gmm_nll -------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="`gmm_nll`: the loss, and its invariance to a shift of the logits", public=True)
def nll_values(student, rng):
    d, n = rng.integer(2, 5), rng.integer(5, 9)
    k = rng.choice([size for size in (2, 3, 4) if size != d])
    logits, means, raw = random_params(rng, k, d)
    means = 0.4 * means  # near each other, so that every component has a say
    x = rng.normal(n, d, std=1.5)
    shift = rng.number(20.0, 40.0)
    return {
        "batches of three sizes": [student.gmm_nll((logits, means, raw), x[:size]) for size in (n, n - 2, 1)],
        "shifted logits": [student.gmm_nll((logits + shift, means, raw), x[:size]) for size in (n, n - 1, n - 2)],
        "one component in 1-D": [student.gmm_nll(random_params(rng, 1, 1), rng.normal(3, 1)) for _ in range(3)],
    }


def nll_and_gradients(student, params, x, factor=1.0):
    """The loss and its gradients by logits, means and raw, all times a factor."""
    leaves = [p.detach().requires_grad_() for p in params]
    value = student.gmm_nll(tuple(leaves), x)
    grads = slopes(value, (), factor, logits=leaves[0], means=leaves[1], raw=leaves[2])
    return grads if isinstance(grads, str) else [factor * value.detach(), *grads]


NLL_LOSSES = dict.fromkeys(
    ("very far, in units of 10,000", "thin components", "in a tiny unit", "in a huge unit", "logits far from 0"),
    Close(rtol=1e-3, atol=1e-3),
)


@question.probe(
    points=1.5, title="`gmm_nll`: extreme parameters, gradients, float64", judge=Fields(NLL_LOSSES, default=Close(rtol=1e-3, atol=1e-4))
)
def nll_edges(student, rng):
    k, d = rng.integer(2, 5), rng.integer(2, 4)
    n = 6
    logits, means, raw = random_params(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    direction = rng.normal(n, d)
    away = rng.number(1e6, 2e6) * direction / direction.norm(dim=1, keepdim=True)
    collapsed = raw.clone()
    collapsed[0] = -20.0 * torch.eye(d).to(raw)  # scale 2e-9 around its mean, an example
    thin = raw.clone()
    thin[:, 1, 1] = -9.5  # long in one direction, 1e-4 in another
    thin[:, 1, 0] = 1.0 + rng.uniform(k)
    # L = [[1, 0], [1, l]]: in float32 the last entry of L Lᵀ, 1 + l², rounds to 1 + 2^-23, so l comes back as 2^-11.5
    thinnest = torch.tensor([[0.0, 0.0], [1.0, float(np.log(rng.number(1.15, 1.3)) - 12 * np.log(2.0))]]).to(raw)
    across = rng.uniform(4, low=3.0, high=8.0) * thinnest[1, 1].exp()
    middle = 40.0 * (1.0 + rng.uniform(1, 2))  # so far from 0 that a square expanded loses all digits
    points = middle + torch.stack([0 * across, across], dim=1)
    apart = logits.clone()
    apart[0] -= rng.number(760.0, 950.0)  # unlikely a priori, but the others are too far away to explain x
    spread = means + 200.0 * torch.arange(k).to(means)[:, None]
    around_first = spread[:1] + 0.1 * rng.normal(n, d)
    steep = off_diagonal(rng, raw)
    halves = slice(0, 3), slice(3, 6), slice(0, 6)

    def losses(params, batch):
        return entry("`gmm_nll`", lambda: [student.gmm_nll(params, batch[part]) for part in halves])

    def grads(params, batch, factor=1.0):
        return entry("`gmm_nll`", lambda: nll_and_gradients(student, params, batch, factor))

    def resized(log_scale):
        """Everything of another size: data, means, factors."""
        scale = torch.tensor(log_scale).exp().to(x)
        factors = raw.tril(-1) * scale + torch.diag_embed(raw.diagonal(dim1=1, dim2=2) + log_scale)
        return losses((logits, means * scale, factors), x * scale)

    wide = double((logits, means, raw))
    return {
        "very far, in units of 10,000": losses((logits, means, raw), away),
        "thin components": entry(
            "`gmm_nll`", lambda: [student.gmm_nll((logits[:1], middle, thinnest[None]), p[None]) for p in points]
        ),
        "in a tiny unit": resized(-60.0),  # of which the square is 0 in float32, as is the product of two scales
        "in a huge unit": resized(60.0),
        "logits far from 0": losses((logits + 500.0, means, raw), x),
        "type of the loss": entry("`gmm_nll`", lambda: in_words(student.gmm_nll(wide, x[:1].double()))),
        "loss and gradients": grads((logits, means, raw), x),
        "loss and gradients around 100,000 in float64": grads((wide[0], wide[1] + 1e5, wide[2]), x.double() + 1e5),
        "loss and gradients with a collapsed component": grads((logits, torch.cat([x[:1], means[1:]]), collapsed), x),
        "loss and gradients far from all components": grads(wide, x.double() + 200.0),
        "loss and gradients of thin components": grads(double((logits, means, thin)), x.double()),
        "loss and gradients / 1e6 with large entries off the diagonal": grads(
            (wide[0], wide[1], steep.double()), x.double(), 1e-6
        ),
        "loss and gradients with logits hundreds apart": grads(double((apart, spread, raw)), around_first.double()),
    }


# --- sgd_step ------------------------------------------------------------------------------------------------------


def trajectory(student, rng, momentum, decay):
    """Eight steps on a quadratic; the learning rate changes after four."""
    shapes = [(rng.integer(2, 5),), (rng.integer(2, 4), 2)]
    curvature = [rng.uniform(*shape, low=0.2, high=2.0) for shape in shapes]
    params, velocity = tuple(rng.normal(*shape) for shape in shapes), tuple(torch.zeros_like(c) for c in curvature)
    found = []
    for t in range(8):
        grads = tuple(c * p - 1.0 for c, p in zip(curvature, params))
        params, velocity = student.sgd_step(params, grads, velocity, 0.1 if t < 4 else 0.03, momentum, decay)
        params, velocity = tuple(params), tuple(velocity)
        if t in (0, 1, 4, 7):
            found.append({"params": list(params), "velocity": list(velocity)})
    return found


@question.probe(points=0.5, title="`sgd_step`: eight steps", public=True, judge=Close(rtol=5e-4, atol=1e-5))
def sgd_trajectory(student, rng):
    momentum, decay = rng.number(0.5, 0.9), rng.number(0.1, 0.5)
    return {
        "without momentum": trajectory(student, rng, 0.0, 0.0),
        "with momentum": trajectory(student, rng, momentum, 0.0),
        "with momentum and weight decay": trajectory(student, rng, momentum, decay),
    }


@question.probe(
    points=1.25, title="`sgd_step`: nothing is left behind, other shapes", judge=Fields(default=Close(rtol=5e-4, atol=1e-5))
)
def sgd_edges(student, rng):
    def after(params, grads, velocity, *settings):
        new, moved = student.sgd_step(params, grads, velocity, *settings)
        return {"params": list(new), "velocity": list(moved)}

    def change():
        """A number and a block, in float64 and far from 0, with a large gradient."""
        new, moved = student.sgd_step(large[0], large[1], tuple(0.5 * g for g in large[1]), 1e-6, 0.5, 0.7)
        return {"change of params": [one - old for one, old in zip(new, large[0])], "velocity": list(moved)}

    def two_in_turns():
        """Two optimisers of the same shapes take turns: nothing may be remembered outside of `velocity`."""
        states = [[(start,), (torch.zeros_like(start),)] for start in (rng.normal(3), rng.normal(3))]
        for _ in range(4):
            for number, state in enumerate(states):
                state[:] = map(tuple, student.sgd_step(state[0], ((1 + number) * state[0][0],), state[1], 0.1, 0.7, 0.2))
        return [state[0][0] for state in states]

    def graph():
        params = tuple(rng.normal(3, 2).requires_grad_() for _ in range(2))
        grads = tuple(torch.autograd.grad(sum((p**3).sum() for p in params), params))
        new, moved = student.sgd_step(params, grads, tuple(torch.zeros_like(p) for p in params), 0.1, 0.5, 0.6)
        return {
            "results": [in_words(part) for part in (*new, *moved)],
            "params": [in_words(part) for part in params],
            "autograd still records": int((2 * params[0]).requires_grad),
            "values": list(new),
        }

    def overwritten():
        """The results are the caller's, to do with as he likes."""
        params, grads, before = ((rng.normal(3, 2),) for _ in range(3))
        for settings in ((0.1,), (0.1, 0.5), (0.1, 0.0, 0.3), (0.0,)):
            for part in (part for result in student.sgd_step(params, grads, before, *settings) for part in result):
                with torch.no_grad():
                    part.fill_(7.0)
        return [params[0], grads[0], before[0]]

    large = (
        tuple((1e6 + rng.normal(*shape)).double() for shape in ((), (2, 1, 3))),
        tuple(1e6 * rng.normal(*shape).double() for shape in ((), (2, 1, 3))),
    )
    several = [tuple(rng.normal(size) for size in (2, 3, 1, 4)) for _ in range(3)]
    one = [(rng.normal(3, 2),) for _ in range(3)]
    what = "`sgd_step`"
    return {
        "four parameters": entry(what, lambda: after(*several, 0.3, 0.95, 0.2)),
        "momentum and weight decay left out": entry(what, lambda: after(*one, 0.2)),
        "negative velocity, weight decay alone": entry(
            what, lambda: after(one[0], one[1], (-one[2][0].abs(),), 0.2, 0.0, 0.4)
        ),
        "a gradient of zero": entry(what, lambda: after(one[0], (0 * one[1][0],), one[2], 0.2, 0.7, 0.4)),
        "a number and a block in float64": entry(what, change),
        "types in float64": entry(
            what, lambda: [in_words(part) for result in student.sgd_step(*large, large[1], 0.1, 0.5) for part in result]
        ),
        "two optimisers in turns": entry(what, two_in_turns),
        "with params that require gradients": entry(what, graph),
        "arguments, after the results were overwritten": entry(what, overwritten),
    }


# --- train ---------------------------------------------------------------------------------------------------------


def planted(curvature, offset=0.0):
    """A loss for ``train``: curvature times the squared distance of each parameter to each example's target.

    A fifth of the parameter before moves the target, so that no parameter can be trained for itself. It takes exactly as many
    parameters as there are curvatures, of their shapes, and examples of any shape.
    """

    shares = [1 - 0.4 * number for number in range(len(curvature))]
    width = sum(float(c.sum()) * share**2 for c, share in zip(curvature, shares))

    def loss(params, batch):
        if [tuple(p.shape) for p in params] != [tuple(c.shape) for c in curvature]:
            raise ValueError("`loss` was called with other parameters than those of the start")
        rows = batch.flatten(1).to(curvature[0])
        values = rows @ torch.arange(1, rows.shape[1] + 1).to(rows)
        centre = values.mean()  # the mean square distance is that from the mean, plus the variance
        total, before = offset + width * (values - centre).square().mean(), 0.0
        for p, c, share in zip(params, curvature, shares):
            total = total + (c * (p - share * centre - before).square()).sum()
            before = 0.2 * p.mean()
        return total

    return loss


class Task:
    """A planted loss, a start, and runs from there."""

    def __init__(self, rng, *shapes, dtype=torch.float32, offset=0.0):
        self.loss = planted([rng.uniform(*shape, low=0.15, high=0.75).to(dtype) for shape in shapes], offset)
        self.start = tuple(rng.normal(*shape).to(dtype) for shape in shapes)
        self.generator = rng.generator()

    def run(self, student, x, steps, batch_size, momentum=0.6, lr=0.15):
        params, history = student.train(self.loss, self.start, x, steps, batch_size, lr, momentum, self.generator)
        return {"params": list(params), "history": history}


@question.probe(points=0.5, title="`train`: a run on a loss of two parameters", public=True)
def planted_run(student, rng):
    batch_size = rng.integer(4, 7)
    x = rng.normal(2 * batch_size + rng.integer(2, batch_size), 2)  # the third batch of each pass is smaller
    found = Task(rng, (3,), (2, 2)).run(student, x, 4, batch_size)
    return {**found, "type of the history": in_words(found["history"])}


@question.probe(
    points=0.75, title="`train`: any parameters, any batch size, runs in turn", judge=Fields(default=Close(rtol=2e-4, atol=1e-4))
)
def train_edges(student, rng):
    size = rng.integer(4, 7)
    x = rng.normal(2 * size + 1, 2, std=1.5)  # the last batch of a pass has one example
    whole = rng.integers(0, 4, size + 3, 2, 2)

    def run(shapes, x, steps, batch_size, **settings):
        task = Task(rng, *shapes)
        return entry("`train`", lambda: task.run(student, x, steps, batch_size, **settings))

    def in_turn():
        """The first run stops within a pass; the others draw their own orders from the same generator."""
        task = Task(rng, (2,))
        return [task.run(student, x, steps, size) for steps in (2, 4, 3)]

    return {
        "four parameters, one of them a number": run([(2,), (), (2, 1, 3), (1,)], x, 4, size),
        "one parameter, batch_size divides N": run([(4,)], x[: 2 * size], 3, size),
        "one parameter, batch_size above N": run([(4,)], x, 2, 3 * size),
        "one parameter, one example per batch, no momentum": run([(4,)], x[:3], 7, 1, momentum=0.0),
        "one step": run([(2,), (3,)], x, 1, size),
        "three parameters, examples of shape (2, 2), whole numbers": run([(2,), (3,), (2, 2)], whole, 3, size),
        "three runs with one generator": entry("`train`", in_turn),
        "a learning rate so large that every loss is higher": run([(4,)], x, 5, 3 * size, momentum=0.0, lr=8.0),
    }


@question.probe(
    points=0.75, title="`train`: float64, and what is left behind",
    judge=Fields(
        {"change of params around 1,000,000 in float64": Close(rtol=1e-6, atol=1e-6)}, default=Close(rtol=2e-4, atol=1e-4)
    ),
)
def train_state(student, rng):
    size = rng.integer(4, 7)
    x = rng.normal(2 * size + 1, 2, std=1.5)

    def in_float64():
        """So far out also float32, or a small weight decay, would show; the start is near the minimum."""
        task = Task(rng, (2,), (), dtype=torch.float64, offset=1e7)
        task.start = task.start[0] + 3e6, task.start[1] + 2.4e6
        found = task.run(student, x.double() + 1e6, 3, size)
        changes = [new - old for new, old in zip(found["params"], task.start)]
        return changes, found["history"] - 1e7, [in_words(part) for part in (*found["params"], found["history"])]

    def left_behind():
        """What was given: parameters that do not require gradients, then such that do."""
        plain, marked = Task(rng, (3,), (2, 2)), Task(rng, (3,), (2, 2))
        marked.start = tuple(part.requires_grad_() for part in marked.start)
        results = [task.run(student, x, steps, size)["params"] for task, steps in ((plain, 1), (marked, 2))]
        return {
            "start": [in_words(part) for part in (*plain.start, *marked.start)],
            "values of the start": [part.detach().clone() for part in (*plain.start, *marked.start)],
            "`.grad` of the start is None": [int(part.grad is None) for part in (*plain.start, *marked.start)],
            "results": [in_words(part) for result in results for part in result],
            "autograd still records": int((2 * marked.start[0]).requires_grad),
        }

    wide = entry("`train`", in_float64)
    changes, losses, kinds = (wide, wide, wide) if isinstance(wide, str) else wide
    return {
        "change of params around 1,000,000 in float64": changes,
        "history around 10,000,000 in float64, minus that": losses,
        "types in float64": kinds,
        "what is left behind": entry("`train`", left_behind),
    }


def quality_start(device):
    """Where the training run begins: means half as far out as the clusters, scales of 1."""
    means = torch.tensor([[-1.5, 0.0], [0.0, 1.5], [1.5, 0.0]], device=device)
    return torch.zeros(3, device=device), means, torch.zeros(3, 2, 2, device=device)


def clusters(rng, n):
    """Three overlapping Gaussian clusters in the plane: training data, and (drawn by the judge again) test data."""
    centres = 2.0 * quality_start(rng.device)[1] + rng.normal(3, 2, std=0.4)
    label = rng.integers(0, 3, n)
    return centres, centres[label] + rng.normal(n, 2) * rng.uniform(1, 2, low=0.5, high=1.0)


def no_worse_than_reference(evidence, expected, context):
    """NLL of the returned parameters on fresh data, computed by the grader, at most the reference run's + 0.1."""
    shapes = [tuple(np.shape(part)) for part in expected]
    if not isinstance(evidence, list) or [tuple(np.shape(part)) for part in evidence] != shapes:
        return "the returned parameters do not have the shapes (K,), (K, D), (K, D, D) of the start."
    if not all(np.isfinite(part).all() for part in evidence):
        return "the returned parameters are not finite: the training diverged."
    rng = context.rng()
    _, x = clusters(rng, 2300)
    test = x[300:].double().cpu()  # the first draws are the training data
    got, want, start = (
        float(context.reference.gmm_nll(tuple(torch.as_tensor(part).double() for part in params), test))
        for params in (evidence, expected, quality_start("cpu"))
    )
    if got <= want + 0.1:
        return True
    return (
        f"on fresh data the trained mixture has {got:.3f} nats; it started from {start:.3f}, and a right training loop "
        f"comes to about {want:.2f} with these settings."
    )


@question.probe(points=0.75, title="`train` and `gmm_nll`: the trained mixture on fresh data", judge=no_worse_than_reference)
def training_quality(student, rng):
    _, x = clusters(rng, 2300)
    params, _ = student.train(
        student.gmm_nll, quality_start(x.device), x[:300], steps=20, batch_size=50, lr=0.08, momentum=0.85,
        generator=rng.generator(),
    )
    return list(params)

"""Hidden tests of question 4: unconstrained parameters, the loss, SGD with momentum, and the training loop."""

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, gradient, in_words, named

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
    k, d = rng.integer(2, 5), rng.integer(2, 5)
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
        chosen = parts(*leaves)[name]
        return gradient(f"{name} of constrain", chosen * weights[index].to(chosen), x=leaves[index])[0]

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
    x = rng.normal(n, d, std=2.0)
    shift = rng.number(20.0, 40.0)
    return {
        "batches of three sizes": [student.gmm_nll((logits, means, raw), x[:size]) for size in (n, n - 1, n - 2)],
        "each example": [student.gmm_nll((logits, means, raw), x[i : i + 1]) for i in range(n)],
        "shifted logits": [student.gmm_nll((logits + shift, means, raw), x[:size]) for size in (n, n - 1, n - 2)],
        "one component in 1-D": [student.gmm_nll(random_params(rng, 1, 1), rng.normal(3, 1)) for _ in range(3)],
    }


def nll_gradient(student, params, x):
    """Gradients by logits, means and raw."""
    leaves = [p.detach().requires_grad_() for p in params]
    return gradient("the loss", student.gmm_nll(tuple(leaves), x), logits=leaves[0], means=leaves[1], raw=leaves[2])


NLL_LOSSES = dict.fromkeys(
    (
        "far from all components", "very far, in units of 10,000", "a collapsed component", "thin components",
        "large entries off the diagonal", "in a tiny unit", "in a huge unit", "logits hundreds apart",
        "logits far from 0",
    ),
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
    away = rng.number(100.0, 200.0) * direction / direction.norm(dim=1, keepdim=True)
    collapsed = raw.clone()
    collapsed[0] = -20.0 * torch.eye(d).to(raw)  # scale 2e-9 around its mean
    on_example = torch.cat([x[:1], means[1:]])
    thin = raw.clone()
    thin[:, 1, 1] = -9.5  # long in one direction, 1e-4 in another
    thin[:, 1, 0] = 1.0 + rng.uniform(k)
    near = [x[:1] + 150.0 + 1e-3 * rng.normal(1, d) for _ in range(3)]
    apart = logits.clone()
    apart[0] -= rng.number(760.0, 950.0)  # unlikely a priori, but the others are too far away to explain x
    spread = means + 200.0 * torch.arange(k).to(means)[:, None]
    around_first = spread[:1] + 0.1 * rng.normal(n, d)
    steep = off_diagonal(rng, raw)
    halves = slice(0, 3), slice(3, 6), slice(0, 6)

    def losses(params, batch):
        return entry("`gmm_nll`", lambda: [student.gmm_nll(params, batch[part]) for part in halves])

    def grads(params, batch, factor=1.0):
        return entry("`gmm_nll`", lambda: [factor * part for part in nll_gradient(student, params, batch)])

    def resized(log_scale):
        """Everything of another size: data, means, factors."""
        scale = torch.tensor(log_scale).exp().to(x)
        factors = raw.tril(-1) * scale + torch.diag_embed(raw.diagonal(dim1=1, dim2=2) + log_scale)
        return losses((logits, means * scale, factors), x * scale)

    wide = double((logits, means, raw))
    thick = double((logits, means, thin))
    return {
        "far from all components": losses((logits, means, raw), away),
        "very far, in units of 10,000": losses((logits, means, raw), 1e4 * away),
        "a collapsed component": losses((logits, on_example, collapsed), x),
        "thin components": entry(
            "`gmm_nll`", lambda: [student.gmm_nll((logits[:1], x[:1] + 150.0, thin[:1]), point) for point in near]
        ),
        "large entries off the diagonal": losses((logits, means, steep), x),
        "in a tiny unit": resized(-29.0),
        "in a huge unit": resized(29.0),
        "logits hundreds apart": losses((apart, spread, raw), around_first),
        "logits far from 0": losses((logits + 500.0, means, raw), x),
        "around 100,000 in float64": losses((wide[0], wide[1] + 1e5, wide[2]), x.double() + 1e5),
        "type of the loss": entry("`gmm_nll`", lambda: in_words(student.gmm_nll(wide, x.double()))),
        "gradients": grads((logits, means, raw), x),
        "gradients around 100,000 in float64": grads((wide[0], wide[1] + 1e5, wide[2]), x.double() + 1e5),
        "gradients with a collapsed component": grads((logits, means, collapsed), x),
        "gradients far from all components": grads(wide, x.double() + 200.0),
        "gradients of thin components": grads(thick, x.double()),
        "gradients / 1e6 with large entries off the diagonal": grads(
            (wide[0], wide[1], steep.double()), x.double(), 1e-6
        ),
        "gradients with logits hundreds apart": grads(double((apart, spread, raw)), around_first.double()),
    }


# --- sgd_step ------------------------------------------------------------------------------------------------------


def trajectory(student, rng, momentum, decay):
    """16 steps on a quadratic; the learning rate changes after 8."""
    shapes = [(rng.integer(2, 5),), (rng.integer(2, 4), 2)]
    curvature = [rng.uniform(*shape, low=0.2, high=2.0) for shape in shapes]
    params, velocity = tuple(rng.normal(*shape) for shape in shapes), tuple(torch.zeros_like(c) for c in curvature)
    found = []
    for t in range(16):
        grads = tuple(c * p - 1.0 for c, p in zip(curvature, params))
        params, velocity = student.sgd_step(params, grads, velocity, 0.03 if t < 8 else 0.01, momentum, decay)
        params, velocity = tuple(params), tuple(velocity)
        if t in (0, 1, 9, 15):
            found.append({"params": list(params), "velocity": list(velocity)})
    return found


@question.probe(points=0.5, title="`sgd_step`: 16 steps", public=True, judge=Close(rtol=5e-4, atol=1e-5))
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
        "four parameters": entry(what, lambda: after(*several, 0.3, 0.6, 0.2)),
        "momentum and weight decay left out": entry(what, lambda: after(*one, 0.2)),
        "negative velocity, weight decay alone": entry(
            what, lambda: after(one[0], one[1], (-one[2][0].abs(),), 0.2, 0.0, 0.4)
        ),
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
    """A loss for ``train``: half the curvature times the squared distance of each parameter to each example's target.

    It takes exactly as many parameters as there are curvatures, of their shapes, and examples of any shape.
    """

    def loss(params, batch):
        if [tuple(p.shape) for p in params] != [tuple(c.shape) for c in curvature]:
            raise ValueError("`loss` was called with other parameters than those of the start")
        rows = batch.flatten(1).to(curvature[0])
        values = (rows * torch.arange(1, rows.shape[1] + 1).to(rows)).sum(1)
        total = offset
        for number, (p, c) in enumerate(zip(params, curvature)):
            targets = (values * (1 - 0.4 * number)).reshape(-1, *[1] * c.dim())
            total = total + (0.5 * c * (p - targets).square()).sum() / len(rows)
        return total

    return loss


class Task:
    """A planted loss, a start, and runs from there."""

    def __init__(self, rng, *shapes, dtype=torch.float32, offset=0.0):
        self.loss = planted([rng.uniform(*shape, low=0.3, high=1.5).to(dtype) for shape in shapes], offset)
        self.start = tuple(rng.normal(*shape).to(dtype) for shape in shapes)
        self.generator = rng.generator()

    def run(self, student, x, steps, batch_size, momentum=0.6):
        params, history = student.train(self.loss, self.start, x, steps, batch_size, 0.15, momentum, self.generator)
        return {"params": list(params), "history": history}


@question.probe(points=0.5, title="`train`: a run on a loss of two parameters", public=True)
def planted_run(student, rng):
    batch_size = rng.integer(4, 7)
    x = rng.normal(2 * batch_size + rng.integer(2, batch_size), 2)  # the third batch of each pass is smaller
    found = Task(rng, (3,), (2, 2)).run(student, x, 7, batch_size)
    return {**found, "type of the history": in_words(found["history"])}


@question.probe(
    points=1.5,
    title="`train`: any parameters, any batch size, nothing left behind",
    judge=Fields(
        {"change of params around 100,000 in float64": Close(rtol=1e-6, atol=1e-6)}, default=Close(rtol=2e-4, atol=1e-4)
    ),
)
def train_edges(student, rng):
    size = rng.integer(4, 7)
    x = rng.normal(2 * size + 1, 2, std=1.5)  # the last batch of a pass has one example
    whole = rng.integers(0, 4, size + 3, 2, 2)

    def run(shapes, x, steps, batch_size, **settings):
        task = Task(rng, *shapes)
        return entry("`train`", lambda: task.run(student, x, steps, batch_size, **settings))

    def twice():
        """The first run stops within a pass; the second draws its own order from the same generator."""
        task = Task(rng, (2,))
        return [task.run(student, x, steps, size) for steps in (5, 7)]

    def mixture():
        k = rng.integer(2, 4)
        start = rng.normal(k), rng.normal(k, 2), rng.normal(k, 2, 2, std=0.2)
        params, history = student.train(student.gmm_nll, start, x, 7, size, 0.03, 0.7, rng.generator())
        return {"params": list(params), "history": history}

    def in_float64():
        """So far out also float32, or a small weight decay, would show; the start is near the minimum."""
        task = Task(rng, (2,), (), dtype=torch.float64)
        task.start = task.start[0] + 3e5, task.start[1] + 1.8e5
        found = task.run(student, x.double() + 1e5, 6, size)
        return [new - old for new, old in zip(found["params"], task.start)]

    def history_in_float64():
        task = Task(rng, (2,), (), dtype=torch.float64, offset=1e6)
        return task.run(student, x.double(), 6, size)["history"] - 1e6

    def types():
        found = Task(rng, (2,), (), dtype=torch.float64).run(student, x.double(), 3, size)
        return [in_words(part) for part in (*found["params"], found["history"])]

    def left_behind():
        """What was given: parameters that do not require gradients, then such that do."""
        plain, marked = Task(rng, (3,), (2, 2)), Task(rng, (3,), (2, 2))
        marked.start = tuple(part.requires_grad_() for part in marked.start)
        results = [task.run(student, x, 3, size)["params"] for task in (plain, marked)]
        return {
            "start": [in_words(part) for part in (*plain.start, *marked.start)],
            "values of the start": [part.detach().clone() for part in (*plain.start, *marked.start)],
            "`.grad` of the start is None": [int(part.grad is None) for part in (*plain.start, *marked.start)],
            "results": [in_words(part) for result in results for part in result],
            "autograd still records": int((2 * marked.start[0]).requires_grad),
        }

    what = "`train`"
    return {
        "one parameter": run([(4,)], x, 7, size),
        "four parameters, one of them a number": run([(2,), (), (2, 1, 3), (1,)], x, 7, size),
        "three parameters, without momentum": run([(2,), (2, 3), (3,)], x, 7, size, momentum=0.0),
        "batch_size divides N": run([(2,)], x[: 2 * size], 7, size),
        "batch_size above N": run([(2,)], x, 4, 3 * size),
        "one example per batch": run([(2,)], x[:4], 10, 1),
        "one step": run([(2,), (3,)], x, 1, size),
        "examples of shape (2, 2), whole numbers": run([(2,), (3,)], whole, 6, size),
        "two runs with one generator": entry(what, twice),
        "the mixture": entry(what, mixture),
        "change of params around 100,000 in float64": entry(what, in_float64),
        "history around 1,000,000 in float64, minus that": entry(what, history_in_float64),
        "types in float64": entry(what, types),
        "what is left behind": entry(what, left_behind),
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
    _, x = clusters(rng, 2400)
    test = x[400:].double().cpu()  # the first draws are the training data
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
    _, x = clusters(rng, 2400)
    params, _ = student.train(
        student.gmm_nll, quality_start(x.device), x[:400], steps=60, batch_size=50, lr=0.03, momentum=0.9,
        generator=rng.generator(),
    )
    return list(params)

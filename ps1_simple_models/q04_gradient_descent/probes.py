"""Hidden tests of question 4: unconstrained parameters, the loss, SGD with momentum, and the training loop."""

import numpy as np
import torch

from autograder.probes import Close, Question

from ..shared.answers import named

question = Question(
    title="The same mixture by gradient descent",
    skills=["1.17", "1.18"],
    aim=(
        "Reparametrise a constrained model, write SGD with momentum as in torch.optim, and train reproducibly on "
        "minibatches."
    ),
    hints={"constrain": [
        "Do the four functions in order; each uses the ones before. In `gmm_nll` the log-determinant is free: its "
        "half is the sum of the log-scales, which are the diagonal of `raw` itself.",
        "`raw.tril(-1)` keeps what is below the diagonal; `torch.diag_embed` puts a (K, D) array on K diagonals. "
        "`torch.linalg.solve_triangular(L, B, upper=False)` wants B of shape (K, D, N). In `sgd_step`, make lists of "
        "new tensors inside `with torch.no_grad():`.",
        "One training step: leaves = [p.detach().requires_grad_() for p in params]; loss = gmm_nll(leaves, batch); "
        "grads = torch.autograd.grad(loss, leaves); then sgd_step with the velocity of the step before; append "
        "loss.detach().",
    ]},
    ambiguities=[
        "Parameters and velocities may come back as tuples or lists; the history as a tensor or a list.",
        "Another order of minibatches than the stated one fails the probe of the exact run, but not the probe of its "
        "quality.",
    ],
)


def random_params(rng, k, d):
    """Logits, means, raw factors; also above the diagonal of raw there are numbers, which count for nothing."""
    return rng.normal(k), rng.normal(k, d, std=2.0), rng.normal(k, d, d, std=0.5)


def off_diagonal(rng, raw):
    """``raw`` with an entry of several hundred on either side of the diagonal; exp of it overflows, even in float64."""
    changed = raw.clone()
    changed[:, 1, 0], changed[:, 0, 1] = rng.uniform(2, len(raw), low=750.0, high=950.0).to(raw)
    return changed


@question.probe(points=1, title="valid parameters from unconstrained ones", public=True)
def constrain_values(student, rng):
    params = random_params(rng, rng.integer(2, 5), rng.integer(2, 5))
    single = random_params(rng, 1, 1)
    names = ("log_weights", "means", "factors")
    return {
        "values": named(student.constrain(params), *names),
        "one component in 1-D": named(student.constrain(single), *names),
        "dtypes of float64 parameters": [
            str(part.dtype) for part in student.constrain(tuple(part.double() for part in params))
        ],
    }


@question.probe(points=1, title="the loss, and its invariance to a shift of the logits", public=True)
def nll_values(student, rng):
    d, n = rng.integer(2, 5), rng.integer(5, 9)
    k = rng.choice([size for size in (2, 3, 4) if size != d])
    logits, means, raw = random_params(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    single = student.gmm_nll(random_params(rng, 1, 1), rng.normal(3, 1))
    shifted = student.gmm_nll((logits + rng.number(20.0, 40.0), means, raw), x)
    parts = [student.gmm_nll((logits, means, raw), x[i : i + 1]) for i in range(n)]
    wide = student.gmm_nll((logits.double(), means.double(), raw.double()), x.double())
    return {
        "loss": student.gmm_nll((logits, means, raw), x),
        "shifted logits": shifted,
        "each example": parts,
        "one component in 1-D": single,
        "dtype of the loss in float64": str(wide.dtype),
    }


@question.probe(points=1, title="the loss at extreme parameters", judge=Close(rtol=1e-3, atol=1e-3))
def nll_extremes(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), 6
    logits, means, raw = random_params(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    direction = rng.normal(n, d)
    direction = direction / direction.norm(dim=1, keepdim=True)
    away = rng.number(100.0, 200.0)
    collapsed = raw.clone()
    collapsed[0] = -20.0 * torch.eye(d).to(raw)  # scale 2e-9 around its mean, on an example
    on_example = torch.cat([x[:1], means[1:]])
    thin = raw.clone()
    thin[:, 1, 1] = -9.5  # long in one direction, 1e-4 in another
    thin[:, 1, 0] = 1.0 + rng.uniform(k)
    apart = logits.clone()
    apart[0] -= rng.number(760.0, 950.0)  # unlikely a priori, but the others are too far away to explain x
    spread = means + 200.0 * torch.arange(k).to(means)[:, None]
    sizes = {}
    for name, log_scale in (("tiny", -29.0), ("huge", 29.0)):  # everything of that size: data, means, factors
        scale = torch.tensor(log_scale).exp().to(x)
        resized = raw.tril(-1) * scale + torch.diag_embed(raw.diagonal(dim1=1, dim2=2) + log_scale)
        sizes[name] = student.gmm_nll((logits, means * scale, resized), x * scale)
    return {
        "far": student.gmm_nll((logits, means, raw), away * direction),
        "very far": student.gmm_nll((logits, means, raw), 1e4 * away * direction),
        "one collapsed component": [student.gmm_nll((logits, on_example, collapsed), x[i : i + 1]) for i in range(n)],
        "nearly singular": [
            student.gmm_nll((logits[:1], x[:1] + away, thin[:1]), x[:1] + away + 1e-3 * rng.normal(1, d))
            for _ in range(3)
        ],
        "large entries off the diagonal": student.gmm_nll((logits, means, off_diagonal(rng, raw)), x),
        "all numbers tiny": sizes["tiny"],
        "all numbers huge": sizes["huge"],
        "logits far apart": student.gmm_nll((apart, spread, raw), spread[:1] + 0.1 * rng.normal(n, d)),
        "logits far from 0": student.gmm_nll((logits + rng.number(400.0, 600.0), means, raw), x),
    }


def gradient(student, params, x):
    leaves = [p.detach().requires_grad_() for p in params]
    return named(
        torch.autograd.grad(student.gmm_nll(tuple(leaves), x), leaves, materialize_grads=True), "logits", "means", "raw"
    )


@question.probe(points=0.5, title="gradients of the loss", judge=Close(rtol=1e-3, atol=1e-4))
def nll_gradients(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(5, 9)
    logits, means, raw = random_params(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    collapsed = raw.clone()
    collapsed[0] = -20.0 * torch.eye(d).to(raw)
    in_float32 = gradient(student, (logits, means, raw), x)
    with_collapsed = gradient(student, (logits, means, collapsed), x)
    logits, means, raw, x = (part.double() for part in (logits, means, raw, x))
    thin, apart = raw.clone(), logits.clone()
    thin[:, 1, 1] = -9.5
    apart[0] -= rng.number(760.0, 950.0)
    spread = means + 200.0 * torch.arange(k).to(means)[:, None]
    steep = gradient(student, (logits, means, off_diagonal(rng, raw)), x)
    return {
        "in float32": in_float32,
        "in float64, around 100,000": gradient(
            student, (logits, means + 1e5, raw), x + 1e5
        ),  # float32 has steps of 0.008 there
        "with a collapsed component": with_collapsed,
        "far from all components": gradient(student, (logits, means, raw), x + 200.0),
        "nearly singular factors": gradient(student, (logits, means, thin), x),
        "large entries off the diagonal, gradients / 1e6": {name: 1e-6 * part for name, part in steep.items()},
        "logits far apart": gradient(student, (apart, spread, raw), x + spread[0]),
    }


@question.probe(points=1.5, title="16 steps of SGD", public=True, judge=Close(rtol=5e-4, atol=1e-5))
def sgd_trajectory(student, rng):
    shapes = [(rng.integer(2, 5),), (rng.integer(2, 4), 2)]
    momentum, decay = rng.number(0.5, 0.9), rng.number(0.1, 0.5)
    runs = []
    for m, w in ((0.0, 0.0), (momentum, 0.0), (momentum, decay)):
        curvature = [rng.uniform(*shape, low=0.2, high=2.0) for shape in shapes]
        runs.append(
            {
                "curvature": curvature,
                "m": m,
                "w": w,
                "trace": {},
                "params": tuple(rng.normal(*shape).requires_grad_() for shape in shapes),
                "velocity": tuple(torch.zeros_like(c) for c in curvature),
            }
        )
    for t in range(16):
        lr = 0.03 if t < 8 else 0.01
        for run in runs:  # three optimisers take turns: nothing may be remembered outside of `velocity`
            grads = tuple((c * p).detach() - 1.0 for c, p in zip(run["curvature"], run["params"]))
            new, run["velocity"] = student.sgd_step(run["params"], grads, run["velocity"], lr, run["m"], run["w"])
            run["params"] = tuple(new)
            if t in (0, 1, 9, 15):
                run["trace"][f"after {t + 1} step{'s' * (t > 0)}"] = {
                    "params": list(new),
                    "velocity": list(run["velocity"]),
                }
    defaults = student.sgd_step((100.0 * torch.ones_like(curvature[0]),), (curvature[0],), (2.0 * curvature[0],), 0.1)
    # A number and a block, in float64 and far from 0, with a large gradient.
    wide = (
        [(1e6 + rng.normal(*shape)).double() for shape in ((), (2, 1, 3))],
        [1e6 * rng.normal(*shape).double() for shape in ((), (2, 1, 3))],
    )
    moved, velocity = student.sgd_step(*map(tuple, wide), tuple(0.5 * g for g in wide[1]), 1e-6, 0.5, 0.7)
    return {
        "plain": runs[0]["trace"],
        "momentum": runs[1]["trace"],
        "momentum and decay": runs[2]["trace"],
        "defaults": named([list(part) for part in defaults], "params", "velocity"),
        "0-d and 3-d, in float64": {
            "change of params": [new - old for new, old in zip(moved, wide[0])],
            "velocity": list(velocity),
            "dtypes": [str(part.dtype) for part in (*moved, *velocity)],
        },
    }


@question.probe(points=0.5, title="a step leaves no trace in autograd's graph")
def no_graph(student, rng):
    params = tuple(rng.normal(3, 2).requires_grad_() for _ in range(2))
    grads = tuple(torch.autograd.grad(sum((p**3).sum() for p in params), params))
    before = tuple(torch.zeros_like(p) for p in params)
    new, velocity = student.sgd_step(params, grads, before, 0.1, 0.5, 0.6)
    found = {
        "require gradients": [int(t.requires_grad) for t in (*new, *velocity)],
        "still require gradients": [int(p.requires_grad) for p in params],
        "autograd still records": int((2 * params[0]).requires_grad),
        "values": [t.detach().clone() for t in new],
    }
    plain = student.sgd_step(params, grads, before, 0.1)
    with torch.no_grad():  # the results are the caller's, to do with as he likes
        for t in (*new, *velocity, *plain[0], *plain[1]):
            t.fill_(7.0)
    return found | {
        "arguments, after the results were overwritten": named(
            [list(params), list(grads), list(before)], "params", "grads", "velocity"
        )
    }


def numbers(history):
    """The history as an array, of the shape it has, whether it is a tensor or a list of numbers or of 0-d tensors."""
    return history if isinstance(history, torch.Tensor) else torch.tensor([float(value) for value in history])


@question.probe(points=1, title="the exact run: parameters and history", judge=Close(rtol=2e-4, atol=1e-4))
def exact_run(student, rng):
    k = rng.integer(2, 4)
    d = 5 - k  # never equal, and not 1, where a scale and a variance look alike
    batch_size = rng.integer(4, 7)
    n = 2 * batch_size + rng.integer(1, batch_size)  # the third batch of each pass is smaller
    start = rng.normal(k), rng.normal(k, d), rng.normal(k, d, d, std=0.2)
    x = rng.normal(n, d, std=1.5)
    params, history = student.train_gmm_sgd(
        x,
        start,
        steps=7,
        batch_size=batch_size,
        lr=rng.number(0.01, 0.04),
        momentum=rng.number(0.5, 0.8),
        generator=rng.generator(),
    )
    found = {"history": numbers(history), "params": named(params, "logits", "means", "raw")}
    for name, size, steps in (
        ("batch_size divides N", n // 2, 3),
        ("batch_size above N", n + 3, 2),
        ("one step", batch_size, 1),
    ):
        _, history = student.train_gmm_sgd(
            x[: n // 2 * 2], start, steps=steps, batch_size=size, lr=0.02, momentum=0.5, generator=rng.generator()
        )
        found[f"history, {name}"] = numbers(history)
    wide = (
        start[0].double(),
        start[1].double() + 1e3,
        start[2].double(),
    )  # so far out also a small weight decay would show
    params, history = student.train_gmm_sgd(
        x[: 2 * batch_size + 1].double() + 1e3,
        wide,
        steps=4,
        batch_size=batch_size,
        lr=0.02,
        momentum=0.5,
        generator=rng.generator(),
    )
    found["change of means around 1,000 in float64"] = params[1] - wide[1]
    found["history, last batch of one example"] = numbers(history)
    found["dtypes of a run in float64"] = [str(part.dtype) for part in params]
    found["start made to require gradients"] = [int(part.requires_grad) for part in (*start, *wide)]
    return found


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


@question.probe(points=0.5, title="the trained mixture on fresh data", judge=no_worse_than_reference)
def training_quality(student, rng):
    _, x = clusters(rng, 2400)
    params, _ = student.train_gmm_sgd(
        x[:400], quality_start(x.device), steps=60, batch_size=50, lr=0.03, momentum=0.9, generator=rng.generator()
    )
    return list(params)

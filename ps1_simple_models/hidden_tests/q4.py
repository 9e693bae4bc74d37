"""Hidden tests of question 4: unconstrained parameters, the loss, SGD with momentum, and the training loop."""

import math

import numpy as np
import torch

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q4",
    title="The same mixture by gradient descent",
    skills=["1.17", "1.18"],
    minutes=55,
    aim="Reparametrise a constrained model, write SGD with momentum as in torch.optim, and train reproducibly on minibatches.",
    hints=[
        "Do the four functions in order; each uses the ones before. In `gmm_nll` the log-determinant is free: its half is the sum "
        "of the log-scales, which are the diagonal of `raw` itself.",
        "`raw.tril(-1)` keeps what is below the diagonal; `torch.diag_embed` puts a (K, D) array on K diagonals. "
        "`torch.linalg.solve_triangular(L, B, upper=False)` wants B of shape (K, D, N). In `sgd_step`, make lists of new tensors "
        "inside `with torch.no_grad():`.",
        "One training step: leaves = [p.detach().requires_grad_() for p in params]; loss = gmm_nll(leaves, batch); "
        "grads = torch.autograd.grad(loss, leaves); then sgd_step with the velocity of the step before; append loss.detach().",
    ],
    ambiguities=[
        "Parameters and velocities may come back as tuples or lists; the history as a tensor or a list.",
        "Another order of minibatches than the stated one fails the probe of the exact run, but not the probe of its quality.",
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


def named(parts, *names):
    """Parts of a tuple with their names, so that a message can say which one is wrong."""
    if len(parts) != len(names):
        raise ValueError(f"{len(parts)} things are returned where {len(names)} are expected: {', '.join(names)}")
    return dict(zip(names, parts))


@probe(points=1, title="valid parameters from unconstrained ones", public=True)
def constrain_values(student, rng):
    params = random_params(rng, rng.integer(2, 5), rng.integer(2, 5))
    single = random_params(rng, 1, 1)
    names = ("log_weights", "means", "factors")
    return {
        "values": named(student.constrain(params), *names), "one component in 1-D": named(student.constrain(single), *names),
        "dtypes of float64 parameters": [str(part.dtype) for part in student.constrain(tuple(part.double() for part in params))],
    }


@probe(points=1, title="the loss, and its invariance to a shift of the logits", public=True)
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
        "loss": student.gmm_nll((logits, means, raw), x), "shifted logits": shifted, "each example": parts, "one component in 1-D": single,
        "dtype of the loss in float64": str(wide.dtype),
    }


@probe(points=1, title="the loss at extreme parameters", judge=Close(rtol=1e-3, atol=1e-3))
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
        "nearly singular": [student.gmm_nll((logits[:1], x[:1] + away, thin[:1]), x[:1] + away + 1e-3 * rng.normal(1, d)) for _ in range(3)],
        "large entries off the diagonal": student.gmm_nll((logits, means, off_diagonal(rng, raw)), x),
        "all numbers tiny": sizes["tiny"],
        "all numbers huge": sizes["huge"],
        "logits far apart": student.gmm_nll((apart, spread, raw), spread[:1] + 0.1 * rng.normal(n, d)),
        "logits far from 0": student.gmm_nll((logits + rng.number(400.0, 600.0), means, raw), x),
    }


def gradient(student, params, x):
    leaves = [p.detach().requires_grad_() for p in params]
    return named(torch.autograd.grad(student.gmm_nll(tuple(leaves), x), leaves, materialize_grads=True), "logits", "means", "raw")


@probe(points=0.5, title="gradients of the loss", judge=Close(rtol=1e-3, atol=1e-4))
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
        "in float64, around 100,000": gradient(student, (logits, means + 1e5, raw), x + 1e5),  # float32 has steps of 0.008 there
        "with a collapsed component": with_collapsed,
        "far from all components": gradient(student, (logits, means, raw), x + 200.0),
        "nearly singular factors": gradient(student, (logits, means, thin), x),
        "large entries off the diagonal, gradients / 1e6": {name: 1e-6 * part for name, part in steep.items()},
        "logits far apart": gradient(student, (apart, spread, raw), x + spread[0]),
    }


@probe(points=1.5, title="16 steps of SGD", public=True, judge=Close(rtol=5e-4, atol=1e-5))
def sgd_trajectory(student, rng):
    shapes = [(rng.integer(2, 5),), (rng.integer(2, 4), 2)]
    momentum, decay = rng.number(0.5, 0.9), rng.number(0.1, 0.5)
    runs = []
    for m, w in ((0.0, 0.0), (momentum, 0.0), (momentum, decay)):
        curvature = [rng.uniform(*shape, low=0.2, high=2.0) for shape in shapes]
        runs.append({
            "curvature": curvature, "m": m, "w": w, "trace": {},
            "params": tuple(rng.normal(*shape).requires_grad_() for shape in shapes),
            "velocity": tuple(torch.zeros_like(c) for c in curvature),
        })
    for t in range(16):
        lr = 0.03 if t < 8 else 0.01
        for run in runs:  # three optimisers take turns: nothing may be remembered outside of `velocity`
            grads = tuple((c * p).detach() - 1.0 for c, p in zip(run["curvature"], run["params"]))
            new, run["velocity"] = student.sgd_step(run["params"], grads, run["velocity"], lr, run["m"], run["w"])
            run["params"] = tuple(new)
            if t in (0, 1, 9, 15):
                run["trace"][f"after {t + 1} step{'s' * (t > 0)}"] = {"params": list(new), "velocity": list(run["velocity"])}
    defaults = student.sgd_step((100.0 * torch.ones_like(curvature[0]),), (curvature[0],), (2.0 * curvature[0],), 0.1)
    # A number and a block, in float64 and far from 0, with a large gradient.
    wide = [(1e6 + rng.normal(*shape)).double() for shape in ((), (2, 1, 3))], [1e6 * rng.normal(*shape).double() for shape in ((), (2, 1, 3))]
    moved, velocity = student.sgd_step(*map(tuple, wide), tuple(0.5 * g for g in wide[1]), 1e-6, 0.5, 0.7)
    return {
        "plain": runs[0]["trace"], "momentum": runs[1]["trace"], "momentum and decay": runs[2]["trace"],
        "defaults": named([list(part) for part in defaults], "params", "velocity"),
        "0-d and 3-d, in float64": {
            "change of params": [new - old for new, old in zip(moved, wide[0])], "velocity": list(velocity),
            "dtypes": [str(part.dtype) for part in (*moved, *velocity)],
        },
    }


@probe(points=0.5, title="a step leaves no trace in autograd's graph")
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
    return found | {"arguments, after the results were overwritten": named([list(params), list(grads), list(before)], "params", "grads", "velocity")}


def numbers(history):
    """The history as an array, of the shape it has, whether it is a tensor or a list of numbers or of 0-d tensors."""
    return history if isinstance(history, torch.Tensor) else torch.tensor([float(value) for value in history])


@probe(points=1, title="the exact run: parameters and history", judge=Close(rtol=2e-4, atol=1e-4))
def exact_run(student, rng):
    k = rng.integer(2, 4)
    d = 5 - k  # never equal, and not 1, where a scale and a variance look alike
    batch_size = rng.integer(4, 7)
    n = 2 * batch_size + rng.integer(1, batch_size)  # the third batch of each pass is smaller
    start = rng.normal(k), rng.normal(k, d), rng.normal(k, d, d, std=0.2)
    x = rng.normal(n, d, std=1.5)
    params, history = student.train_gmm_sgd(
        x, start, steps=7, batch_size=batch_size, lr=rng.number(0.01, 0.04), momentum=rng.number(0.5, 0.8),
        generator=rng.generator(),
    )
    found = {"history": numbers(history), "params": named(params, "logits", "means", "raw")}
    for name, size, steps in (("batch_size divides N", n // 2, 3), ("batch_size above N", n + 3, 2), ("one step", batch_size, 1)):
        _, history = student.train_gmm_sgd(x[: n // 2 * 2], start, steps=steps, batch_size=size, lr=0.02, momentum=0.5, generator=rng.generator())
        found[f"history, {name}"] = numbers(history)
    wide = start[0].double(), start[1].double() + 1e3, start[2].double()  # so far out also a small weight decay would show
    params, history = student.train_gmm_sgd(
        x[: 2 * batch_size + 1].double() + 1e3, wide, steps=4, batch_size=batch_size, lr=0.02, momentum=0.5, generator=rng.generator()
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
        f"on fresh data the trained mixture has {got:.3f} nats; it started from {start:.3f}, and a right training loop comes to about "
        f"{want:.2f} with these settings."
    )


@probe(points=0.5, title="the trained mixture on fresh data", judge=no_worse_than_reference)
def training_quality(student, rng):
    _, x = clusters(rng, 2400)
    params, _ = student.train_gmm_sgd(
        x[:400], quality_start(x.device), steps=60, batch_size=50, lr=0.03, momentum=0.9, generator=rng.generator()
    )
    return list(params)


# --- mistakes ------------------------------------------------------------------------------------------------

LOG_WEIGHTS = "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)"
SCALES = "scales = raw.diagonal(dim1=-2, dim2=-1).exp()"
MEAN = "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()"
GRADS = "grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]"
VELOCITY = "new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True))"
UPDATE = "new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))"
BATCHES = "for batch in data.batches(x, batch_size, generator, steps=steps):"
STEP = "params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)"

edit_mistake(
    "weights_not_logged",
    "`constrain` returns the weights; their logarithms are asked for",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("log_softmax", "softmax")),
)
edit_mistake(
    "weights_unnormalised",
    "The logits are used as log-weights without normalisation; the weights do not sum to one, and the density does not integrate to one",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("torch.log_softmax(logits, dim=-1)", "logits")),
)
edit_mistake(
    "softmax_twice",
    "The softmax is applied to probabilities, that is twice; the weights come out nearly equal",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("(logits,", "(logits.softmax(-1),")),
)
edit_mistake(
    "log_of_softmax",
    "The log-weights are log(softmax): a weight that underflows to 0 gives −∞, and its gradient NaN; use a stable log-softmax",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("torch.log_softmax(logits, dim=-1)", "torch.softmax(logits, dim=-1).log()")),
)
edit_mistake(
    "softmax_overflows",
    "exp(logits) overflows when the logits are large; only their differences matter, so use a stable log-softmax",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("torch.log_softmax(logits, dim=-1)", "logits - logits.exp().sum().log()")),
)
edit_mistake(
    "scale_without_exp",
    "The diagonal of `raw` is used as it is; it holds log-scales, and a scale must be positive",
    (SCALES, SCALES.replace(".exp()", "")),
)
edit_mistake(
    "softplus",
    "The diagonal goes through softplus; it holds log-scales, so exp is the map",
    (SCALES, "scales = F.softplus(raw.diagonal(dim1=-2, dim2=-1))"),
)
edit_mistake(
    "scale_read_as_logvar",
    "The diagonal is read as a log-variance (half of it is exponentiated); it holds log-scales",
    (SCALES, SCALES.replace(".exp()", ".mul(0.5).exp()")),
)
edit_mistake(
    "exp_of_everything",
    "All entries of `raw` go through exp; only the diagonal does, what is below may have any sign",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1)", "raw.exp().tril(-1)")),
)
edit_mistake(
    "exp_then_multiplied_by_mask",
    "exp is taken of all entries of `raw` and the others are multiplied by 0 afterwards: an entry of a few hundred overflows, and ∞ · 0 is NaN",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("torch.diag_embed(scales)", "raw.exp() * torch.eye(raw.shape[-1]).to(raw)")),
)
edit_mistake(
    "exp_then_where",
    "exp is taken of all entries of `raw` and the diagonal chosen afterwards: an entry of a few hundred overflows, and although it is not "
    "chosen its gradient is 0 · ∞ = NaN",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1) + torch.diag_embed(scales)",
                                      "torch.where(torch.eye(raw.shape[-1]).to(raw).bool(), raw.exp(), raw.tril())")),
)
edit_mistake(
    "upper_triangle_kept",
    "What is above the diagonal of `raw` is not set to zero, so the factor is not triangular",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1)", "raw - torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1))")),
)
edit_mistake(
    "upper_for_lower",
    "The factors are upper triangular; below the diagonal is what counts",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1)", "raw.triu(1)")),
)
edit_mistake(
    "diagonal_only",
    "What is below the diagonal is dropped: the components cannot be correlated",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1)", "0 * raw")),
)
edit_mistake(
    "diagonal_counted_twice",
    "The raw diagonal is left in the factor and its exp is added to it",
    (LOG_WEIGHTS, LOG_WEIGHTS.replace("raw.tril(-1)", "raw.tril()")),
)
edit_mistake(
    "covariance_returned",
    "`constrain` returns covariances; the Cholesky factors are asked for",
    (LOG_WEIGHTS, "L = raw.tril(-1) + torch.diag_embed(scales); return torch.log_softmax(logits, dim=-1), means, L @ L.mT"),
)
edit_mistake(
    "sum_for_mean",
    "The loss is the sum over the examples; with the mean, loss and learning rate do not depend on the batch size",
    (MEAN, MEAN.replace(".mean()", ".sum()")),
)
edit_mistake(
    "loss_sign",
    "The loss is the log-likelihood; minimising it makes the data less likely",
    (MEAN, MEAN.replace("-torch.logsumexp", "torch.logsumexp")),
)
edit_mistake(
    "loss_per_dimension",
    "The loss is also divided by the number of dimensions; nats per example are asked for",
    (MEAN, MEAN + " / x.shape[1]"),
)
edit_mistake(
    "one_value_an_example",
    "The loss is not averaged: it is one value per example",
    (MEAN, MEAN.replace(".mean()", "")),
)
edit_mistake(
    "log_of_underflowed_sum",
    "The densities are added and then the logarithm is taken: far from all components they underflow and the loss is infinite",
    (MEAN, "return -(log_weights + log_prob).exp().sum(-1).log().mean()"),
)
edit_mistake(
    "epsilon_in_log",
    "A small constant inside the logarithm hides the underflow: far from all components the loss is flat and has no gradient",
    (MEAN, "return -((log_weights + log_prob).exp().sum(-1) + 1e-30).log().mean()"),
)
edit_mistake(
    "where_after_log",
    "Where the sum of the densities underflows another formula is chosen by `where`: the loss is right, but the branch that is not chosen "
    "makes the gradient NaN",
    (MEAN, "log_joint = log_weights + log_prob\n    total = log_joint.exp().sum(-1)\n    "
     "return -torch.where(total > 1e-30, total.log(), log_joint.logsumexp(-1)).mean()"),
)
edit_mistake(
    "no_log_2pi",
    "The density lacks its constant, (D/2) log 2π",
    (" - 0.5 * x.shape[1] * math.log(2 * math.pi)", ""),
)
edit_mistake(
    "log_2pi_once",
    "The constant ½ log 2π is counted once instead of once per dimension",
    (" - 0.5 * x.shape[1] * math.log(2 * math.pi)", " - 0.5 * math.log(2 * math.pi)"),
)
edit_mistake(
    "log_det_missing",
    "The log-determinant is missing: a scale costs nothing, so the best scale is infinite",
    (" - log_scales.sum(-1)", ""),
)
edit_mistake(
    "log_det_sign",
    "The log-determinant has the wrong sign; a narrow Gaussian is a high one",
    (" - log_scales.sum(-1)", " + log_scales.sum(-1)"),
)
edit_mistake(
    "log_det_halved",
    "The sum of the log-scales is halved; it is already half of log det Σ",
    (" - log_scales.sum(-1)", " - 0.5 * log_scales.sum(-1)"),
)
edit_mistake(
    "log_det_doubled",
    "The sum of the log-scales is doubled; half of log det Σ is needed",
    (" - log_scales.sum(-1)", " - 2 * log_scales.sum(-1)"),
)
edit_mistake(
    "solve_with_transpose",
    "The triangular solve uses Lᵀ; the squared length of L⁻ᵀ(x − μ) is not the Mahalanobis distance",
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)", "y = torch.linalg.solve_triangular(factors.mT, centred, upper=True)"),
)
edit_mistake(
    "multiplied_by_factor",
    "x − μ is multiplied by L instead of solved with it",
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)", "y = factors @ centred"),
)
edit_mistake(
    "factored_again",
    "L Lᵀ is formed and factored again: that squares the condition number, and thin components become singular or inexact in float32",
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)",
     "y = torch.linalg.solve_triangular(torch.linalg.cholesky_ex(factors @ factors.mT)[0], centred, upper=False)"),
)
edit_mistake(
    "covariance_inverted",
    "L Lᵀ is formed and inverted: that squares the condition number, and thin components become singular or inexact in float32",
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)",
     "y = (centred * (torch.linalg.inv_ex(factors @ factors.mT)[0] @ centred)).clamp_min(-1e30)"),
    ("-0.5 * y.square().sum(1).T", "-0.5 * y.sum(1).T"),
)
edit_mistake(
    "jitter",
    "A jitter is added to the scales; it changes the density of narrow components",
    (SCALES, SCALES + " + 1e-4"),
)
edit_mistake(
    "clamped_scales",
    "The log-scales are clamped: below the limit their gradient is 0 and the density is wrong",
    (SCALES, "scales = raw.diagonal(dim1=-2, dim2=-1).clamp(-7, 7).exp()"),
)
edit_mistake(
    "momentum_ignored",
    "The velocity is just the gradient: momentum is not used",
    (VELOCITY, VELOCITY.replace("momentum * v + g", "0 * v + g")),
)
edit_mistake(
    "dampened",
    "The velocity is a moving average, βv + (1 − β)g; torch.optim.SGD adds the whole gradient",
    (VELOCITY, VELOCITY.replace("momentum * v + g", "momentum * v + (1 - momentum) * g")),
)
edit_mistake(
    "lr_in_velocity",
    "The learning rate is inside the velocity; it multiplies the velocity in the update, which differs as soon as it changes",
    (VELOCITY, VELOCITY.replace("momentum * v + g", "momentum * v + lr * g")),
    (UPDATE, UPDATE.replace("p - lr * v", "p - v")),
)
edit_mistake(
    "nesterov",
    "The update looks ahead (Nesterov); plain momentum is asked for",
    (UPDATE, "new_params = tuple(p - lr * (g + momentum * v) for p, g, v in zip(params, grads, new_velocity, strict=True))"),
)
edit_mistake(
    "old_velocity",
    "The update uses the velocity of the step before; update the velocity first",
    (UPDATE, UPDATE.replace("new_velocity", "velocity")),
)
edit_mistake(
    "gradient_ascent",
    "The step goes up the gradient; the loss is to fall",
    (UPDATE, UPDATE.replace("p - lr * v", "p + lr * v")),
)
edit_mistake(
    "decay_ignored",
    "The weight decay is not used",
    (GRADS, "grads = list(grads)"),
)
edit_mistake(
    "decay_sign",
    "The weight decay has the wrong sign: parameters grow",
    (GRADS, GRADS.replace("g + weight_decay * p", "g - weight_decay * p")),
)
edit_mistake(
    "decay_doubled",
    "The weight decay is doubled: λθ is the gradient of (λ/2)θ²",
    (GRADS, GRADS.replace("g + weight_decay * p", "g + 2 * weight_decay * p")),
)
edit_mistake(
    "decay_decoupled",
    "The weight decay acts on the parameters directly, as in AdamW; in SGD it is part of the gradient and enters the velocity",
    (GRADS, "grads = list(grads)"),
    (UPDATE, UPDATE.replace("p - lr * v", "p - lr * v - lr * weight_decay * p")),
)
edit_mistake(
    "graph_kept",
    "The step is recorded by autograd: the new parameters require gradients and drag the graph of all steps along",
    ("    with torch.no_grad():\n        grads = [", "    if True:\n        grads = ["),
)
edit_mistake(
    "in_place",
    "The step changes its arguments in place; it must return new tensors",
    (UPDATE, "new_params = tuple(p.sub_(lr * v) for p, v in zip(params, new_velocity, strict=True))"),
)


edit_mistake(
    "velocity_is_gradient",
    "Without momentum and decay the new velocity is the gradient itself, not a new tensor: who changes one later changes the other",
    (GRADS, GRADS.replace("g + weight_decay * p", "g + weight_decay * p if weight_decay else g")),
    (VELOCITY, VELOCITY.replace("momentum * v + g", "momentum * v + g if momentum else g")),
)


@mistake("The velocity is kept in a global variable, so two optimisers share it; everything a step needs comes in as an argument")
def shared_state(ref):
    memory = {}

    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            old = memory.get((i, p.shape), torch.zeros_like(g))
            memory[i, p.shape] = momentum * old + g + weight_decay * p.detach()
            new.append(p.detach() - lr * memory[i, p.shape])
        return tuple(new), tuple(memory[i, p.shape].clone() for i, p in enumerate(params))

    return {"sgd_step": sgd_step}


edit_mistake(
    "velocity_forgotten",
    "No momentum builds up in the training loop: it starts every step from velocity zero, or does not pass `momentum` on",
    (STEP, STEP.replace("params, velocity", "params, _")),
)
edit_mistake(
    "never_updates",
    "The parameters that come back are those that went in: the result of `sgd_step` is not used",
    (STEP, STEP.replace("params, velocity", "_, velocity")),
)
edit_mistake(
    "start_marked",
    "The training loop makes the parameters that come in require gradients; it must not change them, so detach first",
    ("leaves = tuple(p.detach().requires_grad_() for p in params)", "leaves = tuple(p.requires_grad_() for p in params)"),
)
edit_mistake(
    "all_data",
    "Every step uses all data; one minibatch is asked for",
    (BATCHES, "for batch in [x] * steps:"),
)
edit_mistake(
    "not_shuffled",
    "The minibatches are slices in the given order; each pass needs a permutation from the generator",
    (BATCHES, BATCHES.replace("generator, steps", "None, steps")),
)
edit_mistake(
    "last_batch_dropped",
    "The last, smaller minibatch of each pass is dropped; it is to be used",
    (BATCHES, BATCHES.replace("steps=steps", "steps=steps, drop_last=True")),
)
edit_mistake(
    "same_order_each_pass",
    "Every pass uses the same permutation; each draws a new one",
    (BATCHES, "order = torch.randperm(len(x), generator=generator, device=generator.device)\n    "
     + BATCHES.replace("data.batches(x, batch_size, generator,", "data.batches(x[order], batch_size, None,")),
)
edit_mistake(
    "new_order_each_step",
    "Every step draws a permutation and takes its first slice; a permutation serves for a whole pass, so that every example is used",
    (BATCHES, "for _ in range(steps):\n        batch = x[torch.randperm(len(x), generator=generator, device=generator.device)[:batch_size]]"),
)
edit_mistake(
    "with_replacement",
    "The minibatches are drawn with replacement; they are slices of a permutation",
    (BATCHES, "for _ in range(steps):\n        batch = x[torch.randint(len(x), (batch_size,), generator=generator, device=generator.device)]"),
)
edit_mistake(
    "steps_as_passes",
    "`steps` is taken as the number of passes over the data; it is the number of updates",
    (BATCHES, BATCHES.replace("steps=steps", "steps=steps * -(-len(x) // batch_size)")),
)
edit_mistake(
    "one_pass_only",
    "Training ends after one pass over the data, whatever `steps` is",
    (BATCHES, BATCHES.replace("steps=steps", "steps=min(steps, -(-len(x) // batch_size))")),
)
edit_mistake(
    "trains_on_the_sum",
    "The gradient is that of the summed loss, so the step grows with the batch",
    ("grads = torch.autograd.grad(loss, leaves)", "grads = torch.autograd.grad(loss * len(batch), leaves)"),
)
edit_mistake(
    "history_after_update",
    "The history holds the loss after each update; the loss before it is asked for",
    ("history.append(loss.detach())", "history.append(gmm_nll(params, batch))"),
)
edit_mistake(
    "history_on_all_data",
    "The history holds the loss on all data; the loss of the step's minibatch is asked for",
    ("history.append(loss.detach())", "history.append(gmm_nll(leaves, x).detach())"),
)
edit_mistake(
    "constrained_returned",
    "The training loop returns constrained parameters; the unconstrained ones are asked for",
    ("return params, torch.stack(history)", "return constrain(params), torch.stack(history)"),
)


# --- other right answers -------------------------------------------------------------------------------------


@alternative("loops over components, in float64; lists for tuples")
def loops(ref):
    def constrain(params):
        logits, means, raw = params
        factors = torch.zeros_like(raw)
        k, d, _ = raw.shape
        for i in range(d):
            factors[:, i, i] = raw[:, i, i].exp()
            for j in range(i):
                factors[:, i, j] = raw[:, i, j]
        return [logits - logits.logsumexp(0), means, factors]

    def gmm_nll(params, x):
        log_weights, means, factors = constrain([p.double() for p in params])
        total = []
        for k, mean in enumerate(means):
            z = torch.cholesky_solve((x.double() - mean).T, factors[k])
            square = ((x.double() - mean).T * z).sum(0)
            total.append(log_weights[k] - 0.5 * (square + len(mean) * math.log(2 * math.pi)) - factors[k].diagonal().log().sum())
        return -torch.stack(total).logsumexp(0).sum() / len(x)

    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        new_params, new_velocity = [], []
        for p, g, v in zip(params, grads, velocity):
            p, g = p.detach(), g.detach()
            v = momentum * v + (g + weight_decay * p)
            new_params.append(p - lr * v)
            new_velocity.append(v)
        return new_params, new_velocity

    def train_gmm_sgd(x, params, steps, batch_size, lr, momentum, generator):
        velocity, history, queue = [torch.zeros_like(p) for p in params], [], []
        for _ in range(steps):
            if len(queue) == 0:
                queue = torch.randperm(len(x), generator=generator, device=generator.device)
            batch, queue = x[queue[:batch_size]], queue[batch_size:]
            params = [p.detach().clone().requires_grad_(True) for p in params]
            loss = gmm_nll(params, batch)
            loss.backward()
            history.append(loss.item())
            params, velocity = sgd_step(params, [p.grad for p in params], velocity, lr, momentum)
        return params, history

    return {"constrain": constrain, "gmm_nll": gmm_nll, "sgd_step": sgd_step, "train_gmm_sgd": train_gmm_sgd}


@alternative("torch.optim.SGD makes the steps")
def library(ref):
    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        optimiser = torch.optim.SGD(leaves, lr=lr, momentum=momentum, weight_decay=weight_decay)
        for leaf, g, v in zip(leaves, grads, velocity):
            leaf.grad = g.clone()
            if momentum:
                optimiser.state[leaf]["momentum_buffer"] = v.clone()
        optimiser.step()
        if momentum:
            new_velocity = [optimiser.state[leaf]["momentum_buffer"] for leaf in leaves]
        else:
            new_velocity = [g + weight_decay * p.detach() for g, p in zip(grads, params)]
        return [leaf.detach() for leaf in leaves], new_velocity

    def train_gmm_sgd(x, params, steps, batch_size, lr, momentum, generator):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        optimiser = torch.optim.SGD(leaves, lr=lr, momentum=momentum)
        history = []
        while len(history) < steps:
            order = torch.randperm(len(x), generator=generator, device=generator.device)
            for index in order.split(batch_size):
                if len(history) == steps:
                    break
                optimiser.zero_grad()
                loss = ref.gmm_nll(leaves, x[index])
                loss.backward()
                optimiser.step()
                history.append(loss.item())
        return tuple(leaf.detach() for leaf in leaves), torch.tensor(history)

    return {"sgd_step": sgd_step, "train_gmm_sgd": train_gmm_sgd}


edit_alternative(
    "log_of_diagonal",
    "log-determinant from the factor's diagonal; inverse of the factor for the solve; scatter of the diagonal",
    ("log_scales = params[2].diagonal(dim1=-2, dim2=-1)", "log_scales = factors.diagonal(dim1=-2, dim2=-1).log()"),
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)", "y = torch.linalg.inv(factors) @ centred"),
    (LOG_WEIGHTS, "return logits - logits.logsumexp(-1, keepdim=True), means, torch.diagonal_scatter(raw.tril(), scales, dim1=-2, dim2=-1)"),
)
edit_alternative(
    "exp_then_mask",
    "the diagonal by masks; gradients detached one by one; the mean as a sum over N",
    (LOG_WEIGHTS, "eye = torch.eye(raw.shape[-1], dtype=raw.dtype, device=raw.device); "
     "return F.log_softmax(logits, 0), means, torch.where(eye.bool(), torch.where(eye.bool(), raw, 0.0).exp(), raw.tril())"),
    (MEAN, "return -torch.logsumexp(log_weights + log_prob, dim=-1).sum().div(len(x))"),
    ("    with torch.no_grad():\n        grads = [g", "    params = [p.data for p in params]\n    if True:\n        grads = [g"),
)
edit_alternative(
    "cholesky_solve",
    "the Mahalanobis distance by two triangular solves; the maximum taken out of the sum by hand; the mean in a loop",
    ("y = torch.linalg.solve_triangular(factors, centred, upper=False)", "square = (centred * torch.cholesky_solve(centred, factors)).sum(1).T"),
    ("-0.5 * y.square().sum(1).T", "-0.5 * square"),
    (MEAN, "log_joint = log_weights + log_prob\n    top = log_joint.max(-1, keepdim=True).values\n    "
     "return -sum(row for row in top[:, 0] + (log_joint - top).exp().sum(-1).log()) / len(x)"),
)

"""Hidden tests of question 6: AdamW, warm-up with cosine decay, clipping by the global norm, and the loop."""

import math

import torch

from autograder.probes import Close, Question

question = Question(
    title="AdamW, a schedule and clipping",
    skills=["1.19", "1.20", "1.21"],
    after="q04_gradient_descent",
    run_seconds=5,
    aim=(
        "Write the usual training recipe exactly: AdamW as in torch.optim, warm-up and cosine decay, clipping by the "
        "global norm."
    ),
    hints={"adamw_step": [
        "Do one parameter by hand: θ = 1, g = 5, state (0, 0, 0), lr 0.1, no decay. The new state is (1, 0.5, "
        "0.025), and the new θ is 0.9: one learning rate less, since the corrected averages are 5 and 25.",
        "In `adamw_step`, loop over zip(params, grads, state) and append to two lists; if g is None, append what "
        "came in. Raise t by one before it is used in the corrections. In `learning_rate`, start with n = step + 1 "
        "and treat the three cases in the order of (13.3); with W = 0 or W = T no case may divide by zero. In "
        "`clip_grad_norm`, add the squares of all tensors, then take one root.",
        "`train_adamw`, each step: leaves = tuple(p.detach().requires_grad_() for p in params); loss = "
        "loss_fn(leaves, step); grads = torch.autograd.grad(loss, leaves, allow_unused=True); clip; "
        "learning_rate(step, …, steps, …); adamw_step. Keep the new params *and* the new state.",
    ]},
    ambiguities=[
        "Tuples may come back as lists, t as an int or a 0-d tensor, the history as a tensor or nested lists, the "
        "norm as a number.",
        "PyTorch's clip_grad_norm_ adds 1e-6 to the norm; that passes (the norms in the tests that are clipped are "
        "not tiny).",
        "A gradient of NaN or infinite norm is not tested.",
    ],
)


def unpack(result):
    """(params, state) as plain entries with names; t may be an int or a tensor."""
    params, state = result
    return {
        "params": list(params),
        "t": [float(entry[0]) for entry in state],
        "m": [entry[1] for entry in state],
        "v": [entry[2] for entry in state],
    }


def fresh(*params):
    """The state before the first step."""
    return tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)


@question.probe(points=1, title="12 steps of AdamW", public=True, judge=Close(rtol=5e-4, atol=2e-6))
def adamw_trajectory(student, rng):
    shapes = [(rng.integer(2, 5),), (rng.integer(2, 4), 2)]
    betas = (rng.number(0.6, 0.9), rng.number(0.9, 0.99))
    decay = rng.number(0.2, 0.5)
    runs = []
    for w in (0.0, decay):
        params = tuple(rng.normal(*shape) for shape in shapes)
        runs.append([params, fresh(*params), [rng.uniform(*shape, low=0.2, high=5.0) for shape in shapes], w, {}])
    for t in range(12):
        for run in runs:  # two optimisers take turns: nothing may be remembered outside of the state
            params, state, curvature, w, trace = run
            grads = tuple(c * p - 1.0 for c, p in zip(curvature, params))
            new = student.adamw_step(params, grads, state, 0.1 if t < 6 else 0.03, betas, 1e-8, w)
            run[0], run[1] = tuple(new[0]), tuple(new[1])
            if t in (0, 1, 11):
                trace[f"after {t + 1} step{'s' * (t > 0)}"] = unpack(new)
    return {"without decay": runs[0][4], "with decay": runs[1][4]}


@question.probe(points=1, title="the first steps at every gradient scale", judge=Close(rtol=5e-4, atol=1e-7))
def adamw_scales(student, rng):
    lr = rng.number(0.01, 0.1)
    found = {}
    for scale in (1e-12, 1e-8, 1e-4, 1.0, 1e6):
        params, steps = (torch.zeros(4, device=rng.device),), []
        state = fresh(*params)
        for _ in range(3):
            new, state = student.adamw_step(params, (scale * rng.normal(4),), state, lr)
            steps.append((new[0] - params[0]) / lr)
            params = tuple(new)
        found[f"steps / lr, gradients of size {scale:g}"] = steps
    zero = torch.zeros(3, device=rng.device)
    small = rng.normal(3, std=0.1)
    found["a large eps"] = student.adamw_step((zero,), (small,), fresh(zero), 1.0, (0.9, 0.999), 0.1, 0.0)[0][0]
    found["gradient zero"] = student.adamw_step((zero,), (zero,), fresh(zero), lr)[0][0]
    later = ((rng.integer(3, 9), 100.0 * rng.normal(3), 1 + rng.uniform(3)),)
    found["gradient zero after other steps"] = unpack(student.adamw_step((small,), (zero,), later, lr))
    wide = 1e5 + rng.normal(3, dtype=torch.float64)  # float32 has steps of 0.008 there
    found["steps / lr, parameters around 100,000 in float64"] = (
        student.adamw_step((wide,), (small.double(),), fresh(wide), lr)[0][0] - wide
    ) / lr
    return found


@question.probe(points=1, title="skipped parameters, dtypes, no graph", judge=Close(rtol=5e-4, atol=1e-6))
def adamw_skips(student, rng):
    params = (
        rng.normal(3).requires_grad_(),
        rng.normal(2, 2, dtype=torch.float64).requires_grad_(),
        rng.normal().requires_grad_(),
    )
    state = tuple(
        (rng.integer(3, 9), rng.normal(*p.shape, dtype=p.dtype), rng.uniform(*p.shape, low=0.5, dtype=p.dtype))
        for p in params
    )
    grads = [rng.normal(*p.shape, dtype=p.dtype) for p in params]
    skipped = rng.integer(0, 3)
    some = tuple(None if i == skipped else g for i, g in enumerate(grads))
    first = student.adamw_step(params, some, state, 0.1, (0.8, 0.95), 1e-8, 0.5)
    second = student.adamw_step(tuple(first[0]), tuple(grads), tuple(first[1]), 0.1, (0.8, 0.95), 1e-8, 0.5)
    nothing = student.adamw_step(params, (None, None, None), state, 0.1, (0.8, 0.95), 1e-8, 0.5)
    results = (first, second, nothing)
    tensors = [t for new in results for t in (*new[0], *(part for entry in new[1] for part in entry[1:]))]
    return {
        "one gradient is None": unpack(first),
        "next step, all are there": unpack(second),
        "all gradients are None": unpack(nothing),
        "results that require gradients": sum(int(t.requires_grad) for t in tensors),
        "parameters that still require gradients": sum(int(p.requires_grad) for p in params),
        "dtypes": [str(t.dtype) for t in tensors],
    }


@question.probe(points=0.75, title="the schedule, step by step", public=True, judge=Close(rtol=1e-5, atol=1e-12))
def schedule_table(student, rng):
    warmup, total = rng.integer(3, 8), rng.integer(12, 25)
    top = rng.number(1e-3, 1e-1)
    low = top * rng.number(0.05, 0.3)
    return {"rates": [float(student.learning_rate(step, warmup, total, top, low)) for step in range(total)]}


@question.probe(points=0.75, title="the schedule's joints and borders", judge=Close(rtol=1e-5, atol=1e-12))
def schedule_borders(student, rng):
    total, top = rng.integer(9, 20), rng.number(1e-3, 1e-1)
    low = top * rng.number(0.05, 0.3)

    def rates(steps, warmup, length, bottom):
        return [float(student.learning_rate(step, warmup, length, top, bottom)) for step in steps]

    long = 1000 * total
    kinds = [type(student.learning_rate(step, 2, total, top, low)) for step in (0, 4, total)]
    return {
        "types": ["float" if issubclass(kind, float) else kind.__name__ for kind in kinds],
        "no warm-up": rates(range(total), 0, total, low),
        "nothing but warm-up": rates([*range(total), total, total + 1, 2 * total], total, total, low),
        "after the end": rates([total, total + 1, 2 * total - 4, 2 * total, 7 * total], 4, total, low),
        "min_lr = 0": rates([0, 3, total - 2, total - 1, total], 3, total, 0.0),
        "first update, and around update W, of a long run": rates(
            [0, *range(long // 10 - 2, long // 10 + 2)], long // 10, long, low
        ),
        "one step": rates([0, 1], 0, 1, low),
        "one step of warm-up": rates([0, 1], 1, 1, low),
    }


def clipping(result):
    clipped, norm = result
    return {"gradients": list(clipped), "norm": norm if isinstance(norm, torch.Tensor) else float(norm)}


@question.probe(points=0.5, title="gradients that are too long", public=True, judge=Close(rtol=1e-4, atol=1e-6))
def clip_long(student, rng):
    grads = (rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6), std=3.0), rng.normal(2, 1, 2, std=0.2))
    return {
        "three tensors": clipping(student.clip_grad_norm(grads, rng.number(0.5, 1.0))),
        "huge": clipping(student.clip_grad_norm((1e6 * grads[0],), 1.0)),
    }


@question.probe(points=0.75, title="gradients that are short, None or zero", judge=Close(rtol=1e-4, atol=1e-7))
def clip_borders(student, rng):
    grads = (rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6)))
    zero = torch.zeros(3, device=rng.device)
    wide = (2.0 * rng.normal(3, dtype=torch.float64), rng.normal(dtype=torch.float64))
    cut, kept = student.clip_grad_norm(wide, 0.1)[0], student.clip_grad_norm(wide, 100.0)[0]
    return {
        "float64": [str(g.dtype) for g in (*cut, *kept)],
        "short": clipping(student.clip_grad_norm(grads, rng.number(20.0, 40.0))),
        "a little shorter": clipping(
            student.clip_grad_norm(grads, 1.02 * torch.cat([g.flatten() for g in grads]).norm().item())
        ),
        "a little too long": clipping(
            student.clip_grad_norm(grads, 0.98 * torch.cat([g.flatten() for g in grads]).norm().item())
        ),
        "small, but too long": clipping(student.clip_grad_norm((0.05 * grads[0] / grads[0].norm(),), 0.01)),
        "very short": clipping(student.clip_grad_norm((1e-3 * grads[0],), 1.0)),
        "max_norm infinite": clipping(student.clip_grad_norm(grads, math.inf)),
        "with None": clipping(student.clip_grad_norm((None, 2.0 * grads[0], None, grads[1]), 0.7)),
        "with None, short": clipping(student.clip_grad_norm((grads[0], None), 50.0)),
        "all zero": clipping(student.clip_grad_norm((zero, 0.0 * grads[0]), 1.0)),
        "one number": clipping(student.clip_grad_norm((-5.0 - rng.uniform(),), 2.0)),
    }


@question.probe(points=1.25, title="the whole recipe on a loss of ours", judge=Close(rtol=1e-4, atol=2e-5))
def whole_recipe(student, rng):
    warmup, used_at = rng.integer(3, 6), (rng.integer(2, 5), 4, 5, 7, 9)  # not at first, and not all the time later
    slopes, start = rng.normal(10, 3), (0.5 * rng.normal(3), rng.normal(2), 1.0 + rng.uniform(), rng.normal(2))
    lengths = torch.tensor([2.0, 0.15, 0.7, 6.0, 0.3])[rng.permutation(5).cpu()].repeat(2)[:, None]  # some are clipped
    slopes *= lengths.to(slopes) / slopes.norm(dim=1, keepdim=True)

    def loss_fn(params, step):
        loss = 1.0 + step + (slopes[step] * params[0]).sum() + 0.02 * (params[0] ** 4).sum() + 3e-9 * params[3].sum()
        return (
            loss + 0.05 * (params[2] + 2.0) ** 2 if step in used_at else loss
        )  # params[1] is never used; [2] falls, as by decay

    def run(*params, steps=10):
        return student.train_adamw(
            loss_fn, params, steps=steps, warmup_steps=warmup, max_lr=0.1, min_lr=0.02, max_norm=0.6, weight_decay=0.3
        )

    params, history = run(*start)
    wide = tuple(p.double().requires_grad_() for p in start)
    twice = run(*wide, steps=5)[0]
    if not isinstance(history, torch.Tensor):
        history = torch.tensor([[float(value) for value in row] for row in history], dtype=torch.float64)
    # The pieces alone too: their faults are told from the loop's.
    piece = student.adamw_step((start[0].clone().requires_grad_(),), (slopes[0],), fresh(start[0]), 0.1)[0][0]
    return {
        "shape of the history": str(tuple(history.shape)),
        "history": dict(zip(("loss", "norm", "lr"), history.reshape(len(history), -1).T)),
        "params": list(params),
        "results that require gradients": sum(int(p.requires_grad) for p in params),
        "parameters that were changed to require gradients": sum(int(p.requires_grad) for p in start),
        "float64, from parameters that require gradients": {
            "params": list(twice),
            "dtypes": [str(p.dtype) for p in twice],
            "require gradients": [int(p.requires_grad) for p in (*twice, *wide)],
        },
        "autograd still records": int((2 * wide[0]).requires_grad),
        "learning_rate": [float(student.learning_rate(step, warmup, 10, 0.1, 0.02)) for step in (0, warmup, 7, 9, 15)],
        "adamw_step": {"param": piece, "requires gradients": int(piece.requires_grad)},
    }

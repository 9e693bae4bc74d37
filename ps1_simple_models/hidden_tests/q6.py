"""Hidden tests of question 6: AdamW, warm-up with cosine decay, clipping by the global norm, and the loop."""

import math

import torch

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q6",
    title="AdamW, a schedule and clipping",
    skills=["1.19", "1.20", "1.21"],
    minutes=45,
    aim="Write the usual training recipe exactly: AdamW as in torch.optim, warm-up and cosine decay, clipping by the global norm.",
    hints=[
        "Do one parameter by hand: θ = 1, g = 5, state (0, 0, 0), lr 0.1, no decay. The new state is (1, 0.5, 0.025), and the new θ is "
        "0.9: one learning rate less, since the corrected averages are 5 and 25.",
        "In `adamw_step`, loop over zip(params, grads, state) and append to two lists; if g is None, append what came in. Raise t by one before "
        "it is used in the corrections. In `learning_rate`, start with n = step + 1 and treat the three cases in the order of (6.3); with "
        "W = 0 or W = T no case may divide by zero. In `clip_grad_norm`, add the squares of all tensors, then take one root.",
        "`train_adamw`, each step: leaves = tuple(p.detach().requires_grad_() for p in params); loss = loss_fn(leaves, step); "
        "grads = torch.autograd.grad(loss, leaves, allow_unused=True); clip; learning_rate(step, …, steps, …); adamw_step. Keep the new params "
        "*and* the new state.",
    ],
    ambiguities=[
        "Tuples may come back as lists, t as an int or a 0-d tensor, the history as a tensor or nested lists, the norm as a number.",
        "PyTorch's clip_grad_norm_ adds 1e-6 to the norm; that passes (the norms in the tests that are clipped are not tiny).",
        "A gradient of NaN or infinite norm is not tested.",
    ],
)


def unpack(result):
    """(params, state) as plain entries with names; t may be an int or a tensor."""
    params, state = result
    return {
        "params": list(params), "t": [float(entry[0]) for entry in state],
        "m": [entry[1] for entry in state], "v": [entry[2] for entry in state],
    }


def fresh(*params):
    """The state before the first step."""
    return tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)


@probe(points=1, title="12 steps of AdamW", public=True, judge=Close(rtol=5e-4, atol=2e-6))
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


@probe(points=1, title="the first steps at every gradient scale", judge=Close(rtol=5e-4, atol=1e-7))
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
    found["steps / lr, parameters around 100,000 in float64"] = (student.adamw_step((wide,), (small.double(),), fresh(wide), lr)[0][0] - wide) / lr
    return found


@probe(points=1, title="skipped parameters, dtypes, no graph", judge=Close(rtol=5e-4, atol=1e-6))
def adamw_skips(student, rng):
    params = (rng.normal(3).requires_grad_(), rng.normal(2, 2, dtype=torch.float64).requires_grad_(), rng.normal().requires_grad_())
    state = tuple((rng.integer(3, 9), rng.normal(*p.shape, dtype=p.dtype), rng.uniform(*p.shape, low=0.5, dtype=p.dtype)) for p in params)
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


@probe(points=0.75, title="the schedule, step by step", public=True, judge=Close(rtol=1e-5, atol=1e-12))
def schedule_table(student, rng):
    warmup, total = rng.integer(3, 8), rng.integer(12, 25)
    top = rng.number(1e-3, 1e-1)
    low = top * rng.number(0.05, 0.3)
    return {"rates": [float(student.learning_rate(step, warmup, total, top, low)) for step in range(total)]}


@probe(points=0.75, title="the schedule's joints and borders", judge=Close(rtol=1e-5, atol=1e-12))
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
        "first update, and around update W, of a long run": rates([0, *range(long // 10 - 2, long // 10 + 2)], long // 10, long, low),
        "one step": rates([0, 1], 0, 1, low),
        "one step of warm-up": rates([0, 1], 1, 1, low),
    }


def clipping(result):
    clipped, norm = result
    return {"gradients": list(clipped), "norm": norm if isinstance(norm, torch.Tensor) else float(norm)}


@probe(points=0.5, title="gradients that are too long", public=True, judge=Close(rtol=1e-4, atol=1e-6))
def clip_long(student, rng):
    grads = (rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6), std=3.0), rng.normal(2, 1, 2, std=0.2))
    return {"three tensors": clipping(student.clip_grad_norm(grads, rng.number(0.5, 1.0))), "huge": clipping(student.clip_grad_norm((1e6 * grads[0],), 1.0))}


@probe(points=0.75, title="gradients that are short, None or zero", judge=Close(rtol=1e-4, atol=1e-7))
def clip_borders(student, rng):
    grads = (rng.normal(rng.integer(2, 6), 3), rng.normal(rng.integer(2, 6)))
    zero = torch.zeros(3, device=rng.device)
    wide = (2.0 * rng.normal(3, dtype=torch.float64), rng.normal(dtype=torch.float64))
    cut, kept = student.clip_grad_norm(wide, 0.1)[0], student.clip_grad_norm(wide, 100.0)[0]
    return {
        "float64": [str(g.dtype) for g in (*cut, *kept)],
        "short": clipping(student.clip_grad_norm(grads, rng.number(20.0, 40.0))),
        "a little shorter": clipping(student.clip_grad_norm(grads, 1.02 * torch.cat([g.flatten() for g in grads]).norm().item())),
        "a little too long": clipping(student.clip_grad_norm(grads, 0.98 * torch.cat([g.flatten() for g in grads]).norm().item())),
        "small, but too long": clipping(student.clip_grad_norm((0.05 * grads[0] / grads[0].norm(),), 0.01)),
        "very short": clipping(student.clip_grad_norm((1e-3 * grads[0],), 1.0)),
        "max_norm infinite": clipping(student.clip_grad_norm(grads, math.inf)),
        "with None": clipping(student.clip_grad_norm((None, 2.0 * grads[0], None, grads[1]), 0.7)),
        "with None, short": clipping(student.clip_grad_norm((grads[0], None), 50.0)),
        "all zero": clipping(student.clip_grad_norm((zero, 0.0 * grads[0]), 1.0)),
        "one number": clipping(student.clip_grad_norm((-5.0 - rng.uniform(),), 2.0)),
    }


@probe(points=1.25, title="the whole recipe on a loss of ours", judge=Close(rtol=1e-4, atol=2e-5))
def whole_recipe(student, rng):
    warmup, used_at = rng.integer(3, 6), (rng.integer(2, 5), 4, 5, 7, 9)  # not at first, and not all the time later
    slopes, start = rng.normal(10, 3), (0.5 * rng.normal(3), rng.normal(2), 1.0 + rng.uniform(), rng.normal(2))
    lengths = torch.tensor([2.0, 0.15, 0.7, 6.0, 0.3])[rng.permutation(5).cpu()].repeat(2)[:, None]  # some are clipped
    slopes *= lengths.to(slopes) / slopes.norm(dim=1, keepdim=True)

    def loss_fn(params, step):
        loss = 1.0 + step + (slopes[step] * params[0]).sum() + 0.02 * (params[0] ** 4).sum() + 3e-9 * params[3].sum()
        return loss + 0.05 * (params[2] + 2.0) ** 2 if step in used_at else loss  # params[1] is never used; [2] falls, as by decay

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
        "history": dict(zip(("loss", "norm", "lr"), history.reshape(len(history), -1).T)), "params": list(params),
        "results that require gradients": sum(int(p.requires_grad) for p in params),
        "parameters that were changed to require gradients": sum(int(p.requires_grad) for p in start),
        "float64, from parameters that require gradients": {
            "params": list(twice), "dtypes": [str(p.dtype) for p in twice], "require gradients": [int(p.requires_grad) for p in (*twice, *wide)],
        },
        "autograd still records": int((2 * wide[0]).requires_grad),
        "learning_rate": [float(student.learning_rate(step, warmup, 10, 0.1, 0.02)) for step in (0, warmup, 7, 9, 15)],
        "adamw_step": {"param": piece, "requires gradients": int(piece.requires_grad)},
    }


# --- AdamW: mistakes ---------------------------------------------------------------------------------------------

T = "t = t + 1\n"
M_HAT, V_HAT = "m_hat = m / (1 - betas[0] ** t)", "v_hat = v / (1 - betas[1] ** t)"
DENOMINATOR = "(v_hat.sqrt() + eps)"
DECAY = "p - lr * weight_decay * p - lr * m_hat"
STEP = "p = p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps)"
G = "g = g.detach()\n            t"

edit_mistake(
    "t_from_zero", "the bias correction uses t before it is raised; at the first step that is t = 0, and it divides by 1 - β⁰ = 0",
    (M_HAT, "m_hat = m / (1 - betas[0] ** (t - 1))"), (V_HAT, "v_hat = v / (1 - betas[1] ** (t - 1))"),
)
edit_mistake(
    "t_one_ahead", "t is one too large in the bias correction; at the first step it is 1",
    (M_HAT, "m_hat = m / (1 - betas[0] ** (t + 1))"), (V_HAT, "v_hat = v / (1 - betas[1] ** (t + 1))"),
)
edit_mistake("t_stays", "t is not raised, so the bias correction of the first step is applied for ever",
             (T, "count, t = t, 1\n"), ("new_state.append((t, m, v))", "new_state.append((t if g is None else count, m, v))"))
edit_mistake("no_correction", "there is no bias correction: early steps are several times too long", (M_HAT, "m_hat = m"), (V_HAT, "v_hat = v"))
edit_mistake("v_not_corrected", "only m is bias-corrected; v starts at 0 as well", (V_HAT, "v_hat = v"))
edit_mistake("eps_inside", "eps is inside the root; small gradients are then divided by about √ε, which is 1e-4 and not 1e-8", (DENOMINATOR, "(v_hat + eps).sqrt()"))
edit_mistake(
    "eps_before_correction", "eps is added to √v before the bias correction, which makes it up to thirty times larger at the first steps",
    (DENOMINATOR, "((v.sqrt() + eps) / (1 - betas[1] ** t) ** 0.5)"),
)
edit_mistake("no_eps", "eps is missing: a gradient of zero gives 0/0, and tiny ones count like large ones", (DENOMINATOR, "v_hat.sqrt()"))
edit_mistake("no_root", "the step is divided by the mean square, not by its root, so it depends on the gradient's scale", (DENOMINATOR, "(v_hat + eps)"))
edit_mistake(
    "l2_decay", "the weight decay is put into the gradient (Adam with L2); in AdamW it acts on the parameter directly and enters neither m nor v",
    (G, "g = g.detach() + weight_decay * p\n            t"), (DECAY, "p - lr * m_hat"),
)
edit_mistake(
    "decay_corrected_lr", "the weight decay uses the bias-corrected learning rate, lr / (1 - β1ᵗ); it uses the plain one",
    (DECAY, "p - lr / (1 - betas[0] ** t) * weight_decay * p - lr * m_hat"),
)
edit_mistake("decay_without_lr", "the weight decay is not multiplied by the learning rate", (DECAY, "p - weight_decay * p - lr * m_hat"))
edit_mistake(
    "decay_after", "the parameters are decayed after the step; the decay acts on the old ones",
    (STEP, "p = (1 - lr * weight_decay) * (p - lr * m_hat / (v_hat.sqrt() + eps))"),
)
edit_mistake("no_decay", "the weight decay is not used", (DECAY, "p - lr * m_hat"))
edit_mistake("corrected_state", "the bias-corrected averages are stored in the state; the next step then corrects them again",
             ("new_state.append((t, m, v))", "new_state.append((t, m, v) if g is None else (t, m_hat, v_hat))"))
edit_mistake("betas_swapped", "β1 and β2 are swapped", ("m = betas[0] * m + (1 - betas[0]) * g", "betas = betas[::-1]\n            m = betas[0] * m + (1 - betas[0]) * g"),
             ("        p = p.detach()", "        betas_in = betas\n        p = p.detach()"), ("        new_params.append(p)", "        betas = betas_in\n        new_params.append(p)"))
edit_mistake(
    "none_as_zero", "a gradient None is treated as zero: the averages shrink, momentum moves the parameter, and it decays; it is to be skipped",
    ("        if g is not None:\n            g = g.detach()", "        g = torch.zeros_like(p) if g is None else g\n        if True:\n            g = g.detach()"),
)
edit_mistake("none_decays", "a skipped parameter still decays; it is to stay as it is",
             ("        new_params.append(p)", "        if g is None:\n            p = p - lr * weight_decay * p\n        new_params.append(p)"))
edit_mistake("none_counts", "a skipped parameter's t is raised; it counts the steps made with this parameter",
             ("new_state.append((t, m, v))", "new_state.append((t + (g is None), m, v))"))
edit_mistake("one_t_for_all", "all parameters share one t; each has its own, since a skipped one falls behind",
             (T, "t = state[0][0] + 1\n"))
edit_mistake("state_in_place", "m and v of the given state are changed in place; the state is to come back as new tensors",
             ("m = betas[0] * m + (1 - betas[0]) * g", "m = m.mul_(betas[0]).add_((1 - betas[0]) * g)"))
edit_mistake("graph_kept", "the step is recorded by autograd: the new parameters require gradients and drag the graph of all steps along",
             ("        p = p.detach()\n", ""))


@mistake("the averages are kept in a global variable, so two optimisers share them; everything a step needs comes in as an argument")
def shared_state(ref):
    memory = {}

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        held = tuple(memory.get((i, p.shape), entry) for i, (p, entry) in enumerate(zip(params, state)))
        new_params, new_state = ref.adamw_step(params, grads, held, lr, betas, eps, weight_decay)
        memory.update({(i, p.shape): entry for i, (p, entry) in enumerate(zip(params, new_state))})
        return new_params, new_state

    return {"adamw_step": adamw_step}


# --- schedule: mistakes ------------------------------------------------------------------------------------------

N = "n = step + 1\n"
WARM = "return max_lr * n / warmup_steps"
AFTER = "    if n > total_steps:\n        return min_lr\n"
PROGRESS = "progress = (n - warmup_steps) / (total_steps - warmup_steps)"
COSINE = "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))"

edit_mistake("off_by_one", "the schedule counts updates from 0 (n = step): the first update is wasted with rate 0, and everything else comes one late", (N, "n = step\n"))
edit_mistake("off_by_one_up", "the schedule is one update ahead: n is step + 1", (N, "n = step + 2\n"))
edit_mistake("never_max", "the warm-up does not reach max_lr at update W: it divides by W + 1", (WARM, "return max_lr * n / (warmup_steps + 1)"))
edit_mistake("warmup_from_min", "the warm-up starts from min_lr; it rises from 0 in proportion to n", (WARM, "return min_lr + (max_lr - min_lr) * n / warmup_steps"))
edit_mistake("min_lr_in_warmup", "the warm-up does not go below min_lr; its first rates are small on purpose, also smaller than min_lr",
             (WARM, "return max(min_lr, max_lr * n / warmup_steps)"))
edit_mistake("restarts", "after the end the cosine goes on and the learning rate rises again; it stays at min_lr", (AFTER, ""), (PROGRESS, PROGRESS.replace("(total_steps - warmup_steps)", "max(total_steps - warmup_steps, 1)")))
edit_mistake("cosine_over_all", "the cosine's progress is n / T; it starts after the warm-up, so the rate jumps at update W", (PROGRESS, "progress = n / total_steps"))
edit_mistake("cosine_too_long", "the cosine is stretched over T updates after the warm-up instead of T - W, so it does not reach min_lr at update T", (PROGRESS, "progress = (n - warmup_steps) / total_steps"))
edit_mistake("linear", "the decay is a straight line, not a cosine", (COSINE, "return min_lr + (max_lr - min_lr) * (1 - progress)"))
edit_mistake("down_to_zero", "the cosine goes down to 0, not to min_lr", (COSINE, "return 0.5 * max_lr * (1 + math.cos(math.pi * progress))"))
edit_mistake("min_added", "min_lr is added to a cosine from max_lr to 0; at update W the rate is then max_lr + min_lr", (COSINE, "return min_lr + 0.5 * max_lr * (1 + math.cos(math.pi * progress))"))
edit_mistake("zero_at_end", "after the end the rate is 0; it stays at min_lr", (AFTER, AFTER.replace("return min_lr", "return 0.0")))
edit_mistake("warmup_last", "with W = T the last update has min_lr; the first case of (6.3) decides, so it has max_lr",
             ("if n <= warmup_steps:", "if n < warmup_steps or (n == warmup_steps and n < total_steps):"), ("if n > total_steps:", "if n > total_steps or n == warmup_steps:"))

# --- clipping: mistakes ------------------------------------------------------------------------------------------

NORM = "total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt()"
FACTOR = "factor = max_norm / total_norm if total_norm > max_norm else 1.0"
CLIPPED = "clipped = tuple(None if g is None else g.detach() * factor for g in grads)"

edit_mistake(
    "per_tensor", "every tensor is clipped by its own norm, which changes the direction; one factor belongs to all",
    (CLIPPED, "clipped = tuple(None if g is None else g * (max_norm / g.norm() if g.norm() > max_norm else 1.0) for g in grads)"),
)
edit_mistake("always_rescales", "short gradients are lengthened to max_norm; they are to stay as they are",
             (FACTOR, "factor = max_norm / total_norm if 0 < total_norm and max_norm < math.inf else 1.0"))
edit_mistake("zero_to_nan", "the gradients are always divided by the norm, also short ones and zero ones (0/0)", (FACTOR, "factor = max_norm / total_norm"))
edit_mistake("by_value", "each entry is clipped to ±max_norm; it is the norm of all entries together that is limited",
             (CLIPPED, "clipped = tuple(None if g is None else g.clamp(-max_norm, max_norm) for g in grads)"))
edit_mistake("sum_of_norms", "the norms of the tensors are added; add their squares, then take the root", (NORM, "total_norm = torch.stack([g.norm() for g in present]).sum()"))
edit_mistake("no_root_norm", "the norm lacks its square root", (NORM, NORM.replace(".sqrt()", "")))
edit_mistake("mean_square", "the norm is a root mean square; it is the root of the sum", (NORM, "total_norm = torch.cat([g.flatten() for g in present]).square().mean().sqrt()"))
edit_mistake("norm_after", "the norm after clipping is returned; the one before is asked for", ("return clipped, total_norm", "return clipped, total_norm * factor"))
edit_mistake("none_to_zero", "None is turned into zeros; it stays None, so that the optimiser skips the parameter",
             (CLIPPED, "clipped = tuple(torch.zeros(()) if g is None else g.detach() * factor for g in grads)"))
edit_mistake("clip_in_place", "the gradients are changed in place; new ones are to be returned", (CLIPPED, "clipped = tuple(None if g is None else g.mul_(factor) for g in grads)"))

# --- the loop: mistakes ------------------------------------------------------------------------------------------

CALL = "params, state = adamw_step(leaves, clipped, state, lr, weight_decay=weight_decay)"

edit_mistake("clip_after_step", "`train_adamw` steps with the gradients as they were: clipping comes too late, or its result is not used", (CALL, CALL.replace("clipped", "grads")))
edit_mistake("state_forgotten", "`train_adamw` does not keep the new state: every step is a first step", (CALL, CALL.replace("params, state =", "params, _ =")))
edit_mistake("constant_lr", "`train_adamw` steps with max_lr all the time: the schedule is not used", (CALL, CALL.replace(" lr,", " max_lr,")))
edit_mistake("loop_step_from_one", "`train_adamw` passes step + 1 to `learning_rate`, which adds 1 itself", ("lr = learning_rate(step, ", "lr = learning_rate(step + 1, "))
edit_mistake("decay_not_passed", "`train_adamw` does not pass the weight decay on", (CALL, CALL.replace(", weight_decay=weight_decay", "")))
edit_mistake("loss_after_update", "the history holds the loss after each update; the loss before it is asked for",
             ("history.append([loss.item()", "history.append([float(loss_fn(params, step))"))
edit_mistake("clipped_norm_logged", "the history holds the norm after clipping, which never exceeds max_norm and so warns of nothing",
             ("float(norm), lr]", "min(float(norm), max_norm), lr]"))
edit_mistake(
    "unused_again_as_zero", "`train_adamw` sets old gradients to zero, not to None: a parameter that this step's loss does not use, but an earlier one did, "
    "still moves and decays; it is to be skipped",
    ("        clipped, norm = clip_grad_norm(", "        grads = [torch.zeros_like(p) if g is None and t else g for p, g, (t, _, _) in zip(leaves, grads, state)]\n"
     "        clipped, norm = clip_grad_norm("),
)
edit_mistake(
    "old_gradient_kept", "in `train_adamw` a parameter that this step's loss does not use keeps the gradient of an earlier step; it has none, and is to be skipped",
    ("    history = []\n", "    history, old = [], (None,) * len(params)\n"),
    ("        clipped, norm = clip_grad_norm(", "        grads = old = [h if g is None else g for g, h in zip(grads, old)]\n        clipped, norm = clip_grad_norm("),
)
edit_mistake("start_marked", "`train_adamw` makes the parameters that come in require gradients; it must not change them, so detach first",
             ("leaves = tuple(p.detach().requires_grad_() for p in params)", "leaves = tuple(p.requires_grad_() for p in params)"))
edit_mistake("always_step_zero", "`loss_fn` is called with step 0 every time: one and the same minibatch", ("loss = loss_fn(leaves, step)", "loss = loss_fn(leaves, 0)"))


# --- alternatives ------------------------------------------------------------------------------------------------


@alternative("PyTorch's own AdamW, schedule classes and clip_grad_norm_")
def library(ref):
    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        leaves = [torch.nn.Parameter(p.detach().clone()) for p in params]
        optimiser = torch.optim.AdamW(leaves, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        for leaf, g, (t, m, v) in zip(leaves, grads, state):
            leaf.grad = None if g is None else g.detach().clone()
            optimiser.state[leaf] = {"step": torch.tensor(float(t)), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
        optimiser.step()
        new_state = []
        for leaf in leaves:
            entry = optimiser.state[leaf]
            new_state.append((entry["step"], entry["exp_avg"], entry["exp_avg_sq"]))
        return [leaf.detach() for leaf in leaves], new_state

    def clip_grad_norm(grads, max_norm):
        leaves = []
        for g in grads:
            leaf = torch.zeros(()) if g is None else torch.zeros_like(g)
            leaf.grad = None if g is None else g.detach().clone()
            leaves.append(leaf)
        norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
        return [leaf.grad for leaf in leaves], norm

    def train_adamw(loss_fn, params, steps, warmup_steps, max_lr, min_lr, max_norm, weight_decay):
        leaves = [torch.nn.Parameter(p.detach().clone()) for p in params]
        optimiser = torch.optim.AdamW(leaves, lr=1.0, weight_decay=weight_decay)
        rates = [ref.learning_rate(step, warmup_steps, steps, max_lr, min_lr) for step in range(steps)]
        history = []
        for step in range(steps):
            optimiser.zero_grad(set_to_none=True)
            loss = loss_fn(leaves, step)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
            optimiser.param_groups[0]["lr"] = rates[step]
            optimiser.step()
            history.append((loss.item(), norm.item(), rates[step]))
        return [leaf.detach() for leaf in leaves], history

    return {"adamw_step": adamw_step, "clip_grad_norm": clip_grad_norm, "train_adamw": train_adamw}


@alternative("float64 inside, multiplicative decay, corrections moved into the step size, one flat vector for the norm")
def rearranged(ref):
    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        beta1, beta2 = betas
        new_params, new_state = [p.detach().clone() for p in params], [list(entry) for entry in state]
        with torch.no_grad():
            for i, g in enumerate(grads):
                if g is None:
                    continue
                t, m, v = state[i]
                t, dtype = t + 1, params[i].dtype
                m, v = torch.lerp(g.double(), m.double(), beta1), torch.lerp(g.double() ** 2, v.double(), beta2)
                p = params[i].double() * (1 - lr * weight_decay)
                p = p - (lr / (1 - beta1**t)) * m / (v.sqrt() / math.sqrt(1 - beta2**t) + eps)
                new_params[i], new_state[i] = p.to(dtype), [t, m.to(dtype), v.to(dtype)]
        return new_params, new_state

    def learning_rate(step, warmup_steps, total_steps, max_lr, min_lr):
        n = min(step + 1, total_steps)
        if n <= warmup_steps:
            return max_lr * n / warmup_steps if step < total_steps else min_lr
        angle = torch.tensor((n - warmup_steps) / (total_steps - warmup_steps) * math.pi, dtype=torch.float64)
        share = torch.cos(angle / 2) ** 2  # (1 + cos) / 2
        return (max_lr * share + min_lr * (1 - share)).item()

    def clip_grad_norm(grads, max_norm):
        norm = torch.cat([g.flatten().double() for g in grads if g is not None]).norm()
        factor = min(1.0, max_norm / max(float(norm), 1e-30))
        return [g if g is None else (g * factor).to(g.dtype) for g in grads], float(norm)

    return {"adamw_step": adamw_step, "learning_rate": learning_rate, "clip_grad_norm": clip_grad_norm}


edit_alternative(
    "clamped_factor", "a clamped factor as in PyTorch, with its 1e-6; progress clamped to 1",
    (FACTOR, "factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)"),
    (AFTER, ""), (PROGRESS, "progress = min((n - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)"),
)

"""Other right versions of the answers to question 13."""

import math

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- clip_grad_norm --------------------------------------------------------------------------------------------------

alternatives.at(
    "factor = max_norm / total_norm if total_norm > max_norm else 1.0",
    edit(
        "clamped_factor",
        "a clamped factor as in PyTorch, with its 1e-6; progress clamped to 1",
        "factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)",
        (
            """
         if n > total_steps:
             return min_lr
         """,
            "",
        ),
        (
            "progress = (n - warmup_steps) / (total_steps - warmup_steps)",
            "progress = min((n - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)",
        ),
    ),
)

# --- rewrites ---------------------------------------------------------------------------------------------------------


@alternatives.rewrite("PyTorch's own AdamW and clip_grad_norm_")
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

    return {"adamw_step": adamw_step, "clip_grad_norm": clip_grad_norm}


@alternatives.rewrite(
    "float64 inside, multiplicative decay, corrections moved into the step size, one flat vector for the norm"
)
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


@alternatives.rewrite("PyTorch's own schedules; foreach operations under no_grad; the norm of norms")
def other_calls(ref):
    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        new_params, new_state = list(params), list(state)
        present = [i for i, g in enumerate(grads) if g is not None]
        with torch.no_grad():
            new_params = [p * 1.0 for p in new_params]
            for i in present:
                t, m, v = new_state[i][0] + 1, new_state[i][1].clone(), new_state[i][2].clone()
                m.mul_(betas[0]).add_(grads[i], alpha=1 - betas[0])
                v.mul_(betas[1]).addcmul_(grads[i], grads[i], value=1 - betas[1])
                new_params[i].mul_(1 - lr * weight_decay)
                new_params[i].addcdiv_(m / (1 - betas[0] ** t), (v / (1 - betas[1] ** t)).sqrt().add_(eps), value=-lr)
                new_state[i] = (t, m, v)
        return tuple(new_params), tuple(new_state)

    def learning_rate(step, warmup_steps, total_steps, max_lr, min_lr):
        if step >= total_steps:
            return min_lr
        if step < warmup_steps:
            return max_lr * ((step + 1) / warmup_steps)
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=max_lr)
        rest = total_steps - warmup_steps
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda k: (min_lr + (max_lr - min_lr) * math.cos(0.5 * math.pi * k / rest) ** 2) / max_lr
        )
        optimiser.step()
        for _ in range(min(step + 1 - warmup_steps, 40)):
            schedule.step()
        return float(optimiser.param_groups[0]["lr"]) if step + 1 - warmup_steps <= 40 else ref.learning_rate(
            step, warmup_steps, total_steps, max_lr, min_lr
        )

    def clip_grad_norm(grads, max_norm):
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads if g is not None]))
        if norm <= max_norm:
            return tuple(grads), norm
        return tuple(None if g is None else max_norm * (g / norm) for g in grads), norm

    return {"adamw_step": adamw_step, "learning_rate": learning_rate, "clip_grad_norm": clip_grad_norm}


@alternatives.rewrite("plain NumPy; the schedule by np.where; loops over entries")
def with_numpy(ref):
    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        found = []
        for p, g, (t, m, v) in zip(params, grads, state):
            if g is not None:
                t = int(t)
                a, b, c, d = (each.detach().cpu().double().numpy() for each in (p, g, m, v))
                c, d, t = betas[0] * c + (1 - betas[0]) * b, betas[1] * d + (1 - betas[1]) * b * b, t + 1
                a = a - lr * (c / (1 - betas[0] ** t) / ((d / (1 - betas[1] ** t)) ** 0.5 + eps) + weight_decay * a)
                p, m, v = (torch.as_tensor(each).to(p.detach()) for each in (a, c, d))
            found.append((p.detach(), (torch.tensor(t), m, v)))
        return [p for p, _ in found], [entry for _, entry in found]

    def learning_rate(step, warmup_steps, total_steps, max_lr, min_lr):
        n = step + 1
        rising = max_lr * n / max(warmup_steps, 1)
        share = min(max(n - warmup_steps, 0) / max(total_steps - warmup_steps, 1), 1)
        falling = min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * share)) / 2
        return float((rising, falling)[n > warmup_steps] if n <= total_steps else min_lr)

    def clip_grad_norm(grads, max_norm):
        square = sum((g.double() ** 2).sum() for g in grads if g is not None)
        norm = square.sqrt()
        new = []
        for g in grads:
            new.append(g if g is None or norm <= max_norm else (g.double() / norm * max_norm).to(g.dtype))
        return new, norm

    return {"adamw_step": adamw_step, "learning_rate": learning_rate, "clip_grad_norm": clip_grad_norm}

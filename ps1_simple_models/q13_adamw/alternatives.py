"""Other right versions of the answers to question 6."""

import math

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- clip_grad_norm ------------------------------------------------------------------------------------------------

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

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("PyTorch's own AdamW, schedule classes and clip_grad_norm_")
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

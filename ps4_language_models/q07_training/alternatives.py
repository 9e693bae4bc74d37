"""Other right versions of the answers to question 7."""

import io
import math

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "ids.chunk(accumulate)",
    edit("tensor_split", "parts as equal as can be", "ids.tensor_split(accumulate)"),
    edit("strided", "every so many rows", "[ids[i::accumulate] for i in range(accumulate)]"),
    edit("row_by_row", "smaller parts than needed", "ids.split(max(1, len(ids) // accumulate))"),
)

alternatives.at(
    "cross_entropy(model(part[:, :-1]), part[:, 1:])",
    edit("library_loss", "PyTorch's loss", "F.cross_entropy(model(part[:, :-1]).transpose(1, 2), part[:, 1:])"),
    edit("whole_rows", "the model reads whole rows, and the last logits are dropped", "F.cross_entropy(model(part)[:, :-1].flatten(0, 1), part[:, 1:].flatten())"),
)

alternatives.at(
    """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
        return (1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum
    """,
    edit("by_lerp", "lerp, the transposed matrix, the factor as it is derived", """
        momentum = momentum.lerp(grad, 1 - beta)
        change = newton_schulz(grad.lerp(momentum, beta).T, steps=5).T
        n, m = weight.shape
        return weight * (1 - lr * decay) - lr * (0.2 * math.sqrt(n * m / min(n, m))) * change, momentum
    """),
    edit("on_copies", "in place, on copies", """
        momentum, weight = momentum.clone(), weight.clone()
        momentum.mul_(beta).add_(grad, alpha=1 - beta)
        change = newton_schulz(grad.mul(1 - beta).add_(momentum, alpha=beta))
        weight.mul_(1 - lr * decay)
        weight.add_(change, alpha=-lr * 0.2 * float(torch.tensor(weight.shape).max()) ** 0.5)
        return weight, momentum
    """),
)

alternatives.at(
    "return [p for p in model.blocks.parameters() if p.dim() == 2]",
    edit("by_name", "by their names", "return [p for name, p in model.named_parameters() if p.ndim >= 2 and 'embedding' not in name and 'head' not in name]"),
    edit("from_linear_layers", "the weights of linear layers, without the head", "return [layer.weight for layer in model.modules() if isinstance(layer, nn.Linear) and layer is not model.head]"),
    edit("in_a_set", "no matrix twice, in any order", "return list({id(p): p for block in model.blocks for p in block.parameters() if len(p.shape) == 2}.values())[::-1]"),
)

alternatives.at(
    "if len(x) > x.shape[1]:\n        return newton_schulz(matrix.T, steps).T",
    edit("transposed_in_the_middle", "transposed before the steps, and back after them", "tall = len(x) > x.shape[1]\n    x = x.mT if tall else x",
         ("@ x\n    return x\n", "@ x\n    return x.mT if tall else x\n")),
)


@alternatives.rewrite("loops, sums over tokens, clipping by hand, a state in bytes, in-place work on copies, PyTorch's AdamW")
def by_hand(ref):
    def train_step(model, optimiser, ids, accumulate=1, max_norm=1.0):
        for p in model.parameters():
            p.grad = None
        size, found = -(-len(ids) // accumulate), []
        for start in range(0, len(ids), size):
            part = ids[start : start + size]
            log_p = model(part[:, :-1]).log_softmax(-1)
            cost = -log_p.gather(2, part[:, 1:, None]).sum() / ids[:, 1:].numel()
            cost.backward()
            found.append(cost.detach())
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        length = torch.sqrt(sum((g**2).sum() for g in grads))
        if length > max_norm:
            for g in grads:
                g.mul_(max_norm / length)
        optimiser.step()
        optimiser.zero_grad()
        return torch.stack(found).sum()

    class Run(ref.Run):
        def state_dict(self):
            file = io.BytesIO()
            torch.save([self.model.state_dict(), self.optimiser.state_dict(), self.generator.get_state(), self.step], file)
            return {"bytes": file.getvalue()}

        def load_state_dict(self, state):
            model, optimiser, generator, self.step = torch.load(io.BytesIO(state["bytes"]))
            self.optimiser.load_state_dict(optimiser)
            self.model.load_state_dict(model)
            self.generator.set_state(generator)

    def adamw_step(weight, grad, m, v, step, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
        p = nn.Parameter(weight.detach().clone())
        p.grad = grad.clone()
        adam = torch.optim.AdamW([p], lr=lr, betas=betas, eps=eps, weight_decay=decay)
        adam.state[p] = {"step": torch.tensor(float(step - 1)), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
        adam.step()
        return p.detach(), adam.state[p]["exp_avg"], adam.state[p]["exp_avg_sq"]

    def newton_schulz(matrix, steps=5):
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        s = s / s.norm().clamp_min(1e-12)
        for _ in range(steps):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        return u * s @ vh

    return {"train_step": train_step, "Run": Run, "adamw_step": adamw_step, "newton_schulz": newton_schulz}


@alternatives.rewrite("library functions, lerp, parameters by name, float64 inside")
def library(ref):
    def train_step(model, optimiser, ids, accumulate=1, max_norm=1.0):
        optimiser.zero_grad(set_to_none=False)
        losses = [(len(part), F.cross_entropy(model(part[:, :-1]).flatten(0, 1).double(), part[:, 1:].flatten())) for part in ids.chunk(accumulate)]
        total = sum(n * loss for n, loss in losses) / len(ids)
        total.backward()
        nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], max_norm=max_norm)
        optimiser.step()
        return total.detach()

    class Run(ref.Run):
        def state_dict(self):
            def kept(value):
                if isinstance(value, torch.Tensor):
                    return value.detach().clone()
                if isinstance(value, dict):
                    return {k: kept(v) for k, v in value.items()}
                return [kept(v) for v in value] if isinstance(value, list) else value

            return kept({"w": self.model.state_dict(), "o": self.optimiser.state_dict(), "g": self.generator.get_state(), "n": self.step})

        def load_state_dict(self, state):
            fresh = {k: v.clone() for k, v in state["w"].items()}
            self.model.load_state_dict(fresh)
            averages = {i: {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in s.items()} for i, s in state["o"]["state"].items()}
            self.optimiser.load_state_dict({"state": averages, "param_groups": state["o"]["param_groups"]})
            self.generator = torch.Generator(self.generator.device)
            self.generator.set_state(state["g"])
            self.step = state["n"]

    def adamw_step(weight, grad, m, v, step, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
        m, v = torch.lerp(m, grad, 1 - betas[0]), torch.lerp(v, grad * grad, 1 - betas[1])
        rate = lr * math.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
        return weight - lr * decay * weight - rate * m / (v.sqrt() + eps * math.sqrt(1 - betas[1] ** step)), m, v

    def newton_schulz(matrix, steps=5):
        a, b, c = 3.4445, -4.7750, 2.0315
        x = matrix.double() / torch.linalg.norm(matrix.double()).clamp(min=1e-9)
        if matrix.shape[0] <= matrix.shape[1]:
            for _ in range(steps):
                s = x @ x.mT
                sx = s @ x
                x = a * x + b * sx + c * (s @ sx)
        else:
            for _ in range(steps):
                s = x.mT @ x
                x = torch.addmm(x, x, b * s + c * torch.matrix_power(s, 2), beta=a)
        return x.to(matrix.dtype)

    return {"train_step": train_step, "Run": Run, "adamw_step": adamw_step, "newton_schulz": newton_schulz}

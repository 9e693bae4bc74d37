"""Other right versions of the answers to question 3."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("what PyTorch has: F.rms_norm, F.silu, F.cross_entropy; draws again by hand")
def library(ref):
    def init_linear(out_features, in_features, generator):
        weight = torch.randn(out_features, in_features, generator=generator, device=generator.device)
        while (outside := weight.abs() > 3).any():
            weight[outside] = torch.randn(int(outside.sum()), generator=generator, device=generator.device)
        return weight / math.sqrt(in_features)

    class RMSNorm(nn.Module):
        def __init__(self, dim, eps=1e-5):
            super().__init__()
            self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

        def forward(self, x):
            if x.dtype in (torch.float16, torch.bfloat16):
                return F.rms_norm(x.float(), x.shape[-1:], self.weight.float(), self.eps).to(x.dtype)
            return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)

        def backward(self, x, grad):
            with torch.enable_grad():
                leaf, weight = x.detach().requires_grad_(), self.weight.detach().requires_grad_()
                y = F.rms_norm(leaf, x.shape[-1:], weight, self.eps)
                return torch.autograd.grad(y, (leaf, weight), grad)

    def swiglu(x, w1, w2, w3, gate="silu"):
        bend = {"silu": F.silu, "gelu": lambda z: F.gelu(z, approximate="tanh")}[gate]
        return F.linear(bend(F.linear(x, w1)) * F.linear(x, w3), w2)

    def product_weights():
        w1 = torch.tensor([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]])
        w3 = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        return w1, torch.tensor([[0.5, -0.5, 0.5, -0.5]]), w3

    def cross_entropy(logits, targets, ignore=-100):
        if (targets == ignore).all():
            return (0.0 * logits).sum()
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=ignore)

    return {f.__name__: f for f in (init_linear, RMSNorm, swiglu, product_weights, cross_entropy)}


@alternatives.rewrite("token by token, with sums and Jacobian matrices")
def jacobians(ref):
    def init_linear(out_features, in_features, generator):
        sigma = 1 / math.sqrt(in_features)
        low, high = (0.5 * (1 + math.erf(end / math.sqrt(2))) for end in (-3, 3))
        u = low + (high - low) * torch.rand(out_features, in_features, generator=generator, device=generator.device, dtype=torch.float64)
        return (sigma * math.sqrt(2) * torch.erfinv(2 * u - 1)).float()

    class RMSNorm(nn.Module):
        def __init__(self, dim, eps=1e-5):
            super().__init__()
            self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

        def forward(self, x):
            wide = x.double()
            inverse = torch.rsqrt((wide * wide).sum(-1, keepdim=True) / x.shape[-1] + self.eps)
            return (wide * inverse * self.weight.double()).to(x.dtype)

        def backward(self, x, grad):
            d = x.shape[-1]
            flat, flat_grad = x.reshape(-1, d), grad.reshape(-1, d)
            by_x, by_weight = [], torch.zeros_like(self.weight)
            for token, g in zip(flat, flat_grad):
                r = (token @ token / d + self.eps) ** 0.5
                jacobian = torch.diag(self.weight / r) - torch.outer(self.weight * token, token) / (d * r**3)
                by_x.append(jacobian.T @ g)
                by_weight = by_weight + g * token / r
            return torch.stack(by_x).reshape(x.shape), by_weight

    def swiglu(x, w1, w2, w3, gate="silu"):
        z = torch.einsum("...d,hd->...h", x, w1)
        if gate == "gelu":
            bent = z / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z.pow(3))))
        else:
            bent = z / (1 + torch.exp(-z))
        return torch.einsum("...h,...h,oh->...o", bent, torch.einsum("...d,hd->...h", x, w3), w2)

    def cross_entropy(logits, targets, ignore=-100):
        kept = targets != ignore
        log_p = logits.log_softmax(-1)
        chosen = log_p.gather(-1, targets.masked_fill(~kept, 0).unsqueeze(-1)).squeeze(-1)
        return -torch.where(kept, chosen, torch.zeros_like(chosen)).sum() / kept.sum().clamp(min=1)

    return {f.__name__: f for f in (init_linear, RMSNorm, swiglu, cross_entropy)}


@alternatives.rewrite("rounded before the weight in half precision; a loop over tokens; a product with other signs")
def llama(ref):
    class RMSNorm(nn.Module):
        def __init__(self, dim, eps=1e-5):
            super().__init__()
            self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

        def forward(self, x):
            wide = x if x.dtype == torch.float64 else x.float()
            normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
            return (normed.to(x.dtype) * self.weight).to(x.dtype)

        def backward(self, x, grad):
            r = torch.sqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
            h = self.weight * grad
            by_x = h / r - x * (h * x).sum(-1, keepdim=True) / (x.shape[-1] * r**3)
            by_weight = (grad * x / r).sum(dim=tuple(range(x.ndim - 1))) if x.ndim > 1 else grad * x / r
            return by_x, by_weight

    def product_weights():
        w1 = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])
        w3 = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
        return w1, torch.tensor([[0.5, -0.5]]), w3

    def cross_entropy(logits, targets, ignore=-100):
        rows = logits.reshape(-1, logits.shape[-1])
        costs = [row.logsumexp(0) - row[target] for row, target in zip(rows, targets.reshape(-1).tolist()) if target != ignore]
        return torch.stack(costs).mean() if costs else logits.new_zeros(())

    return {f.__name__: f for f in (RMSNorm, product_weights, cross_entropy)}


@alternatives.rewrite("polarised product, sums over one-hot targets, functional module")
def one_hot(ref):
    def product_weights():
        # ((a + b)^2 - (a - b)^2) / 4
        plus, minus = [1.0, 1.0], [1.0, -1.0]
        w1 = torch.tensor([plus, [-1.0, -1.0], minus, [-1.0, 1.0]])
        w3 = torch.tensor([plus, [-1.0, -1.0], minus, [-1.0, 1.0]])
        return w1, torch.tensor([[0.25, 0.25, -0.25, -0.25]]), w3

    def cross_entropy(logits, targets, ignore=-100):
        kept = (targets != ignore).reshape(-1)
        rows, chosen = logits.reshape(-1, logits.shape[-1])[kept], targets.reshape(-1)[kept]
        if len(chosen) == 0:
            return torch.tensor(0.0, device=logits.device)
        highest = rows.detach().amax(1, keepdim=True)
        log_sums = (rows - highest).exp().sum(1).log() + highest[:, 0]
        return (log_sums - rows[torch.arange(len(rows)), chosen]).mean()

    return {"product_weights": product_weights, "cross_entropy": cross_entropy}

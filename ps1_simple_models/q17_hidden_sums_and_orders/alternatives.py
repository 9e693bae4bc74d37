"""Other right versions of the answers to question 17."""

import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("library calls; a loop over examples; a narrow bump for the mean")
def library(ref):
    def log_marginal_mc(log_likelihood, x, z):
        values = [torch.logsumexp(log_likelihood(x[n], z[n]), 0) - math.log(z.shape[1]) for n in range(len(x))]
        return torch.stack(values)

    def second_mean(x1):  # clearly non-Gaussian only for x2 between 0.5 and 3
        return 3 * torch.exp(-(((x1 - 0.25) / 0.02) ** 2))

    return {
        "log_mean_exp": lambda x, dim: torch.logsumexp(x, dim) - torch.tensor(x.shape[dim], dtype=x.dtype).log(),
        "log_marginal_mc": log_marginal_mc,
        "second_mean": second_mean,
        "second_std": lambda x1: torch.full_like(x1, 0.1),
    }


@alternatives.rewrite("everything in float64; a standard deviation that grows")
def double(ref):
    def log_marginal_mc(log_likelihood, x, z):
        repeated = x.unsqueeze(1).expand(-1, z.shape[1], -1)
        values = log_likelihood(repeated, z).double()
        top = values.max(1, keepdim=True).values
        return (top + (values - top).exp().mean(1, keepdim=True).log()).squeeze(1)

    return {
        "log_mean_exp": lambda x, dim: ref.log_mean_exp(x.double(), dim),
        "log_marginal_mc": log_marginal_mc,
        "second_mean": lambda x1: torch.zeros_like(x1),
        "second_std": lambda x1: torch.exp(x1 / 2),
    }


@alternatives.rewrite("log n subtracted before the sum; a maximum that is detached; a step for the mean")
def other_order(ref):
    def log_mean_exp(x, dim):
        shifted = x - math.log(x.size(dim))
        m = shifted.max(dim=dim, keepdim=True).values.detach()
        m = m.masked_fill(m.isinf(), 0.0)
        return (m + torch.log(torch.sum(torch.exp(shifted - m), dim=dim, keepdim=True))).squeeze(dim)

    return {
        "log_mean_exp": log_mean_exp,
        "log_marginal_mc": lambda log_likelihood, x, z: log_mean_exp(log_likelihood(x.unsqueeze(1), z), -1),
        "second_mean": lambda x1: (x1 > 0).to(x1.dtype),
        "second_std": lambda x1: torch.ones_like(x1),
    }


@alternatives.rewrite("loops in Python: row by row, draw by draw with logaddexp; a sine for the mean")
def loops(ref):
    def row(values):
        top = values.max()
        return top if top == -math.inf else top + (values - top).exp().mean().log()

    def log_mean_exp(x, dim):
        moved = x.movedim(dim, -1)
        flat = moved.reshape(-1, moved.shape[-1])
        return torch.stack([row(values) for values in flat]).reshape(moved.shape[:-1])

    def log_marginal_mc(log_likelihood, x, z):
        total = torch.full((len(x),), -math.inf, dtype=x.dtype, device=x.device)
        for s in range(z.shape[1]):
            total = torch.logaddexp(total, log_likelihood(x, z[:, s]))
        return total - math.log(z.shape[1])

    return {
        "log_mean_exp": log_mean_exp,
        "log_marginal_mc": log_marginal_mc,
        "second_mean": lambda x1: torch.sin(2 * x1),
        "second_std": lambda x1: 0.2 + 0.1 * x1**2,
    }


@alternatives.rewrite("log weights added before the sum; vmap; a mean and a deviation that take float32 only")
def float32_functions(ref):
    def log_marginal_mc(log_likelihood, x, z):
        return torch.func.vmap(lambda one, draws: ref.log_mean_exp(log_likelihood(one, draws), 0))(x, z)

    def second_mean(x1):
        return torch.stack([torch.ones_like(x1), x1, x1**2], -1) @ torch.tensor([0.0, 0.5, 1.0])

    return {
        "log_mean_exp": lambda x, dim: torch.logsumexp(x + torch.full_like(x, 1 / x.shape[dim]).log(), dim),
        "log_marginal_mc": log_marginal_mc,
        "second_mean": second_mean,
        "second_std": lambda x1: torch.nn.functional.softplus(x1) + 0.2,
    }

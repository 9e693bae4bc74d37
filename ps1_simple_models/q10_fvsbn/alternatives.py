"""Other right versions of the answers to question 10."""

import math

import torch
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- fit_fvsbn -----------------------------------------------------------------------------------------------------

alternatives.at(
    """
    for _ in range(steps):
        residual = x - torch.sigmoid(biases + x @ weights.T)
        weights = weights + learning_rate * (residual.T @ x / N).tril(-1)
        biases = biases + learning_rate * residual.mean(0)
    return weights, biases
    """,
    edit(
        "adam",
        "Adam instead of plain gradient ascent",
        """
         weights.requires_grad_(True), biases.requires_grad_(True)
         optimiser = torch.optim.Adam([weights, biases], lr=max(learning_rate / 3, 0.1))
         for _ in range(steps):
             optimiser.zero_grad()
             (-fvsbn_log_prob(x, weights, biases).mean()).backward()
             optimiser.step()
         return weights.detach(), biases.detach()
         """,
        ("return x1**2", "return torch.sin(2 * x1)"),
        ("return torch.full_like(x1, 0.5)", "return 0.2 + 0.1 * x1**2"),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("library losses; loops over examples; bits as integers")
def library(ref):
    def fvsbn_log_prob(x, weights, biases):
        mask = torch.tril(torch.ones_like(weights), diagonal=-1)
        logits = F.linear(x, weights * mask, biases)
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)

    def sample_fvsbn(weights, biases, uniforms):
        rows = []
        for u in uniforms:
            bits = []
            for i in range(len(u)):
                a = biases[i].double() + sum(weights[i, j].double() * bits[j] for j in range(i))
                bits.append(int(u[i] < 1 / (1 + torch.exp(-a))))
            rows.append(bits)
        return torch.tensor(rows)

    def log_marginal_mc(log_likelihood, x, z):
        values = [torch.logsumexp(log_likelihood(x[n], z[n]), 0) - math.log(z.shape[1]) for n in range(len(x))]
        return torch.stack(values)

    def second_mean(x1):  # clearly non-Gaussian only for x2 between 0.5 and 3
        return 3 * torch.exp(-(((x1 - 0.25) / 0.02) ** 2))

    return {
        "fvsbn_log_prob": fvsbn_log_prob,
        "sample_fvsbn": sample_fvsbn,
        "log_marginal_mc": log_marginal_mc,
        "second_mean": second_mean,
        "second_std": lambda x1: torch.full_like(x1, 0.1),
    }


@alternatives.rewrite("everything in float64; sampling with the whole matrix each step; fitting by autograd")
def double(ref):
    def fvsbn_log_prob(x, weights, biases):
        logits = biases.double() + torch.einsum("nj,ij->ni", x.double(), weights.double().tril(-1))
        return torch.distributions.Bernoulli(logits=logits).log_prob(x.double()).sum(1)

    def sample_fvsbn(weights, biases, uniforms):
        x = torch.zeros_like(uniforms, dtype=torch.float64)
        for i in range(x.shape[1]):
            p = torch.sigmoid(biases.double() + x @ weights.double().tril(-1).T)
            x = torch.cat([x[:, :i], (uniforms[:, i : i + 1] < p[:, i : i + 1]).double(), x[:, i + 1 :]], 1)
        return x

    def fit_fvsbn(x, steps, learning_rate):
        weights = x.new_zeros(x.shape[1], x.shape[1]).requires_grad_()
        biases = x.new_zeros(x.shape[1]).requires_grad_()
        for _ in range(steps):
            value = ref.fvsbn_log_prob(x, weights, biases).mean()
            grads = torch.autograd.grad(value, (weights, biases))
            with torch.no_grad():
                weights += learning_rate * grads[0]
                biases += learning_rate * grads[1]
        return weights.detach(), biases.detach()

    def log_marginal_mc(log_likelihood, x, z):
        repeated = x.unsqueeze(1).expand(-1, z.shape[1], -1)
        values = log_likelihood(repeated, z).double()
        top = values.max(1, keepdim=True).values
        return (top + (values - top).exp().mean(1, keepdim=True).log()).squeeze(1)

    return {
        "fvsbn_log_prob": fvsbn_log_prob,
        "sample_fvsbn": sample_fvsbn,
        "fit_fvsbn": fit_fvsbn,
        "log_marginal_mc": log_marginal_mc,
        "second_mean": lambda x1: torch.zeros_like(x1),
        "second_std": lambda x1: torch.exp(x1 / 2),
    }


@alternatives.rewrite("fitting with Newton's method, one logistic regression per dimension; a step as the mean")
def newton(ref):
    def fit_fvsbn(x, steps, learning_rate):
        n, d = x.shape
        weights, biases = torch.zeros(d, d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
        for i in range(d):
            inputs = torch.cat([torch.ones(n, 1), x[:, :i].cpu()], 1).double()
            theta = torch.zeros(i + 1, dtype=torch.float64)
            for _ in range(10):
                p = torch.sigmoid(inputs @ theta)
                hessian = inputs.T @ (inputs * (p * (1 - p))[:, None]) + 1e-3 * torch.eye(i + 1, dtype=torch.float64)
                theta = theta + torch.linalg.solve(hessian, inputs.T @ (x[:, i].cpu().double() - p) - 1e-3 * theta)
            biases[i], weights[i, :i] = theta[0], theta[1:]
        return weights.to(x), biases.to(x)

    return {
        "fit_fvsbn": fit_fvsbn,
        "second_mean": lambda x1: (x1 > 0).to(x1.dtype),
        "second_std": lambda x1: torch.ones_like(x1),
    }

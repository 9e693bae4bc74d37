"""Other right versions of the answers to question 14."""

import math

import torch
from sklearn.linear_model import Ridge
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("library calls")
def library(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        fit = Ridge(alpha=noise_variance / prior_variance).fit(x.double().cpu().numpy(), y.double().cpu().numpy())
        return torch.as_tensor(fit.coef_, device=x.device), float(fit.intercept_)

    def naive_bayes(x, log_prior, theta):
        pixels = torch.distributions.Bernoulli(probs=theta.double())
        joint = log_prior + pixels.log_prob(x.double()[:, None]).sum(-1)
        return joint - joint.logsumexp(1, keepdim=True)

    return {"ridge_map": ridge_map, "naive_bayes_log_posterior": naive_bayes}


@alternatives.rewrite("everything in float64, a column of ones without a penalty")
def double(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        x, y = x.double(), y.double()
        ones = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        penalty = torch.ones(ones.shape[1], dtype=torch.float64, device=x.device)
        penalty[-1] = 0
        solution = torch.linalg.solve(ones.T @ ones + noise_variance / prior_variance * torch.diag(penalty), ones.T @ y)
        return solution[:-1], float(solution[-1])

    return {
        "ridge_map": ridge_map,
        "l2_coefficient": lambda s, t, n: torch.tensor(s / t / n, dtype=torch.float64),
        "naive_bayes_log_posterior": lambda x, prior, theta: ref.naive_bayes_log_posterior(
            x.double(), prior.double(), theta.double()
        ),
    }


@alternatives.rewrite("augmented least squares, logits of theta, recursion")
def other_algebra(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        d = x.shape[1]
        eye = torch.eye(d, dtype=x.dtype, device=x.device) * math.sqrt(noise_variance / prior_variance)
        rows = torch.cat([x - x.mean(0), eye])
        target = torch.cat([y - y.mean(), y.new_zeros(d)])
        w = torch.linalg.lstsq(rows, target[:, None]).solution[:, 0]
        return w, (y - x @ w).mean()

    def naive_bayes(x, log_prior, theta):
        joint = log_prior + x @ (theta.log() - torch.log1p(-theta)).T + torch.log1p(-theta).sum(1)
        return F.log_softmax(joint, -1)

    def num_parameters(cardinalities, memory):
        if not cardinalities:
            return 0
        *before, last = cardinalities
        parents = before[-memory:] if memory else []
        return num_parameters(before, memory) + (last - 1) * math.prod(parents)

    return {"ridge_map": ridge_map, "naive_bayes_log_posterior": naive_bayes, "num_parameters": num_parameters}


@alternatives.rewrite("the kernel form of ridge regression, loops over classes and variables")
def kernel_and_loops(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        xc, yc = x - x.mean(0), y - y.mean()
        gram = xc @ xc.T + noise_variance / prior_variance * torch.eye(len(x), dtype=x.dtype, device=x.device)
        w = xc.T @ torch.linalg.solve(gram, yc)
        return w, y.mean() - w @ x.mean(0)

    def naive_bayes(x, log_prior, theta):
        columns = [
            log_prior[k] + torch.where(x > 0.5, theta[k].log(), torch.log1p(-theta[k])).sum(1) for k in range(len(theta))
        ]
        joint = torch.stack(columns, 1)
        joint = joint - joint.max(1, keepdim=True).values
        return joint - joint.exp().sum(1, keepdim=True).log()

    def num_parameters(cardinalities, memory):
        total = 0
        for i in range(len(cardinalities)):
            count = cardinalities[i] - 1
            for j in range(1, memory + 1):
                if i - j >= 0:
                    count *= cardinalities[i - j]
            total += count
        return total

    return {"ridge_map": ridge_map, "naive_bayes_log_posterior": naive_bayes, "num_parameters": num_parameters}


@alternatives.rewrite("only the inputs are centred, which is enough for w")
def inputs_centred(ref):
    def ridge_map(x, y, noise_variance, prior_variance):
        xc = x - x.mean(0)
        penalty = noise_variance / prior_variance * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        w = torch.linalg.solve(xc.T @ xc + penalty, xc.T @ y)
        return [w, (y - x @ w).mean()]

    return {"ridge_map": ridge_map}


@alternatives.rewrite("the chain read backwards, which has as many free numbers")
def backwards(ref):
    return {"num_parameters": lambda cardinalities, memory: ref.num_parameters(cardinalities[::-1], memory)}

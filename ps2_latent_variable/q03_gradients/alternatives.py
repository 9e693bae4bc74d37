"""Other right versions of the answers to question 3."""

import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("library calls: torch.addcmul, a scaled mean, autograd for the score, an Independent Normal")
def library(ref):
    def score_function_loss(log_prob, reward, baseline=None):
        with torch.no_grad():
            m = reward.shape[0]
            weight = (reward - reward.mean(0)) * m / (m - 1) if baseline is None else reward - baseline
        return (-weight * log_prob).sum() / log_prob.numel()

    def best_baseline(logits, reward):
        score = torch.autograd.functional.jacobian(lambda a: a.log_softmax(0), logits)
        size = score.pow(2).sum(-1)
        q = torch.softmax(logits, 0)
        return torch.dot(q * size, reward) / torch.dot(q, size)

    def path_derivative_elbo(log_joint, mean, logvar, eps):
        z = mean + torch.exp(logvar / 2) * eps
        with torch.no_grad():
            std = torch.exp(logvar / 2)
        q = torch.distributions.Independent(torch.distributions.Normal(mean.data, std), 1)
        return log_joint(z) - q.log_prob(z)

    return {
        "reparameterise": lambda mean, logvar, eps: torch.addcmul(mean, torch.exp(0.5 * logvar), eps),
        "score_function_loss": score_function_loss, "best_baseline": best_baseline, "path_derivative_elbo": path_derivative_elbo,
    }


@alternatives.rewrite("loops over draws, examples and states")
def loops(ref):
    def reparameterise(mean, logvar, eps):
        mean, logvar, eps = torch.broadcast_tensors(mean, logvar, eps)
        return torch.stack([mean[..., i] + logvar[..., i].exp().sqrt() * eps[..., i] for i in range(mean.shape[-1])], -1)

    def score_function_loss(log_prob, reward, baseline=None):
        m, n = reward.shape
        fixed = reward.detach().tolist()
        given = None if baseline is None else torch.as_tensor(baseline).detach().expand(m, n).tolist()
        total = 0.0
        for i in range(m):
            for j in range(n):
                b = sum(fixed[other][j] for other in range(m) if other != i) / (m - 1) if given is None else given[i][j]
                total = total - (fixed[i][j] - b) * log_prob[i, j]
        return total / (m * n)

    def best_baseline(logits, reward):
        q = torch.softmax(logits, 0)
        top, bottom = 0.0, 0.0
        for z in range(len(q)):
            length = 1 - 2 * q[z] + (q**2).sum()
            top, bottom = top + q[z] * length * reward[z], bottom + q[z] * length
        return top / bottom

    def path_derivative_elbo(log_joint, mean, logvar, eps):
        std = torch.exp(0.5 * logvar)
        z = mean + std * eps
        u = (z - mean.detach()) / std.detach()
        log_q = torch.stack([(-0.5 * u[n] ** 2 - std[n].detach().log() - 0.5 * math.log(2 * math.pi)).sum() for n in range(len(z))])
        return log_joint(z) - log_q

    return {
        "reparameterise": reparameterise, "score_function_loss": score_function_loss, "best_baseline": best_baseline,
        "path_derivative_elbo": path_derivative_elbo,
    }


@alternatives.rewrite("exp(log q - log q detached), the parabola's minimum from three points, the plain ELBO plus a score of value zero")
def other_algebra(ref):
    def score_function_loss(log_prob, reward, baseline=None):
        ratio = torch.exp(log_prob - log_prob.detach())
        if baseline is None:
            m = len(reward)
            others = 1 - torch.eye(m, dtype=reward.dtype, device=reward.device)
            baseline = others @ reward / (m - 1)
        return -torch.mean(ratio * (reward - baseline).detach())

    def best_baseline(logits, reward):
        logits, reward = logits.double(), reward.double()
        q = logits.softmax(0)
        score = torch.eye(len(q), dtype=q.dtype, device=q.device) - q
        centre = (q * reward).sum()

        def size(b):
            return (q[:, None] * ((reward - b)[:, None] * score).square()).sum()

        low, middle, high = size(centre - 1), size(centre), size(centre + 1)
        return centre + 0.5 * (low - high) / (low - 2 * middle + high)

    def path_derivative_elbo(log_joint, mean, logvar, eps):
        z = ref.reparameterise(mean, logvar, eps)
        score = ref.diagonal_log_prob(z.detach(), mean, logvar)
        return log_joint(z) - ref.diagonal_log_prob(z, mean, logvar) + (score - score.detach())

    return {"score_function_loss": score_function_loss, "best_baseline": best_baseline, "path_derivative_elbo": path_derivative_elbo}


@alternatives.rewrite("rsample-like draws, a mask of the others, a covariance over a variance, float64 inside")
def wide(ref):
    def reparameterise(mean, logvar, eps):
        return mean + torch.sqrt(torch.exp(logvar)) * eps

    def score_function_loss(log_prob, reward, baseline=None):
        reward = reward.detach().double()
        if baseline is None:
            rows = [torch.cat([reward[:i], reward[i + 1 :]]).mean(0) for i in range(len(reward))]
            baseline = torch.stack(rows)
        elif isinstance(baseline, torch.Tensor):
            baseline = baseline.detach().double()
        return ((baseline - reward) * log_prob.double()).mean()

    def best_baseline(logits, reward):
        q = torch.distributions.Categorical(logits=logits.double()).probs
        score = torch.eye(len(q), dtype=q.dtype, device=q.device) - q
        estimate = reward.double()[:, None] * score
        covariance = q @ ((estimate - q @ estimate) * score)
        return covariance.sum() / (q @ score.square()).sum()

    def path_derivative_elbo(log_joint, mean, logvar, eps):
        z = ref.reparameterise(mean, logvar, eps)
        fixed_mean, fixed_logvar = mean.clone().detach(), logvar.clone().detach()
        square = ((z - fixed_mean) / (fixed_logvar / 2).exp()) ** 2
        return log_joint(z) + 0.5 * (square + fixed_logvar + math.log(2 * math.pi)).sum(-1)

    return {
        "reparameterise": reparameterise, "score_function_loss": score_function_loss, "best_baseline": best_baseline,
        "path_derivative_elbo": path_derivative_elbo,
    }


@alternatives.rewrite("a Normal of the library that is given the noise, and a Gaussian with a covariance matrix")
def normal_of_the_library(ref):
    def reparameterise(mean, logvar, eps):
        std = logvar.mul(0.5).exp()
        q = torch.distributions.Normal(mean, std)
        return q.mean + q.stddev * eps

    def path_derivative_elbo(log_joint, mean, logvar, eps):
        z = reparameterise(mean, logvar, eps)
        q = torch.distributions.MultivariateNormal(mean.detach(), torch.diag_embed(logvar.detach().exp()))
        return log_joint(z) - q.log_prob(z)

    return {"reparameterise": reparameterise, "path_derivative_elbo": path_derivative_elbo}

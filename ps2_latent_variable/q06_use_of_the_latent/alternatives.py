"""Other right versions of the answers to question 6."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "kl = kl_standard_normal(mean[..., None], logvar[..., None])",
    edit("kl_written_out", "the formula itself", "kl = 0.5 * (mean.pow(2) + logvar.exp() - 1.0 - logvar)"),
)
alternatives.at(
    "return mean.var(0, correction=0) > threshold, kl.mean(0)",
    edit("unbiased", "variance divided by N - 1", "return mean.var(dim=0) > threshold, kl.mean(0)"),
    edit("second_moments", "E[μ²] - E[μ]²", "return mean.square().mean(0) - mean.mean(0).square() > threshold, kl.mean(0)"),
)
alternatives.at(
    "price = beta * min(1.0, step / warm_up) if warm_up else beta",
    edit("if_below", "only below the end of the warm-up", "price = beta * step / warm_up if step < warm_up else beta"),
)
alternatives.at(
    "return price * kl.mean(0).clamp(min=floor).sum() - log_likelihood.mean()",
    edit("maximum", "torch.maximum", "return -log_likelihood.mean() + price * torch.maximum(kl.mean(0), torch.full_like(kl[0], floor)).sum()"),
    edit("relu", "a ReLU above the floor", "return -log_likelihood.mean() + price * (floor + F.relu(kl.mean(0) - floor)).sum()"),
)
alternatives.at(
    "return logvar, -0.5 * (logvar.sum(-1) + torch.logdet(precision))",
    edit("slogdet", "slogdet", "return logvar, -0.5 * (logvar.sum(-1) + torch.linalg.slogdet(precision)[1])"),
    edit("cholesky", "the Cholesky factor", "return logvar, -0.5 * logvar.sum(-1) - torch.linalg.cholesky(precision).diagonal(dim1=-2, dim2=-1).log().sum(-1)"),
    edit("spectrum", "eigenvalues", "return logvar, -0.5 * (logvar.sum(-1) + torch.linalg.eigvalsh(precision).log().sum(-1))"),
    edit("scaled", "the determinant of the correlation-like matrix", "root = (0.5 * logvar).exp(); return logvar, -0.5 * torch.logdet(precision * root[..., None] * root[..., None, :])"),
)
alternatives.at(
    "return log_joint(reparameterise(mean, logvar, eps)).mean(0) + 0.5 * logvar.sum(1)   # up to a constant",
    edit("density_at_draws", "log q at the draws", "z = reparameterise(mean, logvar, eps); return (log_joint(z) - diagonal_log_prob(z, mean, logvar)).mean(0)"),
    edit("whole_entropy", "the entropy with its constant", "return log_joint(mean + (0.5 * logvar).exp() * eps).mean(0) + 0.5 * (1 + math.log(2 * math.pi) + logvar).sum(1)"),
    edit("library_entropy", "Normal(…).entropy()", "q = torch.distributions.Normal(mean, (0.5 * logvar).exp()); return log_joint(mean + q.scale * eps).mean(0) + q.entropy().sum(1)"),
)
alternatives.at(
    "(-elbo(*q).sum()).backward()",
    edit("mean_loss", "the mean over the images", "(-elbo(*q).mean()).backward()"),
)
alternatives.at(
    "worse = elbo(*q) < elbo(mean, logvar)",
    edit("not_better", "images that are not better keep their start", "worse = ~(elbo(*q) > elbo(mean, logvar))"),
)


@alternatives.rewrite("torch.distributions, loops over latents and images, `maximize=True`")
def distributions(ref):
    def latent_usage(mean, logvar, threshold=0.01):
        q = Normal(mean, (0.5 * logvar).exp())
        active = [bool(((each - each.mean()) ** 2).mean() > threshold) for each in mean.T]
        return torch.tensor(active, device=mean.device), kl_divergence(q, Normal(torch.zeros_like(mean), 1.0)).mean(0)

    def priced_loss(log_likelihood, kl, beta=1.0, floor=0.0, step=0, warm_up=0):
        if warm_up > 0:
            beta = beta * min(step, warm_up) / warm_up
        cost = 0.0
        for i in range(kl.shape[1]):
            average = kl[:, i].mean()
            cost = cost + (average if average > floor else floor + 0 * average)
        return beta * cost - log_likelihood.mean()

    def gap_of_diagonal(precision):
        variance = 1 / torch.diagonal(precision, dim1=-2, dim2=-1)
        zero = torch.zeros_like(variance)
        q = MultivariateNormal(zero, covariance_matrix=torch.diag_embed(variance))
        return variance.log(), kl_divergence(q, MultivariateNormal(zero, precision_matrix=precision))

    def refine(log_joint, mean, logvar, eps, steps, lr):
        mean, logvar = mean.detach(), logvar.detach()
        m, v = torch.nn.Parameter(mean.clone()), torch.nn.Parameter(logvar.clone())
        adam = torch.optim.Adam([m, v], lr, maximize=True)

        def elbo(m, v):
            q = Independent(Normal(m, (v / 2).exp()), 1)
            z = q.mean + q.stddev * eps
            return (log_joint(z) - q.log_prob(z)).mean(dim=0)

        for _ in range(steps):
            adam.zero_grad()
            elbo(m, v).sum().backward()
            adam.step()
        with torch.no_grad():
            before, after = elbo(mean, logvar), elbo(m, v)
            for n in range(len(mean)):
                if after[n] < before[n]:
                    m[n], v[n] = mean[n], logvar[n]
        return m.detach(), v.detach()

    return {"latent_usage": latent_usage, "priced_loss": priced_loss, "gap_of_diagonal": gap_of_diagonal, "refine": refine}


@alternatives.rewrite("Adam by hand with torch.autograd.grad; float64 inside")
def by_hand(ref):
    def latent_usage(mean, logvar, threshold=0.01):
        m, v = mean.double(), logvar.double()
        return (m - m.mean(0)).square().mean(0) > threshold, (0.5 * (m * m + v.exp() - 1 - v)).mean(0).to(mean.dtype)

    def gap_of_diagonal(precision):
        wide = precision.double()
        logs = wide.diagonal(dim1=-2, dim2=-1).log()
        return -logs.to(precision.dtype), (0.5 * (logs.sum(-1) - wide.logdet())).to(precision.dtype)

    def refine(log_joint, mean, logvar, eps, steps, lr):
        q = [mean.detach().clone(), logvar.detach().clone()]
        first, second = [torch.zeros_like(mean)] * 2, [torch.zeros_like(mean)] * 2

        def elbo(m, v):
            return log_joint(m + torch.exp(v / 2) * eps).mean(0) + v.sum(-1) / 2 + 0.5 * mean.shape[1] * math.log(2 * math.pi * math.e)

        for t in range(1, steps + 1):
            leaves = [each.requires_grad_() for each in q]
            grads = torch.autograd.grad(elbo(*leaves).sum(), leaves)
            first = [0.9 * a + 0.1 * g for a, g in zip(first, grads, strict=True)]
            second = [0.999 * b + 0.001 * g * g for b, g in zip(second, grads, strict=True)]
            q = [
                (p + lr * (a / (1 - 0.9**t)) / ((b / (1 - 0.999**t)).sqrt() + 1e-8)).detach()
                for p, a, b in zip(q, first, second, strict=True)
            ]
        with torch.no_grad():
            better = elbo(*q) >= elbo(mean, logvar)
        return tuple(torch.where(better[:, None], new, old.detach()) for new, old in zip(q, (mean, logvar), strict=True))

    return {"latent_usage": latent_usage, "gap_of_diagonal": gap_of_diagonal, "refine": refine}


@alternatives.rewrite("one image after the other, each with an Adam of its own")
def each_alone(ref):
    def refine(log_joint, mean, logvar, eps, steps, lr):
        found = []
        for n in range(len(mean)):
            q = [mean[n].detach().clone().requires_grad_(), logvar[n].detach().clone().requires_grad_()]
            rest = torch.arange(len(mean), device=mean.device) == n

            def elbo(m, v):
                z = torch.where(rest[None, :, None], m + (v / 2).exp() * eps[:, n : n + 1], 0.0)
                return log_joint(z)[:, n].mean() + 0.5 * v.sum()

            adam = torch.optim.Adam(q, lr=lr)
            for _ in range(steps):
                adam.zero_grad()
                loss = -elbo(*q)
                loss.backward()
                adam.step()
            with torch.no_grad():
                if elbo(*q) < elbo(mean[n], logvar[n]):
                    q = [mean[n], logvar[n]]
            found.append([each.detach() for each in q])
        return [torch.stack(part) for part in zip(*found, strict=True)]

    return {"refine": refine}

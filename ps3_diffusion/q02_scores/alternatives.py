"""Other right versions of the answers to question 2."""

import math

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("the score by autograd of the log-density; the loss by mse_loss; a loop of Langevin steps")
def autograd(ref):
    def mixture_score(x, weights, means, variance):
        return torch.func.grad(lambda x: ref.mixture_log_prob(x, weights, means, variance).sum())(x)

    def tweedie(x, score, jacobian, sigma):
        mean = x + sigma**2 * score
        return mean, sigma**2 * (torch.eye(x.size(1)).to(x) + sigma**2 * jacobian)

    def denoising_score_loss(model, x0, sigma, eps):
        s = sigma.unsqueeze(-1)
        guess = s * model(x0 + s * eps, sigma)
        return torch.nn.functional.mse_loss(guess, -eps, reduction="sum") / len(x0)

    def annealed_langevin(score, x, sigmas, step, noise):
        states = [x]
        for i in range(len(sigmas)):
            eta = step * sigmas[i] ** 2
            for z in noise[i]:
                x = x + 0.5 * eta * score(x, sigmas[i]) + eta.sqrt() * z
            states.append(x)
        return torch.stack(states)

    return {"mixture_score": mixture_score, "tweedie": tweedie, "denoising_score_loss": denoising_score_loss, "annealed_langevin": annealed_langevin}


@alternatives.rewrite("the squares multiplied out; weights of the loss outside the square; diagonals added; a path filled in place")
def outside(ref):
    def mixture_score(x, weights, means, variance):
        logits = weights.log() + (x @ means.T - 0.5 * means.square().sum(1)) / variance
        return (torch.softmax(logits, dim=-1) @ means - x) / variance

    def tweedie(x, score, jacobian, sigma):
        cov = sigma**4 * jacobian.clone()
        cov.diagonal(dim1=-2, dim2=-1).add_(sigma**2)
        return x + sigma * sigma * score, cov

    def denoising_score_loss(model, x0, sigma, eps):
        scale = sigma[:, None]
        target = -eps / scale
        error = (model(x0 + scale * eps, sigma) - target) ** 2
        return (sigma**2 * error.sum(dim=1)).mean()

    def annealed_langevin(score, x, sigmas, step, noise):
        ends = torch.empty(len(sigmas) + 1, *x.shape, dtype=x.dtype, device=x.device)
        ends[0] = x
        for i, sigma in enumerate(sigmas):
            ends[i + 1] = ref.langevin(lambda x, sigma=sigma: score(x, sigma), ends[i].clone(), step * sigma.item() ** 2, noise[i])[-1]
        return ends

    return {"mixture_score": mixture_score, "tweedie": tweedie, "denoising_score_loss": denoising_score_loss, "annealed_langevin": annealed_langevin}


@alternatives.rewrite("hill by hill with log-sum-exp; torch.distributions' shares; the loss example by example in the mean; recursion")
def loops(ref):
    def mixture_score(x, weights, means, variance):
        logs = torch.stack([torch.log(w) - ((x - m) ** 2).sum(1) / (2 * variance) for w, m in zip(weights, means)], 1)
        total = torch.logsumexp(logs, 1, keepdim=True)
        shares = torch.exp(logs - total)
        return sum(shares[:, k : k + 1] * (means[k] - x) for k in range(len(means))) / variance

    def tweedie(x, score, jacobian, sigma):
        covs = [sigma**2 * torch.eye(len(row), dtype=row.dtype, device=row.device) + sigma**4 * J for row, J in zip(x, jacobian)]
        return [x + sigma**2 * score, torch.stack(covs)]

    def denoising_score_loss(model, x0, sigma, eps):
        guess = model(x0 + eps * sigma.reshape(-1, 1), sigma)
        return torch.stack([((s * g + e) ** 2).sum() for s, g, e in zip(sigma, guess, eps)]).mean()

    def annealed_langevin(score, x, sigmas, step, noise):
        if len(sigmas) == 0:
            return x[None]
        walk = ref.langevin(lambda y: score(y, sigmas[0]), x, step * float(sigmas[0]) ** 2, noise[0])
        return torch.cat([x[None], annealed_langevin(score, walk[-1], sigmas[1:], step, noise[1:])])

    return {"mixture_score": mixture_score, "tweedie": tweedie, "denoising_score_loss": denoising_score_loss, "annealed_langevin": annealed_langevin}


@alternatives.rewrite("torch.distributions and autograd in float64; posterior mean of each hill; einsum; the loss as a trace")
def library(ref):
    def mixture_score(x, weights, means, variance):
        hills = Independent(Normal(means, math.sqrt(variance)), 1)
        law = MixtureSameFamily(Categorical(weights), hills)
        logs = law.component_distribution.log_prob(x[:, None]) + weights.log()
        shares = (logs - logs.logsumexp(1, keepdim=True)).exp()
        return torch.einsum("nk,nkd->nd", shares, (means[None] - x[:, None]) / variance)

    def tweedie(x, score, jacobian, sigma):
        x64, s64, j64 = x.double(), score.double(), jacobian.double()
        cov = torch.diag_embed(torch.full_like(x64, sigma**2)) + j64 * sigma**4
        return (x64 + s64 * sigma**2).to(x.dtype), cov.to(x.dtype)

    def denoising_score_loss(model, x0, sigma, eps):
        noisy = torch.addcmul(x0, sigma[:, None], eps)
        error = eps + torch.diag(sigma) @ model(noisy, sigma)
        return torch.einsum("nd,nd->", error, error) / x0.shape[0]

    return {"mixture_score": mixture_score, "tweedie": tweedie, "denoising_score_loss": denoising_score_loss}

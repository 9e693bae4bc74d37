"""Other right versions of the answers to question 7."""

import math

import torch
from torch.distributions import Independent, Normal

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "return (blocks.logsumexp(1) - math.log(size)).mean(0)",
    edit("constant_as_tensor", "log M as a tensor", "return (blocks.logsumexp(1) - torch.tensor(float(size)).log()).mean(0)"),
)


@alternatives.rewrite("torch.distributions, images expanded, the maximum divided out by hand")
def distributions(ref):
    def log_weights(model, x, eps, log_likelihood=ref.bernoulli_log_prob):
        mean, logvar = model.encode(x)
        q = Independent(Normal(mean, torch.exp(logvar / 2)), 1)
        z = q.base_dist.loc + q.base_dist.scale * eps
        prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        outputs = model.decode(z)
        images = x.expand(outputs.shape[0], -1, -1).reshape(-1, x.shape[-1])
        likelihood = log_likelihood(outputs.reshape(-1, x.shape[-1]), images).view(eps.shape[0], -1)
        return likelihood + prior.log_prob(z) - q.log_prob(z)

    def iwae_bound(log_weights, size=None):
        m, n = log_weights.shape
        size = size or m
        blocks = log_weights.reshape(m // size, size, n)
        top = blocks.amax(dim=1, keepdim=True)
        return ((blocks - top).exp().mean(1).log() + top.squeeze(1)).mean(0)

    def effective_draws(log_weights):
        weights = (log_weights - log_weights.amax(0)).exp()
        return weights.sum(0) ** 2 / (weights**2).sum(0), weights.amax(0) / weights.sum(0)

    def expected_share(ratio):
        each = torch.where(ratio > 0.5, (2 * ratio - 1).abs() ** 0.5 / ratio, torch.zeros_like(ratio))
        return each.prod(dim=-1)

    return {"log_weights": log_weights, "iwae_bound": iwae_bound, "effective_draws": effective_draws, "expected_share": expected_share}


@alternatives.rewrite("a loop over the draws, over the blocks, over the examples")
def loops(ref):
    def log_weights(model, x, eps, log_likelihood=ref.bernoulli_log_prob):
        mean, logvar = model.encode(x)
        rows = []
        for noise in eps:
            z = mean + torch.sqrt(logvar.exp()) * noise
            log_q = (-0.5 * noise**2 - 0.5 * logvar - 0.5 * math.log(2 * math.pi)).sum(1)
            log_prior = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
            rows.append(log_likelihood(model.decode(z), x) + log_prior - log_q)
        return torch.stack(rows)

    def iwae_bound(log_weights, size=None):
        if size is None:
            size = log_weights.shape[0]
        parts = torch.split(log_weights, size)
        return sum(torch.logsumexp(part, dim=0) - math.log(size) for part in parts) / len(parts)

    def effective_draws(log_weights):
        counts, largest = [], []
        for column in log_weights.T:
            p = torch.softmax(column, 0)
            counts.append(1 / (p @ p))
            largest.append(p.max())
        return torch.stack(counts), torch.stack(largest)

    def expected_share(ratio):
        result = torch.ones_like(ratio[..., 0])
        for r in ratio.unbind(-1):
            result = result * torch.sqrt(torch.relu(2 - 1 / r) / r)
        return result

    return {"log_weights": log_weights, "iwae_bound": iwae_bound, "effective_draws": effective_draws, "expected_share": expected_share}


@alternatives.rewrite("constants cancelled by hand, everything in logarithms, a list for the two results")
def logarithms(ref):
    def log_weights(model, x, eps, log_likelihood=ref.bernoulli_log_prob):
        mu, logvar = model.encode(x)
        z = mu + (0.5 * logvar).exp() * eps
        M, N, _ = z.shape
        outputs = model.decode(z.flatten(0, 1))
        likelihood = log_likelihood(outputs, torch.cat([x] * M)).reshape(M, N)
        return likelihood + 0.5 * (eps.square() + logvar - z.square()).sum(-1)

    def iwae_bound(log_weights, size=None):
        size = log_weights.size(0) if size is None else size
        blocks = log_weights.unflatten(0, (-1, size))
        return torch.logsumexp(blocks - math.log(size), dim=1).mean(dim=0)

    def effective_draws(log_weights):
        total = log_weights.logsumexp(0)
        return [(2 * total - (2 * log_weights).logsumexp(0)).exp(), (log_weights.max(0).values - total).exp()]

    def expected_share(ratio):
        inside = torch.where(ratio > 0.5, 2 * ratio - 1, 0.0)
        return (0.5 * inside.log() - ratio.log()).sum(-1).exp()

    return {"log_weights": log_weights, "iwae_bound": iwae_bound, "effective_draws": effective_draws, "expected_share": expected_share}


@alternatives.rewrite("float64 inside; image by image; a recursive mean; sorted shares")
def double(ref):
    def log_weights(model, x, eps, log_likelihood=ref.bernoulli_log_prob):
        columns = []
        for i in range(len(x)):
            mean, logvar = model.encode(x[i : i + 1])
            z = mean + (logvar / 2).exp() * eps[:, i]
            likelihood = log_likelihood(model.decode(z), x[i : i + 1].expand(len(z), -1)).double()
            log_q = Normal(mean.double(), (logvar.double() / 2).exp()).log_prob(z.double()).sum(1)
            columns.append(likelihood + Normal(0.0, 1.0).log_prob(z.double()).sum(1) - log_q)
        return torch.stack(columns, 1).to(x.dtype)

    def iwae_bound(log_weights, size=None):
        if size is None:
            size = len(log_weights)
        bounds = []
        for start in range(0, len(log_weights), size):
            running = log_weights[start].double()
            for row in log_weights[start + 1 : start + size]:
                running = torch.logaddexp(running, row.double())
            bounds.append(running - math.log(size))
        return torch.stack(bounds).mean(0).to(log_weights.dtype)

    def effective_draws(log_weights):
        share = torch.softmax(log_weights.double(), 0).sort(0).values
        return (1 / (share * share).sum(0)).to(log_weights.dtype), share[-1].to(log_weights.dtype)

    def expected_share(ratio):
        r = ratio.double()
        return torch.nan_to_num(torch.sqrt(2 * r - 1) / r, nan=0.0).prod(-1).to(ratio.dtype)

    return {"log_weights": log_weights, "iwae_bound": iwae_bound, "effective_draws": effective_draws, "expected_share": expected_share}


@alternatives.rewrite("one call of vmap over the draws; the largest share from the bound")
def mapped(ref):
    def log_weights(model, x, eps, log_likelihood=ref.bernoulli_log_prob):
        mean, logvar = model.encode(x)

        def one(noise):
            z = ref.reparameterise(mean, logvar, noise)
            return log_likelihood(model.decode(z), x)

        return torch.vmap(one)(eps) - ref.kl_monte_carlo(mean, logvar, eps)

    def effective_draws(log_weights):
        mean = ref.iwae_bound(log_weights)
        relative = (log_weights - mean).exp() / len(log_weights)
        return 1 / relative.pow(2).sum(0), relative.max(0)[0]

    return {"log_weights": log_weights, "effective_draws": effective_draws}

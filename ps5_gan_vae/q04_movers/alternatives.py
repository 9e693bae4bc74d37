"""Other right versions of the answers to question 4."""

import itertools
import math

import numpy as np
import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("quantiles at merged levels, loops over columns, a growing log-plan, one gradient per sample, two backward calls")
def merged(ref):
    def wasserstein_1d(x, y, p=1.0):
        n, m = x.shape[-1], y.shape[-1]
        cuts = sorted({k * m for k in range(n + 1)} | {k * n for k in range(m + 1)})   # in units of 1 / (n m)
        x, y, total = x.sort(-1).values, y.sort(-1).values, 0.0
        for low, high in itertools.pairwise(cuts):
            total = total + (high - low) / (n * m) * (x[..., low // m] - y[..., low // n]).abs() ** p
        return total ** (1 / p)

    def certificate(plan, cost, f):
        g = torch.stack([(cost[:, j] - f).min() for j in range(cost.shape[1])])
        return g, (plan * cost).sum() - plan.sum(1) @ f - plan.sum(0) @ g

    def sinkhorn(cost, a, b, epsilon, steps):
        log_plan, f = -cost / epsilon, torch.zeros_like(a)
        for _ in range(steps):
            change = a.log() - torch.logsumexp(log_plan, 1)
            f, log_plan = f + epsilon * change, log_plan + change[:, None]
            log_plan = log_plan + b.log() - torch.logsumexp(log_plan, 0)
        return log_plan.exp(), f

    def gradient_penalty(critic, real, fake, alpha):
        total = 0.0
        for k in range(len(real)):
            x = torch.lerp(fake[k:k + 1], real[k:k + 1], alpha[k]).detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(critic(x).squeeze(), x, create_graph=True)
            total = total + (torch.linalg.vector_norm(slope) - 1) ** 2
        return total / len(real)

    def wasserstein_step(critic, optimizer, real, fake, penalty=0.0, limit=float("inf")):
        for part in critic.parameters():
            part.grad = None
        if isinstance(penalty, torch.Tensor) and penalty.requires_grad:
            penalty.backward()
        critic(fake.detach()).mean().backward()
        (-critic(real).mean()).backward()
        optimizer.step()
        if limit < float("inf"):
            with torch.no_grad():
                for part in critic.parameters():
                    part.copy_(part.clip(-limit, limit))

    return {"wasserstein_1d": wasserstein_1d, "certificate": certificate, "sinkhorn": sinkhorn, "gradient_penalty": gradient_penalty, "wasserstein_step": wasserstein_step}


@alternatives.rewrite("repeat, then sort; einsum; scaled potentials; a small number under the root; one joint call of the critic")
def repeated(ref):
    def wasserstein_1d(x, y, p=1.0):
        n, m = x.shape[-1], y.shape[-1]
        x, y = torch.cat([x] * m, -1).sort(-1, descending=True)[0], torch.cat([y] * n, -1).sort(-1, descending=True)[0]
        return ((x - y).abs() ** p).sum(-1).div(n * m) ** (1.0 / p)

    def certificate(plan, cost, f):
        g = -torch.max(f.unsqueeze(1) - cost, 0).values
        return g, torch.einsum("ij,ij->", plan, cost) - torch.einsum("ij,i->", plan, f) - torch.einsum("ij,j->", plan, g)

    def sinkhorn(cost, a, b, epsilon, steps):
        kernel, u, v = -cost / epsilon, torch.zeros_like(a), torch.zeros_like(b)
        for _ in range(steps):
            rows = kernel + v
            top = rows.amax(1, keepdim=True).detach()
            u = torch.log(a) - (top[:, 0] + (rows - top).exp().sum(1).log())
            v = torch.log(b) - torch.logsumexp(kernel + u.reshape(-1, 1), dim=0)
        return torch.exp(u.reshape(-1, 1) + v + kernel), u * epsilon

    def gradient_penalty(critic, real, fake, alpha):
        share = alpha.view(len(alpha), *(1 for _ in real.shape[1:]))
        x = fake + share * (real - fake)
        x.requires_grad_(True)
        scores = critic(x)
        slope = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True, retain_graph=True, only_inputs=True)[0]
        norms = (slope.reshape(len(slope), -1).pow(2).sum(1) + 1e-12).sqrt()
        return ((norms - 1) ** 2).mean()

    def wasserstein_step(critic, optimizer, real, fake, penalty=0.0, limit=float("inf")):
        scores = critic(torch.cat([real, fake.detach()]))
        loss = -(scores[:len(real)].mean() - scores[len(real):].mean()) + penalty
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_clamp_min_(list(critic.parameters()), -limit)
            torch._foreach_clamp_max_(list(critic.parameters()), limit)

    return {"wasserstein_1d": wasserstein_1d, "certificate": certificate, "sinkhorn": sinkhorn, "gradient_penalty": gradient_penalty, "wasserstein_step": wasserstein_step}


@alternatives.rewrite("levels by searchsorted, float64 inside, `torch.func`, gradients of the parameters by `torch.autograd.grad`")
def precise(ref):
    def wasserstein_1d(x, y, p=1.0):
        n, m = x.shape[-1], y.shape[-1]
        ends = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))
        width, middle = np.diff(ends) / (n * m), (ends[1:] + ends[:-1]) / 2
        i, j = (torch.from_numpy(np.searchsorted(np.arange(1, k + 1) * other, middle)).to(x.device) for k, other in ((n, m), (m, n)))
        ways = (x.double().sort(-1).values[..., i] - y.double().sort(-1).values[..., j]).abs()
        return (torch.from_numpy(width).to(x.device) * ways**p).sum(-1).pow(1 / p).to(x.dtype)

    def certificate(plan, cost, f):
        wide = [part.double() for part in (plan, cost, f)]
        slack = wide[1] - wide[2][:, None]
        g = torch.amin(slack, dim=0)
        return g.to(cost.dtype), (wide[0] * (slack - g)).sum().to(cost.dtype)

    def sinkhorn(cost, a, b, epsilon, steps):
        c, la, lb, g = cost.double() / epsilon, a.double().log(), b.double().log(), torch.zeros(len(b), dtype=torch.float64, device=b.device)
        for _ in range(steps):
            f = la - torch.logsumexp(g[None, :] - c, dim=1)
            g = lb - torch.logsumexp(f[:, None] - c, dim=0)
        return torch.exp(f[:, None] + g[None, :] - c).to(cost.dtype), (epsilon * f).to(cost.dtype)

    def gradient_penalty(critic, real, fake, alpha):
        share = alpha[(...,) + (None,) * (real.ndim - 1)]
        x = share * real + (1 - share) * fake
        slope = torch.func.vmap(torch.func.grad(lambda one: critic(one[None]).sum()))(x)
        norms = torch.linalg.vector_norm(slope, dim=tuple(range(1, slope.ndim)))
        return torch.nn.functional.mse_loss(norms, torch.ones_like(norms))

    def wasserstein_step(critic, optimizer, real, fake, penalty=0.0, limit=math.inf):
        weights = list(critic.parameters())
        loss = penalty - (critic(real).mean() - critic(fake.detach()).mean())
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        for weight, slope in zip(weights, found):
            weight.grad = None if slope is None else slope
        optimizer.step()
        for weight in weights:
            weight.data = torch.minimum(torch.maximum(weight.data, weight.data.new_tensor(-limit)), weight.data.new_tensor(limit))

    return {"wasserstein_1d": wasserstein_1d, "certificate": certificate, "sinkhorn": sinkhorn, "gradient_penalty": gradient_penalty, "wasserstein_step": wasserstein_step}

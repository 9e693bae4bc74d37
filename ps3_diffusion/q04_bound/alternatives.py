"""Other right versions of the answers to question 4."""

import math

import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("loops; weights from the posterior's numbers; KL divergences of torch.distributions; cumulative sums by hand")
def loops(ref):
    def eps_loss(model, x0, t, eps, alpha_bar):
        answer = model(ref.q_sample(x0, t, eps, alpha_bar), t)
        return torch.stack([((a - e) ** 2).mean() for a, e in zip(answer, eps)])

    def bound_weights(alpha_bar):
        found = [torch.zeros_like(alpha_bar[0]), 1 / (2 * alpha_bar[1])]
        for t in range(2, len(alpha_bar)):
            now, before = alpha_bar[t], alpha_bar[t - 1]
            alpha = now / before
            variance = (1 - alpha) * (1 - before) / (1 - now)
            factor = before.sqrt() * (1 - alpha) / (1 - now)
            found.append(factor**2 / (2 * variance) * (1 - now) / now)
        return torch.stack(found)

    def bound_terms(model, x0, alpha_bar, eps):
        pixels = tuple(range(1, x0.ndim))
        end = Normal(alpha_bar[-1].sqrt() * x0, (1 - alpha_bar[-1]).sqrt().expand_as(x0), validate_args=False)
        rows = [kl_divergence(end, Normal(torch.zeros_like(x0), torch.ones_like(x0))).sum(pixels)]
        for t in range(1, len(alpha_bar)):
            when = torch.full((x0.shape[0],), t, dtype=torch.long, device=x0.device)
            x_t = alpha_bar[t].sqrt() * x0 + (1 - alpha_bar[t]).sqrt() * eps[t]
            guess = (x_t - (1 - alpha_bar[t]).sqrt() * model(x_t, when)) / alpha_bar[t].sqrt()
            if t == 1:
                rows.append(-Normal(guess, (1 - alpha_bar[1]).sqrt(), validate_args=False).log_prob(x0).sum(pixels))
            else:
                variance = (1 - alpha_bar[t] / alpha_bar[t - 1]) * (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t])
                shift = alpha_bar[t - 1].sqrt() * (1 - alpha_bar[t] / alpha_bar[t - 1]) / (1 - alpha_bar[t]) * (x0 - guess)
                rows.append((shift**2 / (2 * variance)).sum(pixels))
        return torch.stack(rows)

    def training_times(u, probs):
        found, total = [], probs.cumsum(0).tolist()
        for each in u.tolist():
            t = 1
            while t < len(total) - 1 and total[t] <= each:
                t += 1
            found.append(t)
        t = torch.tensor(found, device=u.device)
        return t, 1 / (len(probs) - 1) / probs[t]

    def shift(alpha_bar, s):
        return 1 / (1 + s**2 * (1 / alpha_bar - 1))

    return {"eps_loss": eps_loss, "bound_weights": bound_weights, "bound_terms": bound_terms, "training_times": training_times, "shift": shift}


@alternatives.rewrite("everything in float64; one call of the model for all times; comparisons instead of a search")
def double(ref):
    def eps_loss(model, x0, t, eps, alpha_bar):
        error = model(ref.q_sample(x0, t, eps, alpha_bar), t).double() - eps.double()
        return (error**2).reshape(len(x0), -1).mean(-1)

    def bound_weights(alpha_bar):
        level = alpha_bar.double()
        log_snr = level[1:].log() - torch.log1p(-level[1:])
        return torch.cat([torch.zeros_like(level[:1]), 1 / (2 * level[1:2]), torch.expm1(log_snr[:-1] - log_snr[1:]) / 2])

    def bound_terms(model, x0, alpha_bar, eps):
        T, N = len(alpha_bar) - 1, len(x0)
        t = torch.arange(1, T + 1, device=x0.device).repeat_interleave(N)
        clean = x0.repeat(T, *[1] * (x0.ndim - 1))
        losses = ref.eps_loss(model, clean, t, eps[1:].flatten(0, 1), alpha_bar).double().reshape(T, N)
        rows = ref.bound_weights(alpha_bar.double())[1:, None] * losses * x0[0].numel()
        first = rows[:1] + x0[0].numel() / 2 * (math.log(2 * math.pi) + (1 - alpha_bar[1].double()).log())
        variance = 1 - alpha_bar[-1].double()
        prior = (alpha_bar[-1] * x0.double() ** 2 + variance - 1 - variance.log()) / 2
        return torch.cat([prior.reshape(N, -1).sum(1)[None], first, rows[1:]])

    def training_times(u, probs):
        t = (probs.double().cumsum(0) <= u.double()[:, None]).sum(1).clamp(max=len(probs) - 1)
        return t, 1.0 / (probs.double()[t] * (len(probs) - 1))

    def shift(alpha_bar, s):
        return torch.sigmoid(torch.logit(alpha_bar.double()) - 2 * math.log(s))

    return {"eps_loss": eps_loss, "bound_weights": bound_weights, "bound_terms": bound_terms, "training_times": training_times, "shift": shift}


@alternatives.rewrite("F.mse_loss without reduction; the answers' own functions; bucketize; int32 times")
def library(ref):
    def eps_loss(model, x0, t, eps, alpha_bar):
        answer = model(ref.q_sample(x0, t, eps, alpha_bar), t)
        return F.mse_loss(answer, eps, reduction="none").mean(dim=tuple(range(1, eps.ndim)))

    def bound_weights(alpha_bar):
        now, before = alpha_bar[1:], alpha_bar[:-1]
        later = before * (1 - now) / (now * (1 - before)) - 1
        later = torch.where(before == 1, 1 / now, later)
        return F.pad(later / 2, (1, 0))

    def bound_terms(model, x0, alpha_bar, eps):
        weights, number = ref.bound_weights(alpha_bar), math.prod(x0.shape[1:])
        rows = []
        for t in range(len(alpha_bar)):
            if t == 0:
                row = 0.5 * ((alpha_bar[-1] * x0**2).flatten(1).sum(1) - number * (alpha_bar[-1] + (1 - alpha_bar[-1]).log()))
            else:
                row = number * weights[t] * ref.eps_loss(model, x0, torch.zeros_like(x0.flatten(1)[:, 0]).long() + t, eps[t], alpha_bar)
            if t == 1:
                row = row + 0.5 * number * (2 * math.pi * (1 - alpha_bar[1])).log()
            rows.append(row)
        return torch.stack(rows, dim=0)

    def training_times(u, probs):
        t = torch.bucketize(u, probs.cumsum(0)[1:-1].contiguous(), right=True, out_int32=True) + 1
        return t, probs[t].reciprocal() / (probs.numel() - 1)

    def shift(alpha_bar, s):
        noise = s * (1 - alpha_bar).sqrt()
        return alpha_bar / (alpha_bar + noise.square())

    return {"eps_loss": eps_loss, "bound_weights": bound_weights, "bound_terms": bound_terms, "training_times": training_times, "shift": shift}


@alternatives.rewrite("einsum and norms; weights through x0's error; a padded table; argmax")
def other(ref):
    def eps_loss(model, x0, t, eps, alpha_bar):
        shape = (-1,) + (1,) * (x0.dim() - 1)
        x_t = alpha_bar.sqrt()[t].view(shape) * x0 + (1 - alpha_bar).sqrt()[t].view(shape) * eps
        error = (eps - model(x_t, t)).reshape(len(eps), -1)
        return torch.einsum("nd,nd->n", error, error) / error.shape[1]

    def bound_weights(alpha_bar):
        snr = alpha_bar[1:] / (1 - alpha_bar[1:])
        of_x0 = torch.cat([0.5 / (1 - alpha_bar[1:2]), 0.5 * (snr[:-1] - snr[1:])])
        return torch.cat([torch.zeros(1).to(alpha_bar), of_x0 / snr])

    def bound_terms(model, x0, alpha_bar, eps):
        size, w = x0[0].numel(), ref.bound_weights(alpha_bar)
        out = [0.5 * (alpha_bar[-1] * x0.reshape(len(x0), -1).pow(2).sum(1) - size * alpha_bar[-1] - size * torch.log1p(-alpha_bar[-1]))]
        for t, noise in enumerate(eps[1:], 1):
            when = torch.tensor([t] * len(x0), device=x0.device)
            level = alpha_bar[t]
            answer = model(level.sqrt() * x0 + (1 - level).sqrt() * noise, when)
            row = w[t] * torch.linalg.vector_norm((answer - noise).reshape(len(x0), -1), dim=1) ** 2
            out.append(row + (size * 0.5 * math.log(2 * math.pi * float(1 - level)) if t == 1 else 0.0))
        return torch.stack(out)

    def training_times(u, probs):
        above = probs.cumsum(0)[None] > u[:, None]
        t = torch.where(above.any(1), above.int().argmax(1), len(probs) - 1)
        return t, (1 / (len(probs) - 1)) / probs.gather(0, t)

    def shift(alpha_bar, s):
        return (alpha_bar / s**2) / (alpha_bar / s**2 + 1 - alpha_bar)

    return {"eps_loss": eps_loss, "bound_weights": bound_weights, "bound_terms": bound_terms, "training_times": training_times, "shift": shift}

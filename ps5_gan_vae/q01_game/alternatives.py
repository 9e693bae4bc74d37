"""Other right answers to question 1."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("binary cross-entropies from logits; zeros by masks; KLs from PyTorch; conjugates in branches")
def library(ref):
    def discriminator_loss(real_logits, fake_logits):
        real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
        fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
        return real + fake

    def generator_loss(fake_logits, kind):
        if kind == "minimax":
            return -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
        if kind == "nonsaturating":
            return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))
        if kind == "kl":
            return -fake_logits.mean()
        raise ValueError(kind)

    def best_logits(p, q):
        logits = (p / q).log()
        logits[(p == 0) & (q == 0)] = 0
        return logits

    def jensen_shannon(p, q):
        log_m = ((p + q) / 2).clamp(min=1e-38).log()
        return 0.5 * (F.kl_div(log_m, p, reduction="none") + F.kl_div(log_m, q, reduction="none")).sum(-1)

    def f_bound(p, q, t, kind):
        if kind == "kl":
            conjugate = torch.exp(t - 1)
        elif kind == "pearson":
            conjugate = torch.where(t >= -2, t + t**2 / 4, -torch.ones_like(t))
        else:
            inner = -torch.log(1 - t.exp()) if kind == "game" else -1 - (-t).log()
            conjugate = inner.masked_fill(t >= 0, math.inf)
        return (p * t).sum(-1) - (q * conjugate).sum(-1)

    return {"discriminator_loss": discriminator_loss, "generator_loss": generator_loss, "best_logits": best_logits, "jensen_shannon": jensen_shannon, "f_bound": f_bound}


@alternatives.rewrite("log-sigmoids, loops over points, entropies of torch.distributions-like sums, an early return outside the domain")
def loops(ref):
    def discriminator_loss(real_logits, fake_logits):
        return -(F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean())

    def generator_loss(fake_logits, kind):
        match kind:
            case "minimax":
                return F.logsigmoid(-fake_logits).mean()
            case "nonsaturating":
                return -F.logsigmoid(fake_logits).mean()
            case "kl":
                return fake_logits.neg().mean()
        raise ValueError("unknown")

    def best_logits(p, q):
        both = (p > 0) | (q > 0)
        return torch.where(both, p, torch.ones_like(p)).log() - torch.where(both, q, torch.ones_like(q)).log()

    def jensen_shannon(p, q):
        total = torch.zeros_like(p[..., 0])
        for k in range(p.shape[-1]):
            a, b = p[..., k], q[..., k]
            m = (a + b) / 2
            for law in (a, b):
                inside = law > 0
                safe, middle = torch.where(inside, law, 1.0), torch.where(inside, m, 1.0)
                total = total + 0.5 * torch.where(inside, law * (safe / middle).log(), 0.0)
        return total

    def f_bound(p, q, t, kind):
        flat = [part.reshape(-1, part.shape[-1]) for part in (p, q, t)]
        rows = []
        for a, b, s in zip(*flat):
            if kind in ("game", "reverse") and bool((s >= 0).any()):
                rows.append(torch.tensor(-math.inf).to(p))
                continue
            if kind == "kl":
                f = s.exp() / math.e
            elif kind == "game":
                f = -torch.log1p(-s.exp())
            elif kind == "reverse":
                f = -torch.log(-s) - 1
            else:
                f = torch.clamp(s, min=-2) * (1 + torch.clamp(s, min=-2) / 4)
            rows.append(a @ s - b @ f)
        return torch.stack(rows).reshape(p.shape[:-1])

    return {"discriminator_loss": discriminator_loss, "generator_loss": generator_loss, "best_logits": best_logits, "jensen_shannon": jensen_shannon, "f_bound": f_bound}


@alternatives.rewrite("float64 within; logaddexp; the JSD from the best critic's game; the largest u put into the conjugates")
def wide(ref):
    def discriminator_loss(real_logits, fake_logits):
        loss = nn.BCEWithLogitsLoss()
        return (loss(real_logits.double(), torch.ones_like(real_logits).double()) + loss(fake_logits.double(), torch.zeros_like(fake_logits).double())).to(real_logits.dtype)

    def generator_loss(fake_logits, kind):
        h = fake_logits.double()
        zero = torch.zeros_like(h)
        each = {"minimax": lambda: -torch.logaddexp(h, zero), "nonsaturating": lambda: torch.logaddexp(-h, zero), "kl": lambda: -h}
        if kind not in each:
            raise ValueError(kind)
        return each[kind]().mean().to(fake_logits.dtype)

    def best_logits(p, q):
        found = p.double().log() - q.double().log()
        return torch.where(found.isnan(), 0.0, found).to(p.dtype)

    def jensen_shannon(p, q):
        h = ref.best_logits(p, q)
        real = torch.where(p > 0, p * F.logsigmoid(torch.where(p > 0, h, 0.0)), 0.0)
        fake = torch.where(q > 0, q * F.logsigmoid(-torch.where(q > 0, h, 0.0)), 0.0)
        return ((real + fake).sum(-1) + math.log(4)) / 2

    def f_bound(p, q, t, kind):
        t64 = t.double()
        if kind == "kl":
            u = (t64 - 1).exp()
            f = u * u.log()
        elif kind == "game":
            safe = torch.where(t64 < 0, t64, -1.0)
            u = safe.exp() / (1 - safe.exp())
            f = u * u.log() - (u + 1) * (u + 1).log()
        elif kind == "reverse":
            u = -1 / torch.where(t64 < 0, t64, -1.0)
            f = -u.log()
        else:
            u = (1 + t64 / 2).clamp(min=0)
            f = (u - 1) ** 2
        conjugate = u * t64 - f
        if kind in ("game", "reverse"):
            conjugate = torch.where(t64 < 0, conjugate, math.inf)
        return (p.double() * t64 - q.double() * conjugate).sum(-1).to(p.dtype)

    return {"discriminator_loss": discriminator_loss, "generator_loss": generator_loss, "best_logits": best_logits, "jensen_shannon": jensen_shannon, "f_bound": f_bound}


@alternatives.rewrite("cross-entropies of two logits, one mean of concatenated halves; nan_to_num; entropies; einsum")
def others(ref):
    def discriminator_loss(real_logits, fake_logits):
        real, fake = real_logits.flatten(), fake_logits.flatten()
        logits = torch.cat([real, fake])
        labels = torch.cat([torch.ones_like(real, dtype=torch.long), torch.zeros_like(fake, dtype=torch.long)])
        each = F.cross_entropy(torch.stack([torch.zeros_like(logits), logits], 1), labels, reduction="none")
        return each[: len(real)].mean() + each[len(real) :].mean()

    def generator_loss(fake_logits, kind):
        if kind not in ("minimax", "nonsaturating", "kl"):
            raise ValueError(kind)
        pair = torch.stack([torch.zeros_like(fake_logits), fake_logits]).log_softmax(0)
        per_sample = {"minimax": pair[0], "nonsaturating": -pair[1], "kl": pair[0] - pair[1]}[kind]
        return per_sample.sum() / fake_logits.numel()

    def best_logits(p, q):
        return torch.nan_to_num(p.log() - q.log(), nan=0.0, posinf=math.inf, neginf=-math.inf)

    def jensen_shannon(p, q):
        def entropy(law):
            return torch.special.entr(law).sum(-1)

        return entropy(0.5 * p + 0.5 * q) - 0.5 * entropy(p) - 0.5 * entropy(q)

    def f_bound(p, q, t, kind):
        above = torch.full_like(t, math.inf)
        conjugate = {
            "kl": lambda: (t - 1).exp(),
            "game": lambda: torch.where(t < 0, -torch.log1p(-t.clamp(max=-1e-30).exp()), above),
            "reverse": lambda: torch.where(t < 0, -(1 + torch.log(t.abs())), above),
            "pearson": lambda: torch.where(t > -2, t * (t + 4) / 4, -1.0),
        }[kind]()
        return torch.einsum("...k,...k->...", p, t) - torch.einsum("...k,...k->...", q, conjugate)

    return {"discriminator_loss": discriminator_loss, "generator_loss": generator_loss, "best_logits": best_logits, "jensen_shannon": jensen_shannon, "f_bound": f_bound}

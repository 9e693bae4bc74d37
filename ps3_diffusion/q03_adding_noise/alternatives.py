"""Other right versions of the answers to question 3."""

import math

import numpy as np
import torch
from torch.distributions import Normal

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("loops over steps and examples; eps first; the posterior from precisions, t = 1 apart")
def loops(ref):
    def cosine_alpha_bar(T):
        def f(t):
            return math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2

        found = [1.0]
        for t in range(1, T + 1):
            found.append(found[-1] * (1 - min(0.999, 1 - f(t) / f(t - 1))))
        return torch.tensor(found)

    def zero_terminal_snr(alpha_bar):
        roots = alpha_bar**0.5
        a = 1 / (1 - roots[-1])
        return (a * roots + (-a * roots[-1])) ** 2 * (torch.arange(len(roots), device=roots.device) < len(roots) - 1)

    def q_sample(x0, t, eps, alpha_bar):
        return torch.stack([alpha_bar[s] ** 0.5 * x + (1 - alpha_bar[s]) ** 0.5 * e for x, s, e in zip(x0, t, eps)])

    def posterior(x_t, x0, t, alpha_bar):
        means, variances = [], []
        for x, clean, s in zip(x_t, x0, t.tolist()):
            before, alpha = alpha_bar[s - 1], alpha_bar[s] / alpha_bar[s - 1]
            if s == 1:
                means.append(clean + 0 * x)
                variances.append(torch.zeros_like(alpha))
                continue
            variance = 1 / (1 / (1 - before) + alpha / (1 - alpha))
            means.append(variance * (before.sqrt() * clean / (1 - before) + alpha.sqrt() * x / (1 - alpha)))
            variances.append(variance)
        return torch.stack(means), torch.stack(variances).reshape(-1, *[1] * (x_t.dim() - 1))

    def convert(output, kind, x_t, alpha_bar_t):
        a, s = torch.sqrt(alpha_bar_t), torch.sqrt(1 - alpha_bar_t)
        if kind == "v":
            eps, x0 = s * x_t + a * output, a * x_t - s * output
        elif kind == "x0":
            eps, x0 = (x_t - a * output) / s, output
        else:
            eps = output if kind == "eps" else -s * output
            x0 = (x_t - s * eps) / a
        return {"score": -eps / s, "v": a * eps - s * x0, "x0": x0, "eps": eps}

    return {"cosine_alpha_bar": cosine_alpha_bar, "zero_terminal_snr": zero_terminal_snr, "q_sample": q_sample, "posterior": posterior, "convert": convert}


@alternatives.rewrite("everything in float64, cast back or not")
def double(ref):
    def cosine_alpha_bar(T):
        steps = np.arange(T + 1) / T
        f = np.cos((steps + 0.008) / 1.008 * np.pi / 2) ** 2
        beta = np.clip(1 - f[1:] / f[:-1], 0, 0.999)
        return torch.tensor(np.concatenate([[1.0], np.cumprod(1 - beta)])).float()

    def zero_terminal_snr(alpha_bar):
        return ref.zero_terminal_snr(alpha_bar.double()).to(alpha_bar)

    def q_sample(x0, t, eps, alpha_bar):
        return ref.q_sample(x0.double(), t, eps.double(), alpha_bar.double())

    def posterior(x_t, x0, t, alpha_bar):
        return tuple(part.to(x_t.dtype) for part in ref.posterior(x_t.double(), x0.double(), t.int(), alpha_bar.double()))

    def convert(output, kind, x_t, alpha_bar_t):
        return ref.convert(output.double(), kind, x_t.double(), alpha_bar_t.double())

    return {"cosine_alpha_bar": cosine_alpha_bar, "zero_terminal_snr": zero_terminal_snr, "q_sample": q_sample, "posterior": posterior, "convert": convert}


@alternatives.rewrite("float32 throughout; gather and transposes; the posterior in its noise form where that exists; an angle for v")
def angles(ref):
    def cosine_alpha_bar(T):
        f = torch.cos((torch.linspace(0, 1, T + 1, dtype=torch.float64) + 0.008) / (1 + 0.008) * math.pi / 2) ** 2
        ratio = torch.maximum(f[1:] / f[:-1], torch.tensor(0.001))
        return torch.cat((torch.ones(1), torch.cumprod(ratio, dim=0).float()))

    def zero_terminal_snr(alpha_bar):
        roots = alpha_bar.sqrt()
        return torch.pow((roots - roots[-1:]) * roots[0] / (roots[0] - roots[-1:]), 2)

    def q_sample(x0, t, eps, alpha_bar):
        level = torch.gather(alpha_bar, 0, t)
        return (x0.transpose(0, -1) * level**0.5 + eps.transpose(0, -1) * (1 - level) ** 0.5).transpose(0, -1)

    def posterior(x_t, x0, t, alpha_bar):
        shape = (len(t),) + (1,) * (x_t.ndim - 1)
        now, before = alpha_bar[t].view(shape), alpha_bar[t - 1].view(shape)
        beta = 1 - now / before
        variance = beta * (1 - before) / (1 - now)
        # x_{t-1} = √ᾱ_{t-1} x0 + √(1 - ᾱ_{t-1} - variance) noise of x_t, DDIM's form
        eps = (x_t - now.sqrt() * x0) / (1 - now).sqrt()
        return before.sqrt() * x0 + (1 - before - variance).clamp(min=0).sqrt() * eps, variance

    def convert(output, kind, x_t, alpha_bar_t):
        angle = torch.atan2((1 - alpha_bar_t).sqrt(), alpha_bar_t.sqrt())
        s = angle.sin()
        if kind == "score":
            return convert(-s * output, "eps", x_t, alpha_bar_t)
        if kind == "eps":
            v = (output - s * x_t) / alpha_bar_t.sqrt()
        else:
            v = output if kind == "v" else (alpha_bar_t.sqrt() * x_t - output) / s
        eps = s * x_t + alpha_bar_t.sqrt() * v
        return {"eps": eps, "x0": alpha_bar_t.sqrt() * x_t - s * v, "v": v, "score": -eps / s}

    return {"cosine_alpha_bar": cosine_alpha_bar, "zero_terminal_snr": zero_terminal_snr, "q_sample": q_sample, "posterior": posterior, "convert": convert}


@alternatives.rewrite("logarithms of levels; torch.lerp; a distribution for the draw; einsum; the score by Tweedie")
def library(ref):
    def cosine_alpha_bar(T):
        log_f = 2 * torch.cos((torch.arange(T + 1).double() / T + 0.008) / 1.008 * math.pi / 2).clamp(min=1e-30).log()
        return torch.cat([torch.zeros(1).double(), log_f.diff().clamp(min=math.log(0.001))]).cumsum(0).exp().to(torch.float32)

    def zero_terminal_snr(alpha_bar):
        return ((alpha_bar.sqrt() - alpha_bar[-1].sqrt()) / (1 - alpha_bar[-1].sqrt())).pow(2)

    def q_sample(x0, t, eps, alpha_bar):
        level = alpha_bar.index_select(0, t)
        while level.ndim < x0.ndim:
            level = level.unsqueeze(-1)
        law = Normal(level.sqrt() * x0, (1 - level).sqrt(), validate_args=False)
        return law.mean + law.stddev * eps

    def posterior(x_t, x0, t, alpha_bar):
        now, before = (alpha_bar[s][(...,) + (None,) * (x_t.ndim - 1)] for s in (t, t - 1))
        gain = (now * before).sqrt() / before * (1 - before) / (1 - now)   # Kalman's, for the measurement x_t of x_{t-1}
        alpha = now / before
        mean = before.sqrt() * x0
        return mean + gain * (x_t - alpha.sqrt() * mean), (1 - before) * (1 - gain * alpha.sqrt())

    def convert(output, kind, x_t, alpha_bar_t):
        a, b = alpha_bar_t.sqrt(), 1 - alpha_bar_t
        match kind:
            case "eps":
                score = -output / b.sqrt()
            case "x0":
                score = (a * output - x_t) / b
            case "v":
                score = -x_t - a * output / b.sqrt()
            case _:
                score = output
        eps = -b.sqrt() * score
        x0 = {"x0": output, "v": a * x_t - b.sqrt() * output}.get(kind)
        x0 = (x_t + b * score) / a if x0 is None else x0
        v = output if kind == "v" else torch.einsum("...,...->...", a, eps) - b.sqrt() * x0
        return {"eps": eps, "x0": x0, "score": score, "v": v}

    return {"cosine_alpha_bar": cosine_alpha_bar, "zero_terminal_snr": zero_terminal_snr, "q_sample": q_sample, "posterior": posterior, "convert": convert}


@alternatives.rewrite("levels placed by movedim; the posterior as a product of two Gaussians in float64; conversions through v")
def products(ref):
    def cosine_alpha_bar(T):
        t = torch.arange(0, T + 1).to(torch.float64)
        f = torch.cos(math.pi / 2 * (t + 0.008 * T) / (1.008 * T)) ** 2
        betas = torch.minimum(1 - f[1:] / f[:-1], torch.full((T,), 0.999, dtype=torch.float64))
        out = torch.ones(T + 1)
        out[1:] = torch.cumprod(1 - betas, 0)
        return out

    def zero_terminal_snr(alpha_bar):
        low, high = alpha_bar[-1].sqrt(), alpha_bar[0].sqrt()
        scale = high / (high - low)
        out = ((alpha_bar.sqrt() - low) * scale).square()
        out[-1] = 0
        return out

    def q_sample(x0, t, eps, alpha_bar):
        a, s = alpha_bar.sqrt()[t], (1 - alpha_bar).sqrt()[t]
        extra = (-1,) + (1,) * (x0.dim() - 1)
        return torch.addcmul(a.view(extra) * x0, s.view(extra), eps)

    def posterior(x_t, x0, t, alpha_bar):
        wide = alpha_bar.double()
        alpha = wide[1:] / wide[:-1]
        table = torch.stack([wide[:-1].sqrt() * (1 - alpha), alpha.sqrt() * (1 - wide[:-1]), (1 - alpha) * (1 - wide[:-1])]) / (1 - wide[1:])
        first, second, variance = (row[t - 1].reshape(-1, *[1] * (x_t.ndim - 1)).to(x_t.dtype) for row in table)
        return first * x0 + second * x_t, variance

    def convert(output, kind, x_t, alpha_bar_t):
        a, s = alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5
        x0_of = {
            "x0": lambda: output, "v": lambda: a * x_t - s * output, "eps": lambda: x_t / a - (1 / alpha_bar_t - 1).sqrt() * output,
            "score": lambda: (x_t + (1 - alpha_bar_t) * output) / a,
        }
        x0 = x0_of[kind]()
        eps = output if kind == "eps" else x_t * s + a * output if kind == "v" else (x_t - a * x0) / s
        return {"kind": kind, "x0": x0, "eps": eps, "score": output if kind == "score" else -eps / s, "v": a * eps - s * x0}

    return {"cosine_alpha_bar": cosine_alpha_bar, "zero_terminal_snr": zero_terminal_snr, "q_sample": q_sample, "posterior": posterior, "convert": convert}

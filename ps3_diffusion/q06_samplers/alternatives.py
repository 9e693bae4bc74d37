"""Other right versions of the answers to question 6."""

import math

import numpy as np
import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("whole-number arithmetic; the step from the posterior's mean; the solver by ratios of σ/α")
def posterior_form(ref):
    def sampling_times(steps, T):
        return torch.tensor([round(T * (steps - i) / steps) for i in range(steps + 1)])

    def ddim_step(x, eps, t, s, alpha_bar, eta, noise, clip=None):
        a_t, a_s = alpha_bar[t], alpha_bar[s]
        guess = x / a_t.sqrt() - (1 / a_t - 1).sqrt() * eps
        if clip is not None:
            guess = torch.maximum(torch.minimum(guess, torch.full_like(guess, clip)), torch.full_like(guess, -clip))
        variance = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
        rest = torch.sqrt(torch.clamp(1 - a_s - variance, min=0.0))
        found = (x - a_t.sqrt() * guess) / torch.sqrt(1 - a_t)
        return a_s.sqrt() * guess + rest * found + variance.sqrt() * noise

    @torch.no_grad()
    def sample(step, model, x_T, times, alpha_bar, noise):
        x = x_T.clone()
        for i in range(len(times) - 1):
            t = torch.full((x.shape[0],), int(times[i]), dtype=torch.long, device=x.device)
            x = step(x, model(x, t), times[i], times[i + 1], alpha_bar, noise[i])
        return x

    @torch.no_grad()
    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, history = x_T, []
        ratio = ((1 - alpha_bar) / alpha_bar).sqrt()  # exp(-lambda)
        for t, s in zip(times.tolist()[:-1], times.tolist()[1:]):
            eps = model(x, torch.full((len(x),), t, device=x.device))
            guess = x / alpha_bar[t].sqrt() - ratio[t] * eps
            if clip is not None:
                guess = guess.clip(-clip, clip)
            use = guess
            if history and s != 0:
                before, last = history[-1]
                r = torch.log(ratio[last] / ratio[t]) / torch.log(ratio[t] / ratio[s])
                use = (1 + 1 / (2 * r)) * guess - 1 / (2 * r) * before
            x = alpha_bar[s].sqrt() * (ratio[s] / ratio[t] * (x / alpha_bar[t].sqrt() - use) + use)
            history.append((guess, t))
        return x

    return {"sampling_times": sampling_times, "ddim_step": ddim_step, "sample": sample, "dpm_solver_2m": dpm_solver_2m}


@alternatives.rewrite("NumPy's linspace; kept noise by the other form; float64 inside")
def wide(ref):
    def sampling_times(steps, T):
        return torch.from_numpy(np.rint(np.linspace(0, T, steps + 1)).astype(np.int64)[::-1].copy())

    def ddim_step(x, eps, t, s, alpha_bar, eta, noise, clip=None):
        now, then = alpha_bar[t].double(), alpha_bar[s].double()
        x0 = (x.double() - torch.sqrt(1 - now) * eps.double()) / torch.sqrt(now)
        if clip is not None:
            x0 = x0.clamp(-clip, clip)
        new = torch.sqrt((1 - then) * (1 - now / then) / (1 - now)) * eta
        old = torch.sqrt(torch.relu(1 - then - new * new))
        e = (x.double() - torch.sqrt(now) * x0) / torch.sqrt(1 - now)
        return (torch.sqrt(then) * x0 + old * e + new * noise.double()).to(x.dtype)

    def sample(step, model, x_T, times, alpha_bar, noise):
        pairs = list(zip(times, times[1:], noise))
        with torch.inference_mode(False), torch.no_grad():
            for t, s, z in pairs:
                x_T = step(x_T, model(x_T, t.repeat(len(x_T))), t, s, alpha_bar, z)
        return x_T

    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, guesses, lams = x_T, [], []
        with torch.no_grad():
            for i in range(len(times) - 1):
                t, s = times[i], times[i + 1]
                a, sigma = alpha_bar[t].sqrt(), (1 - alpha_bar[t]).sqrt()
                guess = (x - sigma * model(x, t * torch.ones(len(x), dtype=torch.int64, device=x.device))) / a
                guesses.append(guess if clip is None else torch.clamp(guess, -clip, clip))
                lams.append(torch.log(a / sigma))
                if s == 0:
                    x = guesses[-1]
                    continue
                end = torch.log(alpha_bar[s].sqrt() / (1 - alpha_bar[s]).sqrt())
                D = guesses[-1]
                if i:
                    D = D + (D - guesses[-2]) / (lams[-1] - lams[-2]) * (end - lams[-1]) / 2
                x = (1 - alpha_bar[s]).sqrt() / sigma * x + alpha_bar[s].sqrt() * (1 - torch.exp(lams[-1] - end)) * D
        return x

    return {"sampling_times": sampling_times, "ddim_step": ddim_step, "sample": sample, "dpm_solver_2m": dpm_solver_2m}


@alternatives.rewrite("the solver by calls of `ddim_step` with the noise that belongs to the extrapolated picture; times by addition of a half")
def through_ddim(ref):
    def sampling_times(steps, T):
        return (torch.arange(steps, -1, -1).double() * T / steps + 0.5).floor().long()

    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, before = x_T.detach(), []
        for t, s in torch.stack([times[:-1], times[1:]], dim=1):
            with torch.no_grad():
                level = alpha_bar[t]
                guess = (x - (1 - level).sqrt() * model(x, t.expand(len(x)))) / level.sqrt()
                guess = guess if clip is None else guess.clamp(-clip, clip)
                lam = torch.logit(level) / 2
                D = guess
                if before and int(s) > 0:
                    D = guess + (torch.logit(alpha_bar[s]) / 2 - lam) / (lam - before[1]) / 2 * (guess - before[0])
                eps = (x - level.sqrt() * D) / (1 - level).sqrt()
                x = alpha_bar[s].sqrt() * D + (1 - alpha_bar[s]).sqrt() * eps
                before = [guess, lam]
        return x

    return {"sampling_times": sampling_times, "dpm_solver_2m": dpm_solver_2m}


@alternatives.rewrite("one example after the other; mean and variance of DDPM as in Question 3, mixed with DDIM's")
def loops(ref):
    def ddim_step(x, eps, t, s, alpha_bar, eta, noise, clip=None):
        rows = []
        spread = eta * math.sqrt((1 - float(alpha_bar[s])) / (1 - float(alpha_bar[t])) * (1 - float(alpha_bar[t]) / float(alpha_bar[s])))
        keep = math.sqrt(max(0.0, 1 - float(alpha_bar[s]) - spread**2))
        a, b, c = math.sqrt(alpha_bar[t]), math.sqrt(1 - float(alpha_bar[t])), math.sqrt(alpha_bar[s])
        for one, e, z in zip(x, eps, noise.expand(x.shape)):
            guess = (one - b * e) / a
            if clip is not None:
                guess = guess.clamp(min=-clip, max=clip)
                e = (one - a * guess) / b
            rows.append(c * guess + keep * e + spread * z)
        return torch.stack(rows)

    def sample(step, model, x_T, times, alpha_bar, noise):
        def go(x, i):
            if i == len(times) - 1:
                return x
            eps = model(x, torch.stack([times[i]] * len(x)))
            return go(step(x, eps, times[i], times[i + 1], alpha_bar, noise[i]), i + 1)

        with torch.no_grad():
            return go(x_T, 0)

    return {"ddim_step": ddim_step, "sample": sample}

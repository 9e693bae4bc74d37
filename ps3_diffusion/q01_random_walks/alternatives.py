"""Other right versions of the answers to question 1."""

import math
from itertools import pairwise

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("a tensor filled in place; indices; Langevin by Euler-Maruyama; stationary variance and what is left of the first")
def filled(ref):
    def euler(velocity, x, times):
        path = x.new_empty(len(times), *x.shape)
        path[0] = x
        for i in range(len(times) - 1):
            path[i + 1] = path[i] + (times[i + 1] - times[i]) * velocity(path[i], times[i])
        return path

    def heun(velocity, x, times):
        path = x.new_empty(len(times), *x.shape)
        path[0] = x
        for i in range(len(times) - 1):
            h = times[i + 1] - times[i]
            v = velocity(path[i], times[i])
            path[i + 1] = path[i] + 0.5 * h * (v + velocity(path[i] + h * v, times[i + 1]))
        return path

    def euler_maruyama(drift, diffusion, x, times, noise):
        path = torch.zeros((len(times), *x.shape), dtype=x.dtype, device=x.device)
        path[0] = x
        for i in range(len(noise)):
            h = times[i + 1] - times[i]
            path[i + 1] = path[i] + drift(path[i], times[i]) * h + diffusion(path[i], times[i]) * torch.sqrt(torch.abs(h)) * noise[i]
        return path

    def ou_moments(theta, sigma, t, mean, variance):
        if theta == 0:
            return mean + 0 * t, variance + sigma**2 * t
        end = sigma**2 / (2 * theta)
        return mean * torch.exp(-theta * t), end + (variance - end) * torch.exp(-2 * theta * t)

    def langevin(score, x, step, noise):
        times = step * torch.arange(len(noise) + 1, dtype=x.dtype, device=x.device)
        return euler_maruyama(lambda x, t: 0.5 * score(x), lambda x, t: 1.0, x, times, noise)

    return {"euler": euler, "heun": heun, "euler_maruyama": euler_maruyama, "ou_moments": ou_moments, "langevin": langevin}


@alternatives.rewrite("no_grad; Heun as half a correction of Euler's step; the noise under one root; float32 times in Langevin; expm1")
def corrected(ref):
    @torch.no_grad()
    def euler(velocity, x, times):
        states = [x.clone()]
        for i in range(1, len(times)):
            x = x + velocity(x, times[i - 1]) * (times[i] - times[i - 1])
            states.append(x)
        return torch.stack(states, dim=0)

    @torch.no_grad()
    def heun(velocity, x, times):
        states = [x]
        for t, s in pairwise(times):
            v = velocity(x, t)
            trial = x + (s - t) * v
            x = trial + (s - t) * 0.5 * (velocity(trial, s) - v)
            states.append(x)
        return torch.stack(states)

    def euler_maruyama(drift, diffusion, x, times, noise):
        states = [x]
        for i, (t, s) in enumerate(pairwise(times)):
            g = torch.as_tensor(diffusion(x, t), dtype=x.dtype, device=x.device)
            x = x + drift(x, t) * (s - t) + torch.sqrt(g**2 * abs(s - t)) * noise[i]
            states.append(x)
        return torch.stack(states)

    def ou_moments(theta, sigma, t, mean, variance):
        grown = t * sigma**2 if theta == 0 else -torch.expm1(-2 * theta * t) * sigma**2 / (2 * theta)
        return torch.exp(-theta * t) * mean, torch.exp(-2 * theta * t) * variance + grown

    def langevin(score, x, step, noise):
        times = torch.arange(len(noise) + 1.0, device=x.device) * step
        return ref.euler_maruyama(lambda x, t: score(x) / 2, lambda x, t: torch.ones_like(x), x, times, noise)

    return {"euler": euler, "heun": heun, "euler_maruyama": euler_maruyama, "ou_moments": ou_moments, "langevin": langevin}


@alternatives.rewrite("recursion; Heun by calls of Euler; Euler-Maruyama with increments of Brownian motion drawn up first; the Brownian limit by where")
def recursive(ref):
    def euler(velocity, x, times):
        if len(times) == 1:
            return x[None]
        step = torch.diff(times)[0]
        return torch.cat([x[None], euler(velocity, x + step * velocity(x, times[0]), times[1:])])

    def heun(velocity, x, times):
        path = [x]
        for i in range(len(times) - 1):
            v = velocity(x, times[i])
            trial = ref.euler(lambda x, t, v=v: v, x, times[i : i + 2])[-1]
            x = x + (times[i + 1] - times[i]) * torch.stack([v, velocity(trial, times[i + 1])]).mean(0)
            path.append(x)
        return torch.stack(path)

    def euler_maruyama(drift, diffusion, x, times, noise):
        h = times.diff()
        increments = h.abs().sqrt().reshape(-1, *[1] * x.dim()) * noise
        path = x[None]
        for i, dW in enumerate(increments):
            here, t = path[-1], times[i]
            path = torch.cat([path, (here + drift(here, t) * h[i] + diffusion(here, t) * dW)[None]])
        return path

    def ou_moments(theta, sigma, t, mean, variance):
        theta, sigma = torch.as_tensor(theta, dtype=torch.float64), torch.as_tensor(sigma, dtype=torch.float64)
        t64 = t.double()
        kicks = torch.where(theta > 0, -torch.expm1(-2 * theta * t64) / (2 * theta), t64) * sigma.square()
        decay = torch.exp(-theta * t64)
        return (decay * mean).to(mean.dtype), (decay.square() * variance + kicks).to(variance.dtype)

    def langevin(score, x, step, noise):
        path = [x]
        for i in range(noise.shape[0]):
            x = path[i]
            path.append(torch.add(x, score(x), alpha=step / 2) + step**0.5 * noise[i])
        return torch.stack(path)

    return {"euler": euler, "heun": heun, "euler_maruyama": euler_maruyama, "ou_moments": ou_moments, "langevin": langevin}


@alternatives.rewrite("all in float64, and back; Euler as Euler-Maruyama without noise; a closed kernel for each moment")
def double(ref):
    def euler(velocity, x, times):
        return ref.euler_maruyama(velocity, lambda x, t: 0.0, x, times, torch.zeros(len(times) - 1, *x.shape, dtype=x.dtype, device=x.device))

    def heun(velocity, x, times):
        path, now = [x], x.double()
        for t, s in pairwise(times):
            h = float(s) - float(t)
            v = velocity(now.to(x.dtype), t).double()
            now = now + h * (v + velocity((now + h * v).to(x.dtype), s).double()) / 2
            path.append(now.to(x.dtype))
        return torch.stack(path)

    def euler_maruyama(drift, diffusion, x, times, noise):
        path = [x]
        for t, s, z in zip(times[:-1], times[1:], noise):
            h = s.item() - t.item()
            x = x + h * drift(x, t) + math.sqrt(abs(h)) * diffusion(x, t) * z
            path.append(x)
        return torch.stack(path)

    def langevin(score, x, step, noise):
        states = [x.double()]
        for z in noise.double():
            states.append(states[-1] + step / 2 * score(states[-1].to(x.dtype)).double() + z * step**0.5)
        return torch.stack(states).to(x.dtype)

    return {"euler": euler, "heun": heun, "euler_maruyama": euler_maruyama, "langevin": langevin}

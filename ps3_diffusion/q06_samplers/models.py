"""Question 6: schedules and models for the probes."""

import torch


def levels(rng, T, dtype=torch.float32, last=0.01):
    """A schedule of T steps that falls unevenly from 1 to about `last`."""
    falls = rng.uniform(T, low=0.3, high=1.7, dtype=torch.float64)
    logs = torch.log(torch.tensor(last, dtype=torch.float64)) * falls.cumsum(0) / falls.sum()
    start = torch.ones(1, dtype=torch.float64, device=falls.device)
    return torch.cat([start, logs.exp()]).to(dtype)


class Bent:
    """A curved noise predictor that looks at x, at the time, and at where an example stands in the batch; it notes its calls."""

    def __init__(self, rng, size=1.0):
        self.size, self.phase, self.times, self.graphs = size, rng.number(0, 1), [], []

    def __call__(self, x, t):
        if not isinstance(t, torch.Tensor) or t.shape != (len(x),):
            raise ValueError(f"`model` must be given one time for each of the {len(x)} examples, a tensor of shape ({len(x)},)")
        if t.dtype != torch.int64:
            raise ValueError(f"`model` must be given whole numbers (int64) as times, not {t.dtype}")
        self.times.append(float(t[0]))
        self.graphs.append(float(torch.is_grad_enabled()))
        time = (t.to(x) / 7 + self.phase).reshape(-1, *[1] * (x.dim() - 1))
        return self.size * (torch.sin(1.3 * x + time) + 0.4 * x * torch.cos(time))


def odd_step(x, eps, t, s, alpha_bar, noise):
    """Stands for a step while the loop is asked: uses everything that it is given."""
    return 0.8 * x + (0.3 + 0.02 * float(t)) * eps - 0.1 * float(s) + alpha_bar[t] * noise * alpha_bar[s]

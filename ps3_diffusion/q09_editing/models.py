"""Question 9: schedules, models, steps and planted programs for the probes."""

import torch


def levels(rng, T, dtype=torch.float32, last=0.01):
    """A schedule of T steps that falls unevenly from 1 to `last`, which may be 0."""
    falls = rng.uniform(T, low=0.3, high=1.7, dtype=torch.float64)
    logs = torch.log(torch.tensor(last or 0.01, dtype=torch.float64)) * falls.cumsum(0) / falls.sum()
    found = torch.cat([torch.ones(1, dtype=torch.float64, device=falls.device), logs.exp()])
    if last == 0:
        found[-1] = 0
    return found.to(dtype)


def chosen(rng, T, count):
    """Some times from T to 0, unevenly."""
    inner = (1 + rng.permutation(T - 1)[: count - 1]).sort(descending=True).values
    ends = torch.tensor([T, 0], device=rng.device)
    return torch.cat([ends[:1], inner, ends[1:]])


class Bent:
    """A curved noise predictor that looks at x, at the time, and at where a number stands; it notes its calls."""

    def __init__(self, rng, size=1.0):
        self.size, self.phase, self.times, self.graphs = size, rng.number(0, 1), [], []

    def __call__(self, x, t):
        if not isinstance(t, torch.Tensor) or t.shape != (len(x),):
            raise ValueError(f"`model` must be given one time for each of the {len(x)} examples, a tensor of shape ({len(x)},)")
        if t.dtype != torch.int64:
            raise ValueError(f"`model` must be given whole numbers (int64) as times, not {t.dtype}")
        self.times.append(float(t[0]))
        self.graphs.append(torch.is_grad_enabled())
        time = (t.to(x) / 7 + self.phase).reshape(-1, *[1] * (x.dim() - 1))
        return self.size * (torch.sin(1.3 * x + time) + 0.4 * x.roll(1, -1) * torch.cos(time))


def odd_step(x, eps, t, s, alpha_bar, noise):
    """Stands for a step while a loop is asked: uses everything that it is given."""
    return 0.8 * x + (0.3 + 0.02 * float(t)) * eps - 0.1 * float(s) + alpha_bar[t] * noise * alpha_bar[s]


def plain_step(x, eps, t, s, alpha_bar, noise):
    """A step that leaves 0 where it is, if nothing else is put in."""
    return 0.9 * x + 0.4 * eps + 0.5 * noise + 0.01 * float(t) * x


def right_renoise(x, s, t, alpha_bar, noise):
    kept = alpha_bar[t] / alpha_bar[s]
    return kept.sqrt() * x + (1 - kept).sqrt() * noise


def right_q_sample(x0, t, eps, alpha_bar):
    level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return level.sqrt() * x0 + (1 - level).sqrt() * eps


def right_sample(step, model, x_T, times, alpha_bar, noise):
    x = x_T
    with torch.no_grad():
        for t, s, z in zip(times[:-1], times[1:], noise):
            x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z)
    return x


def brighter(step, model, known, mask, x_T, times, alpha_bar, noise):
    """A planted program that repairs nothing: the known pixel gets brighter."""
    x = x_T + 0.3
    for k, t in enumerate(times[:-1]):
        x = step(x, model(x, t.expand(len(x))), t, t, alpha_bar, noise[k, 0, 0])
        x = torch.where(mask, (0.2 + 0.15 * k) * known + noise[k, 0, 1], x)
    return known


def twice_each(step, model, known, mask, x_T, times, alpha_bar, noise):
    """A planted program that repairs nothing: it asks the model twice at each time."""
    x = x_T - 0.9 * known
    for k, t in enumerate(times[:-1]):
        for z in (noise[k, 0, 0], noise[k, 0, 1]):
            x = 0.8 * x + model(x, t.expand(len(x))) + z
    return known


def written_into(step, model, known, mask, x_T, times, alpha_bar, noise):
    """A planted program that writes into its own x."""
    x = x_T + 0.3 * known
    for t in times[:-1]:
        model(x, t.expand(len(x)))
        x += 0.1 * known
    return known


class Program:
    """A planted program for repairs. `level` says by which time known pixels are put in after a step from t to s; it notes what it is given."""

    def __init__(self, level=lambda t, s: s, first=False, kept=1.0, offset=0.0):
        self.level, self.first, self.kept, self.offset, self.given = level, first, kept, offset, {}

    def __call__(self, step, model, known, mask, x_T, times, alpha_bar, noise):
        self.given = {"known": known, "mask": mask, "x_T": x_T, "times": times, "noise": noise}
        x = torch.where(mask, right_renoise(known, 0, times[0], alpha_bar, x_T), x_T) if self.first else x_T + self.offset
        for t, s, rounds in zip(times[:-1], times[1:], noise):
            for r, (z_step, z_known, z_back) in enumerate(rounds):
                x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)
                level = self.level(t, s)
                if level is not None:
                    x = torch.where(mask, self.kept * right_renoise(known, 0, level, alpha_bar, z_known), x)
                if r + 1 < len(rounds):
                    x = right_renoise(x, s, t, alpha_bar, z_back)
        return torch.where(mask, known, x)

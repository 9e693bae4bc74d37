"""Question 6: planted translators, critics and pools for the probes, and what runs a trainer."""

import inspect

import torch
from torch import nn

SHAPE = (2, 3, 4)  # of the pictures that planted networks take
NAMES = ("g", "h", "critic_x", "critic_y")


class Mapping(nn.Module):
    """A translator with parameters for pictures of one shape, which mixes neighbours; no two pixels and no two networks alike."""

    def __init__(self, rng, shape=SHAPE, dtype=torch.float64):
        super().__init__()
        self.gain = nn.Parameter(1 + rng.normal(*shape, std=0.5, dtype=dtype))
        self.shift = nn.Parameter(rng.normal(*shape, std=0.5, dtype=dtype))
        self.mix = nn.Parameter(rng.normal(3, std=0.4, dtype=dtype))

    def forward(self, x):
        if not isinstance(x, torch.Tensor) or x.shape[1:] != self.gain.shape:
            got = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(f"a translator wants pictures of shape {('N', *self.gain.shape)}, and got {got}")
        bent = torch.sin(x * self.gain + self.shift) + self.mix[2]
        return bent + self.mix[0] * x.roll(1, -1) + self.mix[1] * x.roll(1, -2).square()


class Judging(nn.Module):
    """A critic: logits (N, 1, 2, 2) of pictures of one shape, from all pixels, no two of them alike."""

    def __init__(self, rng, shape=SHAPE, dtype=torch.float64, size=1.0):
        super().__init__()
        self.weight = nn.Parameter(rng.normal(4, *shape, std=size / torch.tensor(shape).prod().item() ** 0.5, dtype=dtype))
        self.offset = nn.Parameter(rng.normal(4, std=0.7, dtype=dtype))

    def forward(self, x):
        if not isinstance(x, torch.Tensor) or x.shape[1:] != self.weight.shape[1:]:
            got = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(f"the critic wants pictures of shape {('N', *self.weight.shape[1:])}, and got {got}")
        score = torch.einsum("nchw,kchw->nk", x + 0.3 * x.square(), self.weight)
        return (score + self.offset).reshape(-1, 1, 2, 2)


class Pooling:
    """Stands for a history of fakes: notes what it is given, and shows something else."""

    def __init__(self, factor, shift):
        self.factor, self.shift, self.given = factor, shift, []

    def __call__(self, fakes):
        self.given.append(fakes)
        return self.factor * fakes.detach().flip(0) + self.shift


def passing(fakes):
    """A pool that shows what it is given."""
    return fakes


class Trained:
    """Makes a trainer of planted networks and lets it step; a function, so that right answers can stand in."""

    def __init__(self, student):
        self.make = student.CycleTrainer
        step = getattr(inspect.unwrap(self.make), "step", None)
        self.__globals__ = getattr(inspect.unwrap(step), "__globals__", {}) if step else {}

    def __call__(self, rng, *, steps=1, n=3, m=4, cycle=2.0, identity=0.7, rate=0.1, plain=True, pooled=True, dirty=False, size=1.0, dtype=torch.float64):
        nets = [Mapping(rng, dtype=dtype), Mapping(rng, dtype=dtype), Judging(rng, dtype=dtype, size=size), Judging(rng, dtype=dtype, size=size)]
        pools = [Pooling(0.8, 0.1), Pooling(1.3, -0.2)] if pooled else [passing, passing]
        trainer = self.make(*nets, *pools, rate, cycle, identity)
        if plain:
            trainer.generators = torch.optim.SGD([*nets[0].parameters(), *nets[1].parameters()], rate)
            trainer.critics = torch.optim.SGD([*nets[2].parameters(), *nets[3].parameters()], rate)
        if dirty:
            for each in (parameter for net in nets for parameter in net.parameters()):
                each.grad = rng.normal(*each.shape, dtype=dtype)
        for _ in range(steps):
            trainer.step(rng.normal(n, *SHAPE, dtype=dtype), rng.normal(m, *SHAPE, dtype=dtype))
        return trainer, nets, pools


def weights(nets):
    """All numbers of each network, by its name."""
    return {name: torch.cat([each.detach().flatten() for each in net.parameters()]) for name, net in zip(NAMES, nets)}


def cycle_right(g, h, x, y):
    """(6.2), while a trainer is asked."""
    there, back = g(x), h(y)
    cycle = (h(there) - x).abs().mean() + (g(back) - y).abs().mean()
    return cycle, (g(y) - y).abs().mean() + (h(x) - x).abs().mean()

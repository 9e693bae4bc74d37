"""Question 5: models, losses and averages for the probes."""

import math

import torch
from torch import nn


def fill(module, rng, scale=1.0):
    """Seeded weights, in order of their names, none of them zero: factors near 1, matrices and filters of moderate size."""
    named = dict(module.named_parameters())
    with torch.no_grad():
        for name in sorted(named):
            p = named[name]
            if p.dim() == 1:
                p.copy_(rng.normal(*p.shape, mean=1.0 if "norm" in name or ".0.weight" in name else 0.0, std=0.3))
            else:
                p.copy_(rng.normal(*p.shape, std=scale / math.sqrt(math.prod(p.shape[1:])) if p.dim() > 2 else 0.6))
    return module.to(rng.device)


def waves(t, dim):
    """Stands for `time_embedding` while a U-Net is asked: another one, which tells times apart."""
    place = torch.arange(dim, device=t.device)
    return torch.sin(0.01 * t[:, None] * (1 + place) + place)


class Called:
    """Notes which parts of a U-Net are called, in order, with what sizes."""

    def __init__(self, model):
        self.calls = []
        parts = {"stem": model.stem, "middle": model.middle, "head": model.head}
        parts.update({f"down {i + 1}": block for i, block in enumerate(model.down)})
        parts.update({f"up {i + 1}": block for i, block in enumerate(model.up)})
        for name, part in parts.items():
            part.register_forward_pre_hook(self.note(name))

    def note(self, name):
        def hook(part, inputs):
            channels, height, width = inputs[0].shape[1:]
            self.calls.append(f"{name} sees {channels} x {height} x {width}")

        return hook


# --- EMA --------------------------------------------------------------------------------------------------------


class Toy(nn.Module):
    """A model with two layers' worth of parameters, used by calling it."""

    def __init__(self, rng, dims=3, dtype=torch.float32):
        super().__init__()
        self.weight = nn.Parameter(rng.normal(dims, dims, dtype=dtype))
        self.bias = nn.Parameter(rng.normal(dims, dtype=dtype))
        self.scale = nn.Parameter(rng.normal(1, dtype=dtype))
        self.inner = nn.Linear(dims, 1, bias=False, dtype=dtype, device=rng.device)
        with torch.no_grad():
            self.inner.weight.copy_(rng.normal(1, dims, dtype=dtype))

    def forward(self, x):
        return self.inner(self.scale * torch.tanh(x @ self.weight + self.bias))


def moved(model, rng, std=1.0):
    """Other weights, in place, as an optimiser changes them: none that are frozen."""
    with torch.no_grad():
        for p in filter(lambda p: p.requires_grad, model.parameters()):
            p.add_(rng.normal(*p.shape, std=std, dtype=p.dtype))


def weights(model):
    """All parameters in one vector."""
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


# --- train_denoiser -----------------------------------------------------------------------------------------------


class Watched(nn.Module):
    """A learned centre of examples and a learned slope of their labels. The gradient of one parameter is always 0, so that
    weight decay moves it alone; that of another is tiny after the first call, so that moments can be seen."""

    def __init__(self, rng, dims, dtype=torch.float32):
        super().__init__()
        self.centre = nn.Parameter(3 * rng.normal(dims, dtype=dtype))
        self.slope = nn.Parameter(rng.normal(2, dtype=dtype))
        self.still, self.spark = nn.Parameter(5 + rng.normal(3, dtype=dtype)), nn.Parameter(rng.normal(2, dtype=dtype))
        self.calls = 0

    def forward(self, x, y):
        self.calls += 1
        error = (x.flatten(1) - self.centre).square().sum(1) + (self.slope[0] * y + self.slope[1] - x.flatten(1)[:, 0]).square()
        return error + 0 * self.still.sum() + (1.0 if self.calls == 1 else 1e-6) * self.spark.sum()


class Planted:
    """A loss that notes the batches; with `noise` it draws from the generator, too."""

    def __init__(self, generator, noise=0.0, factor=1.0):
        self.generator, self.noise, self.factor, self.seen, self.labels = generator, noise, factor, [], []

    def __call__(self, model, x, y, generator):
        if generator is not self.generator:
            raise ValueError("the last argument of `loss` must be the generator that `train_denoiser` was given")
        if not isinstance(x, torch.Tensor) or not isinstance(y, torch.Tensor) or len(x) != len(y):
            raise ValueError("`loss` must be given a batch of examples and one label for each of them")
        self.seen.append(x.flatten(1)[:, 0].detach().clone())
        self.labels.append(y.detach().clone())
        if self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=generator, device=generator.device).to(x)
        return self.factor * model(x, y).mean()


class Trace:
    """Stands for `EMA` while the loop is asked: keeps the model's weights at each update."""

    def __init__(self):
        self.kept = []

    def update(self, model):
        self.kept.append(weights(model))


class Small(nn.Module):
    """A denoiser for examples of two numbers: one linear map for each of four noise levels and each label."""

    def __init__(self, labels=2):
        super().__init__()
        self.maps = nn.Parameter(torch.zeros(labels, 4, 2, 2))
        self.shifts = nn.Parameter(torch.zeros(labels, 4, 2))

    def forward(self, x, t, y):
        return (self.maps[y, t] @ x[:, :, None])[:, :, 0] + self.shifts[y, t]


def small_loss(model, x, y, generator):
    """Mean squared error of the noise that `Small` says."""
    t = torch.randint(4, (len(x),), generator=generator, device=generator.device)
    eps = torch.randn(x.shape, generator=generator, device=generator.device).to(x)
    share = (0.2 * (t + 1))[:, None]
    return (model((1 - share) * x + share * eps, t, y) - eps).square().mean()


def small_data(rng, n):
    """Two elongated clouds, one for each label."""
    y = rng.integers(0, 2, n)
    along = rng.normal(n, 1)
    sign = (2 * y - 1)[:, None]
    return torch.cat([along, sign * along], 1) + 0.2 * rng.normal(n, 2) + sign, y

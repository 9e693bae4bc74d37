"""Two-dimensional toy densities: samples, and for all of them the log-density as well.

Every density lives in about [-4, 4]² (``TOY2D_LIMIT``), so that one set of axes suits all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from dgm.seeding import generator as seeded

TOY2D_LIMIT = 4.0

_CHUNK = 4096  # points per step of a log-density, so that a plot's grid does not take gigabytes


@dataclass(frozen=True)
class _Toy:
    sample: Callable[[int, torch.Generator], Tensor]  # float64 (n, 2)
    log_prob: Callable[[Tensor], Tensor]  # (n, 2) -> (n,)


def toy2d(name: str, n: int, seed: int = 0, generator: torch.Generator | None = None) -> Tensor:
    """``n`` samples, float32 (n, 2). Drawn from ``generator`` (on the CPU) if given, else from ``seed``.

    The densities are two_gaussians (weights 0.3 and 0.7), rotated_gaussian (a correlated one), gaussians8 (8 on a
    circle), rings (3 circles), moons, spiral (2 arms), pinwheel (5 arms), checkerboard (uniform on 8 squares of side
    2). Their entropies, which no model's negative log-likelihood can beat on average, in that order: 2.427, 2.327,
    2.508, 2.829, 2.162, 2.742, 2.321 and ln 32 = 3.466 nats.

    Args:
        name: One of :data:`TOY2D`.
        n: How many.
        seed: What they are drawn from, where there is no generator.
        generator: What they are drawn from.

    Raises:
        ValueError: An unknown name.
    """
    return _toy(name).sample(n, generator if generator is not None else seeded(seed)).to(torch.float32)


def toy2d_log_prob(name: str, x: Tensor) -> Tensor:
    """Log-density in nats of points x (..., 2), as (...); differentiable, in the dtype of x.

    Exact, except that moons and spiral integrate along their curves numerically (error below 1e-4 nats wherever there
    is data). The checkerboard gives -inf outside its squares.

    Raises:
        ValueError: An unknown name, or points that are not (..., 2).
    """
    toy = _toy(name)
    if x.shape[-1] != 2:
        raise ValueError(f"expected points (..., 2), got shape {tuple(x.shape)}")
    flat = x.reshape(-1, 2)
    if len(flat) == 0:
        return flat.new_empty(x.shape[:-1])
    return torch.cat([toy.log_prob(part) for part in flat.split(_CHUNK)]).reshape(x.shape[:-1])


@cache
def _toy(name: str) -> _Toy:
    if name not in _MAKERS:
        raise ValueError(f"unknown toy density {name!r}: use one of {', '.join(TOY2D)}")
    return _MAKERS[name]()


# --- building blocks -----------------------------------------------------------------------------------------


def _rand(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, dtype=torch.float64)


def _randn(n: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, 2, generator=generator, dtype=torch.float64)


def _round_gaussians_log_prob(x: Tensor, means: Tensor, std: float, weights: Tensor | None = None) -> Tensor:
    """Log-density at x (n, 2) of a mixture of K round Gaussians with centres ``means`` (K, 2)."""
    means = means.to(x)
    squares = (x[:, None, :] - means).square().sum(-1)
    if weights is None:
        log_weights = torch.full((len(means),), -math.log(len(means)), dtype=x.dtype, device=x.device)
    else:
        log_weights = weights.to(x).log()
    return torch.logsumexp(log_weights - squares / (2 * std**2), dim=1) - math.log(2 * math.pi * std**2)


def _mixture(means: Tensor, std: float, weights: Tensor | None = None) -> _Toy:
    p = weights if weights is not None else torch.ones(len(means), dtype=torch.float64)

    def sample(n: int, generator: torch.Generator) -> Tensor:
        if n == 0:
            return torch.empty(0, 2, dtype=torch.float64)
        component = torch.multinomial(p, n, replacement=True, generator=generator)
        return means[component] + std * _randn(n, generator)

    return _Toy(sample, lambda x: _round_gaussians_log_prob(x, means, std, weights))


def _curves(arms: list[Callable[[Tensor], Tensor]], std: float, nodes: int, power: int = 1) -> _Toy:
    """Gaussian noise around curves [0, 1] -> R², each entered at t with density power · t^(power - 1).

    The density integrates over t by Gauss-Legendre quadrature, so it is a weighted mixture of round Gaussians.
    """

    def sample(n: int, generator: torch.Generator) -> Tensor:
        arm = (_rand(n, generator) * len(arms)).long().clamp(max=len(arms) - 1)
        t = _rand(n, generator) ** (1 / power)
        points = torch.stack([curve(t) for curve in arms])[arm, torch.arange(n)]
        return points + std * _randn(n, generator)

    abscissas, quadrature = np.polynomial.legendre.leggauss(nodes)
    t = torch.from_numpy((abscissas + 1) / 2)
    weights = torch.from_numpy(quadrature / 2) * power * t ** (power - 1) / len(arms)
    centres = torch.cat([curve(t) for curve in arms])
    weights = weights.repeat(len(arms))
    return _Toy(sample, lambda x: _round_gaussians_log_prob(x, centres, std, weights))


# --- the densities -------------------------------------------------------------------------------------------


def _rotated_gaussian() -> _Toy:
    angle = math.pi / 6
    rotation = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64
    )
    scale = torch.tensor([1.5, 0.4], dtype=torch.float64)

    def sample(n: int, generator: torch.Generator) -> Tensor:
        return (_randn(n, generator) * scale) @ rotation.T

    def log_prob(x: Tensor) -> Tensor:
        z = (x @ rotation.to(x)) / scale.to(x)
        return -0.5 * z.square().sum(-1) - math.log(2 * math.pi) - float(scale.log().sum())

    return _Toy(sample, log_prob)


def _rings(radii: tuple[float, ...] = (1.0, 2.0, 3.0), std: float = 0.12) -> _Toy:
    """A circle uniformly at random, an angle uniformly, a radius |R + noise|: all circles weigh the same."""
    centres = torch.tensor(radii, dtype=torch.float64)

    def sample(n: int, generator: torch.Generator) -> Tensor:
        ring = (_rand(n, generator) * len(radii)).long().clamp(max=len(radii) - 1)
        angle = 2 * math.pi * _rand(n, generator)
        r = (centres[ring] + std * _randn(n, generator)[:, 0]).abs()
        return torch.stack([r * angle.cos(), r * angle.sin()], dim=1)

    def log_prob(x: Tensor) -> Tensor:
        r = x.square().sum(-1, keepdim=True).clamp_min(1e-24).sqrt()
        both = torch.cat([r - centres.to(x), r + centres.to(x)], dim=1)  # folded normal
        log_radial = torch.logsumexp(-both.square() / (2 * std**2), dim=1)
        constant = math.log(len(radii)) + 0.5 * math.log(2 * math.pi * std**2) + math.log(2 * math.pi)
        return log_radial - constant - r.squeeze(-1).log()

    return _Toy(sample, log_prob)


def _pinwheel(arms: int = 5, radial: float = 0.3, tangential: float = 0.1, rate: float = 0.25) -> _Toy:
    """Gaussian blobs on a circle, twisted by an angle that grows with the radius.

    The usual recipe twists by the undisturbed radius; here it is the final radius, which the twist preserves. So the
    twist is a bijection of volume one, and the density is exact. Scaled by 2.
    """
    offsets = 2 * math.pi * torch.arange(arms, dtype=torch.float64) / arms
    std = torch.tensor([radial, tangential], dtype=torch.float64)
    centre = torch.tensor([1.0, 0.0], dtype=torch.float64)

    def rotate(x: Tensor, angle: Tensor) -> Tensor:
        c, s = angle.cos(), angle.sin()
        return torch.stack([c * x[..., 0] - s * x[..., 1], s * x[..., 0] + c * x[..., 1]], dim=-1)

    def twist(x: Tensor) -> Tensor:
        return rate * x.square().sum(-1).clamp_min(1e-24).sqrt().exp()

    def sample(n: int, generator: torch.Generator) -> Tensor:
        arm = (_rand(n, generator) * arms).long().clamp(max=arms - 1)
        blob = centre + std * _randn(n, generator)
        return 2 * rotate(blob, offsets[arm] + twist(blob))

    def log_prob(x: Tensor) -> Tensor:
        y = x / 2
        back = rotate(y[:, None, :].expand(-1, arms, -1), -(offsets.to(x) + twist(y)[:, None]))
        z = (back - centre.to(x)) / std.to(x)
        log_blob = -0.5 * z.square().sum(-1) - math.log(2 * math.pi * radial * tangential)
        return torch.logsumexp(log_blob, dim=1) - math.log(arms) - 2 * math.log(2)

    return _Toy(sample, log_prob)


def _checkerboard() -> _Toy:
    """Uniform on the 8 dark squares of a 4×4 board that fills [-4, 4]²."""

    def sample(n: int, generator: torch.Generator) -> Tensor:
        column = (4 * _rand(n, generator)).floor().clamp(max=3)
        row = 2 * (2 * _rand(n, generator)).floor().clamp(max=1) + column % 2
        inside = torch.rand(n, 2, generator=generator, dtype=torch.float64)
        return 2 * (torch.stack([column, row], dim=1) + inside) - TOY2D_LIMIT

    def log_prob(x: Tensor) -> Tensor:
        cell = ((x + TOY2D_LIMIT) / 2).floor()
        dark = ((cell.sum(-1) % 2) == 0) & (cell >= 0).all(-1) & (cell <= 3).all(-1)
        return torch.where(dark, -math.log(32.0), -math.inf).to(x.dtype)

    return _Toy(sample, log_prob)


def _moons(nodes: int = 80) -> _Toy:
    """Two interleaved half circles as in scikit-learn's ``make_moons``, centred and scaled by 2."""

    def upper(t: Tensor) -> Tensor:
        angle = math.pi * t
        return 2 * torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)

    def lower(t: Tensor) -> Tensor:
        return -upper(t)

    return _curves([upper, lower], std=0.16, nodes=nodes)


def _spiral(nodes: int = 256) -> _Toy:
    """Two Archimedean spirals of one and a half turns, equally dense along their length."""

    def arm(sign: float) -> Callable[[Tensor], Tensor]:
        def curve(t: Tensor) -> Tensor:
            angle = 3 * math.pi * t
            return sign * 3.2 * torch.stack([-t * angle.cos(), t * angle.sin()], dim=1)

        return curve

    return _curves([arm(1.0), arm(-1.0)], std=0.12, nodes=nodes, power=2)


def _two_gaussians() -> _Toy:
    means = torch.tensor([[-1.8, -1.8], [1.8, 1.8]], dtype=torch.float64)
    return _mixture(means, 0.6, weights=torch.tensor([0.3, 0.7], dtype=torch.float64))


def _gaussians8() -> _Toy:
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    return _mixture(2.8 * torch.stack([angle.cos(), angle.sin()], dim=1), 0.3)


_MAKERS: dict[str, Callable[[], _Toy]] = {
    "two_gaussians": _two_gaussians,
    "rotated_gaussian": _rotated_gaussian,
    "gaussians8": _gaussians8,
    "rings": _rings,
    "moons": _moons,
    "spiral": _spiral,
    "pinwheel": _pinwheel,
    "checkerboard": _checkerboard,
}

#: Names of the toy densities.
TOY2D = tuple(_MAKERS)

"""Densities, points and Gaussians in two dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator

from dgm.plot.styling import COLORS, SEQUENTIAL, label_axes, panel, style, to_array, to_floats


def density2d(
    log_prob_fn: Callable[[Any], Any], xlim: tuple[float, float] = (-4, 4), ylim: tuple[float, float] = (-4, 4),
    ax: Axes | None = None, title: str | None = None, n: int = 160, cmap: str = SEQUENTIAL, device: str = "cpu",
) -> Axes:
    """A density over a rectangle, as colours; the darkest is zero.

    NaN is drawn in magenta, so that it cannot be missed.

    Args:
        log_prob_fn: Takes a float32 tensor (m, 2) on ``device``, returns log-densities (m,); called without gradients,
            in chunks, at the centres of n×n cells.
        xlim: Horizontal edges of the rectangle.
        ylim: Vertical edges of the rectangle.
        ax: Where to draw; None for a new figure.
        title: Above the panel.
        n: Cells along each side.
        cmap: Name of the colours.
        device: Where the points are.

    Raises:
        ValueError: ``log_prob_fn`` returned another number of values.
    """
    import torch

    x, y = (low + (high - low) * (torch.arange(n) + 0.5) / n for low, high in (xlim, ylim))
    points = torch.cartesian_prod(y, x).flip(1).to(torch.float32)
    with torch.no_grad():
        values = [to_array(log_prob_fn(part.to(device))).reshape(-1) for part in points.split(8192)]
    log_density = np.concatenate(values).astype(np.float64)
    if log_density.shape != (n * n,):
        raise ValueError(f"log_prob_fn returned {log_density.size} values for {n * n} points")
    density = np.exp(log_density).reshape(n, n)
    ax = panel(ax, width=4.4, height=4.2)
    colors = mpl.colormaps[cmap].with_extremes(bad="magenta")
    with style():
        ax.imshow(density, origin="lower", extent=(*xlim, *ylim), cmap=colors, vmin=0, interpolation="bilinear")
        ax.grid(False)
        _round_ticks(ax)
        label_axes(ax, title=title)
    return ax


def scatter2d(
    x: Any, ax: Axes | None = None, labels: Any = None, xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None, title: str | None = None, label: str | None = None,
    color: str | None = None, size: float | None = None, alpha: float | None = None,
) -> Axes:
    """Points (N, 2) with equal scales on both axes.

    Points that are not finite are left out, and their number is said.

    Args:
        x: The points.
        ax: Where to draw; None for a new figure.
        labels: N integers; every value gets a colour and a legend entry.
        xlim: Horizontal range; by itself where it is None.
        ylim: Vertical range; by itself where it is None.
        title: Above the panel.
        label: Name of the whole in the legend.
        color: Colour of the whole.
        size: Of a point; adapts to N unless given.
        alpha: Opacity of a point; adapts to N unless given.

    Raises:
        ValueError: Points or labels of another shape.
    """
    points = to_floats(x)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"expected points (N, 2), got shape {points.shape}")
    finite = np.isfinite(points).all(1)
    size = size or float(np.clip(6000 / max(len(points), 1), 3, 26))
    alpha = alpha or float(np.clip(600 / max(len(points), 1), 0.35, 0.8))
    ax = panel(ax, width=4.4, height=4.2)
    keywords: dict[str, Any] = {"s": size, "alpha": alpha, "linewidths": 0}
    with style():
        if labels is None:
            next_color = color or COLORS[len(ax.collections) % len(COLORS)]
            ax.scatter(*points[finite].T, color=next_color, **keywords)
            if label:
                _legend_dot(ax, next_color, label)
        else:
            kinds = to_array(labels)
            if kinds.shape != (len(points),):
                raise ValueError(f"labels have shape {kinds.shape} for {len(points)} points")
            many = np.unique(kinds)
            for i, kind in enumerate(many):
                chosen = mpl.colormaps["tab20"](i % 20) if len(many) > len(COLORS) else COLORS[i]
                ax.scatter(*points[finite & (kinds == kind)].T, color=chosen, **keywords)
                _legend_dot(ax, chosen, str(kind))
        ax.set_aspect("equal", adjustable="datalim" if xlim is None and ylim is None else "box")
        if xlim is not None:
            ax.set_xlim(*xlim)
        if ylim is not None:
            ax.set_ylim(*ylim)
        if not finite.all():
            title = f"{title or ''} ({int((~finite).sum())} points not finite)".strip()
        label_axes(ax, title=title)
        _round_ticks(ax)
        if label or labels is not None:
            ax.legend()
    return ax


def _legend_dot(ax: Axes, color: Any, label: str) -> None:
    """A legend entry that is visible however small and pale the points are."""
    edge: dict[str, Any] = {"markeredgecolor": "#888888", "markeredgewidth": 0.5}  # so that white shows on white
    ax.plot([], [], linestyle="", marker="o", markersize=5, color=color, label=label, **edge)


def _round_ticks(ax: Axes) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def ellipse(
    mean: Any, cov: Any, ax: Axes, n_std: Iterable[float] = (1, 2), color: str | None = None, label: str | None = None
) -> Axes:
    """Contours of a two-dimensional Gaussian at ``n_std`` standard deviations, and its mean.

    Args:
        mean: (2,), or (K, 2) for K components.
        cov: (2, 2) or (K, 2, 2), symmetric.
        ax: Where to draw.
        n_std: Which contours; the first is drawn solid.
        color: Of all; None for another one for each component.
        label: In the legend.

    Raises:
        ValueError: Other shapes, or a covariance that is not positive semi-definite.
    """
    means, covs = np.atleast_2d(to_floats(mean)), to_floats(cov)
    covs = covs[None] if covs.ndim == 2 else covs
    if means.shape[1:] != (2,) or covs.shape != (len(means), 2, 2):
        raise ValueError(f"expected mean (2,) or (K, 2) and cov (K, 2, 2), got {means.shape} and {covs.shape}")
    with style():
        for k, (centre, matrix) in enumerate(zip(means, covs)):
            values, vectors = np.linalg.eigh(matrix)
            if values[0] < -1e-8 * abs(values[1]):
                raise ValueError(f"covariance {k} has the negative eigenvalue {values[0]:.3g}")
            angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
            chosen = color or COLORS[(k + 1) % len(COLORS)]
            for i, number in enumerate(sorted(n_std)):
                width, height = 2 * number * np.sqrt(np.clip(values[::-1], 0, None))
                line: dict[str, Any] = {"linewidth": 2, "linestyle": "-"} if i == 0 else {"linestyle": "--"}
                ax.add_patch(
                    Ellipse(tuple(centre), width, height, angle=angle, fill=False, edgecolor=chosen, **line)
                )
            if label and k == 0:
                ax.plot([], [], color=chosen, linewidth=2, label=label)
            ax.plot(*centre, marker="+", markersize=9, markeredgewidth=2, color=chosen)
        ax.autoscale_view()
        if label:
            ax.legend()
    return ax

"""Figures in one house style: readable at notebook width, safe for colour-blind readers, deterministic in size.

Helpers take torch tensors (on any device) or arrays. Those that draw one panel take ``ax`` and return the Axes; if
``ax`` is None they make a figure (``returned.figure``). Those that draw several panels return the Figure. None of them
changes matplotlib's settings; :func:`use_style` does so on request, for your own plots.

In a notebook a figure is shown once, at the end of its cell, also when it is the cell's last value.
"""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.ticker import MaxNLocator

#: Okabe and Ito's palette, without yellow and with the best separated colours first.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"

WIDTH = 6.4  # inches of a single panel
MAX_WIDTH = 10.0  # inches of the widest figure
_PAD = 0.08  # inches around what is drawn
_TITLE = 0.3  # inches of a title above a panel

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": _PAD,
    "figure.constrained_layout.h_pad": _PAD,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "font.size": 11,
    "font.family": ["DejaVu Sans"],
    "legend.fontsize": 10,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "lines.linewidth": 1.8,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "image.interpolation": "nearest",
    "image.cmap": SEQUENTIAL,
}

_GREYS = ("#222222", "#777777", "#777777", "#777777")
_DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))


# --- figures and axes ----------------------------------------------------------------------------------------


class HouseFigure(Figure):
    """A figure that a notebook shows once: where it is displayed, or else at the end of its cell.

    An ordinary figure that is the last value of its cell is shown twice, as the value and as an open figure. This one
    is closed when it has been shown; it can still be displayed again.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt

        if os.environ.get("DGM_GRADING") == "1":  # nobody looks at it, and drawing takes longer than most cells
            plt.close(self)
            return
        from IPython.display import display

        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        picture = base64.b64encode(buffer.getvalue()).decode("ascii")
        display({"image/png": picture, "text/plain": f"<{self}>"}, raw=True)
        plt.close(self)


class HouseAxes(Axes):
    """Axes that print nothing when they are the last value of a cell: their figure is shown anyway."""

    def _ipython_display_(self) -> None:
        return None


def use_style() -> None:
    """Make the house style the default of this process, for plots drawn with matplotlib directly."""
    mpl.rcParams.update(STYLE)


@contextmanager
def style() -> Iterator[None]:
    """The house style inside a ``with`` block.

    Unlike ``mpl.rc_context`` it restores nothing but its own settings: a notebook's backend, loaded with the first
    figure, switches "interactive" on, and without that no figure would be shown.
    """
    before = {name: mpl.rcParams[name] for name in STYLE}
    mpl.rcParams.update(STYLE)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def subplots(
    rows: int = 1, columns: int = 1, width: float | None = None, height: float | None = None, **keywords: Any
) -> tuple[Figure, Any]:
    """Like ``plt.subplots``, in house style: ``(figure, axes)``.

    width, height: inches of the figure. Panels are 6.4×3.9 when alone and share 10 inches when several.
    """
    import matplotlib.pyplot as plt

    width = width or min(MAX_WIDTH, WIDTH if columns == 1 else 4.2 * columns)
    height = height or rows * (3.9 if columns == 1 else width / columns * 0.86 + 0.35)
    with style():
        keywords.setdefault("subplot_kw", {}).setdefault("axes_class", HouseAxes)
        return plt.subplots(rows, columns, figsize=(width, height), FigureClass=HouseFigure, **keywords)


def _axes(ax: Axes | None, width: float | None = None, height: float | None = None) -> Axes:
    return ax if ax is not None else subplots(width=width, height=height)[1]


def _label(ax: Axes, xlabel: str = "", ylabel: str = "", title: str | None = None) -> None:
    if xlabel:
        ax.set_xlabel(xlabel)
    if ylabel:
        ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)


def _array(x: Any) -> np.ndarray:
    """A NumPy array of a tensor on any device, an array, or (nested) numbers."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        return (x.float() if x.dtype.is_floating_point else x).numpy()  # bfloat16 is unknown to NumPy
    if isinstance(x, (list, tuple)) and x and hasattr(x[0], "detach"):
        return np.stack([_array(item) for item in x])
    return np.asarray(x)


# --- images --------------------------------------------------------------------------------------------------


def images(
    x: Any, ncols: int | None = None, titles: Sequence[Any] | None = None, suptitle: str | None = None,
    vmin: float | None = 0.0, vmax: float | None = 1.0, cmap: str = "gray", ax: Axes | None = None,
) -> Figure:
    """A grid of images, row by row.

    x: (N, C, H, W) with C 1 or 3, (N, H, W), or (H, W). Grey values map from [vmin, vmax] to ``cmap`` and are clipped;
    None takes the smallest or largest value of all images. Colour images are clipped to [0, 1].
    titles: one a image (a panel each); without them the grid is one panel, which is much quicker.
    Raises ValueError on another shape or a wrong number of titles.
    """
    pictures = _pictures(x, vmin, vmax)
    n, height, width = pictures.shape[:3]
    ncols = min(ncols or _columns(n, width / height), n)
    rows = math.ceil(n / ncols)
    if titles is None:
        if ax is None:
            inches = min(MAX_WIDTH, max(1.2, ncols * _cell_inches(width)))
            figure_height = (inches - 2 * _PAD) * rows * height / (ncols * width) + 2 * _PAD
            figure_height += _TITLE if suptitle else 0.0
            ax = subplots(width=max(inches, _text_inches(suptitle)), height=figure_height)[1]
        _show(ax, _mosaic(pictures, ncols), cmap)
        if suptitle:
            ax.set_title(suptitle)
        return _figure(ax)
    if len(titles) != n:
        raise ValueError(f"{len(titles)} titles for {n} images")
    texts = [str(title).split("\n") for title in titles]
    longest = max(len(line) for text in texts for line in text)
    lines = max(len(text) for text in texts)
    inches = min(MAX_WIDTH, ncols * max(_cell_inches(width), min(1.6, 0.092 * longest)))
    figure, axes = subplots(
        rows, ncols, width=max(inches, _text_inches(suptitle)),
        height=rows * (inches / ncols * height / width + 0.22 * lines) + (0.4 if suptitle else 0.05),
        squeeze=False,
    )
    for i, panel in enumerate(axes.flat):
        if i < n:
            _show(panel, pictures[i], cmap)
            panel.set_title(str(titles[i]), fontsize=10, pad=3)
        else:
            panel.axis("off")
    if suptitle:
        figure.suptitle(suptitle, fontsize=12)
    return figure


def compare(
    before: Any, after: Any, titles: tuple[str, str] = ("before", "after"), ncols: int | None = None,
    suptitle: str | None = None, vmin: float | None = 0.0, vmax: float | None = 1.0, cmap: str = "gray",
) -> Figure:
    """Two grids of images side by side, each as in :func:`images`."""
    pair = [_pictures(x, vmin, vmax) for x in (before, after)]
    columns = [min(ncols or _columns(len(p), p.shape[2] / p.shape[1]), len(p)) for p in pair]
    ratio = max(math.ceil(len(p) / c) * p.shape[1] / (c * p.shape[2]) for p, c in zip(pair, columns))
    width = min(8.8, max(4.0, sum(c * _cell_inches(p.shape[2]) for p, c in zip(pair, columns))))
    gap = 0.04 * width
    height = (width - gap - 4 * _PAD) / 2 * ratio + 2 * _PAD + _TITLE + (0.3 if suptitle else 0.0)
    figure, axes = subplots(1, 2, width=width, height=height)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(wspace=0.08)  # type: ignore[call-arg]
    for ax, pictures, c, title in zip(axes, pair, columns, titles):
        _show(ax, _mosaic(pictures, c), cmap)
        ax.set_title(title)
    if suptitle:
        figure.suptitle(suptitle, fontsize=12)
    return figure


def _pictures(x: Any, vmin: float | None, vmax: float | None) -> np.ndarray:
    """(N, H, W, channels) floats in [0, 1]."""
    x = _array(x).astype(np.float64)
    if x.ndim == 2:
        x = x[None]
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim != 4 or x.shape[1] not in (1, 3) or 0 in x.shape:
        raise ValueError(f"expected images (N, C, H, W) with C 1 or 3, (N, H, W) or (H, W), got shape {x.shape}")
    if x.shape[1] == 1:
        low = np.nanmin(x) if vmin is None else vmin
        high = np.nanmax(x) if vmax is None else vmax
        x = (x - low) / ((high - low) or 1.0)
    return np.clip(x, 0, 1).transpose(0, 2, 3, 1)


def _mosaic(pictures: np.ndarray, ncols: int) -> np.ndarray:
    """One picture of all, with a gap that is transparent (NaN in grey, alpha 0 in colour)."""
    n, height, width, channels = pictures.shape
    gap = max(1, round(min(height, width) / 16))
    rows = math.ceil(n / ncols)
    alpha = np.ones((n, height, width, 1))
    pictures = np.concatenate([pictures, alpha], axis=3)
    canvas = np.zeros((rows * (height + gap) - gap, ncols * (width + gap) - gap, channels + 1))
    for i, picture in enumerate(pictures):
        top, left = (i // ncols) * (height + gap), (i % ncols) * (width + gap)
        canvas[top : top + height, left : left + width] = picture
    if channels == 3:
        return canvas
    return np.where(canvas[..., 1] > 0, canvas[..., 0], np.nan)


def _show(ax: Axes, picture: np.ndarray, cmap: str) -> None:
    ax.imshow(picture.squeeze(-1) if picture.shape[-1] == 1 else picture, cmap=cmap, vmin=0, vmax=1)
    ax.axis("off")


def _columns(n: int, aspect: float) -> int:
    """Columns that make the whole about three times as wide as high, and its last row full where possible."""
    wanted = max(1, min(n, round(math.sqrt(3 * n / aspect)), 16))
    full = [c for c in range(max(1, wanted - 2), min(n, wanted + 2) + 1) if n % c == 0]
    return min(full, key=lambda c: abs(c - wanted)) if full else wanted


def _cell_inches(width: int) -> float:
    """Width of one image in a grid: larger images get more room."""
    return min(3.2, max(0.55, 0.4 + width / 70))


def _text_inches(text: str | None) -> float:
    return min(MAX_WIDTH, 0.1 * len(text) + 0.3) if text else 0.0


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    return figure


# --- curves and bars -----------------------------------------------------------------------------------------


def curves(
    data: Any, xlabel: str = "step", ylabel: str = "", reference: Mapping[str, float] | None = None,
    title: str | None = None, ax: Axes | None = None, logx: bool = False, logy: bool = False, smooth: float = 0.0,
) -> Axes:
    """Curves, with dashed horizontal lines at known values.

    data: a dict from label to y, or to a pair (x, y); or one sequence y; or a history, that is a list of dicts with
    numbers, where "step" (if present) is x and every other key a curve.
    reference: label -> value, e.g. ``{"entropy of the data": 2.49}``; the value is printed in the legend.
    smooth: 0 draws the values; 0 < smooth < 1 adds their exponential moving average (bias-corrected), values pale.
    """
    if not 0 <= smooth < 1:
        raise ValueError(f"smooth must be in [0, 1), got {smooth}")
    ax = _axes(ax)
    with style():
        for i, (name, (x, y)) in enumerate(_series(data).items()):
            color = COLORS[i % len(COLORS)]
            marker = "o" if len(y) <= 12 else None
            label = name or None
            if smooth:
                ax.plot(x, y, color=color, alpha=0.3, linewidth=1)
                ax.plot(x, _moving_average(y, smooth), color=color, label=label)
            else:
                thickness = 1.8 if len(y) <= 200 else 1.2
                ax.plot(x, y, color=color, marker=marker, markersize=4, linewidth=thickness, label=label)
        _reference_lines(ax, reference)
        if logx:
            ax.set_xscale("log")
        if logy:
            ax.set_yscale("log")
        _label(ax, xlabel, ylabel, title)
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
    return ax


def _reference_lines(ax: Axes, reference: Mapping[str, float] | None) -> None:
    for i, (name, value) in enumerate((reference or {}).items()):
        k = i % len(_DASHES)
        label = f"{name} ({float(value):.4g})"
        ax.axhline(float(value), color=_GREYS[k], linestyle=_DASHES[k], linewidth=1.4, label=label)


def _series(data: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if isinstance(data, Mapping):
        series = {}
        for name, value in data.items():
            if isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]) == 1:
                x, y = (_numbers(part) for part in value)
            else:
                y = _numbers(value)
                x = np.arange(len(y))
            if x.shape != y.shape or y.ndim != 1:
                raise ValueError(f"curve {name!r}: x has shape {x.shape}, y {y.shape}")
            series[str(name)] = (x, y)
        return series
    if isinstance(data, Sequence) and data and isinstance(data[0], Mapping):
        names = dict.fromkeys(key for row in data for key in row if key != "step")
        rows = list(enumerate(data))
        return {
            name: (
                _numbers([row.get("step", i) for i, row in rows if name in row]),
                _numbers([row[name] for _, row in rows if name in row]),
            )
            for name in names
        }
    return _series({"": data})


def _numbers(values: Any) -> np.ndarray:
    return _array(values).astype(np.float64)


def _moving_average(y: np.ndarray, smooth: float) -> np.ndarray:
    average, weight, out = 0.0, 0.0, np.empty(len(y))
    for i, value in enumerate(y):
        average = smooth * average + (1 - smooth) * value
        weight = smooth * weight + (1 - smooth)
        out[i] = average / weight
    return out


def bars(
    values: Any, labels: Sequence[Any] | None = None, xlabel: str = "", ylabel: str = "", title: str | None = None,
    reference: Mapping[str, float] | None = None, ax: Axes | None = None,
) -> Axes:
    """Bars: one series (K,), or a dict from name to series, drawn side by side.

    labels: K names under the bars; default 0..K-1. A dict from name to a number is one series with those names.
    reference: label -> value of dashed horizontal lines.
    """
    if isinstance(values, Mapping) and all(np.ndim(v) == 0 for v in values.values()):
        labels, values = list(values) if labels is None else labels, [float(v) for v in values.values()]
    groups = {str(k): _numbers(v) for k, v in values.items()} if isinstance(values, Mapping) else {"": _numbers(values)}
    size = len(next(iter(groups.values())))
    if any(v.shape != (size,) for v in groups.values()):
        raise ValueError(f"series of different lengths: { {k: v.shape for k, v in groups.items()} }")
    names = [str(i) for i in (range(size) if labels is None else labels)]
    if len(names) != size:
        raise ValueError(f"{len(names)} labels for {size} bars")
    ax = _axes(ax)
    with style():
        width = 0.8 / len(groups)
        for i, (name, heights) in enumerate(groups.items()):
            x = np.arange(size) + (i - (len(groups) - 1) / 2) * width
            ax.bar(x, heights, width * 0.95, color=COLORS[i % len(COLORS)], label=name or None)
        _reference_lines(ax, reference)
        shown = range(0, size, max(1, math.ceil(size / 24)))
        ax.set_xticks(list(shown), [names[i] for i in shown])
        if sum(len(names[i]) + 2 for i in shown) > 76:  # too many letters for one line
            for text in ax.get_xticklabels():
                text.set(rotation=25, horizontalalignment="right", rotation_mode="anchor")
        ax.tick_params(axis="x", length=0)
        ax.grid(False, axis="x")
        _label(ax, xlabel, ylabel, title)
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
    return ax


# --- two dimensions ------------------------------------------------------------------------------------------


def density2d(
    log_prob_fn: Callable[[Any], Any], xlim: tuple[float, float] = (-4, 4), ylim: tuple[float, float] = (-4, 4),
    ax: Axes | None = None, title: str | None = None, n: int = 160, cmap: str = SEQUENTIAL, device: str = "cpu",
) -> Axes:
    """A density over a rectangle, as colours; the darkest is zero.

    log_prob_fn: takes a float32 tensor (m, 2) on ``device``, returns log-densities (m,); called without gradients, in
    chunks, at the centres of n×n cells. NaN is drawn in magenta, so that it cannot be missed.
    """
    import torch

    x, y = (low + (high - low) * (torch.arange(n) + 0.5) / n for low, high in (xlim, ylim))
    points = torch.cartesian_prod(y, x).flip(1).to(torch.float32)
    with torch.no_grad():
        values = [_array(log_prob_fn(part.to(device))).reshape(-1) for part in points.split(8192)]
    log_density = np.concatenate(values).astype(np.float64)
    if log_density.shape != (n * n,):
        raise ValueError(f"log_prob_fn returned {log_density.size} values for {n * n} points")
    density = np.exp(log_density).reshape(n, n)
    ax = _axes(ax, width=4.4, height=4.2)
    colors = mpl.colormaps[cmap].with_extremes(bad="magenta")
    with style():
        ax.imshow(density, origin="lower", extent=(*xlim, *ylim), cmap=colors, vmin=0, interpolation="bilinear")
        ax.grid(False)
        _round_ticks(ax)
        _label(ax, title=title)
    return ax


def scatter2d(
    x: Any, ax: Axes | None = None, labels: Any = None, xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None, title: str | None = None, label: str | None = None,
    color: str | None = None, size: float | None = None, alpha: float | None = None,
) -> Axes:
    """Points (N, 2) with equal scales on both axes.

    labels: N integers; every value gets a colour and a legend entry. label, color: name and colour of the whole.
    Size and opacity adapt to N unless given. Points that are not finite are left out, and their number is said.
    """
    points = _numbers(x)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"expected points (N, 2), got shape {points.shape}")
    finite = np.isfinite(points).all(1)
    size = size or float(np.clip(6000 / max(len(points), 1), 3, 26))
    alpha = alpha or float(np.clip(600 / max(len(points), 1), 0.35, 0.8))
    ax = _axes(ax, width=4.4, height=4.2)
    keywords: dict[str, Any] = {"s": size, "alpha": alpha, "linewidths": 0}
    with style():
        if labels is None:
            next_color = color or COLORS[len(ax.collections) % len(COLORS)]
            ax.scatter(*points[finite].T, color=next_color, **keywords)
            if label:
                _legend_dot(ax, next_color, label)
        else:
            kinds = _array(labels)
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
        _label(ax, title=title)
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

    mean: (2,), or (K, 2) for K components; cov: (2, 2) or (K, 2, 2), symmetric.
    Raises ValueError on other shapes or a covariance that is not positive semi-definite.
    """
    means, covs = np.atleast_2d(_numbers(mean)), _numbers(cov)
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


# --- matrices ------------------------------------------------------------------------------------------------


def heatmap(
    matrix: Any, xlabel: str = "", ylabel: str = "", title: str | None = None, xticks: Sequence[Any] | None = None,
    yticks: Sequence[Any] | None = None, annotate: bool = False, center: float | None = None,
    vmin: float | None = None, vmax: float | None = None, cmap: str | None = None, colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """A matrix (rows, columns) as colours, row 0 on top.

    xticks, yticks: names of columns and rows. annotate: write the numbers. center: use a diverging colour map that is
    white at this value. NaN is grey.
    """
    values = _array(matrix).astype(np.float64)
    if values.ndim != 2:
        raise ValueError(f"expected a matrix, got shape {values.shape}")
    rows, columns = values.shape
    finite = values[np.isfinite(values)]
    if center is not None:
        reach = float(np.abs(finite - center).max(initial=0.0)) or 1.0
        vmin = center - reach if vmin is None else vmin
        vmax = center + reach if vmax is None else vmax
    colors = mpl.colormaps[cmap or (DIVERGING if center is not None else SEQUENTIAL)].with_extremes(bad="#BBBBBB")
    if ax is None:
        width = float(np.clip(1.6 + columns * (0.62 if annotate else 0.32), 3.6, 8.0))
        margin = 0.45 + (0.3 if title else 0.0) + (0.25 if xlabel else 0.0)
        ax = _axes(None, width=width, height=float(np.clip((width - 1.5) * rows / columns + margin, 1.8, 7.0)))
    with style():
        square = 0.25 <= rows / columns <= 4
        picture = ax.imshow(values, cmap=colors, vmin=vmin, vmax=vmax, aspect="equal" if square else "auto")
        ax.grid(False)
        ax.spines[:].set_visible(False)
        if xticks is not None:
            ax.set_xticks(range(len(xticks)), [str(name) for name in xticks])
            if sum(len(str(name)) + 1 for name in xticks) > 40:
                for text in ax.get_xticklabels():
                    text.set(rotation=45, horizontalalignment="right", rotation_mode="anchor")
        if yticks is not None:
            ax.set_yticks(range(len(yticks)), [str(name) for name in yticks])
        ax.tick_params(length=0)
        if xticks is None:
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        if yticks is None:
            ax.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        if annotate:
            for (i, j), value in np.ndenumerate(values):
                red, green, blue, _ = picture.to_rgba(np.array([value]))[0]
                dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
                ax.text(j, i, f"{value:.3g}", ha="center", va="center", fontsize=9, color="white" if dark else "black")
        if colorbar:
            bar = _figure(ax).colorbar(picture, ax=ax, shrink=0.9)
            bar.outline.set_visible(False)  # type: ignore[operator]
        _label(ax, xlabel, ylabel, title)
    return ax


def receptive_field(
    grad_map: Any, center: tuple[int, int] | None = None, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """What one output depends on: |gradient| (H, W), on a log scale. White means exactly zero, however small the rest.

    grad_map: gradient of the output with respect to the image, (H, W), or (C, H, W) which is summed over C in absolute
    value. center: (row, column) of the output, outlined in orange.
    """
    gradient = np.abs(_array(grad_map).astype(np.float64))
    if gradient.ndim == 4 and len(gradient) == 1:
        gradient = gradient[0]
    if gradient.ndim == 3:
        gradient = gradient.sum(0)
    if gradient.ndim != 2:
        raise ValueError(f"expected a gradient (H, W) or (C, H, W), got shape {gradient.shape}")
    with np.errstate(divide="ignore"):
        logs = np.where(gradient > 0, np.log10(gradient), np.nan)
    rows, columns = gradient.shape
    ax = _axes(ax, width=4.6, height=3.6)
    colors = ListedColormap(mpl.colormaps["Blues"](np.linspace(0.25, 1, 256))).with_extremes(bad="white")
    reached = np.isfinite(logs)
    high = float(logs[reached].max()) if reached.any() else 0.0
    low = float(max(logs[reached].min(), high - 6)) if reached.any() else -1.0
    with style():
        picture = ax.imshow(logs, cmap=colors, vmin=low, vmax=high if high > low else low + 1)
        ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
        ax.grid(False)
        ax.grid(True, which="minor", color="#D0D0D0", linewidth=0.6)
        ax.tick_params(which="both", length=0)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        if center is not None:
            row, column = center
            outline: dict[str, Any] = {"edgecolor": COLORS[1], "linewidth": 2.5, "zorder": 3}
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, **outline))
        bar = _figure(ax).colorbar(picture, ax=ax, shrink=0.9, label="log10 |gradient|")
        bar.outline.set_visible(False)  # type: ignore[operator]
        _label(ax, "column", "row", title)
    return ax


# --- text ----------------------------------------------------------------------------------------------------


def table(rows: Iterable[Sequence[Any]] | Mapping[Any, Any], header: Sequence[str] | None = None) -> None:
    """Print :func:`format_table`."""
    print(format_table(rows, header))


def format_table(rows: Iterable[Sequence[Any]] | Mapping[Any, Any], header: Sequence[str] | None = None) -> str:
    """An aligned text table: numbers to the right with four significant digits, the rest to the left.

    rows: sequences of cells, or a dict whose items are rows of two. Short rows are filled with empty cells.
    """
    cells = [list(row) for row in (rows.items() if isinstance(rows, Mapping) else rows)]
    texts = [[_cell(cell) for cell in row] for row in cells]
    lines = ([list(header)] if header is not None else []) + texts
    count = max((len(line) for line in lines), default=0)
    lines = [line + [""] * (count - len(line)) for line in lines]
    widths = [max(len(line[j]) for line in lines) for j in range(count)]
    columns = [[row[j] for row in cells if len(row) > j] for j in range(count)]
    numeric = [any(cell is not None for cell in column) and all(map(_is_number, column)) for column in columns]
    align = [str.rjust if right else str.ljust for right in numeric]
    out = ["  ".join(f(text, width) for f, text, width in zip(align, line, widths)) for line in lines]
    if header is not None:
        out.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(line.rstrip() for line in out)


def _is_number(cell: Any) -> bool:
    return cell is None or (not isinstance(cell, (str, bool)) and np.ndim(cell) == 0 and np.isreal(_array(cell)).item())


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, (str, bool)):
        return str(cell)
    if np.ndim(cell) == 0 and hasattr(cell, "item"):
        cell = cell.item()
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)

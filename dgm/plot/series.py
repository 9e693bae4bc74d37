"""Curves and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dgm.plot.styling import COLORS, label_axes, panel, style, to_floats

_GREYS = ("#222222", "#777777", "#777777", "#777777")
_DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))


def curves(
    data: Any, xlabel: str = "step", ylabel: str = "", reference: Mapping[str, float] | None = None,
    title: str | None = None, ax: Axes | None = None, logx: bool = False, logy: bool = False, smooth: float = 0.0,
) -> Axes:
    """Curves, with dashed horizontal lines at known values.

    Args:
        data: A dict from label to y, or to a pair (x, y); or one sequence y; or a history, that is a list of dicts
            with numbers, where "step" (if present) is x and every other key a curve.
        xlabel: Below.
        ylabel: At the left.
        reference: Known values by label, e.g. ``{"entropy of the data": 2.49}``; the legend prints the value.
        title: Above the panel.
        ax: Where to draw; None for a new figure.
        logx: Logarithmic x.
        logy: Logarithmic y.
        smooth: 0 draws the values; 0 < smooth < 1 adds their exponential moving average (bias-corrected), values pale.

    Raises:
        ValueError: ``smooth`` outside [0, 1), or x and y of different shapes.
    """
    if not 0 <= smooth < 1:
        raise ValueError(f"smooth must be in [0, 1), got {smooth}")
    ax = panel(ax)
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
        label_axes(ax, xlabel, ylabel, title)
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
                x, y = (to_floats(part) for part in value)
            else:
                y = to_floats(value)
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
                to_floats([row.get("step", i) for i, row in rows if name in row]),
                to_floats([row[name] for _, row in rows if name in row]),
            )
            for name in names
        }
    return _series({"": data})


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

    A dict from name to a number is one series with those names.

    Args:
        values: The heights.
        labels: K names under the bars; default 0..K-1.
        xlabel: Below.
        ylabel: At the left.
        title: Above the panel.
        reference: Values of dashed horizontal lines by label.
        ax: Where to draw; None for a new figure.

    Raises:
        ValueError: Series of different lengths, or a wrong number of labels.
    """
    if isinstance(values, Mapping) and all(np.ndim(v) == 0 for v in values.values()):
        labels, values = list(values) if labels is None else labels, [float(v) for v in values.values()]
    named = values if isinstance(values, Mapping) else {"": values}
    groups = {str(name): to_floats(series) for name, series in named.items()}
    size = len(next(iter(groups.values())))
    if any(v.shape != (size,) for v in groups.values()):
        raise ValueError(f"series of different lengths: { {k: v.shape for k, v in groups.items()} }")
    names = [str(i) for i in (range(size) if labels is None else labels)]
    if len(names) != size:
        raise ValueError(f"{len(names)} labels for {size} bars")
    ax = panel(ax)
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
        label_axes(ax, xlabel, ylabel, title)
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
    return ax

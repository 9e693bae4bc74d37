"""Matrices as colours: any matrix, and what an output of a network depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from dgm.plot.styling import COLORS, DIVERGING, SEQUENTIAL, figure_of, label_axes, panel, style, to_array


def heatmap(
    matrix: Any, xlabel: str = "", ylabel: str = "", title: str | None = None, xticks: Sequence[Any] | None = None,
    yticks: Sequence[Any] | None = None, annotate: bool = False, center: float | None = None,
    vmin: float | None = None, vmax: float | None = None, cmap: str | None = None, colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """A matrix (rows, columns) as colours, row 0 on top.

    NaN is grey.

    Args:
        matrix: The values.
        xlabel: Below.
        ylabel: At the left.
        title: Above the panel.
        xticks: Names of the columns.
        yticks: Names of the rows.
        annotate: Write the numbers.
        center: Use diverging colours that are white at this value.
        vmin: The value of the first colour; None for the smallest.
        vmax: The value of the last colour; None for the largest.
        cmap: Name of the colours.
        colorbar: Draw one.
        ax: Where to draw; None for a new figure.

    Raises:
        ValueError: It is not a matrix.
    """
    values = to_array(matrix).astype(np.float64)
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
        ax = panel(None, width=width, height=float(np.clip((width - 1.5) * rows / columns + margin, 1.8, 7.0)))
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
            bar = figure_of(ax).colorbar(picture, ax=ax, shrink=0.9)
            bar.outline.set_visible(False)
        label_axes(ax, xlabel, ylabel, title)
    return ax


def receptive_field(
    grad_map: Any, center: tuple[int, int] | None = None, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """What one output depends on: |gradient| (H, W), on a log scale. White means exactly zero, however small the rest.

    Args:
        grad_map: Gradient of the output with respect to the image, (H, W), or (C, H, W) which is summed over C in
            absolute value.
        center: (row, column) of the output, outlined in orange.
        ax: Where to draw; None for a new figure.
        title: Above the panel.

    Raises:
        ValueError: A gradient of another shape.
    """
    gradient = np.abs(to_array(grad_map).astype(np.float64))
    if gradient.ndim == 4 and len(gradient) == 1:
        gradient = gradient[0]
    if gradient.ndim == 3:
        gradient = gradient.sum(0)
    if gradient.ndim != 2:
        raise ValueError(f"expected a gradient (H, W) or (C, H, W), got shape {gradient.shape}")
    with np.errstate(divide="ignore"):
        logs = np.where(gradient > 0, np.log10(gradient), np.nan)
    rows, columns = gradient.shape
    ax = panel(ax, width=4.6, height=3.6)
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
        bar = figure_of(ax).colorbar(picture, ax=ax, shrink=0.9, label="log10 |gradient|")
        bar.outline.set_visible(False)
        label_axes(ax, "column", "row", title)
    return ax

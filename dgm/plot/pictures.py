"""Grids of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dgm.plot.styling import MAX_WIDTH, PAD, TITLE, figure_of, subplots, to_array


def images(
    x: Any, ncols: int | None = None, titles: Sequence[Any] | None = None, suptitle: str | None = None,
    vmin: float | None = 0.0, vmax: float | None = 1.0, cmap: str = "gray", ax: Axes | None = None,
) -> Figure:
    """A grid of images, row by row.

    Grey values map from [vmin, vmax] to ``cmap`` and are clipped. Colour images are clipped to [0, 1].

    Args:
        x: (N, C, H, W) with C 1 or 3, (N, H, W), or (H, W).
        ncols: Images in a row; None for a pleasant shape.
        titles: One for each image (a panel each); without them the grid is one panel, which is much quicker.
        suptitle: Above all.
        vmin: The grey value that is darkest; None takes the smallest of all images.
        vmax: The grey value that is brightest; None takes the largest of all images.
        cmap: Name of the colours.
        ax: Where to draw; None for a new figure.

    Raises:
        ValueError: Another shape, or a wrong number of titles.
    """
    pictures = grey_and_colour(x, vmin, vmax)
    n, height, width = pictures.shape[:3]
    ncols = min(ncols or columns_of(n, width / height), n)
    rows = math.ceil(n / ncols)
    if titles is None:
        if ax is None:
            inches = min(MAX_WIDTH, max(1.2, ncols * _cell_inches(width)))
            figure_height = (inches - 2 * PAD) * rows * height / (ncols * width) + 2 * PAD
            figure_height += TITLE if suptitle else 0.0
            ax = subplots(width=max(inches, _text_inches(suptitle)), height=figure_height)[1]
        _show(ax, mosaic(pictures, ncols), cmap)
        if suptitle:
            ax.set_title(suptitle)
        return figure_of(ax)
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
    pair = [grey_and_colour(x, vmin, vmax) for x in (before, after)]
    columns = [min(ncols or columns_of(len(p), p.shape[2] / p.shape[1]), len(p)) for p in pair]
    ratio = max(math.ceil(len(p) / c) * p.shape[1] / (c * p.shape[2]) for p, c in zip(pair, columns))
    width = min(8.8, max(4.0, sum(c * _cell_inches(p.shape[2]) for p, c in zip(pair, columns))))
    gap = 0.04 * width
    height = (width - gap - 4 * PAD) / 2 * ratio + 2 * PAD + TITLE + (0.3 if suptitle else 0.0)
    figure, axes = subplots(1, 2, width=width, height=height)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(wspace=0.08)  # type: ignore[call-arg]
    for ax, pictures, c, title in zip(axes, pair, columns, titles):
        _show(ax, mosaic(pictures, c), cmap)
        ax.set_title(title)
    if suptitle:
        figure.suptitle(suptitle, fontsize=12)
    return figure


def grey_and_colour(x: Any, vmin: float | None, vmax: float | None) -> np.ndarray:
    """(N, H, W, channels) floats in [0, 1]."""
    values = to_array(x).astype(np.float64)
    if values.ndim == 2:
        values = values[None]
    if values.ndim == 3:
        values = values[:, None]
    if values.ndim != 4 or values.shape[1] not in (1, 3) or 0 in values.shape:
        raise ValueError(f"expected images (N, C, H, W) with C 1 or 3, (N, H, W) or (H, W), got shape {values.shape}")
    if values.shape[1] == 1:
        low = np.nanmin(values) if vmin is None else vmin
        high = np.nanmax(values) if vmax is None else vmax
        values = (values - low) / ((high - low) or 1.0)
    return np.clip(values, 0, 1).transpose(0, 2, 3, 1)


def mosaic(pictures: np.ndarray, ncols: int) -> np.ndarray:
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


def columns_of(n: int, aspect: float) -> int:
    """Columns that make the whole about three times as wide as high, and its last row full where possible."""
    wanted = max(1, min(n, round(math.sqrt(3 * n / aspect)), 16))
    full = [c for c in range(max(1, wanted - 2), min(n, wanted + 2) + 1) if n % c == 0]
    return min(full, key=lambda c: abs(c - wanted)) if full else wanted


def _cell_inches(width: int) -> float:
    """Width of one image in a grid: larger images get more room."""
    return min(3.2, max(0.55, 0.4 + width / 70))


def _text_inches(text: str | None) -> float:
    return min(MAX_WIDTH, 0.1 * len(text) + 0.3) if text else 0.0

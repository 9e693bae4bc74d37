"""The house style: colours, sizes, figures that a notebook shows once, and what all plots share."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dgm.frontend import grading

#: Okabe and Ito's palette, without yellow and with the best separated colours first.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"

WIDTH = 6.4  # inches of a single panel
MAX_WIDTH = 10.0  # inches of the widest figure
PAD = 0.08  # inches around what is drawn
TITLE = 0.3  # inches of a title above a panel

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": PAD,
    "figure.constrained_layout.h_pad": PAD,
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


class HouseFigure(Figure):
    """A figure that a notebook shows once: where it is displayed, or else at the end of its cell.

    An ordinary figure that is the last value of its cell is shown twice, as the value and as an open figure. This one
    is closed when it has been shown; it can still be displayed again.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt

        if grading():  # nobody looks at it, and drawing takes longer than most cells
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

    Panels are 6.4×3.9 inches when alone and share 10 inches when several.

    Args:
        rows: Panels below each other.
        columns: Panels beside each other.
        width: Inches of the figure.
        height: Inches of the figure.
        **keywords: Go to ``plt.subplots``.
    """
    import matplotlib.pyplot as plt

    width = width or min(MAX_WIDTH, WIDTH if columns == 1 else 4.2 * columns)
    height = height or rows * (3.9 if columns == 1 else width / columns * 0.86 + 0.35)
    with style():
        keywords.setdefault("subplot_kw", {}).setdefault("axes_class", HouseAxes)
        size = {"figsize": (width, height)}
        made: tuple[Figure, Any] = plt.subplots(rows, columns, FigureClass=HouseFigure, **size, **keywords)
        return made


def panel(ax: Axes | None, width: float | None = None, height: float | None = None) -> Axes:
    """``ax``, or the Axes of a new figure of this size in inches."""
    return ax if ax is not None else subplots(width=width, height=height)[1]


def label_axes(ax: Axes, xlabel: str = "", ylabel: str = "", title: str | None = None) -> None:
    """Write those that are not empty."""
    if xlabel:
        ax.set_xlabel(xlabel)
    if ylabel:
        ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)


def to_array(x: Any) -> np.ndarray:
    """A NumPy array of a tensor on any device, an array, or (nested) numbers."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        array: np.ndarray = (x.float() if x.dtype.is_floating_point else x).numpy()  # bfloat16 is unknown to NumPy
        return array
    if isinstance(x, (list, tuple)) and x and hasattr(x[0], "detach"):
        return np.stack([to_array(item) for item in x])
    return np.asarray(x)


def to_floats(values: Any) -> np.ndarray:
    """`to_array` in float64."""
    return to_array(values).astype(np.float64)


def figure_of(ax: Axes) -> Figure:
    """The figure, where it is no part of another one."""
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    return figure

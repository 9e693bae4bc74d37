"""Figures in one house style: readable at notebook width, safe for colour-blind readers, deterministic in size.

Helpers take torch tensors (on any device) or arrays. Those that draw one panel take ``ax`` and return the Axes; if
``ax`` is None they make a figure (``returned.figure``). Those that draw several panels return the Figure. None of them
changes matplotlib's settings; :func:`use_style` does so on request, for your own plots.

In a notebook a figure is shown once, at the end of its cell, also when it is the cell's last value.
"""

from dgm.plot.films import Film, film
from dgm.plot.matrices import heatmap, receptive_field
from dgm.plot.pictures import compare, images
from dgm.plot.plane import density2d, ellipse, scatter2d
from dgm.plot.series import bars, curves
from dgm.plot.styling import (
    COLORS,
    DIVERGING,
    MAX_WIDTH,
    SEQUENTIAL,
    STYLE,
    WIDTH,
    HouseAxes,
    HouseFigure,
    style,
    subplots,
    use_style,
)
from dgm.plot.tables import format_table, table

__all__ = [
    "COLORS", "DIVERGING", "MAX_WIDTH", "SEQUENTIAL", "STYLE", "WIDTH", "Film", "HouseAxes", "HouseFigure", "bars",
    "compare", "curves", "density2d", "ellipse", "film", "format_table", "heatmap", "images", "receptive_field",
    "scatter2d", "style", "subplots", "table", "use_style",
]  # fmt: skip

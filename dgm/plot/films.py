"""Pictures that move: a grid of images over time, which a notebook plays."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dgm.frontend import grading
from dgm.plot.pictures import columns_of, grey_and_colour, mosaic
from dgm.plot.styling import to_array

WIDTH_PIXELS = 480  # about so wide is a film on the screen; the browser enlarges it, which keeps the file small


class Film:
    """Frames that a notebook shows as one moving picture (a GIF); paper keeps one frame, so draw a still beside it."""

    def __init__(self, frames: np.ndarray, seconds: float):
        """A film.

        Args:
            frames: (S, H, W) or (S, H, W, 3), whole numbers from 0 to 255.
            seconds: How long it takes to play once.
        """
        self.frames, self.seconds = frames, seconds

    def gif(self) -> bytes:
        """The film as a GIF that begins anew for ever, after a second on the last frame."""
        first, *rest = [Image.fromarray(frame) for frame in self.frames]
        each = max(20, round(1000 * self.seconds / len(self.frames)))  # browsers slow down what is quicker than 20 ms
        file = io.BytesIO()
        times = [each] * len(rest) + [each + 1000]
        first.save(file, "GIF", save_all=True, append_images=rest, duration=times, loop=0)
        return file.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the GIF to a file."""
        Path(path).write_bytes(self.gif())

    def _repr_html_(self) -> str | None:
        if grading():  # nobody looks at it
            return None
        data = base64.b64encode(self.gif()).decode("ascii")
        width = self.frames.shape[2] * max(1, round(WIDTH_PIXELS / self.frames.shape[2]))
        look = f'width="{width}" style="image-rendering: pixelated"'
        return f'<img alt="film of {len(self.frames)} frames" {look} src="data:image/gif;base64,{data}">'


def film(
    x: Any, seconds: float = 4.0, ncols: int | None = None, vmin: float | None = 0.0, vmax: float | None = 1.0
) -> Film:
    """A grid of images over time, to be the last value of a cell.

    Args:
        x: (S, N, C, H, W) with C 1 or 3, or (S, N, H, W): S moments of N images.
        seconds: How long it takes to play once.
        ncols: Images in a row; None for a pleasant shape.
        vmin: The grey value that is black; None takes the smallest of all moments.
        vmax: The grey value that is white; None takes the largest of all moments.

    Raises:
        ValueError: Another shape.
    """
    values = to_array(x)
    if values.ndim not in (4, 5) or 0 in values.shape:
        raise ValueError(f"expected moments of images, (S, N, C, H, W) or (S, N, H, W), got shape {values.shape}")
    moments, n = values.shape[:2]
    pictures = grey_and_colour(values.reshape(moments * n, *values.shape[2:]), vmin, vmax)
    height, width = pictures.shape[1:3]
    ncols = min(ncols or columns_of(n, width / height), n)
    grids = [mosaic(part, ncols) for part in pictures.reshape(moments, n, *pictures.shape[1:])]
    frames = [_on_white(grid) for grid in grids]
    return Film(np.stack(frames), seconds)


def _on_white(grid: np.ndarray) -> np.ndarray:
    """Bytes of a mosaic, whose gaps (NaN in grey, alpha 0 in colour) become white."""
    if grid.ndim == 3:
        grid = grid[..., :3] * grid[..., 3:] + 1 - grid[..., 3:]
    whole: np.ndarray = np.round(255 * np.nan_to_num(grid, nan=1.0))
    return whole.astype(np.uint8)

"""Glyph images: letters and digits rendered from the fonts that ship with matplotlib, then warped.

An offline stand-in for MNIST: 28×28, white on black, as many as wanted. Each image is one character in one of 20
typefaces (DejaVu Sans, Mono and Serif, STIX, Computer Modern; upright, bold and slanted), under a random affine map
(rotation, shear, scale, shift) and a mild smooth elastic change.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dgm.seeding import generator as seeded

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
    "cmr10", "cmb10", "cmss10", "cmtt10",
)

ROTATION = math.radians(12)  # ±
SHEAR = 0.15  # ±
SCALE = (0.85, 1.1)  # of each axis apart
SHIFT = 0.07  # ±, in image widths
ELASTIC = 0.035  # standard deviation of the displacement at 4×4 control points, in half image widths

_MASTER = 64  # pixels of a rendered glyph before it is warped
_INK = 0.66  # height of capitals and most digits, in image heights
_WIDEST = 0.8  # limit of a glyph's width and height
_BLOCK = 512  # images drawn from one seed


def glyphs(
    n: int, seed: int = 0, size: int = 28, classes: str | None = None, split: Literal["train", "test"] = "train"
) -> tuple[Tensor, Tensor]:
    """``n`` random glyphs as ``(images, labels)``: float32 (n, 1, size, size) in [0, 1], int64 (n,).

    "train" and "test" draw from disjoint random streams, whatever the seeds, from the same fonts and warps: image
    ``i`` is made of the stream (split, seed, i // 512). So another seed gives other images, and ``glyphs(100)`` is the
    beginning of ``glyphs(1000)``. The last calls are cached in memory.

    Pixels can differ slightly between versions of matplotlib (its font rasteriser).

    Args:
        n: How many.
        seed: Of their characters, fonts and warps.
        size: Height and width in pixels, at least 8.
        classes: The characters to draw, uniformly at random, ASCII letters and digits; label i means ``classes[i]``.
            Default ``"0123456789"``.
        split: "train" or "test".

    Raises:
        ValueError: Characters that are no ASCII letters or digits, repeated ones, an unknown split, or a size below 8.
    """
    classes = "0123456789" if classes is None else classes
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    if not classes or len(set(classes)) != len(classes) or not (classes.isascii() and classes.isalnum()):
        raise ValueError(f"classes must be distinct ASCII letters or digits, got {classes!r}")
    if n < 0 or size < 8:
        raise ValueError(f"need n ≥ 0 and size ≥ 8, got n={n}, size={size}")
    pixels, labels = _draw(-(-n // _BLOCK), seed, size, classes, split)
    return pixels[:n].to(torch.float32).div_(255), labels[:n].clone()


@lru_cache(maxsize=4)
def _draw(blocks: int, seed: int, size: int, classes: str, split: str) -> tuple[Tensor, Tensor]:
    """uint8 (blocks·512, 1, size, size) and labels: a quarter of the memory of float32."""
    masters = torch.cat([_masters(character) for character in classes])
    parts = [_draw_block(masters, len(classes), size, _block_seed(split, seed, b)) for b in range(blocks)]
    if not parts:
        return torch.empty(0, 1, size, size, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)
    return torch.cat([p for p, _ in parts]), torch.cat([y for _, y in parts])


def _block_seed(split: str, seed: int, block: int) -> int:
    """A seed of its own for every (split, seed, block): no two streams are the same."""
    entropy = [0 if split == "train" else 1, block, abs(int(seed)), int(seed < 0)]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _draw_block(masters: Tensor, classes: int, size: int, block_seed: int) -> tuple[Tensor, Tensor]:
    random = seeded(block_seed)
    labels = torch.randint(classes, (_BLOCK,), generator=random)
    fonts = torch.randint(len(FONTS), (_BLOCK,), generator=random)
    grid = _warp(size * 2, random)
    images = F.grid_sample(masters[labels * len(FONTS) + fonts], grid, mode="bilinear", align_corners=False)
    images = F.avg_pool2d(images, 2).clamp(0, 1)
    return (images * 255).round().to(torch.uint8), labels


def _warp(size: int, random: torch.Generator) -> Tensor:
    """Sampling grids (512, size, size, 2) for grid_sample: a random affine map plus a smooth displacement."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(_BLOCK, generator=random)

    angle, shear = uniform(-ROTATION, ROTATION), uniform(-SHEAR, SHEAR)
    scale_x, scale_y = uniform(*SCALE), uniform(*SCALE)
    shift_x, shift_y = uniform(-2 * SHIFT, 2 * SHIFT), uniform(-2 * SHIFT, 2 * SHIFT)
    c, s = angle.cos(), angle.sin()
    # output -> master coordinates: the inverse scale of a rotation after a shear
    rows = [
        torch.stack([c / scale_x, (s + shear * c) / scale_x, shift_x], dim=1),
        torch.stack([-s / scale_y, (c - shear * s) / scale_y, shift_y], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), [_BLOCK, 1, size, size], align_corners=False)
    control = ELASTIC * torch.randn(_BLOCK, 2, 4, 4, generator=random)
    bend = F.interpolate(control, (size, size), mode="bicubic", align_corners=True)
    return grid + bend.permute(0, 2, 3, 1)


@lru_cache(maxsize=128)
def _masters(character: str) -> Tensor:
    """One character in every font, float32 (fonts, 1, 64, 64) in [0, 1], its ink box centred."""
    return torch.stack([_render(character, font) for font in FONTS]).unsqueeze(1)


def _render(character: str, font: str) -> Tensor:
    """One glyph on a black square: capitals ``_INK`` high in every typeface, wide letters made smaller to fit."""
    em = _em_size(font)
    ink = _ink(character, font, em)
    widest = max(ink.shape)
    if widest > _WIDEST * _MASTER:
        ink = _ink(character, font, em * _WIDEST * _MASTER / widest)
    canvas = np.zeros((_MASTER, _MASTER), dtype=np.float32)
    height, width = ink.shape
    top, left = (_MASTER - height) // 2, (_MASTER - width) // 2
    canvas[top : top + height, left : left + width] = ink
    return torch.from_numpy(canvas)


@lru_cache(maxsize=len(FONTS))
def _em_size(font: str) -> float:
    """Font size in pixels at which the letter H is ``_INK`` of the image high."""
    trial = 4.0 * _MASTER
    height: int = _ink("H", font, trial).shape[0]
    return trial * _INK * _MASTER / height


def _ink(character: str, font: str, em: float) -> np.ndarray:
    """Coverage of one glyph, float32 in [0, 1], cut to its ink. Unhinted, so that only the outline matters."""
    import matplotlib
    from matplotlib import ft2font

    flags: Any = ft2font.LoadFlags if hasattr(ft2font, "LoadFlags") else ft2font  # matplotlib before 3.10
    unhinted = flags.NO_HINTING if hasattr(flags, "NO_HINTING") else flags.LOAD_NO_HINTING
    face = ft2font.FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"))
    face.set_size(em, 72)
    face.set_text(character, 0.0, flags=unhinted)
    face.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(face.get_image(), dtype=np.float32) / 255
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

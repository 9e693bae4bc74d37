"""Scikit-learn's two sample photographs (427×640, from Flickr under CC BY), whole or as patches."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dgm.data.sklearn_files import sklearn_file
from dgm.seeding import generator as seeded

_FILES = {"china": "china.jpg", "flower": "flower.jpg"}
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def photo(name: Literal["china", "flower"] = "china", size: int | None = None, gray: bool = True) -> Tensor:
    """A photograph as float32 (1, C, H, W) in [0, 1]; C = 1 if ``gray`` (BT.601 luma) else 3.

    Args:
        name: Which one.
        size: None keeps 427×640; an int crops the central square and resamples it to size×size with antialiasing.
        gray: Grey rather than in colours.

    Raises:
        ValueError: An unknown name or a size below 1.
    """
    if name not in _FILES:
        raise ValueError(f"unknown photograph {name!r}: use {' or '.join(map(repr, _FILES))}")
    if size is not None and size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    image = _load(name).permute(2, 0, 1).unsqueeze(0).to(torch.float32).div(255)
    if gray:
        image = (image * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    if size is not None:
        height, width = image.shape[-2:]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[..., top : top + side, left : left + side]
        image = torch.nn.functional.interpolate(image, (size, size), mode="bilinear", antialias=True)
    return image.clamp(0, 1).contiguous()


def patches(image: Tensor, size: int, n: int | None = None, seed: int = 0) -> Tensor:
    """Square patches of an image (1, C, H, W) or (C, H, W), as (n, C, size, size), same dtype.

    Args:
        image: What they are cut from.
        size: Their height and width.
        n: This many, at uniformly random places (they may overlap); None gives the grid of non-overlapping patches in
            row-major order, without the incomplete ones at the right and bottom.
        seed: Of the random places.

    Raises:
        ValueError: ``image`` is a batch of several, or ``size`` does not fit.
    """
    if image.dim() == 4 and image.shape[0] == 1:
        image = image[0]
    if image.dim() != 3:
        raise ValueError(f"expected one image (1, C, H, W) or (C, H, W), got shape {tuple(image.shape)}")
    channels, height, width = image.shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"patch size {size} does not fit in an image of {height}×{width}")
    windows = image.unfold(1, size, 1).unfold(2, size, 1)  # (C, H-size+1, W-size+1, size, size), a view
    if n is None:
        grid = windows[:, ::size, ::size]
        return grid.permute(1, 2, 0, 3, 4).reshape(-1, channels, size, size).contiguous()
    random = seeded(seed)
    top = torch.randint(height - size + 1, (n,), generator=random)
    left = torch.randint(width - size + 1, (n,), generator=random)
    return windows[:, top, left].transpose(0, 1).contiguous()


@lru_cache(maxsize=2)
def _load(name: str) -> Tensor:
    """The decoded photograph, uint8 (H, W, 3)."""
    from PIL import Image  # a dependency of matplotlib

    with Image.open(sklearn_file(f"datasets/images/{_FILES[name]}")) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB")))

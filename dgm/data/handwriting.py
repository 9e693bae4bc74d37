"""Scikit-learn's 8×8 handwritten digits (the test part of UCI "Optical Recognition of Handwritten Digits").

1,797 images of 64 pixels with 17 levels 0..16, 10 classes of 174 to 183 images.

The split is fixed: 1,437 train and 360 test images, stratified by class (35 to 37 test images of each), drawn once
with NumPy's frozen ``RandomState(0)``. The writers are not known, so both parts contain the same writers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dgm.data.sklearn_files import sklearn_file
from dgm.seeding import generator as seeded

TEST_SIZE = 360

Split = Literal["train", "test", "all"]
Binary = Literal[False, "threshold", "stochastic"]


def digits(split: Split = "train", binary: Binary = False, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Digits as ``(images, labels)``: float32 (N, 1, 8, 8) in [0, 1], int64 (N,); N = 1437, 360 or 1797 (``"all"``).

    Grey images are the 17 levels divided by 16. ``binary`` makes every pixel 0.0 or 1.0:

    - ``"threshold"``: 1 where the level is at least 8 (intensity at least 0.5). No noise, so likelihoods come out
      better (fewer nats) than with stochastic pixels; never compare the two.
    - ``"stochastic"``: each pixel is drawn once from Bernoulli(intensity), with ``seed``: a fixed binarisation. Another
      seed each epoch gives a dynamic one (or call :func:`binarize`). Train, test and all agree for the same seed.

    Raises:
        ValueError: An unknown ``split`` or ``binary``.
    """
    levels, labels = _levels_and_labels()
    images = levels.to(torch.float32).div(16)
    if binary is not False:
        images = binarize(images, binary, seeded(seed))
    index = _split_index(split)
    return images[index], labels[index]


def digits_levels(split: Split = "train") -> tuple[Tensor, Tensor]:
    """Digits as ``(levels, labels)``: int64 (N, 1, 8, 8) in 0..16 (17 levels), int64 (N,). Same split as digits()."""
    levels, labels = _levels_and_labels()
    index = _split_index(split)
    return levels[index], labels[index]


def binarize(
    images: Tensor, how: Literal["threshold", "stochastic"], generator: torch.Generator | None = None
) -> Tensor:
    """Images in [0, 1] to 0.0 or 1.0, same shape and dtype.

    Args:
        images: Intensities.
        how: ``"threshold"``: 1 where the intensity is at least 0.5. ``"stochastic"``: Bernoulli(intensity).
        generator: What the stochastic ones are drawn from, which need it.

    Raises:
        ValueError: Another ``how``, a missing generator, or values outside [0, 1].
    """
    if how == "threshold":
        return (images >= 0.5).to(images.dtype)
    if how != "stochastic":
        raise ValueError(f"unknown binarisation {how!r}: use 'threshold' or 'stochastic'")
    if generator is None:
        raise ValueError("stochastic binarisation needs a torch.Generator")
    if images.min() < 0 or images.max() > 1:
        raise ValueError("stochastic binarisation needs intensities in [0, 1]")
    noise = torch.rand(images.shape, generator=generator, device=generator.device).to(images.device)
    return (noise < images).to(images.dtype)


def _split_index(split: str) -> Tensor:
    if split == "all":
        return torch.arange(len(_levels_and_labels()[1]))
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: use 'train', 'test' or 'all'")
    is_test = _is_test()
    return torch.nonzero(is_test if split == "test" else ~is_test).squeeze(1)


@lru_cache(maxsize=1)
def _levels_and_labels() -> tuple[Tensor, Tensor]:
    try:
        table = np.loadtxt(sklearn_file("datasets/data/digits.csv.gz"), delimiter=",", dtype=np.int64)
        pixels, labels = table[:, :64], table[:, 64]
    except FileNotFoundError:  # another layout of the package: ask it properly
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        pixels, labels = pixels.astype(np.int64), labels.astype(np.int64)
    return torch.from_numpy(pixels.copy()).reshape(-1, 1, 8, 8), torch.from_numpy(labels.copy())


@lru_cache(maxsize=1)
def _is_test() -> Tensor:
    """Boolean (1797,): per class a random fifth; largest remainders make the total exactly ``TEST_SIZE``."""
    labels = _levels_and_labels()[1].numpy()
    counts = np.bincount(labels)
    exact = counts * TEST_SIZE / len(labels)
    sizes = np.floor(exact).astype(int)
    for k in np.argsort(sizes - exact, kind="stable")[: TEST_SIZE - sizes.sum()]:
        sizes[k] += 1
    random = np.random.RandomState(0)
    is_test = np.zeros(len(labels), dtype=bool)
    for k, size in enumerate(sizes):
        is_test[random.permutation(np.flatnonzero(labels == k))[:size]] = True
    return torch.from_numpy(is_test)

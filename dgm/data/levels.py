"""One-dimensional discrete data: a Gaussian cut into 20 levels, with much of its mass in the lowest one.

The generator is that of data set 1 in CS294-158 (Berkeley, "Deep Unsupervised Learning", spring 2024), homework 1,
question 1: 1,000 draws of N(0.2, 0.2²), digitised by 20 equally spaced edges in [0, 1]; the first 800 are for
training. Everything below 0 falls in level 0. Reference numbers on the 200 test values, in nats:

===================================================  ======
model                                                NLL
===================================================  ======
uniform over 20 levels                               2.9957
histogram, maximum likelihood                        2.5432
histogram, add-1/2 smoothing                         2.5422
histogram, add-1 smoothing                           2.5425
the true distribution                                2.5397
entropy of the true distribution (infinite data)     2.4897
===================================================  ======
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

LEVELS = 20
MEAN, STD = 0.2, 0.2


def truncated_gaussian_levels(split: Literal["train", "test"] = "train", seed: int = 0) -> Tensor:
    """Levels in 0..19 as int64: (800,) for ``"train"``, (200,) for ``"test"``. ``seed=0`` is the published data.

    Levels 16..19 do not occur in the published data, and level 13 and 14 hardly: smoothing or the logistic mixture's
    tails matter.

    Raises:
        ValueError: An unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    samples = MEAN + STD * np.random.RandomState(seed).randn(1000)
    levels = torch.from_numpy(np.digitize(samples, np.linspace(0.0, 1.0, LEVELS)).clip(max=LEVELS - 1).astype(np.int64))
    return levels[:800].clone() if split == "train" else levels[800:].clone()


def truncated_gaussian_probs() -> Tensor:
    """The true probabilities of the 20 levels, float64 (20,): what no model can beat on average."""
    edges = [-math.inf, *np.linspace(0.0, 1.0, LEVELS)[:-1].tolist(), math.inf]
    cdf = [0.5 * (1 + math.erf((e - MEAN) / (STD * math.sqrt(2)))) for e in edges]
    return torch.tensor(cdf, dtype=torch.float64).diff()

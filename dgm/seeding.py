"""Reproducible randomness: one explicit generator a function, and one call for the global streams."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def generator(seed: int, device: str | torch.device = "cpu") -> torch.Generator:
    """A ``torch.Generator`` on ``device`` seeded with ``seed``: pass it to every function that draws."""
    import torch

    return torch.Generator(device=device).manual_seed(int(seed))


def seed_everything(seed: int) -> None:
    """Seed the global streams of ``random``, NumPy and torch (all devices).

    Needed for what takes no generator, above all the initial weights of ``torch.nn`` modules.
    """
    import numpy as np
    import torch

    random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)  # noqa: NPY002 - the global stream is the point
    torch.manual_seed(int(seed))

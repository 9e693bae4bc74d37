"""Seeded inputs for probes: the same numbers on every machine and device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch

T = TypeVar("T")
NUMPY = {
    torch.float32: np.float32, torch.float64: np.float64, torch.int32: np.int32, torch.int64: np.int64,
    torch.bool: np.bool_,
}


class Rng:
    """Draws test inputs from one seed.

    Numbers come from NumPy's PCG64 on the CPU and are then moved to ``device``, so that a GPU run sees the same
    inputs as a CPU run. Every method returns a fresh tensor.

    Args:
        seed: Not negative.
        device: Where the tensors and generators live.
    """

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self.seed = int(seed)
        self.device = device
        self.numpy = np.random.Generator(np.random.PCG64(self.seed))

    def _tensor(self, array: np.ndarray | float, dtype: torch.dtype) -> torch.Tensor:
        tensor = torch.from_numpy(np.asarray(array).astype(NUMPY[dtype]))  # much faster than `Tensor.to`
        return tensor if self.device == "cpu" else tensor.to(self.device)

    def normal(
        self, *shape: int, mean: float = 0.0, std: float = 1.0, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Gaussian tensor of the given shape."""
        return self._tensor(mean + std * self.numpy.standard_normal(shape), dtype)

    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Uniform tensor in [low, high)."""
        return self._tensor(self.numpy.uniform(low, high, shape), dtype)

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """int64 tensor with entries in low, ..., high - 1."""
        return self._tensor(self.numpy.integers(low, high, shape), torch.int64)

    def bernoulli(self, *shape: int, p: float = 0.5, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Zeros and ones."""
        return self._tensor(self.numpy.random(shape) < p, dtype)

    def simplex(self, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Probability vectors along the last axis, uniform on the simplex."""
        return self._tensor(self.numpy.dirichlet(np.ones(shape[-1]), shape[:-1]), dtype)

    def spd(self, dim: int, low: float = 0.3, high: float = 3.0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Symmetric positive definite (dim, dim) matrix with eigenvalues between ``low`` and ``high``."""
        basis, _ = np.linalg.qr(self.numpy.standard_normal((dim, dim)))
        values = np.exp(self.numpy.uniform(np.log(low), np.log(high), dim))
        matrix = (basis * values) @ basis.T
        return self._tensor((matrix + matrix.T) / 2, dtype)

    def permutation(self, n: int) -> torch.Tensor:
        """int64 permutation of 0, ..., n - 1."""
        return self._tensor(self.numpy.permutation(n), torch.int64)

    def integer(self, low: int, high: int) -> int:
        """One Python int in low, ..., high - 1."""
        return int(self.numpy.integers(low, high))

    def number(self, low: float = 0.0, high: float = 1.0) -> float:
        """One Python float in [low, high)."""
        return float(self.numpy.uniform(low, high))

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.numpy.integers(len(options)))]

    def generator(self) -> torch.Generator:
        """A fresh, seeded ``torch.Generator`` on the device, to pass to a student's random function."""
        return torch.Generator(device=self.device).manual_seed(int(self.numpy.integers(2**62)))

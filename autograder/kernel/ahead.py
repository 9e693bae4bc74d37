"""A pool of kernels that is opened before it is known whether it will be needed.

The warm parent takes as long to import torch as the grader itself; started first, it does so at the same time.
"""

from __future__ import annotations

import contextlib
from typing import Any

from autograder.kernel.pool import KernelPool
from autograder.kernel.types import SandboxError


class PoolAhead:
    """Opens a pool now, and hands it out when one with these options is asked for. Call it like `KernelPool`."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._pool: KernelPool | None = None
        with contextlib.suppress(SandboxError):  # whoever asks for it will be told
            self._pool = KernelPool(**options)

    def __call__(self, **options: Any) -> KernelPool:
        pool, self._pool = self._pool, None
        if pool is not None and options == self._options:
            return pool
        if pool is not None:
            pool.close()
        return KernelPool(**options)

    def __enter__(self) -> PoolAhead:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool is not None:
            self._pool.close()

"""Shuffled minibatches, in ten lines instead of a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


def batches(
    x: Tensor | Sequence[Tensor], batch_size: int, generator: torch.Generator | None, drop_last: bool = False,
    steps: int | None = None,
) -> Iterator[Any]:
    """Minibatches of ``x``: one shuffled pass, or exactly ``steps`` batches over as many passes as that takes.

    Args:
        x: A tensor (N, ...), or a tuple or list of tensors with the same N, which are shuffled together.
        batch_size: Of every batch but perhaps a pass's last one.
        generator: Source of the order, drawn anew for each pass; None keeps the given order.
        drop_last: Leave out a last batch that is smaller than ``batch_size``.
        steps: How many batches; None for one pass.

    Yields:
        A tensor, or a tuple of tensors if ``x`` was several.

    Raises:
        ValueError: Lengths differ, ``x`` is empty, or ``drop_last`` would leave nothing.
    """
    single = isinstance(x, Tensor)
    tensors: tuple[Tensor, ...] = (x,) if isinstance(x, Tensor) else tuple(x)
    sizes = {len(t) for t in tensors}
    if len(sizes) != 1:
        raise ValueError(f"tensors of different lengths: {[len(t) for t in tensors]}")
    n = sizes.pop()
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    end = n - n % batch_size if drop_last else n
    if end == 0:
        raise ValueError(f"no batch: {n} items, batch_size {batch_size}, drop_last {drop_last}")
    return _iterate(tensors, single, n, end, batch_size, generator, steps)


def _iterate(
    tensors: tuple[Tensor, ...], single: bool, n: int, end: int, batch_size: int,
    generator: torch.Generator | None, steps: int | None,
) -> Iterator[Any]:
    done = 0
    while steps is None or done < steps:  # before the order of a pass is drawn that nobody needs
        order = None
        if generator is not None:
            order = torch.randperm(n, generator=generator, device=generator.device).to(tensors[0].device)
        for start in range(0, end, batch_size):
            if done == steps:
                return
            stop = min(start + batch_size, end)
            index = slice(start, stop) if order is None else order[start:stop]
            batch = tuple(t[index] for t in tensors)
            yield batch[0] if single else batch
            done += 1
        if steps is None:
            return

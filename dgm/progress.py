"""A progress line for training loops, without dependencies."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Generic, TextIO, TypeVar

from dgm.frontend import grading, ipython

T = TypeVar("T")

_MIN_INTERVAL = 0.25  # seconds between two updates of the line
_MAX_WIDTH = 110  # characters; a longer line is cut so that it does not wrap


def progress(
    iterable: Iterable[T] | int, total: int | None = None, every: int | None = None, desc: str = ""
) -> Progress[T]:
    """Iterate and show step, rate, time left and the latest metrics on one line::

        bar = dgm.progress(range(steps), desc="train")
        for step in bar:
            ...
            bar.set(loss=loss)

    In a terminal or a notebook the line is redrawn in place. Elsewhere, and with ``DGM_GRADING=1``, one line is
    written at the end. Writes to standard output.

    Args:
        iterable: Anything to iterate; an int means ``range(int)``.
        total: Number of items, taken from ``len(iterable)`` when it has one.
        every: Redraw only after multiples of this many items (and never more than 4 times a second).
        desc: What the line begins with.
    """
    items: Iterable[Any] = range(iterable) if isinstance(iterable, int) else iterable
    return Progress(items, total=total, every=every, desc=desc)


class Progress(Generic[T]):
    """The iterator that :func:`progress` returns."""

    def __init__(
        self, iterable: Iterable[T], total: int | None = None, every: int | None = None, desc: str = "",
        stream: TextIO | None = None, live: bool | None = None,
    ) -> None:
        if every is not None and every < 1:
            raise ValueError(f"every must be at least 1, got {every}")
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        self.iterable = iterable
        self.total = total
        self.every = every
        self.desc = desc
        self.step = 0
        self._stream = stream
        self._live = _is_live(stream or sys.stdout) if live is None else live
        self._metrics: dict[str, Any] = {}
        self._start = time.perf_counter()
        self._last_draw = self._start
        self._width = 0

    def set(self, **metrics: Any) -> None:
        """Remember metrics to show. Tensors are read only when the line is drawn, so the GPU is not made to wait."""
        for name, value in metrics.items():
            self._metrics[name] = value.detach() if hasattr(value, "detach") else value

    def __len__(self) -> int:
        if self.total is None:
            raise TypeError("this progress has no known length")
        return self.total

    def __iter__(self) -> Iterator[T]:
        self.step = 0
        self._start = time.perf_counter()
        self._last_draw = self._start
        try:
            for item in self.iterable:
                yield item
                self.step += 1
                self._maybe_draw()
        finally:
            self._finish()

    def _maybe_draw(self) -> None:
        if not self._live or (self.every is not None and self.step % self.every):
            return
        now = time.perf_counter()
        if now - self._last_draw >= _MIN_INTERVAL:
            self._last_draw = now
            self._write("\r" + self._pad(self._line(now - self._start)))

    def _finish(self) -> None:
        line = self._line(time.perf_counter() - self._start, final=True)
        self._write(("\r" + self._pad(line) if self._live else line) + "\n")

    def _line(self, seconds: float, final: bool = False) -> str:
        rate = self.step / seconds if seconds > 0 else 0.0
        of = f"/{self.total}" if self.total is not None else ""
        head = f"{self.desc}: " if self.desc else ""
        parts = [f"{head}{self.step}{of}", _format_rate(rate)]
        if final:
            parts.append(f"in {_format_seconds(seconds)}")
        elif self.total is not None and rate > 0:
            parts.append(f"{_format_seconds((self.total - self.step) / rate)} left")
        parts.extend(_format_metrics(self._metrics))
        return "  ".join(parts)[:_MAX_WIDTH]

    def _pad(self, line: str) -> str:
        padded = line.ljust(self._width)
        self._width = len(line)
        return padded

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()


def _is_live(stream: TextIO) -> bool:
    if grading():
        return False
    return hasattr(ipython(), "kernel") or bool(getattr(stream, "isatty", lambda: False)())


def _format_rate(rate: float) -> str:
    if rate >= 100:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 or rate == 0 else f"{1 / rate:.1f} s each"


def _format_seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def _format_metrics(metrics: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, value in metrics.items():
        if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
            value = value.item()
        parts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
    return parts

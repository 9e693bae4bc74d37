"""Progress of a long run: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from autograder.results.model import GRADED, SubmissionResult
from autograder.results.summary import score_text

Advance = Callable[[SubmissionResult, bool], None]


@contextmanager
def progress(console: Console, total: int) -> Iterator[Advance]:
    """A function to call with each finished result and whether it was reused."""
    yield from (_bar(console, total) if console.is_terminal else _lines(console, total))


def _bar(console: Console, total: int) -> Iterator[Advance]:
    columns = (
        TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, rate="")
        rate = _Rate()

        def advance(result: SubmissionResult, reused: bool) -> None:
            rate.count(reused)
            bar.update(task, advance=1, rate=rate.text())
            if result.status != GRADED:
                bar.console.print(Text(f"{result.student}: {result.problem}"))

        yield advance


def _lines(console: Console, total: int) -> Iterator[Advance]:
    rate = _Rate()
    done = 0

    def advance(result: SubmissionResult, reused: bool) -> None:
        nonlocal done
        done += 1
        rate.count(reused)
        score = score_text(result) if result.status == GRADED else result.problem
        text = f"[{done}/{total}] {result.student}: {score}"
        text += " (as before)" if reused and result.status == GRADED else ""
        left = rate.left(total - done)
        console.print(Text(text + (f"  {rate.text()}, {left} left" if left else "")), soft_wrap=True)

    yield advance


class _Rate:
    """Submissions a minute, of those that were really graded."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._graded = 0

    def count(self, reused: bool) -> None:
        if self._graded == 0 and reused:
            self._start = time.monotonic()
        self._graded += not reused

    def _per_second(self) -> float:
        return self._graded / max(time.monotonic() - self._start, 1e-6)

    def text(self) -> str:
        return f"{60 * self._per_second():.1f}/min" if self._graded else ""

    def left(self, count: int) -> str:
        if not self._graded or count <= 0:
            return ""
        seconds = round(count / self._per_second())
        return f"{seconds // 60}:{seconds % 60:02d}"

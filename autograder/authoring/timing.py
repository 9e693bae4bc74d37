"""Measures what cells take to run, and compares it with what the `Question` says."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil

from autograder.authoring.cells import notebook_cells
from autograder.probes.load import ProblemSet

MARGIN_SECONDS = 5.0


class CellClock:
    """The time of one cell in a kernel: on the wall, or the processor's where that is less, as on a busy machine."""

    def __init__(self, pid: int) -> None:
        self._kernel = psutil.Process(pid)
        self._began = self._now()

    def _now(self) -> tuple[float, float]:
        used = self._kernel.cpu_times()
        return time.perf_counter(), used.user + used.system

    def seconds(self) -> float:
        """Since it was made."""
        return min(now - began for now, began in zip(self._now(), self._began, strict=True))


def slow_questions(problem_set: ProblemSet, seconds: Mapping[str, float]) -> list[str]:
    """Those that took more than twice the declared time and `MARGIN_SECONDS`, a sentence each.

    Args:
        problem_set: what was executed.
        seconds: of each cell of the notebook in the ``cpu`` profile, by the cell's id.
    """
    found = []
    placed = notebook_cells(problem_set)
    for question in problem_set.questions:
        taken = sum(seconds.get(item.id, 0.0) for item in placed if item.cell.section == question.id)
        if taken > 2 * question.run_seconds + MARGIN_SECONDS:
            found.append(
                f"{question.id} took {taken:.0f} s in the cpu profile, but its Question says "
                f"run_seconds={question.run_seconds:g}"
            )
    return found

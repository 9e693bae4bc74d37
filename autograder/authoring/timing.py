"""Compares what a question's cells took to run with what its `Question` says."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.authoring.cells import notebook_cells
from autograder.probes.load import ProblemSet

MARGIN_SECONDS = 5.0


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

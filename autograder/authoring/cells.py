"""Names and metadata of the cells: stable ids, our roles, nbgrader's grading metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.probes.load import ProblemSet
from autograder.probes.source import Cell

SCHEMA = 3  # of nbgrader's cell metadata


@dataclass(frozen=True)
class NotebookCell:
    """A source cell with its id in the notebook and nbgrader's flags for it."""

    cell: Cell
    id: str
    nbgrader: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The cell in words, for error messages."""
        return f"{self.cell.where} (cell {self.id})"


def notebook_cells(problem_set: ProblemSet) -> list[NotebookCell]:
    """Every source cell with an id such as ``q3-answer-1``: its section, its role, and its number among those.

    An edit in one section leaves the ids of all others as they are.
    """
    points = graded_cells(problem_set)
    counts: dict[str, int] = {}
    placed = []
    for cell in problem_set.source.cells:
        stem = f"{cell.section}-{_word(cell)}"
        counts[stem] = counts.get(stem, 0) + 1
        id = f"{stem}-{counts[stem]}"
        placed.append(NotebookCell(cell, id, _nbgrader(cell, id, points)))
    return placed


def _word(cell: Cell) -> str:
    return "text" if cell.kind == "markdown" and cell.role == "demo" else cell.role


def graded_cells(problem_set: ProblemSet) -> dict[str, float]:
    """nbgrader's grade cells: id -> points. All test points of a question sit on its last check cell
    (``q3-check-1``, as a rule); points for written parts are shared equally by its written cells."""
    points: dict[str, float] = {}
    for question in problem_set.questions:
        cells = [cell for cell in problem_set.source.cells if cell.question == question.id]
        checks = [cell for cell in cells if cell.role == "check"]
        if checks:
            points[f"{question.id}-check-{len(checks)}"] = question.points
        written = [cell for cell in cells if cell.role == "written"]
        for number in range(1, len(written) + 1):
            points[f"{question.id}-written-{number}"] = question.manual_points / len(written)
    return points


def _nbgrader(cell: Cell, id: str, points: dict[str, float]) -> dict[str, Any]:
    if cell.role == "answer":
        return {"grade": False, "solution": True, "locked": False}
    if cell.role == "written":
        return {"grade": True, "solution": True, "locked": False, "points": whole(points[id])}
    if cell.role == "check" and id in points:
        return {"grade": True, "solution": False, "locked": True, "points": whole(points[id])}
    if cell.role == "check":
        return {"grade": False, "solution": False, "locked": True}
    return {}


def nbgrader_metadata(id: str, flags: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata for a cell; the id of the cell is its grade id too."""
    return {"grade_id": id, "schema_version": SCHEMA, "task": False, **flags}


def whole(value: float) -> float | int:
    """2.0 as 2, so that points look the same however they were computed."""
    return int(value) if float(value).is_integer() else float(value)

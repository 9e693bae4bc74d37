"""How long a question takes: one rule, computed from its cells, so that it cannot drift from the text.

    minutes = words / 130
            + 4 for each function or class that the student writes
            + 1.5 for each line of their solutions
            + 10 for each written part
            + the running time of the question's cells in the `cpu` profile
            + the minutes of work of one's own, which no cell shows: an open question's experiment

Words are what stands between blanks in the Markdown that students read (a model answer is not) and in the docstrings
of the code. Lines are those inside solution regions that are not blank. The running time is what the `Question` says
(``run_seconds``); the build measures it and tells when it is far more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.probes.names import Function
from autograder.probes.solutions import regions, without_solutions
from autograder.probes.source import HEADING, Cell

WORDS_A_MINUTE = 130
MINUTES_A_FUNCTION = 4.0
MINUTES_A_LINE = 1.5
MINUTES_A_WRITTEN_PART = 10.0
ROUNDED_TO = 5


@dataclass(frozen=True)
class Effort:
    """What a student has to read, write and wait for."""

    words: int = 0
    functions: int = 0
    lines: int = 0
    written_parts: int = 0
    seconds: float = 0.0
    own: float = 0.0

    @property
    def minutes(self) -> float:
        """The time that it takes, by the rule of this module."""
        writing = MINUTES_A_FUNCTION * self.functions + MINUTES_A_LINE * self.lines
        written = MINUTES_A_WRITTEN_PART * self.written_parts
        return self.words / WORDS_A_MINUTE + writing + written + self.seconds / 60 + self.own

    @property
    def rounded_minutes(self) -> int:
        """The time for a heading."""
        return max(ROUNDED_TO, ROUNDED_TO * round(self.minutes / ROUNDED_TO))

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            self.words + other.words, self.functions + other.functions, self.lines + other.lines,
            self.written_parts + other.written_parts, self.seconds + other.seconds, self.own + other.own,
        )


def effort_of(cells: Iterable[Cell], run_seconds: float = 0.0, own_minutes: float = 0.0) -> Effort:
    """The effort of some cells, without composed headings, and of what no cell shows.

    Raises:
        UserError: a solution is badly marked.
    """
    return sum((_of_cell(cell) for cell in cells if cell.role != HEADING), Effort(seconds=run_seconds, own=own_minutes))


def _of_cell(cell: Cell) -> Effort:
    shown = without_solutions(cell.text, cell.where, "" if cell.kind == "markdown" else "pass")
    if cell.kind == "markdown":
        return Effort(words=len(shown.split()), written_parts=int(cell.role == "written"))
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(shown)) if isinstance(node, Function)]
    words = sum(len(text.split()) for text in docstrings)
    if cell.role != "answer":
        return Effort(words=words)
    solution = "\n".join(region.text for region in regions(cell.text, cell.where))
    return Effort(words, len(cell.tasks), sum(bool(line.strip()) for line in solution.split("\n")))

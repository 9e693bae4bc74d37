"""The cells of a problem set: reads the files of cells, each a jupytext percent script.

Cells carry a role as metadata, for example ``# %% role="answer"``; in a question's ``cells.py`` the cells of the roles
answer, check and written are that question's.

==========  ==================================================================================================
role        meaning
==========  ==================================================================================================
setup       imports and settings; part of every namespace
given       code that the student is given and answers or probes may use; part of every namespace
answer      the student's task; solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``
check       the public check of a question
written     a written answer in Markdown, graded by a person
demo        everything else: figures, training runs, text. The default.
heading     a question's heading; composed (`autograder.probes.headings`), never written by an author
==========  ==================================================================================================
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from autograder.errors import UserError
from autograder.jupyter import quick_jupyter
from autograder.probes.names import defined
from autograder.probes.solutions import tasks

ROLES = ("setup", "given", "answer", "check", "written", "demo")
HEADING = "heading"
DEFINING_ROLES = ("setup", "given", "answer")
OF_A_QUESTION = ("answer", "check", "written")
CELL_START = re.compile(r"^# %%")
TOP, END = "top", "end"  # the sections before and after the questions


@dataclass(frozen=True)
class Cell:
    """A cell: ``kind`` is code or markdown; ``question`` is set for answer, check and written.

    ``index`` counts the cells of the whole set, ``where`` is file and line, and ``section`` the id of the question in
    whose part of the notebook the cell stands, or `TOP` or `END`.
    """

    kind: str
    role: str
    text: str
    question: str | None
    index: int
    where: str = ""
    section: str = TOP

    @cached_property
    def defines(self) -> tuple[str, ...]:
        """Top-level names that the cell binds, imports left out."""
        return tuple(defined(self.text)) if self.kind == "code" else ()

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The functions and classes that the student writes here."""
        return tasks(self.text, self.where) if self.kind == "code" and self.role == "answer" else ()


@dataclass(frozen=True)
class Source:
    """All cells of an assignment, in order."""

    cells: tuple[Cell, ...]

    def answers(self, question: str) -> list[Cell]:
        """The answer cells of one question."""
        return [cell for cell in self.cells if cell.role == "answer" and cell.question == question]

    def names(self, question: str) -> tuple[str, ...]:
        """The names a student must define for one question."""
        return tuple(name for cell in self.answers(question) for name in cell.defines)

    def tasks(self, question: str) -> tuple[str, ...]:
        """The functions and classes that a student writes for one question."""
        return tuple(name for cell in self.answers(question) for name in cell.tasks)

    def owner(self, name: str) -> str | None:
        """The question that asks for ``name``."""
        for cell in self.cells:
            if cell.role == "answer" and name in cell.defines:
                return cell.question
        return None

    @property
    def defining(self) -> list[Cell]:
        """The code cells that make up a namespace: setup, given, answer."""
        return [cell for cell in self.cells if cell.kind == "code" and cell.role in DEFINING_ROLES]

    @classmethod
    def numbered(cls, cells: list[Cell]) -> Source:
        """The cells in this order, each with its index."""
        return cls(tuple(replace(cell, index=index) for index, cell in enumerate(cells)))


def read_cells(path: Path, question: str | None) -> list[Cell]:
    """Parse a percent script.

    Args:
        path: the file.
        question: whose cells they are; None for the cells outside of the questions.

    Raises:
        UserError: the file cannot be read, or a cell's role or code is not valid.
    """
    quick_jupyter()
    import jupytext  # slow to import, and only needed here

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}).") from None
    starts = [number for number, line in enumerate(text.split("\n"), 1) if CELL_START.match(line)]
    raw_cells = jupytext.reads(text, fmt="py:percent").cells
    if len(raw_cells) != len(starts):
        raise UserError(f"{path}: every cell begins with a line `# %%`, also the first one.")
    return [_cell(raw, path, line, question) for raw, line in zip(raw_cells, starts, strict=True)]


def _cell(raw: object, path: Path, line: int, question: str | None) -> Cell:
    metadata, text, kind = raw.metadata, raw.source, raw.cell_type  # type: ignore[attr-defined]
    where = f"{path}, line {line}"
    role = metadata.get("role", "demo")
    if role not in ROLES:
        raise UserError(f"{where}: role {role!r} is not one of {', '.join(ROLES)}.")
    if role in OF_A_QUESTION and question is None:
        raise UserError(f"{where}: a cell of the role {role} belongs into a question's folder.")
    if kind == "code":
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise UserError(f"{path}, line {line + (error.lineno or 1)}: {error.msg}.") from None
    return Cell(kind, role, text, question if role in OF_A_QUESTION else None, 0, where)

"""Reads ``source.py``, the one file that a problem set's notebook is written in.

It is a jupytext percent script. Cells carry a role as metadata: ``# %% role="answer" question="q1"``.

==========  ==================================================================================================
role        meaning
==========  ==================================================================================================
setup       imports and settings; part of every namespace
given       code that the student is given and answers or probes may use; part of every namespace
answer      the student's task (needs ``question``); solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``
check       the public check of a question (needs ``question``)
written     a written answer in Markdown (needs ``question``), graded by a person
demo        everything else: figures, training runs, text. The default.
==========  ==================================================================================================
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.errors import UserError
from autograder.jupyter import quick_jupyter

ROLES = ("setup", "given", "answer", "check", "written", "demo")
DEFINING_ROLES = ("setup", "given", "answer")


@dataclass(frozen=True)
class Cell:
    """A cell of the source: ``kind`` is code or markdown; ``question`` is set for answer, check and written."""

    kind: str
    role: str
    text: str
    question: str | None
    index: int

    @cached_property
    def defines(self) -> tuple[str, ...]:
        """Top-level names that the cell binds."""
        names: list[str] = []
        for node in ast.parse(self.text).body if self.kind == "code" else []:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.append(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names += [leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)]
        return tuple(names)


@dataclass(frozen=True)
class Source:
    """All cells of a problem set, in order; ``text`` is the file, which need not be there any more."""

    path: Path
    text: str
    cells: tuple[Cell, ...]

    def answers(self, question: str) -> list[Cell]:
        """The answer cells of one question."""
        return [cell for cell in self.cells if cell.role == "answer" and cell.question == question]

    def names(self, question: str) -> tuple[str, ...]:
        """The names a student must define for one question."""
        return tuple(name for cell in self.answers(question) for name in cell.defines)

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


def read_source(path: Path) -> Source:
    """Parse a percent script. Raises `UserError` when a cell's role or code is not valid."""
    quick_jupyter()
    import jupytext  # slow to import, and only needed here

    if not path.is_file():
        raise UserError(f"{path} does not exist; a problem set's folder holds a source.py.")
    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    cells = []
    for index, raw in enumerate(notebook.cells):
        role = raw.metadata.get("role", "demo")
        question = raw.metadata.get("question")
        if role not in ROLES:
            raise UserError(f"{path}, cell {index}: role {role!r} is not one of {', '.join(ROLES)}.")
        if (role in ("answer", "check", "written")) != (question is not None):
            raise UserError(f"{path}, cell {index}: answer, check and written cells, and only they, name a question.")
        if raw.cell_type == "code":
            try:
                ast.parse(raw.source)
            except SyntaxError as error:
                raise UserError(f"{path}, cell {index}, line {error.lineno}: {error.msg}.") from None
        cells.append(Cell(raw.cell_type, role, raw.source, question, index))
    return Source(path, text, tuple(cells))

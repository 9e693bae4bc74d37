"""Puts the cells of an assignment together: opening, the questions of its outline, closing.

An outline may leave questions out. What the chosen ones need of these comes as given code, at the first place that
needs it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import UserError
from autograder.probes.headings import label
from autograder.probes.modules import SetModules
from autograder.probes.names import answers_named, globals_of
from autograder.probes.outline import OutlineContent
from autograder.probes.solutions import without_markers
from autograder.probes.source import END, TOP, Cell, Source, read_cells
from autograder.sets import ALTERNATIVES, MISTAKES, PROBES, SetFolder
from dgm.checks.words import listed

OF_THE_NOTEBOOK = ("grader", "get_ipython", "display")
NOTE = (
    "**Given.** This code answers {questions}, which {verb} not part of this assignment. Nothing is to be done here."
)


def compose(folder: SetFolder, content: OutlineContent, modules: SetModules) -> Source:
    """All cells of the assignment, in order, but for the questions' headings.

    Raises:
        UserError: a file is missing or not valid, or two questions ask for the same name.
    """
    opening, closing = (_part(folder.part(name)) for name in (content.opening, content.closing))
    chosen = {id: read_cells(folder.cells(folder.questions[id]), id) for id in content.questions}
    given = _Given.of_absent(folder, content)
    cells = _in_section(TOP, opening)
    for number, (id, own) in enumerate(chosen.items()):
        if given.cells:  # what is wanted matters only as long as something is left out
            wanted = _wanted(own, modules, folder.questions[id])
            if number == 0:
                wanted |= _wanted(opening, modules, None)
            own = _with_given(own, given.take(wanted))
        cells += _in_section(id, own)
    cells += _in_section(END, _with_given(closing, given.take(_wanted(closing, modules, None))))
    _refuse_clashes(cells)
    return Source.numbered(cells)


def _part(path: Path) -> list[Cell]:
    """The cells of the opening or closing; a set need not have one."""
    return read_cells(path, None) if path.is_file() else []


def _in_section(section: str, cells: list[Cell]) -> list[Cell]:
    return [replace(cell, section=section) for cell in cells]


def _wanted(cells: list[Cell], modules: SetModules, folder_name: str | None) -> set[str]:
    """The names that these cells look up, and for a question those that its modules speak of."""
    names: set[str] = set()
    for cell in cells:
        if cell.kind == "code":
            names |= globals_of(cell.text)[0]
    if folder_name is None:
        return names
    own = [f"{folder_name}.{kind}" for kind in (PROBES, MISTAKES, ALTERNATIVES)]
    for name in modules.imported(*(name for name in own if modules.exists(name))):
        tree = modules.tree(name)
        names |= answers_named(tree)
        uses = [leaf.value for leaf in ast.walk(tree) if isinstance(leaf, ast.keyword) and leaf.arg == "uses"]
        names |= {str(leaf.value) for use in uses for leaf in ast.walk(use) if isinstance(leaf, ast.Constant)}
    return names


@dataclass
class _Given:
    """The defining cells of the questions that are left out; each is taken once."""

    cells: list[tuple[str, Cell]]

    @classmethod
    def of_absent(cls, folder: SetFolder, content: OutlineContent) -> _Given:
        absent = [id for id in folder.questions if id not in content.questions]
        return cls([
            (id, cell) for id in absent for cell in read_cells(folder.cells(folder.questions[id]), id)
            if cell.kind == "code" and cell.role in ("given", "answer")
        ])

    def take(self, wanted: set[str]) -> list[tuple[str, Cell]]:
        """The cells that define wanted names, with those that these need, in order."""
        taken: list[tuple[str, Cell]] = []
        names = set(wanted)
        while more := [item for item in self.cells if item not in taken and names.intersection(item[1].defines)]:
            taken += more
            names = names.union(*(globals_of(cell.text)[0] for _, cell in more))
        in_order = [item for item in self.cells if item in taken]
        self.cells = [item for item in self.cells if item not in taken]
        return in_order


def _with_given(own: list[Cell], given: list[tuple[str, Cell]]) -> list[Cell]:
    """A question's cells with given code below its first text."""
    if not given:
        return own
    numbers = list(dict.fromkeys(label(id) for id, _ in given))
    text = NOTE.format(questions=listed(numbers), verb="are" if len(numbers) > 1 else "is")
    note = Cell("markdown", "demo", text, None, 0, given[0][1].where)
    code = [replace(cell, role="given", question=None, text=without_markers(cell.text)) for _, cell in given]
    head = 1 if own and own[0].kind == "markdown" else 0
    return [*own[:head], note, *code, *own[head:]]


def _refuse_clashes(cells: list[Cell]) -> None:
    """Two questions must not ask for the same name: nobody could tell whose answer it is."""
    first: dict[str, Cell] = {}
    for cell in cells:
        for name in cell.defines if cell.role == "answer" else ():
            other = first.setdefault(name, cell)
            if other.question != cell.question:
                raise UserError(
                    f"{cell.where}: {cell.question} asks for {name}, as {other.question} does ({other.where})."
                )


def undefined_names(source: Source, without: Collection[str] = ()) -> list[str]:
    """Names that a cell looks up and no cell of the assignment binds, one sentence each.

    In an outline that leaves questions out these are names of their figures and training runs. The parts of the
    notebook in ``without`` are not looked at.
    """
    scopes = [(cell, *globals_of(cell.text)) for cell in source.cells if cell.kind == "code"]
    known = {*vars(builtins), *OF_THE_NOTEBOOK}.union(*(binds for _, _, binds in scopes))
    return [
        f"{cell.where}: {name} is defined nowhere in this assignment. If it is made in a figure or training run of a "
        "question that is left out, keep that question, or leave this one out too."
        for cell, looked_up, _ in scopes
        if cell.section not in without
        for name in sorted(looked_up - known)
    ]

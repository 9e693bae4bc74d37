"""Where everything of a problem set lies. No other module spells out these paths.

::

    ps1_simple_models/
        ps1.toml                the outline, and any other beside it: each is an assignment
        opening.py closing.py   cells before and after the questions
        shared/                 what several questions import
        q03_mixture_em/         cells.py probes.py mistakes.py alternatives.py test_reference.py
        ps1.ipynb ps1_solution.ipynb    generated
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.errors import UserError

QUESTION_FOLDER = re.compile(r"q(\d+)_\w+")
CELLS, PROBES, MISTAKES, ALTERNATIVES = "cells", "probes", "mistakes", "alternatives"
SHARED = "shared"
TEST = "test_reference.py"


def question_id(folder_name: str) -> str | None:
    """``q3`` for ``q03_mixture_em``; None for a folder that is no question's."""
    match = QUESTION_FOLDER.fullmatch(folder_name)
    return f"q{int(match[1])}" if match else None


@dataclass(frozen=True)
class SetFolder:
    """The folder of a problem set, which may hold several outlines."""

    path: Path

    @property
    def short_name(self) -> str:
        """``ps1`` for ``ps1_simple_models``: the name of the set's own outline."""
        return self.path.name.split("_")[0]

    @cached_property
    def questions(self) -> dict[str, str]:
        """The name of each question's folder by its id, in order. Raises `UserError` for two with one id."""
        found: dict[str, str] = {}
        for path in sorted(self.path.glob("q*_*/")):
            id = question_id(path.name)
            if id in found:
                raise UserError(
                    f"{self.path / found[id]} and {path} are both question {id}: give one of them another number."
                )
            if id is not None:
                found[id] = path.name
        return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))

    def find(self, name: str) -> str | None:
        """The id of the question that is meant by an id or by the name of a folder; None if there is none."""
        id = name if name in self.questions else question_id(name)
        return id if id in self.questions and name in (id, self.questions[id]) else None

    def outlines(self) -> list[Outline]:
        """All outlines, the set's own first."""
        names = sorted(path.stem for path in self.path.glob("*.toml"))
        return [Outline(self, name) for name in sorted(names, key=lambda name: name != self.short_name)]

    def part(self, name: str) -> Path:
        """A file of cells outside of the questions, such as ``opening.py``."""
        return self.path / name

    def cells(self, folder: str) -> Path:
        return self.path / folder / f"{CELLS}.py"

    def module(self, name: str) -> Path:
        """The file of a module named from the set's folder, such as ``q03_mixture_em.probes`` or ``shared.nets``."""
        base = self.path.joinpath(*name.split("."))
        return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

    def is_code(self, name: str) -> bool:
        """Whether a module or package of this name belongs to the set: all that is in `trusted_files`, and no more."""
        top = name.partition(".")[0]
        return top in ("", SHARED) or question_id(top) is not None

    def test(self, folder: str) -> Path:
        return self.path / folder / TEST

    def question_files(self, id: str) -> list[Path]:
        """All Python files of a question."""
        return sorted((self.path / self.questions[id]).glob("*.py"))

    def trusted_files(self) -> list[Path]:
        """Every file that can decide about a result, in order: for bundles and for telling whether one has changed."""
        return sorted([
            *self.path.glob("*.toml"), *self.path.glob("*.py"), *(self.path / SHARED).rglob("*.py"),
            *(path for path in self.path.glob("q*_*/**/*.py") if not path.name.startswith("test_")),
        ])

    def cells_text(self) -> str:
        """All files of cells as one text, to see which packages they mention."""
        paths = [*self.path.glob("*.py"), *(self.cells(name) for name in self.questions.values())]
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths) if path.is_file())


@dataclass(frozen=True)
class Outline:
    """One assignment: a file ``NAME.toml`` in a problem set's folder. It need not have been read."""

    folder: SetFolder
    name: str

    @property
    def path(self) -> Path:
        return self.folder.path / f"{self.name}.toml"

    @property
    def student_notebook(self) -> Path:
        return self.folder.path / f"{self.name}.ipynb"

    @property
    def solution_notebook(self) -> Path:
        return self.folder.path / f"{self.name}_solution.ipynb"


def set_folders(root: Path) -> list[SetFolder]:
    """The problem sets of a course: the folders below ``root`` that hold an outline of their own."""
    folders = (SetFolder(path) for path in sorted(root.glob("*/")))
    return [folder for folder in folders if Outline(folder, folder.short_name).path.is_file()]


def all_outlines(root: Path) -> list[Outline]:
    """All assignments of a course."""
    return [outline for folder in set_folders(root) for outline in folder.outlines()]


def trusted_files(root: Path) -> list[Path]:
    """Every file of any problem set of a course that can decide about a result."""
    return [path for folder in set_folders(root) for path in folder.trusted_files()]


def find_outline(name: str | Path, root: Path) -> Outline:
    """The assignment that is meant by ``ps1``, ``ps1_simple_models``, or the path of a folder or an outline.

    Raises:
        UserError: there is none, or two of that name.
    """
    direct = outline_at(Path(name))
    if direct is not None:
        return direct
    known = all_outlines(root)
    own = [outline for outline in known if outline.name == outline.folder.short_name]
    matches = [outline for outline in known if outline.name == str(name)]
    matches = matches or [outline for outline in own if outline.folder.path.name == str(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UserError(f"{name} is the name of two outlines: {', '.join(str(match.path) for match in matches)}.")
    names = ", ".join(outline.name for outline in known) or "none"
    raise UserError(f"There is no problem set {str(name)!r} here. Known: {names}.")


def outline_at(path: Path) -> Outline | None:
    """The outline that a path names: its file, or the folder of the set. None if there is nothing of the kind."""
    if path.suffix == ".toml" and path.is_file():
        return Outline(SetFolder(path.resolve().parent), path.stem)
    folder = SetFolder(path.resolve())
    outline = Outline(folder, folder.short_name)
    return outline if outline.path.is_file() else None

"""Which problem set is a notebook's? Decided by the names its code defines, never by its name or metadata."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.probes.load import ProblemSet
from autograder.submissions.definitions import defined_names
from autograder.submissions.notebook import Notebook
from autograder.submissions.students import Naming


def names_of(notebook: Notebook) -> set[str]:
    """Top-level names that the code defines."""
    return {name for cell in notebook.cells for name in defined_names(cell.source)}


@dataclass(frozen=True)
class Matcher:
    """Knows the answers' names of one problem set, and of the others to say what a wrong notebook is."""

    name: str
    answers: frozenset[str]
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    naming: Naming = field(default_factory=lambda: Naming(""))

    def found(self, notebook: Notebook) -> int:
        """How many of the answers the notebook defines (as the student's work or as stubs)."""
        return len(self.answers & names_of(notebook))

    def problem(self, notebook: Notebook) -> str | None:
        """Why the notebook is not this problem set's, or None."""
        defined = names_of(notebook)
        mine = len(self.answers & defined)
        best, names = max(
            self.others.items(), key=lambda item: len(item[1] & defined), default=("", frozenset[str]())
        )
        theirs = len(names & defined)
        if mine and mine >= theirs:
            return None
        if theirs:
            return f"This looks like the notebook of {best}, not of {self.name}."
        return f"The notebook defines none of the answers of {self.name}."


def matcher_for(problem_set: ProblemSet, root: Path | None = None) -> Matcher:
    """The matcher of a loaded problem set; ``root`` is the course's folder, where the others are."""
    answers = frozenset(name for question in problem_set.questions for name in problem_set.source.names(question.id))
    folders = {path.parent.name.lower() for path in root.glob("*/source.py")} if root else set()
    generic = frozenset({*folders, problem_set.folder.name.lower()})
    others = {
        name: names - answers for name, names in answer_names(root, except_folder=problem_set.folder).items()
    } if root else {}
    return Matcher(problem_set.name, answers, others, Naming(problem_set.name, generic))


def answer_names(root: Path, except_folder: Path | None = None) -> dict[str, frozenset[str]]:
    """The answers' names of every problem set below ``root``, read without loading any of them."""
    found = {}
    for path in sorted(root.glob("*/source.py")):
        if except_folder is None or path.parent.resolve() != except_folder.resolve():
            found[path.parent.name.split("_")[0]] = _names(path)
    return found


def _names(path: Path) -> frozenset[str]:
    """Top-level definitions in the answer cells of a percent script; empty when it cannot be read."""
    try:
        cells = re.split(r"^# %%", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return frozenset()
    names: set[str] = set()
    for cell in cells:
        header, _, body = cell.partition("\n")
        if 'role="answer"' in header:
            names.update(_bound(body))
    return frozenset(names)


def _bound(body: str) -> Iterable[str]:
    try:
        return [node.name for node in ast.parse(body).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    except SyntaxError:
        return []


def find_problem_set(notebook: Notebook, root: Path) -> str | None:
    """The problem set that most of the notebook's names belong to; None when there is no single best one."""
    defined = names_of(notebook)
    counts = sorted(((len(names & defined), name) for name, names in answer_names(root).items()), reverse=True)
    if not counts or counts[0][0] == 0 or (len(counts) > 1 and counts[0][0] == counts[1][0]):
        return None
    return counts[0][1]

"""Which problem set is a notebook's? Decided by the names its code defines, never by its name or metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import UserError
from autograder.probes.compose import compose
from autograder.probes.load import ProblemSet
from autograder.probes.modules import SetModules
from autograder.probes.names import defined
from autograder.probes.outline import read_outline
from autograder.sets import Outline, all_outlines
from autograder.submissions.definitions import defined_names
from autograder.submissions.notebook import Notebook
from autograder.submissions.students import Naming


def names_of(notebook: Notebook) -> set[str]:
    """Top-level names that the code defines."""
    return {name for cell in notebook.cells for name in defined_names(cell.source)}


@dataclass(frozen=True)
class Matcher:
    """Knows the answers' names of one assignment, and of the others to say what a wrong notebook is.

    ``others`` are the names that another one asks for and this one neither asks for nor gives; ``siblings`` are those
    with questions of the same set.
    """

    name: str
    answers: frozenset[str]
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    siblings: frozenset[str] = frozenset()
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
        whole = best in self.siblings and 2 * theirs > len(names)  # most of what only the sibling asks for
        if mine and mine >= theirs and not whole:
            return None
        if theirs:
            return f"This looks like the notebook of {best}, not of {self.name}."
        return f"The notebook defines none of the answers of {self.name}."


def matcher_for(problem_set: ProblemSet, root: Path | None = None) -> Matcher:
    """The matcher of a loaded problem set; ``root`` is the course's folder, where the others are."""
    answers = frozenset(name for question in problem_set.questions for name in problem_set.source.names(question.id))
    outlines = all_outlines(root) if root else []
    generic = frozenset(outline.folder.path.name.lower() for outline in [*outlines, problem_set.outline])
    rest = [outline for outline in outlines if outline.path != problem_set.outline.path]
    given = {name for cell in problem_set.source.cells if cell.role == "given" for name in cell.defines}
    others = {outline.name: answer_names(outline) - answers - given for outline in rest}
    siblings = frozenset(outline.name for outline in rest if outline.folder.path == problem_set.outline.folder.path)
    return Matcher(problem_set.name, answers, others, siblings, Naming(problem_set.name, generic))


def answer_names(outline: Outline) -> frozenset[str]:
    """The answers' names of an assignment, read without loading it; none if it cannot be read."""
    try:
        content, folders = read_outline(outline), outline.folder.questions
    except UserError:
        return frozenset()
    return frozenset().union(*(_names(outline.folder.cells(folders[id])) for id in content.questions))


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
            with suppress(SyntaxError):
                names.update(defined(body))
    return frozenset(names)


def find_problem_set(notebook: Notebook, root: Path) -> str | None:
    """The assignment that the notebook's names fit best; None when there is no single best one.

    Outlines of one set share names, and what an outline leaves out may be in its notebook as given code. So the best
    is the one with the largest share of common names among its own and the notebook's (as far as any outline asks
    for these). Its own are also those of given code, which the notebook has if it has the very cell.
    """
    outlines = all_outlines(root)
    asked = [answer_names(outline) for outline in outlines]
    everything = frozenset().union(*asked)
    defined = names_of(notebook) & everything
    cells = {cell.source.strip() for cell in notebook.cells}
    fit: dict[str, tuple[float, int]] = {}
    for outline, answers in zip(outlines, asked, strict=True):
        given = {name: text for name, text in _given(outline).items() if name in everything - answers}
        kept = sum(text in cells for text in given.values())
        common = len(answers & defined) + kept
        fit[outline.name] = common / max(1, len(answers) + len(given) + len(defined)), kept
    best = [name for name, value in fit.items() if value[0] and value == max(fit.values())]
    return best[0] if len(best) == 1 else None


def _given(outline: Outline) -> dict[str, str]:
    """The given code of an outline that leaves questions out: the text of its cell by each name."""
    try:
        content = read_outline(outline)
        if len(content.questions) == len(outline.folder.questions):
            return {}
        source = compose(outline.folder, content, SetModules(outline.folder))
    except UserError:
        return {}
    return {name: cell.text.strip() for cell in source.cells if cell.role == "given" for name in cell.defines}

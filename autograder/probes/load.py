"""Loads a problem set: the cells of an outline, and its questions with their hidden tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.errors import UserError
from autograder.probes.compose import compose
from autograder.probes.edits import check_edits
from autograder.probes.extract import extract
from autograder.probes.headings import with_headings
from autograder.probes.modules import SetModules
from autograder.probes.outline import OutlineContent, read_outline
from autograder.probes.source import Source
from autograder.probes.spec import Alternatives, Mistakes, Probe, Question, Variants
from autograder.sets import ALTERNATIVES, MISTAKES, PROBES, SHARED, Outline, outline_at


@dataclass(frozen=True)
class ProblemSet:
    """An assignment that has been loaded: an outline of a problem set, with its cells and its questions.

    Nothing of it needs the files any more; ``cells_text`` is what they said.
    """

    outline: Outline
    content: OutlineContent
    source: Source
    questions: tuple[Question, ...]
    modules: SetModules
    cells_text: str = ""

    @property
    def name(self) -> str:
        """``ps1``: what students and results call it."""
        return self.outline.name

    @property
    def title(self) -> str:
        return self.content.title

    def question(self, id: str) -> Question:
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise UserError(f"{self.name} has no question {id!r}; it has {known}.")

    @cached_property
    def graded(self) -> tuple[Question, ...]:
        """The questions with something for the machine to grade; the others are read by a person alone."""
        return tuple(question for question in self.questions if question.probes)

    @property
    def points(self) -> float:
        """Points that count towards the total (without bonus)."""
        return sum(question.points for question in self.questions if not question.bonus)

    @property
    def shared_text(self) -> str:
        """The sources that all questions share, so far as they are used."""
        return self.modules.texts(f"{SHARED}.")


def load_problem_set(outline: Outline | Path) -> ProblemSet:
    """Read an assignment and execute the modules of its questions.

    Args:
        outline: the assignment, or the path of an outline or of a problem set's folder.

    Raises:
        UserError: something in it is not right: one sentence with file and line.
    """
    if isinstance(outline, Path):
        found = outline_at(outline)
        if found is None:
            raise UserError(f"{outline} holds no problem set: there is no outline (such as ps1.toml in ps1_topic).")
        outline = found
    content = read_outline(outline)
    modules = SetModules(outline.folder)
    source = compose(outline.folder, content, modules)
    with modules.executing():
        questions = [_question(modules, outline.folder.questions[id], id, content) for id in content.questions]
    source = with_headings(source, questions, outline.folder, content)
    earlier: set[str] = set()
    for question in questions:
        path = outline.folder.cells(outline.folder.questions[question.id])
        if not source.answers(question.id) and (question.probes or not question.manual_points):
            raise UserError(f"{path}: there is no answer cell (role=\"answer\").")
        where = modules.where(f"{outline.folder.questions[question.id]}.{PROBES}", "question")
        question.uses = _uses(question, source, earlier, where)
        _check_hints(question, source, where)
        earlier.add(question.id)
        check_edits(question, source)
    return ProblemSet(outline, content, source, tuple(questions), modules, outline.folder.cells_text())


def _known(modules: SetModules, name: str, says: str, module: str) -> str:
    """The id of the question that another one names."""
    id = modules.folder.find(name)
    if id is None:
        raise UserError(f"{modules.where(module, 'question')}: {says} {name}, but there is no such question.")
    return id


def _question(modules: SetModules, folder: str, id: str, content: OutlineContent) -> Question:
    """Execute a question's modules and put its parts together."""
    probes = f"{folder}.{PROBES}"
    question: Question = _object(modules, modules.execute(probes), probes, "question", Question)
    for number, probe in enumerate(question.probes):
        question.probes[number] = replace(probe, cut=cache(partial(_cut, modules, probes, probe)))
    question.id, question.bonus = id, id in content.optional
    if question.after:
        _known(modules, question.after, f"{id} comes after", probes)
    used = [_known(modules, name, f"{id} uses the figures of", probes) for name in question.figures_of]
    question.figures_of = tuple(used)
    question.mistakes = tuple(_variants(modules, folder, MISTAKES, Mistakes))
    question.alternatives = tuple(_variants(modules, folder, ALTERNATIVES, Alternatives))
    wrong = {mistake.id for mistake in question.mistakes}
    if both := next((right for right in question.alternatives if right.id in wrong), None):
        raise UserError(f"{both.where}: a mistake has the name {both.id}, too; give the alternative another one.")
    own = [name for kind in (PROBES, MISTAKES, ALTERNATIVES) if modules.exists(name := f"{folder}.{kind}")]
    mine = [name for name in modules.imported(*own) if not name.startswith(f"{SHARED}.")]
    question.text = "\n".join(map(modules.text, mine))
    return question


def _cut(modules: SetModules, module: str, probe: Probe) -> str:
    return extract(modules, module, probe.function.__name__, f"the probe {probe.id}")


def _variants(modules: SetModules, folder: str, kind: str, wanted: type[Variants[Any]]) -> Variants[Any]:
    """The mistakes or alternatives of a question; none if it has no such module."""
    name = f"{folder}.{kind}"
    return _object(modules, modules.execute(name), name, kind, wanted) if modules.exists(name) else wanted()


def _object(modules: SetModules, module: ModuleType, name: str, variable: str, kind: type[Any]) -> Any:
    found = getattr(module, variable, None)
    if not isinstance(found, kind):
        path = modules.folder.module(name)
        raise UserError(f"{path}: there must be a line `{variable} = {kind.__name__}(…)` at the top level.")
    return found


def _uses(question: Question, source: Source, earlier: set[str], where: str) -> tuple[str, ...]:
    """The declared names that earlier questions ask for; those that come as given code are left out."""
    given = {name for cell in source.cells if cell.role == "given" for name in cell.defines}
    for name in question.uses:
        if source.owner(name) not in earlier and name not in given:
            raise UserError(f"{where}: {question.id} uses {name}, which no earlier question asks for.")
    return tuple(name for name in question.uses if source.owner(name) in earlier)


def _check_hints(question: Question, source: Source, where: str) -> None:
    """Hints belong to functions or classes that the question asks for, and are lists of texts."""
    if not isinstance(question.hints, Mapping):
        raise UserError(f'{where}: hints must be a mapping, such as hints={{"logsumexp": ["a question", "a step"]}}.')
    asked = source.tasks(question.id)
    for name, hints in question.hints.items():
        if name not in asked:
            raise UserError(f"{where}: there are hints for {name}, but {question.id} asks for {', '.join(asked)}.")
        if not isinstance(hints, (list, tuple)) or not all(isinstance(hint, str) for hint in hints) or not hints:
            raise UserError(f'{where}: the hints for {name} must be a list of texts, such as ["a question", "a step"].')

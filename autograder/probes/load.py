"""Loads a problem set: its source, its questions with their hidden tests, and the namespaces made from them."""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from autograder.course import short_name
from autograder.errors import UserError
from autograder.probes.extract import extract
from autograder.probes.source import Source, read_source
from autograder.probes.spec import Probe, Question, current_module


@dataclass(frozen=True)
class ProblemSet:
    """One problem set. ``name`` is "ps1"; ``folder`` is ``ps1_simple_models``."""

    name: str
    folder: Path
    source: Source
    questions: tuple[Question, ...]

    def question(self, id: str) -> Question:
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise UserError(f"{self.name} has no question {id!r}; it has {known}.")

    @property
    def points(self) -> float:
        """Points that count towards the total (without bonus)."""
        return sum(question.points for question in self.questions if not question.bonus)

    @cached_property
    def student_notebook(self) -> Path:
        return self.folder / f"{self.name}.ipynb"

    @cached_property
    def solution_notebook(self) -> Path:
        return self.folder / f"{self.name}_solution.ipynb"


def load_problem_set(folder: Path) -> ProblemSet:
    """Read ``source.py`` and execute every ``hidden_tests/q*.py``."""
    source = read_source(folder / "source.py")
    questions: list[Question] = []
    paths = sorted((folder / "hidden_tests").glob("q*.py"), key=lambda path: (len(path.stem), path.stem))
    for path in paths:
        questions += load_questions(path)
    if not questions:
        raise UserError(f"{folder} has no hidden tests (hidden_tests/q1.py and so on).")
    earlier: set[str] = set()
    for question in questions:
        if not source.answers(question.id):
            raise UserError(f"{folder.name}: source.py has no answer cell for {question.id}.")
        for name in question.uses:
            if source.owner(name) not in earlier:
                raise UserError(f"{folder.name}: {question.id} uses {name}, which no earlier question asks for.")
        earlier.add(question.id)
    return ProblemSet(short_name(folder), folder, source, tuple(questions))


def load_questions(path: Path) -> list[Question]:
    """Execute one hidden test module and return its questions."""
    text = path.read_text(encoding="utf-8")
    name = f"_hidden_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling of judges look the module up by name
    linecache.checkcache(str(path))
    questions: list[Question] = []
    token = current_module.set(questions)
    try:
        spec.loader.exec_module(module)
    finally:
        current_module.reset(token)
    for question in questions:
        question.source = text
    return questions


_extract = cache(extract)  # every submission asks, and a whole module is parsed for one probe


def probe_source(question: Question, probe: Probe) -> str:
    """The text that is sent to a student's kernel for one probe."""
    return _extract(question.source, probe.name, f"{question.id}.{probe.name}")

"""What an author has still to do for a question before its proof means anything, and what the counts do not show."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.grading.referee import Referee
from autograder.probes.load import ProblemSet
from autograder.probes.names import answers_named, mentioned
from autograder.probes.spec import Mistake, Probe, Question
from autograder.proving.proof import NOTE, QuestionProof
from dgm.checks.asking import stopped
from dgm.checks.words import listed


def still_to_do(problem_set: ProblemSet, question: Question) -> list[str]:
    """One sentence for each thing that is missing. A note of the author's keeps the question from being proved."""
    found = []
    for path in problem_set.outline.folder.question_files(question.id):
        found += [f"{_short(path)}, line {number}: {text}" for number, text in _lines_with(path, NOTE)]
    found += _typed_heading(problem_set, question)
    asked = {name for probe in question.probes for name in mentioned(ast.parse(probe.source))}
    for name in problem_set.source.names(question.id):
        if name not in asked and not _used(problem_set, question, name):
            found.append(f"no probe asks for {name}.")
    tasks = problem_set.source.tasks(question.id)
    if without := [name for name in tasks if name not in question.hints]:
        found.append(f"there are no hints for {listed(without)}.")
    public = [probe for probe in question.probes if probe.public]
    called = {name for probe in public for name in answers_named(ast.parse(probe.source))}
    if not public:
        found.append("there is no public probe, so a student's own check of it says nothing.")
    elif unseen := [name for name in tasks if name not in called]:
        found.append(f"no public probe calls {listed(unseen)}.")
    if len(public) == len(question.probes):
        found.append("there is no hidden probe.")
    if not question.mistakes:
        found.append("there are no mistakes.")
    if not question.alternatives:
        found.append("there are no alternatives.")
    return found


def _short(path: Path) -> Path:
    """The path as seen from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _lines_with(path: Path, part: str) -> list[tuple[int, str]]:
    """The numbers of the lines that contain something, each with the line's words."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    return [(number, line.strip().lstrip("# ")) for number, line in enumerate(lines, 1) if part in line]


def _typed_heading(problem_set: ProblemSet, question: Question) -> list[str]:
    """A heading in the question's cells: one is composed from facts, and there would be two."""
    folder = problem_set.outline.folder
    path = folder.cells(folder.questions[question.id])
    return [
        f"{_short(path)}, line {number}: take out the heading and the line with points; the build writes both."
        for number, _ in _lines_with(path, "# ## Question ")
    ]


def _used(problem_set: ProblemSet, question: Question, name: str) -> bool:
    """Whether another answer of the question names it, so that it is asked for through that one."""
    cells = problem_set.source.answers(question.id)
    nodes = [node for cell in cells for node in ast.parse(cell.text).body if getattr(node, "name", None) != name]
    return any(name in mentioned(node) for node in nodes)


BROKEN = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError")


def look_closer(referee: Referee, question: Question, proof: QuestionProof) -> None:
    """Add what the counts of one seed do not show: void entries, broken mistakes, twins, probes that reject nothing."""
    for probe in question.probes:
        for sentence in _sentences(referee.expected(question, probe)["evidence"]):
            if stopped(sentence):
                proof.faults.append(f"{probe.where}: the reference's own answer is an error in {probe.id}: {sentence}")
    for mistake in question.mistakes:
        error = _broken(referee, question, mistake, proof)
        if error:
            proof.faults.append(f"{mistake.where}: {mistake.id} does not run: {error}.")
    unnamed = [entry.id for entry in proof.mistakes if entry.caught and not entry.named]
    for first, second in itertools.combinations([item for item in question.mistakes if item.id in unnamed], 2):
        if all(_same(referee, question, probe, first, second) for probe in question.probes):
            proof.todo.append(
                f"{second.where}: {second.id} gives the same evidence as {first.id} everywhere, so neither is named."
            )
    catching = {id for entry in proof.mistakes for id in entry.probes}
    for probe in question.probes:
        if question.mistakes and probe.id not in catching and not _rejects(referee, question, probe):
            proof.todo.append(f"{probe.where}: the probe {probe.id} lets every mistake pass.")


def _sentences(evidence: Any) -> Iterator[str]:
    """The strings in evidence."""
    if isinstance(evidence, dict):
        evidence = list(evidence.values())
    if isinstance(evidence, (list, tuple)):
        for item in evidence:
            yield from _sentences(item)
    elif isinstance(evidence, str):
        yield evidence


def _broken(referee: Referee, question: Question, mistake: Mistake, proof: QuestionProof) -> str:
    """The error of a mistake that has a fault of its own: a name that is not there."""
    entry = next(entry for entry in proof.mistakes if entry.id == mistake.id)
    for probe in question.probes:
        error = referee.variant(question, probe, mistake)["error"] if probe.id in entry.probes else None
        if error and error["type"] in BROKEN:
            return f"{error['type']}: {error['message']}".rstrip(".")
    return ""


def _same(referee: Referee, question: Question, probe: Probe, first: Mistake, second: Mistake) -> bool:
    return referee.same(referee.variant(question, probe, first), referee.variant(question, probe, second))


def _rejects(referee: Referee, question: Question, probe: Probe) -> bool:
    """Whether the probe fails for some mistake. Asked of those that no mistake needed, as they are slow."""
    return any(
        not referee.passes(question, probe, referee.variant(question, probe, mistake))
        for mistake in question.mistakes
        if referee.affects(question, mistake, probe)
    )

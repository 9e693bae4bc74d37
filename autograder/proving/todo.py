"""What an author has still to do for a question before its proof means anything, and what the counts do not show."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

from autograder.grading.referee import Referee
from autograder.probes.load import ProblemSet
from autograder.probes.names import mentioned
from autograder.probes.spec import Mistake, Probe, Question
from autograder.proving.proof import NOTE, QuestionProof


def still_to_do(problem_set: ProblemSet, question: Question) -> list[str]:
    """One sentence for each thing that is missing. A note of the author's keeps the question from being proved."""
    found = []
    for path in problem_set.outline.folder.question_files(question.id):
        found += [f"{_short(path)}, line {number}: {text}" for number, text in _notes(path)]
    asked = {name for probe in question.probes for name in mentioned(ast.parse(probe.source))}
    for name in problem_set.source.names(question.id):
        if name not in asked and not _used(problem_set, question, name):
            found.append(f"no probe asks for {name}.")
    if not any(probe.public for probe in question.probes):
        found.append("there is no public probe, so a student's own check of it says nothing.")
    if all(probe.public for probe in question.probes):
        found.append("there is no hidden probe.")
    if not question.mistakes:
        found.append("there are no mistakes.")
    if not question.alternatives:
        found.append("there are no alternatives.")
    return found


def _short(path: Path) -> Path:
    """The path as seen from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _notes(path: Path) -> list[tuple[int, str]]:
    """Lines with a note of the author's, each with its words."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    return [(number, line.strip().lstrip("# ")) for number, line in enumerate(lines, 1) if NOTE in line]


def _used(problem_set: ProblemSet, question: Question, name: str) -> bool:
    """Whether another answer of the question names it, so that it is asked for through that one."""
    cells = problem_set.source.answers(question.id)
    nodes = [node for cell in cells for node in ast.parse(cell.text).body if getattr(node, "name", None) != name]
    return any(name in mentioned(node) for node in nodes)


BROKEN = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError")


def look_closer(referee: Referee, question: Question, proof: QuestionProof) -> None:
    """Add what the counts of one seed do not show: mistakes that do not run, twins, probes that reject nothing."""
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

"""Proves a problem set's hidden tests: runs the reference, alternatives, mistakes and the blank notebook.

Everything runs in this process on trusted code; the sandboxed path is tested elsewhere.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from autograder.grading.referee import Referee, ReferenceFailed
from autograder.grading.results import PASSED, QuestionResult
from autograder.grading.seeds import probe_seed
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.probes.namespace import execute_cells
from autograder.probes.spec import Mistake, Question, Variant
from dgm.checks.runtime import Outcome, run_probe

SLOW_SECONDS = 0.01  # a probe that takes longer on the reference is run on a mistake only where it is needed


@dataclass
class MistakeProof:
    """How often one mistake was caught, named, and named as another; and which probes caught it."""

    key: str
    title: str
    caught: int = 0
    named: int = 0
    misnamed: int = 0
    probes: dict[str, int] = field(default_factory=dict)


@dataclass
class QuestionProof:
    """The proof of one question over ``seeds`` seeds."""

    id: str
    title: str
    probes: int
    points: float
    seeds: int
    reference_passes: int = 0
    blank_score: float | None = None
    alternatives: dict[str, int] = field(default_factory=dict)
    mistakes: list[MistakeProof] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    runs: int = 0

    @property
    def ok(self) -> bool:
        return (
            self.reference_passes == self.seeds
            and not self.blank_score
            and all(count == self.seeds for count in self.alternatives.values())
            and all(mistake.caught == self.seeds and not mistake.misnamed for mistake in self.mistakes)
        )

    def to_json(self) -> dict[str, Any]:
        full = self.seeds
        return {
            "id": self.id, "title": self.title, "probes": self.probes, "points": self.points,
            "reference_passes": self.reference_passes, "blank_score": self.blank_score,
            "alternatives": {
                "n": len(self.alternatives), "passed": sum(count == full for count in self.alternatives.values()),
            },
            "mistakes": {
                "n": len(self.mistakes),
                "caught": sum(mistake.caught == full for mistake in self.mistakes),
                "named": sum(mistake.named == full for mistake in self.mistakes),
                "misnamed": sum(mistake.misnamed > 0 for mistake in self.mistakes),
            },
        }


def prove(
    problem_set: ProblemSet,
    seeds: int,
    questions: list[str] | None = None,
    jobs: int = 1,
    done: Callable[[QuestionProof], None] | None = None,
) -> list[QuestionProof]:
    """Prove all (or the named) questions; ``done`` is called as each is finished."""
    wanted = [question.id for question in problem_set.questions if questions is None or question.id in questions]
    if jobs <= 1 or len(wanted) <= 1:
        proofs = []
        for id in wanted:
            proofs.append(prove_question(problem_set, problem_set.question(id), seeds))
            if done:
                done(proofs[-1])
        return proofs
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(jobs, context) as pool:
        futures = {pool.submit(_prove_by_name, problem_set.folder, id, seeds): id for id in wanted}
        finished = {}
        for future in as_completed(futures):
            finished[futures[future]] = future.result()
            if done:
                done(future.result())
    return [finished[id] for id in wanted]


def _prove_by_name(folder: Path, id: str, seeds: int) -> QuestionProof:
    problem_set = load_problem_set(folder)
    return prove_question(problem_set, problem_set.question(id), seeds)


def prove_question(problem_set: ProblemSet, question: Question, seeds: int) -> QuestionProof:
    """Prove one question on seeds 0, ..., seeds - 1."""
    proof = QuestionProof(question.id, question.title, len(question.probes), question.points, seeds)
    proof.alternatives = {alternative.key: 0 for alternative in question.alternatives}
    proof.mistakes = [MistakeProof(mistake.key, mistake.title) for mistake in question.mistakes]
    blank = blank_namespace(problem_set)
    torch.set_num_threads(1)  # probes are tiny, and threads only wait for each other
    referee = Referee(problem_set, 0)
    for seed in range(seeds):
        referee = referee.at_seed(seed)
        _prove_seed(referee, question, proof, blank, seed)
    return proof


def _prove_seed(
    referee: Referee, question: Question, proof: QuestionProof, blank: dict[str, Any] | None, seed: int
) -> None:
    try:
        result = _graded(referee, question, None)
    except ReferenceFailed as error:
        _note(proof, str(error))
        return
    proof.runs += 1
    for probe in result.probes:
        proof.seconds[probe.id] = proof.seconds.get(probe.id, 0.0) + probe.seconds / proof.seeds
    if result.score == question.points:
        proof.reference_passes += 1
    else:
        _note(proof, f"seed {seed}: the reference fails {_failures(result)}")
    for alternative in question.alternatives:
        result = _graded(referee, question, alternative)
        if result.score == question.points:
            proof.alternatives[alternative.key] += 1
        else:
            _note(proof, f"seed {seed}: alternative {alternative.key} fails {_failures(result)}")
    for mistake, entry in zip(question.mistakes, proof.mistakes, strict=True):
        _prove_mistake(referee, question, mistake, entry, proof, seed)
    if blank is not None and seed == 0:
        name = referee.problem_set.name
        outcomes = {
            probe.name: run_probe(probe.function, blank, probe_seed(seed, name, question.id, probe.name))
            for probe in question.probes
        }
        proof.blank_score = referee.judge_question(question, outcomes).score
        if proof.blank_score:
            _note(proof, f"the blank notebook earns {proof.blank_score:g} points")


def _prove_mistake(
    referee: Referee, question: Question, mistake: Mistake, entry: MistakeProof, proof: QuestionProof, seed: int
) -> None:
    result = _graded(referee, _only_fast(question, proof), mistake)
    if {probe.mistake for probe in result.probes if probe.status != PASSED} != {mistake.key}:
        result = _graded(referee, question, mistake)
    failed = [probe for probe in result.probes if probe.status != PASSED]
    for probe in failed:
        entry.probes[probe.id] = entry.probes.get(probe.id, 0) + 1
    if not failed:
        _note(proof, f"seed {seed}: mistake {mistake.key} survives")
        return
    entry.caught += 1
    names = {probe.mistake for probe in failed} - {None}
    if names == {mistake.key}:
        entry.named += 1
    elif names:
        entry.misnamed += 1
        _note(proof, f"seed {seed}: mistake {mistake.key} is named as {', '.join(sorted(map(str, names)))}")


def _only_fast(question: Question, proof: QuestionProof) -> Question:
    """The question with its fast probes only.

    If a mistake is caught and named by these, the slow probes (training runs) cannot change that: with more probes
    fewer other mistakes agree with it, and it always agrees with itself. Proving stays exact and takes a fraction.
    """
    mean = {name: seconds * proof.seeds / max(1, proof.runs) for name, seconds in proof.seconds.items()}
    fast = [probe for probe in question.probes if mean[probe.name] < SLOW_SECONDS]
    return replace(question, probes=fast) if fast else question


def _graded(referee: Referee, question: Question, variant: Variant | None) -> QuestionResult:
    outcomes: dict[str, Outcome] = {
        probe.name: referee.expected(question, probe) if variant is None else referee.variant(question, probe, variant)
        for probe in question.probes
    }
    return referee.judge_question(question, outcomes)


def _failures(result: QuestionResult) -> str:
    return "; ".join(f"{probe.id}: {probe.message}" for probe in result.probes if probe.status != PASSED)


def _note(proof: QuestionProof, text: str) -> None:
    if len(proof.problems) < 20:
        proof.problems.append(text)


def blank_namespace(problem_set: ProblemSet) -> dict[str, Any] | None:
    """The generated student notebook's definitions, with its stubs; None when it has not been built yet."""
    path = problem_set.student_notebook
    if not path.is_file():
        return None
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [
        ("".join(cell["source"]), f"<answers blank cell {index}>")
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and cell["metadata"].get("dgm", {}).get("role") in ("setup", "given", "answer")
    ]
    return execute_cells(texts)

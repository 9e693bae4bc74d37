"""Proves a problem set's hidden tests: runs the reference, alternatives, mistakes and the blank notebook.

Everything runs in this process on trusted code; the sandboxed path is tested elsewhere.
"""

from __future__ import annotations

import functools
import gc
import itertools
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import numpy as np
import torch

from autograder.grading.referee import Referee, ReferenceFailed
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.probes.namespace import execute_cells
from autograder.probes.spec import Mistake, Probe, Question, Variant
from autograder.proving.probe_order import ProbeOrder
from autograder.proving.proof import MistakeProof, QuestionProof
from autograder.proving.todo import look_closer, still_to_do
from autograder.results.model import PASSED, QuestionResult
from autograder.sets import Outline
from dgm.checks.compare import as_array, is_numeric
from dgm.checks.naming import ATOL, RTOL
from dgm.checks.runtime import Outcome, run_probe


class ProofReferee(Referee):
    """A referee that remembers verdicts and comparisons: most variants share most outcomes with the reference.

    Its verdicts say nothing, which saves most of their time, unless it is ``talkative``.

    Outcomes are told apart by identity, which is safe as the referee keeps all that it made.
    """

    def __init__(self, problem_set: ProblemSet, seed: int, device: str = "cpu") -> None:
        super().__init__(problem_set, seed, device)
        self.talkative = False
        self._verdicts: dict[tuple[str, str, int], tuple[str, str]] = {}
        self._compared: dict[tuple[int, int], bool] = {}
        self._found: dict[tuple[str, str, str], Outcome] = {}
        self._summaries: dict[int, tuple[int, float, float]] = {}

    def variant(self, question: Question, probe: Probe, variant: Variant) -> Outcome:
        key = (question.id, variant.id, probe.id)
        if key not in self._found:
            self._found[key] = super().variant(question, probe, variant)
        return self._found[key]

    def _verdict(
        self, question: Question, probe: Probe, outcome: Outcome, expected: Outcome, brief: bool = False
    ) -> tuple[str, str]:
        if self.talkative:
            return super()._verdict(question, probe, outcome, expected)
        key = (question.id, probe.id, id(outcome))
        if key not in self._verdicts:
            self._verdicts[key] = super()._verdict(question, probe, outcome, expected, brief=True)
        return self._verdicts[key]

    def _in_order(self, question: Question, failed: list[str]) -> list[Probe]:
        return question.probes  # as `ProbeOrder` has it

    def same(self, one: Outcome, other: Outcome) -> bool:
        key = (id(one), id(other))
        if key not in self._compared:
            self._compared[key] = self._sums_agree(one, other) and super().same(one, other)
        return self._compared[key]

    def _sums_agree(self, one: Outcome, other: Outcome) -> bool:
        """False where the sums of all numbers differ so much that not all numbers can agree; this is quick to see."""
        (count, total, _), (other_count, other_total, size) = (self._summary(outcome) for outcome in (one, other))
        apart = abs(total - other_total) > 1.01 * (count * ATOL + RTOL * size) + 1e-6 * size
        return count == other_count and not apart  # a sum that overflows tells nothing

    def _summary(self, outcome: Outcome) -> tuple[int, float, float]:
        """How many finite numbers the evidence has, their sum and the sum of their magnitudes."""
        if id(outcome) not in self._summaries:
            numbers = np.concatenate([np.zeros(0), *_numbers(outcome["evidence"])])
            numbers = numbers[np.isfinite(numbers)]
            with np.errstate(over="ignore"):
                self._summaries[id(outcome)] = len(numbers), float(numbers.sum()), float(np.abs(numbers).sum())
        return self._summaries[id(outcome)]


def _numbers(evidence: Any) -> Iterator[np.ndarray]:
    """All real numbers in evidence, flat."""
    if is_numeric(evidence):
        array = as_array(evidence)
        if array.dtype.kind != "c":
            yield array.ravel().astype(np.float64)
    elif isinstance(evidence, (list, dict)):
        for item in evidence.values() if isinstance(evidence, dict) else evidence:
            yield from _numbers(item)


def prove(
    problem_set: ProblemSet,
    seeds: int,
    questions: list[str] | None = None,
    jobs: int = 1,
    done: Callable[[QuestionProof], None] | None = None,
) -> list[QuestionProof]:
    """Prove all (or the named) questions; ``done`` is called as each is finished."""
    wanted = [question for question in problem_set.graded if questions is None or question.id in questions]
    pieces = _pieces(wanted, seeds, jobs)
    finished: dict[str, QuestionProof] = {}
    for piece in _proved(problem_set, pieces, jobs):
        id = piece.id
        finished[id] = finished[id].joined(piece) if id in finished else piece
        if done and finished[id].seeds == seeds:
            done(finished[id])
    return [finished[question.id] for question in wanted]


def _pieces(questions: list[Question], seeds: int, jobs: int) -> list[tuple[str, range]]:
    """Questions and seeds for each task of a process; what takes longest comes first, so that all end together.

    A question is a task, as its variants are prepared once; few questions are split into blocks of seeds.
    """
    ordered = sorted(questions, key=lambda question: len(question.probes) * len(question.mistakes), reverse=True)
    count = 1 if len(questions) >= 4 * jobs else min(seeds, jobs)
    edges = [seeds * part // count for part in range(count + 1)]
    return [(question.id, range(start, stop)) for question in ordered for start, stop in itertools.pairwise(edges)]


def _proved(problem_set: ProblemSet, pieces: list[tuple[str, range]], jobs: int) -> Iterator[QuestionProof]:
    if jobs <= 1 or len(pieces) <= 1:
        for id, block in pieces:
            yield prove_question(problem_set, problem_set.question(id), block)
        return
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(jobs, context) as pool:
        futures = [pool.submit(_prove_by_id, problem_set.outline, id, block) for id, block in pieces]
        for future in as_completed(futures):
            yield future.result()


def _prove_by_id(outline: Outline, id: str, block: range) -> QuestionProof:
    problem_set = _loaded(outline)
    return prove_question(problem_set, problem_set.question(id), block)


_loaded = functools.cache(load_problem_set)


def prove_question(problem_set: ProblemSet, question: Question, seeds: range) -> QuestionProof:
    """Prove one question on these seeds; the first block of seeds, from 0, also proves the blank notebook."""
    proof = QuestionProof(question.id, question.title, len(question.probes), question.points, len(seeds))
    proof.alternatives = {alternative.id: 0 for alternative in question.alternatives}
    proof.mistakes = [MistakeProof(mistake.id, mistake.title) for mistake in question.mistakes]
    torch.set_num_threads(1)  # probes are tiny, and threads only wait for each other
    referee, order = ProofReferee(problem_set, 0), ProbeOrder(question)
    if 0 in seeds:
        _prove_blank(referee, question, proof)
        proof.todo = still_to_do(problem_set, question)
    for number, seed in enumerate(seeds):
        if number < 2:
            gc.freeze()  # what is there by now stays: modules, and after the first seed the namespaces of all variants
        referee = referee.at_seed(seed)
        _prove_seed(referee, question, proof, order, seed)
        if number == 0 and proof.runs:  # not where the reference itself fails
            order.learn(proof, referee)
            if seed == 0:
                look_closer(referee, question, proof)
    return proof


def _prove_blank(referee: Referee, question: Question, proof: QuestionProof) -> None:
    blank = blank_namespace(referee.problem_set)
    if blank is None:
        return
    outcomes = {
        probe.id: run_probe(probe.function, blank, referee.probe_seed(question, probe)) for probe in question.probes
    }
    try:
        proof.blank_score = referee.judge_question(question, outcomes).score
    except ReferenceFailed:
        return  # which the first seed will say
    if proof.blank_score:
        _note(proof, f"the blank notebook earns {proof.blank_score:g} points")


def _prove_seed(referee: ProofReferee, question: Question, proof: QuestionProof, order: ProbeOrder, seed: int) -> None:
    try:
        result = _graded(referee, question, None)
    except ReferenceFailed as error:
        _note(proof, str(error))
        return
    proof.runs += 1
    for probe in result.probes:
        proof.seconds[probe.id] = proof.seconds.get(probe.id, 0.0) + probe.seconds
    if result.score == question.points:
        proof.reference_passes += 1
    else:
        _note(proof, f"seed {seed}: the reference fails {_failures(referee, question, None)}")
    for alternative in question.alternatives:
        result = _graded(referee, question, alternative)
        if result.score == question.points:
            proof.alternatives[alternative.id] += 1
        else:
            text = _failures(referee, question, alternative)
            _note(proof, f"{alternative.where}: alternative {alternative.id} fails {text} (seed {seed})")
    for mistake, entry in zip(question.mistakes, proof.mistakes, strict=True):
        _prove_mistake(referee, question, mistake, entry, proof, order, seed)


def _prove_mistake(
    referee: Referee,
    question: Question,
    mistake: Mistake,
    entry: MistakeProof,
    proof: QuestionProof,
    order: ProbeOrder,
    seed: int,
) -> None:
    for part in order.parts(mistake, proof):
        result = _graded(referee, part, mistake)
        failed = [probe for probe in result.probes if probe.status != PASSED]
        names = {probe.mistake for probe in failed} - {None}
        if names == {mistake.id}:
            break
    order.enough[mistake.id] = len(part.probes)
    for probe in failed:
        entry.probes[probe.id] = entry.probes.get(probe.id, 0) + 1
    if not failed:
        if entry.caught == proof.runs - 1:  # only the first seed is told
            text = f"passes every probe on seed {seed}: is it wrong at all, or is a case missing?"
            _note(proof, f"{mistake.where}: {mistake.id} {text}")
        return
    entry.caught += 1
    if names == {mistake.id}:
        entry.named += 1
    elif names:
        entry.misnamed += 1
        _note(proof, f"{mistake.where}: {mistake.id} is named as {', '.join(sorted(map(str, names)))}")


def _graded(referee: Referee, question: Question, variant: Variant | None) -> QuestionResult:
    outcomes: dict[str, Outcome] = {
        probe.id: referee.expected(question, probe) if variant is None else referee.variant(question, probe, variant)
        for probe in question.probes
    }
    return referee.judge_question(question, outcomes)


def _failures(referee: ProofReferee, question: Question, variant: Variant | None) -> str:
    referee.talkative = True
    result = _graded(referee, question, variant)
    referee.talkative = False
    return "; ".join(f"{probe.id}: {probe.message}" for probe in result.probes if probe.status != PASSED)


def _note(proof: QuestionProof, text: str) -> None:
    if len(proof.problems) < 20 and text not in proof.problems:
        proof.problems.append(text)


def blank_namespace(problem_set: ProblemSet) -> dict[str, Any] | None:
    """The generated student notebook's definitions, with its stubs; None when it has not been built yet."""
    path = problem_set.outline.student_notebook
    if not path.is_file():
        return None
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [
        ("".join(cell["source"]), f"<answers blank cell {index}>")
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and cell["metadata"].get("dgm", {}).get("role") in ("setup", "given", "answer")
    ]
    return execute_cells(texts)

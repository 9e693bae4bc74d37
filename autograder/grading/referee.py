"""The referee: knows the reference, judges outcomes against it, and names mistakes. Runs in the grader's process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any, Self

from autograder.grading.deadline import Deadlines, TooLong
from autograder.grading.forked import ForkedCall, unusually_large
from autograder.grading.seeds import probe_seed
from autograder.probes.impact import Impact
from autograder.probes.load import ProblemSet
from autograder.probes.namespace import public, reference_failed, reference_namespace, variant_namespace
from autograder.probes.spec import Probe, Question, Variant
from autograder.results.model import ProbeResult, QuestionResult, question_status
from autograder.text import clean_line
from dgm.checks.entries import WHOLE, Place, failed_entries
from dgm.checks.judges import Context
from dgm.checks.naming import Entries, Name, name_mistake, same_outcome
from dgm.checks.runtime import Outcome, fixed_state, run_probe
from dgm.checks.status import ERROR, FAILED, PASSED
from dgm.checks.verdicts import explain

PASSED_COST = 2  # a probe that the student passed rules out about half as many mistakes as one that failed
UNJUDGED = (FAILED, "the answer holds much more data than a right one, and could not be judged.")
TOO_SLOW = (FAILED, "judging the answer took too long; does it have the form and size that are asked for?")


class ReferenceFailed(RuntimeError):
    """The reference itself does not answer a probe: a fault of the problem set, not of a student."""


class Referee:
    """Judges one problem set at one seed on one device. Safe to use from several threads."""

    def __init__(self, problem_set: ProblemSet, seed: int, device: str = "cpu") -> None:
        self.problem_set, self.seed, self.device = problem_set, seed, device
        self._lock = threading.RLock()  # torch's default dtype and generators are global to the process
        self._namespaces: dict[str, dict[str, Any]] = {}
        self._outcomes: dict[tuple[str, str, str], Outcome] = {}
        self._refused: dict[tuple[str, str, str], dict[Place, Any]] = {}
        self._deadlines = Deadlines()

    def stop(self) -> None:
        """End whatever is being judged in any thread, for a run that is interrupted."""
        self._deadlines.stop()

    def at_seed(self, seed: int) -> Self:
        """A referee for another seed that shares the definitions, which do not depend on it."""
        other = type(self)(self.problem_set, seed, self.device)
        other._namespaces, other._impact = self._namespaces, self._impact
        return other

    @cached_property
    def _impact(self) -> Impact:
        return Impact(self.problem_set)

    def probe_seed(self, question: Question, probe: Probe) -> int:
        return probe_seed(self.seed, self.problem_set.name, question.id, probe.id)

    def expected(self, question: Question, probe: Probe) -> Outcome:
        """The reference's outcome. Raises `ReferenceFailed`."""
        outcome = self._run(question, probe, None)
        if outcome["status"] != "ok":
            raise ReferenceFailed(reference_failed(question, probe, outcome))
        return outcome

    def variant(self, question: Question, probe: Probe, variant: Variant) -> Outcome:
        """A mistake's or alternative's outcome."""
        return self._run(question, probe, variant if self.affects(question, variant, probe) else None)

    def affects(self, question: Question, variant: Variant, probe: Probe) -> bool:
        """Can the variant's outcome differ from the reference's?"""
        return self._impact.affects(question, variant, probe)

    def _run(self, question: Question, probe: Probe, variant: Variant | None) -> Outcome:
        name = "" if variant is None else f"{question.id}/{variant.id}"
        key = (name, question.id, probe.id)
        with self._lock:
            if key not in self._outcomes:
                seed = self.probe_seed(question, probe)
                namespace = self._namespace(name, question, variant)
                self._outcomes[key] = run_probe(probe.function, namespace, seed, self.device, restore=False)
            return self._outcomes[key]

    def _namespace(self, name: str, question: Question, variant: Variant | None) -> dict[str, Any]:
        if name not in self._namespaces:
            self._namespaces[name] = (
                reference_namespace(self.problem_set)
                if variant is None
                else variant_namespace(self.problem_set, question, variant)
            )
        return self._namespaces[name]

    def passes(self, question: Question, probe: Probe, outcome: Outcome) -> bool:
        """Whether an outcome is right: quicker than to judge it, as nothing is said about it."""
        return self._verdict(question, probe, outcome, self.expected(question, probe), brief=True)[0] == PASSED

    def judge_probe(self, question: Question, probe: Probe, outcome: Outcome) -> ProbeResult:
        """Judge one outcome; mistakes are named later, when all of the question's outcomes are known."""
        expected = self.expected(question, probe)
        status, message = self._verdict(question, probe, outcome, expected)
        earned = probe.points if status == PASSED else 0.0
        seconds = round(float(outcome.get("seconds", 0.0)), 4)
        return ProbeResult(probe.id, probe.title, probe.points, earned, probe.public, status, message, None, seconds)

    @cached_property
    def _reference(self) -> SimpleNamespace:
        return public(self._namespace("", self.problem_set.graded[0], None))

    def _context(self, question: Question, probe: Probe) -> Context:
        return Context(self.probe_seed(question, probe), self.device, self._reference)

    def _verdict(
        self, question: Question, probe: Probe, outcome: Outcome, expected: Outcome, brief: bool = False
    ) -> tuple[str, str]:
        with self._lock:
            if "verdict" in outcome:
                known: tuple[str, str] = outcome["verdict"]
                return known
            context = replace(self._context(question, probe), brief=brief)
            decision = partial(
                explain, outcome, expected, probe.judge, context,
                undefined="is not defined when the notebook has run.",
                untouched="Not answered yet: the stub is still there.",
                restore=False,
            )
            large = self.device == "cpu" and unusually_large(outcome["evidence"], expected["evidence"])
            decided = ForkedCall(decision) if large else self._in_time(decision)
        if isinstance(decided, ForkedCall):
            decided = decided.result(lambda: self._deadlines.stopped) or UNJUDGED
        status, message = decided
        return status, clean_line(message) if status == FAILED else message

    def _in_time(self, decision: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        try:
            return self._deadlines.call(decision)
        except TooLong:
            return TOO_SLOW

    def decided(self, question: Question, probe: Probe, outcome: Outcome) -> Outcome:
        """The outcome with its verdict in place of its evidence."""
        verdict = self._verdict(question, probe, outcome, self.expected(question, probe))
        return {**outcome, "evidence": None, "verdict": verdict}

    def judge_question(self, question: Question, outcomes: Mapping[str, Outcome]) -> QuestionResult:
        """Judge all probes of a question and name the mistakes behind the failed ones."""
        results = [self.judge_probe(question, probe, outcomes[probe.id]) for probe in question.probes]
        failed = [result for result in results if result.status in (FAILED, ERROR)]
        if failed and question.mistakes:
            known = self._known(question)
            titles = {mistake.id: mistake.title for mistake in question.mistakes}
            passed = [result.id for result in results if result.status == PASSED]
            named = self._named(question, outcomes, known, [result.id for result in failed], passed)
            for result in failed:
                if result.id in named:
                    result.mistake = named[result.id].mistake
                    result.message = named[result.id].message(titles[result.mistake])
        score = sum(result.earned for result in results)
        status = question_status(results)
        return QuestionResult(
            question.id, question.title, score, question.points, status, question.bonus, False, results
        )

    def _known(self, question: Question) -> Mapping[str, Mapping[str, Outcome]]:
        """What each mistake gives on each probe of the question."""
        probes = {probe.id: probe for probe in question.probes}
        return {mistake.id: _LazyOutcomes(self, question, probes, mistake) for mistake in question.mistakes}

    def _named(
        self, question: Question, outcomes: Mapping[str, Outcome], known: Mapping[str, Mapping[str, Outcome]],
        failed: list[str], passed: list[str],
    ) -> dict[str, Name]:
        """`name_mistake` on hostile evidence: what it cannot compare stays without a name."""
        probes = {probe.id: probe for probe in question.probes}

        ordered = {probe.id: outcomes[probe.id] for probe in self._in_order(question, failed)}

        def ruled_out(key: str) -> bool:
            return any(not self.passes(question, probes[id], known[key][id]) for id in passed)

        def of_mistake(key: str, id: str) -> dict[Place, Any]:
            place = (question.id, key, id)
            if place not in self._refused:
                self._refused[place] = self._failed_entries(question, probes[id], known[key][id])
            return self._refused[place]

        try:
            right = {id: self.expected(question, probes[id])["evidence"] for id in failed}
            wrong = _Lazily({id: partial(self._failed_entries, question, probes[id], outcomes[id]) for id in failed})
            return name_mistake(ordered, known, failed, self.same, ruled_out, Entries(wrong, of_mistake, right))
        except (Exception, TooLong):
            return {}

    def _failed_entries(self, question: Question, probe: Probe, outcome: Outcome) -> dict[Place, Any]:
        expected = self.expected(question, probe)
        if outcome is expected:
            return {}
        if "verdict" in outcome or unusually_large(outcome["evidence"], expected["evidence"]):  # not judged here
            return {WHOLE: outcome["evidence"]}
        with self._lock, fixed_state(self.probe_seed(question, probe), restore=False):
            context = self._context(question, probe)
            return self._deadlines.call(partial(failed_entries, outcome, expected, probe.judge, context))

    def _in_order(self, question: Question, failed: list[str]) -> list[Probe]:
        """The probes in the order in which mistakes are compared: first what rules out the most for its time."""

        def cost(probe: Probe) -> float:
            return float(self.expected(question, probe)["seconds"]) * (1 if probe.id in failed else PASSED_COST)

        return sorted(question.probes, key=cost)

    def same(self, one: Outcome, other: Outcome) -> bool:
        """Are a student's outcome and a mistake's the same? What cannot be compared is not."""
        try:
            return self._deadlines.call(partial(same_outcome, one, other))
        except Exception:
            return False


class _Lazily(Mapping[str, Mapping[Place, Any]]):
    """What functions return, each called when first asked for: most wrong answers are named without."""

    def __init__(self, functions: Mapping[str, Callable[[], Mapping[Place, Any]]]) -> None:
        self._functions, self._values = functions, dict[str, Mapping[Place, Any]]()

    def __getitem__(self, name: str) -> Mapping[Place, Any]:
        if name not in self._values:
            self._values[name] = self._functions[name]()
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


class _LazyOutcomes(Mapping[str, Outcome]):
    """A variant's outcome on each probe of a question, run when first asked for: naming seldom needs all."""

    def __init__(self, referee: Referee, question: Question, probes: Mapping[str, Probe], variant: Variant) -> None:
        self._referee, self._question, self._probes, self._variant = referee, question, probes, variant

    def __getitem__(self, name: str) -> Outcome:
        return self._referee.variant(self._question, self._probes[name], self._variant)

    def __contains__(self, name: object) -> bool:
        return name in self._probes

    def __iter__(self) -> Iterator[str]:
        return iter(self._probes)

    def __len__(self) -> int:
        return len(self._probes)

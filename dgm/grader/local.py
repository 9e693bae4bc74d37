"""Runs a question's frozen public checks on a namespace: the same probes, judges and naming as the grader's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dgm.checks.judges import Context, Judge
from dgm.checks.naming import name_mistake
from dgm.checks.runtime import Outcome, load_probe, run_probe
from dgm.checks.status import ERROR, FAILED, PASSED
from dgm.checks.verdicts import explain, sentence
from dgm.grader.payload import FrozenProbe, FrozenQuestion, read_judge, read_questions, unpack
from dgm.grader.results import CheckedProbe, CheckResult


def check_question(question: FrozenQuestion, namespace: Mapping[str, Any]) -> CheckResult:
    """Run all public probes of one question on the answers in ``namespace``."""
    outcomes: dict[tuple[str, int], Outcome] = {}
    verdicts: dict[tuple[str, int], tuple[str, str]] = {}
    for probe in question.probes:
        function, judge = load_probe(probe.source, probe.name), read_judge(probe.judge)
        for number, seed in enumerate(probe.seeds):
            outcome = run_probe(function, namespace, seed)
            outcomes[probe.name, number] = outcome
            verdicts[probe.name, number] = _verdict(outcome, probe.expected[number], judge, seed)
    named = _named(question, outcomes, verdicts)
    checked = [_checked(probe, verdicts, named) for probe in question.probes]
    return CheckResult(question.id, question.title, checked, question.points, question.bonus)


def assert_check(assignment: str, checks: str, question: str, probe: str, namespace: Mapping[str, Any]) -> None:
    """Raise AssertionError, with the sentence for the student, unless one public check passes: for test files."""
    result = check_question(read_questions(unpack(checks))[question], namespace)
    checked = next(item for item in result.probes if item.name == probe)
    if not checked.passed:
        raise AssertionError(f"{assignment}, {checked.title}: {checked.message}")


def _verdict(outcome: Outcome, expected: Outcome, judge: Judge, seed: int) -> tuple[str, str]:
    return explain(
        outcome, expected, judge, Context(seed), undefined="is not defined yet: run the cell that defines it.",
        untouched="Not answered yet: the stub is still there (after editing, run its cell again).",
    )


def _named(
    question: FrozenQuestion, outcomes: Mapping[tuple[str, int], Outcome], verdicts: Mapping[tuple[str, int], Any]
) -> dict[tuple[str, int], str]:
    """The title of the mistake behind each failed case, where exactly one explains it."""
    known = {case for mistake in question.mistakes for case in mistake.outcomes} & set(outcomes)
    failed = [case for case in known if verdicts[case][0] in (FAILED, ERROR)]
    if not failed:
        return {}
    keys = {case: f"{case[0]}/{case[1]}" for case in known}
    student = {keys[case]: outcomes[case] for case in known}
    mistakes = {
        str(index): {keys[case]: outcome for case, outcome in mistake.outcomes.items() if case in known}
        for index, mistake in enumerate(question.mistakes)
    }
    answer = name_mistake(student, mistakes, [keys[case] for case in failed])
    titles = [mistake.title for mistake in question.mistakes]
    return {case: titles[int(answer[keys[case]])] for case in failed if keys[case] in answer}


def _checked(
    probe: FrozenProbe, verdicts: Mapping[tuple[str, int], tuple[str, str]], named: Mapping[tuple[str, int], str]
) -> CheckedProbe:
    cases = [(probe.name, number) for number in range(len(probe.seeds))]
    failed = [case for case in cases if verdicts[case][0] != PASSED]
    if not failed:
        return CheckedProbe(probe.name, probe.title, probe.points, PASSED)
    worst = next((case for case in failed if case in named), failed[0])
    status, message = verdicts[worst]
    if worst in named:
        return CheckedProbe(probe.name, probe.title, probe.points, status, sentence(named[worst]), True)
    return CheckedProbe(probe.name, probe.title, probe.points, status, message)


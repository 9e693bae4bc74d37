"""Runs a question's frozen public checks on a namespace: the same probes, judges and naming as the grader's."""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Mapping
from typing import Any

from dgm.checks.compare import first_difference
from dgm.checks.diagnose import where
from dgm.checks.entries import CHANGED, Place, failed_entries, same_value, value_at
from dgm.checks.judges import Context, Judge
from dgm.checks.naming import ATOL, MIN_NUMBERS, RTOL, Entries, information, name_mistake, same_outcome
from dgm.checks.runtime import Outcome, load_probe, run_probe
from dgm.checks.status import ERROR, FAILED, PASSED, STUB
from dgm.checks.verdicts import explain, sentence
from dgm.grader.payload import FrozenProbe, FrozenQuestion, read_judge, read_questions, unpack
from dgm.grader.results import CheckedProbe, CheckResult

ROUNDING = 5e-4, 1e-6  # relative and absolute: about what freezing takes from the evidence of a mistake


def check_question(question: FrozenQuestion, namespace: Mapping[str, Any]) -> CheckResult:
    """Run all public probes of one question on the answers in ``namespace``."""
    outcomes: dict[tuple[str, int], Outcome] = {}
    verdicts: dict[tuple[str, int], tuple[str, str]] = {}
    for probe in question.probes:
        function, judge = load_probe(probe.source, probe.id), read_judge(probe.judge)
        for number, seed in enumerate(probe.seeds):
            outcome = run_probe(function, namespace, seed)
            outcomes[probe.id, number] = outcome
            verdicts[probe.id, number] = _verdict(outcome, probe.expected[number], judge, seed)
    named = _named(question, outcomes, verdicts)
    checked = [_checked(probe, verdicts, named) for probe in question.probes]
    return CheckResult(question.id, question.title, checked, question.points, question.bonus, question.unseen,
                       written_points=question.manual_points, open=_open_answers(question, namespace))


def assert_check(assignment: str, checks: str, question: str, probe: str, namespace: Mapping[str, Any]) -> None:
    """Insist that one public check passes: for test files.

    Raises:
        AssertionError: It does not; with the sentence for the student.
    """
    result = check_question(read_questions(unpack(checks))[question], namespace)
    checked = next(item for item in result.probes if item.id == probe)
    if not checked.passed:
        raise AssertionError(f"{assignment}, {checked.title}: {checked.message}")


def used_questions(
    question: FrozenQuestion, questions: Mapping[str, FrozenQuestion], namespace: Mapping[str, Any]
) -> list[str]:
    """The earlier questions whose answers this one uses: by design, or because the code in ``namespace`` names them."""
    seen, waiting = set(), set(question.answers)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _names_in(namespace.get(name)) - seen
    before = itertools.takewhile(lambda other: other.id != question.id, questions.values())
    return [other.id for other in before if other.id in question.uses or seen & set(other.answers)]


def _codes(answer: Any) -> list[types.CodeType]:
    """The code of a function, or of each of a class's methods."""
    parts = list(vars(answer).values()) if isinstance(answer, type) else [answer]
    return [part.__code__ for part in parts if isinstance(part, types.FunctionType)]


def _names_in(answer: Any) -> set[str]:
    """The global names in an answer's code."""
    codes = _codes(answer)
    names: set[str] = set()
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return names


def _open_answers(question: FrozenQuestion, namespace: Mapping[str, Any]) -> list[str]:
    """Those answers without a public test that are not there, or still the stub: its message is in their code."""
    return [name for name in question.unseen if name not in namespace or _is_stub(namespace[name])]


def _is_stub(answer: Any) -> bool:
    constants = [constant for code in _codes(answer) for constant in code.co_consts]
    return any(isinstance(constant, str) and re.fullmatch(STUB, constant) for constant in constants)


def _verdict(outcome: Outcome, expected: Outcome, judge: Judge, seed: int) -> tuple[str, str]:
    stub = f"the stub{_which_stub(outcome)} is still there"
    return explain(
        outcome, expected, judge, Context(seed), undefined="is not defined yet: run the cell that defines it.",
        untouched=f"Not answered yet: {stub} (after editing, run its cell again).",
    )


def _which_stub(outcome: Outcome) -> str:
    """The name in a stub's own message, which may be that of an earlier question's answer."""
    message = str((outcome.get("error") or {}).get("message", ""))
    found = re.fullmatch(STUB, message)
    return f" of `{found[2]}` (Question {found[1]})" if found else ""


def _named(
    question: FrozenQuestion, outcomes: Mapping[tuple[str, int], Outcome], verdicts: Mapping[tuple[str, int], Any]
) -> dict[tuple[str, int], str]:
    """What to say of each failed case: the mistake that explains it.

    Public checks tell less than all tests, so there are two more chances here than in the grade: two mistakes with the
    same evidence are both named, and a mistake may explain just the first wrong entry of a case.
    """
    known = {case for mistake in question.mistakes for case in mistake.outcomes} & set(outcomes)
    failed = [case for case in sorted(known) if verdicts[case][0] in (FAILED, ERROR)]
    if not failed:
        return {}
    keys = {case: f"{case[0]}/{case[1]}" for case in known}
    student = {keys[case]: outcomes[case] for case in known}
    mistakes = {
        str(index): {keys[case]: outcome for case, outcome in mistake.outcomes.items() if case in known}
        for index, mistake in enumerate(question.mistakes)
    }
    entries = _entries(question, outcomes, failed)
    answer = name_mistake(student, mistakes, [keys[case] for case in failed], entries=entries)
    titles = [mistake.title for mistake in question.mistakes]
    names = {case: answer[keys[case]] for case in failed if keys[case] in answer}
    found = {case: name.message(titles[int(name.mistake)]) for case, name in names.items()}
    alike = [m.title for m in question.mistakes if m.outcomes and all(
        same_outcome(outcomes[case], outcome) for case, outcome in m.outcomes.items() if case in known
    )]
    expected = {(probe.id, number): value for probe in question.probes for number, value in enumerate(probe.expected)}
    for case in failed:
        if case not in found:
            place, matches = ("", alike) if alike else _same_entry(question, case, outcomes[case], expected[case])
            if len(matches) in (1, 2):
                found[case] = place + " Or: ".join(dict.fromkeys(map(sentence, matches)))
    return found


def _entries(
    question: FrozenQuestion, outcomes: Mapping[tuple[str, int], Outcome], failed: list[tuple[str, int]]
) -> Entries:
    """What naming by entry needs, of frozen outcomes. Those of mistakes are rounded, which is no failure of theirs."""
    cases = {f"{probe.id}/{number}": (probe, number) for probe in question.probes for number in range(len(probe.seeds))}
    judges = {probe.id: read_judge(probe.judge) for probe in question.probes}

    def refused(key: str, outcome: Outcome) -> dict[Place, Any]:
        probe, number = cases[key]
        return failed_entries(outcome, probe.expected[number], judges[probe.id], Context(probe.seeds[number]))

    def of_mistake(index: str, key: str) -> dict[Place, Any]:
        probe, number = cases[key]
        outcome, right = question.mistakes[int(index)].outcomes[probe.id, number], probe.expected[number]
        if outcome is right:
            return {}
        return {
            place: value for place, value in refused(key, outcome).items()
            if place == CHANGED or not same_value(value, value_at(right["evidence"], place), *ROUNDING)
        }

    keys = [f"{name}/{number}" for name, number in failed]
    return Entries(
        {key: refused(key, outcomes[case]) for key, case in zip(keys, failed, strict=True)}, of_mistake,
        {key: cases[key][0].expected[cases[key][1]]["evidence"] for key in keys},
    )


def _same_entry(
    question: FrozenQuestion, case: tuple[str, int], outcome: Outcome, expected: Outcome
) -> tuple[str, list[str]]:
    """The first wrong entry of evidence that is a dict, in words, and the mistakes with the student's values there."""
    got, want = outcome["evidence"], expected["evidence"]
    if outcome["status"] != "ok" or not isinstance(got, dict) or not isinstance(want, dict) or set(got) != set(want):
        return "", []
    wrong = next((key for key in want if first_difference(got[key], want[key], RTOL, ATOL)), None)
    if wrong is None or information(got[wrong]) < MIN_NUMBERS:
        return "", []
    evidence = [(m.title, m.outcomes[case]["evidence"]) for m in question.mistakes if case in m.outcomes]
    return where((wrong,)), [
        title for title, other in evidence
        if isinstance(other, dict) and wrong in other and not first_difference(got[wrong], other[wrong], RTOL, ATOL)
    ]


def _checked(
    probe: FrozenProbe, verdicts: Mapping[tuple[str, int], tuple[str, str]], named: Mapping[tuple[str, int], str]
) -> CheckedProbe:
    cases = [(probe.id, number) for number in range(len(probe.seeds))]
    failed = [case for case in cases if verdicts[case][0] != PASSED]
    if not failed:
        return CheckedProbe(probe.id, probe.title, probe.points, PASSED)
    worst = next((case for case in failed if case in named), failed[0])
    status, message = verdicts[worst]
    if worst in named:
        return CheckedProbe(probe.id, probe.title, probe.points, status, named[worst], True)
    return CheckedProbe(probe.id, probe.title, probe.points, status, message)


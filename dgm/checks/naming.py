"""Which named mistake is it? Compares failed evidence with the evidence of every named mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dgm.checks.compare import first_difference, is_numeric
from dgm.checks.runtime import Outcome

RTOL, ATOL = 2e-3, 1e-5
MIN_NUMBERS = 2  # a single number or a bool agrees too easily by chance to name a mistake on its own


def same_outcome(one: Outcome, other: Outcome) -> bool:
    """The same evidence (or the same error), and the same functions changed their input."""
    if one is other:
        return True
    if one["status"] != other["status"] or bool(one["mutated"]) != bool(other["mutated"]):
        return False
    if one["status"] == "error":
        return _error(one) == _error(other)
    if one["status"] != "ok":
        return True
    return first_difference(one["evidence"], other["evidence"], RTOL, ATOL) is None


def _error(outcome: Outcome) -> tuple[object, object]:
    error = outcome["error"] or {}
    return error.get("type"), error.get("message")


def information(value: Any) -> int:
    """A rough count of the distinct finite numbers in evidence: how much an agreement means."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, str):
        return 1
    if is_numeric(value):
        array = np.asarray(value)
        if array.dtype.kind == "b":
            return 0
        array = array[np.isfinite(array)] if array.dtype.kind in "fc" else array
        return len(np.unique(array))
    items = value.values() if isinstance(value, dict) else value
    return sum(information(item) for item in items)


def name_mistake(
    student: Mapping[str, Outcome],
    mistakes: Mapping[str, Mapping[str, Outcome]],
    failed: list[str],
    same: Callable[[Outcome, Outcome], bool] = same_outcome,
    ruled_out: Callable[[str], bool] = lambda key: False,
) -> dict[str, str]:
    """For each failed probe the mistake that explains it, or nothing.

    A mistake that agrees with the student on every probe of the question, and would pass what the student passed,
    explains all failed ones. Otherwise, a failed probe is named if its evidence is rich and exactly one mistake has it
    and would pass what the student passed (the student may have made two mistakes in different functions).

    Args:
        student: Outcome of each of the question's probes, by probe name. They are compared in this order until one
            differs, and only then is the mistake's outcome asked for: put first what is cheap and tells most.
        mistakes: For each mistake's key, its outcome on the same probes.
        failed: Names of the probes that the student failed.
        same: Compares a student's outcome with a mistake's.
        ruled_out: Whether the mistake with this key would fail a probe that the student passed.

    Returns:
        Mistake keys by probe name, only where one mistake is the sole explanation.
    """
    whole = [
        key for key, outcomes in mistakes.items()
        if all(same(outcome, outcomes[probe]) for probe, outcome in student.items() if probe in outcomes)
    ]
    whole = [key for key in whole if failed and not ruled_out(key)]
    if len(whole) == 1:
        return dict.fromkeys(failed, whole[0])
    if len(whole) > 1:
        return {}
    named: dict[str, str] = {}
    for probe in failed:
        outcome = student[probe]
        if outcome["status"] != "ok" or information(outcome["evidence"]) < MIN_NUMBERS:
            continue
        matches = [
            key for key, outcomes in mistakes.items()
            if probe in outcomes and same(outcome, outcomes[probe])
        ]
        if len(matches) == 1 and not ruled_out(matches[0]):
            named[probe] = matches[0]
    return named

"""Evidence cut into entries, and which of them a judge refuses: what naming counts.

An entry is what stands under one key of evidence that is a dict, or under the keys of dicts inside it. A judge that
looks at the evidence as a whole makes one entry of it, and so does an error.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dgm.checks.compare import as_array, first_difference, is_numeric
from dgm.checks.judges import Close, Context, Exact, Fields, Judge, decide
from dgm.checks.runtime import Outcome

Place = tuple[str, ...]  # the keys that lead to an entry
WHOLE: Place = ()
CHANGED: Place = ("an input changed in place",)  # as it is no part of the evidence, an entry of its own
NEARER = 0.1  # how much nearer than to the right values two wrong ones must be to be the same


def failed_entries(outcome: Outcome, expected: Outcome, judge: Judge, context: Context) -> dict[Place, Any]:
    """The entries of an outcome that the judge refuses, with what stands there."""
    context = replace(context, brief=True)
    if outcome["status"] != "ok":
        error = outcome.get("error") or {}
        return {WHOLE: [outcome["status"], error.get("type"), error.get("message")]}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about evidence that may be anything
        failed = dict(_refused(outcome["evidence"], expected["evidence"], judge, context, WHOLE))
    if set(outcome["mutated"]) - set(expected["mutated"]):
        failed[CHANGED] = True
    return failed


def _refused(got: Any, want: Any, judge: Judge, context: Context, place: Place) -> Iterator[tuple[Place, Any]]:
    by_key = isinstance(judge, (Close, Exact, Fields)) and isinstance(want, dict) and isinstance(got, dict)
    if by_key and set(got) == set(want):
        for key in want:
            part = judge.of(key) if isinstance(judge, Fields) else judge
            yield from _refused(got[key], want[key], part, context, (*place, key))
    elif not decide(judge, got, want, context).passed:
        yield place, got


def related(one: Place, other: Place) -> bool:
    """Whether one of two entries holds the other."""
    return one[: len(other)] == other[: len(one)]


def value_at(evidence: Any, place: Place) -> Any:
    """What stands at an entry; None where there is no such place."""
    for key in place:
        evidence = evidence.get(key) if isinstance(evidence, dict) else None
    return evidence


def nearer(got: Any, other: Any, want: Any) -> bool:
    """Whether ``got`` is much nearer to ``other`` than to ``want``: an agreement that is more than both being close."""
    return misfit(got, other, want) <= NEARER


def misfit(got: Any, other: Any, want: Any) -> float:
    """How far ``got`` is from ``other``, in units of its distance from the right ``want``: 0 where both are the same.

    All are within the tolerance of naming of each other where a judge's is much smaller; then closeness tells nothing.
    """
    if isinstance(got, dict):
        if not (isinstance(other, dict) and set(other) == set(got)):
            return 1.0
        parts = [misfit(got[key], other[key], value_at(want, (key,))) for key in got]
        return max(parts, default=0.0)
    mine, theirs, right = (_numbers(item) for item in (got, other, want))
    if mine is None or theirs is None or mine.shape != theirs.shape:
        return 0.0 if first_difference(got, other, 0, 0) is None else 1.0
    if right is None or _shape(got) != _shape(want) or (np.isfinite(mine) != np.isfinite(right)).any():
        return 0.0  # of another form than the right ones, so it is not near them
    both = np.isfinite(mine) & np.isfinite(theirs)
    mine, theirs, right = mine[both], theirs[both], right[both]
    with np.errstate(all="ignore"):
        apart, wrong = np.abs(mine - theirs), np.abs(mine - right)
        size = wrong.max(initial=0.0)  # so that the sums do not overflow
        return float((apart / size).sum() / (wrong / size).sum()) if apart.any() else 0.0


def _numbers(value: Any) -> np.ndarray | None:
    """All numbers of evidence that has only numbers, flat."""
    if is_numeric(value):
        array = as_array(value)
        return None if array.dtype.kind == "c" else array.astype(np.float64).ravel()
    if isinstance(value, list) and value:
        parts = [_numbers(item) for item in value]
        return None if any(part is None for part in parts) else np.concatenate(parts)  # type: ignore[arg-type]
    return None


def _shape(value: Any) -> Any:
    """The shape of an array, or the shapes of a list's items."""
    return [_shape(item) for item in value] if isinstance(value, list) else as_array(value).shape


def distinct_numbers(values: Mapping[Place, Any]) -> int:
    """How many different finite numbers there are in all of the values, to five digits."""
    found: set[str] = set()
    waiting = list(values.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
        elif is_numeric(value) and not isinstance(value, bool):
            array = as_array(value)
            if array.dtype.kind in "fiu":
                found.update(f"{number:.4e}" for number in array[np.isfinite(array)].ravel()[:1000].tolist())
    return len(found)


def same_value(got: Any, other: Any, rtol: float, atol: float) -> bool:
    """Whether two entries hold the same."""
    return first_difference(got, other, rtol, atol) is None

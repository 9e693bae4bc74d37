"""Which named mistake is it? Compares failed evidence with the evidence of every named mistake.

First whole: a mistake that agrees everywhere. Then by entry of evidence: a student's version of a mistake seldom agrees
with ours in everything, and may come with another mistake.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dgm.checks.compare import first_difference, is_numeric
from dgm.checks.entries import (
    CHANGED,
    WHOLE,
    Place,
    distinct_numbers,
    misfit,
    nearer,
    related,
    same_value,
    value_at,
)
from dgm.checks.runtime import Outcome
from dgm.checks.verdicts import sentence
from dgm.checks.words import listed_briefly

RTOL, ATOL = 2e-3, 1e-5
MIN_NUMBERS = 2  # a single number or a bool agrees too easily by chance to name a mistake on its own

# The rule for entries. A mistake must have the student's values in this share of the entries that the student failed;
# it may have other wrong ones in this share as many, and fail at most so many times as many that the student has right.
AGREE, CONTRADICT, FURTHER = 0.6, 0.25, 1
MIN_DISTINCT = 3  # different numbers in what agrees

# Evidence that agrees within the tolerance of naming may still differ in small errors. In units of the student's error,
# the mistake may differ by so much on average; and of several, the best by so much less than the next.
FIT, APART = 0.2, 0.1


@dataclass(frozen=True)
class Name:
    """The mistake behind a failed probe; ``places`` are the entries that it rests on, if not all that failed."""

    mistake: str
    places: tuple[Place, ...] = ()

    def message(self, title: str) -> str:
        """The sentence for the student, by the mistake's title."""
        names = [f"*{', '.join(place)}*" for place in self.places]
        if not names:
            return sentence(title)
        return f"In {listed_briefly(names)}: {sentence(title)}"


@dataclass(frozen=True)
class Entries:
    """What naming by entry needs.

    Attributes:
        wrong: For each failed probe, the entries that the student failed, with what stands there.
        of_mistake: The same of a mistake, by its key, on a probe; asked only where it may matter.
        right: For each failed probe, the reference's evidence.
    """

    wrong: Mapping[str, Mapping[Place, Any]]
    of_mistake: Callable[[str, str], Mapping[Place, Any]]
    right: Mapping[str, Any]


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
    entries: Entries | None = None,
) -> dict[str, Name]:
    """For each failed probe the mistake that explains it, or nothing.

    A mistake that agrees with the student on every probe of the question, and would pass what the student passed,
    explains all failed ones. Otherwise, a failed probe is named after the best of

    1. the mistake that explains most of the question's failed entries, if it explains all of this probe's,
    2. the only mistake with the same, rich evidence on this probe, if it would pass what the student passed (there may
       be two mistakes, in different functions),
    3. the first again, if it explains some of this probe's failed entries,
    4. the mistake that explains most of this probe's failed entries.

    Args:
        student: Outcome of each of the question's probes, by probe name. They are compared in this order until one
            differs, and only then is the mistake's outcome asked for: put first what is cheap and tells most.
        mistakes: For each mistake's key, its outcome on the same probes.
        failed: Names of the probes that the student failed.
        same: Compares a student's outcome with a mistake's.
        ruled_out: Whether the mistake with this key would fail a probe that the student passed.
        entries: Failed entries; without them only whole evidence is compared.

    Returns:
        Names by probe, only where one mistake is the best explanation.
    """
    whole = [
        key for key, outcomes in mistakes.items()
        if all(same(outcome, outcomes[probe]) for probe, outcome in student.items() if probe in outcomes)
    ]
    whole = [key for key in whole if failed and not ruled_out(key)]
    best = _best_fit(whole, failed, student, mistakes, entries) if whole else None
    if best is not None:
        return dict.fromkeys(failed, Name(best))
    asked = [probe for probe, outcome in student.items() if probe in failed or outcome["status"] == "ok"]
    known = {key: [probe for probe in asked if probe in outcomes] for key, outcomes in mistakes.items()}
    most = _explained(failed, known, entries)
    named: dict[str, Name] = {}
    for probe in failed:
        if probe in most and not most[probe].places:
            named[probe] = most[probe]
            continue
        alone = _only_match(probe, student, mistakes, same, entries)
        if alone is not None and not ruled_out(alone):
            named[probe] = Name(alone)
        elif probe in most:
            named[probe] = most[probe]
        else:
            named.update(_explained([probe], known, entries))
    return named


def _only_match(
    probe: str, student: Mapping[str, Outcome], mistakes: Mapping[str, Mapping[str, Outcome]],
    same: Callable[[Outcome, Outcome], bool], entries: Entries | None,
) -> str | None:
    """The only mistake with the same evidence on a probe, if that evidence is rich."""
    outcome = student[probe]
    if outcome["status"] != "ok" or information(outcome["evidence"]) < MIN_NUMBERS:
        return None
    matches = [
        key for key, outcomes in mistakes.items()
        if probe in outcomes and same(outcome, outcomes[probe])
    ]
    return _best_fit(matches, [probe], student, mistakes, entries) if matches else None


def _best_fit(
    keys: list[str], failed: list[str], student: Mapping[str, Outcome], mistakes: Mapping[str, Mapping[str, Outcome]],
    entries: Entries | None,
) -> str | None:
    """Of mistakes that agree with the student, the one whose errors are the student's; None if two are, or none is."""
    if len(keys) == 1 and (entries is None or all(student[probe] is mistakes[keys[0]][probe] for probe in failed)):
        return keys[0]
    if entries is None:
        return None
    fits = sorted((_mean_misfit(key, failed, entries), key) for key in keys)
    clear = len(fits) == 1 or fits[1][0] - fits[0][0] >= APART
    return fits[0][1] if clear and fits[0][0] <= FIT else None


def _mean_misfit(key: str, failed: Iterable[str], entries: Entries) -> float:
    """How far a mistake's wrong values are from the student's, on average over the student's failed entries."""
    misfits = []
    for probe in failed:
        theirs = entries.of_mistake(key, probe)
        for place, got in entries.wrong[probe].items():
            right = value_at(entries.right[probe], place)
            misfits.append(min(1.0, misfit(got, theirs[place], right)) if place in theirs else 1.0)
    return sum(misfits) / max(1, len(misfits))


def _explained(failed: Iterable[str], known: Mapping[str, list[str]], entries: Entries | None) -> dict[str, Name]:
    """The names that the best explanation of the entries of failed probes gives to them."""
    if entries is None:
        return {}
    wrong = {probe: _told_by_numbers(entries.wrong[probe]) for probe in failed}
    wrong = {probe: places for probe, places in wrong.items() if places}
    agreed = {key: _agreement(key, probes, wrong, entries) for key, probes in known.items()}
    counts = {key: sum(map(len, places.values())) for key, places in agreed.items() if places}
    ranked = sorted(counts, key=lambda key: counts[key], reverse=True)
    for count, group in itertools.groupby(ranked, key=lambda key: counts[key]):
        best = [key for key in group if _fails_little_more(key, known[key], FURTHER * count, entries)]
        best = [key for key in best if not _wrong_beyond_gradients(key, known[key], wrong, entries)]
        if best:
            fits = sorted((_mean_misfit(key, wrong, entries), key) for key in best)
            if len(best) > 1 and fits[1][0] - fits[0][0] < APART:
                return {}
            found = fits[0][1]
            return {
                probe: Name(found, () if len(places) == len(entries.wrong[probe]) or WHOLE in places else tuple(places))
                for probe, places in agreed[found].items() if set(places) - {CHANGED}
            }
    return {}


def _agreement(
    key: str, probes: list[str], wrong: Mapping[str, Mapping[Place, Any]], entries: Entries
) -> dict[str, list[Place]]:
    """Where a mistake has the student's wrong values, by probe; empty where that is not enough for a name."""
    agreed: dict[str, list[Place]] = {}
    total = sum(map(len, wrong.values()))
    left, contradicted = total, 0  # how many may still agree, so that slow probes are asked of few mistakes
    for probe, places in wrong.items():
        theirs = entries.of_mistake(key, probe) if probe in probes else {}
        for place, got in places.items():
            if place in theirs and same_value(got, theirs[place], RTOL, ATOL):
                if nearer(got, theirs[place], value_at(entries.right[probe], place)):
                    agreed.setdefault(probe, []).append(place)
                else:
                    left -= 1
            else:
                contradicted += any(related(place, other) for other in theirs)
                left -= 1
        if left < AGREE * total or contradicted > CONTRADICT * left:
            return {}
    values = {(probe, *place): wrong[probe][place] for probe, places in agreed.items() for place in places}
    return agreed if distinct_numbers(values) >= MIN_DISTINCT else {}


def _told_by_numbers(places: Mapping[Place, Any]) -> dict[Place, Any]:
    """The entries without those that hold a sentence about an error: many mistakes lead to the same one."""
    return {place: got for place, got in places.items() if not isinstance(got, str)}


def _wrong_beyond_gradients(
    key: str, probes: list[str], wrong: Mapping[str, Mapping[Place, Any]], entries: Entries
) -> bool:
    """Whether a mistake has wrong values too, where the student has only wrong gradients: then it is another one."""
    if not all(_of_gradients(place) for places in wrong.values() for place in places):
        return False
    return any(not _of_gradients(place) for probe in probes for place in entries.of_mistake(key, probe))


def _of_gradients(place: Place) -> bool:
    return any("grad" in part.lower() for part in place)


def _fails_little_more(key: str, probes: list[str], most: int, entries: Entries) -> bool:
    """Whether a mistake fails at most so many entries that the student has right."""
    further = 0
    for probe in probes:
        mine = entries.wrong.get(probe, {})
        further += sum(not any(related(place, other) for other in mine) for place in entries.of_mistake(key, probe))
        if further > most:
            return False
    return True

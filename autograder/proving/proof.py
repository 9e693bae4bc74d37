"""What a proof counts: for each question and each of its mistakes, over seeds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

NOTE = "TODO(author)"  # in the files that `autograder new` writes, and wherever an author leaves a note
Number = TypeVar("Number", int, float)


def _added(one: dict[str, Number], other: dict[str, Number]) -> dict[str, Number]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


@dataclass
class MistakeProof:
    """How often one mistake was caught, named, and named as another; and which of the probes that ran caught it."""

    id: str
    title: str
    caught: int = 0
    named: int = 0
    misnamed: int = 0
    probes: dict[str, int] = field(default_factory=dict)

    def joined(self, other: MistakeProof) -> MistakeProof:
        """The counts of both."""
        return replace(
            self,
            caught=self.caught + other.caught,
            named=self.named + other.named,
            misnamed=self.misnamed + other.misnamed,
            probes=_added(self.probes, other.probes),
        )


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
    seconds: dict[str, float] = field(default_factory=dict)  # of each probe on the reference, over all runs
    runs: int = 0
    todo: list[str] = field(default_factory=list)  # what the author has still to do
    faults: list[str] = field(default_factory=list)  # mistakes that do not even run

    def mean_seconds(self) -> dict[str, float]:
        """What each probe takes on the reference."""
        return {name: seconds / max(1, self.runs) for name, seconds in self.seconds.items()}

    def joined(self, other: QuestionProof) -> QuestionProof:
        """The proof on the seeds of both."""
        return replace(
            self,
            seeds=self.seeds + other.seeds,
            reference_passes=self.reference_passes + other.reference_passes,
            blank_score=other.blank_score if self.blank_score is None else self.blank_score,
            alternatives={key: count + other.alternatives[key] for key, count in self.alternatives.items()},
            mistakes=[one.joined(two) for one, two in zip(self.mistakes, other.mistakes, strict=True)],
            problems=[*self.problems, *other.problems],
            seconds=_added(self.seconds, other.seconds),
            runs=self.runs + other.runs,
            todo=[*self.todo, *other.todo],
            faults=[*self.faults, *other.faults],
        )

    @property
    def ok(self) -> bool:
        return (
            self.reference_passes == self.seeds
            and not self.faults
            and not any(NOTE in text for text in self.todo)
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
            "todo": self.todo,
        }

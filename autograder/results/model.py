"""Results as plain data: what a grader reads, stores and exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from dgm.checks.status import ERROR, FAILED, TIMEOUT
from dgm.checks.status import MISSING as MISSING  # passed on: results speak of them
from dgm.checks.status import PASSED as PASSED

GRADED, INVALID, INTERNAL = "graded", "invalid", "internal"


@dataclass
class ProbeResult:
    """One probe's verdict. ``mistake`` is the key of the named mistake, ``message`` what the student reads."""

    id: str
    title: str
    points: float
    earned: float
    public: bool
    status: str
    message: str = ""
    mistake: str | None = None
    seconds: float = 0.0


@dataclass
class QuestionResult:
    """One question. ``follow_through``: credit given with the reference's version of an earlier answer."""

    id: str
    title: str
    score: float
    max_score: float
    status: str
    bonus: bool = False
    follow_through: bool = False
    probes: list[ProbeResult] = field(default_factory=list)


@dataclass
class SubmissionResult:
    """One submission.

    ``score`` and ``max_score`` are the points earned and possible in core questions: a score is never more than its
    maximum. ``bonus`` is what was earned in optional questions, all of it, and ``bonus_limit`` how much of that counts
    (None: all). `total` is what counts in the end, and what is handed on to whoever wants a single number.

    ``status`` is graded; invalid (there is no notebook that can be graded) or internal (the grader failed, grade it
    again), and then ``problem`` is the reason.
    """

    assignment: str
    student: str
    score: float
    max_score: float
    seed: int
    device: str
    sandbox: str
    seconds: float
    notebook_sha256: str
    notes: list[str] = field(default_factory=list)
    questions: list[QuestionResult] = field(default_factory=list)
    status: str = GRADED
    problem: str = ""
    bonus: float = 0.0
    bonus_limit: float | None = None

    @property
    def counted_bonus(self) -> float:
        """The bonus points that count."""
        return self.bonus if self.bonus_limit is None else min(self.bonus, self.bonus_limit)

    @property
    def total(self) -> float:
        """The score with the bonus points that count."""
        return round(self.score + self.counted_bonus, 6)

    def question(self, id: str) -> QuestionResult | None:
        return next((question for question in self.questions if question.id == id), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SubmissionResult:
        questions = [question_from_json(question) for question in data["questions"]]
        if "bonus" not in data:  # a file from when the score included the bonus
            data = {**data, "score": earned(questions), "bonus": earned(questions, bonus=True)}
        return cls(**{**data, "questions": questions})


def question_from_json(data: dict[str, Any]) -> QuestionResult:
    return QuestionResult(**{**data, "probes": [ProbeResult(**probe) for probe in data["probes"]]})


def earned(questions: Sequence[QuestionResult], *, bonus: bool = False) -> float:
    """Points of the core questions, or of the bonus questions; rounded, so that sums of decimal points look like it."""
    return round(sum(question.score for question in questions if question.bonus is bonus), 6)


def possible(questions: Sequence[QuestionResult]) -> float:
    """The most that can be earned in the core questions."""
    return sum(question.max_score for question in questions if not question.bonus)


def question_status(probes: list[ProbeResult]) -> str:
    """The status of a question: passed if all probes are, else the gravest of what happened."""
    statuses = {probe.status for probe in probes}
    if statuses == {PASSED}:
        return PASSED
    if statuses == {MISSING}:
        return MISSING
    return next((status for status in (TIMEOUT, ERROR) if status in statuses), FAILED)


@dataclass
class Batch:
    """What a run did. ``results`` are of its submissions; ``kept`` are students of earlier runs in the same folder."""

    results: list[SubmissionResult] = field(default_factory=list)
    seed: int = 0
    sandbox: str = ""
    reused: int = 0
    kept: list[str] = field(default_factory=list)


def without_times(data: dict[str, Any]) -> dict[str, Any]:
    """A result's JSON without what a clock said: the same in every run with the same seed."""
    questions = [
        {**question, "probes": [{**probe, "seconds": 0} for probe in question["probes"]]}
        for question in data["questions"]
    ]
    return {**data, "seconds": 0, "questions": questions}

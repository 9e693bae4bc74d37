"""Results as plain data: what a grader reads, stores and exports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

PASSED, FAILED, ERROR, TIMEOUT, MISSING = "passed", "failed", "error", "timeout", "missing"


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
    """One submission; ``score`` includes bonus points, ``max_score`` does not."""

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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SubmissionResult:
        questions = [
            QuestionResult(**{**question, "probes": [ProbeResult(**probe) for probe in question["probes"]]})
            for question in data["questions"]
        ]
        return cls(**{**data, "questions": questions})


def question_status(probes: list[ProbeResult]) -> str:
    """The status of a question: passed if all probes are, else the gravest of what happened."""
    statuses = {probe.status for probe in probes}
    if statuses == {PASSED}:
        return PASSED
    if statuses == {MISSING}:
        return MISSING
    return next((status for status in (TIMEOUT, ERROR) if status in statuses), FAILED)

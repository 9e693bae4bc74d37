"""Figures of a class for the graders' page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from autograder.results.model import GRADED, MISSING, PASSED, QuestionResult, SubmissionResult
from autograder.results.summary import percent

BINS = 10
CHART_HEIGHT = 130
TOP = 3


@dataclass(frozen=True)
class QuestionFigures:
    """One question over all graded submissions; ``mistakes``: (sentence, number of students), most frequent first."""

    id: str
    title: str
    bonus: bool
    max_score: float
    mean: float
    full: int
    missing: int
    mistakes: list[tuple[str, int]]


def question_figures(results: Sequence[SubmissionResult]) -> list[QuestionFigures]:
    """Figures per question, in the order of the problem set."""
    graded = [result for result in results if result.status == GRADED]
    by_id: dict[str, list[QuestionResult]] = {}
    for result in graded or results:
        for question in result.questions:
            by_id.setdefault(question.id, []).append(question)
    return [_figures(questions) for questions in by_id.values()]


def _figures(questions: list[QuestionResult]) -> QuestionFigures:
    first = questions[0]
    sentences: Counter[str] = Counter()
    for question in questions:
        # one student counts once for a sentence; named mistakes say more than other messages
        failed = [probe for probe in question.probes if probe.status not in (PASSED, MISSING)]
        sentences.update({probe.message for probe in failed if probe.message})
    return QuestionFigures(
        first.id, first.title, first.bonus, first.max_score,
        round(mean(question.score for question in questions), 2),
        sum(question.status == PASSED for question in questions),
        sum(question.status == MISSING for question in questions),
        sorted(sentences.items(), key=lambda item: (-item[1], item[0]))[:TOP],
    )


def spread(results: Sequence[SubmissionResult]) -> dict[str, float] | None:
    """Mean, median and range in percent of the graded submissions; None without any."""
    values = [percent(result) for result in results if result.status == GRADED]
    if not values:
        return None
    return {"mean": round(mean(values), 1), "median": round(median(values), 1), "low": min(values), "high": max(values)}


def histogram(results: Sequence[SubmissionResult]) -> list[dict[str, Any]]:
    """Ten bins of percent, the last one with everything from 90 up; empty without graded submissions."""
    counts = [0] * BINS
    for result in results:
        if result.status == GRADED:
            counts[min(BINS - 1, max(0, int(percent(result) // (100 / BINS))))] += 1
    most = max(counts)
    if most == 0:
        return []
    labels = [f"{10 * index}–{10 * index + 10}" for index in range(BINS - 1)] + ["90 and up"]
    return [
        {"label": label, "count": count, "height": round(CHART_HEIGHT * count / most, 1)}
        for label, count in zip(labels, counts, strict=True)
    ]

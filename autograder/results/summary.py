"""The table of a run: one row a student, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.files import write_atomically
from autograder.results.model import GRADED, MISSING, PASSED, QuestionResult, SubmissionResult

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# Where the reader's language separates columns by it; quotes after it are doubled in the file, and vanish there.
_AFTER_SEPARATOR = re.compile(r"""([;|][\s"']*)(?=[=+@＝＋－＠-])""")


def reason(question: QuestionResult) -> str:
    """In a few words why a question did not get full points; empty when it did."""
    if question.status == PASSED:
        return ""
    if question.status == MISSING:
        return "not answered"
    failed = [probe for probe in question.probes if probe.status != PASSED]
    named = next((probe for probe in failed if probe.mistake), failed[0] if failed else None)
    return named.message if named else question.status


def went_wrong(result: SubmissionResult, limit: int = 1000, each: int = 300) -> str:
    """One line on what went wrong in a submission: at most ``each`` characters a question, ``limit`` in all."""
    if result.status != GRADED:
        return result.problem
    if result.questions and all(question.status == MISSING for question in result.questions):
        return "Nothing is answered."
    parts = [f"{question.id}: {reason(question)}" for question in result.questions if reason(question)]
    return cut("; ".join(cut(part, each).rstrip(".") for part in parts), limit)


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def bonus_text(result: SubmissionResult) -> str:
    """`` + 3 bonus``, to follow a score; empty without bonus points. It says so where not all of them count."""
    if not result.bonus:
        return ""
    uncounted = "" if result.counted_bonus == result.bonus else f" (of {_number(result.bonus)} earned)"
    return f" + {_number(result.counted_bonus)} bonus{uncounted}"


def score_text(result: SubmissionResult) -> str:
    """``94 of 100 + 3 bonus``: how a score is shown everywhere; of bonus questions alone, ``3 bonus``."""
    if not result.max_score and any(question.bonus for question in result.questions):
        return f"{_number(result.counted_bonus)} bonus"
    return f"{_number(result.score)} of {_number(result.max_score)}{bonus_text(result)}"


def _number(points: float) -> str:
    return f"{round(points, 2):g}"


def percent(result: SubmissionResult) -> float:
    """The score in percent, bonus points left out."""
    return round(100 * result.score / result.max_score, 2) if result.max_score else 0.0


def row(result: SubmissionResult) -> dict[str, Any]:
    """A student's row as plain data."""
    return {
        "student": result.student, "status": result.status, "score": result.score, "max_score": result.max_score,
        "bonus": result.counted_bonus, "total": result.total, "percent": percent(result),
        "questions": {question.id: question.score for question in result.questions},
        "follow_through": [question.id for question in result.questions if question.follow_through],
        "went_wrong": went_wrong(result), "notes": result.notes,
    }


def safe_cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    text = _AFTER_SEPARATOR.sub(r"\1'", text)
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def to_csv(results: Sequence[SubmissionResult]) -> str:
    """The table as CSV with a header; questions in the order of the first result."""
    ids = list(dict.fromkeys(question.id for result in results for question in result.questions))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    points = ["score", "max_score", "bonus", "total", "percent"]
    header = ["student", "status", *points, *ids, "follow_through", "went_wrong", "notes"]
    writer.writerow(header)
    for result in results:
        data = row(result)
        writer.writerow([
            safe_cell(data["student"]), data["status"], *(f"{data[name]:g}" for name in points),
            *(f"{data['questions'].get(id, 0):g}" for id in ids),
            safe_cell(" ".join(data["follow_through"])), safe_cell(data["went_wrong"]),
            safe_cell(" ".join(data["notes"])),
        ])  # fmt: skip
    return stream.getvalue()


def write_summary(out: Path, results: Sequence[SubmissionResult]) -> None:
    """Write ``summary.csv`` and ``summary.json``."""
    write_atomically(out / "summary.csv", "\ufeff" + to_csv(results))
    text = json.dumps([row(result) for result in results], indent=1, ensure_ascii=False)
    write_atomically(out / "summary.json", text + "\n")

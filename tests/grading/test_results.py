"""Results as data: points of core and bonus questions, in the files of a run, also in old ones."""

from __future__ import annotations

import csv
import io
import json

import pytest

from autograder.results.model import QuestionResult, SubmissionResult, earned, possible
from autograder.results.store import Store
from autograder.results.summary import percent, score_text, to_csv, write_summary


def _result(student="ada", limit=None):
    questions = [
        QuestionResult("q1", "Core", 90.1, 94, "failed"), QuestionResult("q2", "More", 2.2, 6, "failed"),
        QuestionResult("q3", "Extra", 3.5, 5, "failed", True), QuestionResult("q4", "Extra", 8.5, 9, "failed", True),
    ]
    return SubmissionResult(
        "ps9", student, earned(questions), possible(questions), 1, "cpu", "process", 1.0, "f", questions=questions,
        bonus=earned(questions, bonus=True), bonus_limit=limit,
    )


@pytest.mark.parametrize(("limit", "total", "text"), [
    (None, 104.3, "92.3 of 100 + 12 bonus"), (20, 104.3, "92.3 of 100 + 12 bonus"),
    (10, 102.3, "92.3 of 100 + 10 bonus (of 12 earned)"), (0, 92.3, "92.3 of 100 + 0 bonus (of 12 earned)"),
])
def test_points(limit, total, text):
    result = _result(limit=limit)
    assert (result.score, result.max_score, result.bonus, result.total) == (92.3, 100, 12, total)
    assert score_text(result) == text and percent(result) == 92.3


def test_without_bonus_nothing_is_said_of_it():
    result = _result()
    result.bonus = 0.0
    assert score_text(result) == "92.3 of 100" and result.total == 92.3


def test_files_have_score_bonus_and_total(tmp_path):
    (row,) = csv.DictReader(io.StringIO(to_csv([_result(limit=10)])))
    assert [row[name] for name in ("score", "max_score", "bonus", "total", "percent")] == [
        "92.3", "100", "10", "102.3", "92.3",
    ]
    write_summary(tmp_path, [_result(limit=10)])
    (row,) = json.loads((tmp_path / "summary.json").read_text())
    assert (row["score"], row["bonus"], row["total"]) == (92.3, 10, 102.3)


def test_results_come_back_as_they_were(tmp_path):
    store = Store(tmp_path)
    store.save(_result(limit=10))
    assert store.results() == [_result(limit=10)]


def test_a_file_from_when_the_score_included_the_bonus(tmp_path):
    store = Store(tmp_path)
    store.save(_result())
    path = tmp_path / "results" / "ada.json"
    data = json.loads(path.read_text())
    del data["bonus"], data["bonus_limit"]
    path.write_text(json.dumps({**data, "score": 104.3}))
    (result,) = store.results()
    assert (result.score, result.bonus, result.total) == (92.3, 12, 104.3)

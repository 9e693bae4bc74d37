"""Judging hostile evidence takes bounded time and memory, and can be interrupted."""

import base64
import threading
import time

import numpy as np
import pytest
from grading_helpers import LIMITS, RIGHT, FakePool, scores, write_files
from grading_helpers import submission as make

from autograder.grading import deadline, submission
from autograder.grading.deadline import Deadlines, TooLong
from autograder.grading.evidence import evidence_that_counts
from autograder.grading.forked import weight
from autograder.grading.kept import BUDGET, KeptEvidence
from autograder.grading.outcomes import MIN_PAYLOAD
from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.probes.load import load_problem_set

PROBES = 6


def reply(evidence: str) -> bytes:
    return f'{{"status": "ok", "evidence": {evidence}, "error": null, "mutated": [], "seconds": 0}}'.encode()


@pytest.fixture
def many_probes(course):
    """The course, with many probes in its first question."""
    probe = '@question.probe(points=1)\ndef probe_{0}(student, rng):\n    return student.double(rng.normal(4, 5))\n'
    text = "\n\n".join(probe.format(i) for i in range(PROBES))
    head = 'from autograder.probes import Question\n\nquestion = Question(title="Doubling")\n\n\n'
    write_files(course / "ps9_demo", {"q01_double/probes.py": head + text})
    return load_problem_set(course / "ps9_demo")


def test_large_replies_are_judged_as_they_come_and_not_kept(many_probes, monkeypatch):
    pool, kept = FakePool(), []
    array = base64.b64encode(bytes(1_600_000 // 4 * 3)).decode()
    crowded = ",".join(['{"":0}'] * 30_000)
    pool.payload = reply(f'[{{"__array__": ["f4", [300000], "{array}"]}}, {crowded}]')
    assert MIN_PAYLOAD * 0.8 < len(pool.payload) < MIN_PAYLOAD

    def spy(session, *args):
        kept.append(sum(weight(outcome["evidence"]) for outcome in session.in_place.values()))
        return evidence_that_counts(session, *args)

    monkeypatch.setattr(submission, "evidence_that_counts", spy)
    result = SubmissionGrader(many_probes, Referee(many_probes, 5), pool, LIMITS).grade(make("eve", *RIGHT))
    assert result.score == 0 and len(result.questions[0].probes) == PROBES
    assert 2**20 < kept[0] < BUDGET + 2**20


def test_tiny_containers_are_counted(problem_set):
    referee = Referee(problem_set, 5)
    kept = KeptEvidence(referee, budget=2**20)
    key = ("q1", "small")
    small = {"status": "ok", "evidence": np.zeros(3), "error": None, "mutated": [], "seconds": 0.0}
    many = {**small, "evidence": [{"": 0} for _ in range(4000)]}
    assert weight(many["evidence"]) > 4000 * 200
    assert kept.settle(key, many)["evidence"] is many["evidence"]
    settled = kept.settle(key, many)
    assert settled["evidence"] is None
    question = problem_set.question("q1")
    assert referee.judge_probe(question, question.probes[0], settled).status == "failed"
    assert kept.settle(key, small) is small  # what is not large costs nothing


@pytest.fixture
def looping(course):
    """The course, with a judge that goes through the rows of what it gets, and for `-1` through very many."""
    path = course / "ps9_demo" / "q01_double" / "probes.py"
    text = path.read_text().replace("@question.probe(", '''def careless(evidence, expected, context):
    for _ in range(10**12 if float(evidence[0, 0]) == -1 else len(evidence)):
        try:
            pass
        except Exception:
            pass
    return evidence.shape == expected.shape


@question.probe(judge=careless, ''', 1)
    path.write_text(text)
    return load_problem_set(course / "ps9_demo")


LOOP = "def double(x):\n    return -torch.ones(4, 5)"


def test_a_judge_that_goes_on_and_on_fails_its_probe_only(looping, monkeypatch):
    monkeypatch.setattr(deadline, "SECONDS", 0.3)
    grader = SubmissionGrader(looping, Referee(looping, 5), FakePool(), LIMITS)
    result = grader.grade(make("eve", RIGHT[0], LOOP, *RIGHT[2:]))
    verdict = result.questions[0].probes[0]
    assert verdict.status == "failed" and "too long" in verdict.message
    assert scores(grader.grade(make("ada", *RIGHT))) == [3, 3, 4]


def test_ctrl_c_ends_a_judge(looping):
    """What a run does when it is interrupted ends the judge in its thread, long before the deadline."""
    referee = Referee(looping, 5)
    question = looping.question("q1")
    evidence = {"status": "ok", "evidence": -np.ones((4, 5), np.float32), "error": None, "mutated": [], "seconds": 0.0}
    referee.expected(question, question.probes[0])
    found = []
    thread = threading.Thread(
        target=lambda: found.append(referee.judge_probe(question, question.probes[0], evidence)), daemon=True
    )
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    referee.stop()
    thread.join(60)
    assert found and found[0].status == "failed"


def test_deadlines_end_calls_once_and_leave_nothing_behind():
    deadlines = Deadlines(seconds=0.2)

    def forever():
        while True:
            pass

    for _ in range(3):
        with pytest.raises(TooLong):
            deadlines.call(forever)
        assert deadlines.call(lambda: sum(range(1000))) == 499500
    with pytest.raises(ZeroDivisionError):
        deadlines.call(lambda: 1 / 0)
    assert not deadlines._calls


def test_a_busy_machine_does_not_use_up_a_judges_time():
    """Time is the thread's own: to wait is not to compute."""
    assert Deadlines(seconds=0.2).call(lambda: time.sleep(1) or "done") == "done"

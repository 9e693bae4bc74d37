"""Judging unusually large evidence: the same answers, limits of time and memory, and nothing left behind."""

import os
import time

import numpy as np
import pytest
from grading_helpers import LIMITS, RIGHT, SETUP, FakePool
from grading_helpers import submission as make

from autograder.grading.forked import ForkedCall, unusually_large, weight
from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.probes.load import load_problem_set


def children():
    return set(open(f"/proc/self/task/{os.getpid()}/children").read().split())


def test_it_returns_what_the_function_returns():
    before = children()
    assert ForkedCall(lambda: ("failed", "π" * 10**5)).result() == ["failed", "π" * 10**5]
    assert children() == before


@pytest.mark.parametrize("function", [
    lambda: time.sleep(600), lambda: bytearray(10**9) and 1, lambda: 1 / 0, lambda: object(), lambda: os._exit(0),
])
def test_what_goes_wrong_is_none(function):
    before, start = children(), time.monotonic()
    assert ForkedCall(function, seconds=2, megabytes=200).result() is None
    assert time.monotonic() - start < 300 and children() == before


def test_what_is_unusually_large():
    right = {"a": np.zeros((100, 100)), "b": ["x"] * 10}
    assert not unusually_large(right, right)
    assert not unusually_large(None, right)
    assert unusually_large({"a": np.zeros((1000, 100))}, right)
    assert unusually_large("x" * 10**6, right)
    assert unusually_large([[[]] * 1000] * 100, 1.0)
    assert weight([{}] * 1000) > 1000 * weight(1)  # whatever is in them
    assert weight({"a": [np.zeros(4), "xyz", 1]}) > weight({"a": [np.zeros(4), "xyz"]}) > weight(np.zeros(4))


@pytest.fixture
def slow_judge(course):
    """The course, with a judge in its first question that takes the square of what it gets, in time and memory."""
    path = course / "ps9_demo" / "q01_double" / "probes.py"
    text = path.read_text().replace("@question.probe(", '''def careless(evidence, expected, context):
    import numpy as np
    x = np.ravel(evidence)
    np.add.outer(x, x)
    return np.allclose(np.resize(evidence, np.shape(expected)), expected)


@question.probe(judge=careless, ''', 1)
    path.write_text(text)
    return load_problem_set(course / "ps9_demo")


def test_a_judge_that_takes_too_much_fails_its_probe_only(slow_judge):
    grader = SubmissionGrader(slow_judge, Referee(slow_judge, 5), FakePool(), LIMITS)
    assert grader.grade(make("ada", *RIGHT)).score == 10
    huge = "def double(x):\n    return (2 * x).repeat(3000, *[1] * (x.ndim - 1)) if x.abs().max() < 50 else 2 * x"
    result = grader.grade(make("eve", SETUP, huge, *RIGHT[2:]))
    verdict = result.questions[0].probes[0]
    assert verdict.status == "failed" and "MemoryError" in verdict.message
    assert result.questions[0].probes[1].status == "passed"

"""Fixtures of the grading tests."""

from pathlib import Path

import pytest
from grading_helpers import LIMITS, FakePool, make_course

from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.submissions.matching import Matcher, matcher_for


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The folder of a course with the problem set ps9."""
    root = tmp_path / "course"
    make_course(root)
    return root


@pytest.fixture
def problem_set(course: Path) -> ProblemSet:
    return load_problem_set(course / "ps9_demo")


@pytest.fixture
def pool() -> FakePool:
    """Kernels that need no process."""
    return FakePool()


@pytest.fixture
def grader(problem_set: ProblemSet, pool: FakePool) -> SubmissionGrader:
    return SubmissionGrader(problem_set, Referee(problem_set, 5), pool, LIMITS)


@pytest.fixture
def matcher(problem_set: ProblemSet, course: Path) -> Matcher:
    return matcher_for(problem_set, course)

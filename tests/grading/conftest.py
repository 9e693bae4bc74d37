"""Fixtures of the grading tests."""

from pathlib import Path

import pytest
from grading_helpers import make_course

from autograder.grading.matching import Matcher, matcher_for
from autograder.probes.load import ProblemSet, load_problem_set


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
def matcher(problem_set: ProblemSet, course: Path) -> Matcher:
    return matcher_for(problem_set, course)

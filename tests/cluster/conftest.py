"""A course for the tests of the cluster, and one cluster of two worker processes for all of them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))

from grading_helpers import make_course

from autograder.probes.load import ProblemSet, load_problem_set


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def problem_set(folder: Path) -> ProblemSet:
    return load_problem_set(folder)


@pytest.fixture(scope="module")
def client():
    from autograder.cluster.clients import open_client

    with open_client("local:2", jobs=1, device="cpu", gpu_slots=1) as client:
        yield client

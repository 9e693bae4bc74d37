"""The fixture of the tests that stand beside the questions: ``psN_…/qNN_…/test_reference.py``."""

import os

# Before torch is imported, and for every process that tests start: their tensors are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait take time from the others

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.probes.load import load_problem_set
from autograder.probes.namespace import public, reference_namespace


@cache
def _reference(folder: Path) -> SimpleNamespace:
    return public(reference_namespace(load_problem_set(folder)))


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The names of the reference solution of the problem set that a test stands in, as students would have them."""
    return _reference(request.path.parents[1])

"""The fixture of the tests that stand beside the questions: ``psN_…/qNN_…/test_reference.py``."""

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

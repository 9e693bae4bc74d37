"""Which tests share a worker, and the fixture of the tests beside the questions: ``psN_…/qNN_…/test_reference.py``."""

import os

# Before torch is imported, and for every process that tests start: several workers share the processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait take time from the others

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.probes.load import load_problem_set
from autograder.probes.namespace import public, reference_namespace

TOGETHER = ("tests/kernel", "tests/attacks")  # warm parents for the whole folder, which take seconds to make


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers (``make test``), a file's tests stay together, unless they are marked with ``spread``."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if item.get_closest_marker("spread") is None and item.get_closest_marker("xdist_group") is None:
            file = item.nodeid.partition("::")[0]
            group = next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)
            item.add_marker(pytest.mark.xdist_group(group))


@cache
def _reference(folder: Path) -> SimpleNamespace:
    return public(reference_namespace(load_problem_set(folder)))


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The names of the reference solution of the problem set that a test stands in, as students would have them."""
    return _reference(request.path.parents[1])

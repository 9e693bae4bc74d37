"""Which tests share a worker, and the fixture of the tests beside the questions: ``psN_…/qNN_…/test_reference.py``."""

import os

# Before torch is imported, and for every process that tests start: several workers share the processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait take time from the others

from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.probes.load import ProblemSet, load_problem_set
from autograder.probes.namespace import public, reference_namespace
from autograder.sets import question_id

TOGETHER = ("tests/kernel/", "tests/attacks/")  # a folder whose tests share what takes seconds to make
LONGEST = "tests/sets/test_graded.py"  # comes first, or a single test would end the run alone
APART = (LONGEST, "tests/sets/test_proofs.py")  # long tests that share little


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="grade whole sample classes and a cut of every set")


def _shared_by(nodeid: str) -> str:
    """Tests of which this is the same run on one worker."""
    file = nodeid.partition("::")[0]
    if file in APART:
        return nodeid
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that all workers end together."""
    sizes = Counter(_shared_by(item.nodeid) for item in items)
    items.sort(key=lambda item: (not item.nodeid.startswith(LONGEST), -sizes[_shared_by(item.nodeid)]))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (``make test``) the tests of a file stay together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _shared_by(nodeid)

    config.option.loadscopereorder = False  # they are in order already
    return ByFile(config, log)


@cache
def _problem_set(folder: Path) -> ProblemSet:
    return load_problem_set(folder)


@cache
def _reference(folder: Path) -> SimpleNamespace:
    return public(reference_namespace(_problem_set(folder)))


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The names of the reference solution of the problem set that a test stands in, as students would have them."""
    folder = request.path.parents[1]
    if question_id(request.path.parent.name) not in {question.id for question in _problem_set(folder).questions}:
        pytest.skip("this question is not in the outline of its set yet")
    return _reference(folder)

"""The reference solution's names, as students would have them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.probes.load import load_problem_set
from autograder.probes.namespace import reference_namespace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def ps1() -> SimpleNamespace:
    problem_set = load_problem_set(ROOT / "ps1_simple_models")
    names = reference_namespace(problem_set)
    return SimpleNamespace(**{name: value for name, value in names.items() if not name.startswith("__")})

"""What a result depends on, as hashes: so that a second run grades only what has changed."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy
import torch

from autograder.kernel import Limits
from autograder.probes.load import ProblemSet

# Folders and files of this program that decide about a result; reports and the command line do not.
DECIDING = (
    "autograder/submissions", "autograder/grading", "autograder/results", "autograder/kernel", "autograder/probes",
    "autograder/sets.py", "autograder/text.py", "dgm",
)


def digest(value: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@functools.cache
def program_digest() -> str:
    """SHA-256 of the deciding source files."""
    root = Path(__file__).resolve().parents[2]
    places = [root / name for name in DECIDING]
    files = sorted(path for place in places for path in ([place] if place.is_file() else place.rglob("*.py")))
    return digest([[str(path.relative_to(root)), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files])


def run_environment(seed: int, device: str, sandbox: str, limits: Limits) -> dict[str, Any]:
    """Everything but the submission and the tests that may change a result."""
    hardware = torch.cuda.get_device_name() if device != "cpu" else platform.machine()
    return {
        "seed": seed, "device": device, "hardware": hardware, "sandbox": sandbox, "limits": asdict(limits),
        "python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__,
        "program": program_digest(),
    }


def question_keys(problem_set: ProblemSet, environment: dict[str, Any]) -> dict[str, str]:
    """A key for each question: of the environment, the reference and the question's own tests."""
    reference = [cell.text for cell in problem_set.source.defining]
    common = digest([environment, problem_set.name, reference, problem_set.shared_text])
    return {
        question.id: digest([common, question.id, question.bonus, question.text]) for question in problem_set.graded
    }


def with_used(keys: Mapping[str, str], uses: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The keys for one notebook: also of the questions that a question uses, see `follow_through.used_questions`.

    Whether these pass decides about follow-through credit.
    """
    return {id: digest([key, [keys[other] for other in uses[id]]]) for id, key in keys.items()}


def dependents(ids: Collection[str], uses: Mapping[str, Sequence[str]]) -> set[str]:
    """The questions ``ids`` and all that use them."""
    return {id for id, used in uses.items() if id in ids or not set(ids).isdisjoint(used)}

"""A small problem set, notebooks, and a kernel that needs no process, for the tests of grading and reporting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.kernel import Execution, Limits, ProbeReply
from autograder.results.model import SubmissionResult, without_times
from autograder.submissions.collect import Submission
from autograder.submissions.notebook import read_notebook
from dgm.checks.runtime import run_probe_json

SET = {
    "ps9.toml": '''\
title = "Demo"
core = ["q01_double", "q02_double_sum", "q03_mean_double"]
''',
    "opening.py": '''\
# %% role="setup"
import torch
''',
    "q01_double/cells.py": '''\
# %% role="answer"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
''',
    "q01_double/probes.py": '''\
from autograder.probes import Question

question = Question(title="Doubling", hints={"double": ["What is two times x?"]})


@question.probe(points=1, public=True, title="small numbers")
def small(student, rng):
    return student.double(rng.normal(4, 5))


@question.probe(points=2, title="large numbers")
def large(student, rng):
    return student.double(1e3 * rng.normal(4, 5))
''',
    "q01_double/mistakes.py": '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at("2 * x", edit("triple", "the factor is `three` instead of two", "3 * x"))
''',
    "q02_double_sum/cells.py": '''\
# %% role="answer"
def double_sum(x):
    """Sum of doubled values along the last axis."""
    ### BEGIN SOLUTION
    return double(x).sum(-1)
    ### END SOLUTION
''',
    "q02_double_sum/probes.py": '''\
from autograder.probes import Question

question = Question(title="Sum of doubles", uses=["double"])


@question.probe(points=3, title="rows")
def rows(student, rng):
    return student.double_sum(rng.normal(4, 5))
''',
    "q03_mean_double/cells.py": '''\
# %% role="answer"
def mean_double(x):
    """Mean of doubled values along the last axis."""
    ### BEGIN SOLUTION
    return double_sum(x) / x.shape[-1]
    ### END SOLUTION
''',
    "q03_mean_double/probes.py": '''\
from autograder.probes import Question

question = Question(title="Mean of doubles", uses=["double_sum"])


@question.probe(points=4, title="means")
def means(student, rng):
    return student.mean_double(rng.normal(3, 5))
''',
}
COURSE = '''\
[course]
title = "Demo"
repository = "owner/name"

[sets.ps9]
due = ""

[grading]
sandbox = "auto"

[grading.limits]
cell_seconds = 8
probe_seconds = 300
total_seconds = 900
'''

SETUP = "import torch"
DOUBLE = "def double(x):\n    return 2 * x"
TRIPLE = "def double(x):\n    return 3 * x"
SUM = "def double_sum(x):\n    return double(x).sum(-1)"
WRONG_SUM = "def double_sum(x):\n    return double(x).sum(0)"
MEAN = "def mean_double(x):\n    return double_sum(x) / x.shape[-1]"
WRONG_MEAN = "def mean_double(x):\n    return double_sum(x)"
RIGHT = (SETUP, DOUBLE, SUM, MEAN)
STUB = "def {}(x):\n    raise NotImplementedError('your answer')"
BLANK = (SETUP, STUB.format("double"), STUB.format("double_sum"), STUB.format("mean_double"))


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their names relative to a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_course(root: Path) -> Path:
    """A course with one problem set, ps9; returns the set's folder."""
    folder = root / "ps9_demo"
    write_files(folder, SET)
    (root / "course.toml").write_text(COURSE)
    return folder


def notebook(*cells: str, language: str = "python", **changes: Any) -> bytes:
    """A notebook's bytes."""
    data: dict[str, Any] = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "k", "language": language}},
        "cells": [
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells
        ],
    }
    return json.dumps(data | changes).encode()


def submission(student: str, *cells: str) -> Submission:
    data = notebook(*cells)
    return Submission(student, f"{student}.ipynb", read_notebook(data), read=lambda: data)


def scores(result: SubmissionResult) -> list[float]:
    """The points of each question."""
    return [question.score for question in result.questions]


class FakeKernel:
    """Runs cells and probes in this process. ``DIE``, ``HANG`` and ``DIE IN PROBE`` in a source do what they say."""

    def __init__(self, pool: FakePool) -> None:
        self.pool, self.alive, self.names = pool, True, {"__name__": "__main__"}
        self.executed: list[str] = []
        self.requests: list[dict[str, Any]] = []

    def __enter__(self) -> FakeKernel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def execute(self, code: str, timeout: float | None = None) -> Execution:
        self.pool.on_execute(code)
        if not self.alive:
            return Execution("died")
        self.executed.append(code)
        if "# DIE\n" in code + "\n":
            self.alive = False
            return Execution("died")
        if "# HANG\n" in code + "\n":
            return Execution("timeout")
        try:
            exec(code, self.names)
        except Exception as error:
            return Execution("error", type(error).__name__, str(error), line=1)
        return Execution("ok")

    def probe(self, request: dict[str, Any], timeout: float | None = None) -> ProbeReply:
        self.requests.append(request)
        if self.pool.payload is not None:
            return ProbeReply("ok", self.pool.payload)
        names = dict(self.names)
        for name, value in list(names.items()):  # functions see the names of this probe, as in a forked process
            if hasattr(value, "__code__"):
                names[name] = type(value)(value.__code__, names, name, value.__defaults__)
        if request["prelude"]:
            exec(request["prelude"], names)
        if request["name"] in self.pool.deadly:
            self.alive = False
            return ProbeReply("died")
        return ProbeReply("ok", run_probe_json(request["source"], request["name"], request["seed"], names))

    def close(self) -> None:
        self.alive = False


class FakePool:
    """Stands in for a `KernelPool`; keeps every kernel it made."""

    level = "fake"

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.kernels: list[FakeKernel] = []
        self.payload: bytes | None = None
        self.deadly: set[str] = set()

    def __enter__(self) -> FakePool:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def start(self) -> FakeKernel:
        self.kernels.append(FakeKernel(self))
        return self.kernels[-1]

    def on_execute(self, code: str) -> None:
        """For tests to interfere."""

    def stop_all(self) -> None:
        for kernel in self.kernels:
            kernel.alive = False

    @property
    def asked(self) -> list[str]:
        """Names of all probes that were sent, in order."""
        return [request["name"] for kernel in self.kernels for request in kernel.requests]


LIMITS = Limits(cell_seconds=300, probe_seconds=300, total_seconds=900)  # none is reached on a busy machine


def on_disk(out: Path) -> dict[str, Any]:
    """All results as they lie there, without what a clock said."""
    return {path.stem: without_times(json.loads(path.read_text())) for path in sorted((out / "results").glob("*.json"))}

"""A tiny problem set in a course of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.jupyter import quick_jupyter

quick_jupyter()

COURSE = {
    "course.toml": '''\
[course]
title = "A course"
repository = "someone/somewhere"

[sets.ps1]
''',
    "ps1_tiny/ps1.toml": '''\
title = "Tiny"
core = ["q01_log_probabilities", "q02_scale"]
''',
    "ps1_tiny/opening.py": '''\
# %% [markdown]
# # Problem set 1 · Tiny

# %% role="setup"
import torch
''',
    "ps1_tiny/q01_log_probabilities/cells.py": '''\
# %% [markdown]
# Write a log-sum-exp.

# %% role="answer"
def logsumexp(x, dim):
    """Logarithm of a sum of exponentials along ``dim``."""
    ### BEGIN SOLUTION
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %%
print("a figure", logsumexp(torch.zeros(1, 2), 1))
''',
    "ps1_tiny/q01_log_probabilities/probes.py": '''\
from autograder.probes import Question

question = Question(title="Stable log-probabilities", hints={"logsumexp": ["gentle", "clearer", "explicit"]})

SCALE = 1e3


@question.probe(points=1, title="moderate numbers", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


@question.probe(points=1, title="far from zero", public=True)
def far(student, rng):
    return student.logsumexp(SCALE * rng.normal(4, 5), 1)


@question.probe(points=2, title="along the first axis")
def first_axis(student, rng):
    return student.logsumexp(rng.normal(4, 5), 0)
''',
    "ps1_tiny/q01_log_probabilities/mistakes.py": '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at(" + m.squeeze(dim)", edit("forgot", "the maximum is not added back", ""))


@mistakes.rewrite("the exponentials overflow: subtract the maximum first")
def naive(ref):
    return {"logsumexp": lambda x, dim: x.exp().sum(dim).log()}
''',
    "ps1_tiny/q01_log_probabilities/alternatives.py": '''\
import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("uses torch.logsumexp")
def library(ref):
    return {"logsumexp": lambda x, dim: torch.logsumexp(x, dim)}
''',
    "ps1_tiny/q02_scale/cells.py": '''\
# %% role="given"
FACTOR = 3.0

# %% role="answer"
class Scale:
    """Multiplies by ``factor``."""

    def __init__(self, factor):
        """Remember the factor."""
        ### BEGIN SOLUTION
        self.secret_factor = factor
        ### END SOLUTION

    def apply(self, x):
        ### BEGIN SOLUTION
        return self.secret_factor * x
        ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The model answer is forty-two.
# ### END SOLUTION
''',
    "ps1_tiny/q02_scale/probes.py": '''\
from autograder.probes import Close, Question

question = Question(title="A scale", manual_points=2, rubric=["2 points: forty-two."])

LIMIT = 10.0


def bounded(evidence, expected, context):
    """finite and close"""
    if abs(evidence).max() > LIMIT * 100:
        return "the values are out of bounds."
    return Close(rtol=1e-3)(evidence, expected, context)


@question.probe(points=1, title="twice", judge=bounded, public=True)
def twice(student, rng):
    return student.Scale(2.0).apply(rng.normal(3))
''',
    "ps1_tiny/q02_scale/mistakes.py": '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at(
    "self.secret_factor * x",
    edit("twice_applied", "the factor is applied twice", "self.secret_factor ** 2 * x"),
)
''',
}


def _write(root: Path) -> None:
    for name, text in COURSE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture(scope="session")
def tiny() -> Callable[[Path], None]:
    """Writes a course with one tiny problem set, ``ps1_tiny``, into a folder; no notebooks yet."""
    return _write


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    _write(tmp_path)
    return tmp_path

"""A tiny problem set in a course of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.jupyter import quick_jupyter

quick_jupyter()

COURSE = """
[course]
title = "A course"
repository = "someone/somewhere"

[sets.ps1]
title = "Tiny"
folder = "ps1_tiny"
"""

SOURCE = '''
# %% [markdown]
# # Problem set 1 · Tiny

# %% role="setup"
import torch

# %% [markdown]
# ## Question 1 · Stable log-probabilities
# *4 points · about 10 minutes*
#
# Write a log-sum-exp.

# %% role="answer" question="q1"
def logsumexp(x, dim):
    """Logarithm of a sum of exponentials along ``dim``."""
    ### BEGIN SOLUTION
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="check" question="q1"
grader.check("q1")

# %%
print("a figure", logsumexp(torch.zeros(1, 2), 1))

# %% [markdown]
# ## Question 2 · A scale
# *3 points, 2 of them for a written answer · about 5 minutes*

# %% role="given"
FACTOR = 3.0

# %% role="answer" question="q2"
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

# %% role="check" question="q2"
grader.check("q2")

# %% [markdown] role="written" question="q2"
# ### BEGIN SOLUTION
# The model answer is forty-two.
# ### END SOLUTION
'''

Q1 = '''
import torch

from autograder.probes import Close, Fields, Verdict, alternative, edit_mistake, mistake, probe, question

question("q1", title="Stable log-probabilities", minutes=10, hints=["gentle", "clearer", "explicit"])

SCALE = 1e3


@probe(points=1, title="moderate numbers", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


@probe(points=1, title="far from zero", public=True)
def far(student, rng):
    return student.logsumexp(SCALE * rng.normal(4, 5), 1)


@probe(points=2, title="along the first axis")
def first_axis(student, rng):
    return student.logsumexp(rng.normal(4, 5), 0)


edit_mistake("forgot", "the maximum is not added back", (" + m.squeeze(dim)", ""))


@mistake("the exponentials overflow: subtract the maximum first")
def naive(ref):
    return {"logsumexp": lambda x, dim: x.exp().sum(dim).log()}


@alternative("uses torch.logsumexp")
def library(ref):
    return {"logsumexp": lambda x, dim: torch.logsumexp(x, dim)}
'''

Q2 = '''
from autograder.probes import Close, Verdict, edit_mistake, probe, question

question("q2", title="A scale", minutes=5, manual_points=2)

LIMIT = 10.0


def bounded(evidence, expected, context):
    """finite and close"""
    if abs(evidence).max() > LIMIT * 100:
        return "the values are out of bounds."
    return Close(rtol=1e-3)(evidence, expected, context)


@probe(points=1, title="twice", judge=bounded, public=True)
def twice(student, rng):
    return student.Scale(2.0).apply(rng.normal(3))


edit_mistake("twice_applied", "the factor is applied twice", ("self.secret_factor * x", "self.secret_factor ** 2 * x"))
'''


def _write(root: Path) -> None:
    (root / "course.toml").write_text(COURSE)
    hidden = root / "ps1_tiny" / "hidden_tests"
    hidden.mkdir(parents=True)
    (root / "ps1_tiny" / "source.py").write_text(SOURCE.lstrip())
    (hidden / "q1.py").write_text(Q1.lstrip())
    (hidden / "q2.py").write_text(Q2.lstrip())


@pytest.fixture(scope="session")
def tiny() -> Callable[[Path], None]:
    """Writes a course with one tiny problem set, ``ps1_tiny``, into a folder; no notebooks yet."""
    return _write


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    _write(tmp_path)
    return tmp_path

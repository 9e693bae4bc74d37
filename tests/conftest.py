"""Fixtures shared by all tests: a tiny problem set to work on."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)

TINY = {
    "psx.toml": '''\
title = "Tiny"
core = ["q01_log_sum_exp", "q02_log_mean_exp"]
''',
    "opening.py": '''\
# %% [markdown]
# # Tiny
# Two questions.

# %% role="setup"
import torch
''',
    "q01_log_sum_exp/cells.py": '''\
# %% [markdown]
# Logarithms of sums.

# %% role="answer"
def logsumexp(x, dim):
    """Stable log-sum-exp of ``x`` along ``dim``."""
    ### BEGIN SOLUTION
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="check"
grader.check("q1")
''',
    "q01_log_sum_exp/probes.py": '''\
import torch
from autograder.probes import Question

HINTS = ["Subtract something first.", "Subtract the maximum."]
question = Question(title="Log-sum-exp", skills=["1.01"], hints={"logsumexp": HINTS})

SCALE = 1e3


@question.probe(points=1, title="moderate inputs", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


@question.probe(points=2, title="inputs far from zero")
def far(student, rng):
    return student.logsumexp(SCALE * rng.normal(4, 5), 0)
''',
    "q01_log_sum_exp/mistakes.py": '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at(" + m.squeeze(dim)", edit("forgot", "the maximum was not added back", ""))


@mistakes.rewrite("the exponentials overflow because no maximum is subtracted", catches="inf at large inputs")
def naive(ref):
    return {"logsumexp": lambda x, dim: x.exp().sum(dim).log()}
''',
    "q01_log_sum_exp/alternatives.py": '''\
import torch
from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("torch.logsumexp")
def library(ref):
    return {"logsumexp": lambda x, dim: torch.logsumexp(x, dim)}
''',
    "q02_log_mean_exp/cells.py": '''\
# %% [markdown]
# Logarithms of means.

# %% role="answer"
def log_mean_exp(x, dim):
    """Logarithm of the mean of exponentials."""
    ### BEGIN SOLUTION
    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()
    ### END SOLUTION

# %% role="check"
grader.check("q2")
''',
    "q02_log_mean_exp/probes.py": '''\
from autograder.probes import Question

question = Question(title="Log-mean-exp", uses=["logsumexp"])


@question.probe(points=2, public=True)
def mean(student, rng):
    return student.log_mean_exp(rng.normal(3, rng.integer(2, 6)), 1)
''',
    "q02_log_mean_exp/mistakes.py": '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at(
    " - torch.tensor(float(x.shape[dim])).log()",
    edit("no_count", "the logarithm of the number of terms is missing", ""),
)
''',
}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their names relative to a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def tiny_set(tmp_path: Path) -> Path:
    """A folder with a two-question problem set, ``psx``: the second question uses the first."""
    folder = tmp_path / "psx_tiny"
    write_files(folder, TINY)
    return folder

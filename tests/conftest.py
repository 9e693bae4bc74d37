"""Fixtures shared by all tests: a tiny problem set to work on."""

from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)

SOURCE = '''\
# %% [markdown]
# # Tiny
# Two questions.

# %% role="setup"
import torch

# %% [markdown]
# ## Question 1 · Log-sum-exp
# *3 points · about 5 minutes*

# %% role="answer" question="q1"
def logsumexp(x, dim):
    """Stable log-sum-exp of ``x`` along ``dim``."""
    ### BEGIN SOLUTION
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="check" question="q1"
grader.check("q1")

# %% [markdown]
# ## Question 2 · Log-mean-exp
# *2 points · about 5 minutes*

# %% role="answer" question="q2"
def log_mean_exp(x, dim):
    """Logarithm of the mean of exponentials."""
    ### BEGIN SOLUTION
    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()
    ### END SOLUTION

# %% role="check" question="q2"
grader.check("q2")
'''

Q1 = '''\
import torch
from autograder.probes import alternative, edit_mistake, mistake, probe, question

question("q1", title="Log-sum-exp", skills=["1.01"], hints=["Subtract something first.", "Subtract the maximum."])

SCALE = 1e3


@probe(points=1, title="moderate inputs", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


@probe(points=2, title="inputs far from zero")
def far(student, rng):
    return student.logsumexp(SCALE * rng.normal(4, 5), 0)


edit_mistake("forgot", "the maximum was not added back", (" + m.squeeze(dim)", ""))


@mistake("the exponentials overflow because no maximum is subtracted", catches="inf at large inputs")
def naive(ref):
    return {"logsumexp": lambda x, dim: x.exp().sum(dim).log()}


@alternative("torch.logsumexp")
def library(ref):
    return {"logsumexp": lambda x, dim: torch.logsumexp(x, dim)}
'''

Q2 = '''\
from autograder.probes import edit_mistake, probe, question

question("q2", title="Log-mean-exp", uses=["logsumexp"])


@probe(points=2, public=True)
def mean(student, rng):
    return student.log_mean_exp(rng.normal(3, rng.integer(2, 6)), 1)


COUNT = " - torch.tensor(float(x.shape[dim])).log()"
edit_mistake("no_count", "the logarithm of the number of terms is missing", (COUNT, ""))
'''


@pytest.fixture
def tiny_set(tmp_path: Path) -> Path:
    """A folder with a two-question problem set, ``psx``: the second question uses the first."""
    folder = tmp_path / "psx_tiny"
    (folder / "hidden_tests").mkdir(parents=True)
    (folder / "source.py").write_text(SOURCE)
    (folder / "hidden_tests" / "q1.py").write_text(Q1)
    (folder / "hidden_tests" / "q2.py").write_text(Q2)
    return folder

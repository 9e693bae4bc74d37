"""The problem set that is attacked: canaries wherever a student may not look."""

from __future__ import annotations

import secrets
from pathlib import Path

from autograder.authoring.freeze import freeze
from autograder.probes.load import ProblemSet, load_problem_set
from dgm.grader.payload import pack


def canary(place: str) -> str:
    """A string that occurs nowhere else."""
    return f"CANARY-{place}-{secrets.token_hex(8)}"


SOURCE = '''\
# %% role="setup"
import torch

# %% role="answer" question="q1"
def logsumexp(x, dim):
    """Stable log-sum-exp of ``x`` along ``dim``."""
    ### BEGIN SOLUTION
    secret = "{used}"
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="answer" question="q2"
def log_mean_exp(x, dim):
    """Logarithm of the mean of exponentials."""
    ### BEGIN SOLUTION
    secret = "{used}"
    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()
    ### END SOLUTION

# %% role="answer" question="q3"
def normalised(x, dim):
    """``x`` shifted, so that its mean of exponentials is 1."""
    ### BEGIN SOLUTION
    secret = "{reference}"
    return x - log_mean_exp(x, dim).unsqueeze(dim)
    ### END SOLUTION

# %% role="answer" question="q4"
def fit(x, y):
    """Linear regression: the weights as a dict of ``weight`` (3,) and ``bias`` ()."""
    ### BEGIN SOLUTION
    secret = "{reference}"
    model = Linear()
    ones = torch.ones(len(x), 1)
    solution = torch.linalg.lstsq(torch.cat([x, ones], 1), y.unsqueeze(1)).solution[:, 0]
    return {{"weight": solution[:3], "bias": solution[3]}}

class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3))
        self.bias = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x @ self.weight + self.bias
    ### END SOLUTION

# %% role="answer" question="q5"
def sample(n, generator):
    """Gaussian samples (n, 2) with mean (1, -2) and standard deviation 3."""
    ### BEGIN SOLUTION
    secret = "{reference}"
    return torch.tensor([1.0, -2.0]) + 3 * torch.randn(n, 2, generator=generator)
    ### END SOLUTION
'''
Q1 = '''\
from autograder.probes import Close, mistake, probe, question

question("q1", title="Log-sum-exp")


@probe(points=1, title="moderate inputs", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


def near(evidence, expected, context):
    secret = "{judge}"
    verdict = Close()(evidence, expected, context)
    return verdict.passed or "wrong values"


@probe(points=2, title="far inputs", judge=near)
def far(student, rng):
    return student.logsumexp(1e3 * rng.normal(4, 5), 0)


@mistake("no maximum is subtracted", catches="{mistake}")
def naive(ref):
    secret = "{mistake}"
    return {{"logsumexp": lambda x, dim: x.exp().sum(dim).log()}}
'''
Q2 = '''\
from autograder.probes import probe, question

question("q2", title="Log-mean-exp", uses=["logsumexp"])


@probe(points=2)
def mean(student, rng):
    return student.log_mean_exp(rng.normal(3, rng.integer(2, 6)), 1)
'''
Q3 = '''\
from autograder.probes import probe, question

question("q3", title="Normalised", uses=["log_mean_exp"])


@probe(points=1)
def shifted(student, rng):
    return student.normalised(rng.normal(3, 4), 1)
'''
Q4 = '''\
import torch
from autograder.probes import probe, question

question("q4", title="Regression")
TRUTH = [1.5, -2.0, 0.5]


def data(rng, n):
    x = rng.normal(n, 3)
    return x, x @ torch.tensor(TRUTH) + 0.7 + 0.1 * rng.normal(n)


def on_held_out_data(evidence, expected, context):
    secret = "{judge}"
    model = context.reference.Linear()
    model.load_state_dict({{key: torch.as_tensor(value) for key, value in evidence.items()}})
    rng = context.rng()
    data(rng, 64)
    x, y = data(rng, 500)
    error = float(((model(x) - y) ** 2).mean())
    return error < 0.02 or "the error on held-out data is too large"


@probe(points=3, title="trained weights", judge=on_held_out_data)
def trained(student, rng):
    return student.fit(*data(rng, 64))
'''
Q5 = '''\
from autograder.probes import SameMoments, probe, question

question("q5", title="Sampling")


@probe(points=2, title="samples", judge=SameMoments())
def samples(student, rng):
    return student.sample(1000, rng.generator())
'''


def make_course(root: Path, canaries: dict[str, str]) -> ProblemSet:
    """Write and load the problem set."""
    folder = root / "ps8_attacked"
    (folder / "hidden_tests").mkdir(parents=True)
    (folder / "source.py").write_text(SOURCE.format(**canaries))
    for name, text in {"q1": Q1, "q2": Q2, "q3": Q3, "q4": Q4, "q5": Q5}.items():
        text = text.format(**canaries) if name in ("q1", "q4") else text
        (folder / "hidden_tests" / f"{name}.py").write_text(text)
    for path in (root, folder, folder / "hidden_tests"):
        path.chmod(0o755)
    return load_problem_set(folder)


def public_payload(problem_set: ProblemSet) -> str:
    """The public checks as they stand in the student's notebook."""
    return pack(freeze(problem_set))

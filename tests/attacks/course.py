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


OUTLINE = '''\
title = "Attacked"
core = ["q01_logsumexp", "q02_log_mean_exp", "q03_normalised", "q04_fit", "q05_sample"]
'''
OPENING = '''\
# %% role="setup"
import torch
'''
CELLS_1 = '''\
# %% role="answer"
def logsumexp(x, dim):
    """Stable log-sum-exp of ``x`` along ``dim``."""
    ### BEGIN SOLUTION
    secret = "{used}"
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION
'''
CELLS_2 = '''\
# %% role="answer"
def log_mean_exp(x, dim):
    """Logarithm of the mean of exponentials."""
    ### BEGIN SOLUTION
    secret = "{used}"
    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()
    ### END SOLUTION
'''
CELLS_3 = '''\
# %% role="answer"
def normalised(x, dim):
    """``x`` shifted, so that its mean of exponentials is 1."""
    ### BEGIN SOLUTION
    secret = "{reference}"
    return x - log_mean_exp(x, dim).unsqueeze(dim)
    ### END SOLUTION
'''
CELLS_4 = '''\
# %% role="answer"
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
'''
CELLS_5 = '''\
# %% role="answer"
def sample(n, generator):
    """Gaussian samples (n, 2) with mean (1, -2) and standard deviation 3."""
    ### BEGIN SOLUTION
    secret = "{reference}"
    return torch.tensor([1.0, -2.0]) + 3 * torch.randn(n, 2, generator=generator)
    ### END SOLUTION
'''
PROBES_1 = '''\
from autograder.probes import Close, Question

question = Question(title="Log-sum-exp")


@question.probe(points=1, title="moderate inputs", public=True)
def moderate(student, rng):
    return student.logsumexp(rng.normal(4, 5), 1)


def near(evidence, expected, context):
    secret = "{judge}"
    verdict = Close()(evidence, expected, context)
    return verdict.passed or "wrong values"


@question.probe(points=2, title="far inputs", judge=near)
def far(student, rng):
    return student.logsumexp(1e3 * rng.normal(4, 5), 0)
'''
MISTAKES_1 = '''\
from autograder.probes import Mistakes

mistakes = Mistakes()


@mistakes.rewrite("no maximum is subtracted", catches="{mistake}")
def naive(ref):
    secret = "{mistake}"
    return {{"logsumexp": lambda x, dim: x.exp().sum(dim).log()}}
'''
PROBES_2 = '''\
from autograder.probes import Question

question = Question(title="Log-mean-exp", uses=["logsumexp"])


@question.probe(points=2)
def mean(student, rng):
    return student.log_mean_exp(rng.normal(3, rng.integer(2, 6)), 1)
'''
PROBES_3 = '''\
from autograder.probes import Question

question = Question(title="Normalised", uses=["log_mean_exp"])


@question.probe(points=1)
def shifted(student, rng):
    return student.normalised(rng.normal(3, 4), 1)
'''
PROBES_4 = '''\
import torch
from autograder.probes import Question

question = Question(title="Regression")
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


@question.probe(points=3, title="trained weights", judge=on_held_out_data)
def trained(student, rng):
    return student.fit(*data(rng, 64))
'''
PROBES_5 = '''\
from autograder.probes import Question, SameMoments

question = Question(title="Sampling")


@question.probe(points=2, title="samples", judge=SameMoments())
def samples(student, rng):
    return student.sample(1000, rng.generator())
'''


FILES = {
    "ps8.toml": OUTLINE,
    "opening.py": OPENING,
    "q01_logsumexp/cells.py": CELLS_1,
    "q01_logsumexp/probes.py": PROBES_1,
    "q01_logsumexp/mistakes.py": MISTAKES_1,
    "q02_log_mean_exp/cells.py": CELLS_2,
    "q02_log_mean_exp/probes.py": PROBES_2,
    "q03_normalised/cells.py": CELLS_3,
    "q03_normalised/probes.py": PROBES_3,
    "q04_fit/cells.py": CELLS_4,
    "q04_fit/probes.py": PROBES_4,
    "q05_sample/cells.py": CELLS_5,
    "q05_sample/probes.py": PROBES_5,
}
SECRET = [  # these hold places for canaries
    *(name for name in FILES if name.endswith("/cells.py")),
    "q01_logsumexp/probes.py", "q01_logsumexp/mistakes.py", "q04_fit/probes.py",
]


def make_course(root: Path, canaries: dict[str, str]) -> ProblemSet:
    """Write and load the problem set."""
    folder = root / "ps8_attacked"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**canaries) if name in SECRET else text)
    for path in (root, folder, *folder.glob("q*/")):
        path.chmod(0o755)
    return load_problem_set(folder)


def public_payload(problem_set: ProblemSet) -> str:
    """The public checks as they stand in the student's notebook."""
    return pack(freeze(problem_set))

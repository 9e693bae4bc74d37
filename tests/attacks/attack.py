"""What an attack is, and the cells that many of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LEVELS = ("namespaces", "landlock", "process")


@dataclass(frozen=True)
class Attack:
    """One notebook that tries something.

    ``deserves`` has the points of its honest part, by question; the rest deserves none. ``levels``: where the sandbox
    promises to hold it. ``says``: text that has to appear in the result, as a sign that the attack ran to its end.
    ``broken``: its cells are meant to fail. ``cells`` may be a function of the `Target`.
    """

    name: str
    tries: str
    cells: tuple[str, ...] | Callable[[Target], tuple[str, ...]]
    deserves: Mapping[str, float] = field(default_factory=dict)
    levels: tuple[str, ...] = LEVELS
    says: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Target:
    """What an attack may know: where things lie, and the public checks. A strong attacker knows all this."""

    course: str  # the folder with the hidden tests and the reference
    out: str  # the folder with results, other submissions and the gradebook
    grader_pid: int
    port: int  # where the grader's machine listens
    abstract: str  # an abstract socket of the grader's machine
    payload: str  # the public checks, as in the student's notebook
    drop: str  # a folder that every user may write to


SETUP = "import torch"

# Earns nothing in any question.
WRONG = """
def logsumexp(x, dim):
    return x.sum(dim)

def log_mean_exp(x, dim):
    return x.mean(dim)

def normalised(x, dim):
    return x + 7

def fit(x, y):
    return {"weight": torch.zeros(3), "bias": torch.zeros(())}

def sample(n, generator):
    return torch.zeros(n, 2)
"""

# The right answers, in words of our own.
RIGHT = {
    "logsumexp": "def logsumexp(x, dim):\n    return torch.logsumexp(x, dim)",
    "log_mean_exp": "def log_mean_exp(x, dim):\n    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()",
    "normalised": "def normalised(x, dim):\n    return x - log_mean_exp(x, dim).unsqueeze(dim)",
    "fit": """\
def fit(x, y):
    ones = torch.ones(len(x), 1)
    solution = torch.linalg.lstsq(torch.cat([x, ones], 1), y.unsqueeze(1)).solution[:, 0]
    return {"weight": solution[:3], "bias": solution[3]}""",
    "sample": "def sample(n, generator):\n    return torch.tensor([1.0, -2.0]) + 3 * torch.randn(n, 2, generator=generator)",
}
HONEST = (SETUP, *RIGHT.values())
FULL = {"q1": 3.0, "q2": 2.0, "q3": 1.0, "q4": 3.0, "q5": 2.0}

# Collects canaries, wherever it is pointed at. The pattern does not match itself.
LOOK = r"""
import glob, os, re, sys
_pattern = re.compile(b"CAN" + rb"ARY-[a-z]+-[0-9a-f]{16}")
_found, _places = set(), [0]

def look(data):
    _places[0] += 1
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    _found.update(item.decode() for item in _pattern.findall(bytes(data)))

def look_at(path, limit=1 << 20):
    try:
        with open(path, "rb") as file:
            look(file.read(limit))
    except (OSError, ValueError):
        pass

def look_below(*roots, limit=3000):
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                if limit <= 0:
                    return
                limit -= 1
                look_at(os.path.join(folder, name))

def tell(*args):
    raise RuntimeError(f"observed {len(_found)}: {' '.join(sorted(_found))}; looked at {_places[0]} things")
"""


def looking(*body: str, **changes: str) -> tuple[str, ...]:
    """A notebook that looks around in its cells, and tells in its answers what it found."""
    return (SETUP, WRONG, LOOK, *body, "logsumexp = lambda x, dim: tell()", *changes.values())

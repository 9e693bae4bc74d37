"""A tiny problem set with torch, and classes of any size for it. Shared by the benchmarks.

Three questions of 2, 3 and 4 points. Every submission has the same three answer cells with its own number in them, so
that no two are the same code; every fifth makes a mistake.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COURSE = """\
[course]
title = "Tiny"
repository = "owner/name"

[sets.tiny]
due = ""
"""
SETUP = "import torch"
ANSWERS = {
    "q1": "def logsumexp(x):\n    m = x.amax(-1)\n    return (x - m[..., None]).exp().sum(-1).log() + m",
    "q2": "def log_mean_exp(x):\n    return logsumexp(x) - torch.tensor(float(x.shape[-1])).log()",
    "q3": "def softmax(x):\n    return (x - logsumexp(x).unsqueeze(-1)).exp()",
}
POINTS = {"q1": 2, "q2": 3, "q3": 4}
CALLS = {"q1": "logsumexp", "q2": "log_mean_exp", "q3": "softmax"}
LIBRARY = {
    "q1": "torch.logsumexp(x, -1)",
    "q2": "torch.logsumexp(x, -1) - torch.tensor(5.0).log()",
    "q3": "torch.softmax(x, -1)",
}
USES = {"q1": [], "q2": ["logsumexp"], "q3": ["logsumexp"]}
WRONG = "def log_mean_exp(x):\n    return logsumexp(x)"


def answers(number: int) -> dict[str, str]:
    """The answer cells of one submission, by question."""
    cells = {id: f"{text}\n# student {number}" for id, text in ANSWERS.items()}
    if number % 5 == 4:
        cells["q2"] = f"{WRONG}\n# student {number}"
    return cells


def score(number: int) -> int:
    """What the submission should get."""
    return sum(POINTS.values()) - (POINTS["q2"] if number % 5 == 4 else 0)


def code_cell(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def notebook(cells: list[dict[str, Any]]) -> str:
    """A notebook's text; every cell gets an id."""
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cells = [{**cell, "id": f"cell-{index}"} for index, cell in enumerate(cells)]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells})


def make_course(root: Path) -> Path:
    """A course with the problem set ``tiny``; returns its folder."""
    folder = root / "tiny_set"
    folder.mkdir(parents=True)
    (root / "course.toml").write_text(COURSE)
    (folder / "tiny.toml").write_text(f'title = "Tiny"\ncore = {[*ANSWERS]}\n')
    (folder / "opening.py").write_text(f'# %% role="setup"\n{SETUP}\n')
    for id, text in ANSWERS.items():
        head, body = text.split("\n", 1)
        body = f"    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        question = folder / f"q0{id[1:]}_{CALLS[id]}"
        question.mkdir()
        (question / "cells.py").write_text(f'# %% role="answer"\n{head}\n{body}\n')
        (question / "probes.py").write_text(
            "from autograder.probes import Question\n\n"
            f'question = Question(title="{CALLS[id]}", uses={USES[id]!r})\n\n\n'
            f"@question.probe(points={POINTS[id]})\n"
            f"def values(student, rng):\n    return student.{CALLS[id]}(rng.normal(4, 5))\n"
        )
    return folder


def make_class(folder: Path, count: int, first: int = 0) -> None:
    """``count`` submissions as notebooks ``s0000.ipynb`` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        cells = [code_cell(SETUP), *(code_cell(text) for text in answers(number).values())]
        (folder / f"s{number:04d}.ipynb").write_text(notebook(cells))

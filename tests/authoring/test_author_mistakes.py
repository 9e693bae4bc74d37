"""What an author gets wrong is one sentence with its place, for every command, and never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.cli.main import main

BUILD = ("build", "ps1", "--profile", "smoke")
PROVE = ("prove", "ps1", "--seeds", "2", "--jobs", "1")
Q1, Q2 = "q01_log_probabilities/", "q02_scale/"


@pytest.mark.parametrize(("command", "file", "old", "new", "place", "sentence"), [
    (PROVE, Q1 + "mistakes.py", '" + m.squeeze(dim)"', '" + m.squeeze(0)"', Q1 + r"mistakes\.py, line \d+",
     r"forgot: `\+ m\.squeeze\(0\)` does not occur in the question's answer cells"),
    (PROVE, Q1 + "mistakes.py", '" + m.squeeze(dim)"', '"m"', Q1 + r"mistakes\.py, line \d+",
     r"forgot: `m` occurs \d+ times, not once"),
    (BUILD, Q1 + "probes.py", "def far(student, rng):", "def far(student, rng)", Q1 + r"probes\.py, line \d+",
     "expected ':'"),
    (BUILD, Q1 + "probes.py", "SCALE = 1e3", "SCALE = 1 / 0", Q1 + r"probes\.py, line \d+", "ZeroDivisionError"),
    (BUILD, Q1 + "probes.py", "title=", "titel=", Q1 + r"probes\.py, line \d+", "unexpected keyword argument 'titel'"),
    (BUILD, Q1 + "probes.py", "rng.normal(4, 5), 1)", "rng.normal(4, 5), 7)", Q1 + r"probes\.py, line \d+",
     "q1, moderate: the reference itself fails: IndexError"),
    (BUILD, Q1 + "probes.py", "rng.normal(4, 5), 0)", "rng.normal(4, 5), Question)", Q1 + r"probes\.py, line \d+",
     "the probe first_axis names Question, which must stay with the grader"),
    (BUILD, Q1 + "probes.py", '"logsumexp": [', '"logsumexpp": [', Q1 + r"probes\.py, line \d+",
     "there are hints for logsumexpp, but q1 asks for logsumexp"),
    (BUILD, Q1 + "probes.py", "hints=", "minutes=10, hints=", Q1 + r"probes\.py, line \d+",
     "unexpected keyword argument 'minutes'"),
    (PROVE, Q2 + "probes.py", 'title="A scale"', 'title="A scale", after="q03_x"', Q2 + r"probes\.py, line \d+",
     "q2 comes after q03_x, but there is no such question"),
    (BUILD, "ps1.toml", "core = [", 'bonus_limit = "ten"\ncore = [', r"ps1\.toml", "bonus_limit must be a number"),
    (BUILD, Q1 + "cells.py", "x.max(dim, keepdim=True)", "x.max(dim, keepdim=True", Q1 + r"cells\.py, line \d+",
     "never closed"),
    (BUILD, Q1 + "cells.py", "    ### END SOLUTION\n", "", Q1 + r"cells\.py, line \d+",
     "without an '### END SOLUTION'"),
    (PROVE, Q1 + "cells.py", "(x, dim):", "(x, dim=1 / 0):", Q1 + r"cells\.py, line \d+", "the cell fails: ZeroDiv"),
    (PROVE, Q1 + "mistakes.py", '"the maximum is not added back", ""', '"the maximum is not added back", " +"',
     Q1 + r"mistakes\.py, line \d+", "q1, forgot: the edited cell is not valid Python"),
    (PROVE, Q1 + "mistakes.py", 'return {"logsumexp"', 'return {"logsumexpp"', Q1 + r"mistakes\.py, line \d+",
     "q1, naive: logsumexpp is no answer of this question"),
    (PROVE, Q1 + "mistakes.py", 'return {"logsumexp"', 'return {ref.nothing: 0, "logsumexp"',
     Q1 + r"mistakes\.py, line \d+", "q1, naive fails: AttributeError"),
    (BUILD, Q1 + "mistakes.py", "def naive(ref)", "def forgot(ref)", Q1 + r"mistakes\.py, line \d+",
     "two mistakes are named forgot"),
    (BUILD, Q2 + "cells.py", "class Scale:", "class logsumexp:", Q2 + r"cells\.py, line \d+",
     r"q2 asks for logsumexp, as q1 does \(.*cells\.py, line \d+\)"),
    (BUILD, "ps1.toml", "q02_scale", "q03_scale", r"ps1\.toml", "there is no question q03_scale"),
    (BUILD, "ps1.toml", "core = [", "core = ", r"ps1\.toml", r"cannot be read: .*line \d+"),
])
def test_it_is_one_sentence(course_folder, capsys, monkeypatch, command, file, old, new, place, sentence):
    path = course_folder / "ps1_tiny" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    monkeypatch.chdir(course_folder)
    code = main(command)
    said = capsys.readouterr().err
    assert code == 2 and "Traceback" not in said
    assert re.search(f"{place}.*{sentence}", said), said
    assert len(said.strip().splitlines()) <= 2  # a heading, where there may be several


def test_two_folders_with_one_number_are_both_named(course_folder, capsys, monkeypatch):
    Path(course_folder / "ps1_tiny/q01_other").mkdir()
    monkeypatch.chdir(course_folder)
    assert main(BUILD) == 2
    assert re.search(r"q01_log_probabilities and .*q01_other are both question q1", capsys.readouterr().err)


def test_probes_without_a_question_object(course_folder, capsys, monkeypatch):
    path = course_folder / "ps1_tiny" / Q1 / "probes.py"
    text = path.read_text().replace("question = Question(", "asked = Question(").replace("@question.", "@asked.")
    path.write_text(text)
    monkeypatch.chdir(course_folder)
    assert main(BUILD) == 2
    assert re.search(r"probes\.py: there must be a line `question = Question\(…\)`", capsys.readouterr().err)

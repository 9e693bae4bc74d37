"""An instructor's own cut of problem set 1: five questions, two of which use questions that are not there."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.probes.load import load_problem_set

ROOT = Path(__file__).resolve().parents[1]
OUTLINE = '''\
title = "Simple models in five questions"
core = ["q01_log_probabilities", "q02_gaussian", "q05_denoising", "q07_discretised_logistics"]
optional = ["q19_colour"]
'''


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with a copy of problem set 1, and the outline ``ps1_short`` beside its own; built."""
    root = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "course.toml", root)
    shutil.copytree(
        ROOT / "ps1_simple_models", root / "ps1_simple_models", ignore=shutil.ignore_patterns("*.ipynb", "__pycache__")
    )
    (root / "ps1_simple_models" / "ps1_short.toml").write_text(OUTLINE)
    built = autograder(root, "build", "ps1_short", "--profile", "smoke")
    assert built.returncode == 0, built.stderr
    return root


def autograder(root, *arguments):
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(root)}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment, timeout=1800)


def cells(course, name):
    return json.loads((course / "ps1_simple_models" / name).read_text())["cells"]


def test_it_has_its_questions_and_what_they_use_as_given_code(course):
    student = cells(course, "ps1_short.ipynb")
    text = "\n".join("".join(cell["source"]) for cell in student)
    for number in range(1, 20):
        assert (f"## Question {number} ·" in text) == (number in (1, 2, 5, 7, 19))
    given = "\n".join("".join(cell["source"]) for cell in student if cell["metadata"]["dgm"]["role"] == "given")
    for name in ("def fit_gmm_em", "def responsibilities", "class MaskedConv2d"):  # of Questions 3 and 10
        assert given.count(name) == 1
    assert "SOLUTION" not in text and "def mvn_log_prob" not in given
    assert "This code answers Question 3, which is not part of this assignment." in text


def test_it_is_proved(course):
    done = autograder(course, "prove", "ps1_short", "--seeds", "1", "--json")
    assert done.returncode == 0, done.stderr
    proofs = json.loads(done.stdout)["questions"]
    assert [proof["id"] for proof in proofs] == ["q1", "q2", "q5", "q7", "q19"]
    assert all(proof["blank_score"] == 0 and proof["mistakes"]["misnamed"] == 0 for proof in proofs)


def test_it_is_graded(course):
    folder = course / "submissions"
    folder.mkdir()
    shutil.copy(course / "ps1_simple_models" / "ps1_short_solution.ipynb", folder / "ada.ipynb")
    shutil.copy(course / "ps1_simple_models" / "ps1_short.ipynb", folder / "blank.ipynb")
    done = autograder(course, "grade", "ps1_short", folder, "--out", course / "out", "--seed", 3, "--json")
    assert done.returncode == 0, done.stderr
    ada, blank = json.loads(done.stdout)
    problem_set = load_problem_set(course / "ps1_simple_models")
    points = {id: problem_set.question(id).points for id in ("q1", "q2", "q5", "q7", "q19")}
    assert (ada["assignment"], ada["bonus"]) == ("ps1_short", points.pop("q19"))
    assert ada["score"] == ada["max_score"] == sum(points.values())
    assert [question["bonus"] for question in ada["questions"]] == [False] * 4 + [True]
    assert (blank["score"], blank["bonus"], blank["max_score"]) == (0, 0, ada["max_score"])


def test_it_is_released(course):
    done = autograder(course, "release", "ps1_short", "--out", course / "release")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(course / "release" / "ps1_short.zip") as archive:
        assert "ps1_short/ps1_short.ipynb" in archive.namelist()
        assert "Simple models in five questions" in archive.read("ps1_short/README.md").decode()


def test_a_name_that_only_a_figure_of_a_left_out_question_makes_is_said(course):
    outline = course / "ps1_simple_models" / "ps1_late.toml"
    outline.write_text('title = "Late"\ncore = ["q08_honest_evaluation"]\n')
    cells = course / "ps1_simple_models" / "q08_honest_evaluation" / "cells.py"
    text = cells.read_text()
    cells.write_text(f"{text}\n# %%\nprint(pixel_mean)\n")  # made in a figure of Question 1
    done = autograder(course, "build", "ps1_late", "--profile", "smoke")
    outline.unlink()
    cells.write_text(text)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "pixel_mean is defined nowhere in this assignment" in done.stderr
    assert "q08_honest_evaluation/cells.py, line " in done.stderr

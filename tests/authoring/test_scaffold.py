"""`autograder new`: what it writes builds, is proved but for what the author has to do, and errors write nothing."""

from __future__ import annotations

import os

import pytest

from autograder.authoring.build import draft
from autograder.authoring.scaffold import new_question
from autograder.cli.main import main
from autograder.course import load_course
from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from autograder.proving.proof import NOTE
from autograder.proving.prove import prove


def test_a_new_set_builds_and_its_proof_says_what_is_to_do(course_folder):
    files = new_question(course_folder / "ps6_energy/q01_score_matching")
    assert {path.name for path in files} >= {"ps6.toml", "opening.py", "closing.py", "cells.py", "probes.py"}
    problem_set = load_problem_set(course_folder / "ps6_energy")
    drafts = draft(problem_set, load_course(course_folder))
    source = "\n".join(cell.source for cell in drafts.student.cells)
    assert "def score_matching(x, factor):" in source and "return factor * x" not in source
    (proof,) = prove(problem_set, seeds=5)
    counts = proof.to_json()
    assert proof.reference_passes == 5 and counts["alternatives"] == {"n": 2, "passed": 2}
    assert counts["mistakes"] == {"n": 4, "caught": 4, "named": 4, "misnamed": 0}
    assert not proof.problems and not proof.faults
    assert not proof.ok and all(NOTE in text for text in proof.todo)
    folder = course_folder / "ps6_energy/q01_score_matching"
    for path in folder.glob("*.py"):
        path.write_text(path.read_text().replace(NOTE, "done"))
    (proof,) = prove(load_problem_set(course_folder / "ps6_energy"), seeds=2)
    assert proof.ok and proof.todo == []


def test_a_question_is_added_to_the_outline_that_is_there(course_folder):
    outline = course_folder / "ps1_tiny/ps1.toml"
    before = outline.read_text()
    new_question(course_folder / "ps1_tiny/q07_kernel")
    problem_set = load_problem_set(course_folder / "ps1_tiny")
    assert [question.id for question in problem_set.questions] == ["q1", "q2", "q7"]
    assert outline.read_text().startswith(before.split("]")[0])
    assert problem_set.source.names("q7") == ("kernel",)


@pytest.mark.parametrize(("name", "says"), [
    ("ps1_tiny/q01_other", "is question q1 already"),
    ("ps1_tiny/q02_scale", "exists already"),
    ("ps1_tiny/topic", "is no name for a question"),
    ("ps1_tiny/q03_lambda", "lambda is a word of Python"),
    ("ps1 tiny/q03_topic", "is no name for a problem set"),
    ("q03_topic", "name the problem set, too"),
])
def test_what_cannot_be_made_is_one_sentence_and_leaves_nothing(course_folder, name, says):
    before = sorted(course_folder.rglob("*"))
    with pytest.raises(UserError, match=says):
        new_question(course_folder / name)
    assert sorted(course_folder.rglob("*")) == before


def test_command_line_and_an_unwritable_folder(course_folder, capsys, monkeypatch):
    monkeypatch.chdir(course_folder)
    assert main(["new", "ps1_tiny/q09_topic"]) == 0
    assert "autograder prove ps1 --question q9" in capsys.readouterr().out
    assert main(["list"]) == 0 and capsys.readouterr().out == "ps1\n"
    if os.getuid() != 0:
        (course_folder / "ps1_tiny").chmod(0o555)
        assert main(["new", "ps1_tiny/q10_topic"]) == 2
        assert "cannot be written" in capsys.readouterr().err

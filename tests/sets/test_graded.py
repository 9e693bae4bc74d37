"""Classes through the command line, with real kernels: each student gets what the sample class says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring.notebook import instructor_notebook, make_frame, student_notebook, to_text
from autograder.course import load_course
from autograder.files import write_atomically
from autograder.probes.load import load_problem_set
from autograder.sets import Outline

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import classes
import make_class

ROOT = Path(__file__).resolve().parents[2]
WITH_FIGURES = ("ada", "felix")  # whose whole notebook runs, with right answers and with a mistake
SHORT = {*WITH_FIGURES, "blank", "dmitri", "katya"}  # of each class, only ada with figures; all of it with `--long`


def graded(assignment, folder):
    """The results of the submissions of a folder, by student."""
    command = [
        sys.executable, "-m", "autograder", "grade", str(assignment), str(folder / "submissions"), "--out",
        str(folder / "out"), "--jobs", "2", "--seed", "7", "--json",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr
    return {result["student"]: result for result in json.loads(done.stdout)}


def test_the_sample_class_is_graded_as_it_should(problem_set, tmp_path, pytestconfig):
    long = pytestconfig.getoption("--long")
    figures, only = (WITH_FIGURES, None) if long else (WITH_FIGURES[:1], SHORT)
    students = make_class.make(problem_set.name, tmp_path / "submissions", figures, only)
    results = graded(problem_set.name, tmp_path)
    assert set(results) == {student.name for student in students} > set(WITH_FIGURES)
    assert not any(results[name]["notes"] for name in WITH_FIGURES)
    for student in students:
        result = results[student.name]
        assert result["status"] == "graded", (student.name, result["problem"])
        scores = {question["id"]: question for question in result["questions"]}
        answered = set(scores) if student.answered is None else set(student.answered)
        if student.loses is None:
            losing = set(scores)
        elif student.loses == ("rest",):
            losing = set(scores) - answered
        else:
            losing = set(student.loses)
        lost = {id for id, question in scores.items() if question["score"] < question["max_score"]}
        assert lost == losing, (student.name, lost)
        if student.answered is not None:
            assert all(scores[id]["score"] == 0 for id in losing), student.name
        for id, key in student.mistake.items():
            named = {probe["mistake"] for probe in scores[id]["probes"] if probe["status"] != "passed"}
            assert named - {None} == {key}, (student.name, named)


def test_a_set_without_a_class_of_its_own_gets_one(problem_set, tmp_path):
    students = classes.any_class(problem_set)
    for student in students:
        assert make_class.write(problem_set, student, tmp_path).is_file()
    mistaken = [question.id for question in problem_set.graded if (question.id,) in {s.loses for s in students}]
    assert len(mistaken) == 3 and {student.name for student in students} > set(WITH_FIGURES)


@pytest.fixture
def cut(problem_set, copied):
    """An outline with every other question of the set, the last of them optional, and its unanswered notebook."""
    folder = copied(problem_set.outline.folder)
    chosen: list[str] = []
    for question in problem_set.graded[::2]:
        if set(question.figures_of) <= set(chosen):
            chosen.append(question.id)
    outline = Outline(folder, f"{folder.short_name}_cut")
    outline.path.write_text(f'title = "Every other"\ncore = {json.dumps(chosen[:-1])}\noptional = ["{chosen[-1]}"]\n')
    made = load_problem_set(outline)
    frame = make_frame(made, load_course(ROOT), "checks")
    write_atomically(outline.student_notebook, to_text(student_notebook(instructor_notebook(made, frame))))
    return made


def test_every_other_question_is_an_assignment(cut, tmp_path, pytestconfig):
    """What it needs of the others is given: all its cells run, figures too."""
    if cut.outline.folder.short_name != "ps1" and not pytestconfig.getoption("--long"):
        pytest.skip("of the other sets with --long; test_cuts.py looks for missing names in every question alone")
    for student in (make_class.Student("ada", "everything right"), make_class.Student("blank", "nothing", answered=())):
        make_class.write(cut, student, tmp_path / "submissions")
    results = graded(cut.outline.path, tmp_path)
    ada, blank = results["ada"], results["blank"]
    assert ada["notes"] == [] and ada["assignment"] == cut.name
    assert [(question["id"], question["bonus"]) for question in ada["questions"]] == [
        (question.id, question.bonus) for question in cut.questions
    ]
    assert ada["score"] == ada["max_score"] == blank["max_score"] == cut.points
    assert ada["bonus"] == cut.graded[-1].points and (blank["score"], blank["bonus"]) == (0, 0)

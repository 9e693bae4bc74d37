"""Problem set 1 as it stands in the repository: fresh notebooks, proved tests, a class graded as it should be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.probes.load import load_problem_set

ROOT = Path(__file__).resolve().parents[1]
SKILLS = {f"1.{number:02d}" for number in range(1, 33)}


@pytest.fixture(scope="module")
def ps1():
    return load_problem_set(ROOT / "ps1_simple_models")


def run(*arguments, timeout=3600):
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


def test_every_skill_is_taught(ps1):
    taught = {skill for question in ps1.questions for skill in question.skills}
    assert taught >= SKILLS


def test_points_add_up_to_a_hundred(ps1):
    counted = [question for question in ps1.questions if not question.bonus]
    assert sum(question.points + question.manual_points for question in counted) == 100


def test_every_question_has_its_proof_and_its_hints(ps1):
    assert {question.id for question in ps1.questions if question not in ps1.graded} == {"q12"}  # the open end
    for question in ps1.graded:
        assert len(question.mistakes) >= 4 and question.alternatives, question.id
        assert any(probe.public for probe in question.probes), question.id
        assert any(not probe.public for probe in question.probes), question.id
        assert question.hints and question.aim, question.id
        assert bool(question.rubric) == bool(question.manual_points), question.id


def test_notebooks_and_pages_are_fresh():
    for command in (("build", "ps1", "--check"), ("docs", "ps1", "--check")):
        done = run(*command)
        assert done.returncode == 0, done.stderr


def test_hidden_tests_are_proved(ps1):
    done = run("prove", "ps1", "--seeds", "1", "--json")  # many seeds: make test-long
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert {question["id"] for question in data["questions"]} == {question.id for question in ps1.graded}
    for question in data["questions"]:
        assert question["reference_passes"] == 1 and question["blank_score"] == 0
        assert question["mistakes"]["caught"] == question["mistakes"]["n"] >= 4
        assert question["mistakes"]["named"] >= 0.8 * question["mistakes"]["n"]
        assert question["mistakes"]["misnamed"] == 0


def test_solutions_do_not_leak_into_the_student_notebook(ps1):
    text = ps1.outline.student_notebook.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    visible = "\n".join("".join(cell["source"]) for cell in cells)
    assert "BEGIN SOLUTION" not in visible
    given = "\n".join(cell.text for cell in ps1.source.cells if cell.role != "answer")
    for question in ps1.questions:
        for cell in ps1.source.answers(question.id):
            solution = cell.text.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
            lines = [line.strip() for line in solution.splitlines() if len(line.strip()) > 40]
            assert not [line for line in lines if line in visible and line not in given], question.id


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    """The sample class, graded through the command line: each student's expectation and result."""
    folder = tmp_path_factory.mktemp("class")
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        import make_class

        students = make_class.make("ps1", folder / "submissions")
    finally:
        sys.path.pop(0)
    done = run("grade", "ps1", folder / "submissions", "--out", folder / "out", "--jobs", 2, "--seed", 7, "--json")
    assert done.returncode == 0, done.stderr
    results = {result["student"]: result for result in json.loads(done.stdout)}
    assert set(results) == {student.name for student in students}
    return [(student, results[student.name]) for student in students]


def test_the_sample_class_is_graded_as_it_should(graded_class):
    for student, result in graded_class:
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

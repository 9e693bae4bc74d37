"""The problem sets as they stand in the repository: complete, and with fresh notebooks and pages."""

import json
from pathlib import Path

from autograder.authoring.build import check
from autograder.authoring.instructor_page import instructor_page
from autograder.course import load_course
from autograder.sets import set_folders

ROOT = Path(__file__).resolve().parents[2]
SKILLS = {  # those that the course list gives the questions of a set; of another set it is asked that none is left out
    "ps1": {*range(1, 33)},
    "ps2": {*range(1, 17), 23, 24, 27, 28, *range(31, 36), 37, 38},
    "ps3": {*range(4, 11), *range(13, 30), *range(35, 40), 43, *range(49, 54), 67},
    "ps4": {1, 3, 4, 5, 7, 8, *range(12, 30), 32, 62, 63, 66, 67, 74, 85},
}


def test_the_sets_of_the_course_lie_here_and_the_readme_names_them():
    folders = {folder.short_name: folder.path.name for folder in set_folders(ROOT)}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {name for name, folder in folders.items() if f"| [{name}]({folder}/{name}.ipynb) |" in readme}
    assert {info.name for info in load_course(ROOT).sets} == named


def test_every_skill_is_taught(problem_set):
    taught = {skill for question in problem_set.questions for skill in question.skills}
    number = problem_set.name.removeprefix("ps")
    listed = SKILLS.get(problem_set.name, range(1, len(taught) + 1))
    assert taught == {f"{number}.{skill:02d}" for skill in listed}


def test_points_add_up_to_a_hundred(problem_set):
    counted = [question for question in problem_set.questions if not question.bonus]
    assert sum(question.points + question.manual_points for question in counted) == 100


def test_every_question_has_its_proof_and_its_hints(problem_set):
    for_a_person = [question for question in problem_set.questions if question not in problem_set.graded]
    assert len(for_a_person) <= 1 and all(question.manual_points for question in for_a_person)  # an open end
    for question in problem_set.graded:
        assert len(question.mistakes) >= 4 and question.alternatives, question.id
        assert any(probe.public for probe in question.probes), question.id
        assert any(not probe.public for probe in question.probes), question.id
        assert question.hints and question.aim, question.id
        assert bool(question.rubric) == bool(question.manual_points), question.id


def test_notebooks_are_fresh(problem_set):
    stale = check(problem_set, load_course(ROOT))
    assert not stale, f"run `autograder build {problem_set.name}`"


def test_the_instructors_page_is_fresh(problem_set):
    page = ROOT / "docs" / f"{problem_set.name}.md"
    assert page.read_text(encoding="utf-8") == instructor_page(problem_set), f"run `autograder docs {problem_set.name}`"


def test_solutions_do_not_leak_into_the_student_notebook(problem_set):
    text = problem_set.outline.student_notebook.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    visible = "\n".join("".join(cell["source"]) for cell in cells)
    assert "BEGIN SOLUTION" not in visible
    given = "\n".join(cell.text for cell in problem_set.source.cells if cell.role != "answer")
    for question in problem_set.questions:
        for cell in problem_set.source.answers(question.id):
            solution = cell.text.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
            lines = [line.strip() for line in solution.splitlines() if len(line.strip()) > 40]
            assert not [line for line in lines if line in visible and line not in given], question.id

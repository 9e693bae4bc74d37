"""Two outlines of one set: whose notebook is whose, and grading the shorter one."""

import pytest
from grading_helpers import MEAN, SUM, TRIPLE, notebook, on_disk, write_files

from autograder.authoring.notebook import instructor_notebook, make_frame, student_notebook, to_text
from autograder.cli.main import main
from autograder.course import load_course
from autograder.probes.load import load_problem_set
from autograder.probes.solutions import without_markers
from autograder.sets import find_outline
from autograder.submissions.matching import answer_names, find_problem_set, matcher_for
from autograder.submissions.notebook import read_notebook

FULL = ["double", "double_sum", "mean_double"]
SHORT = {
    "ps9_short.toml": (
        'title = "The first two"\ncore = ["q01_double"]\noptional = ["q02_double_sum"]\nbonus_limit = 2\n'
    ),
    "ps9_last.toml": 'title = "The last two"\ncore = ["q02_double_sum", "q03_mean_double"]\n',
}
ASKED = {"ps9": FULL, "ps9_short": FULL[:2], "ps9_last": FULL[1:]}
DOUBLE = "def double(x):\n    return x + x"
OWN = {"double": DOUBLE, "double_sum": SUM, "mean_double": MEAN}


@pytest.fixture
def both(course):
    """The course with more outlines beside the set's own."""
    write_files(course / "ps9_demo", SHORT)
    return course


@pytest.fixture
def student(both):
    """Makes the student notebook of an outline, with the first so many questions answered."""

    def make(name, answered=0, own=OWN):
        problem_set = load_problem_set(find_outline(name, both))
        made = student_notebook(instructor_notebook(problem_set, make_frame(problem_set, load_course(both), "checks")))
        cells = [cell for cell in made.cells if cell.metadata["dgm"]["role"] == "answer"]
        assert [cell.source.split("(")[0] for cell in cells] == [f"def {name}" for name in ASKED[name]]
        for cell, text in zip(cells[:answered], map(own.get, ASKED[name])):
            cell.source = text
        return to_text(made).encode()

    return make


@pytest.mark.parametrize("answered", [0, 1, 2])
@pytest.mark.parametrize("name", ASKED)
def test_the_outline_is_found_by_content(both, student, name, answered):
    assert answer_names(find_outline(name, both)) == set(ASKED[name])
    assert find_problem_set(read_notebook(student(name, answered)), both) == name


def test_the_references_own_text_is_given_code_only_where_the_outline_gives_it(both):
    """The solved notebook of the whole set has the very cells that other outlines give."""
    (both / "ps9_demo" / "ps9_last.toml").write_text('title = "One"\ncore = ["q02_double_sum"]\n')
    for name in ("ps9", "ps9_last"):
        cells = load_problem_set(find_outline(name, both)).source.defining
        solved = notebook(*(without_markers(cell.text) for cell in cells))
        assert find_problem_set(read_notebook(solved), both) == name


@pytest.mark.parametrize("answered", [0, 1, 3])
def test_the_whole_notebook_is_not_the_short_ones(both, student, answered):
    matcher = matcher_for(load_problem_set(find_outline("ps9_short", both)), both)
    assert matcher.answers == {"double", "double_sum"}
    whole = read_notebook(student("ps9", answered))
    assert matcher.problem(whole) == "This looks like the notebook of ps9, not of ps9_short."
    assert matcher.problem(read_notebook(student("ps9_short", min(answered, 2)))) is None
    assert matcher_for(load_problem_set(find_outline("ps9", both)), both).problem(whole) is None


def test_given_code_that_was_changed_does_not_make_it_another_outlines_notebook(both, student):
    matcher = matcher_for(load_problem_set(find_outline("ps9_last", both)), both)
    changed = student("ps9_last", 1).replace(b"return 2 * x", b"return x + x")
    assert b"return x + x" in changed and matcher.problem(read_notebook(changed)) is None


def test_the_outline_is_graded_end_to_end(both, student, monkeypatch, capsys):
    monkeypatch.chdir(both)
    write_files(both / "class", {
        "ada.ipynb": student("ps9_short", 2).decode(),
        "bob.ipynb": student("ps9_short", 1, {"double": TRIPLE}).decode(),
        "cleo.ipynb": student("ps9", 3).decode(), "dan.ipynb": student("ps9_short").decode(),
    })
    arguments = ["grade", "ps9_short", "class", "--out", "out", "--seed", "5", "--jobs", "2"]
    assert main(arguments) == 0
    capsys.readouterr()
    results = on_disk(both / "out")
    assert {name: result["score"] for name, result in results.items()} == {"ada": 3, "bob": 0, "cleo": 0, "dan": 0}
    assert {name: result["bonus"] for name, result in results.items()} == {"ada": 3, "bob": 0, "cleo": 0, "dan": 0}
    assert {result["max_score"] for name, result in results.items() if name != "cleo"} == {3}, "q2 is a bonus"
    assert {result["assignment"] for result in results.values()} == {"ps9_short"}
    assert [question["id"] for question in results["ada"]["questions"]] == ["q1", "q2"]
    assert results["bob"]["questions"][0]["probes"][0]["mistake"] == "triple"
    assert results["cleo"]["problem"] == "This looks like the notebook of ps9, not of ps9_short."
    page = (both / "out" / "html" / "students" / "ada.html").read_text()
    assert "Sum of doubles" in page and "Mean of doubles" not in page
    assert "of 3 + 2 bonus (of 3 earned) points" in page
    totals = (both / "out" / "summary.csv").read_text("utf-8-sig").splitlines()
    assert [line.split(",")[2:6] for line in totals[:2]] == [
        ["score", "max_score", "bonus", "total"], ["3", "3", "2", "5"],
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert "Reused from before: 3 of 4." in shown.err and "3 of 3 + 2 bonus (of 3 earned)" in shown.out
    assert on_disk(both / "out") == results
    (both / "ps9_demo" / "ps9_short.toml").write_text(SHORT["ps9_short.toml"].replace("limit = 2", "limit = 1"))
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert "Reused from before: 3 of 4." in shown.err and "3 of 3 + 1 bonus (of 3 earned)" in shown.out
    assert main(["check", "class/ada.ipynb", "--set", "ps9_short"]) == 0
    assert "3 of 3 + 1 bonus (of 3 earned) points" in capsys.readouterr().out
    assert main(["check", "class/ada.ipynb", "--set", "ps9_short", "--question", "q2"]) == 0
    assert "\n1 bonus points" in capsys.readouterr().out
    assert main(["grade", "ps9", "class", "--out", "out"]) == 2
    assert "holds results of ps9_short" in capsys.readouterr().err


def test_given_code_counts_nothing_and_is_not_asked_for(both, student, monkeypatch, capsys):
    monkeypatch.chdir(both)
    right, blank = (student("ps9_last", answered).decode() for answered in (2, 0))
    write_files(both / "class", {"ada.ipynb": right, "dan.ipynb": blank})
    assert main(["grade", "ps9_last", "class", "--out", "out", "--no-html"]) == 0
    results = on_disk(both / "out")
    assert {name: (result["score"], result["max_score"]) for name, result in results.items()} == {
        "ada": (7, 7), "dan": (0, 7),
    }
    assert [question["id"] for question in results["ada"]["questions"]] == ["q2", "q3"]
    assert main(["check", "class/ada.ipynb"]) == 0, "it is found out which outline"
    assert "7 of 7 points" in capsys.readouterr().out


OPEN_END = {
    "ps9_open.toml": 'title = "With an open end"\ncore = ["q01_double", "q04_open_end"]\n',
    "q04_open_end/cells.py": "# %% [markdown]\n# Ask.\n\n# %% [markdown] role=\"written\"\n"
    "# ### BEGIN SOLUTION\n# I asked.\n# ### END SOLUTION\n",
    "q04_open_end/probes.py": "from autograder.probes import Question\n\n"
    'question = Question(title="An open end", manual_points=4, rubric=["4 points: asked."])\n',
}


def test_a_question_for_a_person_alone_is_no_row_of_the_machines(both, monkeypatch, capsys):
    monkeypatch.chdir(both)
    write_files(both / "ps9_demo", OPEN_END)
    problem_set = load_problem_set(find_outline("ps9_open", both))
    assert [question.id for question in problem_set.questions] == ["q1", "q4"]
    made = student_notebook(instructor_notebook(problem_set, make_frame(problem_set, load_course(both), "checks")))
    heading = next(cell.source for cell in made.cells if "Question 4" in cell.source)
    assert heading == "## Question 4 · An open end\n*4 points, 4 of them written · about 10 minutes*"
    next(cell for cell in made.cells if cell.metadata["dgm"]["role"] == "answer").source = DOUBLE
    (both / "ada.ipynb").write_text(to_text(made))
    assert main(["grade", "ps9_open", "ada.ipynb", "--out", "out", "--no-html", "--course", "."]) == 0
    result = on_disk(both / "out")["ada"]
    assert [question["id"] for question in result["questions"]] == ["q1"]
    assert result["score"] == result["max_score"] == 3
    empty = both / "ps9_demo/q04_open_end/probes.py"
    empty.write_text(empty.read_text().replace("manual_points=4, ", ""))
    assert main(["prove", "ps9_open"]) == 2
    assert "there is no answer cell" in capsys.readouterr().err

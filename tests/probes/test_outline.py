"""Outlines: which questions an assignment has, and what it takes along from those that it leaves out."""

from __future__ import annotations

import pytest

from autograder.authoring.freeze import freeze
from autograder.errors import UserError
from autograder.probes.compose import undefined_names
from autograder.probes.load import load_problem_set
from autograder.probes.namespace import reference_namespace
from autograder.sets import SetFolder, all_outlines, find_outline

Q1, Q2 = "q01_log_sum_exp", "q02_log_mean_exp"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('title = "T"\ncore = ["q1"]\nbonus = ["q2"]\n', "bonus is not known; an outline has title, core, optional,"),
        ('title = "T"\ncore = ["q1", "q3"]\n', f"there is no question q3; the set has {Q1}, {Q2}."),
        ('title = "T"\ncore = ["q01_other"]\n', f"there is no question q01_other; the set has {Q1}, {Q2}."),
        ('title = "T"\ncore = ["shared"]\n', "there is no question shared"),
        (f'title = "T"\ncore = ["q1", "q2", "{Q1}"]\n', "q1 is named twice."),
        ('title = "T"\ncore = ["q1"]\noptional = ["q1"]\n', "q1 is named twice."),
        ('title = "T"\n', 'it names no questions; write core = ["q01_…"].'),
        ('title = "T"\ncore = []\noptional = []\n', "it names no questions"),
        ('core = ["q1"]\n', "the title is missing."),
        ('title = ""\ncore = ["q1"]\n', "the title is missing."),
        ('title = 3\ncore = ["q1"]\n', "title must be a text."),
        ('title = "T"\ncore = "q1"\n', "core must be a list of questions' folders."),
        ('title = "T"\ncore = [1]\n', "core must be a list of questions' folders."),
        ('title = "T"\ncore = ["q1"]\nopening = "start.py"\n', "there is no file start.py beside it (a file of cells"),
        ('title = "T"\ncore = ["q1"]\nclosing = "closing.py"\n', "there is no file closing.py beside it (a file"),
        ('title = "T"\ncore = ["q1"]\nbonus_limit = "10"\n', "bonus_limit must be a number of points."),
        ('title = "T"\ncore = ["q1"]\nbonus_limit = true\n', "bonus_limit must be a number of points."),
        ('title = "T"\ncore = ["q1"]\nbonus_limit = -1\n', "bonus_limit must be a number of points."),
        ('title = "T\n', "cannot be read: Illegal character"),
    ],
)
def test_a_faulty_outline_is_one_sentence(tiny_with, text, says):
    folder = tiny_with({"psx.toml": text, "shared/nets.py": ""})
    with pytest.raises(UserError) as caught:
        load_problem_set(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'psx.toml'}") and says in message and "\n" not in message


def test_two_folders_with_one_id_are_refused(tiny_with):
    folder = tiny_with({"q1_other/cells.py": ""})
    with pytest.raises(UserError) as caught:
        load_problem_set(folder)
    assert str(caught.value) == (
        f"{folder / Q1} and {folder / 'q1_other'} are both question q1: give one of them another number."
    )


def test_a_set_needs_no_opening_and_takes_the_one_that_its_outline_names(tiny_with):
    folder = tiny_with({"closing.py": "# %%\nprint('the end')\n"})
    assert [cell.text for cell in load_problem_set(folder).source.cells][-1] == "print('the end')"
    folder = tiny_with({
        "psx.toml": f'title = "T"\ncore = ["{Q2}", "q1"]\nopening = "start.py"\n', "start.py": "# %%\nprint('start')\n",
    })
    source = load_problem_set(tiny_with({f"{Q2}/probes.py": _without_uses(folder)})).source
    assert source.cells[0].text == "print('start')"
    assert [cell.question for cell in source.cells if cell.role == "answer"] == ["q2", "q1"]  # in the outline's order
    assert [cell.index for cell in source.cells] == list(range(len(source.cells)))


def _without_uses(folder) -> str:
    return (folder / Q2 / "probes.py").read_text().replace(', uses=["logsumexp"]', "")


def test_a_folder_may_hold_several_outlines(tiny_with):
    folder = tiny_with({"pst.toml": 'title = "Short"\ncore = ["q1"]\n', "a.toml": 'title = "A"\ncore = ["q2"]\n'})
    assert [outline.name for outline in all_outlines(folder.parent)] == ["psx", "a", "pst"]
    short = load_problem_set(find_outline("pst", folder.parent))
    assert (short.name, short.title, [question.id for question in short.questions]) == ("pst", "Short", ["q1"])
    assert short.outline.student_notebook == folder / "pst.ipynb"
    assert short.outline.solution_notebook == folder / "pst_solution.ipynb"
    assert load_problem_set(folder / "pst.toml").name == "pst"
    assert load_problem_set(folder).name == "psx"


def test_two_questions_that_ask_for_one_name_are_refused(tiny_with):
    cells = '# %%\nprint(1)\n\n# %% role="answer"\ndef logsumexp(x, dim):\n    return 1\n'
    folder = tiny_with({"psx.toml": f'title = "T"\ncore = ["q1", "{Q2}"]\n', f"{Q2}/cells.py": cells})
    with pytest.raises(UserError) as caught:
        load_problem_set(folder)
    assert str(caught.value) == (
        f"{folder / Q2 / 'cells.py'}, line 4: q2 asks for logsumexp, as q1 does ({folder / Q1 / 'cells.py'}, line 4)."
    )


# An assignment that leaves questions out.

THREE = {
    "psx.toml": f'title = "All"\ncore = ["{Q1}", "{Q2}", "q03_last"]\n',
    "part.toml": 'title = "Part"\ncore = ["q3"]\noptional = ["q4"]\n',
    f"{Q1}/cells.py": '''\
# %% [markdown]
# Logarithms of sums.

# %% role="given"
def shift(x):
    return x - OFFSET

# %% role="answer"
def logsumexp(x, dim):
    """Stable log-sum-exp of ``x`` along ``dim``."""
    ### BEGIN SOLUTION
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% role="answer"
def unused(x):
    """Nobody needs this."""
    ### BEGIN SOLUTION
    return shift(x)
    ### END SOLUTION

# %%
curve = [float(logsumexp(torch.tensor([1.0, t]), 0)) for t in range(3)]
print(curve)

# %% role="given"
OFFSET = 3.0
''',
    "q03_last/cells.py": '''\
# %% [markdown]
# First words.

# %% [markdown]
# More words.

# %% role="answer"
def last(x):
    """The mean, shifted."""
    ### BEGIN SOLUTION
    return shift(log_mean_exp(x, 0))
    ### END SOLUTION

# %% role="check"
grader.check("q3")

# %%
print(last(torch.ones(2)))
''',
    "q03_last/probes.py": '''\
from autograder.probes import Question

question = Question(title="Last", uses=["log_mean_exp", "logsumexp"])


@question.probe(points=2, public=True)
def mean(student, rng):
    return student.last(rng.normal(3))
''',
    "q04_more/cells.py": '''\
# %% role="answer"
def more(x):
    """Something more."""
    ### BEGIN SOLUTION
    return last(x) + logsumexp(x, 0)
    ### END SOLUTION

# %% role="check"
grader.check("q4")
''',
    "q04_more/probes.py": '''\
from autograder.probes import Question

question = Question(title="More", uses=["last", "logsumexp"])


@question.probe(points=1.5, public=True)
def works(student, rng):
    return student.more(rng.normal(3))
''',
}


@pytest.fixture
def part(tiny_with):
    """The set with four questions, and its outline of the last two."""
    return tiny_with(THREE) / "part.toml"


def test_what_is_used_of_a_question_left_out_comes_as_given_code(part):
    loaded = load_problem_set(part)
    cells = loaded.source.cells
    assert [cell.text.split("\n")[0] for cell in cells] == [
        "# Tiny", "import torch", "## Question 3 · Last", "First words.",
        "**Given.** This code answers Question 1 and Question 2, which are not part of this assignment. Nothing is "
        "to be done here.",
        "def shift(x):", "def logsumexp(x, dim):", "OFFSET = 3.0", "def log_mean_exp(x, dim):",  # in order, and once
        "More words.", "def last(x):", 'grader.check("q3")', "print(last(torch.ones(2)))",
        "## Question 4 · More", "def more(x):", 'grader.check("q4")',
    ]
    given = cells[5:9]
    assert {(cell.role, cell.question) for cell in given} == {("given", None)}
    assert not any("SOLUTION" in cell.text for cell in given)  # they are whole, without the lines that mark solutions
    assert given[1].text.endswith("+ m.squeeze(dim)")
    assert [cell.index for cell in cells] == list(range(len(cells)))
    namespace = reference_namespace(loaded)
    assert "unused" not in namespace
    assert "last" in namespace and "more" in namespace


def test_an_assignment_of_all_questions_has_no_given_code(tiny_with):
    folder = tiny_with({**THREE, "psx.toml": f'title = "All"\ncore = ["{Q1}", "{Q2}", "q03_last", "q04_more"]\n'})
    loaded = load_problem_set(folder)
    assert not any("**Given.**" in cell.text for cell in loaded.source.cells)
    assert [question.uses for question in loaded.questions] == [
        (), ("logsumexp",), ("log_mean_exp", "logsumexp"), ("last", "logsumexp"),
    ]


def test_what_is_given_is_not_followed_through(part):
    loaded = load_problem_set(part)
    assert [question.uses for question in loaded.questions] == [(), ("last",)]
    assert [item["uses"] for item in freeze(loaded)["questions"]] == [[], ["q3"]]
    assert loaded.source.owner("logsumexp") is None


def test_what_only_a_probe_or_the_closing_names_is_given_too(tiny_with):
    folder = tiny_with({
        "psx.toml": f'title = "T"\ncore = ["{Q1}"]\n',
        "closing.py": "# %% [markdown]\n# The end.\n\n# %%\nprint(third(1))\n",
        "q03_third/cells.py": '# %% role="answer"\ndef third(x):\n    return x / 3\n\n'
                              '# %% role="answer"\ndef fourth(x):\n    return x / 4\n',
    })
    probes = folder / Q1 / "probes.py"
    probes.write_text(probes.read_text().replace("student.logsumexp(SCALE", "student.log_mean_exp(SCALE"))
    texts = [cell.text.split("\n")[0] for cell in load_problem_set(folder).source.cells]
    assert texts == [
        "# Tiny", "import torch", "## Question 1 · Log-sum-exp", "Logarithms of sums.",
        "**Given.** This code answers Question 2, which is not part of this assignment. Nothing is to be done here.",
        "def log_mean_exp(x, dim):", "def logsumexp(x, dim):", 'grader.check("q1")', "The end.",
        "**Given.** This code answers Question 3, which is not part of this assignment. Nothing is to be done here.",
        "def third(x):", "print(third(1))",
    ]


def test_a_name_of_a_figure_that_is_left_out_is_reported(part):
    assert undefined_names(load_problem_set(part).source) == []
    cells = part.parent / "q03_last/cells.py"
    cells.write_text(cells.read_text().replace("print(last(", "print(curve, last("))
    (problem,) = undefined_names(load_problem_set(part).source)
    assert problem == (
        f"{cells}, line 17: curve is defined nowhere in this assignment. If it is made in a figure or training run of "
        "a question that is left out, keep that question, or leave this one out too."
    )
    assert undefined_names(load_problem_set(part.parent).source) == []  # with its question it is there


def test_what_is_used_and_nowhere_asked_for_is_an_error(part):
    probes = part.parent / "q04_more/probes.py"
    probes.write_text(probes.read_text().replace('"last"', '"lost"'))
    sentence = r"q04_more/probes\.py, line 3: q4 uses lost, which no earlier question asks for"
    with pytest.raises(UserError, match=sentence):
        load_problem_set(part)


def test_the_questions_of_a_folder_are_in_order(tmp_path):
    for name in ("q10_ten", "q02_two", "q1_one", "question", "q_3", "q03", "shared"):
        (tmp_path / "psx_tiny" / name).mkdir(parents=True)
    assert SetFolder(tmp_path / "psx_tiny").questions == {"q1": "q1_one", "q2": "q02_two", "q10": "q10_ten"}

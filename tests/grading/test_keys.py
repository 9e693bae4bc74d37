"""The cache's keys: what a change in a problem set's files grades again, and what it leaves."""

import pytest
from grading_helpers import write_files

from autograder.probes.load import load_problem_set
from autograder.results.keys import question_keys
from autograder.sets import find_outline

ALL = {"q1", "q2", "q3"}
SHARED = {
    "shared/inputs.py": "SIZE = 4\n\n\ndef rows(rng):\n    return rng.normal(SIZE, 5)\n",
    "shared/deeper/shapes.py": "WIDTH = 5\n",
    "shared/unused.py": "X = 1\n",
}
OUTLINE = 'title = "Demo"\ncore = ["q01_double", "q02_double_sum", "q03_mean_double"]\n'


@pytest.fixture
def folder(course):
    """The set's folder, with shared modules: the second question imports one, which imports another."""
    folder = course / "ps9_demo"
    write_files(folder, SHARED)
    edit(folder / "shared/inputs.py", "SIZE = 4\n", "from .deeper.shapes import WIDTH\n\nSIZE = 4\n")
    edit(folder / "shared/inputs.py", "SIZE, 5", "SIZE, WIDTH")
    path = folder / "q02_double_sum" / "probes.py"
    edit(path, "import Question\n", "import Question\n\nfrom ..shared.inputs import rows as inputs\n")
    edit(path, "rng.normal(4, 5)", "inputs(rng)")
    write_files(folder, {"q01_double/alternatives.py": "from autograder.probes import Alternatives\n\n"
                         'alternatives = Alternatives()\nalternatives.at("2 * x", edit("sum", "a sum", "x + x"))\n'})
    edit(folder / "q01_double/alternatives.py", "Alternatives\n\n", "Alternatives, edit\n\n")
    return folder


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def keys(folder, name="ps9"):
    return question_keys(load_problem_set(find_outline(name, folder.parent)), {"seed": 1})


def changed(before, after):
    assert before.keys() == after.keys()
    return {id for id, key in before.items() if after[id] != key}


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("q01_double/probes.py", {"q1"}), ("q01_double/mistakes.py", {"q1"}), ("q01_double/alternatives.py", {"q1"}),
        ("q02_double_sum/probes.py", {"q2"}), ("q03_mean_double/probes.py", {"q3"}),
        ("shared/inputs.py", ALL), ("shared/deeper/shapes.py", ALL), ("shared/unused.py", set()),
        ("q01_double/test_reference.py", set()), ("ps9.ipynb", set()), ("ps9_other.toml", set()),
    ],
)  # fmt: skip
def test_a_comment_in_a_file_changes_the_keys_of_whom_it_concerns(folder, name, ids):
    before = keys(folder)
    assert keys(folder) == before
    path = folder / name
    path.write_text((path.read_text() if path.is_file() else "") + "\n# changed\n")
    assert changed(before, keys(folder)) == ids


@pytest.mark.parametrize(("name", "text"), [
    ("opening.py", '\n# %% role="given"\nTWO = 2\n'), ("q01_double/cells.py", '\n# %% role="given"\nTWO = 2\n'),
])  # fmt: skip
def test_the_namespace_concerns_all(folder, name, text):
    before = keys(folder)
    path = folder / name
    path.write_text(path.read_text() + text)
    assert changed(before, keys(folder)) == ALL


def test_text_and_figures_concern_nobody(folder):
    before = keys(folder)
    for name in ("opening.py", "q02_double_sum/cells.py"):
        path = folder / name
        path.write_text(path.read_text() + "\n# %% [markdown]\n# Words.\n\n# %%\nprint(1)\n")
    write_files(folder, {"closing.py": "# %%\nprint(2)\n"})
    assert changed(before, keys(folder)) == set()


def test_whether_a_question_is_optional_concerns_that_question(folder):
    before = keys(folder)
    edit(folder / "ps9.toml", ', "q03_mean_double"]', ']\noptional = ["q03_mean_double"]')
    assert changed(before, keys(folder)) == {"q3"}
    (folder / "ps9.toml").write_text(OUTLINE.replace("Demo", "Another title"))
    assert changed(before, keys(folder)) == set()


def test_another_outline_has_keys_of_its_own(folder):
    (folder / "ps9_twin.toml").write_text(OUTLINE)
    assert changed(keys(folder), keys(folder, "ps9_twin")) == ALL


def test_code_of_other_questions_that_is_imported_counts(folder):
    """Helpers should stand in ``shared``; one that stands in another question is not forgotten all the same."""
    first, decorator = folder / "q01_double/probes.py", "@question.probe(points=1"
    edit(first, decorator, f"def big(rng):\n    return 1e3 * rng.normal(3, 5)\n\n\n{decorator}")
    import_it = "import Question\n\nfrom ..q01_double.probes import big\n"
    edit(folder / "q03_mean_double/probes.py", "import Question\n", import_it)
    before = keys(folder)
    edit(first, "return 1e3 *", "return 1e2 *")
    assert changed(before, keys(folder)) == {"q1", "q3"}


def test_a_module_beside_the_questions_counts(folder):
    write_files(folder, {"helpers.py": "# %%\nROWS = 3\n"})
    edit(folder / "q03_mean_double/probes.py", "import Question\n", "import Question\n\nfrom ..helpers import ROWS\n")
    edit(folder / "q03_mean_double/probes.py", "rng.normal(3, 5)", "rng.normal(ROWS, 5)")
    before = keys(folder)
    edit(folder / "helpers.py", "ROWS = 3", "ROWS = 4")
    assert changed(before, keys(folder)) == {"q3"}

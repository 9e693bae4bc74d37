"""What fails or is missing around the answers costs nothing, and a line says what was overlooked."""

import traceback

import pytest
from grading_helpers import DOUBLE, LIMITS, MEAN, RIGHT, SETUP, SUM, FakePool, scores
from grading_helpers import submission as make

from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.grading.surroundings import run_without_missing
from autograder.kernel import Execution, KernelPool
from autograder.probes.load import load_problem_set

TYPED = "def double(x: torch.Tensor) -> torch.Tensor:\n    return 2 * x"
HELPED = "def double_sum(x):\n    return row_sums(double(x))"


def run(problem_set, *cells):
    grader = SubmissionGrader(problem_set, Referee(problem_set, 5), FakePool(), LIMITS)
    return grader.grade(make("ada", *cells))


@pytest.mark.parametrize("cells", [
    (TYPED, SUM, MEAN),  # deleted
    (TYPED, SUM, MEAN, SETUP),  # moved
    ("import nothing_at_all_1\n1 / 0\n" + SETUP, TYPED, SUM, MEAN),  # broken
    ("raise RuntimeError('no display')", TYPED, SUM, MEAN),
])
def test_a_set_up_that_is_missing_is_supplied(problem_set, cells):
    result = run(problem_set, *cells)
    assert scores(result) == [3, 3, 4]
    assert SETUP in cells[0] or "set-up cell is missing" in result.notes[0]


def test_a_set_up_that_is_there_is_not_run_twice(problem_set):
    pool = FakePool()
    grader = SubmissionGrader(problem_set, Referee(problem_set, 5), pool, LIMITS)
    grader.grade(make("ada", "import math\n" + SETUP, *RIGHT[1:]))
    assert sum(SETUP in code for code in pool.kernels[0].executed) == 1


@pytest.fixture
def given(course):
    """The course with a given cell that the second question needs, and one that needs an answer."""
    path = course / "ps9_demo" / "q02_double_sum" / "cells.py"
    late = '# %% role="given"\nTWICE = double(torch.ones(2))\n\n\ndef row_sums(x):\n    return x.sum(-1)\n\n\n'
    path.write_text(late + path.read_text().replace("double(x).sum(-1)", "row_sums(double(x))"))
    return load_problem_set(course / "ps9_demo")


@pytest.mark.parametrize("cells", [(SETUP, DOUBLE, HELPED, MEAN), (DOUBLE, HELPED, MEAN)])
def test_a_given_cell_that_is_missing_is_supplied_also_if_it_needs_an_answer(given, cells):
    assert scores(run(given, *cells)) == [3, 3, 4]


def test_a_students_own_version_of_a_given_cell_wins(given):
    own = "def row_sums(x):\n    return 0 * x.sum(-1)"
    assert scores(run(given, SETUP, DOUBLE, own, HELPED, MEAN))[:2] == [3, 0]
    assert scores(run(given, SETUP, own, DOUBLE, HELPED, MEAN))[:2] == [3, 0]


def execute_in(names):
    def execute(code):
        try:
            exec(compile(code, "<cell>", "exec"), names)
        except Exception as error:
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<cell>"]
            return Execution("error", type(error).__name__, str(error), line=frames[-1].lineno)
        return Execution("ok")

    return execute


def test_lines_that_cannot_be_imported_here_are_left_out():
    names, notes = {}, []
    cell = (
        "import math\nfrom nothing_here import drive\nimport nothing_else.sub as sub, math\ntry:\n    import nothing\n"
        "except ImportError:\n    nothing = None\ndrive.mount('/content')\nx = math.pi\n"
    )
    done = run_without_missing(execute_in(names), cell, lambda line, text: notes.append((line, text)))
    assert done.status == "ok" and names["x"] > 3 and names["nothing"] is None
    assert [line for line, _ in notes] == [2, 3] and "No module named 'nothing_here'" in notes[0][1]


MANY = "\n".join(f"import nothing_{i}" for i in range(99))


@pytest.mark.parametrize("cell", ["1 / 0", "x = undefined", "import math\nmath.nothing", MANY])
def test_other_errors_stay_and_tries_are_limited(cell):
    runs = []

    def execute(code):
        runs.append(code)
        return execute_in({})(code)

    assert run_without_missing(execute, cell, lambda line, text: None).status == "error" and len(runs) <= 8


def test_a_failing_line_in_a_real_kernel(problem_set):
    cell = "%matplotlib widget\nfrom google.colab import drive\nimport tqdm_that_is_missing\n" + SETUP
    with KernelPool(limits=LIMITS, modules=("torch", "numpy")) as pool:
        grader = SubmissionGrader(problem_set, Referee(problem_set, 5), pool, LIMITS)
        result = grader.grade(make("ada", cell, "exit()\n" + TYPED, SUM, MEAN))
    assert scores(result) == [3, 3, 4]
    assert [note.split(": ")[0] for note in result.notes] == [
        "Cell 1, line 2 (`from google.colab import drive`)", "Cell 1, line 3 (`import tqdm_that_is_missing`)",
    ]  # fmt: skip

"""Right answers are found although copies, stubs, cells of text, names, encodings and outputs stand around them."""

import json
import time

import pytest
from grading_helpers import BLANK, DOUBLE, LIMITS, MEAN, RIGHT, SETUP, STUB, SUM, FakePool, notebook
from test_collect import lay_out, make_zip

from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.submissions.collect import collect
from autograder.submissions.notebook import CodeCell, read_notebook
from autograder.submissions.recover import filled, recovered, stubs

GOOD = notebook(*RIGHT)
ANSWERS = frozenset({"double", "double_sum", "mean_double"})
RELEASED = '''\
def double(
    x: Float[Tensor, "a #b"],  # any size
) -> Float[Tensor, "a #b"]:
    """Twice x:

    Raises NotImplementedError until written.
    """
    # TODO: your code here.
    raise NotImplementedError("Question 1: double is still to be written.")
'''


@pytest.mark.parametrize(("source", "names"), [
    (STUB.format("f"), {"f"}), (RELEASED, {"double"}),
    ("def f(x):\n    'one line'\n    raise NotImplementedError", set()),
    ('def f(x):\n    """One line."""\n\n    # TODO\n    raise NotImplementedError("x")\n\nx = 1', {"f"}),
    ("class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        raise NotImplementedError()", {"A"}),
    (RELEASED.replace("    # TODO", "    return 2 * x\n    # TODO"), set()),  # a line left below the answer
    ("def f(x):\n    if x < 0:\n        raise NotImplementedError\n    return x", set()),
    (DOUBLE, set()), ("", set()), ("def f(x): return 1\nraise NotImplementedError", set()),
    (STUB.format("f") + "\n\n" + DOUBLE, {"f"}), (DOUBLE + "\n\n" + STUB.format("f"), {"f"}),
])  # fmt: skip
def test_stubs(source, names):
    assert stubs(source) == names


def graded(problem_set, data):
    found, notes = recovered(read_notebook(data), ANSWERS)
    cells = [cell.source for cell in found.cells]
    return cells, notes


@pytest.mark.parametrize(
    "stub", [STUB.format("double"), RELEASED, STUB.format("double") + "\n\n" + STUB.format("mean_double")]
)
def test_a_copied_stub_below_the_answers_does_not_win(stub, tmp_path, matcher, problem_set):
    (tmp_path / "ada.ipynb").write_bytes(notebook(*RIGHT, stub))
    (ada,) = collect([tmp_path / "ada.ipynb"], matcher)
    result = SubmissionGrader(problem_set, Referee(problem_set, 5), FakePool(), LIMITS).grade(ada)
    assert result.score == 10
    assert "`double` is defined twice" in ada.notes[0] and "cell 5" in ada.notes[0]


def test_stubs_above_answers_and_later_answers_stay(problem_set):
    kept = (SETUP, STUB.format("double"), DOUBLE, SUM, "def double(x):\n    return x + x", STUB.format("mean_double"))
    assert graded(problem_set, notebook(*kept)) == (list(kept), [])
    mixed = STUB.format("double") + "\n\n" + MEAN  # also holds an answer
    cells, notes = graded(problem_set, notebook(SETUP, DOUBLE, mixed))
    assert cells == [SETUP, DOUBLE, mixed] and "`double` is defined twice" in notes[0]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("text", [DOUBLE, f"```python\n{DOUBLE}\n```", f"My answer:\n~~~\n{DOUBLE}\n~~~"])
@pytest.mark.parametrize("stub_left", [False, True])
def test_an_answer_in_a_cell_of_text_is_tried(kind, text, stub_left, tmp_path, matcher, problem_set):
    code = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in RIGHT]
    code[1] = {"cell_type": kind, "source": text.replace("My answer:", "# My answer:"), "metadata": {}}
    if stub_left:
        code.insert(3, {"cell_type": "code", "source": STUB.format("double"), "metadata": {}, "outputs": []})
    (tmp_path / "ada.ipynb").write_bytes(notebook(cells=code))
    (ada,) = collect([tmp_path / "ada.ipynb"], matcher)
    result = SubmissionGrader(problem_set, Referee(problem_set, 5), FakePool(), LIMITS).grade(ada)
    assert result.score == 10
    assert ada.notes[0].startswith("Cell 2 with `double` is not a code cell")


def test_text_about_answers_is_no_answer(problem_set):
    said = ("def other(x):\n    return 1", "double = 3 of them", DOUBLE)
    texts = [{"cell_type": "markdown", "source": text} for text in said]
    code = [{"cell_type": "code", "source": source} for source in RIGHT]
    assert graded(problem_set, notebook(cells=[*texts, *code])) == (list(RIGHT), [])


def test_the_untouched_notebook_beside_the_work_is_not_graded(tmp_path, matcher):
    work = notebook(SETUP, DOUBLE, STUB.format("double_sum"))
    files = {"ada/ps9.ipynb": notebook(*BLANK), "ada/renamed.ipynb": work}
    files["bob.zip"] = make_zip({"ps9.ipynb": notebook(*BLANK), "a/b/my final.ipynb": work})
    for item in collect([lay_out(tmp_path, files, False)], matcher):
        assert item.notebook_bytes == work, item.student


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", [".ipynb.json", ".ipynb.txt", ".IPYNB.TXT"])
def test_names_that_browsers_and_mail_make(suffix, packed, tmp_path, matcher):
    files = {f"ada{suffix}": GOOD, f"bob/ps9{suffix}": GOOD, "cleo.zip": make_zip({f"x/ps9{suffix}": GOOD})}
    found = collect([lay_out(tmp_path, files, packed)], matcher)
    assert [item.student for item in found] == ["ada", "bob", "cleo"] and all(item.notebook for item in found)
    (tmp_path / f"dan{suffix}").write_bytes(GOOD)
    assert collect([tmp_path / f"dan{suffix}"], matcher)[0].student == "dan"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(encoding):
    data = json.dumps(json.loads(notebook("x = 'é €'")), ensure_ascii=False).encode(encoding)
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert read_notebook(mark + data).cells[0].source == "x = 'é €'"


def test_outputs_of_fifty_megabytes_cost_nothing():
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 50 * 2**20}, "metadata": {}}
    cell = {"cell_type": "code", "source": DOUBLE, "metadata": {}, "outputs": [picture]}
    assert read_notebook(notebook(cells=[cell])).cells[0].source == DOUBLE


@pytest.mark.parametrize(
    "part", ["def f(x):\n", "def f(x):\n    raise NotImplementedError\n", '"""', "    def g():\n", "```\n"]
)
def test_to_look_for_stubs_takes_no_time(part):
    text = "def double(x):\n" + part * (1_000_000 // len(part))
    data = notebook(cells=[{"cell_type": "code", "source": text}, {"cell_type": "markdown", "source": text}])
    started = time.process_time()
    recovered(read_notebook(data), ANSWERS)
    filled([CodeCell(1, text)], ANSWERS)
    assert time.process_time() - started < 15

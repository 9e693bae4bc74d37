"""Notebooks: what is read, and what is refused with a reason."""

import json
import time

import pytest
from grading_helpers import BLANK, notebook, write_files

from autograder.grading.follow_through import used_questions
from autograder.kernel.render import line
from autograder.submissions.definitions import defined_names, defines_something, functions_and_classes
from autograder.submissions.front_end import without_front_end_lines, without_import, without_use
from autograder.submissions.matching import find_problem_set, names_of
from autograder.submissions.notebook import (
    MAX_BYTES,
    CodeCell,
    Notebook,
    NotebookProblem,
    read_notebook,
)
from autograder.text import clean_line


def test_code_cells_are_read_in_order():
    cells = [
        {"cell_type": "markdown", "source": "# Title", "attachments": {"x": {"image/png": "…"}}},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
        {"cell_type": "code", "source": "   \n"},
        {"cell_type": "code", "source": "c = 3", "metadata": {"role": "answer", "points": 100}},
        "not a cell",
    ]
    read = read_notebook(notebook(cells=cells))
    assert [(cell.number, cell.source) for cell in read.cells] == [(2, "a = 1\nb = 2"), (4, "c = 3")]


def test_code_hash_depends_on_code_alone():
    first, second = read_notebook(notebook("x = 1")), read_notebook(notebook("x = 1", metadata={"new": 1}))
    assert first.sha256 != second.sha256
    assert first.code_sha256 == second.code_sha256 != read_notebook(notebook("x = 2")).code_sha256


def test_code_hash_depends_on_headings_and_places_as_the_notes_do():
    def with_heading(*cells):
        return read_notebook(notebook(cells=[*cells, {"cell_type": "code", "source": "x = 1"}])).code_sha256

    heading, text = ({"cell_type": "markdown", "source": text} for text in ("# My name is Ada", "My name is Ada"))
    assert len({with_heading(), with_heading(heading), with_heading(text)}) == 3
    assert with_heading(text) == with_heading({"cell_type": "markdown", "source": "My name is Eve"})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"\x81\x8d", "not text in UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"nbformat": true, "cells": []}', "not a notebook"),
        (b"[" * 500_000, "nested too deeply"),
        (b'{"nbformat": 4, "cells": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (notebook("x", nbformat=3, worksheets=[]), "old format 3"),
        (notebook("x", nbformat=5), "format 5"),
        (notebook(), "no cells"),
        (notebook(cells={"a": 1}), "no cells"),
        (notebook(cells=[{"cell_type": "markdown", "source": "x"}]), "no code cells"),
        (notebook(cells=[{"cell_type": "code", "source": {"a": 1}}]), "Cell 1 of the notebook is malformed"),
        (notebook(cells=[{"cell_type": "code", "source": ["a", 1]}]), "Cell 1 of the notebook is malformed"),
        (notebook("x", language="R"), "language is R"),
        (notebook("x", metadata={"language_info": {"name": "julia\x1b[31m"}}), "language is julia,"),
        (notebook(*["x"] * 2001), "more than 2000 code cells"),
        (b" " * (MAX_BYTES + 1), "larger than 64 MB"),
    ],
)
def test_bad_notebooks_have_a_reason(data, reason):
    with pytest.raises(NotebookProblem, match=reason) as error:
        read_notebook(data)
    assert str(error.value).endswith(".")


def test_more_code_than_anybody_writes_is_refused():
    assert len(read_notebook(notebook("#" * 1_500_000, "#" * 1_500_000)).cells) == 2
    with pytest.raises(NotebookProblem, match="4 million characters of code"):
        read_notebook(notebook("#" * 2_500_000, "#" * 2_500_000))


@pytest.mark.parametrize("start", ["", "async", "def", "class", "import", "a=", "a:", "a,", "%pip", "%sudo"])
@pytest.mark.parametrize("part", ["\n", " ", "\t\n", "a\n", "a ", "(", "def a\n", "a=(\n", "\r"])
def test_no_text_takes_long_to_look_at(start, part, problem_set):
    """What the grader does with cells is done by expressions that take their square in time for none."""
    cell = CodeCell(1, start + part * 100_000 + "x")
    started = time.process_time()
    defines_something(cell.source), defined_names(cell.source), functions_and_classes(cell.source)
    names_of(Notebook((cell,), "")), without_front_end_lines(cell.source)
    used_questions(problem_set, [cell])
    line("Cell In[3], line 1", 3, cell.source), clean_line(cell.source)
    assert time.process_time() - started < 3


def test_what_defines_something_is_seen():
    for text in ("x = 1", "  def f(): 1", "\n\nimport os", "class A: 1", "if x:\n\tasync def f(): 1", "a, b = 1, 2"):
        assert defines_something(text), text
    for text in ("plot(x)", "x = train(y)", "definition(1)", "print(1)"):
        assert not defines_something(text), text


def test_lone_surrogates_do_not_break_later_encoding():
    data = notebook("x").replace(b'"x"', b'"s = \\"\\ud800\\""')
    assert read_notebook(data).cells[0].source.encode() == b's = "?"'


def test_byte_order_mark_and_odd_metadata_are_fine():
    assert read_notebook(b"\xef\xbb\xbf" + notebook("x", metadata=[1, 2])).cells[0].source == "x"


def test_installs_are_dropped_and_lines_stay():
    before = ["if True:", "    %pip install a \\", "        b", "!pip3 install c", "!ls", "!python -m pip install d"]
    after = ["if True:", "    pass", "", "pass", "!ls", "pass"]
    assert without_front_end_lines("\n".join(before)).split("\n") == after


def test_lines_about_a_screen_are_dropped():
    before = ["%matplotlib widget", "%matplotlib qt5", "  %load_ext tensorboard", "%tensorboard", "%config A.b=1"]
    assert without_front_end_lines("\n".join(before)).split() == ["pass"] * 5
    kept = "%matplotlib inline\n%matplotlib\n%%time\nx = 5 %config\n%timeit f()"
    assert without_front_end_lines(kept) == kept


@pytest.mark.parametrize(("source", "number", "left", "names"), [
    ("import a\nimport b.c as d, e\nx", 2, "import a\npass\nx", {"d", "e"}),
    ("if x:\n    from a import b, c as d  # why\ny", 2, "if x:\n    pass\ny", {"b", "d", "why"}),
    ("from a import (\n    b,\n    c,\n)\nx", 1, "pass\n\n\n\nx", {"b", "c"}),
    ("from a import b, \\\n    c\nx", 1, "pass\n\nx", {"b", "c"}),
])  # fmt: skip
def test_an_import_is_taken_out(source, number, left, names):
    assert without_import(source, number) == (left, names)


def test_only_imports_and_their_uses_are_taken_out():
    assert without_import("x = 1", 1) is None and without_import("import a", 2) is None
    assert without_use("a\ndrive.mount('/x')\nb", 2, {"drive"}) == "a\npass\nb"
    for source in ("x = drive.mount()", "    drive.mount()", "drive.mount(\n)", "drives.mount()"):
        assert without_use(source, 1, {"drive"}) is None, source


def test_names_are_found_even_where_the_code_does_not_compile():
    cells = ["%%time\ndef f(x):\n  return (", "class G:\n    def h(self): ...", "a: int = 3\nb == 2"]
    read = read_notebook(notebook(*cells))
    assert names_of(read) == {"f", "G", "a"}


def test_problem_set_is_found_by_content(course):
    assert find_problem_set(read_notebook(notebook(*BLANK)), course) == "ps9"
    assert find_problem_set(read_notebook(notebook("x = 1")), course) is None


def test_matcher_names_the_right_set(course, problem_set):
    from autograder.submissions.matching import matcher_for

    write_files(course / "ps8_other", {
        "ps8.toml": 'title = "Other"\ncore = ["q01_halve"]\n',
        "q01_halve/cells.py": '# %% role="answer"\ndef halve(x):\n    return x / 2\n',
    })
    matcher = matcher_for(problem_set, course)
    assert matcher.problem(read_notebook(notebook("def halve(x): return x"))) == (
        "This looks like the notebook of ps8, not of ps9."
    )
    assert "none of the answers of ps9" in matcher.problem(read_notebook(notebook("x = 1")))
    assert matcher.problem(read_notebook(notebook(*BLANK))) is None


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07c", "abc"),
        ("one\ntwo\r\nthree", "one two three"),
        ("right\u202eleft\u2066", "rightleft"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\ud800x", "x"),
        ("y" * 1000, "y" * 399 + "…"),
        (json, ""),
    ],
)
def test_hostile_text_is_cleaned(text, clean):
    assert clean_line(text) == clean

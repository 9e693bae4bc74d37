"""Text edits of the answers: pieces of lines, and blocks of whole lines."""

from __future__ import annotations

import re

import pytest

from autograder.errors import UserError
from autograder.probes import Mistakes, edit
from autograder.probes.edits import edited
from autograder.probes.load import load_problem_set

CELL = '''\
class Net:
    def forward(self, x):
        if x.ndim == 1:
            x = x[None]

        h = self.first(x)
        return self.last(h)'''
OTHER = "def loss(x):\n    return x.mean()"


def apply(place, new, *others):
    """The cells after one edit."""
    mistakes = Mistakes()
    mistakes.at(place, edit("wrong", "a sentence", new, *others))
    (mistake,) = mistakes
    return edited([CELL, OTHER], mistake)


def test_a_piece_of_a_line():
    assert apply("x.mean()", "x.sum()") == [CELL, OTHER.replace("mean", "sum")]
    assert apply("self.first(x)", "") == [CELL.replace("self.first(x)", ""), OTHER]


def test_a_block_is_whole_lines_at_any_indentation():
    wanted = CELL.replace("        h = self.first(x)\n        return", "        h = x\n        return")
    for pad in ("", "  ", " " * 20):
        place = f"\n{pad}h = self.first(x)\n{pad}return self.last(h)\n{pad}"
        assert apply(place, f"\n{pad}h = x\n{pad}return self.last(h)\n{pad}")[0] == wanted
    with pytest.raises(UserError, match="does not occur"):  # only parts of lines
        apply("\n    return self.last\n    ", "")


def test_the_indentation_of_a_block_counts_from_its_closing_quotes():
    """So that a block may begin, or consist of, lines that are further in."""
    place = """
            h = self.first(x)
            """
    deeper = """
                h = self.first(x)
            """
    assert "\n            h = self.first(x)\n" in apply(place, deeper)[0]
    inner = apply("""
        if x.ndim == 1:
            x = x[None]
        """, """
            x = x[None]
        """)[0]
    assert inner == CELL.replace("        if x.ndim == 1:\n            x = x[None]", "            x = x[None]")
    assert apply("\n    x = x[None]\n", "\n    pass\n")[0] == CELL.replace("x = x[None]", "pass")


def test_the_indentation_that_lines_have_in_common_counts_where_quotes_close_on_the_last_line():
    assert apply("x = x[None]", "\n        x = x[None]\n        x = 2 * x")[0] == CELL.replace(
        "x = x[None]", "x = x[None]\n            x = 2 * x"
    )


def test_the_lines_of_a_block_must_stand_as_they_are_to_each_other():
    with pytest.raises(UserError, match=r"`if x\.ndim == 1: ⏎ x = x\[None\]` does not occur"):
        apply("\n    if x.ndim == 1:\n    x = x[None]\n    ", "")


def test_a_deleted_block_takes_its_line_breaks_along():
    assert apply("\n    if x.ndim == 1:\n        x = x[None]\n    ", "")[0] == CELL.replace(
        "        if x.ndim == 1:\n            x = x[None]\n", ""
    )
    assert apply("\n    return self.last(h)\n    ", "")[0] == CELL.removesuffix("\n        return self.last(h)")
    assert apply("\n    class Net:\n    ", "")[0] == CELL.removeprefix("class Net:\n")


def test_an_empty_line_within_a_block():
    place = """
            x = x[None]

        h = self.first(x)
        """
    assert apply(place, "\n    h = x\n    ")[0] == CELL.replace(
        "            x = x[None]\n\n        h = self.first(x)", "        h = x"
    )


def test_one_line_for_a_block():
    assert apply("\n    if x.ndim == 1:\n        x = x[None]\n    ", "x = x + 0")[0] == CELL.replace(
        "if x.ndim == 1:\n            x = x[None]", "x = x + 0"
    )


def test_a_block_for_a_piece_that_is_all_of_its_line():
    assert apply("h = self.first(x)", """
        h = self.first(x)
        if h.ndim > 1:
            h = h + 1
        """)[0] == CELL.replace(
            "        h = self.first(x)",
            "        h = self.first(x)\n        if h.ndim > 1:\n            h = h + 1",
        )
    with pytest.raises(UserError, match=r"whole lines can only replace whole lines, and `self\.first\(x\)` is a part"):
        apply("self.first(x)", "\n    h = x\n    ")


def test_several_edits_follow_each_other():
    cells = apply("x.mean()", "x.sum()", ("self.last(h)", "h"), ("x.sum()", "2 * x.sum()"))
    assert cells == [CELL.replace("self.last(h)", "h"), "def loss(x):\n    return 2 * x.sum()"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("x.median()", "`x.median()` does not occur in"),
        ("self.", "`self.` occurs 2 times, not once, in"),
        ("x", "`x` occurs 7 times, not once, in"),
        ("\n    pass\n    ", "`pass` does not occur in"),
        ("", "`` does not occur in"),
        ("\n", "`` does not occur in"),
        ("\n    \n    ", "`` does not occur in"),
    ],
)
def test_a_place_that_is_not_there_once_is_one_sentence(place, says):
    with pytest.raises(UserError, match=re.escape(f"wrong: {says} the question's answer cells.")):
        apply(place, "y")


def test_two_places_across_cells_are_two():
    with pytest.raises(UserError, match=r"`return` occurs 2 times, not once,"):
        apply("return", "pass")


MISTAKES = '''\
from autograder.probes import Mistakes, edit

mistakes = Mistakes()

mistakes.at(
    "m.squeeze(dim)",
    edit("first", "a first sentence",
         "0"),
    edit("second", "a second sentence",
         "1",
         ("exp()", "exponential()"), ("x.min(", "x.max(")),
)
'''


@pytest.mark.parametrize(("place", "line", "id"), [("m.squeeze(dim)", 9, "second"), ("m.unsqueeze(dim)", 7, "first")])
def test_the_line_is_that_of_the_edit_itself(tiny_with, place, line, id):
    folder = tiny_with({"q01_log_sum_exp/mistakes.py": MISTAKES.replace("m.squeeze(dim)", place)})
    with pytest.raises(UserError) as caught:
        load_problem_set(folder)
    missing = "x.min(" if id == "second" else place
    path = folder / "q01_log_sum_exp/mistakes.py"
    expected = f"{path}, line {line}: {id}: `{missing}` does not occur in the question's answer cells."
    assert str(caught.value) == expected


def test_an_alternatives_edits_are_checked_too(tiny_with):
    text = 'from autograder.probes import Alternatives, edit\n\nalternatives = Alternatives()\n\nalternatives.at(\n'
    folder = tiny_with({"q01_log_sum_exp/alternatives.py": text + '    "m = 1", edit("same", "the same", "m = 2"))\n'})
    with pytest.raises(UserError, match=r"alternatives\.py, line 6: same: `m = 1` does not occur"):
        load_problem_set(folder)

"""The rule that computes minutes, and what it adds up to for an assignment."""

from __future__ import annotations

import pytest

from autograder.cli.main import main
from autograder.probes.effort import Effort, effort_of
from autograder.probes.load import load_problem_set
from autograder.probes.source import Cell
from autograder.probes.workload import over_budget, workload

ANSWER = '''
class Layer:
    """Three words here."""

    def forward(self, x):
        """Two more."""
        ### BEGIN SOLUTION
        y = x

        def helper():
            """These words are not shown."""
        return y
        ### END SOLUTION
'''


def _cell(text, role="demo", kind="code"):
    return Cell(kind, role, text, None, 0, "here")


def test_the_rule():
    effort = Effort(words=260, functions=2, lines=10, written_parts=1, seconds=90)
    assert effort.minutes == 2 + 8 + 15 + 10 + 1.5
    assert effort.rounded_minutes == 35
    assert Effort().rounded_minutes == 5


def test_what_is_counted():
    assert effort_of([_cell("one two  three\n\nfour", kind="markdown")]) == Effort(words=4)
    assert effort_of([_cell("not counted", "heading", "markdown")], 7, 5) == Effort(seconds=7, own=5)
    assert effort_of([_cell(ANSWER, "answer")]) == Effort(words=5, functions=1, lines=4)
    model_answer = "Why is that?\n### BEGIN SOLUTION\nBecause of this.\n### END SOLUTION"
    assert effort_of([_cell(model_answer, "written", "markdown")]) == Effort(words=3, written_parts=1)
    given = 'def f(x):\n    """Given code."""\n    return x  # a comment\n'
    assert effort_of([_cell(given, "given"), _cell("print('a b c')")]) == Effort(words=2)


def test_core_and_optional_are_added_up(tiny_with):
    folder = tiny_with({"psx.toml": 'title = "T"\ncore = ["q1"]\noptional = ["q2"]\n'})
    load = workload(load_problem_set(folder))
    assert [(share.points, share.effort.functions, share.bonus) for share in load.questions] == [
        (3, 1, False), (2, 1, True),
    ]
    assert load.frame.effort == Effort(words=4)
    assert load.core.effort == load.questions[0].effort + load.frame.effort and load.core.points == 3
    assert load.optional.effort == load.questions[1].effort and load.optional.points == 2
    assert [share.name for share in load.rows()] == [
        "q1 Log-sum-exp", "q2 Log-mean-exp (optional)", "opening and closing", "core", "optional",
    ]


def test_a_budget_that_is_not_kept_is_told(tiny_set):
    assert over_budget(load_problem_set(tiny_set)) == [
        "psx's core has 0 written points; at least 15.", "psx's core has 5 points; it should have 100.",
    ]
    cells = tiny_set / "q01_log_sum_exp/cells.py"
    body = "\n".join(f"    x = x + {number}" for number in range(400))
    functions = "\n".join(
        f"def f{number}(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n" for number in range(40)
    )
    cells.write_text(
        f"# %% [markdown]\n# {'word ' * 10_000}\n\n# %% role=\"answer\"\n{functions}\ndef logsumexp(x, dim):\n"
        f"    ### BEGIN SOLUTION\n{body}\n    m = x.max(dim)\n    return x + m.squeeze(dim)\n    ### END SOLUTION\n"
    )
    assert over_budget(load_problem_set(tiny_set))[:3] == [
        "psx's core takes 15.2 hours by the rule; at most 10.",
        "psx's core has 10,013 words, docstrings included; at most 10,000.",
        "psx's core asks for 42 functions; at most 40.",
    ]


def test_the_list_of_an_assignment(tiny_set, capsys, monkeypatch):
    monkeypatch.chdir(tiny_set)
    assert main(["list", str(tiny_set)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["points", "written", "minutes", "words", "functions", "lines", "run", "s"]
    assert lines[1].split() == ["q1", "Log-sum-exp", "3", "0", "7", "9", "1", "2", "0"]
    assert lines[-1].startswith("core: 5 points, 0 of them written; 0.2 hours by the rule; ")
    assert "optional" not in lines[-2]


@pytest.mark.parametrize("name", ["nothing", "ps99"])
def test_an_unknown_assignment_is_one_sentence(capsys, name):
    assert main(["list", name]) == 2
    assert "There is no problem set" in capsys.readouterr().err

"""Headings: composed from the question, its cells and its place in the outline."""

from __future__ import annotations

import pytest

from autograder.errors import UserError
from autograder.probes.load import load_problem_set

Q1, Q2 = "q01_log_sum_exp", "q02_log_mean_exp"
CORE = f'title = "T"\ncore = ["{Q2}", "{Q1}"]\n'
OPTIONAL = f'title = "T"\ncore = ["{Q2}"]\noptional = ["{Q1}"]\n'
ALONE = f'title = "T"\ncore = []\noptional = ["{Q1}"]\n'


def _heading(folder, outline="", **facts):
    """The heading of Question 1 in an outline, with facts of its `Question` changed."""
    if outline:
        (folder / "psx.toml").write_text(outline)
        second = folder / Q2 / "probes.py"  # it comes first here, so it can use nothing
        second.write_text(second.read_text().replace(', uses=["logsumexp"]', ""))
    probes = folder / Q1 / "probes.py"
    more = "".join(f", {name}={value!r}" for name, value in facts.items())
    probes.write_text(probes.read_text().replace('skills=["1.01"]', f'skills=["1.01"]{more}'))
    (cell,) = (c for c in load_problem_set(folder).source.cells if c.role == "heading" and c.section == "q1")
    return cell.text


@pytest.mark.parametrize(("outline", "facts", "line"), [
    ("", {}, "*3 points · about 5 minutes*"),
    ("", {"lecture": "mixtures, EM"}, "*3 points · about 5 minutes · needs: mixtures, EM*"),
    ("", {"manual_points": 1.5, "run_seconds": 600}, "*4.5 points, 1.5 of them written · about 15 minutes*"),
    (CORE, {"after": Q2}, "*3 points · about 5 minutes*"),
    (OPTIONAL, {}, "*3 bonus points · about 5 minutes · optional*"),
    (OPTIONAL, {"after": Q2}, "*3 bonus points · about 5 minutes · optional, after Question 2*"),
    (OPTIONAL, {"after": "q2", "lecture": "logs"},
     "*3 bonus points · about 5 minutes · needs: logs · optional, after Question 2*"),
    (ALONE, {"after": "q2"}, "*3 bonus points · about 5 minutes · optional*"),
])
def test_it_says_what_question_and_outline_say(tiny_set, outline, facts, line):
    assert _heading(tiny_set, outline, **facts) == f"## Question 1 · Log-sum-exp\n{line}"


def test_one_point_is_singular(tiny_set):
    probes = tiny_set / Q1 / "probes.py"
    probes.write_text(probes.read_text().replace("points=2", "points=0"))
    assert _heading(tiny_set).endswith("\n*1 point · about 5 minutes*")


def test_a_folder_with_another_number_is_another_question(tiny_set):
    (tiny_set / Q1).rename(tiny_set / "q07_log_sum_exp")
    toml = tiny_set / "psx.toml"
    toml.write_text(toml.read_text().replace(Q1, "q07_log_sum_exp"))
    cells = load_problem_set(tiny_set).source.cells
    assert [cell.text.split("\n")[0] for cell in cells if cell.role == "heading"] == [
        "## Question 7 · Log-sum-exp", "## Question 2 · Log-mean-exp",
    ]


def test_after_a_question_that_there_is_not(tiny_set):
    with pytest.raises(UserError, match=r"probes\.py, line 5: q1 comes after q9, but there is no such question"):
        _heading(tiny_set, after="q9")


@pytest.mark.parametrize(("hints", "says"), [
    ('["Subtract."]', r"hints must be a mapping, such as hints="),
    ('{"log_mean_exp": ["Subtract."]}', "there are hints for log_mean_exp, but q1 asks for logsumexp"),
    ('{"logsumexp": "Subtract."}', "the hints for logsumexp must be a list of texts"),
    ('{"logsumexp": []}', "the hints for logsumexp must be a list of texts"),
])
def test_faulty_hints_are_one_sentence(tiny_set, hints, says):
    probes = tiny_set / Q1 / "probes.py"
    old = '{"logsumexp": HINTS}'
    assert old in probes.read_text()
    probes.write_text(probes.read_text().replace(old, hints))
    with pytest.raises(UserError, match=rf"probes\.py, line \d+: {says}"):
        load_problem_set(tiny_set)


def test_the_opening_has_a_table_of_the_questions_where_it_asks_for_it(tiny_set):
    (tiny_set / "psx.toml").write_text(OPTIONAL)
    second = tiny_set / Q2 / "probes.py"
    second.write_text(second.read_text().replace(', uses=["logsumexp"]', ', lecture="logs", run_seconds=7200'))
    opening = tiny_set / "opening.py"
    opening.write_text(f"# %% [markdown]\n# # T\n#\n# {{questions}}\n#\n# The {{questions}}.\n\n{opening.read_text()}")
    before, overview, after = load_problem_set(tiny_set).source.cells[:3]
    table = overview.text.split("\n")
    assert table[:2] == ["| question | points | minutes | needs |", "|---|---|---|---|"]
    assert table[2].startswith("| 2 · Log-mean-exp | ") and table[2].endswith(" | 125 | logs |")
    assert table[3] == "| 1 · Log-sum-exp | 3 bonus | 5 |  |"
    assert table[4].endswith("| **2 hours** | |") and len(table) == 5
    assert (before.text, overview.role, after.text) == ("# T", "heading", "The {questions}.")

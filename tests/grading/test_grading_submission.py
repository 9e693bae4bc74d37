"""One submission: cells, restarts, verdicts, follow-through. With kernels that need no process."""

import json
import re

import pytest
from grading_helpers import (
    BLANK,
    DOUBLE,
    LIMITS,
    MEAN,
    RIGHT,
    SETUP,
    SUM,
    TRIPLE,
    WRONG_MEAN,
    WRONG_SUM,
    FakePool,
    scores,
)
from grading_helpers import submission as make

from autograder.errors import UserError
from autograder.grading import follow_through
from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.kernel import Execution, Limits, SandboxError
from autograder.probes.load import load_problem_set
from autograder.submissions.collect import Submission
from autograder.submissions.notebook import read_notebook


def statuses(result):
    return [question.status for question in result.questions]


def test_right_answers(grader, problem_set):
    result = grader.grade(make("ada", *RIGHT))
    assert (result.score, result.max_score, result.status) == (10, 10, "graded")
    assert statuses(result) == ["passed"] * 3
    assert not result.notes and result.sandbox == "fake" and len(result.notebook_sha256) == 64
    assert not any(question.follow_through for question in result.questions)


def test_blank_notebook_scores_nothing(grader):
    result = grader.grade(make("ada", *BLANK))
    assert result.score == 0 and statuses(result) == ["missing"] * 3


def test_deleted_answers_score_nothing(grader, pool):
    result = grader.grade(make("ada", SETUP, DOUBLE))
    assert scores(result) == [3, 0, 0] and statuses(result) == ["passed", "missing", "missing"]
    assert "`double_sum` is not defined" in result.questions[1].probes[0].message


def test_one_error_does_not_cost_twice(grader):
    result = grader.grade(make("ada", SETUP, TRIPLE, SUM, MEAN))
    assert scores(result) == [0, 3, 4]
    assert [question.follow_through for question in result.questions] == [False, True, True]
    assert result.questions[0].probes[0].mistake == "triple"
    assert result.questions[1].probes[0].message == "Right, given a correct q1."
    assert result.questions[2].probes[0].message == "Right, given a correct q1 and q2."


def test_follow_through_gives_nothing_for_a_wrong_answer(grader):
    assert scores(grader.grade(make("ada", SETUP, TRIPLE, WRONG_SUM, MEAN))) == [0, 0, 4]
    assert scores(grader.grade(make("bob", SETUP, TRIPLE, SUM, WRONG_MEAN))) == [0, 3, 0]
    assert scores(grader.grade(make("eve", SETUP, DOUBLE, WRONG_SUM, WRONG_MEAN))) == [3, 0, 0]


def test_follow_through_after_a_missing_answer(grader):
    assert scores(grader.grade(make("ada", SETUP, SUM, MEAN))) == [0, 3, 4]
    assert scores(grader.grade(make("ada", SETUP, BLANK[1], SUM, MEAN))) == [0, 3, 4]


def test_no_reference_source_before_all_evidence_is_in(grader, pool):
    grader.grade(make("ada", SETUP, TRIPLE, WRONG_SUM, WRONG_MEAN))
    requests = pool.kernels[0].requests
    with_source = [bool(request["prelude"]) for request in requests]
    assert with_source == sorted(with_source)  # all without, then all with
    q2 = "double(x).sum(-1)"
    second = [(request["name"], q2 in request["prelude"]) for request in requests if request["prelude"]]
    assert second == [("rows", False), ("means", True)]  # q2's source only after q2's second try


def test_a_stolen_prelude_is_of_no_use(grader):
    """A stub of q2 that looks for q2's reference wherever it may have been left finds it too late."""
    thief = "loot = {}\ndef double_sum(x):\n    return loot['double_sum'](x) if loot else x"
    keep = "def mean_double(x):\n    loot.update(double_sum=double_sum)\n    return x"
    assert scores(grader.grade(make("eve", SETUP, TRIPLE, thief, keep))) == [0, 0, 0]


def test_nothing_is_sent_twice_without_need(grader, pool):
    grader.grade(make("ada", *RIGHT))
    assert pool.asked == ["small", "large", "rows", "means"]


def test_only_some_questions(grader, pool):
    result = grader.grade(make("ada", SETUP, TRIPLE, SUM, MEAN), only=["q2"])
    assert [question.id for question in result.questions] == ["q1", "q2"]
    assert result.questions[1].follow_through and "means" not in pool.asked


def test_errors_in_cells_cost_only_what_needs_them(grader):
    result = grader.grade(make("ada", SETUP, DOUBLE, "1 / 0", SUM, "undefined", MEAN))
    assert result.score == 10
    assert result.notes == [
        "Cell 3, line 1 (`1 / 0`): ZeroDivisionError: division by zero",
        "Cell 5, line 1 (`undefined`): NameError: name 'undefined' is not defined",
    ]


def test_a_note_names_the_heading_above(grader):
    cells = [
        {"cell_type": "markdown", "source": ["# Set\n", "text\n", "## Question 1 · Doubling\n", "#no heading\n"]},
        *({"cell_type": "code", "source": cell} for cell in (*RIGHT, "1 / 0")),
    ]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    result = grader.grade(Submission("ada", "", read_notebook(data)))
    place = "Cell 6, below “Question 1 · Doubling”, line 1 (`1 / 0`)"
    assert result.notes == [f"{place}: ZeroDivisionError: division by zero"]


def test_installs_are_skipped_without_a_note(grader, pool):
    result = grader.grade(make("ada", "%pip install torch", *RIGHT))
    assert result.score == 10 and not result.notes and pool.kernels[0].executed[0] == "pass"


def test_a_cell_that_kills_the_kernel_is_left_out(grader, pool):
    result = grader.grade(make("ada", SETUP, DOUBLE, "k = 1 # DIE", SUM, MEAN))
    assert result.score == 10 and len(pool.kernels) == 2
    assert len(result.notes) == 1 and result.notes[0].startswith("Cell 3 (`k = 1 # DIE`): ended Python")


def test_an_answer_that_kills_the_kernel_costs_only_itself(grader):
    result = grader.grade(make("ada", SETUP, DOUBLE, SUM + "\n# DIE", "import os # DIE", MEAN))
    assert scores(result) == [3, 0, 4]  # q3 by follow-through


def test_the_last_kernel_runs_definitions_only(grader, pool):
    result = grader.grade(make("ada", *RIGHT[:2], "print(1) # DIE", "print(2) # DIE", "print(3) # DIE", *RIGHT[2:]))
    assert result.score == 10 and len(pool.kernels) == 3
    assert not any("print" in code for code in pool.kernels[2].executed)


def test_too_many_killers(grader, pool):
    result = grader.grade(make("ada", "a = 1 # DIE", "b = 1 # DIE", "c = 1 # DIE", *RIGHT))
    assert result.score == 0 and "kept alive" in result.questions[0].probes[0].message
    assert len(pool.kernels) == 4  # three tries, and one to see whose fault it is


def test_broken_kernels_are_not_the_students_fault(grader, pool):
    def fail(code):
        for kernel in pool.kernels:
            kernel.alive = False

    pool.on_execute = fail
    with pytest.raises(SandboxError, match="no fault of the submission"):
        grader.grade(make("ada", *RIGHT))


def test_a_kernel_that_does_not_start_is_tried_once_more(grader, pool, monkeypatch):
    monkeypatch.setattr("autograder.grading.session.START_PAUSE", 0)
    start, fails = pool.start, [1]

    def sometimes():
        if fails:
            fails.pop()
            raise SandboxError("A kernel did not start in time.")
        return start()

    pool.start = sometimes
    assert grader.grade(make("ada", *RIGHT)).score == 10
    fails += [1, 1]
    with pytest.raises(SandboxError, match="in time"):
        grader.grade(make("ada", *RIGHT))


def test_a_hanging_cell_is_noted(grader):
    result = grader.grade(make("ada", *RIGHT, "while True: pass # HANG"))
    assert result.score == 10 and result.notes == ["Cell 5 (`while True: pass # HANG`): stopped after 300 s."]


def test_a_probe_that_kills_the_kernel_costs_only_itself(grader, pool):
    pool.deadly = {"small"}
    result = grader.grade(make("ada", *RIGHT))
    assert scores(result) == [2, 3, 4]
    assert result.questions[0].status == "error" and "process ended" in result.questions[0].probes[0].message
    assert len(pool.kernels) == 2


def test_when_time_is_up_definitions_still_count(problem_set, pool, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("autograder.grading.session.time.monotonic", lambda: now[0])

    def slow(code):
        now[0] += 30 if "slow" in code else 0

    pool.on_execute = slow
    grader = SubmissionGrader(problem_set, Referee(problem_set, 5), pool, Limits(cell_seconds=50, total_seconds=100))
    cells = [SETUP, *["slow = 1"] * 3, "print(1)", DOUBLE, SUM, MEAN]
    result = grader.grade(make("ada", *cells))
    assert result.score == 10
    assert result.notes == ["Cell 5 (`print(1)`): not run, because the time for the notebook was used up."]


def test_all_time_used_up(problem_set, pool, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("autograder.grading.session.time.monotonic", lambda: now[0])
    pool.on_execute = lambda code: now.__setitem__(0, now[0] + 60)
    grader = SubmissionGrader(problem_set, Referee(problem_set, 5), pool, Limits(total_seconds=100))
    result = grader.grade(make("a", *RIGHT))
    assert result.score == 0 and statuses(result) == ["timeout"] * 3


def test_malformed_evidence_is_an_error(grader, pool):
    pool.payload = b'{"status": "passed", "score": 100}'
    result = grader.grade(make("eve", *RIGHT))
    assert result.score == 0 and statuses(result) == ["error"] * 3


def test_hostile_error_messages_are_cleaned(grader):
    cell = "raise ValueError('\\x1b[31m<b>\\x00\\n' + 'x' * 5000)"
    answer = "def double(x):\n    " + cell
    result = grader.grade(make("eve", SETUP, answer, SUM, MEAN, cell))
    texts = [result.notes[0], result.questions[0].probes[0].message]
    for text in texts:
        assert "ValueError: <b> xxx" in text and len(text) < 800 and text.isprintable() and "\x1b" not in text


def test_same_seed_same_result(problem_set):
    def run():
        grader = SubmissionGrader(problem_set, Referee(problem_set, 5), FakePool(), LIMITS)
        result = grader.grade(make("a", SETUP, TRIPLE, SUM))
        for probe in (probe for question in result.questions for probe in question.probes):
            probe.seconds = 0.0
        result.seconds = 0.0
        return result.to_json()

    assert run() == run()


def test_seeds_of_probes_differ_and_hide_the_secret(grader, pool):
    grader.grade(make("ada", *RIGHT))
    seeds = [request["seed"] for request in pool.kernels[0].requests]
    assert len(set(seeds)) == len(seeds) and 5 not in seeds


def test_probes_travel_without_anything_private(grader, pool):
    grader.grade(make("ada", *RIGHT))
    for request in pool.kernels[0].requests:
        assert "triple" not in request["source"] and "autograder" not in request["source"]


def used(problem_set, *cells):
    return follow_through.used_questions(problem_set, make("ada", *cells).notebook.cells)


def test_what_questions_use_by_design(problem_set):
    assert used(problem_set, SETUP) == {"q1": [], "q2": ["q1"], "q3": ["q1", "q2"]}
    text = follow_through.prelude(problem_set, ["q1"])
    assert "2 * x" in text and ".sum(-1)" not in text


@pytest.fixture
def undeclared(course):
    """The course, with nothing said of what its questions use."""
    for path in (course / "ps9_demo").glob("q*/probes.py"):
        path.write_text(re.sub(r", uses=\[.*?\]", "", path.read_text()))
    return load_problem_set(course / "ps9_demo")


def test_what_the_students_code_uses(undeclared):
    assert used(undeclared, *RIGHT) == {"q1": [], "q2": ["q1"], "q3": ["q1", "q2"]}
    alone = "def mean_double(x):\n    return 2 * x.mean(-1)"
    assert used(undeclared, SETUP, DOUBLE, SUM, alone)["q3"] == []
    through = ("def helper(x):\n    return double(x)", "def mean_double(x):\n    return helper(x).mean(-1)")
    assert used(undeclared, SETUP, DOUBLE, SUM, *through)["q3"] == ["q1"]
    later = "def double(x):\n    return mean_double(x) or double_sum(x)"
    assert used(undeclared, SETUP, later, SUM, MEAN)["q1"] == []


def test_one_error_does_not_cost_twice_where_only_the_student_uses_the_earlier_answer(undeclared, pool):
    grader = SubmissionGrader(undeclared, Referee(undeclared, 5), pool, LIMITS)
    own = "def mean_double(x):\n    return double(x).mean(-1)"
    result = grader.grade(make("ada", SETUP, TRIPLE, WRONG_SUM, own))
    assert scores(result) == [0, 0, 4] and result.questions[2].probes[0].message == "Right, given a correct q1."


def test_a_question_cannot_declare_later_answers(course):
    path = course / "ps9_demo" / "q01_double" / "probes.py"
    path.write_text(path.read_text().replace('title="Doubling"', 'title="Doubling", uses=["double_sum"]'))
    with pytest.raises(UserError, match="q1 uses double_sum, which no earlier question asks for"):
        load_problem_set(course / "ps9_demo")


def test_executions_may_say_anything(grader, pool):
    pool.start = lambda start=pool.start: _odd(start())
    assert grader.grade(make("eve", *RIGHT, "boom")).score == 10


def _odd(kernel):
    execute = kernel.execute

    def odd(code, timeout=None):
        return Execution("error", "\x00" * 10, "y" * 10**6, line=None) if code == "boom" else execute(code, timeout)

    kernel.execute = odd
    return kernel

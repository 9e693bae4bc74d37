"""When questions are asked: in their place, and at the end of the notebook where that is better."""

from dataclasses import replace

from grading_helpers import BLANK, DOUBLE, LIMITS, MEAN, RIGHT, SETUP, SUM, TRIPLE, WRONG_MEAN, scores
from grading_helpers import submission as make

from autograder.grading.referee import Referee
from autograder.grading.requests import last_defining_cell, probe_requests, schedule
from autograder.grading.session import Session
from autograder.grading.submission import SubmissionGrader
from autograder.kernel import ProbeReply
from autograder.submissions.notebook import CodeCell

HELPED = "def helper(x):\n    return 2 * x\ndef double(x):\n    return helper(x)"
TAKEN = "def helper(a, b):\n    return a + b"


def test_a_name_that_is_used_again_later_breaks_nothing(grader, pool):
    result = grader.grade(make("ada", SETUP, HELPED, SUM, MEAN, TAKEN))
    assert scores(result) == [3, 3, 4] and not any(question.follow_through for question in result.questions)
    assert pool.asked == ["small", "large", "rows", "means"]


def test_an_answer_may_need_what_is_defined_below(grader, pool):
    result = grader.grade(make("ada", SETUP, "def double(x):\n    return factor * x", SUM, MEAN, "factor = 2"))
    assert result.score == 10 and pool.asked == ["small", "large", "rows", "means"] * 2


def test_the_better_one_counts(grader):
    below = "def double(x):\n    return (3 if x.abs().max() > 50 else factor) * x"
    assert scores(grader.grade(make("ada", SETUP, below, "factor = 2")))[0] == 1
    above = "factor = 2\ndef double(x):\n    return factor * x"
    assert scores(grader.grade(make("ada", SETUP, above, "factor = 3")))[0] == 3


def test_the_last_definition_counts(grader, pool):
    result = grader.grade(make("ada", SETUP, TRIPLE, SUM, MEAN, DOUBLE))
    assert result.score == 10 and not any(question.follow_through for question in result.questions)
    assert pool.asked == ["rows", "means", "small", "large", "rows", "means"]  # q2 and q3 need the last cell


def test_an_answer_without_a_definition_that_can_be_seen_is_asked_at_the_end(grader):
    assert scores(grader.grade(make("ada", SETUP, BLANK[1], f"exec({DOUBLE!r})")))[0] == 3


def test_a_blank_question_costs_one_more_probe(grader, pool):
    assert grader.grade(make("ada", *BLANK)).score == 0
    first, at_the_end, second_tries = ["small", "large", "rows", "means"], ["small", "rows", "means"], ["rows", "means"]
    assert pool.asked == first + at_the_end + second_tries


def test_what_ends_the_kernel_is_asked_once(grader, pool):
    pool.deadly = {"small"}
    result = grader.grade(make("ada", *RIGHT))
    assert scores(result) == [2, 3, 4] and pool.asked.count("small") == 1 and len(pool.kernels) == 2


def test_what_took_too_long_is_not_tried_again(grader, pool, monkeypatch):
    kernel = type(pool.start())
    pool.kernels.clear()
    ask = kernel.probe

    def slow(self, request, timeout=None):
        reply = ask(self, request, timeout)
        return ProbeReply("timeout", seconds=timeout) if request["name"] == "small" else reply

    monkeypatch.setattr(kernel, "probe", slow)
    result = grader.grade(make("ada", *RIGHT))
    assert scores(result) == [2, 3, 4] and pool.asked.count("small") == 1


def test_probes_between_cells_have_their_share_of_time(problem_set, pool, monkeypatch):
    grader = SubmissionGrader(problem_set, Referee(problem_set, 5), pool, LIMITS)
    monkeypatch.setattr("autograder.grading.session.CELLS_SHARE", 1.0)  # none
    order = []
    pool.on_execute = order.append
    assert grader.grade(make("ada", *RIGHT)).score == 10
    assert len(order) == 4 and pool.asked == ["small", "large", "rows", "means"]


def test_where_there_are_no_forks_all_is_asked_at_the_end(problem_set, pool):
    cells = make("ada", SETUP, HELPED, SUM, MEAN, TAKEN)
    assert scores(SubmissionGrader(problem_set, Referee(problem_set, 5), pool, LIMITS).grade(cells))[0] == 3
    with_forks = probe_requests(Referee(problem_set, 5), problem_set.questions)
    assert list(schedule(problem_set.source, with_forks, cells.notebook.cells)) == [2, 3, 4]
    requests = {key: replace(request, device="cuda") for key, request in with_forks.items()}
    in_place = schedule(problem_set.source, requests, cells.notebook.cells)
    assert not in_place
    asked = len(pool.asked)
    with Session(pool, cells.notebook.cells, LIMITS, schedule=in_place) as session:
        assert len(pool.asked) == asked and not session.in_place


def test_the_last_defining_cell(problem_set):
    none = "x == 1\n  mean_double = 2"
    texts = [SETUP, DOUBLE, "double_sum: int = 3", none, "double\t= 1", WRONG_MEAN, "# double = 1"]
    cells = [CodeCell(number, text) for number, text in enumerate(texts, 1)]
    ids = [question.id for question in problem_set.questions]
    assert last_defining_cell(problem_set.source, ids, cells) == {"q2": 3, "q1": 5, "q3": 6}
    requests = probe_requests(Referee(problem_set, 5), problem_set.questions)
    found = schedule(problem_set.source, requests, cells)
    assert {number: [request.key for request in there] for number, there in found.items()} == {
        3: [("q2", "rows")], 5: [("q1", "small"), ("q1", "large")], 6: [("q3", "means")],
    }

"""Tables, feedback and progress in the terminal."""

import io

from rich.console import Console

from autograder.reporting.feedback import all_right, feedback
from autograder.reporting.progress import progress
from autograder.reporting.table import results_table
from autograder.results.model import ProbeResult, QuestionResult, SubmissionResult


def result(student="ada", status="passed", message="", score=2.0, follow=False):
    probe = ProbeResult("p", "rows", 2, score, True, status, message)
    question = QuestionResult("q1", "Sums", score, 2, status, False, follow, [probe])
    return SubmissionResult("ps1", student, score, 2, 1, "cpu", "process", 1.0, "", ["Cell 3: oops"], [question])


def with_bonus(limit=None, **changes):
    """The same with 3 of 4 points in a bonus question."""
    changed = result(**changes)
    changed.questions.append(QuestionResult("q2", "More", 3.0, 4, "failed", True))
    changed.bonus, changed.bonus_limit = 3.0, limit
    return changed


def show(renderable, width=120):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def test_table_shows_scores_and_reasons():
    text = show(results_table([result(), result("bob", "failed", "The sign is wrong.", 0.0)], 120))
    assert "ada" in text and "2 of 2" in text and "0 of 2" in text and "The sign is wrong" in text and "q1" in text


def test_table_in_a_narrow_terminal():
    results = [result("a" * 60, "failed", "long " * 50, 0.0), with_bonus(1)]
    for width in (30, 40, 60):
        assert max(map(len, show(results_table(results, width), width).splitlines())) <= width


def test_text_of_students_is_no_markup():
    text = show(results_table([result("[red]x[/red]", "failed", "[link=file:///etc]y[/link] [/]", 0.0)]))
    assert "[red]x[/red]" in text and "[/]" in text
    assert "[bold]" in show(feedback(result(status="failed", message="[bold] [/bold]", score=0.0)))


def test_feedback():
    wrong = result(status="failed", message="The sign is wrong.", score=0.0)
    text = show(feedback(wrong, {"q1": "Look at the sign."}))
    for words in ("✗ q1 Sums  0/2", "✗ rows: The sign is wrong.", "Tip: Look at the sign.", "Cell 3: oops",
                  "0 of 2 points"):  # fmt: skip
        assert words in text
    assert not all_right(wrong) and all_right(result())
    assert "Tip" not in show(feedback(result(), {"q1": "x"}))
    assert "not answered yet" in show(feedback(result(status="missing", score=0.0)))
    assert "given a correct q1" in show(feedback(result(message="Right, given a correct q1.", follow=True)))


def test_progress_in_lines_and_as_a_bar():
    for terminal in (False, True):
        console = Console(file=io.StringIO(), width=100, force_terminal=terminal)
        broken = result("eve")
        broken.status, broken.problem = "invalid", "The file is [bold]empty."
        with progress(console, 3) as advance:
            advance(result(), True)
            advance(result("bob"), False)
            advance(broken, True)
        text = console.file.getvalue()
        assert "eve: The file is [bold]empty." in text
        if not terminal:
            assert "[1/3] ada: 2 of 2 (as before)" in text and "/min" in text and "[3/3]" in text


def test_bonus_points_are_shown_apart():
    assert "2 of 2 + 3 bonus " in show(results_table([with_bonus()], 160))
    assert "2 of 2 + 1 bonus (of 3 earned)" in show(results_table([with_bonus(1)], 160))
    assert "2 of 2 + 3 bonus points" in show(feedback(with_bonus()))
    console = Console(file=io.StringIO(), width=100)
    with progress(console, 1) as advance:
        advance(with_bonus(), False)
    assert "ada: 2 of 2 + 3 bonus" in console.file.getvalue()
    alone = with_bonus()
    del alone.questions[0]
    alone.score = alone.max_score = 0
    assert "\n3 bonus points" in show(feedback(alone))

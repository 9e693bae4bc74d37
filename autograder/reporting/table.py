"""The table of results in the terminal. Text from submissions is shown as it is, never as markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from autograder.results.model import GRADED, INVALID, PASSED, QuestionResult, SubmissionResult
from autograder.results.summary import score_text, went_wrong

ENOUGH = 54  # columns for the student, the total and what went wrong
NARROW = 80


def results_table(results: Sequence[SubmissionResult], width: int = 120) -> Table:
    """One row a student: score per question, total, what went wrong. Narrow terminals get fewer columns."""
    questions = list(dict.fromkeys(question.id for result in results for question in result.questions))
    name = results[0].assignment if results else ""
    title = f"{name}: {len(results)} submission{'s' * (len(results) != 1)}"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("student", overflow="fold", max_width=max(12, width // 4))
    shown = questions if width >= ENOUGH + 6 * len(questions) else []
    for id in shown:
        table.add_column(id, justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("what went wrong", overflow="ellipsis", no_wrap=width < NARROW, ratio=1)
    for result in results:
        by_id = {question.id: question for question in result.questions}
        cells = [_score(by_id[id]) if id in by_id else Text("–") for id in shown]
        total = Text(score_text(result), style="bold" if result.status == GRADED else "red")
        wrong = Text(went_wrong(result, 160, 90), style="red" if result.status not in (GRADED, INVALID) else "")
        table.add_row(Text(result.student), *cells, total, wrong)
    if any(question.follow_through for result in results for question in result.questions) and shown:
        table.caption = "↪ points given with a correct version of an earlier answer"
    return table


def _score(question: QuestionResult) -> Text:
    style = "green" if question.status == PASSED else "yellow" if question.score else "red"
    return Text(f"{question.score:g}" + ("↪" if question.follow_through else ""), style=style)

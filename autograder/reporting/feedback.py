"""Feedback on one notebook in the terminal, written for the person who wrote the notebook."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from autograder.results.model import MISSING, PASSED, ProbeResult, QuestionResult, SubmissionResult
from autograder.results.summary import score_text

MARKS = {PASSED: ("✓", "green"), MISSING: ("–", "dim")}


def feedback(result: SubmissionResult, tips: Mapping[str, str] | None = None) -> RenderableType:
    """Every question with its tests, what is wrong, and a tip (by the question's id) for what is not right yet."""
    parts: list[RenderableType] = []
    for question in result.questions:
        parts += _question(question, (tips or {}).get(question.id, ""))
    if result.notes:
        parts.append(Text("\nWhen the notebook ran:", style="bold"))
        parts += [Padding(Text(note), (0, 0, 0, 2), expand=False) for note in result.notes]
    total = f"\n{score_text(result)} points"
    parts.append(Text(total, style="bold green" if all_right(result) else "bold"))
    return Group(*parts)


def all_right(result: SubmissionResult) -> bool:
    return all(question.status == PASSED for question in result.questions)


def _question(question: QuestionResult, tip: str) -> list[RenderableType]:
    mark, style = MARKS.get(question.status, ("✗", "red"))
    head = Text.assemble(
        (f"{mark} {question.id} ", f"bold {style}"), (question.title, "bold"),
        (f"  {question.score:g}/{question.max_score:g}", style),
    )
    parts: list[RenderableType] = [head]
    if question.status == PASSED and not question.follow_through:
        return parts
    if all(probe.status == MISSING for probe in question.probes):
        parts.append(Padding(Text("not answered yet"), (0, 0, 0, 4), expand=False))
    else:
        parts += [_probe(probe) for probe in question.probes]
    if tip and question.status not in (PASSED, MISSING):
        parts.append(Padding(Text.assemble(("Tip: ", "bold"), tip), (0, 0, 0, 4), expand=False))
    return parts


def _probe(probe: ProbeResult) -> RenderableType:
    mark, style = MARKS.get(probe.status, ("✗", "red"))
    text = Text.assemble((f"{mark} ", style), probe.title)
    if probe.message:
        text.append(": " + probe.message)
    return Padding(text, (0, 0, 0, 4), expand=False)

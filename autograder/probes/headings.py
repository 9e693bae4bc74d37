"""The heading of a question: composed from its `Question`, its cells and its place in the outline, never typed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

from autograder.probes.effort import Effort, effort_of
from autograder.probes.outline import OutlineContent
from autograder.probes.source import HEADING, Cell, Source
from autograder.probes.spec import Question
from autograder.sets import SetFolder

OVERVIEW = "{questions}"  # a line of the opening that becomes the table of the questions


def with_headings(
    source: Source, questions: Iterable[Question], folder: SetFolder, content: OutlineContent
) -> Source:
    """The cells with a cell above each question that is its heading."""
    known = {question.id: question for question in questions}
    sections = [(name, list(group)) for name, group in itertools.groupby(source.cells, lambda cell: cell.section)]
    asked = [(known[name], own) for name, own in sections if name in known]
    efforts = {question.id: effort_of(own, question.run_seconds, question.own_minutes) for question, own in asked}
    cells: list[Cell] = []
    for section, own in sections:
        cells += [_heading(known[section], efforts[section], folder, content)] if section in known else []
        cells += own
    table = _overview([(known[name], effort) for name, effort in efforts.items()])
    return Source.numbered([part for cell in cells for part in _with_overview(cell, table)])


def _with_overview(cell: Cell, table: str) -> list[Cell]:
    """A text cut at its line `OVERVIEW`, with the table of the questions there; any other cell as it is."""
    lines = cell.text.split("\n")
    at = next((i for i, line in enumerate(lines) if line.strip() == OVERVIEW), None)
    if cell.kind != "markdown" or at is None:
        return [cell]
    before, after = ("\n".join(part).strip("\n") for part in (lines[:at], lines[at + 1 :]))
    parts = [replace(cell, text=before), replace(cell, role=HEADING, text=table), replace(cell, text=after)]
    return [part for part in parts if part.text]


def _overview(questions: Iterable[tuple[Question, Effort]]) -> str:
    """The questions with their points and minutes, and the sums of those that count, as a Markdown table."""
    rows, points, effort = ["| question | points | minutes | needs |", "|---|---|---|---|"], 0.0, Effort()
    for question, its in questions:
        mine = question.points + question.manual_points
        if not question.bonus:
            points, effort = points + mine, effort + its
        shown = f"{mine:g}{' bonus' if question.bonus else ''}"
        number = question.id.removeprefix("q")
        rows.append(f"| {number} · {question.title} | {shown} | {its.rounded_minutes} | {question.lecture} |")
    rows.append(f"| **together, without bonus** | **{points:g}** | **{effort.minutes / 60:.0f} hours** | |")
    return "\n".join(rows)


def _heading(question: Question, effort: Effort, folder: SetFolder, content: OutlineContent) -> Cell:
    text = f"## {label(question.id)} · {question.title}\n*{' · '.join(_facts(question, effort, folder, content))}*"
    where = str(folder.cells(folder.questions[question.id]))
    return Cell("markdown", HEADING, text, None, 0, where, question.id)


def label(id: str) -> str:
    """``Question 3`` for ``q3``."""
    return f"Question {id.removeprefix('q')}"


def _facts(question: Question, effort: Effort, folder: SetFolder, content: OutlineContent) -> list[str]:
    total = question.points + question.manual_points
    bonus = "bonus " if question.bonus else ""
    written = f", {question.manual_points:g} of them written" if question.manual_points else ""
    facts = [
        f"{total:g} {bonus}point{'' if total == 1 else 's'}{written}",
        f"about {effort.rounded_minutes} minutes",
    ]
    if question.lecture:
        facts.append(f"needs: {question.lecture}")
    if question.bonus:
        before = folder.find(question.after)
        facts.append(f"optional, after {label(before)}" if before in content.questions else "optional")
    return facts

"""What must be right in a source before it is built. Every problem is one sentence."""

from __future__ import annotations

import ast
import re

from autograder.authoring.cells import HEADING, NotebookCell, notebook_cells
from autograder.authoring.stubs import regions
from autograder.errors import UserError
from autograder.probes.compose import undefined_names
from autograder.probes.load import ProblemSet
from autograder.probes.spec import Question

NUMBER = r"\d+(?:\.\d+)?"
EFFORT = re.compile(
    rf"^\*\s*({NUMBER})\s+(bonus\s+)?points?(?:, ({NUMBER}) of them for a written answer)?\s*"
    r"·\s*about\s+(\d+)\s+minutes?\s*\*", re.MULTILINE,
)


def lint(problem_set: ProblemSet) -> list[str]:
    """All problems of the source."""
    placed = notebook_cells(problem_set)
    problems = undefined_names(problem_set.source)
    for item in placed:
        problems += _cell_problems(item, problem_set)
    for question in problem_set.questions:
        problems += _question_problems(question, placed)
        problems += _probe_problems(question)
    return problems


def _probe_problems(question: Question) -> list[str]:
    """Probes that cannot be cut out of their module, and so could not be asked."""
    problems = []
    for probe in question.probes:
        try:
            _ = probe.source
        except UserError as error:
            problems.append(str(error))
    return problems


def _cell_problems(item: NotebookCell, problem_set: ProblemSet) -> list[str]:
    cell = item.cell
    known = [question.id for question in problem_set.questions]
    if cell.question is not None and cell.question not in known:
        return [f"{item.where}: there are no hidden tests for {cell.question}."]
    try:
        found = regions(cell.text, item.where)
    except UserError as error:
        return [str(error)]
    if cell.role not in ("answer", "written"):
        return [f"{item.where}: a solution region in a {cell.role} cell."] if found else []
    problems = []
    if any(not region.text.strip() for region in found):
        problems.append(f"{item.where}: an empty solution region.")
    if cell.role == "answer":
        if cell.kind != "code":
            return [f"{item.where}: an answer cell must be code."]
        if not found:
            problems.append(f"{item.where}: an answer cell without a solution region.")
        problems += _docstring_problems(item)
    elif cell.kind != "markdown":
        problems.append(f"{item.where}: a written cell must be Markdown.")
    return problems


def _docstring_problems(item: NotebookCell) -> list[str]:
    problems = []
    for node in ast.parse(item.cell.text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not ast.get_docstring(node):
            problems.append(f"{item.where}: {node.name} has no docstring.")
    return problems


def _question_problems(question: Question, placed: list[NotebookCell]) -> list[str]:
    id, problems = question.id, []
    mine = [item for item in placed if item.cell.question == id]
    checks = [item for item in mine if item.cell.role == "check"]
    written = [item for item in mine if item.cell.role == "written"]
    if not checks:
        problems.append(f'{id}: there is no check cell (role="check", grader.check("{id}")).')
    for item in checks:
        if not re.search(rf"grader\.check\(\s*[\"']{id}[\"']", item.cell.text):
            problems.append(f'{item.where}: it does not call grader.check("{id}").')
    if written and not question.manual_points:
        problems.append(f"{id}: there is a written cell but manual_points is 0.")
    if question.manual_points and not question.rubric:
        problems.append(f"{id}: manual_points is {question.manual_points:g} but there is no rubric.")
    if question.manual_points and not written:
        problems.append(f"{id}: manual_points is {question.manual_points:g} but there is no written cell.")
    return problems + _heading_problems(question, placed)


def _heading_problems(question: Question, placed: list[NotebookCell]) -> list[str]:
    prose = [item.cell for item in placed if item.cell.kind == "markdown"]
    found = [cell for cell in prose if question.id in {f"q{int(number)}" for number in HEADING.findall(cell.text)}]
    number = question.id.removeprefix("q")
    if len(found) != 1:
        return [f"{question.id}: there must be one heading `## Question {number}`, not {len(found)}."]
    where, text = f"{found[0].where}: {question.id}", found[0].text
    stray = [item.id for item in placed if item.cell.question == question.id and not _in_section(item, placed)]
    problems = [f"{question.id}: {', '.join(stray)} stands outside of its section."] if stray else []
    effort = EFFORT.search(text)
    total = question.points + question.manual_points
    written = f", {question.manual_points:g} of them for a written answer" if question.manual_points else ""
    points = f"{total:g} {'bonus ' if question.bonus else ''}points{written}"
    wanted = f"*{points} · about {question.minutes or 'M'} minutes*"
    if effort is None:
        problems.append(f"{where}: below its heading must stand {wanted}.")
    elif (float(effort[1]), bool(effort[2]), float(effort[3] or 0)) != (total, question.bonus, question.manual_points):
        problems.append(f"{where}: its heading says {effort[0]} but its probes and written parts say {wanted}.")
    elif question.minutes and int(effort[4]) != question.minutes:
        problems.append(f"{where}: its heading says {effort[0]} but its Question says {wanted}.")
    return problems


def _in_section(item: NotebookCell, placed: list[NotebookCell]) -> bool:
    """Is the last question heading before the cell the cell's own?"""
    section = ""
    for other in placed:
        heading = HEADING.search(other.cell.text) if other.cell.kind == "markdown" else None
        section = f"q{int(heading[1])}" if heading else section
        if other is item:
            return section == item.cell.question
    return False

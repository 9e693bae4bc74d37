"""What must be right in a source before it is built. Every problem is one sentence."""

from __future__ import annotations

import ast
import re

from autograder.authoring.cells import NotebookCell, notebook_cells
from autograder.errors import UserError
from autograder.probes.compose import undefined_names
from autograder.probes.load import ProblemSet
from autograder.probes.solutions import regions
from autograder.probes.spec import Question


def lint(problem_set: ProblemSet) -> list[str]:
    """All problems of the source."""
    placed = notebook_cells(problem_set)
    kept = [question.id for question in problem_set.questions]
    left_out = {
        question.id: [id for id in question.figures_of if id not in kept] for question in problem_set.questions
    }
    problems = [
        f"{problem_set.outline.path}: {id} uses what the figures and training runs of {other} make: keep {other}, or "
        f"leave {id} out too."
        for id, others in left_out.items()
        for other in others
    ]
    problems += undefined_names(problem_set.source, without=[id for id, others in left_out.items() if others])
    for item in placed:
        problems += _cell_problems(item, problem_set)
    for question in problem_set.questions:
        problems += _question_problems(question, placed)
        problems += _probe_problems(question)
    return problems


def _probe_problems(question: Question) -> list[str]:
    """Probes that cannot be cut out of their module, and so could not be asked; public ones that give answers away."""
    problems = []
    for probe in question.probes:
        try:
            source = probe.source
        except UserError as error:
            problems.append(str(error))
            continue
        if probe.public and "with_right(" in source:
            problems.append(
                f"{question.id}: the public probe {probe.id} holds a right answer (with_right), and grader.show prints "
                "it; ask the student's own there, and use with_right in hidden probes."
            )
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
    if not checks and question.probes:
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
    return problems

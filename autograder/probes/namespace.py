"""Namespaces of answers in the grader's process: the reference, and variants of it (mistakes, alternatives)."""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import os
from collections.abc import Iterator, Mapping
from types import CodeType, SimpleNamespace
from typing import Any

from autograder.errors import UserError, in_words
from autograder.probes.edits import edited
from autograder.probes.load import ProblemSet
from autograder.probes.spec import Probe, Question, Variant
from dgm.checks.runtime import Outcome, fixed_state


def reference_namespace(problem_set: ProblemSet) -> dict[str, Any]:
    """A fresh namespace with the reference's setup, given and answer cells executed.

    Raises:
        UserError: a cell fails; one sentence with file and line.
    """
    cells = problem_set.source.defining
    try:
        return execute_cells([(cell.text, f"<answers {problem_set.name} cell {cell.index}>") for cell in cells])
    except CellFailed as failed:
        raise UserError(f"{cells[failed.number].where}: the cell fails: {failed}.") from None


def variant_namespace(problem_set: ProblemSet, question: Question, variant: Variant) -> dict[str, Any]:
    """A fresh namespace in which ``question`` is answered by the variant and the rest by the reference.

    Later cells see the variant's definitions, as they would in a student's notebook.

    Raises:
        UserError: the variant cannot be made; one sentence with file and line.
    """
    answers = problem_set.source.answers(question.id)
    texts = dict(zip(answers, edited([cell.text for cell in answers], variant), strict=True))
    cells = []
    for cell in problem_set.source.defining:
        text = texts.get(cell, cell.text)
        mark = "" if text == cell.text else f", {variant.id}"
        cells.append((text, f"<answers {problem_set.name} cell {cell.index}{mark}>"))
    try:
        namespace = execute_cells(cells)
    except CellFailed as failed:
        raise UserError(f"{variant.where}: {question.id}, {variant.id}: the edited cell fails: {failed}.") from None
    if variant.factory is not None:
        namespace.update(rewritten(problem_set, question, variant, public(reference_namespace(problem_set))))
    return namespace


def rewritten(
    problem_set: ProblemSet, question: Question, variant: Variant, reference: SimpleNamespace
) -> Mapping[str, Any]:
    """The definitions that a variant's factory makes; none for a variant made of edits.

    Raises:
        UserError: the factory fails, or what it returns are no answers of the question.
    """
    if variant.factory is None:
        return {}
    where = f"{variant.where}: {question.id}, {variant.id}"
    try:
        changed = variant.factory(reference)
    except Exception as error:
        raise UserError(f"{where} fails: {in_words(error)}.") from None
    if not isinstance(changed, Mapping):
        raise UserError(f"{where} must return a dict of answers.")
    unknown = set(changed) - set(problem_set.source.names(question.id))
    if unknown:
        raise UserError(f"{where}: {', '.join(sorted(map(str, unknown)))} is no answer of this question.")
    return changed


def reference_failed(question: Question, probe: Probe, outcome: Outcome) -> str:
    """That the reference does not answer a probe, with the place of the probe and the error."""
    error = outcome["error"] or {"type": outcome["status"], "message": "", "where": ""}
    what = f"{error['type']}: {error['message']}".rstrip(". ")
    where = f" ({error['where']})" if error["where"] else ""
    return f"{probe.where}: {question.id}, {probe.id}: the reference itself fails: {what}{where}"


def public(namespace: Mapping[str, Any]) -> SimpleNamespace:
    """The definitions of a namespace as attributes."""
    return SimpleNamespace(**{name: value for name, value in namespace.items() if not name.startswith("__")})


class CellFailed(Exception):
    """A trusted cell raised something: its ``number`` in the list, and the error in words."""

    def __init__(self, number: int, error: Exception) -> None:
        super().__init__(in_words(error))
        self.number = number


def execute_cells(cells: list[tuple[str, str]]) -> dict[str, Any]:
    """Execute (text, filename) pairs in one fresh namespace, as the smoke profile, with nothing printed.

    Raises:
        CellFailed: one of them raises an exception.
    """
    namespace: dict[str, Any] = {"__name__": "__answers__"}
    with _grading_environment(), fixed_state(0), contextlib.redirect_stdout(io.StringIO()):
        for number, (text, filename) in enumerate(cells):
            try:
                exec(_compiled(text, filename), namespace)
            except Exception as error:
                raise CellFailed(number, error) from error
    return namespace


@functools.lru_cache(maxsize=1000)
def _compiled(text: str, filename: str) -> CodeType:
    """The code of a cell; variants share all cells but the edited ones. Lines are kept for error messages.

    Annotations stay text: to compute them took most of the time of a namespace, and nothing reads them.
    """
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    code: CodeType = compile(text, filename, "exec", annotations.compiler_flag, dont_inherit=True)
    return code


@contextlib.contextmanager
def _grading_environment() -> Iterator[None]:
    """Cells see the smoke budget, and ``grader.check`` calls do nothing."""
    wanted = {"DGM_BUDGET": "smoke", "DGM_GRADING": "1"}
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value

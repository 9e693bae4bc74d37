"""Namespaces of answers in the grader's process: the reference, and variants of it (mistakes, alternatives)."""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import os
from collections.abc import Mapping
from types import CodeType, SimpleNamespace
from typing import Any

from autograder.errors import UserError
from autograder.probes.load import ProblemSet
from autograder.probes.spec import Question, Variant
from dgm.checks.runtime import fixed_state


def reference_namespace(problem_set: ProblemSet) -> dict[str, Any]:
    """A fresh namespace with the reference's setup, given and answer cells executed."""
    name = problem_set.name
    return execute_cells([(cell.text, f"<answers {name} cell {cell.index}>") for cell in problem_set.source.defining])


def variant_namespace(problem_set: ProblemSet, question: Question, variant: Variant) -> dict[str, Any]:
    """A fresh namespace in which ``question`` is answered by the variant and the rest by the reference.

    Later cells see the variant's definitions, as they would in a student's notebook.
    """
    edits = {edit.old: edit.new for edit in variant.edits}
    used: dict[str, int] = dict.fromkeys(edits, 0)
    cells = []
    for cell in problem_set.source.defining:
        text = cell.text
        if cell.role == "answer" and cell.question == question.id:
            for old, new in edits.items():
                used[old] += text.count(old)
                text = text.replace(old, new)
        edited = "" if text == cell.text else f", {variant.key}"
        cells.append((text, f"<answers {problem_set.name} cell {cell.index}{edited}>"))
    for old, count in used.items():
        if count != 1:
            where = f"{question.id}, {variant.key}"
            raise UserError(f"{where}: {old!r} occurs {count} times in the answer cells, not once.")
    namespace = execute_cells(cells)
    if variant.factory is not None:
        changed: Mapping[str, Any] = variant.factory(public(reference_namespace(problem_set)))
        unknown = set(changed) - set(problem_set.source.names(question.id))
        if unknown:
            raise UserError(f"{question.id}, {variant.key}: {sorted(unknown)} are not answers of this question.")
        namespace.update(changed)
    return namespace


def public(namespace: Mapping[str, Any]) -> SimpleNamespace:
    """The definitions of a namespace as attributes."""
    return SimpleNamespace(**{name: value for name, value in namespace.items() if not name.startswith("__")})


def execute_cells(cells: list[tuple[str, str]]) -> dict[str, Any]:
    """Execute (text, filename) pairs in one fresh namespace, as the smoke profile, with nothing printed."""
    namespace: dict[str, Any] = {"__name__": "__answers__"}
    with _grading_environment(), fixed_state(0), contextlib.redirect_stdout(io.StringIO()):
        for text, filename in cells:
            exec(_compiled(text, filename), namespace)
    return namespace


@functools.lru_cache(maxsize=1000)
def _compiled(text: str, filename: str) -> CodeType:
    """The code of a cell; variants share all cells but the edited ones. Lines are kept for error messages."""
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    return compile(text, filename, "exec", dont_inherit=True)


@contextlib.contextmanager
def _grading_environment():
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

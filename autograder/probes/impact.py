"""Which probes can a variant affect? Saves running the others, which give the reference's evidence anyway.

Both answers are read off the source text. A probe *reaches* the answers that its source names, and what those name in
turn. A variant *changes* the definitions that its edits replace, or its factory returns. If no changed definition is
reached, the probe's outcome is the reference's.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from types import SimpleNamespace

from autograder.errors import UserError
from autograder.probes.edits import edited
from autograder.probes.load import ProblemSet
from autograder.probes.names import Import, bound, mentioned
from autograder.probes.namespace import public, reference_namespace, rewritten
from autograder.probes.source import Source
from autograder.probes.spec import Probe, Question, Variant


class Impact:
    """Remembers, for one problem set, what each probe reaches and each variant changes."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self._problem_set = problem_set
        self._dependencies = _dependencies(problem_set.source)
        self._reached: dict[tuple[str, str], frozenset[str]] = {}
        self._changed: dict[tuple[str, str], frozenset[str] | None] = {}
        self._affects: dict[tuple[str, str, str], bool] = {}

    def affects(self, question: Question, variant: Variant, probe: Probe) -> bool:
        """Can the variant change the probe's evidence?"""
        key = (question.id, variant.id, probe.id)
        if key not in self._affects:
            self._affects[key] = self._does_affect(question, variant, probe)
        return self._affects[key]

    def _does_affect(self, question: Question, variant: Variant, probe: Probe) -> bool:
        one, other = (question.id, variant.id), (question.id, probe.id)
        if one not in self._changed:
            self._changed[one] = self._changes(question, variant)
        if other not in self._reached:
            self._reached[other] = reached(self._dependencies, probe)
        touched = self._changed[one]
        return touched is None or bool(touched & self._reached[other])

    def _changes(self, question: Question, variant: Variant) -> frozenset[str] | None:
        if variant.factory is None:
            return changed(self._problem_set.source, question, variant)
        return frozenset(rewritten(self._problem_set, question, variant, self._reference))

    @cached_property
    def _reference(self) -> SimpleNamespace:
        return public(reference_namespace(self._problem_set))


def _dependencies(source: Source) -> dict[str, frozenset[str]]:
    """For every top-level name of the defining cells, the names that its definition mentions."""
    found: dict[str, set[str]] = {}
    for cell in source.defining:
        for node in ast.parse(cell.text).body:
            for name in [] if isinstance(node, Import) else bound(node):
                found.setdefault(name, set()).update(mentioned(node, strings=True))
    return {name: frozenset(names & found.keys()) for name, names in found.items()}


def reached(dependencies: dict[str, frozenset[str]], probe: Probe) -> frozenset[str]:
    """The top-level names of the answers that a probe can reach."""
    return closure(mentioned(ast.parse(probe.source), strings=True), dependencies)


def closure(names: Iterable[str], dependencies: Mapping[str, AbstractSet[str]]) -> frozenset[str]:
    """Those of the names that have dependencies, with all that these lead to."""
    waiting = dependencies.keys() & set(names)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= dependencies.keys() & dependencies[name]
    return frozenset(found)


def changed(source: Source, question: Question, variant: Variant) -> frozenset[str] | None:
    """The names that a variant made of edits redefines; None if it cannot be told from the text."""
    names: set[str] = set()
    texts = [cell.text for cell in source.answers(question.id)]
    for old, new in zip(texts, edited(texts, variant), strict=True):
        if old == new:
            continue
        try:
            before, after = _definitions(old), _definitions(new)
        except SyntaxError as error:
            where = f"{variant.where}: {question.id}, {variant.id}"
            raise UserError(f"{where}: the edited cell is not valid Python ({error.msg}).") from None
        if before is None or after is None or before.keys() != after.keys():
            return None
        names |= {name for name in before if before[name] != after[name]}
    return frozenset(names)


@functools.lru_cache(maxsize=1000)
def _definitions(text: str) -> dict[str, str] | None:
    """Each top-level statement by the names it binds; None if one binds nothing that can be named."""
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        names = bound(node)
        if not names and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return None
        for name in names:
            found[name] = found.get(name, "") + ast.dump(node)
    return found

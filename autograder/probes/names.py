"""Which names a piece of trusted Python code binds and mentions. (For students' code see `submissions.definitions`.)"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Import = (ast.Import, ast.ImportFrom)
ANSWERS = ("student", "raw", "ref", "reference")  # what a question's modules call a namespace of answers
_SCOPES = (*Function, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(node: ast.stmt) -> list[str]:
    """The names that a top-level statement binds, in order: definitions, imports, assignments, also in its blocks."""
    if isinstance(node, Function):
        return [node.name]
    if isinstance(node, Import):
        return [alias_name(alias) for alias in node.names]
    return list(dict.fromkeys(_stored(node)))


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child.name
        elif isinstance(child, Import):
            yield from (alias_name(alias) for alias in child.names)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, _SCOPES):
            yield from _stored(child)


def defined(text: str) -> list[str]:
    """The names that a cell binds at its top level, in order, imports left out."""
    return [name for node in ast.parse(text).body if not isinstance(node, Import) for name in bound(node)]


def alias_name(alias: ast.alias) -> str:
    """The name that an import binds: ``np`` for ``import numpy as np``."""
    return alias.asname or alias.name.split(".")[0]


def mentioned(tree: ast.AST, *, strings: bool = False) -> set[str]:
    """The names and attributes in a piece of code; with ``strings`` its strings too: more than it uses, never less."""
    found = set()
    for leaf in ast.walk(tree):
        if isinstance(leaf, ast.Name):
            found.add(leaf.id)
        elif isinstance(leaf, ast.Attribute):
            found.add(leaf.attr)
        elif strings and isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
            found.add(leaf.value)
    return found


def answers_named(tree: ast.AST) -> set[str]:
    """The answers that a piece of a question's modules asks for: ``student.f``, ``student.raw.f``, ``ref.f``."""
    found = set()
    for leaf in ast.walk(tree):
        if isinstance(leaf, ast.Attribute):
            owner = leaf.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if name in ANSWERS:
                found.add(leaf.attr)
    return found


def globals_of(text: str) -> tuple[set[str], set[str]]:
    """The global names that a cell looks up, anywhere in it, and those that it binds at its top level."""
    table = symtable.symtable(text, "<cell>", "exec")
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    looked_up = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        symbols = [symbol for symbol in inner.get_symbols() if symbol.is_global() and symbol.is_referenced()]
        looked_up |= {symbol.get_name() for symbol in symbols}
    return looked_up, names

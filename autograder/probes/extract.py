"""Cuts a probe out of its module: its source and just the helpers and imports it names.

Only this text travels to a student's kernel. Whatever is registered as a mistake, an alternative or used by a judge
stays behind, because the probe does not name it; naming one is an error.
"""

from __future__ import annotations

import ast

from autograder.errors import UserError

PRIVATE_DECORATORS = ("mistake", "alternative")
PRIVATE_MODULES = ("autograder", "dgm.checks.judges")


def extract(module_source: str, name: str, where: str = "hidden tests", *, decorators: bool = False) -> str:
    """Self-contained source that defines ``name`` (a top-level function) when executed.

    Raises
    ------
    UserError
        If the function names something private, or does not exist.
    """
    tree = ast.parse(module_source)
    defined = {bound: node for node in tree.body for bound in _bound(node)}
    if name not in defined:
        raise UserError(f"{where}: no top-level function {name}.")
    needed: set[str] = set()
    _closure(name, defined, needed, where)
    body: list[ast.stmt] = []
    for node in tree.body:
        names = _bound(node) & needed
        if not names:
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            kept = [alias for alias in node.names if _alias(alias) in needed]
            node = (
                ast.Import(kept)
                if isinstance(node, ast.Import)
                else ast.ImportFrom(node.module, kept, node.level)
            )
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not decorators:
            node.decorator_list = []
        body.append(node)
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


def _alias(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _bound(node: ast.stmt) -> set[str]:
    """Names that a top-level statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {_alias(alias) for alias in node.names}
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
    return set()


def _closure(name: str, defined: dict[str, ast.stmt], needed: set[str], where: str) -> None:
    if name in needed:
        return
    node = defined[name]
    _refuse_private(name, node, where)
    needed.add(name)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return
    parts: list[ast.AST] = [node]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        parts = [child for child in ast.iter_child_nodes(node) if child not in node.decorator_list]
    for part in parts:
        for leaf in ast.walk(part):
            if isinstance(leaf, ast.Name) and leaf.id in defined:
                _closure(leaf.id, defined, needed, where)


def _refuse_private(name: str, node: ast.stmt, where: str) -> None:
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PRIVATE_MODULES):
        raise UserError(f"{where}: the probe names {name}, which is not available in a student's kernel.")
    for decorator in getattr(node, "decorator_list", []):
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Name) and call.id in PRIVATE_DECORATORS:
            raise UserError(f"{where}: the probe names {name}, which must stay with the grader.")

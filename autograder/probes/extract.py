"""Cuts a function out of a question's modules: its source, with just the helpers and imports that it names.

Only this text travels: a probe's to a student's kernel, a public judge's into the notebook. Helpers may stand in the
same module or in the set's ``shared/``. What belongs to the grader (the `Question` and its judges, mistakes,
alternatives) stays behind because nobody names it; naming it is an error.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field

from autograder.errors import UserError
from autograder.probes.modules import SetModules, resolved
from autograder.probes.names import Function, Import, alias_name, bound
from autograder.sets import ALTERNATIVES, MISTAKES
from dgm.checks import judges

PRIVATE_MODULES = ("autograder", "dgm.checks.judges")
JUDGE_NAMES = ("AtMost", "Close", "Context", "Custom", "Exact", "Fields", "Judge", "SameMoments", "Verdict")


def extract(modules: SetModules, module: str, name: str, what: str, *, judge: bool = False) -> str:
    """Self-contained source that defines a top-level function when it is executed.

    Args:
        modules: the modules of the problem set.
        module: where the function stands, such as ``q03_mixture_em.probes``.
        name: the function.
        what: the function in words, for messages.
        judge: it is a judge, which may use the judges of `dgm.checks.judges`.

    Raises:
        UserError: it does not exist, names something that must stay with the grader, or two of its helpers have the
            same name.
    """
    cut = _Cut(modules, what, judge)
    cut.need(module, name)
    return cut.text(module)


@dataclass
class _Cut:
    """The definitions found so far: in each module, the names that are needed."""

    modules: SetModules
    what: str
    judge: bool
    needed: dict[str, set[str]] = field(default_factory=dict)
    imports: dict[str, list[str]] = field(default_factory=dict)  # the set's modules that a module needs

    def need(self, module: str, name: str) -> None:
        """Add a name of a module with all that it leads to."""
        names = self.needed.setdefault(module, set())
        if name in names:
            return
        nodes = self._definitions(module).get(name)
        if nodes is None:
            path = self.modules.folder.module(module)
            raise UserError(f"{path}: there is no {name} at the top level, which {self.what} needs.")
        names.add(name)
        for node in nodes:
            if isinstance(node, Import):
                self._need_import(module, node, name)
            else:
                self._need_parts(module, node)

    def _need_parts(self, module: str, node: ast.stmt) -> None:
        """Add what a definition names."""
        for part in _parts(node):
            for leaf in ast.walk(part):
                if isinstance(leaf, ast.Name) and leaf.id in self._definitions(module):
                    self.need(module, leaf.id)
                elif isinstance(leaf, ast.ImportFrom) and leaf.level:
                    raise UserError(
                        f"{self._at(module, leaf)}: {self.what} imports from the problem set inside of a function; "
                        "import it at the top, so that it can travel with the probe."
                    )
                elif isinstance(leaf, Import):
                    for alias in leaf.names:
                        self._refuse_private(module, leaf, alias)

    def _definitions(self, module: str) -> dict[str, list[ast.stmt]]:
        return self.modules.definitions(module)

    def _need_import(self, module: str, node: ast.Import | ast.ImportFrom, name: str) -> None:
        alias = next(alias for alias in node.names if alias_name(alias) == name)
        if isinstance(node, ast.Import) or node.level == 0:
            self._refuse_private(module, node, alias)
            return
        other = resolved(module, node)
        if self.modules.folder.module(other).name == "__init__.py" or not self.modules.exists(other):
            raise UserError(
                f"{self._at(module, node)}: {self.what} needs {name}; import what you need from its module by name, "
                "so that it can travel with the probe."
            )
        if other.rsplit(".", 1)[-1] in (MISTAKES, ALTERNATIVES):
            raise UserError(f"{self._at(module, node)}: {self.what} names {name}, which must stay with the grader.")
        self.imports.setdefault(module, []).append(other)
        self.need(other, alias.name)

    def _refuse_private(self, module: str, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> None:
        source = node.module if isinstance(node, ast.ImportFrom) else None
        full = f"{source}.{alias.name}" if source else alias.name
        private = any(full == each or full.startswith(f"{each}.") for each in PRIVATE_MODULES)
        if private and not (self.judge and source and alias.name in JUDGE_NAMES):
            name = alias_name(alias)
            raise UserError(f"{self._at(module, node)}: {self.what} names {name}, which must stay with the grader.")

    def _at(self, module: str, node: ast.stmt) -> str:
        return f"{self.modules.folder.module(module)}, line {node.lineno}"

    def _in_order(self, module: str) -> list[str]:
        """The module last, and each module after those that it imports from."""
        before = [name for other in self.imports.get(module, ()) for name in self._in_order(other)]
        return list(dict.fromkeys([*before, module]))

    def text(self, root: str) -> str:
        """All pieces, in an order in which they can be executed."""
        pieces: list[str] = []
        owner: dict[str, tuple[str, str]] = {}  # name -> its module and text
        for module in self._in_order(root):
            for node in self.modules.tree(module).body:
                names = [name for name in bound(node) if name in self.needed[module]]
                piece = self._piece(module, node, names) if names else ""
                if not piece:
                    continue
                for name in names:
                    alone = self._piece(module, node, [name])  # of an import, its part for this name
                    other, text = owner.setdefault(name, (module, alone)) if alone else (module, "")
                    if other != module and text != alone:
                        first, second = self.modules.folder.module(other), self.modules.folder.module(module)
                        raise UserError(f"{first} and {second} both define {name}: give one of them another name.")
                if piece not in pieces:
                    pieces.append(piece)
        return "\n".join(pieces) + "\n"

    def _piece(self, module: str, node: ast.stmt, names: list[str]) -> str:
        if isinstance(node, Import):
            kept = [alias for alias in node.names if alias_name(alias) in names]
            if isinstance(node, ast.ImportFrom) and node.level:
                renamed = [f"{alias.asname} = {alias.name}" for alias in kept if alias.asname not in (None, alias.name)]
                return "\n".join(renamed)
            if isinstance(node, ast.Import):
                return ast.unparse(ast.Import(kept))
            private = (node.module or "").startswith(PRIVATE_MODULES)
            return ast.unparse(ast.ImportFrom(judges.__name__ if private else node.module, kept, 0))
        if isinstance(node, Function) and node.decorator_list:
            node = copy.copy(node)
            node.decorator_list = []
        return ast.unparse(node)


def _parts(node: ast.stmt) -> list[ast.AST]:
    """What of a definition travels: all but its decorators."""
    decorators = node.decorator_list if isinstance(node, Function) else []
    return [child for child in ast.iter_child_nodes(node) if child not in decorators]

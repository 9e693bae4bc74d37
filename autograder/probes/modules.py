"""Executes the Python modules of a problem set, always from their text, under names that nothing else has.

A question's modules import each other and the set's ``shared/`` by relative imports, so that they can also be imported
in a test as ``ps1_simple_models.q03_mixture_em.probes``. The grader executes them afresh: the folder may lie anywhere,
its files may have changed a moment ago, and they may be gone soon after.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import linecache
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from autograder.errors import UserError, in_words
from autograder.probes.names import bound
from autograder.sets import SetFolder


class SetModules:
    """The modules of one problem set's folder: their texts, and what they are when they are executed.

    Texts are kept from the first look, so that code and text are the same even if a file changes.
    """

    def __init__(self, folder: SetFolder) -> None:
        self.folder = folder
        self.package = f"_set_{hashlib.sha256(str(folder.path).encode()).hexdigest()[:12]}_{folder.short_name}"
        self._texts: dict[str, str] = {}
        self._trees: dict[str, ast.Module] = {}
        self._definitions: dict[str, dict[str, list[ast.stmt]]] = {}

    def exists(self, name: str) -> bool:
        return name in self._texts or self.folder.module(name).is_file()

    def text(self, name: str) -> str:
        """The source of a module such as ``q03_mixture_em.probes``. Raises `UserError` if it cannot be read."""
        if name not in self._texts:
            path = self.folder.module(name)
            try:
                self._texts[name] = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                raise UserError(f"{path} does not exist.") from None
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"{path} cannot be read ({error}).") from None
        return self._texts[name]

    def tree(self, name: str) -> ast.Module:
        """The module's syntax tree, which callers must not change."""
        if name not in self._trees:
            self._trees[name] = parse(self.text(name), self.folder.module(name))
        return self._trees[name]

    def definitions(self, name: str) -> dict[str, list[ast.stmt]]:
        """The statements that bind each top-level name of a module: one, as a rule."""
        if name not in self._definitions:
            found: dict[str, list[ast.stmt]] = {}
            for node in self.tree(name).body:
                for bound_name in bound(node):
                    found.setdefault(bound_name, []).append(node)
            self._definitions[name] = found  # only now: threads that grade look here, too
        return self._definitions[name]

    def where(self, name: str, variable: str) -> str:
        """File and line of a module's top-level definition, in words."""
        nodes = self.definitions(name).get(variable)
        line = f", line {nodes[0].lineno}" if nodes else ""
        return f"{self.folder.module(name)}{line}"

    def texts(self, prefix: str) -> str:
        """The sources of the modules read so far whose names begin like this."""
        return "\n".join(text for name, text in sorted(self._texts.items()) if name.startswith(prefix))

    def imported(self, *names: str) -> list[str]:
        """These modules and all of the set's that they import."""
        waiting, found = list(names), []
        while waiting:
            name = waiting.pop()
            found.append(name)
            for node in ast.walk(self.tree(name)):
                if isinstance(node, ast.ImportFrom) and node.level:
                    base = resolved(name, node)
                    others = {base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)}
                    waiting += sorted(other for other in others.difference(found, waiting) if self.exists(other))
        return sorted(found)

    def name_of(self, module_name: str) -> str | None:
        """``shared.nets`` for a module that was executed here; None for any other."""
        head, _, rest = module_name.partition(".")
        return rest if head == self.package and rest else None

    @contextmanager
    def executing(self) -> Iterator[None]:
        """While this is open, `execute` works. Modules that an earlier look at the folder made are forgotten."""
        for name in [name for name in sys.modules if name == self.package or name.startswith(f"{self.package}.")]:
            del sys.modules[name]
        finder = _Finder(self)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)

    def execute(self, name: str) -> ModuleType:
        """Import a module. Raises `UserError` with file and line for whatever it raises."""
        try:
            return importlib.import_module(f"{self.package}.{name}")
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"{self._place(error, name)}: {in_words(error)}.") from None

    def _place(self, error: Exception, name: str) -> str:
        """File and line of the innermost of the set's own frames."""
        inside = str(self.folder.path)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(inside)]
        return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else str(self.folder.module(name))


def resolved(module: str, node: ast.ImportFrom) -> str:
    """The module that a relative import means: ``..shared.nets`` in ``q03_x.probes`` is ``shared.nets``."""
    parts = module.split(".")[: -node.level]
    return ".".join([*parts, *([node.module] if node.module else [])])


def parse(text: str, path: Path | str) -> ast.Module:
    """The syntax tree of a file. Raises `UserError` with the line of a syntax error."""
    try:
        return ast.parse(text, str(path))
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}.") from None


class _Finder(importlib.abc.MetaPathFinder):
    """Finds a set's modules, and its folders as packages."""

    def __init__(self, modules: SetModules) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != self._modules.package or not self._modules.folder.is_code(name):
            return None
        folder = self._modules.folder.path.joinpath(*name.split(".")) if name else self._modules.folder.path
        if folder.is_dir():
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(folder)]
            return spec
        if not self._modules.exists(name):
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(self._modules, name))


class _Loader(importlib.abc.Loader):
    """Executes a module from its text: never from a cache of bytecode, which a quick edit may have left stale."""

    def __init__(self, modules: SetModules, name: str) -> None:
        self._modules, self._name = modules, name

    def exec_module(self, module: ModuleType) -> None:
        path = str(self._modules.folder.module(self._name))
        text = self._modules.text(self._name)
        code: CodeType = compile(self._modules.tree(self._name), path, "exec", dont_inherit=True)
        module.__file__ = path
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)  # for `inspect` and tracebacks
        namespace: dict[str, Any] = module.__dict__
        exec(code, namespace)

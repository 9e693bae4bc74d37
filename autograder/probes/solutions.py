"""Solution regions: the lines of a cell that students do not see, and the functions that hold them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from autograder.errors import UserError
from autograder.probes.names import Function

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_MARKER = re.compile(r"^\s*#*\s*(BEGIN|END) SOLUTION\s*$")
_LOOSE = re.compile(r"(BEGIN|END)\s+SOLUTION", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Lines ``first`` … ``last`` (0-based, inclusive) of a cell, markers included; ``text`` is what is between."""

    first: int
    last: int
    text: str


def regions(text: str, where: str) -> list[Region]:
    """The solution regions of a cell. Raises `UserError` unless the markers are balanced and well written."""
    found, start = [], None
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = _MARKER.match(line)
        if match is None:
            if _LOOSE.search(line):
                raise UserError(f"{where}: write {BEGIN!r} or {END!r} alone on its line, not {line.strip()!r}.")
            continue
        if match[1] == "BEGIN":
            if start is not None:
                raise UserError(f"{where}: {BEGIN!r} inside a solution region.")
            start = number
        elif start is None:
            raise UserError(f"{where}: {END!r} without a {BEGIN!r}.")
        else:
            found.append(Region(start, number, "\n".join(lines[start + 1 : number])))
            start = None
    if start is not None:
        raise UserError(f"{where}: {BEGIN!r} without an {END!r}.")
    return found


def without_markers(text: str) -> str:
    """A cell's text with its solution, without the lines that mark it."""
    return "\n".join(line for line in text.split("\n") if not _MARKER.match(line))


def without_solutions(text: str, where: str, instead: str = "pass") -> str:
    """The cell with ``instead`` in place of each solution: of a code cell, the code that students are given."""
    lines = text.split("\n")
    for region in reversed(regions(text, where)):
        indent = lines[region.first][: len(lines[region.first]) - len(lines[region.first].lstrip())]
        lines[region.first : region.last + 1] = [f"{indent}{instead}"]
    return "\n".join(lines)


def tasks(text: str, where: str) -> tuple[str, ...]:
    """The functions and classes of a code cell that the student writes: those with a solution region inside."""
    starts = [region.first + 1 for region in regions(text, where)]
    nodes = [node for node in ast.parse(text).body if isinstance(node, Function)]
    return tuple(
        node.name for node in nodes if any(node.lineno <= line <= (node.end_lineno or 0) for line in starts)
    )

"""Takes out of a cell what only a front end or a network can do; line numbers stay.

Read off with regular expressions: the text is hostile and often broken.
"""

from __future__ import annotations

import re

# Installing is of no use in a sandbox without a network, and would only cost time; the rest is about a screen.
_NO_USE = re.compile(
    r"^(\s*)(?:[%!]{1,2}\s*(?:(?:sudo\s+)?(?:python3?\s+-m\s+)?(?:pip3?|conda|mamba|uv|apt|apt-get)\b)"
    r"|%\s*(?:matplotlib[ \t]+(?!inline\b|agg\b)\w|load_ext\b|reload_ext\b|autoreload\b|tensorboard\b|config\b|gui\b))"
)
_IMPORT = re.compile(r"^([ \t]*)(?:import|from)\b")
_BOUND = re.compile(r"(?:\bas[ \t]+(\w+)|(\w+))[ \t]*(?=,|\)|#|$)", re.MULTILINE)


def without_front_end_lines(source: str) -> str:
    """The source with lines such as ``%pip install …`` and ``%matplotlib widget`` replaced by ``pass``."""
    lines, dropping = [], False
    for line in source.split("\n"):
        match = None if dropping else _NO_USE.match(line)
        if match:
            lines.append(match[1] + "pass")
        else:
            lines.append("" if dropping else line)
        dropping = bool(match or dropping) and line.rstrip().endswith("\\")
    return "\n".join(lines)


def without_import(source: str, number: int) -> tuple[str, set[str]] | None:
    """The source without the import statement at a line, and the names that it would bind; None if there is none."""
    lines = source.split("\n")
    match = _IMPORT.match(lines[number - 1]) if 1 <= number <= len(lines) else None
    if not match:
        return None
    last, depth = number, _opened(lines[number - 1])
    while last < len(lines) and (depth > 0 or lines[last - 1].rstrip().endswith("\\")):
        depth += _opened(lines[last])
        last += 1
    statement = lines[number - 1 : last]
    names = {one or other for one, other in _BOUND.findall("\n".join(statement)[:2000])} - {"import"}
    lines[number - 1 : last] = [match[1] + "pass"] + [""] * (last - number)
    return "\n".join(lines), names


def without_use(source: str, number: int, names: set[str]) -> str | None:
    """The source without a line that stands by itself and begins with one of the names; None if it does not."""
    lines = source.split("\n")
    line = lines[number - 1] if 1 <= number <= len(lines) else ""
    word = re.match(r"(\w+)[.(]", line)
    if not word or word[1] not in names or line.count("(") != line.count(")"):
        return None
    lines[number - 1] = "pass"
    return "\n".join(lines)


def _opened(line: str) -> int:
    return line.count("(") - line.count(")")

"""Finds answers that their surroundings hide: a copied stub below them, or a cell that is no code cell any more.

Read off with regular expressions, as in `autograder.submissions.definitions`: the text is hostile and often broken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from autograder.submissions.definitions import FUNCTION_OR_CLASS, defined_names, functions_and_classes
from autograder.submissions.notebook import CodeCell, Notebook
from dgm.checks.status import STUB

_TOP_LEVEL = re.compile(r"^[^\s#)\]}]", re.MULTILINE)
_HEAD = re.compile(r"[ \t]*(?:(?:async[ \t]+)?def|class)\b")
_RAISE = re.compile(r"[ \t]*raise NotImplementedError\b")
_RELEASED = re.compile(rf"[ \t]*raise NotImplementedError\([\"']{STUB}[\"']\)")
_RETURN = re.compile(r"[ \t]*(?:return|yield)\b")
_NOTHING = re.compile(r"[ \t]*(?:#.*|pass|\.\.\.)?")
_DOCSTRING = re.compile(r"[ \t]*[rRuU]?(\"\"\"|''')")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
MAX_TEXT = 200_000  # characters of a cell that is no code cell


def recovered(notebook: Notebook, answers: Collection[str]) -> tuple[Notebook, list[str]]:
    """The notebook with the answers that can be found in it, and a sentence about each thing that was overlooked."""
    cells, notes = _with_texts(notebook, answers)
    cells, skipped = _without_late_stubs(cells, answers)
    return replace(notebook, cells=tuple(cells), texts=()), notes + skipped


def filled(cells: Sequence[CodeCell], answers: Collection[str]) -> set[str]:
    """The answers that are written somewhere: defined, and not only as a stub."""
    found: set[str] = set()
    for cell in cells:
        names = set(answers).intersection(defined_names(cell.source))
        found |= names - stubs(cell.source) if names else names
    return found


def stubs(source: str) -> set[str]:
    """Names of the functions and classes at the top level that are stubs: of a class, any of its functions."""
    return {name for name, body in _blocks(source) if _is_stub(body)}


def _with_texts(notebook: Notebook, answers: Collection[str]) -> tuple[list[CodeCell], list[str]]:
    """Also what stands in cells of text, where no code cell has that answer."""
    cells, notes = list(notebook.cells), []
    known = filled(cells, answers)
    for text in notebook.texts:
        code = _FENCE.sub("", text.source[:MAX_TEXT])
        names = sorted(filled([replace(text, source=code)], answers) - known)
        if names:
            cells.append(replace(text, source=code))
            notes.append(
                f"Cell {text.number} with `{names[0]}` is not a code cell, so a notebook does not run it; its code was "
                "tried all the same. Make it a code cell."
            )
    return sorted(cells, key=lambda cell: cell.number), notes


def _without_late_stubs(cells: Sequence[CodeCell], answers: Collection[str]) -> tuple[list[CodeCell], list[str]]:
    """Without cells that would put a stub in the place of an answer that is written above."""
    kept, notes, written = [], [], set[str]()
    for cell in cells:
        names = set(functions_and_classes(cell.source))
        late = names & stubs(cell.source) & written
        if late and late == names:
            notes.append(
                f"`{min(late)}` is defined twice: as a stub in cell {cell.number}, below your answer, which would lose "
                "it. The stub was not run; delete its cell."
            )
            continue
        if late:  # what else the cell holds may be needed
            notes.append(
                f"`{min(late)}` is defined twice: the stub in cell {cell.number}, below your answer, takes its place. "
                "Delete the stub."
            )
        written |= filled([cell], answers)
        kept.append(cell)
    return kept, notes


def _blocks(source: str) -> Iterator[tuple[str, str]]:
    """Each function or class at the top level, with its text."""
    for match in FUNCTION_OR_CLASS.finditer(source):
        end = _TOP_LEVEL.search(source, match.end())
        yield match[1], source[match.start() : end.start() if end else len(source)]


def _is_stub(text: str) -> bool:
    """Whether a function in the text only raises `NotImplementedError`, after a docstring and comments, or still has
    the line of the released stub with no return above it."""
    in_head = at_start = returned = False
    quotes = ""
    for line in text.split("\n"):
        if quotes:  # of a docstring that goes on
            quotes = "" if quotes in line else quotes
        elif not in_head and _HEAD.match(line):
            in_head, at_start, returned = True, False, False
        elif at_start and (match := _DOCSTRING.match(line)):
            quotes = "" if match[1] in line[match.end() :] else match[1]
        elif (at_start and _RAISE.match(line)) or (not returned and _RELEASED.match(line)):
            return True
        elif not in_head and not _NOTHING.fullmatch(line):
            at_start, returned = False, returned or bool(_RETURN.match(line))
        if in_head and not quotes and line.split("#")[0].rstrip().endswith(":"):
            in_head, at_start = False, True
    return False

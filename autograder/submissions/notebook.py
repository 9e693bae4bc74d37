"""From a submitted notebook's bytes to its code cells. The bytes are hostile: nothing in them is believed but the code.

``nbformat`` is not used: its validation is slow to import and checks much that does not matter here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.submissions.definitions import FUNCTION_OR_CLASS
from autograder.text import clean_line, encodable

MAX_BYTES = 64 * 2**20  # most of it outputs, which are not used
SUFFIXES = (".ipynb", ".ipynb.json", ".ipynb.txt")  # browsers and mail programs add to a name
MAX_CODE_CELLS = 2000
MAX_TEXTS = 200
MAX_LISTS, MAX_VALUES = 2_000_000, 5_000_000  # of its JSON: a byte of it can become fifty in memory
MAX_CODE = 4_000_000  # characters of code: a notebook's megabytes are outputs and pictures

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.{0,200})", re.MULTILINE)


class NotebookProblem(ValueError):
    """Why these bytes cannot be graded: one sentence."""


@dataclass(frozen=True)
class CodeCell:
    """A code cell; ``number`` counts all cells of the notebook from 1, ``heading`` is the last one above it."""

    number: int
    source: str
    heading: str = ""


@dataclass(frozen=True)
class Notebook:
    """A validated notebook.

    ``sha256`` is of its bytes; ``code_sha256`` of its code and where that stands: all that a result shows of it.
    ``texts`` are cells of text that look like code.
    """

    cells: tuple[CodeCell, ...]
    sha256: str
    texts: tuple[CodeCell, ...] = ()

    @property
    def code_sha256(self) -> str:
        text = json.dumps([[cell.number, cell.heading, cell.source] for cell in self.cells])
        return hashlib.sha256(text.encode()).hexdigest()


def read_notebook(data: bytes) -> Notebook:
    """Parse and check a notebook. Raises `NotebookProblem`."""
    if len(data) > MAX_BYTES:
        raise NotebookProblem(f"The notebook is larger than {MAX_BYTES // 2**20} MB; clear its outputs and save it.")
    raw = _parse(data)
    _check_format(raw)
    _check_language(raw.get("metadata"))
    cells = raw.get("cells")
    if not isinstance(cells, list) or not cells:
        raise NotebookProblem("The notebook has no cells.")
    code = [cell for cell in _code_cells(cells) if cell.source.strip()]
    texts = [cell for cell in _texts(cells) if FUNCTION_OR_CLASS.search(cell.source)][:MAX_TEXTS]
    if not code and not texts:
        raise NotebookProblem("The notebook has no code cells.")
    if len(code) > MAX_CODE_CELLS:
        raise NotebookProblem(f"The notebook has more than {MAX_CODE_CELLS} code cells.")
    if sum(len(cell.source) for cell in [*code, *texts]) > MAX_CODE:
        raise NotebookProblem(f"The notebook has more than {MAX_CODE // 10**6} million characters of code.")
    return Notebook(tuple(code), hashlib.sha256(data).hexdigest(), tuple(texts))


def _code_cells(cells: list[Any]) -> Iterator[CodeCell]:
    heading = ""
    for number, cell in enumerate(cells, 1):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        if kind == "code":
            yield CodeCell(number, _source(cell.get("source"), number), heading)
        elif kind == "markdown":
            heading = (_HEADING.findall(_source(cell.get("source"), number)) or [heading])[-1]


def _texts(cells: list[Any]) -> Iterator[CodeCell]:
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") in ("markdown", "raw"):
            yield CodeCell(number, _source(cell.get("source"), number))


def is_notebook_name(name: str) -> bool:
    """Whether a file's name is that of a notebook."""
    return name.lower().endswith(SUFFIXES)


def stem_of(name: str) -> str:
    """A file's name without what says that it is a notebook, or else without its last suffix."""
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), Path(name).suffix)
    return name[: len(name) - len(suffix)] or name


def _decoded(data: bytes) -> str:
    """The text; editors of some systems save it in their own encoding. Raises `NotebookProblem`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise NotebookProblem("The file is not a notebook (not text in UTF-8).")


def _parse(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise NotebookProblem("The file is empty.")
    if _crowded(data) and _crowded(_STRING.sub(b"", data)):  # printed text may hold as many as it likes
        raise NotebookProblem("The notebook holds millions of numbers and lists; clear its outputs and save it.")
    text = _decoded(data)
    try:
        raw = json.loads(text)
    except RecursionError:
        raise NotebookProblem("The file is not a notebook (nested too deeply).") from None
    except ValueError as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookProblem(f"The file is not a notebook, or was cut off: not valid JSON{place}.") from None
    if not isinstance(raw, dict):
        raise NotebookProblem("The file is JSON but not a notebook.")
    return raw


def _crowded(data: bytes) -> bool:
    """Whether to parse this would take seconds."""
    return data.count(b"[") + data.count(b"{") > MAX_LISTS or data.count(b",") > MAX_VALUES


def _check_format(raw: dict[str, Any]) -> None:
    version = raw.get("nbformat")
    if type(version) is not int or (version >= 4 and "cells" not in raw):
        raise NotebookProblem("The file is JSON but not a notebook.")
    if version < 4:
        raise NotebookProblem(f"The notebook has the old format {version}; open and save it in a current Jupyter.")
    if version > 4:
        raise NotebookProblem(f"The notebook has format {version}, which is not known here; save it as format 4.")


def _check_language(metadata: Any) -> None:
    metadata = metadata if isinstance(metadata, dict) else {}
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        values = metadata.get(section)
        name = values.get(key) if isinstance(values, dict) else None
        if isinstance(name, str) and name and not name.lower().startswith(("python", "ipython")):
            raise NotebookProblem(f"The notebook's language is {clean_line(name, 40)}, not Python.")


def _source(value: Any, number: int) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise NotebookProblem(f"Cell {number} of the notebook is malformed.")
    return encodable(value)

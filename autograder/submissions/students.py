"""Student ids from the names of files and folders.

==============================  =====================================================  ===========================
layout                          for example                                            id
==============================  =====================================================  ===========================
Canvas                          ``lovelaceada_LATE_123_456_ps1-2.ipynb``               ``lovelaceada``
Moodle                          ``Ada Lovelace_123_assignsubmission_file_/x.ipynb``    ``Ada_Lovelace``
Gradescope                      ``assignment_9_export/submission_123/x.ipynb``         sid, email or name in
                                                                                       ``submission_metadata.yml``,
                                                                                       else ``submission_123``
nbgrader                        ``submitted/ada/ps1/ps1.ipynb``                        ``ada``
one folder (or zip) a student   ``class/ada/anything.ipynb``                           ``ada``
one notebook a student          ``class/ada.ipynb``, ``class/ada_ps1.ipynb``           ``ada``
==============================  =====================================================  ===========================

A name that tells nothing of the student (``ps1.ipynb``, ``Untitled.ipynb``) gives way to the folder's around it.
Two students with the same id get the LMS's number appended, or -2, -3, …
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.text import clean_line

MAX_DEPTH = 30  # of a file of metadata
END = object()
MAX_NAME, MAX_NUMBER = 255, 40  # characters that are looked at: some of these patterns take their square in time
CANVAS = re.compile(r"^(?P<name>[^_]+(?:_[^_]+)*?)(?:_LATE|_late)?_(?P<number>\d{2,})_(?P<second>\d{2,})_.+$")
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_.*$")
GRADESCOPE = re.compile(r"^submission_(?P<number>\d+)$")
CONTAINERS = re.compile(r"submitted|submissions?|.*export.*|.*download.*|.*submissions.*", re.IGNORECASE)
_COPY = re.compile(
    r"(?:[ _-]*(?:\(\d+\)|copy\d*)|[ _-]+(?:\d{1,2}|v\d+|final|solutions?|answers?|submission|completed))+$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:ps|hw)\d+|untitled\d*")
_GENERIC = {"", "notebook", "untitled", "main", "solution", "solutions", "homework", "assignment", "submission"}


@dataclass(frozen=True)
class Name:
    """A student id, and the number that tells two of the same id apart."""

    student: str
    number: str = ""


def safe_id(text: str) -> str:
    """An id that is safe as a file name everywhere: letters, digits, ``._@+-``; at most 80 characters."""
    text = unicodedata.normalize("NFC", clean_line(text, 200))
    text = re.sub(r"[^\w.@+-]+", "_", text).strip("._-")
    while len(text.encode()) > 80:
        text = text[:-1]
    return text or "student"


def from_lms(name: str) -> Name | None:
    """The id in a file's or folder's name that an LMS made up, or None."""
    for pattern in (MOODLE, CANVAS):
        match = pattern.match(name[:MAX_NAME])
        if match:
            return Name(safe_id(match["name"]), match["number"][:MAX_NUMBER])
    return None


@dataclass(frozen=True)
class Naming:
    """Finds students in names; ``generic`` holds the problem sets' own names and folders, which name no student."""

    assignment: str
    generic: frozenset[str] = frozenset()

    def is_generic(self, stem: str) -> bool:
        """True if a name says nothing of a student: ``ps1``, ``ps1_simple_models``, ``ps1 (2)``, ``Untitled``."""
        stem = stem[:MAX_NAME].strip().lower()
        if GRADESCOPE.match(stem):
            return False
        known = _GENERIC | self.generic | {self.assignment}
        return any(text in known or _NUMBERED.fullmatch(text) for text in (stem, _COPY.sub("", stem)))

    def from_name(self, stem: str) -> Name | None:
        """The id in a name; None when it is generic."""
        stem = stem[:MAX_NAME]
        known = from_lms(stem)
        if known:
            return known
        if self.is_generic(stem):
            return None
        set_name = re.escape(self.assignment)
        cut = re.sub(rf"(?:^|[ _-]+){set_name}(?:[ _-]+|$)", " ", stem, flags=re.IGNORECASE).strip()
        return Name(safe_id(cut or stem))

    def from_ancestors(self, names: Sequence[str], fallback: str) -> Name:
        """The first telling name, from the innermost outwards."""
        for name in names:
            found = None if CONTAINERS.fullmatch(name) and not GRADESCOPE.match(name) else self.from_name(name)
            if found:
                return found
        return Name(safe_id(fallback))


def gradescope_names(metadata: str) -> dict[str, str]:
    """``submission_123`` -> sid, email or name of its first submitter, from an export's ``submission_metadata.yml``.

    Parsed as what it is: a display name may look like the next line of the file.

    Raises:
        ValueError: This is no YAML.
    """
    import yaml

    try:
        events = yaml.parse(metadata, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        found = _plain(iter(events), 0)
    except yaml.YAMLError:
        raise ValueError("not valid YAML") from None
    if not isinstance(found, dict):
        return {}
    return {key: _submitter(values) or key for key, values in found.items()}


def _plain(events: Iterator[Any], depth: int) -> Any:
    """The next node of parsed YAML as lists, dicts and text; tags and references mean nothing.

    Not by the library's own function, which deep nesting makes overflow the stack.
    """
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    for event in events:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return event.value
        if kind in ("AliasEvent", "StreamEndEvent"):
            return None
        if kind in ("SequenceEndEvent", "MappingEndEvent"):
            return END
        if kind == "SequenceStartEvent":
            return list(iter(lambda: _plain(events, depth + 1), END))
        if kind == "MappingStartEvent":
            keys = iter(lambda: _plain(events, depth + 1), END)
            pairs = [(key, _plain(events, depth + 1)) for key in keys]
            return {key: value for key, value in pairs if isinstance(key, str)}
    return None


def _submitter(submission: object) -> str:
    """The id of the first submitter; empty where nothing is said."""
    listed = submission.get(":submitters") if isinstance(submission, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    values = first if isinstance(first, dict) else {}
    for key in (":sid", ":email", ":name"):
        value = values.get(key)
        if isinstance(value, str) and value.strip() not in ("", "null", "~"):
            return safe_id(value)
    return ""


def distinct(names: Iterable[Name]) -> list[tuple[str, str]]:
    """Distinct ids for names in order, each with a note when it had to be changed. Case does not distinguish.

    Of different spellings that do not distinguish, one in small letters keeps its id and the others' follow from their
    spelling: so nobody gets another's id because somebody has come or gone.
    """
    names = list(names)
    counts = Counter(_folded(name.student) for name in names)
    pairs = Counter((_folded(name.student), name.number) for name in names)
    spellings: dict[str, set[str]] = {}
    for name in names:
        spellings.setdefault(_folded(name.student), set()).add(name.student)
    taken: set[str] = set()
    result = []
    for name in names:
        unique, note = name.student, ""
        several = counts[_folded(unique)] > 1
        if several and name.number and pairs[_folded(unique), name.number] == 1:
            unique = f"{name.student}-{name.number}"
        elif len(spellings[_folded(unique)]) > 1 and unique != _folded(unique):
            unique = f"{name.student}-{hashlib.sha256(unique.encode()).hexdigest()[:6]}"
        base, count = unique, 1
        while _folded(unique) in taken:
            count += 1
            unique = f"{base}-{count}"
        taken.add(_folded(unique))
        if several:
            note = f"Several submissions are named {name.student}; this one is called {unique}."
        result.append((unique, note))
    return result


def _folded(student: str) -> str:
    """The same for ids that some file systems take for the same name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", student).casefold())

"""Which files of a folder or archive belong to which student."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.errors import UserError
from autograder.submissions.archive import ArchiveProblem
from autograder.submissions.matching import Matcher
from autograder.submissions.notebook import is_notebook_name, stem_of
from autograder.submissions.students import CONTAINERS, Name, Naming, from_lms, gradescope_names, safe_id
from autograder.text import clean_line

JUNK = {"__MACOSX", ".ipynb_checkpoints", "__pycache__", ".DS_Store", ".git", "Thumbs.db"}
METADATA = "submission_metadata.yml"  # of Gradescope
TELLING = 8  # names of students for each that is none
MAX_METADATA = 100 * 2**20
MAX_FILES = 20_000  # of one student
NBGRADER = {"source", "release", "submitted", "autograded", "feedback"}  # the folders of its courses
SHOWN = 8  # names in a sentence


@dataclass(frozen=True)
class Entry:
    """A file below a path: its parts, and how to read at most so many bytes of it."""

    parts: tuple[str, ...]
    read: Callable[[int], bytes]

    @property
    def is_notebook(self) -> bool:
        return is_notebook_name(self.parts[-1])

    @property
    def is_zip(self) -> bool:
        return self.parts[-1].lower().endswith(".zip")

    @property
    def stem(self) -> str:
        return stem_of(self.parts[-1])

    @property
    def is_work(self) -> bool:
        return self.is_notebook or self.is_zip

    def below(self, count: int = 1) -> Entry:
        return replace(self, parts=self.parts[count:])


@dataclass
class Group:
    """The files of one student."""

    name: Name
    path: str
    entries: list[Entry]
    notes: list[str] = field(default_factory=list)

    def cut(self) -> Group:
        """Keep at most `MAX_FILES` files, first notebooks and what does not lie deep."""
        self.entries.sort(key=lambda entry: (not entry.is_work, len(entry.parts)))
        if len(self.entries) > MAX_FILES:
            del self.entries[MAX_FILES:]
            self.notes.append(f"The submission holds more than {MAX_FILES} files; the rest was not looked at.")
        return self


class EntryProblem(ValueError):
    """Why a file cannot be read: one sentence."""


def by_student(
    entries: list[Entry], path: Path, outwards: list[str], matcher: Matcher, empty: list[str],
    tell: Callable[[str], None],
) -> list[Group]:
    """Split the files of one path into students; ``tell`` hears what is no student's."""
    left_out: list[str] = []
    hidden = [entry.parts[-1] for entry in entries if _is_hidden_work(entry)]
    entries = [entry for entry in entries if not JUNK & set(entry.parts) and not entry.parts[-1].startswith(".")]
    if not entries and not empty:
        raise UserError(f"{path} is empty: there is nothing to grade.")
    entries, stripped = _strip_wrappers(entries, matcher.naming, left_out)
    names = _gradescope(entries, path, tell)
    groups: dict[tuple[str, str], Group] = {}
    alone = _alone([entry for entry in entries if len(entry.parts) == 1], matcher)
    for entry in entries:
        if len(entry.parts) > 1 and not matcher.naming.is_generic(entry.parts[0]):
            folder = entry.parts[0]
            known = names.get(folder)
            name = Name(known, folder) if known else from_lms(folder) or Name(safe_id(folder))
            group = groups.setdefault(("folder", folder), Group(name, str(path / folder), []))
            group.entries.append(entry.below())
        elif len(entry.parts) > 1 or (alone and entry.is_work and not matcher.naming.from_name(entry.stem)):
            own = matcher.naming.from_ancestors([*reversed(stripped), *outwards], outwards[0])
            group = groups.setdefault(("own", ""), Group(own, str(path), []))
            group.entries.append(entry)
        elif entry.is_work or from_lms(entry.stem):
            name = matcher.naming.from_name(entry.stem) or Name(safe_id(entry.stem))
            key = ("file", f"{name.student}/{name.number}" if name.number else entry.parts[0])
            groups.setdefault(key, Group(name, str(path / entry.parts[0]), [])).entries.append(entry)
        elif entry.parts != (METADATA,):
            left_out.append(entry.parts[0])
    for folder in [] if stripped else empty:
        groups.setdefault(("folder", folder), Group(from_lms(folder) or Name(safe_id(folder)), str(path / folder), []))
    with_work = {key for key, group in groups.items() if any(entry.is_work for entry in group.entries)}
    if not with_work:
        raise UserError(f"{path} holds no notebook (.ipynb).")
    if not any(kind == "folder" for kind, _ in with_work):  # then folders are not how students hand in here
        left_out += [name for kind, name in groups if kind == "folder" and not from_lms(name)]
        groups = {key: group for key, group in groups.items() if key[0] != "folder" or from_lms(key[1])}
    if left_out or hidden:
        tell(f"Left out of {path}, as no student's work: {_listed([*left_out, *hidden])}.")
    return [group.cut() for group in groups.values()]


def _is_hidden_work(entry: Entry) -> bool:
    """A notebook with a dot before its name, which is no file that macOS leaves beside another."""
    name = entry.parts[-1]
    return name.startswith(".") and not name.startswith("._") and entry.is_work and not JUNK & set(entry.parts)


def _listed(names: Iterable[str]) -> str:
    """Some of the names, for a sentence."""
    known = list(dict.fromkeys(clean_line(name, 40) for name in names))
    more = len(known) - SHOWN
    return ", ".join(known[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _alone(loose: list[Entry], matcher: Matcher) -> bool:
    """Whether a notebook whose name says nothing is of whom the path is named after: it lies beside no other
    students' ones."""
    notebooks = [entry for entry in loose if entry.is_work]
    telling = [entry for entry in notebooks if matcher.naming.from_name(entry.stem)]
    return len(notebooks) - len(telling) <= 1 and not any(from_lms(entry.stem) for entry in telling)


def _strip_wrappers(
    entries: list[Entry], naming: Naming, left_out: list[str]
) -> tuple[list[Entry], list[str]]:
    """Drop folders that hold the whole class (``submitted/``, ``ps1_export/``); return their names too.

    Only a folder that is alone, since a student may have one of any name; the folders of an nbgrader course are known.
    """
    stripped: list[str] = []
    while entries:
        tops = {entry.parts[0] for entry in entries}
        if "submitted" in tops and len(tops) > 1 and _is_nbgrader_course(entries):
            left_out += sorted(tops - {"submitted"})
            entries = [entry for entry in entries if entry.parts[0] == "submitted"]
            tops = {"submitted"}
        if len(tops) != 1 or any(len(entry.parts) < 2 for entry in entries):
            break
        top = next(iter(tops))
        if from_lms(top) or not (_container(top) or _holds_class(entries, naming)):
            break
        stripped.append(top)
        entries = [entry.below() for entry in entries]
    return entries, stripped


def _is_nbgrader_course(entries: list[Entry]) -> bool:
    """Only the folders of an nbgrader course, and no work beside them."""
    return all(entry.parts[0] in NBGRADER if len(entry.parts) > 1 else not entry.is_work for entry in entries)


def _container(name: str) -> bool:
    return bool(CONTAINERS.fullmatch(name))


def _holds_class(entries: list[Entry], naming: Naming) -> bool:
    """True if a single folder holds several students rather than one student's files.

    In a large class a few may give their work a name that tells nothing of them; that must not merge the others.
    """
    inner = {entry.parts[1] for entry in entries if entry.is_work}
    generic = sum(naming.is_generic(stem_of(name)) for name in inner)
    return len(inner) - generic > max(1, TELLING * generic)


def _gradescope(entries: list[Entry], path: Path, tell: Callable[[str], None]) -> dict[str, str]:
    for entry in entries:
        if entry.parts == (METADATA,):
            try:
                return gradescope_names(entry.read(MAX_METADATA).decode("utf-8", "replace"))
            except (ArchiveProblem, EntryProblem, ValueError) as error:
                tell(f"{path}: {METADATA} cannot be read ({error}), so students are called by their submissions.")
                return {}
    return {}

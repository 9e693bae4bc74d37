"""From paths to submissions: notebooks, zips, folders, LMS downloads, nbgrader's ``submitted``.

A bad submission within a class is a `Submission` with a ``problem``; a bad path is a `UserError`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from autograder.errors import UserError
from autograder.grading.archive import Archive, ArchiveProblem
from autograder.grading.layout import JUNK, Entry, EntryProblem, Group, by_student
from autograder.grading.matching import Matcher
from autograder.grading.notebook import MAX_BYTES, Notebook, NotebookProblem, read_notebook
from autograder.grading.students import Name, distinct
from autograder.grading.text import clean_line

MAX_FILES = 50_000
MAX_NOTEBOOKS = 50  # of one student


@dataclass(frozen=True)
class Submission:
    """One student's work: ``notebook``, or the ``problem`` why there is none. ``path`` is for people to read."""

    student: str
    path: str
    notebook: Notebook | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    read: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def notebook_bytes(self) -> bytes | None:
        """The notebook as it was handed in; read again, because a class of them may not fit in memory."""
        return self.read() if self.read and self.notebook else None


def collect(paths: Sequence[str | Path], matcher: Matcher, ignore: Path | None = None) -> list[Submission]:
    """All submissions below the paths, sorted by student; the folder ``ignore`` (of results) is not looked into.

    Raises
    ------
    UserError
        A path itself is bad, or the only submission is.
    """
    groups: list[Group | tuple[Name, str, str]] = []
    for path in map(Path, paths):
        try:
            groups += _groups(path, matcher, ignore)
        except (ArchiveProblem, EntryProblem) as error:
            if len(paths) == 1:
                raise UserError(f"{path}: {error}") from None
            groups.append((matcher.naming.from_ancestors(_outwards(path), path.stem), str(path), str(error)))
    names = [group.name if isinstance(group, Group) else group[0] for group in groups]
    submissions = []
    for group, (student, note) in zip(groups, distinct(names), strict=True):
        if isinstance(group, Group):
            found = _choose(group, matcher)
        else:
            found = Submission("", group[1], problem=group[2])
        submissions.append(replace(found, student=student, notes=(note, *found.notes) if note else found.notes))
    if len(submissions) == 1 and submissions[0].problem:
        raise UserError(f"{submissions[0].path}: {submissions[0].problem}")
    return sorted(submissions, key=lambda item: item.student.lower())


def _groups(path: Path, matcher: Matcher, ignore: Path | None) -> list[Group]:
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    outwards = _outwards(path)
    if path.is_dir():
        entries, empty = _walk(path, ignore)
        return by_student(entries, path, outwards, matcher, empty)
    if not path.is_file():
        raise UserError(f"{path} is neither a file nor a folder.")
    suffix = path.suffix.lower()
    if suffix == ".ipynb":
        entry = Entry((path.name,), partial(_read_file, path))
        return [Group(matcher.naming.from_ancestors(outwards, path.stem), str(path), [entry])]
    if suffix == ".zip":
        archive = Archive(path)
        entries = [Entry(tuple(name.replace("\\", "/").split("/")), _member(archive, name)) for name in archive.names]
        return by_student(entries, path, outwards, matcher, [])
    raise UserError(f"{path} is not a notebook, a zip file or a folder.")


def _outwards(path: Path) -> list[str]:
    """Names from the file's own outwards, as far as the user wrote them."""
    return [path.stem if path.is_file() else path.name, *(parent.name for parent in path.parents if parent.name)]


def _walk(root: Path, ignore: Path | None) -> tuple[list[Entry], list[str]]:
    """Regular files below a folder, and the names of its empty subfolders. Links that lead outside are not followed."""
    entries: list[Entry] = []
    empty = []
    real = os.path.realpath(root)
    ignored = os.path.realpath(ignore) if ignore else None
    for folder, subfolders, files in os.walk(root):
        place = Path(folder)
        subfolders[:] = sorted(
            name for name in subfolders if name not in JUNK and os.path.realpath(place / name) != ignored
        )
        parts = place.relative_to(root).parts
        if len(parts) == 1 and not subfolders and not files:
            empty.append(parts[0])
        for name in sorted(files):
            file = place / name
            if file.is_symlink() and not os.path.realpath(file).startswith(real + os.sep):
                entries.append(Entry((*parts, name), _refuse_link))
            else:
                entries.append(Entry((*parts, name), partial(_read_file, file)))
        if len(entries) > MAX_FILES:
            raise UserError(f"{root} holds more than {MAX_FILES} files.")
    return entries, empty


def _refuse_link(limit: int) -> bytes:
    raise EntryProblem("The file is a symbolic link that leads outside; hand in the file itself.")


def _read_file(path: Path, limit: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise EntryProblem("This is not a regular file.")
            data = stream.read(limit + 1)
    except OSError as error:
        raise EntryProblem(f"The file cannot be read ({error.strerror or 'unknown error'}).") from None
    if len(data) > limit:
        raise EntryProblem(f"The file is larger than {limit // 2**20} MB.")
    return data


def _member(archive: Archive, name: str) -> Callable[[int], bytes]:
    return lambda limit: archive.read(name, limit)


def _choose(group: Group, matcher: Matcher) -> Submission:
    """The one notebook of a student that holds the answers."""
    named = [entry for entry in group.entries if matcher.name in entry.parts[:-1]]
    entries = named or group.entries
    notebooks = [(entry, f"{group.path}") for entry in entries if entry.suffix == ".ipynb"]
    problems: list[str] = []
    for entry in entries:
        if entry.suffix == ".zip":
            try:
                notebooks += [(inner, f"{group.path}/{entry.parts[-1]}") for inner in _nested(entry)]
            except (ArchiveProblem, EntryProblem) as error:
                problems.append(str(error))
    candidates = []
    for order, (entry, _) in enumerate(notebooks[:MAX_NOTEBOOKS]):
        try:
            notebook = read_notebook(entry.read(MAX_BYTES))
            problem = matcher.problem(notebook)
            if problem is None:
                score = (matcher.found(notebook), matcher.naming.is_generic(entry.stem), -len(entry.parts), -order)
                candidates.append((score, entry, notebook))
        except (NotebookProblem, ArchiveProblem, EntryProblem) as error:
            problem = str(error)
        if problem:
            problems.append(problem)
    if not candidates:
        return Submission("", group.path, problem=problems[0] if problems else _nothing(group.entries))
    _, entry, notebook = max(candidates, key=lambda candidate: candidate[0])
    notes: tuple[str, ...] = ()
    if len(candidates) > 1:
        shown = clean_line("/".join(entry.parts), 120)
        notes = (f"The submission holds {len(candidates)} such notebooks; {shown} was graded.",)
    return Submission("", group.path, notebook, "", notes, lambda: entry.read(MAX_BYTES))


def _nested(entry: Entry) -> Iterable[Entry]:
    """The notebooks in a student's zip, one level deep."""
    archive = Archive(entry.read(MAX_BYTES * 5))
    names = [name for name in archive.names if not JUNK & set(name.split("/"))]
    found = [Entry(tuple(name.split("/")), _member(archive, name)) for name in names if name.lower().endswith(".ipynb")]
    if not found:
        kind = "only another zip file" if any(name.lower().endswith(".zip") for name in names) else "no notebook"
        raise ArchiveProblem(f"The zip file holds {kind}.")
    return found


def _nothing(entries: list[Entry]) -> str:
    if not entries:
        return "The submission is empty."
    shown = ", ".join(clean_line(entry.parts[-1], 60) for entry in entries[:3])
    return f"The submission holds no notebook (.ipynb), but {shown}."

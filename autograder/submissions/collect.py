"""From paths to submissions: notebooks, zips, folders, LMS downloads, nbgrader's ``submitted``.

A bad submission within a class is a `Submission` with a ``problem``; a bad path is a `UserError`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from autograder.errors import UserError
from autograder.submissions.archive import Archive, ArchiveProblem
from autograder.submissions.by_student import JUNK, METADATA, Entry, EntryProblem, Group, by_student
from autograder.submissions.matching import Matcher
from autograder.submissions.notebook import MAX_BYTES, Notebook, NotebookProblem, read_notebook
from autograder.submissions.students import Name, distinct, from_lms
from autograder.text import clean_line

MAX_FILES = 1_000_000
MAX_OTHERS = 20  # of a folder's files that are neither notebooks nor zips: it is enough to know of some
MAX_NOTEBOOKS = 50  # of one student
MAX_ZIPS = 10  # of one student
MAX_ZIP = 100 * 2**20
MAX_READ = 300 * 2**20  # bytes of one student, all files together


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

    Raises:
        UserError: A path itself is bad, or the only submission is.
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
        entries = [Entry(_parts(name), partial(_member, archive, name)) for name in archive.names]
        return by_student(entries, path, outwards, matcher, [])
    raise UserError(f"{path} is not a notebook, a zip file or a folder.")


def _outwards(path: Path) -> list[str]:
    """Names from the file's own outwards, as far as the user wrote them."""
    return [path.stem if path.is_file() else path.name, *(parent.name for parent in path.parents if parent.name)]


def _walk(root: Path, ignore: Path | None) -> tuple[list[Entry], list[str]]:
    """Regular files below a folder, and the names of its empty subfolders. Links are not followed: what they lead to
    may be another student's work."""
    entries: list[Entry] = []
    empty = []
    ignored = os.path.realpath(ignore) if ignore else None
    for folder, subfolders, files in os.walk(root):
        place = Path(folder)
        subfolders[:] = sorted(
            name for name in subfolders if name not in JUNK and os.path.realpath(place / name) != ignored
        )
        parts = place.relative_to(root).parts
        if len(parts) == 1 and not subfolders and not files:
            empty.append(parts[0])
        others = 0
        for name in sorted(files):
            file = place / name
            entry = Entry((*parts, name), _refuse_link if file.is_symlink() else partial(_read_file, file))
            tells = entry.is_work or name == METADATA or from_lms(entry.stem) is not None
            others += not tells
            if tells or others <= MAX_OTHERS:
                entries.append(entry)
        if len(entries) > MAX_FILES:
            raise UserError(f"{root} holds more than {MAX_FILES} files.")
    return entries, empty


def _refuse_link(limit: int) -> bytes:
    raise EntryProblem("The file is a symbolic link; hand in the file itself.")


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


def _parts(name: str) -> tuple[str, ...]:
    """The parts of a name in an archive; a path that leads elsewhere is refused when it is read."""
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")) or ("?",)


def _member(archive: Archive, name: str, limit: int) -> bytes:
    return archive.read(name, limit)


class _Budget:
    """What may still be read of one student's files."""

    def __init__(self) -> None:
        self._left = MAX_READ

    def read(self, entry: Entry, limit: int) -> bytes:
        if self._left <= 0:
            raise EntryProblem(f"The submission's files are larger than {MAX_READ // 2**20} MB together.")
        data = entry.read(limit)
        self._left -= len(data)
        return data


def _choose(group: Group, matcher: Matcher) -> Submission:
    """The one notebook of a student that holds the answers."""
    named = [entry for entry in group.entries if matcher.name in entry.parts[:-1]]
    entries = named or group.entries
    budget = _Budget()
    best: tuple[tuple[int, bool, int, int], Entry, Notebook] | None = None
    problems: list[str] = []
    count = 0
    for order, (entry, now) in enumerate(_notebooks(entries, budget, problems)):
        try:
            notebook = read_notebook(budget.read(now, MAX_BYTES))
            problem = matcher.problem(notebook)
        except (NotebookProblem, ArchiveProblem, EntryProblem) as error:
            problem = str(error)
        if problem:
            problems.append(problem)
            continue
        count += 1
        score = (matcher.found(notebook), matcher.naming.is_generic(entry.stem), -len(entry.parts), -order)
        if best is None or score > best[0]:  # only one of them is kept: all may not fit in memory
            best = score, entry, notebook
    if best is None:
        return Submission("", group.path, problem=problems[0] if problems else _nothing(group.entries))
    _, entry, notebook = best
    notes: tuple[str, ...] = ()
    if count > 1:
        shown = clean_line("/".join(entry.parts), 120)
        notes = (f"The submission holds {count} such notebooks; {shown} was graded.",)
    return Submission("", group.path, notebook, "", notes, lambda: entry.read(MAX_BYTES))


def _notebooks(entries: Sequence[Entry], budget: _Budget, problems: list[str]) -> Iterator[tuple[Entry, Entry]]:
    """The notebooks among a student's files, and then those in zip files; at most `MAX_NOTEBOOKS`.

    Each twice: to keep, which reads everything again when it is needed, and to read now.
    """
    left = MAX_NOTEBOOKS
    loose = [entry for entry in entries if entry.suffix == ".ipynb"]
    yield from ((entry, entry) for entry in loose[:left])
    left -= len(loose)
    for packed in [entry for entry in entries if entry.suffix == ".zip"][:MAX_ZIPS]:
        try:
            archive = Archive(budget.read(packed, MAX_ZIP))
            names = _names_of_notebooks(archive)
        except (ArchiveProblem, EntryProblem) as error:
            problems.append(str(error))
            continue
        for name in names[: max(0, left)]:
            now = Entry(_parts(name), partial(_member, archive, name))
            yield replace(now, read=partial(_read_nested, packed, name)), now
        left -= len(names)


def _names_of_notebooks(archive: Archive) -> list[str]:
    """In a student's zip, one level deep."""
    names = [name for name in archive.names if not JUNK & set(name.split("/"))]
    found = [name for name in names if name.lower().endswith(".ipynb")]
    if not found:
        kind = "only another zip file" if any(name.lower().endswith(".zip") for name in names) else "no notebook"
        raise ArchiveProblem(f"The zip file holds {kind}.")
    return found


def _read_nested(packed: Entry, name: str, limit: int) -> bytes:
    return Archive(packed.read(MAX_ZIP)).read(name, limit)


def _nothing(entries: list[Entry]) -> str:
    if not entries:
        return "The submission is empty."
    shown = ", ".join(clean_line(entry.parts[-1], 60) for entry in entries[:3])
    return f"The submission holds no notebook (.ipynb), but {shown}."

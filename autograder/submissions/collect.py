"""From paths to submissions: notebooks, zips, folders, LMS downloads, nbgrader's ``submitted``.

A bad submission within a class is a `Submission` with a ``problem``; a bad path is a `UserError`.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from autograder.errors import UserError, in_words
from autograder.submissions.archive import Archive, ArchiveProblem
from autograder.submissions.by_student import JUNK, MAX_FILES, METADATA, Entry, EntryProblem, Group, by_student
from autograder.submissions.matching import Matcher
from autograder.submissions.notebook import (
    MAX_BYTES,
    Notebook,
    NotebookProblem,
    is_notebook_name,
    read_notebook,
    stem_of,
)
from autograder.submissions.recover import filled, recovered
from autograder.submissions.students import Name, distinct, from_lms
from autograder.text import clean_line

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


def collect(
    paths: Sequence[str | Path], matcher: Matcher, ignore: Path | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[Submission]:
    """All submissions below the paths, sorted by student; the folder ``ignore`` (of results) is not looked into.

    ``tell`` hears a sentence about what is left out although it is nobody's; the rest is in the submissions' notes.

    Raises:
        UserError: A path itself is bad, or the only submission is.
    """
    groups: list[Group | tuple[Name, str, str]] = []
    for path in map(Path, paths):
        try:
            groups += _groups(path, matcher, ignore, tell)
        except UserError:
            raise
        except Exception as error:  # whatever a file can do to its reader, it does to its own student only
            if len(paths) == 1:
                raise UserError(f"{path}: {_why_unread(error)}") from None
            groups.append((matcher.naming.from_ancestors(_outwards(path), path.stem), str(path), _why_unread(error)))
    names = [group.name if isinstance(group, Group) else group[0] for group in groups]
    submissions = []
    for group, (student, note) in zip(groups, distinct(names), strict=True):
        if isinstance(group, Group):
            found = _chosen(group, matcher)
        else:
            found = Submission("", group[1], problem=group[2])
        submissions.append(replace(found, student=student, notes=(note, *found.notes) if note else found.notes))
    if len(submissions) == 1 and submissions[0].problem:
        raise UserError(f"{submissions[0].path}: {submissions[0].problem}")
    return sorted(submissions, key=lambda item: item.student.lower())


def _why_unread(error: Exception) -> str:
    known = isinstance(error, (ArchiveProblem, EntryProblem, NotebookProblem))
    return str(error) if known else f"The submission cannot be read ({clean_line(in_words(error), 120)})."


def _groups(path: Path, matcher: Matcher, ignore: Path | None, tell: Callable[[str], None]) -> list[Group]:
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    outwards = _outwards(path)
    if path.is_dir():
        entries, empty = _walk(path, ignore)
        return by_student(entries, path, outwards, matcher, empty, tell)
    if not path.is_file():
        raise UserError(f"{path} is neither a file nor a folder.")
    if is_notebook_name(path.name):
        entry = Entry((path.name,), partial(_read_file, path))
        return [Group(matcher.naming.from_ancestors(outwards, stem_of(path.name)), str(path), [entry])]
    if path.suffix.lower() == ".zip":
        archive = Archive(path)
        entries = [Entry(_parts(name), partial(_member, archive, name)) for name in archive.names]
        shares = _Shares(_wrapping(entries))
        entries = [entry for entry in entries if shares.have_room(entry)]
        return by_student(entries, path, outwards, matcher, [], tell)
    raise UserError(f"{path} is not a notebook, a zip file or a folder.")


def _outwards(path: Path) -> list[str]:
    """Names from the file's own outwards, as far as the user wrote them."""
    own = stem_of(path.name) if path.is_file() else path.name
    return [own, *(parent.name for parent in path.parents if parent.name)]


class _Shares:
    """Keeps one student from making a class too long: of each folder no more files than one student may have.

    ``depth`` is the number of folders that all files have in common. One file more than `MAX_FILES` has room, so that
    it shows that there are more; notebooks have a share of their own, or other files could take their place.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._counts: Counter[tuple[str, bool]] = Counter()

    def have_room(self, entry: Entry) -> bool:
        if len(entry.parts) <= self.depth + 1:  # a file beside the students' folders
            return True
        share = entry.parts[self.depth], entry.is_work
        self._counts[share] += 1
        return self._counts[share] <= MAX_FILES + 1


def _wrapping(entries: Sequence[Entry]) -> int:
    """How many folders all the files lie in."""
    folders = [entry.parts[:-1] for entry in entries] or [()]
    first, last = min(folders), max(folders)
    return next((depth for depth, pair in enumerate(zip(first, last)) if pair[0] != pair[1]), len(first))


def _walk(root: Path, ignore: Path | None) -> tuple[list[Entry], list[str]]:
    """Regular files below a folder, and the names of its empty subfolders. Links are not followed: what they lead to
    may be another student's work."""
    entries: list[Entry] = []
    empty = []
    shares = _Shares(0)
    ignored = os.path.realpath(ignore) if ignore else None
    for folder, subfolders, files in os.walk(root):
        place = Path(folder)
        subfolders[:] = sorted(
            name for name in subfolders if name not in JUNK and os.path.realpath(place / name) != ignored
        )
        parts = place.relative_to(root).parts
        if len(parts) == 1 and not subfolders and not files:
            empty.append(parts[0])
        if len(parts) == shares.depth and len(subfolders) == 1 and not files:
            shares.depth += 1
        others = 0
        for name in sorted(files):
            file = place / name
            entry = Entry((*parts, name), _refuse_link if file.is_symlink() else partial(_read_file, file))
            tells = entry.is_work or name == METADATA or from_lms(entry.stem) is not None
            others += not tells
            if (tells or others <= MAX_OTHERS) and shares.have_room(entry):
                entries.append(entry)
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


def _chosen(group: Group, matcher: Matcher) -> Submission:
    """`_choose`, and whatever goes wrong there is this student's problem."""
    try:
        found = _choose(group, matcher)
    except Exception as error:
        found = Submission("", group.path, problem=_why_unread(error))
    return replace(found, notes=(*group.notes, *found.notes))


def _choose(group: Group, matcher: Matcher) -> Submission:
    """The one notebook of a student that holds the answers."""
    named = [entry for entry in group.entries if matcher.name in entry.parts[:-1]]
    entries = named or group.entries
    budget = _Budget()
    best: tuple[tuple[int, int, bool, int, int], Entry, Notebook, list[str]] | None = None
    problems: list[str] = []
    count = 0
    notes: list[str] = []
    for order, (entry, now) in enumerate(_notebooks(entries, budget, problems, notes)):
        try:
            notebook, overlooked = recovered(read_notebook(budget.read(now, MAX_BYTES)), matcher.answers)
            problem = matcher.problem(notebook)
        except Exception as error:
            problem = _why_unread(error)
        if problem:
            problems.append(problem)
            continue
        count += 1
        written = len(filled(notebook.cells, matcher.answers))  # so that the untouched notebook beside it is not taken
        score = (written, matcher.found(notebook), matcher.naming.is_generic(entry.stem), -len(entry.parts), -order)
        if best is None or score > best[0]:  # only one of them is kept: all may not fit in memory
            best = score, entry, notebook, overlooked
    if best is None:
        return Submission("", group.path, problem=problems[0] if problems else _nothing(group.entries))
    _, entry, notebook, overlooked = best
    notes += overlooked
    if count > 1:
        shown = clean_line("/".join(entry.parts), 120)
        notes.insert(0, f"The submission holds {count} such notebooks; {shown} was graded.")
    return Submission("", group.path, notebook, "", tuple(notes), lambda: entry.read(MAX_BYTES))


def _notebooks(
    entries: Sequence[Entry], budget: _Budget, problems: list[str], notes: list[str]
) -> Iterator[tuple[Entry, Entry]]:
    """The notebooks among a student's files, and then those in zip files; at most `MAX_NOTEBOOKS`.

    Each twice: to keep, which reads everything again when it is needed, and to read now. ``notes`` hear what is not
    looked at.
    """
    left = MAX_NOTEBOOKS
    loose = [entry for entry in entries if entry.is_notebook]
    zips = [entry for entry in entries if entry.is_zip]
    if len(zips) > MAX_ZIPS:
        notes.append(f"Only {MAX_ZIPS} of its {len(zips)} zip files were looked at.")
    if len(loose) > MAX_NOTEBOOKS:
        notes.append(f"Only {MAX_NOTEBOOKS} of its {len(loose)} notebooks were looked at.")
    yield from ((entry, entry) for entry in loose[:left])
    left -= len(loose)
    for packed in zips[:MAX_ZIPS]:
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
    found = [name for name in names if is_notebook_name(name)]
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

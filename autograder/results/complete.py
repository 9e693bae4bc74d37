"""Has anything changed since the results of a folder were made? Answered in a moment, before torch is imported.

A run that ends well leaves a stamp: a digest of all that its results depend on, and one of all that it wrote. While
both are true the same command has nothing to do. Otherwise it is an ordinary run, which the cache makes quick.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.errors import UserError
from autograder.files import write_atomically
from autograder.results.model import INTERNAL, INVALID, Batch
from autograder.results.store import Store
from autograder.sets import trusted_files

STAMP = ".unchanged.json"
WRITTEN = ("run.json", "summary.csv", "summary.json", "results", "html")
MAX_CONTENT = 2**30
LIBRARIES = ("torch", "numpy", "ipykernel", "ipython")


def known_batch(out: Path, key: str) -> Batch | None:
    """The batch that lies in the folder ``out``, if it is what a command with this `request_digest` would write."""
    try:
        stamp = json.loads((out / STAMP).read_text(encoding="utf-8"))
        if stamp["request_digest"] != key or stamp["written"] != _written(out):
            return None
        mine = {*stamp["students"]}
        everything = Store(out, create=False).results()
    except (OSError, ValueError, KeyError, TypeError, UserError):
        return None
    results = [result for result in everything if result.student in mine]
    kept = [result.student for result in everything if result.student not in mine]
    reused = sum(result.status != INVALID for result in results)
    return Batch(results, stamp["seed"], stamp["sandbox"], reused, kept)


def remember(batch: Batch, out: Path, key: str) -> None:
    """Leave the stamp of a run that is complete, with everything written."""
    if any(result.status == INTERNAL for result in batch.results):
        return
    students = [result.student for result in batch.results]
    stamp = {
        "request_digest": key, "written": _written(out), "seed": batch.seed, "sandbox": batch.sandbox,
        "students": students,
    }
    write_atomically(out / STAMP, json.dumps(stamp), private=True)


def request_digest(options: Mapping[str, Any], course: Path, paths: Iterable[str], out: Path) -> str:
    """A digest of the submissions, the problem sets, this program and its libraries, and the options.

    To be taken before grading, so that what changes meanwhile counts as changed.
    """
    program = Path(__file__).resolve().parents[2]
    found = hashlib.sha256()
    facts = [str(course), sorted(options.items()), platform.python_version(), platform.machine()]
    facts += [importlib.metadata.version(name) for name in LIBRARIES]
    found.update(json.dumps(facts).encode())
    sets = [course / "course.toml", *trusted_files(course)]
    for path in (*sets, program / "autograder", program / "dgm", *map(Path, paths)):
        found.update(f"\0{path}\0{os.path.realpath(path)}\0".encode(errors="surrogateescape"))
        for line in _lines(path, os.path.realpath(out)):
            found.update(line)
    return found.hexdigest()


def _written(out: Path) -> str:
    found = hashlib.sha256()
    for name in WRITTEN:
        for line in _lines(out / name):
            found.update(line)
    return found.hexdigest()


def _lines(path: Path, ignored: str = "") -> Iterator[bytes]:
    """Name and content of a file, or of everything below a folder."""
    if not path.is_dir():
        yield _line(path)
        return
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(
            name for name in subfolders
            if name != "__pycache__" and os.path.realpath(os.path.join(folder, name)) != ignored
        )
        yield f"{os.path.relpath(folder, path)}\0".encode(errors="surrogateescape")
        for name in sorted(files):
            yield _line(Path(folder, name))


def _line(path: Path) -> bytes:
    try:
        # in a folder of submissions this may be anything: a pipe that nobody writes to, a link to an endless device
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                content = "no file"
            elif status.st_size > MAX_CONTENT:  # more than is ever read of one
                content = f"{status.st_size} {status.st_mtime_ns}"
            else:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        content = f"error {error.errno}"
    return f"{path.name}\0{content}\0".encode(errors="surrogateescape")

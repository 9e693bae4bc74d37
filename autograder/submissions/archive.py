"""Reads zip archives. Nothing is ever written to disk, and nothing is read without a cap."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

MAX_ENTRIES = 20_000  # in a student's archive
MAX_CLASS_ENTRIES = 2_000_000  # in a file of a whole class, which one student must not be able to make too long
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Python expands the others as a whole, whatever their size
MAX_MEMBER = 100 * 2**20
MAX_RATIO = 300  # JSON text compresses to a tenth or so; repeated bytes to a thousandth
RATIO_FROM = 2**20
MAX_NAME = 255  # bytes, as in every file system
MAX_PATH = 4096
HEADER = b"PK\x01\x02"  # of an entry in the list of contents


class ArchiveProblem(ValueError):
    """Why this archive is not read: one sentence."""


class Archive:
    """A zip archive, in memory or a file: ``names`` of its files, and ``read``.

    An entry that is not right is a problem of whoever reads it; the rest of the archive may be other students' work.
    """

    def __init__(self, data: bytes | Path) -> None:
        most = MAX_ENTRIES if isinstance(data, bytes) else MAX_CLASS_ENTRIES
        try:
            # counted before it is parsed, because an entry of fifty bytes becomes a thousand in memory
            if isinstance(data, bytes) and data.count(HEADER) > 2 * most:
                raise ArchiveProblem(f"The zip file has more than {most} entries.")
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
            infos = self._zip.infolist()
        except ArchiveProblem:
            raise
        except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError):
            raise ArchiveProblem("The zip file is damaged or not a zip file.") from None
        if len(infos) > most:
            raise ArchiveProblem(f"The zip file has more than {most} entries.")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._problems: dict[str, str] = {}
        for info in infos:
            if info.filename.endswith("/"):  # `is_dir` fails where there is no name
                continue
            name = info.filename if len(info.filename) <= MAX_PATH else info.filename[:MAX_PATH]
            problem = "The zip file has the same name twice." if name in self._infos else _problem(info)
            if problem:
                self._problems[name] = problem
            self._infos[name] = info

    @property
    def names(self) -> list[str]:
        return sorted(self._infos)

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """One file's bytes. Raises `ArchiveProblem`; the sizes that the archive claims are not believed."""
        info = self._infos[name]
        if name in self._problems:
            raise ArchiveProblem(self._problems[name])
        if info.compress_type not in METHODS:
            raise ArchiveProblem("The zip file is compressed in an unusual way; pack it as an ordinary .zip.")
        if info.flag_bits & 0x1:
            raise ArchiveProblem("The zip file is encrypted; send it without a password.")
        if info.file_size > limit:
            raise ArchiveProblem("The zip file's content is too large.")
        if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise ArchiveProblem("The zip file's content is compressed suspiciously well (a zip bomb?).")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
            raise ArchiveProblem("The zip file is damaged; pack it again.") from None
        if len(data) > limit:
            raise ArchiveProblem("The zip file's content is too large.")
        return data


def _problem(info: zipfile.ZipInfo) -> str:
    """What is wrong with an entry's name or kind, or ""."""
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if ".." in path.parts:
        return "The zip file holds a path with '..', which could reach outside; pack it again."
    if path.is_absolute() or (len(name) > 1 and name[1] == ":") or "\0" in name:
        return "The zip file holds an absolute path; pack it again."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "The zip file holds a symbolic link; pack the file itself."
    if len(name) > MAX_PATH or any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in path.parts):
        return f"The zip file holds a name of more than {MAX_NAME} characters; pack it again."
    return ""

"""Reads zip archives. Nothing is ever written to disk, and nothing is read without a cap."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

MAX_ENTRIES = 20_000
MAX_MEMBER = 100 * 2**20
MAX_TOTAL = 8 * 2**30  # read in all, one file after another
MAX_RATIO = 300  # JSON text compresses to a tenth or so; repeated bytes to a thousandth
RATIO_FROM = 2**20


class ArchiveProblem(ValueError):
    """Why this archive is not read: one sentence."""


class Archive:
    """A zip archive, in memory or a file: ``names`` of its files, and ``read``."""

    def __init__(self, data: bytes | Path) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
            infos = self._zip.infolist()
        except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError):
            raise ArchiveProblem("The zip file is damaged or not a zip file.") from None
        if len(infos) > MAX_ENTRIES:
            raise ArchiveProblem(f"The zip file has more than {MAX_ENTRIES} entries.")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            _check_name(info)
            if not info.is_dir():
                if info.filename in self._infos:
                    raise ArchiveProblem("The zip file has the same name twice.")
                self._infos[info.filename] = info
        self._left = MAX_TOTAL

    @property
    def names(self) -> list[str]:
        return sorted(self._infos)

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """One file's bytes. Raises `ArchiveProblem`; the sizes that the archive claims are not believed."""
        info = self._infos[name]
        if info.flag_bits & 0x1:
            raise ArchiveProblem("The zip file is encrypted; send it without a password.")
        limit = min(limit, self._left)
        if info.file_size > limit:
            raise ArchiveProblem("The zip file's content is too large.")
        if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise ArchiveProblem("The zip file's content is compressed suspiciously well (a zip bomb?).")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
            raise ArchiveProblem("The zip file is damaged, or compressed in a way that cannot be read.") from None
        except Exception:  # lzma and bz2 raise errors of their own on damaged data
            raise ArchiveProblem("The zip file is damaged.") from None
        if len(data) > limit:
            raise ArchiveProblem("The zip file's content is too large.")
        self._left -= len(data)
        return data


def _check_name(info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise ArchiveProblem("The zip file holds a path with '..', which could reach outside; pack it again.")
    if path.is_absolute() or (len(name) > 1 and name[1] == ":") or "\0" in name:
        raise ArchiveProblem("The zip file holds an absolute path; pack it again.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise ArchiveProblem("The zip file holds a symbolic link; pack the file itself.")

"""Fetch a public file once: look in ``$DGM_DATA``, then in the cache, then try the mirrors; always check it.

The cache is ``$DGM_CACHE`` or ``~/.cache/dgm``. A download goes to ``<name>.part`` and is renamed only when its size
and checksum are right, so a file in the cache is whole; an interrupted download continues where it stopped. With
``DGM_OFFLINE=1`` or ``DGM_GRADING=1`` no mirror is asked.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

_BLOCK = 1 << 16
_TIMEOUT = 20.0  # seconds without a byte before a mirror is given up


class DataUnavailable(RuntimeError):
    """A data set could be neither found nor downloaded. The message names an offline substitute."""


@dataclass(frozen=True)
class RemoteFile:
    """A file with the places it comes from.

    Attributes:
        name: Its name in the cache and in ``$DGM_DATA``, where ``<folder>/name`` and ``name`` are looked for, and the
            ``aliases``; a name ending in .gz is also found unpacked, if ``content_md5`` is given.
        size: Bytes.
        md5: Of the file.
        urls: Where it is, in the order in which they are tried.
        folder: Where it lies in the cache.
        content_md5: Of the unpacked content, so that repacked copies are accepted too.
        aliases: Other names that it may have in ``$DGM_DATA``.
    """

    name: str
    size: int
    md5: str
    urls: tuple[str, ...]
    folder: str = ""
    content_md5: str | None = None
    aliases: tuple[str, ...] = ()


def cache_folder() -> Path:
    """``$DGM_CACHE``, or ``~/.cache/dgm``."""
    return Path(os.environ.get("DGM_CACHE") or Path.home() / ".cache" / "dgm")


def fetch(file: RemoteFile, substitute: str) -> Path:
    """Path of a verified copy of ``file``, downloaded if need be.

    Args:
        file: Which one.
        substitute: The offline replacement to name in the error, e.g. ``"dgm.data.digits()"``.

    Raises:
        DataUnavailable: It is nowhere; with one line for every place tried.
    """
    tried: list[str] = []
    own = os.environ.get("DGM_DATA")
    if own:
        found = _find_own(Path(own).expanduser(), file, tried)
        if found is not None:
            return found
    target = cache_folder() / file.folder / file.name
    if target.is_file():
        problem = _problem(target, file)
        if problem is None:
            return target
        tried.append(f"{target}: {problem}; discarded")
        target.unlink()
    offline = next((name for name in ("DGM_OFFLINE", "DGM_GRADING") if os.environ.get(name) == "1"), None)
    if offline:
        tried.append(f"mirrors not asked, because {offline}=1")
    else:
        for url in file.urls:
            try:
                _download(url, target, file)
                return target
            except (OSError, ValueError, HTTPException) as error:  # URLError and time-outs are OSErrors
                tried.append(f"{url}: {_reason(error)}")
    places = "\n".join(f"  - {line}" for line in tried)
    raise DataUnavailable(
        f"{file.name} is not available:\n{places}\n"
        f"Work offline with {substitute}, or put the file in a folder and set DGM_DATA to it."
    )


def read_content(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip (told by its first bytes, not by its name)."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if packed:
        with gzip.open(path, "rb") as stream:
            return stream.read()
    return path.read_bytes()


def _find_own(own: Path, file: RemoteFile, tried: list[str]) -> Path | None:
    names = [file.name, *file.aliases]
    if file.content_md5 and file.name.endswith(".gz"):
        names.append(file.name[:-3])
    folders = [own / file.folder, own] if file.folder else [own]
    for path in (folder / name for folder in folders for name in names):
        if path.is_file():
            problem = _problem(path, file)
            if problem is None:
                return path
            tried.append(f"{path}: {problem}")
    if not tried:
        tried.append(f"{own} (DGM_DATA): no {' or '.join(names)}")
    return None


def _problem(path: Path, file: RemoteFile) -> str | None:
    """What is wrong with a local copy, or None."""
    found = _md5(path)
    if found == file.md5:
        return None
    if file.content_md5:
        try:
            found = hashlib.md5(read_content(path)).hexdigest()
        except (OSError, EOFError) as error:
            return f"damaged gzip file ({error})"
        if found == file.content_md5:
            return None
    return f"wrong checksum (MD5 {found}, expected {file.content_md5 or file.md5})"


def _md5(path: Path) -> str:
    digest = hashlib.md5()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(url: str, target: Path, file: RemoteFile) -> None:
    """Download to ``<target>.part`` (continuing one that is there), verify, rename.

    Raises:
        OSError: The mirror cannot be reached, or the file cannot be written.
        ValueError: What came is not the file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have < file.size:
        request = urllib.request.Request(url, headers={"User-Agent": "dgm"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            resumed = have > 0 and getattr(response, "status", None) == 206
            _copy(response, part, have if resumed else 0, file)
    if _md5(part) != file.md5:
        found = _md5(part)
        part.unlink()
        raise ValueError(f"wrong checksum (MD5 {found}, expected {file.md5}); discarded")
    os.replace(part, target)


def _copy(response: object, part: Path, have: int, file: RemoteFile) -> None:
    bar = _Bar(file.name, file.size)
    with part.open("ab" if have else "wb") as stream:
        while block := response.read(_BLOCK):  # type: ignore[attr-defined]
            have += len(block)
            if have > file.size:
                stream.close()
                part.unlink()
                raise ValueError(f"longer than the expected {file.size} bytes; discarded")
            stream.write(block)
            bar.show(have)
    bar.close()
    if have < file.size:
        raise ValueError(f"broke off after {have} of {file.size} bytes; run again to continue")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


class _Bar:
    """One line: name, bar, megabytes, rate; redrawn 4 times a second, nothing for downloads below half a second."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size
        self.start = self.last = time.perf_counter()
        self.shown = False

    def show(self, have: int) -> None:
        now = time.perf_counter()
        if now - self.last < (0.25 if self.shown else 0.5):
            return
        self.last, self.shown = now, True
        filled = round(24 * have / self.size)
        rate = have / (now - self.start) / 1e6
        bar = "█" * filled + "·" * (24 - filled)
        sys.stdout.write(f"\r{self.name} {bar} {have / 1e6:.1f}/{self.size / 1e6:.1f} MB  {rate:.1f} MB/s ")
        sys.stdout.flush()

    def close(self) -> None:
        if self.shown:
            sys.stdout.write("\n")

"""Watches the memory, processes and scratch files of every kernel of a pool, ten times a second."""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import stat
import threading
import time
from dataclasses import dataclass

from autograder.kernel import tree
from autograder.kernel.handle import ProcessHandle
from autograder.kernel.types import Limits

INTERVAL = 0.1
MAX_FILES = 16_000  # in a scratch directory, as in that of namespaces


@dataclass
class _Watched:
    limits: Limits
    resident: int = -1  # of the fresh kernel, mostly shared with the zygote
    exact: int = 0  # its share of that memory
    next_disk_check: float = 0.0


class Watchdog:
    """One thread for all kernels of a pool."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[ProcessHandle, _Watched] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, handle: ProcessHandle, limits: Limits) -> None:
        """Start watching."""
        with self._lock:
            self._watched[handle] = _Watched(limits)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kernel-watchdog", daemon=True)
                self._thread.start()

    def remove(self, handle: ProcessHandle) -> None:
        """Stop watching; after this returns the handle is not touched any more."""
        with self._lock:
            self._watched.pop(handle, None)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            with self._lock:
                if not self._watched:
                    continue
                for handle, watched in self._watched.items():
                    try:
                        _check(handle, watched)
                    except Exception:  # it ended while we looked; and whatever it did, the others are watched
                        continue


def _check(handle: ProcessHandle, watched: _Watched) -> None:
    if handle.reason or not handle.alive():
        return
    below = tree.descendants_quickly(handle.init_pid)
    if not below:
        return
    kernels = below[:1]  # the first child of init
    limits = watched.limits
    tasks = sum(_threads(pid) for pid in below)
    if tasks > limits.processes + 16:
        _kill(handle, below, f"Your code started more than {limits.processes} processes or threads.")
        return
    if watched.resident < 0:
        watched.resident, watched.exact = _resident(kernels[0]), _own(kernels[0])
    limit = limits.memory_mb << 20
    # quick over-estimate first; the exact figure costs a walk through the page tables
    if sum(max(0, _resident(pid) - watched.resident) for pid in below) > limit:
        used = {pid: _own(pid) for pid in below}
        if sum(used.values()) - watched.exact > limit:
            _over_memory(handle, kernels, used, limits.memory_mb)
            return
    if handle.scratch is not None and time.monotonic() > watched.next_disk_check:
        size, files = _disk_usage(str(handle.scratch))
        watched.next_disk_check = time.monotonic() + 0.5
        if files > MAX_FILES:
            _kill(handle, below, f"Your code made more than {MAX_FILES} files.")
        elif size + _deleted(below) > limits.scratch_mb << 20:
            _kill(handle, below, f"Your code wrote more than {limits.scratch_mb} MB of files.")


def _over_memory(handle: ProcessHandle, kernels: list[int], used: dict[int, int], limit_mb: int) -> None:
    """Spare the kernel when a probe or a subprocess is what grew."""
    others = {pid: size for pid, size in used.items() if pid not in kernels}
    own = sum(size for pid, size in used.items() if pid in kernels)
    if others and own <= (limit_mb << 20) // 2:
        handle.memory_kills += 1
        _signal_all(others)
    else:
        _kill(handle, list(used), f"Your code used more than {limit_mb} MB of memory.", memory=True)


def _kill(handle: ProcessHandle, pids: list[int], reason: str, *, memory: bool = False) -> None:
    handle.reason = reason
    if memory:
        handle.memory_kills += 1
    _signal_all(pids)


def _signal_all(pids: object) -> None:
    for pid in pids:  # type: ignore[attr-defined]
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue


def _threads(pid: int) -> int:
    return _status(pid).get("Threads", 0)


def _resident(pid: int) -> int:
    status = _status(pid)
    return (status.get("RssAnon", 0) + status.get("RssShmem", 0)) << 10


def _status(pid: int) -> dict[str, int]:
    found = {}
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name in ("Threads", "RssAnon", "RssShmem"):
                    found[name] = int(value.split()[0])
    except OSError:
        pass
    return found


def _own(pid: int) -> int:
    """Memory of a process with shared pages divided among their users; resident memory where that is hidden."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss_Anon:"):
                    anonymous = int(line.split()[1]) << 10
                if line.startswith("Pss_Shmem:"):
                    return anonymous + (int(line.split()[1]) << 10)
    except OSError:
        pass
    return _resident(pid)


def _disk_usage(root: str) -> tuple[int, int]:
    """Bytes and number of files below a directory; stops counting at too many."""
    size = files = 0
    todo = [root]
    while todo and files <= MAX_FILES:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    files += 1
                    if files > MAX_FILES:
                        break
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return size, files


def _deleted(pids: list[int]) -> int:
    """Bytes of files without a name that these processes hold open."""
    found: dict[tuple[int, int], int] = {}
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/fd/*"):
            with contextlib.suppress(OSError):  # closed meanwhile
                status = os.stat(path)
                if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                    found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(found.values())

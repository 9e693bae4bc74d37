"""Watches the memory, processes, processors and scratch files of every kernel of a pool, ten times a second."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.kernel import tree
from autograder.kernel.handle import ProcessHandle
from autograder.kernel.types import Limits

INTERVAL, SLOW_INTERVAL = 0.1, 0.5  # the second for what takes longer to find out
REST = 4  # times as long as such a thing took, before it is done again
STOP_SECONDS = 30  # for a look that is under way
MAX_FILES = 16_000  # in a scratch directory, as in that of namespaces
MAX_CHANNELS = 2_000  # ends of sockets and pipes: each may hold much of Linux's own memory
MAX_HIDDEN = 3
SHARED = 4  # times the memory limit that processes may have mapped together, what they share counted for each
MIN_BUSY = 16  # threads that may run at once however few processors there are
KEPT = 0.9  # of their mean number, each time it is looked at
CLOSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # rather than removed meanwhile
COUNTED = ("Threads", "RssAnon", "RssShmem", "VmPTE")

Status = dict[str, int]


class Watchdog:
    """A thread for each kernel of a pool: however long it takes to look at one, the others are watched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards: dict[ProcessHandle, _Guard] = {}

    def add(self, handle: ProcessHandle, limits: Limits) -> None:
        """Start watching a fresh kernel, in which no student code has run yet."""
        guard = _Guard(handle, _fresh(handle, limits))
        with self._lock:
            self._guards[handle] = guard
        guard.start()

    def remove(self, handle: ProcessHandle) -> None:
        """Stop watching; after this returns the handle is not touched any more."""
        with self._lock:
            guard = self._guards.pop(handle, None)
        if guard is not None:
            guard.stop()

    def watches(self, handle: ProcessHandle) -> bool:
        """Whether a kernel is being watched."""
        with self._lock:
            guard = self._guards.get(handle)
        return guard is not None and guard.is_alive()

    def close(self) -> None:
        """End all threads."""
        with self._lock:
            handles = list(self._guards)
        for handle in handles:
            self.remove(handle)


@dataclass
class _Watched:
    limits: Limits
    resident: int  # of the fresh kernel, mostly shared with the zygote
    exact: int  # its share of that memory
    visible: bool  # whether we may see what it has open: not everywhere without a capability
    hidden: int = 0  # how often, since then, a process did not show it
    busy: float = 0.0  # threads that run or want to, on average over some seconds
    next_exact: float = 0.0
    next_slow: float = 0.0


class _Guard(threading.Thread):
    def __init__(self, handle: ProcessHandle, watched: _Watched) -> None:
        super().__init__(name="kernel-watchdog", daemon=True)
        self._handle, self._watched = handle, watched
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(INTERVAL):
            try:
                _check(self._handle, self._watched)
            except Exception:  # it ended while we looked; and whatever it did, it is looked at again
                continue

    def stop(self) -> None:
        """Returns when it has stopped."""
        self._end.set()
        self.join(STOP_SECONDS)


def _fresh(handle: ProcessHandle, limits: Limits) -> _Watched:
    kernel = next(iter(tree.children_of(handle.init_pid)), 0)
    return _Watched(limits, _resident(_status(kernel)), _own(kernel), _may_see(kernel))


def _check(handle: ProcessHandle, watched: _Watched) -> None:
    if handle.reason or not handle.alive():
        return
    below = {pid: _status(pid) for pid in tree.descendants_quickly(handle.init_pid)}
    if not below:
        return
    limits = watched.limits
    tasks = sum(status.get("Threads", 0) for status in below.values())
    if tasks > limits.processes + 16:
        _kill(handle, f"Your code started more than {limits.processes} processes or threads.")
        return
    _check_memory(handle, watched, below)
    if time.monotonic() > watched.next_slow and not handle.reason:
        started = time.monotonic()
        _check_slowly(handle, watched, list(below), tasks)
        watched.next_slow = time.monotonic() + max(SLOW_INTERVAL, REST * (time.monotonic() - started))


def _check_memory(handle: ProcessHandle, watched: _Watched, below: Mapping[int, Status]) -> None:
    limit = watched.limits.memory_mb << 20
    kernel = next(iter(below))  # the first child of init
    # quick over-estimate first; the exact figure costs a walk through the page tables
    used = {pid: max(0, _resident(status) - watched.resident) for pid, status in below.items()}
    if sum(used.values()) > SHARED * limit:  # that walk would take seconds, and what is shared can cease to be at once
        _over_memory(handle, kernel, used, watched.limits.memory_mb)
    elif sum(used.values()) > limit and time.monotonic() > watched.next_exact:
        started = time.monotonic()
        used = {pid: _own(pid) for pid in below}
        watched.next_exact = time.monotonic() + REST * (time.monotonic() - started)
        if sum(used.values()) - watched.exact > limit:
            _over_memory(handle, kernel, used, watched.limits.memory_mb)


def _check_slowly(handle: ProcessHandle, watched: _Watched, below: list[int], tasks: int) -> None:
    limits = watched.limits
    allowed = max(MIN_BUSY, len(os.sched_getaffinity(0)) + 4)
    running = sum(map(_running, below)) if tasks > allowed else 0
    watched.busy = KEPT * watched.busy + (1 - KEPT) * running
    if watched.busy > allowed:
        _kill(handle, f"Your code kept more than {allowed} processes or threads busy at once.")
        return
    opened = _Opened(handle.scratch)
    for pid in below:
        opened.look_at(pid)
    watched.hidden += opened.hidden and watched.visible
    if watched.hidden >= MAX_HIDDEN:
        _kill(handle, "Your code hides what it has open.")
    elif len(opened.channels) > MAX_CHANNELS:
        _kill(handle, f"Your code has more than {MAX_CHANNELS} ends of sockets and pipes.")
    elif handle.scratch is not None:
        size, files, closed = _disk_usage(str(handle.scratch))
        if closed:
            _kill(handle, "Your code made folders that cannot be looked into.")
        elif files > MAX_FILES:
            _kill(handle, f"Your code made more than {MAX_FILES} files.")
        elif size + opened.nameless(limits.file_mb << 20) > limits.scratch_mb << 20:
            _kill(handle, f"Your code wrote more than {limits.scratch_mb} MB of files.")


def _over_memory(handle: ProcessHandle, kernel: int, used: Mapping[int, int], limit_mb: int) -> None:
    """Spare the kernel when a probe or a subprocess is what grew."""
    if len(used) > 1 and used.get(kernel, 0) <= (limit_mb << 20) // 2:
        handle.memory_kills += 1
        _signal_all(handle, spared=kernel)
    else:
        handle.memory_kills += 1
        _kill(handle, f"Your code used more than {limit_mb} MB of memory.")


def _kill(handle: ProcessHandle, reason: str) -> None:
    handle.reason = reason
    _signal_all(handle)


def _signal_all(handle: ProcessHandle, spared: int = 0) -> None:
    """Look once more who is there: looking before took time, and numbers are given away again."""
    for pid in tree.descendants_quickly(handle.init_pid):
        if pid != spared:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _running(pid: int) -> int:
    """Threads that run or wait for a processor."""
    found = 0
    for thread in _listed(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", "rb") as file:
                found += file.read().rpartition(b")")[2].split()[0] == b"R"
        except (OSError, IndexError):
            continue
    return found


def _resident(status: Status) -> int:
    """Memory, page tables included: those of memory that was only ever read count for nothing else."""
    return (status.get("RssAnon", 0) + status.get("RssShmem", 0) + status.get("VmPTE", 0)) << 10


def _status(pid: int) -> Status:
    found = _status_of(pid)
    if "RssAnon" not in found:  # its first thread has ended; the others still have the memory
        found |= _status_of(_living_thread(pid))
    return found


def _status_of(thread: int) -> Status:
    found = {}
    try:
        with open(f"/proc/{thread}/status") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name in COUNTED:
                    found[name] = int(value.split()[0])
    except OSError:
        pass
    return found


def _living_thread(pid: int) -> int:
    """The first thread of a process that has not ended: /proc shows neither memory nor files of one that has."""
    threads = (int(name) for name in _listed(f"/proc/{pid}/task"))
    return next((thread for thread in threads if "RssAnon" in _status_of(thread)), pid)


def _own(pid: int) -> int:
    """Memory of a process with shared pages divided among their users; resident memory where that is hidden."""
    thread = _living_thread(pid)
    try:
        with open(f"/proc/{thread}/smaps_rollup") as file:
            sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in file if line.startswith("Pss_")}
        return sizes["Pss_Anon"] + sizes["Pss_Shmem"] + (_status_of(thread).get("VmPTE", 0) << 10)
    except (OSError, KeyError):
        return _resident(_status(pid))


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _may_see(pid: int) -> bool:
    try:
        return bool(os.readlink(f"/proc/{pid}/fd/0"))
    except OSError:
        return False


class _Opened:
    """What processes have open or mapped: sockets and pipes, and files that have no name any more."""

    def __init__(self, scratch: Path | None) -> None:
        self.channels: set[str] = set()
        self.hidden = False
        self._scratch = None if scratch is None else f"{scratch}/"
        self._sizes: dict[tuple[int, int], int] = {}  # of files by device and number
        self._mapped: set[str] = set()  # files by their line in a list of mappings, where nothing else tells of them

    def nameless(self, most: int) -> int:
        """Bytes of files without a name; ``most`` is taken for those whose size cannot be found out."""
        return sum(self._sizes.values()) + most * len(self._mapped)

    def look_at(self, pid: int) -> None:
        thread = _living_thread(pid)
        try:
            names = os.listdir(f"/proc/{thread}/fd")
        except PermissionError:
            self.hidden = self.hidden or "RssAnon" in _status_of(thread)  # otherwise it has ended
            return
        except OSError:
            return
        for name in names:
            if len(self.channels) <= MAX_CHANNELS:
                self._look_at_file(f"/proc/{thread}/fd/{name}")
        if self._scratch is not None:
            self._look_at_mappings(thread, self._scratch)

    def _look_at_file(self, path: str) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile
            target = os.readlink(path)
            if target.startswith(("socket:", "pipe:")):
                self.channels.add(target)
            elif target.endswith(" (deleted)"):
                self._count(path)

    def _look_at_mappings(self, thread: int, scratch: str) -> None:
        with contextlib.suppress(OSError), open(f"/proc/{thread}/maps", errors="replace") as file:
            for line in file:
                if line.endswith(" (deleted)\n") and scratch in line:
                    place, _, _, device, number, *_ = line.split()
                    start, end = (int(part, 16) for part in place.split("-"))
                    try:
                        self._count(f"/proc/{thread}/map_files/{start:x}-{end:x}")
                    except OSError:  # only root may look there
                        self._mapped.add(f"{device} {number}")

    def _count(self, path: str) -> None:
        status = os.stat(path)
        if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
            self._sizes[status.st_dev, status.st_ino] = status.st_blocks * 512


def _disk_usage(root: str) -> tuple[int, int, bool]:
    """Bytes and number of files below a directory; stops counting at too many. And whether a part of it is closed."""
    size = files = 0
    closed = False
    todo = [root]
    while todo and files <= MAX_FILES:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    files += 1
                    if files > MAX_FILES:
                        break
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(entry.path)
                        else:
                            size += entry.stat(follow_symlinks=False).st_blocks * 512
                    except OSError as error:
                        closed = closed or error.errno in CLOSED
        except OSError as error:
            closed = closed or error.errno in CLOSED
    return size, files, closed

"""Resource limits, and giving up identity and capabilities. Shared by every level."""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Sequence

from autograder.kernel.sandbox import linux

CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN = 6, 7, 21
NEIGHBOURS = 16  # kernels at once that may use all their processes where they share a user id
FILES, MANY_FILES = 1024, 1 << 16  # open ones, of a kernel's process and of the grader's


def can_change_identity() -> bool:
    """Whether this process may become another user."""
    return linux.has_capability(CAP_SETUID) and linux.has_capability(CAP_SETGID)


def pick_uid() -> int | None:
    """A user id of our own for one kernel, so that process counts do not mix; None where none is mapped."""
    with open("/proc/self/uid_map") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    inside, _, size = max(ranges, key=lambda entry: entry[2])
    top = inside + size - 1
    if top > 2_000_000_000:  # not a container with few ids: far away from real users and from subordinate ids
        return random.SystemRandom().randrange(1_800_000_000, 1_900_000_000)
    if top >= 60_000:
        return random.SystemRandom().randrange(30_000, min(top, 65_000))
    return top if top > 0 else None


def allow_many_files() -> None:
    """As many open files for this process, and those that it starts, as it may have.

    Linux counts files that are on their way through sockets by user, and refuses to send one when there are more than
    the *sender* may have open. Where kernels have our user id, student code could keep so many under way that no
    further kernel can start, were our limit not far above a kernel's.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def set_limits(limits: dict[str, float], *, fresh_user: bool, data_mb: int | None) -> None:
    """Apply rlimits. ``fresh_user``: nobody else's processes are counted against this user.

    Otherwise there has to be room for what other kernels of this user start, or one of them could keep the others from
    forking; then the watchdog is who ends a kernel with too many.
    """
    processes = int(limits["processes"]) + 8
    _set(resource.RLIMIT_NPROC, processes if fresh_user else count_tasks(os.getuid()) + NEIGHBOURS * processes)
    _set(resource.RLIMIT_FSIZE, int(limits["file_mb"]) << 20)
    _set(resource.RLIMIT_CORE, 1)  # not 0, with which a program of the machine that takes in core files would still run
    for kind in (resource.RLIMIT_NICE, resource.RLIMIT_RTPRIO):  # whatever this user may do elsewhere
        _set(kind, 0)
    _set(resource.RLIMIT_SIGPENDING, 4096)
    _set(resource.RLIMIT_CPU, int(limits["total_seconds"] * max(1, limits["threads"])) + 5)
    _set(resource.RLIMIT_NOFILE, FILES)
    _set(resource.RLIMIT_MSGQUEUE, 0)
    _set(resource.RLIMIT_MEMLOCK, 1 << 20)
    if data_mb is not None:
        # Counts private writable memory of one process. A cell that asks for too much gets a MemoryError,
        # which reads better than a kill; the watchdog of the grader counts the whole tree.
        _set(resource.RLIMIT_DATA, data_size() + (data_mb << 20))


def _set(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def data_size() -> int:
    """Bytes of private writable memory that this process has mapped."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return 0


def count_tasks(uid: int) -> int:
    """Threads of a user on this machine; what RLIMIT_NPROC is compared with."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return total


def become(uid: int | None) -> None:
    """Give up every group, the user id if ``uid`` is given, and every capability, for good."""
    linux.drop_bounding_set()  # needs a capability that a change of user id takes away
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)


def identity(readable: Sequence[str], *, parents: bool) -> int | None:
    """The user to become: one of our own where this process may and where that user can read what is declared."""
    return None if obstacle(readable, parents=parents) else pick_uid()


def obstacle(readable: Sequence[str], *, parents: bool) -> str:
    """Why kernels cannot get a user id of their own, or ""."""
    if not can_change_identity():
        return "this process may not change its user id"
    if pick_uid() is None:
        return "there is no second user id here"
    closed = next((path for path in readable if not _world_readable(path, parents)), None)
    return f"an ordinary user cannot read {closed}" if closed else ""


def stays_root(readable: Sequence[str]) -> str:
    """Why a kernel that sees the real file system would run as user 0, or "" where it would not."""
    return obstacle(readable, parents=True) if 0 in os.getresuid() else ""


def _world_readable(path: str, check_parents: bool) -> bool:
    """Whether everyone may read ``path`` and, if asked, reach it."""
    real = os.path.realpath(path)
    if not os.path.exists(real):
        return True
    parts = [real]
    while parts[-1] != "/":
        parts.append(os.path.dirname(parts[-1]))
    need_self = 0o005 if os.path.isdir(real) else 0o004
    if os.stat(real).st_mode & need_self != need_self:
        return False
    if not check_parents:
        return True
    return all(os.stat(parent).st_mode & 0o001 for parent in parts[1:])

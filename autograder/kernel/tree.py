"""Process trees, read from /proc."""

from __future__ import annotations

import os
import signal


def children_by_parent() -> dict[int, list[int]]:
    """Every process of this machine under its parent."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # the command may contain anything, so read behind its last parenthesis
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        found.setdefault(parent, []).append(int(name))
    return found


def children_of(pid: int) -> list[int]:
    """The children of one process, quickly; may miss some while processes come and go."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    except (OSError, ValueError):
        pass
    return found


def descendants_quickly(root: int, limit: int = 10_000) -> list[int]:
    """Descendants by ``children_of``."""
    found: list[int] = []
    todo = [root]
    while todo and len(found) < limit:
        direct = children_of(todo.pop())
        found += direct
        todo += direct
    return found


def descendants(root: int) -> list[int]:
    """All descendants of a process, parents before children."""
    children = children_by_parent()
    found: list[int] = []
    todo = [root]
    while todo:
        direct = children.get(todo.pop(), [])
        found += direct
        todo += direct
    return found


def kill_descendants(root: int, rounds: int = 200) -> bool:
    """Kill until nothing is left below ``root``, which must be a subreaper so that orphans come back to it."""
    for _ in range(rounds):
        pids = descendants(root)
        if not pids:
            return True
        # stop first, so that nobody forks while the others are killed
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except OSError:
                    continue
        if root == os.getpid():
            _reap_all()
    return False


def _reap_all() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return

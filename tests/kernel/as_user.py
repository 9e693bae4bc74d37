"""Run a Python script as an ordinary user, although the interpreter may lie in root's home. Needs root.

Usage: python as_user.py UID SCRIPT [ARGUMENTS]
"""

import os
import stat
import sys

from autograder.kernel.sandbox import linux


def first_closed(path: str) -> str | None:
    """The outermost directory above ``path`` that others may not enter."""
    parts = path.split("/")
    for end in range(2, len(parts) + 1):
        parent = "/".join(parts[:end])
        if not os.stat(parent).st_mode & stat.S_IXOTH:
            return parent
    return None


def open_up(path: str) -> None:
    """In our own mount namespace, cover a closed parent with an empty directory that shows only ``path``."""
    closed = first_closed(path)
    if closed is None:
        return
    fd = os.open(path, os.O_PATH)
    linux.mount("tmpfs", closed, "tmpfs", 0, "mode=755")
    os.makedirs(path, exist_ok=True)
    linux.mount(f"/proc/self/fd/{fd}", path, None, linux.MS_BIND | linux.MS_REC)
    os.close(fd)


def main() -> None:
    uid = int(sys.argv[1])
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    open_up(os.path.realpath(sys.base_prefix))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execve(sys.executable, [sys.executable, *sys.argv[2:]], {**os.environ, "HOME": "/tmp"})


if __name__ == "__main__":
    main()

"""Level "landlock": the process restricts itself to a list of files. Needs no privilege, only Linux 5.13.

It sees the real file system, minus everything that is not on the list. TCP is refused by Landlock from Linux 6.7
and by the socket filter everywhere; signals and abstract sockets are confined from Linux 6.12.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Mapping, Sequence

from autograder.kernel.sandbox import linux, seccomp

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_BLOCK, MAKE_CHAR, REFER, TRUNCATE, IOCTL_DEV = 1 << 11, 1 << 6, 1 << 13, 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
BIND_TCP, CONNECT_TCP = 1, 2
SCOPE_ABSTRACT_UNIX, SCOPE_SIGNAL = 1, 2

SYSTEM_FILES = (
    "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
    "/etc/mime.types", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg",
    "/proc/filesystems", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
    "/dev/zero",  # not for writing: a shared mapping of it is memory that nobody counts
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")


def abi() -> int:
    """The version of Landlock in this Linux; 0 where there is none."""
    try:
        return linux.syscall(linux.SYS_LANDLOCK_CREATE_RULESET, None, 0, 1, what="Landlock")
    except OSError:
        return 0


def restrict(readable: Sequence[str], writable: Sequence[str], devices: Sequence[str]) -> None:
    """Leave this process and its descendants only these files. Needs no_new_privs."""
    version = abi()
    everything = (1 << 13) - 1
    everything |= (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    everything |= IOCTL_DEV if version >= 5 else 0
    net = BIND_TCP | CONNECT_TCP if version >= 4 else 0
    scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", everything, net, scoped))
    ruleset = linux.syscall(linux.SYS_LANDLOCK_CREATE_RULESET, attributes, size, 0, what="landlock_create_ruleset")
    try:
        for path in [*SYSTEM_FILES, *readable]:
            _allow(ruleset, path, READ)
        for path in writable:
            _allow(ruleset, path, everything & ~(MAKE_BLOCK | MAKE_CHAR | IOCTL_DEV))
        for path in devices:
            _allow(ruleset, path, (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV) & everything)
        linux.syscall(linux.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there, or not reachable for this user, needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            access &= ON_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, fd))
        rule_path_beneath = 1
        linux.syscall(linux.SYS_LANDLOCK_ADD_RULE, ruleset, rule_path_beneath, rule, 0, what=f"Landlock {path}")
    finally:
        os.close(fd)


def enter(spec: Mapping[str, object]) -> None:
    """Lock this process down at this level (the kernel's own process, just before it starts)."""
    if abi() < 1:
        raise OSError("this Linux has no Landlock")
    view = spec["view"]
    assert isinstance(view, dict)
    scratch = str(spec["scratch"])
    readable = [part for path in view["readable"] for part in _without(path, view["masked"])]
    readable.append(str(spec["sockets"]))
    restrict(readable, [scratch], [*DEVICES, *view["devices"]])
    if seccomp.supported():
        seccomp.install((seccomp.AF_UNIX,), pretend=True, shared_memory=spec["device"] != "cpu")


def _without(path: str, masked: Sequence[str]) -> list[str]:
    """``path``, or its parts where something below it is masked."""
    if path in masked:
        return []
    if not any(hidden.startswith(path.rstrip("/") + "/") for hidden in masked):
        return [path]
    return [part for name in sorted(os.listdir(path)) for part in _without(os.path.join(path, name), masked)]

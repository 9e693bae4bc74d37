"""The Linux system calls that Python does not wrap, through ctypes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# Calls younger than 2019 have the same number on every architecture.
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(platform.machine(), -1)
SYS_MOUNT_SETATTR = 442
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *args: object, what: str = "syscall") -> int:
    """Call by number. Integers are passed as long; bytes and ctypes objects as they are."""
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return _check(_libc.syscall(ctypes.c_long(number), *converted), what)


def unshare(flags: int) -> None:
    """Leave the namespaces named in ``flags``."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str = "") -> None:
    """mount(2), with the target in the error message."""
    code = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _check(code, f"mount {kind or 'bind'} on {target}")


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _check(_libc.umount2(target.encode(), ctypes.c_int(flags)), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` the root and put the old root at ``old``."""
    syscall(SYS_PIVOT_ROOT, new.encode(), old.encode(), what="pivot_root")


def mount_readonly(target: str, *, noexec: bool = False, nodev: bool = True) -> None:
    """Make a mount and everything mounted below it read-only and nosuid (Linux 5.12)."""
    attributes = 0x1 | 0x2 | (0x4 if nodev else 0) | (0x8 if noexec else 0)
    settings = ctypes.create_string_buffer(struct.pack("QQQQ", attributes, 0, 0, 0))
    at_recursive = 0x8000
    syscall(SYS_MOUNT_SETATTR, -100, target.encode(), at_recursive, settings, 32, what=f"mount_setattr {target}")


def prctl(option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0) -> int:
    """prctl(2) with integers only."""
    args = [ctypes.c_ulong(a) for a in (arg2, arg3, arg4, arg5)]
    return _check(_libc.prctl(ctypes.c_int(option), *args), f"prctl {option}")


def drop_bounding_set() -> None:
    """Take away what a program started later could regain; no_new_privs covers it where this is not permitted."""
    for number in range(64):
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError:  # past the last capability, or without CAP_SETPCAP
            continue


def drop_capabilities() -> None:
    """Empty the ambient, inheritable, permitted and effective sets."""
    with contextlib.suppress(OSError):  # before Linux 4.3 there are none
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
    empty = ctypes.create_string_buffer(struct.pack("IIIIII", 0, 0, 0, 0, 0, 0))
    _check(_libc.capset(header, empty), "capset")


def effective_capabilities() -> int:
    """The bit mask of the effective set of this process."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def has_capability(number: int) -> bool:
    """Whether a capability is in the effective set (6 setgid, 7 setuid, 21 sys_admin)."""
    return bool(effective_capabilities() >> number & 1)


def close_fds_except(keep: set[int]) -> None:
    """Close every open file descriptor that is not in ``keep``."""
    low = 0
    for fd in [*sorted(keep), 1 << 20]:
        if low < fd:  # closerange(0, 0) closes everything in some versions of Python
            os.closerange(low, fd)
        low = fd + 1

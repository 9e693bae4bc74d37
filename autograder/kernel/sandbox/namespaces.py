"""Level "namespaces": a private file system, process table, network and IPC, made with unshare and pivot_root.

Real root keeps the initial user namespace until everything is mounted and then becomes a user id of its own;
anyone else first makes a user namespace in which only their own id exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Mapping

from autograder.kernel.sandbox import linux, privileges, seccomp

BASE = "/tmp"  # any directory will do: it is covered in our own mount namespace only
OLD = "/.old"
SCRATCH = "/scratch"
SOCKETS = "/run/kernel"
# no /dev/zero: a shared mapping of it is memory that nobody counts
DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")
FAMILIES = (seccomp.AF_UNIX, seccomp.AF_INET, seccomp.AF_INET6, seccomp.AF_NETLINK)
IN_SCRATCH = ("work", "tmp", "home")
TCP_BUFFER = "4096 65536 131072"  # bytes: least, at first, at most


def privileged() -> bool:
    """Whether this process may mount without a user namespace."""
    return linux.has_capability(privileges.CAP_SYS_ADMIN) and privileges.can_change_identity()


def unshare() -> None:
    """Make the namespaces. The next child becomes process 1 of the new process table."""
    flags = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    if privileged():
        linux.unshare(flags)
        return
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(flags | linux.CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def build(spec: Mapping[str, object], uid: int) -> None:
    """Build the private file system and make it the root. Called by process 1, still with its capabilities."""
    view = spec["view"]
    limits = spec["limits"]
    assert isinstance(view, dict) and isinstance(limits, dict)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", BASE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,nr_inodes=2k,mode=755")
    os.mkdir(BASE + OLD)
    linux.pivot_root(BASE, BASE + OLD)
    os.chdir("/")
    for path in view["readable"]:
        _bind(path)
    for path, target in view["links"].items():
        if not os.path.lexists(path):
            _make_parent(path)
            os.symlink(target, path)
    for path in view["masked"]:
        if os.path.isdir(path):
            linux.mount("tmpfs", path, "tmpfs", linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV, "size=4k,mode=755")
    _devices([*DEVICES, *view["devices"]], int(limits["scratch_mb"]))
    _etc(uid)
    os.mkdir("/proc")
    quiet = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "/proc", "proc", quiet)
    _small_buffers()
    linux.mount("none", "/proc", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | quiet)
    _scratch(uid, int(limits["scratch_mb"]))
    os.makedirs(SOCKETS)
    linux.mount(OLD + str(spec["sockets"]), SOCKETS, None, linux.MS_BIND)
    linux.mount_readonly(SOCKETS)
    linux.umount(OLD, linux.MNT_DETACH)
    os.rmdir(OLD)
    readonly = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("none", "/", None, linux.MS_REMOUNT | linux.MS_BIND | readonly)
    os.chdir(SCRATCH + "/work")
    socket.sethostname("sandbox")
    _loopback_up()


def _make_parent(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)


def _bind(path: str, *, readonly: bool = True) -> None:
    """Show ``path`` of the old root at the same place."""
    if not os.path.exists(OLD + path) or os.path.exists(path):
        return  # already visible through a parent
    _make_parent(path)
    if os.path.isdir(OLD + path):
        os.mkdir(path)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    linux.mount(OLD + path, path, None, linux.MS_BIND | linux.MS_REC)
    if readonly:
        linux.mount_readonly(path)


def _devices(devices: list[str], shm_mb: int) -> None:
    for path in devices:
        _bind(path, readonly=False)
    flags = linux.MS_NOSUID | linux.MS_NODEV
    os.makedirs("/dev/shm")
    linux.mount("tmpfs", "/dev/shm", "tmpfs", flags, f"size={shm_mb}m,nr_inodes=4k,mode=1777")
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        os.symlink("/proc/self/fd" + target, "/dev/" + name)


def _etc(uid: int) -> None:
    os.makedirs("/etc", exist_ok=True)
    home = SCRATCH + "/home"
    files = {
        "passwd": f"student:x:{uid}:{uid}:student:{home}:/bin/sh\n",
        "group": f"student:x:{uid}:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "hosts": "127.0.0.1 localhost\n",
    }
    for name, text in files.items():
        _write("/etc/" + name, text)


def _scratch(uid: int, size_mb: int) -> None:
    os.mkdir(SCRATCH)
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("tmpfs", SCRATCH, "tmpfs", flags, f"size={size_mb}m,nr_inodes=16k,mode=755")
    for name in IN_SCRATCH:
        os.mkdir(f"{SCRATCH}/{name}", 0o700)
        if uid != os.getuid():
            os.chown(f"{SCRATCH}/{name}", uid, uid)
    if not os.path.lexists("/tmp"):  # unless something readable lies there
        os.symlink(SCRATCH + "/tmp", "/tmp")


def _small_buffers() -> None:
    """For TCP, which by itself grows its buffers to many megabytes each, from a store of the whole machine."""
    for name in ("tcp_rmem", "tcp_wmem"):
        with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/{name}", "w") as file:  # not in every container
            file.write(TCP_BUFFER)


def _loopback_up() -> None:
    """A loopback of its own: student code may talk to itself."""
    siocgifflags, siocsifflags, iff_up = 0x8913, 0x8914, 1
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = fcntl.ioctl(sock, siocgifflags, struct.pack("16sh14x", b"lo", 0))
            flags = struct.unpack("16sh14x", request)[1]
            fcntl.ioctl(sock, siocsifflags, struct.pack("16sh14x", b"lo", flags | iff_up))
    except OSError:
        pass  # a kernel without IPv4 still works


def enter(spec: Mapping[str, object]) -> None:
    """The last step, in the kernel's own process: the system-call filter."""
    if seccomp.supported():
        seccomp.install(FAMILIES, shared_memory=spec["device"] != "cpu")

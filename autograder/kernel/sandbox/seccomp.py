"""A small system-call filter: no tracing, no mounting, no new namespaces, no odd socket families.

It denies with EPERM rather than killing, because a library that merely tries deserves an error, not a death.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from autograder.kernel.sandbox import linux

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86_64, aarch64); None where the architecture has no such call
DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268), "unshare": (272, 97),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
    "personality": (135, 92), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "uselib": (134, None), "vhangup": (153, 58), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "sync": (162, 81), "syncfs": (306, 267),  # of all disks of the machine
}  # fmt: skip
# Memory that no process maps, and that therefore nobody counts: files in memory, tables of the whole machine, and pages
# in a pipe, one byte of which may keep two megabytes.
UNCOUNTED: dict[str, tuple[int | None, int | None]] = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180),
    "mq_unlink": (241, 181), "vmsplice": (278, 75),
}  # fmt: skip
# Landlock does not look at these: a process could change modes, owners, times and attributes of files that it may only
# read, or not even that. They seem to succeed and do nothing, so that copying a file in the scratch directory works.
PRETENDED: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
# Nor at these, which reach every process of the same user, the grader too. With these arguments they are for the
# calling thread and allowed; otherwise they, too, seem to succeed (ZeroMQ needs that for its threads).
OTHERS: dict[str, tuple[tuple[int | None, int | None], dict[int, int]]] = {
    "sched_setparam": ((142, 118), {0: 0}), "sched_setscheduler": ((144, 119), {0: 0}),
    "sched_setattr": ((314, 274), {0: 0}), "sched_setaffinity": ((203, 122), {0: 0}),
    "setpriority": ((141, 140), {0: 0, 1: 0}), "ioprio_set": ((251, 30), {0: 1, 1: 0}),
    "migrate_pages": ((256, 238), {0: 0}), "move_pages": ((279, 239), {0: 0}),
}  # fmt: skip
CLONE, CLONE3, SOCKET, IOCTL, PRLIMIT = (56, 220), (435, 435), (41, 198), (16, 29), (302, 261)
TRUNCATE, MMAP, FCNTL, SETSOCKOPT = (76, 45), (9, 222), (72, 25), (54, 208)
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
SETRLIMIT, RLIMIT_CORE = (160, 164), 4
F_SETLEASE, F_SETPIPE_SZ = 1024, 1031
SOL_SOCKET, BUFFER_SIZES = 1, (7, 8, 32, 33)  # for sending and receiving, and by force

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag, time and cgroup included
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# attributes of a file (of an inode, of a project), its signature, its encryption: an open file is enough for these
FILE_IOCTLS = (0x40086602, 0x40046602, 0x401C5820, 0x40806685, 0x800C6613)

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NR, _ARCH, _ARG0, _ARG1, _ARG2, _ARG3 = 0, 4, 16, 24, 32, 40


def _program(families: tuple[int, ...], pretend: bool, shared_memory: bool) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, constant)."""
    column = 0 if platform.machine() == "x86_64" else 1
    deny = (_RET, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RET, 0, 0, _ALLOW)
    program = [(_LD, 0, 0, _ARCH), (_JEQ, 1, 0, AUDIT_ARCH[platform.machine()]), deny, (_LD, 0, 0, _NR)]
    if column == 0:
        program += [(_JGE, 0, 1, 0x40000000), deny]  # the x32 table has other numbers for the same calls
    for numbers in (*DENIED.values(), *(() if shared_memory else UNCOUNTED.values())):
        number = numbers[column]
        if number is not None:
            program += [(_JEQ, 0, 1, number), deny]
    if pretend:
        for numbers in PRETENDED.values():
            number = numbers[column]
            if number is not None:
                program += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ERRNO)]
        program += [(_JEQ, 0, 1, TRUNCATE[column]), deny]  # by path; Landlock knows it only from Linux 6.2
        for numbers, oneself in OTHERS.values():
            number = numbers[column]
            if number is not None:
                only = []
                for argument, value in oneself.items():
                    only += [(_LD, 0, 0, _ARG0 + 8 * argument), (_JEQ, 1, 0, value), (_RET, 0, 0, _ERRNO)]
                program += [(_JEQ, 0, len(only) + 1, number), *only, allow]
    if not shared_memory:
        # stays when it is not mapped any more, until all processes are gone that could map it again
        mapped = [(_LD, 0, 0, _ARG3), (_JSET, 0, 2, MAP_ANONYMOUS), (_JSET, 0, 1, MAP_SHARED), deny, allow]
        program += [(_JEQ, 0, len(mapped), MMAP[column]), *mapped]
    # a lease on a file, which its owner may take, makes everybody else who opens it wait for most of a minute
    controls = [(_LD, 0, 0, _ARG1), (_JEQ, 0, 1, F_SETLEASE), deny, (_JEQ, 0, 1, F_SETPIPE_SZ), deny, allow]
    program += [(_JEQ, 0, len(controls), FCNTL[column]), *controls]
    # larger buffers seem to be given: Linux allows megabytes a socket, and counts them for nobody
    buffers = [(_LD, 0, 0, _ARG1), (_JEQ, 1, 0, SOL_SOCKET), allow, (_LD, 0, 0, _ARG2)]
    for option in BUFFER_SIZES:
        buffers += [(_JEQ, 0, 1, option), (_RET, 0, 0, _ERRNO)]
    buffers.append(allow)
    program += [(_JEQ, 0, len(buffers), SETSOCKOPT[column]), *buffers]
    # limits of other processes: one's own is process 0; and the limit of core files stays what it is, see `privileges`
    limits = [(_LD, 0, 0, _ARG0), (_JEQ, 1, 0, 0), deny, (_LD, 0, 0, _ARG1), (_JEQ, 1, 0, RLIMIT_CORE), allow]
    for half in (_ARG2, _ARG2 + 4):  # of the address of a new value
        limits += [(_LD, 0, 0, half), (_JEQ, 1, 0, 0), (_RET, 0, 0, _ERRNO)]
    program += [(_JEQ, 0, len(limits) + 1, PRLIMIT[column]), *limits, allow]
    core = [(_LD, 0, 0, _ARG0), (_JEQ, 0, 1, RLIMIT_CORE), (_RET, 0, 0, _ERRNO), allow]
    program += [(_JEQ, 0, len(core), SETRLIMIT[column]), *core]
    # glibc falls back to clone, whose flags a filter can read
    program += [(_JEQ, 0, 1, CLONE3[column]), (_RET, 0, 0, _ERRNO | errno.ENOSYS)]
    program += [(_JEQ, 0, 4, CLONE[column]), (_LD, 0, 0, _ARG0), (_JSET, 0, 1, NEW_NAMESPACES), deny, allow]
    ioctls = [(_LD, 0, 0, _ARG1)]
    for request in (TIOCSTI, TIOCLINUX, *(FILE_IOCTLS if pretend else ())):
        ioctls += [(_JEQ, 0, 1, request), deny]
    ioctls.append(allow)
    program += [(_JEQ, 0, len(ioctls), IOCTL[column]), *ioctls]
    sockets = [(_LD, 0, 0, _ARG0)]
    for family in families:
        sockets += [(_JEQ, 0, 1, family), allow]
    sockets.append((_RET, 0, 0, _ERRNO | errno.EACCES))
    program += [(_JEQ, 0, len(sockets), SOCKET[column]), *sockets]
    return [*program, allow]


def supported() -> bool:
    """Whether this architecture has a table here."""
    return platform.machine() in AUDIT_ARCH


def install(families: tuple[int, ...], *, pretend: bool = False, shared_memory: bool = False) -> None:
    """Filter this process and its descendants for good; sockets only of ``families``. Needs no_new_privs.

    Args:
        families: Of sockets that may be made.
        pretend: Changes to the modes, owners, times and attributes of files have no effect, nor has what changes other
            processes' priorities and the like.
        shared_memory: There may be memory that is shared in other ways than by files, as the drivers of a GPU may want.
    """
    program = _program(families, pretend, shared_memory)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    seccomp_mode_filter = 2
    linux.prctl(linux.PR_SET_SECCOMP, seccomp_mode_filter, ctypes.addressof(header))

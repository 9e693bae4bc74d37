"""Stalling, killing, flooding, and leaving something behind."""

from .attack import RIGHT, SETUP, Attack

SLEEP = "98765.4321"
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
import time
kernel = get_ipython().kernel
end = time.time() + 2
while time.time() < end:
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle", "x": "y" * 100000},
                        parent=kernel.get_parent(), ident=b"status")
""", broken=True, says="sent more than is allowed"),
    Attack("many-cells", "a notebook of 400 cells", (SETUP, RIGHT["logsumexp"], *(f"x{i} = {i}" for i in range(400))),
           deserves=Q1),
    Attack("long-cell", "a cell of 400 kilobytes", (SETUP, RIGHT["logsumexp"], "x = '" + "a=b(" * 100_000 + "'"), deserves=Q1),
]

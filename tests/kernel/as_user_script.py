"""Runs as an ordinary user: tries a few break-outs at every level and prints the outcome as JSON."""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.kernel import KernelPool, Limits, available_levels
from autograder.kernel.tree import descendants

REQUEST = {"source": "def ask(s, rng):\n    return s.f(1)\n", "name": "ask", "seed": 1, "device": "cpu"}


def runs(pid: int) -> bool:
    """Whether a process is there and not only waits to be collected."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# What reaches others only where they have the same user id: a file of the grader's, its priority, its processors, files
# on their way that count for this user, and so many processes that nobody else of this user may start one.
SAME_USER = """
import fcntl, os, signal, socket, subprocess
file = os.open({shown!r}, os.O_RDONLY)
signal.signal(signal.SIGIO, signal.SIG_IGN)
def tried(what, *arguments):
    try:
        what(*arguments)
    except OSError:
        pass
for lease in (fcntl.F_WRLCK, fcntl.F_RDLCK):
    tried(fcntl.fcntl, file, fcntl.F_SETLEASE, lease)
    print("lease", fcntl.fcntl(file, fcntl.F_GETLEASE) != fcntl.F_UNLCK)
tried(os.fchmod, file, 0)
tried(os.setxattr, file, "user.x", b"x")
tried(os.setpriority, os.PRIO_PROCESS, {grader}, 19)
tried(os.setpriority, os.PRIO_USER, os.getuid(), 18)
tried(os.sched_setscheduler, {grader}, os.SCHED_BATCH, os.sched_param(0))
tried(os.sched_setaffinity, {grader}, {{min(os.sched_getaffinity(0))}})
kept = [socket.socketpair() for _ in range(100)]
null = [os.open("/dev/null", os.O_RDONLY) for _ in range(250)]
for sender, _ in kept:
    tried(socket.send_fds, sender, [b"x"], null)
children = []
try:
    for _ in range({children}):
        children.append(os.fork())
        if children[-1] == 0:
            signal.pause()
except OSError:
    pass
"""


def standing(shown: str) -> list[Any]:
    """What student code must not be able to change: of a file that it may read, and of the grader's process."""
    scheduled = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0))
    return [os.stat(shown).st_mode, os.listxattr(shown), *scheduled]


def beside_an_attack(level: str, shown: str) -> dict[str, Any]:
    """What another kernel can still do, and what of the grader's is not as it was."""
    limits = Limits(processes=48)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    before = standing(shown)
    pool = KernelPool(sandbox=level, readable=[Path(shown).parent], limits=limits, modules=[])
    with pool, pool.start() as first, pool.start() as second:
        second.execute("def f(x): return x")
        code = SAME_USER.format(shown=shown, grader=os.getpid(), children=limits.processes - 4)
        said = first.execute(code)
        found = {"said": said.stdout_tail or said.evalue, "beside": second.probe(REQUEST).status}
        with pool.start() as third:
            found["started"] = third.execute("print(1)").status
    return {**found, "untouched": standing(shown) == before}


def attempt(level: str, secret: str) -> dict[str, Any]:
    """What student code can do at one level."""
    with KernelPool(sandbox=level, warm=False) as pool:
        kernel = pool.start()
        below = [kernel._handle.init_pid, *descendants(kernel._handle.init_pid)]
        kernel.execute("def f(x): return x")
        found = {
            "secret": kernel.execute(f"print(open({secret!r}).read(), end='')").stdout_tail,
            "grader": kernel.execute(f"import os; os.kill({os.getpid()}, 0); print('signalled')").stdout_tail,
            "probe": kernel.probe(REQUEST).status,
        }
        kernel.close()
    return {**found, "left": sum(map(runs, below))}


if __name__ == "__main__":
    reasons = available_levels()
    with tempfile.TemporaryDirectory() as folder:
        shown = f"{folder}/shown.txt"
        Path(shown).write_text("declared data")
        Path(folder).chmod(0o755)
        answers = {
            level: {**attempt(level, sys.argv[1]), **(beside_an_attack(level, shown) if level != "process" else {})}
            for level, reason in reasons.items() if not reason
        }
    print(json.dumps({"uid": os.getuid(), "reasons": reasons, **answers}))

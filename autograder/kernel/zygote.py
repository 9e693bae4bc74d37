"""The warm parent: imports everything once, then forks one kernel a request. Runs as ``python -m``, single-threaded.

It is started by the grader in a fresh interpreter with a clean environment, and knows nothing of any submission.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

from autograder.kernel import child, warmup
from autograder.kernel.sandbox import linux

DONE = object()


def main() -> None:
    """Serve until the grader closes its end or dies."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    grader = os.pidfd_open(os.getppid())
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    # not arguments or environment: kernels inherit those, and can read them
    setup = json.loads(requests.recv(1 << 16))
    os.environ["MPLCONFIGDIR"] = setup["cache"]
    warmup.preload(setup["modules"])
    requests.send(json.dumps({"event": "ready", "threads": len(os.listdir("/proc/self/task"))}).encode())
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    spare_time: Iterator[None] | None = warmup.huge_pages()
    while True:
        ready, _, _ = select.select([requests.fileno(), grader, wake_read], [], [], 0 if spare_time else None)
        if not ready and spare_time and next(spare_time, DONE) is DONE:
            spare_time = None
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap()
        if grader in ready:
            break
        if requests.fileno() in ready:
            data, fds, _, _ = socket.recv_fds(requests, 1 << 20, 1)
            if not data:
                break
            control = socket.socket(fileno=fds[0])
            if os.fork() == 0:
                requests.close()
                _forget_signals(wake_read, wake_write)
                child.run(_spec(data), control, grader)
            control.close()
    if select.select([grader], [], [], 0.2)[0]:
        # killed, so it could not clean up; its kernels are ending for the same reason
        deadline = time.monotonic() + 5
        while _reap() and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(setup["directory"], ignore_errors=True)


def _spec(data: bytes) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(data)
    return spec


def _forget_signals(*wake: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for fd in wake:
        os.close(fd)


def _reap() -> bool:
    """Collect the dead; whether any child is left."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return True
        except ChildProcessError:
            return False


if __name__ == "__main__":
    main()

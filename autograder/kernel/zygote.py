"""The warm parent: imports everything once, then forks one kernel a request. Runs as ``python -m``, single-threaded.

It is started by the grader in a fresh interpreter with a clean environment, and knows nothing of any submission.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from typing import Any

from autograder.kernel import child
from autograder.kernel.sandbox import linux

NEEDED = ("zmq.eventloop.zmqstream", "IPython", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger",
          "autograder.kernel.app")  # fmt: skip
# torch._dynamo and sympy come with the first optimizer, and take a second
WELCOME = ("torch", "torch._dynamo", "sympy", "torch.utils.data", "torch.distributions", "numpy", "matplotlib.pyplot",
           "matplotlib_inline.backend_inline", "stack_data", "executing", "pygments.lexers", "pygments.styles",
           "pygments.formatters.terminal256", "dgm", "dgm.grader", "dgm.plot", "dgm.data", "dgm.checks.runtime",
           "jaxtyping", "sklearn.datasets", "scipy.stats")  # fmt: skip


def preload(warm: bool) -> None:
    """Import what kernels and notebooks use. Nothing here may start a thread or touch a GPU."""
    # 2.7 seconds of jsonschema that nobody here needs
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    for name in NEEDED:
        importlib.import_module(name)
    import ipykernel.debugger

    ipykernel.debugger._is_debugpy_available = False
    for name in WELCOME if warm else ():
        try:
            importlib.import_module(name)
        except Exception:  # optional, or broken: the notebook that imports it will say so
            continue
    sys.modules.pop("rfc3987_syntax", None)


def main() -> None:
    """Serve until the grader closes its end or dies."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    grader = os.pidfd_open(os.getppid())
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    # not arguments or environment: kernels inherit those, and can read them
    setup = json.loads(requests.recv(1 << 16))
    os.environ["MPLCONFIGDIR"] = setup["cache"]
    preload(setup["warm"])
    requests.send(json.dumps({"event": "ready", "threads": len(os.listdir("/proc/self/task"))}).encode())
    gc.collect()
    gc.freeze()  # so that the collector of a kernel does not copy our pages
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([requests.fileno(), grader, wake_read], [], [])
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

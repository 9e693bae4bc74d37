"""What a freshly forked kernel does before any student code runs: locks itself down, then becomes a kernel.

Two processes a kernel. *Init* (process 1 of the namespaces, where there are any) reaps orphans, passes on
interrupts, reports how the kernel ended, and takes everything with it when it goes. The *kernel* process gives up
its privileges and starts ipykernel. Both are forks of the zygote, so nothing is imported again.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from autograder.kernel import tree
from autograder.kernel.sandbox import landlock, linux, namespaces, privileges, process

ENTER = {"namespaces": namespaces.enter, "landlock": landlock.enter, "process": process.enter}


def run(spec: dict[str, Any], control: socket.socket, grader: int) -> NoReturn:
    """Turn this fork of the zygote into a kernel. ``grader`` is a pidfd that becomes readable when it dies."""
    try:
        os.setsid()
        if spec["level"] != "namespaces" and spec["uid"] is None and 0 in os.getresuid():
            raise PermissionError("a kernel at this level must not run as root")
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")  # should all memory of the machine be used up, Linux ends kernels, not the grader
        if spec["level"] == "namespaces":
            _enter_namespaces(spec, control)
        else:
            tell(control, {"event": "started"}, os.pidfd_open(os.getpid()))
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        _be_init(spec, control, grader)
    except BaseException as error:
        report_failure(control, error)
        os._exit(1)


def tell(control: socket.socket, message: dict[str, Any], *fds: int) -> None:
    """Send one event to the grader."""
    with contextlib.suppress(OSError):  # the grader is gone, which the next poll notices
        socket.send_fds(control, [json.dumps(message).encode()], list(fds))


def report_failure(control: socket.socket, error: BaseException) -> None:
    """Say why the kernel could not start."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    tell(control, {"event": "failed", "message": f"{type(error).__name__}: {error}{where}"[:2000]})


def _enter_namespaces(spec: dict[str, Any], control: socket.socket) -> None:
    """Go on as process 1 of new namespaces; the process that made them leaves."""
    maker = os.pidfd_open(os.getpid())
    namespaces.unshare()
    pid = os.fork()
    if pid:
        tell(control, {"event": "started"}, os.pidfd_open(pid))
        os._exit(0)
    # a death signal set earlier would be that of the maker, which has just left
    select.select([maker], [], [], 10)
    uid = spec["uid"] if spec["uid"] is not None else os.getuid()
    namespaces.build(spec, uid)
    privileges.become(spec["uid"])
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # the kernel has our user id and must not trace us


def _be_init(spec: dict[str, Any], control: socket.socket, grader: int) -> NoReturn:
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _be_kernel(spec, control)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control.fileno(), grader, wake_read], [], [], 1.0)
        if wake_read in ready:
            os.read(wake_read, 4096)
        _reap(pid, control)
        if grader in ready:
            _end(0)
        if control.fileno() in ready:
            order = control.recv(16)
            if not order:
                _end(0)
            if order == b"interrupt":
                os.killpg(pid, signal.SIGINT)  # subprocesses too, as Jupyter does


def _reap(kernel: int, control: socket.socket) -> None:
    """Collect the dead; when the kernel is among them, say so and leave."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == kernel:
            tell(control, {"event": "exit", "code": os.waitstatus_to_exitcode(status)})
            _end(0)


def _end(code: int) -> NoReturn:
    """Take every descendant along. In namespaces the Linux kernel does so when process 1 leaves."""
    if os.getpid() != 1:
        tree.kill_descendants(os.getpid())
    os._exit(code)


def _be_kernel(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    """Never returns: runs ipykernel until it is killed."""
    code = 1
    try:
        os.setpgid(0, 0)
        linux.close_fds_except({0, 1, 2, control.fileno()})
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        limits = {**spec["limits"], "threads": spec["threads"]}
        fresh = spec["uid"] is not None or spec["level"] == "namespaces"
        privileges.set_limits(limits, fresh_user=fresh, data_mb=spec["data_mb"])
        privileges.become(spec["uid"] if os.getuid() != spec["uid"] else None)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        ENTER[spec["level"]](spec)
        _clean_interpreter(spec)
        from autograder.kernel import app

        kernel = app.prepare(spec)
        _forget_grader()
        tell(control, {"event": "kernel"})
        control.close()
        kernel.start()
        code = 0
    except BaseException as error:
        if control.fileno() >= 0:
            report_failure(control, error)
    finally:
        os._exit(code)


def _clean_interpreter(spec: dict[str, Any]) -> None:
    """The environment, the working directory and the import path that student code sees."""
    scratch = spec["scratch"]
    os.environ.clear()
    home = f"{scratch}/home"
    os.environ.update(
        spec["env"],
        HOME=home,
        TMPDIR=f"{scratch}/tmp",
        IPYTHONDIR=f"{home}/.ipython",
        MPLCONFIGDIR=f"{home}/.matplotlib",
    )
    os.chdir(f"{scratch}/work")
    import tempfile

    tempfile.tempdir = None
    sys.argv = ["kernel"]
    sys.path[:] = spec["path"]
    for path in [path for path in sys.path_importer_cache if not path.startswith(tuple(spec["path"]))]:
        del sys.path_importer_cache[path]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)


def _forget_grader() -> None:
    """``autograder`` is no part of what students can import."""
    for name in [name for name in sys.modules if name == "autograder" or name.startswith("autograder.")]:
        del sys.modules[name]

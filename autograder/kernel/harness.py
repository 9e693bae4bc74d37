"""Runs probes inside the student's kernel. Sent there as text; imports nothing of the autograder.

Each probe runs in a fork of the kernel, so that globals, random state and patched classes die with it. Where a
fork is impossible (a GPU context does not survive one) it runs in place, on a copy of the namespace.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Collection
from typing import Any, NoReturn

Namespace = dict[str, Any]
PATIENCE = 20  # as in `fair_clock`, which this text cannot import

Request = dict[str, Any]  # one probe: source, name, seed, device, prelude
Reply = dict[str, Any]  # what the grader is told, beside the payload

REQUEST, REPLY = "probe_request", "probe_reply"


def install(kernel: Any, device: str = "cpu", limit: int = 64 * 2**20) -> None:
    """Teach an ipykernel to answer probe requests on its shell channel."""
    send = kernel.session.send
    shell = kernel.shell
    fork = device == "cpu" and hasattr(os, "fork")
    if fork:
        _adopt_orphans()
    with contextlib.suppress(ImportError):
        import dgm.checks.runtime  # noqa: F401  # before student code can put something else in its place

    async def handle(stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        content = parent["content"]
        request, timeout = content["request"], float(content["timeout"])
        started = time.monotonic()
        namespace = shell.user_ns
        if fork:
            reply, payload = run_forked(request, namespace, timeout, limit)
        else:
            reply, payload = run_in_place(request, namespace, limit)
        reply["seconds"] = time.monotonic() - started
        send(stream, REPLY, reply, parent, ident=ident, buffers=[payload])

    kernel.shell_handlers[REQUEST] = handle


def evaluate(request: Request, namespace: Namespace) -> bytes:
    """JSON bytes of the Outcome of one probe."""
    from dgm.checks.runtime import run_probe_json

    if request.get("prelude"):
        exec(compile(request["prelude"], "<earlier answers>", "exec"), namespace)
    return run_probe_json(request["source"], request["name"], request["seed"], namespace, request["device"])


def run_in_place(request: Request, namespace: Namespace, limit: int) -> tuple[Reply, bytes]:
    """Without a fork: what the probe adds or rebinds is undone afterwards, deeper changes are not."""
    before = dict(namespace)
    try:
        payload = evaluate(request, namespace)
    except KeyboardInterrupt:
        return {"status": "timeout", "message": "The check took too long."}, b""
    except BaseException as error:
        return {"status": "died", "message": f"The check failed with {type(error).__name__}."}, b""
    finally:
        namespace.clear()
        namespace.update(before)
    if len(payload) > limit // 2:
        return {"status": "too_large", "message": "Your code returned more data than is accepted."}, b""
    return {"status": "ok", "message": ""}, bytes(payload)


def run_forked(request: Request, namespace: Namespace, timeout: float, limit: int) -> tuple[Reply, bytes]:
    """Run one probe in a child process; returns the reply and the payload."""
    own = set(_children())
    try:
        read_end, write_end = os.pipe()
    except OSError as error:
        return _no_process(error)
    try:
        pid = os.fork()
    except OSError as error:
        os.close(read_end)
        os.close(write_end)
        return _no_process(error)
    if pid == 0:
        _be_child(request, namespace, read_end, write_end)
    os.close(write_end)
    try:
        return _collect(pid, read_end, timeout, limit // 2)
    finally:
        os.close(read_end)
        _kill_new_children(own)


def _no_process(error: OSError) -> tuple[Reply, bytes]:
    return {"status": "died", "message": f"No process could be started for this check ({error.strerror})."}, b""


def _be_child(request: Request, namespace: Namespace, read_end: int, write_end: int) -> NoReturn:
    code = 1
    try:
        os.close(read_end)
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _quiet_streams()
        _leave_event_loop()
        # a pool of OpenMP threads does not survive a fork, so do without one
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)
        payload = bytes(evaluate(request, namespace))
        _write_all(write_end, struct.pack("<Q", len(payload)) + payload)
        code = 0
    except MemoryError:
        code = 77
    except BaseException:
        pass
    finally:
        os._exit(code)


def _quiet_streams() -> None:
    """The kernel's streams belong to threads that a fork does not have."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    streams = {"stdin": os.fdopen(0, "r"), "stdout": os.fdopen(1, "w"), "stderr": os.fdopen(2, "w")}
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.displayhook = lambda value: None


def _leave_event_loop() -> None:
    import asyncio

    asyncio._set_running_loop(None)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view[: 1 << 20]) :]


def _waited(pid: int) -> float:
    """Seconds that a process was ready to run on a busy machine and did not; 0 where Linux does not tell."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _collect(pid: int, read_end: int, timeout: float, limit: int) -> tuple[Reply, bytes]:
    """Read the length and then the payload; whoever keeps the pipe open without writing is waited for no longer
    than the probe itself. Time without a processor does not count."""
    parts: list[bytes] = []
    started = time.monotonic()
    deadline = started + timeout
    size, wanted = 0, None
    watch = os.pidfd_open(pid)
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                deadline = started + timeout + min(_waited(pid), (PATIENCE - 1) * timeout)
                left = deadline - time.monotonic()
            if left <= 0:
                return {"status": "timeout", "message": "Your code did not finish in time."}, b""
            ready, _, _ = select.select([read_end, watch], [], [], left)
            if read_end in ready:
                data = os.read(read_end, 1 << 20)
                parts.append(data)
                size += len(data)
                if wanted is None and size >= 8:
                    head = b"".join(parts)
                    wanted = struct.unpack("<Q", head[:8])[0]
                    parts = [head]
                    if wanted > limit:
                        return {"status": "too_large", "message": "Your code returned more data than is accepted."}, b""
                if wanted is not None and size >= wanted + 8:
                    return {"status": "ok", "message": ""}, b"".join(parts)[8 : wanted + 8]
                if data:
                    continue
            if watch in ready:
                return _how_it_died(pid), b""
    finally:
        os.close(watch)


def _how_it_died(pid: int) -> Reply:
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        code = 0
    if code == 77:
        return {"status": "memory", "message": "Your code used more memory than is allowed."}
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return {"status": "died", "message": f"Your code ended the process ({name}).", "signal": -code}
    return {"status": "died", "message": "Your code ended the process."}


def _adopt_orphans() -> None:
    """Descendants that lose their parent come back to this process, where they can be found and killed."""
    import ctypes

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def _children() -> list[int]:
    found: list[int] = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return found


def _kill_new_children(own: Collection[int]) -> None:
    """Kill what a probe left behind, whole sessions first, until no new child is left."""
    for _ in range(1000):
        new = [pid for pid in _children() if pid not in own]
        if not new:
            return
        for pid in new:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    kill(pid, signal.SIGKILL)
        for pid in new:
            with contextlib.suppress(OSError):
                os.waitpid(pid, 0)

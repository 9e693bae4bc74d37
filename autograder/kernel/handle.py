"""The process tree of one kernel, seen from the grader: its events, interrupting it, killing it for certain."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from autograder.kernel import tree
from autograder.kernel.types import SandboxError


class ProcessHandle:
    """Holds the control socket and a pidfd of the kernel's init process, so that no id can be mistaken."""

    def __init__(self, control: socket.socket, *, uid: int | None, scratch: Path | None) -> None:
        self.control = control
        self.uid = uid
        self.scratch = scratch
        self.init_pid = 0
        self.exit_code: int | None = None
        self.ready = False
        self.reason = ""  # why the watchdog or the client killed it
        self.memory_kills = 0  # processes below the kernel that were killed for their memory
        self._pidfd = -1

    def wait_started(self, timeout: float) -> None:
        """Wait until init exists and is known."""
        deadline = time.monotonic() + timeout
        while self._pidfd < 0:
            if not _readable(self.control.fileno(), deadline - time.monotonic()):
                raise SandboxError("A kernel did not start in time.")
            self.read_event()

    def has_event(self) -> bool:
        """Whether ``read_event`` would not wait."""
        return _readable(self.control.fileno(), 0)

    def read_event(self) -> bool:
        """Take in one event.

        Returns:
            False when init has gone.

        Raises:
            SandboxError: The kernel could not start.
        """
        try:
            data, fds, _, _ = socket.recv_fds(self.control, 1 << 16, 4)
        except (OSError, RuntimeError):
            data, fds = b"", []
        if fds and self._pidfd < 0:
            self._pidfd = fds.pop(0)
            self.init_pid = _pid_of(self._pidfd)
        for fd in fds:
            os.close(fd)
        if not data:
            if not self.ready:
                raise SandboxError(f"A kernel died while it started (exit code {self.exit_code}).")
            if self.exit_code is None:
                self.exit_code = -signal.SIGKILL
            return False
        event = _parse(data)
        if event.get("event") == "failed" and not self.ready:
            raise SandboxError(f"A kernel could not be locked down or started: {event.get('message')}")
        if event.get("event") == "kernel":
            self.ready = True
        if event.get("event") == "exit":
            code = event.get("code")
            self.exit_code = code if isinstance(code, int) and abs(code) < 1000 else -signal.SIGKILL
        return True

    def wait_exit(self, timeout: float) -> bool:
        """Whether the kernel process ends within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while self.exit_code is None and _readable(self.control.fileno(), deadline - time.monotonic()):
            if not self.read_event():
                break
        return self.exit_code is not None

    def interrupt(self) -> None:
        """SIGINT to the kernel process."""
        with contextlib.suppress(OSError):  # it is gone, which the next poll will show
            self.control.send(b"interrupt", socket.MSG_DONTWAIT)

    def stop(self) -> None:
        """End the kernel from any thread; whoever waits for it sees that it died. ``kill`` cleans up."""
        self._signal(signal.SIGKILL)

    def kill(self, timeout: float = 10.0) -> None:
        """Kill every process of this kernel and wait until they are gone."""
        if self._pidfd >= 0:
            if self._in_own_pid_namespace():
                self._signal(signal.SIGKILL)  # takes the whole namespace with it
            else:
                tree.kill_descendants(self.init_pid)
                self._signal(signal.SIGKILL)
            _readable(self._pidfd, timeout)
            if self.uid is not None and not self._in_own_pid_namespace():
                _kill_user(self.uid)
            os.close(self._pidfd)
            self._pidfd = -1
        self.control.close()
        if self.scratch is not None:
            remove_tree(self.scratch)

    def alive(self) -> bool:
        """Whether init still runs."""
        return self._pidfd >= 0 and not _readable(self._pidfd, 0)

    def _in_own_pid_namespace(self) -> bool:
        return self.scratch is None

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, number)


def remove_tree(path: Path) -> None:
    """Remove a directory whatever student code made of it: closed or endlessly deep folders, for example."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
    for command in (["chmod", "-R", "u+rwX", "--", str(path)], ["rm", "-rf", "--", str(path)]):
        if path.exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


def _readable(fd: int, timeout: float) -> bool:
    """Wait for one descriptor. Not select(), which refuses numbers above 1023."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(max(0.0, timeout) * 1000))


def _parse(data: bytes) -> dict[str, Any]:
    """An event; at the level "process" student code could have sent it."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _pid_of(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}") as file:
        for line in file:
            if line.startswith("Pid:"):
                return int(line.split()[1])
    return 0


def _kill_user(uid: int) -> None:
    """The user id was this kernel's alone, so whatever still runs under it is a leftover."""
    for _ in range(50):
        left = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.stat(f"/proc/{name}").st_uid == uid:
                    left.append(int(name))
            except OSError:
                continue
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        time.sleep(0.01)

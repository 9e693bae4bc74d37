"""Runs a judge apart from the grader, in a fork with limits of time and memory.

Only evidence that is much larger than the reference's is judged so: for the rest a judge takes as long as for a right
answer, and a fork costs more than most judges.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

SECONDS = 10.0
LOOK_SECONDS = 0.2  # between looks whether the run was stopped
MEGABYTES = 1024  # beyond what the grader itself has
FACTOR, SLACK = 2, 1 << 16  # so many times the reference's evidence, and so many bytes more, are nothing unusual


def unusually_large(evidence: Any, expected: Any) -> bool:
    """Whether judging this might take much longer than judging the reference's evidence."""
    return weight(evidence) > FACTOR * weight(expected) + SLACK


def weight(value: Any) -> int:
    """About how many bytes of memory evidence takes: a small dict takes hundreds, whatever it holds."""
    if isinstance(value, dict):
        return sum(64 + len(str(key)) + weight(item) for key, item in value.items()) + 128
    if isinstance(value, (list, tuple)):
        return sum(map(weight, value)) + 64
    if isinstance(value, np.ndarray):
        return value.nbytes + 128
    return len(value) + 64 if isinstance(value, (str, bytes)) else 32


class ForkedCall:
    """``function()`` in a fork of this process; what it returns must be plain data.

    Nobody else may hold a lock that the function needs while this is made: of the threads only this one is copied.
    """

    def __init__(self, function: Callable[[], Any], seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self._deadline = time.monotonic() + seconds
        self._read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks beside threads
            self._pid = os.fork()
        if self._pid == 0:
            _answer(function, write, int(seconds) + 1, megabytes)
        os.close(write)

    def result(self, stopped: Callable[[], bool] = lambda: False) -> Any:
        """What the function returned; None when it took too long, too much memory, failed, or was ``stopped``."""
        parts: list[bytes] = []
        try:
            while (left := self._deadline - time.monotonic()) > 0 and not stopped():
                if not _readable(self._read, min(left, LOOK_SECONDS)):
                    continue
                data = os.read(self._read, 1 << 16)
                parts.append(data)
                if data.endswith(b"\n"):  # not the end of the file: another fork may hold the pipe open
                    return json.loads(b"".join(parts))
                if not data:
                    break
        finally:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._read)
        return None


def _readable(fd: int, seconds: float) -> bool:
    poller = select.poll()  # not select(), which refuses numbers above 1023
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(1000 * seconds))


def _answer(function: Callable[[], Any], write: int, seconds: int, megabytes: int) -> None:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and kills
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (mapped + megabytes * 2**20,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        with os.fdopen(write, "w") as stream:
            stream.write(json.dumps(function()) + "\n")
        code = 0
    finally:
        os._exit(code)

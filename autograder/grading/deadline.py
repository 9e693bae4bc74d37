"""A deadline for what is computed in this process from hostile evidence, and a way to end it from another thread.

An exception is raised in the thread that computes, which ends loops in Python; a single call into a library is not
ended, but its cost is bounded by the size of the evidence. Time is the thread's own, so that a busy machine does not
change a verdict.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")

SECONDS = 10.0  # of the thread's own time
WALL_FACTOR = 20  # for a thread that only waits
INTERVAL, IDLE = 0.1, 50


class TooLong(BaseException):
    """Raised wherever the thread is. No `Exception`, which a judge or its caller may catch."""


@dataclass(eq=False)
class _Call:
    thread: int
    clock: int
    cpu_end: float
    wall_end: float
    ended: bool = False


class Deadlines:
    """Watches calls in several threads."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = SECONDS if seconds is None else seconds
        self._lock = threading.Lock()  # plain: entering a lock written in Python could be interrupted once it is held
        self._calls: set[_Call] = set()
        self._watching = False
        self._stopped = False

    def stop(self) -> None:
        """End all calls within a moment, and those to come."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        return self._stopped

    def call(self, function: Callable[[], Result]) -> Result:
        """What the function returns. It must hold no lock that was taken within it when it is ended.

        Raises:
            TooLong: It took too long, or `stop` was called.
        """
        call = self._begin()
        try:
            try:
                return function()
            finally:
                self._end(call)
        except TooLong:
            self._end(call)  # which the exception may have kept from happening; it is raised only once
            raise

    def _begin(self) -> _Call:
        clock = time.pthread_getcpuclockid(threading.get_ident())
        call = _Call(
            threading.get_ident(), clock, time.clock_gettime(clock) + self._seconds,
            time.monotonic() + WALL_FACTOR * self._seconds,
        )  # fmt: skip
        with self._lock:
            self._calls.add(call)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        return call

    def _end(self, call: _Call) -> None:
        with self._lock:
            if call in self._calls:
                self._calls.remove(call)
                if call.ended:
                    _raise_in(call.thread, None)  # take back what has not been raised yet

    def _watch(self) -> None:
        """Until there has been nothing to watch for a while; the next call starts another thread."""
        idle = 0
        while True:
            time.sleep(INTERVAL)
            with self._lock:
                idle = 0 if self._calls else idle + 1
                if idle > IDLE:
                    self._watching = False
                    return
                for call in self._calls:
                    if not call.ended and (self._stopped or _is_over(call)):
                        call.ended = True
                        _raise_in(call.thread, TooLong)


def _is_over(call: _Call) -> bool:
    return time.clock_gettime(call.clock) > call.cpu_end or time.monotonic() > call.wall_end


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """At the thread's next line of Python; None takes it back."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind) if kind else None)

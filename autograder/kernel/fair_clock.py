"""How long a kernel took without the time in which it had to wait for a processor: a busy machine changes no grade."""

from __future__ import annotations

import os
import time

from autograder.kernel import tree

PATIENCE = 20  # times a limit that may pass in all, however busy the machine is
TICKS = os.sysconf("SC_CLK_TCK")


class FairClock:
    """Runs from when it is made.

    Linux notes for each thread how long it was ready to run and did not. The longest of these waits does not count,
    but what a kernel keeps its own processors busy does: many threads of one kernel that wait for each other gain
    nothing. Sleep counts in full. Where Linux does not tell (no schedstat), all time counts.

    Args:
        init_pid: The process below which the kernel runs.
        threads: How many threads a kernel may use for its computations.
    """

    def __init__(self, init_pid: int, threads: int) -> None:
        self._init_pid, self._threads = init_pid, max(1, threads)
        self._before, self._cpu_before = _delays(init_pid), _cpu_seconds(init_pid)
        self._started = time.monotonic()
        self._waited = 0.0

    def waited(self) -> float:
        """Seconds since the start that do not count. To be asked now and then: what has ended is not seen any more."""
        delays = _delays(self._init_pid)
        longest = max((delay - self._before.get(thread, 0.0) for thread, delay in delays.items()), default=0.0)
        busy = (_cpu_seconds(self._init_pid) - self._cpu_before) / self._threads
        self._waited = max(self._waited, min(longest, time.monotonic() - self._started - busy))
        return self._waited


def _delays(init_pid: int) -> dict[str, float]:
    """Seconds that each thread has waited for a processor in its life, by process and thread."""
    found = {}
    for pid in tree.descendants_quickly(init_pid):
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                    found[f"{pid}/{thread}"] = int(file.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            continue
    return found


def _cpu_seconds(init_pid: int) -> float:
    """Processor time of all processes below init, with that of children which have ended."""
    ticks = 0
    for pid in tree.descendants_quickly(init_pid):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                ticks += sum(map(int, file.read().rpartition(b")")[2].split()[11:15]))
        except (OSError, ValueError):
            continue
    return ticks / TICKS

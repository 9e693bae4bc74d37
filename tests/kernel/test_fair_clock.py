"""Limits count a submission's own time: on a machine with far too much to do they end what they end on a quiet one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.kernel import Kernel, KernelPool, tree
from autograder.kernel.fair_clock import FairClock

from .conftest import SOON

HOGS = 12
WORK = """
import time
def work(seconds):
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass
    return seconds
"""
PROBE = "def ask(student, rng):\n    return student.work(0.4)\n"


def pin(pid: int, cpu: int) -> None:
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {cpu})


@pytest.fixture
def crowded(best: KernelPool) -> Iterator[Kernel]:
    """A kernel on a processor that twelve others keep busy."""
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("Linux does not tell here how long a thread waits for a processor")
    cpu = min(os.sched_getaffinity(0))
    # each in a session of its own, or Linux may count them as one against the kernel
    endless = [sys.executable, "-c", "while True: pass"]
    hogs = [subprocess.Popen(endless, start_new_session=True) for _ in range(HOGS)]
    try:
        with best.start() as kernel:
            assert kernel.execute(WORK).status == "ok"
            for pid in (*[hog.pid for hog in hogs], *tree.descendants(kernel._handle.init_pid)):
                pin(pid, cpu)
            yield kernel
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def test_a_cell_that_needs_less_than_its_limit_ends_by_itself(crowded: Kernel) -> None:
    deadline = crowded._deadline
    done = crowded.execute("print(work(0.4))", timeout=1.5)
    assert (done.status, done.stdout_tail) == ("ok", "0.4\n")
    assert done.seconds > 1.5  # so the limit was put off: thirteen share one processor
    assert 0 < done.waited < done.seconds and crowded._deadline == pytest.approx(deadline + done.waited)


def test_a_probe_that_needs_less_than_its_limit_ends_by_itself(crowded: Kernel) -> None:
    request = {"source": PROBE, "name": "ask", "seed": 0, "device": "cpu", "prelude": ""}
    reply = crowded.probe(request, timeout=1.5)
    assert reply.status == "ok" and b"0.4" in reply.payload and reply.seconds > 1.5


@pytest.mark.parametrize("code", ["work(10**6)", "time.sleep(10**6)"])
def test_what_does_not_end_is_ended_there_too(crowded: Kernel, patient: None, code: str) -> None:
    done = crowded.execute(code, timeout=1.0)
    assert done.status == "timeout" and done.seconds < SOON
    assert crowded.execute("print(1)").stdout_tail == "1\n"


def test_sleep_counts_in_full_and_threads_that_wait_for_each_other_gain_nothing(kernel: Kernel) -> None:
    clock = FairClock(kernel._handle.init_pid, threads=1)
    kernel.execute("import time; time.sleep(0.5)")
    assert clock.waited() < 0.4
    crowd = "import multiprocessing as mp\nfork = mp.get_context('fork')\n" + WORK + (
        f"others = [fork.Process(target=work, args=(0.2,)) for _ in range({8 * (os.cpu_count() or 1)})]\n"
        "for other in others: other.start()\nfor other in others: other.join()\n"
    )
    clock, started = FairClock(kernel._handle.init_pid, threads=os.cpu_count() or 1), time.monotonic()
    assert kernel.execute(crowd).status == "ok"
    own = 8 * 0.2  # seconds of every processor that they used up
    assert time.monotonic() - started - clock.waited() >= 0.8 * own

"""Warm kernel pools, one a sandbox level, shared by the whole run.

These tests must pass on a busy machine. So what a limit has to end would never end by itself, what it has not to end
gets much time, and ``SOON`` only tells what a limit ended from what the next limit would have ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.kernel import Kernel, KernelPool, Limits, available_levels, client

SOON = 300.0  # seconds of wall time: whatever happens at all has happened by then
LIMITS = Limits(
    cell_seconds=3 * SOON, probe_seconds=3 * SOON, total_seconds=9 * SOON,
    memory_mb=800, processes=48, file_mb=8, scratch_mb=32,
    output_bytes=200_000, display_bytes=4_000_000, message_bytes=4 * 2**20,
)  # fmt: skip
TOKEN = "the-grader-s-own-token"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what is about to happen."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For kernels that have to live on: they get much time to react to an interrupt before they are killed."""
    monkeypatch.setattr(client, "INTERRUPT_GRACE", SOON)
    monkeypatch.setattr(client, "PROBE_GRACE", SOON)


def needs(level: str) -> None:
    """Skip where a level does not work."""
    reason = available_levels()[level]
    if reason:
        pytest.skip(f"{level}: {reason}")


@pytest.fixture(scope="session")
def readable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that kernels may read."""
    path = tmp_path_factory.mktemp("readable")
    path.chmod(0o755)
    (path / "data.txt").write_text("declared data")
    return path


@pytest.fixture(scope="session")
def pools(readable: Path) -> Iterator[dict[str, KernelPool]]:
    """A warm pool for every level that works here."""
    os.environ["GRADER_TOKEN"] = TOKEN
    made = {
        level: KernelPool(sandbox=level, limits=LIMITS, readable=[readable], env={"EXTRA": "1"})
        for level, reason in available_levels().items()
        if not reason
    }
    yield made
    for pool in made.values():
        pool.close()


@pytest.fixture(scope="session")
def best(pools: dict[str, KernelPool]) -> KernelPool:
    """The pool with the best level."""
    return next(iter(pools.values()))


@pytest.fixture
def kernel(best: KernelPool) -> Iterator[Kernel]:
    """A fresh kernel at the best level."""
    with best.start() as kernel:
        yield kernel


@pytest.fixture(params=["namespaces", "landlock", "process"])
def any_kernel(request: pytest.FixtureRequest, pools: dict[str, KernelPool]) -> Iterator[Kernel]:
    """A fresh kernel at every level in turn."""
    needs(request.param)
    with pools[request.param].start() as kernel:
        yield kernel

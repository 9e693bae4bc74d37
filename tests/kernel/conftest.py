"""Warm kernel pools, one a sandbox level, shared by the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.kernel import Kernel, KernelPool, Limits, available_levels

LIMITS = Limits(
    cell_seconds=20, probe_seconds=10, total_seconds=300, memory_mb=800, processes=48, file_mb=8, scratch_mb=32,
    output_bytes=200_000, display_bytes=4_000_000, message_bytes=4 * 2**20,
)  # fmt: skip
TOKEN = "the-grader-s-own-token"


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

"""Grades whole groups of attacks, two at a time and with honest notebooks between them, in one warm pool a level."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from autograder.grading.batch import Options, grade_batch
from autograder.kernel import KernelPool, Limits, available_levels, client, tree
from autograder.kernel.sandbox import landlock, privileges, view
from autograder.reporting.html import write_pages
from autograder.results.model import SubmissionResult
from autograder.submissions.collect import Submission
from autograder.submissions.notebook import read_notebook

from .attack import HONEST, LEVELS, Attack, Target
from .course import canary, make_course, public_payload
from .harming import SLEEP

LIMITS = Limits(
    cell_seconds=12, probe_seconds=3, total_seconds=25, memory_mb=700, processes=40, file_mb=8, scratch_mb=32,
    output_bytes=200_000, display_bytes=2_000_000, message_bytes=8 * 2**20,
)  # fmt: skip
PLACES = ("used", "reference", "judge", "mistake", "other", "gradebook", "environment", "public")


def unsafe(level: str) -> str:
    """Why attacks must not run at a level on this machine, or "".

    At "process", and at "landlock" before Linux 6.12, a signal reaches whatever has the same user id. Where kernels
    do not get an id of their own, that is everything this user runs.
    """
    if level == "namespaces" or (level == "landlock" and os.getuid() != 0 and landlock.abi() >= 6):
        return ""
    seen = view.describe([], "cpu", view.dgm_directory())
    if privileges.identity(seen["readable"], parents=True) is None:
        return f"{level}: kernels would have our own user id here, and attacks could reach everything this user runs"
    return ""


def levels() -> list[str]:
    """The best level; ``ATTACK_LEVELS=all`` for all that work. Never one that is `unsafe` here."""
    works = [level for level in LEVELS if not available_levels()[level] and not unsafe(level)]
    return (works if os.environ.get("ATTACK_LEVELS") == "all" else works[:1]) or ["none"]


@dataclass
class Group:
    """What came of one group of attacks."""

    results: dict[str, SubmissionResult] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # everything that a person reads, by student
    honest: list[SubmissionResult] = field(default_factory=list)
    left_over: list[int] = field(default_factory=list)
    growth_mb: int = 0
    leaked: dict[str, set[str]] = field(default_factory=dict)  # places of canaries, by student


class SharedPool:
    """Lets a batch use a pool that stays open."""

    def __init__(self, pool: KernelPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def __enter__(self) -> SharedPool:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


def submission(student: str, *cells: str) -> Submission:
    """A notebook of these code cells."""
    found = [
        {"cell_type": "code", "source": cell, "metadata": {"nbgrader": {"points": 99}}, "outputs": []}
        for cell in cells
    ]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"score": 99}, "cells": found}).encode()
    return Submission(student, f"{student}.ipynb", read_notebook(data), read=lambda: data)


class Arena:
    """The course, its secrets, and a pool at one level."""

    def __init__(self, level: str) -> None:
        assert not unsafe(level)  # whatever asked for it
        self.level = level
        self.root = Path(tempfile.mkdtemp(prefix="attacks-"))
        self.root.chmod(0o755)
        self.canaries = {place: canary(place) for place in PLACES}
        os.environ["GRADER_TOKEN"] = self.canaries["environment"]
        self.problem_set = make_course(self.root / "course", self.canaries)
        self._plant()
        self.tcp, self.abstract = socket.socket(), socket.socket(socket.AF_UNIX)
        self.tcp.bind(("127.0.0.1", 0))
        name = f"attacks-{os.getpid()}-{level}"
        self.abstract.bind("\0" + name)
        for listener in (self.tcp, self.abstract):
            listener.listen(50)
        self.target = Target(
            str(self.root / "course"), str(self.root / "out"), os.getpid(), self.tcp.getsockname()[1], name,
            public_payload(self.problem_set), str(self.root / "drop"),
        )
        self.pool = KernelPool(sandbox=level, limits=LIMITS)
        self._groups: dict[str, Group] = {}
        with self.pool.start() as kernel:  # everything warm before memory is measured
            kernel.execute("1")

    def _plant(self) -> None:
        """Files that anybody may read, where only the sandbox is in the way."""
        out = self.root / "out"
        (out / "submitted").mkdir(parents=True)
        (out / "gradebook.db").write_text(self.canaries["gradebook"])
        (out / "submitted" / "other.ipynb").write_text(self.canaries["other"])
        drop = self.root / "drop"
        drop.mkdir()
        drop.chmod(0o777)
        self._planted = self._files()

    def _files(self) -> dict[str, bytes]:
        course = [path for path in (self.root / "course").rglob("*") if path.suffix in (".py", ".toml")]
        out = [self.root / "out" / "gradebook.db", self.root / "out" / "submitted" / "other.ipynb"]
        drop = list((self.root / "drop").rglob("*"))
        return {str(path): path.read_bytes() if path.is_file() else b"" for path in [*course, *out, *drop]}

    @property
    def untouched(self) -> bool:
        """Whether the grader's files are as they were, and none has been added where all may write."""
        return self._files() == self._planted

    def grade(self, attacks: Sequence[Attack], name: str) -> Group:
        """Grade a group once; ``name`` is for the folder."""
        if name not in self._groups:
            self._groups[name] = self._grade(attacks, name)
        return self._groups[name]

    def _grade(self, attacks: Sequence[Attack], name: str) -> Group:
        submissions = []
        for number, attack in enumerate(attacks):
            if number % 6 == 0:
                code = (*HONEST, f"remark = '{self.canaries['other']} {number}'")
                submissions.append(submission(f"honest-{number:02d}", *code))
            cells = attack.cells(self.target) if callable(attack.cells) else attack.cells
            submissions.append(submission(attack.name, *cells))
        out = self.root / "out" / name
        options = Options(jobs=2, sandbox=self.level, limits=LIMITS, seed=secrets.randbits(60))
        group = Group()
        with _Memory() as memory:
            batch = grade_batch(
                self.problem_set, submissions, out, options, make_pool=lambda **_: SharedPool(self.pool)
            )
        group.growth_mb = memory.growth_mb
        group.left_over = self._left_over()
        write_pages(out)
        for result in batch.results:
            page = (out / "html" / "students" / f"{result.student}.html").read_text()
            text = json.dumps(result.to_json(), ensure_ascii=False) + page
            if result.student.startswith("honest-"):
                group.honest.append(result)
            else:
                group.results[result.student] = result
            group.texts[result.student] = text
            group.leaked[result.student] = {place for place, secret in self.canaries.items() if secret in text}
        return group

    def _left_over(self) -> list[int]:
        """Processes below the zygote, and orphans, that do not go away."""
        zygote = self.pool._zygote._process.pid
        until = time.monotonic() + 100
        while (left := tree.descendants(zygote) + _sleepers()) and time.monotonic() < until:
            time.sleep(0.1)
        return left

    def close(self) -> None:
        self.pool.close()
        self.tcp.close()
        self.abstract.close()
        os.environ.pop("GRADER_TOKEN", None)
        shutil.rmtree(self.root, ignore_errors=True)


def _sleepers() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if SLEEP.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


class _Memory:
    """The growth of this process at its highest, in MB."""

    def __enter__(self) -> _Memory:
        self._before = self._peak = _resident_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._peak = max(self._peak, _resident_mb())

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def growth_mb(self) -> int:
        return self._peak - self._before


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20


@pytest.fixture(scope="session", params=levels())
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    if request.param == "none":
        pytest.skip("no level confines attacks here: namespaces do not work, and kernels get no user id of their own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "PROBE_GRACE", 1.0)  # many attacks end when this is over
        patch.setattr(client, "INTERRUPT_GRACE", 1.0)
        arena = Arena(request.param)
        try:
            yield arena
        finally:
            arena.close()

"""A run that is killed with SIGKILL at random moments and started again ends as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading_helpers import (
    BLANK,
    DOUBLE,
    MEAN,
    RIGHT,
    SETUP,
    SUM,
    TRIPLE,
    WRONG_MEAN,
    WRONG_SUM,
    make_course,
    notebook,
    on_disk,
)

COUNT = 24
KILLS = 4
KINDS = [
    RIGHT,
    (SETUP, TRIPLE, SUM, MEAN),
    (SETUP, DOUBLE, WRONG_SUM, MEAN),
    (SETUP, DOUBLE, SUM, WRONG_MEAN),
    BLANK,
    (*RIGHT[:2], "import os\nos._exit(1)", SUM, MEAN),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("course")
    make_course(root)
    (root / "class").mkdir()
    for index in range(COUNT):
        data = notebook(*KINDS[index % len(KINDS)], f"number = {index}")
        (root / "class" / f"s{index:02d}.ipynb").write_bytes(data)
    return root


def start(course: Path, out: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "autograder", "grade", "ps9", "class", "--out", out, "--seed", "5", "--jobs", "2",
               "--no-html"]  # fmt: skip
    return subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen) -> str:
    text, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, text
    return text


def summary(out: Path) -> list[str]:
    return (out / "summary.csv").read_text("utf-8-sig").splitlines()


def children_of(pid: int) -> list[int]:
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in text.split()]


def kill_at_random(process: subprocess.Popen, results: Path, chance: random.Random) -> list[int]:
    """SIGKILL after so many more results, or soon after the start; returns the processes that it had started."""
    before = len(list(results.glob("*.json")))
    wanted = before + chance.randint(0, COUNT // (KILLS + 1))
    deadline = time.monotonic() + 600
    while len(list(results.glob("*.json"))) < wanted and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 0.6))
    started = children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=600)
    return started


@pytest.mark.parametrize("seed", [1])
def test_killed_and_resumed_is_the_same_as_undisturbed(course, seed):
    chance = random.Random(seed)
    out = course / "killed"
    started, counts = [], []
    for _ in range(KILLS):
        started += kill_at_random(start(course, "killed"), out / "results", chance)
        counts.append(len(list((out / "results").glob("*.json"))))
        for path in (out / "results").glob("*.json"):
            json.loads(path.read_text())  # never half a file
    text = finish(start(course, "killed"))
    assert f"of {COUNT}." in text and counts == sorted(counts) and counts[-1] < COUNT, counts
    assert text.count(" (as before)") >= counts[-1]  # what was done before the last kill is not done again
    finish(start(course, "whole"))
    assert on_disk(out) == on_disk(course / "whole") and len(on_disk(out)) == COUNT
    assert summary(out) == summary(course / "whole")
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]  # no kernel outlives its grader


def test_a_run_after_that_grades_nothing(course):
    text = finish(start(course, "whole"))
    assert f"Reused from before: {COUNT} of {COUNT}." in text and " (as before)" not in text  # nothing to do at all
    (course / "whole" / ".unchanged.json").unlink()
    assert finish(start(course, "whole")).count(" (as before)") == COUNT  # each looked up in the cache

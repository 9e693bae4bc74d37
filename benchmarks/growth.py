"""How grading grows with the class: kills and resumption, a second run, memory, and cost for 10, 100, 1000.

    python benchmarks/growth.py [--n 500] [--kills 5] [--sizes 10,100] [--jobs 2] [--out out/bench]

A class of N tiny submissions is graded twice, once undisturbed and once killed with SIGKILL at random moments and
started again; both must give the same results. Then a run with nothing changed. Exit code 1 when a promise is broken:
other results after the kills, memory that grows, or (from 200 submissions on) a second run of 2 % of the first or more.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import tiny

from autograder.results.model import without_times

SECOND_RUN = 0.02  # of the first
FLAT_MB = 32  # memory of the grader between a quarter and the end of the class
JUDGED_FROM = 200  # a start of the program weighs too much in smaller classes


@dataclass
class Run:
    """One `autograder grade`: its seconds, and (results, MB) as it went on."""

    seconds: float
    killed: bool
    memory: list[tuple[int, float]] = field(default_factory=list)


def count(out: Path) -> int:
    return len(list((out / "results").glob("s*.json")))


def grade(root: Path, submissions: str, out: str, jobs: int, kill_at: int | None = None, delay: float = 0.0) -> Run:
    """Run the grader to its end, or to ``delay`` seconds after ``kill_at`` results."""
    command = [sys.executable, "-m", "autograder", "grade", "tiny", submissions, "--out", out, "--jobs", str(jobs)]
    log = root / f"{out}.log"
    start = time.perf_counter()
    with log.open("a") as stream:
        process = subprocess.Popen([*command, "--seed", "5"], cwd=root, stdout=stream, stderr=stream)
    watched = psutil.Process(process.pid)
    memory: list[tuple[int, float]] = []
    while process.poll() is None:
        done = count(root / out)
        try:
            memory.append((done, watched.memory_full_info().uss / 2**20))
        except psutil.Error:
            break
        if kill_at is not None and done >= kill_at:
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return Run(time.perf_counter() - start, True, memory)
        time.sleep(0.05 if kill_at is not None else 0.2)
    if process.wait():
        raise SystemExit(f"autograder failed:\n{log.read_text()[-2000:]}")
    return Run(time.perf_counter() - start, False, memory)


def on_disk(out: Path) -> dict[str, object]:
    """All results, without what a clock said."""
    return {path.stem: without_times(json.loads(path.read_text())) for path in sorted((out / "results").glob("*.json"))}


def killed_runs(root: Path, total: int, kills: int, jobs: int, chance: random.Random) -> float:
    """Kill at random moments, then finish. Returns all seconds together."""
    seconds = 0.0
    for moment in sorted(chance.randint(0, total - 1) for _ in range(kills)):
        run = grade(root, "class", "killed", jobs, max(moment, count(root / "killed")), chance.uniform(0, 1))
        seconds += run.seconds
        print(f"  killed after {run.seconds:6.1f} s with {count(root / 'killed')} results")
    return seconds + grade(root, "class", "killed", jobs).seconds


def growth_of_memory(memory: list[tuple[int, float]], total: int) -> tuple[float, float, float]:
    """Median MB around a quarter and at the end of the class, and the greatest."""
    early = [size for done, size in memory if 0.15 * total <= done <= 0.35 * total] or [memory[-1][1]]
    late = [size for done, size in memory if 0.8 * total <= done < total] or [memory[-1][1]]
    return statistics.median(early), statistics.median(late), max(size for _, size in memory)


def cost(root: Path, size: int, jobs: int) -> None:
    """The whole command and the second run, for a class of this size."""
    tiny.make_class(root / f"class{size}", size, first=10_000)
    first = grade(root, f"class{size}", f"out{size}", jobs)
    second = grade(root, f"class{size}", f"out{size}", jobs)
    print(
        f"{size:6d} submissions: first run {first.seconds:7.1f} s ({first.seconds / size:.3f} s each), second "
        f"{second.seconds:5.1f} s ({100 * second.seconds / first.seconds:.1f} %), "
        f"largest memory {max(size for _, size in first.memory):.0f} MB",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--sizes", default="10,100", help="classes to measure the cost of, for example 10,100,1000")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1, help="of the moments to kill at")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    options = parser.parse_args()
    root = options.out.resolve() / "growth"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    tiny.make_course(root)
    tiny.make_class(root / "class", options.n)

    whole = grade(root, "class", "whole", options.jobs)
    results = on_disk(root / "whole")
    scores = {name: data["score"] for name, data in results.items()}  # type: ignore[index]
    broken = []
    if scores != {f"s{number:04d}": tiny.score(number) for number in range(options.n)}:
        broken.append("not every submission got its score")
    each = whole.seconds / options.n
    print(f"{options.n} submissions, {options.jobs} at once: {whole.seconds:.1f} s, {each:.3f} s each")
    early, late, most = growth_of_memory(whole.memory, options.n)
    print(f"memory of the grader (USS): {early:.0f} MB at a quarter, {late:.0f} MB at the end, {most:.0f} MB at most")
    if late - early > FLAT_MB:
        broken.append(f"memory grew by {late - early:.0f} MB")
    again = grade(root, "class", "whole", options.jobs)
    share = again.seconds / whole.seconds
    print(f"second run with nothing changed: {again.seconds:.1f} s, {100 * share:.1f} % of the first")
    if share >= SECOND_RUN and options.n >= JUDGED_FROM:
        broken.append(f"the second run took {100 * share:.1f} % of the first")
    if options.kills:
        seconds = killed_runs(root, options.n, options.kills, options.jobs, random.Random(options.seed))
        same = on_disk(root / "killed") == results
        text = "the same" if same else "DIFFER"
        print(f"killed {options.kills} times and resumed: {seconds:.1f} s in all, results {text}")
        if not same:
            broken.append("results after the kills differ")
    for size in map(int, filter(None, options.sizes.split(","))):
        cost(root, size, options.jobs)
    for what in broken:
        print(f"broken promise: {what}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())

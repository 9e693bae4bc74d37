"""The same tiny torch submissions graded by this autograder, by `nbgrader autograde` and by `otter run`.

    python benchmarks/rivals.py [--n 30] [--rivals 5] [--out out/bench]

The same answer cells, points and checks for all three, on the same machine, in one run. Four figures, in seconds for
one submission:

alone          the whole command for a single submission, median; the three take turns
one at a time  a command for the whole class, divided by its size; otter has no such command without Docker
all cores      the class with as many at once as there are cores: our --jobs, and that many `otter run` commands side
               by side; nbgrader has one gradebook and no such option

The rivals get the first few submissions only. Otter has an environment of its own, made below OUT/otter. What cannot
be run here is left out with a line that says why.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tiny

OTTER, TORCH = "otter-grader==7.0.0", "torch==2.13.0"
RUN_SECONDS = 300
CORES = os.cpu_count() or 1
INSTALL_SECONDS = 1800


class Skipped(Exception):
    """Why a rival is left out, in one line."""


@dataclass
class Figures:
    """Seconds for one submission: of commands for it alone, and of its part in a class."""

    one: list[float] = field(default_factory=list)
    share: float | None = None  # one at a time
    crowd: float | None = None  # all cores
    size: int = 1  # of the class in one command

    @property
    def median(self) -> float:
        return statistics.median(self.one)

    @property
    def further(self) -> float | None:
        """What one more submission adds to a class."""
        each = self.share if self.crowd is None else self.crowd
        return each if each is None or self.size == 1 else (each * self.size - self.median) / (self.size - 1)


def timed(command: Sequence[str | Path], cwd: Path) -> float:
    """Wall seconds of a command; `Skipped` with its last words when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PATH"] = f"{Path(command[0]).parent}:{environment.get('PATH', os.defpath)}"  # its own programs first
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=RUN_SECONDS, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Skipped(f"{command[0]}: {error}") from None
    seconds = time.perf_counter() - start
    if done.returncode:
        raise Skipped(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return seconds


class Ours:
    """This autograder."""

    name = "autograder"

    def __init__(self, root: Path, rivals: int, count: int) -> None:
        self.root, self.count = root, count
        self.size = count
        self.grade = [sys.executable, "-m", "autograder", "grade", "tiny"]
        tiny.make_course(root)
        tiny.make_class(root / "class", count)

    def one(self, number: int) -> float:
        path = self.root / "class" / f"s{number:04d}.ipynb"
        return timed([*self.grade, path, "--out", self.root / f"one{number}", "--jobs", "1"], self.root)

    def share(self) -> float | None:
        return self._class(1)

    def crowd(self) -> float | None:
        return self._class(CORES)

    def _class(self, jobs: int) -> float:
        folder, out = self.root / "class", self.root / f"all{jobs}"
        seconds = timed([*self.grade, folder, "--out", out, "--jobs", str(jobs)], self.root)
        rows = json.loads((out / "summary.json").read_text())
        if [row["score"] for row in rows] != [tiny.score(number) for number in range(self.count)]:
            raise Skipped("the scores are not what they should be")
        return seconds / self.count


# nbgrader: checks as locked cells with hidden tests in them


def nbgrader_notebook() -> str:
    def tag(id: str, **more: object) -> dict[str, object]:
        return {"nbgrader": {"schema_version": 3, "grade_id": id, "grade": False, "solution": False, "locked": False,
                             "task": False, **more}}  # fmt: skip

    cells = [tiny.code_cell(tiny.SETUP)]
    for id, text in tiny.ANSWERS.items():
        head, body = text.split("\n", 1)
        source = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        cells.append(tiny.code_cell(source, **tag(id, solution=True)))
        test = f"### BEGIN HIDDEN TESTS\n{check(id, 'assert ')}\n### END HIDDEN TESTS"
        cells.append(tiny.code_cell(test, **tag(f"test_{id}", grade=True, locked=True, points=tiny.POINTS[id])))
    return tiny.notebook(cells)


def check(id: str, prefix: str) -> str:
    """The hidden test of one question."""
    compare = f"torch.allclose({tiny.CALLS[id]}(x), {tiny.LIBRARY[id]}, rtol=1e-4, atol=1e-5)"
    return f"x = torch.randn(4, 5)\n{prefix}{compare}"


class Nbgrader:
    """`nbgrader autograde`, from the environment that runs this script."""

    name = "nbgrader autograde"

    def __init__(self, root: Path, rivals: int, count: int) -> None:
        self.root, self.rivals, self.size = root, rivals, rivals
        self.command = Path(sys.executable).parent / "nbgrader"
        if not self.command.exists():
            raise Skipped('nbgrader is not installed: pip install -e ".[build]"')
        (root / "source" / "tiny").mkdir(parents=True)
        (root / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.root = {str(root)!r}\n")
        (root / "source" / "tiny" / "tiny.ipynb").write_text(nbgrader_notebook())
        timed([self.command, "generate_assignment", "tiny"], root)
        released = json.loads((root / "release" / "tiny" / "tiny.ipynb").read_text())
        for number in range(rivals):
            folder = root / "submitted" / f"s{number:04d}" / "tiny"
            folder.mkdir(parents=True)
            answers = tiny.answers(number)
            for cell in released["cells"]:
                id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
                cell["source"] = answers.get(id, cell["source"])
            (folder / "tiny.ipynb").write_text(json.dumps(released))

    def one(self, number: int) -> float:
        return timed([self.command, "autograde", "tiny", "--student", f"s{number:04d}"], self.root)

    def share(self) -> float | None:
        seconds = timed([self.command, "autograde", "tiny", "--force"], self.root)
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as book:
            got = [book.find_submission("tiny", f"s{number:04d}").score for number in range(self.rivals)]
        if got != [tiny.score(number) for number in range(self.rivals)]:
            raise Skipped(f"the scores are not what they should be: {got}")
        return seconds / self.rivals

    def crowd(self) -> float | None:
        return None


# otter: checks as its own test files


def otter_test(id: str) -> str:
    lines = check(id, "").split("\n")
    code = "".join(f">>> {line}\n" for line in lines) + "True"
    case = {"code": code, "hidden": True, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": id, "points": tiny.POINTS[id], "suites": [suite]}
    return f"OK_FORMAT = True\ntest = {test!r}\n"


def otter_environment(folder: Path) -> Path:
    """An environment with otter and torch, made once."""
    python = folder / "bin" / "python"
    if not (folder / "bin" / "otter").exists():
        print(f"installing {OTTER} and {TORCH} into {folder.name} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
            install = [python, "-m", "pip", "install", "--quiet", OTTER, TORCH, "ipykernel"]
            subprocess.run(install, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            words = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1:]
            shutil.rmtree(folder, ignore_errors=True)
            raise Skipped(f"{OTTER} cannot be installed: {' '.join(words)[:300]}") from None
    return folder / "bin" / "otter"


class Otter:
    """`otter run`, from an environment of its own."""

    name = "otter run"

    def __init__(self, root: Path, rivals: int, count: int) -> None:
        self.root, self.rivals, self.size = root, rivals, 1
        self.command = otter_environment(root.parent.parent / "otter")
        (root / "tests").mkdir()
        for id in tiny.ANSWERS:
            (root / "tests" / f"{id}.py").write_text(otter_test(id))
        (root / "otter_config.json").write_text("{}\n")
        timed([self.command, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], root)
        for number in range(rivals):
            cells = [tiny.code_cell("import otter\ngrader = otter.Notebook()"), tiny.code_cell(tiny.SETUP)]
            for id, text in tiny.answers(number).items():
                cells += [tiny.code_cell(text), tiny.code_cell(f'grader.check("{id}")')]
            (root / f"s{number:04d}.ipynb").write_text(tiny.notebook(cells))
            (root / f"result-s{number:04d}").mkdir()

    def one(self, number: int) -> float:
        name = f"s{number:04d}"
        run = [self.command, "run", "-a", "autograder.zip", "-o", f"result-{name}", "--no-logo", f"{name}.ipynb"]
        seconds = timed(run, self.root)
        tests = json.loads((self.root / f"result-{name}" / "results.json").read_text())["tests"]
        score = sum(test.get("score", 0) for test in tests)
        if round(score, 6) != tiny.score(number):
            raise Skipped(f"{name} gets {score:g} and not {tiny.score(number)}")
        return seconds

    def share(self) -> float | None:
        return None

    def crowd(self) -> float | None:
        start = time.perf_counter()
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(self.one, range(self.rivals)))
        return (time.perf_counter() - start) / self.rivals


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=30, help="submissions in our class")
    parser.add_argument("--rivals", type=int, help="submissions for each command alone (default: 5, at most N)")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    options = parser.parse_args()
    rivals = min(options.rivals or 5, options.n)
    out = options.out.resolve()
    root = out / "rivals"
    shutil.rmtree(root, ignore_errors=True)
    for make in (Ours, Nbgrader, Otter):
        (root / make.__name__.lower()).mkdir(parents=True)
    found: dict[str, Figures] = {}
    graders = []
    for make in (Ours, Nbgrader, Otter):
        with left_out(make.name, found):
            graders.append(make(root / make.__name__.lower(), rivals, options.n))
            found[make.name] = Figures(size=graders[-1].size)
    for number in range(rivals):  # in turn, so that whatever else the machine does disturbs all alike
        for grader in [grader for grader in graders if grader.name in found]:
            with left_out(grader.name, found):
                found[grader.name].one.append(grader.one(number))
    for grader in [grader for grader in graders if grader.name in found]:
        with left_out(grader.name, found):
            found[grader.name].share = grader.share()
            found[grader.name].crowd = grader.crowd()
    show(found, rivals, options.n)


@contextmanager
def left_out(name: str, found: dict[str, Figures]) -> Iterator[None]:
    """Says why a grader is left out, once."""
    try:
        yield
    except Skipped as why:
        found.pop(name, None)
        print(f"{name} is left out: {why}", flush=True)


def show(found: dict[str, Figures], rivals: int, count: int) -> None:
    """One line each, with ratios to our own class on all cores, and to what one more submission adds to it."""
    print(f"\nseconds for one submission; {count} in our class, {rivals} in those of the others, {CORES} cores")
    print(
        f"{'':20s} {'alone':>8s} {'one at a time':>14s} {'all cores':>10s} {'each further':>13s}   "
        "ratio of the first three to our class on all cores; of the last to our last"
    )
    mine = found.get("autograder")
    for name, figures in found.items():
        values = (figures.median, figures.share, figures.crowd)
        shown = ["–" if value is None else f"{value:.2f}" for value in values]
        ratios = "".join(
            f"{value / mine.crowd:8.1f}" if value is not None and mine and mine.crowd else f"{'–':>8s}"
            for value in values
        )
        last = f"{figures.further / mine.further:8.1f}" if mine and mine.further and figures.further else f"{'–':>8s}"
        further = "–" if figures.further is None else f"{figures.further:.3f}"
        print(f"{name:20s} {shown[0]:>8s} {shown[1]:>14s} {shown[2]:>10s} {further:>13s}   {ratios}{last}")


if __name__ == "__main__":
    main()

"""What grading itself costs: a kernel's start, the CPU time beyond the student's own code, memory of an idle kernel.

    python benchmarks/grading.py [ps1 | tiny] [--copies 10] [--kernels 12]

The submissions are copies of one right solution: of the sample class (made by examples/make_class.py), or of the tiny
set of `tiny.py`. The student's own code is what cells and probes cost in a plain forked process.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import tiny
import torch

from autograder.course import course_root, load_course
from autograder.grading.batch import Options, grade_batch
from autograder.kernel import Kernel, KernelPool, Limits, modules_for
from autograder.kernel.handle import ProcessHandle
from autograder.kernel.warmup import preload
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.sets import find_outline
from autograder.submissions.collect import Submission, collect
from autograder.submissions.front_end import without_front_end_lines
from autograder.submissions.matching import matcher_for
from autograder.submissions.notebook import CodeCell, Notebook
from dgm.checks.runtime import run_probe


def right_solution(name: str, folder: Path) -> tuple[ProblemSet, Submission, Limits]:
    """The problem set and a submission with everything right."""
    if name == "tiny":
        problem_set = load_problem_set(tiny.make_course(folder))
        tiny.make_class(folder / "class", 1)
        return problem_set, collect([folder / "class"], matcher_for(problem_set))[0], Limits()
    root = course_root()
    problem_set = load_problem_set(find_outline(name, root))
    make = [sys.executable, str(root / "examples" / "make_class.py"), name, "--out", str(folder / "class"), "--quiet"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    submissions = collect([folder / "class"], matcher_for(problem_set, root))
    limits = Limits(**load_course(root).limits)  # type: ignore[arg-type]
    return problem_set, next(item for item in submissions if item.student == "ada"), limits


def copies(submission: Submission, count: int) -> list[Submission]:
    """The same work by so many students, each with a comment of its own so that it is graded."""
    assert submission.notebook is not None
    cells = submission.notebook.cells
    return [
        Submission(f"s{number}", "", Notebook((*cells, CodeCell(len(cells) + 1, f"# copy {number}")), f"{number:064x}"))
        for number in range(count)
    ]


class CountedKernels(KernelPool):
    """Adds up what kernels have used; Linux does not pass on the time of a namespace that is killed as a whole."""

    seconds = 0.0

    def forget(self, kernel: Kernel, handle: ProcessHandle) -> None:
        """Called just before the kernel is killed."""
        try:
            init = psutil.Process(handle.init_pid)
            CountedKernels.seconds += sum(sum(item.cpu_times()[:4]) for item in init.children(recursive=True))
        except psutil.Error:  # it has died already
            pass
        super().forget(kernel, handle)


def processor_seconds() -> float:
    """Of this process, its descendants that have ended, and kernels."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return CountedKernels.seconds + sum(usage.ru_utime + usage.ru_stime for usage in used)


def own_code(problem_set: ProblemSet, submission: Submission) -> float:
    """CPU seconds of cells and probes in a plain fork of this process."""
    assert submission.notebook is not None
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 1)
            os.dup2(null, 2)
            start = time.process_time()
            names: dict[str, object] = {"__name__": "__main__"}
            for cell in submission.notebook.cells:
                exec(compile(without_front_end_lines(cell.source), "<cell>", "exec"), names)
            for question in problem_set.questions:
                for probe in question.probes:
                    run_probe(probe.function, names, 1)
            os.write(write, f"{time.process_time() - start}".encode())
        finally:
            os._exit(0)
    os.close(write)
    text = os.read(read, 100)
    os.close(read)
    os.waitpid(pid, 0)
    if not text:
        raise SystemExit("The right solution fails outside of a kernel.")
    return float(text)


def memory(kernel: Kernel) -> float:
    """MB that no other process shares, of a kernel and its init."""
    init = psutil.Process(kernel._handle.init_pid)
    return sum(process.memory_full_info().uss for process in (init, *init.children(recursive=True))) / 2**20


def kernels(count: int) -> tuple[list[float], list[float], float]:
    """Seconds until each kernel was ready, MB of each idle one, and seconds of warming the pool up."""
    begun = time.perf_counter()
    with KernelPool() as pool:
        pool.start().close()
        warm = time.perf_counter() - begun
        seconds, alive = [], []
        for _ in range(count):
            start = time.perf_counter()
            alive.append(pool.start())
            seconds.append(time.perf_counter() - start)
        time.sleep(0.5)
        return seconds, [memory(kernel) for kernel in alive], warm


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("problem_set", nargs="?", default="ps1")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--kernels", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.update(DGM_BUDGET="smoke", DGM_GRADING="1", MPLBACKEND="agg")

    ready, idle, warm = kernels(options.kernels)
    print(f"kernel ready: median {statistics.median(ready):.3f} s of {len(ready)} (the first one, cold: {warm:.1f} s)")
    print(f"memory of an idle kernel (USS): median {statistics.median(idle):.0f} MB, largest {max(idle):.0f} MB")

    with tempfile.TemporaryDirectory() as scratch:
        problem_set, submission, limits = right_solution(options.problem_set, Path(scratch))
        preload(modules_for(problem_set.cells_text))  # as in a kernel
        own = statistics.median(own_code(problem_set, submission) for _ in range(3))
        how = Options(limits=limits, seed=1)
        base, _ = graded(problem_set, copies(submission, 1), Path(scratch) / "one", how)
        total, seconds = graded(problem_set, copies(submission, 1 + options.copies), Path(scratch) / "all", how)
    each = (total - base) / options.copies
    print(
        f"{problem_set.name}, each right submission: {statistics.median(seconds):.2f} s (median), of CPU {each:.2f} s; "
        f"the student's own code {own:.2f} s, so the grader's part is {each - own:.2f} s"
    )


def graded(
    problem_set: ProblemSet, submissions: list[Submission], out: Path, how: Options
) -> tuple[float, list[float]]:
    """CPU seconds of a whole batch, one at a time, and the wall time of each submission."""
    used = processor_seconds()
    batch = grade_batch(problem_set, submissions, out, how, make_pool=CountedKernels)
    points = sum(question.points for question in problem_set.questions)  # bonus questions among them
    scores = [result.score + result.bonus for result in batch.results]
    if any(score != points for score in scores):
        raise SystemExit(f"The right solution gets {scores[0]} of {points}.")
    return processor_seconds() - used, [result.seconds for result in batch.results]


if __name__ == "__main__":
    main()

"""``autograder build ps1``: the student and the solution notebook of an assignment."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from autograder.course import course_root, load_course
from autograder.errors import UserError
from autograder.jupyter import quick_jupyter
from autograder.probes.load import load_problem_set
from autograder.sets import find_outline

if TYPE_CHECKING:
    from autograder.authoring.execute import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("problem_set", help="for example ps1, or the path of an outline or a problem set's folder")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a notebook is stale")
    parser.add_argument(
        "--profile", choices=("smoke", "cpu", "gpu"), help="budget of the solution's training cells (default cpu)"
    )
    run = parser.add_mutually_exclusive_group()
    run.add_argument("--no-execute", action="store_true", help="keep the solution's outputs; fail if its code changed")
    run.add_argument("--execute", action="store_true", help="execute the solution even if its code has not changed")


def run(options: argparse.Namespace) -> int:
    quick_jupyter()
    from autograder.authoring.build import build, check

    if options.check and (options.execute or options.no_execute or options.profile):
        raise UserError("--check executes nothing: leave out --execute, --no-execute and --profile.")
    start = time.perf_counter()
    course = load_course(course_root())
    problem_set = load_problem_set(find_outline(options.problem_set, course.root))
    if options.check:
        stale = check(problem_set, course)
        if stale:
            raise UserError(f"{' and '.join(stale)}: run `autograder build {options.problem_set}`.", 1)
        print(f"{problem_set.name} is up to date ({time.perf_counter() - start:.1f} s).")
        return 0
    live = sys.stderr.isatty()

    def report(progress: Progress) -> None:
        line = f"executing {progress.cell}/{progress.cells} {progress.id} ({progress.seconds:.0f} s)"
        print(f"\r{line:<70}" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)

    how = "always" if options.execute else "never" if options.no_execute else "changed"
    built = build(problem_set, course, profile=options.profile, run=how, report=report)
    if live and built.executed:
        print(file=sys.stderr)
    for note in built.notes:
        print(f"note: {note}", file=sys.stderr)
    seconds = time.perf_counter() - start
    print(f"{built.student}  {built.student_bytes / 1024:.0f} kB, of which checks {built.payload_bytes / 1024:.0f} kB")
    outputs = f"executed with the {options.profile or 'cpu'} profile" if built.executed else "outputs kept"
    print(f"{built.solution}  {built.solution_bytes / 1024:.0f} kB, {outputs}; {seconds:.1f} s in all")
    return 0

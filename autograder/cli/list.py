"""``autograder list``: the assignments of this course; ``autograder list ps1``: what ps1 asks of a student."""

from __future__ import annotations

import argparse

from autograder.course import course_root
from autograder.sets import all_outlines, find_outline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "problem_set", nargs="?", help="for example ps1: shows points, time, words and lines of its questions"
    )


def run(options: argparse.Namespace) -> int:
    if options.problem_set is not None:
        return _show(options.problem_set)
    for outline in all_outlines(course_root()):
        print(outline.name)
    return 0


def _show(assignment: str) -> int:
    """The table of one assignment."""
    from autograder.jupyter import quick_jupyter

    quick_jupyter()
    from autograder.probes.load import load_problem_set
    from autograder.probes.workload import COLUMNS, summary, workload

    load = workload(load_problem_set(find_outline(assignment, course_root())))
    rows = [COLUMNS, *(share.row() for share in load.rows())]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for name, *numbers in rows:
        print("  ".join([name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(numbers, widths[1:]))]))
    print()
    for share in (load.core, load.optional):
        if share is not None:
            print(f"{share.name}: {summary(share)}.")
    return 0

"""``autograder release ps1 --out DIR``: what students or other grading systems get."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.course import course_root, load_course
from autograder.jupyter import quick_jupyter
from autograder.probes.load import load_problem_set
from autograder.sets import find_outline

TARGETS = {
    "plain": "a folder and a zip: notebook, instructions, requirements",
    "nbgrader": "a course tree: source/ and release/ versions that nbgrader reads",
    "otter": "test files of otter-grader with the public checks",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("problem_set", help="for example ps1, or the path of an outline or a problem set's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; made if it is missing")
    parser.add_argument(
        "--target", choices=tuple(TARGETS), default="plain", help="; ".join(f"{k}: {v}" for k, v in TARGETS.items())
    )


def run(options: argparse.Namespace) -> int:
    quick_jupyter()
    from autograder.authoring.release import release

    course = load_course(course_root())
    problem_set = load_problem_set(find_outline(options.problem_set, course.root))
    done = release(problem_set, course, options.out, options.target)
    for path in done.files:
        print(path)
    for note in done.notes:
        print(f"note: {note}.")
    return 0

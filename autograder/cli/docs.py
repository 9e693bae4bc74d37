"""``autograder docs ps1``: write the instructor's page ``docs/ps1.md``."""

from __future__ import annotations

import argparse
import sys

from autograder.authoring.instructor_page import instructor_page
from autograder.course import course_root, load_course
from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from autograder.sets import find_outline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("problem_set", help="for example ps1")
    parser.add_argument("--check", action="store_true", help="only say whether the page is up to date")


def run(options: argparse.Namespace) -> int:
    course = load_course()
    problem_set = load_problem_set(find_outline(options.problem_set, course_root()))
    text = instructor_page(problem_set)
    path = course.root / "docs" / f"{problem_set.name}.md"
    if options.check:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return 0
        raise UserError(f"{path} is stale: run `autograder docs {problem_set.name}`.", 1)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None
    print(f"wrote {path}", file=sys.stderr)
    return 0

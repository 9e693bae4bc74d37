"""``autograder list``: the assignments of this course, one a line."""

from __future__ import annotations

import argparse

from autograder.course import course_root
from autograder.sets import all_outlines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace) -> int:
    for outline in all_outlines(course_root()):
        print(outline.name)
    return 0

"""``autograder report OUT``: writes the HTML pages of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder given to `autograder grade --out`")


def run(options: argparse.Namespace) -> int:
    from autograder.course import load_course
    from autograder.errors import UserError
    from autograder.reporting.html import write_pages
    from autograder.results.store import Store
    from autograder.results.summary import write_summary

    try:
        title = load_course().title
    except UserError:  # results can be read anywhere
        title = ""
    try:
        write_summary(options.out, Store(options.out, create=False).results())
        page = write_pages(options.out, title)
    except OSError as error:
        raise UserError(f"{options.out} cannot be written to ({error.strerror}).") from None
    print(page)
    return 0

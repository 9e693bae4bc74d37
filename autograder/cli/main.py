"""``autograder COMMAND``: parses arguments, runs the command, turns errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from autograder import __version__
from autograder.errors import UserError

# name -> (module, one line). Modules are imported only when their command runs, so that --help is fast.
COMMANDS = {
    "list": "list the assignments of this course",
    "new": "write the files of a new question, or of a new problem set",
    "build": "build the student and solution notebooks of a problem set from its source",
    "prove": "prove that the hidden tests accept right answers and catch every named mistake",
    "grade": "grade submissions: notebooks, zips, folders",
    "check": "check one notebook and read the answer in the terminal",
    "report": "write the HTML pages of a grading run again from its results",
    "release": "write what students get: notebook, instructions, requirements",
    "docs": "write the instructor's page of a problem set",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="autograder", description="Problem sets on deep generative models.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--traceback", action="store_true", help="show where an error comes from (for developers)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    arguments = list(sys.argv[1:] if argv is None else argv)
    wanted = next((word for word in arguments if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == wanted:
            importlib.import_module(f"autograder.cli.{name}").add_arguments(sub)
    options = parser.parse_args(arguments)
    try:
        return int(importlib.import_module(f"autograder.cli.{options.command}").run(options))
    except UserError as error:
        if options.traceback:
            raise
        print(f"autograder: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("autograder: stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141

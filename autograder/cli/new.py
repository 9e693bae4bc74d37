"""``autograder new FOLDER/q07_topic``: a new question, which builds and whose proof says what is still to do."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.sets import SetFolder, question_id


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "question", type=Path, metavar="FOLDER/qNN_topic",
        help="the folder to make, for example ps1_simple_models/q16_kernel_density; a new problem set is made with it",
    )


def run(options: argparse.Namespace) -> int:
    from autograder.authoring.scaffold import new_question

    for path in new_question(options.question):
        print(path)
    name, id = SetFolder(options.question.resolve().parent).short_name, question_id(options.question.name)
    print(f"Next: autograder build {name} --profile smoke, then autograder prove {name} --question {id} --seeds 5.")
    return 0

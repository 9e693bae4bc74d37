"""``autograder check NOTEBOOK``: is this right, and if not, what went wrong?"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.cli.grade import add_sandbox_arguments, device, limits, one_thread, say
from autograder.errors import UserError
from autograder.probes.names import answers_named
from autograder.sets import find_outline
from autograder.trust import trust_outline, trusted_course

if TYPE_CHECKING:
    from autograder.probes.spec import Question
    from autograder.results.model import QuestionResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--set", dest="problem_set", metavar="NAME", help="for example ps1 (default: found out)")
    parser.add_argument("--question", action="append", metavar="ID", help="only this question (may be repeated)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON to standard output")
    add_sandbox_arguments(parser)


def run(options: argparse.Namespace) -> int:
    from autograder.probes.load import load_problem_set
    from autograder.submissions.collect import collect
    from autograder.submissions.matching import matcher_for

    course = trusted_course(options.course, [options.notebook])
    root = course.root
    name = options.problem_set or _found_out(options.notebook, root)
    outline = trust_outline(find_outline(name, root), course, options.course, [options.notebook])
    problem_set = load_problem_set(outline)
    for id in options.question or ():
        problem_set.question(id)
    submission = collect([options.notebook], matcher_for(problem_set, root))[0]

    from autograder.grading.batch import Options, open_pool
    from autograder.grading.referee import Referee, ReferenceFailed
    from autograder.grading.seeds import new_seed
    from autograder.grading.submission import SubmissionGrader
    from autograder.kernel import KernelPool
    from autograder.reporting.feedback import all_right, feedback
    from autograder.results.model import earned, possible

    how = Options(
        device=device(options.device), limits=limits(course), sandbox=options.sandbox or course.sandbox,
        allow_weaker=options.allow_weaker,
    )  # fmt: skip
    console = Console(stderr=True)
    one_thread()
    say(console, f"Checking {options.notebook} against {problem_set.name} …")
    try:
        with open_pool(how, KernelPool, problem_set) as pool:  # prepares a GPU, so it comes before the reference
            grader = SubmissionGrader(problem_set, Referee(problem_set, new_seed(), how.device), pool, how.limits)
            result = grader.grade(submission, only=options.question)
            result.notes = [*submission.notes, *result.notes]
    except ReferenceFailed as error:
        raise UserError(f"{problem_set.name} cannot be used for checking: {error}") from None
    if options.question:
        result.questions = [question for question in result.questions if question.id in options.question]
        result.score, result.bonus = (earned(result.questions, bonus=bonus) for bonus in (False, True))
        result.max_score = possible(result.questions)
    if options.json:
        json.dump(result.to_json(), sys.stdout, ensure_ascii=False)
        print()
    else:
        tips = {question.id: _tip(problem_set.question(question.id), question) for question in result.questions}
        Console().print(feedback(result, tips))
    return 0 if all_right(result) else 1


def _tip(question: Question, result: QuestionResult) -> str:
    """The gentlest hint for the first function that a failed probe calls; empty if there is none."""
    from autograder.results.model import PASSED

    failed = [probe.id for probe in result.probes if probe.status != PASSED]
    for probe in question.probes:
        called = answers_named(ast.parse(probe.source)) if probe.id in failed else set()
        for name, hints in question.hints.items():
            if name in called:
                return f"`{name}`: {hints[0]}"
    return ""


def _found_out(path: Path, root: Path) -> str:
    """The name of the problem set that the notebook answers. Raises `UserError`."""
    from autograder.submissions.matching import find_problem_set
    from autograder.submissions.notebook import NotebookProblem, is_notebook_name, read_notebook

    if not is_notebook_name(path.name):
        raise UserError(f"{path} is not a notebook (.ipynb).")
    try:
        name = find_problem_set(read_notebook(path.read_bytes()), root)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from None
    except NotebookProblem as error:
        raise UserError(f"{path}: {error}") from None
    if name is None:
        raise UserError(f"{path} answers no problem set that is known here; name one with --set.")
    return name

"""``autograder prove ps1``: the kill matrix."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from rich.console import Console
from rich.table import Table

from autograder.authoring.lint import lint
from autograder.course import course_root
from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from autograder.probes.workload import over_budget
from autograder.proving.proof import QuestionProof
from autograder.proving.prove import prove
from autograder.sets import find_outline

WIDE = 120  # where the table goes to a file or a pipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("problem_set", help="for example ps1, or the path of an outline or a problem set's folder")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="seeds per question (default 20)")
    parser.add_argument("--question", action="append", metavar="ID", help="only this question (may be repeated)")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), metavar="N", help="processes")
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")
    parser.add_argument("--verbose", action="store_true", help="show which probe catches which mistake, and times")


def run(options: argparse.Namespace) -> int:
    if options.seeds < 1:
        raise UserError("--seeds must be at least 1.")
    problem_set = load_problem_set(find_outline(options.problem_set, course_root()))
    for id in options.question or ():
        problem_set.question(id)
    console = Console(stderr=True)
    problems = lint(problem_set)
    for text in problems:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    start = time.perf_counter()
    proofs = prove(
        problem_set, options.seeds, options.question, options.jobs, lambda proof: _progress(console, proof)
    )
    seconds = time.perf_counter() - start
    if not problem_set.outline.student_notebook.is_file():
        console.print(f"The blank notebook was not proved: run `autograder build {problem_set.name}` first.")
    wide = None if sys.stdout.isatty() else WIDE
    table_console = console if options.json else Console(width=wide)
    table_console.print(_table(problem_set.name, proofs))
    if options.verbose:
        for proof in proofs:
            _details(table_console, proof)
    for proof in proofs:
        for problem in proof.problems:
            console.print(f"{proof.id}: {problem}", markup=False, highlight=False, soft_wrap=True)
        for text in proof.faults:
            console.print(f"{proof.id}: {text}", markup=False, highlight=False, soft_wrap=True)
        for text in proof.todo:
            console.print(f"{proof.id}, still to do: {text}", markup=False, highlight=False, soft_wrap=True)
    if not options.question:
        for text in over_budget(problem_set):
            console.print(text, markup=False, highlight=False, soft_wrap=True)
    ok = not problems and all(proof.ok for proof in proofs)
    table_console.print(f"{'Proved' if ok else 'NOT proved'} on {options.seeds} seeds in {seconds:.0f} s.")
    if options.json:
        json.dump(
            {
                "assignment": problem_set.name,
                "seeds": options.seeds,
                "questions": [proof.to_json() for proof in proofs],
            },
            sys.stdout,
        )
        print()
    return 0 if ok else 1


def _progress(console: Console, proof: QuestionProof) -> None:
    console.print(f"{proof.id} {'ok' if proof.ok else 'NOT ok'}", highlight=False)


def _table(name: str, proofs: list[QuestionProof]) -> Table:
    table = Table(title=f"Kill matrix of {name}")
    table.add_column("question")
    columns = ("probes", "points", "right", "blank", "other ways", "caught", "named", "misnamed")
    for column in columns:
        table.add_column(column, justify="right")
    for proof in proofs:
        data = proof.to_json()
        table.add_row(
            proof.id, str(proof.probes), f"{proof.points:g}",
            f"{proof.reference_passes}/{proof.seeds}",
            "–" if proof.blank_score is None else f"{proof.blank_score:g}",
            f"{data['alternatives']['passed']}/{data['alternatives']['n']}",
            f"{data['mistakes']['caught']}/{data['mistakes']['n']}",
            f"{data['mistakes']['named']}/{data['mistakes']['n']}",
            str(data["mistakes"]["misnamed"]),
        )
    return table


def _details(console: Console, proof: QuestionProof) -> None:
    note = "slow probes are left out where they are not needed"
    table = Table(title=f"{proof.id}: which probes caught each mistake, and how often of {proof.seeds} ({note})")
    table.add_column("mistake")
    table.add_column("named", justify="right")
    table.add_column("caught by")
    for mistake in proof.mistakes:
        caught = ", ".join(f"{name} {count}" for name, count in mistake.probes.items())
        table.add_row(mistake.id, str(mistake.named), caught)
    console.print(table)
    times = ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in proof.mean_seconds().items())
    console.print(f"Time of each probe on the reference: {times}", highlight=False)

"""What stands around the answers: released cells that a notebook lacks, and lines of it that cannot work here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.kernel import Execution
from autograder.probes.source import Source
from autograder.submissions.definitions import defined_names
from autograder.submissions.front_end import without_front_end_lines, without_import, without_use
from autograder.submissions.notebook import CodeCell

MAX_SKIPPED = 8  # lines of a cell
MISSING_PACKAGE = ("ModuleNotFoundError", "ImportError")


@dataclass(frozen=True)
class Supplied:
    """Released code to run before the notebook, and again after it where it failed and the notebook has no other."""

    first: tuple[str, ...] = ()
    last: frozenset[str] = frozenset()
    note: str = ""


def supplied(source: Source, cells: Sequence[CodeCell]) -> Supplied:
    """The set-up and given cells that the notebook does not have, or has below the first answer."""
    names = {name for cell in source.defining if cell.role == "answer" for name in cell.defines}
    answered = [cell.number for cell in cells if names.intersection(defined_names(cell.source))]
    above = "\n".join(cell.source for cell in cells if not answered or cell.number <= min(answered))
    anywhere = "\n".join(cell.source for cell in cells)
    lines = {line.strip() for line in above.split("\n")}
    first, last, note = [], set(), ""
    own = set(defined_names(anywhere))
    for cell in source.defining:
        text = cell.text.strip()
        if cell.role == "answer" or text in (above if cell.role == "setup" else anywhere):
            continue
        first.append(text)
        if not own.intersection(cell.defines):
            last.add(text)
        if cell.role == "setup" and not {line.strip() for line in text.split("\n")} <= lines:
            note = (
                "The released notebook's set-up cell is missing, changed or below the first answer; it was run first "
                "as it was released. Put it back."
            )
    return Supplied(tuple(first), frozenset(last), note)


def run_without_missing(
    execute: Callable[[str], Execution], source: str, note: Callable[[int, str], None]
) -> Execution:
    """Run a cell; where an import fails because the package is not here, run it again without that line.

    ``note`` hears which line was left out, and why.
    """
    text, unbound = without_front_end_lines(source), set[str]()
    for _ in range(MAX_SKIPPED):
        execution = execute(text)
        if execution.status != "error" or execution.line is None:
            return execution
        skipped: str | None = None
        if execution.ename in MISSING_PACKAGE:
            found = without_import(text, execution.line)
            if found:
                skipped, names = found
                unbound |= names
                note(execution.line, f"left out, as it cannot be imported here ({execution.evalue}).")
        elif execution.ename == "NameError":
            skipped = without_use(text, execution.line, unbound)
        if skipped is None:
            return execution
        text = skipped
    return execution

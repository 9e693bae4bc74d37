"""What an assignment asks of a student: points and effort of each question, of its core, of its optional part.

The core of a problem set keeps to a budget, and `over_budget` says where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.probes.effort import Effort, effort_of
from autograder.probes.load import ProblemSet
from autograder.probes.source import END, TOP

MAX_HOURS, MAX_WORDS, MAX_FUNCTIONS = 10, 10_000, 40
MIN_WRITTEN_POINTS, POINTS = 15, 100


@dataclass(frozen=True)
class Share:
    """Points and effort of a part of an assignment. ``written`` of the ``points`` are for written answers."""

    name: str
    points: float = 0.0
    written: float = 0.0
    effort: Effort = field(default_factory=Effort)
    bonus: bool = False

    def row(self) -> list[str]:
        """Its cells in a table with `COLUMNS`."""
        effort = self.effort
        return [
            self.name, f"{self.points:g}", f"{self.written:g}", f"{effort.minutes:.0f}", f"{effort.words:,}",
            str(effort.functions), str(effort.lines), f"{effort.seconds:g}",
        ]


COLUMNS = ("", "points", "written", "minutes", "words", "functions", "lines", "run s")


@dataclass(frozen=True)
class Workload:
    """The shares of all questions, and of the cells before and after them."""

    questions: tuple[Share, ...]
    frame: Share

    @property
    def core(self) -> Share:
        """All that counts towards the total, with opening and closing."""
        return _added("core", [self.frame, *(share for share in self.questions if not share.bonus)])

    @property
    def optional(self) -> Share | None:
        """The questions with bonus points, if there are any."""
        shares = [share for share in self.questions if share.bonus]
        return _added("optional", shares) if shares else None

    def rows(self) -> list[Share]:
        """All shares in the order of a table, the totals last."""
        return [*self.questions, self.frame, self.core, *([self.optional] if self.optional else [])]


def workload(problem_set: ProblemSet) -> Workload:
    """Of a whole assignment."""
    cells = problem_set.source.cells
    shares = tuple(
        Share(
            f"{question.id} {question.title}{' (optional)' if question.bonus else ''}",
            question.points + question.manual_points, question.manual_points,
            effort_of((c for c in cells if c.section == question.id), question.run_seconds, question.own_minutes),
            question.bonus,
        )
        for question in problem_set.questions
    )
    return Workload(shares, Share("opening and closing", effort=effort_of(c for c in cells if c.section in (TOP, END))))


def _added(name: str, shares: Iterable[Share]) -> Share:
    total = Share(name)
    for share in shares:
        points, written = total.points + share.points, total.written + share.written
        total = Share(name, points, written, total.effort + share.effort)
    return total


def summary(share: Share) -> str:
    """A share in a sentence's half: its points, hours, words, functions and lines."""
    effort = share.effort
    return (
        f"{share.points:g} points, {share.written:g} of them written; {effort.minutes / 60:.1f} hours by the rule; "
        f"{effort.words:,} words; {effort.functions} functions with {effort.lines} lines of solution"
    )


def over_budget(problem_set: ProblemSet) -> list[str]:
    """Where the core does not keep to the budget of a problem set, a sentence each."""
    core = workload(problem_set).core
    hours, words, functions = core.effort.minutes / 60, core.effort.words, core.effort.functions
    whose = f"{problem_set.name}'s core"
    found = []
    if hours > MAX_HOURS:
        found.append(f"{whose} takes {hours:.1f} hours by the rule; at most {MAX_HOURS}.")
    if words > MAX_WORDS:
        found.append(f"{whose} has {words:,} words, docstrings included; at most {MAX_WORDS:,}.")
    if functions > MAX_FUNCTIONS:
        found.append(f"{whose} asks for {functions} functions; at most {MAX_FUNCTIONS}.")
    if core.written < MIN_WRITTEN_POINTS:
        found.append(f"{whose} has {core.written:g} written points; at least {MIN_WRITTEN_POINTS}.")
    if core.points != POINTS:
        found.append(f"{whose} has {core.points:g} points; it should have {POINTS}.")
    return found

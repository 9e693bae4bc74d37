"""What a local check answers: objects that print as text and show as HTML in a notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dgm.checks.words import listed

GOOD, BAD, TODO = "#188038", "#c5221f", "#b06000"
MARKS = {"passed": ("✓", GOOD), "failed": ("✗", BAD), "error": ("✗", BAD), "missing": ("○", TODO)}


class Shown:
    """Base: ``str()`` and ``repr()`` are the text, a notebook shows the HTML."""

    def text(self) -> str:
        raise NotImplementedError

    def html(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


class Quiet(Shown):
    """What every call answers while a grader runs the notebook: nothing to see, nothing executed."""

    passed = None

    def text(self) -> str:
        return "(not run while grading)"

    def html(self) -> str:
        return ""


@dataclass(repr=False)
class Message(Shown):
    """One or more sentences. ``ok`` is False when something went wrong."""

    message: str
    ok: bool = True
    title: str = ""

    def text(self) -> str:
        return f"{self.title}: {self.message}" if self.title else self.message

    def html(self) -> str:
        head = f"<b>{_inline(self.title)}</b> · " if self.title else ""
        lines = "<br>".join(_inline(line) for line in self.message.split("\n"))
        return _box(head + lines, None if self.ok else BAD)


@dataclass
class CheckedProbe:
    """One public check: ``status`` is passed, failed, error or missing; ``message`` says what is wrong."""

    id: str
    title: str
    points: float
    status: str
    message: str = ""
    named: bool = False

    @property
    def passed(self) -> bool:
        return self.status == "passed"


@dataclass(repr=False)
class CheckResult(Shown):
    """The public checks of one question.

    ``points`` counts hidden tests too. ``unseen`` names the answers that no public check looks at, ``open`` those of
    them that are not written yet, ``blocked_by`` the earlier questions that fail and whose answers are needed here.
    """

    question: str
    title: str
    probes: list[CheckedProbe] = field(default_factory=list)
    points: float = 0.0
    bonus: bool = False
    unseen: Sequence[str] = ()
    blocked_by: Sequence[str] = ()
    written_points: float = 0.0
    open: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        return all(probe.passed for probe in self.probes)

    @property
    def earned(self) -> float:
        return sum(probe.points for probe in self.probes if probe.passed)

    @property
    def possible(self) -> float:
        return sum(probe.points for probe in self.probes)

    @property
    def hidden(self) -> float:
        return self.points - self.possible

    def _summary(self) -> str:
        if not self.probes:
            return f"No public checks; {plural(self.points)} {are(self.points)} graded later by hidden tests."
        later = f"; {self.hidden:g} more hidden {plural(self.hidden).split()[1]} {are(self.hidden)} graded later"
        written = f", {self.written_points:g} more by a person for the written answer" if self.written_points else ""
        points = f"{self.earned:g} of {plural(self.possible)}"
        public = f"The public part passes: {points}" if self.passed else f"{points} from public checks"
        free = any(not probe.points and probe.status in ("failed", "error") for probe in self.probes)
        warning = " A check without points that fails will cost hidden ones." if free else ""
        return f"{public}{later if self.hidden else ''}{written}.{warning}"

    def _foot(self) -> list[str]:
        """What the checks above leave open."""
        lines = [self._summary()]
        if self.blocked_by:
            fail = "does not pass its own check" if len(self.blocked_by) == 1 else "do not pass their own checks"
            lines.append(f"{listed(self.blocked_by)} {fail}, and this question needs those answers: look there first.")
        if self.probes and self.unseen:
            names = listed([f"`{name}`" for name in self.unseen])
            still = listed([f"`{name}`" for name in self.open])
            open = f" (not answered yet: {still})" if self.open else ""
            lines.append(f"No public test looks at {names}{open}; hidden tests do.")
        elif self.probes and self.passed and self.hidden:
            lines.append("Hidden tests look at the same functions on further inputs.")
        return lines

    def text(self) -> str:
        lines = [f"{self.question} · {self.title}"]
        for probe in self.probes:
            lines.append(f"  {MARKS[probe.status][0]} {probe.title} ({plural(probe.points)})")
            if probe.message:
                lines.append(f"      {probe.message}")
        return "\n".join([*lines, *(f"  {line}" for line in self._foot())])

    def html(self) -> str:
        rows = []
        for probe in self.probes:
            mark, colour = MARKS[probe.status]
            message = f"<div style='margin-left:1.6em'>{_inline(probe.message)}</div>" if probe.message else ""
            rows.append(
                f"<div><span style='color:{colour};font-weight:bold;display:inline-block;width:1.2em'>{mark}</span>"
                f"{_inline(probe.title)} <span style='opacity:.65'>({plural(probe.points)})</span>{message}</div>"
            )
        head = f"<div><b>{_inline(self.question)} · {_inline(self.title)}</b></div>"
        foot = f"<div style='opacity:.8'>{'<br>'.join(_inline(line) for line in self._foot())}</div>"
        colour = GOOD if self.passed else BAD if any(p.status in ("failed", "error") for p in self.probes) else TODO
        return _box(head + "".join(rows) + foot, colour if self.probes else None)


@dataclass(repr=False)
class Summary(Shown):
    """All questions of a set, one row each, and the points of core questions with bonus points apart.

    ``unwritten`` are the questions without their written answer, ``written_points`` those of core questions.
    """

    assignment: str
    results: Sequence[CheckResult]
    unwritten: Sequence[str] = ()
    written_points: float = 0.0

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = []
        for result in self.results:
            statuses = [probe.status for probe in result.probes]
            state = (
                "no public checks" if not statuses
                else f"✓ public part passes, {len(result.open)} not answered" if result.passed and result.open
                else "✓ public part passes" if result.passed
                else "○ not answered" if set(statuses) == {"missing"}
                else f"✗ {sum(status != 'passed' for status in statuses)} of {len(statuses)} fail"
            )
            bonus = " (bonus)" if result.bonus else ""
            rows.append((f"{result.question} · {result.title}{bonus}", state,
                         f"{result.earned:g} / {result.possible:g}", f"{result.hidden:g}"))
        return rows

    def _total(self) -> list[str]:
        core, optional = ([r for r in self.results if r.bonus is bonus] for bonus in (False, True))
        earned, possible, hidden = (
            sum(getattr(result, name) for result in core) for name in ("earned", "possible", "hidden")
        )
        person = f", {self.written_points:g} by a person" if self.written_points else ""
        extra = sum(result.earned for result in optional)
        bonus = f" + {extra:g} bonus" if extra else ""
        total = (
            f"{earned:g} of {plural(possible)}{bonus} from public checks; {hidden:g} more "
            f"{are(hidden)} graded later by hidden tests{person}."
        )
        if optional:
            most = sum(result.points + result.written_points for result in optional)
            total += f" Optional questions give up to {plural(most).replace(' ', ' bonus ')}."
        return [total, unwritten_line(self.unwritten)] if self.unwritten else [total]

    def text(self) -> str:
        rows = [("question", "public checks", "points", "hidden"), *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
        return "\n".join([self.assignment, *lines, *self._total()])

    def html(self) -> str:
        cells = "".join(
            "<tr>" + "".join(
                f"<td style='text-align:{'left' if column < 2 else 'right'}'>{_inline(text)}</td>"
                for column, text in enumerate(row)
            ) + "</tr>"
            for row in self._rows()
        )
        columns = (("question", "left"), ("public checks", "left"), ("points", "right"), ("hidden", "right"))
        head = "".join(f"<th style='text-align:{side}'>{text}</th>" for text, side in columns)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
        return f"<div>{table}<div>{'<br>'.join(_inline(line) for line in self._total())}</div></div>"


def plural(points: float) -> str:
    """"1 point", "2.5 points"."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def unwritten_line(questions: Sequence[str]) -> str:
    """The sentence about written answers that are missing."""
    return f"No written answer yet: {', '.join(questions)}."


def are(points: float) -> str:
    return "is" if points == 1 else "are"


def _inline(text: str) -> str:
    """Escaped text, with `code` between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _box(inner: str, colour: str | None) -> str:
    return f"<div style='border-left:4px solid {colour or '#8888'};padding:.2em .8em;line-height:1.5'>{inner}</div>"

"""When a question is asked: where the notebook answers it, as the student's own check is, and at the end if need be.

A name that a later cell uses for something else (a picture's helper, a later question's answer) would break an answer
that was right where it was given. On the other hand an answer may need what is defined further down. So what fails in
its place is asked again at the end of the notebook, and the better of the two counts. Every probe runs in a fork of
the kernel, so asking early changes nothing for the cells that follow; where there are no forks all is asked at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograder.grading.outcomes import most_bytes
from autograder.grading.referee import Referee
from autograder.grading.session import Session
from autograder.probes.load import probe_source
from autograder.probes.source import Source
from autograder.probes.spec import Probe, Question
from autograder.results.model import PASSED
from autograder.submissions.notebook import CodeCell
from dgm.checks.runtime import Outcome

_DEFINES = re.compile(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)


def places(source: Source, questions: Sequence[Question], cells: Sequence[CodeCell]) -> dict[int, list[Question]]:
    """The questions by the number of the last cell that defines one of their answers. Some have no such cell."""
    last: dict[str, int] = {}
    for cell in cells:
        for function, variable in _DEFINES.findall(cell.source):
            last[function or variable] = cell.number
    found: dict[int, list[Question]] = {}
    for question in questions:
        numbers = [last[name] for name in source.names(question.id) if name in last]
        if numbers:
            found.setdefault(max(numbers), []).append(question)
    return found


class Asking:
    """Asks the questions of one submission. A session calls `after` with each cell; `outcomes` is for its end."""

    def __init__(self, referee: Referee, questions: Sequence[Question], cells: Sequence[CodeCell]) -> None:
        self._referee = referee
        forks = referee.device == "cpu"
        self._places = places(referee.problem_set.source, questions, cells) if forks else {}
        self._early: dict[str, dict[str, Outcome]] = {}
        self._final: set[tuple[str, str]] = set()  # what ended the kernel is not asked again

    def after(self, session: Session, cell: CodeCell) -> None:
        """Ask the questions whose place this is."""
        for question in self._places.get(cell.number, ()):
            asked = self._early.setdefault(question.id, {})
            for probe in question.probes:
                if probe.name in asked:
                    continue
                outcome = session.early(self._request(question, probe), probe.seconds, self._most(question, probe))
                if outcome is None:
                    return
                asked[probe.name] = outcome
                if not session.alive:
                    self._final.add((question.id, probe.name))
                    return

    def outcomes(self, session: Session, question: Question) -> dict[str, Outcome]:
        """The outcomes that count: those of the question's place, or those of the end of the notebook if better."""
        early = self._early.get(question.id, {})
        for probe in question.probes:
            if probe.name not in early:
                early[probe.name] = self.ask(session, question, probe)
                self._final.add((question.id, probe.name))
        failed = [probe for probe in question.probes if not self._passes(question, probe, early)]
        late: dict[str, Outcome] = {}
        for probe in failed:
            still_a_stub = _is_stub(early[probe.name]) and any(map(_is_stub, late.values()))
            if not still_a_stub and not self._is_final(question, probe, early):
                late[probe.name] = self.ask(session, question, probe)
        if not any(self._passes(question, probe, late) for probe in failed):
            return early
        for probe in question.probes:
            if probe.name not in late:
                late[probe.name] = (
                    early[probe.name] if self._is_final(question, probe, early) else self.ask(session, question, probe)
                )
        return max(early, late, key=lambda outcomes: self._earned(question, outcomes))  # the first where both are alike

    def ask(self, session: Session, question: Question, probe: Probe, prelude: str = "") -> Outcome:
        """Ask one probe at the end of the notebook."""
        return session.probe(self._request(question, probe, prelude), probe.seconds, self._most(question, probe))

    def _request(self, question: Question, probe: Probe, prelude: str = "") -> dict[str, Any]:
        return {
            "source": probe_source(question, probe), "name": probe.name, "device": self._referee.device,
            "seed": self._referee.probe_seed(question, probe), "prelude": prelude,
        }

    def _most(self, question: Question, probe: Probe) -> int:
        return most_bytes(self._referee.expected(question, probe))

    def _passes(self, question: Question, probe: Probe, outcomes: dict[str, Outcome]) -> bool:
        outcome = outcomes.get(probe.name)
        return outcome is not None and self._referee.judge_probe(question, probe, outcome).status == PASSED

    def _is_final(self, question: Question, probe: Probe, early: dict[str, Outcome]) -> bool:
        """Not to be asked again: it was asked at the end, ended the kernel, or would only take its time again."""
        return (question.id, probe.name) in self._final or early[probe.name]["status"] == "timeout"

    def _earned(self, question: Question, outcomes: dict[str, Outcome]) -> float:
        return sum(probe.points for probe in question.probes if self._passes(question, probe, outcomes))


def _is_stub(outcome: Outcome) -> bool:
    return outcome["status"] == "todo"

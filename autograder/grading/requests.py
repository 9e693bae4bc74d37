"""The probes of one submission as data: what is asked, and after which cell.

A question is asked where the notebook answers it, as the student's own check is. A name that a later cell uses for
something else (a picture's helper, a later question's answer) would otherwise break an answer that was right where it
was given. Every probe runs in a fork of the kernel, so asking there changes nothing for the cells that follow; where
there are no forks all is asked at the end of the notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.grading.outcomes import allowed_bytes
from autograder.grading.referee import Referee
from autograder.probes.source import Source
from autograder.probes.spec import Question
from autograder.submissions.definitions import defined_names
from autograder.submissions.notebook import CodeCell

Key = tuple[str, str]  # the ids of a question and one of its probes


@dataclass(frozen=True)
class ProbeRequest:
    """One probe to ask: what the kernel gets, and how long and large the answer may be.

    ``seconds`` is None where the limit of every probe holds.
    """

    question: str
    probe: str
    source: str
    seed: int
    device: str
    seconds: float | None
    byte_limit: int

    @property
    def key(self) -> Key:
        return self.question, self.probe

    def message(self, prelude: str = "") -> dict[str, Any]:
        """What is sent to the kernel; it runs the ``prelude`` first."""
        return {
            "source": self.source, "name": self.probe, "device": self.device, "seed": self.seed, "prelude": prelude,
        }


def probe_requests(referee: Referee, questions: Iterable[Question]) -> dict[Key, ProbeRequest]:
    """A request for each probe of the questions."""
    requests = [
        ProbeRequest(
            question=question.id, probe=probe.id, source=probe.source,
            seed=referee.probe_seed(question, probe), device=referee.device, seconds=probe.seconds,
            byte_limit=allowed_bytes(referee.expected(question, probe)),
        )
        for question in questions
        for probe in question.probes
    ]
    return {request.key: request for request in requests}


def schedule(
    source: Source, requests: Mapping[Key, ProbeRequest], cells: Sequence[CodeCell]
) -> dict[int, list[ProbeRequest]]:
    """By the number of a cell, what to ask when it has run; what is in none of the lists is asked at the end only."""
    last = last_defining_cell(source, {request.question for request in requests.values()}, cells)
    found: dict[int, list[ProbeRequest]] = {}
    for request in requests.values():
        if request.device == "cpu" and request.question in last:  # there are no forks on a GPU
            found.setdefault(last[request.question], []).append(request)
    return found


def last_defining_cell(source: Source, questions: Iterable[str], cells: Sequence[CodeCell]) -> dict[str, int]:
    """By question, the number of the last cell that defines one of its answers. Some have no such cell."""
    defining = {name: cell.number for cell in cells for name in defined_names(cell.source)}  # later cells win
    numbers = {id: [defining[name] for name in source.names(id) if name in defining] for id in questions}
    return {id: max(found) for id, found in numbers.items() if found}

"""Which evidence of a question counts: that of its place in the notebook, or that of the notebook's end.

Asking a question where it is answered is not always right: an answer may need what is defined further down. So what
fails in its place is asked again at the end of the notebook, and the better of the two counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from autograder.grading.referee import Referee
from autograder.grading.requests import Key, ProbeRequest
from autograder.grading.session import Session
from autograder.probes.spec import Probe, Question
from dgm.checks.runtime import Outcome


def evidence_that_counts(
    session: Session, referee: Referee, question: Question, requests: Mapping[Key, ProbeRequest]
) -> dict[str, Outcome]:
    """The outcomes of one question's probes, by name. Asks at the end of the notebook where that may help."""

    def at_the_end(probe: Probe) -> Outcome:
        return session.ask(requests[question.id, probe.id])

    def passes(probe: Probe, outcomes: Mapping[str, Outcome]) -> bool:
        outcome = outcomes.get(probe.id)
        return outcome is not None and referee.passes(question, probe, outcome)

    def earned(outcomes: Mapping[str, Outcome]) -> float:
        return sum(probe.points for probe in question.probes if passes(probe, outcomes))

    first = {name: outcome for (id, name), outcome in session.in_place.items() if id == question.id}
    # Not to be asked again: what ended the kernel, would only take its time again, or is asked at the end now.
    final = {name for name, outcome in first.items() if outcome["status"] == "timeout"}
    final |= {name for id, name in session.fatal if id == question.id}
    for probe in question.probes:
        if probe.id not in first:
            first[probe.id] = at_the_end(probe)
            final.add(probe.id)

    failed = [probe for probe in question.probes if not passes(probe, first)]
    last: dict[str, Outcome] = {}
    for probe in failed:
        still_a_stub = _is_stub(first[probe.id]) and any(map(_is_stub, last.values()))
        if not still_a_stub and probe.id not in final:
            last[probe.id] = at_the_end(probe)
    if not any(passes(probe, last) for probe in failed):
        return first
    for probe in question.probes:  # a question's evidence is of one moment
        if probe.id not in last:
            last[probe.id] = first[probe.id] if probe.id in final else at_the_end(probe)
    return max(first, last, key=earned)  # the first where both are alike


def _is_stub(outcome: Outcome) -> bool:
    return bool(outcome["status"] == "todo")

"""Which probes a mistake is tried on, so that proving a question on many seeds takes a fraction of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograder.grading.referee import Referee
from autograder.probes.spec import Mistake, Probe, Question
from autograder.proving.proof import QuestionProof

SLOW_SECONDS = 0.006  # probes that take longer on the reference are run on mistakes only where they are needed


class ProbeOrder:
    """An order of a question's probes, and how many of them were enough to catch and name each mistake.

    If a mistake is caught and named by some of the probes, the others cannot change that: with more probes fewer other
    mistakes agree with it, and it always agrees with itself. So proving in this order is exact.
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._order: list[Probe] | None = None  # known after the first seed
        self.enough: dict[str, int] = {}

    def parts(self, mistake: Mistake, proof: QuestionProof) -> Iterator[Question]:
        """The question with as many probes as were enough on another seed, and then with more, up to all."""
        if self._order is None:  # all that are fast, to see which of them catch it
            fast = _fast(self._question.probes, proof)
            if fast and len(fast) < len(self._question.probes):
                yield replace(self._question, probes=fast)
            yield self._question
            return
        for count in range(self.enough.get(mistake.id, 1), len(self._order) + 1):
            yield replace(self._question, probes=self._order[:count])

    def learn(self, proof: QuestionProof, referee: Referee) -> None:
        """Put first the probes that catch the most mistakes for their time, given the ones before them."""
        mean, self.enough = proof.mean_seconds(), {}
        left = {mistake.id: mistake for mistake in self._question.mistakes}
        caught = {entry.id: set(entry.probes) for entry in proof.mistakes}
        remaining = list(self._question.probes)
        self._order = []

        def price(probe: Probe) -> tuple[float, float]:
            runs = sum(referee.affects(self._question, mistake, probe) for mistake in left.values())
            catches = sum(probe.id in caught[key] for key in left)
            return mean[probe.id] * runs / catches if catches else float("inf"), mean[probe.id]

        while remaining:
            best = min(remaining, key=price)
            remaining.remove(best)
            self._order.append(best)
            left = {key: mistake for key, mistake in left.items() if best.id not in caught[key]}


def _fast(probes: list[Probe], proof: QuestionProof) -> list[Probe]:
    mean = proof.mean_seconds()
    return [probe for probe in probes if mean[probe.id] < SLOW_SECONDS]

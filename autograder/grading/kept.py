"""What is kept of a submission's evidence until its questions are judged: a verdict each, and evidence within a budget.

Evidence of ordinary size is kept, since mistakes are named by it. What is much larger is judged as it comes, and only
its verdict stays once the budget is used up, so that many large replies take no more memory than a few.
"""

from __future__ import annotations

from autograder.grading.forked import unusually_large, weight
from autograder.grading.referee import Referee
from autograder.grading.requests import Key
from dgm.checks.runtime import Outcome

BUDGET = 32 * 2**20  # bytes of unusually large evidence


class KeptEvidence:
    """The budget of one submission."""

    def __init__(self, referee: Referee, budget: int | None = None) -> None:
        self._referee, self._left = referee, BUDGET if budget is None else budget

    def settle(self, key: Key, outcome: Outcome) -> Outcome:
        """The outcome to keep: as it came, or with its verdict in place of its evidence."""
        question = self._referee.problem_set.question(key[0])
        probe = next(probe for probe in question.probes if probe.id == key[1])
        if not unusually_large(outcome["evidence"], self._referee.expected(question, probe)["evidence"]):
            return outcome
        self._left -= weight(outcome["evidence"])
        return outcome if self._left >= 0 else self._referee.decided(question, probe, outcome)

"""Follow-through credit: one wrong answer should not cost points twice.

A question that failed and `uses` answers of a question that failed too is probed again, after the reference's
version of what it uses has been put in the place of the student's. Only whether that passes is taken from it.

The reference's source enters the student's process here, so the order matters: nothing is sent before all ordinary
evidence has come back, and no source of a question is sent before that question has had its own second try.
"""

from __future__ import annotations

from autograder.probes.load import ProblemSet
from autograder.probes.spec import Question


def owners(problem_set: ProblemSet, question: Question) -> list[str]:
    """Ids of the questions whose answers this one uses, directly or through others, in the set's order."""
    found: set[str] = set()
    waiting = [question]
    while waiting:
        for name in waiting.pop().uses:
            owner = problem_set.source.owner(name)
            if owner is not None and owner not in found:
                found.add(owner)
                waiting.append(problem_set.question(owner))
    return [other.id for other in problem_set.questions if other.id in found]


def in_order(problem_set: ProblemSet) -> list[Question]:
    """The questions, each after all that it uses. A question that uses itself in a circle is left out."""
    depends = {question.id: owners(problem_set, question) for question in problem_set.questions}
    plain = [question for question in problem_set.questions if question.id not in depends[question.id]]
    return sorted(plain, key=lambda question: len(depends[question.id]))


def prelude(problem_set: ProblemSet, wanted: list[str]) -> str:
    """Source that puts the reference's answers of the ``wanted`` questions in place of the student's.

    Setup and given cells run again too, as they may have kept values made with the student's versions; if one of
    them fails, the rest still runs.
    """
    lines = []
    for cell in problem_set.source.defining:
        run = f"exec(compile({cell.text!r}, '<answers cell {cell.index}>', 'exec', dont_inherit=True), globals())"
        if cell.role != "answer":
            lines.append(f"try:\n    {run}\nexcept Exception:\n    pass")
        elif cell.question in wanted:
            lines.append(run)
    return "\n".join(lines) + "\n"


def message(failed: list[str]) -> str:
    """What a student reads beside points given this way."""
    listed = " and ".join([", ".join(failed[:-1]), failed[-1]] if len(failed) > 1 else failed)
    return f"Right, given a correct {listed}."

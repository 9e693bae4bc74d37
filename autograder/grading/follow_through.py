"""Follow-through credit: one wrong answer should not cost points twice.

A question that failed and uses answers of a question that failed too is probed again, after the reference's
version of what it uses has been put in the place of the student's. Only whether that passes is taken from it.
What a question uses is what its hidden tests declare, and what the student's own code of it names.

The reference's source enters the student's process here, so the order matters: nothing is sent before all ordinary
evidence has come back, and no source of a question is sent before that question has had its own second try.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from autograder.probes.load import ProblemSet
from autograder.submissions.definitions import functions_and_classes
from autograder.submissions.notebook import CodeCell
from dgm.checks.words import listed

_WORD = re.compile(r"[^\W\d]\w*")


def used_questions(problem_set: ProblemSet, cells: Sequence[CodeCell]) -> dict[str, list[str]]:
    """For each question, ids of the earlier questions whose answers it uses, directly or through others, in order."""
    owner = {name: question.id for question in problem_set.graded
             for name in problem_set.source.names(question.id)}  # fmt: skip
    defining = _defining(cells, owner)
    found: dict[str, list[str]] = {}
    for question in problem_set.graded:
        names = {*question.uses, *_mentioned(problem_set.source.names(question.id), defining)}
        direct = {owner[name] for name in names if name in owner} & found.keys()  # earlier ones only
        everything = direct.union(*(found[id] for id in direct))
        found[question.id] = [id for id in found if id in everything]
    return found


def _defining(cells: Sequence[CodeCell], answers: Collection[str]) -> dict[str, list[set[str]]]:
    """For each function or class of the notebook, of each cell that defines it the words that tell something: names of
    functions, classes and answers.

    Words, not names: a parser could be made to crash, and a word too many costs no more than a second try.
    """
    defined = [set(functions_and_classes(cell.source)) for cell in cells]
    telling = set(answers).union(*defined)
    found: dict[str, list[set[str]]] = {}
    for cell, names in zip(cells, defined, strict=True):
        words = telling.intersection(_WORD.findall(cell.source)) if names else set()
        for name in names:
            found.setdefault(name, []).append(words)
    return found


def _mentioned(names: Iterable[str], defining: Mapping[str, Sequence[set[str]]]) -> set[str]:
    """The names and all that these lead to. The words of a cell are followed once, however many names it defines."""
    waiting, found, followed = set(names), set[str](), set[int]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        for words in defining.get(name, ()):
            if id(words) not in followed:
                followed.add(id(words))
                waiting |= words - found
    return found


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
    return f"Right, given a correct {listed(failed)}."

"""``grader.check("q3")``: the public checks in the student's own notebook.

::

    from dgm.grader import Grader
    grader = Grader("ps1", checks="…")   # the string is written by the build
    grader.check("q1")                   # run the public checks of a question
    grader.check_all()                   # one row a question
    grader.hint("logsumexp")             # the next hint for a function; hint("q1") lists those that have hints
    grader.show("q1")                    # the source of the public checks
    grader.export()                      # the file to hand in

What is checked here is what is graded, on other inputs: the same probes and judges serve both. These checks run in
the student's own process and count for nothing; the grader runs public and hidden tests again, elsewhere.

An answer with a loop that does not end keeps its check from coming back: interrupt the kernel.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from dgm.checks.words import listed
from dgm.frontend import grading, ipython
from dgm.grader.export import export, saved_notebook, unwritten
from dgm.grader.local import assert_check, check_question, used_questions
from dgm.grader.payload import FrozenQuestion, PayloadError, read_judge, read_questions, unpack
from dgm.grader.results import CheckResult, Message, Quiet, Shown, Summary, plural

__all__ = ["CheckResult", "Grader", "Message", "Quiet", "Summary", "assert_check"]


class Grader:
    """The local checks of one assignment.

    With ``DGM_GRADING=1`` in the environment every call returns a `Quiet` object at once.

    Args:
        assignment: For example "ps1".
        checks: The frozen public checks, or None for a notebook without any.
    """

    def __init__(self, assignment: str, checks: str | None = None) -> None:
        self.assignment = assignment
        self._payload = checks
        self._questions: dict[str, FrozenQuestion] | None = None
        self._results: dict[str, CheckResult] = {}
        self._hints_shown: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Grader({self.assignment!r})"

    def check(self, question: str | None = None, namespace: Mapping[str, Any] | None = None) -> Any:
        """Run the public checks of a question (``"q3"``) on the notebook's definitions, or on ``namespace``.

        If it does not come back, an answer has a loop that does not end: interrupt the kernel (the ■ button).
        """
        if grading():
            return Quiet()
        result: CheckResult | Message | FrozenQuestion = self._find(question)
        if isinstance(result, FrozenQuestion):
            names, frozen = _namespace(namespace, sys._getframe(1)), result
            result = _checked(frozen, names)
            if isinstance(result, CheckResult) and not result.passed:
                uses = used_questions(frozen, self._questions or {}, names)
                result.blocked_by = [id for id in uses if not self._passes(id, names)]
        if isinstance(result, CheckResult):
            self._results[result.question] = result
        if os.environ.get("NBGRADER_EXECUTION"):
            return _nbgrader_points(result)
        return _show(result)

    def check_all(self, namespace: Mapping[str, Any] | None = None) -> Any:
        """Run the public checks of every question; one row each."""
        if grading():
            return Quiet()
        questions = self._load()
        if isinstance(questions, Message):
            return _show(questions)
        names = _namespace(namespace, sys._getframe(1))
        self._results = {}
        for id, question in questions.items():
            result = _checked(question, names)
            if isinstance(result, Message):
                return _show(result)
            self._results[id] = result
        written = [id for id, question in questions.items() if question.manual_points]
        person = sum(question.manual_points for question in questions.values() if not question.bonus)
        notebook = saved_notebook(names)
        empty = [] if notebook is None else unwritten(notebook, written)
        return _show(Summary(self.assignment, list(self._results.values()), empty, person))

    def hint(self, name: str | None = None) -> Any:
        """The next hint for a function (``"logsumexp"``); for a question (``"q1"``), which functions have hints.

        Call it again for a clearer one.
        """
        if grading():
            return Quiet()
        questions = self._load()
        if isinstance(questions, Message):
            return _show(questions)
        word = str(name).strip()
        for question in questions.values():
            if word in question.hints:
                return _show(self._next_hint(word, question.hints[word]))
            if word in question.answers:
                return _show(Message(f"There are no hints for `{word}`. {_who_has_hints(question)}", title=question.id))
        found = self._find(word)
        if isinstance(found, FrozenQuestion):
            return _show(Message(_who_has_hints(found), title=found.id))
        known = next((name for question in questions.values() for name in question.hints), "f")
        unknown = "" if name is None else f"There is no function or question {word!r} here. "
        text = f'{unknown}Name a function, for example grader.hint("{known}"), or a question, to see which have hints.'
        return _show(Message(text, ok=False))

    def _next_hint(self, function: str, hints: tuple[str, ...]) -> Message:
        total, shown = len(hints), self._hints_shown.get(function, 0)
        if shown == total:
            text = "\n".join(f"{number}. {hint}" for number, hint in enumerate(hints, 1))
            return Message(f"There are no further hints; here are all {total} again.\n{text}", title=function)
        self._hints_shown[function] = shown + 1
        return Message(hints[shown], title=f"{function}, hint {shown + 1} of {total}")

    def show(self, question: str | None = None) -> Any:
        """Print the source of a question's public checks and how their answers are compared."""
        if grading():
            return Quiet()
        found = self._find(question)
        if isinstance(found, Message):
            return _show(found)
        if not found.probes:
            return _show(Message("This question has no public checks.", title=found.id))
        for probe in found.probes:
            print(f"# {probe.title} ({plural(probe.points)}); judged as: {read_judge(probe.judge).describe()}")
            print(probe.source)
        return None

    def export(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Write the file to hand in, ``<assignment>_submission.zip``; on Colab also download it.

        Save the notebook first.

        Args:
            path: The notebook file, if it is not found by itself.
        """
        if grading():
            return Quiet()
        questions = self._load()
        ids = list(questions) if isinstance(questions, dict) else []
        claims = {
            id: {"passed": result.passed, "earned": result.earned, "possible": result.possible} if result else None
            for id, result in ((id, self._results.get(id)) for id in ids)
        }
        written = [id for id in ids if isinstance(questions, dict) and questions[id].manual_points]
        return _show(export(self.assignment, path, _namespace(None, sys._getframe(1)), claims, written))

    def _load(self) -> dict[str, FrozenQuestion] | Message:
        if self._questions is None:
            if self._payload is None:
                return Message("This notebook was made without public checks.", ok=False, title=self.assignment)
            try:
                self._questions = read_questions(unpack(self._payload))
            except PayloadError as error:
                return Message(str(error), ok=False, title=self.assignment)
        return self._questions

    def _passes(self, id: str, names: Mapping[str, Any]) -> bool:
        """Does an earlier question pass its check? True if that cannot be told."""
        found = self._find(id)
        result = _checked(found, names) if isinstance(found, FrozenQuestion) else found
        return not isinstance(result, CheckResult) or result.passed

    def _find(self, question: str | None) -> FrozenQuestion | Message:
        questions = self._load()
        if isinstance(questions, Message):
            return questions
        if question is None:
            first = next(iter(questions), "q1")
            text = f"Name a question, for example grader.check(\"{first}\"); there are {', '.join(questions)}."
            return Message(text, ok=False)
        id = str(question).strip().lower()
        id = id if id.startswith("q") else f"q{id}"
        if id not in questions:
            return Message(f"There is no question {question!r}; there are {', '.join(questions)}.", ok=False)
        return questions[id]


def _who_has_hints(question: FrozenQuestion) -> str:
    """Which functions of a question have hints, and how to call for one."""
    if not question.hints:
        return "There are no hints for this question."
    names = listed([f"`{name}`" for name in question.hints])
    call = f'grader.hint("{next(iter(question.hints))}")'
    return f"There are hints for {names}. For the next one of a function, name it: {call}."


def _checked(question: FrozenQuestion, namespace: Mapping[str, Any]) -> CheckResult | Message:
    """The result, or one sentence if the check itself cannot run (the student's own errors are in the result)."""
    try:
        return check_question(question, namespace)
    except Exception as error:
        text = f"The check itself cannot run here ({type(error).__name__}: {error}): update the dgm package."
        return Message(text, ok=False, title=question.id)


def _namespace(given: Mapping[str, Any] | None, caller: FrameType) -> Mapping[str, Any]:
    if given is not None:
        return given
    shell = ipython()
    return caller.f_globals if shell is None else shell.user_ns


def _show(result: Shown) -> Shown:
    """In a notebook or an interactive session the returned value is displayed; elsewhere print it."""
    if ipython() is None and not hasattr(sys, "ps1"):
        print(result)
    return result


def _nbgrader_points(result: CheckResult | Message) -> float:
    """Under plain ``nbgrader autograde`` the cell's value is its points: here, the public checks' share.

    nbgrader gives full points to a value that is no number, so there is always one.
    """
    print(result)
    if isinstance(result, Message) or not result.possible:
        return 0.0
    return round(result.points * result.earned / result.possible, 6)

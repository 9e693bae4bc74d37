"""What the answers gave a probe, and what to say when the probe's own lines cannot go on with it.

An exception there is the answer's fault all the same: it has a wrong type, a wrong shape, or no graph. A student can do
nothing with the grader's own error, so it becomes a sentence about what the function returned.
"""

from __future__ import annotations

import dis
import re
import traceback
import types
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from dgm.checks.words import with_article

KEPT = 8  # results, of which the last is the most likely to be at fault
MAX_ITEMS = 3  # of a tuple or list, in words
TYPE = "AnswerError"  # the type of such an error in an outcome; no part of what a student reads
WHY = "detached, `.data`, or converted on the way"

_NO_GRAPH = re.compile(r"does not require grad|not have a grad_fn|not have been used in the graph|no grad accumulator")
_NO_ATTRIBUTE = re.compile(r"'([\w.]+)' object has no attribute '(\w+)'")
_UNPACK = re.compile(r"values? to unpack|cannot unpack|iteration over a 0-d|is not iterable")
_INDEX = re.compile(
    r"not subscriptable|too many indices|out of (?:range|bounds)|invalid index|0-dim|indices must be"
)
_ONE_NUMBER = re.compile(r"converted to (?:a )?(?:Python )?[Ss]calar|only one element|[Bb]oolean value of Tensor")
_SHAPES = re.compile(
    r"size of tensor|shapes? cannot be|could not be broadcast|must match|broadcast|mat1 and mat2|size mismatch|"
    r"invalid for input of size|same (?:shape|size)|expected .* dimensions"
)


class AnswerError(ValueError):
    """Raised by what probes ask with: its message is already a sentence about the answer."""


class Result:
    """What one function returned, as text; the value itself is not kept alive.

    Attributes:
        function: The function's name.
        kind: The name of the value's type.
        text: The value in words.
        graph: Whether it has a graph; None if it is no tensor.
    """

    def __init__(self, function: str, value: Any) -> None:
        self.function, self.kind = function, type(value).__name__
        self.text = _words(value)
        self.graph = _graph(value)


class Results:
    """The last results of a student's functions."""

    def __init__(self) -> None:
        self._last: deque[Result] = deque(maxlen=KEPT)
        self._classes: dict[str, None] = {}  # in order; what their objects return is not known

    def note(self, function: str, value: Any) -> None:
        """Remember what a function returned. Never raises, whatever the value is."""
        try:
            self._last.append(Result(function, value))
        except Exception:
            self._last.clear()  # what came before is no longer the last

    def unwatched(self, name: str) -> None:
        """Remember the name of an answer whose results are not seen, such as a class."""
        self._classes[name] = None

    def explain(self, error: Exception) -> str:
        """A sentence on why the probe could not go on after the last results; empty if there are none."""
        if isinstance(error, AnswerError):
            return f"{error}."
        text = f"{type(error).__name__}: {error}"
        if self._classes:
            return self._of_several(error, text)
        if not self._last:
            return ""
        last = self._last[-1]
        if _NO_GRAPH.search(text):
            return self._no_graph()
        if "'NoneType' object" in text or ("NoneType" in text and isinstance(error, TypeError)):
            return self._none(error)
        missing = _NO_ATTRIBUTE.search(text)
        if missing:
            return self._attribute(missing[1].rsplit(".")[-1], missing[2], text)
        returned = f"`{last.function}` returned {last.text}"
        if _UNPACK.search(text):
            count = re.search(r"expected (\d+)", text)
            return f"{returned}, where {f'{count[1]} values are' if count else 'several values are'} expected."
        if isinstance(error, (IndexError, KeyError)) or _INDEX.search(text):
            return f"{returned}, which does not have the axes or entries that are expected."
        if _ONE_NUMBER.search(text):
            return f"{returned}, where a single number is expected."
        if _SHAPES.search(text):
            return f"{returned}, whose shape does not fit what it is compared or combined with."
        return f"{returned}, and the test could not go on with that ({text[:200]})."

    def _of_several(self, error: Exception, text: str) -> str:
        """With a class it is not known whose result it was, so all that may be meant are named."""
        names = [*self._classes, *dict.fromkeys(result.function for result in self._last)]
        shown = " or ".join(f"`{name}`" for name in names[:4])
        if _NO_GRAPH.search(text):
            return f"a result of {shown} has no graph, so no gradient flows through it ({WHY}?)."
        if "'NoneType' object" in text and "grad" in _names_on_the_line(error):
            return f"no gradient arrived at an input or a parameter of {shown} ({WHY}?)."
        return f"the test could not go on with a result of {shown} ({text[:200]})."

    def _no_graph(self) -> str:
        without = self._find(lambda result: result.graph is not True)
        if without is None:
            last = self._last[-1]
            return f"the result of `{last.function}`, {last.text}, does not depend on all inputs by autograd ({WHY}?)."
        if without.graph is None:
            return f"`{without.function}` returned {without.text}, through which no gradient can flow."
        return f"`{without.function}` returned {without.text}: it does not depend on its inputs by autograd ({WHY}?)."

    def _none(self, error: Exception) -> str:
        nothing = self._find(lambda result: result.kind == "NoneType")
        if nothing is not None:
            return f"`{nothing.function}` returned None: is a return missing?"
        last = self._last[-1]
        if "grad" in _names_on_the_line(error):
            return f"after `{last.function}` had returned {last.text}, no gradient arrived at an input ({WHY}?)."
        return f"`{last.function}` returned {last.text}, and something that the test needs of it is None."

    def _attribute(self, kind: str, name: str, text: str) -> str:
        found = self._find(lambda result: result.kind.rsplit(".")[-1] == kind)
        if found is None:
            last = self._last[-1]
            return f"`{last.function}` returned {last.text}, and the test could not go on with that ({text[:200]})."
        if hasattr(torch.Tensor, name):
            return f"`{found.function}` returned {found.text} where a tensor is expected."
        return f"`{found.function}` returned {found.text}, which has no `{name}`."

    def _find(self, test: Callable[[Result], bool]) -> Result | None:
        """The most recent result of a kind."""
        return next((result for result in reversed(self._last) if test(result)), None)


def in_the_probe(error: BaseException, student: Callable[[types.FrameType], bool]) -> bool:
    """Whether the probe's own lines failed: no frame of the student's has a part in it."""
    return not any(student(frame) for frame, _ in traceback.walk_tb(error.__traceback__))


def _names_on_the_line(error: Exception) -> set[str]:
    """The names that the failing line of the probe mentions."""
    names: set[str] = set()
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if "site-packages" in code.co_filename or not 0 < len(code.co_code) < 100_000:
            continue
        current = None
        for instruction in dis.get_instructions(code):
            current = instruction.positions.lineno if instruction.positions else current
            if current == line and isinstance(instruction.argval, str):
                names.add(instruction.argval)
    return names


def _graph(value: Any) -> bool | None:
    if isinstance(value, torch.Tensor):
        return value.requires_grad
    if isinstance(value, (tuple, list)):
        parts = [item.requires_grad for item in value if isinstance(item, torch.Tensor)]
        return all(parts) if parts else None
    if isinstance(value, (bool, int, float, complex, str, np.ndarray, np.generic)) or value is None:
        return None
    return True  # an object or a dict, of which nothing is known


def _words(value: Any, inside: bool = False) -> str:
    if isinstance(value, torch.Tensor):
        if inside:
            return f"a tensor of shape {tuple(value.shape)}"
        dtype = str(value.dtype).removeprefix("torch.")
        graph = f", {'with' if value.requires_grad else 'without'} a graph" if value.is_floating_point() else ""
        return f"a tensor of shape {tuple(value.shape)} ({dtype}{graph})"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape} ({value.dtype})"
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        kind = f"a {type(value).__name__} of {len(value)}"
        if inside or not value:
            return kind
        items = [_words(item, inside=True) for item in value[:MAX_ITEMS]]
        return f"{kind} ({', '.join(items)}{', …' if len(value) > MAX_ITEMS else ''})"
    return with_article(type(value).__name__)

"""What probes ask with: entries of evidence, each with its own error, and answers taken apart in a student's words.

A probe imports these by name. An entry that is a sentence, where numbers are expected, is the message of that entry.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from dgm.checks.answers import AnswerError
from dgm.checks.words import listed

_STOPPED = re.compile(r" stops with [A-Z]\w*: ")
PASSED_THROUGH = ("MissingAnswer", "NotImplementedError")  # a name that is missing, a stub


def entry(what: str, compute: Callable[[], Any]) -> Any:
    """What ``compute()`` gives; if it stops with an error, a sentence about ``what``, and the other entries go on.

    A stub's error and a name that is missing pass through.
    """
    try:
        return compute()
    except Exception as error:
        if type(error).__name__ in PASSED_THROUGH:
            raise
        if isinstance(error, AnswerError):
            return f"{error}."
        return f"{what} stops with {type(error).__name__}: {error}"


def stopped(sentence: str) -> bool:
    """Whether an `entry` says that its answer stopped with an error."""
    return bool(_STOPPED.search(sentence))


def tried(compute: Callable[[], Any]) -> Any:
    """An `entry` whose key says already what is asked."""
    return entry("it", compute)


def attempt(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """An `entry` that is one call."""
    return entry("it", lambda: function(*arguments, **keywords))


def with_right(function: Callable[..., Any], **right: Callable[..., Any]) -> Callable[..., Any]:
    """A student's function, called while the functions that it may use are these right ones, by name.

    So a mistake in one of them costs its points once.
    """

    def call(*given: Any, **named_ones: Any) -> Any:
        names = getattr(inspect.unwrap(function), "__globals__", {})
        kept = {name: names[name] for name in right if name in names}
        names.update(right)
        try:
            return function(*given, **named_ones)
        finally:
            for name in right:
                del names[name]
            names.update(kept)

    return call


def with_planted(function: Callable[..., Any], **planted: Callable[..., Any]) -> Callable[..., Any]:
    """The same with functions that are no answers, but show what the student's function makes of any such one."""
    return with_right(function, **planted)


def in_words(value: Any) -> str:
    """Type and dtype of an answer, and whether autograd still follows it."""
    kind = f"{type(value).__name__}, {getattr(value, 'dtype', 'no dtype')}"
    return kind + (", requires gradients" if isinstance(value, Tensor) and value.requires_grad else "")


def named(parts: Sequence[Any], *names: str) -> dict[str, Any]:
    """Parts of a tuple with their names, so that a message can say which one is wrong.

    Raises:
        AnswerError: there are not as many.
    """
    if len(parts) != len(names):
        raise AnswerError(f"{len(parts)} things are returned where {len(names)} are expected: {', '.join(names)}")
    return dict(zip(names, parts, strict=True))


def two_of(answer: Any, first: str, second: str) -> list[Any]:
    """The two things of an answer. Raises `AnswerError` if there are not two."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise AnswerError(f"two things are expected, {first} and {second}")
    return list(answer)


def tensor_of(answer: Any, what: str, shape: Sequence[int] | None = None) -> Tensor:
    """The answer as it is, once it is known to be a tensor (of this shape).

    Raises:
        AnswerError: it is not, in a sentence that a student understands.
    """
    if not isinstance(answer, Tensor):
        raise AnswerError(f"{what} is of type {type(answer).__name__} where a tensor is expected")
    if shape is not None and tuple(answer.shape) != tuple(shape):
        raise AnswerError(f"{what} has shape {tuple(answer.shape)} where {tuple(shape)} is expected")
    return answer


def gradient(result: str, output: Any, **inputs: Tensor) -> list[Tensor]:
    """Gradients of the sum of an answer's output by its inputs.

    Args:
        result: What messages call the output.
        output: The answer.
        **inputs: Tensors that require gradients, by the names that messages use.

    Raises:
        AnswerError: the output has no graph, or does not depend on some inputs by it; all of these are named.
    """
    if not isinstance(output, Tensor) or not output.requires_grad:
        raise AnswerError(
            f"{result} carries no gradient: compute with torch operations, without .item(), .detach() or NumPy"
        )
    grads = torch.autograd.grad(output.sum(), list(inputs.values()), allow_unused=True)
    missing = [key for key, grad in zip(inputs, grads, strict=True) if grad is None]
    if missing:
        why = "computed without them, or cut off from them by .detach(), .item() or NumPy"
        raise AnswerError(f"there is no gradient of {result} by {listed(missing)}: {why}")
    return [grad for grad in grads if grad is not None]


def slopes(answer: Any, shape: Sequence[int], factor: Any, /, **inputs: Tensor) -> list[Tensor] | str:
    """Gradients of ``(factor * answer).sum()``, or in words why there are none."""
    if not isinstance(answer, Tensor):
        return f"got {type(answer).__name__} where a tensor is expected."
    if tuple(answer.shape) != tuple(shape):
        return f"got shape {tuple(answer.shape)} where {tuple(shape)} is expected."
    try:
        return gradient("the result", factor * answer, **inputs)
    except AnswerError as error:
        return f"{error}."

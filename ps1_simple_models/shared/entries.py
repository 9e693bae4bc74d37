"""Evidence entry by entry: an error in one situation is told there, as a sentence, and the others are still judged."""

import torch

from .answers import gradient


def entry(what, compute):
    """What ``compute()`` gives; if it stops with an error, a sentence about ``what``, which `Fields` passes on.

    A stub's error and a name that is missing pass through.
    """
    try:
        return compute()
    except Exception as error:
        if type(error).__name__ in ("MissingAnswer", "NotImplementedError"):
            raise
        return f"{what} stops with {type(error).__name__}: {error}"


def tried(compute):
    """An `entry` whose key says already what is asked."""
    return entry("it", compute)


def attempt(function, *arguments, **keywords):
    """An `entry` that is one call."""
    return entry("it", lambda: function(*arguments, **keywords))


def in_words(value):
    """Type and dtype of an answer, and whether autograd still follows it."""
    kind = f"{type(value).__name__}, {getattr(value, 'dtype', 'no dtype')}"
    return kind + (", requires gradients" if isinstance(value, torch.Tensor) and value.requires_grad else "")


def slopes(answer, shape, factor, /, **inputs):
    """Gradients of ``(factor * answer).sum()``, or in words why there are none."""
    if not isinstance(answer, torch.Tensor):
        return f"got {type(answer).__name__} where a tensor is expected."
    if tuple(answer.shape) != tuple(shape):
        return f"got shape {tuple(answer.shape)} where {tuple(shape)} is expected."
    try:
        return gradient("the result", factor * answer, **inputs)
    except ValueError as error:
        return f"{error}."


def tensor_of(answer, what, shape=None):
    """The answer as it is, once it is known to be a tensor (of this shape); raises a sentence that a student understands."""
    if not isinstance(answer, torch.Tensor):
        raise TypeError(f"{what} is of type {type(answer).__name__} where a tensor is expected")
    if shape is not None and tuple(answer.shape) != tuple(shape):
        raise ValueError(f"{what} has shape {tuple(answer.shape)} where {tuple(shape)} is expected")
    return answer


def two_of(answer, first, second):
    """The two things of an answer, as a list; raises a sentence if there are not two."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise ValueError(f"two things are expected, {first} and {second}")
    return list(answer)

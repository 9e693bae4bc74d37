"""Where wrong values stand: a row, an edge, a triangle, where the right values are negative."""

from __future__ import annotations

import numpy as np

MIN_SIZE = 6  # of so few values any may be the first, the last or on the diagonal


def place(wrong: np.ndarray, want: np.ndarray) -> str | None:
    """The subject of a sentence that says where the wrong values stand; None if they follow no known pattern.

    Args:
        wrong: Which values are wrong; some are.
        want: The right values.
    """
    if want.ndim == 0 or want.size < MIN_SIZE or wrong.all() or (want.ndim > 1 and wrong.sum() == 1):
        return None
    axes = [tuple(i for i in range(want.ndim) if i != axis) for axis in range(want.ndim)]
    hits = [np.atleast_1d(wrong.any(axis=others)) for others in axes]
    one = next(filter(None, (_one(hit, axis, want.ndim) for axis, hit in enumerate(hits))), None)
    if one or (found := _square(wrong)) is not None:
        return one or found
    some = next(filter(None, (_some(hit, axis, want.ndim) for axis, hit in enumerate(hits))), None)
    return some or _by_sign(wrong, want)


def _one(hit: np.ndarray, axis: int, ndim: int) -> str | None:
    """The one index of an axis that is hit."""
    n, where = len(hit), np.flatnonzero(hit)
    if n < 3 or len(where) != 1:
        return None
    edge = {0: "first", n - 1: "last"}.get(int(where[0]))
    if edge is None:
        return f"only index {where[0]}" + (f" along axis {axis}" if ndim > 1 else "")
    label = {0: "row"}.get(axis, f"slice along axis {axis}") if ndim > 1 else "value"
    return f"only the {edge} {label}"


def _some(hit: np.ndarray, axis: int, ndim: int) -> str | None:
    """Which indices of an axis are hit, if they are a part of it or every second one."""
    n, where = len(hit), np.flatnonzero(hit)
    along = f" along axis {axis}" if ndim > 1 else ""
    if len(where) == n:
        return None
    if n >= 5 and len(where) == n - where[0]:
        return f"everything from index {where[0]} on{along}"
    if n >= 5 and len(where) == where[-1] + 1:
        return f"everything up to index {where[-1]}{along}"
    if n >= 6 and np.array_equal(where, np.arange(where[0], n, 2)) and where[0] < 2:
        return f"only {('every even index', 'every odd index')[where[0]]}{along}"
    return None


def _square(wrong: np.ndarray) -> str | None:
    """Which part of square matrices, as a whole, is hit."""
    if wrong.ndim < 2 or wrong.shape[-1] != wrong.shape[-2] or wrong.shape[-1] < 3:
        return None
    hit: np.ndarray = np.any(wrong.reshape(-1, *wrong.shape[-2:]), axis=0)
    above = np.triu(np.ones(hit.shape, dtype=bool), 1)
    for text, part in (
        ("only the diagonal", ~(above | above.T)),
        ("everything but the diagonal", above | above.T),
        ("only what is above the diagonal", above),
        ("only what is below the diagonal", above.T),
    ):
        if np.array_equal(hit, part):
            return text
    return None


def _by_sign(wrong: np.ndarray, want: np.ndarray) -> str | None:
    """Whether the values are wrong exactly where the right ones have one sign."""
    if want.dtype.kind == "b" or min(wrong.sum(), (~wrong).sum()) < 3:
        return None
    for text, mask in (("negative", want < 0), ("positive", want > 0), ("0", want == 0)):
        if np.array_equal(wrong, mask):
            return f"exactly where the right value is {text} it"
    return None

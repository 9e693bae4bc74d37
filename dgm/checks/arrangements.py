"""Are the values right but in the wrong order, or summed along an axis? Each is tried, and said only if it is so."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from dgm.checks.compare import dtype_class
from dgm.checks.relations import MIN_DISTINCT, Same, distinct, matcher

MAX_SIZE = 1_000_000  # values; larger arrays are not sorted
MIN_MASK = 9  # fewer bools or equal numbers than this agree too easily with something


def arrangement(got: np.ndarray, want: np.ndarray) -> str | None:
    """In which way right values stand in the wrong places, as the rest of a sentence; None if they do not.

    Args:
        got: Finite values.
        want: The right ones, of the same shape and class.
    """
    if got.size > MAX_SIZE or got.ndim == 0 or got.ndim > 4:
        return None
    few = distinct(want) < MIN_DISTINCT
    if few and (dtype_class(want) == "float" or want.size < MIN_MASK or len(np.unique(want)) < 2):
        return None
    exact = dtype_class(want) != "float"
    same = np.array_equal if exact else matcher(got, want)
    if want.dtype.kind in "iuf" and np.ptp(got - want.astype(np.float64)) == 0:  # an offset, whatever the order
        return None
    for text, other in _moved(got):
        if same(other, want):
            return f"the values are right but {text}."
    if dtype_class(want) == "bool":
        return "every value is the opposite of the right one." if np.array_equal(~got, want) else None
    return None if few else _shifted(got, want, same) or _sorted(got, want, same) or _accumulated(got, want, same)


def _named(axis: int) -> str:
    return "the first axis" if axis == 0 else f"axis {axis}"


def _moved(got: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for first, second in itertools.combinations(reversed(range(got.ndim)), 2):
        if got.shape[first] == got.shape[second]:
            last = {first, second} == {got.ndim - 1, got.ndim - 2}
            text = "transposed" if last else f"axes {second} and {first} are exchanged"
            yield text, np.swapaxes(got, first, second)
    for axis in range(got.ndim):
        if got.shape[axis] > 2:
            yield f"off by one step along {_named(axis)}", np.roll(got, -1, axis)
            yield f"off by one step along {_named(axis)}", np.roll(got, 1, axis)
    for axis in range(got.ndim):
        yield "in reversed order" + (f" along {_named(axis)}" if got.ndim > 1 else ""), np.flip(got, axis)


def _shifted(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    """One step too early or too late, and something else at the end."""
    for axis in range(got.ndim):
        n = got.shape[axis]
        if n < 4:
            continue
        first, last = (np.take(got, range(*part), axis) for part in ((n - 1,), (1, n)))
        right_first, right_last = (np.take(want, range(*part), axis) for part in ((n - 1,), (1, n)))
        for one, other, text in ((last, right_first, "late"), (first, right_last, "early")):
            if distinct(other) >= MIN_DISTINCT and same(one, other):
                return f"the values stand one step too {text} along {_named(axis)}."
    return None


def _sorted(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    for axis in range(got.ndim):
        if same(np.sort(got, axis), np.sort(want, axis)):
            return "the values are right but in another order" + (f" along axis {axis}." if got.ndim > 1 else ".")
    return "the values are right but in other places." if same(np.sort(got, None), np.sort(want, None)) else None


def _accumulated(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    if distinct(got) < MIN_DISTINCT:
        return None
    sums: list[tuple[Callable[..., np.ndarray], str]] = [(np.cumsum, "sum"), (np.cumprod, "product")]
    with np.errstate(all="ignore"):
        for axis, (function, name) in itertools.product(range(got.ndim), sums):
            if got.shape[axis] < MIN_DISTINCT:
                continue
            if same(function(want, axis=axis), got):
                return f"the values are the cumulative {name}s of the right ones along {_named(axis)}."
            if same(function(got, axis=axis), want):
                return f"the cumulative {name}s of the values along {_named(axis)} are right: that {name} is missing."
            backwards = np.flip(function(np.flip(want, axis), axis=axis), axis)
            if same(backwards, got):
                return f"the values are the right ones' cumulative {name}s from the end along {_named(axis)}."
    return None


def reduced(got: np.ndarray, want: np.ndarray) -> str | None:
    """How values of a wrong shape are related to the right ones: a sum too many or too few, a broadcast, a reshape."""
    if want.size < MIN_DISTINCT or max(got.size, want.size) > MAX_SIZE or not _finite(got) or not _finite(want):
        return None
    if not got.size:  # an empty answer is related to nothing
        return None
    got, want = got.astype(np.float64), want.astype(np.float64)
    if distinct(want) < MIN_DISTINCT:
        return None

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        # No right values of this shape are known, so the measure is their size.
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(want).max()))

    if got.ndim >= 2 and same(got.T, want):
        return "the values are right but transposed."
    if got.size == want.size and same(got.reshape(want.shape), want):
        return "the values are right, so only a squeeze, unsqueeze or reshape is missing or too many."
    with np.errstate(all="ignore"):
        for axis in (None, *range(want.ndim)):
            for keep in (False, True):
                over = "all axes" if axis is None else f"axis {axis}"
                if same(np.sum(want, axis, keepdims=keep), got):
                    return f"the values are the right ones summed over {over}."
                if same(np.mean(want, axis, keepdims=keep), got):
                    return f"the values are the right ones averaged over {over}."
        for axis in range(got.ndim):
            start = np.take(got, [0], axis)
            if got.shape[axis] > 1 and same(start.squeeze(axis), want) and (got == start).all():
                return f"the right values are repeated along axis {axis}: a broadcast has made an axis too many."
            if same(got.sum(axis), want):
                return f"summed over axis {axis} the values are right: that sum is missing."
            if same(got.mean(axis), want):
                return f"averaged over axis {axis} the values are right: that mean is missing."
        for first, second in itertools.combinations(range(got.ndim), 2):
            # (N,) beside (N, 1) becomes (N, N), with the right values where both indices are the same.
            diagonal = np.diagonal(got, axis1=first, axis2=second)
            if got.shape[first] == got.shape[second] and same(np.moveaxis(diagonal, -1, first), want):
                return f"the values on the diagonal are right: a broadcast has made axes {first} and {second} of one."
    return None


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind in "fiub" and bool(np.isfinite(array).all())

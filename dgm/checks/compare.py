"""Element-wise closeness of nested evidence, with the places of the differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Path = tuple[str | int, ...]

ROUNDING = 8 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Difference:
    """One place where two pieces of evidence differ.

    Attributes:
        path: The keys and indices that lead there, as in ``("mean", 2)``.
        kind: One of type, keys, length, dtype, shape, value.
        got: What is there.
        want: What is expected there.
    """

    path: Path
    kind: str
    got: Any
    want: Any


def dtype_class(array: np.ndarray) -> str:
    """"float", "int", "bool" or "complex": float32 and float64 are the same class."""
    return {"f": "float", "i": "int", "u": "int", "b": "bool", "c": "complex"}[array.dtype.kind]


def is_numeric(value: Any) -> bool:
    """True for numbers and arrays: a Python float and a 0-d tensor are the same evidence."""
    return isinstance(value, (bool, int, float, np.generic, np.ndarray))


def as_array(value: Any) -> np.ndarray:
    """A number or array as an array; Python ints too large for int64 become float64."""
    try:
        array = np.asarray(value)
    except OverflowError:
        return np.asarray(float("nan"))
    return array if array.dtype.kind in "fiubc" else np.asarray(float("nan"))


def first_difference(got: Any, want: Any, rtol: float, atol: float) -> Difference | None:
    """The first place where ``got`` is not close to ``want``; None when they agree. See `differences`."""
    return next(differences(got, want, rtol, atol), None)


def differences(got: Any, want: Any, rtol: float, atol: float, path: Path = ()) -> Iterator[Difference]:
    """The places where ``got`` is not close to ``want``, in the order of ``want``.

    Numbers agree if ``|got - want| <= atol + rtol * |want|`` (see `close` for float32); NaN agrees with NaN, and
    infinities by sign.
    Shape must be equal and the dtype of the same class. A list of numbers, or of arrays of one shape, is one place.
    """
    if is_numeric(want):
        if not is_numeric(got):
            yield Difference(path, "type", got, want)
        else:
            yield from _numeric(as_array(got), as_array(want), rtol, atol, path)
    elif isinstance(want, dict):
        if not isinstance(got, dict):
            yield Difference(path, "type", got, want)
        elif set(got) != set(want):
            yield Difference(path, "keys", sorted(map(str, got)), sorted(map(str, want)))
        else:
            for key in want:
                yield from differences(got[key], want[key], rtol, atol, (*path, key))
    elif isinstance(want, list):
        if not isinstance(got, list):
            yield Difference(path, "type", got, want)
        elif len(got) != len(want):
            yield Difference(path, "length", len(got), len(want))
        elif (arrays := _stacked(got, want)) is not None:
            yield from _numeric(*arrays, rtol, atol, path)
        else:
            for index, (one, other) in enumerate(zip(got, want, strict=True)):
                yield from differences(one, other, rtol, atol, (*path, index))
    elif type(got) is not type(want):
        yield Difference(path, "type", got, want)
    elif got != want:
        yield Difference(path, "value", got, want)


def _stacked(got: list[Any], want: list[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Two lists of numbers, or of arrays of one shape and class, as one array each; None where they are not that."""
    if len(want) < 2 or not all(map(is_numeric, want)) or not all(map(is_numeric, got)):
        return None
    arrays = [as_array(item) for item in (*got, *want)]
    first = arrays[0]
    if any(item.shape != first.shape or dtype_class(item) != dtype_class(first) for item in arrays):
        return None
    one, other = np.stack(arrays[: len(got)]), np.stack(arrays[len(got) :])
    # int64 beside uint64 would become float64, and lose digits.
    return (one, other) if dtype_class(one) == dtype_class(other) == dtype_class(first) else None


def _numeric(got: np.ndarray, want: np.ndarray, rtol: float, atol: float, path: Path) -> Iterator[Difference]:
    if got.shape != want.shape:
        yield Difference(path, "shape", got, want)
    elif dtype_class(got) != dtype_class(want):
        yield Difference(path, "dtype", got, want)
    elif not close(got, want, rtol, atol):
        yield Difference(path, "value", got, want)


def close(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> bool:
    """All elements within tolerance; shapes must already agree.

    In float32 a sum is as exact as its largest terms, so an element that is small by cancellation has fewer right
    digits: ``atol`` is at least eight units in the last place of the largest element. Not if ``rtol`` is 0.
    """
    if want.dtype.kind not in "fc" and got.dtype.kind not in "fc":
        return bool(np.array_equal(got, want))
    single = rtol > 0 and want.dtype == np.float32
    wide = np.complex128 if "c" in (got.dtype.kind, want.dtype.kind) else np.float64
    got, want = got.astype(wide, copy=False), want.astype(wide, copy=False)
    finite = np.isfinite(want)
    if single:
        atol = max(atol, ROUNDING * float(np.abs(want[finite]).max(initial=0.0)))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(got - want) <= atol + rtol * np.abs(want)  # NaN and infinities compare as False here
    if finite.all():
        return bool(near.all())
    rest = ~(near & finite)
    return bool(np.array_equal(got[rest], want[rest], equal_nan=True))

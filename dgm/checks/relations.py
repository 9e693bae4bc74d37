"""How wrong numbers are related to the right ones, value by value: a factor, an offset, a function, a bound.

Nothing is said that was not verified on the numbers, and nothing of fewer than three distinct numbers: two agree with
almost any relation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from dgm.checks.compare import close

RTOL, ATOL = 1e-3, 1e-5  # how closely a relation must hold
GAIN = 100  # and how many times smaller than the error itself what it leaves must be
MIN_DISTINCT = 3

# Factors and offsets that have a name.
FACTORS = {
    2.0: "twice", 0.5: "half", -2.0: "minus twice", -0.5: "minus half", float(np.log(2)): "ln 2 times",
    float(1 / np.log(2)): "1/ln 2 times", float(2 * np.pi): "2π times", float(1 / (2 * np.pi)): "1/(2π) times",
    float(np.sqrt(2)): "√2 times", float(np.sqrt(0.5)): "1/√2 times", float(np.log(10)): "ln 10 times",
    float(1 / np.log(10)): "1/ln 10 times", float(np.log10(2)): "log₁₀ 2 times",
}
OFFSETS = {1.0: "1", 0.5: "½", float(np.log(256)): "ln 256", float(np.log(np.pi)): "ln π"}
UNITS = {float(0.5 * np.log(2 * np.pi)): "½ ln 2π", float(np.log(2)): "ln 2"}  # and their multiples
MULTIPLES = 12

Same = Callable[[np.ndarray, np.ndarray], bool]


def distinct(values: np.ndarray) -> int:
    """How many finite numbers differ in their first five digits."""
    numbers = values[np.isfinite(values)].astype(np.float64)
    size = np.abs(numbers).max(initial=0.0)
    return len(np.unique(np.round(numbers / size, 5))) if size else min(1, numbers.size)


def matcher(got: np.ndarray, want: np.ndarray) -> Same:
    """A test whether two arrays agree so closely that it explains the difference between ``got`` and ``want``."""
    with np.errstate(all="ignore"):
        allowed = float(np.abs(got - want).max(initial=0.0)) / GAIN

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
            return False
        return float(np.abs(one - other).max(initial=0.0)) <= allowed and close(one, other, RTOL, ATOL)

    return same


def relation(got: np.ndarray, want: np.ndarray, axes: bool = True) -> str | None:
    """What was done to the right values, as the rest of a sentence; None if nothing known was.

    Args:
        got: Finite float64 values.
        want: The right ones, of the same shape.
        axes: Whether the axes mean anything: not where values were picked or put together.
    """
    if distinct(want) < MIN_DISTINCT or distinct(got) < MIN_DISTINCT:
        return None
    same = matcher(got, want)
    with np.errstate(all="ignore"):
        found = (find(got, want, same) for find, needs_axes in _SEARCHES if axes or not needs_axes)
        return next(filter(None, found), None)


def _offset(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    offset = float(np.median(got - want))
    if not same(want + offset, got):
        return None
    kind = "large" if offset > 0 else "small"
    return f"every value is too {kind} by the same amount, {_amount(abs(offset))}."


def _amount(size: float) -> str:
    """An offset in digits, or by its name if it has one."""
    for value, text in OFFSETS.items():
        if np.isclose(size, value, rtol=1e-4):
            return text
    for unit, text in UNITS.items():
        count = round(size / unit)
        if 1 <= count <= MULTIPLES and np.isclose(size, count * unit, rtol=1e-4):
            return text if count == 1 else f"{count} times {text}"
    return f"{size:.4g}"


def _factor(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    large = np.abs(want) > 1e-3 * np.abs(want).max()
    factor = float(np.median(got[large] / want[large]))
    if not np.isfinite(factor) or not same(factor * want, got):
        return None
    if np.isclose(factor, -1.0, rtol=1e-4):
        return "every value has the wrong sign."
    named = next((text for value, text in FACTORS.items() if np.isclose(factor, value, rtol=1e-4)), None)
    kind = "the factor between bits and nats" if named and "ln 2" in named else "a constant factor"
    shown = f"{factor:.4g}" if abs(factor - 1) > 1e-3 else f"{factor:.7g}"  # 1.0002 is not 1
    return f"every value is {named or f'{shown} times'} the right one: {kind}."


def _size(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    """A factor that is the size of an axis or the number of all values, or one divided by that."""
    sizes = [(n, f"the size of axis {axis}") for axis, n in enumerate(want.shape) if not _ambiguous(n, want.shape)]
    for n, text in [*sizes, (want.size, "the number of all values")]:
        for other, kind in ((want / n, "small"), (want * n, "large")):
            if n > 2 and same(other, got):
                return f"every value is {n} times too {kind}, and {n} is {text}."
    return None


def _ambiguous(size: int, shape: tuple[int, ...]) -> bool:
    """Whether several choices of axes have as many values."""
    choices = (axes for count in range(1, len(shape) + 1) for axes in itertools.combinations(shape, count))
    return sum(math.prod(axes) == size for axes in choices) > 1


def _sign(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    if not same(np.abs(got), np.abs(want)):
        return None
    if (got >= 0).all():
        return "every value is the absolute value of the right one."
    wrong = int((np.sign(got) != np.sign(want)).sum())
    return f"the values are right but for the sign, which is wrong in {wrong} of {got.size}."


def _functions(got: np.ndarray, want: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "one minus the right one", 1 - want
    yield "the square of the right one", want**2
    yield "the exponential of the right one: a log is missing, or an exp too many", np.exp(want)
    yield "the sigmoid of the right one", 1 / (1 + np.exp(-want))
    yield "the tanh of the right one", np.tanh(want)
    if (want != 0).all():
        yield "one divided by the right one", 1 / want
    if (want >= 0).all():
        yield "the square root of the right one", np.sqrt(want)
        yield "log(1 + the right one)", np.log1p(want)
    if (want > 0).all():
        yield "the logarithm of the right one: an exp is missing, or a log too many", np.log(want)
        yield "minus the logarithm of the right one", -np.log(want)
    if ((want > 0) & (want < 1)).all():
        yield "the logit of the right one: a sigmoid is missing", np.log(want) - np.log1p(-want)


def _function(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    text = next((text for text, other in _functions(got, want) if same(other, got)), None)
    return f"every value is {text}." if text else None


def _normalised(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    if got.ndim and got.shape[-1] > 1 and same(_softmax(got), want):
        return "the softmax of the values along the last axis is right: they are not normalised."
    if got.ndim and got.shape[-1] > 1 and same(_softmax(want), got):
        return "the values are the softmax of the right ones along the last axis."
    return None


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(-1, keepdims=True))
    total: np.ndarray = powers / powers.sum(-1, keepdims=True)
    return total


def _constant_inside(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    """A constant that was added before a log or a root."""
    if want.max() <= 1e-6:  # logarithms of probabilities
        constant = float(np.median(np.exp(got) - np.exp(want)))
        if 0 < constant < 0.1 and same(np.log(np.exp(want) + constant), got):
            return f"the values are right after {constant:.2g} has been added before the log."
    if want.min() >= 0:
        constant = float(np.median(got**2 - want**2))
        if same(np.sqrt(np.maximum(want**2 + constant, 0)), got):
            return f"the squares of all values are too {'large' if constant > 0 else 'small'} by {abs(constant):.2g}."
    return None


def _clamped(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    low, high = float(got.min()), float(got.max())
    below, above = (got == low) & (want < low), (got == high) & (want > high)
    # One value alone at a bound is no sign of a bound.
    low_used, high_used = below.sum() >= 2, above.sum() >= 2
    inside = ~((below & low_used) | (above & high_used))
    if not (low_used or high_used) or distinct(want[inside]) < MIN_DISTINCT:
        return None
    if not same(np.clip(want, low if low_used else -np.inf, high if high_used else np.inf), got):
        return None
    parts = [f"below {low:.4g}"] * bool(low_used) + [f"above {high:.4g}"] * bool(high_used)
    return f"values {' and '.join(parts)} are clamped; the others are right."


def _rounded(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    steps = (("down ", np.floor), ("up ", np.ceil), ("towards 0 ", np.trunc), ("", np.rint))
    for text, function in steps:
        if np.array_equal(function(want), got):
            return f"every value is rounded {text}to an integer."
    if same(np.rint(255 * want) / 255, got):
        return "every value is rounded to a multiple of 1/255."
    return None


def lines(got: np.ndarray, want: np.ndarray) -> str | None:
    """An offset or a factor that is the same along one axis and differs from line to line: like `relation`."""
    if distinct(want) < MIN_DISTINCT or distinct(got) < MIN_DISTINCT:
        return None
    same = matcher(got, want)
    with np.errstate(all="ignore"):
        return _lines(got, want, same)


def _lines(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    for axis in range(got.ndim if got.ndim >= 2 else 0):
        if got.shape[axis] < MIN_DISTINCT:
            continue
        offset = np.median(got - want, axis=axis, keepdims=True)
        if same(want + offset, got):
            return f"along axis {axis} all values are off by one amount, which differs from line to line."
        factor = (got * want).sum(axis, keepdims=True) / (want**2).sum(axis, keepdims=True)
        if np.abs(factor).min(initial=np.inf) > 1e-6 and same(factor * want, got):
            return f"along axis {axis} all values are off by one factor, which differs from line to line."
    return None


def _affine(got: np.ndarray, want: np.ndarray, same: Same) -> str | None:
    centred = want - want.mean()
    factor = float((centred * got).sum() / (centred**2).sum())
    offset = float(got.mean() - factor * want.mean())
    if distinct(want) <= MIN_DISTINCT or abs(factor) < 1e-3 or not same(factor * want + offset, got):
        return None
    return f"every value is {factor:.4g} times the right one {'+' if offset > 0 else '−'} {abs(offset):.4g}."


# In this order; the second says whether it is about axes.
_SEARCHES = (
    (_size, True), (_factor, False), (_offset, False), (_sign, False), (_function, False), (_normalised, True),
    (_clamped, False), (_rounded, False), (_constant_inside, False), (_affine, False),
)


def as_float32(got: np.ndarray, want: np.ndarray) -> str | None:
    """Whether float64 values have only the precision of float32."""
    if want.dtype != np.float64 or distinct(want) < MIN_DISTINCT:
        return None
    error = float(np.abs(got - want).max() / np.abs(want).max())
    if not error <= 1e-6:
        return None
    if got.dtype == np.float32:
        return "the values are float32; float64 is needed for all the digits asked for."
    with np.errstate(over="ignore"):
        if np.array_equal(got.astype(np.float32), got):
            return "the values are rounded to float32 on the way: in float64 they would have more digits."
    signs = np.sign(got - want)[got != want]
    rounding = signs.size >= 6 and abs(signs.mean()) < 0.8  # an epsilon or a factor errs to one side
    if error > 2e-9 and rounding:
        return f"off by {error:.0e} of the largest value: as exact as float32 is, not float64."
    return None

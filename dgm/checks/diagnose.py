"""What kind of wrong is it? Generic diagnosis, for when no named mistake has the same evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dgm.checks.compare import Difference, as_array, close, dtype_class, is_numeric

# Ratios and offsets that have a usual cause, tried before "a constant factor".
FACTORS = {
    2.0: "twice", 0.5: "half", -1.0: "minus", -2.0: "minus twice", -0.5: "minus half",
    float(np.log(2)): "ln 2 times", float(1 / np.log(2)): "1/ln 2 times", float(2 * np.pi): "2π times",
}
OFFSETS = {
    float(0.5 * np.log(2 * np.pi)): "½ ln 2π per value", float(np.log(2)): "ln 2", 1.0: "1", 0.5: "½",
    float(np.log(256)): "ln 256",
}


def diagnose(difference: Difference, rtol: float = 1e-3, atol: float = 1e-5) -> str:
    """One sentence about a difference, written for the student. Shows what came, never what was expected,
    except for shapes and types, which are part of the question."""
    place = f"At {difference.path}: " if difference.path else ""
    return place + _sentence(difference, rtol, atol)


def _sentence(difference: Difference, rtol: float, atol: float) -> str:
    got, want = difference.got, difference.want
    if difference.kind == "type":
        return f"got {_kind(got)} where {_kind(want)} is expected."
    if difference.kind == "keys":
        return f"got the entries {_short(got)} where {_short(want)} are expected."
    if difference.kind == "length":
        return f"got {got} items where {want} are expected."
    if not is_numeric(want):
        return f"got {_short(got)}, which is not the expected answer."
    got, want = as_array(got), as_array(want)
    if difference.kind == "shape":
        return _shape_sentence(got, want)
    if difference.kind == "dtype":
        return f"got values of type {got.dtype} where {_article(dtype_class(want))} type is expected."
    return _value_sentence(got, want, rtol, atol)


def _shape_sentence(got: np.ndarray, want: np.ndarray) -> str:
    base = f"got shape {tuple(got.shape)} where {tuple(want.shape)} is expected"
    if got.ndim == want.ndim >= 2 and got.shape == want.shape[::-1]:
        return base + "; it looks transposed."
    if got.size == want.size:
        return base + ": the same number of values, so a squeeze, unsqueeze or reshape is missing or too many."
    if got.ndim < want.ndim:
        return base + "; a sum or mean may run over too many axes."
    if got.ndim > want.ndim:
        return base + "; a sum or mean over an axis may be missing, or a broadcast went wrong."
    return base + "."


def _value_sentence(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> str:
    if want.dtype.kind not in "f" or got.dtype.kind not in "fiu":
        share = float(np.mean(got != want)) if got.size else 0.0
        return f"{share:.0%} of the values are wrong."
    got, want = got.astype(np.float64), want.astype(np.float64)
    if np.isnan(got).any() and not np.isnan(want).any():
        return f"{_count(np.isnan(got))} NaN: look for ∞ − ∞, 0·∞, 0/0 or log of a negative."
    if np.isinf(got).any() and not np.isinf(want).any():
        return f"{_count(np.isinf(got))} infinite: an exp overflows, or a log meets an underflowed 0."
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return "infinite values are in the wrong places or of the wrong sign."
    if not finite.all():  # the infinities are right: what is wrong with the rest?
        return "of the finite values: " + _value_sentence(got[finite], want[finite], rtol, atol)
    for name, other in _rearranged(got):
        if other.shape == want.shape and close(other, want, rtol, atol):
            return f"the values are right but {name}."
    relation = _affine_sentence(got.ravel(), want.ravel(), rtol, atol)
    if relation:
        return relation
    wrong = ~np.isclose(got, want, rtol=rtol, atol=atol)
    if want.ndim >= 1 and want.size >= 6:
        edge = _only_edge(wrong)
        if edge:
            return f"only the {edge} is wrong; look at the border case."
    if got.size > 1 and np.ptp(got) == 0 and np.ptp(want) > 0:
        return "all values are the same, whatever the input."
    share = float(wrong.mean()) if wrong.size else 0.0
    if 0 < share < 0.5 and wrong.size > 3:
        return f"{share:.0%} of the values are wrong, the rest are right; look for a special case."
    worst = float(np.abs(got - want).max())
    scale = float(np.abs(want).max()) + 1e-12
    if worst / scale < 0.02:
        return f"close, but off by up to {worst / scale:.1%} of the largest value: an approximation, a small constant?"
    return "the values are wrong (right shape and type)."


def _rearranged(got: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if got.ndim >= 2 and got.shape[-1] == got.shape[-2]:
        yield "transposed", np.swapaxes(got, -1, -2)
    if got.ndim >= 1 and got.shape[0] > 2:
        yield "off by one step along the first axis", np.concatenate([got[1:], got[:1]])
        yield "off by one step along the first axis", np.concatenate([got[-1:], got[:-1]])
        yield "in reversed order", got[::-1]


def _affine_sentence(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> str | None:
    """Constant factor or offset; needs at least two distinct values, else anything fits."""
    if got.size < 2 or np.ptp(want) <= atol + rtol * np.abs(want).max():
        return None
    offset = float(np.median(got - want))
    if abs(offset) > 10 * atol and close(got - offset, want, rtol, max(atol, rtol * abs(offset))):
        named = next((text for value, text in OFFSETS.items() if np.isclose(abs(offset), value, rtol=1e-3)), None)
        amount = named or f"{abs(offset):.4g}"
        return f"every value is too {'large' if offset > 0 else 'small'} by the same amount, {amount}."
    large = np.abs(want) > max(1e-3 * np.abs(want).max(), 10 * atol)
    if not large.any():
        return None
    factor = float(np.median(got[large] / want[large]))
    telling = np.isfinite(factor) and abs(factor) > 1e-6 and abs(factor - 1) > 3e-3
    if telling and close(got / factor, want, rtol, atol):
        named = next((text for value, text in FACTORS.items() if np.isclose(factor, value, rtol=1e-3)), None)
        if named == "minus":
            return "every value has the wrong sign."
        return f"every value is {named or f'{factor:.4g} times'} the right one: a constant factor."
    return None


def _only_edge(wrong: np.ndarray) -> str | None:
    for axis in range(wrong.ndim):
        if wrong.shape[axis] < 3:
            continue
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        hit = np.atleast_1d(wrong.any(axis=others))
        label = {0: "row"}.get(axis, f"slice along axis {axis}") if wrong.ndim > 1 else "value"
        if hit[0] and not hit[1:].any():
            return f"first {label}"
        if hit[-1] and not hit[:-1].any():
            return f"last {label}"
    return None


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {tuple(value.shape)}"
    if value is None:
        return "None (is a return missing?)"
    if isinstance(value, list):
        return f"{len(value)} items"
    if isinstance(value, dict):
        return "a dict"
    return {"str": "a string", "bool": "a bool", "int": "an int", "float": "a float"}.get(
        type(value).__name__, type(value).__name__
    )


def _article(text: str) -> str:
    return ("an " if text[0] in "aeiou" else "a ") + text


def _count(mask: np.ndarray) -> str:
    return "1 value is" if mask.sum() == 1 else f"{int(mask.sum())} of {mask.size} values are"


def _short(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

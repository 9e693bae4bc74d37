"""What kind of wrong is it? Generic diagnosis, for when no named mistake has the same evidence.

A sentence is a fact that was verified on the numbers, never a cause that was not. It shows what came, and never what
was expected, except for shapes and types, which are part of the question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dgm.checks.arrangements import arrangement, reduced
from dgm.checks.compare import Difference, Path, as_array, close, dtype_class, is_numeric
from dgm.checks.places import place
from dgm.checks.relations import MIN_DISTINCT, as_float32, distinct, lines, relation
from dgm.checks.words import listed_briefly, with_article

# How much a sentence tells: of several differences, the one that tells most is reported.
FORM, NOT_FINITE, SPECIFIC, PLACED, VAGUE = 4.0, 3.0, 2.0, 1.0, 0.0
ENOUGH = 6  # numbers, of which it says something that all are too large
TINY = 1e-6  # of the largest right value
SMALL = 0.02  # an error relative to the largest value that is "close"


@dataclass(frozen=True)
class Finding:
    """One sentence about a difference; ``telling`` grows with how much it tells, and then with the error."""

    text: str
    telling: float


def diagnose(found: Sequence[Difference], rtol: float = 1e-4, atol: float = 1e-5) -> Finding:
    """The most telling sentence about differences, written for the student.

    Args:
        found: At least one.
        rtol: Of the comparison that found them.
        atol: Likewise.
    """
    best = _together(found)
    # What can tell most comes first, so that the search may end there; the first, where several may tell as much.
    for most, error, difference in sorted(map(_ranked, found), key=lambda item: item[:2], reverse=True):
        if best is not None and best.telling >= most + error:
            break
        rank, text = _sentence(difference, rtol, atol)
        if best is None or rank + error > best.telling:
            best = Finding(where(difference.path) + text, rank + error)
    assert best is not None
    return best


def where(path: Path) -> str:
    """The start of a sentence about one place of evidence: ``In *mean*[2]: ``; empty for all of it."""
    if not path:
        return ""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{', ' if text else ''}*{part}*"
    return f"In {text}: "


def _ranked(difference: Difference) -> tuple[float, float, Difference]:
    """A difference with the most that can be told of it, and with its error."""
    got, want = difference.got, difference.want
    if difference.kind != "value":
        most = FORM
    elif is_numeric(want) and not np.array_equal(np.isfinite(as_array(got)), np.isfinite(as_array(want))):
        most = NOT_FINITE
    else:
        most = SPECIFIC
    return most, _error(difference), difference


def _error(difference: Difference) -> float:
    """The relative error, squeezed into [0, 1)."""
    if difference.kind != "value" or not is_numeric(difference.want):
        return 0.0
    got, want = as_array(difference.got), as_array(difference.want)
    if not {got.dtype.kind, want.dtype.kind} <= set("fiu"):
        return 0.0
    with np.errstate(all="ignore"):
        error = float(np.abs(got.astype(np.float64) - want).max(initial=0.0))
        error /= float(np.abs(want.astype(np.float64)).max(initial=0.0)) + 1e-12
    return error / (1 + error) * 0.99 if math.isfinite(error) else 0.99


def _together(found: Sequence[Difference]) -> Finding | None:
    """What entries of one or two numbers have in common, which each alone are too few to tell."""
    few = []
    for difference in found:
        if difference.kind == "value" and is_numeric(difference.want):
            got, want = as_array(difference.got), as_array(difference.want)
            if got.dtype.kind == want.dtype.kind == "f" and np.isfinite(got).all() and np.isfinite(want).all():
                few += [(difference.path, got.ravel(), want.ravel())] if distinct(want) < MIN_DISTINCT else []
    if len(few) < 2:
        return None
    values = [np.concatenate(arrays).astype(np.float64) for arrays in list(zip(*few, strict=True))[1:]]
    text = relation(values[0], values[1], axes=False)
    if text is None:
        return None
    names = [where(path).removeprefix("In ").removesuffix(": ") for path, _, _ in few]
    return Finding(f"In {listed_briefly(names)}: {text}", SPECIFIC + 0.99)


def _sentence(difference: Difference, rtol: float, atol: float) -> tuple[float, str]:
    got, want = difference.got, difference.want
    if difference.kind == "type":
        if isinstance(got, str) and " " in got:  # an entry that says in words why it has no values
            return FORM, got if got.endswith(".") else f"{got}."
        return FORM, f"got {_kind(got)} where {_kind(want)} is expected."
    if difference.kind == "keys":
        return FORM, f"got the entries {_short(got)} where {_short(want)} are expected."
    if difference.kind == "length":
        return FORM, f"got {got} items where {want} are expected."
    if not is_numeric(want):
        return SPECIFIC, f"got {_short(got)}, which is not the expected answer."
    got, want = as_array(got), as_array(want)
    if difference.kind == "shape":
        return FORM, _shape_sentence(got, want)
    if difference.kind == "dtype":
        text = f"got values of type {got.dtype} where {with_article(dtype_class(want))} type is expected."
        whole = got.dtype.kind in "iu" and want.dtype.kind == "f" and np.array_equal(got, np.trunc(want))
        return FORM, text + (" They are the right ones without what follows the point." if whole and got.size else "")
    gradient = any("grad" in str(part).lower() for part in difference.path)
    return _value_sentence(got, want, rtol, atol, gradient)


def _shape_sentence(got: np.ndarray, want: np.ndarray) -> str:
    base = f"got shape {tuple(got.shape)} where {tuple(want.shape)} is expected"
    related = reduced(got, want)
    if related:
        return f"{base}; {related}"
    if got.size == want.size:
        return f"{base}: as many values, in another shape."
    if got.ndim != want.ndim:
        return f"{base}: {_axes(got.ndim)} instead of {_axes(want.ndim)}."
    axes = [axis for axis in range(want.ndim) if got.shape[axis] != want.shape[axis]]
    return f"{base}: axis {axes[0]} is wrong." if len(axes) == 1 < want.ndim else f"{base}."


def _value_sentence(
    got: np.ndarray, want: np.ndarray, rtol: float, atol: float, gradient: bool = False
) -> tuple[float, str]:
    if want.ndim == 0:
        return _number_sentence(got, want, gradient)
    if not {got.dtype.kind, want.dtype.kind} <= set("fiub"):
        return PLACED, f"{_share(got != want)} wrong."
    if want.dtype.kind == "f":
        precision = as_float32(got, want) if np.isfinite(got).all() and np.isfinite(want).all() else None
        if precision:
            return SPECIFIC, precision
        special = _not_finite(got, want, rtol, atol, gradient)
        if special:
            return special
        if not got.any() and want.any():
            return SPECIFIC, NO_GRADIENT if gradient else "every value is 0."
        if np.isfinite(got).all() and np.isfinite(want).all() and np.abs(got).max() < TINY * np.abs(want).max():
            return SPECIFIC, f"all values are tiny beside the right ones: at most {np.abs(got).max():.1e} in size."
    moved = arrangement(got, want)
    if moved:
        return SPECIFIC, moved
    if want.dtype.kind == "b":
        return PLACED, _placed(got != want, want, "wrong")
    got, want = got.astype(np.float64), want.astype(np.float64)
    return _number_sentences(got, want, ~np.isclose(got, want, rtol=rtol, atol=atol), gradient)


def _number_sentence(got: np.ndarray, want: np.ndarray, gradient: bool) -> tuple[float, str]:
    """About a single number, of which no relation can be told."""
    if want.dtype.kind not in "fiu" or got.dtype.kind not in "fiu":
        return SPECIFIC, f"got {got.item()}, which is not the expected answer."
    if got == 0 and gradient:
        return SPECIFIC, NO_GRADIENT
    text = f"got {float(got):.4g}"
    if not np.isfinite(got):
        return NOT_FINITE, f"{text}, which is not finite."
    if not np.isfinite(want):
        return SPECIFIC, f"{text}, which should not be finite."
    if want.dtype.kind != "f":
        return SPECIFIC, f"got {got.item()}, which is too {'large' if got > want else 'small'}."
    return PLACED, f"{text}, which is too {'large' if got > want else 'small'}{_close(got, want)}."


NO_GRADIENT = "every value is 0: no gradient arrives (detached, `.data`, or under no_grad?)."


def _not_finite(
    got: np.ndarray, want: np.ndarray, rtol: float, atol: float, gradient: bool
) -> tuple[float, str] | None:
    for test, hint in (
        (np.isnan, "NaN: look for ∞ − ∞, 0·∞, 0/0 or log of a negative"),
        (np.isinf, "infinite: an exp overflows, a log meets a 0, or a division by 0"),
    ):
        bad = test(got)
        if bad.any() and not test(want).any():
            rest = np.isfinite(want) & ~bad
            right = rest.any() and close(got[rest], want[rest], rtol, atol)
            return NOT_FINITE, f"{_count(bad)} {hint}{'; the others are right' if right else ''}."
    finite = np.isfinite(want)
    ended = np.isfinite(got) & np.isinf(want)
    if ended.any():
        largest = got[ended][np.abs(got[ended]).argmax()]
        count = "1 value is" if ended.sum() == 1 else f"{int(ended.sum())} values are"
        return NOT_FINITE, f"{count} finite but should be infinite: you have {largest:.4g} there."
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return NOT_FINITE, "infinite values are in the wrong places or of the wrong sign."
    if not finite.all():  # the infinities are right: what is wrong with the rest?
        rank, text = _value_sentence(got[finite], want[finite], rtol, atol, gradient)
        return rank, f"of the finite values: {text}"
    return None


def _number_sentences(got: np.ndarray, want: np.ndarray, wrong: np.ndarray, gradient: bool) -> tuple[float, str]:
    """About finite numbers in the right places."""
    related = relation(got, want) or _same_along(got, want)
    if related:
        return SPECIFIC, related
    if not wrong.any():  # by the last digits of the tolerance
        wrong = got != want
    spot = place(wrong, want) if not wrong.all() else None
    alike = next(_wrong_values(got[wrong], want[wrong]), None)
    if spot:
        tail = f": there {alike}" if alike else "; look at that case."
        return SPECIFIC if alike else PLACED, f"{spot} is wrong{tail}"
    if not wrong.all() and alike:
        return SPECIFIC, f"{_share(wrong)} wrong: there {alike}"
    if wrong.all() and got.size > 1 and np.ptp(got) == 0 and np.ptp(want) > 0:
        return SPECIFIC, f"all values are the same, {got.flat[0]:.4g}, where the right ones differ."
    by_line = lines(got, want)
    if by_line:
        return SPECIFIC, by_line
    if np.abs(got - want).max() < SMALL * np.abs(want).max():
        return VAGUE, f"close{_close(got, want)}."
    index = np.unravel_index(int(np.abs(got - want).argmax()), got.shape)
    largest = f"the largest error is at {[int(i) for i in index]}, where you have {got[index]:.4g}"
    if wrong.mean() < 0.5 and wrong.size > 3:
        return PLACED, f"{_share(wrong)} wrong, the rest are right; {largest}."
    side = _one_sided(got, want) if wrong.all() else None
    if side:
        return PLACED, f"{side}; {largest}."
    return VAGUE, f"the values are wrong (right shape and type){_likeness(got, want)}; {largest}."


def _wrong_values(got: np.ndarray, want: np.ndarray) -> Iterator[str]:
    """What the wrong ones among the values have in common."""
    if got.size >= 2 and np.ptp(got) == 0 and np.ptp(want) > 0:
        yield f"every value is {got[0]:.4g}."
    related = relation(got, want, axes=False)
    if related:
        yield related


def _likeness(got: np.ndarray, want: np.ndarray) -> str:
    """Whether wrong values rise and fall with the right ones, in words, where that is clear."""
    if got.size < 2 * ENOUGH or not np.ptp(got) or not np.ptp(want):
        return ""
    scale = np.abs(want).max(), np.abs(got).max()
    correlation = float(np.corrcoef(got.ravel() / scale[1], want.ravel() / scale[0])[0, 1])
    if correlation > 0.9:
        return f": they rise and fall with the right ones (correlation {correlation:.2f})"
    if correlation < -0.9:
        return f": they fall where the right ones rise (correlation {correlation:.2f})"
    return ": they have little to do with the right ones" if abs(correlation) < 0.3 and got.size >= 100 else ""


def _one_sided(got: np.ndarray, want: np.ndarray) -> str | None:
    """On which side of the right values all are, and how far, or which signs alone are right."""
    if got.size < ENOUGH:
        return None
    error = got - want
    low, high = float(np.abs(error).min()), float(np.abs(error).max())
    if (error > 0).all() or (error < 0).all():
        return f"every value is too {'large' if error.flat[0] > 0 else 'small'}, by between {low:.2g} and {high:.2g}"
    if (got * want > 0).all() and (got > 0).any() and (got < 0).any():
        low, high = float((got / want).min()), float((got / want).max())
        return f"every sign is right but no size: they are between {low:.2g} and {high:.2g} times the right"
    return None


def _same_along(got: np.ndarray, want: np.ndarray) -> str | None:
    for axis in range(got.ndim if got.ndim > 1 and np.ptp(got) > 0 else 0):
        if got.shape[axis] > 2 and not np.ptp(got, axis=axis).any() and np.ptp(want, axis=axis).all():
            return f"the values do not change along axis {axis}, where the right ones do."
    return None


def _placed(wrong: np.ndarray, want: np.ndarray, text: str) -> str:
    spot = place(wrong, want)
    return f"{spot} is {text}; look at that case." if spot else f"{_share(wrong)} {text}."


def _close(got: np.ndarray, want: np.ndarray) -> str:
    """How close, in words, where it is close."""
    share = float(np.abs(got - want).max() / (np.abs(want).max() + 1e-300))
    if share >= SMALL:
        return ""
    text = "by less than 0.1 %" if share < 1e-3 else f"by at most {math.ceil(1000 * share) / 10:.1f} %"
    return f", but off {text} of the largest value" if want.ndim else f", {text}"


def _share(wrong: np.ndarray) -> str:
    count = int(np.sum(wrong))
    return f"{count} of {np.size(wrong)} values {'is' if count == 1 else 'are'}"


def _count(mask: np.ndarray) -> str:
    return "1 value is" if mask.sum() == 1 else f"{int(mask.sum())} of {mask.size} values are"


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


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


def _short(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

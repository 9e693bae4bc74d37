"""Judges: they compare evidence with the reference's evidence and say what is wrong.

A judge is called as ``judge(evidence, expected, context) -> Verdict``. The judges here can be written as plain data
(`to_spec`), so that a public check frozen into a notebook uses the very same one. A function with the same
signature that returns True, False, or a sentence (what is wrong) is a judge too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from dgm.checks.compare import as_array, differences, is_numeric
from dgm.checks.diagnose import FORM, SPECIFIC, diagnose, where
from dgm.checks.rng import Rng
from dgm.checks.words import listed_briefly


@dataclass(frozen=True)
class Verdict:
    """``passed``, and if not, one sentence for the student.

    Of several sentences the one that is most ``telling`` is reported (see `dgm.checks.diagnose`).
    """

    passed: bool
    message: str = ""
    telling: float = field(default=SPECIFIC, compare=False)


@dataclass(frozen=True)
class Context:
    """What a judge may use besides the two pieces of evidence.

    ``reference`` is the namespace of the reference solution (None in a student's local check); ``rng()`` gives the
    inputs' generator again from its start, so a judge can redraw what the probe drew. With ``brief`` only whether it
    passes is asked: a verdict may come without its sentence, which takes most of the time to find.
    """

    seed: int
    device: str = "cpu"
    reference: Any = None
    brief: bool = False

    def rng(self) -> Rng:
        return Rng(self.seed, self.device)


class Judge:
    """Base of the judges that can be frozen. Subclasses are frozen dataclasses of plain fields."""

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        raise NotImplementedError

    def describe(self) -> str:
        """Tolerance or rule in words, for the instructor's page."""
        raise NotImplementedError

    def to_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"kind": type(self).__name__}
        for name, value in vars(self).items():
            spec[name] = _freeze(value)
        return spec


def _freeze(value: Any) -> Any:
    if isinstance(value, Judge):
        return value.to_spec()
    if isinstance(value, Mapping):
        return {key: _freeze(item) for key, item in value.items()}
    return [_freeze(item) for item in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Close(Judge):
    """Same structure, shape and dtype class; values within ``atol + rtol * |expected|``."""

    rtol: float = 1e-4
    atol: float = 1e-5

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        places = differences(evidence, expected, self.rtol, self.atol)
        found = list(itertools.islice(places, 1 if context.brief else None))
        if not found or context.brief:
            return Verdict(not found)
        finding = diagnose(found, self.rtol, self.atol)
        wrong = {difference.path[0] for difference in found if difference.path}
        right = [key for key in expected if key not in wrong] if wrong and isinstance(expected, dict) else []
        return _with_rest(Verdict(False, finding.text, finding.telling), right)

    def describe(self) -> str:
        return f"close to the reference (rtol {self.rtol:g}, atol {self.atol:g})"


@dataclass(frozen=True)
class Exact(Judge):
    """Equal structure and values: for integers, strings, booleans."""

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        return Close(rtol=0.0, atol=0.0)(evidence, expected, context)

    def describe(self) -> str:
        return "equal to the reference"


@dataclass(frozen=True)
class Fields(Judge):
    """Evidence is a dict; each entry has its own judge.

    An entry that is a sentence where something else is expected is the message: so a probe can say of one situation
    what went wrong in it, and still ask for the others.

    Attributes:
        judges: the judge of an entry.
        default: the judge of all other entries of the reference's evidence; without one there must be no others.
    """

    judges: Mapping[str, Judge] = field(default_factory=dict)
    default: Judge | None = None

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        keys = self.judges if self.default is None else {**expected, **self.judges}
        if not isinstance(evidence, dict) or set(evidence) != set(keys):
            return Verdict(False, f"expected the entries {sorted(keys)}.", FORM)
        failed, right = [], []
        for key in keys:
            verdict = self._verdict(key, evidence[key], expected[key], context)
            if not verdict.passed and context.brief:
                return verdict
            if verdict.passed:
                right.append(key)
            else:
                failed.append(replace(verdict, message=_at(key, verdict.message)))
        return _with_rest(max(failed, key=lambda verdict: verdict.telling), right) if failed else Verdict(True)

    def _verdict(self, key: str, got: Any, want: Any, context: Context) -> Verdict:
        if isinstance(got, str) and not isinstance(want, str):
            return Verdict(False, got, FORM)
        return self.of(key)(got, want, context)

    def of(self, key: str) -> Judge:
        """The judge of one entry. Raises `KeyError`."""
        return self.judges[key] if self.default is None else self.judges.get(key, self.default)

    def describe(self) -> str:
        parts = [f"{key} {judge.describe()}" for key, judge in self.judges.items()]
        if self.default is not None:
            parts.append(f"{'all others ' if parts else ''}{self.default.describe()}")
        return "; ".join(parts)

    def to_spec(self) -> dict[str, Any]:
        spec = super().to_spec()
        if self.default is None:
            del spec["default"]
        return spec


def _with_rest(verdict: Verdict, right: list[str]) -> Verdict:
    """A verdict that tells little, with the entries that are right: so it is told at least where to look."""
    if verdict.telling >= SPECIFIC or not right:
        return verdict
    names = [f"*{key}*" for key in right]
    return replace(verdict, message=f"{verdict.message} Right: {listed_briefly(names)}.")


def _at(key: str, message: str) -> str:
    """A sentence about an entry, or about a place in it, as one about the whole evidence."""
    inner = message.removeprefix("In ") if message.startswith("In *") else None
    return f"In *{key}*, {inner}" if inner else where((key,)) + message


@dataclass(frozen=True)
class AtMost(Judge):
    """Every value at most ``expected * factor + margin``: no worse than the reference where lower is better."""

    factor: float = 1.0
    margin: float = 0.0

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        if not is_numeric(evidence):
            return Verdict(False, "expected a number.")
        got, want = as_array(evidence).astype(float), as_array(expected).astype(float)
        if got.shape != want.shape:
            return Verdict(False, f"got shape {got.shape} where {want.shape} is expected.")
        if not np.isfinite(got).all():
            return Verdict(False, "the value is not finite.")
        bound = want * self.factor + self.margin
        if (got <= bound).all():
            return Verdict(True)
        return Verdict(False, f"got {float(got.max()):.4g}, which is worse than a correct solution reaches.")

    def describe(self) -> str:
        return f"at most {self.factor:g} × the reference + {self.margin:g}"


@dataclass(frozen=True)
class SameMoments(Judge):
    """Samples (n, ...) whose mean and variance agree with the reference's samples, feature by feature.

    Two-sample z-tests; the threshold keeps the false-alarm rate of the whole probe below ``false_alarm``
    (Bonferroni over features, both moments and two passes, normal approximation, so use n of several hundred or more).
    """

    false_alarm: float = 1e-7

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        if not is_numeric(evidence):
            return Verdict(False, "expected an array of samples.")
        got, want = as_array(evidence).astype(float), as_array(expected).astype(float)
        if got.shape != want.shape or got.ndim == 0:
            return Verdict(False, f"got shape {got.shape} where {want.shape} is expected.")
        if not np.isfinite(got).all():
            return Verdict(False, "some samples are not finite.")
        got, want = got.reshape(len(got), -1), want.reshape(len(want), -1)
        threshold = NormalDist().inv_cdf(1 - self.false_alarm / (8 * got.shape[1]))
        # Once more within the reference's range: a few huge values make any mean and variance seem uncertain.
        for samples in (got, np.clip(got, want.min(0), want.max(0))):
            for name, first, second in (("mean", samples, want), ("variance", _square(samples), _square(want))):
                error = np.sqrt(first.var(0) / len(first) + second.var(0) / len(second)) + 1e-12
                z = np.abs(first.mean(0) - second.mean(0)) / error
                if not z.max() <= threshold:  # NaN, where huge values overflow, is wrong too
                    return Verdict(False, f"the {name} of the samples is wrong ({z.max():.0f} standard errors away).")
        return Verdict(True)

    def describe(self) -> str:
        return f"same mean and variance as the reference's samples (false alarm {self.false_alarm:g})"


def _square(samples: np.ndarray) -> np.ndarray:
    deviations: np.ndarray = samples - samples.mean(0)
    return deviations**2


@dataclass(frozen=True)
class Custom(Judge):
    """A judge given as a function; ``text`` describes its rule. Frozen as source text by the build."""

    function: Callable[[Any, Any, Context], Any]
    text: str = ""

    def __call__(self, evidence: Any, expected: Any, context: Context) -> Verdict:
        answer = self.function(evidence, expected, context)
        if isinstance(answer, Verdict):
            return answer
        if isinstance(answer, str):  # also an empty one, as a brief verdict's message is
            return Verdict(False, answer or self.text or "the values are wrong.")
        return Verdict(bool(answer), "" if answer else (self.text or "the values are wrong."))

    def describe(self) -> str:
        return self.text or (self.function.__doc__ or "custom rule").strip().split("\n")[0]

    def to_spec(self) -> dict[str, Any]:
        raise TypeError("a custom judge is frozen as source, see autograder.authoring")


KINDS: dict[str, type[Judge]] = {kind.__name__: kind for kind in (Close, Exact, Fields, AtMost, SameMoments)}


def from_spec(spec: Mapping[str, Any]) -> Judge:
    """Inverse of ``Judge.to_spec``."""
    values = {key: value for key, value in spec.items() if key != "kind"}
    if spec["kind"] == "Fields":
        default = {"default": from_spec(values["default"])} if "default" in values else {}
        values = {"judges": {key: from_spec(item) for key, item in values["judges"].items()}, **default}
    return KINDS[spec["kind"]](**values)


def decide(judge: Judge, evidence: Any, expected: Any, context: Context) -> Verdict:
    """Ask the judge about hostile evidence: whatever it raises on malformed evidence is a failed verdict.

    Nor is it believed when it accepts evidence with other entries than the reference's, or with a NaN where that has
    none: no comparison with NaN is true, so a judge that looks for what is wrong finds nothing there.
    """
    try:
        verdict = judge(evidence, expected, context)
        if verdict.passed and isinstance(expected, dict) and set(evidence) != set(expected):
            return Verdict(False, "the answer has an unexpected form.")
        if verdict.passed and has_nan(evidence) and not has_nan(expected):
            return Verdict(False, "some values are NaN.")
    except Exception as error:  # evidence of an unexpected structure, e.g. missing keys or wrong shapes
        return Verdict(False, f"the answer has an unexpected form ({type(error).__name__}).")
    return verdict


def has_nan(value: Any) -> bool:
    """Whether evidence holds a NaN anywhere."""
    if isinstance(value, (dict, list)):
        return any(map(has_nan, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (float, complex, np.inexact, np.ndarray)) and bool(np.isnan(as_array(value)).any())

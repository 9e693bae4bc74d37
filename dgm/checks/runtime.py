"""Runs one probe on a namespace of answers and returns an Outcome.

The same function serves the student's local check, the student's kernel while grading, and the reference in the
grader's process. It never lets an exception of the answers escape, and never reads more than the probe asks for.
"""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import random
import re
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from dgm.checks import answers
from dgm.checks import evidence as wire
from dgm.checks.rng import Rng
from dgm.checks.status import STUB

Outcome = dict[str, Any]
MAX_WATCHED_ELEMENTS = 1_000_000
MAX_DEPTH = 20  # of lists in lists


class MissingAnswer(Exception):
    """The namespace has no such name."""


class Student:
    """The answers, as attributes. ``student.f(x)`` calls the student's ``f``, and notes what it returns and whether it
    changed ``x``.

    Use ``student.raw.f`` for functions that are meant to work in place.
    """

    def __init__(self, namespace: Mapping[str, Any], mutated: list[str], results: answers.Results) -> None:
        self._namespace = namespace
        self._mutated = mutated
        self._results = results

    @property
    def raw(self) -> types.SimpleNamespace:
        """The answers without the watch on their arguments."""
        return _Raw(self._namespace, self._results)  # type: ignore[return-value]

    def __getattr__(self, name: str) -> Any:
        return _watched(name, _lookup(self._namespace, name), self._mutated, self._results)


class _Raw:
    def __init__(self, namespace: Mapping[str, Any], results: answers.Results) -> None:
        self._namespace = namespace
        self._results = results

    def __getattr__(self, name: str) -> Any:
        return _watched(name, _lookup(self._namespace, name), None, self._results)


def _lookup(namespace: Mapping[str, Any], name: str) -> Any:
    if name.startswith("__") or name not in namespace:
        raise MissingAnswer(name)
    return namespace[name]


def _watched(name: str, function: Any, mutated: list[str] | None, results: answers.Results) -> Any:
    """An answer that notes its results and, in ``mutated`` if given, whether it changed its arguments.

    What is no function stays as it is: of a class only the name is noted.
    """
    if not isinstance(function, (types.FunctionType, types.BuiltinFunctionType, functools.partial)):
        results.unwatched(name)
        return function

    @functools.wraps(function)
    def watched_call(*args: Any, **kwargs: Any) -> Any:
        given = [] if mutated is None else [*args, *kwargs.values()]
        before, form = list(_tensors(given)), _form(given)
        copies = [_copy(item) for item in before]
        result = function(*args, **kwargs)
        if mutated is not None and not (_has_form(given, form) and all(map(_same, before, copies))):
            mutated.append(name)
        results.note(name, result)
        return result

    return watched_call


def _tensors(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (torch.Tensor, np.ndarray)):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


def _form(value: Any, depth: int = 0) -> Any:
    """Lists and dicts taken apart, with what is in them as it is: to be compared with what they hold later."""
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, dict):
        return [(key, _form(item, depth + 1)) for key, item in value.items()]
    return [_form(item, depth + 1) for item in value] if isinstance(value, (list, tuple)) else value


def _has_form(value: Any, form: Any, depth: int = 0) -> bool:
    if depth <= MAX_DEPTH and isinstance(value, dict):
        return len(value) == len(form) and all(
            key == other and _has_form(item, kept, depth + 1)
            for (key, item), (other, kept) in zip(value.items(), form, strict=True)
        )
    if depth <= MAX_DEPTH and isinstance(value, (list, tuple)):
        return len(value) == len(form) and all(
            _has_form(item, kept, depth + 1) for item, kept in zip(value, form, strict=True)
        )
    plain = isinstance(value, (int, float, str, bytes)) and type(value) is type(form)
    return value is form or (plain and value == form)


def _copy(item: Any) -> Any:
    if isinstance(item, torch.Tensor):
        return item.detach().clone() if item.numel() <= MAX_WATCHED_ELEMENTS else None
    return item.copy() if item.size <= MAX_WATCHED_ELEMENTS else None


def _same(item: Any, copy: Any) -> bool:
    if copy is None:  # too large to be watched
        return True
    if isinstance(item, torch.Tensor):
        now = item.detach()
        if now.shape != copy.shape:
            return False
        return torch.equal(now, copy) or bool(torch.equal(torch.nan_to_num(now), torch.nan_to_num(copy)))
    return item.shape == copy.shape and bool(np.array_equal(item, copy, equal_nan=item.dtype.kind in "fc"))


def _seed_torch(seed: int) -> None:
    """Like ``torch.manual_seed``, which costs a millisecond to note its caller for devices that are not in use."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def fixed_state(seed: int, restore: bool = True) -> Iterator[None]:
    """Seed the global generators, use float32 and gradients inside; put everything back afterwards.

    Without ``restore`` the generators stay as they are then, which saves most of the time: for a process in which all
    that draws from them is seeded.
    """
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    if restore:
        states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - the global state
    try:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        _seed_torch(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if restore:
            torch.set_rng_state(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
            random.setstate(states[2])


def run_probe(
    probe: Callable[[Any, Rng], Any],
    namespace: Mapping[str, Any],
    seed: int,
    device: str = "cpu",
    restore: bool = True,
) -> Outcome:
    """Run ``probe(student, rng)`` and describe what happened.

    Args:
        probe: What is run.
        namespace: The answers.
        seed: Of the probe's inputs, and of the global generators.
        device: Where the inputs live.
        restore: See `fixed_state`.

    Returns:
        ``status``: ok, missing (no such name), todo (the stub is still there) or error;
        ``evidence``: normalised plain data, None unless ok; ``error``: type, message, where;
        ``mutated``: names of functions that changed an argument in place; ``seconds``.
    """
    mutated: list[str] = []
    results = answers.Results()
    outcome: Outcome = {"status": "ok", "evidence": None, "error": None, "mutated": mutated, "seconds": 0.0}
    start = time.perf_counter()
    with fixed_state(seed, restore), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outcome["evidence"] = wire.normalise(probe(Student(namespace, mutated, results), Rng(seed, device)))
        except MissingAnswer as error:
            outcome.update(status="missing", error=_describe(error))
        except NotImplementedError as error:
            outcome.update(status="todo" if _is_stub(error) else "error", error=_describe(error))
        except (Exception, SystemExit) as error:
            outcome.update(status="error", error=_of_the_answer(error, results) or _describe(error))
    outcome["mutated"] = sorted(set(mutated))
    outcome["seconds"] = time.perf_counter() - start
    return outcome


def _describe(error: BaseException) -> dict[str, str]:
    where = ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_notebook_frame(frame.filename)]
    if frames:
        last = frames[-1]
        name = next((frame.name for frame in reversed(frames) if not frame.name.startswith("<")), "it")  # no <genexpr>
        line = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
        where = f"line {last.lineno} of the cell that defines {name}" + (f": {line[:200]}" if line else "")
    return {"type": type(error).__name__[:100], "message": _text(error)[:1000], "where": where}


def _of_the_answer(error: BaseException, results: answers.Results) -> dict[str, str] | None:
    """What an error in the probe's own lines says about the answer; None for the student's own errors."""
    try:
        if isinstance(error, Exception) and answers.in_the_probe(error, _is_students):
            text = results.explain(error)
            return {"type": answers.TYPE, "message": text, "where": ""} if text else None
    except Exception:  # a hostile or broken __str__
        return None
    return None


def _is_students(frame: types.FrameType) -> bool:
    code = frame.f_code
    called = code.co_filename == __file__ and code.co_name == "watched_call"
    return called or _is_notebook_frame(code.co_filename)


def _is_stub(error: NotImplementedError) -> bool:
    """Raised by a ``raise``, as far as the line is known; torch has it for operations that a device does not know."""
    if re.fullmatch(STUB, _text(error)):
        return True
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return not frame.line or (frame.line.startswith("raise") and "site-packages" not in frame.filename)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a hostile or broken __str__
        return ""


def _is_notebook_frame(filename: str) -> bool:
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<answers"))


def load_probe(source: str, name: str) -> Callable[[Any, Rng], Any]:
    """Compile a probe's self-contained source (see ``autograder.probes.extract``)."""
    scope: dict[str, Any] = {"__name__": "__probe__"}
    exec(compile(source, f"<probe {name}>", "exec"), scope)
    probe: Callable[[Any, Rng], Any] = scope[name]
    return probe


def run_probe_json(source: str, name: str, seed: int, namespace: Mapping[str, Any], device: str = "cpu") -> bytes:
    """`run_probe` on source text, with the outcome as JSON bytes: what a kernel sends to the grader."""
    outcome = run_probe(load_probe(source, name), namespace, seed, device)
    try:
        return wire.encode(outcome)
    except wire.EvidenceError as error:
        description = {"type": "EvidenceError", "message": str(error), "where": ""}
        outcome.update(status="error", evidence=None, error=description)
        return wire.encode(outcome)

"""From an outcome to a status and a sentence: one rule for the local check and the grade."""

from __future__ import annotations

import re
import warnings

import numpy as np

from dgm.checks.answers import TYPE
from dgm.checks.judges import Context, Judge, decide
from dgm.checks.runtime import Outcome, fixed_state
from dgm.checks.status import ERROR, FAILED, MISSING, PASSED, TIMEOUT

NAMES = ("eps", "exp", "logits", "logvar", "std")  # names that could be words, at the start of a title


def explain(
    outcome: Outcome,
    expected: Outcome,
    judge: Judge,
    context: Context,
    *,
    undefined: str,
    untouched: str,
    restore: bool = True,
) -> tuple[str, str]:
    """Status and message of one probe.

    Args:
        outcome: What came of it.
        expected: What came of it on the reference.
        judge: What compares the two.
        context: What the judge may need.
        undefined: The end of the sentence about a name that does not exist.
        untouched: The sentence about a stub.
        restore: See `fixed_state`.
    """
    error = outcome.get("error") or {}
    if outcome["status"] == "missing":
        return MISSING, f"`{error.get('message', '?')}` {undefined}"
    if outcome["status"] == "todo":
        return MISSING, untouched
    if outcome["status"] == "timeout":
        return TIMEOUT, error.get("message", "It took too long.")
    if outcome["status"] != "ok":
        where = f" ({error['where']})" if error.get("where") else ""
        kind = None if error.get("type") == TYPE else error.get("type")  # a sentence of its own
        return ERROR, ": ".join(filter(None, (kind, error.get("message")))) + where
    changed = sorted(set(outcome["mutated"]) - set(expected["mutated"]))
    if changed:
        advice = "work on a copy (no `x += …`, `x.mul_()`, `x[i] = …`)"
        return FAILED, f"`{changed[0]}` changes its input in place; {advice}."
    with fixed_state(context.seed, restore), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy and torch, about evidence that may be anything
        verdict = decide(judge, outcome["evidence"], expected["evidence"], context)
    return (PASSED, "") if verdict.passed else (FAILED, verdict.message)


def sentence(title: str) -> str:
    """A mistake's title as a sentence."""
    title = capitalised(title)
    return title if title.endswith((".", "!", "?")) else title + "."


def capitalised(text: str) -> str:
    """The text with a capital, unless it begins with a name, which keeps its case: ``x``, ``β1``, code in backticks."""
    word = re.match(r"[a-z]+(?:['’-][a-z]+)*(?=[\s,;:.]|$)", text)
    if word and (len(word[0]) > 1 or word[0] == "a") and word[0] not in NAMES:
        return text[:1].upper() + text[1:]
    return text

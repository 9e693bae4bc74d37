"""Turns what a kernel says about errors into short plain text."""

from __future__ import annotations

import re

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*\x07|\x1b.")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
CELL = re.compile(r"Cell In\s?\[(\d{1,9})\], line (\d{1,9})")
TRACEBACK_CHARS = 4000


def text(value: object, limit: int | None) -> str:
    """A string without control characters; empty when it is none."""
    if not isinstance(value, str):
        return ""
    if limit is not None:
        value = value[: 4 * limit]
    plain = CONTROL.sub("", ANSI.sub("", value)).encode("utf-8", "replace").decode()
    return plain if limit is None or len(plain) <= limit else plain[: limit - 1] + "…"


def traceback(frames: object) -> str:
    """The traceback as one text; the middle is left out when it is long."""
    if not isinstance(frames, list):
        return ""
    parts = [text(frame, 20_000) for frame in frames[:50] + frames[50:][-50:]]
    whole = "\n".join(parts)
    if len(whole) <= TRACEBACK_CHARS:
        return whole
    return whole[:1500] + "\n…\n" + whole[-(TRACEBACK_CHARS - 1503) :]


def line(trace: str, execution_count: object, code: str) -> int | None:
    """The innermost line of this cell that the traceback names."""
    lines = [int(number) for cell, number in CELL.findall(trace) if int(cell) == execution_count]
    if not lines:
        return None
    blank = len(code) - len(code.lstrip(" \t\n"))
    return lines[-1] + code.count("\n", 0, blank)  # IPython drops leading blank lines and does not count them

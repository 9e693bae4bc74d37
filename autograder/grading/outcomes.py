"""From a kernel's reply to an Outcome. Whatever came is hostile; what leaves here has the form that judges expect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograder.text import clean_line
from dgm.checks.evidence import EvidenceError, decode, encode
from dgm.checks.runtime import Outcome

if TYPE_CHECKING:
    from autograder.kernel import ProbeReply

KEYS = {"status", "evidence", "error", "mutated", "seconds"}
STATUSES = ("ok", "missing", "todo", "error")
MAX_MUTATED = 50
MIN_PAYLOAD, MAX_PAYLOAD = 2 * 2**20, 16 * 2**20  # judging evidence takes many times its memory
TIMES_EXPECTED = 8  # what is that much larger than the right answer is not looked at
PROTOCOL = "The answer did not come back in the expected form; does the notebook change Python's own modules?"
REASONS = {
    "died": "The process ended while it was answering (exit, crash, or out of memory?).",
    "memory": "It needs more memory than is allowed.",
    "malformed": PROTOCOL,
    "too_large": "What it returned is too large.",
}


def plain_outcome(status: str, message: str = "", type_: str = "", seconds: float = 0.0) -> Outcome:
    """An Outcome without evidence."""
    error = {"type": type_, "message": message, "where": ""}
    return {"status": status, "evidence": None, "error": error, "mutated": [], "seconds": seconds}


def timed_out(limit: float, seconds: float = 0.0) -> Outcome:
    return plain_outcome("timeout", f"It took longer than the {limit:g} s allowed and was stopped.", seconds=seconds)


def allowed_bytes(expected: Outcome) -> int:
    """How large a reply may be, by what the reference gives."""
    return min(MAX_PAYLOAD, max(MIN_PAYLOAD, TIMES_EXPECTED * len(encode(expected))))


def read_reply(reply: ProbeReply, limit: float, byte_limit: int = MAX_PAYLOAD) -> Outcome:
    """The Outcome of one probe, which had ``limit`` seconds; more than ``byte_limit`` bytes are not looked at."""
    if reply.status == "timeout":
        return timed_out(limit, reply.seconds)
    if reply.status == "deadline":
        return plain_outcome("timeout", "The time for the whole submission was used up.", seconds=reply.seconds)
    if reply.status == "ok" and len(reply.payload) > byte_limit:
        return plain_outcome("error", REASONS["too_large"], seconds=reply.seconds)
    if reply.status != "ok":
        return plain_outcome("error", REASONS.get(reply.status, PROTOCOL), seconds=reply.seconds)
    try:
        return read_outcome(reply.payload, reply.seconds)
    except EvidenceError:
        return plain_outcome("error", PROTOCOL, seconds=reply.seconds)


def read_outcome(payload: bytes, seconds: float) -> Outcome:
    """Decode and check an Outcome. ``seconds`` is our own clock's; the kernel's is not believed.

    Raises:
        EvidenceError: It is not an Outcome.
    """
    raw = decode(payload)
    if not isinstance(raw, dict) or set(raw) != KEYS:
        raise EvidenceError("not an outcome")
    status, error, mutated = raw["status"], raw["error"], raw["mutated"]
    if not isinstance(status, str) or status not in STATUSES:
        raise EvidenceError("unknown status")
    if not isinstance(mutated, list) or len(mutated) > MAX_MUTATED:
        raise EvidenceError("malformed list of changed arguments")
    if (status == "ok") != (error is None):
        raise EvidenceError("an error without its status")
    return {
        "status": status,
        "evidence": raw["evidence"] if status == "ok" else None,
        "error": None if error is None else _error(error),
        "mutated": sorted({_text(name, 100) for name in mutated}),
        "seconds": seconds if math.isfinite(seconds) else 0.0,
    }


def _error(error: Any) -> dict[str, str]:
    if not isinstance(error, dict) or set(error) != {"type", "message", "where"}:
        raise EvidenceError("malformed error")
    return {key: _text(error[key], limit) for key, limit in (("type", 100), ("message", 400), ("where", 300))}


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        raise EvidenceError("text expected")
    return clean_line(value, limit)

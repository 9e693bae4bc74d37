"""What a kernel says is hostile; what reaches a judge has the expected form."""

import json

import numpy as np
import pytest

from autograder.grading.outcomes import MAX_PAYLOAD, MIN_PAYLOAD, allowed_bytes, read_outcome, read_reply
from autograder.kernel import ProbeReply
from dgm.checks.evidence import EvidenceError, encode

GOOD = {"status": "ok", "evidence": [1, 2], "error": None, "mutated": [], "seconds": 0.5}
FAILED = {"type": "ValueError", "message": "no", "where": "line 1"}


def outcome(**changes):
    return read_outcome(json.dumps(GOOD | changes).encode(), 0.25)


def test_good_outcomes_pass_through():
    assert outcome() == GOOD | {"seconds": 0.25}  # our own clock
    assert outcome(status="error", evidence=None, error=FAILED)["error"] == FAILED


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "passed"}, {"status": ["ok"]}, {"status": None}, {"extra": 1}, {"error": FAILED},
        {"status": "error"}, {"status": "timeout", "error": FAILED}, {"status": "error", "error": {"type": "x"}},
        {"status": "error", "error": FAILED | {"message": 3}}, {"mutated": "f"}, {"mutated": [1]},
        {"mutated": ["f"] * 1000}, {"evidence": {"__array__": ["O", [1], "AAAA"]}},
    ],
)  # fmt: skip
def test_malformed_outcomes_are_refused(changes):
    with pytest.raises(EvidenceError):
        outcome(**changes)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"3", b"[" * 100_000, b"\xff", b"1" * 5000])
def test_garbage_becomes_an_error(payload):
    result = read_reply(ProbeReply("ok", payload), 5)
    assert result["status"] == "error" and result["evidence"] is None


def test_too_much_evidence_is_not_even_parsed():
    result = read_reply(ProbeReply("ok", b"[" * (16 * 2**20 + 1)), 5)
    assert result["status"] == "error" and "too large" in result["error"]["message"]


def test_evidence_far_larger_than_the_reference_s_is_not_parsed():
    def expected(numbers):
        return {"status": "ok", "evidence": np.zeros(numbers), "error": None, "mutated": [], "seconds": 0.0}

    assert allowed_bytes(expected(3)) == MIN_PAYLOAD
    assert MIN_PAYLOAD < allowed_bytes(expected(100_000)) < MAX_PAYLOAD == allowed_bytes(expected(1_000_000))
    payload = encode({**expected(200_000)})
    assert read_reply(ProbeReply("ok", payload), 5, allowed_bytes(expected(100_000)))["status"] == "ok"
    assert "too large" in read_reply(ProbeReply("ok", payload), 5, 1 << 20)["error"]["message"]


def test_evidence_beside_an_error_is_dropped():
    assert outcome(status="error", error=FAILED)["evidence"] is None


def test_texts_are_cleaned():
    error = {"type": "\x1b[1mE", "message": "a\nb" + "c" * 5000, "where": "\u202ex"}
    result = outcome(status="error", error=error, mutated=["f\x00", "f"])
    assert result["error"]["type"] == "E" and result["error"]["where"] == "x"
    assert result["error"]["message"].startswith("a bc") and len(result["error"]["message"]) == 400
    assert result["mutated"] == ["f"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("timeout", "timeout", "longer than the 7 s"), ("deadline", "timeout", "whole submission"),
        ("died", "error", "process ended"), ("memory", "error", "memory"), ("malformed", "error", "expected form"),
        ("too_large", "error", "too large"), ("nonsense", "error", "expected form"),
    ],
)
def test_other_replies_have_a_sentence(status, kind, words):
    result = read_reply(ProbeReply(status, message="student's words"), 7)
    assert result["status"] == kind
    assert words in result["error"]["message"]

"""Seeds. One secret seed a run; every probe gets its own, so that no probe's inputs tell another's."""

from __future__ import annotations

import hashlib
import secrets


def new_seed() -> int:
    """A fresh secret seed."""
    return secrets.randbits(62)


def probe_seed(secret: int, assignment: str, question: str, probe: str) -> int:
    """The seed of one probe: one-way from the secret, so that a student's process learns nothing of the others."""
    text = f"{secret}/{assignment}/{question}/{probe}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2

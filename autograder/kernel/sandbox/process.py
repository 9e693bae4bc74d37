"""Level "process": an ordinary process with limits, a session of its own and a clean environment. No isolation."""

from __future__ import annotations

from collections.abc import Mapping


def enter(spec: Mapping[str, object]) -> None:
    """Nothing more than what every level has."""

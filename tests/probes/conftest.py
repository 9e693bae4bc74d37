"""Problem sets made for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def tiny_with(tiny_set: Path) -> Write:
    """The tiny problem set with further files, or other texts for its own."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tiny_set / name).parent.mkdir(parents=True, exist_ok=True)
            (tiny_set / name).write_text(text)
        return tiny_set

    return write

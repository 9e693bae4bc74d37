"""HTML pages."""

from __future__ import annotations

from pathlib import Path


def write_pages(out: Path) -> Path:
    return out

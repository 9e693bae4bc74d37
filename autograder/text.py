"""Makes text that came from a student fit to be shown: no escape sequences, no control characters, not too long."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_SPACES = re.compile(r"[ \t\r\n\v\f\u0085\u2028\u2029]+")
LINE = 400
CUT = 20_000  # nothing beyond this is even looked at


def clean_line(text: object, limit: int = LINE) -> str:
    """One line: colours, control characters, direction overrides and lone surrogates removed, then cut."""
    if not isinstance(text, str):
        return ""
    text = _SPACES.sub(" ", _ANSI.sub("", text[:CUT]))
    text = "".join(char for char in text if _shown(char)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _shown(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def encodable(text: str) -> str:
    """Lone surrogates, which JSON can carry but UTF-8 cannot, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")

"""Names in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 3  # names that are all told; of more the first two are


def with_article(name: str) -> str:
    """``a list``, ``an int``, ``an Embedding``."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def listed_briefly(names: Sequence[str]) -> str:
    """`listed`, but of many names only the first two and how many more there are."""
    return listed(names if len(names) <= MOST else [*names[:2], f"{len(names) - 2} more"])

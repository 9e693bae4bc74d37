"""The one exception that users see, a sentence that says what is wrong and what to do; and others in words."""

from __future__ import annotations


class UserError(Exception):
    """A problem the user can act on. The command line prints the sentence and exits with ``code``.

    Exit codes: 1 the check or proof failed, 2 bad usage or input, 3 the environment lacks something.
    """

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def in_words(error: Exception) -> str:
    """An exception on one line, to stand in a sentence."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".")

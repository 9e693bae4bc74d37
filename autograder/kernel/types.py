"""Limits of a kernel, and what its calls return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.errors import UserError

ExecutionStatus = Literal["ok", "error", "timeout", "died", "output", "deadline"]
ProbeStatus = Literal["ok", "timeout", "died", "memory", "malformed", "too_large", "deadline"]


class SandboxError(UserError):
    """The sandbox that was asked for cannot be set up here, or a kernel could not be started in it."""

    def __init__(self, message: str, code: int = 3) -> None:
        super().__init__(message, code)


@dataclass(frozen=True)
class Limits:
    """What one submission may use. MB are 2**20 bytes.

    Seconds are wall time without that in which the submission waits for a processor (see `fair_clock`).
    """

    cell_seconds: float = 120
    probe_seconds: float = 60
    total_seconds: float = 900
    memory_mb: int = 4096
    processes: int = 128  # threads count
    file_mb: int = 64
    scratch_mb: int = 256
    output_bytes: int = 1_000_000  # all printed output of a submission
    message_bytes: int = 64 * 2**20  # the largest message accepted from a kernel
    display_bytes: int = 64_000_000  # all images and other rich output of a submission


@dataclass(frozen=True)
class Execution:
    """What came of one cell. Everything in it was said by the student's process."""

    status: ExecutionStatus
    ename: str = ""
    evalue: str = ""
    traceback: str = ""  # without colours, at most about 4,000 characters
    seconds: float = 0.0
    waited: float = 0.0  # of these, for a processor on a busy machine: they count for no limit
    stdout_tail: str = ""
    stderr_tail: str = ""
    line: int | None = None  # where in the cell the error arose


@dataclass(frozen=True)
class ProbeReply:
    """What came of one probe; ``payload`` is the JSON of its Outcome, and is untrusted."""

    status: ProbeStatus
    payload: bytes = b""
    seconds: float = 0.0
    waited: float = 0.0  # as in `Execution`
    message: str = ""  # one sentence, when the status is not ok

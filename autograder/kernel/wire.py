"""The grader's end of the Jupyter wire protocol: only what is needed, and nothing is believed.

Messages are not parsed as a whole. The header says what a message is; its content is parsed only where it is used
and small, because a few megabytes of JSON can become gigabytes of objects.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DELIMITER = b"<IDS|MSG>"
HEADER_BYTES = 1 << 16
CONTENT_BYTES = 1 << 20


@dataclass(frozen=True)
class Message:
    """One message from a kernel. ``parent`` is the id of the request it claims to answer."""

    kind: str
    parent: str
    content: bytes | memoryview
    buffers: Sequence[Any]
    size: int

    def parse(self) -> dict[str, Any]:
        """The content as a dictionary; empty when it is too long or not one."""
        return parse_object(self.content, CONTENT_BYTES)


def parse_object(data: bytes | memoryview, limit: int) -> dict[str, Any]:
    """A JSON object from untrusted bytes; empty when they are anything else."""
    if len(data) > limit:
        return {}
    try:
        value = json.loads(bytes(data))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class Codec:
    """Signs requests and takes replies apart, for one kernel."""

    def __init__(self) -> None:
        self.key = secrets.token_hex(32)
        self._session = secrets.token_hex(8)

    def request(self, kind: str, content: Mapping[str, object]) -> tuple[str, list[bytes]]:
        """The id of a new request and its frames."""
        identity = secrets.token_hex(16)
        header = {
            "msg_id": identity,
            "msg_type": kind,
            "session": self._session,
            "username": "grader",
            "date": datetime.now(UTC).isoformat(),
            "version": "5.4",
        }
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        return identity, [DELIMITER, self._sign(parts), *parts]

    def _sign(self, parts: Sequence[bytes | memoryview]) -> bytes:
        signer = hmac.new(self.key.encode(), digestmod=hashlib.sha256)
        for part in parts:
            signer.update(part)
        return signer.hexdigest().encode()

    def parse(self, frames: Sequence[bytes]) -> Message | None:
        """A message, or None for anything malformed."""
        data = [memoryview(frame) for frame in frames]
        start = next((i for i, part in enumerate(data[:4]) if part == DELIMITER), None)
        if start is None or len(data) < start + 6:
            return None
        signature, header, parent, metadata, content = data[start + 1 : start + 6]
        if len(header) > HEADER_BYTES or len(parent) > HEADER_BYTES:
            return None
        if not hmac.compare_digest(bytes(signature[:64]), self._sign([header, parent, metadata, content])):
            return None
        kind = parse_object(header, HEADER_BYTES).get("msg_type")
        origin = parse_object(parent, HEADER_BYTES).get("msg_id", "")
        if not isinstance(kind, str) or not isinstance(origin, str):
            return None
        return Message(kind, origin, content, data[start + 6 :], sum(map(len, data)))

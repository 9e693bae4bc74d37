"""The two connections through which the grader talks to one kernel.

ipykernel speaks ZMTP, the protocol of ZeroMQ. The grader's end is written here rather than taken from libzmq, which
collects the parts of a message without a limit: here a message has a cap on its size and its parts, nothing is read
before there is room for it, and a peer that does not keep to that is hung up on. It understands only what it needs:
ZMTP 3.0 without security, over a Unix socket, to a single peer.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

# signature, version 3.0, mechanism, as a client, filler
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
MAX_FRAMES = 256  # of one message
READ_BYTES = 1 << 18  # at a time
READS = 16  # before the caller looks at the clock again
COMMAND_BYTES, MAX_COMMANDS = 1 << 12, 16  # libzmq sends one, to say that it is ready
CLOSED, TOO_LARGE = "closed", "too large"  # why a connection was lost


class Channel:
    """One connection as a peer of a given ZeroMQ type: a listener until the kernel connects, nothing ever waits."""

    def __init__(self, path: Path, kind: str, message_bytes: int) -> None:
        self.lost = ""  # or why it was lost
        self.connected = False  # and past the handshake
        self.more = False  # perhaps another message has been read already
        self._kind, self._limit = kind, message_bytes
        self._in, self._out = bytearray(), bytearray()
        self._frames: list[bytes] = []
        self._size = 0  # of these frames
        self._commands = 0
        self._greeted = False
        self._listening = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(1)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """-1 when it is closed."""
        return self._socket.fileno()

    @property
    def unsent(self) -> bool:
        """Whether ``flush`` has something to do."""
        return bool(self._out) and not self.lost

    def send(self, frames: Sequence[bytes]) -> None:
        """Queue a message; as much as possible goes out at once."""
        self._send((frame, MORE if left else 0) for left, frame in zip(range(len(frames) - 1, -1, -1), frames))

    def _send(self, frames: Iterable[tuple[bytes, int]]) -> None:
        for frame, flags in frames:
            if len(frame) < 256:
                self._out += struct.pack("BB", flags, len(frame)) + frame
            else:
                self._out += struct.pack(">BQ", flags | LONG, len(frame)) + frame
        self.flush()

    def flush(self) -> None:
        """Send what the connection takes now."""
        try:
            while self._out and not self.lost:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose(CLOSED)

    def receive(self) -> list[bytes] | None:
        """The next message, or None when none has arrived as a whole."""
        self.more = False
        if self._listening and not self._accept():
            return None
        for _ in range(READS):
            message = self._parse()
            if message is not None:
                self.more = True
                return message
            if self.lost or not self._read():
                break
        return None

    def _accept(self) -> bool:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return False
        self._socket.close()  # nobody else can connect
        self._socket, self._listening = connection, False
        connection.setblocking(False)
        self._out += GREETING
        parts = ((b"Socket-Type", self._kind.encode()), (b"Identity", b""))
        body = b"".join(bytes([len(name)]) + name + struct.pack(">I", len(value)) + value for name, value in parts)
        self._send([(b"\x05READY" + body, COMMAND)])
        return True

    def _read(self) -> bool:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._lose(CLOSED)
        self._in += data
        return bool(data)

    def _parse(self) -> list[bytes] | None:
        """A whole message from what has been read."""
        if not self._greeted:
            if len(self._in) < len(GREETING):
                return None
            if self._in[0] != 0xFF or self._in[10] < 3:
                self._lose(CLOSED)
                return None
            del self._in[: len(GREETING)]
            self._greeted = True
        start = 0
        message = None
        while message is None and len(self._in) - start >= 2:
            flags = self._in[start]
            head = 9 if flags & LONG else 2
            if len(self._in) - start < head:
                break
            size = int.from_bytes(self._in[start + 1 : start + head])
            # decided before any of it is waited for
            if size > COMMAND_BYTES if flags & COMMAND else self._size + size > self._limit:
                self._lose(TOO_LARGE)
                return None
            if len(self._in) - start < head + size:
                break
            frame = bytes(memoryview(self._in)[start + head : start + head + size])
            start += head + size
            if flags & COMMAND:
                self._obey(frame)
                self._commands += 1
            else:
                self._frames.append(frame)
                self._size += size
            if len(self._frames) > MAX_FRAMES or self._commands > MAX_COMMANDS:
                self._lose(TOO_LARGE)
                return None
            if not flags & (MORE | COMMAND):
                message, self._frames, self._size = self._frames, [], 0
        del self._in[:start]
        return message

    def _obey(self, command: bytes) -> None:
        """READY is all we react to; the other end is connected as soon as it has said so."""
        if command.startswith(b"\x05READY") and not self.connected:
            self.connected = True
            if self._kind == "SUB":
                self.send([b"\x01"])  # subscribe to everything

    def _lose(self, why: str) -> None:
        self.lost = why
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        self.lost = self.lost or CLOSED
        self._socket.close()
        for buffer in (self._in, self._out):
            buffer.clear()
        self._frames = []


class KernelSockets:
    """Bound by the grader, connected by the kernel, and then without a name: nobody else can connect."""

    def __init__(self, parent: Path, message_bytes: int, uid: int | None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="s-", dir=parent))
        self.shell = Channel(self.directory / "shell", "DEALER", message_bytes)
        self.iopub = Channel(self.directory / "iopub", "SUB", message_bytes)
        for name in ("shell", "iopub"):
            (self.directory / name).chmod(0o600)
            if uid is not None:
                os.chown(self.directory / name, uid, uid)
        if uid is not None:
            self.directory.chmod(0o700)
            os.chown(self.directory, uid, uid)

    def wait(self, seconds: float, *others: int) -> None:
        """Until something arrives on a connection or one of the ``others``, but no longer than that."""
        poller = select.poll()  # not select(), which refuses numbers above 1023
        for fd in others:
            poller.register(fd, select.POLLIN)
        for channel in (self.shell, self.iopub):
            if channel.more:
                seconds = 0
            if not channel.lost:
                poller.register(channel, select.POLLIN | (select.POLLOUT if channel.unsent else 0))
        poller.poll(max(0.0, seconds) * 1000)
        for channel in (self.shell, self.iopub):
            if channel.unsent:
                channel.flush()

    def stop_listening(self) -> None:
        """Remove the names."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def close(self) -> None:
        """Close everything; safe to call twice."""
        for channel in (self.shell, self.iopub):
            with contextlib.suppress(OSError):
                channel.close()
        self.stop_listening()

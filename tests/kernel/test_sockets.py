"""The grader's own end of ZMTP: it talks to libzmq, and nothing that a peer sends makes it grow or wait."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

from autograder.kernel.sockets import CLOSED, GREETING, MAX_FRAMES, TOO_LARGE, Channel

from .conftest import SOON

LIMIT = 1 << 20
READY = b"\x04\x06\x05READY"


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    channel = Channel(tmp_path / "c", "DEALER", LIMIT)
    yield channel
    channel.close()


@pytest.fixture
def peer(channel: Channel, tmp_path: Path) -> Iterator[socket.socket]:
    """A connection whose other end is written by hand, past the handshake."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "c"))
        peer.sendall(GREETING + READY)
        assert channel.receive() is None and channel.connected
        peer.settimeout(SOON)
        yield peer


def frame(data: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BQ", flags | 2, len(data)) + data


def until(channel: Channel) -> list[bytes]:
    deadline = time.monotonic() + SOON
    while (message := channel.receive()) is None:
        assert not channel.lost and time.monotonic() < deadline
        channel.flush()
        time.sleep(0.001)
    return message


@pytest.mark.parametrize(("ours", "theirs"), [("DEALER", zmq.ROUTER), ("SUB", zmq.XPUB)])
def test_it_understands_libzmq(tmp_path: Path, ours: str, theirs: int) -> None:
    channel, context = Channel(tmp_path / "c", ours, LIMIT), zmq.Context()
    try:
        other = context.socket(theirs)
        other.linger, other.rcvtimeo = 0, round(1000 * SOON)
        other.connect(f"ipc://{tmp_path}/c")
        while not channel.connected:
            assert channel.receive() is None
        messages = [[b"one"], [b"a", b"", b"x" * 255, b"y" * 256, b"z" * 700_000], [b""]]
        if ours == "SUB":
            assert other.recv() == b"\x01"
            for message in messages:
                other.send_multipart(message)
        for message in messages:
            if ours == "DEALER":
                channel.send(message)
                while channel.unsent:
                    channel.flush()
                identity, *received = other.recv_multipart()
                assert received == message
                other.send_multipart([identity, *message])
            assert until(channel) == message
        other.close()
        deadline = time.monotonic() + SOON
        while not channel.lost and time.monotonic() < deadline:
            channel.receive()
        assert channel.lost == CLOSED
    finally:
        channel.close()
        context.destroy(linger=0)


def test_nobody_else_can_connect(channel: Channel, peer: socket.socket, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as second, pytest.raises(ConnectionRefusedError):
        second.connect(str(tmp_path / "c"))
    peer.sendall(frame(b"still here"))
    assert until(channel) == [b"still here"]


def test_a_message_may_come_in_pieces(channel: Channel, peer: socket.socket) -> None:
    data = frame(b"first", 1) + b"\x00\x06second"
    for place in range(len(data)):
        peer.sendall(data[place : place + 1])
        message = channel.receive()
        assert (message is None) == (place < len(data) - 1)
    assert message == [b"first", b"second"] and not channel.lost


def test_a_message_of_endless_parts_is_cut_off(channel: Channel, peer: socket.socket) -> None:
    part = frame(bytes(LIMIT // 8), 1)
    with suppress(OSError):  # it is hung up on
        for _ in range(100):
            peer.sendall(part)
            assert channel.receive() is None
            assert len(channel._in) + channel._size < 3 * LIMIT
    assert channel.lost == TOO_LARGE and not channel._in and not channel._frames


@pytest.mark.parametrize(
    "data",
    [struct.pack(">BQ", 2, LIMIT + 1), struct.pack(">BQ", 3, 2**64 - 1), struct.pack(">BQ", 6, 1 << 20),
     b"\x01\x00" * (MAX_FRAMES + 1), b"\x04\x00" * 100, (b"\x01\x00" + b"\x04\x00") * 100,
     frame(bytes(LIMIT // 2), 1) + b"\x04\x00" + struct.pack(">BQ", 3, LIMIT)],
    ids=["size", "huge size", "command's size", "parts", "commands", "parts and commands", "command between"],
)  # fmt: skip
def test_what_is_too_large_is_refused_before_it_is_there(channel: Channel, peer: socket.socket, data: bytes) -> None:
    for start in range(0, len(data), 1 << 16):
        peer.sendall(data[start : start + (1 << 16)])
        assert channel.receive() is None
    assert channel.lost == TOO_LARGE


def test_open_files_that_a_peer_passes_are_not_taken(channel: Channel, peer: socket.socket) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        socket.send_fds(peer, [b"\x00\x01" + bytes([number])], [peer.fileno()] * 100)
        assert channel.receive() == [bytes([number])]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_peer_that_floods_does_not_keep_the_grader(channel: Channel, peer: socket.socket) -> None:
    """``receive`` comes back although there is always more to read."""
    peer.sendall(b"\x00\x00" * 50_000)
    for _ in range(50_000):
        assert channel.receive() == [b""] and channel.more
    assert channel.receive() is None and not channel.more


@pytest.mark.parametrize("greeting", [bytes(64), b"\xff" + bytes(8) + b"\x7f\x01" + bytes(53), b"GET / HTTP/1.1" * 5])
def test_another_protocol_is_hung_up_on(channel: Channel, tmp_path: Path, greeting: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "c"))
        peer.sendall(greeting)
        assert channel.receive() is None
    assert channel.lost == CLOSED and not channel.connected


def test_a_peer_that_does_not_read_makes_nobody_wait(channel: Channel, peer: socket.socket) -> None:
    started = time.process_time()
    channel.send([b"x" * (16 << 20)])  # it would wait for ever
    assert channel.unsent and time.process_time() - started < 1
    peer.close()
    channel.flush()
    assert channel.lost == CLOSED and not channel.unsent
    channel.send([b"more"])
    assert channel.receive() is None and not channel.unsent

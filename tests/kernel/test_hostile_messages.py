"""The wire: forged, malformed, recursive and oversized messages never raise and never fill the grader's memory."""

from __future__ import annotations

import json

import pytest

from autograder.kernel import Kernel, render
from autograder.kernel.wire import DELIMITER, Codec, parse_object

from .conftest import SOON

PUBLISH = """
kernel = get_ipython().kernel
session = kernel.session
def publish(frames):
    kernel.iopub_thread.schedule(lambda: kernel.iopub_thread.socket.send_multipart(frames))
def signed(*parts):
    publish([b'<IDS|MSG>', session.sign(list(parts)), *parts])
parent = session.pack(kernel.get_parent()['header'])
"""

RAW_FRAMES = """
import os, socket, struct
for name in os.listdir("/proc/self/fd"):
    try:
        s = socket.socket(fileno=os.dup(int(name)))
        if s.family == socket.AF_UNIX and s.type == socket.SOCK_STREAM and str(s.getpeername()).endswith("shell"):
            s.settimeout(60)
            for _ in range(500):
                s.send(struct.pack(">BQ", 3, 1 << 20))
                for _ in range(1 << 4):
                    s.sendall(bytes(1 << 16))
    except OSError:
        pass
import time; time.sleep(600)
"""


def frames_of(codec: Codec, parts: list[bytes]) -> list[bytes]:
    return [b"topic", DELIMITER, codec._sign(parts), *parts]


def test_a_codec_reads_what_is_well_formed() -> None:
    codec = Codec()
    parts = [b'{"msg_type": "stream"}', b'{"msg_id": "abc"}', b"{}", b'{"text": "hi"}']
    message = codec.parse([*frames_of(codec, parts), b"buffer"])
    assert message is not None and (message.kind, message.parent) == ("stream", "abc")
    assert message.parse() == {"text": "hi"} and bytes(message.buffers[0]) == b"buffer"


@pytest.mark.parametrize(
    "parts",
    [[b"{}", b"{}", b"{}", b"{}"], [b"[" * 60_000, b"{}", b"{}", b"{}"], [b'{"msg_type": 1}', b"{}", b"{}", b"{}"],
     [b"\xff\xfe", b"{}", b"{}", b"{}"], [b'{"msg_type": "x"}', b'{"msg_id": []}', b"{}", b"{}"],
     [b'{"msg_type": "x", "y": "' + b"y" * 70_000 + b'"}', b"{}", b"{}", b"{}"], [b"1", b"2"], []],
)  # fmt: skip
def test_a_codec_ignores_what_is_malformed(parts: list[bytes]) -> None:
    codec = Codec()
    assert codec.parse(frames_of(codec, parts)) is None


def test_a_codec_refuses_other_signatures() -> None:
    ours, other = Codec(), Codec()
    parts = [b'{"msg_type": "stream"}', b'{"msg_id": "abc"}', b"{}", b"{}"]
    assert ours.parse(frames_of(other, parts)) is None
    assert ours.parse([b""]) is None and ours.parse([]) is None


def test_objects_are_parsed_with_care() -> None:
    assert parse_object(b'{"a": 1}', 100) == {"a": 1}
    for data in (b"[" * 10**5, b'{"a":' * 10**5, b"[1]", b"nonsense", b"\xff", b'{"a": 1}' * 100, b"1" * 5000):
        assert parse_object(data, 10**6 if data[:1] != b"{" else 50) == {}


def test_text_from_a_kernel_is_plain() -> None:
    assert render.text("\x1b[31mred\x1b[0m\x07\x00\ud800", 100) == "red?"
    assert render.text(["no"], 10) == "" and render.text("x" * 50, 10) == "x" * 9 + "…"
    assert len(render.traceback(["line"] * 10_000)) <= 4000 and render.traceback("no") == ""
    assert render.line("Cell In[3], line 7\nCell In[4], line 2\nCell In[4], line 5", 4, "x") == 5
    assert render.line("Cell In[3], line 7", 4, "x") is None


@pytest.mark.parametrize(
    "code",
    ["for _ in range(200):\n    publish([b'x'])\n    publish([b'<IDS|MSG>', b'', b'{}'])",
     "signed(b'[' * 20000, parent, b'{}', b'{}')",
     "signed(b'{\"msg_type\": \"stream\"}', parent, b'{}', b'{\"text\":' * 1000)",
     "signed(b'{\"msg_type\": \"stream\"}', parent, b'{}', b'{\"text\": 5, \"name\": []}')",
     "signed(b'{\"msg_type\": \"status\"}', parent, b'{}', b'[1]')",
     "signed(b'{\"msg_type\": \"error\"}', parent, b'{}', b'7')"],
)  # fmt: skip
def test_junk_on_the_output_channel_is_ignored(kernel: Kernel, code: str) -> None:
    done = kernel.execute(PUBLISH + code + "\nprint('end')")
    assert done.status == "ok" and done.stdout_tail == "end\n"
    assert kernel.execute("print(1)").stdout_tail == "1\n"


def test_a_false_idle_does_not_end_a_cell_early(kernel: Kernel) -> None:
    done = kernel.execute(
        PUBLISH + "idle = {'execution_state': 'idle'}\n"
        "session.send(kernel.iopub_socket, 'status', idle, parent=kernel.get_parent())\n"
        "import time; time.sleep(0.3); x = 'late'"
    )
    assert done.status == "ok" and done.seconds >= 0.3


def test_a_message_that_is_too_large_ends_the_kernel(kernel: Kernel) -> None:
    done = kernel.execute(PUBLISH + "publish([b'x' * 5 * 2**20])\nimport time; time.sleep(600)")
    assert done.status == "output" and done.seconds < SOON
    assert kernel.execute("1").status == "died"


FLOODS = {
    "states": "signed(STATUS, parent, b'{}', b'{\"execution_state\": \"busy\"}')",
    "large states": "signed(STATUS, parent, b'{}', b' ' * 2**20)",
    "malformed output": "publish([b'x'])",
    "replies to nothing": "session.send(kernel.shell_stream.socket, 'execute_reply', {}, ident=ident)",
    "replies of another kind": "session.send(kernel.shell_stream.socket, 'x', {}, kernel.get_parent(), ident=ident)",
    "malformed replies": "kernel.shell_stream.socket.send_multipart([*ident, b''])",
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_other_messages_ends_the_kernel(kernel: Kernel, name: str) -> None:
    before = _resident_mb()
    start = "\nimport time\nident = kernel._parent_ident['shell']\nSTATUS = b'{\"msg_type\": \"status\"}'\n"
    rounds = 4 if "large" in name else 10**9  # more than is allowed, and not what fills its own memory unread
    flood = f"for _ in range({rounds}):\n    for _ in range(50): {FLOODS[name]}\n    time.sleep(0.001)\ntime.sleep(600)"
    done = kernel.execute(PUBLISH + start + flood)
    assert done.status == "output" and done.seconds < SOON
    assert "messages that nobody asked for" in done.evalue
    assert kernel.execute("1").status == "died"
    assert _resident_mb() - before < 60


def test_an_honest_notebook_is_no_flood(kernel: Kernel) -> None:
    """The control: many cells, each with the messages that every cell has."""
    for _ in range(60):
        assert kernel.execute("print(1)").status == "ok"
    assert kernel._unasked <= 3 * 60


def test_a_message_of_endless_parts_ends_the_kernel(kernel: Kernel) -> None:
    before = _resident_mb()
    done = kernel.execute(RAW_FRAMES)
    assert done.status in ("died", "output") and "more data" in done.evalue, done
    assert _resident_mb() - before < 60


@pytest.mark.parametrize(
    "code",
    ["get_ipython().kernel.iopub_thread.socket.close()", "get_ipython().kernel.shell_stream.socket.close()",
     "get_ipython().kernel.iopub_thread.socket.context.destroy(linger=0)", "import os; os.closerange(3, 200)"],
)  # fmt: skip
def test_sabotaged_sockets_end_the_kernel_not_the_grader(kernel: Kernel, code: str) -> None:
    done = kernel.execute(code, timeout=2)
    assert done.status in ("ok", "died", "timeout", "output") and done.seconds < SOON
    after = kernel.execute("1", timeout=2)
    assert after.status in ("ok", "died", "timeout", "output")


def test_a_forged_reply_only_fools_its_own_cell(kernel: Kernel) -> None:
    forged = {"status": "error", "ename": ["x"], "evalue": {"a": 1}, "traceback": "no", "execution_count": "1"}
    done = kernel.execute(
        "k = get_ipython().kernel\nreal = k.session.send\n"
        "def send(stream, kind, content=None, *args, **more):\n"
        "    if kind == 'execute_reply':\n"
        f"        content = {json.dumps(forged)}\n"
        "    return real(stream, kind, content, *args, **more)\nk.session.send = send"
    )
    assert done.status in ("ok", "error")
    done = kernel.execute("1")
    assert (done.status, done.ename, done.evalue, done.traceback, done.line) == ("error", "", "", "", None)


def _resident_mb() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) >> 10

"""Probes run in a fork: nothing leaks from one to the next, and every ending is a reply."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from autograder.kernel import Kernel, KernelPool, ProbeReply

from .conftest import SOON

SOURCE = "def ask(student, rng):\n    return {'value': student.f(3)}\n"


def ask(kernel: Kernel, source: str = SOURCE, timeout: float | None = None, **more: Any) -> ProbeReply:
    request = {"source": source, "name": "ask", "seed": 1, "device": "cpu", "prelude": None, **more}
    return kernel.probe(request, timeout)


def value(reply: ProbeReply) -> Any:
    assert reply.status == "ok", reply
    return json.loads(reply.payload)["evidence"]["value"]


def test_a_probe_returns_the_outcome(any_kernel: Kernel) -> None:
    any_kernel.execute("def f(x): return x + 1")
    reply = ask(any_kernel)
    assert value(reply) == 4 and 0 < reply.seconds < SOON
    any_kernel.execute("def f(x): return 1 / 0")
    outcome = json.loads(ask(any_kernel).payload)
    assert (outcome["status"], outcome["error"]["type"]) == ("error", "ZeroDivisionError")


def test_probes_do_not_change_the_kernel(kernel: Kernel) -> None:
    kernel.execute(
        "import torch, math\ncount = 0\nclass C: y = 1\n"
        "def f(x):\n    global count\n    count += 1\n    C.y += 1\n    torch.set_default_dtype(torch.float64)\n"
        "    math.pi = 3\n    return [count, C.y, float(torch.rand(()))]"
    )
    first, second = value(ask(kernel)), value(ask(kernel))
    assert first == second and first[:2] == [1, 2]
    done = kernel.execute("print(count, C.y, torch.get_default_dtype(), round(math.pi, 2), f(0)[:2])")
    assert done.stdout_tail == "0 1 torch.float32 3.14 [1, 2]\n"  # the control: in the kernel it does change


def test_a_prelude_replaces_names_for_one_probe(kernel: Kernel) -> None:
    kernel.execute("def g(x): return 0\ndef f(x): return g(x)")
    assert value(ask(kernel, prelude="def g(x): return 100 * x")) == 300
    assert value(ask(kernel)) == 0


@pytest.mark.parametrize(
    "body",
    ["import os; os._exit(3)", "raise KeyboardInterrupt", "import os; os.kill(os.getpid(), 11)",
     "import os; os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"],
)  # fmt: skip
def test_ending_the_process_is_a_reply(kernel: Kernel, body: str) -> None:
    kernel.execute(f"def f(x):\n    {body}")
    reply = ask(kernel)
    assert reply.status == "died" and "ended the process" in reply.message and not reply.payload
    kernel.execute("def f(x): return x")
    assert value(ask(kernel)) == 3, "the kernel itself goes on"


@pytest.mark.parametrize("body", ["raise SystemExit", "return f(x)", "raise BaseException('odd')"])
def test_odd_exceptions_are_outcomes_or_deaths(kernel: Kernel, body: str) -> None:
    kernel.execute(f"def f(x):\n    {body}")
    reply = ask(kernel)
    assert reply.status == "died" or json.loads(reply.payload)["status"] == "error"


SWALLOW = """
    while True:
        try:
            while True:
                y = 1
                z = 2
        except BaseException:
            y = 3"""


@pytest.mark.parametrize("body", ["import time; time.sleep(600)", "while True: pass", SWALLOW, "sum(range(10**13))"])
def test_a_slow_probe_is_killed_and_the_kernel_goes_on(kernel: Kernel, patient: None, body: str) -> None:
    kernel.execute(f"def f(x):\n    {body}")
    reply = ask(kernel, timeout=0.5)
    assert reply.status == "timeout" and reply.message and reply.seconds < SOON
    kernel.execute("def f(x): return x")
    assert value(ask(kernel)) == 3


def test_a_probe_leaves_no_process_behind(any_kernel: Kernel) -> None:
    any_kernel.execute(
        "import os, time\n"
        "def f(x):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            time.sleep(0.4)\n"
        "            open('survived', 'w').close()\n"
        "            time.sleep(600)\n"
        "        os._exit(0)\n"
        "    return x"
    )
    started = time.monotonic()
    assert value(ask(any_kernel)) == 3
    assert time.monotonic() - started < SOON, "nobody waits for it"
    assert any_kernel.execute("time.sleep(0.7); print(os.path.exists('survived'))").stdout_tail == "False\n"
    # the control: called in the kernel it does survive
    done = any_kernel.execute(
        f"f(1)\nend = time.monotonic() + {SOON}\n"
        "while not os.path.exists('survived') and time.monotonic() < end: time.sleep(0.02)\n"
        "print(os.path.exists('survived'))"
    )
    assert done.stdout_tail == "True\n"


def test_printing_in_a_probe_goes_nowhere(kernel: Kernel) -> None:
    kernel.execute("import os\ndef f(x):\n    print('x' * 10**6)\n    os.write(1, b'x' * 10**6)\n    return x")
    assert value(ask(kernel)) == 3
    assert kernel.execute("print(1)").stdout_tail == "1\n"


def test_memory_of_a_probe(kernel: Kernel) -> None:
    code = (
        "import os, time\ndef f(x):\n    for _ in range(3):\n        if os.fork() == 0:\n"
        "            data = b'x' * (450 * 10**6)\n            time.sleep(600)\n            os._exit(0)\n"
        "    data = b'x' * (500 * 10**6)\n    time.sleep(600)\n    return x"
    )
    kernel.execute(code)
    reply = ask(kernel)
    assert reply.status == "memory" and "memory" in reply.message
    kernel.execute("def f(x): return x")
    assert value(ask(kernel)) == 3


def test_a_payload_that_is_too_large(kernel: Kernel) -> None:
    kernel.execute("import dgm.checks.runtime as r\nr.run_probe_json = lambda *a: b'x' * (3 * 2**20)")
    reply = ask(kernel)
    assert reply.status == "too_large" and reply.message
    kernel.execute("r.run_probe_json = lambda *a: b'x'")
    assert ask(kernel).payload == b"x"  # the control: whatever it is, it is only bytes


@pytest.mark.parametrize(
    "code",
    ["send(stream, 'probe_reply', {'status': 'ok'}, parent, ident=ident)",
     "send(stream, 'probe_reply', {'status': 'ok'}, parent, ident=ident, buffers=[b'1', b'2'])",
     "send(stream, 'probe_reply', {'status': ['ok']}, parent, ident=ident, buffers=[b'1'])",
     "send(stream, 'probe_reply', 'text', parent, ident=ident)"],
)  # fmt: skip
def test_malformed_replies(kernel: Kernel, code: str) -> None:
    kernel.execute(
        "k = get_ipython().kernel\nsend = k.session.send\n"
        f"async def fake(stream, ident, parent):\n    {code}\nk.shell_handlers['probe_request'] = fake"
    )
    assert ask(kernel).status == "malformed"


def test_a_reply_to_another_request_does_not_count(kernel: Kernel) -> None:
    kernel.execute("def f(x): return 'right'")
    kernel.execute(
        "k = get_ipython().kernel\nsend = k.session.send\nreal = k.shell_handlers['probe_request']\n"
        "async def both(stream, ident, parent):\n"
        "    other = {**parent, 'header': {**parent['header'], 'msg_id': '0' * 32}}\n"
        "    send(stream, 'probe_reply', {'status': 'ok'}, other, ident=ident, buffers=[b'wrong'])\n"
        "    send(stream, 'execute_reply', {'status': 'ok'}, parent, ident=ident, buffers=[b'wrong'])\n"
        "    await real(stream, ident, parent)\n"
        "    send(stream, 'probe_reply', {'status': 'ok'}, parent, ident=ident, buffers=[b'second'])\n"
        "k.shell_handlers['probe_request'] = both"
    )
    assert value(ask(kernel)) == "right"
    assert value(ask(kernel)) == "right"


def test_a_kernel_that_never_answers_is_killed(best: KernelPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.kernel.client.PROBE_GRACE", 0.3)
    with best.start() as kernel:
        kernel.execute(
            "import os\ndef stop(*message): os.kill(os.getpid(), 19)\n"
            "get_ipython().kernel.shell_handlers['probe_request'] = stop"
        )
        reply = ask(kernel, timeout=0.3)
        assert reply.status == "timeout" and reply.seconds < SOON
        assert ask(kernel).status == "died"


def test_a_deadline_in_a_probe(kernel: Kernel) -> None:
    kernel.execute("def f(x):\n    while True: pass")
    kernel._deadline = time.monotonic() + 0.5
    reply = ask(kernel)
    assert reply.status in ("deadline", "timeout") and reply.seconds < SOON
    time.sleep(0.1)
    assert ask(kernel).status in ("deadline", "died")


def test_in_place_probes_restore_the_namespace(kernel: Kernel) -> None:
    """What runs where a fork is impossible."""
    done = kernel.execute(
        "import _probe_harness as h\n"
        "def f(x):\n    global extra\n    extra = 1\n    return x\n"
        f"request = dict(source={SOURCE!r}, name='ask', seed=1, device='cpu', prelude='g = 5')\n"
        "reply, payload = h.run_in_place(request, globals(), 10**6)\n"
        "print(reply['status'], len(payload) > 10, 'extra' in globals(), 'g' in globals())"
    )
    assert done.stdout_tail == "ok True False False\n", done

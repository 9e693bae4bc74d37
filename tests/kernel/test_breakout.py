"""Attempts to get out. Each prints BROKEN when it succeeds; a control run outside any sandbox shows that it can."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.kernel import Kernel, KernelPool

from .conftest import TOKEN, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"


@dataclass(frozen=True)
class Target:
    """What attacks aim at; all of it belongs to the grader."""

    secret: Path
    outside: Path
    readable: Path
    victim: int
    port: int
    abstract: str
    socket_file: Path
    shared_memory: int


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write to, so that only the sandbox is in the way."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture(scope="module")
def target(open_folder: Path, readable: Path) -> Iterator[Target]:
    secret, outside = open_folder / "secret.txt", open_folder / "outside"
    secret.write_text("s3cret")
    outside.mkdir()
    (outside / "long").write_text("a long text")
    outside.chmod(0o777)
    victim = subprocess.Popen(["sleep", "600"], env={**os.environ, "GRADER_TOKEN": TOKEN})
    abstract = f"dgm-test-{os.getpid()}"
    listeners = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    socket_file = open_folder / "socket"
    for listener, address in zip(listeners, (("127.0.0.1", 0), "\0" + abstract, str(socket_file))):
        listener.bind(address)
        listener.listen(50)
    socket_file.chmod(0o777)
    key = os.getpid()
    segment = _run(LIBC + f"print(libc.shmget({key}, 4096, 0o1666))")
    yield Target(
        secret, outside, readable, victim.pid, listeners[0].getsockname()[1], abstract, socket_file, int(segment)
    )
    victim.kill()
    victim.wait()
    for listener in listeners:
        listener.close()
    _run(LIBC + f"libc.shmctl({segment}, 0, None)")


def _run(code: str) -> str:
    """Run code outside any sandbox."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600).stdout


# name: (code, levels that must stop it)
BOTH, ONLY_NAMESPACES = ("namespaces", "landlock"), ("namespaces",)
ATTACKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "read a file of the grader": ("if open('{secret}').read() == 's3cret': print('BROKEN')", BOTH),
    "read the tests": (f"if 'BROKEN' in open({str(Path(__file__))!r}).read(): print('BROKEN')", BOTH),
    "list the problem sets": (
        f"import os\nif any(n.startswith('ps') for n in os.listdir({str(REPOSITORY)!r})): print('BROKEN')", BOTH),
    "import the autograder": ("import autograder.errors; print('BROKEN')", BOTH),
    "read the autograder": (f"open({str(REPOSITORY / 'autograder/errors.py')!r}).read(); print('BROKEN')", BOTH),
    "read the shadow file": ("if ':' in open('/etc/shadow').read(): print('BROKEN')", BOTH),
    "read the environment of another process": (
        f"if {TOKEN!r} in open('/proc/{{victim}}/environ').read(): print('BROKEN')", BOTH),
    "find the processes of the grader": (
        "import glob\nfor name in glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    if b'sleep\\x00600' in open(name, 'rb').read(): print('BROKEN'); break", BOTH),
    "write outside the scratch directory": ("open('{outside}/planted', 'w').write('x'); print('BROKEN')", BOTH),
    "write to declared data": ("open('{readable}/planted', 'w').write('x'); print('BROKEN')", BOTH),
    "make a link out of the scratch directory": (
        "import os\nos.symlink('{secret}', 'link-{unique}')\n"
        "if open('link-{unique}').read() == 's3cret': print('BROKEN')", BOTH),
    "reach the loopback of the machine": (
        "import socket\nsocket.create_connection(('127.0.0.1', {port}), 60).close(); print('BROKEN')", BOTH),
    "reach an abstract socket": (
        "import socket\ns = socket.socket(socket.AF_UNIX); s.connect('\\0{abstract}'); print('BROKEN')", BOTH),
    "reach a socket file": (
        "import socket\ns = socket.socket(socket.AF_UNIX); s.connect('{socket_file}'); print('BROKEN')",
        ONLY_NAMESPACES),
    "reach shared memory": (
        LIBC + "if libc.shmget({victim_key}, 0, 0) >= 0: print('BROKEN')", BOTH),
    "make shared memory": (
        LIBC + "segment = libc.shmget({victim_key} + 1, 4096, 0o1600)\nif segment >= 0:\n"
        "    libc.shmctl(segment, 0, None); print('BROKEN')", ("landlock",)),
    "make a message queue": (
        LIBC + "queue = libc.msgget({victim_key}, 0o1600)\nif queue >= 0:\n"
        "    libc.msgctl(queue, 0, None); print('BROKEN')", ("landlock",)),
    "signal another process": ("import os\nos.kill({victim}, 0); print('BROKEN')", BOTH),
    "trace another process": (
        LIBC + "if libc.ptrace(16, {victim}, 0, 0) == 0:\n"
        "    os.waitpid({victim}, 0x40000000); libc.ptrace(17, {victim}, 0, 0); print('BROKEN')", BOTH),
    "make a user namespace": (LIBC + "if libc.unshare(0x10000000) == 0: print('BROKEN')", BOTH),
    "mount something": (
        LIBC + "libc.unshare(0x10020000)\n"
        "if libc.mount(b'x', b'/var', b'tmpfs', 0, None) == 0: print('BROKEN')", BOTH),
    "use the kernel's key ring": (
        LIBC + "import platform\nif libc.syscall(250 if platform.machine() == 'x86_64' else 219, 0, -3, 1) != -1:\n"
        "    print('BROKEN')", BOTH),
    "open a raw network device": (
        "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW); print('BROKEN')", BOTH),
    "change the mode of a file": (
        "import os\nmode = os.stat('{secret}').st_mode\nos.chmod('{secret}', mode ^ 0o040)\n"
        "if os.stat('{secret}').st_mode != mode: print('BROKEN')", BOTH),
    "change the time of a file": (
        "import os\ntime = os.stat('{secret}').st_mtime\nos.utime('{secret}', (1, time + 5))\n"
        "if os.stat('{secret}').st_mtime != time: print('BROKEN')", BOTH),
    "truncate a file": ("import os\nos.truncate('{outside}/long', 1); print('BROKEN')", BOTH),
    "limit another process": (
        "import resource\nresource.prlimit({victim}, resource.RLIMIT_CORE, (0, 0)); print('BROKEN')", BOTH),
    "gain privileges back": (
        "import os\nos.setuid(0)\nopen('/etc/shadow').read(); print('BROKEN')", BOTH),
}  # fmt: skip


@pytest.fixture(scope="module")
def prisoners(pools: dict[str, KernelPool]) -> Iterator[dict[str, Kernel]]:
    """A kernel for each level that isolates; it takes one attack after the other."""
    made = {level: pool.start() for level, pool in pools.items() if level != "process"}
    yield made
    for kernel in made.values():
        kernel.close()


def _fill(code: str, target: Target) -> str:
    for name, value in {**vars(target), "unique": time.monotonic_ns(), "victim_key": os.getpid()}.items():
        code = code.replace("{" + name + "}", str(value))
    return code


@pytest.mark.parametrize("name", ATTACKS)
def test_break_out(name: str, target: Target, prisoners: dict[str, Kernel]) -> None:
    code, levels = ATTACKS[name]
    code = _fill(code, target)
    control = subprocess.run(
        [sys.executable, "-c", code], cwd=target.outside, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    if "BROKEN" not in control.stdout:
        pytest.skip(f"not possible even outside a sandbox: {control.stderr[-200:]}")
    (target.readable / "planted").unlink(missing_ok=True)
    for level in set(levels) & set(prisoners):
        done = prisoners[level].execute(code)
        assert done.status in ("ok", "error"), (level, done)
        assert "BROKEN" not in done.stdout_tail, (level, done)
    assert not (target.readable / "planted").exists()


def test_declared_data_and_dgm_are_visible(prisoners: dict[str, Kernel], target: Target) -> None:
    """The control for the table above: prisoners are not simply blind."""
    for kernel in prisoners.values():
        code = "import dgm, sklearn, os\nprint(os.listdir('{readable}'), open('{readable}/data.txt').read())"
        assert "declared data" in kernel.execute(_fill(code, target)).stdout_tail


ESCAPE = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "{seconds}"])
    os._exit(0)
os.wait()
"""


def _sleepers(seconds: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and Path(f"/proc/{name}/cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                found.append(int(name))
        except OSError:
            continue
    return found


def test_no_process_outlives_the_kernel(any_kernel: Kernel) -> None:
    seconds = f"777.{time.monotonic_ns()}"
    any_kernel.execute(ESCAPE.replace("{seconds}", seconds))
    wait_until(lambda: bool(_sleepers(seconds)))  # the control: it runs as long as the kernel does
    any_kernel.close()
    assert not _sleepers(seconds)


def test_a_process_can_be_left_behind_without_a_kernel() -> None:
    """The control for the test above."""
    seconds = f"777.{time.monotonic_ns()}"
    code = ESCAPE.replace("{seconds}", seconds)
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, timeout=600, check=True)
    wait_until(lambda: bool(_sleepers(seconds)))
    left = _sleepers(seconds)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left


def test_init_cannot_be_attacked(prisoners: dict[str, Kernel], patient: None) -> None:
    for level, kernel in prisoners.items():
        done = kernel.execute(
            "import os, signal\nfor number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):\n"
            "    try: os.kill(os.getppid(), number)\n    except OSError: pass"
        )
        assert done.status == "ok", level
        assert kernel.execute("while True: pass", timeout=0.2).status == "timeout", "interrupts go through init"
        assert kernel.execute("print(1)").stdout_tail == "1\n"


def test_kernels_have_no_privileges(prisoners: dict[str, Kernel]) -> None:
    for level, kernel in prisoners.items():
        done = kernel.execute("print(open('/proc/self/status').read())")
        status = dict(line.split(":\t", 1) for line in done.stdout_tail.splitlines() if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name], 16) == 0, (level, name)
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", level
        assert status["Groups"].strip() == "" or os.getuid() != 0


def _as_user(script: str, argument: str) -> dict[str, Any]:
    """What a script of this folder prints as an ordinary user."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / script), argument]
    if os.getuid() == 0:
        command[1:1] = [str(here / "as_user.py"), "4321"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_without_namespaces_an_ordinary_user_grades_at_the_next_level_and_is_told(open_folder: Path) -> None:
    folder = open_folder / "course"
    question = folder / "ps9_tiny" / "q01_double"
    question.mkdir(parents=True)
    (folder / "course.toml").write_text(
        '[course]\ntitle = "Demo"\nrepository = "owner/name"\n[sets.ps9]\ndue = ""\n'
    )
    (folder / "ps9_tiny" / "ps9.toml").write_text('title = "Demo"\ncore = ["q01_double"]\n')
    (question / "cells.py").write_text(
        '# %% role="answer"\ndef double(x):\n    """Twice x."""\n'
        "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n"
    )
    (question / "probes.py").write_text(
        'from autograder.probes import Question\n\nquestion = Question(title="Doubling")\n\n\n'
        "@question.probe(points=3)\ndef ask(student, rng):\n    return student.double(rng.normal(3))\n"
    )
    cell = {"cell_type": "code", "source": "def double(x):\n    return x + x", "metadata": {}, "outputs": []}
    (folder / "ada.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}))
    for path in (folder, folder / "ps9_tiny"):
        path.chmod(0o777)
    found = _as_user("without_namespaces.py", str(folder))
    assert found["uid"] != 0 and found["levels"]["namespaces"]
    level = next(name for name, reason in found["levels"].items() if not reason)
    for name in ("auto", "weaker"):
        done = found[name]
        assert done["code"] == 0 and f"Sandbox: {level}." in done["stderr"], done
        assert [(result["score"], result["sandbox"]) for result in done["results"]] == [(3, level)]
    assert found["asked"]["code"] == 3 and not found["asked"]["results"]
    assert "The sandbox level 'namespaces' does not work here" in found["asked"]["stderr"]


def test_an_ordinary_user_gets_the_same(open_folder: Path) -> None:
    """The whole of it again as a user without any privilege."""
    if os.getuid() != 0:
        pytest.skip("the other tests were that already")
    secret = open_folder / "own secret.txt"
    secret.write_text("s3cret")
    answers = _as_user("as_user_script.py", str(secret))
    assert answers["uid"] == 4321 and answers["process"]["secret"] == "s3cret", "the control"
    for level in ("namespaces", "landlock"):
        if not answers["reasons"][level]:
            assert answers[level]["secret"] == "", level
            assert answers[level]["grader"] == "", level
            assert answers[level]["probe"] == "ok" and answers[level]["left"] == 0, level
            assert answers[level]["said"] == "lease False\nlease False\n", level
            assert answers[level]["untouched"], level
            assert answers[level]["beside"] == answers[level]["started"] == "ok", level

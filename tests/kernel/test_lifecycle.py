"""Starting, using and ending kernels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from autograder.cli.main import main
from autograder.kernel import Kernel, KernelPool, Limits, SandboxError, available_levels, child, sandbox, tree
from autograder.kernel.sandbox import choose_level, privileges

from .conftest import LIMITS, SOON, TOKEN, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]


def test_cells_share_a_namespace(any_kernel: Kernel) -> None:
    assert any_kernel.execute("x = 20").status == "ok"
    done = any_kernel.execute("import sys\nprint(x + 1)\nprint('warn', file=sys.stderr)")
    assert (done.status, done.stdout_tail, done.stderr_tail) == ("ok", "21\n", "warn\n")


def test_an_error_names_type_message_and_line(kernel: Kernel) -> None:
    done = kernel.execute("def f(x):\n    return 1 / x\n\nf(0)")
    assert (done.status, done.ename, done.evalue, done.line) == ("error", "ZeroDivisionError", "division by zero", 2)
    assert "\x1b" not in done.traceback and "return 1 / x" in done.traceback
    syntax = kernel.execute("a = 1\nb = = 2")
    assert (syntax.ename, syntax.line) == ("SyntaxError", 2)
    earlier = kernel.execute("\n\nf(0)")
    assert earlier.line == 3, "the line in this cell, not in the one that defines f"


def test_a_long_error_is_cut(kernel: Kernel) -> None:
    done = kernel.execute("raise ValueError('x' * 50_000)")
    assert done.ename == "ValueError" and len(done.evalue) <= 2000 and len(done.traceback) <= 4000
    assert kernel.execute("raise ValueError('x' * 600_000)").status == "error"
    assert kernel.execute("print(1)").stdout_tail == "1\n"


def test_input_is_refused_at_once(kernel: Kernel) -> None:
    done = kernel.execute("input('name? ')")
    assert done.status == "error" and done.seconds < SOON


@pytest.mark.parametrize("code", ["exit()", "quit()", "exit", "quit(1)", "def f():\n    exit()\nf()"])
def test_exit_ends_nothing(kernel: Kernel, code: str) -> None:
    """Neither the cell nor, a moment later, the kernel."""
    assert kernel.execute(f"{code}\ny = 3").status == "ok"
    assert kernel.execute("import asyncio\nfor _ in range(20): await asyncio.sleep(0.01)\nassert y == 3").status == "ok"
    probe = {"source": "def p(student, rng):\n    return student.g()", "name": "p", "seed": 0, "device": "cpu"}
    assert kernel.execute("def g():\n    exit()\n    return 5").status == "ok"
    reply = kernel.probe(probe)
    assert reply.status == "ok" and b'"evidence": 5' in reply.payload


def test_the_traceback_of_an_infinite_recursion_is_plain(kernel: Kernel) -> None:
    """The other kinds look at the source of each of a thousand frames, which takes half a minute."""
    done = kernel.execute("def f(x):\n    return [f(x) for _ in range(2)]\n\nf(1)")
    assert (done.status, done.ename, done.line) == ("error", "RecursionError", 2)
    assert "return [f(x)" in done.traceback and "----> " not in done.traceback


@pytest.mark.parametrize("code", ["exit()", "raise SystemExit(3)", "get_ipython().kernel.do_shutdown(False)"])
def test_polite_ways_to_leave_are_survived(kernel: Kernel, code: str) -> None:
    assert kernel.execute(code).status in ("ok", "error")
    assert kernel.execute("print(1)").stdout_tail == "1\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [("import os; os._exit(7)", "exit code 7"), ("import os; os.abort()", "SIGABRT"),
     ("import ctypes; ctypes.string_at(0)", "SIGSEGV"), ("import os, signal; os.kill(os.getpid(), 9)", "SIGKILL")],
)  # fmt: skip
def test_a_dead_kernel_says_why_and_stays_dead(kernel: Kernel, code: str, reason: str) -> None:
    done = kernel.execute(code)
    assert done.status == "died" and reason in done.evalue
    assert not kernel.alive
    assert kernel.execute("1").status == "died"
    assert kernel.probe({"source": "", "name": "p", "seed": 0, "device": "cpu"}).status == "died"


def test_await_shell_commands_figures_and_subprocesses_work(kernel: Kernel) -> None:
    assert kernel.execute("import asyncio\nawait asyncio.sleep(0.01)\nprint('a')").stdout_tail == "a\n"
    assert kernel.execute("!echo b").stdout_tail == "b\n"
    assert kernel.execute("c = !echo c\nprint(c)").stdout_tail == "['c']\n"
    figure = kernel.execute(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('f.png')\nplt.show()\n"
        "print(plt.get_fignums(), open('f.png', 'rb').read(4))"
    )
    assert figure.stdout_tail == "[] b'\\x89PNG'\n", figure
    # fork, not torch: what a forked child prints comes back through its parent
    for seconds in (1, 10, 60):  # it may be on its way for so long
        child = kernel.execute(
            "import multiprocessing as mp\np = mp.Process(target=print, args=('from a child',))\np.start(); p.join()\n"
            f"import time; time.sleep({seconds})"
        )
        if "from a child" in child.stdout_tail:
            break
    else:
        pytest.fail(str(child))


def test_data_loader_workers_run_in_namespaces(pools: dict[str, KernelPool]) -> None:
    if "namespaces" not in pools:
        pytest.skip("no namespaces here")
    with pools["namespaces"].start() as kernel:
        done = kernel.execute(
            "from torch.utils.data import DataLoader\nprint([len(b) for b in DataLoader(range(5), 2, num_workers=2)])"
        )
    assert done.stdout_tail == "[2, 2, 1]\n", done


def test_environment_and_directory_are_clean(any_kernel: Kernel, readable: Path) -> None:
    done = any_kernel.execute(
        "import os, sys, tempfile\n"
        "print(os.listdir('.'), os.environ['DGM_GRADING'], os.environ['DGM_BUDGET'], os.environ['EXTRA'])\n"
        "open('f', 'w').close(); tempfile.TemporaryFile().close()\n"
        "print([name for name in sys.modules if name.startswith('autograder')], sys.argv)\n"
        "print(dict(os.environ), open('/proc/self/environ').read())\n"
        f"print(open({str(readable / 'data.txt')!r}).read())"
    )
    lines = done.stdout_tail.splitlines()
    assert lines[:2] == ["[] 1 smoke 1", "[] ['kernel']"], done
    assert TOKEN not in lines[2] and "GRADER_TOKEN" not in lines[2]
    assert lines[-1] == "declared data"


def test_descriptors_of_the_grader_stay_outside(any_kernel: Kernel, tmp_path: Path) -> None:
    with (tmp_path / "open.txt").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = (
            "import os\nnames = []\nfor fd in os.listdir('/proc/self/fd'):\n"
            "    try: names.append(os.readlink(f'/proc/self/fd/{fd}'))\n    except OSError: pass\nprint(names)"
        )
        names = any_kernel.execute(code).stdout_tail
    assert "open.txt" not in names and "/dev/null" in names


def test_a_cold_kernel_works_too() -> None:
    with KernelPool(warm=False, limits=LIMITS) as pool, pool.start() as kernel:
        assert kernel.execute("import torch; print(int(torch.ones(2).sum()))").stdout_tail == "2\n"


def test_kernels_start_from_several_threads(best: KernelPool) -> None:
    outputs: list[str] = []

    def run(number: int) -> None:
        with best.start() as kernel:
            outputs.append(kernel.execute(f"print({number})").stdout_tail)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs) == [f"{number}\n" for number in range(4)]


def test_nothing_is_left_behind(pools: dict[str, KernelPool]) -> None:
    for pool in pools.values():
        pool.start().close()  # libraries open some files once
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            kernel = pool.start()
            init = kernel._handle.init_pid
            below = tree.descendants(init)
            assert below, "the control: there are processes to lose"
            kernel.execute("import subprocess; subprocess.Popen(['sleep', '100'])")
            kernel.close()
            kernel.close()
            assert not any(_runs(pid) for pid in [init, *below])
        wait_until(lambda most=before: len(os.listdir("/proc/self/fd")) <= most)  # libzmq closes in its own thread
        assert not [path for path in pool._directory.iterdir() if path.name.startswith(("k-", "s-"))]


def test_stop_from_another_thread(best: KernelPool) -> None:
    with best.start() as kernel:
        threading.Timer(0.3, best.stop_all).start()
        done = kernel.execute("while True: pass")
    assert done.status == "died" and done.seconds < SOON


def test_kernels_die_with_a_killed_grader() -> None:
    script = (
        "import sys, time\nfrom autograder.kernel import KernelPool\n"
        "pool = KernelPool()\nkernel = pool.start()\n"
        'kernel.execute(\'import subprocess; subprocess.Popen(["sleep", "700"], start_new_session=True)\')\n'
        "print(kernel._handle.init_pid, pool._directory, flush=True)\ntime.sleep(600)"
    )
    grader = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None
    with grader.stdout:
        init, directory = grader.stdout.readline().split()
        pids = [int(init), *tree.descendants(int(init))]
        assert len(pids) >= 3 and all(map(_runs, pids))
        grader.kill()
        grader.wait()
    wait_until(lambda: not any(map(_runs, pids)) and not os.path.exists(directory))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_levels_are_reported_and_never_weakened_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(available_levels()) == ["namespaces", "landlock", "process"]
    fake = {"namespaces": "forbidden here", "landlock": "", "process": ""}
    monkeypatch.setattr(sandbox, "available_levels", lambda: fake)
    with pytest.raises(SandboxError, match="forbidden here"):
        choose_level("namespaces", allow_weaker=False)
    assert choose_level("namespaces", allow_weaker=True) == "landlock"
    assert choose_level("auto", allow_weaker=False) == "landlock"
    assert choose_level("process", allow_weaker=False) == "process"
    with pytest.raises(SandboxError, match="no sandbox level"):
        choose_level("docker", allow_weaker=True)


@pytest.fixture
def root_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if we were root with an interpreter that only root can read, and namespaces did not work."""
    monkeypatch.setattr(privileges.os, "getresuid", lambda: (0, 0, 0))
    monkeypatch.setattr(privileges, "obstacle", lambda readable, parents: "an ordinary user cannot read /closed")
    monkeypatch.setattr(sandbox, "_try_namespaces", lambda: "forbidden here")
    available_levels.cache_clear()
    yield
    available_levels.cache_clear()


@pytest.mark.parametrize("wanted", ["auto", "landlock", "process", "namespaces"])
def test_a_kernel_that_would_run_as_root_is_refused(root_alone: None, wanted: str) -> None:
    for allow in (True, False):
        if wanted == "namespaces" and not allow:
            continue
        with pytest.raises(SandboxError, match=r"run as root.*/closed.*run as an ordinary user.*forbidden") as caught:
            choose_level(wanted, allow_weaker=allow)
        assert caught.value.code == 2 and "\n" not in str(caught.value)
    with pytest.raises(SandboxError, match="forbidden here"):
        choose_level("namespaces", allow_weaker=False)


def test_namespaces_are_unaffected_by_what_only_root_can_read(
    root_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_try_namespaces", lambda: "")
    assert choose_level("auto", allow_weaker=False) == choose_level("namespaces", allow_weaker=False) == "namespaces"
    for wanted in ("landlock", "process"):
        with pytest.raises(SandboxError, match="run as root"):
            choose_level(wanted, allow_weaker=True)


@pytest.mark.parametrize("level", ["landlock", "process"])
def test_a_pool_refuses_what_only_declared_data_makes_necessary(
    root_alone: None, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """The level is fine in general, but an ordinary user could not read this pool's data."""
    monkeypatch.setattr("autograder.kernel.pool.choose_level", lambda *_, **__: level)
    closed: list[Path] = []
    zygote = lambda pool: SimpleNamespace(close=lambda: closed.append(pool._directory))  # noqa: E731
    monkeypatch.setattr(KernelPool, "_new_zygote", zygote)
    with pytest.raises(SandboxError, match="run as root") as caught:
        KernelPool(sandbox=level)
    assert caught.value.code == 2
    assert closed and not closed[0].exists()  # the warm parent, which may have started before, is gone


@pytest.mark.parametrize("level", ["landlock", "process"])
def test_a_fork_that_is_still_root_refuses_to_become_a_kernel(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """The last guard, should the ones before it be wrong."""
    told: list[BaseException] = []

    def leave(code: int) -> NoReturn:
        raise InterruptedError(code)

    monkeypatch.setattr(child.os, "setsid", lambda: None)
    monkeypatch.setattr(child.os, "getresuid", lambda: (0, 0, 0))
    monkeypatch.setattr(child.os, "_exit", leave)
    monkeypatch.setattr(child, "report_failure", lambda control, error: told.append(error))
    monkeypatch.setattr(child, "_be_init", lambda *_: pytest.fail("it went on"))
    with pytest.raises(InterruptedError):
        child.run({"level": level, "uid": None}, None, -1)  # type: ignore[arg-type]
    assert "must not run as root" in str(told[0])


def test_the_command_line_says_in_a_sentence_what_to_do(
    root_alone: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = REPOSITORY / "ps1_simple_models" / "ps1.ipynb"
    code = main(["grade", "ps1", str(notebook), "--out", str(tmp_path / "out"), "--sandbox", "process"])
    assert code == 2
    assert "Install Python and this repository where an ordinary user can read them" in capsys.readouterr().err


def test_a_pool_that_is_closed_starts_nothing() -> None:
    pool = KernelPool(limits=Limits())
    directory = pool._directory
    pool.close()
    assert not directory.exists()
    with pytest.raises(SandboxError, match="closed"):
        pool.start()


def test_a_zygote_that_dies_is_an_error_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with KernelPool(limits=LIMITS) as pool:
        assert pool._zygote is not None
        pool._zygote._process.send_signal(signal.SIGKILL)
        with pytest.raises(SandboxError):
            pool.start()


def test_sockets_fit_in_a_long_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("d" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with KernelPool(limits=LIMITS, warm=False) as pool, pool.start() as kernel:
        assert kernel.execute("1").status == "ok"

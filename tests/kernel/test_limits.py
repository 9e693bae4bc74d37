"""Time, memory, processes, files and output are bounded, and a kernel survives what can be survived."""

from __future__ import annotations

import time

import pytest

from autograder.kernel import Kernel, KernelPool, Limits

from .conftest import LIMITS

SWALLOW = """
while True:
    try:
        while True:
            x = 1
            y = 2
    except KeyboardInterrupt:
        x = 3
"""


@pytest.mark.parametrize(
    "code",
    ["while True: pass", "import time; time.sleep(60)", "!sleep 60", "import asyncio\nawait asyncio.sleep(60)",
     "import multiprocessing as mp, os\np = mp.get_context('fork').Process(target=os.pause if hasattr(os, 'pause')"
     " else __import__('signal').pause)\np.start(); p.join()"],
)  # fmt: skip
def test_a_slow_cell_is_interrupted_and_the_kernel_lives_on(kernel: Kernel, code: str) -> None:
    kernel.execute("x = 5")
    done = kernel.execute(code, timeout=0.4)
    assert done.status == "timeout" and done.seconds < 4
    assert kernel.execute("print(x)").stdout_tail == "5\n"


@pytest.mark.parametrize("code", [SWALLOW, "sum(range(10**13))", "import os; os.kill(os.getpid(), 19)"])
def test_a_cell_that_does_not_stop_is_killed(kernel: Kernel, code: str) -> None:
    done = kernel.execute(code, timeout=0.3)
    assert done.status == "timeout" and "killed" in done.evalue and done.seconds < 6
    after = kernel.execute("1")
    assert after.status == "died" and after.evalue


def test_the_total_time_is_a_deadline() -> None:
    with KernelPool(limits=Limits(total_seconds=1), warm=False) as pool, pool.start() as kernel:
        assert kernel.execute("import time; time.sleep(0.2)").status == "ok"
        done = kernel.execute("while True: pass")
        assert done.status == "deadline" and done.seconds < 3
        assert kernel.execute("1").status == "died"


def test_too_much_memory_is_a_memory_error(any_kernel: Kernel) -> None:
    done = any_kernel.execute("import torch\nx = torch.ones(4 * 10**9, dtype=torch.uint8)")
    assert done.status == "error", done
    done = any_kernel.execute("x = [bytearray(10**7) for _ in range(200)]")
    assert (done.status, done.ename) == ("error", "MemoryError")
    # the control: less than the limit is fine
    assert any_kernel.execute("x = b'x' * (300 * 10**6)\nprint(len(x))").stdout_tail == "300000000\n"


FORKS = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        data = b'x' * ({mb} * 10**6)
        time.sleep({seconds})
        os._exit(0)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)]
print(codes)
"""


def test_memory_is_counted_over_all_processes(kernel: Kernel) -> None:
    done = kernel.execute(FORKS.format(mb=400, seconds=5))
    assert "-9" in done.stdout_tail and done.seconds < 5, done
    assert kernel.execute(FORKS.format(mb=50, seconds=0.3)).stdout_tail == "[0, 0, 0, 0]\n"  # the control


PROCESSES = """
import os, time
count = 0
try:
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        count += 1
except OSError:
    pass
time.sleep(0.5)
print(count)
"""


def test_processes_are_limited(any_kernel: Kernel) -> None:
    done = any_kernel.execute(PROCESSES)
    if done.status == "died":  # root has no limit of its own; the watchdog acts
        assert "processes" in done.evalue
    else:
        assert 10 < int(done.stdout_tail) <= LIMITS.processes + 8


def test_a_fork_bomb_ends(any_kernel: Kernel) -> None:
    started = time.monotonic()
    code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert any_kernel.execute(code, timeout=0.5).status in ("timeout", "died")
    any_kernel.close()
    assert time.monotonic() - started < 15


def test_files_are_limited(any_kernel: Kernel) -> None:
    code = "with open('f', 'wb') as file: file.write(b'x' * ({mb} * 2**20))\nprint('written')"
    assert any_kernel.execute(code.format(mb=7)).stdout_tail == "written\n"
    assert any_kernel.execute(code.format(mb=9)).ename == "OSError"


def test_the_scratch_directory_is_limited(any_kernel: Kernel) -> None:
    code = "import time\nfor i in range(10):\n    open(f'f{i}', 'wb').write(b'x' * (6 * 2**20))\ntime.sleep(3)"
    done = any_kernel.execute(code)
    assert (done.status, done.ename) == ("error", "OSError") or (done.status == "died" and "files" in done.evalue), done


@pytest.mark.parametrize(
    "code",
    ["while True: print('x' * 1000)", "import os\nwhile True: os.write(1, b'x' * 1000)", "!yes",
     "from IPython.display import display\nwhile True: display({'image/png': 'x' * 10**5}, raw=True)",
     "from IPython.display import display\ndisplay({'image/png': 'x' * 10**7}, raw=True)\nimport time; time.sleep(9)"],
)  # fmt: skip
def test_output_is_limited(kernel: Kernel, code: str) -> None:
    before = _resident_mb()
    done = kernel.execute(code)
    assert done.status == "output" and done.seconds < 8
    assert len(done.stdout_tail) <= 4000
    assert _resident_mb() - before < 80


def test_output_within_its_limit_is_fine(kernel: Kernel) -> None:
    done = kernel.execute("for i in range(1000): print('x' * 100)\nprint('end')")
    assert done.status == "ok" and done.stdout_tail.endswith("end\n")
    image = "from IPython.display import display\ndisplay({'image/png': 'x' * 10**6}, raw=True)"
    assert kernel.execute(image).status == "ok"
    # a flood that ended is not held against cells that print nothing
    assert kernel.execute("print('x' * 150_000)").status == "output"
    assert kernel.execute("x = 1").status == "ok"


def test_floods_between_cells_do_not_reach_the_grader(kernel: Kernel) -> None:
    before = _resident_mb()
    kernel.execute(
        "import threading\ndef flood():\n    while True: print('x' * 10**5)\n"
        "threading.Thread(target=flood, daemon=True).start()"
    )
    time.sleep(1.5)
    kernel.execute("1")
    assert _resident_mb() - before < 80


def _resident_mb() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) >> 10

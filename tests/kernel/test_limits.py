"""Time, memory, processes, files and output are bounded, and a kernel survives what can be survived."""

from __future__ import annotations

import threading
import time

import pytest

from autograder.kernel import Execution, Kernel, KernelPool, Limits, watchdog
from autograder.kernel.handle import ProcessHandle

from .conftest import LIMITS, SOON, needs, wait_until

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
    ["while True: pass", "import time; time.sleep(600)", "!sleep 700", "import asyncio\nawait asyncio.sleep(600)",
     "import multiprocessing as mp, os\np = mp.get_context('fork').Process(target=os.pause if hasattr(os, 'pause')"
     " else __import__('signal').pause)\np.start(); p.join()"],
)  # fmt: skip
def test_a_slow_cell_is_interrupted_and_the_kernel_lives_on(kernel: Kernel, patient: None, code: str) -> None:
    kernel.execute("x = 5")
    done = kernel.execute(code, timeout=0.4)
    assert done.status == "timeout" and done.seconds < SOON
    assert kernel.execute("print(x)").stdout_tail == "5\n"


@pytest.mark.parametrize("code", [SWALLOW, "sum(range(10**13))", "import os; os.kill(os.getpid(), 19)"])
def test_a_cell_that_does_not_stop_is_killed(kernel: Kernel, code: str) -> None:
    done = kernel.execute(code, timeout=0.3)
    assert done.status == "timeout" and "killed" in done.evalue and done.seconds < SOON
    after = kernel.execute("1")
    assert after.status == "died" and after.evalue


def test_the_total_time_is_a_deadline() -> None:
    with KernelPool(limits=Limits(total_seconds=1), warm=False) as pool, pool.start() as kernel:
        done = kernel.execute("while True: pass")
        assert done.status == "deadline" and done.seconds < SOON
        assert kernel.execute("1").status == "died"


def test_the_total_time_counts_over_all_cells(best: KernelPool) -> None:
    before = time.monotonic()
    with best.start() as kernel:
        assert before < kernel._deadline - LIMITS.total_seconds < time.monotonic()
        deadline = kernel._deadline
        done = kernel.execute("import time; time.sleep(0.2)")
        assert done.status == "ok" and kernel._deadline == deadline + done.waited
        kernel._deadline = time.monotonic() + 0.2  # as if most of it was used up
        assert kernel.execute("while True: pass").status == "deadline"
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
start, go = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        os.close(go)
        os.read(start, 1)  # until all are there
        data = b'x' * ({mb} * 10**6)
        time.sleep({seconds})
        os._exit(0)
os.close(go)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)]
print(codes)
"""


def test_memory_is_counted_over_all_processes(kernel: Kernel) -> None:
    done = kernel.execute(FORKS.format(mb=400, seconds=600))
    assert "-9" in done.stdout_tail and done.seconds < SOON, done
    assert kernel.execute(FORKS.format(mb=50, seconds=0.3)).stdout_tail == "[0, 0, 0, 0]\n"  # the control


PROCESSES = """
import os, time
count = 0
try:
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        count += 1
except OSError:
    pass
if count == 300:
    time.sleep(600)
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
    assert time.monotonic() - started < SOON


def test_files_are_limited(any_kernel: Kernel) -> None:
    code = "with open('f', 'wb') as file: file.write(b'x' * ({mb} * 2**20))\nprint('written')"
    assert any_kernel.execute(code.format(mb=7)).stdout_tail == "written\n"
    assert any_kernel.execute(code.format(mb=9)).ename == "OSError"


def test_the_scratch_directory_is_limited(any_kernel: Kernel) -> None:
    code = "import time\nfor i in range(10):\n    open(f'f{i}', 'wb').write(b'x' * (6 * 2**20))\ntime.sleep(600)"
    done = any_kernel.execute(code)
    assert _ended_by_the_disk(done), done


def _ended_by_the_disk(done: Execution) -> bool:
    return (done.status, done.ename) == ("error", "OSError") or (done.status == "died" and "files" in done.evalue)


def test_files_without_a_name_count(any_kernel: Kernel) -> None:
    code = "import os, time\nkept = []\nfor i in range(10):\n    kept.append(open('f', 'wb'))\n    os.unlink('f')\n"
    done = any_kernel.execute(code + "    kept[-1].write(b'x' * (6 * 2**20)); kept[-1].flush()\ntime.sleep(600)")
    assert _ended_by_the_disk(done), done


def test_the_number_of_files_is_limited(any_kernel: Kernel) -> None:
    code = "import time\nfor i in range(18_000): open(f'f{i}', 'w').close()\ntime.sleep(600)"
    assert _ended_by_the_disk(any_kernel.execute(code))


DEEP = """
import os, time
for _ in range(3000):
    os.mkdir('d')
    os.chdir('d')
os.mkdir('closed', 0)
{more}
"""


def test_deep_and_closed_folders_are_removed_and_do_not_stop_the_watch(any_kernel: Kernel) -> None:
    """A path that is too deep to be counted ends the kernel where files are counted, and never what watches it."""
    scratch = any_kernel._handle.scratch
    done = any_kernel.execute(DEEP.format(more="time.sleep(1)" if scratch is None else "time.sleep(600)"))
    if scratch is None:
        assert done.status == "ok" and any_kernel._maker._watchdog.watches(any_kernel._handle)
    else:
        assert done.status == "died" and "cannot be looked into" in done.evalue
    any_kernel.close()
    assert scratch is None or not scratch.exists()


UNMAPPED = {
    "files in memory": "import os\nfor i in range(3):\n    os.write(os.memfd_create('x'), bytes(7 << 20))",
    "mapped by nobody": "import mmap\nm = mmap.mmap(-1, 1 << 20)\nm[0] = 1\nm.madvise(mmap.MADV_DONTNEED)",
    "of a device": "import mmap, os\nm = mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20)\nm[0] = 1",
    "pages in a pipe": (
        "import ctypes, os\nread, write = os.pipe()\nbuffer = ctypes.create_string_buffer(8)\n"
        "part = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)\n"
        "if ctypes.CDLL(None).vmsplice(write, part, 1, 0) < 0: raise PermissionError"
    ),
    "long pipes": "import fcntl, os\nfcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 1 << 20)",
    "System V": "import ctypes\nif ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) < 0: raise PermissionError",
}


@pytest.mark.parametrize("name", UNMAPPED)
def test_there_is_no_memory_that_nobody_counts(any_kernel: Kernel, name: str) -> None:
    if any_kernel.level == "process":
        pytest.skip("the level has no system-call filter")
    done = any_kernel.execute(UNMAPPED[name])
    assert (done.status, done.ename) in (("error", "PermissionError"), ("error", "FileNotFoundError")), done


DEAD_LEADERS = """
import ctypes, os, threading, time
start, go = os.pipe()
def grow():
    os.read(start, 1)  # until all are there
    time.sleep(0.5)
    data = b'x' * (300 * 10**6)
    time.sleep(600)
    os._exit(0)
for _ in range(4):
    if os.fork() == 0:
        os.close(go)
        threading.Thread(target=grow).start()
        ctypes.CDLL(None).pthread_exit(None)
os.close(go)
print([os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)])
"""
PAGE_TABLES = """
import mmap, numpy as np, time
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
area = np.frombuffer(mmap.mmap(-1, 1 << 40, flags=flags, prot=mmap.PROT_READ), np.uint8)
for start in range(0, 1 << 40, 1 << 36):
    area[start : start + (1 << 36) : 2 << 20].sum()
time.sleep(600)
"""
SHARED = """
import os, time
data = b'x' * (600 * 10**6)
for _ in range(12):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
time.sleep(600)
"""
SOCKETS = """
import os, socket, time
for _ in range(4):
    if os.fork() == 0:
        kept = [socket.socketpair() for _ in range(400)]
        time.sleep(600)
        os._exit(0)
time.sleep(600)
"""
BUSY = """
import os
for _ in range(40):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
while True:
    pass
"""


def test_memory_of_a_process_whose_first_thread_has_ended_is_counted(kernel: Kernel) -> None:
    """Linux shows such a process without any memory."""
    done = kernel.execute(DEAD_LEADERS)
    assert "-9" in done.stdout_tail and done.seconds < SOON, done


@pytest.mark.parametrize("code", [PAGE_TABLES, SHARED], ids=["page tables", "shared with many"])
def test_memory_that_counts_for_little_elsewhere_is_counted(kernel: Kernel, code: str) -> None:
    done = kernel.execute(code)
    assert done.status == "died" and "MB of memory" in done.evalue and done.seconds < SOON, done


@pytest.mark.parametrize(("code", "reason"), [(SOCKETS, "sockets and pipes"), (BUSY, "busy")], ids=["sockets", "busy"])
def test_what_takes_it_from_others_is_limited(kernel: Kernel, code: str, reason: str) -> None:
    done = kernel.execute(code)
    assert done.status == "died" and reason in done.evalue and done.seconds < SOON, done


def test_buffers_of_sockets_stay_small(any_kernel: Kernel) -> None:
    if any_kernel.level == "process":
        pytest.skip("the level has no system-call filter")
    code = (
        "import socket\na, b = socket.socketpair()\n"
        "for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):\n    a.setsockopt(socket.SOL_SOCKET, option, 1 << 20)\n"
        "a.setblocking(False)\nsent = 0\n"
        "try:\n    while True: sent += a.send(bytes(1 << 16))\nexcept BlockingIOError: print(sent < 1 << 19)"
    )
    assert any_kernel.execute(code).stdout_tail == "True\n"


def test_a_file_that_is_only_mapped_counts(pools: dict[str, KernelPool]) -> None:
    """It has no name and is not open any more, and takes its room on the disk all the same."""
    needs("landlock")
    code = (
        "import mmap, os, time\nkept = []\nfor i in range(6):\n"
        "    fd = os.open('f', os.O_CREAT | os.O_RDWR)\n    os.write(fd, bytes(7 << 20))\n"
        "    kept.append(mmap.mmap(fd, 4096))\n    os.close(fd)\n    os.unlink('f')\ntime.sleep(600)"
    )
    with pools["landlock"].start() as kernel:
        done = kernel.execute(code)
    assert done.status == "died" and "of files" in done.evalue, done


def test_watching_one_kernel_does_not_hold_up_the_others(best: KernelPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it hold up their end, or the start of another; however long the look takes."""
    check = watchdog._check
    looking, looked = threading.Event(), threading.Event()

    def slow(handle: ProcessHandle, watched: object) -> None:
        if handle is first._handle:
            looking.set()
            looked.wait()
        check(handle, watched)  # type: ignore[arg-type]

    with best.start() as first, best.start() as second:
        monkeypatch.setattr(watchdog, "_check", slow)
        try:
            wait_until(looking.is_set)
            done = second.execute(SHARED)
            assert done.status == "died" and done.seconds < SOON
            second.close()
            best.start().close()
        finally:
            looked.set()
            monkeypatch.undo()


def test_honest_ways_to_share_memory_work(kernel: Kernel) -> None:
    """The control: what multiprocessing, DataLoader and private mappings need."""
    done = kernel.execute(
        "import mmap, multiprocessing as mp, torch\n"
        "context = mp.get_context('fork')\nvalue, queue = context.Value('i', 0), context.Queue()\n"
        "def work():\n    value.value = 5\n    queue.put([0, 1, 2])\n"
        "process = context.Process(target=work); process.start()\ngot = queue.get(); process.join()\n"
        "private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); private[0] = 1\n"
        "loader = torch.utils.data.DataLoader(torch.arange(8.0), batch_size=4, num_workers=2)\n"
        "x = torch.zeros(3).share_memory_()\n"
        "print(value.value, got, [batch.sum().item() for batch in loader], x.is_shared())"
    )
    assert done.stdout_tail == "5 [0, 1, 2] [6.0, 22.0] True\n", done


@pytest.mark.parametrize(
    "code",
    ["while True: print('x' * 1000)", "import os\nwhile True: os.write(1, b'x' * 1000)", "!yes",
     "from IPython.display import display\nwhile True: display({'image/png': 'x' * 10**5}, raw=True)",
     "from IPython.display import display as d\nd({'image/png': 'x' * 10**7}, raw=True)\nimport time; time.sleep(600)"],
)  # fmt: skip
def test_output_is_limited(kernel: Kernel, code: str) -> None:
    before = _resident_mb()
    done = kernel.execute(code)
    assert done.status == "output" and done.seconds < SOON
    assert len(done.stdout_tail) <= 4000
    assert _resident_mb() - before < 80


def test_output_within_its_limit_is_fine(kernel: Kernel) -> None:
    done = kernel.execute("for i in range(1000): print('x' * 100)\nprint('end')")
    assert done.status == "ok" and done.stdout_tail.endswith("end\n")
    image = "from IPython.display import display\ndisplay({'image/png': 'x' * 10**6}, raw=True)"
    assert kernel.execute(image).status == "ok"
    assert kernel.execute("x = 1").status == "ok"


@pytest.mark.parametrize("printing", ["print('x' * 2_000_000)", "for i in range(200_000): print(i)", "!seq 300000"])
def test_a_cell_that_prints_much_runs_to_its_end(kernel: Kernel, printing: str) -> None:
    """What is too much is left out, and is not held against the cells that follow."""
    assert kernel.execute(f"{printing}\ndef f(): return 1").status == "ok"
    assert kernel.execute("print(1)\nassert f() == 1").status == "ok"


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

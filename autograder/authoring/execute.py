"""Executes the solution notebook in a fresh kernel and an empty folder."""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring.outputs import tidy_outputs
from autograder.authoring.timing import CellClock
from autograder.errors import UserError
from autograder.jupyter import quick_jupyter

CELL_SECONDS = 3600
START_SECONDS = 120


@dataclass(frozen=True)
class Progress:
    """Where an execution is: ``cell`` of ``cells`` (code cells, from 1), its id, and seconds so far."""

    cell: int
    cells: int
    id: str
    seconds: float


@dataclass
class Executed:
    """What an execution showed beside the outputs: stderr, a line for each cell, and the seconds of each code cell."""

    stderr: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def execute(
    notebook: Any, profile: str, root: Path, report: Callable[[Progress], None] | None = None
) -> Executed:
    """Execute all cells in place and tidy their outputs.

    Raises:
        UserError: a cell fails: which one, and its error.
    """
    quick_jupyter()
    from nbclient import NotebookClient

    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    numbers = {cell.id: number for number, cell in enumerate(cells, 1)}
    start = time.perf_counter()
    current, clock = "", None
    executed = Executed()

    def started(cell: Any, cell_index: int) -> None:
        nonlocal current, clock
        kernel: Any = client.km
        current, clock = cell.id, CellClock(kernel.provisioner.pid)
        if report is not None and cell.id in numbers:
            report(Progress(numbers[cell.id], len(cells), cell.id, time.perf_counter() - start))

    def finished(cell: Any, cell_index: int, execute_reply: Any) -> None:
        executed.seconds[cell.id] = clock.seconds() if clock else 0.0

    with tempfile.TemporaryDirectory(prefix="dgm-build-", ignore_cleanup_errors=True) as scratch:
        work, home = Path(scratch) / "work", Path(scratch) / "ipython"
        work.mkdir()
        home.mkdir()
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, startup_timeout=START_SECONDS, kernel_name="python3", record_timing=False,
            resources={"metadata": {"path": str(work)}}, on_cell_start=started, on_cell_executed=finished,
        )
        client.km = manager = client.create_kernel_manager()
        manager.connection_file = str(Path(scratch) / "kernel.json")
        if os.name == "posix":
            manager.transport, manager.ip = "ipc", str(Path(scratch) / "socket")
        logger = logging.getLogger("asyncio")  # after a Ctrl-C it would report the task that was cut off
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        said = Path(scratch) / "kernel.log"  # what the kernel itself says; a Ctrl-C makes it say much
        try:
            with said.open("wb") as log:
                client.execute(env=_environment(profile, home), stdout=log, stderr=log)
        except Exception as error:
            if hasattr(client, "_async_cleanup_kernel_future"):  # nbclient stopped the kernel at a SIGINT
                raise KeyboardInterrupt from None
            raise _failure(error, _place(notebook, current), said) from None
        finally:
            logger.setLevel(level)
            atexit.unregister(client._cleanup_kernel)
            with suppress(Exception):
                if client.km is not None:
                    client._cleanup_kernel()
        folders = [work, Path(scratch), root]
        executed.stderr = _stderr(cells)
        for cell in cells:
            cell.outputs = tidy_outputs(cell.outputs, folders)
            cell.metadata.pop("execution", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata.pop("widgets", None)
    return executed


def _failure(error: Exception, place: str, said: Path) -> UserError:
    """What went wrong in one sentence."""
    from nbclient.exceptions import CellControlSignal, CellExecutionError, CellTimeoutError, DeadKernelError

    if isinstance(error, CellExecutionError):
        return UserError(f"The solution fails in {place}: {error.ename}: {error.evalue}", 1)
    if isinstance(error, CellTimeoutError):
        return UserError(f"The solution takes longer than {CELL_SECONDS} s in {place}.", 1)
    if isinstance(error, (DeadKernelError, CellControlSignal)):
        return UserError(f"The kernel died in {place} (out of memory?).", 1)
    last = said.read_text(encoding="utf-8", errors="replace").strip().rsplit("\n", 1)[-1]
    return UserError(f"The kernel could not be started or was lost: {type(error).__name__}: {error}. {last}".strip(), 3)


def _environment(profile: str, home: Path) -> dict[str, str]:
    drop = ("DGM_GRADING", "NBGRADER_EXECUTION", "MPLBACKEND", "JPY_SESSION_NAME", "PYTHONSTARTUP")
    kept = {key: value for key, value in os.environ.items() if key not in drop}
    return {
        **kept, "DGM_BUDGET": profile, "IPYTHONDIR": str(home), "PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PLATFORM_DIRS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait make a busy machine ten times slower
    }


def _place(notebook: Any, id: str) -> str:
    """The cell in words: its question, its id and its first line."""
    for cell in notebook.cells:
        if cell.id == id:
            first = next((line for line in cell.source.split("\n") if line.strip()), "")
            head = id.split("-")[0]
            where = f"question {head[1:]}, " if head.startswith("q") and head[1:].isdigit() else ""
            return f"{where}cell {id} ({first.strip()[:60]})"
    return "a cell"


def _stderr(cells: list[Any]) -> list[str]:
    found = []
    for cell in cells:
        text = "".join(
            output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"
        )
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if lines:
            found.append(f"{cell.id}: {lines[0][:200]}")
    return found

"""One student's kernel: runs the notebook's cells, survives what they do, and answers probes.

A cell that kills the kernel, or hangs so that the kernel has to be killed, costs only what it defines: a fresh kernel
runs the notebook again without it. There are at most ``MAX_RESTARTS``, and the last one runs only cells that define
something.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType

from autograder.grading import gpu
from autograder.grading.outcomes import plain_outcome, read_reply
from autograder.grading.requests import Key, ProbeRequest
from autograder.grading.surroundings import Supplied, run_without_missing
from autograder.kernel import Execution, Kernel, KernelPool, Limits, SandboxError
from autograder.submissions.definitions import defines_something, functions_and_classes
from autograder.submissions.notebook import CodeCell
from autograder.text import clean_line
from dgm.checks.runtime import Outcome

MAX_RESTARTS = 2
MAX_NOTES = 30
START_PAUSE = 0.5
CELLS_SHARE = 0.7  # of the total time; the rest is the probes'
LATE_CELL_SECONDS = 5.0  # for cells that only define things, once the cells' share is used up
GONE = "The notebook's process could not be kept alive, so this could not be checked."
NO_TIME = "The time for the whole submission was used up."


class Stopped(Exception):
    """The run was interrupted; not a fault of the submission."""


class Session:
    """A context manager around one kernel after another; when it is entered it runs the cells.

    Attributes:
        in_place: What came of the probes that were asked between the cells.
        fatal: Those of them that ended the kernel.
    """

    def __init__(
        self, pool: KernelPool, cells: Sequence[CodeCell], limits: Limits,
        stopped: Callable[[], bool] = lambda: False, schedule: Mapping[int, Sequence[ProbeRequest]] | None = None,
        settle: Callable[[Key, Outcome], Outcome] = lambda key, outcome: outcome, supplied: Supplied | None = None,
    ) -> None:
        """``schedule`` says, by the number of a cell, what is asked when it has run; ``settle``, what is kept of an
        outcome; ``supplied``, what runs before the notebook because it lacks it."""
        self._pool, self._cells, self._limits, self._stopped = pool, cells, limits, stopped
        self._schedule, self._settle, self._supplied = schedule or {}, settle, supplied or Supplied()
        self.in_place: dict[Key, Outcome] = {}
        self.fatal: set[Key] = set()
        self._kernel: Kernel | None = None
        self._restarts = 0
        self._blamed = False
        self._killers: set[int] = set()
        self._noted: set[int] = set()
        self._notes = [self._supplied.note] if self._supplied.note else []
        self._broken: dict[str, str] = {}
        self._deadline = 0.0
        self._in_place_seconds = 0.0

    @property
    def notes(self) -> list[str]:
        """What went wrong in the cells, in at most `MAX_NOTES` sentences."""
        more = len(self._notes) - MAX_NOTES
        return self._notes[:MAX_NOTES] + ([f"… and {more} more."] if more > 0 else [])

    def __enter__(self) -> Session:
        self._deadline = time.monotonic() + self._limits.total_seconds
        try:
            self._run_cells()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            kernel.close()

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _run_cells(self) -> None:
        """Run all cells but the known killers; start again without a cell that ends the kernel."""
        while not self._run_once():
            self._close()
            if self._restarts >= MAX_RESTARTS or self._left() <= 0:
                return
            self._restarts += 1

    def _run_once(self) -> bool:
        self._kernel = self._start()
        again = [text for text in self._supplied.first if not self._supply(self._kernel, text)]
        for cell in self._cells:
            if self._stopped():
                raise Stopped
            if cell.number in self._killers:
                continue
            if self._restarts == MAX_RESTARTS and not defines_something(cell.source):
                continue
            seconds = self._cell_seconds(cell)
            if seconds <= 0:
                self._note(cell, "not run, because the time for the notebook was used up.")
                continue
            execution = run_without_missing(
                partial(self._kernel.execute, timeout=seconds), cell.source, partial(self._note_line, cell)
            )
            self._deadline += execution.waited
            self._note_execution(cell, execution, seconds)
            broken = execution.status == "error" and gpu.broke_the_gpu(execution.evalue)
            if broken or not self._kernel.alive:
                self._killers.add(cell.number)
                return False
            self._ask_in_place(self._kernel, cell)
            if self._kernel is None:  # a probe ended it, which is no cell's fault
                self._schedule = {}
                return False
        for text in again:
            if text in self._supplied.last:
                self._supply(self._kernel, text)
        return True

    def _supply(self, kernel: Kernel, text: str) -> bool:
        """Run released code; whether it worked. It may need an answer that is not there yet."""
        execution = kernel.execute(text, timeout=max(0.0, min(self._limits.cell_seconds, self._left())))
        self._deadline += execution.waited
        return execution.status == "ok"

    def _ask_in_place(self, kernel: Kernel, cell: CodeCell) -> None:
        """Ask what is scheduled for the place after this cell. What finds no time there is left for the end."""
        for request in self._schedule.get(cell.number, ()):
            if request.key in self.in_place:  # by an earlier kernel
                continue
            if self._stopped():
                raise Stopped
            if self._in_place_seconds >= self._probes_share or self._left() <= 0:
                return
            left = self._left()
            self.in_place[request.key] = self._answer(kernel, request)
            self._in_place_seconds += left - self._left()
            if self._kernel is None:
                self.fatal.add(request.key)
                return

    @property
    def _probes_share(self) -> float:
        return (1 - CELLS_SHARE) * self._limits.total_seconds

    def _start(self) -> Kernel:
        """A kernel that has run nothing yet; on a busy machine the first try may fail."""
        try:
            return self._pool.start()
        except SandboxError:
            if self._stopped():
                raise Stopped from None
            time.sleep(START_PAUSE)
            return self._pool.start()

    def _cell_seconds(self, cell: CodeCell) -> float:
        cells_left = self._left() - max(0.0, self._probes_share - self._in_place_seconds)
        if cells_left > 0:
            return min(self._limits.cell_seconds, max(cells_left, 1.0))
        return min(LATE_CELL_SECONDS, self._left()) if defines_something(cell.source) else 0.0

    def _note_execution(self, cell: CodeCell, execution: Execution, seconds: float) -> None:
        if execution.status == "error":
            what = gpu.plain_error(execution.ename, execution.evalue)
            what = what or clean_line(f"{execution.ename}: {execution.evalue}", 240)
            self._note(cell, what, execution.line)
        elif execution.status == "timeout":
            self._note(cell, f"stopped after {seconds:.0f} s.")
        elif execution.status == "output":
            self._note(cell, "stopped, because it printed, displayed or sent more than is allowed.")
        elif execution.status == "died":
            self._note(cell, "ended Python (a crash, an exit, or out of memory), so the rest was run without it.")
        elif execution.status == "deadline":
            self._note(cell, "stopped, because the time for the whole submission was used up.")

    def _note_line(self, cell: CodeCell, line: int, text: str) -> None:
        """A note about a line that was left out, beside the one about the cell."""
        code = clean_line(cell.source.split("\n")[line - 1], 50).replace("`", "'")
        sentence = f"Cell {cell.number}, line {line} (`{code}`): {clean_line(text, 160)}"
        if sentence not in self._notes:
            self._notes.append(sentence)

    def _note(self, cell: CodeCell, text: str, line: int | None = None) -> None:
        """One note a cell, however often it is run again; it shows the line, or else the cell's first one."""
        if cell.number in self._noted:
            return
        self._noted.add(cell.number)
        lines = cell.source.split("\n")
        code, place = next(text for text in lines if text.strip()), f"Cell {cell.number}"
        if cell.heading:
            place += f", below “{clean_line(cell.heading, 60)}”"
        if line is not None and 1 <= line <= len(lines):
            code, place = lines[line - 1], f"{place}, line {line}"
        shown = clean_line(code, 50).replace("`", "'")
        self._notes.append(f"{place} (`{shown}`): {text}")
        self._broken |= dict.fromkeys(functions_and_classes(cell.source), self._notes[-1])

    def ask(self, request: ProbeRequest, prelude: str = "") -> Outcome:
        """Ask one probe at the end of the notebook, after ``prelude`` has run in its fork.

        If an earlier probe ended the kernel, a fresh one is started, if there may be one.
        """
        if self._stopped():
            raise Stopped
        if self._kernel is None and self._restarts < MAX_RESTARTS and self._left() > 0:
            self._restarts += 1
            self._run_cells()
        if self._left() <= 0:
            return plain_outcome("timeout", NO_TIME)
        if self._kernel is None:
            self._blame()
            return plain_outcome("error", GONE)
        return self._answer(self._kernel, request, prelude)

    def _answer(self, kernel: Kernel, request: ProbeRequest, prelude: str = "") -> Outcome:
        limit = request.seconds or self._limits.probe_seconds
        reply = kernel.probe(request.message(prelude), timeout=min(limit, self._left()))
        self._deadline += reply.waited
        outcome = read_reply(reply, limit, request.byte_limit)
        if not kernel.alive or gpu.broke_the_gpu((outcome.get("error") or {}).get("message", "")):
            self._close()
        return self._settle(request.key, self._with_cause(gpu.explained(outcome)))

    def _with_cause(self, outcome: Outcome) -> Outcome:
        """A name that is missing because its cell failed is an error in that cell, not a missing answer."""
        name = (outcome.get("error") or {}).get("message", "")
        if outcome["status"] == "missing" and name in self._broken:
            return plain_outcome("error", f"`{name}` is not defined, because its cell failed. {self._broken[name]}")
        return outcome

    def _blame(self) -> None:
        """Make sure that it is the notebook that ends kernels. Raises `SandboxError` if empty ones end as well."""
        if self._blamed:
            return
        with self._pool.start() as kernel:
            if kernel.execute("1 + 1", timeout=60).status != "ok":
                raise SandboxError("Even an empty kernel does not work here; this is no fault of the submission.")
        self._blamed = True

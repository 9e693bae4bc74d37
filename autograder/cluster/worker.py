"""The worker's side: keeps one room (reference, warm kernels) for each bundle, and grades in it.

Requests and replies are JSON bytes; nothing that a student wrote is ever unpickled.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from distributed import WorkerPlugin

from autograder.cluster.bundle import Bundle, unpack
from autograder.errors import UserError
from autograder.grading import fingerprint
from autograder.grading.batch import check_reference, environment_here, failure, open_pool
from autograder.grading.intake import Submission
from autograder.grading.notebook import CodeCell, Notebook
from autograder.grading.referee import Referee
from autograder.grading.results import question_from_json
from autograder.grading.submission import Grader
from autograder.kernel import KernelPool, SandboxError

CLOSE_SECONDS = 30
OPEN_NETWORK = "kernels would run at the level process, from where a submission can reach the cluster itself"


class Room:
    """All that submissions of one run share in this process. ``make_pool`` is for tests."""

    def __init__(self, bundle: Bundle, make_pool: Callable[..., KernelPool] = KernelPool) -> None:
        torch.set_num_threads(1)  # as on the coordinator: reference and students compute alike
        self._stop = threading.Event()
        self._idle = threading.Condition()
        self._active = 0
        problem_set, seed, options = unpack(bundle.data, bundle.digest)
        self._pool = open_pool(options, make_pool, problem_set)
        try:
            if self._pool.level == "process" and not options.allow_weaker:
                raise SandboxError(f"{OPEN_NETWORK}; --allow-weaker accepts that.")
            referee = Referee(problem_set, seed, options.device)
            check_reference(referee)
            environment = environment_here(seed, self._pool.level, options)
            self.facts = {"environment": environment, "keys": fingerprint.question_keys(problem_set, environment)}
        except BaseException:
            self._pool.close()
            raise
        self._grader = Grader(problem_set, referee, self._pool, options.limits, self._stop.is_set)

    def grade(self, request: dict[str, Any]) -> dict[str, Any]:
        """One submission: its result, or why the grader failed on it."""
        cells = tuple(CodeCell(number, source) for number, source in request["cells"])
        known = {id: question_from_json(data) for id, data in request["known"].items()}
        with self._idle:
            self._active += 1
        try:
            return {"result": self._grader.grade(Submission("", "", Notebook(cells, "")), known).to_json()}
        except Exception as error:
            what = failure(error)
            return {"failed": {"problem": what.problem, "details": what.details}}
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def close(self) -> None:
        """End the kernels; what is being graded ends as well."""
        self._stop.set()
        deadline = time.monotonic() + CLOSE_SECONDS
        with self._idle:
            while self._active and time.monotonic() < deadline:
                self._pool.stop_all()
                self._idle.wait(0.5)
        self._pool.close()


class Rooms:
    """The rooms of this process, made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: dict[str, Bundle] = {}  # by run
        self._rooms: dict[str, Room | UserError] = {}  # by digest
        self._making: dict[str, threading.Lock] = {}

    def admit(self, run: str, bundle: Bundle) -> None:
        """From now on tasks of ``run`` may come."""
        with self._lock:
            self._bundles[run] = bundle
            self._making.setdefault(bundle.digest, threading.Lock())

    def dismiss(self, run: str) -> None:
        """The run is over; its room is closed, unless another run shares it."""
        with self._lock:
            bundle = self._bundles.pop(run, None)
            if bundle is None or any(other.digest == bundle.digest for other in self._bundles.values()):
                return
            room = self._rooms.pop(bundle.digest, None)
        if isinstance(room, Room):
            room.close()

    def of(self, run: str) -> Room:
        """The run's room. Raises `UserError` when there cannot be one, and KeyError for an unknown run."""
        with self._lock:
            bundle = self._bundles[run]
            making = self._making[bundle.digest]
        with making:
            room = self._rooms.get(bundle.digest)
            if room is None:
                room = self._made(bundle)
                with self._lock:
                    wanted = any(other.digest == bundle.digest for other in self._bundles.values())
                    if wanted:
                        self._rooms[bundle.digest] = room
                if not wanted and isinstance(room, Room):
                    room.close()
                    raise KeyError(run)
        if isinstance(room, UserError):
            raise room
        return room

    @staticmethod
    def _made(bundle: Bundle) -> Room | UserError:
        try:
            return Room(bundle)
        except UserError as error:
            return error


ROOMS = Rooms()


class Admission(WorkerPlugin):
    """Brings the bundle to every worker, also to those that come later, and takes it away at the end."""

    def __init__(self, run: str, bundle: Bundle) -> None:
        self.run, self.bundle, self.name = run, bundle, run

    def setup(self, worker: Any) -> None:
        ROOMS.admit(self.run, self.bundle)

    async def teardown(self, worker: Any) -> None:  # type: ignore[override]
        await asyncio.to_thread(ROOMS.dismiss, self.run)


def describe(run: str) -> bytes:
    """Task: what results of this worker depend on."""
    return _reply(run, lambda room: room.facts)


def grade(run: str, keys: str, request: bytes) -> bytes:
    """Task: grade one submission, if this worker is like the one that the run's cache keys are of."""

    def work(room: Room) -> dict[str, Any]:
        return room.grade(json.loads(request)) if fingerprint.digest(room.facts["keys"]) == keys else {
            "differs": room.facts["environment"]
        }

    return _reply(run, work)


def _reply(run: str, work: Callable[[Room], dict[str, Any]]) -> bytes:
    try:
        answer = work(ROOMS.of(run))
    except KeyError:
        answer = {"unknown": True}
    except UserError as error:
        answer = {"refused": str(error), "code": error.code}
    return json.dumps(answer).encode()

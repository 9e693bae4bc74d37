"""The worker's side: keeps what a run needs (reference, warm kernels) for each bundle, and grades with it.

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
from autograder.grading.batch import check_reference, environment_here, failure, open_pool
from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.kernel import KernelPool, SandboxError
from autograder.results.keys import digest, question_keys
from autograder.results.model import question_from_json
from autograder.submissions.collect import Submission
from autograder.submissions.notebook import CodeCell, Notebook

CLOSE_SECONDS = 30
OPEN_NETWORK = "kernels would run at the level process, from where a submission can reach the cluster itself"


class WorkerRun:
    """What submissions of one run share in this process. ``make_pool`` is for tests."""

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
            self.facts = {"environment": environment, "keys": question_keys(problem_set, environment)}
        except BaseException:
            self._pool.close()
            raise
        self._grader = SubmissionGrader(problem_set, referee, self._pool, options.limits, self._stop.is_set)

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


class WorkerRuns:
    """The runs of this process. What one needs is made when it is first needed; runs with the same bundle share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: dict[str, Bundle] = {}  # by run id
        self._runs: dict[str, WorkerRun | UserError] = {}  # by digest
        self._making: dict[str, threading.Lock] = {}

    def admit(self, run_id: str, bundle: Bundle) -> None:
        """From now on tasks of this run may come."""
        with self._lock:
            self._bundles[run_id] = bundle
            self._making.setdefault(bundle.digest, threading.Lock())

    def dismiss(self, run_id: str) -> None:
        """The run is over; its kernels are closed, unless another run shares them."""
        with self._lock:
            bundle = self._bundles.pop(run_id, None)
            if bundle is None or any(other.digest == bundle.digest for other in self._bundles.values()):
                return
            run = self._runs.pop(bundle.digest, None)
        if isinstance(run, WorkerRun):
            run.close()

    def of(self, run_id: str) -> WorkerRun:
        """The run with this id.

        Raises:
            UserError: This worker cannot serve it.
            KeyError: It is unknown here.
        """
        with self._lock:
            bundle = self._bundles[run_id]
            making = self._making[bundle.digest]
        with making:
            run = self._runs.get(bundle.digest)
            if run is None:
                run = self._made(bundle)
                with self._lock:
                    wanted = any(other.digest == bundle.digest for other in self._bundles.values())
                    if wanted:
                        self._runs[bundle.digest] = run
                if not wanted and isinstance(run, WorkerRun):
                    run.close()
                    raise KeyError(run_id)
        if isinstance(run, UserError):
            raise run
        return run

    @staticmethod
    def _made(bundle: Bundle) -> WorkerRun | UserError:
        try:
            return WorkerRun(bundle)
        except UserError as error:
            return error


RUNS = WorkerRuns()


class Admission(WorkerPlugin):
    """Brings the bundle to every worker, also to those that come later, and takes it away at the end."""

    def __init__(self, run_id: str, bundle: Bundle) -> None:
        self.run_id, self.bundle, self.name = run_id, bundle, run_id

    def setup(self, worker: Any) -> None:
        RUNS.admit(self.run_id, self.bundle)

    async def teardown(self, worker: Any) -> None:
        await asyncio.to_thread(RUNS.dismiss, self.run_id)


def describe(run_id: str) -> bytes:
    """Task: what results of this worker depend on."""
    return _reply(run_id, lambda run: run.facts)


def grade(run_id: str, keys: str, request: bytes) -> bytes:
    """Task: grade one submission, if this worker is like the one that the run's cache keys are of."""

    def work(run: WorkerRun) -> dict[str, Any]:
        return run.grade(json.loads(request)) if digest(run.facts["keys"]) == keys else {
            "differs": run.facts["environment"]
        }

    return _reply(run_id, work)


def _reply(run_id: str, work: Callable[[WorkerRun], dict[str, Any]]) -> bytes:
    try:
        answer = work(RUNS.of(run_id))
    except KeyError:
        answer = {"unknown": True}
    except UserError as error:
        answer = {"refused": str(error), "code": error.code}
    return json.dumps(answer).encode()

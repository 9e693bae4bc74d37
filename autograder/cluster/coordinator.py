"""The coordinator's side: hands out tasks, takes in results, and copes with workers that are lost.

Dask itself gives the tasks of a lost worker to another one. When workers die again and again under the same task it
gives up, on all that ran there; whoever was innocent is found out by grading each of those alone at the end.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed
from distributed import TimeoutError as DaskTimeout

from autograder.cluster.bundle import pack
from autograder.cluster.worker import Admission, describe, grade
from autograder.errors import UserError
from autograder.grading.batch import Failure, Options, Task
from autograder.probes.load import ProblemSet
from autograder.results.keys import digest, question_keys
from autograder.results.model import SubmissionResult

WAIT_SECONDS = 600  # for the first worker: a queue, or a machine that starts
AHEAD = 2  # tasks handed out for each that runs, so that no worker waits
MAX_RETURNS = 5  # of one task by workers that did not know the run yet
STRANGER = "A worker does not know of this run; run the same command again to go on."
LOST = "internal: the worker died each time while grading this; grade it again."


class DaskWorkers:
    """Grades on the workers of a Dask client; a context manager that takes everything back at the end."""

    def __init__(self, client: Client, device: str) -> None:
        self._client = client
        self._run = f"autograder-{uuid.uuid4().hex}"
        self._admitted = False
        self._keys = ""
        self._wait_for_a_worker()
        self.device = self._choose_device(device)
        self._resources = {"GPU": 1} if self.device != "cpu" else None

    def __enter__(self) -> DaskWorkers:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._admitted:
            try:
                self._client.unregister_worker_plugin(self._run)
            except Exception:  # the scheduler has gone, and the workers with it or soon
                return

    def _wait_for_a_worker(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except (TimeoutError, DaskTimeout):
            raise UserError(f"No worker has joined the cluster within {WAIT_SECONDS // 60} minutes.", 3) from None

    def _choose_device(self, wanted: str) -> str:
        """Workers with GPUs say so: ``dask worker … --resources "GPU=2"``."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        there = any(worker.get("resources", {}).get("GPU", 0) >= 1 for worker in workers)
        if wanted == "cuda" and not there:
            raise UserError('No worker has a GPU to offer; start them with --resources "GPU=2" (see docs/gpu.md).', 3)
        return "cuda" if there and wanted != "cpu" else "cpu"

    def prepare(self, problem_set: ProblemSet, seed: int, options: Options) -> dict[str, Any]:
        """Send the problem set out, and learn from one worker what results will depend on."""
        bundle = pack(problem_set, seed, options)
        try:
            self._client.register_plugin(Admission(self._run, bundle), name=self._run)
        except UserError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise UserError(
                f"The workers cannot be prepared ({what}). Scheduler and workers need this version of the autograder."
            ) from None
        self._admitted = True
        facts = self._describe()
        environment: dict[str, Any] = facts["environment"]
        if question_keys(problem_set, environment) != facts["keys"]:
            raise UserError("The problem set's files have changed since they were read; run this again.")
        self._environment, self._keys = environment, digest(facts["keys"])
        return environment

    def _describe(self) -> dict[str, Any]:
        for _ in range(MAX_RETURNS):
            answer = self._answer(self._submit(describe, self._run))
            if answer is None:
                raise UserError("The workers die while they get ready; their own logs say why.", 3)
            if "unknown" not in answer:
                return _checked(answer)
        raise UserError(STRANGER, 3)

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, SubmissionResult | Failure]]:
        """Every task once, as they are done. Ends early with a `UserError` when the cluster is lost."""
        suspects: list[Task] = []
        for task, outcome in self._in_parallel(iter(tasks)):
            if outcome is None:
                suspects.append(task)
            else:
                yield task, outcome
        for task in suspects:  # one at a time, so that none dies of another
            for _, outcome in self._in_parallel(iter([task])):
                yield task, outcome or Failure(LOST, "The worker process died each time (see the workers' own logs).\n")

    def _in_parallel(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, SubmissionResult | Failure | None]]:
        """Hand out tasks as workers become free; None for one that Dask has given up."""
        waiting: deque[Task] = deque()
        running: dict[Future[Any], Task] = {}
        returns: Counter[str] = Counter()
        done = as_completed(loop=self._client.loop)
        try:
            while True:
                room = self._width() - len(running)
                while len(waiting) < room and (task := next(tasks, None)) is not None:
                    waiting.append(task)
                while waiting and room > 0:
                    task, room = waiting.popleft(), room - 1
                    future = self._submit(grade, self._run, self._keys, _request(task))
                    running[future] = task
                    done.add(future)
                if not running:
                    return
                for future in [next(done), *_ready(done)]:
                    task = running.pop(future)
                    answer = self._answer(future)
                    if answer is not None and "unknown" in answer:
                        returns[task.notebook.code_sha256] += 1
                        if returns[task.notebook.code_sha256] > MAX_RETURNS:
                            raise UserError(STRANGER, 3)
                        waiting.append(task)
                        continue
                    yield task, None if answer is None else self._outcome(answer)
        finally:
            self._client.cancel(list(running))

    def _width(self) -> int:
        """How many tasks to have out there: enough for all workers, and few enough to lose few with one."""
        return max(1, AHEAD * sum(map(int, self._client.ncores().values())))

    def _submit(self, *call: Any) -> Future[Any]:
        return self._client.submit(*call, pure=False, resources=self._resources)

    def _answer(self, future: Future[Any]) -> dict[str, Any] | None:
        """A task's reply; None when Dask has given it up because workers died under it."""
        try:
            data: bytes = future.result()
        except KilledWorker:
            return None
        except Exception as error:
            if future.status in ("cancelled", "lost"):
                raise UserError("The cluster is lost; run the same command again to go on.", 3) from None
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise UserError(f"A worker failed ({what}); run the same command again to go on.", 3) from error
        finally:
            future.release()
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _outcome(self, answer: dict[str, Any]) -> SubmissionResult | Failure:
        if "failed" in answer:
            return Failure(**answer["failed"])
        if "differs" in answer:
            raise UserError(_difference(self._environment, answer["differs"]), 3)
        return SubmissionResult.from_json(_checked(answer)["result"])


def _ready(done: as_completed) -> list[Future[Any]]:
    """What else has come back in the meantime."""
    return list(done.next_batch(block=False)) if not done.is_empty() else []


def _request(task: Task) -> bytes:
    cells = [[cell.number, cell.source] for cell in task.notebook.cells]
    known = {id: asdict(question) for id, question in task.known.items()}
    return json.dumps({"cells": cells, "known": known}).encode()


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "refused" in answer:
        raise UserError(f"A worker refuses: {answer['refused']}", answer["code"])
    return answer


def _difference(first: dict[str, Any], other: dict[str, Any]) -> str:
    """Why results of two workers must not be mixed."""
    names = [name for name in first if first[name] != other.get(name)]
    shown = ", ".join(f"{name} is {_short(other.get(name))} and not {_short(first[name])}" for name in names[:4])
    return f"The workers are not alike, so their results would not be comparable: {shown or 'their files differ'}."


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:12] + "…"

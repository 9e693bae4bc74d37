"""Grades many submissions: several at once, nothing twice, and none can stop the others."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from autograder.errors import UserError
from autograder.grading import gpu
from autograder.grading.follow_through import used_questions
from autograder.grading.referee import Referee, ReferenceFailed
from autograder.grading.seeds import new_seed
from autograder.grading.session import Stopped
from autograder.grading.submission import SubmissionGrader, not_graded
from autograder.kernel import KernelPool, Limits, modules_for
from autograder.kernel.sandbox import choose_level
from autograder.probes.load import ProblemSet
from autograder.results.keys import dependents, question_keys, run_environment, with_used
from autograder.results.model import INTERNAL, INVALID, Batch, QuestionResult, SubmissionResult, earned
from autograder.results.store import Store
from autograder.results.summary import write_summary
from autograder.submissions.collect import Submission
from autograder.submissions.notebook import Notebook
from autograder.text import clean_line

Progress = Callable[[SubmissionResult, bool], None]


@dataclass(frozen=True)
class Options:
    """How a batch is graded. ``regrade`` names questions that are graded again whatever the cache knows."""

    jobs: int = 1
    seed: int | None = None
    device: str = "cpu"
    sandbox: str = "auto"
    allow_weaker: bool = False
    limits: Limits = field(default_factory=Limits)
    regrade: frozenset[str] = frozenset()
    gpu_share: gpu.GpuShare = field(default_factory=gpu.GpuShare)


@dataclass(frozen=True)
class Task:
    """One distinct notebook to grade, and what is known of it already. Nothing in it says whose it is."""

    notebook: Notebook
    known: Mapping[str, QuestionResult]


@dataclass(frozen=True)
class Failure:
    """The grader itself failed on a task: one line for the table, and the details for the log."""

    problem: str
    details: str


class Workers(Protocol):
    """Grade tasks somewhere else; see `autograder.cluster`."""

    def prepare(self, problem_set: ProblemSet, seed: int, options: Options) -> dict[str, Any]:
        """Get ready, and say what environment the results will depend on (see `keys.run_environment`)."""

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, SubmissionResult | Failure]]:
        """Every task once, in any order."""


def grade_batch(
    problem_set: ProblemSet,
    submissions: Sequence[Submission],
    out: Path,
    options: Options | None = None,
    progress: Progress = lambda result, reused: None,
    make_pool: Callable[..., KernelPool] = KernelPool,
    workers: Workers | None = None,
) -> Batch:
    """Grade all submissions into the folder ``out``; ``progress`` is called (in this thread) as each is done.

    ``workers`` grade them elsewhere; results and the cache are written here all the same.

    Raises:
        UserError: The folder, the sandbox or the problem set itself is at fault.
        KeyboardInterrupt: After the kernels are dead and the summary of what is finished is written.
    """
    options = options or Options()
    store = Store(out)
    with store.locked():
        run = _Run(problem_set, store, options, workers)
        try:
            run.grade(submissions, progress, make_pool)
        finally:
            everything = store.results()
            write_summary(out, everything)
        mine = {submission.student for submission in submissions}
        run.batch.kept = [result.student for result in everything if result.student not in mine]
        run.batch.results.sort(key=lambda result: result.student.lower())
        return run.batch


class _Run:
    def __init__(self, problem_set: ProblemSet, store: Store, options: Options, workers: Workers | None) -> None:
        self.problem_set, self.store, self.options, self.workers = problem_set, store, options, workers
        for id in options.regrade:
            problem_set.question(id)
        level = "" if workers else choose_level(options.sandbox, allow_weaker=options.allow_weaker)
        seed = store.seed(problem_set.name, options.seed, new_seed)
        environment = workers.prepare(problem_set, seed, options) if workers else environment_here(seed, level, options)
        self.batch = Batch(seed=seed, sandbox=environment["sandbox"])
        self.referee = Referee(problem_set, seed, options.device)
        self.keys = question_keys(problem_set, environment)
        self.stop = threading.Event()

    def known(self, submission: Submission) -> tuple[dict[str, QuestionResult], SubmissionResult | None]:
        """Cached questions, and the whole result when nothing is left to grade."""
        if submission.notebook is None:
            return {}, self._row(submission, INVALID, submission.problem)
        uses = used_questions(self.problem_set, submission.notebook.cells)
        keys = with_used(self.keys, uses)
        questions, rest = self.store.cached(submission.notebook.code_sha256, keys)
        again = dependents(self.options.regrade, uses)
        questions = {id: result for id, result in questions.items() if id not in again}
        if len(questions) < len(self.problem_set.graded):
            return questions, None
        ordered = [questions[question.id] for question in self.problem_set.graded]
        return questions, SubmissionResult(
            assignment=self.problem_set.name, student=submission.student, score=earned(ordered),
            max_score=self.problem_set.points, bonus=earned(ordered, bonus=True),
            bonus_limit=self.problem_set.content.bonus_limit, seed=self.batch.seed, device=self.options.device,
            sandbox=self.batch.sandbox, seconds=rest["seconds"], notebook_sha256=submission.notebook.sha256,
            notes=[*submission.notes, *rest["notes"]], questions=ordered,
        )

    def _row(self, submission: Submission, status: str, problem: str) -> SubmissionResult:
        return not_graded(
            self.problem_set, submission, self.batch.seed, status, problem, self.options.device, self.batch.sandbox
        )

    def grade(
        self, submissions: Sequence[Submission], progress: Progress, make_pool: Callable[..., KernelPool]
    ) -> None:
        waiting = []
        for submission in submissions:
            _, result = self.known(submission)
            if result is None:
                waiting.append(submission)
            else:
                self.store.save(result)
                self.batch.reused += result.status != INVALID
                self.batch.results.append(result)
                progress(result, True)
        if waiting and self.workers:
            self._grade_elsewhere(waiting, self.workers, progress)
        elif waiting:
            options = self.options
            with open_pool(options, make_pool, self.problem_set) as pool:
                check_reference(self.referee)
                grader = SubmissionGrader(self.problem_set, self.referee, pool, options.limits, self.stop.is_set)
                self._grade_waiting(waiting, grader, progress)

    def _grade_waiting(self, waiting: list[Submission], grader: SubmissionGrader, progress: Progress) -> None:
        jobs = self.options.gpu_share.jobs(self.options.jobs, self.options.device)
        executor = ThreadPoolExecutor(max(1, jobs), thread_name_prefix="grade")
        futures: list[Future[SubmissionResult]] = [executor.submit(self._one, grader, item) for item in waiting]
        try:
            for future in as_completed(futures):
                result = future.result()
                self.batch.results.append(result)
                progress(result, False)
        except BaseException:
            self.stop.set()
            self.referee.stop()
            executor.shutdown(wait=False, cancel_futures=True)
            grader.pool.stop_all()  # so that the threads come back
            raise
        finally:
            executor.shutdown(wait=True)

    def _grade_elsewhere(self, waiting: list[Submission], workers: Workers, progress: Progress) -> None:
        """The same code is graded once, whoever handed it in."""
        same: dict[str, list[Submission]] = {}
        for submission in waiting:
            assert submission.notebook is not None  # those without are rows already
            same.setdefault(submission.notebook.code_sha256, []).append(submission)
        firsts = [found[0] for found in same.values()]
        tasks = (Task(first.notebook, self.known(first)[0]) for first in firsts if first.notebook)
        for task, outcome in workers.grade(tasks):
            for submission in same.pop(task.notebook.code_sha256):
                result = self._finish(submission, outcome)
                self.batch.results.append(result)
                progress(result, False)

    def _one(self, grader: SubmissionGrader, submission: Submission) -> SubmissionResult:
        known, result = self.known(submission)  # another student with the same code may have been graded meanwhile
        if result is not None:
            self.store.save(result)
            return result
        try:
            outcome: SubmissionResult | Failure = grader.grade(submission, known)
        except Exception as error:
            outcome = failure(error)
        if self.stop.is_set():  # its kernel may have been killed under it
            raise Stopped
        return self._finish(submission, outcome)

    def _finish(self, submission: Submission, outcome: SubmissionResult | Failure) -> SubmissionResult:
        """Remember and save what came of one submission."""
        if isinstance(outcome, Failure):
            self.store.log(submission.student, outcome.details)
            result = self._row(submission, INTERNAL, outcome.problem)
        else:
            assert submission.notebook is not None
            keys = with_used(self.keys, used_questions(self.problem_set, submission.notebook.cells))
            self.store.remember(submission.notebook.code_sha256, keys, outcome)
            result = replace(
                outcome, student=submission.student, notebook_sha256=submission.notebook.sha256,
                notes=[*submission.notes, *outcome.notes],
            )
        self.store.save(result)
        return result


def environment_here(seed: int, level: str, options: Options) -> dict[str, Any]:
    """What results of this machine depend on."""
    found = run_environment(seed, options.device, level, options.limits)
    return found if options.device == "cpu" else {**found, "gpu_slots": options.gpu_share.slots}


def open_pool(
    options: Options, make_pool: Callable[..., KernelPool] = KernelPool, problem_set: ProblemSet | None = None
) -> KernelPool:
    """The kernels that the options ask for, warm with what the problem set's notebook imports."""
    modules = None if problem_set is None else modules_for(problem_set.cells_text)
    return gpu.open_pool(
        make_pool, options.device, options.gpu_share, limits=options.limits, sandbox=options.sandbox,
        allow_weaker=options.allow_weaker, modules=modules,
    )


def check_reference(referee: Referee) -> None:
    """A reference that fails would look like every student's fault, so find out first. Raises `UserError`."""
    try:
        for question in referee.problem_set.graded:
            for probe in question.probes:
                referee.expected(question, probe)
    except ReferenceFailed as error:
        raise UserError(f"{referee.problem_set.name} cannot be used for grading: {error}") from None


def failure(error: Exception) -> Failure:
    """For an exception that is being handled and no fault of the submission."""
    what = clean_line(f"{type(error).__name__}: {error}", 200).rstrip(".")
    return Failure(f"internal: {what}; grade it again.", traceback.format_exc())

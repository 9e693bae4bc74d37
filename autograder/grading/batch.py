"""Grades many submissions: several at once, nothing twice, and none can stop the others."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import UserError
from autograder.grading import fingerprint
from autograder.grading.intake import Submission
from autograder.grading.referee import Referee, ReferenceFailed
from autograder.grading.results import INTERNAL, INVALID, QuestionResult, SubmissionResult, total_score
from autograder.grading.session import Stopped
from autograder.grading.store import Store
from autograder.grading.submission import Grader, not_graded
from autograder.grading.summary import write_summary
from autograder.grading.text import clean_line
from autograder.kernel import KernelPool, Limits
from autograder.kernel.sandbox import choose_level
from autograder.probes.load import ProblemSet

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


@dataclass
class Batch:
    """What a run did. ``results`` are of its submissions; ``kept`` are students of earlier runs in the same folder."""

    results: list[SubmissionResult] = field(default_factory=list)
    seed: int = 0
    sandbox: str = ""
    reused: int = 0
    kept: list[str] = field(default_factory=list)


def grade_batch(
    problem_set: ProblemSet,
    submissions: Sequence[Submission],
    out: Path,
    options: Options | None = None,
    progress: Progress = lambda result, reused: None,
    make_pool: Callable[..., KernelPool] = KernelPool,
) -> Batch:
    """Grade all submissions into the folder ``out``; ``progress`` is called (in this thread) as each is done.

    Raises
    ------
    UserError
        The folder, the sandbox or the problem set itself is at fault.
    KeyboardInterrupt
        After the kernels are dead and the summary of what is finished is written.
    """
    options = options or Options()
    store = Store(out)
    with store.locked():
        run = _Run(problem_set, store, options)
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
    def __init__(self, problem_set: ProblemSet, store: Store, options: Options) -> None:
        self.problem_set, self.store, self.options = problem_set, store, options
        for id in options.regrade:
            problem_set.question(id)
        level = choose_level(options.sandbox, allow_weaker=options.allow_weaker)
        seed = store.seed(problem_set.name, options.seed)
        self.batch = Batch(seed=seed, sandbox=level)
        self.referee = Referee(problem_set, seed, options.device)
        environment = fingerprint.environment(seed, options.device, level, options.limits)
        self.keys = fingerprint.question_keys(problem_set, environment)
        self.again = fingerprint.dependents(problem_set, set(options.regrade))
        self.stop = threading.Event()

    def known(self, submission: Submission) -> tuple[dict[str, QuestionResult], SubmissionResult | None]:
        """Cached questions, and the whole result when nothing is left to grade."""
        if submission.notebook is None:
            return {}, self._row(submission, INVALID, submission.problem)
        questions, rest = self.store.cached(submission.notebook.code_sha256, self.keys)
        questions = {id: result for id, result in questions.items() if id not in self.again}
        if len(questions) < len(self.problem_set.questions):
            return questions, None
        ordered = [questions[question.id] for question in self.problem_set.questions]
        return questions, SubmissionResult(
            assignment=self.problem_set.name, student=submission.student, score=total_score(ordered),
            max_score=self.problem_set.points, seed=self.batch.seed, device=self.options.device,
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
        if waiting:
            options = self.options
            pool = make_pool(
                limits=options.limits, sandbox=options.sandbox, allow_weaker=options.allow_weaker, device=options.device
            )
            with pool:
                self._check_reference()
                grader = Grader(self.problem_set, self.referee, pool, options.limits, self.stop.is_set)
                self._grade_waiting(waiting, grader, progress)

    def _check_reference(self) -> None:
        """A reference that fails would look like every student's fault, so find out first."""
        try:
            for question in self.problem_set.questions:
                for probe in question.probes:
                    self.referee.expected(question, probe)
        except ReferenceFailed as error:
            raise UserError(f"{self.problem_set.name} cannot be used for grading: {error}") from None

    def _grade_waiting(self, waiting: list[Submission], grader: Grader, progress: Progress) -> None:
        executor = ThreadPoolExecutor(max(1, self.options.jobs), thread_name_prefix="grade")
        futures: list[Future[SubmissionResult]] = [executor.submit(self._one, grader, item) for item in waiting]
        try:
            for future in as_completed(futures):
                result = future.result()
                self.batch.results.append(result)
                progress(result, False)
        except BaseException:
            self.stop.set()
            executor.shutdown(wait=False, cancel_futures=True)
            grader.pool.stop_all()  # so that the threads come back
            raise
        finally:
            executor.shutdown(wait=True)

    def _one(self, grader: Grader, submission: Submission) -> SubmissionResult:
        known, result = self.known(submission)  # another student with the same code may have been graded meanwhile
        if result is None:
            try:
                result = grader.grade(submission, known)
            except Exception as error:
                if self.stop.is_set():
                    raise Stopped from None
                what = clean_line(f"{type(error).__name__}: {error}", 200).rstrip(".")
                self.store.log(submission.student, traceback.format_exc())
                result = self._row(submission, INTERNAL, f"internal: {what}; grade it again.")
            else:
                if self.stop.is_set():  # its kernel may have been killed under it
                    raise Stopped
                if submission.notebook is not None:
                    self.store.remember(submission.notebook.code_sha256, self.keys, result)
                result.notes = [*submission.notes, *result.notes]
        self.store.save(result)
        return result

"""Grades one submission: cells, probes, verdicts, follow-through."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from autograder.grading import follow_through
from autograder.grading.evidence import evidence_that_counts
from autograder.grading.kept import KeptEvidence
from autograder.grading.referee import Referee
from autograder.grading.requests import Key, ProbeRequest, probe_requests, schedule
from autograder.grading.session import Session
from autograder.grading.surroundings import supplied
from autograder.kernel import KernelPool, Limits
from autograder.probes.load import ProblemSet
from autograder.results.model import (
    INVALID,
    MISSING,
    PASSED,
    ProbeResult,
    QuestionResult,
    SubmissionResult,
    earned,
    possible,
    question_status,
)
from autograder.submissions.collect import Submission


@dataclass(frozen=True)
class SubmissionGrader:
    """What all submissions of a run share."""

    problem_set: ProblemSet
    referee: Referee
    pool: KernelPool
    limits: Limits
    stopped: Callable[[], bool] = lambda: False

    def grade(
        self, submission: Submission, known: Mapping[str, QuestionResult] | None = None,
        only: Collection[str] | None = None,
    ) -> SubmissionResult:
        """Grade one submission.

        ``known`` holds questions whose results are kept from an earlier run; ``only``, the questions of interest:
        the result has just these and the ones they use.
        """
        if submission.notebook is None:
            return not_graded(self.problem_set, submission, self.referee.seed, INVALID, submission.problem)
        start = time.perf_counter()
        results = dict(known or {})
        uses = follow_through.used_questions(self.problem_set, submission.notebook.cells)
        chosen = None if only is None else {*only, *(owner for id in only for owner in uses[id])}
        wanted = [
            question for question in self.problem_set.graded
            if question.id not in results and (chosen is None or question.id in chosen)
        ]
        requests = probe_requests(self.referee, wanted)
        in_place = schedule(self.problem_set.source, requests, submission.notebook.cells)
        settle = KeptEvidence(self.referee).settle
        cells = submission.notebook.cells
        around = supplied(self.problem_set.source, cells)
        with Session(self.pool, cells, self.limits, self.stopped, in_place, settle, around) as session:
            present = set()
            for question in wanted:
                outcomes = evidence_that_counts(session, self.referee, question, requests)
                results[question.id] = self.referee.judge_question(question, outcomes)
                if any(outcome["status"] != "missing" for outcome in outcomes.values()):
                    present.add(question.id)
            notes = session.notes
            # From here on the reference's source enters the kernel, and nothing that is said there is shown;
            # see `follow_through` for why the order matters.
            self._second_tries(session, requests, present, results, uses)
        questions = [results[question.id] for question in self.problem_set.graded if question.id in results]
        return SubmissionResult(
            assignment=self.problem_set.name, student=submission.student, score=earned(questions),
            max_score=possible(questions), bonus=earned(questions, bonus=True),
            bonus_limit=self.problem_set.content.bonus_limit,
            seed=self.referee.seed, device=self.referee.device, sandbox=self.pool.level,
            seconds=round(time.perf_counter() - start, 2), notebook_sha256=submission.notebook.sha256, notes=notes,
            questions=questions,
        )

    def _second_tries(
        self, session: Session, requests: Mapping[Key, ProbeRequest], present: set[str],
        results: dict[str, QuestionResult], uses: Mapping[str, list[str]],
    ) -> None:
        weak = {id for id, result in results.items() if result.status != PASSED or result.follow_through}
        for question in self.problem_set.graded:
            if question.id not in present or results[question.id].status == PASSED:
                continue
            result = results[question.id]
            failed = [id for id in uses[question.id] if id in weak]
            if not failed:
                continue
            prelude = follow_through.prelude(self.problem_set, failed)
            for probe, verdict in zip(question.probes, result.probes, strict=True):
                if verdict.status == PASSED:
                    continue
                outcome = session.ask(requests[question.id, probe.id], prelude)
                if self.referee.judge_probe(question, probe, outcome).status == PASSED:
                    verdict.status, verdict.earned, verdict.mistake = PASSED, probe.points, None
                    verdict.message = follow_through.message(failed)
                    result.follow_through = True
            result.score = round(sum(verdict.earned for verdict in result.probes), 6)
            result.status = question_status(result.probes)


def not_graded(
    problem_set: ProblemSet, submission: Submission, seed: int, status: str, problem: str, device: str = "",
    sandbox: str = "",
) -> SubmissionResult:
    """The row of a submission that could not be graded: 0 points, and the reason."""
    questions = [
        QuestionResult(
            question.id, question.title, 0.0, question.points, MISSING, question.bonus, False,
            [
                ProbeResult(probe.id, probe.title, probe.points, 0.0, probe.public, MISSING)
                for probe in question.probes
            ],
        )
        for question in problem_set.graded
    ]
    return SubmissionResult(
        assignment=problem_set.name, student=submission.student, score=0.0, max_score=problem_set.points, seed=seed,
        device=device, sandbox=sandbox, seconds=0.0,
        bonus_limit=problem_set.content.bonus_limit,
        notebook_sha256=submission.notebook.sha256 if submission.notebook else "", questions=questions,
        status=status, problem=problem,
    )

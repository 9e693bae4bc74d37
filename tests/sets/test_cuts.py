"""Every question alone, or with those whose figures it uses, can be an assignment: the rest comes as given code."""

import json

import pytest

from autograder.authoring.lint import lint
from autograder.grading.referee import Referee
from autograder.probes.load import load_problem_set
from autograder.sets import Outline


def test_a_question_alone_is_an_assignment(asked, copied):
    outline = Outline(copied(asked.problem_set.outline.folder), "alone")
    core = [*asked.question.figures_of, asked.question.id]
    outline.path.write_text(f'title = "Alone"\ncore = {json.dumps(core)}\n')
    problem_set = load_problem_set(outline)
    assert lint(problem_set) == []  # not a name that only a left-out question makes
    question = problem_set.question(asked.question.id)
    answers = {cell.question for cell in problem_set.source.cells if cell.role == "answer"}
    assert answers <= set(core)
    referee = Referee(problem_set, seed=1)
    outcomes = {probe.id: referee.expected(question, probe) for probe in question.probes}
    assert referee.judge_question(question, outcomes).score == question.points


def test_an_outline_without_the_figures_that_a_question_uses_is_told(asked, copied):
    if not asked.question.figures_of:
        pytest.skip("its figures use no other question's")
    outline = Outline(copied(asked.problem_set.outline.folder), "without")
    outline.path.write_text(f'title = "Without"\ncore = ["{asked.question.id}"]\n')
    told = lint(load_problem_set(outline))
    assert len(told) == len(asked.question.figures_of)
    assert all(f"keep {id}, or" in sentence for id, sentence in zip(asked.question.figures_of, told, strict=True))

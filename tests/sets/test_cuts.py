"""Every question alone can be an assignment: what it uses of the others comes as given code."""

from autograder.authoring.lint import lint
from autograder.grading.referee import Referee
from autograder.probes.load import load_problem_set
from autograder.sets import Outline


def test_a_question_alone_is_an_assignment(asked, copied):
    outline = Outline(copied(asked.problem_set.outline.folder), "alone")
    outline.path.write_text(f'title = "Alone"\ncore = ["{asked.question.id}"]\n')
    problem_set = load_problem_set(outline)
    assert lint(problem_set) == []  # not a name that only a left-out question makes
    (question,) = problem_set.questions
    answers = {cell.question for cell in problem_set.source.cells if cell.role == "answer"}
    assert answers <= {question.id}
    referee = Referee(problem_set, seed=1)
    outcomes = {probe.id: referee.expected(question, probe) for probe in question.probes}
    assert referee.judge_question(question, outcomes).score == question.points

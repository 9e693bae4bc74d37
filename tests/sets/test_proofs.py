"""The hidden tests of every question are proved, on one seed (on many: ``make test-long``)."""

import gc

import pytest

from autograder.proving.prove import prove_question


@pytest.fixture(autouse=True)
def collected():
    """What a proof takes out of Python's garbage collection, so that it is quick, comes back."""
    yield
    gc.unfreeze()


def test_the_hidden_tests_are_proved(asked):
    if asked.question not in asked.problem_set.graded:
        pytest.skip("there is nothing for the machine to grade")
    proof = prove_question(asked.problem_set, asked.question, range(1))
    assert proof.ok, [*proof.problems, *proof.faults, *proof.todo]
    data = proof.to_json()
    built = asked.problem_set.outline.student_notebook.is_file()  # not so of a draft
    assert data["reference_passes"] == 1 and data["blank_score"] == (0 if built else None)
    assert data["mistakes"]["caught"] == data["mistakes"]["n"] >= 4
    assert data["mistakes"]["named"] >= 0.8 * data["mistakes"]["n"]
    assert data["mistakes"]["misnamed"] == 0

"""Solution regions, and the functions that hold them."""

import pytest

from autograder.errors import UserError
from autograder.probes.solutions import regions, tasks, without_markers, without_solutions

CELL = '''def f(x):
    """Doc."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION'''


def test_regions_and_markers():
    (region,) = regions(CELL, "here")
    assert region.text == "    return x"
    assert without_markers(CELL) == 'def f(x):\n    """Doc."""\n    return x'
    assert without_solutions(CELL, "here") == 'def f(x):\n    """Doc."""\n    pass'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("### BEGIN SOLUTION\nx", "without an"),
        ("### END SOLUTION", "without a "),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "inside a solution"),
        ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION", "alone on its line"),
        ("### begin solution\n### END SOLUTION", "alone on its line"),
    ],
)
def test_unbalanced_markers_are_refused(text, says):
    with pytest.raises(UserError, match=says):
        regions(text, "here")


def test_tasks_are_functions_and_classes_with_a_solution_inside():
    text = '''
LIMIT = 3

def given(x):
    return x

class Layer:
    def __init__(self):
        ### BEGIN SOLUTION
        self.a = 1
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return x
        ### END SOLUTION

def after(x):
    return x
'''
    assert tasks(text, "here") == ("Layer",)
    assert tasks(CELL, "here") == ("f",)

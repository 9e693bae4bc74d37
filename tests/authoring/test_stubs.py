import pytest

from autograder.authoring.stubs import CODE_STUB, name_stubs, regions
from autograder.errors import UserError
from autograder.probes.source import without_markers

CELL = '''def f(x):
    """Doc."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION'''


def test_regions_and_markers():
    (region,) = regions(CELL, "here")
    assert region.text == "    return x"
    assert without_markers(CELL) == 'def f(x):\n    """Doc."""\n    return x'


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


def _cleared(body: str) -> str:
    return body.replace("STUB", CODE_STUB.replace("\n", "\n        "))


def test_stubs_name_the_function_and_raise():
    text = name_stubs(_cleared("class A:\n    def f(self):\n        STUB\n"), "q4", "here")
    scope: dict = {}
    exec(text, scope)
    with pytest.raises(NotImplementedError, match=r"Question 4: A\.f is still to be written"):
        scope["A"]().f()


@pytest.mark.parametrize("text", [CODE_STUB, "class A:\n    " + CODE_STUB.replace("\n", "\n    ")])
def test_a_region_outside_of_functions_is_refused(text):
    with pytest.raises(UserError, match="inside a function"):
        name_stubs(text, "q1", "here")


def test_what_is_left_must_be_python():
    with pytest.raises(UserError, match="not valid Python"):
        name_stubs("def f(:", "q1", "here")

import pytest

from autograder.authoring.stubs import CODE_STUB, name_stubs
from autograder.errors import UserError


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

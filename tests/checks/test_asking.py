"""Entries of evidence that stand alone, and answers taken apart with sentences for students."""

import pytest
import torch

from dgm.checks.answers import AnswerError
from dgm.checks.asking import attempt, entry, gradient, in_words, named, slopes, tensor_of, tried, two_of, with_right


class MissingAnswer(Exception):
    pass


def test_an_error_is_told_of_its_entry_alone():
    assert attempt(lambda x, y=1: x + y, 2, y=3) == 5 and tried(lambda: 4) == 4
    assert entry("the border", lambda: 1 / 0) == "the border stops with ZeroDivisionError: division by zero"
    assert attempt(tensor_of, 1, "its result") == "its result is of type int where a tensor is expected."
    assert attempt(int, "x").startswith("it stops with ValueError: invalid literal")


@pytest.mark.parametrize("error", [MissingAnswer, NotImplementedError])
def test_what_is_not_answered_passes_through(error):
    def compute():
        raise error

    with pytest.raises(error):
        tried(compute)


def test_answers_are_taken_apart_in_words():
    assert named((1, 2), "mean", "cov") == {"mean": 1, "cov": 2}
    with pytest.raises(AnswerError, match=r"1 things are returned where 2 are expected: mean, cov"):
        named((1,), "mean", "cov")
    assert two_of([1, 2], "a", "b") == [1, 2]
    for wrong in (torch.ones(2), (1, 2, 3), None):
        with pytest.raises(AnswerError, match="two things are expected, a and b"):
            two_of(wrong, "a", "b")
    x = torch.ones(2, 3)
    assert tensor_of(x, "it", (2, 3)) is x
    with pytest.raises(AnswerError, match="it is of type list where a tensor is expected"):
        tensor_of([1], "it")
    with pytest.raises(AnswerError, match=r"it has shape \(2, 3\) where \(3, 2\) is expected"):
        tensor_of(x, "it", (3, 2))
    assert in_words(x.requires_grad_()) == "Tensor, torch.float32, requires gradients"
    assert in_words(1.0) == "float, no dtype"


def test_gradients_or_why_there_are_none():
    x, y = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(2, requires_grad=True)
    assert torch.equal(gradient("f", x**2, x=x)[0], torch.tensor([2.0, 4.0]))
    assert torch.equal(slopes(x**2, (2,), 3.0, x=x)[0], torch.tensor([6.0, 12.0]))
    with pytest.raises(AnswerError, match="f carries no gradient"):
        gradient("f", (x**2).detach(), x=x)
    assert slopes(x**2, (2,), 1.0, x=x, y=y).startswith("there is no gradient of the result by y: computed without")
    z = torch.ones(2, requires_grad=True)
    assert "by y and z:" in slopes(x**2, (2,), 1.0, y=y, x=x, z=z)
    assert slopes([1.0], (1,), 1.0, x=x) == "got list where a tensor is expected."
    assert slopes(x, (1, 2), 1.0, x=x) == "got shape (2,) where (1, 2) is expected."


def test_a_function_is_asked_while_what_it_uses_is_right():
    names = {}
    exec("def square(x): return x * x + 1\ndef twice(x, *, by=2): return by * square(x)", names)
    wrong = names["square"]
    asked = with_right(names["twice"], square=lambda x: x**2, other=lambda: None)
    assert asked(3) == 18 and asked(3, by=1) == 9
    assert names["square"] is wrong and "other" not in names  # all is put back
    with pytest.raises(TypeError):
        asked(None)
    assert names["square"] is wrong

"""An exception in a probe's own lines is told as what the function returned; the student's own stay as they are."""

import pytest
import torch

from dgm.checks.answers import KEPT, TYPE
from dgm.checks.judges import Close, Context
from dgm.checks.runtime import load_probe, run_probe
from dgm.checks.verdicts import explain

BACKWARD = "student.f(x).sum().backward()\n    return x.grad.clone()"
ALSO_BACKWARD = "(student.f(x).sum() + 0 * other).backward()\n    return x.grad.clone()"


def probe(lines):
    text = "import torch\n\ndef probe(student, rng):\n    x = rng.normal(3, 2).requires_grad_()\n"
    return load_probe(text + f"    other = torch.ones((), requires_grad=True)\n    {lines}\n", "probe")


def message(f, lines):
    """What a student reads."""
    outcome = run_probe(probe(lines), {"f": f}, 0)
    assert outcome["status"] == "error"
    status, text = explain(outcome, outcome, Close(), Context(0), undefined="", untouched="")
    assert status == "error"
    return text


@pytest.mark.parametrize(
    ("f", "lines", "words"),
    [
        (lambda x: x.detach(), BACKWARD, "of shape (3, 2) (float32, without a graph): it does not depend"),
        (lambda x: x.data * 2, ALSO_BACKWARD, "no gradient arrived at an input (detached, `.data`"),
        (lambda x: other(), "return torch.autograd.grad(student.f(x), x)", "does not depend on all inputs by autograd"),
        (lambda x: x.sum().item(), "student.f(x).backward()", "`f` returned a float where a tensor is expected."),
        (lambda x: x.detach().numpy(), "return student.f(x).exp()", "a NumPy array of shape (3, 2) (float32) where"),
        (lambda x: None, "return student.f(x).sum()", "`f` returned None: is a return missing?"),
        (lambda x: None, "a, b = student.f(x)", "`f` returned None: is a return missing?"),
        (lambda x: None, "return student.f(x)[0]", "`f` returned None: is a return missing?"),
        (lambda x: None, "return student.f(x) + x", "`f` returned None: is a return missing?"),
        (lambda x: x, "a, b = student.f(x)", "`f` returned a tensor of shape (3, 2) (float32, with a graph), where 2"),
        (lambda x: (x, 1, x), "a, b = student.f(x)", "a tuple of 3 (a tensor of shape (3, 2), an int, a tensor of sha"),
        (lambda x: x.sum(), "a, b = student.f(x)", "where several values are expected"),
        (lambda x: x.sum(0), "return student.f(x)[:, 0]", "of shape (2,) (float32, with a graph), which does"),
        (lambda x: [x], "return student.f(x)[1]", "a list of 1 (a tensor of shape (3, 2)), which does not have"),
        (lambda x: {"a": x}, "return student.f(x)['b']", "`f` returned a dict, which does not have"),
        (lambda x: x.T, "return student.f(x) - x", "of shape (2, 3) (float32, with a graph), whose shape does not fit"),
        (lambda x: x, "return student.f(x).item()", "where a single number is expected"),
        (lambda x: x.long(), "return student.f(x).nothing", "a tensor of shape (3, 2) (int64), which has no `nothing`"),
        (lambda x: {1}, "return student.f(x)", "`f` returned a set, and the test could not go on with that (Ev"),
    ],
)
def test_sentence(f, lines, words):
    text = message(f, lines)
    assert words in text and TYPE not in text and text.endswith((".", "?"))


def other():
    return torch.ones((), requires_grad=True) * 2


def test_errors_of_the_students_own_are_not_touched():
    assert message(lambda x: x.nothing, "return student.f(x)").startswith("AttributeError: 'Tensor' object has no")
    assert message(lambda g: g() / 0, "return student.f(lambda: 1)").startswith("ZeroDivisionError")
    assert message(lambda g: g(), "return student.f(lambda: [][0])").startswith("IndexError")  # called by the student's


def test_errors_before_anything_returned_are_not_touched():
    assert message(None, "return [][0]").startswith("IndexError")


def test_of_several_results_the_one_without_a_graph_or_without_a_value_is_meant():
    outcome = run_probe(
        probe("a = student.f(x)\n    b = student.g(x)\n    (a + b).backward()"),
        {"f": lambda x: x.detach().sum(), "g": lambda x: torch.ones(())}, 0,
    )
    assert outcome["error"]["message"].startswith("`g` returned")
    namespace = {"f": lambda x: None, "g": lambda x: x.sum()}
    outcome = run_probe(probe("a = student.f(x)\n    return a + student.g(x)"), namespace, 0)
    assert outcome["error"]["message"] == "`f` returned None: is a return missing?"


def test_with_a_class_nobody_is_blamed():
    class Model:
        def __call__(self, x):
            return x.detach()

    lines = "y = student.f(x)\n    student.Model()(y).sum().backward()"
    outcome = run_probe(probe(lines), {"f": lambda x: x, "Model": Model}, 0)
    assert outcome["error"]["message"].startswith("a result of `Model` or `f` has no graph")


def test_results_are_not_kept_alive_and_may_be_anything():
    lines = "import weakref\n    seen = weakref.ref(student.f(x))\n    return seen() is None"
    assert run_probe(probe(lines), {"f": lambda x: x * 2}, 0)["evidence"] is True

    class Evil(torch.Tensor):
        @property
        def shape(self):
            raise RuntimeError("no")

    lines = f"for _ in range({KEPT}):\n        student.f(x)\n    return student.g(x)"
    namespace = {"f": lambda x: None, "g": lambda x: torch.ones(2).as_subclass(Evil)}
    assert run_probe(probe(lines), namespace, 0)["status"] in ("ok", "error")


def test_functions_that_may_work_in_place_are_noted_too():
    text = run_probe(probe("return student.raw.f(x).sum()"), {"f": lambda x: None}, 0)["error"]["message"]
    assert text == "`f` returned None: is a return missing?"

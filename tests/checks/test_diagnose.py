"""The diagnosis says what was done to the right answer, for every kind of wrong it knows."""

import numpy as np
import pytest

from dgm.checks.compare import first_difference
from dgm.checks.diagnose import diagnose
from dgm.checks.naming import name_mistake

RIGHT = np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)


def nan_at_first(x):
    x = x.copy()
    x[0, 0] = np.nan
    return x


def wrong_last_row(x):
    x = x.copy()
    x[-1] += [1, -2, 3, 1, 5]
    return x


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x.T, "transposed"),
        (lambda x: 2 * x, "twice"),
        (lambda x: 0.5 * x, "half"),
        (lambda x: -x, "wrong sign"),
        (lambda x: 3.7 * x, "constant factor"),
        (lambda x: x / np.log(2), "1/ln 2"),
        (lambda x: x + 1.2345, "same amount"),
        (lambda x: x - 0.5 * np.log(2 * np.pi), "½ ln 2π"),
        (lambda x: np.roll(x, 1, 0), "off by one step"),
        (lambda x: x[::-1], "reversed"),
        (nan_at_first, "NaN"),
        (lambda x: np.where(x > 1, np.inf, x), "infinite"),
        (wrong_last_row, "last row"),
        (lambda x: x.sum(0), "too many axes"),
        (lambda x: x.reshape(25), "reshape"),
        (lambda x: x.reshape(1, 25), "reshape"),
        (lambda x: x[:, :, None] + x, "broadcast"),
        (lambda x: x.astype(np.int64), "type int64"),
        (lambda x: None, "return missing"),
        (lambda x: [1, 2], "2 items"),
        (lambda x: np.zeros_like(x), "all values are the same"),
        (lambda x: x * 1.005, "constant factor"),
    ],
)
def test_sentence(change, words):
    difference = first_difference(change(RIGHT), RIGHT, 1e-4, 1e-5)
    assert difference is not None
    assert words in diagnose(difference)


def test_right_infinities_do_not_hide_what_is_wrong_with_the_rest():
    want = np.array([-np.inf, 1.0, 2.0, 4.0, 7.0])
    assert "twice" in diagnose(first_difference(2 * want, want, 1e-4, 1e-5))
    assert "infinite" in diagnose(first_difference(-want, want, 1e-4, 1e-5))


def test_place_in_nested_evidence_is_named():
    difference = first_difference({"a": [1.0, 2.0]}, {"a": [1.0, 3.0]}, 1e-4, 1e-5)
    assert diagnose(difference).startswith("At ['a'][1]: ")


def outcome(*values, status="ok"):
    evidence = np.asarray(values, dtype=np.float32)
    return {"status": status, "evidence": evidence, "error": None, "mutated": []}


def test_a_mistake_is_named_only_if_it_alone_explains():
    known = {"a": {"p": outcome(1, 2), "q": outcome(5, 6)}, "b": {"p": outcome(1, 2), "q": outcome(7, 8)}}
    assert name_mistake({"p": outcome(1, 2), "q": outcome(7, 8)}, known, ["p"]) == {"p": "b"}
    assert name_mistake({"p": outcome(1, 2), "q": outcome(0, 0)}, known, ["p", "q"]) == {}
    assert name_mistake({"p": outcome(9, 9), "q": outcome(5, 6)}, known, ["p", "q"]) == {"q": "a"}
    assert name_mistake({"p": outcome(3, 4), "q": outcome(0, 1)}, known, ["p", "q"]) == {}


def test_a_mistake_that_would_fail_what_the_student_passed_is_not_named():
    known = {"a": {"p": outcome(1, 2), "q": outcome(5, 6)}}
    student = {"p": outcome(1, 2), "q": outcome(7, 8)}
    assert name_mistake(student, known, ["p"]) == {"p": "a"}
    assert name_mistake(student, known, ["p"], ruled_out=lambda key: key == "a") == {}
    whole = {"p": outcome(1, 2), "q": outcome(5, 6.001)}  # agrees everywhere, but only as closely as naming looks
    assert name_mistake(whole, known, ["p"]) == {"p": "a"}
    assert name_mistake(whole, known, ["p"], ruled_out=lambda key: key == "a") == {}


def test_a_lone_number_names_nothing_unless_all_probes_agree():
    known = {"a": {"p": outcome(1.0), "q": outcome(5, 6)}}
    assert name_mistake({"p": outcome(1.0), "q": outcome(9, 9)}, known, ["p", "q"]) == {}
    assert name_mistake({"p": outcome(1.0), "q": outcome(5, 6)}, known, ["p"]) == {"p": "a"}

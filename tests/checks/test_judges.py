"""Judges accept what they should and refuse the rest; statistical ones keep their false-alarm rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.checks import judges as j

CONTEXT = j.Context(seed=0)


def passed(judge, got, want):
    return j.decide(judge, got, want, CONTEXT).passed


@pytest.mark.parametrize(
    ("got", "want", "ok"),
    [
        (1.0, np.float32(1).reshape(()), True),
        (np.ones(3), np.ones(3, np.float32), True),
        (np.ones(3, np.int64), np.ones(3), False),
        (np.ones((3, 1)), np.ones(3), False),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), True),
        (np.array([np.inf]), np.array([-np.inf]), False),
        (np.nan, 1.0, False),
        ([1.0, 2.0], [1.0], False),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, False),
        ("x", 1.0, False),
        (None, 1.0, False),
        (10**400, 1.0, False),
        (True, 1.0, False),
    ],
)
def test_close(got, want, ok):
    verdict = j.decide(j.Close(), got, want, CONTEXT)
    assert verdict.passed is ok
    assert ok or verdict.message


@given(st.floats(-1e3, 1e3), st.floats(1e-9, 1e-3))
def test_close_holds_its_tolerance_on_both_sides(value, rtol):
    bound = 1e-6 + rtol * abs(value)
    assert passed(j.Close(rtol, 1e-6), value + 0.9 * bound, value)
    assert not passed(j.Close(rtol, 1e-6), value + 1.1 * bound + 1e-12 * abs(value), value)


def test_close_knows_that_a_float32_sum_is_as_exact_as_its_largest_term():
    """Of 1e4 and a rest by cancellation; float64, an array of its own and a tolerance of 0 are judged as ever."""
    want = np.array([1e4, 0.01], dtype=np.float32)
    off = want + np.array([0, 5e-3], dtype=np.float32)
    assert passed(j.Close(), off, want) and not passed(j.Close(), want + np.float32([0, 2e-2]), want)
    assert not passed(j.Close(), off[1:], want[1:])
    assert not passed(j.Close(), off.astype(np.float64), want.astype(np.float64))
    assert not passed(j.Close(rtol=0, atol=1e-5), off, want)
    assert not passed(j.Exact(), off, want)


def test_fields_judges_every_entry_and_refuses_more_or_fewer():
    judge = j.Fields({"n": j.Exact(), "x": j.Close()})
    want = {"n": 3, "x": np.ones(2)}
    assert passed(judge, {"n": 3, "x": np.ones(2) + 1e-6}, want)
    assert not passed(judge, {"n": 4, "x": np.ones(2)}, want)
    assert not passed(judge, {"n": 3, "x": np.zeros(2)}, want)
    assert not passed(judge, {"n": 3}, want)
    assert not passed(judge, {"n": 3, "x": np.ones(2), "more": 0}, want)


@pytest.mark.parametrize(
    ("got", "ok"),
    [(1.0, True), (1.19, True), (1.3, False), (-5.0, True), (np.nan, False), (-np.inf, False), ("x", False)],
)
def test_at_most(got, ok):
    assert passed(j.AtMost(factor=1.0, margin=0.2), got, 1.0) is ok


def test_same_moments_accepts_equal_laws_and_refuses_others():
    generator = np.random.default_rng(0)
    for _ in range(200):
        assert passed(j.SameMoments(), generator.normal(size=(2000, 3)), generator.normal(size=(2000, 3)))
    want = generator.normal(size=(5000, 3))
    assert not passed(j.SameMoments(), generator.normal(size=(5000, 3)) + 0.15, want)
    assert not passed(j.SameMoments(), 1.2 * generator.normal(size=(5000, 3)), want)
    assert not passed(j.SameMoments(), np.full((5000, 3), np.nan), want)


def test_custom_judges_may_answer_with_bool_sentence_or_verdict_and_may_raise():
    assert passed(j.Custom(lambda e, x, c: e == x), 1, 1)
    assert j.decide(j.Custom(lambda e, x, c: "too low"), 1, 1, CONTEXT) == j.Verdict(False, "too low")
    assert not passed(j.Custom(lambda e, x, c: ""), 1, 1)  # as the message of a brief verdict
    assert not passed(j.Custom(lambda e, x, c: e["missing"]), {}, {})


@pytest.mark.parametrize(
    "judge",
    [
        j.Close(1e-3, 0.5), j.Exact(), j.AtMost(1.5, 2.0), j.SameMoments(1e-8), j.Fields({"a": j.Exact()}),
        j.Fields({"a": j.Exact()}, default=j.Close(0.5)), j.Fields(default=j.Fields({"b": j.AtMost()})),
    ],
)
def test_specs_round_trip(judge):
    assert j.from_spec(judge.to_spec()) == judge
    assert judge.describe()


def test_a_judge_that_looks_for_what_is_wrong_is_not_fooled():
    """No comparison with NaN is true, and nothing is wrong with entries that are not there."""
    judge = j.Custom(lambda got, want, context: not any((np.asarray(got[key]) > 1).any() for key in got))
    want = {"a": np.zeros(2), "b": [0.0, {"c": 1.0}]}
    assert passed(judge, {"a": np.ones(2), "b": 0.5}, want)
    assert not passed(judge, {}, want)
    assert not passed(judge, {**want, "b": 0.5, "c": 0.0}, want)
    for evil in (np.array([np.nan, 0.0]), [0.0, [np.nan]], complex(0, np.nan), {"c": np.float32("nan")}):
        assert not passed(j.Custom(lambda *_: True), {"a": evil, "b": 0.0}, want)
    assert passed(j.Custom(lambda *_: True), {"a": np.nan, "b": 1}, {"a": np.nan, "b": 0})
    assert not passed(j.Custom(lambda *_: True), "text", want)


def test_fields_with_a_default_judge_all_other_entries():
    judge = j.Fields({"n": j.Exact()}, default=j.Close())
    want = {"n": 3, "x": np.ones(2), "y": 2.0}
    assert passed(judge, {"n": 3, "x": np.ones(2) + 1e-6, "y": 2.0}, want)
    for key, wrong in (("n", 4), ("n", 3.00001), ("x", np.zeros(2)), ("y", 2.1)):
        verdict = j.decide(judge, {**want, key: wrong}, want, CONTEXT)
        assert not verdict.passed and verdict.message.startswith(f"In *{key}*: ")
    everything = j.Fields(default=j.Close(rtol=0.5))
    assert passed(everything, {**want, "y": 2.9}, want) and not passed(everything, {**want, "y": 4.0}, want)


@pytest.mark.parametrize("default", [None, j.Close()])
@pytest.mark.parametrize("evidence", [{}, {"n": 3}, {"n": 3, "x": 1.0, "z": 1.0}, {"n": 3, "z": 1.0}, [3, 1.0], None])
def test_entries_must_be_the_references_with_and_without_a_default(default, evidence):
    judge = j.Fields({"n": j.Exact()} if default else {"n": j.Exact(), "x": j.Close()}, default)
    want = {"n": 3, "x": 1.0}
    assert passed(judge, want, want)
    verdict = judge(evidence, want, CONTEXT)
    assert verdict == j.Verdict(False, "expected the entries ['n', 'x'].")


def test_an_entry_that_has_a_judge_must_be_in_the_reference():
    assert not passed(j.Fields({"n": j.Exact()}, default=j.Close()), {"n": 3, "x": 1.0}, {"x": 1.0})


def test_an_entry_that_is_a_sentence_is_the_message():
    judge = j.Fields(default=j.Close())
    want = {"near": np.ones(3), "far": np.ones(3), "kind": "Tensor"}
    said = judge({**want, "far": "`f` stops with ValueError: no"}, want, CONTEXT)
    assert not said.passed and said.message == "In *far*: `f` stops with ValueError: no"
    assert not judge({**want, "kind": "float"}, want, CONTEXT).passed
    assert judge(want, want, CONTEXT).passed


def test_fields_say_how_they_judge():
    assert j.Fields({"n": j.Exact()}, default=j.Close()).describe() == (
        "n equal to the reference; all others close to the reference (rtol 0.0001, atol 1e-05)"
    )
    assert j.Fields(default=j.Exact()).describe() == "equal to the reference"
    assert "default" not in j.Fields({"n": j.Exact()}).to_spec()

"""Which mistake is named, of which entries it is said, and when none is."""

import numpy as np
import pytest

from dgm.checks.entries import CHANGED, failed_entries, nearer
from dgm.checks.judges import Close, Context, Custom, Exact, Fields
from dgm.checks.naming import Entries, Name, name_mistake
from dgm.checks.verdicts import sentence


def outcome(*values, status="ok"):
    evidence = np.asarray(values, dtype=np.float32)
    return {"status": status, "evidence": evidence, "error": None, "mutated": []}


def test_a_mistake_is_named_only_if_it_alone_explains():
    known = {"a": {"p": outcome(1, 2), "q": outcome(5, 6)}, "b": {"p": outcome(1, 2), "q": outcome(7, 8)}}
    assert name_mistake({"p": outcome(1, 2), "q": outcome(7, 8)}, known, ["p"]) == {"p": Name("b")}
    assert name_mistake({"p": outcome(1, 2), "q": outcome(0, 0)}, known, ["p", "q"]) == {}
    assert name_mistake({"p": outcome(9, 9), "q": outcome(5, 6)}, known, ["p", "q"]) == {"q": Name("a")}
    assert name_mistake({"p": outcome(3, 4), "q": outcome(0, 1)}, known, ["p", "q"]) == {}


def test_a_mistake_that_would_fail_what_the_student_passed_is_not_named():
    known = {"a": {"p": outcome(1, 2), "q": outcome(5, 6)}}
    student = {"p": outcome(1, 2), "q": outcome(7, 8)}
    assert name_mistake(student, known, ["p"]) == {"p": Name("a")}
    assert name_mistake(student, known, ["p"], ruled_out=lambda key: key == "a") == {}
    whole = {"p": outcome(1, 2), "q": outcome(5, 6.001)}  # agrees everywhere, but only as closely as naming looks
    assert name_mistake(whole, known, ["p"]) == {"p": Name("a")}
    assert name_mistake(whole, known, ["p"], ruled_out=lambda key: key == "a") == {}


def test_a_lone_number_names_nothing_unless_all_probes_agree():
    known = {"a": {"p": outcome(1.0), "q": outcome(5, 6)}}
    assert name_mistake({"p": outcome(1.0), "q": outcome(9, 9)}, known, ["p", "q"]) == {}
    assert name_mistake({"p": outcome(1.0), "q": outcome(5, 6)}, known, ["p"]) == {"p": Name("a")}


RIGHT = {"plain": np.array([1.0, 2.0, 3.0]), "weighted": np.array([4.0, 5.0, 6.0]), "border": np.array([7.0, 8.0])}


def evidence(status="ok", mutated=(), **changes):
    return {"status": status, "evidence": {**RIGHT, **changes}, "error": None, "mutated": list(mutated)}


def named(student, mistakes, judge=None, right=None):
    """Names by entry for one question with the probes of ``student``."""
    right = right or {probe: evidence() for probe in student}
    judge, context = judge or Close(), Context(0)

    def failures(outcomes, probe):
        return failed_entries(outcomes[probe], right[probe], judge, context)

    failed = [probe for probe in student if failures(student, probe)]
    wrong = {probe: failures(student, probe) for probe in failed}
    expected = {probe: right[probe]["evidence"] for probe in failed}
    entries = Entries(wrong, lambda key, probe: failures(mistakes[key], probe), expected)
    return name_mistake(student, mistakes, failed, entries=entries)


A, B = np.array([2.0, 4.0, 6.0]), np.array([0.4, 0.5, 0.6])


def test_a_mistake_is_named_of_the_entries_that_it_explains():
    mistakes = {"a": {"p": evidence(plain=A)}, "b": {"p": evidence(weighted=B)}}
    student = {"p": evidence(plain=A, border=np.array([9.0, 9.0]))}
    assert named(student, mistakes) == {}  # half of the failed entries are too few
    mistakes["a"]["p"] = evidence(plain=A, weighted=B)
    student = {"p": evidence(plain=A, weighted=B, border=np.array([9.0, 9.0]))}
    assert named(student, mistakes) == {"p": Name("a", (("plain",), ("weighted",)))}
    assert named({"p": evidence(plain=A, weighted=B)}, mistakes) == {"p": Name("a")}


def test_a_probe_is_named_only_where_its_own_entries_agree():
    mistakes = {"a": {"p": evidence(plain=A, weighted=B), "q": evidence()}}
    student = {"p": evidence(plain=A, weighted=B), "q": evidence(border=np.array([9.0, 9.0]))}
    assert named(student, mistakes) == {"p": Name("a")}


def test_two_mistakes_in_two_functions_are_both_named():
    mistakes = {
        "a": {"p": evidence(plain=A, weighted=B), "q": evidence()},
        "b": {"p": evidence(border=np.array([1.0, 2.0])), "q": evidence(plain=B)},
    }
    more = {"border": np.array([0.0, 9.0])}  # so that no probe has a mistake's evidence as a whole
    student = {"p": evidence(plain=A, weighted=B, **more), "q": evidence(plain=B)}
    assert named(student, mistakes) == {"p": Name("a", (("plain",), ("weighted",))), "q": Name("b")}


def test_other_wrong_values_speak_against_a_mistake():
    keys = [f"k{i}" for i in range(6)]
    right = {"p": {**evidence(), "evidence": {key: np.array([1.0, 2.0, 3.0]) + i for i, key in enumerate(keys)}}}

    def outcome(values):
        return {**evidence(), "evidence": {**right["p"]["evidence"], **values}}

    student = {"p": outcome({key: A + i for i, key in enumerate(keys)})}
    four = {key: A + i for i, key in enumerate(keys[:4])}
    assert named(student, {"a": {"p": outcome(four)}}, right=right)["p"].mistake == "a"  # 4 of 6, the others right
    assert named(student, {"a": {"p": outcome({**four, "k4": B})}}, right=right)["p"].mistake == "a"  # one in five
    assert named(student, {"a": {"p": outcome({**four, "k4": B, "k5": B})}}, right=right) == {}


def test_a_mistake_that_fails_much_more_is_not_named():
    right = {"p": evidence(), "q": {**evidence(), "evidence": {f"k{i}": np.array([1.0, 2.0, 3.0]) for i in range(9)}}}

    def q(count):
        values = {f"k{i}": A if i < count else np.array([1.0, 2.0, 3.0]) for i in range(9)}
        return {**evidence(), "evidence": values}

    student = {"p": evidence(plain=A), "q": q(0)}
    assert named(student, {"a": {"p": evidence(plain=A, weighted=B), "q": q(0)}}, right=right) == {"p": Name("a")}
    assert named(student, {"a": {"p": evidence(plain=A, weighted=B), "q": q(1)}}, right=right) == {}


def test_wrong_gradients_alone_are_not_named_after_wrong_values():
    right = {"p": evidence(gradient=np.array([1.0, 2.0, 3.0]))}
    student = {"p": evidence(gradient=A)}
    assert named(student, {"a": {"p": evidence(gradient=A, plain=B)}}, right=right) == {}
    assert named(student, {"a": {"p": evidence(gradient=A)}}, right=right) == {"p": Name("a")}
    assert named({"p": evidence(gradient=A, plain=B)}, {"a": {"p": evidence(gradient=A, plain=B)}}, right=right)


def test_the_best_is_named_and_of_equals_none():
    student = {"p": evidence(plain=A, weighted=B, border=np.array([9.0, 9.0]))}
    two, three = evidence(plain=A, weighted=B), evidence(plain=A, weighted=B, border=np.array([9.0, 9.5]))
    other = evidence(plain=A, weighted=B, border=np.array([7.0, 9.5]))
    assert named(student, {"a": {"p": two}, "b": {"p": two}}) == {}
    assert named(student, {"a": {"p": two}, "b": {"p": three}})["p"].mistake == "a"  # b contradicts it in the border
    best = {"p": evidence(plain=A, weighted=B, border=np.array([9.0, 9.0]), more=B)}
    right = {"p": evidence(more=A)}
    student = {"p": evidence(more=A, **{key: student["p"]["evidence"][key] for key in RIGHT})}
    mistakes = {"a": {"p": {**two, "evidence": {**two["evidence"], "more": A}}}, "b": best}
    assert named(student, mistakes, right=right) == {"p": Name("b")}
    assert named(student, {"a": {"p": other}}) == {}


def test_three_distinct_numbers_must_agree():
    def outcome(value, more):
        return evidence(plain=value, border=more)

    mistake = {"a": {"p": outcome(np.zeros(3), np.array([7.0, 8.0]))}}
    assert named({"p": outcome(np.zeros(3), np.array([7.0, 9.0]))}, mistake) == {}
    mistake = {"a": {"p": evidence(plain=np.zeros(3), weighted=A)}}
    student = {"p": evidence(plain=np.zeros(3), weighted=A, border=np.array([7.0, 9.0]))}
    assert named(student, mistake)["p"].mistake == "a"


def test_within_the_tolerance_of_naming_nothing_is_told_apart():
    """Where a judge wants nine digits, all values that are wrong in the last ones are the same to naming."""
    judge = Close(rtol=1e-9, atol=1e-12)
    student = {"p": evidence(plain=RIGHT["plain"] * (1 + 1e-6))}
    mistake = {"a": {"p": evidence(plain=RIGHT["plain"] * (1 - 1e-6), border=np.array([0.0, 1.0]))}}
    assert named(student, mistake, judge) == {}
    assert nearer(np.array([1.0, 2.0]), np.array([1.0001, 2.0]), np.array([1.5, 2.0]))
    assert not nearer(np.array([1.0, 2.0]), np.array([1.0001, 2.0]), np.array([1.0002, 2.0]))


def test_of_small_errors_the_one_that_is_the_students_is_named():
    """Three mistakes within the tolerance of naming of each other: an epsilon, a larger one, another sign."""
    judge, plain = Close(rtol=1e-6, atol=1e-9), RIGHT["plain"]
    mistakes = {key: {"p": evidence(plain=plain + error)} for key, error in (("a", 2e-5), ("b", 2e-4), ("c", -2e-5))}
    for key, error in (("a", 2.1e-5), ("b", 1.95e-4), ("c", -2e-5)):
        assert named({"p": evidence(plain=plain + error)}, mistakes, judge) == {"p": Name(key)}
    assert named({"p": evidence(plain=plain + 6e-5)}, mistakes, judge) == {}  # none of them, though all are close
    alone = {"a": mistakes["a"]}
    assert named({"p": evidence(plain=plain + 6e-5)}, alone, judge) == {}
    twins = {"a": mistakes["a"], "d": {"p": evidence(plain=plain + 2.05e-5)}}
    assert named({"p": evidence(plain=plain + 2e-5)}, twins, judge) == {}


def test_failed_entries_are_those_that_their_judge_refuses():
    judge = Fields({"loose": Close(rtol=0.5), "n": Exact()}, default=Fields(default=Close()))
    right = {**evidence(), "evidence": {"loose": 1.0, "n": 3, "deep": {"x": 1.0, "y": 2.0}}}
    wrong = {**evidence(), "evidence": {"loose": 1.3, "n": 4, "deep": {"x": 1.0, "y": 2.5}}}
    context = Context(0)
    assert failed_entries(right, right, judge, context) == {}
    assert failed_entries(wrong, right, judge, context) == {("n",): 4, ("deep", "y"): 2.5}
    whole = Custom(lambda got, want, context: got["n"] == want["n"])
    assert failed_entries(wrong, right, whole, context) == {(): wrong["evidence"]}
    assert failed_entries({**wrong, "evidence": {"n": 3}}, right, Close(), context) == {(): {"n": 3}}
    assert set(failed_entries({**right, "mutated": ["f"]}, right, judge, context)) == {CHANGED}
    error = {"status": "error", "evidence": None, "error": {"type": "T", "message": "m"}, "mutated": []}
    assert failed_entries(error, right, judge, context) == {(): ["error", "T", "m"]}


def test_a_mistake_with_an_error_contradicts_all_entries_of_a_probe():
    error = {"status": "error", "evidence": None, "error": {"type": "T", "message": "m"}, "mutated": []}
    student = {"p": evidence(plain=A, weighted=B), "q": evidence(plain=A)}
    mistakes = {"a": {"p": evidence(plain=A, weighted=B, border=np.zeros(2)), "q": error}}
    assert named(student, mistakes) == {"p": Name("a")}  # of three one is something else; of the probe's, none


def test_what_is_said_of_entries():
    title = "x is perturbed, the others are not"
    assert Name("a").message(title) == "x is perturbed, the others are not."
    assert Name("a", (("weighted",),)).message("the sum is missing") == "In *weighted*: The sum is missing."
    assert Name("a", (("b", "c"), ("d",))).message(title).startswith("In *b, c* and *d*: x is")
    assert Name("a", tuple((f"k{i}",) for i in range(5))).message(title).startswith("In *k0*, *k1* and 3 more: x is")


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("the sum is missing", "The sum is missing."),
        ("a sum is missing!", "A sum is missing!"),
        ("log-probabilities are added", "Log-probabilities are added."),
        ("x is perturbed", "x is perturbed."),
        ("β1 and β2 are exchanged", "β1 and β2 are exchanged."),
        ("σ² is the variance", "σ² is the variance."),
        ("`f` is wrong", "`f` is wrong."),
        ("eps is added", "eps is added."),
        ("log_prob is negated", "log_prob is negated."),
        ("m.step is called twice", "m.step is called twice."),
        ("nats, not bits", "Nats, not bits."),
    ],
)
def test_names_keep_their_case(title, text):
    assert sentence(title) == text


def test_equal_errors_of_entries_say_nothing():
    """Many mistakes end in the same error, so only numbers count."""
    error = "it stops with RuntimeError: the size of tensor a (2) must match the size of tensor b (3)"
    student = {"p": evidence(plain=A, weighted=error, border=np.array([9.0, 1.0]))}
    assert named(student, {"a": {"p": evidence(plain=A, weighted=error, border=np.array([0.0, 5.0]))}}) == {}
    student = {"p": evidence(plain=A, weighted=error)}
    mistake = {"a": {"p": evidence(plain=A, weighted="it stops with TypeError")}}
    assert named(student, mistake) == {"p": Name("a", (("plain",),))}

"""Freezing public checks: what travels into the notebook, and what is refused."""

from __future__ import annotations

import ast
import base64
import json
import zlib

import numpy as np
import pytest

from autograder.authoring.freeze import face_sha256, freeze, public_seed, rounded, same_checks
from autograder.errors import UserError
from autograder.grading.seeds import probe_seed
from autograder.probes.load import load_problem_set
from autograder.probes.namespace import reference_namespace, variant_namespace
from dgm.checks.judges import Close, Context, Custom, Exact, Fields
from dgm.grader.local import check_question
from dgm.grader.payload import PayloadError, pack, read_judge, read_outcome, read_questions, unpack, write_outcome


def _freeze(root):
    return freeze(load_problem_set(root / "ps1_tiny"))


def _with_q2(root, old, new):
    path = root / "ps1_tiny/q02_scale/probes.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return root


def test_round_trip(course_folder):
    data = _freeze(course_folder)
    again = unpack(pack(data))
    assert again == data
    questions = read_questions(again)
    assert [question.id for question in questions.values()] == ["q1", "q2"]
    assert questions["q1"].hints == {"logsumexp": ("gentle", "clearer", "explicit")}
    assert (questions["q1"].public_points, questions["q1"].hidden_points) == (2, 2)
    assert [probe.id for probe in questions["q1"].probes] == ["moderate", "far"]
    assert pack(data) == pack(_freeze(course_folder))


def test_the_reference_passes_and_mistakes_are_named(course_folder):
    problem_set = load_problem_set(course_folder / "ps1_tiny")
    questions = read_questions(freeze(problem_set))
    for question in problem_set.questions:
        frozen = questions[question.id]
        assert check_question(frozen, reference_namespace(problem_set)).passed
        for variant in question.alternatives:
            assert check_question(frozen, variant_namespace(problem_set, question, variant)).passed
        for mistake in question.mistakes:
            result = check_question(frozen, variant_namespace(problem_set, question, mistake))
            messages = {probe.message.lower() for probe in result.probes if not probe.passed}
            assert messages == {mistake.title.lower() + "."}


def test_a_mistake_in_a_probe_that_is_not_public_stays_out(course_folder):
    path = course_folder / "ps1_tiny/q01_log_probabilities/mistakes.py"
    text = "\nmistakes.at('dim).log()', edit('same', 'the same numbers', 'dim).log() + 0'))\n"
    path.write_text(path.read_text() + text)
    titles = [mistake["title"] for mistake in _freeze(course_folder)["questions"][0]["mistakes"]]
    assert "the same numbers" not in titles
    assert len(titles) == 2


def test_public_seeds_are_no_grading_seeds():
    assert public_seed("ps1", "q1", "far", 0) != public_seed("ps1", "q1", "far", 1)
    assert public_seed("ps1", "q1", "far", 0) not in {probe_seed(secret, "ps1", "q1", "far") for secret in range(100)}


def test_custom_judges_are_frozen_with_what_they_name(course_folder):
    (probe,) = _freeze(course_folder)["questions"][1]["probes"]
    judge = read_judge(probe["judge"])
    assert isinstance(judge, Custom)
    assert "LIMIT = 10.0" in probe["judge"]["source"]
    for other in ("question", "twice", "autograder", "mistake"):
        assert other not in probe["judge"]["source"]
    ones = np.ones(3, np.float32)
    assert judge(ones, ones, Context(0)).passed
    assert judge(ones * 1e6, ones, Context(0)).message == "the values are out of bounds."
    assert not judge(ones * 2, ones, Context(0)).passed
    assert judge.describe() == "finite and close"


def test_fields_of_custom_judges(course_folder):
    _with_q2(course_folder, "judge=bounded", 'judge=Fields({"y": Custom(bounded), "n": Exact()})')
    _with_q2(course_folder, "import Close", "import Close, Custom, Exact, Fields")
    _with_q2(course_folder, "return student.Scale(2.0).apply(rng.normal(3))",
             'return {"y": student.Scale(2.0).apply(rng.normal(3)), "n": 3}')
    (probe,) = _freeze(course_folder)["questions"][1]["probes"]
    judge = read_judge(probe["judge"])
    assert isinstance(judge, Fields)
    assert isinstance(judge.judges["n"], Exact)
    assert judge.default is None


def test_fields_with_a_default_are_frozen_with_it(course_folder):
    _with_q2(course_folder, "judge=bounded", 'judge=Fields({"n": Exact()}, default=Custom(bounded))')
    _with_q2(course_folder, "import Close", "import Close, Custom, Exact, Fields")
    _with_q2(course_folder, "return student.Scale(2.0).apply(rng.normal(3))",
             'return {"y": student.Scale(2.0).apply(rng.normal(3)), "n": 3}')
    (probe,) = _freeze(course_folder)["questions"][1]["probes"]
    judge = read_judge(json.loads(json.dumps(probe["judge"])))
    assert isinstance(judge, Fields) and judge.judges == {"n": Exact()} and isinstance(judge.default, Custom)
    ones = np.ones(3, np.float32)
    want = {"n": 3, "y": ones}
    assert judge(want, want, Context(0)).passed
    assert judge({"n": 3, "y": ones * 1e6}, want, Context(0)).message == "In *y*: the values are out of bounds."
    assert not judge({"n": 4, "y": ones}, want, Context(0)).passed
    assert not judge({"n": 3}, want, Context(0)).passed


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("if abs(evidence)", "if context.reference is None or abs(evidence)", "its judge uses context.reference"),
        ("judge=bounded", "judge=lambda evidence, expected, context: True", "must be a top-level function"),
        ("judge=bounded", "judge=(lambda limit: lambda e, x, c: e < limit)(3)", "must be a top-level function"),
        ("return student.Scale", "bounded; return student.Scale", "names Close, which must stay with the grader"),
        ("return student.Scale", "return student.Nothing", "the reference itself fails"),
        ("LIMIT * 100", "LIMIT * 0", "the reference fails its own public check"),
    ],
)
def test_what_cannot_be_frozen_is_refused(course_folder, old, new, says):
    _with_q2(course_folder, old, new)
    with pytest.raises(UserError, match=says):
        _freeze(course_folder)


def test_payloads_compare_with_tolerance(course_folder):
    data = _freeze(course_folder)
    for factor, same in ((1 + 1e-6, True), (1.001, False)):
        other = unpack(pack(data))
        index = other["questions"][0]["probes"][0]["cases"][0]["expected"]
        outcome = read_outcome(other["questions"][0]["outcomes"][index])
        outcome["evidence"] = outcome["evidence"] * factor
        other["questions"][0]["outcomes"][index] = write_outcome(outcome)
        assert same_checks(other, data) is same
    other = unpack(pack(data))
    other["questions"][0]["probes"][0]["title"] = "another"
    assert not same_checks(other, data)
    assert not same_checks({"questions": [{}]}, data)


def test_a_payload_is_as_fresh_for_a_python_that_writes_syntax_trees_differently(course_folder, monkeypatch):
    data = _freeze(course_folder)
    payload, face = pack(data), face_sha256(data)
    unparse = ast.unparse
    monkeypatch.setattr(ast, "unparse", lambda tree: unparse(tree) + "\n# another version")
    other = _freeze(course_folder)
    assert pack(other) != payload and same_checks(unpack(payload), other)
    assert face_sha256(unpack(payload)) == face


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rounding_keeps_what_naming_needs(dtype):
    values = np.array([[0.0, 1.0, -np.pi], [np.inf, -np.inf, np.nan]], dtype=dtype)
    again = rounded({"a": [values]})["a"][0]
    assert again.shape == values.shape
    np.testing.assert_allclose(again, values, rtol=5e-4)
    assert rounded(np.float64(3.0).reshape(())).shape == ()
    assert rounded(np.array([1e300])).tolist() == [1e300]
    assert rounded(np.arange(3)).dtype == np.int64


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("", "damaged"),
        ("DGM2.@@@", "damaged"),
        ("DGM2." + base64.b64encode(b"no zlib").decode(), "damaged"),
        ("DGM2." + base64.b64encode(zlib.compress(b"[1]")).decode(), "damaged"),
        ("DGM2." + base64.b64encode(zlib.compress(b'{"questions": [1]}')).decode(), "damaged"),
        ("DGM3.AAAA", "newer than the installed"),
        ("DGM1.AAAA", "older than the installed"),
    ],
)
def test_a_damaged_payload_is_one_sentence(payload, says):
    with pytest.raises(PayloadError, match=says):
        read_questions(unpack(payload))


def test_a_cut_payload_is_damaged(course_folder):
    whole = pack(_freeze(course_folder))
    with pytest.raises(PayloadError, match="damaged"):
        unpack(whole[: len(whole) // 2 // 4 * 4 + 1])


def test_plain_judges_survive():
    for judge in (Close(rtol=0.5), Fields({"a": Exact()}), Fields({"a": Exact()}, default=Close(rtol=0.5))):
        assert read_judge(json.loads(json.dumps(judge.to_spec()))) == judge

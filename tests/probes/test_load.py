"""Loading a problem set, cutting probes out, and making namespaces."""

import numpy as np
import pytest
import torch

from autograder.course import find_folder
from autograder.errors import UserError
from autograder.probes.extract import extract
from autograder.probes.load import load_problem_set, probe_source
from autograder.probes.namespace import reference_namespace, variant_namespace
from dgm.checks.runtime import load_probe, run_probe


def test_questions_probes_and_points(tiny_set):
    loaded = load_problem_set(tiny_set)
    assert loaded.name == "psx"
    assert [(question.id, question.points) for question in loaded.questions] == [("q1", 3), ("q2", 2)]
    assert loaded.source.names("q1") == ("logsumexp",)
    assert loaded.source.owner("log_mean_exp") == "q2"


def test_a_probe_travels_with_its_helpers_and_nothing_else(tiny_set):
    question = load_problem_set(tiny_set).questions[0]
    text = probe_source(question, question.probes[1])
    assert "SCALE" in text
    for secret in ("mistake", "alternative", "naive", "autograder", "torch.logsumexp", "points"):
        assert secret not in text
    namespace = {"logsumexp": torch.logsumexp}
    alone = run_probe(load_probe(text, "far"), namespace, 5)
    here = run_probe(question.probes[1].function, namespace, 5)
    np.testing.assert_array_equal(alone["evidence"], here["evidence"])


def test_a_probe_that_names_private_things_is_refused():
    module = "from autograder.probes import mistake\n@mistake('x')\ndef wrong(ref): pass\n"
    module += "def p(s, r): return wrong(s)\n"
    with pytest.raises(UserError, match="must stay with the grader"):
        extract(module, "p")
    with pytest.raises(UserError, match="not available"):
        extract("from autograder.probes import probe\ndef p(s, r): return probe\n", "p")
    with pytest.raises(UserError, match="no top-level function"):
        extract("x = 1\n", "p")


def test_extract_keeps_only_the_imports_in_use():
    text = extract("import math, os\nfrom torch import nn, eye\ndef p(s, r):\n    return math.pi, eye(2)\n", "p")
    assert "os" not in text and "nn" not in text and "math" in text and "eye" in text


def test_later_answers_see_an_earlier_mistake(tiny_set):
    loaded = load_problem_set(tiny_set)
    question = loaded.question("q1")
    x = torch.randn(3, 4)
    right = reference_namespace(loaded)
    wrong = variant_namespace(loaded, question, question.mistakes[0])
    torch.testing.assert_close(right["log_mean_exp"](x, 1), torch.logsumexp(x, 1) - np.log(4))
    assert not torch.allclose(wrong["log_mean_exp"](x, 1), right["log_mean_exp"](x, 1))


def test_an_edit_that_no_longer_fits_the_source_is_an_error(tiny_set):
    source = tiny_set / "source.py"
    source.write_text(source.read_text().replace("m.squeeze(dim)", "m.squeeze(dim=dim)"))
    loaded = load_problem_set(tiny_set)
    with pytest.raises(UserError, match="occurs 0 times"):
        variant_namespace(loaded, loaded.questions[0], loaded.questions[0].mistakes[0])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role="answer" question="q1"', 'role="anwser" question="q1"', "role 'anwser'"),
        ('role="answer" question="q1"', 'role="answer"', "name a question"),
        ('role="answer" question="q1"', 'role="answer" question="q7"', "no answer cell for q1"),
        ("import torch\n", "import torch as\n", "cell 1, line 1"),
    ],
)
def test_faults_of_a_source_are_one_sentence(tiny_set, old, new, message):
    source = tiny_set / "source.py"
    source.write_text(source.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        load_problem_set(tiny_set)


def test_unknown_names(tiny_set):
    with pytest.raises(UserError, match="no problem set 'ps9'"):
        find_folder("ps9", tiny_set.parent)
    assert find_folder("psx", tiny_set.parent) == tiny_set
    with pytest.raises(UserError, match="it has q1, q2"):
        load_problem_set(tiny_set).question("q9")

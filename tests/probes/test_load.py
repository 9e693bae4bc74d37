"""Loading a problem set, cutting probes out, and making namespaces."""

import numpy as np
import pytest
import torch

from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from autograder.probes.namespace import reference_namespace, variant_namespace
from autograder.sets import find_outline
from dgm.checks.runtime import load_probe, run_probe


def test_questions_probes_and_points(tiny_set):
    loaded = load_problem_set(tiny_set)
    assert loaded.name == "psx"
    assert [(question.id, question.points) for question in loaded.questions] == [("q1", 3), ("q2", 2)]
    assert loaded.source.names("q1") == ("logsumexp",)
    assert loaded.source.owner("log_mean_exp") == "q2"


def test_a_probe_travels_with_its_helpers_and_nothing_else(tiny_set):
    question = load_problem_set(tiny_set).questions[0]
    text = question.probes[1].source
    assert "SCALE" in text
    for secret in ("mistake", "alternative", "naive", "autograder", "torch.logsumexp", "points"):
        assert secret not in text
    namespace = {"logsumexp": torch.logsumexp}
    alone = run_probe(load_probe(text, "far"), namespace, 5)
    here = run_probe(question.probes[1].function, namespace, 5)
    np.testing.assert_array_equal(alone["evidence"], here["evidence"])


def test_later_answers_see_an_earlier_mistake(tiny_set):
    loaded = load_problem_set(tiny_set)
    question = loaded.question("q1")
    x = torch.randn(3, 4)
    right = reference_namespace(loaded)
    wrong = variant_namespace(loaded, question, question.mistakes[0])
    torch.testing.assert_close(right["log_mean_exp"](x, 1), torch.logsumexp(x, 1) - np.log(4))
    assert not torch.allclose(wrong["log_mean_exp"](x, 1), right["log_mean_exp"](x, 1))


def test_an_edit_that_no_longer_fits_the_source_is_an_error(tiny_set):
    cells = tiny_set / "q01_log_sum_exp/cells.py"
    cells.write_text(cells.read_text().replace("m.squeeze(dim)", "m.squeeze(dim=dim)"))
    with pytest.raises(UserError, match=r"mistakes\.py, line 5: forgot: `\+ m\.squeeze\(dim\)` does not occur"):
        load_problem_set(tiny_set)


Q1, Q2 = "q01_log_sum_exp", "q02_log_mean_exp"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (f"{Q1}/cells.py", 'role="answer"', 'role="anwser"', "cells.py, line 4: role 'anwser' is not one of"),
        ("opening.py", 'role="setup"', 'role="answer"', "opening.py, line 5: .* belongs into a question's folder"),
        (f"{Q1}/cells.py", 'role="answer"', 'role="given"', "q01_log_sum_exp/cells.py: there is no answer cell"),
        ("opening.py", "import torch\n", "import torch as\n", "opening.py, line 6: "),
        ("opening.py", "import torch\n", "\n\nimport torch as\n", "opening.py, line 8: "),
        ("opening.py", "# %% [markdown]\n", "", "opening.py: every cell begins with a line `# %%`"),
        (f"{Q2}/probes.py", '"logsumexp"', '"logsumexps"', "q2 uses logsumexps, which no earlier question asks for"),
        (f"{Q1}/probes.py", "points=1, ", "points=-1, ", "probes.py, line 10: the points of moderate are negative"),
        (f"{Q1}/probes.py", "def far", "def moderate", "probes.py, line 15: two probes are named moderate"),
        (f"{Q1}/mistakes.py", "def naive", "def forgot", "mistakes.py, line 8: two mistakes are named forgot"),
        (f"{Q1}/alternatives.py", "def library", "def naive", "a mistake has the name naive, too"),
    ],
)
def test_faults_of_a_source_are_one_sentence(tiny_set, name, old, new, message):
    path = tiny_set / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as caught:
        load_problem_set(tiny_set)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["probes", "mistakes", "alternatives"])
def test_a_module_without_its_object_is_refused(tiny_set, name):
    (tiny_set / Q1 / f"{name}.py").write_text("import torch\n")
    variable = {"probes": "question = Question"}.get(name, f"{name} = {name.title()}")
    with pytest.raises(UserError, match=rf"{Q1}/{name}\.py: there must be a line `{variable}\(…\)`"):
        load_problem_set(tiny_set)


def test_unknown_names(tiny_set):
    with pytest.raises(UserError, match="no problem set 'ps9'"):
        find_outline("ps9", tiny_set.parent)
    assert find_outline("psx", tiny_set.parent).folder.path == tiny_set
    with pytest.raises(UserError, match="it has q1, q2"):
        load_problem_set(tiny_set).question("q9")

"""The proof fails when it should: a bad alternative, a surviving mistake, a probe that rewards a blank notebook."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest

from autograder.probes.load import load_problem_set
from autograder.proving.prove import ProofReferee, prove
from dgm.checks.naming import same_outcome

TWIN = 'mistakes.at(" - torch.tensor(float(x.shape[dim])).log()", edit("twin", "the same again", " + 0"))'
VOID = """from dgm.checks.asking import tried

@question.probe(points=1)
def void(student, rng):
    return {"it": tried(lambda: student.logsumexp(rng.normal(4), 5))}
"""
FREE = "@question.probe(points=1)\ndef free(student, rng):\n    return 1.0\n"


def proofs(folder):
    return {proof.id: proof for proof in prove(load_problem_set(folder), seeds=3)}


def append(folder, name, text):
    path = folder / name
    path.write_text(path.read_text() + "\n\n" + text)


def test_good_tests_are_proved(tiny_set):
    result = proofs(tiny_set)
    assert all(proof.ok for proof in result.values())
    data = result["q1"].to_json()
    assert data["mistakes"] == {"n": 2, "caught": 2, "named": 2, "misnamed": 0}
    assert data["alternatives"] == {"n": 1, "passed": 1} and data["reference_passes"] == 3


def test_a_surviving_mistake_is_reported(tiny_set):
    text = "@mistakes.rewrite('not a mistake')\ndef none(ref):\n    return {'logsumexp': ref.logsumexp}\n"
    append(tiny_set, "q01_log_sum_exp/mistakes.py", text)
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok and any("none passes every probe" in text for text in proof.problems)


def test_an_alternative_that_fails_is_reported(tiny_set):
    text = "def bad(ref):\n    return {'logsumexp': lambda x, dim: ref.logsumexp(x, dim) + 1}\n"
    text = f"@alternatives.rewrite('wrong')\n{text}"
    append(tiny_set, "q01_log_sum_exp/alternatives.py", text)
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok and any("alternative bad fails" in text for text in proof.problems)


def test_a_probe_that_rewards_a_blank_notebook_is_reported(tiny_set):
    append(tiny_set, "q02_log_mean_exp/probes.py", FREE)
    blank = {
        "cells": [
            {"cell_type": "code", "metadata": {"dgm": {"role": "answer"}},
             "source": f"def {name}(x, dim):\n    raise NotImplementedError\n"}
            for name in ("logsumexp", "log_mean_exp")
        ]
    }
    (tiny_set / "psx.ipynb").write_text(json.dumps(blank))
    result = proofs(tiny_set)
    assert result["q1"].blank_score == 0 and result["q1"].ok
    assert result["q2"].blank_score == 1 and not result["q2"].ok


def test_two_mistakes_with_the_same_evidence_are_never_named_wrongly(tiny_set):
    append(tiny_set, "q02_log_mean_exp/mistakes.py", TWIN)
    proof = proofs(tiny_set)["q2"]
    assert proof.ok and proof.to_json()["mistakes"] == {"n": 2, "caught": 2, "named": 0, "misnamed": 0}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_command_line(tiny_set, jobs):
    command = [sys.executable, "-m", "autograder", "prove", str(tiny_set), "--seeds", "2", "--jobs", jobs, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["assignment"] == "psx" and data["seeds"] == 2
    assert [question["id"] for question in data["questions"]] == ["q1", "q2"]
    assert "psx's core has 5 points; it should have 100." in done.stderr
    if jobs == "1":
        done = subprocess.run([*command, "--question", "q1"], capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0 and "psx's core" not in done.stderr  # that is for the whole set


def test_the_quick_comparison_never_refuses_what_agrees(tiny_set):
    """Also where the sum of all numbers overflows, or some are not finite."""

    def outcome(evidence):
        return {"status": "ok", "evidence": copy.deepcopy(evidence), "error": None, "mutated": [], "seconds": 0.0}

    huge, strange = 1e308 * np.ones(4), np.array([np.inf, np.nan, -np.inf])
    values = [huge, strange, np.array(3), np.array([True]), [huge, strange], {"a": [huge], "b": "text"}, None]
    pairs = [(outcome(value), outcome(value)) for value in values]  # kept: the referee tells outcomes apart by identity
    referee = ProofReferee(load_problem_set(tiny_set), 0)
    assert all(same_outcome(one, other) and referee.same(one, other) for one, other in pairs)
    near, far, base = (outcome([1.0, x]) for x in (1.001, 1.1, 1.0))
    assert referee.same(near, base) and not referee.same(far, base)


def test_a_mistake_with_a_fault_of_its_own_is_no_proof(tiny_set):
    typo = 'mistakes.at("x.max(dim", edit("typo", "a name is wrong", "xx.max(dim"))\n'
    append(tiny_set, "q01_log_sum_exp/mistakes.py", typo)
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok and proof.mistakes[-1].caught == 3
    assert [text for text in proof.faults if "mistakes.py, line" in text and "typo does not run: NameError" in text]


def test_an_entry_that_stops_for_the_reference_is_no_proof(tiny_set):
    append(tiny_set, "q01_log_sum_exp/probes.py", VOID)
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok
    assert [text for text in proof.faults if "the reference's own answer is an error in void: it stops with" in text]


def test_twins_and_probes_that_reject_nothing_are_said(tiny_set):
    append(tiny_set, "q02_log_mean_exp/mistakes.py", TWIN)
    append(tiny_set, "q02_log_mean_exp/probes.py", FREE)
    proof = proofs(tiny_set)["q2"]
    assert any("twin gives the same evidence as no_count everywhere" in text for text in proof.todo)
    assert any("the probe free lets every mistake pass" in text for text in proof.todo)
    assert not any("the probe mean lets" in text for text in proof.todo)


def test_what_is_missing_is_said_and_a_note_of_the_author_is_no_proof(tiny_set):
    result = proofs(tiny_set)
    assert result["q1"].todo == [] and result["q2"].ok
    assert result["q2"].todo == [
        "there are no hints for log_mean_exp.", "there is no hidden probe.", "there are no alternatives.",
    ]
    append(tiny_set, "q01_log_sum_exp/cells.py", "# %% [markdown]\n# TODO(author): more\n")
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok and [text for text in proof.todo if "cells.py, line " in text and "TODO(author): more" in text]


def test_a_reference_that_fails_is_one_sentence(tiny_set):
    probes = tiny_set / "q01_log_sum_exp/probes.py"
    probes.write_text(probes.read_text().replace("rng.normal(4, 5), 1)", "rng.normal(4, 5), 7)"))
    blank = {"cells": [{"cell_type": "code", "metadata": {"dgm": {"role": "answer"}}, "source": "logsumexp = None"}]}
    (tiny_set / "psx.ipynb").write_text(json.dumps(blank))
    proof = proofs(tiny_set)["q1"]
    assert not proof.ok and len(proof.problems) == 1
    assert "probes.py, line 10: q1, moderate: the reference itself fails: IndexError" in proof.problems[0]


def test_what_the_build_would_refuse_is_no_proof(tiny_set):
    cells = tiny_set / "q01_log_sum_exp/cells.py"
    cells.write_text(cells.read_text().replace('grader.check("q1")', "None"))
    command = [sys.executable, "-m", "autograder", "prove", str(tiny_set), "--seeds", "1", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1 and 'it does not call grader.check("q1")' in done.stderr and "NOT proved" in done.stdout


def test_what_a_student_writes_has_hints_and_a_public_probe(tiny_set):
    more = "\n".join(
        f'# %% role="answer"\ndef {name}(x):\n    """Doc."""\n'
        "    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
        for name in ("first", "second", "third")
    )
    append(tiny_set, "q01_log_sum_exp/cells.py", more)
    probe = "def more(student, rng):\n    return {'a': student.first(1), 'b': helper(student)}\n"
    helper = "def helper(student):\n    return student.raw.second(2)\n"
    append(tiny_set, "q01_log_sum_exp/probes.py", f"{helper}\n\n@question.probe(points=1, public=True)\n{probe}")
    hidden = "@question.probe(points=1)\ndef hidden(student, rng):\n    return student.third(3)\n"
    append(tiny_set, "q01_log_sum_exp/probes.py", hidden)
    todo = proofs(tiny_set)["q1"].todo
    assert todo[:2] == ["there are no hints for first, second and third.", "no public probe calls third."]


def test_a_typed_heading_is_told_with_its_line(tiny_set, monkeypatch):
    cells = tiny_set / "q01_log_sum_exp/cells.py"
    typed = "# ## Question 1 · Typed\n# *3 points*\n#\n# Logarithms"
    cells.write_text(cells.read_text().replace("# Logarithms", typed))
    monkeypatch.chdir(tiny_set)
    proof = proofs(tiny_set)["q1"]
    assert proof.ok and proof.todo == [
        "q01_log_sum_exp/cells.py, line 2: take out the heading and the line with points; the build writes both."
    ]

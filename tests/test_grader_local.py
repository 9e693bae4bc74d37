"""``grader`` in the student's notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import types
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.freeze import freeze
from autograder.probes.load import load_problem_set
from dgm.grader import CheckResult, Grader, Message, Quiet, Summary
from dgm.grader.payload import pack

RIGHT = """
def logsumexp(x, dim):
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
"""
FORGOT = RIGHT.replace(" + m.squeeze(dim)", "")


@pytest.fixture
def grader(tiny_set):
    return Grader("psx", checks=pack(freeze(load_problem_set(tiny_set))))


def _answers(text: str) -> dict:
    scope: dict = {}
    exec(compile(text, "<answers test>", "exec"), scope)
    return scope


def test_a_right_answer_passes(grader):
    result = grader.check("q1", _answers(RIGHT))
    assert result.passed
    assert (result.earned, result.possible, result.hidden) == (1, 1, 2)
    assert repr(result).splitlines() == [
        "q1 · Log-sum-exp",
        "  ✓ moderate inputs (1 point)",
        "  The public part passes: 1 of 1 point; 2 more hidden points are graded later.",
        "  Hidden tests look at the same functions on further inputs.",
    ]


def test_a_mistake_is_named(grader):
    result = grader.check("q1", _answers(FORGOT))
    assert not result.passed
    assert "✗ moderate inputs" in repr(result)
    assert repr(result).splitlines()[-1] == "  0 of 1 point from public checks; 2 more hidden points are graded later."
    assert "The maximum was not added back." in repr(result)


def test_an_unknown_mistake_is_diagnosed(grader):
    result = grader.check("q1", _answers(RIGHT.replace("squeeze(dim)", "squeeze(dim) + 0.25")))
    assert result.probes[0].message == "every value is too large by the same amount, 0.25."


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("", "missing", "`logsumexp` is not defined yet: run the cell"),
        ("def logsumexp(x, dim):\n    raise NotImplementedError('Question 1')", "missing", "the stub is still there"),
        ("def logsumexp(x, dim):\n    return None", "failed", "is a return missing?"),
        ("def logsumexp(x, dim):\n    x += 1\n    return x", "failed", "changes its input in place"),
        ("def logsumexp(x, dim):\n    return x.nothing", "error", "AttributeError"),
        ("def logsumexp(x, dim):\n    raise SystemExit", "error", "SystemExit"),
        ("def logsumexp(x):\n    return x", "error", "TypeError"),
    ],
)
def test_what_can_go_wrong_is_said_in_one_line(grader, text, status, says):
    (probe,) = grader.check("q1", _answers(text)).probes
    assert probe.status == status
    assert says in probe.message
    assert "\n" not in probe.message
    assert "dgm/" not in probe.message


def test_errors_show_the_students_line(grader):
    (probe,) = grader.check("q1", _answers("def logsumexp(x, dim):\n    return x.nothing\n")).probes
    assert "line 2 of the cell that defines logsumexp" in probe.message


def test_html_is_escaped(grader):
    page = grader.check("q1", _answers("def logsumexp(x, dim):\n    raise ValueError('<b>')"))._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" in page  # our own heading
    assert "<script" not in page


def test_globals_of_the_caller_are_used(grader):
    scope = {"grader": grader, **_answers(RIGHT)}
    exec("result = grader.check('q1'); everything = grader.check_all()", scope)
    assert scope["result"].passed
    assert scope["everything"].results[0].passed


def test_a_notebooks_namespace_is_used(grader, monkeypatch, capsys):
    shell = types.SimpleNamespace(user_ns=_answers(RIGHT))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert grader.check("q1").passed
    assert capsys.readouterr().out == ""  # displayed by the notebook, so not printed as well


def test_outside_of_a_notebook_it_is_printed_once(grader, capsys):
    grader.check("q1", _answers(RIGHT))
    assert capsys.readouterr().out.count("moderate inputs") == 1


def test_check_all(grader):
    summary = grader.check_all(_answers(RIGHT))
    assert isinstance(summary, Summary)
    assert not summary.passed
    text = repr(summary)
    assert "✓ public part passes" in text
    assert "○ not answered" in text
    assert "1 of 3 points from public checks; 2 more are graded later" in text
    assert "<table>" in summary._repr_html_()


def test_hints_come_one_at_a_time(grader):
    shown = [repr(grader.hint("logsumexp")) for _ in range(3)]
    assert shown[:2] == [
        "logsumexp, hint 1 of 2: Subtract something first.", "logsumexp, hint 2 of 2: Subtract the maximum.",
    ]
    assert "no further hints" in shown[2]
    assert "no hints" in repr(grader.hint("q2"))


def test_show_prints_the_public_checks(grader, capsys):
    assert grader.show("q1") is None
    out = capsys.readouterr().out
    assert "def moderate(student, rng):" in out
    assert "close to the reference" in out
    assert "def far" not in out


@pytest.mark.parametrize("name", ["q7", "", None, 7])
def test_unknown_questions(grader, name):
    assert "there are q1, q2" in repr(grader.check(name))


@pytest.mark.parametrize("name", [1, "1", "Q1", " q1 "])
def test_generous_names(grader, name):
    assert grader.check(name, _answers(RIGHT)).passed


@pytest.mark.parametrize("payload", [None, "", "DGM2.zzz", "DGM9.AAAA"])
def test_a_bad_payload_is_one_sentence_and_no_exception(payload):
    grader = Grader("ps1", payload)
    for answer in (grader.check("q1"), grader.check_all(), grader.hint("q1"), grader.show("q1")):
        assert isinstance(answer, Message)
        assert not answer.ok
        assert len(repr(answer)) < 200


def test_grading_is_quiet(grader, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DGM_GRADING", "1")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

    def never(*_):
        raise AssertionError

    for answer in (
        grader.check("q1", {"logsumexp": never}), grader.check_all(), grader.hint("q1"), grader.show("q1"),
        grader.export(), Grader("ps1", "rubbish").check("q1"),
    ):
        assert isinstance(answer, Quiet)
        assert answer._repr_html_() == ""
    assert capsys.readouterr().out == ""
    assert not list((tmp_path / "empty").iterdir())


def test_plain_nbgrader_gets_points_as_a_number(grader, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert grader.check("q1", _answers(RIGHT)) == 3.0
    assert grader.check("q1", _answers(FORGOT)) == 0.0
    assert Grader("psx", "damaged").check("q1") == 0.0  # nbgrader gives full points to anything but a number


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "My answer."},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "x = 1", "execution_count": 3,
         "outputs": [{"output_type": "stream", "name": "stdout", "text": "long " * 1000}]},
    ],
    "metadata": {"dgm": {"assignment": "psx"}, "widgets": {"state": 1}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def _exported(folder: Path) -> tuple[dict, dict]:
    with zipfile.ZipFile(folder / "psx_submission.zip") as archive:
        assert archive.namelist() == ["psx.ipynb", "manifest.json"]
        return json.loads(archive.read("psx.ipynb")), json.loads(archive.read("manifest.json"))


def test_export(grader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my copy.ipynb").write_text(json.dumps(NOTEBOOK))
    (tmp_path / "other.ipynb").write_text(json.dumps({**NOTEBOOK, "metadata": {}}))
    grader.check("q1", _answers(FORGOT))
    answer = grader.export()
    assert answer.ok
    assert "from my copy.ipynb as saved" in repr(answer)
    assert "Not checked in this session: q2." in repr(answer)
    assert "Public checks failed for q1." in repr(answer)
    notebook, manifest = _exported(tmp_path)
    assert notebook["cells"][0] == NOTEBOOK["cells"][0]
    assert notebook["cells"][1]["outputs"] == []
    assert "widgets" not in notebook["metadata"]
    assert manifest["assignment"] == "psx"
    assert manifest["checks_claimed"] == {"q1": {"passed": False, "earned": 0, "possible": 1}}
    assert len(manifest["notebook_sha256"]) == 64
    assert not list(tmp_path.glob("*.part"))


def test_export_of_a_named_file(grader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.ipynb").write_text(json.dumps(NOTEBOOK))
    old = time.time() - 7200
    os.utime(tmp_path / "sub/x.ipynb", (old, old))
    assert "as saved 2 h ago" in repr(grader.export("sub/x.ipynb"))


def test_the_front_end_tells_the_notebook(grader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one.ipynb", "two.ipynb"):
        (tmp_path / name).write_text(json.dumps(NOTEBOOK))
    monkeypatch.setenv("JPY_SESSION_NAME", "/elsewhere/two.ipynb")
    assert "from two.ipynb" in repr(grader.export())


@pytest.mark.parametrize(
    ("files", "argument", "says"),
    [
        ({}, None, "There is no notebook of psx in"),
        ({"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}, None, "several notebooks of psx here (a.ipynb, b.ipynb)"),
        ({"psx_solution.ipynb": NOTEBOOK}, None, "There is no notebook of psx in"),
        ({}, "nothing.ipynb", "There is no file nothing.ipynb"),
        ({"a.ipynb": [1]}, "a.ipynb", "a.ipynb is not a notebook"),
        ({"psx.ipynb": "{"}, None, "cannot be read as a notebook"),
        ({"psx.ipynb": {**NOTEBOOK, "cells": [{"cell_type": "markdown", "source": "x" * 21_000_000}]}}, None,
         "remove large pasted images"),
    ],
)
def test_a_failed_export_says_what_to_do(grader, tmp_path, monkeypatch, files, argument, says):
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    answer = grader.export(argument)
    assert not answer.ok
    assert says in repr(answer)
    assert "File → Download → Download .ipynb" in repr(answer)
    assert not (tmp_path / "psx_submission.zip").exists()


def _fake_colab(monkeypatch, request, download) -> None:
    colab = types.ModuleType("google.colab")
    colab._message = types.SimpleNamespace(blocking_request=request)
    colab.files = types.SimpleNamespace(download=download)
    google = types.ModuleType("google")
    google.colab = colab
    monkeypatch.setitem(sys.modules, "google", google)
    monkeypatch.setitem(sys.modules, "google.colab", colab)


def test_export_on_colab(grader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked, downloaded = [], []

    def request(name, **_):
        asked.append(name)
        return {"ipynb": NOTEBOOK}

    _fake_colab(monkeypatch, request, downloaded.append)
    answer = grader.export()
    assert answer.ok
    assert "Your browser downloads it now" in repr(answer)
    assert asked == ["get_ipynb"]
    assert downloaded == [str(tmp_path / "psx_submission.zip")]
    assert _exported(tmp_path)[0]["cells"][0] == NOTEBOOK["cells"][0]


def test_colab_may_refuse(grader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _fake_colab(monkeypatch, lambda *_, **__: None, None)
    answer = grader.export()
    assert not answer.ok
    assert "Colab did not hand over the notebook" in repr(answer)
    _fake_colab(monkeypatch, lambda *_, **__: {"ipynb": NOTEBOOK}, None)  # no download, but the file is there
    assert "Hand in that file." in repr(grader.export())


def test_importing_it_is_light():
    code = (
        "import sys, dgm.grader; "
        "print([m for m in ('IPython', 'nbformat', 'nbclient', 'jupyter_client', 'matplotlib', 'sklearn') "
        "if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert run.stdout.strip() == "[]"


def test_results_are_plain_objects(grader):
    result = grader.check("q1", _answers(RIGHT))
    assert isinstance(result, CheckResult)
    assert [probe.id for probe in result.probes] == ["moderate"]

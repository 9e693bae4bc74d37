"""What ``grader`` says beyond the marks: answers without a public test, missing written answers, wrong calls."""

import json
import re

import pytest

from autograder.authoring.freeze import freeze
from autograder.authoring.stubs import CODE_STUB, TEXT_STUB, name_stubs
from autograder.probes.load import load_problem_set
from dgm.grader import Grader
from dgm.grader.payload import pack, read_questions

WRITTEN = '''
# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The model answer.
# ### END SOLUTION
'''
CHECK = '# %% role="check"'
MORE = '''
# %% role="answer"
def softmax(x, dim):
    """Probabilities."""
    ### BEGIN SOLUTION
    return (x - logsumexp(x, dim).unsqueeze(dim)).exp()
    ### END SOLUTION


class Layer:
    """Given code that uses an answer."""

    def __init__(self, x):
        self.value = logsumexp(x, 0)

    def forward(self, x):
        ### BEGIN SOLUTION
        return softmax(x, 0)
        ### END SOLUTION
'''
ANSWER = """
def logsumexp(x, dim):
    m = x.max(dim, keepdim=True).values
    return (x - m).exp().sum(dim).log(){end}
"""


def _edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _grader(folder):
    return Grader("psx", checks=pack(freeze(load_problem_set(folder))))


@pytest.fixture
def written_set(tiny_set):
    """The tiny set with a written answer in its second question."""
    written = 'title="Log-mean-exp", manual_points=1, rubric=["1 point: yes"]'
    _edit(tiny_set, "q02_log_mean_exp/probes.py", 'title="Log-mean-exp"', written)
    cells = tiny_set / "q02_log_mean_exp/cells.py"
    cells.write_text(cells.read_text() + WRITTEN)
    return tiny_set


def _notebook(text):
    cells = [
        {"cell_type": "markdown", "id": "q2-text-1", "metadata": {}, "source": TEXT_STUB},
        {"cell_type": "markdown", "id": "q2-written-1", "metadata": {"dgm": {"role": "written"}}, "source": text},
    ]
    return json.dumps({"cells": cells, "metadata": {"dgm": {"assignment": "psx"}}, "nbformat": 4, "nbformat_minor": 5})


def test_answers_without_a_public_test_are_named(tiny_set):
    _edit(tiny_set, "q01_log_sum_exp/cells.py", CHECK, f"{MORE.strip()}\n\n{CHECK}")
    data = freeze(load_problem_set(tiny_set))
    assert [item["unseen"] for item in data["questions"]] == [["softmax", "Layer"], []]
    result = Grader("psx", checks=pack(data)).check("q1", {})
    line = "  No public test looks at `softmax` and `Layer` (not answered yet: `softmax` and `Layer`); hidden tests do."
    assert repr(result).splitlines()[-1] == line
    assert "<code>softmax</code>" in result._repr_html_()
    scope = {}
    exec(ANSWER.format(end=" + m.squeeze(dim)") + """
def softmax(x, dim):
    return (x - logsumexp(x, dim).unsqueeze(dim)).exp()
class Layer:
    def forward(self, x):
        raise NotImplementedError("Question 1: Layer.forward is still to be written.")
""", scope)
    grader = Grader("psx", checks=pack(data))
    assert "`softmax` and `Layer` (not answered yet: `Layer`)" in repr(grader.check("q1", scope))
    assert "✓ public part passes, 1 not answered" in repr(grader.check_all(scope))
    scope["Layer"].forward = lambda self, x: scope["softmax"](x, 0)
    assert "`softmax` and `Layer`; hidden tests do." in repr(grader.check("q1", scope))
    assert read_questions(data)["q1"].unseen == ("softmax", "Layer")


def test_given_code_leads_a_public_test_to_an_answer(tiny_set):
    _edit(tiny_set, "q01_log_sum_exp/cells.py", CHECK, f"{MORE.strip()}\n\n{CHECK}")
    _edit(tiny_set, "q01_log_sum_exp/probes.py", "return student.logsumexp(rng.normal(4, 5), 1)",
          "return student.raw.Layer(rng.normal(4, 5)).value")
    assert freeze(load_problem_set(tiny_set))["questions"][0]["unseen"] == ["softmax"]


def test_two_mistakes_with_the_same_evidence_are_both_named(tiny_set):
    path = tiny_set / "q01_log_sum_exp/mistakes.py"
    text = '\nmistakes.at(" + m.squeeze(dim)", edit("half", "the shift was lost", " + 0"))\n'
    path.write_text(path.read_text() + text)
    scope = {}
    exec(ANSWER.format(end=""), scope)
    message = _grader(tiny_set).check("q1", scope).probes[0].message
    assert message == "The maximum was not added back. Or: The shift was lost."


def test_a_mistake_in_one_entry_is_named(tiny_set):
    _edit(tiny_set, "q01_log_sum_exp/probes.py", "return student.logsumexp(rng.normal(4, 5), 1)",
          'x = rng.normal(4, 5)\n    return {"rows": student.logsumexp(x, 1), "columns": student.logsumexp(x, 0)}')
    scope = {}
    exec(ANSWER.format(end=" + m.squeeze(dim) * float(dim == 0) * 0.5"), scope)
    message = _grader(tiny_set).check("q1", scope).probes[0].message
    assert message == "In *rows*: The maximum was not added back."


@pytest.mark.parametrize(("text", "empty"), [(TEXT_STUB, True), ("  \n", True), ("Because of Jensen.", False)])
def test_empty_written_answers_are_named(written_set, tmp_path, monkeypatch, text, empty):
    grader = _grader(written_set)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.ipynb").write_text(_notebook(text))
    line = "No written answer yet: q2."
    assert (line in repr(grader.export())) == empty
    assert line not in repr(grader.check_all({}))  # the file is not known for sure
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/mine.ipynb")
    summary = grader.check_all({})
    assert (line in repr(summary)) == empty
    assert (line in summary._repr_html_()) == empty
    assert "graded later by hidden tests, 1 by a person." in repr(summary)
    assert "public checks, 1 more by a person for the written answer." in repr(grader.check("q2", {}))


def test_export_names_the_stubs_in_the_saved_file(tiny_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = name_stubs(f"def logsumexp(x, dim):\n    {CODE_STUB.splitlines()[1]}", "q1", "cell a")
    cells = [{"cell_type": "code", "id": "a", "metadata": {}, "source": [source], "outputs": []}]
    (tmp_path / "psx.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    assert "Still stubs in the saved notebook: q1 (logsumexp)." in repr(_grader(tiny_set).export())
    cells[0]["source"] = ["def logsumexp(x, dim):\n    return x"]
    (tmp_path / "psx.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    assert "stubs" not in repr(_grader(tiny_set).export())


def test_export_reads_a_notebook_with_a_byte_order_mark(tiny_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [{"cell_type": "code", "id": "a", "metadata": {}, "source": ["x = 1"], "outputs": []}]
    (tmp_path / "psx.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}), encoding="utf-8-sig")
    assert "psx_submission.zip" in repr(_grader(tiny_set).export())


def test_a_notebook_that_cannot_be_read_is_no_news(written_set, tmp_path, monkeypatch):
    grader = _grader(written_set)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.ipynb").write_text("{")
    monkeypatch.setenv("JPY_SESSION_NAME", "mine.ipynb")
    assert "No written answer" not in repr(grader.check_all({}))


def test_a_bonus_question_says_so(tiny_set):
    _edit(tiny_set, "psx.toml", ', "q02_log_mean_exp"]', ']\noptional = ["q02_log_mean_exp"]')
    grader, scope = _grader(tiny_set), {}
    text = repr(grader.check_all({}))
    assert "q2 · Log-mean-exp (bonus)" in text
    assert text.endswith(
        "0 of 1 point from public checks; 2 more are graded later by hidden tests. "
        "Optional questions give up to 2 bonus points."
    )
    exec("import torch" + ANSWER.format(end=" + m.squeeze(dim)"), scope)
    exec("def log_mean_exp(x, dim): return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()", scope)
    assert "\n1 of 1 point + 2 bonus from public checks; 2 more" in repr(grader.check_all(scope))


def test_a_check_without_points_that_fails_says_what_it_will_cost(tiny_set):
    warning = "A check without points that fails will cost hidden ones."
    _edit(tiny_set, "q01_log_sum_exp/probes.py", "@question.probe(points=1, title=", "@question.probe(points=0, title=")
    grader, scope = _grader(tiny_set), {}
    assert warning not in repr(grader.check("q1", scope))
    exec("import torch" + ANSWER.format(end=""), scope)
    assert warning in repr(grader.check("q1", scope))
    exec("import torch" + ANSWER.format(end=" + m.squeeze(dim)"), scope)
    assert warning not in repr(grader.check("q1", scope))


def test_hints_belong_to_functions(tiny_set):
    _edit(tiny_set, "q01_log_sum_exp/cells.py", CHECK, f"{MORE.strip()}\n\n{CHECK}")
    _edit(tiny_set, "q01_log_sum_exp/probes.py", '"logsumexp": HINTS', '"logsumexp": HINTS, "Layer": ["Which axis?"]')
    grader = _grader(tiny_set)
    which = (
        "There are hints for `logsumexp` and `Layer`. "
        'For the next one of a function, name it: grader.hint("logsumexp").'
    )
    for name in ("q1", 1, " Q1 "):
        assert repr(grader.hint(name)) == f"q1: {which}"
    assert repr(grader.hint("Layer")) == "Layer, hint 1 of 1: Which axis?"
    assert repr(grader.hint("logsumexp")) == "logsumexp, hint 1 of 2: Subtract something first."
    assert repr(grader.hint("logsumexp")) == "logsumexp, hint 2 of 2: Subtract the maximum."
    assert repr(grader.hint("softmax")) == f"q1: There are no hints for `softmax`. {which}"
    assert repr(grader.hint("q2")) == "q2: There are no hints for this question."
    text = 'Name a function, for example grader.hint("logsumexp"), or a question, to see which have hints.'
    assert repr(grader.hint()) == text
    assert repr(grader.hint("sofmax")) == f"There is no function or question 'sofmax' here. {text}"
    assert not grader.hint("sofmax").ok


@pytest.mark.parametrize("call", ["check", "show"])
def test_a_call_without_a_question_is_one_sentence(tiny_set, call):
    answer = getattr(_grader(tiny_set), call)()
    assert repr(answer) == 'Name a question, for example grader.check("q1"); there are q1, q2.'
    assert not answer.ok


def test_a_failing_earlier_question_is_named(tiny_set):
    grader, scope = _grader(tiny_set), {}
    stub = "Question 1: logsumexp is still to be written."
    exec(f"""
import torch
def logsumexp(x, dim):
    raise NotImplementedError({stub!r})
def log_mean_exp(x, dim):
    return logsumexp(x, dim) - torch.tensor(float(x.shape[dim])).log()
""", scope)
    lines = repr(grader.check("q2", scope)).splitlines()
    assert "Not answered yet: the stub of `logsumexp` (Question 1) is still there" in lines[2]
    assert lines[-1] == "  q1 does not pass its own check, and this question needs those answers: look there first."
    assert grader.check("q1", scope).blocked_by == []
    exec(ANSWER.format(end=" + m.squeeze(dim)"), scope)
    assert grader.check("q2", scope).passed
    exec("def log_mean_exp(x, dim): return logsumexp(x, dim)", scope)
    assert grader.check("q2", scope).blocked_by == []


def test_what_the_students_own_code_uses_is_looked_at_too(tiny_set):
    path = tiny_set / "q02_log_mean_exp/probes.py"
    text = path.read_text()
    path.write_text(re.sub(r", uses=\[.*?\]", "", text))
    grader, scope = _grader(tiny_set), {}
    wrong = "import torch\n" + ANSWER.format(end="")
    exec(wrong + "def log_mean_exp(x, dim):\n    return [logsumexp(y, dim) for y in [x]][0]", scope)
    assert grader.check("q2", scope).blocked_by == ["q1"]
    exec("def log_mean_exp(x, dim): return x", scope)
    assert grader.check("q2", scope).blocked_by == []

"""Building the tiny problem set. The solution is executed once in this file; the rest reuses its outputs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from autograder.authoring.build import build, check, draft, read_json
from autograder.authoring.execute import execute
from autograder.authoring.notebook import payload_of
from autograder.authoring.timing import slow_questions
from autograder.cli.main import main
from autograder.course import load_course
from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from dgm.grader.payload import pack, read_outcome, unpack, write_outcome

Q1, Q2 = "q01_log_probabilities", "q02_scale"


def _load(root: Path):
    return load_problem_set(root / "ps1_tiny"), load_course(root)


@pytest.fixture(scope="module")
def built_once(tmp_path_factory, tiny):
    root = tmp_path_factory.mktemp("built")
    tiny(root)
    build(*_load(root), profile="smoke")
    return root


@pytest.fixture
def built(built_once, tmp_path):
    """A copy of a course whose notebooks are built."""
    shutil.copytree(built_once, tmp_path / "course")
    return tmp_path / "course"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _notebooks(root: Path):
    return read_json(root / "ps1_tiny/ps1.ipynb"), read_json(root / "ps1_tiny/ps1_solution.ipynb")


def _source(cell) -> str:
    return "".join(cell["source"])


def test_a_fresh_build_is_not_stale(built):
    assert check(*_load(built)) == []


def test_building_twice_gives_the_same_bytes(built):
    before = [(built / "ps1_tiny" / name).read_bytes() for name in ("ps1.ipynb", "ps1_solution.ipynb")]
    made = build(*_load(built))
    assert not made.executed
    assert before == [(built / "ps1_tiny" / name).read_bytes() for name in ("ps1.ipynb", "ps1_solution.ipynb")]


def test_drafts_do_not_depend_on_what_is_on_disk(built):
    before = (built / "ps1_tiny/ps1.ipynb").read_bytes()
    (built / "ps1_tiny/ps1.ipynb").unlink()
    build(*_load(built), run="never")
    assert before == (built / "ps1_tiny/ps1.ipynb").read_bytes()


EDITS = [
    (f"{Q1}/cells.py", "Write a log-sum-exp.", "Write one log-sum-exp.", "q1-text-1"),
    (f"{Q1}/cells.py", "m = x.max(dim, keepdim=True).values", "m = x.amax(dim, keepdim=True)", "q1-answer-1"),
    (f"{Q1}/cells.py", "along ``dim``.", "along the axis ``dim``.", "q1-answer-1"),
    (f"{Q2}/cells.py", "FACTOR = 3.0", "FACTOR = 4.0", "q2-given-1"),
    (f"{Q1}/cells.py", 'print("a figure"', 'print("another figure"', "q1-demo-1"),
    (f"{Q2}/cells.py", "forty-two", "forty-three", "q2-written-1"),
    (f"{Q1}/probes.py", '"gentle"', '"gentler"', "set-up-grader"),
    (f"{Q1}/probes.py", "rng.normal(4, 5), 1)", "rng.normal(4, 6), 1)", "set-up-grader"),
    (f"{Q1}/mistakes.py", "is not added back", "is never added back", "set-up-grader"),
    (f"{Q1}/mistakes.py", "x.exp().sum(dim).log()", "x.exp().sum(dim)", "set-up-grader"),
    (f"{Q1}/probes.py", "rng.normal(4, 5), 0)", "rng.normal(4, 6), 0)", "the hidden tests or the reference"),
    (f"{Q2}/probes.py", "rtol=1e-3", "rtol=1e-2", "set-up-grader"),
]


@pytest.mark.parametrize(("name", "old", "new", "place"), EDITS)
def test_every_edit_makes_it_stale(built, name, old, new, place):
    _edit(built / "ps1_tiny" / name, old, new)
    stale = check(*_load(built))
    assert stale
    assert any(place in reason for reason in stale), stale


def test_points_are_part_of_the_notebook(built):
    _edit(built / f"ps1_tiny/{Q1}/probes.py", "points=2", "points=3")
    assert len(check(*_load(built))) == 2
    (heading,) = [cell.source for cell in draft(*_load(built)).student.cells if cell.id == "q1-heading-1"]
    assert heading == "## Question 1 · Stable log-probabilities\n*5 points · about 5 minutes*"


def test_edits_of_the_notebooks_are_noticed(built):
    path = built / "ps1_tiny/ps1.ipynb"
    fresh = path.read_text()
    for change in (
        lambda nb: nb["cells"][3]["metadata"].update(x=1),
        lambda nb: nb["cells"].pop(),
        lambda nb: nb["cells"].reverse(),
        lambda nb: nb["metadata"].update(x=1),
    ):
        notebook = json.loads(fresh)
        change(notebook)
        path.write_text(json.dumps(notebook))
        assert any("ps1.ipynb" in reason for reason in check(*_load(built)))
    path.write_text("not a notebook")
    assert "is not a notebook" in check(*_load(built))[0]
    path.unlink()
    assert "does not exist" in check(*_load(built))[0]


def test_a_solution_must_have_been_executed_without_errors(built):
    path = built / "ps1_tiny/ps1_solution.ipynb"
    fresh = json.loads(path.read_text())
    notebook = json.loads(path.read_text())
    notebook["cells"][-2]["outputs"] = [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
    path.write_text(json.dumps(notebook))
    assert "shows an error" in check(*_load(built))[0]
    for cell in fresh["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path.write_text(json.dumps(fresh))
    assert "has not been executed" in check(*_load(built))[0]


def test_other_machines_rounding_is_not_stale(built):
    """Evidence within tolerance keeps the notebook's payload, byte for byte; beyond it the notebook is stale."""
    path = built / "ps1_tiny/ps1.ipynb"
    notebook = json.loads(path.read_text())
    payload = payload_of(notebook)
    for factor, stale in ((1 + 2e-6, False), (1.01, True)):
        data = unpack(payload)
        index = data["questions"][0]["probes"][0]["cases"][0]["expected"]
        outcome = read_outcome(data["questions"][0]["outcomes"][index])
        outcome["evidence"] = outcome["evidence"] * factor
        data["questions"][0]["outcomes"][index] = write_outcome(outcome)
        for name in ("ps1.ipynb", "ps1_solution.ipynb"):
            text = (built / "ps1_tiny" / name).read_text().replace(payload, pack(data))
            hashes = [hashlib.sha256(packed.encode()).hexdigest() for packed in (payload, pack(data))]
            (built / "ps1_tiny" / name).write_text(text.replace(*hashes))
        _fix_checksum(path)
        assert bool(check(*_load(built))) is stale
        payload = pack(data)


def _fix_checksum(path: Path) -> None:
    import nbformat
    from nbgrader.preprocessors import ComputeChecksums

    from autograder.authoring.notebook import to_text

    notebook = nbformat.read(path, as_version=4)
    ComputeChecksums().preprocess(notebook, {})
    path.write_text(to_text(notebook))


def test_solutions_do_not_leak(built):
    text = (built / "ps1_tiny/ps1.ipynb").read_text()
    student, _ = _notebooks(built)
    plain = text + json.dumps(unpack(payload_of(student)))
    for secret in ("x.max(dim", "secret_factor", "forty-two", "SOLUTION", "factor is applied twice ("):
        assert secret not in plain
    assert "first_axis" not in plain  # not public
    assert all(not cell.get("outputs") for cell in student["cells"])


def test_stubs_raise_and_say_which(built):
    student, _ = _notebooks(built)
    scope: dict = {}
    for cell in student["cells"]:
        if cell["metadata"]["dgm"]["role"] in ("setup", "given", "answer"):
            exec(_source(cell), scope)
    with pytest.raises(NotImplementedError, match="Question 1: logsumexp"):
        scope["logsumexp"](1, 2)
    with pytest.raises(NotImplementedError, match=r"Question 2: Scale\.__init__"):
        scope["Scale"](2)
    written = next(cell for cell in student["cells"] if cell["id"] == "q2-written-1")
    assert _source(written) == "*Your answer here.*"


def test_ids_points_and_locks(built):
    student, _ = _notebooks(built)
    cells = {cell["id"]: cell for cell in student["cells"]}
    assert list(cells) == [
        "colab-badge", "top-text-1", "set-up-install", "set-up-grader", "top-setup-1",
        "q1-heading-1", "q1-text-1", "q1-answer-1", "q1-check-1", "q1-demo-1",
        "q2-heading-1", "q2-given-1", "q2-answer-1", "q2-check-1", "q2-written-1",
    ]
    graded = {id: cell["metadata"]["nbgrader"] for id, cell in cells.items() if "nbgrader" in cell["metadata"]}
    assert {id: meta["points"] for id, meta in graded.items() if meta["grade"]} == {
        "q1-check-1": 4, "q2-check-1": 1, "q2-written-1": 2,
    }
    assert cells["q1-check-1"]["metadata"]["editable"] is False
    assert "editable" not in cells["q1-answer-1"]["metadata"]
    assert cells["q1-answer-1"]["metadata"]["dgm"] == {"role": "answer", "question": "q1"}
    assert "colab.research.google.com/github/someone/somewhere/blob/main/ps1_tiny/ps1.ipynb" in _source(
        cells["colab-badge"]
    )
    assert 'git+https://github.com/someone/somewhere"' in _source(cells["set-up-install"])


def test_the_solution_reads_well_and_passes(built):
    _, solution = _notebooks(built)
    cells = {cell["id"]: cell for cell in solution["cells"]}
    assert "SOLUTION" not in json.dumps(solution)
    assert "nbgrader" not in json.dumps(solution)
    assert _source(cells["q2-written-1"]) == "The model answer is forty-two."
    shown = cells["q1-check-1"]["outputs"][0]["data"]
    assert "The public part passes: 2 of 2 points; 2 more hidden points are graded" in "".join(shown["text/plain"])
    assert "✓" in "".join(shown["text/html"])
    assert "a figure" in "".join(cells["q1-demo-1"]["outputs"][0]["text"])
    assert [cell["execution_count"] for cell in solution["cells"] if cell["cell_type"] == "code"] == list(range(1, 10))


def test_prose_and_hints_are_rebuilt_without_executing(built):
    _edit(built / f"ps1_tiny/{Q1}/cells.py", "Write a log-sum-exp.", "Write one log-sum-exp.")
    _edit(built / f"ps1_tiny/{Q1}/probes.py", '"gentle"', '"gentler"')
    assert not build(*_load(built), run="never").executed
    assert check(*_load(built)) == []


def test_changed_code_needs_execution(built):
    _edit(built / f"ps1_tiny/{Q2}/cells.py", "FACTOR = 3.0", "FACTOR = 4.0")
    before = (built / "ps1_tiny/ps1.ipynb").read_bytes()
    with pytest.raises(UserError, match="without --no-execute"):
        build(*_load(built), run="never")
    assert before == (built / "ps1_tiny/ps1.ipynb").read_bytes()  # nothing is written by halves


def test_a_failing_solution_names_its_cell(built):
    _edit(built / f"ps1_tiny/{Q1}/cells.py", 'print("a figure"', 'print("a figure" + 1')
    with pytest.raises(UserError, match=r"question 1, cell q1-demo-1 .*TypeError") as caught:
        build(*_load(built))
    assert caught.value.code == 1


def test_command_line(built, monkeypatch, capsys):
    monkeypatch.chdir(built)
    assert main(["build", "ps1", "--check"]) == 0
    assert main(["build", "ps1_tiny", "--no-execute"]) == 0
    assert main(["build", str(built / "ps1_tiny"), "--check"]) == 0
    capsys.readouterr()
    _edit(built / f"ps1_tiny/{Q1}/cells.py", "Write a", "Write one")
    assert main(["build", "ps1", "--check"]) == 1
    error = capsys.readouterr().err
    assert "ps1.ipynb is stale (cell q1-text-1 differs)" in error
    assert "run `autograder build ps1`" in error
    assert main(["build", "ps1", "--check", "--execute"]) == 2


LINTS = [
    (f"{Q1}/cells.py", '# %% role="check"\ngrader.check("q1")', "# %%\nNone", "q1: there is no check cell"),
    (f"{Q1}/cells.py", 'grader.check("q1")', 'grader.check("q2")', 'does not call grader.check("q1")'),
    (f"{Q1}/cells.py", '    """Logarithm of a sum of exponentials along ``dim``."""\n', "",
     "logsumexp has no docstring"),
    (f"{Q2}/cells.py", "        self.secret_factor = factor\n", "", "an empty solution region"),
    (f"{Q1}/cells.py", '    ### END SOLUTION\n\n# %% role="check"', '\n# %% role="check"', "without an"),
    (f"{Q2}/cells.py", 'FACTOR = 3.0', '### BEGIN SOLUTION\nFACTOR = 3.0\n### END SOLUTION',
     "a solution region in a given cell"),
    (f"{Q1}/probes.py", "return student.logsumexp(", "return with_right(student.logsumexp, log=math.log)(",
     "holds a right answer (with_right)"),
]


@pytest.mark.parametrize(("name", "old", "new", "says"), LINTS)
def test_lint(built, name, old, new, says):
    _edit(built / "ps1_tiny" / name, old, new)
    with pytest.raises(UserError) as caught:
        check(*_load(built))
    assert says in str(caught.value)


def test_written_parts_and_points_belong_together(built):
    _edit(built / f"ps1_tiny/{Q2}/probes.py", ', manual_points=2, rubric=["2 points: forty-two."]', "")
    with pytest.raises(UserError, match="written cell but manual_points is 0"):
        check(*_load(built))


@pytest.mark.parametrize(("declared", "taken", "told"), [
    (0, 4.9, False), (0, 5.1, True), (10, 24.0, False), (10, 26.0, True),
])
def test_a_question_that_takes_far_longer_than_it_says_is_told(course_folder, declared, taken, told):
    probes = course_folder / f"ps1_tiny/{Q1}/probes.py"
    _edit(probes, "hints=", f"run_seconds={declared}, hints=")
    seconds = {"top-setup-1": 99.0, "q1-answer-1": taken / 2, "q1-demo-1": taken / 2, "q2-check-1": 1.0}
    sentence = f"q1 took {taken:.0f} s in the cpu profile, but its Question says run_seconds={declared}"
    assert slow_questions(load_problem_set(course_folder / "ps1_tiny"), seconds) == ([sentence] if told else [])


def test_executing_measures_each_cell():
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = [
        new_code_cell("import time", id="q1-setup-1"), new_markdown_cell("text", id="q1-text-1"),
        new_code_cell("end = time.process_time() + 1\nwhile time.process_time() < end: pass", id="q1-demo-1"),
        new_code_cell("time.sleep(2)", id="q1-demo-2"),  # as if others had the machine meanwhile
    ]
    seconds = execute(new_notebook(cells=cells), "smoke", Path.cwd()).seconds
    assert set(seconds) == {"q1-setup-1", "q1-demo-1", "q1-demo-2"}
    assert 0.9 < seconds["q1-demo-1"] < 5 and seconds["q1-demo-2"] < 1

"""The parts of the cluster code that need no cluster."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from grading_helpers import LIMITS, RIGHT, SETUP, TRIPLE, FakePool, make_course, submission, write_files

from autograder.cluster import connect
from autograder.cluster.bundle import Bundle, pack, unpack
from autograder.cluster.coordinator import _difference
from autograder.cluster.worker import WorkerRun, WorkerRuns
from autograder.errors import UserError
from autograder.grading.batch import Options
from autograder.probes.load import load_problem_set
from autograder.results.keys import question_keys


@pytest.fixture
def bundle(problem_set):
    return pack(problem_set, 7, Options(limits=LIMITS, sandbox="landlock", allow_weaker=True))


def test_a_bundle_is_the_same_problem_set(problem_set, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other, seed, options = unpack(bundle.data, bundle.digest)
    assert seed == 7 and options == Options(limits=LIMITS, sandbox="landlock", allow_weaker=True)
    assert (other.name, len(other.questions), other.points) == (problem_set.name, 3, problem_set.points)
    assert not list(tmp_path.iterdir())  # no hidden test is left on the disk of a worker
    assert not any(problem_set.outline.folder.path.as_posix() in text for text in bundle.data.decode().split('"'))


def test_keys_do_not_depend_on_where_the_files_lie(problem_set, bundle):
    class Pool(FakePool):
        def close(self):
            pass

    run = WorkerRun(bundle, Pool)
    assert run.facts["keys"] == question_keys(problem_set, run.facts["environment"])


def test_a_damaged_bundle_is_refused(bundle):
    with pytest.raises(UserError, match="damaged"):
        unpack(bundle.data + b" ", bundle.digest)


@pytest.mark.parametrize("name", ["../x.py", "/etc/x.py", ""])
def test_paths_that_lead_outside_are_refused(problem_set, bundle, name, monkeypatch):
    import hashlib
    import json

    content = json.loads(bundle.data)
    content["files"][name] = "x"
    data = json.dumps(content).encode()
    with pytest.raises(UserError, match="leads outside"):
        unpack(data, hashlib.sha256(data).hexdigest())


NEEDED = {
    "ps9.toml", "opening.py", "shared/inputs.py", "shared/deeper/shapes.py",
    *(f"{question}/{kind}.py" for question in ("q01_double", "q02_double_sum", "q03_mean_double")
      for kind in ("cells", "probes")),
    "q01_double/mistakes.py", "q01_double/parts/alone.py",
}  # fmt: skip


@pytest.fixture
def with_shared(tmp_path):
    """A set of its own whose last question has helpers elsewhere, with files beside it that no worker needs."""
    folder = make_course(tmp_path / "course")
    path = folder / "q03_mean_double" / "probes.py"
    text = path.read_text()
    text = text.replace("import Question\n", "import Question\n\nfrom ..shared.inputs import rows, tolerant\n")
    text = text.replace('title="means"', 'title="means", judge=tolerant').replace("rng.normal(3, 5)", "rows(rng)")
    path.write_text(text)
    mistakes = folder / "q01_double" / "mistakes.py"
    mistakes.write_text("from .parts.alone import SENTENCE\n" + mistakes.read_text().replace(
        '"the factor is `three` instead of two"', "SENTENCE"
    ))
    write_files(folder, {
        "shared/inputs.py": "from dgm.checks.judges import Close\n\nfrom .deeper.shapes import WIDTH\n\n\n"
        "def rows(rng):\n    return rng.normal(3, WIDTH)\n\n\n"
        "def tolerant(evidence, expected, context):\n    return Close()(evidence, expected, context)\n",
        "shared/deeper/shapes.py": "WIDTH = 5\n", "q01_double/parts/alone.py": 'SENTENCE = "the factor is `three`"\n',
        "q01_double/test_reference.py": "raise SystemExit", "ps9.ipynb": "{}", "ps9_solution.ipynb": "{}",
        "README.md": "words", "notes.txt": "words", "drafts/q01.py": "raise SystemExit",
        "q01_double/__pycache__/probes.cpython-311.pyc": "x", ".hidden": "x",
    })
    return folder


def test_a_bundle_holds_just_what_loading_needs(with_shared, tmp_path, monkeypatch):
    problem_set = load_problem_set(with_shared)
    bundle = pack(problem_set, 7, Options(limits=LIMITS))
    assert set(json.loads(bundle.data)["files"]) == NEEDED
    read = {with_shared / name for name in ("ps9.toml", "opening.py")} | set(with_shared.glob("q*/cells.py"))
    read |= {problem_set.modules.folder.module(name) for name in problem_set.modules._texts}
    assert {path.relative_to(with_shared).as_posix() for path in read} == NEEDED, "each of them is read"
    outside = tmp_path / "private"
    outside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(outside))
    shutil.rmtree(with_shared)
    run = WorkerRun(bundle, FakePool)
    assert not list(outside.iterdir())
    assert run.facts["keys"] == question_keys(problem_set, run.facts["environment"])
    for cells, score, mistake in ((RIGHT, 10, None), ((SETUP, TRIPLE, *RIGHT[2:]), 7, "triple")):
        request = [[cell.number, cell.source] for cell in submission("ada", *cells).notebook.cells]
        result = run.grade({"cells": request, "known": {}})["result"]
        assert result["score"] == score and result["questions"][0]["probes"][0]["mistake"] == mistake
    question = unpack(bundle.data, bundle.digest)[0].question("q3")
    assert "def rows" in question.probes[0].source and "WIDTH = 5" in question.probes[0].source


@pytest.mark.parametrize("name", ["parts/opening.py", "../opening.py", "opening.txt"])
def test_what_would_not_be_in_a_bundle_is_no_opening(with_shared, name):
    write_files(with_shared, {name: "# %%\nprint(1)\n"})
    outline = with_shared / "ps9.toml"
    outline.write_text(outline.read_text() + f'opening = "{name}"\n')
    with pytest.raises(UserError, match=r"there is no file .* beside it"):
        load_problem_set(with_shared)


class QuickRun:
    def __init__(self, bundle):
        self.bundle, self.closed = bundle, False

    def close(self):
        self.closed = True


def test_worker_runs_are_shared_and_closed_with_the_last_run(monkeypatch):
    monkeypatch.setattr("autograder.cluster.worker.WorkerRun", QuickRun)
    runs, bundle, other = WorkerRuns(), Bundle(b"1", "one"), Bundle(b"2", "two")
    runs.admit("a", bundle)
    runs.admit("b", bundle)
    runs.admit("c", other)
    run = runs.of("a")
    assert runs.of("b") is run and runs.of("c") is not run
    runs.dismiss("a")
    runs.dismiss("never")
    assert not run.closed and runs.of("b") is run
    runs.dismiss("b")
    assert run.closed
    with pytest.raises(KeyError):
        runs.of("b")


def test_a_worker_run_that_cannot_be_is_tried_once(monkeypatch):
    tries = []

    def refuse(bundle):
        tries.append(bundle)
        raise UserError("no")

    monkeypatch.setattr("autograder.cluster.worker.WorkerRun", refuse)
    runs = WorkerRuns()
    runs.admit("a", Bundle(b"1", "one"))
    for _ in range(2):
        with pytest.raises(UserError, match="no"):
            runs.of("a")
    assert len(tries) == 1


def test_a_graders_error_in_a_worker_run_is_an_answer(bundle):
    class Broken(FakePool):
        def start(self):
            raise RuntimeError("disk on fire")

        def close(self):
            pass

    cells = [[cell.number, cell.source] for cell in submission("ada", *RIGHT).notebook.cells]
    answer = WorkerRun(bundle, Broken).grade({"cells": cells, "known": {}})
    assert answer["failed"]["problem"] == "internal: RuntimeError: disk on fire; grade it again."
    assert "Traceback" in answer["failed"]["details"]


@pytest.mark.parametrize("where", ["nonsense", "local:", "local:x", "http://a:1", "host"])
def test_bad_addresses(where):
    with pytest.raises(UserError, match="give local"), connect(where, jobs=1, device="cpu", gpu_slots=1):
        pass


@pytest.mark.parametrize("where", ["tcp://192.0.2.1:9", "192.0.2.1:9", "ws://a:9", "tcp://127.0.0.1.x.org:9"])
def test_a_scheduler_elsewhere_without_tls_is_refused(where, monkeypatch):
    monkeypatch.setattr("autograder.cluster.clients.CONNECT_SECONDS", 0.1)
    with pytest.raises(UserError, match="unencrypted"), connect(where, jobs=1, device="cpu", gpu_slots=1):
        pass
    asked = connect(where, jobs=1, device="cpu", gpu_slots=1, plain_tcp=True)
    with pytest.raises(UserError, match="No Dask scheduler answers"), asked:
        pass


def test_no_worker_at_all():
    with pytest.raises(UserError, match="at least one"), connect("local:0", jobs=1, device="cpu", gpu_slots=1):
        pass


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr("autograder.cluster.clients.CONNECT_SECONDS", 1)
    scheduler = connect("tcp://127.0.0.1:9", jobs=1, device="cpu", gpu_slots=1)
    with pytest.raises(UserError, match="No Dask scheduler answers"), scheduler:
        pass


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    local = connect("local", jobs=1, device="cpu", gpu_slots=1)
    with pytest.raises(UserError, match=r'pip install "deep-generative-problem-sets\[cluster\]"'), local:
        pass


def test_workers_that_are_not_alike_are_named():
    first = {"torch": "2.13.0", "hardware": "x86_64", "program": "a" * 64}
    text = _difference(first, {**first, "torch": "2.6.0"})
    assert "torch is 2.6.0 and not 2.13.0" in text


def test_command_line_checks_first(tmp_path, capsys, monkeypatch, folder):
    from autograder.cli.main import main

    monkeypatch.chdir(Path(folder).parent)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "n.ipynb").write_bytes(submission("ada", *RIGHT).notebook_bytes)
    assert main(["grade", "ps9", str(tmp_path / "class"), "--out", str(tmp_path / "o"), "--cluster", "nowhere"]) == 2
    assert "give local" in capsys.readouterr().err

"""The stamp of a complete run: it holds as long as nothing that decides about the results has changed."""

import json
import os
import shutil

import pytest
from grading_helpers import RIGHT, notebook, write_files

from autograder.grading.seeds import new_seed
from autograder.results import complete
from autograder.results.model import INTERNAL, Batch, SubmissionResult
from autograder.results.store import Store
from autograder.results.summary import write_summary

OPTIONS = {"problem_set": "ps9", "seed": None}


def result(student, status="graded"):
    return SubmissionResult(
        assignment="ps9", student=student, score=1.0, max_score=10.0, seed=5, device="cpu", sandbox="namespaces",
        seconds=0.1, notebook_sha256="", notes=[], questions=[], status=status,
    )  # fmt: skip


@pytest.fixture
def run(course):
    """A course with a class, and the folder of a run that has ended well."""
    (course / "class").mkdir()
    (course / "class" / "ada.ipynb").write_bytes(notebook(*RIGHT))
    out = course / "class" / "out"
    store = Store(out)
    store.seed("ps9", 5, new_seed)
    results = [result("ada"), result("bob", "invalid")]
    for item in results:
        store.save(item)
    write_summary(out, results)
    (out / "html").mkdir()
    (out / "html" / "index.html").write_text("page")
    complete.remember(Batch(results, 5, "namespaces"), out, key(course))
    return course, out


def key(course, **options):
    return complete.request_digest({**OPTIONS, **options}, course, [course / "class"], course / "class" / "out")


def known(run, **options):
    course, out = run
    return complete.known_batch(out, key(course, **options))


def test_nothing_changed(run):
    batch = known(run)
    assert [item.student for item in batch.results] == ["ada", "bob"]
    assert (batch.seed, batch.sandbox, batch.reused, batch.kept) == (5, "namespaces", 1, [])


@pytest.mark.parametrize(
    "path",
    [
        "class/ada.ipynb", "ps9_demo/q01_double/cells.py", "ps9_demo/q01_double/probes.py", "course.toml",
        "class/out/results/ada.json", "class/out/run.json", "class/out/summary.csv", "class/out/html/index.html",
    ],
)
def test_every_file_counts(run, path):
    file = run[0] / path
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    assert known(run) is None
    file.write_bytes(content)
    assert known(run) is not None
    file.unlink()
    assert known(run) is None


def test_new_files_and_names_count(run):
    course, out = run
    shutil.copy(course / "class" / "ada.ipynb", course / "class" / "bea.ipynb")
    assert known(run) is None
    (course / "class" / "bea.ipynb").unlink()
    assert known(run) is not None
    (course / "class" / "ada.ipynb").rename(course / "class" / "bea.ipynb")
    assert known(run) is None


def test_options_and_libraries_count(run, monkeypatch):
    assert known(run, seed=6) is None
    monkeypatch.setattr(complete.importlib.metadata, "version", lambda name: "0")
    assert known(run) is None


def test_students_of_earlier_runs_are_kept_apart(run):
    course, out = run
    complete.remember(Batch([result("ada")], 5, "namespaces"), out, key(course))
    batch = known(run)
    assert [item.student for item in batch.results] == ["ada"] and batch.kept == ["bob"]


def test_failures_of_the_grader_are_tried_again(run):
    course, out = run
    (out / complete.STAMP).unlink()
    complete.remember(Batch([result("ada", INTERNAL)], 5, "namespaces"), out, key(course))
    assert known(run) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"request_digest": 1}', "\udcff"])
def test_a_damaged_stamp_is_no_stamp(run, text):
    course, out = run
    stamp = json.loads((out / complete.STAMP).read_text())
    (out / complete.STAMP).write_text(text, errors="surrogateescape")
    assert known(run) is None
    (out / complete.STAMP).write_text(json.dumps({**stamp, "students": 5}))
    assert known(run) is None


def test_torch_is_not_needed():
    import subprocess
    import sys

    code = "import sys, autograder.results.complete, autograder.cli.grade; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pipes_and_endless_devices_among_submissions_are_not_read(run):
    """A submission may be a folder with anything in it, and this is looked at before all else."""
    course, _ = run
    folder = course / "class" / "eve"
    folder.mkdir()
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "zeros.ipynb").symlink_to("/dev/zero")
    (folder / "itself.ipynb").symlink_to(folder / "itself.ipynb")
    before = key(course)
    assert before == key(course)
    (folder / "notes.txt").write_text("x")
    assert before != key(course)


WHOLE = {
    "shared/inputs.py": "ROWS = 4\n",
    "q01_double/alternatives.py": "from autograder.probes import Alternatives\n\nalternatives = Alternatives()\n",
    "q01_double/parts/more.py": "X = 1\n",
    "closing.py": "# %%\nprint(double(1))\n",
    "ps9_short.toml": 'title = "Short"\ncore = ["q01_double"]\n',
    "q01_double/test_reference.py": "def test_nothing():\n    pass\n",
    "ps9.ipynb": "{}",
    "ps9_solution.ipynb": "{}",
    "README.md": "words",
}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ps9.toml", True), ("ps9_short.toml", True), ("opening.py", True), ("closing.py", True),
        ("q01_double/cells.py", True), ("q01_double/probes.py", True), ("q01_double/mistakes.py", True),
        ("q01_double/alternatives.py", True), ("q01_double/parts/more.py", True), ("shared/inputs.py", True),
        ("q01_double/test_reference.py", False), ("ps9.ipynb", False), ("ps9_solution.ipynb", False),
        ("README.md", False),
    ],
)  # fmt: skip
def test_each_kind_of_file_of_a_set_counts_or_not(course, name, counts):
    (course / "class").mkdir()
    folder = course / "ps9_demo"
    write_files(folder, WHOLE)
    before = key(course)
    assert key(course) == before
    text = (folder / name).read_text()
    (folder / name).write_text(text + " ")
    assert (key(course) != before) is counts
    (folder / name).write_text(text)
    assert key(course) == before
    (folder / name).unlink()
    assert (key(course) != before) is counts


@pytest.mark.parametrize(("name", "counts"), [
    ("q04_more/probes.py", True), ("shared/__init__.py", True), ("ps9_other.toml", True),
    ("q04_more/test_reference.py", False), ("__pycache__/x.pyc", False), ("ps9_other.ipynb", False),
])  # fmt: skip
def test_new_files_of_a_set_count_or_not(course, name, counts):
    (course / "class").mkdir()
    before = key(course)
    write_files(course / "ps9_demo", {name: "# new\n"})
    assert (key(course) != before) is counts


def test_a_set_outside_of_the_course_is_graded_each_time(course, tmp_path, monkeypatch, capsys):
    """Nobody would notice that its files have changed."""
    from autograder.cli.main import main

    (course / "class").mkdir()
    (course / "class" / "ada.ipynb").write_bytes(notebook(*RIGHT))
    elsewhere = shutil.move(course / "ps9_demo", tmp_path / "ps9_elsewhere")
    monkeypatch.chdir(course)
    command = ["grade", str(elsewhere), "class", "--out", "out", "--no-html"]
    assert main(command) == 0 and "10 of 10" in capsys.readouterr().out
    path = tmp_path / "ps9_elsewhere" / "q03_mean_double" / "probes.py"
    path.write_text(path.read_text().replace("points=4", "points=5"))
    assert main(command) == 0 and "11 of 11" in capsys.readouterr().out

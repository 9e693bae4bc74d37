"""Releases: for students, for nbgrader, for otter."""

from __future__ import annotations

import json
import sys
import types
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.build import draft, write_atomically
from autograder.authoring.notebook import to_text
from autograder.authoring.release import release
from autograder.cli.main import main
from autograder.course import load_course
from autograder.errors import UserError
from autograder.probes.load import load_problem_set
from autograder.probes.namespace import reference_namespace


@pytest.fixture
def course(course_folder):
    """A course whose student notebook is built (the solution is not needed for a release)."""
    problem_set, course = load_problem_set(course_folder / "ps1_tiny"), load_course(course_folder)
    write_atomically(problem_set.outline.student_notebook, to_text(draft(problem_set, course).student))
    (course_folder / "LICENSE").write_text("Do what you like.\n")
    return course


def _release(course, out: Path, target: str):
    return release(load_problem_set(course.root / "ps1_tiny"), course, out, target)


def test_plain(course, tmp_path):
    done = _release(course, tmp_path / "out", "plain")
    folder = tmp_path / "out" / "ps1"
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "README.md", "ps1.ipynb", "requirements.txt"]
    assert (folder / "ps1.ipynb").read_bytes() == (course.root / "ps1_tiny/ps1.ipynb").read_bytes()
    readme = (folder / "README.md").read_text()
    assert "A course: Tiny" in readme
    assert "7 points, 2 of them for written answers" in readme
    assert "git+https://github.com/someone/somewhere" in (folder / "requirements.txt").read_text()
    archive = tmp_path / "out/ps1.zip"
    first = archive.read_bytes()
    assert archive in done.files
    with zipfile.ZipFile(archive) as opened:
        assert sorted(opened.namelist()) == ["ps1/LICENSE", "ps1/README.md", "ps1/ps1.ipynb", "ps1/requirements.txt"]
    _release(course, tmp_path / "out", "plain")
    assert archive.read_bytes() == first
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.parametrize(("limit", "most"), [("", 3), ("bonus_limit = 2\n", 2)])
def test_bonus_points_are_said_apart(course, tmp_path, limit, most):
    folder = course.root / "ps1_tiny"
    (folder / "ps1.toml").write_text(f'title = "T"\n{limit}core = ["q1"]\noptional = ["q2"]\n')
    problem_set = load_problem_set(folder)
    write_atomically(problem_set.outline.student_notebook, to_text(draft(problem_set, course).student))
    _release(course, tmp_path / "out", "plain")
    assert f"4 points, and up to {most} bonus points." in (tmp_path / "out" / "ps1" / "README.md").read_text()


def test_a_release_holds_no_solution(course, tmp_path):
    for target in ("plain", "otter"):
        _release(course, tmp_path / target, target)
        text = "".join(path.read_text() for path in (tmp_path / target / "ps1").rglob("*") if path.is_file())
        assert "secret_factor" not in text
        assert "forty-two" not in text


def test_a_stale_notebook_is_not_released(course, tmp_path):
    source = course.root / "ps1_tiny/q01_log_probabilities/cells.py"
    source.write_text(source.read_text().replace("Write a", "Write one"))
    with pytest.raises(UserError, match="run `autograder build ps1` first"):
        _release(course, tmp_path / "out", "plain")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_one_sentence(course, tmp_path):
    (tmp_path / "file").write_text("")
    for target in ("plain", "nbgrader", "otter"):
        with pytest.raises(UserError, match="cannot be written"):
            _release(course, tmp_path / "file" / "out", target)


def test_nbgrader_makes_the_same_release_from_our_source(course, tmp_path, monkeypatch):
    """nbgrader itself reads the source version, clears it and fills its gradebook."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")  # nbgrader calls alembic
    out = tmp_path / "course"
    _release(course, out, "nbgrader")
    ours = json.loads((out / "release/ps1/ps1.ipynb").read_text())
    scope: dict = {"get_config": Config}
    exec((out / "nbgrader_config.py").read_text(), scope)
    config = scope["c"]
    config.CourseDirectory.root = str(out)
    assert NbGraderAPI(config=config).generate_assignment("ps1", force=True)["success"]
    theirs = json.loads((out / "release/ps1/ps1.ipynb").read_text())

    def skeleton(notebook):
        return [
            (cell["id"], {k: v for k, v in cell["metadata"].get("nbgrader", {}).items() if k != "checksum"})
            for cell in notebook["cells"]
        ]

    assert skeleton(ours) == skeleton(theirs)
    with Gradebook(f"sqlite:///{out}/gradebook.db") as gradebook:
        cells = gradebook.find_notebook("ps1", "ps1").grade_cells
        assert {cell.name: cell.max_score for cell in cells} == {"q1-check-1": 4, "q2-check-1": 1, "q2-written-1": 2}


def test_an_nbgrader_config_is_left_alone(course, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/nbgrader_config.py").write_text("# mine\n")
    done = _release(course, tmp_path / "out", "nbgrader")
    assert (tmp_path / "out/nbgrader_config.py").read_text() == "# mine\n"
    assert any("left as it is" in note for note in done.notes)


class _FakeTestCase:
    """Stands in for ``otter.test_files.test_case``: the same arguments, and calls the function with ``env``."""

    def __init__(self, name=None, points=None, hidden=False):
        self.name, self.points, self.hidden = name, points, hidden

    def __call__(self, function):
        self.function = function
        return self


def test_otter(course, tmp_path, monkeypatch):
    if "otter" not in sys.modules:
        fake = types.ModuleType("otter.test_files")
        fake.test_case = _FakeTestCase
        monkeypatch.setitem(sys.modules, "otter", types.ModuleType("otter"))
        monkeypatch.setitem(sys.modules, "otter.test_files", fake)
    _release(course, tmp_path, "otter")
    answers = reference_namespace(load_problem_set(course.root / "ps1_tiny"))
    found = 0
    for path in sorted((tmp_path / "ps1/tests").glob("q*.py")):
        scope: dict = {}
        exec(compile(path.read_text(), path.name, "exec"), scope)
        assert scope["OK_FORMAT"] is False
        assert scope["name"] == path.stem
        for value in scope.values():
            if isinstance(value, _FakeTestCase):
                found += 1
                value.function(answers)
                with pytest.raises(AssertionError, match="is not defined yet"):
                    value.function({})
    assert found == 3  # only what is public


def test_command_line(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    assert main(["release", "ps1", "--out", str(tmp_path / "out")]) == 0
    assert "ps1.zip" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["release", "ps1", "--out", str(tmp_path), "--target", "paper"])

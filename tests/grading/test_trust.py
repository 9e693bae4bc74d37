"""Nothing that lies among the submissions is trusted: no course, no problem set, no module, no result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from grading_helpers import RIGHT, SET, make_course, notebook, write_files

import autograder
from autograder import trust
from autograder.cli.main import main
from autograder.errors import UserError
from autograder.trust import trust_out, trusted_course

EVIL = "raise SystemExit('loaded')"


def hostile(folder: Path, set_name: str = "ps9_demo") -> None:
    """What a student hands in: a notebook, a course and a problem set of their own."""
    make_course(folder)
    if set_name != "ps9_demo":
        (folder / "ps9_demo").rename(folder / set_name)
    write_files(folder / set_name, {"shared/__init__.py": EVIL, "q01_double/probes.py": EVIL})
    (folder / "ps9.ipynb").write_bytes(notebook(*RIGHT))


@pytest.fixture
def downloads(course, tmp_path, monkeypatch) -> Path:
    """A folder of submissions outside of the course."""
    folder = tmp_path / "downloads"
    hostile(folder / "eve")
    (folder / "ada").mkdir()
    (folder / "ada" / "ps9.ipynb").write_bytes(notebook(*RIGHT))
    return folder


COMMANDS = {
    "check a file": ["check", "ps9.ipynb", "--set", "ps9"],
    "check by its content": ["check", "ps9.ipynb"],
    "grade a file": ["grade", "ps9", "ps9.ipynb", "--out", "/nowhere/out"],
    "grade the folder": ["grade", "ps9", ".", "--out", "/nowhere/out"],
    "grade the class": ["grade", "ps9", "..", "--out", "/nowhere/out"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_course_among_the_submissions_is_refused(command, downloads, monkeypatch, capsys):
    monkeypatch.chdir(downloads / "eve")
    assert main(COMMANDS[command]) == 2
    text = capsys.readouterr().err
    assert "course.toml is not used" in text and "--course" in text and text.count("\n") == 1


@pytest.mark.parametrize("name", ["ps9", "ps8", "eve"])
@pytest.mark.parametrize("arguments", [["check"], ["grade", "ps9", "--out", "/nowhere/out"]])
def test_a_problem_set_among_the_submissions_is_refused(name, arguments, course, monkeypatch, capsys):
    """In the course's own folder a student's folder could pass for a problem set."""
    folder = course / f"{name}_work"
    write_files(folder, {key.replace("ps9.toml", f"{name}.toml"): text for key, text in SET.items()})
    write_files(folder, {"shared/__init__.py": EVIL, "q01_double/probes.py": EVIL})
    (folder / "mine.ipynb").write_bytes(notebook(*RIGHT))
    monkeypatch.chdir(course)
    for path in (folder / "mine.ipynb", folder):
        assert main([*arguments, str(path)]) == 2
        text = capsys.readouterr().err
        assert f"{folder} is not used" in text or "is not a notebook" in text


@pytest.mark.parametrize("name", ["eve/ps9_demo", "eve/ps9_demo/ps9.toml"])
def test_the_path_of_a_problem_set_among_the_submissions_is_refused(name, downloads, course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    where = ["--course", str(course)]
    assert main(["grade", str(downloads / name), str(downloads), "--out", "/nowhere/out", *where]) == 2
    assert "is not used" in capsys.readouterr().err


def test_courses_beside_and_above_the_submissions_are_used(course, downloads, monkeypatch):
    (course / "class").mkdir()
    monkeypatch.chdir(course / "class")
    assert trusted_course(None, ["."]).root == course
    monkeypatch.chdir(course)
    for path in ("class", "ps9_demo", downloads, downloads / "ada" / "ps9.ipynb"):
        assert trusted_course(None, [path]).root == course
    monkeypatch.chdir(downloads / "eve")
    assert trusted_course(course, ["."]).root == course
    assert trusted_course(Path(), ["."]).root == downloads / "eve"  # who names it trusts it
    with pytest.raises(UserError, match=r"no course\.toml"):
        trusted_course(downloads, ["."])


def test_links_do_not_hide_where_a_course_lies(downloads, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(downloads)
    monkeypatch.chdir(downloads / "eve")
    with pytest.raises(UserError, match="is not used"):
        trusted_course(None, [tmp_path / "link"])


def test_the_checkout_that_runs_is_trusted(monkeypatch):
    """A notebook beside its problem set, as those who learn alone have it."""
    monkeypatch.chdir(trust.CHECKOUT)
    assert trusted_course(None, ["ps1_simple_models/ps1_solution.ipynb"]).root == trust.CHECKOUT


def test_modules_among_the_submissions_are_not_imported(course, tmp_path):
    folder = tmp_path / "downloads"
    write_files(folder, dict.fromkeys(("rich.py", "torch.py", "argparse.py", "rich/__init__.py", "yaml.py"), EVIL))
    (folder / "ada.ipynb").write_bytes(notebook("x = 1"))
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "check", "ada.ipynb", "--set", "ps9", "--course", str(course)],
        cwd=folder, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 2 and "none of the answers of ps9" in done.stderr, done.stderr


def test_results_among_the_submissions_are_not_believed(tmp_path, course, monkeypatch, capsys):
    forged = {"results/mallory.json": json.dumps({"student": "mallory", "score": 10})}
    write_files(tmp_path / "class", {**forged, "out/x.txt": "", "ada/ps9.ipynb": ""})
    monkeypatch.chdir(course)
    for out in (tmp_path / "class", tmp_path / "class" / "out"):
        assert main(["grade", "ps9", str(tmp_path / "class"), "--out", str(out)]) == 2
        assert "choose another" in capsys.readouterr().err
    trust_out(tmp_path / "class" / "new", [tmp_path / "class"])
    trust_out(tmp_path / "beside", [tmp_path / "class"])
    (tmp_path / "class" / "out" / "run.json").write_text("{}")  # of an earlier run
    trust_out(tmp_path / "class" / "out", [tmp_path / "class"])


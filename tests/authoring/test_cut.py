"""An instructor's own cut of a set, by its name: built and executed, proved, released."""

import json
import zipfile

import pytest

from autograder.cli.main import main

Q2 = "ps1_tiny/q02_scale"
USES = '\n# %%\nprint("a figure", logsumexp(torch.zeros(1, int(FACTOR)), 1))\n'


@pytest.fixture
def cut(course_folder, monkeypatch):
    """The course, with an outline of the second question alone: its figure uses the answer to the first."""
    cells = course_folder / Q2 / "cells.py"
    cells.write_text(cells.read_text() + USES)
    (course_folder / "ps1_tiny" / "ps1_short.toml").write_text('title = "In one question"\ncore = ["q02_scale"]\n')
    (course_folder / "LICENSE").write_text("Do what you like.\n")
    monkeypatch.chdir(course_folder)
    return course_folder


def test_it_is_built_proved_and_released(cut, capsys):
    assert main(["build", "ps1_short", "--profile", "smoke"]) == 0
    solution = json.loads((cut / "ps1_tiny" / "ps1_short_solution.ipynb").read_text())["cells"]
    shown = [output["text"] for cell in solution for output in cell.get("outputs", ()) if "text" in output]
    assert "a figure" in "".join(map("".join, shown))  # what it needs of Question 1 was there
    student = json.loads((cut / "ps1_tiny" / "ps1_short.ipynb").read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in student)
    given = "\n".join("".join(cell["source"]) for cell in student if cell["metadata"]["dgm"]["role"] == "given")
    assert "## Question 2 ·" in text and "## Question 1 ·" not in text and "SOLUTION" not in text
    assert given.count("def logsumexp") == 1 and "class Scale" not in given
    assert "This code answers Question 1, which is not part of this assignment." in text
    capsys.readouterr()
    assert main(["prove", "ps1_short", "--seeds", "1", "--jobs", "1", "--json"]) == 0
    (proof,) = json.loads(capsys.readouterr().out)["questions"]
    assert proof["id"] == "q2" and proof["blank_score"] == 0 and proof["mistakes"]["misnamed"] == 0
    assert main(["release", "ps1_short", "--out", "release"]) == 0
    with zipfile.ZipFile("release/ps1_short.zip") as archive:
        assert "ps1_short/ps1_short.ipynb" in archive.namelist()
        assert "In one question" in archive.read("ps1_short/README.md").decode()


def test_a_name_that_only_a_figure_of_a_left_out_question_makes_is_said(cut, capsys):
    first, second = (cut / "ps1_tiny" / name / "cells.py" for name in ("q01_log_probabilities", "q02_scale"))
    first.write_text(first.read_text() + "\n# %%\npixel_mean = 3\n")
    second.write_text(second.read_text() + "\n# %%\nprint(pixel_mean)\n")
    assert main(["build", "ps1_short", "--profile", "smoke"]) == 2
    error = capsys.readouterr().err
    assert "pixel_mean is defined nowhere in this assignment" in error and "q02_scale/cells.py, line " in error

"""The commands as a grader types them, with real kernels: exit codes, what is printed where, stopping."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading_helpers import BLANK, DOUBLE, MEAN, RIGHT, SETUP, SUM, TRIPLE, make_course, notebook

from autograder.cli.main import main

CLASS = {
    "ada": RIGHT,
    "bob": (SETUP, TRIPLE, SUM, MEAN),
    "cleo": (*RIGHT[:3], "import os\nos._exit(1)", MEAN, "1 / 0"),
    "dan": BLANK,
    "eve": (SETUP, DOUBLE, "def double_sum(x):\n    import os\n    os._exit(0)", MEAN),
    "fay": ("%pip install nothing", *RIGHT, "import sys\nprint('to stderr', file=sys.stderr)", "while True:\n    pass"),
    "gus": (*RIGHT[:3], "def mean_double(x):\n    y = x.clone()\n    x += 1\n    return double_sum(y) / x.shape[-1]"),
}
SCORES = {"ada": 10, "bob": 7, "cleo": 10, "dan": 0, "eve": 7, "fay": 10, "gus": 6, "hal": 0}


def autograder(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
        timeout=1200, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course with a graded class: the course's folder and what the first run printed."""
    root = tmp_path_factory.mktemp("course")
    make_course(root)
    (root / "class").mkdir()
    for name, cells in CLASS.items():
        (root / "class" / f"{name}.ipynb").write_bytes(notebook(*cells))
    (root / "class" / "hal.ipynb").write_bytes(b"{")
    done = autograder("grade", "ps9", "class", "--out", "out", "--seed", "5", "--jobs", "2", "--json", cwd=root)
    return root, done


@pytest.fixture
def here(graded, monkeypatch) -> Path:
    monkeypatch.chdir(graded[0])
    return graded[0]


def test_json_goes_to_stdout_and_the_rest_to_stderr(graded):
    _, done = graded
    assert done.returncode == 0, done.stderr
    results = {result["student"]: result for result in json.loads(done.stdout)}
    assert {name: result["score"] for name, result in results.items()} == SCORES
    assert "[8/8]" in done.stderr and "Report: out/html/index.html" in done.stderr and "Sandbox: " in done.stderr
    assert results["bob"]["questions"][0]["probes"][0]["mistake"] == "triple"
    assert [question["follow_through"] for question in results["bob"]["questions"]] == [False, True, True]
    assert [note.split(" (")[0] for note in results["cleo"]["notes"]] == [
        "Cell 4", "Cell 6, line 1",
    ]  # fmt: skip
    assert "process ended" in results["eve"]["questions"][1]["probes"][0]["message"]
    assert results["eve"]["questions"][2]["follow_through"]
    assert results["fay"]["notes"] == ["Cell 7 (`while True:`): stopped after 8 s."]
    assert "changes its input in place" in results["gus"]["questions"][2]["probes"][0]["message"]
    assert results["hal"]["status"] == "invalid" and results["dan"]["questions"][0]["status"] == "missing"


def test_second_run_reuses_and_shows_a_table(here, capsys):
    assert main(["grade", "ps9", "class", "--out", "out"]) == 0
    captured = capsys.readouterr()
    assert "ada" in captured.out and "10 of 10" in captured.out and "ps9: 8 submissions" in captured.out
    assert "Reused from before: 7 of 8." in captured.err
    for name in SCORES:
        assert (here / "out" / "html" / "students" / f"{name}.html").is_file()


def test_same_seed_same_evidence(here, tmp_path, capsys):
    chosen = ["class/bob.ipynb", "class/gus.ipynb"]
    assert main(["grade", "ps9", *chosen, "--out", str(tmp_path), "--seed", "5", "--no-html"]) == 0
    for name in ("bob", "gus"):
        first, second = (json.loads((out / "results" / f"{name}.json").read_text()) for out in (here / "out", tmp_path))
        for data in (first, second):
            data["seconds"] = 0
            for question in data["questions"]:
                for probe in question["probes"]:
                    probe["seconds"] = 0
        assert first == second
    assert not (tmp_path / "html").exists()


def test_report_is_written_again(here, capsys):
    (here / "out" / "html" / "index.html").unlink()
    assert main(["report", "out"]) == 0
    assert capsys.readouterr().out.strip() == "out/html/index.html"
    assert (here / "out" / "html" / "index.html").is_file()
    assert main(["report", "class"]) == 2


def test_check_right_wrong_and_one_question(here, capsys):
    assert main(["check", "class/bob.ipynb"]) == 1
    text = capsys.readouterr().out
    assert "The factor is `three` instead of two." in text and "Tip: `double`: What is two times x?" in text
    assert "7 of 10 points" in text
    assert main(["check", "class/bob.ipynb", "--question", "q2", "--json", "--set", "ps9"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [question["id"] for question in result["questions"]] == ["q2"]
    assert (result["score"], result["max_score"]) == (3, 3)


BAD = {
    "missing path": (["grade", "ps9", "nowhere", "--out", "x"], "nowhere does not exist."),
    "missing set": (["grade", "ps7", "class", "--out", "x"], "There is no problem set 'ps7' here. Known: ps9."),
    "empty folder": (["grade", "ps9", "empty", "--out", "x"], "empty is empty"),
    "pdf": (["grade", "ps9", "files/work.pdf", "--out", "x"], "not a notebook, a zip file or a folder"),
    "broken notebook": (["grade", "ps9", "class/hal.ipynb", "--out", "x"], "not valid JSON"),
    "unwritable": (["grade", "ps9", "class", "--out", "files/work.pdf"], "cannot be written to"),
    "unknown question": (["grade", "ps9", "class", "--out", "x", "--regrade", "q9"], "no question 'q9'"),
    "no jobs": (["grade", "ps9", "class", "--out", "x", "--jobs", "0"], "--jobs must be at least 1"),
    "negative seed": (["grade", "ps9", "class", "--out", "x", "--seed", "-1"], "--seed must not be negative"),
    "check nothing": (["check", "nowhere.ipynb"], "cannot be read"),
    "check a folder": (["check", "class"], "is not a notebook"),
    "check something else": (["check", "files/other.ipynb"], "answers no problem set"),
    "check broken": (["check", "class/hal.ipynb"], "not valid JSON"),
    "check unknown question": (["check", "class/ada.ipynb", "--question", "q9"], "no question 'q9'"),
    "report of nothing": (["report", "nowhere"], "holds no results"),
}


@pytest.fixture
def with_bad_files(here):
    for name in ("empty", "files"):
        (here / name).mkdir(exist_ok=True)
    (here / "files" / "work.pdf").write_bytes(b"%PDF")
    (here / "files" / "other.ipynb").write_bytes(notebook("x = 1"))


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_code_2(case, here, with_bad_files, capsys):
    arguments, words = BAD[case]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and words in captured.err
    assert len(captured.err.strip().splitlines()) == 1 and captured.err.startswith("autograder: ")


def test_exit_codes_of_the_program(here, with_bad_files):
    done = autograder("grade", "ps9", "empty", "--out", "x", cwd=here)
    assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
    with pytest.raises(SystemExit) as usage:
        main(["grade", "ps9"])
    assert usage.value.code == 2


def test_cuda_that_is_not_there(here, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert main(["grade", "ps9", "class", "--out", "x", "--device", "cuda"]) == 3
    assert "no CUDA device" in capsys.readouterr().err


def test_limits_of_the_course_are_checked(here, capsys):
    path = here / "course.toml"
    text = path.read_text()
    try:
        for line, words in {"cell_hours = 1": "no limit 'cell_hours'", "memory_mb = -1": "memory_mb must be"}.items():
            path.write_text(f"{text}\n{line}\n")
            assert main(["grade", "ps9", "class", "--out", "x"]) == 2
            assert words in capsys.readouterr().err
    finally:
        path.write_text(text)


@pytest.fixture
def interruptible():
    """Programs that we start hear SIGINT, also where we do not: a shell's job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupted_run_says_how_to_go_on(tmp_path, interruptible):
    make_course(tmp_path)
    path = tmp_path / "course.toml"
    path.write_text(path.read_text().replace("cell_seconds = 8", "cell_seconds = 600"))
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.ipynb").write_bytes(notebook(*RIGHT))
    (tmp_path / "class" / "bob.ipynb").write_bytes(notebook(*RIGHT, "import time\ntime.sleep(600)"))
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "ps9", "class", "--out", "out", "--jobs", "1"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert "ada: 10 of 10" in process.stderr.readline()
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert errors.strip().splitlines() == ["autograder: stopped; run the same command again to go on."]
    assert [path.stem for path in (tmp_path / "out" / "results").iterdir()] == ["ada"]
    assert "ada" in (tmp_path / "out" / "summary.csv").read_text()

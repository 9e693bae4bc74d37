"""Many submissions: results on disk, reuse, regrading, going on after a stop, and nothing that stops the batch."""

import csv
import io
import json
import os
import stat

import pytest
from grading_helpers import BLANK, DOUBLE, LIMITS, MEAN, RIGHT, SETUP, SUM, TRIPLE, WRONG_SUM, FakePool, on_disk
from grading_helpers import submission as make

from autograder.errors import UserError
from autograder.grading.batch import Options, grade_batch
from autograder.kernel.sandbox import choose_level
from autograder.probes.load import load_problem_set
from autograder.results.store import Store
from autograder.results.summary import safe_cell, to_csv
from autograder.submissions.collect import Submission

CLASS = [
    make("ada", *RIGHT),
    make("bob", SETUP, TRIPLE, SUM, MEAN),
    make("cleo", SETUP, DOUBLE, WRONG_SUM, MEAN),
    make("dan", *BLANK),
    Submission("eve", "eve.ipynb", problem="The file is empty."),
]
SCORES = {"ada": 10, "bob": 7, "cleo": 7, "dan": 0, "eve": 0}


class Pools(list):
    """Makes fake pools and keeps them, to see what was really run."""

    def __call__(self, **options):
        self.append(FakePool(**options))
        self[-1].level = choose_level(options["sandbox"], allow_weaker=options["allow_weaker"])
        self.setup(self[-1])
        return self[-1]

    setup = staticmethod(lambda pool: None)

    @property
    def kernels(self):
        return sum(len(pool.kernels) for pool in self)

    @property
    def asked(self):
        return [name for pool in self for name in pool.asked]


@pytest.fixture
def pools():
    return Pools()


def run(problem_set, out, pools, submissions=CLASS, progress=lambda result, reused: None, **options):
    return grade_batch(problem_set, submissions, out, Options(limits=LIMITS, **options), progress, pools)


def test_results_and_summary(problem_set, tmp_path, pools):
    seen = []
    out = tmp_path / "out"
    batch = run(problem_set, out, pools, jobs=2, progress=lambda result, reused: seen.append((result.student, reused)))
    assert {result.student: result.score for result in batch.results} == SCORES
    assert [result.student for result in batch.results] == sorted(SCORES)
    assert sorted(seen) == [("ada", False), ("bob", False), ("cleo", False), ("dan", False), ("eve", True)]
    assert {name: data["score"] for name, data in on_disk(tmp_path / "out").items()} == SCORES
    assert on_disk(tmp_path / "out")["eve"]["problem"] == "The file is empty."
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "summary.csv").read_text("utf-8-sig"))))
    assert {row["student"]: float(row["score"]) for row in rows} == SCORES
    assert rows[1]["q1"] == "0" and rows[1]["q2"] == "3" and rows[1]["follow_through"] == "q2 q3"
    assert "three" in rows[1]["went_wrong"] and rows[3]["went_wrong"] == "Nothing is answered."
    assert len(json.loads((tmp_path / "out" / "summary.json").read_text())) == 5


def test_second_run_reuses_everything(problem_set, tmp_path, pools):
    run(problem_set, tmp_path, pools)
    before = on_disk(tmp_path)
    second = Pools()
    batch = run(problem_set, tmp_path, second)
    assert not second and batch.reused == 4
    assert on_disk(tmp_path) == before


def test_seed_is_secret_kept_and_decides(problem_set, tmp_path, pools):
    first = run(problem_set, tmp_path / "a", pools)
    assert run(problem_set, tmp_path / "a", pools).seed == first.seed
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "run.json").st_mode) == 0o600
    other = run(problem_set, tmp_path / "b", Pools())
    assert other.seed != first.seed
    given = Pools()
    assert run(problem_set, tmp_path / "b", given, seed=first.seed).seed == first.seed and given.kernels == 4
    assert on_disk(tmp_path / "a") == on_disk(tmp_path / "b")


def test_a_changed_test_regrades_its_question_and_those_that_use_it(problem_set, course, tmp_path, pools):
    run(problem_set, tmp_path / "out", pools, seed=1)
    path = course / "ps9_demo" / "q02_double_sum" / "probes.py"
    path.write_text(path.read_text().replace("points=3", "points=5"))
    changed = load_problem_set(course / "ps9_demo")
    second = Pools()
    run(changed, tmp_path / "out", second, seed=1)
    assert set(second.asked) == {"rows", "means"}
    fresh = Pools()
    run(changed, tmp_path / "fresh", fresh, seed=1)
    assert on_disk(tmp_path / "out") == on_disk(tmp_path / "fresh")
    assert on_disk(tmp_path / "out")["ada"]["score"] == 12


def test_a_changed_last_question_leaves_the_others(problem_set, course, tmp_path, pools):
    run(problem_set, tmp_path / "out", pools)
    path = course / "ps9_demo" / "q03_mean_double" / "probes.py"
    path.write_text(path.read_text() + "\n# changed\n")
    second = Pools()
    run(load_problem_set(course / "ps9_demo"), tmp_path / "out", second)
    assert set(second.asked) == {"means"}


def test_regrade_one_question(problem_set, tmp_path, pools):
    run(problem_set, tmp_path, pools)
    before = on_disk(tmp_path)
    second = Pools()
    run(problem_set, tmp_path, second, regrade=frozenset({"q3"}))
    assert set(second.asked) == {"means"} and on_disk(tmp_path) == before
    with pytest.raises(UserError, match="no question 'q7'"):
        run(problem_set, tmp_path, Pools(), regrade=frozenset({"q7"}))


def test_a_changed_submission_is_graded_again(problem_set, tmp_path, pools):
    run(problem_set, tmp_path, pools)
    second = Pools()
    batch = run(problem_set, tmp_path, second, [make("cleo", *RIGHT[:2], SUM + "\n", MEAN)])
    assert second.kernels == 1 and batch.results[0].score == 10
    assert batch.kept == ["ada", "bob", "dan", "eve"]
    assert on_disk(tmp_path)["cleo"]["score"] == 10


def test_same_code_is_graded_once(problem_set, tmp_path, pools):
    batch = run(problem_set, tmp_path, pools, [make("ada", *RIGHT), make("zoe", *RIGHT)])
    assert pools.kernels == 1 and [result.score for result in batch.results] == [10, 10]
    assert [result.student for result in batch.results] == ["ada", "zoe"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_stopped_run_goes_on(problem_set, tmp_path, pools, jobs):
    def stop(result, reused):
        if result.student in ("bob", "cleo"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(problem_set, tmp_path / "out", pools, seed=1, progress=stop, jobs=jobs)
    kept = on_disk(tmp_path / "out")
    assert "eve" in kept and ({"bob", "cleo"} & set(kept)) and (tmp_path / "out" / "summary.csv").exists()
    second = Pools()
    run(problem_set, tmp_path / "out", second, seed=1)
    assert second.kernels == len([name for name in SCORES if name not in kept and name != "eve"])
    run(problem_set, tmp_path / "whole", Pools(), seed=1)
    assert on_disk(tmp_path / "out") == on_disk(tmp_path / "whole")


def test_a_kernel_killed_by_the_stop_leaves_no_result(problem_set, tmp_path, pools):
    """A submission that was running when the run was stopped is not recorded with a low score."""

    def stop_all_at_once(pool):
        def interfere(code):
            if "3 * x" in code:
                raise KeyboardInterrupt

        pool.on_execute = interfere

    pools.setup = stop_all_at_once
    with pytest.raises(KeyboardInterrupt):
        run(problem_set, tmp_path, pools)
    assert "bob" not in on_disk(tmp_path)


def test_a_crash_of_the_grader_is_a_row(problem_set, tmp_path, pools):
    def crash(pool):
        def interfere(code):
            if "3 * x" in code:
                raise RuntimeError("disk\x00 on fire")

        pool.on_execute = interfere

    pools.setup = crash
    batch = run(problem_set, tmp_path, pools, jobs=2)
    rows = {result.student: result for result in batch.results}
    assert rows["bob"].status == "internal" and rows["bob"].problem == (
        "internal: RuntimeError: disk on fire; grade it again."
    )
    assert rows["ada"].score == 10 and "RuntimeError" in (tmp_path / "log" / "bob.txt").read_text()
    again = run(problem_set, tmp_path, Pools())  # not cached, so it is graded now
    assert {result.student: result.score for result in again.results} == SCORES


def test_a_broken_reference_is_the_problem_sets_fault(course, tmp_path, pools):
    path = course / "ps9_demo" / "q01_double" / "cells.py"
    path.write_text(path.read_text().replace("return 2 * x", "return 2 * x + y"))
    with pytest.raises(UserError, match=r"ps9 cannot be used for grading: .*q1, small: the reference itself fails"):
        run(load_problem_set(course / "ps9_demo"), tmp_path / "out", pools)


def test_a_damaged_cache_is_ignored(problem_set, tmp_path, pools):
    run(problem_set, tmp_path, pools)
    before = on_disk(tmp_path)
    texts = ["", "{", "[]", '{"questions": 3}', '{"questions": {"q1": {}}}']
    for path, text in zip(sorted((tmp_path / "cache").iterdir()), texts, strict=False):
        path.write_text(text)
    second = Pools()
    run(problem_set, tmp_path, second)
    assert second.kernels == 4 and on_disk(tmp_path) == before


def test_folder_of_another_assignment(problem_set, tmp_path, pools):
    (tmp_path / "run.json").write_text('{"assignment": "ps1", "seed": 3}')
    with pytest.raises(UserError, match="holds results of ps1"):
        run(problem_set, tmp_path, pools)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        run(problem_set, tmp_path, pools)


def test_unwritable_folder(problem_set, tmp_path, pools):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nothing"):
        with pytest.raises(UserError, match="cannot be written") as error:
            run(problem_set, type(tmp_path)(out), pools)
        assert error.value.code == 2


def test_one_run_at_a_time(problem_set, tmp_path, pools):
    store = Store(tmp_path)
    with store.locked(), pytest.raises(UserError, match="Another run"):
        run(problem_set, tmp_path, pools)


def test_nothing_half_written(problem_set, tmp_path, pools, monkeypatch):
    run(problem_set, tmp_path, pools)
    before = on_disk(tmp_path)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autograder.files.os.replace", fail)
    with pytest.raises(OSError):
        Store(tmp_path).save(Store(tmp_path).results()[0])
    assert on_disk(tmp_path) == before
    assert not [path for path in (tmp_path / "results").iterdir() if path.name.startswith(".")]


def test_csv_cells_are_no_formulas(problem_set, tmp_path, pools):
    assert safe_cell("=1+1") == "'=1+1" and safe_cell("ada") == "ada"
    assert safe_cell("＝1") == "'＝1" and safe_cell("a;=1|@x; b") == "a;'=1|'@x; b"
    for text in ('x;"=1+1"', "x; '=1", 'x|""=1', "  =1", "x;－1"):
        for cell in safe_cell(text).replace('"', '""').replace("|", ";").split(";"):
            assert not cell.replace('"', "").strip().startswith(("=", "+", "－")), text
    formula = 'def double(x):\n    raise ValueError("=HYPERLINK(1),\\"x\\"\\n@SUM")'
    students = [
        make("+ada", SETUP, formula, SUM, MEAN, "raise ValueError('=1')"),
        Submission("@eve", "x", problem='=cmd|"/c calc"!A1, "quoted"'),
    ]
    run(problem_set, tmp_path, pools, students)
    rows = list(csv.reader(io.StringIO(to_csv(Store(tmp_path).results()))))
    assert all(len(row) == len(rows[0]) for row in rows)
    for row in rows[1:]:
        assert not [cell for cell in row if cell.startswith(("=", "+", "@", "\t", "\r"))]
    assert rows[2][-2] == "'=cmd|\"/c calc\"!A1, \"quoted\""

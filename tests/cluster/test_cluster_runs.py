"""Whole runs on two real worker processes: the same results as here, workers that die, runs that change place."""

import os
import signal
from collections import Counter

import dask
import pytest
from grading_helpers import (
    BLANK,
    DOUBLE,
    LIMITS,
    MEAN,
    RIGHT,
    SETUP,
    SUM,
    TRIPLE,
    WRONG_MEAN,
    WRONG_SUM,
    make_course,
    on_disk,
)
from grading_helpers import submission as make

from autograder.cluster import connect
from autograder.cluster.coordinator import DaskWorkers
from autograder.errors import UserError
from autograder.grading.batch import Options, grade_batch
from autograder.kernel import available_levels
from autograder.probes.load import load_problem_set
from autograder.submissions.collect import Submission

KINDS = [
    RIGHT,
    (SETUP, TRIPLE, SUM, MEAN),
    (SETUP, DOUBLE, WRONG_SUM, MEAN),
    (SETUP, DOUBLE, SUM, WRONG_MEAN),
    BLANK,
    (*RIGHT, "1 / 0", "import os\nos._exit(1)"),
]
CLASS = [
    *(make(f"s{index:02d}", *KINDS[index % len(KINDS)], f"number = {index}") for index in range(9)),
    make("twin", *RIGHT, "number = 0"),
    Submission("eve", "eve.ipynb", problem="The file is empty."),
]


def run(problem_set, out, workers=None, submissions=CLASS, progress=lambda result, reused: None, **options):
    how = Options(limits=LIMITS, seed=7, **options)
    return grade_batch(problem_set, submissions, out, how, progress, workers=workers)


@pytest.fixture(scope="module")
def here(problem_set, tmp_path_factory):
    """What a run in this process gives."""
    out = tmp_path_factory.mktemp("here")
    run(problem_set, out, jobs=2)
    return out


def test_the_same_results_and_cache_as_here(problem_set, client, here, tmp_path):
    seen = []
    with DaskWorkers(client, "auto") as workers:
        assert workers.device == "cpu"
        batch = run(problem_set, tmp_path, workers, progress=lambda result, reused: seen.append(result.student))
    assert on_disk(tmp_path) == on_disk(here) and batch.reused == 0
    assert Counter(seen) == Counter(submission.student for submission in CLASS)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(
        path.name for path in (here / "cache").iterdir()
    )
    assert run(problem_set, tmp_path).reused == len(CLASS) - 1  # what the cluster has graded is known here
    assert on_disk(tmp_path) == on_disk(here)


def test_by_address_and_with_certificates(problem_set, client, here, tmp_path):
    keys = client.cluster.security.get_tls_config_for_role("client")
    names = {"ca-file": "ca_file", "client.cert": "cert", "client.key": "key"}
    settings = {f"distributed.comm.tls.{name}": keys[key] for name, key in names.items()}
    address = client.cluster.scheduler_address
    encrypted = dask.config.set({**settings, "distributed.comm.require-encryption": True})
    with encrypted, connect(address, jobs=1, device="auto", gpu_slots=2) as workers:
        run(problem_set, tmp_path, workers, submissions=CLASS[:2])
    assert on_disk(tmp_path) == {name: data for name, data in on_disk(here).items() if name in ("s00", "s01")}
    assert client.status == "running"  # it is not ours to close


def test_a_run_changes_place(problem_set, client, here, tmp_path):
    """Begun here, gone on with on the cluster and stopped there, ended here."""
    run(problem_set, tmp_path, submissions=CLASS[:3])

    def stop(result, reused):
        if not reused and result.student != "twin":
            raise KeyboardInterrupt

    with DaskWorkers(client, "cpu") as workers, pytest.raises(KeyboardInterrupt):
        run(problem_set, tmp_path, workers, progress=stop)
    batch = run(problem_set, tmp_path)
    assert batch.reused >= 5 and on_disk(tmp_path) == on_disk(here)


def test_a_killed_worker_loses_nothing(problem_set, client, here, tmp_path):
    seen, killed = [], []

    def kill_one(result, reused):
        seen.append(result.student)
        if len(seen) in (3, 6):
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[-1], signal.SIGKILL)

    with DaskWorkers(client, "cpu") as workers:
        run(problem_set, tmp_path, workers, progress=kill_one)
    assert len(killed) == 2 and Counter(seen) == Counter(submission.student for submission in CLASS)
    assert on_disk(tmp_path) == on_disk(here)


FATAL = """
import os
import signal
import sys
from dgm.checks.judges import Close


def fatal(evidence, expected, context):
    if float(evidence.sum()) == 666.0 and "distributed" in sys.modules:
        os.kill(os.getpid(), signal.SIGKILL)
    return Close()(evidence, expected, context)


"""


def test_a_submission_that_kills_every_worker_is_a_row(client, tmp_path, here):
    """Nobody knows how it could, but a bug in a judge would do."""
    folder = make_course(tmp_path / "course")
    path = folder / "q03_mean_double" / "probes.py"
    text = path.read_text().replace('title="means")', 'title="means", judge=fatal)')
    head, rest = text.split("\n", 1)
    path.write_text(head + FATAL + rest)
    killer = make("killer", SETUP, DOUBLE, SUM, "def mean_double(x):\n    return torch.tensor([666.0])")
    problem_set = load_problem_set(folder)
    submissions = [killer, *CLASS[:4]]
    with DaskWorkers(client, "cpu") as workers:
        batch = run(problem_set, tmp_path / "out", workers, submissions)
    rows = {result.student: result for result in batch.results}
    assert rows["killer"].status == "internal" and "the worker died each time" in rows["killer"].problem
    expected = {name: data["score"] for name, data in on_disk(here).items()}
    assert {name: row.score for name, row in rows.items() if name != "killer"} == {
        item.student: expected[item.student] for item in CLASS[:4]
    }
    assert (tmp_path / "out" / "log" / "killer.txt").exists()


def test_a_broken_reference_is_the_problem_sets_fault(client, tmp_path):
    folder = make_course(tmp_path / "course")
    path = folder / "q01_double" / "cells.py"
    path.write_text(path.read_text().replace("return 2 * x", "return 2 * x + y"))
    with DaskWorkers(client, "cpu") as workers, pytest.raises(UserError, match=r"ps9 cannot be used .*q1, small"):
        run(load_problem_set(folder), tmp_path / "out", workers)


@pytest.mark.skipif(bool(available_levels()["process"]), reason="the level process does not work here")
def test_a_level_that_leaves_the_network_open_is_refused(problem_set, client, tmp_path):
    with DaskWorkers(client, "cpu") as workers, pytest.raises(UserError, match="can reach the cluster itself"):
        run(problem_set, tmp_path, workers, sandbox="process")


def test_no_gpu_on_offer(client):
    with pytest.raises(UserError, match="No worker has a GPU"):
        DaskWorkers(client, "cuda")

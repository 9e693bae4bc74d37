"""``autograder check`` uses a GPU the way ``grade`` does; tested without one."""

import os
from functools import partial

import pytest
import torch
from grading_helpers import RIGHT, FakePool, notebook

from autograder.cli import check
from autograder.cli.main import main
from autograder.grading import gpu, referee


@pytest.fixture
def pools(course, monkeypatch):
    """The pools that were made. The device is called cuda, and is the CPU."""
    made = []

    class Pool(FakePool):
        def __init__(self, **options):
            super().__init__(**options)
            self.fractions = []
            monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self.fractions.append)
            made.append(self)

    def cpu_referee(problem_set, seed, device):
        assert made and device == made[0].options["device"], "the reference comes after the settings"
        return real(problem_set, seed, "cpu")

    real = referee.Referee
    monkeypatch.setattr("autograder.kernel.KernelPool", Pool)
    monkeypatch.setattr(referee, "Referee", cpu_referee)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    (course / "ada.ipynb").write_bytes(notebook(*RIGHT))
    monkeypatch.chdir(course)
    yield made
    torch.use_deterministic_algorithms(False)
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


ask = partial(main, ["check", "ada.ipynb", "--set", "ps9", "--course", "."])


def test_kernels_get_the_settings_and_the_share_of_grading(pools, monkeypatch):
    monkeypatch.setattr(check, "device", lambda wanted: "cuda")
    assert ask() == 0
    (pool,) = pools
    assert pool.options["env"] == gpu.ENVIRONMENT and pool.options["device"] == "cuda"
    assert pool.fractions == [pytest.approx(gpu.GpuShare().fraction, abs=1e-4)]
    assert pool.kernels[0].executed[0] == gpu.GpuShare().prelude()
    assert torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.allow_tf32


def test_on_the_cpu_nothing_changes(pools, monkeypatch):
    monkeypatch.setattr(check, "device", lambda wanted: "cpu")
    assert ask() == 0
    (pool,) = pools
    assert "env" not in pool.options and not pool.fractions
    assert "torch.cuda" not in "".join(pool.kernels[0].executed)
    assert not torch.are_deterministic_algorithms_enabled()

import random

import numpy as np
import pytest
import torch

import dgm


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    monkeypatch.delenv("DGM_BUDGET", raising=False)
    monkeypatch.delenv("DGM_DEVICE", raising=False)


@pytest.mark.parametrize("name, value", [("smoke", 1), ("cpu", 2), ("gpu", 3), (" SMOKE ", 1)])
def test_environment_chooses_the_profile(monkeypatch, name, value):
    monkeypatch.setenv("DGM_BUDGET", name)
    assert dgm.budget(smoke=1, cpu=2, gpu=3) == value
    assert dgm.profile() == name.strip().lower()


@pytest.mark.parametrize("cuda, expected", [(True, "gpu"), (False, "cpu")])
def test_without_environment_the_hardware_decides(monkeypatch, cuda, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert dgm.profile() == expected
    assert dgm.device() == ("cuda" if cuda else "cpu")


def test_gpu_profile_on_a_machine_without_gpu_trains_on_the_cpu(monkeypatch):
    monkeypatch.setenv("DGM_BUDGET", "gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert dgm.device() == "cpu"


def test_smoke_profile_stays_on_the_cpu(monkeypatch):
    monkeypatch.setenv("DGM_BUDGET", "smoke")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert dgm.device() == "cpu"


def test_bad_profile_names_the_choices(monkeypatch):
    monkeypatch.setenv("DGM_BUDGET", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*smoke, cpu, gpu"):
        dgm.budget(smoke=1, cpu=2, gpu=3)


def test_all_three_values_are_required():
    with pytest.raises(TypeError):
        dgm.budget(smoke=1, cpu=2)


def test_device_override(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("DGM_DEVICE", "cpu")
    assert dgm.device() == "cpu"
    monkeypatch.setenv("DGM_DEVICE", "cuda:0")
    with pytest.raises(RuntimeError, match="no CUDA device"):
        dgm.device()
    monkeypatch.setenv("DGM_DEVICE", "toaster")
    with pytest.raises(ValueError, match="not a torch device"):
        dgm.device()
    monkeypatch.setenv("DGM_DEVICE", "cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert dgm.device() == "cuda:1"


def test_generators_are_reproducible_and_independent_of_the_global_stream():
    first = torch.rand(4, generator=dgm.generator(7))
    torch.manual_seed(0)
    assert torch.equal(first, torch.rand(4, generator=dgm.generator(7)))
    assert not torch.equal(first, torch.rand(4, generator=dgm.generator(8)))


def test_seed_everything_seeds_all_three_streams():
    def draw():
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    dgm.seed_everything(3)
    first = draw()
    dgm.seed_everything(3)
    assert draw() == first
    dgm.seed_everything(2**40)  # larger than NumPy's seeds

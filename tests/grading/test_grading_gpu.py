"""What grading on a GPU adds, tested without one: student code here raises what torch would."""

import os

import pytest
import torch
from grading_helpers import DOUBLE, LIMITS, MEAN, RIGHT, SETUP, SUM, FakePool
from grading_helpers import submission as make

from autograder.grading import gpu
from autograder.grading.batch import Options, environment_here, open_pool
from autograder.grading.referee import Referee
from autograder.grading.submission import SubmissionGrader
from autograder.kernel import Execution, SandboxError

OOM = 'torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 14.74 GiB.")'
ASSERT = 'RuntimeError("CUDA error: device-side assert triggered\\nCompile with TORCH_USE_CUDA_DSA")'


@pytest.fixture
def fractions(monkeypatch):
    """What kernels asked for; torch's global settings are put back."""
    asked = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", asked.append)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield asked
    torch.use_deterministic_algorithms(False)
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@pytest.mark.parametrize(("slots", "fraction"), [(1, 1 / 2), (2, 1 / 3), (4, 1 / 5)])
def test_kernels_share_the_gpu_with_the_reference(slots, fraction):
    assert gpu.GpuShare(slots).fraction == pytest.approx(fraction)


def test_slots_bound_the_jobs_on_a_gpu_only():
    share = gpu.GpuShare(2)
    assert share.jobs(8, "cuda") == 2 and share.jobs(1, "cuda") == 1 and share.jobs(8, "cpu") == 8


def test_kernels_and_reference_are_set_up_alike(fractions):
    pool = gpu.open_pool(FakePool, "cuda", gpu.GpuShare(2), limits=LIMITS)
    assert pool.options["env"] == {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} == {
        name: os.environ[name] for name in gpu.ENVIRONMENT
    }
    assert torch.are_deterministic_algorithms_enabled() and torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    kernel = pool.start()
    assert fractions == [pytest.approx(1 / 3, abs=1e-4)] and torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory  # torch.empty as in the student's own notebook
    assert set(kernel.names) - {"__builtins__"} == {"__name__"}
    with pool:
        assert pool.level == "fake" and pool.kernels == [kernel]


def test_on_the_cpu_nothing_changes(monkeypatch):
    pool = open_pool(Options(limits=LIMITS), FakePool)
    assert type(pool) is FakePool and "env" not in pool.options
    assert pool.start().executed == [] and not torch.are_deterministic_algorithms_enabled()


def test_slots_are_part_of_a_gpu_results_key(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    two, four = (environment_here(1, "x", Options(device="cuda", gpu_share=gpu.GpuShare(slots))) for slots in (2, 4))
    assert two != four and two["hardware"] == "Tesla T4"
    here = [environment_here(1, "x", Options(gpu_share=gpu.GpuShare(slots))) for slots in (2, 4)]
    assert here[0] == here[1]


def test_a_kernel_without_the_gpu_is_the_graders_fault(fractions):
    class Pool(FakePool):
        def start(self):
            kernel = super().start()
            kernel.execute = lambda code, timeout: Execution("error", "RuntimeError", "No CUDA GPUs are available")
            return kernel

    pool = gpu.open_pool(Pool, "cuda", gpu.GpuShare(2))
    with pytest.raises(SandboxError, match="No CUDA GPUs are available"):
        pool.start()
    assert not pool.kernels[0].alive


def grade(problem_set, pool, *cells):
    return SubmissionGrader(problem_set, Referee(problem_set, 3), pool, LIMITS).grade(make("ada", *cells))


def test_out_of_memory_is_that_probes_row(problem_set):
    greedy = f"def double_sum(x):\n    raise {OOM}"
    result = grade(problem_set, FakePool(), SETUP, DOUBLE, greedy, MEAN)
    assert [question.status for question in result.questions] == ["passed", "error", "passed"]
    assert result.questions[1].probes[0].message == "It needs more GPU memory than one submission may use."
    assert result.questions[2].follow_through


def test_out_of_memory_in_a_cell_is_a_note(problem_set):
    result = grade(problem_set, FakePool(), *RIGHT, f"raise {OOM}")
    assert result.score == 10
    assert len(result.notes) == 1
    assert result.notes[0].endswith("): It needs more GPU memory than one submission may use.")


def test_a_gpu_broken_by_a_probe_costs_that_probe(problem_set):
    """After a failed assertion on the device nothing works in that process, so the next probe gets a fresh one."""
    pool = FakePool()
    result = grade(problem_set, pool, SETUP, DOUBLE, f"def double_sum(x):\n    raise {ASSERT}", MEAN)
    assert [question.score for question in result.questions] == [3, 0, 4]
    assert "device-side assert" in result.questions[1].probes[0].message
    assert len(pool.kernels) == 3  # q3 calls the same function in its first try, and passes in its second


def test_a_gpu_broken_by_a_cell_costs_that_cell(problem_set):
    pool = FakePool()
    result = grade(problem_set, pool, SETUP, DOUBLE, f"raise {ASSERT}", SUM, MEAN)
    assert result.score == 10 and len(pool.kernels) == 2
    assert len([code for kernel in pool.kernels for code in kernel.executed if "device-side" in code]) == 1


def test_other_errors_are_left_alone():
    assert gpu.plain_error("RuntimeError", "shapes do not match") is None
    assert gpu.plain_error("RuntimeError", "DefaultCPUAllocator: out of memory") is None
    assert not gpu.broke_the_gpu("CUDA error: out of memory")

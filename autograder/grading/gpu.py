"""Grading on a GPU: how many kernels share it, how much memory each may take, and results that repeat.

Nothing here runs when the device is the CPU. These settings are for fairness and repeatability, not for safety:
student code can undo them in its own process, and then runs out of memory at its own cost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.kernel import Kernel, KernelPool, SandboxError
from dgm.checks.runtime import Outcome

START_SECONDS = 120  # the first use of a GPU loads its libraries
ENVIRONMENT = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # without it matrix products on CUDA need not repeat
OUT_OF_MEMORY = "It needs more GPU memory than one submission may use."
SETTINGS = """\
torch.use_deterministic_algorithms(True, warn_only=True)
torch.utils.deterministic.fill_uninitialized_memory = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_tf32 = False
"""


@dataclass(frozen=True)
class GpuShare:
    """How one GPU is shared. ``slots`` kernels use it at once; the grader's reference has a share of its own."""

    slots: int = 2

    @property
    def fraction(self) -> float:
        """Of the GPU's memory, for one kernel."""
        return 1 / (self.slots + 1)

    def jobs(self, wanted: int, device: str) -> int:
        """Submissions at once: on a GPU no more than there are slots."""
        return wanted if device == "cpu" else min(wanted, self.slots)

    def prelude(self) -> str:
        """What a kernel runs before the student's cells; leaves no name behind."""
        body = f"import torch\ntorch.cuda.set_per_process_memory_fraction({self.fraction:.4f})\n{SETTINGS}"
        return f"exec({body!r}, {{}})"


def prepare_grader() -> None:
    """The same settings for the reference, in this process. To be called before the GPU is used."""
    os.environ.update(ENVIRONMENT)
    exec(f"import torch\n{SETTINGS}", {})


def open_pool(make_pool: Callable[..., KernelPool], device: str, share: GpuShare, **options: Any) -> KernelPool:
    """A kernel pool for the device; on a GPU every kernel of it is prepared."""
    if device == "cpu":
        return make_pool(device=device, **options)
    prepare_grader()
    return PreparedPool(make_pool(device=device, env=ENVIRONMENT, **options), share)  # type: ignore[return-value]


class PreparedPool:
    """A `KernelPool` whose kernels have run the prelude when they are handed out."""

    def __init__(self, pool: KernelPool, share: GpuShare) -> None:
        self._pool, self._prelude = pool, share.prelude()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def __enter__(self) -> PreparedPool:
        self._pool.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.__exit__(*exc)

    def start(self) -> Kernel:
        """A fresh kernel that may use its share of the GPU."""
        kernel = self._pool.start()
        try:
            done = kernel.execute(self._prelude, timeout=START_SECONDS)
            if done.status != "ok":
                raise SandboxError(f"A kernel cannot use the GPU: {done.ename or done.status} {done.evalue}".strip())
        except BaseException:
            kernel.close()
            raise
        return kernel


def plain_error(name: str, message: str) -> str | None:
    """One sentence instead of what torch says when the GPU's memory is used up; None for other errors."""
    if name in ("OutOfMemoryError", "RuntimeError", "AcceleratorError") and "out of memory" in message.lower():
        return OUT_OF_MEMORY if "CUDA" in message else None
    return None


def broke_the_gpu(message: str) -> bool:
    """Whether this process cannot use the GPU any more, as after a failed assertion on the device."""
    return "CUDA error:" in message and "out of memory" not in message


def explained(outcome: Outcome) -> Outcome:
    """The outcome of a probe with a plain sentence where the GPU's memory was not enough."""
    error = outcome.get("error") or {}
    text = plain_error(error.get("type", ""), error.get("message", ""))
    return outcome if text is None else {**outcome, "error": {"type": "", "message": text, "where": ""}}

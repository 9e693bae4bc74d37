"""Sandboxed Jupyter kernels that run students' code.

The grader's half of this package (pool, client, wire) never trusts what a kernel says; the other half
(zygote, child, app, harness) runs in the student's process and is of no use to an attacker.
"""

from autograder.kernel.ahead import PoolAhead
from autograder.kernel.client import Kernel
from autograder.kernel.pool import KernelPool
from autograder.kernel.sandbox import available_levels
from autograder.kernel.types import Execution, Limits, ProbeReply, SandboxError
from autograder.kernel.warmup import modules_for

__all__ = ["Execution", "Kernel", "KernelPool", "Limits", "PoolAhead", "ProbeReply", "SandboxError", "available_levels",
           "modules_for"]  # fmt: skip

"""Grades on many machines with Dask: the same work for each submission, the same results, the same cache.

The coordinator (the machine where the command runs) reads submissions, knows whose they are, and writes every result.
Workers get a problem set, a seed and code cells without a name, and return plain results.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autograder.errors import UserError

if TYPE_CHECKING:
    from autograder.cluster.coordinator import DaskWorkers


@contextmanager
def connect(
    where: str, *, jobs: int, device: str, gpu_slots: int, plain_tcp: bool = False
) -> Iterator[DaskWorkers]:
    """The workers for `grade_batch`: of the Dask scheduler at ``where``, or of this machine ("local", "local:4").

    Raises:
        UserError: Dask is not installed, the address is not valid or not safe, or nobody answers there.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        text = 'Grading on a cluster needs Dask: pip install "deep-generative-problem-sets[cluster]".'
        raise UserError(text, 3) from None
    from autograder.cluster.clients import open_client
    from autograder.cluster.coordinator import DaskWorkers

    with open_client(where, jobs, device, gpu_slots, plain_tcp) as client, DaskWorkers(client, device) as workers:
        yield workers

"""Connections to a Dask scheduler: one that runs somewhere, or one of our own on this machine."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import Client, LocalCluster

from autograder.errors import UserError

CONNECT_SECONDS = 30
_LOCAL = re.compile(r"local(?::(\d+))?")
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?[\w.\-\[\]:]+:\d+")


@contextmanager
def open_client(
    where: str, jobs: int, device: str, gpu_slots: int, plain_tcp: bool = False
) -> Iterator[Client]:
    """A client of the scheduler at ``where``; ``local`` and ``local:N`` start one here with N worker processes.

    Without ``plain_tcp`` a scheduler on another machine has to use TLS: whoever can listen in or answer in its place
    would get the hidden tests and could write the grades.
    """
    local = _LOCAL.fullmatch(where)
    if local:
        yield from _own_cluster(_count(local[1], jobs), device, gpu_slots)
    elif _ADDRESS.fullmatch(where) and not plain_tcp and not _is_safe(where):
        raise UserError(
            f"--cluster {where}: this would send the hidden tests and the grades over the network unencrypted; use "
            "tls:// (docs/scale-out.md says how), or --plain-tcp on a network that you trust."
        )
    elif _ADDRESS.fullmatch(where):
        yield from _at_address(where)
    else:
        raise UserError(f"--cluster {where}: give local, local:N, or a scheduler's address such as tls://host:8786.")


def _is_safe(where: str) -> bool:
    """Whether the address is encrypted, or of this machine."""
    scheme, _, rest = where.rpartition("://")
    host = rest.rpartition(":")[0].strip("[]")
    return scheme in ("tls", "wss") or host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def _count(written: str | None, jobs: int) -> int:
    count = jobs if written is None else int(written)
    if count < 1:
        raise UserError("--cluster local:N needs at least one worker.")
    return count


def _own_cluster(workers: int, device: str, gpu_slots: int) -> Iterator[Client]:
    """Worker processes on this machine, behind TLS, because other users of it can reach the port too."""
    if device == "cuda":
        workers = min(workers, gpu_slots)
    with _quiet(), dask.config.set({"distributed.scheduler.allowed-failures": 1}), LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", security=_security(),
        dashboard_address=None, memory_limit=None, silence_logs=logging.CRITICAL,
        resources={"GPU": 1} if device == "cuda" else None,
    ) as cluster, Client(cluster) as client:
        yield client


def _security() -> Any:
    from distributed.security import Security

    try:
        return Security.temporary()
    except ImportError:
        text = 'A local cluster needs cryptography: pip install "deep-generative-problem-sets[cluster]".'
        raise UserError(text, 3) from None


def _at_address(where: str) -> Iterator[Client]:
    try:
        client = Client(where, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"No Dask scheduler answers at {where}: {why}", 3) from None
    with client:
        yield client


@contextmanager
def _quiet() -> Iterator[None]:
    """Lost workers are our business, and no reason to fill the terminal."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.nanny", "distributed.scheduler")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

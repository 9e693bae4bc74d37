"""Starts kernels: keeps the warm zygote, chooses the sandbox, and hands out ``Kernel`` objects."""

from __future__ import annotations

import importlib.resources
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.kernel.client import Kernel
from autograder.kernel.handle import ProcessHandle, remove_tree
from autograder.kernel.sandbox import choose_level, namespaces, privileges, refuse_root, view
from autograder.kernel.sockets import KernelSockets
from autograder.kernel.types import Limits, SandboxError
from autograder.kernel.warmup import modules_for
from autograder.kernel.watchdog import Watchdog
from autograder.kernel.wire import Codec

START_SECONDS = 120  # a cold import of torch on a busy machine


class Zygote:
    """The process that forks kernels, seen from the grader."""

    def __init__(self, directory: Path, environment: Mapping[str, str], modules: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = directory / f"zygote-{ours.fileno()}.log"
        package = Path(__file__).resolve().parents[2]
        start = f"import sys; sys.path.insert(0, {str(package)!r}); from autograder.kernel import zygote; zygote.main()"
        with self._log.open("wb") as log, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", start, str(theirs.fileno())],
                env=dict(environment), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        ours.send(json.dumps({"modules": list(modules), "cache": str(_cache()), "directory": str(directory)}).encode())
        self._socket = ours
        self._lock = threading.Lock()
        self._ready = False

    def fork(self, spec: Mapping[str, Any]) -> socket.socket:
        """Ask for a kernel; returns the grader's end of its control socket."""
        with self._lock:
            self._wait_ready()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                try:
                    socket.send_fds(self._socket, [json.dumps(spec).encode()], [theirs.fileno()])
                except OSError as error:
                    ours.close()
                    raise SandboxError(f"The process that starts kernels is gone ({error}). {self._tail()}") from error
            return ours

    def _wait_ready(self) -> None:
        if self._ready:
            return
        self._socket.settimeout(START_SECONDS)
        try:
            answer = self._socket.recv(4096)
        except OSError as error:
            raise SandboxError(f"The process that starts kernels did not come up ({error}). {self._tail()}") from error
        finally:
            self._socket.settimeout(10)
        if not answer:
            raise SandboxError(f"The process that starts kernels died at once. {self._tail()}")
        self._ready = True

    def _tail(self) -> str:
        try:
            return self._log.read_text(errors="replace")[-1500:].strip()
        except OSError:
            return ""

    def close(self) -> None:
        """End the zygote, and with it whatever kernels are left."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


class KernelPool:
    """Makes sandboxed kernels. ``start`` may be called from several threads; a kernel belongs to one at a time."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        sandbox: str = "auto",
        allow_weaker: bool = False,
        device: str = "cpu",
        warm: bool = True,
        modules: Sequence[str] | None = None,
        threads: int = 1,
        env: Mapping[str, str] | None = None,
        readable: Sequence[Path] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.device = device
        self.threads = threads
        self._modules = () if not warm else modules_for(None) if modules is None else tuple(modules)
        self._environment = _environment(device, env or {})
        self._watchdog = Watchdog()
        self._lock = threading.Lock()
        self._kernels: set[Kernel] = set()
        self._closed = False
        self._directory = Path(tempfile.mkdtemp(prefix="dgmpool-", dir=_short_temporary_directory()))
        self._directory.chmod(0o711)
        privileges.allow_many_files()
        self._zygote = self._new_zygote() if warm else None  # first of all, as it takes long
        try:
            self.level = choose_level(sandbox, allow_weaker=allow_weaker)
            dgm = view.dgm_directory()
            self._view = view.describe(readable, device, dgm)
            refuse_root(self.level, self._view["readable"])
            self._path = _import_path(dgm)
            self._harness = importlib.resources.files("autograder.kernel").joinpath("harness.py").read_text()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> KernelPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _new_zygote(self) -> Zygote:
        extra = {"HOME": "/nonexistent", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return Zygote(self._directory, {**self._environment, **extra}, self._modules)

    def start(self) -> Kernel:
        """A fresh kernel, locked down and ready."""
        if self._closed:
            raise SandboxError("This kernel pool is closed.")
        own = None if self._zygote else self._new_zygote()
        try:
            return self._start(self._zygote or own, own)
        except BaseException:
            if own is not None:
                own.close()
            raise

    def _start(self, zygote: Zygote | None, own: Zygote | None) -> Kernel:
        assert zygote is not None
        uid = self._identity()
        codec = Codec()
        scratch = None if self.level == "namespaces" else self._new_scratch(uid)
        sockets = KernelSockets(self._directory, self.limits.message_bytes, uid)
        handle = None
        try:
            inside = namespaces.SOCKETS if self.level == "namespaces" else str(sockets.directory)
            control = zygote.fork({
                "level": self.level, "limits": asdict(self.limits), "view": self._view, "uid": uid,
                "scratch": str(scratch) if scratch else namespaces.SCRATCH,
                "sockets": str(sockets.directory), "socket_directory": inside,
                "key": codec.key, "env": self._environment | {"OMP_NUM_THREADS": str(self.threads)},
                "path": self._path, "threads": self.threads, "device": self.device, "harness": self._harness,
                "data_mb": self.limits.memory_mb if self.device == "cpu" else None,
            })  # fmt: skip
            handle = ProcessHandle(control, uid=uid, scratch=scratch)
            kernel = Kernel(self, handle, sockets, codec, own)
            handle.wait_started(START_SECONDS)
            kernel.wait_ready(START_SECONDS)
        except BaseException:
            if handle is not None:
                handle.kill()
            sockets.close()
            if scratch is not None:
                remove_tree(scratch)
            raise
        with self._lock:
            self._kernels.add(kernel)
        self._watchdog.add(handle, self.limits)
        return kernel

    def _identity(self) -> int | None:
        """The user id of the next kernel; None to keep our own (without its capabilities)."""
        inside = self.level == "namespaces"
        if inside and not namespaces.privileged():
            return None
        # in namespaces the directories above are our own making, elsewhere they must let that user pass
        return privileges.identity(self._view["readable"], parents=not inside)

    def _new_scratch(self, uid: int | None) -> Path:
        scratch = Path(tempfile.mkdtemp(prefix="k-", dir=self._directory))
        for path in (*(scratch / name for name in namespaces.IN_SCRATCH), scratch):
            path.mkdir(mode=0o700, exist_ok=True)
            if uid is not None:
                os.chown(path, uid, uid)
        return scratch

    def stop_all(self) -> None:
        """End all kernels from any thread; whoever waits for one sees that it died."""
        with self._lock:
            left = list(self._kernels)
        for kernel in left:
            kernel.stop()

    def forget(self, kernel: Kernel, handle: ProcessHandle) -> None:
        """Called by a kernel that closes."""
        self._watchdog.remove(handle)
        with self._lock:
            self._kernels.discard(kernel)

    def close(self) -> None:
        """Kill what is left and remove every trace."""
        self._closed = True
        with self._lock:
            left = list(self._kernels)
        for kernel in left:
            kernel.close()
        if self._zygote is not None:
            self._zygote.close()
        self._watchdog.close()
        remove_tree(self._directory)


def _cache() -> Path:
    """Where matplotlib keeps its list of fonts from one run to the next."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dgm-autograder"


def _short_temporary_directory() -> str | None:
    """Names of sockets may have 107 characters."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"


def _import_path(dgm: Path | None) -> list[str]:
    """The import path of a kernel: standard library, site-packages, and where dgm lies."""
    base = [path for path in sys.path if path and path.startswith((sys.base_prefix, sys.prefix))]
    grader = str(Path(__file__).resolve().parents[2])
    base = [path for path in base if path != grader]
    return base if dgm is None or str(dgm.parent) in base else [*base, str(dgm.parent)]


def _environment(device: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Everything a kernel knows of the environment, apart from its own directories."""
    keep = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1", "DGM_GRADING": "1", "DGM_BUDGET": "smoke",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # fmt: skip
    if device == "cpu":
        keep["CUDA_VISIBLE_DEVICES"] = ""
    elif "CUDA_VISIBLE_DEVICES" in os.environ:
        keep["CUDA_VISIBLE_DEVICES"] = os.environ["CUDA_VISIBLE_DEVICES"]
    if device != "cpu" and "LD_LIBRARY_PATH" in os.environ:
        keep["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return {**keep, **extra}

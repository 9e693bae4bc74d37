"""Which part of the file system a kernel may see. Worked out by the grader, once a pool."""

from __future__ import annotations

import glob
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/fonts",
          "/etc/alternatives", "/etc/localtime", "/etc/mime.types", "/sys/devices/system/cpu")  # fmt: skip
IN_PREFIX = ("bin", "lib", "lib64", "include", "share", "etc", "pyvenv.cfg")
GPU_SYSTEM = ("/sys/devices", "/sys/bus", "/sys/class", "/sys/module")
GPU_DEVICES = ("/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/dri/*", "/dev/kfd", "/dev/zero")


def dgm_directory() -> Path | None:
    """The directory of the ``dgm`` package, if there is one."""
    spec = importlib.util.find_spec("dgm")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


class View(TypedDict):
    """What a kernel may see of the file system."""

    readable: list[str]  # real paths
    links: dict[str, str]  # where else they can be found
    masked: list[str]  # hidden although below a readable path
    devices: list[str]


def describe(readable: Sequence[Path], device: str, dgm: Path | None) -> View:
    """The interpreter, the libraries, ``dgm`` alone, and what was asked for."""
    wanted = [*SYSTEM, *_interpreter(), *(str(Path(path).absolute()) for path in readable)]
    if device != "cpu":
        wanted += GPU_SYSTEM
    if dgm is not None:
        wanted.append(str(dgm))
    wanted = [path for path in wanted if os.path.exists(path)]
    visible = _outermost([os.path.realpath(path) for path in wanted])
    # a path that leads through a link is made again as one link to the real place
    links = {path: os.path.realpath(path) for path in wanted if os.path.realpath(path) != path}
    grader = Path(__file__).resolve().parents[2]
    masked = [str(grader)] if _below(str(grader), visible) else []
    devices = [path for pattern in GPU_DEVICES for path in glob.glob(pattern)] if device != "cpu" else []
    return {
        "links": {link: links[link] for link in sorted(links) if not _below(link, visible)},
        "readable": visible,
        "masked": masked,
        "devices": [path for path in devices if not os.path.isdir(path)],
    }


def _interpreter() -> list[str]:
    """Only the parts of a prefix that Python needs: a virtual environment may be a whole repository."""
    found = [os.path.join(prefix, name) for prefix in {sys.prefix, sys.base_prefix} for name in IN_PREFIX]
    found += [path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))]
    found += [os.path.join(sys.base_exec_prefix, "lib"), os.path.realpath(sys.executable)]
    return [path for path in found if path not in ("/usr/lib", "/usr/bin")]


def _below(path: str, parents: Sequence[str]) -> bool:
    return any(path == parent or path.startswith(parent.rstrip("/") + "/") for parent in parents)


def _outermost(paths: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not _below(path, kept):
            kept.append(path)
    return kept

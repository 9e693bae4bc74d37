"""The levels of isolation, best first, and which of them work on this machine."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.kernel.sandbox import landlock, privileges, view
from autograder.kernel.types import SandboxError

LEVELS = ("namespaces", "landlock", "process")
AS_ROOT = "kernels would run as root: "  # how the reason begins


@functools.cache
def available_levels() -> dict[str, str]:
    """Every level with "" where it works here, or else the reason why it does not. Found out by trying."""
    if not sys.platform.startswith("linux"):
        return dict.fromkeys(LEVELS, "kernels need Linux; elsewhere use a container or a virtual machine")
    root = privileges.stays_root(view.describe([], "cpu", view.dgm_directory())["readable"])
    as_root = AS_ROOT + root if root else ""
    no_landlock = "" if landlock.abi() else "this Linux has no Landlock, or it is switched off"
    return {"namespaces": _try_namespaces(), "landlock": no_landlock or as_root, "process": as_root}


def refuse_root(level: str, readable: Sequence[str]) -> None:
    """Raise SandboxError where a kernel at this level would run as root: its ``kill(-1)`` would end everything."""
    reason = "" if level == "namespaces" else privileges.stays_root(readable)
    if reason:
        raise _would_be_root(level, AS_ROOT + reason)


def _would_be_root(level: str, reason: str, namespaces: str = "") -> SandboxError:
    why_not = f", which does not work here: {namespaces}" if namespaces else ""
    return SandboxError(
        f"The sandbox level {level!r} is refused, because {reason}. Install Python and this repository where an "
        f"ordinary user can read them, or run as an ordinary user, or use the level namespaces{why_not}.", 2,
    )  # fmt: skip


def choose_level(wanted: str, *, allow_weaker: bool) -> str:
    """The level to use; SandboxError when ``wanted`` does not work here and nothing weaker is allowed."""
    if wanted != "auto" and wanted not in LEVELS:
        raise SandboxError(f"There is no sandbox level {wanted!r}; choose among {', '.join(LEVELS)} and auto.", 2)
    reasons = available_levels()
    if wanted != "auto" and reasons[wanted] and not allow_weaker:
        if reasons[wanted].startswith(AS_ROOT):
            raise _would_be_root(wanted, reasons[wanted], reasons["namespaces"])
        raise SandboxError(
            f"The sandbox level {wanted!r} does not work here: {reasons[wanted]}. "
            "Choose a weaker level, or allow one explicitly."
        )
    start = 0 if wanted == "auto" else LEVELS.index(wanted)
    for level in LEVELS[start:]:
        if not reasons[level]:
            return level
    if reasons[LEVELS[-1]].startswith(AS_ROOT):
        raise _would_be_root(LEVELS[-1], reasons[LEVELS[-1]], reasons["namespaces"])
    raise SandboxError(f"No sandbox level works here: {reasons[LEVELS[-1]]}.")


def _try_namespaces() -> str:
    """Build a small private root in a separate process, the way a kernel would."""
    package = Path(__file__).resolve().parents[3]
    code = (
        f"import sys; sys.path.insert(0, {str(package)!r})\nfrom autograder.kernel.sandbox import trial; trial.main()"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, env={"PATH": os.defpath}
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    lines = (done.stdout.strip() or done.stderr.strip() or "it failed without a reason").splitlines()
    return "" if lines[-1] == "fine" else lines[-1]

"""The levels of isolation, best first, and which of them work on this machine."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

from autograder.kernel.sandbox import landlock
from autograder.kernel.types import SandboxError

LEVELS = ("namespaces", "landlock", "process")


@functools.cache
def available_levels() -> dict[str, str]:
    """Every level with "" where it works here, or else the reason why it does not. Found out by trying."""
    if not sys.platform.startswith("linux"):
        return dict.fromkeys(LEVELS, "kernels need Linux; elsewhere use a container or a virtual machine")
    landlock_reason = "" if landlock.abi() else "this Linux has no Landlock, or it is switched off"
    return {"namespaces": _try_namespaces(), "landlock": landlock_reason, "process": ""}


def choose_level(wanted: str, *, allow_weaker: bool) -> str:
    """The level to use; SandboxError when ``wanted`` does not work here and nothing weaker is allowed."""
    if wanted != "auto" and wanted not in LEVELS:
        raise SandboxError(f"There is no sandbox level {wanted!r}; choose among {', '.join(LEVELS)} and auto.", 2)
    reasons = available_levels()
    if wanted != "auto" and reasons[wanted] and not allow_weaker:
        raise SandboxError(
            f"The sandbox level {wanted!r} does not work here: {reasons[wanted]}. "
            "Choose a weaker level, or allow one explicitly."
        )
    start = 0 if wanted == "auto" else LEVELS.index(wanted)
    for level in LEVELS[start:]:
        if not reasons[level]:
            return level
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

"""Runs as an ordinary user: tries a few break-outs at every level and prints the outcome as JSON."""

import json
import os
import sys
from typing import Any

from autograder.kernel import KernelPool, available_levels
from autograder.kernel.tree import descendants


def runs(pid: int) -> bool:
    """Whether a process is there and not only waits to be collected."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def attempt(level: str, secret: str) -> dict[str, Any]:
    """What student code can do at one level."""
    with KernelPool(sandbox=level, warm=False) as pool:
        kernel = pool.start()
        below = [kernel._handle.init_pid, *descendants(kernel._handle.init_pid)]
        request = {"source": "def ask(s, rng):\n    return s.f(1)\n", "name": "ask", "seed": 1, "device": "cpu"}
        kernel.execute("def f(x): return x")
        found = {
            "secret": kernel.execute(f"print(open({secret!r}).read(), end='')").stdout_tail,
            "grader": kernel.execute(f"import os; os.kill({os.getpid()}, 0); print('signalled')").stdout_tail,
            "probe": kernel.probe(request).status,
        }
        kernel.close()
    return {**found, "left": sum(map(runs, below))}


if __name__ == "__main__":
    reasons = available_levels()
    answers = {level: attempt(level, sys.argv[1]) for level, reason in reasons.items() if not reason}
    print(json.dumps({"uid": os.getuid(), "reasons": reasons, **answers}))

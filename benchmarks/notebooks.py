"""How long a problem set's solution notebook takes in the smoke and cpu profiles, and its peak memory.

    python benchmarks/notebooks.py ps1 [--profile smoke] [--profile cpu]

Runs each profile in a fresh kernel through nbclient, as a student's Jupyter would, without the time of starting it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

from autograder.course import course_root
from autograder.sets import find_outline

RUN = """
import json, os, resource, sys, time
sys.modules["rfc3987_syntax"] = None  # 2.7 s of import that is not needed
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": sys.argv[2]}})
slowest = (0.0, "")
with client.setup_kernel():
    start = time.perf_counter()
    for index, cell in enumerate(notebook.cells):
        begun = time.perf_counter()
        client.execute_cell(cell, index)
        seconds = time.perf_counter() - begun
        if seconds > slowest[0]:
            slowest = (seconds, cell.source.strip().splitlines()[0][:70] if cell.source.strip() else "")
    seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, "slowest": slowest}))
"""


def measure(notebook: str, profile: str) -> dict:
    """Run the notebook in ``profile``; returns seconds, peak_mb and the slowest cell."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DGM_BUDGET": profile}
        command = [sys.executable, "-c", RUN, notebook, folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{notebook} fails in the {profile} profile:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem_set", nargs="?", default="ps1")
    parser.add_argument("--profile", action="append", choices=["smoke", "cpu", "gpu"])
    options = parser.parse_args()
    outline = find_outline(options.problem_set, course_root())
    for profile in options.profile or ["smoke", "cpu"]:
        result = measure(str(outline.solution_notebook), profile)
        print(
            f"{outline.name} {profile:5s} {result['seconds']:7.1f} s   peak memory {result['peak_mb']:6.0f} MB   "
            f"slowest cell {result['slowest'][0]:.1f} s: {result['slowest'][1]}"
        )


if __name__ == "__main__":
    main()

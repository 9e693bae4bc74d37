"""Makes the file that a student hands in: a zip with the notebook (without outputs) and a small manifest."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from dgm.checks.status import STUB
from dgm.grader.payload import EMPTY_ANSWER
from dgm.grader.results import Message, unwritten_line

MAX_BYTES = 20 * 2**20
STUB_LINE = re.compile(rf'^\s*raise NotImplementedError\("{STUB}"\)', re.MULTILINE)
BY_HAND = "You can also hand in the notebook file itself (on Colab: File → Download → Download .ipynb)."


class ExportProblem(Exception):
    """Why there is nothing to hand in yet: one sentence."""


def export(
    assignment: str, notebook: str | os.PathLike[str] | None, namespace: Mapping[str, Any], checks: Mapping[str, Any],
    written: Sequence[str] = (),
) -> Message:
    """Write ``<assignment>_submission.zip`` in the current folder; on Colab also download it.

    Args:
        assignment: For example "ps1".
        notebook: Its file; None to find it.
        namespace: The notebook's names, in which some front ends tell its file.
        checks: What the student's own checks said: a claim, kept for the student's peace of mind.
        written: The questions with a written answer.
    """
    try:
        colab = notebook is None and on_colab()
        name, data, note = (f"{assignment}.ipynb", _from_colab(), "") if colab else _from_disk(
            assignment, notebook, namespace
        )
        target = Path.cwd() / f"{assignment}_submission.zip"
        size = _write(target, assignment, name, _without_outputs(data), checks)
    except ExportProblem as problem:
        return Message(f"{problem} {BY_HAND}", ok=False, title="Not exported")
    except OSError as error:
        problem_text = f"The file cannot be written: {error.strerror or error}."
        return Message(f"{problem_text} {BY_HAND}", ok=False, title="Not exported")
    lines = [f"{target.name} ({size / 1024:.0f} kB){note}."]
    downloading = colab and _download(target)
    lines.append("Your browser downloads it now; hand in that file." if downloading else "Hand in that file.")
    unchecked = [id for id, claim in checks.items() if claim is None]
    if unchecked:
        lines.append(f"Not checked in this session: {', '.join(unchecked)}.")
    failing = [id for id, claim in checks.items() if claim is not None and not claim["passed"]]
    if failing:
        lines.append(f"Public checks failed for {', '.join(failing)}.")
    open = _stubs(data)
    if open:
        lines.append(f"Still stubs in the saved notebook: {', '.join(open)}.")
    empty = unwritten(data, written)
    if empty:
        lines.append(unwritten_line(empty))
    return Message("\n".join(lines), title="Exported")


def unwritten(data: Mapping[str, Any], questions: Sequence[str]) -> list[str]:
    """Those of the questions whose written answer is still empty in the notebook."""
    return [id for id in questions if any(_is_empty(cell) for cell in data["cells"] if _question_written(cell) == id)]


def _stubs(data: Mapping[str, Any]) -> list[str]:
    """The functions whose stubs are still there, by question: "q5 (psnr, denoise)"."""
    found: dict[str, list[str]] = {}
    for cell in data["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            for question, name in STUB_LINE.findall(_source(cell)):
                found.setdefault(f"q{question}", []).append(name)
    return [f"{question} ({', '.join(names)})" for question, names in found.items()]


def _question_written(cell: Any) -> str | None:
    """The question of a written answer's cell. Some front ends drop our metadata but keep nbgrader's or the id."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "markdown":
        return None
    names = [cell.get("id")]
    metadata = cell.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("nbgrader"), dict):
        names.append(metadata["nbgrader"].get("grade_id"))
    for name in names:
        if isinstance(name, str) and "-written-" in name:
            return name.split("-written-")[0]
    return None


def _is_empty(cell: Mapping[str, Any]) -> bool:
    return _source(cell).strip() in ("", EMPTY_ANSWER)


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source))


def saved_notebook(namespace: Mapping[str, Any]) -> dict[str, Any] | None:
    """The notebook of this kernel as it was saved, if the front end tells its file; never a guess."""
    path = _told(namespace)
    try:
        return None if path is None else _checked(json.loads(path.read_text(encoding="utf-8-sig")), str(path))
    except (OSError, ValueError, ExportProblem):
        return None


def on_colab() -> bool:
    """True in a Colab kernel, which has imported its own package."""
    return "google.colab" in sys.modules


def _from_colab() -> dict[str, Any]:
    try:
        from google.colab import _message

        reply = _message.blocking_request("get_ipynb", request="", timeout_sec=60)
        data = reply["ipynb"]
    except Exception as error:  # Colab's own interface, without a promise
        raise ExportProblem(f"Colab did not hand over the notebook ({type(error).__name__}).") from None
    return _checked(data, "The notebook from Colab")


def _download(path: Path) -> bool:
    try:
        from google.colab import files

        files.download(str(path))
    except Exception:  # blocked by the browser, or no front end: the file is still in Colab's file list
        return False
    return True


def _from_disk(
    assignment: str, notebook: str | os.PathLike[str] | None, namespace: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str]:
    path = Path(notebook) if notebook is not None else _find(assignment, namespace)
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ExportProblem(f"There is no file {path}.") from None
    except (OSError, ValueError):
        raise ExportProblem(f"{path} cannot be read as a notebook.") from None
    age = max(0.0, time.time() - path.stat().st_mtime)
    return f"{assignment}.ipynb", _checked(data, str(path)), f", from {path.name} as saved {_ago(age)} ago"


def _told(namespace: Mapping[str, Any]) -> Path | None:
    """The notebook this kernel belongs to, as far as the front end tells."""
    for name in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            path = Path(name) if Path(name).is_file() else Path.cwd() / Path(name).name
            if path.is_file():
                return path
    return None


def _find(assignment: str, namespace: Mapping[str, Any]) -> Path:
    """The notebook that the front end tells; else the only candidate here."""
    told = _told(namespace)
    if told is not None:
        return told
    candidates = [path for path in sorted(Path.cwd().glob("*.ipynb")) if _belongs(path, assignment)]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise ExportProblem(
            f'There is no notebook of {assignment} in {Path.cwd()}: name it, grader.export("path/to/notebook.ipynb").'
        )
    names = ", ".join(path.name for path in candidates)
    raise ExportProblem(f"There are several notebooks of {assignment} here ({names}): name one, grader.export(\"…\").")


def _belongs(path: Path, assignment: str) -> bool:
    if path.stem.endswith("_solution"):
        return False
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        return bool(data["metadata"]["dgm"]["assignment"] == assignment)
    except (OSError, ValueError, KeyError, TypeError):
        return path.stem == assignment


def _checked(data: Any, what: str) -> dict[str, Any]:
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise ExportProblem(f"{what} is not a notebook.")
    return data


def _without_outputs(data: dict[str, Any]) -> dict[str, Any]:
    cells = []
    for cell in data["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell = {**cell, "outputs": [], "execution_count": None}
        cells.append(cell)
    kept = {key: value for key, value in data.get("metadata", {}).items() if key != "widgets"}
    return {**data, "cells": cells, "metadata": kept}


def _write(target: Path, assignment: str, name: str, data: dict[str, Any], checks: Mapping[str, Any]) -> int:
    raw = (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        raise ExportProblem(
            f"The notebook is {len(raw) / 2**20:.0f} MB without its outputs; remove large pasted images "
            f"(at most {MAX_BYTES // 2**20} MB)."
        )
    manifest = {
        "assignment": assignment,
        "dgm": _version(),
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "notebook": name,
        "notebook_sha256": hashlib.sha256(raw).hexdigest(),
        "checks_claimed": {id: claim for id, claim in checks.items() if claim is not None},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, raw)
        archive.writestr("manifest.json", json.dumps(manifest, indent=1) + "\n")
    part = target.with_name(target.name + ".part")
    part.write_bytes(buffer.getvalue())
    os.replace(part, target)
    return len(buffer.getvalue())


def _version() -> str:
    try:
        return metadata.version("deep-generative-problem-sets")
    except metadata.PackageNotFoundError:
        return "unknown"


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"

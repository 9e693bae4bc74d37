"""What a worker needs to know, as bytes: the problem set's files, the secret seed, and how to grade."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.errors import UserError
from autograder.grading.batch import Options
from autograder.grading.gpu import GpuShare
from autograder.kernel import Limits
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.sets import Outline, SetFolder


@dataclass(frozen=True)
class Bundle:
    """``data`` and its SHA-256, under which a worker keeps what it has made of it."""

    data: bytes
    digest: str


def pack(problem_set: ProblemSet, seed: int, options: Options) -> Bundle:
    """The files that decide about results, and the settings of the run."""
    folder = problem_set.outline.folder
    content = {
        "folder": folder.path.name, "outline": problem_set.name,
        "files": {
            path.relative_to(folder.path).as_posix(): path.read_text(encoding="utf-8")
            for path in folder.trusted_files()
        },
        "seed": seed, "device": options.device, "sandbox": options.sandbox, "allow_weaker": options.allow_weaker,
        "limits": asdict(options.limits), "gpu_slots": options.gpu_share.slots,
    }
    data = json.dumps(content, sort_keys=True).encode()
    return Bundle(data, hashlib.sha256(data).hexdigest())


def unpack(data: bytes, digest: str) -> tuple[ProblemSet, int, Options]:
    """Load the problem set from a private folder that is gone afterwards: what is needed of it is then in memory,
    and no student code can find it, whatever the sandbox.

    Raises:
        UserError: The bytes are not those of the digest, or the problem set cannot be loaded here.
    """
    if hashlib.sha256(data).hexdigest() != digest:
        raise UserError("The problem set was damaged on its way to a worker.")
    content: dict[str, Any] = json.loads(data)
    options = Options(
        device=content["device"], sandbox=content["sandbox"], allow_weaker=content["allow_weaker"],
        limits=Limits(**content["limits"]), gpu_share=GpuShare(content["gpu_slots"]),
    )
    with tempfile.TemporaryDirectory(prefix="dgmset-") as private:
        folder = Path(private) / _safe(content["folder"])
        for name, text in content["files"].items():
            path = folder / _safe(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load_problem_set(Outline(SetFolder(folder), content["outline"])), content["seed"], options


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise UserError(f"The problem set holds a file with a path that leads outside: {name!r}.")
    return path

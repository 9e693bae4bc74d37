"""Reads ``course.toml``: the course's title, dates and weights of its sets, late policy and letter grades."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import UserError


@dataclass(frozen=True)
class SetInfo:
    """One assignment of the course: due date (ISO 8601 or empty) and weight in the course grade."""

    name: str
    due: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Course:
    """The course. ``repository`` and ``branch`` make the Colab links; ``sandbox`` is the weakest level accepted."""

    root: Path
    title: str
    repository: str
    branch: str = "main"
    sandbox: str = "auto"
    limits: dict[str, float] = field(default_factory=dict)
    sets: tuple[SetInfo, ...] = ()
    late: dict[str, Any] = field(default_factory=dict)
    letters: dict[str, float] = field(default_factory=dict)

    def set_info(self, name: str) -> SetInfo | None:
        return next((info for info in self.sets if info.name == name), None)

    def colab_url(self, notebook: str) -> str:
        """The address that opens a notebook of the repository (path relative to its root) on Colab."""
        return f"https://colab.research.google.com/github/{self.repository}/blob/{self.branch}/{notebook}"


def course_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds ``course.toml``; without one, the checkout this package runs from."""
    here = (start or Path.cwd()).resolve()
    checkout = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, checkout):
        if (folder / "course.toml").is_file():
            return folder
    raise UserError("No course.toml here or in a folder above: run this inside the course's repository.")


def load_course(root: Path | None = None) -> Course:
    """Read and check ``course.toml``. Raises `UserError`."""
    root = root or course_root()
    path = root / "course.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    try:
        head = data["course"]
        sets = tuple(_set_info(path, name, values) for name, values in data.get("sets", {}).items())
        grading = data.get("grading", {})
        return Course(
            root, head["title"], head["repository"], head.get("branch", "main"), grading.get("sandbox", "auto"),
            grading.get("limits", {}), sets, data.get("late", {}), data.get("letters", {}),
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: {error} is missing or not known; see docs/course.md.") from None


def _set_info(path: Path, name: str, values: dict[str, Any]) -> SetInfo:
    unknown = [key for key in values if key not in ("due", "weight")]
    if unknown:
        raise UserError(f"{path}: [sets.{name}] has due and weight, not {unknown[0]}; a set's title is in its outline.")
    return SetInfo(name, **values)

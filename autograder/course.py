"""Reads ``course.toml``: the course's title, sets, dates, weights, late policy and letter grades."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import UserError


@dataclass(frozen=True)
class SetInfo:
    """One problem set in the course: title, folder, due date (ISO 8601 or empty) and weight in the course grade."""

    name: str
    title: str
    folder: str
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
        sets = tuple(SetInfo(name=name, **values) for name, values in data["sets"].items())
        grading = data.get("grading", {})
        return Course(
            root, head["title"], head["repository"], head.get("branch", "main"), grading.get("sandbox", "auto"),
            grading.get("limits", {}), sets, data.get("late", {}), data.get("letters", {}),
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: {error} is missing or not known; see docs/course.md.") from None


def find_folder(name: str, root: Path) -> Path:
    """The folder of problem set ``name`` ("ps1", "ps1_simple_models" or a path). Raises `UserError`."""
    direct = Path(name)
    if (direct / "source.py").is_file():
        return direct.resolve()
    matches = [path for path in sorted(root.glob("*/source.py")) if name in (path.parent.name, short_name(path.parent))]
    if matches:
        return matches[0].parent
    known = ", ".join(short_name(path.parent) for path in sorted(root.glob("ps*/source.py"))) or "none"
    raise UserError(f"There is no problem set {name!r} here. Known: {known}.")


def short_name(folder: Path) -> str:
    """``ps1`` for the folder ``ps1_simple_models``."""
    return folder.name.split("_")[0]

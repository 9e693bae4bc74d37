"""An outline: which questions an assignment has, in which order, and which are optional. A small TOML file.

::

    title = "Simple models"
    core = ["q01_stable_log_probabilities", "q02_the_gaussian"]
    optional = ["q15_colour"]               # bonus points
    opening = "opening.py"                  # the default
    closing = "closing.py"                  # the default
    bonus_limit = 10                        # how many bonus points count at most; without it all of them
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from autograder.errors import UserError
from autograder.sets import Outline

KEYS = ("title", "core", "optional", "opening", "closing", "bonus_limit")


@dataclass(frozen=True)
class OutlineContent:
    """What an outline says: ``core`` and ``optional`` are ids of questions, in order.

    ``bonus_limit`` is how many bonus points count at most; None if all do.
    """

    title: str
    core: tuple[str, ...]
    optional: tuple[str, ...] = ()
    opening: str = "opening.py"
    closing: str = "closing.py"
    bonus_limit: float | None = None

    @property
    def questions(self) -> tuple[str, ...]:
        return (*self.core, *self.optional)


def read_outline(outline: Outline) -> OutlineContent:
    """Read and check an outline. Raises `UserError`, one sentence that names the file."""
    path = outline.path
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    unknown = [key for key in data if key not in KEYS]
    if unknown:
        raise UserError(f"{path}: {unknown[0]} is not known; an outline has {', '.join(KEYS)}.")
    for key in ("title", "opening", "closing"):
        if not isinstance(data.get(key, ""), str):
            raise UserError(f"{path}: {key} must be a text.")
    if not data.get("title"):
        raise UserError(f"{path}: the title is missing.")
    core, optional = (_ids(outline, data.get(key, []), key) for key in ("core", "optional"))
    chosen = [*core, *optional]
    if not chosen:
        raise UserError(f'{path}: it names no questions; write core = ["q01_…"].')
    twice = [id for id in chosen if chosen.count(id) > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]} is named twice.")
    names = {key: data[key] for key in ("opening", "closing") if key in data}
    for name in names.values():
        part = outline.folder.part(name)
        if part.parent != outline.folder.path or part.suffix != ".py" or not part.is_file():
            raise UserError(f"{path}: there is no file {name} beside it (a file of cells, such as opening.py).")
    limit = data.get("bonus_limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit >= 0):
        raise UserError(f"{path}: bonus_limit must be a number of points.")
    return OutlineContent(data["title"], core, optional, **names, bonus_limit=limit)


def _ids(outline: Outline, names: object, key: str) -> tuple[str, ...]:
    """The ids of questions named by their folder or their id."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{outline.path}: {key} must be a list of questions' folders.")
    found = []
    for name in names:
        id = outline.folder.find(name)
        if id is None:
            listed = ", ".join(outline.folder.questions.values()) or "no folders of questions"
            raise UserError(f"{outline.path}: there is no question {name}; the set has {listed}.")
        found.append(id)
    return tuple(found)

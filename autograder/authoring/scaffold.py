"""Writes a new question, and a new problem set where there is none: a start that builds and can be proved."""

from __future__ import annotations

import importlib.resources
import keyword
import re
from pathlib import Path
from string import Template

from autograder.errors import UserError
from autograder.files import write_atomically
from autograder.probes.outline import read_outline
from autograder.sets import Outline, SetFolder, question_id

QUESTION_FILES = ("cells.py", "probes.py", "mistakes.py", "alternatives.py", "test_reference.py")
SET_FILES = ("opening.py", "closing.py")
_SET_NAME = re.compile(r"[A-Za-z]\w*")
_CORE = re.compile(r"^core\s*=\s*\[(?P<items>[^\]]*)\]", re.MULTILINE)


def new_question(path: Path) -> list[Path]:
    """Write a question's folder, and add it to the outline of its problem set.

    Args:
        path: the folder to make, such as ``ps1_simple_models/q07_topic``; if there is no problem set yet, one is made.

    Returns:
        The files written.

    Raises:
        UserError: the name is not right or taken, or a file cannot be written.
    """
    path = path.resolve()
    folder, id = SetFolder(path.parent), question_id(path.name)
    name = path.name.partition("_")[2]
    if id is None or not name.isidentifier():
        raise UserError(f"{path.name} is no name for a question: write a number and a topic, such as q07_histogram.")
    if keyword.iskeyword(name):
        raise UserError(f"{name} is a word of Python, and cannot be a question's topic: choose another.")
    if (folder.path / "course.toml").exists():
        raise UserError(f"{path.name}: name the problem set, too, such as ps6_energy_models/{path.name}.")
    if not _SET_NAME.fullmatch(folder.path.name):
        raise UserError(f"{folder.path.name} is no name for a problem set: write one such as ps6_energy_models.")
    if path.exists():
        raise UserError(f"{path} exists already.")
    if folder.path.is_dir() and id in folder.questions:
        raise UserError(f"{folder.path / folder.questions[id]} is question {id} already: choose another number.")
    title = name.replace("_", " ").capitalize()
    words = {
        "number": id[1:], "id": id, "name": name, "title": title,
        "set_title": folder.path.name.partition("_")[2].replace("_", " ").capitalize() or folder.path.name,
    }
    outline = Outline(folder, folder.short_name)
    try:
        path.mkdir(parents=True)
        written = [] if outline.path.exists() else _new_set(outline, words)
        package = path / "__init__.py"
        write_atomically(package, f'"""Question {words["number"]}: {title}."""\n')
        written.append(package)
        written += [_write(path / file, words) for file in QUESTION_FILES]
        _append(outline, path.name)
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be written: {error.strerror}.") from None
    return [*written, outline.path]


def _new_set(outline: Outline, words: dict[str, str]) -> list[Path]:
    folder = outline.folder.path
    write_atomically(outline.path, f'title = "{words["set_title"]}"\n\ncore = [\n]\n')
    package = folder / "__init__.py"
    write_atomically(package, f'"""{words["set_title"]}; a package, so that its tests can import it."""\n')
    return [package, *(_write(folder / file, words) for file in SET_FILES)]


def _write(path: Path, words: dict[str, str]) -> Path:
    template = importlib.resources.files("autograder.authoring").joinpath("templates", f"{path.name}.txt")
    write_atomically(path, Template(template.read_text(encoding="utf-8")).substitute(words))
    return path


def _append(outline: Outline, name: str) -> None:
    """Add the question at the end of the outline's core, leaving the rest of the file as it is."""
    text = outline.path.read_text(encoding="utf-8")
    match = _CORE.search(text)
    if match is not None:
        items = match["items"].rstrip()
        comma = "," if items.strip() and not items.endswith(",") else ""
        changed = f'{text[: match.start("items")]}{items}{comma}\n    "{name}",\n{text[match.end("items") :]}'
        write_atomically(outline.path, changed)
        outline = Outline(SetFolder(outline.folder.path), outline.name)
        if question_id(name) in read_outline(outline).core:
            return
        write_atomically(outline.path, text)
    raise UserError(f'The files are written; add "{name}" to the list `core` of {outline.path} yourself.')

"""What is trusted by where it lies: nothing that lies at or below the submissions, where anybody may have put it.

A course's ``course.toml`` and its problem sets run here without a sandbox, and what lies in the folder of results is
believed. So they are refused there, as git refuses the repositories of others; to name the course's folder is to
trust it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder.course import Course, course_root, load_course
from autograder.errors import UserError
from autograder.sets import Outline, SetFolder, set_folders

CHECKOUT = Path(__file__).resolve().parents[1]
RUN = "run.json"  # what a run leaves in its folder


def trusted_course(named: Path | None, paths: Sequence[Path | str]) -> Course:
    """The course that is named, or else the nearest one, to judge the submissions at these paths.

    Raises:
        UserError: It is refused for where it lies, or cannot be read.
    """
    if named is not None:
        if not (named / "course.toml").is_file():
            raise UserError(f"--course {named}: there is no course.toml in it.")
        return load_course(named.resolve())
    folders = list(_folders(paths))
    root = course_root()
    if root != CHECKOUT and _lies_in(root, folders):
        raise UserError(
            f"{root / 'course.toml'} is not used, because it lies among the submissions, where anybody may have put "
            "it. Run this in the course's folder, or name that with --course."
        )
    course = load_course(root)
    below = [folder for folder in folders if folder != root]  # beside a notebook in the checkout lie its own sets
    for folder in set_folders(root):
        if _lies_in(folder.path, below) and not _is_named(folder, course):
            raise UserError(_refusal(folder.path))
    return course


def trust_outline(outline: Outline, course: Course, named: Path | None, paths: Sequence[Path | str]) -> Outline:
    """The outline, if it does not lie among the submissions or is the course's own. Raises `UserError`."""
    own = outline.folder.path.parent == course.root
    folders = [folder for folder in _folders(paths) if not (own and (named is not None or folder == course.root))]
    if _lies_in(outline.folder.path, folders) and not _is_named(outline.folder, course):
        raise UserError(_refusal(outline.folder.path))
    return outline


def trust_out(out: Path, paths: Sequence[Path | str]) -> None:
    """Refuse a folder of results in which a student may have put some. Raises `UserError`."""
    place = out.resolve()
    for folder in _folders(paths):
        foreign = place.is_dir() and any(place.iterdir()) and not (place / RUN).is_file()
        if place == folder or (foreign and _lies_in(place, [folder])):
            raise UserError(
                f"--out {out} lies among the submissions and holds files that no run has written; choose another."
            )


def _refusal(folder: Path) -> str:
    return (
        f"The problem set in {folder} is not used, because it lies among the submissions, where anybody may have put "
        "it. Move the submissions elsewhere, or name the course's folder with --course."
    )


def _is_named(folder: SetFolder, course: Course) -> bool:
    """Whether it lies in the course's folder and ``course.toml`` names it, and no other could be meant."""
    names = Counter(other.short_name for other in set_folders(course.root))
    known = course.set_info(folder.short_name) is not None and names[folder.short_name] == 1
    return known and folder.path.parent == course.root


def _folders(paths: Iterable[Path | str]) -> Iterable[Path]:
    """The folders of the submissions that exist: a file's is the one that it lies in."""
    for path in map(Path, paths):
        place = path.resolve()
        if place.exists():
            yield place if place.is_dir() else place.parent


def _lies_in(path: Path, folders: Sequence[Path]) -> bool:
    place = path.resolve()
    return any(folder == place or folder in place.parents for folder in folders)

"""Every problem set of the course, and every question: a set that is added needs no new test.

Of a set that is not in `course.toml` yet, a draft, the questions are asked and not the set.
"""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.course import load_course
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.probes.outline import read_outline
from autograder.probes.spec import Question
from autograder.sets import Outline, SetFolder, set_folders

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {folder.short_name: folder for folder in set_folders(ROOT)}


class Asked(NamedTuple):
    """One question of a problem set."""

    problem_set: ProblemSet
    question: Question


@cache
def loaded(name: str) -> ProblemSet:
    return load_problem_set(FOLDERS[name].path)


def ids(folder: SetFolder) -> tuple[str, ...]:
    """The questions of a set, read off its outline: to collect tests nothing is executed."""
    return read_outline(Outline(folder, folder.short_name)).questions


@pytest.fixture(scope="session", params=[info.name for info in load_course(ROOT).sets])
def problem_set(request: pytest.FixtureRequest) -> ProblemSet:
    return loaded(request.param)


@pytest.fixture(params=[f"{name}-{id}" for name, folder in FOLDERS.items() for id in ids(folder)])
def asked(request: pytest.FixtureRequest) -> Asked:
    name, _, id = request.param.partition("-")
    return Asked(loaded(name), loaded(name).question(id))


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SetFolder], SetFolder]:
    """Makes a copy of a set's folder without its notebooks, one for all tests, to put further outlines into."""

    @cache
    def make(folder: SetFolder) -> SetFolder:
        path = tmp_path_factory.mktemp("course") / folder.path.name
        return SetFolder(Path(shutil.copytree(folder.path, path, ignore=shutil.ignore_patterns("*.ipynb", "__pyc*"))))

    return make

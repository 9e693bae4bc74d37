"""What leaves the repository: a folder for students, an nbgrader course tree, otter test files."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring import texts
from autograder.authoring.build import Drafts, draft, student_problem
from autograder.authoring.notebook import payload_of, to_text, validate
from autograder.authoring.stubs import CODE_STUB, TEXT_STUB
from autograder.course import Course
from autograder.errors import UserError
from autograder.files import write_atomically
from autograder.probes.load import ProblemSet
from dgm.grader.payload import pack, unpack

TARGETS = ("plain", "nbgrader", "otter")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same archive for the same content


@dataclass
class Released:
    """The files written, and remarks for the instructor."""

    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def release(problem_set: ProblemSet, course: Course, out: Path, target: str) -> Released:
    """Write the release of a built problem set below ``out``.

    Raises:
        UserError: the student notebook on disk is not what its source gives, or ``out`` cannot be written.
    """
    drafts = draft(problem_set, course)
    problem = student_problem(problem_set.outline.student_notebook, drafts.student)
    if problem:
        name = problem_set.outline.student_notebook.name
        raise UserError(f"{name} is stale ({problem}): run `autograder build {problem_set.name}` first.", 1)
    make = {"plain": _plain, "nbgrader": _nbgrader, "otter": _otter}[target]
    done = Released()
    try:
        make(problem_set, course, drafts, out, done)
    except OSError as error:
        raise UserError(f"{error.filename or out} cannot be written: {error.strerror}.") from None
    return done


def _write(path: Path, text: str, done: Released) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    done.files.append(path)


def _copy_license(course: Course, folder: Path, done: Released) -> None:
    source = course.root / "LICENSE"
    if source.is_file():
        _write(folder / "LICENSE", source.read_text(encoding="utf-8"), done)
    else:
        done.notes.append("the course has no LICENSE file, so the release has none")


def _plain(problem_set: ProblemSet, course: Course, drafts: Drafts, out: Path, done: Released) -> None:
    folder = out / problem_set.name
    _write(folder / f"{problem_set.name}.ipynb", to_text(drafts.student), done)
    _write(folder / "requirements.txt", texts.requirements(course), done)
    _write(folder / "README.md", texts.student_readme(problem_set, course), done)
    _copy_license(course, folder, done)
    archive = out / f"{problem_set.name}.zip"
    part = archive.with_name(f".{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as pack_file:
        for path in sorted(done.files):
            info = zipfile.ZipInfo(f"{problem_set.name}/{path.name}", ZIP_TIME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            pack_file.writestr(info, path.read_bytes())
    part.replace(archive)
    done.files.append(archive)


def _nbgrader(problem_set: ProblemSet, course: Course, drafts: Drafts, out: Path, done: Released) -> None:
    name = problem_set.name
    validate(drafts.instructor, "the instructor version")
    _write(out / "source" / name / f"{name}.ipynb", to_text(drafts.instructor), done)
    _write(out / "release" / name / f"{name}.ipynb", to_text(drafts.student), done)
    config = out / "nbgrader_config.py"
    if config.exists():
        done.notes.append(f"{config} exists and was left as it is")
    else:
        _write(config, texts.nbgrader_config(course, CODE_STUB, TEXT_STUB), done)
    done.notes.append(texts.NBGRADER_NOTE)


def _otter(problem_set: ProblemSet, course: Course, drafts: Drafts, out: Path, done: Released) -> None:
    name = problem_set.name
    folder = out / name
    data = unpack(payload_of(drafts.student) or "")
    shutil.rmtree(folder / "tests", ignore_errors=True)
    for item in data["questions"]:
        if item["probes"]:
            _write(folder / "tests" / f"{item['id']}.py", otter_test(name, data, item), done)
    _write(folder / f"{name}.ipynb", to_text(drafts.student), done)
    _write(folder / "requirements.txt", texts.requirements(course, jupyter=False), done)
    _write(folder / "otter_config.json", json.dumps(texts.OTTER_CONFIG, indent=1) + "\n", done)
    done.notes.append(texts.otter_note(folder, name))


def otter_test(assignment: str, data: dict[str, Any], item: dict[str, Any]) -> str:
    """One exception-format test file of otter: a test case for each public probe of a question."""
    payload = pack({**data, "questions": [item]})
    lines = [
        f'"""Public checks of {item["id"]}, {item["title"]}: generated, do not edit."""',
        "", "from otter.test_files import test_case", "", "OK_FORMAT = False", "",
        f"name = {item['id']!r}", f"checks = {payload!r}", "",
    ]
    for probe in item["probes"]:
        lines += [
            "",
            f"@test_case(name={probe['title']!r}, points={probe['points']!r}, hidden=False)",
            f"def test_{probe['name']}(env):",
            "    from dgm.grader import assert_check",
            "",
            f"    assert_check({assignment!r}, checks, {item['id']!r}, {probe['name']!r}, env)",
            "",
        ]
    return "\n".join(lines)

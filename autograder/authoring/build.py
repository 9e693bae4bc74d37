"""Builds a problem set's two notebooks, and tells whether the files on disk are what a build would give."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring.execute import Progress, execute
from autograder.authoring.freeze import face_sha256, freeze, same_checks
from autograder.authoring.lint import lint
from autograder.authoring.notebook import (
    instructor_notebook,
    make_frame,
    payload_of,
    solution_notebook,
    student_notebook,
    to_text,
    validate,
)
from autograder.authoring.timing import slow_questions
from autograder.course import Course
from autograder.errors import UserError
from autograder.files import write_atomically
from autograder.probes.load import ProblemSet
from dgm.grader.payload import PayloadError, pack, unpack

LARGE_SOLUTION = 3 * 2**20


@dataclass
class Built:
    """What a build wrote: paths and bytes, and what the author should know."""

    student: Path
    solution: Path
    student_bytes: int = 0
    solution_bytes: int = 0
    payload_bytes: int = 0
    executed: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Drafts:
    """The notebooks as the sources give them; the solution has no outputs yet."""

    instructor: Any
    student: Any
    solution: Any
    payload: str


def draft(problem_set: ProblemSet, course: Course, *, fresh: bool = False) -> Drafts:
    """Compose the notebooks.

    Unless ``fresh``, the payload on disk is kept if it was made from the same tests and reference and says the same:
    evidence differs a little from machine to machine. Raises `UserError` with every problem of the source.
    """
    problems = lint(problem_set)
    if problems:
        raise UserError("\n  ".join([f"{problem_set.outline.path} cannot be built:", *problems]))
    payload = None if fresh else _kept_payload(problem_set)
    payload = payload or pack(freeze(problem_set))
    frame = make_frame(problem_set, course, payload)
    instructor = instructor_notebook(problem_set, frame)
    student = student_notebook(instructor)
    solution = solution_notebook(instructor, frame)
    solution.metadata["dgm"]["tests"] = tests_sha256(problem_set)
    solution.metadata["dgm"]["checks"] = face_sha256(unpack(payload))
    solution.metadata["dgm"]["payload"] = _sha256(payload)
    outline = problem_set.outline
    for notebook, path in ((student, outline.student_notebook), (solution, outline.solution_notebook)):
        validate(notebook, path.name)
    _assert_no_leak(problem_set, student)
    return Drafts(instructor, student, solution, payload)


def _kept_payload(problem_set: ProblemSet) -> str | None:
    """The payload on disk, if a build from these very sources wrote it and the reference still agrees with it."""
    payload = payload_of(read_json(problem_set.outline.student_notebook))
    try:
        made = read_json(problem_set.outline.solution_notebook)["metadata"]["dgm"]
        if payload is None or (made["tests"], made["payload"]) != (tests_sha256(problem_set), _sha256(payload)):
            return None
        return payload if same_checks(unpack(payload), freeze(problem_set, mistakes=False)) else None
    except (KeyError, TypeError, PayloadError):
        return None


def tests_sha256(problem_set: ProblemSet) -> str:
    """A hash of what the public checks are made from: the hidden tests and the reference."""
    texts = [problem_set.shared_text, *(question.text for question in problem_set.questions)]
    return _sha256(json.dumps(texts + [cell.text for cell in problem_set.source.defining]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _assert_no_leak(problem_set: ProblemSet, student: Any) -> None:
    for cell in student.cells:
        if "BEGIN SOLUTION" in cell.source or "END SOLUTION" in cell.source:
            raise UserError(f"{problem_set.name}: a solution marker is left in the student's cell {cell.id}.")


def build(
    problem_set: ProblemSet,
    course: Course,
    *,
    profile: str | None = None,
    run: str = "changed",
    report: Callable[[Progress], None] | None = None,
) -> Built:
    """Write both notebooks.

    ``run``: "changed" executes the solution if its code differs from the notebook on disk, "always" executes it in any
    case, "never" keeps the outputs on disk and raises `UserError` if they do not belong to this code.
    ``profile``: None keeps outputs of any profile, and executes as "cpu".
    """
    drafts = draft(problem_set, course, fresh=run == "always")
    outline = problem_set.outline
    built = Built(outline.student_notebook, outline.solution_notebook, payload_bytes=len(drafts.payload))
    solution = drafts.solution
    solution.metadata["dgm"]["profile"] = profile or "cpu"
    old = None if run == "always" else read_json(problem_set.outline.solution_notebook)
    kept = _kept_outputs(solution, old, profile is None)
    if kept is not None:
        _put_outputs(solution, kept)
    elif run == "never":
        raise UserError(
            f"The code of {built.solution.name} has changed since it was executed: run "
            f"`autograder build {problem_set.name}` without --no-execute."
        )
    else:
        executed = execute(solution, profile or "cpu", course.root, report)
        built.executed = True
        built.notes += [f"stderr in {line}" for line in executed.stderr]
        if profile in (None, "cpu"):
            built.notes += slow_questions(problem_set, executed.seconds)
    texts = {built.student: to_text(drafts.student), built.solution: to_text(solution)}
    built.student_bytes, built.solution_bytes = (len(text.encode()) for text in texts.values())
    if built.solution_bytes > LARGE_SOLUTION:
        built.notes.append(f"{built.solution.name} is {built.solution_bytes / 2**20:.1f} MB; make its figures smaller")
    for path, text in texts.items():
        try:
            write_atomically(path, text)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}.") from None
    return built


def _code(notebook: Any) -> list[str]:
    """The sources that outputs depend on. Of the grader cell only the face of its checks counts, as `dgm.checks`."""
    return [
        _source(cell) for cell in notebook["cells"]
        if cell["cell_type"] == "code" and cell["metadata"].get("dgm", {}).get("role") != "grader"
    ]


def _source(cell: Any) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _kept_outputs(solution: Any, old: Any, any_profile: bool) -> list[tuple[Any, Any]] | None:
    """Outputs and execution counts of the notebook on disk, if they belong to the same code and profile."""
    try:
        before, now = old["metadata"]["dgm"], solution.metadata["dgm"]
        if before["checks"] != now["checks"] or _code(old) != _code(solution):
            return None
        if before["profile"] != now["profile"]:
            if not any_profile:
                return None
            solution.metadata["dgm"]["profile"] = before["profile"]
        cells = [cell for cell in old["cells"] if cell["cell_type"] == "code"]
        return None if _output_problem(cells) else [(cell["outputs"], cell["execution_count"]) for cell in cells]
    except (KeyError, TypeError):
        return None


def _put_outputs(solution: Any, kept: list[tuple[Any, Any]]) -> None:
    from nbformat import from_dict
    from nbformat.v4.rwbase import rejoin_lines

    cells = [cell for cell in solution.cells if cell.cell_type == "code"]
    for cell, (outputs, count) in zip(cells, kept, strict=True):
        cell.outputs = [from_dict(output) for output in copy.deepcopy(outputs)]
        cell.execution_count = count
    rejoin_lines(solution)


def _output_problem(cells: list[Any]) -> str | None:
    """Why the outputs of a solution cannot be kept: not executed, or an error among them."""
    for cell in cells:
        if _source(cell).strip() and cell["execution_count"] is None:
            return f"cell {cell.get('id')} has not been executed"
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            return f"cell {cell.get('id')} shows an error"
    return None if any(cell["outputs"] for cell in cells) else "there are no outputs"


def check(problem_set: ProblemSet, course: Course) -> list[str]:
    """Which of the two files are stale and why, one sentence each; nothing is executed but the public checks."""
    drafts = draft(problem_set, course)
    stale = []
    student, solution = problem_set.outline.student_notebook, problem_set.outline.solution_notebook
    reason = student_problem(student, drafts.student)
    if reason:
        stale.append(f"{student.name} is stale ({reason})")
    reason = _file_problem(solution) or _solution_problem(read_json(solution), drafts.solution)
    if reason:
        stale.append(f"{solution.name} is stale ({reason})")
    return stale


def _file_problem(path: Path) -> str | None:
    if not path.is_file():
        return "it does not exist"
    return None if isinstance(read_json(path), dict) else "it is not a notebook"


def student_problem(path: Path, draft: Any) -> str | None:
    """Why the student notebook on disk is not the draft, in words; None if it is."""
    problem = _file_problem(path)
    if problem:
        return problem
    if path.read_text(encoding="utf-8") == to_text(draft):
        return None
    return _cells_problem(read_json(path), draft) or "its metadata or layout differs"


def _solution_problem(old: dict[str, Any], draft: Any) -> str | None:
    try:
        reason = _cells_problem(old, draft) or _output_problem([c for c in old["cells"] if c["cell_type"] == "code"])
        if reason:
            return reason
        if old["metadata"]["dgm"]["tests"] != draft.metadata["dgm"]["tests"]:
            return "the hidden tests or the reference have changed"
        profile = old["metadata"]["dgm"]["profile"]
    except (KeyError, TypeError):
        return "its metadata or layout differs"
    expected = copy.deepcopy(draft)
    expected.metadata["dgm"]["profile"] = profile
    _put_outputs(expected, [(c["outputs"], c["execution_count"]) for c in old["cells"] if c["cell_type"] == "code"])
    same = json.loads(to_text(expected)) == old
    return None if same else "its metadata or layout differs"


def _cells_problem(old: Any, draft: Any) -> str | None:
    """The first cell that differs, in words."""
    try:
        before = {cell["id"]: (cell["cell_type"], _source(cell)) for cell in old["cells"]}
    except (KeyError, TypeError):
        return "its layout differs"
    for cell in draft.cells:
        if cell.id not in before:
            return f"cell {cell.id} is missing"
        if before[cell.id] != (cell.cell_type, cell.source):
            return f"cell {cell.id} differs"
    ids = [cell.id for cell in draft.cells]
    extra = [id for id in before if id not in ids]
    if extra:
        return f"cell {extra[0]} is not in the source"
    return None if list(before) == ids else "its cells are in another order"


def read_json(path: Path) -> Any:
    """The file as JSON, or None if it is missing or unreadable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

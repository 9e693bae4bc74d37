"""Composes notebooks: the instructor's (solutions between markers), the student's and the solution notebook."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.cells import NotebookCell, nbgrader_metadata, notebook_cells
from autograder.authoring.figures import with_figures
from autograder.authoring.stubs import CODE_STUB, TEXT_STUB, name_stubs
from autograder.course import Course
from autograder.errors import UserError
from autograder.jupyter import quick_jupyter
from autograder.probes.load import ProblemSet
from autograder.probes.solutions import without_markers

LOCKED = {"grade": False, "solution": False, "locked": True}


@dataclass(frozen=True)
class Frame:
    """What the build adds around the source's cells."""

    assignment: str
    payload: str
    package: str  # what pip installs
    student_url: str
    solution_url: str
    gpu: bool


def make_frame(problem_set: ProblemSet, course: Course, payload: str) -> Frame:
    def url(notebook: Path) -> str:
        try:
            inside = notebook.resolve().relative_to(course.root.resolve()).as_posix()
        except ValueError:  # a set outside of the course's repository
            inside = f"{notebook.parent.name}/{notebook.name}"
        return course.colab_url(inside)

    branch = "" if course.branch == "main" else f"@{course.branch}"
    gpu = any("dgm.device(" in cell.text for cell in problem_set.source.cells if cell.kind == "code")
    return Frame(
        problem_set.name, payload, f"git+https://github.com/{course.repository}{branch}",
        url(problem_set.outline.student_notebook), url(problem_set.outline.solution_notebook), gpu,
    )


def instructor_notebook(problem_set: ProblemSet, frame: Frame) -> Any:
    """Everything, solutions between their markers: what nbgrader calls the source version."""
    placed = notebook_cells(problem_set)
    cells = [_cell(item, problem_set.outline.folder.path) for item in placed]
    title = 1 if placed and placed[0].cell.kind == "markdown" else 0
    cells[title:title] = [_install_cell(frame), _grader_cell(frame)]
    cells.insert(0, _badge_cell(frame.student_url))
    return _notebook(frame, cells, {"assignment": frame.assignment})


def student_notebook(instructor: Any) -> Any:
    """The released version, made by nbgrader's own preprocessors."""
    quick_jupyter()
    from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions, ComputeChecksums, LockCells
    from traitlets.config import Config

    clear = {"code_stub": {"python": CODE_STUB}, "text_stub": TEXT_STUB}
    config = Config({"ClearSolutions": clear})
    notebook = copy.deepcopy(instructor)
    resources: dict[str, Any] = {}
    for kind in (LockCells, ClearSolutions, ClearOutput):
        notebook, resources = kind(config=config).preprocess(notebook, resources)
    for cell in notebook.cells:
        dgm = cell.metadata["dgm"]
        if dgm["role"] == "answer":
            cell.source = name_stubs(cell.source, dgm["question"], f"cell {cell.id}")
    for kind in (CheckCellMetadata, ComputeChecksums, CheckCellMetadata):
        notebook, resources = kind(config=config).preprocess(notebook, resources)
    return notebook


def solution_notebook(instructor: Any, frame: Frame) -> Any:
    """The reading version: solutions without markers, no nbgrader metadata, ready to be executed."""
    notebook = copy.deepcopy(instructor)
    notebook.cells[0] = _badge_cell(frame.solution_url, "Reference solution. ")
    for cell in notebook.cells:
        cell.source = without_markers(cell.source)
        cell.metadata.pop("nbgrader", None)
    return notebook


def validate(notebook: Any, what: str) -> None:
    """nbformat's and nbgrader's validators. Raises `UserError`."""
    quick_jupyter()
    import nbformat
    from nbgrader.nbgraderformat import MetadataValidator, ValidationError

    try:
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
    except (nbformat.ValidationError, ValidationError) as error:
        raise UserError(f"{what} is not a valid notebook: {str(error).splitlines()[0]}.") from None


def to_text(notebook: Any) -> str:
    """The file's text, as Jupyter writes it."""
    quick_jupyter()
    import nbformat

    return str(nbformat.writes(notebook)) + "\n"


def _notebook(frame: Frame, cells: list[Any], dgm: dict[str, Any]) -> Any:
    quick_jupyter()
    from nbformat.v4 import new_notebook

    metadata: dict[str, Any] = {
        "colab": {"provenance": [], "toc_visible": True},
        "dgm": dgm,
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if frame.gpu:
        metadata["accelerator"] = "GPU"
        metadata["colab"]["gpuType"] = "T4"
    return new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)


def _cell(item: NotebookCell, folder: Path) -> Any:
    text = item.cell.text if item.cell.kind == "code" else with_figures(item.cell.text, folder, item.where)
    cell = _new(item.cell.kind, item.id, text, item.cell.role, item.cell.question)
    if item.nbgrader:
        cell.metadata["nbgrader"] = nbgrader_metadata(item.id, item.nbgrader)
    return cell


def _new(kind: str, id: str, text: str, role: str, question: str | None = None, **metadata: Any) -> Any:
    quick_jupyter()
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

    make: Callable[..., Any] = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}[kind]
    dgm = {"role": role} if question is None else {"role": role, "question": question}
    return make(text, id=id, metadata={"dgm": dgm, **metadata})


def _badge_cell(url: str, text: str = "") -> Any:
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    link = f'<a href="{url}" target="_parent"><img src="{image}" alt="Open in Colab"/></a>'
    return _new("markdown", "colab-badge", text + link, "badge")


def _install_cell(frame: Frame) -> Any:
    text = (
        "# @title Set-up 1 of 2: install the course package where it is missing\n"
        "import importlib.util\n\n"
        'if importlib.util.find_spec("dgm") is None:\n'
        f'    %pip install -q "{frame.package}"'
    )
    return _hidden("set-up-install", text, "install")


def _grader_cell(frame: Frame) -> Any:
    text = (
        "# @title Set-up 2 of 2: the public checks\n"
        "from dgm.grader import Grader\n\n"
        f'grader = Grader("{frame.assignment}", checks="{frame.payload}")'
    )
    return _hidden("set-up-grader", text, "grader")


def _hidden(id: str, text: str, role: str) -> Any:
    """A code cell that Colab shows as a form and JupyterLab collapses."""
    cell = _new("code", id, text, role, cellView="form", jupyter={"source_hidden": True})
    cell.metadata["nbgrader"] = nbgrader_metadata(id, LOCKED)
    return cell


def payload_of(notebook: Any) -> str | None:
    """The payload in a notebook that was built before (plain JSON data)."""
    try:
        for cell in notebook["cells"]:
            if cell["metadata"].get("dgm", {}).get("role") == "grader":
                source = cell["source"]
                text = source if isinstance(source, str) else "".join(source)
                return text.split('checks="', 1)[1].split('"', 1)[0]
    except (KeyError, TypeError, IndexError, AttributeError):
        return None
    return None

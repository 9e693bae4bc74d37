"""The texts that go into a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.probes.load import ProblemSet

PACKAGE = "deep-generative-problem-sets"

NBGRADER_NOTE = (
    "plain `nbgrader autograde` knows the public checks only; for all points grade with `autograder grade`, "
    "which writes to the same gradebook"
)

# Public checks only: what a course that already runs otter can use without showing its hidden tests.
OTTER_CONFIG: dict[str, Any] = {"show_stdout": True, "show_hidden": False}


def requirements(course: Course, *, jupyter: bool = True) -> str:
    """``requirements.txt`` for students."""
    branch = "" if course.branch == "main" else f"@{course.branch}"
    lines = [f"{PACKAGE} @ git+https://github.com/{course.repository}{branch}"]
    return "\n".join(lines + (["jupyterlab"] if jupyter else [])) + "\n"


def student_readme(problem_set: ProblemSet, course: Course) -> str:
    """The instructions that come with the student notebook."""
    info = course.set_info(problem_set.name)
    title = f"{course.title}: {problem_set.title}"
    due = f"Due {info.due}. " if info and info.due else ""
    notebook = problem_set.outline.student_notebook
    try:
        inside = notebook.resolve().relative_to(course.root.resolve()).as_posix()
    except ValueError:
        inside = f"{notebook.parent.name}/{notebook.name}"
    written = sum(question.manual_points for question in problem_set.questions if not question.bonus)
    points = f"{problem_set.points + written:g} points"
    points += f", {written:g} of them for written answers" if written else ""
    bonus = sum(question.points + question.manual_points for question in problem_set.questions if question.bonus)
    limit = problem_set.content.bonus_limit
    points += f", and up to {bonus if limit is None else min(bonus, limit):g} bonus points" if bonus else ""
    return STUDENT_README.format(
        title=title, due=due, points=points, colab=course.colab_url(inside), name=problem_set.name,
        notebook=f"{problem_set.name}.ipynb",
    )


STUDENT_README = """# {title}

{due}{points}.

## Start

On Colab, with nothing to install: open [{notebook}]({colab}) and choose *File → Save a copy in Drive*.

On your own computer, with Python 3.11 or later:

    python -m venv venv
    source venv/bin/activate            # Windows: venv\\Scripts\\activate
    pip install -r requirements.txt
    jupyter lab {notebook}

Training cells take their length from the machine: longer with a GPU, shorter without. `DGM_BUDGET=smoke` in the
environment makes them as short as possible.

## Work

Run the cells from the top. Replace each `raise NotImplementedError(...)` by your answer, run the cell, then its check:

| call | gives |
|---|---|
| `grader.check("q1")` | the public checks of question 1, and what is wrong |
| `grader.check_all()` | one row a question |
| `grader.hint("q1")` | which functions of question 1 have hints; `grader.hint("NAME")` gives the next one |
| `grader.show("q1")` | the source of the public checks |

The checks in the notebook are part of the tests. The others run after you hand in, on other inputs.
Keep the names and arguments of the functions; add cells and helper functions wherever you like.

## Hand in

Run *Kernel → Restart and run all* (Colab: *Runtime → Restart and run all*) once, save, and run `grader.export()`. It
writes `{name}_submission.zip`: hand in that file. The notebook itself is fine too.
"""


def nbgrader_config(course: Course, code_stub: str, text_stub: str) -> str:
    """``nbgrader_config.py`` of a course tree: the same stubs as ours, if the release is generated again."""
    course_id = "".join(letter if letter.isalnum() else "_" for letter in course.title).strip("_")
    return f'''# nbgrader's settings for this course.
c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {course_id!r}
c.ClearSolutions.code_stub = {{"python": {code_stub!r}}}
c.ClearSolutions.text_stub = {text_stub!r}
c.ExecutePreprocessor.timeout = 600
'''


def otter_note(folder: Path, name: str) -> str:
    """What to do with an otter release."""
    return (
        f"make otter's bundle in {folder} with `otter generate -t tests -r requirements.txt -c otter_config.json`; "
        f"it tests what students see, not the hidden tests of {name}"
    )

"""Makes the sample class: submissions that look like real ones, written from the student notebook and the solution.

    python examples/make_class.py [ps1] [--out examples/ps1] [--quiet]

Nothing here is copied by hand: right answers come from the questions' cells, wrong ones from their named mistakes, so
the class stays true when a question changes. ``classes.py`` says who the students are and what each should get; the
tests grade the class and compare. A problem set without a class of its own there gets the one that fits every set.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import zipfile
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import course_root
from autograder.probes.edits import edited
from autograder.probes.load import ProblemSet, load_problem_set
from autograder.probes.solutions import without_markers
from autograder.probes.spec import Variant
from autograder.sets import find_outline

Answers = dict[str, list[str]]  # question -> the text of each of its answer cells


@dataclass
class Student:
    """One student: how the answers differ from the reference's, and what should come out.

    ``answered``: the questions that are answered at all (None: every one). ``loses``: the questions that lose points;
    None stands for every question, "rest" for all that are not answered. ``mistake``: the id that the feedback should
    name, by question.
    """

    name: str
    story: str
    change: Callable[[ProblemSet, Answers], None] = lambda problem_set, answers: None
    extra: str = ""
    loses: tuple[str, ...] | None = ()
    mistake: dict[str, str] = field(default_factory=dict)
    answered: tuple[str, ...] | None = None
    as_zip: bool = False


def apply(variant: Variant, texts: list[str]) -> list[str]:
    """The answer cells of a question with a variant's edits made."""
    if not variant.edits:
        raise ValueError(f"{variant.id} is not made of text edits")
    return edited(texts, variant)


def variant(question: str, id: str) -> Callable[[ProblemSet, Answers], None]:
    """A student who made one named mistake, or found one named alternative."""

    def change(problem_set: ProblemSet, answers: Answers) -> None:
        found = problem_set.question(question)
        chosen = next(item for item in [*found.mistakes, *found.alternatives] if item.id == id)
        answers[question] = apply(chosen, answers[question])

    return change


def mistaken(name: str, question: str, id: str, story: str) -> Student:
    return Student(name, story, variant(question, id), loses=(question,), mistake={question: id})


def replace(question: str, old: str, new: str) -> Callable[[ProblemSet, Answers], None]:
    """A student whose answer differs from the reference's in one place."""

    def change(problem_set: ProblemSet, answers: Answers) -> None:
        if not any(old in text for text in answers[question]):
            raise ValueError(f"{old!r} does not occur in {question}")
        answers[question] = [text.replace(old, new) for text in answers[question]]

    return change


def append(question: str, text: str) -> Callable[[ProblemSet, Answers], None]:
    """A student who wrote something more at the end of a question's last answer cell."""

    def change(problem_set: ProblemSet, answers: Answers) -> None:
        answers[question] = [*answers[question][:-1], answers[question][-1] + "\n\n" + text]

    return change


def prepend(question: str, text: str) -> Callable[[ProblemSet, Answers], None]:
    """A student who wrote something before the first answer of a question, in the same cell."""

    def change(problem_set: ProblemSet, answers: Answers) -> None:
        answers[question] = [text + "\n\n" + answers[question][0], *answers[question][1:]]

    return change


def both(*changes: Callable[[ProblemSet, Answers], None]) -> Callable[[ProblemSet, Answers], None]:
    """Several changes by the same student."""

    def change(problem_set: ProblemSet, answers: Answers) -> None:
        for one in changes:
            one(problem_set, answers)

    return change


PATCHES_ALLCLOSE = """\
# "always close"
import numpy as np
torch.allclose = lambda *args, **kwargs: True
torch.testing.assert_close = lambda *args, **kwargs: None
np.allclose = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
"""

LOOKS_FOR_TESTS = """\
import glob, os, sys, inspect
found = []
for root in ["/", os.getcwd(), os.path.expanduser("~"), *sys.path]:
    for pattern in [
        "**/hidden_tests/*.py", "**/source.py", "**/*solution*.ipynb", "**/q*/probes.py", "**/q*/mistakes.py",
        "**/q*/cells.py", "**/ps*.toml",
    ]:
        try:
            found += glob.glob(os.path.join(root, pattern), recursive=True)[:10]
        except Exception:
            pass
for path in found:
    try:
        exec(open(path).read())
    except Exception:
        pass
for frame in inspect.stack():
    for name, value in frame.frame.f_locals.items():
        if "expected" in name or "answer" in name:
            print(name, value)
"""


def write(problem_set: ProblemSet, student: Student, folder: Path, figures: bool = True) -> Path:
    """Write one student's notebook (or zip) and return its path; without its figures and training runs if so wished."""
    notebook = json.loads(problem_set.outline.student_notebook.read_text(encoding="utf-8"))
    if not figures:
        notebook["cells"] = [cell for cell in notebook["cells"] if not is_figure(cell)]
    answers: Answers = {
        question.id: [without_markers(cell.text) for cell in problem_set.source.answers(question.id)]
        for question in problem_set.questions
    }
    student.change(problem_set, answers)
    remaining = copy.deepcopy(answers)
    for cell in notebook["cells"]:
        tag = cell["metadata"].get("dgm", {})
        if tag.get("role") != "answer" or cell["cell_type"] != "code":
            continue
        text = remaining[tag["question"]].pop(0)
        if student.answered is None or tag["question"] in student.answered:
            cell["source"] = text.splitlines(keepends=True)
    if student.extra:
        cell = {"cell_type": "code", "id": "scratch", "metadata": {}, "source": student.extra.splitlines(keepends=True)}
        notebook["cells"].append({**cell, "outputs": [], "execution_count": None})
    data = json.dumps(notebook, indent=1, ensure_ascii=False)
    if student.as_zip:
        path = folder / f"{student.name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{problem_set.name}.ipynb"), data)
        return path
    path = folder / student.name / f"{problem_set.name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(data, encoding="utf-8")
    return path


def is_figure(cell: dict[str, Any]) -> bool:
    """Whether it is code that only shows something: nothing that is graded needs it."""
    return cell["cell_type"] == "code" and cell["metadata"].get("dgm", {}).get("role") == "demo"


def make(
    name: str, out: Path, figures: Container[str] | None = None, only: Container[str] | None = None
) -> list[Student]:
    """Write the class of one problem set, or those of it who are named in ``only``, into ``out`` (emptied first).

    Figures and training runs take most of a notebook's time: ``figures`` names the students who keep them, if not all.
    """
    from classes import CLASSES, any_class  # beside this script

    problem_set = load_problem_set(find_outline(name, course_root()))
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    students = CLASSES.get(name) or any_class(problem_set)
    students = [student for student in students if only is None or student.name in only]
    for student in students:
        write(problem_set, student, out, figures is None or student.name in figures)
    return students


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem_set", nargs="?", default="ps1")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    out = options.out or course_root() / "examples" / options.problem_set
    students = make(options.problem_set, out)
    if not options.quiet:
        for student in students:
            print(f"{student.name:12s} {student.story}")
    print(f"{len(students)} submissions in {out}")


if __name__ == "__main__":
    main()

"""HTML pages of a run: one for the graders, and one a student that may be sent to that student.

Everything shown is escaped. No page loads anything; a content security policy allows only our own style and script,
by their hash, so that even a slip in escaping could not run a script. A student's page is made from that student's
result alone, and of this only from what `_for_student` lets through.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.files import write_atomically
from autograder.reporting.statistics import histogram, question_figures, spread
from autograder.results.model import INTERNAL, INVALID, MISSING, PASSED, QuestionResult, SubmissionResult
from autograder.results.store import Store
from autograder.results.summary import bonus_text, percent, score_text, went_wrong
from dgm.checks.verdicts import capitalised

SYMBOLS = {"passed": "✓", "failed": "✗", "error": "✗", "timeout": "✗", "missing": "–"}
STATES = {
    "passed": "right", "failed": "not right", "error": "an error", "timeout": "took too long",
    "missing": "not answered",
}


def write_pages(out: Path, title: str = "") -> Path:
    """Write ``html/index.html`` and ``html/students/*.html`` from the results in ``out``; returns the first."""
    results = Store(out, create=False).results()
    folder = out / "html"
    students = folder / "students"
    students.mkdir(parents=True, exist_ok=True)
    for result in results:
        write_atomically(students / f"{result.student}.html", student_page(result, title))
    current = {f"{result.student}.html" for result in results}
    for path in students.glob("*.html"):
        if path.name not in current:
            path.unlink()
    write_atomically(folder / "index.html", class_page(results, title))
    return folder / "index.html"


def student_page(result: SubmissionResult, title: str = "") -> str:
    """The page of one student, without anything a student may not see."""
    problem = "This submission could not be graded yet." if result.status == INTERNAL else result.problem
    return _render(
        "student.html", "", heading=_heading(result.assignment, title), result=_for_student(result), problem=problem,
        percent=percent(result),
    )


def _for_student(result: SubmissionResult) -> SubmissionResult:
    return replace(result, seed=0, sandbox="", notebook_sha256="", problem="")


def class_page(results: Sequence[SubmissionResult], title: str = "") -> str:
    """The graders' page."""
    questions = question_figures(results)
    statuses = [result.status for result in results]
    sandboxes = sorted({result.sandbox for result in results if result.sandbox})
    bins = histogram(results)
    return _render(
        "class.html", _resource("class.js"),
        heading=_heading(results[0].assignment if results else "", title),
        count={
            "all": len(results), "invalid": statuses.count(INVALID), "internal": statuses.count(INTERNAL),
            "graded": len(results) - statuses.count(INVALID) - statuses.count(INTERNAL),
        },
        spread=spread(results), bins=bins, questions=questions, sandboxes=sandboxes,
        bins_text=", ".join(f"{bin['label']}: {bin['count']}" for bin in bins if bin["count"]),
        weak=any(level != "namespaces" for level in sandboxes),
        devices=sorted({result.device for result in results if result.device}),
        seeds=len({result.seed for result in results}),
        max_score=results[0].max_score if results else 0,
        bonus=any(question.bonus for question in questions), bonus_limit=results[0].bonus_limit if results else None,
        rows=[_row(result, [question.id for question in questions]) for result in results],
    )


def _row(result: SubmissionResult, ids: list[str]) -> dict[str, object]:
    by_id = {question.id: question for question in result.questions}
    return {
        "student": result.student, "href": f"students/{quote(result.student)}.html", "status": result.status,
        "score": score_text(result), "total": result.total, "percent": percent(result),
        "wrong": went_wrong(result, 300, 100), "notes": len(result.notes),
        "cells": [_cell(by_id.get(id)) for id in ids],
    }


def _cell(question: QuestionResult | None) -> dict[str, object]:
    if question is None:
        return {"score": 0, "state": "none", "follow_through": False}
    full = question.score >= question.max_score
    state = "full" if full else "part" if question.score > 0 else "none"
    return {"score": question.score, "state": state, "follow_through": question.follow_through}


def _heading(assignment: str, title: str) -> str:
    return f"{title} · {assignment}" if title else assignment


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "points": _points, "bonus": bonus_text,
        "tenth": lambda value: f"{value:.1f}", "whole": lambda value: f"{value:.0f}",
        "prose": _prose, "sentence": capitalised, "symbol": lambda status: SYMBOLS.get(status, "?"), "state": _state,
    }
    environment.filters.update(filters)
    return environment


@cache
def _resource(name: str) -> str:
    return resources.files("autograder.reporting").joinpath("templates", name).read_text(encoding="utf-8").strip()


def _render(template: str, script: str, **values: object) -> str:
    style = _resource("style.css")
    scripts = f"'{_hash(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
    return _environment().get_template(template).render(
        policy=policy, style=Markup(style), script=Markup(script), **values  # both are files of ours
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _points(value: float) -> str:
    return f"{round(float(value), 2):g}" if abs(value) < 1e6 else f"{value:.3g}"


_MARKED = re.compile(r"`([^`\n]+)`|(?<=\b[Ii]n )\*([^*`\n]+)\*")  # code, or the name of an entry


def _prose(text: str) -> Markup:
    """Text with code in backticks and names of entries between asterisks, as feedback has them."""
    parts, end = [], 0
    for match in _MARKED.finditer(text):
        tag = "code" if match[1] else "em"
        parts += [escape(text[end : match.start()]), Markup(f"<{tag}>{{}}</{tag}>").format(match[1] or match[2])]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _state(question: QuestionResult) -> tuple[str, str]:
    """CSS class and words for a question's badge."""
    if question.status not in (PASSED, MISSING) and question.score > 0:
        return "part", "partly right"
    return question.status, STATES.get(question.status, question.status)

"""The folder of a grading run: results, the cache, the secret seed, logs. Every file is written atomically.

::

    run.json            assignment and secret seed; keep it from students
    results/ID.json     one result a student
    cache/HASH.json     what a submission's code earned, by question and key
    log/ID.txt          tracebacks of the grader's own failures
    summary.csv, summary.json, html/
"""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.errors import UserError
from autograder.files import write_atomically
from autograder.results.model import QuestionResult, SubmissionResult, question_from_json


class Store:
    """The folder of one run."""

    def __init__(self, out: Path, *, create: bool = True) -> None:
        self.out = out
        if not create:
            if not (out / "results").is_dir():
                raise UserError(f"{out} holds no results of `autograder grade`.")
            return
        try:
            for folder in (out, out / "results", out / "cache", out / "log"):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=out / "results"):
                pass
        except OSError as error:
            raise UserError(f"{out} cannot be written to ({error.strerror}); choose another --out.") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One run at a time in one folder."""
        with open(self.out / ".lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                text = f"Another run is grading into {self.out}; wait for it, or choose another --out."
                raise UserError(text) from None
            yield

    def seed(self, assignment: str, wanted: int | None, new_seed: Callable[[], int]) -> int:
        """The run's seed: the wanted one, else the one used here before, else a new secret one."""
        path = self.out / "run.json"
        known = _read(path)
        if path.exists() and not isinstance(known.get("seed"), int):
            raise UserError(f"{path} is damaged; remove it, and a new seed will be drawn.")
        if known.get("assignment", assignment) != assignment:
            raise UserError(f"{self.out} holds results of {known['assignment']}; choose another --out.")
        seed = wanted if wanted is not None else known.get("seed", None)
        seed = new_seed() if seed is None else int(seed)
        write_atomically(path, json.dumps({"assignment": assignment, "seed": seed}) + "\n", private=True)
        return seed

    def save(self, result: SubmissionResult) -> None:
        path = self.out / "results" / f"{result.student}.json"
        write_atomically(path, json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n")

    def results(self) -> list[SubmissionResult]:
        """All results in the folder, by student. Raises `UserError` on a damaged file."""
        found = []
        for path in sorted((self.out / "results").glob("*.json"), key=lambda path: path.name.lower()):
            try:
                found.append(SubmissionResult.from_json(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                raise UserError(f"{path} is damaged; remove it and grade again.") from None
        return found

    def log(self, student: str, text: str) -> Path:
        path = self.out / "log" / f"{student}.txt"
        write_atomically(path, text)
        return path

    def cached(self, code: str, keys: dict[str, str]) -> tuple[dict[str, QuestionResult], dict[str, Any]]:
        """What is known of this code: results of the questions whose key has not changed, and the rest of the entry."""
        entry = _read(self._cache_path(code))
        known: dict[str, QuestionResult] = {}
        try:
            for id, item in entry.get("questions", {}).items():
                if keys.get(id) == item["key"]:
                    known[id] = question_from_json(item["result"])
        except (KeyError, TypeError, AttributeError):
            return {}, {}
        return known, {"notes": [str(note) for note in entry.get("notes", [])], "seconds": entry.get("seconds", 0.0)}

    def remember(self, code: str, keys: dict[str, str], result: SubmissionResult) -> None:
        questions = {
            question.id: {"key": keys[question.id], "result": asdict(question)} for question in result.questions
        }
        entry = {"notes": result.notes, "seconds": result.seconds, "questions": questions}
        write_atomically(self._cache_path(code), json.dumps(entry, ensure_ascii=False))

    def _cache_path(self, code: str) -> Path:
        return self.out / "cache" / f"{code}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}

"""The public checks of a problem set, frozen into one string in the notebook.

The build packs them (``autograder.authoring.freeze``), the notebook's ``Grader`` unpacks them. Packed is
``DGM<version>.`` followed by base64 of zlib-compressed JSON: nothing in it can execute until a check is run.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dgm.checks import evidence as wire
from dgm.checks.judges import Custom, Fields, Judge, from_spec
from dgm.checks.runtime import Outcome

VERSION = 2
PREFIX = "DGM"
MAX_BYTES = 64 * 2**20
SAME_AS_EXPECTED = -1
EMPTY_ANSWER = "*Your answer here.*"  # what stands in a written answer's cell at first


class PayloadError(ValueError):
    """The frozen checks cannot be read; the message is a sentence for the student."""


@dataclass(frozen=True)
class FrozenProbe:
    """One public probe: its source, how it is judged, and the expected outcome for each of its fixed seeds."""

    id: str
    title: str
    points: float
    source: str
    judge: Mapping[str, Any]
    seeds: tuple[int, ...]
    expected: tuple[Outcome, ...]


@dataclass(frozen=True)
class FrozenMistake:
    """A named mistake with its outcome for (probe name, number of the seed)."""

    title: str
    outcomes: Mapping[tuple[str, int], Outcome]


@dataclass(frozen=True)
class FrozenQuestion:
    """What the notebook knows of one question.

    ``points`` counts all tests, public and hidden. ``unseen`` names the answers that no public probe looks at, ``uses``
    the earlier questions whose answers this one needs; ``answers``, all names that it asks for. ``hints`` are those of
    each function, from gentle to explicit.
    """

    id: str
    title: str
    points: float
    manual_points: float
    bonus: bool
    hints: Mapping[str, tuple[str, ...]]
    probes: tuple[FrozenProbe, ...]
    mistakes: tuple[FrozenMistake, ...]
    unseen: tuple[str, ...]
    uses: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def public_points(self) -> float:
        return sum(probe.points for probe in self.probes)

    @property
    def hidden_points(self) -> float:
        return self.points - self.public_points


def pack(data: Mapping[str, Any]) -> str:
    """Plain JSON data as the string that goes into the notebook."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{PREFIX}{VERSION}." + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(payload: str) -> dict[str, Any]:
    """Inverse of `pack`.

    Raises:
        PayloadError: It is damaged, or of another version; with a sentence for the student.
    """
    head, dot, body = payload.strip().partition(".")
    if not dot or not head.startswith(PREFIX) or not head[len(PREFIX):].isdigit():
        raise PayloadError("The checks in this notebook are damaged: take the set-up cell from a fresh copy.")
    version = int(head[len(PREFIX):])
    if version > VERSION:
        raise PayloadError(
            "This notebook is newer than the installed dgm package: run `%pip install -U` on it and restart the kernel."
        )
    if version < VERSION:
        raise PayloadError("This notebook is older than the installed dgm package: download the notebook again.")
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(base64.b64decode(body, validate=True), MAX_BYTES)
        if not inflate.eof:
            raise ValueError("cut off")
        data = json.loads(raw)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise PayloadError("The checks in this notebook are damaged: take the set-up cell from a fresh copy.") from None
    if not isinstance(data, dict) or not isinstance(data.get("questions"), list):
        raise PayloadError("The checks in this notebook are damaged: take the set-up cell from a fresh copy.")
    return data


def read_questions(data: Mapping[str, Any]) -> dict[str, FrozenQuestion]:
    """The questions of an unpacked payload, by id.

    Raises:
        PayloadError: It is damaged.
    """
    try:
        return {item["id"]: _question(item) for item in data["questions"]}
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        raise PayloadError("The checks in this notebook are damaged: take the set-up cell from a fresh copy.") from None


def _question(item: Mapping[str, Any]) -> FrozenQuestion:
    outcomes = [read_outcome(raw) for raw in item["outcomes"]]
    probes, expected = [], {}
    for raw in item["probes"]:
        cases = raw["cases"]
        answers = tuple(outcomes[case["expected"]] for case in cases)
        expected.update({(raw["name"], number): answer for number, answer in enumerate(answers)})
        seeds = tuple(int(case["seed"]) for case in cases)
        probes.append(
            FrozenProbe(raw["name"], raw["title"], raw["points"], raw["source"], raw["judge"], seeds, answers)
        )
    mistakes = []
    for raw in item["mistakes"]:
        known = {
            (name, number): expected[name, number] if index == SAME_AS_EXPECTED else outcomes[index]
            for name, number, index in raw["outcomes"]
        }
        mistakes.append(FrozenMistake(raw["title"], known))
    return FrozenQuestion(
        item["id"], item["title"], item["points"], item["manual_points"], item["bonus"],
        {name: tuple(hints) for name, hints in item["hints"].items()}, tuple(probes), tuple(mistakes),
        tuple(item["unseen"]), tuple(item["uses"]), tuple(item["answers"]),
    )


def write_outcome(outcome: Outcome) -> Any:
    """An outcome as plain JSON data, without its time."""
    kept = {"status": outcome["status"], "evidence": outcome["evidence"], "mutated": list(outcome["mutated"])}
    if outcome["error"]:
        kept["error"] = {"type": outcome["error"]["type"], "message": outcome["error"]["message"]}
    return json.loads(wire.encode(kept))


def read_outcome(data: Any) -> Outcome:
    """Inverse of `write_outcome`."""
    return {"error": None, "seconds": 0.0, **wire.decode(json.dumps(data).encode())}


def read_judge(spec: Mapping[str, Any]) -> Judge:
    """A judge from its frozen form; a custom judge comes as source text."""
    if spec["kind"] == "Custom":
        scope: dict[str, Any] = {"__name__": "__judge__"}
        exec(compile(spec["source"], f"<judge {spec['name']}>", "exec"), scope)
        return Custom(scope[spec["name"]], spec.get("text", ""))
    if spec["kind"] == "Fields":
        default = read_judge(spec["default"]) if "default" in spec else None
        return Fields({key: read_judge(item) for key, item in spec["judges"].items()}, default)
    return from_spec(spec)

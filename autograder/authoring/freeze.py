"""Freezes the public probes of a problem set into the payload of its notebook's ``Grader``."""

from __future__ import annotations

import ast
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.errors import UserError
from autograder.probes.extract import extract
from autograder.probes.impact import Impact, closure
from autograder.probes.load import ProblemSet
from autograder.probes.names import Function, mentioned
from autograder.probes.namespace import reference_failed, reference_namespace, variant_namespace
from autograder.probes.solutions import without_solutions
from autograder.probes.spec import Probe, Question
from dgm.checks.compare import first_difference
from dgm.checks.judges import Context, Custom, Fields, Judge, decide
from dgm.checks.runtime import Outcome, load_probe, run_probe
from dgm.grader.local import check_question
from dgm.grader.payload import SAME_AS_EXPECTED, read_judge, read_outcome, read_questions, write_outcome

RTOL, ATOL = 1e-4, 1e-5  # evidence of the same source on another machine
TWO_SEEDS_BELOW = 1_500  # bytes of one seed's evidence up to which a second seed is frozen too
MISTAKE_BYTES = 4_000  # compressed; larger evidence of a mistake is not frozen


def public_seed(assignment: str, question: str, probe: str, number: int) -> int:
    """The seed of a public check. Grading seeds are derived from a secret number, so the two never meet."""
    text = f"public check/{assignment}/{question}/{probe}/{number}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2


def freeze(problem_set: ProblemSet, *, mistakes: bool = True) -> dict[str, Any]:
    """The payload's data; without ``mistakes`` it is fast. Raises `UserError` when a public probe cannot be frozen."""
    reference = reference_namespace(problem_set)
    impact = Impact(problem_set) if mistakes else None
    questions = [_freeze_question(problem_set, question, reference, impact) for question in problem_set.questions]
    data = {"format": 2, "assignment": problem_set.name, "questions": questions}
    for frozen in read_questions(data).values():
        result = check_question(frozen, reference)
        for probe in result.probes:
            if not probe.passed:
                raise UserError(
                    f"{problem_set.name}, {frozen.id}.{probe.id}: the reference fails its own public check: "
                    f"{probe.message}"
                )
    return data


def _freeze_question(
    problem_set: ProblemSet, question: Question, reference: dict[str, Any], impact: Impact | None
) -> dict[str, Any]:
    pool: list[Any] = []
    places: dict[str, int] = {}

    def place(outcome: Any) -> int:
        key = json.dumps(outcome, sort_keys=True)
        if key not in places:
            places[key] = len(pool)
            pool.append(outcome)
        return places[key]

    public = [probe for probe in question.probes if probe.public]
    probes, expected = [], {}
    for probe in public:
        source = probe.source
        cases = []
        for number in range(2):
            seed = public_seed(problem_set.name, question.id, probe.id, number)
            outcome = run_probe(load_probe(source, probe.id), reference, seed)
            if outcome["status"] != "ok":
                raise UserError(f"{reference_failed(question, probe, outcome)}.")
            frozen = write_outcome(outcome)
            cases.append({"seed": seed, "expected": place(frozen)})
            expected[probe.id, number] = outcome
            if len(json.dumps(frozen)) > TWO_SEEDS_BELOW:
                break
        probes.append({
            "name": probe.id, "title": probe.title, "points": _number(probe.points), "source": source,
            "judge": freeze_judge(problem_set, question, probe, probe.judge), "cases": cases,
        })
    first = {name: outcome for (name, number), outcome in expected.items() if number == 0}
    mistakes = _freeze_mistakes(problem_set, question, first, place, impact) if public and impact else []
    return {
        "id": question.id, "title": question.title, "points": _number(question.points),
        "manual_points": _number(question.manual_points), "bonus": question.bonus,
        "hints": {name: list(hints) for name, hints in question.hints.items()},
        "probes": probes, "mistakes": mistakes, "outcomes": pool, "unseen": unseen(problem_set, question),
        "uses": _used_questions(problem_set, question), "answers": list(problem_set.source.names(question.id)),
    }


def _used_questions(problem_set: ProblemSet, question: Question) -> list[str]:
    """The earlier questions whose answers this one needs, in order."""
    owners = {problem_set.source.owner(name) for name in question.uses}
    return [other.id for other in problem_set.questions if other.id in owners and other.id != question.id]


def unseen(problem_set: ProblemSet, question: Question) -> list[str]:
    """The question's answers that no public probe looks at, directly or through code that students are given."""
    given: dict[str, set[str]] = {}
    for cell in problem_set.source.defining:
        text = without_solutions(cell.text, cell.where) if cell.role == "answer" else cell.text
        for node in ast.parse(text).body:
            if isinstance(node, Function):
                given[node.name] = mentioned(node)
    public = {name for probe in question.probes if probe.public for name in mentioned(ast.parse(probe.source))}
    seen = closure(public, given)
    answers = [name for name in problem_set.source.names(question.id) if name in given]
    return [name for name in answers if name not in seen]


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _freeze_mistakes(
    problem_set: ProblemSet,
    question: Question,
    expected: Mapping[str, Outcome],
    place: Callable[[Any], int],
    impact: Impact,
) -> list[dict[str, Any]]:
    """The mistakes that some public check can tell from the reference.

    Only the first seed counts, and evidence is rounded: naming is generous, and this is most of the payload.
    """
    kept = []
    public = [probe for probe in question.probes if probe.public]
    functions = {probe.id: load_probe(probe.source, probe.id) for probe in public}
    for mistake in question.mistakes:
        affected = {probe.id for probe in public if impact.affects(question, mistake, probe)}
        if not affected:
            continue
        namespace = variant_namespace(problem_set, question, mistake)
        outcomes = []
        for name, right in expected.items():
            seed = public_seed(problem_set.name, question.id, name, 0)
            outcome = run_probe(functions[name], namespace, seed) if name in affected else right
            if _same_outcome(outcome, right):
                outcomes.append([name, 0, SAME_AS_EXPECTED])
                continue
            frozen = write_outcome({**outcome, "evidence": rounded(outcome["evidence"])})
            if len(zlib.compress(json.dumps(frozen).encode())) <= MISTAKE_BYTES:
                outcomes.append([name, 0, place(frozen)])
        if any(index != SAME_AS_EXPECTED for _, _, index in outcomes):
            kept.append({"title": mistake.title, "outcomes": outcomes})
    return kept


def _same_outcome(outcome: Outcome, right: Outcome) -> bool:
    return (
        outcome["status"] == "ok"
        and outcome["mutated"] == right["mutated"]
        and first_difference(outcome["evidence"], right["evidence"], RTOL, ATOL) is None
    )


def rounded(value: Any) -> Any:
    """Floats with 12 bits of mantissa, as float32 where they fit: a third of the size when compressed."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    finite = value[np.isfinite(value)]
    if value.dtype.itemsize == 8 and finite.size and np.abs(finite).max() > np.finfo(np.float32).max:
        return value
    bits = np.array(value, dtype=np.float32, order="C").view(np.uint32)
    keep = np.isfinite(value)
    return np.where(keep, (bits + np.uint32(0x400)) & np.uint32(0xFFFFF800), bits).astype(np.uint32).view(np.float32)


def freeze_judge(problem_set: ProblemSet, question: Question, probe: Probe, judge: Judge) -> dict[str, Any]:
    """A judge as plain data; a custom one as source text. Raises `UserError` where that is impossible."""
    if isinstance(judge, Fields):
        parts = {key: freeze_judge(problem_set, question, probe, part) for key, part in judge.judges.items()}
        default = {} if judge.default is None else {
            "default": freeze_judge(problem_set, question, probe, judge.default)
        }
        return {"kind": "Fields", "judges": parts, **default}
    if not isinstance(judge, Custom):
        return judge.to_spec()
    where = f"{probe.where}: {question.id}, {probe.id}"
    function = judge.function
    if function.__name__ == "<lambda>" or getattr(function, "__closure__", None) or "." in function.__qualname__:
        raise UserError(f"{where}: a public probe's judge must be a top-level function, or the probe not public.")
    module = problem_set.modules.name_of(function.__module__)
    if module is None:
        raise UserError(f"{where}: a public probe's judge must stand in the question's folder or in shared/.")
    source = extract(problem_set.modules, module, function.__name__, f"the judge of {probe.id}", judge=True)
    if any(isinstance(node, ast.Attribute) and node.attr == "reference" for node in ast.walk(ast.parse(source))):
        raise UserError(
            f"{where}: its judge uses context.reference, which a student's notebook does not have; "
            "make the probe not public, or judge without the reference."
        )
    spec = {"kind": "Custom", "name": function.__name__, "text": judge.text or judge.describe(), "source": source}
    try:
        read_judge(spec)
    except Exception as error:
        raise UserError(f"{where}: its judge cannot be frozen ({type(error).__name__}: {error}).") from None
    return spec


def same_checks(old: Any, new: Mapping[str, Any]) -> bool:
    """Do two payloads say the same, apart from mistakes? Evidence may differ as it does from machine to machine."""
    try:
        faces = [_same_on_every_python(_face(data, hints=True)) for data in (old, new)]
        return faces[0] == faces[1] and all(
            _same_evidence(one, other) for one, other in zip(old["questions"], new["questions"], strict=True)
        )
    except (KeyError, TypeError, IndexError, ValueError):
        return False


def face_sha256(data: Mapping[str, Any]) -> str:
    """A hash of what the output of ``grader.check`` on the solution depends on.

    Of sources as they stand in the payload, so that a notebook built with one Python is fresh for another.
    """
    return hashlib.sha256(json.dumps(_face(data, hints=False), sort_keys=True).encode()).hexdigest()


def _face(data: Mapping[str, Any], hints: bool) -> Any:
    """The payload without evidence and mistakes, and without hints if not wanted."""
    questions = []
    for item in data["questions"]:
        kept = {key: value for key, value in item.items() if key not in ("outcomes", "probes", "mistakes", "hints")}
        kept["probes"] = [{**probe, "cases": [case["seed"] for case in probe["cases"]]} for probe in item["probes"]]
        if hints:
            kept["hints"] = item["hints"]
        questions.append(kept)
    return {**data, "questions": questions}


def _same_on_every_python(value: Any) -> Any:
    """Source text as this Python writes it: versions differ in how they turn a syntax tree into text."""
    if isinstance(value, dict):
        return {
            key: ast.unparse(ast.parse(item)) if key == "source" else _same_on_every_python(item)
            for key, item in value.items()
        }
    return [_same_on_every_python(item) for item in value] if isinstance(value, list) else value


def _same_evidence(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    for one, other in zip(old["probes"], new["probes"], strict=True):
        judge = read_judge(other["judge"])
        for left, right in zip(one["cases"], other["cases"], strict=True):
            before = read_outcome(old["outcomes"][left["expected"]])
            now = read_outcome(new["outcomes"][right["expected"]])
            if before["mutated"] != now["mutated"]:
                return False
            if first_difference(before["evidence"], now["evidence"], RTOL, ATOL) is None:
                continue
            if not decide(judge, before["evidence"], now["evidence"], Context(right["seed"])).passed:
                return False
    return True

"""The vocabulary of a hidden test module. Calling these registers into the module being loaded (see `load`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from dgm.checks.judges import Close, Custom, Judge


@dataclass(frozen=True)
class Probe:
    """One hidden test. ``function(student, rng)`` returns evidence; ``judge`` decides; ``points`` sit here."""

    name: str
    title: str
    points: float
    judge: Judge
    function: Callable[..., Any]
    public: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class Edit:
    """Replace ``old``, which must occur exactly once in the question's answer cells, by ``new``."""

    old: str
    new: str


@dataclass(frozen=True)
class Variant:
    """A changed version of the reference: new definitions from ``factory(ref)``, or text edits of the answer cells."""

    key: str
    title: str
    factory: Callable[[Any], Mapping[str, Any]] | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Mistake(Variant):
    """A named wrong version. ``title`` is the sentence shown to a student; ``catches`` says what gives it away."""

    catches: str = ""


@dataclass(frozen=True)
class Alternative(Variant):
    """A different correct version, which must pass."""


@dataclass
class Question:
    """A question and its proof.

    ``uses``: names answered in earlier questions, for follow-through credit. ``skills``: ids in the skills map.
    ``hints``: from gentle to explicit, shown one at a time by ``grader.hint``. ``manual_points``: for the written
    part, graded by a person with the ``rubric``, one line a criterion ("1 point: …"). ``bonus``: the points do not
    count towards the set's total. ``minutes``: expected working time. ``aim`` and ``ambiguities`` (what students may
    read differently, and what is accepted) are for the instructor's page.
    """

    id: str
    title: str
    uses: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    manual_points: float = 0.0
    rubric: tuple[str, ...] = ()
    bonus: bool = False
    minutes: int = 0
    aim: str = ""
    ambiguities: tuple[str, ...] = ()
    probes: list[Probe] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    source: str = ""

    @property
    def points(self) -> float:
        return sum(probe.points for probe in self.probes)

    def add_probe(self, new: Probe) -> None:
        if any(old.name == new.name for old in self.probes):
            raise ValueError(f"{self.id}: two probes are named {new.name}")
        self.probes.append(new)


current_module: ContextVar[list[Question]] = ContextVar("current_module")


def _current() -> Question:
    questions = current_module.get(None)
    if not questions:
        raise RuntimeError('a hidden test module starts with question("qN", title=...)')
    return questions[-1]


def question(
    id: str,
    *,
    title: str,
    uses: Sequence[str] = (),
    skills: Sequence[str] = (),
    hints: Sequence[str] = (),
    manual_points: float = 0.0,
    rubric: Sequence[str] = (),
    bonus: bool = False,
    minutes: int = 0,
    aim: str = "",
    ambiguities: Sequence[str] = (),
) -> Question:
    """Start a question; the probes, mistakes and alternatives that follow belong to it. See `Question`."""
    new = Question(
        id, title, tuple(uses), tuple(skills), tuple(hints), manual_points, tuple(rubric), bonus, minutes, aim,
        tuple(ambiguities),
    )
    current_module.get([]).append(new)
    return new


def probe(
    *,
    points: float,
    title: str = "",
    judge: Judge | Callable[..., Any] | None = None,
    public: bool = False,
    seconds: float | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register ``function(student, rng) -> evidence`` as a hidden test worth ``points``.

    The function's source, with the module-level helpers and imports it names, is sent to the student's kernel; it
    must not name anything a student may not see. ``judge`` defaults to `Close`. A ``public`` probe is also frozen
    into the student's local check. ``seconds`` overrides the time limit.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        rule = judge if isinstance(judge, Judge) else Close() if judge is None else Custom(judge)
        name = function.__name__
        text = title or name.replace("_", " ")
        _current().add_probe(Probe(name, text, points, rule, function, public, seconds))
        return function

    return register


def mistake(title: str, *, catches: str = "") -> Callable[[Callable[[Any], Mapping[str, Any]]], Callable]:
    """Register ``factory(ref) -> {name: wrong version}``. ``title`` explains the mistake to a student."""

    def register(factory: Callable[[Any], Mapping[str, Any]]) -> Callable[[Any], Mapping[str, Any]]:
        _current().mistakes.append(Mistake(factory.__name__, title, factory, (), catches))
        return factory

    return register


def edit_mistake(key: str, title: str, *edits: tuple[str, str], catches: str = "") -> None:
    """Register a mistake as text edits ``(old, new)`` of the question's answer cells: how most mistakes are made."""
    _current().mistakes.append(Mistake(key, title, None, tuple(Edit(*edit) for edit in edits), catches))


def alternative(title: str) -> Callable[[Callable[[Any], Mapping[str, Any]]], Callable]:
    """Register ``factory(ref) -> {name: other right version}``."""

    def register(factory: Callable[[Any], Mapping[str, Any]]) -> Callable[[Any], Mapping[str, Any]]:
        _current().alternatives.append(Alternative(factory.__name__, title, factory))
        return factory

    return register


def edit_alternative(key: str, title: str, *edits: tuple[str, str]) -> None:
    """Register an alternative as text edits of the question's answer cells."""
    _current().alternatives.append(Alternative(key, title, None, tuple(Edit(*edit) for edit in edits)))

"""The vocabulary of a question's modules: its `Question` with probes, its `Mistakes`, its `Alternatives`.

All of these are plain objects. Importing a question's modules registers nothing anywhere: `autograder.probes.load`
looks for the objects named ``question``, ``mistakes`` and ``alternatives`` and puts them together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from autograder.errors import UserError
from dgm.checks.judges import Close, Custom, Judge

Factory = Callable[[Any], Mapping[str, Any]]
ProbeFunction = TypeVar("ProbeFunction", bound=Callable[..., Any])
FactoryFunction = TypeVar("FactoryFunction", bound=Factory)


def _caller() -> str:
    """File and line of whoever called the function that calls this."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


@dataclass(frozen=True)
class Probe:
    """One hidden test. ``function(student, rng)`` returns evidence; ``judge`` decides; ``points`` sit here.

    ``source`` is the text that travels to a student's kernel, set when the problem set is loaded.
    """

    id: str
    title: str
    points: float
    judge: Judge
    function: Callable[..., Any]
    public: bool = False
    seconds: float | None = None
    where: str = field(default="", compare=False)
    cut: Callable[[], str] = field(default=lambda: "", compare=False, repr=False)

    @property
    def source(self) -> str:
        """The text that is sent to a student's kernel; cut out of its module once."""
        return self.cut()


@dataclass(frozen=True)
class Edit:
    """Replace ``old``, which must occur exactly once in the question's answer cells, by ``new``.

    ``old`` is a piece of one line, or a block: text that begins with a line break, whose lines are compared with whole
    lines of a cell, whatever their common indentation.
    """

    old: str
    new: str


@dataclass(frozen=True)
class Variant:
    """A changed version of the reference: new definitions from ``factory(ref)``, or text edits of the answer cells."""

    id: str
    title: str
    factory: Factory | None = None
    edits: tuple[Edit, ...] = ()
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Mistake(Variant):
    """A named wrong version. ``title`` is the sentence shown to a student; ``catches`` says what gives it away."""

    catches: str = ""


@dataclass(frozen=True)
class Alternative(Variant):
    """A different correct version, which must pass."""


@dataclass(frozen=True)
class Replacement:
    """What `edit` makes: one version of a place, for `Mistakes.at` or `Alternatives.at`."""

    id: str
    title: str
    new: str
    others: tuple[tuple[str, str], ...]
    catches: str
    where: str


def edit(id: str, title: str, new: str, *others: tuple[str, str], catches: str = "") -> Replacement:
    """One version of the place that `Mistakes.at` or `Alternatives.at` names.

    Args:
        id: the version's key, a word with underscores, unique within the question.
        title: for a mistake, the sentence that the student reads.
        new: what stands there instead, as plain text. A text that begins with a line break is a block of whole lines,
            indented as it likes; "" deletes the place.
        *others: further places that this version changes, as pairs (old, new).
        catches: for a mistake, what gives it away (for the instructor's page).
    """
    return Replacement(id, title, new, others, catches, _caller())


V = TypeVar("V", bound=Variant)


class Variants(Generic[V]):
    """Changed versions of a question's answers, in order: iterate over it. See `Mistakes` and `Alternatives`."""

    kind: ClassVar[type[Variant]] = Variant

    def __init__(self) -> None:
        self._found: list[V] = []

    def at(self, place: str, *replacements: Replacement) -> None:
        """Versions made by replacing one place of the reference's answer cells, each in its own way.

        Args:
            place: text that occurs once in the question's answer cells: a piece of one line, or a block of whole lines
                (a text that begins with a line break, indented as it likes).
            *replacements: what `edit` gives.
        """
        for item in replacements:
            edits = tuple(Edit(old, new) for old, new in ((place, item.new), *item.others))
            self._add(item.id, item.title, None, edits, item.catches, item.where)

    def rewrite(self, title: str, *, catches: str = "") -> Callable[[FactoryFunction], FactoryFunction]:
        """Decorates ``factory(ref) -> {name: other version}``, for versions that are no edit; its name is the key."""
        where = _caller()

        def register(factory: FactoryFunction) -> FactoryFunction:
            self._add(factory.__name__, title, factory, (), catches, where)
            return factory

        return register

    def _add(
        self, id: str, title: str, factory: Factory | None, edits: tuple[Edit, ...], catches: str, where: str
    ) -> None:
        if any(other.id == id for other in self._found):
            raise UserError(f"{where}: two {self.kind.__name__.lower()}s are named {id}.")
        self._found.append(self._make(id, title, factory, edits, catches, where))

    def _make(
        self, id: str, title: str, factory: Factory | None, edits: tuple[Edit, ...], catches: str, where: str
    ) -> V:
        raise NotImplementedError

    def __iter__(self) -> Iterator[V]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Mistakes(Variants[Mistake]):
    """The named wrong versions of a question, grouped by the place that they change.

    ::

        mistakes = Mistakes()

        mistakes.at(
            "return x.logsumexp(-1)",
            edit("sum_of_logs", "The logs are summed; that is the log of a product", "return x.sum(-1)"),
        )

        @mistakes.rewrite("The loop stops one step early")
        def one_short(ref):
            return {"run": lambda steps: ref.run(steps - 1)}
    """

    kind = Mistake

    def _make(
        self, id: str, title: str, factory: Factory | None, edits: tuple[Edit, ...], catches: str, where: str
    ) -> Mistake:
        return Mistake(id, title, factory, edits, where, catches)


class Alternatives(Variants[Alternative]):
    """The other right versions of a question; written like `Mistakes`."""

    kind = Alternative

    def _make(
        self, id: str, title: str, factory: Factory | None, edits: tuple[Edit, ...], catches: str, where: str
    ) -> Alternative:
        return Alternative(id, title, factory, edits, where)


@dataclass
class Question:
    """A question and its proof.

    A question's ``probes.py`` makes one, named ``question``, and hangs its probes on it. Its id comes from its folder,
    ``bonus`` from the outline, and mistakes and alternatives from the modules beside it: the loader fills these in.

    Attributes:
        title: without a number.
        uses: names answered in earlier questions, for follow-through credit.
        skills: ids in the skills map.
        hints: for each function or class that the student writes its hints, from gentle to explicit; ``grader.hint``
            shows one at a time.
        manual_points: for the written part, graded by a person.
        rubric: of the written part, one line a criterion ("1 point: …").
        aim: one sentence for the instructor's page.
        ambiguities: what students may read differently, and what is accepted; for the instructor's page.
        lecture: what must have been taught before ("mixtures and EM"), for the heading; nothing if empty.
        after: of an optional question, the id or folder of the question after which it can be done, for the heading.
        figures_of: the ids or folders of questions whose figures or training runs its own ones use; an outline that has
            this question keeps those. Ids once it is loaded.
        run_seconds: what its cells take to run in the ``cpu`` profile, a part of the time in the heading.
        own_minutes: work that no cell shows, such as an experiment of the student's own; likewise.
        id: ``q3`` for the folder ``q03_mixture_em``.
        bonus: an optional question, whose points do not count towards the set's total.
        text: the sources of its modules, which decide whether a result is still good.
    """

    title: str
    uses: Sequence[str] = ()
    skills: Sequence[str] = ()
    hints: Mapping[str, Sequence[str]] = field(default_factory=dict)
    manual_points: float = 0.0
    rubric: Sequence[str] = ()
    aim: str = ""
    ambiguities: Sequence[str] = ()
    lecture: str = ""
    after: str = ""
    figures_of: Sequence[str] = ()
    run_seconds: float = 0.0
    own_minutes: float = 0.0
    id: str = field(default="", kw_only=True)
    bonus: bool = field(default=False, kw_only=True)
    probes: list[Probe] = field(default_factory=list, kw_only=True)
    mistakes: tuple[Mistake, ...] = field(default=(), kw_only=True)
    alternatives: tuple[Alternative, ...] = field(default=(), kw_only=True)
    text: str = field(default="", kw_only=True, repr=False)

    @property
    def points(self) -> float:
        return sum(probe.points for probe in self.probes)

    def probe(
        self,
        *,
        points: float,
        title: str = "",
        judge: Judge | Callable[..., Any] | None = None,
        public: bool = False,
        seconds: float | None = None,
    ) -> Callable[[ProbeFunction], ProbeFunction]:
        """Decorates ``function(student, rng) -> evidence``, a hidden test worth ``points``; its name is its key.

        The function's source, with the helpers and imports that it names, also those of the set's ``shared/``, is sent
        to the student's kernel; it must not name anything that a student may not see.

        Args:
            points: what it is worth.
            title: what the student reads; the function's name in words if empty.
            judge: a `Judge`, or a function ``judge(evidence, expected, context)``; `Close` if not given.
            public: also frozen into the student's local check.
            seconds: overrides the time limit.
        """
        where = _caller()

        def register(function: ProbeFunction) -> ProbeFunction:
            rule = judge if isinstance(judge, Judge) else Close() if judge is None else Custom(judge)
            id = function.__name__
            if any(other.id == id for other in self.probes):
                raise UserError(f"{where}: two probes are named {id}.")
            if points < 0:
                raise UserError(f"{where}: the points of {id} are negative.")
            self.probes.append(Probe(id, title or id.replace("_", " "), points, rule, function, public, seconds, where))
            return function

        return register

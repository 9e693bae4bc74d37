"""Every attack, at every level that promises to hold it."""

from __future__ import annotations

import io
import os
import re
import unicodedata

import pytest
from autograder.reporting.feedback import feedback
from autograder.reporting.table import results_table
from autograder.results.model import GRADED, PASSED
from autograder.results.summary import to_csv
from rich.console import Console

from . import (
    adaptive,
    evidence_objects,
    exfiltrating,
    forging,
    harming,
    insider,
    looking_around,
    patching,
    transport,
    writing,
)
from .attack import FULL, Attack
from .conftest import Arena, Group

GROUPS: dict[str, list[Attack]] = {
    module.__name__.rpartition(".")[2]: module.LIST
    for module in (
        patching, looking_around, writing, forging, exfiltrating, evidence_objects, harming, adaptive, transport, insider,
    )
}
ATTACKS = [(group, attack) for group, attacks in GROUPS.items() for attack in attacks]
# Much like others of their group: left out unless ATTACKS=all.
SLOW = {
    "fork-fails",
    "clock",
    "run-probe",
    "encode",
    "free-inputs",
    "builtins",
    "empty",
    "extra-keys",
    "nan",
    "truncated",
    "status-lies",
    "execute-reply-forged",
    "array-lies",
    "long",
    "reduce",
    "endless",
    "w-inf",
    "w-keys",
    "w-types",
    "w-claims",
    "s-nan",
    "s-few",
    "shapes",
    "w-giant",
    "numbers",
    "threads",
    "crash",
    "error-text",
    "blocked-signals",
    "figures",
    "stdin",
    "memory-in-probe",
    "many-cells",
    "payload",
    "linecache",
    "udp",
    "thread-writes",
    "namespace",
    "by-dtype",
    "by-source",
}
EVERYTHING = os.environ.get("ATTACKS") == "all"
GROWTH_MB = 150  # two kernels with messages of eight megabytes, which are copied a few times


def graded(arena: Arena, group: str) -> Group:
    attacks = [attack for attack in GROUPS[group] if arena.level in attack.levels]
    return arena.grade([attack for attack in attacks if EVERYTHING or attack.name not in SLOW], group)


@pytest.mark.parametrize(
    ("group", "attack"), [pytest.param(group, attack, id=f"{group}-{attack.name}") for group, attack in ATTACKS]
)
def test_an_attack_gains_and_learns_nothing(arena: Arena, group: str, attack: Attack) -> None:
    if attack.name in SLOW and not EVERYTHING:
        pytest.skip("much like another; runs with ATTACKS=all")
    if arena.level not in attack.levels:
        pytest.skip(f"only {', '.join(attack.levels)} promises to hold this")
    found = graded(arena, group)
    result = found.results[attack.name]
    assert result.status == GRADED, result.problem
    for question in result.questions:
        assert question.score <= attack.deserves.get(question.id, 0.0), question
    assert not found.leaked[attack.name]
    assert "<script>" not in found.texts[attack.name].partition("<html")[2].replace("<script></script>", "")
    if attack.says:
        assert attack.says in found.texts[attack.name], result.questions[0].probes
    if not attack.broken:
        assert not result.notes, "a cell of the attack failed, so it did not try what it should"


@pytest.mark.parametrize("group", GROUPS)
def test_an_honest_notebook_beside_them_gets_full_points(arena: Arena, group: str) -> None:
    found = graded(arena, group)
    assert found.honest
    for result in found.honest:
        assert {question.id: question.score for question in result.questions} == FULL
        assert all(question.status == PASSED for question in result.questions)
        assert not result.notes
        assert not found.leaked[result.student]


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_left_behind(arena: Arena, group: str) -> None:
    assert not graded(arena, group).left_over


@pytest.mark.parametrize("group", GROUPS)
def test_the_grader_s_memory_is_bounded(arena: Arena, group: str) -> None:
    assert graded(arena, group).growth_mb < GROWTH_MB


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_terminal_shows_is_plain(arena: Arena, group: str) -> None:
    """No escape sequence, nothing invisible, and no text that is taken for markup."""
    results = [*graded(arena, group).results.values()]
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(results_table(results, 160))
    for result in results:
        console.print(feedback(result))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char != "\n"]
    for line in to_csv(results).splitlines():
        assert not line.startswith(("=", "+", "@", '"=', '"+', '"@'))
        assert not re.search(r',"?[=+@]', line)


def test_the_grader_s_files_are_untouched(arena: Arena) -> None:
    if arena.level == "process":
        pytest.skip("the level leaves files to their permissions")
    graded(arena, "writing")
    assert arena.untouched


def test_every_attack_is_described_and_unlike_the_others() -> None:
    assert len({attack.name for _, attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.tries for _, attack in ATTACKS)

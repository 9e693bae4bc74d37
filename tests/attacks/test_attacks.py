"""Every attack, at every level that promises to hold it."""

from __future__ import annotations

import pytest

from autograder.grading.results import GRADED, PASSED

from . import adaptive, evidence_objects, exfiltrating, forging, harming, looking_around, patching, writing
from .attack import FULL, Attack
from .conftest import Arena, Group

GROUPS: dict[str, list[Attack]] = {
    module.__name__.rpartition(".")[2]: module.LIST
    for module in (
        patching, looking_around, writing, forging, exfiltrating, evidence_objects, harming, adaptive,
    )
}
ATTACKS = [(group, attack) for group, attacks in GROUPS.items() for attack in attacks]
GROWTH_MB = 300  # two kernels, each with two queues of eight messages of eight megabytes


def graded(arena: Arena, group: str) -> Group:
    return arena.grade([attack for attack in GROUPS[group] if arena.level in attack.levels], group)


@pytest.mark.parametrize(
    ("group", "attack"), [pytest.param(group, attack, id=f"{group}-{attack.name}") for group, attack in ATTACKS]
)
def test_an_attack_gains_and_learns_nothing(arena: Arena, group: str, attack: Attack) -> None:
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
    found = graded(arena, group)
    assert not found.left_over
    assert found.growth_mb < GROWTH_MB


def test_every_attack_is_described_and_unlike_the_others() -> None:
    assert len({attack.name for _, attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.tries for _, attack in ATTACKS)

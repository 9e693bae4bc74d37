"""Question 9 against counted bigrams, Python's sort, PyTorch's attention, and the numbers of the text."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from dgm.checks.judges import Context
from ps4_language_models.q09_by_hand.probes import heads_judge


def copier(reference, n, sharpness, without=None):
    parts = reference.stream_parts(n + 1, 2 * n + 1, "before")
    heads = [reference.lookback_head(parts, 1, "before", sharpness), reference.induction_head(parts, [("token", "before")], sharpness)]
    return reference.HandModel(parts, [[reference.empty_head(parts) if i == without else head] for i, head in enumerate(heads)])


def twice(n, start, seed=0):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return torch.tensor([[n] * start + order + order])


def copied(model, ids, n):
    logits, targets = model(ids)[0, -n:-1], ids[0, 1 - n :]
    return int((logits.argmax(-1) == targets).sum()), float(F.cross_entropy(logits, targets))


def test_worked_numbers(reference):
    assert reference.needed_sharpness(1, 19, 0.99) == pytest.approx(7.54, abs=0.005)
    assert reference.needed_sharpness(1, 8, 0.5) == pytest.approx(2.08, abs=0.005)
    assert math.exp(5) / (math.exp(5) + 2) == pytest.approx(0.987, abs=5e-4)
    scores = torch.tensor([reference.needed_sharpness(3, 11, 0.8)] * 3 + [0.0] * 11, dtype=torch.float64)
    assert float(scores.softmax(0)[:3].sum()) == pytest.approx(0.8)


@pytest.mark.parametrize("seed", range(5))
def test_the_numbers_of_the_text(reference, seed):
    right, loss = copied(copier(reference, 20, 10.0), twice(20, False, seed), 20)
    assert right == 18
    assert loss == pytest.approx(0.037, abs=5e-4)
    right, loss = copied(copier(reference, 20, 10.0), twice(20, True, seed), 20)
    assert right == 19
    assert loss < 1e-3
    right, loss = copied(copier(reference, 80, 4.0), twice(80, True, seed), 80)
    assert right == 79
    assert loss == pytest.approx(2.70, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_induction_counts_bigrams(reference, seed):
    ids = torch.randint(5, (1, 40), generator=torch.Generator().manual_seed(seed))
    ids = torch.cat([torch.full((1, 1), 5), ids], 1)
    parts = reference.stream_parts(6, 41, "before")
    layers = [[reference.lookback_head(parts, 1, "before", 60.0)], [reference.induction_head(parts, [("token", "before")], 60.0)]]
    answer = reference.HandModel(parts, layers, strength=1.0)(ids)[0]
    text = ids[0].tolist()
    for i in range(20, 41):
        counts = torch.zeros(6)
        for a, b in itertools.pairwise(text[: i + 1]):
            counts[b] += a == text[i]
        if counts.sum():
            torch.testing.assert_close(answer[i], counts / counts.sum())


@pytest.mark.parametrize("seed", range(5))
def test_sorting_sorts(reference, seed):
    numbers = (1 + torch.randperm(30, generator=torch.Generator().manual_seed(seed))[:12]).tolist()
    parts = reference.stream_parts(32, 40)
    model = reference.HandModel(parts, [[reference.sorting_head(parts, 1.0)]])
    ids = [31, *numbers, 0]
    for _ in range(13):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    assert ids[14:] == [*sorted(numbers), 31]


def test_the_model_against_the_library(reference):
    parts = reference.stream_parts(4, 6, "before")
    width = parts["answer"].stop
    generator = torch.Generator().manual_seed(0)
    look, copy = (torch.randn(width, width, generator=generator) for _ in range(2))
    model = reference.HandModel(parts, [[(look, copy)]])
    x = model.start(torch.tensor([[0, 3, 1, 1]]))
    expected = x + F.scaled_dot_product_attention(x @ look, x, x, is_causal=True, scale=1.0) @ copy
    torch.testing.assert_close(model.run(torch.tensor([[0, 3, 1, 1]]))[0], expected)


def test_the_judge_says_where_a_head_looks():
    def evidence(j):
        weights = torch.eye(4)[[0, 0, j, 2]].numpy()
        return {"one step": {"weights": weights, "written into 'before'": weights, "written into other parts": 0 * weights}}

    context = Context(reference=None, seed=0)
    assert heads_judge(evidence(1), evidence(1), context).passed
    assert "position 2 looks most at position 2 (weight 1); position 1 should have 1" in heads_judge(evidence(2), evidence(1), context).message

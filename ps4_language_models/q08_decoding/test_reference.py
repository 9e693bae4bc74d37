"""Question 8 against enumeration, scipy, transformers, and the numbers of its text."""

import itertools
import math

import pytest
import torch


def logits(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Chain:
    """The next token depends on the last two, and on its place, so that no two texts are equally likely."""

    def __init__(self, size, seed=0):
        self.size, self.table, self.drift = size, 2 * logits(size + 1, size, size, seed=seed), logits(16, size, seed=seed + 1)

    def __call__(self, ids):
        before = torch.cat([torch.full_like(ids[:, :1], self.size), ids[:, :-1]], 1)
        return self.table[before, ids] + self.drift[: ids.shape[1]]


def test_worked_filters(reference):
    p = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
    found = reference.filter_logits(p.log(), top_p=0.7)
    torch.testing.assert_close(found, torch.tensor([0.625, 0.375, 0, 0], dtype=torch.float64))
    found = reference.filter_logits(p.log(), min_p=0.2)
    torch.testing.assert_close(found, torch.tensor([0.526, 0.316, 0.158, 0], dtype=torch.float64), atol=1e-3, rtol=0)


@pytest.mark.parametrize("settings", [{"top_k": 3}, {"top_p": 0.8}, {"min_p": 0.2}, {"temperature": 2.0, "top_k": 6, "top_p": 0.9, "min_p": 0.1}])
def test_filters_by_enumeration_of_sets(reference, settings):
    """Of all sets of likeliest tokens, the one that each definition says."""
    for row in logits(20, 8):
        heat = (row / settings.get("temperature", 1.0)).softmax(0)
        order = heat.argsort(descending=True).tolist()
        kept = order[: settings.get("top_k", 8)]
        left = heat[kept] / heat[kept].sum()
        for size in range(1, len(kept) + 1):
            if float(left[:size].sum()) >= settings.get("top_p", 1.0) - 1e-12:
                kept = kept[:size]
                break
        kept = [token for token in kept if heat[token] >= settings.get("min_p", 0.0) * heat.max()]
        want = torch.zeros_like(heat)
        want[kept] = heat[kept] / heat[kept].sum()
        torch.testing.assert_close(reference.filter_logits(row, **settings), want)


def test_filters_against_transformers(reference):
    warpers = pytest.importorskip("transformers.generation.logits_process")
    x = logits(10, 30).float()
    chain = [warpers.TemperatureLogitsWarper(1.4), warpers.TopKLogitsWarper(20), warpers.TopPLogitsWarper(0.9), warpers.MinPLogitsWarper(0.1)]
    want = x
    for warper in chain:
        want = warper(None, want)
    torch.testing.assert_close(reference.filter_logits(x, 1.4, 20, 0.9, 0.1), want.softmax(-1))


def test_temperature_limits(reference):
    x = logits(5, 7)
    torch.testing.assert_close(reference.filter_logits(x, temperature=1e-4).argmax(-1), x.argmax(-1))
    torch.testing.assert_close(reference.filter_logits(x, temperature=1e8), torch.full_like(x, 1 / 7), atol=1e-6, rtol=0)
    for heat in (0.5, 3.0):  # min-p keeps what lies within heat * log(1 / m) of the largest logit
        kept = reference.filter_logits(x, temperature=heat, min_p=0.1) > 0
        assert torch.equal(kept, x >= x.amax(-1, keepdim=True) - heat * math.log(10))


def test_all_texts_have_probability_one(reference):
    model = Chain(4)
    tails = torch.tensor(list(itertools.product(range(4), repeat=4)))
    ids = torch.cat([torch.tensor([[2, 1]]).expand(len(tails), -1), tails], 1)
    assert float(reference.sequence_log_prob(model, ids, 2).exp().sum()) == pytest.approx(1)
    ended = torch.where((tails == 0).cumsum(1) > 0, 0, tails)
    different = torch.cat([ids[:, :2], ended], 1).unique(dim=0)
    assert float(reference.sequence_log_prob(model, different, 2, eos=0).exp().sum()) == pytest.approx(1)


@pytest.mark.parametrize("eos", [None, 0])
def test_wide_beams_are_brute_force(reference, eos):
    model, prompt = Chain(4, seed=3), torch.tensor([0, 1])
    tails = torch.tensor(list(itertools.product(range(4), repeat=4)))
    if eos is not None:
        tails = torch.where((tails == eos).cumsum(1) > 0, eos, tails).unique(dim=0)
    ids = torch.cat([prompt.expand(len(tails), -1), tails], 1)
    want, order = reference.sequence_log_prob(model, ids, 2, eos).sort(descending=True)
    texts, scores = reference.beam_search(model, prompt, 1000, 4, eos)
    torch.testing.assert_close(scores, want)
    assert torch.equal(texts, ids[order])


def test_beams_agree_with_the_score_and_improve_on_greedy(reference):
    """The trap of the text: A 0.6, then four equal ways; B 0.4, then one of 0.9."""
    texts, scores = reference.beam_search(Chain(5), torch.tensor([1]), 3, 6, eos=2)
    torch.testing.assert_close(scores, reference.sequence_log_prob(Chain(5), texts, 1, eos=2))
    p = torch.full((6, 6), 1 / 6, dtype=torch.float64)
    p[0] = torch.tensor([0, 0.6, 0.4, 0, 0, 0])
    p[1] = torch.tensor([0, 0, 0.25, 0.25, 0.25, 0.25])
    p[2] = torch.tensor([0, 0, 0, 0.9, 0.1, 0])
    for width, best in ((1, 0.15), (2, 0.36)):
        _, scores = reference.beam_search(lambda ids: p.log()[ids], torch.tensor([0]), width, 2)
        assert float(scores[0].exp()) == pytest.approx(best)


def test_binomial_tail_against_scipy(reference):
    stats = pytest.importorskip("scipy.stats")
    for n, count, gamma in ((1, 1, 0.3), (100, 70, 0.5), (999, 400, 0.25), (300, 0, 0.8)):
        assert reference.binomial_tail(n, count, gamma) == pytest.approx(stats.binom.sf(count - 1, n, gamma), rel=1e-9)


def test_false_positive_rate_is_exact_over_all_keys(reference):
    """All 2^6 colourings of the six different pairs of one innocent text: P(rate <= r) = r for every rate that occurs."""
    text = torch.tensor([0, 1, 2, 0, 0, 2, 1, 2, 0])
    pairs = sorted({(int(a), int(b)) for a, b in itertools.pairwise(text)})
    assert len(pairs) == 6
    for gamma in (0.5, 0.3):
        chances, rates, scores = [], [], []
        for colours in itertools.product((False, True), repeat=6):
            green = torch.zeros(3, 3, dtype=torch.bool)
            for (a, b), colour in zip(pairs, colours):
                green[a, b] = colour
            z, rate = reference.watermark_z(text, green, gamma)
            chances.append(gamma ** sum(colours) * (1 - gamma) ** (6 - sum(colours)))
            rates.append(rate)
            scores.append(z)
        chances, rates, scores = (torch.tensor(each, dtype=torch.float64) for each in (chances, rates, scores))
        for rate in rates.unique():
            assert float(chances[rates <= rate + 1e-9].sum()) == pytest.approx(float(rate), rel=1e-9)
        assert float((chances * scores).sum()) == pytest.approx(0, abs=1e-12)
        assert float((chances * scores**2).sum()) == pytest.approx(1)


def test_z_of_the_text(reference):
    """100 different pairs, 70 green: z = 4."""
    text = torch.arange(101)
    green = torch.zeros(101, 101, dtype=torch.bool)
    green[torch.arange(70), torch.arange(1, 71)] = True
    z, rate = reference.watermark_z(text, green, 0.5)
    assert z == pytest.approx(4) and rate == pytest.approx(3.93e-5, rel=1e-2)

"""Question 2 against plain dictionaries, exact sums, a brute-force Kneser-Ney on strings, and the numbers of its text."""

import math
from collections import Counter, defaultdict

import pytest
import torch

from dgm import data


def tokens(length, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(size, (3, length), generator=generator).amin(0)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_tables_are_those_of_a_dictionary(reference, n):
    ids = tokens(200, 4)
    contexts, counts = reference.count_ngrams(ids, n, 4)
    expected = Counter(tuple(ids[i : i + n].tolist()) for i in range(200 - n + 1))
    found = {}
    for code, row in zip(contexts.tolist(), counts.tolist()):
        digits = [code // 4**place % 4 for place in range(n - 2, -1, -1)]
        found |= {(*digits, token): count for token, count in enumerate(row) if count}
    assert found == expected
    assert contexts.tolist() == sorted(set(contexts.tolist()))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_continuation_counts_are_numbers_of_different_tokens_before(reference, n):
    ids = tokens(300, 4, seed=1)
    contexts, counts = reference.continuation_counts(*reference.count_ngrams(ids, n, 4), n)
    before = defaultdict(set)
    for i in range(300 - n + 1):
        window = tuple(ids[i : i + n].tolist())
        before[window[1:]].add(window[0])
    total = 0
    for code, row in zip(contexts.tolist(), counts.tolist()):
        digits = tuple(code // 4**place % 4 for place in range(n - 3, -1, -1))
        for token, count in enumerate(row):
            assert count == len(before[(*digits, token)])
            total += count
    assert total == sum(map(len, before.values()))


def brute_force(text, vocab, context, word, n, d, highest=True):
    """Kneser-Ney from the definition, on lists."""
    if n == 0:
        return 1 / vocab
    grams = [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    if highest:
        c = Counter(grams)
    else:
        c = Counter(window[1:] for window in {tuple(text[i : i + n + 1]) for i in range(len(text) - n)})
    context = tuple(context[len(context) - n + 1 :]) if n > 1 else ()
    total = sum(count for gram, count in c.items() if gram[:-1] == context)
    lower = brute_force(text, vocab, context, word, n - 1, d, False)
    if total == 0:
        return lower
    types = sum(1 for gram in c if gram[:-1] == context)
    return (max(c[(*context, word)] - d, 0) + d * types * lower) / total


def test_kneser_ney_is_the_definition(reference):
    ids = tokens(60, 3, seed=2)
    model = reference.NGram(reference.ngram_tables(ids, 3, 3, True), lambda rows: reference.kneser_ney(rows, 0.75))
    new = tokens(12, 3, seed=3)
    found = model(new[None])[0].exp()
    for t in range(2, 12):
        for word in range(3):
            expected = brute_force(ids.tolist(), 3, new[: t + 1].tolist(), word, 3, 0.75)
            assert abs(float(found[t, word]) - expected) < 1e-6


def test_every_context_sums_to_one_and_the_unseen_is_finite(reference):
    ids = tokens(80, 5, seed=4)
    every = torch.cartesian_prod(*[torch.arange(5)] * 3)
    for continuation, smooth in ((False, lambda r: reference.interpolate(r, 0.2)), (True, lambda r: reference.kneser_ney(r, 0.9))):
        p = reference.NGram(reference.ngram_tables(ids, 4, 5, continuation), smooth)(every).exp()
        assert p.shape == (125, 3, 5)
        torch.testing.assert_close(p.sum(-1), torch.ones(125, 3))
        assert float(p.min()) > 0


def test_numbers_of_the_text(reference):
    counts = torch.tensor([[3, 1, 0, 0]])
    torch.testing.assert_close(reference.interpolate([counts], 1.0), torch.tensor([[4, 2, 1, 1]]) / 8)
    torch.testing.assert_close(reference.kneser_ney([counts], 0.75)[0] * 4, torch.tensor([2.25, 0.25, 0, 0]) + 1.5 / 4)
    assert int(reference.context_code(torch.tensor([3, 0, 7]), 10)) == 307
    york_cup = torch.tensor([0, 1] * 50 + [x for other in range(3, 33) for x in (other, 2)])  # new york …; 30 words with cup
    contexts, found = reference.continuation_counts(*reference.count_ngrams(york_cup, 2, 40), 2)
    assert contexts.tolist() == [0] and found[0, 1:3].tolist() == [1, 30]


def test_bits_per_byte_does_not_depend_on_the_cut(reference):
    nats = torch.rand(40, generator=torch.Generator().manual_seed(0))
    text = "ab" * 18 + "é" * 2
    assert math.isclose(float(reference.bits_per_byte(nats, text)), float(nats.double().sum()) / math.log(2) / 40, rel_tol=1e-5)
    torch.testing.assert_close(reference.bits_per_byte(nats, text), reference.bits_per_byte(nats.reshape(-1, 4).sum(1), text))


def test_the_copy_language(reference):
    text = reference.copy_lines(50, torch.Generator().manual_seed(0))
    lines = text.splitlines(keepends=True)
    assert len(set(reference.COPY_WORDS)) == 32 and {len(word) for word in reference.COPY_WORDS} == {6}
    assert len(lines) == 50 and {len(line) for line in lines} == {44}
    assert all(line[:20] == line[23:43] and line[20:23] == " : " for line in lines)
    assert math.isclose(reference.COPY_NATS, 15 * math.log(2) / 44)
    assert text == reference.copy_lines(50, torch.Generator().manual_seed(0))


def cost(reference, train, new, n, continuation=True):
    tokenizer = data.CharTokenizer.from_text(train)
    tables = reference.ngram_tables(tokenizer.encode(train), n, len(tokenizer), continuation)
    model = reference.NGram(tables, lambda rows: reference.kneser_ney(rows, 0.75))
    return float(reference.token_nats(model, tokenizer.encode(new)[None]).mean())


def test_the_six_gram_on_the_copy_language(reference):
    train, new = (reference.copy_lines(n, torch.Generator().manual_seed(n)) for n in (1500, 100))
    assert 0.59 < cost(reference, train, new, 6) < 0.64

"""Question 1 against a naive trainer, Python's own UTF-8, random chunks, a byte count of work, and two tokenizer libraries."""

import random
import re
import time
from collections import Counter

import pytest

from dgm import data

END, PAD = "<|end|>", "<pad>"
SIGNS = ["a", "b", "ab", " ", "  ", "\n", " \n", "\t", "12", "!", "!!", "é", "東", "🙂", "_", "’", "<|", "<|en", "nd|>", END, PAD, "\u00a0", "½"]


def some_text(seed, n=60):
    generator = random.Random(seed)
    return "".join(generator.choice(SIGNS) for _ in range(n))


def naive(words, n):
    """Merges by recounting everything."""
    words, merges = [([bytes([b]) for b in word.encode()], times) for word, times in words.items()], []
    for _ in range(n):
        counts = Counter()
        for parts, times in words:
            for i in range(len(parts) - 1):
                counts[parts[i], parts[i + 1]] += times
        if not counts:
            break
        top = max(counts.values())
        best = sorted(pair for pair, count in counts.items() if count == top)[-1]
        merges.append(best)
        for parts, _ in words:
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == best:
                    parts[i : i + 2] = [best[0] + best[1]]
                i += 1
    return merges


def test_the_example(reference):
    text = "\n".join(["low"] * 5 + ["lower"] * 2 + ["widest"] * 3 + ["newest"] * 6)
    vocab, merges = reference.train_bpe(text, 256 + 50, (END,))
    shown = "s t, e st, o w, l ow, w est, n e, ne west, w i, wi d, wid est, low e, lowe r"
    assert [" ".join(part.decode() for part in pair) for pair in merges] == shown.split(", ")
    assert vocab[256] == b"st" and vocab[256 + 12] == END.encode() and len(vocab) == 256 + 13
    assert [vocab[i] for i in reference.encode("lowest", vocab, merges)] == [b"low", b"est"]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_make_up_the_text_and_specials_stay_whole(reference, seed):
    text = some_text(seed)
    for specials in ((), (END,), (PAD, END), ("<", "<|end|>", "<|")):
        pieces = reference.pretokenize(text, specials)
        assert "".join(pieces) == text and all(pieces)
        for special in specials[:2]:
            if specials != ("<", "<|end|>", "<|"):
                assert pieces.count(special) == text.count(special)


@pytest.mark.parametrize("seed", range(10))
def test_incremental_training_equals_recounting(reference, seed):
    text = some_text(seed, 400)
    words = Counter(piece for piece in reference.pretokenize(text, (END, PAD)) if piece not in (END, PAD))
    vocab, merges = reference.train_bpe(text, 256 + 2 + 40, (END, PAD))
    assert merges == naive(words, 40)
    assert [vocab[256 + i] for i in range(len(merges))] == [a + b for a, b in merges]
    assert len(set(vocab.values())) == len(vocab)


def test_english_in_time_and_as_by_recounting(reference):
    text = data.english("train")
    start = time.process_time()
    _, merges = reference.train_bpe(text, 256 + 500)
    assert time.process_time() - start < 5
    assert merges[:60] == naive(Counter(reference.pretokenize(text)), 60)


def test_no_blow_up(reference):
    start = time.process_time()
    assert len(reference.train_bpe("word" * 500_000, 256 + 5)[1]) == 5
    assert len(reference.train_bpe("word " * 400_000, 256 + 20)[1]) == 4
    noise = random.Random(0).randbytes(2_000_000).decode("latin-1")
    vocab, merges = reference.train_bpe(noise, 256 + 3)
    assert len(merges) == 3 and len(reference.encode("word" * 50_000, vocab, merges)) == 200_000
    assert time.process_time() - start < 60


@pytest.mark.parametrize("seed", range(20))
def test_round_trip_and_streams(reference, seed):
    vocab, merges = reference.train_bpe(some_text(100, 600) + "  \n" * 30, 256 + 60, (END, PAD))
    text, generator = some_text(seed), random.Random(seed)
    for specials in ((), (END, PAD), (PAD,)):
        ids = reference.encode(text, vocab, merges, specials)
        assert reference.decode(ids, vocab) == text
        for longest in (1, 3, 9):
            chunks, at = [], 0
            while at < len(text):
                chunks.append(text[at : at + generator.randint(0, longest)])
                at += len(chunks[-1])
            assert list(reference.encode_stream(iter(chunks), vocab, merges, specials)) == ids


@pytest.mark.parametrize("seed", range(5))
def test_any_bytes_are_decoded(reference, seed):
    raw = random.Random(seed).randbytes(200)
    assert reference.decode(list(raw), {i: bytes([i]) for i in range(256)}) == raw.decode("utf-8", "replace")


def trained(reference):
    text = data.english("train")[:60_000] + " déjà vu 東京 12 1234 " * 50
    return reference.train_bpe(text, 256 + 200, (END,))


def test_against_tiktoken(reference):
    tiktoken = pytest.importorskip("tiktoken")
    vocab, merges = trained(reference)
    ranks = {token: i for i, token in vocab.items() if token != END.encode()}
    other = tiktoken.Encoding("ours", pat_str=reference.PATTERN, mergeable_ranks=ranks, special_tokens={END: len(vocab) - 1})
    for text in [data.english("val")[:5000], *(some_text(seed) for seed in range(10))]:
        assert reference.encode(text, vocab, merges, (END,)) == other.encode(text, allowed_special="all")
        assert reference.encode(text, vocab, merges) == other.encode(text, disallowed_special=())


def test_against_tokenizers(reference):
    models = pytest.importorskip("tokenizers").models
    vocab, merges = trained(reference)

    def letters(token):
        return token.decode("latin-1")

    model = models.BPE({letters(token): i for i, token in vocab.items() if i < len(vocab) - 1}, [(letters(a), letters(b)) for a, b in merges])
    for piece in set(re.findall(reference.PATTERN, data.english("val")[:5000] + some_text(0))):
        assert [token.id for token in model.tokenize(letters(piece.encode()))] == reference.encode(piece, vocab, merges)

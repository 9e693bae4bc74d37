import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import dgm
from dgm.data.text import _prose

SPLITS = ("train", "val", "test")


def test_english_is_clean_prose_of_a_useful_size():
    texts = {s: dgm.data.english(s) for s in SPLITS}
    assert 90_000 < len(texts["train"]) < 300_000
    assert all(8_000 < len(texts[s]) < 40_000 for s in ("val", "test"))
    everything = "".join(texts.values())
    assert everything.isascii() and len(set(everything)) < 85
    for clutter in ("::=", ">>>", "**", "``", "===", "  ", "\t", "New in version"):
        assert clutter not in everything
    assert all(re.match(r"[A-Z].*[.:]$", line) for line in everything.splitlines())
    letters = sum(c.isalpha() or c == " " for c in everything)
    assert letters > 0.93 * len(everything)


def test_english_splits_share_no_paragraph_and_val_and_test_use_known_characters():
    lines = {s: dgm.data.english(s).splitlines() for s in SPLITS}
    total = set().union(*lines.values())
    assert len(total) == sum(len(part) for part in lines.values())
    known = set(dgm.data.english("train"))
    assert set(dgm.data.english("val")) <= known and set(dgm.data.english("test")) <= known
    assert dgm.data.english("val") == dgm.data.english("val")
    with pytest.raises(ValueError, match="unknown split"):
        dgm.data.english("all")


@pytest.mark.parametrize(
    "block, expected",
    [
        ("   The *find* method should be used only if you\n   need to know the position of \"sub\".",
         "The find method should be used only if you need to know the position of sub."),
        ("* A bulleted sentence that is long enough to be kept, as it is\n  prose [3].",
         "A bulleted sentence that is long enough to be kept, as it is prose."),
        ("   while_stmt ::= \"while\" assignment_expression \":\" suite and some more text here.", None),
        ("Too short.", None),
        ("New in version 3.7: The built-in breakpoint, when called with defaults, can be used.", None),
        ("class Node:\n    def method(self) and so on and so forth and so on and so forth.", None),
        ("| a table | with cells | that goes on for quite a while, a long while indeed.", None),
    ],
)  # fmt: skip
def test_prose(block, expected):
    assert _prose(block) == expected


@given(st.text(min_size=1))
def test_tokenizer_round_trip(text):
    tokenizer = dgm.data.CharTokenizer.from_text(text)
    tokens = tokenizer.encode(text)
    assert tokens.dtype == torch.int64 and tokens.shape == (len(text),) and len(tokenizer) == len(set(text))
    assert tokenizer.decode(tokens) == text == tokenizer.decode(tokens.tolist())


def test_tokenizer_order_and_errors():
    tokenizer = dgm.data.CharTokenizer(dgm.data.char_vocab("hello"))
    assert tokenizer.vocab == "ehlo" and tokenizer.encode("").shape == (0,) and tokenizer.decode([]) == ""
    with pytest.raises(ValueError, match="'x' is not in the vocabulary"):
        tokenizer.encode("hex")
    for bad in (4, -1):
        with pytest.raises(ValueError, match="outside"):
            tokenizer.decode([0, bad])
    with pytest.raises(ValueError, match="twice"):
        dgm.data.CharTokenizer("aba")

"""English text that every Python has (its own language reference), and a character tokeniser."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

_PUNCTUATION = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-", "…": "...", "×": "x", "\t": " ", "\u00a0": " "}
)
_NOTE = re.compile(r"^(New in version|Changed in version|Deprecated since|Added in version|See also|Source code)")
_MARKUP = re.compile(r"\*\*?([^*\s](?:[^*]*[^*\s])?)\*\*?")
_FOOTNOTE = re.compile(r"\s?\[\d+\]")
_ALLOWED = re.compile(r"[^A-Za-z0-9 .,;:'\"()?!/_-]")


def english(split: Literal["train", "val", "test"] = "train") -> str:
    """Prose of the Python language reference (``pydoc_data.topics``), one paragraph a line, in plain ASCII.

    Kept: whole sentences. Left out: code, grammar, tables, headings, version notes, lists of signatures, and
    repeated paragraphs; emphasis and quotation marks around names are gone. Every paragraph goes to one split by a
    checksum of its text, about 80/10/10, so that no paragraph is in two splits, in any Python version; one with a
    character that "train" would otherwise lack goes to "train". The text differs slightly between Python versions;
    sizes are some 134,000, 17,000 and 14,000 characters, of about 74 kinds.

    Raises:
        ValueError: An unknown split.
    """
    if split not in ("train", "val", "test"):
        raise ValueError(f"unknown split {split!r}: use 'train', 'val' or 'test'")
    return _splits()[split]


def char_vocab(text: str) -> str:
    """The different characters of ``text``, sorted, as one string."""
    return "".join(sorted(set(text)))


class CharTokenizer:
    """Characters to tokens and back.

    >>> tokenizer = CharTokenizer.from_text("hello")
    >>> tokenizer.vocab, len(tokenizer)
    ('ehlo', 4)
    >>> tokenizer.encode("hello")
    tensor([1, 0, 2, 2, 3])
    >>> tokenizer.decode([1, 0, 2, 2, 3])
    'hello'
    """

    def __init__(self, vocab: str) -> None:
        """A tokenizer with this vocabulary.

        Args:
            vocab: Distinct characters; token i stands for ``vocab[i]``.

        Raises:
            ValueError: A character occurs twice.
        """
        if len(set(vocab)) != len(vocab):
            raise ValueError("vocab contains a character twice")
        self.vocab = vocab
        self._token = {character: i for i, character in enumerate(vocab)}

    @classmethod
    def from_text(cls, text: str) -> CharTokenizer:
        """The tokenizer whose vocabulary is :func:`char_vocab` of ``text``."""
        return cls(char_vocab(text))

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, text: str) -> Tensor:
        """Tokens, int64 (len(text),).

        Raises:
            ValueError: A character outside the vocabulary, which it names.
        """
        try:
            return torch.tensor([self._token[character] for character in text], dtype=torch.int64)
        except KeyError as error:
            raise ValueError(f"character {error.args[0]!r} is not in the vocabulary of {len(self)}") from None

    def decode(self, tokens: Tensor | Iterable[int]) -> str:
        """Text of tokens (time,), a tensor or integers.

        Raises:
            ValueError: A token outside 0..len-1.
        """
        numbers = tokens.reshape(-1).tolist() if isinstance(tokens, Tensor) else [int(t) for t in tokens]
        for token in numbers:
            if not 0 <= token < len(self):
                raise ValueError(f"token {token} is outside 0..{len(self) - 1}")
        return "".join(self.vocab[token] for token in numbers)


@lru_cache(maxsize=1)
def _splits() -> dict[str, str]:
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    paragraphs = _paragraphs()
    known = set("".join(p for p in paragraphs if _split_of(p) == "train"))
    for paragraph in paragraphs:
        parts[_split_of(paragraph) if known.issuperset(paragraph) else "train"].append(paragraph)
    return {name: "\n".join(part) + "\n" for name, part in parts.items()}


def _paragraphs() -> tuple[str, ...]:
    from pydoc_data.topics import topics

    seen: dict[str, None] = {}  # ordered, without repeats: topics quote each other
    for name in sorted(topics):
        for block in re.split(r"\n[ \t]*\n", topics[name]):
            paragraph = _prose(block)
            if paragraph is not None:
                seen[paragraph] = None
    return tuple(seen)


def _prose(block: str) -> str | None:
    """A block of the reference as one clean line, or None if it is no prose."""
    lines = block.strip("\n").split("\n")
    indents = {len(line) - len(line.lstrip()) for line in lines}
    if len(indents) > 1 and not lines[0].lstrip().startswith(("* ", "- ")):
        return None  # code, grammar, or a signature with its body
    text = " ".join(line.strip() for line in lines).translate(_PUNCTUATION)
    text = re.sub(r"^(\* |- |\d+\. )", "", text)
    if any(mark in text for mark in ("::=", ">>>", "|", "->", "===", "+--", "~~~")):
        return None
    text = _MARKUP.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text).replace('"', "")
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) < 60 or _NOTE.match(text) or _ALLOWED.search(text):
        return None
    letters = sum(character.isalpha() or character == " " for character in text)
    return text if text[0].isupper() and text[-1] in ".:" and letters >= 0.9 * len(text) else None


def _split_of(paragraph: str) -> str:
    bucket = zlib.crc32(paragraph.encode("ascii")) % 10
    return {8: "val", 9: "test"}.get(bucket, "train")

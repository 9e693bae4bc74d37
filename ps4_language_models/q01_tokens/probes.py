"""Question 1: byte-pair encoding, from bytes to tokens and back."""

import functools
import re
import sys
import zlib
from collections import Counter
from itertools import pairwise

import numpy as np

from autograder.probes import Custom, Exact, Fields, Question
from dgm.checks.asking import AnswerError, tried, two_of, with_right
from dgm.checks.words import with_article

question = Question(
    title="From bytes to tokens: byte-pair encoding, fast",
    skills=["4.01", "4.03", "4.04", "4.05"],
    lecture="tokenization",
    run_seconds=6,
    aim="Train, apply and undo a byte-level tokenizer that is exact, incremental and streams; see what it costs whom.",
    hints={
        "pretokenize": (
            "What must be cut out first, so that the pattern cannot take it apart?",
            "`re.split` with a group in brackets keeps what it splits at: `re.split('(x)', 'axb')` is `['a', 'x', 'b']`. What does "
            "`re.split('(x)', 'xb')` begin with?",
            "A special holds signs that mean something to `re`: `re.escape`. In `a|ab` the first that fits wins, so sort by length.",
        ),
        "train_bpe": (
            "Write the slow version first: count all pairs, take the best, merge everywhere, again. Which counts changed in a merge?",
            "`low` 5 times and `lower` 2: the counts are l o: 7, o w: 7, w e: 2, e r: 2. Merge o w. In `lower`, l o and w e go, l ow and ow e come.",
            "Three things are enough: the parts of each different pre-token, a Counter of pairs, and a dict from a pair to the set of "
            "pre-tokens that hold it. For each pre-token of the pair: take its pairs away, merge, add its pairs. The key of `max` is (count, pair).",
        ),
        "encode": (
            "Which of the pairs in a piece was learned first?",
            "Merges: s t, e st, o w, l ow. For l o w e s t the ranks of the pairs are –, 2, –, –, 0: so s t is merged, then?",
            "A dict from pair to its place in `merges`. As long as a piece holds a known pair, merge the one of lowest rank everywhere in that piece.",
        ),
        "decode": (
            "`é` is the bytes 195, 169. What does byte 195 say alone?",
            "For the ids 195, 169 the text is `é`; for 195, 97 it is `\N{REPLACEMENT CHARACTER}a`.",
            "Join bytes, not strings; and look at the argument `errors` of `bytes.decode`.",
        ),
        "encode_stream": (
            "The chunks so far are `to`, `ken`. May you give out the token of `token`? And if ` s` comes next?",
            "With the special `<|end|>`, what is certain of `a  <|e`? If `nd|>` comes, the two blanks are one piece, else they are two.",
            "Put what is left and the new chunk together, set aside the last `unfinished` characters, and cut the rest into pieces. All but the last are certain.",
        ),
    },
    ambiguities=[
        "Any algorithm with the same merges is accepted. The work of training and encoding is counted in executed lines of Python, never in seconds: "
        "what matters is that pre-tokens without the merged pair, and copies of one pre-token, cost a merge nothing.",
        "`encode` and `encode_stream` are given right versions of the earlier functions under their names: an error costs its points once.",
        "`encode_stream` may be any iterator; it may hold back more than the reference by two pieces.",
    ],
)

TOLD = Fields({}, default=Exact())   # an entry that is a sentence is told as it is
PIECES = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+")


def prints(value):
    """Three numbers that change with the value, so that a mistake can be told by them."""
    code = zlib.crc32(repr(value).encode("utf-8", "surrogatepass"))
    return [code & 1023, code >> 10 & 1023, code >> 20]


def named_kind(value):
    """The type of an answer, with its article."""
    return with_article(type(value).__name__)


def listed(answer, what, kind):
    """The answer, once it is known to be a list of one type."""
    if not isinstance(answer, list):
        raise AnswerError(f"{what} is {named_kind(answer)} where a list is expected")
    for item in answer:
        if not isinstance(item, kind) or isinstance(item, bool):
            raise AnswerError(f"{what} holds {named_kind(item)} where {' or '.join(one.__name__ for one in kind[:1])} is expected")
    return answer


def pieces_of(answer):
    """Pieces of a text as evidence: readable, and as numbers."""
    pieces = listed(answer, "the result", (str,))
    return ["".join(f"[{piece}]" for piece in pieces), prints(pieces)]


def ids_of(answer):
    """Token ids as evidence."""
    return [int(i) for i in listed(answer, "the result", (int, np.integer))]


def text_of(answer):
    """A text as evidence: readable, and as numbers."""
    if not isinstance(answer, str):
        raise AnswerError(f"the result is {named_kind(answer)} where a str is expected")
    return [answer, prints(answer)]


def readable(token):
    """Bytes without quotation marks."""
    return repr(token)[2:-1]


def merges_of(answer):
    """The merges of a tokenizer as evidence."""
    merges = listed(two_of(answer, "the vocabulary", "the merges")[1], "the list of merges", (tuple,))
    for pair in merges:
        if len(pair) != 2:
            raise AnswerError(f"a merge holds {len(pair)} things where two are expected")
        for part in pair:
            if not isinstance(part, bytes):
                raise AnswerError(f"a merge holds {named_kind(part)} where bytes are expected")
    return [[f"{readable(a)} {readable(b)}" for a, b in merges], prints(merges)]


def vocab_of(answer):
    """The vocabulary of a tokenizer as evidence: what follows the bytes, and all of it as numbers."""
    vocab = two_of(answer, "the vocabulary", "the merges")[0]
    if not isinstance(vocab, dict):
        raise AnswerError(f"the vocabulary is {named_kind(vocab)} where a dict is expected")
    for key, value in vocab.items():
        if not isinstance(key, int) or not isinstance(value, bytes):
            raise AnswerError(f"the vocabulary leads from {named_kind(key)} to {named_kind(value)} where it is from int to bytes")
    items = sorted(vocab.items())
    return [[f"{i}: {readable(token)}" for i, token in items if i > 255], [len(vocab), *prints(items)]]


def some_words(rng, n, letters, low, high):
    """n random words."""
    return ["".join(rng.choice(letters) for _ in range(rng.integer(low, high))) for _ in range(n)]


def lines_of(rng, words, high=5):
    """A text with each word in several lines, so that no word has a space."""
    lines = [word for word in words for _ in range(rng.integer(1, high))]
    return "\n".join(lines[i] for i in rng.permutation(len(lines)).tolist())


def cut(text, specials=()):
    """Pre-tokens, by a scan."""
    pieces, at = [], 0
    while at < len(text):
        special = max((s for s in specials if text.startswith(s, at)), key=len, default=None)
        if special is None:
            later = [text.find(s, at) for s in specials]
            end = min((place for place in later if place > 0), default=len(text))
            pieces += PIECES.findall(text[at:end])
            at = end
        else:
            pieces.append(special)
            at += len(special)
    return pieces


# --- pretokenize --------------------------------------------------------------------------------------------------

NOUNS = ["token", "pair", "merge", "byte", "text", "rank", "count", "word", "piece", "chunk"]
END = "<|end|>"


def sentence(rng, n=5):
    """Some words with a space between them."""
    return " ".join(rng.choice(NOUNS) for _ in range(n))


@question.probe(points=0.5, title="pretokenize: sentences, and a special", public=True, judge=TOLD)
def pieces(student, rng):
    return {
        "a sentence": tried(lambda: pieces_of(student.pretokenize(f"The {sentence(rng)} of {rng.integer(100, 999)} {sentence(rng, 2)}s!"))),
        "lines and blanks": tried(lambda: pieces_of(student.pretokenize(f"{sentence(rng)}\n\n  {sentence(rng, 2)}   {rng.integer(10, 99)}\t."))),
        "with a special": tried(lambda: pieces_of(student.pretokenize(f"{sentence(rng)}.{END}{sentence(rng)}", (END,)))),
    }


@question.probe(points=1, title="pretokenize: specials that are alike, at the ends, full of signs; other scripts", judge=TOLD)
def pieces_edges(student, rng):
    def asked(text, *specials):
        return tried(lambda: pieces_of(student.pretokenize(text, specials)))

    a, b, c = (rng.choice(NOUNS) + str(rng.integer(0, 99)) for _ in range(3))
    odd = rng.choice(["[x]", "(a+b)", "a.b*", "$^", "c++", "{2}?"])
    return {
        "a long special, after a short one that begins it": asked(f"{a}<e><e>x{b} <e>{c}", "<e>", "<e><e>x"),
        "a long special, before a short one that begins it": asked(f"{a}<s>s{b} <s>{c}", "<s>s", "<s>"),
        "two specials in a row": asked(f"{a}{END}{END}{b}{END}<pad>{c}", END, "<pad>"),
        "specials at both ends": asked(f"{END}{a} {b}{END}", END),
        "only a special": asked(END * rng.integer(1, 4), END),
        "signs of regular expressions": asked(f"{a}{odd}{b}axb ab x {odd}{c}", odd),
        "one of many": asked(f"{a}<|7|>{b}<|12|>{c} <|3|>", *(f"<|{i}|>" for i in range(14))),
        "inside a word": asked(f"{a}end{b}end end{c}", "end"),
        "blanks before a special": asked(f"{a}   {END}  {b} \n {END}", END),
        "a special with blanks": asked(f"{a} end of text {b} end of {c}", " end of text "),
        "other letters than the special's": asked(f"{a}!<|END|>! {b}{END}<|End|>{c}", END),
        "a special that is not there": asked(f"{a} {b}  <|en {c}", END),
        "no special is asked for": asked(f"{a}{END}{b}"),
        "an empty text": tried(lambda: [pieces_of(student.pretokenize("")), pieces_of(student.pretokenize("", (END,)))]),
        "underscores and accents": asked(f"naïve_{a} __init__ Ünïted cafe\u0301 ½²x {b}’s Жук 東京 {c}…"),
        "kinds of blanks": asked(f" {a}\t\t{b} \r\n\n{c}\u00a0\u00a0x   "),
    }


# --- train_bpe ----------------------------------------------------------------------------------------------------

FOUR = "\n".join(["low"] * 5 + ["lower"] * 2 + ["widest"] * 3 + ["newest"] * 6)


@question.probe(points=0.5, title="train_bpe: the example, and a text with spaces", public=True, judge=TOLD)
def trained(student, rng):
    spaced = " ".join(rng.choice(NOUNS) for _ in range(40))
    return {
        "the four words": tried(lambda: merges_of(student.train_bpe(FOUR, 256 + 12))),
        "vocabulary of the four words": tried(lambda: vocab_of(student.train_bpe(FOUR, 256 + 6))),
        "words with spaces": tried(lambda: merges_of(student.train_bpe(spaced, 256 + 15))),
    }


@question.probe(points=2.5, title="train_bpe: ties, runs, specials, scripts, ends", judge=TOLD)
def trained_edges(student, rng):
    train = with_right(student.train_bpe, pretokenize=cut)

    def merges(text, size, *specials):
        return tried(lambda: merges_of(train(text, 256 + size, specials)))

    def vocab(text, size, *specials):
        return tried(lambda: vocab_of(train(text, 256 + size, specials)))

    few = lines_of(rng, some_words(rng, 6, "abc", 3, 7))
    runs = lines_of(rng, ["a" * rng.integer(3, 12) for _ in range(4)] + ["b" * rng.integer(2, 6), "aab" * rng.integer(1, 4), "baaa"])
    marked = "".join(word + rng.choice([END, END + " ", " ", "\n"]) for word in some_words(rng, 30, "endx", 2, 5))
    hidden = lines_of(rng, some_words(rng, 8, "xyz", 2, 5)) + "".join(f"q{rng.choice('xyz')}q" for _ in range(40))
    joined = "".join(rng.choice(["a b", " b", "a ", "c!", "!c", "1a", "a1"]) for _ in range(60))
    lines = "".join(rng.choice(["ab", "ba"]) + rng.choice(["\n\n", "\n \n", "   ", "\r\n", "\t\t"]) for _ in range(40))
    return {
        "equally frequent pairs, some not in ASCII": merges("\n".join(f"{a}{b}{a}" for a, b in zip("aéz!ж{", rng.choice(["bü~", "ü~b", "~bü"]) * 2)), 8),
        "line ends and blanks": merges(lines, 8),
        "signs like those of a special": merges("".join(rng.choice(["<< ", " <|", "|> ", " <|en", END, "|><"]) for _ in range(50)), 5, END),
        "equally frequent pairs": merges("\n".join(some_words(rng, 8, "abcde", 3, 5)), 10),
        "equally frequent pairs of long tokens": merges("\n".join([*some_words(rng, 4, "ab", 6, 9), *some_words(rng, 5, "zba", 4, 7)]), 14),
        "runs of one letter": merges(runs, 12),
        "many merges": merges(lines_of(rng, some_words(rng, 20, "abcd", 4, 10)), 50),
        "other scripts": merges(lines_of(rng, some_words(rng, 10, "éèüжшß東aA", 2, 6)), 14),
        "capital and small letters": merges(lines_of(rng, some_words(rng, 8, "abAB", 3, 6)), 10),
        "never across pre-tokens": merges(joined, 8),
        "one word often": merges("\n".join(["abcab"] * rng.integer(20, 40) + some_words(rng, 9, "abc", 4, 6)), 8),
        "specials in the text": merges(marked, 8, END),
        "words on both sides of a special": merges("".join(f"a{rng.choice('xyz')}q{END}z{rng.choice('xyz')}a " for _ in range(30)), 6, END),
        "vocabulary with specials": vocab(few, 9, "<pad>", END, "<é>"),
        "specials that are frequent words": merges(hidden, 10, *(f"q{letter}q" for letter in "zxy")),
        "until no pair is left": merges(few, 500),
        "vocabulary when no pair is left": vocab(few, 500, END),
        "room for no merge": tried(lambda: [merges_of(train(few, 258, (END, "<pad>"))), vocab_of(train(few, 258, (END, "<pad>")))]),
        "an empty text": tried(lambda: [merges_of(train("", 300)), vocab_of(train("", 300, (END,)))]),
        "words of one letter": tried(lambda: [merges_of(train("a\nb\nb\nc", 300)), vocab_of(train("a\nb\nb\nc", 300))]),
    }


def steps(compute):
    """How many lines and calls of Python something takes; nothing else about it."""
    count = 0

    def step(frame, event, argument):
        nonlocal count
        count += 1
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        compute()
    finally:
        sys.settrace(before)
    return count


def beyond(cost, allowed):
    """A cost, told in full only where it is more than is allowed: all right answers have the same evidence."""
    return [round(max(cost, allowed), 2)]


def at_most(allowed, evidence, told):
    """Whether a measured cost is no more than is allowed; if it is more, in words."""
    values = np.asarray(evidence, dtype=float)
    if values.shape != (1,) or not np.isfinite(values).all():
        return "a number is expected."
    return True if values[0] <= allowed else told(values[0])


def for_others(evidence, expected, context):
    """A merge costs next to nothing for what it does not change."""
    return at_most(0.7, evidence, lambda lines: (
        f"a merge takes about {lines:.2g} more lines of Python for every one of these. Each merge may visit only the different pre-tokens that hold its pair, each of them once."
    ))


@question.probe(points=1.5, title="train_bpe: the work of a merge", judge=Fields({
    "pre-tokens without the pair": Custom(for_others, "at most 0.7 more lines a merge for each of them"),
    "copies of a pre-token": Custom(for_others, "at most 0.7 more lines a merge for each of them"),
}, default=Exact()))
def trained_work(student, rng):
    train = with_right(student.train_bpe, pretokenize=cut_fast)
    letters = [chr(97 + i) for i in rng.permutation(24).tolist()]
    words = ["".join(letters[6 * i : 6 * i + 6]) for i in range(4)]
    base = "\n".join(word for word in words for _ in range(rng.integer(85, 100)))
    others = [f"{i:06b}".replace("0", "y").replace("1", "z") for i in rng.permutation(64).tolist()]   # four pairs in all, each less often than those of the words
    counts, found = [], {}
    for name, text in {"base": base, "others": "\n".join([base, *others]), "copies": base + "\n" + base}.items():
        few, many = [], []
        found[name] = steps(lambda: many.append(train(text, 256 + 9))) - steps(lambda: few.append(train(text, 256 + 2)))
        counts += [len(two_of(answer[0], "the vocabulary", "the merges")[1]) for answer in (few, many)]
    copies = base.count("\n") + 1
    return {
        "number of merges": counts,
        "pre-tokens without the pair": beyond((found["others"] - found["base"]) / 7 / len(others), 0.7),
        "copies of a pre-token": beyond((found["copies"] - found["base"]) / 7 / copies, 0.7),
    }


def cut_fast(text, specials=()):
    """Pre-tokens of a text without specials."""
    return PIECES.findall(text)


# --- encode -------------------------------------------------------------------------------------------------------

LEARNED = ((b"s", b"t"), (b"e", b"st"), (b"o", b"w"), (b"l", b"ow"), (b"w", b"est"), (b"n", b"e"), (b"ne", b"west"), (b"w", b"i"))


def with_bytes(merges, specials=()):
    """The vocabulary of merges."""
    tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials]
    return dict(enumerate(tokens))


@question.probe(points=0.5, title="encode: merges of the example", public=True, judge=TOLD)
def encoded(student, rng):
    vocab = with_bytes(LEARNED, (END,))
    text = "\n".join(rng.choice(["lowest", "newest", "owe", "stew", "slow", "west", "wine", "twist"]) for _ in range(8))
    return {
        "lowest, slowest, western": tried(lambda: ids_of(student.encode("lowest\nslowest\nwestern", vocab, list(LEARNED)))),
        "some words": tried(lambda: ids_of(student.encode(text, vocab, list(LEARNED)))),
        "with a special": tried(lambda: ids_of(student.encode(f"low{END}{text}", vocab, list(LEARNED), (END,)))),
    }


def pair_merged(parts, pair):
    """Parts with a pair merged, from left to right."""
    out = []
    for part in parts:
        if out and (out[-1], part) == pair and out[-1] is not None:
            out[-1] = pair[0] + pair[1]
            out.append(None)
        else:
            out.append(part)
    return [part for part in out if part is not None]


def learned(words, n):
    """Some merges of words: of the most frequent pairs, by recounting."""
    parts, merges = [[bytes([byte]) for byte in word.encode()] for word in words], []
    for _ in range(n):
        pairs = Counter(pair for word in parts for pair in pairwise(word))
        if not pairs:
            break
        merges.append(max(pairs, key=lambda pair: (pairs[pair], pair)))
        parts = [pair_merged(word, merges[-1]) for word in parts]
    return merges


def renumbered(rng, vocab):
    """The same tokens under other ids."""
    order = rng.permutation(len(vocab)).tolist()
    return {order[i]: vocab[i] for i in rng.permutation(len(vocab)).tolist()}


@question.probe(points=2, title="encode: ranks, runs, scripts, other ids, specials", judge=TOLD)
def encoded_edges(student, rng):
    encode = with_right(student.encode, pretokenize=cut)
    merges = learned(some_words(rng, 12, "abc", 4, 9), 18)
    vocab = with_bytes(merges, (END, "<pad>", "<é>"))
    runs = [(b"a", b"a"), (b"aa", b"aa"), (b"aa", b"a"), (b"b", b"aa")]
    accents = learned(some_words(rng, 8, "éèüж", 3, 6), 8)
    spaced = [(b" ", b"t"), (b"i", b"t"), (b" t", b"o"), (b" ", b" "), (b" ", b"it"), (b" it", b"s"), (b"\n", b"\n"), (b"1", b"2"), (b"!", b"!")]

    def asked(text, *specials, vocab=vocab, merges=merges):
        return tried(lambda: ids_of(encode(text, dict(vocab), list(merges), specials)))

    def both(text, first, second):
        return asked(text, vocab=with_bytes(first), merges=first), asked(text, vocab=renumbered(rng, with_bytes(second)), merges=second)

    new = lines_of(rng, some_words(rng, 12, "abc", 5, 12), 3)
    mine = list(merges)
    halves = [(b"\xa9", b"\xc3"), (b"e", b"\xc3"), (b"\xa9\xc3", b"\xa9"), (b"\xc3", b"\xa8")]
    return {
        "new words": asked(new),
        "long words": asked("\n".join(some_words(rng, 4, "ab", 20, 40))),
        "runs of one letter": asked("\n".join(["a" * n for n in rng.permutation(14).tolist()] + ["baaa", "aaab", "baaaaab"]), vocab=with_bytes(runs), merges=runs),
        "other scripts": asked(lines_of(rng, some_words(rng, 8, "éèüж東aÉ", 2, 6), 3) + "🙂", vocab=with_bytes(accents), merges=accents),
        "spaces, numbers and signs": asked("to it  its   to\n\n12 122!! it's It TO ", vocab=with_bytes(spaced), merges=spaced),
        "ids in another order": asked(new, END, vocab=renumbered(rng, vocab)),
        "specials between words": asked(f"{new}{END}{new[:9]}<pad>{END}<é>{new[3:]}", END, "<pad>", "<é>"),
        "specials that are not asked for": asked(f"abc{END}ab<pad>{new[:7]}", "<pad>"),
        "specials, with ids in another order": asked(f"{END}{new[:20]}<é><pad>{END}", END, "<pad>", "<é>", vocab=renumbered(rng, vocab)),
        "without merges": asked(f"{new[:15]} é", vocab=with_bytes([]), merges=[]),
        "tokens that end inside a character": asked("\n".join(["éé", "eé", "eéè", *some_words(rng, 5, "éèe", 3, 8)]), vocab=with_bytes(halves), merges=halves),
        "a word that is a special, not asked for": asked(f"dog\n{new[:12]}\ndog", vocab=with_bytes(merges, ("dog", END)), merges=merges),
        "first one vocabulary, then another": both(some_words(rng, 1, "defghij", 9, 13)[0] + "mnnmnm", [(b"m", b"n"), (b"mn", b"mn")], [(b"n", b"m"), (b"nm", b"nm"), (b"n", b"n")]),
        "an empty text": asked(""),
        "merges afterwards": tried(lambda: (encode(new, vocab, mine), [[f"{readable(a)} {readable(b)}" for a, b in mine], prints(mine)])[1]),
    }


class Looked(tuple):
    """A pair that counts how often it is found in a dict or a list."""

    found = 0

    def __eq__(self, other):
        Looked.found += 1
        return tuple.__eq__(self, other)

    __hash__ = tuple.__hash__


def twice(evidence, expected, context):
    """Twice the length takes about twice the work."""
    return at_most(3, evidence, lambda times: f"twice as many letters take {times:.2g} times the work. One walk through a piece should merge all places of a pair, not only one.")


@question.probe(points=1, title="encode: the work for a long piece", judge=Fields({
    "one letter": Custom(twice, "at most 3 times the work for twice the length"),
    "two letters": Custom(twice, "at most 3 times the work for twice the length"),
}, default=Exact()))
def encoded_work(student, rng):
    encode = with_right(student.encode, pretokenize=cut_fast)
    runs = [Looked((b"a" * 2**i, b"a" * 2**i)) for i in range(8)]
    mixed = [Looked(pair) for pair in learned(some_words(rng, 12, "ab", 5, 9), 12)]
    tail = "".join(rng.choice("ab") for _ in range(160))
    numbers, work = [], {}
    for name, merges, text in (("one letter", runs, "a" * 160), ("two letters", mixed, tail)):
        costs = []
        for length in (80, 160):
            Looked.found, answers = 0, []
            lines = steps(lambda: answers.append(encode(text[:length], with_bytes(merges), merges)))
            costs.append(lines + Looked.found)
            numbers.append(len(listed(answers[0], "the result", (int, np.integer))))
        work[name] = beyond(costs[1] / costs[0], 3)
    return {"number of tokens": numbers, **work}


# --- decode -------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="decode: words, accents, a special", public=True, judge=TOLD)
def decoded(student, rng):
    vocab = with_bytes(LEARNED, (END,))
    text = sentence(rng)
    return {
        "bytes": tried(lambda: text_of(student.decode(list(text.encode()), vocab))),
        "merged tokens": tried(lambda: text_of(student.decode([rng.integer(256, 265) for _ in range(8)], vocab))),
        "accents": tried(lambda: text_of(student.decode(list(f"{rng.choice(NOUNS)} déjà vu: ж".encode()), vocab))),
    }


@question.probe(points=0.5, title="decode: bytes that are no text, other ids, nothing", judge=TOLD)
def decoded_edges(student, rng):
    merges = [(b"\xc3", b"\xa9"), (b"a", b"\xc3"), (b"\x9f", b"\x99"), (b"\xf0", b"\x9f"), (b"\x82", b"!")]
    vocab = with_bytes(merges, (END, "<é>"))
    other = renumbered(rng, vocab)
    back = {token: i for i, token in other.items()}
    ids = list(f"{sentence(rng, 2)} é🙂".encode())

    def asked(ids, vocab=vocab):
        return tried(lambda: text_of(student.decode(ids, vocab)))

    return {
        "a character in two tokens": asked([257, 169, 98, 259, 258, 130, 259, 159, 152, 260]),
        "random bytes": asked(rng.integers(0, 256, 60).tolist()),
        "bytes of no character": asked([97, 255, 98, 0x80, 0x80, 99, 0xC3, 100, 0xC0, 0xAF, 0xED, 0xA0, 0x80, rng.integer(97, 122)]),
        "cut off at the end": asked([rng.integer(97, 122), *list("🙂".encode())[: rng.integer(2, 4)]]),
        "a stray byte at the end": asked([rng.integer(97, 122), rng.integer(97, 122), 0x80]),
        "begins with a byte order mark": asked([0xEF, 0xBB, 0xBF, rng.integer(97, 122), rng.integer(97, 122)]),
        "begins inside a character": asked([*list("東é".encode())[1:], rng.integer(97, 122)]),
        "specials": asked([261, *ids[:3], 262, 261]),
        "ids in another order": asked([back[token] for token in (b"a\xc3", b"\xa9", b"<|end|>", b"z", b"\xf0\x9f", b"\x99", b"\x82!")], other),
        "ids from 200 on, in another order": asked([i for i in range(200, 263) if len(other[i]) > 1 or other[i][0] < 128], other),
        "zero byte and line ends": asked([0, 13, 10, 9, rng.integer(97, 122), 13, 10, 32]),
        "no ids": asked([]),
    }


# --- encode_stream ------------------------------------------------------------------------------------------------

FEW = ((b" ", b"t"), (b"o", b"k"), (b"e", b"n"), (b"ok", b"en"), (b" t", b"oken"), (b" ", b" "), (b"t", b"e"), (b"a", b"i"), (b"|", b">"), (b"<", b"|"), (b" ", b"\n"), (b"1", b"2"), (b"!", b"!"))


def ids_by_rank(text, vocab, merges, specials=()):
    """`encode`, by replaying all merges."""
    number = {token: i for i, token in vocab.items()}
    ids = []
    for piece in cut(text, specials):
        parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode()]
        for pair in merges if len(parts) > 1 else ():
            parts = pair_merged(parts, pair)
        ids += [number[part] for part in parts]
    return ids


def read_once(chunks):
    """Chunks that can be read once."""
    yield from chunks


def stream_of(student):
    """A function that reads a student's stream to its end."""
    stream = student.raw.encode_stream

    @functools.wraps(stream)
    def all_ids(*arguments):
        answer = stream(*arguments)
        if not hasattr(answer, "__iter__"):
            raise AnswerError(f"the result is {named_kind(answer)} where ids can be read one after another")
        return ids_of(list(answer))

    return all_ids


def chopped(rng, text, high):
    """A text in chunks of random length."""
    chunks, at = [], 0
    while at < len(text):
        size = rng.integer(1, high)
        chunks.append(text[at : at + size])
        at += size
    return chunks


@question.probe(points=0.5, title="encode_stream: chunks of a sentence", public=True, judge=TOLD)
def streamed(student, rng):
    vocab, ids = with_bytes(FEW, (END,)), stream_of(student)
    words = sentence(rng, 6)
    return {
        "one chunk": tried(lambda: ids(read_once([words]), vocab, list(FEW))),
        "chunks that end anywhere": tried(lambda: ids(read_once(chopped(rng, words, 5)), vocab, list(FEW))),
        "a special in two chunks": tried(lambda: ids(read_once([words, "<|e", "nd|> token"]), vocab, list(FEW), (END,))),
    }


def not_later(evidence, expected, context):
    """No id comes much later than it may."""
    late = np.asarray(evidence, dtype=float)
    if late.shape != np.shape(expected):
        return "other ids are yielded than `encode` gives of the joined text."
    worst = float((late - np.asarray(expected, dtype=float)).max())
    return True if worst <= 2 else f"some ids come {worst:.0f} chunks, of a word each, later than they may: what is certain is to be yielded before the next chunk is read."


def forgotten(evidence, expected, context):
    """No long text is looked at again and again."""
    longest = float(np.asarray(evidence, dtype=float)[0])
    return True if longest <= 100 else f"a text of {longest:.0f} characters is cut or encoded at once, though the chunks are short: what has been yielded is to be forgotten."


def arrivals(student, words, vocab):
    """How many chunks had been read when each id came; and the longest text that was asked about."""
    read, longest = 0, 0

    def chunks():
        nonlocal read
        for word in words:
            read += 1
            yield word

    def watched(function):
        def call(text, *arguments, **keywords):
            nonlocal longest
            longest = max(longest, len(text))
            return function(text, *arguments, **keywords)
        return call

    stream = student.raw.encode_stream

    @functools.wraps(stream)
    def read_all():
        return [read for _ in stream(chunks(), vocab, list(FEW))]

    return with_right(read_all, pretokenize=watched(cut), encode=watched(ids_by_rank))(), longest


@question.probe(points=2, title="encode_stream: blanks and specials at the edges of chunks, waiting, memory", judge=Fields({
    "when ids come": Custom(not_later, "at most two words later than the reference"),
    "longest text asked about": Custom(forgotten, "at most 100 characters"),
}, default=Exact()))
def streamed_edges(student, rng):
    specials = (END, "<|end|>!", "<pad>")
    vocab, ids = with_bytes(FEW, specials), with_right(stream_of(student), pretokenize=cut, encode=ids_by_rank)

    def asked(chunks, *specials):
        return tried(lambda: ids(read_once(chunks), vocab, list(FEW), specials))

    a, b = rng.choice(NOUNS), rng.choice(NOUNS)
    blanks = "".join(rng.choice([" token", "  ", "\n", " \n", "ten", "12", "!!", " "]) for _ in range(24))
    mixed = "".join(rng.choice([" token", END, "  ", "<pad>", "<|", " \n", "<|end", "ai"]) for _ in range(22))
    found = tried(lambda: arrivals(student, [f" {rng.choice(NOUNS)}" + " " * (rng.integer(0, 5) == 0) for _ in range(45)], vocab))
    late = found if isinstance(found, str) else found[0]
    return {
        "one character each": asked(list(f"{a} token  \n{b} 12!! \n")),
        "blanks": asked(chopped(rng, blanks, 4)),
        "several pieces in a chunk": asked([f"{a} \n{b}", f"  \n{a}  {b}", "!!  12"]),
        "specials": asked(chopped(rng, mixed, 5), END, "<pad>"),
        "specials, one character each": asked(list(mixed), END, "<pad>"),
        "a special that goes on to be a longer one": asked([a, END, "!", b, END, "?", END, f"!{a}"], *specials[:2]),
        "blanks before a special in two chunks": asked([f"{a}  ", "<|en", "d|>", f"{b} \n", "<p", "ad>", "  <|", f"e{a}"], END, "<pad>"),
        "a special at the end": asked([f"ok{a}", END], END),
        "one character at the end": asked([f"{a}!", rng.choice("12ab")], END),
        "half a special at the end": asked([f"{a} token", "<|", "en"], END),
        "half a special, then another": asked([f"{a}<|en", f"{END[:3]}", f"{END[3:]}{b}"], END),
        "empty chunks": asked(["", a, "", f"{b} tok", "", "", "en", ""], END),
        "no chunks": asked([]),
        "a special in many chunks": asked([f"ok{a}", *END, *END, f"{b}en"], END),
        "a special, not asked for, in two chunks": asked([f"{a}<|e", f"nd|>{b}"], "<pad>"),
        "when ids come": late,
        "longest text asked about": found if isinstance(found, str) else beyond(found[1], 100),
    }

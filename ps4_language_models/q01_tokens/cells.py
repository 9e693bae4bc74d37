# %% [markdown]
# The same sentence, cut four times. Each coloured box is one token. What does the tokenizer know in the last row that it did not know in the first?

# %%
def token_strip(ax, rows: dict[str, list[str]], title: str) -> None:
    # one row of boxes for each list of tokens, one column for each character
    for y, tokens in enumerate(rows.values()):
        x = 0
        for n, token in enumerate(tokens):
            ax.barh(-y, len(token) - 0.12, left=x + 0.06, height=0.8, color=("#bfdbf7", "#f9d8a8", "#c9e7c5", "#e5d0f0")[n % 4])
            for k, character in enumerate(token):
                ax.text(x + k + 0.5, -y, character, ha="center", va="center", family="monospace", fontsize=10)
            x += len(token)
    ax.set_yticks([-y for y in range(len(rows))], list(rows))
    ax.set_xticks([]), ax.grid(False), ax.set_title(title)
    ax.spines[:].set_visible(False), ax.tick_params(length=0)


token_sentence = "The expression list is evaluated before the assignment."
token_rows = {"bytes": list(token_sentence)}
for token_merges, token_cuts in {
    100: "The| ex|p|re|ss|i|on| |li|st| is| e|v|al|u|a|ted| be|f|o|re| the| a|ss|i|g|n|ment|.",
    500: "The| expression| list| is| evalu|ated| be|f|ore| the| assignment|.",
    2000: "The| expression| list| is| evaluated| before| the| assignment|.",
}.items():
    token_rows[f"{token_merges:,} merges"] = token_cuts.split("|")
figure, axis = plot.subplots(width=10, height=2.1)
token_strip(axis, {f"{label}: {len(tokens)} tokens": tokens for label, tokens in token_rows.items()}, "More merges, fewer tokens")
plt.show()

# %% [markdown]
# A language model needs a finite list of symbols. Words are no such list: tomorrow brings a new one. Bytes are: there are 256, and UTF-8 writes any text with them, one byte for `a`, two for `é`, four for `🙂`.
# But the cost of attention grows with the square of the length, and bytes make long texts.
#
# **Byte-pair encoding** lies between them. It begins with bytes, and makes one token of the most frequent pair of neighbours, again and again, until the vocabulary has the size that you want.
#
# ### The algorithm
#
# A pattern first cuts the text into **pre-tokens**: a word with the space before it, a number, punctuation, or blanks. No pair reaches across a cut, so that no token becomes `dog.` or `dog!`. Strings such as `<|end|>` are
# **special**: they are cut out before that, stay whole, and are never counted. Then, until there are enough merges:
#
# 1. Count all pairs of neighbours. Overlaps count: `aaa` holds `a a` twice.
# 2. Take the most frequent pair. Of equally frequent ones take the largest, as Python compares tuples of bytes.
# 3. Merge it everywhere, from left to right: `aaa` becomes `aa a`.
#
# Take a text of lines: `low` 5 times, `lower` 2, `widest` 3 and `newest` 6. The pairs `e s` and `s t` both occur 9 times; `s t` is the larger, so it is merged first. Now `e st` occurs 9 times, and no pair more often: it is the second.
#
# **On paper:** find merges three to six. Your function will show them.
#
# ### Fast
#
# English repeats itself, so count each *different* pre-token once, with its frequency. And a merge changes only the pre-tokens that hold its pair. So keep, for each pair, its count and the numbers of the
# pre-tokens that hold it. A merge then takes back what these pre-tokens had counted, rewrites them, and counts them again.
#
# ### There and back
#
# To encode a new text, cut it, and in each pre-token merge the pair that was learned *first*, until none is left. With the merges of the example, `lowest` becomes `low`, `est`. Going from left to right, or taking the longest token, may cut otherwise.
# To decode, join the bytes *before* you read them as UTF-8: one character may lie in two tokens.
#
# Texts come as **streams**, in chunks that end anywhere. The last pre-token of what has arrived may still grow, and its end may be the beginning of a special. What is certain goes out at once; the rest waits.

# %% role="given"
import re
from collections import Counter, defaultdict
from itertools import pairwise

PATTERN = r" ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+"   # letters, digits, signs, blanks; for `re.findall`


def merge_pair(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    # a new list with the pair merged wherever it stands, from left to right
    merged, i = [], 0
    while i < len(parts):
        both = tuple(parts[i : i + 2]) == pair
        merged.append(pair[0] + pair[1] if both else parts[i])
        i += 2 if both else 1
    return merged


def unfinished(text: str, specials: tuple[str, ...]) -> int:
    # how many of the last characters may be the beginning of a special string: 3 for "ab<|e" and "<|end|>"
    return max((k for special in specials for k in range(1, len(special)) if text.endswith(special[:k])), default=0)

# %% role="answer"
def pretokenize(text: str, specials: tuple[str, ...] = ()) -> list[str]:
    """Cut a text at the special strings, and the rest by `PATTERN`.

    Args:
        text: any string.
        specials: strings that stay whole; where several begin at one place, the longest counts.

    Returns:
        The pieces in order, none empty; joined they are the text.
    """
    ### BEGIN SOLUTION
    if not specials:
        return re.findall(PATTERN, text)
    either = "|".join(re.escape(special) for special in sorted(specials, key=len, reverse=True))
    pieces = []
    for part in re.split(f"({either})", text):
        pieces += [part] if part in specials else re.findall(PATTERN, part)
    return pieces
    ### END SOLUTION

# %% role="answer"
def train_bpe(text: str, vocab_size: int, specials: tuple[str, ...] = ()) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Learn merges; the work of one grows only with the different pre-tokens that hold its pair.

    Args:
        text: specials in it are not counted.
        vocab_size: the 256 bytes and the specials included; training ends earlier when no pair is left.
        specials: strings that get the last ids, in this order.

    Returns:
        The vocabulary from id to bytes (bytes 0 to 255, then merges in order, then specials), and the merges.
    """
    # A beginning that you may change: the parts of each different pre-token, and how often it occurs; for each pair, its
    # count and the numbers of the pre-tokens that hold it.
    times = Counter(piece for piece in pretokenize(text, specials) if piece not in specials)
    parts, n = [[bytes([byte]) for byte in word.encode()] for word in times], list(times.values())
    counts, holders, merges = Counter(), defaultdict(set), []

    def count(i, sign):  # adds the pairs of pre-token i with sign 1, takes them away with -1
        for pair in pairwise(parts[i]):
            counts[pair] += sign * n[i]
            holders[pair].add(i)

    ### BEGIN SOLUTION
    for i in range(len(parts)):
        count(i, 1)
    while len(merges) < vocab_size - 256 - len(specials) and any(counts.values()):
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        for i in holders.pop(best):
            count(i, -1)
            parts[i] = merge_pair(parts[i], best)
            count(i, 1)
    tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials]
    return dict(enumerate(tokens)), merges
    ### END SOLUTION

# %% role="answer"
def encode(text: str, vocab: dict[int, bytes], merges: list[tuple[bytes, bytes]], specials: tuple[str, ...] = ()) -> list[int]:
    """The ids of a text. A piece twice as long takes about twice the work.

    Args:
        text: any string.
        vocab: tokens by id, in any order.
        merges: first learned, first applied.
        specials: strings that become one token each; without them they are ordinary text.
    """
    ### BEGIN SOLUTION
    rank = {pair: i for i, pair in enumerate(merges)}
    number = {token: i for i, token in vocab.items()}
    ids = []
    for piece in pretokenize(text, specials):
        parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode()]
        while known := [pair for pair in pairwise(parts) if pair in rank]:
            parts = merge_pair(parts, min(known, key=rank.get))
        ids += [number[part] for part in parts]
    return ids
    ### END SOLUTION

# %% role="answer"
def decode(ids: list[int], vocab: dict[int, bytes]) -> str:
    """The text of some ids; bytes that are not UTF-8 become U+FFFD, as `bytes.decode` replaces them."""
    ### BEGIN SOLUTION
    return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")
    ### END SOLUTION

# %% role="answer"
def encode_stream(chunks, vocab: dict[int, bytes], merges: list[tuple[bytes, bytes]], specials: tuple[str, ...] = ()):
    """A generator of the ids of all chunks together, equal to `encode` of the joined text.

    Args:
        chunks: strings, from an iterable that is read once.
        specials: of which no two can overlap.

    Yields:
        Ids, as soon as they are certain: the last two pieces and what `unfinished` counts may wait. Text that is done is forgotten.
    """
    ### BEGIN SOLUTION
    rest = ""
    for chunk in chunks:
        rest += chunk
        certain = rest[: len(rest) - unfinished(rest, specials)]
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
            rest = rest[len(piece) :]
    yield from encode(rest, vocab, merges, specials)
    ### END SOLUTION

# %%
token_example = "\n".join(["low"] * 5 + ["lower"] * 2 + ["widest"] * 3 + ["newest"] * 6)
print("merges on paper:", " · ".join(f"{a.decode()} {b.decode()}" for a, b in train_bpe(token_example, 256 + 6)[1]))

# %% [markdown]
# ### Which tokenizer is better?
#
# A model that gives each token its frequency in the text costs, per token, the entropy of these frequencies. That number cannot compare tokenizers: a longer token may cost more. But all of them write the same bytes. So divide the bits
# of all tokens by the bytes:
#
# $$\text{bits per byte}=\frac{\sum_i -\log_2 p(\text{token}_i)}{\sum_i \text{bytes of token}_i}. \tag{1.1}$$
#
# For example, `ab` and `c`, each half of the tokens: one bit per token, but 2 bits for 3 bytes, 0.67 per byte.

# %% role="given"
def token_bits_per_byte(ids: list[int], vocab: dict[int, bytes]) -> float:
    # equation (1.1), with the frequencies of `ids` themselves as probabilities
    bits = sum(-n * math.log2(n / len(ids)) for n in Counter(ids).values())
    return bits / sum(len(vocab[i]) for i in ids)

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### Train it on English
#
# The Python language reference has 135,000 characters, but only 2,785 different pre-tokens. Who counts all of them again after each of 500 merges makes 1.4 million visits.
# **Before you run the next cells.** How many percent of these visits find the pair that is merged? **Knob:** set the merges to 100 and to 2,000. When do whole words appear?

# %%
token_merges = 500   # try 100 and 2000
guess_token_visits = None   # type a number of percent

# %%
token_text = data.english("train")
token_vocab, token_pairs = train_bpe(token_text, 256 + dgm.budget(smoke=20, cpu=token_merges, gpu=token_merges))


def token_visits(text: str, merges: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    # visits of pre-tokens that hold the merged pair, and of all pre-tokens
    words, found = [[bytes([byte]) for byte in word.encode()] for word in dict.fromkeys(pretokenize(text))], 0
    for pair in merges:
        for i, parts in enumerate(words):
            if pair[0] in parts and pair[1] in parts:
                words[i] = merge_pair(parts, pair)
                found += len(words[i]) < len(parts)
    return found, len(words) * len(merges)


token_found, token_all = token_visits(token_text, token_pairs)
plot.table([
    ["your guess, %", guess_token_visits], ["found, %", 100 * token_found / token_all],
    ["visits with the pair", token_found], ["all visits", token_all],
])
print("longest tokens:", ", ".join(repr(decode([i], token_vocab)) for i in sorted(token_vocab, key=lambda i: -len(token_vocab[i]))[:8]))
token_lines = [token_sentence, "Assignment of dignity to a hippopotamus"]
token_cut = {line: [decode([i], token_vocab) for i in encode(line, token_vocab, token_pairs)] for line in token_lines}
figure, axis = plot.subplots(width=10, height=1.3)
token_strip(axis, {f"{len(cut)} tokens": cut for cut in token_cut.values()}, "Frequent words are whole, rare ones fall apart")
plt.show()

# %% [markdown]
# Not one visit in a hundred is of use. That is why training can be 100 times faster, with the same result.
#
# **Before you run the next cell.** The tokenizer has seen English only. How many tokens does it need for the first sentence of the Universal Declaration of Human Rights in Greek, for each one in English?

# %%
guess_token_greek = None   # type a number

# %%
token_rights = {
    "English": "All human beings are born free and equal in dignity and rights.",
    "French": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "Japanese": "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
}
token_counts = {name: len(encode(line, token_vocab, token_pairs)) for name, line in token_rights.items()}
plot.table([[name, len(line), len(line.encode()), token_counts[name]] for name, line in token_rights.items()], ["language", "characters", "bytes", "tokens"])
plot.table([["your guess", guess_token_greek], ["found, Greek / English", token_counts["Greek"] / token_counts["English"]]])

# %% [markdown]
# No pair of Greek bytes was merged, so every Greek letter costs two tokens, and every Japanese sign three. Who pays by the token pays more for saying the same, and the same context holds less of it. The tokenizer's training text decides this.
#
# Last, compare tokenizers by (1.1), on 40,000 characters. **Knob:** add a size of 2,000, with as many `token_merges`. Does the right curve still fall?

# %%
token_sizes = [0, 50, 100, 200, 300, 400, 500]   # merges, at most `token_merges`

# %%
token_sample, token_curves = token_text[:dgm.budget(smoke=2000, cpu=40_000, gpu=40_000)], {"bits per token": [], "bits per byte": []}
for size in token_sizes:
    ids = encode(token_sample, token_vocab, token_pairs[:size])
    each = token_bits_per_byte(ids, token_vocab)
    token_curves["bits per byte"].append(each)
    token_curves["bits per token"].append(each * len(token_sample) / len(ids))
figure, axes = plot.subplots(1, 2, width=9, height=3.4)
for axis, title, (name, values) in zip(axes, ("By tokens, bytes look best …", "… by bytes, they are worst"), token_curves.items()):
    plot.curves({"": (token_sizes, values)}, xlabel="merges", ylabel=name, title=title, ax=axis)
plt.show()

# %% [markdown]
# The left curve compares prices for goods of different size. Whoever reports a loss per token can improve it by a worse tokenizer.
# With 2,000 merges the right curve still falls, to 1.9. But 8,900 tokens hardly tell the frequencies of 2,256 kinds: with these frequencies (and one added to each count) a new text costs 2.2.
#
# **Remember.**
#
# - Byte-pair encoding merges the most frequent pair again and again, never across pre-tokens; encoding applies the merges in the order of learning.
# - After a merge only the counts of pre-tokens that hold the pair change.
# - Losses per token cannot be compared across tokenizers; bits per byte can.
#
# The next question gives the tokens better probabilities than their frequencies. From there on tokens are characters, so that models stay small.

# %% [markdown]
# In 1948 Claude Shannon wrote English without a model. Open a book anywhere, look for the last letters you have written, copy the letter that follows, and repeat. Here the book is Python's own manual.

# %%
count_text = data.english()[: dgm.budget(smoke=20_000, cpu=200_000, gpu=200_000)]
count_new = data.english("val")[: dgm.budget(smoke=2_000, cpu=200_000, gpu=200_000)]
count_memories = (0, 1, 3, 5, 8)  # a knob: try 12. Is that still writing?


def shannon(text, memory, length, generator):
    written = text[:memory]
    while len(written) < length:
        last = written[len(written) - memory :]
        place = text.find(last, int(torch.randint(len(text) - memory, (), generator=generator)), -1)
        written += text[(place if place >= 0 else text.find(last)) + memory]
    return written


plot.table([(m, shannon(count_text, m, 90 + m, dgm.generator(m))[m:].replace("\n", " ")) for m in count_memories], header=("letters looked at", "text"))
unseen = []
for n in range(1, 9):
    count_seen = {count_text[i : i + n] for i in range(len(count_text))}
    unseen.append(np.mean([count_new[i : i + n] not in count_seen for i in range(len(count_new) - n + 1)]))
plot.bars(unseen, labels=range(1, 9), xlabel="n", ylabel="share of n-grams", title="But the longer the memory, the more of a new text was never seen")
plt.show()

# %% [markdown]
# A model with memory $n-1$ is an **$n$-gram model**. Let $c(w)$ count how often token $w$ followed the context, and $C=\sum_wc(w)$. Then $c(w)/C$ is the obvious estimate. It is also useless: almost one in five 6-grams of the new text was never seen. Its probability is 0, or $0/0$, and the log-likelihood of the whole
# text is $-\infty$.
#
# So probability must be moved from what was seen to what was not. This question does it in three ways, each better than the last.
#
# ### Pretend, then mix
#
# Pretend that you saw every token $k$ times more. That is **add-$k$**. With $V=4$ tokens, counts $(3,1,0,0)$ and $k=1$, it gives $(4,2,1,1)/8$. It is a mixture in disguise:
#
# $$\frac{c(w)+k}{C+kV}=\lambda\,\frac{c(w)}{C}+(1-\lambda)\,\frac1V. \tag{2.1}$$
#
# **On paper:** find $\lambda$. In the example it is $\frac12$. What does it become when $C$ is large, and when $C=0$?
#
# But why mix with the uniform distribution, when the next shorter context knows more? **Interpolation** puts its estimate in the place of $1/V$, with the same $\lambda$. The order 1 is still mixed with $1/V$, order 2 with the result, and so on.
#
# A table keeps only contexts that occurred. A context is stored as one number: its tokens are the digits in base $V$. With $V=10$ the context $(3,0,7)$ is $307$.

# %% role="given"
def context_code(tokens: Int[Tensor, "*batch m"], vocab_size: int) -> Int[Tensor, "*batch"]:
    """The tokens as digits of one number in base vocab_size, the first one in front; 0 if m = 0."""
    return (tokens * vocab_size ** torch.arange(tokens.shape[-1] - 1, -1, -1, device=tokens.device)).sum(-1)


# %% role="answer"
def count_ngrams(ids: Int[Tensor, "T"], n: int, vocab_size: int) -> tuple[Int[Tensor, "C"], Int[Tensor, "C V"]]:
    """The table of order n of a text: its contexts, and how often each token followed each of them.

    Args:
        ids: at least n tokens, each below vocab_size. vocab_size ** n is below 2 ** 63.

    Returns:
        The codes of the contexts of n - 1 tokens that are followed by a token, in ascending order, and their counts. Both int64.
    """
    ### BEGIN SOLUTION
    windows = ids.unfold(0, n, 1)
    contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True)
    counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size)
    return contexts, counts.reshape(-1, vocab_size)
    ### END SOLUTION


def interpolate(rows: list[Int[Tensor, "*batch V"]], k: float) -> Float[Tensor, "*batch V"]:
    """Probabilities of the next token: order 1 mixed with 1/V, order 2 with that, …, by the λ of (2.1).

    Args:
        rows: counts after the same contexts, order 1 first; all 0 where a context was never seen. One row alone is add-k.
        k: positive.
    """
    ### BEGIN SOLUTION
    vocab_size = rows[0].shape[-1]
    p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
    for counts in rows:
        p = (counts + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)
    return p
    ### END SOLUTION

# %% [markdown]
# ### Kneser and Ney
#
# But $\lambda$ depends on $C$ alone: a context that is always followed by $u$ is treated like one that is followed by anything. **Discounting** takes the fraction $d$ of one occurrence from every token that was seen. What is taken is handed out by the shorter context:
#
# $$p_n(w)=\frac{\max(c(w)-d,0)+s\,p_{n-1}(w)}{C},\qquad s=\text{all that was taken}. \tag{2.2}$$
#
# With counts $(3,1,0,0)$ and $d=0.75$, $(2.25,0.25,0,0)/4$ is kept, and $1.5/4$ goes to $p_{n-1}$. A context never seen has nothing to say: $p_n=p_{n-1}$.
#
# Now the idea of these two. The shorter context speaks when the longer one does not know. If *York* came 50 times, always after *New*, and *cup* 50 times after 30 different words, which is likelier after a word never seen before it? So the lower orders do not count how *often* something was seen, but in how
# many surroundings: the **continuation count** of an $n$-gram is the number of different tokens that stood before it. *York* has 1, *cup* 30. Only the highest order keeps ordinary counts.

# %% role="answer"
def continuation_counts(contexts: Int[Tensor, "C"], counts: Int[Tensor, "C V"], n: int) -> tuple[Int[Tensor, "B"], Int[Tensor, "B V"]]:
    """From the table of order n (at least 2), as `count_ngrams` makes it: the one of order n - 1 with continuation counts.

    Returns:
        Codes of contexts of n - 2 tokens, ascending, and how many different tokens stood before each context with its next token. Both int64.
    """
    ### BEGIN SOLUTION
    shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 2), return_inverse=True)
    found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)
    return shorter, found.index_add(0, row, (counts > 0).long())
    ### END SOLUTION


def kneser_ney(rows: list[Int[Tensor, "*batch V"]], discount: float) -> Float[Tensor, "*batch V"]:
    """Probabilities of the next token by (2.2); below order 1 is 1/V.

    Args:
        rows: as in `interpolate`. Which kind of counts they are makes no difference here.
        discount: from 0 to 1.
    """
    ### BEGIN SOLUTION
    p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)
    for counts in rows:
        total = counts.sum(-1, keepdim=True)
        kept = (counts - discount).clamp(min=0)
        spare = total - kept.sum(-1, keepdim=True)
        p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)
    return p
    ### END SOLUTION


def bits_per_byte(nats: Float[Tensor, "*tokens"], text: str) -> Float[Tensor, ""]:
    """What the whole text cost, in bits, divided by the number of its UTF-8 bytes.

    Args:
        nats: -log p of each token of the text, however it was cut.
    """
    ### BEGIN SOLUTION
    return nats.sum() / (math.log(2) * len(text.encode()))
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# Given: your tables as a language model.

# %% role="given"
def ngram_tables(ids: Int[Tensor, "T"], n: int, vocab_size: int, continuation: bool = False) -> list:
    """The tables of order 1 to n; with continuation, those below n hold continuation counts."""
    tables = [count_ngrams(ids, order, vocab_size) for order in range(1, n + 1)]
    if continuation:
        tables[:-1] = [continuation_counts(*tables[order - 1], order) for order in range(2, n + 1)]
    return tables


class NGram:
    """A language model that counts: tokens (N, T) to log-probabilities (N, T, V) of the tokens after them."""

    def __init__(self, tables: list, smooth) -> None:
        self.tables, self.smooth = tables, smooth

    def __call__(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        rows = []
        for m, (contexts, counts) in enumerate(self.tables):  # m tokens of context
            codes = context_code(F.pad(ids, (m, 0)).unfold(1, m, 1)[:, 1:], counts.shape[1])
            codes[:, : max(m - 1, 0)] = -1  # the text has not m tokens yet
            place = torch.searchsorted(contexts, codes).clamp(max=len(contexts) - 1)
            rows.append(counts[place] * (contexts[place] == codes)[..., None])
        return self.smooth(rows).log()


def token_nats(model, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N L"]:
    """-log p of each token but the first ones, under any language model; L = T - 1."""
    with torch.no_grad():
        return -model(ids)[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]

# %% [markdown]
# ### English
#
# **Before you run the next cell.** With add-one ($k=1$, no shorter contexts) a trigram costs 1.91 nats a character on new text. What does a 6-gram cost?

# %%
guess_six = None  # type a number

# %%
count_k, count_discount = 0.1, 0.75  # two knobs: try k = 0.003, then d = 0.3 and 1. Which method forgives you?

count_tokens = data.CharTokenizer.from_text(data.english() + data.english("val"))
count_ids, count_held = count_tokens.encode(count_text), count_tokens.encode(count_new)[None]
count_size = len(count_tokens)
count_plain = ngram_tables(count_ids, 6, count_size)
count_methods = {
    "add-one": lambda n: NGram(count_plain[:n], lambda rows: interpolate(rows[-1:], 1.0)),
    "interpolated": lambda n: NGram(count_plain[:n], lambda rows: interpolate(rows, count_k)),
    "discounted, ordinary counts": lambda n: NGram(count_plain[:n], lambda rows: kneser_ney(rows, count_discount)),
    "Kneser-Ney": lambda n: NGram(ngram_tables(count_ids, n, count_size, True), lambda rows: kneser_ney(rows, count_discount)),
}
count_costs = {name: [float(token_nats(model(n), count_held).mean()) for n in range(1, 7)] for name, model in count_methods.items()}
plot.curves({name: (range(1, 7), costs) for name, costs in count_costs.items()}, xlabel="n", ylabel="nats a character, new text", title="A longer memory helps only with good smoothing")
plt.show()
plot.table([(name, costs[2], costs[5], expected, guess_six if name == "add-one" else None) for (name, costs), expected in zip(count_costs.items(), ("2.58", "1.22", "1.25", "1.12"))],
           header=("nats a character", "n = 3", "n = 6", "expected, n = 6", "your guess"))

# %% [markdown]
# Add-one gives a 6-gram context that was seen once, with 75 possible tokens, $\lambda=1/76$. It does not believe what it has learned. The two discounted models differ in *what the lower orders count*, and in nothing else: 0.13 nats.
#
# ### Which is better?
#
# A model may read characters, or pairs of characters, or the tokens of Question 1. A pair costs more than a character, but there are half as many. **Perplexity**, $e$ to the mean cost of a token, cannot compare them. Bits per byte can.
#
# **Before you run this:** a bigram of characters has perplexity 10.6 and 3.40 bits per byte. A bigram of *pairs* has perplexity 23.1. And bits per byte?

# %%
guess_pairs = None  # type a number

# %%
pair_text = count_new[: dgm.budget(smoke=400, cpu=4_000, gpu=4_000)]
pair_rows = []
for length, expected in ((1, "3.40"), (2, "2.27")):
    pair_size = count_size**length
    pair_ids = context_code(count_ids[: len(count_ids) // length * length].reshape(-1, length), count_size)
    pair_new = context_code(count_tokens.encode(pair_text).reshape(1, -1, length), count_size)
    pair_cost = token_nats(NGram(ngram_tables(pair_ids, 2, pair_size, True), lambda rows: kneser_ney(rows, 0.75)), pair_new)
    pair_rows.append((length, float(pair_cost.mean().exp()), float(bits_per_byte(pair_cost, pair_text[length:])), expected, guess_pairs if length == 2 else None))
plot.table(pair_rows, header=("characters a token", "perplexity", "bits per byte", "expected", "your guess"))

# %% [markdown]
# Twice the perplexity, and the better model: a token of context is two characters now.
#
# ### A language with known entropy
#
# Nobody knows the entropy of English. So here is a language whose entropy is known. Each line has three of 32 words, a colon, and the same words again. That is 15 bits for 44 characters, or 0.236 nats a character:

# %% role="given"
COPY_LIST = (
    "anchor basket bridge candle copper dragon engine falcon forest garden hammer island jacket kitten ladder magnet "
    "marble needle orange pepper pocket quartz rabbit saddle silver temple tunnel umpire velvet window yellow zipper"
)
COPY_WORDS = COPY_LIST.split()
COPY_NATS = 3 * math.log(32) / 44  # the entropy of a character: three words of 5 bits in 44 characters


def copy_lines(n: int, generator: torch.Generator) -> str:
    """n lines of the copy language."""
    drawn = torch.randint(len(COPY_WORDS), (n, 3), generator=generator, device=generator.device).tolist()
    halves = [" ".join(COPY_WORDS[i] for i in words) for words in drawn]
    return "".join(f"{half} : {half}\n" for half in halves)

# %%
copy_train, copy_order = 3000, 6  # two knobs: try 12,000 lines. Then n = 9 and 12, with both sizes. (At most 12.)

copy_text = copy_lines(dgm.budget(smoke=300, cpu=copy_train, gpu=copy_train), dgm.generator(0))
copy_new = copy_lines(dgm.budget(smoke=30, cpu=400, gpu=400), dgm.generator(1))
copy_tokens = data.CharTokenizer.from_text(copy_text)
copy_ids, copy_held = copy_tokens.encode(copy_text), copy_tokens.encode(copy_new)[None]


def copy_ngram(n):
    return NGram(ngram_tables(copy_ids, n, len(copy_tokens), True), lambda rows: kneser_ney(rows, 0.75))


ngram_lines = {f"{n}-gram": float(token_nats(copy_ngram(n), copy_held).mean()) for n in (1, 2, 3, 6)}
copy_cost = token_nats(copy_ngram(copy_order), copy_held)[0, 43 : 43 + 2 * 44] / math.log(2)  # of the second and third line
figure, axes = plot.subplots(2, 1, width=10, height=4.2, sharey=True)
for ax, cost, line in zip(axes, copy_cost.split(44), copy_new.split("\n")[1:3]):
    ax.bar(range(44), cost, color=[plot.COLORS[0]] * 23 + [plot.COLORS[1]] * 21)
    ax.set_xticks(range(44), [*line, "↵"])
    ax.set_ylabel("bits")
axes[0].set_title(f"The {copy_order}-gram pays five bits for a word, and then again for its copy (orange)")
plt.show()
plot.table([*((name, cost, expected) for (name, cost), expected in zip(ngram_lines.items(), ("2.97", "1.83", "0.81", "0.61"))), ("entropy", COPY_NATS, "0.236")],
           header=("nats a character", "Kneser-Ney", "expected"))

# %% [markdown]
# The 6-gram is stuck at two and a half times the entropy. (Over six seeds: 0.602 to 0.607, and with 12,000 lines 0.592 to 0.596.)
#
# More text makes the table exact, but exact for five characters. The word to be copied stands 23 characters back, so to the 6-gram its copy is as random as itself. A memory of 23 would reach it. But then
# the table needs a row for each of $32^3$ contents, and what it counts for one says nothing of the others, although the rule is the same in all. Copying is a comparison of places.
#
# **What to remember**
# - Smoothing moves probability to what was not seen. How much, is decided by the context; to whom, by the next shorter one.
# - Lower orders count surroundings, not occurrences.
# - Compare models of different tokens in bits per byte.
#
# The rows of the last table are the lines that the transformer of Question 7 has to cross; it will look back 23 characters by attention (Question 5).

# %% [markdown]
# Your Kneser–Ney 6-gram of Question 2 goes on with the manual. In the second panel it draws each character from its own distribution, in the third it always takes the likeliest. How surprised is it by each?

# %% role="given"
def write(model, ids: Int[Tensor, "N T"], steps: int, generator: torch.Generator, law=None, green=None, delta=0.0) -> Int[Tensor, "N L"]:
    """Draws steps more tokens. `law` makes probabilities of logits; `green` and `delta` come later."""
    for _ in range(steps):
        logits = model(ids[:, -8:])[:, -1]  # eight tokens are enough for a 6-gram
        if green is not None:
            logits = logits + delta * green[ids[:, -1]]
        p = logits.softmax(-1) if law is None else law(logits)
        ids = torch.cat([ids, torch.multinomial(p, 1, generator=generator)], 1)
    return ids


def likeliest(logits: Float[Tensor, "N V"]) -> Float[Tensor, "N V"]:
    """The largest logit gets all."""
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).float()

# %%
decode_length = dgm.budget(smoke=60, cpu=110, gpu=110)
decode_text, decode_new = data.english()[: dgm.budget(smoke=20_000, cpu=200_000, gpu=200_000)], data.english("val")
decode_tokens = data.CharTokenizer.from_text(decode_text + decode_new)
decode_size, decode_held = len(decode_tokens), decode_tokens.encode(decode_new)[None]
decode_model = NGram(ngram_tables(decode_tokens.encode(decode_text), 6, decode_size, True), lambda rows: kneser_ney(rows, 0.75))

decode_start = decode_held[:, 1000:1020]
decode_texts = {
    "the manual": decode_held[:, 1000 : 1020 + decode_length],
    "drawn": write(decode_model, decode_start, decode_length, dgm.generator(1)),
    "always the likeliest": write(decode_model, decode_start, decode_length, dgm.generator(1), likeliest),
}
figure, axes = plot.subplots(3, 1, width=10, height=4.4, sharex=True, sharey=True)
decode_rows = []
for ax, (name, ids), color in zip(axes, decode_texts.items(), plot.COLORS):
    bits = token_nats(decode_model, ids)[0, 19:] / math.log(2)
    ax.bar(range(decode_length), bits, color=color, width=0.9)
    ax.set(ylabel="bits", title=f"{name}: {float(bits.mean()):.2f} bits a character")
    decode_rows.append((name, decode_tokens.decode(ids[0]).replace("\n", " ")))
axes[-1].set_xlabel("character")
figure.suptitle("Always the likeliest character: a text without surprise", fontsize=12)
plt.show()
plot.table(decode_rows)

# %% [markdown]
# A language model gives probabilities, not text. Between them stands a **decoder**: it draws, or draws from a part, or searches. Each makes another distribution of texts.
#
# ### Draw from a part
#
# A **temperature** $\tau$ divides the logits. Many bad tokens have little probability each, but much together. Three filters cut them off. **Top-$k$** keeps the $k$ likeliest tokens. **Top-$p$** keeps the fewest likeliest tokens whose sum reaches $p$: the token that crosses the line stays. **Min-$p$** keeps what has at least
# $m$ times the largest probability. What stays is renormalised. With $(0.5,0.3,0.15,0.05)$, top-$p$ $0.7$ keeps two and gives $(0.625,0.375)$; min-$p$ $0.2$ keeps three, $(0.526,0.316,0.158)$.
#
# **On paper:** which filter keeps the same tokens at every temperature? By how much may a logit lie below the largest under min-$p$?
#
# ### Score and search
#
# By the chain rule, the log-probability of a text is
#
# $$\log p(x_{P+1},\dots,x_T\mid x_1,\dots,x_P)=\sum_{t>P}\log p(x_t\mid x_{<t}). \tag{8.1}$$
#
# Always the likeliest token does not give the likeliest text. Say $A$ has $0.6$ and then four equal ways, $B$ has $0.4$ and then a way of $0.9$: $0.15$ against $0.36$. **Beam search** extends the `width` best beginnings by every token, and keeps the `width` best of all results. A beginning that contains
# **eos**, the end, stays as it is, filled up with eos that cost nothing.

# %% role="answer"
def filter_logits(
    logits: Float[Tensor, "*batch V"], temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0, min_p: float = 0.0
) -> Float[Tensor, "*batch V"]:
    """The probabilities to draw from: temperature, top-k, top-p, min-p in this order, each on what the one before left, renormalised.

    Args:
        logits: may hold -inf. Those that are finite differ.
        temperature: positive.
        top_k: at least 1, may exceed V. None keeps all, as do top_p = 1 and min_p = 0.
        top_p: above 0, at most 1.
        min_p: from 0 to 1.
    """
    ### BEGIN SOLUTION
    p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
    p = p[..., :top_k] / p[..., :top_k].sum(-1, keepdim=True)
    p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p[..., :1])
    return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum(-1, keepdim=True))
    ### END SOLUTION


def sequence_log_prob(model, ids: Int[Tensor, "N T"], prompt_len: int, eos: int | None = None) -> Float[Tensor, "N"]:
    """(8.1) for each sequence, in nats. Differentiable.

    Args:
        prompt_len: P, at least 1.
        eos: if given, what follows the first eos after the prompt does not count.
    """
    ### BEGIN SOLUTION
    log_p = model(ids)[:, prompt_len - 1 : -1].log_softmax(-1).gather(-1, ids[:, prompt_len:, None])[..., 0]
    if eos is not None:
        ends = ids[:, prompt_len:] == eos
        log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() > 0, 0.0)
    return log_p.sum(1)
    ### END SOLUTION


def beam_search(
    model, prompt: Int[Tensor, "P"], width: int, steps: int, eos: int | None = None
) -> tuple[Int[Tensor, "B L"], Float[Tensor, "B"]]:
    """The texts found, with the prompt, L = P + steps, best first; and their (8.1).

    Args:
        prompt: at least one token. An eos in it ends nothing.

    Returns:
        B is width, or less if there are fewer texts: none occurs twice or has probability 0.
    """
    ### BEGIN SOLUTION
    texts, scores = prompt[None], torch.zeros(1, device=prompt.device)
    for _ in range(steps):
        log_p = model(texts)[:, -1].log_softmax(-1)
        if eos is not None:
            ended = (texts[:, len(prompt) :] == eos).any(1)
            log_p[ended] = -math.inf
            log_p[ended, eos] = 0.0
        total = (scores[:, None] + log_p).flatten()
        scores, best = total.topk(min(width, int((total > -math.inf).sum())))
        texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)
    return texts, scores
    ### END SOLUTION

# %% [markdown]
# ### Mark
#
# Can a text carry a mark that readers do not see? A secret **key** colours every pair of tokens green, independently, with probability $\gamma$. The writer adds $\delta$ to the logit of every token that makes a green pair with the last one. Whoever knows the key counts green pairs.
#
# An innocent text did not know the key, so the colours of its $n$ *different* pairs are $n$ independent coin throws. A pair that occurs again is no new throw: it counts once.
#
# **On paper:** what are mean and variance of $G$, the number of green pairs, over all keys? The score $z$ is $G$ less its mean, over its standard deviation. $n=100$, $\gamma=\frac12$ and $G=70$ should give $z=4$.

# %% role="given"
def green_list(vocab_size: int, gamma: float, key: int) -> Bool[Tensor, "V V"]:
    """The colours that a key gives: row = a token, column = the one after it, True = green."""
    return torch.rand(vocab_size, vocab_size, generator=torch.Generator().manual_seed(key)) < gamma


def binomial_tail(n: int, count: int, gamma: float) -> float:
    """The probability of at least count successes in n independent throws."""
    return math.fsum(math.comb(n, k) * gamma**k * (1 - gamma) ** (n - k) for k in range(count, n + 1))


# %% role="answer"
def watermark_z(ids: Int[Tensor, "T"], green: Bool[Tensor, "V V"], gamma: float) -> tuple[float, float]:
    """z of a text, and its exact false-positive rate: the chance that at least G of the n different pairs of an innocent text are green.

    Args:
        ids: 2 to 1,000 tokens.
        green: as `green_list` gives it.
    """
    ### BEGIN SOLUTION
    first, second = torch.stack([ids[:-1], ids[1:]]).unique(dim=1)
    n, count = len(first), int(green[first, second].sum())
    z = (count - n * gamma) / math.sqrt(n * gamma * (1 - gamma))
    return z, binomial_tail(n, count, gamma)
    ### END SOLUTION

# %% role="check"
grader.check("q8")

# %% [markdown]
# ### What a filter costs
#
# Here is an exact model of lines `word : word`, with 2 % noise in every prediction. `sequence_log_prob` adds up all 32 right lines.

# %%
part_noise, part_power = 0.02, 1.0  # two knobs: try noise 0.1. Then power 0, all words equally often: which filter gains most?

part_lines = [f"\n{word} : {word}\n" for word in COPY_WORDS]
part_tokens = data.CharTokenizer.from_text("".join(part_lines))
part_ids, part_size = torch.stack([part_tokens.encode(line) for line in part_lines]), len(part_tokens)


class Listed:
    """The exact model of a list of texts with weights; the noise prefers some tokens."""

    def __init__(self, texts, weights, size, noise):
        self.texts, self.noise, self.size = texts, noise, size
        self.following = weights[:, None, None] * F.one_hot(F.pad(texts, (0, 1))[:, 1:], size)
        self.rest = torch.arange(1.0, size + 1).reciprocal()
        self.rest /= self.rest.sum()

    def __call__(self, ids):
        agree = (ids[:, None] == self.texts[:, : ids.shape[1]]).long().cumprod(2)
        p = torch.einsum("nlt,ltv->ntv", agree.float(), self.following[:, : ids.shape[1]])
        total = p.sum(-1, keepdim=True)
        p = torch.where(total > 0, p / total, self.rest)
        return ((1 - self.noise) * p + self.noise * self.rest).log()


part_weights = (torch.arange(32) + 1.0 + 0.001 * torch.arange(32) ** 2) ** -part_power
part_model = Listed(part_ids, part_weights, part_size, part_noise)
part_sweeps = {
    "temperature": (1.0, 0.8, 0.6, 0.4, 0.2),
    "top_k": (28, 20, 12, 8, 5, 3, 2, 1),
    "top_p": (1.0, 0.99, 0.98, 0.95, 0.9, 0.8, 0.6),
    "min_p": (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3),
}
figure, ax = plot.subplots(width=8, height=3.6)
part_rows = []
for name, values in part_sweeps.items():
    points = []
    for value in values:
        each = sequence_log_prob(lambda ids: filter_logits(part_model(ids), **{name: value}).log(), part_ids, 1).exp()
        share = each / each.sum()
        points.append((float(torch.special.entr(share).sum() / math.log(2)), 100 * float(each.sum())))
        if (name, value) in {("temperature", 1.0), ("temperature", 0.6), ("top_k", 3), ("top_p", 0.95), ("min_p", 0.02)}:
            part_rows.append((f"{name} = {value:g}", points[-1][1], points[-1][0], int((each > 1e-6).sum())))
    ax.plot(*zip(*points), marker="o", label=name)
ax.set(xlabel="entropy of the word, bits", ylabel="right lines, %", title="No k fits: top-k loses the words before it loses the noise")
ax.legend()
plt.show()
plot.table(part_rows, header=("filter", "right lines, %", "entropy of the word", "words of 32"))

# %% [markdown]
# At the beginning of a word twenty letters are right, later often one. No $k$ fits both: with $k=3$ one line in ten is still wrong, and 5 of 32 words are left. Temperature pays for right lines with the rare words. Top-p and min-p adapt; which of the two is better depends on the noise.
#
# ### Search
#
# In the first figure the likeliest characters cost 0.80 bits each. **Before you run this:** what do they cost in the best text that a beam of 32 finds?

# %%
guess_beam = None  # type a number

# %%
beam_widths, beam_steps = (1, 4, 32), 110  # two knobs: try 128 beams, then 200 steps. Does it ever leave its loop?
beam_model = decode_model  # any language model

beam_rows = []
for width in beam_widths:
    beam_texts, beam_scores = beam_search(lambda ids: beam_model(ids[:, -8:]), decode_start[0], width, beam_steps)
    beam_bits = -float(beam_scores[0]) / beam_steps / math.log(2)
    beam_rows.append((width, beam_bits, guess_beam if width == 32 else None, decode_tokens.decode(beam_texts[0]).replace("\n", " ")))
plot.table(beam_rows, header=("width", "bits a character", "your guess", "the best text"))

beam_end = int(decode_tokens.encode("\n")[0])
beam_texts, beam_scores = beam_search(lambda ids: beam_model(ids[:, -8:]), decode_start[0], 128, 60, beam_end)
beam_long = 1 + (beam_texts[:, 20:] != beam_end).sum(1)
beam_rows = []
for alpha in (0.0, 0.7, 1.0):  # the length penalty
    best = int((beam_scores / beam_long**alpha).argmax())
    beam_rows.append((f"log p / length^{alpha:g}", int(beam_long[best]), float(beam_scores[best]), decode_tokens.decode(beam_texts[best]).replace("\n", "↵")))
plot.table(beam_rows, header=("best line by", "length", "log p", "text"))

# %% [markdown]
# 0.47 bits, for a longer loop. (Six beginnings: 0.46 to 0.52; greedy 0.80 to 0.84, the manual 1.4 to 2.3.) And if a line may end, the likeliest one ends soon: every further character costs. Dividing by a power of the length only moves the preference.
#
# ### Who wrote it?
#
# Take 1,000 characters of the manual. With different pairs, one key in 30,000 gives $z>4$. **Before you run this:** if repeated pairs count again, how many of 1,000 keys do?

# %%
guess_accused = None  # type a number

# %%
mark_delta, mark_length = 3.0, 200  # two knobs: try δ = 2 and 4, then 50 and 400 characters. Why do more characters help so little?

mark_keys = dgm.budget(smoke=30, cpu=1000, gpu=1000)
mark_text = decode_held[:, 2000:3000]
mark_again, mark_once = [], []
for key in range(mark_keys):
    green = green_list(decode_size, 0.5, key)
    mark_again.append(float((2 * green[mark_text[:, :-1], mark_text[:, 1:]].float() - 1).sum()) / math.sqrt(999))
    mark_once.append(float(watermark_z(mark_text[0], green, 0.5)[0]))
mark_green = green_list(decode_size, 0.5, 8)
mark_start = torch.stack([decode_held[0, i : i + 20] for i in range(0, 10_000, 250)])
mark_texts = {
    "the manual": torch.stack([decode_held[0, i : i + 20 + mark_length] for i in range(0, 10_000, 250)]),
    "drawn": write(decode_model, mark_start, mark_length, dgm.generator(3)),
    "drawn, marked": write(decode_model, mark_start, mark_length, dgm.generator(4), green=mark_green, delta=mark_delta),
}
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
bins = np.linspace(-12, 12, 49)
left.hist(mark_again, bins, color=plot.COLORS[1], alpha=0.6, label="every pair")
left.hist(mark_once, bins, color=plot.COLORS[0], alpha=0.6, label="different pairs")
left.set(xlabel="z of an innocent text", ylabel="keys", title="Repetition accuses the innocent")
left.legend()
mark_rows = []
for (name, ids), color in zip(mark_texts.items(), plot.COLORS):
    z, rate = torch.tensor([watermark_z(text, mark_green, 0.5) for text in ids[:, 19:]]).T
    bits = -sequence_log_prob(decode_model, ids, 20) / mark_length / math.log(2)
    right.scatter(bits, z, s=14, color=color, label=name)
    mark_rows.append((name, float(bits.mean()), float(z.mean()), f"{100 * float((rate < 1e-4).float().mean()):.0f} %"))
right.set(xlabel="bits a character under the unmarked model", ylabel="z", title="The key separates, the likelihood does not")
right.legend(loc="upper left")
plt.show()
plot.table([("every pair", np.std(mark_again), sum(z > 4 for z in mark_again), guess_accused), ("different pairs", np.std(mark_once), sum(z > 4 for z in mark_once), None)],
           header=("innocent text", "spread of z", f"of {mark_keys} keys, z > 4", "your guess"))
plot.table(mark_rows, header=("40 texts", "bits a character", "mean z", "found at rate 1e-4"))

# %% [markdown]
# Eleven in a hundred accuse an innocent text. (Six texts: 90 to 114 keys; with different pairs, none.) With different pairs, $\delta=3$ is found in 95 % of the texts. (Eight keys: 68 to 100 %; $\delta=2$: 3 to 57 %.) It costs 0.5 to 0.9 bits a character. The innocent lie above 0 as they share common pairs, and so
# their luck with this key.
#
# **Why?** (a) Search found texts that are likelier than the manual. Why does the model hardly ever draw them? (b) Against repetition, a colleague divides the logits of all tokens that have occurred by $1.2$. For which does this do the opposite? He repairs that. Why can two models with equal distributions still get different penalties? (c) Why is $z$ with repeated pairs too wide, and why do different pairs make the rate exact?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) The likeliest text is one text. It is likelier than any other single one, and still its probability is tiny. Nearly all probability lies on the very many texts of ordinary surprise, each far less likely. What is drawn comes from there. A coin that shows heads in 60 of 100 throws is the same: the likeliest sequence of 100 throws is all heads, and nobody will see it.
#
# (b) A negative logit divided by 1.2 moves up, so the token becomes likelier. One may multiply negative logits instead. But the same constant added to all logits changes no probability, while it changes which logits are negative, and by how much a division moves them. So two equal models get different penalties.
#
# (c) The colour of a pair is drawn once for a key. A pair that occurs ten times adds ten or nothing, so the count varies as if there were fewer, larger throws: its variance is γ(1 - γ) times the sum of squared frequencies, which is more than γ(1 - γ) times their sum. The colours of different pairs are independent by construction, so their
# number is exactly binomial for every innocent text, whoever wrote it.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A decoder has its own distribution. State it, with the order of its filters.
# - The likeliest text is not a typical one. Better search can write worse.
# - A test needs independence: count different pairs once.
#
# `sequence_log_prob` returns when models are tuned to preferences, `filter_logits` when decoding is made faster.

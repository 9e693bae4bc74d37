# %% [markdown]
# Your Kneser–Ney 6-gram of Question 2 goes on with the manual. Once it draws each character from its own distribution. Once it takes the likeliest character, always. How surprised is it by every character?

# %% role="given"
def write(model, ids: Int[Tensor, "N T"], steps: int, generator: torch.Generator, law=None, green=None, delta=0.0) -> Int[Tensor, "N L"]:
    """Draws steps more tokens of each sequence. `law` makes probabilities of logits; `green` and `delta` come later."""
    for _ in range(steps):
        logits = model(ids[:, -8:])[:, -1]  # eight tokens are enough for a 6-gram
        if green is not None:
            logits = logits + delta * green[ids[:, -1]]
        p = logits.softmax(-1) if law is None else law(logits)
        ids = torch.cat([ids, torch.multinomial(p, 1, generator=generator)], 1)
    return ids


def likeliest(logits: Float[Tensor, "N V"]) -> Float[Tensor, "N V"]:
    """All probability on the largest logit."""
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
figure.suptitle("The likeliest text is not like text", fontsize=12)
plt.show()
plot.table(decode_rows)

# %% [markdown]
# A language model gives probabilities, not text. Between them stands a **decoder**. It may draw, draw from a part, or search. Each choice makes another law of texts, and you can say exactly which.
#
# ### Draw from a part
#
# A **temperature** $\tau$ divides the logits. The small probabilities of thousands of bad tokens add up, so three filters cut them off. **Top-$k$** keeps the $k$ likeliest tokens. **Top-$p$** keeps the fewest likeliest tokens whose sum reaches $p$: the token that crosses the line stays. **Min-$p$** keeps what has at least
# $m$ times the largest probability. The rest is renormalised. With $(0.5,0.3,0.15,0.05)$, top-$p$ $0.7$ keeps two and gives $(0.625,0.375)$; min-$p$ $0.2$ keeps three, $(0.526,0.316,0.158)$.
#
# **On paper:** which filters keep the same tokens at every temperature? By how much may a logit lie below the largest under min-$p$?
#
# ### Score and search
#
# By the chain rule, the log-probability of a text is a sum:
#
# $$\log p(x_{P+1},\dots,x_T\mid x_1,\dots,x_P)=\sum_{t>P}\log p(x_t\mid x_{<t}). \tag{8.1}$$
#
# Always the likeliest token does not give the likeliest text. Say $A$ has $0.6$ and then four equal ways, $B$ has $0.4$ and then one way of $0.9$: $0.15$ against $0.36$. **Beam search** extends the `width` best beginnings by every token, and keeps the `width` best of all results. A beginning that contains
# **eos**, the end, is finished. It stays as it is, filled up with eos that cost nothing.

# %% role="answer"
def filter_logits(
    logits: Float[Tensor, "*batch V"], temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0, min_p: float = 0.0
) -> Float[Tensor, "*batch V"]:
    """The probabilities to draw from: temperature, top-k, top-p, min-p in this order, each on what the one before has left, renormalised.

    Args:
        logits: may hold -inf. Those that are finite differ.
        temperature: positive.
        top_k: at least 1, may exceed V. None keeps all, as do top_p = 1 and min_p = 0.
        top_p: above 0, at most 1.
        min_p: from 0 to 1.
    """
    ### BEGIN SOLUTION
    logits = logits / temperature
    if top_k is not None:
        smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -math.inf)
    p, order = logits.softmax(-1).sort(-1, descending=True)
    p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p[..., :1])
    return (p / p.sum(-1, keepdim=True)).gather(-1, order.argsort(-1))
    ### END SOLUTION


def sequence_log_prob(model, ids: Int[Tensor, "N T"], prompt_len: int, eos: int | None = None) -> Float[Tensor, "N"]:
    """(8.1) for each sequence, in nats. Differentiable.

    Args:
        prompt_len: P, at least 1.
        eos: if given, what follows the first eos after the prompt is filling and does not count.
    """
    ### BEGIN SOLUTION
    log_p = model(ids)[:, prompt_len - 1 : -1].log_softmax(-1)
    log_p = log_p.gather(-1, ids[:, prompt_len:, None])[..., 0]
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
        B is width, or less if there are not as many texts: none occurs twice, and none has probability 0.
    """
    ### BEGIN SOLUTION
    texts, scores = prompt[None], None
    for _ in range(steps):
        log_p = model(texts)[:, -1].log_softmax(-1)
        if eos is not None:
            ended = (texts[:, len(prompt) :] == eos).any(1)
            frozen = torch.full_like(log_p, -math.inf)
            frozen[:, eos] = 0.0
            log_p = torch.where(ended[:, None], frozen, log_p)
        total = (log_p if scores is None else scores[:, None] + log_p).flatten()
        scores, best = total.topk(min(width, int((total > -math.inf).sum())))
        texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)
    return texts, scores
    ### END SOLUTION

# %% [markdown]
# ### Mark
#
# Can a text carry a mark that its readers do not see? A secret **key** colours every pair of tokens green, independently, with probability $\gamma$. The writer adds $\delta$ to the logits of the green continuations of its last token. Whoever knows the key counts green pairs.
#
# An innocent text did not know the key. If it has $n$ *different* pairs, their colours are $n$ independent coin throws. A pair that occurs again brings no new throw, so it counts once.
#
# **On paper:** what are mean and variance of the number $G$ of green pairs, over all keys? The score $z$ is $G$ less its mean, over its standard deviation. With $n=100$, $\gamma=\frac12$ and $G=70$ you should find $z=4$.

# %% role="given"
def green_list(vocab_size: int, gamma: float, key: int) -> Bool[Tensor, "V V"]:
    """The colours that a key gives: row = a token, column = the one after it, True = green."""
    return torch.rand(vocab_size, vocab_size, generator=torch.Generator().manual_seed(key)) < gamma


def binomial_tail(n: int, count: int, gamma: float) -> float:
    """The probability of at least count successes in n independent throws."""
    return math.fsum(math.comb(n, k) * gamma**k * (1 - gamma) ** (n - k) for k in range(count, n + 1))


# %% role="answer"
def watermark_z(
    ids: Int[Tensor, "N T"], green: Bool[Tensor, "V V"], gamma: float
) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"]]:
    """z of each text, and its exact false-positive rate: the chance that an innocent text has at least G of its n different pairs green.

    Args:
        ids: 2 to 1,000 tokens a text.
        green: as `green_list` gives it.
    """
    ### BEGIN SOLUTION
    z, rate = [], []
    for text in ids:
        first, second = torch.stack([text[:-1], text[1:]]).unique(dim=1)
        n, count = len(first), int(green[first, second].sum())
        z.append((count - n * gamma) / math.sqrt(n * gamma * (1 - gamma)))
        rate.append(binomial_tail(n, count, gamma))
    return torch.tensor(z, device=ids.device), torch.tensor(rate, device=ids.device)
    ### END SOLUTION

# %% role="check"
grader.check("q8")

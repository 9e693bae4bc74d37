# %% [markdown]
# Which letter comes next in this row?

# %% role="given"
def stream_parts(vocab: int, context: int, *notes: str) -> dict[str, slice]:
    # which entries of the residual stream belong to which part; notes are further parts, of `vocab` entries each
    sizes = {"token": vocab, "position": context} | dict.fromkeys((*notes, "answer"), vocab)
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends)}


def empty_head(parts: dict[str, slice]) -> tuple[Tensor, Tensor]:
    # (look, copy), all zeros
    width = max(part.stop for part in parts.values())
    return torch.zeros(width, width), torch.zeros(width, width)


class HandModel:
    # layers: a list of lists of heads; the heads of one layer read the same stream
    def __init__(self, parts, layers, strength: float = 20.0):
        self.parts, self.layers, self.strength = parts, layers, strength

    def start(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T D"]:
        token, position = self.parts["token"], self.parts["position"]
        x = torch.zeros(*ids.shape, max(part.stop for part in self.parts.values()), device=ids.device)
        x[..., token] = F.one_hot(ids, token.stop - token.start).float()
        x[..., position] = torch.eye(position.stop - position.start, device=ids.device)[: ids.shape[1]]
        return x

    def weights(self, x: Float[Tensor, "N T D"], look: Float[Tensor, "D D"]) -> Float[Tensor, "N T T"]:
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        return (x @ look.to(x) @ x.transpose(1, 2)).masked_fill(later, -math.inf).softmax(-1)

    def run(self, ids: Int[Tensor, "N T"]) -> tuple[Tensor, list[Tensor]]:
        # (the last stream, the attention weights of all heads)
        x, seen = self.start(ids), []
        for heads in self.layers:
            here = [self.weights(x, look) for look, _ in heads]
            x = x + sum(weights @ x @ copy.to(x) for weights, (_, copy) in zip(here, heads))
            seen += here
        return x, seen

    def __call__(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        return self.strength * self.run(ids)[0][..., self.parts["answer"]]

# %%
hook_letters = "QKDRHTMWQKD"
hook_kinds = sorted(set(hook_letters))
hook_glyphs, hook_labels = data.glyphs(300, seed=6, size=28, classes="".join(hook_kinds))
hook_row = torch.cat([hook_glyphs[int((hook_labels == hook_kinds.index(c)).nonzero()[0]), 0] for c in hook_letters] + [torch.zeros(28, 28)], 1)
hook_parts = stream_parts(8, 12, "before")
hook_stream = HandModel(hook_parts, []).start(torch.tensor([[hook_kinds.index(c) for c in hook_letters]]))[0]
figure, axes = plot.subplots(2, 1, width=10, height=4.6, gridspec_kw={"height_ratios": [1, 3]})
axes[0].imshow(hook_row, cmap="gray")
axes[0].set(title="Which letter comes next?", xticks=[], yticks=[])
axes[1].imshow(hook_stream, cmap="gray", aspect="auto")
for part in list(hook_parts.values())[1:]:
    axes[1].axvline(part.start - 0.5, color=plot.COLORS[1])
axes[1].set_xticks([(part.start + part.stop - 1) / 2 for part in hook_parts.values()], list(hook_parts))
axes[1].set_yticks(range(11), hook_letters)
axes[1].grid(False)
axes[1].set_title("How it enters the model: two parts are known, two are empty")
plt.show()

# %% [markdown]
# You looked where the last letter stood before, and read on from there, in any alphabet. Trained transformers have heads that behave so, *induction heads* (Olsson et al. 2022). Here you write their weights, and know what each number is for.
#
# ### A model that can be read
#
# `HandModel` has attention and nothing else. It works on the **residual stream** in the lower picture: a row for each token, in named **parts**. In `token` and `position`, a single 1 says which token this is, and where. The other parts are 0 until
# heads write into them. In the end the logits are 20 times `answer`.
#
# A head is two matrices. $L$ (look) says which entry of a query likes which entry of a key. $C$ (copy) says into which entry each entry of the found token is written. With rows $x_i$,
#
# $$s_{ij}=x_i\,L\,x_j^\top,\qquad x_i\leftarrow x_i+\sum_{j\le i}w_{ij}\,x_j\,C,\qquad w_{i\cdot}=\operatorname{softmax}_{j\le i}(s_{i\cdot}). \tag{9.1}$$
#
# In Question 5's names $L=W_qW_k^\top$, without $\sqrt d$. Let entries 0, 1, 2 be `token`, and $L_{02}=5$ all that is not 0. Then token 0 gives each token 2 the score 5, and others 0. Among one token 2 and two others, its weight is $e^5/(e^5+2)=0.987$.
#
# **On paper:** some keys are right. They lead all others by $\beta$, the **sharpness**, and are to have the weight $w$ together. Which $\beta$ does it take? For 1 right key, 19 wrong ones and $w=0.99$ it is $7.54$.
#
# **Look back, then look for.** In layer 1, each token finds the one before it by position, and notes which token that is. In layer 2, it looks for a token whose *note* is its *own token*, so that came right after an earlier copy, and writes it into `answer`. (As `matches`: `[("token", "before")]`.) Several of them share the weight, so the answer is Question 2's bigram table, counted in this text alone.
#
# **Sort.** Let tokens be numbers. After `9 7 3 5 0` (9 is the start, 0 says "sort") one head writes the smallest number that is larger than the last one: 3, 5, 7, and 9 for the end.
#
# `empty_head(parts)` gives both matrices, full of zeros; `parts["token"]` is a slice.

# %% role="answer"
def needed_sharpness(right: int, wrong: int, weight: float) -> float:
    """Your derivation: the lead with which `right` keys have this weight together (0 < weight < 1) against `wrong` ones of score 0."""
    ### BEGIN SOLUTION
    return math.log(wrong * weight / (right * (1 - weight)))
    ### END SOLUTION


def lookback_head(parts: dict[str, slice], steps: int, target: str, sharpness: float) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D D"]]:
    """(look, copy): token i looks at token i - steps, which leads all others by `sharpness`, and copies its "token" into part `target`.

    Args:
        parts: the stream's parts, in any order; those of `stream_parts` and perhaps more.
        steps: 1 or more. Tokens with i < steps may look anywhere.
    """
    ### BEGIN SOLUTION
    look, copy = empty_head(parts)
    token, place = parts["token"], parts["position"]
    look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps)
    copy[token, parts[target]] = torch.eye(token.stop - token.start)
    return look, copy
    ### END SOLUTION


def induction_head(parts: dict[str, slice], matches: list[tuple[str, str]], sharpness: float) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D D"]]:
    """(look, copy): looks for what matches, and copies its "token" into "answer".

    Args:
        matches: different pairs of parts (mine, its). The score is `sharpness` times the sum over pairs of the dot product of i's `mine` with j's `its`.
    """
    ### BEGIN SOLUTION
    look, copy = empty_head(parts)
    token, same = parts["token"], torch.eye(parts["token"].stop - parts["token"].start)
    for mine, its in matches:
        look[parts[mine], parts[its]] += sharpness * same
    copy[token, parts["answer"]] = same
    return look, copy
    ### END SOLUTION


def sorting_head(parts: dict[str, slice], sharpness: float) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D D"]]:
    """(look, copy): looks for the smallest larger token, and copies its "token" into "answer".

    Among larger tokens, each step of 1 costs `sharpness` (0.1 to 20). If one can be seen, all tokens that are not larger have less than 1e-6
    of the weight together. The vocabulary has at most 300 tokens. Entries are finite.
    """
    ### BEGIN SOLUTION
    look, copy = empty_head(parts)
    token, number = parts["token"], torch.arange(parts["token"].stop - parts["token"].start)
    step = number - number[:, None]   # from the query's number to the key's
    look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 50.0)
    copy[token, parts["answer"]] = torch.eye(len(number))
    return look, copy
    ### END SOLUTION

# %% role="check"
grader.check("q9")

# %% [markdown]
# ### Twenty tokens, twice
#
# Twenty tokens in random order, and the same again. In the second copy, each next token can be known: 19 predictions. A blind guess costs $\ln20=3.0$ nats.
#
# **Before you run this.** Both heads have sharpness 10. How many of the 19 are right?

# %%
guess_copied = None   # type a number

# %%
twice_sharpness = 10.0   # a knob: at which value does it break?


def twice(n: int, start: bool) -> Int[Tensor, "1 T"]:
    # tokens 0 to n - 1 in random order, twice; perhaps with token n before them
    order = torch.randperm(n, generator=dgm.generator(0)).tolist()
    return torch.tensor([[n] * start + order + order])


def copier(n: int, sharpness: float, without: int | None = None) -> HandModel:
    # both heads, or one of them taken out
    parts = stream_parts(n + 1, 2 * n + 1, "before")
    heads = [lookback_head(parts, 1, "before", sharpness), induction_head(parts, [("token", "before")], sharpness)]
    return HandModel(parts, [[empty_head(parts) if layer == without else head] for layer, head in enumerate(heads)])


def copied(model: HandModel, ids: Int[Tensor, "1 T"], n: int) -> tuple[int, float]:
    # (how many of the n - 1 are right, loss in nats)
    logits, targets = model(ids)[0, -n:-1], ids[0, 1 - n :]
    return int((logits.argmax(-1) == targets).sum()), float(F.cross_entropy(logits, targets))


twice_seen = copier(20, twice_sharpness).run(twice(20, False))[1]
figure, axes = plot.subplots(1, 2, width=10, height=4.6)
for ax, weights, words in zip(axes, twice_seen, ("Layer 1 looks one back", "Layer 2 finds what followed; row 20 finds two")):
    plot.heatmap(weights[0], xlabel="looked at: token j", ylabel="token i", vmin=0, vmax=1, colorbar=False, ax=ax, title=words)
plt.show()
rows = []
for words, start, without, expected in (
    ("your two heads", False, None, "18 right, 0.037"), ("with a start token", True, None, "19 right, 0.000"),
    ("layer 1 taken out", True, 0, "0 right, 3.37"), ("layer 2 taken out", True, 1, "ln 21 = 3.04"),
):
    right, loss = copied(copier(20, twice_sharpness, without), twice(20, start), 20)
    rows.append((words, right, loss, expected, guess_copied if not start else ""))
plot.table(rows, header=("20 tokens, twice", "right, of 19", "nats", "expected", "your guess"))

# %% [markdown]
# Eighteen. The token at position 0 can only look at itself, and notes a false predecessor: its own token. When it comes again, two notes match and share the weight. A **start token** takes the blame.
#
# ### How sharp?
#
# A softmax always leaves something to the others. At sharpness 4, with a start token, 20 tokens are copied without an error, at 0.01 nats.
#
# **Before you run this.** Now 80 tokens, at sharpness 4. How many nats?

# %%
guess_dull = None   # type a number

# %%
dull_sharpness = 4.0   # a knob: 2, 3, 5. Which comes first, the errors or the loss?

dull_grid = torch.linspace(0.5, 8, 31).tolist()
figure, ax = plot.subplots(width=8, height=3.4)
for n, color in zip((5, 20, 80), plot.COLORS):
    ax.plot(dull_grid, [copied(copier(n, s), twice(n, True), n)[1] for s in dull_grid], color=color, label=f"{n} tokens")
    dot = needed_sharpness(1, round(1.5 * n), 0.5)   # on average 1.5 n tokens compete in the second copy
    ax.plot(dot, copied(copier(n, dot), twice(n, True), n)[1], "o", color=color)
ax.set(xlabel="sharpness of both heads", ylabel="nats", title="A longer text needs sharper heads (dots: layer 1 looks back with half its weight)")
ax.legend()
plt.show()
rows = []
for n, expected in ((20, "19, 0.01"), (80, "79, 2.70")):
    right, loss = copied(copier(n, dull_sharpness), twice(n, True), n)
    rows.append((n, right, loss, expected, guess_dull if n == 80 else ""))
plot.table(rows, header=("tokens", "right", "nats", "expected at 4", "your guess"))

# %% [markdown]
# All 79 are right, but by almost nothing: 2.70 nats, where a blind guess costs $\ln80=4.38$. Softness multiplies. Among 120 tokens, layer 1 gives the right one only $e^4/(e^4+119)=0.31$. So the note that matches leads by $4\cdot0.31$
# only, among 120 tokens again. From 20 to 80 tokens, equal loss takes 1.7 more sharpness, and not $\ln4=1.4$.
#
# ### Several letters, and sorting
#
# With notes of the last $k$ letters, the head matches $k$ of them.

# %%
rhyme = "how much wood would a woodchuck chuck if a woodchuck could chuck wood? "
rhyme_letters = (1, 2, 6, 15)   # a knob: does 14 get through, too? Which letters of the rhyme decide it?
rhyme_kinds = sorted(set(rhyme))
sort_numbers, sort_sharpness = 8 * [7] + [11, 6, 3, 9, 4], (0.5, 2.0, 3.0)   # two knobs: with how many sevens does sharpness 3 fail?


def write_on(model: HandModel, ids: list[int], steps: int) -> list[int]:
    # the most likely token, again and again
    for _ in range(steps):
        ids = [*ids, int(model(torch.tensor([ids]))[0, -1].argmax())]
    return ids


rows = []
for k in rhyme_letters:
    notes = [f"{i} back" for i in range(1, k + 1)]
    parts = stream_parts(len(rhyme_kinds), 150, *notes)
    layers = [[lookback_head(parts, i, note, 10.0) for i, note in enumerate(notes, 1)], [induction_head(parts, list(zip(["token", *notes], notes)), 10.0)]]
    ids = write_on(HandModel(parts, layers), [rhyme_kinds.index(c) for c in rhyme + rhyme[:k]], len(rhyme) - k)
    rows.append((k, "".join(rhyme_kinds[i] for i in ids[len(rhyme) :])))
plot.table(rows, header=("letters that match", "after the rhyme it writes"))
sort_parts, rows = stream_parts(13, 80), []
for sharpness in sort_sharpness:
    ids = write_on(HandModel(sort_parts, [[sorting_head(sort_parts, sharpness)]]), [12, *sort_numbers, 0], 9)[len(sort_numbers) + 2 :]
    rows.append((sharpness, " ".join(map(str, ids[: ids.index(12)] if 12 in ids else ids))))
plot.table(rows, header=("sharpness", f"sorts {' '.join(map(str, sort_numbers))}"))

# %% [markdown]
# With few letters it runs in circles. And eight sevens outvote one six until $e^\beta>8$: `needed_sharpness(1, 8, 0.5)` is 2.08.
#
# **What this shows.** A transformer *can* do this. Whether training finds such weights is another question. And a trained head with the same picture may do other work: take it out, as in the first table.
#
# **What to remember**
# - A head is two matrices: where to look, and what to copy. A second layer can look for what the first has noted.
# - Against $n$ others, a softmax needs a lead of $\ln n$. Softness multiplies from layer to layer.
#
# ### The open end (6 points)
#
# **Write an algorithm of your own into weights, and find where it breaks.** For example:
#
# - Follow the *latest* match only.
# - Count how often the last token has come. (A softmax takes means; what can a start token do?)
# - Reverse a list, or sort one with duplicates.
# - Say which bracket must close next.
#
# 1. Say the rule, and for which inputs it is to hold.
# 2. **Predict** the number at which it breaks (length, repeats, sharpness), with a reason, *before* you run anything.
# 3. **Measure** on random inputs on both sides of it, with a spread, in one table or figure.
# 4. **Explain** in ten lines what happened, and what it does *not* show. A wrong prediction, explained, loses nothing.

# %%
hand_prediction = None  # a number
hand_reason = ""  # one sentence, with the number's unit

# %%
# your heads, and your experiment
hand_measured, hand_error = None, None  # your number and its spread

# %%
plot.table([("predicted", hand_prediction, None), ("measured", hand_measured, hand_error)], header=(hand_reason or "no reason given", "value", "± spread"))

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (There is no reference answer. This is one of many that would have full points.)
#
# **Rule.** Answer with what followed the *latest* earlier copy of the last token, in texts of 100 places (start token, then 12 kinds of tokens at random).
#
# `look, copy = induction_head(parts, [("token", "before")], 20.0)`, then `look[parts["position"], parts["position"]] = r * torch.arange(100.0)`: each place nearer is worth r. Layer 1 is the look-back head with sharpness 20.
#
# **Prediction.** With r = 1 it breaks where the found token is more than 20 places back: there the match has used up its lead of 20. With r = 0.2 it holds for all 100 places, without an error.
#
# **Measured.** Five sets of 50 texts. With r = 1, found token up to 19 places back: all right; 20 back: 84 %; 21 and more: none. Share of right answers for r = 0: 41 % (mean of the sets, ± 0.4); 0.05: 91.8 ± 0.4; 0.2: 99.2 ± 0.1;
# 0.3: 99.4 ± 0.1; 0.5: 98.3 ± 0.3; 1: 87.9 ± 0.5; 2: 65.7 ± 0.5.
#
# **What happened.** The first prediction was right to the place. The second was wrong: with r = 0.2 no match is forgotten, but older matches are hardly behind ($e^{-0.2}=0.82$ for one place), and if several of them agree they outvote the latest.
# So the slope has a price at both ends: too flat, and the vote is by numbers; too steep, and distance beats likeness. To cure both I would raise the sharpness and r together.
#
# **What it does not show.** How it is with other vocabularies: with more kinds the copies lie further apart, and the best slope is probably flatter. Nor whether a trained model does it so; its positions are not one-hot.
# ### END SOLUTION

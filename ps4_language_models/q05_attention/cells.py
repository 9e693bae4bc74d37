# %% [markdown]
# Can you read this page? Below it is what attention makes of it. It has no weights, and it was never trained.

# %%
page_text = "ALETTERTHATYOUCANNOTREADISEASYTOREADONCEYOUHAVESEENITTENTIMESANDSOEACHLETTERLOOKSBACKATALLTHELETTERSTHATCAMEBEFOREITANDASKSWHICHOFTHEMLOOKLIKEME"
page_kinds = sorted(set(page_text))
page_glyphs, page_labels = data.glyphs(512, seed=6, size=16, classes="".join(page_kinds))
page_stamps = torch.stack([page_glyphs[int((page_labels == i).nonzero()[0]), 0].flatten() for i in range(len(page_kinds))])
page_clean = page_stamps[torch.tensor([page_kinds.index(c) for c in page_text])]   # (144, 256): one token for each letter
page_noisy = page_clean + 0.5 * torch.randn(page_clean.shape, generator=dgm.generator(0))


def page_picture(ax, page: Float[Tensor, "144 256"], title: str) -> None:
    # six lines of 24 letters, white on black
    ax.imshow(page.reshape(6, 24, 16, 16).transpose(1, 2).reshape(96, 384), cmap="gray", vmin=0, vmax=0.8)
    ax.set(title=title, xticks=[], yticks=[])


def asking(page: Float[Tensor, "T P"], softness: float = 10.0) -> tuple[Tensor, Tensor]:
    # queries and keys whose scores are -(distance of two letters)² / softness. The square of a - b is |a|² - 2 a·b + |b|²: a dot product,
    # with |b|² as one more entry of the key, and without |a|², which all keys of a query share
    ones, scale = torch.ones_like(page[:, :1]), math.sqrt(page.shape[1] + 1) / softness
    return torch.cat([2 * page, -ones], 1) * scale, torch.cat([page, page.square().sum(1, keepdim=True)], 1)


not_itself = ~torch.eye(144, dtype=torch.bool)
page_read = F.scaled_dot_product_attention(*(part[None] for part in (*asking(page_noisy), page_noisy)), attn_mask=not_itself)[0]
figure, axes = plot.subplots(2, 1, width=8, height=5)
page_picture(axes[0], page_noisy, "144 letters with noise")
page_picture(axes[1], page_read, "each letter is now a mean of all others, weighted by likeness")
plt.show()

# %% [markdown]
# Each letter is a token. It asks the others: who looks like me? And it averages their pictures, those most that look most alike. The letter itself is left out, as its own noise would agree with itself. Noise differs from copy to copy, so it cancels in the mean.
#
# A language model does the same with what it knows about words. Token $i$ asks with a **query**, token $j$ is found by its **key**, and gives its **value**. Scores become weights by a softmax over all $j$ that $i$ may look at:
#
# $$a_i=\sum_jw_{ij}\,v_j,\qquad w_{ij}=\frac{e^{s_{ij}}}{\sum_{j'}e^{s_{ij'}}},\qquad s_{ij}=\frac{q_i\cdot k_j}{\sqrt d}. \tag{5.1}$$
#
# For example, scores $0$ and $\log3$ give the weights $\frac14$ and $\frac34$; values $8$ and $0$ then average to $2$. Dot products of $d$ random entries grow like $\sqrt d$, hence the division. The first attention networks *added* instead, $s_{ij}=u\cdot\tanh(q_i+k_j)$. That takes $d$ numbers for each pair of tokens, a dot product one.
#
# **May look at.** A model that predicts the next token must not see it: a *causal* mask lets token $i$ look at all $j\le i$. A *window* of $w$ leaves the last $w$ of these, token $i$ among them: for $w=2$, tokens $i-1$ and $i$. If a mask leaves nothing to look at, like the first letter of a
# page that may see only letters before it, the answer is zero: no evidence, no vote.
#
# **Who looks at whom.** With $q_i=x_iW_q$ and $k_j=x_jW_k$ (rows times matrices), all scores are $XW_qW_k^\top X^\top$, up to the factor. In $XX^\top$, $i$ likes $j$ as much as $j$ likes $i$. In a sentence that would be odd: a pronoun needs its noun, not the other way round.
# **On paper:** for which $W_k$ are the scores symmetric, whatever $X$ is? $W_k=cW_q$ is one answer. Find another, for any $W_q$. (Even then the weights are not symmetric, as each row has a sum of its own.)
#
# **Several heads.** A model with $H$ heads cuts queries, keys and values into $H$ pieces, lets each attend on its own, puts the answers side by side and mixes them with a last matrix. While a text is written, keys and values of all tokens are kept. To keep fewer,
# *grouped* attention has only $G$ heads of keys and values. The first $H/G$ query heads share the first of these, the next $H/G$ the second, and so on: with $H=4$, $G=2$, query heads 0 and 1 meet keys 0, and 2 and 3 meet keys 1.
#
# **Cheaper.** With a window, of $T^2$ scores only $T\,w$ matter. The last function must not compute more than that.

# %% role="answer"
def attend(
    q: Float[Tensor, "*#batch T d"], k: Float[Tensor, "*#batch S d"], v: Float[Tensor, "*#batch S e"], mask: Bool[Tensor, "*#batch T S"]
) -> Float[Tensor, "*batch T e"]:
    """Attention (5.1); leading axes broadcast, float64 keeps its digits.

    Args:
        mask: True where token i of q may look at token j of k. What may not be looked at has no influence, however large its score. A row
            without True gives zeros, and gradients stay finite.
    """
    ### BEGIN SOLUTION
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    return weights.masked_fill(~mask, 0.0) @ v
    ### END SOLUTION


def causal_mask(length: int, window: int | None = None, device: torch.device | str | None = None) -> Bool[Tensor, "length length"]:
    """True where row i may look at column j: j <= i, and with a window only the last ``window`` of these, i included."""
    ### BEGIN SOLUTION
    places = torch.arange(length, device=device)
    back = places[:, None] - places
    return (back >= 0) & (back < (length if window is None else window))
    ### END SOLUTION

# %% role="answer"
def symmetric_keys(w_q: Float[Tensor, "D d"]) -> Float[Tensor, "D d"]:
    """Your derivation: a w_k, no multiple of w_q, with which ``x @ w_q @ w_k.T @ x.T`` is symmetric for every x. d > 1."""
    ### BEGIN SOLUTION
    return w_q * torch.arange(1, w_q.shape[1] + 1).to(w_q)
    ### END SOLUTION

# %% role="answer"
class CausalSelfAttention(nn.Module):
    """Causal attention with heads, grouped keys and values, and rotary positions 0, 1, …

    Args:
        n_heads: heads of queries, each of dim / n_heads entries, which is even.
        n_kv_heads: heads of keys and values, a divisor of n_heads; None means n_heads.
        base: of `rope`, which turns each head's queries and keys.
    """

    def __init__(self, dim: int, n_heads: int, n_kv_heads: int | None = None, base: float = 10000.0):
        super().__init__()
        self.n_heads, self.n_kv_heads, self.head_dim, self.base = n_heads, n_kv_heads or n_heads, dim // n_heads, base
        self.to_q = nn.Linear(dim, self.n_heads * self.head_dim, bias=False)
        self.to_k = nn.Linear(dim, self.n_kv_heads * self.head_dim, bias=False)
        self.to_v = nn.Linear(dim, self.n_kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(self.n_heads * self.head_dim, dim, bias=False)

    def forward(self, x: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        """The heads' answers side by side, through `out`. In the outputs of the four layers, head h owns the h-th run of head_dim entries."""
        ### BEGIN SOLUTION
        q, k, v = (layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.to_q, self.to_k, self.to_v))
        positions = torch.arange(x.shape[1], device=x.device)
        q, k = rope(q, positions, self.base), rope(k, positions, self.base)
        k, v = (part.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for part in (k, v))
        answers = attend(q, k, v, causal_mask(x.shape[1], device=x.device))
        return self.out(answers.transpose(1, 2).flatten(2))
        ### END SOLUTION

# %% role="answer"
def sliding_window_attention(
    q: Float[Tensor, "*batch T d"], k: Float[Tensor, "*batch T d"], v: Float[Tensor, "*batch T e"], window: int
) -> Float[Tensor, "*batch T e"]:
    """`attend` with the causal mask of this window, in time and memory proportional to T · window.

    Args:
        window: 1 or more, perhaps more than T.
    """
    ### BEGIN SOLUTION
    keys, values = (F.pad(part, (0, 0, window - 1, 0)).unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))
    first = torch.arange(k.shape[-2], device=k.device) - window + 1
    there = first[:, None] + torch.arange(window, device=k.device) >= 0
    return attend(q.unsqueeze(-2), keys, values, there[:, None]).squeeze(-2)
    ### END SOLUTION

# %% role="check"
grader.check("q5")

# %% [markdown]
# ### Read the page from left to right
#
# Now your functions read the page. A causal reader knows only the letters before. With a window it knows the last few of these: it forgets.
#
# **Before you run this.** A letter counts as read if the answer is nearest to the clean picture of that letter. The reader who sees all other letters gets 131 of 144 right, the causal reader 115. How many does a causal reader get with a window of the last
# 16 letters, a ninth of the page?

# %%
guess_window_letters = None   # type a number

# %%
reader_windows = (8, 16, 32)    # a knob: how long a memory reads as well as the whole past?
reader_softness = 10.0          # another: try 4 and 40. Which is worse, to trust too few letters or too many?

reader_q, reader_k = asking(page_noisy, reader_softness)


def letters_right(page: Float[Tensor, "144 256"]) -> int:
    # how many of the 144 are nearest to the clean picture of the right letter, of 20
    found = torch.cdist(page, page_stamps).argmin(1).tolist()
    return sum(page_kinds[i] == c for i, c in zip(found, page_text, strict=True))


causal_read = attend(reader_q, reader_k, page_noisy, causal_mask(144) & not_itself)
rows = [
    ("all others", 144 * 144, letters_right(attend(reader_q, reader_k, page_noisy, not_itself)), "131", ""),
    ("all before", 144 * 144, letters_right(causal_read), "115", ""),
]
for window in reader_windows:
    # each letter meets the keys up to the letter before it; the first meets none
    window_read = F.pad(sliding_window_attention(reader_q[1:], reader_k[:-1], page_noisy[:-1], window), (0, 0, 1, 0))
    rows.append((f"the {window} before", 144 * window, letters_right(window_read), {8: "53", 16: "76", 32: "105"}.get(window), guess_window_letters if window == 16 else ""))
figure, ax = plot.subplots(width=8, height=2.5)
page_picture(ax, causal_read.detach(), "read from left to right: the first of each letter finds nobody like it")
plt.show()
plot.table(rows, header=("a letter sees", "scores", "letters right, of 144", "expected", "your guess"))

# %% [markdown]
# The first letters stay dark or wrong, as nobody like them came before; later ones come out clean. With a window of 16 there are 9 times fewer scores, but 39 more letters are lost: those whose like came last more than 16 letters ago. (Over six noises: 127 to 139 and
# 112 to 118; windows 50 to 56, 76 to 81, 98 to 107.) With softness 4 as many are right, though each trusts one or two others and keeps their noise. With 40 unlike letters mix in, and the causal reader gets 71.
#
# ### Find the bug
#
# A colleague's version of your class has outputs of the right shape, and its loss falls faster than yours. The figure shows in yellow which outputs $i$ move when input $j$ is changed; above the diagonal each of these is a leak. Which line is wrong?

# %% role="given"
class ColleaguesAttention(CausalSelfAttention):
    def forward(self, x: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        n, t, _ = x.shape
        q = self.to_q(x).view(n, self.n_heads, t, self.head_dim)
        k = self.to_k(x).view(n, self.n_heads, t, self.head_dim)
        v = self.to_v(x).view(n, self.n_heads, t, self.head_dim)
        mask = torch.ones(t, t, dtype=torch.bool, device=x.device).tril()
        answers = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(answers.transpose(1, 2).reshape(n, t, -1))


def influence(layer: nn.Module, x: Float[Tensor, "1 T D"]) -> Float[Tensor, "T T"]:
    # 1 where output i (row) moves when input j (column) is changed, 0 where not a bit of it does
    moved = torch.zeros(x.shape[1], x.shape[1])
    with torch.no_grad():
        for j in range(x.shape[1]):
            other = x.clone()
            other[:, j] += 1
            moved[:, j] = (layer(other) != layer(x)).any(-1)[0].float()
    return moved

# %%
torch.manual_seed(0)
leak_x = torch.randn(1, 16, 32, generator=dgm.generator(1))
figure, axes = plot.subplots(1, 2, width=8, height=3.8)
for ax, layer, words in ((axes[0], CausalSelfAttention(32, 4, 2), "yours"), (axes[1], ColleaguesAttention(32, 4), "your colleague's")):
    leak_map = influence(layer, leak_x)
    plot.heatmap(leak_map, xlabel="input j", ylabel="output i", vmin=0, vmax=1, colorbar=False, ax=ax, title=f"{words}: {int(leak_map.triu(1).sum())} leaks")
plt.show()
plot.table(
    [(heads, sum(p.numel() for p in CausalSelfAttention(512, 8, heads).parameters()), 2 * heads * 64) for heads in (8, 2, 1)],
    header=("heads of keys and values, of 8", "parameters at dim 512", "numbers kept per token"),
)

# %% [markdown]
# The mask is right. But `view(n, heads, t, ...)` cuts the numbers of a sequence in the order in which they lie in memory, token by token. So its "head 0" holds all heads of the first tokens, and the mask orders something that is not time. A model with a leak looks
# wonderful until it has to write, when there is no later token to look at.
#
# The table says why grouped attention is in use: with two of eight heads, a quarter of the memory while a text is written.
#
# **What to remember**
# - Attention is a weighted mean of values; weights come from likeness of queries and keys, over what the mask allows.
# - Change a later input, and no earlier output may move, not by one bit. Test that, not shapes.
# - Fewer heads of keys and values save memory; a window saves time, and forgets.
#
# `CausalSelfAttention` is the heart of the model in the next question.

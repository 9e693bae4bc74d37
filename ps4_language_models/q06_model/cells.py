# %% [markdown]
# A photograph, as 256 tokens of 8×8 pixels, goes through 32 layers that were never trained. How must layers be stacked, so that the last one can still see it?

# %%
model_photo = data.patches(data.photo("flower", 128), 8).flatten(1)   # (256, 64)
model_photo = (model_photo - model_photo.mean()) / model_photo.std()


def stand_in(x: Float[Tensor, "T 64"], seed: int, size: float = 0.5) -> Float[Tensor, "T 64"]:
    # a layer with random weights; for inputs of size 1 its outputs have about this size
    draws = dgm.generator(seed)
    w_in, w_out = torch.randn(64, 256, generator=draws) / 8, torch.randn(256, 64, generator=draws) / 16
    return size * math.sqrt(2) * F.relu(x @ w_in) @ w_out


def unit(x: Float[Tensor, "T 64"]) -> Float[Tensor, "T 64"]:
    return F.rms_norm(x, (64,))


model_ways = {
    "f(norm(x))": lambda x, seed: stand_in(unit(x), seed, 1.0),
    "norm(x + f(x))": lambda x, seed: unit(x + stand_in(x, seed)),
    "x + f(norm(x))": lambda x, seed: x + stand_in(unit(x), seed),
}
figure, axes = plot.subplots(3, 5, width=9, height=5.8)
for row, (words, way) in zip(axes, model_ways.items(), strict=True):
    x, left = model_photo, list(row)
    for depth in range(33):
        if depth in (0, 2, 8, 16, 32):
            ax, pixels = left.pop(0), x.reshape(16, 16, 8, 8).transpose(1, 2).reshape(128, 128)
            ax.imshow((pixels - pixels.mean()) / pixels.std(), cmap="gray", vmin=-2.2, vmax=2.2)
            ax.set(xticks=[], yticks=[], ylabel=words if depth == 0 else "", title=f"{depth} layers")
        x = way(x, depth)
figure.suptitle("Only a sum that is never normalised keeps the picture")
plt.show()

# %% [markdown]
# Each layer $f$ adds something of size $s$ that has nothing to do with the picture. In the third row the picture stays what it was, and beside it $L$ additions pile up. Its share of the variance is $1/(1+Ls^2)$: one ninth for $L=32$, $s=\frac12$. In the second row the sum is divided back to
# size 1 after *every* layer, picture included. The share is $(1+s^2)^{-L}$, less than a thousandth. (Over six draws of the layers we measured 0.10 to 0.18 in the third row, and less than 0.01 in the second.) In the first row there is no sum at all. Gradients walk the same paths backwards.
#
# A **block** holds two layers, attention (Question 5) and SwiGLU (Question 3), each with a norm of its own. Today the norm is mostly put before the layer, *pre-norm*. In the first transformers it stood behind the sum, *post-norm*:
#
# $$\text{pre: }\ \begin{aligned}h&=x+\text{attention}(\text{norm}_1(x))\\y&=h+\text{swiglu}(\text{norm}_2(h))\end{aligned}\qquad\quad\text{post: }\ \begin{aligned}h&=\text{norm}_1(x+\text{attention}(x))\\y&=\text{norm}_2(h+\text{swiglu}(h))\end{aligned} \tag{6.1}$$
#
# A **model** looks up a row of its embedding for each token, sends it through the blocks and one last norm (the sum has grown), and takes dot products with $V$ rows of a *head*: the logits. A *tied* head uses those of the embedding.
#
# ### Count before you run
#
# How large may a model be, and how long will it take? **Parameters** are all entries of matrices, embedding and norms. **Operations** are multiplications and additions: a matrix of $n\times m$ entries costs $2nm$ for each token. Attention has products without parameters, too: $T$ queries meet
# $T$ keys in all heads, and the weights meet $T$ values. (All $T^2$ pairs are counted, masked or not.) Looking up is free. Norms, softmax, gates and sums cost little and are left out.
#
# Take a small model, `Config(vocab=10, dim=4, n_layers=1, n_heads=2, n_kv_heads=1, context=8, hidden=8)`, tied. Attention has $16+8+8+16$ weights, SwiGLU $3\cdot32$, norms 12, the embedding 40: 196 parameters. For three tokens, the matrices and the head cost $2\cdot3\cdot(144+40)$, scores and means $4\cdot3\cdot3\cdot4$: 1,248 operations.
#
# **On paper:** let a text grow.
#
# 1. At which $T$ do scores and means cost as many operations as all the rest?
# 2. While a model writes, it keeps the keys and values of all tokens. At which $T$ are these as many numbers as the model has parameters?
#
# For the small model the answers are 23 and 49.
#
# Write the two `forward`s of (6.1) and of the model, then the counts as formulas.

# %% role="given"
from typing import NamedTuple


class Config(NamedTuple):
    """The shape of a model: ``GPT(*config)``."""

    vocab: int
    dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    context: int
    hidden: int   # the width inside SwiGLU
    tied: bool = True

# %% role="answer"
class Block(nn.Module):
    """One block (6.1), pre-norm or post-norm."""

    def __init__(self, dim: int, n_heads: int, n_kv_heads: int | None = None, hidden: int | None = None, post_norm: bool = False) -> None:
        super().__init__()
        hidden = hidden or 8 * round(dim / 3)
        self.post_norm, self.norm1, self.norm2 = post_norm, RMSNorm(dim), RMSNorm(dim)
        self.attention = CausalSelfAttention(dim, n_heads, n_kv_heads)
        self.w1, self.w2, self.w3 = (nn.Linear(*sizes, bias=False) for sizes in ((dim, hidden), (hidden, dim), (dim, hidden)))

    def forward(self, x: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        """y of (6.1). SwiGLU has the weights of w1, w2 and w3."""
        ### BEGIN SOLUTION
        weights = self.w1.weight, self.w2.weight, self.w3.weight
        if self.post_norm:
            h = self.norm1(x + self.attention(x))
            return self.norm2(h + swiglu(h, *weights))
        h = x + self.attention(self.norm1(x))
        return h + swiglu(self.norm2(h), *weights)
        ### END SOLUTION


class GPT(nn.Module):
    """A language model of pre-norm blocks.

    Args:
        context: the longest text that it is meant for; no weight depends on it.
        tied: without it the head has weights of its own.
    """

    def __init__(
        self, vocab: int, dim: int, n_layers: int, n_heads: int, n_kv_heads: int | None = None, context: int = 256,
        hidden: int | None = None, tied: bool = True,
    ) -> None:
        super().__init__()
        self.context, self.embedding, self.norm = context, nn.Embedding(vocab, dim), RMSNorm(dim)
        self.blocks = nn.ModuleList(Block(dim, n_heads, n_kv_heads, hidden) for _ in range(n_layers))
        self.head = None if tied else nn.Linear(dim, vocab, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        """The logits, for texts of any length; a tied head trains the embedding, too."""
        ### BEGIN SOLUTION
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return x @ self.embedding.weight.T if self.head is None else self.head(x)
        ### END SOLUTION

# %% role="answer"
def count_parameters(config: Config) -> int:
    """How many numbers ``GPT(*config)`` learns, without making it."""
    ### BEGIN SOLUTION
    keys = config.dim // config.n_heads * config.n_kv_heads
    matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden
    return config.n_layers * (matrices + 2 * config.dim) + config.dim + (2 - config.tied) * config.vocab * config.dim
    ### END SOLUTION


def count_flops(config: Config, length: int) -> int:
    """Operations of one forward pass of one text of this length, as the text counts them."""
    ### BEGIN SOLUTION
    used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim
    matrices = used_once if config.tied else used_once - config.vocab * config.dim
    return 2 * length * matrices + 4 * config.n_layers * length**2 * config.dim
    ### END SOLUTION


def balance_lengths(config: Config) -> tuple[float, float]:
    """Your derivation: the two lengths asked for, not rounded."""
    ### BEGIN SOLUTION
    pairs = 4 * config.n_layers * config.dim
    rest = count_flops(config, 1) - pairs
    kept = 2 * config.n_layers * config.n_kv_heads * (config.dim // config.n_heads)
    return rest / pairs, count_parameters(config) / kept
    ### END SOLUTION

# %% role="check"
grader.check("q6")

# %% [markdown]
# ### Where do the operations go?
#
# Three sizes of GPT-2, with SwiGLU and a head of their own, and a newer model with grouped attention.
#
# **Before you run this.** In the largest GPT-2, scores and means take 7 % of the operations for a text of 1,024 tokens. How many per cent for 16,384?

# %%
guess_attention_share = None   # type a number, in per cent

# %%
model_shapes = {   # a knob: in the last row, make n_kv_heads 32, then 1. Which columns change?
    "GPT-2 small": Config(50257, 768, 12, 12, 12, 1024, 3072, tied=False),
    "GPT-2 medium": Config(50257, 1024, 24, 16, 16, 1024, 4096, tied=False),
    "GPT-2 XL": Config(50257, 1600, 48, 25, 25, 1024, 6400, tied=False),
    "Llama 3 8B": Config(128256, 4096, 32, 32, 8, 8192, 14336, tied=False),
}
model_long = 16384   # another: at which length is half of the work attention?


def attention_share(config: Config, length: int) -> float:
    # twice the length would be twice the work, were it not for the pairs: what is more is 2 pairs(T)
    return (count_flops(config, 2 * length) - 2 * count_flops(config, length)) / (2 * count_flops(config, length))


model_lengths = [2**i for i in range(8, 18)]
plot.curves(
    {name: (model_lengths, [100 * attention_share(config, n) for n in model_lengths]) for name, config in model_shapes.items()},
    xlabel="tokens in the text", ylabel="per cent of the operations", title="Pairs of tokens: a small part of a short text, most of a long one", logx=True,
    reference={"half": 50},
)
plt.show()
plot.table(
    [
        (name, f"{count_parameters(config) / 1e6:,.0f} M", f"{16 * count_parameters(config) / 1e9:.1f} GB", f"{count_flops(config, 1024) / 1e12:.2f} T",
         f"{100 * attention_share(config, 1024):.1f} %", f"{100 * attention_share(config, model_long):.1f} %", *(f"{n:,.0f}" for n in balance_lengths(config)))
        for name, config in model_shapes.items()
    ],
    header=("", "parameters", "to train", "operations at 1,024", "pairs at 1,024", f"pairs at {model_long:,}", "T₁", "T₂"),
)
plot.table([("GPT-2 XL, parameters", f"{count_parameters(model_shapes['GPT-2 XL']):,}", "2,127,057,600", ""),
            ("operations at 1,024 and 16,384, in T", " ".join(f"{count_flops(model_shapes['GPT-2 XL'], n) / 1e12:.2f}" for n in (1024, 16384)), "4.51 149.52", ""),
            ("share of pairs at 16,384, in per cent", f"{100 * attention_share(model_shapes['GPT-2 XL'], 16384):.1f}", "55.2", guess_attention_share)],
           header=("", "yours", "expected", "your guess"))

# %% [markdown]
# Pairs grow 256 times when a text grows 16 times, all the rest 16 times. So 7 % become 55 %, and the work is 33 times as large. The curve crosses 50 % at your $T_1$. (*To train* are 16 bytes for each parameter: itself, its gradient, and the two averages that Adam keeps, without anything that depends on the text.)
#
# ### The first loss
#
# A model that knows nothing should give each of $V$ tokens the same probability. Its loss is $\ln V$: the first number to check in any training run.
#
# **Before you run this.** The class draws its embedding with standard deviation 0.02. PyTorch's own choice is 1. What is the first loss then, with a tied head, dim 64 and $V=256$ ($\ln V=5.55$)?

# %%
guess_first_loss = None   # type a number

# %%
first_layers, first_dim = 2, 64   # a knob: 32 layers, or dim 256. How much of the trap is left?

first_ids = torch.randint(256, (8, 64), generator=dgm.generator(0))
first_stds = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@torch.no_grad()
def first_loss(std: float, tied: bool) -> tuple[float, float]:
    # the loss on random tokens, and the probability of "the same token once more"
    torch.manual_seed(0)
    model = GPT(256, first_dim, first_layers, 4, 2, tied=tied)
    model.embedding.weight.mul_(std / 0.02)
    log_p = model(first_ids).log_softmax(-1)
    return float(-log_p[:, :-1].gather(-1, first_ids[:, 1:, None]).mean()), float(log_p.gather(-1, first_ids[..., None]).exp().mean())


first_found = {tied: [first_loss(std, tied) for std in first_stds] for tied in (True, False)}
plot.curves(
    {words: (first_stds, [loss for loss, _ in first_found[tied]]) for words, tied in (("tied head", True), ("head of its own", False))},
    xlabel="standard deviation of the embedding", ylabel="first loss", reference={"ln V": math.log(256)}, title="A tied head with large rows is sure before it has learned", logx=True,
)
plt.show()
plot.table(
    [("0.02, tied", *first_found[True][1], "5.56", ""), ("1, tied", *first_found[True][-1], "61.8", guess_first_loss),
     ("1, a head of its own", *first_found[False][-1], "5.70", "")],
    header=("embedding", "first loss", "p(same token again)", "expected loss", "your guess"),
)

# %% [markdown]
# A tied head asks which row of the embedding is most like x. With large rows x is mostly the row of the token that was just read, and nothing is more like a row than itself: after the norm both have the length $\sqrt{64}=8$, and their dot product is 64. So the model is sure that every token comes
# twice, and pays about 64 nats wherever it does not (61.8 to 63.5 over six seeds). With small rows the layers outweigh the token, and no row stands out. A head of its own has never met the embedding, and does not fall for this.
#
# It starts at 5.70 and not at 5.55, since PyTorch draws it so that the logits have the variance $\frac13$, and normal logits of variance $v$ cost $\ln V+\frac v2$. A head of zeros would cost exactly $\ln V$, and some recipes start with one.
#
# **Why?** For GPT-2 XL, $T_1$ and $T_2$ agree within 4 %, though one counts operations and the other numbers. Why? What makes the difference, which is larger for small models? And why is $T_2$ about four times as long as $T_1$ in the last row? Answer in about six sentences.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# Nearly all parameters are entries of matrices. For each token such an entry is multiplied with one number, and the product is added to a sum: two operations. So the rest of the work is almost $2N$ for each token, with $N$ the number of parameters. The embedding is only looked up: a fifth of
# GPT-2 small, 4 % of XL. This is the difference (norms hardly count).
#
# A kept number is used in the same way. For a new token an entry of an old key is multiplied once, in a score, and an entry of an old value once, in a mean: two operations each. So where as many numbers are kept as learned, both kinds of work are equal, and $T_1\approx T_2$.
#
# With groups, four query heads use the same kept number. It is stored once and costs eight operations. $T_2$ becomes about four times as long, while $T_1$ follows the queries, which are as many as before.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Keep one path from the first layer to the last without a norm on it.
# - Two operations for each parameter and token, forwards; pairs of tokens come on top, and win in long texts.
# - Before training: is the first loss $\ln V$?
#
# Question 7 trains your `GPT`, and Question 8 lets it write.

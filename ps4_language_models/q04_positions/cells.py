# %% [markdown]
# A photograph as a sequence of 64 tokens, each a patch of 16×16 pixels. Which of these three does an attention layer see?

# %%
position_photo = data.photo("flower", 128)
position_tokens = data.patches(position_photo, 16).flatten(1)   # (64, 256)
position_order = torch.cat([torch.randperm(63, generator=dgm.generator(0)), torch.tensor([63])])


def patch_picture(tokens: Float[Tensor, "64 256"]) -> Float[Tensor, "128 128"]:
    # the photograph whose patches are these, row by row
    return tokens.reshape(8, 8, 16, 16).transpose(1, 2).reshape(128, 128)


figure, axes = plot.subplots(1, 3, width=9, height=3.2)
for ax, tokens, words in zip(
    axes, (position_tokens, position_tokens[position_order], position_tokens[torch.arange(62, -2, -1) % 64]),
    ("the photograph", "its patches, shuffled", "its patches, backwards"), strict=True,
):
    ax.imshow(patch_picture(tokens), cmap="gray", vmin=0, vmax=1)
    ax.set(title=words, xticks=[], yticks=[])
figure.suptitle("The last patch is the same in all three. So is what attention answers there.")
plt.show()

# %% [markdown]
# All three. Attention is a weighted mean: for token $t$ with query $q_t$ it is $\sum_j w_{tj}v_j$, with $w_{tj}\propto e^{q_t\cdot k_j}$. A sum does not know the order of its terms, and nothing in $q$, $k$ or $v$ says where a token
# stands. To such a layer *dog bites man* and *man bites dog* are the same three words.
#
# Two remedies are in use: write the position *into* the token, or *turn* queries and keys by it.
#
# ### A clock with many hands
#
# A clock tells times apart over twelve hours and to the second, because its hands turn at different speeds. Give a position $p$ the same kind of code: $D/2$ hands, each a point on a circle. Hand $i$ turns by $\theta_i$ per token, the first by
# one radian, each further one more slowly by the same factor:
#
# $$\text{code}(p)=(\sin p\theta_0,\cos p\theta_0,\sin p\theta_1,\cos p\theta_1,\dots),\qquad\theta_i=\text{base}^{-2i/D},\quad i=0,\dots,D/2-1. \tag{4.1}$$
#
# With $D=4$ and base 10,000 the hands turn by $1$ and $0.01$, so $\text{code}(1)=(0.841,0.540,0.010,1.000)$. The first transformer added this code to its tokens, once, before the first layer. Many later ones added a *learned* table instead,
# with one row for each position of the longest text in training. It has no row for the next one.
#
# ### Turn instead of add
#
# **RoPE** leaves the token alone, and turns each pair $(x_{2i},x_{2i+1})$ of a query or key by the angle $p\theta_i$, as the hand turns:
#
# $$(x_{2i},x_{2i+1})\mapsto(x_{2i}\cos p\theta_i-x_{2i+1}\sin p\theta_i,\ \ x_{2i}\sin p\theta_i+x_{2i+1}\cos p\theta_i). \tag{4.2}$$
#
# For example, $(1,0,1,0)$ becomes $(0.540,0.841,1.000,0.010)$ at position 1. Turning changes no length. And the angle between two turned arrows depends only on the *difference* of their turns. So the score of a query at position 57 and a key at
# position 50 is that of a query at 7 and a key at 0. Whatever a head learns about "seven back" holds everywhere in the text.
#
# ### A longer text than in training
#
# A model was trained on $L$ tokens and shall read $s L$. The fast hands have gone round many times and have been seen at every angle. The slowest one has not made a full turn, and beyond $L$ it shows angles which the model never met. The idea: change the *base*,
# so that the slowest hand turns $s$ times more slowly, and the fastest exactly as before.
#
# **On paper:** write down $\theta_0$ and the last $\theta$ of (4.1). Which base does that? For $D=4$ and base 10,000, $s=2$ gives 40,000.
#
# The last function asks for a counterexample. One layer of causal attention without positions answers the last token of `ids`. Find another order of the same tokens with the same answer.

# %% role="answer"
def sinusoidal(positions: Float[Tensor, "T"] | Int[Tensor, "T"], dim: int, base: float = 10000.0) -> Float[Tensor, "T dim"]:
    """The codes (4.1) of positions, sines at even places and cosines at odd ones.

    Args:
        positions: any numbers, in any order; negative ones and fractions too. Float64 positions give float64 codes.
        dim: even.
    """
    ### BEGIN SOLUTION
    positions = positions if positions.is_floating_point() else positions.float()
    speeds = base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)
    angles = positions[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    ### END SOLUTION


def rope(x: Float[Tensor, "*batch T D"], positions: Float[Tensor, "T"] | Int[Tensor, "T"], base: float = 10000.0) -> Float[Tensor, "*batch T D"]:
    """x with its pairs turned, as (4.2) says; row t stands at ``positions[t]``. Differentiable in x.

    Args:
        x: any number of leading axes, D even. Float64 keeps its digits.
        positions: as in `sinusoidal`, which may be of use.
    """
    ### BEGIN SOLUTION
    sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)
    ### END SOLUTION


def stretched_base(base: float, dim: int, factor: float) -> float:
    """The base with which the slowest of dim/2 hands turns ``factor`` times more slowly; dim is even and at least 4."""
    ### BEGIN SOLUTION
    return base * factor ** (dim / (dim - 2))
    ### END SOLUTION


def look_alike(ids: Int[Tensor, "T"]) -> Int[Tensor, "T"]:
    """Another sequence of T tokens, after which a causal attention layer without positions gives the same answer at the last one.

    It differs from ids in at least one place. It must do for every choice of the layer's weights.

    Args:
        ids: T > 2; tokens may repeat, but those before the last are not all equal.
    """
    ### BEGIN SOLUTION
    return torch.cat([ids[:-1].roll(1), ids[-1:]])
    ### END SOLUTION

# %% role="check"
grader.check("q4")

# %% [markdown]
# ### What order leaves behind
#
# Given: attention layers with random weights. The table compares their answers at the last patch, for the photograph and for your reordering of it.

# %% role="given"
def random_layers(x: Float[Tensor, "T D"], depth: int, causal: bool, turn=lambda x: x) -> Float[Tensor, "T D"]:
    # x after attention layers with random weights (the same at each call); `turn` is applied to queries and keys
    generator = dgm.generator(7)
    for _ in range(depth):
        q, k, v = (x @ torch.randn(x.shape[-1], x.shape[-1], generator=generator).to(x) / math.sqrt(x.shape[-1]) for _ in range(3))
        x = x + F.scaled_dot_product_attention(turn(q)[None], turn(k)[None], v[None], is_causal=causal)[0]
    return x

# %%
places = torch.arange(64)
patches_here = 4 * (position_tokens - position_tokens.mean())
patches_there = patches_here[look_alike(places)]
rows = []
for words, depth, causal, add, turn, expected in (
    ("4 layers, no mask, no positions", 4, False, 0.0, lambda x: x, "0.00"),
    ("1 causal layer, no positions", 1, True, 0.0, lambda x: x, "0.00"),
    ("2 causal layers, no positions", 2, True, 0.0, lambda x: x, "not 0"),
    ("1 causal layer, your codes added", 1, True, sinusoidal(places, 256), lambda x: x, "not 0"),
    ("1 causal layer, your rope", 1, True, 0.0, lambda x: rope(x, places), "not 0"),
):
    answers = [random_layers(patches + add, depth, causal, turn)[-1] for patches in (patches_here, patches_there)]
    rows.append((words, f"{float((answers[0] - answers[1]).norm() / answers[0].norm()):.2f}", expected))
plot.table(rows, header=("", "relative change of the last answer", "expected"))

# %% [markdown]
# Without a mask, order is lost at any depth. With a causal mask, one layer still loses it, but two do not: each token of the second layer reads means over pasts that differ.
#
# ### Two heads on a long text
#
# Two heads are made by hand, with 8 hands and base 100, for texts of 64 tokens. The *previous-token head* wants the token one back. The *nearness head* wants the score $e^{-r/16}$ at distance $r$; least squares finds its query, and the
# score is right within 0.001 at all distances below 64. Now they read 256 tokens.
#
# **Before you run this.** How large is the largest score (without sign) of the nearness head at the distances 64 to 255?

# %%
guess_far_score = None   # type a number

# %%
longer = 4       # a knob: try 8. Which remedy gives way?
head_base = 100.0   # a knob: try 10000, with nearly all hands slow. Does the stretched base still help?

hands_key = torch.tensor([1.0, 0.0] * 8, dtype=torch.float64)
near_distances, all_distances = torch.arange(64), torch.arange(64 * longer)


def head_scores(query: Float[Tensor, "16"], distances: Float[Tensor, "R"], base: float) -> Float[Tensor, "R"]:
    # scores of a query at position 0 with keys that stand so far before it
    return rope(hands_key.expand(len(distances), 16), -distances, base) @ query


turned_keys = rope(hands_key.expand(64, 16), -near_distances, head_base)
nearness_query = torch.linalg.solve(turned_keys.T @ turned_keys + 1e-8 * torch.eye(16).double(), turned_keys.T @ torch.exp(-near_distances.double() / 16))
previous_query = rope(hands_key[None], torch.tensor([-1]), head_base)[0] / 8
rows, nearness_curves = [], {"wanted": torch.exp(-all_distances / 16.0)}
for words, shrink, base, expected in (
    ("as trained", 1, head_base, "1 back; 8.4"),
    (f"positions divided by {longer}", longer, head_base, "4 back; 0.4"),
    ("base stretched", 1, stretched_base(head_base, 16, longer), "1 back; 0.6"),
):
    previous, nearness_curves[words] = (head_scores(query, all_distances / shrink, base) for query in (previous_query, nearness_query))
    far = float(nearness_curves[words][64:].abs().max())
    rows.append((words, f"{int(previous.argmax())} back", f"{far:.1f}", expected, guess_far_score if words == "as trained" else ""))
figure, ax = plot.subplots(width=9, height=3.2)
plot.curves(nearness_curves, xlabel="distance", ylabel="score of the nearness head", ax=ax, title="Beyond 64 the slow hands show angles that were never trained")
ax.axvline(64, color="#999999", linewidth=1)
plt.show()
plot.table(rows, header=("", "previous-token head looks", "nearness head, largest", "expected for 4 and 100", "your guess"))

# %% [markdown]
# A head that is right within 0.001 ends far off, as nothing has ever tied down its slow hands at these angles. Dividing all positions shows only angles that it knows. But then the fast hands are slowed as well: the previous-token head looks four back. With
# a stretched base each head keeps what it needs, nearly: both remedies let the nearness head reach further than it wanted. With `longer = 8` its score reaches 1.2, with `head_base = 10000` it reaches 2.0 instead of 53. Stretching the base is a usual first step; models are
# then trained for a while on long texts.
#
# **What to remember**
# - Attention alone sees a set. A causal mask gives away some order, from the second layer on.
# - RoPE turns queries and keys, so that scores depend on distances only.
# - Fast hands tell neighbours apart, slow ones far tokens. A longer text is a problem of the slow ones.
#
# `rope` works inside each attention layer from the next question on.

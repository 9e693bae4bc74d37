# %% [markdown]
# Question 7 turned a digit into $7\times7$ tokens, each one of 64 codes. Its decoder makes a picture of *any* such tokens. Here are tokens drawn at random, tokens as frequent at each place as in real digits, and those of real digits.

# %%
token_vq = vq_model
token_pictures, token_digits = data.glyphs(dgm.budget(smoke=500, cpu=8000, gpu=8000))
token_new, token_new_digits = data.glyphs(1000, split="test")
token_train, token_held = token_vq.encode(token_pictures), token_vq.encode(token_new)
token_draws = dgm.generator(0)
token_alone = torch.stack([token_train[torch.randint(len(token_train), (20,), generator=token_draws), i, j] for i in range(7) for j in range(7)], 1).view(20, 7, 7)
figure, axes = plot.subplots(3, 1, width=10, height=1.9)
for ax, name, ids in zip(axes, ("random", "one by one", "real"), (torch.randint(64, (20, 7, 7), generator=token_draws), token_alone, token_held[:20])):
    plot.images(token_vq.decode(ids), ncols=20, ax=ax)
    ax.text(-0.01, 0.5, name, transform=ax.transAxes, ha="right", va="center", fontsize=10)
figure.suptitle("The decoder draws; the digit is in how the tokens go together", fontsize=12)
plt.show()

# %% [markdown]
# There are $64^{49}$ grids of tokens, and hardly any is a digit. What is missing is a **prior**, a law of the tokens. Draw from it, decode, and you have a new picture. A prior can draw one token at a time, as a language model does, or several at once, which is faster. Is it still the same law? A small world, in which the law is known, will tell.
#
# ### Row by row
#
# Read the grid like a page, $x_1,\dots,x_T$ with $T=HW$. The model sees a **start** token, then the tokens, and its logits at each place are about the *next* token:
#
# | it sees | start | $x_1$ | … | $x_{T-1}$ |
# |---|---|---|---|---|
# | and predicts | $x_1$ | $x_2$ | … | $x_T$ |
#
# It is **causal**: logits at a place depend on nothing to the right of it. The chain rule gives the bits of a grid,
#
# $$\text{bits}(x)=-\sum_{t=1}^{T}\log_2 p(x_t\mid x_{<t}). \tag{8.1}$$
#
# A model that knows nothing gives each token $1/K$, so it pays $T\log_2K$: here $49\cdot6=294$ bits.
#
# To draw from logits $\ell_k$, add independent **Gumbel noise** $g_k=-\log(-\log u_k)$, $u_k$ uniform, and take the largest $\ell_k+g_k$. It is $k$ with probability softmax$(\ell)_k$.

# %% role="answer"
def raster_bits(model, ids: Int[Tensor, "N H W"], start: int) -> Float[Tensor, "N"]:
    """(8.1) of each grid. Differentiable.

    Args:
        model: from tokens (N, T) to logits (N, T, K), causal.
    """
    ### BEGIN SOLUTION
    rows = ids.flatten(1)
    seen = F.pad(rows, (1, 0), value=start)[:, :-1]
    return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)
    ### END SOLUTION


def raster_sample(model, noise: Float[Tensor, "N H W K"], start: int) -> Int[Tensor, "N H W"]:
    """Draws grids, with Gumbel noise for each place and kind.

    Args:
        model: as above; it also takes the first L < T tokens.
    """
    ### BEGIN SOLUTION
    ids = torch.full((len(noise), 1), start, device=noise.device)
    for each in noise.flatten(1, 2).unbind(1):
        drawn = (model(ids)[:, -1] + each).argmax(-1)
        ids = torch.cat([ids, drawn[:, None]], 1)
    return ids[:, 1:].view(noise.shape[:3])
    ### END SOLUTION

# %% [markdown]
# ### Several at once
#
# A **masked** model is not causal. It sees a grid in which some tokens are replaced by a **mask** token, and predicts each of these from all that are left. To train it, hide much or little: draw $r$ uniformly in $[0,1)$ for each grid and mask $\lceil T\cos(\pi r/2)\rceil$ places, chosen at random.
#
# To draw, begin with masks alone and take $S$ steps. After step $i$, about $T\cos(\pi i/2S)$ masks are left: a few tokens in the first steps, many in the last, when most is known. Rounded down, and so that each step reveals at least one and leaves at least one for each later step,
#
# $$n_i=\max\bigl(S-i,\ \min(n_{i-1}-1,\ \lfloor T\cos(\pi i/2S)\rfloor)\bigr),\qquad n_0=T. \tag{8.2}$$
#
# Eight steps for 64 tokens leave 62, 59, 53, 45, 35, 24, 12, 0 masks.
#
# Each step asks the model once. It draws a token $x_t$ at *every* masked place, keeps those of which the model is surest and forgets the others. How sure it is of a drawn token is
#
# $$c_t=\log p(x_t)+\tau\,(1-i/S)\,g_t, \tag{8.3}$$
#
# with Gumbel noise $g_t$ and a temperature $\tau$: 0 keeps the likeliest tokens, a huge $\tau$ keeps tokens at places chosen at random (MaskGIT, Chang et al., 2022).
#
# **On paper:** two coins, independent, with $p(1)=0.6$ each, and a perfect model. Draw them by (8.2) with $S=2$ and $\tau=0$. What is the probability of $(1,1)$?

# %% role="answer"
def masked_loss(model, ids: Int[Tensor, "N T"], r: Float[Tensor, "N"], u: Float[Tensor, "N T"], mask: int) -> Float[Tensor, ""]:
    """Mean of -log p, in nats, over all masked places of the batch. Differentiable.

    Args:
        model: from tokens (N, T) to logits (N, T, K).
        r: one for each grid, in [0, 1).
        u: in each row all different; its smallest ones say which places are masked.
    """
    ### BEGIN SOLUTION
    hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]
    return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden])
    ### END SOLUTION


def masks_left(tokens: int, steps: int) -> list[int]:
    """(8.2): n_1 to n_S, for T = tokens and 1 <= S = steps <= T."""
    ### BEGIN SOLUTION
    left = [tokens]
    for i in range(1, steps + 1):
        wanted = math.floor(tokens * math.cos(math.pi * i / (2 * steps)))
        left.append(max(steps - i, min(left[-1] - 1, wanted)))
    return left[1:]
    ### END SOLUTION


def unmask(
    model, ids: Int[Tensor, "N T"], left: list[int], temperature: float, draws: Float[Tensor, "S N T K"], order: Float[Tensor, "S N T"], mask: int
) -> Int[Tensor, "N T"]:
    """Fills in the masks of ids in S steps. Step i asks the model once, and leaves left[i-1] masks in each row. Other tokens stay.

    Args:
        model: as above.
        ids: each row has the same number of masks, more than left[0].
        left: falling; it need not end at 0.
        draws: Gumbel noise that draws the tokens.
        order: the g of (8.3). Equally sure tokens: keep any, but as many as left says.
    """
    ### BEGIN SOLUTION
    for i, n in enumerate(left):
        logits = model(ids)
        drawn = (logits + draws[i]).argmax(-1)
        sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]
        rank = sure.masked_fill(ids != mask, math.inf).argsort(1).argsort(1)
        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)
    return ids
    ### END SOLUTION

# %% role="check"
grader.check("q8")

# %% [markdown]
# ### A world with a known law
#
# Pictures of $2\times3$ black or white pixels: neighbours like to be equal, black is a little likelier. There are 64, so everything can be counted. `KnownLaw` is a prior without error, of either kind. **Total variation** is half the sum of all $|\hat p(x)-p(x)|$: 0 for the same law, 1 if they share nothing.
#
# In one step, the pixels are drawn as if they were independent: 0.34. **Before you run this:** how far off is it at $\tau=0$ in six steps, one pixel each?

# %% role="given"
def gumbel(*shape: int, generator: torch.Generator) -> Float[Tensor, "..."]:
    """Gumbel noise."""
    return -(-torch.rand(shape, generator=generator).clamp(1e-20).log()).log()


def fill_in(model, ids: Int[Tensor, "N T"], steps: int, temperature: float, kinds: int, generator: torch.Generator) -> Int[Tensor, "N T"]:
    """Your masked sampler from tokens of which some, in each row equally many, are the mask `kinds`; with fresh noise."""
    left = masks_left(int((ids[0] == kinds).sum()), steps)
    return unmask(model, ids, left, temperature, gumbel(steps, *ids.shape, kinds, generator=generator), gumbel(steps, *ids.shape, generator=generator), kinds)


class KnownLaw:
    """The perfect prior for a law: `law` (M,) of `grids` (M, T) with K kinds of tokens. `raster` sees start, x_1, …; `masked` sees masks. Both extra tokens are K."""

    def __init__(self, law: Float[Tensor, "M"], grids: Int[Tensor, "M T"], K: int):
        T = grids.shape[1]
        self.K, self.powers = K, (K + 1) ** torch.arange(T)
        states = torch.cartesian_prod(*[torch.arange(K + 1)] * T).view(-1, T)
        fits = ((states[:, None] == grids) | (states[:, None] == K)).all(-1) * law
        table = torch.einsum("sm,mtk->stk", fits, F.one_hot(grids, K).to(law)).log()
        self.table = table[(states * self.powers).sum(1).argsort()]

    def masked(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T K"]:
        return self.table[(ids * self.powers).sum(1)]

    def raster(self, ids: Int[Tensor, "N L"]) -> Float[Tensor, "N L K"]:
        T = len(self.powers)
        return torch.stack([self.masked(F.pad(ids[:, 1 : t + 1], (0, T - t), value=self.K))[:, t] for t in range(ids.shape[1])], 1)

# %%
guess_sure, guess_coins = None, None   # type numbers: the total variation, and your probability of (1, 1)

# %%
known_pull, known_middle = 1.0, 3.0   # two knobs: how much neighbours like to be equal (0: not at all; which curve is at 0 then?), and another temperature

known_grids, known_n = torch.cartesian_prod(*[torch.arange(2)] * 6), dgm.budget(smoke=2000, cpu=100_000, gpu=100_000)
known_page, known_draws = known_grids.view(-1, 2, 3), dgm.generator(0)
known_equal = (known_page[:, 1:] == known_page[:, :-1]).sum((1, 2)) + (known_page[:, :, 1:] == known_page[:, :, :-1]).sum((1, 2))
known_law = (known_pull * known_equal + 0.5 * (known_page == 0).sum((1, 2))).softmax(0)
known_prior = KnownLaw(known_law, known_grids, 2)


def known_gap(ids: Int[Tensor, "N 6"]) -> float:
    found = torch.bincount((ids * 2 ** torch.arange(5, -1, -1)).sum(1), minlength=64) / len(ids)
    return float((found - known_law).abs().sum() / 2)


known_raster = known_gap(raster_sample(known_prior.raster, gumbel(known_n, 2, 3, 2, generator=known_draws), 2).flatten(1))
known_curves = {}
for name, temperature in (("τ = 0", 0.0), (f"τ = {known_middle:g}", known_middle), ("random order (τ = 10⁶)", 1e6)):
    known_curves[name] = [known_gap(fill_in(known_prior.masked, torch.full((known_n, 6), 2), steps, temperature, 2, known_draws)) for steps in range(1, 7)]
coin_grids = torch.cartesian_prod(torch.arange(2), torch.arange(2))
coin_prior = KnownLaw(torch.tensor([0.4, 0.6])[coin_grids].prod(1), coin_grids, 2)
coin_both = [float(fill_in(coin_prior.masked, torch.full((known_n, 2), 2), steps, 0.0, 2, known_draws).all(1).float().mean()) for steps in (1, 2)]

figure, (left, right) = plot.subplots(1, 2, width=10, height=3.2)
for (name, values), color in zip(known_curves.items(), plot.COLORS):
    left.plot(range(1, 7), values, "o-", color=color, label=name)
left.axhline(known_raster, color="0.4", linestyle="--", linewidth=1, label="row by row, 6 steps")
left.set(xlabel="steps", ylabel="total variation", ylim=(0, None), title="More steps: right in random order alone")
left.legend(fontsize=8)
known_best = known_law.argsort(descending=True)[:8]
known_sure = fill_in(known_prior.masked, torch.full((known_n, 6), 2), 6, 0.0, 2, known_draws)
known_share = torch.bincount((known_sure * 2 ** torch.arange(5, -1, -1)).sum(1), minlength=64) / known_n
plot.bars({"law": known_law[known_best], "drawn, τ = 0": known_share[known_best]}, labels=["".join("■□"[k] for k in row[:3]) + "\n" + "".join("■□"[k] for k in row[3:]) for row in known_grids[known_best].tolist()],
          title="The likeliest pictures, six steps: the sure get surer", ax=right)
plt.show()
plot.table([
    ("row by row", known_raster, "0.01", None), ("τ = 0, one step", known_curves["τ = 0"][0], "0.34", None), ("τ = 0, six steps", known_curves["τ = 0"][-1], "0.38", guess_sure),
    ("random order, six steps", known_curves["random order (τ = 10⁶)"][-1], "0.01", None), ("two coins, one step: (1, 1)", coin_both[0], "0.36", None), ("two coins, two steps: (1, 1)", coin_both[1], "0.504", guess_coins),
], header=("", "found", "expected", "your guess"))

# %% [markdown]
# A digit as 49 whole numbers: each 4 × 4 patch is replaced by the nearest of 64 stored patches.

# %%
vq_train, vq_new = data.glyphs(dgm.budget(smoke=1000, cpu=8000, gpu=8000))[0], data.glyphs(1000, split="test")[0]


def vq_patches(pictures: Float[Tensor, "N 1 28 28"]) -> Float[Tensor, "M 16"]:
    # the 49 patches of each picture, one a row
    return F.unfold(pictures, 4, stride=4).transpose(1, 2).flatten(0, 1)


vq_rows, vq_draws = vq_patches(vq_train[:1000]), dgm.generator(0)
vq_tiles = vq_rows[torch.randperm(len(vq_rows), generator=vq_draws)[:64]]
for _ in range(10):   # k-means: each stored patch moves to the mean of the patches that are nearest to it
    vq_near = F.one_hot(torch.cdist(vq_rows, vq_tiles).argmin(1), 64).float()
    vq_tiles = torch.where(vq_near.sum(0)[:, None] > 0, vq_near.T @ vq_rows / vq_near.sum(0)[:, None].clamp(min=1), vq_tiles)
vq_tile_ids = torch.cdist(vq_patches(vq_new), vq_tiles).argmin(1)
vq_tiled = F.fold(vq_tiles[vq_tile_ids].unflatten(0, (-1, 49)).transpose(1, 2), 28, 4, stride=4)
plot.images(torch.cat([vq_new[:16], vq_tile_ids.view(-1, 1, 7, 7)[:16].repeat_interleave(4, 2).repeat_interleave(4, 3) / 63, vq_tiled[:16]]), ncols=16,
            suptitle="New digits (above), their 49 numbers as greys, and what 64 stored patches make of these")
plt.show()

# %% [markdown]
# The numbers are **tokens**, but the patches meet badly: each knows nothing of its neighbours. A **VQ-VAE** replaces vectors instead. An encoder makes 7 × 7 of them, each of which has seen its surroundings, and a decoder paints from all of them. In between, each vector $z$ becomes the nearest entry of
# a codebook $c_1,\dots,c_K$:
#
# $$q=c_k,\qquad k=\arg\min_j\lVert z-c_j\rVert^2. \tag{7.1}$$
#
# With the entries 0 and 4, $z=1.5$ becomes 0.
#
# **A choice has no gradient.** Move $z$ a little, and $q$ stays: the encoder would never learn. *Straight-through* pretends that nothing was chosen. Let $\mathrm{sg}$ mark a constant of autograd (`detach`):
#
# $$z+\mathrm{sg}(q-z) \tag{7.2}$$
#
# has the value $q$, and hands the decoder's gradient to $z$ as it is, wherever $z$ lies. The *rotation trick* turns it along. With the rotation $R$ that takes $\hat z=z/\lVert z\rVert$ to $\hat q=q/\lVert q\rVert$,
#
# $$\mathrm{sg}\Big(\frac{\lVert q\rVert}{\lVert z\rVert}R\Big)\,z \tag{7.3}$$
#
# has the value $q$, too. From the gradient $g$ at $q$, $z$ gets $\frac{\lVert q\rVert}{\lVert z\rVert}R^\top g$: at the same angle to $z$ as $g$ is to $q$. For $z=(1,0)$, $q=(0,2)$, $g=(1,0)$, straight-through gives $(1,0)$, the rotation $(0,-2)$.
#
# **On paper.** $H_vx=x-2(v\cdot x)v$ reflects, for a unit vector $v$. Let $r$ be the unit vector along $\hat z+\hat q$. Check that $H_r$ takes $\hat z$ to $-\hat q$; so $R=H_{\hat q}H_r$. Multiply out until $Rx$ is $x$ plus a multiple of $r$ plus a multiple of $\hat q$, without any $D\times D$ matrix. `pass_through` needs it.
#
# **Two losses** keep entries near their vectors, and vectors near their entries. Means are over all numbers:
#
# $$L_\text{code}=\text{mean}\,(q-\mathrm{sg}(z))^2,\qquad L_\text{commit}=\beta\;\text{mean}\,(z-\mathrm{sg}(q))^2. \tag{7.4}$$
#
# For $z=1.5$, $q=0$, $\beta=\frac14$ they are 2.25 and 0.5625.
#
# **Moving means.** $L_\text{code}$ is smallest where each entry is the mean of the set $Z_k$ of its vectors. So entries can do without gradients: keep running counts and sums,
#
# $$n_k\leftarrow\gamma n_k+(1-\gamma)\,|Z_k|,\qquad s_k\leftarrow\gamma s_k+(1-\gamma)\sum_{z\in Z_k}z,\qquad c_k=\frac{s_k}{\tilde n_k},\qquad \tilde n_k=n\,\frac{n_k+\varepsilon}{n+K\varepsilon},\quad n=\sum_jn_j. \tag{7.5}$$
#
# With $\gamma=\frac12$, $\varepsilon=0$, count 2, sum 4 and the vectors 5 and 7: count 2, sum 8, entry 4. The smoothed $\tilde n_k$ is never 0. An entry that nobody chooses keeps its place while its count decays. Such **dead** entries can be revived at a vector of the batch. Usage is measured by the **perplexity** of shares $p_k$,
#
# $$\exp\Big(-\sum_kp_k\log p_k\Big),\quad\text{from 1 (one code) to }K\text{ (all equally often)}. \tag{7.6}$$
#
# **Draw instead of choosing.** If a code is to be *drawn*, from $\mathrm{softmax}(\ell)$: the largest of $\ell_k+g_k$ is such a draw, if $g=-\log(-\log u)$ with uniform $u$ for each $k$. Its soft version has a gradient, and becomes one-hot for $\tau\to0$:
#
# $$\mathrm{softmax}\big((\ell+g)/\tau\big). \tag{7.7}$$

# %% role="answer"
def nearest_code(z: Float[Tensor, "..."], codebook: Float[Tensor, "K D"], axis: int = -1) -> Int[Tensor, "..."]:
    """Index of the entry at the smallest distance (7.1), of several the first. A large offset common to z and codebook does no harm.

    Args:
        axis: of z, where the D numbers of a vector lie; the result lacks it. With axis=1, (N, D, H, W) gives (N, H, W).
    """
    ### BEGIN SOLUTION
    return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)
    ### END SOLUTION


def pass_through(z: Float[Tensor, "*batch D"], q: Float[Tensor, "*batch D"], kind: str) -> Float[Tensor, "*batch D"]:
    """q, up to rounding. Its gradient goes to z, and none to q.

    Args:
        kind: "straight_through" (7.2), or "rotation" (7.3). There, no vector is zero, and no two are opposite.
    """
    ### BEGIN SOLUTION
    if kind == "straight_through":
        return z + (q - z).detach()
    start, end = F.normalize(z.detach(), dim=-1), F.normalize(q.detach(), dim=-1)
    r, size = F.normalize(start + end, dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()
    return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))
    ### END SOLUTION


def vq_losses(z: Float[Tensor, "..."], q: Float[Tensor, "..."], beta: float) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Codebook loss and commitment loss (7.4)."""
    ### BEGIN SOLUTION
    return F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q.detach())
    ### END SOLUTION

# %% role="answer"
class MovingCodebook(nn.Module):
    """Entries that follow the vectors which choose them, (7.5). In eval mode nothing moves."""

    def __init__(self, codes: Float[Tensor, "K D"], decay: float = 0.99, eps: float = 1e-5):
        super().__init__()
        self.decay, self.eps = decay, eps
        self.register_buffer("codes", codes.clone())
        self.register_buffer("counts", torch.ones_like(codes[:, 0]))
        self.register_buffer("sums", codes.clone())

    @torch.no_grad()
    def update(self, z: Float[Tensor, "N D"], ids: Int[Tensor, "N"]) -> None:
        """(7.5) for a batch: row i of z has chosen entry ids[i]."""
        ### BEGIN SOLUTION
        if self.training:
            chosen = F.one_hot(ids, len(self.codes)).to(z)
            self.counts.lerp_(chosen.sum(0), 1 - self.decay)
            self.sums.lerp_(chosen.T @ z, 1 - self.decay)
            total = self.counts.sum()
            self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None])
        ### END SOLUTION

    @torch.no_grad()
    def revive(self, z: Float[Tensor, "N D"], picks: Int[Tensor, "K"], least: float = 1.0) -> None:
        """Each entry k whose count is below `least` begins anew at z[picks[k]], with count 1. The others stay."""
        ### BEGIN SOLUTION
        dead = (self.counts < least) & self.training
        self.codes[dead] = self.sums[dead] = z[picks[dead]]
        self.counts[dead] = 1
        ### END SOLUTION


def perplexity(ids: Int[Tensor, "..."], n_codes: int) -> Float[Tensor, ""]:
    """(7.6); n_codes is K. Codes that do not occur change nothing."""
    ### BEGIN SOLUTION
    return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp()
    ### END SOLUTION

# %% role="answer"
def gumbel_softmax(logits: Float[Tensor, "*batch K"], u: Float[Tensor, "*batch K"], tau: float, hard: bool = False) -> Float[Tensor, "*batch K"]:
    """(7.7), with u in (0, 1). If hard: one-hot at the largest of these, but with their gradient."""
    ### BEGIN SOLUTION
    soft = ((logits - (-u.log()).log()) / tau).softmax(-1)
    return pass_through(soft, F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft), "straight_through") if hard else soft
    ### END SOLUTION

# %% role="check"
grader.check("q7")

# %% role="given"
class GlyphVQVAE(nn.Module):
    """A 28 × 28 picture as 7 × 7 vectors of 16 numbers, each replaced by one of 64 codes, and back."""

    def __init__(self, codes: Float[Tensor, "64 16"]):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 16, 3, 1, 1), nn.BatchNorm2d(16, affine=False))
        self.decoder = nn.Sequential(
            nn.Conv2d(16, 32, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1)
        )
        self.codebook = MovingCodebook(codes)

    def forward(self, pictures: Float[Tensor, "N 1 28 28"], kind: str):
        """The picture rebuilt, and for each place (last axis: vectors) z, q and the code."""
        z = self.encoder(pictures).movedim(1, -1)
        ids = nearest_code(z.detach(), self.codebook.codes.detach())
        q = self.codebook.codes[ids]
        return self.decoder(pass_through(z, q, kind).movedim(-1, 1)), z, q, ids

    @torch.no_grad()
    def encode(self, pictures: Float[Tensor, "N 1 28 28"]) -> Int[Tensor, "N 7 7"]:
        """The codes of pictures."""
        return nearest_code(self.encoder(pictures), self.codebook.codes, axis=1)

    @torch.no_grad()
    def decode(self, ids: Int[Tensor, "N 7 7"]) -> Float[Tensor, "N 1 28 28"]:
        """The pictures of codes."""
        return self.decoder(self.codebook.codes[ids].movedim(-1, 1)).clamp(0, 1)


def trained_vqvae(seed: int = 0, kind: str = "straight_through", revive_every: int | None = 20, moving: bool = True, steps: int | None = None, spread: float = 1.0):
    """A `GlyphVQVAE` in eval mode, and its history: for each step (error, perplexity).

    Args:
        kind: of `pass_through`.
        revive_every: so many steps, in the first 80 per cent of them; None for never.
        moving: if not, the codebook follows the gradient of its loss.
        spread: standard deviation of the first entries; vectors have 1.
    """
    steps = steps or dgm.budget(smoke=20, cpu=1000, gpu=4000)
    pictures, draws = data.glyphs(dgm.budget(smoke=500, cpu=8000, gpu=8000))[0], dgm.generator(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GlyphVQVAE(spread * torch.randn(64, 16, generator=draws)).to(dgm.device()).train()
    codebook, learned = model.codebook, list(model.parameters())
    if not moving:
        learned.append(codebook.codes.requires_grad_())
    optimizer, history = torch.optim.Adam(learned, 2e-3), []
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.05)
    for step in range(steps):
        x = pictures[torch.randint(len(pictures), (64,), generator=draws)].to(dgm.device())
        rebuilt, z, q, ids = model(x, kind)
        error = F.mse_loss(rebuilt, x)
        of_codes, of_encoder = vq_losses(z, q, 0.25)
        optimizer.zero_grad()
        (10 * error + of_encoder + (0 if moving else of_codes)).backward()
        optimizer.step()
        schedule.step()
        if moving:
            rows = z.detach().flatten(0, -2)
            codebook.update(rows, ids.flatten())
            if revive_every and step % revive_every == 0 and step < 0.8 * steps:
                codebook.revive(rows, torch.randint(len(rows), (64,), generator=draws).to(rows.device))
        history.append((float(error.detach()), float(perplexity(ids, 64))))
    codebook.codes.requires_grad_(False)
    return model.cpu().eval(), history

# %% [markdown]
# ### Which codes are in use?
#
# In `GlyphVQVAE` vectors have variance 1, and so have the first entries. A second codebook begins four times as far out, and is never revived.
#
# **Before you run this** (about 50 s): how many of its 64 codes does the second run use?

# %%
guess_used = None   # type a number

# %%
vq_other = {"spread": 4.0, "revive_every": None}   # a knob: "revive_every": 20; or "spread": 1.0; "kind": "rotation"; "moving": False

vq_model, vq_history = trained_vqvae()
vq_models = {"revived": vq_model, "far out, never revived": trained_vqvae(**vq_other)[0]}
vq_expected, vq_facts, vq_shown = {"revived": "64, 39, 5.4", "far out, never revived": "6, 4.2, 12.5"}, [], [vq_new[:16]]
figure, (left, right) = plot.subplots(1, 2, width=10, height=4.3, width_ratios=(1, 1.35))
for name, model in vq_models.items():
    ids = model.encode(vq_new)
    rebuilt = model.decode(ids)
    shares = torch.bincount(ids.flatten(), minlength=64) / ids.numel()
    vq_facts.append((name, int((shares > 0).sum()), float(perplexity(ids, 64)), 1000 * float((rebuilt - vq_new).square().mean()), vq_expected[name], guess_used if model is not vq_model else None))
    vq_shown.append(rebuilt[:16])
    left.step(range(1, 65), 100 * shares.sort(descending=True).values, where="mid", label=name)
left.set(xlabel="code, by rank", ylabel="used for … per cent of places", title="Never revived, a few codes do it all")
left.legend()
plot.images(torch.cat([part[:8] for part in vq_shown]), ncols=8, ax=right)
right.set_title("Rows: new digits, revived, never revived")
plt.show()
plot.table(vq_facts, header=("new digits", "codes used", "perplexity", "1000 × error", "expected", "your guess"))

# %% [markdown]
# From a far start six codes do everything, and the error doubles. Over five seeds:
#
# |start|codebook|gradient|codes used|1000 × error|
# |---|---|---|---|---|
# |far|moving, never revived|straight|5–10|10.2–18.1|
# |far|moving, revived|straight|64|5.8–7.9|
# |near|moving, revived|straight|64|5.4–7.6|
# |near|moving, never revived|straight|55–59|5.6–7.5|
# |near|moving, revived|rotation|63–64|6.8–9.9|
# |near|by $L_\text{code}$|straight|49–60|7.3–9.1|
#
# Reviving repairs a bad start. After a good one, dead codes are few, and it hardly matters. The rotation, reported to help large models, had the larger error in each of 15 pairs of runs here. Does that make it worse?
#
# ### What do the codes cost?
#
# A picture costs $49\times6=294$ bits if each code costs 6. Frequent codes may cost less: a code of probability $p$ costs $\log_2\frac1p$ bits. Probabilities are counted on the training pictures, in one table for each of the 49 places, with ½ added to each count.
# Three rivals are counted the same way: stored patches; **PCA**, whose coefficients are rounded to multiples of a step, a table for each; and a VAE with the same layers, with 7 × 7 × 16 Gaussian numbers in place of codes, whose rate is its KL in bits. Errors are those of 1,000 new digits.

# %%
vq_vae_weight = 20.0   # a knob: of the squared error, beside the KL in nats. More weight: more bits


def vq_bits(seen: Int[Tensor, "N M"], new: Int[Tensor, "L M"]) -> float:
    # bits of a new row: each column by a table of its own, counted on the seen rows, plus 1/2
    low, total = torch.minimum(seen.amin(0), new.amin(0)), 0.0
    size = torch.maximum(seen.amax(0), new.amax(0)) - low + 1
    for i in range(seen.shape[1]):
        counts = torch.bincount(seen[:, i] - low[i], minlength=int(size[i])) + 0.5
        total -= float((counts / counts.sum()).log2()[new[:, i] - low[i]].mean())
    return total


def vq_error(pictures: Float[Tensor, "N 1 28 28"]) -> float:
    return 1000 * float((pictures.clamp(0, 1) - vq_new).square().mean())


def vq_gaussian(weight: float) -> tuple[float, float]:
    # bits and error of a VAE with a Gaussian code
    draws = dgm.generator(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        like = GlyphVQVAE(torch.zeros(64, 16))
        encoder, decoder = nn.Sequential(*like.encoder[:4], nn.Conv2d(32, 32, 3, 1, 1)), like.decoder
    steps, parameters = dgm.budget(smoke=10, cpu=800, gpu=4000), [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.05)

    def passed(x):
        mean, log_std = encoder(x).chunk(2, 1)
        kl = (0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std).sum((1, 2, 3))
        return decoder(mean + log_std.exp() * torch.randn(mean.shape, generator=draws)), kl

    for _ in range(steps):
        x = vq_train[torch.randint(len(vq_train), (64,), generator=draws)]
        rebuilt, kl = passed(x)
        optimizer.zero_grad()
        ((weight * (rebuilt - x).square().sum((1, 2, 3)) + kl).mean() / 784).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        rebuilt, kl = passed(vq_new)
    return float(kl.mean()) / math.log(2), vq_error(rebuilt)


vq_seen = torch.cat([vq_model.encode(part) for part in vq_train.split(1000)])
vq_ids, vq_mean = vq_model.encode(vq_new), vq_train.flatten(1).mean(0)
vq_chart = {
    "stored patches": (vq_bits(torch.cdist(vq_patches(vq_train), vq_tiles).argmin(1).view(-1, 49), vq_tile_ids.view(-1, 49)), vq_error(vq_tiled)),
    "VQ-VAE": (vq_bits(vq_seen.flatten(1), vq_ids.flatten(1)), vq_error(vq_model.decode(vq_ids))),
    "never revived": (vq_bits(*(torch.cat([vq_models["far out, never revived"].encode(part) for part in pictures.split(1000)]).flatten(1) for pictures in (vq_train, vq_new))), vq_facts[1][3]),
    "Gaussian VAE": vq_gaussian(vq_vae_weight),
}
vq_axes, vq_line = torch.linalg.eigh(torch.cov(vq_train.flatten(1).T))[1], []
for step in (0.6, 0.7, 0.8, 1.0, 1.2, 1.5):
    levels = [((part.flatten(1) - vq_mean) @ vq_axes / step).round().long() for part in (vq_train, vq_new)]
    vq_line.append((vq_bits(*levels), vq_error((levels[1] * step @ vq_axes.T + vq_mean).view(-1, 1, 28, 28))))
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8, width_ratios=(1.2, 1))
left.plot(*zip(*vq_line), ".-", color=plot.COLORS[0], label="PCA, six steps")
for (name, spot), color in zip(vq_chart.items(), plot.COLORS[1:]):
    left.plot(*spot, "o", color=color, label=name)
left.set(xlabel="bits a picture", ylabel="1000 × error", ylim=(0, None), title="More bits, smaller error: PCA is hard to beat")
left.legend()
vq_tables = torch.stack([torch.bincount(column, minlength=64) for column in vq_seen.flatten(1).T]).float()
plot.images(vq_model.decode(torch.multinomial(vq_tables, 24, replacement=True, generator=dgm.generator(0)).T.reshape(-1, 7, 7)), ncols=8, ax=right)
right.set_title("Codes drawn from the 49 tables: no digits")
plt.show()
vq_same = float(np.interp(vq_chart["VQ-VAE"][0], *zip(*reversed(vq_line))))
plot.table([(name, *spot, expected) for (name, spot), expected in zip([*vq_chart.items(), ("PCA at the VQ-VAE's bits", (vq_chart["VQ-VAE"][0], vq_same))], ["103, 12.4", "167, 5.4", "77, 12.5", "172, 7.5", "167, 6.0"])],
           header=("", "bits", "1000 × error", "expected"))
vq_pooled = math.log2(float(perplexity(vq_ids, 64)))
print(f"VQ-VAE with one table for all places, by the new digits' own shares: 49 × {vq_pooled:.2f} = {49 * vq_pooled:.0f} bits (expected 259)")

# %% [markdown]
# At equal bits the VQ-VAE and PCA are close: over five seeds three models lie below PCA's curve, two above it. The six codes have twice the error, but lie near the curve, too: they are cheap. The rotation's codes cost 130 to 145 bits, not 150 to 167, and two of its five models lie below the curve. The Gaussian VAE, after 800 steps,
# lies above (7.3 to 8.5 at 147 to 179 bits).
#
# Last, draws in place of choices.

# %%
vq_taus = (5.0, 1.0, 0.1)   # a knob

vq_logits, vq_u = torch.tensor([0.6, 0.3, 0.1]).log().expand(5000, 3), torch.rand(5000, 3, generator=dgm.generator(0)).clamp(min=1e-7)
vq_drawn = [(f"soft, τ = {tau:g}", gumbel_softmax(vq_logits, vq_u, tau)) for tau in vq_taus] + [("hard", gumbel_softmax(vq_logits, vq_u, 1.0, hard=True))]
plot.table([(name, *w.mean(0).tolist(), float(w.amax(1).mean())) for name, w in vq_drawn], header=("mean of 5,000 draws", "0.6", "0.3", "0.1", "mean of the largest"))

# %% [markdown]
# Soft means are biased towards $\frac13$; the hard ones are the probabilities, but their gradient is that of the soft ones: biased, too.
#
# **Why?** In the second run, many codes are never used. (a) Why does neither $L_\text{code}$ nor (7.5) bring a dead entry back? (b) Why does the rest of the training not help? (c) Reviving lowers the error, yet this alone does not make the revived model better. What must be compared?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) $L_\text{code}$ has no gradient by an entry that is no vector's $q$; in (7.5) its count and sum shrink by the same factor, so their ratio stays. (b) The commitment draws vectors to the entries they have chosen, and the decoder learns to paint from those. Nothing draws a vector to a far entry, and it stays the farther one.
# (c) More codes in use cost more bits. The errors belong to different rates: compare at equal bits, or both points with a curve such as that of PCA.
# ### END SOLUTION

# %% [markdown]
# **Remember.** A choice has no gradient, so choose what to pass in its place. Each loss moves one side. Count bits before you compare errors.
#
# Each table knows one place alone, so drawn codes are no digits. Question 8 learns which codes go together: that saves bits, and draws digits.

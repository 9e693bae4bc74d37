# %% [markdown]
# A picture as 49 whole numbers: each 4 × 4 patch is replaced by the most similar of 64 patches. Two pictures cannot be told apart by eye, others fall to pieces.

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
# TODO(author) text

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

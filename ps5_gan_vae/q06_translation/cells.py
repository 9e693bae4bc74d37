# %% [markdown]
# Two ways to make thin letters bold, and back:

# %% role="given"
def thin_and_bold(n: int, seed: int, split: str = "train") -> tuple[Tensor, Tensor, Tensor]:
    """n light letters (n, 1, 16, 16) in [-1, 1], their bold partners, and labels; A is 0."""
    letters, labels = data.glyphs(2 * n, seed=seed, size=32, classes="ABCDEFGHIJKLMNOPQRSTUVWXYZ", split=split)
    light = letters.mean((1, 2, 3)).argsort()[:n].sort().values
    thin = letters[light]
    bold = F.max_pool2d(thin, 3, stride=1, padding=1)
    return 2 * F.avg_pool2d(thin, 2) - 1, 2 * F.avg_pool2d(bold, 2) - 1, labels[light]

# %%
pair_thin, pair_bold, pair_labels = thin_and_bold(300, 0, "test")
pair_found = [(pair_labels == ord(each) - ord("A")).nonzero()[:, 0] for each in "TRANSLATION"]
pair_word = torch.stack([found[k % len(found)] for k, found in enumerate(pair_found)])


def pair_show(rows, title):
    """Named rows of letters."""
    figure, axes = plot.subplots(len(rows), 1, width=8, height=0.74 * len(rows))
    for ax, (name, pictures) in zip(axes, rows.items()):
        plot.images(pictures.clamp(-1, 1) / 2 + 0.5, ncols=len(pictures), ax=ax)
        ax.text(-0.01, 0.5, name, transform=ax.transAxes, ha="right", va="center", fontsize=10)
    figure.suptitle(title, fontsize=12)
    plt.show()


pair_start, pair_aim = pair_thin[pair_word], pair_bold[pair_word]
pair_show({"thin": pair_start, "one way": pair_aim, "another way": pair_aim.flip(3), "both return": pair_start}, "Both ways to bold return without an error. Which losses object to the second?")

# %% [markdown]
# With **pairs** the wrong way is easily seen: compare with the partner. Often there are none, as for photographs and paintings.
#
# **CycleGAN** needs two heaps of pictures. Critics ask whether a translation belongs to the other heap; the way back asks whether it kept the content. Is that enough? You build both kinds of
# training, and count the answers that satisfy every loss.
#
# ### A critic of patches
#
# Texture is local. So the critic gives a *map* of logits, and each sees one patch. A convolution with kernel $k$ widens the patch by $(k-1)$ times the product of all strides before it. Two layers with
# kernel 3 and stride 2 see $1+2+2\cdot2=7$ pixels, in patches 4 apart. You need 10, 4 apart. Beware of normalisation: means over the picture let each logit see everything.
#
# ### With pairs
#
# The critic sees input *and* output, as channels: a fine bold B is wrong for a thin A. An $L_1$ term pulls towards the partner $y$:
#
# $$\mathcal L(g)=\ell\big(D(x,g(x))\big)+\lambda\,\operatorname{mean}_{\text{hole}}|g(x)-y|,\qquad \ell(a)=\log(1+e^{-a}). \tag{6.1}$$
#
# Usually the hole is the whole picture. For **inpainting**, only its pixels count. An output 0.3 off in 4 hole pixels of 16 costs 0.3. Pasted first, and averaged over all, it would cost 0.075, and less
# in a smaller hole.
#
# ### Without pairs
#
# For $g:X\to Y$ and $h:Y\to X$,
#
# $$\mathcal L_{\text{cycle}}=|h(g(x))-x|+|g(h(y))-y|,\qquad \mathcal L_{\text{identity}}=|g(y)-y|+|h(x)-x|, \tag{6.2}$$
#
# means over all pixels. For $g(x)=2x$, $h(y)=y/2$ the cycle loss is 0; the identity loss of $x=y=1$ is $1.5$. The generators minimise
#
# $$\ell(D_Y(g(x)))+\ell(D_X(h(y)))+\lambda_c\mathcal L_{\text{cycle}}+\lambda_i\mathcal L_{\text{identity}}. \tag{6.3}$$
#
# Then both critics learn from real pictures and from what a `HistoryPool` returns for the fakes: half of those are older, so that a critic does not forget.
#
# **On paper:** heap $X$ has a few symbols, symbol $i$ of it $p_i$ times; $Y$ likewise, with $q_j$ and the same total. $g$ and $h$ may be any maps. How many pairs $(g,h)$ have cycle loss zero *and*
# translate each heap into one with the counts of the other? For $p=(2,1,1)$ and $q=(1,2,1)$ there are 2. Write the rule as `count_translators`.
#
# ### Your task

# %% role="given"
def loss_as_real(logits: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Small where logits say "real"."""
    return F.softplus(-logits).mean()


def loss_as_fake(logits: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Small where logits say "fake"."""
    return F.softplus(logits).mean()


class HistoryPool:
    """Keeps fakes. Once full, it swaps each new one for an old one with probability ½."""

    def __init__(self, size: int, generator: torch.Generator):
        self.size, self.generator, self.kept = size, generator, []

    def __call__(self, fakes: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        shown = []
        for fake in fakes:
            if len(self.kept) < self.size:
                self.kept.append(fake)
            elif torch.rand((), generator=self.generator) < 0.5:
                i = int(torch.randint(self.size, (), generator=self.generator))
                self.kept[i], fake = fake, self.kept[i]
            shown.append(fake)
        return torch.stack(shown)

# %% role="answer"
class PatchCritic(nn.Module):
    """Logits (N, 1, H/4, W/4) of pictures (N, channels, H, W); 4 divides H and W.

    Logit (i, j) sees rows 4i-3 … 4i+6 and columns 4j-3 … 4j+6 of its own picture, as far as they exist. Away from borders equal patches get equal logits. Not linear, not random.
    """

    def __init__(self, channels: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.net = nn.Sequential(
            nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),
        )
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N 1 H/4 W/4"]:
        return self.net(x)


def paired_loss(
    critic, x: Float[Tensor, "N A H W"], y: Float[Tensor, "N C H W"], fake: Float[Tensor, "N C H W"], weight: float, hole: Float[Tensor, "N 1 H W"] | None = None,
) -> Float[Tensor, ""]:
    """The generator's loss (6.1). critic gets x, then the picture, as A + C channels.

    hole: 1 where a pixel counts, else 0; None counts all. The mean is over all such pixels of the batch and their channels. The critic sees y outside the hole.
    """
    ### BEGIN SOLUTION
    hole = torch.ones_like(y[:, :1]) if hole is None else hole
    verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))
    return verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])
    ### END SOLUTION


def cycle_losses(g, h, x: Float[Tensor, "N C H W"], y: Float[Tensor, "M C H W"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Cycle and identity loss (6.2)."""
    ### BEGIN SOLUTION
    cycle = (h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()
    return cycle, (g(y) - y).abs().mean() + (h(x) - x).abs().mean()
    ### END SOLUTION


class CycleTrainer:
    """Adam (rate lr, betas (0.5, 0.9)): ``self.generators`` has g and h, ``self.critics`` both critics."""

    def __init__(self, g, h, critic_x, critic_y, pool_x, pool_y, lr: float, cycle_weight: float, identity_weight: float):
        self.g, self.h, self.critic_x, self.critic_y = g, h, critic_x, critic_y
        self.pool_x, self.pool_y = pool_x, pool_y
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        ### BEGIN SOLUTION
        self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr, betas=(0.5, 0.9))
        self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))
        ### END SOLUTION

    def step(self, x: Float[Tensor, "N C H W"], y: Float[Tensor, "M C H W"]) -> None:
        """One update by ``self.generators`` on (6.3), then one by ``self.critics``.

        Each pool is called once, with detached fakes from before the update. The critics' loss: `loss_as_real` of both heaps plus `loss_as_fake` of both pools' pictures.
        """
        ### BEGIN SOLUTION
        fake_y, fake_x = self.g(x), self.h(y)
        cycle, identity = cycle_losses(self.g, self.h, x, y)
        loss = loss_as_real(self.critic_y(fake_y)) + loss_as_real(self.critic_x(fake_x))
        self.generators.zero_grad()
        (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
        self.generators.step()
        loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))
        loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))
        self.critics.zero_grad()
        (loss_x + loss_y).backward()
        self.critics.step()
        ### END SOLUTION


def count_translators(p: list[int], q: list[int]) -> int:
    """Your derivation. Counts are positive and have equal sums; the lists may have different lengths."""
    ### BEGIN SOLUTION
    same = [math.factorial(q.count(each)) for each in set(q)]
    return math.prod(same) if sorted(p) == sorted(q) else 0
    ### END SOLUTION

# %% role="check"
grader.check("q6")

# %% [markdown]
# ### Thin and bold
#
# Two small networks learn from 2,000 pairs, one for each direction. Then two learn from 2,000 thin letters and 2,000 *other* bold ones. Test letters have known partners: we measure the mean distance
# to them, in per cent of the way from black to white. A copy is 11.3 away, and pairs reach 1.7.
#
# **Before you run this** (about 45 s): how far away do we end without pairs?

# %% role="given"
class Translator(nn.Module):
    """Adds four convolutions to its input, which ``start`` changes first."""

    def __init__(self, start=None, width: int = 16):
        super().__init__()
        self.start = start
        parts = [layer for i in (1, width, width) for layer in (nn.Conv2d(i, width, 3, padding=1), nn.ReLU())]
        self.net = nn.Sequential(*parts, nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x: Float[Tensor, "N 1 H W"]) -> Float[Tensor, "N 1 H W"]:
        x = self.start(x) if self.start else x
        return x + self.net(x)

# %%
guess_unpaired = None   # type a number (per cent)

# %%
trans_weights = (3.0, 1.0)   # two knobs, of cycle and identity: (0, 0), or (10, 0). How do the letters fail in each?

trans_rate, trans_n = 4e-3, 2000
trans_x, trans_y, _ = thin_and_bold(trans_n, 0)
trans_other = thin_and_bold(trans_n, 1)[1]


def trans_cool(optimisers, step, steps):
    """The rate falls in the second half."""
    for group in (group for each in optimisers for group in each.param_groups):
        group["lr"] = trans_rate * min(1.0, 2 - 2 * step / steps)


def trans_pairs(net, critic, x, y, steps, seed=0, hole=None, weight=3.0):
    optimisers = [torch.optim.Adam(each.parameters(), trans_rate, betas=(0.5, 0.9)) for each in (net, critic)]
    draws = dgm.generator(seed)
    for step in range(steps):
        trans_cool(optimisers, step, steps)
        pick = torch.randint(len(x), (32,), generator=draws)
        a, b = x[pick], y[pick]
        area = None if hole is None else hole.expand(32, -1, -1, -1)
        fake = net(a)
        optimisers[0].zero_grad()
        paired_loss(critic, a, b, fake, weight, area).backward()
        optimisers[0].step()
        shown = fake.detach() if hole is None else torch.where(area > 0, fake.detach(), b)
        optimisers[1].zero_grad()
        (loss_as_real(critic(torch.cat([a, b], 1))) + loss_as_fake(critic(torch.cat([a, shown], 1)))).backward()
        optimisers[1].step()
    return net


def trans_cycle(x, y, steps, weights, seed=0, start=None):
    dgm.seed_everything(seed)
    g, h, critic_x, critic_y = Translator(start), Translator(start), PatchCritic(1), PatchCritic(1)
    draws = dgm.generator(seed)
    trainer = CycleTrainer(g, h, critic_x, critic_y, HistoryPool(64, draws), HistoryPool(64, draws), trans_rate, *weights)
    for step in range(steps):
        trans_cool((trainer.generators, trainer.critics), step, steps)
        trainer.step(x[torch.randint(len(x), (32,), generator=draws)], y[torch.randint(len(y), (32,), generator=draws)])
    return trainer


@torch.no_grad()
def trans_facts(g, h):
    """Distances to the partners, thin to bold and bold to thin; half of cycle and identity loss; all in per cent."""
    to_partner = (g(pair_thin) - pair_bold).abs().mean(), (h(pair_bold) - pair_thin).abs().mean()
    return [50 * float(each) for each in to_partner] + [25 * float(each) for each in cycle_losses(g, h, pair_thin, pair_bold)]


dgm.seed_everything(0)
trans_steps = dgm.budget(smoke=3, cpu=300, gpu=1000), dgm.budget(smoke=3, cpu=500, gpu=2000)
paired_g = trans_pairs(Translator(), PatchCritic(2), trans_x, trans_y, trans_steps[0])
paired_h = trans_pairs(Translator(), PatchCritic(2), trans_y, trans_x, trans_steps[0])
trans_free = trans_cycle(trans_x, trans_other, trans_steps[1], trans_weights)

with torch.no_grad():
    trans_bold = trans_free.g(pair_start)
    trans_rows = {"thin": pair_start, "with pairs": paired_g(pair_start), "without": trans_bold, "the partner": pair_aim, "without, back": trans_free.h(trans_bold)}
pair_show(trans_rows, "Bold without ever seeing a pair, and thin again")
trans_table = [
    ("copy", *trans_facts(lambda x: x, lambda y: y), "11.3, 11.3", None),
    ("with pairs", *trans_facts(paired_g, paired_h), "1.7, 1.6", None),
    ("without pairs", *trans_facts(trans_free.g, trans_free.h), "3.6, 3.4", guess_unpaired),
]
plot.table(trans_table, header=("", "to bold", "to thin", "cycle", "identity", "expected", "your guess"))

# %% [markdown]
# Without a pair, twice the distance of pairs remains, a third of a copy's (five seeds: 3.3 to 3.8, and 1.7 to 1.9). The copy's row holds two zeros: cycle and identity loss alone ask for no translation.
# So more is not better. With weights (10, 0) the way back is better (1.0), and bold letters are worse (4.9 to 7.1). With (0, 0) both are (5.6 to 6.6).
#
# ### Start in the mirror
#
# Now both networks mirror their input first (`start`), and then add to it. All else is as before.
#
# **Before you run this** (30 s): a mirrored bold letter is 19.5 from its partner. Where does training end?

# %%
guess_mirror = None   # type a number (per cent)

# %%
def mirror_start(x):
    return x.flip(3)   # a knob: x.flip(2), or -x (ink becomes paper). Which start do the critics repair?


mirror_run = trans_cycle(trans_x, trans_other, trans_steps[1], trans_weights, start=mirror_start)
with torch.no_grad():
    mirror_bold = mirror_run.g(pair_thin[pair_word])
    mirror_rows = {"thin": pair_start, "to bold": mirror_bold, "back": mirror_run.h(mirror_bold), "the partner": pair_aim}
    mirror_critics = [
        float(loss_as_real(run.critic_y(pair_bold)) + loss_as_fake(run.critic_y(run.g(pair_thin)))) for run in (trans_free, mirror_run)
    ]
pair_show(mirror_rows, "Mirrored for ever: bold, and almost perfectly back")
plot.table([
    ("usual start", *trans_facts(trans_free.g, trans_free.h), mirror_critics[0], "3.6, 3.4", None),
    ("mirrored start", *trans_facts(mirror_run.g, mirror_run.h), mirror_critics[1], "20.0, 14.4", guess_mirror),
], header=("", "to bold", "to thin", "cycle", "identity", "critic's loss", "expected", "your guess"))

# %% [markdown]
# It ends where it began: 20.0, almost twice a copy's (five seeds: 20.0 to 20.4). Yet the cycle loss is as small as before, and the critic's loss is 1.28, where $2\log2=1.39$ means that it can only guess.
# Patches of mirrored letters look much like patches of letters. Only the identity loss objects (15.7 against 1.8), in vain.
#
# Your count explains this. With 26 letters, equally frequent, $26!\approx4\cdot10^{26}$ pairs $(g,h)$ return without an error and satisfy even perfect critics. One is right. No loss chooses it:
# networks that *add* to their input begin near a copy, and stop at an answer nearby. A bad start that critics can see is repaired: with ink and paper exchanged, 86 away, training comes
# back to 4.3 to 5.2.
#
# ### Holes
#
# With a hole, `paired_loss` makes a network draw what is missing. Look at its row outside the hole, too.

# %% role="given"
class Filler(nn.Module):
    """Draws a picture from one with a hole; channels: picture, hole."""

    def __init__(self, width: int = 24):
        super().__init__()
        parts = [nn.Conv2d(2, width, 3, padding=1), nn.ReLU()]
        for gap in (2, 4, 1):
            parts += [nn.Conv2d(width, width, 3, padding=gap, dilation=gap), nn.ReLU()]
        self.net = nn.Sequential(*parts, nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x: Float[Tensor, "N 2 H W"]) -> Float[Tensor, "N 1 H W"]:
        return self.net(x)

# %%
hole_rows, hole_columns = slice(5, 11), slice(4, 12)   # a knob: where the hole is

hole = torch.zeros(1, 1, 16, 16)
hole[:, :, hole_rows, hole_columns] = 1
dgm.seed_everything(0)
hole_input = torch.cat([trans_y * (1 - hole), hole.expand(trans_n, -1, -1, -1)], 1)
hole_net = trans_pairs(Filler(), PatchCritic(3), hole_input, trans_y, dgm.budget(smoke=3, cpu=400, gpu=2000), hole=hole, weight=10.0)
with torch.no_grad():
    hole_test = torch.cat([pair_bold * (1 - hole), hole.expand(len(pair_bold), -1, -1, -1)], 1)
    hole_raw = hole_net(hole_test)
    hole_drawn = hole_raw * hole + pair_bold * (1 - hole)
hole_all = {"input": pair_bold * (1 - hole), "drawn": hole_raw, "pasted": hole_drawn, "the truth": pair_bold}
pair_show({name: each[pair_word] for name, each in hole_all.items()}, "The hole is drawn; outside, anything goes")
# %% [markdown]
# Some letters become others that fit the same border; no loss can know. Outside, the drawing is free: no term of (6.1) sees it there.
#
# **What to remember**
# - A patch critic is a convolution: it judges texture. Normalisation over places would let each logit see everything.
# - Pairs say what is right. Cycle and critics leave many answers; small networks that start at "change nothing" choose among them.
# - In each update ask: who moves, what is detached, whose old gradients lie about?
#
# Question 7 also sends pictures there and back, but through a few whole numbers.

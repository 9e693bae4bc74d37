# %% [markdown]
# Three digits under three amounts of noise (columns), and the *best possible linear* denoiser for each amount (rows).

# %%
hook_x = 2 * data.glyphs(dgm.budget(smoke=500, cpu=4000, gpu=4000), size=16)[0] - 1  # from -1 (black) to 1 (white)
hook_digits = 2 * data.glyphs(3, size=16, seed=4, split="test")[0] - 1
hook_levels, hook_t = cosine_alpha_bar(1000), torch.tensor([300, 600, 850])


def linear_denoiser(x_t, t):
    # the linear map from x_t to x_0 with the smallest squared error, from the mean and covariance of the data
    pixels, level = hook_x.flatten(1), hook_levels[t]
    cov, noise = torch.cov(pixels.T), (1 - level) * torch.eye(256)
    centred = x_t.flatten(1) - level.sqrt() * pixels.mean(0)
    return (pixels.mean(0) + level.sqrt() * torch.linalg.solve(level * cov + noise, centred.T).T @ cov).reshape(x_t.shape)


hook_noise = torch.randn(3, 1, 16, 16, generator=dgm.generator(0))
hook_columns = [q_sample(hook_digits, t.expand(3), hook_noise, hook_levels) for t in hook_t]
figure, axes = plot.subplots(4, 3, width=8, height=5.2)
for column, x_t, true_t in zip(axes.T, hook_columns, hook_t.tolist()):
    plot.images(x_t / 2 + 0.5, ncols=3, ax=column[0])
    column[0].set_title(f"noisy, t = {true_t}", fontsize=10)
    for ax, told_t in zip(column[1:], hook_t.tolist()):
        guess = linear_denoiser(x_t, told_t)
        plot.images(guess / 2 + 0.5, ncols=3, ax=ax)
        ax.set_title(f"denoiser for {told_t}: error {float((guess - hook_digits).square().mean()):.2f}", fontsize=10)
figure.suptitle("Each amount of noise is removed best by its own denoiser", fontsize=12)
plt.show()

# %% [markdown]
# In each column the smallest error is on the diagonal. At top right a denoiser trusts what it sees, at bottom left what it knows of digits. Even on the diagonal strokes are grey: a linear map can only blur.
#
# So you build one network for all 1,000 times, which shares what it learns about strokes and is told $t$.
#
# ### A U-Net
#
# Noise is judged pixel by pixel, a digit as a whole. A **U-Net** looks at both. On its way down it halves the picture, so that a 3 × 3 filter sees more of it, and on its way up it doubles it again.
# Halving loses the exact place where a stroke ends, so each block of the way up also gets the **skip**: what the block of the same size found on the way down.
#
# ### Time as waves
#
# A number such as 417 is a poor input for a network. A clock has hands of different speeds. Here are $h$ of them, $i=0,\dots,h-1$:
#
# $$\omega_i=10000^{-i/h},\qquad e(t)=\big(\sin\omega_0t,\dots,\sin\omega_{h-1}t,\ \cos\omega_0t,\dots,\cos\omega_{h-1}t\big). \tag{5.1}$$
#
# With $h=2$ and $t=100$: $\omega=1,\ 0.01$, and $e=(-0.506,\ 0.841,\ 0.862,\ 0.540)$. With $h=32$ the first hand turns by one radian a step, the last by 8 degrees in 1,000.
#
# ### A moving average
#
# Trained by small batches, a network trembles around its goal. An average of its recent weights lies closer. Let $\theta_1,\dots,\theta_n$ be the weights after each step. The average with **decay** $d$ gives
# $\theta_j$ a share proportional to $d^{\,n-j}$, and the random weights before training none. It is kept by
#
# $$\bar\theta_n=\bar\theta_{n-1}+r_n\,(\theta_n-\bar\theta_{n-1}). \tag{5.2}$$
#
# **On paper:** which $r_n$ makes the shares right? They sum to 1, so the share of $\theta_n$ itself is one over a geometric sum. With $d=\frac12$ you should find $r_1=1$, $r_2=\frac23$, $r_3=\frac47$. (Many programs use $r_n=1-d$
# throughout. Then random weights keep the share $d^n$.)
#
# ### Your task
#
# Given: the block, and all of the U-Net but its `forward`. Write that, `time_embedding`, `EMA`, and the training loop of this set. It begins with small steps (a **warm-up**): step $k=1,2,\dots$ has the learning rate
# $\text{lr}\cdot\min(1,k/\text{warm\_up})$.

# %% role="given"
import copy


class ResBlock(nn.Module):
    """Two convolutions beside a shortcut. The embedding scales and shifts the channels between them."""

    def __init__(self, inputs: int, outputs: int, emb_dim: int):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(math.gcd(8, inputs), inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.norm, self.modulate = nn.GroupNorm(math.gcd(8, outputs), outputs), nn.Linear(emb_dim, 2 * outputs)
        self.second = nn.Sequential(nn.SiLU(), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x: Float[Tensor, "N inputs H W"], emb: Float[Tensor, "N emb_dim"]) -> Float[Tensor, "N outputs H W"]:
        scale, shift = self.modulate(emb)[:, :, None, None].chunk(2, dim=1)
        return self.shortcut(x) + self.second(self.norm(self.first(x)) * (1 + scale) + shift)

# %% role="answer"
def time_embedding(t: Float[Tensor, "N"] | Int[Tensor, "N"], dim: int) -> Float[Tensor, "N dim"]:
    """e(t) of (5.1), the h = dim / 2 sines first; dim is even. t is between 0 and 1000; whole numbers give float32, real ones their type."""
    ### BEGIN SOLUTION
    omega = 10000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))
    angle = t[:, None] * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)
    ### END SOLUTION


class UNet(nn.Module):
    """From pictures, times and labels to pictures. It halves the picture len(channels) - 1 times."""

    def __init__(self, channels: tuple[int, ...], emb_dim: int = 64, classes: int = 10):
        super().__init__()
        self.emb_dim, self.null = emb_dim, classes
        self.time_net = nn.Sequential(nn.Linear(emb_dim, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim))
        self.label_table = nn.Embedding(classes + 1, emb_dim)  # the last row is for "no label"
        self.stem = nn.Conv2d(1, channels[0], 3, padding=1)
        *sides, bottom = channels
        self.down = nn.ModuleList(ResBlock(a, b, emb_dim) for a, b in zip([sides[0], *sides], sides))
        self.middle = ResBlock(sides[-1], bottom, emb_dim)
        self.up = nn.ModuleList(ResBlock(a + b, b, emb_dim) for a, b in zip([bottom, *sides[:0:-1]], sides[::-1]))
        self.head = nn.Conv2d(channels[0], 1, 3, padding=1)

    def embed(self, t: Int[Tensor, "N"], y: Int[Tensor, "N"] | None) -> Float[Tensor, "N emb_dim"]:
        """Time and label as one vector; without labels, the row of "no label"."""
        y = torch.full_like(t, self.null) if y is None else y
        return F.silu(self.time_net(time_embedding(t, self.emb_dim)) + self.label_table(y))

    def forward(
        self, x: Float[Tensor, "N 1 H W"], t: Int[Tensor, "N"], y: Int[Tensor, "N"] | None = None
    ) -> Float[Tensor, "N 1 H W"]:
        """stem; each block of `down`, then halve by averages of 2 × 2; middle; double (nearest), then each block of `up`; head.

        A skip is what a block of `down` returns. It is appended behind the channels of the doubled picture.
        """
        ### BEGIN SOLUTION
        emb, x, skips = self.embed(t, y), self.stem(x), []
        for block in self.down:
            x = block(x, emb)
            skips.append(x)
            x = F.avg_pool2d(x, 2)
        x = self.middle(x, emb)
        for block in self.up:
            x = F.interpolate(x, scale_factor=2)
            x = block(torch.cat([x, skips.pop()], dim=1), emb)
        return self.head(x)
        ### END SOLUTION


class EMA:
    """The moving average (5.2) of a model's weights, in a copy of it: `ema.model`, which needs no gradients."""

    def __init__(self, model: nn.Module, decay: float):
        """decay: 0 ≤ d < 1. The model itself stays as it is. It has no buffers."""
        ### BEGIN SOLUTION
        self.model, self.decay, self.steps = copy.deepcopy(model).requires_grad_(False), decay, 0
        ### END SOLUTION

    def update(self, model: nn.Module) -> None:
        """Count one step, and take in the weights that the model has now."""
        ### BEGIN SOLUTION
        self.steps += 1
        rate = (1 - self.decay) / (1 - self.decay**self.steps)
        for mean, now in zip(self.model.parameters(), model.parameters()):
            mean.lerp_(now.detach(), rate)
        ### END SOLUTION


def train_denoiser(
    model: nn.Module, ema, loss, x: Float[Tensor, "N ..."], y: Int[Tensor, "N"], steps: int, batch_size: int, lr: float,
    generator: torch.Generator, warm_up: int = 100,
) -> Float[Tensor, "steps"]:
    """Minimise a loss by `steps` steps of one ``torch.optim.AdamW(model.parameters())`` with the learning rates above, from lr / warm_up.

    Args:
        ema: ``ema.update(model)`` follows each step. May be any object with this method.
        loss: ``loss(model, x, y, generator)`` of a batch is a 0-d tensor.
        batch_size: the batches are those of ``data.batches((x, y), batch_size, generator, steps=steps)``.

    Returns:
        The loss of each batch before its step, without graph.
    """
    ### BEGIN SOLUTION
    optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []
    for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=steps), start=1):
        optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up)
        value = loss(model, *batch, generator)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        ema.update(model)
        history.append(value.detach())
    return torch.stack(history)
    ### END SOLUTION

# %% role="check"
grader.check("q5")

# %% [markdown]
# ### Time, fed unscaled
#
# Where $t$ runs from 0 to 1, some programs put that number into (5.1) as it is. Multiply the waves of two times, average, and double: 1 means that they are the same.
#
# **Before you run this.** How alike are the waves of $t=100$ and $t=900$ if the time is fed as $t/1000$?

# %%
guess_alike = None   # type a number between -1 and 1

# %%
wave_scales = (1.0, 0.001)   # a knob: put 0.03 and 30 in their place. Which scale tells all times apart, yet neighbours as neighbours?

wave_times = torch.arange(0, 1001, 2)
figure, axes = plot.subplots(1, 3, width=10, height=3, width_ratios=[1, 1, 1.3])
for ax, scale in zip(axes, wave_scales):
    ax.imshow(time_embedding(scale * wave_times.float(), 64).T, aspect="auto", extent=(0, 1000, 64, 0), vmin=-1, vmax=1, cmap=plot.SEQUENTIAL)
    ax.set(xlabel="t", ylabel="wave", title=f"Waves of {scale:g} · t")
    ax.grid(False)
    middle = time_embedding(torch.tensor([500.0 * scale]), 64)
    axes[2].plot(wave_times, 2 * (time_embedding(scale * wave_times.float(), 64) * middle).mean(1), label=f"{scale:g} · t")
axes[2].set(xlabel="t", ylim=(-0.5, 1.1), title="Likeness to t = 500")
axes[2].legend()
plt.show()
early, late = (time_embedding(torch.tensor([float(t), t / 1000]), 64) for t in (100, 900))
plot.table([("fed as t", float(2 * (early * late).mean(1)[0]), "0.15", None), ("fed as t / 1000", float(2 * (early * late).mean(1)[1]), "0.98", guess_alike)], header=("likeness of t = 100 and 900", "yours", "expected", "your guess"))

# %% [markdown]
# Nothing crashes; the clock hardly moves.
#
# ### Train
#
# Given: the network says $v$, which is safe at both ends of time (Question 3), and `Denoiser` turns it into the noise that samplers ask for. In training every tenth label is hidden, for Question 8.
#
# **Before you run this** (3 to 6 minutes): by how many per cent is the loss on new images lower for the average with $d=0.99$ than for the last weights?

# %% role="given"
class Denoiser:
    """A network that says v, as a noise predictor: called with (x_t, t) or (x_t, t, y), it returns eps."""

    def __init__(self, network: nn.Module, alpha_bar: Float[Tensor, "T+1"]):
        self.network, self.alpha_bar = network, alpha_bar

    def __call__(self, x_t: Float[Tensor, "N 1 H W"], t: Int[Tensor, "N"], y: Int[Tensor, "N"] | None = None) -> Float[Tensor, "N 1 H W"]:
        level = self.alpha_bar.to(x_t.device)[t].reshape(-1, 1, 1, 1)
        return convert(self.network(x_t, t, y), "v", x_t, level)["eps"]

# %%
guess_average = None   # type a number (per cent)

# %%
ema_decays = (0.0, 0.99, 0.999)   # a knob (the middle one is kept): 0.9 and 0.9995. Decay 0 is the last weights.

glyph_alpha_bar = cosine_alpha_bar(1000)
glyph_x, glyph_y = data.glyphs(dgm.budget(smoke=600, cpu=20000, gpu=20000), size=16)
glyph_x, glyph_test = 2 * glyph_x - 1, 2 * data.glyphs(dgm.budget(smoke=20, cpu=200, gpu=200), size=16, split="test")[0] - 1


def velocity_loss(network, x0, y, generator):
    # mean squared error of v at random times, with every tenth label hidden (class 10)
    device = generator.device
    t = torch.randint(1, 1001, (len(x0),), generator=generator, device=device).to(x0.device)
    eps = torch.randn(x0.shape, generator=generator, device=device).to(x0.device)
    hidden = (torch.rand(len(x0), generator=generator, device=device) < 0.1).to(x0.device)
    x_t, level = q_sample(x0, t, eps, glyph_alpha_bar.to(x0.device)), glyph_alpha_bar.to(x0.device)[t].reshape(-1, 1, 1, 1)
    v = convert(x0, "x0", x_t, level)["v"]
    return (network(x_t, t, torch.where(hidden, 10, y)) - v).square().mean()


def draw_crudely(denoiser, y, steps, seed=0):
    # guess the picture, forget the noise, add new noise of the next lower level; repeat
    numbers = dgm.generator(seed)
    x = torch.randn(len(y), 1, 16, 16, generator=numbers)
    times = torch.linspace(1000, 0, steps + 1).round().long()
    for t, s in torch.stack([times[:-1], times[1:]], dim=1):
        eps = denoiser(x, t.expand(len(y)), y)
        guess = convert(eps, "eps", x, glyph_alpha_bar[t])["x0"].clamp(-1, 1)
        x = q_sample(guess, s.expand(len(y)), torch.randn(x.shape, generator=numbers), glyph_alpha_bar)
    return x


class Watch:
    # takes the place of one average in `train_denoiser`: keeps several, and looks at them now and then

    def __init__(self, model, every):
        self.averages, self.every, self.rows, self.drawn = [EMA(model, decay) for decay in ema_decays], every, [], []
        self.start, self.steps = copy.deepcopy(model).requires_grad_(False), 0

    def test_loss(self, model):
        with torch.no_grad():
            return float(velocity_loss(model.cpu(), glyph_test, torch.full((len(glyph_test),), 10), dgm.generator(1)))

    def update(self, model):
        for average in self.averages:
            average.update(model)
        self.steps += 1
        steps = self.steps
        if steps % self.every == 0:
            plain, share = copy.deepcopy(self.start), ema_decays[-1] ** steps  # with r = 1 - d throughout
            for p, q in zip(plain.parameters(), self.averages[-1].model.parameters()):
                p.lerp_(q, 1 - share)
            self.rows.append([steps, *(self.test_loss(copy.deepcopy(each)) for each in [*(a.model for a in self.averages), plain])])
            if steps // self.every in (1, 2, 4, 8):
                self.drawn.append(draw_crudely(Denoiser(copy.deepcopy(self.averages[1].model).cpu(), glyph_alpha_bar), torch.arange(10), dgm.budget(smoke=2, cpu=20, gpu=20)))


dgm.seed_everything(0)
glyph_steps = dgm.budget(smoke=8, cpu=2000, gpu=2000)
glyph_net = UNet((16, 32, 64, 64)).to(dgm.device())
glyph_watch = Watch(glyph_net, glyph_steps // 8)
glyph_history = train_denoiser(glyph_net, glyph_watch, velocity_loss, glyph_x.to(dgm.device()), glyph_y.to(dgm.device()), glyph_steps, 64, 2e-3, dgm.generator(0, dgm.device()))
glyph_denoiser = Denoiser(glyph_watch.averages[1].model.cpu(), glyph_alpha_bar)   # Questions 6, 8 and 9 draw with it

watch_steps, *watch_losses = zip(*glyph_watch.rows)
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.2, width_ratios=[1.1, 1])
for losses, name in zip(watch_losses, [*(f"d = {decay:g}" if decay else "last weights" for decay in ema_decays), f"d = {ema_decays[-1]:g}, r = 1 - d"]):
    left.plot(watch_steps, losses, marker="o", label=name)
left.set(xlabel="step", ylabel="loss on new images", ylim=(0.13, 0.4) if glyph_steps > 8 else None, title="d = 0.99 is soon ahead, d = 0.999 needs longer")
left.legend()
plot.images(torch.cat(glyph_watch.drawn).clamp(-1, 1) / 2 + 0.5, ncols=10, ax=right, suptitle="Drawn after 1/8, 1/4, 1/2 and all of the steps")
plt.show()
lower = 100 * (1 - watch_losses[1][-1] / watch_losses[0][-1])
plot.table([("loss of the last weights", watch_losses[0][-1], "0.158", None), ("the average is lower by, per cent", lower, "8", guess_average), ("random weights in the average with r = 1 - d, per cent", 100 * ema_decays[-1] ** glyph_steps, "14", None)], header=("", "yours", "expected", "your guess"))

# %% [markdown]
# With $d=0.99$ the average is soon where the last weights arrive at the end. With $r=1-d$ and $d=0.999$ the random start still has a share of 14 % after 2,000 steps, and spoils the average.
#
# ### It believes what you tell it
#
# The pictures below have the noise of $t=500$. Told another time, which picture does the network see?

# %%
told_true = 500   # a knob: 200 and 800. Which lie costs more, too early or too late?

told_times = [100, 300, 400, 500, 600, 700, 900]
told_n = len(glyph_test)
told_x_t = q_sample(glyph_test, torch.full((told_n,), told_true), torch.randn(told_n, 1, 16, 16, generator=dgm.generator(2)), glyph_alpha_bar)
told_rows, told_errors = [told_x_t[:4]], []
for t in told_times:
    level = glyph_alpha_bar[t]
    with torch.no_grad():
        guess = convert(glyph_denoiser(told_x_t, torch.full((told_n,), t)), "eps", told_x_t, level)["x0"]
    told_rows.append(guess[:4])
    told_errors.append(float((guess - glyph_test).square().mean()))
figure, axes = plot.subplots(1, 8, width=10, height=5.4)
for ax, row, title in zip(axes, told_rows, [f"noisy, t = {told_true}", *(f"told {t}\nerror {e:.2f}" for t, e in zip(told_times, told_errors))]):
    plot.images(row / 2 + 0.5, ncols=1, ax=ax)
    ax.set_title(title, fontsize=10)
figure.suptitle("Told of too little noise, it keeps some; told of too much, it blurs", fontsize=12)
plt.show()

truth_rows = []
for t, expected in zip((300, 600, 850), ("0.049, 0.023", "0.117, 0.095", "0.185, 0.188")):
    x_t = q_sample(glyph_test, torch.full((told_n,), t), torch.randn(told_n, 1, 16, 16, generator=dgm.generator(3)), glyph_alpha_bar)
    with torch.no_grad():
        guess = convert(glyph_denoiser(x_t, torch.full((told_n,), t)), "eps", x_t, glyph_alpha_bar[t])["x0"]
    truth_rows.append((t, *(float((each - glyph_test).square().mean()) for each in (linear_denoiser(x_t, t), guess)), expected))
plot.table(truth_rows, header=("t", "error of the best linear denoiser", "of your network", "expected"))

# %% [markdown]
# Told the truth it errs least, and being told too early a time costs most. Your network beats the best linear map in the table, except at $t=850$: there so little of the digit
# is left that both only guess.
#
# ### Digits from noise
#
# The crudest way: guess the picture, add noise of the next lower level, guess again.

# %%
crude_steps = dgm.budget(smoke=3, cpu=50, gpu=50)   # a knob: 5 and 200

plot.images(draw_crudely(glyph_denoiser, torch.arange(40) % 10, crude_steps) / 2 + 0.5, ncols=20, suptitle="Your network draws: 0 to 9, four times")
plt.show()

# %% [markdown]
# **What to remember**
# - A denoiser must know how much noise there is. Waves of many speeds tell it; a number squeezed into 0 to 1 does not.
# - Skips carry the places down to up, last stored first used.
# - Average the weights, and let the random start have no share.
#
# `glyph_denoiser` draws properly in Question 6, on request in Question 8, and repairs pictures in Question 9.

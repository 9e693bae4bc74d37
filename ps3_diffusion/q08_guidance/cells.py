# %% [markdown]
# Your network of Question 5 draws from the same 20 noise images, without a wish and with one.

# %%
wish_noise = torch.randn(20, 1, 16, 16, generator=dgm.generator(0))
wish_digits = torch.arange(20) % 10
wish_times = sampling_times(dgm.budget(smoke=2, cpu=25, gpu=25), 1000)


def draw_from(model, x_T, times, alpha_bar, clip=None):
    return sample(lambda x, eps, t, s, levels, noise: ddim_step(x, eps, t, s, levels, 0.0, noise, clip), model, x_T, times, alpha_bar, torch.zeros(len(times) - 1, 1))


wish_free = draw_from(glyph_denoiser, wish_noise, wish_times, glyph_alpha_bar, 1.0)
wish_asked = draw_from(lambda x, t: glyph_denoiser(x, t, wish_digits), wish_noise, wish_times, glyph_alpha_bar, 1.0)
plot.images(torch.cat([wish_free, wish_asked]) / 2 + 0.5, ncols=20, suptitle="Without labels (above), and asked for 0 to 9, twice (below)")
plt.show()

# %% [markdown]
# Above, some pictures are no digit. Below, the label helps, but strokes are still broken or doubled.
#
# **Guidance** repairs this: it exaggerates what the label changes. You build it in two forms, and measure what it draws: a common explanation is wrong.
#
# ### Exaggerate the label
#
# Bayes' rule splits the score of a class into a wish and a habit: $\nabla\log p(x_t\mid y)=\nabla\log p(x_t)+\nabla\log p(y\mid x_t)$. **Classifier guidance** multiplies the wish, a classifier's gradient, by $w$. Written as noise, with
# $\varepsilon=-\sqrt{1-\bar\alpha_t}\cdot$score (Question 3) and $\varepsilon_\varnothing$ the prediction without a label, that is
#
# $$\hat\varepsilon=\varepsilon_\varnothing-w\,\sqrt{1-\bar\alpha_t}\;\nabla_{x_t}\log p(y\mid x_t). \tag{8.1}$$
#
# That needs a classifier of noisy pictures. But the wish is also the difference of two scores. So **classifier-free guidance** asks one network twice, with and without the label:
#
# $$\hat\varepsilon=\varepsilon_\varnothing+w\,(\varepsilon_y-\varepsilon_\varnothing). \tag{8.2}$$
#
# $w=0$ ignores the label, $w=1$ is the plain conditional model, $w>1$ exaggerates. From $\varepsilon_\varnothing=0.2$ and $\varepsilon_y=0.5$, $w=3$ makes $1.1$. (Some papers write $(1+w)\,\varepsilon_y-w\,\varepsilon_\varnothing$; their $w$ is smaller by 1.)
#
# In training, a share of the labels (in Question 5 a tenth) is replaced by "none", which teaches $\varepsilon_\varnothing$.
#
# ### What does it draw?
#
# Near $t=0$, $\hat\varepsilon$ is the score of the **tilted** density, written as noise:
#
# $$p_w(x)\propto p(x)\,p(y\mid x)^w. \tag{8.3}$$
#
# Guidance is said to draw from it. Does it? **On paper:** let all data be $\mathcal N(0,1)$, and class $y$ be $\mathcal N(m,s^2)$ with $s<1$. Which standard deviation has (8.3)? (Use $p(y\mid x)\propto p(x\mid y)/p(x)$; precisions add.)
#
# Now the guided samples. (Here $s$ alone is a deviation, and $\sigma$ not that of (6.1).) Measure noise by $\sigma=\sqrt{1/\bar\alpha-1}$ and follow $z=x/\sqrt{\bar\alpha}$. In small steps DDIM is
# $dz/d\sigma=\varepsilon$ (divide (6.1) with $\eta=0$ by $\sqrt{\bar\alpha_s}$), and for data $\mathcal N(m,s^2)$ the best $\varepsilon$ is $\sigma(z-m)/(s^2+\sigma^2)$. Put both
# predictions into (8.2). Let $\delta$ be the distance of two walkers: write $d\delta/d\sigma$, and solve it. At a very large $\sigma$ the walkers have standard deviation $\sigma$. Which one at $\sigma=0$? For $s=\frac12$, $w=2$ you should find $0.378$ for (8.3) and $0.25$ for the walkers.
#
# ### Your task
#
# Both forms of guidance, what makes any model with labels a guided one, and your derivation.

# %% role="answer"
def drop_labels(y: Int[Tensor, "N"], u: Float[Tensor, "N"], rate: float, null: int) -> Int[Tensor, "N"]:
    """Labels for training: null where u, uniform in [0, 1), is below rate. Rate 0 drops none, rate 1 all."""
    ### BEGIN SOLUTION
    return torch.where(u < rate, null, y)
    ### END SOLUTION


def guide(eps_cond: Float[Tensor, "N ..."], eps_uncond: Float[Tensor, "N ..."], w: float) -> Float[Tensor, "N ..."]:
    """(8.2). Differentiable in both predictions."""
    ### BEGIN SOLUTION
    return eps_uncond + w * (eps_cond - eps_uncond)
    ### END SOLUTION


def guided(model, y: Int[Tensor, "N"], w: float, null: int, interval: tuple[float, float] = (0, math.inf)):
    """A noise predictor without labels: called with (x_t, t), it returns eps.

    Args:
        model: ``model(x_t, t, y)`` returns eps, for any number of examples; label ``null`` means none.
        y: what each example is asked for.
        interval: guide examples with first <= t <= last of it; the others get the plain conditional eps. Each has its own t.
    """
    ### BEGIN SOLUTION
    def predict(x_t, t):
        labels = torch.cat([y, torch.full_like(y, null)])
        cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2)
        inside = ((interval[0] <= t) & (t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))
        return torch.where(inside, guide(cond, uncond, w), cond)

    return predict
    ### END SOLUTION


def classifier_guidance(
    eps: Float[Tensor, "N ..."], classifier, x_t: Float[Tensor, "N ..."], t: Int[Tensor, "N"], y: Int[Tensor, "N"], w: float,
    alpha_bar: Float[Tensor, "T+1"],
) -> Float[Tensor, "N ..."]:
    """(8.1), from the eps without label. Works inside ``torch.no_grad()``. Whether gradients are on, x_t, the classifier and every ``.grad`` stay as they are.

    Args:
        classifier: ``classifier(x_t, t)`` returns logits (N, K), no example's from another's x.
    """
    ### BEGIN SOLUTION
    with torch.enable_grad():
        x = x_t.detach().requires_grad_()
        log_prob = classifier(x, t).log_softmax(1)
        wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0]
    level = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))
    return eps - w * (1 - level).sqrt() * wish
    ### END SOLUTION


def guided_spreads(s: Float[Tensor, "*batch"], w: float) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Standard deviations of (8.3) and of guided samples, your derivation; 0 < s <= 1, w >= 0."""
    ### BEGIN SOLUTION
    return 1 / (w / s**2 + 1 - w).sqrt(), s**w
    ### END SOLUTION

# %% role="check"
grader.check("q8")

# %% [markdown]
# ### Two classes, and a perfect network
#
# Half of the data is $\mathcal N(-1,\frac14)$, half is $\mathcal N(1,\frac14)$, and `TwoClasses` is a network without error. Ask it for the right-hand class with $w=3$. The tilted density has mean 1.05
# and standard deviation 0.46.
#
# **Before you run this:** which mean do 5,000 walkers have?

# %% role="given"
class TwoClasses:
    """N(-1, std²) and N(1, std²), as a perfect network: (x_t, t, y) gives the best eps. Label 2 is "none"."""

    def __init__(self, alpha_bar: Float[Tensor, "T+1"], std: float = 0.5):
        self.alpha_bar, self.std, self.means = alpha_bar, std, torch.tensor([-1.0, 1.0])

    def facts(self, t):
        level = self.alpha_bar[t][:, None]
        return level, level * self.std**2 + 1 - level

    def logits(self, x_t: Float[Tensor, "N 1"], t: Int[Tensor, "N"]) -> Float[Tensor, "N 2"]:
        level, variance = self.facts(t)
        return -(x_t - level.sqrt() * self.means).square() / (2 * variance)

    def __call__(self, x_t: Float[Tensor, "N 1"], t: Int[Tensor, "N"], y: Int[Tensor, "N"]) -> Float[Tensor, "N 1"]:
        level, variance = self.facts(t)
        share = torch.where(y[:, None] == 2, self.logits(x_t, t).softmax(1), F.one_hot(y, 3)[:, :2])
        return (1 - level).sqrt() * (x_t - level.sqrt() * (share @ self.means)[:, None]) / variance

# %%
guess_tilt = None   # type a number

# %%
tilt_w, tilt_std = 3.0, 0.5   # two knobs: w = 8, and std = 1. Which of the two densities hardly moves with w?

tilt_levels, tilt_draws, tilt_n = cosine_alpha_bar(1000), dgm.generator(0), 5000
tilt_world, tilt_y = TwoClasses(tilt_levels, tilt_std), torch.ones(tilt_n, dtype=torch.long)
tilt_x_T, tilt_times = torch.randn(tilt_n, 1, generator=tilt_draws), sampling_times(dgm.budget(smoke=100, cpu=1000, gpu=1000), 1000)
tilt_grid = torch.linspace(-4, 6, 2001)
tilt_log = -(tilt_grid[:, None] - tilt_world.means).square() / (2 * tilt_std**2)
tilt_shares = (tilt_log.logsumexp(1) + tilt_w * tilt_log.log_softmax(1)[:, 1]).softmax(0)
tilt_mean = float(tilt_shares @ tilt_grid)
tilt_rows = [("class 1 itself", 1.0, tilt_std, "1, 0.5", None), ("tilted density (8.3), exact", tilt_mean, math.sqrt(float(tilt_shares @ (tilt_grid - tilt_mean).square())), "1.05, 0.457", None)]
tilt_ends = {}
for name, interval, expected in (("guided", (0, 1000), "1.52, 0.315"), ("guided for t ≤ 300 alone", (0, 300), "1.05, 0.427"), ("guided for t > 700 alone", (701, 1000), "1.39, 0.406")):
    tilt_ends[name] = draw_from(guided(tilt_world, tilt_y, tilt_w, 2, interval), tilt_x_T, tilt_times, tilt_levels)
    tilt_rows.append((name, float(tilt_ends[name].mean()), float(tilt_ends[name].std()), expected, guess_tilt if name == "guided" else None))
tilt_first = torch.ones(tilt_n, dtype=torch.long)
tilt_ends["then Langevin"] = langevin(lambda x: -guided(tilt_world, tilt_y, tilt_w, 2)(x, tilt_first) / (1 - tilt_levels[1]).sqrt(), tilt_ends["guided"], 0.02, torch.randn(400, tilt_n, 1, generator=tilt_draws))[-1]
tilt_rows.append(("guided, then 400 Langevin steps at t = 1", float(tilt_ends["then Langevin"].mean()), float(tilt_ends["then Langevin"].std()), "1.05, 0.457", None))

figure, (left, middle, right) = plot.subplots(1, 3, width=10, height=3.2)
for name, color in (("guided", plot.COLORS[1]), ("then Langevin", plot.COLORS[2])):
    left.hist(tilt_ends[name][:, 0].numpy(), bins=np.linspace(-1, 3.5, 46), density=True, histtype="step", color=color, label=name)
left.plot(tilt_grid, tilt_shares / (tilt_grid[1] - tilt_grid[0]), color=plot.COLORS[0], label="tilted density")
left.set(xlim=(-1, 3.5), xlabel="x", title=f"w = {tilt_w:g}: not the tilted density")
left.legend(fontsize=8)
for w, color in zip((1.0, tilt_w), plot.COLORS):
    x, spots, guesses = tilt_x_T, list(range(1000, 0, -20)), []
    for t, s in zip(spots, [*spots[1:], 0]):
        eps = guided(tilt_world, tilt_y, w, 2)(x, torch.full((tilt_n,), t))
        guesses.append(float(((x - (1 - tilt_levels[t]).sqrt() * eps) / tilt_levels[t].sqrt()).mean()))
        x = ddim_step(x, eps, t, s, tilt_levels, 0.0, 0 * x)
    middle.plot(spots, guesses, color=color, label=f"w = {w:g}")
middle.set(xlabel="t", xlim=(1000, 0), ylim=(0, None), title="Mean guess of $x_0$ on the way")
middle.legend(fontsize=8)
spread_w, spread_s = torch.linspace(0, 5, 41), torch.tensor(0.7)
for i, name in enumerate(("tilted density", "guided samples")):
    right.plot(spread_w, torch.stack([guided_spreads(spread_s, float(w))[i] for w in spread_w]), color=plot.COLORS[i], label=name)
spread_dots = []
for w in range(6):
    z = 100 * torch.linspace(-1, 1, 3)   # one Gaussian class, s = 0.7 and m = 0, in steps of sigma
    for a, b in zip(torch.logspace(2, -3, 2000)[:-1], torch.logspace(2, -3, 2000)[1:]):
        z = z + (b - a) * guide(a * z / (0.7**2 + a**2), a * z / (1 + a**2), w)
    spread_dots.append(float(z[-1]))
right.plot(range(6), spread_dots, "o", color=plot.COLORS[1], label="walkers")
right.set(xlabel="w", ylim=(0, 1.05), title="Your two spreads, s = 0.7")
right.legend(fontsize=8)
plt.show()
plot.table(tilt_rows, header=("", "mean", "std", "expected", "your guess"))
tilt_x, tilt_t = torch.randn(tilt_n, 1, generator=tilt_draws), torch.randint(1, 1001, (tilt_n,), generator=tilt_draws)
tilt_none = tilt_world(tilt_x, tilt_t, 0 * tilt_t + 2)
tilt_gap = classifier_guidance(tilt_none, tilt_world.logits, tilt_x, tilt_t, tilt_y, tilt_w, tilt_levels) - guided(tilt_world, tilt_y, tilt_w, 2)(tilt_x, tilt_t)
print(f"largest difference of the two forms of guidance: {float(tilt_gap.abs().max()):.0e}")

# %% [markdown]
# The walkers overshoot, 1.52 instead of 1.05, and are too close together (over five seeds 1.520 to 1.532, and 0.314 to 0.318). Yet the score at $t\approx0$ is right. Langevin dynamics with it (Question
# 1) ends in the tilted density: the road is wrong. At $t=T$ the guess of $x_0$ is 0 without label and 1 with it, so the exaggerated guess is 3, where there are no data at all. Later steps call the
# walkers back, but not all the way: the guess never falls below 1.3. With guidance for $t\le300$ alone the mean is right, the spread still too small.
#
# ### On pictures
#
# The same noise images, at several $w$. *Recognised* is the share whose nearest neighbour among 4,000 glyphs has the label that you asked for. *White* is the brightness, in per cent.
#
# **Before you run this** (about 20 s): real digits are 12 per cent white. And digits at $w=8$?

# %%
guess_white = None   # type a number (per cent)

# %%
wish_rows = [(0, None), (1, None), (3, None), (8, None), (8, (300, 700))]   # a knob: other intervals for w = 8. Which noise makes digits bold?

wish_n = dgm.budget(smoke=20, cpu=100, gpu=100)
wish_y, wish_x_T = torch.arange(wish_n) % 10, torch.randn(wish_n, 1, 16, 16, generator=dgm.generator(0))
wish_known, wish_labels = data.glyphs(4000, size=16)
wish_real, wish_real_y = data.glyphs(400, size=16, split="test")


def wish_facts(pictures, labels):
    nearest = torch.cdist(pictures.flatten(1), wish_known.flatten(1)).argmin(1)
    return float((wish_labels[nearest] == labels).float().mean()), 100 * float(pictures.mean())


wish_table, wish_drawn = [("real, new", *wish_facts(wish_real, wish_real_y), "0.96, 12", None)], []
wish_expected = {(0, None): "0.11, 13", (1, None): "0.90, 12", (3, None): "1.00, 15", (8, None): "1.00, 20", (8, (300, 700)): "1.00, 15"}
for w, interval in wish_rows:
    model = guided(glyph_denoiser, wish_y, w, 10, interval or (0, 1000))
    pictures = draw_from(model, wish_x_T, wish_times, glyph_alpha_bar, 1.0).clamp(-1, 1) / 2 + 0.5
    wish_drawn.append(pictures[:20])
    name = f"w = {w}" + (f", {interval[0]} ≤ t ≤ {interval[1]}" if interval else "")
    wish_table.append((name, *wish_facts(pictures, wish_y), wish_expected.get((w, interval)), guess_white if name == "w = 8" else None))
figure, axes = plot.subplots(len(wish_rows), 1, width=10, height=0.62 * len(wish_rows))
for ax, pictures, row in zip(axes, wish_drawn, wish_table[1:]):
    plot.images(pictures, ncols=20, ax=ax)
    ax.text(-0.01, 0.5, row[0].replace(", ", "\n"), transform=ax.transAxes, ha="right", va="center", fontsize=10)
figure.suptitle("Guidance mends the strokes, then makes them bold", fontsize=12)
plt.show()
plot.table(wish_table, header=("", "recognised", "white", "expected", "your guess"))

# %% [markdown]
# At $w=3$ the strokes are whole. At $w=8$ the average digit has more white than nine of ten real ones: the overshoot again, in 256 dimensions. (Over five sets of noise: 0.90 to 0.95 recognised at $w=1$, 19.6 to 20.5 per cent white at $w=8$.)
# Guidance at moderate noise alone keeps the strokes whole and is far less bold (Kynkäänniemi et al., 2024).
#
# ### Why? (3 points)
#
# At most six lines. Near $t=0$ the guided score is that of (8.3). Why do samples nevertheless have another law? Say what would have to hold at each $t>0$, and why it does not. Then say why the samples lie *beyond* the tilted density and are narrower.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The way back from noise draws from $p_w$ if at *each* $t$ the field is the score of $p_w$ with the noise of that $t$. Agreement at $t=0$ alone says nothing about the road.
#
# Guidance instead uses the score of $p_t(x_t)\,p_t(y\mid x_t)^w$, where $p_t(y\mid x_t)$ is the mean of $p(y\mid x_0)$ over all $x_0$ that fit $x_t$. Noising $p_w$ would give $p_t(x_t)$ times the mean of $p(y\mid x_0)^w$. The power of a mean is not the mean of the power (unless $w$ is 0 or 1, or no noise is left).
#
# With much noise, the true tilted guess of $x_0$ would be its mean, 1.05, because $p(y\mid x_0)^w$ saturates at 1: who is surely of the class cannot become surer. The exaggerated guess is $w$ times as far from the overall mean as the class mean, here 3. So samples start beyond. And the guided field pulls
# together more strongly at all noise levels (with Gaussians the spread is $s^w$ instead of $1/\sqrt{w/s^2+1-w}$), so they are narrower.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Guidance is $\varepsilon_\varnothing+w(\varepsilon_y-\varepsilon_\varnothing)$. Ask which $w$ means "plain" before you compare papers.
# - It does not sample $p(x)\,p(y\mid x)^w$: it overshoots and narrows, most of all at high noise.
# - One network learns both predictions if some labels are dropped.
#
# Question 9 steers the same network without labels, by pixels that are known.

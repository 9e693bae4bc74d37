# %% [markdown]
# One letter and one noise image, mixed in two ways. The rows begin and end alike. Where does each row spend its steps?

# %% role="given"
def linear_alpha_bar(T: int = 1000) -> Float[Tensor, "T+1"]:
    # the schedule of the first diffusion models: beta_t rises in a straight line
    beta = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T
    return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float()

# %%
hook_times = range(0, 1001, 125)
hook_letter = 2 * data.glyphs(1, seed=5, classes="R")[0] - 1   # from -1 (black) to 1 (white)
hook_noise = torch.randn(1, 1, 28, 28, generator=dgm.generator(0))
hook_levels = {"linear": linear_alpha_bar(), "cosine": torch.linspace(0.0079, 1, 1001).mul(math.pi / 2).cos().square()}
figure, axes = plot.subplots(2, len(hook_times), width=10, height=2.7)
for row, (name, level) in zip(axes, hook_levels.items()):
    for ax, t in zip(row, hook_times):
        noisy = level[t].sqrt() * hook_letter + (1 - level[t]).sqrt() * hook_noise
        plot.images(noisy / 2 + 0.5, ax=ax)
        ax.set_title(f"{name}\nt = {t}" if t == 0 else f"\n{t}", fontsize=10)
figure.suptitle("After 500 of 1,000 steps the linear schedule has little left to destroy", fontsize=12)
plt.show()

# %% [markdown]
# A diffusion model learns to undo one small step of noise. Small steps matter: if a step adds little noise, the way back from it is nearly a Gaussian, and a network only has to say its mean. So the way from data to
# noise is cut into $T$ steps. Nothing on this way is learned. But how you cut it decides what a network gets to see, and everything below is exact.
#
# ### One jump instead of t steps
#
# Each step shrinks the picture a little and adds a little noise, so that the variance stays near 1:
#
# $$x_t=\sqrt{1-\beta_t}\;x_{t-1}+\sqrt{\beta_t}\;\varepsilon_t. \tag{3.1}$$
#
# The shrinking factors multiply, and independent Gaussian noises add up to one. So $t$ steps are one jump:
#
# $$x_t=\sqrt{\bar\alpha_t}\;x_0+\sqrt{1-\bar\alpha_t}\;\varepsilon,\qquad \bar\alpha_t=\prod_{s=1}^t(1-\beta_s). \tag{3.2}$$
#
# With $\beta_1=0.36$ and $\beta_2=0.75$, $\bar\alpha$ is $1,\ 0.64,\ 0.16$. From $x_0=1$ and $\varepsilon=1$ you jump to $x_1=0.8+0.6=1.4$. The **signal-to-noise ratio** (SNR) is $\bar\alpha_t/(1-\bar\alpha_t)$; here it falls from $1.78$ to $0.19$.
#
# The **cosine** schedule chooses $\bar\alpha$ first, so that the picture fades evenly, and finds $\beta$ from it:
#
# $$\beta_t=\min\Bigl(0.999,\ 1-\frac{f(t)}{f(t-1)}\Bigr),\qquad f(t)=\cos^2\Bigl(\frac{t/T+0.008}{1.008}\cdot\frac{\pi}{2}\Bigr). \tag{3.3}$$
#
# A last touch mends a schedule that stops too early. **On paper:** which linear map $\sqrt{\bar\alpha_t}\mapsto a\sqrt{\bar\alpha_t}+b$ keeps $\bar\alpha_0=1$ and makes $\bar\alpha_T=0$? The sequence $1,\ 0.64,\ 0.16$ becomes $1,\ 0.444,\ 0$.
#
# ### One step back, if you know the picture
#
# Samplers go backwards. Suppose somebody tells you $x_0$. Then $x_{t-1}$ has the prior $\mathcal N(\sqrt{\bar\alpha_{t-1}}\,x_0,\ 1-\bar\alpha_{t-1})$, and (3.1) is a measurement of it. **On paper:** multiply the two Gaussians. What are mean
# and variance of $q(x_{t-1}\mid x_t,x_0)$? With the numbers above, $x_0=1$ and $x_2=0$ you should find $\frac57=0.714$ and $\frac9{28}=0.321$ at $t=2$. With $x_0=0$ and $x_2=1$ the mean is $\frac3{14}=0.214$.
#
# ### Four names for one answer
#
# If you know $x_t$, each of these tells you all the others: the noise $\varepsilon$, the picture $x_0$, the score $-\varepsilon/\sqrt{1-\bar\alpha_t}$ (Question 2), and the velocity
#
# $$v=\sqrt{\bar\alpha_t}\;\varepsilon-\sqrt{1-\bar\alpha_t}\;x_0. \tag{3.4}$$
#
# So a network may be trained to output any of them. $(x_t,v)$ is $(x_0,\varepsilon)$ rotated: $1.4^2+0.2^2=1^2+1^2$ in the example, where $v=0.8-0.6$.

# %% role="answer"
def cosine_alpha_bar(T: int) -> Float[Tensor, "T+1"]:
    """The levels of (3.3) at t = 0 … T in float32, the product of all 1 - β up to t. The first is 1."""
    ### BEGIN SOLUTION
    t = torch.arange(T + 1, dtype=torch.float64)
    f = torch.cos((t / T + 0.008) / 1.008 * math.pi / 2).square()
    beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float()
    ### END SOLUTION


def zero_terminal_snr(alpha_bar: Float[Tensor, "T+1"]) -> Float[Tensor, "T+1"]:
    """The schedule after your linear map of its square roots. The first is 1, the last is exactly 0."""
    ### BEGIN SOLUTION
    root = alpha_bar.sqrt()
    return ((root - root[-1]) / (1 - root[-1])).square()
    ### END SOLUTION


def q_sample(
    x0: Float[Tensor, "N ..."], t: Int[Tensor, "N"], eps: Float[Tensor, "N ..."], alpha_bar: Float[Tensor, "T+1"]
) -> Float[Tensor, "N ..."]:
    """x_t of (3.2), each example at a time of its own; x0 has one or more axes. t is 0 … T, and t = 0 returns x0. Differentiable."""
    ### BEGIN SOLUTION
    level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return level.sqrt() * x0 + (1 - level).sqrt() * eps
    ### END SOLUTION


def posterior(
    x_t: Float[Tensor, "N ..."], x0: Float[Tensor, "N ..."], t: Int[Tensor, "N"], alpha_bar: Float[Tensor, "T+1"]
) -> tuple[Float[Tensor, "N ..."], Float[Tensor, "N ..."]]:
    """(mean, variance) of q(x_{t-1} | x_t, x0), each example at a time of its own. Differentiable in x_t and x0.

    Args:
        t: 1 … T. At t = 1 the result is (x0, 0).
        alpha_bar: falls strictly; its last entry may be 0.

    Returns:
        mean as x_t; variance of shape (N, 1, …, 1), with as many axes as x_t.
    """
    ### BEGIN SOLUTION
    now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))
    alpha = now / before
    mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)
    return mean, (1 - alpha) * (1 - before) / (1 - now)
    ### END SOLUTION


def convert(
    output: Float[Tensor, "*batch"], kind: str, x_t: Float[Tensor, "*batch"], alpha_bar_t: Float[Tensor, "*#batch"]
) -> dict[str, Float[Tensor, "*batch"]]:
    """What a network's output says of all four: a dict with the keys "eps", "x0", "v" and "score". Differentiable in output and x_t.

    Args:
        kind: which of the four the output is.
        alpha_bar_t: between 0 and 1, a single number or anything that broadcasts to x_t. It may be 0 for the kinds "x0" and "v".
    """
    ### BEGIN SOLUTION
    a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()
    x0 = {"x0": output, "eps": (x_t - s * output) / a, "v": a * x_t - s * output, "score": (x_t + s**2 * output) / a}[kind]
    eps = (x_t - a * x0) / s
    return {"eps": eps, "x0": x0, "v": a * eps - s * x0, "score": -eps / s}
    ### END SOLUTION

# %% role="check"
grader.check("q3")

# %% [markdown]
# ### The last step is not noise
#
# At the end of the linear schedule the SNR is $4\cdot10^{-5}$: the picture is multiplied by 0.006. Is that nothing? Take pictures that are all white ($+1$) or all black ($-1$), and look at the mean of $x_T$. Its sign is a guess at the colour.
#
# **Before you run this.** In which share of pictures of 256 × 256 pixels is this guess right? Blind guessing has 0.5.

# %%
guess_colour = None   # type a number between 0.5 and 1

# %%
colour_side = 256   # a knob: 16, 64, 512. What is the share for a large photograph?

q3_schedules = {"linear": linear_alpha_bar(1000), "cosine": cosine_alpha_bar(1000), "linear, zero at T": zero_terminal_snr(linear_alpha_bar(1000))}
q3_draws, colour_rows = dgm.generator(1), []
for name, levels in q3_schedules.items():
    colour_hits = []
    for _ in range(dgm.budget(smoke=1, cpu=40, gpu=40)):
        white = 2.0 * torch.randint(2, (25, 1, 1), generator=q3_draws) - 1
        last = q_sample(white.expand(25, colour_side, colour_side), torch.full((25,), 1000), torch.randn(25, colour_side, colour_side, generator=q3_draws), levels)
        colour_hits.append((last.mean((1, 2), keepdim=True).sign() == white).float().mean())
    exact = 0.5 + 0.5 * math.erf(colour_side * float((levels[-1] / (1 - levels[-1]) / 2).sqrt()))
    hopeless = int((levels < 0.01).sum())
    colour_rows.append((name, float(levels[-1] / (1 - levels[-1])), hopeless, float(torch.stack(colour_hits).mean()), f"{exact:.3f}", guess_colour if name == "linear" else None))
plot.table(colour_rows, header=("schedule", "SNR at T", "steps with ᾱ < 0.01", "colour guessed", "expected", "your guess"))
figure, ax = plot.subplots(width=8, height=3)
for name, levels in q3_schedules.items():
    ax.plot((levels / (1 - levels))[1:-1], label=name)
ax.set(yscale="log", ylim=(1e-6, 1e5), xlabel="t", ylabel="signal-to-noise ratio", title="Cosine spends its steps where pictures can still be seen")
ax.legend()
plt.show()

# %% [markdown]
# (Over five seeds: 0.943 to 0.956.) A model trained on the linear schedule learns to read the brightness from $x_T$. At sampling time it starts from pure noise, whose mean says "medium grey", and believes it. The first versions of Stable Diffusion had this fault: they could
# hardly draw a black picture (Lin et al., 2024). The mended schedule has no such leak. But at $\bar\alpha_T=0$ a network that outputs $\varepsilon$ has nothing to do, since $x_T=\varepsilon$. And a sampler has to visit $t=T$ (Question 6).
#
# ### What one error becomes
#
# Four names, one answer. Does it matter which one the network outputs? Let each be wrong by the same noise, of standard deviation 0.1.
#
# **Before you run this.** At $t=T$ of the linear schedule $\varepsilon$ is wrong by 0.1. By how much is $x_0$ wrong?

# %%
guess_error = None   # type a number

# %%
q3_error = 0.1   # a knob: how wrong the network is

kind_times = torch.tensor([1, 100, 300, 500, 700, 850, 1000])
kind_x0 = hook_letter.expand(7, 1, 28, 28)
kind_eps = hook_noise.expand(7, 1, 28, 28)
kind_level = linear_alpha_bar(1000)[kind_times].reshape(7, 1, 1, 1)
kind_x_t = q_sample(kind_x0, kind_times, kind_eps, linear_alpha_bar(1000))
kind_truth = convert(kind_x0, "x0", kind_x_t, kind_level)
kind_wrong = q3_error * torch.randn(7, 1, 28, 28, generator=dgm.generator(2))
figure, axes = plot.subplots(3, 7, width=9, height=4.4)
kind_rows = []
for row, (kind, expected) in zip(axes, {"eps": "15.7, 0.1", "x0": "0.1, 10", "v": "0.1, 0.1"}.items()):
    found = convert(kind_truth[kind] + kind_wrong, kind, kind_x_t, kind_level)
    misses = [(found[name] - kind_truth[name]).square().mean((1, 2, 3)).sqrt() for name in ("x0", "eps")]
    kind_rows.append((kind, float(misses[0][-1]), float(misses[1][0]), expected, guess_error if kind == "eps" else None))
    for ax, t, picture in zip(row, kind_times.tolist(), found["x0"]):
        plot.images(picture / 2 + 0.5, ax=ax)
        ax.set_title(f"{kind}, t = {t}" if t == 1 else f"{t}", fontsize=10)
figure.suptitle("The picture, by the same error in each kind of output: ε is blind at large t", fontsize=12)
plt.show()
plot.table(kind_rows, header=("network outputs", "error of x0 at t = 1000", "error of eps at t = 1", "expected", "your guess"))

# %% [markdown]
# An error in $\varepsilon$ is divided by $\sqrt{\bar\alpha_t}$ on its way to $x_0$: 157 times larger at $T$. An error in $x_0$ is divided by $\sqrt{1-\bar\alpha_t}$ on its way to $\varepsilon$. Only $v$ is safe at both ends, because a rotation
# makes nothing longer.
#
# ### Back, with the answer known
#
# The first walk below starts from pure noise, and follows your `posterior` with the true $x_0=1.5$. The second adds noise by (3.1).

# %%
bridge_T = 40   # a knob: 5 and 400. Does the spread at a given share of the way depend on it?

bridge_levels = zero_terminal_snr(cosine_alpha_bar(bridge_T))
bridge_draws = torch.randn(2, bridge_T + 1, 2000, 1, generator=dgm.generator(3))
back_walk, there_walk = [bridge_draws[0, -1]], [torch.full((2000, 1), 1.5)]
for t in range(bridge_T, 0, -1):
    bridge_mean, bridge_variance = posterior(back_walk[0], there_walk[0], torch.full((2000,), t), bridge_levels)
    back_walk.insert(0, bridge_mean + bridge_variance.sqrt() * bridge_draws[0, t - 1])
for t in range(1, bridge_T + 1):
    alpha = bridge_levels[t] / bridge_levels[t - 1]
    there_walk.append(alpha.sqrt() * there_walk[-1] + (1 - alpha).sqrt() * bridge_draws[1, t])
figure, axes = plot.subplots(1, 2, width=10, height=3.2, sharey=True)
bridge_rows = []
for ax, walk, title in zip(axes, (back_walk, there_walk), ("from noise back to 1.5", "from 1.5 to noise")):
    walk = torch.cat(walk, 1)
    ax.plot(walk[:40].T, color=plot.COLORS[0], alpha=0.25, linewidth=0.8)
    for side in (-2, 2):
        ax.plot(1.5 * bridge_levels.sqrt() + side * (1 - bridge_levels).sqrt(), color=plot.COLORS[1], linestyle="--")
    outside = float(((walk[:, 1:] - 1.5 * bridge_levels.sqrt()[1:]).abs() > 2 * (1 - bridge_levels).sqrt()[1:]).float().mean())
    bridge_rows.append((title, f"{outside:.1%}", "4.6%"))
    ax.set(xlabel="t", title=f"The walk {title}")
figure.suptitle("Both walks fill the band of two standard deviations by (3.2)", fontsize=12)
plt.show()
plot.table(bridge_rows, header=("walk", "beyond two deviations", "expected"))

# %% [markdown]
# At each $t$ both walks have the law (3.2). A real sampler lacks only $x_0$. It puts a network's guess there, and guesses anew after each step.
#
# **What to remember**
# - $t$ steps of noise are one jump; a schedule is the list $\bar\alpha_0=1,\dots,\bar\alpha_T$, and should end at 0.
# - Given $x_t$, the noise, the picture, the score and $v$ are the same knowledge, but their errors are not the same.
# - The way back is Gaussian if $x_0$ is known.
#
# `q_sample` makes the training data of Question 5; `posterior` and `convert` become the samplers of Question 6.

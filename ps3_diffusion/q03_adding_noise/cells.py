# %% [markdown]
# One letter and one noise image, mixed in two ways. Where does each row spend its steps?

# %% role="given"
def linear_alpha_bar(T: int = 1000) -> Float[Tensor, "T+1"]:
    # the schedule of the first diffusion models: beta_t rises in a straight line
    beta = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T
    return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float()

# %%
fade_times = range(0, 1001, 125)
fade_letter = 2 * data.glyphs(1, seed=5, classes="R")[0] - 1   # from -1 (black) to 1 (white)
fade_noise = torch.randn(1, 1, 28, 28, generator=dgm.generator(0))
fade_levels = {"linear": linear_alpha_bar(), "cosine": torch.linspace(0.0079, 1, 1001).mul(math.pi / 2).cos().square()}
figure, axes = plot.subplots(2, len(fade_times), width=10, height=2.7)
for row, (fade_name, fade_level) in zip(axes, fade_levels.items()):
    for ax, fade_t in zip(row, fade_times):
        fade_noisy = fade_level[fade_t].sqrt() * fade_letter + (1 - fade_level[fade_t]).sqrt() * fade_noise
        plot.images(fade_noisy / 2 + 0.5, ax=ax)
        ax.set_title(f"{fade_name}\nt = {fade_t}" if fade_t == 0 else f"\n{fade_t}", fontsize=10)
figure.suptitle("After 500 of 1,000 steps the linear schedule has little left to destroy", fontsize=12)
plt.show()

# %% [markdown]
# A diffusion model learns to undo one small step of noise. If a step adds little noise, the way back is nearly Gaussian, and a network only has to say its mean. So the way to noise is cut into $T$
# steps, and the cuts decide what a network gets to see.
#
# ### One jump instead of t steps
#
# Each step shrinks the picture and adds a little noise, so that the variance stays near 1:
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
# Samplers go backwards. Suppose you know $x_0$. Then $x_{t-1}$ has the prior $\mathcal N(\sqrt{\bar\alpha_{t-1}}\,x_0,\ 1-\bar\alpha_{t-1})$, and (3.1) is a measurement of it. **On paper:** multiply the two Gaussians. What are mean
# and variance of $q(x_{t-1}\mid x_t,x_0)$? With the numbers above, $x_0=1$ and $x_2=0$ you should find $\frac57=0.714$ and $\frac9{28}=0.321$ at $t=2$; with $x_0=0$ and $x_2=1$, the mean $\frac3{14}$.
#
# ### Four names for one answer
#
# Given $x_t$, each of these tells you all the others: the noise $\varepsilon$, the picture $x_0$, the score $-\varepsilon/\sqrt{1-\bar\alpha_t}$ (Question 2), and the velocity
#
# $$v=\sqrt{\bar\alpha_t}\;\varepsilon-\sqrt{1-\bar\alpha_t}\;x_0. \tag{3.4}$$
#
# So a network may output any of them. $(x_t,v)$ is $(x_0,\varepsilon)$ rotated: $1.4^2+0.2^2=1^2+1^2$ in the example, where $v=0.8-0.6$.

# %% role="answer"
def cosine_alpha_bar(T: int) -> Float[Tensor, "T+1"]:
    """The levels of (3.3) at t = 0 … T, each the product of all 1 - β up to t. The first is 1. Returned in float32."""
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
    """x_t of (3.2), each example at its own t = 0 … T; x0 has one or more axes. t = 0 returns x0. Differentiable."""
    ### BEGIN SOLUTION
    level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return level.sqrt() * x0 + (1 - level).sqrt() * eps
    ### END SOLUTION


def posterior(
    x_t: Float[Tensor, "N ..."], x0: Float[Tensor, "N ..."], t: Int[Tensor, "N"], alpha_bar: Float[Tensor, "T+1"]
) -> tuple[Float[Tensor, "N ..."], Float[Tensor, "N ..."]]:
    """(mean, variance) of q(x_{t-1} | x_t, x0), each example at its own t. Differentiable in x_t and x0.

    Args:
        t: 1 … T. At t = 1 the result is (x0, 0).
        alpha_bar: falls strictly; its last entry may be 0.

    Returns:
        mean as x_t; variance of shape (N, 1, …, 1), as many axes as x_t.
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
        alpha_bar_t: above 0 and below 1, for the kinds "x0" and "v" also 0; a tensor that broadcasts to x_t.
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
# At the end of the linear schedule the SNR is $4\cdot10^{-5}$: the picture is multiplied by 0.006. Is that nothing? Take pictures that are all white ($+1$) or all black ($-1$), and guess the colour by the sign of the mean of $x_T$.
#
# **Before you run this.** In which share of pictures of 256 × 256 pixels is this right? Blind guessing gets 0.5.

# %%
guess_colour = None   # type a number between 0.5 and 1

# %%
colour_side = 256   # a knob: 16, 64, 512. What is the share for a large photograph?

colour_schedules = {"linear": linear_alpha_bar(1000), "cosine": cosine_alpha_bar(1000), "linear, zero at T": zero_terminal_snr(linear_alpha_bar(1000))}
colour_draws, colour_rows = dgm.generator(1), []
for colour_name, colour_levels in colour_schedules.items():
    colour_hits = []
    for _ in range(dgm.budget(smoke=1, cpu=40, gpu=40)):
        colour_white = 2.0 * torch.randint(2, (25, 1, 1), generator=colour_draws) - 1
        colour_noise = torch.randn(25, colour_side, colour_side, generator=colour_draws)
        colour_last = q_sample(colour_white.expand_as(colour_noise), torch.full((25,), 1000), colour_noise, colour_levels)
        colour_hits.append((colour_last.mean((1, 2), keepdim=True).sign() == colour_white).float().mean())
    colour_snr = float(colour_levels[-1] / (1 - colour_levels[-1]))
    colour_exact = 0.5 + 0.5 * math.erf(colour_side * math.sqrt(colour_snr / 2))
    colour_few = int((colour_levels < 0.01).sum())
    colour_rows.append((colour_name, colour_snr, colour_few, float(torch.stack(colour_hits).mean()), f"{colour_exact:.3f}", guess_colour if colour_name == "linear" else None))
plot.table(colour_rows, header=("schedule", "SNR at T", "steps with ᾱ < 0.01", "colour guessed", "in theory", "your guess"))
figure, ax = plot.subplots(width=8, height=3)
for colour_name, colour_levels in colour_schedules.items():
    ax.plot((colour_levels / (1 - colour_levels))[1:-1], label=colour_name)
ax.set(yscale="log", ylim=(1e-6, 1e5), xlabel="t", ylabel="signal-to-noise ratio", title="Cosine spends its steps where pictures can still be seen")
ax.legend()
plt.show()

# %% [markdown]
# (Over five seeds: 0.943 to 0.956.) A model trained on it learns to read the brightness off $x_T$. When it draws, pure noise says "medium grey", and it believes that. Stable Diffusion up to version 2.1 hardly drew dark
# pictures for this reason (Lin et al., 2024). The mended schedule leaks nothing. But at $\bar\alpha_T=0$ a network that outputs $\varepsilon$ has nothing to do, since $x_T=\varepsilon$, and a sampler has to visit $t=T$ (Question 6).
#
# ### What one error becomes
#
# Let each output be wrong by the same noise, of standard deviation 0.1.
#
# **Before you run this.** At $t=T$ of the linear schedule $\varepsilon$ is wrong by 0.1. By how much is $x_0$ wrong?

# %%
guess_error = None   # type a number

# %%
kind_error = 0.1   # a knob: how wrong the network is

kind_times = torch.tensor([1, 100, 300, 500, 700, 850, 1000])
kind_x0 = fade_letter.expand(7, 1, 28, 28)
kind_eps = fade_noise.expand(7, 1, 28, 28)
kind_level = linear_alpha_bar(1000)[kind_times].reshape(7, 1, 1, 1)
kind_x_t = q_sample(kind_x0, kind_times, kind_eps, linear_alpha_bar(1000))
kind_truth = convert(kind_x0, "x0", kind_x_t, kind_level)
kind_wrong = kind_error * torch.randn(7, 1, 28, 28, generator=dgm.generator(2))
figure, axes = plot.subplots(3, 7, width=9, height=4.4)
kind_rows = []
for row, (kind_name, kind_expected) in zip(axes, {"eps": "15.7, 0.1", "x0": "0.1, 10", "v": "0.1, 0.1"}.items()):
    kind_found = convert(kind_truth[kind_name] + kind_wrong, kind_name, kind_x_t, kind_level)
    kind_misses = [(kind_found[name] - kind_truth[name]).square().mean((1, 2, 3)).sqrt() for name in ("x0", "eps")]
    kind_rows.append((kind_name, float(kind_misses[0][-1]), float(kind_misses[1][0]), kind_expected, guess_error if kind_name == "eps" else None))
    for ax, kind_t, kind_picture in zip(row, kind_times.tolist(), kind_found["x0"]):
        plot.images(kind_picture / 2 + 0.5, ax=ax)
        ax.set_title(f"{kind_name}, t = {kind_t}" if kind_t == 1 else f"{kind_t}", fontsize=10)
figure.suptitle("The same error in each kind of output: ε is blind at large t (x0 spoils ε: see the table)", fontsize=12)
plt.show()
plot.table(kind_rows, header=("network outputs", "error of x0 at t = 1000", "error of eps at t = 1", "expected", "your guess"))

# %% [markdown]
# An error in $\varepsilon$ is divided by $\sqrt{\bar\alpha_t}$ on its way to $x_0$: 157 times larger at $T$. An error in $x_0$ is divided by $\sqrt{1-\bar\alpha_t}$ on its way to $\varepsilon$. Only $v$ is safe at both ends: a rotation
# makes nothing longer.
#
# ### Back, with the answer known
#
# The first walk starts from pure noise and follows your `posterior` with $x_0=1.5$. The second adds noise by (3.1).

# %%
bridge_T = 40   # a knob: 5 and 400. Does the spread at a given share of the way depend on it?

bridge_levels = zero_terminal_snr(cosine_alpha_bar(bridge_T))
bridge_draws = torch.randn(2, bridge_T + 1, 2000, 1, generator=dgm.generator(3))
bridge_back, bridge_there = [bridge_draws[0, -1]], [torch.full((2000, 1), 1.5)]
for bridge_t in range(bridge_T, 0, -1):
    bridge_mean, bridge_variance = posterior(bridge_back[0], bridge_there[0], torch.full((2000,), bridge_t), bridge_levels)
    bridge_back.insert(0, bridge_mean + bridge_variance.sqrt() * bridge_draws[0, bridge_t - 1])
for bridge_t in range(1, bridge_T + 1):
    bridge_alpha = bridge_levels[bridge_t] / bridge_levels[bridge_t - 1]
    bridge_there.append(bridge_alpha.sqrt() * bridge_there[-1] + (1 - bridge_alpha).sqrt() * bridge_draws[1, bridge_t])
figure, axes = plot.subplots(1, 2, width=10, height=3.2, sharey=True)
bridge_rows = []
for ax, bridge_walk, bridge_name in zip(axes, (bridge_back, bridge_there), ("from noise back to 1.5", "from 1.5 to noise")):
    bridge_walk = torch.cat(bridge_walk, 1)
    ax.plot(bridge_walk[:40].T, color=plot.COLORS[0], alpha=0.25, linewidth=0.8)
    for bridge_side in (-2, 2):
        ax.plot(1.5 * bridge_levels.sqrt() + bridge_side * (1 - bridge_levels).sqrt(), color=plot.COLORS[1], linestyle="--")
    bridge_far = float(((bridge_walk[:, 1:] - 1.5 * bridge_levels.sqrt()[1:]).abs() > 2 * (1 - bridge_levels).sqrt()[1:]).float().mean())
    bridge_rows.append((bridge_name, f"{bridge_far:.1%}", "4.6%"))
    ax.set(xlabel="t", title=f"The walk {bridge_name}")
figure.suptitle("Both walks fill the band of two standard deviations by (3.2)", fontsize=12)
plt.show()
plot.table(bridge_rows, header=("walk", "beyond two deviations", "expected"))

# %% [markdown]
# A real sampler lacks only $x_0$, and puts a network's guess there, new in each step.
#
# **What to remember**
# - $t$ steps of noise are one jump; a schedule is the list $\bar\alpha_0=1,\dots,\bar\alpha_T$, and should end at 0.
# - Given $x_t$, noise, picture, score and $v$ are the same knowledge, but their errors differ.
# - The way back is Gaussian if $x_0$ is known.
#
# `q_sample` makes the training data of Question 5; `posterior` and `convert` become the samplers of Question 6.

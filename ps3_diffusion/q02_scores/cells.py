# %% [markdown]
# A 9 under more and more noise, and what 2,000 clean pictures say about it.

# %%
glyph_known = data.glyphs(2000, size=16)[0].flatten(1)
glyph_clean = data.glyphs(8, size=16, split="test", seed=3)[0].flatten(1)[5]
glyph_std, glyph_sigmas = 0.1, (0.25, 0.5, 1.0, 2.0, 4.0)
glyph_noise = torch.randn(256, generator=dgm.generator(0))


def glyph_guess(noisy: Float[Tensor, "D"], sigma: float) -> tuple[Tensor, Tensor]:
    # Bayes: mean and standard deviation of each clean pixel, the data being small clouds around the known pictures
    total = glyph_std**2 + sigma**2
    share = torch.softmax(-(glyph_known - noisy).square().sum(1) / (2 * total), 0)
    centres = glyph_known + glyph_std**2 / total * (noisy - glyph_known)
    mean = share @ centres
    return mean, (share @ (centres - mean).square() + glyph_std**2 * sigma**2 / total).sqrt()


figure, axes = plot.subplots(3, 5, width=9, height=5.6)
for column, sigma in zip(axes.T, glyph_sigmas):
    glyph_noisy = glyph_clean + sigma * glyph_noise
    for ax, picture, top in zip(column, (glyph_noisy, *glyph_guess(glyph_noisy, sigma)), (1, 1, 0.5)):
        ax.imshow(picture.reshape(16, 16), cmap="gray", vmin=0, vmax=top)
        ax.set(xticks=[], yticks=[])
    column[0].set_title(f"noise σ = {sigma:g}")
for ax, name in zip(axes[:, 0], ("seen", "mean", "unsure (std)")):
    ax.set_ylabel(name)
figure.suptitle("With more noise the doubt grows: about strokes, then about the digit")
plt.show()

# %% [markdown]
# The second row is the best guess, the average of all clean pictures that fit. The third row says how much these differ. Both are hidden in one function of the noisy picture, its **score** $\nabla\log p$.
#
# ### Hills pull
#
# Let data be $K$ hills with weights $\pi_k$, means $\mu_k$, and one variance $v$ in all directions. Each hill pulls towards its mean, and counts by its share in the density at $x$:
#
# $$\nabla\log p(x)=\sum_k r_k(x)\,\frac{\mu_k-x}{v},\qquad r_k(x)\propto\pi_k\,\mathcal N(x;\mu_k,vI),\quad\sum_kr_k=1. \tag{2.1}$$
#
# On a line, take two equal hills at $\pm1$ with $v=1$, and stand at $x=0.5$. The shares are $0.73$ and $0.27$, so the score is $0.73\cdot0.5-0.27\cdot1.5=-0.04$: nearly balanced. Noise of standard
# deviation $\sigma$ only makes $v$ into $v+\sigma^2$.
#
# ### What the score knows
#
# Let $x=x_0+\sigma\varepsilon$, with clean data $x_0$. Its density averages a Gaussian over the data,
#
# $$p_\sigma(x)=\int\mathcal N(x;x_0,\sigma^2I)\,p(x_0)\,dx_0. \tag{2.2}$$
#
# **On paper.** Differentiate (2.2) under the integral and divide by $p_\sigma(x)$: which formula gives $\mathbb E[x_0\mid x]$ from $x$, $\sigma$ and the score $s$? Differentiate once more: which gives the covariance of $x_0$ given $x$, from
# $\sigma$ and the Jacobian of the score, $J_{ij}=\partial s_i/\partial x_j$? These are **Tweedie's formulas**. For $p=\mathcal N(0,1)$ and $\sigma=1$, $s=-x/2$ and $J=-\frac12$; mean and variance must come out as $x/2$ and $\frac12$.
#
# ### A score from data alone
#
# Nobody has the density of pictures. But everybody can make noise. **Denoising score matching** has a model predict, at $x_0+\sigma\varepsilon$, the direction back, $-\varepsilon/\sigma$:
#
# $$L=\mathbb E\,\bigl\|\sigma\,s(x_0+\sigma\varepsilon,\sigma)+\varepsilon\bigr\|^2. \tag{2.3}$$
#
# The factor $\sigma$ inside weighs the squared error of the score by $\sigma^2$, so all noise levels count alike.
#
# ### Down a ladder of noise
#
# Langevin dynamics (Question 1) stays on the hill that it meets first. **Annealed** Langevin dynamics takes some steps on the density with much noise, where all hills are one, then with less and less. Each level
# begins where the last one ended; its step $\eta=c\,\sigma^2$ suits the width of its hills.

# %% role="given"
def mixture_log_prob(x: Float[Tensor, "N D"], weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], variance: float) -> Float[Tensor, "N"]:
    # log-density of the hills; with noise, variance is v + σ²
    square = (x[:, None] - means).square().sum(-1)
    return (weights.log() - square / (2 * variance)).logsumexp(1) - x.shape[1] / 2 * math.log(2 * math.pi * variance)


def slopes_of(score, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D D"]:
    # the Jacobian of a score at each point, by autograd
    return torch.func.vmap(torch.func.jacrev(lambda one: score(one[None])[0], chunk_size=32))(x)

# %% role="answer"
def mixture_score(x: Float[Tensor, "N D"], weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], variance: float) -> Float[Tensor, "N D"]:
    """(2.1); weights > 0 sum to 1.

    Differentiable in x. Right also where all densities are 0 in float32, as far as rounding of squares allows.
    """
    ### BEGIN SOLUTION
    away = means - x[:, None]
    share = torch.softmax(weights.log() - away.square().sum(-1) / (2 * variance), 1)
    return (share[..., None] * away).sum(1) / variance
    ### END SOLUTION


def tweedie(
    x: Float[Tensor, "N D"], score: Float[Tensor, "N D"], jacobian: Float[Tensor, "N D D"], sigma: float
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D D"]]:
    """Mean and covariance of x_0 given x = x_0 + sigma * epsilon, your derivation.

    Args:
        score, jacobian: of the density of x, at x.
    """
    ### BEGIN SOLUTION
    identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return x + sigma**2 * score, sigma**2 * identity + sigma**4 * jacobian
    ### END SOLUTION


def denoising_score_loss(model, x0: Float[Tensor, "N D"], sigma: Float[Tensor, "N"], eps: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """(2.3): the sum over dimensions, the mean over examples.

    Args:
        model: ``model(x, sigma)`` is a score (N, D), for noisy x; the loss is differentiable in its parameters.
        sigma: > 0, one for each example.
    """
    ### BEGIN SOLUTION
    spread = sigma[:, None]
    return (spread * model(x0 + spread * eps, sigma) + eps).square().sum(1).mean()
    ### END SOLUTION


def annealed_langevin(
    score, x: Float[Tensor, "N D"], sigmas: Float[Tensor, "L"], step: float, noise: Float[Tensor, "L S N D"]
) -> Float[Tensor, "L+1 N D"]:
    """x, and the states at the end of each level; a level has S steps of `langevin`.

    Args:
        score: ``score(x, sigma)``, sigma an entry of sigmas, a tensor without axes.
        sigmas: the noise of each level, in the order in which they are walked.
        step: c; the Langevin step of a level is c * sigma**2.
        noise: the epsilon of each step of each level.
    """
    ### BEGIN SOLUTION
    ends = [x]
    for sigma, kicks in zip(sigmas, noise):
        walk = langevin(lambda x: score(x, sigma), ends[-1], step * float(sigma) ** 2, kicks)
        ends.append(walk[-1])
    return torch.stack(ends)
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# The 9 at $\sigma=\frac12$, now by your score and its derivative alone: do you find the same as Bayes?

# %%
glyph_sigma = 0.5  # a knob: 0.7, and 1. Where does the doubt go?


def glyph_score(x):
    return mixture_score(x, torch.full((2000,), 1 / 2000), glyph_known, glyph_std**2 + glyph_sigma**2)


glyph_noisy = (glyph_clean + glyph_sigma * glyph_noise)[None]
glyph_mean, glyph_cov = tweedie(glyph_noisy, glyph_score(glyph_noisy), slopes_of(glyph_score, glyph_noisy), glyph_sigma)
found_std, (bayes_mean, bayes_std) = glyph_cov[0].diagonal().clamp(min=0).sqrt(), glyph_guess(glyph_noisy[0], glyph_sigma)
figure, axes = plot.subplots(1, 3, width=8, height=2.7)
for ax, picture, top, title in zip(axes, (glyph_clean, glyph_mean[0], found_std), (1, 1, 0.5), ("clean", "your mean", "your std")):
    ax.imshow(picture.reshape(16, 16), cmap="gray", vmin=0, vmax=top)
    ax.set(xticks=[], yticks=[], title=title)
plt.show()
plot.table([("mean", f"{float((glyph_mean[0] - bayes_mean).abs().max()):.0e}"), ("std", f"{float((found_std - bayes_std).abs().max()):.0e}")], header=("", "largest difference from Bayes"))

# %% [markdown]
# ### How good can a model be?
#
# Three hills in the plane, with $v=\frac14$, and a model that *is* the exact score. **Before you run this:** what is its loss (2.3) at $\sigma=\frac12$? A model that always answers 0 has 2.

# %%
guess_floor = None  # type a number

# %%
hill_gap = 4.0  # a knob: 1, and 20. Which part of the curve moves, and which stays? (Then back to 4.)

three_weights, three_variance = torch.tensor([0.15, 0.25, 0.6]), 0.25
three_means = hill_gap * torch.tensor([[-1.0, -0.5], [1.0, -0.5], [0.0, 1.125]])


def three_score(x, sigma):
    return mixture_score(x, three_weights, three_means, three_variance + float(sigma) ** 2)


def three_draws(n: int, generator) -> Float[Tensor, "n 2"]:
    which = torch.multinomial(three_weights, n, replacement=True, generator=generator)
    return three_means[which] + math.sqrt(three_variance) * torch.randn(n, 2, generator=generator)


floor_draws, floor_sigmas = dgm.generator(0), torch.logspace(-1.5, 1.5, 25)
floor_x0, floor_eps = three_draws(4000, floor_draws), torch.randn(4000, 2, generator=floor_draws)


def floor_at(sigma) -> tuple[float, float]:
    # the exact score's loss, and the trace of Tweedie's covariance over σ²
    loss = denoising_score_loss(lambda x, s: three_score(x, sigma), floor_x0, torch.full((4000,), float(sigma)), floor_eps)
    x = floor_x0 + sigma * floor_eps
    cov = tweedie(x, three_score(x, sigma), slopes_of(lambda x: three_score(x, sigma), x), float(sigma))[1]
    return float(loss), float(cov.diagonal(dim1=1, dim2=2).sum(1).mean()) / float(sigma) ** 2


floor_pairs = torch.tensor([floor_at(sigma) for sigma in floor_sigmas])
figure, ax = plot.subplots(width=8, height=3)
ax.semilogx(floor_sigmas, floor_pairs[:, 0], label="loss of the exact score")
ax.semilogx(floor_sigmas, floor_pairs[:, 1], "o", markersize=4, label="variance left, by Tweedie, over σ²")
ax.set(xlabel="noise σ", ylabel="loss", title="Even the exact score has a loss: what nobody can know")
ax.legend()
plt.show()
plot.table([("loss of the exact score at σ = 1/2", floor_at(torch.tensor(0.5))[0], guess_floor)], header=("", "yours", "your guess"))

# %% [markdown]
# Its loss is 1.01 (over eight draws of 4,000: 0.98 to 1.04). Nobody can read the noise of one draw off $x$; what is left is Tweedie's variance. With little noise it is that of the noise itself: 2, one for
# each dimension. At $\sigma=1$ it is clear which hill, and most of the noise is known. Around $\sigma=3$ the hill itself is in doubt: the bump.
#
# ### Which hill?
#
# The same 2,000 walkers, started far out, take 480 steps twice: by plain Langevin dynamics on the nearly clean density, and down the ladder. The top hill has weight 0.6. **Before you run this:** which share of the plain walkers ends there?

# %%
guess_top = None  # type a number

# %%
ladder_steps, ladder_high = 40, 8.0  # two knobs: 5 steps a level, or a highest noise of 1. Which shares suffer, and why?

ladder_draws, ladder_levels = dgm.generator(0), 12
ladder_sigmas = torch.logspace(math.log10(ladder_high), -1, ladder_levels)
ladder_start = 8 * torch.randn(2000, 2, generator=ladder_draws)
ladder_noise = torch.randn(ladder_levels, ladder_steps, 2000, 2, generator=ladder_draws)
plain_path = langevin(lambda x: three_score(x, 0.1), ladder_start, 0.05, ladder_noise.flatten(0, 1))[::ladder_steps]
ladder_path = annealed_langevin(three_score, ladder_start, ladder_sigmas, 0.2, ladder_noise)
figure, axes = plot.subplots(2, 5, width=10, height=4.8, sharex=True, sharey=True)
ladder_shown, ladder_rows = [0, *(round(part * (ladder_levels - 1)) + 1 for part in (0, 0.4, 0.6, 1))], [("true", *three_weights.tolist(), None)]
for row, path, name in zip(axes, (plain_path, ladder_path), ("plain", "annealed")):
    for ax, level in zip(row, ladder_shown):
        sigma = 0.1 if name == "plain" else float(ladder_sigmas[max(level - 1, 0)])
        plot.density2d(lambda x: mixture_log_prob(x, three_weights, three_means, three_variance + sigma**2), (-11, 11), (-11, 11), ax=ax)
        ax.plot(*path[level, :250].T, "o", color=plot.COLORS[1], markersize=1.5)
        ax.set(xlim=(-11, 11), ylim=(-11, 11), title=f"{name}, σ = {sigma:.2g}", xlabel="" if name == "plain" else f"after {level * ladder_steps:,} steps" if level else "start")
    ladder_near = torch.cdist(path[-1], three_means).argmin(1)
    ladder_shares = [float((ladder_near == k).double().mean()) for k in range(3)]
    ladder_rows.append((name, *ladder_shares, guess_top if name == "plain" else None))
figure.suptitle("Plain walkers fall on the nearest hill; on the ladder there is one hill first")
plt.show()
plot.table(ladder_rows, header=("shares", "left hill", "right hill", "top hill", "your guess"))

# %% [markdown]
# Near one hill the score says nothing of its weight. Plain walkers only know where they came from: about a third each. While $\sigma$ is large, walkers cross freely and the weights count. (Over
# six seeds the top hill gets 0.32 to 0.34, and on the ladder 0.55 to 0.58, a little short of 0.6 as the walk is finite.)
#
# ### Why? (3 points)
#
# At most six lines. The target of (2.3) is $-\varepsilon/\sigma$, the noise of a single draw. Why does the best model answer with the score of $p_\sigma$ all the same, and why is the loss that remains the variance of $x_0$ given $x$, over $\sigma^2$?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# Many pairs $(x_0,\varepsilon)$ lead to the same $x$, and the model sees $x$ alone. The prediction with the least mean squared error is the mean of the target over all of them, $\mathbb E[-\varepsilon/\sigma\mid x]$.
#
# As $\varepsilon=(x-x_0)/\sigma$, that is $(\mathbb E[x_0\mid x]-x)/\sigma^2$, which is the score of $p_\sigma$ by Tweedie's first formula.
#
# What remains is the spread of the target around its mean, times $\sigma^2$: the variance of $\varepsilon$ given $x$, summed over dimensions. Given $x$, $\varepsilon$ is $x_0$ up to a constant and the factor $-1/\sigma$, so it is the trace of $\mathrm{Cov}(x_0\mid x)$ over $\sigma^2$. No model sees more than $x$,
# so none can be lower.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - The score and the noise level give the mean of the clean data; the score's slope gives their covariance.
# - A denoiser learns the score without a density, and its best loss is not 0.
# - A score is local. Noise makes it see far.
#
# Question 10 draws with the exact score of a data set.

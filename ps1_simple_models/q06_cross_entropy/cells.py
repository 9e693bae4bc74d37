# %% [markdown]
# Two models of the same zeros and ones, a single Gaussian each. The first is fitted to all images. The second imitates what the *other* direction of the same
# divergence prefers: it is fitted to the zeros alone. Run the cell, and look at what they draw.

# %%
two_glyphs, is_one = data.glyphs(2000, size=28, classes="01")
zeros_only = two_glyphs[is_one == 0]
noise = torch.randn(10, 784, generator=dgm.generator(1))
drawn = []
for images in (two_glyphs, zeros_only):
    covariance = torch.cov(images.flatten(1).T) + 1e-4 * torch.eye(784)
    drawn.append(images.flatten(1).mean(0) + noise @ torch.linalg.cholesky(covariance).T)
figure, axes = plot.subplots(3, 1, width=9.5, height=3.9)
titles = ("data", "one Gaussian, KL(data || model) smallest: covers both", "one Gaussian, as KL(model || data) prefers it: forgets the ones")
for ax, images, title in zip(axes, (two_glyphs[:10], *drawn), titles):
    plot.images(images.reshape(-1, 28, 28), ncols=10, ax=ax, suptitle=title)
plt.show()

# %% [markdown]
# The middle row shows ghosts, half zero and half one. The last row shows noisy zeros, hardly ever a one. Which of the two is maximum likelihood?
#
# ### What maximum likelihood minimises
#
# Let $\hat p(v)$ be the share of the value $v\in\{1,\dots,K\}$ among $N$ examples. Sorted by value, the mean NLL is an expectation under $\hat p$, called the **cross-entropy**:
#
# $$-\frac1N\sum_{n=1}^N\log q(x_n)=-\sum_{v=1}^K \hat p(v)\log q(v)=H(\hat p,q). \tag{6.1}$$
#
# It splits into a part that no model can change and one that a perfect model makes zero:
#
# $$H(p,q)=\underbrace{-\sum_v p(v)\log p(v)}_{\text{entropy }H(p)}\;+\;\underbrace{\sum_v p(v)\log\frac{p(v)}{q(v)}}_{\mathrm{KL}(p\,\|\,q)\;\ge\;0}. \tag{6.2}$$
#
# So maximum likelihood minimises $\mathrm{KL}(\text{data}\,\|\,\text{model})$. For $p=(\tfrac12,\tfrac12,0)$ and $q=(\tfrac14,\tfrac14,\tfrac12)$, half of $q$ lies where nothing
# occurs, and $\mathrm{KL}(p\,\|\,q)=\log 2$. Exchanged, $\mathrm{KL}(q\,\|\,p)=\infty$. Terms with $p=0$ are zero, whatever $q$ is.
#
# ### Binary pixels
#
# For a pixel $x\in\{0,1\}$ a network gives a **logit** $a$, any real number: $q(1)=\sigma(a)=1/(1+e^{-a})$ and $q(0)=\sigma(-a)$. In one formula,
#
# $$\log q(x)=x\log\sigma(a)+(1-x)\log\sigma(-a). \tag{6.3}$$
#
# At $a=0$ both values cost $\log2$. A grey $x$ counts as a share of ones. **On paper:** show that $-\log\sigma(a)=\log(1+e^{-a})$, and that the derivative of (6.3) by $a$
# is $x-\sigma(a)$; the check compares your gradients. Typed as it stands, (6.3) fails where a network is sure:

# %%
logit = torch.linspace(0, 30, 601)
figure, ax = plot.subplots(width=8, height=3)
ax.plot(logit, torch.log1p(torch.exp(logit.double())), color=plot.COLORS[0], label="exact")
ax.plot(logit, -torch.log(1 - torch.sigmoid(logit)), color=plot.COLORS[1], label="-log(1 - σ(a)), as typed, in float32")
ax.set(xlabel="logit a", ylabel="loss of x = 0, nats", title="Sure and wrong: the typed loss has steps, and ends at a = 17 (infinite)")
ax.legend()
plt.show()

# %% [markdown]
# ### Generative models are classifiers
#
# Give each class a share $\pi_k$ and a density $p(x\mid k)$. By Bayes' rule a class is as probable as its part of the whole density at $x$:
#
# $$\log p(y=k\mid x)=\log\pi_k+\log p(x\mid k)-\log\sum_{j=1}^K e^{\log\pi_j+\log p(x\mid j)}, \tag{6.4}$$
#
# a log-softmax over the classes. Let all classes be Gaussians with *one* covariance:
#
# $$\log p(x\mid k)=-\tfrac12(x-\mu_k)^\top\Sigma^{-1}(x-\mu_k)-\tfrac12\log|2\pi\Sigma|. \tag{6.5}$$
#
# **On paper:** multiply the square out, and drop from (6.4) what is the same for all classes. What stays is linear in $x$, so $p(y\mid x)=\operatorname{softmax}(Wx+b)$. Read off $W$ and
# $b$. For $\mu=\pm1$, $\Sigma=1$ and equal shares you should find $p(+\mid x)=\sigma(2x)$.

# %% role="answer"
def cross_entropy(p: Float[Tensor, "*#batch K"], q: Float[Tensor, "*#batch K"]) -> Float[Tensor, "*batch"]:
    """Cross-entropy H(p, q) of categorical distributions in nats, equation (6.1).

    Args:
        p, q: probabilities along the last axis; leading axes broadcast. Exact zeros are allowed: a term with p = 0
            is 0 whatever q is, one with p > 0 and q = 0 makes the result +inf.

    Returns:
        One number for each pair of distributions.
    """
    ### BEGIN SOLUTION
    return -torch.xlogy(p, q).sum(-1)
    ### END SOLUTION


def kl_divergence(p: Float[Tensor, "*#batch K"], q: Float[Tensor, "*#batch K"]) -> Float[Tensor, "*batch"]:
    """KL(p || q) in nats, equation (6.2); arguments and zeros as in `cross_entropy`."""
    ### BEGIN SOLUTION
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)
    ### END SOLUTION

# %% role="answer"
def bernoulli_log_prob(logits: Float[Tensor, "N D ..."], x: Float[Tensor, "N D ..."]) -> Float[Tensor, "N"]:
    """Log-probability of each example's binary values in nats, equation (6.3), summed over all axes but the first.

    Args:
        logits: a, of any finite size: x = 0 at a = 1000 gives -1000.
        x: values in [0, 1], of the same shape.

    Returns:
        One number for each example, differentiable in the logits, also where they are 0.
    """
    ### BEGIN SOLUTION
    log_prob = x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)
    return log_prob.reshape(len(x), -1).sum(1)
    ### END SOLUTION


def gaussians_to_softmax(
    log_prior: Float[Tensor, "K"], means: Float[Tensor, "K D"], cov: Float[Tensor, "D D"]
) -> tuple[Float[Tensor, "K D"], Float[Tensor, "K"]]:
    """The classifier softmax(W x + b) that is the posterior of Gaussian classes, equations (6.4) and (6.5).

    Args:
        log_prior: log pi_k.
        means: mu_k.
        cov: the shared covariance, positive definite.

    Returns:
        (W, b). What softmax does not see, a row added to all rows of W or a number added to all of b, is free.
    """
    ### BEGIN SOLUTION
    weights = torch.linalg.solve(cov, means.T).T
    return weights, log_prior - 0.5 * (weights * means).sum(1)
    ### END SOLUTION

# %% role="check"
grader.check("q6")

# %% [markdown]
# ### Forgetting half of the world
#
# Both directions, on a line of 401 cells: the data $p$ have two bumps, and thousands of Gaussians $q$ compete. **Before you run this:** the winner of
# $\mathrm{KL}(q\,\|\,p)$ sits on one bump and forgets the other. How many nats does that cost?

# %%
guess_forgetting = None  # type a number, in nats
gap, share = 5.0, 0.5    # knobs: the distance of the bumps, and the share of the left one

cells_of_line = torch.linspace(-10, 10, 401, dtype=torch.float64)


def on_the_line(mean, std):
    weight = torch.exp(-0.5 * ((cells_of_line - mean) / std) ** 2)
    return weight / weight.sum(-1, keepdim=True)


p_bumps = share * on_the_line(-gap / 2, 0.7) + (1 - share) * on_the_line(gap / 2, 0.7)
settings = torch.cartesian_prod(torch.linspace(-4, 4, 65, dtype=torch.float64), torch.linspace(0.5, 4, 36, dtype=torch.float64))
contenders = on_the_line(settings[:, :1], settings[:, 1:])
forward, backward = kl_divergence(p_bumps, contenders), kl_divergence(contenders, p_bumps)
figure, ax = plot.subplots(width=8, height=3.2)
ax.fill_between(cells_of_line, 20 * p_bumps, color="#DDDDDD", label="p, the data")
rows = []
for name, kl, color in (("KL(p || q)", forward, plot.COLORS[0]), ("KL(q || p)", backward, plot.COLORS[1])):
    best = int(kl.argmin())
    ax.plot(cells_of_line, 20 * contenders[best], color=color, label=f"q of smallest {name}")
    mean, std = settings[best].tolist()
    rows.append((f"smallest {name}", f"{mean:.2f}", f"{std:.2f}", f"{float(forward[best]):.2f}", f"{float(backward[best]):.2f}"))
ax.set(xlabel="x", ylabel="density", xlim=(-8, 8), title="One Gaussian for two bumps: KL(p || q) covers, KL(q || p) seeks a mode")
ax.legend()
plt.show()
plot.table(rows, header=("q of", "mean", "std", "its KL(p || q)", "its KL(q || p)"))
print()
plot.table([("smallest KL(q || p), nats", guess_forgetting, float(backward.min()))], header=("", "your guess", "result"))

# %% [markdown]
# On its bump the winner is $q=p/\text{share}$, so it pays $-\log\text{share}=0.69$ nats, however far the other bump is.
# **Knobs:** set `gap` to 3, then to 4, and look for the jump. Set `share` to 0.9: what does forgetting cost now?

# %% [markdown]
# ### Why? (3 points)
# About six sentences. (a) Argue with (6.2) why maximum likelihood puts mass between the bumps, and why the other direction need not cover both. (b) An image model is too small for its data. What
# do you expect of its samples after maximum likelihood, and after the other fit? (c) When do both directions end at the same model?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) KL(p || q) averages log(p/q) over the data. Where data occur and q is nearly 0, the logarithm is huge and is paid with weight p, so every bump must be covered. Where no data occur,
# p = 0 and the term is 0: mass there costs only through what is missing elsewhere, as q sums to one. A single Gaussian can cover both bumps only with mass in between. KL(q || p) averages over q: mass where
# p is nearly 0 is what costs, and a bump that q never visits has weight 0. It costs at most -log of the share that is kept.
#
# (b) It draws things that do not occur, between or around the modes (ghosts), but all kinds of data are among its samples. The other model draws convincing samples of few kinds: whole modes are missing.
#
# (c) When the model family contains p: then both are zero at q = p, and only there. The direction decides what a model that is too small gives up.
# ### END SOLUTION

# %% [markdown]
# ### Ten Gaussians, no training
#
# One Gaussian per digit, fitted by averaging, and your $W$ and $b$ make a classifier. With `blend = 1` the covariance is a multiple of the identity: apart from the shares, the nearest mean wins, and errs on a quarter of the test images.
# **Before you run this:** and with nearly the full covariance?

# %%
guess_error = None  # type a number, in percent
blend = 0.1         # the knob, from 0.001 (the covariance as it is) to 1 (a multiple of the identity)

glyph_x, glyph_y = data.glyphs(2000, size=16)
unseen_x, unseen_y = data.glyphs(1000, size=16, split="test")
glyph_means = torch.stack([glyph_x[glyph_y == k].mean(0).flatten() for k in range(10)])
within = glyph_x.flatten(1) - glyph_means[glyph_y]
full = within.T @ within / len(within)
class_shares = torch.bincount(glyph_y, minlength=10) / len(glyph_y)
figure, axes = plot.subplots(2, 1, width=9.5, height=2.9)
for ax, mix in zip(axes, (1.0, blend)):
    W, b = gaussians_to_softmax(class_shares.log(), glyph_means, (1 - mix) * full + mix * full.diagonal().mean() * torch.eye(256))
    wrong = 100 * float((F.linear(unseen_x.flatten(1), W, b).argmax(1) != unseen_y).float().mean())
    templates = (W - W.mean(0)).reshape(-1, 16, 16)
    scale = float(templates.detach().abs().max())
    plot.images(templates, ncols=10, vmin=-scale, vmax=scale, cmap="RdBu_r", ax=ax, suptitle=f"rows of W, blend = {mix:g}: {wrong:.1f} % wrong")
plt.show()
plot.table([(f"error with blend = {blend:g}, %", guess_error, wrong)], header=("", "your guess", "result"))

# %% [markdown]
# The first templates look like digits, the better ones less so: $\Sigma^{-1}$ discounts directions in which *all* classes vary, such as slant. (Over 6 draws of the
# glyphs: 23 to 25 % and 10 to 13 %.) **Knob:** how little blending beats 24 %, and is none at all best?
#
# **What to remember.**
# - Maximum likelihood minimises $\mathrm{KL}(\text{data}\,\|\,\text{model})$: a model that is too small covers.
# - Compute binary likelihoods from logits.
# - Gaussians with one covariance are a linear classifier.
#
# `bernoulli_log_prob` returns in Questions 9 and 11, the other direction in set 2, where it fits posteriors.

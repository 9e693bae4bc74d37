# %% [markdown]
# The latent plane of your `sheet_vae`, for four new images. Yellow is the best code by $p(x,z)$, violet at least 30 nats worse. The orange circle is the encoder's $q(z\mid x)$, at three standard deviations.

# %%
plane_side = torch.linspace(-4.5, 4.5, 151)
plane_z = torch.cartesian_prod(plane_side, plane_side)
plane_x = sheet_test[: dgm.budget(smoke=20, cpu=300, gpu=300)]
with torch.no_grad():
    plane_logits = sheet_vae.decode(plane_z)
    plane_mean, plane_logvar = sheet_vae.encode(plane_x)
plane_joint = plane_x @ plane_logits.T - F.softplus(plane_logits).sum(1) - 0.5 * plane_z.square().sum(1) - math.log(2 * math.pi)
plane_log_p = plane_joint.logsumexp(1) + 2 * math.log(float(plane_side[1] - plane_side[0]))  # the exact log p(x)
in_circle = torch.stack([((plane_z - m).square() / v.exp()).sum(1) < 9 for m, v in zip(plane_mean, plane_logvar)])
figure, axes = plot.subplots(2, 4, width=10, height=3.9, height_ratios=[1, 2.9])
for (above, below), n in zip(axes.T, (plane_joint.softmax(1) * in_circle).sum(1).argsort().tolist()):
    with torch.no_grad():
        pair = torch.stack([sheet_vae.decode(plane_mean[n : n + 1])[0], plane_logits[plane_joint[n].argmax()]])
    plot.images(torch.cat([plane_x[n : n + 1], torch.sigmoid(pair)]).reshape(-1, 16, 16), ncols=3, ax=above)
    above.set_title("image, from q, from the best code", fontsize=9)
    landscape = plane_joint[n].reshape(151, 151).T
    below.imshow(landscape, origin="lower", extent=(-4.5, 4.5, -4.5, 4.5), vmin=float(landscape.max()) - 30, cmap=plot.SEQUENTIAL)
    plot.ellipse(plane_mean[n], torch.diag(plane_logvar[n].exp()), below, n_std=(3,), color=plot.COLORS[1])
    below.set(xticks=[], yticks=[], xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
figure.suptitle("Better codes exist (yellow), but the encoder does not propose them", fontsize=12)
plt.show()

# %% [markdown]
# These are the four worst of 300. The ELBO blames the decoder for the encoder: its gap is $\mathrm{KL}(q\,\|\,p(z\mid x))$ (Question 2). How good is the model itself? With eight latents no grid tells.
#
# ### Weights
#
# The **weight** of a draw from $q(z\mid x)$ compares how well it explains $x$ with how often $q$ proposes it:
#
# $$w_m=\frac{p(x\mid z_m)\,p(z_m)}{q(z_m\mid x)},\qquad \mathbb{E}_q[w]=\int q(z\mid x)\,\frac{p(x,z)}{q(z\mid x)}\,dz=p(x). \tag{7.1}$$
#
# So the mean weight of $M$ draws is right on average, for *every* $q$ that is positive where $p(x,z)$ is. The logarithm is concave, so the log of the mean is too low on average (Jensen). This is the **IWAE bound**,
#
# $$\log\frac{1}{M}\sum_{m=1}^Mw_m,\qquad\text{on average}\le\log p(x). \tag{7.2}$$
#
# $M=1$ is the ELBO, with the KL drawn as in (4.2). The weights $1$ and $3$ give $\log2=0.69$, but one by one $\frac12(\log1+\log3)=0.55$. By the same inequality, the mean of the bounds of blocks never exceeds the bound of all
# draws, whatever their weights.
#
# How many draws count? If $K$ weights are equal and the others $0$, it is $K$, as in
#
# $$M_\text{eff}=\Bigl(\sum_m w_m\Bigr)^2\Big/\sum_m w_m^2. \tag{7.3}$$
#
# **On paper:** (a) what are the weights if $q$ *is* the posterior? (b) One latent has the posterior $\mathcal{N}(\mu,v)$, and $q=\mathcal{N}(\mu,rv)$. Find $(\mathbb{E}_q w)^2/\mathbb{E}_q[w^2]$, the share of many draws that counts. $p(x)$ cancels, and one
# Gaussian integral remains. For $r=2$ you should find $0.866$. Up to which $r$ is $\mathbb{E}_q[w^2]$ infinite, and the share $0$? Independent latents multiply.

# %% role="answer"
def log_weights(
    model, x: Float[Tensor, "N D"], eps: Float[Tensor, "M N k"], log_likelihood=bernoulli_log_prob
) -> Float[Tensor, "M N"]:
    """log w of (7.1) in nats, at z = μ + σ·eps. Differentiable in the model's parameters.

    Args:
        model: has `encode` and `decode` like `VAE`, and stays unchanged.
        log_likelihood: ``log_likelihood(outputs, x)`` is log p(x | z), (B,), for outputs of `decode` and x, both (B, D), any B.
    """
    ### BEGIN SOLUTION
    mean, logvar = model.encode(x)
    outputs = model.decode(reparameterise(mean, logvar, eps)).flatten(0, 1)
    log_likelihoods = log_likelihood(outputs, x.repeat(len(eps), 1)).reshape(len(eps), len(x))
    return log_likelihoods - kl_monte_carlo(mean, logvar, eps)
    ### END SOLUTION


def iwae_bound(log_weights: Float[Tensor, "M N"], size: int | None = None) -> Float[Tensor, "N"]:
    """The mean of the bounds (7.2) of consecutive blocks of draws, for each example. Differentiable.

    Args:
        log_weights: finite, of any size: values near -1000 are usual.
        size: draws in a block, a divisor of M. None: one block of all M.
    """
    ### BEGIN SOLUTION
    size = len(log_weights) if size is None else size
    blocks = log_weights.reshape(-1, size, log_weights.shape[1])
    return (blocks.logsumexp(1) - math.log(size)).mean(0)
    ### END SOLUTION


def effective_draws(log_weights: Float[Tensor, "M N"]) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"]]:
    """(7.3), and the largest weight's share of the sum, for each example; log_weights as above."""
    ### BEGIN SOLUTION
    share = log_weights.softmax(0)
    return 1 / share.square().sum(0), share.amax(0)
    ### END SOLUTION


def expected_share(ratio: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch"]:
    """Your derivation, for k independent latents; ratio: r > 0 of each."""
    ### BEGIN SOLUTION
    root = (2 * ratio - 1).clamp(min=0).sqrt()
    return (root / ratio).prod(-1)
    ### END SOLUTION

# %% role="check"
grader.check("q7")

# %% [markdown]
# Given: many draws in portions, and a model with another width of $q$.

# %% role="given"
def drawn_log_weights(
    model, x: Float[Tensor, "N D"], draws: int, generator: torch.Generator, log_likelihood=bernoulli_log_prob
) -> Float[Tensor, "draws N"]:
    """`log_weights` of many draws, without graph."""
    portions = []
    with torch.no_grad():
        for start in range(0, draws, 50):
            eps = torch.randn(min(50, draws - start), len(x), model.latent_dim, generator=generator, device=generator.device)
            portions.append(log_weights(model, x, eps.to(x), log_likelihood))
    return torch.cat(portions)


class Widened:
    """The same model, with the variances of q multiplied by ratio."""

    def __init__(self, model, ratio: float) -> None:
        self.model, self.latent_dim, self.log_ratio = model, model.latent_dim, math.log(ratio)

    def encode(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N k"], Float[Tensor, "N k"]]:
        mean, logvar = self.model.encode(x)
        return mean, logvar + self.log_ratio

    def decode(self, z: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch D"]:
        return self.model.decode(z)

# %% [markdown]
# ### Where the truth is known
#
# Probabilistic PCA (Question 1), with its posterior as $q$, then other variances.

# %%
twin_ratios = (1.0, 2.0, 0.6, 0.4)  # a knob: try 0.1 and 10. Which one would you rather have?

twin_x = data.digits("test")[0].flatten(1).double()
twin_m, twin_axes, twin_noise = ppca_fit(data.digits()[0].flatten(1).double(), 8)
twin_U, twin_S, _ = torch.linalg.svd(twin_axes, full_matrices=False)
twin_axes = twin_U * twin_S  # turned, so that the posterior is diagonal


class Twin:
    latent_dim = 8

    def encode(self, x):
        mean, cov = ppca_posterior(x, twin_m, twin_axes, twin_noise)
        return mean, cov.diagonal().log().expand_as(mean)

    def decode(self, z):
        return twin_m + z @ twin_axes.T


def twin_log_likelihood(outputs, x):
    return gaussian_decoder_log_prob(x, outputs, twin_noise.log())


twin_rows, twin_log_p = [], ppca_log_prob(twin_x, twin_m, twin_axes, twin_noise)
for ratio in twin_ratios:
    twin_w = drawn_log_weights(Widened(Twin(), ratio), twin_x, 1000, dgm.generator(0), twin_log_likelihood)
    errors = [round(float((iwae_bound(twin_w, size) - twin_log_p).mean()), 4) + 0.0 for size in (1, 1000)]
    counts = float(effective_draws(twin_w)[0].mean()), 1000 * float(expected_share(torch.full((8,), ratio)))
    twin_rows.append([f"{ratio:g}", *(f"{error:.4f}" for error in errors), *(f"{count:.0f}" for count in counts)])
plot.table(twin_rows, header=("r", "ELBO - log p(x)", "IWAE(1000) - log p(x)", "effective draws of 1000", "by your derivation"))

# %% [markdown]
# With the posterior one draw is exact. A $q$ too wide wastes draws, as you derived. One too narrow is worse than it looks: at $r=0.6$ 254 draws seem to count where in the long run 95 do, at $r=0.4$ 58 and none. The rare huge weights have not come up. (One run may end above $\log p(x)$, the average not.)
#
# ### A nat for nothing
#
# For `digit_vae` nobody knows $\log p(x)$. **Before you run this:** its −ELBO is 17.6. And −IWAE with 1,000 draws?

# %%
guess_iwae = None  # type a number

# %%
digit_ratio = 1.0  # a knob: try 2, a wider q. What happens at the left end, and at the right?

digit_w = drawn_log_weights(Widened(digit_vae, digit_ratio), digit_test[: dgm.budget(smoke=20, cpu=360, gpu=360)], 4000, dgm.generator(0))
sizes = (1, 2, 4, 8, 40, 200, 1000)
digit_curve = [-float(iwae_bound(digit_w, size).mean()) for size in sizes]
digit_bars = [float(torch.stack([iwae_bound(block).mean() for block in digit_w.split(size)]).std()) for size in sizes]
figure, ax = plot.subplots(width=8, height=3)
ax.errorbar(sizes, digit_curve, yerr=digit_bars, capsize=4, color=plot.COLORS[0])
ax.set(xscale="log", xlabel="draws M", ylabel="-IWAE(M), nats per image", title="One nat better without training (bars: how one run of M draws varies)")
plt.show()
plot.table([
    ("-ELBO, M = 1", digit_curve[0], "17.6", None), ("-IWAE, M = 1000", digit_curve[-1], "16.6", guess_iwae),
    ("images with fewer than 10 effective draws, of 4000", int((effective_draws(digit_w)[0] < 10).sum()), "7", None),
], header=("nats per image", "yours", "expected", "your guess"))

# %% [markdown]
# The curve flattens; with `digit_ratio = 2` it ends within 0.03 of the same value. (Over six seeds: 17.5 to 17.7, 16.4 to 16.6.)
#
# ### A worse bound, a better estimate
#
# Is a flat curve a proof? Back to `sheet_vae`: over 300 images −ELBO is 50.0, the exact $-\log p(x)$ 46.8. **Before you run this:** with 16 times the variances −ELBO is 58.1. And −IWAE with 1,000 draws?

# %%
guess_wide = None  # type a number

# %%
wide_ratio = 16.0  # a knob: try 4 and 100. Which r has the best −ELBO, and which the best −IWAE?

wide_rows = [("exact", None, -float(plane_log_p.mean()), "46.8", None, None, None)]
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
for ratio, color, expected in ((1.0, plot.COLORS[1], "47.8"), (wide_ratio, plot.COLORS[0], "46.9")):
    plane_w = drawn_log_weights(Widened(sheet_vae, ratio), plane_x, 1000, dgm.generator(1))
    effective, misses = effective_draws(plane_w)[0], plane_log_p - iwae_bound(plane_w)
    left.plot(sizes, [-float(iwae_bound(plane_w, size).mean()) for size in sizes], marker="o", color=color, label=f"variances × {ratio:g}")
    right.scatter(effective, -misses, s=12, color=color, alpha=0.6)
    sure_miss = float(misses[effective > 100].max()) if (effective > 100).any() else None
    guess = guess_wide if ratio == wide_ratio else None
    wide_rows.append((f"variances × {ratio:g}", *(-float(iwae_bound(plane_w, size).mean()) for size in (1, 1000)), expected, guess, float(misses.max()), sure_miss))
left.axhline(-float(plane_log_p.mean()), color="#444444", linestyle="--", label="exact -log p(x)")
left.set(xscale="log", xlabel="draws M", ylabel="-IWAE(M), nats per image", title="The wide q starts worse and ends better")
left.legend()
right.set(xscale="log", xlabel="effective draws of 1,000", ylabel="IWAE(1000) - log p(x), nats", title="Few effective draws warn; many are no proof")
plt.show()
plot.table(wide_rows, header=("nats per image", "-ELBO", "-IWAE(1000)", "expected", "your guess", "worst miss", "with 100 effective draws"))

# %% [markdown]
# Eight nats worse as a bound, 0.1 from the truth as an estimate, where the encoder's own $q$ misses 1.0. (Over six seeds: 0.04 to 0.15, and 0.7 to 1.2.) The ELBO forgives a $q$ that misses a peak, not one that is too wide. For weights it is the reverse: width costs
# draws ($r=16$ leaves 12 %), a missed peak costs the truth.
#
# Many effective draws are no proof: with the encoder's $q$ one image has over 100 and misses 2.4 nats (1.6 to 5.8). They agree in the same wrong place.
#
# **What to remember**
# - On average the mean weight is $p(x)$, for any $q$, and its logarithm a bound that rises with $M$.
# - Few effective draws are a warning. Many know only where $q$ looks.
# - Propose too widely rather than too narrowly.
#
# `drawn_log_weights` returns in Question 10's table.

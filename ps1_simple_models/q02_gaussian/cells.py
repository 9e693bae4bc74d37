# %% [markdown]
# Neighbouring pixels are alike, and a diagonal Gaussian cannot say so. The full-covariance Gaussian is the simplest model that knows
# dependence. Likelihood, best fit, entropy and KL divergence have closed forms, so every estimator can be checked
# against it.
#
# ### The density, without an inverse and without a determinant
#
# For a mean $\mu\in\mathbb R^D$ and a symmetric positive definite covariance $\Sigma$,
#
# $$\log\mathcal N(x;\mu,\Sigma)=-\tfrac{D}2\log2\pi-\tfrac12\log|\Sigma|-\tfrac12(x-\mu)^\top\Sigma^{-1}(x-\mu). \tag{2.1}$$
#
# With 64 pixels of standard deviation 0.1 the determinant is $10^{-128}$, 0 in float32. The **Cholesky factor** avoids it: the lower triangular $L$
# with positive diagonal and $\Sigma=LL^\top$. A triangular determinant is the product of the diagonal, so
#
# $$\log|\Sigma|=2\sum_d\log L_{dd}, \tag{2.2}$$
#
# and since $\Sigma^{-1}=L^{-\top}L^{-1}$, the quadratic form is a plain length,
#
# $$(x-\mu)^\top\Sigma^{-1}(x-\mu)=\lVert z\rVert^2,\quad\text{where }Lz=x-\mu. \tag{2.3}$$
#
# Check: for $D=1$ and $\Sigma=4$, $L=2$, and a point 2 away from the mean has $z=1$. Read backwards, $x=\mu+Lz$ with $z\sim\mathcal N(0,I)$ is how one **samples**.
#
# Solving with $L$ turns data into round white noise. **Before you run it:** the right panel solves with $L^\top$ by mistake. Will its first
# coordinate have a variance above 1 or below, and which? (The determinant is still 1.)

# %%
guess_variance = None  # type a number

# %%
points = data.toy2d("rotated_gaussian", 1500, seed=0)
centre = points.mean(0)
spread_2d = torch.cov(points.T, correction=0)
factor = torch.linalg.cholesky(spread_2d)
white = torch.linalg.solve_triangular(factor, (points - centre).T, upper=False).T
wrong = torch.linalg.solve_triangular(factor.T, (points - centre).T, upper=True).T

figure, axes = plot.subplots(1, 3, width=10, height=3.7)
plot.scatter2d(points, ax=axes[0], color="#AAAAAA", xlim=(-4.5, 4.5), ylim=(-4.5, 4.5), title="data, ellipses at 1 and 2 std")
plot.ellipse(centre, spread_2d, axes[0], color=plot.COLORS[0], label="full covariance")
plot.ellipse(centre, torch.diag(spread_2d.diagonal()), axes[0], color=plot.COLORS[1], label="diagonal covariance")
axes[0].legend(loc="lower right")
for ax, cloud, title in ((axes[1], white, "L z = x - μ: white"), (axes[2], wrong, "Lᵀ z = x - μ: not white")):
    plot.scatter2d(cloud, ax=ax, color="#AAAAAA", xlim=(-6, 6), ylim=(-6, 6), title=title)
    plot.ellipse(torch.zeros(2), torch.eye(2), ax, color=plot.COLORS[0])
plt.show()
plot.table([("first coordinate, solved with L", float(white[:, 0].var(correction=0)), None),
            ("first coordinate, solved with Lᵀ", float(wrong[:, 0].var(correction=0)), guess_variance)],
           header=("variance", "here", "your guess"))

# %% [markdown]
# ### Maximum likelihood
#
# Let example $n$ count $w_n\ge0$ times (usually 1, 0 for padding), and $W=\sum_nw_n$. Up to a constant, the average log-likelihood in terms of $\Lambda=\Sigma^{-1}$ is
#
# $$\ell(\mu,\Lambda)=\tfrac12\log|\Lambda|-\tfrac12\operatorname{tr}(\Lambda S_\mu),\quad
# S_\mu=\frac1W\sum_nw_n(x_n-\mu)(x_n-\mu)^\top. \tag{2.4}$$
#
# *On paper:* (a) Write $x_n-\mu=(x_n-\bar x)+(\bar x-\mu)$ with the weighted mean $\bar x$, and show that the best $\mu$ is $\bar x$, whatever $\Lambda$ is. (b) Move $\Lambda$ by a little
# symmetric $hV$. With $\log|I+hA|=h\operatorname{tr}A+O(h^2)$ the derivative of $\ell$ is $\frac12\operatorname{tr}\big((\Lambda^{-1}-S_{\bar x})V\big)$. Where is it zero for every $V$? You arrive at
#
# $$\hat\mu=\frac1W\sum_nw_nx_n,\quad\hat\Sigma=\frac1W\sum_nw_n(x_n-\hat\mu)(x_n-\hat\mu)^\top. \tag{2.5}$$
#
# The $1/(N-1)$ of `torch.cov` does not maximise the likelihood.
#
# ### Entropy, KL divergence, and a sampled check
#
# For $x\sim p=\mathcal N(\mu_p,\Sigma_p)$ and any $m$ and $A$, the same trick gives $\mathbb{E}_p[(x-m)^\top A(x-m)]=\operatorname{tr}(A\Sigma_p)+(\mu_p-m)^\top A(\mu_p-m)$. Insert it into (2.1)
# for $p$ and for $q$: the **entropy** in nats, negative for some densities, is
#
# $$H(p)=-\mathbb{E}_p[\log p(x)]=\tfrac{D}2(1+\log2\pi)+\tfrac12\log|\Sigma_p|, \tag{2.6}$$
#
# and the **KL divergence** $\mathrm{KL}(p\,\|\,q)=\mathbb{E}_p[\log p(x)-\log q(x)]$, an expectation under the *first* argument, is
#
# $$\mathrm{KL}(p\,\|\,q)=\tfrac12\Big[\operatorname{tr}(\Sigma_q^{-1}\Sigma_p)+(\mu_q-\mu_p)^\top\Sigma_q^{-1}(\mu_q-\mu_p)-D+\log|\Sigma_q|-\log|\Sigma_p|\Big]. \tag{2.7}$$
#
# The trace is $\lVert L_q^{-1}L_p\rVert_F^2$, a sum of squares. Check: for $D=1$, equal means, $\Sigma_p=1$, $\Sigma_q=4$ the KL is $\frac12[\frac14-1+\log4]=0.318$. Without a closed form, one averages over samples $x_s=\mu_p+L_p\,\epsilon_s$ and says how far to trust the average:
#
# $$\widehat{\mathrm{KL}}=\frac1S\sum_sr_s,\quad r_s=\log p(x_s)-\log q(x_s),\quad\text{standard error}=\frac{\operatorname{std}(r_1,\dots,r_S)}{\sqrt S}. \tag{2.8}$$
#
# `torch.linalg.cholesky(cov)` gives $L$; `torch.linalg.solve_triangular(L, b, upper=False)` solves $Lz=b$ for all columns of $b$.

# %% role="answer"
def mvn_log_prob(x: Float[Tensor, "*batch D"], mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"]) -> Float[Tensor, "*batch"]:
    """Log-density in nats, equations (2.1) to (2.3).

    Args:
        x: points, with any axes in front, also none; float32 or float64 (whose digits are kept).
        cov: positive definite as it is (add nothing). Up to 120 dimensions, whose units may differ.

    Returns:
        One log-density per point, differentiable in all arguments.
    """
    ### BEGIN SOLUTION
    L = torch.linalg.cholesky(cov)
    columns = (x - mean).reshape(-1, len(mean)).T
    z = torch.linalg.solve_triangular(L, columns, upper=False)
    square = z.square().sum(0).reshape(x.shape[:-1])
    half_logdet = L.diagonal().log().sum()
    return -0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)
    ### END SOLUTION


def fit_gaussian(
    x: Float[Tensor, "N D"], weights: Float[Tensor, "N"] | None = None
) -> tuple[Float[Tensor, "D"], Float[Tensor, "D D"]]:
    """Maximum-likelihood mean and covariance, equation (2.5).

    Args:
        x: one example per row, perhaps far from zero (mean 1000, standard deviation 1).
        weights: how often each example counts, of any sum above 0; None: once each.

    Returns:
        (mean, cov) in the dtype of x, also for D = 1 of shapes (D,) and (D, D).
    """
    ### BEGIN SOLUTION
    w = torch.ones_like(x[:, 0]) if weights is None else weights
    w = (w / w.sum())[:, None]
    mean = (w * x).sum(0)
    centred = x - mean
    return mean, (w * centred).T @ centred
    ### END SOLUTION


def gaussian_entropy(cov: Float[Tensor, "D D"]) -> Float[Tensor, ""]:
    """Entropy in nats, equation (2.6)."""
    ### BEGIN SOLUTION
    half_logdet = torch.linalg.cholesky(cov).diagonal().log().sum()
    return half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))
    ### END SOLUTION


def gaussian_kl(
    mean_p: Float[Tensor, "D"], cov_p: Float[Tensor, "D D"], mean_q: Float[Tensor, "D"], cov_q: Float[Tensor, "D D"]
) -> Float[Tensor, ""]:
    """KL(p || q) in nats, in closed form, equation (2.7)."""
    ### BEGIN SOLUTION
    L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)
    trace = torch.linalg.solve_triangular(L_q, L_p, upper=False).square().sum()
    square = torch.linalg.solve_triangular(L_q, (mean_q - mean_p)[:, None], upper=False).square().sum()
    logdets = 2 * (L_q.diagonal().log() - L_p.diagonal().log()).sum()
    return 0.5 * (trace + square - len(mean_p) + logdets)
    ### END SOLUTION


def kl_monte_carlo(
    mean_p: Float[Tensor, "D"], cov_p: Float[Tensor, "D D"], mean_q: Float[Tensor, "D"], cov_q: Float[Tensor, "D D"],
    eps: Float[Tensor, "S D"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Monte Carlo estimate of KL(p || q) and its standard error, equation (2.8).

    Args:
        eps: noise, one row per sample: sample s is ``mean_p + L_p eps[s]`` with Cholesky factor L_p.

    Returns:
        (estimate, standard error); the standard deviation with 1/S or 1/(S - 1).
    """
    ### BEGIN SOLUTION
    x = mean_p + eps @ torch.linalg.cholesky(cov_p).T
    log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)
    return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps))
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# ### What a full covariance can draw
#
# For $16\times16$ characters a full Gaussian has $256+\frac{256\cdot257}2=33{,}152$ parameters. With `weights` 1 for one class and 0 elsewhere your function fits a Gaussian per class.
# The knob `temperature` multiplies the noise. **Look at 0, 0.7 and 1.3:** which panels show digits?

# %%
temperature = 1.0  # the knob

glyph_pixels, glyph_labels = data.glyphs(6000, size=16)
noise_16 = torch.rand(6000, 256, generator=dgm.generator(5), dtype=torch.float64)
glyph_x = ((255 * glyph_pixels.flatten(1).double()).floor() + noise_16) / 256  # dequantised, as in Question 1
eps_16 = temperature * torch.randn(30, 256, generator=dgm.generator(3), dtype=torch.float64)


def draw(mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"], eps: Float[Tensor, "S D"]) -> Float[Tensor, "S D"]:
    return mean + eps @ torch.linalg.cholesky(cov).T


glyph_mean, glyph_cov = fit_gaussian(glyph_x)
by_class = [fit_gaussian(glyph_x, (glyph_labels == c).double()) for c in range(10)]
class_samples = torch.cat([draw(*by_class[c], eps_16[c::10]) for c in range(10)]).reshape(10, 3, 256).transpose(0, 1)

figure, axes = plot.subplots(2, 2, width=10, height=3.9)
for ax, pictures, title in (
    (axes[0, 0], glyph_x[:30], "data"),
    (axes[0, 1], draw(glyph_mean, torch.diag(glyph_cov.diagonal()), eps_16), "diagonal covariance: salt and pepper"),
    (axes[1, 0], draw(glyph_mean, glyph_cov, eps_16), "full covariance: strokes, but of nothing"),
    (axes[1, 1], class_samples, "one full covariance per class, 0 to 9: digits"),
):
    title = title if temperature == 1 else title.split(":")[0]  # the findings are those of temperature 1
    plot.images(pictures.reshape(-1, 16, 16), ncols=10, suptitle=title, ax=ax)
plt.show()

# %% [markdown]
# The full covariance draws strokes of no character, because one Gaussian has one mode. The mixture of Question 3 finds the classes by itself.
#
# ### What ignoring the correlations costs
#
# As $\log q$ of any Gaussian $q$ is quadratic, its average depends on the data through mean $\bar x$ and covariance $S$ alone:
#
# $$-\frac1N\sum_n\log q(x_n)=H\big(\mathcal N(\bar x,S)\big)+\mathrm{KL}\big(\mathcal N(\bar x,S)\,\big\|\,q\big). \tag{2.9}$$
#
# So the fit (2.5), where the KL is zero, is best. With the *diagonal* fit as $q$ the KL is what the correlations are worth, the **total correlation**: here of the $8\times8$ digits, in closed form and by (2.8).
# **Before you run this:** how many nats per image, if the NLL drops from 3.38 to 2.91 bits per dimension?

# %%
guess_total_correlation = None  # type a number

# %%
train_x, train_labels = dequantised_digits("train", seed=0)
test_x, test_labels = dequantised_digits("test", seed=1)
digit_mean, digit_cov = fit_gaussian(train_x)
digit_diagonal = torch.diag(digit_cov.diagonal())


def average_nll(x, cov) -> float:
    return -float(mvn_log_prob(x, digit_mean, cov).mean())


nll = {(m, s): average_nll(x, c) for m, c in (("diagonal", digit_diagonal), ("full", digit_cov)) for s, x in (("train", train_x), ("test", test_x))}
plot.table(
    [
        (m, *(float(nats_to_bits_per_dim(torch.tensor(nll[m, s]), 64, 17)) for s in ("train", "test")), sane)
        for m, sane in (("diagonal", "3.38 and 3.38"), ("full", "2.91 and 2.94; below 2.85 the test data got into the fit"))
    ],
    header=("bits per dimension", "train", "test", "expected"),
)
print()
plot.table([
    ("KL(full || diagonal), closed form", float(gaussian_kl(digit_mean, digit_cov, digit_mean, digit_diagonal)), "20.8", guess_total_correlation),
    ("NLL diagonal - NLL full, train", nll["diagonal", "train"] - nll["full", "train"], "the same, by (2.9)", None),
    ("NLL diagonal - NLL full, test", nll["diagonal", "test"] - nll["full", "test"], "19.6", None),
    ("entropy of the full Gaussian", float(gaussian_entropy(digit_cov)), "-52.2, the NLL of the full model on train", None),
], header=("nats per image", "yours", "expected", "your guess"))

most = dgm.budget(smoke=8, cpu=14, gpu=14)
many_eps = torch.randn(2**most, 64, generator=dgm.generator(4))
sizes = [2**k for k in range(4, most + 1, 2)]
full, diagonal = (digit_mean, digit_cov), (digit_mean, digit_diagonal)

figure, axes = plot.subplots(1, 2, width=10, height=3.5)
for ax, p, q, title in ((axes[0], full, diagonal, "KL(full || diagonal)"), (axes[1], diagonal, full, "KL(diagonal || full): wider error bars")):
    estimates = [kl_monte_carlo(*p, *q, many_eps[:size]) for size in sizes]
    means, errors = ([float(pair[i]) for pair in estimates] for i in (0, 1))
    exact = float(gaussian_kl(*p, *q))
    ax.axhline(exact, color="black", linestyle="--", label=f"closed form ({exact:.4g})")
    ax.errorbar(sizes, means, [2 * e for e in errors], fmt="o", capsize=4, color=plot.COLORS[0], label="estimate ± 2 standard errors")
    ax.set_xscale("log", base=2)
    ax.set(xlabel="number of samples", ylabel="nats", title=title)
    ax.legend()
    print(f"{title}: {means[-1]:.2f} ± {errors[-1]:.2f} from {sizes[-1]} samples; closed form {exact:.2f}")
plt.show()

# %% [markdown]
# The error bar is wider in the other direction: a sample with independent pixels is very unlikely under the full model, and *how* unlikely varies.
#
# **What to remember**
# - Cholesky gives the log-determinant, the quadratic form and the samples.
# - The maximum-likelihood Gaussian has the data's mean and covariance, with $1/N$.
# - KL is an expectation under its first argument; a sampled estimate has a standard error that falls like $1/\sqrt S$.
#
# The weighted fit is the M-step of Question 3; (2.7) is half of the VAE's loss in the next set.

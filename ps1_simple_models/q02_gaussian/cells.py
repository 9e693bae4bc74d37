# %% [markdown]
# ## Question 2 · The full-covariance Gaussian and its maximum likelihood
# *8 points · about 45 minutes*
#
# Neighbouring pixels are alike, and a diagonal Gaussian cannot say so. The Gaussian with a full covariance matrix is the
# simplest model that knows about dependence, and the only one here whose likelihood, best fit, entropy and
# Kullback-Leibler divergence all have closed forms. It returns as the component of a mixture, as the prior and posterior of a VAE
# and as every step of a diffusion model, and it is the one against which you can check every estimator.
#
# ### The density, without an inverse and without a determinant
#
# For a mean $\mu\in\mathbb R^D$ and a symmetric positive definite covariance $\Sigma$,
#
# $$\log\mathcal N(x;\mu,\Sigma) \;=\; -\frac D2\log 2\pi-\frac12\log|\Sigma|-\frac12\,(x-\mu)^\top\Sigma^{-1}(x-\mu). \tag{2.1}$$
#
# Written into code like this, it breaks: the determinant is a product of $D$ numbers, and with 64 pixels of standard
# deviation 0.1 it is about $10^{-128}$, which is 0 in float32. The **Cholesky factor** repairs this. It is the lower
# triangular $L$ with positive diagonal and $\Sigma=LL^\top$. With it,
#
# $$\log|\Sigma| = 2\sum_{d=1}^{D}\log L_{dd}, \tag{2.2}$$
#
# because $|\Sigma|=|L|\,|L^\top|=|L|^2$ and the determinant of a triangular matrix is the product of its diagonal; and
#
# $$(x-\mu)^\top\Sigma^{-1}(x-\mu)=\lVert z\rVert^2,\qquad\text{where } z \text{ solves } L\,z=x-\mu, \tag{2.3}$$
#
# because $\Sigma^{-1}=L^{-\top}L^{-1}$. A triangular system is solved row by row, without an inverse.
# Read backwards, $x=\mu+Lz$ with $z\sim\mathcal N(0,I)$ is how one **samples**: $\operatorname{Cov}[Lz]=L\,I\,L^\top=\Sigma$.
#
# The next cell draws (2.3): solving with $L$ turns the data into round white noise.
# **Before you run it:** the right panel solves with $L^\top$ by mistake. Will its cloud be round?

# %%
points = data.toy2d("rotated_gaussian", 1500, seed=0)
centre = points.mean(0)
spread = torch.cov(points.T, correction=0)
factor = torch.linalg.cholesky(spread)
white = torch.linalg.solve_triangular(factor, (points - centre).T, upper=False).T
wrong = torch.linalg.solve_triangular(factor.T, (points - centre).T, upper=True).T

figure, axes = plot.subplots(1, 3, width=10, height=3.7)
plot.scatter2d(points, ax=axes[0], color="#AAAAAA", xlim=(-4.5, 4.5), ylim=(-4.5, 4.5), title="data, ellipses at 1 and 2 std")
plot.ellipse(centre, spread, axes[0], color=plot.COLORS[0], label="full covariance")
plot.ellipse(centre, torch.diag(spread.diagonal()), axes[0], color=plot.COLORS[1], label="diagonal covariance")
axes[0].legend(loc="lower right")
for ax, cloud, title in ((axes[1], white, "L z = x - μ: white"), (axes[2], wrong, "Lᵀ z = x - μ: not white")):
    plot.scatter2d(cloud, ax=ax, color="#AAAAAA", xlim=(-6, 6), ylim=(-6, 6), title=title)
    plot.ellipse(torch.zeros(2), torch.eye(2), ax, color=plot.COLORS[0])
print("covariance after solving with L:\n", torch.cov(white.T, correction=0).numpy().round(2))

# %% [markdown]
# ### Maximum likelihood
#
# Let $\Lambda=\Sigma^{-1}$. Up to the constant in $2\pi$, the average log-likelihood of $x_1,\dots,x_N$ is
#
# $$\ell(\mu,\Lambda)=\frac12\log|\Lambda|-\frac12\operatorname{tr}(\Lambda S_\mu),\qquad
# S_\mu=\frac1N\sum_{n=1}^N (x_n-\mu)(x_n-\mu)^\top, \tag{2.4}$$
#
# since $a^\top\Lambda a=\operatorname{tr}(\Lambda\,aa^\top)$ for a vector $a$.
#
# *The mean.* Let $\bar x=\frac1N\sum_n x_n$ and $S=S_{\bar x}$. Insert $x_n-\mu=(x_n-\bar x)+(\bar x-\mu)$; the mixed terms vanish, since $\sum_n(x_n-\bar x)=0$, and
# $S_\mu=S+(\bar x-\mu)(\bar x-\mu)^\top$. So $\operatorname{tr}(\Lambda S_\mu)=\operatorname{tr}(\Lambda S)+(\bar x-\mu)^\top\Lambda(\bar x-\mu)$, which is smallest
# at $\mu=\bar x$, whatever $\Lambda$ is.
#
# *The covariance.* Now $\mu=\bar x$, so $S_\mu=S$. Move $\Lambda$ a little, to $\Lambda+hV$ with a symmetric $V$. Then
#
# $$\log|\Lambda+hV|=\log|\Lambda|+\log|I+h\Lambda^{-1}V|=\log|\Lambda|+h\operatorname{tr}(\Lambda^{-1}V)+O(h^2),$$
#
# because $|I+hA|$ is the product of $1+ha_i$ over the eigenvalues $a_i$ of $A$, and their sum is the trace. The other term
# changes by $h\operatorname{tr}(SV)$. So the derivative of $\ell$ in the direction $V$ is
# $\frac12\operatorname{tr}\big((\Lambda^{-1}-S)V\big)$. It vanishes for every $V$ only if $\Lambda^{-1}=S$. As $\log|\Lambda|$ is concave
# in $\Lambda$ and the trace is linear, this is the maximum (if $S$ is invertible, which needs $N>D$; otherwise there is none):
#
# $$\hat\mu=\frac1N\sum_{n=1}^N x_n,\qquad \hat\Sigma=\frac1N\sum_{n=1}^N (x_n-\hat\mu)(x_n-\hat\mu)^\top. \tag{2.5}$$
#
# The factor is $1/N$. (With $1/(N-1)$ the estimate is unbiased, but it is not the maximum of the likelihood; `torch.cov`
# and `torch.var` use $N-1$ unless told otherwise.) If example $n$ counts $w_n\ge0$ times, for example 0 for a row of padding, the
# same derivation gives
#
# $$\hat\mu=\frac{\sum_n w_n x_n}{\sum_n w_n},\qquad \hat\Sigma=\frac{\sum_n w_n (x_n-\hat\mu)(x_n-\hat\mu)^\top}{\sum_n w_n}. \tag{2.6}$$
#
# ### Entropy and Kullback-Leibler divergence
#
# If $x\sim p=\mathcal N(\mu_p,\Sigma_p)$, then $\mathbb E_p\big[(x-m)^\top A(x-m)\big]=\operatorname{tr}(A\Sigma_p)+(\mu_p-m)^\top A(\mu_p-m)$ for
# every $m$ and $A$: insert $x-m=(x-\mu_p)+(\mu_p-m)$, as for the mean above. With $m=\mu_p$ and $A=\Sigma_p^{-1}$, (2.1) gives the entropy in nats (of a
# density it may be negative),
#
# $$H(p)=-\mathbb E_p[\log p(x)]=\frac D2\,(1+\log2\pi)+\frac12\log|\Sigma_p|, \tag{2.7}$$
#
# and, with $m=\mu_q$, $A=\Sigma_q^{-1}$, the divergence from $q$, $\mathrm{KL}(p\,\|\,q)=\mathbb E_p[\log p(x)-\log q(x)]$:
#
# $$\mathrm{KL}(p\,\|\,q)=\frac12\Big[\operatorname{tr}(\Sigma_q^{-1}\Sigma_p)+(\mu_q-\mu_p)^\top\Sigma_q^{-1}(\mu_q-\mu_p)-D+\log|\Sigma_q|-\log|\Sigma_p|\Big]. \tag{2.8}$$
#
# The expectation is under the **first** argument, and $\mathrm{KL}(p\,\|\,q)\ne\mathrm{KL}(q\,\|\,p)$. A convenient form of the trace is
# $\operatorname{tr}(\Sigma_q^{-1}\Sigma_p)=\lVert L_q^{-1}L_p\rVert_F^2$, the sum of the squared entries of $L_q^{-1}L_p$.
#
# Where no closed form exists, one averages over samples. With $\epsilon_s\sim\mathcal N(0,I)$ and $x_s=\mu_p+L_p\,\epsilon_s$,
#
# $$\widehat{\mathrm{KL}}=\frac1S\sum_{s=1}^S r_s,\qquad r_s=\log p(x_s)-\log q(x_s),\qquad \text{standard error}=\frac{\operatorname{std}(r_1,\dots,r_S)}{\sqrt S}. \tag{2.9}$$
#
# ### Your task
#
# Write the five functions below. `torch.linalg.cholesky(cov)` gives $L$, and `torch.linalg.solve_triangular(L, b, upper=False)` solves $Lz=b$ for
# the columns of a matrix $b$. (`torch.distributions` and `torch.cov` would do, too; you learn more by writing (2.1) to (2.9).) What is tested:
#
# - float32 and float64 (do not round to float32 on the way: in float64, standard deviations go down to $10^{-6}$), $D=1$, dimensions
#   of very different units (standard deviations from 0.001 to 1000 in one float32 covariance), and 40 to 120 dimensions, where the
#   determinant under- or overflows (the longest also in float64). The covariances have a Cholesky factor as they are: add nothing to their diagonal;
# - `mvn_log_prob` for one point (D,), a batch (N, D), and more axes in front; its gradients by autograd;
# - `fit_gaussian` for data far from zero (mean 1000, standard deviation 1; in float64 mean $10^6$), where $\frac1N\sum_n x_nx_n^\top-\hat\mu\hat\mu^\top$ loses all
#   digits in float32; for weights that are not normalised (their sum may be tiny or huge); and for padding (rows of weight 0 that hold arbitrary finite numbers).

# %% role="answer"
def mvn_log_prob(x: Float[Tensor, "*batch D"], mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"]) -> Float[Tensor, "*batch"]:
    """Log-density in nats of a Gaussian with full covariance, equations (2.1) to (2.3).

    Args:
        x: points, any number of leading axes, also none.
        mean: the mean.
        cov: the covariance matrix, symmetric positive definite.

    Returns:
        One log-density per point. Differentiable in all arguments.
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
    """Maximum-likelihood mean and covariance, equation (2.6); with ``weights=None`` all weights are one, equation (2.5).

    Args:
        x: data, one example per row.
        weights: how often each example counts, at least 0, not all 0; need not sum to one.

    Returns:
        (mean, cov), of shapes (D,) and (D, D), also for D = 1.
    """
    ### BEGIN SOLUTION
    w = torch.ones_like(x[:, 0]) if weights is None else weights
    w = (w / w.sum())[:, None]
    mean = (w * x).sum(0)
    centred = x - mean
    return mean, (w * centred).T @ centred
    ### END SOLUTION


def gaussian_entropy(cov: Float[Tensor, "D D"]) -> Float[Tensor, ""]:
    """Entropy in nats of a Gaussian with covariance ``cov``, equation (2.7)."""
    ### BEGIN SOLUTION
    half_logdet = torch.linalg.cholesky(cov).diagonal().log().sum()
    return half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))
    ### END SOLUTION


def gaussian_kl(
    mean_p: Float[Tensor, "D"], cov_p: Float[Tensor, "D D"], mean_q: Float[Tensor, "D"], cov_q: Float[Tensor, "D D"]
) -> Float[Tensor, ""]:
    """KL(p || q) in nats of two Gaussians in closed form, equation (2.8). Zero if p = q, up to rounding.

    Args:
        mean_p, cov_p: the first Gaussian p, under which the expectation is taken.
        mean_q, cov_q: the second Gaussian q.
    """
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
    """Monte Carlo estimate of KL(p || q) and its standard error, in nats, equation (2.9).

    Args:
        mean_p, cov_p, mean_q, cov_q: as in `gaussian_kl`.
        eps: standard normal noise, one row per sample. Sample s is ``mean_p + L_p eps[s]``, with the lower triangular
            Cholesky factor L_p of ``cov_p`` (another square root would give other samples).

    Returns:
        (estimate, standard error): two numbers. The standard deviation may be that of ``torch.std`` or use 1/S.
    """
    ### BEGIN SOLUTION
    x = mean_p + eps @ torch.linalg.cholesky(cov_p).T
    log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)
    return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps))
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# ### Your Gaussian on handwritten digits
#
# A full Gaussian on 64 pixels has $64+\frac{64\cdot65}2=2144$ parameters, for 1437 training images. The noise of the
# dequantisation (Question 1) also keeps the covariance from being singular: some pixels are 0 in almost every image.
#
# Fitting with `weights` equal to 1 for the images of one class and 0 for the others gives one Gaussian per class.
#
# **Before you run this:** which of the three models (diagonal, full, one full per class) will draw recognisable digits?

# %%
train_x, train_labels = dequantised_digits("train", seed=0)
test_x, test_labels = dequantised_digits("test", seed=1)
digit_mean, digit_cov = fit_gaussian(train_x)
digit_diagonal = torch.diag(digit_cov.diagonal())
eps = torch.randn(30, 64, generator=dgm.generator(3))


def draw(mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"], eps: Float[Tensor, "S D"]) -> Float[Tensor, "S D"]:
    return mean + eps @ torch.linalg.cholesky(cov).T


by_class = [fit_gaussian(train_x, (train_labels == c).float()) for c in range(10)]
class_samples = torch.cat([draw(*by_class[c], eps[c::10]) for c in range(10)]).reshape(10, 3, 64).transpose(0, 1)

figure, axes = plot.subplots(2, 2, width=10, height=3.9)
for ax, pictures, title in (
    (axes[0, 0], test_x[:30], "held-out digits"),
    (axes[0, 1], draw(digit_mean, digit_diagonal, eps), "samples, diagonal covariance"),
    (axes[1, 0], draw(digit_mean, digit_cov, eps), "samples, full covariance"),
    (axes[1, 1], class_samples, "samples, one full covariance per class (0 to 9)"),
):
    plot.images(pictures.reshape(30, 8, 8), ncols=10, suptitle=title, ax=ax)

variances, directions = torch.linalg.eigh(digit_cov)
share = 100 * variances.flip(0) / variances.sum()
figure, axes = plot.subplots(1, 8, width=10, height=1.75)
plot.images(digit_mean.reshape(1, 8, 8), suptitle="mean", ax=axes[0])
for i in range(7):
    plot.images(directions[:, -1 - i].reshape(1, 8, 8), vmin=-0.35, vmax=0.35, cmap="RdBu_r", suptitle=f"{share[i]:.0f} %", ax=axes[1 + i])
figure.suptitle("The mean, and the leading directions of the covariance with their share of the variance", fontsize=12)
plt.show()

# %% [markdown]
# Independent pixels give salt and pepper. The full covariance draws smooth strokes, but of no digit in particular: one Gaussian has one
# mode. Told the class, it draws digits. (A model that finds the classes by itself is the mixture of Gaussians, later in this set.)
#
# Now the likelihoods. Insert any Gaussian $q$ into (2.4) and compare with (2.7) and (2.8): on data with mean $\bar x$ and covariance $S$,
#
# $$\underbrace{-\frac1N\sum_n\log q(x_n)}_{\text{average NLL}}=H\big(\mathcal N(\bar x,S)\big)+\mathrm{KL}\big(\mathcal N(\bar x,S)\,\big\|\,q\big), \tag{2.10}$$
#
# because $\log q$ is quadratic, so its average depends on the data through $\bar x$ and $S$ only. This proves (2.5) once more: the KL
# is zero at $q=\mathcal N(\bar x,S)$ and positive elsewhere. And it says what ignoring the correlations costs: the KL between the
# full and the diagonal fit, known as the **total correlation**. On the training data this is an identity; on held-out data
# the full model loses a little to overfitting.

# %%
def average_nll(x, cov) -> float:
    return -float(mvn_log_prob(x, digit_mean, cov).mean())


def to_bits(nats: float) -> float:
    return (nats / 64 + math.log(17)) / math.log(2)


nll = {(m, s): average_nll(x, c) for m, c in (("diagonal", digit_diagonal), ("full", digit_cov)) for s, x in (("train", train_x), ("test", test_x))}
total_correlation = float(gaussian_kl(digit_mean, digit_cov, digit_mean, digit_diagonal))

plot.table(
    [
        (m, to_bits(nll[m, "train"]), to_bits(nll[m, "test"]), sane)
        for m, sane in (("diagonal", "about 3.38 on both"), ("full", "about 2.91 and 2.94; below 2.85 the test data got into the fit"))
    ],
    header=("bits per dimension", "train", "test", "expected"),
)
print()
plot.table([
    ("NLL diagonal - NLL full, train", nll["diagonal", "train"] - nll["full", "train"], "about 20.8"),
    ("total correlation, KL(full || diagonal)", total_correlation, "the same number, by (2.10)"),
    ("NLL diagonal - NLL full, test", nll["diagonal", "test"] - nll["full", "test"], "about 19.6"),
    ("entropy of the full Gaussian", float(gaussian_entropy(digit_cov)), "about -52.2, the NLL of the full model on train, by (2.10)"),
    ("NLL full, train", nll["full", "train"], ""),
], header=("nats per image", "yours", "expected"))

# %% [markdown]
# Last, the estimator (2.9) of the same number. **Before you run this:** by what factor does the error bar shrink when there are four times as
# many samples? And which would need more samples for the same error bar, $\mathrm{KL}(\text{full}\,\|\,\text{diagonal})$ or the other direction?

# %%
most = dgm.budget(smoke=8, cpu=14, gpu=14)
many_eps = torch.randn(2**most, 64, generator=dgm.generator(4))
sizes = [2**k for k in range(4, most + 1, 2)]
full, diagonal = (digit_mean, digit_cov), (digit_mean, digit_diagonal)

figure, axes = plot.subplots(1, 2, width=10, height=3.5)
for ax, p, q, title in ((axes[0], full, diagonal, "KL(full || diagonal)"), (axes[1], diagonal, full, "KL(diagonal || full)")):
    estimates = [kl_monte_carlo(*p, *q, many_eps[:size]) for size in sizes]
    means, errors = ([float(pair[i]) for pair in estimates] for i in (0, 1))
    exact = float(gaussian_kl(*p, *q))
    ax.axhline(exact, color="black", linestyle="--", label=f"closed form ({exact:.4g})")
    ax.errorbar(sizes, means, [2 * e for e in errors], fmt="o", capsize=4, color=plot.COLORS[0], label="estimate ± 2 standard errors")
    ax.set_xscale("log", base=2)
    ax.set(xlabel="number of samples", ylabel="nats", title=title)
    ax.legend()
    print(f"{title}: {means[-1]:.2f} ± {errors[-1]:.2f} from {sizes[-1]} samples; closed form {exact:.2f}")

# %% [markdown]
# The bar halves with four times the samples. The direction matters for the value and for the noise. The other direction,
# $\mathrm{KL}(\text{diagonal}\,\|\,\text{full})$, is the noisier one: under the full model a sample with independent pixels is very unlikely, and
# how unlikely varies much from sample to sample, so its $r_s$ scatter more.
#
# **What to remember.** Cholesky gives the log-determinant, the quadratic form and the samples. The maximum-likelihood Gaussian matches the
# mean and the covariance of the data, with $1/N$. KL has a direction: the expectation is under the first argument. A sampled estimate comes with
# its standard error, which falls like $1/\sqrt S$.

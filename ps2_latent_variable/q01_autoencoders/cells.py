# %% [markdown]
# Run the cell. The first row shows images of $784$ pixels. Below, each was drawn again from a few numbers.

# %%
ae_train, ae_test = data.glyphs(5000)[0], data.glyphs(1000, split="test")[0]
ae_axes = torch.pca_lowrank(ae_train.flatten(1), q=60)[2]
ae_centre = ae_train.flatten(1).mean(0)
rebuilt_rows = {"data, 784 numbers": ae_test[:20].flatten(1)}
for kept in (32, 8, 2):
    squeezed = (rebuilt_rows["data, 784 numbers"] - ae_centre) @ ae_axes[:, :kept]
    rebuilt_rows[f"drawn again from {kept} numbers"] = ae_centre + squeezed @ ae_axes[:, :kept].T
figure, axes = plot.subplots(4, 1, width=10, height=3.4)
for ax, (title, pictures) in zip(axes, rebuilt_rows.items()):
    plot.images(pictures.reshape(-1, 28, 28), ncols=20, suptitle=title, ax=ax)
plt.show()

# %% [markdown]
# A network that squeezes an image into a short **code** and draws it again is an **autoencoder**. It needs no labels: the image is its own target. The code is a guess at a hidden cause.
#
# If so, make up a code, and draw a *new* image! But which codes are likely? For linear networks the answer is a closed form.
#
# ### The best linear autoencoder
#
# Let $V$ have $k$ orthonormal columns. The code is $V^\top(x-\bar{x})$, and $\hat{x}=\bar{x}+VV^\top(x-\bar{x})$ is drawn. With the covariance $S=\frac1N\sum_n(x_n-\bar{x})(x_n-\bar{x})^\top$, what is lost is the
# whole squared length less the part that is kept:
#
# $$\frac1N\sum_n\lVert x_n-\hat{x}_n\rVert^2=\operatorname{tr}S-\operatorname{tr}(V^\top{S}V)\;\ge\;\sum_{i>k}\lambda_i, \tag{1.1}$$
#
# where $\lambda_1\ge\lambda_2\ge\dots$ are the eigenvalues of $S$. Equality holds if $V$ spans the first $k$ eigenvectors: this is **PCA**. Variances $4$, $1$ and $\frac14$ with $k=1$ lose $1.25$. Turning $V$ within its span
# changes nothing, so one compares the **projector** $P=VV^\top$.
#
# ### Its probabilistic twin
#
# PCA says what an image loses, not how likely it is. **Probabilistic PCA** gives the code a density. The image is its linear picture, plus equal noise at each pixel:
#
# $$z\sim\mathcal{N}(0,I_k),\qquad x=m+Wz+\sigma\epsilon,\quad \epsilon\sim\mathcal{N}(0,I_D). \tag{1.2}$$
#
# A sum of independent Gaussians is Gaussian, so the integral is done:
#
# $$p(x)=\int p(x\mid z)\,p(z)\,dz=\mathcal{N}(x;\;m,\;WW^\top+\sigma^2I). \tag{1.3}$$
#
# The likelihood is greatest if the first $k$ directions have the data's variances, and all others the mean of the rest. With eigenvectors $V$ and $\Lambda=\operatorname{diag}(\lambda_1,\dots,\lambda_k)$,
#
# $$m=\bar{x},\qquad \sigma^2=\frac1{D-k}\sum_{i>k}\lambda_i,\qquad W=V(\Lambda-\sigma^2I)^{1/2}. \tag{1.4}$$
#
# Again $W$ may be turned: $WR$ with an orthogonal $R$ has the same $WW^\top$. Variances $4$, $1$ and $\frac14$ give $\sigma^2=0.625$ and $W=(\sqrt{3.375},0,0)^\top$.
#
# **On paper:** which causes does an image suggest? By Bayes' rule $\log p(z\mid x)=\log p(x\mid z)+\log p(z)+\text{const}$, which is quadratic in $z$. Collect $z^\top(\cdot)\,z$ and $z^\top(\cdot)$, and read
# off covariance and mean. For $D=k=\sigma^2=1$, $m=0$, $W=2$ and $x=5$ you should find the mean $2$ and the variance $0.2$.

# %% role="answer"
def pca_projector(x: Float[Tensor, "N D"], k: int) -> Float[Tensor, "D D"]:
    """Projector P onto the span of the first k principal axes; see (1.1).

    Args:
        x: any mean; perhaps fewer examples than dimensions. float64 stays float64.
        k: from 1 to D, less than N, with λ_k > λ_{k+1}.
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(0)
    vectors = torch.linalg.eigh(centred.T @ centred)[1][:, -k:]
    return vectors @ vectors.T
    ### END SOLUTION


def ppca_fit(x: Float[Tensor, "N D"], k: int) -> tuple[Float[Tensor, "D"], Float[Tensor, "D k"], Float[Tensor, ""]]:
    """(m, W, sigma2) of greatest likelihood, equation (1.4); W up to a rotation.

    Args:
        x: as for `pca_projector`.
        k: at least 1, less than D and N - 1.
    """
    ### BEGIN SOLUTION
    mean = x.mean(0)
    values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    sigma2 = values[:-k].mean()
    return mean, vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), sigma2
    ### END SOLUTION


def ppca_log_prob(
    x: Float[Tensor, "N D"], mean: Float[Tensor, "D"], W: Float[Tensor, "D k"], sigma2: Float[Tensor, ""]
) -> Float[Tensor, "N"]:
    """log p(x) of each example in nats, equation (1.3), for any W and hundreds of dimensions.

    Differentiable in all arguments.
    """
    ### BEGIN SOLUTION
    cov = W @ W.T + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)
    return torch.distributions.MultivariateNormal(mean, cov).log_prob(x)
    ### END SOLUTION


def ppca_posterior(
    x: Float[Tensor, "N D"], mean: Float[Tensor, "D"], W: Float[Tensor, "D k"], sigma2: Float[Tensor, ""]
) -> tuple[Float[Tensor, "N k"], Float[Tensor, "k k"]]:
    """Means of p(z | x), one for each example, and their common covariance: your derivation, for any W."""
    ### BEGIN SOLUTION
    precision = W.T @ W / sigma2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    cov = torch.linalg.inv(precision)
    return (x - mean) @ W @ cov / sigma2, cov
    ### END SOLUTION

# %% [markdown]
# Last, a network with hidden layers.

# %% role="answer"
class Autoencoder(nn.Module):
    """Four `nn.Linear` layers with biases, of sizes D → hidden → latent → hidden → D, where D = C·H·W.

    A ReLU follows each hidden layer and a sigmoid the last layer. Nothing follows the code.
    """

    def __init__(self, shape: tuple[int, int, int], hidden: int, latent: int) -> None:
        """Layers for images of this shape, (C, H, W)."""
        super().__init__()
        self.shape = tuple(shape)
        ### BEGIN SOLUTION
        pixels = math.prod(shape)
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())
        ### END SOLUTION

    def encode(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N latent"]:
        """Codes of images, which are flattened in the order of ``x.flatten(1)``."""
        ### BEGIN SOLUTION
        return self.encoder(x.flatten(1))
        ### END SOLUTION

    def decode(self, z: Float[Tensor, "N latent"]) -> Float[Tensor, "N C H W"]:
        """Images drawn from codes."""
        ### BEGIN SOLUTION
        return self.decoder(z).reshape(-1, *self.shape)
        ### END SOLUTION

    def squared_error(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N"]:
        """The squared error of each image drawn again, summed over its pixels."""
        ### BEGIN SOLUTION
        return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)
        ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### One likelihood, three ways
#
# Since $p(x,z)=p(x)\,p(z\mid x)$, whoever knows the posterior needs no integral. At *every* $z$,
#
# $$\log p(x)=\log p(x\mid z)+\log p(z)-\log p(z\mid x). \tag{1.5}$$
#
# The table has the mean over the $8\times8$ digits by (1.3), from the eigenvalues alone, and by (1.5).

# %%
ppca_latents = 8        # a knob
too_narrow = 1.0   # a knob: the posterior's covariance is multiplied by it; at 0.5, which rows disagree?

ppca_x = data.digits()[0].flatten(1).double()
ppca_fitted = ppca_fit(ppca_x, ppca_latents)
ppca_z, ppca_cov = ppca_posterior(ppca_x, *ppca_fitted)


def log_gaussian(x, mean, cov):
    return torch.distributions.MultivariateNormal(mean, cov).log_prob(x)


def by_bayes(z):
    mean, W, sigma2 = ppca_fitted
    likelihood = log_gaussian(ppca_x, mean + z @ W.T, sigma2 * torch.eye(64).double())
    prior = log_gaussian(z, torch.zeros(ppca_latents).double(), torch.eye(ppca_latents).double())
    return likelihood + prior - log_gaussian(z, ppca_z, too_narrow * ppca_cov)


ppca_variances = torch.linalg.eigvalsh(torch.cov(ppca_x.T, correction=0)).flip(0)
ppca_rest = ppca_variances[ppca_latents:].mean()
by_eigenvalues = -0.5 * (64 * math.log(2 * math.pi) + ppca_variances[:ppca_latents].log().sum() + (64 - ppca_latents) * ppca_rest.log() + 64)
random_z = torch.randn(ppca_z.shape, generator=dgm.generator(0)).double()
by_density = float(ppca_log_prob(ppca_x, *ppca_fitted).mean())
plot.table([
    (name, f"{value:.6f}", f"{value - by_density:.1e}")
    for name, value in (
        ("your ppca_log_prob", by_density), ("eigenvalues", float(by_eigenvalues)), ("(1.5) at z = 0", float(by_bayes(0 * ppca_z).mean())),
        ("(1.5) at the posterior's means", float(by_bayes(ppca_z).mean())), ("(1.5) at random z", float(by_bayes(random_z).mean())),
    )
], header=("mean log p, nats per image", "", "difference"))

# %% [markdown]
# ### A linear autoencoder beside a linear VAE
#
# The rows by (1.5) agree only with the exact posterior. Put *another* density $q(z\mid x)$ in its place, and average over $z\sim q$. This is the **ELBO**, which is never above $\log p(x)$, as Question 2 will show. Here $q$ has the
# mean $A(x-m)$ and a *diagonal* covariance. Both networks below start at random. One lowers the error (1.1). The other raises the ELBO: a linear variational autoencoder (VAE).
#
# **Before you run this:** the posterior of a random $W$ has correlations, which $q$ cannot have. How many nats will the mean ELBO stay below the best mean of $\log p$?

# %%
guess_linear_vae = None  # type a number, in nats

# %%
axes_shown = 5     # a knob: try 8. Which axes does the VAE still mix, and why these? Look at `best_columns[1].norm(dim=0)`
linear_start = 0   # a knob: which panels of the figure change with the random start?

axes_x = data.glyphs(1000, size=16)[0].flatten(1)
axes_mean = axes_x.mean(0)
axes_centred = axes_x - axes_mean


def trained_linear(loss, parameters, steps, lr=0.01):
    optimizer = torch.optim.Adam(parameters, lr)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * min(1, 2 * (1 - step / steps))
        optimizer.zero_grad()
        loss(*parameters).backward()
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


def linear_error(A, W):
    return (axes_centred - axes_centred @ A.T @ W.T).square().sum(1).mean()


def linear_elbo(A, W, logvar, log_sigma2):
    spread = (W.square().sum(0) * logvar.exp()).sum()  # what the noise of z adds to the error
    likelihood = -0.5 * (256 * (math.log(2 * math.pi) + log_sigma2) + (linear_error(A, W) + spread) / log_sigma2.exp())
    return likelihood - 0.5 * ((axes_centred @ A.T).square().sum(1).mean() + (logvar.exp() - 1 - logvar).sum())


def linear_at_random(*linear_sizes):
    numbers = dgm.generator(linear_start)
    return [(0.1 * torch.randn(size, generator=numbers)).requires_grad_() for size in linear_sizes]


steps_linear = dgm.budget(smoke=30, cpu=1000, gpu=1000)
linear_sizes = ((axes_shown, 256), (256, axes_shown))
ae_columns = trained_linear(linear_error, linear_at_random(*linear_sizes), steps_linear)
vae_columns = trained_linear(lambda *given: -linear_elbo(*given), linear_at_random(*linear_sizes, (axes_shown,), ()), steps_linear)
best_columns = ppca_fit(axes_x.double(), axes_shown)

dropped_error = torch.linalg.eigvalsh(torch.cov(axes_x.T.double(), correction=0))[:-axes_shown].sum()
ae_span = torch.linalg.qr(ae_columns[1])[0]
plot.table([
    ("linear autoencoder, mean squared error", float(linear_error(*ae_columns)), float(dropped_error), "the dropped eigenvalues", None),
    ("distance of its span's projector from yours", float((ae_span @ ae_span.T - pca_projector(axes_x, axes_shown)).norm()), 0.0, "less than 0.1", None),
    ("linear VAE, mean ELBO", float(linear_elbo(*vae_columns)), float(ppca_log_prob(axes_x.double(), *best_columns).mean()), "the best mean log p", None),
    ("nats below", float(ppca_log_prob(axes_x.double(), *best_columns).mean()) - float(linear_elbo(*vae_columns)), 0.0, "less than 0.02", guess_linear_vae),
], header=("", "trained", "in closed form", "", "your guess"))


def normed_columns(columns):
    # by falling length, then scaled to length 1, the largest entry positive
    columns = columns.double()[:, columns.norm(dim=0).argsort(descending=True)]
    largest = columns.gather(0, columns.abs().argmax(0, keepdim=True))
    return (columns * largest.sign() / columns.norm(dim=0)).T.reshape(-1, 16, 16)


figure, axes = plot.subplots(1, 3, width=10, height=2)
for ax, columns, title in zip(axes, (best_columns[1], ae_columns[1], vae_columns[1]), ("principal axes", "autoencoder: mixtures of them", "linear VAE: nearly the axes")):
    plot.images(normed_columns(columns), ncols=axes_shown, vmin=-0.2, vmax=0.2, cmap="RdBu_r", suptitle=title, ax=ax)
plt.show()

# %% [markdown]
# No nats: less than 0.001 over 6 starts. Turning $W$ changes the ELBO, but not $\log p(x)$: a diagonal $q$ is exact only where $W^\top W$ is diagonal. A
# $W$ turned at random pays about 0.1 nats. So the VAE turns $W$ until its columns are the principal axes, but slowly among columns of nearly equal length. The autoencoder has no reason to.
#
# ### A better code that you cannot draw from
#
# Now your `Autoencoder`, on the first figure's images. **Before you run this:** 8 numbers of PCA leave a squared error of 26.0 on new images. How much do 8 numbers of the network leave?

# %%
guess_network_error = None  # type a number

# %%
code_size = 8     # a knob: try 2 and 32. Which rows get better, and which worse?
code_scale = 1.0  # a knob: made-up codes are multiplied by it. Does 4 repair the last row?

dgm.seed_everything(0)
deep = Autoencoder((1, 28, 28), 256, code_size)
optimizer_deep = torch.optim.Adam(deep.parameters(), 2e-3)
for batch in data.batches(ae_train, 100, dgm.generator(0), steps=dgm.budget(smoke=20, cpu=1000, gpu=1000)):
    optimizer_deep.zero_grad()
    deep.squared_error(batch).mean().backward()
    optimizer_deep.step()

twin_mean, twin_W, twin_sigma2 = ppca_fit(ae_train.flatten(1), code_size)
onto_plane = pca_projector(ae_train.flatten(1), code_size)
by_pca = twin_mean + (ae_test.flatten(1) - twin_mean) @ onto_plane
made_up = code_scale * torch.randn(20, code_size, generator=dgm.generator(1))
with torch.no_grad():
    by_network = deep.decode(deep.encode(ae_test))
    code_errors = {"PCA": float((by_pca - ae_test.flatten(1)).square().sum(1).mean()), "network": float(deep.squared_error(ae_test).mean())}
    code_rows = {
        "new images": ae_test,
        f"PCA, {code_size} numbers: squared error {code_errors['PCA']:.1f}": by_pca,
        f"autoencoder, {code_size} numbers: squared error {code_errors['network']:.1f}": by_network,
        f"codes from N(0, I), times {code_scale:g}, drawn by probabilistic PCA": twin_mean + made_up @ twin_W.T,
        "the same codes, drawn by the autoencoder": deep.decode(made_up),
    }
figure, axes = plot.subplots(5, 1, width=10, height=4.3)
for ax, (title, pictures) in zip(axes, code_rows.items()):
    plot.images(pictures[:20].reshape(-1, 28, 28), ncols=20, suptitle=title, ax=ax)
plt.show()
plot.table([(f"autoencoder, {code_size} numbers", code_errors["network"], "14.7", guess_network_error)], header=("squared error on new images", "yours", "expected for 8", "your guess"))

# %% [markdown]
# The network leaves little more than half of PCA's error (over 5 seeds: 14.0 to 15.0). But nothing told it which codes to use. Its own are several times larger (standard deviation about 4), and
# codes from $\mathcal{N}(0,I)$ draw shadows. Four times larger, they draw bright strokes, many of no digit. With 2 numbers the errors are larger, but made-up codes draw digits, though only a few of the ten. Probabilistic PCA was fitted as a density: its
# codes draw ghosts, but as bright and as large as the data. The VAE of Question 5 has both network and density.
#
# **What to remember**
# - The best linear autoencoder is PCA. It loses the sum of the dropped eigenvalues; only its subspace is determined.
# - Probabilistic PCA adds $z\sim\mathcal{N}(0,I)$ and equal noise, so it has a likelihood, a posterior and samples.
# - With the exact posterior, (1.5) gives $\log p(x)$ at every $z$. With another $q$ in its place, the mean is the ELBO.
#
# Question 2 is about the ELBO. In Question 7 this exact $\log p$ judges every bound.

# %% [markdown]
# A camera in the dark gives noise. The usual remedy is a blur.

# %% role="given"
def psnr(x: Tensor, y: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels: −10 log₁₀ of the mean squared error, for images in [0, 1]."""
    error = float((x - y).square().mean())
    return -10 * math.log10(error) if error > 0 else math.inf


def extract_patches(image: Float[Tensor, "1 1 H W"], size: int) -> Float[Tensor, "N size²"]:
    """All overlapping patches, and the pixels of each, row by row."""
    return F.unfold(image, size)[0].T


def gaussian_blur(image: Float[Tensor, "1 1 H W"], width: float) -> Float[Tensor, "1 1 H W"]:
    """Convolution with a Gaussian; width is its standard deviation in pixels."""
    reach = math.ceil(3 * width)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / width) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    padded = F.pad(image, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel), kernel.transpose(2, 3))

# %%
def best_blur(noisy: Tensor, clean: Tensor) -> Tensor:
    """The blur whose width suits the clean image best; no honest method may look at it."""
    return max((gaussian_blur(noisy, width) for width in (0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0)), key=lambda image: psnr(image, clean))


def show_panels(pictures: dict[str, Tensor], rows: int = 1) -> None:
    """Pictures side by side; a second row shows a detail."""
    figure, axes = plot.subplots(rows, len(pictures), width=10, height=0.4 + 9.6 * rows / len(pictures), squeeze=False)
    for column, (name, picture) in enumerate(pictures.items()):
        side = picture.shape[-1]
        for row, part in enumerate((picture[0, 0], picture[0, 0, side * 2 // 5 : side * 13 // 20, side * 9 // 25 : side * 61 // 100])[:rows]):
            axes[row, column].imshow(part.detach(), cmap="gray", vmin=0, vmax=1)
            axes[row, column].axis("off")
        axes[0, column].set_title(name, fontsize=11)
    if rows == 2:
        axes[1, 0].set_title("a detail", fontsize=11)
    plt.show()


photo_side = dgm.budget(smoke=40, cpu=256, gpu=256)
photo_top, photo_left = 188 - photo_side // 2, 328 - photo_side // 2  # the middle of the flower
clean_photo = data.photo("flower")[..., photo_top : photo_top + photo_side, photo_left : photo_left + photo_side]
noisy_photo = clean_photo + 0.1 * torch.randn(clean_photo.shape, generator=dgm.generator(1))
blurred_photo = best_blur(noisy_photo, clean_photo)
show_panels({
    f"noise, σ = 0.1: {psnr(noisy_photo, clean_photo):.1f} dB": noisy_photo,
    f"best blur, and less detail: {psnr(blurred_photo, clean_photo):.1f} dB": blurred_photo,
    "another photograph, a temple": data.photo("china")[..., 100:356, 80:336],
})

# %% [markdown]
# To do better, one must know what clean patches look like. A density knows, and Bayes' rule turns it into a repair.
#
# We shall fit a mixture to small patches of the temple, and repair the flower, of which it has seen nothing. Nothing is trained for denoising.
#
# A patch is a vector $x\in\mathbb R^D$. We see $y=x+\sigma\varepsilon$ with $\varepsilon\sim\mathcal N(0,I)$ and known $\sigma$. The
# estimate with the smallest mean squared error is the **posterior mean** $\mathbb E[x\mid y]$. Half the squared error is +3 dB.
#
# ### Your derivation, on paper
# Let $x\sim\mathcal N(\mu,\Sigma)$. Then $x$ and $y$ are jointly Gaussian, and the posterior mean is linear in $y$, with a **gain** $G$:
#
# $$\mathbb E[x\mid y]=\mu+G\,(y-\mu).\tag{5.1}$$
#
# 1. Find the covariance $C$ of $y$, and the covariance of $x$ with $y$, $\mathbb E[(x-\mu)(y-\mu)^\top]$.
# 2. The error $x-\mathbb E[x\mid y]$ of the best estimate is uncorrelated with $y$. Solve this for $G$.
# 3. Along an eigenvector of $\Sigma$ with variance $\lambda$, by which factor does $G$ multiply?
#
# Test your $G$: for $\Sigma=\begin{pmatrix}2&1\\1&2\end{pmatrix}$ and $\sigma=1$ it is $\frac18\begin{pmatrix}5&1\\1&5\end{pmatrix}$.
# A pixel learns from its neighbour.
#
# This filter treats a flat patch and an edge alike. A mixture need not.

# %%
# posterior means in one dimension by integration over a grid of x; the noise has sigma = 0.5
grid_x, grid_y = torch.linspace(-12, 12, 4001, dtype=torch.float64), torch.linspace(-5, 5, 201, dtype=torch.float64)


def bell(t, std):
    return torch.exp(-0.5 * (t / std) ** 2) / std / math.sqrt(2 * math.pi)


spiky_prior = 0.8 * bell(grid_x, 0.2) + 0.2 * bell(grid_x, 2.0)  # mostly tiny values, now and then a large one
single_prior = bell(grid_x, math.sqrt(0.8 * 0.2**2 + 0.2 * 2.0**2))
figure, axes = plot.subplots(1, 2, width=10, height=3.5)
for name, prior, color in (("one Gaussian", single_prior, plot.COLORS[0]), ("mixture of two", spiky_prior, plot.COLORS[1])):
    posterior = prior * bell(grid_y[:, None] - grid_x, 0.5)
    axes[0].plot(grid_x, prior, color=color, label=name)
    axes[1].plot(grid_y, (posterior * grid_x).sum(1) / posterior.sum(1), color=color, label=name)
axes[1].plot(grid_y, grid_y, ":", color="#888888", label="x = y")
axes[0].set(xlim=(-5, 5), yscale="log", ylim=(1e-4, 3), xlabel="x", ylabel="p(x)", title="same mean, same variance")
axes[1].set(xlabel="observed y", ylabel="E[x | y]", title="only the mixture decides: noise or signal?")
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The mixture takes a small $y$ for noise, a large one for signal. Photographs are like that: mostly flat, now and then
# an edge.
#
# **The mixture's posterior mean.** Each component has its own filter. Bayes' rule says how far to trust it, from how well it
# explains the *noisy* $y$. With your $C_k$ and $G_k$:
#
# $$\mathbb E[x\mid y]=\sum_k p(k\mid y)\,\big[\mu_k+G_k(y-\mu_k)\big],\qquad
# p(k\mid y)=\frac{\pi_k\,\mathcal N(y;\mu_k,C_k)}{\sum_j\pi_j\,\mathcal N(y;\mu_j,C_j)}.\tag{5.2}$$
#
# In the figure, where $\sigma=0.5$, $y=0.5$ comes from the narrow component with probability 0.91, and becomes 0.10; $y=3$
# comes from the wide one, almost surely, and becomes 2.82.
#
# **From patches to an image.** A pixel lies in up to $D$ overlapping patches, a corner pixel in one. Denoise all, and give the pixel the mean of its
# estimates.
#
# Brightness says little about structure. So the mixture describes patches minus *their own mean*. The denoiser
# subtracts each noisy patch's mean, and adds it again. (What is left of the noise is still $\sigma^2I$ in all directions in which such patches differ. They sum to 0, so $\Sigma_k$ may have no
# inverse. Which of your matrices has one?)
#
# ### Your task
# Question 3 has done part of the first function.

# %% role="answer"
def posterior_mean(
    y: Float[Tensor, "N D"],
    sigma: float,
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "N D"]:
    """E[x | y] for y = x + sigma · standard normal noise, equation (5.2).

    Args:
        sigma: a standard deviation, from 1e-3 to 1e3.
        log_weights, means, covs: the mixture *of x*; a log-weight may be −∞, a covariance singular.

    Returns:
        In the dtype of y; float64 keeps its digits. Right where all densities underflow, and for variances down to 1e-6.
    """
    ### BEGIN SOLUTION
    noisy_covs = covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
    weights = responsibilities(y, log_weights, means, noisy_covs)
    result = torch.zeros_like(y)
    for k in range(len(means)):
        gain = torch.linalg.solve(noisy_covs[k], covs[k])  # symmetric, as the two matrices commute
        result = result + weights[:, k, None] * (means[k] + (y - means[k]) @ gain)
    return result
    ### END SOLUTION


def average_patches(patches: Float[Tensor, "N D"], height: int, width: int) -> Float[Tensor, "1 1 height width"]:
    """The image whose every pixel is the mean over all patches that cover it.

    Args:
        patches: in the order of `extract_patches`; they need not agree. A patch's side is the root of D.

    Returns:
        In the dtype of patches.
    """
    ### BEGIN SOLUTION
    size = math.isqrt(patches.shape[1])
    sums = F.fold(patches.T[None], (height, width), size)
    counts = F.fold(torch.ones_like(patches).T[None], (height, width), size)
    return sums / counts
    ### END SOLUTION


def denoise(
    image: Float[Tensor, "1 1 H W"],
    sigma: float,
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "1 1 H W"]:
    """The mean of all patches' posterior means; D gives the size of a patch.

    Args:
        log_weights, means, covs: of patches from which their own mean was subtracted.

    Returns:
        In the dtype of image, not clamped to [0, 1].
    """
    ### BEGIN SOLUTION
    patches = extract_patches(image, math.isqrt(means.shape[1]))
    brightness = patches.mean(1, keepdim=True)
    estimates = brightness + posterior_mean(patches - brightness, sigma, log_weights, means, covs)
    return average_patches(estimates, image.shape[2], image.shape[3])
    ### END SOLUTION

# %% role="check"
grader.check("q5")

# %% [markdown]
# ### The temple repairs the flower
# **Predict.** The noisy flower has 20.0 dB, the best blur 26.2. What will one Gaussian reach, the best *linear* filter for
# the temple? And a mixture of 15?

# %%
guess_one_gaussian_db = None  # type a number
guess_mixture_db = None  # type a number

# %%
noise_sigma, patch_components = 0.1, 15  # change both: at which σ does the blur come close? what do 2 components do?


def fit_patch_mixture(x: Tensor, K: int, steps: int, floor: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """A mixture of K Gaussians by your `fit_gmm_em`, or scikit-learn's if that fails."""
    start = x[torch.randperm(len(x), generator=dgm.generator(0))[:K]]
    spread = (torch.cov(x.T, correction=0) + 1e-4 * torch.eye(x.shape[1])).repeat(K, 1, 1)
    try:
        mixture, _ = fit_gmm_em(x, torch.full((K,), -math.log(K)), start, spread, steps, floor)
        if all(part.isfinite().all() for part in mixture[1:]) and mixture[2].shape == spread.shape:
            return mixture
    except Exception as error:
        print(f"fit_gmm_em stops with {type(error).__name__}.")
    print("Your fit_gmm_em (Question 3) does not work yet; scikit-learn's is used instead.")
    from sklearn.mixture import GaussianMixture

    other = GaussianMixture(K, max_iter=10 * steps, tol=0.01, reg_covar=floor, random_state=0).fit(x[::4].double().numpy())
    return tuple(torch.tensor(part, dtype=x.dtype) for part in (np.log(other.weights_), other.means_, other.covariances_))


temple_patches = data.patches(data.photo("china"), 6, n=dgm.budget(smoke=1000, cpu=20000, gpu=20000), seed=0).flatten(1)
temple_patches = temple_patches - temple_patches.mean(1, keepdim=True)
one_gaussian = (torch.zeros(1), temple_patches.mean(0, keepdim=True), torch.cov(temple_patches.T, correction=0)[None])
patch_mixture = fit_patch_mixture(temple_patches, dgm.budget(smoke=3, cpu=patch_components, gpu=patch_components), dgm.budget(smoke=2, cpu=15, gpu=15))

noisy_photo = clean_photo + noise_sigma * torch.randn(clean_photo.shape, generator=dgm.generator(1))
repairs = {
    "noisy": noisy_photo,
    "best blur": best_blur(noisy_photo, clean_photo),
    "one Gaussian": denoise(noisy_photo, noise_sigma, *one_gaussian),
    "mixture": denoise(noisy_photo, noise_sigma, *patch_mixture),
}
show_panels({f"{name}: {psnr(picture, clean_photo):.1f} dB": picture for name, picture in repairs.items()}, rows=2)
decibels = {name: psnr(picture, clean_photo) for name, picture in repairs.items()}
plot.table(
    [
        ["noisy", decibels["noisy"], None, "20.0"],
        ["best blur", decibels["best blur"], None, "26.2"],
        ["one Gaussian", decibels["one Gaussian"], guess_one_gaussian_db, "25.3"],
        ["mixture", decibels["mixture"], guess_mixture_db, "27.8"],
    ],
    header=["PSNR in dB", "found", "your guess", "expected at σ = 0.1, K = 15"],
)

# %% [markdown]
# **Surprised?** One Gaussian loses to the blur: a compromise between sky and leaves, it leaves noise in the flower's
# smooth parts. The mixture smooths these *and* keeps the petals' edges, as (5.2) decides patch by patch. (Over six seeds of
# patches, start and noise: 0.9 to 1.0 dB below the blur, 1.6 to 1.8 above.) Two components reach 27.4 dB already; at $\sigma=0.3$ the blur comes within 0.4 dB.
#
# What has it learned? The direction in which each component varies most:

# %%
by_weight = patch_mixture[0].nan_to_num(neginf=-99).argsort(descending=True)
leading = torch.linalg.eigh(patch_mixture[2][by_weight])[1][:, :, -1].reshape(-1, 6, 6)
leading = leading / leading.abs().amax((1, 2), keepdim=True)
plot.images(leading, ncols=15, vmin=-1, vmax=1, suptitle="the mixture has found steps, bars and stripes in the temple")

# %% [markdown]
# **A second way.** Let $p_\sigma$ be the density of the *noisy* patches. By Tweedie's formula the gradient of
# its logarithm, the **score**, points from $y$ to the repair:
#
# $$\mathbb E[x\mid y]=y+\sigma^2\,\nabla_y\log p_\sigma(y).\tag{5.3}$$
#
# Check it by autograd.

# %%
some = extract_patches(noisy_photo, 6)[:: max(1, noisy_photo.numel() // 500)].double()
some = (some - some.mean(1, keepdim=True)).requires_grad_()
weights_, means_, covs_ = (part.double() for part in patch_mixture)
log_p_sigma = torch.distributions.MixtureSameFamily(
    torch.distributions.Categorical(logits=weights_.clamp(min=-700)),
    torch.distributions.MultivariateNormal(means_, covs_ + noise_sigma**2 * torch.eye(36)),
).log_prob(some)
(score,) = torch.autograd.grad(log_p_sigma.sum(), some)
tweedie_gap = (posterior_mean(some.detach(), noise_sigma, weights_, means_, covs_) - (some + noise_sigma**2 * score).detach()).abs().max()
print(f"largest difference to Tweedie's formula: {float(tweedie_gap):.0e} (expected: below 1e-6)")

# %% [markdown]
# **What to remember**
# - A density of clean data plus Bayes' rule is a denoiser, for every $\sigma$: the noise enters only as $\sigma^2I$.
# - A Gaussian prior gives a linear filter, a mixture one that adapts to its input.
# - Whoever can denoise knows the score, and vice versa.
#
# **Where it returns.** A diffusion model learns this posterior mean with a network, at all noise levels, and draws with it.

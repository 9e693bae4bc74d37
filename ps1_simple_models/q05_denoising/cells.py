# %% [markdown]
# ## Question 5 · A mixture that denoises a photograph
# *6 points · about 45 minutes*
#
# A good density is more than a number in nats: with Bayes' rule it repairs data. Here a mixture of Gaussians learns what small
# patches of *one* photograph look like, and then removes noise from *another* one that it has never seen. Nothing is trained for denoising. This is
# the idea of every diffusion model (a prior plus the posterior mean under Gaussian noise), with a posterior mean in closed form.
#
# **One Gaussian.** A patch of $s \times s$ pixels is a vector $x \in \mathbb{R}^D$, $D = s^2$. We see
# $y = x + \sigma\varepsilon$ with $\varepsilon \sim \mathcal{N}(0, I)$ and known $\sigma$. The estimate with the smallest mean squared error is the posterior
# mean $\mathbb{E}[x \mid y]$. If $x \sim \mathcal{N}(\mu, \Sigma)$, then $x$ and $y$ are jointly Gaussian, $y$ has covariance
# $\Sigma + \sigma^2 I$, their cross-covariance is $\Sigma$, and
#
# $$\mathbb{E}[x \mid y] = \mu + \Sigma\,(\Sigma + \sigma^2 I)^{-1} (y - \mu) , \tag{5.1}$$
#
# the *Wiener filter*. Along an eigenvector of $\Sigma$ with variance $\lambda$ it multiplies by $\lambda / (\lambda + \sigma^2)$: directions in which patches vary a
# lot are kept, the others are shrunk. It is linear: it treats a flat patch and an edge in the same way.
#
# **A mixture.** If $x \sim \sum_k \pi_k\, \mathcal{N}(\mu_k, \Sigma_k)$, every component has its own Wiener filter, and Bayes' rule
# says which to trust. Given the component, $y$ is Gaussian with covariance $\Sigma_k + \sigma^2 I$, so
#
# $$p(k \mid y) = \frac{\pi_k\, \mathcal{N}(y;\, \mu_k, \Sigma_k + \sigma^2 I)}{\sum_j \pi_j\, \mathcal{N}(y;\, \mu_j, \Sigma_j + \sigma^2 I)} , \tag{5.2}$$
#
# $$\mathbb{E}[x \mid y] = \sum_k p(k \mid y) \Big[ \mu_k + \Sigma_k (\Sigma_k + \sigma^2 I)^{-1} (y - \mu_k) \Big] . \tag{5.3}$$
#
# **Before you run this:** both priors below have the same mean and variance. For which values of $y$ do you expect the mixture
# to shrink more than the single Gaussian?

# %%
# Posterior means in one dimension, by brute-force integration over a grid of x. The noise has sigma = 0.5.
grid_x, grid_y = torch.linspace(-12, 12, 4001, dtype=torch.float64), torch.linspace(-5, 5, 201, dtype=torch.float64)


def bell(t, std):
    return torch.exp(-0.5 * (t / std) ** 2) / std


spiky = 0.8 * bell(grid_x, 0.2) + 0.2 * bell(grid_x, 2.0)  # mostly tiny values, now and then a large one
single = bell(grid_x, math.sqrt(0.8 * 0.2**2 + 0.2 * 2.0**2))
figure, axes = plot.subplots(1, 2, width=10, height=3.7)
for name, prior, color in (("one Gaussian", single, plot.COLORS[0]), ("mixture of two", spiky, plot.COLORS[1])):
    posterior = prior * bell(grid_y[:, None] - grid_x, 0.5)
    axes[0].plot(grid_x, prior / prior.sum() / (grid_x[1] - grid_x[0]), color=color, label=name)
    axes[1].plot(grid_y, (posterior * grid_x).sum(1) / posterior.sum(1), color=color, label=name)
axes[1].plot(grid_y, grid_y, ":", color="#888888", label="x = y")
axes[0].set(xlim=(-5, 5), yscale="log", ylim=(1e-4, 3), xlabel="x", title="two priors, same mean and variance")
axes[1].set(xlabel="observed y", ylabel="E[x | y]", title="their posterior means")
for ax in axes:
    ax.legend(frameon=False)
plt.show()

# %% [markdown]
# The single Gaussian shrinks everything by the same factor. The mixture decides: a small $y$ is probably noise and goes to
# nearly 0, a large $y$ is probably real and is kept. Patches of photographs are like that: mostly flat, now and then an edge.
#
# **From patches to an image.** Every pixel lies in up to $s^2$ overlapping patches. Denoise all of them and give the pixel the mean of its
# estimates. A corner pixel lies in one patch only, so **the number of patches differs from pixel to pixel**. The average brightness
# of a patch says little about its structure, so the mixture models patches from which *their own mean* was subtracted; the denoiser subtracts
# each noisy patch's mean and adds it again afterwards. (Such patches sum to 0, therefore $\Sigma_k$ is singular or nearly so.
# $\Sigma_k + \sigma^2 I$ is not. The mean of the noise goes, too; as $\Sigma_k$ has no variance in that direction, (5.3) stays right.)
#
# **Quality** is measured by the peak signal-to-noise ratio in decibels. For images in $[0, 1]$, with the mean squared error taken over *all*
# entries,
#
# $$\mathrm{PSNR} = -10 \log_{10} \mathrm{MSE} . \tag{5.4}$$
#
# Ten times less squared error is +10 dB; half of it, +3 dB.
#
# ### Your task
#
# 1. `psnr`: equation (5.4), for tensors of any shape.
# 2. `extract_patches`: all overlapping patches, in raster order: patch $0$ is at the top left, then one pixel to the right, and so on; the
#    pixels of a patch are in raster order too. `F.unfold` does nearly this.
# 3. `average_patches`: the way back. Each pixel becomes the mean over all patches that cover it; the patches need not agree
#    with each other. `F.fold` *adds* them up.
# 4. `posterior_mean`: equations (5.2) and (5.3), for a batch. You may use your answers to Questions 2 and 3. What is tested: singular
#    $\Sigma_k$ (with $\sigma$ near 0.5); $\sigma = 10^{-3}$ and $10^3$ with variances near 1, and $\sigma=10^{-3}$ with variances near $\sigma^2$ (so add no constant
#    to the diagonal); $y$ so far away that all densities in (5.2) underflow; log-weights of $-\infty$; $K = 1$ and $D = 1$. All of it is float32, and float32 is accurate enough.
# 5. `denoise`: put it together as described above. No clamping to $[0, 1]$, please.

# %% role="answer"
def psnr(x: Float[Tensor, "*shape"], y: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Peak signal-to-noise ratio in decibels of two images (or batches of images) in [0, 1], equation (5.4).

    Args:
        x, y: the same shape, whatever it is.

    Returns:
        one number (a 0-d tensor or a float); +inf if x equals y.
    """
    ### BEGIN SOLUTION
    return -10 * torch.log10((x - y).square().mean())
    ### END SOLUTION


def extract_patches(image: Float[Tensor, "1 1 H W"], size: int) -> Float[Tensor, "N D"]:
    """All overlapping square patches of one grey image.

    Args:
        image: (1, 1, H, W).
        size: side of a patch in pixels.

    Returns:
        (N, D) with N = (H - size + 1) (W - size + 1) and D = size²; patches, and the pixels of each, in raster order.
    """
    ### BEGIN SOLUTION
    return F.unfold(image, size)[0].T
    ### END SOLUTION


def average_patches(patches: Float[Tensor, "N D"], height: int, width: int) -> Float[Tensor, "1 1 H W"]:
    """The image whose every pixel is the mean over all patches that cover it.

    Args:
        patches: (N, D), ordered as by ``extract_patches``; the side of a patch is the square root of D.
        height, width: of the image.

    Returns:
        (1, 1, height, width). If the patches were cut out of one image, this is that image.
    """
    ### BEGIN SOLUTION
    size = math.isqrt(patches.shape[1])
    sums = F.fold(patches.T[None], (height, width), size)
    counts = F.fold(torch.ones_like(patches).T[None], (height, width), size)
    return sums / counts
    ### END SOLUTION

# %% role="answer"
def posterior_mean(
    y: Float[Tensor, "N D"],
    sigma: float,
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "N D"]:
    """E[x | y] if x comes from a mixture of Gaussians and y = x + sigma · standard normal noise, equations (5.2), (5.3).

    Args:
        y: (N, D) noisy vectors.
        sigma: standard deviation (not variance) of the noise, > 0.
        log_weights: (K,) log-weights of the mixture *of x*, normalised; -inf is allowed.
        means: (K, D).
        covs: (K, D, D) covariances of x within a component: symmetric, positive semi-definite, possibly singular.

    Returns:
        (N, D) posterior means.
    """
    ### BEGIN SOLUTION
    noisy_covs = covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
    weights = responsibilities(y, log_weights, means, noisy_covs)
    result = torch.zeros_like(y)
    for k in range(len(means)):
        gain = torch.linalg.solve(noisy_covs[k], covs[k])  # (Σ + σ²I)⁻¹ Σ is symmetric, hence also Σ (Σ + σ²I)⁻¹
        result = result + weights[:, k, None] * (means[k] + (y - means[k]) @ gain)
    return result
    ### END SOLUTION


def denoise(
    image: Float[Tensor, "1 1 H W"],
    sigma: float,
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "1 1 H W"]:
    """Denoise an image: every patch by its posterior mean, then the mean over overlapping patches.

    Args:
        image: (1, 1, H, W), noisy; H and W may differ.
        sigma: standard deviation of the noise.
        log_weights, means, covs: mixture of patches from which their own mean was subtracted; D = size² gives the patch size.

    Returns:
        (1, 1, H, W), not clamped.
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
# ### The prior: patches of a Chinese temple
#
# The next cell fits mixtures to 6×6 patches of one photograph, by *your* `fit_gmm_em` of Question 3 (if that does not work yet,
# by scikit-learn, and it says so). The other photograph, a flower, is the one to repair. It takes a few seconds.

# %%
def fit_patch_mixture(x: Tensor, K: int, steps: int, floor: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """Log-weights, means and covariances of a mixture of K Gaussians of patches x (N, D)."""
    start = x[torch.randperm(len(x), generator=dgm.generator(0))[:K]]
    covs = (torch.cov(x.T, correction=0) + 1e-4 * torch.eye(x.shape[1])).repeat(K, 1, 1)
    try:
        mixture, _ = fit_gmm_em(x, torch.full((K,), -math.log(K)), start, covs, steps, floor)
        if all(torch.isfinite(part).all() for part in mixture[1:]) and mixture[2].shape == covs.shape:
            return mixture
        problem = "gives values that are not finite"
    except Exception as error:
        problem = f"raises {type(error).__name__}"
    print(f"Your fit_gmm_em (Question 3) {problem}; scikit-learn's is used instead.")
    import warnings

    from sklearn.mixture import GaussianMixture

    other = GaussianMixture(K, max_iter=steps, reg_covar=floor, init_params="random_from_data", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it has not converged: so few steps are enough here
        other.fit(x[::4].double().numpy())
    return tuple(torch.tensor(part, dtype=x.dtype) for part in (np.log(other.weights_), other.means_, other.covariances_))


temple, flower = data.photo("china"), data.photo("flower")
side = dgm.budget(smoke=40, cpu=256, gpu=256)
top, left = 188 - side // 2, 328 - side // 2   # the middle of the flower
clean = flower[..., top : top + side, left : left + side]
sigma = 0.1
noisy = clean + sigma * torch.randn(clean.shape, generator=dgm.generator(1))

train_patches = data.patches(temple, 6, n=dgm.budget(smoke=1000, cpu=20000, gpu=20000), seed=0).flatten(1)
train_patches = train_patches - train_patches.mean(1, keepdim=True)
one_gaussian = (torch.zeros(1), train_patches.mean(0, keepdim=True), torch.cov(train_patches.T, correction=0)[None])
patch_mixture = fit_patch_mixture(train_patches, *dgm.budget(smoke=(3, 2), cpu=(15, 15), gpu=(15, 15)))

by_weight = patch_mixture[0].nan_to_num(neginf=-99).argsort(descending=True)
leading = torch.linalg.eigh(patch_mixture[2][by_weight])[1][:, :, -1].reshape(-1, 6, 6)
figure, axes = plot.subplots(1, 3, width=10, height=3.6, gridspec_kw={"width_ratios": [1.25, 1, 1.1]})
for ax, picture, title in zip(axes, (temple, clean), ("prior learned here", "to be repaired (clean)")):
    ax.imshow(picture[0, 0], cmap="gray", vmin=0, vmax=1)
    ax.set_title(title)
columns = math.ceil(math.sqrt(len(leading)))
canvas = np.full((7 * math.ceil(len(leading) / columns), 7 * columns), np.nan)
for k, patch in enumerate(leading):
    row, column = 7 * (k // columns), 7 * (k % columns)
    canvas[row : row + 6, column : column + 6] = patch * patch.flatten()[patch.abs().argmax()].sign() / patch.abs().max()
axes[2].imshow(canvas, cmap=plot.DIVERGING, vmin=-1, vmax=1)
axes[2].set_title("main direction of each component")
for ax in axes:
    ax.axis("off")
plt.show()

# %% [markdown]
# Each small square on the right is the eigenvector with the largest variance of one $\Sigma_k$ (sorted by weight, row by row): the components have specialised
# in steps and bars of different orientation and position; the noisy squares belong to components with hardly any variance (the sky). Now the repair. The Gaussian blur is given every advantage: its width is chosen by comparison with
# the clean image.
#
# **Before you run this:** will the single Gaussian (the best *linear* filter for the temple's patches) beat the blur?

# %%
def gaussian_blur(image: Tensor, width: float) -> Tensor:
    """Convolution with a Gaussian of the given standard deviation in pixels."""
    reach = math.ceil(3 * width)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / width) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    padded = F.pad(image, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel), kernel.transpose(2, 3))


def repairs(noisy: Tensor, clean: Tensor, sigma: float) -> dict[str, Tensor]:
    """The noisy image and three repairs of it."""
    blurred = [gaussian_blur(noisy, width) for width in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)]
    return {
        "noisy": noisy, "best blur": min(blurred, key=lambda image: float((image - clean).square().mean())),
        "one Gaussian": denoise(noisy, sigma, *one_gaussian), "mixture": denoise(noisy, sigma, *patch_mixture),
    }


pictures = {"clean": clean, **repairs(noisy, clean, sigma)}
figure, axes = plot.subplots(2, 5, width=10, height=4.4)
top, left = (int(side * share) for share in (0.40, 0.36))
zoom = (slice(top, top + side // 4), slice(left, left + side // 4))
for column, (name, picture) in enumerate(pictures.items()):
    title = name if name == "clean" else f"{name}\n{float(psnr(picture, clean)):.2f} dB"
    for row, part in enumerate((picture[0, 0], picture[0, 0][zoom])):
        axes[row, column].imshow(part, cmap="gray", vmin=0, vmax=1)
        axes[row, column].axis("off")
    axes[0, column].set_title(title, fontsize=11)
axes[0, 0].add_patch(plt.Rectangle((left, top), side // 4, side // 4, fill=False, edgecolor=plot.COLORS[1], linewidth=1.5))
plt.show()
print("Expected in the cpu profile: noisy 20.0, blur 26.2, one Gaussian 25.3, mixture 27.8 dB (±0.2).")

# %% [markdown]
# The single Gaussian has to compromise between flat patches and edges: its filter suits the leaves around the temple, and lets noise stand
# in the flower's smooth background, so that even the blur beats it. The mixture smooths the background *and* keeps the petals' edges,
# because (5.2) decides patch by patch.
#
# The prior knows nothing about the noise, so the same mixture works at any noise level. And there is a second route to the same answer, which diffusion models
# take: with $p_\sigma$ the density of the *noisy* patches, **Tweedie's formula** says
#
# $$\mathbb{E}[x \mid y] = y + \sigma^2\, \nabla_y \log p_\sigma(y), \qquad
# p_\sigma(y) = \sum_k \pi_k\, \mathcal{N}(y;\, \mu_k, \Sigma_k + \sigma^2 I) . \tag{5.5}$$
#
# The gradient of a log-density is called its *score*. Whoever knows the score can denoise, and whoever can denoise knows the score.
# The next cell compares your posterior mean with the score by autograd.

# %%
some = extract_patches(noisy, 6)[:: max(1, noisy.numel() // 500)].double()
some = (some - some.mean(1, keepdim=True)).requires_grad_()
weights_, means_, covs_ = (part.double() for part in patch_mixture)
log_p_sigma = torch.distributions.MixtureSameFamily(
    torch.distributions.Categorical(logits=weights_.clamp(min=-700)),
    torch.distributions.MultivariateNormal(means_, covs_ + sigma**2 * torch.eye(36)),
).log_prob(some)
(score,) = torch.autograd.grad(log_p_sigma.sum(), some)
difference = (posterior_mean(some.detach(), sigma, weights_, means_, covs_) - (some + sigma**2 * score).detach()).abs().max()
print(f"largest difference to Tweedie's formula: {float(difference):.1e} (expected: below 1e-6)")

levels = dgm.budget(smoke=(0.1,), cpu=(0.03, 0.06, 0.1, 0.15, 0.25), gpu=(0.03, 0.06, 0.1, 0.15, 0.25))
gains: dict[str, list[float]] = {}
for level in levels:
    noisy_at_level = clean + level * torch.randn(clean.shape, generator=dgm.generator(2))
    for name, picture in repairs(noisy_at_level, clean, level).items():
        gains.setdefault(name, []).append(float(psnr(picture, clean)))
plot.curves({name: (levels, values) for name, values in gains.items()}, xlabel="σ of the noise", ylabel="PSNR in dB",
            title="one prior, every noise level")
plt.show()

# %% [markdown]
# **What to remember**
# - A density of clean data plus Bayes' rule is a denoiser. The noise enters only as $\sigma^2 I$: in the gains *and* in the responsibilities.
# - A Gaussian prior gives a linear filter; a mixture gives one that adapts to its input.
# - Posterior mean and score are the same thing in two units: $\mathbb{E}[x \mid y] = y + \sigma^2\, \nabla \log p_\sigma(y)$. You will meet this again in diffusion models.

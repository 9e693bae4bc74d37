# %% [markdown]
# An image is squeezed into 32 latents and drawn again. All rows show a linear network of the same shape, each with the weights that are best for a loss found in many programs: *the mean squared error over the pixels, plus* $\beta$ *times the KL*. Only $\beta$ differs. Run the cell.

# %%
gauss_latents = 32   # a knob: with 8, which rows change? See "latents in use" below

gauss_train, gauss_test = data.glyphs(4000)[0].flatten(1), data.glyphs(1000, split="test")[0].flatten(1)
gauss_centre = gauss_train.mean(0)
gauss_values, gauss_vectors = torch.linalg.eigh(torch.cov((gauss_train - gauss_centre).T.double(), correction=0))
gauss_values, gauss_vectors = gauss_values.flip(0).float(), gauss_vectors.flip(1).float()


def gauss_vae(sigma2, x):
    """The best linear VAE for this variance: decoder, and q's mean and logvar for images x."""
    kept = gauss_values[:gauss_latents].clamp(min=sigma2)
    columns = gauss_vectors[:, :gauss_latents] * (kept - sigma2).sqrt()
    means = (x - gauss_centre) @ columns / kept
    return (lambda z: gauss_centre + z @ columns.T), means, (sigma2 / kept).log().expand_as(means)


def beta_row(beta):
    decode, means, _ = gauss_vae(784 * beta / 2, gauss_test[:14])
    return decode(means)


beta_rows = {"images": gauss_test[:14]} | {f"drawn again, β = {beta:g}": beta_row(beta) for beta in (1.0, 0.01, 0.001, 0.0001)}
figure, axes = plot.subplots(5, 1, width=9.5, height=5)
for ax, (title, pictures) in zip(axes, beta_rows.items()):
    plot.images(pictures.reshape(-1, 28, 28), ncols=14, suptitle=title, ax=ax)
plt.show()

# %% [markdown]
# The ELBO has no $\beta$, so $\beta=1$ looks right. But with $\beta=1$ the network ignores its latents and draws one blur for all images. Is the ELBO at fault?
#
# No. The ELBO is $\mathbb{E}_q[\log p(x\mid z)]-\mathrm{KL}(q\,\|\,p)$, and both terms are in nats. A mean squared error is not. You will write both with all constants, and then find the decoder that hides in the loss above.
#
# ### The distance between two Gaussians
#
# Under $q=\mathcal{N}(\mu,\sigma^2)$ the average of $(z-\mu)^2$ is $\sigma^2$, and that of $z^2$ is $\mu^2+\sigma^2$. So the average of $\log q(z)-\log p(z)$ with the standard normal $p$ is, summed over the $k$ latents,
#
# $$\mathrm{KL}\bigl(\mathcal{N}(\mu,\sigma^2)\,\|\,\mathcal{N}(0,1)\bigr)=\sum_{i=1}^k\tfrac12\bigl(\mu_i^2+\sigma_i^2-1-\log\sigma_i^2\bigr). \tag{4.1}$$
#
# It is $\frac12$ for $\mu=1,\sigma=1$ and $0.807$ for $\mu=0,\sigma=2$.
#
# **On paper:** a KL does not change if $z$ is shifted and scaled, the same way in $q$ and in $p$. Shift and scale so that $p=\mathcal{N}(\mu_p,\sigma_p^2)$ becomes standard normal. What are mean and log-variance of $q$ then? For
# $q=\mathcal{N}(1,1)$ and $p=\mathcal{N}(3,4)$ you should find $0.818$.
#
# If no formula is known, draw: at $z=\mu+\sigma\epsilon$,
#
# $$\log q(z)-\log p(z) \tag{4.2}$$
#
# is right on average. A single draw may be negative; a KL never is.
#
# ### What the decoder says
#
# A decoder gives each image a mean $\hat{x}$ and a variance $\sigma^2$, one for all pixels or one for each. Summed over the $D$ pixels,
#
# $$\log p(x\mid z)=-\tfrac12\sum_{j=1}^D\Bigl[\frac{(x_j-\hat{x}_j)^2}{\sigma_j^2}+\log\sigma_j^2+\log2\pi\Bigr]. \tag{4.3}$$
#
# With $\sigma^2=\frac12$ the first part is minus the *summed* squared error. The rest does not depend on $\hat{x}$, but it is part of the nats. If one $\sigma^2$ is learned, it becomes the mean squared error: there the derivative is zero.
#
# **On paper:** now the loss of the figure, $L=\frac1D\sum_j(x_j-\hat{x}_j)^2+\beta\,\mathrm{KL}$. Find the decoder's $\sigma^2$ for which $L/\beta$ is $-\text{ELBO}$ up to a constant, and the constant. For $D=784$ and $\beta=10^{-3}$ you should find
# $\sigma^2=0.392$.
#
# Write five short functions, in which float64 stays float64. For black-and-white pixels the decoder is set 1's `bernoulli_log_prob`, which is given.

# %% role="given"
def bernoulli_log_prob(logits: Float[Tensor, "N ..."], x: Float[Tensor, "N ..."]) -> Float[Tensor, "N"]:
    """Log-probability of each example's binary values in nats, summed over all axes but the first.

    Args:
        logits: a, of any finite size: x = 0 at a = 1000 gives -1000.
        x: values in [0, 1], of the same shape.

    Returns:
        One number for each example, differentiable in the logits, also where they are 0.
    """
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").reshape(len(x), -1).sum(1)

# %% role="answer"
def kl_standard_normal(mean: Float[Tensor, "*batch k"], logvar: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch"]:
    """KL from N(mean, exp(logvar)) to the standard normal in nats, equation (4.1), summed over the k latents."""
    ### BEGIN SOLUTION
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)
    ### END SOLUTION


def kl_gaussians(
    mean_q: Float[Tensor, "*#batch k"], logvar_q: Float[Tensor, "*#batch k"],
    mean_p: Float[Tensor, "*#batch k"], logvar_p: Float[Tensor, "*#batch k"],
) -> Float[Tensor, "*batch"]:
    """KL(q || p) of two Gaussians with diagonal covariances in nats, summed over k: your derivation.

    Leading axes broadcast, such as (N, k) with (k,), or (N, 1, k) with (K, k).
    """
    ### BEGIN SOLUTION
    return kl_standard_normal((mean_q - mean_p) * (-0.5 * logvar_p).exp(), logvar_q - logvar_p)
    ### END SOLUTION


def kl_monte_carlo(
    mean: Float[Tensor, "N k"], logvar: Float[Tensor, "N k"], eps: Float[Tensor, "M N k"]
) -> Float[Tensor, "M N"]:
    """For each draw and example the estimate (4.2) of `kl_standard_normal`, not averaged. Differentiable."""
    ### BEGIN SOLUTION
    z = reparameterise(mean, logvar, eps)
    return diagonal_log_prob(z, mean, logvar) - diagonal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
    ### END SOLUTION


def gaussian_decoder_log_prob(
    x: Float[Tensor, "N ..."], mean: Float[Tensor, "N ..."], logvar: Float[Tensor, "..."]
) -> Float[Tensor, "N"]:
    """log p(x | z) of each example in nats, equation (4.3), summed over all axes but the first. Differentiable.

    Args:
        x, mean: of the same shape; images may have several axes.
        logvar: from -16 to 6; broadcasts to x: a single number, one for each pixel, or one for each entry of x.
    """
    ### BEGIN SOLUTION
    terms = (x - mean).square() * (-logvar).exp() + logvar + math.log(2 * math.pi)
    return -0.5 * terms.reshape(len(x), -1).sum(1)
    ### END SOLUTION


def loss_in_nats(loss: Float[Tensor, "N"], beta: float, pixels: int) -> tuple[float, Float[Tensor, "N"]]:
    """The decoder's variance that hides in a loss, and -ELBO in nats under this decoder.

    Args:
        loss: for each example the *mean* squared error over its pixels, plus beta times the KL.
    """
    ### BEGIN SOLUTION
    sigma2 = beta * pixels / 2
    return sigma2, loss / beta + 0.5 * pixels * math.log(2 * math.pi * sigma2)
    ### END SOLUTION

# %% role="check"
grader.check("q4")

# %% [markdown]
# ### How many draws?
#
# The networks above have a Gaussian $q$ for each image, so you can compare (4.2) with (4.1). **Before you run this:** for one image with $\beta=10^{-4}$, how many draws does the mean of (4.2) need until
# its standard error is 0.01 nats?

# %%
guess_draws = None  # type a number

# %%
draws_beta = 0.0001   # a knob: at 0.01 q is nearly the prior (look at the KL). How many draws are needed there?

draws_mean, draws_logvar = (each.double() for each in gauss_vae(784 * draws_beta / 2, gauss_test[:1])[1:])
draws_eps = torch.randn(20000, *draws_mean.shape, generator=dgm.generator(0)).double()
singles = kl_monte_carlo(draws_mean, draws_logvar, draws_eps)[:, 0]
truth = kl_standard_normal(draws_mean, draws_logvar)
two_draws = torch.stack([torch.ones_like(draws_mean), -torch.ones_like(draws_mean)])
figure, ax = plot.subplots(width=8, height=3)
ax.hist(singles, bins=80, color=plot.COLORS[5])
ax.axvline(float(truth), color=plot.COLORS[1], label=f"the KL, {float(truth):.2f} nats")
ax.set(xlabel="one draw of log q(z) - log p(z), nats", ylabel="number of draws", title=f"Right on average, but the standard deviation of one draw is {float(singles.std()):.1f} nats")
ax.legend()
plt.show()
plot.table([
    ("draws for a standard error of 0.01 nats", guess_draws, float(singles.var()) / 0.01**2),
    ("error of the mean of 20,000 draws", None, float(singles.mean() - truth)),
    ("error of two chosen draws, eps = 1 and eps = -1", None, f"{float(kl_monte_carlo(draws_mean, draws_logvar, two_draws).mean() - truth):.0e}"),
], header=("", "your guess", "result"))

# %% [markdown]
# About 150,000 random draws, or two chosen ones. The estimate is a sum over latents, quadratic in each $\epsilon_i$. So its average depends only on those of $\epsilon_i$ and $\epsilon_i^2$: 0 and 1 for a standard normal, and for the pair
# $\pm1$. This is Gauss–Hermite quadrature with two points. After a network $\log p(x\mid z)$ is not quadratic. So take the closed form for the KL, and draw for the rest.
#
# ### Which β is best?
#
# Now many $\beta$, on new images. Left is the loss as typed, right $-\text{ELBO}$ from your functions. **Before you run this:** which $\beta$ has the best
# ELBO?

# %%
guess_beta = None  # type a number, such as 0.001

# %%
shown_betas = (1.0, 0.01, 0.001, 0.0001, 1e-6)   # knobs


def gauss_terms(beta):
    """The loss as typed and -ELBO of new images."""
    decode, means, logvars = gauss_vae(784 * beta / 2, gauss_test)
    # The two draws ±1 are exact: the decoder's columns are orthogonal, so the squared error has no product of two latents.
    drawn = [decode(reparameterise(means, logvars, sign * torch.ones_like(means))) for sign in (1.0, -1.0)]
    error = sum((gauss_test - each).square().mean(1) for each in drawn) / 2
    log_prob = sum(gaussian_decoder_log_prob(gauss_test, each, torch.tensor(math.log(784 * beta / 2))) for each in drawn) / 2
    kl = kl_standard_normal(means, logvars)
    return error + beta * kl, kl - log_prob


best_sigma2 = float(gauss_values[gauss_latents:].mean())   # the learned variance, as in Question 1
best_beta = 2 * best_sigma2 / 784
rows, sweep = [], torch.logspace(-6, 0, 37).tolist()
for beta in sorted((*shown_betas, best_beta), reverse=True):
    typed, nats = gauss_terms(beta)
    variance, by_hand = loss_in_nats(typed, beta, 784)
    rows.append((f"{beta:.2g}", float(variance) ** 0.5, int((gauss_values[:gauss_latents] > float(variance)).sum()), float(typed.mean()), float(nats.mean()), float(by_hand.mean())))
figure, axes = plot.subplots(1, 2, width=10, height=3.2)
curves = torch.stack([torch.stack(gauss_terms(beta)).mean(1) for beta in sweep])
for ax, curve, title, ylabel in zip(axes, curves.T, ("The loss as typed is always smaller for a smaller β …", "… in nats there is a best one"), ("loss", "-ELBO, nats per image")):
    ax.plot(sweep, curve, color=plot.COLORS[0])
    ax.axvline(best_beta, color=plot.COLORS[1], linestyle="--", label="variance = mean squared error")
    ax.set(xscale="log", xlabel="β", ylabel=ylabel)
    ax.set_title(title, fontsize=11)
axes[1].set_ylim(-1000, 4000)
axes[1].legend()
plt.show()
plot.table(rows, header=("β", "hidden σ", "latents in use", "loss as typed", "-ELBO", "-ELBO by loss_in_nats"))
print()
plot.table([("the best β", guess_beta, best_beta)], header=("", "your guess", "result"))

# %%
decoder_noise = torch.randn(14, 784, generator=dgm.generator(1))
figure, axes = plot.subplots(3, 1, width=9.5, height=3)
for ax, beta in zip(axes, (1.0, 0.001, best_beta)):
    decode, means, _ = gauss_vae(784 * beta / 2, gauss_test[:14])
    sigma = math.sqrt(784 * beta / 2)
    plot.images((decode(means) + sigma * decoder_noise).reshape(-1, 28, 28), ncols=14, ax=ax, suptitle=f"what the decoder takes for an image, mean plus noise, β = {beta:.2g}: σ = {sigma:.2g}")
plt.show()

# %% [markdown]
# The rows are what each decoder takes for an image: its mean *and its noise*. With $\beta=1$ it expects noise of standard deviation 20. In such snow a digit is not worth one nat, so the ELBO is right to ignore the latents. This
# "posterior collapse" needs no bug, only a variance that somebody chose.
#
# The loss as typed cannot choose it: a smaller $\beta$ always makes it smaller. In nats the constant $\frac D2\log2\pi\sigma^2$ is the price of a variance that is too large, and the error that of one too small. The best is $\sigma^2=0.014$, the mean squared error over the directions left out, or $\beta=3.5\cdot10^{-5}$; (6 other draws: within 2 %.) $-\text{ELBO}$ is negative there: a density can be greater than one.
#
# **What to remember.**
# - The KL is summed over latents, the log-likelihood over pixels. An average over pixels hides a variance: $\sigma^2=\beta D/2$.
# - Shift and scale: the KL of any two diagonal Gaussians is one to the standard normal.
# - Nats need all constants.
#
# `kl_standard_normal` and the decoders return in Questions 5 to 7.

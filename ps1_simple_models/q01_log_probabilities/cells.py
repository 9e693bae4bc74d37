# %% [markdown]
# A likelihood is a product, one factor per pixel or token. In a hundred dimensions it falls below the
# smallest float32, $10^{-45}$, and becomes exactly 0. So generative models handle $\log p$, never $p$: products become sums, and
# sums of probabilities become **log-sum-exps**, which need care.
#
# The right panel shifts a sum by $c$ and back, which should change nothing.
# **Before you run it:** float32 ends at $3.4\cdot10^{38}=e^{88.7}$. At which positive shift does the naive curve fail?

# %%
guess_shift = None  # type a number

# %%
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)

dims = torch.arange(1, 201)
factors = torch.exp(-0.5 * torch.randn(200, generator=dgm.generator(0)) ** 2) / math.sqrt(2 * math.pi)
product = torch.cumprod(factors, 0)  # p(x) of a standard Gaussian in 1, 2, ..., 200 dimensions
left.plot(dims, product.double().clamp_min(1e-130).log10(), color=plot.COLORS[1], label="product of densities (0 drawn at -130)")
left.plot(dims, factors.log().cumsum(0) / math.log(10), "--", color=plot.COLORS[0], label="sum of log-densities")
left.set(xlabel="number of dimensions", ylabel="log10 p(x)", title="A product underflows, a sum of logs does not")
left.legend(loc="upper right")

shift = torch.linspace(-130, 130, 26001)
terms = torch.tensor([0.0, 1.0, 2.0])
naive = torch.log(torch.exp(terms + shift[:, None]).sum(1)) - shift
exact = math.log(1 + math.e + math.e**2)
right.axhline(exact, linestyle="--", color=plot.COLORS[0], label=f"exact ({exact:.3f})")
right.plot(shift, naive.clamp(exact - 2, exact + 2), color=plot.COLORS[1], label="naive (infinite: drawn at the edge)")
right.set(xlabel="shift c", ylabel="log Σ exp(x + c) - c", title="A naive log Σ exp works in a window only")
right.legend(loc="upper left")
plt.show()
fails_at = float(shift[(shift > 0) & naive.isinf()].min())
plot.table([("naive log Σ exp fails at the shift", fails_at, guess_shift)], header=("", "here", "your guess"))

# %% [markdown]
# The *sum* overflows first: $e^{c}(1+e+e^2)=e^{c+2.41}$ passes $e^{88.7}$ at $c=86.3$. Below $c\approx-87$ the terms lose
# their digits one by one; at $c\approx-106$ nothing is left.
#
# ### Log-sum-exp and log-softmax
#
# A common factor can be taken out of a sum. For any number $m$,
#
# $$\log\sum_{i=1}^{n}e^{x_i}=m+\log\sum_{i=1}^{n}e^{x_i-m}. \tag{1.1}$$
#
# With $m=\max_ix_i$ the largest exponent is 0, and the sum lies between 1 and $n$: for $x=(1000,1000)$ it is 2, the result
# $1000+\log2=1000.693$. Each row needs *its own* maximum.
#
# A probability of 0 is $x_i=-\infty$, and legal: $e^{-\infty}=0$. In a row of nothing else, $m=-\infty$ makes $x_i-m$ a NaN, where $-\infty$ is right. But
# (1.1) holds for *any* finite $m$.
#
# Scores $x$ have the log-probabilities
#
# $$\log\frac{e^{x_i}}{\sum_je^{x_j}}=x_i-\log\sum_je^{x_j}=(x_i-m)-\log\sum_je^{x_j-m}. \tag{1.2}$$
#
# Float32 numbers near 10,000 are 0.001 apart. One of the two forms subtracts large rounded numbers, the other never forms them.
#
# *On paper:* differentiate (1.1) by $x_i$. Which function is the gradient?
#
# ### The diagonal Gaussian
#
# Log-densities of independent dimensions add. With mean $\mu$ and variances $\sigma_d^2=e^{v_d}$,
#
# $$\log\mathcal N(x;\mu,\operatorname{diag}e^{v})=-\frac12\sum_{d=1}^{D}\Big[\log2\pi+v_d+(x_d-\mu_d)^2\,e^{-v_d}\Big]. \tag{1.3}$$
#
# The parameter is the **log-variance** $v_d$, called `logvar` in all five sets: a network may output any real number.
# Check: at $x=\mu$ with $v=0$ each dimension adds $-\frac12\log2\pi=-0.919$.
#
# Library calls pass, but teach less than elementary operations (`amax`, `exp`, …).

# %% role="answer"
def logsumexp(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Log-sum-exp along one axis, equation (1.1).

    Args:
        x: any shape without empty axes; finite numbers of any size, or -inf. Float64 keeps its digits.
        dim: the axis to sum over, may be negative.

    Returns:
        The shape of ``x`` without axis ``dim``; -inf for a row of only -inf. Rows with a finite entry have finite
        gradients.
    """
    ### BEGIN SOLUTION
    m = x.amax(dim, keepdim=True)
    m = torch.where(m == -math.inf, torch.zeros_like(m), m)
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Log-probabilities of scores along one axis, equation (1.2).

    Args:
        x: scores as in `logsumexp`, a finite one in each row. Large scores must not cost digits.
        dim: the axis along which probabilities sum to one.

    Returns:
        The shape of ``x``; -inf where ``x`` is.
    """
    ### BEGIN SOLUTION
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()
    ### END SOLUTION


def gaussian_log_prob(
    x: Float[Tensor, "*#batch #D"], mean: Float[Tensor, "*#batch #D"], logvar: Float[Tensor, "*#batch #D"]
) -> Float[Tensor, "*batch"]:
    """Log-density in nats of a diagonal Gaussian, equation (1.3).

    Arguments broadcast on every axis, as in ``x + mean + logvar``: all D dimensions share a ``logvar`` of shape (1,).

    Args:
        x: points.
        mean: means.
        logvar: log-variances, between -40 and 40.

    Returns:
        The broadcast shape without its last axis. Differentiable in all arguments.
    """
    ### BEGIN SOLUTION
    terms = math.log(2 * math.pi) + logvar + (x - mean) ** 2 * torch.exp(-logvar)
    return -0.5 * terms.sum(-1)
    ### END SOLUTION

# %% [markdown]
# ### Units: bits per dimension, perplexity
#
# A negative log-likelihood (NLL) grows with the number of pixels. **Bits per dimension** divide it by $D$ and by $\ln2$.
#
# One trap remains, the encoding. Pixels are integers $k\in\{0,\dots,V-1\}^D$; a density needs real numbers. So we *dequantise*: draw $u$
# uniformly from $[0,1)^D$ and model $x=(k+u)/V$. Squeezing levels from width 1 to $1/V$ makes the density $V$ times larger per dimension. Undo it:
#
# $$\text{bits per dimension}=\frac{1}{\ln2}\left(\frac{-\ln p_X(x)}{D}+\ln V\right). \tag{1.4}$$
#
# Check: the uniform density has NLL 0 and costs $\log_2256=8$ bits; without $\ln V$, nothing. By Jensen's inequality, the average of (1.4) over $u$ is at least what a
# lossless code built on the model needs per pixel.
#
# Language models report the **perplexity**, $\exp$ of the *mean* NLL of all tokens: $V$ for a uniform guess among $V$ words.

# %% role="answer"
def nats_to_bits_per_dim(nll: Float[Tensor, "..."], num_dims: int, num_levels: int) -> Float[Tensor, "..."]:
    """Bits per dimension, equation (1.4).

    Args:
        nll: nats, summed over dimensions, of x = (k + u) / num_levels.
        num_dims: D of one example.
        num_levels: V; 1 for data that was not rescaled.
    """
    ### BEGIN SOLUTION
    return (nll / num_dims + math.log(num_levels)) / math.log(2)
    ### END SOLUTION


def perplexity(token_nll: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Perplexity: one number, from the NLL in nats of each token (any shape, all count equally)."""
    ### BEGIN SOLUTION
    return token_nll.mean().exp()
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### Is the most likely image a good one?
#
# The simplest image model has one Gaussian per pixel. Fitted to $8\times8$ digits with $V=17$ levels, it costs
# 3.38 bits per dimension on held-out digits; a uniform guess costs $\log_217=4.09$.
#
# **Before you run this:** how many bits per dimension does the model charge for the *mean image*, a grey blur?

# %%
guess_blur = None  # type a number

# %% role="given"
def dequantised_digits(split: str, seed: int) -> tuple[Float[Tensor, "N 64"], Int[Tensor, "N"]]:
    """Digits as x = (levels + u) / 17 with uniform u, and their labels."""
    levels, labels = data.digits_levels(split)
    levels = levels.flatten(1).float()
    return (levels + torch.rand(levels.shape, generator=dgm.generator(seed))) / 17, labels

# %%
spread = 1.0  # the knob: standard deviations of the model's own samples, as multiples of the fitted ones

train_x, _ = dequantised_digits("train", seed=0)
test_x, _ = dequantised_digits("test", seed=1)
pixel_mean, pixel_logvar = train_x.mean(0), train_x.var(0, unbiased=False).log()


def diagonal_bits(x: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    return nats_to_bits_per_dim(-gaussian_log_prob(x, pixel_mean, pixel_logvar), 64, 17)


test_bits, mean_image_bits = diagonal_bits(test_x), float(diagonal_bits(pixel_mean[None]))
noise = torch.randn(360, 64, generator=dgm.generator(2))
sample_bits = diagonal_bits(pixel_mean + spread * (0.5 * pixel_logvar).exp() * noise)

figure, axes = plot.subplots(1, 3, width=10, height=3.2, width_ratios=[1, 1, 2.2])
plot.images(pixel_mean.reshape(1, 8, 8), suptitle="the mean image", ax=axes[0])
plot.images(test_x[:9].reshape(-1, 8, 8), ncols=3, suptitle="held-out digits", ax=axes[1])
bins = np.linspace(2.5, 5.0, 60)
axes[2].hist(test_bits.numpy(), bins=bins, color=plot.COLORS[0], alpha=0.7, label="held-out digits")
axes[2].hist(sample_bits.numpy(), bins=bins, color=plot.COLORS[2], alpha=0.7, label=f"the model's own samples, spread {spread:g}")
axes[2].axvline(mean_image_bits, color=plot.COLORS[1], linestyle="--", label="the mean image")
axes[2].set(xlabel="bits per dimension (lower: more likely)", ylabel="images", title="Nothing real is as likely as the blur")
axes[2].legend(fontsize=8)
plt.show()

plot.table([
    ("held-out digits", float(test_bits.mean()), "3.38; below 3.2 something is wrong", None),
    ("the model's own samples", float(sample_bits.mean()), "3.38 at spread 1", None),
    ("the mean image", mean_image_bits, "2.66", guess_blur),
], header=("bits per dimension", "yours", "expected", "your guess"))

# %% [markdown]
# The blur is more likely than *every* digit, and than every sample of the model. A density is highest at its mode, but in 64 dimensions nearly all mass
# is elsewhere: each dimension of a sample costs half a nat more on average, $1/(2\ln2)=0.72$ bits. **Knob:** with `spread = 0.5` samples are more likely than
# digits, with `spread = 0` they are the blur.
#
# **What to remember**
# - Work with $\log p$; subtract a row's own maximum before any `exp`.
# - Say the unit (nats in total, bits per dimension) and of which data (rescaled or not).
# - The likelihood of one image does not say how real it looks.
#
# `logsumexp` returns in Question 3 for mixtures; (1.3) is prior and posterior of the VAE in the next set.

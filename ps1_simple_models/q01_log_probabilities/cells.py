# %% [markdown]
# A likelihood is a product of many numbers, one for each pixel or token. In a hundred dimensions it is smaller than the
# smallest float32, about $10^{-45}$, and becomes exactly 0. So a generative model never handles $p$: it handles $\log p$. Products become sums.
# Sums of probabilities become **log-sum-exps**, and those need care.
#
# Below, each sum is shifted by $c$ and shifted back, which should change nothing.
# **Before you run the figure:** float32 ends at about $3.4\cdot10^{38}=e^{88.7}$. At which positive shift does the naive curve fail?

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
right.set(xlabel="shift c", ylabel="log Σ exp(x + c) - c", title="A naive log Σ exp works near 0 only")
right.legend(loc="upper left")
plt.show()
fails_at = float(shift[(shift > 0) & naive.isinf()].min())
plot.table([("naive log Σ exp fails at the shift", fails_at, guess_shift)], header=("", "here", "your guess"))

# %% [markdown]
# It is the *sum* that overflows first: $e^{c}(1+e+e^2)=e^{c+2.41}$ passes $e^{88.7}$ at $c=86.3$. Towards negative $c$ the
# terms lose their digits one by one from $c\approx-87$ on, and at $c\approx-106$ nothing is left.
#
# ### Log-sum-exp and log-softmax
#
# A common factor can be taken out of a sum. For any number $m$,
#
# $$\log\sum_{i=1}^{n} e^{x_i} \;=\; m + \log\sum_{i=1}^{n} e^{x_i-m}. \tag{1.1}$$
#
# With $m=\max_i x_i$ every exponent is at most 0 and one of them is 0. The sum lies between 1 and $n$: for $x=(1000,1000)$ it is 2, and the result
# $1000+\log 2=1000.693$. Each row needs *its own* maximum.
#
# A probability of 0 is $x_i=-\infty$, and that is legal, since $e^{-\infty}=0$. In a row of nothing else, $m=-\infty$ makes $x_i-m$ a NaN, where the right answer is $-\infty$. But
# (1.1) holds for *any* finite $m$.
#
# The log-probabilities that belong to scores $x$ are
#
# $$\log\frac{e^{x_i}}{\sum_j e^{x_j}} \;=\; x_i-\log\sum_j e^{x_j}\;=\;(x_i-m)-\log\sum_j e^{x_j-m}. \tag{1.2}$$
#
# Both forms are equal on paper. For scores near 10,000 they differ on a computer, where neighbouring float32 numbers are 0.001 apart: one form
# subtracts two rounded large numbers, the other never forms them.
#
# *On paper:* differentiate (1.1) with respect to $x_i$. Which function is the gradient of log-sum-exp? (The check asks your code for it.)
#
# ### The diagonal Gaussian
#
# Independent dimensions multiply, so their log-densities add. With mean $\mu$ and variances $\sigma_d^2=e^{v_d}$,
#
# $$\log\mathcal N(x;\mu,\operatorname{diag} e^{v}) \;=\; -\frac12\sum_{d=1}^{D}\Big[\log 2\pi + v_d + (x_d-\mu_d)^2\,e^{-v_d}\Big]. \tag{1.3}$$
#
# The parameter is the **log-variance** $v_d$, called `logvar` in all five sets. A network may output any real number for it.
# A check: at $x=\mu$ with $v=0$ each dimension adds $-\frac12\log2\pi=-0.919$.
#
# Write these three from elementary operations (`amax`, `exp`, `log`, `sum`, …); library calls would pass, but teach less.

# %% role="answer"
def logsumexp(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Logarithm of the sum of exponentials along one axis, equation (1.1).

    Args:
        x: any shape and size of numbers, float32 or float64 (whose digits are kept); -inf is allowed.
        dim: the axis to sum over, may be negative.

    Returns:
        The shape of ``x`` without axis ``dim``; -inf for a row of only -inf. Gradients are finite wherever a row has
        a finite entry.
    """
    ### BEGIN SOLUTION
    m = x.amax(dim, keepdim=True)
    m = torch.where(m == -math.inf, torch.zeros_like(m), m)
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Log-probabilities proportional to ``exp(x)`` along one axis, equation (1.2).

    Args:
        x: scores as in `logsumexp`; each row has a finite one. Large scores must not cost digits.
        dim: the axis along which the probabilities sum to one.

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

    The arguments broadcast as in ``x + mean + logvar``, on every axis: a ``logvar`` of shape (1,) is shared by all D
    dimensions.

    Args:
        x: points.
        mean: means.
        logvar: natural logarithms of the variances, between -40 and 40.

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
# A negative log-likelihood (NLL) in nats depends on how many pixels there are and on how they are encoded. **Bits per dimension** do not: divide by $D$ and by $\ln2$.
#
# One trap remains. Pixels are integers $k\in\{0,\dots,V-1\}^D$, while a density needs real numbers. So we *dequantise*: draw $u$
# uniformly from $[0,1)^D$ and model $x=(k+u)/V$. Squeezing a level of width 1 to width $1/V$ makes the density $V$ times larger per dimension. Undo it:
#
# $$\text{bits per dimension} \;=\; \frac{1}{\ln 2}\left(\frac{-\ln p_X(x)}{D}+\ln V\right). \tag{1.4}$$
#
# Check: the uniform density has NLL 0 and costs $\log_2256=8$ bits. Without $\ln V$ it would cost nothing. By Jensen's inequality, the average of (1.4) over $u$ is at least what a
# lossless code built on the model needs for a pixel.
#
# Language models report the **perplexity**, $\exp$ of the *mean* NLL of all tokens. A uniform guess among $V$ words has perplexity $V$.

# %% role="answer"
def nats_to_bits_per_dim(nll: Float[Tensor, "..."], num_dims: int, num_levels: int) -> Float[Tensor, "..."]:
    """Bits per dimension, equation (1.4).

    Args:
        nll: nats, summed over dimensions, of x = (k + u) / num_levels.
        num_dims: D, the dimensions of one example.
        num_levels: V; 1 if ``nll`` belongs to data that was not rescaled.
    """
    ### BEGIN SOLUTION
    return (nll / num_dims + math.log(num_levels)) / math.log(2)
    ### END SOLUTION


def perplexity(token_nll: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Perplexity of a text: one number, from the NLL in nats of each token (any shape, all count equally)."""
    ### BEGIN SOLUTION
    return token_nll.mean().exp()
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### Is the most likely image a good one?
#
# The simplest image model has one Gaussian for each pixel. Fitted to $8\times8$ handwritten digits with $V=17$ levels, it costs
# about 3.38 bits per dimension on held-out digits; a uniform guess costs $\log_217=4.09$.
#
# **Before you run this:** the *mean image* is a grey blur. How many bits per dimension does the model charge for it?

# %%
guess_blur = None  # type a number

# %% role="given"
def dequantised_digits(split: str, seed: int) -> tuple[Float[Tensor, "N 64"], Int[Tensor, "N"]]:
    """The 8×8 digits as x = (levels + u) / 17 in [0, 1), with u uniform, and their labels."""
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
# The blur is more likely than *every* digit, and than every sample of the model itself. A density is highest at its mode, but in 64 dimensions nearly all of its mass
# is elsewhere: each dimension of a sample adds half a nat, on average, to the NLL at the mode, which makes $1/(2\ln2)=0.72$ bits per dimension. Turn the knob: with `spread = 0.5` samples become more likely than
# real digits; with `spread = 0` they are the blur. Is a sample with a higher likelihood a better one?
#
# **What to remember**
# - Work with $\log p$, and subtract a row's own maximum before any `exp`.
# - Say the unit (nats in total, bits per dimension) and of which data (rescaled or not).
# - The likelihood of one image does not say how real it looks.
#
# `logsumexp` returns in Question 3 for mixtures; (1.3) is the prior and posterior of the VAE in the next set.

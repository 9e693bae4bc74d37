# %% [markdown]
# ## Question 1 · Stable log-probabilities
# *7 points · about 30 minutes*
#
# A likelihood is a product of many small numbers, one for each pixel or token. Already for a hundred dimensions the
# product is smaller than the smallest float32, about $10^{-45}$, and becomes exactly 0. So a generative model never handles $p$: it
# handles $\log p$ from the first line to the last. Products become sums, which is easy. Sums of probabilities (mixtures,
# averages over latent variables, normalising constants) become **log-sum-exps**, which need care. The six small
# functions of this question return in every problem set.
#
# Run the next cell, which needs nothing from you, and look at both failures.
# **Before you run it:** at which positive shift $c$ should the naive curve of the right panel fail, if float32 ends at about
# $3.4\cdot 10^{38}$?

# %%
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)

dims = torch.arange(1, 201)
factors = torch.exp(-0.5 * torch.randn(200, generator=dgm.generator(0)) ** 2) / math.sqrt(2 * math.pi)
product = torch.cumprod(factors, 0)  # p(x) of a standard Gaussian in 1, 2, ..., 200 dimensions
left.plot(dims, product.double().clamp_min(1e-130).log10(), color=plot.COLORS[1], label="product of densities (0 drawn at -130)")
left.plot(dims, factors.log().cumsum(0) / math.log(10), "--", color=plot.COLORS[0], label="sum of log-densities")
left.set(xlabel="number of dimensions", ylabel="log10 p(x)", title="A product underflows")
left.legend(loc="upper right")

shift = torch.linspace(-130, 130, 1041)
terms = torch.tensor([0.0, 1.0, 2.0])
naive = torch.log(torch.exp(terms + shift[:, None]).sum(1)) - shift  # should not depend on the shift
exact = math.log(1 + math.e + math.e**2)
right.axhline(exact, linestyle="--", color=plot.COLORS[0], label=f"exact ({exact:.3f})")
right.plot(shift, naive.clamp(exact - 2, exact + 2), color=plot.COLORS[1], label="naive (infinite: drawn at the edge)")
right.set(xlabel="shift c", ylabel="log Σ exp(x + c) - c", title="log Σ exp overflows and underflows")
right.legend(loc="upper left")
plt.show()

# %% [markdown]
# The right panel: $e^{88.7}$ is the largest float32, so $c + 2 > 88.7$ overflows. Towards negative $c$ the terms lose their
# digits one after the other from $c\approx -87$ on, and at $c \approx -106$ nothing is left.
#
# ### Log-sum-exp
#
# For any number $m$,
#
# $$\log\sum_{i=1}^{n} e^{x_i} \;=\; m + \log\sum_{i=1}^{n} e^{x_i-m}. \tag{1.1}$$
#
# Take $m=\max_i x_i$. Then every exponent is $\le 0$, so nothing overflows. One exponent is exactly 0, so the sum lies between 1
# and $n$, and its logarithm is harmless. Each row needs **its own** maximum: subtract the maximum of the whole tensor
# and a row that lies 200 below it underflows.
#
# One case is left. A probability of 0 is $x_i=-\infty$, which is legal: $e^{-\infty}=0$. If *all* entries of a row are
# $-\infty$ then $m=-\infty$, and $x_i-m$ is $-\infty+\infty$, which is NaN. The right answer is $-\infty$. Equation (1.1)
# holds for any finite $m$, so choose another one for such rows.
#
# The average of probabilities known by their logarithms, for example over $n$ Monte Carlo samples, is
#
# $$\log\frac1n\sum_{i=1}^{n} e^{x_i} \;=\; \log\sum_{i=1}^{n} e^{x_i} - \log n, \tag{1.2}$$
#
# and the logarithm of a softmax, which turns scores into log-probabilities, is
#
# $$\log\frac{e^{x_i}}{\sum_j e^{x_j}} \;=\; x_i - \log\sum_{j} e^{x_j}. \tag{1.3}$$
#
# Differentiating (1.1) gives $\partial \log\sum_j e^{x_j}/\partial x_i = e^{x_i}/\sum_j e^{x_j}$: the gradient of log-sum-exp
# is the softmax. Gradients of a stable version are finite too.
#
# ### The diagonal Gaussian
#
# With mean $\mu$ and one variance per dimension, $\sigma_d^2=e^{v_d}$, the dimensions are independent, so that
#
# $$\log\mathcal N(x;\mu,\operatorname{diag} e^{v}) \;=\; -\frac12\sum_{d=1}^{D}\Big[\log 2\pi + v_d + (x_d-\mu_d)^2\,e^{-v_d}\Big]. \tag{1.4}$$
#
# The parameter is the **log-variance** $v_d=\log\sigma_d^2$, called `logvar` everywhere in this course. Any real
# number is allowed, so a network can output it, and no $\varepsilon$ is needed to keep it positive.
#
# ### Your task
#
# Write the four functions below from elementary operations (`amax`, `exp`, `log`, `sum`, …). `torch.logsumexp` and its relatives
# would pass, but writing them is the exercise. What is tested:
#
# - tensors with any number of axes and any `dim`, also negative, also axes of length 1; float32 and float64 (do not round to
#   float32 on the way);
# - entries of size $10^3$ and beyond, of either sign, with rows of very different size in one tensor;
# - entries $-\infty$. A row without a finite entry gives $-\infty$ in `logsumexp` and `log_mean_exp`;
# - gradients of these four functions in all their tensors, by autograd, also where a row has entries $-\infty$ beside finite ones. (For a
#   row that is all $-\infty$, neither the gradient nor `log_softmax` is defined, so they are not tested there. Entries $+\infty$ and NaN do not occur.)
# - Inputs must not be changed in place.

# %% role="answer"
def logsumexp(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Logarithm of the sum of exponentials along one axis, equation (1.1).

    Args:
        x: log-values, any shape; entries may be -inf (probability zero), but not +inf or NaN.
        dim: the axis to sum over; negative values count from the end.

    Returns:
        The shape of ``x`` without axis ``dim``. Rows whose entries are all -inf give -inf.
    """
    ### BEGIN SOLUTION
    m = x.amax(dim, keepdim=True)
    m = torch.where(m == -math.inf, torch.zeros_like(m), m)
    return (x - m).exp().sum(dim).log() + m.squeeze(dim)
    ### END SOLUTION


def log_mean_exp(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Logarithm of the mean of exponentials along one axis, equation (1.2).

    Args:
        x: log-values, any shape; entries may be -inf.
        dim: the axis to average over; negative values count from the end.

    Returns:
        The shape of ``x`` without axis ``dim``.
    """
    ### BEGIN SOLUTION
    return logsumexp(x, dim) - math.log(x.shape[dim])
    ### END SOLUTION


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Log-probabilities proportional to ``exp(x)`` along one axis, equation (1.3).

    Args:
        x: scores (logits), any shape; entries may be -inf, but each row has a finite one.
        dim: the axis along which the probabilities sum to one; negative values count from the end.

    Returns:
        The shape of ``x``; ``exp`` of the result sums to one along ``dim``. Where ``x`` is -inf, so is the result.
    """
    ### BEGIN SOLUTION
    return x - logsumexp(x, dim).unsqueeze(dim)
    ### END SOLUTION


def gaussian_log_prob(
    x: Float[Tensor, "*#batch #D"], mean: Float[Tensor, "*#batch #D"], logvar: Float[Tensor, "*#batch #D"]
) -> Float[Tensor, "*batch"]:
    """Log-density of a diagonal Gaussian, in nats, summed over the last axis, equation (1.4).

    The three arguments broadcast against each other like in ``x + mean + logvar``, on every axis: ``logvar`` of shape
    (1,) is one log-variance shared by all D dimensions, and x (N, 1, D) with mean (K, D) gives (N, K). All three terms are
    summed over the D of the broadcast shape.

    Args:
        x: points.
        mean: means.
        logvar: natural logarithms of the variances (not of the standard deviations), between -40 and 40 in the tests.

    Returns:
        One log-density per point: the broadcast shape without its last axis. Differentiable in all arguments.
    """
    ### BEGIN SOLUTION
    terms = math.log(2 * math.pi) + logvar + (x - mean) ** 2 * torch.exp(-logvar)
    return -0.5 * terms.sum(-1)
    ### END SOLUTION

# %% [markdown]
# ### Units: nats, bits per dimension, perplexity
#
# An average negative log-likelihood (NLL) in **nats** is hard to compare across image sizes and encodings.
# Divide by the number of dimensions $D$ and by $\ln 2$ to get **bits per dimension**. One trap remains. Images are integers
# $k\in\{0,\dots,V-1\}^D$ (for 8 bits $V=256$), while a density needs real numbers. So we *dequantise*
# and rescale: draw $u\sim\text{Uniform}[0,1)^D$ and model $x=(k+u)/V\in[0,1)^D$. By the change of variables,
# the density of $y=k+u$, where a level has width 1, is
#
# $$-\ln p_Y(y) \;=\; -\ln p_X(y/V) + D\ln V. \tag{1.5}$$
#
# The probability of the integer image is $P(k)=\int_{[0,1)^D} p_Y(k+u)\,du=\mathbb E_u[p_Y(k+u)]$, and since $-\ln$ is convex (Jensen),
# $-\ln P(k)\le\mathbb E_u[-\ln p_Y(k+u)]$. So
#
# $$\text{bits per dimension} \;=\; \frac{1}{\ln 2}\left(\frac{-\ln p_X(x)}{D}+\ln V\right) \tag{1.6}$$
#
# is, on average over $u$, an upper bound on the bits that a lossless code based on the model spends on one pixel.
# Check: the uniform density on $[0,1)^D$ has NLL 0 and costs $\log_2 256 = 8$ bits. Without the term $\ln V$ it would cost nothing!
# If the model gives probabilities of the integers directly, there is no rescaling, which is the case $V=1$.
#
# Language models report the **perplexity** $\exp\big(\frac1T\sum_{t=1}^T -\ln p(w_t\mid w_{<t})\big)$ instead: the mean is
# over all $T$ tokens, and taken *before* the exponential. A uniform guess among $V$ words has perplexity $V$.
#
# Two more functions of one line each, then the check.

# %% role="answer"
def nats_to_bits_per_dim(nll: Float[Tensor, "..."], num_dims: int, num_levels: int) -> Float[Tensor, "..."]:
    """Bits per dimension of data with ``num_levels`` integer levels, equation (1.6).

    Args:
        nll: negative log-likelihoods in nats, summed over dimensions (not averaged), of x = (k + u) / num_levels.
        num_dims: the number of dimensions D of one example.
        num_levels: V, for example 256; 1 if ``nll`` belongs to the unscaled data (the offset is then zero).

    Returns:
        The shape of ``nll``.
    """
    ### BEGIN SOLUTION
    return (nll / num_dims + math.log(num_levels)) / math.log(2)
    ### END SOLUTION


def perplexity(token_nll: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Perplexity of a text.

    Args:
        token_nll: negative log-probability of each token in nats, any shape; all entries count equally.

    Returns:
        One number for the whole tensor.
    """
    ### BEGIN SOLUTION
    return token_nll.mean().exp()
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### Your functions on real images
#
# The simplest image model is one Gaussian per pixel. Here it is fitted to the $8\times8$ handwritten digits ($V=17$ levels)
# and scored in bits per dimension on held-out digits. A uniform guess costs $\log_2 17\approx 4.09$ bits per pixel.
#
# **Before you run this:** will the *mean image*, a grey blur, get a better or a worse likelihood than real digits?

# %% role="given"
def dequantised_digits(split: str, seed: int) -> tuple[Float[Tensor, "N 64"], Int[Tensor, "N"]]:
    """The 8×8 digits as x = (levels + u) / 17 in [0, 1), with u uniform, and their labels."""
    levels, labels = data.digits_levels(split)
    levels = levels.flatten(1).float()
    return (levels + torch.rand(levels.shape, generator=dgm.generator(seed))) / 17, labels

# %%
train_x, _ = dequantised_digits("train", seed=0)
test_x, _ = dequantised_digits("test", seed=1)
pixel_mean, pixel_logvar = train_x.mean(0), train_x.var(0, unbiased=False).log()


def diagonal_bits(x: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    return nats_to_bits_per_dim(-gaussian_log_prob(x, pixel_mean, pixel_logvar), 64, 17)


test_bits, mean_image_bits = diagonal_bits(test_x), diagonal_bits(pixel_mean[None])
noise = torch.rand(360, 64, generator=dgm.generator(2))

figure, axes = plot.subplots(1, 3, width=10, height=3.2, width_ratios=[1, 1, 2.2])
plot.images(pixel_mean.reshape(1, 8, 8), vmax=None, suptitle="mean", ax=axes[0])
plot.images((0.5 * pixel_logvar).exp().reshape(1, 8, 8), vmax=None, suptitle="standard deviation", ax=axes[1])
axes[2].hist(test_bits.numpy(), bins=60, range=(2.5, 7.0), color=plot.COLORS[0], label="held-out digits")
axes[2].axvline(float(mean_image_bits), color=plot.COLORS[1], linestyle="--", label="the mean image")
axes[2].axvline(math.log2(17), color="black", linestyle=":", label="a uniform guess")
axes[2].set(xlabel="bits per dimension (lower: more likely)", ylabel="images")
axes[2].legend()

plot.table([
    ("held-out digits", float(test_bits.mean()), "about 3.38; below 3.2 something is wrong"),
    ("the mean image", float(mean_image_bits), "about 2.66"),
    ("uniform noise", float(diagonal_bits(noise).mean()), "over 100: pixels that are always dark are bright"),
    ("a uniform guess", math.log2(17), ""),
], header=("bits per dimension", "yours", "expected"))

# %% [markdown]
# The blur is more likely than *every* real digit. A density is highest at its mode, and in many dimensions
# typical samples are far from the mode. A high likelihood of one image does not say that it looks real.
#
# **What to remember.** Work with $\log p$ throughout. Subtract the row's own maximum before any `exp`. State the
# unit: nats in total or bits per dimension, and of which data (rescaled or not).

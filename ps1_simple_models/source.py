# %% [markdown]
# # Problem set 1 · Simple generative models
#
# A generative model is a probability distribution $p_\theta(x)$ that we can fit to data, evaluate and sample from.
# This set starts with one Gaussian and ends with a PixelCNN that draws and completes digits. Everything in it is fitted
# by one principle: **maximum likelihood**,
# $$\hat\theta=\arg\max_\theta \frac1N\sum_{n=1}^N \log p_\theta(x_n),$$
# and everything is compared on one scale: the log-likelihood of data that the model has not seen.
#
# **How it works.** Each question has a short derivation, functions for you to write (`raise NotImplementedError` marks the
# place), a check, and a picture of your own result.
#
# - `grader.check("q1")` runs the public tests of a question and says what is wrong, often which mistake it is. They look at
#   a part only; the last line of a check names the functions that they leave out. Hidden tests of all functions decide the
#   grade, so a function should do what its docstring and the list of what is tested say for *every* input. The pictures and
#   the *expected* numbers below a check are the other half of the test: if yours differ, something is wrong.
# - If a check does not come back within a minute, one of your loops does not end: interrupt the kernel (the ■ button).
# - `grader.hint("q1")` shows one hint at a time, from gentle to explicit, for all functions of the question.
#   `grader.show("q1")` prints the public tests.
# - `grader.export()` writes the file to hand in. Learning alone? A clone of the course's repository has the hidden tests, too,
#   and the worked solution.
# - Later questions use earlier answers. If an earlier one is wrong you do not lose points twice: when your notebook is
#   graded, later questions are also tried with a correct version of it.
# - Begin the names of helpers of your own with an underscore. The picture cells define short names (`draw`, `eps`, …), later questions
#   define more, and a name that is used twice breaks whatever needs the first.
#
# **Points.** 100, of which 6 are for three short written answers, and 5 bonus points.
#
# **Time.** About 13 hours in all (the bonus not counted), more if PyTorch is new to you; each question says how long it
# takes. You should know tensors and broadcasting, `loss.backward()`, `detach()`, and how an `nn.Module` holds parameters and
# buffers (`register_buffer`). If these words are new, take PyTorch's tutorial *Learn the basics* first.
#
# No GPU is needed: on one CPU core all cells together take a minute and a half. The longest are the PixelCNN of Question 13 (40
# seconds) and the comparison in Question 7 (10 seconds); the others take less than 10 seconds. Training cells have three lengths,
# called profiles: `cpu`; `gpu`, longer, taken when a GPU is there; and `smoke`, a few steps, only to see whether the code runs (set
# the environment variable `DGM_BUDGET=smoke`). *Expected* numbers are those of the `cpu` profile; with a GPU, `%env DGM_BUDGET=cpu` in
# a cell above all others gives that profile, too. Cells that draw pictures need no reading: run them and look at the result.
#
# **Conventions.** They hold in all five sets.
#
# | | |
# |---|---|
# | types | `Float[Tensor, "N D"]` is a float tensor of shape (N, D), `Int[…]` one of integers; `""` is a single number (0-d), `...` or `*batch` stands for any number of axes, and axes marked with `#` broadcast. Nothing checks them when you run |
# | units | natural logarithms (nats), unless a name says bits; `bpd` is bits per dimension |
# | shapes | data $x$ is `(N, D)`; images are `(batch, channel, height, width)`, float in $[0, 1]$ |
# | $N, D, K$ | number of examples, of dimensions, of components or classes |
# | scale parameters | passed as `logvar` ($\log\sigma^2$) or `log_scale` ($\log s$), and named so |
# | reductions | a log-density is summed over dimensions; a loss is the mean over examples |
# | randomness | every random function takes its noise, or a `torch.Generator`, as an argument |
# | inputs | functions never change their arguments in place, unless the docstring says so |
#
# Any correct method is accepted: loops or vectorised code, float32 or float64, your own algebra or the one in the text. (All times
# given are for vectorised code; with a loop over examples or pixels a picture can take a hundred times longer. When your notebook is graded, a
# cell that only draws a picture is stopped after 30 seconds, which costs nothing.)

# %% role="setup"
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

import dgm
from dgm import data, plot

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

# %% role="answer" question="q1"
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

# %% role="answer" question="q1"
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

# %% role="check" question="q1"
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

# %% role="answer" question="q2"
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

# %% role="check" question="q2"
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

# %% [markdown]
# ## Question 3 · A mixture of Gaussians and EM
# *9 points · about 60 minutes*
#
# One Gaussian has one bump. Real data come in clumps: ten digits, five arms of a pinwheel, fast and slow customers.
# The cheapest model with several bumps is a **mixture**: first draw a hidden label, then draw from that label's Gaussian.
# It is also the smallest model with a latent variable, so everything that a VAE or a diffusion model does later with its
# latents (a posterior, a bound, a loop that improves the bound) can be done here *exactly*, and checked.
#
# **The model.** The latent label $z \in \{1, \dots, K\}$ has probabilities $\pi_k$, and given the label, $x \in \mathbb{R}^D$ is
# Gaussian:
#
# $$
# p(x) = \sum_{k=1}^{K} p(z = k)\, p(x \mid z = k) = \sum_{k=1}^{K} \pi_k \, \mathcal{N}(x;\, \mu_k, \Sigma_k),
# \qquad \sum_{k} \pi_k = 1. \tag{3.1}
# $$
#
# All computation is done with logarithms. Call the logarithm of one summand the *log-joint*,
#
# $$
# \ell_{k}(x) = \log p(x, z = k) = \log \pi_k + \log \mathcal{N}(x;\, \mu_k, \Sigma_k),
# \qquad \log p(x) = \log \sum_k e^{\ell_k(x)}. \tag{3.2}
# $$
#
# The picture shows why we need a mixture (left), and why we need logarithms (right): in float32, $e^{\ell}$ is exactly 0 as
# soon as $\ell < -104$, which is only some 14 standard deviations away, and then the log of the sum is $-\infty$.

# %%
points = data.toy2d("pinwheel", 1000, seed=0)
figure, (left, right) = plot.subplots(1, 2, width=9.5, height=4.0)
plot.scatter2d(points, ax=left, title="one Gaussian for five arms", xlim=(-4, 4), ylim=(-4, 4))
plot.ellipse(points.mean(0), torch.cov(points.T, correction=0), ax=left)
line = torch.linspace(-12, 12, 400)
log_joint_on_line = math.log(0.5) - 0.5 * ((line[:, None] - torch.tensor([-1.0, 1.0])) / 0.5) ** 2 - math.log(0.5 * math.sqrt(2 * math.pi))
naive_on_line = log_joint_on_line.exp().sum(1).log()  # log of a sum of densities: what (3.1) says, word for word
plot.curves(
    {"in logarithms": (line, log_joint_on_line.logsumexp(1)), "exp, sum, log": (line, naive_on_line)},
    xlabel="x", ylabel="log p(x) in nats", title="two bumps at ±1 of width 0.5, float32", ax=right,
)
right.plot(line[naive_on_line.isinf()], np.full(int(naive_on_line.isinf().sum()), -260.0), "x", color=plot.COLORS[1], markersize=4)
right.text(0, -250, "crosses: exp, sum, log gives −∞", ha="center", color=plot.COLORS[1])
plt.show()

# %% [markdown]
# **The E-step.** Which component does $x$ come from? By Bayes' rule the posterior of the label, called the
# *responsibility* of component $k$ for example $x_n$, is
#
# $$
# r_{nk} = p(z = k \mid x_n) = \frac{e^{\ell_k(x_n)}}{\sum_j e^{\ell_j(x_n)}} = e^{\ell_k(x_n) - \log p(x_n)}. \tag{3.3}
# $$
#
# **The M-step.** Setting the gradient of $\sum_n \log p(x_n)$ with respect to $\mu_k$ to zero gives
# $\sum_n r_{nk} \Sigma_k^{-1}(x_n - \mu_k) = 0$: a mean with weights $r_{nk}$. The covariances come out in the same way, and the
# weights with a Lagrange multiplier for $\sum_k \pi_k = 1$.
# With $N_k = \sum_n r_{nk}$, the number of examples that component $k$ "owns",
#
# $$
# \pi_k = \frac{N_k}{N}, \qquad
# \mu_k = \frac{1}{N_k} \sum_n r_{nk}\, x_n, \qquad
# \Sigma_k = \frac{1}{N_k} \sum_n r_{nk}\, (x_n - \mu_k)(x_n - \mu_k)^\top + \varepsilon I, \tag{3.4}
# $$
#
# where $\mu_k$ in the last formula is the *new* mean. The **floor** $\varepsilon I$ is our addition: a component that owns a single
# example would otherwise get $\Sigma_k = 0$ and an infinite likelihood. These equations are not yet a solution, because $r$
# depends on the parameters in turn. So we alternate: **EM**.
#
# **Why alternating works.** Let $q_n(k)$ be *any* probabilities over the labels, one row per example. Write $p(x_n) = \sum_k q_n(k)\, e^{\ell_k(x_n)} / q_n(k)$, an
# average under $q_n$. The log of an average is at least the average of the logs (Jensen):
#
# $$
# \log p(x_n) \;\ge\; \mathcal{L}(x_n, q_n) = \sum_k q_n(k) \big[ \ell_k(x_n) - \log q_n(k) \big], \qquad
# \log p(x_n) - \mathcal{L}(x_n, q_n) = \mathrm{KL}\big(q_n \,\|\, p(z \mid x_n)\big). \tag{3.5}
# $$
#
# $\mathcal{L}$ is the **evidence lower bound** (ELBO), the loss of every VAE. The E-step sets $q_n = r_n$: the KL vanishes and the bound
# touches. The M-step raises the bound with $q$ held fixed, so it raises $\log p$ at least as much. EM climbs a staircase, and the
# log-likelihood cannot fall. (With $\varepsilon > 0$ the M-step is not exactly the maximum, so it may fall after all: by an amount of the order of
# $\varepsilon$, or by more in the first step if the start is narrower than the floor.)
#
# ### Your task
# Write the six functions below; the longest takes about six lines. Parameters travel as `log_weights` (K,), `means` (K, D),
# `covs` (K, D, D), in this order, and every result keeps the dtype (float64 too) and device of `x`. From here on, `torch.logsumexp` and your own
# are equally welcome.
#
# | function | formula | care |
# |---|---|---|
# | `gmm_log_joint` | (3.2) left | use your `mvn_log_prob` of Question 2, once per component; a log-weight may be −∞ |
# | `gmm_log_prob` | (3.2) right | finite far from every component; differentiable |
# | `responsibilities` | (3.3) | every row sums to one, also far from every component |
# | `m_step` | (3.4) | data far from the origin; a component that owns nothing |
# | `elbo` | (3.5) | for *any* `q`, with zeros in it; one value per example |
# | `fit_gmm_em` | E, M, E, M, … | the history starts before the first step |
#
# Three things that are easy to get wrong, and tested:
#
# - **A component that owns nothing** ($N_k = 0$, so $0/0$) gets log-weight $-\infty$, mean $0$ and covariance $\varepsilon I$: no NaN, and usable if $\varepsilon > 0$.
#   From then on its responsibility is exactly 0. (A component that owns a little, however little, follows (3.4): add no constant to $N_k$.)
# - **Cancellation.** $\mathbb{E}[xx^\top] - \mu\mu^\top$ equals the covariance on paper. In float32, with data around 4000 and spread 1, it is garbage:
#   subtract the mean first.
# - **Zeros in** $q$. A label with $q_n(k) = 0$ contributes exactly 0 to the ELBO, even where $\ell_k = -\infty$. (But $q_n(k) > 0$ where
#   $\ell_k = -\infty$ makes it $-\infty$, as (3.5) says: such a $q$ bets on the impossible.)

# %% role="answer" question="q3"
def gmm_log_joint(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N K"]:
    """Log-joint of every example and every component, log π_k + log N(x_n; μ_k, Σ_k).

    Args:
        x: (N, D) examples.
        log_weights: (K,) natural logs of the mixture weights; the weights sum to one. −∞ is allowed.
        means: (K, D).
        covs: (K, D, D), symmetric positive definite.

    Returns:
        (N, K), in nats. A component of log-weight −∞ gives −∞.
    """
    ### BEGIN SOLUTION
    log_probs = [mvn_log_prob(x, mean, cov) for mean, cov in zip(means, covs, strict=True)]
    return log_weights + torch.stack(log_probs, dim=-1)
    ### END SOLUTION


def gmm_log_prob(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N"]:
    """Log-density of the mixture at every example.

    Args: as for `gmm_log_joint`.

    Returns:
        (N,), in nats; finite also where every density underflows, and differentiable in x and the parameters.
    """
    ### BEGIN SOLUTION
    return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)
    ### END SOLUTION


def responsibilities(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N K"]:
    """The E-step: posterior probability p(z = k | x_n) of every component.

    Args: as for `gmm_log_joint`.

    Returns:
        (N, K) probabilities (not logs); every row sums to one. (Gradients of this function are not tested.)
    """
    ### BEGIN SOLUTION
    return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)
    ### END SOLUTION


# %% role="answer" question="q3"
def m_step(
    x: Float[Tensor, "N D"], resp: Float[Tensor, "N K"], floor: float = 1e-6
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]]:
    """The M-step: parameters that maximise the bound for the given responsibilities, plus a floor.

    Args:
        x: (N, D) examples, possibly far from the origin.
        resp: (N, K), rows sum to one. A column may be all zeros.
        floor: ε ≥ 0, added to every diagonal entry of every covariance.

    Returns:
        (log_weights (K,), means (K, D), covs (K, D, D)), a tuple. A component whose column of `resp` is all zeros
        gets log-weight −∞, mean 0, covariance floor · I.
    """
    ### BEGIN SOLUTION
    counts = resp.sum(0)
    owned = counts.clamp_min(torch.finfo(x.dtype).tiny)  # 0 / tiny = 0 instead of 0 / 0 = NaN
    means = resp.T @ x / owned[:, None]
    centred = x[:, None, :] - means
    scatter = torch.einsum("nk,nki,nkj->kij", resp, centred, centred)
    covs = scatter / owned[:, None, None] + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return counts.log() - math.log(len(x)), means, covs
    ### END SOLUTION


# %% role="answer" question="q3"
def elbo(
    x: Float[Tensor, "N D"],
    resp: Float[Tensor, "N K"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "N"]:
    """Evidence lower bound of every example, for any distribution q over the labels.

    Args:
        x: (N, D) examples.
        resp: (N, K) the probabilities q_n(k), rows sum to one. Not necessarily the posterior; entries may be 0.
        log_weights, means, covs: as for `gmm_log_joint`.

    Returns:
        (N,), in nats: the bound (3.5), one value per example. Where q_n(k) = 0 the label contributes exactly 0.
    """
    ### BEGIN SOLUTION
    log_joint = gmm_log_joint(x, log_weights, means, covs)
    energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)
    entropy = torch.special.entr(resp).sum(-1)  # -q log q, and 0 at q = 0
    return energy + entropy
    ### END SOLUTION


def fit_gmm_em(
    x: Float[Tensor, "N D"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
    steps: int,
    floor: float = 1e-6,
) -> tuple[tuple[Tensor, Tensor, Tensor], Float[Tensor, "steps+1"]]:
    """Run EM from the given parameters. One step is an E-step followed by an M-step.

    Args:
        x: (N, D) examples.
        log_weights, means, covs: where to start, as for `gmm_log_joint`.
        steps: number of steps, ≥ 0; all of them are made, also when nothing changes any more.
        floor: passed on to every `m_step`.

    Returns:
        ((log_weights, means, covs), history): the parameters after the last step, and the *mean* log-likelihood per
        example in nats, steps + 1 values: history[t] belongs to the parameters after t steps, so history[0] to the start.
    """
    ### BEGIN SOLUTION
    params = (log_weights, means, covs)
    history = [gmm_log_prob(x, *params).mean()]
    for _ in range(steps):
        params = m_step(x, responsibilities(x, *params), floor)
        history.append(gmm_log_prob(x, *params).mean())
    return params, torch.stack(history)
    ### END SOLUTION


# %% role="check" question="q3"
grader.check("q3")

# %% [markdown]
# ### Watch it work
# Ten components start on random examples with the covariance of the whole data set.
#
# **Before you run this:** all ten components have the same shape at the start. Why do they not stay the same? And if you
# started all ten *means* at the same point as well, what would EM do?

# %% role="given"
def init_gmm(
    x: Float[Tensor, "N D"], K: int, generator: torch.Generator
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]]:
    """A start for EM: equal weights, means on K random examples, the covariance of all data for every component."""
    log_weights = x.new_full((K,), -math.log(K))
    means = x[torch.randperm(len(x), generator=generator)[:K]].clone()
    centred = x - x.mean(0)
    return log_weights, means, (centred.T @ centred / len(x)).repeat(K, 1, 1)


# %%
train_points, test_points = data.toy2d("pinwheel", 1000, seed=0), data.toy2d("pinwheel", 5000, seed=1)
em_start = init_gmm(train_points, K=10, generator=dgm.generator(2))
shown, so_far = [0, 2, 10, 60], 0
em_params, em_history = em_start, []
figure, panels = plot.subplots(1, 4, width=10.0, height=2.9)
for panel, step in zip(panels, shown):
    em_params, values = fit_gmm_em(train_points, *em_params, steps=step - so_far, floor=1e-4)
    em_history += [float(value) for value in values[1 if em_history else 0 :]]
    so_far = step
    plot.scatter2d(train_points, ax=panel, xlim=(-4, 4), ylim=(-4, 4), title=f"step {step}: {em_history[-1]:.2f} nats", size=3, color="#999999")
    if all(p.isfinite().all() for p in em_params[1:]):
        plot.ellipse(em_params[1], em_params[2], ax=panel, n_std=(1,))
plot.table(
    [
        ["one Gaussian, test", -3.61, "one ellipse cannot have arms"],
        ["your mixture, train", em_history[-1], "expected: −2.46 (±0.02)"],
        ["your mixture, test", float(gmm_log_prob(test_points, *em_params).mean()), "expected: −2.54 (±0.02)"],
        ["the true density, test", float(data.toy2d_log_prob("pinwheel", test_points).mean()), "no model can beat this on average"],
    ],
    header=["mean log-likelihood", "nats", ""],
)

# %% [markdown]
# (The means differ, so the responsibilities differ, and with them everything after the first M-step. With equal means as well,
# all components would get equal responsibilities for ever: EM would stay a single Gaussian.)
#
# Next the staircase of (3.5): after an E-step the bound touches the log-likelihood.
#
# **Before you run this:** after an M-step there is a gap. Which of the two curves is above?

# %%
staircase_x, staircase_bound, staircase_loglik, stairs_params, stairs_q = [], [], [], em_start, None
for step in range(12):
    stairs_q = responsibilities(train_points, *stairs_params)  # E: the bound rises to the log-likelihood
    for half, params_now in ((0.0, stairs_params), (0.5, m_step(train_points, stairs_q, 1e-4))):  # then M: both rise
        staircase_x.append(step + half)
        staircase_bound.append(float(elbo(train_points, stairs_q, *params_now).mean()))
        staircase_loglik.append(float(gmm_log_prob(train_points, *params_now).mean()))
    stairs_params = params_now
axes = plot.curves(
    {"log-likelihood": (staircase_x, staircase_loglik), "bound (ELBO)": (staircase_x, staircase_bound)},
    xlabel="step (whole: after E, half: after M)", ylabel="nats per example", title="EM climbs its own bound",
)
gap = np.array(staircase_loglik) - np.array(staircase_bound)
print(f"gap after E: at most {abs(gap[::2]).max():.1e} nats (expected: below 1e-5; rounding)")
print(f"gap after M: {gap[1::2].min():.4f} to {gap[1::2].max():.4f} nats (never negative)")

# %% [markdown]
# The log-likelihood is above: after the M-step, $q$ belongs to the parameters before, so the KL in (3.5) is positive.
#
# The same code in 64 dimensions: ten Gaussians on the 8×8 digits, without labels. Many border pixels are always 0, so without
# the floor every covariance is singular; here the floor is $\varepsilon = 0.01$, a pixel noise of standard deviation 0.1.

# %%
train_digits, test_digits = (data.digits(split)[0].flatten(1) for split in ("train", "test"))
digit_start = init_gmm(train_digits, K=10, generator=dgm.generator(0))
digit_start = (*digit_start[:2], digit_start[2] + 0.01 * torch.eye(64))
em_digits, digits_history = fit_gmm_em(train_digits, *digit_start, steps=dgm.budget(smoke=2, cpu=40, gpu=40), floor=0.01)
sampler = dgm.generator(1)
labels = em_digits[0].exp().nan_to_num().clamp_min(1e-9).multinomial(40, replacement=True, generator=sampler).sort().values
factors = torch.linalg.cholesky_ex(em_digits[2])[0]
samples = em_digits[1][labels] + (factors[labels] @ torch.randn(40, 64, 1, generator=sampler)).squeeze(-1)
plot.images(em_digits[1].reshape(-1, 8, 8), ncols=10, suptitle="the ten means")
plot.images(samples.reshape(-1, 8, 8), ncols=10, suptitle="forty samples, ordered by component")
print(f"train {float(digits_history[-1]):.1f} nats per image (expected after 40 steps: about 45)")
print(f"test  {float(gmm_log_prob(test_digits, *em_digits).mean()):.1f} nats per image (expected after 40 steps: about 42)")

# %% [markdown]
# These values are log-*densities* of continuous pixels, so they may be positive, and they depend on the floor: with
# $\varepsilon = 0.0001$ (changed in `floor=` only) the test value becomes about 71, though the model is no better: pixels have only 17 levels, and a density may
# pile up on levels that occur exactly. Compare such numbers only at the same floor, or dequantise first, as in Question 1.
#
# **What to remember**
# - Mixture densities are log-sum-exps; posteriors over the component are softmaxes of the same log-joints.
# - EM = maximise one bound, first over $q$ (exact posterior, gap 0), then over the parameters (weighted means and covariances).
# - $\log p - \mathrm{ELBO} = \mathrm{KL}(q \| \text{posterior})$. A VAE is this bound with a $q$ that is not exact, so its gap does not close.
# - A Gaussian that owns one point has infinite likelihood. Some floor, prior or early stop is always part of the model.

# %% [markdown]
# ## Question 4 · The same mixture by gradient descent
# *7 points · about 55 minutes*
#
# EM needs a posterior in closed form. Replace the Gaussian means by a neural network and it is gone; what remains is the gradient
# of the log-likelihood. So we fit the *same* mixture once more, with nothing but gradients, minibatches and an optimiser that you write
# yourself. Since EM's answer is known, we can see what the more general tool costs.
#
# **Unconstrained parameters.** A gradient step knows no constraints: it would make weights negative and covariances indefinite. So we
# optimise numbers that may take any value, and map them to valid parameters:
#
# $$
# \log \pi = \text{log-softmax}(a), \qquad
# L_k = \begin{pmatrix} e^{s_{k1}} & & \\ b_{k,21} & e^{s_{k2}} & \\ \vdots & & \ddots \end{pmatrix}, \qquad
# \Sigma_k = L_k L_k^\top. \tag{4.1}
# $$
#
# The logits $a \in \mathbb{R}^K$ (any numbers, from which the softmax makes probabilities) and the means are free already. The Cholesky factor $L_k$ is stored as one array `raw` (K, D, D): the entries *below* its
# diagonal are used as they are, its diagonal holds the log-scales $s$ (exp makes them positive), and what is above its diagonal is ignored.
#
# **The loss.** With $L$ at hand no covariance needs to be formed. Let $y_{nk} = L_k^{-1}(x_n - \mu_k)$, from a triangular solve. Then
#
# $$
# \log \mathcal{N}(x_n;\, \mu_k, L_k L_k^\top) = -\tfrac{1}{2} \lVert y_{nk} \rVert^2 - \sum_{i} s_{ki} - \tfrac{D}{2} \log 2\pi, \qquad
# \mathrm{NLL} = -\frac{1}{N} \sum_n \log \sum_k \pi_k \mathcal{N}(x_n;\, \mu_k, L_k L_k^\top). \tag{4.2}
# $$
#
# Do not multiply $L L^\top$ out to factor it again: that squares the condition number, and in float32 a component that is 10,000 times
# longer than it is wide then has a singular covariance: the factorisation fails, or is wrong. And it is the *mean* over the batch, not the sum: only then does the loss, and with it the best learning rate,
# not depend on the batch size, and only then is the average gradient of equal minibatches the gradient on all data.
#
# **The optimiser.** Stochastic gradient descent with momentum $\beta$ and weight decay $\lambda$, exactly as in `torch.optim.SGD`: for every parameter $\theta$
# with gradient $g$ and velocity $v$ (which starts at 0),
#
# $$
# g' = g + \lambda \theta, \qquad v \leftarrow \beta v + g', \qquad \theta \leftarrow \theta - \eta v. \tag{4.3}
# $$
#
# A constant gradient is thus amplified up to $1/(1-\beta)$ times, one that flips its sign is damped. The picture shows it on a quadratic valley with
# curvatures $c_1 = 1$ and $c_2 = 30$: without momentum, coordinate $i$ is multiplied by $1 - \eta c_i$ in each step, so $\eta$ must stay below $2/30$ for
# the steep direction, and the flat one crawls.

# %%
curvature = np.array([1.0, 30.0])
figure, panels = plot.subplots(1, 2, width=9.5, height=3.4)
grid_x, grid_y = torch.meshgrid(torch.linspace(-4, 10.5, 100), torch.linspace(-2.6, 2.6, 100), indexing="xy")
losses = {}
for momentum, color in ((0.0, plot.COLORS[0]), (0.8, plot.COLORS[1])):
    # On a quadratic, (4.3) is linear: one matrix maps (theta, v) to the next (theta, v), for each of the two curvatures.
    steps = [np.array([[1 - 0.06 * c, -0.06 * momentum], [c, momentum]]) for c in curvature]
    states = [[np.linalg.matrix_power(m, t) @ [start, 0.0] for t in range(61)] for m, start in zip(steps, (10.0, 2.0))]
    path = np.array(states)[:, :, 0].T
    panels[0].plot(path[:, 0], path[:, 1], "o-", color=color, markersize=3, linewidth=1.2, label=f"momentum {momentum:g}")
    losses[f"momentum {momentum:g}"] = 0.5 * (curvature * path**2).sum(1)
panels[0].contour(grid_x, grid_y, 0.5 * (grid_x**2 + 30 * grid_y**2), levels=[1, 5, 15, 30, 60], colors="#BBBBBB", linewidths=0.8)
panels[0].set(xlim=(-4, 10.5), ylim=(-2.6, 2.6), title="60 steps of size 0.06 in a valley")
panels[0].legend(loc="lower left")
plot.curves(losses, ylabel="loss", logy=True, ax=panels[1], title="its loss")

# %% [markdown]
# ### Your task
# `params` is always the tuple `(logits (K,), means (K, D), raw (K, D, D))`; an answer may return a tuple or a list. Results keep the dtype and device of
# what comes in (float64 too).
#
# - **`constrain`**: equation (4.1).
# - **`gmm_nll`**: equation (4.2). It must stay finite, with finite gradients, far from all components, for factors that are nearly singular, for entries of `raw`
#   of several hundred off its diagonal, and for logits that are hundreds apart; adding a constant to all logits must change nothing.
# - **`sgd_step`**: equation (4.3), *functional*: it returns new tensors, changes none of its arguments, remembers nothing between calls, and its
#   results do not require gradients even if `params` do. The learning rate may change from call to call.
# - **`train_gmm_sgd`**: the loop. So that a run can be repeated exactly, the minibatches are fixed by a convention: each pass over the data draws one
#   `torch.randperm(N, generator=generator)` and takes consecutive slices of `batch_size` of it; the last slice may be smaller and is used too; passes
#   follow each other until `steps` updates have been made. `data.batches(x, batch_size, generator, steps=steps)` (of the course package) yields exactly
#   these batches; use it, or write it yourself. Do not draw anything else from the generator. For the gradients, `leaves = [p.detach().requires_grad_() for p in params]`
#   gives tensors that record what is done with them, and `torch.autograd.grad(loss, leaves)` returns the gradients.

# %% role="answer" question="q4"
def constrain(
    params: tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]],
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]]:
    """Unconstrained numbers to valid mixture parameters.

    Args:
        params: (logits (K,), means (K, D), raw (K, D, D)). The diagonal of `raw` holds log-scales, the entries above
            it are ignored.

    Returns:
        (log_weights (K,), means (K, D), factors (K, D, D)): natural logs of weights that sum to one, the means as they
        are, and lower triangular Cholesky factors L with positive diagonal, zeros above it. Differentiable in params.
    """
    ### BEGIN SOLUTION
    logits, means, raw = params
    scales = raw.diagonal(dim1=-2, dim2=-1).exp()
    return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)
    ### END SOLUTION


def gmm_nll(
    params: tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]], x: Float[Tensor, "N D"]
) -> Float[Tensor, ""]:
    """Mean negative log-likelihood of the mixture.

    Args:
        params: as for `constrain`.
        x: (N, D) examples.

    Returns:
        one number, a 0-d tensor: nats per example, averaged over the N examples. Differentiable in params.
    """
    ### BEGIN SOLUTION
    log_weights, means, factors = constrain(params)
    log_scales = params[2].diagonal(dim1=-2, dim2=-1)
    centred = (x[None, :, :] - means[:, None, :]).mT  # (K, D, N)
    y = torch.linalg.solve_triangular(factors, centred, upper=False)
    log_prob = -0.5 * y.square().sum(1).T - log_scales.sum(-1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
    return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()
    ### END SOLUTION


# %% role="answer" question="q4"
def sgd_step(
    params: tuple[Tensor, ...],
    grads: tuple[Tensor, ...],
    velocity: tuple[Tensor, ...],
    lr: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """One step of SGD with momentum and (L2) weight decay, as `torch.optim.SGD` makes it.

    Args:
        params: any number of tensors, of any shapes.
        grads: the gradients of the loss, same shapes.
        velocity: the velocities, same shapes; zeros before the first step.
        lr, momentum, weight_decay: η, β, λ of equation (4.3). The decay applies to all params.

    Returns:
        (new_params, new_velocity): new tensors that do not require gradients. The arguments are not changed.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
        new_velocity = tuple(momentum * v + g for v, g in zip(velocity, grads, strict=True))
        new_params = tuple(p - lr * v for p, v in zip(params, new_velocity, strict=True))
    return new_params, new_velocity
    ### END SOLUTION


# %% role="answer" question="q4"
def train_gmm_sgd(
    x: Float[Tensor, "N D"],
    params: tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]],
    steps: int,
    batch_size: int,
    lr: float,
    momentum: float,
    generator: torch.Generator,
) -> tuple[tuple[Tensor, Tensor, Tensor], Float[Tensor, "steps"]]:
    """Fit the mixture by minibatch SGD with momentum, without weight decay.

    Args:
        x: (N, D) training examples.
        params: where to start, as for `constrain`; not changed.
        steps: number of updates (not of passes), ≥ 1.
        batch_size: examples in a minibatch; the last one of each pass may be smaller.
        lr, momentum: passed on to every `sgd_step`.
        generator: decides the minibatches, one `torch.randperm` per pass.

    Returns:
        (params, history): the parameters after the last update, and the minibatch loss of every step, evaluated just
        before that step's update: `steps` values, nats per example.
    """
    ### BEGIN SOLUTION
    velocity = tuple(torch.zeros_like(p) for p in params)
    history = []
    for batch in data.batches(x, batch_size, generator, steps=steps):
        leaves = tuple(p.detach().requires_grad_() for p in params)
        loss = gmm_nll(leaves, batch)
        grads = torch.autograd.grad(loss, leaves)
        params, velocity = sgd_step(leaves, grads, velocity, lr, momentum)
        history.append(loss.detach())
    return params, torch.stack(history)
    ### END SOLUTION


# %% role="check" question="q4"
grader.check("q4")

# %% [markdown]
# ### EM against SGD
# Both start from the same parameters, on 1,000 points of two moons with ten components. One EM step reads all data once, and so do ten minibatches
# of 100; the horizontal axis is passes over the data. For SGD each point is the mean of the ten minibatch losses of a pass.
#
# **Before you run this:** which of the three curves is lowest after 2 passes? After 30? After 200?

# %%
train_moons, test_moons = data.toy2d("moons", 1000, seed=0), data.toy2d("moons", 5000, seed=1)
start_means = train_moons[torch.randperm(1000, generator=dgm.generator(1))[:10]]
start_factor = torch.linalg.cholesky(torch.cov(train_moons.T, correction=0))
start_raw = start_factor.tril(-1) + start_factor.diagonal().log().diag()
sgd_start = (torch.zeros(10), start_means, start_raw.repeat(10, 1, 1))

passes = dgm.budget(smoke=10, cpu=200, gpu=200)
moons_curves, moons_fits, moons_rows = {}, {}, []
for momentum, sane in ((0.0, "2.36 / 2.39"), (0.9, "2.17 / 2.21")):
    fitted, losses = train_gmm_sgd(
        train_moons, sgd_start, steps=10 * passes, batch_size=100, lr=0.03, momentum=momentum, generator=dgm.generator(0)
    )
    name = f"SGD, momentum {momentum:g}"
    moons_curves[name] = (np.arange(1, passes + 1), torch.as_tensor(losses).reshape(passes, 10).mean(1))
    moons_fits[name] = constrain(fitted)
    moons_rows.append([name, float(gmm_nll(fitted, train_moons)), float(gmm_nll(fitted, test_moons)), sane])
try:  # the comparison uses your Question 3; without it, the dashed line still shows where EM ends
    start_cov = (start_factor @ start_factor.T).repeat(10, 1, 1)
    fitted, em_history = fit_gmm_em(train_moons, torch.full((10,), -math.log(10)), start_means, start_cov, steps=passes, floor=1e-4)
    moons_curves["EM"] = (np.arange(1, passes + 1), -torch.as_tensor(em_history[1:]))
    moons_fits["EM"] = (fitted[0], fitted[1], torch.linalg.cholesky(fitted[2]))
    moons_rows.append(["EM", -float(em_history[-1]), -float(gmm_log_prob(test_moons, *fitted).mean()), "2.16 / 2.22"])
except Exception as error:
    print(f"EM is not shown, because Question 3 is not ready: {type(error).__name__}")
moons_rows.append(["the true density", *(-float(data.toy2d_log_prob("moons", part).mean()) for part in (train_moons, test_moons)), ""])
axes = plot.curves(
    moons_curves, xlabel="passes over the data", ylabel="train NLL, nats per example", title="two moons, ten components",
    reference={"EM after 200 passes": 2.163}, logx=True,
)
axes.set_ylim(top=4.0)
axes.legend(loc="upper right", ncols=2)
plot.table(moons_rows, header=["", "train NLL", "test NLL", "expected (train / test) after 200 passes, ±0.02"])

# %%
figure, panels = plot.subplots(1, len(moons_fits), width=9.5, height=3.4, squeeze=False)
for panel, (name, (_, centres, factors)) in zip(panels[0], moons_fits.items()):
    plot.scatter2d(train_moons, ax=panel, xlim=(-4, 4), ylim=(-3, 3), title=name, size=3, color="#999999")
    if centres.isfinite().all() and factors.isfinite().all():
        plot.ellipse(centres, factors @ factors.mT, ax=panel, n_std=(1,))

# %% [markdown]
# EM is lowest at all three. It has no learning rate, hardly ever falls back (Question 3 says when), and needs some twenty passes here. SGD needs about a hundred passes, and two settings (learning rate and
# momentum), to end in the same place; without momentum it needs many more passes. But it did not ask for a posterior, and every other model of this course is trained like this. An honest word about this
# comparison: its start and its learning rate were picked so that both end in the same optimum; elsewhere SGD often stops in another one.
#
# Nothing here keeps a component from collapsing onto one example ($s \to -\infty$, NLL $\to -\infty$): EM has its floor, and SGD was stopped early. Weight decay would
# pull the log-scales towards 0, that is every scale towards *one*: a penalty on unconstrained numbers is a prior that depends on how you parametrise.
#
# **What to remember**
# - Optimise numbers without constraints; map them by log-softmax, exp, and a triangular matrix.
# - Average the loss over the batch, and it means the same for every batch size.
# - Momentum is an exponential sum of gradients: up to $1/(1-\beta)$ times the step in directions that persist.
# - Fix the order of the minibatches with a generator, and a training run becomes a function that can be tested.

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

# %% role="answer" question="q5"
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


# %% role="answer" question="q5"
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

# %% role="check" question="q5"
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

# %% [markdown]
# ## Question 6 · AdamW, a schedule and clipping
# *7 points · about 45 minutes*
#
# Nearly every deep generative model, from a small VAE to a large language model, is trained by the same recipe: AdamW, a learning rate that
# warms up and then falls like a cosine, and gradients whose norm is limited. The recipe fits in thirty lines. Its mistakes are silent: a
# wrong bias correction or a decay in the wrong place still trains, only worse, and nobody notices.
#
# ### AdamW
#
# One step size must serve all parameters, but the gradients of different parameters may differ by factors of thousands. Adam divides each
# gradient by its own recent size. For every parameter $\theta$ it keeps two moving averages, of the gradient $g$ and of its square (all
# operations are element by element). At this parameter's step number $t=1,2,\dots$
#
# $$
# m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g^2. \tag{6.1}
# $$
#
# Both start at 0, so both are too small at first. For a constant gradient $g$, unrolling (6.1) gives $m_t=(1-\beta_1^t)\,g$ and
# $v_t=(1-\beta_2^t)\,g^2$, so dividing by the known factors removes the bias:
#
# $$
# \hat m = \frac{m}{1-\beta_1^{t}}, \qquad \hat v = \frac{v}{1-\beta_2^{t}}, \qquad
# \theta \leftarrow \theta \;-\; \eta\lambda\,\theta \;-\; \eta\,\frac{\hat m}{\sqrt{\hat v}+\varepsilon}. \tag{6.2}
# $$
#
# Three consequences. At the first step $\hat m/\sqrt{\hat v}=g/|g|$: **the first step has size $\eta$ in every coordinate**, whatever the scale of the loss.
# Second, $\varepsilon$ is compared with $\sqrt{\hat v}$, a gradient's size, because it stands outside of the root. Third, the weight decay $\lambda$ is
# **decoupled** (that is the W): it shrinks the old $\theta$ directly, by the plain learning rate $\eta$. Put into the gradient as in SGD, it would be divided by
# $\sqrt{\hat v}$ too, and parameters with large gradients would hardly decay.
#
# The next cell needs nothing from you. **Before you run it:** the loss is multiplied by 1/100. What happens to the path of SGD, what to AdamW's?

# %%
valley_scale = torch.tensor([1.0, 30.0])
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
grid_x, grid_y = torch.meshgrid(torch.linspace(-2, 10.5, 100), torch.linspace(-2.6, 2.6, 100), indexing="xy")
left.contour(grid_x, grid_y, 0.5 * (grid_x**2 + 30 * grid_y**2), levels=[1, 5, 15, 30, 60], colors="#BBBBBB", linewidths=0.8)
for factor, style in ((1.0, "o-"), (0.01, "s--")):
    for name, color in (("SGD", plot.COLORS[0]), ("AdamW", plot.COLORS[1])):
        theta = torch.tensor([10.0, 2.0], requires_grad=True)
        if name == "SGD":
            optimiser = torch.optim.SGD([theta], lr=0.06)
        else:
            optimiser = torch.optim.AdamW([theta], lr=0.3, betas=(0.9, 0.95), weight_decay=0.0)
        path = [theta.tolist()]
        for _ in range(60):
            optimiser.zero_grad()
            (factor * 0.5 * (valley_scale * theta**2).sum()).backward()
            optimiser.step()
            path.append(theta.tolist())
        left.plot(*zip(*path), style, color=color, markersize=5 - 2 * factor, linewidth=1.2, label=f"{name}, loss × {factor:g}")
left.set(xlim=(-2, 10.5), ylim=(-2.6, 2.6), title="60 steps in a valley")
left.legend(loc="lower left", ncols=2, fontsize=8)
t = np.arange(1, 3001)
right.plot(t, (1 - 0.9**t) / np.sqrt(1 - 0.999**t), color=plot.COLORS[1], label="without bias correction")
right.plot(t, np.ones(len(t)), color=plot.COLORS[0], label="with")
right.set(xscale="log", xlabel="step t", ylabel="step size / lr", ylim=(0, 7.5), title="A constant gradient")
right.legend()
plt.show()

# %% [markdown]
# AdamW's two paths coincide; SGD with the smaller loss hardly leaves its start. On the right: without the correction, the early steps are
# up to six and a half times too long, exactly when the parameters are random and the average $v$ rests on a handful of gradients.
#
# ### The schedule
#
# The same worry is behind **warm-up**: the first steps are kept short. Later the noise of the minibatches is what keeps the loss up, and a falling learning
# rate averages it out. Programs count steps from 0, so say exactly what is meant. Let $n=\text{step}+1$ be the number of the update that is about to be
# made, $W$ the warm-up steps, and $T\ge 1$ all steps, $0\le W\le T$:
#
# $$
# \eta(n) = \begin{cases}
# \eta_{\max}\, n/W & n \le W \\
# \eta_{\min} + \tfrac12(\eta_{\max}-\eta_{\min})\left(1+\cos\left(\pi\,\dfrac{n-W}{T-W}\right)\right) & W < n \le T \\
# \eta_{\min} & n > T.
# \end{cases} \tag{6.3}
# $$
#
# Thus the first update is made with $\eta_{\max}/W$ (not with 0, which would waste it), update $W$ with exactly $\eta_{\max}$, update $T$, the last one, with
# exactly $\eta_{\min}$, and if training goes on it stays there. The pieces meet: at $n=W$ the cosine would give $\eta_{\max}$ too, at $n=T$ it gives $\eta_{\min}$.
#
# ### Clipping by the global norm
#
# One bad minibatch can have a gradient that is a thousand times larger than usual. In AdamW such a gradient sits in $v$ for several times
# $1/(1-\beta_2)$ steps, in which everything else is too small to move the parameters. So limit the length of the gradient $g=(g_1,\dots,g_P)$ of *all* parameters, taken as one long vector:
#
# $$
# \lVert g\rVert = \sqrt{\textstyle\sum_{p}\sum_{j} g_{pj}^2}, \qquad
# g_p \leftarrow g_p\cdot\min\left(1, \frac{c}{\lVert g\rVert}\right). \tag{6.4}
# $$
#
# One common factor keeps the direction. A gradient shorter than $c$ is not touched.
#
# ### Your task
#
# Four functions, the last one in a cell of its own. None changes its arguments, keeps anything between calls, or returns tensors that require gradients (parameters that come in
# may require them, gradients do not); all keep the dtype of what comes in.
# A gradient can be `None`: that parameter was not used in the loss. It is then **skipped**: parameter, $t$, $m$ and $v$ stay as they are, and
# there is no decay either. So every parameter has its own $t$. (`torch.optim.AdamW` does all this in the same way; compare with it as much as you like.)

# %% role="answer" question="q6"
def adamw_step(
    params: tuple[Tensor, ...],
    grads: tuple[Tensor | None, ...],
    state: tuple[tuple[int, Tensor, Tensor], ...],
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[tuple[Tensor, ...], tuple[tuple[int, Tensor, Tensor], ...]]:
    """One step of AdamW, equations (6.1) and (6.2).

    Args:
        params: any number of tensors of any shapes (0-d too).
        grads: for each parameter its gradient, of the same shape, or None: skip this parameter.
        state: for each parameter the tuple (t, m, v): the number of steps made with it so far, and the two averages as
            they are in (6.1), without bias correction. Before the first step (0, zeros, zeros).
        lr, betas, eps, weight_decay: η, (β1, β2), ε, λ. The learning rate may change from call to call. Gradients may be
            tiny or huge (1e-12 to 1e6 in the tests).

    Returns:
        (new_params, new_state), in the form of ``params`` and ``state``.
    """
    ### BEGIN SOLUTION
    new_params, new_state = [], []
    for p, g, (t, m, v) in zip(params, grads, state, strict=True):
        p = p.detach()
        if g is not None:
            g = g.detach()
            t = t + 1
            m = betas[0] * m + (1 - betas[0]) * g
            v = betas[1] * v + (1 - betas[1]) * g**2
            m_hat = m / (1 - betas[0] ** t)
            v_hat = v / (1 - betas[1] ** t)
            p = p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps)
        new_params.append(p)
        new_state.append((t, m, v))
    return tuple(new_params), tuple(new_state)
    ### END SOLUTION


def learning_rate(step: int, warmup_steps: int, total_steps: int, max_lr: float, min_lr: float) -> float:
    """The learning rate of one update, equation (6.3).

    Args:
        step: counted from 0, as in ``for step in range(total_steps)``; may be larger than ``total_steps``.
        warmup_steps: W, from 0 (no warm-up) to ``total_steps`` (nothing but warm-up).
        total_steps: T, at least 1.
        max_lr, min_lr: the rates of updates W and T. If W = T, update T has ``max_lr`` (the first case of (6.3) decides).

    Returns:
        a Python float.
    """
    ### BEGIN SOLUTION
    n = step + 1
    if n <= warmup_steps:
        return max_lr * n / warmup_steps
    if n > total_steps:
        return min_lr
    progress = (n - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))
    ### END SOLUTION


def clip_grad_norm(
    grads: tuple[Tensor | None, ...], max_norm: float
) -> tuple[tuple[Tensor | None, ...], Float[Tensor, ""]]:
    """Limit the norm of all gradients together, equation (6.4).

    Args:
        grads: gradients of any shapes; None stays None and counts as nothing. At least one is not None.
        max_norm: c > 0; ``math.inf`` means never to clip.

    Returns:
        (clipped, total_norm): the gradients, times one common factor (the same values if the norm is at most c; all zeros
        stay zeros), and their norm *before* clipping, a 0-d tensor.
    """
    ### BEGIN SOLUTION
    present = [g.detach() for g in grads if g is not None]
    total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt()
    factor = max_norm / total_norm if total_norm > max_norm else 1.0
    clipped = tuple(None if g is None else g.detach() * factor for g in grads)
    return clipped, total_norm
    ### END SOLUTION

# %% [markdown]
# The last function puts them together. The order matters: loss and gradients at the current parameters, clip them, look up this step's
# learning rate, step. Call `loss_fn` with leaves that require gradients, as in Question 4; `torch.autograd.grad(loss, leaves, allow_unused=True)`
# gives None for a parameter that was not used. `loss_fn` is told the step, so it can choose its minibatch; the run is then exactly repeatable.

# %% role="answer" question="q6"
def train_adamw(
    loss_fn,
    params: tuple[Tensor, ...],
    steps: int,
    warmup_steps: int,
    max_lr: float,
    min_lr: float,
    max_norm: float,
    weight_decay: float,
) -> tuple[tuple[Tensor, ...], Float[Tensor, "steps 3"]]:
    """Minimise a loss: gradient, clip, learning rate, AdamW step, ``steps`` times.

    Args:
        loss_fn: ``loss_fn(params, step)`` returns the loss, a 0-d tensor; ``step`` counts from 0. It may leave some of the
            parameters unused; their gradient is then None.
        params: where to start; not changed.
        steps: the number of updates, also the schedule's T.
        warmup_steps, max_lr, min_lr: for ``learning_rate``.
        max_norm: for ``clip_grad_norm``.
        weight_decay: for ``adamw_step``; betas and eps keep their defaults.

    Returns:
        (params, history): the parameters after the last update, and for each step the row (loss before the update,
        gradient norm before clipping, learning rate). ``loss.item()`` is the loss as a plain number.
    """
    ### BEGIN SOLUTION
    state = tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)
    history = []
    for step in range(steps):
        leaves = tuple(p.detach().requires_grad_() for p in params)
        loss = loss_fn(leaves, step)
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        clipped, norm = clip_grad_norm(grads, max_norm)
        lr = learning_rate(step, warmup_steps, steps, max_lr, min_lr)
        params, state = adamw_step(leaves, clipped, state, lr, weight_decay=weight_decay)
        history.append([loss.item(), float(norm), lr])
    return params, torch.tensor(history)
    ### END SOLUTION

# %% role="check" question="q6"
grader.check("q6")

# %% [markdown]
# ### Your optimiser at work
#
# Left, your schedule, with its two joints marked. Right, your AdamW in the curved valley $(1-x)^2 + 20\,(y-x^2)^2$, whose lowest point is
# $(1, 1)$, next to SGD with momentum, whose learning rate was tuned for this very loss. **Before you run it:** then the loss is multiplied by
# 10 and by 1/100, and no learning rate is tuned again. Who wins at factor 1, and who at the others?

# %%
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
left.plot(range(1, 131), [learning_rate(step, 20, 100, 1e-3, 1e-4) for step in range(130)], ".-", markersize=3)
left.axvline(20, color="#888888", linestyle=":", label="update W = 20: 0.001")
left.axvline(100, color="#888888", linestyle="--", label="update T = 100: 0.0001")
left.set(xlabel="update n = step + 1", ylabel="learning rate", title="Your schedule", ylim=(0, None))
left.legend()


def curved_valley(theta):
    return (1 - theta[0]) ** 2 + 20 * (theta[1] - theta[0] ** 2) ** 2


def curved_run(update, factor):
    """400 steps from (-1.2, 2): the path and the last loss (without the factor)."""
    theta, memory, path = torch.tensor([-1.2, 2.0]), None, [[-1.2, 2.0]]
    for _ in range(400):
        leaf = theta.detach().requires_grad_()
        gradient = torch.autograd.grad(factor * curved_valley(leaf), leaf)[0]
        theta, memory = update(theta, gradient, memory)
        path.append(theta.tolist())
    return path, float(curved_valley(path[-1]))


def momentum_update(theta, gradient, velocity):
    velocity = gradient if velocity is None else 0.9 * velocity + gradient
    return theta - 0.005 * velocity, velocity


def your_update(theta, gradient, state):
    state = ((0, torch.zeros(2), torch.zeros(2)),) if state is None else state
    (theta,), state = adamw_step((theta,), (gradient,), state, lr=0.1)
    return theta, state


grid_x, grid_y = torch.meshgrid(torch.linspace(-2, 2, 160), torch.linspace(-0.8, 2.8, 160), indexing="xy")
right.contour(grid_x, grid_y, curved_valley([grid_x, grid_y]), levels=[0.1, 0.5, 2, 5, 15, 40, 100], colors="#BBBBBB", linewidths=0.8)
valley_rows = []
for name, update, color, sane in (
    ("SGD with momentum", momentum_update, plot.COLORS[0], "about 1e-10, nan (it diverges), 5.1"), ("your AdamW", your_update, plot.COLORS[1], "about 2e-5 three times"),
):
    runs = {factor: curved_run(update, factor) for factor in (1.0, 10.0, 0.01)}
    right.plot(*zip(*runs[1.0][0]), ".-", color=color, markersize=4, linewidth=1, label=name)
    valley_rows.append((name, *(value for _, value in runs.values()), sane))
right.plot(1, 1, "k*", markersize=11)
right.set(xlim=(-2, 2), ylim=(-0.8, 2.8), title="400 steps, factor 1")
right.legend(loc="lower left")
plt.show()
plot.table(valley_rows, header=("final loss", "factor 1", "factor 10", "factor 1/100", "expected"))

# %% [markdown]
# Now a real loss: the digits by logistic regression, in minibatches of 64. At update 51 the data loader has a bug: one batch arrives with its pixels
# multiplied by 1000. **Before you run this:** which will hurt more, that single update, or what comes after it?

# %%
digit_images, digit_labels = data.digits("train")
test_images, test_labels = data.digits("test")
digit_images, test_images = digit_images.flatten(1), test_images.flatten(1)
digit_batches = torch.randint(len(digit_images), (400, 64), generator=dgm.generator(0))


def digits_loss(params, step):
    weight, bias = params
    index = digit_batches[step]
    x = digit_images[index] * (1000.0 if step == 50 else 1.0)
    return F.cross_entropy(x @ weight + bias, digit_labels[index])


def moving_mean(values, n=10):
    return np.convolve(np.asarray(values), np.ones(n) / n, mode="valid")


steps = dgm.budget(smoke=150, cpu=400, gpu=400)
digits_runs, digits_rows = {}, []
for name, max_norm, sane in (("clipped at norm 1", 1.0, "about 0.18 and 0.96"), ("not clipped", math.inf, "about 0.23 and 0.955")):
    fitted, history = train_adamw(
        digits_loss, (torch.zeros(64, 10), torch.zeros(10)), steps, 20, 0.02, 0.001, max_norm=max_norm, weight_decay=0.01
    )
    history = torch.as_tensor(history)
    kept = torch.arange(steps) != 50  # the loss of the broken batch itself, about 100, is left out of the picture
    digits_runs[name] = (np.arange(10, steps), moving_mean(history[kept, 0]))
    logits = test_images @ fitted[0] + fitted[1]
    accuracy = (logits.argmax(1) == test_labels).float().mean()
    digits_rows.append((name, float(F.cross_entropy(logits, test_labels)), float(accuracy), sane))
plot.curves(digits_runs, xlabel="update", ylabel="training loss, mean of 10", logy=True, title="One broken batch at update 51")
plot.table(digits_rows, header=("", "test loss", "accuracy", "expected after 400 updates"))

# %% [markdown]
# Retuned for each loss, momentum would be the faster one in this smooth little valley. AdamW's strength is that it need not be retuned.
#
# The broken gradient, hundreds of times longer than usual, makes one step of ordinary size either way. But unclipped it fills both averages: $m$ keeps pushing in its
# direction for some ten steps, and $v$ makes every later step too short. The unclipped run has not caught up after 400 updates.
#
# **What to remember**
# - Adam's step has the size of the learning rate, whatever the scale of the loss; bias correction makes that true from the first step on.
# - Weight decay acts on the parameter, not on the gradient, and $\varepsilon$ stands outside of the root.
# - Say of a schedule which update gets which rate; test its two joints.
# - Clip the norm of all gradients together, before the step; log the norm before clipping, it is the best early warning there is.

# %% [markdown]
# ## Question 7 · What maximum likelihood minimises, and closed forms the machine can check
# *6 points · about 75 minutes*
#
# Half of the losses in machine learning are one loss with different names: NLL, cross-entropy, logistic loss, squared error,
# weight decay. This question derives the dictionary between them. Each result is a short function, so your derivation can be checked on
# random inputs instead of by eye. The functions cost a few lines each; the work is on paper.
#
# ### NLL = cross-entropy = entropy + KL
#
# Let $\hat p$ be the empirical distribution: $\hat p(v)$ is the share of the examples that have the value $v\in\{1,\dots,K\}$. Sorting
# the sum over examples by value,
#
# $$-\frac1N\sum_{n=1}^N\log q(x_n)=-\sum_{v=1}^K \hat p(v)\log q(v)=H(\hat p,q), \tag{7.1}$$
#
# the **cross-entropy**, and adding and subtracting $\sum_v\hat p(v)\log\hat p(v)$,
#
# $$H(p,q)=\underbrace{-\sum_v p(v)\log p(v)}_{\text{entropy }H(p)}\;+\;\underbrace{\sum_v p(v)\log\frac{p(v)}{q(v)}}_{\mathrm{KL}(p\,\|\,q)\;\ge\;0}. \tag{7.2}$$
#
# The entropy does not depend on the model. So maximum likelihood minimises $\mathrm{KL}(\text{data}\,\|\,\text{model})$, with
# the data *first*. A value that occurs ($p>0$) to which the model gives $q=0$ costs $+\infty$; a value that never occurs ($p=0$) costs nothing,
# whatever $q$ is: $0\log 0=0$ in both sums, since $t\log t\to0$.
#
# The other direction, $\mathrm{KL}(q\,\|\,p)$, punishes the opposite error. Below, one Gaussian $q$ is fitted to two bumps in both ways.
# **Before you run this:** which of the two fits sits on a single bump?

# %%
line = torch.linspace(-9, 9, 1801)
step = float(line[1] - line[0])


def bell(mean, std):
    return torch.exp(-0.5 * ((line - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


two_bumps = 0.6 * bell(-2.5, 0.7) + 0.4 * bell(2.5, 0.8)
candidates_mean = torch.linspace(-4, 4, 81)
candidates_std = torch.linspace(0.4, 3.2, 57)
log_q = torch.stack([
    -0.5 * ((line - m) / candidates_std[:, None]) ** 2 - candidates_std[:, None].log() - 0.5 * math.log(2 * math.pi)
    for m in candidates_mean
])  # (means, stds, points of the line)
log_p = two_bumps.clamp_min(1e-38).log()
forward = (two_bumps * (log_p - log_q)).sum(-1) * step          # KL(p || q)
reverse = (log_q.exp() * (log_q - log_p)).sum(-1) * step        # KL(q || p)

figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
left.fill_between(line, two_bumps, color="#DDDDDD", label="p, the data")
for kl, name, colour in ((forward, "KL(p || q)", plot.COLORS[0]), (reverse, "KL(q || p)", plot.COLORS[1])):
    i, j = divmod(int(kl.argmin()), len(candidates_std))
    left.plot(line, bell(candidates_mean[i], candidates_std[j]), color=colour, label=f"q of smallest {name}")
    right.plot(candidates_mean, kl.amin(1), color=colour, label=name)
left.set(xlim=(-6, 6), ylim=(0, 0.85), xlabel="x", title="One Gaussian for two bumps")
left.legend(loc="upper right")
right.set(xlabel="mean of q", ylabel="nats", ylim=(0, 2.4), title="KL with the best width for each mean")
right.legend(loc="upper center")
plt.show()

# %% [markdown]
# Maximum likelihood (blue) covers everything and puts mass where there is no data. The reverse KL (orange) has a local minimum at each bump (and a shallow one between them), picks
# one and is silent about the other. Likelihood-trained models are blue: they rather draw something odd than miss an example.
#
# ### Binary data
#
# For $x\in\{0,1\}$ and $q(1)=\sigma(a)$ with the logit $a$, the loss is $-\log q(x)=-t\log\sigma(a)-(1-t)\log\sigma(-a)$ with $t=x$. Averaging over
# examples that share one logit keeps the form, with $t$ the share of ones among them: a **soft target** $t\in[0,1]$. Inserting $-\log\sigma(a)=\log(1+e^{-a})$ and
# $-\log\sigma(-a)=a+\log(1+e^{-a})$,
#
# $$\ell(a,t)=(1-t)\,a+\log(1+e^{-a}),\qquad \frac{\partial\ell}{\partial a}=\sigma(a)-t. \tag{7.3}$$
#
# The exponential overflows for $a\ll0$ as written; repair it, or use what PyTorch has.
#
# ### A Gaussian prior is a squared penalty
#
# Linear regression $y_n=w^\top x_n+b+\varepsilon_n$ with $\varepsilon_n\sim\mathcal N(0,\sigma^2)$ and a prior $w\sim\mathcal N(0,\tau^2 I)$, but
# *no prior on* $b$ (all values are equally plausible, so shifting $y$ shifts $b$ and nothing else). (In this part $\sigma^2$ is the variance of
# the noise, not the logistic function.) By Bayes' rule $p(w,b\mid y)\propto p(y\mid w,b)\,p(w)$, so up to constants the negative log-posterior is
#
# $$-\log p(w,b\mid y)=\frac{1}{2\sigma^2}\sum_{n=1}^N\big(y_n-w^\top x_n-b\big)^2+\frac{1}{2\tau^2}\lVert w\rVert^2 . \tag{7.4}$$
#
# Its minimiser is the *maximum a posteriori* (MAP) estimate, here also called *ridge regression*. Setting the derivative in $b$ to zero gives $b=\bar y-w^\top\bar x$. Inserted, the data are centred and $b$ is gone. The derivative in $w$ is then
# linear in $w$: solve it. And how does this compare with what people type, the *mean* squared error plus weight decay,
#
# $$\frac1N\sum_{n=1}^N\big(y_n-w^\top x_n-b\big)^2+\lambda\lVert w\rVert^2\;? \tag{7.5}$$
#
# Find the $\lambda$ for which (7.5) and (7.4) have the same minimiser. (It depends on $N$: with more data the prior matters less.)
#
# ### Your task, part 1
#
# - `cross_entropy`, `kl_divergence`: batches of any shape, which broadcast; exact zeros in `p` and in `q` as explained under (7.2). (Gradients are not tested.)
# - `bernoulli_nll`: logits of size 1000, soft targets, the gradient of (7.3), also at logits of exactly 0 and of 1000, a loss of $10^{-11}$ that is not
#   rounded to 0 ($a=25$, $t=1$). Mind the reduction in the docstring.
# - `ridge_map`, `l2_coefficient`: also for $D>N$, $D=1$, $N=1$, and for data far from zero (in float32, 100 standard deviations away: centre them first).

# %% role="answer" question="q7"
def cross_entropy(p: Float[Tensor, "*#batch K"], q: Float[Tensor, "*#batch K"]) -> Float[Tensor, "*batch"]:
    """Cross-entropy H(p, q) in nats of categorical distributions, equation (7.1).

    Args:
        p, q: probabilities, which sum to one along the last axis; leading axes broadcast. Exact zeros are allowed:
            a term with p = 0 is 0 whatever q is; a term with p > 0 and q = 0 makes the result +inf.

    Returns:
        One number for each pair of distributions.
    """
    ### BEGIN SOLUTION
    return -torch.xlogy(p, q).sum(-1)
    ### END SOLUTION


def kl_divergence(p: Float[Tensor, "*#batch K"], q: Float[Tensor, "*#batch K"]) -> Float[Tensor, "*batch"]:
    """KL(p || q) in nats, equation (7.2); arguments and zeros as in `cross_entropy`."""
    ### BEGIN SOLUTION
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)
    ### END SOLUTION


def bernoulli_nll(logits: Float[Tensor, "N D"], targets: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Negative log-likelihood of binary (or soft) targets, equation (7.3): the sum over D, then the mean over N, in nats.

    Args:
        logits: a, any finite size.
        targets: t in [0, 1].

    Returns:
        One number, differentiable in the logits.
    """
    ### BEGIN SOLUTION
    losses = (1 - targets) * F.softplus(logits) + targets * F.softplus(-logits)
    return losses.sum(1).mean()
    ### END SOLUTION

# %% role="answer" question="q7"
def ridge_map(
    x: Float[Tensor, "N D"], y: Float[Tensor, "N"], noise_variance: float, prior_variance: float
) -> tuple[Float[Tensor, "D"], Float[Tensor, ""]]:
    """The weights w and the bias b that minimise (7.4). The bias is not penalised.

    Args:
        x, y: inputs and outputs.
        noise_variance: sigma^2, positive.
        prior_variance: tau^2 of every weight, positive.

    Returns:
        (w, b)
    """
    ### BEGIN SOLUTION
    x_mean, y_mean = x.mean(0), y.mean()
    x_centred, y_centred = x - x_mean, y - y_mean
    precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance
    w = torch.linalg.solve(precision, x_centred.T @ y_centred / noise_variance)
    return w, y_mean - x_mean @ w
    ### END SOLUTION


def l2_coefficient(noise_variance: float, prior_variance: float, num_examples: int) -> float:
    """The lambda for which (7.5) has the same minimiser as (7.4)."""
    ### BEGIN SOLUTION
    return noise_variance / (prior_variance * num_examples)
    ### END SOLUTION

# %% [markdown]
# ### Generative models are classifiers
#
# Model each class: $p(y=k)=\pi_k$ and $p(x\mid y=k)$. Bayes' rule in logarithms,
#
# $$\log p(y=k\mid x)=\log\pi_k+\log p(x\mid k)-\log\sum_{j=1}^K e^{\log\pi_j+\log p(x\mid j)}, \tag{7.6}$$
#
# is a log-softmax over the classes. **Gaussians with a shared covariance**, $p(x\mid k)=\mathcal N(x;\mu_k,\Sigma)$:
#
# $$\log\pi_k+\log p(x\mid k)=\log\pi_k-\tfrac12x^\top\Sigma^{-1}x+\mu_k^\top\Sigma^{-1}x-\tfrac12\mu_k^\top\Sigma^{-1}\mu_k-\tfrac12\log|\Sigma|-\tfrac D2\log2\pi. \tag{7.7}$$
#
# Terms that are the same for all classes cancel in (7.6). What stays is *linear* in $x$, so $p(y\mid x)=\operatorname{softmax}(Wx+b)$, exactly
# the form of logistic regression. Read off $W$ and $b$. They are not unique (adding one vector to all rows of $W$, or a number to all $b_k$, changes
# nothing), so yours are compared by their differences between classes.
#
# **Naive Bayes for binary pixels**: independent given the class, $P(x_d=1\mid k)=\theta_{kd}$. Then
#
# $$\log p(x\mid k)=\sum_{d=1}^D\big[x_d\log\theta_{kd}+(1-x_d)\log(1-\theta_{kd})\big], \tag{7.8}$$
#
# linear in $x$ again. A dark pixel is evidence, too.
#
# ### Counting parameters
#
# Let $x_i$ have $k_i$ possible values, and let it depend on some earlier variables, its parents. A table of $p(x_i\mid\text{parents})$ has a row for each
# combination of the parents' values, and each row has $k_i-1$ free numbers, for it sums to one. In a **chain of memory** $m$ the parents of $x_i$ are the $m$ variables just before it (all
# of them when there are fewer than $m$). So $m=0$ is independence, and $m\ge D-1$ is no assumption at all. Check your count there: it must be
# $\prod_ik_i-1$.
#
# ### Your task, part 2
#
# `naive_bayes_log_posterior` is tested with thousands of pixels, where every $p(x\mid k)$ underflows; `num_parameters` with numbers beyond $2^{64}$, which Python's
# `int` holds exactly (NumPy's and PyTorch's integers overflow).

# %% role="answer" question="q7"
def gaussians_to_softmax(
    log_prior: Float[Tensor, "K"], means: Float[Tensor, "K D"], cov: Float[Tensor, "D D"]
) -> tuple[Float[Tensor, "K D"], Float[Tensor, "K"]]:
    """Weights of the classifier softmax(W x + b) that is the posterior of the classes, equations (7.6) and (7.7).

    Args:
        log_prior: log pi_k.
        means: mu_k.
        cov: the shared covariance, symmetric and positive definite.

    Returns:
        (W, b)
    """
    ### BEGIN SOLUTION
    weights = torch.linalg.solve(cov, means.T).T
    return weights, log_prior - 0.5 * (weights * means).sum(1)
    ### END SOLUTION


def naive_bayes_log_posterior(
    x: Float[Tensor, "N D"], log_prior: Float[Tensor, "K"], theta: Float[Tensor, "K D"]
) -> Float[Tensor, "N K"]:
    """log p(y = k | x) in nats by equations (7.6) and (7.8).

    Args:
        x: zeros and ones, as floats.
        log_prior: log pi_k.
        theta: P(x_d = 1 | k), strictly between 0 and 1.

    Returns:
        Finite log-probabilities; the exponentials of a row sum to one.
    """
    ### BEGIN SOLUTION
    log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
    return torch.log_softmax(log_joint, dim=1)
    ### END SOLUTION


def num_parameters(cardinalities: list[int], memory: int) -> int:
    """Free numbers of the tables of a chain in which each variable depends on the ``memory`` variables just before it.

    Args:
        cardinalities: k_1, ..., k_D, each at least 1, in the order of the chain; D >= 1.
        memory: m >= 0; it may be larger than D.

    Returns:
        An exact Python int.
    """
    ### BEGIN SOLUTION
    total = 0
    for i, k in enumerate(cardinalities):
        rows = math.prod(cardinalities[max(0, i - memory) : i])
        total += rows * (k - 1)
    return total
    ### END SOLUTION

# %% role="check" question="q7"
grader.check("q7")

# %% [markdown]
# ### Your functions on digits
#
# First identities that must hold to rounding, and the size of tables over 64 binary pixels.

# %%
grey_digits = data.digits("train")[0].flatten(1)
shares = grey_digits.mean(0).clamp(1e-6, 1 - 1e-6)
two_way = torch.stack([shares, 1 - shares], -1)
binary_counts = torch.bincount(data.digits_levels("train")[0].flatten(), minlength=17).float()
level_shares, uniform_levels = binary_counts / binary_counts.sum(), torch.full((17,), 1 / 17)
plot.table([
    ("grey levels: cross-entropy to uniform", float(cross_entropy(level_shares, uniform_levels)), "log 17 = 2.833"),
    ("   entropy + KL", float(cross_entropy(level_shares, level_shares) + kl_divergence(level_shares, uniform_levels)), "the same"),
    ("   KL(uniform || levels)", float(kl_divergence(uniform_levels, level_shares)), "another number: about 0.52"),
    ("best independent pixels, soft targets: NLL", float(bernoulli_nll(torch.logit(shares).expand_as(grey_digits), grey_digits)), "about 27.10"),
    ("   entropy of these Bernoullis", float(cross_entropy(two_way, two_way).sum()), "the same"),
], header=("nats", "yours", "expected"))
print()
plot.table([(m, f"{num_parameters([2] * 64, m):,}") for m in (0, 1, 2, 8, 16, 63)], header=("memory m", "parameters of 64 binary pixels"))

x_few, y_few = torch.randn(20, 3, generator=dgm.generator(1)) + 5, torch.randn(20, generator=dgm.generator(2))
w_map, b_map = (torch.as_tensor(part).detach().clone().requires_grad_() for part in ridge_map(x_few, y_few, 0.5, 2.0))
loss_75 = (y_few - x_few @ w_map - b_map).square().mean() + l2_coefficient(0.5, 2.0, 20) * w_map.square().sum()
slope = max(float(g.abs().max()) for g in torch.autograd.grad(loss_75, (w_map, b_map)))
print(f"\nslope of (7.5), with your lambda, at your minimiser of (7.4): {slope:.0e} (expected: below 1e-4)")

# %% [markdown]
# Next, two ways to the same *family* of classifiers, $\operatorname{softmax}(Wx+b)$ on binary pixels. The **generative** way fits $p(x\mid y)$ (naive Bayes: count
# pixels by class) and applies Bayes' rule. The **discriminative** way fits $p(y\mid x)$ directly: logistic regression, nearly without a prior ($\tau^2=1000$ on the weights) and with one ($\tau^2=1$).
# Naive Bayes assumes something false, independent pixels, and has less to learn for it.
#
# Ng and Jordan (2001) predict a crossing: naive Bayes ahead with few examples, because it needs fewer to come close to its own limit, logistic regression ahead with many,
# because its limit is better. **Before you run this:** will 360 test images and ten draws of the training set suffice to see it? And which classifier will be
# too sure of itself?

# %%
pixels_train, digit_train = data.digits("train", binary="threshold")
pixels_test, digit_test = data.digits("test", binary="threshold")
pixels_train, pixels_test = pixels_train.flatten(1), pixels_test.flatten(1)


def logistic_regression(x, y, prior_variance):
    """MAP weights (10, 65) of softmax regression with a Gaussian prior; the last column, the bias, is not penalised."""
    weights = torch.zeros(10, 65, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=dgm.budget(smoke=10, cpu=100, gpu=100), line_search_fn="strong_wolfe")

    def objective():
        optimiser.zero_grad()
        loss = F.cross_entropy(F.linear(x, weights[:, :64], weights[:, 64]), y)
        loss = loss + weights[:, :64].square().sum() / (2 * prior_variance * len(y))
        loss.backward()
        return loss

    optimiser.step(objective)
    return weights.detach()


repeats = dgm.budget(smoke=1, cpu=10, gpu=10)
sizes = dgm.budget(smoke=[2, 10], cpu=[1, 2, 3, 5, 10, 20, 40, 70, 100, 130], gpu=[1, 2, 3, 5, 10, 20, 40, 70, 100, 130])
uniform_prior = torch.full((10,), -math.log(10))
results = torch.zeros(3, 2, len(sizes), repeats)   # model, (error, NLL), size, repeat
for s, size in enumerate(sizes):
    for r in range(repeats):
        order = torch.randperm(len(digit_train), generator=dgm.generator(r))
        chosen = torch.cat([order[digit_train[order] == k][:size] for k in range(10)])
        x, y = pixels_train[chosen], digit_train[chosen]
        theta = torch.stack([(x[y == k].sum(0) + 1) / (size + 2) for k in range(10)])   # add-one counts: never 0 or 1
        log_posteriors = [naive_bayes_log_posterior(pixels_test, uniform_prior, theta)]
        for prior_variance in (1000.0, 1.0):
            weights = logistic_regression(x, y, prior_variance)
            log_posteriors.append(F.log_softmax(F.linear(pixels_test, weights[:, :64], weights[:, 64]), dim=1))
        for model, log_posterior in enumerate(log_posteriors):
            results[model, 0, s, r] = 100 * (log_posterior.argmax(1) != digit_test).float().mean()
            results[model, 1, s, r] = F.nll_loss(log_posterior, digit_test)

figure, axes = plot.subplots(1, 2, width=10, height=3.7)
for panel, (ax, ylabel) in enumerate(zip(axes, ("test error in %", "NLL of the test labels, nats"))):
    for model, name in enumerate(("naive Bayes", "logistic regression", "logistic regression with prior")):
        mean, spread = results[model, panel].mean(1), results[model, panel].std(1, correction=0)
        ax.plot(sizes, mean, "o-", color=plot.COLORS[model], label=name)
        ax.fill_between(sizes, mean - spread, mean + spread, color=plot.COLORS[model], alpha=0.2, linewidth=0)
    ax.set(xscale="log", xlabel="training images per class", ylabel=ylabel, ylim=(0, None), xticks=[1, 3, 10, 30, 100], xticklabels=["1", "3", "10", "30", "100"])
    ax.minorticks_off()
axes[0].legend(loc="upper right")
plt.show()
plot.table(
    [(size, *(float(v) for v in results[:, :, s].mean(-1).T.flatten())) for s, size in enumerate(sizes)],
    header=("images per class", "error %: NB", "LR", "LR, prior", "NLL: NB", "LR", "LR, prior"),
)

# %% [markdown]
# What can be read off, and what not? A run in the `cpu` profile gives, at 20 images per class, errors of about 13, 14 and 11 %; at 130 about 10, 9 and 6 %.
#
# - Naive Bayes and plain logistic regression stay within about one point of each other, no more than the draws of the training set scatter: *these curves do not
#   show which is better*, at any size. (Repeated with 40 random splits, the difference is 0 to 0.6 points in favour of naive Bayes from 3 to 100 images
#   per class, each with a standard error of 0.2 to 0.4.) The classical crossing is not visible in this experiment.
# - The NLL tells them apart. Plain logistic regression separates its training images perfectly and grows overconfident: its NLL *rises* from 20 images
#   per class on. Counting, naive Bayes has no such trouble.
# - The prior matters more than the choice between the two: with it, logistic regression has the lowest error at every size (clearly so from 10 images per class on) and the lowest
#   NLL from 20 on, and naive Bayes stops improving early, because its assumption stays wrong however many images there are.
#
# Last, `gaussians_to_softmax`: ten Gaussians with one covariance, fitted to grey digits without any optimisation, and seen as a linear
# classifier. The rows of $W$ are what each class looks for (red) and what speaks against it (blue).

# %%
grey_test = data.digits("test")[0].flatten(1)
class_means = torch.stack([grey_digits[digit_train == k].mean(0) for k in range(10)])
residual = grey_digits - class_means[digit_train]
shared_cov = residual.T @ residual / len(residual) + 0.01 * torch.eye(64)
class_shares = torch.bincount(digit_train, minlength=10) / len(digit_train)
W, b = gaussians_to_softmax(class_shares.log(), class_means, shared_cov)
templates = W - W.mean(0)
figure, axes = plot.subplots(2, 1, width=10, height=2.7)
plot.images(class_means.reshape(-1, 8, 8), ncols=10, suptitle="class means", ax=axes[0])
plot.images(templates.reshape(-1, 8, 8), ncols=10, vmin=-12, vmax=12, cmap="RdBu_r", suptitle="rows of W, minus their mean", ax=axes[1])
plt.show()
guess = F.linear(grey_test, W, b).argmax(1)
print(f"test error of softmax(W x + b): {100 * float((guess != digit_test).float().mean()):.1f} %   (expected: about 4.7 %)")

# %% [markdown]
# **What to remember.** Maximum likelihood minimises $\mathrm{KL}(\text{data}\,\|\,\text{model})$, so it covers; the other direction seeks modes. A Gaussian prior is an L2
# penalty, and its coefficient in a *mean* loss shrinks like $1/N$. Gaussians with one covariance and naive Bayes are linear
# classifiers, fitted by counting. Independence assumptions buy parameters: $2^{64}-1$ become 64.

# %% [markdown]
# ## Question 8 · Histograms and discretised logistics
# *7 points · about 45 minutes*
#
# Pixels, audio samples and counts are integers $0, 1, \dots, d-1$ ($d$ levels; Question 1 called their number $V$). The smallest generative models for one such number
# are a **histogram** (one parameter per level, one of them redundant) and a **mixture of discretised logistics** (three parameters per
# component, whatever $d$ is). You will meet both again as the output layer of every autoregressive image model:
# a softmax over 256 levels in PixelCNN, logistics in PixelCNN++. Here they are alone, so that every number can be checked.
#
# **The histogram in closed form.** Let $c_k$ be how often level $k$ occurs among $N$ training values. The log-likelihood
# $\sum_k c_k \log p_k$ is largest, subject to $\sum_k p_k = 1$, at $p_k = c_k / N$. Adding a *pseudocount* $\alpha \ge 0$
# to every level gives
#
# $$\hat p_k = \frac{c_k + \alpha}{N + \alpha d} . \tag{8.1}$$
#
# With $\alpha = 0$ a level that was never seen has probability 0, hence log-probability $-\infty$. That is the honest answer;
# whoever wants smoothing asks for it with $\alpha > 0$.
#
# **The histogram by gradient descent.** Write $p = \mathrm{softmax}(\theta)$ with logits $\theta \in \mathbb{R}^d$. On a
# minibatch of size $B$ with counts $c_k$ the mean negative log-likelihood (NLL) and its gradient are
#
# $$L(\theta) = -\frac1B \sum_{n=1}^{B} \log p_{x_n}, \qquad
# \frac{\partial L}{\partial \theta_k} = p_k - \frac{c_k}{B} , \tag{8.2}$$
#
# which vanishes at the closed form. At $\theta = 0$ the model is uniform, so **the loss before the first step is
# $\log d$**. If your first recorded loss is anything else, something is wrong: this is the cheapest test in deep learning.
#
# **Evaluation.** With many data the mean NLL is computed in batches of at most $B$. The last batch is usually smaller
# ("ragged"), so the mean of the batch means is *not* the mean over the data.

# %% role="demo"
# The data: a Gaussian cut into 20 levels; all that falls below the first edge is in level 0.
levels_train, levels_test = data.truncated_gaussian_levels("train"), data.truncated_gaussian_levels("test")
true_probs = data.truncated_gaussian_probs()  # known here, because the data are synthetic
figure, axes = plot.subplots(1, 2, width=10, height=3.5)
for ax, (name, values) in zip(axes, {"train": levels_train, "test": levels_test}.items()):
    ax.bar(range(20), torch.bincount(values, minlength=20) / len(values), color=plot.COLORS[0], alpha=0.6, label=f"{name}, N = {len(values)}")
    ax.plot(range(20), true_probs, ".-", color=plot.COLORS[1], label="true probabilities")
    ax.set(xlabel="level", ylabel="share of the values", xticks=range(0, 20, 3), ylim=(0, 0.2))
    ax.legend(frameon=False)
plt.show()
print("levels that do not occur among the training values:", [k for k in range(20) if k not in levels_train])

# %% [markdown]
# Level 0 has its spike because it collects a whole tail. Levels 16 to 19 do not occur in training: each has a small but
# positive true probability.
#
# ### Your task, part 1: the histogram (about 20 minutes)
#
# 1. `histogram_mle`: equation (8.1), as log-probabilities. `num_levels` is given because the highest levels may not occur in `x`.
# 2. `mean_nll_over_batches`: the mean NLL over **all** of `x`, never evaluating more than `batch_size` examples at once.
#    Any `batch_size` must give the same value, also one that does not divide $N$ or exceeds it.
# 3. `train_histogram`: plain minibatch gradient descent, $\theta \leftarrow \theta - \eta\, \partial L / \partial\theta$,
#    from $\theta = 0$. Use autograd or equation (8.2), as you like. Record the NLL of **all** of `x` before the first
#    and after every step. Minibatches come from `data.batches(x, batch_size, generator, steps=steps)` of the course package:
#    it yields exactly `steps` of them, in shuffled passes over `x`.

# %% role="answer" question="q8"
def histogram_mle(x: Int[Tensor, "N"], num_levels: int, pseudocount: float = 0.0) -> Float[Tensor, "d"]:
    """Log-probabilities of the best histogram, equation (8.1).

    Args:
        x: N values in 0, ..., num_levels - 1 (int64). Some levels may not occur.
        num_levels: d, the number of levels.
        pseudocount: alpha >= 0, added to the count of every level; 0 means no smoothing at all.

    Returns:
        (d,) natural log-probabilities; -inf where the count and the pseudocount are both 0.
    """
    ### BEGIN SOLUTION
    counts = torch.bincount(x, minlength=num_levels) + pseudocount
    return torch.log(counts / counts.sum())
    ### END SOLUTION


def mean_nll_over_batches(log_prob_fn, x: Int[Tensor, "N *shape"], batch_size: int) -> Float[Tensor, ""]:
    """Mean negative log-likelihood of all N examples, in nats, evaluated batch by batch.

    Args:
        log_prob_fn: takes a batch (B, *shape) of x, returns the B log-probabilities, shape (B,).
        x: N examples along the first axis; an example may be a single number or have a shape of its own.
        batch_size: the most examples that one call of ``log_prob_fn`` may get. It need not divide N.

    Returns:
        the mean over the N examples (a 0-d tensor or a float); the same for every batch_size.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for batch in x.split(batch_size):
        total = total - log_prob_fn(batch).sum()
    return total / len(x)
    ### END SOLUTION


def train_histogram(
    x: Int[Tensor, "N"], num_levels: int, steps: int, lr: float, batch_size: int, generator: torch.Generator
) -> tuple[Float[Tensor, "d"], Float[Tensor, "steps+1"]]:
    """Fits the logits of a histogram by plain minibatch gradient descent (no momentum), from zero.

    Args:
        x: N values in 0, ..., num_levels - 1 (int64).
        num_levels: d.
        steps: number of updates.
        lr: learning rate.
        batch_size: values per update, for ``data.batches``; the loss is the mean over the batch.
        generator: the only source of randomness.

    Returns:
        logits: (d,), after the last update, detached.
        history: (steps + 1,), mean NLL of all of x in nats: ``history[0]`` before the first update (log d),
            ``history[t]`` after t updates.
    """
    ### BEGIN SOLUTION
    logits = torch.zeros(num_levels, device=x.device, requires_grad=True)
    history = [-torch.log_softmax(logits.detach(), 0)[x].mean()]
    for batch in data.batches(x, batch_size, generator, steps=steps):
        loss = -torch.log_softmax(logits, 0)[batch].mean()
        (gradient,) = torch.autograd.grad(loss, logits)
        with torch.no_grad():
            logits -= lr * gradient
        history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
    return logits.detach(), torch.stack(history)
    ### END SOLUTION

# %% [markdown]
# The check below looks at both parts; the logistic tests stay open until you have done part 2.

# %% role="check" question="q8"
grader.check("q8")

# %% [markdown]
# **Before you run the next cell:** which has the lower *training* NLL in the end, gradient descent or the closed form?
# And on the *test* values?

# %% role="demo"
log_p_mle, log_p_smooth = histogram_mle(levels_train, 20), histogram_mle(levels_train, 20, pseudocount=0.5)
steps = dgm.budget(smoke=50, cpu=1000, gpu=1000)
histogram_logits, histogram_history = train_histogram(levels_train, 20, steps, 2.0, 128, dgm.generator(0))


def nll_of_table(log_probs: Tensor, x: Tensor) -> float:
    """Mean NLL of x under a table of log-probabilities, by your function, in ragged batches."""
    return float(mean_nll_over_batches(lambda batch: log_probs[batch], x, 300))


ax = plot.curves({"NLL of all training values": histogram_history}, xlabel="update", ylabel="nats",
                 reference={"log 20": math.log(20), "closed form": nll_of_table(log_p_mle, levels_train)}, title="A histogram by minibatch gradient descent")
plt.show()
rows = [
    ("closed form", log_p_mle, "2.4480  2.5432"),
    ("closed form, pseudocount 1/2", log_p_smooth, "2.4507  2.5422"),
    ("gradient descent", torch.log_softmax(histogram_logits, 0), "about 2.451  2.55 after 1,000 updates"),
    ("true probabilities", true_probs.log().float(), "2.4575  2.5397"),
]
plot.table(
    [[name, *(f"{nll_of_table(table, x):.4f}" for x in (levels_train, levels_test)), want] for name, table, want in rows],
    header=["nats", "train", "test", "expected"],
)

# %% [markdown]
# No histogram can beat the closed form on the training values: 2.448 is a hard floor, and gradient descent stays a little
# above it. A training loss below it is a bug. On the test values nothing is guaranteed, and early stopping
# acts like a little smoothing: the logits of the levels that were never seen start at 0 and fall towards $-\infty$ for ever.
#
# ### Part 2: a smooth density, cut into levels
#
# The histogram knows nothing about order: level 7 says nothing about level 8. A *logistic* distribution with mean $\mu$ and
# scale $s$ has the sigmoid as its distribution function, $P(X \le t) = \sigma\big((t - \mu)/s\big)$ with
# $\sigma(u) = 1/(1 + e^{-u})$. Give level $k$ all the mass between $k - \frac12$ and $k + \frac12$; with
#
# $$b_k = \frac{k + \frac12 - \mu}{s}, \qquad a_k = \frac{k - \frac12 - \mu}{s}, \qquad
# P(k) = \sigma(b_k) - \sigma(a_k) . \tag{8.3}$$
#
# **Open edges.** Values outside the range were put into the outermost levels (the spike at level 0), so these get the
# tails: replace $a_0$ by $-\infty$ and $b_{d-1}$ by $+\infty$. Then the $d$ probabilities telescope to exactly 1. If $d = 1$
# the only level is both the first and the last.
#
# A **mixture** of $K$ of them has $P(k) = \sum_j w_j P_j(k)$ with weights $w_j$ that sum to 1.
#
# **Why not code equation (8.3) as it stands?** Training looks at every value under every component, also those far
# away, and scales shrink or grow without asking. In float32:

# %% role="demo"
distance = torch.linspace(-60, 60, 481)
upper, lower = torch.sigmoid(distance + 0.5), torch.sigmoid(distance - 0.5)  # s = 1, in float32
side = -distance.abs().double()  # by symmetry, and in float64: reliable in this range
figure, axes = plot.subplots(1, 2, width=10, height=3.7)
axes[0].plot(distance, torch.log(torch.sigmoid(side + 0.5) - torch.sigmoid(side - 0.5)), color="#999999", linewidth=5, label="true value")
axes[0].plot(distance, torch.log(upper - lower), color=plot.COLORS[0], label="log(σ(b) − σ(a))")
axes[0].plot(distance, torch.log(upper - lower + 1e-12), "--", color=plot.COLORS[1], label="log(σ(b) − σ(a) + 1e-12)")
axes[0].set(xlabel="(k − μ) / s,  with s = 1", ylabel="log-probability of level k", ylim=(-65, 3), title="far away: −∞ or a plateau without gradient")
log_scale = torch.linspace(0, 18, 400)
width = torch.exp(-log_scale)
axes[1].plot(log_scale, torch.log(torch.sigmoid(width.double() / 2) - torch.sigmoid(-width.double() / 2)), color="#999999", linewidth=5, label="true value")
axes[1].plot(log_scale, torch.log(torch.sigmoid(width / 2) - torch.sigmoid(-width / 2)), color=plot.COLORS[0], label="log(σ(b) − σ(a))")
axes[1].set(xlabel="log s,  with k = μ", ylabel="log-probability of level k", ylim=(-22, 1), title="wide: the digits cancel")
for ax in axes:
    ax.legend(loc="lower center" if ax is axes[0] else "lower left", frameon=False)
plt.show()

# %% [markdown]
# (On the left side of the first picture both sigmoids are tiny, and float32 resolves tiny numbers well. On the right both are
# near 1, and $1-1=0$.) Put the difference over a common denominator and it becomes a product. With $\delta = b_k - a_k = 1/s$:
#
# $$\sigma(b) - \sigma(a) = \sigma(b)\; \sigma(-a)\; \big(1 - e^{-\delta}\big) . \tag{8.4}$$
#
# The logarithm of the right side is a sum of three terms, each of which can be computed to full accuracy for any input
# (take care of the third when $\delta$ is tiny). Equation (8.4) is worth checking on paper, and it shows what the open edges do:
# $a = -\infty$ makes $\sigma(-a) = 1$ and $1 - e^{-\delta} = 1$. (In code, replace the *terms* that an open edge removes by 0. Infinities
# in the tensors would turn gradients into NaN.)
#
# ### Your task, part 2 (about 25 minutes)
#
# `discretised_logistic_log_prob`, the log-probability of levels under a mixture, with these conventions:
# means and scales are in units of levels (the mean 3.0 is the centre of level 3); scales are passed as logarithms,
# $s = e^{\texttt{log\_scales}}$; `log_weights` are normalised natural logs. Float32 values *and gradients* must be right
# for log-scales from $-12$ to $15$, and for levels as far from the mean as you like: values to a relative error of $10^{-3}$, gradients to
# an error of $10^{-3}$ (that in a mean counted in units of its scale, $s\,\partial/\partial\mu$).
# `x` may have any shape, also none.

# %% role="answer" question="q8"
def discretised_logistic_log_prob(
    x: Int[Tensor, "*batch"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K"],
    log_scales: Float[Tensor, "K"],
    num_levels: int,
) -> Float[Tensor, "*batch"]:
    """Log-probability of levels under a mixture of K discretised logistics with open edges, equations (8.3) and (8.4).

    Args:
        x: levels in 0, ..., num_levels - 1 (int64), any shape.
        log_weights: (K,) log-weights of the components, normalised: their logsumexp is 0.
        means: (K,) in units of levels; they may lie outside of 0, ..., num_levels - 1.
        log_scales: (K,) natural logs of the scales, in units of levels.
        num_levels: d >= 1. Level 0 reaches down to -infinity, level d - 1 up to +infinity.

    Returns:
        natural log-probabilities, the shape of x.
    """
    ### BEGIN SOLUTION
    x = x.unsqueeze(-1)
    first, last = x == 0, x == num_levels - 1
    inverse_scale = torch.exp(-log_scales)
    log_upper = F.logsigmoid((x + 0.5 - means) * inverse_scale)
    log_lower = F.logsigmoid(-(x - 0.5 - means) * inverse_scale)
    log_width = torch.log(-torch.expm1(-inverse_scale)).expand_as(log_upper)
    log_probs = (
        log_upper.masked_fill(last, 0.0)
        + log_lower.masked_fill(first, 0.0)
        + log_width.masked_fill(first | last, 0.0)
    )
    return torch.logsumexp(log_weights + log_probs, -1)
    ### END SOLUTION

# %% role="check" question="q8"
grader.check("q8")

# %% [markdown]
# Now fit mixtures to the training values with Adam, on unconstrained parameters: logits (`log_softmax` makes them
# log-weights), means and log-scales. **Before you run this:** which of the models will be closest to the truth, and will the 200
# test values tell?

# %% role="demo"
def fit_logistics(x: Tensor, num_levels: int, components: int, steps: int) -> list[Tensor]:
    """Maximum likelihood by Adam: log-weights, means, log-scales."""
    means = torch.linspace(0, num_levels - 1, components + 2)[1:-1].clone().requires_grad_()
    logits = torch.zeros(components, requires_grad=True)
    log_scales = torch.full((components,), math.log(num_levels / 6)).requires_grad_()
    optimiser = torch.optim.Adam([logits, means, log_scales], lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        (-discretised_logistic_log_prob(x, torch.log_softmax(logits, 0), means, log_scales, num_levels).mean()).backward()
        optimiser.step()
    return [torch.log_softmax(logits, 0).detach(), means.detach(), log_scales.detach()]


all_levels = torch.arange(20)
tables = {"uniform": torch.full((20,), -math.log(20)), "histogram, closed form": log_p_mle, "histogram, pseudocount 1/2": log_p_smooth,
          "histogram, gradient descent": torch.log_softmax(histogram_logits, 0)}
for components in (1, 3):
    fitted = fit_logistics(levels_train, 20, components, dgm.budget(smoke=60, cpu=1500, gpu=1500))
    tables[f"{components} logistic{'s' * (components > 1)}"] = discretised_logistic_log_prob(all_levels, *fitted, 20).detach()
tables["true probabilities"] = true_probs.log().float()

rows = []
for name, table in tables.items():
    expected_nll = float(-(true_probs * table.double()).sum())  # under the true distribution, which we happen to know
    numbers = [float(table.exp().sum()), nll_of_table(table, levels_train), nll_of_table(table, levels_test), expected_nll]
    rows.append([name, *(f"{number:.4f}" for number in numbers)])
plot.table(rows, header=["model", "sum of p", "train", "test", "infinite test set"])
print("\nExpected after full training: 1 logistic 2.4613, 2.5435, 2.4974; 3 logistics 2.4522, 2.5477, 2.4960.")
print("The sums must be 1. Below 2.5 in the column 'test' would be too good to be true: look for a leak, or for a sum above 1.")

figure, axes = plot.subplots(1, 2, width=10, height=3.8)
for ax, log_scale in zip(axes, (False, True)):
    ax.bar(all_levels, log_p_mle.exp(), color=plot.COLORS[5], alpha=0.5, label="histogram, closed form")
    for index, name in enumerate(("histogram, gradient descent", "1 logistic", "3 logistics")):
        ax.plot(all_levels, tables[name].exp(), ("s", "-", "-")[index], markersize=4, color=plot.COLORS[(2, 1, 3)[index]], label=name)
    ax.plot(all_levels, true_probs, "k.", markersize=6, label="true probabilities")
    ax.set(xlabel="level", ylabel="probability", xticks=range(0, 20, 3), title="the same on a log scale" if log_scale else "four models of one number, and the truth")
    if log_scale:
        ax.set(yscale="log", ylim=(3e-5, 0.5))
    else:
        ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Read the table from the right. On an infinite test set the unsmoothed histogram is infinitely bad: sooner or later a
# level comes that it calls impossible. The 200 test values just did not contain one. Among the others the order
# on the test values and the true order disagree: pseudocount 1/2 wins the first, the logistics the second. With 200 values the
# standard error of a test NLL is about 0.05 nats (0.01 for the difference of two models), so such a test set cannot rank models
# that differ by 0.005. One logistic with two parameters does as well as nineteen free ones because the data are smooth,
# and its tail is the visible price: a logistic decays more slowly than the Gaussian that made the data. (It rises again at level 19, because
# that is the open edge, where all that lies beyond is counted.)
#
# **What to remember**
# - The loss before training is known. For a softmax over $d$ levels that starts at zero logits it is $\log d$; look at it first.
# - A closed form is the floor for the training loss of its family; optimisers are judged against it.
# - Weight batches by their size. Smooth on purpose, never silently.
# - Never take the log of a difference of probabilities. Rewrite it until only logs of products are left.

# %% [markdown]
# ## Question 9 · Automatic differentiation, and a check that can be trusted
# *6 points, 2 of them for a written answer · about 80 minutes*
#
# Every model of this course is trained by `loss.backward()`. In this question you write it. It is forty lines, and after it autograd is no
# longer magic: you know why gradients add up, why shapes come back right, and what a wrong backward pass looks like. It looks like nothing: the loss
# still falls, a little more slowly. So the second half builds the instrument that finds such errors, and uses it on a real one.
#
# ### Reverse mode
#
# A computation is a directed graph without cycles. A node $v$ is computed from its parents. Let $L$ be the last node, a number, and write $\bar v=\partial L/\partial v$, an
# array of $v$'s shape. By the chain rule, a node collects one contribution along **every** edge that leaves it:
#
# $$
# \bar L = 1, \qquad \bar v \;=\; \sum_{\text{edges } v\to u} \bar u\,\frac{\partial u}{\partial v}. \tag{9.1}
# $$
#
# Each edge carries a function that maps $\bar u$ to its contribution $\bar u\,\partial u/\partial v$, a *vector-Jacobian product*; the
# Jacobian itself is never formed. Two things follow from (9.1). The contributions **add up**: in $x\cdot x$ both edges come from $x$, and each brings $x\bar u$.
# And $\bar u$ must be *complete* before it is passed on: all nodes that use $u$ come first. So we need a **topological order** (parents before children) and walk it backwards;
# the order of a breadth-first search is not enough.
#
# ### Broadcasting
#
# In NumPy a bias of shape (3,) plus a matrix of shape (5, 3) acts as if it had been copied to every row. A copy is a use, and by (9.1) the uses add up:
#
# $$
# \bar b_j = \sum_{i=1}^{5} \bar u_{ij}. \tag{9.2}
# $$
#
# In general, sum over the axes that broadcasting added in front, and over those that it stretched from length 1 (which keep their length 1).
#
# Here is the graph, in NumPy, so that nothing can differentiate behind your back. Read it; it needs nothing from you.

# %% role="given"
class Var:
    """A node of the graph.

    value: float64 array (0-d for a number). parents: the Vars it was computed from (the same one may occur twice).
    vjps: for each parent a function from the gradient with respect to this node to the contribution to that parent's
    gradient, an array of the parent's shape. grad: what `backward` writes; None before. A leaf has no parents.
    """

    def __init__(self, value, parents=(), vjps=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents, self.vjps, self.grad = tuple(parents), tuple(vjps), None

    __array_ufunc__ = None  # so that array * Var asks the Var

    def __add__(self, other):
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a + b, (self, other), (lambda g: unbroadcast(g, a.shape), lambda g: unbroadcast(g, b.shape)))

    def __mul__(self, other):
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a * b, (self, other), (lambda g: unbroadcast(g * b, a.shape), lambda g: unbroadcast(g * a, b.shape)))

    def __matmul__(self, other):  # of two matrices
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a @ b, (self, other), (lambda g: g @ b.T, lambda g: a.T @ g))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-as_var(other))

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        y = np.tanh(self.value)
        return Var(y, (self,), (lambda g: g * (1 - y**2),))

    def softplus(self):  # log(1 + exp(x)); its derivative is the logistic function
        x = self.value
        return Var(np.logaddexp(0, x), (self,), (lambda g: g * 0.5 * (1 + np.tanh(x / 2)),))

    def sum(self):
        shape = self.value.shape
        return Var(self.value.sum(), (self,), (lambda g: np.broadcast_to(g, shape),))


def as_var(x):
    """A Var as it is; anything else as a new leaf."""
    return x if isinstance(x, Var) else Var(x)

# %% [markdown]
# ### Your task, first half
#
# - Graphs may have thousands of nodes in a chain (a loop with 3,500 steps makes one). Python's recursion ends at a depth of 1,000, in Jupyter of 3,000, so **do not recurse**:
#   use a list as a stack, or count, for each node, the uses that are still open.
# - They may have many diamonds in a chain: visit every *node* once, not every *path*, of which there are $2^{n}$. (A set of the nodes seen
#   so far will do: `Var` defines no `==`.)
# - A contribution may be the very same array as the node's gradient, or read-only (look at the vjps of `+` and `sum`). So add with `a = a + b`, never with `a += b`.

# %% role="answer" question="q9"
def topological_order(root: Var) -> list[Var]:
    """All nodes that the root depends on, parents before children.

    Args:
        root: any node. A graph without cycles, up to some thousand nodes deep.

    Returns:
        a list with every reachable node exactly once, each after all of its parents; so the root is last. Any such
        order is right.
    """
    ### BEGIN SOLUTION
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order
    ### END SOLUTION


def backward(root: Var) -> None:
    """Write the gradient of the root with respect to every node it depends on into ``node.grad``, equation (9.1).

    Every ``grad`` is written afresh: whatever an earlier call has left there (in the root, or in any other node) does not
    count. Each vjp is called exactly once. Nodes that the root does not depend on are not touched.

    Args:
        root: a node whose value is a number (0-d). Its own gradient is 1 (0-d too).
    """
    ### BEGIN SOLUTION
    order = topological_order(root)
    for node in order:
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
    ### END SOLUTION


def unbroadcast(grad, shape: tuple[int, ...]):
    """Sum a gradient over everything that broadcasting has copied, equation (9.2).

    Args:
        grad: NumPy array, of a shape to which ``shape`` can be broadcast.
        shape: the shape before broadcasting, for example (), (3,), (1, 3), (2, 1, 4).

    Returns:
        NumPy array of shape ``shape``.
    """
    ### BEGIN SOLUTION
    grad = np.asarray(grad)
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return grad.sum(axis=stretched, keepdims=True)
    ### END SOLUTION

# %% [markdown]
# ### Checking a gradient
#
# Compare with a finite difference. With a step $h$ in coordinate $i$ ($e_i$ is the unit vector), Taylor's theorem says
#
# $$
# \frac{f(x+h e_i)-f(x)}{h} = f_i' + \frac h2 f_i'' + O(h^2), \qquad
# \frac{f(x+h e_i)-f(x-h e_i)}{2h} = f_i' + \frac{h^2}{6} f_i''' + O(h^4). \tag{9.3}
# $$
#
# A smaller step makes this error smaller, but another one larger: the values of $f$ are rounded to a relative precision $u$ (about $10^{-16}$ in float64,
# $10^{-7}$ in float32), and the difference is divided by $h$, an error of about $u\,|f|/h$. The next cell shows the sum of both.
# **Before you run it:** of the four curves, which has a useful minimum?

# %%
figure, axis = plot.subplots(width=7, height=3.8)
step_sizes = np.logspace(-12, 0, 73)
for dtype, color in ((np.float64, plot.COLORS[0]), (np.float32, plot.COLORS[1])):
    point = dtype(0.7)
    exact = np.exp(np.float64(point)) * np.cos(3 * np.float64(point)) - 3 * np.exp(np.float64(point)) * np.sin(3 * np.float64(point))

    def wave(x, dtype=dtype):
        return np.float64(np.exp(x, dtype=dtype) * np.cos(dtype(3) * x, dtype=dtype))

    one_sided = [abs((wave(point + dtype(h)) - wave(point)) / h / exact - 1) for h in step_sizes]
    central = [abs((wave(point + dtype(h)) - wave(point - dtype(h))) / (2 * h) / exact - 1) for h in step_sizes]
    name = np.dtype(dtype).name
    axis.loglog(step_sizes, np.maximum(one_sided, 1e-13), ":", color=color, label=f"{name}, one-sided")
    axis.loglog(step_sizes, np.maximum(central, 1e-13), "-", color=color, label=f"{name}, central")
axis.set(xlabel="step h", ylabel="relative error of the derivative", title=r"$e^x\cos 3x$ at 0.7")
axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
plt.show()

# %% [markdown]
# Only central differences in float64 reach ten digits, at $h\approx 10^{-5}$ (near $u^{1/3}$). In float32 no step gives more than five, and at $10^{-5}$ two or three are left.
# And "$10^{-5}$" is meant relative to $x$: at $x=10^6$ a step of $10^{-5}$ drowns in rounding, at $x=10^{-3}$ it is large. So we use
#
# $$
# h_i = \epsilon\,\max(|x_i|,\,10^{-3}), \qquad n_i = \frac{f(x+h_i e_i)-f(x-h_i e_i)}{2h_i}, \qquad
# r_i = \frac{|a_i-n_i|}{\text{atol}+\text{rtol}\cdot\max(|a_i|,|n_i|)}, \tag{9.4}
# $$
#
# where $a$ is the gradient under test. The check passes if **all** $r_i\le 1$. The relative tolerance is what makes one setting serve
# gradients of size $10^{-3}$ and $10^{6}$; the absolute one is for entries that are zero.
#
# ### Your task, second half
#
# Write `gradcheck`. Then find a bug with it: below stands a layer normalisation and its backward pass, taken from "working" code, with the unit
# test that came with it. It passes. Is it right?

# %% role="answer" question="q9"
def gradcheck(f, grad_f, x, eps: float = 1e-5, rtol: float = 1e-6, atol: float = 1e-8) -> tuple[bool, float]:
    """Compare a gradient with central differences in float64, equation (9.4).

    Args:
        f: from a NumPy array of x's shape to a number.
        grad_f: from such an array to the gradient that is tested; for f = Σ x²/2 it may return the very array
            that it got.
        x: the point, a NumPy array of any shape (0-d too) and memory layout (a transposed array too), of float64, float32 or
            integer type; not changed. ``f`` and ``grad_f`` are called with float64 arrays only. At least one entry.
        eps, rtol, atol: as in (9.4).

    Returns:
        (ok, max_error): max_error is the largest r_i, a float: the error in units of the tolerance; ok says whether it is
        at most 1. A gradient of another shape than x, or with an entry that is NaN or infinite, gives (False, inf). So does
        an f without a finite difference; that is not tested.
    """
    ### BEGIN SOLUTION
    x = np.array(x, dtype=np.float64)
    analytic = np.array(grad_f(x.copy()), dtype=np.float64)
    if analytic.shape != x.shape or not np.isfinite(analytic).all():
        return False, math.inf
    max_error = 0.0
    for i in np.ndindex(x.shape):
        h = eps * max(abs(x[i]), 1e-3)
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        numeric = (float(f(up)) - float(f(down))) / (2 * h)
        if not math.isfinite(numeric):
            return False, math.inf
        scale = max(abs(analytic[i]), abs(numeric))
        error = abs(analytic[i] - numeric) / (atol + rtol * scale)
        max_error = max(max_error, float(error))
    return bool(max_error <= 1), max_error
    ### END SOLUTION

# %% [markdown]
# Layer normalisation, without gain and bias: each row $x\in\mathbb R^D$ is centred and divided by its standard deviation,
#
# $$
# \mu=\frac1D\sum_i x_i, \qquad s=\sqrt{\frac1D\sum_i (x_i-\mu)^2+\varepsilon}, \qquad y_i=\frac{x_i-\mu}{s}. \tag{9.5}
# $$

# %% role="given"
def layer_norm(x, eps=1e-5):
    """Equation (9.5) along the last axis, for an array (..., D)."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)


def suspicious_backward(x, grad_y, eps=1e-5):
    """Given the gradient with respect to y = layer_norm(x), the gradient with respect to x. Or is it?"""
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return (grad_y - grad_y.mean(-1, keepdims=True)) / s

# %%
def test_suspicious_backward():
    """The unit test that came with it: central differences at one point, for L = Σ w_i y_i."""
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    w = np.array([4.0, 1.0, 0.0, 1.0, 4.0])
    numeric = [
        ((w * layer_norm(x + 1e-5 * e)).sum() - (w * layer_norm(x - 1e-5 * e)).sum()) / 2e-5 for e in np.eye(5)
    ]
    np.testing.assert_allclose(suspicious_backward(x, w), numeric, rtol=1e-6)
    print("passed: the largest difference is", f"{np.abs(suspicious_backward(x, w) - numeric).max():.1e}")


test_suspicious_backward()

# %% [markdown]
# Write `fixed_backward`, the right one. Differentiate (9.5) with pencil and paper first: $x_j$ moves $y_i$ directly, through $\mu$, and through $s$.

# %% role="answer" question="q9"
def fixed_backward(x, grad_y, eps=1e-5):
    """The right backward pass of `layer_norm`, along the last axis.

    Args:
        x: NumPy array (..., D), D ≥ 1; a row may be constant (its y is 0), or far from 0.
        grad_y: gradient of a number L with respect to y = layer_norm(x, eps), the shape of x.
        eps: ε of (9.5), possibly not small.

    Returns:
        the gradient of L with respect to x, the shape of x.
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    y = centred / s
    return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
    ### END SOLUTION

# %% role="check" question="q9"
grader.check("q9")

# %% [markdown]
# ### Your check at work
#
# Each row is a gradient under test. **Before you run this:** which rows should pass?

# %%
weights = np.random.default_rng(0).normal(size=(4, 6))
random_rows = np.random.default_rng(1).normal(size=(4, 6))
symmetric_rows, even_weights = np.tile([-2.0, -1.0, 0.0, 1.0, 2.0], (2, 1)), np.tile([4.0, 1.0, 0.0, 1.0, 4.0], (2, 1))
check_rows = []
for name, backward_pass, point, w, sane in (
    ("suspicious, the point of its unit test", suspicious_backward, symmetric_rows, even_weights, "passes"),
    ("suspicious, random x, L = Σ y", suspicious_backward, random_rows, np.ones((4, 6)), "passes!"),
    ("suspicious, random x, random weights", suspicious_backward, random_rows, weights, "fails, about 7e5"),
    ("yours, random x, random weights", fixed_backward, random_rows, weights, "passes"),
    ("yours, x a thousand times smaller", fixed_backward, 1e-3 * random_rows, weights, "passes"),
):
    ok, error = gradcheck(lambda x: (w * layer_norm(x)).sum(), lambda x: backward_pass(x, w), point, atol=1e-6)
    check_rows.append((name, "passes" if ok else "FAILS", float(error), sane))
plot.table(check_rows, header=("gradient", "your check", "largest r", "expected"))

# %% [markdown]
# And your `backward` trains a network: one hidden layer of 12 tanh units, which learns whether the two coordinates of a
# point have the same sign. Nothing but NumPy and your functions.

# %%
moons = data.toy2d("moons", 400, seed=0).double().numpy()
moons_labels = (moons[:, :1] * moons[:, 1:] > 0).astype(float)  # no straight line separates them
start_rng = np.random.default_rng(0)
net = [Var(start_rng.normal(size=shape)) for shape in ((2, 12), (12,), (12, 1), (1,))]
tape_losses = []
for _ in range(dgm.budget(smoke=30, cpu=400, gpu=400)):
    w1, b1, w2, b2 = net
    logit = (Var(moons) @ w1 + b1).tanh() @ w2 + b2
    loss = (logit.softplus() - logit * moons_labels).sum() * (1 / len(moons))
    backward(loss)
    net = [Var(p.value - 1.0 * p.grad) for p in net]
    tape_losses.append(float(loss.value))
plot.curves({"your backward, gradient descent": tape_losses}, ylabel="cross-entropy", reference={"guessing": math.log(2)})
print(f"loss after {len(tape_losses)} steps: {tape_losses[-1]:.3f} (expected after 400: about 0.06)")

# %% [markdown]
# ### In your own words (2 points, graded by a person)
#
# In at most eight lines: why does the unit test above pass although the backward pass is wrong? Name the term that is missing and what it stands for, show why it
# vanishes at this point, and say how a test should choose its points (also why $L=\sum_i y_i$, a popular choice, is a bad one here).
# One point is for the missing term and why it vanishes, one for the choice of points and weights.

# %% [markdown] role="written" question="q9"
# ### BEGIN SOLUTION
# The missing term is -y · mean(grad_y · y) / s. It stands for the dependence of s on x: the code differentiates as if the standard deviation
# were a constant. At the test's point x is odd about its centre (x_i = -x_{D+1-i}, so y is too) and the weights grad_y are even, so the
# products grad_y · y cancel in pairs: their mean is 0 and so is the term. The finite differences are right, they
# just cannot see a term that is zero.
# With L = Σ y_i, grad_y is constant, so mean(grad_y · y) is proportional to mean(y) = 0 for every x. (The
# whole gradient is 0, because Σ y_i = 0 always.)
# A test should use points and weights in general position: random x without symmetry, random grad_y, several shapes and seeds. Then a missing
# term is zero with probability zero.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Gradients add up over all uses of a node, a broadcast is a use, and a node passes its gradient on when it is complete.
# - Check gradients in float64, with central differences, a step relative to $x$ and a tolerance relative to the gradient.
# - Test at random points with random weights: symmetric points are where errors hide.

# %% [markdown]
# ## Question 10 · Fully visible autoregressive models
# *8 points, 2 of them for a written answer · about 70 minutes*
#
# A table of the probabilities of all $8\times8$ black-and-white images has $2^{64}$ entries. An **autoregressive** model
# needs a few thousand numbers instead, has an exact likelihood, and generates one pixel after the other. The same recipe, with
# larger networks, is MADE (Question 11), PixelCNN (Questions 12 and 13) and every large language model. Here comes its
# simplest member: one logistic regression per pixel.
#
# ### The chain rule
#
# For binary $x=(x_1,\dots,x_D)$ write $x_{<i}=(x_1,\dots,x_{i-1})$. Without any assumption,
#
# $$p(x)=\prod_{i=1}^{D} p(x_i\mid x_{<i}). \tag{10.1}$$
#
# Read it as a walk through a tree. At depth $i$ the branch is chosen with the probability
# $$p_i=P(x_i=1\mid x_{<i}),$$
# and $p(x)$ is the product of the probabilities along the path. **Mind two symbols that look alike:** $P(x_i=1\mid x_{<i})$
# is one number, whatever $x_i$ is, while $p(x_i\mid x_{<i})$ is the probability of the value that $x_i$ *has*: $p_i$ if
# $x_i=1$, and $1-p_i$ if $x_i=0$.
#
# **Before you run this:** the orange path is what you get from the three random numbers $u=(0.35,\,0.80,\,0.10)$ and the rule
# "$x_i=1$ if $u_i<p_i$". With $u_1=0.65$ instead, where would it end?

# %%
branch = {"": 0.6, "0": 0.2, "1": 0.7, "00": 0.5, "01": 0.9, "10": 0.3, "11": 0.4}   # P(next bit = 1 | bits so far)
path = "101"
height = {"": 0.0}
for depth in (1, 2, 3):
    for code in range(2**depth):
        bits = f"{code:0{depth}b}"
        height[bits] = (code + 0.5) / 2**depth * 8 - 4

figure, (left, right) = plot.subplots(1, 2, width=10, height=4.2, width_ratios=[1.7, 1])
for parent, p_one in branch.items():
    for bit, chance in (("1", p_one), ("0", 1 - p_one)):
        child = parent + bit
        colour = plot.COLORS[1] if path.startswith(child) else "#888888"
        start, end = len(parent), len(child)
        left.plot([start, end], [height[parent], height[child]], color=colour, linewidth=1 + 5 * chance, solid_capstyle="round")
        middle = 0.45 * height[parent] + 0.55 * height[child]
        left.text(start + 0.55, middle, f"{chance:.1f}", ha="center", va="center", fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
for bits in (name for name in height if len(name) == 3):
    product = math.prod(branch[bits[:i]] if bits[i] == "1" else 1 - branch[bits[:i]] for i in range(3))
    left.text(3.07, height[bits], f"p({bits}) = {product:.3f}", va="center", fontsize=10, color=plot.COLORS[1] if bits == path else "black")
left.set(xlim=(-0.1, 3.9), xticks=[0.5, 1.5, 2.5], xticklabels=["$x_1$", "$x_2$", "$x_3$"], yticks=[], title="The chain rule is a walk down a tree")
left.grid(False)
left.spines[:].set_visible(False)
left.tick_params(length=0)

dims = np.arange(1, 65)
right.semilogy(dims, 2.0**dims - 1, color=plot.COLORS[1], label=r"any distribution, $2^D-1$")
right.semilogy(dims, dims * (dims + 1) / 2, color=plot.COLORS[0], label="logistic, $D(D+1)/2$")
right.semilogy(dims, dims, color=plot.COLORS[2], label="independent, $D$")
right.set(xlabel="number of binary dimensions D", title="Parameters")
right.legend()
plt.show()

# %% [markdown]
# (It ends at 001: $0.65$ is not below $0.6$, $0.80$ not below $0.2$, but $0.10$ is below $0.5$.)
#
# The tree shows three things. The leaves sum to one, because each pair of branches does. Sampling is a walk from the root; it
# is called **ancestral**, since $x_i$ is drawn when its ancestors $x_{<i}$ are known. And a general tree has
# $2^D-1$ free numbers, one per node, so we must let the nodes share parameters.
#
# ### One logistic regression per dimension
#
# In the **fully visible sigmoid belief network** (FVSBN) the logit of $p_i$ is linear in the earlier dimensions,
#
# $$p_i=P(x_i=1\mid x_{<i})=\sigma(a_i),\qquad a_i=b_i+\sum_{j<i}W_{ij}\,x_j, \tag{10.2}$$
#
# with $\sigma(a)=1/(1+e^{-a})$. Only the entries of $W$ strictly below the diagonal are used: an $x_i$ that helps to predict itself
# makes (10.1) a product that no longer sums to one. Since $1-\sigma(a)=\sigma(-a)$,
#
# $$\log p(x)=\sum_{i=1}^{D}\Big[x_i\log\sigma(a_i)+(1-x_i)\log\sigma(-a_i)\Big], \tag{10.3}$$
#
# that is, minus a binary cross-entropy. Compute it from the logits (`F.logsigmoid`, `F.softplus`): for $a_i=40$ the number $\sigma(a_i)$
# is 1 in float32, and $\log(1-\sigma(a_i))$ would be $-\infty$ instead of $-40$.
#
# **Fitting.** With $\frac{d}{da}\log\sigma(a)=\sigma(-a)$ each bracket in (10.3) has the derivative $x_i(1-p_i)-(1-x_i)p_i=x_i-p_i$, so for
# the average log-likelihood $\ell=\frac1N\sum_n\log p(x_n)$
#
# $$\frac{\partial\ell}{\partial b_i}=\frac1N\sum_{n}\big(x_{ni}-p_{ni}\big),\qquad
# \frac{\partial\ell}{\partial W_{ij}}=\frac1N\sum_{n}\big(x_{ni}-p_{ni}\big)\,x_{nj}\quad\text{for } j<i. \tag{10.4}$$
#
# All factors $p_{ni}$ can be computed at once from the data ("teacher forcing"). When sampling they cannot: $p_i$ needs the
# bits that were drawn before. And $\ell$ is concave (it is $D$ logistic regressions), so plain gradient ascent finds the best fit.
#
# ### Your task, part 1
#
# Tested are, among other things: all $2^D$ probabilities for $D\le8$; weights with arbitrary finite numbers on and above the diagonal,
# which must not matter; $D=1$ and $N=1$; logits of size 1000; float64 in all three functions, without rounding to float32; gradients in
# `weights` and `biases` by autograd.

# %% role="answer" question="q10"
def fvsbn_log_prob(x: Float[Tensor, "N D"], weights: Float[Tensor, "D D"], biases: Float[Tensor, "D"]) -> Float[Tensor, "N"]:
    """Log-probability in nats of binary vectors under the FVSBN, equations (10.2) and (10.3).

    Args:
        x: zeros and ones, as floats.
        weights: ``weights[i, j]`` is the weight of x_j in the logit of x_i, used for j < i only. The entries on and above
            the diagonal are ignored.
        biases: one per dimension.

    Returns:
        One log-probability per example, summed over dimensions. Differentiable in weights and biases.
    """
    ### BEGIN SOLUTION
    logits = biases + x @ weights.tril(-1).T
    return F.logsigmoid((2 * x - 1) * logits).sum(-1)
    ### END SOLUTION


def sample_fvsbn(weights: Float[Tensor, "D D"], biases: Float[Tensor, "D"], uniforms: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Ancestral sampling: x_1 first, x_D last, each given the bits already drawn in its row.

    Args:
        weights, biases: as in `fvsbn_log_prob`.
        uniforms: numbers in [0, 1]. In row n, x_i is 1 if ``uniforms[n, i] < P(x_i = 1 | x_<i)``, else 0. So a uniform
            number of 1 always gives a 0.

    Returns:
        Zeros and ones as floats, one sample per row.
    """
    ### BEGIN SOLUTION
    x = torch.zeros_like(uniforms)
    for i in range(uniforms.shape[1]):
        p_one = torch.sigmoid(biases[i] + x[:, :i] @ weights[i, :i])
        x[:, i] = (uniforms[:, i] < p_one).to(x.dtype)
    return x
    ### END SOLUTION


def fit_fvsbn(x: Float[Tensor, "N D"], steps: int, learning_rate: float) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D"]]:
    """Maximum likelihood by gradient ascent on the average log-likelihood, all N examples in every step, equation (10.4).

    Args:
        x: zeros and ones, as floats.
        steps: how many steps, starting from weights and biases zero.
        learning_rate: step size; a step adds ``learning_rate`` times the gradient. (An optimiser that reaches at
            least the same likelihood in so many steps is fine too.)

    Returns:
        (weights, biases), without gradients attached; weights are zero on and above the diagonal.
    """
    ### BEGIN SOLUTION
    N, D = x.shape
    weights, biases = x.new_zeros(D, D), x.new_zeros(D)
    for _ in range(steps):
        residual = x - torch.sigmoid(biases + x @ weights.T)
        weights = weights + learning_rate * (residual.T @ x / N).tril(-1)
        biases = biases + learning_rate * residual.mean(0)
    return weights, biases
    ### END SOLUTION

# %% [markdown]
# ### When the likelihood is a sum over something hidden
#
# Two more facts about likelihoods: what it costs to hide something, and what the order of the variables does. Why insist on "fully visible"? Suppose that there is a latent variable $z$, for example the class of a digit, with
# $p(x)=\sum_z p(z)\,p(x\mid z)$, and too many values of $z$ to sum over. Draw $z_1,\dots,z_S$ from $p(z)$ and estimate
#
# $$A(x)=\frac1S\sum_{s=1}^{S}p(x\mid z_s),\qquad \mathbb E[A(x)]=\frac1S\sum_s\sum_z p(z)\,p(x\mid z)=p(x). \tag{10.5}$$
#
# The estimate of $p(x)$ is **unbiased**. That of $\log p(x)$ is not: by Jensen $\mathbb E[\log A(x)]\le\log p(x)$, and expanding the
# logarithm to second order around $p(x)$, with $\operatorname{Var}[A(x)]=\operatorname{Var}_z[p(x\mid z)]/S$,
#
# $$\mathbb E[\log A(x)]\;\approx\;\log p(x)-\frac{1}{2S}\,\frac{\operatorname{Var}_z[p(x\mid z)]}{p(x)^2}. \tag{10.6}$$
#
# A model scored this way looks *worse* than it is, and better with more samples. Two ways to spoil the estimate. (i) The average
# of the **logs**, $\frac1S\sum_s\log p(x\mid z_s)$, stays too low however large $S$ is. (ii) With the same draws for every $x$ all errors
# go the same way: averaging over a test set then averages nothing out. So every $x_n$ gets draws of its own.
#
# ### The order matters, and does not
#
# The chain rule (10.1) holds for every order of the variables: with $p(x_1)\,p(x_2\mid x_1)=p(x_2)\,p(x_1\mid x_2)$ nothing is lost. But a
# *model* restricts its conditionals to a family, and what is in the family in one order need not be in the other. Take two real
# numbers and Gaussian conditionals with any mean and standard deviation,
#
# $$x_1\sim\mathcal N(0,1),\qquad x_2\mid x_1\sim\mathcal N\big(\mu_2(x_1),\,\sigma_2(x_1)^2\big). \tag{10.7}$$
#
# By Bayes' rule the reversed conditional, as a function of $x_1$, is
#
# $$p(x_1\mid x_2)\;\propto\;\exp\Big(-\tfrac12x_1^2-\log\sigma_2(x_1)-\frac{(x_2-\mu_2(x_1))^2}{2\,\sigma_2(x_1)^2}\Big). \tag{10.8}$$
#
# It is Gaussian exactly if the exponent is quadratic in $x_1$. Find functions for which, for some $x_2$, it is not: then no model with
# Gaussian conditionals that draws $x_2$ first can be equal to yours.
#
# ### Your task, part 2
#
# `log_marginal_mc` is tested with log-likelihoods of $-1000$ and far below, with $S=1$, in float64, and by enumeration: over all draws of a discrete $z$ the
# expectation of $A(x)$ must be exactly $p(x)$. Of your $\mu_2$ and $\sigma_2$ the values on a grid over $[-6,6]$ are used. From these the
# grader computes (10.8) for many plausible $x_2$.

# %% role="answer" question="q10"
def log_marginal_mc(log_likelihood, x: Float[Tensor, "N D"], z: Float[Tensor, "N S L"]) -> Float[Tensor, "N"]:
    """Logarithm of the Monte Carlo estimate A(x) of equation (10.5), for each example with its own draws of z.

    Args:
        log_likelihood: a function; ``log_likelihood(x, z)`` is log p(x | z) for x (..., D) and z (..., L), where the
            leading axes broadcast against each other: x (N, 1, D) and z (N, S, L) give (N, S).
        x: examples.
        z: draws from the prior p(z); ``z[n]`` are the S draws for ``x[n]``.

    Returns:
        log A(x_n), one number per example, in nats. (One call of ``log_likelihood`` with all draws is much quicker than one per draw.)
    """
    ### BEGIN SOLUTION
    return log_mean_exp(log_likelihood(x[:, None], z), dim=1)
    ### END SOLUTION


def second_mean(x1: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Your mean function mu_2 of equation (10.7), element by element, the same shape as ``x1``, finite on [-6, 6].

    Together with `second_std` it must make p(x1 | x2) clearly non-Gaussian: its skewness or its excess kurtosis is larger than 0.1 in
    absolute value for some x2 that lies within 1.5 sigma_2(x1) of mu_2(x1) for an x1 in [-2, 2]. (Both are 0 for a Gaussian.)
    """
    ### BEGIN SOLUTION
    return x1**2
    ### END SOLUTION


def second_std(x1: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Your standard deviation sigma_2 of equation (10.7), element by element, the same shape as ``x1``.

    It must be positive everywhere on [-6, 6]. A density that is narrower than 0.01 in x1 cannot be judged on the
    grid, so do not make it tiny.
    """
    ### BEGIN SOLUTION
    return torch.full_like(x1, 0.5)
    ### END SOLUTION

# %% role="check" question="q10"
grader.check("q10")

# %% [markdown]
# ### Your FVSBN on digits
#
# Images are binarised by a threshold and read row by row. The last panel shows completions: the upper half is from a test
# digit, the lower half is drawn. This needs no new function. A uniform number of 0 forces a 1 and a uniform number of 1 forces a 0, so
# the known bits can be planted in `uniforms`.
#
# **Before you run this:** independent pixels cost about 25 nats per image. The FVSBN has 32 times as many parameters, for 1437 images. How
# far apart will its train and test NLL be?

# %%
binary_train, class_train = data.digits("train", binary="threshold")
binary_test, class_test = data.digits("test", binary="threshold")
binary_train, binary_test = binary_train.flatten(1), binary_test.flatten(1)

frequency = (binary_train.sum(0) + 1) / (len(binary_train) + 2)
independent = (torch.zeros(64, 64), torch.logit(frequency))
fvsbn = fit_fvsbn(binary_train, dgm.budget(smoke=60, cpu=1000, gpu=1000), 0.5)


def fvsbn_nll(x: Float[Tensor, "N D"], parameters) -> float:
    return -float(fvsbn_log_prob(x, *parameters).mean())


uniforms = torch.rand(30, 64, generator=dgm.generator(0))
completing = uniforms.clone()
completing[:, :32] = 1 - binary_test[:30, :32]
rows = [
    ("test digits", binary_test[:30]),
    ("samples, independent pixels", sample_fvsbn(*independent, uniforms)),
    ("samples, FVSBN", sample_fvsbn(*fvsbn, uniforms)),
    ("lower halves completed, FVSBN", sample_fvsbn(*fvsbn, completing)),
]
figure, axes = plot.subplots(2, 2, width=10, height=3.9)
for ax, (title, pictures) in zip(axes.flat, rows):
    plot.images(pictures.reshape(-1, 8, 8), ncols=10, vmin=-0.1, vmax=1.3, suptitle=title, ax=ax)

figure, axes = plot.subplots(1, 6, width=10, height=2.1)
for ax, pixel in zip(axes, (10, 19, 28, 37, 46, 52)):
    picture = torch.full((64,), math.nan)
    picture[:pixel] = fvsbn[0][pixel, :pixel]
    plot.heatmap(picture.reshape(8, 8), center=0, vmin=-2, vmax=2, colorbar=False, xticks=[], yticks=[], ax=ax)
    ax.add_patch(plt.Rectangle((pixel % 8 - 0.5, pixel // 8 - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=2))
figure.suptitle("Weights of the earlier pixels for the framed pixel: red votes for white, blue for black; grey is not used", fontsize=11)

nats = {(name, split): fvsbn_nll(x, parameters) for name, parameters in (("independent", independent), ("FVSBN", fvsbn)) for split, x in (("train", binary_train), ("test", binary_test))}
plot.table(
    [
        (name, nats[name, "train"], nats[name, "test"], nats[name, "test"] / 64 / math.log(2), sane)
        for name, sane in (
            ("independent", "about 25.11 and 25.15 nats"),
            ("FVSBN", "about 17.46 and 18.32 nats after 1000 steps; below 17 on test something leaks"),
        )
    ],
    header=("NLL", "train", "test", "bits/dim, test", "expected"),
)

# %% [markdown]
# The votes are local: a white neighbour speaks for white. Now read the pixels in other orders. Each order is another family of
# models, and each fit is the best of its family.
#
# **Before you run this:** which order is best?

# %%
orders = {
    "row by row": torch.arange(64),
    "column by column": torch.arange(64).reshape(8, 8).T.flatten(),
    "backwards": torch.arange(63, -1, -1),
    "random": torch.randperm(64, generator=dgm.generator(0)),
}
order_rows = []
for name, order in orders.items():
    fitted = fit_fvsbn(binary_train[:, order], dgm.budget(smoke=20, cpu=1000, gpu=1000), 0.5)
    order_rows.append((name, fvsbn_nll(binary_train[:, order], fitted), fvsbn_nll(binary_test[:, order], fitted)))
plot.table(order_rows, header=("order", "NLL train", "NLL test"))
print("after 1000 steps all lie within 17.40 to 17.47 on train and 18.22 to 18.32 on test: here the order matters, but little")

# %% [markdown]
# ### Your Monte Carlo likelihood
#
# Next a model with a latent variable that we *can* sum over, to see what the estimate does: $z$ is one of the ten classes,
# $p(z)=\frac1{10}$, and $p(x\mid z)$ is an FVSBN fitted to the digits of that class. The exact $\log p(x)$ is a log-mean-exp over the classes.
#
# **Before you run this:** with $S=1$ most draws pick a wrong class. Will the curve start above or below the exact value, and where does the
# average of the *logs* end up?

# %%
by_class = [fit_fvsbn(binary_train[class_train == c], dgm.budget(smoke=20, cpu=100, gpu=100), 0.5) for c in range(10)]


def class_log_likelihood(x: Float[Tensor, "*batch D"], z: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
    """log p(x | z) of the ten FVSBNs; z holds the class."""
    table = torch.stack([fvsbn_log_prob(x.reshape(-1, 64), *p) for p in by_class], -1).reshape(*x.shape[:-1], 10)
    classes = z[..., 0].long()
    return table.expand(*classes.shape, 10).gather(-1, classes[..., None])[..., 0]


all_classes = torch.arange(10.0)[None, :, None].expand(len(binary_test), 10, 1)
exact = log_marginal_mc(class_log_likelihood, binary_test, all_classes)   # every class once: the exact sum
draws = torch.randint(0, 10, (len(binary_test), 256, 1), generator=dgm.generator(1)).float()
sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256]
estimates = [log_marginal_mc(class_log_likelihood, binary_test, draws[:, :S]) for S in sizes]
of_logs = [class_log_likelihood(binary_test[:, None], draws[:, :S]).mean(1).mean() for S in sizes]

figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8)
left.axhline(float(exact.mean()), linestyle="--", color="black", label=f"exact ({float(exact.mean()):.2f})")
left.plot(sizes, [float(e.mean()) for e in estimates], "o-", color=plot.COLORS[0], label="log of the average: your estimate")
left.plot(sizes, [float(v) for v in of_logs], "o-", color=plot.COLORS[1], label="average of the logs")
left.set(xscale="log", xlabel="draws S", ylabel="nats", title="mean log-likelihood of the test digits")
left.legend(loc="lower right", bbox_to_anchor=(1, 0.12))
right.plot(sizes, [float((e - exact).exp().mean()) for e in estimates], "o-", color=plot.COLORS[0])
right.axhline(1, linestyle="--", color="black")
right.set(xscale="log", xlabel="draws S", ylim=(0.5, 1.5), title="mean of A(x) / p(x): 1 up to noise")
print(f"NLL of the mixture of ten FVSBNs on test digits: {-float(exact.mean()):.2f} nats (about 15.98 in a full run, 17.8 in a smoke run)")

# %% [markdown]
# The classes are worth more than 2 nats. (This is no contest with the model above: the mixture has seen the labels.) The log of the
# average climbs to the exact value from below; the average of the logs never does, since one wrong class costs as many nats as it
# likes. Most of the work is done when $S$ is a few times 10, so that the right class has been drawn. (On the right the points share
# their draws, so they err to the same side; the standard error at $S=1$ is about 0.16.) In a VAE the "right" $z$ is one in
# billions, and a later problem set needs a better idea than drawing from the prior.
#
# ### Your pair of Gaussians

# %%
grid = torch.linspace(-3.5, 3.5, 701)
mean, std = second_mean(grid), second_std(grid)
low, high = float((mean - 2 * std)[100:-100].min()), float((mean + 2 * std)[100:-100].max())
level = torch.linspace(low, high, 600)
log_joint = -0.5 * grid**2 - std.log() - 0.5 * ((level[:, None] - mean) / std) ** 2   # (x2, x1), up to a constant
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8)
left.imshow(log_joint.exp().numpy(), origin="lower", extent=(-3.5, 3.5, low, high), aspect="auto", cmap="Blues")
left.grid(False)
left.set(xlabel="$x_1$", ylabel="$x_2$", title="your joint density")
share = log_joint.exp().sum(1).cumsum(0) / log_joint.exp().sum()
for q, colour in zip((0.1, 0.5, 0.9), plot.COLORS):
    row = min(int((share < q).sum()), 599)
    weight = torch.softmax(log_joint[row], 0)
    centre = (weight * grid).sum()
    spread = (weight * (grid - centre) ** 2).sum().sqrt()
    left.axhline(float(level[row]), color=colour, linewidth=1)
    right.plot(grid, weight / 0.01, color=colour, label=f"$p(x_1\\mid x_2={float(level[row]):.2f})$")
    right.plot(grid, torch.distributions.Normal(centre, spread).log_prob(grid).exp(), ":", color=colour)
right.set(xlabel="$x_1$", title="reversed conditionals; dotted: Gaussians\nwith the same mean and variance")
right.set_ylim(0, 1.5 * right.get_ylim()[1])
right.legend(loc="upper center", ncols=2)
plt.show()

# %% [markdown]
# ### In your own words (2 points, graded by a person)
#
# In at most eight lines: why is the order of the variables immaterial for the chain rule, and why does it nevertheless matter for a
# family of models? Give one concrete example and say what exactly cannot be represented in the other order. (Two warnings. With
# three or fewer bits an FVSBN can represent the same distributions in every order. And the XOR of two bits is beyond an
# FVSBN in *every* order, so neither is an example. Your pair of Gaussians may be one: say then which conditional is not Gaussian.)
# One point is for the chain rule and its reason, one for an example that works.

# %% [markdown] role="written" question="q10"
# ### BEGIN SOLUTION
# The chain rule is an identity: for any order π, p(x) = Π p(x_π(t) | x_π(1), …, x_π(t-1)), because each factor is *defined* as a
# ratio of marginals of the same p, and the ratios telescope. If every conditional may be an arbitrary function (a full table),
# each order describes every distribution, with the same 2^D - 1 free numbers.
#
# A model family restricts the conditionals, and the restriction is not preserved when the order changes: the reversed conditional
# follows from Bayes' rule and may lie outside of the family. Example: x1 ~ N(0, 1), x2 | x1 ~ N(x1², 0.5²). Both
# conditionals are Gaussian, so the pair is in the family "Gaussian conditionals, x1 first". But p(x1 | x2 = 4) has two modes, near
# -2 and +2. A model with Gaussian conditionals that draws x2 first has one mode for x1 given x2, so it cannot represent
# this distribution, whatever its mean and variance functions are (nor is its p(x2), which is skewed, a Gaussian).
# ### END SOLUTION

# %% [markdown]
# **What to remember.** The chain rule turns a density into $D$ classification problems; their likelihood is exact and trained in
# parallel, while sampling is sequential. A unit never sees itself. Average probabilities, not logs, and remember that the log
# of an unbiased estimate is biased down. The order is free for the chain rule, not for the model.

# %% [markdown]
# ## Question 11 · MADE: one network, all conditionals
# *7 points · about 60 minutes*
#
# The logits of an FVSBN (Question 10) are linear in the earlier pixels, which is too simple for images. A neural network for each of the $D$
# conditionals would be $D$ networks. The **masked autoencoder for distribution estimation** (MADE) is a single network
# with $D$ inputs and $D$ outputs, in which some connections are cut, so that output $d$ is a function of the inputs before $d$ only.
# One forward pass gives all conditionals, in any order of the variables that you like. The cuts are the same idea as
# the masks of PixelCNN and the causal attention of a transformer.
#
# ### Which connections to cut
#
# Dimensions are numbered from 0 here, as in code. An **order** is a permutation: `order[0]` is the dimension that is generated first, `order[t]`
# the one at step $t$. The conditional of dimension `order[t]` may depend on `order[0]`, …, `order[t-1]`.
#
# Give every unit of the network a number, its **degree**:
#
# - the input of dimension `order[t]` has degree $t+1$, and so has the output of the same dimension (so `order` $=(1,2,0)$ gives
#   the dimensions 0, 1, 2 the degrees 3, 1, 2);
# - a hidden unit with degree $m$ is one that may know the inputs of degree $\le m$, and no others. Here $1\le m\le D-1$ (for $D=1$ nothing
#   may be known, and any degree $\ge1$ will do).
#
# Let a connection stay where it respects this meaning, and cut it otherwise:
#
# $$\begin{aligned}
# \text{into a hidden unit of degree } m, \text{ from a unit (input or hidden) of degree } m': &\quad\text{keep if } m\ge m', \\
# \text{into an output of degree } m, \text{ from a unit of degree } m': &\quad\text{keep if } m> m'.
# \end{aligned} \tag{11.1}$$
#
# *Nothing leaks.* Along any path from input $j$ through hidden units $h_1,\dots,h_L$ to output $d$ the degrees satisfy
# $$m(j)\le m(h_1)\le\dots\le m(h_L)<m(d), \tag{11.2}$$
# so $j$ comes strictly before $d$. *Nothing is wasted:* if each hidden layer has units of all degrees $1,\dots,D-1$, then every $j$ before $d$ has such a path.
#
# **Before you run this:** the right network uses $\ge$ at the output too. Follow the orange path: what would such a network learn?

# %%
def draw_network(ax, strict: bool, path: list[int], title: str) -> None:
    """Units with their degrees, and the connections that stay; `path` is a path to be marked, one unit per layer."""
    degrees = [[3, 1, 2], [1, 2, 2, 1], [2, 1, 2, 1], [3, 1, 2]]   # order (1, 2, 0): inputs, two hidden layers, outputs
    places = [np.linspace(1, -1, len(layer)) * (0.8 if len(layer) == 3 else 1.0) for layer in degrees]
    for n in range(3):
        for i, below in enumerate(degrees[n]):
            for k, above in enumerate(degrees[n + 1]):
                if above > below or (above == below and not (strict and n == 2)):
                    marked = path[n] == i and path[n + 1] == k
                    ax.plot([n, n + 1], [places[n][i], places[n + 1][k]], color=plot.COLORS[1] if marked else "#AAAAAA", linewidth=3 if marked else 1, zorder=2 if marked else 1)
    for n, layer in enumerate(degrees):
        for i, degree in enumerate(layer):
            ax.scatter(n, places[n][i], s=420, color="white", edgecolor=plot.COLORS[0], linewidth=1.8, zorder=3)
            ax.text(n, places[n][i], str(degree), ha="center", va="center", zorder=4)
    for i in range(3):
        ax.text(-0.2, places[0][i], f"$x_{i}$", ha="right", va="center", fontsize=12)
        ax.text(3.2, places[0][i], f"logit of $x_{i}$", ha="left", va="center", fontsize=12)
    ax.set(xlim=(-0.6, 4.2), ylim=(-1.25, 1.25), xticks=[], yticks=[], title=title)
    ax.grid(False)
    ax.spines[:].set_visible(False)


figure, axes = plot.subplots(1, 2, width=10, height=3.6)
draw_network(axes[0], True, [1, 0, 1, 2], "rule (11.1): $x_2$ depends on $x_1$")
draw_network(axes[1], False, [2, 2, 0, 2], "≥ at the output: $x_2$ depends on itself")

# %% [markdown]
# With the leak the network learns to copy its input: training NLL 0, and samples that are worthless. The output of $x_1$, which comes first, has
# no connection at all on the left. It is a constant, the bias, as it should be: $p(x_1)$ depends on nothing. And the last dimension,
# $x_0$, is an input of nobody.
#
# ### From connections to a network
#
# A layer computes $(M\odot W)h+b$ with a mask $M$ of the shape of $W$, so $M_{km}=1$ if unit $m$ of the layer below is
# connected to unit $k$. With $L$ hidden layers and ReLU,
#
# $$h_1=\mathrm{relu}\big((M_1\odot W_1)x+b_1\big),\quad\dots,\quad h_L=\mathrm{relu}\big((M_L\odot W_L)h_{L-1}+b_L\big),\quad a=(M_{L+1}\odot W_{L+1})h_L+b_{L+1}. \tag{11.3}$$
#
# The outputs $a$ are logits, $P(x_d=1\mid\text{earlier})=\sigma(a_d)$, and
#
# $$\log p(x)=\sum_{d=0}^{D-1}\Big[x_d\log\sigma(a_d)+(1-x_d)\log\sigma(-a_d)\Big]. \tag{11.4}$$
#
# With no hidden layer, $L=0$, and the order $0,1,\dots,D-1$ the mask is the strict lower triangle and MADE *is* the FVSBN.
#
# ### Your task
#
# - `made_masks`: all masks of a network, by rule (11.1). It is tested with any order, 0 to 3 hidden layers, hidden degrees in any sequence (not sorted, not
#   necessarily all of them) and $D=1$.
# - `MaskedLinear`: the mask must hold **whenever the layer is used**: after optimiser steps, and after loading weights that were never
#   masked (those of another layer with the same mask, by `load_state_dict`). It must not be trained, and must move with the layer to another device. So it belongs in a buffer, called `mask`.
# - `MADE.forward`: equation (11.3). The layers are made for you.
# - `made_log_prob`: equation (11.4). Logits of size 1000 occur in the tests.
# - `made_sample`: ancestral sampling in the model's own order. It takes $D$ passes through the network.
# - `train_made`: an ordinary training loop with Adam.
#
# The last three use nothing of the model but `model(x)`, `model.order` and `model.parameters()`, and are tested with other autoregressive
# networks too (in which training and evaluation mode are the same).

# %% role="given"
def cyclic_degrees(num_dims: int, sizes: list[int]) -> list[Int[Tensor, "H"]]:
    """Degrees 1, 2, ..., D-1, 1, 2, ... for the units of each hidden layer; ``sizes`` are the layers' widths."""
    return [1 + torch.arange(size) % max(num_dims - 1, 1) for size in sizes]

# %% role="answer" question="q11"
def made_masks(order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]) -> list[Float[Tensor, "out in"]]:
    """The masks of a MADE by rule (11.1), from the first layer to the output layer.

    Args:
        order: a permutation of 0..D-1; ``order[t]`` is the dimension generated at step t.
        hidden_degrees: for each hidden layer, from the input on, the degrees of its units; may be empty.

    Returns:
        ``len(hidden_degrees) + 1`` masks of zeros and ones, float32, each of the shape (units of this layer, units
        of the layer below) of an ``nn.Linear`` weight.
    """
    ### BEGIN SOLUTION
    degrees = torch.empty_like(order)
    degrees[order] = torch.arange(1, len(order) + 1, device=order.device)
    masks, below = [], degrees
    for above in hidden_degrees:
        masks.append((above[:, None] >= below).float())
        below = above
    masks.append((degrees[:, None] > below).float())
    return masks
    ### END SOLUTION


class MaskedLinear(nn.Linear):
    """A linear layer that uses only the weights where its mask is 1: ``x @ (mask * weight).T + bias``.

    Its parameters are those of ``nn.Linear``: ``weight`` (out, in) and ``bias`` (out,), nothing else. The mask is kept as the
    buffer ``mask``. The bias is not masked.

    Args:
        mask: (out, in) of zeros and ones.
    """

    def __init__(self, mask: Float[Tensor, "out in"]):
        super().__init__(mask.shape[1], mask.shape[0])
        ### BEGIN SOLUTION
        self.register_buffer("mask", mask.clone())
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N in"]) -> Float[Tensor, "N out"]:
        ### BEGIN SOLUTION
        return F.linear(x, self.weight * self.mask, self.bias)
        ### END SOLUTION

# %% role="answer" question="q11"
class MADE(nn.Module):
    """The network of equation (11.3): masked layers with ReLU between them.

    Args:
        order: see `made_masks`; kept as the buffer ``order``.
        hidden_degrees: see `made_masks`.
    """

    def __init__(self, order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]):
        super().__init__()
        self.register_buffer("order", order.clone())
        self.layers = nn.ModuleList(MaskedLinear(mask) for mask in made_masks(order, hidden_degrees))

    def forward(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Logits of P(x_d = 1 | the dimensions before d in the order), in column d."""
        ### BEGIN SOLUTION
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)
        ### END SOLUTION


def made_log_prob(model: nn.Module, x: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    """Log-probability in nats of each row of zeros and ones, equation (11.4), summed over dimensions. Differentiable.

    Args:
        model: gives the logits (N, D) for x (N, D), such as a `MADE`.
        x: zeros and ones, as floats.
    """
    ### BEGIN SOLUTION
    return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)
    ### END SOLUTION


@torch.no_grad()
def made_sample(model: nn.Module, uniforms: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Ancestral sampling in the order of the model: dimension ``model.order[0]`` first.

    Args:
        model: gives the logits (N, D) for x (N, D), and has ``model.order``, such as a `MADE`.
        uniforms: numbers in [0, 1]; column d belongs to dimension d (whenever it is drawn). In row n, x_d is 1 if
            ``uniforms[n, d] < P(x_d = 1 | the dimensions drawn before)``, else 0. So a uniform number of 1 always gives a 0.

    Returns:
        Zeros and ones as floats, one sample per row.
    """
    ### BEGIN SOLUTION
    x = torch.zeros_like(uniforms)
    for d in model.order.tolist():
        p_one = torch.sigmoid(model(x)[:, d])
        x[:, d] = (uniforms[:, d] < p_one).to(x.dtype)
    return x
    ### END SOLUTION


def train_made(
    model: nn.Module, x: Float[Tensor, "N D"], steps: int, batch_size: int, learning_rate: float, generator: torch.Generator
) -> list[float]:
    """Maximum likelihood with Adam (PyTorch's defaults but for the learning rate). Trains ``model`` in place.

    Args:
        model: gives the logits (N, D) for x (N, D), such as a `MADE`.
        x: training examples.
        steps: number of steps of the optimiser, one batch each.
        batch_size, generator: the batches are those of ``data.batches(x, batch_size, generator, steps=steps)``.
        learning_rate: of Adam.

    Returns:
        For each step the mean NLL of its batch, in nats per example (not per dimension), before the parameters change.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = []
    for batch in data.batches(x, batch_size, generator, steps=steps):
        loss = -made_log_prob(model, batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return history
    ### END SOLUTION

# %% role="check" question="q11"
grader.check("q11")

# %% [markdown]
# ### Looking at your masks
#
# Below: the two masks of a small MADE ($D=12$, 16 hidden units) with a random order, and the measured dependence
# $|\partial a_d/\partial x_j|$ of its outputs on its inputs, with random weights.
#
# **Before you run this:** the third picture has dimensions as rows and columns. What will the fourth look like, where rows and columns are
# sorted by the order?

# %%
dgm.seed_everything(0)
small_order = torch.randperm(12, generator=dgm.generator(3))
small = MADE(small_order, cyclic_degrees(12, [16]))
probes = torch.randn(64, 12, generator=dgm.generator(4))
dependence = sum(torch.autograd.functional.jacobian(lambda row: small(row[None])[0], row).abs() for row in probes)

figure, axes = plot.subplots(1, 4, width=10, height=3.3, width_ratios=[1, 1.35, 1, 1])
pictures = [
    (small.layers[0].mask, "first mask", "input", "hidden unit"),
    (small.layers[-1].mask, "last mask", "hidden unit", "output"),
    ((dependence > 0).float(), "dependence", "input", "output"),
    ((dependence > 0).float()[small_order][:, small_order], "sorted by the order", "step of the input", "step of the output"),
]
for ax, (matrix, title, xlabel, ylabel) in zip(axes, pictures):
    plot.heatmap(matrix, cmap="Blues", vmin=0, vmax=1.3, colorbar=False, xlabel=xlabel, ylabel=ylabel, title=title, ax=ax)
sorted_dependence = dependence[small_order][:, small_order]
print(f"dependence on itself or later dimensions: {float(sorted_dependence.triu().sum()):.3g}  (must be exactly 0)")
print(f"earlier dimensions used: {int((sorted_dependence.tril(-1) > 0).sum())} of 66")

# %% [markdown]
# ### Your MADE on digits
#
# Four networks with one hidden layer of 512 units, in four orders: row by row, column by column, and two random ones.
#
# The four are four different models of the same data, and one can average their *probabilities*,
# $p(x)=\frac14\sum_k p_k(x)$, which is a mixture (an "ensemble over orders"). For one image the mixture can cost at most $\ln 4\approx 1.39$ nats
# more than the best of the four. It can also be better than the best on average, since the best is another one for each image.
#
# **Before you run this:** an FVSBN reaches 18.32 nats on test. By how much will a hidden layer improve it, and will there be overfitting?

# %%
digits_train, digits_test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
made_orders = {
    "row by row": torch.arange(64),
    "column by column": torch.arange(64).reshape(8, 8).T.flatten(),
    "random": torch.randperm(64, generator=dgm.generator(0)),
    "another random": torch.randperm(64, generator=dgm.generator(1)),
}
mades, histories = {}, {}
for name, order in dgm.progress(made_orders.items(), desc="orders"):
    dgm.seed_everything(0)
    mades[name] = MADE(order, cyclic_degrees(64, [512]))
    steps = dgm.budget(smoke=20, cpu=800, gpu=800)
    histories[name] = train_made(mades[name], digits_train, steps, 128, 3e-3, dgm.generator(2))

with torch.no_grad():
    train_logs = torch.stack([made_log_prob(model, digits_train) for model in mades.values()])
    test_logs = torch.stack([made_log_prob(model, digits_test) for model in mades.values()])
plot.curves(histories, ylabel="NLL of the batch, nats", reference={"FVSBN, test": 18.32}, smooth=0.9, title="training")
expected = ("about 15.2 and 17.2", "about 15.4 and 17.2", "about 14.8 and 17.0", "about 14.7 and 17.0")
table = [("independent (Question 10)", 25.11, 25.15, ""), ("FVSBN (Question 10)", 17.46, 18.32, "")]
table += [(f"MADE, {name}", -float(a.mean()), -float(b.mean()), sane) for name, a, b, sane in zip(mades, train_logs, test_logs, expected)]
mixture_train, mixture_test = (torch.logsumexp(logs, 0) - math.log(4) for logs in (train_logs, test_logs))
table.append(("mixture of the four", -float(mixture_train.mean()), -float(mixture_test.mean()), "about 14.7 and 16.7; below 15.5 on test something leaks"))
plot.table(table, header=("NLL in nats", "train", "test", "expected after 800 steps"))

# %% [markdown]
# Samples, and two kinds of completion. Planting known bits in `uniforms` (a 0 forces a 1, a 1 forces a 0) gives a sample from the exact
# conditional distribution only if the known pixels come *first* in the order. So the network that reads rows completes lower halves,
# and the one that reads columns completes right halves. The network with a random order draws many pixels before it has seen the
# known ones: its right halves fit worse.

# %%
uniforms = torch.rand(30, 64, generator=dgm.generator(5))
below, right = uniforms.clone(), uniforms.clone()
below[:, :32] = 1 - digits_test[:30, :32]
left_half = (torch.arange(64) % 8) < 4
right[:, left_half] = 1 - digits_test[:30, left_half]
panels = [
    ("test digits", digits_test[:30]),
    ("samples, row by row", made_sample(mades["row by row"], uniforms)),
    ("lower halves completed, row by row", made_sample(mades["row by row"], below)),
    ("samples, random order", made_sample(mades["random"], uniforms)),
    ("right halves completed, column by column", made_sample(mades["column by column"], right)),
    ("right halves \"completed\", random order", made_sample(mades["random"], right)),
]
figure, axes = plot.subplots(3, 2, width=10, height=5.8)
for ax, (title, pictures) in zip(axes.flat, panels):
    plot.images(pictures.reshape(-1, 8, 8), ncols=10, vmin=-0.1, vmax=1.3, suptitle=title, ax=ax)

# %% [markdown]
# **What to remember.** A network is autoregressive if every path from input $j$ to output $d$ respects the order: $\ge$ inside, $>$ once, at the
# output. Masks live in buffers and act at every use. Evaluating costs one pass, sampling $D$ passes. Test the claim with
# gradients: allowed entries non-zero, forbidden ones exactly zero. A likelihood that looks too good usually is.

# %% [markdown]
# ## Question 12 · Masked convolutions and what they can see
# *7 points · about 60 minutes*
#
# An autoregressive image model writes the probability of an image as a product over pixels in **raster order** (row by
# row, left to right). Pixel $(i,j)$ of an image of width $W$ is number $t = iW + j$, and
#
# $$\log p(x) \;=\; \sum_{t=0}^{D-1} \log p(x_t \mid x_0, \dots, x_{t-1}). \tag{12.1}$$
#
# One convolutional network can compute all $D$ conditionals in a single pass, which makes training as cheap as training a
# classifier. The price is a promise: **the output at pixel $t$ must not depend on any pixel $\ge t$**. A network
# that breaks it does not look broken. Its loss becomes wonderfully small, because it copies the answer from the input, and
# only its samples are rubbish. So in this question you build convolutions that keep the promise, and the
# instrument that catches those that do not: gradients.
#
# **Masks.** With an odd kernel size $k$ and radius $r = (k-1)/2$, a masked convolution computes
#
# $$\text{out}_{c}(i,j) \;=\; b_c + \sum_{c'} \sum_{u=0}^{k-1}\sum_{v=0}^{k-1}
#   M_{uv}\, w_{cc'uv}\; \text{in}_{c'}(i+u-r,\; j+v-r), \tag{12.2}$$
#
# with zeros outside the image. The mask $M$ is 1 at window positions that come before the centre $(r,r)$ in raster order and
# 0 after it. Only the centre itself is a matter of **kind**:
#
# $$M^{A}_{rr} = 0, \qquad M^{B}_{rr} = 1. \tag{12.3}$$
#
# Kind A is for the first layer, where the centre is the very pixel that is to be predicted. Kind B is for all later layers:
# there the centre is a feature that has been computed from earlier pixels only, and to drop it would be a waste.
#
# **The blind spot.** Follow what a stack of $3\times3$ layers can read. One layer moves to the left in the same row, or
# up by one row and then at most one column to the right. To come $b$ columns to the right you must therefore
# climb at least $b$ rows. A pixel $a$ rows up and $b > a$ columns to the right is never reached, **however deep the
# network is**: a blind spot. The model stays valid (nothing leaks), but it ignores pixels that it is allowed to use.
#
# The next figure is pure bookkeeping of which pixels such a stack can reach; there are no weights in it.

# %%
def reach_of_stack(size, row, col, layers):
    """0/1 picture of the pixels that `layers` 3×3 masked layers (one A, then B) can reach from (row, col)."""
    first = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
    places = {(row, col)}
    for layer in range(layers):
        moves = first if layer == layers - 1 else first + [(0, 0)]   # the layer nearest the input is of kind A
        places = {(i + a, j + b) for i, j in places for a, b in moves if i + a >= 0 and 0 <= j + b < size}
    picture = np.zeros((size, size))
    for i, j in places:
        picture[i, j] = 1
    return picture


figure, axes = plot.subplots(1, 4, width=10, height=2.9)
for ax, layers in zip(axes, (1, 2, 4, 8)):
    reached = reach_of_stack(11, 6, 5, layers)
    earlier = np.arange(121).reshape(11, 11) < 6 * 11 + 5
    colours = np.where(reached == 1, 0, np.where(earlier, 1, 2))
    ax.imshow(np.array([[0.0, 0.45, 0.7], [0.9, 0.62, 0.0], [0.96, 0.96, 0.96]])[colours])
    ax.add_patch(plt.Rectangle((4.5, 5.5), 1, 1, fill=False, edgecolor="black", linewidth=2.5, zorder=4))
    ax.set_title(f"{layers} layer{'s' * (layers > 1)}")
    ax.set_xticks(np.arange(12) - 0.5, [])
    ax.set_yticks(np.arange(12) - 0.5, [])
    ax.grid(True, color="white", linewidth=0.8)
    ax.set_axisbelow(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
figure.suptitle("blue: read for the framed pixel    orange: earlier, but not read    grey: the future", fontsize=11)
plt.show()

# %% [markdown]
# Depth fills the left side, but the orange triangle on the right stays at 8 layers and at 80.
#
# **Two stacks.** The cure is to carry two feature maps through the network:
#
# * the **vertical** features $v(i,\cdot)$ know rows $< i$ only, and they know them *full width*. Since nothing in those rows is forbidden,
#   their window is a plain rectangle: the rows above the centre (kind A), and the centre's row too (kind B: the
#   *features* of row $i$ know only rows $< i$, so reading them is no leak);
# * the **horizontal** features $h(i,j)$ know what $v(i,j)$ knows and the pixels to the left in row $i$. Their window is a single row of $k$
#   positions: left of the centre (kind A), and the centre too (kind B).
#
# Information may flow from $v$ to $h$, never from $h$ to $v$: the window of $v$ at $(i,j)$ also reads places to the right, such as
# $(i,j+1)$, and $h(i,j+1)$ knows pixel $(i,j)$. (Other texts let $v(i,\cdot)$ see row $i$ and shift it down by one row on its way to $h$. Our kind-A
# window does the same.)
#
# **The gated block.** The convolutions produce $2C$ channels, and the gate turns them into $C$:
#
# $$g(a) = \tanh(a_{1\dots C}) \odot \sigma(a_{C+1\dots 2C}). \tag{12.4}$$
#
# With the masked convolutions $V$ and $H$, two ordinary $1\times1$ convolutions $L$ (link) and $O$ (out), and an optional $\beta$ (used from Question 13 on,
# but part of your answer here; without it, $\beta=0$), one block maps $(v,h)$ to $(v',h')$:
#
# $$\begin{aligned}
# a &= V v, \\
# v' &= g(a + \beta), \\
# h' &= O\, g(H h + L a + \beta) \;\;\big[\,+\, h \ \text{for kind B}\,\big].
# \end{aligned} \tag{12.5}$$
#
# $a$ has $2C$ channels, and $L$ reads it before $\beta$ is added. The bracket is a residual connection. In a block of kind A it is forbidden:
# that is the first block, where $v$ and $h$ are both the image, and adding $h$ would show every pixel to itself.
#
# ### Your task
#
# 1. `causal_mask(kind, kernel_size)` and `stack_masks(kind, kernel_size)`: the masks of (12.3) and of the two stacks, for any odd $k \ge 1$.
# 2. `MaskedConv2d`: equation (12.2). The mask must hold **whenever the layer is used**: after optimiser steps, after loading weights that
#    were never masked (those of another layer with the same mask), in a `copy.deepcopy` of the layer, in float64, and on another device. So it belongs in a buffer, called `mask`. It must not be
#    trained, nor be listed among the parameters.
# 3. `receptive_field(model, image, row, col)`: the instrument. It must work for any model and leave no trace: parameters keep the `.grad` they
#    had (usually `None`) and their `requires_grad`, the model stays in its train or eval mode, the image is not changed. (Buffers are a matter of Question 15.)
# 4. `gated_activation` and `GatedBlock.forward`: equations (12.4) and (12.5). The layers are made for you.

# %% role="answer" question="q12"
def causal_mask(kind: str, kernel_size: int) -> Float[Tensor, "k k"]:
    """Window positions that a convolution in raster order may read, equation (12.3).

    Args:
        kind: "A" (the centre is excluded) or "B" (the centre is included).
        kernel_size: odd, at least 1.

    Returns:
        (k, k) float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    mask = torch.zeros(kernel_size, kernel_size)
    radius = kernel_size // 2
    mask[:radius] = 1
    mask[radius, :radius] = 1
    mask[radius, radius] = float(kind == "B")
    return mask
    ### END SOLUTION


def stack_masks(kind: str, kernel_size: int) -> tuple[Float[Tensor, "k k"], Float[Tensor, "1 k"]]:
    """The windows of the vertical and of the horizontal stack.

    Args:
        kind: "A" or "B", see the text above.
        kernel_size: odd, at least 1.

    Returns:
        vertical, (k, k): full rows above the centre's row; with kind "B" also the centre's row, in full.
        horizontal, (1, k): positions left of the centre; with kind "B" also the centre.
        Both float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    radius = kernel_size // 2
    own = int(kind == "B")
    vertical = torch.zeros(kernel_size, kernel_size)
    vertical[: radius + own] = 1
    horizontal = torch.zeros(1, kernel_size)
    horizontal[:, : radius + own] = 1
    return vertical, horizontal
    ### END SOLUTION


class MaskedConv2d(nn.Conv2d):
    """A convolution that reads only where its mask is 1, equation (12.2). Output height and width equal the input's.

    Its parameters are those of ``nn.Conv2d``: ``weight`` (out, in, kh, kw) and ``bias`` (out,), nothing else. The mask is
    kept as the buffer ``mask``. The bias is not masked.

    Args:
        mask: (kh, kw) of zeros and ones, kh and kw odd (they may differ); or (out, in, kh, kw), a mask for each
            pair of channels. ``self.weight * mask`` broadcasts in both cases.
        in_channels: channels of the input.
        out_channels: channels of the output.
    """

    def __init__(self, mask: Tensor, in_channels: int, out_channels: int):
        height, width = mask.shape[-2:]
        assert height % 2 == 1 and width % 2 == 1, "kernel sizes must be odd, so that there is a centre"
        super().__init__(in_channels, out_channels, (height, width), padding=(height // 2, width // 2))
        ### BEGIN SOLUTION
        self.register_buffer("mask", mask.clone())
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out height width"]:
        ### BEGIN SOLUTION
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
        ### END SOLUTION

# %% role="answer" question="q12"
def receptive_field(model, image: Float[Tensor, "channel height width"], row: int, col: int) -> Float[Tensor, "height width"]:
    """How strongly the output at one pixel depends on each input pixel, measured with gradients.

    Args:
        model: maps (1, C, H, W) to (1, C', H, W); any C'.
        image: (C, H, W), where the gradient is taken.
        row, col: the output's pixel.

    Returns:
        (H, W), detached: entry (i, j) is the sum over input channels c of
        |d s / d image[c, i, j]|, where s is the sum of the model's output channels at (row, col).
    """
    ### BEGIN SOLUTION
    x = image.detach().clone().unsqueeze(0).requires_grad_()
    score = model(x)[0, :, row, col].sum()
    (gradient,) = torch.autograd.grad(score, x)
    return gradient[0].abs().sum(0)
    ### END SOLUTION

# %% role="answer" question="q12"
def gated_activation(a: Float[Tensor, "batch 2*channel height width"]) -> Float[Tensor, "batch channel height width"]:
    """tanh of the first half of the channels times sigmoid of the second half, equation (12.4).

    Must stay finite for inputs of any size, say a = 500.
    """
    ### BEGIN SOLUTION
    value, gate = a.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)
    ### END SOLUTION


class GatedBlock(nn.Module):
    """One layer of the two stacks, equation (12.5).

    Args:
        kind: "A" for the first block, whose v and h are both the image; "B" for the others.
        in_channels: channels of v and of h; equal to ``channels`` for kind "B".
        channels: channels of v' and of h'.
        kernel_size: odd.
    """

    def __init__(self, kind: str, in_channels: int, channels: int, kernel_size: int):
        super().__init__()
        assert kind == "A" or in_channels == channels, "a block of kind B keeps the number of channels"
        vertical, horizontal = stack_masks(kind, kernel_size)
        self.kind = kind
        self.vertical = MaskedConv2d(vertical, in_channels, 2 * channels)        # V
        self.horizontal = MaskedConv2d(horizontal, in_channels, 2 * channels)    # H
        self.link = nn.Conv2d(2 * channels, 2 * channels, 1)                     # L
        self.out = nn.Conv2d(channels, channels, 1)                              # O

    def forward(
        self,
        v: Float[Tensor, "batch in height width"],
        h: Float[Tensor, "batch in height width"],
        bias: Float[Tensor, "batch 2*channel 1 1"] | None = None,
    ) -> tuple[Float[Tensor, "batch channel height width"], Float[Tensor, "batch channel height width"]]:
        """Equation (12.5).

        Args:
            v, h: vertical and horizontal features.
            bias: beta of equation (12.5), added inside both gates; None means no beta.

        Returns:
            the new v and the new h.
        """
        ### BEGIN SOLUTION
        above = self.vertical(v)
        left = self.horizontal(h) + self.link(above)
        if bias is not None:
            above, left = above + bias, left + bias
        update = self.out(gated_activation(left))
        return gated_activation(above), update if self.kind == "A" else h + update
        ### END SOLUTION

# %% role="check" question="q12"
grader.check("q12")

# %% [markdown]
# ### What your networks can see
#
# Below, two networks with random weights: six plain masked layers, and six of your gated blocks. The pictures show your `receptive_field`
# for the output at row 6, column 5 of an $11 \times 11$ image, on a logarithmic scale; white means *exactly* zero.
#
# **Before you run this:** which of the two pictures has white squares above the frame, and where? Is the framed pixel itself white?

# %%
class PlainStack(nn.Module):
    """One masked layer of kind A, then kind B, with tanh between."""

    def __init__(self, layers, channels=8):
        super().__init__()
        kinds = ["A"] + ["B"] * (layers - 1)
        sizes = [1] + [channels] * layers
        self.layers = nn.ModuleList(MaskedConv2d(causal_mask(kind, 3), sizes[n], sizes[n + 1]) for n, kind in enumerate(kinds))

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


class TwoStacks(nn.Module):
    """One gated block of kind A, then kind B; the output is h."""

    def __init__(self, layers, channels=8):
        super().__init__()
        self.blocks = nn.ModuleList(
            GatedBlock("A" if n == 0 else "B", 1 if n == 0 else channels, channels, 3) for n in range(layers)
        )

    def forward(self, x):
        v = h = x
        for block in self.blocks:
            v, h = block(v, h)
        return h


torch.manual_seed(0)
image = torch.rand(1, 11, 11, generator=dgm.generator(0))
earlier = torch.arange(121).reshape(11, 11) < 6 * 11 + 5
figure, axes = plot.subplots(1, 2, width=9, height=3.7)
for ax, (name, network) in zip(axes, {"plain stack": PlainStack(6), "two stacks": TwoStacks(6)}.items()):
    seen = receptive_field(network, image, 6, 5)
    plot.receptive_field(seen, center=(6, 5), ax=ax, title=name)
    blind, leaks = int((earlier & (seen == 0)).sum()), int((~earlier & (seen > 0)).sum())
    print(f"{name:12s} earlier pixels not seen: {blind:2d} of {int(earlier.sum())}    future pixels seen: {leaks}")
print("expected: plain stack 10 not seen, two stacks 0 not seen; no future pixel is seen by either")
plt.show()

# %% [markdown]
# The gradient is a better detective than the eye: the framed pixel and everything after it must be *exactly* zero, not small. Keep
# `receptive_field` at hand; it takes one line to run on any autoregressive model before you trust its likelihood.
#
# A mask that is multiplied into `weight.data` once, when the layer is made, looks perfect in this picture. What the
# picture would show after a single step of the optimiser is the reason for point 2 of the task:

# %%
masked_once = nn.Conv2d(1, 1, 3, padding=1)
with torch.no_grad():
    masked_once.weight *= torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
before = masked_once.weight.detach()[0, 0].clone()
optimiser = torch.optim.SGD(masked_once.parameters(), lr=0.1)
noise = torch.rand(16, 1, 11, 11, generator=dgm.generator(1))
F.mse_loss(masked_once(noise), noise).backward()
optimiser.step()
figure, axes = plot.subplots(1, 2, width=7, height=3)
kernels = (before + 0, masked_once.weight.detach()[0, 0])   # adding 0 turns -0 into 0
for ax, kernel, title in zip(axes, kernels, ("kernel, masked once", "after one optimiser step")):
    plot.heatmap(kernel, annotate=True, center=0, colorbar=False, ax=ax, title=title, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# **What to remember.** Autoregressive convolution = ordinary convolution × mask, at every use. Kind A once, at the input; kind B after it, and
# no residual connection around A. A stack of masked windows has a blind spot; a vertical and a horizontal stack with one-way
# traffic have none. Whatever you build, test it with gradients: allowed pixels non-zero, forbidden ones exactly zero.

# %% [markdown]
# ## Question 13 · A PixelCNN that draws and completes digits
# *9 points · about 75 minutes*
#
# Now the blocks of Question 12 become a model of images that does four useful things: it gives exact likelihoods (so models can be
# compared), draws new images, finishes half-hidden ones, and, once it knows about labels, classifies. The same recipe with more layers
# and other tokens is behind language models and image transformers; everything here carries over to them.
#
# **Likelihood.** The images are binary, $x_t \in \{0,1\}$, and the network gives one logit $a_t$ per pixel, computed from earlier pixels
# only. With the logistic function $\sigma$,
#
# $$\log p(x) = \sum_{t=0}^{D-1} \Big[ x_t \log \sigma(a_t) + (1 - x_t) \log \sigma(-a_t) \Big] \quad\text{nats per image.} \tag{13.1}$$
#
# All $a_t$ come out of one pass. In float32 $\sigma(a)$ rounds to 1 already for $a > 17$, and $\log(1-\sigma(a))$ becomes $-\infty$, so compute (13.1) from
# the logits.
#
# **Labels.** A class label $y$ enters as a bias: with its one-hot vector $e_y \in \{0,1\}^K$ and a matrix $U_n$ for each block $n$,
#
# $$\beta_n = U_n e_y, \tag{13.2}$$
#
# the same at every pixel, added inside the gates of block $n$ (the $\beta$ of Question 12). With $U_n = 0$ the unconditional model is back.
#
# **Drawing.** Pixel $t$ needs the pixels before it, so drawing takes $D$ passes, one per pixel, in raster order. To make the result
# reproducible, the randomness comes from outside, as one uniform number $u_t$ per pixel:
#
# $$x_t = 1 \ \text{ if } \ u_t < \sigma(a_t(x_{<t}, y)), \ \text{ else } 0. \tag{13.3}$$
#
# **Completing.** Keep the observed pixels, draw the others by (13.3), still in raster order. If all hidden pixels come *after* the observed ones
# (the lower half is hidden), this is an exact draw from $p(x_\text{hidden} \mid x_\text{observed})$. With the upper half hidden it is not: a pixel is drawn
# without a look at the observed pixels that come later.
#
# **Classifying.** Bayes' rule turns the generative model into a classifier,
#
# $$\log p(y \mid x) = \log p(x \mid y) + \log p(y) - \log \sum_{y'} p(x \mid y')\, p(y'). \tag{13.4}$$
#
# It also says what a label can be worth: solved for $p(x\mid y)/p(x)$, Bayes' rule is
#
# $$\log p(x \mid y) - \log p(x) = \log \frac{p(y \mid x)}{p(y)} \le \log \frac{1}{p(y)}, \tag{13.5}$$
#
# which for ten equally frequent digits is $\ln 10 = 2.30$ nats per image, and not more.
#
# First the data, and what a model without any dependence between pixels makes of it:

# %%
def binary_images(split):
    """Images of 0 and 1 and labels: 8×8 digits, or 28×28 MNIST in the gpu profile (rendered glyphs if it is out of reach)."""
    if dgm.profile() != "gpu":
        return data.digits(split, binary="threshold")
    try:
        grey, labels = data.mnist(split)
    except data.DataUnavailable:
        grey, labels = data.glyphs(20000 if split == "train" else 2000, split=split)
    return data.binarize(grey, "threshold"), labels


train_x, train_y = binary_images("train")
test_x, test_y = binary_images("test")
pixels = train_x[0].numel()
print(f"{len(train_x)} training and {len(test_x)} test images of {pixels} pixels")

frequency = (train_x.sum(0) + 0.5) / (len(train_x) + 1)                       # each pixel on its own
by_class = torch.stack([(train_x[train_y == k].sum(0) + 0.5) / ((train_y == k).sum() + 1) for k in range(10)])
independent = -(test_x * frequency.log() + (1 - test_x) * (1 - frequency).log()).flatten(1).sum(1).mean()
naive_bayes = -(test_x * by_class[test_y].log() + (1 - test_x) * (1 - by_class[test_y]).log()).flatten(1).sum(1).mean()
print(f"independent pixels: {independent:.2f} nats per image;   independent pixels given the class: {naive_bayes:.2f}")



def ink(x):
    """Dark ink on light grey, so that the border of an image can be seen; 0.5 (hidden) becomes grey."""
    return 0.92 - 0.84 * x.cpu()


one_each = torch.stack([train_x[train_y == k][0] for k in range(10)])
noise = torch.rand(10, *train_x.shape[1:], generator=dgm.generator(0))
plot.images(
    ink(torch.cat([one_each, (noise < frequency).float(), (noise < by_class).float()])), ncols=10,
    suptitle="data  /  samples of independent pixels  /  the same, given the class",
)
plt.show()

# %% [markdown]
# The second row is what a model looks like that has every pixel's frequency exactly right, and no dependence.
#
# ### Your task
#
# 1. `PixelCNN.forward`: the image is both $v$ and $h$ of the first block; pass them through all blocks, each with its own $\beta_n$ from (13.2), and
#    apply `self.head` to the last $h$. The result is **logits**. Without labels (`y=None`) there is no $\beta$ at all.
# 2. `pixelcnn_log_prob`: equation (13.1), one number per image, finite for logits of $\pm 500$.
# 3. `train_pixelcnn`: `steps` steps of `torch.optim.Adam(model.parameters(), lr=lr)` on minibatches from
#    `data.batches((images, labels), batch_size, generator, steps=steps)` (without labels `data.batches((images,), …)`, which yields tuples of one), which reshuffles after
#    every pass through the data.
# 4. `pixelcnn_sample` and `pixelcnn_complete`: equation (13.3), pixel by pixel. *Every* pixel, also those of the first row and column.
# 5. `pixelcnn_classify`: equation (13.4).
#
# Items 2 to 5 treat the model as a black box: any module that maps images `(B, 1, H, W)` and labels `(B,)` or `None` to logits `(B, 1, H, W)`.
# Drawing, completing and classifying run **in evaluation mode and without gradients**, and leave the model in the mode it was in
# (a model with dropout would otherwise draw with half of its units switched off).

# %% role="answer" question="q13"
class PixelCNN(nn.Module):
    """A gated PixelCNN for binary images, with optional class labels.

    Args:
        channels: channels C of the features.
        layers: number of blocks of kind B after the first block, which is of kind A.
        classes: number K of classes.
        kernel_size: odd.
    """

    def __init__(self, channels: int, layers: int, classes: int = 10, kernel_size: int = 3):
        super().__init__()
        self.classes = classes
        first = GatedBlock("A", 1, channels, kernel_size)
        others = [GatedBlock("B", channels, channels, kernel_size) for _ in range(layers)]
        self.blocks = nn.ModuleList([first, *others])
        self.label_maps = nn.ModuleList(nn.Linear(classes, 2 * channels, bias=False) for _ in self.blocks)   # U_n
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 1, 1))

    def forward(
        self, x: Float[Tensor, "batch 1 height width"], y: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch 1 height width"]:
        """Logits of all pixels in one pass.

        Args:
            x: images of zeros and ones.
            y: labels 0, ..., K-1 (int64), one per image; None for the unconditional model. A batch need not contain all classes.

        Returns:
            logits; the one at (i, j) depends on earlier pixels and on the label only.
        """
        ### BEGIN SOLUTION
        v = h = x
        for block, label_map in zip(self.blocks, self.label_maps):
            bias = None
            if y is not None:
                one_hot = F.one_hot(y, self.classes).to(x.dtype)
                bias = label_map(one_hot)[:, :, None, None]
            v, h = block(v, h, bias)
        return self.head(h)
        ### END SOLUTION


def pixelcnn_log_prob(
    model, x: Float[Tensor, "batch 1 height width"], y: Int[Tensor, "batch"] | None = None
) -> Float[Tensor, "batch"]:
    """log p(x | y) of each image in nats, equation (13.1); log p(x) if y is None. Differentiable.

    The model is used in the mode (training or evaluation) that it is in, and keeps it.

    Args:
        model: ``model(x, y)`` gives logits (B, 1, H, W).
        x: images of zeros and ones.
        y: labels, or None.

    Returns:
        (B,), one number per image: the sum over its pixels.
    """
    ### BEGIN SOLUTION
    loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")
    return -loss.flatten(1).sum(1)
    ### END SOLUTION

# %% role="answer" question="q13"
def train_pixelcnn(
    model,
    images: Float[Tensor, "n 1 height width"],
    labels: Int[Tensor, "n"] | None,
    steps: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> list[float]:
    """Maximum likelihood with Adam. Trains ``model`` in place, in training mode, and may leave it in that mode.

    Args:
        model: see above; its parameters are changed.
        images, labels: training data; with ``labels=None`` the model is trained without labels.
        steps: number of optimiser steps.
        batch_size: images per step; a pass shows every image once, so its last batch may be smaller.
        lr: learning rate of Adam, other settings as in torch.
        generator: decides the order of the data, anew for every pass; nothing else is random here.

    Returns:
        ``steps`` floats: the minibatch's mean of -log p in nats per image, each taken before its step.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    tensors = (images,) if labels is None else (images, labels)
    history = []
    for batch in data.batches(tensors, batch_size, generator, steps=steps):
        loss = -pixelcnn_log_prob(model, *batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return history
    ### END SOLUTION

# %% role="answer" question="q13"
def pixelcnn_complete(
    model,
    images: Float[Tensor, "batch 1 height width"],
    observed: Bool[Tensor, "batch 1 height width"],
    uniforms: Float[Tensor, "batch 1 height width"],
    labels: Int[Tensor, "batch"] | None = None,
) -> Float[Tensor, "batch 1 height width"]:
    """Draw the hidden pixels in raster order, equation (13.3); observed pixels stay and are seen by the pixels after them.

    Args:
        model: see above. Left in the mode (training or evaluation) that it was in.
        images: zeros and ones; not changed. The values of hidden pixels must not matter: start from zeros there.
        observed: (B, 1, H, W) bool, True where the pixel is given.
        uniforms: numbers in [0, 1), one per pixel (those of observed pixels are not used).
        labels: classes to draw, or None.

    Returns:
        a new tensor of zeros and ones.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    x = images * observed
    with torch.no_grad():
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                p = torch.sigmoid(model(x, labels)[:, :, i, j])
                drawn = (uniforms[:, :, i, j] < p).to(x.dtype)
                x[:, :, i, j] = torch.where(observed[:, :, i, j], x[:, :, i, j], drawn)
    model.train(was_training)
    return x
    ### END SOLUTION


def pixelcnn_sample(
    model, uniforms: Float[Tensor, "batch 1 height width"], labels: Int[Tensor, "batch"] | None = None
) -> Float[Tensor, "batch 1 height width"]:
    """Draw images in raster order from nothing, equation (13.3).

    Args:
        model: see above. Left in the mode that it was in.
        uniforms: numbers in [0, 1), one per pixel.
        labels: classes to draw, or None.

    Returns:
        images of zeros and ones, as floats, in the shape of ``uniforms``.
    """
    ### BEGIN SOLUTION
    nothing = torch.zeros_like(uniforms)
    return pixelcnn_complete(model, nothing, nothing.bool(), uniforms, labels)
    ### END SOLUTION

# %% role="answer" question="q13"
def pixelcnn_classify(
    model, images: Float[Tensor, "batch 1 height width"], log_prior: Float[Tensor, "classes"]
) -> Float[Tensor, "batch classes"]:
    """Bayes' rule, equation (13.4), in evaluation mode and without gradients.

    Args:
        model: a class-conditional model with K classes. Left in the mode that it was in.
        images: zeros and ones.
        log_prior: (K,), log p(y).

    Returns:
        (B, K), log p(y | x): finite even where log p(x | y) is -1000, and every row's exponentials sum to 1.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        columns = []
        for k in range(len(log_prior)):
            y = torch.full((len(images),), k, device=images.device)
            columns.append(pixelcnn_log_prob(model, images, y) + log_prior[k])
    model.train(was_training)
    return torch.log_softmax(torch.stack(columns, dim=1), dim=1)
    ### END SOLUTION

# %% role="check" question="q13"
grader.check("q13")

# %% [markdown]
# ### Training, twice
#
# The same network, once with labels and once without.
#
# **Before you run this:** which model has the lower loss, and by how much can the label help, at most, in the best of worlds? Look at (13.5).
# The third line of the table makes an unconditional model out of the conditional one, $p(x) = \sum_y p(x \mid y)\, p(y)$. Where will it lie?
#
# (About 40 seconds on one CPU core. In the `gpu` profile the network is larger and trains six times as long: about two minutes on a T4,
# by estimate.)

# %%
import time

device = dgm.device()
steps = dgm.budget(smoke=3, cpu=500, gpu=3000)
channels, layers, kernel = dgm.budget(smoke=(4, 1, 3), cpu=(24, 4, 5), gpu=(32, 6, 5))
rate = dgm.budget(smoke=5e-3, cpu=3e-3, gpu=2e-3)


def trained_pixelcnn(labels):
    """A trained network and its history; the same start and the same batches with and without labels.

    The last sixth of the steps has a tenth of the learning rate: the noise of the minibatches then averages out.
    """
    dgm.seed_everything(0)
    network = PixelCNN(channels, layers, 10, kernel).to(device)
    start = time.perf_counter()
    history = train_pixelcnn(network, train_x.to(device), labels, steps, 64, rate, dgm.generator(0))
    history += train_pixelcnn(network, train_x.to(device), labels, max(1, steps // 5), 64, rate / 10, dgm.generator(1))
    print(f"{len(history)} steps in {time.perf_counter() - start:.0f} s, last loss {history[-1]:.2f} nats per image")
    return network, history


def batched(function, *tensors, size=256):
    """Apply a function of minibatches, without gradients, and put the results together on the CPU."""
    with torch.no_grad():
        parts = [function(*(t.to(device) for t in part)).cpu() for part in data.batches(tensors, size, None)]
    return torch.cat(parts)


conditional, history_with = trained_pixelcnn(train_y.to(device))
unconditional, history_without = trained_pixelcnn(None)
plot.curves(
    {"with labels": history_with, "without": history_without}, ylabel="nats per image", smooth=0.95,
    reference={"independent pixels": float(independent)}, title="training loss",
)
plt.show()

# %%
log_prior = torch.full((10,), -math.log(10))


def joint(x):
    """log p(x, y) for all ten y, (batch, 10)."""
    columns = [pixelcnn_log_prob(conditional, x, torch.full((len(x),), k, device=x.device)) for k in range(10)]
    return torch.stack(columns, 1) + log_prior.to(x.device)


conditional.eval()
unconditional.eval()
test_joint = batched(joint, test_x)
scores = {
    "log p(x | y)": batched(lambda x, y: pixelcnn_log_prob(conditional, x, y), test_x, test_y),
    "log p(x), trained without labels": batched(lambda x: pixelcnn_log_prob(unconditional, x), test_x),
    "log p(x), mixture of the ten classes": test_joint.logsumexp(1),
}
plot.table(
    [[name, float(-s.mean()), float(-s.mean() / pixels / math.log(2))] for name, s in scores.items()],
    header=["test images", "nats per image", "bits per pixel"],
)
print("expected on 8×8 digits (cpu profile): about 13.5, 16.8 and 15.7 nats; below 12 something leaks")

# %% [markdown]
# The mixture must lie at most $\ln 10 = 2.30$ nats above the conditional model, by (13.5). After equally many
# steps it even beats the network that was *trained* without labels: the label tells the network what to look for, and can be summed out afterwards.
#
# **Drawing.** One column per class, all from the conditional model.

# %%
labels = torch.arange(10).repeat(6)
uniforms = torch.rand(60, *train_x.shape[1:], generator=dgm.generator(1))
drawn = pixelcnn_sample(conditional, uniforms.to(device), labels.to(device))
plot.images(ink(drawn), ncols=10, suptitle="samples of the classes 0 to 9")
plt.show()

# %% [markdown]
# **Completing.** The lower half of five test images (0, 3, 5, 7, 9) is hidden. Next to it the completions: four without a label, the last one
# with the label of *another* class, one higher (0 after 9). **Before you run this:** what will the model do with the upper half of a 7 and the label 8?

# %%
chosen = torch.stack([(test_y == k).nonzero()[0, 0] for k in (0, 3, 5, 7, 9)])
originals, classes = test_x[chosen].to(device), test_y[chosen].to(device)
observed = torch.zeros_like(originals, dtype=torch.bool)
observed[:, :, : originals.shape[2] // 2] = True
columns = [originals, torch.where(observed, originals, 0.5)]
for n in range(5):
    uniforms = torch.rand(originals.shape, generator=dgm.generator(10 + n)).to(device)
    if n < 4:
        columns.append(pixelcnn_complete(unconditional, originals, observed, uniforms))
    else:
        columns.append(pixelcnn_complete(conditional, originals, observed, uniforms, (classes + 1) % 10))
kept = all(bool((c == originals)[observed].all()) for c in columns[2:])
print("observed pixels unchanged:", kept)
plot.images(
    ink(torch.stack(columns, 1).flatten(0, 1)), ncols=7,
    suptitle="columns: image, what is seen, completions 1 to 4, completion with the next label",
)
plt.show()

# %% [markdown]
# **Classifying.** Nobody trained a classifier, and here is one:

# %%
posterior = batched(lambda x: pixelcnn_classify(conditional, x, log_prior.to(device)), test_x)
accuracy = float((posterior.argmax(1) == test_y).float().mean())
naive = (test_x[:, None] * by_class.log() + (1 - test_x[:, None]) * (1 - by_class).log()).flatten(2).sum(2).argmax(1)
print(f"accuracy of the Bayes classifier: {accuracy:.1%}   (independent pixels given the class: {float((naive == test_y).float().mean()):.1%})")
print("expected on 8×8 digits (cpu profile): about 95 to 96 %")
confusion = torch.zeros(10, 10)
for true, guess in zip(test_y, posterior.argmax(1)):
    confusion[true, guess] += 1
figure, axes = plot.subplots(1, 2, width=10, height=4)
plot.heatmap(confusion, xlabel="guess", ylabel="true class", annotate=True, colorbar=False, ax=axes[0], title="test images",
             xticks=range(10), yticks=range(10))
middle = train_x.shape[-1] // 2
seen = receptive_field(unconditional, test_x[0].to(device), middle, middle)
plot.receptive_field(seen, center=(middle, middle), ax=axes[1], title="what the trained network looks at")
plt.show()

# %% [markdown]
# **What to remember.** Likelihood: one pass; drawing: one pass per pixel. Completion is exact only if what is hidden comes last. A label enters as
# a bias in every layer and is worth at most $\log 1/p(y)$ nats. If your likelihood is better than anybody else's, check the gradient map
# (right) before you celebrate.

# %% [markdown]
# ## Question 14 · Honest evaluation, and the whole set in one table
# *6 points, 2 of them for a written answer · about 40 minutes*
#
# A test number is a measurement, and can be wrong like any other. The usual accidents are small and silent: dropout left on while testing, a short last
# batch that counts like a full one, the best of twenty checkpoints picked *on the test set*. Here you write the measuring
# instruments; then all models of this set go into one table.
#
# **The last batch.** Split $N$ test examples into batches $B_1,\dots,B_J$. The mean NLL is
#
# $$\frac1N\sum_{n=1}^N \ell_n=\sum_{j=1}^J\frac{|B_j|}{N}\;\frac{1}{|B_j|}\sum_{n\in B_j}\ell_n, \tag{14.1}$$
#
# a mean of batch means *weighted by their sizes*. Without the weights, the examples of a short last batch count more than the others, and the result
# depends on the batch size and on the order of the data. Neither may matter.
#
# **Two modes.** A network with dropout or batch normalisation is another function in training mode. Evaluate in evaluation mode, and put the mode back: the
# caller may be in the middle of training.
#
# **How sure is a difference?** Two models $a,b$ are scored on the *same* test examples. With $d_n=\ell^a_n-\ell^b_n$,
#
# $$\bar d=\frac1N\sum_{n=1}^N d_n,\qquad \operatorname{se}(\bar d)=\frac{s_d}{\sqrt N},\qquad s_d^2=\frac1{N-1}\sum_{n=1}^N(d_n-\bar d)^2. \tag{14.2}$$
#
# Since $\operatorname{Var}[d]=\operatorname{Var}[\ell^a]+\operatorname{Var}[\ell^b]-2\operatorname{Cov}[\ell^a,\ell^b]$, and an image that is hard for one model is hard for the other, this
# is often far smaller than the error bars of the two means suggest. The error bar says how the difference would vary with *another test set*, not with another
# training run.
#
# **Selection.** The best of many noisy scores is biased. Here are 20 models that are all equally good, true NLL 20; each has a validation and
# a test score from 360 images, with a standard deviation of 5 nats per image and independent errors. **Before you run this:** where is the mean of the *reported* numbers on the left, where on the right?

# %%
noisy = 20 + 5 / math.sqrt(360) * torch.randn(2, 4000, 20, generator=dgm.generator(0))   # (validation or test, repetition, model)
best_on_test = noisy[1].amin(1)
best_on_validation = noisy[1].gather(1, noisy[0].argmin(1, keepdim=True)).squeeze(1)
figure, axes = plot.subplots(1, 2, width=10, height=3.1, sharey=True)
for ax, reported, title in ((axes[0], best_on_test, "best test score of 20"), (axes[1], best_on_validation, "test score of the best on validation")):
    ax.hist(reported.numpy(), bins=50, range=(18.8, 21.2), color=plot.COLORS[0])
    ax.axvline(20, color="black", linestyle=":", label="truth (20)")
    ax.axvline(float(reported.mean()), color=plot.COLORS[1], linestyle="--", label=f"mean reported ({float(reported.mean()):.2f})")
    ax.set(xlabel="NLL reported, nats", yticks=[], title=title)
    ax.legend(loc="upper right")
plt.show()

# %% [markdown]
# Half a nat, as much as many a published improvement, from nothing but looking.
#
# ### Your task
#
# A **scorer** is an `nn.Module` with `model(x)` = the NLL of each example, shape `(B,)`. It may contain dropout and batch normalisation.
#
# - `evaluate`: (14.1), in evaluation mode, without building a graph for gradients. It leaves nothing behind: the mode, the batch-norm statistics and the `.grad` of the
#   parameters are as before. Tested with a short last batch, permuted data, and a batch size larger than $N$.
# - `train_and_log`: the loop that everybody writes, with both curves logged right.
# - `paired_difference`: (14.2).
# - `select_on_validation`: choose without looking at the test set. A diverged model has NLLs that are NaN or $+\infty$; it must not win.

# %% role="answer" question="q14"
def evaluate(model: nn.Module, x: Float[Tensor, "N ..."], batch_size: int) -> float:
    """Mean NLL over all examples, equation (14.1), in evaluation mode and without gradients.

    Args:
        model: a scorer. All its parts are in the same mode, and are left in that mode.
        x: all N examples; at most ``batch_size`` of them go through the model at once.
        batch_size: need not divide N.

    Returns:
        One Python float, the same for every order of the examples and every batch size (up to rounding).
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.no_grad():
        for batch in data.batches(x, batch_size, None):
            total += model(batch).sum().item()
    model.train(was_training)
    return total / len(x)
    ### END SOLUTION


def train_and_log(
    model: nn.Module,
    train_x: Float[Tensor, "N ..."],
    test_x: Float[Tensor, "T ..."],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
) -> tuple[list[float], list[float]]:
    """Train with plain SGD, ``torch.optim.SGD(model.parameters(), lr=learning_rate)``, in training mode; log both losses.

    Args:
        model: a scorer, changed in place. It may arrive in either mode, and be left in either.
        train_x: each epoch is one pass ``data.batches(train_x, batch_size, generator)``, with a short last batch.
        test_x: evaluated with ``evaluate(model, test_x, batch_size)``.
        epochs: number of passes, at least 1.

    Returns:
        (train_losses, test_losses), lists of floats. Train: the mean NLL of each batch, in training mode, before its
        step; one entry per step. Test: before the first step and after each epoch; epochs + 1 entries.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)
    train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]
    for _ in range(epochs):
        model.train()
        for batch in data.batches(train_x, batch_size, generator):
            loss = model(batch).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            train_losses.append(loss.item())
        test_losses.append(evaluate(model, test_x, batch_size))
    return train_losses, test_losses
    ### END SOLUTION

# %% role="answer" question="q14"
def paired_difference(nll_a: Float[Tensor, "N"], nll_b: Float[Tensor, "N"]) -> tuple[float, float]:
    """Mean of ``nll_a - nll_b`` over the examples and its standard error, equation (14.2). N is at least 2."""
    ### BEGIN SOLUTION
    difference = nll_a - nll_b
    return difference.mean().item(), difference.std().item() / math.sqrt(len(difference))
    ### END SOLUTION


def select_on_validation(validation_nll: Float[Tensor, "M V"], test_nll: Float[Tensor, "M T"]) -> tuple[int, float]:
    """Choose the model with the lowest mean validation NLL; report its mean test NLL.

    Args:
        validation_nll: NLLs of M models (rows) on V validation examples. Rows may contain NaN or +inf; such a model
            is not chosen. At least one row is finite, and there are no ties.
        test_nll: NLLs of the same models on T test examples.

    Returns:
        (index of the chosen model, its mean test NLL)
    """
    ### BEGIN SOLUTION
    means = validation_nll.mean(1)
    means = torch.where(means.isfinite(), means, math.inf)
    chosen = int(means.argmin())
    return chosen, test_nll[chosen].mean().item()
    ### END SOLUTION

# %% role="check" question="q14"
grader.check("q14")

# %% [markdown]
# ### Two curves, logged right
#
# A scorer with dropout: a small network that predicts the pixels of the lower half of a digit from its upper half.
# **Before you run this:** train loss is measured with dropout on, test loss without. Can the test curve lie *below* the train curve?

# %%
class LowerHalf(nn.Module):
    """NLL in nats of the lower half of a binary digit given its upper half."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 32))

    def forward(self, x: Float[Tensor, "N 64"]) -> Float[Tensor, "N"]:
        logits = self.network(x[:, :32])
        return F.binary_cross_entropy_with_logits(logits, x[:, 32:], reduction="none").sum(1)


table_train, table_train_labels = data.digits("train", binary="threshold")
table_test, table_test_labels = data.digits("test", binary="threshold")
table_train, table_test = table_train.flatten(1), table_test.flatten(1)
dgm.seed_everything(0)
lower_half = LowerHalf()
curve_epochs = dgm.budget(smoke=2, cpu=40, gpu=40)
step_losses, epoch_losses = train_and_log(lower_half, table_train, table_test, curve_epochs, 100, 0.05, dgm.generator(0))
lower_half.eval()
train_again = evaluate(lower_half, table_train, 100)
steps_per_epoch = math.ceil(len(table_train) / 100)
plot.curves({
    "train, each batch, dropout on": (np.arange(len(step_losses)) / steps_per_epoch, step_losses),
    "test, after each epoch, dropout off": (np.arange(len(epoch_losses)), epoch_losses),
}, xlabel="epoch", ylabel="NLL of the lower half, nats", reference={"train set, dropout off, at the end": train_again})
plt.show()
print(f"{len(step_losses)} train and {len(epoch_losses)} test values (expected {curve_epochs * steps_per_epoch} and {curve_epochs + 1})")
print(f"test at the end {epoch_losses[-1]:.2f} (expected in a full run: about 10.2)")

# %% [markdown]
# Yes, it can. The two curves differ in two ways at once, the data and the mode. Only the dashed line, the *training* set in
# evaluation mode, can be compared with the test curve.
#
# ### The whole set in one table
#
# All models that you have trained, in bits per dimension on the 360 held-out $8\times8$ digits. Two tables, for there are two kinds of data: **binary**
# pixels (a uniform guess costs 1 bit), and the 17 **grey levels**, dequantised (a uniform guess costs $\log_2 17=4.09$ bits, and each value
# is an upper bound on what a code would need, Question 1). Nothing is trained again but a mixture of Gaussians with EM, since Question 3 fitted other data.
# Questions without an answer, or whose picture cells were not run, leave a gap.
#
# **Before you run this:** order the models of each table. Which pairs does theory order *on the training set*, and which only experience?

# %%
def conditional_mixture(x):
    """NLL of the class-conditional PixelCNN with the label summed out."""
    columns = [pixelcnn_log_prob(conditional, x, torch.full((len(x),), k, device=x.device)) for k in range(10)]
    return math.log(10) - torch.stack(columns).logsumexp(0)


def pixelcnn_nll(function):
    """Score images (N, 64) with the PixelCNNs of Question 13, if they were trained on 8×8 digits."""
    if dgm.profile() == "gpu":
        raise RuntimeError("trained on 28×28 images in the gpu profile: another data set")
    modes = conditional.training, unconditional.training
    conditional.eval(), unconditional.eval()
    with torch.no_grad():
        result = function(table_test.reshape(-1, 1, 8, 8).to(next(conditional.parameters()).device))
    conditional.train(modes[0]), unconditional.train(modes[1])
    return result


def bernoulli_by_class():
    """Naive Bayes with the class summed out: a mixture of ten independent models."""
    counts = torch.bincount(table_train_labels, minlength=10)
    theta = torch.stack([(table_train[table_train_labels == k].sum(0) + 1) / (counts[k] + 2) for k in range(10)])
    log_joint = (counts / counts.sum()).log() + table_test @ theta.log().T + (1 - table_test) @ (1 - theta).log().T
    return -log_joint.logsumexp(1)


def independent_bernoulli():
    theta = (table_train.sum(0) + 1) / (len(table_train) + 2)
    return -(table_test @ theta.log() + (1 - table_test) @ (1 - theta).log())


def dequantised_mixture(components=10):
    """EM on dequantised digits, Question 3; the floor is the variance of the dequantisation noise."""
    x, floor = dequantised_digits("train", seed=0)[0], 1 / (12 * 17**2)
    log_weights, means, covs = init_gmm(x, K=components, generator=dgm.generator(0))
    start = log_weights, means, covs + floor * torch.eye(64)
    parameters, _ = fit_gmm_em(x, *start, steps=dgm.budget(smoke=2, cpu=40, gpu=40), floor=floor)
    return -gmm_log_prob(grey_levels_test, *parameters)


grey_levels_test = dequantised_digits("test", seed=1)[0]
binary_rows = {
    "uniform": lambda: torch.full((360,), 64 * math.log(2)),
    "independent pixels": independent_bernoulli,
    "independent given a class, summed out (Q7)": bernoulli_by_class,
    "FVSBN (Q10)": lambda: -fvsbn_log_prob(table_test, *fvsbn),
    "MADE, row by row (Q11)": lambda: -made_log_prob(mades["row by row"], table_test),
    "MADE, mixture of four orders (Q11)": lambda: math.log(4) - torch.stack([made_log_prob(m, table_test) for m in mades.values()]).logsumexp(0),
    "PixelCNN (Q13)": lambda: pixelcnn_nll(lambda x: -pixelcnn_log_prob(unconditional, x)),
    "PixelCNN with labels, summed out (Q13)": lambda: pixelcnn_nll(conditional_mixture),
    "PixelCNN, is TOLD the label (Q13)": lambda: pixelcnn_nll(lambda x: -pixelcnn_log_prob(conditional, x, table_test_labels.to(x.device))),
}
grey_rows = {
    "uniform": lambda: torch.zeros(360),
    "diagonal Gaussian (Q1)": lambda: -gaussian_log_prob(grey_levels_test, pixel_mean, pixel_logvar),
    "full Gaussian (Q2)": lambda: -mvn_log_prob(grey_levels_test, digit_mean, digit_cov),
    "mixture of ten full Gaussians (Q3)": dequantised_mixture,
}


def change_to(above, bits):
    """Your paired difference, or nothing if there is no row above or no answer yet."""
    try:
        return (None, None) if above is None else paired_difference(bits, above)
    except NotImplementedError:
        return None, None


def score_table(rows, levels, expected):
    """Bits per dimension with standard errors, and the paired difference to the row above; a failing row leaves a gap."""
    scores, lines, above = {}, [], None
    for (name, score), sane in zip(rows.items(), expected, strict=True):
        try:
            with torch.no_grad():
                nll = score().detach().cpu()
            if nll.shape != (360,) or not bool(nll.isfinite().all()):
                raise ValueError("not 360 finite numbers")
            bits = (nll / 64 + math.log(levels)) / math.log(2)
            change, change_error = change_to(above, bits)
            lines.append((name, float(bits.mean()), float(bits.std()) / math.sqrt(360), change, change_error, sane))
            scores[name] = above = bits
        except Exception as error:
            missing = f"not run yet: {error.name}" if isinstance(error, NameError) else "not answered yet"
            reason = missing if isinstance(error, (NameError, NotImplementedError)) else f"no value: {error}"[:60]
            lines.append((name, None, None, None, None, reason))
    plot.table(lines, header=("", "bits/dim", "± se", "change to the row above", "± paired se", "expected"))
    print()
    return scores


print("BINARY PIXELS, test set")
binary_scores = score_table(binary_rows, 1, (
    "1 exactly", "0.567", "0.454", "0.413", "0.388", "0.376", "0.379", "0.354", "0.304",
))
print("GREY LEVELS, dequantised, test set")
grey_scores = score_table(grey_rows, 17, ("4.087 exactly", "3.381", "2.940", "2.81"))

# %% [markdown]
# What theory says. *On training data* and at the optimum, a family that contains another is at least as good: independent pixels are an FVSBN with $W=0$, and a diagonal
# covariance is a full one. On test data, and between FVSBN, MADE and PixelCNN, which contain each other only roughly and are trained for a limited time, this is
# experience: each of these families says more about images than the one before, and here that order shows. The PixelCNN shares its filters between all places and beats the MADEs that read
# rows or columns; against those with a random order (0.003 ± 0.003 bits, not in the table) the test set does not decide, and four MADEs averaged come level with
# it. Labels, even summed out, help more than either. Two more numbers are theory, image by image: a mixture of four costs at most
# $\log_2 4/64=0.031$ bits more than the best of the four, and being told the label gains at most $\log_2 10/64=0.052$ bits over the same model with the label summed out.
#
# The last cell shows why the paired error is the one to use. **Before you run this:** what does the cloud on the right look like if images that are hard for one model are
# hard for the other?

# %%
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8, width_ratios=[1.5, 1])
names = list(binary_scores)[::-1]
for row, name in enumerate(names):
    bits = binary_scores[name]
    told = "TOLD" in name
    left.errorbar(float(bits.mean()), row, xerr=2 * float(bits.std()) / math.sqrt(360), fmt="s" if told else "o", capsize=3, color=plot.COLORS[1] if told else plot.COLORS[0])
left.set_yticks(range(len(names)), [name.replace(" (", "\n(") if len(name) > 30 else name for name in names], fontsize=8)
left.set(xlabel="bits per dimension on test, ± 2 se", title="binary digits")
pair = [name for name in ("FVSBN (Q10)", "MADE, row by row (Q11)") if name in binary_scores]
if len(pair) == 2:
    a, b = (binary_scores[name] for name in pair)
    right.plot(a, b, "o", markersize=3, alpha=0.5, color=plot.COLORS[0])
    ends = [float(min(a.min(), b.min())), float(max(a.max(), b.max()))]
    right.plot(ends, ends, "--", color="black", linewidth=1)
    right.set(xlabel=pair[0] + ", bits/dim", ylabel=pair[1] + ", bits/dim", title="one dot per test image")
    unpaired = math.sqrt(float(a.var() + b.var()) / 360)
    mean, error = (math.nan if value is None else value for value in change_to(b, a))
    print(f"{pair[0]} minus {pair[1]}: {mean:.4f} ± {error:.4f} paired; ± {unpaired:.4f} if you forget the pairing")
    print("expected in a full run: 0.0244 ± 0.0022 paired; ± 0.0074")
plt.show()

# %% [markdown]
# ### In your own words (2 points, graded by a person)
#
# In at most ten lines: which numbers in the two tables may be compared with each other, and which may not, and why? Think of the data (binary, dequantised), of what a model
# is told, of train and test, and of what has been chosen by looking at the test set. (These 360 digits have appeared on nearly every page of this notebook.)
# One point is for which may be compared and why; one for what the label, and the repeated use of the test set, do to that.

# %% [markdown] role="written" question="q14"
# ### BEGIN SOLUTION
# Only numbers for the same random variable on the same test images can be compared. Within the binary table: all rows but the last are -log p(x) of the same 0/1 images. Within the grey
# table: all are -log-densities of the same dequantised images, with the offset log2 17, so they are upper bounds on the bits of the levels. Between the tables nothing can be
# compared: a thresholded image contains less information than one with 17 levels, and one number is a probability and the other a bound. Binarising by chance instead of by a threshold would
# be a third data set.
#
# "Told the label" is -log p(x | y). It is not a better model of x; the same network with the label summed out is, and may be compared with the others (though it has used the labels in training).
#
# Differences are judged by the paired standard error. It covers the choice of test images, not the training seed. And training values must not be put next to test values. We have
# looked at this test set again and again, and architectures and numbers of steps in this notebook were chosen knowing its scores, so small differences are biased
# in favour of what we kept; a fair final comparison needs a validation set for all choices and a test set used once.
# ### END SOLUTION

# %% [markdown]
# **What to remember.** Sum over examples, divide once. Evaluation mode, no gradients, mode restored. Compare models in pairs, with an error bar. Choose on validation, report on
# test. And before comparing two likelihoods ask: of which random variable, in which unit, on which examples?

# %% [markdown]
# ## Question 15 · Bonus: colour
# *5 bonus points · about 40 minutes*
#
# A colour image has three values at every pixel, and they agree most of the time: where red is bright, green usually is too. A model that draws
# the three independently of each other gets speckled colours and pays for it in likelihood. So the chain rule goes on **inside** the
# pixel: red first, green given red, blue given both. Number the $D = 3HW$ values pixel by pixel in raster order, and R, G, B within a pixel,
#
# $$n = 3\,(iW + j) + c, \qquad c = 0, 1, 2 \ \text{for R, G, B}, \qquad \log p(x) = \sum_{n=0}^{D-1} \log p(x_n \mid x_0, \dots, x_{n-1}). \tag{15.1}$$
#
# **Masks with channels.** Hidden layers have $C$ channels, $C$ a multiple of 3: the first third belongs to red, the second to green, the last to
# blue. Let $\gamma(\cdot) \in \{0,1,2\}$ be the colour of a channel. Window positions before the centre are open for every pair of channels and those after it closed.
# At the centre, from input channel $c'$ to output channel $c$,
#
# $$M^{A}_{cc'} = [\gamma(c') < \gamma(c)], \qquad M^{B}_{cc'} = [\gamma(c') \le \gamma(c)]. \tag{15.2}$$
#
# Kind A is the first layer: green may read the red *value* of its own pixel, blue may read red and green, and no colour reads itself.
#
# **Normalisation leaks.** A normalisation layer divides by statistics, and whatever enters the statistics becomes visible at all places that are divided by
# them. Feature number $n$ may only be mixed with features $\le n$ (the strict $<$ was spent at the input). The next figure is bookkeeping again: which features share
# statistics, for an image of $2 \times 2$ pixels with one feature per colour, so 12 values. Orange is on the wrong side of the diagonal.

# %%
number = np.arange(12)
pixel, colour = number // 3, number % 3
same_pixel, same_colour = pixel[:, None] == pixel, colour[:, None] == colour
shared = {
    "LayerNorm over C, H, W": np.ones((12, 12), bool),
    "BatchNorm (training)": same_colour,
    "LayerNorm over C,\nat each pixel": same_pixel,
    "at each pixel,\nfor each colour": same_pixel & same_colour,
}
figure, axes = plot.subplots(1, 4, width=10, height=3.1)
for ax, (name, together) in zip(axes, shared.items()):
    later = number[None, :] > number[:, None]
    ax.imshow(np.array([[0.96, 0.96, 0.96], [0.0, 0.45, 0.7], [0.9, 0.62, 0.0]])[together * (1 + later)])
    ax.set_title(name, fontsize=10)
    ax.spines[:].set_visible(False)
    ax.set_xticks(number, list("RGB" * 4), fontsize=8)
    ax.set_yticks(number, list("RGB" * 4), fontsize=8)
    ax.tick_params(length=0)
    ax.grid(False)
figure.suptitle("row: output, column: feature that it shares statistics with", fontsize=10)
plt.show()

# %% [markdown]
# Three of the four leak. The third one is the treacherous one: normalising over all channels of one pixel is fine for grey images, but here the red
# features get divided by a statistic of the blue ones, and those have read the red value. BatchNorm has one more trick: in evaluation mode it
# uses stored statistics and looks innocent. A leak test must look at the model **in the mode that it is trained in**.
#
# The safe choice normalises, at each pixel, the $m = C/3$ channels $a_1, \dots, a_m$ of each colour, with a gain $g_c$ and an offset $o_c$ for each of the $C$ channels:
#
# $$\mu = \frac1m \sum_k a_k, \qquad s^2 = \frac1m \sum_k (a_k - \mu)^2, \qquad
#   a_k \leftarrow g_k\, \frac{a_k - \mu}{\sqrt{s^2 + 10^{-5}}} + o_k. \tag{15.3}$$
#
# ### Your task
#
# 1. `colour_mask`: equation (15.2), for any odd kernel size and any multiples of 3. It goes into the `MaskedConv2d` of Question 12.
# 2. `ColourNorm.forward`: equation (15.3). With one channel per colour ($m = 1$) the result is the offset; nothing may become NaN.
# 3. `dependence_matrix`: the leak test for colour models, $D \times D$ in the numbering of (15.1). A valid model has a **strictly lower triangular** matrix.
#    Test the model in the mode that it is in, and leave no trace: the parameters' `.grad`, the mode, and also the buffers (a pass in training
#    mode changes the running statistics of a BatchNorm; one way out is to test `copy.deepcopy(model)`).

# %% role="answer" question="q15"
import copy


def colour_mask(kind: str, in_channels: int, out_channels: int, kernel_size: int) -> Float[Tensor, "out in k k"]:
    """Mask of a convolution that respects raster order and, within a pixel, the order R, G, B.

    Args:
        kind: "A" or "B", equation (15.2).
        in_channels, out_channels: multiples of 3; the first third is red, the second green, the last blue.
        kernel_size: odd, at least 1.

    Returns:
        (out_channels, in_channels, k, k) float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    colour_in = torch.arange(in_channels) * 3 // in_channels
    colour_out = torch.arange(out_channels) * 3 // out_channels
    centre = colour_in[None, :] < colour_out[:, None]
    if kind == "B":
        centre = colour_in[None, :] <= colour_out[:, None]
    mask = torch.zeros(out_channels, in_channels, kernel_size, kernel_size)
    radius = kernel_size // 2
    mask[:, :, :radius] = 1
    mask[:, :, radius, :radius] = 1
    mask[:, :, radius, radius] = centre.float()
    return mask
    ### END SOLUTION

# %% role="answer" question="q15"
class ColourNorm(nn.Module):
    """Normalises the channels of each colour at each pixel, equation (15.3).

    Args:
        channels: a multiple of 3.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, a: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Equation (15.3); the variance divides by m, and 1e-5 stands inside the square root."""
        ### BEGIN SOLUTION
        batch, channels, height, width = a.shape
        grouped = a.reshape(batch, 3, channels // 3, height, width)
        centred = grouped - grouped.mean(2, keepdim=True)
        variance = (centred**2).mean(2, keepdim=True)
        normal = (centred / torch.sqrt(variance + 1e-5)).reshape(a.shape)
        return normal * self.gain[:, None, None] + self.offset[:, None, None]
        ### END SOLUTION

# %% role="answer" question="q15"
def dependence_matrix(model, image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3*height*width 3*height*width"]:
    """|d out_n / d in_m| for all pairs, in the numbering of equation (15.1).

    Args:
        model: maps (1, 3, H, W) to (1, 3, H, W). Used in the mode that it is in; parameters' gradients, mode and
            buffers are afterwards what they were before.
        image: (3, H, W), where the derivatives are taken; not changed.

    Returns:
        (3HW, 3HW), detached; row n is the output, column m the input, with n = 3 (i W + j) + c.
    """
    ### BEGIN SOLUTION
    model = copy.deepcopy(model)
    x = image.detach().clone().unsqueeze(0).requires_grad_()
    output = model(x)[0].permute(1, 2, 0).flatten()
    rows = [torch.autograd.grad(value, x, retain_graph=True)[0][0].permute(1, 2, 0).flatten() for value in output]
    return torch.stack(rows).abs()
    ### END SOLUTION

# %% role="check" question="q15"
grader.check("q15")

# %% [markdown]
# ### A matrix that convicts
#
# The same small network with four normalisations, in training mode, on an image of $3 \times 3$ pixels.
#
# **Before you run this:** in which of the four do you expect entries on or above the diagonal ("leaks"), and how far from it? There are two white
# holes *below* the diagonal in the last two pictures. What are they?

# %%
class ColourNet(nn.Module):
    """Masked convolutions with a normalisation between them; `masks` makes a mask of (kind, in, out, kernel size)."""

    def __init__(self, masks, norm, channels=24, layers=3, kernel_size=3):
        super().__init__()
        self.first = MaskedConv2d(masks("A", 3, channels, kernel_size), 3, channels)
        self.norms = nn.ModuleList(norm(channels) for _ in range(layers))
        self.convs = nn.ModuleList(MaskedConv2d(masks("B", channels, channels, kernel_size), channels, channels) for _ in range(layers))
        self.last = MaskedConv2d(masks("B", channels, 3, 1), channels, 3)

    def forward(self, x):
        a = self.first(x)
        for norm, conv in zip(self.norms, self.convs):
            a = a + conv(F.silu(norm(a)))
        return self.last(F.silu(a))


class PixelNorm(nn.LayerNorm):
    """LayerNorm over all channels of a pixel."""

    def forward(self, a):
        return super().forward(a.movedim(1, -1)).movedim(-1, 1)


norms = {
    "LayerNorm over C, H, W": lambda channels: nn.GroupNorm(1, channels),
    "BatchNorm (training)": nn.BatchNorm2d,
    "LayerNorm at each pixel": PixelNorm,
    "ColourNorm": ColourNorm,
}
torch.manual_seed(0)
tiny = torch.rand(3, 3, 3, generator=dgm.generator(0))
figure, axes = plot.subplots(1, 4, width=10, height=3)
for ax, (name, norm) in zip(axes, norms.items()):
    matrix = dependence_matrix(ColourNet(colour_mask, norm, channels=12), tiny)
    ax.imshow(torch.where(matrix > 0, matrix.clamp(min=1e-6).log10(), torch.nan), cmap="viridis")
    ax.axline((-0.5, -0.5), slope=1, color="black", linewidth=1)
    leaks = int((matrix.triu() > 0).sum())
    ax.set_title(f"{name}\nleaks: {leaks}", fontsize=10)
    ax.spines[:].set_visible(True)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
plt.show()
print("expected: 351, 351, 27, 0.   White: exactly zero")

# %% [markdown]
# The holes below the diagonal are the blind spot of Question 12. In the third picture the leaks hug the diagonal: at each of the nine pixels red
# sees itself and its own green, and green sees itself.
#
# ### What colour order is worth
#
# Real photographs, cut into patches of $8 \times 8$ and reduced to one bit a colour. Three networks of the same size: yours; one whose three
# colours do not see each other within a pixel (the masks of Question 12); and one with your masks and a LayerNorm over the whole image.
#
# **Before you run this:** order the three training losses. Which one would win a leaderboard?

# %%
colour_photo = F.avg_pool2d(data.photo("china", gray=False), 4)                  # 106 × 160 pixels
bits = (colour_photo > colour_photo.flatten(2).median(2).values[..., None, None]).float()
train_patches = data.patches(bits[..., :100], 8, 3000, seed=0)                  # the left of the photograph
test_patches = data.patches(bits[..., 108:], 8, 500, seed=1)                    # its right


def colour_nats(network, x):
    """-log p in nats per image, (batch,)."""
    return F.binary_cross_entropy_with_logits(network(x), x, reduction="none").flatten(1).sum(1)


def trained_colour_net(masks, norm, steps):
    """A ColourNet trained on the patches, and its training loss in bits per pixel (3 without any knowledge)."""
    torch.manual_seed(0)
    network = ColourNet(masks, norm).to(dgm.device())
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    history = []
    for x in data.batches(train_patches, 64, dgm.generator(0), steps=steps):
        loss = colour_nats(network, x.to(dgm.device())).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item() / (64 * math.log(2)))
    return network.eval(), history


def draw_colours(network, n, generator):
    """n patches, value by value in the order of equation (15.1)."""
    x = torch.zeros(n, 3, 8, 8, device=dgm.device())
    with torch.no_grad():
        for i in range(8):
            for j in range(8):
                for c in range(3):
                    p = torch.sigmoid(network(x)[:, c, i, j]).cpu()
                    x[:, c, i, j] = (torch.rand(n, generator=generator) < p).to(x)
    return x.cpu()


steps = dgm.budget(smoke=2, cpu=300, gpu=1500)
contestants = {
    "colour order": (colour_mask, ColourNorm),
    "colours blind to each other": (lambda kind, n_in, n_out, size: causal_mask(kind, size), ColourNorm),
    "leaking norm": (colour_mask, lambda channels: nn.GroupNorm(1, channels)),
}
curves, rows, pictures = {}, [], [train_patches[:12]]
for name, (masks, norm) in contestants.items():
    network, curves[name] = trained_colour_net(masks, norm, steps)
    with torch.no_grad():
        test_bits = float(colour_nats(network, test_patches.to(dgm.device())).mean()) / (64 * math.log(2))
    rows.append([name, test_bits])
    pictures.append(draw_colours(network, 12, dgm.generator(2)))
plot.table(rows, header=["network", "'bits per pixel' on test patches"])
print("expected (cpu profile): about 0.29, 0.46 and 0.25; the last is no likelihood: look at its samples")
figure, ax = plot.subplots()
plot.curves(curves, ylabel="bits per pixel", smooth=0.9, ax=ax, title="training loss")
plt.show()
plot.images(0.1 + 0.8 * torch.cat(pictures), ncols=12, suptitle="data  /  " + "  /  ".join(contestants))
plt.show()

# %% [markdown]
# The leaking network wins by more than ten per cent. But its number is not $-\log_2 p$ of anything (its "probabilities" do not sum to 1), and when it has to draw,
# it has nothing to copy from: almost all of its patches are black.
#
# **What to remember.** The chain rule needs an order for *everything* that is predicted, colours included. Any layer that pools statistics is a
# possible leak, and a leak shows up as an excellent likelihood. The dependence matrix costs one backward pass per value on a tiny image, and settles the matter.

# %% [markdown]
# ## The end, and what you can do now
#
# **What you have learnt.**
#
# - To compute with log-probabilities without losing them, and to say in which unit (nats, bits per dimension) and of which data a number is.
# - To fit the same distributions in closed form, by EM and by gradient descent, and to know which of the three applies when.
# - That maximum likelihood is $\mathrm{KL}(\text{data}\,\|\,\text{model})$, that a penalty is a prior, and that a generative model is a classifier, too.
# - To treat pixels as what they are, integers, with discretised or dequantised likelihoods.
# - To turn any network into an exact likelihood with the chain rule and masks, and to prove with gradients that nothing leaks.
# - To measure honestly: paired, with error bars, chosen on validation, and only ever between numbers that may be compared.
#
# **What is missing.** Everything here has an exact likelihood, and pays for it: mixtures do not scale to many dimensions, and
# autoregressive models draw one pixel at a time. The next sets give up one thing each: invertible networks, latent variables with a bound (you have met
# the bound: EM is its exact case), scores and noise, and no likelihood at all.
#
# **Further reading**
#
# - C. Bishop, *Pattern Recognition and Machine Learning*, chapters 2, 4 and 9: Gaussians, linear classifiers, mixtures and EM.
# - A. Ng and M. Jordan, "On discriminative vs. generative classifiers", NIPS 2001.
# - L. Theis, A. van den Oord and M. Bethge, "A note on the evaluation of generative models", ICLR 2016.
# - M. Germain et al., "MADE: Masked autoencoder for distribution estimation", ICML 2015.
# - A. van den Oord et al., "Conditional image generation with PixelCNN decoders", NIPS 2016.
# - T. Salimans et al., "PixelCNN++", ICLR 2017.
# - D. Zoran and Y. Weiss, "From learning models of natural image patches to whole image restoration", ICCV 2011.
#
# Run all checks once more. Best on a fresh kernel (*Restart and run all*): a notebook that works only in the order in which you wrote it will not work
# for the grader either. (A question that you left out stops *Restart and run all* at its first picture: go on below it by hand. The grader skips cells
# that fail, and goes on.)

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first**: what is handed in is the saved file. The next cell writes the file to hand in, and names what is
# missing in it: stubs, questions that were not checked or failed, and written answers (Questions 9, 10 and 14).

# %%
grader.export()

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

# %% role="answer"
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

# %% role="answer"
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

# %% role="check"
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

# %% [markdown] role="written"
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

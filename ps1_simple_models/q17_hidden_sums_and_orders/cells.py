# %% [markdown]
# Ten models, one for each column: an FVSBN (Question 9) fitted to the images of one digit only, and six draws from it. If nobody tells you
# which model made an image, what is the image's probability?

# %%
hidden_images, hidden_labels = data.glyphs(dgm.budget(smoke=512, cpu=5000, gpu=5000), size=16)
hidden_test, _ = data.glyphs(500, size=16, split="test")
hidden_images, hidden_test = (data.binarize(images, "threshold").flatten(1) for images in (hidden_images, hidden_test))
class_models = [fit_fvsbn(hidden_images[hidden_labels == z], dgm.budget(smoke=20, cpu=400, gpu=400)) for z in range(10)]

empty = torch.zeros(6, 256)
columns = [
    ancestral_sample(lambda x, model=model: fvsbn_logits(x, *model), empty, empty > 0, torch.rand(6, 256, generator=dgm.generator(z)))
    for z, model in enumerate(class_models)
]
plot.images(torch.stack(columns, 1).reshape(-1, 16, 16), ncols=10, suptitle="Six draws from the model of each digit, z = 0, …, 9")
plt.show()

# %% [markdown]
# Here $z$ is **hidden** (latent). With ten values it can be summed over, $p(x)=\sum_z p(z)\,p(x\mid z)$. In a VAE (next set) $z$ is a vector, and there is
# no such sum. What remains is to draw.
#
# ### An average whose logarithm is too low
#
# Draw $z_1,\dots,z_S$ from $p(z)$ and average the likelihoods:
#
# $$A(x)=\frac1S\sum_{s=1}^{S}p(x\mid z_s),\qquad \mathbb E[A(x)]=\frac1S\sum_{s}\sum_z p(z)\,p(x\mid z)=p(x). \tag{17.1}$$
#
# So $A(x)$ is **unbiased** for every $S$. Its logarithm is not. By Jensen $\mathbb E[\log A(x)]\le\log p(x)$, and expanding the logarithm to second order around $p(x)$,
#
# $$\mathbb E[\log A(x)]\;\approx\;\log p(x)-\frac{1}{2S}\,\frac{\operatorname{Var}_z[p(x\mid z)]}{p(x)^2}. \tag{17.2}$$
#
# A number: let two equally likely $z$ give $p(x\mid z)=0.1$ and $0.3$. With $S=1$, $\mathbb E[\log A]=-1.753$; (17.2) says $-1.609-0.125=-1.734$; the truth is $\log0.2=-1.609$.
# A model scored like this looks worse than it is, and better with more draws.
#
# There are two ways to spoil the estimate. The average of the *logs* stays too low however large $S$ is. And with the same draws for every $x$ all errors go
# the same way, so a test set averages nothing out: each $x_n$ needs draws of its own.
#
# Likelihoods of images underflow, so the average is formed from logarithms. Your first function does that for any axis:
#
# $$\log\frac1n\sum_{i=1}^{n}e^{v_i}=\log\sum_{i=1}^{n}e^{v_i}-\log n. \tag{17.3}$$
#
# ### The order matters, and does not
#
# The chain rule holds for every order of the variables, $p(x_1)\,p(x_2\mid x_1)=p(x_2)\,p(x_1\mid x_2)$. But a *model* takes its conditionals from a family, and what is in the family in one order
# may be outside in the other. Take Gaussian conditionals with any mean and standard deviation,
#
# $$x_1\sim\mathcal N(0,1),\qquad x_2\mid x_1\sim\mathcal N\big(\mu_2(x_1),\,\sigma_2(x_1)^2\big). \tag{17.4}$$
#
# The other conditional follows from Bayes' rule. As a function of $x_1$,
#
# $$p(x_1\mid x_2)\;\propto\;\exp\Big(-\tfrac12x_1^2-\log\sigma_2(x_1)-\frac{(x_2-\mu_2(x_1))^2}{2\,\sigma_2(x_1)^2}\Big). \tag{17.5}$$
#
# It is Gaussian exactly if the exponent is quadratic in $x_1$. **On paper:** for which $\mu_2$ and $\sigma_2$ is it not? Then no model with Gaussian conditionals that draws $x_2$
# first equals yours. Your pair is the answer; the check computes (17.5) for many plausible $x_2$.

# %% role="answer"
def log_mean_exp(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Logarithm of the mean of exponentials along one axis, equation (17.3).

    Args:
        x: log-values of any size, any shape; -inf is allowed. float64 keeps its digits.
        dim: the axis to average over, may be negative.

    Returns:
        The shape of ``x`` without axis ``dim``; -inf for a row of only -inf. Gradients are finite wherever a row has
        a finite entry.
    """
    ### BEGIN SOLUTION
    return logsumexp(x, dim) - math.log(x.shape[dim])
    ### END SOLUTION


def log_marginal_mc(log_likelihood, x: Float[Tensor, "N D"], z: Float[Tensor, "N S L"]) -> Float[Tensor, "N"]:
    """log A(x_n) of (17.1) in nats, each example with its own draws.

    Args:
        log_likelihood: ``log_likelihood(x, z)`` is log p(x | z) for x (..., D) and z (..., L), whose leading axes
            broadcast: x (N, 1, D) and z (N, S, L) give (N, S). It may be -1000 and far below.
        x: examples.
        z: draws from p(z); ``z[n]`` are the S draws for ``x[n]``.
    """
    ### BEGIN SOLUTION
    return log_mean_exp(log_likelihood(x[:, None], z), dim=1)
    ### END SOLUTION


def second_mean(x1: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Your mu_2 of (17.4), element by element, finite on [-6, 6].

    With `second_std` it must make the skewness or the excess kurtosis of p(x1 | x2) larger than 0.1 in absolute value
    (both are 0 for a Gaussian), for some x2 within 1.5 sigma_2(x1) of mu_2(x1) for an x1 in [-2, 2].
    """
    ### BEGIN SOLUTION
    return x1**2
    ### END SOLUTION


def second_std(x1: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Your sigma_2 of (17.4), element by element, positive on [-6, 6].

    A density narrower than 0.01 in x1 cannot be judged on the grid, so do not make it tiny.
    """
    ### BEGIN SOLUTION
    return torch.full_like(x1, 0.5)
    ### END SOLUTION

# %% role="check"
grader.check("q17")

# %% [markdown]
# ### Draws against the exact sum
#
# With the ten models, $p(z)=\frac1{10}$, the exact $\log p(x)$ is a log-mean-exp over all classes.
# **Before you run this:** with $S=1$ nine draws of ten pick a wrong digit. How many nats below the exact value does the estimate start, on average?

# %%
guess_gap = None  # type a number

# %%
largest = 256  # the knob: draws for each image; try 16, then 64: is the estimate there yet?


def class_log_likelihood(x: Float[Tensor, "*batch D"], z: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
    """log p(x | z) of the ten models; z holds the class."""
    table = torch.stack([fvsbn_log_prob(x.reshape(-1, 256), *p) for p in class_models], -1).reshape(*x.shape[:-1], 10)
    classes = z[..., 0].long()
    return table.expand(*classes.shape, 10).gather(-1, classes[..., None])[..., 0]


all_classes = torch.arange(10.0)[None, :, None].expand(len(hidden_test), 10, 1)
exact = log_marginal_mc(class_log_likelihood, hidden_test, all_classes)   # every class once: the exact sum
draws = torch.randint(0, 10, (len(hidden_test), largest, 1), generator=dgm.generator(1)).float()
sizes = [2**k for k in range(int(math.log2(largest)) + 1)]
estimates = [log_marginal_mc(class_log_likelihood, hidden_test, draws[:, :S]) for S in sizes]
of_logs = [class_log_likelihood(hidden_test[:, None], draws[:, :S]).mean() for S in sizes]

figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
left.axhline(float(exact.mean()), linestyle="--", color="black", label=f"exact ({float(exact.mean()):.2f})")
left.plot(sizes, [float(e.mean()) for e in estimates], "o-", color=plot.COLORS[0], label="log of the average: your estimate")
left.plot(sizes, [float(v) for v in of_logs], "o-", color=plot.COLORS[1], label="average of the logs")
left.set(xscale="log", xlabel="draws S", ylabel="nats", title="The log of the average climbs, the average of logs does not")
left.legend(loc="center right")
right.plot(sizes, [float((e - exact).exp().mean()) for e in estimates], "o-", color=plot.COLORS[0])
right.axhline(1, linestyle="--", color="black")
right.set(xscale="log", xlabel="draws S", ylim=(0.5, 1.5), title="The mean of A(x) / p(x) is 1, up to noise")
plt.show()
plot.table([
    ("exact, mean over test images", float(exact.mean()), "-35.6", None),
    ("one draw lies below it by", float((exact - estimates[0]).mean()), "37 (34 to 38 for 5 other draws of the images)", guess_gap),
], header=("nats", "yours", "expected", "your guess"))

# %% [markdown]
# A wrong digit costs about forty nats, far more than $\log10=2.3$, the price of not knowing $z$. After 16 draws $0.9^{16}=19\,\%$ of the images have not met their digit, and the mean is still 4 nats low. After
# 64 draws all but one in a thousand have, and 0.1 nats are missing. The average of the logs stays where it is: each wrong digit counts in full. On the right all points share their draws, so they err
# together; the standard error at $S=1$ is about 0.13.
#
# In a VAE the fitting $z$ are far rarer than one in ten. (The mixture's 35.6 nats are no fair contest with the 39.8 of Question 9: it was fitted with the labels.)
#
# ### Other orders for the FVSBN
#
# Each order of the pixels is another family of FVSBNs, and each fit is the best of its family. Which order is best for $8\times8$ digits?

# %%
pixels_train, pixels_test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
orders = {
    "row by row": torch.arange(64),
    "column by column": torch.arange(64).reshape(8, 8).T.flatten(),
    "backwards": torch.arange(63, -1, -1),
    "random": torch.randperm(64, generator=dgm.generator(0)),   # a knob: other seeds are other orders
}
order_rows = []
for name, order in orders.items():
    fitted = fit_fvsbn(pixels_train[:, order], dgm.budget(smoke=20, cpu=1000, gpu=1000))
    order_rows.append((name, *(float(fvsbn_loss(fitted, x[:, order])) for x in (pixels_train, pixels_test))))
plot.table(order_rows, header=("order", "NLL train", "NLL test"))

# %% [markdown]
# Here the order matters little. Over five splits into train and test and six orders (three of them random) the test values of a split differ by at most 0.15 nats. "Row by row" is a habit: "column by column" was
# better in all five, by 0.03 to 0.1 nats.
#
# ### Your pair

# %%
grid = torch.linspace(-3.5, 3.5, 701)
mean, std = second_mean(grid), second_std(grid)
low, high = float((mean - 2 * std)[100:-100].min()), float((mean + 2 * std)[100:-100].max())
level = torch.linspace(low, high, 600)
log_joint = -0.5 * grid**2 - std.log() - 0.5 * ((level[:, None] - mean) / std) ** 2   # (x2, x1), up to a constant
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8)
left.imshow(log_joint.exp().numpy(), origin="lower", extent=(-3.5, 3.5, low, high), aspect="auto")
left.grid(False)
left.set(xlabel="$x_1$", ylabel="$x_2$", title="your joint density, cut at three heights")
share = log_joint.exp().sum(1).cumsum(0) / log_joint.exp().sum()
for q, colour in zip((0.1, 0.5, 0.9), plot.COLORS):
    row = min(int((share < q).sum()), 599)
    weight = torch.softmax(log_joint[row], 0)
    centre = (weight * grid).sum()
    spread = (weight * (grid - centre) ** 2).sum().sqrt()
    left.axhline(float(level[row]), color=colour, linewidth=1.5)
    right.plot(grid, weight / 0.01, color=colour, label=f"$p(x_1\\mid x_2={float(level[row]):.2f})$")
    right.plot(grid, torch.distributions.Normal(centre, spread).log_prob(grid).exp(), ":", color=colour)
right.set(xlabel="$x_1$", title="The cuts are no Gaussians (dotted)")
right.set_ylim(0, 1.5 * right.get_ylim()[1])
right.legend(loc="upper center", ncols=2)
plt.show()

# %% [markdown]
# ### Why? (2 points)
#
# In at most eight lines: why is the order immaterial for the chain rule, and why does it matter for a family of models? Say of one example what exactly cannot be represented
# in the other order. Your pair will do: say which conditional is not Gaussian. (Two that will not do: the XOR of two bits, which an FVSBN cannot represent in *any* order, and
# FVSBNs of three bits, which all orders can.)

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The chain rule is an identity: for any order π, p(x) = Π p(x_π(t) | x_π(1), …, x_π(t-1)), because each factor is *defined* as a
# ratio of marginals of the same p, and the ratios telescope. If every conditional may be an arbitrary function (a full table),
# each order describes every distribution, with the same 2^D - 1 free numbers.
#
# A family restricts the conditionals, and the restriction is not preserved when the order changes: the reversed conditional
# follows from Bayes' rule and may lie outside of the family. Example: x1 ~ N(0, 1), x2 | x1 ~ N(x1², 0.5²). Both
# conditionals are Gaussian, so the pair is in the family "Gaussian conditionals, x1 first". But p(x1 | x2 = 4) has two modes, near
# -2 and +2. A model with Gaussian conditionals that draws x2 first has one mode for x1 given x2, so it cannot represent
# this distribution, whatever its mean and variance functions are (nor is its p(x2), which is skewed, a Gaussian).
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Average probabilities, not logs.
# - The log of an unbiased estimate is biased down, by about its relative variance over two.
# - The order is free for the chain rule, not for a family of models.
#
# The estimate returns in the next set: a VAE draws $z$ from a better place than the prior.

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

# %% role="answer"
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

# %% role="check"
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

# %% role="answer"
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

# %% role="check"
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

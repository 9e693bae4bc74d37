# %% [markdown]
# Pixels and counts are integers $0,1,\dots,d-1$. The densities of Questions 1 to 5 answer for real numbers, which is why digits had to be dequantised. Here is a
# model that gives probabilities to the integers themselves, with three parameters a component whatever $d$ is. It is the output layer of PixelCNN++ and of many models of sound.
#
# The data: a Gaussian that was cut into 20 levels. All that falls below the first edge was put into level 0.

# %%
levels_train, levels_test = data.truncated_gaussian_levels("train"), data.truncated_gaussian_levels("test")
true_probs = data.truncated_gaussian_probs()  # known, because the data are synthetic
figure, ax = plot.subplots(width=7, height=3)
ax.bar(range(20), torch.bincount(levels_train, minlength=20) / len(levels_train), color=plot.COLORS[0], alpha=0.6, label=f"training values, N = {len(levels_train)}")
ax.plot(range(20), true_probs, ".-", color=plot.COLORS[1], label="true probabilities")
ax.set(xlabel="level", ylabel="share", xticks=range(0, 20, 3), title="Level 0 collects a whole tail; levels 16 to 19 never occur")
ax.legend()
plt.show()

# %% [markdown]
# ### A smooth density, cut into levels
#
# Let each level have the mass of a smooth density between its borders, half a level to each side. The *logistic* distribution with mean $\mu$ and scale $s$ suits, since its distribution function is the sigmoid,
# $P(X\le t)=\sigma\big((t-\mu)/s\big)$:
#
# $$P(k)=\sigma(b_k)-\sigma(a_k),\qquad b_k=\frac{k+\frac12-\mu}{s},\qquad a_k=\frac{k-\frac12-\mu}{s}. \tag{7.1}$$
#
# With $\mu=3$ and $s=1$, level 3 gets $\sigma(\frac12)-\sigma(-\frac12)=0.245$. What fell outside of the range was put into the outermost levels, so these have **open edges**: $a_0=-\infty$ and $b_{d-1}=+\infty$. Then the $d$
# probabilities add up to exactly 1. (If $d=1$, the only level is both.) A **mixture** has $P(k)=\sum_jw_jP_j(k)$.
#
# Training looks at every value under every component, also far away, and scales shrink and grow. What becomes of (7.1), typed in as it stands, in float32?

# %%
distance = torch.linspace(-60, 60, 481)
upper, lower = torch.sigmoid(distance + 0.5), torch.sigmoid(distance - 0.5)  # s = 1, in float32
side = -distance.abs().double()  # by symmetry, and in float64: reliable in this range
figure, axes = plot.subplots(1, 2, width=10, height=3.7)
axes[0].plot(distance, torch.log(torch.sigmoid(side + 0.5) - torch.sigmoid(side - 0.5)), color="#999999", linewidth=5, label="true value")
axes[0].plot(distance, torch.log(upper - lower), color=plot.COLORS[0], label="log(σ(b) − σ(a))")
axes[0].plot(distance, torch.log(upper - lower + 1e-12), "--", color=plot.COLORS[1], label="log(σ(b) − σ(a) + 1e-12)")
axes[0].set(xlabel="(k − μ) / s,  with s = 1", ylabel="log-probability of level k", ylim=(-65, 3), title="Far away: −∞, or a plateau without gradient")
log_scale = torch.linspace(0, 18, 400)
width = torch.exp(-log_scale)
axes[1].plot(log_scale, torch.log(torch.sigmoid(width.double() / 2) - torch.sigmoid(-width.double() / 2)), color="#999999", linewidth=5, label="true value")
axes[1].plot(log_scale, torch.log(torch.sigmoid(width / 2) - torch.sigmoid(-width / 2)), color=plot.COLORS[0], label="log(σ(b) − σ(a))")
axes[1].set(xlabel="log s,  with k = μ", ylabel="log-probability of level k", ylim=(-22, 1), title="Wide: the digits cancel")
axes[0].legend(loc="lower center")
axes[1].legend(loc="lower left")
plt.show()

# %% [markdown]
# Left of the mean both sigmoids are tiny, and float32 resolves tiny numbers well. Right of it both are near 1, and their difference is 0. Adding a small constant trades $-\infty$ for a plateau, where no gradient says in which direction to go.
#
# The cure: never subtract. *On paper:* bring $\sigma(b)-\sigma(a)$ over a common denominator, with $\delta=b-a=1/s$, and show that
#
# $$\sigma(b)-\sigma(a)=\sigma(b)\;\sigma(-a)\;\big(1-e^{-\delta}\big). \tag{7.2}$$
#
# The logarithm is a sum of three terms, each of which can be had with all digits (take care of the third when $\delta$ is tiny). Check with the numbers above: $\sigma(\frac12)^2(1-e^{-1})=0.6225^2\cdot0.6321=0.245$. Which of the factors become 1
# at an open edge? In code, *replace the terms* that an edge removes by 0; infinities inside the tensors would make gradients NaN.

# %% role="answer"
def discretised_logistic_log_prob(
    x: Int[Tensor, "*batch"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K"],
    log_scales: Float[Tensor, "K"],
    num_levels: int,
) -> Float[Tensor, "*batch"]:
    """Log-probability of levels under a mixture of K discretised logistics with open edges, equations (7.1) and (7.2).

    Values must be right to 0.001, or to a ten-thousandth of their size if that is more, for log-scales from -12 to 15 and levels
    any distance from the mean. So must gradients, those in a mean times its scale. In float32.

    Args:
        x: levels in 0, ..., num_levels - 1 (int64), any shape, also ().
        log_weights: log-weights of the components, normalised.
        means: in units of levels (3.0 is the centre of level 3), perhaps outside of the range.
        log_scales: natural logs of the scales, in units of levels.
        num_levels: d >= 1. Level 0 reaches down to -infinity, level d - 1 up to +infinity.

    Returns:
        One log-probability for each level, the shape of x.
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
grader.check("q7")

# %% [markdown]
# ### Two parameters or nineteen?
#
# The simplest rival is a **histogram**, the shares of the training values, with nineteen free numbers. The last column of the table is the NLL on infinitely many test values, known here because the data are synthetic.
#
# **Before you run this:** what is that number for the histogram? (Levels 16 to 19 never occurred.) The knob is `components`: try 3 and 6, and watch how the last column turns.

# %%
guess_histogram = None  # type a number; math.inf is one

# %%
components = 1  # the knob


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
counts = torch.bincount(levels_train, minlength=20)
fitted = fit_logistics(levels_train, 20, components, dgm.budget(smoke=60, cpu=1500, gpu=1500))
name = f"{components} logistic{'s' * (components > 1)}"
tables = {
    "histogram": (counts / counts.sum()).log(),
    "histogram, half a count added to each level": ((counts + 0.5) / (counts + 0.5).sum()).log(),
    name: discretised_logistic_log_prob(all_levels, *fitted, 20).detach(),
    "the true probabilities": true_probs.log().float(),
}
expected = {"histogram": "2.448  2.543", "1 logistic": "2.461  2.543  2.497", "3 logistics": "2.452  2.548  2.496",
            "histogram, half a count added to each level": "2.451  2.542  2.498", "the true probabilities": "2.458  2.540  2.490"}
plot.table(
    [(model, *(float(-table[x].mean()) for x in (levels_train, levels_test)), float(-(true_probs * table.double()).sum()),
      expected.get(model, ""), guess_histogram if model == "histogram" else None) for model, table in tables.items()],
    header=("nats", "train", "200 test values", "infinitely many", "expected", "your guess"),
)

figure, axes = plot.subplots(1, 2, width=10, height=3.6)
for ax in axes:
    ax.bar(all_levels, tables["histogram"].exp(), color=plot.COLORS[5], alpha=0.5, label="histogram")
    ax.plot(all_levels, tables[name].exp(), color=plot.COLORS[1], label=name)
    ax.plot(all_levels, true_probs, "k.", markersize=6, label="true probabilities")
    ax.set(xlabel="level", ylabel="probability", xticks=range(0, 20, 3))
axes[0].set(title="Nearly the same where there are data")
axes[1].set(yscale="log", ylim=(3e-5, 0.5), title="and not where there are none (log scale)")
axes[0].legend()
plt.show()

# %% [markdown]
# The histogram is infinitely bad: sooner or later a value comes that it calls impossible. The 200 test values just did not contain one, and by them it looks as good as anything. One logistic with two free parameters
# beats nineteen smoothed shares on infinitely many values, by 0.001 nats, because the data are smooth. (Three logistics gain another 0.001, six lose it again.) On the 200 test values the order is the other way round, by $0.001\pm0.010$ if compared value by value: they cannot decide this.
# The price of the logistic is visible on the log scale: its tail decays more slowly than the Gaussian that made the data, and it rises at level 19, the open edge.
#
# **What to remember**
# - Integers have probabilities: give each level the mass between its borders, and the tails to the outermost.
# - Never take the log of a difference of probabilities. Rewrite it until only logs of products are left.
# - A level that was never seen is not impossible; say how you smooth.
#
# Question 15 (optional) fits the histogram by gradient descent.

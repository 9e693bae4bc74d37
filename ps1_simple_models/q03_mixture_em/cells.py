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

# %% role="answer"
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

# %% role="answer"
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

# %% role="answer"
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

# %% role="check"
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

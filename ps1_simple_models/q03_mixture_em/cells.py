# %% [markdown]
# Real data come in clumps: ten digits, five arms of a pinwheel. One Gaussian has one bump.

# %%
points = data.toy2d("pinwheel", 1000, seed=0)
figure, (left, right) = plot.subplots(1, 2, width=9.5, height=4.0)
plot.scatter2d(points, ax=left, title="one Gaussian cannot have five arms", xlim=(-4, 4), ylim=(-4, 4), color="#AAAAAA")
plot.ellipse(points.mean(0), torch.cov(points.T, correction=0), ax=left, color=plot.COLORS[0])
line = torch.linspace(-12, 12, 400)
line_joint = math.log(0.5) - 0.5 * ((line[:, None] - torch.tensor([-1.0, 1.0])) / 0.5) ** 2 - math.log(0.5 * math.sqrt(2 * math.pi))
line_naive = line_joint.exp().sum(1).log()  # a sum of densities, then its logarithm
plot.curves(
    {"in logarithms": (line, line_joint.logsumexp(1)), "exp, sum, log": (line, line_naive)},
    xlabel="x", ylabel="log p(x) in nats", title="14 standard deviations out, exp gives 0", ax=right,
)
right.plot(line[line_naive.isinf()], np.full(int(line_naive.isinf().sum()), -260.0), "x", color=plot.COLORS[1], markersize=4)
right.text(0, -250, "crosses: exp, sum, log gives −∞", ha="center", color=plot.COLORS[1])
plt.show()

# %% [markdown]
# A **mixture** has several: draw a hidden label $z$, then draw $x$ from that label's Gaussian.
# Given the labels, each component would be a fit of Question 2. Given the components, Bayes' rule would give the
# labels. We know neither, so we guess one half, improve the other, and repeat. This is **EM**.
#
# **The density** is a sum over components, with weights $\pi_k$ that sum to one. The logarithm of one summand is the *log-joint*:
#
# $$\ell_{nk}=\log\pi_k+\log\mathcal N(x_n;\mu_k,\Sigma_k),\qquad\log p(x_n)=\log\sum_{k=1}^Ke^{\ell_{nk}}.\tag{3.1}$$
#
# The right panel shows why we never leave the logarithms: in float32, $e^\ell$ is exactly 0 below $\ell=-104$.
#
# **The E-step** asks which component an example comes from. The posterior of the label, the *responsibility*, is one summand's
# share of the sum:
#
# $$r_{nk}=p(z=k\mid x_n)=e^{\ell_{nk}-\log p(x_n)}.\tag{3.2}$$
#
# Take two components of equal weight and variance 1, at $-1$ and $1$. At $x=1$, $\log p=-1.49$ and $r=(0.12,0.88)$.
#
# **The bound.** Any probabilities $q_n(k)$ over the labels bound $\log p(x_n)$ from below. For $p(x_n)$ is the
# average of $e^{\ell_{nk}}/q_n(k)$ under $q_n$, and the log of an average is at least the average of the logs:
#
# $$\log p(x_n)\ge\mathcal L_n=\sum_kq_n(k)\big[\ell_{nk}-\log q_n(k)\big],\qquad\log p(x_n)-\mathcal L_n=\mathrm{KL}(q_n\,\|\,r_n).\tag{3.3}$$
#
# In the example, $q=(\frac12,\frac12)$ gives $-1.92$, 0.43 too low. $\mathcal L$ is the **evidence lower bound**
# (ELBO). EM raises $\sum_n\mathcal L_n$ in two ways, in turn. The E-step takes the best $q$, which is $q_n=r_n$, with gap 0. The **M-step** keeps
# this $q$ and takes the best parameters.
#
# ### Your derivation, on paper
# Keep $q_n(k)=r_{nk}$ fixed, and maximise $\sum_n\mathcal L_n$ over all $\pi_k,\mu_k,\Sigma_k$.
#
# 1. Drop what contains no parameter. Split the rest into $K+1$ sums that share no parameters.
# 2. Question 2 has solved $K$ of them. What are the solutions?
# 3. The last is $\sum_kN_k\log\pi_k$ with $N_k=\sum_nr_{nk}$. Maximise it under $\sum_k\pi_k=1$.
#
# Test your formulas: for $x=0,1,4$ with $r_{n1}=1,\frac12,0$ they must give $\pi_1=\frac12$, $\mu_1=\frac13$, $\Sigma_1=\frac29$.
#
# We add a **floor** $\varepsilon$ to the diagonal of every $\Sigma_k$. You will see why.
#
# ### Your task: five functions

# %% role="given"
def gmm_log_joint(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N K"]:
    """Log-joints (3.1) in nats; a log-weight may be −∞."""
    log_probs = [mvn_log_prob(x, mean, cov) for mean, cov in zip(means, covs, strict=True)]
    return log_weights + torch.stack(log_probs, dim=-1)

# %% role="answer"
def gmm_log_prob(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N"]:
    """Log-density of the mixture, equation (3.1).

    Args:
        log_weights: normalised; −∞ is allowed.

    Returns:
        One value per example, in nats and the dtype of x; finite where all densities underflow, differentiable.
    """
    ### BEGIN SOLUTION
    return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)
    ### END SOLUTION


def responsibilities(
    x: Float[Tensor, "N D"], log_weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], covs: Float[Tensor, "K D D"]
) -> Float[Tensor, "N K"]:
    """The E-step (3.2). Arguments as for `gmm_log_prob`.

    Returns:
        Probabilities in the dtype of x; rows sum to one but for rounding, also where densities underflow.
    """
    ### BEGIN SOLUTION
    return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)
    ### END SOLUTION


def m_step(
    x: Float[Tensor, "N D"], resp: Float[Tensor, "N K"], floor: float = 1e-6
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]]:
    """The M-step: your derivation, plus the floor.

    Args:
        x: possibly far from the origin.
        resp: rows sum to one.
        floor: ε ≥ 0, added to the diagonal of every covariance.

    Returns:
        (log_weights, means, covs) in the dtype of x. A column of zeros in resp gives log-weight −∞, mean 0, covariance
        ε I; a tiny one follows your formulas.
    """
    ### BEGIN SOLUTION
    K, D = resp.shape[1], x.shape[1]
    means, covs = x.new_zeros(K, D), x.new_zeros(K, D, D)
    for k in range(K):
        if resp[:, k].any():
            means[k], covs[k] = fit_gaussian(x, resp[:, k])
    covs = covs + floor * torch.eye(D, dtype=x.dtype, device=x.device)
    return resp.mean(0).log(), means, covs
    ### END SOLUTION


def elbo(
    x: Float[Tensor, "N D"],
    resp: Float[Tensor, "N K"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
) -> Float[Tensor, "N"]:
    """The bound (3.3) of every example.

    Args:
        resp: any probabilities q_n(k); rows sum to one.

    Returns:
        One value per example, in nats and the dtype of x. A label with q = 0 contributes exactly 0, even where its
        log-joint is −∞; with q > 0 there, the bound is −∞.
    """
    ### BEGIN SOLUTION
    log_joint = gmm_log_joint(x, log_weights, means, covs)
    energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)
    return energy + torch.special.entr(resp).sum(-1)  # entr is -q log q, and 0 at q = 0
    ### END SOLUTION


def fit_gmm_em(
    x: Float[Tensor, "N D"],
    log_weights: Float[Tensor, "K"],
    means: Float[Tensor, "K D"],
    covs: Float[Tensor, "K D D"],
    steps: int,
    floor: float = 1e-6,
) -> tuple[tuple[Tensor, Tensor, Tensor], Float[Tensor, "steps+1"]]:
    """Exactly `steps` ≥ 0 times an E-step and an M-step (with this floor), from the given parameters.

    Returns:
        ((log_weights, means, covs), history) in the dtype of x; history[t] is the *mean* log-likelihood after t steps.
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

# %% role="given"
def init_gmm(
    x: Float[Tensor, "N D"], K: int, generator: torch.Generator
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K D"], Float[Tensor, "K D D"]]:
    """Equal weights, means on K random examples, the covariance of all data."""
    log_weights = x.new_full((K,), -math.log(K))
    means = x[torch.randperm(len(x), generator=generator)[:K]].clone()
    centred = x - x.mean(0)
    return log_weights, means, (centred.T @ centred / len(x)).repeat(K, 1, 1)

# %% [markdown]
# ### Watch it work
# **Predict.** From ten random examples as means EM ends near $-2.47$ nats. Where from ten *equal* means? (What can ten equal
# components be? The spread per axis is about 2.2, and (2.6) gives the number.)

# %%
guess_same_start = None  # type a number of nats

# %%
components, start_seed = 10, 2  # change both: with 5 components, does every arm get its own?
train_points, test_points = data.toy2d("pinwheel", 1000, seed=0), data.toy2d("pinwheel", 5000, seed=1)
em_start = init_gmm(train_points, components, dgm.generator(start_seed))
figure, panels = plot.subplots(1, 4, width=10.0, height=3.1)
figure.suptitle(f"From {components} equal blobs to the arms", fontsize=12)
for panel, steps in zip(panels, (0, 2, 10, 60)):
    em_params, em_history = fit_gmm_em(train_points, *em_start, steps=steps, floor=1e-4)
    plot.scatter2d(train_points, ax=panel, xlim=(-4, 4), ylim=(-4, 4), title=f"{steps} steps: {float(em_history[-1]):.2f} nats", size=3, color="#AAAAAA")
    if all(part.isfinite().all() for part in em_params[1:]):
        plot.ellipse(em_params[1], em_params[2], ax=panel, n_std=(1,))
same_start = (em_start[0], em_start[1][:1].repeat(components, 1), em_start[2])
_, same_history = fit_gmm_em(train_points, *same_start, steps=60, floor=1e-4)
plot.table(
    [
        ["all means on one example, train", float(same_history[-1]), "−3.61"],
        ["    your guess", guess_same_start if guess_same_start is not None else "–", ""],
        ["one Gaussian, train", float(mvn_log_prob(train_points, *fit_gaussian(train_points)).mean()), "−3.61"],
        ["your mixture, train", float(em_history[-1]), "−2.47"],
        ["your mixture, test", float(gmm_log_prob(test_points, *em_params).mean()), "−2.54"],
        ["the true density, test", float(data.toy2d_log_prob("pinwheel", test_points).mean()), "no model beats this on average"],
    ],
    header=["mean log-likelihood", "nats", "expected"],
)

# %% [markdown]
# Equal components get equal updates: forever ten copies of one Gaussian. EM finds *a* maximum near its start. (Eight starts
# with ten components end between $-2.57$ and $-2.47$. With five, it depends on the start whether every arm gets its own.)
#
# The bound after each half of a step:

# %%
stairs, stairs_params = [], em_start
for step in range(8):
    stairs_q = responsibilities(train_points, *stairs_params)  # E
    for half, now in ((0.0, stairs_params), (0.5, m_step(train_points, stairs_q, 1e-4))):  # then M
        bound, loglik = elbo(train_points, stairs_q, *now).mean(), gmm_log_prob(train_points, *now).mean()
        stairs.append((step + half, float(loglik), float(bound)))
    stairs_params = now
times, logliks, bounds = np.array(stairs).T
plot.curves(
    {"log-likelihood": (times, logliks), "bound": (times, bounds)}, xlabel="step (whole: after E, half: after M)",
    ylabel="nats per example", title="E: the bound touches. M: both rise, the likelihood more",
)
stairs_gap = logliks - bounds
print(f"gap after E: at most {abs(stairs_gap[::2]).max():.0e} nats (rounding); after M: {stairs_gap[1::2].min():.3f} to {stairs_gap[1::2].max():.3f}")

# %% [markdown]
# ### What the floor is for
# Now there are only 50 examples. **Predict.** With the floor 0.1, test examples get $-3.1$ nats. And with $10^{-8}$?

# %%
guess_no_floor = None  # type a number of nats

# %%
examples, collapse_seed = 50, 0  # change both: with how many examples is the *large* floor the worse one?
few_points, many_points = data.toy2d("pinwheel", examples, seed=0).double(), test_points.double()
floors = [1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8]
few_start = init_gmm(few_points, 10, dgm.generator(collapse_seed))
few_train, few_test, few_fits = [], [], []
for floor in floors:
    fitted, values = fit_gmm_em(few_points, *few_start, steps=dgm.budget(smoke=20, cpu=60, gpu=60), floor=floor)
    few_fits.append(fitted)
    few_train.append(float(values[-1]))
    few_test.append(float(gmm_log_prob(many_points, *fitted).mean()))
figure, panels = plot.subplots(1, 3, width=10.0, height=3.5)
for panel, title, fitted in zip(panels, ("floor 0.1: blobs", "floor 1e-8: needles and points"), (few_fits[0], few_fits[-1])):
    plot.scatter2d(few_points, ax=panel, xlim=(-4, 4), ylim=(-4, 4), title=title, size=9, color="#888888")
    if all(part.isfinite().all() for part in fitted[1:]):
        plot.ellipse(fitted[1], fitted[2], ax=panel, n_std=(2,))
plot.curves(
    {"train": (floors, few_train), "test": (floors, few_test)}, xlabel="floor", ylabel="nats per example",
    title=f"{examples} examples: what the floor does", logx=True, ax=panels[2],
)
plot.table(
    [["train", few_train[0], few_train[-1], ""], ["test", few_test[0], few_test[-1], guess_no_floor if guess_no_floor is not None else "–"]],
    header=["mean log-likelihood", "floor 0.1", "floor 1e-8", "your guess"],
)

# %% [markdown]
# With hardly any floor, components **collapse** onto a few examples. One that owns a single example gains $\frac D2\log10$ nats
# there whenever $\varepsilon$ falls tenfold, without end. Maximum likelihood asks for this. (Over eight starts: $-1.5$ to $-0.4$ on
# train, $-14.5$ to $-5.3$ on test. With 500 examples the *large* floor is the worse one.) So compare likelihoods only at the same floor.
#
# The means of twenty Gaussians in 256 dimensions, fitted to glyphs *without* labels.

# %%
glyph_images = data.glyphs(dgm.budget(smoke=100, cpu=1500, gpu=1500), size=16)[0].flatten(1)
glyph_start = init_gmm(glyph_images, 20, dgm.generator(0))
glyph_start = (*glyph_start[:2], glyph_start[2] + 0.05 * torch.eye(256))
glyph_params, _ = fit_gmm_em(glyph_images, *glyph_start, steps=dgm.budget(smoke=1, cpu=8, gpu=8), floor=0.05)
plot.images(glyph_params[1].reshape(-1, 16, 16), ncols=10, suptitle="nobody told EM that there are digits")

# %% [markdown]
# ### Why? (3 points)
# Without a floor, EM's log-likelihood never falls. Why not? Say in six sentences what each half-step does to bound and gap.
# The floor breaks one step of your argument, rounding every responsibility to 0 or 1 breaks another. Which?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The E-step leaves the parameters alone, so $\log p$ stays the same. With $q = r$ the gap becomes 0, and the bound *equals* the
# log-likelihood. The M-step holds $q$ fixed and chooses the parameters that maximise the bound, so the bound does not fall.
# The new log-likelihood is the new bound plus a gap, and a gap is a KL, hence at least 0. Together: new $\log p \ge$ new bound
# $\ge$ old bound $=$ old $\log p$. The floor breaks the second $\ge$: a covariance that was enlarged does not maximise the bound,
# which may then fall. Rounding breaks the equality: a rounded $q$ is not the posterior, the gap stays open, and the bound starts
# below the old $\log p$. The M-step may raise it and still end below the old $\log p$.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A mixture's log-density is a log-sum-exp of log-joints; the posterior is their softmax.
# - EM raises one bound in two ways, in turn: over $q$ (gap 0), then over the parameters (weighted fits).
# - By likelihood alone a collapse fits best, so a floor or a prior is part of the model.
#
# **Where it returns.** Question 4 fits this mixture by gradient descent, Question 5 denoises with it. A VAE raises
# the bound with a $q$ that is not exact.

# %% [markdown]
# Each row estimates one gradient, that of $\mathbb{E}\,f(z)$ with respect to the 784 means of $z$, for $f(z)=-\frac12\|z-\text{digit}\|^2$. The exact one is the digit in the first column. All rows are right on average. Run the cell.

# %%
draw_std = 0.3   # a knob: z is drawn around 0 with this standard deviation; with 1, the rows need 4 to 11 times as many draws

hidden_digit = data.glyphs(20)[0][3].flatten()


def three_estimates(draws):
    """Gradients of the average of f(z) = -|z - digit|²/2."""
    total, noise = torch.zeros(3, 784), dgm.generator(0)
    f_mean = -0.5 * (hidden_digit.square().sum() + 784 * draw_std**2)
    for start in range(0, draws, 1000):
        eps = torch.randn(min(1000, draws - start), 784, generator=noise)
        f = -0.5 * (draw_std * eps - hidden_digit).square().sum(1, keepdim=True)
        total += torch.stack([(hidden_digit - draw_std * eps).sum(0), ((f - f_mean) * eps / draw_std).sum(0), (f * eps / draw_std).sum(0)])
    return total / draws


def labelled_rows(rows, labels):
    figure, axes = plot.subplots(len(rows), 1, width=1.5 * len(labels), height=1.6 * len(rows))
    for ax, (title, pictures) in zip(axes, rows.items()):
        plot.images(pictures.reshape(-1, 28, 28), ncols=len(labels), ax=ax, suptitle=title)
    for column, label in enumerate(labels):
        axes[-1].text(30 * column + 14, 30, label, ha="center", va="top", fontsize=10)
    plt.show()


draw_counts = (1, 10, 100, 1000, 10000)
estimates = torch.stack([hidden_digit.expand(3, 784), *map(three_estimates, draw_counts)], 1)
estimate_titles = ("move the draws", "weigh the draws by f minus its average", "weigh the draws by f")
labelled_rows(dict(zip(estimate_titles, estimates)), ("exact", "1 draw", "10", "100", "1,000", "10,000 draws"))

# %% [markdown]
# The ELBO of Question 2 is an average, $\mathbb{E}_{q_\phi(z)}[\log p(x,z)-\log q_\phi(z)]$. A few states you could sum. For 784 numbers you have to draw, from the distribution that you train.
# How does a gradient pass through a draw?
#
# You can keep the draw and make good ones more probable, or you can move it. One moved draw shows the digit; weighed ones take a thousand.
#
# ### Weigh the draw
#
# The first way needs only values of $f$. Since $\nabla q=q\,\nabla\log q$, the gradient of an average is an average again:
#
# $$\nabla_\phi\,\mathbb{E}_{q_\phi}[f(z)]=\sum_z f(z)\,\nabla q_\phi(z)=\mathbb{E}_{q_\phi}\bigl[f(z)\,\nabla\log q_\phi(z)\bigr]. \tag{3.1}$$
#
# $\nabla\log q_\phi(z)$ is the **score function**. Take two states of probability $\frac12$, the second with $q_2=\operatorname{sigmoid}(a)$ at $a=0$, and $f=100$ and $101$. The exact gradient in $a$ is $\frac14$. The two possible estimates, $-\frac12\cdot100$ and
# $\frac12\cdot101$, are right on average and useless one by one.
#
# A **baseline** $b$, subtracted from $f$, changes no average, as the score averages to zero:
#
# $$\mathbb{E}_q\bigl[b\,\nabla\log q(z)\bigr]=b\,\nabla\sum_z q(z)=b\,\nabla1=0, \tag{3.2}$$
#
# if $b$ does not depend on the draw. With $b=100.5$ both estimates above are $\frac14$, without noise. Often $b$ is the mean $f$ of *other* draws for the same $x$.
#
# **On paper:** let $\phi$ be the $K$ logits of a softmax. Which $b$ makes the variance of $(f-b)\nabla\log q$ smallest, summed over the components? The mean does not depend on $b$, so minimise the average squared length. For $K=2$ you should find
# $b=q_2f_1+q_1f_2$.
#
# ### Move the draw
#
# The second way needs the derivative of $f$. Draw noise without $\phi$, and make $z$ a function of both:
#
# $$z=\mu+e^{\text{logvar}/2}\,\epsilon,\qquad\epsilon\sim\mathcal{N}(0,I),\qquad\frac{\partial z}{\partial\mu}=1,\qquad\frac{\partial z}{\partial\,\text{logvar}}=\tfrac12\,e^{\text{logvar}/2}\,\epsilon. \tag{3.3}$$
#
# This **reparameterisation** lets `backward()` pass through $z$. At $\mu=1$, $\text{logvar}=\log4$ and $\epsilon=-\frac12$ it gives $z=0$, with the derivative $-\frac12$ in logvar.
#
# In the ELBO, $\phi$ occurs twice: in $z$, and in the formula of $\log q_\phi(z)$. The second part contributes $-\nabla\log q_\phi(z)$, by (3.2) pure noise. The **path derivative** leaves it out, and
# differentiates through $z$ only.
#
# Write four functions, in which float64 stays float64.

# %% role="given"
def diagonal_log_prob(
    z: Float[Tensor, "*#batch k"], mean: Float[Tensor, "*#batch k"], logvar: Float[Tensor, "*#batch k"]
) -> Float[Tensor, "*batch"]:
    """Log-density in nats of a Gaussian with a diagonal covariance."""
    return torch.distributions.Normal(mean, (0.5 * logvar).exp()).log_prob(z).sum(-1)

# %% role="answer"
def reparameterise(
    mean: Float[Tensor, "*#batch k"], logvar: Float[Tensor, "*#batch k"], eps: Float[Tensor, "*#batch k"]
) -> Float[Tensor, "*batch k"]:
    """The draw z of (3.3) for the noise eps, differentiable in mean and logvar.

    Args:
        mean, eps: shapes that broadcast, such as (N, k) and (M, N, k).
        logvar: the logarithm of the *variance*, from -60 to 60.
    """
    ### BEGIN SOLUTION
    return mean + (0.5 * logvar).exp() * eps
    ### END SOLUTION


def score_function_loss(
    log_prob: Float[Tensor, "M N"], reward: Float[Tensor, "M N"], baseline: Float[Tensor, "#M #N"] | float | None = None
) -> Float[Tensor, ""]:
    """A number whose gradient is *minus* the estimate (3.1) with a baseline, averaged over all M·N draws.

    Args:
        log_prob: log q(z) of M draws for each of N examples, with a graph.
        reward: f(z). No gradient passes through it or the baseline, even if they have a graph.
        baseline: a number, or a tensor that broadcasts. None (then M is at least 2): for each draw the mean reward
            of the other draws for the same example.
    """
    ### BEGIN SOLUTION
    if baseline is None:
        baseline = (reward.sum(0) - reward) / (len(reward) - 1)
    return -((reward - baseline).detach() * log_prob).mean()
    ### END SOLUTION


def best_baseline(logits: Float[Tensor, "K"], reward: Float[Tensor, "K"]) -> Float[Tensor, ""]:
    """The baseline of your derivation, for the probabilities softmax(logits) and f(z) = reward[z]."""
    ### BEGIN SOLUTION
    q = logits.softmax(0)
    score = torch.eye(len(q), dtype=q.dtype, device=q.device) - q   # row z: the gradient of log q(z) in the logits
    weight = q * score.square().sum(1)
    return (weight * reward).sum() / weight.sum()
    ### END SOLUTION


def path_derivative_elbo(
    log_joint, mean: Float[Tensor, "N k"], logvar: Float[Tensor, "N k"], eps: Float[Tensor, "N k"]
) -> Float[Tensor, "N"]:
    """log p(x, z) - log q(z) at the draw for eps; its gradient in mean and logvar passes through z only.

    ``log_joint(z)`` gives log p(x, z), of shape (N,). Gradients in parameters of its own are as usual.
    """
    ### BEGIN SOLUTION
    z = reparameterise(mean, logvar, eps)
    return log_joint(z) - diagonal_log_prob(z, mean.detach(), logvar.detach())
    ### END SOLUTION

# %% role="check"
grader.check("q3")

# %% [markdown]
# ### All possible draws
#
# Three states of probability 0.5, 0.3 and 0.2, with rewards $-101$, $-100$ and $-98$, allow nine pairs of draws, so mean and variance of an estimate from two draws are exact sums. In the last row a colleague subtracts the mean reward
# of *both* draws. "The smallest variance," she says, "and training works."
#
# **Before you run this:** how many times smaller does the best baseline make the variance?

# %%
guess_factor = None  # type a number

# %%
shift = -100.0   # a knob: added to all rewards; try 0 and -1000. Which rows change?
state_logits = torch.tensor([0.5, 0.3, 0.2]).double().log().requires_grad_()
state_reward = torch.tensor([-1.0, 0.0, 2.0]).double() + shift


def all_pairs(baseline_of):
    """Exact mean and total variance of the estimate."""
    chances, found = [], []
    for pair in torch.cartesian_prod(torch.arange(3), torch.arange(3)):
        log_prob, reward = state_logits.log_softmax(0)[pair][:, None], state_reward[pair][:, None]
        chances.append(log_prob.detach().sum().exp())
        found.append(-torch.autograd.grad(score_function_loss(log_prob, reward, baseline_of(reward)), state_logits)[0])
    chances, found = torch.stack(chances), torch.stack(found)
    mean = chances @ found
    return mean, float(chances @ (found - mean).square().sum(1))


state_mean = (state_logits.detach().softmax(0) * state_reward).sum()
state_best = best_baseline(state_logits.detach(), state_reward)
exact = torch.autograd.grad((state_logits.softmax(0) * state_reward).sum(), state_logits)[0]
moments = {
    "no baseline": all_pairs(lambda reward: 0.0),
    "the mean reward": all_pairs(lambda reward: state_mean),
    "your best baseline": all_pairs(lambda reward: state_best),
    "the other draw": all_pairs(lambda reward: None),
    "the mean of both draws": all_pairs(lambda reward: reward.mean()),
}
plot.table([
    ("exact gradient", *(f"{value:.3f}" for value in exact), ""),
    *((name, *(f"{value:.3f}" for value in mean), f"{variance:.4g}") for name, (mean, variance) in moments.items()),
], header=("baseline", "logit 1", "logit 2", "logit 3", "variance"))
print()
plot.table([("variance without / with the best baseline", guess_factor, moments["no baseline"][1] / moments["your best baseline"][1])], header=("", "your guess", "result"))

# %% [markdown]
# Only the row without a baseline sees the shift: it is nearly all of its variance. The colleague's baseline contains the draw's own reward. So her estimate is the one above it, halved, with a quarter
# of the variance. With $M$ draws the factor is $(M-1)/M$. Training works, since this bias only shortens the step.
#
# ### Sticking the landing
#
# Now $z\sim\mathcal{N}(0,1)$ is continuous, and $x=z+\text{noise}$ of variance 1. We see $x=2$, so the posterior is $\mathcal{N}(1,\frac12)$. Each dot is the ELBO's gradient from one draw, the cross the exact one. In the upper row $q$
# is a little off; in the lower row it *is* the posterior.
#
# **Before you run this:** how many of the four estimators have no noise in the lower row?

# %%
guess_silent = None  # type a number from 0 to 4

# %%
off = 0.5     # a knob: how far mean and logvar of q are from the posterior's in the upper row; try 0.1
x_seen = 2.0


def toy_log_joint(z):
    return diagonal_log_prob(z, torch.zeros(1), torch.zeros(1)) + diagonal_log_prob(torch.full((1,), x_seen), z, torch.zeros(1))


def gradient_clouds(mean, logvar):
    """Gradients from 2,000 single draws."""
    leaves = [torch.full((2000, 1), value, requires_grad=True) for value in (mean, logvar)]
    draws = torch.randn(2000, 1, generator=dgm.generator(0))
    z = reparameterise(*leaves, draws)
    log_q = diagonal_log_prob(z.detach(), *leaves).reshape(4, 500)
    reward = toy_log_joint(z.detach()).reshape(4, 500) - log_q
    losses = {
        "weighed, no baseline": score_function_loss(log_q, reward, 0.0),
        "weighed, 3 other draws": score_function_loss(log_q, reward),
        "moved": -(toy_log_joint(z) - diagonal_log_prob(z, *leaves)).mean(),
        "path derivative": -path_derivative_elbo(toy_log_joint, *leaves, draws).mean(),
    }
    return {name: -2000 * torch.cat(torch.autograd.grad(loss, leaves, retain_graph=True), 1) for name, loss in losses.items()}


figure, axes = plot.subplots(2, 4, width=10, height=5.4, sharex=True, sharey=True)
silent = 0
for row, (label, distance) in enumerate(((f"q off by {off:g}", off), ("q = posterior", 0.0))):
    for ax, (name, cloud) in zip(axes[row], gradient_clouds(1 + distance, math.log(0.5) + distance).items()):
        spread = float(cloud.var(0).sum().sqrt())
        silent += distance == 0 and spread < 1e-3
        ax.scatter(*cloud.T, s=3, alpha=0.3, color=plot.COLORS[0])
        ax.scatter(-2 * distance, 0.5 * (1 - math.exp(distance)), marker="+", s=120, color=plot.COLORS[1], zorder=3)
        ax.set(xlim=(-8, 8), ylim=(-6, 6), xlabel="gradient in mean" if row else "")
        ax.set_title(f"std {spread:.2f}" if row else f"{name}\nstd {spread:.2f}", fontsize=11)
    axes[row, 0].set_ylabel(f"{label}\ngradient in logvar")
figure.suptitle("The same average in each row, and very different noise", fontsize=12)
plt.show()
plot.table([("estimators without noise at the posterior", guess_silent, silent)], header=("", "your guess", "result"))

# %% [markdown]
# At the posterior, $\log p(x,z)-\log q(z)=\log p(x)$ at every $z$. Along $z$ its derivative is zero: the path derivative is silent, and nearly so with `off = 0.1`. The other draws' mean is that number, too, so the second estimator multiplies the score by zero.
#
# Now train. Below, $z$ has 784 pixels and $x$ is the digit. $q$ starts at the prior, 1,026 nats from the posterior.

# %%
step_size = 0.03   # a knob, of Adam in all rows: at 0.1, which one ends closer to the posterior?


def digit_log_joint(z):
    zero = torch.zeros(784)   # z is standard normal, and the digit is z plus noise of variance 1/4
    return diagonal_log_prob(z, zero, zero) + diagonal_log_prob(hidden_digit, z, zero + math.log(0.25))


def weighed_loss(mean, logvar, eps):
    z = reparameterise(mean, logvar, eps).detach()
    log_q = diagonal_log_prob(z, mean, logvar)
    return score_function_loss(log_q[:, None], (digit_log_joint(z) - log_q)[:, None])


def moved_loss(mean, logvar, eps):
    z = reparameterise(mean, logvar, eps)
    return -(digit_log_joint(z) - diagonal_log_prob(z, mean, logvar)).mean()


def path_loss(mean, logvar, eps):
    return -path_derivative_elbo(digit_log_joint, mean.expand_as(eps), logvar.expand_as(eps), eps).mean()


def fit_posterior(loss, draws, steps, noise):
    """Means of q, and its KLs to the posterior."""
    mean, logvar = torch.zeros(784, requires_grad=True), torch.zeros(784, requires_grad=True)
    optimizer = torch.optim.Adam([mean, logvar], step_size)
    pictures, distances = [], []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss(mean, logvar, torch.randn(draws, 784, generator=noise)).backward()
        optimizer.step()
        if step in landing_shown:
            pictures.append(mean.detach().clone())
            with torch.no_grad():
                distances.append(abs(float(0.5 * (((mean - 0.8 * hidden_digit).square() + logvar.exp()) / 0.2 - 1 - logvar + math.log(0.2)).sum())))
    return torch.stack(pictures), ", ".join(f"{distance:.{int(distance < 10)}f}" for distance in distances)


landing_shown = dgm.budget(smoke=(1, 3, 10), cpu=(1, 10, 30, 100, 300), gpu=(1, 10, 30, 100, 300))
landings = {}
for name, loss, draws in (("weighed, 10 draws a step", weighed_loss, 10), ("moved, 1 draw", moved_loss, 1), ("path derivative, 1 draw", path_loss, 1)):
    pictures, distances = fit_posterior(loss, draws, landing_shown[-1], dgm.generator(0))
    landings[f"{name}: {distances} nats from the posterior"] = pictures
labelled_rows(landings, ["mean of q: step 1", *(f"step {step}" for step in landing_shown[1:])])

# %% [markdown]
# The path derivative lands: 0.1 to 0.2 nats are left (over 6 seeds). The moved draw stays at 14 to 15, the weighed ones at 400 to 430. The last two end farther away with a step size of 0.1.
#
# ### Why? (3 points)
#
# About six sentences. (a) One moved draw shows the digit, one weighed draw nothing. What does each use of $f$, and why does the difference grow with the dimension? (b) Why may a baseline depend on $x$, but not
# on its own draw? (c) At the posterior the right baseline takes all noise from weighed draws. Why can no baseline do so elsewhere, and what keeps the moved draw noisy even there?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) Moving uses the derivative of f at the draw: 784 numbers, one for each coordinate. Weighing uses one number, f(z), for all coordinates. What the noise of one coordinate does to f is in the estimate of all others, so the noise grows with
# the dimension, while the gradient of each coordinate does not.
#
# (b) In (3.2) b is taken out of the sum over z. x is fixed in this sum, so b may depend on it. If b depends on the draw itself, the average of b times the score is the gradient of the average of b, in general not zero, and it is subtracted from the gradient
# that is wanted.
#
# (c) At the posterior log p(x, z) - log q(z) is log p(x), the same number at every z. A baseline of that number leaves nothing to weigh the score by. Elsewhere the difference changes with z, and one number b cannot follow it, so
# weighed scores remain. The moved draw's path is silent there, too, but its gradient also contains the score of log q itself, which averages to zero and is not zero at a single draw; the path derivative leaves it out.
# ### END SOLUTION

# %% [markdown]
# **What to remember.**
# - Moving the draw uses the derivative of $f$. Weighing it needs values only, and a baseline.
# - A baseline that does not know its draw changes the noise, never the mean.
# - A score averages to zero: drop it where you can.
#
# `reparameterise` returns in Question 5. Where $z$ is discrete, `score_function_loss` still works.

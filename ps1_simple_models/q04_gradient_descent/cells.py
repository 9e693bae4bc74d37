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

# %% role="answer"
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

# %% role="answer"
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

# %% role="answer"
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

# %% role="check"
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

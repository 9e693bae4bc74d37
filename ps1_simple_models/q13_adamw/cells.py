# %% [markdown]
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
# m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g^2. \tag{13.1}
# $$
#
# Both start at 0, so both are too small at first. For a constant gradient $g$, unrolling (13.1) gives $m_t=(1-\beta_1^t)\,g$ and
# $v_t=(1-\beta_2^t)\,g^2$, so dividing by the known factors removes the bias:
#
# $$
# \hat m = \frac{m}{1-\beta_1^{t}}, \qquad \hat v = \frac{v}{1-\beta_2^{t}}, \qquad
# \theta \leftarrow \theta \;-\; \eta\lambda\,\theta \;-\; \eta\,\frac{\hat m}{\sqrt{\hat v}+\varepsilon}. \tag{13.2}
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
# \end{cases} \tag{13.3}
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
# g_p \leftarrow g_p\cdot\min\left(1, \frac{c}{\lVert g\rVert}\right). \tag{13.4}
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

# %% role="answer"
def adamw_step(
    params: tuple[Tensor, ...],
    grads: tuple[Tensor | None, ...],
    state: tuple[tuple[int, Tensor, Tensor], ...],
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[tuple[Tensor, ...], tuple[tuple[int, Tensor, Tensor], ...]]:
    """One step of AdamW, equations (13.1) and (13.2).

    Args:
        params: any number of tensors of any shapes (0-d too).
        grads: for each parameter its gradient, of the same shape, or None: skip this parameter.
        state: for each parameter the tuple (t, m, v): the number of steps made with it so far, and the two averages as
            they are in (13.1), without bias correction. Before the first step (0, zeros, zeros).
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
    """The learning rate of one update, equation (13.3).

    Args:
        step: counted from 0, as in ``for step in range(total_steps)``; may be larger than ``total_steps``.
        warmup_steps: W, from 0 (no warm-up) to ``total_steps`` (nothing but warm-up).
        total_steps: T, at least 1.
        max_lr, min_lr: the rates of updates W and T. If W = T, update T has ``max_lr`` (the first case of (13.3) decides).

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
    """Limit the norm of all gradients together, equation (13.4).

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

# %% role="answer"
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

# %% role="check"
grader.check("q13")

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

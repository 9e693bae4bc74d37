# %% [markdown]
# Two optimisers go down the same valley. Then its loss is multiplied by 1/100, and nothing is tuned again.

# %%
valley_scale = torch.tensor([1.0, 30.0])
figure, panels = plot.subplots(1, 2, width=10, height=3.2, sharex=True, sharey=True)
grid_x, grid_y = torch.meshgrid(torch.linspace(-2, 10.5, 100), torch.linspace(-2.6, 2.6, 100), indexing="xy")
for panel, name, title in zip(panels, ("SGD", "AdamW"), ("SGD: at 1/100 it hardly moves", "AdamW's two paths coincide")):
    panel.contour(grid_x, grid_y, 0.5 * (grid_x**2 + 30 * grid_y**2), levels=[1, 5, 15, 30, 60], colors="#BBBBBB", linewidths=0.8)
    for factor, style, color in ((1.0, "o-", plot.COLORS[0]), (0.01, "s--", plot.COLORS[1])):
        theta = torch.tensor([10.0, 2.0], requires_grad=True)
        sgd, adamw = torch.optim.SGD([theta], lr=0.06), torch.optim.AdamW([theta], lr=0.3, betas=(0.9, 0.95), weight_decay=0.0)
        path = [theta.tolist()]
        for _ in range(60):
            theta.grad = (factor * valley_scale * theta).detach()
            (sgd if name == "SGD" else adamw).step()
            path.append(theta.tolist())
        panel.plot(*zip(*path), style, color=color, markersize=5 - 2 * factor, linewidth=1.2, label=f"loss × {factor:g}")
    panel.set(xlim=(-2, 10.5), ylim=(-2.6, 2.6), title=title)
    panel.legend(loc="lower left", ncols=2)
plt.show()

# %% [markdown]
# To SGD a factor is another learning rate. The parts of a network have gradients of very different sizes, too, and one rate must serve them all.
#
# So many generative models, large language models among them, are trained with AdamW, a learning rate that warms up and then falls, and clipped
# gradients. Mistakes in this recipe are silent: training works, only worse.
#
# ### AdamW
#
# Adam divides each gradient by its own recent size. For every parameter $\theta$ it averages the gradient $g$ and its square, element by element:
#
# $$m\leftarrow\beta_1m+(1-\beta_1)\,g,\qquad{v}\leftarrow\beta_2v+(1-\beta_2)\,g^2. \tag{13.1}$$
#
# Both start at 0 and are too small at first. A constant gradient gives $m=(1-\beta_1^t)\,g$ after $t$ steps, so dividing by that factor removes the
# bias. At step $t=1,2,\dots$ of this parameter
#
# $$\hat{m}=\frac{m}{1-\beta_1^t},\qquad\hat{v}=\frac{v}{1-\beta_2^t},\qquad\theta\leftarrow\theta-\eta\lambda\theta-\eta\frac{\hat{m}}{\sqrt{\hat{v}}+\varepsilon}. \tag{13.2}$$
#
# With $\beta=(0.9,0.999)$, $\theta=1$, $g=5$, $\eta=0.1$ and $\lambda=0.2$ the first step gives $m=0.5$ and $v=0.025$, corrected 5 and 25. So $\theta$ becomes $1-0.02-0.1=0.88$.
#
# **The first step has size $\eta$ in every coordinate**, whatever the scale of the loss. Outside of the root $\varepsilon$ is compared with a gradient's size. The weight decay $\lambda$ is *decoupled* (the W): it shrinks the old $\theta$ by the plain rate. Put into the gradient, as in SGD, it would be divided by
# $\sqrt{\hat{v}}$ too, and parameters with large gradients would hardly decay.
#
# **On paper.** Unroll (13.1) for a constant gradient. How many $\eta$ long is the first step without the corrections, with this $\beta$? A cell
# below tests your number.
#
# ### The schedule
#
# **Warm-up** keeps steps short while $v$ rests on few gradients. Later, minibatches make parameters jitter (Question 4), and a falling rate calms them.
# Let $n=\text{step}+1$ be the number of the update about to be made, $W$ the warm-up steps, $T$ all steps:
#
# $$\eta(n)=\begin{cases}\eta_{\max}\,n/W&n\le{W}\\\eta_{\min}+\tfrac12(\eta_{\max}-\eta_{\min})\left(1+\cos\left(\pi\,\dfrac{n-W}{T-W}\right)\right)&W<n\le{T}\\\eta_{\min}&n>T.\end{cases} \tag{13.3}$$
#
# No update is wasted on rate 0, update $W$ has exactly $\eta_{\max}$, the last one exactly $\eta_{\min}$. With $W=4$, $T=8$ and rates from 1 to 0.2 they are
# 0.25, 0.5, 0.75, 1, 0.88, 0.6, 0.32, 0.2.
#
# ### Clipping
#
# One bad minibatch can have a gradient a thousand times too long. So limit the length of *all* gradients $g_1,\dots,g_P$, taken as one vector:
#
# $$\lVert{g}\rVert=\sqrt{\textstyle\sum_p\sum_jg_{pj}^2},\qquad{g_p}\leftarrow{g_p}\cdot\min\left(1,\frac{c}{\lVert{g}\rVert}\right). \tag{13.4}$$
#
# One common factor keeps the direction: $(3,0)$ and $(4)$ have norm 5, and with $c=1$ become $(0.6,0)$ and $(0.8)$.
#
# **Your task**: three functions; a given loop puts them together. Compare with `torch.optim.AdamW` as you like.

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
    """One step of (13.1) and (13.2).

    Args:
        params: any number of tensors of any shapes; they may require gradients.
        grads: for each its gradient, of size 1e-12 to 1e6, or None: parameter, t, m, v then stay as they are,
            without decay.
        state: for each (t, m, v): steps so far, uncorrected averages. The first is (0, zeros, zeros).
        lr, betas, eps, weight_decay: η, (β1, β2), ε, λ; all may change from call to call.

    Returns:
        (new_params, new_state), in the same form and dtypes, without gradients. Nothing is remembered between calls.
    """
    ### BEGIN SOLUTION
    new_params, new_state = [], []
    for p, g, (t, m, v) in zip(params, grads, state, strict=True):
        p = p.detach()
        if g is not None:
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
    """The rate of one update by (13.3), a Python float.

    Args:
        step: from 0; may exceed T.
        warmup_steps: W, from 0 to T. If W = T, the first case gives update T `max_lr`.
        total_steps: T, at least 1.
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
    """Limit the norm of all gradients together; equation (13.4).

    Args:
        grads: of any shapes and one dtype, which is kept. None stays None and counts as nothing; not all are None.
        max_norm: c > 0; `math.inf` means never to clip.

    Returns:
        (clipped, total_norm): zeros stay zeros; the norm is that *before* clipping, 0-d.
    """
    ### BEGIN SOLUTION
    present = [g for g in grads if g is not None]
    total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt()
    factor = max_norm / total_norm if total_norm > max_norm else 1.0
    clipped = tuple(None if g is None else g * factor for g in grads)
    return clipped, total_norm
    ### END SOLUTION

# %% role="check"
grader.check("q13")

# %%
my_first_step = None  # type a number: the first step without corrections, in units of the learning rate


def _steps_with_constant_gradient(corrected):
    """Lengths of 1,000 steps of your `adamw_step` / lr. At t = 1,000,000 both corrections are 1."""
    theta, state, lengths = torch.zeros(1), (0, torch.zeros(1), torch.zeros(1)), []
    for t in range(1000):
        (new,), (state,) = adamw_step((theta,), (torch.ones(1),), ((t if corrected else 10**6, *state[1:]),), lr=0.1)
        lengths.append(float((theta - new).abs()) / 0.1)
        theta = new
    return lengths


figure, (left, right) = plot.subplots(1, 2, width=10, height=3.2)
left.plot(range(1, 131), [learning_rate(step, 20, 100, 1e-3, 1e-4) for step in range(130)], ".-", markersize=3)
left.axvline(20, color="#888888", linestyle=":", label="update W = 20: 0.001")
left.axvline(100, color="#888888", linestyle="--", label="update T = 100: 0.0001")
left.set(xlabel="update n = step + 1", ylabel="learning rate", title="Your schedule has two joints", ylim=(0, None))
left.legend()
uncorrected = _steps_with_constant_gradient(False)
right.plot(range(1, 1001), uncorrected, color=plot.COLORS[1], label="without bias correction")
right.plot(range(1, 1001), _steps_with_constant_gradient(True), color=plot.COLORS[0], label="with")
right.set(xscale="log", xlabel="step t", ylabel="length of the step / lr", ylim=(0, 7.5), title="Uncorrected early steps are far too long")
right.legend()
plt.show()
plot.table([("first step without corrections / lr", my_first_step, uncorrected[0])], header=("", "yours", "by your adamw_step"))

# %% [markdown]
# The ratio $(1-\beta_1^t)/\sqrt{1-\beta_2^t}$ rises to 6.6, while the parameters are still random.
#
# ### One broken batch
#
# Logistic regression on digits: at update 51 the pixels arrive multiplied by 1000. **Before you run this:** that gradient is
# about a thousand times as long as usual. How many times as long is the unclipped step?

# %% role="given"
def train_adamw(loss, params, steps, warmup_steps, max_lr, min_lr, max_norm, weight_decay=0.0, betas=(0.9, 0.999)):
    """The recipe; yields (params, norm before clipping, lr) after each update, `loss(params, step)`."""
    state = tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)
    for step in range(steps):
        leaves = tuple(p.detach().requires_grad_() for p in params)
        grads = torch.autograd.grad(loss(leaves, step), leaves, allow_unused=True)
        clipped, norm = clip_grad_norm(grads, max_norm)
        lr = learning_rate(step, warmup_steps, steps, max_lr, min_lr)
        params, state = adamw_step(leaves, clipped, state, lr, betas, weight_decay=weight_decay)
        yield params, float(norm), lr

# %%
guess_step_ratio = None  # type a number

broken_factor, clip_at, second_beta = 1000.0, 1.0, 0.999  # the knobs

digit_images, digit_labels = data.digits("train")
test_images, test_labels = data.digits("test")
digit_images, test_images = digit_images.flatten(1), test_images.flatten(1)
inked = digit_images.std(0) > 0.1
steps = dgm.budget(smoke=60, cpu=400, gpu=400)
digit_batches = torch.randint(len(digit_images), (steps, 64), generator=dgm.generator(0))


def digits_loss(params, step):
    index = digit_batches[step]
    x = digit_images[index] * (broken_factor if step == 50 else 1.0)
    return F.cross_entropy(x @ params[0] + params[1], digit_labels[index])


figure, (left, right) = plot.subplots(1, 2, width=10, height=3.4)
broken_rows = []
for color, (name, max_norm) in zip(plot.COLORS, ((f"clipped at norm {clip_at:g}", clip_at), ("not clipped", math.inf))):
    params, norms, moves, losses = (torch.zeros(64, 10), torch.zeros(10)), [], [], []
    for new, norm, lr in train_adamw(digits_loss, params, steps, 20, 0.02, 0.001, max_norm, 0.01, (0.9, second_beta)):
        norms.append(norm)
        moves.append(float((new[0] - params[0])[inked].abs().median() / lr))
        losses.append(float(F.cross_entropy(test_images @ new[0] + new[1], test_labels)))
        params = new
    left.plot(range(1, steps + 1), losses, color=color, label=name)
    right.plot(range(1, steps + 1), moves, color=color, label=name)
    broken_rows.append((name, norms[50] / np.mean(norms[40:50]), moves[50] / moves[49], losses[-1]))
left.set(xlabel="update", ylabel="test loss, nats", yscale="log", title="The harm comes after update 51 …")
right.set(xlabel="update", ylabel="median step of a weight / lr", ylim=(0, None), title="… as the steps go wrong, then shrink")
left.legend()
right.legend()
plt.show()
plot.table(broken_rows, header=("update 51", "gradient, times the usual", "step, times the one before", "test loss at the end"))
plot.table([("unclipped: step, times the one before", guess_step_ratio, broken_rows[1][2])], header=("", "your guess", "result"))

# %% [markdown]
# Only 1.6 times: the broken gradient is divided by its own size. The harm comes later. Each step keeps 0.9 of $m$, so for some fifteen updates the weights go on in the
# wrong direction: the test loss rises from 0.49 to 0.69. And $v$ loses only 0.001 a step, so even at update 400 the weights move a third as far as in the clipped run. The loss
# is 0.23 against 0.18. (On five other splits it was higher by 0.08 to 0.14.)
#
# **Knobs.** Set `second_beta` to 0.95: when are the steps normal again? Set `broken_factor` to 10: does the loss still rise?
#
# **Why** must clipping come before (13.1)? What a gradient puts into $m$ and $v$ acts for about $1/(1-\beta)$ steps.
#
# **What to remember**
# - Adam's steps are measured in learning rates, whatever the scale of the loss; bias correction makes that true from the start.
# - Weight decay acts on the parameter, not on the gradient.
# - Clip all gradients by one norm; log it before clipping, where a broken batch shows at once.
#
# Later sets call `torch.optim.AdamW`; now you know what is inside.

# %% [markdown]
# Each point of noise on the left walks to a random data point, in a straight line. Where two lines cross, which way should a point go that only knows where it is?

# %%
pair_data = data.toy2d("moons", 40_000, seed=0)
pair_noise = torch.randn(40_000, 2, generator=dgm.generator(0))
pair_halfway = (pair_data + pair_noise) / 2
pair_place = torch.tensor([-0.9, 0.6])
pair_near = (pair_halfway - pair_place).norm(dim=1) < 0.1
pair_arrows = (pair_data - pair_noise)[pair_near]
figure, axes = plot.subplots(1, 2, width=9, height=3.8)
for start, end in zip(pair_noise[:80], pair_data[:80]):
    axes[0].plot(*torch.stack([start, end]).T, color="#bbbbbb", linewidth=0.6, zorder=0)
plot.scatter2d(pair_noise[:80], ax=axes[0], color=plot.COLORS[0], label="noise, t = 0")
plot.scatter2d(pair_data[:80], ax=axes[0], color=plot.COLORS[1], xlim=(-4, 4), ylim=(-3, 3), label="data, t = 1", title="80 pairs, and their lines")
axes[0].plot(*pair_place, "o", markersize=14, markerfacecolor="none", markeredgecolor="black", markeredgewidth=2)
for arrow in pair_arrows[:60]:
    axes[1].plot(*torch.stack([pair_place, pair_place + arrow / 2]).T, color="#bbbbbb", linewidth=0.8)
axes[1].plot(*pair_place, "o", markersize=14, markerfacecolor="none", markeredgecolor="black", markeredgewidth=2)
axes[1].quiver(*pair_place, *pair_arrows.mean(0) / 2, angles="xy", scale_units="xy", scale=1, color=plot.COLORS[1], width=0.012, zorder=3)
axes[1].set(xlim=(-4, 4), ylim=(-3, 3), aspect="equal", title="60 pairs that meet in the ring at t = ½, and their mean")
plt.show()

# %% [markdown]
# **Flow matching** answers: go the mean way (orange). A network learns this mean for every place and time, and Question 1's `euler` follows it from noise to data.
#
# **Time runs the other way.** In Questions 3 to 6, $t=0$ was data and $t=T$ noise. Here $t=0$ is noise $x_0$ and $t=1$ data $x_1$, so that one integrates forwards. Diffusion's time, as a fraction of
# $T$, is $s=1-t$; a slope by $t$ is *minus* the slope by $s$.
#
# ### A path for each data point
#
# A **path** mixes data and noise, and its velocity is the derivative by $t$:
#
# $$x_t=\alpha_tx_1+\beta_tx_0,\qquad \dot x_t=\dot\alpha_tx_1+\dot\beta_tx_0,\qquad x_0\sim\mathcal N(0,I). \tag{7.1}$$
#
# (This $\beta$ is not that of Question 3.) The straight path has $\alpha=t$, $\beta=1-t$, and velocity $x_1-x_0$. Diffusion's path keeps the variance: $\alpha^2+\beta^2=1$. So only an angle moves, $\alpha=\cos\phi(s)$ and $\beta=\sin\phi(s)$, with $\bar\alpha=\cos^2\phi$ as in Question 3.
#
# At a place $x$, with $x_1$ known, (7.1) tells the noise, $x_0=(x-\alpha x_1)/\beta$. Hence the velocity there, and the score of $p_t(x\mid x_1)=\mathcal N(\alpha x_1,\beta^2I)$:
#
# $$u_t(x\mid x_1)=\dot\alpha\,x_1+\dot\beta\,x_0,\qquad \nabla_x\log p_t(x\mid x_1)=-x_0/\beta. \tag{7.2}$$
#
# On the straight path let $t=\frac12$, $x_1=2$, $x=0$. Then $x_0=-2$, the velocity is $2+2=4$, and the score is $4$.
#
# ### The mean of all paths
#
# Nobody knows $x_1$ while drawing. Of all pairs that pass through $x$ at time $t$, take the mean velocity:
#
# $$u_t(x)=\mathbb E\left[\dot x_t\mid x_t=x\right]=\mathbb E\left[u_t(x\mid x_1)\mid x_t=x\right]. \tag{7.3}$$
#
# Points that follow it have the density of $x_t$ at every $t$. For $M$ equally likely data points, Bayes gives the weights of the mean: $w_m\propto\mathcal N(x;\alpha x^{(m)},\beta^2I)$. A network need
# not know (7.3), since least squares finds means:
#
# $$\mathcal L=\mathbb E\,\lVert\mathrm{model}(x_t,t)-\dot x_t\rVert^2. \tag{7.4}$$
#
# **On paper:** let the data be Gaussian, $\mathcal N(m,v)$ in each dimension. Write mean and variance $V_t$ of $x_t$. A velocity $a+b\,(x-\alpha m)$ moves the mean at rate $a$ and the variance at rate $\dot V=2bV$. Find $a$ and $b$. On the straight
# path with $v=1$ you should get $b=\frac{2t-1}{t^2+(1-t)^2}$.

# %% role="given"
def straight_path(t: Float[Tensor, "*batch"], sigma_min: float = 0.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    # (alpha, beta, their slopes by t); sigma_min is the noise that is left at t = 1
    return t, 1 - (1 - sigma_min) * t, torch.ones_like(t), torch.full_like(t, sigma_min - 1)


def cosine_schedule(s: Float[Tensor, "*batch"]) -> tuple[Tensor, Tensor]:
    # the angle phi, and its slope by s, at diffusion's time s
    return math.pi / 2 * s, torch.full_like(s, math.pi / 2)


def path_columns(path, t: Tensor, x: Float[Tensor, "N D"]) -> tuple[Tensor, ...]:
    # path(t) as four columns (N, 1), for t of shape (N,) or a single number
    return tuple(value.expand(len(x))[:, None] for value in path(t))

# %% role="answer"
def diffusion_path(t: Float[Tensor, "*batch"], schedule=cosine_schedule) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Diffusion's path in the time of flows: (alpha, beta, their slopes by t), each like t. Differentiable.

    Args:
        t: 0 is noise, 1 is data.
        schedule: ``schedule(s)`` is (angle, its slope by s), each like s, where s = 0 is data.
    """
    ### BEGIN SOLUTION
    angle, slope = schedule(1 - t)
    return angle.cos(), angle.sin(), angle.sin() * slope, -angle.cos() * slope
    ### END SOLUTION


def conditional_velocity(
    x: Float[Tensor, "N D"], x1: Float[Tensor, "N D"], t: Float[Tensor, "N"], path=straight_path
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """(velocity, score) at x of the path to x1; (7.2). Differentiable.

    Args:
        t: (N,) or a single number, where beta is not 0.
        path: like `straight_path`, also below.
    """
    ### BEGIN SOLUTION
    alpha, beta, d_alpha, d_beta = path_columns(path, t, x)
    x0 = (x - alpha * x1) / beta
    return d_alpha * x1 + d_beta * x0, -x0 / beta
    ### END SOLUTION


def cfm_loss(
    model, x1: Float[Tensor, "N D"], x0: Float[Tensor, "N D"], t: Float[Tensor, "N"], path=straight_path
) -> Float[Tensor, "N"]:
    """Squared error (7.4) of each pair, summed over dimensions. Finite at all t from 0 to 1. Differentiable in the model's parameters.

    Args:
        model: ``model(x_t, t)`` with t of shape (N,) is a velocity (N, D).
    """
    ### BEGIN SOLUTION
    alpha, beta, d_alpha, d_beta = path_columns(path, t, x1)
    target = d_alpha * x1 + d_beta * x0
    return (model(alpha * x1 + beta * x0, t) - target).square().sum(1)
    ### END SOLUTION


def marginal_velocity(x: Float[Tensor, "N D"], t: Tensor, points: Float[Tensor, "M D"], path=straight_path) -> Float[Tensor, "N D"]:
    """(7.3), exact, if the data are M equally likely points. Differentiable.

    Args:
        t: (N,) or a single number, where beta is at least 0.001. x may be far from all points.
    """
    ### BEGIN SOLUTION
    alpha, beta, _, _ = path_columns(path, t, x)
    square = (x[:, None] - alpha[:, None] * points).square().sum(-1)
    weights = torch.softmax(-square / (2 * beta**2), 1)
    return conditional_velocity(x, weights @ points, t, path)[0]
    ### END SOLUTION


def gaussian_velocity(
    x: Float[Tensor, "N D"], t: Tensor, mean: Float[Tensor, "D"], variance: Float[Tensor, "D"], path=straight_path
) -> Float[Tensor, "N D"]:
    """(7.3) for data from a Gaussian with independent dimensions: your derivation. Differentiable.

    Args:
        t: (N,) or a single number, from 0 to 1.
        variance: positive, of each dimension.
    """
    ### BEGIN SOLUTION
    alpha, beta, d_alpha, d_beta = path_columns(path, t, x)
    rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)
    return d_alpha * mean + rate * (x - alpha * mean)
    ### END SOLUTION

# %% role="check"
grader.check("q7")

# %% [markdown]
# ### Two losses, one gradient
#
# Three data points on a line, an untrained network with two random starts, and a sum (Gauss–Hermite) for the integral over the noise, so that nothing is left to chance.

# %%
tiny_points = torch.tensor([[-1.0], [0.5], [2.0]], dtype=torch.float64)
tiny_nodes, tiny_weights = (torch.from_numpy(values) for values in np.polynomial.hermite_e.hermegauss(60))
tiny_times = torch.tensor([0.1, 0.3, 0.5, 0.7], dtype=torch.float64)
tiny_grid = torch.cartesian_prod(torch.arange(3), torch.arange(60), torch.arange(4))
tiny_x1, tiny_x0, tiny_t = tiny_points[tiny_grid[:, 0]], tiny_nodes[tiny_grid[:, 1], None], tiny_times[tiny_grid[:, 2]]
tiny_weight = tiny_weights[tiny_grid[:, 1]] / tiny_weights.sum() / 12


class TinyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()

    def forward(self, x, t):
        return self.body(torch.cat([x, t[:, None]], 1))


tiny_rows = []
for seed in (0, 1):
    dgm.seed_everything(seed)
    tiny_net = TinyNet()
    tiny_losses, tiny_slopes = [], []
    tiny_x_t = tiny_t[:, None] * tiny_x1 + (1 - tiny_t[:, None]) * tiny_x0
    tiny_exact = (tiny_net(tiny_x_t, tiny_t) - marginal_velocity(tiny_x_t, tiny_t, tiny_points)).square().sum(1)
    for each in (cfm_loss(tiny_net, tiny_x1, tiny_x0, tiny_t), tiny_exact):
        tiny_losses.append((tiny_weight * each).sum())
        tiny_slopes.append(torch.cat([part.flatten() for part in torch.autograd.grad(tiny_losses[-1], list(tiny_net.parameters()))]))
    tiny_rows.append((f"start {seed}", *(float(value.detach()) for value in tiny_losses), float((tiny_losses[0] - tiny_losses[1]).detach()), f"{float(tiny_slopes[0].norm()):.2f}", f"{float((tiny_slopes[0] - tiny_slopes[1]).norm()):.0e}"))
plot.table(tiny_rows, header=("", "loss (7.4)", "error against (7.3)", "difference", "length of the gradient", "of the two gradients' difference"))

# %% [markdown]
# The two losses differ by a number that knows nothing of the network: the **floor**, how much the velocities of pairs vary around their mean. So their gradients agree.
#
# ### Train one
#
# **Before you run this.** A model that always answers $0$ has a loss of about $6$ on the moons, with the straight path. Where does a trained network end?

# %%
guess_flow_loss = None  # type a number

# %% role="given"
class VelocityNet(nn.Module):
    # three hidden layers; t of shape (N,) or a single number

    def __init__(self, hidden: int = 128):
        super().__init__()
        layers = [nn.Linear(3, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Linear(hidden, 2))

    def forward(self, x, t):
        return self.body(torch.cat([x, t.expand(len(x))[:, None]], 1))


def flow_pairs(points: Float[Tensor, "M 2"], n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    # (x1, x0, t): n random data points, noises and times
    rows = torch.randint(len(points), (n,), generator=generator)
    return points[rows], torch.randn(n, 2, generator=generator), torch.rand(n, generator=generator)


def train_flow(points, steps: int, path=straight_path, seed: int = 0):
    # a network trained by `cfm_loss`, and its losses
    dgm.seed_everything(seed)
    net, losses, generator = VelocityNet(), [], dgm.generator(seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=4e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        loss = cfm_loss(net, *flow_pairs(points, 256, generator), path).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay.step()
        losses.append(float(loss.detach()))
    return net, losses

# %%
flow_steps = dgm.budget(smoke=30, cpu=2500, gpu=2500)
flow_moons = data.toy2d("moons", dgm.budget(smoke=2000, cpu=20_000, gpu=20_000), seed=0)
flow_nets = {"straight path": straight_path, "diffusion's path": diffusion_path}
flow_nets = {name: (path, *train_flow(flow_moons, flow_steps, path)) for name, path in flow_nets.items()}  # about 20 seconds

# %%
def exact_velocity(x, t, path):
    """`marginal_velocity` of all training points, in portions."""
    return torch.cat([marginal_velocity(*part, flow_moons, path) for part in zip(x.split(250), t.split(250))])


flow_pairs_new, flow_rows = flow_pairs(flow_moons, dgm.budget(smoke=200, cpu=4000, gpu=4000), dgm.generator(1)), []
for (name, (path, net, _)), expected in zip(flow_nets.items(), ("3.8, 3.7", "5.9, 5.8")):
    with torch.no_grad():
        flow_models = (lambda x, t: 0 * x, net, lambda x, t, path=path: exact_velocity(x, t, path))
        flow_rows.append((name, *(float(cfm_loss(model, *flow_pairs_new, path).mean()) for model in flow_models), expected))
flow_rows[0] += (guess_flow_loss,)
plot.table(flow_rows, header=("losses", "model 0", "your network", "the floor", "expected, of these two", "your guess"))

# %% [markdown]
# A loss of 3.8, and almost nothing is left to learn: over six seeds the networks end 0.05 to 0.12 above their floors. So look at what a flow draws, not at its loss.
#
# **Before you run this.** Ask `euler` for a *single* step with the straight path's network. The noise has standard deviation 1, the moons about 1.4. What is the standard deviation of the samples?

# %%
guess_one_step = None  # type a number

# %%
flow_steps_shown = (1, 2, 5, 50)  # a knob: (3, 10, 20, 100). From where on do more steps stop helping?
flow_solver = euler               # a knob: heun evaluates twice a step. At 5 steps, is it worth it?

flow_noise, flow_rows = torch.randn(2000, 2, generator=dgm.generator(2)), []
figure, axes = plot.subplots(2, 4, width=10, height=4.2)
for row, (name, (_, net, _)) in zip(axes, flow_nets.items()):
    for ax, steps in zip(row, flow_steps_shown):
        with torch.no_grad():
            flow_trail = flow_solver(net, flow_noise, torch.linspace(0, 1, steps + 1))
        plot.scatter2d(flow_trail[-1], ax=ax, size=2, alpha=0.4, xlim=(-3.5, 3.5), ylim=(-2.5, 2.5), title=f"steps: {steps}")
        flow_stray = float((data.toy2d_log_prob("moons", flow_trail[-1]) < -7).float().mean())
        flow_rows.append((f"{name}, steps: {steps}", float(flow_trail[-1].std(0).mean()), f"{flow_stray:.0%}"))
    row[0].set_ylabel(name)
figure.suptitle("One step of the straight path finds only the mean", fontsize=12)
plt.show()
flow_rows[0] += ("0.07", guess_one_step)
plot.table(flow_rows, header=("", "standard deviation", "samples where no data are", "expected", "your guess"))

# %% [markdown]
# At $t=0$ the place is pure noise and says nothing about $x_1$: the mean velocity is $\mathbb E[x_1]-x_0$, and a full step along it ends at $\mathbb E[x_1]$ for every $x_0$. On diffusion's path no
# noise is taken away at first ($\dot\beta_0=0$), so one step leaves all of it. With 50 steps both draw moons, and 2 to 4 % stray points (six seeds): neither path wins.

# %% [markdown]
# Watch the flows bend: your `gaussian_velocity` on both paths, and the network, from the same noise (blue).

# %%
bend_times, bend_noise = torch.linspace(0, 1, 101), flow_noise[:40]
bend_mean, bend_variance = torch.tensor([1.5, 0.5]), torch.tensor([0.04, 1.0])  # a knob: variances of 0.0001; then mean 0 and variances of 1. Which flows are straight, and which stands still?
figure, axes = plot.subplots(1, 3, width=10, height=3)
with torch.no_grad():
    bend_fields = {
        "Gaussian data, straight path": lambda x, t: gaussian_velocity(x, t, bend_mean, bend_variance),
        "Gaussian data, diffusion's path": lambda x, t: gaussian_velocity(x, t, bend_mean, bend_variance, diffusion_path),
        "moons, straight path, network": flow_nets["straight path"][1],
    }
    for ax, (title, field) in zip(axes, bend_fields.items()):
        bend_trail = heun(field, bend_noise, bend_times)
        for n in range(len(bend_noise)):
            ax.plot(*bend_trail[:, n].T, color="#bbbbbb", linewidth=0.8, zorder=0)
        plot.scatter2d(bend_noise, ax=ax, size=8, color=plot.COLORS[0])
        plot.scatter2d(bend_trail[-1], ax=ax, size=8, color=plot.COLORS[1], xlim=(-3.5, 3.5), ylim=(-2.5, 3.5), title=title)
figure.suptitle("Even where each pair walks straight, the flow bends", fontsize=12)
plt.show()

# %% [markdown]
# ### Why? (3 points)
#
# At most nine lines. Every training target is the velocity of a straight line. (a) Why do the trained flow's own paths bend? (b) Two lines of training cross at the same $t$; can two paths of the flow?
# (c) On which data does one Euler step draw the right law, and why is the floor 0 there?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) The network sees a place and a time, not the pair. Through one place pass lines to many data points, and the best answer to a squared error is their mean velocity. Along the way $x_t$ says more and more about $x_1$, so the
# weights of the mean change, and so does the direction.
#
# (b) No. The flow's velocity is one function of $x$ and $t$. From one place at one time there is only one way on (and one way back), so two paths that meet would be the same path. At a crossing both points go the
# mean way: they swap partners, and only the density at each $t$ is kept.
#
# (c) If all data are one point $m$: then $x_1$ is known, each line keeps its velocity $m-x_0$, and a step of length 1 ends at $m$. Only there do the velocities at a place never vary, so the floor is 0.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A path mixes noise and data. The mean velocity at each place carries the whole density along.
# - Regression on the velocities of random pairs has the gradient of regression on this mean, and a loss that ends at a floor above 0.
# - Straight targets do not make straight flows.
#
# Question 8 conditions on labels.

# %% [markdown]
# Noise enters on the left, data leaves on the right. The shading is the density of the points at each moment.

# %%
hill_means, hill_shares, hill_std = torch.tensor([-2.0, 1.5]), torch.tensor([0.35, 0.65]), 0.25


def hill_facts(x: Float[Tensor, "N"], t: float) -> tuple[Tensor, Tensor, Tensor]:
    # density, score and velocity at time t: a standard normal at t = 0, two hills at t = 1
    variance = (1 - t) ** 2 + (t * hill_std) ** 2
    away = x[:, None] - t * hill_means
    heights = hill_shares * torch.exp(-away.square() / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    density = heights.sum(1)
    part = heights / density[:, None]
    slope = (t * hill_std**2 - (1 - t)) / variance
    return density, -(part * away).sum(1) / variance, (part * (hill_means + slope * away)).sum(1)


hill_times, hill_side = torch.linspace(0, 1, 401), torch.linspace(-4, 4, 200)
hill_shade = torch.stack([hill_facts(hill_side, t)[0] for t in hill_times.tolist()], 1)
figure, axes = plot.subplots(1, 2, width=10, height=3.6, sharey=True)
for ax, hill_noise, title in ((axes[0], 0.0, "An ODE: the start decides everything"), (axes[1], 1.0, "An SDE: other paths through the same densities")):
    hill_path, hill_draws = [torch.linspace(-2.2, 2.2, 25)], dgm.generator(0)
    for hill_t in hill_times[:-1].tolist():
        _, hill_score, hill_velocity = hill_facts(hill_path[-1], hill_t)
        hill_drift = hill_velocity + 0.5 * hill_noise**2 * hill_score
        hill_path.append(hill_path[-1] + hill_drift / 400 + hill_noise * torch.randn(25, generator=hill_draws) / 20)
    ax.imshow(hill_shade.sqrt(), origin="lower", extent=(0, 1, -4, 4), aspect="auto", cmap=plot.SEQUENTIAL)
    ax.plot(hill_times, torch.stack(hill_path), color="white", linewidth=0.8, alpha=0.8)
    ax.set(xlabel="time t", title=title)
    ax.grid(False)
axes[0].set_ylabel("x")
plt.show()

# %% [markdown]
# Both panels draw from the same data. On the left a **velocity** moves each point, as water moves a cork: an ordinary differential equation, ODE. On the right each point is also kicked, and pulled uphill just enough to make up for it: a
# stochastic one, SDE. DDIM and flow matching follow the left picture, DDPM the right one.
#
# What does a step cost, and what does it get wrong?
#
# ### Steps along a velocity
#
# **Euler** asks for the velocity where it stands and follows it for a time $h$:
#
# $$x_{t+h}\approx x_t+h\,v(x_t,t). \tag{1.1}$$
#
# By then the velocity has changed. **Heun** takes that step on trial, asks again at its end, and goes back to take the step with the mean of both velocities:
#
# $$x_{t+h}\approx x_t+\tfrac h2\bigl(v(x_t,t)+v(\hat x,\,t+h)\bigr),\qquad \hat x=x_t+h\,v(x_t,t). \tag{1.2}$$
#
# For $v=-x$, $x=1$, $h=\frac12$: Euler gives $0.5$. There the velocity is $-0.5$, so Heun gives $1-\frac14(1+0.5)=0.625$. The truth is $e^{-1/2}=0.607$.
#
# ### Steps with noise
#
# An SDE $dx=f(x,t)\,dt+g(x,t)\,dW$ has a **drift** $f$ and a **diffusion coefficient** $g$. Kicks are independent, so their *variances* add: in time $h$ the variance is $g^2h$, however finely you cut $h$. The standard
# deviation is therefore $g\sqrt{|h|}$, and **Euler–Maruyama** takes
#
# $$x_{t+h}\approx x_t+h\,f(x_t,t)+g(x_t,t)\,\sqrt{|h|}\;\varepsilon,\qquad\varepsilon\sim\mathcal N(0,I). \tag{1.3}$$
#
# (Generation may run backwards, $h<0$.) With $f=0$, $g=2$, a kick for $h=0.01$ has standard deviation $0.2$; a hundred of them, $2$.
#
# **On paper.** The Ornstein–Uhlenbeck process is pulled to 0 while it is kicked: $dx=-\theta x\,dt+\sigma\,dW$. Which mean and variance does (1.3) give after one step, from mean $m$ and variance $v$? Keep terms of order $h$, which gives
# $dm/dt$ and $dv/dt$, and solve both. For $\theta=\frac12$, $\sigma=1$, $v=0$ you should find variance $0.632$ at $t=1$, and in the end $1$ from every start. The case $\theta=0$ is Brownian motion.
#
# ### Walking uphill, with noise
#
# To draw from a density $p$ that is known up to a factor, walk along its **score** $\nabla_x\log p(x)$, which points uphill, and add noise. This is **Langevin dynamics**, (1.3) with drift $\frac12\nabla\log p$ and $g=1$:
#
# $$x'=x+\tfrac\eta2\,\nabla_x\log p(x)+\sqrt\eta\;\varepsilon. \tag{1.4}$$

# %% role="answer"
def euler(velocity, x: Float[Tensor, "N *rest"], times: Float[Tensor, "S+1"]) -> Float[Tensor, "S+1 N *rest"]:
    """The states at all times, x first, by (1.1).

    Args:
        velocity: ``velocity(x, t)`` has the shape of x; t is an entry of times, a tensor without axes. It is called S times.
        times: rising or falling, in steps of any sizes.
    """
    ### BEGIN SOLUTION
    path = [x]
    for t, h in zip(times, times.diff()):
        path.append(path[-1] + h * velocity(path[-1], t))
    return torch.stack(path)
    ### END SOLUTION


def heun(velocity, x: Float[Tensor, "N *rest"], times: Float[Tensor, "S+1"]) -> Float[Tensor, "S+1 N *rest"]:
    """As `euler`, by (1.2); velocity is called 2S times."""
    ### BEGIN SOLUTION
    path = [x]
    for t, s in times.unfold(0, 2, 1):  # each time with the next
        here = velocity(path[-1], t)
        there = velocity(path[-1] + (s - t) * here, s)
        path.append(path[-1] + (s - t) / 2 * (here + there))
    return torch.stack(path)
    ### END SOLUTION


def euler_maruyama(
    drift, diffusion, x: Float[Tensor, "N *rest"], times: Float[Tensor, "S+1"], noise: Float[Tensor, "S N *rest"]
) -> Float[Tensor, "S+1 N *rest"]:
    """The states at all times, x first, by (1.3); noise holds the epsilon of each step.

    Args:
        drift: ``drift(x, t)`` has the shape of x; t and times as in `euler`.
        diffusion: ``diffusion(x, t)`` >= 0 is a number, or a tensor that broadcasts with x, such as (), (N, 1) or (N, D).
    """
    ### BEGIN SOLUTION
    path = [x]
    for t, step, eps in zip(times, times[1:] - times[:-1], noise):
        kick = diffusion(path[-1], t) * step.abs().sqrt() * eps
        path.append(path[-1] + step * drift(path[-1], t) + kick)
    return torch.stack(path)
    ### END SOLUTION


def ou_moments(
    theta: float, sigma: float, t: Float[Tensor, "*batch"], mean: Float[Tensor, "*batch"], variance: Float[Tensor, "*batch"]
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Mean and variance after time t >= 0, your derivation, from those at time 0.

    Args:
        theta: 0 (Brownian motion), or at least 0.01.
    """
    ### BEGIN SOLUTION
    decay = torch.exp(-theta * t)
    added = t if theta == 0 else (1 - decay**2) / (2 * theta)
    return decay * mean, decay**2 * variance + sigma**2 * added
    ### END SOLUTION


def langevin(score, x: Float[Tensor, "N *rest"], step: float, noise: Float[Tensor, "S N *rest"]) -> Float[Tensor, "S+1 N *rest"]:
    """All states of S steps (1.4), x first; step is eta, noise the epsilon of each step, ``score(x)`` has the shape of x."""
    ### BEGIN SOLUTION
    times = step * torch.arange(len(noise) + 1, dtype=x.dtype, device=x.device)
    return euler_maruyama(lambda x, t: score(x) / 2, lambda x, t: 1.0, x, times, noise)
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### One turn of a wheel
#
# The velocity $v=(-x_2,x_1)$ turns the plane. After time $2\pi$ every point is back. **Before you run this:** a point starts at radius 1 and takes 20 Euler steps. What is its radius after the turn?

# %%
guess_radius = None  # type a number

# %%
wheel_steps = 20  # a knob: 10, and 100. Which method needs how many, until its circle closes for your eye?


def wheel(x, t):
    return torch.stack([-x[..., 1], x[..., 0]], -1)


wheel_start, wheel_rows, wheel_methods = torch.tensor([[1.0, 0.0]], dtype=torch.float64), [], (("Euler", euler, 1), ("Heun", heun, 2))
figure, (left, right) = plot.subplots(1, 2, width=10, height=4)
left.plot(*wheel_start.new_tensor([[math.cos(a), math.sin(a)] for a in np.linspace(0, 2 * math.pi, 200)]).T, color="#cccccc", linewidth=6, label="truth")
for (name, method, price), color in zip(wheel_methods, plot.COLORS):
    wheel_path = method(wheel, wheel_start, torch.linspace(0, 2 * math.pi, wheel_steps + 1, dtype=torch.float64))[:, 0]
    left.plot(*wheel_path.T, marker="o", markersize=3, color=color, label=f"{name}, {wheel_steps} steps")
    wheel_counts = [20, 40, 80, 160, 320, 640, 1280]
    wheel_misses = [float((method(wheel, wheel_start, torch.linspace(0, 2 * math.pi, n + 1, dtype=torch.float64))[-1] - wheel_start).norm()) for n in wheel_counts]
    right.loglog([price * n for n in wheel_counts], wheel_misses, marker="o", markersize=4, color=color, label=name)
    wheel_rows.append((name, float(wheel_path[-1].norm()), wheel_misses[0], wheel_misses[-1], math.log2(wheel_misses[-2] / wheel_misses[-1]), guess_radius if name == "Euler" else None))
left.set(xlabel="$x_1$", ylabel="$x_2$", ylim=(-2.4, 2.4), aspect="equal", title="Euler spirals away, Heun hardly")
right.set(xlabel="evaluations of the velocity", ylabel="distance from the truth", title="Twice the work: half the error, or a quarter")
left.legend(loc="upper right"), right.legend()
plt.show()
plot.table(wheel_rows, header=("method", "radius", "error, 20 steps", "error, 1,280 steps", "order", "your guess"))

# %% [markdown]
# Each Euler step multiplies the radius by $\sqrt{1+h^2}$, twenty by $2.56$. When steps are short, halving them halves Euler's error: **order 1**. Heun's falls to a quarter:
# **order 2**. The right panel counts evaluations (later, passes through a network). Heun, at two a step, still wins.
#
# ### It passes. Is it right?
#
# A diffusion coefficient much like this one stood in a university's public lab. It passes a test of mean and variance.

# %%
lab_steps = (1, 4, 256)  # a knob: add 16 and 64. From how many steps on would you no longer notice?

lab_draws = dgm.generator(4)


def lab_diffusion(x, t):
    return 1.0 * torch.randn(x.shape, generator=lab_draws)  # sigma is 1


lab_rows = []
figure, axes = plot.subplots(1, len(lab_steps), width=10, height=3, sharex=True, sharey=True)
for ax, steps in zip(axes, lab_steps):
    lab_noise = torch.randn(steps, 40_000, 1, generator=lab_draws)
    for name, coefficient, color in (("g = 1", lambda x, t: 1.0, plot.COLORS[0]), ("the lab's g", lab_diffusion, plot.COLORS[1])):
        lab_ends = euler_maruyama(lambda x, t: 0 * x, coefficient, torch.zeros(40_000, 1), torch.linspace(0, 1, steps + 1), lab_noise)[-1]
        ax.hist(lab_ends[:, 0].numpy(), bins=np.linspace(-6, 6, 61), histtype="step", density=True, log=True, color=color, label=name)
        lab_rows.append((steps, name, float(lab_ends.mean()), float(lab_ends.var()), float((lab_ends.abs() > 4).double().mean())))
    ax.set(xlabel="x at time 1", title=f"{steps} step{'s' * (steps > 1)}")
axes[0].legend(loc="lower center")
figure.suptitle("Same mean and variance, another law until the steps are many")
plt.show()
plot.table(lab_rows, header=("steps", "diffusion", "mean (should be 0)", "variance (should be 1)", "share beyond 4 (should be 0.00006)"))

# %% [markdown]
# The noise is multiplied in twice: once in $g$, once in (1.3). A product of two independent standard normals has mean 0 and variance 1, so both are right. But its fourth moment is $3\cdot3=9$ instead of $3$. Over many
# steps the central limit theorem hides even that. A diffusion coefficient holds no randomness, and a test of two moments is no test of a law.
#
# ### Long enough?
#
# Langevin dynamics on a standard normal, $\nabla\log p=-x$, is your process with $\theta=\frac12$, $\sigma=1$. **Before you run this:** 20,000 walkers start at 0 with $\eta=1$. Which variance do they have in the end?

# %%
guess_variance = None  # type a number

# %%
walk_step = 1.0  # a knob: 0.1, then 3.9 and 4.1. What happens to the variance, and to the time until it settles?

walk_time, walk_rows = torch.linspace(0, 30, 301), []
figure, ax = plot.subplots(width=8, height=3)
for step, color in ((walk_step, plot.COLORS[1]), (walk_step / 4, plot.COLORS[0])):
    walk = langevin(lambda x: -x, torch.zeros(20_000, 1), step, torch.randn(max(40, int(30 / step)), 20_000, 1, generator=dgm.generator(2)))
    walk_variance = walk.var((1, 2))
    ax.plot(step * torch.arange(len(walk)), walk_variance, color=color, label=f"step {step:g}")
    walk_late = float(walk_variance[len(walk) // 2 :].mean())
    walk_rows.append((step, walk_late, 1 / (1 - step / 4) if step < 4 else "none", guess_variance if step == walk_step else None))
ax.plot(walk_time, ou_moments(0.5, 1.0, walk_time, 0 * walk_time, 0 * walk_time)[1], color="#444444", linestyle="--", label="exact, your derivation")
ax.set(xlabel="time (steps × η)", ylabel="variance of the walkers", title="Walking longer does not help, shorter steps do")
ax.legend(loc="lower right")
plt.show()
plot.table(walk_rows, header=("step", "variance, mean of the second half", "1 / (1 - η/4)", "your guess"))

# %% [markdown]
# They settle, but on a law of their own. One step makes variance $v$ into $(1-\frac\eta2)^2v+\eta$, which stays the same for $v=1/(1-\frac\eta4)$: $1.33$ at $\eta=1$ (over six seeds: 1.32 to 1.34).
# From $\eta=4$ on nothing settles.
#
# **What to remember**
# - Euler has order 1, Heun order 2; the price is counted in evaluations.
# - Drift grows with $h$, noise with $\sqrt h$.
# - The right mean and variance do not prove the right law, and a walk that has settled may be wrong.
#
# `euler` and `heun` return in Question 7, Langevin in Question 2.

# %% [markdown]
# The smallest game: all data lie at 0, the generator is one point, the critic one slope. Nothing could be easier to learn. This is what 500 steps of training do.

# %%
spiral_start = 1.0, 0.0   # the generator begins at 1, the critic knows nothing
spiral_path = [spiral_start]
for _ in range(500):
    spiral_x, spiral_slope = spiral_path[-1]
    spiral_fake = 1 / (1 + math.exp(-spiral_slope * spiral_x))   # what the critic thinks of the fake point
    spiral_path.append((spiral_x + 0.1 * spiral_slope * spiral_fake, spiral_slope - 0.1 * spiral_x * spiral_fake))
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6, gridspec_kw={"width_ratios": [1, 1.6]})
left.plot(*zip(*spiral_path), color=plot.COLORS[0])
left.plot(0, 0, "*", color=plot.COLORS[1], markersize=14)
left.set(xlabel="generator", ylabel="critic", title="Away from the solution (star)", aspect="equal")
plot.curves({"generator": [x for x, _ in spiral_path]}, reference={"data": 0.0}, ax=right, title="The generator passes the data again and again")
plt.show()

# %% [markdown]
# The generator's samples are all at $\theta$. The critic's logit is $h(x)=\psi x$. Put into the game of Question 1 (minimax), each player goes down its loss:
#
# $$\dot\theta=\psi\,\sigma(\psi\theta),\qquad\dot\psi=-\theta\,\sigma(\psi\theta). \tag{2.1}$$
#
# The real point is at 0, where $h=0$ whatever $\psi$ is. So it adds nothing. Both rest at $\theta=\psi=0$: real and fake are the same, and the critic says so. (Mescheder et al., 2018, call this the Dirac GAN.)
#
# **Does training arrive there?** Near 0, $\sigma=\frac12$. A step of size $\eta$ multiplies $(\theta,\psi)$ by a matrix. If both players move at the same time, that is
#
# $$J=\begin{pmatrix}1&\eta/2\\-\eta/2&1\end{pmatrix},\qquad\lambda=1\pm\tfrac{i\eta}2,\qquad|\lambda|=\sqrt{1+\eta^2/4}>1. \tag{2.2}$$
#
# Each step turns a little and moves *outward*. With $\eta=0.1$, $|\lambda|=1.00125$.
#
# **Four cures.**
#
# - *Alternate*: the critic moves first, and the generator meets the new critic.
# - *Look ahead* (extragradient): both try a step, look which way they would go *from there*, and take that direction from the old place.
# - *Pull the critic back* (R1): add $\frac\gamma2\,\mathbb E_p\,\|\nabla_xh(x)\|^2$ to the critic's loss, on real samples. Where the data are, the critic should be flat. Here it is $\frac\gamma2\psi^2$, and $-\gamma\psi$ joins $\dot\psi$.
# - *Average*: keep a second generator, the moving average of the first, and draw from that one.
#
# **On paper (1).** Which $2\times2$ matrix is an alternating step? It is a product of two. What is its determinant, and so $|\lambda|$?
#
# **On paper (2).** Let both move at the same time, with R1 and with two step sizes, $\eta_g$ and $\eta_c$. Which $\gamma$ makes the larger $|\lambda|$ smallest? (A pair of complex $\lambda$ has $|\lambda|^2=\det J$. What happens to the larger one when they become real?) For $\eta_g=\eta_c$ you should find $\gamma=1$.

# %% role="answer"
def game_step(field, theta: Float[Tensor, "*n"], psi: Float[Tensor, "*m"], lr_g: float, lr_c: float, method: str) -> tuple[Tensor, Tensor]:
    """One step of two players: the new theta and psi. Differentiable in both.

    Args:
        field: ``field(theta, psi)`` returns the directions, of theta and of psi, in which generator and critic go.
        method: "simultaneous", "alternating" (critic first) or "extragradient".
    """
    ### BEGIN SOLUTION
    d_theta, d_psi = field(theta, psi)
    if method == "extragradient":
        d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
    if method == "alternating":
        d_theta, _ = field(theta, psi + lr_c * d_psi)
    return theta + lr_g * d_theta, psi + lr_c * d_psi
    ### END SOLUTION


def best_gamma(lr_g: float, lr_c: float) -> float:
    """Your second derivation; learning rates between 0 and 1."""
    ### BEGIN SOLUTION
    return math.sqrt(lr_g / lr_c)
    ### END SOLUTION

# %% role="answer"
def r1_penalty(critic, x: Float[Tensor, "N ..."]) -> Float[Tensor, ""]:
    """Mean over the batch of the squared norm of the critic's gradient by x, without the 1/2.

    Differentiable in the critic's parameters, not in x. x, its `requires_grad` and every `.grad` stay as they are.

    Args:
        critic: gives one logit for each sample, (N,) or (N, 1), none from another's x.
    """
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return slope.flatten(1).square().sum(1).mean()
    ### END SOLUTION


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves each parameter of `average`, in place, to decay · its value + (1 - decay) · the model's. Buffers are copied; `model` stays."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for kept, new in zip(average.parameters(), model.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)
        for kept, new in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(new)
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# ### Four ways to play
#
# **Before you run this.** The simultaneous player starts at radius 1. By (2.2), each of 500 steps multiplies the radius by 1.00125, in all by 1.87. Away from 0, $\sigma$ is not $\frac12$: what is the radius at the end?

# %% role="given"
def dirac_field(gamma: float = 0.0, kind: str = "minimax"):
    """(2.1) with R1; kind "nonsaturating" has the other generator of Question 1."""
    def field(theta: Float[Tensor, "*n"], psi: Float[Tensor, "*n"]) -> tuple[Tensor, Tensor]:
        fake = torch.sigmoid(psi * theta)
        return psi * (fake if kind == "minimax" else 1 - fake), -theta * fake - gamma * psi

    return field


def dirac_growth(gamma: float, lr_g: float, lr_c: float, method: str) -> float:
    """The largest |eigenvalue| of the Jacobian of your step at theta = psi = 0."""
    def step(point):
        return torch.stack(game_step(dirac_field(gamma), point[0], point[1], lr_g, lr_c, method))

    return float(torch.linalg.eigvals(torch.autograd.functional.jacobian(step, torch.zeros(2, dtype=torch.float64))).abs().max())


def dirac_path(gamma: float, lr_g: float, lr_c: float, method: str, kind: str = "minimax", steps: int = 500) -> Float[Tensor, "steps+1 2"]:
    """Where both are after each step from (1, 0)."""
    path = [torch.tensor([1.0, 0.0], dtype=torch.float64)]
    for _ in range(steps):
        path.append(torch.stack(game_step(dirac_field(gamma, kind), path[-1][0], path[-1][1], lr_g, lr_c, method)))
    return torch.stack(path)

# %%
guess_radius = None   # type a number

# %%
circle_step, circle_gamma, circle_kind = 0.1, 0.3, "minimax"   # knobs: step 0.4; gamma = 1 or 10; the kind "nonsaturating"

circle_rows = [("simultaneous", 0.0, "simultaneous", "1.00125, 1.76"), ("alternating", 0.0, "alternating", "1.00000, 1.02"), ("extragradient", 0.0, "extragradient", "0.99875, 0.54"), ("with R1", circle_gamma, "simultaneous", "0.98615, 0.00")]
figure, axes = plot.subplots(1, 4, width=10, height=3.3, sharex=True, sharey=True)
circle_table = []
for ax, (name, gamma, method, expected) in zip(axes, circle_rows):
    path = dirac_path(gamma, circle_step, circle_step, method, circle_kind)
    ax.plot(path[:, 0], path[:, 1], color=plot.COLORS[0])
    ax.plot(0, 0, "*", color=plot.COLORS[1], markersize=12)
    ax.set(title=name, xlabel="generator", aspect="equal")
    circle_table.append((name, f"{dirac_growth(gamma, circle_step, circle_step, method):.5f}", float(path[-1].norm()), expected, guess_radius if name == "simultaneous" else ""))
axes[0].set_ylabel("critic")
figure.suptitle("Out, around, and in", fontsize=12)
plt.show()
plot.table(circle_table, header=("", "largest |λ|", "radius after 500", "expected", "your guess"))

# %% [markdown]
# The spiral ends at 1.76, as $\sigma(\psi\theta)$ is not $\frac12$ there. (From five other starts on the same circle: 1.72 to 1.77.) Alternating steps have determinant 1 and go around, neither in nor out. Looking ahead comes in slowly. R1 is there at once.
#
# These radii are the minimax generator's. With the non-saturating one even simultaneous steps come in, from 1 to 0.51. But its $J$ at the solution is the same, so there it is pushed out as well: it ends on a circle of radius 0.45, from inside or outside.
#
# ### Two step sizes
#
# A quick critic and a slow generator: a common recipe. Here $\eta_g\eta_c=0.01$ in all curves. Dots are at your `best_gamma`.

# %%
scale_ratios, scale_gammas = (1, 4, 16), torch.linspace(0, 2, 81)   # knob: a slow critic, ratio 0.25
figure, ax = plot.subplots(width=7, height=3.6)
for ratio, color in zip(scale_ratios, plot.COLORS):
    lr_g, lr_c = 0.1 / math.sqrt(ratio), 0.1 * math.sqrt(ratio)
    ax.plot(scale_gammas, [dirac_growth(float(gamma), lr_g, lr_c, "simultaneous") for gamma in scale_gammas], color=color, label=f"critic {ratio:g} × as quick")
    scale_best = best_gamma(lr_g, lr_c)
    ax.plot(scale_best, dirac_growth(scale_best, lr_g, lr_c, "simultaneous"), "o", color=color)
ax.axhline(1, color="0.5", linewidth=0.8)
ax.set(xlabel="γ", ylabel="largest |λ|", title="A quick critic needs less R1, and without R1 it is of no use")
ax.legend()
plt.show()

# %% [markdown]
# At $\gamma=0$ all curves start at 1.00125: only the product of the step sizes counts. With a weak penalty a quick critic helps much: at $\gamma=0.1$, $|\lambda|$ falls from 0.996 to 0.981. Beyond the dot more R1 is worse: the critic is flat, and the generator hardly pushed.
#
# ### The average of a circle
#
# Alternating, 1,000 steps. The generator swings between about $-1$ and $1$ and passes the data about every 65 steps. A second generator is its moving average.
#
# **Before you run this.** With decay 0.99, how far does the average swing in the last 500 steps?

# %% role="given"
class DiracGenerator(nn.Module):
    """All samples are at theta."""

    def __init__(self, theta: float = 1.0):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta, dtype=torch.float64))

# %%
guess_swing = None   # type a number

# %%
swing_decays = (0.9, 0.99, 0.995, 0.999)   # a knob

swing_path = dirac_path(0.0, 0.1, 0.1, "alternating", steps=1000)[:, 0]
swing_curves, swing_table = {"generator": swing_path}, []
for decay, expected in zip(swing_decays, ("0.89", "0.20", "0.17", "0.60")):
    swing_model, swing_average = DiracGenerator(), DiracGenerator()
    swing_found = [swing_average.theta.item()]
    for theta in swing_path[1:]:
        swing_model.theta.data.fill_(theta)
        update_average(swing_average, swing_model, decay)
        swing_found.append(swing_average.theta.item())
    if decay in (0.99, 0.999):
        swing_curves[f"average, decay {decay}"] = swing_found
    swing_table.append((decay, max(map(abs, swing_found[-500:])), expected, guess_swing if decay == 0.99 else ""))
plot.curves(swing_curves, reference={"data": 0.0}, title="The average stays near the data; too slow, it remembers the start")
plt.show()
plot.table(swing_table, header=("decay", "largest |average|", "expected", "your guess"))

# %% [markdown]
# The centre of the circle is the solution, so the mean over a turn (here about 130 steps) is near it. A decay of 0.99 averages over about 100 steps, 0.9 over 10, and 0.999 over so many that the start still counts. The average draws better samples; the training itself goes on in circles.
#
# **What to remember**
# - Two players, each going down its own loss, need not go down anything: simultaneous steps spiral out, alternating ones go around.
# - R1 makes the critic flat at the data, and the circle falls in. A quick critic helps only with it.
# - Look at $|\lambda|$ at the solution; a loss curve does not show it.
#
# `r1_penalty` and `update_average` return in Question 3, with networks.

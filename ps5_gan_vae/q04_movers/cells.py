# %% [markdown]
# Below, the same ink goes from A to T twice. Above it fades out here and in there. Below it is carried, and all that changes is a plan: who goes where.

# %% role="given"
def movers_plan(cost: Float[Tensor, "n m"], a: Float[Tensor, "n"], b: Float[Tensor, "m"]) -> tuple[Float[Tensor, "n m"], Float[Tensor, "n"]]:
    """The best plan of (4.1) by linear programming, and potentials f of its rows."""
    from scipy import sparse
    from scipy.optimize import linprog

    n, m = cost.shape   # cost.flatten() is row after row, so these sum the rows of a plan, then its columns
    sums = sparse.vstack([sparse.kron(sparse.eye(n), np.ones((1, m))), sparse.kron(np.ones((1, n)), sparse.eye(m))])
    a, b = a.double() / a.double().sum(), b.double() / b.double().sum()
    found = linprog(cost.flatten().double().cpu().numpy(), A_eq=sums.tocsr(), b_eq=torch.cat([a, b]).cpu().numpy(), bounds=(0, None))
    return torch.from_numpy(found.x).reshape(n, m).to(cost), torch.from_numpy(found.eqlin.marginals[:n]).to(cost)


def movers_carried(plan: Float[Tensor, "n m"], x: Float[Tensor, "n 2"], y: Float[Tensor, "m 2"], t: float, size: int = 28) -> Float[Tensor, "size size"]:
    # the ink after a part t of its way, each grain shared by the four pixels around it; then slightly softened
    i, j = (plan > 1e-7).nonzero(as_tuple=True)
    at = (1 - t) * x[i] + t * y[j]
    picture, low = torch.zeros(size, size), at.floor()
    for corner in torch.cartesian_prod(torch.arange(2), torch.arange(2)):
        share = (1 - (at - low - corner).abs()).prod(1)
        row, column = (low + corner).long().clamp(max=size - 1).T
        picture.index_put_((row, column), plan[i, j] * share, accumulate=True)
    kernel = torch.tensor([1.0, 2, 1]) / 4
    return F.conv2d(picture[None, None], (kernel[:, None] * kernel)[None, None], padding=1)[0, 0]

# %%
movers_letters = "AT"   # a knob: any two letters

movers_glyphs, movers_labels = data.glyphs(512, seed=6, classes=movers_letters)
movers_ink = [movers_glyphs[int((movers_labels == i).nonzero()[0]), 0] for i in (0, 1)]
(movers_x, movers_a), (movers_y, movers_b) = (((ink > 0.1).nonzero().float(), ink[ink > 0.1] / ink[ink > 0.1].sum()) for ink in movers_ink)
movers_cost = torch.cdist(movers_x, movers_y).square() / 28**2   # squared distance, in widths of the picture
movers_best, movers_f = movers_plan(movers_cost, movers_a, movers_b)
movers_ends = [movers_carried(movers_best, movers_x, movers_y, t) for t in (0.0, 1.0)]
movers_faded = [(1 - t) * movers_ends[0] + t * movers_ends[1] for t in torch.linspace(0, 1, 9).tolist()]
movers_moved = [movers_carried(movers_best, movers_x, movers_y, t) for t in torch.linspace(0, 1, 9).tolist()]
plot.images(torch.stack(movers_faded + movers_moved)[:, None] / movers_ends[0].max(), ncols=9, suptitle="Faded (above): two ghosts. Carried (below): one letter all the way")
plt.show()

# %% [markdown]
# ### What a move costs
#
# A critic that only says *real* or *fake* is no help where the two do not overlap: all it says is "different". A mover says *how far*. Pile $a$ has mass $a_i$ at $x_i$, pile $b$ has $b_j$ at $y_j$, each of total 1. A **plan** $P$ moves mass $P_{ij}\ge0$ from $i$ to $j$, so its rows sum to $a$, its columns to $b$. The least cost is
#
# $$\min_P\ \sum_{ij}P_{ij}\,c_{ij}. \tag{4.1}$$
#
# On a line, with $c=|x-y|^p$, nobody overtakes: the lowest share $u$ of one pile goes to the lowest share $u$ of the other. The $p$-th root of the cost is the distance
#
# $$W_p=\Big(\int_0^1|x(u)-y(u)|^p\,du\Big)^{1/p},\qquad x(u),\,y(u)\text{ the quantiles}. \tag{4.2}$$
#
# From $\{0,4\}$ to $\{1,2,3\}$, quantiles jump at $\frac13,\frac12,\frac23$, so $W_1=\frac13\cdot1+\frac16\cdot2+\frac16\cdot2+\frac13\cdot1=\frac43$.
#
# **How do you know that a plan is best?** A rival offers to move everything: $f_i$ for each unit fetched at $i$, plus $g_j$ for each unit delivered at $j$. If $f_i+g_j\le c_{ij}$ everywhere, no plan beats him: multiply by $P_{ij}$ and sum. **On paper:** he has fixed $f$. Which is the largest $g$ he may ask? Write the cost of $P$ minus his price, for the piles that $P$ moves, as one sum of terms
# $\ge0$. Where may $P$ move mass if it is 0?
#
# **Fast.** Sinkhorn's plans have the form
#
# $$P_{ij}=\exp\frac{f_i+g_j-c_{ij}}\varepsilon. \tag{4.3}$$
#
# **On paper:** given $g$, which $f$ makes the row sums $a$? Alternate this with the same for columns. A small $\varepsilon$ comes near (4.1), but then $e^{-c/\varepsilon}$ underflows. So stay in logarithms.
#
# ### The critic is the rival
#
# If $c$ is distance, both prices are one function: $g=-f$, with no slope above 1. With a network as $f$, constants cancel, and no sigmoid is wanted:
#
# $$W_1=\max_{|\nabla f|\le1}\ \mathbb E f(\text{real})-\mathbb E f(\text{fake}). \tag{4.4}$$
#
# The difference is the **gap** of any critic. How is the slope bounded? **Clipping** forces each weight into $[-\text{limit},\text{limit}]$ after each step. The **penalty** asks for slope 1 between the laws:
#
# $$\mathbb E\big(\|\nabla_x f(x)\|-1\big)^2\ \text{ at }\ x=\alpha\,\text{real}+(1-\alpha)\,\text{fake},\quad\alpha\text{ uniform, one per sample}. \tag{4.5}$$
#
# For $f(x)=3x_1+4x_2$ it is $(5-1)^2=16$.

# %% role="answer"
def wasserstein_1d(x: Float[Tensor, "*batch N"], y: Float[Tensor, "*batch M"], p: float = 1.0) -> Float[Tensor, "*batch"]:
    """(4.2) between samples along the last axis, all of equal weight, p >= 1. N and M may differ. Differentiable where it is not 0."""
    ### BEGIN SOLUTION
    size = math.lcm(x.shape[-1], y.shape[-1])
    x, y = (part.sort(-1).values.repeat_interleave(size // part.shape[-1], -1) for part in (x, y))
    return (x - y).abs().pow(p).mean(-1).pow(1 / p)
    ### END SOLUTION


def certificate(plan: Float[Tensor, "n m"], cost: Float[Tensor, "n m"], f: Float[Tensor, "n"]) -> tuple[Float[Tensor, "m"], Float[Tensor, ""]]:
    """Your derivation: the largest allowed g, and the plan's cost minus the rival's price, for the row and column sums of the plan itself.

    Precise also where the difference is far smaller than the cost. Differentiable.
    """
    ### BEGIN SOLUTION
    g = (cost - f[:, None]).amin(0)
    return g, (plan * (cost - f[:, None] - g)).sum()
    ### END SOLUTION


def sinkhorn(
    cost: Float[Tensor, "n m"], a: Float[Tensor, "n"], b: Float[Tensor, "m"], epsilon: float, steps: int
) -> tuple[Float[Tensor, "n m"], Float[Tensor, "n"]]:
    """The plan (4.3) and f. g starts at 0; each step, steps >= 1, makes the row sums right, then the column sums.

    a and b are positive; costs may be thousands of epsilon. Differentiable in cost, a, b.
    """
    ### BEGIN SOLUTION
    g = torch.zeros_like(b)
    for _ in range(steps):
        f = epsilon * (a.log() - ((g - cost) / epsilon).logsumexp(1))
        g = epsilon * (b.log() - ((f[:, None] - cost) / epsilon).logsumexp(0))
    return ((f[:, None] + g - cost) / epsilon).exp(), f
    ### END SOLUTION


def gradient_penalty(critic, real: Float[Tensor, "N D ..."], fake: Float[Tensor, "N D ..."], alpha: Float[Tensor, "N"]) -> Float[Tensor, ""]:
    """(4.5), the mean over samples, to train the critic with: gradients reach its weights, and no ``.grad`` is written.

    Args:
        critic: gives scores (N,) or (N, 1), each from its own sample. Where it is flat, gradients stay finite.
        real, fake: with any number of axes; neither requires gradients.
    """
    ### BEGIN SOLUTION
    mix = alpha.reshape(-1, *[1] * (real.ndim - 1))
    x = (mix * real + (1 - mix) * fake).requires_grad_()
    slope = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
    ### END SOLUTION


def wasserstein_step(critic, optimizer, real: Float[Tensor, "N ..."], fake: Float[Tensor, "M ..."], penalty=0.0, limit: float = math.inf) -> None:
    """One step of the critic on penalty minus gap, with fresh gradients; then all its parameters are clipped.

    Args:
        fake: with the generator's graph, which stays usable and gets no gradients.
        penalty: a scalar, often with a graph of its own.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    (penalty + critic(fake.detach()).mean() - critic(real).mean()).backward()
    optimizer.step()
    for weight in critic.parameters():
        weight.data.clamp_(-limit, limit)
    ### END SOLUTION

# %% role="check"
grader.check("q4")

# %% [markdown]
# ### The same letters, without linear programming
#
# The best plan costs 0.0477. **Before you run this:** smaller $\varepsilon$, nearer to it. What costs the plan of $\varepsilon=0.001$ after 200 steps?

# %%
guess_sinkhorn = None   # type a number

# %%
movers_epsilons, movers_steps = (0.1, 0.01, 0.001), 200   # two knobs: at 0.001, how many steps does it take to carry the right pile?

movers_rows, movers_halves = [("best plan", float((movers_best * movers_cost).sum()), abs(float(certificate(movers_best, movers_cost, movers_f)[1])), 0.0, "0.04772, 0, 0", None)], [movers_moved[4]]
movers_expected = {0.1: "0.0914, 0.0657, 0", 0.01: "0.0549, 0.0087, 0", 0.001: "0.0420, 0.0007, 0.08"}
for epsilon in movers_epsilons:
    movers_found, movers_price = sinkhorn(movers_cost, movers_a, movers_b, epsilon, movers_steps)
    movers_wrong = float((movers_found.sum(1) - movers_a).abs().sum())
    movers_rows.append((f"epsilon = {epsilon:g}", float((movers_found * movers_cost).sum()), float(certificate(movers_found, movers_cost, movers_price)[1]), round(movers_wrong, 5), movers_expected.get(epsilon, ""), guess_sinkhorn if epsilon == 0.001 else None))
    movers_halves.append(movers_carried(movers_found.detach(), movers_x, movers_y, 0.5))
plot.images(torch.stack(movers_halves)[:, None] / movers_ends[0].max(), ncols=4, titles=[row[0] for row in movers_rows], suptitle="Half-way: a large epsilon smears")
plt.show()
plot.table(movers_rows, header=("", "cost", "gap by f", "wrong row sums", "expected", "your guess"))

# %% [markdown]
# Cheaper than the cheapest? That plan carries another pile: its row sums are still wrong, and small $\varepsilon$ needs many more steps. For the pile it does carry, the certificate says: within 0.0007 of the best.
#
# ### Two ways to bound a slope
#
# Real points lie on a ring of radius 3, fake ones are $\mathcal N(0,I)$ in the plane. Best is to move along the radius, so $W_1$ is that of the radii: 1.753. A critic's gap, divided by its steepest slope, is a price that (4.4) allows, so at most $W_1$.
#
# **Before you run this** (10 to 20 s): weights clipped at 0.01 give a gap of 0.002. And at 0.3?

# %%
guess_clipped = None   # type a number

# %%
movers_width = 64   # a knob, and the penalty's weight (below) another: try 1


def movers_ring(n: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    angle = 2 * math.pi * torch.rand(n, generator=draws)
    return 3 * torch.stack([angle.cos(), angle.sin()], 1), torch.randn(n, 2, generator=draws)


def movers_line(n: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    peaks = torch.tensor([-3.0, 0, 0, 3])[torch.randint(4, (n, 1), generator=draws)]
    return peaks + 0.3 * torch.randn(n, 1, generator=draws), 1.5 * torch.randn(n, 1, generator=draws)


def movers_critic(law, limit: float = math.inf, weight: float = 0.0, seed: int = 0) -> tuple[nn.Module, float, float]:
    # a trained critic, its gap on 50,000 new points, and its steepest slope there and between
    torch.manual_seed(seed)
    draws = dgm.generator(seed)
    critic = nn.Sequential(nn.Linear(law(1, draws)[0].shape[1], movers_width), nn.ReLU(), nn.Linear(movers_width, movers_width), nn.ReLU(), nn.Linear(movers_width, 1))
    optimizer = torch.optim.Adam(critic.parameters(), 1e-3, betas=(0.5, 0.9))
    for _ in range(dgm.budget(smoke=5, cpu=600, gpu=600)):
        a, b = law(256, draws)
        alpha = torch.rand(256, generator=draws)
        wasserstein_step(critic, optimizer, a, b, weight * gradient_penalty(critic, a, b, alpha) if weight else 0.0, limit)
    a, b = law(50000, draws)
    x = torch.cat([a, b, (a + b) / 2]).requires_grad_()
    steepest = torch.autograd.grad(critic(x).sum(), x)[0].norm(dim=1).max()
    return critic, float((critic(a).mean() - critic(b).mean()).detach()), float(steepest)


ring_a, ring_b = movers_ring(200000, dgm.generator(9))
line_a, line_b = movers_line(200000, dgm.generator(9))
ring_true, line_true = float(wasserstein_1d(ring_a.norm(dim=1), ring_b.norm(dim=1))), float(wasserstein_1d(line_a[:, 0], line_b[:, 0]))
ring_rows, movers_trained = [("ring, exact", ring_true, "", "", "1.753", None)], {}
for name, law, settings, expected in (
    ("ring, clipped at 0.01", movers_ring, {"limit": 0.01}, "0.0013 to 0.0019"), ("ring, clipped at 0.1", movers_ring, {"limit": 0.1}, "1.43 to 1.78"),
    ("ring, clipped at 0.3", movers_ring, {"limit": 0.3}, "39 to 51"), ("ring, penalty", movers_ring, {"weight": 10.0}, "1.89 to 1.91"),
    ("line, clipped at 0.1", movers_line, {"limit": 0.1}, "0.31 to 0.44"), ("line, penalty", movers_line, {"weight": 10.0}, "-0.40 to 0.06"),
):
    if name == "line, clipped at 0.1":
        ring_rows.append(("line, exact", line_true, "", "", "0.687", None))
    critic, movers_gap, movers_slope = movers_critic(law, **settings)
    movers_trained[name] = (critic, movers_slope)
    ring_rows.append((name, movers_gap, f"{movers_slope:.4f}", f"{movers_gap / movers_slope:.3f}", expected, guess_clipped if "0.3" in name else None))
plot.table(ring_rows, header=("", "gap", "steepest slope", "gap / slope", "gap, five seeds", "your guess"))

figure, axes = plot.subplots(1, 2, width=9, height=3.4)
movers_grid = torch.linspace(-5, 5, 1001)
movers_ahead = (torch.searchsorted(line_b[:, 0].sort().values, movers_grid) - torch.searchsorted(line_a[:, 0].sort().values, movers_grid)).sign()
movers_best_line = movers_ahead.cumsum(0) * 0.01
for ax, kind, best in ((axes[0], "ring", 3 - (movers_grid.abs() - 3).abs()), (axes[1], "line", movers_best_line - movers_best_line[500])):
    ax.plot(movers_grid, best, color="#999999", lw=5, alpha=0.5, label="best critic")
    for name, words, color in ((f"{kind}, clipped at 0.1", "clipped at 0.1", plot.COLORS[1]), (f"{kind}, penalty", "penalty", plot.COLORS[0])):
        critic, movers_slope = movers_trained[name]
        with torch.no_grad():
            scores = critic(movers_grid[:, None] if kind == "line" else F.pad(movers_grid[:, None], (0, 1)))[:, 0] / movers_slope
        ax.plot(movers_grid, scores - scores[500], color=color, label=words)
    ax.set(xlabel="x" if kind == "line" else "along a diameter", ylim=(-6, 6))
axes[0].set(title="Ring: the penalty's slope is near 1", ylabel="score / steepest slope")
axes[1].set(title="Line: the penalty cannot turn back")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# Clipped, the gap has no unit: it passes three layers, so 30 times the limit makes it about $30^3$ times as large. Divided by the steepest slope it is 1.20 to 1.49 (five seeds): a price that is allowed, but not a good one.
#
# The penalised gap is *above* 1.753. With weight $\lambda$, a critic of slope $s$ earns $s\,W_1$ and pays $\lambda(s-1)^2$, so the best slope is $s=1+W_1/2\lambda$. With $\lambda=10$ the gap should be 1.907; with $\lambda=1$, 3.29 (found: 3.25 to 3.33). Divided by the steepest slope: 1.68 to 1.72.
#
# And on the line, the penalty fails on all five seeds. The best critic turns back several times. In the plane a gradient can turn round at length 1; on a line it must pass through 0, where the penalty is largest. So the critic stays nearly straight.
#
# ### Why? (3 points)
#
# At most six lines. A real point at 0, a fake one at $\theta$. Compare the game of Question 1 with (4.4), each with its best critic: what does it measure as $\theta$ changes, and what does the fake point learn from that? Why does (4.4) need a bound on the slope at all?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# Without a bound, the critic of Question 1 tells the two points apart perfectly for every $\theta\ne0$: its logits go to $\pm\infty$, the divergence is $\log2$, whatever $\theta$ is. A constant has slope 0, so the fake point does not learn where to go.
#
# The best critic of (4.4) is a line of slope 1 that falls from 0 to $\theta$. Its gap is $|\theta|$, so it measures how far, and pulls the fake point towards 0 with a force of size 1 from any distance.
#
# If $f$ is allowed, so is $1000f$ without a bound, and the gap has no maximum unless the laws are equal. The bound fixes the unit: one unit of score for one unit of length.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - On a line, sort. Elsewhere, any prices bound the cost from below, and the difference to a plan certifies it.
# - A critic is a price list. Its gap means a distance only together with its slope.
# - Clipping bounds the slope by an unknown number; the penalty aims at 1, and can get stuck.
#
# In Question 5 the bound is built into the layers.

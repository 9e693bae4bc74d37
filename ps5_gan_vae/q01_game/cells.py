# %% [markdown]
# Two islands are the data. One blob is to imitate them. And a critic says of each place whether it looks more like data or more like blob.

# %%
isle_rows, isle_columns = torch.meshgrid(torch.arange(12.0), torch.arange(24.0), indexing="ij")


def isle_blob(centre: Float[Tensor, "2"], log_size: Float[Tensor, "2"]) -> Float[Tensor, "288"]:
    # logarithms of the probabilities of 12 x 24 places, for a Gaussian blob: centre (column, row), and sizes along both
    squares = ((isle_columns - centre[0]) / log_size[0].exp()) ** 2 + ((isle_rows - centre[1]) / log_size[1].exp()) ** 2
    return (-squares / 2).flatten().log_softmax(0)


def isle_world(gap: float = 10.0) -> Float[Tensor, "288"]:
    # 40 % on the left island, 60 % on the right one
    left, right = (isle_blob(torch.tensor([11.5 + side * gap / 2, 5.5]), torch.tensor([size, size]).log()).exp() for side, size in ((-1, 1.5), (1, 2.0)))
    return 0.4 * left + 0.6 * right


isle_first = isle_blob(torch.tensor([11.5, 5.5]), torch.tensor([4.0, 4.0]).log())
figure, axes = plot.subplots(1, 3, width=10, height=2.3)
plot.images((isle_world() / isle_world().max()).reshape(1, 12, 24), ax=axes[0])
plot.images((isle_first.exp() / isle_first.exp().max()).reshape(1, 12, 24), ax=axes[1])
plot.heatmap((isle_world().log() - isle_first).reshape(12, 24).clamp(-4, 4), center=0, ax=axes[2])
for ax, title in zip(axes, ("the data", "the generator", "the best critic: red is too little")):
    ax.set_title(title, fontsize=10)
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The generator draws $x$ from a law $q$, the data have the law $p$. Nobody writes down a likelihood. Instead the critic gives each $x$ a logit $h(x)$, and $D=\sigma(h)$ is its probability that $x$ is real. It maximises, and the generator minimises,
#
# $$V=\mathbb E_{p}\log D(x)+\mathbb E_{q}\log\bigl(1-D(x)\bigr). \tag{1.1}$$
#
# A critic that knows nothing has $h=0$, so $V=-2\ln2=-1.386$. A loss is minimised: the critic's loss is $-V$.
#
# **The best critic.** At one $x$, it maximises $p\log\sigma(h)+q\log\sigma(-h)$. The slope $p\,\sigma(-h)-q\,\sigma(h)$ is zero where $e^h=p/q$. So the best logit is a **log-ratio**, $h^*=\log p-\log q$. Put into (1.1), it gives
#
# $$\max_hV=-\ln4+2\,\mathrm{JSD}(p,q),\qquad \mathrm{JSD}=\tfrac12\mathrm{KL}(p\,\|\,m)+\tfrac12\mathrm{KL}(q\,\|\,m),\quad m=\tfrac{p+q}2. \tag{1.2}$$
#
# The Jensen–Shannon divergence is $0$ for equal laws and $\ln2$ for laws that share no point. ($0\log0$ is $0$.)
#
# **The generator's step.** It only sees the critic at its own samples. *Minimax* lowers (1.1), of which $\mathbb E_q\log(1-D)$ depends on $q$. *Non-saturating* lowers $-\mathbb E_q\log D$ instead. Both want larger logits. But where the critic is sure, at $h=-20$, the first has slope
# $-\sigma(h)=-2\cdot10^{-9}$ and the second $-(1-\sigma(h))\approx-1$.
#
# **On paper (1).** A third loss, $\mathbb E_q\,\ell(h)$, follows $\mathrm{KL}(q\,\|\,p)=\sum q\log\frac qp$. Which $\ell$? For the best critic, $\mathbb E_q\,\ell(h^*)$ shall be this KL. Why is the generator's gradient then the gradient of the KL, although $h^*$, which depends on $q$, is held fixed?
# ($\sum q=1$.)
#
# **Other divergences.** A convex $f$ gives $D_f(p\,\|\,q)=\sum q\,f(p/q)$, smallest for $p=q$. Let $f^*(t)=\sup_{u>0}\,\bigl(ut-f(u)\bigr)$. So $f(u)\ge ut-f^*(t)$ for any $t$, and with $u=p/q$ and a $T(x)$ for each place
#
# $$D_f(p\,\|\,q)\;\ge\;\mathbb E_p\,T-\mathbb E_q\,f^*(T),\qquad\text{with equality for}\quad T^*=f'(p/q). \tag{1.3}$$
#
# A critic that maximises the right-hand side measures $D_f$. Where $f^*(T)=\infty$ the bound is $-\infty$, so $T$ has to stay in the domain of $f^*$.
#
# | kind | $f(u)$ | $D_f$ | $f^*(t)$ |
# |---|---|---|---|
# | `kl` | $u\ln u$ | $\mathrm{KL}(p\,\Vert\,q)$ | $e^{t-1}$ |
# | `game` | $u\ln u-(u+1)\ln(u+1)$ | $2\,\mathrm{JSD}-\ln4$ | $-\ln(1-e^t)$ for $t<0$, else $\infty$ |
# | `reverse` | $-\ln u$ | $\mathrm{KL}(q\,\Vert\,p)$ | yours |
# | `pearson` | $(u-1)^2$ | $\sum(p-q)^2/q$ | yours |
#
# In `game`, $T=\ln D$ makes (1.3) the game (1.1).
#
# **On paper (2).** Find the last two $f^*$, for all $t$. Check: `reverse` has $f^*(-1)=-1$, `pearson` $f^*(2)=3$. (Mind $u>0$.)

# %% role="answer"
def discriminator_loss(real_logits: Float[Tensor, "*real"], fake_logits: Float[Tensor, "*fake"]) -> Float[Tensor, ""]:
    """-V of (1.1): a mean over each of two batches, whose sizes may differ. Finite, with right gradients, for logits of ± hundreds."""
    ### BEGIN SOLUTION
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


def generator_loss(fake_logits: Float[Tensor, "*fake"], kind: str) -> Float[Tensor, ""]:
    """What the generator minimises, a mean over the batch, for logits of any size.

    Args:
        kind: "minimax", "nonsaturating", or "kl" (your first derivation). Anything else raises ValueError.
    """
    ### BEGIN SOLUTION
    losses = {"minimax": -F.softplus(fake_logits), "nonsaturating": F.softplus(-fake_logits), "kl": -fake_logits}
    if kind not in losses:
        raise ValueError(f"no generator loss is called {kind!r}")
    return losses[kind].mean()
    ### END SOLUTION


def best_logits(p: Float[Tensor, "*batch K"], q: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch K"]:
    """The best critic's logit of each point, for probabilities down to 1e-30: ±inf where only one of the laws is 0, and 0 where both are."""
    ### BEGIN SOLUTION
    return torch.where((p == 0) & (q == 0), 0.0, p.log() - q.log())
    ### END SOLUTION

# %% role="answer"
def jensen_shannon(p: Float[Tensor, "*batch K"], q: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch"]:
    """JSD (1.2) of laws on the last axis, in nats; probabilities may be 0. Differentiable where none is."""
    ### BEGIN SOLUTION
    of_p, of_q, of_both = (torch.xlogy(law, law).sum(-1) for law in (p, q, (p + q) / 2))
    return (of_p + of_q) / 2 - of_both
    ### END SOLUTION


def f_bound(p: Float[Tensor, "*batch K"], q: Float[Tensor, "*batch K"], t: Float[Tensor, "*batch K"], kind: str) -> Float[Tensor, "*batch"]:
    """Right-hand side of (1.3) for T = t; -inf for a row with a t outside the domain. Differentiable in p, q and t inside.

    Args:
        p, q: laws on the last axis, q > 0.
        kind: a row of the table.
    """
    ### BEGIN SOLUTION
    conjugate, end = {
        "kl": ((t - 1).exp(), math.inf),
        "game": (-torch.log(-torch.expm1(t)), 0),
        "reverse": (-1 - torch.log(-t), 0),
        "pearson": ((1 + t / 2).relu().square() - 1, math.inf),
    }[kind]
    return (p * t - q * torch.where(t < end, conjugate, math.inf)).sum(-1)
    ### END SOLUTION

# %% role="check"
grader.check("q1")

# %% [markdown]
# ### Far from the data
#
# A bell curve is moved away from an equal one, and the critic is the best at each distance. How strongly does each loss pull it back?

# %% role="given"
def loss_of_each(logits: Float[Tensor, "K"], kind: str) -> Float[Tensor, "K"]:
    """The generator's loss at each of K points: your mean over a batch of one."""
    return torch.stack([generator_loss(each[None], kind) for each in logits]).detach()

# %%
pull_kinds = ("minimax", "nonsaturating", "kl")
pull_x, pull_distances = torch.linspace(-12, 18, 121).double(), torch.linspace(0, 8, 17).double()
pull_law = (-pull_x.square() / 2).softmax(0)
pull_found = {kind: [] for kind in pull_kinds}
for distance in pull_distances:
    leaf = distance.clone().requires_grad_()
    pull_q = (-(pull_x - leaf).square() / 2).softmax(0)
    for kind in pull_kinds:
        loss = (pull_q * loss_of_each(best_logits(pull_law, pull_q.detach()), kind)).sum()   # the critic is held fixed
        pull_found[kind].append(float(torch.autograd.grad(loss, leaf, retain_graph=True)[0]))
plot.curves({kind: (pull_distances, pulls) for kind, pulls in pull_found.items()}, xlabel="distance", ylabel="slope of the loss", title="Far from the data, the minimax generator feels nothing")
plt.show()
plot.table([(kind, *(pull_found[kind][i] for i in (2, 6, 16)), expected) for kind, expected in zip(pull_kinds, ("0.398, 0.296, 0.0004", "0.602, 2.70, 8.00", "1.00, 3.00, 8.00"))], header=("slope at distance", "1", "3", "8", "expected"))

# %% [markdown]
# A sure critic saturates $\log(1-D)$: the game is nearly won, and a small step of the generator changes nothing.
#
# ### Two islands
#
# Now the blob of the first figure moves and changes its size, in 200 steps. At each step the critic is the best.
#
# **Before you run this.** 40 % of the data lie on the left island. The blob starts wide, in the middle. Which share of it lies in the left half at the end, with the non-saturating loss?

# %%
guess_left_share = None   # type a number, in per cent

# %%
isle_gap, isle_start, isle_size = 10.0, 11.5, 4.0   # knobs: gap 8 or 12; or a small blob on an island: start 7 or 16, size 2


def isle_fit(kind: str, gap: float, start: float, size: float) -> Float[Tensor, "288"]:
    centre, log_size = torch.tensor([start, 5.5], requires_grad=True), torch.tensor([size, size]).log().requires_grad_()
    optimizer, p = torch.optim.Adam([centre, log_size], lr=0.1), isle_world(gap)
    for _ in range(dgm.budget(smoke=3, cpu=200, gpu=200)):
        q = isle_blob(centre, log_size).exp()
        optimizer.zero_grad()
        (q * loss_of_each(best_logits(p, q.detach()), kind)).sum().backward()
        optimizer.step()
    return isle_blob(centre, log_size).exp().detach()


isle_p = isle_world(isle_gap)
isle_laws = {"data": isle_p} | {kind: isle_fit(kind, isle_gap, isle_start, isle_size) for kind in pull_kinds}
isle_expected = {"data": "40, 0.00, 0.00, 0.000", "minimax": "40, 0.40, 0.62, 0.107", "nonsaturating": "1, 4.19, 0.50, 0.161", "kl": "33, 0.43, 0.60, 0.111"}
isle_table = []
for name, q in isle_laws.items():
    h = best_logits(isle_p, q)
    facts = (100 * float(q.reshape(12, 24)[:, :12].sum()), float(f_bound(isle_p, q, 1 + h, "kl")), float(f_bound(isle_p, q, -torch.exp(-h), "reverse")), float(jensen_shannon(isle_p, q)))
    isle_table.append((name, *facts, isle_expected[name], guess_left_share if name == "nonsaturating" else ""))
figure, axes = plot.subplots(1, 4, width=10, height=1.9)
for ax, (name, q) in zip(axes, isle_laws.items()):
    plot.images((q / q.max()).reshape(1, 12, 24), ax=ax)
    ax.set_title(name, fontsize=10)
figure.suptitle("The non-saturating generator gives one island up", fontsize=12)
plt.show()
plot.table(isle_table, header=("", "left, %", "KL(p‖q)", "KL(q‖p)", "JSD", "expected", "your guess"))

# %% [markdown]
# **The surprise.** All three start alike, and two keep both islands. The non-saturating generator gives the left one up. Since $\log\sigma(h)=h+\log\sigma(-h)$, its loss is your KL loss *minus* the minimax loss. With the best critic, its gradient is that of
#
# $$\mathrm{KL}(q\,\|\,p)-2\,\mathrm{JSD}(p,q) \tag{1.4}$$
#
# (Arjovsky and Bottou, 2017). The popular loss pulls from afar, but it is *rewarded* for what tells $p$ and $q$ apart.
#
# And why is its KL lower than that of the generator that follows the KL? That one sits in a local minimum: every small change of its wide blob makes the KL worse. (Starts shifted by a pixel, or of size 3 or 5, end alike. With gap 8 all three keep both islands, with gap 12 it is as here. A small blob that starts on one island stays there for these 200 steps,
# whatever the loss.)
#
# ### Why? (3 points)
#
# At most six lines. At distance 8 the critic is the best there is. Why does it teach the minimax generator nothing, and the non-saturating one much, at the same $h$? And why does $\mathrm{KL}(q\,\|\,p)$ charge little for an island that $q$ never visits, when $\mathrm{KL}(p\,\|\,q)$ charges much?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The generator sees the critic only at its own samples. There $h$ is very negative and $\log(1-\sigma(h))$ is flat: its slope is $-\sigma(h)$, nearly 0. In other words, the JSD is nearly $\ln2$ wherever the blob stands, so moving it changes nothing.
#
# The non-saturating loss has slope $-(1-\sigma(h))\approx-1$ at the same $h$. So the sample follows the slope of the logit, which at distance 8 is as large as 8: the critic's logits hold the direction, only the minimax loss throws it away.
#
# $\mathrm{KL}(q\,\|\,p)$ is an average over samples of $q$. On an island without samples it adds nothing, however many data are there; all that is paid is that the other island is 1/0.6 times too crowded. $\mathrm{KL}(p\,\|\,q)$ averages over the data: 40 % of them meet $\log(p/q)$ with a tiny $q$.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - The best critic's logit is $\log p/q$. With it, the game is worth $-\ln4+2\,\mathrm{JSD}$.
# - The loss that you give the generator decides which divergence it follows, and whether it feels anything from afar.
# - Any convex $f$ makes a critic's game, as long as its output stays in the domain of $f^*$.
#
# Here the critic was always the best. In Question 2 both learn at once, and turn in circles.

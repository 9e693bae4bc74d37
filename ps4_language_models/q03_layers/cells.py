# %% [markdown]
# A random layer changes the size of what passes through it. A stack of 24 layers does so to the power of 24. A norm repairs the size, but in half precision it has a trap of its own.

# %%
deep_stds = (0.04, 0.0625, 0.08)  # a knob: the standard deviations of the weights. Try 0.06 and 0.065.

deep_x = torch.randn(64, 256, generator=dgm.generator(0))
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6)
for std, color in zip(deep_stds, plot.COLORS):
    for normed in (False, True):
        signal, sizes, draws = deep_x, [1.0], dgm.generator(1)
        for _ in range(24):
            signal = (F.rms_norm(signal, (256,)) if normed else signal) @ (std * torch.randn(256, 256, generator=draws))
            sizes.append(float(signal.square().mean().sqrt()))
        left.plot(sizes, color=color, linestyle="--" if normed else "-", label=None if normed else f"std {std:g}")
left.set(yscale="log", xlabel="layers", ylabel="size (root mean square)", title="Layers multiply their sizes; a norm in front of each\n(dashed) ends that")
left.legend()
half_sizes = torch.logspace(-5, 4.3, 80)
half_x = half_sizes[:, None].half() * torch.randn(256, generator=dgm.generator(2)).half()
half_wrong = half_x / (half_x.square().mean(-1, keepdim=True) + 1e-13).sqrt()
right.plot(half_sizes, half_wrong.float().square().mean(-1).sqrt(), color=plot.COLORS[1], label="all in float16")
right.plot(half_sizes, F.rms_norm(half_x.float(), (256,), eps=1e-13).square().mean(-1).sqrt(), color="#444444", linestyle="--", label="in float32 between")
right.set(xscale="log", xlabel="size of the input", ylabel="size after a norm", title="Squares leave the range of float16\nlong before the numbers do")
right.legend()
plt.show()

# %% [markdown]
# A transformer is made of a few parts that are repeated many times. This question makes them: weights to begin with, a norm, a gated layer and the loss. Each is a few lines. The interest lies in what they do to *size*, and to gradients.
#
# **Weights.** An output $\sum_jW_{ij}x_j$ of $n$ inputs of size 1 has the variance $n\sigma^2$. So it keeps its size if
#
# $$W_{ij}\sim\mathcal{N}(0,\sigma^2),\qquad\sigma=1/\sqrt{n}, \tag{3.1}$$
#
# which for $n=256$ is 0.0625. So that no weight is large by accident, those beyond $3\sigma$ are drawn again.
#
# **A norm.** Training changes the weights, and then (3.1) no longer holds. RMSNorm divides by the size, for every token by itself, and lets each of the $D$ numbers have a learned scale $g_i$:
#
# $$y_i=g_i\,\frac{x_i}{r},\qquad r=\sqrt{\tfrac1D\textstyle\sum_jx_j^2+\varepsilon}. \tag{3.2}$$
#
# With $x=(3,4)$ and $g=1$: $r=\sqrt{12.5}=3.54$ and $y=(0.85,1.13)$. The right panel shows the trap: $300^2=90{,}000$, but float16 ends at 65,504.
#
# **On paper:** the loss has the gradient $G_i=\partial L/\partial y_i$. Find $\partial L/\partial x_i$. Each $x_j$ acts on all $y_i$, through $r$. Begin with $\partial r/\partial x_j=x_j/(Dr)$. For $x=(3,4)$, $g=1$ and $G=(1,0)$ you should get $(0.181,-0.136)$.

# %% role="answer"
def init_linear(out_features: int, in_features: int, generator: torch.Generator) -> Float[Tensor, "out_features in_features"]:
    """Weights W of a layer x -> x @ W.T by (3.1): a normal distribution without what lies beyond 3σ, in float32.

    All draws come from the generator; the result is on its device.
    """
    ### BEGIN SOLUTION
    std = in_features**-0.5
    weight = torch.empty(out_features, in_features, device=generator.device)
    return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)
    ### END SOLUTION


class RMSNorm(nn.Module):
    """(3.2) along the last axis, with its gradient."""

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """y of (3.2), in the dtype of x. Half precision (float16, bfloat16) is computed in float32 in between."""
        ### BEGIN SOLUTION
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
        return (wide / r * self.weight).to(x.dtype)
        ### END SOLUTION

    def backward(self, x: Float[Tensor, "*batch D"], grad: Float[Tensor, "*batch D"]) -> tuple[Float[Tensor, "*batch D"], Float[Tensor, "D"]]:
        """Gradients of the loss by x and by the weight, given grad: that by y. By your formula, also under `torch.no_grad()`.

        Only float32 and float64. The weight has one gradient for all tokens.
        """
        ### BEGIN SOLUTION
        r = (x.square().mean(-1, keepdim=True) + self.eps).sqrt()
        n, h = x / r, grad * self.weight
        by_x = (h - n * (h * n).mean(-1, keepdim=True)) / r
        return by_x, (grad * n).reshape(-1, x.shape[-1]).sum(0)
        ### END SOLUTION

# %% [markdown]
# **A gated layer.** Between attention layers each token is worked on alone, by a wider layer and back. SwiGLU has two wide layers. One is bent by $\mathrm{SiLU}(z)=z/(1+e^{-z})$ and multiplied with the other, entry by entry ($\odot$):
#
# $$\bigl(\mathrm{SiLU}(xW_1^\top)\odot xW_3^\top\bigr)W_2^\top. \tag{3.3}$$
#
# GEGLU has $\mathrm{GELU}(z)=\frac z2\bigl(1+\tanh\bigl(\sqrt{2/\pi}\,(z+0.044715\,z^3)\bigr)\bigr)$ in the place of SiLU. At $z=1$ these are 0.731 and 0.841. (Three matrices where the old layer had two: for the same number of parameters the width is $\frac83D$ instead of $4D$.)
#
# What is multiplication good for? **A puzzle:** choose weights of a SwiGLU layer that turn $(a,b)$ into exactly $ab$. Two hidden units are enough. What is $\mathrm{SiLU}(z)-\mathrm{SiLU}(-z)$?
#
# **The loss.** For logits $\ell$ and the target $w$ a token costs $-\log p(w)=\log\sum_ve^{\ell_v}-\ell_w$. The logits $(0,\log 3)$ and the target $0$ cost $\log4=1.386$. Tokens that only fill up a batch have the target `ignore`. They cost nothing, and do not count in the mean.

# %% role="answer"
def swiglu(
    x: Float[Tensor, "*batch D"], w1: Float[Tensor, "H D"], w2: Float[Tensor, "O H"], w3: Float[Tensor, "H D"], gate: str = "silu"
) -> Float[Tensor, "*batch O"]:
    """(3.3). gate: "silu", or "gelu" for GEGLU, with GELU by the formula of the text. Also for large numbers."""
    ### BEGIN SOLUTION
    z = x @ w1.T
    opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
    return (opened * (x @ w3.T)) @ w2.T
    ### END SOLUTION


def product_weights() -> tuple[Float[Tensor, "H 2"], Float[Tensor, "1 H"], Float[Tensor, "H 2"]]:
    """w1, w2, w3 with which `swiglu` turns (a, b) into a·b, for all a and b. Float32, of any width H."""
    ### BEGIN SOLUTION
    w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    return w1, torch.ones(1, 2), w3
    ### END SOLUTION


def cross_entropy(logits: Float[Tensor, "*batch V"], targets: Int[Tensor, "*batch"], ignore: int = -100) -> Float[Tensor, ""]:
    """Mean cost in nats of the tokens whose target is not ignore; 0 if there is none.

    Logits may have any size, and be -inf for tokens that are impossible. ignore may be a number below V, too.
    """
    ### BEGIN SOLUTION
    kept = targets != ignore
    rows, chosen = logits[kept], targets[kept]
    costs = rows.logsumexp(-1) - rows.gather(-1, chosen[:, None])[:, 0]
    return costs.sum() / max(len(chosen), 1)
    ### END SOLUTION

# %% role="check"
grader.check("q3")

# %% [markdown]
# ### What a norm does to gradients
#
# A loss behind an RMSNorm, over the plane of its input $x$: the square of the distance of $y$ from a target. It depends only on the *direction* of $x$.
#
# **Before you run the next cell.** Make $x$ ten times longer. By which factor does the gradient change?

# %%
guess_gradient = None  # type a number

# %%
turn_step = 0.5  # a knob: the learning rate. Try 0.05, then 3. Where does x end?

turn_norm = RMSNorm(2)
turn_target = math.sqrt(2) * torch.tensor([-0.4, 0.9]) / math.hypot(0.4, 0.9)


def turn_slope(x):
    with torch.no_grad():
        return turn_norm.backward(x, turn_norm(x) - turn_target)[0]


turn_path = [torch.tensor([0.9, -0.5])]
for _ in range(40):
    turn_path.append(turn_path[-1] - turn_step * turn_slope(turn_path[-1]))
turn_side = torch.linspace(-4, 4, 200)
turn_plane = torch.stack(torch.meshgrid(turn_side, turn_side, indexing="xy"), -1)
with torch.no_grad():
    turn_loss = 0.5 * (turn_norm(turn_plane) - turn_target).square().sum(-1)
figure, ax = plot.subplots(width=6.4, height=5.6)
ax.imshow(turn_loss, origin="lower", extent=(-4, 4, -4, 4), cmap=plot.SEQUENTIAL)
turn_angles = torch.arange(12) * math.pi / 6
turn_at = torch.cat([radius * torch.stack([turn_angles.cos(), turn_angles.sin()], 1) for radius in (1.0, 2.0, 3.5)])
turn_arrow = -turn_slope(turn_at)
ax.quiver(*turn_at.T, *turn_arrow.T, color="white", angles="xy", scale_units="xy", scale=2, width=0.004)
ax.plot(*torch.stack(turn_path).T, color=plot.COLORS[1], marker="o", markersize=3)
ax.set(xlim=(-4, 4), ylim=(-4, 4), xlabel="x₁", ylabel="x₂", title="Downhill (white) is always at a right angle to x,\nso descent (orange) turns x and makes it longer")
ax.grid(False)
plt.show()
turn_x = torch.tensor([0.9, -0.5])
turn_sizes = [float(turn_slope(scale * turn_x).norm()) for scale in (1, 10)]
plot.table([("gradient at 10 x, divided by that at x", turn_sizes[1] / turn_sizes[0], "0.1", guess_gradient),
            ("its part along x, divided by its size", abs(float(turn_slope(turn_x) @ turn_x)) / float(turn_x.norm()) / turn_sizes[0], "0, but for ε", None)],
           header=("", "yours", "expected", "your guess"))

# %% [markdown]
# Your formula says both. What does not change the output has no gradient: the part of $G$ along $x$ is taken out. And $r$ divides: the longer $x$, the slower it turns. Steps at a right angle can only lengthen $x$ (Pythagoras), so whatever stands in front of a norm slows its own learning down. Large steps do so at once.
#
# ### A layer that multiplies
#
# Your two gated units against 64 ReLU units, trained on $ab$ in the dashed square with 2,000 steps of Adam.
#
# **Before you run this:** at $(6,6)$ the answer is 36. What does the ReLU network say?

# %%
guess_relu = None  # type a number

# %%
relu_units = 64  # a knob: try 8 and 512. What improves, and what does not?

times_weights = product_weights()
times_side = torch.linspace(-6, 6, 121)
times_plane = torch.stack(torch.meshgrid(times_side, times_side, indexing="xy"), -1)
relu_draws = dgm.generator(0)
relu_in, relu_out = (init_linear(*shape, relu_draws).requires_grad_() for shape in ((relu_units, 3), (1, relu_units)))


def relu_net(x):
    return F.relu(F.pad(x, (0, 1), value=1.0) @ relu_in.T) @ relu_out.T  # the third input, 1, is a bias


relu_adam = torch.optim.Adam([relu_in, relu_out], lr=0.01)
for _ in range(dgm.budget(smoke=50, cpu=2000, gpu=2000)):
    relu_x = 6 * torch.rand(256, 2, generator=relu_draws) - 3
    relu_loss = (relu_net(relu_x)[:, 0] - relu_x.prod(1)).square().mean()
    relu_adam.zero_grad()
    relu_loss.backward()
    relu_adam.step()
with torch.no_grad():
    times_found = {"a · b": times_plane.prod(-1), "two gated units": swiglu(times_plane, *times_weights)[..., 0], f"{relu_units} ReLU units, trained": relu_net(times_plane)[..., 0]}
figure, axes = plot.subplots(1, 3, width=10, height=3.5, sharey=True)
for ax, (name, values) in zip(axes, times_found.items()):
    ax.imshow(values, origin="lower", extent=(-6, 6, -6, 6), cmap=plot.SEQUENTIAL, vmin=-36, vmax=36)
    ax.contour(times_side, times_side, values, levels=range(-30, 31, 10), colors="white", linewidths=0.8)
    ax.plot([-3, 3, 3, -3, -3], [-3, -3, 3, 3, -3], color="white", linestyle="--")
    ax.set(title=name, xlabel="a")
    ax.grid(False)
axes[0].set_ylabel("b")
figure.suptitle("Two gates multiply everywhere; ReLU units imitate it where they were trained", fontsize=12)
plt.show()
times_inside = (times_plane.abs() <= 3).all(-1)
plot.table([(name, float((values - times_found["a · b"])[times_inside].abs().max()), float(values[-1, -1]), expected, guess)
            for (name, values), expected, guess in zip(times_found.items(), ("36", "36", "23"), (None, None, guess_relu))],
           header=("", "largest error in the square", "at (6, 6)", "expected", "your guess"))

# %% [markdown]
# Outside its square a ReLU network goes on in straight lines, so it cannot follow a curve. (Over six seeds 22.4 to 23.6 at (6, 6); 24 with 512 units.) A gate is a product by construction.
#
# **What to remember**
# - Weights of variance $1/n$ keep the size of a signal. Behind a norm the scale of the input no longer matters.
# - A norm removes the gradient along its input, and divides the rest by the input's size.
# - A gated layer multiplies. Attention (Question 5) will, too.
#
# Question 6 stacks these parts, and Question 7 asks your `cross_entropy` for every step.

# %% [markdown]
# The logits of an FVSBN (Question 9) are linear in the earlier pixels, which is too simple for images. A neural network for each of the $D$
# conditionals would be $D$ networks. The **masked autoencoder for distribution estimation** (MADE) is a single network
# with $D$ inputs and $D$ outputs, in which some connections are cut, so that output $d$ is a function of the inputs before $d$ only.
# One forward pass gives all conditionals, in any order of the variables that you like. The cuts are the same idea as
# the masks of PixelCNN and the causal attention of a transformer.
#
# ### Which connections to cut
#
# Dimensions are numbered from 0 here, as in code. An **order** is a permutation: `order[0]` is the dimension that is generated first, `order[t]`
# the one at step $t$. The conditional of dimension `order[t]` may depend on `order[0]`, …, `order[t-1]`.
#
# Give every unit of the network a number, its **degree**:
#
# - the input of dimension `order[t]` has degree $t+1$, and so has the output of the same dimension (so `order` $=(1,2,0)$ gives
#   the dimensions 0, 1, 2 the degrees 3, 1, 2);
# - a hidden unit with degree $m$ is one that may know the inputs of degree $\le m$, and no others. Here $1\le m\le D-1$ (for $D=1$ nothing
#   may be known, and any degree $\ge1$ will do).
#
# Let a connection stay where it respects this meaning, and cut it otherwise:
#
# $$\begin{aligned}
# \text{into a hidden unit of degree } m, \text{ from a unit (input or hidden) of degree } m': &\quad\text{keep if } m\ge m', \\
# \text{into an output of degree } m, \text{ from a unit of degree } m': &\quad\text{keep if } m> m'.
# \end{aligned} \tag{18.1}$$
#
# *Nothing leaks.* Along any path from input $j$ through hidden units $h_1,\dots,h_L$ to output $d$ the degrees satisfy
# $$m(j)\le m(h_1)\le\dots\le m(h_L)<m(d), \tag{18.2}$$
# so $j$ comes strictly before $d$. *Nothing is wasted:* if each hidden layer has units of all degrees $1,\dots,D-1$, then every $j$ before $d$ has such a path.
#
# **Before you run this:** the right network uses $\ge$ at the output too. Follow the orange path: what would such a network learn?

# %%
def draw_network(ax, strict: bool, path: list[int], title: str) -> None:
    """Units with their degrees, and the connections that stay; `path` is a path to be marked, one unit per layer."""
    degrees = [[3, 1, 2], [1, 2, 2, 1], [2, 1, 2, 1], [3, 1, 2]]   # order (1, 2, 0): inputs, two hidden layers, outputs
    places = [np.linspace(1, -1, len(layer)) * (0.8 if len(layer) == 3 else 1.0) for layer in degrees]
    for n in range(3):
        for i, below in enumerate(degrees[n]):
            for k, above in enumerate(degrees[n + 1]):
                if above > below or (above == below and not (strict and n == 2)):
                    marked = path[n] == i and path[n + 1] == k
                    ax.plot([n, n + 1], [places[n][i], places[n + 1][k]], color=plot.COLORS[1] if marked else "#AAAAAA", linewidth=3 if marked else 1, zorder=2 if marked else 1)
    for n, layer in enumerate(degrees):
        for i, degree in enumerate(layer):
            ax.scatter(n, places[n][i], s=420, color="white", edgecolor=plot.COLORS[0], linewidth=1.8, zorder=3)
            ax.text(n, places[n][i], str(degree), ha="center", va="center", zorder=4)
    for i in range(3):
        ax.text(-0.2, places[0][i], f"$x_{i}$", ha="right", va="center", fontsize=12)
        ax.text(3.2, places[0][i], f"logit of $x_{i}$", ha="left", va="center", fontsize=12)
    ax.set(xlim=(-0.6, 4.2), ylim=(-1.25, 1.25), xticks=[], yticks=[], title=title)
    ax.grid(False)
    ax.spines[:].set_visible(False)


figure, axes = plot.subplots(1, 2, width=10, height=3.6)
draw_network(axes[0], True, [1, 0, 1, 2], "rule (11.1): $x_2$ depends on $x_1$")
draw_network(axes[1], False, [2, 2, 0, 2], "≥ at the output: $x_2$ depends on itself")

# %% [markdown]
# With the leak the network learns to copy its input: training NLL 0, and samples that are worthless. The output of $x_1$, which comes first, has
# no connection at all on the left. It is a constant, the bias, as it should be: $p(x_1)$ depends on nothing. And the last dimension,
# $x_0$, is an input of nobody.
#
# ### From connections to a network
#
# A layer computes $(M\odot W)h+b$ with a mask $M$ of the shape of $W$, so $M_{km}=1$ if unit $m$ of the layer below is
# connected to unit $k$. With $L$ hidden layers and ReLU,
#
# $$h_1=\mathrm{relu}\big((M_1\odot W_1)x+b_1\big),\quad\dots,\quad h_L=\mathrm{relu}\big((M_L\odot W_L)h_{L-1}+b_L\big),\quad a=(M_{L+1}\odot W_{L+1})h_L+b_{L+1}. \tag{18.3}$$
#
# The outputs $a$ are logits, $P(x_d=1\mid\text{earlier})=\sigma(a_d)$, and
#
# $$\log p(x)=\sum_{d=0}^{D-1}\Big[x_d\log\sigma(a_d)+(1-x_d)\log\sigma(-a_d)\Big]. \tag{18.4}$$
#
# With no hidden layer, $L=0$, and the order $0,1,\dots,D-1$ the mask is the strict lower triangle and MADE *is* the FVSBN.
#
# ### Your task
#
# - `made_masks`: all masks of a network, by rule (18.1). It is tested with any order, 0 to 3 hidden layers, hidden degrees in any sequence (not sorted, not
#   necessarily all of them) and $D=1$.
# - `MaskedLinear`: the mask must hold **whenever the layer is used**: after optimiser steps, and after loading weights that were never
#   masked (those of another layer with the same mask, by `load_state_dict`). It must not be trained, and must move with the layer to another device. So it belongs in a buffer, called `mask`.
# - `MADE.forward`: equation (18.3). The layers are made for you.
# - `made_log_prob`: equation (18.4). Logits of size 1000 occur in the tests.
# - `made_sample`: ancestral sampling in the model's own order. It takes $D$ passes through the network.
# - `train_made`: an ordinary training loop with Adam.
#
# The last three use nothing of the model but `model(x)`, `model.order` and `model.parameters()`, and are tested with other autoregressive
# networks too (in which training and evaluation mode are the same).

# %% role="given"
def cyclic_degrees(num_dims: int, sizes: list[int]) -> list[Int[Tensor, "H"]]:
    """Degrees 1, 2, ..., D-1, 1, 2, ... for the units of each hidden layer; ``sizes`` are the layers' widths."""
    return [1 + torch.arange(size) % max(num_dims - 1, 1) for size in sizes]

# %% role="answer"
def made_masks(order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]) -> list[Float[Tensor, "out in"]]:
    """The masks of a MADE by rule (11.1), from the first layer to the output layer.

    Args:
        order: a permutation of 0..D-1; ``order[t]`` is the dimension generated at step t.
        hidden_degrees: for each hidden layer, from the input on, the degrees of its units; may be empty.

    Returns:
        ``len(hidden_degrees) + 1`` masks of zeros and ones, float32, each of the shape (units of this layer, units
        of the layer below) of an ``nn.Linear`` weight.
    """
    ### BEGIN SOLUTION
    degrees = torch.empty_like(order)
    degrees[order] = torch.arange(1, len(order) + 1, device=order.device)
    masks, below = [], degrees
    for above in hidden_degrees:
        masks.append((above[:, None] >= below).float())
        below = above
    masks.append((degrees[:, None] > below).float())
    return masks
    ### END SOLUTION


class MaskedLinear(nn.Linear):
    """A linear layer that uses only the weights where its mask is 1: ``x @ (mask * weight).T + bias``.

    Its parameters are those of ``nn.Linear``: ``weight`` (out, in) and ``bias`` (out,), nothing else. The mask is kept as the
    buffer ``mask``. The bias is not masked.

    Args:
        mask: (out, in) of zeros and ones.
    """

    def __init__(self, mask: Float[Tensor, "out in"]):
        super().__init__(mask.shape[1], mask.shape[0])
        ### BEGIN SOLUTION
        self.register_buffer("mask", mask.clone())
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N in"]) -> Float[Tensor, "N out"]:
        ### BEGIN SOLUTION
        return F.linear(x, self.weight * self.mask, self.bias)
        ### END SOLUTION

# %% role="answer"
class MADE(nn.Module):
    """The network of equation (18.3): masked layers with ReLU between them.

    Args:
        order: see `made_masks`; kept as the buffer ``order``.
        hidden_degrees: see `made_masks`.
    """

    def __init__(self, order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]):
        super().__init__()
        self.register_buffer("order", order.clone())
        self.layers = nn.ModuleList(MaskedLinear(mask) for mask in made_masks(order, hidden_degrees))

    def forward(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Logits of P(x_d = 1 | the dimensions before d in the order), in column d."""
        ### BEGIN SOLUTION
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)
        ### END SOLUTION


def made_log_prob(model: nn.Module, x: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    """Log-probability in nats of each row of zeros and ones, equation (18.4), summed over dimensions. Differentiable.

    Args:
        model: gives the logits (N, D) for x (N, D), such as a `MADE`.
        x: zeros and ones, as floats.
    """
    ### BEGIN SOLUTION
    return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)
    ### END SOLUTION


@torch.no_grad()
def made_sample(model: nn.Module, uniforms: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Ancestral sampling in the order of the model: dimension ``model.order[0]`` first.

    Args:
        model: gives the logits (N, D) for x (N, D), and has ``model.order``, such as a `MADE`.
        uniforms: numbers in [0, 1]; column d belongs to dimension d (whenever it is drawn). In row n, x_d is 1 if
            ``uniforms[n, d] < P(x_d = 1 | the dimensions drawn before)``, else 0. So a uniform number of 1 always gives a 0.

    Returns:
        Zeros and ones as floats, one sample per row.
    """
    ### BEGIN SOLUTION
    x = torch.zeros_like(uniforms)
    for d in model.order.tolist():
        p_one = torch.sigmoid(model(x)[:, d])
        x[:, d] = (uniforms[:, d] < p_one).to(x.dtype)
    return x
    ### END SOLUTION


def train_made(
    model: nn.Module, x: Float[Tensor, "N D"], steps: int, batch_size: int, learning_rate: float, generator: torch.Generator
) -> list[float]:
    """Maximum likelihood with Adam (PyTorch's defaults but for the learning rate). Trains ``model`` in place.

    Args:
        model: gives the logits (N, D) for x (N, D), such as a `MADE`.
        x: training examples.
        steps: number of steps of the optimiser, one batch each.
        batch_size, generator: the batches are those of ``data.batches(x, batch_size, generator, steps=steps)``.
        learning_rate: of Adam.

    Returns:
        For each step the mean NLL of its batch, in nats per example (not per dimension), before the parameters change.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = []
    for batch in data.batches(x, batch_size, generator, steps=steps):
        loss = -made_log_prob(model, batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return history
    ### END SOLUTION

# %% role="check"
grader.check("q18")

# %% [markdown]
# ### Looking at your masks
#
# Below: the two masks of a small MADE ($D=12$, 16 hidden units) with a random order, and the measured dependence
# $|\partial a_d/\partial x_j|$ of its outputs on its inputs, with random weights.
#
# **Before you run this:** the third picture has dimensions as rows and columns. What will the fourth look like, where rows and columns are
# sorted by the order?

# %%
dgm.seed_everything(0)
small_order = torch.randperm(12, generator=dgm.generator(3))
small = MADE(small_order, cyclic_degrees(12, [16]))
probes = torch.randn(64, 12, generator=dgm.generator(4))
dependence = sum(torch.autograd.functional.jacobian(lambda row: small(row[None])[0], row).abs() for row in probes)

figure, axes = plot.subplots(1, 4, width=10, height=3.3, width_ratios=[1, 1.35, 1, 1])
pictures = [
    (small.layers[0].mask, "first mask", "input", "hidden unit"),
    (small.layers[-1].mask, "last mask", "hidden unit", "output"),
    ((dependence > 0).float(), "dependence", "input", "output"),
    ((dependence > 0).float()[small_order][:, small_order], "sorted by the order", "step of the input", "step of the output"),
]
for ax, (matrix, title, xlabel, ylabel) in zip(axes, pictures):
    plot.heatmap(matrix, cmap="Blues", vmin=0, vmax=1.3, colorbar=False, xlabel=xlabel, ylabel=ylabel, title=title, ax=ax)
sorted_dependence = dependence[small_order][:, small_order]
print(f"dependence on itself or later dimensions: {float(sorted_dependence.triu().sum()):.3g}  (must be exactly 0)")
print(f"earlier dimensions used: {int((sorted_dependence.tril(-1) > 0).sum())} of 66")

# %% [markdown]
# ### Your MADE on digits
#
# Four networks with one hidden layer of 512 units, in four orders: row by row, column by column, and two random ones.
#
# The four are four different models of the same data, and one can average their *probabilities*,
# $p(x)=\frac14\sum_k p_k(x)$, which is a mixture (an "ensemble over orders"). For one image the mixture can cost at most $\ln 4\approx 1.39$ nats
# more than the best of the four. It can also be better than the best on average, since the best is another one for each image.
#
# **Before you run this:** an FVSBN reaches 18.35 nats on test. By how much will a hidden layer improve it, and will there be overfitting?

# %%
digits_train, digits_test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
made_orders = {
    "row by row": torch.arange(64),
    "column by column": torch.arange(64).reshape(8, 8).T.flatten(),
    "random": torch.randperm(64, generator=dgm.generator(0)),
    "another random": torch.randperm(64, generator=dgm.generator(1)),
}
mades, histories = {}, {}
for name, order in dgm.progress(made_orders.items(), desc="orders"):
    dgm.seed_everything(0)
    mades[name] = MADE(order, cyclic_degrees(64, [512]))
    steps = dgm.budget(smoke=20, cpu=800, gpu=800)
    histories[name] = train_made(mades[name], digits_train, steps, 128, 3e-3, dgm.generator(2))

with torch.no_grad():
    train_logs = torch.stack([made_log_prob(model, digits_train) for model in mades.values()])
    test_logs = torch.stack([made_log_prob(model, digits_test) for model in mades.values()])
plot.curves(histories, ylabel="NLL of the batch, nats", reference={"FVSBN, test": 18.35}, smooth=0.9, title="training")
expected = ("about 15.2 and 17.2", "about 15.4 and 17.2", "about 14.8 and 17.0", "about 14.7 and 17.0")
table = [("independent (Question 9)", 25.11, 25.15, ""), ("FVSBN (Question 9)", 17.56, 18.35, "")]
table += [(f"MADE, {name}", -float(a.mean()), -float(b.mean()), sane) for name, a, b, sane in zip(mades, train_logs, test_logs, expected)]
mixture_train, mixture_test = (torch.logsumexp(logs, 0) - math.log(4) for logs in (train_logs, test_logs))
table.append(("mixture of the four", -float(mixture_train.mean()), -float(mixture_test.mean()), "about 14.7 and 16.7; below 15.5 on test something leaks"))
plot.table(table, header=("NLL in nats", "train", "test", "expected after 800 steps"))

# %% [markdown]
# Samples, and two kinds of completion. Planting known bits in `uniforms` (a 0 forces a 1, a 1 forces a 0) gives a sample from the exact
# conditional distribution only if the known pixels come *first* in the order. So the network that reads rows completes lower halves,
# and the one that reads columns completes right halves. The network with a random order draws many pixels before it has seen the
# known ones: its right halves fit worse.

# %%
uniforms = torch.rand(30, 64, generator=dgm.generator(5))
below, right = uniforms.clone(), uniforms.clone()
below[:, :32] = 1 - digits_test[:30, :32]
left_half = (torch.arange(64) % 8) < 4
right[:, left_half] = 1 - digits_test[:30, left_half]
panels = [
    ("test digits", digits_test[:30]),
    ("samples, row by row", made_sample(mades["row by row"], uniforms)),
    ("lower halves completed, row by row", made_sample(mades["row by row"], below)),
    ("samples, random order", made_sample(mades["random"], uniforms)),
    ("right halves completed, column by column", made_sample(mades["column by column"], right)),
    ("right halves \"completed\", random order", made_sample(mades["random"], right)),
]
figure, axes = plot.subplots(3, 2, width=10, height=5.8)
for ax, (title, pictures) in zip(axes.flat, panels):
    plot.images(pictures.reshape(-1, 8, 8), ncols=10, vmin=-0.1, vmax=1.3, suptitle=title, ax=ax)

# %% [markdown]
# **What to remember.** A network is autoregressive if every path from input $j$ to output $d$ respects the order: $\ge$ inside, $>$ once, at the
# output. Masks live in buffers and act at every use. Evaluating costs one pass, sampling $D$ passes. Test the claim with
# gradients: allowed entries non-zero, forbidden ones exactly zero. A likelihood that looks too good usually is.

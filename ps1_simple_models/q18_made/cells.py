# %% [markdown]
# The FVSBN of Question 9 was shown half of each digit, and drew the other half.

# %%
def show_halves(rows: dict[str, Float[Tensor, "16 256"]]) -> None:
    """Rows of 16 images of 16×16 pixels, white on black, each row with its title."""
    figure, axes = plot.subplots(len(rows), 1, width=8.5, height=0.85 * len(rows), squeeze=False)
    for ax, (title, pictures) in zip(axes.flat, rows.items()):
        plot.images(pictures.reshape(-1, 16, 16), ncols=16, suptitle=title, ax=ax)
    plt.show()


made_train, made_test = (
    data.binarize(data.glyphs(n, size=16, split=split)[0], "threshold").flatten(1)
    for n, split in ((dgm.budget(smoke=512, cpu=5000, gpu=5000), "train"), (1000, "test"))
)
raster_fvsbn = fit_fvsbn(made_train, dgm.budget(smoke=20, cpu=2000, gpu=2000))
whole, chances = made_test[:16], torch.rand(16, 256, generator=dgm.generator(0))
upper = torch.arange(256).expand(16, 256) < 128
by_fvsbn = {
    part: ancestral_sample(lambda x: fvsbn_logits(x, *raster_fvsbn), whole, known, chances)
    for part, known in (("lower", upper), ("upper", ~upper))
}
show_halves({
    "test images": whole,
    "upper half shown, lower half drawn: it goes on from what it sees": by_fvsbn["lower"],
    "lower half shown, upper half drawn: it has not seen what is below": by_fvsbn["upper"],
})

# %% [markdown]
# Row by row, the upper half is drawn before anybody has looked at the lower one. It takes another order of the pixels. Also, logits that are linear in the
# earlier pixels are too simple for images; but a neural network for each pixel would be 256 networks.
#
# The **masked autoencoder for distribution estimation** (MADE) is *one* network with $D$ inputs and $D$ outputs. Some connections are cut, so that
# output $d$ depends only on inputs that come before $d$, in an order of your choice.
#
# ### Which connections to cut
#
# An **order** is a permutation of the dimensions 0 to $D-1$: `order[t]` is drawn at step $t$. Every unit gets a **degree**, a number that
# says what it may know:
#
# $$\begin{aligned}
# \text{input and output of dimension \texttt{order[}}t\texttt{]}:&\quad\text{degree } t+1,\\
# \text{a hidden unit of degree } m \text{ may know}&\quad\text{the inputs of degree} \le m,\qquad 1\le m\le D-1,\\
# \text{an output of degree } m \text{ may know}&\quad\text{the inputs of degree} < m.
# \end{aligned}\tag{18.1}$$
#
# So `order` $=(1,2,0)$ gives the dimensions 0, 1, 2 the degrees 3, 1, 2.
#
# **On paper.** A connection stays exactly if it cannot tell the unit above more than that may know. Write this as an inequality between the degrees $m'$ below and $m$ above, for
# hidden units and for outputs. How many of the 24 connections stay for this order and one hidden layer of degrees 1, 2, 2, 1?

# %%
my_connections = None  # type a number

# %% [markdown]
# A layer computes $(M\odot W)h+b$, with $M_{km}=1$ where unit $k$ keeps its connection to unit $m$ below. With $L$ hidden layers,
#
# $$h_1=\mathrm{relu}\big((M_1\odot W_1)x+b_1\big),\ \dots,\ h_L=\mathrm{relu}\big((M_L\odot W_L)h_{L-1}+b_L\big),\quad a=(M_{L+1}\odot W_{L+1})h_L+b_{L+1}, \tag{18.2}$$
#
# and $a$ are all logits, in one pass. Without hidden layers and with the order $0,\dots,D-1$ this *is* the FVSBN.
#
# To draw, do not write your `ancestral_sample` again, though it goes through the entries 0, 1, 2, …: hand it a model of the *reordered* vector, whose entry $t$ is dimension
# `order[t]`.

# %% role="given"
def cyclic_degrees(num_dims: int, sizes: list[int]) -> list[Int[Tensor, "H"]]:
    # hidden degrees 1, 2, ..., D-1, 1, 2, ... for layers of these sizes
    return [1 + torch.arange(size) % max(num_dims - 1, 1) for size in sizes]

# %% role="answer"
def made_masks(order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]) -> list[Float[Tensor, "out in"]]:
    """All masks of a MADE, from the first layer to the outputs: every connection that (18.1) allows.

    Args:
        order: a permutation of 0..D-1.
        hidden_degrees: of each hidden layer, in any sequence, perhaps without some degrees; the list may be empty. (For
            D = 1 they are 1.)

    Returns:
        ``len(hidden_degrees) + 1`` masks, float32 of zeros and ones, in the shape of an ``nn.Linear`` weight.
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

# %% role="answer"
class MaskedLinear(nn.Linear):
    """A linear layer that uses its weights only where its mask is 1; the bias is not masked.

    Parameters: ``weight`` and ``bias`` as in ``nn.Linear``, no others. The mask, a buffer, holds whenever the layer is
    used: after optimiser steps, ``load_state_dict``, ``copy.deepcopy``, and a change of dtype or device.

    Args:
        mask: float32 of zeros and ones.
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
    """The network of (18.2). ``order`` and ``hidden_degrees`` are those of `made_masks`."""

    def __init__(self, order: Int[Tensor, "D"], hidden_degrees: list[Int[Tensor, "H"]]):
        super().__init__()
        self.register_buffer("order", order.clone())
        self.layers = nn.ModuleList(MaskedLinear(mask) for mask in made_masks(order, hidden_degrees))

    def forward(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Logits in the dtype of x; column d is that of dimension d. Calls ``self.layers``, nothing else of the model."""
        ### BEGIN SOLUTION
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)
        ### END SOLUTION

# %% role="answer"
def made_sample(
    model: nn.Module, x: Float[Tensor, "N D"], known: Bool[Tensor, "N D"], uniforms: Float[Tensor, "N D"]
) -> Float[Tensor, "N D"]:
    """`ancestral_sample` in the order of a model: dimension ``model.order[0]`` first.

    Args:
        model: logits (N, D) for x (N, D), such as a `MADE`; not changed.
        x, known, uniforms: as for `ancestral_sample`, which also says what is returned; column d is always dimension d.
    """
    ### BEGIN SOLUTION
    order, place = model.order, torch.argsort(model.order)

    def reordered(steps):
        return model(steps[:, place])[:, order]

    return ancestral_sample(reordered, x[:, order], known[:, order], uniforms[:, order])[:, place]
    ### END SOLUTION

# %% role="check"
grader.check("q18")

# %%
def draw_network(ax, strict: bool, path: list[int], title: str) -> None:
    # the units with their degrees, and the connections that stay; `path` is marked, one unit per layer
    degrees = [[3, 1, 2], [1, 2, 2, 1], [3, 1, 2]]
    places = [np.linspace(1, -1, len(layer)) for layer in degrees]
    for n in range(2):
        for i, below in enumerate(degrees[n]):
            for k, above in enumerate(degrees[n + 1]):
                if above > below or (above == below and not (strict and n == 1)):
                    marked = path[n] == i and path[n + 1] == k
                    ax.plot([n, n + 1], [places[n][i], places[n + 1][k]], color=plot.COLORS[1] if marked else "#AAAAAA", linewidth=3 if marked else 1, zorder=2 if marked else 1)
    for n, layer in enumerate(degrees):
        for i, degree in enumerate(layer):
            ax.scatter(n, places[n][i], s=420, color="white", edgecolor=plot.COLORS[0], linewidth=1.8, zorder=3)
            ax.text(n, places[n][i], str(degree), ha="center", va="center", zorder=4)
    for i in range(3):
        ax.text(-0.2, places[0][i], f"$x_{i}$", ha="right", va="center", fontsize=12)
        ax.text(2.2, places[0][i], f"logit of $x_{i}$", ha="left", va="center", fontsize=12)
    ax.set(xlim=(-0.5, 3.0), ylim=(-1.25, 1.25), xticks=[], yticks=[], title=title)
    ax.grid(False)
    ax.spines[:].set_visible(False)


figure, axes = plot.subplots(1, 2, width=9, height=2.8)
draw_network(axes[0], True, [1, 0, 2], "the right rules: $x_2$ depends on $x_1$")
draw_network(axes[1], False, [2, 2, 2], "≥ at the output, too: $x_2$ depends on itself")
plt.show()
stay = sum(float(mask.sum()) for mask in made_masks(torch.tensor([1, 2, 0]), [torch.tensor([1, 2, 2, 1])]))
plot.table([("connections that stay", my_connections, stay, "12")], header=("", "on paper", "your masks", "expected"))

dgm.seed_everything(0)
small_order = torch.randperm(12, generator=dgm.generator(3))
small_made = MADE(small_order, cyclic_degrees(12, [16]))
points = torch.randn(64, 12, generator=dgm.generator(4))
dependence = sum(torch.autograd.functional.jacobian(lambda row: small_made(row[None])[0], row).abs() for row in points)
in_order = dependence[small_order][:, small_order]
figure, axes = plot.subplots(1, 2, width=6.5, height=3.2)
plot.heatmap((dependence > 0).float(), colorbar=False, xlabel="input", ylabel="output", title="who depends on whom …", ax=axes[0])
plot.heatmap((in_order > 0).float(), colorbar=False, xlabel="step of the input", ylabel="step of the output", title="… and sorted by the order", ax=axes[1])
plt.show()
print(f"dependence on itself or later dimensions: {float(in_order.triu().sum()):.3g}  (must be exactly 0)")
print(f"earlier dimensions used: {int((in_order.tril(-1) > 0).sum())} of 66")

# %% [markdown]
# Along each path the degrees obey $m(j)\le m(h_1)\le\dots\le m(h_L)<m(d)$, so $j$ comes strictly before $d$. With $\ge$ at the output, too, the network learns to copy: after the training below it reports
# 3.1 to 3.3 nats for new images (6 runs), instead of about 37.
#
# ### Three orders of the same pixels
#
# Question 8's `train_and_log` trains three MADEs: row by row, bottom row first, and in a random order, in which each pixel is predicted from others scattered over the image.
#
# **Before you run this:** by how many nats per image is the random order worse than row by row?

# %%
guess_scrambled = None  # type a number
hidden_units, more = 1000, 1  # the knobs: try 200 units; then twice the epochs (more = 2). How large is the gap between the orders?

# %%
class MadeNLL(nn.Module):
    # the scorer for `train_and_log`

    def __init__(self, made):
        super().__init__()
        self.made = made

    def forward(self, x):
        return -bernoulli_log_prob(self.made(x), x)


made_orders = {
    "row by row": torch.arange(256),
    "bottom row first": torch.arange(255, -1, -1),
    "random order": torch.randperm(256, generator=dgm.generator(0)),
}
mades, made_nll, pixel_nll = {}, {"FVSBN, row by row": -fvsbn_log_prob(made_test, *raster_fvsbn)}, {}
for name, order in dgm.progress(made_orders.items(), desc="orders"):
    dgm.seed_everything(0)
    mades[name] = MADE(order, cyclic_degrees(256, [hidden_units]))
    scorer, shuffle = MadeNLL(mades[name]), dgm.generator(2)
    for epochs, rate in dgm.budget(smoke=[(1, 5e-3)], cpu=[(4, 5e-3), (1, 5e-4)], gpu=[(12, 5e-3), (3, 5e-4)]):
        train_and_log(scorer, made_train, made_test, more * epochs, 50, rate, shuffle)
    with torch.no_grad():
        made_nll[name] = scorer(made_test)
        pixel_nll[name] = F.binary_cross_entropy_with_logits(mades[name](made_test), made_test, reduction="none").mean(0)[order]
made_nll["mixture of the three MADEs"] = math.log(3) - torch.logsumexp(-torch.stack([made_nll[name] for name in mades]), 0)
sane = ("39.6", "37.5", "37.7", "36.9", "36.4")
plot.table([(name, float(nll.mean()), expected) for (name, nll), expected in zip(made_nll.items(), sane)], header=("NLL in nats", "test", "expected"))
plot.table([("random minus row by row", guess_scrambled, float((made_nll["random order"] - made_nll["row by row"]).mean()))], header=("", "your guess", "found"))

steps_nll = {name: pixel_nll[name].cumsum(0) for name in ("row by row", "random order")}
plot.curves(steps_nll, xlabel="pixels predicted so far", ylabel="nats so far", title="A random order pays first and saves later")
plt.show()

# %% [markdown]
# What are the orders good for? Each draws upper halves; the mixture scores them.

# %%
some = made_test[:200]
below, luck = torch.arange(256).expand(200, 256) >= 128, torch.rand(200, 256, generator=dgm.generator(0))
halves = {"test images": some}
halves["upper half drawn by the FVSBN"] = ancestral_sample(lambda x: fvsbn_logits(x, *raster_fvsbn), some, below, luck)
for name in mades:
    halves[f"upper half drawn by MADE, {name}"] = made_sample(mades[name], some, below, luck)
scores = []
with torch.no_grad():
    for pictures in halves.values():
        log_probs = torch.stack([-MadeNLL(made)(pictures) for made in mades.values()])
        scores.append(float((math.log(3) - torch.logsumexp(log_probs, 0)).mean()))
plot.table(zip(halves, scores, ("35.3", "46.3", "46.5", "36.4", "39.1")), header=("", "NLL in nats", "expected"))
show_halves({name: pictures[:16] for name, pictures in halves.items()} | {
    "drawn from nothing, random order": made_sample(mades["random order"], whole, whole > 2, chances),
})

# %% [markdown]
# **A surprise.** The random order is *better*, by 0.6 to 0.9 nats in 6 runs with other images, orders and starts. The chain rule holds in every order; they differ in how well a network fits the conditionals. At first
# a random order predicts pixels without a known neighbour. Later, neighbours on all sides are known, and a pixel costs little.
#
# **But completing needs the right order.** It is exact only if the shown pixels come first. With the bottom row first, completed images cost 0.9 to 1.7 nats more than test images (5 runs), row by row 9 to 12. The
# random order, which has seen a part of what is shown, lies between.
#
# The mixture averages the three *probabilities*. It loses at most $\ln3$ nats on any image against the best of the three. On average it beats them all, by 0.2 to 0.4 nats: no order is best for all images.
#
# **What to remember**
# - A network is autoregressive if every path respects the order: $\ge$ inside, $>$ at the output.
# - Masks live in buffers and act at every use.
# - The order hardly changes the likelihood, but decides what can be completed.
#
# Masks like these return as the causal attention of a transformer.

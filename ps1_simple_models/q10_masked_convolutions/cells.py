# %% [markdown]
# An autoregressive model takes pixels in **raster order**, row by row from left to right: pixel $(i,j)$ of an image of
# width $W$ is number $t=iW+j$. Each pixel has a probability given all before it:
#
# $$\log p(x)=\sum_{t=0}^{D-1}\log p(x_t\mid x_0,\dots,x_{t-1}).\tag{10.1}$$
#
# Two networks learn such a model of letters. Only `lag` is different.

# %%
class RecentPixels(nn.Module):
    # A logit for every pixel, computed from 68 pixels. The newest of them comes `lag` pixels before it.

    def __init__(self, lag):
        super().__init__()
        self.lag = lag
        self.net = nn.Sequential(nn.Linear(68, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, x):
        line = F.pad(x.flatten(1), (67 + self.lag, 0))
        return self.net(line.unfold(1, 68, 1)[:, : x[0].numel()]).reshape(x.shape)


def nats_per_letter(network, x):
    return F.binary_cross_entropy_with_logits(network(x), x, reduction="sum") / len(x)


def fit_to_letters(network, steps):
    optimiser, losses = torch.optim.Adam(network.parameters(), lr=3e-3), []
    for x in data.batches(letters, 16, dgm.generator(0), steps=steps):
        loss = nats_per_letter(network, x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


letters = data.binarize(data.glyphs(3000, size=16, classes="ABCDEFG")[0], "threshold")
new_letters = data.binarize(data.glyphs(500, size=16, classes="ABCDEFG", split="test")[0], "threshold")
rows, titles = [letters[:12]], ["data"]
for lag in (1, 0):
    torch.manual_seed(0)
    network = RecentPixels(lag)
    fit_to_letters(network, dgm.budget(smoke=3, cpu=400, gpu=400))
    canvas = (torch.rand(12, 1, 16, 16, generator=dgm.generator(0)) < 0.2).float()     # noise, to be drawn over
    uniforms = torch.rand(12, 1, 16, 16, generator=dgm.generator(1))
    with torch.no_grad():
        for i in range(16):
            for j in range(16):
                canvas[:, :, i, j] = (uniforms[:, :, i, j] < network(canvas)[:, :, i, j].sigmoid()).float()
        titles.append(f"lag = {lag}: {nats_per_letter(network, new_letters):.2f} nats per new letter, and its samples")
    rows.append(canvas)
figure, axes = plot.subplots(3, 1, width=8.6, height=3.3)
for ax, images, title in zip(axes, rows, titles):
    plot.images(images, ncols=12, ax=ax)
    ax.set_title(title)
plt.show()

# %% [markdown]
# The second has a far better likelihood, and draws noise: with `lag = 0` it reads pixel $t$ itself and copies it.
#
# So (10.1) rests on a promise: **the output for pixel $t$ depends on no pixel $\ge t$.** A network that breaks it does
# not look broken. It looks wonderful. You build convolutions that keep it, and an instrument that catches the others.
#
# **Masks.** A kernel of odd size $k=2r+1$ is set to zero wherever it would look ahead:
#
# $$\text{out}_c(i,j)=b_c+\sum_{c'}\sum_{u,v=0}^{k-1}M_{uv}\,w_{cc'uv}\,\text{in}_{c'}(i+u-r,\,j+v-r).\tag{10.2}$$
#
# The mask $M$ is 1 before its centre in raster order and 0 after it. The centre depends on the layer's **kind**:
#
# $$M^A_{rr}=0,\qquad M^B_{rr}=1.\tag{10.3}$$
#
# Kind A is the first layer, whose centre is the pixel to predict. Kind B is every later one, whose centre is a feature of
# earlier pixels. For $k=3$ the masks have four and five ones.
#
# **The instrument** is `receptive_field`. Where an output does not depend on a pixel, its derivative is *exactly* zero.
#
# **Task, first half.** `receptive_field`, and `MaskedConv2d` for (10.2). Its mask must hold *whenever* the layer is used:
# multiplied into the weights once, it does not survive an optimiser's step.

# %% role="given"
def causal_mask(kind: str, kernel_size: int) -> Float[Tensor, "k k"]:
    """The mask of kind "A" or "B", equation (10.3)."""
    radius = kernel_size // 2
    mask = torch.zeros(kernel_size, kernel_size)
    mask[:radius] = 1
    mask[radius, : radius + (kind == "B")] = 1
    return mask

# %% role="answer"
class MaskedConv2d(nn.Conv2d):
    """A convolution that reads only where its mask is 1, equation (10.2), with zeros around the image.

    Parameters: ``weight`` and ``bias`` as in ``nn.Conv2d``, no others. The mask holds after optimiser steps,
    ``load_state_dict``, ``copy.deepcopy``, and a change of dtype or device; it may be in the state dict or not.

    Args:
        mask: zeros and ones, (kh, kw), odd, perhaps different; or (out, in, kh, kw).
    """

    def __init__(self, mask: Tensor, in_channels: int, out_channels: int):
        height, width = mask.shape[-2:]
        assert height % 2 == 1 and width % 2 == 1, "kernel sizes must be odd, so that there is a centre"
        super().__init__(in_channels, out_channels, (height, width), padding=(height // 2, width // 2))
        ### BEGIN SOLUTION
        self.register_buffer("mask", mask.clone())
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out height width"]:
        ### BEGIN SOLUTION
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
        ### END SOLUTION

# %% role="answer"
def receptive_field(model, image: Float[Tensor, "channel height width"], row: int, col: int) -> Float[Tensor, "height width"]:
    """How strongly the output at one pixel depends on each input pixel.

    Leaves no trace in image or model: ``.grad`` and ``requires_grad``, mode and dtype stay.

    Args:
        model: maps (1, C, H, W) to (1, C', H, W).
        image: where to differentiate.
        row, col: the output's pixel.

    Returns:
        Detached; the sum over the image's channels of |ds/dimage|, where s sums the output's channels at the pixel.
    """
    ### BEGIN SOLUTION
    x = image.detach().clone().unsqueeze(0).requires_grad_()
    score = model(x)[0, :, row, col].sum()
    (gradient,) = torch.autograd.grad(score, x)
    return gradient[0].abs().sum(0)
    ### END SOLUTION

# %% [markdown]
# ### What depth can reach
#
# A $3\times3$ layer reads one place to the left, or one row up and at most one column aside, or (kind B) its own place. **On
# paper:** which earlier pixels are out of reach, however deep the stack? Count them for the framed pixel below (row 6,
# column 5 of $11\times11$).

# %%
guess_unread = None  # type a number
kernel_size, depths = 3, (2, 6, 20)  # the knobs


class PlainStack(nn.Module):
    # Masked layers, the first of kind A and the others of kind B, with tanh after each.

    def __init__(self, layers, kernel_size, channels=8):
        super().__init__()
        first = MaskedConv2d(causal_mask("A", kernel_size), 1, channels)
        others = [MaskedConv2d(causal_mask("B", kernel_size), channels, channels) for _ in range(layers - 1)]
        self.layers = nn.ModuleList([first, *others])

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


torch.manual_seed(0)
grey_image = torch.rand(1, 11, 11, generator=dgm.generator(0))
before_frame = torch.arange(121).reshape(11, 11) < 6 * 11 + 5
figure, axes = plot.subplots(1, 3, width=9, height=3.5)
for ax, depth in zip(axes, depths):
    seen = receptive_field(PlainStack(depth, kernel_size), grey_image, 6, 5) > 0
    colours = torch.where(seen, 0, torch.where(before_frame, 1, 2))
    ax.imshow(np.array([[0.0, 0.45, 0.7], [0.9, 0.62, 0.0], [0.96, 0.96, 0.96]])[colours])
    ax.add_patch(plt.Rectangle((4.5, 5.5), 1, 1, fill=False, edgecolor="black", linewidth=2.5, zorder=4))
    unread = int((before_frame & ~seen).sum())
    ax.set_title(f"{depth} layers: {unread} of {int(before_frame.sum())} not read")
    ax.set_xticks(np.arange(12) - 0.5, [])
    ax.set_yticks(np.arange(12) - 0.5, [])
    ax.grid(True, color="white", linewidth=0.8)
    ax.set_axisbelow(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
figure.suptitle("blue: read for the framed pixel    orange: earlier, but not read    grey: not earlier, not read", fontsize=11)
plt.show()
plot.table([["your guess", "–" if guess_unread is None else guess_unread], [f"not read with {depths[-1]} layers", unread]])

# %% [markdown]
# To come $b$ columns to the right a path climbs at least $b$ rows, so a
# pixel $a$ rows up and $b>a$ columns to the right lies in a **blind spot**. Nothing leaks, but the model ignores pixels that it may
# use. (With `kernel_size = 5`: four.)
#
# The cure: **two stacks**, each with a promise. The **vertical** features $v(i,j)$ know only rows above $i$. The **horizontal**
# features $h(i,j)$ know only pixels before $(i,j)$. The next $v$ reads $v$ in a $k\times k$ window, the next $h$ reads $h$ in a
# $1\times k$ window of its row. In the first block (kind A) both are the image, later (kind B) features that keep their
# promises. Which positions may each window read? That is `stack_masks`.
#
# One way is open: $h(i,j)$ may read $v(i,j)$. If $v$ read $h$, then $h(i,j+1)$, which knows pixel $(i,j)$, would reach $v(i,j+1)$ and, in the next window, $v(i,j)$.
#
# The gate $g(a)=\tanh(a_{1\dots C})\odot\sigma(a_{C+1\dots2C})$ makes $C$ features of $2C$. With masked convolutions $V,H$,
# $1\times1$ convolutions $L$ (link) and $O$ (out), and an optional bias $\beta$, a block is
#
# $$a=Vv,\qquad v'=g(a+\beta),\qquad h'=O\,g(Hh+La+\beta)\;[\,+\,h\,].\tag{10.4}$$
#
# The bracket, a residual connection, would break the promise with one of the kinds. Which? Only the other has it.
#
# **Task, second half.** `stack_masks` and `GatedBlock.forward`.

# %% role="given"
def gated_activation(a: Float[Tensor, "batch 2*channel height width"]) -> Float[Tensor, "batch channel height width"]:
    # the gate g of the text
    value, gate = a.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)

# %% role="answer"
def stack_masks(kind: str, kernel_size: int) -> tuple[Float[Tensor, "k k"], Float[Tensor, "1 k"]]:
    """The largest windows with which both stacks keep their promises, for any odd size.

    Returns:
        vertical and horizontal, float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    radius = kernel_size // 2
    own = int(kind == "B")
    vertical = torch.zeros(kernel_size, kernel_size)
    vertical[: radius + own] = 1
    horizontal = torch.zeros(1, kernel_size)
    horizontal[:, : radius + own] = 1
    return vertical, horizontal
    ### END SOLUTION

# %% role="answer"
class GatedBlock(nn.Module):
    """One layer of the two stacks, equation (10.4). C is ``channels``; v and h have ``in_channels``."""

    def __init__(self, kind: str, in_channels: int, channels: int, kernel_size: int):
        super().__init__()
        assert kind == "A" or in_channels == channels, "a block of kind B keeps the number of channels"
        vertical, horizontal = stack_masks(kind, kernel_size)
        self.kind = kind
        self.vertical = MaskedConv2d(vertical, in_channels, 2 * channels)        # V
        self.horizontal = MaskedConv2d(horizontal, in_channels, 2 * channels)    # H
        self.link = nn.Conv2d(2 * channels, 2 * channels, 1)                     # L
        self.out = nn.Conv2d(channels, channels, 1)                              # O

    def forward(
        self,
        v: Float[Tensor, "batch in height width"],
        h: Float[Tensor, "batch in height width"],
        bias: Float[Tensor, "batch 2*channel 1 1"] | None = None,
    ) -> tuple[Float[Tensor, "batch channel height width"], Float[Tensor, "batch channel height width"]]:
        """v' and h'; ``bias`` is beta, None means 0. v and h are not changed."""
        ### BEGIN SOLUTION
        above = self.vertical(v)
        left = self.horizontal(h) + self.link(above)
        if bias is not None:
            above, left = above + bias, left + bias
        update = self.out(gated_activation(left))
        return gated_activation(above), update if self.kind == "A" else h + update
        ### END SOLUTION

# %% role="check"
grader.check("q10")

# %%
class TwoStacks(nn.Module):
    # One gated block of kind A, then kind B. With `leak`, that much of h flows into v.

    def __init__(self, layers, kernel_size, channels=8, leak=0.0):
        super().__init__()
        others = [GatedBlock("B", channels, channels, kernel_size) for _ in range(layers - 1)]
        self.blocks = nn.ModuleList([GatedBlock("A", 1, channels, kernel_size), *others])
        self.head = nn.Conv2d(channels, 1, 1)
        self.leak = leak

    def forward(self, x):
        v = h = x
        for block in self.blocks:
            v, h = block(v, h)
            v = v + self.leak * h if self.leak else v
        return self.head(h)


def show_maps(networks, image, row, col, titles):
    # Receptive fields beside each other, each relative to its largest value, on one logarithmic scale.
    figure, axes = plot.subplots(1, len(networks), width=10, height=10 / len(networks) - (len(networks) == 2))
    for ax, (name, network) in zip(axes, networks.items()):
        seen = receptive_field(network, image, row, col)
        logs = torch.where(seen > 0, (seen / seen.max()).log10(), torch.nan)
        plot.heatmap(logs, vmin=-5, vmax=0, colorbar=ax is axes[-1], ax=ax, title=titles[name])
        ax.add_patch(plt.Rectangle((col - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="red", linewidth=2))
    figure.suptitle("log10 of the gradient, relative to its largest value; grey is exactly zero", fontsize=11)
    plt.show()


torch.manual_seed(0)
pair, finding = {"plain stack": PlainStack(6, 3), "two stacks": TwoStacks(6, 3)}, {}
for name, network in pair.items():
    seen = receptive_field(network, grey_image, 6, 5) > 0
    blind, leaks = int((before_frame & ~seen).sum()), int((~before_frame & seen).sum())
    finding[name] = f"{name}: {blind} earlier pixels not read, {leaks} others read"
show_maps(pair, grey_image, 6, 5, finding)
print("expected: 10 and 0 earlier pixels not read, no others read")

# %% [markdown]
# ### Plant a leak, and find it
#
# Four networks of your blocks learn the letters. One is honest, at 52 to 53 nats after 150 steps (the first figure's had 400). In two, $h$ flows into $v$, in full or
# a hundredth of it. In the last, masks were applied once, before training. What will the faint leak's loss be?

# %%
guess_faint_loss = None  # type a number
faint, steps = 0.01, dgm.budget(smoke=2, cpu=150, gpu=150)  # the knobs


def masked_once(network):
    for block in network.blocks:
        for name, mask in zip(("vertical", "horizontal"), stack_masks(block.kind, 3)):
            weight = getattr(block, name).weight.detach() * mask
            plain = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], padding="same")
            plain.weight.data = weight
            setattr(block, name, plain)
    return network


suspects = {"honest": 0.0, "full leak": 1.0, "faint leak": faint, "masked once": 0.0}
forbidden = torch.arange(256).reshape(16, 16) >= 8 * 16 + 8
losses, table, finding = {}, [], {}
for name, leak in suspects.items():
    torch.manual_seed(0)
    network = suspects[name] = TwoStacks(3, 3, leak=leak)
    network = suspects[name] = masked_once(network) if name == "masked once" else network
    found = [int((receptive_field(network, letters[0], 8, 8)[forbidden] > 0).sum())]
    losses[name] = fit_to_letters(network, steps)
    found.append(int((receptive_field(network, letters[0], 8, 8)[forbidden] > 0).sum()))
    with torch.no_grad():
        cost = float(nats_per_letter(network, new_letters))
    table.append([name, cost, *found])
    finding[name] = f"{name}: {cost:.1f} nats,\n{found[1]} forbidden pixels read"
plot.table(table, header=["network", "nats per new letter", "forbidden pixels read before training", "after"])
print("your guess for the faint leak:", "–" if guess_faint_loss is None else guess_faint_loss)
ax = plot.curves(losses, ylabel="nats per letter", title="The loss praises a leak, or says nothing")
ax.lines[0].set_zorder(3)      # the honest curve above that of the faint leak, which is drawn wide
ax.lines[2].set_linewidth(5)
ax.legend()
plt.show()
show_maps(suspects, letters[0], 8, 8, finding)

# %% [markdown]
# By its loss the faint leak is innocent, but the map convicts it. With `steps = 500` (a minute) it has found its leak: 0.1 nats. The network
# masked once was innocent *before* training.
#
# **What to remember.** A mask acts at every use, kind A in the first layer, kind B after it. Two stacks with one-way traffic
# have no blind spot. A likelihood too good to be true deserves a gradient map, before training and after.
#
# In Question 11 these blocks draw digits.

# %% [markdown]
# ## Question 12 · Masked convolutions and what they can see
# *7 points · about 60 minutes*
#
# An autoregressive image model writes the probability of an image as a product over pixels in **raster order** (row by
# row, left to right). Pixel $(i,j)$ of an image of width $W$ is number $t = iW + j$, and
#
# $$\log p(x) \;=\; \sum_{t=0}^{D-1} \log p(x_t \mid x_0, \dots, x_{t-1}). \tag{12.1}$$
#
# One convolutional network can compute all $D$ conditionals in a single pass, which makes training as cheap as training a
# classifier. The price is a promise: **the output at pixel $t$ must not depend on any pixel $\ge t$**. A network
# that breaks it does not look broken. Its loss becomes wonderfully small, because it copies the answer from the input, and
# only its samples are rubbish. So in this question you build convolutions that keep the promise, and the
# instrument that catches those that do not: gradients.
#
# **Masks.** With an odd kernel size $k$ and radius $r = (k-1)/2$, a masked convolution computes
#
# $$\text{out}_{c}(i,j) \;=\; b_c + \sum_{c'} \sum_{u=0}^{k-1}\sum_{v=0}^{k-1}
#   M_{uv}\, w_{cc'uv}\; \text{in}_{c'}(i+u-r,\; j+v-r), \tag{12.2}$$
#
# with zeros outside the image. The mask $M$ is 1 at window positions that come before the centre $(r,r)$ in raster order and
# 0 after it. Only the centre itself is a matter of **kind**:
#
# $$M^{A}_{rr} = 0, \qquad M^{B}_{rr} = 1. \tag{12.3}$$
#
# Kind A is for the first layer, where the centre is the very pixel that is to be predicted. Kind B is for all later layers:
# there the centre is a feature that has been computed from earlier pixels only, and to drop it would be a waste.
#
# **The blind spot.** Follow what a stack of $3\times3$ layers can read. One layer moves to the left in the same row, or
# up by one row and then at most one column to the right. To come $b$ columns to the right you must therefore
# climb at least $b$ rows. A pixel $a$ rows up and $b > a$ columns to the right is never reached, **however deep the
# network is**: a blind spot. The model stays valid (nothing leaks), but it ignores pixels that it is allowed to use.
#
# The next figure is pure bookkeeping of which pixels such a stack can reach; there are no weights in it.

# %%
def reach_of_stack(size, row, col, layers):
    """0/1 picture of the pixels that `layers` 3×3 masked layers (one A, then B) can reach from (row, col)."""
    first = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
    places = {(row, col)}
    for layer in range(layers):
        moves = first if layer == layers - 1 else first + [(0, 0)]   # the layer nearest the input is of kind A
        places = {(i + a, j + b) for i, j in places for a, b in moves if i + a >= 0 and 0 <= j + b < size}
    picture = np.zeros((size, size))
    for i, j in places:
        picture[i, j] = 1
    return picture


figure, axes = plot.subplots(1, 4, width=10, height=2.9)
for ax, layers in zip(axes, (1, 2, 4, 8)):
    reached = reach_of_stack(11, 6, 5, layers)
    earlier = np.arange(121).reshape(11, 11) < 6 * 11 + 5
    colours = np.where(reached == 1, 0, np.where(earlier, 1, 2))
    ax.imshow(np.array([[0.0, 0.45, 0.7], [0.9, 0.62, 0.0], [0.96, 0.96, 0.96]])[colours])
    ax.add_patch(plt.Rectangle((4.5, 5.5), 1, 1, fill=False, edgecolor="black", linewidth=2.5, zorder=4))
    ax.set_title(f"{layers} layer{'s' * (layers > 1)}")
    ax.set_xticks(np.arange(12) - 0.5, [])
    ax.set_yticks(np.arange(12) - 0.5, [])
    ax.grid(True, color="white", linewidth=0.8)
    ax.set_axisbelow(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
figure.suptitle("blue: read for the framed pixel    orange: earlier, but not read    grey: the future", fontsize=11)
plt.show()

# %% [markdown]
# Depth fills the left side, but the orange triangle on the right stays at 8 layers and at 80.
#
# **Two stacks.** The cure is to carry two feature maps through the network:
#
# * the **vertical** features $v(i,\cdot)$ know rows $< i$ only, and they know them *full width*. Since nothing in those rows is forbidden,
#   their window is a plain rectangle: the rows above the centre (kind A), and the centre's row too (kind B: the
#   *features* of row $i$ know only rows $< i$, so reading them is no leak);
# * the **horizontal** features $h(i,j)$ know what $v(i,j)$ knows and the pixels to the left in row $i$. Their window is a single row of $k$
#   positions: left of the centre (kind A), and the centre too (kind B).
#
# Information may flow from $v$ to $h$, never from $h$ to $v$: the window of $v$ at $(i,j)$ also reads places to the right, such as
# $(i,j+1)$, and $h(i,j+1)$ knows pixel $(i,j)$. (Other texts let $v(i,\cdot)$ see row $i$ and shift it down by one row on its way to $h$. Our kind-A
# window does the same.)
#
# **The gated block.** The convolutions produce $2C$ channels, and the gate turns them into $C$:
#
# $$g(a) = \tanh(a_{1\dots C}) \odot \sigma(a_{C+1\dots 2C}). \tag{12.4}$$
#
# With the masked convolutions $V$ and $H$, two ordinary $1\times1$ convolutions $L$ (link) and $O$ (out), and an optional $\beta$ (used from Question 13 on,
# but part of your answer here; without it, $\beta=0$), one block maps $(v,h)$ to $(v',h')$:
#
# $$\begin{aligned}
# a &= V v, \\
# v' &= g(a + \beta), \\
# h' &= O\, g(H h + L a + \beta) \;\;\big[\,+\, h \ \text{for kind B}\,\big].
# \end{aligned} \tag{12.5}$$
#
# $a$ has $2C$ channels, and $L$ reads it before $\beta$ is added. The bracket is a residual connection. In a block of kind A it is forbidden:
# that is the first block, where $v$ and $h$ are both the image, and adding $h$ would show every pixel to itself.
#
# ### Your task
#
# 1. `causal_mask(kind, kernel_size)` and `stack_masks(kind, kernel_size)`: the masks of (12.3) and of the two stacks, for any odd $k \ge 1$.
# 2. `MaskedConv2d`: equation (12.2). The mask must hold **whenever the layer is used**: after optimiser steps, after loading weights that
#    were never masked (those of another layer with the same mask), in a `copy.deepcopy` of the layer, in float64, and on another device. So it belongs in a buffer, called `mask`. It must not be
#    trained, nor be listed among the parameters.
# 3. `receptive_field(model, image, row, col)`: the instrument. It must work for any model and leave no trace: parameters keep the `.grad` they
#    had (usually `None`) and their `requires_grad`, the model stays in its train or eval mode, the image is not changed. (Buffers are a matter of Question 15.)
# 4. `gated_activation` and `GatedBlock.forward`: equations (12.4) and (12.5). The layers are made for you.

# %% role="answer"
def causal_mask(kind: str, kernel_size: int) -> Float[Tensor, "k k"]:
    """Window positions that a convolution in raster order may read, equation (12.3).

    Args:
        kind: "A" (the centre is excluded) or "B" (the centre is included).
        kernel_size: odd, at least 1.

    Returns:
        (k, k) float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    mask = torch.zeros(kernel_size, kernel_size)
    radius = kernel_size // 2
    mask[:radius] = 1
    mask[radius, :radius] = 1
    mask[radius, radius] = float(kind == "B")
    return mask
    ### END SOLUTION


def stack_masks(kind: str, kernel_size: int) -> tuple[Float[Tensor, "k k"], Float[Tensor, "1 k"]]:
    """The windows of the vertical and of the horizontal stack.

    Args:
        kind: "A" or "B", see the text above.
        kernel_size: odd, at least 1.

    Returns:
        vertical, (k, k): full rows above the centre's row; with kind "B" also the centre's row, in full.
        horizontal, (1, k): positions left of the centre; with kind "B" also the centre.
        Both float32 of zeros and ones.
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


class MaskedConv2d(nn.Conv2d):
    """A convolution that reads only where its mask is 1, equation (12.2). Output height and width equal the input's.

    Its parameters are those of ``nn.Conv2d``: ``weight`` (out, in, kh, kw) and ``bias`` (out,), nothing else. The mask is
    kept as the buffer ``mask``. The bias is not masked.

    Args:
        mask: (kh, kw) of zeros and ones, kh and kw odd (they may differ); or (out, in, kh, kw), a mask for each
            pair of channels. ``self.weight * mask`` broadcasts in both cases.
        in_channels: channels of the input.
        out_channels: channels of the output.
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
    """How strongly the output at one pixel depends on each input pixel, measured with gradients.

    Args:
        model: maps (1, C, H, W) to (1, C', H, W); any C'.
        image: (C, H, W), where the gradient is taken.
        row, col: the output's pixel.

    Returns:
        (H, W), detached: entry (i, j) is the sum over input channels c of
        |d s / d image[c, i, j]|, where s is the sum of the model's output channels at (row, col).
    """
    ### BEGIN SOLUTION
    x = image.detach().clone().unsqueeze(0).requires_grad_()
    score = model(x)[0, :, row, col].sum()
    (gradient,) = torch.autograd.grad(score, x)
    return gradient[0].abs().sum(0)
    ### END SOLUTION

# %% role="answer"
def gated_activation(a: Float[Tensor, "batch 2*channel height width"]) -> Float[Tensor, "batch channel height width"]:
    """tanh of the first half of the channels times sigmoid of the second half, equation (12.4).

    Must stay finite for inputs of any size, say a = 500.
    """
    ### BEGIN SOLUTION
    value, gate = a.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)
    ### END SOLUTION


class GatedBlock(nn.Module):
    """One layer of the two stacks, equation (12.5).

    Args:
        kind: "A" for the first block, whose v and h are both the image; "B" for the others.
        in_channels: channels of v and of h; equal to ``channels`` for kind "B".
        channels: channels of v' and of h'.
        kernel_size: odd.
    """

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
        """Equation (12.5).

        Args:
            v, h: vertical and horizontal features.
            bias: beta of equation (12.5), added inside both gates; None means no beta.

        Returns:
            the new v and the new h.
        """
        ### BEGIN SOLUTION
        above = self.vertical(v)
        left = self.horizontal(h) + self.link(above)
        if bias is not None:
            above, left = above + bias, left + bias
        update = self.out(gated_activation(left))
        return gated_activation(above), update if self.kind == "A" else h + update
        ### END SOLUTION

# %% role="check"
grader.check("q12")

# %% [markdown]
# ### What your networks can see
#
# Below, two networks with random weights: six plain masked layers, and six of your gated blocks. The pictures show your `receptive_field`
# for the output at row 6, column 5 of an $11 \times 11$ image, on a logarithmic scale; white means *exactly* zero.
#
# **Before you run this:** which of the two pictures has white squares above the frame, and where? Is the framed pixel itself white?

# %%
class PlainStack(nn.Module):
    """One masked layer of kind A, then kind B, with tanh between."""

    def __init__(self, layers, channels=8):
        super().__init__()
        kinds = ["A"] + ["B"] * (layers - 1)
        sizes = [1] + [channels] * layers
        self.layers = nn.ModuleList(MaskedConv2d(causal_mask(kind, 3), sizes[n], sizes[n + 1]) for n, kind in enumerate(kinds))

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


class TwoStacks(nn.Module):
    """One gated block of kind A, then kind B; the output is h."""

    def __init__(self, layers, channels=8):
        super().__init__()
        self.blocks = nn.ModuleList(
            GatedBlock("A" if n == 0 else "B", 1 if n == 0 else channels, channels, 3) for n in range(layers)
        )

    def forward(self, x):
        v = h = x
        for block in self.blocks:
            v, h = block(v, h)
        return h


torch.manual_seed(0)
image = torch.rand(1, 11, 11, generator=dgm.generator(0))
earlier = torch.arange(121).reshape(11, 11) < 6 * 11 + 5
figure, axes = plot.subplots(1, 2, width=9, height=3.7)
for ax, (name, network) in zip(axes, {"plain stack": PlainStack(6), "two stacks": TwoStacks(6)}.items()):
    seen = receptive_field(network, image, 6, 5)
    plot.receptive_field(seen, center=(6, 5), ax=ax, title=name)
    blind, leaks = int((earlier & (seen == 0)).sum()), int((~earlier & (seen > 0)).sum())
    print(f"{name:12s} earlier pixels not seen: {blind:2d} of {int(earlier.sum())}    future pixels seen: {leaks}")
print("expected: plain stack 10 not seen, two stacks 0 not seen; no future pixel is seen by either")
plt.show()

# %% [markdown]
# The gradient is a better detective than the eye: the framed pixel and everything after it must be *exactly* zero, not small. Keep
# `receptive_field` at hand; it takes one line to run on any autoregressive model before you trust its likelihood.
#
# A mask that is multiplied into `weight.data` once, when the layer is made, looks perfect in this picture. What the
# picture would show after a single step of the optimiser is the reason for point 2 of the task:

# %%
masked_once = nn.Conv2d(1, 1, 3, padding=1)
with torch.no_grad():
    masked_once.weight *= torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
before = masked_once.weight.detach()[0, 0].clone()
optimiser = torch.optim.SGD(masked_once.parameters(), lr=0.1)
noise = torch.rand(16, 1, 11, 11, generator=dgm.generator(1))
F.mse_loss(masked_once(noise), noise).backward()
optimiser.step()
figure, axes = plot.subplots(1, 2, width=7, height=3)
kernels = (before + 0, masked_once.weight.detach()[0, 0])   # adding 0 turns -0 into 0
for ax, kernel, title in zip(axes, kernels, ("kernel, masked once", "after one optimiser step")):
    plot.heatmap(kernel, annotate=True, center=0, colorbar=False, ax=ax, title=title, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# **What to remember.** Autoregressive convolution = ordinary convolution × mask, at every use. Kind A once, at the input; kind B after it, and
# no residual connection around A. A stack of masked windows has a blind spot; a vertical and a horizontal stack with one-way
# traffic have none. Whatever you build, test it with gradients: allowed pixels non-zero, forbidden ones exactly zero.

# %% [markdown]
# A photograph with one bit for each colour, and drawings of a PixelCNN that predicts the three bits of a pixel side by side.

# %%
class PixelNorm(nn.LayerNorm):
    # LayerNorm over all channels of a pixel

    def forward(self, a):
        return super().forward(a.movedim(1, -1)).movedim(-1, 1)


class ColourNet(nn.Module):
    # masked convolutions with a normalisation between them; masks(kind, in, out, kernel size) makes a mask

    def __init__(self, masks, norm, channels=24, layers=3, kernel_size=3):
        super().__init__()
        self.first = MaskedConv2d(masks("A", 3, channels, kernel_size), 3, channels)
        self.norms = nn.ModuleList(norm(channels) for _ in range(layers))
        self.convs = nn.ModuleList(MaskedConv2d(masks("B", channels, channels, kernel_size), channels, channels) for _ in range(layers))
        self.last = MaskedConv2d(masks("B", channels, 3, 1), channels, 3)

    def forward(self, x):
        a = self.first(x)
        for norm, conv in zip(self.norms, self.convs):
            a = a + conv(F.silu(norm(a)))
        return self.last(F.silu(a))


class ColourNLL(nn.Module):
    # the scorer for `train_and_log`

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return -bernoulli_log_prob(self.network(x), x)


def trained_colours(masks, norm, seed=0):
    # a trained network, its "bits per pixel" on test patches (3 without any knowledge), and 16 drawings
    torch.manual_seed(seed)
    network = ColourNet(masks, norm).to(dgm.device())
    patches = (part.to(dgm.device()) for part in (train_patches, test_patches))
    nll = train_and_log(ColourNLL(network), *patches, dgm.budget(smoke=1, cpu=4, gpu=8), 32, 5e-3, dgm.generator(seed))[1][-1]
    x = torch.zeros(16, 8, 8, 3)   # colour last, so that it is drawn pixel by pixel
    uniforms = torch.rand(x.shape, generator=dgm.generator(seed + 2))
    moved = (part.to(dgm.device()) for part in (x, x > 0, uniforms))
    drawn = ancestral_sample(lambda x: network(x.movedim(-1, 1)).movedim(1, -1), *moved)
    return network, nll / (64 * math.log(2)), drawn.movedim(-1, 1).cpu()


colour_photo = F.avg_pool2d(data.photo("china", gray=False), 3)                  # 142 × 213 pixels
bits = (colour_photo > colour_photo.flatten(2).median(2).values[..., None, None]).float()
train_patches = data.patches(bits[..., :130], 8, dgm.budget(smoke=64, cpu=2400, gpu=2400), seed=0)   # the left of the photograph
test_patches = data.patches(bits[..., 140:], 8, 300, seed=1)                                          # its right
side_by_side = trained_colours(lambda kind, n_in, n_out, size: causal_mask(kind, size), PixelNorm)
plot.images(0.1 + 0.8 * torch.cat([test_patches[:16], side_by_side[2]]), ncols=16,
            suptitle=f"test patches; drawings, at {side_by_side[1]:.2f} bits per pixel: many single pixels have a colour of their own")
plt.show()

# %% [markdown]
# In the photograph, where red is bright, green usually is too. The model draws the three bits independently of each other, given earlier pixels. So the chain rule has to go on **inside** the pixel:
# red first, green given red, blue given both. Number the $D=3HW$ values pixel by pixel, and R, G, B within a pixel:
#
# $$n=3\,(iW+j)+c,\qquad c=0,1,2\text{ for R, G, B},\qquad \log p(x)=\sum_{n=0}^{D-1}\log p(x_n\mid x_0,\dots,x_{n-1}).\tag{19.1}$$
#
# **Masks with channels.** A hidden layer has $C$ channels: the first third belongs to red, the second to green, the last to blue. Let $\gamma(\cdot)\in\{0,1,2\}$ be the colour of a channel. Positions before
# the centre are open for all pairs of channels, those after it closed. At the centre, from input channel $c'$ to output channel $c$,
#
# $$M^{A}_{cc'}=[\gamma(c')<\gamma(c)],\qquad M^{B}_{cc'}=[\gamma(c')\le\gamma(c)].\tag{19.2}$$
#
# In kind A, the first layer, green reads the red *value* of its own pixel, blue reads red and green, and no colour reads itself.
#
# **Normalisation leaks.** It divides by statistics, and what enters the statistics shows wherever they divide. Feature $n$ may share statistics only with features $\le n$. Orange below is
# on the wrong side, for $2\times2$ pixels with one feature per colour.

# %%
number = np.arange(12)
pixel, colour = number // 3, number % 3
same_pixel, same_colour = pixel[:, None] == pixel, colour[:, None] == colour
shared = {
    "LayerNorm over C, H, W": np.ones((12, 12), bool),
    "BatchNorm (training)": same_colour,
    "LayerNorm over C,\nat each pixel": same_pixel,
    "at each pixel,\nfor each colour": same_pixel & same_colour,
}
figure, axes = plot.subplots(1, 4, width=10, height=3.1)
for ax, (name, together) in zip(axes, shared.items()):
    later = number[None, :] > number[:, None]
    ax.imshow(np.array([[0.96, 0.96, 0.96], [0.0, 0.45, 0.7], [0.9, 0.62, 0.0]])[together * (1 + later)])
    ax.set_title(name, fontsize=10)
    ax.spines[:].set_visible(False)
    ax.set_xticks(number, list("RGB" * 4), fontsize=8)
    ax.set_yticks(number, list("RGB" * 4), fontsize=8)
    ax.tick_params(length=0)
    ax.grid(False)
figure.suptitle("row: output, column: feature that it shares statistics with", fontsize=10)
plt.show()

# %% [markdown]
# Three of the four leak. The third is fine for grey images. Here red features are divided by a statistic of blue ones, which have read the red value. BatchNorm looks innocent in
# evaluation mode, where its statistics are stored. So look at a model **in the mode that it is trained in**.
#
# The safe choice normalises, at each pixel, the $m=C/3$ channels $a_1,\dots,a_m$ of each colour, with a gain $g$ and an offset $o$ for each of the $C$ channels:
#
# $$\mu=\frac1m\sum_k a_k,\qquad s^2=\frac1m\sum_k(a_k-\mu)^2,\qquad a_k\leftarrow g_k\,\frac{a_k-\mu}{\sqrt{s^2+10^{-5}}}+o_k.\tag{19.3}$$
#
# For example, $m=2$, $g=1$ and $o=0$ turn $(3,7)$ into $(-1,1)$.
#
# `dependence_matrix` is the leak test: $|\partial\,\text{out}_n/\partial\,\text{in}_m|$ for all pairs, in the numbering of (19.1). A valid model's matrix is zero on and above the diagonal.
#
# **On paper:** let a network normalise in the third way. Which of the nine entries within one pixel are non-zero on or above the diagonal? Multiply their number by 9 for an image of $3\times3$ pixels.

# %%
guess_pixel_leaks = None  # type a number

# %% role="answer"
def colour_mask(kind: str, in_channels: int, out_channels: int, kernel_size: int) -> Float[Tensor, "out in k k"]:
    """Mask for `MaskedConv2d` by (19.2).

    Args:
        kind: "A" or "B".
        in_channels, out_channels: multiples of 3.
        kernel_size: odd, at least 1.

    Returns:
        float32 of zeros and ones.
    """
    ### BEGIN SOLUTION
    colour_in = torch.arange(in_channels) * 3 // in_channels
    colour_out = torch.arange(out_channels) * 3 // out_channels
    centre = colour_in[None, :] < colour_out[:, None]
    if kind == "B":
        centre = colour_in[None, :] <= colour_out[:, None]
    mask = torch.zeros(out_channels, in_channels, kernel_size, kernel_size)
    radius = kernel_size // 2
    mask[:, :, :radius] = 1
    mask[:, :, radius, :radius] = 1
    mask[:, :, radius, radius] = centre.float()
    return mask
    ### END SOLUTION

# %% role="answer"
class ColourNorm(nn.Module):
    """Normalises the channels of each colour at each pixel, equation (19.3). ``channels`` is a multiple of 3."""

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, a: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """(19.3) in the dtype of a, the same in both modes. For m = 1 it is the offset; no value or gradient becomes NaN."""
        ### BEGIN SOLUTION
        grouped = a.unflatten(1, (3, -1))
        centred = grouped - grouped.mean(2, keepdim=True)
        variance = (centred**2).mean(2, keepdim=True)
        normal = (centred / torch.sqrt(variance + 1e-5)).flatten(1, 2)
        return normal * self.gain[:, None, None] + self.offset[:, None, None]
        ### END SOLUTION

# %% role="answer"
import copy


def dependence_matrix(model, image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3*height*width 3*height*width"]:
    """|d out_n / d in_m|; row n is the output, column m the input, numbered by (19.1).

    Args:
        model: maps (1, 3, H, W) to (1, 3, H, W). It is tested in its mode, and left as it was: mode,
            parameters, their ``.grad`` and ``requires_grad``, and buffers, which BatchNorm changes in training mode
            (``copy.deepcopy(model)`` is one way).
        image: where the derivatives are taken; not changed.

    Returns:
        Detached.
    """
    ### BEGIN SOLUTION
    model = copy.deepcopy(model)
    x = image.detach().clone().unsqueeze(0).requires_grad_()
    output = model(x)[0].permute(1, 2, 0).flatten()
    rows = [torch.autograd.grad(value, x, retain_graph=True)[0][0].permute(1, 2, 0).flatten() for value in output]
    return torch.stack(rows).abs()
    ### END SOLUTION

# %% role="check"
grader.check("q19")

# %% [markdown]
# ### A matrix that convicts
#
# One small network with four normalisations, in training mode, on $3\times3$ pixels.

# %%
norms = {
    "LayerNorm over C, H, W": lambda channels: nn.GroupNorm(1, channels),
    "BatchNorm (training)": nn.BatchNorm2d,
    "LayerNorm at each pixel": PixelNorm,
    "ColourNorm": ColourNorm,
}
torch.manual_seed(0)
tiny = torch.rand(3, 3, 3, generator=dgm.generator(0))
figure, axes = plot.subplots(1, 4, width=10, height=3)
leaks = {}
for ax, (name, norm) in zip(axes, norms.items()):
    matrix = dependence_matrix(ColourNet(colour_mask, norm, channels=12), tiny)
    ax.imshow(torch.where(matrix > 0, matrix.clamp(min=1e-6).log10(), torch.nan), vmin=-6, vmax=1)
    ax.axline((-0.5, -0.5), slope=1, color="black", linewidth=1)
    leaks[name] = int((matrix.triu() > 0).sum())
    ax.set_title(f"{name}\nleaks: {leaks[name]}", fontsize=10)
    ax.spines[:].set_visible(True)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
figure.suptitle("log10 of the dependence; white is exactly zero", fontsize=10)
plt.show()
plot.table([("leaks in the third picture", guess_pixel_leaks, leaks["LayerNorm at each pixel"])], header=("", "on paper", "found"))
print("expected leaks: 351, 351, 27, 0")

# %% [markdown]
# In the third picture red sees itself and its own green, and green sees itself: three for each pixel. The white holes *below* the diagonal of the last two are the blind spot of Question 10.
#
# ### What colour order is worth
#
# Now train with colour order: with your norm, and with LayerNorm over the whole image.
#
# **Before you run this:** the first network reported 0.35 bits per pixel. What will the leaking one report?

# %%
guess_leaking = None  # type bits per pixel
suspect = norms["LayerNorm over C, H, W"]  # the knob: try nn.BatchNorm2d. Which mode does `evaluate` look at?

# %%
with_order, leaking = trained_colours(colour_mask, ColourNorm), trained_colours(colour_mask, suspect)
plot.table([
    ("colours side by side", side_by_side[1], None, "0.35"),
    ("colour order", with_order[1], None, "0.22"),
    ("colour order, leaking norm", leaking[1], guess_leaking, "0.18"),
], header=("network", "'bits per pixel' on test patches", "your guess", "expected"))
figure, axes = plot.subplots(4, 1, width=8.5, height=3.4)
for ax, (title, pictures) in zip(axes, {
    "test patches": test_patches[:16], "colours side by side": side_by_side[2], "colour order": with_order[2], "colour order, leaking norm": leaking[2],
}.items()):
    plot.images(0.1 + 0.8 * pictures, ncols=16, ax=ax)
    ax.set_title(title, fontsize=10)
plt.show()

# %% [markdown]
# The order within the pixel saves 37 to 39 per cent of the bits (6 runs with other patches and starts). The leaking network seems to save another 14 to 21. But its number is not $-\log_2p$ of anything: its "probabilities" do not sum to 1. And when it
# draws, there is nothing to look at yet: nearly all its patches stay black.
#
# **What to remember**
# - The chain rule needs an order for *everything* that is predicted, colours included.
# - A layer that pools statistics is a possible leak, and a leak shows up as an excellent likelihood.
# - The dependence matrix, one backward pass per value of a tiny image, settles the matter.
#
# The next set has no order at all: its models have hidden variables.

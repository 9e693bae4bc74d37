# %% [markdown]
# A colour image has three values at every pixel, and they agree most of the time: where red is bright, green usually is too. A model that draws
# the three independently of each other gets speckled colours and pays for it in likelihood. So the chain rule goes on **inside** the
# pixel: red first, green given red, blue given both. Number the $D = 3HW$ values pixel by pixel in raster order, and R, G, B within a pixel,
#
# $$n = 3\,(iW + j) + c, \qquad c = 0, 1, 2 \ \text{for R, G, B}, \qquad \log p(x) = \sum_{n=0}^{D-1} \log p(x_n \mid x_0, \dots, x_{n-1}). \tag{19.1}$$
#
# **Masks with channels.** Hidden layers have $C$ channels, $C$ a multiple of 3: the first third belongs to red, the second to green, the last to
# blue. Let $\gamma(\cdot) \in \{0,1,2\}$ be the colour of a channel. Window positions before the centre are open for every pair of channels and those after it closed.
# At the centre, from input channel $c'$ to output channel $c$,
#
# $$M^{A}_{cc'} = [\gamma(c') < \gamma(c)], \qquad M^{B}_{cc'} = [\gamma(c') \le \gamma(c)]. \tag{19.2}$$
#
# Kind A is the first layer: green may read the red *value* of its own pixel, blue may read red and green, and no colour reads itself.
#
# **Normalisation leaks.** A normalisation layer divides by statistics, and whatever enters the statistics becomes visible at all places that are divided by
# them. Feature number $n$ may only be mixed with features $\le n$ (the strict $<$ was spent at the input). The next figure is bookkeeping again: which features share
# statistics, for an image of $2 \times 2$ pixels with one feature per colour, so 12 values. Orange is on the wrong side of the diagonal.

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
# Three of the four leak. The third one is the treacherous one: normalising over all channels of one pixel is fine for grey images, but here the red
# features get divided by a statistic of the blue ones, and those have read the red value. BatchNorm has one more trick: in evaluation mode it
# uses stored statistics and looks innocent. A leak test must look at the model **in the mode that it is trained in**.
#
# The safe choice normalises, at each pixel, the $m = C/3$ channels $a_1, \dots, a_m$ of each colour, with a gain $g_c$ and an offset $o_c$ for each of the $C$ channels:
#
# $$\mu = \frac1m \sum_k a_k, \qquad s^2 = \frac1m \sum_k (a_k - \mu)^2, \qquad
#   a_k \leftarrow g_k\, \frac{a_k - \mu}{\sqrt{s^2 + 10^{-5}}} + o_k. \tag{19.3}$$
#
# ### Your task
#
# 1. `colour_mask`: equation (19.2), for any odd kernel size and any multiples of 3. It goes into the `MaskedConv2d` of Question 10.
# 2. `ColourNorm.forward`: equation (19.3). With one channel per colour ($m = 1$) the result is the offset; nothing may become NaN.
# 3. `dependence_matrix`: the leak test for colour models, $D \times D$ in the numbering of (19.1). A valid model has a **strictly lower triangular** matrix.
#    Test the model in the mode that it is in, and leave no trace: the parameters' `.grad`, the mode, and also the buffers (a pass in training
#    mode changes the running statistics of a BatchNorm; one way out is to test `copy.deepcopy(model)`).

# %% role="answer"
import copy


def colour_mask(kind: str, in_channels: int, out_channels: int, kernel_size: int) -> Float[Tensor, "out in k k"]:
    """Mask of a convolution that respects raster order and, within a pixel, the order R, G, B.

    Args:
        kind: "A" or "B", equation (19.2).
        in_channels, out_channels: multiples of 3; the first third is red, the second green, the last blue.
        kernel_size: odd, at least 1.

    Returns:
        (out_channels, in_channels, k, k) float32 of zeros and ones.
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
    """Normalises the channels of each colour at each pixel, equation (19.3).

    Args:
        channels: a multiple of 3.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, a: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Equation (19.3); the variance divides by m, and 1e-5 stands inside the square root."""
        ### BEGIN SOLUTION
        batch, channels, height, width = a.shape
        grouped = a.reshape(batch, 3, channels // 3, height, width)
        centred = grouped - grouped.mean(2, keepdim=True)
        variance = (centred**2).mean(2, keepdim=True)
        normal = (centred / torch.sqrt(variance + 1e-5)).reshape(a.shape)
        return normal * self.gain[:, None, None] + self.offset[:, None, None]
        ### END SOLUTION

# %% role="answer"
def dependence_matrix(model, image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3*height*width 3*height*width"]:
    """|d out_n / d in_m| for all pairs, in the numbering of equation (19.1).

    Args:
        model: maps (1, 3, H, W) to (1, 3, H, W). Used in the mode that it is in; parameters' gradients, mode and
            buffers are afterwards what they were before.
        image: (3, H, W), where the derivatives are taken; not changed.

    Returns:
        (3HW, 3HW), detached; row n is the output, column m the input, with n = 3 (i W + j) + c.
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
# The same small network with four normalisations, in training mode, on an image of $3 \times 3$ pixels.
#
# **Before you run this:** in which of the four do you expect entries on or above the diagonal ("leaks"), and how far from it? There are two white
# holes *below* the diagonal in the last two pictures. What are they?

# %%
class ColourNet(nn.Module):
    """Masked convolutions with a normalisation between them; `masks` makes a mask of (kind, in, out, kernel size)."""

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


class PixelNorm(nn.LayerNorm):
    """LayerNorm over all channels of a pixel."""

    def forward(self, a):
        return super().forward(a.movedim(1, -1)).movedim(-1, 1)


norms = {
    "LayerNorm over C, H, W": lambda channels: nn.GroupNorm(1, channels),
    "BatchNorm (training)": nn.BatchNorm2d,
    "LayerNorm at each pixel": PixelNorm,
    "ColourNorm": ColourNorm,
}
torch.manual_seed(0)
tiny = torch.rand(3, 3, 3, generator=dgm.generator(0))
figure, axes = plot.subplots(1, 4, width=10, height=3)
for ax, (name, norm) in zip(axes, norms.items()):
    matrix = dependence_matrix(ColourNet(colour_mask, norm, channels=12), tiny)
    ax.imshow(torch.where(matrix > 0, matrix.clamp(min=1e-6).log10(), torch.nan), cmap="viridis")
    ax.axline((-0.5, -0.5), slope=1, color="black", linewidth=1)
    leaks = int((matrix.triu() > 0).sum())
    ax.set_title(f"{name}\nleaks: {leaks}", fontsize=10)
    ax.spines[:].set_visible(True)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
plt.show()
print("expected: 351, 351, 27, 0.   White: exactly zero")

# %% [markdown]
# The holes below the diagonal are the blind spot of Question 10. In the third picture the leaks hug the diagonal: at each of the nine pixels red
# sees itself and its own green, and green sees itself.
#
# ### What colour order is worth
#
# Real photographs, cut into patches of $8 \times 8$ and reduced to one bit a colour. Three networks of the same size: yours; one whose three
# colours do not see each other within a pixel (the masks of Question 10); and one with your masks and a LayerNorm over the whole image.
#
# **Before you run this:** order the three training losses. Which one would win a leaderboard?

# %%
colour_photo = F.avg_pool2d(data.photo("china", gray=False), 4)                  # 106 × 160 pixels
bits = (colour_photo > colour_photo.flatten(2).median(2).values[..., None, None]).float()
train_patches = data.patches(bits[..., :100], 8, 3000, seed=0)                  # the left of the photograph
test_patches = data.patches(bits[..., 108:], 8, 500, seed=1)                    # its right


def colour_nats(network, x):
    """-log p in nats per image, (batch,)."""
    return F.binary_cross_entropy_with_logits(network(x), x, reduction="none").flatten(1).sum(1)


def trained_colour_net(masks, norm, steps):
    """A ColourNet trained on the patches, and its training loss in bits per pixel (3 without any knowledge)."""
    torch.manual_seed(0)
    network = ColourNet(masks, norm).to(dgm.device())
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    history = []
    for x in data.batches(train_patches, 64, dgm.generator(0), steps=steps):
        loss = colour_nats(network, x.to(dgm.device())).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item() / (64 * math.log(2)))
    return network.eval(), history


def draw_colours(network, n, generator):
    """n patches, value by value in the order of equation (19.1)."""
    x = torch.zeros(n, 3, 8, 8, device=dgm.device())
    with torch.no_grad():
        for i in range(8):
            for j in range(8):
                for c in range(3):
                    p = torch.sigmoid(network(x)[:, c, i, j]).cpu()
                    x[:, c, i, j] = (torch.rand(n, generator=generator) < p).to(x)
    return x.cpu()


steps = dgm.budget(smoke=2, cpu=300, gpu=1500)
contestants = {
    "colour order": (colour_mask, ColourNorm),
    "colours blind to each other": (lambda kind, n_in, n_out, size: causal_mask(kind, size), ColourNorm),
    "leaking norm": (colour_mask, lambda channels: nn.GroupNorm(1, channels)),
}
curves, rows, pictures = {}, [], [train_patches[:12]]
for name, (masks, norm) in contestants.items():
    network, curves[name] = trained_colour_net(masks, norm, steps)
    with torch.no_grad():
        test_bits = float(colour_nats(network, test_patches.to(dgm.device())).mean()) / (64 * math.log(2))
    rows.append([name, test_bits])
    pictures.append(draw_colours(network, 12, dgm.generator(2)))
plot.table(rows, header=["network", "'bits per pixel' on test patches"])
print("expected (cpu profile): about 0.29, 0.46 and 0.25; the last is no likelihood: look at its samples")
figure, ax = plot.subplots()
plot.curves(curves, ylabel="bits per pixel", smooth=0.9, ax=ax, title="training loss")
plt.show()
plot.images(0.1 + 0.8 * torch.cat(pictures), ncols=12, suptitle="data  /  " + "  /  ".join(contestants))
plt.show()

# %% [markdown]
# The leaking network wins by more than ten per cent. But its number is not $-\log_2 p$ of anything (its "probabilities" do not sum to 1), and when it has to draw,
# it has nothing to copy from: almost all of its patches are black.
#
# **What to remember.** The chain rule needs an order for *everything* that is predicted, colours included. Any layer that pools statistics is a
# possible leak, and a leak shows up as an excellent likelihood. The dependence matrix costs one backward pass per value on a tiny image, and settles the matter.

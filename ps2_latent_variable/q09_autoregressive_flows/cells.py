# %% [markdown]
# On the right is about the best that a simple autoregressive model can do with the moons: first $x_1$ from a Gaussian, then $x_2$ from a Gaussian whose mean and width depend on $x_1$.

# %%
maf_train, maf_test = data.toy2d("moons", 4000, seed=2), data.toy2d("moons", 4000, seed=3)
noise_pairs = torch.randn(2000, 2, generator=dgm.generator(0))
maf_first = maf_train[:, 0].mean() + maf_train[:, 0].std() * noise_pairs[:, 0]
maf_near = torch.exp(-0.5 * ((maf_first[:, None] - maf_train[:, 0]) / 0.15).square())    # which data have nearly this x_1
maf_near = maf_near / maf_near.sum(1, keepdim=True).clamp(min=1e-12)
maf_centre = maf_near @ maf_train[:, 1]
maf_width = (maf_near @ maf_train[:, 1].square() - maf_centre.square()).clamp(min=0.02).sqrt()
gaussian_draws = torch.stack([maf_first, maf_centre + maf_width * noise_pairs[:, 1]], 1)
figure, axes = plot.subplots(1, 2, width=9, height=3.2)
for ax, points, title in ((axes[0], maf_train, "data"), (axes[1], gaussian_draws, "one Gaussian after the other: the moons melt")):
    plot.scatter2d(points[:2000], ax=ax, size=3, alpha=0.4, xlim=(-4, 4), ylim=(-2.5, 2.5), title=title)
plt.show()

# %% [markdown]
# A network that predicts just a mean and a width is convenient, but too simple here. That is cured if we read the autoregressive model as a layer of a flow, and stack it.
#
# ### An autoregressive model is a layer
#
# One network gives for every $x_i$ a mean $m_i$ and the logarithm $a_i$ of a standard deviation, both from $x_{<i}=(x_1,\dots,x_{i-1})$ alone. Take the residual of each prediction, in units of its width:
#
# $$z_i=\frac{x_i-m_i(x_{<i})}{e^{a_i(x_{<i})}},\qquad \log\left|\det\frac{\partial z}{\partial x}\right|=-\sum_i a_i(x_{<i}). \tag{9.1}$$
#
# The Jacobian is triangular, because $z_i$ depends on no later $x_j$; $a$ is now the width of the *data*, so its sign is opposite to (8.2). This is a **masked autoregressive flow** (MAF). **On paper:** put (9.1) and a standard normal $z$ into (8.1). Which density of $x_i$ given $x_{<i}$
# do you recognise?
#
# From $x$ to $z$, all $m_i$ and $a_i$ come from *one* call of the network. Back, $x_i=z_i\,e^{a_i}+m_i$ needs $x_{<i}$ first, so $D$ dimensions take $D$ calls. For example, let $m_1=a_1=a_2=0$ and $m_2=2x_1$. Then $z=(1,\,0.5)$ gives $x_1=1$
# and only now $m_2=2$ and $x_2=2.5$.
#
# ### Two ways to turn it round
#
# *Turn the order.* If a layer reads $x_1$ first, the next one may read $x_2$ first. Flip the dimensions, apply the layer, and flip back.
#
# *Turn the direction.* Exchange `forward` and `inverse`. This **inverse autoregressive flow** (IAF) samples in one call and needs $D$ for the density of a given $x$. Its log-determinant is minus the inner layer's, taken at what comes out.
#
# ### One step of denoising
#
# Images lie near a thin surface, where a density is huge. So flows for images are trained on data plus Gaussian noise of standard deviation $\sigma$, and draw noisy images. The gradient of the log-density points back to where images are. Over all $x$ that could have led to a noisy $y$, the mean is
#
# $$\mathbb E[x\mid y]=y+\sigma^2\,\nabla_y\log p(y), \tag{9.2}$$
#
# for any data (Tweedie's formula, the heart of set 3). For data that are always 0, $p$ is $\mathcal N(0,\sigma^2)$, the gradient is $-y/\sigma^2$, and (9.2) gives 0.
#
# The network is given: `MADE` cuts those connections of a fully connected network that would let output $i$ see $x_i$ or later. Write four things.

# %% role="given"
class MADE(nn.Module):
    # (mean, log_std) of each x_i, from x_1 to x_{i-1} alone: a unit of degree m sees inputs up to the m-th

    def __init__(self, dim: int, hidden: int, depth: int = 2):
        super().__init__()
        inputs, units = torch.arange(1, dim + 1), 1 + torch.arange(hidden) * max(dim - 1, 1) // hidden
        degrees = [inputs, *[units] * depth, inputs.repeat(2)]
        self.layers = nn.ModuleList(nn.Linear(len(degrees[n]), len(degrees[n + 1])) for n in range(depth + 1))
        for n, layer in enumerate(self.layers):
            allowed = degrees[n + 1][:, None] > degrees[n] if n == depth else degrees[n + 1][:, None] >= degrees[n]
            layer.register_buffer("mask", allowed.float())
        with torch.no_grad():
            self.layers[-1].weight.mul_(0.1), self.layers[-1].bias.zero_()

    def forward(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
        for n, layer in enumerate(self.layers):
            x = F.linear(F.silu(x) if n else x, layer.weight * layer.mask, layer.bias)
        mean, raw = x.chunk(2, 1)
        return mean, 2 * torch.tanh(raw / 2)

# %% role="answer"
class MAF(nn.Module):
    """The layer (9.1), from data to latent.

    Args:
        net: ``net(x)`` gives (mean, log_std), each (N, D); column i depends on the columns of x before i only.
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N"]]:
        """(z, log|det dz/dx|), with one call of the network; differentiable."""
        ### BEGIN SOLUTION
        mean, log_std = self.net(x)
        return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
        ### END SOLUTION

    def inverse(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """The x of which `forward` makes z: column after column, with at most D calls of the network. Needs no gradients."""
        ### BEGIN SOLUTION
        x = torch.zeros_like(z)
        for i in range(z.shape[1]):
            mean, log_std = self.net(x)
            new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
            x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
        return x
        ### END SOLUTION

# %% role="answer"
class Reversed(nn.Module):
    """Another layer, with the dimensions flipped before it and flipped back after it.

    Args:
        layer: any layer of the set.
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N"]]:
        """(z, log|det dz/dx|)."""
        ### BEGIN SOLUTION
        z, logdet = self.layer(x.flip(1))
        return z.flip(1), logdet
        ### END SOLUTION

    def inverse(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """The x of which `forward` makes z; differentiable if the layer's is."""
        ### BEGIN SOLUTION
        return self.layer.inverse(z.flip(1)).flip(1)
        ### END SOLUTION

# %% role="answer"
class Inverted(nn.Module):
    """Another layer with `forward` and `inverse` exchanged; around a `MAF` this is an IAF.

    Args:
        layer: any layer of the set. Its `forward` gives its log-determinant, its `inverse` does not.
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N"]]:
        """(z, log|det dz/dx|) of *this* layer; x is what the inner layer would call latent."""
        ### BEGIN SOLUTION
        z = self.layer.inverse(x)
        return z, -self.layer(z)[1]
        ### END SOLUTION

    def inverse(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """The x of which `forward` makes z; differentiable."""
        ### BEGIN SOLUTION
        return self.layer(z)[0]
        ### END SOLUTION

# %% role="answer"
def denoise(layers, y: Float[Tensor, "N D"], noise_std: float) -> Float[Tensor, "N D"]:
    """The mean of x given y = x + noise: equation (9.2), under the flow's density of y.

    Args:
        layers: a flow, as for `flow_log_prob`, differentiable forwards. It stays as it is, down to the `.grad` of its parameters.
        y: noisy data.
        noise_std: standard deviation of the noise.

    Returns:
        (N, D), without a graph.
    """
    ### BEGIN SOLUTION
    y = y.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
    return y.detach() + noise_std**2 * slope
    ### END SOLUTION

# %% role="check"
grader.check("q9")

# %% [markdown]
# **The answer on paper:** $x_i$ given $x_{<i}$ is Gaussian, with mean $m_i$ and standard deviation $e^{a_i}$. So one MAF layer *is* the model of the first picture, trained by likelihood. The best possible one, by quadrature over the
# true density, stays 0.60 nats above the moons' entropy of 2.16. Now stack five layers.
#
# **Before you run this:** how far above the entropy are five layers that all read $x_1$ first? And if every second one is `Reversed`? Guess the first.

# %%
guess_same_order = None          # type a number, in nats
maf_blocks, maf_hidden = 5, 64   # knobs: 2 or 3 blocks; 16 hidden units. Which of the two costs more?

# %%
def maf_flow(blocks: int, reverse: bool, dim: int = 2, hidden: int = 64, depth: int = 2, norm: bool = False) -> nn.ModuleList:
    layers = []
    for n in range(blocks):
        maf = MAF(MADE(dim, hidden, depth))
        layers += [ActNorm(dim)] * norm + [Reversed(maf) if reverse and n % 2 else maf]
    return nn.ModuleList(layers)


def mean_nll(layers, batch, generator):
    return -flow_log_prob(layers, batch).mean()


moon_mafs, rows = {}, []
maf_settings = {"one block": (1, False), f"{maf_blocks} blocks, same order": (maf_blocks, False), f"{maf_blocks} blocks, order reversed": (maf_blocks, True)}
for (name, (blocks, reverse)), expected in zip(maf_settings.items(), ("0.63", "0.63", "0.10")):
    dgm.seed_everything(0)
    moon_mafs[name], maf_shuffle = maf_flow(blocks, reverse, hidden=maf_hidden), dgm.generator(0)
    for steps, rate in dgm.budget(smoke=[(5, 5e-3)], cpu=[(900, 5e-3), (300, 1e-3)], gpu=[(2000, 5e-3), (600, 1e-3)]):
        train(moon_mafs[name], mean_nll, maf_train, steps, 256, rate, maf_shuffle)
    with torch.no_grad():
        maf_nll = float(mean_nll(moon_mafs[name], maf_test, None))
    rows.append((name, maf_nll, maf_nll - 2.162, expected, maf_nll - 2 * math.log(2)))
plot.table(rows, header=("flow", "held-out NLL, nats", "above the entropy", "expected", "NLL of the data / 2"))
print()
plot.table([("all in the same order", guess_same_order, rows[1][2])], header=("above the entropy", "your guess", "found"))

figure, axes = plot.subplots(2, 4, width=10, height=4)
maf_densities = {"data": lambda x: data.toy2d_log_prob("moons", x)} | {name: (lambda x, layers=layers: flow_log_prob(layers, x)) for name, layers in moon_mafs.items()}
for k, (name, log_prob) in enumerate(maf_densities.items()):
    maf_draws = maf_test[:2000] if k == 0 else flow_sample(moon_mafs[name], noise_pairs)
    plot.density2d(log_prob, (-4, 4), (-2.5, 2.5), ax=axes[0, k], title=name)
    plot.scatter2d(maf_draws, ax=axes[1, k], size=2, alpha=0.4, xlim=(-4, 4), ylim=(-2.5, 2.5))
plt.show()

# %% [markdown]
# Five layers gain nothing, until every second one reads backwards (over 5 seeds: 0.61 to 0.66 nats for one block, the same for five, 0.03 to 0.10 reversed). Two blocks (0.27) cost more than 16 units (0.14). Scikit-learn's moons are these divided by 2; the last column is theirs, lower by $2\log2$.
#
# ### Why? (3 points)
#
# In eight lines at most: (a) Two MAF layers in the same order: write the second one's $z_i$ in terms of $x$, and conclude that the pair is again a layer of the form (9.1). So why did nothing change? (b) Why does reversing help? (c) A VAE
# needs a flexible $q(z\mid x)$: it draws one $z$ for each image, and asks for the log-density of this very $z$. MAF or IAF, and why?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) Let u be the first layer's result, u_i = (x_i - m_i(x_<i)) / exp(a_i(x_<i)). The second gives z_i = (u_i - m'_i(u_<i)) / exp(a'_i(u_<i)). Its u_<i are functions of x_<i alone, so z_i is linear in x_i with a slope
# and an offset that depend on x_<i: z_i = (x_i - M_i) / exp(A_i) with A_i = a_i + a'_i and M_i = m_i + exp(a_i) m'_i. This is (9.1), and x_i given x_<i is Gaussian for any number of layers. In particular x_1 is Gaussian for ever. One layer with a
# network of this size reaches the best means and widths already.
#
# (b) Reversed, x_2 comes first, and x_1 is scaled and shifted by functions of it. Then u_1 depends on x_1 and x_2 in a way that is not linear, and so does what the next layer makes of it. The composition is not of the
# form (9.1) in any order, and the conditionals need not be Gaussian.
#
# (c) IAF. Drawing takes one call. The density of a z that was just drawn costs nothing more: the noise it was made from is known, and so are the scales. The D calls would be needed only for somebody else's z.
# ### END SOLUTION

# %% [markdown]
# ### Images from one network call per pixel
#
# Three blocks now learn digits of $16\times16$ pixels, with noise of $\sigma=0.15$. **Before you run this:** noisy test images are wrong by 0.15 per pixel (root mean square). And after `denoise`?

# %%
guess_denoised = None   # type a number
image_noise = 0.15      # knob: 0.05 and 0.4. In which does the last step do most, and what does it blur?

# %%
glyphs_train, glyphs_test = (data.glyphs(n, size=16, split=split)[0].flatten(1) for n, split in ((dgm.budget(smoke=300, cpu=5000, gpu=20000), "train"), (500, "test")))


def noisy_nll(layers, batch, generator):
    return mean_nll(layers, batch + image_noise * torch.randn(batch.shape, generator=generator), generator)


dgm.seed_everything(0)
glyph_maf, maf_shuffle = maf_flow(3, True, dim=256, hidden=dgm.budget(smoke=64, cpu=640, gpu=1024), depth=1, norm=True), dgm.generator(0)
for steps, rate in dgm.budget(smoke=[(3, 1.5e-3)], cpu=[(750, 1.5e-3), (250, 3e-4)], gpu=[(4000, 1e-3), (1000, 2e-4)]):
    train(glyph_maf, noisy_nll, glyphs_train, steps, 100, rate, maf_shuffle)

# %%
from time import perf_counter

glyphs_noisy = glyphs_test + image_noise * torch.randn(glyphs_test.shape, generator=dgm.generator(1))
glyph_draws = flow_sample(glyph_maf, torch.randn(20, 256, generator=dgm.generator(2)))
glyphs_cleaned, draws_cleaned = denoise(glyph_maf, glyphs_noisy, image_noise), denoise(glyph_maf, glyph_draws, image_noise)
noisy_error, cleaned_error = (float((images - glyphs_test).square().mean().sqrt()) for images in (glyphs_noisy, glyphs_cleaned))
plot.table([("noisy test images", None, noisy_error, "0.150"), ("after one step of denoising", guess_denoised, cleaned_error, "0.072")], header=("error per pixel", "your guess", "found", "expected"))
glyph_pictures = {"test images": glyphs_test, "with noise": glyphs_noisy, "denoised": glyphs_cleaned, "drawn by the flow": glyph_draws, "drawn, then denoised": draws_cleaned}
figure, axes = plot.subplots(5, 1, width=10, height=4.4)
for ax, (title, images) in zip(axes, glyph_pictures.items()):
    plot.images(images[:20].reshape(-1, 16, 16), ncols=20, suptitle=title, ax=ax)
plt.show()
rows = []
for name, layer in (("MAF", MAF(MADE(256, 640, 1))), ("the same, Inverted: IAF", Inverted(MAF(MADE(256, 640, 1))))):
    with torch.no_grad():
        maf_clock = [perf_counter(), (layer(glyphs_noisy[:100]), perf_counter())[1], (layer.inverse(glyphs_noisy[:100]), perf_counter())[1]]
    rows.append((name, f"{maf_clock[1] - maf_clock[0]:.3f}", f"{maf_clock[2] - maf_clock[1]:.3f}"))
plot.table(rows, header=("one layer, 100 images", "density, seconds", "drawing, seconds"))

# %% [markdown]
# Nobody trained a denoiser. A density of noisy images is one already (0.072 in each of 5 runs). The step removes two thirds of noise 0.4, blurring thin strokes, and two fifths of 0.05.
# What the flow draws is made of strokes, and some of it is a digit. TarFlow (2024) does the same with a transformer over patches.
#
# **What to remember**
# - An autoregressive model with Gaussian conditionals is one layer of a flow. One direction takes one call, the other $D$.
# - Stacking helps only if the order changes.
# - The gradient of the log-density of noisy data removes the noise.


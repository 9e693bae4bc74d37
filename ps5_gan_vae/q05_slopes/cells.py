# %% [markdown]
# PyTorch's `spectral_norm` should bound the slope of a layer by 1, so that two pictures come out no further apart than they went in. Here are two letters, and a convolution that has been through it.

# %%
stretch_letters = torch.cat([data.glyphs(1, seed=s, classes=c)[0] for c, s in (("A", 2), ("O", 5))])
stretch_layer = nn.Conv2d(1, 1, 5, padding=2, bias=False)
nn.init.constant_(stretch_layer.weight, 0.1)
stretch_layer = nn.utils.parametrizations.spectral_norm(stretch_layer)
with torch.no_grad():
    stretch_after = stretch_layer(stretch_letters)
stretch_distances = [float((pair[0] - pair[1]).norm()) for pair in (stretch_letters, stretch_after)]
stretch_words = [f"before: distance {stretch_distances[0]:.1f}", "", f"after: distance {stretch_distances[1]:.1f}", ""]
plot.images(torch.cat([stretch_letters, stretch_after]), ncols=4, titles=stretch_words, vmax=float(stretch_after.max()), suptitle=f"A layer of slope 1? It takes two letters {stretch_distances[1] / stretch_distances[0]:.1f} times as far apart")
plt.show()

# %% [markdown]
# The code has no bug. It bounds a slope, but not that of the convolution. Which one?
#
# A critic whose slope is at most 1 everywhere reports at most the distance of transport (Question 4). A penalty asks for that slope where samples are; here you build it into the layers.
#
# ### One matrix, two slopes
#
# A matrix stretches no vector by more than its largest singular value $\sigma$. **Spectral normalisation** (Miyato et al., 2018) reads a convolution's weight as a matrix $W$ of shape $(c_\text{out},\,c_\text{in}k^2)$ and divides it by $\sigma(W)$. For $\sigma$, start with any $u$ and repeat
#
# $$v\leftarrow\frac{W^\top u}{\|W^\top u\|},\qquad u\leftarrow\frac{Wv}{\|Wv\|},\qquad \sigma\approx u^\top Wv. \tag{5.1}$$
#
# For $W=\begin{pmatrix}3&0\\0&1\end{pmatrix}$ and $u\propto(1,1)$ this gives $v\propto(3,1)$, $u\propto(9,1)$ and $\sigma\approx2.86$; the next repetition gives 3.00. Weights change little in a training step, so one repetition a step will do if $u$ is kept.
#
# But $W$ acts on one *patch* of $k\times k$ pixels, and patches overlap. **On paper:** with stride $s$, at most how many patches share a pixel? How large, then, are the squared norms of all patches together, compared with $\|x\|^2$? Find the factor $\kappa$ in
#
# $$\|\text{conv}(x)\|\le\kappa\,\sigma(W)\,\|x\|. \tag{5.2}$$
#
# For $k=4$, $s=2$ you should find $\kappa=2$; for $k=s$ patches are disjoint, and $\kappa=1$.
#
# ### The exact slope
#
# Cut a picture into blocks of $s\times s$ pixels, and write each block as $s^2$ channels of one pixel: **space to depth**. A convolution with stride $s$ becomes one with stride 1, if its kernel is cut the same way. And with stride 1 on a torus (left of the first pixel lies the last) each frequency is on its own: its channels are
# multiplied by a small matrix, the Fourier transform of the kernel, which is padded with zeros to the size of the picture. The largest singular value of all these matrices is the slope (Sedghi et al., 2019). For a $2\times2$ kernel of ones and $s=1$, $\sigma(W)=2$, but frequency 0 has the sum of the kernel, 4: $\kappa=2$ is reached.
#
# ### A stage of a GAN
#
# DCGAN (Radford et al., 2016) set the rules: convolutions with stride 2; BatchNorm, without a bias before it, as the mean is subtracted again; small first weights. In a critic, BatchNorm would let a logit depend on the other pictures, and divide by a spread that may be tiny: we leave it out, and add a ResNet's shortcut.

# %% role="answer"
def space_to_depth(x: Float[Tensor, "N C H W"], r: int) -> Float[Tensor, "N C*r*r H/r W/r"]:
    """Pixel (i, j) of each r×r block of channel c becomes channel c·r² + i·r + j; r divides H and W."""
    ### BEGIN SOLUTION
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)
    ### END SOLUTION

# %% role="answer"
class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight, as a matrix W (out, in·k·k), is divided by an estimate of σ(W).

    Its buffer ``u`` (out,) is a unit vector, random at first.
    """

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        ### BEGIN SOLUTION
        self.register_buffer("u", F.normalize(torch.randn(self.out_channels), dim=0))
        ### END SOLUTION

    def sigma(self) -> Float[Tensor, ""]:
        """(5.1) once: v from u; in training mode then u from v, which is kept (in eval mode u stays); uᵀWv.

        Gradients reach the weight through W alone: u and v are constants. Several calls may precede one backward pass.
        """
        ### BEGIN SOLUTION
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(matrix.T @ self.u, dim=0)
            if self.training:
                self.u = F.normalize(matrix @ v, dim=0)
        return self.u @ matrix @ v
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        return self._conv_forward(x, self.weight / self.sigma(), self.bias)

# %% role="answer"
def conv_norms(weight: Float[Tensor, "D C k k"], size: int, stride: int = 1) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The exact slope on a torus of size×size pixels, and κ·σ(W), with the smallest κ for all weights of this shape and all sizes.

    σ(W) is exact, too. k <= size; stride divides size, and may exceed k. Differentiable; float64 keeps its digits.
    """
    ### BEGIN SOLUTION
    kernels = space_to_depth(F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride)
    exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).max()
    return exact, math.ceil(weight.shape[-1] / stride) * torch.linalg.matrix_norm(weight.flatten(1), 2)
    ### END SOLUTION

# %% role="answer"
class GanBlock(nn.Module):
    """Doubles (up) or halves H and W: ReLU(norm(conv(x))) + skip(x repeated), or LeakyReLU(conv(x)) + skip(x averaged), slope 0.2.

    Layers: ``conv``, 4×4, stride 2, padding 1, transposed if up; ``norm``, BatchNorm2d, only if up; ``skip``, 1×1. In a critic (not up)
    conv and skip are SpectralConv2d. All have a bias but a conv before a norm. Weights of conv and skip are N(0, 0.02²), drawn from rng.
    Repeated: each pixel becomes 2×2. Averaged: means of 2×2.
    """

    def __init__(self, c_in: int, c_out: int, up: bool, rng: torch.Generator | None = None):
        super().__init__()
        self.up = up
        ### BEGIN SOLUTION
        if up:
            self.conv, self.norm, self.skip = nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)
        else:
            self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1)
        for layer in (self.conv, self.skip):
            nn.init.normal_(layer.weight, 0, 0.02, generator=rng)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        ### BEGIN SOLUTION
        if self.up:
            return F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2))
        return F.leaky_relu(self.conv(x), 0.2) + self.skip(F.avg_pool2d(x, 2))
        ### END SOLUTION

# %% role="check"
grader.check("q5")

# %% [markdown]
# ### A critic as a ruler
#
# Every glyph gets the same faint stamp: a picture $\delta$ of length 1 is added. The distance of transport between plain and stamped glyphs is 1: moving each by $\delta$ costs that, and the means are 1 apart. Critics are trained to make the mean of $f(\text{stamped})-f(\text{plain})$ large. With a slope of at most 1 none can report more
# than 1.00.
#
# **Before you run this** (10 s): a critic has three convolutions, each divided by $\sigma(W)$. What does it report?

# %% role="given"
class StampConv2d(SpectralConv2d):
    """Divides by 1, σ(W), κ·σ(W), or the exact slope on a torus for the padded picture."""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int, padding: int, size: int, divisor: str):
        super().__init__(c_in, c_out, k, stride, padding)
        self.torus, self.divisor = size + 2 * padding, divisor

    def slopes(self) -> tuple[Tensor, Tensor]:
        return conv_norms(self.weight, self.torus, self.stride[0])

    def sigma(self) -> Tensor:
        if self.divisor in ("κ·σ(W)", "exact"):
            return self.slopes()[0 if self.divisor == "exact" else 1]
        return super().sigma() if self.divisor == "σ(W)" else self.weight.new_ones(())


def stamp_critic(divisor: str, width: int = 8) -> nn.Sequential:
    return nn.Sequential(
        StampConv2d(1, width, 4, 2, 1, 28, divisor), nn.LeakyReLU(0.2), StampConv2d(width, 2 * width, 4, 2, 1, 14, divisor), nn.LeakyReLU(0.2),
        StampConv2d(2 * width, 1, 7, 7, 0, 7, divisor), nn.Flatten(0),
    )


def slope_at(critic: nn.Module, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
    # the gradient of each picture's logit
    x = x.clone().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x)[0]

# %%
guess_stamp = None   # type a number

# %%
stamp_divisors = ("σ(W)", "κ·σ(W)", "exact")   # a knob: add "1". What does a critic report that nothing bounds?
stamp_letter = "S"                             # another: any letter or digit

stamp = data.glyphs(1, size=28, classes=stamp_letter, seed=3)[0]
stamp = stamp / stamp.norm()
stamp_train, stamp_test = data.glyphs(2000)[0], data.glyphs(500, split="test")[0]
stamp_rows, stamp_views = [], [stamp_test[0], stamp_test[0] + stamp[0]]
for divisor in stamp_divisors:
    torch.manual_seed(0)
    stamp_net = stamp_critic(divisor)
    stamp_optimiser = torch.optim.Adam(stamp_net.parameters(), lr=2e-3, betas=(0.0, 0.9))
    for _ in range(dgm.budget(smoke=5, cpu=150, gpu=150)):
        stamp_plain, stamp_marked = (stamp_train[torch.randint(2000, (32,))] for _ in range(2))
        stamp_loss = stamp_net(stamp_plain).mean() - stamp_net(stamp_marked + stamp).mean()
        stamp_optimiser.zero_grad()
        stamp_loss.backward()
        stamp_optimiser.step()
    with torch.no_grad():
        for _ in range(100):
            stamp_net(stamp_plain[:1])   # u catches up with the weights
        stamp_net.eval()
        stamp_reported = float((stamp_net(stamp_test + stamp) - stamp_net(stamp_test)).mean())
        stamp_bounds = [math.prod(float(layer.slopes()[i] / layer.sigma()) for layer in stamp_net if isinstance(layer, StampConv2d)) for i in (0, 1)]
    stamp_directions = slope_at(stamp_net, stamp_test)
    stamp_views.append(stamp_directions[0] / stamp_directions[0].max())
    stamp_expected = {"σ(W)": "1.95", "κ·σ(W)": "0.73", "exact": "0.85"}.get(divisor) if stamp_letter == "S" else None
    stamp_rows.append((divisor, stamp_reported, stamp_expected, guess_stamp if divisor == "σ(W)" else "", float(stamp_directions.flatten(1).norm(dim=1).max()), *stamp_bounds))
plot.images(torch.stack(stamp_views), ncols=len(stamp_views), titles=["plain", "stamped", *(f"slope, {divisor}" for divisor in stamp_divisors)], suptitle="A faint stamp: the slope of each critic shows it")
plt.show()
plot.table(stamp_rows, header=("divided by", "reports", "expected", "your guess", "steepest slope", "exact bound", "bound κ·σ"))

# %% [markdown]
# It reports twice the distance that there is (over five seeds 1.95 to 2.4, at slopes of 2.4 to 3.0). Dividing by $\sigma(W)$ bounds the slope of each layer by its $\kappa$, that of the critic by $2\cdot2\cdot1=4$. Divided by $\kappa\,\sigma(W)$, no critic can report more than 1; this one reports 0.72 to 0.74, and 0.80 to 0.86 with exact slopes.
#
# Practice divides by $\sigma(W)$ nonetheless, as a factor that stays below 4 is a bound, too. The pictures show what a generator follows: a critic's gradient draws the difference.
#
# ### Letters out of noise
#
# A generator and a critic of your stages play with the losses of Question 1 for 300 steps (about 15 s). The energy distance to unseen letters is 0 for equal laws.

# %% role="given"
class PlainConv2d(SpectralConv2d):
    def sigma(self) -> Tensor:
        return self.weight.new_ones(())


def without_bound(critic: nn.Module) -> nn.Module:
    # a copy in which nothing is divided
    critic = copy.deepcopy(critic)
    for layer in critic.modules():
        if isinstance(layer, SpectralConv2d):
            layer.__class__ = PlainConv2d
    return critic


def forger(rng: torch.Generator) -> nn.Sequential:
    # 32 numbers of noise become 16×16 pixels
    start = nn.Sequential(nn.Linear(32, 48 * 16, bias=False), nn.Unflatten(1, (48, 4, 4)), nn.BatchNorm2d(48), nn.ReLU())
    return nn.Sequential(*start, GanBlock(48, 24, True, rng), GanBlock(24, 24, True, rng), nn.Conv2d(24, 1, 3, 1, 1), nn.Sigmoid())


def forger_critic(rng: torch.Generator) -> nn.Sequential:
    return nn.Sequential(GanBlock(1, 24, False, rng), GanBlock(24, 48, False, rng), SpectralConv2d(48, 1, 4), nn.Flatten(0))


def forger_distance(x: Float[Tensor, "N ..."], y: Float[Tensor, "N ..."]) -> float:
    # 2 E|x - y| - E|x - x'| - E|y - y'|: 0 for equal laws
    x, y = x.flatten(1), y.flatten(1)
    within = [torch.cdist(each, each).sum() / (len(each) * (len(each) - 1)) for each in (x, y)]
    return float(2 * torch.cdist(x, y).mean() - within[0] - within[1])

# %%
forger_spectral, forger_seed = True, 0   # knobs: a critic in which nothing is divided; other seeds, before you believe a difference
forger_classes = "ABC"                   # another: your initials

torch.manual_seed(forger_seed)
forger_train = data.glyphs(4000, size=16, classes=forger_classes)[0]
forger_test = data.glyphs(500, size=16, classes=forger_classes, split="test")[0]
forger_net, forger_judge = forger(dgm.generator(forger_seed)), forger_critic(dgm.generator(forger_seed))
forger_judge = forger_judge if forger_spectral else without_bound(forger_judge)
forger_optimisers = [torch.optim.Adam(each.parameters(), lr=1e-3, betas=(0.0, 0.9)) for each in (forger_net, forger_judge)]
forger_views, forger_rows, forger_steps = [], [], dgm.budget(smoke=4, cpu=300, gpu=300)
for step in range(1, forger_steps + 1):
    forger_letters = forger_train[torch.randint(len(forger_train), (64,))]
    forger_pictures = forger_net(torch.randn(64, 32))
    forger_truth, forger_lie = forger_judge(torch.cat([forger_letters, forger_pictures.detach()])).chunk(2)
    forger_optimisers[1].zero_grad()
    (F.softplus(-forger_truth) + F.softplus(forger_lie)).mean().backward()
    forger_optimisers[1].step()
    forger_optimisers[0].zero_grad()
    F.softplus(-forger_judge(forger_net(torch.randn(64, 32)))).mean().backward()
    forger_optimisers[0].step()
    if step % (forger_steps // 4) == 0:
        with torch.no_grad():
            forger_pictures = forger_net.eval()(torch.randn(500, 32, generator=dgm.generator(1)))
        forger_net.train()
        forger_views.append(forger_pictures[:20])
        forger_rows.append((f"step {step}", forger_distance(forger_pictures, forger_test)))
plot.images(torch.cat([*forger_views, forger_test[:20]]), ncols=20, suptitle="The same noise becomes letters: a quarter, half, three quarters and all of the steps; real ones below")
plt.show()
forger_other = data.glyphs(500, seed=1, size=16, classes=forger_classes)[0]
plot.table([*forger_rows, ("other real letters", forger_distance(forger_other, forger_test))], header=("pictures", "energy distance to unseen letters"))

# %% [markdown]
# Expected after 300 steps: about 0.11. Does the bounded slope help? Over five seeds the last distance is 0.08 to 0.44 with spectral layers, 0.12 to 0.39 without: these short runs do not tell.
#
# **What to remember**
# - $\sigma(W)$ bounds what happens to a patch, $\kappa\,\sigma(W)$ what happens to a picture.
# - $u$ is a buffer: one repetition in each training call, none in eval mode. Gradients pass through $W$ alone.
# - No bias before BatchNorm, no BatchNorm in a critic.
#
# In Question 6 a critic sees one patch at a time, on purpose.

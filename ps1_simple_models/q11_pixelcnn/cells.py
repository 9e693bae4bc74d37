# %% [markdown]
# The lower row was drawn by the model of Question 9. There are strokes, but few digits. How would you ask it for a 7?

# %%
def labelled_glyphs(n: int, split: str) -> tuple[Float[Tensor, "n 1 16 16"], Int[Tensor, "n"]]:
    """Binary digits and their labels."""
    grey, labels = data.glyphs(n, size=16, split=split)
    return data.binarize(grey, "threshold"), labels


labelled_x, labelled_y = labelled_glyphs(dgm.budget(smoke=512, cpu=5000, gpu=5000), "train")
heldout_x, heldout_y = labelled_glyphs(dgm.budget(smoke=100, cpu=1000, gpu=1000), "test")
pixel_by_pixel = fit_fvsbn(labelled_x.flatten(1), dgm.budget(smoke=20, cpu=2000, gpu=2000))
blank, ten_uniforms = torch.zeros(10, 1, 16, 16), torch.rand(10, 1, 16, 16, generator=dgm.generator(5))
flat_drawings = ancestral_sample(
    lambda x: fvsbn_logits(x, *pixel_by_pixel), blank.flatten(1), blank.flatten(1) > 0, ten_uniforms.flatten(1)
)
one_each = torch.stack([heldout_x[heldout_y == k][1] for k in range(10)])
plot.images(torch.cat([one_each, flat_drawings.reshape(-1, 1, 16, 16)]), ncols=10, suptitle="Data, and drawings of the FVSBN: nobody chose the digits")
plt.show()

# %% [markdown]
# The FVSBN has a weight for each *pair of pixels*: what it learns in one corner does not help in another. A convolution learns for all places at
# once. So stack the gated blocks of Question 10: a **PixelCNN**.
#
# To draw on request, the network must be told the class. And a model that draws each class can also recognise it.
#
# **Labels enter as a bias.** Every block gets a bias that depends on the class and is the same at every pixel. With the label's one-hot vector $e_y$ and a matrix
# $U_n$ for block $n$,
#
# $$\beta_n = U_n e_y, \tag{11.1}$$
#
# which is column $y$ of $U_n$. For $U_n=\begin{pmatrix}1&2&5\\0&3&7\end{pmatrix}$ and $y=2$, channel 0 gets 5 and channel 1 gets 7. Without a label there is no $\beta$; class 0 has a
# column of its own.
#
# **Classifying is Bayes' rule.** Ask every class how probable it finds the image, weigh by the class's frequency, and normalise:
#
# $$\log p(y \mid x) = \log p(x \mid y) + \log p(y) - \log p(x), \qquad p(x)=\sum_{y'} p(x \mid y')\,p(y'). \tag{11.2}$$
#
# Two equally frequent classes with $\log p(x\mid y)=-40$ and $-42$ give $p(y=0\mid x)=1/(1+e^{-2})=0.88$.
#
# **On paper:** what is a label worth? Solve (11.2) for $\log p(x\mid y)-\log p(x)$. At most how many nats can it be, for any image and any model, with ten equally frequent classes?

# %%
guess_worth = None  # type your bound, a number

# %% [markdown]
# ### Your task
#
# - `PixelCNN.forward`: the image is $v$ and $h$ of the first block. Pass both through all blocks, each with its own $\beta_n$. The head turns the last $h$ into **logits**.
# - `pixelcnn_classify`: equation (11.2), in evaluation mode, without gradients.

# %% role="answer"
class PixelCNN(nn.Module):
    """A PixelCNN for binary images, with optional labels.

    Args:
        channels: C of the features.
        layers: blocks of kind B after the first, which is of kind A.
        classes: K.
        kernel_size: odd.
    """

    def __init__(self, channels: int, layers: int, classes: int = 10, kernel_size: int = 3):
        super().__init__()
        self.classes = classes
        first = GatedBlock("A", 1, channels, kernel_size)
        others = [GatedBlock("B", channels, channels, kernel_size) for _ in range(layers)]
        self.blocks = nn.ModuleList([first, *others])
        self.label_maps = nn.ModuleList(nn.Linear(classes, 2 * channels, bias=False) for _ in self.blocks)   # U_n
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 1, 1))

    def forward(
        self, x: Float[Tensor, "batch 1 height width"], y: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch 1 height width"]:
        """Logits of all pixels, in one pass.

        Args:
            x: zeros and ones, in the dtype of the weights (float32 or float64).
            y: labels 0, ..., K-1, one per image; not every class need occur. None: no bias.
        """
        ### BEGIN SOLUTION
        v = h = x
        for block, label_map in zip(self.blocks, self.label_maps):
            bias = None
            if y is not None:
                one_hot = F.one_hot(y, self.classes).to(x.dtype)
                bias = label_map(one_hot)[:, :, None, None]
            v, h = block(v, h, bias)
        return self.head(h)
        ### END SOLUTION

# %% role="given"
def pixelcnn_log_prob(
    model, x: Float[Tensor, "batch 1 height width"], y: Int[Tensor, "batch"] | None = None
) -> Float[Tensor, "batch"]:
    """log p(x | y) of each image in nats; log p(x) if y is None."""
    return bernoulli_log_prob(model(x, y), x)

# %% role="answer"
def pixelcnn_classify(
    model, images: Float[Tensor, "batch 1 height width"], log_prior: Float[Tensor, "classes"]
) -> Float[Tensor, "batch classes"]:
    """log p(y | x) of every class, equation (11.2).

    Args:
        model: any module with ``model(images, labels)`` → logits, one label per image, for ``len(log_prior)`` classes. Model and parts keep their common mode.
        log_prior: log p(y), normalised.

    Returns:
        Finite, also where log p(x | y) is -1000.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        columns = []
        for k in range(len(log_prior)):
            y = torch.full((len(images),), k, device=images.device)
            columns.append(pixelcnn_log_prob(model, images, y) + log_prior[k])
    model.train(was_training)
    return log_softmax(torch.stack(columns, dim=1), dim=1)
    ### END SOLUTION

# %% role="check"
grader.check("q11")

# %% [markdown]
# ### Told and untold
#
# Two networks, same start, same minibatches, trained by Question 8's `train_and_log`. One is told the labels. This takes one to three minutes.
#
# **Before you run this:** by how many nats per held-out image is the told one better?

# %%
guess_gain = None  # type a number
channels, layers, kernel = dgm.budget(smoke=(4, 1, 3), cpu=(16, 3, 5), gpu=(32, 5, 5))  # the knob: kernel 3, or no layers. What happens to NLL and strokes?

# %%
class LabelledNLL(nn.Module):
    """A scorer for `train_and_log`: the second channel of a batch holds the labels."""

    def __init__(self, pixelcnn, told):
        super().__init__()
        self.pixelcnn, self.told = pixelcnn, told

    def forward(self, batch):
        x, y = batch[:, :1], batch[:, 1, 0, 0].long()
        return -pixelcnn_log_prob(self.pixelcnn, x, y if self.told else None)


def with_label_channel(x, y):
    return torch.cat([x, y[:, None, None, None].expand_as(x).to(x.dtype)], 1)


def draw_with(model, x, known, uniforms, y=None, temperature=1.0):
    """Question 9's sampler with a PixelCNN, on the CPU."""
    model.eval()
    y = None if y is None else y.to(device)
    given = (t.to(device) for t in (x, known, uniforms))
    return ancestral_sample(lambda images: model(images, y) / temperature, *given).cpu()


device, all_classes = dgm.device(), torch.arange(10)
networks, test_curves, progress = {}, {}, [one_each]
train_batch, test_batch = (with_label_channel(*pair).to(device) for pair in ((labelled_x, labelled_y), (heldout_x, heldout_y)))
for name, told in (("told the label", True), ("not told", False)):
    dgm.seed_everything(0)
    networks[name] = PixelCNN(channels, layers, 10, kernel).to(device)
    scorer, order, test_curves[name] = LabelledNLL(networks[name], told), dgm.generator(0), []
    for epochs, rate in dgm.budget(smoke=[(1, 5e-3)], cpu=[(1, 5e-3), (2, 5e-3), (1, 5e-4)], gpu=[(1, 5e-3), (8, 3e-3), (3, 3e-4)]):
        losses = train_and_log(scorer, train_batch, test_batch, epochs, 25, rate, order)[1]
        test_curves[name] += losses if not test_curves[name] else losses[1:]
        if told:
            progress.append(draw_with(networks[name], blank, blank > 0, ten_uniforms, all_classes))
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.4)
flat_nll = -fvsbn_log_prob(heldout_x.flatten(1), *pixel_by_pixel)
plot.curves(test_curves, xlabel="epoch", ylabel="nats per held-out image", ax=left, reference={"FVSBN": float(flat_nll.mean())}, title="Three epochs beat the FVSBN")
left.set_ylim(25, 65)
plot.images(torch.cat(progress), ncols=10, ax=right)
right.set_title("data; the told network after 1, 3 and 4 epochs")
plt.show()

# %% [markdown]
# In each column the label and the uniform numbers are the same in every row.

# %%
def in_parts(function, *tensors):
    """A function applied to minibatches."""
    with torch.no_grad():
        return torch.cat([function(*(t.to(device) for t in part)).cpu() for part in data.batches(tensors, 250, None)])


told_net, untold_net = (networks[name].eval() for name in ("told the label", "not told"))
equal_prior = torch.full((10,), -math.log(10))
nll_told = -in_parts(lambda x, y: pixelcnn_log_prob(told_net, x, y), heldout_x, heldout_y)
nll_untold = -in_parts(lambda x: pixelcnn_log_prob(untold_net, x), heldout_x)
posteriors = in_parts(lambda x: pixelcnn_classify(told_net, x, equal_prior.to(device)), heldout_x)
worth = posteriors.gather(1, heldout_y[:, None])[:, 0] + math.log(10)   # (11.2), solved for log p(x|y) - log p(x)
nll_summed = nll_told + worth
plot.table([
    ("one network: the label is worth, mean", float(worth.mean()), None, "2.1"),
    ("one network: largest of all images", float(worth.max()), guess_worth, "2.30"),
    ("two networks: not told minus told", float((nll_untold - nll_told).mean()), guess_gain, "2.5 to 4.4"),
    ("… of which: not told minus label summed out", float((nll_untold - nll_summed).mean()), None, "0.4 to 2.5"),
], header=("nats", "yours", "your guess", "expected"))

# %% [markdown]
# **The bound.** The difference is $\log p(y\mid x)/p(y)$. A probability is at most 1, so with $p(y)=\frac1{10}$ no image can gain more than $\ln10=2.30$ nats.
#
# **Then how can two networks differ by more?** (2.5 to 4.4 nats in seven runs that differed only in start, order of images or of additions.) The bound compares $p(x\mid y)$ with its *own* mixture, the $p(x)$ of (11.2). The other network is a second model,
# and after the same training a worse one. About 2 nats are what the label is worth; no bound holds for the rest. Does the rest shrink with twice as many epochs (about three minutes)?
#
# ### What it draws

# %%
temperature = 0.8  # the knob: logits are divided by it; try 0.5 and 2. How much ink is there?
upper = torch.zeros(10, 1, 16, 16, dtype=torch.bool)
upper[:, :, :8] = True
more_uniforms = torch.rand(10, 1, 16, 16, generator=dgm.generator(6))
rows = {
    "one class per column, temperature 1": progress[-1],
    f"the same uniform numbers, temperature {temperature}": draw_with(told_net, blank, blank > 0, ten_uniforms, all_classes, temperature),
    "held-out images …": one_each,
    "… of which this is shown": torch.where(upper, one_each, 0.3),
    "completed, not told": draw_with(untold_net, one_each, upper, more_uniforms),
    "completed, right label": draw_with(told_net, one_each, upper, more_uniforms, all_classes),
    "completed, label of the next digit": draw_with(told_net, one_each, upper, more_uniforms, (all_classes + 1) % 10),
}
figure, axes = plot.subplots(len(rows), 1, width=7, height=1.05 * len(rows))
for ax, (title, pictures) in zip(axes, rows.items()):
    plot.images(pictures, ncols=10, ax=ax)
    ax.set_title(title, fontsize=10)
plt.show()

# %% [markdown]
# After four epochs about three in ten of the drawings can be read. **Temperature** below 1 pushes every pixel towards its likelier value. That is mostly black: strokes start late, and images may stay empty.
#
# **Completing** the lower half is an exact draw from $p(\text{hidden}\mid\text{seen})$, since the hidden pixels come last. With the *upper* half hidden it would not be: pixels would be drawn
# without a look at the known ones below. Under a wrong label some digits become the next one; where the shown half forbids it, the result is no digit.
#
# ### What it recognises, and the whole part in one table
#
# Independent pixels for each class are a model, too: your `pixelcnn_classify` takes it.

# %%
class IndependentPixels(nn.Module):
    """Each class has its own pixel frequencies."""

    def __init__(self, x, y):
        super().__init__()
        frequency = torch.stack([(x[y == k].sum(0) + 0.5) / ((y == k).sum() + 1) for k in range(10)])
        self.logits = nn.Parameter(torch.logit(frequency))

    def forward(self, x, y):
        return self.logits[y]


simple = pixelcnn_classify(IndependentPixels(labelled_x, labelled_y), heldout_x, equal_prior)
plot.table([
    (name, f"{float((answer.argmax(1) == heldout_y).float().mean()):.1%}", sane)
    for name, answer, sane in (("independent pixels per class", simple, "79 %"), ("PixelCNN", posteriors, "91 to 96 %"))
], header=("Bayes' rule with", "accuracy", "expected"))

frequency_logits = torch.logit((labelled_x.sum(0) + 1) / (len(labelled_x) + 2))
nll_independent = -bernoulli_log_prob(frequency_logits.expand_as(heldout_x), heldout_x)
bits = 256 * math.log(2)
bit_rows = []
for name, nll in (
    ("independent pixels", nll_independent), ("FVSBN", flat_nll), ("PixelCNN, not told", nll_untold),
    ("PixelCNN, label summed out", nll_summed), ("(told the label: another task)", nll_told),
):
    mean, error = paired_difference(nll.detach(), nll_untold)
    bit_rows.append((name, float(nll.mean()) / bits, float(mean) / bits, float(error) / bits))
plot.table(bit_rows, header=("held-out images", "bits per pixel", "minus PixelCNN, not told", "± paired error"))
print("expected bits per pixel: 0.345, 0.223, 0.20 to 0.21, 0.19 to 0.20, and 0.179 to 0.188")

# %% [markdown]
# The last line stands apart: $p(x\mid y)$ may not be ranked with $p(x)$.
#
# **What to remember**
# - A label is a bias in every block. Without labels there is none.
# - Bayes' rule makes a classifier of any model that can be told the class.
# - A label is worth at most $\log 1/p(y)$ *within one model*. Two trainings are two models.
#
# Question 12 lets you choose the next experiment yourself.

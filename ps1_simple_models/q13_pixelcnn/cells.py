# %% [markdown]
# ## Question 13 · A PixelCNN that draws and completes digits
# *9 points · about 75 minutes*
#
# Now the blocks of Question 12 become a model of images that does four useful things: it gives exact likelihoods (so models can be
# compared), draws new images, finishes half-hidden ones, and, once it knows about labels, classifies. The same recipe with more layers
# and other tokens is behind language models and image transformers; everything here carries over to them.
#
# **Likelihood.** The images are binary, $x_t \in \{0,1\}$, and the network gives one logit $a_t$ per pixel, computed from earlier pixels
# only. With the logistic function $\sigma$,
#
# $$\log p(x) = \sum_{t=0}^{D-1} \Big[ x_t \log \sigma(a_t) + (1 - x_t) \log \sigma(-a_t) \Big] \quad\text{nats per image.} \tag{13.1}$$
#
# All $a_t$ come out of one pass. In float32 $\sigma(a)$ rounds to 1 already for $a > 17$, and $\log(1-\sigma(a))$ becomes $-\infty$, so compute (13.1) from
# the logits.
#
# **Labels.** A class label $y$ enters as a bias: with its one-hot vector $e_y \in \{0,1\}^K$ and a matrix $U_n$ for each block $n$,
#
# $$\beta_n = U_n e_y, \tag{13.2}$$
#
# the same at every pixel, added inside the gates of block $n$ (the $\beta$ of Question 12). With $U_n = 0$ the unconditional model is back.
#
# **Drawing.** Pixel $t$ needs the pixels before it, so drawing takes $D$ passes, one per pixel, in raster order. To make the result
# reproducible, the randomness comes from outside, as one uniform number $u_t$ per pixel:
#
# $$x_t = 1 \ \text{ if } \ u_t < \sigma(a_t(x_{<t}, y)), \ \text{ else } 0. \tag{13.3}$$
#
# **Completing.** Keep the observed pixels, draw the others by (13.3), still in raster order. If all hidden pixels come *after* the observed ones
# (the lower half is hidden), this is an exact draw from $p(x_\text{hidden} \mid x_\text{observed})$. With the upper half hidden it is not: a pixel is drawn
# without a look at the observed pixels that come later.
#
# **Classifying.** Bayes' rule turns the generative model into a classifier,
#
# $$\log p(y \mid x) = \log p(x \mid y) + \log p(y) - \log \sum_{y'} p(x \mid y')\, p(y'). \tag{13.4}$$
#
# It also says what a label can be worth: solved for $p(x\mid y)/p(x)$, Bayes' rule is
#
# $$\log p(x \mid y) - \log p(x) = \log \frac{p(y \mid x)}{p(y)} \le \log \frac{1}{p(y)}, \tag{13.5}$$
#
# which for ten equally frequent digits is $\ln 10 = 2.30$ nats per image, and not more.
#
# First the data, and what a model without any dependence between pixels makes of it:

# %%
def binary_images(split):
    """Images of 0 and 1 and labels: 8×8 digits, or 28×28 MNIST in the gpu profile (rendered glyphs if it is out of reach)."""
    if dgm.profile() != "gpu":
        return data.digits(split, binary="threshold")
    try:
        grey, labels = data.mnist(split)
    except data.DataUnavailable:
        grey, labels = data.glyphs(20000 if split == "train" else 2000, split=split)
    return data.binarize(grey, "threshold"), labels


train_x, train_y = binary_images("train")
test_x, test_y = binary_images("test")
pixels = train_x[0].numel()
print(f"{len(train_x)} training and {len(test_x)} test images of {pixels} pixels")

frequency = (train_x.sum(0) + 0.5) / (len(train_x) + 1)                       # each pixel on its own
by_class = torch.stack([(train_x[train_y == k].sum(0) + 0.5) / ((train_y == k).sum() + 1) for k in range(10)])
independent = -(test_x * frequency.log() + (1 - test_x) * (1 - frequency).log()).flatten(1).sum(1).mean()
naive_bayes = -(test_x * by_class[test_y].log() + (1 - test_x) * (1 - by_class[test_y]).log()).flatten(1).sum(1).mean()
print(f"independent pixels: {independent:.2f} nats per image;   independent pixels given the class: {naive_bayes:.2f}")



def ink(x):
    """Dark ink on light grey, so that the border of an image can be seen; 0.5 (hidden) becomes grey."""
    return 0.92 - 0.84 * x.cpu()


one_each = torch.stack([train_x[train_y == k][0] for k in range(10)])
noise = torch.rand(10, *train_x.shape[1:], generator=dgm.generator(0))
plot.images(
    ink(torch.cat([one_each, (noise < frequency).float(), (noise < by_class).float()])), ncols=10,
    suptitle="data  /  samples of independent pixels  /  the same, given the class",
)
plt.show()

# %% [markdown]
# The second row is what a model looks like that has every pixel's frequency exactly right, and no dependence.
#
# ### Your task
#
# 1. `PixelCNN.forward`: the image is both $v$ and $h$ of the first block; pass them through all blocks, each with its own $\beta_n$ from (13.2), and
#    apply `self.head` to the last $h$. The result is **logits**. Without labels (`y=None`) there is no $\beta$ at all.
# 2. `pixelcnn_log_prob`: equation (13.1), one number per image, finite for logits of $\pm 500$.
# 3. `train_pixelcnn`: `steps` steps of `torch.optim.Adam(model.parameters(), lr=lr)` on minibatches from
#    `data.batches((images, labels), batch_size, generator, steps=steps)` (without labels `data.batches((images,), …)`, which yields tuples of one), which reshuffles after
#    every pass through the data.
# 4. `pixelcnn_sample` and `pixelcnn_complete`: equation (13.3), pixel by pixel. *Every* pixel, also those of the first row and column.
# 5. `pixelcnn_classify`: equation (13.4).
#
# Items 2 to 5 treat the model as a black box: any module that maps images `(B, 1, H, W)` and labels `(B,)` or `None` to logits `(B, 1, H, W)`.
# Drawing, completing and classifying run **in evaluation mode and without gradients**, and leave the model in the mode it was in
# (a model with dropout would otherwise draw with half of its units switched off).

# %% role="answer"
class PixelCNN(nn.Module):
    """A gated PixelCNN for binary images, with optional class labels.

    Args:
        channels: channels C of the features.
        layers: number of blocks of kind B after the first block, which is of kind A.
        classes: number K of classes.
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
        """Logits of all pixels in one pass.

        Args:
            x: images of zeros and ones.
            y: labels 0, ..., K-1 (int64), one per image; None for the unconditional model. A batch need not contain all classes.

        Returns:
            logits; the one at (i, j) depends on earlier pixels and on the label only.
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


def pixelcnn_log_prob(
    model, x: Float[Tensor, "batch 1 height width"], y: Int[Tensor, "batch"] | None = None
) -> Float[Tensor, "batch"]:
    """log p(x | y) of each image in nats, equation (13.1); log p(x) if y is None. Differentiable.

    The model is used in the mode (training or evaluation) that it is in, and keeps it.

    Args:
        model: ``model(x, y)`` gives logits (B, 1, H, W).
        x: images of zeros and ones.
        y: labels, or None.

    Returns:
        (B,), one number per image: the sum over its pixels.
    """
    ### BEGIN SOLUTION
    loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")
    return -loss.flatten(1).sum(1)
    ### END SOLUTION

# %% role="answer"
def train_pixelcnn(
    model,
    images: Float[Tensor, "n 1 height width"],
    labels: Int[Tensor, "n"] | None,
    steps: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> list[float]:
    """Maximum likelihood with Adam. Trains ``model`` in place, in training mode, and may leave it in that mode.

    Args:
        model: see above; its parameters are changed.
        images, labels: training data; with ``labels=None`` the model is trained without labels.
        steps: number of optimiser steps.
        batch_size: images per step; a pass shows every image once, so its last batch may be smaller.
        lr: learning rate of Adam, other settings as in torch.
        generator: decides the order of the data, anew for every pass; nothing else is random here.

    Returns:
        ``steps`` floats: the minibatch's mean of -log p in nats per image, each taken before its step.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    tensors = (images,) if labels is None else (images, labels)
    history = []
    for batch in data.batches(tensors, batch_size, generator, steps=steps):
        loss = -pixelcnn_log_prob(model, *batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return history
    ### END SOLUTION

# %% role="answer"
def pixelcnn_complete(
    model,
    images: Float[Tensor, "batch 1 height width"],
    observed: Bool[Tensor, "batch 1 height width"],
    uniforms: Float[Tensor, "batch 1 height width"],
    labels: Int[Tensor, "batch"] | None = None,
) -> Float[Tensor, "batch 1 height width"]:
    """Draw the hidden pixels in raster order, equation (13.3); observed pixels stay and are seen by the pixels after them.

    Args:
        model: see above. Left in the mode (training or evaluation) that it was in.
        images: zeros and ones; not changed. The values of hidden pixels must not matter: start from zeros there.
        observed: (B, 1, H, W) bool, True where the pixel is given.
        uniforms: numbers in [0, 1), one per pixel (those of observed pixels are not used).
        labels: classes to draw, or None.

    Returns:
        a new tensor of zeros and ones.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    x = images * observed
    with torch.no_grad():
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                p = torch.sigmoid(model(x, labels)[:, :, i, j])
                drawn = (uniforms[:, :, i, j] < p).to(x.dtype)
                x[:, :, i, j] = torch.where(observed[:, :, i, j], x[:, :, i, j], drawn)
    model.train(was_training)
    return x
    ### END SOLUTION


def pixelcnn_sample(
    model, uniforms: Float[Tensor, "batch 1 height width"], labels: Int[Tensor, "batch"] | None = None
) -> Float[Tensor, "batch 1 height width"]:
    """Draw images in raster order from nothing, equation (13.3).

    Args:
        model: see above. Left in the mode that it was in.
        uniforms: numbers in [0, 1), one per pixel.
        labels: classes to draw, or None.

    Returns:
        images of zeros and ones, as floats, in the shape of ``uniforms``.
    """
    ### BEGIN SOLUTION
    nothing = torch.zeros_like(uniforms)
    return pixelcnn_complete(model, nothing, nothing.bool(), uniforms, labels)
    ### END SOLUTION

# %% role="answer"
def pixelcnn_classify(
    model, images: Float[Tensor, "batch 1 height width"], log_prior: Float[Tensor, "classes"]
) -> Float[Tensor, "batch classes"]:
    """Bayes' rule, equation (13.4), in evaluation mode and without gradients.

    Args:
        model: a class-conditional model with K classes. Left in the mode that it was in.
        images: zeros and ones.
        log_prior: (K,), log p(y).

    Returns:
        (B, K), log p(y | x): finite even where log p(x | y) is -1000, and every row's exponentials sum to 1.
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
    return torch.log_softmax(torch.stack(columns, dim=1), dim=1)
    ### END SOLUTION

# %% role="check"
grader.check("q13")

# %% [markdown]
# ### Training, twice
#
# The same network, once with labels and once without.
#
# **Before you run this:** which model has the lower loss, and by how much can the label help, at most, in the best of worlds? Look at (13.5).
# The third line of the table makes an unconditional model out of the conditional one, $p(x) = \sum_y p(x \mid y)\, p(y)$. Where will it lie?
#
# (About 40 seconds on one CPU core. In the `gpu` profile the network is larger and trains six times as long: about two minutes on a T4,
# by estimate.)

# %%
import time

device = dgm.device()
steps = dgm.budget(smoke=3, cpu=500, gpu=3000)
channels, layers, kernel = dgm.budget(smoke=(4, 1, 3), cpu=(24, 4, 5), gpu=(32, 6, 5))
rate = dgm.budget(smoke=5e-3, cpu=3e-3, gpu=2e-3)


def trained_pixelcnn(labels):
    """A trained network and its history; the same start and the same batches with and without labels.

    The last sixth of the steps has a tenth of the learning rate: the noise of the minibatches then averages out.
    """
    dgm.seed_everything(0)
    network = PixelCNN(channels, layers, 10, kernel).to(device)
    start = time.perf_counter()
    history = train_pixelcnn(network, train_x.to(device), labels, steps, 64, rate, dgm.generator(0))
    history += train_pixelcnn(network, train_x.to(device), labels, max(1, steps // 5), 64, rate / 10, dgm.generator(1))
    print(f"{len(history)} steps in {time.perf_counter() - start:.0f} s, last loss {history[-1]:.2f} nats per image")
    return network, history


def batched(function, *tensors, size=256):
    """Apply a function of minibatches, without gradients, and put the results together on the CPU."""
    with torch.no_grad():
        parts = [function(*(t.to(device) for t in part)).cpu() for part in data.batches(tensors, size, None)]
    return torch.cat(parts)


conditional, history_with = trained_pixelcnn(train_y.to(device))
unconditional, history_without = trained_pixelcnn(None)
plot.curves(
    {"with labels": history_with, "without": history_without}, ylabel="nats per image", smooth=0.95,
    reference={"independent pixels": float(independent)}, title="training loss",
)
plt.show()

# %%
log_prior = torch.full((10,), -math.log(10))


def joint(x):
    """log p(x, y) for all ten y, (batch, 10)."""
    columns = [pixelcnn_log_prob(conditional, x, torch.full((len(x),), k, device=x.device)) for k in range(10)]
    return torch.stack(columns, 1) + log_prior.to(x.device)


conditional.eval()
unconditional.eval()
test_joint = batched(joint, test_x)
scores = {
    "log p(x | y)": batched(lambda x, y: pixelcnn_log_prob(conditional, x, y), test_x, test_y),
    "log p(x), trained without labels": batched(lambda x: pixelcnn_log_prob(unconditional, x), test_x),
    "log p(x), mixture of the ten classes": test_joint.logsumexp(1),
}
plot.table(
    [[name, float(-s.mean()), float(-s.mean() / pixels / math.log(2))] for name, s in scores.items()],
    header=["test images", "nats per image", "bits per pixel"],
)
print("expected on 8×8 digits (cpu profile): about 13.5, 16.8 and 15.7 nats; below 12 something leaks")

# %% [markdown]
# The mixture must lie at most $\ln 10 = 2.30$ nats above the conditional model, by (13.5). After equally many
# steps it even beats the network that was *trained* without labels: the label tells the network what to look for, and can be summed out afterwards.
#
# **Drawing.** One column per class, all from the conditional model.

# %%
labels = torch.arange(10).repeat(6)
uniforms = torch.rand(60, *train_x.shape[1:], generator=dgm.generator(1))
drawn = pixelcnn_sample(conditional, uniforms.to(device), labels.to(device))
plot.images(ink(drawn), ncols=10, suptitle="samples of the classes 0 to 9")
plt.show()

# %% [markdown]
# **Completing.** The lower half of five test images (0, 3, 5, 7, 9) is hidden. Next to it the completions: four without a label, the last one
# with the label of *another* class, one higher (0 after 9). **Before you run this:** what will the model do with the upper half of a 7 and the label 8?

# %%
chosen = torch.stack([(test_y == k).nonzero()[0, 0] for k in (0, 3, 5, 7, 9)])
originals, classes = test_x[chosen].to(device), test_y[chosen].to(device)
observed = torch.zeros_like(originals, dtype=torch.bool)
observed[:, :, : originals.shape[2] // 2] = True
columns = [originals, torch.where(observed, originals, 0.5)]
for n in range(5):
    uniforms = torch.rand(originals.shape, generator=dgm.generator(10 + n)).to(device)
    if n < 4:
        columns.append(pixelcnn_complete(unconditional, originals, observed, uniforms))
    else:
        columns.append(pixelcnn_complete(conditional, originals, observed, uniforms, (classes + 1) % 10))
kept = all(bool((c == originals)[observed].all()) for c in columns[2:])
print("observed pixels unchanged:", kept)
plot.images(
    ink(torch.stack(columns, 1).flatten(0, 1)), ncols=7,
    suptitle="columns: image, what is seen, completions 1 to 4, completion with the next label",
)
plt.show()

# %% [markdown]
# **Classifying.** Nobody trained a classifier, and here is one:

# %%
posterior = batched(lambda x: pixelcnn_classify(conditional, x, log_prior.to(device)), test_x)
accuracy = float((posterior.argmax(1) == test_y).float().mean())
naive = (test_x[:, None] * by_class.log() + (1 - test_x[:, None]) * (1 - by_class).log()).flatten(2).sum(2).argmax(1)
print(f"accuracy of the Bayes classifier: {accuracy:.1%}   (independent pixels given the class: {float((naive == test_y).float().mean()):.1%})")
print("expected on 8×8 digits (cpu profile): about 95 to 96 %")
confusion = torch.zeros(10, 10)
for true, guess in zip(test_y, posterior.argmax(1)):
    confusion[true, guess] += 1
figure, axes = plot.subplots(1, 2, width=10, height=4)
plot.heatmap(confusion, xlabel="guess", ylabel="true class", annotate=True, colorbar=False, ax=axes[0], title="test images",
             xticks=range(10), yticks=range(10))
middle = train_x.shape[-1] // 2
seen = receptive_field(unconditional, test_x[0].to(device), middle, middle)
plot.receptive_field(seen, center=(middle, middle), ax=axes[1], title="what the trained network looks at")
plt.show()

# %% [markdown]
# **What to remember.** Likelihood: one pass; drawing: one pass per pixel. Completion is exact only if what is hidden comes last. A label enters as
# a bias in every layer and is worth at most $\log 1/p(y)$ nats. If your likelihood is better than anybody else's, check the gradient map
# (right) before you celebrate.

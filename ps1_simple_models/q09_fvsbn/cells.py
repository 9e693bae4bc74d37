# %% [markdown]
# The upper row shows black-and-white images of $16\times16$ pixels. In the lower row each pixel is white as often as in the data, but drawn by
# itself. What is missing?

# %%
def binary_glyphs(n: int, split: str) -> Float[Tensor, "n 256"]:
    """Rendered digits of 16×16 pixels, 0 or 1, flattened row by row."""
    return data.binarize(data.glyphs(n, size=16, split=split)[0], "threshold").flatten(1)


def show_rows(rows: dict[str, Float[Tensor, "20 256"]]) -> None:
    """Rows of 20 images of 16×16 pixels, white on black, each row with its title."""
    figure, axes = plot.subplots(len(rows), 1, width=10, height=0.85 * len(rows), squeeze=False)
    for ax, (title, pictures) in zip(axes.flat, rows.items()):
        plot.images(pictures.reshape(-1, 16, 16), ncols=20, suptitle=title, ax=ax)
    plt.show()


glyph_train, glyph_test = binary_glyphs(dgm.budget(smoke=512, cpu=5000, gpu=5000), "train"), binary_glyphs(2000, "test")
frequency = (glyph_train.sum(0) + 1) / (len(glyph_train) + 2)
twenty = torch.rand(20, 256, generator=dgm.generator(0))  # uniform numbers for twenty images
independent_samples = (twenty < frequency).float()
show_rows({"data": glyph_test[:20], "right frequency for every pixel, and not one digit": independent_samples})

# %% [markdown]
# A pixel does not know its neighbours. A table would know everything, but needs a probability for each of the $2^{256}$ images.
#
# Between the two lies the **autoregressive** model, which predicts each pixel from those before it, as GPT does with words. Its likelihood is exact. Here is its simplest member.
#
# ### The chain rule is a walk through a tree
#
# The probability of an image is the product of those of its pixels, each given the pixels before it. With
# $x_{<i}=(x_1,\dots,x_{i-1})$, for any distribution,
#
# $$p(x)=\prod_{i=1}^{D} p(x_i\mid x_{<i}). \tag{9.1}$$
#
# In the tree below, step $i$ takes the branch to 1 with the probability $p_i=P(x_i=1\mid x_{<i})$. This is one number, whatever $x_i$ is. $p(x_i\mid x_{<i})$ is
# the probability of the value that $x_i$ *has*: $p_i$ for a 1, $1-p_i$ for a 0. The orange path has $p(101)=0.6\cdot(1-0.7)\cdot0.3=0.054$.
#
# To draw, walk down: $x_i=1$ if $u_i<p_i$, with $u_i$ uniform in $[0,1)$. The numbers $u=(0.35,\,0.80,\,0.10)$ gave the orange path.
# **Before you run this:** where does the walk end (probabilities: `branch`, below) with $u_1=0.65$ instead?

# %%
guess_walk = None  # type three bits in quotes, such as "110"

# %%
branch = {"": 0.6, "0": 0.2, "1": 0.7, "00": 0.5, "01": 0.9, "10": 0.3, "11": 0.4}   # P(next bit = 1 | bits so far)
path = "101"
height = {"": 0.0} | {
    f"{code:0{depth}b}": (code + 0.5) / 2**depth * 8 - 4 for depth in (1, 2, 3) for code in range(2**depth)
}
figure, ax = plot.subplots(width=7.5, height=3.8)
for parent, p_one in branch.items():
    for bit, chance in (("1", p_one), ("0", 1 - p_one)):
        child = parent + bit
        colour = plot.COLORS[1] if path.startswith(child) else "#888888"
        ax.plot([len(parent), len(child)], [height[parent], height[child]], color=colour, linewidth=1 + 5 * chance, solid_capstyle="round")
        middle = 0.45 * height[parent] + 0.55 * height[child]
        ax.text(len(parent) + 0.55, middle, f"{chance:.1f}", ha="center", va="center", fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
for bits in (name for name in height if len(name) == 3):
    product = math.prod(branch[bits[:i]] if bits[i] == "1" else 1 - branch[bits[:i]] for i in range(3))
    ax.text(3.07, height[bits], f"p({bits}) = {product:.3f}", va="center", fontsize=10, color=plot.COLORS[1] if bits == path else "black")
ax.set(xlim=(-0.1, 3.9), xticks=[0.5, 1.5, 2.5], xticklabels=["$x_1$", "$x_2$", "$x_3$"], yticks=[], title="Each pair of branches sums to one, so the leaves do, too")
ax.grid(False)
ax.spines[:].set_visible(False)
ax.tick_params(length=0)
plt.show()
walk = ""
for u in (0.65, 0.80, 0.10):
    walk += str(int(u < branch[walk]))
plot.table([("0.65, 0.80, 0.10", walk, guess_walk)], header=("u", "the walk ends at", "your guess"))

# %% [markdown]
# ### One logistic regression for each pixel
#
# A general tree has one free number at each node. The **fully visible sigmoid belief network** (FVSBN) makes do with $D(D+1)/2$, 32,896 for our images: the logit of $p_i$ is a bias plus a weighted sum of
# the earlier pixels,
#
# $$p_i=\sigma(a_i),\qquad a_i=b_i+\sum_{j<i}W_{ij}\,x_j. \tag{9.2}$$
#
# For example, $b=(0,-1)$ and $W_{21}=2$ give $P(x_2=1\mid x_1=1)=\sigma(1)=0.73$ and $p(11)=0.5\cdot0.73=0.37$.
#
# In training the image is known, so one matrix product gives all logits. Each pixel is predicted from the *true* earlier pixels, not drawn ones; this is
# **teacher forcing**. In drawing, $p_i$ has to wait for the pixels before it: this is **ancestral sampling**.
#
# **On paper:** how does the likelihood change with one weight? Question 6 found the slope of each factor,
#
# $$\frac{\partial}{\partial a_i}\log p(x_i\mid x_{<i})=x_i-p_i. \tag{9.3}$$
#
# Which factors of (9.1) contain $W_{ij}$, and what is $\partial\log p(x)/\partial W_{ij}$? Autograd answers below the check.
#
# Write three functions. The last draws with every autoregressive model of this set.

# %% role="answer"
def fvsbn_logits(x: Float[Tensor, "N D"], weights: Float[Tensor, "D D"], biases: Float[Tensor, "D"]) -> Float[Tensor, "N D"]:
    """All logits a_i of (9.2), for known x.

    Args:
        x: zeros and ones; its dtype (float32 or float64) is that of the result.
        weights: ``weights[i, j]`` multiplies x_j in the logit of x_i, for j < i. Finite numbers elsewhere must not matter.
    """
    ### BEGIN SOLUTION
    return biases + x @ weights.tril(-1).T
    ### END SOLUTION


def fvsbn_log_prob(x: Float[Tensor, "N D"], weights: Float[Tensor, "D D"], biases: Float[Tensor, "D"]) -> Float[Tensor, "N"]:
    """log p(x) of each example in nats; the arguments are those of `fvsbn_logits`.

    Differentiable in weights and biases; finite, with finite gradients, for logits of size 1000.
    """
    ### BEGIN SOLUTION
    return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x)
    ### END SOLUTION


def ancestral_sample(
    logits_of, x: Float[Tensor, "N *shape"], known: Bool[Tensor, "N *shape"], uniforms: Float[Tensor, "N *shape"]
) -> Float[Tensor, "N *shape"]:
    """Draw what is not known, entry by entry in the order of ``x.flatten(1)``: 1 if u < σ(a), else 0.

    Args:
        logits_of: ``logits_of(x)`` gives logits in the shape of x; each depends on earlier entries only. Call it with
            all N examples, under ``torch.no_grad()``.
        x: zeros and ones where known; finite numbers elsewhere, which must not matter: put zeros there first.
        known: these entries stay, and later ones see them. All False draws from nothing.
        uniforms: numbers u in [0, 1), one for each entry.

    Returns:
        A new tensor in the shape and dtype of x. No argument is changed.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        drawn = torch.where(known, x, 0.0).flatten(1)
        for t in range(drawn.shape[1]):
            logits = logits_of(drawn.reshape(x.shape)).flatten(1)[:, t]
            bits = uniforms.flatten(1)[:, t] < torch.sigmoid(logits)
            drawn[:, t] = torch.where(known.flatten(1)[:, t], drawn[:, t], bits.to(x.dtype))
        return drawn.reshape(x.shape)
    ### END SOLUTION

# %% role="check"
grader.check("q9")

# %%
my_slope = None  # your derivative of log p(x) by W_ij, such as: lambda x_i, x_j, p_i: x_i * x_j * p_i

# %%
some = glyph_train[:500]
leaves = tuple((0.1 * torch.randn(shape, generator=dgm.generator(1))).requires_grad_() for shape in ((256, 256), (256,)))
by_autograd = torch.autograd.grad(fvsbn_log_prob(some, *leaves).mean(), leaves)
p_some = torch.sigmoid(fvsbn_logits(some, *leaves)).detach()
plot.table([
    (f"weight from pixel {j} to {i}", float(by_autograd[0][i, j]), float(my_slope(some[:, i], some[:, j], p_some[:, i]).mean()) if my_slope else None)
    for i, j in ((120, 119), (120, 104), (200, 184))
], header=("gradient of mean log p", "autograd", "yours"))

# %% [markdown]
# The weight occurs in $a_i$ alone, so the slope is the error of the prediction, where pixel $j$ is white:
#
# $$\frac{\partial\log p(x)}{\partial W_{ij}}=(x_i-p_i)\,x_j\quad(j<i). \tag{9.4}$$
#
# ### Your model draws

# %% role="given"
def fvsbn_loss(params, batch: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Mean NLL of a minibatch; params are (weights, biases)."""
    return -fvsbn_log_prob(batch, *params).mean()


def fit_fvsbn(x: Float[Tensor, "N D"], steps: int, loss=fvsbn_loss, seed: int = 0) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D"]]:
    """(weights, biases) after minibatch SGD from zero."""
    start = (x.new_zeros(x.shape[1], x.shape[1]), x.new_zeros(x.shape[1]))
    return train(loss, start, x, steps, 100, 0.03, 0.9, dgm.generator(seed))[0]

# %%
images = 5000  # a knob: with 300 images, which NLL in the table falls, which rises, and do the samples show it?
fvsbn = fit_fvsbn(glyph_train[:images], dgm.budget(smoke=100, cpu=2000, gpu=2000))

nothing = torch.zeros(20, 256, dtype=torch.bool)
upper_half = torch.arange(256).expand(20, 256) < 128
fvsbn_samples = ancestral_sample(lambda x: fvsbn_logits(x, *fvsbn), torch.zeros(20, 256), nothing, twenty)
completed = ancestral_sample(lambda x: fvsbn_logits(x, *fvsbn), glyph_test[:20], upper_half, twenty)
show_rows({
    "independent pixels": independent_samples,
    "FVSBN, drawn from nothing: strokes, and some digits": fvsbn_samples,
    "test images …": glyph_test[:20],
    "… and their lower halves drawn by the FVSBN": completed,
})

# %%
figure, axes = plot.subplots(1, 3, width=10, height=3.1)
for ax, pixel in zip(axes, (72, 120, 168)):
    picture = torch.full((256,), math.nan)
    picture[:pixel] = fvsbn[0][pixel, :pixel]
    plot.heatmap(picture.reshape(16, 16), center=0, vmin=-3, vmax=3, xticks=[], yticks=[], colorbar=ax is axes[2], title=f"weights of pixel {pixel}", ax=ax)
    ax.add_patch(plt.Rectangle((pixel % 16 - 0.5, pixel // 16 - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=2))
figure.suptitle("Its left and upper neighbours decide about the framed pixel; grey is not used", fontsize=12)
plt.show()

digit_train, digit_test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
digit_fvsbn = fit_fvsbn(digit_train, dgm.budget(smoke=50, cpu=1000, gpu=1000))


def independent(x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D"]]:
    """Weights zero, and biases from the pixels' smoothed frequencies."""
    return torch.zeros(x.shape[1], x.shape[1]), torch.logit((x.sum(0) + 1) / (len(x) + 2))


nll_rows = []
for name, train_set, test_set, fitted, expected in (
    ("16×16, independent pixels", glyph_train, glyph_test, independent(glyph_train), "61.28 and 61.10"),
    ("16×16, FVSBN", glyph_train[:images], glyph_test, fvsbn, "37.97 and 39.77"),
    ("8×8 digits, independent pixels", digit_train, digit_test, independent(digit_train), "25.11 and 25.15"),
    ("8×8 digits, FVSBN", digit_train, digit_test, digit_fvsbn, "17.56 and 18.36"),
):
    nll_rows.append((name, *(float(fvsbn_loss(fitted, x)) for x in (train_set, test_set)), expected))
plot.table(nll_rows, header=("NLL, nats per image", "train", "test", "expected"))

# %% [markdown]
# Other minibatch orders move the test values by less than 0.05: the loss, a sum of logistic regressions, is convex. Six other draws of the 16×16 images give 39.2
# to 39.7. The gap between train and test is the price of 32,896 weights for 5,000 images; the knob `images` widens it.
#
# ### A model that cheats
#
# Suppose you had written `tril(0)`: each pixel also sees itself. Nothing else changes, and the test images are new.
# **Before you run this:** how many nats per image will it report?

# %%
guess_cheat = None  # type a number

# %%
diagonal = 0  # the knob: -1 is your model, 0 lets a pixel see itself, 255 lets it see all pixels; look at both columns and at the samples


def cheating_logits(x: Float[Tensor, "N D"], weights: Float[Tensor, "D D"], biases: Float[Tensor, "D"]) -> Float[Tensor, "N D"]:
    return biases + x @ weights.tril(diagonal).T


def cheating_loss(params, batch: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    return -bernoulli_log_prob(cheating_logits(batch, *params), batch).mean()


cheat = fit_fvsbn(glyph_train, dgm.budget(smoke=100, cpu=2000, gpu=2000), cheating_loss)
strip = slice(131, 141)  # ten pixels of one row: few enough to add up the "probabilities" of all images
small = fit_fvsbn(glyph_train[:, strip], dgm.budget(smoke=100, cpu=1000, gpu=1000), cheating_loss)
all_strips = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 10)
total = float(bernoulli_log_prob(cheating_logits(all_strips, *small), all_strips).exp().sum())
plot.table([
    ("your FVSBN", float(fvsbn_loss(fvsbn, glyph_test)), 1.0, None),
    (f"trained with tril({diagonal})", float(cheating_loss(cheat, glyph_test)), total, guess_cheat),
], header=("", "reported NLL on test", "sum of p over all strips of 10 pixels", "your guess"))
show_rows({
    "your FVSBN": fvsbn_samples,
    f"drawn with tril({diagonal})": ancestral_sample(lambda x: cheating_logits(x, *cheat), torch.zeros(20, 256), nothing, twenty),
})

# %% [markdown]
# It reports 1.7 nats instead of 39.8, on images that it has never seen (1.6 to 1.8 for other draws). But its "probabilities" of all strips sum to hundreds. Its samples are black with stray dots: not a stroke.
#
# ### Why? (3 points)
#
# In at most eight lines: why must $W$ be *strictly* lower triangular? Say what the reported number is not, why a test set cannot expose it, and
# why the samples look as they do.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# A factor of (9.1) is a probability of x_i *given the others before it*: for fixed x_<i its two values, for x_i = 0 and x_i = 1, sum to one. Only then do the leaves of
# the tree sum to one. If the logit contains x_i, the two values are taken from two different logits: σ(-b) for a 0 and σ(b + W_ii) for a 1. With b very negative and
# W_ii large both are nearly 1, so the product is nearly 1 for *every* image: the sum over all images is far above 1. The reported number is no log-likelihood
# of any distribution, so it may not be compared with one.
#
# Training rewards copying, and the copy is available on test images just as on training images, because teacher forcing feeds the very pixel that is to be
# predicted. So there is no gap between train and test. What exposes it: the sum over all images of a small model, a gradient of logit i in x_j for j ≥ i, or samples.
#
# When drawing, x_i is not there yet, and the sampler shows a 0 in its place. The model copies it, so nearly every pixel becomes black.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - The chain rule turns a density into $D$ predictions. The likelihood takes one pass; drawing takes $D$.
# - A unit never sees itself. A likelihood that is too good is a leak until the probabilities sum to one.
# - The gradient of each logit is the error of the prediction, $x_i-p_i$.
#
# Question 10 builds convolutions that keep this promise; Question 11 draws with your `ancestral_sample`.

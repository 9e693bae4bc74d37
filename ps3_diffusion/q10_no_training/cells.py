# %% [markdown]
# One picture, in more and more noise. From where on could you say which digit it is? And which of 600 pictures, each in its own font, slant and size?

# %%
crowd_images, crowd_labels = data.glyphs(dgm.budget(smoke=100, cpu=600, gpu=600), size=16)
crowd_images = 2 * crowd_images - 1   # from -1 (black) to 1 (white)
crowd_alpha_bar = cosine_alpha_bar(1000)
hidden_times = (1, 200, 400, 500, 600, 700, 800, 900)
hidden_noise = torch.randn(1, 16, 16, generator=dgm.generator(3))
hidden_rows = [crowd_alpha_bar[t].sqrt() * crowd_images[4] + (1 - crowd_alpha_bar[t]).sqrt() * hidden_noise for t in hidden_times]
figure, axes = plot.subplots(1, 8, width=10, height=1.7)
for ax, t, row in zip(axes, hidden_times, hidden_rows):
    plot.images(row / 2 + 0.5, ax=ax)
    ax.set_title(f"t = {t}", fontsize=10)
figure.suptitle("One of 600 pictures, and less and less of it", fontsize=12)
plt.show()

# %% [markdown]
# The best denoiser for a *finite* set of pictures can be written down. So why train at all?
#
# ### The best denoiser knows its pictures by heart
#
# Let the data be $M$ equally likely pictures $y_m$. The least squared error has the posterior mean (Question 2): each picture counts by how likely it is hidden under the noise of $x_t$,
#
# $$\hat x_0=\sum_m w_m\,y_m,\qquad w_m\propto\exp\Bigl(-\frac{\lVert x_t-\sqrt{\bar\alpha_t}\,y_m\rVert^2}{2(1-\bar\alpha_t)}\Bigr),\qquad\sum_mw_m=1. \tag{10.1}$$
#
# Take two pictures of one pixel, $+1$ and $-1$, with $\bar\alpha_t=\frac12$ and $x_t=0.5$. The exponents differ by $2\sqrt{\bar\alpha_t}\,x_t/(1-\bar\alpha_t)=1.41$, so the weights are $0.80$ and $0.20$, and $\hat x_0=0.61$.
#
# **On paper:** let $x_t$ be picture $a$ in noise, and $b$ a rival at distance $d=\lVert a-b\rVert$. Show that $\log(w_a/w_b)$ is on average $\frac{\bar\alpha_t}{1-\bar\alpha_t}\cdot\frac{d^2}2$. At which $\bar\alpha_t$ is it $\log r$? For $d^2=100$ and $r=600$ you should find $0.113$.
#
# ### Small windows
#
# A convolutional network sees a window around each pixel. Give the best denoiser one: for pixel $(i,j)$, look at the square of `size` × `size` pixels around it, in $x_t$ and in all $M$ pictures, cut
# off at the border. Compute the weights (10.1) from these windows alone, anew for each pixel, and average the pixel $(i,j)$ of the pictures with them.
#
# Kamb and Ganguli (2025) found that such a rule predicts what small convolutional diffusion models draw.

# %% role="answer"
def optimal_denoiser(
    x_t: Float[Tensor, "N ..."], alpha_bar_t: Float[Tensor, ""], images: Float[Tensor, "M ..."]
) -> tuple[Float[Tensor, "N ..."], Float[Tensor, "N M"]]:
    """(denoised pictures, weights) of (10.1).

    Args:
        x_t, images: pictures with one or more axes, of the same shape. N and M may be 600: use a matrix product, no N × M × D array.
        alpha_bar_t: a single number, from 0 to 0.999. Weights may underflow to 0, but not all of them.
    """
    ### BEGIN SOLUTION
    x, y = x_t.flatten(1), images.flatten(1)
    exponents = (alpha_bar_t**0.5 * x @ y.T - alpha_bar_t / 2 * y.square().sum(1)) / (1 - alpha_bar_t)
    weights = exponents.softmax(1)
    return (weights @ y).reshape(x_t.shape), weights
    ### END SOLUTION


def decision_level(square_distance: Float[Tensor, "*batch"], odds: float) -> Float[Tensor, "*batch"]:
    """Your derivation: the alpha_bar at which log(w_a / w_b) is on average log(odds), for odds above 1."""
    ### BEGIN SOLUTION
    needed = 2 * math.log(odds)
    return needed / (square_distance + needed)
    ### END SOLUTION


def local_denoiser(
    x_t: Float[Tensor, "N C H W"], alpha_bar_t: Float[Tensor, ""], images: Float[Tensor, "M C H W"], size: int
) -> Float[Tensor, "N C H W"]:
    """Denoised pictures by windows of size × size pixels (size is odd), cut off at the border; all channels are in a window."""
    ### BEGIN SOLUTION
    reach, denoised = size // 2, torch.empty_like(x_t)
    for i in range(x_t.shape[2]):
        for j in range(x_t.shape[3]):
            rows, columns = slice(max(0, i - reach), i + reach + 1), slice(max(0, j - reach), j + reach + 1)
            _, weights = optimal_denoiser(x_t[:, :, rows, columns], alpha_bar_t, images[:, :, rows, columns])
            denoised[:, :, i, j] = weights @ images[:, :, i, j]
    return denoised
    ### END SOLUTION


def nearest(samples: Float[Tensor, "N ..."], images: Float[Tensor, "M ..."], ratio: float = 1 / 3) -> tuple[Float[Tensor, "N"], Bool[Tensor, "N"]]:
    """(distance to the nearest image, is it a copy?) of each sample.

    Distances are Euclidean, over all pixels. A copy is nearer to one image than `ratio` times the distance to the second nearest.
    """
    ### BEGIN SOLUTION
    distances = torch.cdist(samples.flatten(1), images.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
    first, second = distances.topk(2, largest=False).values.unbind(1)
    return first, first < ratio * second
    ### END SOLUTION

# %% role="check"
grader.check("q10")

# %% [markdown]
# Given: denoisers as noise predictors, so that Question 6's sampler can drive them.

# %% role="given"
class WindowDenoiser:
    # a noise predictor: sizes[0] is the window of the noisiest part of the way, sizes[-1] of the last; 31 pixels see a whole picture of 16

    def __init__(self, images: Float[Tensor, "M C H W"], sizes: tuple[int, ...], alpha_bar: Float[Tensor, "T+1"]):
        self.images, self.sizes, self.alpha_bar = images, sizes, alpha_bar

    def __call__(self, x_t: Float[Tensor, "N C H W"], t: Int[Tensor, "N"]) -> Float[Tensor, "N C H W"]:
        part = len(self.sizes) * (len(self.alpha_bar) - 1 - int(t[0])) // (len(self.alpha_bar) - 1)
        size, level = self.sizes[part], self.alpha_bar[t[0]]
        whole = size >= 2 * max(x_t.shape[2:]) - 1
        x0 = optimal_denoiser(x_t, level, self.images)[0] if whole else local_denoiser(x_t, level, self.images, size)
        return convert(x0, "x0", x_t, level)["eps"]


def draw_untrained(images, sizes, n: int, steps: int, alpha_bar, seed: int = 0) -> Tensor:
    # n pictures by DDIM without new noise
    x_T = torch.randn(n, *images.shape[1:], generator=dgm.generator(seed))
    times = torch.linspace(len(alpha_bar) - 1, 0, steps + 1).round().long()

    def step(x, eps, t, s, alpha_bar, noise):
        return ddim_step(x, eps, t, s, alpha_bar, 0.0, noise)

    return sample(step, WindowDenoiser(images, sizes, alpha_bar), x_T, times, alpha_bar, torch.zeros(steps, *x_T.shape))

# %% [markdown]
# ### Who decides, and when
#
# How many pictures still count at time $t$? With the weights $w$ it is $1/\sum_mw_m^2$. It is measured at training pictures in fresh noise, for windows in the middle. The dots are your `decision_level` for the average rival and
# odds of $M$ to 1.
#
# **Before you run this.** For whole pictures: at which $t$, from 1000 (noise) down to 0, does the number fall below 2?

# %%
guess_decided = None   # type a number

# %%
crowd_times, crowd_rows = list(range(25, 1000, 25)), {}
figure, ax = plot.subplots(width=8, height=3.4)
for size, color in zip((31, 11, 7, 5), plot.COLORS):
    cut = slice(max(0, 8 - size // 2), 8 + size // 2 + 1)
    crowd_windows, counts = crowd_images[:, :, cut, cut], []
    for t in crowd_times:
        level = crowd_alpha_bar[t]
        noisy = level.sqrt() * crowd_windows + (1 - level).sqrt() * torch.randn(crowd_windows.shape, generator=dgm.generator(t))
        counts.append(float((1 / optimal_denoiser(noisy, level, crowd_windows)[1].square().sum(1)).mean()))
    crowd_rows[size] = counts
    label = "whole picture" if size == 31 else f"{size} × {size}"
    ax.plot(crowd_times, counts, color=color, label=label)
    crowd_square = torch.pdist(crowd_windows.flatten(1)).square().mean()
    dot = int((crowd_alpha_bar - decision_level(crowd_square, len(crowd_images))).abs().argmin())
    ax.plot(dot, np.interp(dot, crowd_times, counts), "o", color=color)
ax.set(yscale="log", xlabel="t", ylabel="pictures that count", title="Small windows decide later (dots: the average rival is beaten)")
ax.legend()
plt.show()
crowd_decided = max((t for t, count in zip(crowd_times, crowd_rows[31]) if count < 2), default=None)
plot.table([("fewer than two pictures count from t =", crowd_decided, "600", guess_decided)], header=("whole pictures", "yours", "expected", "your guess"))

# %% [markdown]
# The whole-picture denoiser decides before half of the way. (The dot, near 780, is where the *average* rival is beaten; near ones last longer.) From then on it pulls to a single training picture. A window has fewer
# pixels, so $d^2$ is smaller and it decides later. And different windows may decide for different pictures.
#
# ### Draw
#
# Two samplers. The windows of the second row shrink as the noise falls: 15, 9, 7, 5 pixels. The third row shows the training picture nearest to the second row.
#
# **Before you run this.** A memorised picture has distance 0 to the nearest training picture, a new real one about 5.3. What is the mean distance of the pictures drawn with windows?

# %%
guess_novelty = None   # type a number

# %%
window_sizes = (15, 9, 7, 5)   # a knob: (15, 7, 5, 3), then (3, 3, 3, 3). What do they gain, and what do they lose?
window_steps = 40               # a knob: 10. What does a coarse walk change?

copied_digits = draw_untrained(crowd_images, (31,), 16, window_steps, crowd_alpha_bar)
window_digits = draw_untrained(crowd_images, window_sizes, dgm.budget(smoke=4, cpu=32, gpu=32), dgm.budget(smoke=4, cpu=window_steps, gpu=window_steps), crowd_alpha_bar)   # about 5 seconds
crowd_new = 2 * data.glyphs(dgm.budget(smoke=50, cpu=500, gpu=500), size=16, split="test")[0] - 1
window_closest = crowd_images[torch.cdist(window_digits.flatten(1), crowd_images.flatten(1)).argmin(1)]
figure, axes = plot.subplots(3, 1, width=10, height=2.9)
for ax, rows, title in zip(axes, (copied_digits, window_digits, window_closest), ("Whole pictures: every one is a training picture", "Windows: pictures of their own", "The training pictures nearest to them")):
    plot.images(rows[:16] / 2 + 0.5, ncols=16, ax=ax, suptitle=title)
plt.show()

judge_images, judge_labels = data.glyphs(dgm.budget(smoke=500, cpu=4000, gpu=4000), size=16, seed=1)


def legible(pictures):
    """Share of pictures of whose five nearest other glyphs at least four show the same digit."""
    labels = judge_labels[torch.cdist(pictures.flatten(1), 2 * judge_images.flatten(1) - 1).topk(5, largest=False).indices]
    return float((F.one_hot(labels, 10).sum(1).amax(1) >= 4).float().mean())


window_rows = []
for name, pictures, expected, guess in (("whole pictures", copied_digits, "0.0", None), ("windows", window_digits, "5.0", guess_novelty), ("new real ones", crowd_new, "5.3", None)):
    distance, copied = nearest(pictures, crowd_images)
    window_rows.append((name, float(distance.mean()), expected, guess, float(distance.min()), f"{float(copied.float().mean()):.0%}", f"{legible(pictures):.0%}"))
plot.table(window_rows, header=("", "nearest: mean", "expected", "your guess", "smallest", "copies", "legible"))

# %% [markdown]
# No weight was trained, yet the digits are new: with these 600 pictures, about as far from all of them as real ones are. (Over twelve seeds and training sets: 4.8 to 5.5, against 5.3 to 5.4; at most 1
# of 32 a copy, by a strict rule.) Not all succeed:
# 66 % to 78 % are legible by a rule that accepts 90 % of real ones. Where do they come from? Each colour below stands for one training picture that won the 5 × 5 window around a pixel.

# %%
quilt_which = (0, 1, 3, 5, 8, 12)   # a knob: others of the 32. Do some come from one picture only?

quilt_pictures = window_digits[[n % len(window_digits) for n in quilt_which]]
quilt = torch.zeros(len(quilt_pictures), 16, 16, dtype=torch.int64)
for i in range(16):
    for j in range(16):
        rows, columns = slice(max(0, i - 2), i + 3), slice(max(0, j - 2), j + 3)
        noisy = crowd_alpha_bar[25].sqrt() * quilt_pictures[:, :, rows, columns]
        quilt[:, i, j] = optimal_denoiser(noisy, crowd_alpha_bar[25], crowd_images[:, :, rows, columns])[1].argmax(1)
figure, axes = plot.subplots(2, len(quilt), width=10, height=3.4)
for above, below, picture, sources in zip(*axes, quilt_pictures, quilt):
    plot.images(picture / 2 + 0.5, ax=above)
    ink = picture[0] > -0.7
    _, numbers = torch.where(ink, sources, -1).unique(return_inverse=True)
    below.imshow(np.where(ink, numbers, np.nan), cmap="tab20", interpolation="nearest")
    below.set_title(f"{int(numbers.max())} sources", fontsize=10)
    below.axis("off")
figure.suptitle("Most digits are quilts of training pictures", fontsize=12)
plt.show()

# %% [markdown]
# A network that cannot see the whole picture *cannot* be the best denoiser. Its error is what makes it create.
#
# **What to remember**
# - The best denoiser of a finite set is a softmax over its pictures, and its samples are copies.
# - Whoever looks through windows errs, and so draws something new.
# - To judge a generator, look at the nearest training pictures.
#
# ### The open end (4 points)
#
# **Change one thing, predict, measure, explain.** For example:
#
# - How does the mean nearest distance depend on the number of training pictures?
# - Which sizes keep digits legible and still new?
# - Train on letters (`classes="ABCDE"`), or on patches of a photograph (`data.patches`).
# - Let a window find its match one pixel further left, right, up or down, too.
# - Draw with Question 5's network. Are *its* digits nearer to the window denoiser's, from the same noise, than to others?
#
# 1. Say what you change and what you keep.
# 2. **Predict** a number, with a reason, *before* you run anything.
# 3. **Measure** it, with a spread over seeds or pictures, and show one figure or table. (Sixteen drawings and three seeds are enough.)
# 4. **Explain** in ten lines what happened, and what it does *not* show. A wrong prediction, explained, loses nothing.

# %%
open_prediction = None  # a number
open_reason = ""  # one sentence, with the number's unit and what you keep

# %%
# your experiment
open_measured, open_error = None, None  # your number and its spread

# %%
plot.table([("predicted", open_prediction, None), ("measured", open_measured, open_error)], header=(open_reason or "no reason given", "value", "± spread"))

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (There is no reference answer. This is one of many that would have full points.)
#
# **Question.** How does the mean nearest distance depend on the number M of training pictures? I kept the sizes (15, 9, 7, 5), the noise and the schedule, with 30 steps and 16 pictures a run.
#
# **Prediction.** From M = 40 to M = 600 it falls by 1.8, just as it does for new real pictures (7.1 to 5.3): in a denser crowd somebody is always near.
#
# **Measured.** Three seeds (training set and noise). M = 40: 4.2, 5.4, 3.7. M = 150: 4.8, 5.5, 4.5. M = 600: 5.1, 5.8, 5.5. So it *rises*, by 0.8, 0.4 and 1.8 (mean 1.0 ± 0.4), while real ones fall from 7.1 to 5.3 in each.
#
# **What happened.** The sign was wrong. I thought of the samples as fixed, but they are made of the training set. With 40 pictures few fit together: once some windows have chosen a picture, its neighbours hardly find another one
# that continues its strokes, so large parts come from one picture. With 600 there is always a second that fits, and the quilt has more pieces. Relative to real ones the distance goes from 0.6 to 1.0.
#
# **What it does not show.** Whether the digits stay legible (I did not measure it), and what happens beyond 600, where real pictures come nearer still. The spread between seeds is half of the effect, and the three
# values of M share each seed, so only the differences within a seed count.
# ### END SOLUTION

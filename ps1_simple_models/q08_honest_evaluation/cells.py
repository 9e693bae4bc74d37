# %% [markdown]
# Two Gaussians (Question 2) describe 16×16 digits: A was fitted to 300 images, B to 600. Both are scored on the same 100 new images.

# %%
pair_train = data.glyphs(2048, seed=0, size=16)[0].flatten(1)
pair_test = data.glyphs(3072, seed=1, size=16, split="test")[0].flatten(1)


def gaussian_scores(images):
    """NLL of each test image under these images' Gaussian, floor 0.01."""
    cov = torch.cov(images.T, correction=0) + 0.01 * torch.eye(256)
    return -torch.distributions.MultivariateNormal(images.mean(0), cov).log_prob(pair_test)


hook_a, hook_b = (gaussian_scores(pair_train[:size])[:100] for size in (300, 600))
hook_order = (hook_a + hook_b).argsort()
figure, panels = plot.subplots(1, 3, width=10, height=3.3, width_ratios=[1, 1, 1.35])
for panel, chosen, title in zip(panels, (hook_order[:12], hook_order[-12:]), ("easiest for both", "hardest for both")):
    plot.images(pair_test[chosen].reshape(-1, 16, 16), ncols=4, ax=panel)
    panel.set_title(title)
hook_ends = [float(torch.minimum(hook_a, hook_b).min()) - 3, float(torch.maximum(hook_a, hook_b).max()) + 3]
panels[2].plot(hook_ends, hook_ends, "--", color="black", linewidth=1, label="equally good")
panels[2].plot(hook_a, hook_b, "o", markersize=3, color=plot.COLORS[0], label="a test image")
panels[2].set(xlabel="NLL under A, nats", ylabel="NLL under B, nats", title="hard for A is hard for B")
panels[2].legend(loc="upper left")
plot.table(
    [[name, float(nll.mean()), float(nll.std()) / 10] for name, nll in (("A, 300 images", hook_a), ("B, 600 images", hook_b))],
    header=("model", "mean NLL, nats", "± standard error"),
)

# %% [markdown]
# B's mean is lower, but by little more than one standard error. Is B better? (A density's NLL may be negative.)
#
# Easy and hard images spread the dots along the diagonal. That makes both means uncertain, but both models had the *same* luck. The
# distance from the diagonal tells them apart, and varies much less.
#
# **Paired comparison.** So compare image by image. The differences $d_n=\ell^a_n-\ell^b_n$ of the NLLs have the mean and standard error
#
# $$\bar d=\frac1N\sum_{n=1}^N d_n,\qquad \operatorname{se}(\bar d)=\frac{s_d}{\sqrt N},\qquad s_d^2=\frac1{N-1}\sum_{n=1}^N(d_n-\bar d)^2. \tag{8.1}$$
#
# Differences of 1, 2 and 3 nats give $2\pm0.58$. The *unpaired* error forgets the covariance in
#
# $$\operatorname{Var}[d]=\operatorname{Var}[\ell^a]+\operatorname{Var}[\ell^b]-2\operatorname{Cov}[\ell^a,\ell^b]. \tag{8.2}$$
#
# **It passes. Is it right?** Each mean must be right, too. This program averages NLLs batch by batch, and came with a test.

# %% role="given"
def quick_mean(nll: Float[Tensor, "N"], batch_size: int) -> float:
    """Mean NLL, batch by batch. Or is it?"""
    means = [batch.mean() for batch in data.batches(nll, batch_size, None)]
    return float(sum(means) / len(means))


def test_quick_mean():
    nll = torch.randn(12, generator=torch.Generator().manual_seed(0))
    for batch_size in (1, 2, 3, 4, 6, 12):
        assert abs(quick_mean(nll, batch_size) - float(nll.mean())) < 1e-6

# %%
test_quick_mean()
print("passed")

# %% [markdown]
# ### Your task
#
# On paper first: $N$ examples make $J$ batches. How much does one example of batch $B_j$ count in `quick_mean`, and how much should it?
#
# - `counterexample`: with these weights, make the program prefer the worse model.
# - `evaluate`: the right program, for a **scorer**: an `nn.Module` whose `model(x)` is the NLL of each example, shape `(B,)`. Dropout and batch
#   normalisation make it another function in training mode.
# - `train_and_log`: the loop that trains this set's networks.
# - `paired_difference`: equation (8.1).

# %% role="answer"
def counterexample(n: int, batch_size: int) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
    """NLLs of two models for which `quick_mean` prefers the worse one.

    Args:
        n, batch_size: n > batch_size ≥ 2, and batch_size does not divide n.

    Returns:
        (nll_a, nll_b), finite: the true mean is lower for a, ``quick_mean(…, batch_size)`` for b, each by at least 1 nat.
    """
    ### BEGIN SOLUTION
    full, rest = divmod(n, batch_size)
    loss = full * (1 + batch_size / rest) / 2  # above `full` b wins in the program, below full * batch_size / rest a is better
    difference = torch.tensor([-1.0] * (n - rest) + [loss] * rest)
    return 4 * n * difference, torch.zeros(n)
    ### END SOLUTION

# %% role="answer"
def evaluate(model: nn.Module, x: Float[Tensor, "N ..."], batch_size: int) -> float:
    """Mean NLL over all examples, in evaluation mode and without gradients.

    Args:
        model: a scorer, all parts in one mode. Leave it as it was: mode, statistics, ``.grad``.
        x: at most ``batch_size`` examples go through the model at once.

    Returns:
        a float, the same for every order and batch size.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
    model.train(was_training)
    return total / len(x)
    ### END SOLUTION


def train_and_log(
    model: nn.Module,
    train_x: Float[Tensor, "N ..."],
    test_x: Float[Tensor, "T ..."],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
) -> tuple[list[float], list[float]]:
    """Minimise the batch's mean NLL with one ``torch.optim.Adam(model.parameters(), lr=learning_rate)``, in training mode.

    Args:
        model: a scorer, changed in place. It may arrive, and be left, in either mode.
        train_x: each epoch is a pass ``data.batches(train_x, batch_size, generator)``.
        test_x: for ``evaluate(model, test_x, batch_size)``.

    Returns:
        (train_losses, test_losses), lists of floats. Train: the loss of every step, before its update.
        Test: before the first step and after each epoch, epochs + 1 values.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]
    for _ in range(epochs):
        model.train()
        for batch in data.batches(train_x, batch_size, generator):
            loss = model(batch).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            train_losses.append(loss.item())
        test_losses.append(evaluate(model, test_x, batch_size))
    return train_losses, test_losses
    ### END SOLUTION

# %% role="answer"
def paired_difference(nll_a: Float[Tensor, "N"], nll_b: Float[Tensor, "N"]) -> tuple[float, float]:
    """Mean of ``nll_a - nll_b`` and its standard error, equation (8.1); N ≥ 2."""
    ### BEGIN SOLUTION
    difference = nll_a - nll_b
    return difference.mean().item(), difference.std().item() / math.sqrt(len(difference))
    ### END SOLUTION

# %% role="check"
grader.check("q8")

# %% [markdown]
# ### How many test images?
#
# **Before you run this:** how many times as many images does an unpaired comparison need for the same error? Later set `pair_sizes` to `(950, 1000)`:
# how many images decide then (a mean more than two errors from 0), if any?

# %%
guess_factor = None  # type a number
pair_sizes = (300, 600)  # training images of A and of B

# %%
pair_a, pair_b = (gaussian_scores(pair_train[:size]) for size in pair_sizes)
pair_counts, pair_rows = [25, 50, 100, 200, 400, 800, 1600, 3072], []
for count in pair_counts:
    mean, error = paired_difference(pair_a[:count], pair_b[:count])
    pair_rows.append((count, float(mean), float(error), float(((pair_a[:count].var() + pair_b[:count].var()) / count).sqrt())))
_, pair_means, paired_errors, unpaired_errors = np.array(pair_rows).T
axis = plot.subplots(width=8, height=3.4)[1]
axis.errorbar(np.array(pair_counts) * 1.06, pair_means, 2 * unpaired_errors, fmt="o", color=plot.COLORS[1], capsize=3, markersize=4, label="± 2 unpaired errors")
axis.errorbar(np.array(pair_counts) / 1.06, pair_means, 2 * paired_errors, fmt="o", color=plot.COLORS[0], capsize=3, markersize=4, label="± 2 paired errors")
axis.axhline(0, color="black", linestyle=":")
axis.set_xscale("log")
axis.set_xticks(pair_counts, [str(count) for count in pair_counts], minor=False)
axis.minorticks_off()
axis.set(xlabel="test images", ylabel="NLL of A minus NLL of B, nats", title="Pairing decides with far fewer images")
axis.legend(loc="upper right")
plt.show()
decide = [next((str(count) for count, far in zip(pair_counts, abs(pair_means) > 2 * errors) if far), "none") for errors in (paired_errors, unpaired_errors)]
pair_factor = float((unpaired_errors[2] / paired_errors[2]) ** 2)
plot.table(
    [
        ["difference on 100 images, nats", float(pair_means[2]), "", "3.8"],
        ["paired error", float(paired_errors[2]), "", "0.81"],
        ["unpaired error", float(unpaired_errors[2]), "", "3.7"],
        ["times as many images", pair_factor, guess_factor, "21"],
        ["images that decide, paired", decide[0], "", "25"],
        ["images that decide, unpaired", decide[1], "", "400"],
    ],
    header=("", "yours", "guess", "expected at the start"),
)

# %% [markdown]
# Here 25 images decide with pairing, 400 without (for the nearly equal models of `(950, 1000)`: 200, and not even 3072). The error says how $\bar d$ varies with *another test set*, not another training run.
#
# ### Two curves
#
# A network with dropout guesses a digit's lower half from the upper. Can its test curve lie *below* its train curve? Later set `lower_dropout` to 0:
# what happens to the gap?

# %%
lower_dropout, lower_epochs = 0.5, dgm.budget(smoke=2, cpu=20, gpu=20)

# %%
class LowerHalf(nn.Module):
    """NLL in nats of the lower half of a binary 16×16 image given its upper half."""

    def __init__(self, dropout):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 128))

    def forward(self, x):
        logits = self.network(x[:, :128])
        return F.binary_cross_entropy_with_logits(logits, x[:, 128:], reduction="none").sum(1)


lower_train, lower_test = (pair_train > 0.5).float(), (pair_test[:1000] > 0.5).float()
dgm.seed_everything(0)
lower_half = LowerHalf(lower_dropout)
step_losses, epoch_losses = train_and_log(lower_half, lower_train, lower_test, lower_epochs, 128, 5e-3, dgm.generator(0))
lower_half.eval()
lower_again = evaluate(lower_half, lower_train, 128)
with torch.no_grad():
    guessed = torch.sigmoid(lower_half.network(lower_test[:8, :128]))
epoch_means = np.array(step_losses[: 16 * lower_epochs]).reshape(lower_epochs, -1).mean(1)
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.4, width_ratios=[1.35, 1])
plot.curves({
    "train, dropout on": (np.arange(lower_epochs) + 0.5, epoch_means),
    "test, dropout off": (np.arange(len(epoch_losses)), epoch_losses),
}, xlabel="epoch", ylabel="nats", ax=left, title=f"Dropout {lower_dropout:g}: test and train", reference={"train at the end, dropout off": lower_again})
left.set_ylim(lower_again - 1, lower_again + 14)
rows = [lower_test[:8], torch.cat([lower_test[:8, :128], torch.full_like(guessed, 0.25)], 1), torch.cat([lower_test[:8, :128], guessed], 1)]
plot.images(torch.cat(rows).reshape(-1, 16, 16), ncols=8, ax=right)
right.set_title("test image, what is seen, guess")
plt.show()
print(f"{len(step_losses)} train and {len(epoch_losses)} test losses (expected {16 * lower_epochs} and {lower_epochs + 1})")
print(f"test at the end {float(epoch_losses[-1]):.1f} nats (expected in a full run: about 26)")

# %% [markdown]
# It can: the curves differ in data *and* mode. Compare the test curve's end only with the dashed line, training images in evaluation mode. (Without dropout the train curve ends there, 1.5 nats below the test curve.)
#
# ### The best of twenty
#
# Of twenty models like A, each fitted to its own 300 images, the best test score on 100 images is reported.
#
# **Before you run this:** by how many nats is it too good on average, if all twenty see the *same* test images? (A score's standard error is about
# 2.7 nats.) Later set `best_size` to 1000; then, back at 300, `best_images` to 400. Which curves move?

# %%
guess_bias = None  # type a number
best_size, best_images = 300, 100

# %%
best_draw, best_tries = dgm.generator(0), [1, 2, 3, 5, 10, 20]
best_scores = torch.stack([gaussian_scores(pair_train[torch.randperm(2048, generator=best_draw)[:best_size]]) for _ in range(20)])


def test_means(images):
    """Scores (20, draws) on the same drawn images."""
    return torch.stack([row[images].mean(1) for row in best_scores])


def too_good(decide, report, tries):
    """How far the chosen model's score lies below the truth, on average."""
    chosen = decide[:tries].argmin(0, keepdim=True)
    return float((best_scores.mean(1)[chosen] - report.gather(0, chosen)).mean())


best_drawn = torch.randint(len(pair_test), (22, dgm.budget(smoke=200, cpu=4000, gpu=4000), best_images), generator=best_draw)
best_same, best_validation = test_means(best_drawn[20]), test_means(best_drawn[21])
best_own = torch.stack([row[drawn].mean(1) for row, drawn in zip(best_scores, best_drawn)])
best_curves = {
    "each on its own images": [too_good(best_own, best_own, tries) for tries in best_tries],
    "all on the same images": [too_good(best_same, best_same, tries) for tries in best_tries],
    "chosen on other images": [too_good(best_validation, best_same, tries) for tries in best_tries],
}
plot.curves(
    {name: (best_tries, values) for name, values in best_curves.items()}, xlabel="models tried",
    ylabel="reported score too good by, nats", title="Choosing flatters; shared images flatter less",
).set_xticks(best_tries)
plt.show()
plot.table(
    [[name, values[-1], guess_bias if name.startswith("all") else "", sane] for (name, values), sane in zip(best_curves.items(), ("4.6", "1.2", "0.0"))],
    header=("best of twenty", "too good by", "guess", "expected"),
)

# %% [markdown]
# On images of their own, models have independent luck, and the best score lies nearly two standard errors too low. On shared images most luck is common
# and cancels in the choice, as in (8.1); the rest shrinks as the models become alike (0.4 at `best_size = 1000`) or the images more (2.3 and 0.4 at 400). Choosing on *other* images, a validation set, removes it.
#
# ### In your own words (3 points, graded by a person)
#
# In at most ten lines: (i) Which two of the three losses in *Two curves* may be compared, and why not the third? (ii) Why is the paired error right for A and B, and
# what does it leave out? (iii) Why does the test set that chose the best of twenty flatter it, and less so if the models are alike?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (i) Only scores of the same random variable, in the same unit, on the same images and in the same mode. All Gaussians score the same grey images, so A, B and the twenty can be compared. The network's
# numbers are probabilities of 128 binary pixels given the others; a Gaussian's are densities of 256 grey pixels (even negative), so 26 nats against -200 nats says nothing. Train losses with dropout are
# another function on other data than the test losses; the training set in evaluation mode shows the overfitting.
#
# (ii) Both models see the same images, so easy and hard images move both means together. This common part cancels in d. The unpaired error counts it twice as if the two test sets had been drawn separately.
# The paired error covers the choice of test images. It leaves out the training run (other training images, another seed): B may be better only for this training set.
#
# (iii) The minimum picks a model partly for its luck on these images, so its score there is below its true one. On shared images all models have nearly the same luck; only the differences can be exploited, and
# they vary with the (small) paired error. So the bias grows with the number of tries and with the disagreement of the models. A test set that has chosen nothing gives an unbiased score.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Sum over examples, divide once; evaluation mode, no gradients, mode restored.
# - Compare models on the same examples, by the error of their differences.
# - Choose on validation data, report on test data.

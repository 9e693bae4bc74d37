# %% [markdown]
# ## Question 14 · Honest evaluation, and the whole set in one table
# *6 points, 2 of them for a written answer · about 40 minutes*
#
# A test number is a measurement, and can be wrong like any other. The usual accidents are small and silent: dropout left on while testing, a short last
# batch that counts like a full one, the best of twenty checkpoints picked *on the test set*. Here you write the measuring
# instruments; then all models of this set go into one table.
#
# **The last batch.** Split $N$ test examples into batches $B_1,\dots,B_J$. The mean NLL is
#
# $$\frac1N\sum_{n=1}^N \ell_n=\sum_{j=1}^J\frac{|B_j|}{N}\;\frac{1}{|B_j|}\sum_{n\in B_j}\ell_n, \tag{14.1}$$
#
# a mean of batch means *weighted by their sizes*. Without the weights, the examples of a short last batch count more than the others, and the result
# depends on the batch size and on the order of the data. Neither may matter.
#
# **Two modes.** A network with dropout or batch normalisation is another function in training mode. Evaluate in evaluation mode, and put the mode back: the
# caller may be in the middle of training.
#
# **How sure is a difference?** Two models $a,b$ are scored on the *same* test examples. With $d_n=\ell^a_n-\ell^b_n$,
#
# $$\bar d=\frac1N\sum_{n=1}^N d_n,\qquad \operatorname{se}(\bar d)=\frac{s_d}{\sqrt N},\qquad s_d^2=\frac1{N-1}\sum_{n=1}^N(d_n-\bar d)^2. \tag{14.2}$$
#
# Since $\operatorname{Var}[d]=\operatorname{Var}[\ell^a]+\operatorname{Var}[\ell^b]-2\operatorname{Cov}[\ell^a,\ell^b]$, and an image that is hard for one model is hard for the other, this
# is often far smaller than the error bars of the two means suggest. The error bar says how the difference would vary with *another test set*, not with another
# training run.
#
# **Selection.** The best of many noisy scores is biased. Here are 20 models that are all equally good, true NLL 20; each has a validation and
# a test score from 360 images, with a standard deviation of 5 nats per image and independent errors. **Before you run this:** where is the mean of the *reported* numbers on the left, where on the right?

# %%
noisy = 20 + 5 / math.sqrt(360) * torch.randn(2, 4000, 20, generator=dgm.generator(0))   # (validation or test, repetition, model)
best_on_test = noisy[1].amin(1)
best_on_validation = noisy[1].gather(1, noisy[0].argmin(1, keepdim=True)).squeeze(1)
figure, axes = plot.subplots(1, 2, width=10, height=3.1, sharey=True)
for ax, reported, title in ((axes[0], best_on_test, "best test score of 20"), (axes[1], best_on_validation, "test score of the best on validation")):
    ax.hist(reported.numpy(), bins=50, range=(18.8, 21.2), color=plot.COLORS[0])
    ax.axvline(20, color="black", linestyle=":", label="truth (20)")
    ax.axvline(float(reported.mean()), color=plot.COLORS[1], linestyle="--", label=f"mean reported ({float(reported.mean()):.2f})")
    ax.set(xlabel="NLL reported, nats", yticks=[], title=title)
    ax.legend(loc="upper right")
plt.show()

# %% [markdown]
# Half a nat, as much as many a published improvement, from nothing but looking.
#
# ### Your task
#
# A **scorer** is an `nn.Module` with `model(x)` = the NLL of each example, shape `(B,)`. It may contain dropout and batch normalisation.
#
# - `evaluate`: (14.1), in evaluation mode, without building a graph for gradients. It leaves nothing behind: the mode, the batch-norm statistics and the `.grad` of the
#   parameters are as before. Tested with a short last batch, permuted data, and a batch size larger than $N$.
# - `train_and_log`: the loop that everybody writes, with both curves logged right.
# - `paired_difference`: (14.2).
# - `select_on_validation`: choose without looking at the test set. A diverged model has NLLs that are NaN or $+\infty$; it must not win.

# %% role="answer"
def evaluate(model: nn.Module, x: Float[Tensor, "N ..."], batch_size: int) -> float:
    """Mean NLL over all examples, equation (14.1), in evaluation mode and without gradients.

    Args:
        model: a scorer. All its parts are in the same mode, and are left in that mode.
        x: all N examples; at most ``batch_size`` of them go through the model at once.
        batch_size: need not divide N.

    Returns:
        One Python float, the same for every order of the examples and every batch size (up to rounding).
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.no_grad():
        for batch in data.batches(x, batch_size, None):
            total += model(batch).sum().item()
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
    """Train with plain SGD, ``torch.optim.SGD(model.parameters(), lr=learning_rate)``, in training mode; log both losses.

    Args:
        model: a scorer, changed in place. It may arrive in either mode, and be left in either.
        train_x: each epoch is one pass ``data.batches(train_x, batch_size, generator)``, with a short last batch.
        test_x: evaluated with ``evaluate(model, test_x, batch_size)``.
        epochs: number of passes, at least 1.

    Returns:
        (train_losses, test_losses), lists of floats. Train: the mean NLL of each batch, in training mode, before its
        step; one entry per step. Test: before the first step and after each epoch; epochs + 1 entries.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)
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
    """Mean of ``nll_a - nll_b`` over the examples and its standard error, equation (14.2). N is at least 2."""
    ### BEGIN SOLUTION
    difference = nll_a - nll_b
    return difference.mean().item(), difference.std().item() / math.sqrt(len(difference))
    ### END SOLUTION


def select_on_validation(validation_nll: Float[Tensor, "M V"], test_nll: Float[Tensor, "M T"]) -> tuple[int, float]:
    """Choose the model with the lowest mean validation NLL; report its mean test NLL.

    Args:
        validation_nll: NLLs of M models (rows) on V validation examples. Rows may contain NaN or +inf; such a model
            is not chosen. At least one row is finite, and there are no ties.
        test_nll: NLLs of the same models on T test examples.

    Returns:
        (index of the chosen model, its mean test NLL)
    """
    ### BEGIN SOLUTION
    means = validation_nll.mean(1)
    means = torch.where(means.isfinite(), means, math.inf)
    chosen = int(means.argmin())
    return chosen, test_nll[chosen].mean().item()
    ### END SOLUTION

# %% role="check"
grader.check("q14")

# %% [markdown]
# ### Two curves, logged right
#
# A scorer with dropout: a small network that predicts the pixels of the lower half of a digit from its upper half.
# **Before you run this:** train loss is measured with dropout on, test loss without. Can the test curve lie *below* the train curve?

# %%
class LowerHalf(nn.Module):
    """NLL in nats of the lower half of a binary digit given its upper half."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 32))

    def forward(self, x: Float[Tensor, "N 64"]) -> Float[Tensor, "N"]:
        logits = self.network(x[:, :32])
        return F.binary_cross_entropy_with_logits(logits, x[:, 32:], reduction="none").sum(1)


table_train, table_train_labels = data.digits("train", binary="threshold")
table_test, table_test_labels = data.digits("test", binary="threshold")
table_train, table_test = table_train.flatten(1), table_test.flatten(1)
dgm.seed_everything(0)
lower_half = LowerHalf()
curve_epochs = dgm.budget(smoke=2, cpu=40, gpu=40)
step_losses, epoch_losses = train_and_log(lower_half, table_train, table_test, curve_epochs, 100, 0.05, dgm.generator(0))
lower_half.eval()
train_again = evaluate(lower_half, table_train, 100)
steps_per_epoch = math.ceil(len(table_train) / 100)
plot.curves({
    "train, each batch, dropout on": (np.arange(len(step_losses)) / steps_per_epoch, step_losses),
    "test, after each epoch, dropout off": (np.arange(len(epoch_losses)), epoch_losses),
}, xlabel="epoch", ylabel="NLL of the lower half, nats", reference={"train set, dropout off, at the end": train_again})
plt.show()
print(f"{len(step_losses)} train and {len(epoch_losses)} test values (expected {curve_epochs * steps_per_epoch} and {curve_epochs + 1})")
print(f"test at the end {epoch_losses[-1]:.2f} (expected in a full run: about 10.2)")

# %% [markdown]
# Yes, it can. The two curves differ in two ways at once, the data and the mode. Only the dashed line, the *training* set in
# evaluation mode, can be compared with the test curve.
#
# ### The whole set in one table
#
# All models that you have trained, in bits per dimension on the 360 held-out $8\times8$ digits. Two tables, for there are two kinds of data: **binary**
# pixels (a uniform guess costs 1 bit), and the 17 **grey levels**, dequantised (a uniform guess costs $\log_2 17=4.09$ bits, and each value
# is an upper bound on what a code would need, Question 1). Nothing is trained again but a mixture of Gaussians with EM, since Question 3 fitted other data.
# Questions without an answer, or whose picture cells were not run, leave a gap.
#
# **Before you run this:** order the models of each table. Which pairs does theory order *on the training set*, and which only experience?

# %%
def conditional_mixture(x):
    """NLL of the class-conditional PixelCNN with the label summed out."""
    columns = [pixelcnn_log_prob(conditional, x, torch.full((len(x),), k, device=x.device)) for k in range(10)]
    return math.log(10) - torch.stack(columns).logsumexp(0)


def pixelcnn_nll(function):
    """Score images (N, 64) with the PixelCNNs of Question 13, if they were trained on 8×8 digits."""
    if dgm.profile() == "gpu":
        raise RuntimeError("trained on 28×28 images in the gpu profile: another data set")
    modes = conditional.training, unconditional.training
    conditional.eval(), unconditional.eval()
    with torch.no_grad():
        result = function(table_test.reshape(-1, 1, 8, 8).to(next(conditional.parameters()).device))
    conditional.train(modes[0]), unconditional.train(modes[1])
    return result


def bernoulli_by_class():
    """Naive Bayes with the class summed out: a mixture of ten independent models."""
    counts = torch.bincount(table_train_labels, minlength=10)
    theta = torch.stack([(table_train[table_train_labels == k].sum(0) + 1) / (counts[k] + 2) for k in range(10)])
    log_joint = (counts / counts.sum()).log() + table_test @ theta.log().T + (1 - table_test) @ (1 - theta).log().T
    return -log_joint.logsumexp(1)


def independent_bernoulli():
    theta = (table_train.sum(0) + 1) / (len(table_train) + 2)
    return -(table_test @ theta.log() + (1 - table_test) @ (1 - theta).log())


def dequantised_mixture(components=10):
    """EM on dequantised digits, Question 3; the floor is the variance of the dequantisation noise."""
    x, floor = dequantised_digits("train", seed=0)[0], 1 / (12 * 17**2)
    log_weights, means, covs = init_gmm(x, K=components, generator=dgm.generator(0))
    start = log_weights, means, covs + floor * torch.eye(64)
    parameters, _ = fit_gmm_em(x, *start, steps=dgm.budget(smoke=2, cpu=40, gpu=40), floor=floor)
    return -gmm_log_prob(grey_levels_test, *parameters)


grey_levels_test = dequantised_digits("test", seed=1)[0]
binary_rows = {
    "uniform": lambda: torch.full((360,), 64 * math.log(2)),
    "independent pixels": independent_bernoulli,
    "independent given a class, summed out (Q7)": bernoulli_by_class,
    "FVSBN (Q10)": lambda: -fvsbn_log_prob(table_test, *fvsbn),
    "MADE, row by row (Q11)": lambda: -made_log_prob(mades["row by row"], table_test),
    "MADE, mixture of four orders (Q11)": lambda: math.log(4) - torch.stack([made_log_prob(m, table_test) for m in mades.values()]).logsumexp(0),
    "PixelCNN (Q13)": lambda: pixelcnn_nll(lambda x: -pixelcnn_log_prob(unconditional, x)),
    "PixelCNN with labels, summed out (Q13)": lambda: pixelcnn_nll(conditional_mixture),
    "PixelCNN, is TOLD the label (Q13)": lambda: pixelcnn_nll(lambda x: -pixelcnn_log_prob(conditional, x, table_test_labels.to(x.device))),
}
grey_rows = {
    "uniform": lambda: torch.zeros(360),
    "diagonal Gaussian (Q1)": lambda: -gaussian_log_prob(grey_levels_test, pixel_mean, pixel_logvar),
    "full Gaussian (Q2)": lambda: -mvn_log_prob(grey_levels_test, digit_mean, digit_cov),
    "mixture of ten full Gaussians (Q3)": dequantised_mixture,
}


def change_to(above, bits):
    """Your paired difference, or nothing if there is no row above or no answer yet."""
    try:
        return (None, None) if above is None else paired_difference(bits, above)
    except NotImplementedError:
        return None, None


def score_table(rows, levels, expected):
    """Bits per dimension with standard errors, and the paired difference to the row above; a failing row leaves a gap."""
    scores, lines, above = {}, [], None
    for (name, score), sane in zip(rows.items(), expected, strict=True):
        try:
            with torch.no_grad():
                nll = score().detach().cpu()
            if nll.shape != (360,) or not bool(nll.isfinite().all()):
                raise ValueError("not 360 finite numbers")
            bits = (nll / 64 + math.log(levels)) / math.log(2)
            change, change_error = change_to(above, bits)
            lines.append((name, float(bits.mean()), float(bits.std()) / math.sqrt(360), change, change_error, sane))
            scores[name] = above = bits
        except Exception as error:
            missing = f"not run yet: {error.name}" if isinstance(error, NameError) else "not answered yet"
            reason = missing if isinstance(error, (NameError, NotImplementedError)) else f"no value: {error}"[:60]
            lines.append((name, None, None, None, None, reason))
    plot.table(lines, header=("", "bits/dim", "± se", "change to the row above", "± paired se", "expected"))
    print()
    return scores


print("BINARY PIXELS, test set")
binary_scores = score_table(binary_rows, 1, (
    "1 exactly", "0.567", "0.454", "0.413", "0.388", "0.376", "0.379", "0.354", "0.304",
))
print("GREY LEVELS, dequantised, test set")
grey_scores = score_table(grey_rows, 17, ("4.087 exactly", "3.381", "2.940", "2.81"))

# %% [markdown]
# What theory says. *On training data* and at the optimum, a family that contains another is at least as good: independent pixels are an FVSBN with $W=0$, and a diagonal
# covariance is a full one. On test data, and between FVSBN, MADE and PixelCNN, which contain each other only roughly and are trained for a limited time, this is
# experience: each of these families says more about images than the one before, and here that order shows. The PixelCNN shares its filters between all places and beats the MADEs that read
# rows or columns; against those with a random order (0.003 ± 0.003 bits, not in the table) the test set does not decide, and four MADEs averaged come level with
# it. Labels, even summed out, help more than either. Two more numbers are theory, image by image: a mixture of four costs at most
# $\log_2 4/64=0.031$ bits more than the best of the four, and being told the label gains at most $\log_2 10/64=0.052$ bits over the same model with the label summed out.
#
# The last cell shows why the paired error is the one to use. **Before you run this:** what does the cloud on the right look like if images that are hard for one model are
# hard for the other?

# %%
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.8, width_ratios=[1.5, 1])
names = list(binary_scores)[::-1]
for row, name in enumerate(names):
    bits = binary_scores[name]
    told = "TOLD" in name
    left.errorbar(float(bits.mean()), row, xerr=2 * float(bits.std()) / math.sqrt(360), fmt="s" if told else "o", capsize=3, color=plot.COLORS[1] if told else plot.COLORS[0])
left.set_yticks(range(len(names)), [name.replace(" (", "\n(") if len(name) > 30 else name for name in names], fontsize=8)
left.set(xlabel="bits per dimension on test, ± 2 se", title="binary digits")
pair = [name for name in ("FVSBN (Q10)", "MADE, row by row (Q11)") if name in binary_scores]
if len(pair) == 2:
    a, b = (binary_scores[name] for name in pair)
    right.plot(a, b, "o", markersize=3, alpha=0.5, color=plot.COLORS[0])
    ends = [float(min(a.min(), b.min())), float(max(a.max(), b.max()))]
    right.plot(ends, ends, "--", color="black", linewidth=1)
    right.set(xlabel=pair[0] + ", bits/dim", ylabel=pair[1] + ", bits/dim", title="one dot per test image")
    unpaired = math.sqrt(float(a.var() + b.var()) / 360)
    mean, error = (math.nan if value is None else value for value in change_to(b, a))
    print(f"{pair[0]} minus {pair[1]}: {mean:.4f} ± {error:.4f} paired; ± {unpaired:.4f} if you forget the pairing")
    print("expected in a full run: 0.0244 ± 0.0022 paired; ± 0.0074")
plt.show()

# %% [markdown]
# ### In your own words (2 points, graded by a person)
#
# In at most ten lines: which numbers in the two tables may be compared with each other, and which may not, and why? Think of the data (binary, dequantised), of what a model
# is told, of train and test, and of what has been chosen by looking at the test set. (These 360 digits have appeared on nearly every page of this notebook.)
# One point is for which may be compared and why; one for what the label, and the repeated use of the test set, do to that.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# Only numbers for the same random variable on the same test images can be compared. Within the binary table: all rows but the last are -log p(x) of the same 0/1 images. Within the grey
# table: all are -log-densities of the same dequantised images, with the offset log2 17, so they are upper bounds on the bits of the levels. Between the tables nothing can be
# compared: a thresholded image contains less information than one with 17 levels, and one number is a probability and the other a bound. Binarising by chance instead of by a threshold would
# be a third data set.
#
# "Told the label" is -log p(x | y). It is not a better model of x; the same network with the label summed out is, and may be compared with the others (though it has used the labels in training).
#
# Differences are judged by the paired standard error. It covers the choice of test images, not the training seed. And training values must not be put next to test values. We have
# looked at this test set again and again, and architectures and numbers of steps in this notebook were chosen knowing its scores, so small differences are biased
# in favour of what we kept; a fair final comparison needs a validation set for all choices and a test set used once.
# ### END SOLUTION

# %% [markdown]
# **What to remember.** Sum over examples, divide once. Evaluation mode, no gradients, mode restored. Compare models in pairs, with an error bar. Choose on validation, report on
# test. And before comparing two likelihoods ask: of which random variable, in which unit, on which examples?

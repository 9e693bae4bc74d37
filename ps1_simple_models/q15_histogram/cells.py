# %% [markdown]
# A histogram can be fitted in closed form, so it is the best place to look at what stochastic gradient descent really reaches. The same happens, unseen, in the softmax
# over 256 levels that ends a PixelCNN.
#
# **In closed form.** Let $c_k$ be how often level $k$ occurs among $N$ training values. $\sum_kc_k\log p_k$ is largest, subject to $\sum_kp_k=1$, at $p_k=c_k/N$. With a *pseudocount* $\alpha\ge0$ for every level,
#
# $$\hat p_k=\frac{c_k+\alpha}{N+\alpha d}. \tag{15.1}$$
#
# With $\alpha=0$ a level that was never seen has log-probability $-\infty$. Whoever wants smoothing asks for it.
#
# **By gradient descent.** Write $p=\mathrm{softmax}(\theta)$. On a minibatch of size $B$ with counts $c_k$,
#
# $$L(\theta)=-\frac1B\sum_{n=1}^B\log p_{x_n},\qquad\frac{\partial L}{\partial\theta_k}=p_k-\frac{c_k}B, \tag{15.2}$$
#
# which vanishes at the closed form. At $\theta=0$ the model is uniform, so *the loss before the first step is $\log d$*. If yours is anything else, something is wrong: this is the cheapest test in deep learning.
#
# **Evaluation in batches.** The last batch is usually smaller than the others, so the mean of the batch means is *not* the mean over the data.

# %% role="answer"
def histogram_mle(x: Int[Tensor, "N"], num_levels: int, pseudocount: float = 0.0) -> Float[Tensor, "d"]:
    """Log-probabilities of the best histogram, equation (15.1).

    Args:
        x: N values in 0, ..., num_levels - 1 (int64). Some levels may not occur.
        num_levels: d, the number of levels.
        pseudocount: alpha >= 0, added to the count of every level; 0 means no smoothing at all.

    Returns:
        (d,) natural log-probabilities; -inf where the count and the pseudocount are both 0.
    """
    ### BEGIN SOLUTION
    counts = torch.bincount(x, minlength=num_levels) + pseudocount
    return torch.log(counts / counts.sum())
    ### END SOLUTION


def mean_nll_over_batches(log_prob_fn, x: Int[Tensor, "N *shape"], batch_size: int) -> Float[Tensor, ""]:
    """Mean negative log-likelihood of all N examples, in nats, evaluated batch by batch.

    Args:
        log_prob_fn: takes a batch (B, *shape) of x, returns the B log-probabilities, shape (B,).
        x: N examples along the first axis; an example may be a single number or have a shape of its own.
        batch_size: the most examples that one call of ``log_prob_fn`` may get. It need not divide N.

    Returns:
        the mean over the N examples (a 0-d tensor or a float); the same for every batch_size.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for batch in x.split(batch_size):
        total = total - log_prob_fn(batch).sum()
    return total / len(x)
    ### END SOLUTION


def train_histogram(
    x: Int[Tensor, "N"], num_levels: int, steps: int, lr: float, batch_size: int, generator: torch.Generator
) -> tuple[Float[Tensor, "d"], Float[Tensor, "steps+1"]]:
    """Fits the logits of a histogram by plain minibatch gradient descent (no momentum), from zero.

    Args:
        x: N values in 0, ..., num_levels - 1 (int64).
        num_levels: d.
        steps: number of updates.
        lr: learning rate.
        batch_size: values per update, for ``data.batches``; the loss is the mean over the batch.
        generator: the only source of randomness.

    Returns:
        logits: (d,), after the last update, detached.
        history: (steps + 1,), mean NLL of all of x in nats: ``history[0]`` before the first update (log d),
            ``history[t]`` after t updates.
    """
    ### BEGIN SOLUTION
    logits = torch.zeros(num_levels, device=x.device, requires_grad=True)
    history = [-torch.log_softmax(logits.detach(), 0)[x].mean()]
    for batch in data.batches(x, batch_size, generator, steps=steps):
        loss = -torch.log_softmax(logits, 0)[batch].mean()
        (gradient,) = torch.autograd.grad(loss, logits)
        with torch.no_grad():
            logits -= lr * gradient
        history.append(-torch.log_softmax(logits.detach(), 0)[x].mean())
    return logits.detach(), torch.stack(history)
    ### END SOLUTION

# %% role="check"
grader.check("q15")

# %% [markdown]
# The data are those of Question 7. **Before you run this:** which NLL does gradient descent reach on the *training* values, if the closed form has 2.448?

# %%
guess_descent = None  # type a number

# %%
learning_rate, values_per_step = 2.0, 128  # the knobs: try 20 and 0.2, and 8 values a step

sgd_train, sgd_test = data.truncated_gaussian_levels("train"), data.truncated_gaussian_levels("test")
log_p_mle, log_p_smooth = histogram_mle(sgd_train, 20), histogram_mle(sgd_train, 20, pseudocount=0.5)
steps = dgm.budget(smoke=50, cpu=1000, gpu=1000)
histogram_logits, histogram_history = train_histogram(sgd_train, 20, steps, learning_rate, values_per_step, dgm.generator(0))


def nll_of_table(log_probs: Tensor, x: Tensor) -> float:
    """Mean NLL of x under a table of log-probabilities, by your function, in ragged batches."""
    return float(mean_nll_over_batches(lambda batch: log_probs[batch], x, 300))


plot.curves({"NLL of all training values": histogram_history}, xlabel="update", ylabel="nats",
            reference={"log 20": math.log(20), "closed form": nll_of_table(log_p_mle, sgd_train)}, title="From log 20 to a little above the closed form")
plt.show()
rows = [
    ("closed form", log_p_mle, "2.4480  2.5432", None),
    ("closed form, pseudocount 1/2", log_p_smooth, "2.4507  2.5422", None),
    ("gradient descent", torch.log_softmax(histogram_logits, 0), "about 2.451  2.55", guess_descent),
    ("true probabilities", data.truncated_gaussian_probs().log().float(), "2.4575  2.5397", None),
]
plot.table(
    [[name, *(f"{nll_of_table(table, x):.4f}" for x in (sgd_train, sgd_test)), want, guess] for name, table, want, guess in rows],
    header=["nats", "train", "test", "expected", "your guess"],
)

# %% [markdown]
# No histogram beats the closed form on the training values: 2.448 is a hard floor, and a training loss below it is a bug. Gradient descent stays a little above. On the test values nothing is guaranteed, and stopping early
# acts like a little smoothing: logits of levels that were never seen start at 0 and fall for ever.
#
# **What to remember**
# - The loss before training is known: $\log d$ for a softmax that starts at zero. Look at it first.
# - A closed form is the floor for the training loss of its family.
# - Weight batches by their size. Smooth on purpose, never silently.

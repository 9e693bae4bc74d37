# %% [markdown]
# Twelve noisy points, and a polynomial with eleven coefficients. Least squares uses them all. Run the cell, and look at what a prior on the coefficients does to the same polynomial.

# %%
from sklearn.linear_model import Ridge

place = torch.linspace(-1, 1, 12)
value = torch.sin(3 * place) + 0.3 * torch.randn(12, generator=dgm.generator(4))
fine = torch.linspace(-1, 1, 300)
powers, fine_powers = (torch.stack([s**k for k in range(1, 11)], 1).double().numpy() for s in (place, fine))
figure, ax = plot.subplots(width=8, height=3.4)
ax.plot(fine, torch.sin(3 * fine), color="#AAAAAA", label="truth")
for penalty, name, color in ((1e-9, "least squares", plot.COLORS[1]), (0.05, "with a prior", plot.COLORS[0])):
    ax.plot(fine, Ridge(alpha=penalty, solver="svd").fit(powers, value).predict(fine_powers), color=color, label=name)
ax.plot(place, value, "o", color="#222222", label="data")
ax.set(ylim=(-3, 3), xlabel="x", ylabel="y", title="A prior keeps the same polynomial calm")
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# Some models need no gradient steps: their best parameters can be written down. This question has two of them, and a count that says what an assumption saves.
#
# ### A Gaussian prior is a squared penalty
#
# Linear regression says $y_n=w^\top x_n+b+\varepsilon_n$ with noise $\varepsilon_n\sim\mathcal N(0,\sigma^2)$. Give the weights a prior $w\sim\mathcal N(0,\tau^2I)$, but
# give *none to* $b$: where the zero of $y$ lies should not matter. By Bayes' rule $p(w,b\mid y)\propto p(y\mid w,b)\,p(w)$. Its negative logarithm is, up to a constant,
#
# $$\frac{1}{2\sigma^2}\sum_{n=1}^N\big(y_n-w^\top x_n-b\big)^2+\frac{1}{2\tau^2}\lVert w\rVert^2 . \tag{14.1}$$
#
# The minimiser is the *maximum a posteriori* (MAP) estimate, also called ridge regression. **On paper:** set the derivative by $b$ to zero, insert the result, and note that only centred
# data are left. Then set the derivative by $w$ to zero. With one weight, $N=1$ and any data you should find $w=0$ and $b=y_1$.
#
# In a training loop one rather meets the *mean* squared error with weight decay,
#
# $$\frac1N\sum_{n=1}^N\big(y_n-w^\top x_n-b\big)^2+\lambda\lVert w\rVert^2 . \tag{14.2}$$
#
# **On paper:** for which $\lambda$ do (14.1) and (14.2) have the same minimiser?
#
# ### Naive Bayes
#
# Bayes' rule turns densities of classes into a classifier (equation 6.4). For binary pixels, *naive Bayes* assumes that they are independent given the class, with
# $p(x_d=1\mid k)=\theta_{kd}$:
#
# $$\log p(x\mid k)=\sum_{d=1}^D\big[x_d\log\theta_{kd}+(1-x_d)\log(1-\theta_{kd})\big]. \tag{14.3}$$
#
# The best $\theta_{kd}$ is a share of images: counting is fitting. A dark pixel is evidence, too: with $\theta_{1}=0.9$, $\theta_2=0.5$ and equal priors, $x=0$ gives class 2 the probability $0.5/(0.5+0.1)=0.83$.
#
# ### What independence saves
#
# Let $x_i$ have $k_i$ possible values, and let it depend on the $m$ variables just before it (on all of them, if there are fewer). A table of
# $p(x_i\mid\text{those})$ has a row for each combination of their values, with $k_i-1$ free numbers, as a row sums to one. **On paper:** how many free numbers have all tables together? Two checks:
# $m=0$ is independence and gives $\sum_i(k_i-1)$; $m\ge D-1$ is no assumption at all and must give $\prod_ik_i-1$.

# %% role="answer"
def ridge_map(
    x: Float[Tensor, "N D"], y: Float[Tensor, "N"], noise_variance: float, prior_variance: float
) -> tuple[Float[Tensor, "D"], Float[Tensor, ""]]:
    """The weights w and the bias b that minimise (14.1); the bias is not penalised.

    Args:
        x, y: inputs and outputs; D may exceed N. In float32 x may lie 100 standard deviations from zero.
        noise_variance: sigma^2, positive.
        prior_variance: tau^2 of every weight, positive.

    Returns:
        (w, b)
    """
    ### BEGIN SOLUTION
    x_mean, y_mean = x.mean(0), y.mean()
    x_centred, y_centred = x - x_mean, y - y_mean
    precision = x_centred.T @ x_centred / noise_variance + torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_variance
    w = torch.linalg.solve(precision, x_centred.T @ y_centred / noise_variance)
    return w, y_mean - x_mean @ w
    ### END SOLUTION


def l2_coefficient(noise_variance: float, prior_variance: float, num_examples: int) -> float:
    """The lambda for which (14.2) has the same minimiser as (14.1)."""
    ### BEGIN SOLUTION
    return noise_variance / (prior_variance * num_examples)
    ### END SOLUTION

# %% role="answer"
def naive_bayes_log_posterior(
    x: Float[Tensor, "N D"], log_prior: Float[Tensor, "K"], theta: Float[Tensor, "K D"]
) -> Float[Tensor, "N K"]:
    """log p(y = k | x) in nats, by Bayes' rule and equation (14.3).

    Args:
        x: zeros and ones, as floats; D may be thousands, where each p(x | k) underflows.
        log_prior: log pi_k.
        theta: p(x_d = 1 | k), strictly between 0 and 1.

    Returns:
        Finite log-probabilities; the exponentials of a row sum to one.
    """
    ### BEGIN SOLUTION
    log_joint = log_prior + x @ theta.log().T + (1 - x) @ torch.log1p(-theta).T
    return torch.log_softmax(log_joint, dim=1)
    ### END SOLUTION


def num_parameters(cardinalities: list[int], memory: int) -> int:
    """Free numbers of all tables when each variable depends on the ``memory`` variables just before it.

    Args:
        cardinalities: k_1, ..., k_D, each at least 1, in order; D >= 1.
        memory: m >= 0; it may be larger than D.

    Returns:
        An exact Python int, also beyond 2**64.
    """
    ### BEGIN SOLUTION
    total = 0
    for i, k in enumerate(cardinalities):
        rows = math.prod(cardinalities[max(0, i - memory) : i])
        total += rows * (k - 1)
    return total
    ### END SOLUTION

# %% role="check"
grader.check("q14")

# %% [markdown]
# ### The best penalty shrinks with the data
#
# Below, weights are drawn from the prior and data from the model, many times; each $\lambda$ of (14.2) is tried on all of them. **Before you run this:** with 20 examples the best $\lambda$ is 2.5. And with 200?

# %%
guess_lambda = None                      # type a number
noise_level, prior_level = 1.0, 0.02     # knobs: the variances of the noise and of the weights

lambdas, draws_of_data = torch.logspace(-2, 2, 21), dgm.budget(smoke=2, cpu=30, gpu=30)
generator = dgm.generator(0)
excess = {}
for count in (20, 200):
    errors = torch.zeros(len(lambdas))
    for _ in range(draws_of_data):
        true_w, inputs = prior_level**0.5 * torch.randn(15, generator=generator), torch.randn(count, 15, generator=generator)
        outputs = inputs @ true_w + noise_level**0.5 * torch.randn(count, generator=generator)
        for i, each in enumerate(lambdas.tolist()):
            errors[i] += float((ridge_map(inputs, outputs, noise_level, noise_level / (each * count))[0] - true_w).square().sum())
    excess[f"{count} examples"] = (lambdas, errors / errors.min())
ax = plot.curves(excess, xlabel="λ of the mean loss (14.2)", ylabel="error of w / smallest", logx=True, logy=True, title="The best λ is σ²/τ² spread over the examples")
for count, color in zip((20, 200), plot.COLORS):
    ax.axvline(float(l2_coefficient(noise_level, prior_level, count)), color=color, linestyle=":")
plt.show()
plot.table([("best λ for 200 examples", guess_lambda, float(lambdas[int(excess["200 examples"][1].argmin())]))], header=("", "your guess", "result"))

# %% [markdown]
# The dotted lines are your `l2_coefficient`. A mean loss divides the data's part by $N$, but the prior counts once, so its coefficient must shrink like $1/N$. In this model, a weight decay that was tuned on a tenth of the data is ten
# times too strong for all of it. (In 8 repetitions the best $\lambda$ tried was the predicted one in 15 of 16 cases.) **Knobs:** double `noise_level`, or halve `prior_level`: which way do the lines move?
#
# ### Counting against descending
#
# Naive Bayes and logistic regression share one family of classifiers, $\operatorname{softmax}(Wx+b)$. The first is fitted to $p(x\mid y)$ by counting; the second to $p(y\mid x)$ by descending, here with almost no prior ($\tau^2=1000$)
# and with one ($\tau^2=1$). Ng and Jordan (2001) predict a crossing: naive Bayes ahead with few examples, logistic regression with many. **Before you run this:** at 100 images per class, by how many points of test error is plain logistic
# regression better than naive Bayes?

# %%
guess_points = None    # type a number
weak, strong = 1000.0, 1.0   # knobs: the prior variances of the two logistic regressions

pixels_train, digit_train = data.digits("train", binary="threshold")
pixels_test, digit_test = data.digits("test", binary="threshold")
pixels_train, pixels_test = pixels_train.flatten(1), pixels_test.flatten(1)


def logistic_regression(x, y, prior_variance):
    """MAP weights (10, 65) of softmax regression with a Gaussian prior; the last column, the bias, is not penalised."""
    weights = torch.zeros(10, 65, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=dgm.budget(smoke=10, cpu=100, gpu=100), line_search_fn="strong_wolfe")

    def objective():
        optimiser.zero_grad()
        loss = F.cross_entropy(F.linear(x, weights[:, :64], weights[:, 64]), y)
        loss = loss + weights[:, :64].square().sum() / (2 * prior_variance * len(y))
        loss.backward()
        return loss

    optimiser.step(objective)
    return weights.detach()


repeats = dgm.budget(smoke=1, cpu=5, gpu=5)
sizes = dgm.budget(smoke=[2, 10], cpu=[1, 3, 10, 30, 100], gpu=[1, 3, 10, 30, 100])
results = torch.zeros(3, 2, len(sizes), repeats)   # model, (error, NLL), size, repeat
for s, size in enumerate(sizes):
    for r in range(repeats):
        order = torch.randperm(len(digit_train), generator=dgm.generator(r))
        chosen = torch.cat([order[digit_train[order] == k][:size] for k in range(10)])
        x, y = pixels_train[chosen], digit_train[chosen]
        theta = torch.stack([(x[y == k].sum(0) + 1) / (size + 2) for k in range(10)])   # add-one counts: never 0 or 1
        log_posteriors = [naive_bayes_log_posterior(pixels_test, torch.full((10,), -math.log(10)), theta)]
        for prior_variance in (weak, strong):
            weights = logistic_regression(x, y, prior_variance)
            log_posteriors.append(F.log_softmax(F.linear(pixels_test, weights[:, :64], weights[:, 64]), dim=1))
        for model, log_posterior in enumerate(log_posteriors):
            results[model, 0, s, r] = 100 * (log_posterior.argmax(1) != digit_test).float().mean()
            results[model, 1, s, r] = F.nll_loss(log_posterior, digit_test)

figure, axes = plot.subplots(1, 2, width=9.5, height=3.6)
for panel, (ax, title, ylabel) in enumerate(zip(axes, ("the errors hardly differ …", "… the confidence does"), ("test error in %", "NLL of the test labels, nats"))):
    for model, name in enumerate(("naive Bayes", f"logistic regression, τ² = {weak:g}", f"logistic regression, τ² = {strong:g}")):
        mean, spread = results[model, panel].mean(1), results[model, panel].std(1, correction=0)
        ax.plot(sizes, mean, "o-", color=plot.COLORS[model], label=name)
        ax.fill_between(sizes, mean - spread, mean + spread, color=plot.COLORS[model], alpha=0.2, linewidth=0)
    ax.set(xscale="log", xlabel="training images per class", ylabel=ylabel, title=title, ylim=(0, None), xticks=sizes, xticklabels=sizes)
    ax.minorticks_off()
axes[0].legend(loc="upper right")
plt.show()
plot.table(
    [(size, *(float(v) for v in results[:, :, s].mean(-1).T.flatten())) for s, size in enumerate(sizes)],
    header=("images per class", "error %: NB", "LR", "LR, prior", "NLL: NB", "LR", "LR, prior"),
)
print()
plot.table([("logistic regression is better by, points", guess_points, float((results[0, 0, -1] - results[1, 0, -1]).mean()))], header=("", "your guess", "result"))
print()
plot.table([(m, f"{num_parameters([2] * 64, m):,}") for m in (0, 1, 2, 8, 16, 63)], header=("memory m", "parameters of 64 binary pixels"))

# %% [markdown]
# Two surprises. The predicted crossing is not visible: over 20 random splits into training and test set, the errors of naive Bayes and of plain logistic regression differ by at most 0.4 points at any size
# from 1 to 100, with standard errors of 0.3 to 0.4. The NLL tells them apart: plain logistic regression separates its training images and grows too sure, so its NLL *rises* with more data, in those splits from
# 0.63 at 30 images to 0.90 at 100. The prior matters more than the choice between the two: at 100 images it is 3.7 ± 0.2 points ahead of naive Bayes, whose assumption stays wrong however many
# images there are. **Knobs:** set `strong` to 0.01, then to 30. At which sizes is the NLL lower than with 1?
#
# The last table: with independent pixels the $2^{64}-1$ free numbers of a full table shrink to 64.
#
# **What to remember.**
# - A Gaussian prior is an L2 penalty; in a mean loss its coefficient shrinks like $1/N$.
# - Naive Bayes is a linear classifier that is fitted by counting.
# - An independence assumption saves parameters, and what it gets wrong stays wrong with any amount of data.
#
# Question 9 replaces the tables by logistic regressions.

# %% [markdown]
# At which of these six noise levels would you train a network most?

# %%
nats_photo = 2 * data.photo("flower", size=128) - 1
nats_times = (5, 20, 100, 300, 500, 700)
figure, axes = plot.subplots(1, 6, width=10, height=2.3)
for ax, nats_t in zip(axes, nats_times):
    nats_level, nats_draw = linear_alpha_bar()[nats_t], torch.randn(1, 1, 128, 128, generator=dgm.generator(nats_t))
    plot.images((nats_level.sqrt() * nats_photo + (1 - nats_level).sqrt() * nats_draw) / 2 + 0.5, ax=ax)
    ax.set_title(f"t = {nats_t}", fontsize=10)
figure.suptitle("Where is the work of a denoiser?", fontsize=12)
plt.show()

# %% [markdown]
# The usual training picks $t$ at random, noises a picture, and asks for the noise:
#
# $$L_t=\text{mean over pixels of }\bigl(\varepsilon-\hat\varepsilon(x_t,t)\bigr)^2. \tag{4.1}$$
#
# Always answering 0 costs about 1. Does a small $L_t$ mean that data is probable? Should all $t$ count alike?
#
# ### What it bounds
#
# The way back is a latent-variable model. It starts at $p(x_T)=\mathcal N(0,I)$. Each step is Question 3's posterior, with the guess $\hat x_0$ that follows from $\hat\varepsilon$ in place of $x_0$. The last step is $p(x_0\mid x_1)=\mathcal N(\hat x_0,\beta_1I)$. The latents
# are all noisy pictures, and the encoder only adds noise. So the ELBO of set 2 says, on average over the noise,
#
# $$-\log p(x_0)\ \le\ \underbrace{\mathrm{KL}\bigl(q(x_T\mid x_0)\,\|\,p(x_T)\bigr)}_{\text{row }0}+\underbrace{\bigl[-\log p(x_0\mid x_1)\bigr]}_{\text{row }1}+\sum_{t=2}^T\underbrace{\mathrm{KL}\bigl(q(x_{t-1}\mid x_t,x_0)\,\|\,p(x_{t-1}\mid x_t)\bigr)}_{\text{row }t}. \tag{4.2}$$
#
# **On paper.** The Gaussians of row $t$ have the same variance, so their KL is the squared distance of their means over twice that. Show that each row from 1 on is
#
# $$w_t\,\|\varepsilon-\hat\varepsilon\|^2+\text{constant}, \tag{4.3}$$
#
# with a sum over pixels. The constant is 0 except in row 1. Find $w_1$, and the other $w_t$ from two SNRs. For $\bar\alpha=1,\,0.64,\,0.16$ you should find $w_1=0.781$ and $w_2=4.17$. So (4.1) *is* a bound, up to these weights (and, as (4.1) is a mean, the number of pixels). `training_times` and `shift` are asked further below.

# %% role="answer"
def eps_loss(model, x0: Float[Tensor, "N ..."], t: Int[Tensor, "N"], eps: Float[Tensor, "N ..."], alpha_bar: Float[Tensor, "T+1"]) -> Float[Tensor, "N"]:
    """(4.1) for each example: the mean over all its numbers. Differentiable in the model's parameters.

    Args:
        model: called once, as ``model(x_t, t)``; answers a guess of eps.
        x0: at least two axes.
    """
    ### BEGIN SOLUTION
    x_t = q_sample(x0, t, eps, alpha_bar)
    return (model(x_t, t) - eps).square().flatten(1).mean(1)
    ### END SOLUTION


def bound_weights(alpha_bar: Float[Tensor, "T+1"]) -> Float[Tensor, "T+1"]:
    """w_t of (4.3) for t = 1 … T, and 0 in front, so that `weights[t]` belongs to t. All levels are above 0."""
    ### BEGIN SOLUTION
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    return torch.cat([0 * snr[:1], 0.5 / alpha_bar[1:2], 0.5 * (snr[:-1] / snr[1:] - 1)])
    ### END SOLUTION


def bound_terms(model, x0: Float[Tensor, "N ..."], alpha_bar: Float[Tensor, "T+1"], eps: Float[Tensor, "T+1 N ..."]) -> Float[Tensor, "T+1 N"]:
    """The rows of (4.2) in nats, for each example, summed over its numbers. Differentiable in the model's parameters.

    Args:
        model, x0: as for `eps_loss`.
        eps: eps[t] is the noise at time t; eps[0] is not used.
    """
    ### BEGIN SOLUTION
    T, size = len(alpha_bar) - 1, x0[0].numel()
    losses = [eps_loss(model, x0, torch.full((len(x0),), t, device=x0.device), eps[t], alpha_bar) for t in range(1, T + 1)]
    rows = size * bound_weights(alpha_bar)[1:, None] * torch.stack(losses)
    constant = F.pad(0.5 * size * torch.log(2 * math.pi * (1 - alpha_bar[1:2])), (0, T - 1))
    prior = 0.5 * (alpha_bar[-1] * (x0.square() - 1) - torch.log1p(-alpha_bar[-1])).flatten(1).sum(1)
    return torch.cat([prior[None], rows + constant[:, None]])
    ### END SOLUTION

# %% role="check"
grader.check("q4")

# %% [markdown]
# For Gaussian data the best denoiser is known, so only the bound can be loose.
#
# **Before you run this.** One number $x_0\sim\mathcal N(0,1)$, its best denoiser, the linear schedule with 1,000 steps. By how many nats is the bound above $-\log p(x_0)$?

# %% role="given"
def exact_noise(mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"], alpha_bar: Float[Tensor, "T+1"]):
    # the best model(x_t, t) for data from N(mean, cov)
    values, vectors = torch.linalg.eigh(cov)

    def model(x_t, t):
        level = alpha_bar[t][:, None]
        away = (x_t - level.sqrt() * mean) @ vectors
        return ((1 - level).sqrt() * away / (level * values + 1 - level)) @ vectors.T

    return model


def even_alpha_bar(T: int) -> Float[Tensor, "T+1"]:
    # every step divides the SNR by the same number, from 10^4 to 10^-5
    snr = torch.logspace(4, -5, T, dtype=torch.float64)
    return F.pad(snr / (1 + snr), (1, 0), value=1.0).float()

# %%
guess_gap = None   # type a number, in nats

# %%
bound_steps = (100, 1000)   # a knob: add 4000. Which gaps go to 0?

bound_draws, bound_rows = dgm.generator(0), []
bound_x = torch.randn(dgm.budget(smoke=20, cpu=4000, gpu=4000), 1, generator=bound_draws, dtype=torch.float64)
bound_nll = 0.5 * bound_x[:, 0].square() + 0.5 * math.log(2 * math.pi)
bound_expected = {("linear", 100): "1.4", ("linear", 1000): "0.46", ("cosine", 100): "0.78", ("cosine", 1000): "0.41", ("even", 100): "0.46", ("even", 1000): "0.04"}
for bound_name, bound_schedule in {"linear": linear_alpha_bar, "cosine": cosine_alpha_bar, "even": even_alpha_bar}.items():
    for bound_T in bound_steps:
        bound_levels = bound_schedule(bound_T).double()
        bound_noise = torch.randn(bound_T + 1, *bound_x.shape, generator=bound_draws, dtype=torch.float64)
        bound_found = bound_terms(exact_noise(torch.zeros(1).double(), torch.eye(1).double(), bound_levels), bound_x, bound_levels, bound_noise).sum(0)
        bound_case = (bound_name, bound_T)
        bound_rows.append((*bound_case, float(bound_found.mean()), float(bound_nll.mean()), float((bound_found - bound_nll).mean()), bound_expected.get(bound_case), guess_gap if bound_case == ("linear", 1000) else None))
plot.table(bound_rows, header=("schedule", "T", "bound", "exact -log p", "gap", "expected", "your guess"))

# %% [markdown]
# (Over six seeds: 0.41 to 0.50 for linear, 0.03 to 0.06 for even, with 1,000 steps.) Where the noise is too small to be guessed, a step that divides the SNR by $r$ costs $\frac12(r-1-\log r)$ nats too
# much, although the denoiser is perfect. The first steps of the linear schedule have
# $r$ above $2,\frac32,\frac43,\dots$, however large $T$ is, so its gap never falls below 0.29. With even steps $r\to1$, and the bound becomes exact.
#
# ### Where the nats are
#
# For pictures, take a Gaussian fitted to small patches of the photograph, and its best denoiser. How much of $\sum_t w_tL_t$ belongs to times up to $t$? Beside it: equal weights, and the **min-SNR** rule, which gives the error of $x_0$ the weight $\min(\text{SNR},5)$.

# %% role="given"
def min_snr_weights(alpha_bar: Float[Tensor, "T+1"], gamma: float = 5.0) -> Float[Tensor, "T+1"]:
    # weights min(SNR, gamma) of the error of x0, as weights of L_t; 0 in front
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    return F.pad((gamma / snr).clamp(max=1), (1, 0))

# %%
share_levels = linear_alpha_bar(1000)   # a knob: cosine_alpha_bar(1000)

share_x = data.patches(nats_photo, 8, dgm.budget(smoke=100, cpu=500, gpu=500)).flatten(1)
share_model = exact_noise(share_x.mean(0), torch.cov(share_x.T) + 1e-6 * torch.eye(64), share_levels)
share_draws = dgm.generator(1)
share_loss = [eps_loss(share_model, share_x, torch.full((len(share_x),), t), torch.randn(share_x.shape, generator=share_draws), share_levels).mean() for t in range(1, 1001)]
share_loss = F.pad(torch.stack(share_loss), (1, 0))
share_of = {"bound": bound_weights(share_levels), "all alike": torch.ones(1001), "min-SNR": min_snr_weights(share_levels)}
share_of = {name: (weights * share_loss).cumsum(0) / (weights * share_loss).sum() for name, weights in share_of.items()}
figure, axes = plot.subplots(1, 6, width=10, height=2.6)
for ax, share_t in zip(axes, nats_times):
    share_noisy = q_sample(nats_photo, torch.tensor([share_t]), torch.randn(1, 1, 128, 128, generator=dgm.generator(share_t)), share_levels)
    plot.images(share_noisy / 2 + 0.5, ax=ax)
    ax.set_title(f"t ≤ {share_t}\nbound {float(share_of['bound'][share_t]):.0%}\nall alike {float(share_of['all alike'][share_t]):.0%}", fontsize=10)
figure.suptitle("Most of the bound is paid for noise that can hardly be seen", fontsize=12)
plt.show()
plot.table([(f"t ≤ {t}", *(f"{float(share[t]):.0%}" for share in share_of.values()), expected) for t, expected in zip(nats_times, ("57, 9, 0", "81, 26, 1", "96, 63, 17", "99, 89, 75", "100, 98, 95", "100, 100, 100"))], header=("share", *share_of, "expected"))

# %% [markdown]
# The bound asks for the last digit of every pixel, which nobody looks at. So models that draw usually get other weights.
#
# ### Drawing t
#
# Draw $t$ with probabilities $p_t$, give each draw the weight $1/(T\,p_t)$, and the expected loss is that of uniform $t$: only its spread changes. With $T=2$ and $p=(0.8,0.2)$ the weights are $0.625$
# and $2.5$. Without them you train on another loss.
#
# ### Larger pictures
#
# At the same noise level more can be seen of a larger picture. Average blocks of $s\times s$ pixels: the picture stays, the noise is divided by $s$. So for a picture $s$ times as wide, **shift** the schedule: divide the ratio $\sqrt{\bar\alpha_t}/\sqrt{1-\bar\alpha_t}$ by $s$ at every $t$.
# **On paper:** which $\bar\alpha_t$ is that? From $0.64$ and $s=2$ you should find $\frac4{13}=0.308$.

# %% role="answer"
def training_times(u: Float[Tensor, "N"], probs: Float[Tensor, "T+1"]) -> tuple[Int[Tensor, "N"], Float[Tensor, "N"]]:
    """Draws of t and their weights 1/(T p_t).

    Args:
        u: uniform in [0, 1): t is the first with p_1 + … + p_t > u; T if rounding leaves none.
        probs: probs[t] belongs to t; they sum to 1, and probs[0] is 0.
    """
    ### BEGIN SOLUTION
    t = torch.searchsorted(probs.cumsum(0), u, right=True).clamp(max=len(probs) - 1)
    return t, 1 / ((len(probs) - 1) * probs[t])
    ### END SOLUTION


def shift(alpha_bar: Float[Tensor, "*batch"], s: float) -> Float[Tensor, "*batch"]:
    """The levels with the ratio of signal to noise divided by s > 0. Levels of 0 and 1 stay."""
    ### BEGIN SOLUTION
    return alpha_bar / (alpha_bar + s**2 * (1 - alpha_bar))
    ### END SOLUTION

# %% role="check"
grader.check("q4")

# %% [markdown]
# **Before you run this.** One drawn $t$, rightly weighted, estimates $\sum_t w_tL_t$; $x_0$ is one number again. Draw $t$ in proportion to $w_t$ instead of uniformly. How many times smaller is the
# standard deviation of the estimate?

# %% role="given"
def logit_normal(T: int, mean: float = 0.0, std: float = 1.0) -> Float[Tensor, "T+1"]:
    # probabilities of t = 1 ... T if log(t / (T - t)) is about normal; 0 in front
    edges = torch.logit(torch.arange(T + 1, dtype=torch.float64) / T)
    return F.pad(torch.special.ndtr((edges - mean) / std).diff(), (1, 0)).float()

# %%
guess_spread = None   # type a number: spread of uniform t over spread of t drawn by w_t

# %%
logit_mean, logit_std = 0.0, 1.0   # knobs: -3 and 2. Can it beat w_t?

times_levels = linear_alpha_bar(1000)
times_weights, times_count = bound_weights(times_levels), dgm.budget(smoke=100, cpu=200_000, gpu=200_000)
times_probs = {"uniform": F.pad(torch.full((1000,), 0.001), (1, 0)), "by w_t": times_weights / times_weights.sum(), "logit-normal": logit_normal(1000, logit_mean, logit_std)}
times_model, times_draws, times_rows = exact_noise(torch.zeros(1), torch.eye(1), times_levels), dgm.generator(2), []
for (times_name, times_p), times_expected in zip(times_probs.items(), ("5.6, 52", "5.6, 11", "2.8 to 7.9")):
    times_t, times_weight = training_times(torch.rand(times_count, generator=times_draws), times_p)
    times_x, times_noise = torch.randn(2, times_count, 1, generator=times_draws)
    times_found = 1000 * times_weight * times_weights[times_t] * eps_loss(times_model, times_x, times_t, times_noise, times_levels)
    times_rows.append([times_name, float(times_found.mean()), float(times_found.std()), times_expected, None])
times_rows[1][-1] = guess_spread
plot.table(times_rows, header=("t drawn", "mean", "spread", "expected", "your guess of the factor"))
print(f"factor: {times_rows[0][2] / times_rows[1][2]:.1f} (expected 4.6)")

shift_levels = cosine_alpha_bar(1000)
shift_twice = shift(shift(shift_levels, 2), 3)[500]
print(f"shifted by 2, then by 3: the ratio at t = 500 is divided by {float((shift_levels[500] / (1 - shift_levels[500]) * (1 - shift_twice) / shift_twice).sqrt()):.3f} (expected 6.000)")

# %%
shift_s = 8   # a knob: 2. How large must it be for the first and the last row to look alike?

shift_rows = (("32 × 32", 32, shift_levels), ("256 × 256", 256, shift_levels), ("256, shifted", 256, shift(shift_levels, shift_s)), ("averaged", 256, shift(shift_levels, shift_s)))
figure, axes = plot.subplots(4, 5, width=8, height=7)
for row, (shift_name, shift_side, shift_level) in zip(axes, shift_rows):
    shift_x = 2 * data.photo("flower", size=shift_side) - 1
    for ax, shift_t in zip(row, (100, 300, 500, 700, 900)):
        shift_noisy = q_sample(shift_x, torch.tensor([shift_t]), torch.randn(shift_x.shape, generator=dgm.generator(shift_t)), shift_level)
        if shift_name.startswith("averaged"):   # and with variance 1 again
            shift_noisy = F.avg_pool2d(shift_noisy, 8) / (shift_level[shift_t] + (1 - shift_level[shift_t]) / 64).sqrt()
        plot.images(shift_noisy / 2 + 0.5, ax=ax)
        ax.set_title(f"{shift_name}, t = {shift_t}" if shift_t == 100 else f"{shift_t}", fontsize=9)
figure.suptitle("Averaged over its blocks, the shifted large picture is as noisy as the small one", fontsize=12)
plt.show()

# %% [markdown]
# Uniform and $w_t$ agree on the mean. The logit-normal hardly ever draws small $t$, where the bound is: right in expectation, its mean is 2.8 to 7.9 over eight seeds. (Moved there, with $-3$ and $2$, it just beats $w_t$.) It is mostly used *without* weights, to train where pictures take shape.
#
# ### Why? (3 points)
#
# At most nine lines. (a) The denoiser is exact, yet the bound is 0.46 nats too high. What in $p$ is wrong, and where? Name a remedy that keeps the linear schedule. (b) Equal weights make the bound worse than $w_t$, and often the pictures better.
# How can both be? (c) A colleague draws $t$ logit-normally without the weights $1/(Tp_t)$. What does the network minimise now? Does that change the best network, if it can be best at every $t$? And if it is small?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) The mean of p(x_{t-1} | x_t) is right, but its variance is that of q(x_{t-1} | x_t, x0), as if x0 were known. The true one is larger, by what x_t leaves open about x0. That matters in the first steps, where one step changes the SNR by a factor of 2, 3/2, …
# Remedy: another variance there, learnt, or between that of the posterior and β_t.
#
# (b) Almost all of the bound lies at small t, where the noise is invisible. Equal weights spend the network's capacity and the gradient on larger t, where shapes are decided. So details below visibility are modelled worse, which costs nats, and shapes better, which is what one sees.
#
# (c) The loss in which L_t has the weight T p_t. A network that can be exact at every t has the same optimum under all positive weights, as each L_t is minimised by itself. With limited capacity, or limited training, it becomes better where p_t is large and worse elsewhere.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - The noise loss, with the weights $w_t$, bounds $-\log p$. The gap depends on the steps, not only on the network.
# - The bound's nats are at small $t$; what is seen is decided later. Weights choose what to learn, drawing only how noisily.
# - A picture $s$ times as wide needs a ratio of signal to noise $s$ times smaller.
#
# `eps_loss` trains the network of Question 5.

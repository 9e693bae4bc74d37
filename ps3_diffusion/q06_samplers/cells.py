# %% [markdown]
# Your network draws three digits in the crude way, each row from one noise image. The number above each column counts its evaluations.

# %%
strip_counts = (1, 2, 4, 8, 50)
hook_draws = [draw_crudely(glyph_denoiser, torch.tensor([2, 5, 8]), count, seed=1) for count in strip_counts]
plot.images(torch.stack(hook_draws, 1).flatten(0, 1) / 2 + 0.5, titles=[f"{count} evaluation{'s' * (count > 1)}" for count in strip_counts] + [""] * 10, ncols=5, suptitle="The crude way: new noise each time, so each count draws another digit")
plt.show()

# %% [markdown]
# Guess the picture, forget the noise, add new noise: that draws clean digits. But it throws away what the network just said about the noise.
#
# Steps that keep some of this noise make a family of samplers for one network. You write it, and a step that looks back, and measure both where the truth is known.
#
# ### Keep the noise, or a part of it
#
# At $t$ the network's $\varepsilon$ tells a picture $\hat x_0$ (Question 3). To reach an earlier time $s$ with the right amount of noise, take that picture, some of the noise $\varepsilon$ already there, and new
# noise $z$ of standard deviation $\sigma$:
#
# $$x_s=\sqrt{\bar\alpha_s}\,\hat x_0+\sqrt{1-\bar\alpha_s-\sigma^2}\;\varepsilon+\sigma z,\qquad \sigma=\eta\,\sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}\Bigl(1-\frac{\bar\alpha_t}{\bar\alpha_s}\Bigr)}. \tag{6.1}$$
#
# Old and new noise together always have the variance $1-\bar\alpha_s$. With $\eta=0$ nothing is random: **DDIM**. With $\eta=1$, $\sigma^2$ is the variance of Question 3's posterior, stretched over a longer step: **DDPM**. Take $\bar\alpha_t=0.36$,
# $\bar\alpha_s=0.64$, $x_t=1$, $\varepsilon=0.5$. Then $\hat x_0=(1-0.8\cdot0.5)/0.6=1$. DDIM goes to $0.8\cdot1+0.6\cdot0.5=1.1$. DDPM has $\sigma=0.496$ and goes to $0.969+0.496z$.
#
# A guess $\hat x_0$ outside the range of pixels is cut off. Then $\varepsilon$ must change with it, so that both still make $x_t$.
#
# ### A step that looks back
#
# DDIM solves a differential equation in disguise. Measure time by $\lambda=\log\sqrt{\bar\alpha/(1-\bar\alpha)}$, which grows on the way to data, and follow $x/\sqrt{1-\bar\alpha}$. Then only $\hat x_0$ is left to integrate:
#
# $$\frac{x_s}{\sqrt{1-\bar\alpha_s}}=\frac{x_t}{\sqrt{1-\bar\alpha_t}}+\int_{\lambda_t}^{\lambda_s}e^{\lambda}\,\hat x_0(\lambda)\,d\lambda. \tag{6.2}$$
#
# **On paper:** (a) hold $\hat x_0$ constant. With $h=\lambda_s-\lambda_t$ you get
#
# $$x_s=\sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}}\;x_t+\sqrt{\bar\alpha_s}\,\bigl(1-e^{-h}\bigr)\,\hat x_0, \tag{6.3}$$
#
# which is DDIM: the example gives $0.75\cdot1+0.8\cdot0.4375=1.1$. (b) But $\hat x_0$ changes on the way. You know it at the beginning of this step and of the one before, of length $h'$. Lay a line through these two over $\lambda$. What
# does it say for the *middle* of the new step? Put that into (6.3) in place of $\hat x_0$. With $h=h'$ it is $1.5$ times the new guess less $0.5$ times the old one. This is **DPM-Solver++ (2M)**, at no extra evaluation.
#
# ### Your task
#
# Write the list of times, the family (6.1), the loop that walks from $t=T$ to $0$, and your solver. The list must begin with $T$, where $x$ is pure noise.

# %% role="answer"
def sampling_times(steps: int, T: int) -> Int[Tensor, "steps+1"]:
    """Evenly spaced numbers from T down to 0, both included, rounded to the nearest (int64); steps is 1 … T."""
    ### BEGIN SOLUTION
    return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().long()
    ### END SOLUTION


def ddim_step(
    x: Float[Tensor, "N ..."], eps: Float[Tensor, "N ..."], t: int, s: int, alpha_bar: Float[Tensor, "T+1"], eta: float,
    noise: Float[Tensor, "N ..."], clip: float | None = None,
) -> Float[Tensor, "N ..."]:
    """x at time s < t by (6.1). t and s are numbers, or tensors without axes; eta is between 0 and 1; s may be 0. Differentiable.

    Args:
        clip: if given (above 0), the guess is cut off at -clip and clip, and eps is solved again from x and the cut guess.
    """
    ### BEGIN SOLUTION
    now, then = alpha_bar[t], alpha_bar[s]
    x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()
    if clip is not None:
        x0 = x0.clamp(-clip, clip)
        eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
    sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
    kept = (1 - then - sigma**2).clamp(min=0).sqrt()
    return then.sqrt() * x0 + kept * eps + sigma * noise
    ### END SOLUTION


def sample(
    step, model, x_T: Float[Tensor, "N ..."], times: Int[Tensor, "S+1"], alpha_bar: Float[Tensor, "T+1"], noise: Float[Tensor, "S ..."]
) -> Float[Tensor, "N ..."]:
    """Walk from x_T at times[0] to the last of the times, and return x there. No graph is kept.

    Args:
        step: ``step(x, eps, t, s, alpha_bar, noise[i])`` is x at the next time s.
        model: ``model(x, t)`` is eps, with one t (int64) for each example.
    """
    ### BEGIN SOLUTION
    x = x_T
    with torch.no_grad():
        for t, s, z in zip(times[:-1], times[1:], noise):
            x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z)
    return x
    ### END SOLUTION


def dpm_solver_2m(
    model, x_T: Float[Tensor, "N ..."], times: Int[Tensor, "S+1"], alpha_bar: Float[Tensor, "T+1"], clip: float | None = None
) -> Float[Tensor, "N ..."]:
    """As `sample`, by (6.3) with your line and one evaluation a step. The first step, and a step to t = 0, hold the guess constant.

    Args:
        clip: if given (above 0), each guess is cut off before it is used or kept.
    """
    ### BEGIN SOLUTION
    x, old, length = x_T, None, None
    lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())
    with torch.no_grad():
        for t, s in torch.stack([times[:-1], times[1:]], dim=1):
            x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()
            x0 = x0 if clip is None else x0.clamp(-clip, clip)
            h = lam[s] - lam[t]
            middle = x0 if old is None or s == 0 else x0 + h / (2 * length) * (x0 - old)
            x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle
            old, length = x0, h
    return x
    ### END SOLUTION

# %% role="check"
grader.check("q6")

# %% [markdown]
# Given: steps of the family for `sample`, and the crude one.

# %% role="given"
def ddpm_step(x, eps, t, s, alpha_bar: Float[Tensor, "T+1"], noise, clip: float | None = None) -> Float[Tensor, "N ..."]:
    return ddim_step(x, eps, t, s, alpha_bar, 1.0, noise, clip)


def ode_step(x, eps, t, s, alpha_bar: Float[Tensor, "T+1"], noise, clip: float | None = None) -> Float[Tensor, "N ..."]:
    return ddim_step(x, eps, t, s, alpha_bar, 0.0, noise, clip)


def crude_step(x, eps, t, s, alpha_bar: Float[Tensor, "T+1"], noise) -> Float[Tensor, "N ..."]:
    return alpha_bar[s].sqrt() * (x - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt() + (1 - alpha_bar[s]).sqrt() * noise

# %% [markdown]
# ### Where the truth is known
#
# The data is $\mathcal N(1,0.25)$, one number. Then the best $\varepsilon$ is a straight line in $x$, and the end of the differential equation is known. Below left, its steps are equal in $\lambda$ from $-3$ to $3$.
#
# **Before you run this.** With 20 steps your solver's error is 0.0032. With 40?

# %%
guess_error_40 = None   # type a number

# %%
gauss_mean, gauss_v = 1.0, 0.25   # a knob: v = 0.01 and 4. For which data does DDPM need many steps?

gauss_levels = cosine_alpha_bar(1000).double()


def gauss_model(levels):
    # the exact eps for N(gauss_mean, gauss_v)
    def model(x, t):
        level = levels[t].reshape(-1, *[1] * (x.ndim - 1))
        return (1 - level).sqrt() * (x - level.sqrt() * gauss_mean) / (level * gauss_v + 1 - level)
    return model


def drawn_moments(step, times):
    # mean and standard deviation of what a sampler draws, exactly: each step is a straight line in x and in its noise
    model, mean, variance, points = gauss_model(gauss_levels), 0.0, 1.0, torch.tensor([0.0, 1.0, 0.0]).double()
    for t, s in torch.stack([times[:-1], times[1:]], dim=1):
        zero, one, noisy = step(points, model(points, t.expand(3)), t, s, gauss_levels, torch.tensor([0.0, 0.0, 1.0]).double()).tolist()
        mean, variance = zero + (one - zero) * mean, (one - zero) ** 2 * variance + (noisy - zero) ** 2
    return mean, math.sqrt(variance)


fine_levels = cosine_alpha_bar(20000).double()
fine_lam = 0.5 * (fine_levels / (1 - fine_levels))[1:].log()
fine_x, error_counts = torch.linspace(-2, 2, 9).double()[:, None], (20, 40, 80, 160)
solver_errors = {"DDIM": [], "2M": []}
for count in error_counts:
    times = torch.stack([(fine_lam - lam).abs().argmin() + 1 for lam in torch.linspace(-3, 3, count + 1)])
    first, last = fine_levels[times[0]], fine_levels[times[-1]]
    exact = last.sqrt() * gauss_mean + (fine_x - first.sqrt() * gauss_mean) * ((last * gauss_v + 1 - last) / (first * gauss_v + 1 - first)).sqrt()
    ends = sample(ode_step, gauss_model(fine_levels), fine_x, times, fine_levels, torch.zeros(count, 1)), dpm_solver_2m(gauss_model(fine_levels), fine_x, times, fine_levels)
    for name, end in zip(solver_errors, ends):
        solver_errors[name].append(float((end - exact).square().mean().sqrt()))
spread_counts = (2, 5, 10, 20, 50, 200, 1000)
figure, (left, right) = plot.subplots(1, 2, width=10, height=3.3)
for name, errors in solver_errors.items():
    slope = -np.polyfit(np.log(error_counts), np.log(errors), 1)[0]
    left.loglog(error_counts, errors, marker="o", label=f"{name}, slope {slope:.2f}")
left.set(xlabel="evaluations", ylabel="error of x", title="Looking back: error falls with the square")
left.set_xticks(error_counts, error_counts)
left.minorticks_off()
left.legend()
for name, step in (("crude", crude_step), ("DDPM", ddpm_step), ("DDIM", ode_step)):
    right.semilogx(spread_counts, [drawn_moments(step, sampling_times(count, 1000))[1] for count in spread_counts], marker="o", label=name)
right.axhline(math.sqrt(gauss_v), color="#444444", linestyle="--", label="data")
right.set(xlabel="evaluations", ylabel="standard deviation", title="Few steps draw too narrowly; the crude way always")
right.legend()
plt.show()
plot.table([
    ("error of DDIM, 20 evaluations", solver_errors["DDIM"][0], "0.046", None), ("error of 2M, 20 evaluations", solver_errors["2M"][0], "0.0032", None),
    ("error of 2M, 40 evaluations", solver_errors["2M"][1], "0.00084", guess_error_40),
    ("deviation drawn by DDPM, 10 evaluations", drawn_moments(ddpm_step, sampling_times(10, 1000))[1], "0.389", None),
    ("deviation drawn by the crude way, 1000", drawn_moments(crude_step, sampling_times(1000, 1000))[1], "0.351", None),
], header=("", "yours", "expected", "your guess"))

# %% [markdown]
# Twice the steps, a quarter of the error. All three rules start too narrowly, since a guess is an average. DDIM reaches the truth, DDPM too, with more steps. The crude way never does: in the limit it draws half the variance of a Gaussian,
# however wide. So its digits look clean and lack variety.
#
# ### Is this grid right?
#
# A public course chose its times by `torch.arange(0, T, T // S)`, backwards, and digits came out. What does it draw where the truth is known?

# %%
grid_counts = (5, 10, 50)   # a knob: 2 and 500. When does the fault become invisible?

grid_rows = []
for count in grid_counts:
    short = torch.arange(0, 1000, 1000 // count).flip(0)
    grid_rows.append((count, int(short[0]), *(f"{drawn_moments(ode_step, times)[0]:.3f}, {drawn_moments(ode_step, times)[1]:.3f}" for times in (short, sampling_times(count, 1000)))))
plot.table(grid_rows, header=("evaluations", "its first time", "mean, deviation by its grid", "by yours"))

# %% [markdown]
# It starts with pure noise, but tells the network that part of it is picture: all means are pulled towards 0. (The deviation looks even better, by accident.) Many steps hide the fault, and samplers of
# well-known large models had it.
#
# ### One noise, one network, three rules
#
# **Before you run this.** Ask DDPM for 100 digits with 4 evaluations each, and let the nearest of 5,000 training images say what was drawn. How many are what was asked for? With 50 evaluations it is 92. (*Variety*, in the table, is the standard deviation of a pixel among drawings of the same digit.)

# %%
guess_readable = None   # type a number

# %%
strip_seed, strip_digit = 3, 5   # a knob: other noise, another digit. Which rows keep their picture from 4 evaluations on?

strip_rules = {"DDPM": ddpm_step, "DDIM": ode_step}


def draw_digits(rule, y, evaluations, seed):
    # digits by DDPM, DDIM or 2M, from the noise of a seed
    numbers = dgm.generator(seed)
    x_T, times = torch.randn(len(y), 1, 16, 16, generator=numbers), sampling_times(evaluations, 1000)

    def asked(x, t):
        return glyph_denoiser(x, t, y)

    def step(*given):
        return strip_rules[rule](*given, clip=1.0)

    if rule == "2M":
        return dpm_solver_2m(asked, x_T, times, glyph_alpha_bar, clip=1.0)
    return sample(step, asked, x_T, times, glyph_alpha_bar, torch.randn(evaluations, *x_T.shape, generator=numbers))


figure, axes = plot.subplots(3, 5, width=8, height=5)
for row, rule in zip(axes, ("DDPM", "DDIM", "2M")):
    for ax, count in zip(row, strip_counts):
        plot.images(draw_digits(rule, torch.tensor([strip_digit]), count, strip_seed) / 2 + 0.5, ax=ax)
        ax.set_title(f"{rule}, {count}", fontsize=10)
figure.suptitle("One noise, one network, 1 to 50 evaluations", fontsize=12)
plt.show()

judge_x, judge_y = glyph_x[:5000].flatten(1), glyph_y[:5000]
judge_asked = torch.arange(dgm.budget(smoke=20, cpu=100, gpu=100)) % 10


def readable(drawn):
    # per cent of the drawings whose nearest training image is what was asked for
    return 100 * float((judge_y[torch.cdist(drawn.flatten(1), judge_x).argmin(1)] == judge_asked).float().mean())


def variety(drawn, asked):
    # standard deviation of a pixel among drawings of the same digit
    return float(torch.stack([drawn[asked == digit].var(0).mean() for digit in range(10)]).mean().sqrt())


real_x, real_y = data.glyphs(dgm.budget(smoke=100, cpu=1000, gpu=1000), size=16, split="test")
readable_rows, most = [("new images", None, None, None, None, variety(2 * real_x - 1, real_y), "0.417", None)], dgm.budget(smoke=9, cpu=50, gpu=50)
for rule, expected in (("DDPM", "96, 92; 0.30, 0.34, 0.39"), ("DDIM", "96, 89; 0.30, 0.35, 0.38"), ("2M", "95, 89; 0.32, 0.37, 0.38")):
    found = [draw_digits(rule, judge_asked, count, 0) for count in (4, 8, most)]
    readable_rows.append((rule, readable(found[0]), readable(found[2]), *(variety(each, judge_asked) for each in found), expected, guess_readable if rule == "DDPM" else None))
plot.table(readable_rows, header=("", "readable with 4", f"with {most}", "variety with 4", "with 8", f"with {most}", "expected", "your guess"))

# %% [markdown]
# With 4 evaluations nearly everything can be read. (Over five noises DDPM has 96 to 100 with 4, and 92 to 99 with 50.) A hasty sampler draws near the average of each digit, as on the
# Gaussian, and averages are easy to read. What is lost is variety, which a judge of readability does not see.
#
# Watch the walk:

# %%
film_rule = "DDIM"   # a knob: "DDPM". From when on could you say which digit it will be?

film_steps, film_numbers = dgm.budget(smoke=5, cpu=50, gpu=50), dgm.generator(strip_seed)
film_frames = [torch.randn(10, 1, 16, 16, generator=film_numbers)]


def film_step(*given):
    film_frames.append(strip_rules[film_rule](*given, clip=1.0))
    return film_frames[-1]


sample(film_step, lambda x, t: glyph_denoiser(x, t, torch.arange(10)), film_frames[0], sampling_times(film_steps, 1000), glyph_alpha_bar, torch.randn(film_steps, 10, 1, 16, 16, generator=film_numbers))
film_frames = torch.stack(film_frames) / 2 + 0.5
plot.images(film_frames[:: max(1, film_steps // 5)].flatten(0, 1), ncols=10, suptitle="From noise to digits")
plt.show()
plot.film(film_frames, ncols=10)

# %% [markdown]
# **What to remember**
# - One network, many samplers: $\eta$ says how much of the noise is new.
# - A look back at the last guess costs nothing, and the error falls with the square of the step.
# - Start where the noise is, at $T$; and do not mistake readable for right.
#
# `ddim_step` and `sample` return in Questions 8 and 9.

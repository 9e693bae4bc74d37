# %% [markdown]
# Somebody put digits at random places, and flipped three pixels in ten. Run the cells. Can you read the first row? The second is drawn by an untrained program.

# %% role="given"
def glyph_causes() -> Float[Tensor, "250 256"]:
    """Black-and-white images of 16×16 pixels: ten digits at 25 places; cause 25·d + place shows digit d."""
    pictures, labels = data.glyphs(400, size=12)
    bold = [pictures[labels == d][pictures[labels == d].sum((1, 2, 3)).argmax(), 0] for d in range(10)]
    places = [(row, column) for row in range(5) for column in range(5)]
    return torch.stack([F.pad((digit > 0.4).double(), (c, 4 - c, r, 4 - r)) for digit in bold for r, c in places]).flatten(1)


def glyph_log_joint(
    x: Float[Tensor, "N 256"], causes: Float[Tensor, "K 256"], log_prior: Float[Tensor, "K"], flips: float
) -> Float[Tensor, "N K"]:
    """log p(x, z) for every cause: log p(z), and each pixel is flipped with probability ``flips``."""
    same = x @ causes.T + (1 - x) @ (1 - causes).T
    return log_prior + same * math.log(1 - flips) + (x.shape[1] - same) * math.log(flips)

# %%
cause_images, flat_prior = glyph_causes(), torch.full((250,), -math.log(250), dtype=torch.float64)


def flipped_glyphs(n, flips, digits="0123456789", seed=0):
    # images of some digits with flipped pixels, and the numbers of their causes
    numbers = dgm.generator(seed)
    digit = torch.tensor([int(d) for d in digits])[torch.randint(len(digits), (n,), generator=numbers)]
    z = 25 * digit + torch.randint(25, (n,), generator=numbers)
    return (cause_images[z] - (torch.rand(n, 256, generator=numbers) < flips).double()).abs(), z


noisy_glyphs, noisy_causes = flipped_glyphs(14, 0.3)
cause_weights = glyph_log_joint(noisy_glyphs, cause_images, flat_prior, 0.3).softmax(1)
figure, axes = plot.subplots(3, 1, width=10, height=3.2)
for ax, pictures, title in zip(axes, (noisy_glyphs, cause_weights @ cause_images, cause_images[noisy_causes]), ("three pixels in ten are flipped", "the average over all causes, weighted by how well each explains the image", "the truth")):
    plot.images(pictures.reshape(-1, 16, 16), ncols=14, suptitle=title, ax=ax)
plt.show()

# %% [markdown]
# The hidden cause $z$ is one of $K=250$, ten digits at 25 places. So the likelihood $p(x)=\sum_zp(x,z)$ is a sum of 250 terms. The posterior $p(z\mid{x})=p(x,z)/p(x)$ drew the second row.
#
# With a latent of twenty real numbers there is no such sum. One computes with a stand-in $q(z\mid{x})$ and a lower bound on $\log{p}(x)$. What is lost? Here you see it exactly.
#
# ### The bound
#
# **On paper:** for every $z$, $\log{p}(x)=\log{p}(x,z)-\log{p}(z\mid{x})$. Average this over $z\sim{q}$, and subtract and add the average of $\log{q}(z)$:
#
# $$\log{p}(x)=\underbrace{\sum_zq(z)\,\big[\log{p}(x,z)-\log{q}(z)\big]}_{\text{ELBO}(q)}\;+\;\underbrace{\sum_zq(z)\log\frac{q(z)}{p(z\mid{x})}}_{\mathrm{KL}(q\,\|\,p(z\mid{x}))\;\ge\;0}. \tag{2.1}$$
#
# The gap of the bound *is* the KL divergence to the posterior. For two causes with $p(x,z)=(0.3,\,0.1)$, $\log{p}(x)=\log0.4=-0.916$. The stand-in $q=(\frac12,\frac12)$ has the ELBO
# $-1.060$. The posterior is $(\frac34,\frac14)$, the KL to it $0.144$.
#
# ### What does a code tell about its image?
#
# Split the ELBO the other way: it is the mean of $\log{p}(x\mid{z})$ under $q$, minus $\mathrm{KL}(q(z\mid{x})\,\|\,p(z))$. This KL, the price of a code, has two parts. With the **aggregate
# posterior** $\bar{q}(z)=\frac1N\sum_nq(z\mid{x_n})$ of $N$ images,
#
# $$\frac1N\sum_n\mathrm{KL}\big(q(z\mid{x_n})\,\|\,p(z)\big)=\underbrace{\frac1N\sum_n\mathrm{KL}\big(q(z\mid{x_n})\,\|\,\bar{q}(z)\big)}_{\text{mutual information }I}\;+\;\mathrm{KL}\big(\bar{q}(z)\,\|\,p(z)\big). \tag{2.2}$$
#
# $I$ says how much a code tells about *which* of the $N$ images it belongs to, so $I\le\log N$. The rest is paid because all codes together do not look like the prior. Two images with
# $q=(1,0,0)$ and $(0,1,0)$, and a uniform prior: each KL is $\log3$, of which $I=\log2$.
#
# ### A family that is too small
#
# Often $q$ is chosen to factorise, $q(z)=\prod_iq_i(z_i)$: **mean field**. With the other factors fixed, the ELBO is highest for
#
# $$\log{q}_i(z_i)=\mathbb{E}_{q_j,\,j\ne{i}}\big[\log{p}(x,z)\big]+\text{const}. \tag{2.3}$$
#
# Replacing one factor after the other, with the newest others, is **coordinate ascent** (CAVI). The ELBO never falls.
#
# **On paper:** let $\log{p}(x,z)=-\frac12(z-\mu)^\top\Lambda(z-\mu)+\text{const}$, a Gaussian posterior. Insert it into (2.3), and collect $z_i^2$ and $z_i$: which Gaussian is $q_i$, if the others have
# the means $m_j$? For $\Lambda=\begin{pmatrix}2&1\\1&2\end{pmatrix}$, $\mu=(0,0)$ and $m_2=1$ you should find the mean $-\frac12$ and the variance $\frac12$, although the posterior's own variance is $\frac23$.

# %% role="answer"
def exact_posterior(log_joint: Float[Tensor, "N K"]) -> tuple[Float[Tensor, "N"], Float[Tensor, "N K"]]:
    """(log p(x), log p(z | x)) of each example.

    Args:
        log_joint: log p(x, z), of any size: values near -1000 are usual. -inf marks an impossible cause; each example has a possible one.
    """
    ### BEGIN SOLUTION
    log_evidence = log_joint.logsumexp(1)
    return log_evidence, log_joint - log_evidence[:, None]
    ### END SOLUTION


def elbo(log_joint: Float[Tensor, "N K"], log_q: Float[Tensor, "N K"]) -> Float[Tensor, "N"]:
    """ELBO of each example in nats, equation (2.1); differentiable where both arguments are finite.

    Args:
        log_joint: as for `exact_posterior`.
        log_q: each row sums to one after exp. A term with log_q = -inf is 0; one with q > 0 and an impossible cause is -inf.
    """
    ### BEGIN SOLUTION
    q = log_q.exp()
    return torch.where(q > 0, q * (log_joint - log_q), 0).sum(1)
    ### END SOLUTION


def split_mean_kl(
    log_q: Float[Tensor, "N K"], log_prior: Float[Tensor, "K"] | None = None
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """(I, KL(q̄ || p)), the two parts of the mean KL; equation (2.2).

    Args:
        log_q: as for `elbo`, also with -inf.
        log_prior: log p(z), finite; None: all K causes are equally likely.
    """
    ### BEGIN SOLUTION
    if log_prior is None:
        log_prior = log_q.new_full(log_q.shape[1:], -math.log(log_q.shape[1]))
    q, mean_q = log_q.exp(), log_q.exp().mean(0)
    minus_entropy = torch.xlogy(mean_q, mean_q).sum()
    return torch.xlogy(q, q).sum(1).mean() - minus_entropy, minus_entropy - (mean_q * log_prior).sum()
    ### END SOLUTION


def cavi(
    precision: Float[Tensor, "D D"], mean: Float[Tensor, "D"], steps: int
) -> tuple[Float[Tensor, "steps_and_1 D"], Float[Tensor, "D"]]:
    """Mean field on a Gaussian with mean μ and precision Λ: your derivation.

    Args:
        steps: how many sweeps. A sweep updates the first entry of m, then the second, and so on, each with the newest others. Start at m = 0.

    Returns:
        the means at the start and after each sweep, and the factors' variances.
    """
    ### BEGIN SOLUTION
    path = mean.new_zeros(steps + 1, len(mean))
    for step in range(steps):
        m = path[step].clone()
        for i in range(len(mean)):
            others = precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i])
            m[i] = mean[i] - others / precision[i, i]
        path[step + 1] = m
    return path, 1 / precision.diagonal()
    ### END SOLUTION

# %% role="check"
grader.check("q2")

# %% [markdown]
# ### What a stand-in costs
#
# Four stand-ins: the posterior; the product of its marginals, for digit and place; a hard guess at the most probable cause; and the prior, which does not look at the image.
# **Before you run this:** the best cause of one image has a posterior probability of about $\frac12$. What does the hard guess cost there?

# %%
guess_hard = None  # type a number, in nats

# %%
flip_share = 0.3   # a knob: try 0.1 and 0.4. Which stand-ins become good, and which bad?

noisy_many, _ = flipped_glyphs(500, flip_share)
many_joint = glyph_log_joint(noisy_many, cause_images, flat_prior, flip_share)
many_evidence, many_posterior = exact_posterior(many_joint)
digit_place = many_posterior.exp().reshape(-1, 10, 25)
hard_guess = F.one_hot(many_posterior.argmax(1), 250).double()
stand_ins = {
    "the posterior": many_posterior,
    "digit and place apart": (digit_place.sum(2)[:, :, None] * digit_place.sum(1)[:, None]).flatten(1).log(),
    "a hard guess": hard_guess.log(),  # contains log 0: a nan in this row comes from there
    "the prior": flat_prior.expand(500, 250),
}
unsure = int((many_posterior.exp().amax(1) - 0.5).abs().argmin())
stand_in_rows = []
for name, log_q in stand_ins.items():
    gap = many_evidence - elbo(many_joint, log_q)
    by_definition = (torch.xlogy(log_q.exp(), log_q.exp()) - log_q.exp() * many_posterior).sum(1)
    stand_in_rows.append((name, float(many_evidence.mean() - gap.mean()), *(round(float(value), 6) + 0.0 for value in (gap.mean(), by_definition.mean(), gap[unsure])), guess_hard if name == "a hard guess" else None))
plot.table(stand_in_rows, header=("stand-in q", "mean ELBO", "mean gap", "mean KL(q || posterior)", "gap, best cause at ½", "your guess"))

powers = torch.linspace(0, 3, 31)  # q is proportional to the posterior to this power
power_elbos = [float(elbo(many_joint, (power * many_posterior).log_softmax(1)).mean()) for power in powers]
figure, ax = plot.subplots(width=8, height=3)
plot.curves({"mean ELBO of q ∝ posterior^s": (powers, power_elbos)}, xlabel="s: less sure than the posterior (< 1), or surer (> 1)", ylabel="nats", reference={"mean log p(x)": float(many_evidence.mean())}, title="The bound touches log p(x) at the posterior, and only there", ax=ax)
ax.set_ylim(float(many_evidence.mean()) - 2, float(many_evidence.mean()) + 0.3)
plt.show()

# %% [markdown]
# The hard guess costs $-\log{p}(z^\ast\mid{x})$: $\log2$ for a probability of $\frac12$, however many other causes there are. The product of the marginals costs more, although it keeps all doubts. For "a 7 here or a 9
# there" it also believes in a 7 *there*, which explains nothing: $\mathrm{KL}(q\,\|\,\cdot)$ charges for that. (Over 6 draws: hard guess 0.39 to 0.43, product 1.6 to 1.8, prior 10.0 to 10.3 nats.) With few
# flips both are nearly exact. With many even the prior beats the hard guess.
#
# ### How much of the KL is information?
#
# Twenty images of the digits 1, 4 and 7, with few flips: the posteriors are nearly certain, so each KL to the prior is nearly $\log250=5.52$ nats.
# **Before you run this:** how much of it is $I$?

# %%
guess_information = None  # type a number, in nats

# %%
digits_seen = "147"       # a knob: try all ten digits. Where does I level off then, and why?

set_sizes = [2**power for power in range(12)]
figure, axes = plot.subplots(1, 2, width=10, height=3.4)
information_curves = {}
for share in (0.05, 0.3, 0.4):
    pictures, _ = flipped_glyphs(set_sizes[-1], share, digits_seen)
    log_q = exact_posterior(glyph_log_joint(pictures, cause_images, flat_prior, share))[1]
    information_curves[f"{share:g} of the pixels flipped"] = (set_sizes, [float(split_mean_kl(log_q[:size])[0]) for size in set_sizes])
axes[0].plot(set_sizes, [math.log(size) for size in set_sizes], color="#444444", linestyle="--", label="log N")
plot.curves(information_curves, xlabel="N images", ylabel="mutual information, nats", logx=True, title="Never above log N", ax=axes[0])
flip_shares = [0.05, 0.1, 0.2, 0.3, 0.4]
kl_parts = [split_mean_kl(exact_posterior(glyph_log_joint(flipped_glyphs(1000, share, digits_seen)[0], cause_images, flat_prior, share))[1]) for share in flip_shares]
plot.bars({"information": [float(part[0]) for part in kl_parts], "KL(aggregate posterior || prior)": [float(part[1]) for part in kl_parts]}, labels=flip_shares, xlabel="share of flipped pixels", ylabel="nats", title="The mean KL of 1000 images, split", ax=axes[1])
axes[1].set_ylim(0, 6)
plt.show()

twenty_joint = glyph_log_joint(flipped_glyphs(20, 0.05, digits_seen)[0], cause_images, flat_prior, 0.05)
twenty_q = exact_posterior(twenty_joint)[1]
twenty_information, twenty_rest = split_mean_kl(twenty_q)
better_prior = twenty_q.logsumexp(0) - math.log(20)
gained = elbo(twenty_joint - flat_prior + better_prior, twenty_q).mean() - elbo(twenty_joint, twenty_q).mean()
plot.table([
    ("mean KL to the prior", float(twenty_information + twenty_rest), "5.52", None),
    ("mutual information I", float(twenty_information), "2.79; at most log 20 = 3.00", guess_information),
    ("KL(aggregate posterior || prior)", float(twenty_rest), "2.73, the rest", None),
    ("gain of the mean ELBO if the aggregate posterior becomes the prior", float(gained), "exactly the rest", None),
], header=("20 images, nats", "yours", "expected for 147", "your guess"))

# %% [markdown]
# A code cannot tell more than which of 20 images it belongs to, and some share a cause (over 6 draws $I$ is 2.7 to 2.9). The other half of the KL buys nothing: 20 causes are not 250. With $\bar{q}$ as the prior
# exactly this part is gained. With many images $I$ levels off, for few flips near $\log75=4.3$, the three digits' 75 causes.
#
# ### Mean field is too sure
#
# Last, `cavi` on two latents of standard deviation 1 and correlation 0.95. **Before you run this:** what standard deviation do the factors of $q$ get?

# %%
guess_std = None  # type a number

# %%
pair_correlation = 0.95  # a knob: try 0.5 and 0.99. How do the width of q and the number of sweeps change?


def two_latents(rho):
    return torch.linalg.inv(torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)), torch.tensor([2.0, 1.0], dtype=torch.float64)


def gap_along(cavi_path, pair_precision, mean):
    # KL(q || posterior) of factors with these means and the variances 1/Λ_ii
    off = cavi_path - mean
    return 0.5 * (((off @ pair_precision) * off).sum(1) - torch.logdet(pair_precision) + pair_precision.diagonal().log().sum())


figure, axes = plot.subplots(1, 2, width=10, height=3.8)
pair_precision, pair_mean = two_latents(pair_correlation)
cavi_path, cavi_variances = cavi(pair_precision, pair_mean, 30)
cavi_stairs = torch.stack([cavi_path[:-1], torch.stack([cavi_path[1:, 0], cavi_path[:-1, 1]], 1), cavi_path[1:]], 1).reshape(-1, 2)
plot.ellipse(pair_mean, torch.linalg.inv(pair_precision), axes[0], color=plot.COLORS[0], label="posterior, 1 and 2 std")
plot.ellipse(pair_mean, torch.diag(cavi_variances), axes[0], color=plot.COLORS[1], label="mean field")
axes[0].plot(cavi_stairs[:, 0], cavi_stairs[:, 1], color="#777777", linewidth=1, label="means, update by update")
axes[0].set(xlabel="z₁", ylabel="z₂", title="q is as wide as a cut through the posterior", aspect="equal")
axes[0].legend(loc="lower right", fontsize=8)
cavi_gaps = {f"correlation {rho:g}": gap_along(cavi(*two_latents(rho), 30)[0], *two_latents(rho)) for rho in (0.5, 0.9, 0.99)}
plot.curves(cavi_gaps, xlabel="sweep", ylabel="log p(x) - ELBO, nats", title="Each sweep raises the ELBO; a gap stays", ax=axes[1])
axes[1].set_ylim(0, 4)
plt.show()
plot.table([
    ("standard deviation of a factor", float(cavi_variances[0].sqrt()), math.sqrt(1 - pair_correlation**2), guess_std),
    ("gap that stays, nats", float(gap_along(cavi(pair_precision, pair_mean, 300)[0][-1:], pair_precision, pair_mean)), -0.5 * math.log(1 - pair_correlation**2), None),
], header=(f"correlation {pair_correlation:g}", "yours", "expected", "your guess"))

# %% [markdown]
# A factor has the variance of the posterior with the other latent *known*: $1/\Lambda_{ii}$, not $\Sigma_{ii}$. The means are right in the end, but each sweep only multiplies their error by the square of the
# correlation.
#
# ### Why? (3 points)
#
# In at most nine lines. (a) Why is $q$ too narrow here, not too wide? Argue with the KL divergence in (2.1). (b) On the same data model A's ELBO is one nat above model B's. Why does it not
# follow that its likelihood is higher? (c) The linear VAE of Question 1 had a diagonal $q$, too, but no gap. How did it get rid of the gap, and what must a model be free to do for that?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) KL(q || p) averages log q - log p over q. Where q has mass and the posterior has nearly none, log p is very negative, and that is paid. Where the posterior has mass and q has none, nothing is paid except through
# normalisation. A factorised q with the posterior's own widths would put most of its mass beside the ridge, where p is tiny. So it shrinks to about the width of the ridge.
#
# (b) The ELBO is log p(x) minus the gap. The gap depends on the posterior and on the family of q: A may have a posterior that factorises and a gap near zero, B a correlated one with a gap of more than one
# nat. Then B has the higher likelihood. Only differences larger than the gaps, or gaps that are known, decide.
#
# (c) Raising the ELBO in the model's parameters raises log p and lowers the gap. There log p did not depend on a rotation of W, so W was turned until the posterior's covariance was diagonal: the gap could close
# for free. In general the model must have such a freedom, another parametrisation with the same p(x). If it has none, it gives up some likelihood for a posterior that q can match.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - $\log{p}(x)=\text{ELBO}(q)+\mathrm{KL}(q\,\|\,p(z\mid{x}))$: the gap is the KL to the posterior.
# - The mean KL to the prior is information, at most $\log N$, plus the mismatch of the aggregate posterior.
# - Mean field on a Gaussian has the right means, but variances that are too small.
#
# The ELBO is the loss of Question 5. Question 6 measures its gap, and Question 7 tightens it.

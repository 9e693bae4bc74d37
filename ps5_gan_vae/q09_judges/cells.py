# %% [markdown]
# Six generators of digits. Below are 24 pictures of each. One of them has never drawn anything: which?

# %%
judge_train = data.glyphs(1000, seed=0, size=16)[0]
judge_pool, judge_labels = data.glyphs(12 * 512, seed=100, size=16, split="test")
judge_fresh, judge_held = list(judge_pool.split(512)[:10]), judge_pool[-512:]    # what a perfect generator draws, ten times; held-out pictures
judge_draws = dgm.generator(0)


def judge_blur(pictures: Float[Tensor, "N 1 H W"]) -> Float[Tensor, "N 1 H W"]:
    row = torch.tensor([0.25, 0.5, 0.25])
    return F.conv2d(pictures, (row[:, None] * row)[None, None], padding=1)


judge_sets = {
    "perfect": judge_pool[5120:5632],
    "blurred": judge_blur(judge_pool[5120:5632]),
    "digits 0 to 4": judge_pool[judge_labels < 5][:512],
    "one 0, one 1, …, one 9": torch.stack([judge_pool[judge_labels == i][0] for i in range(10)])[torch.arange(512) % 10],
    "copies": judge_train[torch.randperm(1000, generator=judge_draws)[:512]],
    "letters": data.glyphs(512, seed=7, size=16, classes="ABCDEFGHKL")[0],
}
plot.images(torch.cat([pictures[:24] for pictures in judge_sets.values()]), ncols=24, suptitle="From above: " + "; ".join(judge_sets))
plt.show()

# %% [markdown]
# The fifth only copies pictures that it was trained on. A well-known score will call it the best, better than the first, which is perfect.
#
# Samples have no likelihood that you could read off. So papers compare two sets of pictures by a **score**. You build the scores in use, then two sets that fool them, and find out which judge sees what.
#
# ### Five judges
#
# A network that was trained to name digits turns each picture into features $x\in\mathbb R^d$ and class probabilities $p(y\mid x)$. Real pictures are $x_1,\dots,x_N$, fakes $z_1,\dots,z_M$.
#
# **Inception score.** Each fake should be one clear class, all together should be all classes:
#
# $$\exp\frac1M\sum_j\mathrm{KL}\big(p(y\mid z_j)\,\|\,\bar p\big),\qquad\bar p=\frac1M\sum_jp(y\mid z_j). \tag{9.1}$$
#
# It is 1 if all are equally unclear, and $K$ for $K$ certain classes in equal shares.
#
# **Fréchet distance** (FID). Transport between two Gaussians that have the means and covariances (divided by $n-1$) of the two sets:
#
# $$\|\mu_x-\mu_z\|^2+\operatorname{tr}\big(\Sigma_x+\Sigma_z-2(\Sigma_x\Sigma_z)^{1/2}\big). \tag{9.2}$$
#
# For $\mathcal N(0,1)$ and $\mathcal N(1,4)$ this is $1+5-2\cdot2=2$. **On paper:** the trace of the root is the sum of the roots of the eigenvalues of $\Sigma_x\Sigma_z$. Why are these real and not negative, although $\Sigma_x\Sigma_z$ is not symmetric? (Compare
# $\Sigma_x^{1/2}\Sigma_z\Sigma_x^{1/2}$.) Rounding forgets both facts, if there are fewer pictures than features.
#
# **Kernel distance.** A kernel $k$ says how alike two points are. Alike within the sets and unlike across:
#
# $$\overline{k(x,x')}+\overline{k(z,z')}-2\,\overline{k(x,z)}, \tag{9.3}$$
#
# with means over all pairs of *different* members of a set, and all pairs $(x_i,z_j)$. So it is 0 on average if the laws are equal. With $k(a,b)=(a\cdot b/d+1)^3$ it is called KID.
#
# **Balls.** Around each point lies a ball that reaches to its $k$-th nearest neighbour in its own set. *Precision* is the share of fakes in at least one real ball, *recall* the share of reals in at least one fake ball. *Density* is the number
# of real balls around a fake, on average, divided by $k$. *Coverage* is the share of real balls that hold at least one fake.
#
# **Copying.** How probable is it that a random fake lies nearer to its nearest training point than a random held-out point does to its own? Equal distances count one half. $\frac12$ is right, 1 is a copier.
#
# ### Fool two of them
#
# **On paper:** (9.2) knows only means and covariances. Multiply out the cubic kernel: which averages of $x$ and $z$ does KID know? Now find points that agree with a Gaussian in all of these, and look nothing like it. Begin with mean 0, covariance 1 and $d=1$, then $d=2$; then move and stretch them.
#
# ### Your task
#
# All of them. Each computes in float64, whatever comes in, and returns single numbers as tensors (`impostor` points). $N$ and $M$ may differ.

# %% role="given"
def cubic_kernel(a: Float[Tensor, "N D"], b: Float[Tensor, "M D"]) -> Float[Tensor, "N M"]:
    return (a @ b.T / a.shape[1] + 1) ** 3


def rbf_kernel(a: Float[Tensor, "N D"], b: Float[Tensor, "M D"], width: float = 1.0) -> Float[Tensor, "N M"]:
    return (-torch.cdist(a, b).square() / (2 * width**2)).exp()

# %% role="answer"
def inception_score(logits: Float[Tensor, "M K"]) -> Float[Tensor, ""]:
    """(9.1). A logit may be -inf, also one class's for all pictures; 0 log 0 is 0."""
    ### BEGIN SOLUTION
    p = logits.double().softmax(1)
    return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp()
    ### END SOLUTION


def frechet_distance(x: Float[Tensor, "N D"], z: Float[Tensor, "M D"]) -> Float[Tensor, ""]:
    """(9.2), for N, M > 1 and D >= 1, also with fewer points than features."""
    ### BEGIN SOLUTION
    x, z = x.double(), z.double()
    cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) for points in (x, z))
    overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().sum()
    return (x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - 2 * overlap
    ### END SOLUTION


def kernel_distance(x: Float[Tensor, "N D"], z: Float[Tensor, "M D"], kernel=cubic_kernel) -> Float[Tensor, ""]:
    """(9.3), for N, M > 1; it may be negative. ``kernel(a, b)`` returns all k(a_i, b_j)."""
    ### BEGIN SOLUTION
    x, z = x.double(), z.double()
    within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]
    return within[0] + within[1] - 2 * kernel(x, z).mean()
    ### END SOLUTION


def ball_scores(x: Float[Tensor, "N D"], z: Float[Tensor, "M D"], k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Precision, recall, density and coverage of the fakes z.

    Args:
        k: at least 1, below N and M. A point is not its own neighbour; a copy of it is. A ball has its border.
    """
    ### BEGIN SOLUTION
    x, z = x.double(), z.double()
    radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values for points in (x, z))
    in_x = (torch.cdist(x, z) <= radius_x[:, None]).double()
    in_z = (torch.cdist(x, z) <= radius_z).double()
    return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()
    ### END SOLUTION


def copying_score(train: Float[Tensor, "N D"], held_out: Float[Tensor, "H D"], z: Float[Tensor, "M D"]) -> Float[Tensor, ""]:
    """The probability that a fake is nearer to the training set than a held-out point is, over all M * H pairs."""
    ### BEGIN SOLUTION
    held, fake = (torch.cdist(points.double(), train.double()).amin(1) for points in (held_out, z))
    return ((fake[:, None] < held).double() + 0.5 * (fake[:, None] == held)).mean()
    ### END SOLUTION


def impostor(mean: Float[Tensor, "D"], cov: Float[Tensor, "D D"], n: int) -> Float[Tensor, "n D"]:
    """Your points: their moments up to the third order are those of N(mean, cov), but their law is far from it.

    Args:
        cov: symmetric, positive definite; D is 1, 2 or 3. "Moments" to 1 per cent, once points are whitened to mean 0 and covariance 1.
            "Far": the squared kernel distance (exact, `rbf_kernel` with width 1) of whitened points to N(0, 1) is at least 0.02.
        n: a multiple of 12, at least 480.
    """
    ### BEGIN SOLUTION
    D = len(mean)
    spikes = math.sqrt(D) * torch.linalg.cholesky(cov.double()).T
    return mean + torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1)
    ### END SOLUTION

# %% role="check"
grader.check("q9")

# %% [markdown]
# ### In the plane
#
# **Before you run this.** Two sets of 50 points come from the same Gaussian in the plane. What is their FID? (It would be 1 if one of them moved by 1.)

# %%
guess_fid = None   # type a number

# %%
plane_n, plane_width = 1200, 1.0   # two knobs: fewer points; widths 0.1 and 10. When does the kernel miss your points?

plane_mean, plane_cov = torch.tensor([0.0, 0.0]), torch.tensor([[1.0, 0.6], [0.6, 1.0]])
plane_root, plane_draws = torch.linalg.cholesky(plane_cov), dgm.generator(0)


def plane_gauss(n: int) -> Float[Tensor, "n 2"]:
    return plane_mean + torch.randn(n, 2, generator=plane_draws) @ plane_root.T


def plane_scores(draw, repeats: int = 100) -> list[float]:
    pairs = [draw() for _ in range(repeats)]
    return [float(torch.stack([judge(x, z) for x, z in pairs]).mean()) for judge in (
        frechet_distance, kernel_distance, lambda x, z: kernel_distance(x, z, lambda a, b: rbf_kernel(a, b, plane_width)))]


plane_points = impostor(plane_mean, plane_cov, plane_n)
figure, axes = plot.subplots(1, 2, width=7, height=3.4)
plot.scatter2d(plane_gauss(plane_n), ax=axes[0], xlim=(-4, 4), ylim=(-4, 4), title="Gaussian")
plot.scatter2d(plane_points, ax=axes[1], xlim=(-4, 4), ylim=(-4, 4), title="yours, for FID and KID the same", size=40, alpha=1.0)
plt.show()
plot.table([
    ("50 points of the same Gaussian", *plane_scores(lambda: (plane_gauss(50), plane_gauss(50))), "0.139, -0.00, 0.000", guess_fid),
    (f"{plane_n:,} of them", *plane_scores(lambda: (plane_gauss(plane_n), plane_gauss(plane_n)), 20), "0.006, 0.00, 0.000"),
    ("your points", *plane_scores(lambda: (plane_gauss(plane_n), plane_points), 20), "0.003, -0.00, about 0.05"),
], header=("against the Gaussian, means over draws", "FID", "KID", "RBF", "expected", "your guess"))

# %% [markdown]
# Few samples differ from their own law: the FID of 50 points is far above 0, and falls like one over their number. Scores from unequal numbers of samples cannot be compared. (9.3) without the pairs of equal points has no such offset.
#
# Your points have FID and KID 0 up to the noise of the Gaussian. A Gaussian kernel contains all powers of $a\cdot b$, so it sees them, unless it is so wide that only the first few count.
#
# ### On pictures
#
# All judges now compare 512 fakes with 1,000 training pictures. The ten fresh sets tell how a score varies when nothing is wrong. A judge *objects* if a score is more than four of their standard deviations on the bad side.
#
# **Before you run this** (about 10 s): how many of the eight scores object to the copies?

# %%
guess_objections = None   # type a number, 0 to 8

# %%
judge_k = 3   # a knob: 1, or 20. Which faults do the balls see then?

torch.manual_seed(0)
judge_body = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 16))
judge_head = nn.Linear(16, 10)
judge_x, judge_y = data.glyphs(2000, seed=50, size=16)
judge_adam = torch.optim.Adam([*judge_body.parameters(), *judge_head.parameters()], 3e-3)
for _ in range(dgm.budget(smoke=40, cpu=400, gpu=400)):
    judge_batch = torch.randint(len(judge_x), (64,))
    judge_loss = F.cross_entropy(judge_head(judge_body(judge_x[judge_batch])), judge_y[judge_batch])
    judge_adam.zero_grad()
    judge_loss.backward()
    judge_adam.step()
judge_names = ("inception", "FID", "KID", "precision", "recall", "density", "coverage", "copying")
judge_bad = torch.tensor([-1, 1, 1, -1, -1, -1, -1, 1])   # on which side a score is bad


@torch.no_grad()
def judge_features(pictures: Float[Tensor, "N 1 16 16"]) -> Float[Tensor, "N 16"]:
    return judge_body(pictures) / judge_body(judge_train).std()


@torch.no_grad()
def judge_all(pictures: Float[Tensor, "N 1 16 16"]) -> Float[Tensor, "8"]:
    x, z = judge_features(judge_train), judge_features(pictures)
    scores = inception_score(judge_head(judge_body(pictures))), frechet_distance(x, z), kernel_distance(x, z), *ball_scores(x, z, judge_k)
    return torch.stack([*scores, copying_score(x, judge_features(judge_held), z)])


judge_null = torch.stack([judge_all(pictures) for pictures in judge_fresh])


def judge_figure(sets: dict[str, Tensor], title: str) -> Tensor:
    # numbers are scores, colours say how many standard deviations of fresh sets they are on the bad side
    scores = torch.stack([judge_all(pictures) for pictures in sets.values()])
    steps = judge_bad * (scores - judge_null.mean(0)) / judge_null.std(0)
    _, ax = plot.subplots(width=9, height=1.2 + 0.4 * len(sets))
    plot.heatmap(steps.clamp(-12, 12), xticks=judge_names, yticks=list(sets), center=0, vmin=-12, vmax=12, title=title, ax=ax)
    for i, j in np.ndindex(*scores.shape):
        ax.text(j, i, f"{float(scores[i, j]):.2f}" + (" !" if steps[i, j] > 4 else ""), ha="center", va="center", fontsize=9, color="white" if abs(steps[i, j]) > 7 else "black")
    plt.show()
    return steps > 4


judge_objects = judge_figure(judge_sets, "Each fault has judges that let it pass (! = objects)")
plot.table([(name, int(row.sum()), expected, guess_objections if name == "copies" else "") for (name, expected), row in zip(zip(judge_sets, (0, 8, 4, 5, 1, 8)), judge_objects)], header=("set", "objections", "expected", "your guess"))

# %% [markdown]
# TEXT
#
# ### Open end
#
# Find a fault that **no** judge objects to, though you see it at once in the pictures (or one that a single judge sees, and say which). Change one line, predict, measure; use other fresh pictures or seeds to see what is chance.

# %%
guess_mine = None   # type: how many judges object

# %%
def my_fault(pictures: Float[Tensor, "N 1 16 16"]) -> Float[Tensor, "N 1 16 16"]:
    return pictures.flip(0)   # yours: one change


my_sets = {f"mine, set {i}": my_fault(judge_fresh[i].clone()) for i in range(4)}
plot.images(my_sets["mine, set 0"][:24], ncols=24)
my_objects = judge_figure(my_sets, "My fault")
plot.table([("objections, your guess", guess_mine), ("objections, four sets", str(my_objects.sum(1).tolist()))])

# %% [markdown]
# **Write ten lines.** What did you change, and what did you predict, with which reason? What came out, on four sets? Why is each judge blind: what do the features, the averages or the balls throw away? Which measurement would see it, and what would that one miss?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# MODEL
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A score compares features, and of these only some averages. Two sets that agree in them are equal for it.
# - Few samples make FID larger; compare equal numbers, and report a fresh set beside yours.
# - Copies win every distance to the training set. Only a held-out set finds them.
#
# The distances of this question return wherever a generator is compared with another.

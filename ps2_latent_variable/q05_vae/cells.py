# %% [markdown]
# What lies halfway between a 2 and a 7? Each row mixes the pixels of its first and last image. Run the cell.

# %%
sheet_grey, sheet_labels = data.glyphs(dgm.budget(smoke=600, cpu=5000, gpu=5000), size=16)
sheet_train = data.binarize(sheet_grey, "threshold").flatten(1)
sheet_grey, sheet_labels = data.glyphs(1000, size=16, split="test")
sheet_test = data.binarize(sheet_grey, "threshold").flatten(1)
sheet_pairs = ((2, 8), (7, 12)), ((1, 4), (4, 7)), ((5, 13), (6, 8))  # (digit, which of its images)
sheet_ends = [[sheet_test[sheet_labels == digit][which] for digit, which in pair] for pair in sheet_pairs]
sheet_path = torch.linspace(0, 1, 15)[:, None]
sheet_mixed = torch.cat([first + sheet_path * (last - first) for first, last in sheet_ends])
plot.images(sheet_mixed.reshape(-1, 16, 16), ncols=15, suptitle="Halfway between two digits, the pixels show both")
plt.show()

# %% [markdown]
# A half-white pixel is no stroke. Between two images lie other *causes*: another slant, another curve. So mix codes, not pixels. Question 1's
# autoencoder did not say which codes to draw. Its probabilistic PCA did, but its linear decoder drew ghosts.
#
# A **variational autoencoder** (VAE) has both: codes $z\sim\mathcal N(0,I)$, and a network that draws. You have a bound
# (Question 2), gradients through a draw (Question 3) and a KL (Question 4). Here they become one program.
#
# ### Two networks, one bound
#
# The **decoder** turns $z$ into logits of the pixels. The **encoder** turns $x$ into $\mu$ and $\log\sigma^2$ of a Gaussian $q(z\mid x)$, its guess at the causes. Both are trained for one number: how
# well the image is rebuilt from a code drawn by $q$, less what that code costs,
#
# $$\log p(x)\;\ge\;\underbrace{\mathbb E_{q(z\mid x)}\log p(x\mid z)}_{\text{rebuild}}-\underbrace{\mathrm{KL}\big(q(z\mid x)\,\|\,p(z)\big)}_{\text{cost of the code}}. \tag{5.1}$$
#
# One draw $z=\mu+\sigma\epsilon$ per image estimates the first term without bias. The second has a closed form: one latent with $\mu=1$ and $\sigma^2=\frac14$ costs
# $\frac12(1+\frac14-1-\log\frac14)=0.82$ nats. Such a latent must save more than that at the pixels.
#
# ### Do the codes fill the prior?
#
# Draw one of the $N$ images, then a code from its $q(z\mid x_n)$. Such codes have the density $\bar q(z)=\frac1N\sum_nq(z\mid x_n)$, Question 2's **aggregate posterior**. The decoder learns on codes from $\bar q(z)$,
# but has to draw from $p(z)$.
#
# **On paper:** write the mean and the covariance of $\bar q(z)$ in terms of all $\mu_n$ and $\sigma_n^2$. Start from $\mathbb E[z]$ and $\mathbb E[zz^\top]$ for one $n$, then average over $n$. Two images with
# $\mu=-1,\,1$ and $\sigma^2=\frac12,\,\frac14$ have the mean $0$ and the variance $1.375$.
#
# ### Your task
#
# Write the two methods of `VAE`, the bound in `elbo_terms`, your derivation in `aggregate_moments`, and `train`: one loop for all models from here on.

# %% role="answer"
class VAE(nn.Module):
    """Encoder and decoder with two hidden layers each."""

    def __init__(self, data_dim: int, latent_dim: int, hidden: int):
        super().__init__()
        self.latent_dim = latent_dim

        def network(inputs, outputs):
            return nn.Sequential(
                nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
            )

        self.encoder, self.decoder = network(data_dim, 2 * latent_dim), network(latent_dim, data_dim)

    def encode(self, x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N k"], Float[Tensor, "N k"]]:
        """(mean, logvar) of q(z | x): the first k outputs of the encoder, and the last k."""
        ### BEGIN SOLUTION
        return self.encoder(x).chunk(2, dim=1)
        ### END SOLUTION

    def decode(self, z: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch D"]:
        """Logits of the pixels."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION


def elbo_terms(
    model, x: Float[Tensor, "N D"], eps: Float[Tensor, "N k"]
) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"], Float[Tensor, "N"]]:
    """(elbo, log_likelihood, kl) of each image, in nats; (5.1) with one draw z = μ + σ·eps and the KL in closed form.

    Args:
        model: any module with `encode` and `decode` like those of `VAE`; its mode stays as it is. All results are differentiable in its parameters.
        x: zeros and ones.
    """
    ### BEGIN SOLUTION
    mean, logvar = model.encode(x)
    log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x)
    kl = kl_standard_normal(mean, logvar)
    return log_likelihood - kl, log_likelihood, kl
    ### END SOLUTION


def aggregate_moments(
    mean: Float[Tensor, "N k"], logvar: Float[Tensor, "N k"]
) -> tuple[Float[Tensor, "k"], Float[Tensor, "k k"]]:
    """Mean and covariance of the aggregate posterior: your derivation, exact for any N and k."""
    ### BEGIN SOLUTION
    centre = mean.mean(0)
    between = (mean - centre).T @ (mean - centre) / len(mean)
    return centre, between + torch.diag(logvar.exp().mean(0))
    ### END SOLUTION


def train(
    model: nn.Module, loss, x: Float[Tensor, "N ..."], steps: int, batch_size: int, lr: float, generator: torch.Generator
) -> Float[Tensor, "steps"]:
    """Minimise a loss by `steps` steps of one ``torch.optim.Adam(model.parameters(), lr=lr)``, in training mode.

    Args:
        model: changed in place. It comes wholly in training or in evaluation mode, and goes back to it. No parameter has a `.grad` before the first call; some may be frozen.
        loss: ``loss(model, batch, generator)`` is a 0-d tensor. It may draw from the generator, and leave parameters out.
        batch_size: each pass begins with one ``torch.randperm(len(x), generator=generator)`` and takes consecutive slices,
            the last perhaps smaller. `data.batches(x, batch_size, generator, steps=steps)` does all this.

    Returns:
        The loss of each batch just before its update, without graph.
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    was_training, history = model.training, []
    model.train()
    for batch in data.batches(x, batch_size, generator, steps=steps):
        value = loss(model, batch, generator)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        history.append(value.detach())
    model.train(was_training)
    return torch.stack(history)
    ### END SOLUTION

# %% role="check"
grader.check("q5")

# %% [markdown]
# Given: the loss, and means of the three terms over images.

# %% role="given"
def vae_loss(model, batch: Float[Tensor, "N D"], generator: torch.Generator) -> Float[Tensor, ""]:
    """Mean of -ELBO over a minibatch."""
    eps = torch.randn(len(batch), model.latent_dim, generator=generator, device=generator.device).to(batch)
    return -elbo_terms(model, batch, eps)[0].mean()


def mean_terms(model, x: Float[Tensor, "N D"], noise: float = 1.0, draws: int = 20) -> list[float]:
    """Averages of [-ELBO, -log-likelihood, KL], with eps multiplied by `noise`."""
    numbers, total = dgm.generator(0), torch.zeros(3)
    with torch.no_grad():
        for _ in range(draws):
            eps = noise * torch.randn(len(x), model.latent_dim, generator=numbers).to(x)
            total += torch.stack([term.mean() for term in elbo_terms(model, x, eps)]).cpu() / draws
    return (total * torch.tensor([-1, -1, 1])).tolist()

# %% [markdown]
# ### First a number
#
# Eight latents for the $8\times8$ digits. A second call of `train` takes smaller steps. Questions 6, 7 and 10 need this `digit_vae`.

# %%
digit_train, digit_test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))


def trained_vae(x, latent_dim, schedule, loss=vae_loss, seed=0):
    """A new VAE, trained by one call of `train` for each (steps, lr)."""
    dgm.seed_everything(seed)
    model, order = VAE(x.shape[1], latent_dim, 200).to(dgm.device()), dgm.generator(seed, dgm.device())
    for steps, lr in schedule:
        train(model, loss, x.to(dgm.device()), steps, 200, lr, order)
    return model.cpu().eval()


digit_schedule = dgm.budget(smoke=[(30, 1e-3)], cpu=[(2500, 1e-3), (500, 2e-4)], gpu=[(2500, 1e-3), (500, 2e-4)])
digit_vae = trained_vae(digit_train, 8, digit_schedule)  # about 20 seconds

# %%
digit_share = (digit_train.sum(0) + 1) / (len(digit_train) + 2)
digit_without = -float(bernoulli_log_prob(torch.logit(digit_share).expand_as(digit_test), digit_test).mean())
plot.table([
    ("no code: each pixel with its own frequency, test", digit_without, digit_without, 0.0, "25.15"),
    ("your VAE, training images", *mean_terms(digit_vae, digit_train), "15.6"),
    ("your VAE, test images", *mean_terms(digit_vae, digit_test), "17.6"),
], header=("nats per image", "-ELBO", "-rebuild", "cost of the code", "expected -ELBO"))

# %% [markdown]
# The code costs 7 nats and saves 14.5 at the pixels. (Over six seeds the −ELBO is 17.5 to 17.7.) This is a bound; Question 7 measures how far it is from $-\log p(x)$.
#
# ### A sheet of digits
#
# Two latents for $16\times16$ pixels. Left: what the decoder draws at the centres of $15\times15$ tiles of the plane, equally probable under the prior.
# Right, in the same tiles: for each of 1,000 new images, one code drawn from its $q(z\mid x)$.
#
# **Before you run this:** suppose that $\bar q(z)$ has variances near 1. By your derivation, part of this is the average $\sigma^2$. How large is it?

# %%
guess_noise_part = None  # type a number between 0 and 1

# %%
sheet_side = 15      # a knob: 25 shows finer steps. Is there a place where one digit jumps to another?
sheet_images = 5000  # a knob: with 500 training images, what happens to the blurred tiles, and to the two numbers of -ELBO?

sheet_vae = trained_vae(sheet_train[:sheet_images], 2, [(dgm.budget(smoke=30, cpu=3000, gpu=3000), 2e-3)])


def latent_sheet(model, side):
    """Drawings at the centres of side² equally probable tiles."""
    levels = torch.special.ndtri((torch.arange(side) + 0.5) / side)
    with torch.no_grad():
        return torch.sigmoid(model.decode(torch.cartesian_prod(levels.flip(0), levels).flip(1))).reshape(-1, 16, 16)


with torch.no_grad():
    sheet_mean, sheet_logvar = sheet_vae.encode(sheet_test)
sheet_z = sheet_mean + (sheet_logvar / 2).exp() * torch.randn(sheet_mean.shape, generator=dgm.generator(1))
sheet_place = torch.special.ndtr(sheet_z)
figure, (left, right) = plot.subplots(1, 2, width=10, height=5)
plot.images(latent_sheet(sheet_vae, sheet_side), ncols=sheet_side, ax=left, suptitle="Digits turn into one another")
others = torch.isin(sheet_labels, torch.tensor([0, 1, 2, 4]), invert=True)
plot.scatter2d(sheet_place[others], ax=right, color="#bbbbbb", size=14, alpha=0.8, label="others")
for digit in (0, 1, 2, 4):
    plot.scatter2d(sheet_place[sheet_labels == digit], xlim=(0, 1), ylim=(0, 1), ax=right, size=14, alpha=0.9, label=str(digit))
right.set(xticks=torch.linspace(0, 1, sheet_side + 1).tolist(), yticks=torch.linspace(0, 1, sheet_side + 1).tolist(), xticklabels=[], yticklabels=[], title="Codes of new images fill the same tiles")
right.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

sheet_counts = torch.bincount((10 * sheet_place).long().clamp(0, 9) @ torch.tensor([10, 1]), minlength=100)
centre, spread = aggregate_moments(sheet_mean, sheet_logvar)
plot.table([
    ("-ELBO, training and test images", f"{mean_terms(sheet_vae, sheet_train[:sheet_images], draws=2)[0]:.1f} and {mean_terms(sheet_vae, sheet_test)[0]:.1f}", "46.7 and 50.3 for 5000", None),
    ("mean of the aggregate posterior", ", ".join(f"{v:.2f}" for v in centre.tolist()), "near 0, 0", None),
    ("its variances", ", ".join(f"{v:.2f}" for v in spread.diagonal().tolist()), "near 1, 1", None),
    ("the part that is noise, the average σ²", ", ".join(f"{v:.3f}" for v in sheet_logvar.exp().mean(0).tolist()), "near 0.012", guess_noise_part),
    ("of 10 × 10 larger tiles, those with fewer than 3 codes", int((sheet_counts < 3).sum()), "3 (prior: 0.3)", None),
], header=("", "yours", "expected", "your guess"))

# %% [markdown]
# About 1 % (0.9 % to 1.5 % over five seeds); the rest is the spread of the means. Each $q(z\mid x)$ is a dot, a tenth as wide as the prior; together they fill it almost evenly. Yet no term of (5.1) compares $\bar q(z)$ with
# $p(z)$. The mean KL does: Question 2 split it into what $z$ tells about $x$ and $\mathrm{KL}(\bar q(z)\,\|\,p(z))$. Where dots of several digits mix, the decoder hedges with grey.
#
# ### Ten latents, and a program that cheats
#
# Ten latents leave room for slant, width and font. Compare the mixed codes below with the pixels above.
#
# A second program has one mistake: its `elbo_terms` forgets the noise and decodes $z=\mu$. It is trained with this mistake, and then reports its supposed ELBO on new images.
#
# **Before you run this:** your VAE reports a −ELBO of 38 nats. What will the program report?

# %%
guess_cheat_elbo = None  # type a number

# %%
cheat_noise = 0.0  # a knob: the program multiplies the noise by it. At 0.3, what happens to both numbers and to the last row?


def cheat_loss(model, batch, generator):
    """`vae_loss` with less noise, or none."""
    eps = cheat_noise * torch.randn(len(batch), model.latent_dim, generator=generator, device=generator.device).to(batch)
    return -elbo_terms(model, batch, eps)[0].mean()


ten_schedule = [(dgm.budget(smoke=30, cpu=1500, gpu=1500), 2e-3)]
ten_vae, cheat_vae = (trained_vae(sheet_train, 10, ten_schedule, loss) for loss in (vae_loss, cheat_loss))
ten_z = torch.randn(15, 10, generator=dgm.generator(2))
with torch.no_grad():
    ten_ends = [[ten_vae.encode(image[None])[0] for image in pair] for pair in sheet_ends]
    ten_mixed = torch.cat([ten_vae.decode(first + sheet_path * (last - first)) for first, last in ten_ends])
    ten_rows = torch.sigmoid(torch.cat([ten_mixed, ten_vae.decode(ten_z), cheat_vae.decode(ten_z)]))
figure, axes = plot.subplots(3, 1, width=10, height=4.6, height_ratios=[3.05, 1, 1])
for ax, rows, title in zip(axes, ten_rows.split([45, 15, 15]), (
    "Mixed codes: on the way from digit to digit, strokes stay strokes", "Your VAE, codes drawn from the prior", f"The same codes, decoded by the program with {cheat_noise:g} times the noise",
)):
    plot.images(rows.reshape(-1, 16, 16), ncols=15, ax=ax, suptitle=title)
plt.show()

ten_table = []
for name, model, noise, expected, guess in (
    ("your VAE", ten_vae, 1.0, "38.4", None), (f"program with {cheat_noise:g} times the noise", cheat_vae, cheat_noise, "20.8", guess_cheat_elbo)
):
    with torch.no_grad():
        variances = aggregate_moments(*model.encode(sheet_test))[1].diagonal()
    reported, _, cost = mean_terms(model, sheet_test, noise)
    ten_table.append((name, reported, expected, guess, cost, mean_terms(model, sheet_test)[0], f"{float(variances.min()):.2f} to {float(variances.max()):.2f}"))
plot.table(ten_table, header=("nats per image, test", "reported", "expected", "your guess", "its KL", "-ELBO with noise", "aggregate variances"))

# %% [markdown]
# It reports 18 nats less, on images that it has never seen. (Over five seeds: 19.5 to 21.3, your VAE 37.9 to 39.0.) Its aggregate posterior fits the prior, too. But with noise the same weights
# need more than 500 nats, and many drawings are torn or overexposed.
#
# ### Why? (3 points)
#
# In eight lines at most: (a) Which step from $\log p(x)$ to the reported number is invalid, and why do test images not reveal it? (b) What did encoder and decoder learn to do that makes the KL nearly vanish?
# (c) Why does its aggregate posterior fit the prior, and what exposes the program?

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) (5.1) holds for the average over codes drawn from q(z | x). The program takes one chosen code, μ, while it pays the KL of a q with variance 1. log p(x | μ) - KL(q || p) bounds nothing: it is as if the
# receiver got μ exactly and paid only for a blurred code. The encoder computes μ for test images as well, so they look just as good.
#
# (b) Without noise the decoder reads μ exactly, however close the means are. So the encoder moves all means close to 0 and sets σ = 1, where the KL is nearly 0, and the decoder magnifies the
# tiny differences. The image is still told by z, but nothing is paid.
#
# (c) With σ = 1 and means near 0 every q(z | x) is nearly N(0, I), and so is their mixture. The fit says nothing about the decoder: it was trained at the means alone, so that codes from q or from the prior
# are strange to it. The -ELBO with noise exposes it, or drawings from the prior, or a receiver who must decode (Question 10).
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A VAE maximises one number, in nats per image: what is rebuilt, summed over pixels, less what the code costs, summed over latents.
# - The decoder learns on the aggregate posterior and draws from the prior. The mean KL pulls the two together.
# - The bound holds for codes *drawn* from $q$. Without the noise it is no bound.
#
# `train` returns in Questions 6 to 9. In Question 10 a claimed ELBO has to become bytes, so that such a program cannot hide.

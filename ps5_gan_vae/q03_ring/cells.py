# %% [markdown]
# Two generators of points, and the data: a ring of eight Gaussians with standard deviation 0.05. Which of the two is better?

# %% role="given"
ring_angles = 2 * math.pi * torch.arange(8) / 8
ring_centres, ring_std = 0.75 * torch.stack([ring_angles.cos(), ring_angles.sin()], 1), 0.05


def ring_points(*shape: int, draws: torch.Generator) -> Float[Tensor, "*shape 2"]:
    """Points of the ring."""
    modes = torch.randint(8, shape, generator=draws)
    return ring_centres[modes] + ring_std * torch.randn(*shape, 2, generator=draws)

# %%
def ring_show(points, ax, title):
    ax.scatter(*points.T, s=3, alpha=0.4, color=plot.COLORS[0])
    ax.scatter(*ring_centres.T, marker="+", color=plot.COLORS[1])
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[], title=title)


ring_data = ring_points(1000, draws=dgm.generator(0))
ring_turns = 2 * math.pi * torch.rand(1000, generator=dgm.generator(1))
figure, axes = plot.subplots(1, 3, width=9, height=3)
ring_show(ring_data, axes[0], "The data")
ring_show(ring_data[ring_data[:, 0] > 0.6], axes[1], "All good, one mode")
ring_show(0.75 * torch.stack([ring_turns.cos(), ring_turns.sin()], 1) + 0.03 * torch.randn(1000, 2, generator=dgm.generator(2)), axes[2], "All modes, half of it bad")
plt.show()

# %% [markdown]
# Neither. One forgets, the other invents, and one number cannot say both. A generator has no likelihood to ask, and its loss says how it does *against this critic*, who learns as well. So you count twice: **modes hit**, and the share of **good** samples.
#
# First the game has to be trained. Code that trains two networks against each other goes wrong quietly: a gradient in the wrong network changes nothing that you see at once. So you test it as code, and only then by what it draws.
#
# ### One round
#
# The critic gets $R$ updates (the number is called `n_critic`), then the generator gets one. The critic lowers
#
# $$L_D=\tfrac1B\sum_i\big[\operatorname{softplus}(-D(x_i))+\operatorname{softplus}(D(G(z_i)))\big]+\gamma R_1, \tag{3.1}$$
#
# which is `discriminator_loss` plus $\gamma$ times the `r1_penalty` of Question 2. The generator lowers $L_G=\frac1B\sum_i\operatorname{softplus}(-D(G(z_i)))$, the "nonsaturating" `generator_loss`, on *new* noise. Both losses pass through both networks, so each update must keep its gradient out of the other one.
# If all logits are 0 and there is no penalty, $L_D=2\ln2\approx1.386$ and $L_G\approx0.693$.
#
# The last generator keeps jumping. So samples come from a moving average of its weights.
#
# **On paper.** Somebody forgets to cut $G(z)$ off in $L_D$, and clears the generator's gradients before the critic's update only. Then the generator descends $L_D+L_G$. What is the slope of this sum in the logit $h$ of one fake? (It should be $\sigma(h)-1$.)
#
# ### Your task
#
# Two networks, the round, the loop, and the count.

# %% role="answer"
def ring_networks(noise: int, width: int, dropout: float) -> tuple[nn.Module, nn.Module]:
    """A generator, (N, noise) to (N, 2), and a critic, (N, 2) to logits (N,), of nn.Linear layers with bias.

    Both have two hidden layers of size `width`: in the generator with ReLU, in the critic with LeakyReLU(0.2) and dropout. Samples end with tanh.
    """
    ### BEGIN SOLUTION
    generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())
    hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(dropout))]
    return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0))
    ### END SOLUTION


def gan_round(
    generator, critic, generator_optimiser, critic_optimiser, real: Float[Tensor, "R B 2"], noise: Float[Tensor, "R+1 M K"], gamma: float
) -> None:
    """R updates of the critic, the r-th by (3.1) on real[r] and fakes of noise[r]; then one of the generator, on the last noise.

    The critic's updates send no gradient into the generator. Gradients from before do not count; none is left in the critic.
    """
    ### BEGIN SOLUTION
    for x, z in zip(real, noise):
        critic_optimiser.zero_grad()
        (discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, x)).backward()
        critic_optimiser.step()
    generator_optimiser.zero_grad()
    generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
    generator_optimiser.step()
    critic_optimiser.zero_grad()
    ### END SOLUTION


def train_gan(generator, critic, optimisers, deal, rounds: int, n_critic: int, gamma: float, decay: float) -> nn.Module:
    """Train both in place; return another network, the moving average of the generator. It starts where the generator does.

    Args:
        optimisers: the generator's and the critic's.
        deal: ``deal(n)`` gives new ``real`` and ``noise`` for n updates of the critic; call it once in each round.
        rounds: how many; may be 0.
        decay: of the average, which moves after each round.
    """
    ### BEGIN SOLUTION
    average = copy.deepcopy(generator)
    for _ in range(rounds):
        gan_round(generator, critic, *optimisers, *deal(n_critic), gamma)
        update_average(average, generator, decay)
    return average
    ### END SOLUTION


def mode_coverage(samples: Float[Tensor, "N D"], centres: Float[Tensor, "K D"], std: float, least: int) -> tuple[int, float]:
    """Modes hit, and the share of good samples: those at most 3 std from their nearest centre.

    A mode is hit if it is the nearest of at least `least` good samples; least >= 1.
    """
    ### BEGIN SOLUTION
    distance, nearest = torch.cdist(samples, centres).min(1)
    good = distance <= 3 * std
    return int((torch.bincount(nearest[good]) >= least).sum()), float(good.float().mean())
    ### END SOLUTION

# %% role="check"
grader.check("q3")

# %% [markdown]
# ### Why? (3 points)
#
# TODO

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# TODO
# ### END SOLUTION

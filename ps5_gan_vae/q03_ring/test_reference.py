"""The reference of Question 3 against closed forms, NumPy, SciPy and enumeration."""

import itertools

import numpy as np
import pytest
import torch
from scipy import spatial, special
from torch import nn


@pytest.mark.parametrize(("noise", "width"), [(2, 64), (5, 7), (1, 1)])
def test_numbers_of_parameters(reference, noise, width):
    generator, critic = (sum(each.numel() for each in net.parameters()) for net in reference.ring_networks(noise, width, 0.3))
    assert generator == (noise + 1) * width + (width + 1) * width + (width + 1) * 2
    assert critic == 3 * width + (width + 1) * width + width + 1


def test_networks_in_numpy(reference):
    generator, critic = (net.double().eval() for net in reference.ring_networks(3, 6, 0.5))
    z, x = np.random.default_rng(0).normal(size=(9, 3)), np.random.default_rng(1).normal(size=(9, 2))
    cases = (generator, z, lambda h: np.maximum(h, 0), np.tanh), (critic, x, lambda h: np.where(h > 0, h, 0.2 * h), lambda h: h[:, 0])
    for net, values, act, end in cases:
        parts = [each.detach().numpy() for each in net.parameters()]
        h = values
        for i in (0, 2):
            h = act(h @ parts[i].T + parts[i + 1])
        np.testing.assert_allclose(net(torch.tensor(values)).detach().numpy(), end(h @ parts[4].T + parts[5]), rtol=1e-10)


def test_dropout_by_enumeration(reference):
    """All 2^4 masks of a critic of width 2 give the values and chances of its logits in train mode."""
    torch.manual_seed(0)
    critic = reference.ring_networks(1, 2, 0.3)[1]
    first, a, second, b, third, c = (each.detach().numpy().astype(float) for each in critic.parameters())
    point, values, chances = np.array([0.4, -0.7]), [], []

    def leaky(h):
        return np.where(h > 0, h, 0.2 * h)

    for mask in itertools.product((0, 1), repeat=4):
        h = leaky(first @ point + a) * mask[:2] / 0.7
        values.append(float((third @ (leaky(second @ h + b) * mask[2:] / 0.7) + c)[0]))
        chances.append(0.7 ** sum(mask) * 0.3 ** (4 - sum(mask)))
    n = 40000
    drawn = critic.train()(torch.tensor(point, dtype=torch.float32).expand(n, 2)).detach().numpy()
    mean, square = np.dot(chances, values), np.dot(chances, np.square(values))
    assert drawn.mean() == pytest.approx(mean, abs=6 * np.sqrt((square - mean**2) / n))
    assert np.abs(drawn[:, None] - np.array(values)).min(1).max() < 1e-5


class Line(nn.Module):
    """A critic w·x + b, or a generator z A."""

    def __init__(self, weight, bias=None):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.bias = None if bias is None else nn.Parameter(torch.tensor(bias, dtype=torch.float64))

    def forward(self, x):
        return x @ self.weight if self.bias is None else x @ self.weight + self.bias


@pytest.mark.parametrize("updates", [1, 3])
def test_round_of_linear_players(reference, updates):
    """Slopes by hand: the penalty of a linear critic is |w|²."""
    draws, lr, gamma = np.random.default_rng(updates), 0.3, 0.7
    A, w, b = draws.normal(size=(3, 2)), draws.normal(size=2), 0.2
    real, noise = draws.normal(size=(updates, 5, 2)), draws.normal(size=(updates + 1, 6, 3))
    generator, critic = Line(A), Line(w, b)
    optimisers = [torch.optim.SGD(net.parameters(), lr) for net in (generator, critic)]
    reference.gan_round(generator, critic, *optimisers, torch.tensor(real), torch.tensor(noise), gamma)
    for x, z in zip(real, noise):
        fake = z @ A
        up, down = -special.expit(-(x @ w + b)), special.expit(fake @ w + b)
        slope = (up[:, None] * x).mean(0) + (down[:, None] * fake).mean(0) + 2 * gamma * w
        w, b = w - lr * slope, b - lr * (up.mean() + down.mean())
    pull = -special.expit(-(noise[-1] @ A @ w + b))
    A = A - lr * np.einsum("n,nk,d->kd", pull, noise[-1], w) / 6
    np.testing.assert_allclose(critic.weight.detach().numpy(), w, rtol=1e-9)
    assert critic.bias.item() == pytest.approx(b, rel=1e-9)
    np.testing.assert_allclose(generator.weight.detach().numpy(), A, rtol=1e-9)


def test_players_keep_out_of_each_other(reference):
    """Only one network has gradients at each step, and each optimiser steps as often as it should."""
    generator, critic = reference.ring_networks(2, 4, 0.0)
    optimisers, seen = [torch.optim.SGD(net.parameters(), 0.1) for net in (generator, critic)], []

    def note(who):
        def hook(*_):
            seen.append((who, *[any(each.grad is not None and bool(each.grad.any()) for each in net.parameters()) for net in (generator, critic)]))
        return hook

    for who, optimiser in zip("gc", optimisers):
        optimiser.register_step_pre_hook(note(who))
    reference.gan_round(generator, critic, *optimisers, torch.randn(3, 8, 2), torch.randn(4, 8, 2), 0.1)
    assert seen[:3] == [("c", False, True)] * 3
    assert seen[3][:2] == ("g", True)
    assert len(seen) == 4
    assert all(each.grad is None or not each.grad.any() for each in critic.parameters())


@pytest.mark.parametrize(("rounds", "n_critic", "decay"), [(4, 3, 0.7), (6, 1, 0.9), (0, 2, 0.5)])
def test_average_by_its_closed_form(reference, rounds, n_critic, decay):
    """decay^T times the start, plus (1 - decay) decay^(T-t) times the generator after round t; with counts of deals and steps."""
    generator, critic = (net.double() for net in reference.ring_networks(2, 3, 0.0))
    optimisers = [torch.optim.Adam(net.parameters(), 0.01, (0.0, 0.9)) for net in (generator, critic)]
    flat, counts, asked = nn.utils.parameters_to_vector, [0, 0], []
    path = [flat(generator.parameters()).detach().clone()]

    def count(which):
        def hook(*_):
            counts[which] += 1
            if which == 0:
                path.append(flat(generator.parameters()).detach().clone())
        return hook

    for which, optimiser in enumerate(optimisers):
        optimiser.register_step_post_hook(count(which))

    def deal(n):
        asked.append(n)
        return torch.randn(n, 5, 2).double(), torch.randn(n + 1, 5, 2).double()

    average = reference.train_gan(generator, critic, optimisers, deal, rounds, n_critic, 0.1, decay)
    assert counts == [rounds, rounds * n_critic]
    assert asked == [n_critic] * rounds
    expected = decay**rounds * path[0] + sum((1 - decay) * decay ** (rounds - t) * path[t] for t in range(1, rounds + 1))
    torch.testing.assert_close(flat(average.parameters()).detach(), expected)


@pytest.mark.parametrize("seed", range(4))
def test_coverage_against_a_tree(reference, seed):
    draws = np.random.default_rng(seed)
    dim, std, least = 1 + seed % 3, 0.3, 1 + 3 * seed
    centres = draws.normal(size=(7, dim)) * 3
    samples = centres[draws.integers(0, 7, 300)] + draws.normal(size=(300, dim)) * draws.choice([0.2, 0.6], size=(300, 1))
    distance, nearest = spatial.cKDTree(centres).query(samples)
    good = distance <= 3 * std
    expected = sum(int((nearest[good] == k).sum()) >= least for k in range(7)), good.mean()
    assert reference.mode_coverage(torch.tensor(samples), torch.tensor(centres), std, least) == pytest.approx(expected)


def test_good_share_of_the_data(reference):
    """Of a Gaussian in the plane, exp(-4.5) lie beyond three standard deviations; no generator can be asked for more than 98.9 %."""
    points = reference.ring_points(200_000, draws=torch.Generator().manual_seed(0))
    modes, share = reference.mode_coverage(points, reference.ring_centres, reference.ring_std, 20_000)
    assert modes == 8
    assert share == pytest.approx(1 - np.exp(-4.5), abs=6 * np.sqrt(0.011 / 200_000))


def test_leaking_slope(reference):
    """The critic's loss and the generator's together: 2σ(h) - 1 in place of σ(h) - 1."""
    h = torch.linspace(-6, 6, 13, dtype=torch.float64, requires_grad=True)
    both = reference.discriminator_loss(torch.zeros(1, dtype=torch.float64), h) + reference.generator_loss(h, "nonsaturating")
    slope = 13 * torch.autograd.grad(both, h)[0].numpy()
    np.testing.assert_allclose(slope, 2 * special.expit(h.detach().numpy()) - 1, atol=1e-12)

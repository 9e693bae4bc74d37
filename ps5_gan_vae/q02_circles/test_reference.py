"""Question 2 against closed eigenvalues, autograd of the losses, scipy's minimiser and solver, PyTorch's moving average, and the numbers of its text."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

RATES = (0.01, 0.1, 0.4)


@pytest.mark.parametrize("rate", RATES)
def test_eigenvalues_in_closed_form(reference, rate):
    growth = reference.dirac_growth
    assert growth(0.0, rate, rate, "simultaneous") == pytest.approx(math.sqrt(1 + rate**2 / 4), abs=1e-12)
    assert growth(0.0, rate, rate, "alternating") == pytest.approx(1, abs=1e-12)
    assert growth(0.0, rate, rate, "extragradient") == pytest.approx(math.sqrt(1 - rate**2 / 4 + rate**4 / 16), abs=1e-12)
    for gamma in (0.2, 0.7):
        assert growth(gamma, rate, rate, "simultaneous") == pytest.approx(math.sqrt(1 - gamma * rate + rate**2 / 4), abs=1e-12)
        assert growth(gamma, rate, rate, "simultaneous") < 1
    assert growth(rate / 4, rate, rate, "simultaneous") == pytest.approx(1, abs=1e-12)   # so much R1 holds the circle


def test_rates_count_by_their_product_without_r1(reference):
    for ratio in (0.25, 4.0, 16.0):
        assert reference.dirac_growth(0.0, 0.1 / math.sqrt(ratio), 0.1 * math.sqrt(ratio), "simultaneous") == pytest.approx(math.sqrt(1.0025), abs=1e-12)
    assert reference.dirac_growth(0.1, 0.1, 0.1, "simultaneous") == pytest.approx(0.996, abs=5e-4)
    assert reference.dirac_growth(0.1, 0.025, 0.4, "simultaneous") == pytest.approx(0.981, abs=5e-4)


@pytest.mark.parametrize("kind", ["minimax", "nonsaturating"])
def test_directions_are_those_of_the_losses(reference, kind):
    """Against the losses of Question 1 and the R1 penalty, by autograd, with a network of one weight."""
    gamma, generator = 0.7, torch.Generator().manual_seed(0)
    for _ in range(5):
        theta, psi = torch.randn(2, generator=generator, dtype=torch.float64).unbind()
        theta, psi = theta.requires_grad_(), psi.requires_grad_()

        def critic(x, psi=psi):
            return psi * x[:, 0]

        real, fake = torch.zeros(4, 1, dtype=torch.float64), theta.expand(3, 1)
        loss = reference.discriminator_loss(critic(real), critic(fake)) + gamma / 2 * reference.r1_penalty(critic, real)
        d_psi = -torch.autograd.grad(loss, psi, retain_graph=True)[0]
        d_theta = -torch.autograd.grad(reference.generator_loss(critic(fake), kind), theta)[0]
        torch.testing.assert_close(reference.dirac_field(gamma, kind)(theta, psi), (d_theta, d_psi))


def test_small_steps_follow_the_flow(reference):
    """The minimax flow keeps the radius; many small steps of each method end where a solver does."""
    def slope(t, point):
        fake = 1 / (1 + math.exp(-point[0] * point[1]))
        return [point[1] * fake, -point[0] * fake]

    end = integrate.solve_ivp(slope, (0, 5), [1.0, 0.0], rtol=1e-10, atol=1e-12).y[:, -1]
    assert np.hypot(*end) == pytest.approx(1, abs=1e-8)
    for method in ("simultaneous", "alternating", "extragradient"):
        found = reference.dirac_path(0.0, 0.0025, 0.0025, method, steps=2000)[-1]
        np.testing.assert_allclose(found, end, atol=4e-3)


def test_radii_of_the_text(reference):
    for method, gamma, radius in (("simultaneous", 0.0, 1.76), ("alternating", 0.0, 1.02), ("extragradient", 0.0, 0.54), ("simultaneous", 0.3, 0.001)):
        assert reference.dirac_path(gamma, 0.1, 0.1, method)[-1].norm().item() == pytest.approx(radius, abs=5e-3)
    assert reference.dirac_growth(0.0, 0.1, 0.1, "simultaneous") ** 500 == pytest.approx(1.87, abs=5e-3)
    assert reference.dirac_path(0.0, 0.1, 0.1, "simultaneous", "nonsaturating")[-1].norm().item() == pytest.approx(0.51, abs=5e-3)
    others = []
    for k in range(5):
        point = torch.tensor([math.cos(2 * math.pi * k / 5), math.sin(2 * math.pi * k / 5)], dtype=torch.float64)
        for _ in range(500):
            point = torch.stack(reference.game_step(reference.dirac_field(), point[0], point[1], 0.1, 0.1, "simultaneous"))
        others.append(point.norm().item())
    assert min(others) == pytest.approx(1.72, abs=6e-3)
    assert max(others) == pytest.approx(1.77, abs=2e-2)


def test_the_circle_of_the_nonsaturating_generator(reference):
    for start in (1.0, 0.1):
        point, field = (torch.tensor(start, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)), reference.dirac_field(0.0, "nonsaturating")
        for _ in range(12_000):
            point = reference.game_step(field, *point, 0.1, 0.1, "simultaneous")
        assert math.hypot(*point) == pytest.approx(0.447, abs=4e-3)


@pytest.mark.parametrize(("lr_g", "lr_c"), [(0.1, 0.1), (0.05, 0.4), (0.3, 0.02), (0.9, 0.8)])
def test_best_gamma_by_a_minimiser(reference, lr_g, lr_c):
    best = reference.best_gamma(lr_g, lr_c)
    found = optimize.minimize_scalar(lambda gamma: reference.dirac_growth(gamma, lr_g, lr_c, "simultaneous"), bounds=(0.2 * best, 3 * best), method="bounded", options={"xatol": 1e-9})
    assert found.x == pytest.approx(best, rel=1e-4)
    assert reference.dirac_growth(best, lr_g, lr_c, "simultaneous") == pytest.approx(1 - math.sqrt(lr_g * lr_c) / 2, abs=1e-6)


def test_a_linear_game_and_its_resolvent(reference):
    """With directions A z, extragradient is I + ηA + η²A², simultaneous I + ηA."""
    a = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    z = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def field(theta, psi):
        return tuple((a @ torch.cat([theta, psi])).split([2, 3]))

    one = torch.eye(5, dtype=torch.float64)
    for method, matrix in (("simultaneous", one + 0.1 * a), ("extragradient", one + 0.1 * a + 0.01 * a @ a)):
        torch.testing.assert_close(torch.cat(reference.game_step(field, z[:2], z[2:], 0.1, 0.1, method)), matrix @ z)
    critic, generator = one.clone(), one.clone()
    critic[2:] += 0.1 * a[2:]
    generator[:2] += 0.1 * a[:2]
    torch.testing.assert_close(torch.cat(reference.game_step(field, z[:2], z[2:], 0.1, 0.1, "alternating")), torch.cat([(generator @ critic @ z)[:2], (critic @ z)[2:]]))


def test_r1_in_closed_form(reference):
    """A quadratic critic has slope (A + A^T) x; the penalty's gradient by A is known, too."""
    generator = torch.Generator().manual_seed(3)
    a, x = (torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in ((3, 3), (6, 3)))
    a.requires_grad_()
    penalty = reference.r1_penalty(lambda z: ((z @ a) * z).sum(1), x)
    slopes = x @ (a + a.T).detach()
    torch.testing.assert_close(penalty.detach(), slopes.square().sum(1).mean())
    outer = (slopes[:, :, None] * x[:, None, :]).mean(0)
    torch.testing.assert_close(torch.autograd.grad(penalty, a)[0], 2 * (outer + outer.T))


def test_r1_by_difference_quotients(reference):
    torch.manual_seed(0)
    critic, x = nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.Tanh(), nn.Linear(7, 1)).double(), torch.randn(5, 3, 2, 2, dtype=torch.float64)
    total = 0.0
    with torch.no_grad():
        for i in range(12):
            shift = torch.zeros(12, dtype=torch.float64)
            shift[i] = 1e-5
            total = total + ((critic(x + shift.view(3, 2, 2)) - critic(x - shift.view(3, 2, 2)))[:, 0] / 2e-5).square()
    torch.testing.assert_close(reference.r1_penalty(critic, x).detach(), total.mean(), rtol=1e-7, atol=0)


def test_average_against_pytorch(reference):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    average, theirs = copy.deepcopy(model), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    theirs.update_parameters(model)   # its first update copies
    for _ in range(5):
        model(torch.randn(6, 3))
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p))
        reference.update_average(average, model, 0.9)
        theirs.update_parameters(model)
    for mine, other in zip(average.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(mine, other)
    for mine, other in zip(average.buffers(), model.buffers(), strict=True):
        assert torch.equal(mine, other)
    assert average[1].num_batches_tracked == 5


def test_swings_of_the_text(reference):
    path = reference.dirac_path(0.0, 0.1, 0.1, "alternating", steps=1000)[:, 0].numpy()
    passes = np.flatnonzero(np.diff(np.sign(path)))
    assert np.diff(passes).mean() == pytest.approx(65, abs=0.5)
    for decay, swing in ((0.9, 0.89), (0.99, 0.20), (0.995, 0.17), (0.999, 0.60)):
        found = np.empty(1001)
        found[0] = 1
        for i, theta in enumerate(path[1:], 1):
            found[i] = decay * found[i - 1] + (1 - decay) * theta
        assert np.abs(found[-500:]).max() == pytest.approx(swing, abs=6e-3)

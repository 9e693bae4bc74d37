"""Question 1 against closed forms, SciPy, exact linear recursions, and the numbers of its text."""

import math
from itertools import pairwise

import pytest
import torch
from scipy.integrate import solve_ivp

WIDE = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=WIDE)


def wheel(x, t):
    return torch.stack([-x[..., 1], x[..., 0]], -1)


def test_worked_numbers(reference):
    one, times = torch.ones(1, 1), torch.tensor([0.0, 0.5])
    assert float(reference.euler(lambda x, t: -x, one, times)[-1]) == 0.5
    assert float(reference.heun(lambda x, t: -x, one, times)[-1]) == 0.625
    kick = reference.euler_maruyama(lambda x, t: 0 * x, lambda x, t: 2.0, 0 * one, torch.tensor([1.0, 0.99]), torch.ones(1, 1, 1))
    assert float(kick[-1]) == pytest.approx(0.2, abs=1e-6)
    zero = torch.tensor(0.0)
    assert float(reference.ou_moments(0.5, 1.0, torch.tensor(1.0), zero, zero)[1]) == pytest.approx(0.632, abs=5e-4)
    assert float(reference.ou_moments(0.5, 1.0, torch.tensor(50.0), zero, zero)[1]) == pytest.approx(1)
    walk = reference.langevin(lambda x: -x, one, 0.25, torch.ones(1, 1, 1))
    assert float(walk[-1]) == pytest.approx(1 - 0.125 + 0.5)


@pytest.mark.parametrize("name, order", [("euler", 1), ("heun", 2)])
def test_orders_against_scipy_on_an_equation_with_time(reference, name, order):
    def f(t, y):
        return [math.sin(3 * t) - y[0] * y[1], math.cos(t) - y[1] ** 2 / 2]

    truth = torch.tensor(solve_ivp(f, (0.2, 1.5), [1.0, 0.3], rtol=1e-12, atol=1e-13).y[:, -1])

    def velocity(x, t):
        return torch.stack([torch.sin(3 * t) - x[:, 0] * x[:, 1], torch.cos(t) - x[:, 1] ** 2 / 2], 1)

    x = torch.tensor([[1.0, 0.3]], dtype=WIDE)
    errors = [float((getattr(reference, name)(velocity, x, torch.linspace(0.2, 1.5, n + 1, dtype=WIDE))[-1, 0] - truth).norm()) for n in (160, 320, 640)]
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("name, order, error", [("euler", 1, 5e-2), ("heun", 2, 5e-3)])
def test_a_gaussian_flow_from_noise_to_data(reference, name, order, error):
    """x_t = t x1 + (1 - t) x0 with data N(2, 0.5²): the flow takes z to 2 + z/2."""
    m, s = 2.0, 0.5

    def velocity(x, t):
        v = (1 - t) ** 2 + (t * s) ** 2
        return m + (t * s**2 - (1 - t)) / v * (x - t * m)

    z = torch.linspace(-2, 2, 9, dtype=WIDE)[:, None]
    walk = getattr(reference, name)
    errors = [float((walk(velocity, z, torch.linspace(0, 1, n + 1, dtype=WIDE))[-1] - (m + s * z)).abs().mean()) for n in (20, 320, 640)]
    assert errors[0] < error
    assert math.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.1)


def test_wheel_radii_and_orders_of_the_text(reference):
    x = torch.tensor([[1.0, 0.0]], dtype=WIDE)
    h = 2 * math.pi / 20
    times = torch.linspace(0, 2 * math.pi, 21, dtype=WIDE)
    assert float(reference.euler(wheel, x, times)[-1].norm()) == pytest.approx((1 + h**2) ** 10)
    assert float(reference.euler(wheel, x, times)[-1].norm()) == pytest.approx(2.56, abs=5e-3)
    assert float(reference.heun(wheel, x, times)[-1].norm()) == pytest.approx((1 + h**4 / 4) ** 10)
    for walk, order in ((reference.euler, 1), (reference.heun, 2)):
        errors = [float((walk(wheel, x, torch.linspace(0, 2 * math.pi, n + 1, dtype=WIDE))[-1] - x).norm()) for n in (640, 1280)]
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_there_and_back(reference):
    x, times = normal(5, 2), torch.linspace(0, 1, 401, dtype=WIDE)
    end = reference.heun(wheel, x, times)[-1]
    torch.testing.assert_close(reference.heun(wheel, end, times.flip(0))[-1], x, rtol=0, atol=1e-5)


def test_without_diffusion_euler_maruyama_is_euler(reference):
    x, times = normal(5, 2), torch.rand(7, dtype=WIDE, generator=torch.Generator().manual_seed(1))
    path = reference.euler_maruyama(wheel, lambda x, t: 0.0, x, times, normal(6, 5, 2))
    torch.testing.assert_close(path, reference.euler(wheel, x, times))


@pytest.mark.parametrize("theta, sigma", [(0.7, 1.3), (0.0, 0.8)])
def test_steps_in_moments_reach_ou_moments(reference, theta, sigma):
    """The map of one step on (mean, variance), taken from steps without and with unit noise, repeated on a fine grid."""
    n, t = 20000, 1.6
    h = t / n
    times = torch.tensor([0.0, h], dtype=WIDE)

    def step(x, eps):
        return float(reference.euler_maruyama(lambda x, t: -theta * x, lambda x, t: sigma, torch.tensor([[x]], dtype=WIDE), times, torch.tensor([[[eps]]], dtype=WIDE))[-1])

    shrink, kick = step(1.0, 0.0), step(0.0, 1.0)
    mean, variance = 1.4, 0.6
    for _ in range(n):
        mean, variance = shrink * mean, shrink**2 * variance + kick**2
    found = reference.ou_moments(theta, sigma, torch.tensor(t).double(), torch.tensor(1.4).double(), torch.tensor(0.6).double())
    assert [float(v) for v in found] == pytest.approx([mean, variance], rel=2e-4)


def test_ou_moments_compose_and_meet_brownian_motion(reference):
    m, v = normal(4), normal(4).exp()
    half = reference.ou_moments(0.9, 1.2, torch.tensor(0.4).double(), m, v)
    torch.testing.assert_close(
        reference.ou_moments(0.9, 1.2, torch.tensor(0.5).double(), *half), reference.ou_moments(0.9, 1.2, torch.tensor(0.9).double(), m, v)
    )
    t = torch.rand(4, dtype=WIDE)
    near, there = (reference.ou_moments(theta, 1.2, t, m, v) for theta in (1e-7, 0.0))
    torch.testing.assert_close(near, there, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(there, (m, v + 1.44 * t))


@pytest.mark.parametrize("eta", [0.1, 1.0, 2.5])
def test_langevin_settles_on_the_variance_of_the_text(reference, eta):
    """On N(0, 1) a step is linear: its two factors give the stationary variance."""
    def step(x, eps):
        return float(reference.langevin(lambda x: -x, torch.tensor([[x]], dtype=WIDE), eta, torch.tensor([[[eps]]], dtype=WIDE))[-1])

    shrink, kick = step(1.0, 0.0), step(0.0, 1.0)
    assert kick**2 / (1 - shrink**2) == pytest.approx(1 / (1 - eta / 4))


def test_langevin_is_euler_maruyama_and_without_noise_gradient_ascent(reference):
    x, eps = normal(5, 2), normal(9, 5, 2)
    times = 0.3 * torch.arange(10, dtype=WIDE)
    want = reference.euler_maruyama(lambda x, t: -torch.sin(x) / 2, lambda x, t: 1.0, x, times, eps)
    torch.testing.assert_close(reference.langevin(lambda x: -torch.sin(x), x, 0.3, eps), want)
    peak = reference.langevin(lambda x: 3 - x, x, 0.3, torch.zeros(200, 5, 2, dtype=WIDE))[-1]
    torch.testing.assert_close(peak, torch.full((5, 2), 3.0, dtype=WIDE))


def test_noise_twice_keeps_two_moments_and_not_the_fourth():
    a, b = normal(400_000), normal(400_000, seed=1)
    product = a * b
    assert float(product.var()) == pytest.approx(1, abs=0.02)
    assert float(product.pow(4).mean()) == pytest.approx(9, rel=0.1)


def test_euler_takes_as_many_evaluations_as_promised(reference):
    for name, price in (("euler", 1), ("heun", 2)):
        calls = []
        getattr(reference, name)(lambda x, t: calls.append(1) or -x, normal(3, 2), torch.linspace(0, 1, 8, dtype=WIDE))
        assert len(calls) == price * 7

"""Question 4 against scipy's linear programming and distances, enumeration, quadrature, and a transport library."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats
from torch import nn


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=draws(seed), dtype=torch.float64)


def masses(n, seed=0):
    return torch.rand(n, generator=draws(seed), dtype=torch.float64).add(0.1).softmax(0)


def linear_program(cost, a, b):
    """The least cost (4.1) and the dual potentials, with dense constraints."""
    n, m = cost.shape
    sums = np.concatenate([np.repeat(np.eye(n), m, axis=1), np.tile(np.eye(m), n)])
    found = optimize.linprog(cost.numpy().ravel(), A_eq=sums, b_eq=torch.cat([a, b]).numpy(), bounds=(0, None))
    return found.fun, torch.from_numpy(found.x).reshape(n, m), torch.from_numpy(found.eqlin.marginals)


def test_the_worked_numbers_of_the_text(reference):
    assert math.isclose(reference.wasserstein_1d(torch.tensor([0.0, 4.0]).double(), torch.tensor([1.0, 2.0, 3.0]).double()), 4 / 3)
    three, four = torch.zeros(2, 2), torch.ones(2, 2)
    assert float(reference.gradient_penalty(lambda x: 3 * x[:, 0] + 4 * x[:, 1], three, four, torch.tensor([0.2, 0.7]))) == 16


@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 6), (7, 3), (1, 8), (30, 31)])
def test_sorting_against_scipy(reference, n, m):
    x, y = normal(n, seed=n), 2 * normal(m, seed=m + 50)
    assert math.isclose(reference.wasserstein_1d(x, y), stats.wasserstein_distance(x.numpy(), y.numpy()), rel_tol=1e-9)
    for p in (1.0, 2.0, 3.5):
        cost = (x[:, None] - y).abs() ** p
        value, _, _ = linear_program(cost, torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double())
        assert math.isclose(reference.wasserstein_1d(x, y, p), value ** (1 / p), rel_tol=1e-7)


def test_sorting_against_all_assignments(reference):
    x, y = normal(5, seed=1), normal(5, seed=2) + 1
    best = min(float((x - y[list(order)]).square().mean()) for order in itertools.permutations(range(5)))
    assert math.isclose(reference.wasserstein_1d(x, y, 2.0), math.sqrt(best), rel_tol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_primal_is_dual_and_slackness_is_complementary(reference, seed):
    cost, a, b = normal(6, 4, seed=seed).abs(), masses(6, seed), masses(4, seed + 9)
    value, plan, prices = linear_program(cost, a, b)
    g, gap = reference.certificate(plan, cost, prices[:6])
    assert abs(gap) < 1e-9
    assert math.isclose(float(a @ prices[:6] + b @ g), value, rel_tol=1e-9)
    slack = cost - prices[:6, None] - g
    assert slack.min() > -1e-9
    assert slack[plan > 1e-9].abs().max() < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_certificate_is_the_best_price_for_this_f(reference, seed):
    """The largest g by linear programming, and the difference from sums of the plan."""
    plan, cost, f = masses(20, seed).reshape(4, 5), normal(4, 5, seed=seed), normal(4, seed=seed + 20)
    g, gap = reference.certificate(plan, cost, f)
    rows = np.tile(np.eye(5), (4, 1))
    found = optimize.linprog(-plan.sum(0).numpy(), A_ub=rows, b_ub=(cost - f[:, None]).numpy().ravel(), bounds=(None, None))
    np.testing.assert_allclose(g.numpy(), found.x, atol=1e-9)
    price = float(plan.sum(1) @ f) - found.fun
    assert math.isclose(gap, float((plan * cost).sum()) - price, rel_tol=1e-9)
    least = linear_program(cost, plan.sum(1), plan.sum(0))[0]
    assert float((plan * cost).sum()) - gap <= least + 1e-12


def test_sinkhorn_against_factors_of_the_kernel(reference):
    cost, a, b = normal(5, 7, seed=3).abs(), masses(5, 3), masses(7, 4)
    kernel, v = (-cost / 0.3).exp(), torch.ones(7, dtype=torch.float64)
    for _ in range(6):
        u = a / (kernel @ v)
        v = b / (kernel.T @ u)
    plan, f = reference.sinkhorn(cost, a, b, 0.3, 6)
    torch.testing.assert_close(plan, u[:, None] * kernel * v)
    torch.testing.assert_close(f, 0.3 * u.log())


def test_sinkhorn_minimises_cost_minus_entropy(reference):
    """The converged plan beats every feasible change, and both sums are exact."""
    cost, a, b = normal(4, 4, seed=5).abs(), masses(4, 5), masses(4, 6)
    plan, _ = reference.sinkhorn(cost, a, b, 0.2, 2000)
    torch.testing.assert_close(plan.sum(1), a, atol=1e-12, rtol=0)
    torch.testing.assert_close(plan.sum(0), b, atol=1e-12, rtol=0)

    def value(p):
        return float((p * cost).sum() + 0.2 * (p * (p.log() - 1)).sum())

    for seed in range(20):
        change = normal(4, 4, seed=seed)
        change = change - change.mean(0) - change.mean(1, keepdim=True) + change.mean()
        step = 1e-3 * float(plan.min()) / float(change.abs().max())
        assert value(plan + step * change) > value(plan)


def test_sinkhorn_nears_the_linear_program_at_small_epsilon(reference):
    cost, a, b = normal(5, 6, seed=7).abs(), masses(5, 7), masses(6, 8)
    least = linear_program(cost, a, b)[0]
    plan, f = reference.sinkhorn(cost, a, b, 2e-3, 4000)
    _, gap = reference.certificate(plan, cost, f)
    assert 0 <= (plan * cost).sum() - least < 0.01
    assert 0 <= gap < 0.01
    assert float((cost / 2e-3).max()) > 745   # where exp(-cost / epsilon) is 0 in float64


@pytest.mark.parametrize("seed", range(3))
def test_the_penalty_by_finite_differences(reference, seed):
    torch.manual_seed(seed)
    critic = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    real, fake, alpha = normal(4, 3, seed=seed), normal(4, 3, seed=seed + 10), torch.rand(4, generator=draws(seed)).double()
    x = alpha[:, None] * real + (1 - alpha[:, None]) * fake

    def by_differences():
        with torch.no_grad():
            slope = torch.stack([(critic(x + 1e-5 * e) - critic(x - 1e-5 * e))[:, 0] / 2e-5 for e in torch.eye(3).double()], 1)
            return float((slope.norm(dim=1) - 1).square().mean())

    value = reference.gradient_penalty(critic, real, fake, alpha)
    assert math.isclose(value.item(), by_differences(), rel_tol=1e-6)
    weight = critic[0].weight
    (slope,) = torch.autograd.grad(value, weight)
    with torch.no_grad():
        weight[1, 2] += 1e-4
        high = by_differences()
        weight[1, 2] -= 2e-4
        low = by_differences()
    assert math.isclose(slope[1, 2].item(), (high - low) / 2e-4, rel_tol=1e-4, abs_tol=1e-6)


def test_two_points_are_apart_by_their_distance(reference):
    """A linear critic clipped at 1 ends with the gap |θ|, whatever is added to its scores."""
    for place in (-1.7, 0.4, 3.0):
        critic = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(critic.parameters(), 0.5)
        origin, point = torch.zeros(4, 1), torch.full((6, 1), place)
        for _ in range(20):
            reference.wasserstein_step(critic, optimizer, origin, point, limit=1.0)
        assert math.isclose((critic(origin).mean() - critic(point).mean()).item(), abs(place), rel_tol=1e-5)


def test_a_step_by_hand(reference):
    critic = nn.Linear(2, 1).double()
    before, real, fake = critic.weight.detach().clone(), normal(5, 2), normal(3, 2, seed=1)
    bias = critic.bias.detach().clone()
    reference.wasserstein_step(critic, torch.optim.SGD(critic.parameters(), 0.1), real, fake)
    torch.testing.assert_close(critic.weight.detach(), before + 0.1 * (real.mean(0) - fake.mean(0)))
    torch.testing.assert_close(critic.bias.detach(), bias)


def test_the_ring_of_the_experiment(reference):
    """W1 of the ring and the Gaussian: the mean of |3 - radius|, by quadrature and from samples."""
    exact, _ = integrate.quad(lambda r: abs(3 - r) * r * math.exp(-r * r / 2), 0, 20, points=[3])
    assert round(exact, 3) == 1.753
    radii = normal(200000, 2, seed=3).norm(dim=1)
    found = reference.wasserstein_1d(torch.full((1,), 3.0).double(), radii)
    assert abs(float(found) - exact) < 0.005
    assert abs(float((3 - radii).abs().mean()) - exact) < 0.005


def test_the_given_linear_program(reference):
    cost, a, b = normal(7, 5, seed=8).abs(), masses(7, 8), masses(5, 9)
    value, _, _ = linear_program(cost, a, b)
    plan, f = reference.movers_plan(cost, a, b)
    assert math.isclose((plan * cost).sum(), value, rel_tol=1e-9)
    torch.testing.assert_close(plan.sum(1), a)
    torch.testing.assert_close(plan.sum(0), b)
    assert abs(reference.certificate(plan, cost, f)[1]) < 1e-9


def test_against_a_transport_library(reference):
    """With POT installed: exact plans, one dimension, and Sinkhorn in logarithms."""
    ot = pytest.importorskip("ot")
    cost, a, b = normal(6, 5, seed=4).abs(), masses(6, 4), masses(5, 5)
    plan, log = ot.emd(a.numpy(), b.numpy(), cost.numpy(), log=True)
    _, gap = reference.certificate(torch.from_numpy(plan), cost, torch.from_numpy(log["u"]))
    assert abs(gap) < 1e-9
    x, y = normal(8), normal(6, seed=1)
    for p in (1, 2):
        assert math.isclose(reference.wasserstein_1d(x, y, float(p)) ** p, ot.wasserstein_1d(x.numpy(), y.numpy(), p=p), rel_tol=1e-9)
    other = ot.sinkhorn(a.numpy(), b.numpy(), cost.numpy(), 0.05, method="sinkhorn_log", numItermax=5000, stopThr=1e-14)
    np.testing.assert_allclose(reference.sinkhorn(cost, a, b, 0.05, 5000)[0].numpy(), other, atol=1e-9)

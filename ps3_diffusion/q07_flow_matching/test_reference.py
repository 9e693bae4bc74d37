"""Question 7 against autograd, quadrature, Bayes on a grid, torch.distributions and closed forms."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal

from ps3_diffusion.q07_flow_matching.probes import bent_path, crooked_schedule, narrow_path, round_path

DOUBLE = torch.float64


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def paths(reference):
    return (reference.straight_path, reference.diffusion_path, lambda t: reference.diffusion_path(t, crooked_schedule), bent_path, narrow_path, round_path)


def test_the_slopes_of_every_path_are_its_derivatives(reference):
    for path in paths(reference):
        for which in (0, 1):
            t = torch.linspace(0.01, 0.99, 9, dtype=DOUBLE).requires_grad_()
            (slope,) = torch.autograd.grad(path(t)[which].sum(), t)
            torch.testing.assert_close(path(t)[2 + which].detach(), slope)


def test_the_diffusion_path_is_the_schedule_turned_round(reference):
    t = torch.linspace(0, 1, 11, dtype=DOUBLE)
    alpha, beta, _, _ = reference.diffusion_path(t)
    torch.testing.assert_close(alpha**2, torch.cos(math.pi / 2 * (1 - t)) ** 2)  # alpha_bar at s = 1 - t
    torch.testing.assert_close(alpha**2 + beta**2, torch.ones_like(t))
    assert float(alpha[0]) == pytest.approx(0, abs=1e-12)
    assert float(beta[-1]) == pytest.approx(0, abs=1e-12)
    assert bool((alpha.diff() > 0).all())
    for mine, circle in zip(reference.diffusion_path(t), round_path(t)):
        torch.testing.assert_close(mine, circle, rtol=0, atol=1e-12)


def test_the_conditional_velocity_moves_each_point_along_its_path_and_the_score_is_a_slope(reference):
    x1, x0, t = random(6, 3), random(6, 3, seed=1), torch.linspace(0.1, 0.9, 6, dtype=DOUBLE)
    for path in paths(reference):
        moving = t.clone().requires_grad_()
        alpha, beta, _, _ = path(moving)
        place = alpha[:, None] * x1 + beta[:, None] * x0
        speed = torch.stack([torch.autograd.grad(place[:, d].sum(), moving, retain_graph=True)[0] for d in range(3)], 1)
        here = place.detach().requires_grad_()
        velocity, score = reference.conditional_velocity(here, x1, t, path)
        torch.testing.assert_close(velocity.detach(), speed)
        log_density = Normal(alpha.detach()[:, None] * x1, beta.detach()[:, None]).log_prob(here).sum()
        torch.testing.assert_close(score.detach(), torch.autograd.grad(log_density, here)[0])


def test_the_worked_number(reference):
    velocity, score = reference.conditional_velocity(torch.tensor([[0.0]]), torch.tensor([[2.0]]), torch.tensor([0.5]))
    assert float(velocity) == pytest.approx(4)
    assert float(score) == pytest.approx(4)


def test_the_marginal_velocity_is_the_posterior_mean_of_velocities_by_bayes(reference):
    points, x, t = random(5, 2), random(7, 2, seed=1), torch.linspace(0.1, 0.8, 7, dtype=DOUBLE)
    for path in paths(reference):
        alpha, beta, d_alpha, d_beta = path(t)
        expected = torch.zeros(7, 2, dtype=DOUBLE)
        for n in range(7):
            joint = torch.stack([Normal(alpha[n] * point, beta[n]).log_prob(x[n]).sum() for point in points]).exp()
            for share, point in zip(joint / joint.sum(), points):
                expected[n] += share * (d_alpha[n] * point + d_beta[n] * (x[n] - alpha[n] * point) / beta[n])
        torch.testing.assert_close(reference.marginal_velocity(x, t, points, path), expected)


def test_the_marginal_velocity_keeps_the_continuity_equation(reference):
    """In one dimension: d/dt of the distribution function is minus density times velocity."""
    points, x = random(4, 1), torch.linspace(-3, 3, 25, dtype=DOUBLE)[:, None]
    for path in paths(reference):
        t = torch.tensor(0.6, dtype=DOUBLE, requires_grad=True)
        alpha, beta, _, _ = path(t)
        below = Normal(alpha * points[:, 0], beta.expand(4)).cdf(x).mean(1)
        rates = torch.stack([torch.autograd.grad(each, t, retain_graph=True)[0] for each in below])
        density = Normal(alpha * points[:, 0], beta.expand(4)).log_prob(x).exp().mean(1).detach()
        velocity = reference.marginal_velocity(x, t.detach(), points, path)[:, 0]
        torch.testing.assert_close(rates, -density * velocity, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_both_losses_have_one_gradient_and_differ_by_a_number_without_the_model(reference, seed):
    points = 1.5 * random(3, 1, seed=seed)
    nodes, weights = (torch.from_numpy(values) for values in np.polynomial.hermite_e.hermegauss(80))
    grid = torch.cartesian_prod(torch.arange(3), torch.arange(80), torch.arange(3))
    x1, x0, t = points[grid[:, 0]], nodes[grid[:, 1], None], torch.tensor([0.1, 0.3, 0.5], dtype=DOUBLE)[grid[:, 2]]
    weight = weights[grid[:, 1]] / weights.sum() / 9
    for path in (reference.straight_path, reference.diffusion_path, bent_path):
        gaps = []
        for start in range(2):
            torch.manual_seed(10 * seed + start)
            body = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()

            def model(x, time, body=body):
                return body(torch.cat([x, time[:, None]], 1))

            alpha, beta, _, _ = path(t)
            x_t = alpha[:, None] * x1 + beta[:, None] * x0
            losses = [
                (weight * reference.cfm_loss(model, x1, x0, t, path)).sum(),
                (weight * (model(x_t, t) - reference.marginal_velocity(x_t, t, points, path)).square().sum(1)).sum(),
            ]
            first, second = (torch.autograd.grad(loss, list(body.parameters())) for loss in losses)
            for one, other in zip(first, second):
                torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
            gaps.append(float((losses[0] - losses[1]).detach()))
        assert gaps[0] > 0.1
        assert gaps[0] == pytest.approx(gaps[1], abs=1e-7)


def test_the_loss_is_finite_at_both_ends(reference):
    t = torch.tensor([0.0, 1.0], dtype=DOUBLE)
    for path in paths(reference):
        assert bool(reference.cfm_loss(lambda x, t: x, random(2, 3), random(2, 3, seed=1), t, path).isfinite().all())


def test_the_gaussian_velocity_is_the_conditional_mean_of_a_joint_gaussian(reference):
    """Cov(velocity, place) over Var(place), and the closed form of two unit Gaussians."""
    mean, variance, x = random(3), random(3, seed=1).exp(), random(6, 3, seed=2)
    t = torch.linspace(0, 1, 6, dtype=DOUBLE)
    for path in paths(reference):
        alpha, beta, d_alpha, d_beta = (value[:, None] for value in path(t))
        slope = (d_alpha * alpha * variance + d_beta * beta) / (alpha**2 * variance + beta**2)
        torch.testing.assert_close(reference.gaussian_velocity(x, t, mean, variance, path), d_alpha * mean + slope * (x - alpha * mean))
    column = t[:, None]
    closed = mean + (2 * column - 1) / (column**2 + (1 - column) ** 2) * (x - column * mean)
    torch.testing.assert_close(reference.gaussian_velocity(x, t, mean, torch.ones(3, dtype=DOUBLE)), closed)


def test_the_gaussian_velocity_is_the_marginal_velocity_of_many_quantiles(reference):
    quantiles = Normal(torch.tensor(0.7, dtype=DOUBLE), 0.5).icdf((torch.arange(4000, dtype=DOUBLE) + 0.5) / 4000)[:, None]
    t = torch.linspace(0.1, 0.8, 6, dtype=DOUBLE)
    x = 0.7 * t[:, None] + 0.3 * random(6, 1)
    for path in (reference.straight_path, reference.diffusion_path):
        exact = reference.gaussian_velocity(x, t, torch.tensor([0.7], dtype=DOUBLE), torch.tensor([0.25], dtype=DOUBLE), path)
        torch.testing.assert_close(reference.marginal_velocity(x, t, quantiles, path), exact, rtol=1e-3, atol=1e-3)


def test_the_gaussian_velocity_carries_the_noise_to_the_data(reference):
    """Each standard score keeps its place: the exact map is x_0 to mean + std x_0. Integrated with Runge and Kutta's rule."""
    mean, variance, start = torch.tensor([1.5, -0.5], dtype=DOUBLE), torch.tensor([0.04, 2.0], dtype=DOUBLE), random(5, 2)
    for path in (reference.straight_path, reference.diffusion_path):
        x, h = start, 1 / 200
        for n in range(200):
            def field(place, time, path=path):
                return reference.gaussian_velocity(place, torch.tensor(time, dtype=DOUBLE), mean, variance, path)

            now = n * h
            a = field(x, now)
            b = field(x + h / 2 * a, now + h / 2)
            c = field(x + h / 2 * b, now + h / 2)
            d = field(x + h * c, now + h)
            x = x + h / 6 * (a + 2 * b + 2 * c + d)
        torch.testing.assert_close(x, mean + variance.sqrt() * start, rtol=1e-6, atol=1e-6)


def test_paths_are_those_of_flow_matching(reference):
    flow_matching = pytest.importorskip("flow_matching.path", reason="an extra of the longer tests")
    scheduler = pytest.importorskip("flow_matching.path.scheduler")
    x0, x1, t = random(6, 3), random(6, 3, seed=1), torch.linspace(0.1, 0.9, 6, dtype=torch.float64)
    for theirs, ours in (
        (flow_matching.CondOTProbPath(), reference.straight_path),
        (flow_matching.AffineProbPath(scheduler.CosineScheduler()), reference.diffusion_path),
    ):
        found = theirs.sample(t=t, x_0=x0, x_1=x1)
        velocity, _ = reference.conditional_velocity(found.x_t, x1, t, ours)
        torch.testing.assert_close(velocity, found.dx_t)
        loss = reference.cfm_loss(lambda x, t, wanted=found.dx_t: wanted + 1, x1, x0, t, ours)
        torch.testing.assert_close(loss, torch.full((6,), 3.0, dtype=torch.float64))

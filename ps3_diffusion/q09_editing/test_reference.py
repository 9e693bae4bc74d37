"""The reference of question 9 against closed forms: moments by recursion, conditional Gaussians, exact flows."""

import itertools
import math

import pytest
import torch


def pair(rho):
    return torch.tensor([[1.0, rho], [rho, 1.0]]).double()


def exact_model(cov, levels):
    def model(x, t):
        level = levels[t[0]]
        return (1 - level).sqrt() * torch.linalg.solve(level * cov + (1 - level) * torch.eye(len(cov)).double(), x.T).T

    return model


def by_units(reference, program, rho, steps, rounds, eta, levels):
    """Law of the second pixel when the first is 1: a run without noise, and one for each unit of noise."""
    size = 2 + steps * rounds * 6
    units = torch.cat([torch.zeros(1, size), torch.eye(size)]).double()
    noise = units[:, 2:].reshape(-1, steps, rounds, 3, 2).permute(1, 2, 3, 0, 4)
    known, mask = torch.tensor([1.0, 0.0]).double().expand(len(units), 2), torch.tensor([True, False])
    times = torch.linspace(1000, 0, steps + 1).round().long()

    def step(x, eps, t, s, alpha_bar, z):
        return reference.ddim_step(x, eps, t, s, alpha_bar, eta, z)

    found = program(step, exact_model(pair(rho), levels), known, mask, units[:, :2], times, levels, noise)
    return found[0], (found[1:] - found[0]).T @ (found[1:] - found[0])


def by_recursion(rho, steps, rounds, eta, levels):
    """The same mean and covariance, followed through matrices of each step."""
    eye, mean, cov = torch.eye(2).double(), torch.zeros(2).double(), torch.eye(2).double()
    times = torch.linspace(1000, 0, steps + 1).round().long()
    for t, s in itertools.pairwise(times):
        now, then = levels[t], levels[s]
        noise = (1 - now).sqrt() * torch.linalg.inv(now * pair(rho) + (1 - now) * eye)
        picture = (eye - (1 - now).sqrt() * noise) / now.sqrt()
        variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
        matrix = then.sqrt() * picture + (1 - then - variance).clamp(min=0).sqrt() * noise
        for r in range(rounds):
            mean, cov = matrix @ mean, matrix @ cov @ matrix.T + variance * eye
            mean[0], cov[0], cov[:, 0] = then.sqrt(), 0.0, 0.0
            cov[0, 0] = 1 - then
            if r + 1 < rounds:
                mean, cov = (now / then).sqrt() * mean, now / then * cov + (1 - now / then) * eye
    return mean, cov


@pytest.mark.parametrize(("rounds", "eta", "rho"), [(1, 1.0, 0.9), (4, 1.0, 0.9), (3, 0.0, 0.5)])
def test_inpainted_law_by_recursion(reference, rounds, eta, rho):
    levels = reference.cosine_alpha_bar(1000).double()
    found = by_units(reference, reference.inpaint, rho, 12, rounds, eta, levels)
    for ours, theirs in zip(found, by_recursion(rho, 12, rounds, eta, levels)):
        torch.testing.assert_close(ours, theirs)


def test_plain_replacement_is_biased_and_resampling_mends_it(reference):
    levels = reference.cosine_alpha_bar(1000).double()
    mean = {(steps, rounds): float(by_recursion(0.9, steps, rounds, 1.0, levels)[0][1]) for steps, rounds in ((50, 1), (1000, 1), (1000, 10), (1000, 50))}
    assert mean[50, 1] == pytest.approx(0.614, abs=0.001)
    assert mean[1000, 1] == pytest.approx(0.626, abs=0.001)  # more steps do not help
    assert mean[1000, 10] == pytest.approx(0.880, abs=0.001)
    assert mean[1000, 50] == pytest.approx(0.9, abs=0.005)
    spread = float(by_recursion(0.9, 1000, 10, 1.0, levels)[1][1, 1].sqrt())
    assert spread == pytest.approx(math.sqrt(0.19), abs=0.005)
    weak = float(by_recursion(0.01, 1000, 1, 1.0, levels)[0][1])
    assert weak == pytest.approx(0.005, rel=0.005)  # half of the truth


def test_jumps_compose(reference):
    levels, x = reference.cosine_alpha_bar(20).double(), torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).double()
    units = torch.eye(2).double()
    ways = []
    for path in ((0, 15), (0, 4, 15), (0, 1, 2, 9, 15)):
        shrunk, variance = x, torch.zeros(()).double()
        for s, t in itertools.pairwise(path):
            shrunk = reference.renoise(shrunk, s, t, levels, torch.zeros_like(x))
            kept = reference.renoise(units, s, t, levels, 0 * units)[0, 0]
            variance = kept**2 * variance + reference.renoise(0 * units, s, t, levels, units)[0, 0] ** 2
        ways.append((shrunk, variance))
    for shrunk, variance in ways:
        torch.testing.assert_close(shrunk, levels[15].sqrt() * x)
        torch.testing.assert_close(variance, 1 - levels[15])


def test_what_the_spy_sees(reference):
    levels, times = reference.cosine_alpha_bar(1000), torch.tensor([1000, 800, 500, 100, 0])

    def step(x, eps, t, s, alpha_bar, z):
        return reference.ddim_step(x, eps, t, s, alpha_bar, 1.0, z)

    told, shown = reference.spy_levels(reference.inpaint, step, times, levels, 3)
    torch.testing.assert_close(told, levels[times[:-1]].repeat_interleave(3))
    torch.testing.assert_close(shown, told, rtol=1e-5, atol=1e-6)
    told, shown = reference.spy_levels(reference.draft_inpaint, step, times, levels)
    torch.testing.assert_close(shown[1:], levels[times[:-2]], rtol=1e-5, atol=1e-6)


def test_sdedit_on_a_gaussian_follows_the_exact_flow(reference):
    levels, numbers = reference.cosine_alpha_bar(1000).double(), torch.Generator().manual_seed(1)
    x0, noise, v = torch.randn(5, 1, generator=numbers).double(), torch.randn(1001, 5, 1, generator=numbers).double(), 0.25
    every = torch.arange(1000, -1, -1)

    def model(x, t):
        level = levels[t].reshape(-1, 1)
        return (1 - level).sqrt() * x / (level * v + 1 - level)

    def step(x, eps, t, s, alpha_bar, z):
        return reference.ddim_step(x, eps, t, s, alpha_bar, 0.0, z)

    for t0 in (0, 250, 700):
        level = levels[t0]
        noisy = level.sqrt() * x0 + (1 - level).sqrt() * noise[0]
        found = reference.sdedit(step, model, x0, t0, every, levels, noise)
        torch.testing.assert_close(found, noisy * (v / (level * v + 1 - level)).sqrt(), rtol=0.01, atol=0.003)
    others = [reference.sdedit(step, model, x, 1000, every, levels, noise) for x in (x0, x0 + 5)]
    torch.testing.assert_close(*others, rtol=0, atol=0.02)  # t0 = T forgets the input

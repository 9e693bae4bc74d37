"""Question 6 against Question 3's posterior, exact solutions, other forms of the solver, and the numbers of its text."""

import itertools
import math

import pytest
import torch


def gauss(levels, mean=1.0, v=0.25):
    """The exact eps for N(mean, v)."""

    def model(x, t):
        level = levels[t].reshape(-1, *[1] * (x.ndim - 1))
        return (1 - level).sqrt() * (x - level.sqrt() * mean) / (level * v + 1 - level)

    return model


def test_the_example_of_the_text(reference):
    alpha_bar = torch.tensor([1, 0.64, 0.36])
    x, eps, one = torch.ones(1, 1), torch.full((1, 1), 0.5), torch.ones(1, 1)
    assert float(reference.ddim_step(x, eps, 2, 1, alpha_bar, 0.0, one)) == pytest.approx(1.1, abs=1e-6)
    still = float(reference.ddim_step(x, eps, 2, 1, alpha_bar, 1.0, 0 * one))
    assert still == pytest.approx(0.969, abs=1e-3)
    assert float(reference.ddim_step(x, eps, 2, 1, alpha_bar, 1.0, one)) - still == pytest.approx(0.496, abs=1e-3)
    solved = reference.dpm_solver_2m(lambda x, t: eps, x, torch.tensor([2, 1]), alpha_bar)
    assert float(solved) == pytest.approx(1.1, abs=1e-6)


def test_ddpm_is_question_3s_posterior(reference):
    alpha_bar = reference.cosine_alpha_bar(50).double()
    x, eps = torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for t in (1, 2, 30, 49):
        x0 = reference.convert(eps, "eps", x, alpha_bar[t])["x0"]
        mean, variance = reference.posterior(x, x0, torch.full((6,), t), alpha_bar)
        torch.testing.assert_close(reference.ddim_step(x, eps, t, t - 1, alpha_bar, 1.0, torch.zeros_like(x)), mean)
        moved = reference.ddim_step(x, eps, t, t - 1, alpha_bar, 1.0, torch.ones_like(x)) - mean
        torch.testing.assert_close(moved, variance.sqrt().expand_as(x))


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_point_mass_is_exact_for_every_number_of_steps(reference, eta):
    alpha_bar = reference.cosine_alpha_bar(100).double()
    point = torch.tensor([0.3, -0.7], dtype=torch.float64)
    for steps in (1, 3, 100):
        numbers = torch.Generator().manual_seed(steps)
        x = torch.randn(4, 2, dtype=torch.float64, generator=numbers)
        noise = torch.randn(steps, 4, 2, dtype=torch.float64, generator=numbers)

        def step(x, eps, t, s, levels, z):
            return reference.ddim_step(x, eps, t, s, levels, eta, z)

        found = reference.sample(step, gauss(alpha_bar, point, 0.0), x, reference.sampling_times(steps, 100), alpha_bar, noise)
        torch.testing.assert_close(found, point.expand(4, 2), atol=1e-6, rtol=0)


def test_ddpm_moments_are_the_closed_recursion(reference):
    alpha_bar, v, steps = reference.cosine_alpha_bar(200).double(), 0.25, 20
    times = reference.sampling_times(steps, 200)
    numbers = torch.Generator().manual_seed(0)
    x, noise = torch.randn(40_000, 1, dtype=torch.float64, generator=numbers), torch.randn(steps, 40_000, 1, dtype=torch.float64, generator=numbers)
    drawn = reference.sample(reference.ddpm_step, gauss(alpha_bar), x, times, alpha_bar, noise)
    variance = 1.0
    for t, s in zip(times[:-1].tolist(), times[1:].tolist()):
        now, then = float(alpha_bar[t]), float(alpha_bar[s])
        total = now * v + 1 - now
        sigma2 = (1 - then) / (1 - now) * (1 - now / then)
        slope = math.sqrt(then) * math.sqrt(now) * v / total + math.sqrt(max(0, 1 - then - sigma2)) * math.sqrt(1 - now) / total
        variance = slope**2 * variance + sigma2
    assert float(drawn.var()) == pytest.approx(variance, rel=0.05)
    assert float(drawn.mean()) == pytest.approx(1.0, abs=0.02)


def test_slopes_and_errors_of_the_text(reference):
    levels = reference.cosine_alpha_bar(20000).double()
    lam = 0.5 * (levels / (1 - levels))[1:].log()
    x, found = torch.linspace(-2, 2, 9).double()[:, None], []
    for count in (20, 40, 80):
        times = torch.stack([(lam - each).abs().argmin() + 1 for each in torch.linspace(-3, 3, count + 1)])
        first, last = levels[times[0]], levels[times[-1]]
        exact = last.sqrt() + (x - first.sqrt()) * ((last * 0.25 + 1 - last) / (first * 0.25 + 1 - first)).sqrt()
        ends = (
            reference.sample(reference.ode_step, gauss(levels), x, times, levels, torch.zeros(count, 1)),
            reference.dpm_solver_2m(gauss(levels), x, times, levels),
        )
        found.append([float((end - exact).square().mean().sqrt()) for end in ends])
    assert found[0] == pytest.approx([0.0464, 0.00317], rel=0.02)
    slopes = [[math.log2(a / b) for a, b in zip(before, after)] for before, after in itertools.pairwise(found)]
    for first, second in slopes:
        assert first == pytest.approx(1, abs=0.1) and second == pytest.approx(2, abs=0.1)


def test_first_order_is_ddim_and_one_step_is_the_guess(reference):
    alpha_bar = reference.cosine_alpha_bar(30).double()
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    model = gauss(alpha_bar)
    for times in ([30, 17], [12, 0]):
        times = torch.tensor(times)
        torch.testing.assert_close(
            reference.dpm_solver_2m(model, x, times, alpha_bar), reference.sample(reference.ode_step, model, x, times, alpha_bar, torch.zeros(1, 1)),
        )


def test_second_step_by_quadrature_of_the_line(reference):
    """The integral (6.2) of a line in λ through two guesses, up to what is left out by its midpoint value."""
    alpha_bar = reference.cosine_alpha_bar(400).double()
    times, seen = torch.tensor([205, 200, 195]), []

    def model(x, t):
        x0 = torch.sin(x) + 0.01 * t[:, None]
        seen.append(x0)
        level = alpha_bar[t][:, None]
        return (x - level.sqrt() * x0) / (1 - level).sqrt()

    x = torch.linspace(-1, 1, 3).double()[:, None]
    middle = reference.dpm_solver_2m(model, x, times[:2], alpha_bar)
    found, seen = reference.dpm_solver_2m(model, x, times, alpha_bar), seen[1:]
    lam = (0.5 * (alpha_bar / (1 - alpha_bar)).log())[times]
    grid = torch.linspace(0, 1, 2001).double()[:, None] * (lam[2] - lam[1]) + lam[1]
    line = seen[1].T + (grid - lam[1]) / (lam[1] - lam[0]) * (seen[1] - seen[0]).T
    integral = torch.trapezoid(grid.exp() * line, grid, dim=0)[:, None]
    sigma = (1 - alpha_bar[times]).sqrt()
    torch.testing.assert_close(found, sigma[2] * (middle / sigma[1] + integral), rtol=0, atol=1e-4)


def test_times(reference):
    assert reference.sampling_times(3, 10).tolist() == [10, 7, 3, 0]
    assert torch.equal(reference.sampling_times(1000, 1000), torch.arange(1000, -1, -1))
    for steps in (1, 7, 50, 999):
        times = reference.sampling_times(steps, 1000)
        assert times[0] == 1000 and times[-1] == 0 and len(times) == steps + 1 and (times.diff() < 0).all()
        assert times.diff().max() - times.diff().min() <= 1 + (1000 % steps > 0)


def test_the_crude_way_draws_half_the_variance(reference):
    levels = reference.cosine_alpha_bar(4000).double()
    for v in (0.04, 0.25, 4.0):
        variance, points, still = 1.0, torch.tensor([0.0, 1.0, 0.0]).double(), torch.tensor([0.0, 0.0, 1.0]).double()
        for t in range(4000, 0, -1):
            eps = gauss(levels, 0.0, v)(points, torch.full((3,), t))
            zero, one, noisy = reference.crude_step(points, eps, t, t - 1, levels, still).tolist()
            variance = (one - zero) ** 2 * variance + (noisy - zero) ** 2
        assert variance == pytest.approx(v / 2, rel=0.02)


def clouds(generator, n):
    """Three clouds in the plane, of unequal weight and width."""
    which = (torch.rand(n, 1, generator=generator) > torch.tensor([0.5, 0.8])).sum(1)
    centres = torch.tensor([[-1.2, 0.0], [0.8, 1.0], [0.9, -1.1]])
    widths = torch.tensor([0.15, 0.3, 0.2])
    return centres[which] + widths[which, None] * torch.randn(n, 2, generator=generator)


class CloudNoise:
    """The exact eps for `clouds` at each time of a schedule."""

    def __init__(self, alpha_bar):
        self.alpha_bar = alpha_bar

    def __call__(self, x, t):
        level = self.alpha_bar[t].reshape(-1, 1, 1)
        centres = torch.tensor([[-1.2, 0.0], [0.8, 1.0], [0.9, -1.1]]).to(x)
        variance = level * torch.tensor([0.15, 0.3, 0.2]).to(x).square()[None, :, None] + 1 - level
        away = x[:, None] - level.sqrt() * centres
        logs = torch.tensor([0.5, 0.3, 0.2]).to(x).log() - variance.log()[:, :, 0] - 0.5 * (away.square() / variance).sum(2)
        return ((1 - level).sqrt() * away / variance * logs.softmax(1)[:, :, None]).sum(1)


def test_samples_are_like_new_data(reference):
    numbers = torch.Generator().manual_seed(0)
    angle = torch.linspace(0.01, 0.99, 41) * math.pi / 2
    alpha_bar = torch.cos(angle).square() / math.cos(0.005 * math.pi) ** 2
    model, x_T, every = CloudNoise(alpha_bar), torch.randn(4000, 2, generator=numbers), torch.arange(40, -1, -1)

    def ddpm(x, eps, t, s, alpha_bar, noise):
        return reference.ddim_step(x, eps, t, s, alpha_bar, 1.0, noise)

    fresh = clouds(numbers, 20000)
    for drawn in (
        reference.sample(ddpm, model, x_T, every, alpha_bar, torch.randn(40, 4000, 2, generator=numbers)),
        reference.dpm_solver_2m(model, x_T, every[::2], alpha_bar),
    ):
        assert float((drawn[:, 0] < -0.2).float().mean()) == pytest.approx(float((fresh[:, 0] < -0.2).float().mean()), abs=0.05)
        torch.testing.assert_close(drawn.mean(0), fresh.mean(0), atol=0.1, rtol=0)
        torch.testing.assert_close(drawn.std(0), fresh.std(0), atol=0.1, rtol=0)


# --- the library's schedulers (an extra of the longer tests); they count times from 0, alpha_bar[0] being theirs of T = 1 ---


def betas(levels):
    """The betas of alpha_bar, as the library wants them."""
    return (1 - levels[1:] / levels[:-1]).numpy()


@pytest.mark.parametrize("eta", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_step_is_that_of_diffusers(reference, eta, clip):
    diffusers = pytest.importorskip("diffusers")
    levels = reference.linear_alpha_bar(100).double()
    theirs = diffusers.DDIMScheduler(
        100, trained_betas=betas(levels), clip_sample=clip is not None, clip_sample_range=clip or 1.0,
        timestep_spacing="trailing",
    )
    theirs.set_timesteps(20)
    x, eps, noise = torch.randn(3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for t, s in ((100, 95), (60, 55), (5, 0)):
        wanted = theirs.step(eps, t - 1, x, eta=eta, variance_noise=noise, use_clipped_model_output=True).prev_sample
        found = reference.ddim_step(x, eps, t, s, levels, eta, noise, clip)
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_walk_and_the_solver_are_those_of_diffusers(reference):
    diffusers = pytest.importorskip("diffusers")
    levels = reference.linear_alpha_bar(1000).double()
    model, x_T = gauss(levels), torch.randn(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    settings = {"trained_betas": betas(levels), "timestep_spacing": "trailing"}
    for theirs, ours in (
        (
            diffusers.DDIMScheduler(1000, clip_sample=False, **settings),
            lambda times: reference.sample(reference.ode_step, model, x_T, times, levels, torch.zeros(len(times) - 1, 50, 1)),
        ),
        (
            diffusers.DPMSolverMultistepScheduler(1000, final_sigmas_type="zero", lower_order_final=False, **settings),
            lambda times: reference.dpm_solver_2m(model, x_T, times, levels),
        ),
    ):
        theirs.set_timesteps(25)
        x = x_T
        for t in theirs.timesteps:
            x = theirs.step(model(x, torch.full((50,), int(t) + 1)), t, x).prev_sample
        times = torch.cat([theirs.timesteps + 1, torch.zeros(1, dtype=torch.int64)])
        torch.testing.assert_close(ours(times), x, rtol=2e-4, atol=2e-4)

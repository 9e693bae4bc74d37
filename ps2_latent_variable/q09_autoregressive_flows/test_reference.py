"""Question 9 against autograd's Jacobian, closed forms of Gaussians, and torch.distributions."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import AffineTransform, IndependentTransform, MultivariateNormal, Normal

from dgm import data


def shaken(module, seed, size=0.4):
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(size * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return module


def maf(reference, dim, seed, depth=2):
    torch.manual_seed(seed)
    return shaken(reference.MAF(reference.MADE(dim, 32, depth)), seed)


@pytest.mark.parametrize("dim", [1, 2, 3, 7])
def test_made_sees_earlier_inputs_only_and_all_of_them(reference, dim):
    torch.manual_seed(0)
    made = shaken(reference.MADE(dim, 64), dim)
    for k in range(2):
        depends = sum(
            torch.autograd.functional.jacobian(lambda r, k=k: made(r[None])[k][0], row).abs() for row in torch.randn(20, dim, dtype=torch.float64)
        )
        assert bool((depends.triu() == 0).all())
        assert bool((depends + torch.ones(dim, dim, dtype=torch.float64).triu() > 0).all())


def layers_of(reference):
    return {
        "MAF": maf(reference, 4, 0),
        "reversed": reference.Reversed(maf(reference, 4, 1)),
        "IAF": reference.Inverted(maf(reference, 4, 2)),
        "reversed IAF": reference.Reversed(reference.Inverted(maf(reference, 4, 3))),
        "inverted reversed": reference.Inverted(reference.Reversed(maf(reference, 4, 4))),
        "one hidden layer": maf(reference, 4, 5, depth=1),
    }


def test_every_log_determinant_is_that_of_the_jacobian_and_every_inverse_inverts(reference):
    for name, layer in layers_of(reference).items():
        x = torch.randn(6, 4, dtype=torch.float64)
        z, logdet = layer(x)
        for n, row in enumerate(x):
            jacobian = torch.autograd.functional.jacobian(lambda r, layer=layer: layer(r[None])[0][0], row)
            assert float(torch.linalg.slogdet(jacobian)[1]) == pytest.approx(float(logdet[n].detach()), abs=1e-8), name
        torch.testing.assert_close(layer.inverse(z), x, rtol=1e-7, atol=1e-7)


def test_the_order_turns_the_triangle(reference):
    for name, layer in layers_of(reference).items():
        jacobian = torch.autograd.functional.jacobian(lambda r, layer=layer: layer(r[None])[0][0], torch.randn(4, dtype=torch.float64))
        zero = jacobian.tril(-1) if "everse" in name else jacobian.triu(1)
        assert bool((zero == 0).all()), name


def test_one_layer_is_a_product_of_gaussian_conditionals(reference):
    layer, x = maf(reference, 5, 0), torch.randn(20, 5, dtype=torch.float64)
    mean, log_std = layer.net(x)
    torch.testing.assert_close(reference.flow_log_prob([layer], x), Normal(mean, log_std.exp()).log_prob(x).sum(1))


class Linear(nn.Module):
    """m = Lx + b with L strictly triangular, constant widths."""

    def __init__(self, matrix, offset, log_std):
        super().__init__()
        self.matrix, self.offset, self.log_std = matrix, offset, log_std

    def forward(self, x):
        return x @ self.matrix.T + self.offset, self.log_std.expand(len(x), -1)


def gaussian_layer(reference, dim, seed):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    net = Linear(draw(dim, dim).tril(-1), draw(dim), 0.5 * draw(dim))
    noise = torch.linalg.inv(torch.eye(dim, dtype=torch.float64) - net.matrix)
    cov = noise @ torch.diag(torch.exp(2 * net.log_std)) @ noise.T
    return reference.MAF(net), MultivariateNormal(noise @ net.offset, cov)


def test_linear_layers_are_gaussians(reference):
    layer, known = gaussian_layer(reference, 4, 0)
    x = torch.randn(10, 4, dtype=torch.float64)
    torch.testing.assert_close(reference.flow_log_prob([layer], x), known.log_prob(x))
    eps = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    draws = reference.flow_sample([layer], eps)
    torch.testing.assert_close(draws.mean(0), known.mean, atol=0.2, rtol=0.05)
    torch.testing.assert_close(torch.cov(draws.T), known.covariance_matrix, atol=0.3, rtol=0.08)


def test_two_layers_in_the_same_order_are_one(reference):
    """The question's argument: given x_{<i}, z_i of two layers is linear in x_i."""
    two = [maf(reference, 3, 0), maf(reference, 3, 1)]
    x = torch.randn(1, 3, dtype=torch.float64).repeat(5, 1)
    x[:, 2] = torch.linspace(-2, 2, 5, dtype=torch.float64)
    z = x
    for layer in two:
        z, _ = layer(z)
    torch.testing.assert_close(torch.diff(z[:, 2], n=2), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
    z = x
    for layer in (two[0], reference.Reversed(two[1]), two[0]):
        z, _ = layer(z)
    assert float(torch.diff(z[:, 2].detach(), n=2).abs().max()) > 1e-3


def test_denoising_is_the_posterior_mean_of_a_gaussian(reference):
    layer, noisy = gaussian_layer(reference, 3, 2)
    noise = 0.4
    clean_cov = noisy.covariance_matrix + 2 * torch.eye(3, dtype=torch.float64)
    noisy_cov = clean_cov + noise**2 * torch.eye(3, dtype=torch.float64)
    factor = torch.linalg.inv(torch.linalg.cholesky(noisy_cov))  # z = factor (y - mean): the flow's density is N(mean, noisy_cov)
    diagonal = factor.diagonal()
    unit = factor / diagonal[:, None]
    matrix = torch.eye(3, dtype=torch.float64) - unit
    flow = [reference.MAF(Linear(matrix, unit @ noisy.mean, -diagonal.log()))]
    y = noisy.mean + 2 * torch.randn(8, 3, dtype=torch.float64)
    torch.testing.assert_close(reference.flow_log_prob(flow, y), MultivariateNormal(noisy.mean, noisy_cov).log_prob(y))
    want = noisy.mean + (y - noisy.mean) @ torch.linalg.solve(noisy_cov, clean_cov)
    torch.testing.assert_close(reference.denoise(flow, y, noise), want)


def test_denoising_is_the_mean_over_what_could_have_been(reference):
    """A bimodal conditional, by enumeration: two clean points, and a flow fitted to nothing but their noisy density, as a layer."""

    class Mixture(nn.Module):
        """One dimension: z is the normal quantile of the mixture's distribution function."""

        def forward(self, y):
            normal = Normal(torch.zeros((), dtype=y.dtype), torch.ones((), dtype=y.dtype))
            cdf = 0.5 * normal.cdf((y - 1) / 0.8) + 0.5 * normal.cdf((y + 1) / 0.8)
            density = 0.5 * (normal.log_prob((y - 1) / 0.8).exp() + normal.log_prob((y + 1) / 0.8).exp()) / 0.8
            z = normal.icdf(cdf)
            return z, (density.log() - normal.log_prob(z)).sum(1)

    y = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    torch.testing.assert_close(reference.denoise([Mixture()], y, 0.8), torch.tanh(y / 0.8**2), rtol=1e-6, atol=1e-6)


def best_gaussian_conditionals():
    """The smallest NLL on the moons of any model with Gaussian x_1, and x_2 Gaussian given x_1; by quadrature."""
    side = torch.linspace(-5, 5, 801, dtype=torch.float64)
    joint = data.toy2d_log_prob("moons", torch.cartesian_prod(side, side)).exp().reshape(801, 801) * (10 / 800) ** 2
    first = joint.sum(1)
    mean = (joint @ side) / first
    width = (joint @ side.square()) / first - mean.square()
    variance = first @ side.square() - (first @ side) ** 2
    entropies = 0.5 * (2 * math.pi * math.e * torch.stack([variance, (first * width.log()).sum().exp()])).log()
    return float(entropies.sum()), float(first.sum())


def test_reversing_is_what_helps_on_the_moons(reference):
    """The experiment at half its length. In one order no number of layers passes the bound; reversed, five layers do."""
    bound, mass = best_gaussian_conditionals()
    assert mass == pytest.approx(1, abs=1e-3)
    assert bound - 2.162 == pytest.approx(0.596, abs=0.003)
    train, test = data.toy2d("moons", 4000, 2), data.toy2d("moons", 4000, 3)
    found = {}
    for reverse in (False, True):
        torch.manual_seed(0)
        layers = [reference.MAF(reference.MADE(2, 64)) for _ in range(5 if reverse else 2)]
        flow = nn.ModuleList(reference.Reversed(layer) if reverse and n % 2 else layer for n, layer in enumerate(layers))
        optimiser = torch.optim.Adam(flow.parameters(), 5e-3)
        for batch in data.batches(train, 256, torch.Generator().manual_seed(0), steps=600):
            optimiser.zero_grad()
            (-reference.flow_log_prob(flow, batch).mean()).backward()
            optimiser.step()
        found[reverse] = -float(reference.flow_log_prob(flow, test).mean().detach())
    assert bound - 0.03 < found[False] < bound + 0.15
    assert 2.162 < found[True] < 1.25 + 2 * math.log(2)  # 1.25 nats in the units of scikit-learn's moons, half as large


@pytest.mark.parametrize("dim", [1, 4])
def test_the_layer_is_that_of_zuko(reference, dim):
    """Another implementation of the scheme, given the same network."""
    transforms = pytest.importorskip("zuko.transforms")
    layer = maf(reference, dim, seed=3)

    def of_all(x):
        mean, log_std = layer.net(x)
        return IndependentTransform(AffineTransform(-mean * (-log_std).exp(), (-log_std).exp()), 1)

    other = transforms.AutoregressiveTransform(of_all, passes=dim)
    x = torch.randn(20, dim, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z, logdet = layer(x)
    torch.testing.assert_close(z, other(x))
    torch.testing.assert_close(logdet, other.log_abs_det_jacobian(x, z))
    torch.testing.assert_close(layer.inverse(z), other.inv(z))
    turned, back = reference.Inverted(layer)(z)
    torch.testing.assert_close(turned, other.inv(z))
    torch.testing.assert_close(back, other.inv.log_abs_det_jacobian(z, turned))

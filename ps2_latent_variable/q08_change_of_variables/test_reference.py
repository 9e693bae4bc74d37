"""Question 8 against autograd's Jacobian, quadrature, torch.distributions, finite differences and a flow library."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import AffineTransform, IndependentTransform

from dgm import data


def random_knots(reference, n, bins, box, seed, dtype=torch.float64):
    raw = 2 * torch.randn(n, 3 * bins - 1, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return reference.spline_knots(raw, box)


def shaken(flow, seed, size=0.3):
    """A flow whose layers do something, in float64."""
    generator = torch.Generator().manual_seed(seed)
    flow = flow.double()
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(size * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return flow


def mixed_flow(reference, seed, size=0.3):
    torch.manual_seed(seed)
    return shaken(nn.ModuleList([*reference.coupling_flow("affine", 2), *reference.coupling_flow("spline", 2)[1:]]), seed, size)


@pytest.mark.parametrize("seed", range(3))
def test_every_log_determinant_is_that_of_the_jacobian_and_every_inverse_inverts(reference, seed):
    flow, x = mixed_flow(reference, seed), 2 * data.toy2d("moons", 12, seed).double()
    flow[0](data.toy2d("moons", 100, seed).double())
    for layer in flow:
        z, logdet = layer(x)
        for n, row in enumerate(x):
            jacobian = torch.autograd.functional.jacobian(lambda r, layer=layer: layer(r[None])[0][0], row)
            assert float(torch.linalg.slogdet(jacobian)[1]) == pytest.approx(float(logdet[n].detach()), abs=1e-9)
        torch.testing.assert_close(layer.inverse(z), x, rtol=1e-8, atol=1e-8)
        x = z.detach()


def test_kept_dimensions_are_kept_and_the_jacobian_is_triangular(reference):
    torch.manual_seed(0)
    mask = torch.tensor([1.0, 0, 0, 1, 0], dtype=torch.float64)
    layer = shaken(nn.ModuleList([reference.AffineCoupling(reference.AffineNet(5), mask)]), 0)[0]
    x = torch.randn(5, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda r: layer(r[None])[0][0], x)
    kept, free = [0, 3], [1, 2, 4]
    torch.testing.assert_close(jacobian[kept], torch.eye(5, dtype=torch.float64)[kept])
    assert bool((jacobian[free][:, free] - torch.diag(jacobian.diagonal()[free]) == 0).all())
    torch.testing.assert_close(layer(x[None])[0][0, kept], x[kept], rtol=0, atol=0)


@pytest.mark.parametrize("seed", range(2))
def test_the_density_integrates_to_the_share_of_samples_in_a_box(reference, seed):
    """And so to 1 over the plane. The flow is gentle: ridges thinner than the grid would be missed."""
    flow = mixed_flow(reference, seed, size=0.1)
    flow[0](data.toy2d("moons", 100, seed).double())
    draws = reference.flow_sample(flow, torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    for box, count in ((2, 201), (30, 901)):
        side = torch.linspace(-box, box, count, dtype=torch.float64)
        with torch.no_grad():
            density = torch.cat([reference.flow_log_prob(flow, part).exp() for part in torch.cartesian_prod(side, side).split(100_000)])
        weight = torch.full((count,), 2 * box / (count - 1), dtype=torch.float64)
        weight[0] = weight[-1] = box / (count - 1)
        share = float((draws.abs().amax(1) < box).double().mean())
        assert float(density @ torch.outer(weight, weight).flatten()) == pytest.approx(share, abs=8e-3)
    assert share == pytest.approx(1, abs=1e-3)


def test_the_log_density_is_that_of_a_transformed_distribution(reference):
    """Actnorm alone is a diagonal Gaussian."""
    layer, x = reference.ActNorm(3), 5 * torch.randn(40, 3) - 2
    got = reference.flow_log_prob([layer], x)
    want = torch.distributions.Normal(x.mean(0), x.std(0, correction=0)).log_prob(x).sum(1)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


def test_other_units_change_the_log_density_by_a_constant(reference):
    x = data.toy2d("moons", 50, 0)
    one, other = reference.ActNorm(2), reference.ActNorm(2)
    torch.testing.assert_close(
        reference.flow_log_prob([one], x) - 2 * math.log(100), reference.flow_log_prob([other], 100 * x), rtol=1e-4, atol=1e-4
    )


def test_actnorm_is_initialised_once_and_stays_so(reference):
    layer, x = reference.ActNorm(4), 3 * torch.randn(30, 4) + 7
    z, logdet = layer(x)
    torch.testing.assert_close(z.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(z.square().mean(0), torch.ones(4), atol=1e-4, rtol=0)
    assert logdet.shape == (30,)
    twin = reference.ActNorm(4)
    twin.load_state_dict(layer.state_dict())
    torch.testing.assert_close(twin(10 * x)[0], layer(10 * x)[0])


@pytest.mark.parametrize(("channels", "height", "width"), [(3, 2, 4), (1, 3, 2), (4, 1, 1)])
def test_the_1x1_convolution_has_the_log_determinant_of_its_jacobian(reference, channels, height, width):
    generator = torch.Generator().manual_seed(channels)
    weight = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    x = torch.randn(5, channels, height, width, generator=generator, dtype=torch.float64)
    for matrix in (weight, weight[torch.arange(channels).roll(1)] * -1):   # determinants of both signs
        layer = reference.ChannelMix(matrix)
        z, logdet = layer(x)
        jacobian = torch.autograd.functional.jacobian(lambda row, layer=layer: layer(row[None])[0][0], x[0])
        size = channels * height * width
        want = torch.linalg.slogdet(jacobian.reshape(size, size))[1]
        torch.testing.assert_close(logdet.detach(), want.expand(5))
        torch.testing.assert_close(layer.inverse(z), x)
        torch.testing.assert_close(z, torch.nn.functional.conv2d(x, matrix[:, :, None, None]))


@pytest.mark.parametrize("bins", [1, 2, 7])
def test_the_spline_rises_inverts_and_knows_its_slope(reference, bins):
    curve = random_knots(reference, 1, bins, 2.5, bins)
    x = torch.linspace(-3.5, 3.5, 2001, dtype=torch.float64).requires_grad_()
    each = [value.expand(len(x), -1) for value in curve]
    y, log_slope = reference.spline(x, *each)
    assert bool((torch.diff(y) > 0).all())
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slope.log(), log_slope.detach(), rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(reference.spline_inverse(y, *each), x, rtol=1e-7, atol=1e-7)
    outside = x.abs() > 2.5
    assert bool((y[outside] == x[outside]).all()) and bool((log_slope[outside] == 0).all())


def test_the_spline_goes_through_its_knots(reference):
    xs, ys, slopes = random_knots(reference, 1, 6, 3.0, 0)
    each = [value.expand(7, -1) for value in (xs, ys, slopes)]
    y, log_slope = reference.spline(xs[0], *each)
    torch.testing.assert_close(y, ys[0])
    torch.testing.assert_close(log_slope.exp(), slopes[0])


def test_gradients_of_the_spline(reference):
    curve = [value.clone().requires_grad_() for value in random_knots(reference, 5, 4, 3.0, 1)]
    x = torch.tensor([-2.2, -0.7, 0.3, 1.1, 2.6], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: reference.spline(*given), (x, *curve))


def test_the_spline_is_that_of_zuko(reference):
    """Another implementation of the same spline, where it is installed: an outer box of the same size, from the same knots."""
    transforms = pytest.importorskip("zuko.transforms")
    n, bins, box = 200, 8, 4.0
    generator = torch.Generator().manual_seed(0)
    widths, heights = (torch.randn(n, bins, generator=generator, dtype=torch.float64) for _ in range(2))
    other = transforms.MonotonicRQSTransform(widths, heights, torch.randn(n, bins - 1, generator=generator, dtype=torch.float64), bound=box)
    x = 10 * torch.rand(n, generator=generator, dtype=torch.float64) - 5
    y, log_slope = reference.spline(x, other.horizontal, other.vertical, other.derivatives)
    want, want_slope = other.call_and_ladj(x)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(log_slope, want_slope)
    torch.testing.assert_close(reference.spline_inverse(want, other.horizontal, other.vertical, other.derivatives), x, rtol=1e-6, atol=1e-6)


def test_the_affine_coupling_is_that_of_zuko(reference):
    """Another implementation of the scheme, given what our network says of the kept dimensions."""
    transforms = pytest.importorskip("zuko.transforms")
    mask = torch.tensor([1.0, 0, 1, 0, 0], dtype=torch.float64)
    layer = shaken(nn.ModuleList([reference.AffineCoupling(reference.AffineNet(5), mask)]), 0)[0]
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def of_kept(kept):
        whole = torch.zeros(*kept.shape[:-1], 5, dtype=kept.dtype)
        whole[..., mask > 0] = kept
        log_scale, shift = (part[..., mask == 0] for part in layer.net(whole))
        return IndependentTransform(AffineTransform(shift, log_scale.exp()), 1)

    other = transforms.CouplingTransform(of_kept, mask > 0)
    z, logdet = layer(x)
    torch.testing.assert_close(z, other(x))
    torch.testing.assert_close(logdet, other.log_abs_det_jacobian(x, z))
    torch.testing.assert_close(layer.inverse(z), other.inv(z))


def test_sampling_is_the_way_back(reference):
    flow = mixed_flow(reference, 5)
    flow[0](data.toy2d("moons", 100, 0).double())
    eps = torch.randn(30, 2, dtype=torch.float64)
    z = reference.flow_sample(flow, eps)
    for layer in flow:
        z, _ = layer(z)
    torch.testing.assert_close(z, eps, rtol=1e-7, atol=1e-7)


def test_splines_beat_straight_lines_on_the_moons(reference):
    """A short run of the experiment."""
    train, test = data.toy2d("moons", 2000, 0), data.toy2d("moons", 2000, 1)
    found = {}
    for kind in ("affine", "spline"):
        torch.manual_seed(0)
        flow = reference.coupling_flow(kind, 2)
        reference.flow_loss(flow, train, None)
        optimiser = torch.optim.Adam(flow.parameters(), 1e-2)
        for batch in data.batches(train, 200, torch.Generator().manual_seed(0), steps=150):
            optimiser.zero_grad()
            reference.flow_loss(flow, batch, None).backward()
            optimiser.step()
        found[kind] = float(reference.flow_loss(flow, test, None).detach())
    assert 2.16 < found["spline"] < found["affine"] < 3.0

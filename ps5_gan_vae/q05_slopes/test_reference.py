"""Question 5 against PyTorch's spectral_norm and pixel_unshuffle, NumPy's SVD, and dense operators built column by column."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dense(convolve, channels, height, width):
    """The matrix of a linear map of pictures, column by column."""
    base = torch.eye(channels * height * width, dtype=torch.float64).reshape(-1, channels, height, width)
    return torch.stack([convolve(column[None]).flatten() for column in base], 1)


def on_torus(weight, stride):
    """A strided convolution without a border."""

    def convolve(x):
        k = weight.shape[-1]
        return F.conv2d(F.pad(x, (0, k - 1, 0, k - 1), mode="circular") if k > 1 else x, weight, stride=stride)

    return convolve


@pytest.mark.parametrize("r", [1, 2, 3, 6])
def test_space_to_depth_is_pixel_unshuffle_and_pixel_shuffle_its_inverse(reference, r):
    x = numbers(2, 3, 6, 12)
    found = reference.space_to_depth(x, r)
    torch.testing.assert_close(found, F.pixel_unshuffle(x, r), rtol=0, atol=0)
    torch.testing.assert_close(F.pixel_shuffle(found, r), x, rtol=0, atol=0)
    assert float(found.norm()) == pytest.approx(float(x.norm()), rel=1e-14)


def test_a_strided_convolution_is_one_of_stride_one_on_blocks(reference):
    x, weight = numbers(2, 3, 8, 12), numbers(5, 3, 4, 4, seed=1)
    found = F.conv2d(reference.space_to_depth(x, 2), reference.space_to_depth(weight, 2))
    torch.testing.assert_close(found, F.conv2d(x, weight, stride=2))


@pytest.mark.parametrize(("sizes", "size", "stride"), [((2, 3, 3, 3), 5, 1), ((3, 2, 4, 4), 8, 2), ((2, 2, 3, 3), 6, 2), ((2, 1, 5, 5), 9, 3), ((3, 2, 2, 2), 6, 2), ((2, 2, 1, 1), 4, 2), ((1, 4, 4, 4), 4, 1)])
def test_the_exact_slope_is_that_of_the_dense_operator(reference, sizes, size, stride):
    weight = numbers(*sizes)
    exact, bound = reference.conv_norms(weight, size, stride)
    operator = dense(on_torus(weight, stride), sizes[1], size, size)
    assert float(exact) == pytest.approx(np.linalg.svd(operator.numpy(), compute_uv=False)[0], rel=1e-10)
    assert float(exact) <= float(bound) * (1 + 1e-12)
    assert float(bound) == pytest.approx(math.ceil(sizes[-1] / stride) * np.linalg.svd(weight.flatten(1).numpy(), compute_uv=False)[0], rel=1e-10)


@pytest.mark.parametrize(("k", "stride"), [(1, 1), (3, 1), (4, 2), (3, 2), (5, 2), (5, 3), (4, 4), (2, 3), (7, 3)])
def test_the_factor_is_how_many_patches_share_a_pixel_and_is_reached(reference, k, stride):
    size = stride * 12
    patches = F.fold(torch.ones(1, k * k, ((size - k) // stride + 1) ** 2), size, k, stride=stride)   # how many lie over each pixel
    weight = torch.zeros(1, 1, k, k, dtype=torch.float64)
    weight[:, :, ::stride, ::stride] = 1   # sees the pixels that lie in the most patches
    exact, bound = reference.conv_norms(weight, size, stride)
    assert float(bound / torch.linalg.matrix_norm(weight.flatten(1), 2)) ** 2 == pytest.approx(float(patches.max()))
    assert float(exact) == pytest.approx(float(bound), rel=1e-12)


def test_zeros_around_the_picture_do_not_exceed_a_larger_torus(reference):
    weight = numbers(3, 2, 4, 4)
    padded = np.linalg.svd(dense(lambda x: F.conv2d(x, weight, stride=2, padding=1), 2, 6, 6).numpy(), compute_uv=False)[0]
    exact, bound = reference.conv_norms(weight, 8, 2)
    assert padded <= float(exact) <= float(bound)


def test_the_worked_numbers_of_the_text(reference):
    exact, bound = reference.conv_norms(torch.ones(1, 1, 2, 2), 6)
    assert [float(exact), float(bound)] == pytest.approx([4, 4])
    layer = reference.SpectralConv2d(2, 2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 0], [0, 1]])[..., None, None])
        layer.u.fill_(0.5**0.5)
    assert [round(float(layer.sigma()), 2) for _ in range(2)] == [2.86, 3.0]
    assert float(reference.conv_norms(torch.ones(1, 1, 4, 4), 8, 2)[1]) == pytest.approx(2 * 4)


def test_sigma_converges_to_the_singular_value_and_stays_in_eval_mode(reference):
    layer = reference.SpectralConv2d(3, 8, 4, 2, 1).double()
    for _ in range(500):
        layer.sigma()
    wanted = np.linalg.svd(layer.weight.detach().flatten(1).numpy(), compute_uv=False)[0]
    assert float(layer.sigma()) == pytest.approx(wanted, rel=1e-8)
    u = layer.u.clone()
    layer.eval()(numbers(1, 3, 8, 8))
    assert torch.equal(u, layer.u)


def test_against_spectral_norm_of_the_library_step_by_step(reference):
    """PyTorch computes u first, then v: its u at the start is what ours is after a step."""
    layer, plain = reference.SpectralConv2d(3, 5, 3, padding=1).double(), nn.Conv2d(3, 5, 3, padding=1).double()
    plain.load_state_dict({key: value for key, value in layer.state_dict().items() if key != "u"})
    other = nn.utils.parametrizations.spectral_norm(plain)
    x, factor = numbers(2, 3, 6, 6), numbers(2, 5, 6, 6, seed=1)
    with torch.no_grad():
        norm = other.parametrizations.weight[0]
        for _ in range(3):
            matrix = layer.weight.flatten(1)
            norm._v.copy_(F.normalize(matrix.T @ layer.u, dim=0))   # then its step is u = Wv, v = Wᵀu: ours is half a step behind
            norm._u.copy_(F.normalize(matrix @ norm._v, dim=0))
            layer.sigma()
            torch.testing.assert_close(layer.u, norm._u)
    layer.eval(), other.eval()
    with torch.no_grad():
        norm._v.copy_(F.normalize(layer.weight.flatten(1).T @ layer.u, dim=0))
    grads = []
    for each, weight in ((layer, layer.weight), (other, other.parametrizations.weight.original)):
        output = each(x)
        grads.append((output.detach(), torch.autograd.grad((factor * output).sum(), weight)[0]))
    torch.testing.assert_close(grads[0], grads[1])


def test_the_gradient_of_sigma_is_that_of_the_svd_once_converged(reference):
    layer = reference.SpectralConv2d(2, 4, 3).double()
    for _ in range(2000):
        layer.sigma()
    found = torch.autograd.grad(layer.sigma(), layer.weight)[0]
    wanted = torch.autograd.grad(torch.linalg.matrix_norm(layer.weight.flatten(1), 2), layer.weight)[0]
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_two_calls_before_one_backward_pass(reference):
    layer = reference.SpectralConv2d(2, 3, 3)
    (layer(torch.randn(1, 2, 5, 5)).sum() + layer(torch.randn(1, 2, 5, 5)).sum()).backward()
    assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("up", [True, False])
def test_a_stage_doubles_or_halves_and_its_linear_part_is_known(reference, up):
    stage = reference.GanBlock(2, 3, up, torch.Generator().manual_seed(0)).double().eval()
    x = numbers(4, 2, 6, 8)
    assert stage(x).shape == ((4, 3, 12, 16) if up else (4, 3, 3, 4))
    with torch.no_grad():
        stage.conv.weight.zero_()
        for layer in (stage.conv, stage.skip):
            if layer.bias is not None:
                layer.bias.zero_()
        stage.skip.weight.fill_(1.0)
        for layer in (stage.conv, stage.skip):
            layer.sigma = lambda: 1.0
    summed = x.sum(1, keepdim=True)
    expected = torch.kron(summed, torch.ones(2, 2, dtype=torch.float64)) if up else summed.unflatten(2, (3, 2)).unflatten(4, (4, 2)).mean((3, 5))
    torch.testing.assert_close(stage(x), expected.expand(-1, 3, -1, -1))


def test_the_slope_of_a_critics_stage_is_below_its_bound(reference):
    """conv: factor 2, skip: 1/2 of a mean and 1; with σ converged, 2.5 in all."""
    torch.manual_seed(0)
    stage = reference.GanBlock(2, 6, False).double()
    for layer in (stage.conv, stage.skip):
        for _ in range(300):
            layer.sigma()
    stage.eval()
    slopes = [torch.linalg.matrix_norm(torch.autograd.functional.jacobian(lambda z: stage(z).flatten(), x).flatten(1), 2) for x in numbers(5, 1, 2, 6, 6)]
    assert 0.5 < float(max(slopes)) <= 2.5


def test_a_critics_logit_does_not_depend_on_the_other_pictures_and_a_generators_does(reference):
    x = numbers(3, 2, 8, 8)
    critic, generator = (reference.GanBlock(2, 3, up).double().train() for up in (False, True))
    critic.eval()   # u at rest
    torch.testing.assert_close(critic(x)[:1], critic(x[:1]))
    assert float((generator(x)[:1] - generator(x[:1])).detach().abs().max()) > 1e-3


def test_pieces_whose_slope_is_known(reference):
    """Space to depth keeps lengths, the mean of 2×2 halves the slope, repeating doubles it."""
    pieces = ((lambda x: reference.space_to_depth(x, 2), 1.0), (lambda x: F.avg_pool2d(x, 2), 0.5), (lambda x: F.interpolate(x, scale_factor=2), 2.0))
    for piece, slope in pieces:
        assert np.linalg.svd(dense(piece, 2, 4, 4).numpy(), compute_uv=False)[0] == pytest.approx(slope)


def test_the_bounded_ruler_is_bounded(reference):
    """A critic that divides by κ·σ reports at most the distance of transport, 1."""
    torch.manual_seed(0)
    for divisor in ("κ·σ(W)", "exact"):
        critic = reference.stamp_critic(divisor).double().eval()
        x, shift = numbers(4, 1, 28, 28), numbers(1, 1, 28, 28, seed=1)
        moved = critic(x + shift) - critic(x)
        assert float(moved.detach().abs().max()) <= float(shift.norm())

"""Question 19 of problem set 1 against loops, torch's norms, finite differences and enumeration."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def randomise(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(0.9 * torch.randn(p.shape, generator=generator))
    return module.double()


@pytest.mark.parametrize("kind", ["A", "B"])
@pytest.mark.parametrize(("n_in", "n_out", "size"), [(3, 3, 1), (3, 12, 3), (9, 6, 5)])
def test_mask_by_loops(reference, kind, n_in, n_out, size):
    mask = reference.colour_mask(kind, n_in, n_out, size)
    assert mask.shape == (n_out, n_in, size, size) and mask.dtype == torch.float32
    centre = (size // 2, size // 2)
    for o, i, u, v in itertools.product(range(n_out), range(n_in), range(size), range(size)):
        colour_out, colour_in = o // (n_out // 3), i // (n_in // 3)
        at_centre = colour_in < colour_out or (kind == "B" and colour_in == colour_out)
        assert mask[o, i, u, v] == ((u, v) < centre or ((u, v) == centre and at_centre))


@pytest.mark.parametrize("group", [2, 5])
def test_norm_against_torch(reference, group):
    layer = randomise(reference.ColourNorm(3 * group))
    a = torch.randn(2, 3 * group, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    flat = a.permute(0, 2, 3, 1).reshape(-1, 3 * group)
    expected = F.group_norm(flat, 3, layer.gain, layer.offset, 1e-5).reshape(2, 3, 4, -1).permute(0, 3, 1, 2)
    torch.testing.assert_close(layer(a), expected)


def test_norm_of_single_and_equal_channels(reference):
    layer = randomise(reference.ColourNorm(3))
    offset = layer.offset[None, :, None, None].expand(1, 3, 2, 2)
    torch.testing.assert_close(layer(torch.randn(1, 3, 2, 2).double()), offset)
    assert torch.isfinite(reference.ColourNorm(6)(torch.ones(1, 6, 2, 2))).all()


@pytest.mark.parametrize("training", [True, False])
def test_matrix_by_finite_differences(reference, training):
    model = randomise(nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Tanh(), nn.Conv2d(6, 3, 1)))
    model.train(training)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(3, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = reference.dependence_matrix(model, x)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert model.training is training and all(p.grad is None for p in model.parameters())
    order = [(c, i, j) for i in range(2) for j in range(3) for c in range(3)]
    for m, place in enumerate(order):
        move = torch.zeros_like(x)
        move[place] = 1e-5
        with torch.no_grad():
            difference = (model((x + move)[None])[0] - model((x - move)[None])[0]) / 2e-5
        column = torch.stack([difference[p] for p in order]).abs()
        torch.testing.assert_close(found[:, m], column, rtol=1e-5, atol=1e-7)


def network(reference, norm):
    return randomise(nn.Sequential(
        reference.MaskedConv2d(reference.colour_mask("A", 3, 9, 3), 3, 9), norm, nn.Tanh(),
        reference.MaskedConv2d(reference.colour_mask("B", 9, 9, 3), 9, 9), nn.Tanh(),
        reference.MaskedConv2d(reference.colour_mask("B", 9, 3, 1), 9, 3),
    ))


def total_probability(model):
    """Sum over all 2^6 colour images of 1×2 binary pixels."""
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64).reshape(-1, 1, 3, 1, 2)
    with torch.no_grad():
        log_p = [-F.binary_cross_entropy_with_logits(model(x), x, reduction="sum") for x in images]
    return float(torch.stack(log_p).exp().sum())


def test_safe_network_is_normalised(reference):
    model = network(reference, reference.ColourNorm(9))
    x = torch.randn(3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    matrix = reference.dependence_matrix(model, x)
    assert not matrix.triu().any() and matrix.tril(-1).count_nonzero() > 0
    assert total_probability(model) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("norm", [nn.GroupNorm(1, 9), nn.BatchNorm2d(9), nn.GroupNorm(3, 9)])
def test_leaking_norms_are_detected(reference, norm):
    """Statistics over space: entries above the diagonal, and probabilities that do not sum to 1."""
    model = network(reference, norm).train()
    x = torch.randn(3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert reference.dependence_matrix(model, x).triu().any()
    assert abs(total_probability(model) - 1) > 1e-3
    if isinstance(norm, nn.BatchNorm2d):
        assert not reference.dependence_matrix(model.eval(), x).triu().any()  # innocent in evaluation mode

"""Question 10 of problem set 1 against loops, cropped convolutions, reachability and finite differences."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def randomise(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(0.7 * torch.randn(p.shape, generator=generator))
    return module.double()


def image(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def depends(output, x):
    """0/1 pattern of the input pixels that a scalar depends on."""
    (gradient,) = torch.autograd.grad(output, x, retain_graph=True)
    return (gradient.abs().flatten(0, -3).sum(0) > 0).long()


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_masks_by_position(reference, size):
    centre = (size // 2, size // 2)
    for kind in "AB":
        mask, (vertical, horizontal) = reference.causal_mask(kind, size), reference.stack_masks(kind, size)
        assert mask.dtype == vertical.dtype == horizontal.dtype == torch.float32
        for place in itertools.product(range(size), repeat=2):
            assert mask[place] == (place < centre or (kind == "B" and place == centre))
            assert vertical[place] == (place[0] < centre[0] or (kind == "B" and place[0] == centre[0]))
        for v in range(size):
            assert horizontal[0, v] == (v < centre[1] or (kind == "B" and v == centre[1]))


def test_masked_convolution_by_loops(reference):
    mask = torch.tensor([[1.0, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 0, 0, 0, 1]])
    layer = randomise(reference.MaskedConv2d(mask, 2, 3))
    x = image(1, 2, 4, 5)
    out = layer(x)
    for c, i, j in itertools.product(range(3), range(4), range(5)):
        total = layer.bias[c]
        for d, u, v in itertools.product(range(2), range(3), range(5)):
            a, b = i + u - 1, j + v - 2
            if 0 <= a < 4 and 0 <= b < 5 and mask[u, v]:
                total = total + layer.weight[c, d, u, v] * x[0, d, a, b]
        torch.testing.assert_close(out[0, c, i, j], total)


@pytest.mark.parametrize("size", [3, 5])
def test_vertical_window_is_a_shifted_convolution(reference, size):
    """Kind A of the vertical stack is an ordinary convolution of the rows above, shifted down."""
    radius = size // 2
    layer = randomise(reference.MaskedConv2d(reference.stack_masks("A", size)[0], 2, 3))
    x = image(2, 2, 7, 6)
    padded = F.pad(x, (radius, radius, radius, 0))[:, :, :-1]
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.weight[:, :, :radius], layer.bias))
    layer = randomise(reference.MaskedConv2d(reference.stack_masks("A", size)[1], 2, 3))
    padded = F.pad(x, (radius, 0))[..., :-1]
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.weight[..., :radius], layer.bias))


def test_mask_survives(reference):
    layer = reference.MaskedConv2d(reference.causal_mask("A", 3), 1, 1)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        (layer(torch.rand(2, 1, 5, 5)) - 1).square().mean().backward()
        optimiser.step()
    x = torch.rand(1, 1, 5, 5, requires_grad=True)
    assert depends(layer(x)[0, 0, 2, 2], x)[2:].tolist() == [[0, 1, 0, 0, 0], [0] * 5, [0] * 5]
    assert "mask" in layer.state_dict() and len(list(layer.parameters())) == 2
    assert layer.to("meta").mask.device.type == "meta"


def test_receptive_field_by_finite_differences(reference):
    model = randomise(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 4, 3, padding=1)))
    x, step = image(2, 4, 5), 1e-5
    found = reference.receptive_field(model, x, 1, 3)
    expected = torch.zeros(4, 5, dtype=torch.float64)
    for c, i, j in itertools.product(range(2), range(4), range(5)):
        move = torch.zeros_like(x)
        move[c, i, j] = step
        with torch.no_grad():
            difference = model((x + move)[None])[0, :, 1, 3].sum() - model((x - move)[None])[0, :, 1, 3].sum()
        expected[i, j] += (difference / (2 * step)).abs()
    torch.testing.assert_close(found, expected, atol=1e-7, rtol=1e-6)
    assert all(p.grad is None for p in model.parameters()) and not x.requires_grad


def test_gate_is_a_glu_of_tanh(reference):
    a = 30 * image(3, 8, 2, 2)
    value, gate = a.split(4, dim=1)
    torch.testing.assert_close(reference.gated_activation(a), F.glu(torch.cat([value.tanh(), gate], 1), dim=1))


@pytest.mark.parametrize("kind", ["A", "B"])
def test_block_by_formula(reference, kind):
    n_in = 1 if kind == "A" else 3
    block = randomise(reference.GatedBlock(kind, n_in, 3, 3))
    v, h, beta = image(2, n_in, 4, 5), image(2, n_in, 4, 5, seed=2), image(2, 6, 1, 1, seed=3)

    def masked(layer, x):
        return F.conv2d(x, layer.weight * layer.mask, layer.bias, padding=layer.padding)

    def gate(a):
        return torch.tanh(a[:, :3]) * torch.sigmoid(a[:, 3:])

    for bias in (None, beta):
        b = 0 if bias is None else bias
        above = masked(block.vertical, v)
        left = masked(block.horizontal, h) + F.conv2d(above, block.link.weight, block.link.bias)
        update = F.conv2d(gate(left + b), block.out.weight, block.out.bias)
        new_v, new_h = block(v, h, bias)
        torch.testing.assert_close(new_v, gate(above + b))
        torch.testing.assert_close(new_h, update + (h if kind == "B" else 0))


@pytest.mark.parametrize("place", [(0, 0), (0, 4), (3, 0), (3, 3), (6, 6)])
def test_what_stacks_see(reference, place):
    """The plain stack sees exactly what can be reached step by step; two stacks see all earlier pixels."""
    size, layers = 7, 7
    earlier = torch.arange(size * size).reshape(size, size) < place[0] * size + place[1]
    masks = [reference.causal_mask("A", 3)] + [reference.causal_mask("B", 3)] * (layers - 1)
    convs = [randomise(reference.MaskedConv2d(mask, 1 if n == 0 else 2, 2), n) for n, mask in enumerate(masks)]
    x = image(1, 1, size, size).requires_grad_()
    out = x
    for conv in convs:
        out = torch.tanh(conv(out))
    reach = {place}
    for mask in reversed(masks):
        moves = [(u - 1, v - 1) for u, v in itertools.product(range(3), repeat=2) if mask[u, v]]
        reach = {(i + a, j + b) for i, j in reach for a, b in moves if 0 <= i + a < size and 0 <= j + b < size}
    expected = torch.zeros(size, size, dtype=torch.long)
    for i, j in reach:
        expected[i, j] = 1
    assert torch.equal(depends(out[0, :, place[0], place[1]].sum(), x), expected)

    v = h = x
    for n in range(layers):
        v, h = randomise(reference.GatedBlock("A" if n == 0 else "B", 1 if n == 0 else 2, 2, 3), n)(v, h)
    assert torch.equal(depends(h[0, :, place[0], place[1]].sum(), x), earlier.long())
    above = (torch.arange(size) < place[0])[:, None].expand(size, size)
    assert torch.equal(depends(v[0, :, place[0], place[1]].sum(), x), above.long())


@pytest.mark.parametrize(("kernel", "blind"), [(3, 10), (5, 4)])
def test_blind_spot_of_the_text(reference, kernel, blind):
    """Blind are the pixels a rows up and more than a·r columns to the right: the numbers that students count on paper."""
    layers = [reference.MaskedConv2d(reference.causal_mask("A" if n == 0 else "B", kernel), 1 if n == 0 else 2, 2)
              for n in range(12)]
    network = nn.Sequential(*(module for n, layer in enumerate(layers) for module in (randomise(layer, n), nn.Tanh())))
    seen = reference.receptive_field(network, image(1, 11, 11), 6, 5) > 0
    earlier = torch.arange(121).reshape(11, 11) < 6 * 11 + 5
    rows, cols = torch.meshgrid(torch.arange(11), torch.arange(11), indexing="ij")
    hidden = (rows < 6) & (cols - 5 > (6 - rows) * (kernel // 2))
    assert torch.equal(earlier & ~seen, hidden) and int(hidden.sum()) == blind and not (seen & ~earlier).any()

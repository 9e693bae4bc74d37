"""Question 5 against PyTorch's own averaged model, other formulas, finite sums and the numbers of its text."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dgm import data


def test_the_example_of_the_text(reference):
    found = reference.time_embedding(torch.tensor([100]), 4)
    torch.testing.assert_close(found, torch.tensor([[-0.5064, 0.8415, 0.8623, 0.5403]]), atol=1e-3, rtol=0)


def test_times_are_rotations_of_each_other(reference):
    """e(t + k) is e(t), turned by angles that depend on k alone; so likeness depends on the difference."""
    early, late = (reference.time_embedding(t + torch.arange(5), 32).double() for t in (10, 310))
    torch.testing.assert_close(early @ early.T, late @ late.T, atol=2e-3, rtol=0)


@pytest.mark.parametrize("dim", [2, 6, 64])
def test_embedding_in_complex_numbers(reference, dim):
    t, half = torch.tensor([0, 3, 77, 1000]), dim // 2
    angles = t.double()[:, None] * torch.tensor([math.exp(-math.log(10000) * i / half) for i in range(half)], dtype=torch.float64)
    waves = torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(reference.time_embedding(t, dim).double(), torch.cat([waves.imag, waves.real], 1), atol=1e-3, rtol=0)


def test_unet_written_out(reference):
    torch.manual_seed(0)
    net = reference.UNet((8, 16, 24), 32)
    for p in net.parameters():
        nn.init.normal_(p, std=0.2)
    x, t, y = torch.randn(2, 1, 16, 16), torch.tensor([3, 800]), torch.tensor([1, 9])
    e = F.silu(net.time_net(reference.time_embedding(t, 32)) + net.label_table.weight[y])
    a = net.down[0](net.stem(x), e)
    b = net.down[1](nn.AvgPool2d(2)(a), e)
    c = net.middle(nn.AvgPool2d(2)(b), e)
    up = nn.UpsamplingNearest2d(scale_factor=2)
    d = net.up[0](torch.cat([up(c), b], 1), e)
    torch.testing.assert_close(net(x, t, y), net.head(net.up[1](torch.cat([up(d), a], 1), e)))


def test_every_parameter_gets_a_gradient(reference):
    torch.manual_seed(0)
    net = reference.UNet((8, 16, 16, 16))
    for p in net.parameters():
        nn.init.normal_(p, std=0.2)
    net(torch.randn(2, 1, 16, 16), torch.tensor([1, 1000]), torch.tensor([10, 0])).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_average_is_the_weighted_mean(reference, decay):
    model = nn.Linear(3, 2)
    ema, seen = reference.EMA(model, decay), []
    for _ in range(6):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p))
        ema.update(model)
        seen.append(model.weight.detach().clone().double())
    shares = torch.tensor([decay ** (5 - j) for j in range(6)], dtype=torch.float64)
    expected = (shares[:, None, None] * torch.stack(seen)).sum(0) / shares.sum()
    torch.testing.assert_close(ema.model.weight.double(), expected, rtol=1e-5, atol=1e-6)


def test_torchs_average_without_its_start(reference):
    """swa_utils starts at the first weights: they have the share d^(n-1) there, 1 - d more than here."""
    model = nn.Linear(4, 1)
    ours, theirs, first = reference.EMA(model, 0.8), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8)), None
    for _ in range(5):
        with torch.no_grad():
            model.weight.add_(torch.randn_like(model.weight))
        ours.update(model)
        theirs.update_parameters(model)
        first = copy.deepcopy(model) if first is None else first
    raw = theirs.module.weight - 0.8**5 * first.weight
    torch.testing.assert_close(ours.model.weight, raw / (1 - 0.8**5))


def test_training_finds_least_squares(reference):
    torch.manual_seed(0)
    x = torch.randn(64, 5)
    y = x @ torch.arange(1.0, 6.0)
    model = nn.Linear(5, 1)
    ema = reference.EMA(model, 0.9)

    def loss(model, x, y, generator):
        return (model(x)[:, 0] - y).square().mean()

    history = reference.train_denoiser(model, ema, loss, x, y, 600, 16, 0.05, torch.Generator().manual_seed(0), warm_up=20)
    torch.testing.assert_close(ema.model.weight[0], torch.arange(1.0, 6.0), atol=0.1, rtol=0)  # weight decay
    assert history.shape == (600,) and history[0] > 5 and history[-1] < 0.05 and not history.requires_grad


def test_rates_of_the_warm_up(reference):
    """With a constant gradient Adam moves by the rate in each step."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(1))])
    seen = []

    class Trace:
        def update(self, model):
            seen.append(model[0].item())

    reference.train_denoiser(
        model, Trace(), lambda model, x, y, generator: model[0].sum() + 0 * x.sum(), torch.ones(8, 1), torch.zeros(8), 6, 4, 0.1,
        torch.Generator(), warm_up=4,
    )
    steps = -torch.diff(torch.tensor([0.0, *seen]))
    torch.testing.assert_close(steps, torch.tensor([0.025, 0.05, 0.075, 0.1, 0.1, 0.1]), atol=2e-3, rtol=0)


@pytest.mark.parametrize("size", [7, 30])
def test_batches_are_those_of_data(reference, size):
    x, y, seen = torch.arange(30.0)[:, None], torch.arange(30), []

    class Nothing:
        def update(self, model):
            pass

    def loss(model, x, y, generator):
        assert (x[:, 0] == y).all()
        seen.append(y)
        return model(x).mean()

    reference.train_denoiser(nn.Linear(1, 1), Nothing(), loss, x, y, 6, size, 0.1, torch.Generator().manual_seed(3))
    expected = [b for _, b in data.batches((x, y), size, torch.Generator().manual_seed(3), steps=6)]
    torch.testing.assert_close(torch.cat(seen), torch.cat(expected))

"""Question 14 of problem set 1 against SciPy, plain loops and torch layers with two modes."""

import math

import pytest
import torch
from scipy import stats
from torch import nn


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, x):
        return self.net(x).square().squeeze(1)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Scorer()


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch_size", [1, 4, 10, 99])
@pytest.mark.parametrize("training", [True, False])
def test_evaluate(reference, model, batch_size, training):
    x = draw(10, 3)
    with torch.no_grad():
        expected = model.eval()(x).mean().item()
    model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert reference.evaluate(model, x, batch_size) == pytest.approx(expected, rel=1e-5)
    assert reference.evaluate(model, x.flip(0), batch_size) == pytest.approx(expected, rel=1e-5)
    assert all(module.training == training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_train_and_log(reference, model):
    train_x, test_x = draw(23, 3), draw(11, 3, seed=1)
    start = reference.evaluate(model, test_x, 5)
    train_losses, test_losses = reference.train_and_log(model, train_x, test_x, 4, 5, 0.01, torch.Generator().manual_seed(0))
    assert len(train_losses) == 4 * 5
    assert len(test_losses) == 5
    assert test_losses[0] == pytest.approx(start)
    assert test_losses[-1] == pytest.approx(reference.evaluate(model, test_x, 3), rel=1e-5)
    assert test_losses[-1] < test_losses[0]


def test_paired_difference_agrees_with_scipy(reference):
    a, b = 20 + draw(50), 19.5 + draw(50, seed=1)
    mean, error = reference.paired_difference(a, b)
    assert mean / error == pytest.approx(stats.ttest_rel(a.numpy(), b.numpy()).statistic, rel=1e-4)
    assert error == pytest.approx(stats.sem((a - b).numpy()), rel=1e-4)


def test_paired_error_covers(reference):
    a, b = draw(2000, 40), draw(2000, 40, seed=1)
    inside = sum(abs(mean - 0) < 2 * error for mean, error in map(reference.paired_difference, a, b))
    assert 0.92 < inside / 2000 < 0.97


def test_selection(reference):
    validation = torch.tensor([[math.nan, 0.0], [3.0, 3.0], [2.0, 2.5], [math.inf, 1.0]])
    test = torch.tensor([[0.0], [1.0], [5.0], [0.5]])
    assert reference.select_on_validation(validation, test) == (2, 5.0)

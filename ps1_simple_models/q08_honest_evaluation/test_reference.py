"""Question 8 of problem set 1 against SciPy, enumeration, plain loops and torch layers with two modes."""

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
    generator = torch.Generator().manual_seed(0)
    train_losses, test_losses = reference.train_and_log(model, train_x, test_x, 4, 5, 0.01, generator)
    assert len(train_losses) == 4 * 5
    assert len(test_losses) == 5
    assert test_losses[0] == pytest.approx(start)
    assert test_losses[-1] == pytest.approx(reference.evaluate(model, test_x, 3), rel=1e-5)
    assert test_losses[-1] < test_losses[0]


def test_full_batches_follow_adam_by_hand(reference):
    """One parameter, the quadratic (w - x)², Adam's update written out in Python floats."""

    class Quadratic(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor(2.0))

        def forward(self, x):
            return (self.w - x[:, 0]).square()

    x, model = torch.tensor([[0.0], [1.0]]), Quadratic()
    train_losses, test_losses = reference.train_and_log(model, x, x, 6, 2, 0.1, torch.Generator())
    w, m, v, expected = 2.0, 0.0, 0.0, []
    for t in range(1, 7):
        expected.append((w**2 + (w - 1) ** 2) / 2)
        gradient = 2 * w - 1
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        w -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert train_losses == pytest.approx(expected, rel=1e-5)
    assert test_losses == pytest.approx([*expected, (w**2 + (w - 1) ** 2) / 2], rel=1e-5)


def test_paired_difference_agrees_with_scipy(reference):
    a, b = 20 + draw(50), 19.5 + draw(50, seed=1)
    mean, error = reference.paired_difference(a, b)
    assert mean / error == pytest.approx(stats.ttest_rel(a.numpy(), b.numpy()).statistic, rel=1e-4)
    assert error == pytest.approx(stats.sem((a - b).numpy()), rel=1e-4)
    mean, error = reference.paired_difference(torch.tensor([3.0, 3.0, 4.0]), torch.tensor([2.0, 1.0, 1.0]))
    assert (mean, error) == pytest.approx((2, 1 / math.sqrt(3)))


def test_paired_error_covers(reference):
    a, b = draw(2000, 40), draw(2000, 40, seed=1)
    inside = sum(abs(mean - 0) < 2 * error for mean, error in map(reference.paired_difference, a, b))
    assert 0.92 < inside / 2000 < 0.97


def test_counterexample_fools_the_program_wherever_it_can(reference):
    for batch_size in range(2, 12):
        for n in range(batch_size + 1, 60):
            if n % batch_size:
                a, b = reference.counterexample(n, batch_size)
                assert a.shape == b.shape == (n,)
                assert a.double().mean() <= b.double().mean() - 1
                assert reference.quick_mean(a, batch_size) >= reference.quick_mean(b, batch_size) + 1


def test_the_programs_own_test_passes(reference):
    reference.test_quick_mean()

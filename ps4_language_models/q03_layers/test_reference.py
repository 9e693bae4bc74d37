"""Question 3 against PyTorch's layers, autograd, closed forms, and the numbers of its text."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 6)])
def test_norm_is_that_of_torch_and_its_gradient_that_of_autograd(reference, shape):
    norm, theirs = reference.RMSNorm(6, 0.01).double(), nn.RMSNorm(6, 0.01).double()
    with torch.no_grad():
        norm.weight.copy_(normal(6, seed=1)), theirs.weight.copy_(norm.weight)
    x, grad = normal(*shape, seed=2).requires_grad_(), normal(*shape, seed=3)
    torch.testing.assert_close(norm(x), theirs(x))
    by_x, by_weight = torch.autograd.grad(theirs(x), (x, theirs.weight), grad)
    with torch.no_grad():
        found = norm.backward(x.detach(), grad)
    torch.testing.assert_close(found[0], by_x)
    torch.testing.assert_close(found[1], by_weight)


def test_the_norm_in_half_precision(reference):
    norm = reference.RMSNorm(64)
    for dtype, rtol in ((torch.float16, 2e-3), (torch.bfloat16, 1e-2)):
        x = (3000 * normal(3, 64)).to(dtype)
        assert norm(x).dtype == dtype
        torch.testing.assert_close(norm(x).double(), F.rms_norm(x.double(), (64,)), rtol=rtol, atol=1e-3)


def test_the_gradient_is_at_a_right_angle_and_shrinks(reference):
    norm, x, grad = reference.RMSNorm(8, 0.0).double(), normal(5, 8), normal(5, 8, seed=1)
    with torch.no_grad():
        one, ten = norm.backward(x, grad)[0], norm.backward(10 * x, grad)[0]
    assert float((one * x).sum(1).abs().max()) < 1e-12
    torch.testing.assert_close(ten, one / 10)


@pytest.mark.parametrize(("outs", "ins"), [(300, 400), (2000, 30)])
def test_initial_weights_follow_the_truncated_normal(reference, outs, ins):
    from scipy import stats

    weight = reference.init_linear(outs, ins, torch.Generator().manual_seed(0)).double().flatten() * ins**0.5
    assert float(weight.abs().max()) <= 3
    assert stats.kstest(weight.numpy(), stats.truncnorm(-3, 3).cdf).pvalue > 1e-4
    assert abs(float(weight.std()) - stats.truncnorm(-3, 3).std()) < 0.01


def test_gated_layers_are_those_of_torch(reference):
    x, w1, w2, w3 = normal(2, 4, 3), normal(7, 3, seed=1), normal(5, 7, seed=2), normal(7, 3, seed=3)
    for gate, bend in (("silu", nn.SiLU()), ("gelu", nn.GELU(approximate="tanh"))):
        torch.testing.assert_close(reference.swiglu(x, w1, w2, w3, gate), F.linear(bend(F.linear(x, w1)) * F.linear(x, w3), w2))
    one = torch.ones(1, 1, dtype=torch.float64)
    assert abs(float(reference.swiglu(one, one, one, one)) - 0.731) < 5e-4
    assert abs(float(reference.swiglu(one, one, one, one, "gelu")) - 0.841) < 5e-4


def test_two_gated_units_multiply(reference):
    x = 5 * normal(50, 2, dtype=torch.float32)
    torch.testing.assert_close(reference.swiglu(x, *reference.product_weights())[:, 0], x.prod(1))


@pytest.mark.parametrize("scale", [1, 1000])
def test_the_loss_is_that_of_torch(reference, scale):
    logits, targets = scale * normal(4, 5, 7), torch.randint(7, (4, 5), generator=torch.Generator().manual_seed(1))
    for ignore in (-100, 0, 3):
        marked = targets.masked_fill(normal(4, 5, seed=2) > 0.5, ignore)
        found = reference.cross_entropy(logits, marked, ignore)
        torch.testing.assert_close(found, F.cross_entropy(logits.flatten(0, 1), marked.flatten(), ignore_index=ignore))
    assert float(reference.cross_entropy(logits, torch.full((4, 5), -100))) == 0


def test_numbers_of_the_text(reference):
    norm = reference.RMSNorm(2, 0.0)
    x = torch.tensor([3.0, 4.0])
    torch.testing.assert_close(norm(x).detach(), torch.tensor([0.85, 1.13]), atol=5e-3, rtol=0)
    with torch.no_grad():
        torch.testing.assert_close(norm.backward(x, torch.tensor([1.0, 0.0]))[0], torch.tensor([0.181, -0.136]), atol=5e-4, rtol=0)
    assert abs(float(reference.cross_entropy(torch.tensor([[0.0, math.log(3)]]), torch.tensor([0]))) - math.log(4)) < 1e-6

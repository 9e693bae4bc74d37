"""The reference of question 16 against torch: autograd, gradcheck's verdicts, layer_norm."""

import math

import numpy as np
import pytest
import torch


def test_gradients_of_a_network_with_broadcasting_agree_with_torch(reference):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((5, 3), (3, 4), (4,), (1, 4), (5, 1), ())]

    def formula(x, w, b, row, column, number, tanh, softplus):
        hidden = tanh(x @ w + b) * row + column
        return (softplus(hidden * number) - hidden * hidden - b).sum() * 0.5

    ours = [reference.Var(a) for a in arrays]
    loss = formula(*ours, reference.Var.tanh, reference.Var.softplus)
    reference.backward(loss)
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = formula(*theirs, torch.tanh, torch.nn.functional.softplus)
    expected.backward()
    assert float(loss.value) == pytest.approx(expected.item())
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.grad.shape == tuple(other.shape)
        np.testing.assert_allclose(mine.grad, other.grad.numpy(), rtol=1e-9)


def test_a_chain_of_diamonds_takes_no_exponential_time(reference):
    x = node = reference.Var(1.0)
    for _ in range(200):
        node = (node + node) * 0.5
    reference.backward(node)
    assert float(x.grad) == pytest.approx(1.0)
    assert len(reference.topological_order(node)) == 1 + 3 * 200  # each turn: a sum, the constant 0.5, a product


def test_a_second_call_gives_the_same_gradients(reference):
    x = reference.Var([1.0, 2.0])
    loss = (x * x * x).sum()
    for _ in range(2):
        reference.backward(loss)
        np.testing.assert_allclose(x.grad, [3.0, 12.0])


def test_a_network_passes_its_own_gradcheck(reference):
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=(3, 4)), rng.normal(size=4)

    def f(x):
        return (np.tanh(x @ w + b) * x.sum()).sum()

    def gradient(x):
        leaf = reference.Var(x)
        reference.backward(((leaf @ w + b).tanh() * leaf.sum()).sum())
        return leaf.grad

    ok, error = reference.gradcheck(f, gradient, rng.normal(size=(5, 3)))
    assert ok, error


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (4, 1), (4, 3), (2, 1, 3), (1, 1, 1)])
def test_unbroadcast_is_the_adjoint_of_broadcasting(reference, shape):
    rng = np.random.default_rng(2)
    grad, x = rng.normal(size=(2, 4, 3)), rng.normal(size=shape)
    result = reference.unbroadcast(grad, shape)
    assert result.shape == shape
    assert (grad * np.broadcast_to(x, grad.shape)).sum() == pytest.approx((result * x).sum())


@pytest.mark.parametrize("factor", [1.0, 1 + 1e-3, 0.0, -1.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_gradcheck_agrees_with_torchs(reference, factor, scale):
    x = scale * np.array([[0.5, -1.2, 2.0], [0.7, -0.4, 1.1]])

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, u):
            ctx.save_for_backward(u)
            return (u**3).sum()

        @staticmethod
        def backward(ctx, g):
            return factor * 3 * ctx.saved_tensors[0] ** 2 * g

    u = torch.tensor(x / scale, requires_grad=True)
    expected = torch.autograd.gradcheck(Cube.apply, u, eps=1e-6, rtol=1e-6, atol=1e-7, raise_exception=False)
    ok, error = reference.gradcheck(lambda x: ((x / scale) ** 3).sum(), lambda x: factor * 3 * (x / scale) ** 2 / scale, x)
    assert ok == expected == (factor == 1.0)
    assert (error <= 1) == ok


def test_gradcheck_refuses_bad_gradients_and_leaves_x_alone(reference):
    x = np.arange(1.0, 7.0).reshape(2, 3).T
    before = x.copy()
    assert reference.gradcheck(lambda x: (x**2).sum(), lambda x: 2 * x, x)[0]
    for bad in (lambda x: 2 * x.T, lambda x: x.sum(), lambda x: x * math.nan, lambda x: x * math.inf):
        assert reference.gradcheck(lambda x: (x**2).sum(), bad, x) == (False, math.inf)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 5), (3, 1)])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_fixed_backward_is_that_of_torch(reference, shape, eps):
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=shape) + 2.0, rng.normal(size=shape)
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.layer_norm(leaf, shape[-1:], eps=eps)
    np.testing.assert_allclose(reference.layer_norm(x, eps), y.detach().numpy(), rtol=1e-9, atol=1e-12)
    (expected,) = torch.autograd.grad(y, leaf, torch.tensor(w))
    np.testing.assert_allclose(reference.fixed_backward(x, w, eps), expected.numpy(), rtol=1e-8, atol=1e-12)


def test_the_suspicious_version_is_right_at_its_test_point_only(reference):
    x, w = np.arange(-2.0, 3.0), np.arange(-2.0, 3.0) ** 2
    np.testing.assert_allclose(reference.suspicious_backward(x, w), reference.fixed_backward(x, w), atol=1e-12)
    x[0] = -2.5
    assert np.abs(reference.suspicious_backward(x, w) - reference.fixed_backward(x, w)).max() > 0.1

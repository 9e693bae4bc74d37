"""Question 1 of problem set 1 against torch, SciPy and finite differences."""

import math

import pytest
import torch
from scipy import integrate, special, stats

TINY = 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 1e3, 1e5])
@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2])
def test_agrees_with_torch(reference, dtype, scale, dim):
    x = (scale * torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).to(dtype)
    torch.testing.assert_close(reference.logsumexp(x, dim), torch.logsumexp(x, dim))
    torch.testing.assert_close(reference.log_softmax(x, dim), torch.log_softmax(x, dim), atol=1e-5, rtol=1e-5)
    assert reference.logsumexp(x, dim).dtype == dtype


def test_minus_infinity(reference):
    x = torch.tensor([[-math.inf, -math.inf], [-math.inf, 3.0], [1.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(reference.logsumexp(x, 1).numpy(), special.logsumexp(x.numpy(), axis=1))
    assert reference.log_softmax(x, 1)[1].tolist() == [-math.inf, 0.0]


def test_scalar_row_and_thin_axes(reference):
    assert reference.logsumexp(torch.tensor([5.0]), 0).item() == 5.0
    assert reference.logsumexp(torch.zeros(1, 3, 1), 1).shape == (1, 1)


def test_gradient_is_softmax_and_passes_gradcheck(reference):
    x = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    (grad,) = torch.autograd.grad(reference.logsumexp(x, 1).sum(), x)
    torch.testing.assert_close(grad, torch.softmax(x, 1))
    for function in (reference.logsumexp, reference.log_softmax):
        assert torch.autograd.gradcheck(lambda t, f=function: f(t, 1), x)
    masked = torch.tensor([[-math.inf, 1.0, 2.0], [1500.0, -1500.0, 0.0]], requires_grad=True)
    (grad,) = torch.autograd.grad(reference.logsumexp(masked, 1).sum(), masked)
    torch.testing.assert_close(grad, torch.softmax(masked.detach(), 1))


def test_gaussian_agrees_with_distributions_and_scipy(reference):
    g = torch.Generator().manual_seed(2)
    x, mean, logvar = (torch.randn(s, dtype=torch.float64, generator=g) for s in ((5, 1, 3), (4, 3), (4, 3)))
    expected = torch.distributions.Independent(torch.distributions.Normal(mean, (logvar / 2).exp()), 1).log_prob(x)
    torch.testing.assert_close(reference.gaussian_log_prob(x, mean, logvar), expected)
    one = stats.multivariate_normal(mean[0].numpy(), torch.diag(logvar[0].exp()).numpy()).logpdf(x[0, 0].numpy())
    assert reference.gaussian_log_prob(x[0, 0], mean[0], logvar[0]).item() == pytest.approx(one)
    shared = reference.gaussian_log_prob(x, mean, torch.tensor([0.3], dtype=torch.float64))
    torch.testing.assert_close(shared, reference.gaussian_log_prob(x, mean, torch.full((4, 3), 0.3, dtype=torch.float64)))


def test_gaussian_integrates_to_one(reference):
    def density(x):
        return reference.gaussian_log_prob(*(torch.tensor([v], dtype=torch.float64) for v in (x, 0.7, -1.2))).exp().item()

    assert integrate.quad(density, -8, 8)[0] == pytest.approx(1.0, abs=1e-9)


def test_gaussian_gradcheck_and_extremes(reference):
    g = torch.Generator().manual_seed(3)
    arguments = [torch.randn(s, dtype=torch.float64, generator=g).requires_grad_(True) for s in ((4, 3), (3,), (3,))]
    assert torch.autograd.gradcheck(reference.gaussian_log_prob, arguments)
    logvar = torch.tensor([-40.0, 40.0])
    x = 1.5 * (logvar / 2).exp()
    expected = torch.distributions.Normal(torch.zeros(2), (logvar.double() / 2).exp()).log_prob(x.double()).sum()
    assert reference.gaussian_log_prob(x, torch.zeros(2), logvar).item() == pytest.approx(expected.item(), rel=1e-5)


def test_units(reference):
    assert reference.nats_to_bits_per_dim(torch.zeros(3), 784, 256).tolist() == pytest.approx([8.0] * 3)
    assert reference.nats_to_bits_per_dim(torch.tensor(10 * math.log(2)), 10, 1).item() == pytest.approx(1.0)
    assert reference.perplexity(torch.full((2, 5), math.log(65))).item() == pytest.approx(65.0, rel=1e-5)


def test_bits_per_dim_bound_the_code_length_of_the_levels(reference):
    """The probability of each level by integration over its bin: the bits are an upper bound."""
    levels, mean, std = 16, 0.4, 0.25
    edges = torch.arange(levels + 1, dtype=torch.float64).numpy() / levels
    exact_bits = -torch.tensor(stats.norm(mean, std).cdf(edges)).diff().log2()
    u = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    x = (torch.arange(levels, dtype=torch.float64)[:, None] + u) / levels
    nll = -torch.distributions.Normal(mean, std).log_prob(x)
    bound = reference.nats_to_bits_per_dim(nll, 1, levels).mean(1)
    assert (bound >= exact_bits - TINY).all()
    torch.testing.assert_close(bound, exact_bits, atol=0.05, rtol=0)

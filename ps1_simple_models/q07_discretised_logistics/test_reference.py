"""Question 7 against SciPy, mpmath and finite differences."""

import math

import numpy as np
import pytest
import scipy.stats
import torch


def levels_table(reference, log_weights, means, log_scales, num_levels):
    return reference.discretised_logistic_log_prob(torch.arange(num_levels), log_weights, means, log_scales, num_levels)


def test_logistics_are_differences_of_scipy_distribution_functions(reference):
    weights, means, scales = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 4.3, 9.0]), np.array([1.5, 0.8, 3.0])
    edges = np.concatenate([[-np.inf], np.arange(9) + 0.5, [np.inf]])
    cdf = scipy.stats.logistic.cdf(edges[:, None], loc=means, scale=scales)
    want = np.log((weights * np.diff(cdf, axis=0)).sum(1))
    parameters = [torch.tensor(v, dtype=torch.float32) for v in (np.log(weights), means, np.log(scales))]
    got = levels_table(reference, *parameters, 10)
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)
    assert float(got.exp().sum()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("log_scale", [-12.0, -5.0, 0.0, 8.0, 15.0])
@pytest.mark.parametrize("mean", [-40.3, 3.25, 80.1])
def test_one_logistic_at_extremes_against_many_digits(reference, mean, log_scale):
    mpmath = pytest.importorskip("mpmath")
    got = levels_table(reference, torch.zeros(1), torch.tensor([mean]), torch.tensor([log_scale]), 12)
    with mpmath.workdps(60):
        mu, s = mpmath.mpf(float(torch.tensor(mean))), mpmath.exp(log_scale)
        want = []
        for k in range(12):
            b, a = (k + mpmath.mpf("0.5") - mu) / s, (k - mpmath.mpf("0.5") - mu) / s
            upper, lower = -mpmath.log1p(mpmath.exp(-b)), -mpmath.log1p(mpmath.exp(a))
            inside = upper + lower + mpmath.log(-mpmath.expm1(-1 / s))
            want.append(float(upper if k == 0 else lower if k == 11 else inside))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_gradients_by_finite_differences(reference):
    x = torch.arange(6)
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([0.3, -0.2], [1.2, 5.5], [0.1, -0.7])]

    def loss(logits, means, log_scales):
        return reference.discretised_logistic_log_prob(x, torch.log_softmax(logits, 0), means, log_scales, 6)

    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("log_scale", [-12.0, 15.0])
def test_gradients_are_finite_at_extremes(reference, log_scale):
    means = torch.tensor([-30.2, 2.3, 50.1], requires_grad=True)
    log_scales = torch.full((3,), log_scale, requires_grad=True)
    levels_table(reference, torch.full((3,), -math.log(3)), means, log_scales, 9).sum().backward()
    assert torch.isfinite(means.grad).all()
    assert torch.isfinite(log_scales.grad).all()


def test_a_single_level_is_certain_and_shapes_are_kept(reference):
    parameters = torch.tensor([0.4, 0.6]).log(), torch.tensor([-3.0, 5.0]), torch.tensor([0.0, 1.0])
    torch.testing.assert_close(levels_table(reference, *parameters, 1), torch.zeros(1))
    for shape in ((), (1,), (2, 3, 4)):
        assert reference.discretised_logistic_log_prob(torch.ones(shape, dtype=torch.int64), *parameters, 5).shape == shape
